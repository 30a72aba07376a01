"""Loudness beside the speaker's own usual, from a stream of dB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.performance import Signal

Floats = NDArray[np.float64]

FLOOR = -55.0
"""dB of full scale under which nothing counts as speech."""
_FPS = 20


class Loudness:
    """How loud speech is beside its own running mean; pure in what was heard up to each moment.

    Parameters
    ----------
    look_ahead
        Seconds ahead of a moment that have been heard when it is asked for: with less, the smoothing lags.

    Examples
    --------
    >>> loud = Loudness()
    >>> loud.at(np.array([0.5])).tolist()
    [0.0]
    """

    def __init__(self, *, look_ahead: float = 2.0) -> None:
        self._ahead = float(np.clip(np.floor(_FPS * (look_ahead - 0.01) - 1.5), -2, 2))
        self._values: list[float] = []  # one per 1 / _FPS s, from slot _first
        self._first = 0
        self._sum, self._count = 0.0, 0
        self._slot = 0
        self._usual: float | None = None
        self._end = -np.inf

    def hear(self, energy: Signal) -> None:
        """Add samples after those heard before.

        Parameters
        ----------
        energy
            Column ``energy`` (or the only one) in dB of full scale.
        """
        names = list(energy.names)
        if "energy" not in names and len(names) != 1:
            raise DataError(f"energy signal has columns {', '.join(names)}; expected one named 'energy'")
        values = np.asarray(energy.values[:, names.index("energy") if "energy" in names else 0], float)
        times = energy.start + np.arange(len(values)) / float(energy.fps)
        fresh = times > self._end + 1e-9
        for time, value in zip(times[fresh].tolist(), values[fresh].tolist(), strict=True):
            slot = int(time * _FPS + 1e-9)
            if slot != self._slot:
                self._close(slot)
            self._sum += max(value, -90.0)
            self._count += 1
            self._end = time

    def _close(self, slot: int) -> None:
        """Finish the slots before ``slot``."""
        level = self._sum / self._count if self._count else -90.0
        relative = 0.0
        if level > FLOOR:
            # The usual follows within about three seconds of speech.
            self._usual = level if self._usual is None else self._usual + 0.016 * (level - self._usual)
            relative = float(np.clip((level - self._usual) / 8.0, -1.0, 1.0))
        self._values.append(relative)
        for _ in range(slot - self._slot - 1):
            self._values.append(0.0)
        self._slot, self._sum, self._count = slot, 0.0, 0

    def forget(self, before: float) -> None:
        """Drop what lies more than a second before."""
        drop = int((before - 1.0) * _FPS) - self._first
        if 0 < drop <= len(self._values):
            del self._values[:drop]
            self._first += drop

    def at(self, t: Floats) -> Floats:
        """(n,) loudness beside the usual, smoothed over a quarter of a second, -1 to 1; 0 where unknown."""
        if not self._values:
            return np.zeros(len(t))
        values = np.asarray(self._values)
        place = t[:, None] * _FPS - self._first - 0.5 + self._ahead - np.arange(5)
        low = np.floor(place).astype(int)
        share = place - low

        def read(i: NDArray[np.int64]) -> Floats:
            inside = (i >= 0) & (i < len(values))
            return np.where(inside, values[np.clip(i, 0, len(values) - 1)], 0.0)

        kernel = np.array([0.1, 0.24, 0.32, 0.24, 0.1])
        return (read(low) + share * (read(low + 1) - read(low))) @ kernel
