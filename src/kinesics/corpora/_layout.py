"""What the official layouts have in common: small label files, emotions by name."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError, FormatError
from kinesics.formats import textgrid
from kinesics.formats._text import decoded
from kinesics.performance import Interval, Motion, Tier

EMOTIONS = {
    "neutral": "neutral", "happy": "happy", "happiness": "happy", "anger": "anger", "angry": "anger", "sad": "sad",
    "sadness": "sad", "contempt": "contempt", "surprise": "surprise", "surprised": "surprise", "fear": "fear",
    "fearful": "fear", "disgust": "disgust", "disgusted": "disgust",
}  # fmt: skip
"""What data sets call the eight emotions."""

_MOST_BYTES = 20_000_000


def files_below(folder: Path, endings: Sequence[str]) -> Iterator[Path]:
    """Files below a folder that end as wanted, sorted; hidden ones are left alone.

    Raises
    ------
    DataError
        If the folder is not there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: expected the folder of the data set; check the path")
    wanted = tuple(e.lower() for e in endings)
    for path in sorted(folder.rglob("*")):
        hidden = any(p.startswith(".") for p in path.relative_to(folder).parts)
        if not hidden and path.name.lower().endswith(wanted) and path.is_file():
            yield path


def rows_of(path: Path, delimiter: str, fields: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a small table as mappings; the header may be there or not.

    Raises
    ------
    FormatError
        If a row has fewer fields than are named.
    """
    text = decoded(path, most=_MOST_BYTES, fallback="latin-1")[0]
    out = []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            row = [c.strip() for c in row]
            if not any(row) or (not out and [c.lower() for c in row[:2]] == list(fields[:2])):
                continue
            if len(row) < len(fields):
                raise FormatError(
                    path, f"line {number}", f"{', '.join(fields)}; found {len(row)} fields", "mend this line"
                )
            out.append(
                dict(zip([*fields, "rest"], [*row[: len(fields)], " ".join(row[len(fields) :])], strict=True))
            )
            out[-1]["line"] = str(number)
    except csv.Error as error:
        raise FormatError(
            path, "content", f"a table ({error})", "check that this is the right file"
        ) from error
    return out


def interval_of(path: Path, row: dict[str, str], label: str, value: float | None) -> Interval:
    """An interval from the fields ``start`` and ``end`` (seconds) of a row."""
    try:
        start, end = float(row["start"]), float(row["end"])
        if not (math.isfinite(start) and math.isfinite(end) and start <= end):
            raise ValueError("start after end")
        return Interval(start, end, label, value)
    except ValueError as error:
        raise FormatError(
            path, f"line {row['line']}", f"start and end in seconds ({error})", "mend this line"
        ) from error


def score_of(path: Path, row: dict[str, str]) -> float:
    """The field ``score`` of a row, a finite number."""
    try:
        score = float(row["score"])
        if not math.isfinite(score):
            raise ValueError(f"{score}")
    except ValueError as error:
        raise FormatError(path, f"line {row['line']}", f"a score ({error})", "mend this line") from error
    return score


def emotion_named(name: str) -> str | None:
    """Our name of an emotion, or None.

    >>> emotion_named("Happiness"), emotion_named("03_sadness"), emotion_named("calm")
    ('happy', 'sad', None)
    """
    return EMOTIONS.get(re.sub(r"^[\d_ .-]+", "", name.strip()).lower())


def semantic_of(path: Path) -> dict[str, Tier]:
    """BEAT's semantic labels: tab-separated name, start, end, duration, score and key words.

    ``semantic`` has the class (``beat_align``, ``deictic_l``, ``iconic_h`` …; a leading number is taken off) and its
    score from 0 to 1, ``keywords`` the words that call for the gesture.
    """
    labels, keys = [], []
    for row in rows_of(path, "\t", ("name", "start", "end", "duration", "score")):
        score = score_of(path, row)
        if not 0 <= score <= 1:
            raise FormatError(
                path, f"line {row['line']}", f"a score from 0 to 1, found {score:g}", "mend this line"
            )
        label = re.sub(r"^\d+_", "", row["name"])
        labels.append(interval_of(path, row, label, score))
        if row["rest"]:
            keys.append(interval_of(path, row, row["rest"], score))
    return {"semantic": Tier("semantic", tuple(labels)), "keywords": Tier("keywords", tuple(keys))}


def spoken(path: Path) -> dict[str, Tier]:
    """``words`` and ``phones`` of a TextGrid; its first two interval tiers where names say nothing.

    Raises
    ------
    FormatError
        If it is no TextGrid, or has no tier of words.
    """
    show = textgrid.read(path)
    tiers = {t.name: t for t in show.tiers}
    if "words" not in tiers:
        tiers = dict(zip(("words", "phones"), tiers.values(), strict=False))
    if "words" not in tiers:
        raise FormatError(path, "tiers", "a tier of words", "check that this is the right file")
    return {n: Tier(n, tiers[n].intervals) for n in ("words", "phones") if n in tiers}


def canonical(motion: Motion, fps: object) -> Motion:
    """A motion on the canonical joints, at a rate; brought there first, which is less work."""
    return retarget(motion if fps is None else motion.resample(fps), "humanoid")


def shared_out(keys: Sequence[Any]) -> dict[Any, str]:
    """Ours, where a data set has no splits: of things in order about every tenth is ``val`` and every tenth ``test``.

    At least one each of three or more, evenly spread; all of fewer are ``train``.

    >>> [s for s in shared_out(range(10)).values()].index("test"), shared_out("ab")
    (9, {'a': 'train', 'b': 'train'})
    """
    count = len(keys)
    groups = max(1, count // 10) if count >= 3 else 0
    ends = [(k + 1) * count // groups - 1 for k in range(groups)]
    middles = [(a + b) // 2 for a, b in zip([-1, *ends], ends, strict=False)]
    named = dict.fromkeys(middles, "val") | dict.fromkeys(ends, "test")
    return {k: named.get(i, "train") for i, k in enumerate(keys)}


def whole(label: str, seconds: float, value: float | None = None) -> Tier:
    """An ``emotion`` tier of one interval."""
    return Tier("emotion", (Interval(0.0, seconds, label, value),))
