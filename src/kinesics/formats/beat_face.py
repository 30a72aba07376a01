"""BEAT face JSON: ARKit coefficients as the BEAT corpus (Liu et al., ECCV 2022) keeps them.

Carries ``face``. The file is ``{"names": [51 names], "frames": [{"weights": [51 numbers], "time": seconds, "rotation": []}, …]}``
at 60 frames per second. BEAT removed ``tongueOut`` (51 names, alphabetical); files with 52 and with other orders are read as well, as
names are matched and order never counts: names that are missing become zeros, told in ``meta["beat_face"]["missing"]``, and names that ARKit does not have
are told in ``"extra"`` and not read.

``time`` is in seconds and need not be there. Where it is, it must rise; rows within a quarter of a frame of an even clock are taken for it, others are interpolated at
the usual distance between rows, with a warning (``meta["beat_face"]["resampled"]``, ``"frames_missing"``); the first row's time is the track's start.
Without it frames are at 60 per second from 0 (``fps=`` states another rate, and is then used instead of the times). ``rotation``, empty in BEAT, is not read: BEAT's head is in its BVH.

Written are the 51 names in BEAT's order, or 52 where the tongue moves or ``tongue=True`` (``tongue=False`` leaves it out, which is logged if it moves), the face's own rate, times with six decimals and weights
with nine significant digits: weights come back bit for bit, the clock exactly for all usual rates. eyeLook coefficients follow from the eye joints of ``body`` where there is one.
"""

from __future__ import annotations

import logging
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import face_for_export
from kinesics.errors import DataError, FormatError, KinesicsError
from kinesics.files import replacing
from kinesics.formats._encode import json_in, to_json
from kinesics.formats._format import Format
from kinesics.formats._table_clock import clock_of
from kinesics.formats._text import head_of, text_of
from kinesics.formats._vrm_face import as_arkit, movable
from kinesics.performance import Face, Performance

log = logging.getLogger(__name__)

FPS = 60


def recognises(path: Path) -> bool:
    """Whether the file begins with names or frames of weights."""
    head = head_of(path).lstrip("\ufeff \t\r\n")
    named = '"names"' in head and any(f'"{n}"' in head for n in ARKIT)
    framed = '"frames"' in head and '"weights"' in head
    return head.startswith("{") and (named or framed) and ('"frames"' in head or named)


def read(path: str | Path, *, fps: object = None) -> Performance:
    """Read a face of BEAT.

    Parameters
    ----------
    path
        The file.
    fps
        Frames per second, to be used instead of the times in the file.

    Returns
    -------
    Performance
        With ``face``: the 52 ARKit coefficients.

    Raises
    ------
    FormatError
        If it is not such a file; the frame is named.

    Examples
    --------
    >>> face = read("2_scott_0_1_1.json").face  # doctest: +SKIP
    >>> face.fps, len(face.names)  # doctest: +SKIP
    (Fraction(60, 1), 52)
    """
    path = Path(path)
    names, frames = _parsed(path)
    column = {n.lower(): i for i, n in enumerate(names)}
    if len(column) != len(names):
        raise FormatError(path, "names", "names that do not repeat", "mend the names")
    missing = [n for n in ARKIT if n.lower() not in column]
    if len(missing) == len(ARKIT):
        raise FormatError(path, "names", "ARKit names such as 'jawOpen'", "check that this is a face of BEAT")
    known = {n.lower() for n in ARKIT}
    about: dict[str, Any] = {"missing": missing, "extra": [n for n in names if n.lower() not in known]}
    if set(missing) - {"tongueOut"} or about["extra"]:
        log.warning("%s: names missing: %s; names not known: %s", path, missing, about["extra"])
    weights, times = _numbers(path, frames, len(names))
    values = np.zeros((len(frames), len(ARKIT)))
    for k, name in enumerate(ARKIT):
        if name.lower() in column:
            values[:, k] = weights[:, column[name.lower()]]
    try:
        if times is None or fps is not None:
            face = Face(values, ARKIT, FPS if fps is None else fps)  # type: ignore[arg-type]
            return Performance({"face": face}, {"beat_face": about})
        clock = clock_of(times)
        about |= {"resampled": clock.places is not None, "frames_missing": clock.gaps}
        if clock.places is not None:
            log.warning("%s: frames are not evenly spaced; interpolated to %s per second", path, clock.fps)
        rate = clock.fps if len(times) > 1 else FPS
        face = Face(clock.apply(values), ARKIT, rate, start=clock.start)  # type: ignore[arg-type]
    except (KinesicsError, ValueError) as error:
        raise FormatError(path, "time", f"frames in time ({error})", "state their rate with fps=") from error
    return Performance({"face": face}, {"beat_face": about})


def _parsed(path: Path) -> tuple[list[str], list[Any]]:
    data = json_in(text_of(path), path)
    if not isinstance(data, dict) or not isinstance(data.get("frames"), list):
        raise FormatError(path, "top level", "'names' and 'frames'", "check that this is a face of BEAT")
    names, frames = data.get("names"), data["frames"]
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise FormatError(path, "names", "a list of names", "add the names of the weights")
    if not frames:
        raise FormatError(path, "frames", "at least one frame, found none", "the take is empty")
    return names, frames


def _numbers(
    path: Path, frames: list[Any], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    rows, times = [], []
    for i, frame in enumerate(frames):
        row = frame.get("weights") if isinstance(frame, dict) else None
        if not isinstance(row, list) or len(row) != count:
            raise FormatError(
                path, f"frames[{i}].weights", f"{count} numbers, as there are names", "mend the frame"
            )
        rows.append(row)
        times.append(frame.get("time"))
    # Checked type by type, as numpy would take texts, truths and nested lists for numbers.
    for i, row in enumerate(rows):
        if not all(type(x) in (int, float) and abs(x) < 1e30 for x in row):
            raise FormatError(path, f"frames[{i}].weights", "finite numbers", "mend the frame")
    if all(t is None for t in times):
        return np.array(rows, dtype=np.float64), None
    for i, t in enumerate(times):
        if type(t) not in (int, float) or not abs(t) < 1e12:
            raise FormatError(path, f"frames[{i}].time", "seconds", "mend it, or state the rate with fps=")
    return np.array(rows, dtype=np.float64), np.array(times, dtype=np.float64)


def write(performance: Performance, path: str | Path, *, tongue: bool | None = None) -> None:
    """Write the face as BEAT keeps it.

    Parameters
    ----------
    performance
        With ``face`` in the ARKit basis; ``body`` where the eyes turn.
    path
        The file.
    tongue
        Whether ``tongueOut`` is written, the 52nd name; None: only if the tongue moves.

    Raises
    ------
    DataError
        If there is no face with frames in the ARKit basis.
    """
    face = as_arkit(performance.face)
    movable(face, ("arkit",), Path(path), "BEAT", alone=True)
    if not len(face):
        raise DataError(f"{path}: BEAT needs one frame at least; this face has none")
    out = face_for_export(face, performance.get("body"))
    moves = bool(out.column("tongueOut").any())
    if tongue is False and moves:
        log.warning("%s: the tongue moves and is left out", path)
    names = ARKIT if (moves if tongue is None else tongue) else ARKIT[:-1]
    row = '{"weights":[' + ",".join(["%.9g"] * len(names)) + '],"time":%.6f,"rotation":[]}'
    values = np.asarray(out.select(names).values, np.float64)
    with replacing(Path(path)) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
        text.write(f'{{"names":{to_json(list(names), "names").decode()},"frames":[\n')
        for first in range(0, len(values), 4096):
            part = zip(values[first : first + 4096].tolist(), out.times[first : first + 4096], strict=True)
            text.write((",\n" if first else "") + ",\n".join(row % (*frame, time) for frame, time in part))
        text.write("\n]}\n")
        text.flush()
        text.detach()


FORMAT = Format("BEAT face", (".beat.json",), ("face",), read, write, recognises, (".json",))
