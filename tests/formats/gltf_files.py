"""Small glTF files for tests, and ways to break them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

_TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_CODES = {"f4": 5126, "u1": 5121, "u2": 5123, "i1": 5120, "i2": 5122, "u4": 5125}


def split(data: bytes) -> tuple[dict, bytes]:
    """JSON and binary chunk of a GLB."""
    size = struct.unpack("<I", data[12:16])[0]
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def build(json_chunk: bytes | dict, binary: bytes) -> bytes:
    """A GLB of both."""
    if isinstance(json_chunk, dict):
        json_chunk = json.dumps(json_chunk).encode()
    json_chunk += b" " * (-len(json_chunk) % 4)
    binary += bytes(-len(binary) % 4)
    total = 28 + len(json_chunk) + len(binary)
    return (
        struct.pack("<4sIII4s", b"glTF", 2, total, len(json_chunk), b"JSON")
        + json_chunk
        + struct.pack("<I4s", len(binary), b"BIN\0")
        + binary
    )


class Document:
    """A glTF that grows."""

    def __init__(self, **parts: Any) -> None:
        self.json: dict[str, Any] = {"asset": {"version": "2.0"}, "scene": 0, **parts}
        self.json |= {"accessors": [], "bufferViews": [], "buffers": [{"byteLength": 0}]}
        self.data = b""

    def view(self, data: bytes) -> int:
        self.data += bytes(-len(self.data) % 4)
        self.json["bufferViews"].append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)})
        self.data += data
        self.json["buffers"][0]["byteLength"] = len(self.data)
        return len(self.json["bufferViews"]) - 1

    def accessor(self, values: Any, kind: str = "f4", **more: Any) -> int:
        array = np.asarray(values)
        array = array.reshape(len(array), -1)
        self.json["accessors"].append(
            {
                "bufferView": self.view(array.astype("<" + kind).tobytes()),
                "componentType": _CODES[kind],
                "count": len(array),
                "type": _TYPES[array.shape[1]],
                **more,
            }
        )
        return len(self.json["accessors"]) - 1

    def animate(self, name: str, *channels: tuple[int, str, Any, Any, str]) -> None:
        """Channels (node, path, times, values or an accessor's number, interpolation)."""
        samplers, targets = [], []
        for node, path, times, values, kind in channels:
            output = values if isinstance(values, int) else self.accessor(values)
            samplers.append({"input": self.accessor(times), "output": output, "interpolation": kind})
            targets.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": path}})
        self.json.setdefault("animations", []).append(
            {"name": name, "channels": targets, "samplers": samplers}
        )

    def save(self, path: Path) -> Path:
        path.write_bytes(build(self.json, self.data))
        return path


def turned_rig(seed: int = 0, *, frames: int = 5) -> Document:
    """Four joints with turned, scaled ancestors and turned frames, moved at 24 frames per second."""
    rng = np.random.default_rng(seed)

    def quaternion() -> list[float]:
        q = rng.standard_normal(4)
        return (q / np.linalg.norm(q)).tolist()

    nodes = [
        {"name": "scene", "rotation": quaternion(), "scale": [50.0, 50.0, 50.0], "children": [1, 6]},
        {"name": "armature", "rotation": quaternion(), "translation": [0.01, 0.02, 0.03], "children": [2]},
        {"name": "hips", "rotation": quaternion(), "translation": [0, 0.02, 0], "children": [3, 5]},
        {"name": "spine", "rotation": quaternion(), "translation": [0.001, 0.01, 0.002], "children": [4]},
        {"name": "head", "rotation": quaternion(), "translation": [0.002, 0.008, 0.001]},
        {"name": "leg", "rotation": quaternion(), "translation": [0.004, -0.01, 0.003]},
        {"name": "skin", "mesh": 0, "skin": 0},
    ]
    document = Document(nodes=nodes, scenes=[{"nodes": [0]}], skins=[{"joints": [2, 3, 4, 5]}])
    corner = document.accessor(np.eye(3), min=[0, 0, 0], max=[1, 1, 1])
    targets = [{"POSITION": corner}, {"POSITION": corner}]
    document.json["meshes"] = [
        {
            "primitives": [{"attributes": {"POSITION": corner}, "targets": targets}],
            "extras": {"targetNames": ["Angry", "Sad"]},
        }
    ]
    times = np.arange(frames) / 24
    document.animate(
        "walk",
        (2, "translation", times, 0.02 + 0.01 * rng.standard_normal((frames, 3)), "LINEAR"),
        *((j, "rotation", times, [quaternion() for _ in times], "LINEAR") for j in (2, 3, 4, 5)),
        (6, "weights", times, rng.uniform(0, 1, 2 * frames), "LINEAR"),
    )
    return document


def chain(document: dict, local: dict[int, np.ndarray]) -> dict[str, np.ndarray]:
    """World matrices by name: an oracle of its own, one 4×4 product after the other."""
    nodes = document["nodes"]
    parent = {c: i for i, n in enumerate(nodes) for c in n.get("children", [])}

    def world(i: int) -> np.ndarray:
        return (world(parent[i]) if i in parent else np.eye(4)) @ local.get(i, matrix(nodes[i]))

    return {n.get("name", str(i)): world(i) for i, n in enumerate(nodes)}


def matrix(node: dict, **changed: Any) -> np.ndarray:
    """The local matrix of a node."""
    node = node | changed
    x, y, z, w = node.get("rotation", [0, 0, 0, 1])
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    out = np.eye(4)
    out[:3, :3] = turn * np.array(node.get("scale", [1, 1, 1]))
    out[:3, 3] = node.get("translation", [0, 0, 0])
    return out


JSON_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False), st.text(max_size=4),
    st.integers(0, 8), st.just([]), st.just({}), st.just([None]), st.just("1e999999999"), st.just([[0]]),
)  # fmt: skip


def places(value: Any, path: tuple = ()) -> Any:
    """Every place in a JSON value."""
    yield path
    if isinstance(value, (dict, list)):
        for k in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[k], (*path, k))


def replaced(value: Any, path: tuple, new: Any) -> Any:
    """The value with one place changed."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy
