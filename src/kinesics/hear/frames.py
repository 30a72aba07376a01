"""Sound as networks take it: one row for each frame of a body or a face.

Frame i is what is heard around second i / fps, so that rows and poses of one number belong together. Nothing
is said about phones or melody; for these see :mod:`kinesics.hear.align` and :mod:`kinesics.hear.prosody`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Hz of the sound that is taken."""

_LOWEST, _HIGHEST = 55.0, 7600.0
_FLOOR = 1e-5
_FLUX_FPS = 100
_AMPLITUDE = 1024
_BLOCK = 2048
Array = NDArray[np.float32]


def log_mel(samples: Array, *, fps: float, count: int, bands: int = 80) -> Array:
    """Log mel spectrum.

    Parameters
    ----------
    samples
        (N,) mono sound at 16 kHz, ±1.
    fps
        Frames per second.
    count
        How many frames; silence is taken beyond the sound.
    bands
        Mel bands from 55 to 7600 Hz.

    Returns
    -------
    ndarray
        (count, bands) natural logarithm of the mean magnitude in each band, at least log(1e-5). The window
        (Hann) is the power of two that holds two frames.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    >>> log_mel(tone, fps=25, count=25, bands=40).shape
    (25, 40)
    """
    size = 1 << int(np.ceil(np.log2(2 * RATE / fps)))
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    out = np.empty((count, bands), np.float32)
    for first, part in _around(samples, fps, count, size):
        spectrum = np.abs(np.fft.rfft(part * window)) * (2 / window.sum())
        out[first : first + len(part)] = np.log(np.maximum(spectrum @ _filters(size, bands), _FLOOR))
    return out


def onset_strength(samples: Array, *, fps: float, count: int) -> Array:
    """How strongly sound sets in during each frame.

    Returns
    -------
    ndarray
        (count,) the greatest rise, within the frame, of the mean log mel spectrum over a hundredth of a second;
        nepers, never negative.
    """
    steps = int(np.ceil(count * _FLUX_FPS / fps)) + 1
    level = log_mel(samples, fps=_FLUX_FPS, count=steps, bands=40)
    rise = np.maximum(np.diff(level, axis=0, prepend=level[:1]), 0).mean(axis=1)
    edges = np.clip(np.round((np.arange(count + 1) - 0.5) * _FLUX_FPS / fps).astype(int), 0, steps - 1)
    if not count:
        return np.zeros(0, np.float32)
    if fps > _FLUX_FPS:
        return rise[edges[1:]]
    return np.maximum.reduceat(rise[: edges[-1] + 1], edges[:-1]).astype(np.float32)


def amplitude(samples: Array, *, fps: float, count: int) -> Array:
    """(count,) greatest magnitude within 64 ms around each frame."""
    out = np.empty(count, np.float32)
    for first, part in _around(samples, fps, count, _AMPLITUDE):
        out[first : first + len(part)] = np.abs(part).max(axis=1)
    return out


def _around(samples: Array, fps: float, count: int, size: int) -> Iterator[tuple[int, Array]]:
    """Blocks of (n, size) samples around each frame, and the first frame of each block."""
    at = np.round(np.arange(count) * (RATE / fps)).astype(np.int64)
    last = int(at[-1]) if count else 0
    half = size // 2
    padded = np.pad(
        np.asarray(samples[: last + half], np.float32), (half, max(last + half - len(samples), 0))
    )
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)
    for first in range(0, count, _BLOCK):
        yield first, frames[at[first : first + _BLOCK]]


@cache
def _filters(size: int, bands: int) -> Array:
    """(size / 2 + 1, bands) triangles on the mel scale whose weights sum to 1."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST, _HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    hz = np.arange(size // 2 + 1)[:, None] * (RATE / size)
    rise, fall = (hz - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - hz) / np.diff(edges)[1:]
    out = np.clip(np.minimum(rise, fall), 0, None)
    # A band narrower than a bin has the bin that is nearest to its middle.
    empty = out.sum(axis=0) <= 0
    out[np.abs(hz - edges[1:-1]).argmin(axis=0)[empty], np.flatnonzero(empty)] = 1
    return (out / out.sum(axis=0)).astype(np.float32)
