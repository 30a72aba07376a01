"""The one reader of pickles: a machine of its own that builds plain data and can call nothing.

Official model and data files come as ``.pkl`` (SMPL, MANO, AIST++, SHOW, SignAvatars) and ``.pt`` (torch). Python's
unpickler runs what such a file names. Here every instruction is looked at by :func:`pickletools.genops`,
which executes nothing, and only this is built: numbers, text, bytes, lists, tuples, dicts, sets, numpy arrays and
scalars of numbers or text, torch tensors (as numpy arrays, without torch), and, for body models, what chumpy
and scipy.sparse objects hold (as numpy arrays). A file that names anything else is refused with the name.

Lengths are checked against what is in the file, and instructions, nesting of keys and memory are limited, so that
a small file stays small. Arrays are views of the file's own bytes and read-only. Lists may share elements, as
pickles can: do not walk them without a limit (:func:`array_of` has one).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError
from kinesics.formats._npz import Archive
from kinesics.formats._pickle_machine import (
    KINDS,
    MOST_NUMBERS,
    TORCH,
    Global,
    Machine,
    Storage,
    Wrong,
    shape_of,
)

MOST_BYTES = 512_000_000
_LEGACY = 0x1950A86A20F9469CFC6C  # what a .pt file before torch 1.6 begins with
_ZIP = b"PK\x03\x04"


def load_pickle(path: str | Path, *, most: int = MOST_BYTES) -> Any:
    """What a ``.pkl`` file holds, as plain data.

    Parameters
    ----------
    path
        The file, of any pickle protocol, written by Python 2 or 3.
    most
        Bytes above which it is refused.

    Returns
    -------
    object
        Numbers, text, bytes, lists, tuples, dicts, sets and read-only numpy arrays. Text that Python 2
        wrote as bytes is decoded as Latin-1.

    Raises
    ------
    FormatError
        If it is no pickle, is cut off, or names a class or function that is not allowed.
    """
    path = Path(path)
    data = _data(path, most)
    return Machine(path, io.BytesIO(data), len(data)).run()


def load_torch(path: str | Path, *, most: int = MOST_BYTES) -> Any:
    """What a torch file (``.pt``, ``.pth``; zipped or of the time before 1.6) holds; tensors as numpy arrays.

    Raises
    ------
    FormatError
        As :func:`load_pickle`; also over code (TorchScript) and tensors that are not dense numbers.
    """
    path = Path(path)
    with path.open("rb") as file:
        if file.read(4) == _ZIP:
            return _zipped_torch(path, file, most)
    data = _data(path, most)
    return _legacy_torch(path, data)


def array_of(value: Any) -> NDArray[Any] | None:
    """An array, number, text, or list of numbers or of equally long arrays, as an array; else None."""
    if isinstance(value, (np.ndarray, np.generic, bool, int, float, str, bytes)):
        array = np.asarray(value)
        return array if array.dtype.kind in KINDS else None
    if not isinstance(value, (list, tuple)) or not value:
        return None
    if all(isinstance(v, (bool, int, float, np.number)) for v in value):
        array = np.array(value)
        return array if array.dtype.kind in KINDS else None
    rows = [v if isinstance(v, np.ndarray) else np.array(v) if _is_row(v) else None for v in value]
    first = rows[0]
    if first is None or len(rows) * first.size > MOST_NUMBERS or first.dtype.kind not in KINDS:
        return None
    if any(r is None or r.shape != first.shape or r.dtype.kind not in KINDS for r in rows):
        return None
    return np.stack(rows)  # type: ignore[arg-type]


def _is_row(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) <= 4096
        and all(isinstance(v, (bool, int, float, np.number)) for v in value)
    )


def _data(path: Path, most: int) -> bytes:
    size = path.stat().st_size
    if size > most:
        raise FormatError(
            path, "size", f"at most {most // 10**6} MB, found {size // 10**6}", "split the file"
        )
    return path.read_bytes()


def _storage_of(record: Any) -> tuple[str, str, int]:
    """Type, key and count of a torch storage that is named by a persistent id."""
    if not isinstance(record, tuple) or len(record) < 5 or record[0] != "storage":
        raise Wrong("a torch storage")
    kind, key, count = record[1], record[2], record[4]
    if not isinstance(kind, Global) or not kind.name.startswith("storage "):
        raise Wrong("a torch storage of plain numbers")
    if not isinstance(key, str):
        raise Wrong("the name of a torch storage")
    shape_of((count,))
    return TORCH[kind.name[8:]], key, count


def _zipped_torch(path: Path, file: IO[bytes], most: int) -> Any:
    archive = Archive(path, file, "torch file (.pt)")
    if sum(m.file_size for m in archive.members.values()) > most:
        raise archive.wrong("zip directory", f"at most {most // 10**6} MB unpacked")
    heads = [n for n in archive.members if n.rpartition("/")[2] == "data.pkl"]
    if len(heads) != 1:
        raise archive.wrong("zip directory", "one data.pkl")
    folder = heads[0].removesuffix("data.pkl")
    order = archive.bytes_of(f"{folder}byteorder") if f"{folder}byteorder" in archive.members else b"little"
    loaded: dict[str, bytes] = {}

    def storage(record: Any) -> Storage:
        kind, key, count = _storage_of(record)
        name = f"{folder}data/{key}"
        if name not in archive.members:
            raise Wrong(f"the storage {key[:40]!r}, found none")
        if key not in loaded:
            loaded[key] = archive.bytes_of(name)
        if len(loaded[key]) != count * np.dtype(kind).itemsize:
            raise Wrong(f"{count} numbers in the storage {key[:40]!r}, found {len(loaded[key])} bytes")
        return Storage(kind if order != b"big" else kind.replace("<", ">"), loaded[key], count)

    data = archive.bytes_of(heads[0])
    return Machine(path, io.BytesIO(data), path.stat().st_size, storage).run()


def _legacy_torch(path: Path, data: bytes) -> Any:
    stream = io.BytesIO(data)
    size = len(data)
    counts: dict[str, tuple[str, int]] = {}

    def later(record: Any) -> Storage:
        kind, key, count = _storage_of(record)
        counts[key] = kind, count
        return Storage(kind, None, count)

    if Machine(path, stream, size).run() != _LEGACY:
        raise _torch_wrong(path, 0, "a torch file")
    for _ in ("protocol", "system"):
        Machine(path, stream, size).run()
    begin = stream.tell()
    Machine(path, stream, size, later).run()
    # The storages come after what refers to them: read once to find them, once more to fill the tensors.
    keys = Machine(path, stream, size).run()
    if not isinstance(keys, list):
        raise _torch_wrong(path, stream.tell(), "the names of the storages")
    stored: dict[str, bytes] = {}
    for key in keys:
        kind, count = counts.get(key, (None, 0)) if isinstance(key, str) else (None, 0)
        if kind is None:
            raise _torch_wrong(path, stream.tell(), "the name of a storage that a tensor uses")
        length = count * np.dtype(kind).itemsize
        announced = int.from_bytes(stream.read(8), "little")
        stored[key] = stream.read(length) if announced == count and length <= size else b""
        if len(stored[key]) != length:
            raise _torch_wrong(path, stream.tell(), f"{count} numbers in the storage {key[:40]!r}")

    def storage(record: Any) -> Storage:
        kind, key, count = _storage_of(record)
        if key not in stored or len(stored[key]) != count * np.dtype(kind).itemsize:
            raise Wrong("a storage that is in the file")
        return Storage(kind, stored[key], count)

    stream.seek(begin)
    return Machine(path, stream, size, storage).run()


def _torch_wrong(path: Path, place: int, expected: str) -> FormatError:
    return FormatError(
        path, f"byte {place}", expected, "check the file, or save it again with torch 1.6 or newer"
    )
