"""What all formats of labelled intervals share: names, overlaps, gaps and what gets lost.

A file's tiers become tracks. Tiers that are words, phones, phrases and the like under another name get
the track name that the package uses (:data:`CANONICAL`); the file's own name is kept in
``meta["<format>"]["names"]`` and written again. Of two tiers of one name the second becomes ``name (2)``.

Formats whose tiers cannot hold intervals that overlap get a second tier ``name [2]``, a third, and so
on; reading joins these again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from kinesics.errors import DataError
from kinesics.performance import Interval, Performance, Tier

log = logging.getLogger(__name__)

CANONICAL: dict[str, str] = {
    alias: name
    for name, aliases in {
        "words": "words word wrd orthography ort ort-mau",
        "phones": "phones phone phn phonemes phoneme mau",
        "syllables": "syllables syllable syl mas",
        "phrases": "phrases phrase",
        "captions": "captions caption subtitles",
        "turns": "turns turn speakers",
        "gestures": "gestures gesture",
    }.items()
    for alias in aliases.split()
}
"""Names of tiers in files, in lower case, and the track names that they get."""

# Other kinds of track have these names in a performance.
_TAKEN = ("speech", "music", "body", "face", "plan")
_LANE = re.compile(r"(.+) \[([1-9][0-9]{0,3})\]")
_SPEAKER = re.compile(r"(.+?) - (\S+)")


@dataclass(frozen=True)
class Found:
    """A file's tiers as tracks.

    Parameters
    ----------
    tracks
        Track name → tier.
    names
        Track name → the name in the file, where they differ.
    """

    tracks: Mapping[str, Tier]
    names: Mapping[str, str]


def gathered(rows: Iterable[tuple[str, Sequence[Interval]]]) -> Found:
    """Tracks from a file's tiers: lanes joined, known names made canonical, all of them different.

    Parameters
    ----------
    rows
        (name in the file, intervals) in the file's order.

    Examples
    --------
    >>> found = gathered([("61 - words", [Interval(0, 1, "hello")]), ("Word", [])])
    >>> list(found.tracks), dict(found.names)
    (['words', 'words (2)'], {'words': '61 - words', 'words (2)': 'Word'})
    """
    joined: list[tuple[str, list[Interval]]] = []
    place: dict[str, int] = {}
    for name, intervals in rows:
        lane = _LANE.fullmatch(name)
        if lane and lane[1] in place and int(lane[2]) > 1:
            joined[place[lane[1]]][1].extend(intervals)
        else:
            place.setdefault(name, len(joined))
            joined.append((name, list(intervals)))
    speakers = {m[1] for name, _ in joined if (m := _SPEAKER.fullmatch(name)) and m[2].lower() in CANONICAL}
    tracks: dict[str, Tier] = {}
    names: dict[str, str] = {}
    count: dict[str, int] = {}
    for name, intervals in joined:
        wanted = _canonical(name, one_speaker=len(speakers) == 1)
        track = wanted
        while track in tracks:
            count[wanted] = count.get(wanted, 1) + 1
            track = f"{wanted} ({count[wanted]})"
        tracks[track] = Tier(track, tuple(intervals))
        if track != name:
            names[track] = name
    return Found(tracks, names)


def _canonical(name: str, *, one_speaker: bool) -> str:
    plain = name.strip() or "tier"
    speaker = _SPEAKER.fullmatch(plain)
    if speaker and one_speaker:
        plain = CANONICAL.get(speaker[2].lower(), plain)
    plain = CANONICAL.get(plain.lower(), plain)
    return f"{plain} tier" if plain in _TAKEN else plain


def chosen(
    performance: Performance, tiers: Sequence[str] | str | None, path: Path, what: str
) -> dict[str, Tier]:
    """The tiers to write, by track name.

    Raises
    ------
    DataError
        If one that is asked for is not there, or there is none at all.
    """
    there = {n: t for n, t in performance.tracks.items() if isinstance(t, Tier)}
    if tiers is not None:
        wanted = [tiers] if isinstance(tiers, str) else list(tiers)
        for name in wanted:
            if name not in there:
                raise DataError(f"{path}: no tier {name!r}; there are: {', '.join(there) or 'none'}")
        there = {n: there[n] for n in dict.fromkeys(wanted)}
    if not there:
        raise DataError(f"{path}: the performance has no tier to write as {what}")
    return there


def own_name(performance: Performance, key: str, track: str) -> str:
    """The name under which a file of this format had the track, else the track's."""
    about = performance.meta.get(key)
    names = about.get("names") if isinstance(about, Mapping) else None
    name = names.get(track, track) if isinstance(names, Mapping) else track
    return name if isinstance(name, str) else track


def lanes(intervals: Iterable[Interval], *, tolerance: float = 0.0) -> list[list[Interval]]:
    """Intervals on as few lanes as hold them without overlap; what overlaps by ``tolerance`` is cut.

    >>> rows = [Interval(0, 2, "a"), Interval(1, 3, "b"), Interval(2, 4, "c")]
    >>> [[i.label for i in lane] for lane in lanes(rows)]
    [['a', 'c'], ['b']]
    """
    out: list[list[Interval]] = []
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    for i in sorted(intervals, key=lambda i: (i.start, i.end)):
        while busy and busy[0][0] <= i.start + tolerance:
            heappush(free, heappop(busy)[1])
        if free:
            k = heappop(free)
            last = out[k][-1].end
            # Next to each other but for rounding: one boundary, so that no sliver lies between.
            if abs(last - i.start) <= tolerance and last <= i.end:
                i = replace(i, start=last)
        else:
            k = len(out)
            out.append([])
        out[k].append(i)
        heappush(busy, (i.end, k))
    return out


def lane_names(name: str, count: int, taken: set[str]) -> list[str]:
    """``name``, ``name [2]`` …, none of them in ``taken``, to which they are added."""
    out: list[str] = []
    n = 1
    while len(out) < count:
        new = name if n == 1 else f"{name} [{n}]"
        n += 1
        if new not in taken:
            out.append(new)
            taken.add(new)
    return out


def filled(intervals: Iterable[Interval], start: float, end: float) -> list[tuple[float, float, str]]:
    """(start, end, label) of intervals in order and, between them, of empty ones: no gap from start to end.

    >>> filled([Interval(1, 2, "a")], 0, 3)
    [(0, 1, ''), (1, 2, 'a'), (2, 3, '')]
    """
    out: list[tuple[float, float, str]] = []
    for i in intervals:
        if i.start > start:
            out.append((start, i.start, ""))
        out.append((i.start, i.end, i.label))
        start = i.end
    if end > start or not out:
        out.append((start, end, ""))
    return out


def from_zero(tier: Tier, path: Path) -> Tier:
    """A tier cut at second 0, for formats that know no time before it; a cut is logged."""
    if not tier or tier.start >= 0:
        return tier
    kept = [i if i.start >= 0 else replace(i, start=0.0) for i in tier if i.start >= 0 or i.end > 0]
    log.warning("%s: %r begins before second 0 and is cut there", path, tier.name)
    return Tier(tier.name, tuple(kept))


def tell_lost(path: Path, tiers: Iterable[Tier], what: str) -> None:
    """Say in the log which tiers have values or confidences that a format has no place for."""
    values = [t.name for t in tiers if any(i.value is not None for i in t)]
    trust = [t.name for t in tiers if any(i.confidence != 1 for i in t)]
    for lost, kind in ((values, "values"), (trust, "confidences")):
        if lost:
            log.warning("%s: %s has no place for the %s of: %s", path, what, kind, ", ".join(lost))


def encoded(text: str, path: Path) -> bytes:
    """UTF-8; a DataError names a label that is no text (half a surrogate pair)."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        around = text[max(error.start - 10, 0) : error.end + 10]
        raise DataError(f"{path}: half a character in {around!r}; remove it") from error


def about(found: Found, **facts: Any) -> dict[str, Any]:
    """What a reader puts into ``meta["<format>"]``: facts, and names where they differ."""
    return {**facts, **({"names": dict(found.names)} if found.names else {})}
