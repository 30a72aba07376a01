"""CPBD: how sharp an image is, without a reference (Narvekar and Karam 2011, IEEE TIP 20:2678).

In blocks of 64 × 64 pixels with more than 0.2 % edge pixels, every edge pixel has a width w, measured
along its row to the nearest extrema; in a block of contrast c a viewer just notices a width of 5 pixels
(c ≤ 50) or 3. The probability that blur is seen there is P = 1 − exp(−(w / w_jnb)^3.6), and CPBD the
share of edge pixels with P rounded to at most 0.63. 0 to 1, higher is sharper; grey values 0 to 255.

The details are those of the authors' program as the Python package ``cpbd`` renders it: Canny's edges
(σ = 1, thresholds 0.1 and 0.2) choose the blocks, Sobel's (thinned, threshold twice the root of the
mean square) the pixels. Only edges whose gradient is within 22.5° of the row are measured, and pixels
without any gradient along the row, which that program takes for such edges of width 2. What is left
after the last whole block is not looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError
from kinesics.metrics._checks import Floats, numbers
from kinesics.metrics._signal import gaussian_kernel

BLOCK = 64
_FARTHEST = 101
"""Pixels after which the search for an extremum ends."""


def cpbd(image: ArrayLike) -> float:
    """Cumulative probability of blur detection of a grey image.

    Parameters
    ----------
    image
        (H, W) grey values, 0 to 255; at least 64 pixels each way.

    Returns
    -------
    float
        0 to 1; 0 too where there are no edges.

    Raises
    ------
    DataError
        On another shape or range.
    """
    grey = numbers(image, ("H", "W"), "image")
    if min(grey.shape) < BLOCK:
        raise DataError(f"image: {grey.shape[0]} × {grey.shape[1]} pixels; at least {BLOCK} × {BLOCK} needed")
    if grey.min() < 0 or grey.max() > 255 or 0 < grey.max() <= 1:
        raise DataError(f"image: values {grey.min():.3g} to {grey.max():.3g}; expected grey values 0 to 255")
    high, wide = (n // BLOCK for n in grey.shape)

    def blocks(values: NDArray) -> NDArray:
        cut = values[: high * BLOCK, : wide * BLOCK].reshape(high, BLOCK, wide, BLOCK)
        return cut.swapaxes(1, 2).reshape(high * wide, -1)

    edgy = blocks(canny(grey)).sum(1) > 0.002 * BLOCK**2
    parts = blocks(grey)
    noticed = np.where(np.floor(parts.max(1) - parts.min(1)) <= 50, 5.0, 3.0)
    width = blocks(edge_widths(grey))
    chosen = (width > 0) & edgy[:, None]
    if not chosen.any():
        return 0.0
    seen = 1 - np.exp(-((width / noticed[:, None]) ** 3.6))
    return float((np.round(100 * seen[chosen]) <= 63).mean())


def edge_widths(grey: Floats) -> Floats:
    """(H, W) widths in pixels at edges across the row, 0 elsewhere."""
    gy, gx = np.gradient(grey)
    angle = 45 * np.round(np.degrees(np.arctan2(gy, gx)) / 45)
    angle[gx == 0] = 0
    inner = np.zeros(grey.shape, bool)
    inner[1:-1, 1:-1] = True
    rows, columns = np.nonzero(_sobel_edges(grey) & inner & (angle % 180 == 0))
    rising = np.where(angle[rows, columns] == 0, 1.0, -1.0)
    out = np.zeros(grey.shape)
    if np.any(angle):
        left = _reach(grey, rows, columns, -1, -rising)
        out[rows, columns] = left + _reach(grey, rows, columns, 1, rising)
    return out


def _reach(
    grey: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64], way: int, rising: Floats
) -> Floats:
    """Pixels from each place to where values stop rising (falling) that way along the row."""
    width = np.full(len(rows), float(_FARTHEST))
    going = np.arange(len(rows))
    for step in range(_FARTHEST):
        row, near = rows[going], columns[going] + way * (1 + step)
        far = near + way
        inside = (far >= 0) & (far < grey.shape[1])
        change = grey[row, np.where(inside, far, near)] - grey[row, near]
        on = inside & (change * rising[going] > 0)
        width[going[~on]] = step + 1
        going = going[on]
        if not len(going):
            break
    return width


def _sobel_edges(grey: Floats) -> NDArray[np.bool_]:
    padded = np.pad(grey, 1, mode="symmetric")
    across = padded[:, 2:] - padded[:, :-2]
    strength = ((across[:-2] + 2 * across[1:-1] + across[2:]) / 8) ** 2
    strength[strength <= 2 * np.sqrt(np.mean(strength))] = 0
    edge = np.pad(strength, 1)
    here = edge[1:-1, 1:-1]
    across_row = (here > edge[1:-1, :-2]) & (here > edge[1:-1, 2:])
    return across_row | ((here > edge[:-2, 1:-1]) & (here > edge[2:, 1:-1]))


def canny(grey: Floats, *, low: float = 0.1, high: float = 0.2) -> NDArray[np.bool_]:
    """Canny's edges after smoothing by σ = 1, as scikit-image finds them.

    Sums are taken in scipy's order: where neighbours are equal, rounding decides which is greatest.
    """
    kernel = gaussian_kernel(1.0, 4)[4:]
    weight = _convolved(np.ones(grey.shape), kernel) + np.finfo(float).eps
    smoothed = np.pad(_convolved(grey, kernel) / weight, 1, mode="symmetric")
    down, across = smoothed[2:] - smoothed[:-2], smoothed[:, 2:] - smoothed[:, :-2]
    i = 2 * down[:, 1:-1] + (down[:, :-2] + down[:, 2:])
    j = 2 * across[1:-1] + (across[:-2] + across[2:])
    size = np.sqrt(i * i + j * j)
    weak = _thinned(i, j, size) & (size >= low)
    return _connected(weak, weak & (size >= high))


def _convolved(image: Floats, half: Floats) -> Floats:
    """Smoothed along both axes by a kernel of which ``half`` is the middle and one side; zeros beyond."""
    radius = len(half) - 1
    for _ in range(2):
        padded, count = np.pad(image, ((radius, radius), (0, 0))), len(image)
        out = image * half[0]
        for k in range(radius, 0, -1):
            out += (padded[radius - k : radius - k + count] + padded[radius + k : radius + k + count]) * half[
                k
            ]
        image = out.T
    return image


def _thinned(i: Floats, j: Floats, size: Floats) -> NDArray[np.bool_]:
    """Where the gradient is greatest along its own direction (neighbours interpolated linearly)."""
    edge = np.pad(size, 1)

    def at(di: int, dj: int) -> Floats:
        return edge[1 + di : 1 + di + size.shape[0], 1 + dj : 1 + dj + size.shape[1]]

    steep, flat = np.maximum(np.abs(i), np.abs(j)), np.minimum(np.abs(i), np.abs(j))
    part = flat / np.where(steep > 0, steep, 1)
    same = ((i >= 0) & (j >= 0)) | ((i <= 0) & (j <= 0))
    upright = np.where(same, np.abs(i) > np.abs(j), np.abs(i) >= np.abs(j))
    greatest = np.ones(size.shape, bool)
    for sign in (1, -1):
        diagonal = np.where(same, at(sign, sign), at(-sign, sign))
        straight = np.where(upright, np.where(same, at(sign, 0), at(-sign, 0)), at(0, sign))
        greatest &= part * diagonal + (1 - part) * straight <= size
    greatest[[0, -1]] = greatest[:, [0, -1]] = False
    return greatest


def _connected(weak: NDArray[np.bool_], strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The weak pixels that touch a strong one, directly or through other weak ones (8 neighbours)."""
    width = weak.shape[1] + 2
    open_ = np.pad(weak, 1).ravel()
    reached = np.pad(strong, 1).ravel()
    around = np.array([-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1])
    front = np.flatnonzero(reached)
    while len(front):
        near = np.unique(front[:, None] + around)
        front = near[open_[near] & ~reached[near]]
        reached[front] = True
    return reached.reshape(weak.shape[0] + 2, width)[1:-1, 1:-1]
