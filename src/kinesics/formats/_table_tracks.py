"""What tables are made of: every sampled track as named columns, and back; what columns cannot say as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import JOINTS
from kinesics.formats._encode import (
    decode_plan,
    encode_plan,
    items,
    mapping,
    number,
    rate_from_text,
    text,
    whole,
)
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Audio, Face, Motion, Plan, Points, Signal, Tier
from kinesics.performance.performance import Track

VERSION = 1
_QUATERNION = ("qw", "qx", "qy", "qz")
_AXES = ("x", "y", "z")
_Floats = NDArray[np.floating]


def inner_names(track: Any) -> list[str]:
    """Names of a sampled track's columns, without the track's own: ``hips.qw``, ``jawOpen``, ``nose.x``."""
    if isinstance(track, Motion):
        return _motion_names(track.skeleton.names)
    if isinstance(track, Points):
        return _points_names(track.names, track.values.shape[2])
    if isinstance(track, Audio):
        return [f"channel{c}" for c in range(1 if track.samples.ndim == 1 else track.samples.shape[1])]
    return list(track.names)


def _motion_names(joints: tuple[str, ...]) -> list[str]:
    return [f"root.{a}" for a in _AXES] + [f"{j}.{q}" for j in joints for q in _QUATERNION]


def _points_names(names: tuple[str, ...], axes: int) -> list[str]:
    return [f"{n}.{a}" for n in names for a in _AXES[:axes]]


def values_of(track: Any) -> NDArray[np.float32]:
    """(T, K) the numbers of a sampled track, in the order of :func:`inner_names`."""
    if isinstance(track, Motion):
        quaternions = track.rotations.reshape(len(track), 4 * len(track.skeleton))
        return np.concatenate([track.root, quaternions], axis=1)
    values = track.samples if isinstance(track, Audio) else track.values
    return values.reshape(len(track), len(inner_names(track)))


def confidence_of(track: Any) -> NDArray[np.float32] | None:
    """(T, K) the confidence of each of these numbers, or None."""
    confidence = getattr(track, "confidence", None)
    if confidence is None or not isinstance(track, Points):
        return confidence
    return np.repeat(confidence, track.values.shape[2], axis=1)


def describe(name: str, track: Track) -> dict[str, Any]:
    """All that the columns of a track do not say."""
    about: dict[str, Any] = {"name": name, "type": type(track).__name__}
    if isinstance(track, Tier):
        return about | {"tier": track.name}
    if isinstance(track, Plan):
        return about | {"plan": encode_plan(track)}
    about |= {"fps": str(track.fps), "start": track.start, "length": len(track)}
    if isinstance(track, Motion):
        about["skeleton"] = {
            "names": list(track.skeleton.names),
            "parents": list(track.skeleton.parents),
            "offsets": track.skeleton.offsets.astype(float).tolist(),
        }
        return about
    if isinstance(track, Audio):
        return about | {"channels": 0 if track.samples.ndim == 1 else track.samples.shape[1]}
    about["names"] = list(track.names)
    if isinstance(track, Face):
        return about | {"basis": track.basis}
    if isinstance(track, Signal):
        about["units"] = list(track.units)
    else:
        about |= {"frame": track.frame, "axes": track.values.shape[2]}
    return about | {"confidence": track.confidence is not None}


def texts(value: Any, key: str) -> tuple[str, ...]:
    """``value[key]`` as texts, or a ValueError."""
    return tuple(text({"": n}, "") for n in items(value, key))


def described_names(about: Any) -> list[str]:
    """The :func:`inner_names` of a track that :func:`describe` described; ValueError on anything else."""
    kind = text(about, "type")
    if kind == "Motion":
        return _motion_names(texts(mapping(about, "skeleton"), "names"))
    if kind == "Audio":
        return [f"channel{c}" for c in range(max(1, whole(about.get("channels"), 64)))]
    if kind == "Points":
        return _points_names(texts(about, "names"), _axes(about))
    return list(texts(about, "names"))


def _axes(about: Any) -> int:
    axes = whole(about.get("axes"), 3)
    if axes < 2:
        raise ValueError(f"{axes} axes; expected 2 or 3")
    return axes


def rate_of(about: Any) -> Fraction:
    """The exact rate that a description tells, or a ValueError."""
    return rate_from_text(text(about, "fps"))


def rebuild(about: Any, values: _Floats, confidence: _Floats | None, start: float) -> Track:
    """The track of a description from its numbers (T, K); ValueError (DataError is one) on anything wrong."""
    kind, fps = text(about, "type"), rate_of(about)
    if not about.get("confidence"):
        confidence = None
    if kind == "Motion":
        bones = mapping(about, "skeleton")
        offsets = [[number(x) for x in row] for row in items(bones, "offsets") if isinstance(row, list)]
        parents = tuple(int(number(p)) for p in items(bones, "parents"))
        return _motion(
            Skeleton(texts(bones, "names"), parents, np.array(offsets, np.float32)), values, fps, start
        )
    if kind == "Audio":
        return Audio(values[:, 0] if not about.get("channels") else values, fps, start)
    names = texts(about, "names")
    if kind == "Face":
        return Face(values, names, fps, text(about, "basis"), start)
    if kind == "Signal":
        return Signal(values, names, texts(about, "units"), fps, start, confidence)
    if kind == "Points":
        axes = _axes(about)
        cube = values.reshape(len(values), len(names), axes)
        kept = None if confidence is None else confidence[:, ::axes]
        return Points(cube, names, fps, text(about, "frame"), start, kept)
    raise ValueError(f"a track of type {kind!r:.40}")


def rebuild_whole(about: Any) -> Track:
    """The track of a description that needs no numbers."""
    return decode_plan(mapping(about, "plan"))


def _motion(skeleton: Skeleton, values: _Floats, fps: Fraction, start: float) -> Motion:
    rotations = values[:, 3:].reshape(len(values), len(skeleton), 4)
    return Motion(skeleton, rotations, values[:, :3], fps, start)


def guess(names: list[str], values: _Floats, fps: Fraction, start: float) -> Track | None:
    """A body on the canonical joints or an ARKit face, if the names say so; else None.

    The skeleton's proportions are then those of the avatar "maya", as nothing tells the true ones.
    """
    place = {n: i for i, n in enumerate(names)}
    wanted = _motion_names(JOINTS)
    if len(names) == len(wanted) and all(n in place for n in wanted):
        return _motion(load_avatar("maya").skeleton, values[:, [place[n] for n in wanted]], fps, start)
    if names and set(names) <= set(ARKIT):
        return Face(values, tuple(names), fps, "arkit", start)
    return None


def about_of(meta: Mapping[str, Any], tracks: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole description of a table."""
    return {"version": VERSION, "meta": dict(meta), "tracks": tracks}


def checked_about(about: Any) -> tuple[dict[str, Any], list[Any]]:
    """Facts and track descriptions of a table's description, or a ValueError."""
    if not isinstance(about, dict) or about.get("version") != VERSION:
        raise ValueError(f"a description of version {VERSION}")
    tracks = items(about, "tracks")
    names = [text(t, "name") for t in tracks]
    if len(set(names)) != len(names):
        raise ValueError("track names that do not repeat")
    return mapping(about, "meta"), tracks
