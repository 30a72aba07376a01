"""Folders of arrays made from a corpus: there whole or not at all, whoever makes them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from kinesics.errors import DataError


def kept_folder(corpus: Path, kind: str, key: str) -> Path:
    """Where what is kept of a corpus lies."""
    return corpus / f".{kind}" / key


def keep(folder: Path, last: str, fill: Callable[[Path], None]) -> None:
    """Make ``folder`` by filling another one that then takes its place.

    Parameters
    ----------
    folder
        The new folder; if another process makes it meanwhile, its work is as good.
    last
        The file in it that is written last.
    fill
        Writes all files into the folder it is given.

    Raises
    ------
    DataError
        If the disk does not take it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".part", dir=folder.parent))
    except OSError as error:
        raise _cannot(folder, error) from error
    try:
        fill(work)
        if folder.exists() and not (folder / last).is_file():
            shutil.rmtree(folder)
        try:
            os.replace(work, folder)
        except OSError:
            if not (folder / last).is_file():
                raise
    except OSError as error:
        raise _cannot(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _cannot(folder: Path, error: OSError) -> DataError:
    return DataError(f"cannot keep arrays in {folder}: {error.strerror or error}")
