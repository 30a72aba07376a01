"""Phones laid over voiced spans when nothing better is known: rule-based lengths, warped, of low confidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinesics.hear.phones import is_vowel, plain, sonority
from kinesics.performance import Interval

# Usual seconds at 4.5 syllables/s by sonority rank: stop, fricative, nasal, liquid, glide, vowel. Ours.
_USUAL = {0: 0.05, 1: 0.075, 2: 0.085, 3: 0.065, 4: 0.06, 5: 0.06, 6: 0.095}
_SHORT = {"AH", "IH", "UH", "ə", "ɪ", "ɐ", "ʊ"}
_LONG = {"AW", "AY", "OY", "OW", "EY"}


def usual(phone: str) -> float:
    """Return the usual length of a phone in running speech (seconds).

    >>> usual("AY") > usual("AH")
    True
    """
    bare = plain(phone)
    if is_vowel(phone):
        factor = (
            0.75
            if bare in _SHORT
            else 1.5
            if bare in _LONG or (len(bare) > 1 and not phone.isascii())
            else 1.15
        )
        return _USUAL[6] * factor * (1.3 if "ː" in phone else 1.0)
    return _USUAL[sonority(phone)]


def warp(
    words: Sequence[Sequence[tuple[str, float]]], spans: Sequence[tuple[float, float]], *, confidence: float
) -> list[list[Interval]]:
    """Lay words over spans of speech in order, each word whole in one span where that is possible.

    Parameters
    ----------
    words
        Per word its phones with their lengths in any unit.
    spans
        Start and end of speech in seconds.
    confidence
        Given to all intervals.

    Returns
    -------
    list of list of Interval
        Phones of each word; together they fill the spans.

    Examples
    --------
    >>> [[(i.start, i.end) for i in w] for w in warp([[("A", 1), ("B", 1)], [("C", 2)]], [(0, 1), (2, 3)], confidence=0.5)]
    [[(0.0, 0.5), (0.5, 1.0)], [(2.0, 3.0)]]
    """
    lengths = np.array([sum(d for _, d in word) for word in words], float)
    room = np.array([b - a for a, b in spans], float)
    if not len(lengths) or not len(room) or room.sum() <= 0 or lengths.sum() <= 0:
        return [[] for _ in words]
    # words go to the span in which their middle falls when all spans are put end to end
    middle = (np.cumsum(lengths) - lengths / 2) / lengths.sum() * room.sum()
    where = np.minimum(np.searchsorted(np.cumsum(room), middle, side="right"), len(room) - 1)
    placed: list[list[Interval]] = []
    for s, (start, end) in enumerate(spans):
        inside = np.flatnonzero(where == s)
        total = lengths[inside].sum()
        clock = start
        for k in inside:
            phones = []
            for label, length in words[k]:
                stop = min(clock + length / total * (end - start), end)
                phones.append(Interval(float(clock), float(max(stop, clock)), label, None, confidence))
                clock = stop
            placed.append(phones)
    return placed
