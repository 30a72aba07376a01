"""The glTF 2.0 container: files in and out, accessors as arrays. Knows nothing of bodies."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError
from kinesics.formats._encode import from_json, to_json, whole

_MAGIC, _JSON, _BIN = b"glTF", b"JSON", b"BIN\0"
_TYPES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_COMPONENTS: dict[int, str] = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_CODES = {np.dtype(text): code for code, text in _COMPONENTS.items()}
_LARGEST = 2**32 - 1
MOST_JSON = 256_000_000
"""Bytes of a .gltf that are read."""


class Glb:
    """A glTF file as read: its JSON and its buffers.

    Parameters
    ----------
    path
        The file, for messages.
    json
        The parsed JSON, a mapping.
    data
        The binary chunk of a GLB; None when there is none.
    """

    def __init__(self, path: Path, json: dict[str, Any], data: memoryview | None) -> None:
        self.path, self.json = path, json
        self.data = memoryview(b"") if data is None else data
        self._in_chunk = data is not None
        self._embedded: dict[int, memoryview] = {}
        self._files: dict[Path, memoryview] = {}

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

    def buffer(self, index: Any) -> memoryview:
        """The bytes of a buffer: the binary chunk, a data URI, or a file beside this one."""
        about = self.entry("buffers", index)
        where = f"buffers[{index}].uri"
        uri = about.get("uri")
        if uri is None and index == 0 and self._in_chunk:
            return self.data
        if not isinstance(uri, str):
            raise self.wrong(where, "no bytes")
        if uri[:5].lower() == "data:":
            if index not in self._embedded:
                head, _, body = uri.partition(",")
                if not head.lower().endswith(";base64"):
                    raise FormatError(self.path, where, "base64", "export it as .glb")
                try:
                    self._embedded[index] = memoryview(base64.b64decode(body, validate=True))
                except ValueError as error:  # binascii.Error is one
                    raise self.wrong(where, error) from error
            return self._embedded[index]
        file = self._beside(where, uri)
        if file not in self._files:
            try:
                self._files[file] = memoryview(file.read_bytes())
            except OSError as error:
                raise FormatError(self.path, where, f"a readable file {uri!r:.80}", str(error)) from error
        return self._files[file]

    def _beside(self, where: str, uri: str) -> Path:
        """The file that a relative URI names, if it lies in this file's own folder."""
        expected = "the name of a file in the same folder"
        name = unquote(uri)
        parts = PurePosixPath(name).parts
        if not parts or any(c in name for c in ":\\\0") or name.startswith("/") or ".." in parts:
            raise FormatError(
                self.path, where, expected, f"{uri!r:.80} points elsewhere and is never followed"
            )
        folder = self.path.parent.resolve()
        file = folder.joinpath(*parts).resolve()
        if not file.is_relative_to(folder):
            raise FormatError(
                self.path, where, expected, f"{uri!r:.80} leads out of it and is never followed"
            )
        if not file.is_file():
            raise FormatError(self.path, where, expected, f"{uri!r:.80} is not there: copy it beside")
        return file

    def view(self, index: Any) -> memoryview:
        """The bytes of a buffer view."""
        view = self.entry("bufferViews", index)
        try:
            begin, length = whole(view.get("byteOffset", 0)), whole(view.get("byteLength"))
            data = self.buffer(view.get("buffer"))
            if begin + length > len(data):
                raise ValueError(f"ends at byte {begin + length} of {len(data)}")
        except FormatError:
            raise
        except ValueError as error:
            raise self.wrong(f"bufferViews[{index}]", error) from error
        return data[begin : begin + length]

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
        if "bufferView" in about:
            raw = self._strided(where, about["bufferView"], offset, count, width, dtype)
        else:
            # Zeros take no bytes in the file, so that only its size can bound them.
            if count * width * dtype.itemsize > max(64 * self.bytes(), 1 << 20):
                raise self.wrong(where, f"{count} elements without data")
            raw = np.zeros((count, width), dtype)
        if "sparse" in about:
            raw = self._sparse(where, about["sparse"], raw)
        if about.get("normalized") is True and dtype.kind in "iu":
            return np.maximum(raw.astype(np.float32) / np.float32(np.iinfo(dtype).max), np.float32(-1))
        return raw

    def bytes(self) -> int:
        """Size of the file and of what was read beside it."""
        return self.path.stat().st_size + sum(len(b) for b in self._files.values())

    def _strided(
        self, where: str, view: Any, offset: int, count: int, width: int, dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        size = dtype.itemsize * width
        stride = self.entry("bufferViews", view).get("byteStride", size)
        data = self.view(view)
        if isinstance(stride, bool) or not isinstance(stride, int) or not size <= stride <= 252:
            raise self.wrong(where, f"byteStride {stride!r:.40}")
        if not count:
            return np.empty((0, width), dtype)
        if offset + stride * (count - 1) + size > len(data):
            raise self.wrong(where, f"{count} elements do not fit into {len(data)} bytes")
        return np.ndarray((count, width), dtype, data, offset, (stride, dtype.itemsize))

    def _sparse(self, where: str, about: Any, base: NDArray[Any]) -> NDArray[Any]:
        where += ".sparse"
        try:
            count = whole(about["count"], len(base))
            places, values = about["indices"], about["values"]
            kind = np.dtype(_COMPONENTS[places["componentType"]])
            if kind.kind != "u":
                raise ValueError(f"indices of type {kind}")
            offsets = whole(places.get("byteOffset", 0)), whole(values.get("byteOffset", 0))
            views = places["bufferView"], values["bufferView"]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise self.wrong(where, repr(error)) from error
        index = self._strided(where, views[0], offsets[0], count, 1, kind)[:, 0]
        if count and int(index.max()) >= len(base):
            raise self.wrong(where, f"element {int(index.max())} of {len(base)}")
        out = base.copy()
        out[index] = self._strided(where, views[1], offsets[1], count, base.shape[1], base.dtype)
        return out


def read_gltf(path: Path) -> Glb:
    """Read GLB or JSON glTF, whichever the file is; a FormatError when it is neither."""
    with path.open("rb") as file:
        binary = file.read(4) == _MAGIC
    if binary or path.suffix.lower() != ".gltf":
        return read_glb(path)
    size = path.stat().st_size
    if size > MOST_JSON:
        raise FormatError(
            path, "size", f"at most {MOST_JSON / 1e6:.0f} MB, found {size / 1e6:.0f}", "export it as .glb"
        )
    try:
        json = from_json(path.read_bytes())
        if not isinstance(json, dict) or not isinstance(json.get("asset"), dict):
            raise ValueError("no glTF asset")
    except ValueError as error:
        raise FormatError(path, "JSON", "a glTF 2.0 document", f"the file is damaged ({error})") from error
    if str(json["asset"].get("version", "")).split(".")[0] != "2":
        raise FormatError(
            path,
            "asset.version",
            f"2.0, found {json['asset'].get('version')!r:.20}",
            "convert it to glTF 2.0",
        )
    return Glb(path, json, None)


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
        data: memoryview | None = None
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
        others = [i for i, b in enumerate(base.entries("buffers")) if i or "uri" in b]
        if others:
            raise FormatError(
                base.path, f"buffers[{others[0]}]", "everything in the binary chunk", "export it as one .glb"
            )
        for kind in ("bufferViews", "accessors"):
            self.json[kind] = list(base.entries(kind))
        self.json.pop("animations", None)  # this one's own take their place

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
        self._describe({"byteLength": self._size + len(tail)})
        text = to_json(self.json, "this performance")
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + (8 + self._size + len(tail) if self._size else 0)
        if total > _LARGEST:
            raise DataError(
                f"a GLB holds at most 4 GiB and this one needs {total / 2**30:.1f}; save slices, or a .kin"
            )
        file.write(struct.pack("<4sIII4s", _MAGIC, 2, total, len(text), _JSON))
        file.write(text)
        if not self._size:
            return
        file.write(struct.pack("<I4s", self._size + len(tail), _BIN))
        for chunk in (*self._chunks, tail):
            file.write(chunk)

    def _describe(self, buffer: dict[str, Any]) -> None:
        if self._size:
            self.json["buffers"] = [buffer]
        for kind in ("bufferViews", "accessors"):  # glTF has no empty lists
            if not self.json.get(kind):
                self.json.pop(kind, None)

    def write_json(self, file: BinaryIO) -> None:
        """Write the same as JSON, the buffer within it in base64."""
        data = base64.b64encode(b"".join(bytes(chunk) for chunk in self._chunks)).decode()
        self._describe({"byteLength": self._size, "uri": f"data:application/octet-stream;base64,{data}"})
        file.write(to_json(self.json, "this performance"))


def targets_of(mesh: dict[str, Any]) -> Sequence[str]:
    """Morph target names of a mesh, or nothing when it has none."""
    extras = mesh.get("extras")
    found = extras.get("targetNames") if isinstance(extras, dict) else None
    return found if isinstance(found, list) and all(isinstance(n, str) for n in found) else []
