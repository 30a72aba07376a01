"""What all systems have in common: a configuration, a capability, stages of training, and their task's verb."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Self

from numpy.typing import NDArray

from kinesics.errors import DataError, choose
from kinesics.performance import Performance

if TYPE_CHECKING:
    from torch import nn

VERBS = {
    "gesture": "perform",
    "face": "perform",
    "motion": "perform",
    "dance": "perform",
    "sign": "perform",
    "portrait": "portray",
    "read": "read",
    "understand": "read",
    "act": "act",
}
"""Task → the verb that all its systems have."""

Networks = Mapping[str, Callable[..., dict[str, NDArray]]]
"""The parts of a network by name, each ``run(name=array, …)`` → arrays by name."""


@dataclass(frozen=True)
class Capability:
    """What a system can do, and what it needs for it.

    Parameters
    ----------
    task
        Folder of its kind: ``"gesture"``, ``"face"`` …
    needs
        Tracks that a performance must have.
    gives
        Tracks it makes.
    basis
        What these are in: ``"humanoid"`` (the 55 joints), ``"arkit"`` …
    fps
        Frames per second that it works at; what runs it resamples.
    look_ahead
        Seconds of the future it must know.
    languages
        Codes of the languages it knows; empty: any.
    licence
        Of its own shipped weights, or why there are none.
    uses
        Tracks it makes use of when they are there.
    """

    task: str
    needs: tuple[str, ...]
    gives: tuple[str, ...]
    basis: str
    fps: Fraction
    look_ahead: float
    languages: tuple[str, ...]
    licence: str
    uses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Training:
    """How one stage of a system is trained.

    Parameters
    ----------
    steps, batch
        How many updates, of how many examples each.
    rate
        Learning rate of AdamW.
    betas, weight_decay
        AdamW's.
    warm_up
        Updates over which the rate rises from 0.
    drops
        (share of the steps, factor): from there on the rate is multiplied by that.
    clip
        Greatest norm of the gradient; 0: any.
    average
        Decay of the running mean of the weights that is kept as the result; 0: the weights themselves.
    precision
        ``"f32"`` or ``"bf16"`` (autocast).
    """

    steps: int
    batch: int = 32
    rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    warm_up: int = 0
    drops: tuple[tuple[float, float], ...] = ()
    clip: float = 1.0
    average: float = 0.0
    precision: str = "f32"

    def __post_init__(self) -> None:
        choose("precision", self.precision, ("f32", "bf16"))
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise DataError(f"training: {name} {getattr(self, name)}; expected at least 1")
        if not 0 < self.rate < 10 or not 0 <= self.average < 1 or self.clip < 0 or self.warm_up < 0:
            raise DataError(
                f"training: rate {self.rate}, average {self.average}, clip {self.clip}, warm_up {self.warm_up}; "
                f"expected 0 < rate < 10, 0 ≤ average < 1, the others not negative"
            )

    def rate_at(self, step: int) -> float:
        """Learning rate of one update, the first being 0."""
        rate = self.rate * min(1.0, (step + 1) / self.warm_up) if self.warm_up else self.rate
        for share, factor in self.drops:
            if step >= share * self.steps:
                rate *= factor
        return rate


class Config:
    """Base of a system's frozen configuration dataclass; presets are class methods ``tiny`` and ``paper``."""

    @classmethod
    def tiny(cls) -> Self:
        """Small enough for two cores, on the canonical body and face."""
        raise NotImplementedError

    @classmethod
    def paper(cls) -> Self:
        """The published sizes."""
        raise NotImplementedError

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """``"tiny"`` or ``"paper"``, with changes."""
        return getattr(cls, choose("preset", name, ("tiny", "paper")))().changed(**changes)

    def changed(self, **changes: Any) -> Self:
        """With other values; a DataError lists the names when there is no such one."""
        names = [f.name for f in dataclasses.fields(self)]  # type: ignore[arg-type]
        for name in changes:
            choose("setting", name, names)
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as JSON has them."""
        return json.loads(json.dumps(dataclasses.asdict(self)))  # type: ignore[call-overload]

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> Self:
        """From :meth:`as_dict`; lists become tuples again.

        Raises
        ------
        DataError
            On names the configuration does not have, or lacks, and on values of another type.
        """
        names = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        if names != set(values):
            raise DataError(
                f"configuration of {cls.__name__}: {', '.join(sorted(names ^ set(values)))} do not fit; it was "
                f"written by another version"
            )
        usual, made = cls.tiny(), {n: _tuples(v) for n, v in values.items()}
        for name, value in made.items():
            if not _alike(value, getattr(usual, name)):
                raise DataError(
                    f"configuration of {cls.__name__}: {name} is {value!r:.40}; expected one like {getattr(usual, name)!r}"
                )
        return cls(**made)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _alike(value: Any, usual: Any) -> bool:
    if isinstance(usual, tuple):
        return isinstance(value, tuple) and all(_alike(v, u) for v in value for u in usual[:1])
    if isinstance(usual, float):
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is type(usual) and (not isinstance(value, int) or value < 1_000_000)


class System(ABC):
    """A published system.

    A subclass says what it is in class attributes, and gives the task's verb (:data:`VERBS`), whose first two
    arguments are a performance and the :data:`Networks` that run.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    """As the paper has it, with venue and year."""
    revision: ClassVar[int] = 1
    """Rises when networks of before no longer fit."""
    stages: ClassVar[tuple[str, ...]]
    """Trainings, in order; each starts from the checkpoint of the one before."""
    capability: ClassVar[Capability]
    config_type: ClassVar[type[Config]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not inspect.isabstract(cls):
            verb = VERBS[choose("task", cls.capability.task, VERBS)]
            if not callable(getattr(cls, verb, None)):
                raise TypeError(f"{cls.__name__} is a system for {cls.capability.task} without {verb}()")

    def __init__(self, config: Config | None = None) -> None:
        self.config: Any = self.config_type.tiny() if config is None else config
        if not isinstance(self.config, self.config_type):
            raise DataError(f"{self.name} takes a {self.config_type.__name__}, not a {type(config).__name__}")

    @property
    def key(self) -> str:
        """What its examples depend on: another key, other examples."""
        return json.dumps([self.name, self.revision, self.config.as_dict()], sort_keys=True)

    @abstractmethod
    def training(self, stage: str) -> Training:
        """How a stage is trained under this configuration."""

    @abstractmethod
    def examples(self, performance: Performance) -> Iterator[dict[str, NDArray]]:
        """What the lab learns from: windows of one performance as arrays by name, all of the same shapes."""

    def network(self) -> nn.Module:
        """The torch network, untrained (extra ``lab``).

        It has ``loss(batch, stage)`` → losses by name with their sum under ``"loss"``, ``trainable(stage)`` → the
        parameters that move, ``begin(stage, batch)``, which takes statistics from a sample of the corpus, and
        ``graphs()`` → the parts that run on their own.
        """
        return import_module(type(self).__module__.rpartition(".")[0] + ".net").Net(self.config)

    def signed(
        self, performance: Performance, networks: Networks, told: Mapping[str, Any], **made: Any
    ) -> Performance:
        """The performance with the tracks that were made, and how under ``meta[name]``.

        Parameters
        ----------
        performance
            What they were made from.
        networks
            What made them; hashes of their files and their precision are told, too.
        told
            Settings.
        made
            Tracks by name.
        """
        hashes = {n: run.hash for n, run in networks.items() if hasattr(run, "hash")}  # type: ignore[attr-defined]
        fast = any(getattr(run, "precision", "f32") != "f32" for run in networks.values())
        how = {**told, "networks": hashes, "precision": "bf16" if fast else "f32"}
        return Performance(
            {**performance.tracks, **made}, {**performance.meta, "synthetic": True, self.name: how}
        )

    def check(self, performance: Performance) -> None:
        """Raise a DataError if the performance lacks a track that is needed."""
        missing = [name for name in self.capability.needs if name not in performance]
        if missing:
            raise DataError(
                f"{self.name} needs the track {missing[0]!r}; this performance has: {', '.join(performance)}"
            )
