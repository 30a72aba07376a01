"""What the gesture notation makes of a hand: the shapes it names, modified, as finger angles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.hand import AWAY, HANDSHAPES
from kinesics.performance.gesture import SHAPES, blended_shapes, split_shape

Array = NDArray[np.float64]
assert set(HANDSHAPES) == set(SHAPES)

# What the notation's modifiers make of a finger: knuckle, middle and end joint, degrees (ours).
_BENDS: dict[str, tuple[float, float, float]] = {
    "straightbent": (70, 6, 3),
    "round": (34, 42, 24),
    "hooked": (8, 86, 52),
    "doublebent": (72, 80, 8),
    "doublehooked": (78, 94, 56),
}
_THUMBS: dict[str, tuple[float, float, float, float]] = {
    "thumbout": (6, 66, -4, -8),
    "thumbacross": (52, 8, 30, 38),
    "thumbopen": (54, 34, 4, 8),
}
# Thumb that meets the index, middle, ring and little finger.
_MEETING = {2: (50, 22, 20, 26), 3: (54, 16, 22, 28), 4: (58, 8, 26, 34), 5: (62, 0, 32, 42)}
_ROWS = {2: 0, 3: 1, 4: 3, 5: 2}
_SPREAD, _TOGETHER = (13.0, 3.0, -19.0, -7.0), (0.0, 0.0, -1.0, 0.0)


def _shown(angles: Array) -> tuple[int, ...]:
    """Digits of the fingers that are not folded away; all where all are."""
    out = tuple(d for d, row in _ROWS.items() if angles[row, 1] + angles[row, 2] < 130)
    return out or tuple(_ROWS)


def _modified(angles: Array, modifier: str, digits: tuple[int, ...]) -> Array:
    out = angles.copy()
    if modifier in _THUMBS:
        out[4] = _THUMBS[modifier]
        return out
    fingers = tuple(d for d in digits if d != 1) if digits else _shown(angles)
    rows = [_ROWS[d] for d in fingers]
    if modifier in _BENDS:
        out[rows, 1:] = _BENDS[modifier]
        if 1 in digits:
            out[4, 2:] = 40.0, 50.0 if "hook" in modifier or modifier == "round" else 5.0
    elif modifier == "halfbent":
        out[rows, 1] = np.maximum(out[rows, 1], 38.0)
    elif modifier == "out":
        out[rows, 1:] = (3.0, 5.0, 2.0)
        if 1 in digits:
            out[4] = _THUMBS["thumbout"]
    elif modifier == "folded":
        for d in fingers:
            out[_ROWS[d]] = AWAY[("index", "middle", "little", "ring")[_ROWS[d]]]
        if 1 in digits:
            out[4] = _THUMBS["thumbacross"]
    elif modifier == "meets":
        bent = out[rows, 1] + out[rows, 2] > 130
        out[rows, 1:] = np.where(
            bent[:, None] | (out[rows, 2:3] > 20), (52.0, 46.0, 24.0), (60.0, 22.0, 10.0)
        )
        out[4] = np.mean([_MEETING[d] for d in fingers], axis=0)
    else:
        out[rows, 0] = np.array(_SPREAD if modifier == "spread" else _TOGETHER)[rows]
    return out


def shape(name: str, tightness: float = 1.0) -> Array:
    """Finger angles (5, 4) in degrees of a hand shape, part of the way from relaxed.

    >>> shape("fist")[0, 2] > shape("fist", 0.5)[0, 2] > shape("relaxed")[0, 2]
    np.True_
    >>> shape("fist+out.5")[2, 1] < 10 < shape("fist")[2, 1]
    np.True_
    """
    target = np.mean([_full(one) for one in blended_shapes(name)], axis=0) if "~" in name else _full(name)
    return HANDSHAPES["relaxed"] + tightness * (target - HANDSHAPES["relaxed"])


def _full(name: str) -> Array:
    base, modifiers = split_shape(name)
    target = HANDSHAPES[base]
    for modifier, digits in modifiers:
        target = _modified(target, modifier, digits)
    return target
