"""A stream brought to the rate that a network takes, frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATE = 30
"""Frames per second of the networks here."""


class Clock:
    """Interpolate a stream at :data:`RATE`; sample k is at the stream's start + k / 30.

    Parameters
    ----------
    fps
        Frames per second of the stream.

    Examples
    --------
    >>> clock = Clock(60)
    >>> clock.push(np.arange(5.0)[:, None]).ravel(), clock.push(np.arange(5.0, 8.0)[:, None]).ravel()
    (array([0., 2., 4.]), array([6.]))
    """

    def __init__(self, fps: float) -> None:
        self._ratio = float(fps) / RATE
        self._kept: Array | None = None
        self._first = 0  # index of the first kept frame
        self._next = 0  # index of the next sample

    def push(self, frames: Array) -> Array:
        """Take (n, …) frames; return the samples that they settle."""
        frames = np.asarray(frames, dtype=np.float64)
        kept = frames if self._kept is None else np.concatenate([self._kept, frames])
        if not len(kept):
            return kept
        last = self._first + len(kept) - 1
        until = int(np.floor(last / self._ratio + 1e-6)) + 1
        at = np.arange(self._next, max(until, self._next)) * self._ratio
        low = np.floor(at + 1e-6).astype(int)
        part = np.clip(at - low, 0, 1).reshape(-1, *([1] * (kept.ndim - 1)))
        low -= self._first
        high = np.minimum(low + 1, len(kept) - 1)
        out = kept[low] + (kept[high] - kept[low]) * part
        self._next += len(at)
        keep = max(0, min(int(np.floor(self._next * self._ratio)) - self._first, len(kept) - 1))
        self._kept, self._first = kept[keep:], self._first + keep
        return out
