"""Pixels on their way into networks, compiled by numba."""

from __future__ import annotations

import math

from numba import njit, prange

OPTIONS = {"cache": True, "fastmath": True, "error_model": "numpy", "nogil": True}


@njit(parallel=True, **OPTIONS)
def warp(image, across, down, origin, low, high, out):
    """Bilinear samples of ``image`` (H, W, 3) uint8; ``out[y, x]`` lies at ``origin + x · across + y · down`` pixels.

    Values run from ``low`` (black) to ``high``; outside the picture they are black.
    """
    height, width = image.shape[0], image.shape[1]
    scale = (high - low) / 255.0
    for y in prange(out.shape[0]):
        for x in range(out.shape[1]):
            u = origin[0] + x * across[0] + y * down[0]
            v = origin[1] + x * across[1] + y * down[1]
            a, b = math.floor(u), math.floor(v)
            if a < -1 or b < -1 or a >= width or b >= height:
                for k in range(3):
                    out[y, x, k] = low
                continue
            p, q = u - a, v - b
            i, j = int(a), int(b)
            for k in range(3):
                total = 0.0
                if j >= 0:
                    if i >= 0:
                        total += (1 - p) * (1 - q) * image[j, i, k]
                    if i + 1 < width:
                        total += p * (1 - q) * image[j, i + 1, k]
                if j + 1 < height:
                    if i >= 0:
                        total += (1 - p) * q * image[j + 1, i, k]
                    if i + 1 < width:
                        total += p * q * image[j + 1, i + 1, k]
                out[y, x, k] = low + scale * total


@njit(parallel=True, **OPTIONS)
def shrink(image, times, out):
    """Mean of blocks of ``times`` × ``times`` pixels."""
    share = 1.0 / (times * times)
    for y in prange(out.shape[0]):
        for x in range(out.shape[1]):
            for k in range(3):
                total = 0
                for j in range(times):
                    for i in range(times):
                        total += image[y * times + j, x * times + i, k]
                out[y, x, k] = int(total * share + 0.5)
