"""What is read from the lips: word, character and viseme error rate.

A rate is (S + D + I) / N: substitutions, deletions and insertions of the shortest edit from the
reference to the estimate, over the reference's length N, **summed over the corpus** and not averaged
over its sentences (a mean of rates gives short sentences too much weight). 0 is perfect, lower is
better, above 1 is possible.

**WER** counts words split at white space. **CER** counts characters, the spaces between words included,
outer ones not, as jiwer does. Neither changes case or punctuation: do that first, and to both sides
(``normalise`` does what most lip-reading papers do: lower case, no punctuation, single spaces).

**VER** (SPECTRE, arXiv 2207.11094): phones of every word are mapped to viseme classes (the Polly table
in :data:`VISEMES`), the classes of a word are written together, words are joined by spaces, and CER is
taken; **VWER** is the WER of the same text. Phones are IPA such as espeak's en-us without stress; a
phone that is not in the table is an error and not a guess.

Whoever reads the lips is half of the number: name the recogniser, and use another one than was in the
loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.metrics._registry import Metric, Score

_CLASSES = {
    "p": "p b m", "t": "t d l n ɾ n̩", "S": "ʃ ʒ tʃ dʒ", "T": "θ ð", "f": "f v", "k": "k g ɡ h ŋ",
    "i": "i ɪ j iː ᵻ", "r": "ɹ r", "s": "s z", "u": "u ʊ w uː", "@": "ə ɚ", "a": "a æ aɪ aʊ ɑ ɐ ɑː",
    "e": "eɪ", "E": "ɛ ʌ ɝ ɜː e", "o": "oʊ", "O": "ɔ ɔɪ oː ɔː", "er": "ɛɹ", "Or": "ɔːɹ oːɹ", "ar": "ɑːɹ",
    "ir": "ɪɹ",
}  # fmt: skip
VISEMES: dict[str, str] = {phone: v for v, phones in _CLASSES.items() for phone in phones.split()}
"""IPA phone → viseme class (Amazon Polly's classes as SPECTRE uses them)."""


class Edits(NamedTuple):
    """A shortest edit.

    Parameters
    ----------
    substitutions, deletions, insertions
        How many of each.
    length
        Tokens of the reference.
    """

    substitutions: int
    deletions: int
    insertions: int
    length: int

    @property
    def errors(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions


def validate(reference: Sequence[str] | str, estimate: Sequence[str] | str) -> tuple[list[str], list[str]]:
    """Sentences in pairs; a single text counts as one sentence.

    Raises
    ------
    DataError
        If there are none, their numbers differ, or one is not text.
    """
    a = [reference] if isinstance(reference, str) else list(reference)
    b = [estimate] if isinstance(estimate, str) else list(estimate)
    if not a or len(a) != len(b):
        raise DataError(f"texts: {len(a)} references and {len(b)} estimates; expected as many, at least one")
    for i, text in enumerate([*a, *b]):
        if not isinstance(text, str):
            side = "reference" if i < len(a) else "estimate"
            raise DataError(f"{side} {i % len(a)}: a {type(text).__name__}; expected text")
    return a, b


def normalise(text: str) -> str:
    """Lower case, letters, digits and apostrophes only, single spaces.

    >>> normalise("Don't  STOP, please!")
    "don't stop please"
    """
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in text.lower())
    return " ".join(kept.split())


def edits(reference: Sequence[str], estimate: Sequence[str]) -> Edits:
    """The shortest edit (Levenshtein) from one sequence of tokens to another.

    >>> edits("the cat sat".split(), "a cat sat down".split())
    Edits(substitutions=1, deletions=0, insertions=1, length=3)
    """
    a, b = list(reference), list(estimate)
    table = np.empty((len(a) + 1, len(b) + 1), dtype=np.int32)
    _rows(a, b, table)
    i, j, counts = len(a), len(b), [0, 0, 0]
    while i or j:
        here = table[i, j]
        if i and j and here == table[i - 1, j - 1] + (a[i - 1] != b[j - 1]):
            counts[0] += a[i - 1] != b[j - 1]
            i, j = i - 1, j - 1
        elif i and here == table[i - 1, j] + 1:
            counts[1] += 1
            i -= 1
        else:
            counts[2] += 1
            j -= 1
    return Edits(*map(int, counts), len(a))


def _rows(a: Sequence[str], b: Sequence[str], table: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """The last row of the table of distances of all beginnings; the whole table into ``table``."""
    code = {token: i for i, token in enumerate(dict.fromkeys([*a, *b]))}
    y = np.array([code[t] for t in b], dtype=np.int64)
    steps = np.arange(len(b) + 1, dtype=np.int32)
    row = steps.copy()
    for i in range(len(a) + 1):
        if i:
            before, row = row, np.empty_like(row)
            row[0] = i
            np.minimum(before[:-1] + (y != code[a[i - 1]]), before[1:] + 1, out=row[1:])
            # An insertion carries the cheapest cell to its right, one more per step.
            row = np.minimum.accumulate(row - steps) + steps
        if table is not None:
            table[i] = row
    return row


def _rate(pairs: list[tuple[Sequence[str], Sequence[str]]], what: str) -> float:
    length = sum(len(a) for a, _ in pairs)
    if not length:
        raise DataError(f"{what}: the references hold no {what}; an error rate is not defined")
    return sum(int(_rows(a, b, None)[-1]) for a, b in pairs) / length


def wer(reference: Sequence[str] | str, estimate: Sequence[str] | str) -> float:
    """Word error rate of a corpus.

    >>> wer(["the cat sat", "hello"], ["a cat sat", "hello"])
    0.25
    """
    a, b = validate(reference, estimate)
    return _rate([(x.split(), y.split()) for x, y in zip(a, b, strict=True)], "words")


def cer(reference: Sequence[str] | str, estimate: Sequence[str] | str) -> float:
    """Character error rate of a corpus, spaces counted."""
    a, b = validate(reference, estimate)
    return _rate([(x.strip(), y.strip()) for x, y in zip(a, b, strict=True)], "characters")


def to_visemes(words: Sequence[Sequence[str]]) -> str:
    """Viseme classes of the words of a sentence, each word's written together.

    Parameters
    ----------
    words
        For each word its IPA phones.

    >>> to_visemes([["b", "ɪ", "ɡ"], ["m", "ɛ", "n"]])
    'pik pEt'
    """
    return " ".join("".join(map(_class_of, word)) for word in words)


def _class_of(phone: str) -> str:
    bare = str(phone).strip("ˈˌ'")
    found = VISEMES.get(bare) or VISEMES.get(bare.replace("ː", ""))
    if found is None:
        raise DataError(f"phone {phone!r}: no viseme class; expected IPA among: {' '.join(VISEMES)}")
    return found


def ver(reference: Sequence[Sequence[Sequence[str]]], estimate: Sequence[Sequence[Sequence[str]]]) -> float:
    """Viseme error rate: sentences of words of IPA phones."""
    return cer([to_visemes(s) for s in reference], [to_visemes(s) for s in estimate])


def vwer(reference: Sequence[Sequence[Sequence[str]]], estimate: Sequence[Sequence[Sequence[str]]]) -> float:
    """Word error rate over words written as visemes."""
    return wer([to_visemes(s) for s in reference], [to_visemes(s) for s in estimate])


def evaluate(reference: Sequence[str] | str, estimate: Sequence[str] | str) -> dict[str, Score]:
    """WER and CER of a corpus."""
    a, _ = validate(reference, estimate)
    words, letters = sum(len(t.split()) for t in a), sum(map(len, a))
    return {
        "WER": Score(wer(reference, estimate), "WER", "", "lower", words),
        "CER": Score(cer(reference, estimate), "CER", "", "lower", letters),
    }


METRICS = (
    Metric("WER", "lip_reading", "lower", "", "Levenshtein 1966", "texts twice", wer, "_face_over:words"),
    Metric("CER", "lip_reading", "lower", "", "Levenshtein 1966", "texts twice", cer, "_face_over:words"),
    Metric(
        "VER", "lip_reading", "lower", "", "SPECTRE, arXiv 2207.11094", "sentences of words of phones", ver
    ),
    Metric(
        "VWER", "lip_reading", "lower", "", "SPECTRE, arXiv 2207.11094", "sentences of words of phones", vwer
    ),
)
