"""NumPy archives that nobody vouches for: sizes are checked before anything is unpacked, nothing is unpickled."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import FormatError

MOST_BYTES = 2_000_000_000
"""Bytes above which a member is refused, unpacked."""

MOST_MEMBERS = 10_000
_FREE = 64_000_000  # bytes that any file may unpack to; beyond it, so many times its own size
_MOST_RATIO = 100
_KINDS = "biufSU"
_HEADER = 10_000  # bytes, as in numpy itself
_MOST_DIMENSIONS = 32
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OverflowError,
    IndexError, OSError, struct.error,
)  # fmt: skip


class Archive:
    """A zip file whose directory has been checked: few members, none repeated, none that unpacks to absurd size.

    Members are read by name and never written to the disk, so that ``..`` in a name does nothing.

    Parameters
    ----------
    path
        The file.
    file
        The same, open for reading.
    what
        What it is in errors.

    Raises
    ------
    FormatError
        If it is no zip file or its directory is not plausible.
    """

    def __init__(self, path: Path, file: IO[bytes], what: str = "NumPy archive (.npz)") -> None:
        self.path, self.what = path, what
        try:
            self._zip = zipfile.ZipFile(file)
            members = self._zip.infolist()
        except _ZIP_ERRORS as error:
            raise self.wrong("zip directory", f"a {what} ({error})") from error
        size = file.seek(0, io.SEEK_END)
        if len(members) > MOST_MEMBERS:
            raise self.wrong("zip directory", f"at most {MOST_MEMBERS} members, found {len(members)}")
        most = min(MOST_BYTES, _FREE + _MOST_RATIO * size)
        total = sum(m.file_size for m in members)
        if total > most:
            raise self.wrong("zip directory", f"at most {most:,} bytes unpacked, found {total:,}")
        self.members = {m.filename: m for m in members}
        if len(self.members) != len(members):
            raise self.wrong("zip directory", "names that do not repeat")

    def wrong(self, where: str, expected: str) -> FormatError:
        """The error that names a place in this file."""
        return FormatError(
            self.path, where[:120], expected, "the file is damaged; export or download it again"
        )

    def bytes_of(self, name: str, *, most: int | None = None) -> bytes:
        """A member, unpacked (at most its first bytes); its length and checksum are what the directory says."""
        member = self.members[name]
        try:
            with self._zip.open(member) as stream:
                if most is not None and most < member.file_size:
                    return stream.read(most)
                # One byte more than announced, so that a member that lies is found out without unpacking it all.
                data = stream.read(member.file_size + 1)
        except _ZIP_ERRORS as error:
            raise self.wrong(f"member {name!r}", f"data that unpacks ({error})") from error
        if len(data) != member.file_size:
            raise self.wrong(f"member {name!r}", f"{member.file_size} bytes, found {len(data)}")
        return data


class Npz(Mapping[str, NDArray[Any]]):
    """The arrays of an open ``.npz`` file, each unpacked when it is asked for.

    An array of Python objects, which would have to be unpickled, is listed in ``refused`` and not among
    the keys: such members (lists of marker names in AMASS) do not keep the rest from being read.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._archive = Archive(path, file)
        self._members: dict[str, str] = {}
        self.refused: list[str] = []
        for name in self._archive.members:
            if name.endswith(".npy"):
                dtype = self._header(name, io.BytesIO(self._archive.bytes_of(name, most=_HEADER)))[1]
                key = name.removesuffix(".npy")
                if dtype.hasobject:
                    self.refused.append(key)
                else:
                    self._members[key] = name

    def _header(self, name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
        where = f"member {name!r}"
        try:
            version = np.lib.format.read_magic(stream)  # type: ignore[arg-type]
            if version not in _HEADERS:
                raise ValueError(f"version {version}")
            shape, fortran, dtype = _HEADERS[version](stream, max_header_size=_HEADER)  # type: ignore[arg-type]
        except (
            *_ZIP_ERRORS,
            SyntaxError,
            TypeError,
            RecursionError,
            MemoryError,
            tokenize.TokenError,
        ) as error:
            raise self._archive.wrong(where, f"an array of version 1 or 2 ({str(error)[:80]})") from error
        if not dtype.hasobject and (dtype.kind not in _KINDS or dtype.subdtype is not None):
            raise self._archive.wrong(where, f"numbers or text, found the type {str(dtype)[:40]}")
        whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape)
        # An empty array may not hide an absurd length either.
        if len(shape) > _MOST_DIMENSIONS or not whole or math.prod(n or 1 for n in shape) > MOST_BYTES:
            raise self._archive.wrong(where, f"the shape of an array, found {str(shape)[:60]}")
        return shape, dtype, fortran

    def __getitem__(self, key: str) -> NDArray[Any]:
        name = self._members[key]
        data = self._archive.bytes_of(name)
        stream = io.BytesIO(data)
        shape, dtype, fortran = self._header(name, stream)
        begin, length = stream.tell(), math.prod(shape) * dtype.itemsize
        if begin + length != len(data):
            raise self._archive.wrong(
                f"member {name!r}", f"{length} bytes for the shape {shape}, found {len(data) - begin}"
            )
        array = np.frombuffer(data, dtype, math.prod(shape), begin) if length else np.zeros(shape, dtype)
        return array.reshape(shape, order="F" if fortran else "C")

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


@contextmanager
def opened(path: Path) -> Iterator[Npz]:
    """Open an ``.npz`` file for as long as its arrays are being read.

    Raises
    ------
    FormatError
        Here, or when an array is asked for, if the file is not what it says.
    """
    with Path(path).open("rb") as file:
        yield Npz(Path(path), file)


def names_of(path: Path) -> frozenset[str]:
    """Names of the arrays of an ``.npz`` file, for recognising it; none where it is no such file."""
    try:
        with Path(path).open("rb") as file:
            names = Archive(Path(path), file).members
    except (FormatError, OSError):
        return frozenset()
    return frozenset(n.removesuffix(".npy") for n in names if n.endswith(".npy"))


def write_npz(file: BinaryIO, arrays: Mapping[str, ArrayLike]) -> None:
    """Write arrays as ``numpy.savez`` does, but the same bytes every time: no clock, no compression."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.external_attr, member.create_system = 0o644 << 16, 3
            stream = io.BytesIO()
            np.lib.format.write_array(stream, np.asarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(member, stream.getbuffer())
