"""Morph weights of a glTF's meshes as a face, and the many spellings of ARKit's names."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import FormatError
from kinesics.formats._encode import number
from kinesics.formats._gltf import Glb, targets_of
from kinesics.formats._gltf_clip import MOST_SAMPLES, frame_times, times_of
from kinesics.formats._gltf_nodes import Array
from kinesics.formats._gltf_scene import Moving
from kinesics.performance import Face

_MOST_MORPHS = 100_000
ENOUGH = 10
"""ARKit names among others that make a face ARKit's."""


def face_of(moving: Moving, rate: Fraction | None, about: dict[str, Any]) -> Face | None:
    """Morph weights of all meshes as one face; of equal curves under one name there is one column."""
    glb = moving.glb
    fps, start, count = frame_times(glb, moving.clip, rate, 1)
    columns: dict[str, Array] = {}
    moves = moving.clip is None
    seen = 0
    for i, node in enumerate(glb.entries("nodes")):
        if "mesh" not in node:
            continue
        mesh = glb.entry("meshes", node["mesh"])
        curve = moving.curve(i, "weights")
        rest = node.get("weights", mesh.get("weights"))
        targets = _target_names(glb, mesh, node)
        if not targets:
            continue
        seen += len(targets)
        if seen > _MOST_MORPHS or len(columns) * count > MOST_SAMPLES:
            raise FormatError(glb.path, "meshes", "fewer morph targets", "give a lower fps=, or cut the clip")
        if curve is not None:
            values = curve.at(times_of(fps, start, 0, count))
        else:
            flat = np.zeros(len(targets))
            if isinstance(rest, list) and len(rest) == len(targets):
                try:
                    flat = np.array([number(x) for x in rest])
                except ValueError as error:
                    raise glb.wrong(f"nodes[{i}].weights", error) from error
            values = np.broadcast_to(flat, (count, len(targets)))
        moves = moves or curve is not None or bool(values.any())
        for k, name in enumerate(targets[: values.shape[1]]):
            if name not in columns:
                columns[name] = values[:, k]
            elif not np.array_equal(columns[name], values[:, k]):
                columns[f"{moving.nodes.names[i]}.{name}"] = values[:, k]
    if not columns or not moves:
        return None
    found = arkit_names(columns)
    if found:
        about["renamed"] = {old: new for old, new in found.items() if old != new}
        columns = {found.get(name, name): values for name, values in columns.items()}
    table = np.stack(list(columns.values()), axis=1).astype(np.float32)
    return Face(table, tuple(columns), fps, "arkit" if found else "gltf", start)


def _target_names(glb: Glb, mesh: dict[str, Any], node: dict[str, Any]) -> list[str]:
    named = list(targets_of(mesh))
    primitives = mesh.get("primitives")
    first = primitives[0] if isinstance(primitives, list) and primitives else None
    targets = first.get("targets", []) if isinstance(first, dict) else []
    count = len(targets) if isinstance(targets, list) else 0
    out = [n[:200] for n in named[:count]] + [f"target{k}" for k in range(len(named), count)]
    seen: dict[str, int] = {}
    for k, name in enumerate(out):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            out[k] = f"{name}#{k}"
    return out


_PLAIN = {name.lower(): name for name in ARKIT}


def arkit_name(name: str) -> str | None:
    """The ARKit name that another tool's spelling stands for, or None.

    >>> arkit_name("EyeBlinkLeft"), arkit_name("blendShape1.mouthSmile_R"), arkit_name("Angry")
    ('eyeBlinkLeft', 'mouthSmileRight', None)
    """
    plain = name.rpartition(".")[2].rpartition(":")[2]
    lower = plain.lower()
    for short, long in (("_l", "left"), ("_r", "right")):
        if lower.endswith(short):
            lower = lower[: -len(short)] + long
    return _PLAIN.get(lower.replace("_", ""))


def arkit_names(names: Any) -> dict[str, str]:
    """Of names that are ARKit's, in whatever spelling, each one's own; nothing where too few are."""
    found: dict[str, str] = {}
    for name in names:
        own = arkit_name(name)
        if own is not None and own not in found.values() and (own == name or own not in names):
            found[name] = own
    return found if found and (len(found) >= ENOUGH or len(found) == len(names)) else {}
