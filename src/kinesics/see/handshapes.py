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
_DOUBT, _AWAY = -1, -2
_NAMES = tuple(HANDSHAPES)
_SHAPES = np.stack([HANDSHAPES[n].ravel() for n in _NAMES])
# Degrees by which a shape's angles differ from hand to hand and from time to time (ours): spread and three
# bends of a finger; the thumb's four.
_SPREAD = np.array([[7.0, 16, 16, 20]] * 4 + [[16.0, 16, 18, 20]]).ravel()
_FAR = 2.0  # root mean square of such deviations at which half of the confidence is gone
_CALM = 0.06  # seconds over which evidence is gathered
_SHORTEST = 0.12  # seconds below which a shape is only passed through
_KEEP = 0.6  # of the confidence that a shape takes to be told, what it takes to be told still
_BRIDGE = 0.3  # seconds of doubt that do not end a shape which then goes on


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
    if not len(hand.angles):
        return Tier(name)
    sure = smooth(handshape_confidence(hand.angles) * hand.confidence[:, None], _CALM * fps)
    label = _settled(sure, hand.confidence > 0, least, fps)
    intervals = []
    for a, b in _runs(label):
        k = int(label[a])
        if k == _AWAY:
            continue
        confidence = float(np.clip((sure[a:b, k] if k >= 0 else sure[a:b].max(axis=1)).mean(), 0, 1))
        shown = _NAMES[k] if k >= 0 else UNKNOWN
        intervals.append(Interval(start + a / fps, start + b / fps, shown, None, confidence))
    return Tier(name, tuple(intervals))


def _runs(values: NDArray) -> list[tuple[int, int]]:
    """First and past the last of every stretch of equal values (T,)."""
    return list(pairwise([0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]))


def _kept(sure: Array, on: float, off: float) -> NDArray[np.bool_]:
    """(T, N) where each is at ``off`` or more, in stretches that reach ``on`` before they end."""
    out = sure >= on
    for k in np.flatnonzero(out.any(axis=0)).tolist():
        high = sure[:, k] >= off
        for a, b in _runs(high):
            if high[a]:
                out[a:b, k] = np.maximum.accumulate(out[a:b, k])
    return out


def _settled(sure: Array, seen: NDArray[np.bool_], least: float, fps: float) -> NDArray[np.intp]:
    """(T,) the shape of every frame, ``_DOUBT`` or ``_AWAY``, none of them for a blink's time."""
    shortest, bridge = max(1, round(_SHORTEST * fps)), round(_BRIDGE * fps)
    told = _kept(sure, least, _KEEP * least)
    out = np.where(told.any(axis=1), np.where(told, sure, 0.0).argmax(axis=1), _DOUBT)
    out = np.where(seen, out, _AWAY)
    runs = _runs(out)
    for (a, _), (c, d), (e, _) in zip(runs, runs[1:], runs[2:], strict=False):
        if d - c <= bridge and out[c] == _DOUBT and out[a] == out[e] >= 0:
            out[c:d] = out[a]
    for a, b in _runs(out):
        if (k := out[a]) >= 0 and sure[a:b, k].mean() < least:  # too long a doubt to be carried along
            out[a:b] = np.where(sure[a:b, k] >= least, k, _DOUBT)
    for a, b in _runs(out):
        if b - a < shortest and out[a] >= 0:
            out[a:b] = _DOUBT
    for a, b in _runs(out == _AWAY):
        if b - a < shortest and out[a] != _AWAY:
            out[a:b] = _AWAY
    return out
