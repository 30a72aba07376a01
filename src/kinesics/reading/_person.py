"""What follows from one person's landmarks: head, gaze, face, hands, body, and what they do."""

from __future__ import annotations

from typing import Any

import numpy as np

from kinesics.bodies.avatar import load_avatar
from kinesics.performance import Motion, Performance, Points, Signal
from kinesics.see.body3d import PARTS, fit_body
from kinesics.see.events import annotate
from kinesics.see.hands import HandPose, fit_hand
from kinesics.see.handshapes import handshapes

_AVATAR = "maya"


def understood(person: Performance) -> Performance:
    """The tracks and tiers that follow from those of landmarks.

    Parameters
    ----------
    person
        With any of ``landmarks``, ``hand_left_3d``, ``hand_right_3d``, ``pose``, ``pose_3d``, ``face``, ``head``, ``gaze``.

    Returns
    -------
    Performance
        With ``body`` and ``body_confidence``, tiers of hand shapes and of events.
    """
    skeleton = load_avatar(_AVATAR).skeleton
    hands = {side: hand for side in ("left", "right") if (hand := _hand(person, side, skeleton)) is not None}
    tracks: dict[str, Any] = {}
    for side, hand in hands.items():
        points = person[f"hand_{side}_3d"]
        tracks[f"handshape_{side}"] = handshapes(
            hand, f"handshape_{side}", fps=float(points.fps), start=points.start
        )
    if "pose_3d" in person:
        tracks |= _body(person, hands, skeleton)
    meta = {**person.meta, "avatar": _AVATAR, "synthetic": False}
    return annotate(Performance({**person.tracks, **tracks}, meta))


def _hand(person: Performance, side: str, skeleton: Any) -> HandPose | None:
    points = person.get(f"hand_{side}_3d")
    if not isinstance(points, Points) or points.confidence is None:
        return None
    sure = points.confidence[:, 0]
    seen = np.where((sure > 0)[:, None, None], points.values, np.nan)
    return fit_hand(seen, side, confidence=sure, fps=float(points.fps), skeleton=skeleton)


def _body(person: Performance, hands: dict[str, HandPose], skeleton: Any) -> dict[str, Any]:
    points, image = person["pose_3d"], person["pose"]
    found = fit_body(
        points.values, confidence=points.confidence, image=image.values, hands=hands, head=_sure(person.get("head")),
        gaze=_sure(person.get("gaze")), fps=points.fps, skeleton=skeleton,
    )  # fmt: skip
    clock = {"fps": points.fps, "start": points.start}
    return {
        "body": Motion(found.skeleton, found.rotations, found.root, **clock),
        "body_confidence": Signal(
            found.confidence, PARTS, ("",) * len(PARTS), confidence=found.confidence, **clock
        ),
    }


def _sure(track: Any) -> Any:
    """(T, K) values of a signal, NaN where it is not known."""
    if not isinstance(track, Signal):
        return None
    if track.confidence is None:
        return track.values
    return np.where(track.confidence > 0, track.values, np.nan)
