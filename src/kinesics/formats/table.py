"""Tables, CSV and Parquet: any track for R, pandas, Julia, SPSS and Excel, and tables made there.

Carries every track: bodies, faces, signals, points, tiers, plans, in either of two layouts (``layout=``). Sound is
left out, which is logged, unless ``track=`` names it and the layout is long; video always is. ``track="face"`` or ``track=("face", "words")`` chooses.
CSV is UTF-8 with commas and decimal points, one header line first, line feeds; missing values are empty cells. Parquet
needs the extra ``tables``.

**Wide** (``layout="wide"``, the default where the tracks chosen have no tier and no plan): a row per moment, ``time`` in seconds, then a
column per number: ``body.root.x`` (metres), ``body.hips.qw`` … ``qz`` (unit quaternions local to the parent), ``face.jawOpen``,
``marks.nose.x``, ``f0`` (a signal of one column with its track's name) or ``signals.AU12``; ``f0.confidence`` beside it where there is one.
All share one clock, that of the first track, or ``fps=``: tracks on other clocks are interpolated onto it, which is logged;
where a track has not begun or is over, cells are empty. Tiers and plans have no place and are left out, which is logged.

**Long** (``layout="long"``): a row per number or interval with the columns ``track, type, time, end, name, value, confidence, label``.
Takes everything, each track on its own clock; a tier's interval has ``end`` and ``label``. Big: a body alone is 13,400 rows a second.
A scene is always written long, with ``person`` as first column (empty for what is shared), and read as a scene again; its CSV
leaves out point sets of more than a hundred (the face mesh), which is logged, unless ``track=`` names them. Parquet takes them.

**What columns cannot say** (exact rate, skeleton, units, basis, order, plan, facts) is a description in JSON: in the schema
metadata ``kinesics`` of Parquet, in a long CSV as last rows of type ``about`` (filter them out: ``type != "about"``), in a wide CSV only with
``about=True`` as a first line ``# kinesics: {…}`` (skip it: ``comment="#"`` in pandas, ``comment.char="#"`` in R). ``about=False`` leaves it out of
a long CSV. With it everything comes back bit for bit (floats have as many decimals as they need) but for carriage returns
in labels, which become line feeds, and a wide table of several clocks. Without it times tell the rate, columns named as ours become a face or a
body on the canonical joints with the proportions of the avatar ``maya``, and all else one signal ``signals`` without units.
Rows may be sorted, and cut at both ends, before a table is read again; in between none may be missing.

**Other people's tables** (OpenFace, py-feat, trackers, spreadsheets) are read as the signal ``signals``: every column of numbers, named as in the
header without blanks around it. Delimiters are comma, semicolon (then decimal commas are understood) or tab; text that is not UTF-8 is read as
Windows-1252, with a warning. The clock is the column ``time``, ``timestamp``, ``t`` or ``seconds``, with ``ms``, ``us`` or ``ns`` in its name if it is not in seconds
(``time=`` names another; Parquet timestamps are seconds); a table that has only frame numbers, or nothing, needs ``fps=`` (frame numbers that
skip then give a lower rate). Times within a quarter of a sample of a uniform
clock are taken for it; others are interpolated. Empty cells, ``NA``, ``NaN`` and infinities are interpolated with confidence 0. A column ``confidence`` from 0 to 1, as OpenFace has it,
becomes the confidence of all columns. Where ``face_id`` tells several people, the first one's rows are read. Units in brackets (``x [px]``) and those of OpenFace's
documentation are kept. Columns of words are not read. All that was done is in ``meta["table"]``: ``time``, ``resampled``, ``rows_missing``, ``rows_repeated``, ``cells_filled``,
``words`` and ``empty`` (columns), ``encoding`` where it is not UTF-8, ``origin`` (seconds taken off dates), ``face_id``.

Excel takes a label that begins with ``=`` for a formula: open tables from strangers as text. A Parquet file may announce far more rows than it holds or than memory takes;
what it announces is checked against its size before anything is read.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError, KinesicsError, choose
from kinesics.formats import _table_parquet, _table_text
from kinesics.formats._delimited import cells_of, delimiter_of
from kinesics.formats._format import Format
from kinesics.formats._table_long import (
    PERSON,
    Block,
    Long,
    about_in,
    blocks,
    columns_of,
    from_long,
    who_and_what,
)
from kinesics.formats._table_tracks import about_of, checked_about, describe
from kinesics.formats._table_wide import Wide, foreign, from_wide, to_wide
from kinesics.formats._text import decoded, encoding_fact
from kinesics.performance import Audio, Performance, Plan, Points, Scene, Tier, Video

log = logging.getLogger(__name__)

_MOST_POINTS = 100
"""Points of a track that a scene's CSV takes unasked: a face mesh makes 35,000 rows a second."""


def read(path: str | Path, *, fps: object = None, time: str | None = None) -> Performance:
    """Read a table, our own or anybody's.

    Parameters
    ----------
    path
        The file, ``.csv`` or ``.parquet``.
    fps
        Frames per second of a wide table that has no column of times, or whose times are not to be used: the
        column ``frame`` counts them, or every row is one.
    time
        Name of the column of times, if it is not called that.

    Returns
    -------
    Performance
        The tracks as they were written, or ``signals``; what was done to foreign tables is in ``meta["table"]``.

    Raises
    ------
    FormatError
        If it is no table, has no clock, or does not fit its own description.
    MissingExtra
        For Parquet, without the extra ``tables``.

    Examples
    --------
    >>> faces = read("OpenFace.csv")["signals"]  # doctest: +SKIP
    >>> faces.fps, faces.column("AU12_r").max()  # doctest: +SKIP
    (Fraction(30, 1), 2.31)
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".parquet":
            return _read_parquet(path, fps, time)
        return _read_text(path, fps, time)
    except FormatError:
        raise
    except (KinesicsError, ValueError) as error:
        if isinstance(error, ImportError):
            raise
        raise FormatError(
            path,
            "table",
            str(error),
            "undo what changed the table, or delete its description (kinesics, about)",
        ) from error


def _read_text(path: Path, fps: object, time: str | None) -> Performance:
    text, encoding = decoded(path, fallback="cp1252")
    about, table = _table_text.about_line(text)
    line = next((line for line in table.split("\n") if line.strip()), "")
    header = [c.lower() for c in cells_of(line, delimiter_of(line))]
    if "track" in header and {"value", "label"} & set(header):
        long = _table_text.read_long(path, table.lstrip("\n"))
        return _long(path, long, about_in(long) or about, PERSON in header)
    comments = text[: len(text) - len(table)].count("\n")
    columns, words = _table_text.read_wide(path, table, comments)
    show = _wide(path, columns, words, about, fps, time)
    if facts := encoding_fact(encoding):
        show = replace(show, meta={**show.meta, "table": {**show.meta.get("table", {}), **facts}})
    return show


def _read_parquet(path: Path, fps: object, time: str | None) -> Performance:
    file = _table_parquet.Parquet(path)
    if "track" in file.names and {"value", "label"} & set(file.names):
        return _long(path, file.long(), file.about(), PERSON in file.names)
    columns, words = file.numbers()
    return _wide(path, columns, words, file.about(), fps, time)


def _long(path: Path, long: Long, about: Any, people: bool) -> Performance:
    if about is None:
        tracks = from_long(long, None)
        meta: dict[str, Any] = {"table": {"layout": "long"}}
        if people:
            meta["scene"] = {"people": {n.partition("/")[0]: {} for n in tracks if "/" in n}}
        return Performance(tracks, meta)
    meta, tracks = checked_about(about)
    return Performance(from_long(long, tracks), meta)


def _wide(
    path: Path, columns: dict[str, Any], words: list[str], about: Any, fps: object, time: str | None
) -> Performance:
    if about is not None:
        meta, tracks = checked_about(about)
        if "time" not in columns:
            raise FormatError(path, "header", "the column 'time'", "add it again")
        return Performance(from_wide(Wide(columns["time"], columns), tracks), meta)
    if not columns:
        raise FormatError(path, "header", "columns of numbers", "check that this is a table")
    tracks, told = foreign(path, columns, fps=fps, time=time)
    if words:
        told["words"] = words
        log.info("%s: columns of words are not read: %s", path, ", ".join(words)[:300])
    return Performance(tracks, {"table": {"layout": "wide", **told}})


def write(
    performance: Performance | Scene,
    path: str | Path,
    *,
    layout: str = "auto",
    track: str | Sequence[str] | None = None,
    fps: object = None,
    about: bool | None = None,
) -> None:
    """Write tracks as a table.

    Parameters
    ----------
    performance
        With at least one track other than sound.
    path
        The file, ``.csv`` or ``.parquet``.
    layout
        ``"wide"``, ``"long"``, or ``"auto"``: wide unless there is a tier or a plan.
    track
        Name or names of the tracks to write; None: all but sound.
    fps
        Rows per second of a wide table; None: those of its first track.
    about
        Whether a CSV holds the description; None: if it is long. Parquet always holds it.

    Raises
    ------
    DataError
        If a track is missing, nothing remains to be written, or two columns would have one name.
    MissingExtra
        For Parquet, without the extra ``tables``.

    Examples
    --------
    >>> show.save("face.csv", track="face")  # doctest: +SKIP
    >>> show.save("all.parquet", layout="long")  # doctest: +SKIP
    """
    path = Path(path)
    choose("layout", layout, ["auto", "wide", "long"])
    people = isinstance(performance, Scene)
    parquet = path.suffix.lower() == ".parquet"
    show = performance.as_performance() if isinstance(performance, Scene) else performance
    show = _chosen(show, track, most=_MOST_POINTS if people and not parquet else None)
    if layout == "wide" and people:
        raise DataError(f"{path}: a scene is written as a long table; save scene.person(name) as a wide one")
    if layout == "auto":
        layout = (
            "long" if people or any(isinstance(t, (Tier, Plan)) for t in show.tracks.values()) else "wide"
        )
    if layout == "wide":
        wide, tracks = to_wide(show.tracks, fps)
        description = about_of(show.meta, tracks)
        if parquet:
            _table_parquet.write_wide(path, wide, description)
        else:
            _table_text.write_wide(path, wide, description if about else None)
        return
    description = about_of(show.meta, [describe(n, t) for n, t in show.tracks.items()])
    if parquet:
        _table_parquet.write_long(path, show, description)
    else:
        _table_text.write_long(path, show, None if about is False else description)


def _chosen(performance: Performance, track: str | Sequence[str] | None, *, most: int | None) -> Performance:
    if track is not None:
        names = (track,) if isinstance(track, str) else tuple(track)
        tracks = {n: performance[n] for n in names}
        films = [n for n, t in tracks.items() if isinstance(t, Video)]
        if films:
            raise DataError(f"a table has no place for the video {films[0]!r}; save it as .mp4")
    else:
        tracks = {n: t for n, t in performance.tracks.items() if not isinstance(t, (Audio, Video))}
        large = [n for n, t in tracks.items() if most and isinstance(t, Points) and len(t.names) > most]
        tracks = {n: t for n, t in tracks.items() if n not in large}
        left = [n for n, t in performance.tracks.items() if n not in tracks and not isinstance(t, Video)]
        if left:
            log.warning("left out of the table: %s (name them with track= if you want them)", ", ".join(left))
    if not tracks:
        raise DataError(
            "a table needs at least one track other than sound and video; this performance has none"
        )
    return Performance(tracks, performance.meta)


def columns(performance: Performance | Scene, tracks: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """The long table in memory, one array a column: what data frames are made of.

    Parameters
    ----------
    performance
        Or a scene, whose table has the column ``person`` besides.
    tracks
        Names of the tracks, of a scene also those of its people (``"smile"``); None: all but sound, video and plans.

    Returns
    -------
    dict
        ``track``, ``type``, ``time`` and ``end`` (seconds; ``end`` NaN for samples), ``name``, ``value``,
        ``confidence`` (NaN where there is none) and ``label``, all of one length; texts are objects.

    Raises
    ------
    DataError
        If a track is not there, or holds what has no rows.

    Examples
    --------
    >>> from kinesics.performance import Interval
    >>> show = Performance({"smile": Tier("smile", [Interval(1, 2, "smile", 0.7, 0.9)])})
    >>> {name: column.tolist() for name, column in columns(show).items() if name in ("time", "end", "label")}
    {'time': [1.0], 'end': [2.0], 'label': ['smile']}

    With pandas: ``pandas.DataFrame(scene.table(["expression", "smile"]))``.
    """
    people = isinstance(performance, Scene)
    there = {n: t for n, t in performance.tracks.items() if not isinstance(t, (Audio, Video, Plan))}
    if tracks is not None:
        wanted = [tracks] if isinstance(tracks, str) else list(tracks)
        short = {n: who_and_what(n, people)[1] for n in there}
        for name in wanted:
            if name not in there and name not in short.values():
                listed = ", ".join(dict.fromkeys(short.values()))
                raise DataError(f"no track {name!r} to make a table of; choose from: {listed or 'none'}")
        there = {n: t for n, t in there.items() if n in wanted or short[n] in wanted}
    parts = [_columns(block, people) for block in blocks(there)]
    texts = ("person", "track", "type", "name", "label")
    none = {c: np.zeros(0, object if c in texts else np.float64) for c in columns_of(people)}
    return {c: np.concatenate([none[c], *(part[c] for part in parts)]) for c in none}


def _columns(block: Block, people: bool) -> dict[str, NDArray[Any]]:
    times, each = block.values.shape
    who, what = who_and_what(block.track, people)
    same = {"person": who, "track": what, "type": block.kind}
    out = {name: np.full(times * each, text, object) for name, text in same.items()}
    names, labels = np.array(block.names or [""], object), np.array(block.labels, object)
    return out | {
        "time": np.repeat(block.time, each),
        "end": np.repeat(block.end, each),
        "name": np.tile(names, times),
        "value": np.asarray(block.values, np.float64).reshape(-1),
        "confidence": np.asarray(block.confidence, np.float64).reshape(-1),
        "label": labels if block.labels else np.full(times * each, "", object),
    }


FORMAT = Format("table", (".csv", ".parquet"), ("every track but sound",), read, write, scenes=True)
