"""What a person does, as intervals, from how they move: the tiers that reading adds to a performance.

>>> import kinesics as kn
>>> show = annotate(kn.perform("No, we caught a fish this big!", seed=3))
>>> {"shake"} <= set(show.tier("head_events").labels), "stroke R" in show.tier("gestures").labels
(True, True)

See ``docs/events.md`` for what every label means, how it is decided and how well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import choose
from kinesics.performance import Face, Interval, Motion, Performance, Points, Signal, Tier
from kinesics.see.face_network import frontal
from kinesics.see.facial_actions import ACTIONS, Blinks, FacialActions
from kinesics.see.gesture_phases import GesturePhases
from kinesics.see.head_events import HeadEvents, head_angles
from kinesics.see.self_touch import TARGETS, SelfTouch
from kinesics.see.together import FACE_WIDTH

Array = NDArray[np.float64]
Found = dict[str, list[Interval]]

TIERS: tuple[str, ...] = (
    "blinks", "blink_apexes", *ACTIONS, "gestures", "self_touch", "head_events", "head_counts",
)  # fmt: skip
"""Names of the tiers; each is made where the performance has what it needs."""

THICKNESS = 0.02
"""Metres of two fingers, or of a finger and the hair, that landmarks in the middle of them are apart in a touch (ours)."""


class Events:
    """Find events in a stream of performances that follow one another on one clock.

    What is found does not depend on how the stream was cut up. Blinks are told half a second after they are over,
    actions of the face after 0.3 s, nods and phases of gestures after 1.2 s.

    Parameters
    ----------
    tiers
        Which; all by default.

    Raises
    ------
    DataError
        If there is no such tier.
    """

    def __init__(self, *, tiers: Sequence[str] | None = None) -> None:
        self._wanted = TIERS if tiers is None else tuple(choose("tier", t, TIERS) for t in tiers)
        self._finders: dict[str, Any] = {}
        self._seen: set[str] = set()

    def push(self, show: Performance) -> Found:
        """Take what follows; return the intervals that are certain now, by tier."""
        out: Found = {n: [] for n in self._wanted}
        face, body, head = show.get("face"), show.get("body"), show.get("head")
        if isinstance(face, Face) and len(face) and face.basis == "arkit":
            sure = _face_confidence(show, face)
            self._push(out, "blinks", Blinks, face, sure)
            self._push(out, "actions", FacialActions, face, sure)
        if isinstance(body, Motion) and len(body):
            sure = _hand_confidence(show, body)
            self._push(out, "gestures", GesturePhases, body, sure)
            self._push(out, "self_touch", SelfTouch, body, sure, _apart(show, body))
            head = head_angles(body) if head is None else head
        if isinstance(head, Signal) and len(head):
            self._push(out, "head_events", HeadEvents, head)
        return out

    def finish(self) -> Found:
        """The intervals that the end of the stream makes certain."""
        out: Found = {n: [] for n in self._wanted}
        for name, finder in self._finders.items():
            self._put(out, _GIVES[name], finder.finish())
        self._finders.clear()
        return out

    @property
    def made(self) -> tuple[str, ...]:
        """Tiers for which there was what they need."""
        return tuple(n for n in self._wanted if n in self._seen)

    def _push(self, out: Found, name: str, kind: Callable[[float], Any], *frames: Any) -> None:
        gives = _GIVES[name]
        if not set(gives) & set(self._wanted):
            return
        if name not in self._finders:
            self._finders[name] = kind(float(frames[0].fps))
        self._seen.update(gives)
        self._put(out, gives, self._finders[name].push(*frames))

    @staticmethod
    def _put(out: Found, gives: tuple[str, ...], found: Any) -> None:
        by_name: Mapping[str, list[Interval]] = (
            found if isinstance(found, dict)
            else dict(zip(gives, found if isinstance(found, tuple) else (found,), strict=True))
        )  # fmt: skip
        for tier, intervals in by_name.items():
            if tier in out:
                out[tier] += intervals


_TRACKS = ("face", "body", "head", "landmarks", "face_box", "pose", "hand_left", "hand_right")
_PIECE = 60.0
"""Seconds that are looked at at once, so that memory does not grow with a clip."""
_GIVES: Mapping[str, tuple[str, ...]] = {
    "blinks": ("blinks", "blink_apexes"), "actions": tuple(ACTIONS), "gestures": ("gestures",),
    "self_touch": ("self_touch",), "head_events": ("head_events", "head_counts"),
}  # fmt: skip


def annotate(performance: Performance, *, tiers: Sequence[str] | None = None) -> Performance:
    """Add the tiers of events to a performance, in place of those it has.

    Parameters
    ----------
    performance
        With any of ``face`` (ARKit), ``head`` (pitch, yaw, roll; else taken from the body) and ``body`` (canonical
        joints). The confidence of ``landmarks``, ``pose``, ``hand_left`` and ``hand_right``, where they
        are there, lowers that of the events.
    tiers
        Which of :data:`TIERS`; all by default.

    Returns
    -------
    Performance
        With a tier, possibly empty, for everything that could be looked for.

    Raises
    ------
    DataError
        If there is no such tier, or a track is in another basis or on other joints than these.
    """
    events = Events(tiers=tiers)
    tracks = {n: t for n in _TRACKS if isinstance(t := performance.get(n), (Face, Motion, Points, Signal))}
    start = min((t.start for t in tracks.values()), default=0.0)
    end = max((t.end for t in tracks.values()), default=0.0)
    cuts = [-math.inf, *np.arange(start + _PIECE, end, _PIECE).tolist(), math.inf]
    parts = [
        events.push(Performance({n: t.slice(a, b) for n, t in tracks.items()})) for a, b in pairwise(cuts)
    ]
    parts.append(events.finish())
    return performance.with_tracks(
        **{n: Tier(n, tuple(i for part in parts for i in part[n])) for n in events.made}
    )


def _face_confidence(show: Performance, face: Face) -> Array:
    """(T,) how sure the face was found, and how far it is turned to the camera; 1 where nothing says so."""
    sure, head = np.ones(len(face)), show.get("head")
    for name in ("landmarks", "face_box"):
        track = show.get(name)
        if isinstance(track, (Points, Signal)) and track.confidence is not None and len(track):
            sure = _resampled(track, track.confidence.mean(axis=1), face)
            break
    if isinstance(head, Signal) and len(head) and {"pitch", "yaw"} <= set(head.names):
        turned = np.column_stack([head.column("pitch"), head.column("yaw")])
        sure = sure * _resampled(head, frontal(turned), face)
    return sure


def _hand_confidence(show: Performance, body: Motion) -> Array:
    """(T, 2) how sure each hand's place is: its wrist's in ``pose`` or the hand's own, whichever is more."""
    out = np.zeros((len(body), 2))
    told = [False, False]
    pose = show.get("pose")
    for k, side in enumerate(("left", "right")):
        if isinstance(pose, Points) and pose.confidence is not None and len(pose):
            wrist = [
                i
                for i, n in enumerate(pose.names)
                if n.lower().replace("_", "").replace(" ", "") == f"{side}wrist"
            ]
            if wrist:
                out[:, k] = np.maximum(out[:, k], _resampled(pose, pose.confidence[:, wrist[0]], body))
                told[k] = True
        hand = show.get(f"hand_{side}")
        if isinstance(hand, Points) and hand.confidence is not None and len(hand):
            out[:, k] = np.maximum(out[:, k], _resampled(hand, hand.confidence.mean(axis=1), body))
            told[k] = True
    return np.where(told, out, 1.0)


def _apart(show: Performance, body: Motion) -> Array:
    """(T, 2, 3) metres that hands are away from head, torso and each other in the picture; −1 where it does not tell."""
    out = np.full((len(body), 2, len(TARGETS)), -1.0)
    box, face = show.get("face_box"), show.get("landmarks")
    hands = [show.get(f"hand_{s}") for s in ("left", "right")]
    if not isinstance(box, Signal) or not len(box):
        return out
    metres = FACE_WIDTH / np.maximum(_resampled(box, box.column("width"), body), 1.0)

    def bound(a: Points, b: Points, every: int) -> Array:
        one, other = (t.at(body.times) for t in (a, b))
        gap = np.full(len(body), np.inf)
        for k in range(0, one.values.shape[1]):
            to = other.values[:, ::every, :2] - one.values[:, k, None, :2]
            gap = np.minimum(gap, np.sqrt(np.min(np.sum(to * to, axis=-1), axis=-1)))
        seen = [
            (t.confidence.min(axis=1) > 0) if t.confidence is not None else np.ones(len(body), bool)
            for t in (one, other)
        ]
        return np.where(seen[0] & seen[1], gap * metres - THICKNESS, -1.0)

    found = [h for h in hands if isinstance(h, Points) and len(h) and h.frame == "image"]
    if len(found) == 2:
        out[:, :, TARGETS.index("hands")] = bound(found[0], found[1], 1)[:, None]
    if isinstance(face, Points) and len(face):
        for k, hand in enumerate(hands):
            if isinstance(hand, Points) and len(hand) and hand.frame == "image":
                out[:, k, TARGETS.index("head")] = bound(hand, face, 8)
    return out


def _resampled(track: Points | Signal, values: Array, clock: Face | Motion) -> Array:
    return np.interp(clock.times, track.times, values)
