"""Two small filters that metrics are defined by, as scipy computes them.

``scipy.signal.argrelextrema(x, np.less)`` and ``scipy.ndimage.gaussian_filter1d``; the tests hold them
against scipy itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def local_minima(signal: Floats, *, order: int = 1) -> NDArray[np.int64]:
    """Indices where ``signal`` (T,) is smaller than all ``order`` neighbours on both sides.

    Strictly smaller: a plateau is no minimum, and neither is the first or the last sample.
    """
    count = len(signal)
    index = np.arange(count)
    least = np.ones(count, bool)
    for shift in range(1, order + 1):
        least &= signal < signal[np.minimum(index + shift, count - 1)]
        least &= signal < signal[np.maximum(index - shift, 0)]
    return np.flatnonzero(least)


def gaussian_kernel(sigma: float, radius: int) -> Floats:
    """(2·radius + 1,) samples of a Gaussian that sum to 1."""
    x = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (x / sigma) ** 2)
    return kernel / kernel.sum()


def smooth(
    signal: Floats, sigma: float, *, truncate: float = 4.0, axis: int = 0, mode: str = "symmetric"
) -> Floats:
    """Gaussian smoothing along one axis; beyond the ends the signal is mirrored."""
    radius = int(truncate * sigma + 0.5)
    kernel = gaussian_kernel(sigma, radius)
    moved = np.moveaxis(signal, axis, -1)
    padding = [(0, 0)] * (moved.ndim - 1) + [(radius, radius)]
    padded = np.pad(moved, padding, mode=mode)  # type: ignore[call-overload]
    out = sum(k * padded[..., i : i + moved.shape[-1]] for i, k in enumerate(kernel))
    return np.moveaxis(out, -1, axis)
