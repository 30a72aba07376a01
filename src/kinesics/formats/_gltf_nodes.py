"""The node graph of a glTF at rest. Rotations are wxyz, whatever the file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.formats._encode import number
from kinesics.formats._gltf import Glb
from kinesics.geometry import rotations as rot

Array = NDArray[np.float64]

DEEPEST = 1024
"""Levels of nodes; real rigs have about forty."""


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of a file at rest.

    Parameters
    ----------
    names
        One for each node, made unique.
    parents
        (N,) index of each node's parent, -1 without one.
    depth
        (N,) how many nodes lie above each.
    translation, rotation, scale
        (N, 3), (N, 4) wxyz and (N, 3): the local transform.
    """

    names: tuple[str, ...]
    parents: NDArray[np.intp]
    depth: NDArray[np.intp]
    translation: Array
    rotation: Array
    scale: Array

    def __len__(self) -> int:
        return len(self.parents)

    def path(self, node: int) -> list[int]:
        """From the topmost node down to ``node``."""
        out = []
        while node >= 0:
            out.append(node)
            node = int(self.parents[node])
        return out[::-1]

    def below(self, tops: set[int]) -> set[int]:
        """All nodes that have one of ``tops`` above them."""
        flag = np.zeros(len(self), dtype=bool)
        flag[list(tops)] = True
        for level in range(1, int(self.depth.max(initial=0)) + 1):
            here = np.flatnonzero(self.depth == level)
            flag[here] |= flag[self.parents[here]]
        return set(np.flatnonzero(flag).tolist()) - tops

    def rest(self) -> tuple[Array, Array, Array]:
        """World positions (N, 3), linear parts (N, 3, 3) and rotations (N, 4), scales left out of the last."""
        local = rot.to_matrix(self.rotation) * self.scale[:, None, :]
        position, linear, turn = self.translation.copy(), local.copy(), self.rotation.copy()
        for level in range(1, int(self.depth.max(initial=0)) + 1):
            here = np.flatnonzero(self.depth == level)
            up = self.parents[here]
            position[here] = position[up] + np.einsum("nab,nb->na", linear[up], self.translation[here])
            linear[here] = linear[up] @ local[here]
            turn[here] = rot.multiply(turn[up], self.rotation[here])
        return position, linear, turn


def nodes_of(glb: Glb) -> Nodes:
    """Read the graph; a FormatError where it has circles, two parents, or transforms that are not numbers."""
    entries = glb.entries("nodes")
    count = len(entries)
    parents = np.full(count, -1, dtype=np.intp)
    for i, node in enumerate(entries):
        for child in _children(glb, i, node):
            if not 0 <= child < count or parents[child] >= 0 or child == i:
                raise glb.wrong(f"nodes[{i}].children", f"{child} is missing or has two parents")
            parents[child] = i
    depth = np.where(parents < 0, 0, -1)
    for level in range(1, DEEPEST + 2):
        below = np.flatnonzero((depth < 0) & (depth[parents] == level - 1))
        if not len(below):
            break
        depth[below] = level
    if (depth < 0).any() or depth.max(initial=0) > DEEPEST:
        raise glb.wrong("nodes", f"a circle, or more than {DEEPEST} levels")
    translation, rotation, scale = np.zeros((count, 3)), np.zeros((count, 4)), np.ones((count, 3))
    rotation[:, 0] = 1
    for i, node in enumerate(entries):
        try:
            if "matrix" in node:
                translation[i], rotation[i], scale[i] = _decomposed(_numbers(node["matrix"], 16))
            else:
                translation[i] = _numbers(node.get("translation", (0, 0, 0)), 3)
                scale[i] = _numbers(node.get("scale", (1, 1, 1)), 3)
                x, y, z, w = _numbers(node.get("rotation", (0, 0, 0, 1)), 4)
                rotation[i] = rot.normalise(np.array([w, x, y, z]))
        except (TypeError, ValueError) as error:
            raise glb.wrong(f"nodes[{i}]", error) from error
    return Nodes(_unique(entries), parents, depth, translation, rotation, scale)


def _children(glb: Glb, index: int, node: dict[str, Any]) -> list[int]:
    found = node.get("children", [])
    if not isinstance(found, list) or any(isinstance(c, bool) or not isinstance(c, int) for c in found):
        raise glb.wrong(f"nodes[{index}].children", "not a list of numbers")
    return found


def _numbers(values: Any, count: int) -> list[float]:
    if not isinstance(values, (list, tuple)) or len(values) != count:
        raise ValueError(f"{values!r:.60}; {count} numbers expected")
    return [number(x) for x in values]


def _decomposed(matrix: list[float]) -> tuple[Array, Array, Array]:
    m = np.array(matrix).reshape(4, 4).T
    scale = np.linalg.norm(m[:3, :3], axis=0)
    if np.linalg.det(m[:3, :3]) < 0:
        scale[0] = -scale[0]
    axes = np.where(np.abs(scale) > 1e-12, m[:3, :3] / np.where(np.abs(scale) > 1e-12, scale, 1), np.eye(3))
    return m[:3, 3], rot.from_matrix(axes), scale


def _unique(entries: list[dict[str, Any]]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    out = []
    for i, node in enumerate(entries):
        name = str(node.get("name") or f"node{i}")[:200]
        count = seen[name] = seen.get(name, 0) + 1
        out.append(name if count == 1 else f"{name}#{i}")
    return tuple(out)
