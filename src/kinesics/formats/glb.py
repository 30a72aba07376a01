"""GLB, binary glTF 2.0: an avatar with the performance as its animation, sound and tiers inside.

Carries ``body``, ``face``, ``speech``, all tiers, ``plan`` and facts; signals, points and music are left out
(``.kin`` keeps them). Any glTF viewer plays body and face; sound and tiers are under the top-level
``extras.kinesics``, which other programs ignore:

    {"version": 1, "generator", "synthetic": true, "seed", "duration",
     "audio": {"bufferView", "mimeType", "silence"}, "body": {"fps", "start"}, "face": {"fps", "start"},
     "tiers": [{"name", "intervals": [[start, end, label, value, confidence], …]}, …], "plan", "meta"}

How it is stored, and to what precision:

- Joint rotations as normalised 16-bit quaternions, x y z w: within 0.005°. A joint that never moves has one
  key, one that stays in the T-pose none. Hips in metres, float32.
- All 52 ARKit coefficients as normalised 16-bit weights, within 0.00001, in the order of the mesh's
  ``extras.targetNames``; float32 when a value lies outside 0 to 1.
- eyeLook* follows from the eye joints (``kinesics.bodies.export``) and is read back as zero, as
  gaze belongs to the joints. The avatars' jaws open by the morph ``jawOpen``, so the jaw bone rests.
- Sound as 16-bit WAV, or OGG Vorbis where WAV would take more than 8 MB (``audio=`` chooses).
- The body is put on the avatar's own skeleton; the hips' way is scaled by the hips' height.
- glTF has no time before 0: what lies there is cut.
"""

from __future__ import annotations

import io
import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import avatar_glb
from kinesics.bodies.export import EYE_LOOK, face_for_export
from kinesics.bodies.humanoid import JOINTS, PARENTS
from kinesics.errors import DataError, FormatError, KinesicsError, choose
from kinesics.formats import sound
from kinesics.formats._encode import (
    decode_plan,
    decode_tier,
    encode_plan,
    encode_tier,
    items,
    mapping,
    number,
    rate_from_text,
    text,
)
from kinesics.formats._files import existing, replacing
from kinesics.formats._format import Format
from kinesics.formats._gltf import Appender, Glb, read_glb, read_gltf, targets_of
from kinesics.formats._gltf_read import read_foreign
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Audio, Face, Motion, Performance, Plan, Tier
from kinesics.performance.performance import Track

log = logging.getLogger(__name__)

VERSION = 1
WAV_LIMIT = 8_000_000  # bytes; above, "auto" compresses
_SOUND = {
    "wav": ("WAV", "PCM_16", "audio/wav"),
    "flac": ("FLAC", "PCM_16", "audio/flac"),
    "ogg": ("OGG", "VORBIS", "audio/ogg"),
}
_CARRIED = (Tier, Plan)
_INT16, _UINT16 = np.float32(32767), np.float32(65535)


def write(
    performance: Performance, path: str | Path, *, avatar: str | Path | None = None, audio: str = "auto"
) -> None:
    """Write the avatar and its animation.

    Parameters
    ----------
    performance
        ``body`` on the 55 canonical joints, ``face`` in the ARKit basis, ``speech``, tiers and ``plan``:
        whatever of these there is.
    path
        The file.
    avatar
        A person's name, or a GLB whose nodes bear the canonical names and whose mesh lists
        its ``targetNames``; by default ``meta["avatar"]``, else ``"maya"``.
    audio
        ``"auto"``, ``"wav"``, ``"flac"``, ``"ogg"`` or ``"none"``.

    Raises
    ------
    DataError
        If the body has other joints, there is no such avatar, or the file would exceed 4 GiB.
    """
    choose("audio", audio, ["auto", *_SOUND, "none"])
    name = avatar or performance.meta.get("avatar", "maya")
    base = read_glb(
        existing(Path(name), "avatar") if str(name).lower().endswith(".glb") else avatar_glb(str(name))
    )
    # A performance that begins before 0 loses what lies there.
    tracks = {
        n: t.slice(0, np.inf) if getattr(t, "start", 0) < 0 else t for n, t in performance.tracks.items()
    }
    out = Appender(base)
    about: dict[str, Any] = {
        "version": VERSION,
        "generator": _generator(),
        "synthetic": bool(performance.meta.get("synthetic", True)),
        "seed": performance.meta.get("seed"),
        "duration": performance.duration,
    }
    channels: list[dict[str, Any]] = []
    samplers: list[dict[str, int]] = []
    clocks: dict[tuple[Fraction, float, int], int] = {}

    def animate(
        node: int, what: str, clock: Motion | Face, values: NDArray[Any], keys: int, *, normalized: bool
    ) -> None:
        key = (clock.fps, clock.start, keys)
        if key not in clocks:
            clocks[key] = out.accessor(clock.times[:keys].astype(np.float32), bounds=True)
        samplers.append({"input": clocks[key], "output": out.accessor(values, normalized=normalized)})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": what}})

    body, face = tracks.get("body"), tracks.get("face")
    if isinstance(body, Motion) and len(body):
        about["body"] = {"fps": str(body.fps), "start": body.start}
        nodes, skeleton = _joints(base)
        if body.skeleton != skeleton:
            body = body.on(skeleton)
        animate(nodes[0], "translation", body, body.root, len(body), normalized=False)
        for j, node in enumerate(nodes):
            turns = rot.continuous(body.rotations[:, j])[:, [1, 2, 3, 0]]
            turns = np.round(turns / np.linalg.norm(turns, axis=1, keepdims=True) * _INT16).astype("<i2")
            keys = len(turns) if (turns != turns[0]).any() else 1
            if keys > 1 or turns[0, :3].any():
                animate(node, "rotation", body, turns[:keys], keys, normalized=True)
    if isinstance(face, Face) and len(face):
        about["face"] = {"fps": str(face.fps), "start": face.start}
        unknown = sorted(set(face.names) - set(ARKIT))
        if face.basis != "arkit" or len(unknown) == len(face.names):
            raise DataError(f"GLB: the face is in the basis {face.basis!r}; bring it to 'arkit' first")
        if unknown:
            log.warning("%s: coefficients that are not ARKit's are left out: %s", path, ", ".join(unknown))
        values = face_for_export(face, body if isinstance(body, Motion) else None)
        meshes = _morphing(base)
        if not meshes:
            raise DataError(
                f"GLB: no mesh of the avatar {name} lists morph targetNames; the face has nothing to move"
            )
        for node, targets in meshes:
            weights = values.select(tuple(targets)).values
            outside = bool(weights.min() < 0 or weights.max() > 1)
            weights = weights if outside else np.round(weights * _UINT16).astype("<u2")
            animate(node, "weights", face, weights.reshape(-1), len(face), normalized=not outside)
    speech = tracks.get("speech")
    if isinstance(speech, Audio) and len(speech) and audio != "none":
        about["audio"] = _embed(out, speech, audio)
    about["tiers"] = [encode_tier(t) | {"track": n} for n, t in tracks.items() if isinstance(t, Tier)]
    if isinstance(tracks.get("plan"), Plan):
        about["plan"] = encode_plan(tracks["plan"])
    about["meta"] = dict(performance.meta)
    left_out = [
        n for n, t in tracks.items() if n not in ("body", "face", "speech") and not isinstance(t, _CARRIED)
    ]
    if left_out:
        log.info("%s: tracks that GLB does not carry: %s", path, ", ".join(left_out))
    if channels:
        out.json["animations"] = [{"name": "performance", "channels": channels, "samplers": samplers}]
    extras = out.json.get("extras")
    out.json["extras"] = {**(extras if isinstance(extras, dict) else {}), "kinesics": about}
    out.json["asset"] = {**out.json.get("asset", {}), "generator": about["generator"]}
    with replacing(Path(path)) as file:
        out.write(file)


def _generator() -> str:
    from kinesics import __version__

    return f"Kinesics {__version__}"


def _embed(out: Appender, speech: Audio, audio: str) -> dict[str, Any]:
    if audio == "auto":
        audio = "wav" if 2 * speech.samples.size <= WAV_LIMIT else "ogg"
    kind, subtype, mime = _SOUND[audio]
    data = io.BytesIO()
    silence = sound.encode(speech, data, kind, subtype)
    return {"bufferView": out.view(data.getbuffer()), "mimeType": mime, "silence": silence}


def _joints(glb: Glb) -> tuple[list[int], Skeleton]:
    """Node of every canonical joint, and the skeleton they make at rest."""
    nodes = glb.entries("nodes")
    # A viewer's camera or light may share a joint's name: the skin's word counts first.
    skins = glb.entries("skins")
    listed = skins[0].get("joints", []) if skins else []
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


def _morphing(glb: Glb) -> list[tuple[int, list[str]]]:
    """Nodes whose mesh has named morph targets, each with the names."""
    out = []
    for i, node in enumerate(glb.entries("nodes")):
        if "mesh" in node:
            targets = list(targets_of(glb.entry("meshes", node["mesh"])))
            if targets:
                out.append((i, targets))
    return out


def read(path: str | Path, *, clip: str | int | None = None, fps: float | None = None) -> Performance:
    """Read a glTF file: one that Kinesics wrote exactly, any other as its skeleton's motion and its morphs.

    Parameters
    ----------
    path
        A ``.glb`` or ``.gltf``.
    clip
        Name or number of the animation to take from another program's file; the first by default.
    fps
        Rate at which to sample it; by default the clip's own, or 30 where its keys lie on no common rate.

    Raises
    ------
    FormatError
        If the file is damaged.
    DataError
        If it has no such clip.
    """
    path = Path(path)
    glb = read_gltf(path)
    extras = glb.json.get("extras")
    about = extras.get("kinesics") if isinstance(extras, dict) else None
    if not isinstance(about, dict):
        return read_foreign(glb, clip=clip, fps=fps)
    if about.get("version") != VERSION:
        raise FormatError(
            path,
            "extras.kinesics.version",
            f"{VERSION}, found {about.get('version')!r:.20}",
            "update kinesics to read this file",
        )
    where = "extras.kinesics"
    try:
        tracks: dict[str, Track] = {}
        if "audio" in about:
            where = "extras.kinesics.audio"
            tracks["speech"] = _sound(glb, mapping(about, "audio"))
        if "body" in about:
            where = "the body's animation"
            tracks["body"] = _body(glb, mapping(about, "body"))
        if "face" in about:
            where = "the face's animation"
            tracks["face"] = _face(glb, mapping(about, "face"), "body" in tracks)
        for i, entry in enumerate(items(about, "tiers")):
            where = f"extras.kinesics.tiers[{i}]"
            tier = decode_tier(entry)
            tracks[str(entry.get("track", tier.name))] = tier
        if "plan" in about:
            where = "extras.kinesics.plan"
            tracks["plan"] = decode_plan(mapping(about, "plan"))
        where = "extras.kinesics"
        return Performance(tracks, mapping(about, "meta"))
    except FormatError:
        raise
    except (KinesicsError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise FormatError(
            path, where, "what Kinesics writes there", f"the file is damaged ({error})"
        ) from error


def _clock(about: dict[str, Any]) -> dict[str, Any]:
    return {"fps": rate_from_text(text(about, "fps")), "start": number(about.get("start"))}


def _channel(glb: Glb, node: int, what: str) -> NDArray[np.float32] | None:
    animations = glb.entries("animations")
    if not animations:
        return None
    for channel in items(animations[0], "channels"):
        target = mapping(channel, "target")
        if target.get("node") == node and target.get("path") == what:
            samplers = items(animations[0], "samplers")
            index = channel.get("sampler")
            if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(samplers):
                raise ValueError(f"sampler {index!r:.40}")
            if not isinstance(samplers[index], dict):
                raise ValueError(f"sampler {index} is no object")
            return glb.array(samplers[index].get("output")).astype(np.float32, copy=False)
    return None


def _body(glb: Glb, about: dict[str, Any]) -> Motion:
    nodes, skeleton = _joints(glb)
    root = _channel(glb, nodes[0], "translation")
    if root is None or root.shape[1] != 3:
        raise ValueError("the hips have no translation")
    rotations = np.empty((len(root), len(nodes), 4), dtype=np.float32)
    for j, node in enumerate(nodes):
        turns = _channel(glb, node, "rotation")
        if turns is None:
            rotations[:, j] = rot.IDENTITY
        elif turns.shape in ((len(root), 4), (1, 4)):
            rotations[:, j] = rot.normalise(turns[:, [3, 0, 1, 2]])
        else:
            raise ValueError(f"joint {JOINTS[j]!r} has {turns.shape[0]} keys and the hips {len(root)}")
    return Motion(skeleton, rotations, root, **_clock(about))


def _face(glb: Glb, about: dict[str, Any], gaze_in_body: bool) -> Face:
    for node, targets in _morphing(glb):
        weights = _channel(glb, node, "weights")
        if weights is not None:
            values = weights.reshape(-1, len(targets))
            face = Face(values, tuple(targets), **_clock(about)).select(ARKIT)
            if not gaze_in_body:
                return face
            kept = face.values * np.array([n not in EYE_LOOK for n in ARKIT], dtype=np.float32)
            return Face(kept, ARKIT, **_clock(about))
    raise ValueError("no mesh has animated weights")


def _sound(glb: Glb, about: dict[str, Any]) -> Audio:
    silence = about.get("silence", 0)
    whole = Audio.decode(bytes(glb.view(about.get("bufferView"))), glb.path)
    if isinstance(silence, bool) or not isinstance(silence, int) or not 0 <= silence <= len(whole):
        raise ValueError(f"silence {silence!r:.40}")
    return whole.slice(silence / whole.rate, np.inf) if silence else whole


FORMAT = Format("glTF", (".glb", ".gltf"), ("body", "face", "speech", "tiers", "plan"), read, write)
