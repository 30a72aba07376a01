"""A binary glTF of joints alone, for motion on a skeleton that no avatar has.

The page draws it as bones. A motion capture file can so be looked at as it is, before it is retargeted.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kinesics.performance import Motion

__all__ = ["bones_glb"]


def bones_glb(motion: Motion) -> bytes:
    """Write a motion as animated joints without a body.

    Parameters
    ----------
    motion
        On any skeleton; times before 0 count from its start.

    Returns
    -------
    bytes
        A binary glTF 2.0 file: one node per joint, one animation, no mesh.

    Examples
    --------
    >>> import numpy as np
    >>> from kinesics.geometry.skeleton import Skeleton
    >>> tail = Skeleton(("root", "tip"), (-1, 0), np.array([[0, 1, 0], [0, 0.5, 0]]))
    >>> still = np.tile([1.0, 0, 0, 0], (3, 2, 1))
    >>> bones_glb(Motion(tail, still, np.zeros((3, 3)), 30))[:4]
    b'glTF'
    """
    data = bytearray()
    views: list[dict[str, int]] = []
    accessors: list[dict[str, Any]] = []

    def accessor(values: ArrayLike, kind: str) -> int:
        array = np.ascontiguousarray(values, dtype="<f4")
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": array.nbytes})
        data.extend(array.tobytes())
        flat = array.reshape(len(array), -1)
        accessors.append(
            {
                "bufferView": len(views) - 1,
                "componentType": 5126,
                "count": len(array),
                "type": kind,
                "min": flat.min(0).tolist(),
                "max": flat.max(0).tolist(),
            }
        )
        return len(accessors) - 1

    skeleton = motion.skeleton
    nodes: list[dict[str, Any]] = []
    for joint, (name, offset) in enumerate(zip(skeleton.names, skeleton.offsets, strict=True)):
        children = [i for i, parent in enumerate(skeleton.parents) if parent == joint]
        nodes.append({"name": name, "translation": [float(x) for x in offset]})
        if children:
            nodes[-1]["children"] = children
    # A node above all: the page draws a bone from each joint's parent, which the root must not have.
    nodes.append({"name": "motion", "children": [0]})
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Kinesics"},
        "scene": 0,
        "scenes": [{"nodes": [len(nodes) - 1]}],
        "nodes": nodes,
    }
    if len(motion):
        clock = accessor(motion.times - min(0.0, motion.start), "SCALAR")
        samplers = [{"input": clock, "output": accessor(motion.root, "VEC3")}]
        channels = [{"sampler": 0, "target": {"node": 0, "path": "translation"}}]
        for joint in range(len(skeleton)):
            turns = motion.rotations[:, joint]
            samplers.append({"input": clock, "output": accessor(turns[:, [1, 2, 3, 0]], "VEC4")})
            channels.append({"sampler": len(samplers) - 1, "target": {"node": joint, "path": "rotation"}})
        document["animations"] = [{"name": "motion", "channels": channels, "samplers": samplers}]
        document |= {
            "bufferViews": views,
            "accessors": accessors,
            "buffers": [{"byteLength": len(data)}],
        }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary = struct.pack("<I4s", len(data), b"BIN\0") + bytes(data) if data else b""
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(binary))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + binary
