"""Words to meanings: which gestures they call for, and what head, brows and eyes should know.

A light stemmer of our own, phrases matched longest first, cues for negation, question, contrast, list,
topic, doubt, and numbers with units for iconics of size. English is read in full; for German, French,
Spanish, Italian and Portuguese a small table of key words each.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import choose
from kinesics.performance.gesture import Gesture

if TYPE_CHECKING:
    from kinesics.ports.embedder import Embedder

LANGUAGES: tuple[str, ...] = ("en", "de", "fr", "es", "it", "pt")
"""Languages whose words are understood, English best."""

CUES: tuple[str, ...] = (
    "negation", "affirmation", "question", "contrast", "list", "topic", "filler", "doubt", "emphasis", "joy",
    "sorrow", "greeting", "thinking",
)  # fmt: skip
"""What a word may signal besides a gesture."""


@dataclass(frozen=True, slots=True)
class Match:
    """Words ``first`` up to ``last`` (excluded) call for gestures.

    Parameters
    ----------
    first, last
        Word indices.
    lexemes
        Gestures that mean it, any of which will do.
    weight
        1 for a plain meaning, less for a hint.
    size
        Metres, where a measure was said; else None.
    """

    first: int
    last: int
    lexemes: tuple[str, ...]
    weight: float
    size: float | None = None


_IRREGULAR = {
    "children": "child", "feet": "foot", "people": "people", "men": "man", "women": "woman", "lives": "life",
    "wives": "wife", "halves": "half", "was": "was", "is": "is", "this": "this", "his": "his", "us": "us",
    "yes": "yes", "always": "always", "perhaps": "perhaps", "news": "news", "thus": "thus", "plus": "plus",
    "bring": "bring", "thing": "thing", "king": "king", "ring": "ring", "sing": "sing", "spring": "spring",
    "string": "string", "wing": "wing", "nothing": "nothing", "something": "something", "anything": "anything",
    "everything": "everything", "during": "during", "evening": "evening", "morning": "morning",
    "need": "need", "feed": "feed", "seed": "seed", "speed": "speed", "indeed": "indeed", "hundred": "hundred",
    "united": "united", "rely": "rely", "only": "only", "family": "family", "fly": "fly", "early": "early",
    "several": "several", "as": "as", "has": "has", "does": "does", "its": "its", "focus": "focus", "bus": "bus",
    "canvas": "canvas", "gas": "gas", "process": "process", "across": "across", "unless": "unless", "red": "red",
    "bed": "bed", "ceiling": "ceiling", "feelings": "feeling", "feeling": "feeling", "being": "being",
    "meeting": "meeting", "building": "build", "flies": "fly", "dies": "die", "lies": "lie", "ties": "tie",
}  # fmt: skip


@cache
def stem(word: str) -> str:
    """Cut an English word's inflection; derived words keep their form.

    >>> [stem(w) for w in ("connected", "stopping", "cities", "boxes", "wishes", "nothing")]
    ['connect', 'stop', 'city', 'box', 'wish', 'nothing']
    """
    w = word
    if w in _IRREGULAR:
        return _IRREGULAR[w]
    if w.endswith("'s"):
        w = w[:-2]
    if len(w) > 4 and w.endswith("ies"):
        return w[:-3] + "y"
    if len(w) > 4 and w.endswith(("sses", "shes", "ches", "xes", "zes")):
        return _silent_e(w[:-2])
    if len(w) > 3 and w.endswith("s") and not w.endswith(("ss", "us", "is")):
        return _silent_e(w[:-1])
    for ending in ("ing", "ed"):
        base = w[: -len(ending)]
        if w.endswith(ending) and len(base) >= 3 and any(c in "aeiouy" for c in base):
            if ending == "ed" and base.endswith("i"):
                return base[:-1] + "y"
            if base[-1] == base[-2] and base[-1] not in "lsz":
                base = base[:-1]
            return _silent_e(base)
    return _silent_e(w)


def _silent_e(word: str) -> str:
    # "divid(e)", "separat(e)": one form for a verb with and without its last e
    return word[:-1] if len(word) > 4 and word.endswith("e") and not word.endswith(("ee", "ye")) else word


def tokens(text: str) -> tuple[str, ...]:
    """Lower-case words of a phrase, apostrophes kept.

    >>> tokens("Don't stop, so-called!")
    ("don't", 'stop', 'so', 'called')
    """
    clean = "".join(c if c.isalnum() or c == "'" else " " for c in text.lower().replace("’", "'"))
    return tuple(w for w in (w.strip("'") for w in clean.split()) if w)


@cache
def _tables() -> Mapping[str, Mapping[str, Sequence[str]]]:
    text = (resources.files("kinesics.behaviour") / "data" / "cues.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


_UNITS = {
    "millimeter": 0.001, "millimetre": 0.001, "centimeter": 0.01, "centimetre": 0.01, "inch": 0.0254, "feet": 0.3048,
    "foot": 0.3048, "yard": 0.914, "meter": 1.0, "metre": 1.0, "kilometer": 1000.0, "kilometre": 1000.0, "mile": 1609.0,
    "cm": 0.01, "mm": 0.001, "m": 1.0, "km": 1000.0, "hand": 0.1,
}  # fmt: skip
_NUMBERS = {
    w: float(i)
    for i, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {
    "a": 1.0, "an": 1.0, "half": 0.5, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0,
    "eighty": 80.0, "ninety": 90.0, "hundred": 100.0, "thousand": 1000.0, "couple": 2.0, "dozen": 12.0,
}  # fmt: skip
_DIMENSION = {"long": "LONG", "wide": "WIDE", "broad": "WIDE", "tall": "TALL", "high": "TALL", "deep": "DEEP", "thick": "THICK", "big": "BIG", "across": "WIDE"}  # fmt: skip


def number(words: Sequence[str]) -> float | None:
    """Value of number words or digits, or None.

    >>> number(["twenty", "five"]), number(["two", "hundred"]), number(["1.5"])
    (25.0, 200.0, 1.5)
    """
    total = current = 0.0
    seen = False
    for w in words:
        if w in ("and", "of", "point"):
            continue
        try:
            value = float(w.replace(",", "."))
            if value != value or value in (float("inf"), float("-inf")):
                return None
        except ValueError:
            if w not in _NUMBERS:
                return None
            value = _NUMBERS[w]
        seen = True
        if w in ("hundred", "thousand", "dozen"):
            current = max(current, 1.0) * value
            if w == "thousand":
                total, current = total + current, 0.0
        else:
            current += value
    return total + current if seen else None


def _measure(words: Sequence[str], at: int) -> tuple[int, float, str] | None:
    """(words used, metres, dimension) of a measure such as "two metres tall" that begins at ``at``."""
    end = at
    while (
        end < len(words)
        and end - at < 4
        and (words[end] in _NUMBERS or words[end].replace(".", "").replace(",", "").isdigit())
    ):
        end += 1
    if end == at or end >= len(words):
        return None
    unit = words[end] if words[end] in _UNITS else words[end].removesuffix("s")
    value = number(words[at:end])
    if unit not in _UNITS or value is None or (unit == "hand" and value < 2):
        return None
    metres = value * _UNITS[unit]
    used = end + 1 - at
    dimension = ""
    if end + 1 < len(words) and words[end + 1] in _DIMENSION:
        dimension, used = _DIMENSION[words[end + 1]], used + 1
    return used, metres, dimension


class Reader:
    """Finds what words mean.

    Parameters
    ----------
    lexicon
        Gestures by lexeme.
    language
        One of :data:`LANGUAGES`; others have no meanings, only beats.

    Examples
    --------
    >>> from kinesics.behaviour.lexicon import lexicon
    >>> Reader(lexicon()).match("we caught a fish this big".split(), 4).lexemes
    ('BIG',)
    """

    longest = 6
    """Words of the longest phrase looked for."""

    def __init__(
        self, lexicon: Mapping[str, Gesture], *, language: str = "en", embedder: Embedder | None = None
    ) -> None:
        self.language = language.split("-")[0].lower()
        self.lexicon = lexicon
        self._embedder = embedder
        self._described: tuple[tuple[str, ...], NDArray[np.float32]] | None = None
        self._strong: dict[tuple[str, ...], list[str]] = {}
        self._weak: dict[tuple[str, ...], list[str]] = {}
        self._cues: dict[tuple[str, ...], set[str]] = {}
        tables = _tables()
        if self.language == "en":
            for g in lexicon.values():
                for phrase in g.means:
                    self._add(self._strong, phrase, g.lexeme)
                for phrase in g.extra["hints"].split("|") if "hints" in g.extra else ():
                    self._add(self._weak, phrase, g.lexeme)
        elif self.language in tables:
            for lexeme, phrases in tables[self.language].items():
                if lexeme in lexicon:
                    for phrase in phrases:
                        self._add(self._strong, phrase, lexeme)
        for cue, phrases in tables.get(f"{self.language}-cues", {}).items():
            choose("cue", cue, CUES)
            for phrase in phrases:
                for key in self._keys(phrase):
                    self._cues.setdefault(key, set()).add(cue)

    def _add(self, table: dict[tuple[str, ...], list[str]], phrase: str, lexeme: str) -> None:
        for key in self._keys(phrase):
            if lexeme not in table.setdefault(key, []):
                table[key].append(lexeme)

    def _keys(self, phrase: str) -> set[tuple[str, ...]]:
        # a word with a hyphen may come as one word or as two
        return {self._key(tokens(phrase)), self._key(phrase.lower().split())}

    def _key(self, words: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(stem, words)) if self.language == "en" else tuple(words)

    def match(self, words: Sequence[str], at: int) -> Match | None:
        """The longest phrase with a meaning that begins at word ``at``; None when there is none.

        Parameters
        ----------
        words
            Lower-case words known so far.
        at
            Index of the first.
        """
        if self.language == "en" and (found := _measure(words, at)):
            used, metres, dimension = found
            small = metres < 0.06
            lexeme = dimension or ("SMALL" if small else "LONG" if metres > 0.5 else "SMALL_BOTH")
            if small and lexeme in ("BIG", "LONG", "WIDE", "TALL", "DEEP"):
                lexeme = "SMALL"
            if lexeme in self.lexicon:
                return Match(at, at + used, (lexeme,), 1.0, min(metres, 2.0))
        keys = self._key(words[at : at + self.longest])
        for table, weight in ((self._strong, 1.0), (self._weak, 0.45)):
            for length in range(len(keys), 0, -1):
                if lexemes := table.get(keys[:length]):
                    return Match(at, at + length, tuple(lexemes), weight)
        return None

    def clause(self, text: str) -> tuple[tuple[str, ...], float] | None:
        """Gestures whose meanings are near a whole clause, by the embedder; None without one or far off.

        Returns
        -------
        Up to three lexemes, best first, and the cosine of the best.
        """
        if self._embedder is None or not text.strip():
            return None
        if self._described is None:
            names = tuple(n for n, g in self.lexicon.items() if g.means)
            texts = ["; ".join(self.lexicon[n].means[:5]) for n in names]
            self._described = names, self._embedder.embed(texts)
        names, rows = self._described
        close = rows @ self._embedder.embed([text])[0]
        order = np.argsort(-close, kind="stable")[:3]
        limit = self._embedder.close_enough
        found = tuple(names[i] for i in order if close[i] >= max(limit, close[order[0]] - 0.06))
        return (found, float(close[order[0]])) if found else None

    def cues(self, words: Sequence[str], at: int) -> frozenset[str]:
        """Cues of every phrase that begins at word ``at``."""
        keys = self._key(words[at : at + 4])
        out: set[str] = set()
        for length in range(len(keys), 0, -1):
            out |= self._cues.get(keys[:length], set())
        return frozenset(out)
