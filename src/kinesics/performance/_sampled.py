"""What all sampled tracks share: one clock, half-open slicing in seconds, resampling, joining."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError
from kinesics.files import passing

_BLOCK = 1 << 22
_NTSC = (24, 30, 48, 60, 90, 120, 240)
"""Rates that also exist slowed by 1000/1001."""


def exact_rate(fps: object, what: str) -> Fraction:
    """Return ``fps`` as an exact fraction, or raise a DataError.

    Film and television rates in decimals are taken for what they stand for (29.97 → 30000/1001);
    a Fraction, or text such as ``"2997/100"``, is kept as it is.
    """
    wrong = f"{what}: rate {fps!r:.60}; expected a number such as 60 or a Fraction, more than 0 and at most 1,000,000 per second"
    try:
        # Through float first: Fraction("1e999999999") would compute that number.
        near = float(fps) if not isinstance(fps, str) or "/" not in fps else float(Fraction(fps[:40]))  # type: ignore[arg-type]
        if not 0 < near <= 1_000_000:
            raise DataError(wrong)
        rate = fps if isinstance(fps, Fraction) else Fraction(str(fps))
    except (ValueError, TypeError, OverflowError, ZeroDivisionError) as error:
        raise DataError(wrong) from error
    if isinstance(fps, Fraction) or (isinstance(fps, str) and "/" in fps):
        return rate
    nominal = round(rate * Fraction(1001, 1000))
    ntsc = Fraction(nominal * 1000, 1001)
    return ntsc if nominal in _NTSC and rate.denominator > 1 and abs(rate - ntsc) < Fraction(1, 200) else rate


def checked(values: ArrayLike, shape: tuple[int | None, ...], what: str) -> NDArray[np.float32]:
    """Return ``values`` as read-only, finite float32 of the given shape (None: any length)."""
    try:
        with np.errstate(over="ignore"):  # what overflows is found below, as infinite
            array = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{what}: not an array of numbers ({error})") from error
    if array.ndim != len(shape) or any(
        w is not None and w != n for n, w in zip(array.shape, shape, strict=True)
    ):
        wanted = ", ".join("any" if w is None else str(w) for w in shape)
        raise DataError(f"{what}: shape {array.shape}; expected ({wanted})")
    # In parts: two hours of sound would take a gigabyte of marks.
    for first, part in passing(array, max(1, _BLOCK // max(1, array[:1].size))):
        finite = np.isfinite(part)
        if finite.all():
            continue
        row, *rest = (int(i) for i in np.argwhere(~finite)[0])
        place = (first + row, *rest)
        raise DataError(f"{what}: not finite at {place} ({array[place]}); mend or cut these samples first")
    if array.flags.writeable:
        array = array.copy() if array is values or array.base is not None else array
        array.setflags(write=False)
    return array


class Sampled:
    """Mixin of frozen dataclasses with ``fps``, ``start`` and one or more (T, ...) arrays.

    A subclass names its arrays in ``_arrays`` and, where linear interpolation would be wrong,
    overrides ``_between``.
    """

    _arrays: tuple[str, ...] = ()
    fps: Fraction
    start: float

    def _main(self) -> NDArray[Any]:
        return getattr(self, self._arrays[0])

    def _settle(self, what: str) -> None:
        object.__setattr__(self, "fps", exact_rate(self.fps, what))
        start = float(self.start)
        if not math.isfinite(start):
            raise DataError(f"{what}: start {self.start!r}; expected seconds")
        object.__setattr__(self, "start", start)

    def __len__(self) -> int:
        return len(self._main())

    @property
    def duration(self) -> float:
        """Seconds: number of samples / fps."""
        return float(len(self) / self.fps)

    @property
    def end(self) -> float:
        """Second at which the track ends (half-open)."""
        return self.start + self.duration

    @property
    def times(self) -> NDArray[np.float64]:
        """(T,) seconds of every sample."""
        return self.start + np.arange(len(self)) / float(self.fps)

    def slice(self, start: float, end: float) -> Self:
        """Samples with start ≤ time < end, in seconds on the performance's clock."""
        if not start <= end:
            raise DataError(f"slice from {start} to {end}: the end comes before the start")
        # A thousandth of a sample of slack: times such as 0.1 are not exact in binary.
        # Clipped before rounding up, so that an end of math.inf means the track's own.
        rate, count = float(self.fps), len(self)
        first = math.ceil(min(max((start - self.start) * rate - 1e-3, 0), count))
        last = math.ceil(min(max((end - self.start) * rate - 1e-3, first), count))
        changes: dict[str, Any] = {
            n: v[first:last] for n in self._arrays if (v := getattr(self, n)) is not None
        }
        return replace(self, **changes, start=self.start + float(first / self.fps))  # type: ignore[type-var]

    def shift(self, seconds: float) -> Self:
        """The same samples, ``seconds`` later."""
        return replace(self, start=self.start + seconds)  # type: ignore[type-var]

    def at(self, times: ArrayLike) -> Self:
        """Samples interpolated at evenly spaced ``times`` is :meth:`resample`; this takes any one clock.

        Outside the track the first or last sample is held.

        Raises
        ------
        DataError
            If the track is empty.
        """
        times = np.asarray(times, dtype=np.float64)
        if not len(self) and len(times):
            raise DataError(f"{type(self).__name__} has no samples to interpolate between")
        position = np.clip((times - self.start) * float(self.fps), 0, max(len(self) - 1, 0))
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, max(len(self) - 1, 0))
        part = (position - low).astype(np.float32)
        changes = {
            n: self._between(n, v[low], v[high], part)
            for n in self._arrays
            if (v := getattr(self, n)) is not None
        }
        return replace(self, **changes, start=float(times[0]) if len(times) else self.start)  # type: ignore[type-var]

    def resample(self, fps: object) -> Self:
        """The same seconds at another rate, linear (rotations: spherical) between samples."""
        rate = exact_rate(fps, "resample")
        if rate == self.fps or len(self) == 0:
            return replace(self, fps=rate)  # type: ignore[type-var]
        count = max(1, round(Fraction(len(self)) / self.fps * rate))
        moved = self.at(self.start + np.arange(count) / float(rate))
        return replace(moved, fps=rate, start=self.start)  # type: ignore[type-var]

    def _between(
        self, name: str, a: NDArray[Any], b: NDArray[Any], part: NDArray[np.float32]
    ) -> NDArray[Any]:
        weight = part.reshape(-1, *([1] * (a.ndim - 1)))
        return a + (b - a) * weight

    def join(self, other: Self) -> Self:
        """This track, then ``other``; both must be of one kind, rate and layout.

        ``other`` follows directly: its own start is not used.
        """
        self._same_layout(other)
        changes = {
            n: np.concatenate([v, getattr(other, n)])
            for n in self._arrays
            if (v := getattr(self, n)) is not None
        }
        return replace(self, **changes)  # type: ignore[type-var]

    def extended(self, end: float, what: str = "track") -> Self:
        """This track until second ``end``, holding its last sample (sound: silence) where it is over.

        Raises
        ------
        DataError
            If the track goes on beyond ``end`` by more than a sample.
        """
        missing = round((end - self.end) * float(self.fps))
        if missing < -1:
            raise DataError(f"{what!r} ends at {self.end:.3f} s and would go on at {end:.3f} s: they overlap")
        if missing == 0 or not len(self):
            return self
        if missing < 0:
            changes = {n: v[:-1] for n in self._arrays if (v := getattr(self, n)) is not None}
        else:
            changes = {
                n: np.concatenate([v, self._held(v, missing)])
                for n in self._arrays
                if (v := getattr(self, n)) is not None
            }
        return replace(self, **changes)  # type: ignore[type-var]

    def _held(self, values: NDArray[Any], count: int) -> NDArray[Any]:
        return np.repeat(values[-1:], count, axis=0)

    def _same_layout(self, other: Any) -> None:
        what = type(self).__name__
        if type(other) is not type(self):
            raise DataError(f"a {what} cannot be joined to or compared with a {type(other).__name__}")
        if other.fps != self.fps:
            raise DataError(
                f"{what}: rates differ ({self.fps} and {other.fps} per second); resample one of them"
            )
        for n in self._arrays:
            a, b = getattr(self, n), getattr(other, n)
            if (a is None) != (b is None) or (a is not None and a.shape[1:] != b.shape[1:]):
                raise DataError(f"{what}: layouts of {n} differ; select the same columns first")

    def difference(self, other: Self) -> float:
        """Greatest absolute difference between two tracks of one layout and length."""
        self._same_layout(other)
        if len(self) != len(other):
            raise DataError(
                f"{type(self).__name__}: {len(self)} and {len(other)} samples; slice to the same span"
            )
        gaps = [
            float(np.max(np.abs(v - getattr(other, n)), initial=0))
            for n in self._arrays
            if (v := getattr(self, n)) is not None
        ]
        return max(gaps, default=0.0)
