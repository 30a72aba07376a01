"""Live Link Face CSV: what Epic's iPhone app records of a face.

Carries ``face`` (the 52 ARKit coefficients) and, as ``body``, head and eyes on the canonical skeleton.

**Columns.** ``Timecode,BlendshapeCount``, then 61 numbers: 52 coefficients in PascalCase, ``HeadYaw HeadPitch
HeadRoll`` and the same for ``LeftEye`` and ``RightEye``. Several orders circulate (``JawRight`` before ``JawLeft``
in the app's own files, the reverse in lists made from its network packets), so names are matched, in any case
and order, and order never counts. Files of old versions lack columns: coefficients that are
missing are 0 and told in ``meta["livelink"]["missing"]``; columns that are not known are told in ``"extra"`` and not read.
A BlendshapeCount that differs from the number of columns is told in the log.

**Angles** are radians: the yaw, pitch and roll of an Unreal rotator. Positive yaw turns to the person's own right,
positive pitch downwards, positive roll towards the own left shoulder; as a rotation in our frame (Y up, facing +Z,
own left +X) that is Ry(−yaw) · Rx(pitch) · Rz(−roll). The signs of yaw and pitch are seen in the app's files,
where eyeLookOutLeft falls and eyeLookDownLeft rises with them; that of roll, and the order, in the roll
of its eyes, which turn without torsion only in this reading. Head and eyes come from one function of the app. The head's angles are
measured against the phone, so a phone that stood low looks like a raised chin. Reading gives half the head's turn to
the neck; writing takes neck and head together.

**Gaze** lives in the eye joints. The face keeps its eyeLook coefficients as they were; written are those that follow from the
eye joints (1 is 30° up or 35° elsewhere, linear), unless ``eye_look="face"``. Apple's own curve is near to that: 1 at about 23° up,
35° down and 33° to the side. A file without eye columns gets eyes that look where its coefficients say.

**Time.** Timecode is ``HH:MM:SS:FF.mmm``, the last part thousandths of a frame, at 60 frames per second; other bases
(24, 25, 30, 50 …) are told by where the frames turn over, ``;`` marks drop-frame 29.97 and 59.94, midnight may be passed,
and plain frame numbers are taken as well. Rows seldom lie exactly on that grid (phones deliver about 59.9 per second): they are then interpolated onto it,
coefficients linearly, rotations spherically. A row that repeats the timecode before it is left out; frames that are missing are
interpolated, with a warning. ``meta["livelink"]`` holds ``timecode`` (of the first row), ``frames_missing``, ``frames_repeated``,
``resampled`` and ``measured_fps``. ``clock="rows"`` ignores timecode: row i is frame i at 60 per second.

**Written** are all 61 columns in the app's order with ten decimals at 60 fps (another rate is resampled, which is
logged), so coefficients come back to 1e-6 and angles to 1e-6 radians. ``start_timecode=`` is the timecode of second 0; by default
that of the file that was read, else midnight.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fractions import Fraction
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.arkit import INDEX as COLUMN
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.export import EYE_LOOK, EYE_LOOK_DEGREES, face_for_export
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.retarget import retarget
from kinesics.errors import FormatError, choose
from kinesics.files import replacing
from kinesics.formats import _timecode
from kinesics.formats._delimited import Sheet, cells_of, column_of, delimiter_of, numbers_of, sheet_of
from kinesics.formats._format import Format
from kinesics.formats._text import head_of, text_of
from kinesics.formats._vrm_face import as_arkit, movable
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Motion, Performance

log = logging.getLogger(__name__)

COLUMNS: tuple[str, ...] = tuple(
    """EyeBlinkLeft EyeLookDownLeft EyeLookInLeft EyeLookOutLeft EyeLookUpLeft EyeSquintLeft EyeWideLeft
    EyeBlinkRight EyeLookDownRight EyeLookInRight EyeLookOutRight EyeLookUpRight EyeSquintRight EyeWideRight
    JawForward JawRight JawLeft JawOpen MouthClose MouthFunnel MouthPucker MouthRight MouthLeft MouthSmileLeft
    MouthSmileRight MouthFrownLeft MouthFrownRight MouthDimpleLeft MouthDimpleRight MouthStretchLeft
    MouthStretchRight MouthRollLower MouthRollUpper MouthShrugLower MouthShrugUpper MouthPressLeft MouthPressRight
    MouthLowerDownLeft MouthLowerDownRight MouthUpperUpLeft MouthUpperUpRight BrowDownLeft BrowDownRight
    BrowInnerUp BrowOuterUpLeft BrowOuterUpRight CheekPuff CheekSquintLeft CheekSquintRight NoseSneerLeft
    NoseSneerRight TongueOut HeadYaw HeadPitch HeadRoll LeftEyeYaw LeftEyePitch LeftEyeRoll RightEyeYaw
    RightEyePitch RightEyeRoll""".split()
)
"""The 61 columns in the app's order."""

FPS = 60
_TURNING = ("Head", "LeftEye", "RightEye")
_GRID = 0.05  # frames: rows that lie nearer to the grid all along are taken as they are


def recognises(path: Path) -> bool:
    """Whether the first line names a timecode and ARKit coefficients."""
    line = head_of(path).split("\n", 1)[0]
    names = {n.lower() for n in cells_of(line.strip(), delimiter_of(line))}
    return "timecode" in names and len(names & {c.lower() for c in COLUMNS}) >= 8


def read(path: str | Path, *, clock: str = "timecode") -> Performance:
    """Read a Live Link Face recording.

    Parameters
    ----------
    path
        The file.
    clock
        ``"timecode"``: rows are put where their timecode says; ``"rows"``: row i is frame i at 60 per second.

    Returns
    -------
    Performance
        With ``face`` and, where the file tells of head or eyes, ``body``; both begin at 0.

    Raises
    ------
    FormatError
        If the file is not such a table, is cut off, or holds numbers that are not finite.

    Examples
    --------
    >>> show = read("MySlate_1_iPhone.csv")  # doctest: +SKIP
    >>> show.face.column("jawOpen").max(), show.meta["livelink"]["frames_missing"]  # doctest: +SKIP
    (0.61, 0)
    """
    path = Path(path)
    choose("clock", clock, ["timecode", "rows"])
    sheet = sheet_of(path, text_of(path))
    place = _columns(sheet)
    if not sheet.lines:
        raise FormatError(path, "line 2", "rows of numbers, found none", "the take is empty or cut off")
    known = {c.lower(): c for c in COLUMNS}
    found = {known[n]: i for n, i in place.items() if n in known}
    values = numbers_of(sheet, list(found.values()))
    about: dict[str, Any] = {
        "missing": [c for c in COLUMNS if c not in found],
        "extra": [
            sheet.names[i] for n, i in place.items() if n not in (*known, "timecode", "blendshapecount")
        ],
    }
    if about["missing"]:
        log.warning("%s lacks the columns %s: taken to be 0", path, ", ".join(about["missing"]))
    if about["extra"]:
        log.warning("%s: the columns %s are not known and not read", path, ", ".join(about["extra"]))
    _check_count(sheet, place)
    weights = np.zeros((len(values), len(ARKIT)))
    for k, name in enumerate(found):
        arkit = name[0].lower() + name[1:]
        if arkit in COLUMN:
            weights[:, COLUMN[arkit]] = values[:, k]
    angles = {name: values[:, k] for k, name in enumerate(found)}
    turns = _turns(angles, weights)
    if clock == "rows":
        fps = Fraction(FPS)
        about |= {"timecode": column_of(sheet, place["timecode"])[0], "resampled": False}
    else:
        rows, fps, told = _clock(sheet, column_of(sheet, place["timecode"]))
        about |= told
        if rows is not None:
            low, high, part = rows
            weights = weights[low] + (weights[high] - weights[low]) * part[:, None]
            turns = {n: rot.slerp(q[low], q[high], part) for n, q in turns.items()}
    tracks: dict[str, Any] = {"face": Face(weights, ARKIT, fps)}
    if turns:
        tracks["body"] = _body(turns, fps)
    return Performance(tracks, {"livelink": about})


def _columns(sheet: Sheet) -> dict[str, int]:
    place: dict[str, int] = {}
    for i, name in enumerate(sheet.names):
        key = name.lower().replace("_", "").replace(" ", "")
        if key in place:
            raise FormatError(
                sheet.path, "line 1", f"each column once, {name[:40]!r} repeats", "rename one of them"
            )
        place[key] = i
    if "timecode" not in place or not any(c.lower() in place for c in COLUMNS):
        raise FormatError(
            sheet.path,
            "line 1",
            "columns such as Timecode, BlendshapeCount, EyeBlinkLeft",
            "check that this is a Live Link Face recording",
        )
    return place


def _check_count(sheet: Sheet, place: Mapping[str, int]) -> None:
    if "blendshapecount" in place:
        told, there = numbers_of(sheet, [place["blendshapecount"]])[0, 0], len(place) - 2
        if told != there:
            log.warning("%s: BlendshapeCount is %g, but there are %d columns", sheet.path, told, there)


_Rows = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]


def _clock(sheet: Sheet, labels: list[str]) -> tuple[_Rows | None, Fraction, dict[str, Any]]:
    """Which rows, in which parts, make the frames of a uniform clock (None: they are these frames)."""
    places, rate = _places(sheet, labels)
    steps = np.diff(places)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise sheet.wrong(
            row,
            f"a timecode after {labels[row - 1]}, found {labels[row]:.40}",
            "sort the rows, or read with clock='rows'",
        )
    fresh = np.concatenate([[True], steps > 1e-6])
    places = places[fresh] - places[0]
    # The lower median, as of two steps one may be a gap.
    step = float(np.quantile(np.diff(places), 0.5, method="lower")) if len(places) > 1 else 1.0
    # Rows may come twice as often as timecode counts (60 rows on a 30-frame code), or half as often.
    faster = Fraction(max(round(1 / step), 1)) if step < 1 else Fraction(1, min(round(step), 4))
    places *= float(faster)
    count = int(np.floor(places[-1] + 0.5)) + 1
    if count > 10 * len(places) + 3600:
        raise FormatError(
            sheet.path,
            "timecode",
            f"a recording without long gaps, found {len(places)} rows over {count / float(rate * faster):.0f} s",
            "split the file at its gaps, or read with clock='rows'",
        )
    gaps = np.rint(np.diff(places))
    missing = int((gaps[gaps > 1] - 1).sum())
    repeated = int((~fresh).sum())
    exact = len(places) == count and np.abs(places - np.arange(count)).max() < _GRID
    about = {
        "timecode": labels[0],
        "frames_missing": missing,
        "frames_repeated": repeated,
        "resampled": not exact,
        "measured_fps": round(float(rate) / _mean_step(steps, step), 4),
    }
    if missing or repeated:
        log.warning(
            "%s: %d frames are missing and were interpolated, %d repeat and were left out",
            sheet.path,
            missing,
            repeated,
        )
    kept = np.flatnonzero(fresh)
    if exact:
        return (None if not repeated else (kept, kept, np.zeros(count))), rate * faster, about
    times = np.minimum(np.arange(count), places[-1])
    after = np.clip(np.searchsorted(places, times, side="right"), 1, max(len(places) - 1, 1))
    low, high = after - 1, np.minimum(after, len(places) - 1)
    span = np.maximum(places[high] - places[low], 1e-9)
    return (kept[low], kept[high], np.clip((times - places[low]) / span, 0, 1)), rate * faster, about


def _mean_step(steps: NDArray[np.float64], usual: float) -> float:
    near = steps[np.abs(steps - usual) < 0.5 * usual]
    return float(near.mean()) if len(near) else usual


def _places(sheet: Sheet, labels: list[str]) -> tuple[NDArray[np.float64], Fraction]:
    if all(label.isascii() and label.isdigit() and len(label) < 10 for label in labels):
        return np.array(labels, dtype=np.float64), Fraction(FPS)
    parts = []
    for row, label in enumerate(labels):
        part = _timecode.split(label)
        if part is None:
            raise sheet.wrong(
                row, f"a timecode HH:MM:SS:FF.mmm, found {label[:40]!r}", "mend it, or read with clock='rows'"
            )
        parts.append(part)
    return _timecode.frames(parts, _timecode.base_of(parts))


def _turns(
    angles: Mapping[str, NDArray[np.float64]], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Rotations (T, 4) of head and eyes, as far as the file tells of them."""
    turns = {}
    for what in _TURNING:
        three = [angles.get(f"{what}{way}") for way in ("Yaw", "Pitch", "Roll")]
        if any(a is not None for a in three):
            yaw, pitch, roll = (np.zeros(len(weights)) if a is None else a for a in three)
            turns[what] = rot.from_euler(np.stack([-yaw, pitch, -roll], axis=-1), "YXZ")
    eyes = not turns.keys() & {"LeftEye", "RightEye"}
    if eyes and (turns or any(weights[:, COLUMN[n]].any() for n in EYE_LOOK)):
        turns |= _eyes_from(weights)
    return turns


def _eyes_from(weights: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Eye rotations whose eyeLook coefficients are those of ``weights`` (T, 52)."""

    def angle(way: str, side: str) -> NDArray[Any]:
        return weights[:, COLUMN[f"eyeLook{way}{side}"]].astype(np.float64) * np.radians(
            EYE_LOOK_DEGREES[way]
        )

    out = {}
    for side, outwards in (("Left", 1.0), ("Right", -1.0)):
        azimuth = outwards * (angle("Out", side) - angle("In", side))
        pitch = angle("Down", side) - angle("Up", side)
        out[f"{side}Eye"] = rot.from_euler(np.stack([azimuth, pitch, np.zeros_like(pitch)], axis=-1), "YXZ")
    return out


def _body(turns: Mapping[str, NDArray[np.float64]], fps: Fraction) -> Motion:
    skeleton = load_avatar("maya").skeleton
    count = len(next(iter(turns.values())))
    rotations = np.tile(rot.IDENTITY, (count, len(skeleton), 1))
    if "Head" in turns:
        half = rot.from_rotvec(0.5 * rot.to_rotvec(turns["Head"]))
        rotations[:, INDEX["neck"]] = rotations[:, INDEX["head"]] = half
    for eye, joint in (("LeftEye", "leftEye"), ("RightEye", "rightEye")):
        if eye in turns:
            rotations[:, INDEX[joint]] = turns[eye]
    return Motion(skeleton, rotations, np.tile(skeleton.offsets[0], (count, 1)), fps)


def write(
    performance: Performance, path: str | Path, *, start_timecode: str | None = None, eye_look: str = "eyes"
) -> None:
    """Write the face, and head and eyes of the body, as a Live Link Face recording.

    Parameters
    ----------
    performance
        With the track ``face`` in the ARKit basis; ``body`` where head and eyes turn.
    path
        The file.
    start_timecode
        Timecode of second 0, ``HH:MM:SS:FF.mmm``; None: that of the recording that was read, else midnight.
    eye_look
        ``"eyes"``: the eyeLook coefficients follow from the eye joints; ``"face"``: they are the face's own.

    Raises
    ------
    DataError
        If there is no face in the ARKit basis, or an option is wrong.
    """
    choose("eye_look", eye_look, ["eyes", "face"])
    face = as_arkit(performance.face)
    movable(face, ("arkit",), Path(path), "Live Link", alone=True)
    if start_timecode is None:
        told = performance.meta.get("livelink", {})
        start_timecode = told.get("timecode") if isinstance(told, Mapping) else None
        if not isinstance(start_timecode, str) or _timecode.split(start_timecode) is None:
            start_timecode = "00:00:00:00.000"
    first = _timecode.parse(start_timecode, FPS) + face.start * FPS
    if face.fps != FPS:
        log.warning("%s: a face at %s frames per second is resampled to 60", path, face.fps)
        face = face.resample(FPS)
    body = performance.get("body")
    body = retarget(body, "humanoid") if body is not None and len(body) else None
    if body is not None:
        log.info("%s: of the body, head and eyes are kept", path)
    out = face_for_export(face, body if eye_look == "eyes" else None)
    angles = _angles(out, body)
    order = [COLUMN[c[0].lower() + c[1:]] for c in COLUMNS[: len(ARKIT)]]
    values = np.concatenate([out.values[:, order], angles], axis=1)
    # Adding zero turns "-0.0000000000" into "0.0000000000".
    values = np.round(values, 10) + 0.0
    row = f"%s,{len(COLUMNS)}," + ",".join(["%.10f"] * len(COLUMNS)) + "\n"
    with replacing(Path(path)) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
        text.write("Timecode,BlendshapeCount," + ",".join(COLUMNS) + "\n")
        for i in range(0, len(values), 4096):
            part = values[i : i + 4096].tolist()
            text.write(
                "".join(row % (_timecode.label(first + i + k, FPS), *frame) for k, frame in enumerate(part))
            )
        text.flush()
        text.detach()


def _angles(face: Face, body: Motion | None) -> NDArray[np.float64]:
    """(T, 9) yaw, pitch and roll of head, left and right eye, radians."""
    if body is None:
        turns = {"Head": np.tile(rot.IDENTITY, (len(face), 1)), **_eyes_from(face.values)}
    else:
        now = body.at(face.times)
        turns = {
            "Head": rot.multiply(now.joint("neck"), now.joint("head")),
            "LeftEye": now.joint("leftEye"),
            "RightEye": now.joint("rightEye"),
        }
    columns = []
    for what in _TURNING:
        euler = rot.to_euler(np.asarray(turns[what], dtype=np.float64), "YXZ")
        columns += [-euler[:, 0], euler[:, 1], -euler[:, 2]]
    return np.stack(columns, axis=1)


FORMAT = Format("Live Link Face", (".livelink.csv",), ("face", "body"), read, write, recognises, (".csv",))
