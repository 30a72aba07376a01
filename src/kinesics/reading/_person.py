"""One person's tracks: landmarks, what follows from them (face, gaze, head, hands, body), and what they do."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.action_units import facs_of_arkit
from kinesics.bodies.avatar import load_avatar
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Face, Motion, Performance, Points, Signal
from kinesics.ports.language import LanguageModel
from kinesics.see.body3d import PARTS, fit_body
from kinesics.see.events import annotate
from kinesics.see.face_network import FaceReader, Neutral
from kinesics.see.face_shape import LOOKS
from kinesics.see.hands import HandPose, fit_hand
from kinesics.see.handshapes import handshapes
from kinesics.see.names import FACE, HAND, POSE
from kinesics.systems import load_system

_AVATAR = "maya"
_PIECE = 15_000
"""Pictures of a face that are read at once, so that memory stays flat; the person's neutral is carried on."""


def tracks(rows: NDArray[np.void], fps: Fraction, start: float) -> Performance:
    """What was found of one person in the pictures, from the first they were in.

    Parameters
    ----------
    rows
        (T,) of :data:`kinesics.reading._recording.ROW`.
    fps, start
        Of the pictures.
    """
    seen: dict[str, Any] = {"fps": fps, "start": start}
    face = rows["face_score"]

    def points(name: str, names: tuple[str, ...], frame: str, sure: NDArray) -> Points:
        sure = np.broadcast_to(sure[:, None] if sure.ndim == 1 else sure, (len(rows), len(names)))
        return Points(rows[name], names, frame=frame, confidence=sure, **seen)

    out: dict[str, Any] = {}
    if face.any():  # else somebody who is seen from behind, or too far off
        out["face_box"] = Signal(
            rows["face_box"],
            ("x", "y", "width", "height"),
            ("px",) * 4,
            confidence=np.broadcast_to(face[:, None], (len(rows), 4)),
            **seen,
        )
        out["landmarks"] = points("landmarks", FACE, "image", face)
    for side in ("left", "right"):
        sure = rows[f"hand_{side}_score"]
        if sure.any():
            out[f"hand_{side}"] = points(f"hand_{side}", HAND, "image", sure)
            out[f"hand_{side}_3d"] = points(f"hand_{side}_3d", HAND, "camera", sure)
    sure = rows["pose_sure"]
    if sure.any():
        out["pose"] = points("pose", POSE, "image", sure)
        out["pose_3d"] = points("pose_3d", POSE, "camera", sure)
    return Performance(out)


def faced(
    person: Performance, rows: NDArray[np.void], reader: FaceReader, neutral: Neutral | None = None
) -> Performance:
    """Add ``face``, ``action_units``, ``head`` and ``gaze``; where no face is seen, the last is held at confidence 0.

    Parameters
    ----------
    person
        Of :func:`tracks`.
    rows
        The same.
    reader
        The network.
    neutral
        For live reading, what was seen of the person before.
    """
    if "landmarks" not in person:
        return person
    clock, score = person["landmarks"], rows["face_score"]
    seen = np.flatnonzero(score > 0)
    own = Neutral() if neutral is None and len(seen) > _PIECE else neutral
    parts = [
        reader.read(
            rows["landmarks"][piece],
            {name: rows[name][piece] for name in LOOKS},
            fps=clock.fps,
            score=score[piece],
            neutral=own,
        )
        for first in range(0, len(seen), _PIECE)
        for piece in (seen[first : first + _PIECE],)
    ]
    last = _last(seen, len(rows))
    there = (score > 0).astype(np.float32)

    def spread(name: str) -> Face | Signal:
        tracks = [getattr(part, name) for part in parts]
        values = np.concatenate([t.values for t in tracks])[last]
        made = replace(tracks[0], values=values, start=clock.start, **(
            {} if isinstance(tracks[0], Face)
            else {"confidence": np.concatenate([t.confidence for t in tracks])[last] * there[:, None]}
        ))  # fmt: skip
        return made

    return person.with_tracks(**{n: spread(n) for n in ("face", "action_units", "head", "gaze")})


def refined(person: Performance, rows: NDArray[np.void], system: Any, networks: Any) -> Performance:
    """Refine the mouth of ``face``, and ``action_units`` with it, from the pictures of it that were recorded.

    Parameters
    ----------
    person
        Of :func:`faced`.
    rows
        The same.
    system, networks
        SPECTRE, as :func:`kinesics.systems.load_system` gives it.
    """
    if "face" not in person:
        return person
    face, units = person.face, person["action_units"]
    seen = np.flatnonzero(rows["face_score"] > 0)
    shown, parts = seen[_last(seen, len(rows))], []
    for first in range(0, len(rows), _PIECE):
        part = slice(first, first + _PIECE)
        piece = Performance({"face": replace(face, values=face.values[part], start=0.0)})
        parts.append(system.read(piece, networks, film=rows["mouth"][shown[part]]).face.values)
    face = replace(face, values=np.concatenate(parts)[shown])
    return person.with_tracks(face=face, action_units=replace(units, values=facs_of_arkit(face.values)))


def _last(seen: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """(count,) which of the pictures in which a face is seen is the last up to each; the first before that."""
    return np.maximum(np.searchsorted(seen, np.arange(count), side="right") - 1, 0)


def understood(
    person: Performance, *, language: LanguageModel | None = None, progress: bool = False
) -> Performance:
    """The tracks and tiers that follow from those of landmarks.

    Parameters
    ----------
    person
        With any of ``landmarks``, ``hand_left_3d``, ``hand_right_3d``, ``pose``, ``pose_3d``, ``face``, ``head``, ``gaze``.
    language
        What words the reasons of expressions; our own small network otherwise.
    progress
        Show a bar over the reasons.

    Returns
    -------
    Performance
        With ``body`` and ``body_confidence``, tiers of hand shapes and of events, ``expression``, ``reasons`` and ``affect``.
    """
    skeleton = load_avatar(_AVATAR).skeleton
    hands = {
        side: hand for side in ("left", "right") if (hand := hand_of(person, side, skeleton)) is not None
    }
    tracks: dict[str, Any] = {}
    for side, hand in hands.items():
        points = person[f"hand_{side}_3d"]
        tracks[f"handshape_{side}"] = handshapes(
            hand, f"handshape_{side}", fps=float(points.fps), start=points.start
        )
    if "pose_3d" in person:
        tracks |= body_of(person, hands, skeleton)
    meta = {**person.meta, "avatar": _AVATAR, "synthetic": False}
    person = annotate(Performance({**person.tracks, **tracks}, meta))
    if "action_units" not in person:
        return person
    system, networks = reader_of_expressions()
    return system.read(person, networks, language=language, progress=progress)  # type: ignore[attr-defined]


@cache
def reader_of_expressions() -> tuple[Any, Any]:
    """Loaded once: to compile its network takes longer than to read a minute."""
    return load_system("expllm")


def hand_of(person: Performance, side: str, skeleton: Skeleton) -> HandPose | None:
    """The hand ``"left"`` or ``"right"`` fitted to its landmarks; None where it is not seen."""
    points = person.get(f"hand_{side}_3d")
    if not isinstance(points, Points) or points.confidence is None:
        return None
    sure = points.confidence[:, 0]
    seen = np.where((sure > 0)[:, None, None], points.values, np.nan)
    return fit_hand(seen, side, confidence=sure, fps=float(points.fps), skeleton=skeleton)


def body_of(person: Performance, hands: dict[str, HandPose], skeleton: Skeleton) -> dict[str, Any]:
    """``body`` and ``body_confidence``, from ``pose``, ``pose_3d`` and fitted hands."""
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
