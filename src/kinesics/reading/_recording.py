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
from kinesics.see.landmarks import FACE_POINTS, HAND_POINTS, POSE_POINTS
from kinesics.see.tracking import Followed, Tracker

Array = NDArray[np.float32]

FIELDS: dict[str, tuple[int, ...]] = {
    "landmarks": (FACE_POINTS, 3),
    "face_box": (4,),
    "face_score": (),
    **{f"hand_{side}{what}": shape for side in ("left", "right") for what, shape in
       (("", (HAND_POINTS, 3)), ("_3d", (HAND_POINTS, 3)), ("_score", ()))},
    "pose": (POSE_POINTS, 3),
    "pose_3d": (POSE_POINTS, 3),
    "pose_sure": (POSE_POINTS,),
}  # fmt: skip
"""What is kept of a person in a picture, in this order; a score of 0: not there."""

_SIZES = {name: int(np.prod(shape, dtype=int)) for name, shape in FIELDS.items()}
_ENDS = dict(zip(_SIZES, np.cumsum(list(_SIZES.values())).tolist(), strict=True))
WIDTH = sum(_SIZES.values())
_STATE = "reading.json"


class Recording:
    """Rows of float32, a file for each person, in a folder; a person's file ends when they were last seen.

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
                os.truncate(path, min(path.stat().st_size, (self.frames - first) * WIDTH * 4))
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise FormatError(state, "content", "the state of a reading", f"delete {self.folder}") from error

    def _path(self, number: int) -> Path:
        return self.folder / f"person-{number}.f32"

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
            row = np.zeros(WIDTH, np.float32)
            _fill(row, body)
            # Rows of pictures that somebody is not in are never written: they read as zeros, and most disks do not store them.
            self._files[number].seek((self.frames - self._begun[number]) * WIDTH * 4)
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

    def rows(self) -> dict[int, tuple[int, Array]]:
        """Person → (number of the first picture, (T, WIDTH) rows, mapped)."""
        while self._files:
            self._files.popitem()[1].close()
        out = {}
        for number, first in sorted(self._begun.items()):
            path = self._path(number)
            if path.stat().st_size:
                out[number] = first, np.memmap(path, np.float32, "r").reshape(-1, WIDTH)
        return out


def _fill(row: Array, body: Followed) -> None:
    def put(name: str, values: Any) -> None:
        row[_ENDS[name] - _SIZES[name] : _ENDS[name]] = np.ravel(values)

    if body.face is not None:
        flat = body.face.points[:468, :2]
        low, high = flat.min(axis=0), flat.max(axis=0)
        put("landmarks", body.face.points)
        put("face_box", np.concatenate([low, high - low]))
        put("face_score", body.face.score)
    for side, hand in body.hands.items():
        put(f"hand_{side}", hand.points)
        put(f"hand_{side}_3d", _ours(hand.world - hand.world[:1]))
        put(f"hand_{side}_score", hand.score)
    if body.pose is not None:
        put("pose", body.pose.points)
        put("pose_3d", _ours(body.pose.world))
        put("pose_sure", body.pose.sure)


def field(rows: Array, name: str) -> Array:
    """(T, …) one of :data:`FIELDS`, a view of rows."""
    return rows[:, _ENDS[name] - _SIZES[name] : _ENDS[name]].reshape(len(rows), *FIELDS[name])


def _ours(points: Array) -> Array:
    """Metres, x right and y down on the screen, z away, to x right, y up, z towards the camera."""
    return points * np.float32([1, -1, -1])
