"""Labelled intervals on the clock: words, phones, phrases, gesture phases."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate

from kinesics.errors import DataError


@dataclass(frozen=True, slots=True)
class Interval:
    """What happens from ``start`` (included) to ``end`` (excluded), in seconds.

    Parameters
    ----------
    start, end
        Seconds on the performance's clock; equal for an instant.
    label
        What it is.
    value
        A number that goes with it (prominence, intensity), or None.
    confidence
        0 to 1.
    """

    start: float
    end: float
    label: str
    value: float | None = None
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start <= self.end):
            raise DataError(
                f"interval {self.label!r}: from {self.start} to {self.end}; expected finite, start ≤ end"
            )
        if self.value is not None and not math.isfinite(self.value):
            raise DataError(
                f"interval {self.label!r} at {self.start:.3f} s: value {self.value} is not finite"
            )
        if not 0 <= self.confidence <= 1:
            raise DataError(f"interval {self.label!r}: confidence {self.confidence}; expected 0 to 1")

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """Second halfway."""
        return 0.5 * (self.start + self.end)

    def shift(self, seconds: float) -> Interval:
        """The same, ``seconds`` later."""
        return replace(self, start=self.start + seconds, end=self.end + seconds)


@dataclass(frozen=True)
class Tier:
    """A named sequence of intervals, sorted by start; they may overlap or leave gaps.

    Examples
    --------
    >>> words = Tier("words", [Interval(0.1, 0.4, "hello"), Interval(0.4, 0.9, "world")])
    >>> words.at(0.5).label
    'world'
    >>> [i.label for i in words.slice(0.0, 0.2)]
    ['hello']
    """

    name: str
    intervals: tuple[Interval, ...] = ()
    _starts: list[float] = field(init=False, repr=False, compare=False)
    _reach: list[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        intervals = tuple(sorted(self.intervals, key=lambda i: (i.start, i.end)))
        object.__setattr__(self, "intervals", intervals)
        object.__setattr__(self, "_starts", [i.start for i in intervals])
        # The latest end so far: a search backwards stops where nothing reaches any more.
        object.__setattr__(self, "_reach", list(accumulate((i.end for i in intervals), max)))

    def __len__(self) -> int:
        return len(self.intervals)

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.intervals)

    def __getitem__(self, index: int) -> Interval:
        return self.intervals[index]

    @property
    def start(self) -> float:
        """Second of the first interval's start (0 when empty)."""
        return self.intervals[0].start if self.intervals else 0.0

    @property
    def end(self) -> float:
        """Second at which the last interval ends (0 when empty)."""
        return max((i.end for i in self.intervals), default=0.0)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in order."""
        return tuple(i.label for i in self.intervals)

    def at(self, time: float) -> Interval | None:
        """The latest-starting interval that holds ``time``, or None."""
        for i in range(bisect_right(self._starts, time) - 1, -1, -1):
            if self.intervals[i].end > time:
                return self.intervals[i]
            if self._reach[i] <= time:
                break
        return None

    def slice(self, start: float, end: float) -> Tier:
        """The intervals that overlap [start, end), cut to it."""
        if not start <= end:
            raise DataError(f"slice from {start} to {end}: the end comes before the start")
        return Tier(
            self.name,
            tuple(
                replace(i, start=max(i.start, start), end=min(i.end, end))
                for i in self.intervals
                if start < end and ((i.start < end and i.end > start) or start <= i.start == i.end < end)
            ),
        )

    def shift(self, seconds: float) -> Tier:
        """All intervals, ``seconds`` later."""
        return Tier(self.name, tuple(i.shift(seconds) for i in self.intervals))

    def join(self, other: Iterable[Interval]) -> Tier:
        """This tier's intervals and ``other``'s."""
        return Tier(self.name, (*self.intervals, *other))
