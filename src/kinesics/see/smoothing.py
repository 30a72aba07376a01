"""Smoothing that lets go when something moves: the one-euro filter (Casiez, Roussel & Vogel 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class OneEuro:
    """Low-pass values whose cut-off rises with their speed, so that rest is calm and movement does not lag.

    Parameters
    ----------
    rest
        Cut-off in Hz at rest; an array of one per value is allowed.
    beta
        By how many Hz it rises for each unit per second.
    speed
        Cut-off in Hz of the speed itself.

    Examples
    --------
    >>> smooth = OneEuro(rest=1.0, beta=0.5)
    >>> float(smooth(np.float32([3.0]), 25.0)[0])
    3.0
    """

    def __init__(self, *, rest: float | Array = 1.0, beta: float = 0.0, speed: float = 1.0) -> None:
        self.rest, self.beta, self.speed = rest, beta, speed
        self._last: Array | None = None
        self._speed: Array | float = 0.0

    def __call__(self, values: Array, rate: float, unit: float = 1.0) -> Array:
        """The next values, smoothed.

        Parameters
        ----------
        values
            Of any one shape.
        rate
            Values a second, as the time since the last ones tells: it may change from one to the next.
        unit
            What one unit of ``beta`` measures now, for things that come nearer.
        """
        if self._last is None:
            self._last = np.array(values, np.float32)
            return self._last
        moved = (values - self._last) * rate
        self._speed = self._speed + _share(self.speed, rate) * (moved - self._speed)
        share = _share(self.rest + self.beta * np.abs(self._speed) / unit, rate)
        self._last = (self._last + share * (values - self._last)).astype(np.float32)
        return self._last


def _share(cutoff: float | Array, rate: float) -> float | Array:
    """How much of what is new counts for a cut-off in Hz."""
    way = 2 * np.pi * cutoff / rate
    return way / (way + 1)
