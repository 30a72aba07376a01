"""NTU RGB+D skeletons (``.skeleton``): up to six people by Kinect v2, as the data set publishes them.

A text file: the number of frames; for each the number of bodies; for each body a line of ten fields (tracking
id, clipped edges, left and right hand's confidence and state, restricted, lean x and y, tracking state), the
number of joints, 25, and a line of twelve for each joint (x, y, z in metres; depth x, y and colour x, y in
pixels; orientation w, x, y, z; tracking state). The format is read, not written.

Reading gives one person's tracks at 30 fps: ``joints`` (Points of 25 names, world, metres; confidence 1
tracked, 0.5 inferred, 0 not tracked), ``joints_image`` (Points, pixels of the 1920 × 1080 colour film, y
down), ``lean`` (Signal: lean_x to the sensor's left, lean_y towards it, −1 to 1 for ∓45°), the tiers
``hand_left`` and ``hand_right`` (``open``, ``closed``, ``lasso``; confidence is the share of frames in which
the sensor was sure) and ``body`` (the canonical humanoid, by ``bodies.from_joints``).

- **Which person.** ``person=0`` is the body id that is there in most frames, the earlier one where two are
  there equally long; ``person=1`` the next. Ids are the sensor's: a person who leaves and comes back is
  another one, and some ids are furniture. (Recognition work often sorts by how much a body moves instead.)
  ``meta["ntu"]["bodies"]`` lists all ids with their frames; where the person is not there, joints are held or
  interpolated with confidence 0. All people of a file share one world.
- **Frame, level and floor** are as in ``kinect``: x and z change their sign so that who faces the sensor
  faces +Z with the left hand at +X; ``meta["ntu"]`` tells ``sensor_pitch`` and ``sensor_height``, which come
  from the person read.
- **Left out:** places in the depth image, clipped edges, restricted, and the sensor's bone orientations,
  which have frames of their own and jump.
- **Numbers** such as ``-1.#IND`` and ``nan``, for joints outside the picture, are taken for not tracked.
- **The name** SsssCcccPpppRrrrAaaa tells setup, camera, performer, replication and action; they go into
  ``meta["ntu"]``.
- Samples without any body are refused; the data set lists those of its samples whose skeletons are missing
  or incomplete.

There was no file of the data set to check this against; the layout is that of the authors' own reader
(Shahroudy et al., CVPR 2016).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.from_joints import KINECT_25
from kinesics.errors import DataError, FormatError
from kinesics.formats._format import Format
from kinesics.formats._kinect import MOST_BYTES, TRUST, checked, tracks_of
from kinesics.formats._text import text_of
from kinesics.geometry.from_positions import fill
from kinesics.performance import Interval, Performance, Points, Signal, Tier

log = logging.getLogger(__name__)

FPS = Fraction(30)
_FIELDS, _JOINT_FIELDS, _JOINTS = 10, 12, len(KINECT_25)
_HANDS = {2: "open", 3: "closed", 4: "lasso"}
_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})", re.IGNORECASE)
_FARTHEST = 1e5  # pixels: places beyond are of joints behind the camera
_ODD_NUMBER = re.compile(r"-?\d\.#\w+")


@dataclass
class _Body:
    """Where in the file one body's blocks are."""

    frames: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def read(path: str | Path, *, person: int = 0) -> Performance:
    """Read one person of an NTU RGB+D skeleton file.

    Parameters
    ----------
    path
        The file.
    person
        Which one, the one who is there longest first.

    Returns
    -------
    Performance
        With ``joints``, ``joints_image``, ``lean``, ``hand_left``, ``hand_right`` and, where the joints allow, ``body``.

    Raises
    ------
    FormatError
        If the file is cut off, holds no body, or a line has not the fields it must have.
    DataError
        If there is no such person; those there are listed.

    Examples
    --------
    >>> read("S001C001P001R001A001.skeleton").meta["ntu"]["action"]  # doctest: +SKIP
    1
    """
    path = Path(path)
    lines = [line for line in text_of(path, most=MOST_BYTES).split("\n") if line and not line.isspace()]
    count, bodies = _index(path, lines)
    if not bodies:
        raise FormatError(path, "bodies", "a person in one frame at least", "leave out this sample")
    order = sorted(bodies, key=lambda b: -len(bodies[b].frames))
    if isinstance(person, bool) or not isinstance(person, int) or not 0 <= person < len(order):
        raise DataError(f"{path}: person {person!r}; there are {len(order)}, from 0 to {len(order) - 1}")
    body = bodies[order[person]]
    frames = np.array(body.frames)
    head, joints = _numbers(path, lines, body)
    values = np.zeros((count, _JOINTS, 3))
    trust = np.zeros((count, _JOINTS))
    states = joints[..., 11]
    if not np.isin(states, (0, 1, 2)).all():
        t, j = (int(i) for i in np.argwhere(~np.isin(states, (0, 1, 2)))[0])
        raise FormatError(
            path,
            f"frame {frames[t] + 1}, {KINECT_25[j]}",
            f"a tracking state 0, 1 or 2, found {states[t, j]:g}",
            "mend it",
        )
    values[frames], trust[frames] = checked(path, joints[..., :3], TRUST[states.astype(int)])
    tracks, about = tracks_of(path, values, trust, KINECT_25, "kinect25", FPS)
    tracks["joints_image"] = _image(joints[..., 5:7], frames, trust)
    tracks["lean"] = _lean(head[:, 7:9], frames, count)
    for side, column in (("left", 3), ("right", 5)):
        tracks[f"hand_{side}"] = _hand(f"hand_{side}", frames, head[:, column], head[:, column - 1])
    listed = [
        {"id": b, "first_frame": bodies[b].frames[0], "frames": len(bodies[b].frames)} for b in order[:50]
    ]
    about |= {"person": person, "bodies": listed, "missing_frames": count - len(frames)}
    if found := _NAME.search(path.name):
        names = ("setup", "camera", "performer", "replication", "action")
        about |= dict(zip(names, map(int, found.groups()), strict=True))
    return Performance(tracks, {"ntu": about})


def _index(path: Path, lines: list[str]) -> tuple[int, dict[str, _Body]]:
    """The number of frames, and for each body id its frames and where its blocks begin."""
    at = 0

    def whole(what: str) -> int:
        nonlocal at
        if at >= len(lines):
            raise FormatError(path, "end of the file", f"{what}, the file is cut off", "copy the file again")
        text = lines[at].strip()
        at += 1
        if not text.isdecimal() or len(text) > 9:
            raise FormatError(
                path, f"line {at}", f"{what}, found {text[:20]!r}", "check that this is the right file"
            )
        return int(text)

    count = whole("the number of frames")
    if count > len(lines) - 1:
        raise FormatError(
            path,
            "line 1",
            f"at most {len(lines) - 1} frames in so many lines, found {count}",
            "copy the file again",
        )
    bodies: dict[str, _Body] = {}
    for frame in range(count):
        for _ in range(whole(f"the number of bodies in frame {frame + 1}")):
            if at >= len(lines):
                raise FormatError(
                    path, "end of the file", "a body, the file is cut off", "copy the file again"
                )
            start = at
            cells = lines[at].split(None, _FIELDS)
            if len(cells) != _FIELDS:
                raise FormatError(
                    path,
                    f"line {start + 1}",
                    f"{_FIELDS} fields of a body, found {len(cells)}",
                    "mend this line",
                )
            name = cells[0][:40]
            at += 1
            if (joints := whole("the number of joints")) != _JOINTS:
                raise FormatError(
                    path, f"line {at}", f"{_JOINTS} joints, found {joints}", "give a file of Kinect v2"
                )
            at += _JOINTS
            if at > len(lines):
                raise FormatError(
                    path, "end of the file", "25 joints, the file is cut off", "copy the file again"
                )
            body = bodies.setdefault(name, _Body())
            if body.frames and body.frames[-1] == frame:
                raise FormatError(
                    path, f"line {start + 1}", f"body {name} once in frame {frame + 1}", "remove one"
                )
            body.frames.append(frame)
            body.lines.append(start)
    if at < len(lines):
        log.warning("%s: %d lines after the last frame are left out", path, len(lines) - at)
    return count, bodies


def _numbers(path: Path, lines: list[str], body: _Body) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(F, 10) and (F, 25, 12): what the body's blocks hold; the tracking id as 0."""
    heads: list[str] = []
    joints: list[str] = []
    for start in body.lines:
        heads += ["0", *lines[start].split()[1:]]
        for n in range(start + 2, start + 2 + _JOINTS):
            cells = lines[n].split(None, _JOINT_FIELDS)
            if len(cells) != _JOINT_FIELDS:
                raise FormatError(
                    path,
                    f"line {n + 1}",
                    f"{_JOINT_FIELDS} fields of a joint, found {len(cells)}",
                    "mend this line",
                )
            joints += cells
    return (
        _floats(path, heads).reshape(-1, _FIELDS),
        _floats(path, joints).reshape(-1, _JOINTS, _JOINT_FIELDS),
    )


def _floats(path: Path, cells: list[str]) -> NDArray[np.float64]:
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        pass
    try:
        return np.array([_ODD_NUMBER.sub("nan", c) for c in cells], dtype=np.float64)
    except ValueError as error:
        raise FormatError(path, "fields", f"numbers ({error})", "mend this file") from error


def _image(places: NDArray[np.float64], frames: NDArray[np.intp], trust: NDArray[np.float64]) -> Points:
    with np.errstate(invalid="ignore"):
        good = (np.abs(places) < _FARTHEST).all(axis=-1)
    values, sure = np.zeros((*trust.shape, 2)), np.zeros(trust.shape)
    values[frames] = np.where(good[..., None], places, 0)
    sure[frames] = np.where(good, trust[frames], 0)
    return Points(fill(values, sure > 0), KINECT_25, FPS, "image", confidence=sure)


def _lean(lean: NDArray[np.float64], frames: NDArray[np.intp], count: int) -> Signal:
    with np.errstate(invalid="ignore"):
        good = (np.abs(lean) <= 10).all(axis=-1)
    values, sure = np.zeros((count, 2)), np.zeros(count)
    values[frames], sure[frames] = np.where(good[:, None], lean, 0), good
    return Signal(
        fill(values, sure > 0), ("lean_x", "lean_y"), ("", ""), FPS, confidence=np.stack([sure, sure], axis=1)
    )


def _hand(
    name: str, frames: NDArray[np.intp], states: NDArray[np.float64], sure: NDArray[np.float64]
) -> Tier:
    out: list[Interval] = []
    known = [(int(t), _HANDS.get(s), c == 1) for t, s, c in zip(frames, states, sure, strict=True)]
    # A break in the frames ends an interval as a change of state does.
    runs: Any = groupby(enumerate(known), key=lambda k: (k[1][1], k[1][0] - k[0]))
    for (label, _), run in runs:
        if label is not None:
            part = [k for _, k in run]
            first, last = part[0][0], part[-1][0] + 1
            share = sum(k[2] for k in part) / len(part)
            out.append(Interval(float(first / FPS), float(last / FPS), label, confidence=share))
    return Tier(name, tuple(out))


FORMAT = Format(
    "NTU RGB+D",
    (".skeleton",),
    ("body", "joints", "joints_image", "lean", "hand_left", "hand_right"),
    read,
)
