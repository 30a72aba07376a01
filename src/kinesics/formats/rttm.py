"""RTTM: who speaks when, as speaker diarisation tools write it.

    SPEAKER meeting 1 6.690 0.430 <NA> <NA> ann 0.9 <NA>

Carries the tier ``turns``, whose labels are the speakers; turns may overlap. Follows NIST's Rich
Transcription RT-09 evaluation plan (times in seconds).

Reading: ``SPEAKER`` lines become ``turns``, their confidence (column 9) the interval's, ``LEXEME`` lines the tier
``words``, ``NON-SPEECH`` and ``NOSCORE`` lines tiers of these names in small letters; other lines are counted
in ``meta["rttm"]["skipped"]``. Channels are not told apart. A file may hold several recordings, whose times
have nothing to do with each other: name the one, ``load("all.rttm", file="meeting")``; without it such a
file is refused, and they are listed. ``meta["rttm"]["file"]`` is the one that was read.

Writing: ``save("talk.rttm", tier="turns", file="talk")``; by default the tier ``turns``, or the only one, and
the file's name without its ending (blanks become ``_``, as in the speakers' names). Starts and lengths are
written with six decimals. Confidences of 1 are written ``<NA>``; values are lost (logged).
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

from kinesics.errors import DataError, FormatError
from kinesics.files import existing, replacing
from kinesics.formats._encode import MAX_NUMBER
from kinesics.formats._format import Format
from kinesics.formats._text import decoded, encoding_fact
from kinesics.formats._tiers import encoded, from_zero, one_tier, tell_left
from kinesics.performance import Interval, Performance, Tier

log = logging.getLogger(__name__)

MOST_BYTES = 64_000_000
_TIERS = {"SPEAKER": "turns", "LEXEME": "words", "NON-SPEECH": "non-speech", "NOSCORE": "noscore"}
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,3})?|[0-9]+\.")


def read(path: str | Path, *, file: str | None = None) -> Performance:
    """Read turns.

    Parameters
    ----------
    path
        The file.
    file
        The recording (column 2), where there are several.

    Returns
    -------
    Performance
        Tiers ``turns`` and, where there are any, ``words``, ``non-speech`` and ``noscore``.

    Raises
    ------
    FormatError
        On lines that are not RTTM, or if there are several recordings and none is named.
    """
    path = existing(Path(path), "an RTTM file")
    text, encoding = decoded(path, most=MOST_BYTES, fallback="latin-1")
    text = text.removeprefix("\ufeff")
    tracks: dict[str, list[Interval]] = {"turns": []}
    names: dict[str, int] = {}
    skipped = 0
    for n, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words or line.lstrip().startswith(";"):
            continue
        if len(words) < 8:
            raise FormatError(
                path, f"line {n}", "TYPE file channel start length …, 9 or 10 columns", "correct the line"
            )
        name = words[1]
        names.setdefault(name, n)
        if file is not None and name != file:
            continue
        tier = _TIERS.get(words[0].upper())
        if tier is None:
            skipped += 1
            continue
        if not (_NUMBER.fullmatch(words[3]) and _NUMBER.fullmatch(words[4])):
            raise FormatError(
                path,
                f"line {n}",
                f"a start and a length in seconds, found {words[3]} {words[4]}"[:120],
                "correct it",
            )
        start = float(words[3])
        label = words[7] if tier == "turns" else words[5]
        confidence = float(words[8]) if len(words) > 8 and _NUMBER.fullmatch(words[8]) else 1.0
        try:
            # In millionths: the sum of two decimals is the decimal it looks like.
            end = max(round(start + float(words[4]), 9), start)
            if end > MAX_NUMBER:
                raise DataError(f"it ends at {end:g} s")
            tracks.setdefault(tier, []).append(Interval(start, end, label, None, min(confidence, 1.0)))
        except (DataError, OverflowError) as error:
            raise FormatError(path, f"line {n}", f"a turn ({error})", "correct the line") from error
    if file is not None and file not in names:
        raise FormatError(path, "column 2", f"the recording {file!r}", f"choose one of: {_listed(names)}")
    if file is None and len(names) > 1:
        second = list(names.values())[1]
        raise FormatError(path, f"line {second}", "one recording", f"choose one with file=: {_listed(names)}")
    facts: dict[str, object] = {"file": file or next(iter(names), ""), **encoding_fact(encoding)}
    if skipped:
        facts["skipped"] = skipped
        log.info("%s: %d lines of other types are left out", path, skipped)
    return Performance({n: Tier(n, tuple(rows)) for n, rows in tracks.items()}, {"rttm": facts})


def _listed(names: dict[str, int]) -> str:
    shown = list(names)[:12]
    return ", ".join(shown) + (f" … ({len(names)})" if len(names) > len(shown) else "")


def write(
    performance: Performance, path: str | Path, *, tier: str | None = None, file: str | None = None
) -> None:
    """Write turns.

    Parameters
    ----------
    performance
        With the tier.
    path
        The file.
    tier
        The tier whose labels are the speakers; by default ``turns``, or the only one.
    file
        Name of the recording; by default the file's own without its ending.

    Raises
    ------
    DataError
        If there is no such tier.
    """
    path = Path(path)
    name, turns = one_tier(performance, tier, ("turns",), path, "RTTM")
    turns = from_zero(turns, path)
    tell_left(performance, (name,), path, "RTTM")
    if any(i.value is not None for i in turns):
        log.warning("%s: RTTM has no place for the values of %s", path, name)
    recording = "_".join((file or path.stem).split()) or "recording"
    lines = []
    for i in turns:
        who = "_".join(i.label.split()) or "<NA>"
        sure = "<NA>" if i.confidence == 1 else f"{i.confidence:.6g}"
        lines.append(
            f"SPEAKER {recording} 1 {i.start:.6f} {i.end - i.start:.6f} <NA> <NA> {who} {sure} <NA>\n"
        )
    data = encoded("".join(lines), path)
    with replacing(path) as out:
        out.write(data)


FORMAT = Format("RTTM", (".rttm",), ("turns",), read, write)
