"""The glTF 2.0 container: GLB files in and out, accessors as arrays. Knows nothing of bodies."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError
from kinesics.formats._encode import from_json, to_json, whole

_MAGIC, _JSON, _BIN = b"glTF", b"JSON", b"BIN\0"
_TYPES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_COMPONENTS: dict[int, str] = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_CODES = {np.dtype(text): code for code, text in _COMPONENTS.items()}
_LARGEST = 2**32 - 1


class Glb:
    """A GLB file as read: its JSON and its binary chunk.

    Parameters
    ----------
    path
        The file, for messages.
    json
        The parsed JSON chunk, a mapping.
    data
        The binary chunk; empty when there is none.
    """

    def __init__(self, path: Path, json: dict[str, Any], data: memoryview) -> None:
        self.path, self.json, self.data = path, json, data

    def wrong(self, where: str, error: object) -> FormatError:
        return FormatError(self.path, where, "valid glTF 2.0", f"the file is damaged ({error})")

    def entry(self, kind: str, index: Any) -> dict[str, Any]:
        """Element ``index`` of the top-level list ``kind``; a FormatError when there is none."""
        found = self.json.get(kind)
        if not isinstance(found, list) or isinstance(index, bool) or not isinstance(index, int):
            raise self.wrong(kind, f"index {index!r:.40}")
        if not 0 <= index < len(found) or not isinstance(found[index], dict):
            raise self.wrong(f"{kind}[{index}]", "there is no such element")
        return found[index]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """All elements of the top-level list ``kind``."""
        found = self.json.get(kind, [])
        if not isinstance(found, list) or not all(isinstance(e, dict) for e in found):
            raise self.wrong(kind, "not a list of objects")
        return found

    def view(self, index: Any) -> memoryview:
        """The bytes of a buffer view."""
        view = self.entry("bufferViews", index)
        try:
            begin, length = whole(view.get("byteOffset", 0)), whole(view.get("byteLength"))
            if view.get("buffer") != 0:
                raise ValueError("only the buffer within the file is read")
            if begin + length > len(self.data):
                raise ValueError(f"ends at byte {begin + length} of {len(self.data)}")
        except ValueError as error:
            raise self.wrong(f"bufferViews[{index}]", error) from error
        return self.data[begin : begin + length]

    def array(self, index: Any) -> NDArray[Any]:
        """An accessor's elements (N, components); normalised integers become float32."""
        about = self.entry("accessors", index)
        where = f"accessors[{index}]"
        try:
            dtype = np.dtype(_COMPONENTS[about["componentType"]])
            width = _TYPES[about["type"]]
            count, offset = whole(about.get("count")), whole(about.get("byteOffset", 0))
        except (KeyError, TypeError, ValueError) as error:
            raise self.wrong(where, repr(error)) from error
        if "sparse" in about or "bufferView" not in about:
            raise self.wrong(where, "a sparse animation is not read")
        size = dtype.itemsize * width
        stride = self.entry("bufferViews", about["bufferView"]).get("byteStride", size)
        data = self.view(about["bufferView"])
        if isinstance(stride, bool) or not isinstance(stride, int) or not size <= stride <= 252:
            raise self.wrong(where, f"byteStride {stride!r:.40}")
        if count and offset + stride * (count - 1) + size > len(data):
            raise self.wrong(where, f"{count} elements do not fit into {len(data)} bytes")
        raw = (
            np.ndarray((count, width), dtype, data, offset, (stride, dtype.itemsize))
            if count
            else np.empty((0, width), dtype)
        )
        if about.get("normalized") is True and dtype.kind in "iu":
            return np.maximum(raw.astype(np.float32) / np.float32(np.iinfo(dtype).max), np.float32(-1))
        return raw


def read_glb(path: Path) -> Glb:
    """Read the container; a FormatError when it is not GLB 2 or is cut off."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(20)
        if len(head) < 20 or head[:4] != _MAGIC:
            raise FormatError(path, "byte 0", "glTF", "check that this is a binary glTF 2.0 file")
        version, total, length = struct.unpack("<III", head[4:16])
        if version != 2 or head[16:20] != _JSON:
            raise FormatError(path, "byte 4", "version 2 and a JSON chunk", "convert it to glTF 2.0")
        if total > size or 20 + length > size:
            raise FormatError(
                path,
                "byte 8",
                f"{max(total, 20 + length)} bytes, found {size}",
                "the file is cut off; copy it again",
            )
        raw = file.read(length)
        try:
            json = from_json(raw)
            if not isinstance(json, dict):
                raise ValueError("not an object")
        except ValueError as error:
            raise FormatError(
                path, "JSON chunk (byte 20)", "a JSON object", f"the file is damaged ({error})"
            ) from error
        head = file.read(8)
        data = memoryview(b"")
        if len(head) == 8 and head[4:] == _BIN:
            (length,) = struct.unpack("<I", head[:4])
            if file.tell() + length > size:
                raise FormatError(
                    path, f"byte {file.tell()}", f"{length} bytes", "the file is cut off; copy it again"
                )
            data = memoryview(file.read(length))
    return Glb(path, json, data)


class Appender:
    """A GLB to be written: a copy of another's JSON, its data, and whatever is added to them."""

    def __init__(self, base: Glb) -> None:
        # Only lists that grow are copied; what is in them is never changed.
        self.json = dict(base.json)
        self._chunks: list[Any] = [base.data]
        self._size = len(base.data)
        for kind in ("bufferViews", "accessors"):
            self.json[kind] = list(base.entries(kind))

    def view(self, data: Any) -> int:
        """Add bytes; return the index of their buffer view. Large data is kept, not copied."""
        pad = bytes(-self._size % 4)
        data = memoryview(data).cast("B")
        self.json["bufferViews"].append(
            {"buffer": 0, "byteOffset": self._size + len(pad), "byteLength": len(data)}
        )
        self._chunks += [pad, data]
        self._size += len(pad) + len(data)
        return len(self.json["bufferViews"]) - 1

    def accessor(self, array: NDArray[Any], *, normalized: bool = False, bounds: bool = False) -> int:
        """Add an array (N,) or (N, components) for an animation; return its accessor's index."""
        array = np.ascontiguousarray(array)
        kind = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}[1 if array.ndim == 1 else array.shape[1]]
        about: dict[str, Any] = {
            "bufferView": self.view(array.reshape(-1).view(np.uint8)),
            "componentType": _CODES[array.dtype],
            "count": len(array),
            "type": kind,
        }
        if normalized:
            about["normalized"] = True
        if bounds:
            about |= {"min": [float(array.min())], "max": [float(array.max())]}
        self.json["accessors"].append(about)
        return len(self.json["accessors"]) - 1

    def write(self, file: BinaryIO) -> None:
        """Write the container."""
        tail = bytes(-self._size % 4)
        self.json["buffers"] = [{"byteLength": self._size + len(tail)}]
        text = to_json(self.json, "this performance")
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + self._size + len(tail)
        if total > _LARGEST:
            raise DataError(
                f"a GLB holds at most 4 GiB and this one needs {total / 2**30:.1f}; save slices, or a .kin"
            )
        file.write(struct.pack("<4sIII4s", _MAGIC, 2, total, len(text), _JSON))
        file.write(text)
        file.write(struct.pack("<I4s", self._size + len(tail), _BIN))
        for chunk in (*self._chunks, tail):
            file.write(chunk)


def targets_of(mesh: dict[str, Any]) -> Sequence[str]:
    """Morph target names of a mesh, or nothing when it has none."""
    extras = mesh.get("extras")
    found = extras.get("targetNames") if isinstance(extras, dict) else None
    return found if isinstance(found, list) and all(isinstance(n, str) for n in found) else []
