"""Writing files whole or not at all, reading them without trusting them, and long arrays that lie on disk."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError

_HELD = 8_000_000
"""Numbers of a long array that are held in memory, 32 MB; a longer one lies in a file without a name, mapped."""
_BLOCK = 1 << 20


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file for writing that takes ``path``'s place only once it is complete.

    The bytes go to a hidden file in the same folder, reach the disk, and are renamed over
    ``path``. When anything goes wrong (a full disk, an interrupt, an error in the writer) the
    hidden file is removed and what was at ``path`` stays as it was.

    Raises
    ------
    DataError
        If the folder or the disk does not take the file.
    """
    path = Path(path)
    writable(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(path))
        os.replace(name, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def writable(path: Path) -> None:
    """Make sure, before any work, that a file can be written at ``path``; make missing folders.

    Raises
    ------
    DataError
        If ``path`` is a folder, a pipe or a device, no system could have such a name, or its folder cannot
        be made or written to.
    """
    try:
        with suppress(FileNotFoundError):
            os.lstat(path)  # tells names that are too long, hold a NUL byte or half a character
        if path.is_dir():
            raise DataError(f"cannot write {path}: it is a folder; name a file in it")
        if path.exists() and not path.is_file():
            raise DataError(f"cannot write {path}: it is a pipe or device; name a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Asking the system beats asking for permissions: it also knows read-only mounts.
        handle, probe = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise _cannot_write(path, error) from error
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"cannot write {str(path)!r}: {error}; choose another name") from error


def existing(path: Path, what: str) -> Path:
    """Return ``path`` if it is a file, else raise a FormatError."""
    if path.is_dir():
        raise FormatError(path, "path", f"{what}, found a folder", "name a file in it")
    if path.exists() and not path.is_file():
        raise FormatError(path, "path", f"{what}, found a pipe or device", "write it to a file first")
    if not path.is_file():
        raise FormatError(path, "path", f"{what}, found nothing", "check the path")
    return path


class Scratch:
    """Rows (N, C) of float32 that grow; a long array lies in a temporary file that is mapped, and gone with it.

    Examples
    --------
    >>> kept = Scratch()
    >>> kept.add(np.ones((2, 1), np.float32)); kept.add(np.zeros((1, 1), np.float32))
    >>> len(kept), kept.whole()[:, 0].tolist()
    (3, [1.0, 1.0, 0.0])
    """

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float32]] = []
        self._file: IO[bytes] | None = None
        self._length = self._held = self._columns = 0

    def __len__(self) -> int:
        return self._length

    def add(self, rows: NDArray[np.float32]) -> None:
        """Add rows."""
        self._parts.append(rows)
        self._length, self._columns = self._length + len(rows), rows.shape[1]
        self._held += rows.size
        if self._held > (_HELD if self._file is None else _BLOCK):
            self._keep()

    def _keep(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="kinesics-")  # noqa: SIM115 it lives as long as what is mapped
        for part in self._parts:
            self._file.write(part.tobytes())
        self._parts, self._held = [], 0

    def whole(self, *, mode: str = "r") -> NDArray[np.float32]:
        """All rows; where they are mapped, read-only (``"r"``) or not (``"r+"``)."""
        if self._file is None:
            return np.concatenate(self._parts)
        self._keep()
        self._file.flush()
        return np.memmap(self._file, np.float32, mode, shape=(self._length, self._columns))  # type: ignore[call-overload]


def passing(array: NDArray[Any], size: int = _BLOCK) -> Iterator[tuple[int, NDArray[Any]]]:
    """(number of the first row, at most ``size`` rows) of an array, one part after the other.

    Where the array is mapped from a file, memory lets go of each part after its use: it does not grow with the array.
    """
    for first in range(0, len(array), size):
        yield first, array[first : first + size]
        let_go(array)


def let_go(array: NDArray[Any]) -> None:
    """Let memory go of an array that is mapped from a file; what is read again comes back by itself."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def _cannot_write(path: Path, error: OSError) -> DataError:
    try:
        kept = "; the file that was there is untouched" if path.is_file() else ""
    except OSError:
        kept = ""
    return DataError(f"cannot write {path}: {error.strerror or error}{kept}")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
