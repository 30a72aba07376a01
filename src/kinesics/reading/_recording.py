"""What was found in each picture, kept on disk, so that memory does not grow with a video and a killed reading goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError
from kinesics.files import replacing
from kinesics.see.face_shape import PATCH
from kinesics.see.landmarks import FACE_POINTS, HAND_POINTS, POSE_POINTS
from kinesics.see.tracking import Followed, Tracker

ROW = np.dtype(
    [
        ("landmarks", np.float32, (FACE_POINTS, 3)),
        ("face_box", np.float32, (4,)),
        ("face_score", np.float32),
        ("patch", np.uint8, (PATCH, PATCH)),
        ("mouth", np.uint8, (PATCH, PATCH)),
        ("eyes", np.uint8, (PATCH, 2 * PATCH)),
        *((f"hand_{side}{what}", np.float32, shape) for side in ("left", "right") for what, shape in
          (("", (HAND_POINTS, 3)), ("_3d", (HAND_POINTS, 3)), ("_score", ()))),
        ("pose", np.float32, (POSE_POINTS, 3)),
        ("pose_3d", np.float32, (POSE_POINTS, 3)),
        ("pose_sure", np.float32, (POSE_POINTS,)),
    ]
)  # fmt: skip
"""What is kept of a person in a picture; a score of 0: not there."""

_STATE = "reading.json"


class Recording:
    """Rows, a file for each person, in a folder; a person's file ends when they were last seen.

    Parameters
    ----------
    folder
        New, or of a reading that was interrupted.
    told
        What is read, and how: a recording of anything else is begun anew.

    Attributes
    ----------
    frames
        Pictures that are kept.
    lost
        Numbers of pictures that could not be decoded.
    """

    def __init__(self, folder: Path, told: dict[str, Any]) -> None:
        self.folder, self._told = folder, told
        self.frames, self.lost, self.people = 0, [], []  # type: ignore[var-annotated]
        self._files: dict[int, BinaryIO] = {}
        self._begun: dict[int, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        state = folder / _STATE
        if state.is_file():
            self._resume(state)

    def _resume(self, state: Path) -> None:
        try:
            kept = json.loads(state.read_text(encoding="utf-8"))
            if kept["told"] != self._told:
                return
            self.frames, self.lost = int(kept["frames"]), [int(n) for n in kept["lost"]]
            self.people = [dict(p) for p in kept["people"]]
            self._begun = {int(k): int(v) for k, v in kept["begun"].items()}
            for number, first in self._begun.items():
                path = self._path(number)
                os.truncate(path, min(path.stat().st_size, (self.frames - first) * ROW.itemsize))
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise FormatError(state, "content", "the state of a reading", f"delete {self.folder}") from error

    def _path(self, number: int) -> Path:
        return self.folder / f"person-{number}.rows"

    def add(self, here: list[Followed], *, lost: bool = False) -> None:
        """Keep who is in the next picture."""
        if lost:
            self.lost.append(self.frames)
        for number in self._files.keys() - {b.number for b in here}:
            self._files.pop(number).close()
        for body in [] if lost else here:
            number = body.number
            if number not in self._files:
                new = number not in self._begun
                self._begun.setdefault(number, self.frames)
                self._files[number] = self._path(number).open("wb" if new else "r+b")
            row = row_of(body)
            # Rows of pictures that somebody is not in are never written: they read as zeros, and most disks do not store them.
            self._files[number].seek((self.frames - self._begun[number]) * ROW.itemsize)
            self._files[number].write(row.tobytes())
        self.frames += 1

    def keep(self, tracker: Tracker) -> None:
        """What is there so far reaches the disk; from here a killed reading goes on."""
        for file in self._files.values():
            file.flush()
        state = {
            "told": self._told,
            "frames": self.frames,
            "lost": self.lost,
            "begun": self._begun,
            "people": tracker.people(),
        }
        with replacing(self.folder / _STATE) as file:
            file.write(json.dumps(state).encode())

    def rows(self) -> dict[int, tuple[int, NDArray[np.void]]]:
        """Person → (number of the first picture, (T,) rows of :data:`ROW`, mapped)."""
        while self._files:
            self._files.popitem()[1].close()
        out = {}
        for number, first in sorted(self._begun.items()):
            path = self._path(number)
            if path.stat().st_size:
                out[number] = first, np.memmap(path, ROW, "r")
        return out


def row_of(body: Followed) -> NDArray[np.void]:
    """() of :data:`ROW`: somebody in one picture."""
    row = np.zeros((), ROW)
    if body.face is not None:
        flat = body.face.points[:468, :2]
        low, high = flat.min(axis=0), flat.max(axis=0)
        row["landmarks"], row["face_score"] = body.face.points, body.face.score
        row["face_box"] = np.concatenate([low, high - low])
        for name, look in body.looks.items():
            row[name] = look
    for side, hand in body.hands.items():
        row[f"hand_{side}"], row[f"hand_{side}_score"] = hand.points, hand.score
        row[f"hand_{side}_3d"] = _ours(hand.world - hand.world[:1])
    if body.pose is not None:
        row["pose"], row["pose_sure"] = body.pose.points, body.pose.sure
        row["pose_3d"] = _ours(body.pose.world)
    return row


def _ours(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Metres, x right and y down on the screen, z away, to x right, y up, z towards the camera."""
    return points * np.float32([1, -1, -1])
