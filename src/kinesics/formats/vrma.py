"""VRMA, VRM Animation 1.0 (``VRMC_vrm_animation``): one clip that moves any VRM.

Carries ``body`` and ``face``; no sound, tiers or plan (write a ``.glb`` or ``.vrm`` for these).

How it is stored: a glTF without a mesh. Humanoid bones are nodes in the T-pose with world-aligned frames; their rotations are
float32 quaternions (within 0.0001°), the hips' translation float32 metres. An expression's level is the x of its
own node's translation, within 0 to 1. Gaze is the rotation of a node ``lookAt``: where both eyes
together look, measured from the head, +Z straight ahead. Joints and expressions that rest have one key or none.

- ``expressions="both"`` (default): all 52 ARKit coefficients as custom expressions, and the presets aa, ih, ou, ee, oh and
  blink that the face amounts to, for models that know only these. A model that has both kinds *and* no overrides
  moves its mouth twice: give ``"arkit"`` for such models. ``"presets"`` writes presets only, and with
  them happy, angry, sad, relaxed and surprised: the choice for most models of VRoid and the like.
- The standard gives eyes no bones here, and both one direction. The eyes' own rotations go along in nodes that only
  Kinesics reads (``extras.kinesics``), so that they come back exactly.
- A body with other joints than the canonical 55 is brought to them first.

Reading takes files of anyone: rest poses of any orientation, bones with other nodes between them, bones left out. Rates: the keys' own
where they lie on one, else 30, or ``fps=``. The standard makes the first animation count; ``clip=`` takes another.
Look-at turns both eye joints. Expressions named as ARKit's become a ``face`` in the basis ``"arkit"`` (presets
beside them are listed in ``meta["vrma"]["left_out"]``); else the ``face`` has the basis ``"vrm"``, with presets and customs by
their names, which the writers of GLB and VRM turn into ARKit's coefficients.

Source: https://github.com/vrm-c/vrm-specification, VRMC_vrm_animation-1.0.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import EYE_LOOK, face_for_export
from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError, FormatError, KinesicsError, choose
from kinesics.files import replacing
from kinesics.formats._encode import number, rate_from_text, text, whole
from kinesics.formats._format import Format
from kinesics.formats._gltf import Appender, Glb, read_glb
from kinesics.formats._gltf_clip import MOST_SAMPLES, Clip, chosen_clip, clip_names, frame_times, times_of
from kinesics.formats._gltf_face import ENOUGH, arkit_names
from kinesics.formats._gltf_nodes import Array, nodes_of
from kinesics.formats._gltf_scene import Moving
from kinesics.formats._gltf_write import Animation, facts, from_zero
from kinesics.formats._vrm import PRESETS, Vrm, bones_of
from kinesics.formats._vrm_face import EMOTIONS, as_expressions, movable, with_presets_first
from kinesics.formats._vrm_pose import gaze_of, look_rotation, motion_of
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Motion, Performance
from kinesics.performance._sampled import exact_rate
from kinesics.performance.performance import Track

log = logging.getLogger(__name__)

_EXTENSION = "VRMC_vrm_animation"
_EYES = ("leftEye", "rightEye")
_LOOKS = ("lookUp", "lookDown", "lookLeft", "lookRight")


# -- writing ----------------------------------------------------------------------------------------


def write(performance: Performance, path: str | Path, *, expressions: str = "both") -> None:
    """Write body and face as a clip for any VRM.

    Parameters
    ----------
    performance
        With ``body``, ``face`` or both.
    path
        The file.
    expressions
        ``"both"``, ``"arkit"`` or ``"presets"``: see the module.

    Raises
    ------
    DataError
        If there is neither body nor face, the body cannot be put on the canonical joints, or there is only a
        face in another basis than ARKit's or VRM's (beside a body it is left out, which is logged).
    """
    path = Path(path)
    choose("expressions", expressions, ["both", "arkit", "presets"])
    performance = from_zero(performance)
    body, face = performance.get("body"), performance.get("face")
    body = body if isinstance(body, Motion) and len(body) else None
    face = face if isinstance(face, Face) and len(face) else None
    if body is None and face is None:
        raise DataError("VRMA: there is neither body nor face; a clip moves one of them")
    face = movable(face, ("arkit", "vrm"), path, "VRMA", alone=body is None)
    if body is not None and body.skeleton.names != JOINTS:
        body = retarget(body, "humanoid")
    about = facts(performance)
    out = Appender(Glb(path, {"asset": {"version": "2.0", "generator": about["generator"]}}, None))
    animation = Animation(out)
    nodes: list[dict[str, Any]] = []
    extension: dict[str, Any] = {"specVersion": "1.0"}
    bones = {}
    if body is not None:
        bones = _write_body(body, nodes, animation, extension, about)
    extension["humanoid"] = {"humanBones": bones}
    if face is not None:
        _write_face(face, body, expressions, nodes, animation, extension, about)
    children = {c for node in nodes for c in node.get("children", [])}
    out.json |= {
        "extensionsUsed": [_EXTENSION],
        "extensions": {_EXTENSION: extension},
        "scene": 0,
        "scenes": [{"nodes": [i for i in range(len(nodes)) if i not in children]}],
        "nodes": nodes,
        "extras": {"kinesics": about},
    }
    animation.finish("performance")
    with replacing(path) as file:
        out.write(file)


def _write_body(
    body: Motion,
    nodes: list[dict[str, Any]],
    animation: Animation,
    extension: dict[str, Any],
    about: dict[str, Any],
) -> dict[str, Any]:
    about["body"] = {"fps": str(body.fps), "start": body.start, "frames": len(body)}
    for j, name in enumerate(JOINTS):
        nodes.append({"name": name, "translation": [float(x) for x in body.skeleton.offsets[j]]})
        if PARENTS[j] >= 0:
            nodes[PARENTS[j]].setdefault("children", []).append(j)
        turns = rot.normalise(rot.continuous(body.rotations[:, j].astype(np.float64)))[:, [1, 2, 3, 0]]
        keys = len(turns) if (turns != turns[0]).any() else 1
        if keys > 1 or turns[0, :3].any():
            animation.add(j, "rotation", body, turns[:keys].astype("<f4"), keys=keys)
    animation.add(0, "translation", body, body.root.astype("<f4"))
    look = len(nodes)
    nodes.append({"name": "lookAt"})
    turns = look_rotation(*gaze_of(body))[:, [1, 2, 3, 0]]
    animation.add(look, "rotation", body, turns.astype("<f4"))
    rest = body.skeleton.rest.astype(np.float64)
    eyes = 0.5 * (rest[INDEX["leftEye"]] + rest[INDEX["rightEye"]]) - rest[INDEX["head"]]
    extension["lookAt"] = {"node": look, "offsetFromHeadBone": [round(float(x), 6) for x in eyes]}
    return {name: {"node": j} for j, name in enumerate(JOINTS) if name not in _EYES}


def _write_face(
    face: Face,
    body: Motion | None,
    expressions: str,
    nodes: list[dict[str, Any]],
    animation: Animation,
    extension: dict[str, Any],
    about: dict[str, Any],
) -> None:
    levels: dict[str, Array] = {}
    if expressions != "arkit" or face.basis == "vrm":
        levels = as_expressions(face)
    if face.basis != "vrm" and expressions != "presets":
        # Together with ARKit's own coefficients the emotions would smile twice.
        levels = {n: v for n, v in levels.items() if n not in EMOTIONS}
        derived = face_for_export(face, body)
        levels |= {n: derived.column(n).astype(np.float64).clip(0, 1) for n in ARKIT}
        if face.values.size and (face.values.min() < 0 or face.values.max() > 1):
            log.warning("face: levels of expressions lie within 0 to 1; what is beyond is cut")
    about["face"] = {"fps": str(face.fps), "start": face.start, "frames": len(face)}
    where: dict[str, dict[str, Any]] = {"preset": {}, "custom": {}}
    for name in with_presets_first(list(levels)):
        level = levels[name].astype("<f4")
        if name in _LOOKS:
            continue  # the standard leaves these to lookAt
        node = len(nodes)
        nodes.append({"name": f"expression.{name}"})
        where["preset" if name in PRESETS else "custom"][name] = {"node": node}
        keys = len(level) if (level != level[0]).any() else 1
        values = np.zeros((keys, 3), "<f4")
        values[:, 0] = level[:keys]
        animation.add(node, "translation", face, values, keys=keys)
    extension["expressions"] = {k: v for k, v in where.items() if v}


# -- reading ----------------------------------------------------------------------------------------


def read(path: str | Path, *, clip: str | int | None = None, fps: float | None = None) -> Performance:
    """Read a VRM animation.

    Parameters
    ----------
    path
        The file.
    clip
        Name or number of the animation; the first by default.
    fps
        Rate at which to sample it; by default its own, or 30.

    Returns
    -------
    Performance
        ``body`` on the canonical joints and ``face``; ``meta["vrma"]`` tells what the file has.

    Raises
    ------
    FormatError
        If the file is damaged or no VRM animation.
    DataError
        If it has no such clip.
    """
    path = Path(path)
    glb = read_glb(path)
    extensions = glb.json.get("extensions")
    about = extensions.get(_EXTENSION) if isinstance(extensions, dict) else None
    if not isinstance(about, dict):
        raise FormatError(path, "extensions", _EXTENSION, "it is no VRM animation; name it .glb to read it")
    rate = None if fps is None else exact_rate(fps, "VRMA")
    nodes = nodes_of(glb)
    names = clip_names(glb)
    if not names:
        raise FormatError(path, "animations", "an animation", "export it again")
    index = chosen_clip(glb, 0 if clip is None else clip)
    moving = Moving(glb, nodes, Clip(glb, index, nodes))
    try:
        return _performance(moving, about, rate, {"clips": names, "clip": names[index]})
    except FormatError:
        raise
    except (KinesicsError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise FormatError(
            path, f"extensions.{_EXTENSION}", "a VRM animation", f"the file is damaged ({error})"
        ) from error


def _performance(
    moving: Moving, about: dict[str, Any], rate: Fraction | None, facts: dict[str, Any]
) -> Performance:
    glb = moving.glb
    extras = glb.json.get("extras")
    ours = extras.get("kinesics") if isinstance(extras, dict) else None
    ours = ours if isinstance(ours, dict) and rate is None else {}
    facts["specVersion"] = str(about.get("specVersion"))[:20]
    tracks: dict[str, Track] = {}
    bones = bones_of(glb, (about.get("humanoid") or {}).get("humanBones") or {})
    if bones:
        if "hips" not in bones:
            raise ValueError("no hips among the humanoid bones")
        clock = _clock(moving, ours.get("body"), rate, len(JOINTS))
        eyes = {name: moving.nodes.names.index(name) for name in _EYES if ours and name in moving.nodes.names}
        whole_body = Vrm("1.0", bones | eyes, {}, None, "", "", {})
        body = motion_of(moving, whole_body, *clock)
        look = about.get("lookAt")
        if isinstance(look, dict) and "node" in look and not eyes:
            body = _looking(moving, look["node"], body)
        tracks["body"] = body
        facts["bones"] = sorted(bones, key=JOINTS.index)
    face = _face(
        moving, about.get("expressions") or {}, ours.get("face"), rate, facts, looking="body" in tracks
    )
    if face is not None:
        tracks["face"] = face
    return Performance(tracks, {"vrma": facts})


def _clock(moving: Moving, ours: Any, rate: Fraction | None, width: int) -> tuple[Fraction, float, int]:
    found = frame_times(moving.glb, moving.clip, rate, width)
    if not isinstance(ours, dict):
        return found
    fps, start = rate_from_text(text(ours, "fps")), number(ours.get("start"))
    frames = whole(ours.get("frames"))
    keys = max((len(c.times) for c in moving.clip.curves.values()), default=0) if moving.clip else 0
    if frames > keys or frames * width > MOST_SAMPLES:
        raise ValueError(f"{frames} frames, but at most {keys} keys")
    return fps, start, frames


def _looking(moving: Moving, node: Any, body: Motion) -> Motion:
    moving.glb.entry("nodes", node)
    curve = moving.curve(node, "rotation")
    if curve is None:
        return body
    turns = curve.at(times_of(body.fps, body.start, 0, len(body)))
    rotations = body.rotations.copy()
    for name in _EYES:
        rotations[:, INDEX[name]] = turns
    return Motion(body.skeleton, rotations, body.root, body.fps, body.start)


def _face(
    moving: Moving,
    about: dict[str, Any],
    ours: Any,
    rate: Fraction | None,
    facts: dict[str, Any],
    *,
    looking: bool,
) -> Face | None:
    curves = {}
    for kind in ("preset", "custom"):
        for name, entry in (about.get(kind) or {}).items():
            if not isinstance(entry, dict) or name in curves:
                continue
            moving.glb.entry("nodes", entry.get("node"))
            curve = moving.curve(entry["node"], "translation")
            if curve is not None:
                curves[str(name)[:200]] = curve
    if not curves:
        return None
    fps, start, count = _clock(moving, ours, rate, len(curves))
    times = times_of(fps, start, 0, count)
    facts["expressions"] = list(curves)
    columns = {name: curve.at(times)[:, 0].clip(0, 1).astype(np.float32) for name, curve in curves.items()}
    own = arkit_names([n for n in columns if n not in PRESETS])
    if len(own) >= ENOUGH:
        facts["left_out"] = [n for n in columns if n not in own]
        face = Face(np.stack([columns[n] for n in own], axis=1), tuple(own.values()), fps, "arkit", start)
        if isinstance(ours, dict) and looking:
            # Where there is a body, gaze lives in its eyes.
            return face.select(tuple(n for n in ARKIT if n not in EYE_LOOK)).select(ARKIT)
        return face.select(ARKIT)
    return Face(np.stack(list(columns.values()), axis=1), tuple(columns), fps, "vrm", start)


FORMAT = Format("VRM animation", (".vrma",), ("body", "face"), read, write)
