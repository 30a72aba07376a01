"""Expressions over time: what is seen of a second, and labels that do not flicker."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.action_units import LEFT, RIGHT, UNITS
from kinesics.performance import Face, Signal
from kinesics.systems._face_features import EMOTIONS

Array = NDArray[np.float32]

HOP = 0.2
"""Seconds between two readings."""
UNKNOWN = "unknown"
CHANGE = 4.0
"""What a change of label costs, in nats: less than a second of clear evidence."""
SEEN = 0.3
"""Confidence of the tracker below which nothing is read."""
_LOW, _HIGH = 0.2, 0.8


@dataclass(frozen=True)
class Span:
    """Readings ``first`` to ``last`` (excluded) that have one label."""

    first: int
    last: int
    label: str
    confidence: float


def count(frames: int, fps: int) -> int:
    """How many readings there are of so many frames: one every :data:`HOP` seconds, at least one."""
    return max(1, int(np.ceil(frames / (HOP * fps) - 1e-6)))


def windows(values: Array, known: NDArray[np.bool_], fps: int, span: float) -> Array:
    """What is seen at each reading.

    Parameters
    ----------
    values, known
        (T, 39) units and (39,) which of them were looked for.
    fps
        Frames per second.
    span
        Seconds round the middle of each reading.

    Returns
    -------
    ndarray
        (N, 24, 7), see :func:`summary`.
    """
    size = max(1, round(span * fps))
    middles = ((np.arange(count(len(values), fps)) + 0.5) * HOP * fps).astype(int)
    padded = np.pad(values, ((size // 2, size), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, size, axis=0)
    # in parts, so that memory does not grow with the length of the film
    parts = [
        summary(views[middles[i : i + 2048]].transpose(0, 2, 1), known) for i in range(0, len(middles), 2048)
    ]
    return np.concatenate(parts)


def summary(values: Array, known: NDArray[np.bool_]) -> Array:
    """How weak, how usual and how strong each unit is within a window, on both sides, and whether it was looked for.

    Parameters
    ----------
    values
        (N, W, 39) of :data:`~kinesics.bodies.action_units.SIDED`.
    known
        (39,).

    Returns
    -------
    ndarray
        (N, 24, 7): the 20th percentile, mean and 80th of the left, then of the right side, and 1 where the unit is known.
    """
    ordered = np.sort(values, axis=1)
    last = values.shape[1] - 1
    three = np.stack(
        [ordered[:, round(_LOW * last)], values.mean(axis=1), ordered[:, round(_HIGH * last)]], axis=-1
    )
    flag = np.broadcast_to(known[LEFT].astype(np.float32)[:, None], (len(values), len(UNITS), 1))
    out = np.concatenate([three[:, LEFT], three[:, RIGHT], flag], axis=-1).astype(np.float32)
    out[..., :6] *= out[..., 6:]
    return out


def steady(shares: Array, sure: NDArray[np.float64], *, least: float, change: float = CHANGE) -> list[Span]:
    """The likeliest labels, where each change costs something (Viterbi).

    Parameters
    ----------
    shares
        (N, 8) probabilities of the emotions.
    sure
        (N,) confidence of the tracker; below :data:`SEEN` nothing is known.
    least
        Probability that ``unknown`` has everywhere: what stays below it is not known.
    change
        Nats that a change costs.
    """
    least = max(least, 1e-3)
    seen = sure >= SEEN
    score = np.log(
        np.column_stack([np.where(seen[:, None], shares, 1e-6), np.full(len(shares), least)]).clip(1e-6)
    )
    total, back = score[0], np.zeros(score.shape, np.int64)
    for i in range(1, len(score)):
        best = int(total.argmax())
        moved = total[best] - change
        back[i] = np.where(total >= moved, np.arange(len(total)), best)
        total = np.maximum(total, moved) + score[i]
    path = np.empty(len(score), np.int64)
    path[-1] = total.argmax()
    for i in range(len(score) - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    edges = np.flatnonzero(np.diff(path, prepend=-1, append=-1))
    out: list[Span] = []
    for first, last in pairwise(edges):
        state, part = int(path[first]), (shares * seen[:, None])[first:last]
        # labels that take turns, each sure of itself, are no sure label of the whole
        own = float(part.mean(axis=0).max() if state == len(EMOTIONS) else part[:, state].mean())
        label = EMOTIONS[state] if state < len(EMOTIONS) and own >= least else UNKNOWN
        span = Span(int(first), int(last), label, float(np.clip(own, 0, 1)))
        if out and out[-1].label == label:
            a, b = out.pop(), span
            mean = (a.confidence * (a.last - a.first) + b.confidence * (b.last - b.first)) / (
                b.last - a.first
            )
            span = Span(a.first, b.last, label, mean)
        out.append(span)
    return out


def spread(affect: Array, confidence: NDArray, track: Face | Signal) -> Signal:
    """Valence and arousal of each reading at the rate of a track."""
    middles = track.start + (np.arange(len(affect)) + 0.5) * HOP
    values = np.stack([np.interp(track.times, middles, affect[:, k]) for k in range(2)], axis=1)
    sure = np.interp(track.times, middles, confidence).clip(0, 1)
    return Signal(
        values.clip(-1, 1),
        ("valence", "arousal"),
        ("", ""),
        track.fps,
        track.start,
        np.stack([sure, sure], axis=1),
    )
