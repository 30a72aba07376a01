"""Long sequences in overlapping windows: where they lie, and how they are joined again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError


def starts(length: int, window: int, overlap: int) -> list[int]:
    """First frames of the windows that cover ``length`` frames, each beginning ``overlap`` before the last's end.

    The last window may reach beyond the end: pad what goes in, :func:`join` cuts what comes out.

    >>> starts(300, 128, 16)
    [0, 112, 224]
    """
    if not 0 <= overlap < window:
        raise DataError(f"windows of {window} with an overlap of {overlap}; expected 0 to {window - 1}")
    hop = window - overlap
    return [i * hop for i in range(max(1, -(-(length - overlap) // hop)))]


def padded(values: NDArray, first: int, window: int) -> NDArray:
    """Frames ``first`` to ``first + window`` of (T, ...), its last frame held beyond the end."""
    index = np.clip(np.arange(first, first + window), 0, len(values) - 1)
    return values[index]


def join(parts: Sequence[NDArray], overlap: int, length: int) -> NDArray:
    """Windows (window, ...) to one sequence (length, ...); where two overlap they fade into each other.

    >>> join([np.zeros(4), np.ones(4)], 2, 6).tolist()
    [0.0, 0.0, 0.3333333333333333, 0.6666666666666666, 1.0, 1.0]
    """
    out = np.array(parts[0])
    ramp = (np.arange(overlap) + 1) / (overlap + 1)
    for part in parts[1:]:
        weight = ramp.reshape(-1, *([1] * (part.ndim - 1))).astype(part.dtype)
        tail = out[len(out) - overlap :]
        out = np.concatenate(
            [out[: len(out) - overlap], tail + weight * (part[:overlap] - tail), part[overlap:]]
        )
    if len(out) < length:
        raise DataError(f"windows give {len(out)} frames; {length} are asked for")
    return out[:length]
