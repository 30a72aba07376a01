"""Tiers that prosody makes of phones and words: syllables with prominence, pauses, phrases."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kinesics.hear import stress
from kinesics.hear.phones import is_vowel, plain, syllabify
from kinesics.performance import Interval, Signal, Tier

SHORTEST_PAUSE = 0.15
"""Seconds of silence that listeners take for a pause."""

# Usual lengths of English vowels in running speech, seconds: ours, from espeak-ng's rules at 165 words/min.
_VOWEL = {
    "AA": 0.13, "AE": 0.13, "AH": 0.07, "AO": 0.13, "AW": 0.16, "AY": 0.15, "EH": 0.10, "ER": 0.11, "EY": 0.13,
    "IH": 0.07, "IY": 0.10, "OW": 0.13, "OY": 0.17, "UH": 0.08, "UW": 0.10,
}  # fmt: skip


@dataclass(frozen=True)
class Word:
    """A spoken word: its place, phones and stress.

    Parameters
    ----------
    interval
        When, and the spelling.
    phones
        Its phones in order.
    key
        Lower-case spelling for look-ups.
    after
        Punctuation after it.
    """

    interval: Interval
    phones: tuple[Interval, ...]
    key: str
    after: str = ""


def words_of(words: Tier, phones: Tier, after: Sequence[str] | None = None) -> list[Word]:
    """Give each word its phones; ``after`` holds the punctuation that follows each word."""
    found: list[Word] = []
    k = 0
    for i, word in enumerate(words):
        while k < len(phones) and phones[k].middle < word.start:
            k += 1
        first = k
        while k < len(phones) and phones[k].middle < word.end:
            k += 1
        tail = after[i] if after is not None else "".join(re.findall(r"[.,;:!?…]+$", word.label))
        key = word.label.strip('"“”„«»()[]{}<>*_.,;:!?¡¿…—–').lower().replace("’", "'")
        found.append(Word(word, tuple(phones[j] for j in range(first, k)), key, tail))
    return found


def _at(signal: Signal, start: float, end: float) -> np.ndarray:
    fps = float(signal.fps)
    a = int(start * fps)
    return signal.values[a : max(int(end * fps), a + 1), 0]


def _moving_mean(values: np.ndarray, times: np.ndarray, reach: float) -> np.ndarray:
    """Mean of the values within ``reach`` seconds of each, ignoring NaN."""
    good = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(good, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(good)])
    a, b = np.searchsorted(times, times - reach), np.searchsorted(times, times + reach, side="right")
    return (total[b] - total[a]) / np.maximum(count[b] - count[a], 1)


def syllables(
    words: Sequence[Word], f0: Signal, energy: Signal, *, language: str = "en", use_espeak: bool = True
) -> Tier:
    """Return the syllables of all words, each with its prominence.

    Prominence is how much a syllable stands out from those within 2.5 s around it, by melody (excursion of F0
    over the local line), loudness, length of its vowel beyond what is usual for that vowel, and the stress of
    the word in the language. The weights are ours: F0 and length lead, as in Kochanski et al. (2005) loudness
    and length do for British English and F0 in most others; no data was fitted.

    Parameters
    ----------
    words
        From `words_of`.
    f0, energy
        From `prosody`.
    language
        For lexical stress.
    use_espeak
        Ask espeak-ng for lexical stress where it is installed.

    Returns
    -------
    Tier
        ``syllables``: label = phones joined by spaces; value = prominence 0..1.
    """
    english = language.lower().startswith("en")
    several = [w.key for w in words if sum(is_vowel(p.label) for p in w.phones) > 1]
    table = stress.stress_table(several, language=language, use_espeak=use_espeak)
    spans: list[tuple[Interval, ...]] = []
    lexical: list[float] = []
    for word in words:
        labels = tuple(p.label for p in word.phones)
        parts = syllabify(labels)
        marked = [k for k, (a, b) in enumerate(parts) if any("1" in x or "ˈ" in x for x in labels[a:b])]
        main = 0
        if marked:
            main = marked[0]
        elif len(parts) > 1:
            main = stress.place(word.key, tuple(map(plain, labels)), table)
        strength = stress.weight(word.key) if english else float(len(labels) > 3)
        for k, (a, b) in enumerate(parts):
            spans.append(word.phones[a:b])
            lexical.append(strength if k == main else -0.6 if strength else -0.3)
    if not spans:
        return Tier("syllables")
    middle = np.array([0.5 * (s[0].start + s[-1].end) for s in spans])
    pitch, loud, length = (np.full(len(spans), np.nan) for _ in range(3))
    for k, span in enumerate(spans):
        core = next((p for p in span if is_vowel(p.label)), span[0])
        hz = _at(f0, core.start, max(core.end, core.start + 0.03))
        hz = hz[hz > 0]
        if len(hz) > 1:
            pitch[k] = 12 * np.log2(np.percentile(hz, 80) / 100.0)
        loud[k] = float(np.max(_at(energy, core.start, core.end), initial=-90.0))
        usual = _VOWEL.get(plain(core.label), 0.12 if "ː" in core.label else 0.085)
        length[k] = np.log(max(core.duration, 0.01) / usual)
    around = [_moving_mean(v, middle, 2.5) for v in (pitch, loud, length)]
    spread = (2.5, 5.0, 0.5)  # semitones, dB, log ratio: typical deviations of English syllables
    parts_of = [
        np.nan_to_num((v - m) / s) for v, m, s in zip((pitch, loud, length), around, spread, strict=True)
    ]
    rise, louder, longer = (np.clip(p, -2.0, 2.5) for p in parts_of)
    # the last syllable before a pause is long by its place, not by weight
    gap = np.array([b[0].start - a[-1].end for a, b in itertools.pairwise(spans)] + [1.0])
    longer = np.where(gap > SHORTEST_PAUSE, 0.4 * longer, longer)
    score = 0.45 * rise + 0.3 * louder + 0.35 * longer + 1.1 * np.array(lexical) - 0.55
    value = 1.0 / (1.0 + np.exp(-1.6 * score))
    return Tier(
        "syllables",
        tuple(
            Interval(
                s[0].start,
                s[-1].end,
                " ".join(p.label.rstrip("012") for p in s),
                float(v),
                min(p.confidence for p in s),
            )
            for s, v in zip(spans, value, strict=True)
        ),
    )


def pauses(phones: Tier, *, shortest: float = SHORTEST_PAUSE) -> Tier:
    """Return the silences between phones, not those before the first and after the last; value = seconds."""
    found = []
    end = None
    for phone in phones:
        if end is not None and phone.start - end >= shortest:
            found.append(Interval(end, phone.start, "pause", phone.start - end))
        end = phone.end if end is None else max(end, phone.end)
    return Tier("pauses", tuple(found))


_QUESTION_WORDS = frozenset("who what when where why how which whose whom".split())


def phrases(words: Sequence[Word], f0: Signal) -> Tier:
    """Return the intonational phrases: words between pauses or punctuation.

    Parameters
    ----------
    words
        From `words_of`.
    f0
        From `prosody.f0`.

    Returns
    -------
    Tier
        ``phrases``: label ``statement``, ``question``, ``exclamation`` or ``continuation``; value = movement of
        F0 over the last 0.35 s of the phrase in semitones (rise is positive). Without punctuation, a
        rise of 4 semitones or more makes a question.
    """
    found: list[Interval] = []
    group: list[Word] = []
    punctuated = any(w.after for w in words)
    for k, word in enumerate(words):
        group.append(word)
        gap = words[k + 1].interval.start - word.interval.end if k + 1 < len(words) else 9.0
        strong = bool(re.search(r"[.!?…]", word.after))
        weak = bool(re.search(r"[,;:—–]", word.after))
        length = word.interval.end - group[0].interval.start
        if gap >= 0.25 or strong or (weak and (gap >= 0.08 or length > 2.5)):
            final = gap >= 0.6 if not punctuated else strong or gap == 9.0
            found.append(_phrase(group, f0, final))
            group = []
    return Tier("phrases", tuple(found))


def _phrase(group: Sequence[Word], f0: Signal, final: bool) -> Interval:
    start, end = group[0].interval.start, group[-1].interval.end
    hz = _at(f0, max(end - 0.35, start), end)
    hz = hz[hz > 0]
    move = 0.0
    if len(hz) >= 8:
        third = len(hz) // 3
        move = float(np.clip(12 * np.log2(np.median(hz[-third:]) / np.median(hz[:third])), -18, 18))
    mark = group[-1].after
    if "?" in mark:
        label = "question"
    elif "!" in mark:
        label = "exclamation"
    elif any(c in mark for c in ".…"):
        label = "statement"
    elif final and move >= 4.0 and not mark and group[0].key not in _QUESTION_WORDS:
        label = "question"
    else:
        label = "statement" if final and not mark else "continuation"
    confidence = float(np.clip(np.mean([w.interval.confidence for w in group]), 0, 1))
    return Interval(start, end, label, move, confidence)
