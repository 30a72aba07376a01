"""Which of the project's hand shapes a hand shows, over time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.hand import HANDSHAPES
from kinesics.geometry.from_positions import smooth
from kinesics.performance import Interval, Tier
from kinesics.see.hands import HandPose

Array = NDArray[np.float64]

UNKNOWN = "unknown"
_NAMES = tuple(HANDSHAPES)
_SHAPES = np.stack([HANDSHAPES[n].ravel() for n in _NAMES])
# Degrees by which a shape's angles differ from hand to hand and from time to time (ours): spread and three
# bends of a finger; the thumb's four.
_SPREAD = np.array([[7.0, 16, 16, 20]] * 4 + [[16.0, 16, 18, 20]]).ravel()
_FAR = 2.0  # root mean square of such deviations at which half of the confidence is gone
_CALM = 0.06  # seconds over which evidence is gathered
_SHORTEST = 0.12  # seconds below which a shape is only passed through


def handshape_confidence(angles: Array) -> Array:
    """(T, N) how surely finger angles (T, 5, 4) show each of :data:`kinesics.bodies.hand.HANDSHAPES`.

    >>> sure = handshape_confidence(HANDSHAPES["fist"][None])[0]
    >>> list(HANDSHAPES)[int(sure.argmax())], bool(sure.max() > 0.9)
    ('fist', True)
    """
    off = (np.asarray(angles, dtype=np.float64).reshape(-1, 1, 20) - _SHAPES) / _SPREAD
    square = np.sum(off**2, axis=-1)
    odds = np.exp(-0.5 * (square - square.min(axis=1, keepdims=True)))
    near = 1 / (1 + (square / 20 / _FAR**2) ** 2)
    return odds / odds.sum(axis=1, keepdims=True) * near


def handshapes(hand: HandPose, name: str, *, fps: float, start: float = 0.0, least: float = 0.5) -> Tier:
    """A tier of hand shapes.

    Parameters
    ----------
    hand
        A fitted hand.
    name
        Of the tier, for instance ``"handshape_left"``.
    fps
        Frames per second of the hand.
    start
        Second of its first frame.
    least
        Confidence below which a shape is ``"unknown"``.

    Returns
    -------
    Tier
        An interval for every stretch with one shape, labelled with it or ``"unknown"``; none where no hand is seen.
        Value: none; confidence: the mean over the stretch.
    """
    count = len(hand.angles)
    if not count:
        return Tier(name)
    sure = smooth(handshape_confidence(hand.angles) * hand.confidence[:, None], _CALM * fps)
    best = sure.argmax(axis=1)
    label = np.where(sure.max(axis=1) >= least, best, -1)
    label = np.where(hand.confidence > 0, label, -2)
    label = _settled(label, max(1, round(_SHORTEST * fps)))
    edges = [0, *(np.flatnonzero(np.diff(label)) + 1).tolist(), count]
    intervals = []
    for a, b in pairwise(edges):
        k = int(label[a])
        if k == -2:
            continue
        confidence = float(np.clip((sure[a:b, k] if k >= 0 else sure[a:b].max(axis=1)).mean(), 0, 1))
        intervals.append(
            Interval(start + a / fps, start + b / fps, _NAMES[k] if k >= 0 else UNKNOWN, None, confidence)
        )
    return Tier(name, tuple(intervals))


def _settled(label: NDArray[np.intp], shortest: int) -> NDArray[np.intp]:
    """Shapes that are held for too short a time become unknown."""
    out = label.copy()
    edges = [0, *(np.flatnonzero(np.diff(label)) + 1).tolist(), len(label)]
    for a, b in pairwise(edges):
        if b - a < shortest and label[a] >= 0:
            out[a:b] = -1
    return out
