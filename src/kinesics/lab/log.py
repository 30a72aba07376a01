"""The log of a training: one JSON object per line, and TensorBoard's files where it is installed."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import IO, Any

from kinesics.errors import DataError


class Log:
    """Numbers by step.

    Parameters
    ----------
    path
        The ``.jsonl`` file; TensorBoard's files go to a folder of the same name without the ending.
    done
        Updates made so far: lines of later ones, of a run that was killed, are dropped.
    """

    def __init__(self, path: Path, done: int) -> None:
        self._path, self._file = path, self._opened(path, done)
        self._board: Any = None
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(path.with_suffix("")), purge_step=done)

    @staticmethod
    def _opened(path: Path, done: int) -> IO[str]:
        kept = [line for line in read(path) if line["step"] <= done] if done and path.is_file() else []
        text = "".join(json.dumps(line) + "\n" for line in kept)
        try:
            path.write_text(text, encoding="utf-8")
            return path.open("a", encoding="utf-8")
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error

    def add(self, step: int, kind: str, numbers: dict[str, float]) -> None:
        """Write a line: after ``step`` updates, of ``kind`` ``"train"`` or ``"val"``."""
        try:
            self._file.write(json.dumps({"step": step, "kind": kind, **numbers}) + "\n")
            self._file.flush()
        except OSError as error:
            raise DataError(f"cannot write {self._path}: {error.strerror or error}") from error
        if self._board is not None:
            for name, value in numbers.items():
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        """Bring everything to the disk."""
        with self._file:
            os.fsync(self._file.fileno())
        if self._board is not None:
            self._board.close()


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a log; one that a killed run left unfinished is left out."""
    out = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("step"), int):
            out.append(found)
    return out
