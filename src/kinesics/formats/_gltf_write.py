"""Writing a performance into an avatar's glTF: its animation, and sound, tiers, plan under ``extras.kinesics``.

An avatar is a GLB whose nodes bear the canonical names (ours do), or a VRM of anyone, whose bones and
expressions say what its nodes are.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import avatar_glb
from kinesics.bodies.export import face_for_export
from kinesics.bodies.humanoid import JOINTS, PARENTS
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError, FormatError, choose
from kinesics.files import existing, replacing
from kinesics.formats import sound
from kinesics.formats._encode import encode_plan, encode_tier, number
from kinesics.formats._gltf import Appender, Glb, read_glb, targets_of
from kinesics.formats._gltf_nodes import nodes_of
from kinesics.formats._vrm import Vrm, vrm_of
from kinesics.formats._vrm_drive import mesh_weights
from kinesics.formats._vrm_face import as_arkit, movable
from kinesics.formats._vrm_pose import node_motion
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Audio, Face, Motion, Performance, Plan, Tier

log = logging.getLogger(__name__)

VERSION = 1
WAV_LIMIT = 8_000_000  # bytes; above, "auto" compresses
_SOUND = {
    "wav": ("WAV", "PCM_16", "audio/wav"),
    "flac": ("FLAC", "PCM_16", "audio/flac"),
    "ogg": ("OGG", "VORBIS", "audio/ogg"),
}
_INT16, _UINT16 = np.float32(32767), np.float32(65535)


class Animation:
    """Channels on a file to be written; tracks of one clock share their times."""

    def __init__(self, out: Appender) -> None:
        self._out = out
        self._channels: list[dict[str, Any]] = []
        self._samplers: list[dict[str, int]] = []
        self._clocks: dict[tuple[Fraction, float, int], int] = {}

    def add(
        self,
        node: int,
        what: str,
        clock: Motion | Face,
        values: NDArray[Any],
        *,
        keys: int | None = None,
        normalized: bool = False,
    ) -> None:
        """One channel of ``keys`` keys (all of the clock's by default)."""
        keys = len(clock) if keys is None else keys
        key = (clock.fps, clock.start, keys)
        if key not in self._clocks:
            self._clocks[key] = self._out.accessor(clock.times[:keys].astype(np.float32), bounds=True)
        accessor = self._out.accessor(values, normalized=normalized)
        self._samplers.append({"input": self._clocks[key], "output": accessor})
        self._channels.append({"sampler": len(self._samplers) - 1, "target": {"node": node, "path": what}})

    def turn(self, node: int, clock: Motion, turns: NDArray[Any], *, rest: bool = True) -> None:
        """Rotations wxyz in 16 bits; one key where nothing moves, none where it rests as the identity."""
        turns = rot.continuous(turns)[:, [1, 2, 3, 0]]
        turns = np.round(turns / np.linalg.norm(turns, axis=1, keepdims=True) * _INT16).astype("<i2")
        keys = len(turns) if (turns != turns[0]).any() else 1
        if keys > 1 or not rest or turns[0, :3].any():
            self.add(node, "rotation", clock, turns[:keys], keys=keys, normalized=True)

    def weigh(self, node: int, clock: Face, weights: NDArray[Any]) -> None:
        """Morph weights (T, K) in 16 bits, in float32 where one lies outside 0 to 1."""
        outside = bool(weights.min(initial=0) < 0 or weights.max(initial=0) > 1)
        values = weights.astype("<f4") if outside else np.round(weights * _UINT16).astype("<u2")
        self.add(node, "weights", clock, values.reshape(-1), normalized=not outside)

    def finish(self, name: str) -> None:
        """Hand the channels to the file, if there are any."""
        if self._channels:
            self._out.json["animations"] = [
                {"name": name, "channels": self._channels, "samplers": self._samplers}
            ]


def generator() -> str:
    """What stands in ``asset.generator``."""
    from kinesics import __version__

    return f"Kinesics {__version__}"


def facts(performance: Performance) -> dict[str, Any]:
    """The head of ``extras.kinesics``."""
    return {
        "version": VERSION,
        "generator": generator(),
        "synthetic": bool(performance.meta.get("synthetic", True)),
        "seed": performance.meta.get("seed"),
        "duration": performance.duration,
    }


def from_zero(performance: Performance) -> Performance:
    """The performance without what lies before 0, where glTF has no time."""
    return Performance(
        {n: t.slice(0, np.inf) if getattr(t, "start", 0) < 0 else t for n, t in performance.tracks.items()},
        performance.meta,
    )


def base_of(performance: Performance, avatar: str | Path | None) -> tuple[Glb, str]:
    """The avatar's file and its name; a DataError where there is no such person."""
    name = avatar or performance.meta.get("avatar", "maya")
    if str(name).lower().endswith((".glb", ".vrm")):
        return read_glb(existing(Path(name), "avatar")), str(name)
    return read_glb(avatar_glb(str(name))), str(name)


def write_performance(
    performance: Performance,
    path: Path,
    *,
    avatar: str | Path | None,
    audio: str,
    finish: Callable[[Appender, Glb], None] | None = None,
) -> None:
    """Write the avatar's file with the performance in it.

    Parameters
    ----------
    performance, path, avatar, audio
        See ``glb.write``.
    finish
        Last changes to the file, given the avatar it was made from.
    """
    choose("audio", audio, ["auto", *_SOUND, "none"])
    base, name = base_of(performance, avatar)
    performance = from_zero(performance)
    tracks = performance.tracks
    out = Appender(base)
    about = facts(performance)
    animation = Animation(out)
    body, face = tracks.get("body"), tracks.get("face")
    body = body if isinstance(body, Motion) and len(body) else None
    face = as_arkit(face) if isinstance(face, Face) and len(face) else None
    if body is not None and body.skeleton.names != JOINTS:
        body = retarget(body, "humanoid")
    face = movable(face, ("arkit",), path, "glTF", alone=body is None)
    if face is not None:
        unknown = sorted(set(face.names) - set(ARKIT))
        if unknown:
            log.warning("%s: coefficients that are not ARKit's are left out: %s", path, ", ".join(unknown))
    vrm = vrm_of(base)
    if vrm is not None:
        _drive(base, vrm, out, animation, body, face, about)
    else:
        _move(base, name, animation, body, face, about)
    speech = tracks.get("speech")
    if isinstance(speech, Audio) and len(speech) and audio != "none":
        about["audio"] = _embed(out, speech, audio)
    about["tiers"] = [encode_tier(t) | {"track": n} for n, t in tracks.items() if isinstance(t, Tier)]
    if isinstance(tracks.get("plan"), Plan):
        about["plan"] = encode_plan(tracks["plan"])  # type: ignore[arg-type]
    about["meta"] = dict(performance.meta)
    animation.finish("performance")
    extras = out.json.get("extras")
    out.json["extras"] = {**(extras if isinstance(extras, dict) else {}), "kinesics": about}
    asset = out.json.get("asset")
    out.json["asset"] = {
        **(asset if isinstance(asset, dict) else {"version": "2.0"}),
        "generator": about["generator"],
    }
    if finish is not None:
        finish(out, base)
    with replacing(path) as file:
        if path.suffix.lower() == ".gltf":
            out.write_json(file)
        else:
            out.write(file)


def _move(
    base: Glb, name: str, animation: Animation, body: Motion | None, face: Face | None, about: dict[str, Any]
) -> None:
    """Animate an avatar whose nodes are the canonical joints and whose morphs are ARKit's."""
    given = body
    if body is not None:
        about["body"] = {"fps": str(body.fps), "start": body.start}
        nodes, skeleton = joints_of(base)
        if body.skeleton != skeleton:
            body = body.on(skeleton)
        animation.add(nodes[0], "translation", body, body.root)
        for j, node in enumerate(nodes):
            animation.turn(node, body, body.rotations[:, j])
    if face is not None:
        about["face"] = {"fps": str(face.fps), "start": face.start}
        values = face_for_export(face, given)
        meshes = morphing(base)
        if not meshes:
            raise DataError(
                f"GLB: no mesh of the avatar {name} lists morph targetNames; the face has nothing to move"
            )
        for node, targets in meshes:
            animation.weigh(node, face, values.select(tuple(targets)).values)


def _drive(
    base: Glb,
    vrm: Vrm,
    out: Appender,
    animation: Animation,
    body: Motion | None,
    face: Face | None,
    about: dict[str, Any],
) -> None:
    """Animate someone's VRM: its bones by their places in the humanoid, its morphs by its expressions."""
    if body is not None:
        about["body"] = {"fps": str(body.fps), "start": body.start, "rig": "vrm"}
        turns, hips = node_motion(body, nodes_of(base), vrm)
        animation.add(vrm.bones["hips"], "translation", body, hips.astype("<f4"))
        for node, values in turns.items():
            animation.turn(node, body, values, rest=False)
    if face is None and body is not None and vrm.look_at is not None and vrm.look_at.kind == "expression":
        # Gaze alone moves this model's face.
        face = Face(np.zeros((len(body), 0)), (), body.fps, "arkit", body.start)
    if face is not None:
        for node, weights in mesh_weights(base, vrm, face, body).items():
            animation.weigh(node, face, weights)
    if face is not None and face.names:
        # The model's expressions cannot be turned back into coefficients: they go along beside them.
        values = face.values
        outside = bool(values.min() < 0 or values.max() > 1)
        accessor = out.accessor(
            (values.astype("<f4") if outside else np.round(values * _UINT16).astype("<u2")).reshape(-1),
            normalized=not outside,
        )
        about["face"] = {
            "fps": str(face.fps),
            "start": face.start,
            "accessor": accessor,
            "names": list(face.names),
        }


def _embed(out: Appender, speech: Audio, audio: str) -> dict[str, Any]:
    if audio == "auto":
        audio = "wav" if 2 * speech.samples.size <= WAV_LIMIT else "ogg"
    kind, subtype, mime = _SOUND[audio]
    data = io.BytesIO()
    silence = sound.encode(speech, data, kind, subtype)
    return {"bufferView": out.view(data.getbuffer()), "mimeType": mime, "silence": silence}


def joints_of(glb: Glb) -> tuple[list[int], Skeleton]:
    """Node of every canonical joint, and the skeleton they make at rest."""
    nodes = glb.entries("nodes")
    # A viewer's camera or light may share a joint's name: the skin's word counts first.
    skins = glb.entries("skins")
    listed = skins[0].get("joints") if skins else None
    listed = listed if isinstance(listed, list) else []
    order = [*(i for i in listed if isinstance(i, int) and 0 <= i < len(nodes)), *range(len(nodes))]
    by_name: dict[Any, int] = {}
    for i in order:
        by_name.setdefault(str(nodes[i].get("name")), i)
    missing = [j for j in JOINTS if j not in by_name]
    if missing:
        raise FormatError(
            glb.path, "nodes", "the 55 joints by their canonical names", f"it lacks {', '.join(missing[:6])}"
        )
    found = [by_name[j] for j in JOINTS]
    offsets = np.zeros((len(found), 3), dtype=np.float32)
    for j, (node, parent) in enumerate(zip(found, PARENTS, strict=True)):
        about = nodes[node]
        try:
            place = [number(x) for x in about.get("translation", [0, 0, 0])]
            turn = [number(x) for x in about.get("rotation", [0, 0, 0, 1])]
            if len(place) != 3 or len(turn) != 4 or "matrix" in about:
                raise ValueError("translation and rotation expected")
            if max(abs(x) for x in turn[:3]) > 1e-4:
                raise ValueError(
                    "its frame is turned at rest; the T-pose with world-aligned frames is expected"
                )
            if parent >= 0 and node not in nodes[found[parent]].get("children", []):
                raise ValueError(f"it is not a child of {JOINTS[parent]}")
        except (TypeError, ValueError) as error:
            raise FormatError(
                glb.path, f"node {JOINTS[j]!r}", "a joint of the canonical humanoid", str(error)
            ) from error
        offsets[j] = place
    return found, Skeleton(JOINTS, PARENTS, offsets)


def morphing(glb: Glb) -> list[tuple[int, list[str]]]:
    """Nodes whose mesh has named morph targets, each with the names."""
    out = []
    for i, node in enumerate(glb.entries("nodes")):
        if "mesh" in node:
            targets = list(targets_of(glb.entry("meshes", node["mesh"])))
            if targets:
                out.append((i, targets))
    return out
