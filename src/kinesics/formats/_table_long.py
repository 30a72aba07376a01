"""The long layout: a row per number or interval, with its track, time and name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.formats._encode import from_json, number
from kinesics.formats._table_clock import clock_of
from kinesics.formats._table_tracks import (
    confidence_of,
    described_names,
    guess,
    inner_names,
    rate_of,
    rebuild,
    rebuild_whole,
    text,
    values_of,
)
from kinesics.performance import Interval, Plan, Signal, Tier
from kinesics.performance.performance import Track

COLUMNS = ("track", "type", "time", "end", "name", "value", "confidence", "label")
ABOUT = "about"
"""Type of the rows that hold the description, piece by piece, in their label."""

PIECE = 30_000
"""Characters in one such row: a cell of Excel takes 32,767."""

_BLOCK = 1024


PERSON = "person"
"""First column where the rows are of several people; a shared track's is empty."""


def columns_of(people: bool) -> tuple[str, ...]:
    """The columns of a long table, of one person or of several."""
    return (PERSON, *COLUMNS) if people else COLUMNS


def who_and_what(track: str, people: bool) -> tuple[str, str]:
    """A scene's person and track, of ``person/track``; else ("", track)."""
    who, _, what = track.partition("/") if people and "/" in track else ("", "", track)
    return who, what


def joined(who: str, what: str) -> str:
    """Back from :func:`who_and_what`."""
    return f"{who}/{what}" if who else what


@dataclass(frozen=True)
class Long:
    """The rows as columns: texts as (values, index into them), numbers as float64 with NaN where there is none."""

    track: tuple[list[str], NDArray[np.intp]]
    kind: tuple[list[str], NDArray[np.intp]]
    name: tuple[list[str], NDArray[np.intp]]
    time: NDArray[np.float64]
    end: NDArray[np.float64]
    value: NDArray[np.float64]
    confidence: NDArray[np.float64]
    label: Sequence[str]


@dataclass(frozen=True)
class Block:
    """Some frames of one sampled track, or some intervals of a tier (then ``names`` is empty).

    ``values`` and ``confidence`` are (T, K), or (T, 1) for a tier; NaN where there is none.
    """

    track: str
    kind: str
    names: list[str]
    time: NDArray[np.float64]
    end: NDArray[np.float64]
    values: NDArray[np.floating]
    confidence: NDArray[np.floating]
    labels: list[str]


def blocks(tracks: Mapping[str, Track]) -> Iterator[Block]:
    """All rows but the description, in pieces."""
    for key, track in tracks.items():
        kind = type(track).__name__
        if isinstance(track, Tier):
            for i in range(0, len(track), _BLOCK):
                part = track.intervals[i : i + _BLOCK]
                value = np.array([[np.nan if p.value is None else p.value] for p in part])
                sure = np.array([[p.confidence] for p in part])
                starts, ends = np.array([p.start for p in part]), np.array([p.end for p in part])
                yield Block(key, kind, [], starts, ends, value, sure, [p.label for p in part])
        elif not isinstance(track, Plan):
            names, values, sure = inner_names(track), values_of(track), confidence_of(track)
            for i in range(0, len(track), _BLOCK):
                part = values[i : i + _BLOCK]
                none = np.full(part.shape, np.nan, np.float32)
                yield Block(
                    key,
                    kind,
                    names,
                    track.start + np.arange(i, i + len(part)) / float(track.fps),
                    np.full(len(part), np.nan),
                    part,
                    none if sure is None else sure[i : i + _BLOCK],
                    [],
                )


def about_in(long: Long) -> Any:
    """The description that the rows hold, or None; ValueError if it is damaged."""
    if ABOUT not in long.kind[0]:
        return None
    rows = np.flatnonzero(long.kind[1] == long.kind[0].index(ABOUT))
    # Sorting in a spreadsheet may have shuffled the pieces; their numbers are in "value".
    order = rows[np.argsort(long.value[rows], kind="stable")]
    return from_json("".join(long.label[i] for i in order).encode("utf-8", "surrogatepass"))


def from_long(long: Long, descriptions: Sequence[Any] | None) -> dict[str, Track]:
    """The tracks; ValueError (DataError is one) on whatever cannot be understood."""
    rows = _by_track(long)
    if descriptions is None:
        return {n: _undescribed(long, n, r) for n, r in rows.items()}
    out: dict[str, Track] = {}
    for about in descriptions:
        name, kind = text(about, "name"), text(about, "type")
        mine = rows.get(name, np.zeros(0, int))
        if kind == "Plan":
            out[name] = rebuild_whole(about)
        elif kind == "Tier":
            out[name] = _tier(long, text(about, "tier"), mine)
        else:
            out[name] = _sampled(long, about, mine)
    return out


def _by_track(long: Long) -> dict[str, NDArray[np.intp]]:
    usable = np.ones(len(long.time), bool)
    if ABOUT in long.kind[0]:
        usable = long.kind[1] != long.kind[0].index(ABOUT)
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(long.track[1][rows], kind="stable")]
    codes = long.track[1][rows]
    cuts = np.flatnonzero(np.diff(codes)) + 1
    parts = np.split(rows, cuts) if len(rows) else []
    found = sorted(parts, key=lambda p: int(p.min()))
    return {long.track[0][long.track[1][p[0]]]: p for p in found}


def _tier(long: Long, name: str, rows: NDArray[np.intp]) -> Tier:
    intervals = []
    for i in rows.tolist():
        start, end = float(long.time[i]), float(long.end[i])
        value = float(long.value[i])
        sure = float(long.confidence[i])
        intervals.append(
            Interval(
                start,
                start if np.isnan(end) else end,
                long.label[i],
                None if np.isnan(value) else value,
                1.0 if np.isnan(sure) else sure,
            )
        )
    return Tier(name, tuple(intervals))


def _sampled(long: Long, about: Any, rows: NDArray[np.intp]) -> Track:
    key, names, fps = text(about, "name"), described_names(about), rate_of(about)
    start = number(about.get("start"))
    if not len(rows):
        return rebuild(about, np.zeros((0, len(names))), np.zeros((0, len(names))), start)
    place = {n: i for i, n in enumerate(names)}
    used = np.unique(long.name[1][rows])
    column = np.full(len(long.name[0]), -1)
    for code in used.tolist():
        if long.name[0][code] not in place:
            raise ValueError(
                f"names that its description has; {long.name[0][code]!r:.60} of {key!r} is not one"
            )
        column[code] = place[long.name[0][code]]
    first = float(np.nanmin(long.time[rows]))
    start = start if abs(first - start) < 1e-6 else first
    with np.errstate(all="ignore"):  # absurd times are found below
        frame = np.rint((long.time[rows] - start) * float(fps))
    count = len(rows) // len(names)
    if count * len(names) != len(rows) or not ((frame >= 0) & (frame < count)).all():
        raise ValueError(f"each of the {len(names)} numbers of {key!r} once in every frame, without gaps")
    place_of = frame.astype(int) * len(names) + column[long.name[1][rows]]
    if len(np.unique(place_of)) != len(place_of):
        raise ValueError(f"each of the {len(names)} numbers of {key!r} once in every frame")
    values, sure = np.empty(len(rows)), np.empty(len(rows))
    values[place_of], sure[place_of] = long.value[rows], long.confidence[rows]
    return rebuild(about, values.reshape(count, -1), sure.reshape(count, -1), start)


def _undescribed(long: Long, key: str, rows: NDArray[np.intp]) -> Track:
    kinds = {long.kind[0][k] for k in np.unique(long.kind[1][rows]).tolist()}
    if kinds == {"Tier"} or (kinds <= {""} and np.isfinite(long.end[rows]).any()):
        return _tier(long, key, rows)
    times, frame = np.unique(long.time[rows], return_inverse=True)
    if not np.isfinite(times).all():
        raise ValueError(f"a time in every row of {key!r}")
    codes, seen, column = np.unique(long.name[1][rows], return_index=True, return_inverse=True)
    if len(times) * len(codes) > 16 * len(rows) + 4096:
        raise ValueError(
            f"rows that fill the grid of {key!r}; {len(times)} times and {len(codes)} names do not"
        )
    values = np.full((len(times), len(codes)), np.nan)
    values[frame, column] = long.value[rows]
    known = np.isfinite(values)
    if not known.any(axis=0).all():
        raise ValueError(f"numbers in the column 'value' of {key!r}")
    for k in np.flatnonzero(~known.all(axis=0)):
        there = np.flatnonzero(known[:, k])
        values[:, k] = np.interp(times, times[there], values[there, k])
    clock = clock_of(times)
    names = [long.name[0][c] or key for c in codes.tolist()]
    # In the order in which the names first came, not in that of their codes.
    order = np.argsort(seen)
    values, names = clock.apply(values[:, order]), [names[i] for i in order.tolist()]
    found = guess(names, values, clock.fps, clock.start)
    if found is not None and kinds <= {"", type(found).__name__}:
        return found
    if len(set(names)) != len(names):
        raise DataError(f"{key!r}: names repeat")
    sure = None if known.all() else clock.apply(known[:, order].astype(float))
    return Signal(values, tuple(names), ("",) * len(names), clock.fps, clock.start, sure)
