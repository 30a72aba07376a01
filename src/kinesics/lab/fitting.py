"""The one training loop.

A run is a function of its corpus, settings and seed: which examples an update sees, and every random number
in it, follow from the seed and the update's number alone. So a run that was killed goes on from its last
state as if nothing had happened, and ends with the same weights bit for bit (on the same machine and number of threads).
"""

from __future__ import annotations

import json
import math
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

import kinesics
from kinesics.errors import DataError, FormatError, MissingExtra, choose
from kinesics.files import writable
from kinesics.lab import _torch  # noqa: F401
from kinesics.lab import checkpoint as ck
from kinesics.lab.corpus import Corpus
from kinesics.lab.log import Log
from kinesics.seeds import rng
from kinesics.systems import System, Training

# isort: split
import torch
from torch import Tensor, nn

_SAMPLE = 512
"""Examples from which a network may take statistics before a stage begins."""


@dataclass(frozen=True)
class Fitted:
    """What came of a training.

    Parameters
    ----------
    checkpoint
        The file with the result: the best weights on the validation corpus, or the last ones without one.
    step
        Updates made.
    losses
        Of the validation corpus at the result, or of the last update.
    stopped
        ``"done"``, ``"early"`` (no better for long) or ``"paused"`` (``until``).
    """

    checkpoint: Path
    step: int
    losses: dict[str, float]
    stopped: str


def fit(
    system: System,
    corpus: Corpus,
    out: str | PathLike[str],
    *,
    stage: str | None = None,
    start: str | PathLike[str] | None = None,
    validation: Corpus | None = None,
    training: Training | None = None,
    seed: int = 0,
    every: int = 200,
    patience: int = 0,
    resume: bool = True,
    until: int | None = None,
    device: str = "auto",
    devices: int = 1,
    progress: bool = True,
) -> Fitted:
    """Train one stage of a system.

    Parameters
    ----------
    system
        The system, with its configuration.
    corpus
        What it learns from.
    out
        Folder for ``<stage>.safetensors`` (the result), ``<stage>.state.safetensors`` (from which it resumes),
        ``<stage>.jsonl`` (the log).
    stage
        One of ``system.stages``; the first by default.
    start
        Checkpoint of the stage before.
    validation
        Examples it does not learn from; the best weights on these are kept.
    training
        Other settings than ``system.training(stage)``.
    seed
        Of weights, order and all noise.
    every
        Updates between two states, log lines and validations.
    patience
        Validations without a better loss after which it stops; 0: it never does.
    resume
        Go on with what is in ``out``; False: begin anew.
    until
        Pause after that many updates; a later call goes on.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` …
    devices
        How many; more than one needs Lightning Fabric.
    progress
        Show a bar with the losses.

    Raises
    ------
    DataError
        If a loss is not finite (the last good state and checkpoint are kept), the folder holds another run, the
        corpus does not fit, or the disk is full.
    """
    stage = choose("stage", stage or system.stages[0], system.stages)
    if every < 1 or patience < 0 or devices < 1:
        raise DataError(
            f"every {every}, patience {patience}, devices {devices}; expected at least 1, 0 and 1"
        )
    run = _Run(system, corpus, Path(out), stage, training or system.training(stage), seed, devices, device)
    with torch.random.fork_rng(devices=[]):
        run.prepare(start, resume)
        return run.go(validation, every, patience, until, progress)


class _Run:
    def __init__(
        self,
        system: System,
        corpus: Corpus,
        out: Path,
        stage: str,
        training: Training,
        seed: int,
        devices: int,
        device: str,
    ) -> None:
        self.system, self.corpus, self.stage, self.training, self.seed = system, corpus, stage, training, seed
        self.result, self.state_file = out / f"{stage}.safetensors", out / f"{stage}.state.safetensors"
        self.log_file = out / f"{stage}.jsonl"
        if not len(corpus):
            raise DataError("the corpus is empty")
        writable(self.result)
        for left in out.glob(f".{stage}.*.part"):  # what a killed run was writing
            left.unlink(missing_ok=True)
        self.fabric = _fabric(devices, device) if devices > 1 else None
        self.device = ck.device_of(device) if self.fabric is None else self.fabric.device
        self.rank = 0 if self.fabric is None else self.fabric.global_rank
        self.log: Log | None = None
        self.step, self.best, self.waited = 0, math.inf, 0
        self.losses: dict[str, float] = {}

    # --- beginning -----------------------------------------------------------------------------------

    def identity(self) -> dict[str, Any]:
        """What must not change between a run and its resumption."""
        return {
            "system": self.system.name,
            "revision": self.system.revision,
            "config": self.system.config.as_dict(),
            "stage": self.stage,
            "corpus": self.corpus.hash,
            "seed": self.seed,
            "training": {**asdict(self.training)},
        }

    def meta(self, **more: Any) -> dict[str, Any]:
        capability = self.system.capability
        return {
            **self.identity(),
            "version": kinesics.__version__,
            "basis": capability.basis,
            "joints": _joints(capability.basis),
            "fps": str(capability.fps),
            "split": self.corpus.split,
            "step": self.step,
            "losses": self.losses,
            **more,
        }

    def prepare(self, start: str | PathLike[str] | None, resume: bool) -> None:
        torch.manual_seed(_torch_seed(self.seed, "weights", self.system.name))
        self.net = self.system.network().to(self.device)
        found = ck.read(self.state_file) if resume and self.state_file.is_file() else None
        if found is None:
            if start is not None:
                self._start(ck.read(start))
            elif self.stage != self.system.stages[0]:
                before = self.system.stages[self.system.stages.index(self.stage) - 1]
                raise DataError(f"{self.stage} starts from a checkpoint of {before}: give it as start")
            self.net.begin(self.stage, self._stacked(self._sample()))
        self.parameters = list(self.net.trainable(self.stage))
        moving = {id(p) for p in self.parameters}
        for parameter in self.net.parameters():
            parameter.requires_grad_(id(parameter) in moving)
        t = self.training
        self.optimiser = torch.optim.AdamW(
            self.parameters, lr=t.rate, betas=t.betas, weight_decay=t.weight_decay
        )
        self.mean = (
            {n: p.detach().clone() for n, p in self.net.named_parameters() if id(p) in moving}
            if t.average
            else {}
        )
        if found is not None:
            self._go_on(found)
        self.loss = self.net.loss
        if self.fabric is not None:
            wrapped, self.optimiser = self.fabric.setup(self.net, self.optimiser)
            wrapped.mark_forward_method("loss")
            self.loss = wrapped.loss

    def _start(self, found: ck.Checkpoint) -> None:
        if found.meta["system"] != self.system.name:
            raise DataError(
                f"{found.path}: a checkpoint of {found.meta['system']}, not of {self.system.name}"
            )
        found.system()
        stages = self.system.stages
        done = stages.index(choose("stage", found.meta["stage"], stages)) + 1
        names = {id(p): n for n, p in self.net.named_parameters()}
        trained, later = (
            {names[id(p)].partition(".")[0] for stage in part for p in self.net.trainable(stage)}
            for part in (stages[:done], stages[done:])
        )
        # What no stage has trained yet is taken from this configuration, whatever size it had there.
        fresh = later - trained
        mine = self.net.state_dict()
        theirs = {n: v for n, v in found.tensors.items() if n.partition(".")[0] not in fresh}
        wanted = {n: v for n, v in mine.items() if n.partition(".")[0] not in fresh}
        wrong = [n for n in sorted({*theirs, *wanted}) if _shape(theirs.get(n)) != _shape(wanted.get(n))]
        if wrong:
            raise DataError(
                f"{found.path}: {wrong[0]} is {_shape(theirs.get(wrong[0]))}, but {_shape(wanted.get(wrong[0]))} in this "
                f"configuration; train {found.meta['stage']} with it first"
            )
        self.net.load_state_dict({**mine, **theirs})

    def _go_on(self, found: ck.Checkpoint) -> None:
        mine, theirs = self.identity(), {k: found.meta.get(k) for k in self.identity()}
        different = [k for k in mine if _plain(mine[k]) != theirs[k]]
        if different:
            raise DataError(
                f"{found.path}: a run with another {', '.join(different)}; choose another folder, or begin anew (resume=False)"
            )
        parts: dict[str, dict[str, Tensor]] = {"net": {}, "mean": {}, "optimiser": {}}
        for name, tensor in found.tensors.items():
            part, _, rest = name.partition("/")
            parts.get(part, {})[rest] = tensor
        try:
            self.net.load_state_dict(parts["net"])
            slots: dict[int, dict[str, Tensor]] = {}
            for name, tensor in parts["optimiser"].items():
                index, _, key = name.partition("/")
                slots.setdefault(int(index), {})[key] = tensor
            groups = self.optimiser.state_dict()["param_groups"]
            self.optimiser.load_state_dict({"state": slots, "param_groups": groups})
            self.mean = {n: parts["mean"][n].to(self.device) for n in self.mean}
            self.step, self.waited = int(found.meta["step"]), int(found.meta["waited"])
            self.best = math.inf if found.meta["best"] is None else float(found.meta["best"])
            self.losses = dict(found.meta["losses"])
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            raise FormatError(
                found.path, "tensors", "the state of a training", "begin anew (resume=False)"
            ) from error

    # --- examples ------------------------------------------------------------------------------------

    def _sample(self) -> list[int]:
        count = min(_SAMPLE, len(self.corpus))
        return sorted(rng(self.seed, "sample").choice(len(self.corpus), count, replace=False).tolist())

    def _indices(self, step: int) -> list[int]:
        """Examples of one update: the corpus in a new order each time round, cut into batches without a gap."""
        size, total = self.training.batch, len(self.corpus)
        first, out = step * size, []
        while len(out) < size:
            turn, place = divmod(first + len(out), total)
            out += self._order(turn)[place : place + size - len(out)].tolist()
        return out

    def _order(self, turn: int) -> np.ndarray:
        if getattr(self, "_turn", None) != turn:
            self._turn, self._permuted = turn, rng(self.seed, "order", turn).permutation(len(self.corpus))
        return self._permuted

    def _stacked(self, indices: list[int], corpus: Corpus | None = None) -> dict[str, Tensor]:
        return stacked(self.corpus if corpus is None else corpus, indices, self.device)

    # --- going ---------------------------------------------------------------------------------------

    def go(
        self, validation: Corpus | None, every: int, patience: int, until: int | None, progress: bool
    ) -> Fitted:
        last = self.training.steps if until is None else min(until, self.training.steps)
        stopped = "done" if last == self.training.steps else "paused"
        if patience and self.waited >= patience:
            return Fitted(self.result, self.step, self.losses, "early")
        with ExitStack() as stack:
            if not self.rank:
                self.log = Log(self.log_file, self.step)
                stack.callback(self.log.close)
            what = f"{self.system.name} {self.stage}"
            bar = stack.enter_context(_bar(what, self.step, last, progress and not self.rank))
            while self.step < last:
                losses = self._update()
                bar.update(1)
                if self.step % every == 0 or self.step == self.training.steps:
                    self.losses = {n: float(v) for n, v in losses.items()}
                    bar.set_postfix({n: f"{v:.3g}" for n, v in self.losses.items()})
                    self._note("train", {**self.losses, "rate": self.training.rate_at(self.step - 1)})
                    self._judge(validation)
                    self._save()
                    if patience and self.waited >= patience:
                        stopped = "early"
                        break
                elif self.step == last:  # a pause between two judgements must not add one
                    self._save()
        return Fitted(self.result, self.step, self.losses, stopped)

    def _note(self, kind: str, numbers: dict[str, float]) -> None:
        if self.log is not None:
            self.log.add(self.step, kind, numbers)

    def _update(self) -> dict[str, Tensor]:
        t = self.training
        self.net.train()
        apart = (self.rank,) if self.rank else ()
        torch.manual_seed(_torch_seed(self.seed, "update", self.step, *apart))
        for group in self.optimiser.param_groups:
            group["lr"] = t.rate_at(self.step)
        batch = self._stacked(self._share(self._indices(self.step)))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=t.precision == "bf16"):
            losses = self.loss(batch, self.stage)
        self.optimiser.zero_grad(set_to_none=True)
        total = losses["loss"]
        if self.fabric is None:
            total.backward()
        else:
            self.fabric.backward(total)
        length = nn.utils.clip_grad_norm_(self.parameters, t.clip or math.inf)
        if not (torch.isfinite(total) and torch.isfinite(length)):
            bad = next((n for n, v in losses.items() if not torch.isfinite(v)), "the gradient")
            kept = (
                f"; the last good state, after {self._saved()} updates, is {self.state_file}"
                if self._saved()
                else ""
            )
            raise DataError(
                f"{self.system.name} {self.stage}: {bad} is not finite in update {self.step + 1}{kept}. "
                f"Lower the rate ({t.rate:g}), use f32, or look for spoilt examples"
            )
        self.optimiser.step()
        with torch.no_grad():
            named = dict(self.net.named_parameters()) if self.mean else {}
            for name, mean in self.mean.items():
                mean.lerp_(named[name], 1 - t.average)
        self.step += 1
        return {n: v.detach() for n, v in losses.items()}

    def _share(self, indices: list[int]) -> list[int]:
        if self.fabric is None:
            return indices
        return indices[self.rank :: self.fabric.world_size]

    def _saved(self) -> int:
        return int(ck.read(self.state_file).meta["step"]) if self.state_file.is_file() else 0

    def _weights(self) -> dict[str, Tensor]:
        return {**ck.state(self.net), **self.mean}

    def _judge(self, validation: Corpus | None) -> None:
        """Validate, and write the result if it is the best so far."""
        better = True
        if validation is not None:
            found = losses_on(
                self.net, validation, self.stage, self._weights(), batch=self.training.batch, seed=self.seed
            )
            self._note("val", found)
            better = found["loss"] < self.best
            self.waited = 0 if better else self.waited + 1
            if better:
                self.best, self.losses = found["loss"], found
        if better and not self.rank:
            ck.write(self.result, self._weights(), self.meta())

    def _save(self) -> None:
        """Write the state from which a run goes on."""
        if self.rank:
            return
        tensors = ck.state(self.net, "net/")
        tensors |= {f"mean/{n}": v for n, v in self.mean.items()}
        for index, slots in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{key}": value for key, value in slots.items()}
        best = None if math.isinf(self.best) else self.best
        ck.write(self.state_file, tensors, self.meta(best=best, waited=self.waited))


def losses_on(
    net: nn.Module,
    corpus: Corpus,
    stage: str,
    weights: dict[str, Tensor] | None = None,
    *,
    batch: int = 64,
    seed: int = 0,
) -> dict[str, float]:
    """Mean losses over a whole corpus, with the same noise every time."""
    device = next(net.parameters()).device
    own = {n: v.clone() for n, v in net.state_dict().items()} if weights is not None else None
    training = net.training
    try:
        if weights is not None:
            net.load_state_dict(weights)
        net.eval()
        total: dict[str, float] = {}
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            for first in range(0, len(corpus), batch):
                torch.manual_seed(_torch_seed(seed, "validate", first))
                rows = list(range(first, min(first + batch, len(corpus))))
                for name, value in net.loss(stacked(corpus, rows, device), stage).items():
                    total[name] = total.get(name, 0.0) + float(value) * len(rows) / len(corpus)
    finally:
        if own is not None:
            net.load_state_dict(own)
        net.train(training)
    return total


def stacked(corpus: Corpus, indices: list[int], device: torch.device) -> dict[str, Tensor]:
    """A batch.

    Raises
    ------
    DataError
        If examples differ in names or shapes, or hold what is not finite.
    """
    rows = [corpus.item(i) for i in indices]
    out = {}
    for name in rows[0]:
        try:
            values = np.stack([row[name] for row in rows])
        except (KeyError, ValueError) as error:
            raise DataError(
                f"corpus: {name!r} is missing or of another shape in some examples ({error})"
            ) from error
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            bad = next(i for i, row in zip(indices, rows, strict=True) if not np.isfinite(row[name]).all())
            raise DataError(
                f"corpus: {name!r} of example {bad} is not finite; prepare that clip again or leave it out"
            )
        out[name] = torch.from_numpy(values.astype(np.float32) if values.dtype.kind == "f" else values).to(
            device
        )
    return out


def _shape(tensor: Tensor | None) -> tuple[int, ...] | None:
    return None if tensor is None else tuple(tensor.shape)


def _torch_seed(seed: int, *names: object) -> int:
    return int(rng(seed, *names).integers(2**62))


def _plain(value: Any) -> Any:
    """As it comes back from JSON."""
    return json.loads(json.dumps(value))


def _joints(basis: str) -> list[str]:
    from kinesics.bodies.arkit import ARKIT
    from kinesics.bodies.humanoid import JOINTS

    return list({"humanoid": JOINTS, "arkit": ARKIT}.get(basis, ()))


def _bar(what: str, done: int, total: int, show: bool) -> Any:
    from tqdm import tqdm

    return tqdm(
        desc=what, initial=done, total=total, disable=not show, delay=1.0, leave=False, dynamic_ncols=True
    )


def _fabric(devices: int, device: str) -> Any:
    try:
        from lightning.fabric import Fabric
    except ImportError as error:
        raise MissingExtra("scale", "training on more than one device") from error
    fabric = Fabric(accelerator=device.partition(":")[0], devices=devices)
    fabric.launch()
    return fabric
