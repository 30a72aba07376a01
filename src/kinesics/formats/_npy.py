"""NumPy's ``.npy``: the header is read strictly and checked against the file's size before any array is made."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError

_MAGIC = b"\x93NUMPY"
_MOST_HEADER = 4096
_MOST_BYTES = 256_000_000
_HEADER = re.compile(
    r"\{\s*'descr':\s*'(?P<dtype>[<>|=]?f[248])',\s*'fortran_order':\s*(?P<fortran>True|False),\s*"
    r"'shape':\s*\((?P<shape>[0-9, ]*)\),?\s*\}\s*"
)


def shape_of(path: Path) -> tuple[int, ...] | None:
    """Shape of the floats that a ``.npy`` file holds, or None where it is no such file. Never raises over a bad file."""
    try:
        return _header(path)[1]
    except FormatError:
        return None


def floats_of(path: Path) -> NDArray[np.floating]:
    """The array of a ``.npy`` file of floats.

    Raises
    ------
    FormatError
        If it is no ``.npy`` file, holds anything but floats (objects are never unpickled), or is not as
        long as its shape says.
    """
    dtype, shape, fortran, start = _header(path)
    count = math.prod(shape)
    if count * dtype.itemsize > _MOST_BYTES:
        raise FormatError(path, "size", f"at most {_MOST_BYTES / 1e6:.0f} MB", "split the file")
    found = path.stat().st_size - start
    if found != count * dtype.itemsize:
        raise FormatError(
            path,
            f"byte {start}",
            f"{count * dtype.itemsize} bytes for shape {shape}, found {found}",
            "copy the file again",
        )
    flat = np.fromfile(path, dtype=dtype, count=count, offset=start)
    return flat.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="), copy=False)


def _header(path: Path) -> tuple[np.dtype, tuple[int, ...], bool, int]:
    with path.open("rb") as file:
        head = file.read(12 + _MOST_HEADER)
    if len(head) < 10 or not head.startswith(_MAGIC) or head[6] not in (1, 2, 3):
        raise FormatError(path, "byte 0", "a NumPy array (.npy)", "save it with numpy.save")
    wide = head[6] > 1
    first = 12 if wide else 10
    start = first + int.from_bytes(head[8:first], "little")
    text = head[first:start].decode("latin-1")
    found = _HEADER.fullmatch(text) if start <= len(head) else None
    if found is None:
        raise FormatError(
            path,
            f"byte {first}",
            "a header that says floats (16, 32 or 64 bits)",
            "save it with numpy.save, as float32",
        )
    sizes = [s.strip() for s in found["shape"].split(",") if s.strip()]
    if any(not s.isdecimal() or len(s) > 12 for s in sizes):
        raise FormatError(
            path, f"byte {first}", f"a shape, found ({found['shape'][:40]})", "save it with numpy.save"
        )
    return np.dtype(found["dtype"]), tuple(map(int, sizes)), found["fortran"] == "True", start
