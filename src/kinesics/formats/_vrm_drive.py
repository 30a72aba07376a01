"""A face on someone's VRM: which of its morphs or expressions follow which coefficients.

The finest way a model offers is taken: morph targets that bear ARKit's names; else custom expressions that
do; else the presets that the face amounts to (see ``_vrm_face``). Gaze moves the model's eye bones or, where it
says so, its four look expressions.
"""

from __future__ import annotations

import logging

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.arkit import INDEX as COLUMN
from kinesics.bodies.export import face_for_export
from kinesics.formats._gltf import Glb, targets_of
from kinesics.formats._gltf_face import ENOUGH, arkit_names
from kinesics.formats._gltf_nodes import Array
from kinesics.formats._vrm import Vrm, ranged
from kinesics.formats._vrm_face import EMOTIONS, VISEMES, presets_of
from kinesics.formats._vrm_pose import gaze_of
from kinesics.performance import Face, Motion

log = logging.getLogger(__name__)

_BLINKS = ("blink", "blinkLeft", "blinkRight")
_LOOKS = ("lookUp", "lookDown", "lookLeft", "lookRight")


def mesh_weights(glb: Glb, vrm: Vrm, face: Face, body: Motion | None) -> dict[int, Array]:
    """Morph weights of every mesh node that the face moves.

    Parameters
    ----------
    glb, vrm
        The model.
    face
        In the ARKit basis.
    body
        For the gaze; it may be None.

    Returns
    -------
    dict
        Node -> (T, K) weights of all its mesh's targets.
    """
    values = face_for_export(face, body).values.astype(np.float64)
    sizes = _sizes(glb)
    weights: dict[int, Array] = {}

    def add(node: int, index: int, amount: Array) -> None:
        if index < sizes.get(node, 0):
            table = weights.setdefault(node, np.zeros((len(values), sizes[node])))
            table[:, index] += amount

    named = _arkit_targets(glb, sizes)
    looks_by_expression = vrm.look_at is not None and vrm.look_at.kind == "expression"
    if named:
        for node, index, name in named:
            add(node, index, values[:, COLUMN[name]])
        levels: dict[str, Array] = {}
    else:
        levels = _levels(vrm, face, values)
    if body is not None and len(body) and looks_by_expression and not named:
        levels |= _looks(vrm, face, body)
    for name, level in _overridden(vrm, levels).items():
        for bind in vrm.expressions[name].binds:
            for node in bind.nodes:
                add(node, bind.index, level * bind.weight)
    shown = [n for n, level in levels.items() if level.any() and vrm.expressions[n].materials]
    if shown:
        log.warning("%s: expressions that change materials move morphs only: %s", glb.path, shown)
    return weights


def _sizes(glb: Glb) -> dict[int, int]:
    """Number of morph targets of every node that has some."""
    out = {}
    for i, node in enumerate(glb.entries("nodes")):
        if "mesh" in node:
            primitives = glb.entry("meshes", node["mesh"]).get("primitives")
            first = primitives[0] if isinstance(primitives, list) and primitives else None
            targets = first.get("targets") if isinstance(first, dict) else None
            if isinstance(targets, list) and targets:
                out[i] = len(targets)
    return out


def _arkit_targets(glb: Glb, sizes: dict[int, int]) -> list[tuple[int, int, str]]:
    """(node, target, ARKit name) of all morphs that bear ARKit's names; nothing where these are few."""
    out = []
    for node, count in sizes.items():
        names = list(targets_of(glb.entry("meshes", glb.entry("nodes", node)["mesh"])))[:count]
        own = arkit_names(names)
        out += [(node, names.index(name), new) for name, new in own.items()]
    return out if len({name for _, _, name in out}) >= ENOUGH else []


def _levels(vrm: Vrm, face: Face, values: Array) -> dict[str, Array]:
    """How strongly each of the model's expressions shows; those without any effect are left out."""
    custom = arkit_names([n for n, e in vrm.expressions.items() if not e.preset])
    if len(custom) >= ENOUGH:
        return {name: values[:, COLUMN[new]].clip(0, 1) for name, new in custom.items()}
    moving = {n for n, e in vrm.expressions.items() if e.binds or e.materials}
    found = presets_of(Face(values.astype(np.float32), ARKIT, face.fps, "arkit", face.start))
    if not {"blinkLeft", "blinkRight"} <= moving:
        found["blink"] = found["blink"] + np.maximum(found["blinkLeft"], found["blinkRight"])
    elif "blink" not in moving:
        for side in ("blinkLeft", "blinkRight"):
            found[side] = found[side] + found["blink"]
    return {n: found[n] for n in (*VISEMES, *EMOTIONS, *_BLINKS) if n in moving}


def _looks(vrm: Vrm, face: Face, body: Motion) -> dict[str, Array]:
    look = vrm.look_at
    assert look is not None
    azimuth, elevation = gaze_of(body.at(face.times))
    found = {
        "lookLeft": ranged(azimuth.clip(0, None), look.outer),
        "lookRight": ranged((-azimuth).clip(0, None), look.outer),
        "lookUp": ranged(elevation.clip(0, None), look.up),
        "lookDown": ranged((-elevation).clip(0, None), look.down),
    }
    return {n: v.clip(0, 1) for n, v in found.items() if n in vrm.expressions}


def _overridden(vrm: Vrm, levels: dict[str, Array]) -> dict[str, Array]:
    """Levels after isBinary and the overrides of VRM 1.0: what each takes from blinks, looks and mouth."""
    binary = {
        n: np.where(level > 0.5, 1.0, 0.0) if vrm.expressions[n].binary else level
        for n, level in levels.items()
    }
    out = dict(binary)
    for group, kind in ((_BLINKS, "blink"), (_LOOKS, "look"), (VISEMES, "mouth")):
        left: Array | float = 1.0
        for name, level in binary.items():
            rule = getattr(vrm.expressions[name], kind)
            if rule != "none":
                left = left - (np.where(level > 0, 1.0, 0.0) if rule == "block" else level)
        share = np.maximum(left, 0.0)
        for name in group:
            if name in out:
                out[name] = out[name] * share
                if vrm.expressions[name].binary:
                    out[name] = np.where(out[name] < 1, 0.0, out[name])
    return out
