"""Labanotation: key frames of the limbs in words, as Microsoft's LabanotationSuite writes them in JSON.

A file (``.laban.json``, or ``.json``) holds one gesture or several, each a name and its key frames::

    {"hello": {"Position0": {"start time": ["1"], "duration": ["0"],
                             "head": ["Forward", "Normal"],
                             "right elbow": ["Place", "Low"], "right wrist": ["Place", "Low"],
                             "left elbow": ["Left Forward", "Low"], "left wrist": ["Place", "High"],
                             "rotation": ["ToRight", "0"]}, …}}

``elbow`` is the direction from the shoulder to the elbow, ``wrist`` that from the elbow to the wrist. The first
word is one of the eight horizontal directions (``Forward``, ``Left Forward``, ``Left``, ``Left Backward`` …), seen
by the performer, or ``Place``; the second the level, ``High`` 45° above the horizontal, ``Normal`` in it,
``Low`` 45° below. ``Place High`` is straight up and ``Place Low`` straight down. ``Place Normal`` is no
direction: the limb keeps the one it had. ``head`` is where the head faces, ``rotation`` how far the whole body is
turned from the front, in degrees. Times are milliseconds.

Read, the gestures become a plan, one after the other, each a ``gesture`` behaviour that states its own form: a pose
of the limbs a key frame (``upper:`` and ``lower:`` of :class:`kinesics.performance.gesture.Pose`), the right arm
leading, the left as the ``other`` hand. Labanotation says nothing of hands: they go on straight from the forearm and are
relaxed. The head's and body's directions become ``headDirectionShift`` behaviours, the body's turn a
``postureShift``. ``kinesics perform --plan hello.laban.json -o hello.glb`` performs it: arms come to each key frame at
its time and point as it says, as far as shoulders, elbows and a solid trunk let them; the feet stay where they
are, so that a turn of the body is one of hips and trunk, of at most 60°.

Traps. The first key frame is at about 0 s, and no arm is there without coming from somewhere: everything is ``lead``
seconds (an option; 1) later on the performance's clock than in the file. Key frames whose time is missing or
not after that of the one before are put between their neighbours. A ``duration`` of −1 marks the end; others are
kept in the tier. Key frames may follow each other quicker than an arm can: they are then reached late, which the plan's
feedback says.

Tier ``laban``: an interval a key frame with all that the file says of it, from which the file can be written again
(words exactly, times to a millisecond). What was mended is told in ``meta["labanotation"]["mended"]``.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from kinesics.errors import DataError, FormatError, choose
from kinesics.files import existing, replacing
from kinesics.formats._encode import json_in
from kinesics.formats._format import Format
from kinesics.formats._text import head_of, text_of
from kinesics.performance import Behaviour, Interval, Performance, Plan, Sync, Tier
from kinesics.performance.gesture import Gesture, Move, Pose, written_direction

log = logging.getLogger(__name__)

_HORIZONTAL: dict[str, float] = {
    "Forward": 0,
    "Left Forward": 45,
    "Left": 90,
    "Left Backward": 135,
    "Backward": 180,
    "Right Backward": -135,
    "Right": -90,
    "Right Forward": -45,
}
"""Degrees to the performer's left."""
_LEVELS = {"High": 45.0, "Normal": 0.0, "Low": -45.0}
_LIMBS = ("right elbow", "right wrist", "left elbow", "left wrist")
_PARTS = ("head", *_LIMBS, "rotation")
_MOST_BYTES = 20_000_000
_MOST_FRAMES = 300
_MOST_GESTURES = 1000
_GAP = 1.0  # seconds between two gestures of one file
_STEP = 0.5  # seconds to a key frame without a time of its own, where no other follows
_LARGEST_TURN = 60.0
_PATIENCE = 0.8  # seconds that a head takes on its way

Frame = dict[str, tuple[str, str]]


def angles(words: tuple[str, str]) -> tuple[float, float] | None:
    """Azimuth to the performer's left and elevation, degrees, of a direction and level; None for ``Place Normal``.

    >>> angles(("Right Forward", "Low")), angles(("Place", "High"))
    ((-45, -45.0), (0.0, 90.0))
    """
    where, level = words
    if where == "Place":
        return None if level == "Normal" else (0.0, 2 * _LEVELS[level])
    return _HORIZONTAL[where], _LEVELS[level]


def vector(words: tuple[str, str]) -> tuple[float, float, float] | None:
    """Unit vector (x to the performer's left, y up, z forward) of a direction and level; None for ``Place Normal``."""
    at = angles(words)
    if at is None:
        return None
    azimuth, elevation = map(math.radians, at)
    flat = math.cos(elevation)
    return flat * math.sin(azimuth), math.sin(elevation), flat * math.cos(azimuth)


def _recognises(path: Path) -> bool:
    try:
        text = head_of(path, 4096)
    except OSError:
        return False
    return '"Position0"' in text and ('"start time"' in text or '"right elbow"' in text)


def _read(path: Path, *, lead: float = 1.0) -> Performance:
    path = existing(Path(path), "a Labanotation file")
    if not 0 <= lead <= 60:
        raise DataError(f"lead {lead}; expected 0 to 60 seconds")
    data = json_in(text_of(path, most=_MOST_BYTES), path)
    if not isinstance(data, dict) or not data or len(data) > _MOST_GESTURES:
        raise FormatError(
            path, "top level", f"1 to {_MOST_GESTURES} gestures by name", "write {name: {Position0: …}}"
        )
    mended: list[str] = []
    behaviours: list[Behaviour] = []
    intervals: list[Interval] = []
    clock, gestures = lead, []
    for name, positions in data.items():
        frames, times, holds = _frames(path, name, positions, mended)
        start = clock - times[0]
        clock = start + times[-1] + max(holds[-1], 0.0) + _GAP
        # A semicolon parts the words of the tier's labels.
        shown = " ".join(name.replace(";", ",").split())[:200] or "laban"
        gestures.append(shown)
        number = len(gestures)
        at = [start + t for t in times]
        behaviours += _behaviours(f"laban{number}", shown, frames, at, max(holds[-1], 0.0))
        for k, frame in enumerate(frames):
            label = "; ".join([shown, *(f"{part}={frame[part][0]},{frame[part][1]}" for part in _PARTS)])
            held = max(holds[k], 0.0)
            intervals.append(Interval(at[k], at[k] + held, label, -1.0 if holds[k] < 0 else None))
    for line in mended:
        log.warning("%s: %s", path, line)
    meta: dict[str, Any] = {"gestures": gestures, "key_frames": len(intervals), "lead": lead}
    if mended:
        meta["mended"] = mended
    return Performance(
        {"plan": Plan(tuple(behaviours)), "laban": Tier("laban", tuple(intervals))}, {"labanotation": meta}
    )


def _frames(
    path: Path, name: str, positions: Any, mended: list[str]
) -> tuple[list[Frame], list[float], list[float]]:
    """Key frames of one gesture, their seconds and how long each is held (negative at the end mark)."""
    if not isinstance(positions, dict) or not 1 <= len(positions) <= _MOST_FRAMES:
        raise FormatError(
            path, f"{name[:60]!r}", f"1 to {_MOST_FRAMES} key frames by name", "write Position0, Position1 …"
        )
    frames, times, holds = [], [], []
    for key, row in positions.items():
        where = f"{name[:60]!r}, {key[:40]!r}"
        if not isinstance(row, dict):
            raise FormatError(path, where, "a key frame", "write the limbs with their directions")
        if unknown := [k for k in row if k not in (*_PARTS, "start time", "duration")]:
            mended.append(f"{where}: {unknown[0][:40]!r} is not understood and left out")
        frames.append(_frame(path, where, row, frames[-1] if frames else None))
        times.append(_seconds(path, where, row, "start time"))
        held = _seconds(path, where, row, "duration")
        holds.append(0.0 if held is None else held)
    return frames, _in_order(name, times, mended), holds


def _frame(path: Path, where: str, row: Mapping[str, Any], before: Frame | None) -> Frame:
    out: Frame = {}
    for part in _PARTS:
        words = row.get(part)
        if words is None and part in ("head", "rotation"):
            words = ["Forward", "Normal"] if part == "head" else ["ToRight", "0"]
        if not (isinstance(words, list) and len(words) == 2 and all(isinstance(w, str) for w in words)):
            raise FormatError(
                path, f"{where}, {part!r}", "two words", 'write for instance ["Left Forward", "Low"]'
            )
        first, second = (" ".join(w.split()) for w in words)
        if part == "rotation":
            if first not in ("ToRight", "ToLeft") or not abs(_degrees(second)) <= 3600:
                raise FormatError(
                    path, f"{where}, {part!r}", "ToRight or ToLeft and degrees", 'write ["ToRight", "0"]'
                )
        else:
            valid = (*_HORIZONTAL, "Place")
            if first not in valid or second not in _LEVELS:
                raise FormatError(
                    path,
                    f"{where}, {part!r}",
                    f"one of {', '.join(valid)} and High, Normal or Low; found {first[:30]!r}, {second[:30]!r}",
                    "correct the direction",
                )
        out[part] = (first, second)
    return out


def _degrees(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _turn(frame: Frame) -> float:
    """Degrees to the left."""
    side, degrees = frame["rotation"]
    return _degrees(degrees) * (-1 if side == "ToRight" else 1)


def _seconds(path: Path, where: str, row: Mapping[str, Any], key: str) -> float | None:
    if key not in row:
        return None
    value = row[key]
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    try:
        seconds = float(value) / 1000
        if not abs(seconds) <= 1e5:
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(path, f"{where}, {key!r}", "milliseconds", 'write for instance ["500"]') from error
    return seconds


def _in_order(name: str, times: list[float | None], mended: list[str]) -> list[float]:
    """Rising seconds: what is missing or out of order is put between its neighbours."""
    out: list[float] = []
    for i, time in enumerate(times):
        last = out[-1] if out else -math.inf
        if time is None or time <= last:
            later = [t for t in times[i + 1 :] if t is not None and t > last]
            guess = 0.0 if not out else 0.5 * (last + later[0]) if later else last + _STEP
            told = "no time" if time is None else f"the time {1000 * time:g} ms, which is not after the last"
            mended.append(f"{name!r}: key frame {i} has {told}; put at {1000 * guess:g} ms")
            time = guess
        out.append(time)
    return out


def _behaviours(id: str, name: str, frames: list[Frame], times: list[float], hold: float) -> list[Behaviour]:
    out = [_gesture(id, name, frames, times, hold)]
    turns = [_turn(f) for f in frames]
    heads = [angles(f["head"]) or (0.0, 0.0) for f in frames]
    faces = [
        (a + max(-_LARGEST_TURN, min(_LARGEST_TURN, t)), e) for (a, e), t in zip(heads, turns, strict=True)
    ]
    # Key frames say when a direction is reached; a head needs some time on its way.
    changes = [k for k in range(len(faces)) if faces[k] != (faces[k - 1] if k else (0.0, 0.0))]
    for n, k in enumerate(changes):
        following = times[changes[n + 1]] - _PATIENCE if n + 1 < len(changes) else times[-1] + hold + 0.3
        start = max(times[k] - _PATIENCE, times[k - 1] if k else 0.0, 0.0)
        sync = {"start": Sync(round(start, 4))}
        if faces[k] != (0.0, 0.0):
            sync["end"] = Sync(round(max(following, start + 0.2), 4))
            target = f"{faces[k][0]:g},{faces[k][1]:g}"
            out.append(Behaviour(f"{id}head{n + 1}", "headDirectionShift", sync, {"target": target}))
    changes = [k for k in range(len(turns)) if turns[k] != (turns[k - 1] if k else 0.0)]
    for n, k in enumerate(changes):
        start = max(times[k - 1] if k else times[k] - 1.0, 0.0)
        lexeme = "NEUTRAL" if turns[k] == 0 else "TURN_LEFT" if turns[k] > 0 else "TURN_RIGHT"
        amount = min(abs(turns[k]) / _LARGEST_TURN, 1.0)
        sync = {"start": Sync(round(start, 4)), "end": Sync(round(max(times[k], start + 0.05), 4))}
        out.append(
            Behaviour(f"{id}turn{n + 1}", "postureShift", sync, {"lexeme": lexeme, "amount": f"{amount:.4g}"})
        )
    if turns[-1]:
        sync = {"start": Sync(round(times[-1] + hold + 0.3, 4))}
        out.append(Behaviour(f"{id}turn{len(changes) + 1}", "postureShift", sync, {"lexeme": "NEUTRAL"}))
    return out


def _gesture(id: str, name: str, frames: list[Frame], times: list[float], hold: float) -> Behaviour:
    hands = {}
    for side, sign in (("right", -1.0), ("left", 1.0)):
        rows, known = [], {"elbow": (0.0, -1.0, 0.0), "wrist": (0.0, -1.0, 0.0)}
        for frame in frames:
            for limb in known:
                known[limb] = vector(frame[f"{side} {limb}"]) or known[limb]
            upper, lower = (
                written_direction((sign * v[0], v[1], v[2])) for v in (known["elbow"], known["wrist"])
            )
            rows.append(Pose.parse(f"relaxed upper:{upper} lower:{lower}"))
        hands[side] = tuple(rows)
    total = times[-1] - times[0]
    gaps = [b - a for a, b in pairwise(times)]
    moves = tuple(Move(share=max(10 * gap / total, 1e-6)) for gap in gaps)
    form = Gesture(
        lexeme=name,
        category="emblem",
        poses=hands["right"],
        other=hands["left"],
        moves=moves,
        hands="both",
        seconds=min(max(total, 0.15), 600.0),
        hold=min(max(hold, 0.25), 600.0),
        # The arms are named: left and right stay what they are with left-handed performers.
        extra={"apex": "1" if gaps else "0", "hand": "right"},
    )
    sync = {"strokeStart": Sync(round(times[0], 4)), "strokeEnd": Sync(round(times[-1], 4))}
    sync["stroke"] = sync["strokeEnd"]
    if not gaps:
        sync = {"stroke": sync["stroke"]}
    return Behaviour(id, "gesture", sync, form.attributes())


def _write(performance: Performance, path: Path) -> None:
    tier = performance.get("laban")
    if not isinstance(tier, Tier) or not len(tier):
        raise DataError(f"{path}: the performance has no tier 'laban' of key frames to write as Labanotation")
    gestures: dict[str, list[tuple[Interval, dict[str, list[str]]]]] = {}
    for item in tier:
        name, *parts = item.label.split("; ")
        fields = dict(part.partition("=")[::2] for part in parts)
        try:
            row = {part: fields[part].split(",") for part in _PARTS}
            for part in ("head", *_LIMBS):
                choose("direction", row[part][0], (*_HORIZONTAL, "Place"))
                choose("level", row[part][1], _LEVELS)
        except (KeyError, IndexError, DataError) as error:
            raise DataError(
                f"{path}: the interval {item.label[:60]!r} of tier 'laban' is no key frame ({error}); expected "
                "'name; head=Forward,Normal; right elbow=Place,Low; …'"
            ) from error
        gestures.setdefault(name, []).append((item, row))
    out = {}
    for name, rows in gestures.items():
        first = rows[0][0].start
        out[name] = {
            f"Position{k}": {
                "start time": [f"{round(1000 * (item.start - first)) + 1}"],
                "duration": [
                    "-1" if item.value is not None and item.value < 0 else f"{round(1000 * item.duration)}"
                ],
                **row,
            }
            for k, (item, row) in enumerate(rows)
        }
    with replacing(Path(path)) as file:
        file.write((json.dumps(out, indent=4, ensure_ascii=False) + "\n").encode())


FORMAT = Format("Labanotation", (".laban.json",), ("plan", "laban"), _read, _write, _recognises, (".json",))
