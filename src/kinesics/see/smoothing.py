"""Smoothing that lets go when something moves: the one-euro filter (Casiez, Roussel & Vogel 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class OneEuro:
    """Low-pass values whose cut-off rises with their speed, so that rest is calm and movement does not lag.

    Parameters
    ----------
    rate
        Values a second.
    rest
        Cut-off in Hz at rest; an array of one per value is allowed.
    beta
        By how many Hz it rises for each unit per second.
    speed
        Cut-off in Hz of the speed itself.

    Examples
    --------
    >>> smooth = OneEuro(25.0, rest=1.0, beta=0.5)
    >>> float(smooth(np.float32([3.0]))[0])
    3.0
    """

    def __init__(
        self, rate: float, *, rest: float | Array = 1.0, beta: float = 0.0, speed: float = 1.0
    ) -> None:
        self.rate, self.rest, self.beta = rate, rest, beta
        self._share = self._of(speed)
        self._last: Array | None = None
        self._speed: Array | float = 0.0

    def _of(self, cutoff: float | Array) -> float | Array:
        way = 2 * np.pi * cutoff / self.rate
        return way / (way + 1)

    def __call__(self, values: Array, unit: float = 1.0) -> Array:
        """The next values, smoothed; ``unit`` is what one unit of ``beta`` measures now, for things that come nearer."""
        if self._last is None:
            self._last = np.array(values, np.float32)
            return self._last
        moved = (values - self._last) * self.rate
        self._speed = self._speed + self._share * (moved - self._speed)
        share = self._of(self.rest + self.beta * np.abs(self._speed) / unit)
        self._last = (self._last + share * (values - self._last)).astype(np.float32)
        return self._last
