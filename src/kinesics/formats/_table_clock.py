"""Times as somebody wrote them down, and the uniform clock they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_LATE = 1e6
"""Seconds above which a time is a date, not a place in a recording."""


@dataclass(frozen=True)
class Clock:
    """A uniform clock for rows at given times.

    Parameters
    ----------
    fps
        Its rate.
    start
        Second of the first sample.
    origin
        Seconds that were taken off all times, as they counted from some date.
    places
        None where row i is sample i; else (T,) the row, with its fraction, that makes each sample.
    gaps
        Samples that have no row within one sample's time.
    """

    fps: Fraction
    start: float
    origin: float
    places: NDArray[np.float64] | None
    gaps: int

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rows (T, K) on this clock, linear between them."""
        if self.places is None:
            return values
        low = np.floor(self.places).astype(int)
        high = np.minimum(low + 1, len(values) - 1)
        return values[low] + (values[high] - values[low]) * (self.places - low)[:, None]


def clock_of(times: NDArray[np.float64]) -> Clock:
    """The uniform clock of strictly rising times in seconds.

    Times within a quarter of a sample of a uniform clock are on it; others are interpolated at
    the usual distance between rows.

    Raises
    ------
    ValueError
        If times do not rise, or lie so far apart that the clock would be far longer than the table.
    """
    origin = float(times[0]) if len(times) and abs(times[0]) > _LATE else 0.0
    times = times - origin
    if len(times) < 2:
        return Clock(Fraction(1), float(times[0]) if len(times) else 0.0, origin, None, 0)
    steps = np.diff(times)
    if (steps <= 0).any():
        raise ValueError(f"times that rise; {times[int(np.argmax(steps <= 0)) + 1] + origin:g} s does not")
    start, span = float(times[0]), float(times[-1] - times[0])
    fitted = nice_rate(len(steps) / span, span)
    if np.abs(times - start - np.arange(len(times)) / float(fitted)).max() < 0.25 / float(fitted):
        return Clock(fitted, start, origin, None, 0)
    usual = float(np.quantile(steps, 0.5, method="lower"))
    fps = nice_rate(1 / usual, usual)
    count = int(min(span * float(fps) + 1e-6, 1e15)) + 1
    if count > 16 * len(times) + 4096:
        raise ValueError(f"rows without long gaps; these {len(times)} would become {count}")
    places = np.interp(start + np.arange(count) / float(fps), times, np.arange(len(times)))
    gaps = np.rint(steps * float(fps)) - 1
    return Clock(fps, start, origin, places, int(gaps[gaps > 0].sum()))


def nice_rate(rate: float, span: float) -> Fraction:
    """The plainest rate that drifts from ``rate`` by less than a tenth of a sample in ``span`` seconds."""
    near = min(max(rate, 1e-6), 1e6)
    for candidate in (
        Fraction(round(near)),
        Fraction(round(near * 1.001) * 1000, 1001),
        Fraction(near).limit_denominator(10),
        Fraction(near).limit_denominator(1000),
    ):
        if candidate > 0 and abs(float(candidate) - near) * max(span, 2 / near) < 0.1:
            return candidate
    return Fraction(near).limit_denominator(1_000_000)
