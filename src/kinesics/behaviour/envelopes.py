"""Envelopes over time, vectorised: how movements come and go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ramp(x: Floats) -> Floats:
    """0 to 1 with rest at both ends (minimum jerk), for x from 0 to 1 and clamped outside."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


def bell(t: Floats, start: Floats, end: Floats, onset: Floats, decay: Floats) -> Floats:
    """(n, m) dominance over time: 1 from start to end, compact and smooth outside."""
    t = t[:, None]
    away = np.maximum(np.maximum(start - t, 0.0) / onset, np.maximum(t - end, 0.0) / decay)
    return np.square(np.maximum(1.0 - np.square(away), 0.0))


def gate(t: Floats, start: Floats, end: Floats, attack: Floats, release: Floats) -> Floats:
    """(n,) the greatest of several gates, each 1 from start to end with minimum-jerk flanks."""
    near = (start - attack < t[-1] + 1e-9) & (end + release > t[0])
    if not near.any():
        return np.zeros(len(t))
    start, end, attack, release = start[near], end[near], attack[near], release[near]
    t = t[:, None]
    return (ramp((t - start + attack) / attack) * ramp((end + release - t) / release)).max(1)
