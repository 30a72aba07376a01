"""The smallest file with all that the viewer shows: skin, morphs, animation, sound, tiers."""

from __future__ import annotations

import io
import json
import struct
import wave
from typing import Any

import numpy as np

FLOAT, BYTE, SHORT = 5126, 5121, 5123


class _Binary:
    """Collects buffer views and accessors."""

    def __init__(self) -> None:
        self.data, self.views, self.accessors = b"", [], []

    def view(self, raw: bytes) -> int:
        self.data += b"\0" * (-len(self.data) % 4)
        self.views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(raw)})
        self.data += raw
        return len(self.views) - 1

    def array(self, values: Any, dtype: str, component: int, kind: str) -> int:
        array = np.ascontiguousarray(values, dtype=dtype)
        flat = array.reshape(array.shape[0], -1)
        self.accessors.append(
            {
                "bufferView": self.view(array.tobytes()),
                "componentType": component,
                "count": len(array),
                "type": kind,
                "min": flat.min(0).tolist(),
                "max": flat.max(0).tolist(),
            }
        )
        return len(self.accessors) - 1


def tone(seconds: float = 2.0, rate: int = 16000, hertz: float = 220.0) -> bytes:
    """A WAV file of a quiet sine."""
    samples = (np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate) * 8000).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def _boxes() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A trunk on the first joint and a head on the second: positions, normals, triangles, joint of each."""
    positions, normals, triangles, joints = [], [], [], []
    for joint, (low, high) in enumerate(
        [((-0.22, 0, -0.12), (0.22, 1.4, 0.12)), ((-0.13, 1.42, -0.13), (0.13, 1.75, 0.13))]
    ):
        low, high = np.array(low), np.array(high)
        for axis in range(3):
            for side in (0, 1):
                a, b = [(1, 2), (2, 0), (0, 1)][axis]
                base = len(positions)
                for u, v in [(0, 0), (1, 0), (1, 1), (0, 1)]:
                    corner = np.empty(3)
                    corner[axis], corner[a], corner[b] = (
                        (low, high)[side][axis],
                        (low, high)[u][a],
                        (low, high)[v][b],
                    )
                    positions.append(corner)
                    normals.append(np.eye(3)[axis] * (2 * side - 1))
                    joints.append(joint)
                order = [0, 1, 2, 0, 2, 3] if side else [0, 2, 1, 0, 3, 2]
                triangles += [base + k for k in order]
    return np.array(positions), np.array(normals), np.array(triangles), np.array(joints)


def tiny_glb(
    *,
    seconds: float = 2.0,
    tiers: dict[str, list[list[Any]]] | None = None,
    sound: bool = True,
    extras: dict[str, Any] | None = None,
    name: str = "turn",
) -> bytes:
    """Write the file.

    Parameters
    ----------
    seconds
        Length of animation and sound.
    tiers
        Intervals ``[start, end, label, value, confidence]`` by tier name; None writes a foreign file
        without anything of Kinesics.
    sound
        With a tone inside.
    extras
        More keys of ``extras.kinesics``, or others to replace the right ones.
    name
        Name of the animation.

    Returns
    -------
    bytes
        A binary glTF file.
    """
    binary = _Binary()
    positions, normals, triangles, joints = _boxes()
    count = len(positions)
    smaller = np.where(joints[:, None] == 1, positions * [-0.4, 0, 0], 0.0)
    attributes = {
        "POSITION": binary.array(positions, "<f4", FLOAT, "VEC3"),
        "NORMAL": binary.array(normals, "<f4", FLOAT, "VEC3"),
        "JOINTS_0": binary.array(np.column_stack([joints, np.zeros((count, 3))]), "u1", BYTE, "VEC4"),
        "WEIGHTS_0": binary.array(np.tile([1, 0, 0, 0], (count, 1)), "<f4", FLOAT, "VEC4"),
    }
    indices = binary.array(triangles[:, None], "<u2", SHORT, "SCALAR")
    targets = [{"POSITION": binary.array(smaller, "<f4", FLOAT, "VEC3")} for _ in range(2)]
    places = np.array([[0, 0.9, 0], [0, 1.42, 0]])
    inverse = np.tile(np.eye(4), (2, 1, 1))
    inverse[:, :3, 3] = -places
    bind = binary.array(inverse.transpose(0, 2, 1).reshape(2, 16), "<f4", FLOAT, "MAT4")

    times = np.linspace(0, seconds, round(seconds * 30) + 1)
    angle = np.sin(2 * np.pi * times / max(seconds, 1e-6)) * 0.8
    clock = binary.array(times[:, None], "<f4", FLOAT, "SCALAR")
    turn = binary.array(
        np.column_stack([0 * angle, np.sin(angle / 2), 0 * angle, np.cos(angle / 2)]), "<f4", FLOAT, "VEC4"
    )
    weights = binary.array(np.column_stack([abs(angle), 0 * angle]).reshape(-1, 1), "<f4", FLOAT, "SCALAR")

    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "kinesics tests"},
        "scene": 0,
        "scenes": [{"nodes": [0, 2]}],
        "nodes": [
            {"name": "hips", "translation": places[0].tolist(), "children": [1]},
            {"name": "head", "translation": (places[1] - places[0]).tolist()},
            {"name": "figure", "mesh": 0, "skin": 0},
        ],
        "skins": [{"joints": [0, 1], "inverseBindMatrices": bind}],
        "materials": [
            {
                "name": "clay",
                "pbrMetallicRoughness": {
                    "baseColorFactor": [0.8, 0.35, 0.2, 1],
                    "metallicFactor": 0,
                    "roughnessFactor": 0.6,
                },
            }
        ],
        "meshes": [
            {
                "primitives": [
                    {"attributes": attributes, "indices": indices, "targets": targets, "material": 0}
                ],
                "weights": [0, 0],
                "extras": {"targetNames": ["jawOpen", "eyeBlinkLeft"]},
            }
        ],
        "animations": [
            {
                "name": name,
                "samplers": [{"input": clock, "output": turn}, {"input": clock, "output": weights}],
                "channels": [
                    {"sampler": 0, "target": {"node": 1, "path": "rotation"}},
                    {"sampler": 1, "target": {"node": 2, "path": "weights"}},
                ],
            }
        ],
    }
    if tiers is not None:
        ours: dict[str, Any] = {
            "version": 1,
            "duration": seconds,
            "tiers": [{"name": key, "intervals": value} for key, value in tiers.items()],
        }
        if sound:
            ours["audio"] = {"bufferView": binary.view(tone(seconds)), "mimeType": "audio/wav"}
        document["extras"] = {"kinesics": ours | (extras or {})}
    binary.data += b"\0" * (-len(binary.data) % 4)
    document |= {
        "bufferViews": binary.views,
        "accessors": binary.accessors,
        "buffers": [{"byteLength": len(binary.data)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(binary.data)
    return (
        struct.pack("<4sII", b"glTF", 2, total)
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(binary.data), b"BIN\0")
        + binary.data
    )
