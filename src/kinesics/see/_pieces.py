"""Long clips fitted piece by piece, so that memory does not grow with them; pieces overlap and pass into each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

PIECE = 15_000
"""Frames that are fitted at once: eight minutes at 30 a second."""
OVERLAP = 300
"""Frames that two pieces share: far more than any filter reaches."""


def pieces(count: int) -> list[tuple[int, int]]:
    """(first, last) of each piece of ``count`` frames; a clip that is no longer than a piece is one.

    Examples
    --------
    >>> pieces(15_000), pieces(30_000)
    ([(0, 15000)], [(0, 15000), (14700, 29700), (29400, 30000)])
    """
    firsts = range(0, max(count - OVERLAP, 1), PIECE - OVERLAP)
    return [(first, min(first + PIECE, count)) for first in firsts]


def joined(
    parts: Iterable[tuple[int, NDArray[np.floating]]], count: int, *, turns: bool = False
) -> NDArray[np.floating]:
    """One array of what overlapping pieces gave.

    Parameters
    ----------
    parts
        (first frame, (N, ...) values) of each piece, in order.
    count
        Frames in all.
    turns
        Whether the last axis is a unit quaternion, whose sign carries no meaning.

    Returns
    -------
    (count, ...) of the parts' type; over an overlap one piece fades into the next.
    """
    out: NDArray[np.floating] | None = None
    done = 0
    for first, part in parts:
        if out is None:
            out = np.empty((count, *part.shape[1:]), part.dtype)
        shared = done - first
        if shared > 0:
            before, after = out[first:done], part[:shared]
            if turns:
                middle = shared // 2
                sign = np.where(np.sum(before[middle] * after[middle], axis=-1, keepdims=True) < 0, -1, 1)
                part = (part * sign).astype(out.dtype)
                after = part[:shared]
            share = ((np.arange(shared) + 0.5) / shared).reshape(-1, *[1] * (part.ndim - 1))
            mixed = before + share * (after.astype(np.float64) - before)
            if turns:
                mixed /= np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), 1e-9)
            out[first:done] = mixed
        out[max(done, first) : first + len(part)] = part[max(shared, 0) :]
        done = first + len(part)
    if out is None:
        raise ValueError("no parts to join")
    return out
