"""Pixels on their way into networks, compiled by numba.

Not in parallel: pictures are small, and networks of several threads ask for them at once, which numba's own threads do not take.
"""

from __future__ import annotations

import numpy as np
from numba import njit

OPTIONS = {"cache": True, "fastmath": True, "error_model": "numpy", "nogil": True}


@njit(**OPTIONS)
def warp(image, across, down, origin, low, high, fine, out):
    """Bilinear samples of ``image`` (H, W, 3) uint8; ``out[y, x]`` lies at ``origin + x · across + y · down`` pixels.

    Each is the mean of ``fine`` × ``fine`` samples. Values run from ``low`` (black) to ``high``; outside the picture they
    are black.
    """
    height, width = image.shape[0], image.shape[1]
    scale = (high - low) / (255.0 * fine * fine)
    first, step, one = np.float32(0.5 / fine - 0.5), np.float32(1.0 / fine), np.float32(1.0)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            red = green = blue = np.float32(0.0)
            for m in range(fine):
                for n in range(fine):
                    r, s = np.float32(x) + first + n * step, np.float32(y) + first + m * step
                    u = origin[0] + r * across[0] + s * down[0]
                    v = origin[1] + r * across[1] + s * down[1]
                    a, b = np.floor(u), np.floor(v)
                    p, q = u - a, v - b
                    i, j = int(a), int(b)
                    if i >= 0 and j >= 0 and i + 1 < width and j + 1 < height:
                        for dj in range(2):
                            for di in range(2):
                                share = (p if di else one - p) * (q if dj else one - q)
                                red += share * image[j + dj, i + di, 0]
                                green += share * image[j + dj, i + di, 1]
                                blue += share * image[j + dj, i + di, 2]
                        continue
                    for dj in range(2):
                        for di in range(2):
                            if 0 <= j + dj < height and 0 <= i + di < width:
                                share = (p if di else one - p) * (q if dj else one - q)
                                red += share * image[j + dj, i + di, 0]
                                green += share * image[j + dj, i + di, 1]
                                blue += share * image[j + dj, i + di, 2]
            out[y, x, 0] = low + scale * red
            out[y, x, 1] = low + scale * green
            out[y, x, 2] = low + scale * blue


@njit(**OPTIONS)
def warp_grey(image, across, down, origin, fine, out):
    """:func:`warp` to luma (ITU-R BT.601), ``out`` (h, w) uint8."""
    height, width = image.shape[0], image.shape[1]
    share = 1.0 / (fine * fine)
    first, step, one = np.float32(0.5 / fine - 0.5), np.float32(1.0 / fine), np.float32(1.0)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            total = np.float32(0.0)
            for m in range(fine):
                for n in range(fine):
                    r, s = np.float32(x) + first + n * step, np.float32(y) + first + m * step
                    u = origin[0] + r * across[0] + s * down[0]
                    v = origin[1] + r * across[1] + s * down[1]
                    a, b = np.floor(u), np.floor(v)
                    p, q = u - a, v - b
                    i, j = int(a), int(b)
                    for dj in range(2):
                        for di in range(2):
                            if 0 <= j + dj < height and 0 <= i + di < width:
                                part = (p if di else one - p) * (q if dj else one - q)
                                rgb = image[j + dj, i + di]
                                total += part * (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2])
            out[y, x] = int(total * share + 0.5)


@njit(**OPTIONS)
def shrink(image, times, out):
    """Mean of blocks of ``times`` × ``times`` pixels."""
    share = 1.0 / (times * times)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            for k in range(3):
                total = 0
                for j in range(times):
                    for i in range(times):
                        total += image[y * times + j, x * times + i, k]
                out[y, x, k] = int(total * share + 0.5)
