"""What a metric is and what it gives: its name, its direction, its unit, its paper; one score."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from kinesics.errors import DataError, FormatError, choose

ARROWS = {"lower": "↓", "higher": "↑", "reference": "→", "zero": "→0"}
"""Directions: better when lower, when higher, when closer to the ground truth's own value, when closer to 0."""

_MODULES = ("gesture", "face", "lip_reading", "text_motion", "dance", "video")
"""The tasks, in the order in which they are listed."""


@dataclass(frozen=True)
class Score:
    """One number and what must be known to compare it with another.

    Parameters
    ----------
    value
        The number.
    name
        The metric, without a star.
    unit
        ``""`` where there is none.
    direction
        One of :data:`ARROWS`.
    n
        How many samples, frames or items it rests on.
    extractor
        Name and hash of whatever turned the data into features; None where there is nothing of the kind.
    settings
        The constants it was computed with: sigma, delta, fps …
    notes
        What limits it, for instance ``"biased: 40 samples for 240 dimensions"``.
    starred
        Whether our own skeleton, mesh or extractor stands in for the published one: such a number
        has no place in a column of published ones.

    Examples
    --------
    >>> print(Score(0.5, "L1div", "m", "higher", 10, starred=True))
    L1div* ↑ 0.5 m (n=10)
    """

    value: float
    name: str
    unit: str
    direction: str
    n: int
    extractor: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    starred: bool = False

    def __post_init__(self) -> None:
        choose("direction", self.direction, ARROWS)
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
        object.__setattr__(self, "notes", tuple(n for n in self.notes if n))

    @property
    def label(self) -> str:
        """The name, starred where something of ours stands in."""
        return self.name + "*" * self.starred

    def __str__(self) -> str:
        more = [f"n={self.n}", *([self.extractor] if self.extractor else [])]
        more += [f"{k}={v}" for k, v in self.settings.items()]
        value = f"{self.value:.6g} {self.unit}".strip()
        return f"{self.label} {ARROWS[self.direction]} {value} ({', '.join(more)})" + "".join(
            f"; {n}" for n in self.notes
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; an infinite value as text."""
        value = float(self.value)
        return {
            "metric": self.label,
            "value": value if np.isfinite(value) else str(value),
            "unit": self.unit,
            "direction": self.direction,
            "n": self.n,
            "extractor": self.extractor,
            "settings": dict(self.settings),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Metric:
    """A measure that can be looked up by name.

    Parameters
    ----------
    name
        As papers print it, without a star.
    task
        The module that defines it.
    direction
        One of :data:`ARROWS`.
    unit
        ``""`` where there is none.
    paper
        Where it comes from, or "ours".
    needs
        What the pure function takes.
    function
        The pure function over arrays.
    over
        How to compute it from performances, as ``"module:function"`` of this room; None where
        arrays are needed.
    starred
        Whether the way over performances puts something of ours in the place of the published thing.

    Examples
    --------
    >>> print(find("PSNR"))
    PSNR ↑ dB: frames (T, H, W[, 3]) twice (Wang et al. 2004)
    """

    name: str
    task: str
    direction: str
    unit: str
    paper: str
    needs: str
    function: Callable[..., Any]
    over: str | None = None
    starred: bool = False

    def __post_init__(self) -> None:
        choose("direction", self.direction, ARROWS)

    @property
    def arrow(self) -> str:
        """↓, ↑, → (closer to the ground truth's value) or →0."""
        return ARROWS[self.direction]

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name} {self.arrow}{unit}: {self.needs} ({self.paper})"

    def score(self, value: float, n: int, **more: Any) -> Score:
        """A score of this metric."""
        return Score(float(value), self.name, self.unit, self.direction, n, **more)


@dataclass(frozen=True)
class Extractor:
    """A function from data to features, pinned: a score names it and its hash.

    Parameters
    ----------
    name
        What the score shall call it.
    digest
        SHA-256 of its weights (or, without weights, of its definition), in hexadecimal.
    function
        From a performance to (n, d) features.
    """

    name: str
    digest: str
    function: Callable[[Any], Any]

    def __call__(self, data: Any) -> Any:
        return self.function(data)

    def __str__(self) -> str:
        return f"{self.name}@{self.digest[:12]}"

    @classmethod
    def of_weights(
        cls, name: str, weights: str | Path, function: Callable[[Any], Any], *, digest: str | None = None
    ) -> Extractor:
        """An extractor whose weights lie in a file.

        Parameters
        ----------
        name, function
            As above.
        weights
            The file, hashed here.
        digest
            The hash it must have; None to take whatever it has.

        Raises
        ------
        FormatError
            If the file cannot be read, or its hash is another one.
        """
        path = Path(weights)
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FormatError(path, str(error.strerror or error), "weights", "check the path") from error
        if digest is not None and found != digest.lower():
            raise FormatError(path, f"SHA-256 {found[:12]}…", f"{digest[:12]}…", "fetch the pinned weights")
        return cls(name, found, function)


def available(task: str | None = None) -> tuple[Metric, ...]:
    """All metrics, or those of one task, in the order of their modules.

    Parameters
    ----------
    task
        ``"gesture"``, ``"face"``, ``"lip_reading"``, ``"text_motion"``, ``"dance"`` or ``"video"``.

    Examples
    --------
    >>> [m.name for m in available("gesture")][:2]
    ['FGD', 'L1div']
    """
    tasks = _MODULES if task is None else (choose("task", task, _MODULES),)
    return tuple(m for name in tasks for m in import_module(f"kinesics.metrics.{name}").METRICS)


def find(name: str) -> Metric:
    """The metric called ``name``, in any case, with or without a star.

    Raises
    ------
    DataError
        If there is none; the names are listed.
    """
    if not isinstance(name, str):
        raise DataError(f"metric {name!r}; expected a name such as 'FGD'")
    known = {m.name.lower(): m for m in available()}
    key = name.strip().rstrip("*").lower()
    if key not in known:
        choose("metric", name, [m.name for m in known.values()])
    return known[key]
