"""Expressions of real people from their action units: 24 units of FEAFA → 7 emotions.

The 2,000 records of ExpLLM's annotation of RAF-DB that were released (units that a network measured on photographs, and the emotion that people
saw). Evaluation only: nothing that ships is trained on them or chosen by them. Five folds, stratified, drawn by our named streams, the same for
all, and all of it three times with other folds; every figure is the share of all 2,000 that is right, each judged by what learnt from the other four
folds. The interval holds 95 of 100 means when the records are drawn again with replacement.

``logistic`` is multinomial with an L2 penalty of 1 (of the sum of losses), ``pairwise`` the same on units, squares and products. ``ExpLLM`` is the
network of the system, a small one, trained on its stage ``label``. How it is trained (:data:`SETTINGS`: from random weights, or from those that it learnt on the stage;
smoothed labels or not; longer or shorter) is chosen for each fold by three inner folds of the other four, never by the fold that is judged;
the scores of three networks are averaged. The list was written down before any of it had been run, and run once.
``shipped`` is the network that ships: it has learnt on the stage alone and has seen none of the records. The units that speak for
each emotion (the rule) are those of EMFACS.

What can be had at all: records with the same active units (.2 or more) often have other labels, and so have nearest neighbours; from the share of
the latter follows, in the limit of many records, how many any judge can get right at most (Cover & Hart 1967).

Grounding is measured on what the shipped network says of every fifth record: units that its English names against those measured at .2 or more.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._measure import Figure, skipped
from kinesics.bodies import action_units as units
from kinesics.seeds import rng
from kinesics.stage.expressions import expressive
from kinesics.systems import Training
from kinesics.systems._face_features import EMOTIONS
from kinesics.systems.read import _expressions as over_time
from kinesics.systems.read import _grounding, _plans, _prose

SHARED = Path(os.environ.get("KINESICS_SHARED", Path(__file__).parents[2] / "shared"))
RECORDS = SHARED / "data/research-social_annotations/expllm_rafdb_au_cot_2000.json"
NAMES = {
    "Neutral": "neutral", "Happiness": "happy", "Sadness": "sad", "Surprise": "surprise", "Fear": "fear",
    "Disgust": "disgust", "Anger": "anger",
}  # fmt: skip
LABELS = EMOTIONS[:7]
FOLDS, INNER, REPEATS, MEMBERS = 5, 3, 3, 3
HEAD = {"width": 32, "layers": 1, "hidden": 64, "whole": 64, "dropout": 0.3, "noise": 0.1}
FACES = 600
"""Faces of the stage that the network may have learnt from before."""


@dataclass(frozen=True)
class Setting:
    """One way to train.

    Parameters
    ----------
    stage
        Whether it begins with what it learnt on the stage.
    steps, rate, decay
        Updates of 128, their greatest rate, and weight decay.
    smoothing
        Of the labels.
    """

    stage: bool
    steps: int
    rate: float
    decay: float
    smoothing: float

    def __str__(self) -> str:
        start = "stage" if self.stage else "random"
        return f"{start}, {self.steps} updates, decay {self.decay}, smoothing {self.smoothing}"

    @property
    def training(self) -> Training:
        """For the lab."""
        return Training(
            self.steps, 128, self.rate, weight_decay=self.decay, warm_up=10, drops=((0.6, 0.3),), average=0.95
        )


SETTINGS = (
    Setting(True, 80, 2e-3, 0.05, 0.0),
    Setting(True, 80, 2e-3, 0.05, 0.1),
    Setting(True, 140, 2e-3, 0.3, 0.1),
    Setting(False, 140, 3e-3, 0.05, 0.1),
)


def run(runs: int) -> list[Figure]:
    """All figures; ``runs`` changes nothing, as every one is exact."""
    what = "24 action units → 7 emotions, real people"
    if not RECORDS.is_file():
        return [skipped(what, "research-social_annotations is not on this machine")]
    try:
        import torch
    except ImportError:
        return [skipped(what, "the extra lab is not installed")]
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
    values, labels = records()
    squares = np.concatenate([values, values[:, _PAIRS[0]] * values[:, _PAIRS[1]]], axis=1)
    seen = faces(values)
    out = [
        _figure("majority", np.full((1, len(labels)), np.bincount(labels).argmax()), labels),
        _figure("EMFACS rule (no training, nothing tuned)", rule(values)[None], labels),
    ]
    parts = [folds_of(labels, seed) for seed in range(REPEATS)]

    def repeated(judge: Judge) -> np.ndarray:
        return np.stack([crossed(folds, labels, judge) for folds in parts])

    plain = repeated(lambda a, b: logistic(values[a], labels[a], values[b]))
    products = repeated(lambda a, b: logistic(squares[a], labels[a], squares[b]))
    with tempfile.TemporaryDirectory() as folder:
        head = Head(seen, labels, Path(folder))
        own = repeated(head.judge)
        chosen = head.chosen
    out += [
        _figure("logistic", plain, labels),
        _figure("pairwise", products, labels),
        _figure("ExpLLM", own, labels),
        _difference("ExpLLM less logistic", own, plain, labels),
        Figure(
            "folds for which it began with what it had learnt on the stage",
            100 * float(np.mean([s.stage for s in chosen])),
            "%",
            note="; ".join(f"{s}: {chosen.count(s)} folds" for s in SETTINGS),
        ),
    ]
    return [*out, *ceiling(values, labels), *shipped(seen, values, labels)]


def records() -> tuple[np.ndarray, np.ndarray]:
    """(2000, 24) units and (2000,) numbers of :data:`LABELS`."""
    rows = json.loads(RECORDS.read_text(encoding="utf-8"))
    return np.array([r["au"] for r in rows], np.float32), np.array(
        [LABELS.index(NAMES[r["emo"]]) for r in rows]
    )


def faces(values: np.ndarray) -> np.ndarray:
    """(N, 24, 7) records as the network sees still faces."""
    measured = units.from_feafa(values)
    return over_time.summary(measured.values[:, None], measured.known)


def folds_of(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """(N,) the fold of each record: every label is dealt out in random order."""
    fold = np.empty(len(labels), int)
    for label in np.unique(labels):
        places = rng(seed, "folds", int(label)).permutation(np.flatnonzero(labels == label))
        fold[places] = np.arange(len(places)) % FOLDS
    return fold


Judge = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Places to learn from and places to judge → the labels of the latter."""


def crossed(folds: np.ndarray, labels: np.ndarray, judge: Judge) -> np.ndarray:
    """(N,) what each record is taken for by what learnt from the other folds."""
    said = np.empty(len(labels), int)
    for k in range(FOLDS):
        learn, test = np.flatnonzero(folds != k), np.flatnonzero(folds == k)
        said[test] = judge(learn, test)
    return said


_PAIRS = np.triu_indices(24)


def logistic(x: np.ndarray, y: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Multinomial logistic regression."""
    import torch

    a, b = (torch.tensor(v, dtype=torch.float64) for v in (x, test))
    weights = torch.zeros(x.shape[1] + 1, len(LABELS), dtype=torch.float64, requires_grad=True)
    wanted = torch.tensor(y)
    optimiser = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimiser.zero_grad()
        scores = a @ weights[:-1] + weights[-1]
        loss = (
            torch.nn.functional.cross_entropy(scores, wanted, reduction="sum")
            + 0.5 * weights[:-1].square().sum()
        )
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        return (b @ weights[:-1] + weights[-1]).argmax(1).numpy()


def rule(values: np.ndarray) -> np.ndarray:
    """The emotion whose EMFACS units are strongest on average; neutral where none reaches .2."""
    strength, _ = units.strengths(units.from_feafa(values).values)
    known = {
        n.rstrip("LR") for n, k in zip(units.SIDED, units.from_feafa(values[:1]).known, strict=True) if k
    }
    scores = np.zeros((len(values), len(LABELS)))
    scores[:, 0] = _plans.ACTIVE
    for i, label in enumerate(LABELS[1:], 1):
        columns = [units.UNITS.index(u) for u in _plans.SIGNS[label] if u in known]
        scores[:, i] = strength[:, columns].mean(axis=1)
    return scores.argmax(axis=1)


class Head:
    """ExpLLM's head, whose training is chosen within what it may learn from.

    Parameters
    ----------
    seen, labels
        (N, 24, 7) records and (N,) what people saw in them.
    folder
        For checkpoints.

    Attributes
    ----------
    chosen
        The settings of all folds so far.
    """

    def __init__(self, seen: np.ndarray, labels: np.ndarray, folder: Path) -> None:
        self._seen, self._labels, self._folder = seen, labels, folder
        self.chosen: list[Setting] = []
        self._count = 0
        self._start = self._on_stage()

    def judge(self, learn: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Labels of one fold."""
        setting = self._choose(learn)
        self.chosen.append(setting)
        return sum(self.scores(setting, learn, test, seed=m) for m in range(MEMBERS)).argmax(1)

    def _choose(self, learn: np.ndarray) -> Setting:
        inner = folds_of(self._labels[learn], 100) % INNER
        right = []
        for setting in SETTINGS:
            said = np.empty(len(learn), int)
            for k in range(INNER):
                said[inner == k] = self.scores(setting, learn[inner != k], learn[inner == k], seed=k).argmax(
                    1
                )
            right.append((said == self._labels[learn]).mean())
        return SETTINGS[int(np.argmax(right))]

    def scores(self, setting: Setting, learn: np.ndarray, test: np.ndarray, *, seed: int) -> np.ndarray:
        """(M, 7) probabilities by one network."""
        from kinesics import lab

        corpus = lab.Arrays(
            {
                "units": self._seen[learn],
                "label": self._labels[learn],
                "affect": np.zeros((len(learn), 3), np.float32),
                "plan": np.zeros((len(learn), _plans.LONGEST), np.int64),
            }
        )
        self._count += 1
        system = self._system(setting.smoothing)
        done = lab.fit(
            system, corpus, self._folder / str(self._count), stage="label", training=setting.training, seed=seed,
            start=self._start if setting.stage else None, every=setting.steps, progress=False, device="cpu",
        )  # fmt: skip
        _, net = lab.restore(done.checkpoint)
        shares, _ = system.labels(self._seen[test], lab.networks(net))
        return shares[:, : len(LABELS)].astype(np.float64)

    def _on_stage(self) -> Path:
        """What the same network learns from faces of the stage, seen as moments and seconds."""
        from kinesics import lab

        system = self._system(0.0)
        shows = (expressive(31, i, busy=i // 8 % 2 == 1) for i in range(FACES))
        training = Training(300, 64, 3e-3, weight_decay=0.01, warm_up=30, drops=((0.6, 0.3),), average=0.97)
        return lab.fit(
            system, lab.Arrays.of_performances(system, shows), self._folder / "stage", stage="label",
            training=training, every=300, progress=False, device="cpu",
        ).checkpoint  # fmt: skip

    def _system(self, smoothing: float) -> Any:
        from kinesics.systems import find

        kind = find("expllm")
        return kind(kind.config_type.tiny().changed(**HEAD, smoothing=smoothing))


def ceiling(values: np.ndarray, labels: np.ndarray) -> list[Figure]:
    """How far the records agree with themselves."""
    groups: dict[bytes, list[int]] = {}
    for active, label in zip(values >= _plans.ACTIVE, labels.tolist(), strict=True):
        groups.setdefault(active.tobytes(), []).append(label)
    shared = [np.bincount(g, minlength=len(LABELS)) for g in groups.values() if len(g) > 1]
    count = sum(g.sum() for g in shared)
    agree = sum((g**2).sum() / (g.sum() - 1) - g.sum() / (g.sum() - 1) for g in shared) / count
    roots = np.sqrt(values)
    apart = ((roots**2).sum(1)[:, None] + (roots**2).sum(1) - 2 * roots @ roots.T).astype(np.float64)
    np.fill_diagonal(apart, np.inf)
    wrong = float((labels[apart.argmin(1)] != labels).mean())
    many = len(LABELS) / (len(LABELS) - 1)
    return [
        Figure(
            "records with the same active units that have the same label",
            100 * float(agree),
            "%",
            note=f"{count} of {len(labels)} records share their {len(shared)} sets with others; another record of the set, drawn at random",
        ),
        Figure("nearest other record has the same label", 100 * (1 - wrong), "%", note="by roots of units"),
        Figure(
            "right at most, with records without end (Cover & Hart)",
            100 * (1 - (1 - np.sqrt(1 - many * wrong)) / many),
            "%",
            note="a bound, not what 1,600 records allow",
        ),
    ]


def shipped(seen: np.ndarray, values: np.ndarray, labels: np.ndarray) -> list[Figure]:
    """What the shipped network makes of the records, and how grounded its words are."""
    from kinesics.lab.calibrating import calibration_error, shares_of
    from kinesics.systems import load_system

    system, networks = load_system("expllm")
    shares, _ = system.labels(seen, networks)
    shares = shares[:, : len(LABELS)]
    said = shares.argmax(1)
    out = [_figure("shipped (stage only)", said[None], labels)]
    for name, t in (("before its temperature", 1 / system.config.temperature), ("as it is", 1.0)):
        again = shares_of(np.log(np.maximum(shares, 1e-12)), t)
        note = f"sure by {again.max(1).mean():.2f} on average; ten bins, evaluation alone"
        error = 100 * calibration_error(again, labels)
        out.append(Figure(f"shipped, {name}: expected calibration error", error, "points", note=note))
    sure = shares.max(1) >= 0.5
    out.append(
        _figure(
            f"shipped, on the {sure.mean():.0%} that it does not call unknown", said[sure][None], labels[sure]
        )
    )
    strength, _ = units.strengths(units.from_feafa(values).values)
    right = named = active = 0
    words: set[str] = set()
    some = range(0, len(values), 5)
    for i, plan in zip(some, system.plans(seen[::5], [LABELS[said[i]] for i in some], networks), strict=True):
        text = _prose.told(plan, rng(0, "reasons", i))
        mine = _grounding.named(text)
        true = {units.UNITS[j] for j in np.flatnonzero(strength[i] >= _plans.ACTIVE)}
        right, named, active = right + len(mine & true), named + len(mine), active + len(true)
        words.add(text)
    return [
        *out,
        Figure(
            "units named that are active (precision)", 100 * right / named, "%", note="every fifth record"
        ),
        Figure("active units that are named (recall)", 100 * right / active, "%", note="every fifth record"),
        Figure("different texts", 100 * len(words) / len(some), "%"),
    ]


def _figure(what: str, said: np.ndarray, labels: np.ndarray) -> Figure:
    """Of (R, N) labels that were said with R partitions."""
    right = said == labels
    recalls = [right[:, labels == k].mean() for k in np.unique(labels)]
    low, high = _interval(right.mean(axis=0))
    each = ", ".join(f"{100 * r.mean():.1f}" for r in right) if len(right) > 1 else ""
    note = f"macro recall {100 * np.mean(recalls):.1f} %; 95 % interval {low:.1f} to {high:.1f}" + (
        f"; partitions: {each}" if each else ""
    )
    return Figure(what, 100 * float(right.mean()), "%", runs=len(right), note=note)


def _difference(what: str, one: np.ndarray, other: np.ndarray, labels: np.ndarray) -> Figure:
    more = (one == labels).mean(axis=0) - (other == labels).mean(axis=0)
    low, high = _interval(more)
    return Figure(
        what, 100 * float(more.mean()), "points", runs=len(one), note=f"95 % interval {low:.1f} to {high:.1f}"
    )


def _interval(values: np.ndarray) -> tuple[float, float]:
    """95 % of the means of values, drawn again with replacement, in percent."""
    stream = rng(0, "bootstrap")
    means = [values[stream.integers(len(values), size=len(values))].mean() for _ in range(2000)]
    return tuple(100 * np.percentile(means, (2.5, 97.5)))
