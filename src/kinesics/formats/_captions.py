"""What subtitle formats share: times, and cues made of words."""

from __future__ import annotations

import logging
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kinesics.formats._tiers import from_zero, one_tier, tell_left, tell_lost
from kinesics.performance import Interval, Performance, Tier

log = logging.getLogger(__name__)

SPEECH = ("captions", "words")
"""Tiers that say what is said, the better one first."""

MOST_BYTES = 64_000_000
MOST_CHARACTERS = 84
"""Characters of a cue made of words: two lines of 42, as broadcasters have it (BBC, Netflix)."""
MOST_SECONDS = 7.0
LONG_PAUSE = 0.6
_SENTENCE = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")


@dataclass
class Cue:
    """A piece of text with its times, in whole milliseconds, and its words if they have times."""

    start: int
    end: int
    text: str
    words: list[tuple[int, int, str]] = field(default_factory=list)


def milliseconds(seconds: float) -> int:
    """Whole milliseconds."""
    return round(seconds * 1e3)


def cues(performance: Performance, tier: str | None, path: Path, what: str) -> list[Cue]:
    """The cues to write: a tier's intervals, or words grouped into lines that can be read.

    Parameters
    ----------
    performance
        With at least one tier.
    tier
        Name of the tier; None: ``captions`` if there, else ``words``, else the only one.
    path, what
        For messages: the file, and what it is.

    Raises
    ------
    DataError
        If there is no such tier, or it is not clear which.
    """
    tier, chosen = one_tier(performance, tier, SPEECH, path, what)
    chosen = from_zero(chosen, path)
    words = from_zero(performance.tier("words"), path)
    tell_left(performance, (tier, "words"), path, what)
    tell_lost(path, [chosen], what)
    if tier == "words":
        spoken = [w for w in words if w.label.strip()]
        return [_cue(group) for group in grouped(spoken, performance.tier("phrases"))]
    out = []
    starts = [w.start for w in words]
    for i in chosen:
        cue = Cue(*_span(i.start, i.end), i.label)
        if tier == "captions" and len(words):
            a = bisect_left(starts, i.start - 5e-4)
            b = bisect_left(starts, i.end)
            inside = words.intervals[a:b]
            # Words are told apart only where they spell the caption.
            if [t for w in inside for t in w.label.split()] == i.label.split():
                cue.words = [(*_span(w.start, w.end), w.label) for w in inside]
        out.append(cue)
    return out


def grouped(words: Iterable[Interval], phrases: Tier) -> list[list[Interval]]:
    """Words as lines: a new one with each sentence, phrase or long pause, and where one gets too long."""
    borders = [p.start for p in phrases]
    out: list[list[Interval]] = []
    length = 0
    for w in words:
        group = out[-1] if out else []
        if group:
            last = group[-1]
            begun = bisect_left(borders, last.start + 1e-6) < bisect_left(borders, w.start + 1e-6)
            full = length + 1 + len(w.label) > MOST_CHARACTERS or w.end - group[0].start > MOST_SECONDS
            if begun or full or w.start - last.end > LONG_PAUSE or _SENTENCE.search(last.label):
                group = []
        if not group:
            out.append(group)
            length = -1
        group.append(w)
        length += 1 + len(w.label)
    return out


def _cue(words: Sequence[Interval]) -> Cue:
    start, end = _span(words[0].start, max(w.end for w in words))
    text = " ".join(w.label for w in words)
    return Cue(start, end, text, [(*_span(w.start, w.end), w.label) for w in words])


def _span(start: float, end: float) -> tuple[int, int]:
    # A cue must last; an instant gets one millisecond.
    first = milliseconds(start)
    return first, max(milliseconds(end), first + 1)


def clock(ms: int, comma: str) -> str:
    """``HH:MM:SS.mmm``.

    >>> clock(3723004, ",")
    '01:02:03,004'
    """
    return f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}{comma}{ms % 1000:03d}"


def without_blank_lines(text: str) -> str:
    """A cue's text; a blank line would end it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line for line in lines if line.strip())
