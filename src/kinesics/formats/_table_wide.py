"""The wide layout: a row per moment, a column per number."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError
from kinesics.formats._encode import number
from kinesics.formats._table_clock import clock_of
from kinesics.formats._table_tracks import (
    confidence_of,
    describe,
    described_names,
    guess,
    inner_names,
    rate_of,
    rebuild,
    text,
    values_of,
)
from kinesics.performance import Audio, Plan, Signal, Tier
from kinesics.performance._sampled import exact_rate
from kinesics.performance.performance import Track

log = logging.getLogger(__name__)

SURE = ".confidence"
_TIMES = re.compile(
    r"(?:approx_?)?(time|timestamp|t|seconds?|secs?|time_?stamp)[\s_]*[\[(]?(s|sec|seconds|ms|milliseconds|us|µs|ns)?[\])]?",
    re.IGNORECASE,
)
_SCALE = {"ms": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_UNIT = re.compile(r"[\[(]([^\[\]()]{1,20})[\])]\s*$")
_OPENFACE = (
    (re.compile(r"pose_T[xyz]|[XYZ]_\d+|eye_lmk_[XYZ]_\d+"), "mm"),
    (re.compile(r"pose_R[xyz]|gaze_angle_[xy]"), "rad"),
    (re.compile(r"[xy]_\d+|eye_lmk_[xy]_\d+"), "px"),
)
"""Units that OpenFace's documentation gives for its columns."""


@dataclass(frozen=True)
class Wide:
    """Columns of one length: times (float64 seconds) and numbers, NaN where a cell is empty."""

    times: NDArray[np.float64]
    columns: dict[str, NDArray[np.floating]]


def column_name(track: str, inner: str, alone: bool) -> str:
    """What a column is called in the table: ``f0`` for the signal f0 of the track f0, else ``body.hips.qw``."""
    return track if alone and inner == track else f"{track}.{inner}"


def to_wide(tracks: Mapping[str, Track], fps: object) -> tuple[Wide, list[dict[str, Any]]]:
    """All sampled tracks on one clock, and their descriptions.

    The clock is that of the first track, or ``fps``; tracks on other clocks are interpolated, which is logged.
    """
    sampled: dict[str, Any] = {n: t for n, t in tracks.items() if not isinstance(t, (Tier, Plan))}
    for name, track in sampled.items():
        if isinstance(track, Audio):
            raise DataError(f"track {name!r} is sound; save it as .wav, or choose layout='long'")
    left = [n for n in tracks if n not in sampled]
    if left:
        log.warning("a wide table has no place for %s; choose layout='long'", ", ".join(left))
    if not any(len(t) for t in sampled.values()):
        raise DataError("nothing to write as a wide table: there is no sampled track with samples in it")
    first = next(t for t in sampled.values() if len(t))
    rate = first.fps if fps is None else exact_rate(fps, "table")
    start = min(t.start for t in sampled.values() if len(t))
    # The grid goes through the first track's samples, so that these at least are kept as they are.
    start += ((first.start - start) * float(rate)) % 1 / float(rate) if first.fps == rate else 0.0
    if first.fps == rate and abs(first.start - start) * float(rate) < 1e-3:
        start = first.start
    placed = {n: _placed(n, t, rate, start) for n, t in sampled.items()}
    count = max(at + len(t) for at, t in placed.values())
    columns: dict[str, NDArray[np.floating]] = {}
    for name, (at, track) in placed.items():
        values, sure, names = values_of(track), confidence_of(track), inner_names(track)
        alone = len(names) == 1
        for k, inner in enumerate(names):
            _add(columns, column_name(name, inner, alone), values[:, k], at, count)
        if sure is not None:
            for k, inner in enumerate(names):
                _add(columns, column_name(name, inner, alone) + SURE, sure[:, k], at, count)
    times = start + np.arange(count) / float(rate)
    return Wide(times, columns), [describe(n, t) for n, (_, t) in placed.items()]


def _placed(name: str, track: Any, rate: Fraction, start: float) -> tuple[int, Any]:
    """First row of a track, and the track on the table's clock."""
    at = (track.start - start) * float(rate)
    if not len(track):
        return 0, track
    if track.fps == rate and abs(at - round(at)) < 1e-3:
        return round(at), track
    log.warning("track %r at %s per second is interpolated to the table's %s", name, track.fps, rate)
    first = int(np.ceil(at - 1e-6))
    times = start + np.arange(first, first + max(1, int(track.duration * float(rate) + 1e-6))) / float(rate)
    return first, replace(track.at(times), fps=rate, start=float(times[0]))


def _add(
    columns: dict[str, NDArray[np.floating]], name: str, values: NDArray[np.float32], at: int, count: int
) -> None:
    if name in columns or name == "time":
        raise DataError(
            f"two columns would be called {name!r}; rename a track or a signal, or save it as .kin"
        )
    column = np.full(count, np.nan, dtype=np.float32)
    column[at : at + len(values)] = values
    columns[name] = column


def from_wide(wide: Wide, descriptions: Sequence[Any]) -> dict[str, Track]:
    """The tracks of a table that was described; ValueError on whatever does not fit the description."""
    return {text(about, "name"): _described(wide, about) for about in descriptions}


def _described(wide: Wide, about: Any) -> Track:
    name, names, fps = text(about, "name"), described_names(about), rate_of(about)
    alone = len(names) == 1
    if len(set(names)) != len(names):
        raise ValueError(f"names of {name!r} that do not repeat")

    def gather(suffix: str) -> NDArray[np.floating]:
        columns = []
        for inner in names:
            column = column_name(name, inner, alone) + suffix
            if column not in wide.columns:
                raise ValueError(f"the column {column!r:.80}")
            columns.append(wide.columns[column])
        return np.stack(columns, axis=1) if columns else np.zeros((len(wide.times), 0))

    values = gather("")
    there = np.flatnonzero(~np.isnan(values).all(axis=1)) if names else np.zeros(0, int)
    first, last = (int(there[0]), int(there[-1]) + 1) if len(there) else (0, 0)
    values = values[first:last]
    if np.isnan(values).any():
        row = first + int(np.argmax(np.isnan(values).any(axis=1)))
        raise ValueError(f"numbers in all columns of {name!r} in row {row + 1}")
    start = number(about.get("start"))
    if last > first:
        here = wide.times[first:last]
        start = start if abs(here[0] - start) < 1e-6 else float(here[0])
        if np.abs(here - start - np.arange(len(here)) / float(fps)).max() > 0.25 / float(fps):
            raise ValueError(f"rows of {name!r} at {fps} per second, as its description says")
    sure = gather(SURE)[first:last] if about.get("confidence") else None
    return rebuild(about, values, sure, start)


def foreign(
    path: Path,
    columns: dict[str, NDArray[np.floating]],
    *,
    fps: object,
    time: str | None,
) -> tuple[dict[str, Track], dict[str, Any]]:
    """The tracks of a table that nothing describes, and what was done to get them.

    Raises
    ------
    FormatError
        If there is no time, or times make no clock.
    """
    columns, told = _one_face(path, columns)
    times, name = _times(path, columns, fps, time)
    columns = {n: c for n, c in columns.items() if n != name}
    bad = ~np.isfinite(times)
    if bad.any():
        raise FormatError(
            path, f"row {int(np.argmax(bad)) + 1}, column {name!r}", "a time", "fill it in or delete the row"
        )
    fresh = np.concatenate([[True], np.diff(times) != 0]) if len(times) else np.zeros(0, bool)
    if not fresh.all():
        told["rows_repeated"] = int((~fresh).sum())
        log.warning("%s: %d rows repeat the time before and are left out", path, told["rows_repeated"])
        times, columns = times[fresh], {n: c[fresh] for n, c in columns.items()}
    try:
        clock = clock_of(times)
    except ValueError as error:
        raise FormatError(
            path, f"column {name!r}", str(error), "sort or split the table, or name its rate with fps="
        ) from error
    told |= {"time": name, "resampled": clock.places is not None, "rows_missing": clock.gaps}
    if clock.origin:
        told["origin"] = clock.origin
    if clock.places is not None:
        log.warning("%s: rows are not evenly spaced; interpolated to %s per second", path, clock.fps)
    names = [n for n, c in columns.items() if np.isfinite(c).any()]
    empty = [n for n in columns if n not in names]
    if empty:
        told["empty"] = empty
    if not names:
        raise FormatError(
            path, "columns", "at least one column of numbers besides the time", "check the table"
        )
    values = np.stack([np.asarray(columns[n], np.float64) for n in names], axis=1)
    known = np.isfinite(values)
    if not known.all():
        told["cells_filled"] = int((~known).sum())
        log.warning("%s: %d cells are empty; interpolated, with confidence 0", path, told["cells_filled"])
        for k in np.flatnonzero(~known.all(axis=0)):
            there = np.flatnonzero(known[:, k])
            values[:, k] = np.interp(np.arange(len(values)), there, values[there, k])
    sure = known.astype(np.float64)
    overall = next((i for i, n in enumerate(names) if n.lower() == "confidence"), None)
    if overall is not None and values[:, overall].min() >= 0 and values[:, overall].max() <= 1:
        sure *= values[:, [overall]]
    values, sure = clock.apply(values), clock.apply(sure)
    return _grouped(names, values, sure if (sure < 1).any() else None, clock.fps, clock.start), told


def _one_face(
    path: Path, columns: dict[str, NDArray[np.floating]]
) -> tuple[dict[str, NDArray[np.floating]], dict[str, Any]]:
    """The rows of the first person, where a tracker followed several (OpenFace's face_id)."""
    ids = columns.get("face_id")
    if ids is None or not len(ids) or (ids == ids[0]).all():
        return columns, {}
    others = sorted({float(i) for i in ids[np.isfinite(ids)][:100_000]} - {float(ids[0])})[:20]
    log.warning("%s: read is the face_id %g; left out are %s", path, ids[0], others)
    mine = ids == ids[0]
    return {n: c[mine] for n, c in columns.items()}, {"face_id": float(ids[0]), "other_face_ids": others}


def _times(
    path: Path, columns: Mapping[str, NDArray[np.floating]], fps: object, time: str | None
) -> tuple[NDArray[np.float64], str]:
    if time is not None and time not in columns:
        raise FormatError(
            path, "header", f"a column of numbers {time!r:.60}", f"name one of: {', '.join(columns)[:300]}"
        )
    count = len(next(iter(columns.values()), ()))
    frame = next((n for n in columns if n.lower() in ("frame", "frame_id", "frame_number", "frameid")), None)
    if fps is not None and time is None:
        rate = float(exact_rate(fps, "table"))
        numbered = frame is not None and np.isfinite(columns[frame]).all()
        places = np.asarray(columns[frame], np.float64) if numbered else np.arange(count, dtype=np.float64)  # type: ignore[index]
        return places / rate, frame if numbered and frame is not None else ""
    name = time or next((n for n in columns if _TIMES.fullmatch(n.strip())), None)
    if name is None:
        raise FormatError(
            path,
            "header",
            "a column of times such as 'time' or 'timestamp'",
            "name it with time=, or the rows per second with fps=",
        )
    found = _TIMES.fullmatch(name.strip())
    scale = _SCALE.get((found[2] or "").lower(), 1.0) if found else 1.0
    times = np.asarray(columns[name], np.float64)
    return times * scale, name


def _grouped(
    names: list[str],
    values: NDArray[np.float64],
    sure: NDArray[np.float64] | None,
    fps: Fraction,
    start: float,
) -> dict[str, Track]:
    """Bodies and faces where the names say so; all else is the signal ``signals``."""
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        groups.setdefault(name.split(".", 1)[0] if "." in name else "", []).append(i)
    tracks: dict[str, Track] = {}
    rest = set(range(len(names)))
    kinds = {"body": "Motion", "face": "Face", "": "Face"}
    for group, places in groups.items():
        inner = [names[i].removeprefix(f"{group}.") if group else names[i] for i in places]
        found = guess(inner, values[:, places], fps, start)
        key = group or "face"
        if found is not None and kinds.get(group, type(found).__name__) == type(found).__name__:
            tracks[key] = found
            rest -= set(places)
    if rest:
        kept = sorted(rest)
        units = tuple(_unit(names[i]) for i in kept)
        tracks["signals"] = Signal(
            values[:, kept],
            tuple(names[i] for i in kept),
            units,
            fps,
            start,
            None if sure is None else np.clip(sure[:, kept], 0, 1),
        )
    return tracks


def _unit(name: str) -> str:
    found = _UNIT.search(name)
    if found:
        return found[1].strip()
    return next((unit for pattern, unit in _OPENFACE if pattern.fullmatch(name)), "")
