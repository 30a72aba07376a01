"""Where the nodes of a glTF are in the world while a clip plays. Knows nothing of skeletons or people."""

from __future__ import annotations

import numpy as np

from kinesics.formats._gltf import Glb
from kinesics.formats._gltf_clip import WIDTHS, Clip, Curve
from kinesics.formats._gltf_nodes import Array, Nodes
from kinesics.geometry import rotations as rot


class Moving:
    """The nodes of a file while a clip plays (or at rest, without one)."""

    def __init__(self, glb: Glb, nodes: Nodes, clip: Clip | None) -> None:
        self.glb, self.nodes, self.clip = glb, nodes, clip
        self._curves = clip.curves if clip else {}

    def curve(self, node: int, path: str) -> Curve | None:
        """The keys of a node's translation, rotation, scale or weights."""
        return self._curves.get((node, path))

    def local(self, node: int, times: Array) -> tuple[Array, Array, Array]:
        """Translation, rotation and scale of a node, each (T, …), or (1, …) where it stands still."""
        rest = (self.nodes.translation[node], self.nodes.rotation[node], self.nodes.scale[node])
        out = []
        for path, still in zip(WIDTHS, rest, strict=True):
            curve = self.curve(node, path)
            if curve is None:
                out.append(still[None])
            else:
                out.append(curve.at(times[:1] if curve.still else times))
        return out[0], out[1], out[2]

    def turns(self, wanted: list[int], times: Array) -> dict[int, Array]:
        """World rotations of nodes: node -> (T, 4) or (1, 4), without scales."""
        found: dict[int, Array] = {}
        for node in wanted:
            for step in self.nodes.path(node):
                if step not in found:
                    curve = self.curve(step, "rotation")
                    own = (
                        self.nodes.rotation[step][None]
                        if curve is None
                        else curve.at(times[:1] if curve.still else times)
                    )
                    up = int(self.nodes.parents[step])
                    found[step] = own if up < 0 else rot.multiply(found[up], own)
        return {node: found[node] for node in wanted}

    def places(self, wanted: list[int], times: Array) -> dict[int, tuple[Array, Array]]:
        """World position (T, 3) and linear part (T, 3, 3) of nodes, scales included; T is 1 where all stand still."""
        found: dict[int, tuple[Array, Array]] = {}
        for node in wanted:
            for step in self.nodes.path(node):
                if step in found:
                    continue
                shift, turn, scale = self.local(step, times)
                linear = rot.to_matrix(turn) * scale[:, None, :]
                up = int(self.nodes.parents[step])
                if up >= 0:
                    position, above = found[up]
                    shift = position + np.einsum("tab,tb->ta", *_paired(above, shift))
                    linear = above @ linear
                found[step] = shift, linear
        return {node: found[node] for node in wanted}


def _paired(linear: Array, vector: Array) -> tuple[Array, Array]:
    count = max(len(linear), len(vector))
    return np.broadcast_to(linear, (count, 3, 3)), np.broadcast_to(vector, (count, 3))
