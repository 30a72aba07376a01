"""Which syllable of a word is stressed: by espeak-ng where it is installed, by rules of our own else."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from kinesics.hear.phones import is_vowel

FUNCTION_WORDS = frozenset(
    "a an the and or but nor so yet if as than that this these those of to in on at by for with from into onto upon about "
    "over under between through during before after i me my mine you your yours he him his she her hers it its we us our "
    "ours they them their theirs who whom whose which what am is are was were be been being do does did have has had having "
    "will would shall should can could may might must not there here some any each every such just also too very then when "
    "while because though although i'm i've i'll i'd you're you've you'll he's she's it's we're we've they're they've that's "
    "there's let's don't doesn't didn't isn't aren't wasn't weren't won't can't".split()
)
"""English words that are usually weak. Ours, from the closed word classes."""
_NEGATIONS = frozenset(
    "not never no none nothing nobody don't doesn't didn't isn't aren't wasn't won't can't".split()
)

# Suffixes and the syllable they stress, counted from the end of the word (1 is the last).
_SUFFIX = (
    ("ation", 2), ("tion", 2), ("sion", 2), ("cian", 2), ("ically", 4), ("ical", 3), ("ics", 2), ("ic", 2), ("ity", 3), ("ety", 3), ("logy", 3),
    ("graphy", 3), ("cracy", 3), ("meter", 3), ("ious", 2), ("eous", 2), ("ial", 2), ("ian", 2), ("ience", 2), ("iency", 3),
    ("eer", 1), ("ee", 1), ("ese", 1), ("ette", 1), ("esque", 1), ("oon", 1), ("self", 1), ("selves", 1),
)  # fmt: skip
_PREFIX = (
    "a",
    "be",
    "de",
    "re",
    "en",
    "em",
    "ex",
    "un",
    "dis",
    "mis",
    "con",
    "com",
    "per",
    "pre",
    "pro",
    "sur",
    "ob",
    "in",
    "im",
)


def stressed_vowel(word: str, phones: tuple[str, ...]) -> int:
    """Return which vowel of an English word is stressed (0 is the first), by rule.

    Parameters
    ----------
    word
        Lower-case spelling.
    phones
        Its phones, ARPAbet.

    Examples
    --------
    >>> stressed_vowel("nation", ("N", "EY", "SH", "AH", "N"))
    0
    >>> stressed_vowel("believe", ("B", "IH", "L", "IY", "V"))
    1
    """
    vowels = [p for p in phones if is_vowel(p)]
    if len(vowels) < 2:
        return 0
    for suffix, place in _SUFFIX:
        if word.endswith(suffix):
            return max(len(vowels) - place, 0)
    if len(vowels) == 2:
        weak_first = vowels[0] in ("AH", "IH", "ER") or phones[0] in ("AH",)
        if weak_first and word.startswith(_PREFIX) and vowels[1] not in ("AH", "ER", "IH"):
            return 1
        return 0
    strong = [i for i, v in enumerate(vowels) if v not in ("AH", "ER", "IH")]
    usual = len(vowels) - 3  # antepenult
    if vowels[usual] in ("AH",) and strong:
        return min(strong, key=lambda i: abs(i - usual))
    return usual


@lru_cache(maxsize=4096)
def _spoken_stress(words: tuple[str, ...], language: str) -> dict[str, tuple[int, int]]:
    """Word → (stressed vowel, number of vowels), as espeak-ng says it."""
    from kinesics.hear import espeak

    found: dict[str, tuple[int, int]] = {}
    for word, phones in zip(words, espeak.pronounce(words, language=language), strict=True):
        vowels = [p for p in phones if is_vowel(p)]
        main = next((i for i, p in enumerate(vowels) if p.endswith("1") or "ˈ" in p), None)
        if main is not None:
            found[word] = (main, len(vowels))
    return found


def stress_table(
    words: Iterable[str], *, language: str = "en", use_espeak: bool = True
) -> dict[str, tuple[int, int]]:
    """Return word → (stressed vowel, number of vowels) for the words of which espeak-ng knows it.

    Without the ``voice`` extra the table is empty, and `stressed_vowel` decides.
    """
    from kinesics.hear import espeak

    if not use_espeak or not espeak.available():
        return {}
    return _spoken_stress(tuple(sorted(set(words))), language)


def place(word: str, phones: tuple[str, ...], table: dict[str, tuple[int, int]]) -> int:
    """Return which vowel is stressed, from the table if it fits, else by rule."""
    count = sum(map(is_vowel, phones))
    if word in table:
        main, of = table[word]
        return (
            main if of == count else min(round(main * max(count - 1, 0) / max(of - 1, 1)), max(count - 1, 0))
        )
    return stressed_vowel(word, phones)


def weight(word: str) -> float:
    """Return how much a word of its class tends to be stressed: 0 function, 1 content; negations count.

    >>> weight("the"), weight("fish"), weight("never")
    (0.0, 1.0, 1.0)
    """
    if word in _NEGATIONS:
        return 1.0
    return 0.0 if word in FUNCTION_WORDS else 1.0
