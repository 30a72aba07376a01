"""From a clip in an SMPL layout to a performance: hands, up axis, floor, face."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.export import JAW_DEGREES
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import FormatError, KinesicsError, choose
from kinesics.formats._smpl_body import TURNS, Model, load_hands, load_model, rise_to_floor, up_of
from kinesics.formats._smpl_layouts import Array, Take
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Motion, Performance, Signal
from kinesics.performance._sampled import exact_rate

log = logging.getLogger(__name__)

JAW = ("jaw_x", "jaw_y", "jaw_z")
"""Columns of the track ``flame`` that hold the jaw's axis-angle, radians."""


def performance_of(
    path: Path,
    take: Take,
    *,
    up: str,
    fps: object,
    model: str | Path | None,
    hands: str | Path | None,
    flat_hand_mean: bool | None,
    basis: str,
) -> Performance:
    """A clip as a performance; the options are those of ``smplx.read``."""
    choose("up axis", up, ["auto", *TURNS])
    choose("basis", basis, ["any", "flame", "arkit"])
    rate = take.fps if fps is None else exact_rate(fps, "fps")
    if rate is None:
        raise FormatError(path, "key 'mocap_frame_rate'", "a frame rate, found none", "give it: fps=30")
    body_model = None if model is None else load_model(model, take.facts.get("betas", []))
    about = {"layout": take.layout, "joints": take.joints, **take.facts}
    _finish_hands(path, take, about, body_model, hands, flat_hand_mean)
    if up == "auto":
        up, about["up_from"] = up_of(take.poses, take.layout)
    else:
        about["up_from"] = "option"
    about["up"] = up
    jaw = take.poses[:, INDEX["jaw"]].copy()
    rotations = rot.from_rotvec(take.poses)
    rotations[:, INDEX["jaw"]] = rot.IDENTITY
    rotations[:, 0] = rot.multiply(TURNS[up], rotations[:, 0])
    root = rot.rotate(TURNS[up], take.trans)
    if body_model is not None:
        skeleton, offset, source = body_model.skeleton(), body_model.pelvis, "model"
    else:
        skeleton, source = load_avatar("maya").skeleton, "feet"
        rise = rise_to_floor(skeleton, rotations, root[:, 1])
        offset = rot.rotate(rot.conjugate(TURNS[up]), np.array([0, rise, 0]))
        log.info("%s: the pelvis is taken to lie %.3f m above what the file gives, by the feet", path, rise)
    about |= {"offset": [float(x) for x in offset], "offset_from": source}
    root = root + rot.rotate(TURNS[up], offset)
    try:
        body = Motion(skeleton, rotations.astype(np.float32), root.astype(np.float32), rate)
        tracks = {"body": body, **_faces(path, take, jaw, rate, basis)}
        if take.dmpls is not None:
            names = tuple(f"dmpl_{k}" for k in range(take.dmpls.shape[1]))
            tracks["dmpls"] = Signal(take.dmpls, names, ("",) * len(names), rate)
    except KinesicsError as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(path, "content", "finite numbers of sane size", str(error)) from error
    return Performance(tracks, {"smplx": about})


def _finish_hands(
    path: Path,
    take: Take,
    about: dict[str, Any],
    model: Model | None,
    hands: str | Path | None,
    flat: bool | None,
) -> None:
    components, means = (model.components, model.means) if model is not None else (None, None)
    if hands is not None:
        components, means = load_hands(hands)
    flat = take.hands is None if flat is None else flat
    if take.hands is not None:
        count = take.hands[0].shape[1]
        if components is None:
            log.warning("%s: hands are %d PCA coefficients without their basis; they rest", path, count)
            about["hands"] = f"at rest: {count} PCA coefficients need the basis, hands=…"
            about.setdefault("lost", []).extend(["left_hand_pose", "right_hand_pose"])
            return
        for part, coefficients, basis in zip(
            (slice(25, 40), slice(40, 55)), take.hands, components, strict=True
        ):
            if len(basis) < count:
                raise FormatError(
                    hands or path, "hands_components", f"{count} components", "give the whole basis"
                )
            take.poses[:, part] = (coefficients @ basis[:count]).reshape(-1, 15, 3)
        about["hands"] = f"from {count} PCA coefficients"
    if flat:
        return
    if means is None:
        raise FormatError(path, "hands", "the model's mean hand, to add it", "give it: hands=… or model=…")
    for part, mean in zip((slice(25, 40), slice(40, 55)), means, strict=True):
        take.poses[:, part] += mean.reshape(15, 3)
    about["hand_mean"] = "added"


def _faces(path: Path, take: Take, jaw: Array, rate: Fraction, basis: str) -> dict[str, Face]:
    own = take.arkit is not None and take.facts.get("basis", "arkit") == "arkit"
    flame = take.expressions is not None and not own
    if basis == "flame" and not flame:
        found = "ARKit's, under 'arkit'" if own else "none"
        raise FormatError(
            path, "key 'expressions'", f"FLAME expressions, found {found}", "read it with basis='any'"
        )
    if basis == "arkit" and take.arkit is None:
        raise FormatError(path, "key 'arkit'", "ARKit coefficients, found none", "read it with basis='any'")
    out: dict[str, Face] = {}
    if take.arkit is not None:
        out["face"] = Face(take.arkit, ARKIT, rate)
    elif take.joints == 55 and jaw.any():
        opening = np.clip(np.degrees(jaw[:, :1]) / JAW_DEGREES, 0, 1)
        out["face"] = Face(opening, ("jawOpen",), rate)
    if flame or (jaw.any() and take.arkit is None):
        values = jaw if take.expressions is None else np.concatenate([take.expressions, jaw], axis=1)
        names = tuple(f"expression_{k}" for k in range(values.shape[1] - 3))
        out["flame"] = Face(values, (*names, *JAW), rate, basis="flame")
    return out
