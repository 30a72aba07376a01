"""Writing files whole or not at all, and reading them without trusting them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kinesics.errors import DataError, FormatError


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
