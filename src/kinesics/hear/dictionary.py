"""Pronunciations of English words: the dictionary that pocketsphinx brings, then guesses that are said.

A word the dictionary lacks is taken apart (plural, possessive, endings, compounds of known words), else
asked of espeak-ng where the ``voice`` extra is installed, else read by our own letter-to-sound rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kinesics.hear.phones import is_vowel

_VOICELESS = {"P", "T", "K", "F", "TH"}
_SIBILANT = {"S", "Z", "SH", "ZH", "CH", "JH"}


@dataclass(frozen=True)
class Pronunciations:
    """How words are said.

    Parameters
    ----------
    phones
        Word → its pronunciations, most usual first; ARPAbet without stress.
    guessed
        Word → how it was guessed (``"parts"``, ``"espeak"``, ``"rules"``), for words not in the dictionary.
    """

    phones: dict[str, list[tuple[str, ...]]]
    guessed: dict[str, str]


def model_folder() -> Path:
    """Folder of the acoustic model and dictionary inside the pocketsphinx package (found without importing it)."""
    import importlib.util

    spec = importlib.util.find_spec("pocketsphinx")
    if spec is None or spec.origin is None:  # pragma: no cover - a base dependency
        from kinesics.errors import KinesicsError

        raise KinesicsError("pocketsphinx is not installed; reinstall kinesics")
    return Path(spec.origin).parent / "model" / "en-us"


@cache
def _entries() -> dict[str, str]:
    text = (model_folder() / "cmudict-en-us.dict").read_text(encoding="utf-8")
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)


def known(word: str) -> bool:
    """Tell whether the dictionary has a lower-case word.

    >>> known("hello"), known("kinesics")
    (True, False)
    """
    return word in _entries()


def lookup(word: str) -> list[tuple[str, ...]]:
    """Return the dictionary's pronunciations of a lower-case word, without stress; empty if it has none.

    >>> lookup("cat")
    [('K', 'AE', 'T')]
    """
    entries = _entries()
    found = []
    k = 1
    while (line := entries.get(word if k == 1 else f"{word}({k})")) is not None:
        found.append(tuple(line.split()))
        k += 1
    return found


def pronunciations(words: Iterable[str]) -> Pronunciations:
    """Return how each word is said, guessing (and saying so) where the dictionary has no entry.

    Examples
    --------
    >>> pronunciations(["cat", "cat's"]).phones["cat's"]
    [('K', 'AE', 'T', 'S')]
    """
    phones: dict[str, list[tuple[str, ...]]] = {}
    guessed: dict[str, str] = {}
    missing: list[str] = []
    for word in dict.fromkeys(words):
        if found := lookup(word):
            phones[word] = found
        elif part := _parts(word):
            phones[word], guessed[word] = [part], "parts"
        else:
            missing.append(word)
    if missing:
        from kinesics.hear import espeak

        said: list[list[str]] = [[] for _ in missing]
        if espeak.available():
            said = espeak.pronounce(missing)
        for word, labels in zip(missing, said, strict=True):
            plain = tuple(p.rstrip("012") for p in labels)
            phones[word] = [plain or letter_to_sound(word)]
            guessed[word] = "espeak" if plain else "rules"
    return Pronunciations(phones, guessed)


def _add_s(stem: tuple[str, ...]) -> tuple[str, ...]:
    last = stem[-1]
    return (*stem, "AH", "Z") if last in _SIBILANT else (*stem, "S" if last in _VOICELESS else "Z")


def _add_d(stem: tuple[str, ...]) -> tuple[str, ...]:
    last = stem[-1]
    if last in ("T", "D"):
        return (*stem, "AH", "D")
    return (*stem, "T" if last in _VOICELESS | {"S", "SH", "CH"} else "D")


_ENDINGS = {
    "ing": ("IH", "NG"), "in'": ("IH", "N"), "ly": ("L", "IY"), "ness": ("N", "AH", "S"), "er": ("ER",), "est": ("AH", "S", "T"),
    "less": ("L", "AH", "S"), "ful": ("F", "AH", "L"), "ish": ("IH", "SH"), "ment": ("M", "AH", "N", "T"), "y": ("IY",),
    "able": ("AH", "B", "AH", "L"), "like": ("L", "AY", "K"), "ism": ("IH", "Z", "AH", "M"), "ist": ("IH", "S", "T"),
    "'ll": ("AH", "L"), "'d": ("D",), "'ve": ("V",), "'re": ("ER",),
}  # fmt: skip
_BEGINNINGS = {
    "un": ("AH", "N"), "re": ("R", "IY"), "non": ("N", "AA", "N"), "pre": ("P", "R", "IY"), "mis": ("M", "IH", "S"),
    "over": ("OW", "V", "ER"), "under": ("AH", "N", "D", "ER"), "anti": ("AE", "N", "T", "IY"), "co": ("K", "OW"),
    "multi": ("M", "AH", "L", "T", "IY"), "micro": ("M", "AY", "K", "R", "OW"), "super": ("S", "UW", "P", "ER"),
}  # fmt: skip


def _stem(base: str) -> tuple[str, ...] | None:
    """Phones of a stem whose spelling an ending may have changed (hop-p-ing, mak(e)-ing, happi-ness)."""
    tries = [base, base + "e"]
    if len(base) > 3 and base[-1] == base[-2]:
        tries.append(base[:-1])
    if base.endswith("i"):
        tries.append(base[:-1] + "y")
    for candidate in tries:
        if len(candidate) > 2 and (found := lookup(candidate)):
            return found[0]
    return None


def _parts(word: str) -> tuple[str, ...] | None:
    """A pronunciation put together from known parts, or None."""
    for ending in ("'s", "s'", "s"):
        if word.endswith(ending) and (found := lookup(word[: -len(ending)])):
            return _add_s(found[0])
    if word.endswith("ed") and (stem := _stem(word[:-2])):
        return _add_d(stem)
    for ending, sound in _ENDINGS.items():
        if word.endswith(ending) and (stem := _stem(word[: -len(ending)])):
            return (*stem, *sound)
    for beginning, sound in _BEGINNINGS.items():
        if (
            word.startswith(beginning)
            and len(word) > len(beginning) + 2
            and (found := lookup(word[len(beginning) :]))
        ):
            return (*sound, *found[0])
    for cut in range(3, len(word) - 2):
        left, right = lookup(word[:cut]), lookup(word[cut:])
        if left and right and any(map(is_vowel, left[0])) and any(map(is_vowel, right[0])):
            return (*left[0], *right[0])
    return None


# Grapheme → phones, longest first; "^" marks the beginning, "$" the end of the word. Ours.
_RULES = {
    "^kn": "N", "^wr": "R", "^ps": "S", "^x": "Z", "^gn": "N", "^rh": "R", "^wh": "W", "^mc": "M AH K", "tion": "SH AH N",
    "sion": "ZH AH N", "cial": "SH AH L", "tial": "SH AH L", "cious": "SH AH S", "tious": "SH AH S", "ture": "CH ER",
    "ough": "OW", "augh": "AO", "igh": "AY", "eigh": "EY", "tch": "CH", "dge": "JH", "sch": "SH", "chr": "K R",
    "ssion": "SH AH N", "ous": "AH S", "eau": "OW", "oor": "AO R", "our": "AO R", "ear": "IH R", "eer": "IH R",
    "air": "EH R", "are$": "EH R", "ire$": "AY ER", "ore$": "AO R", "ure$": "Y UH R", "ere$": "IH R", "le$": "AH L",
    "es$": "Z", "ey$": "IY", "ie$": "IY", "ies$": "IY Z", "ed$": "D", "y$": "IY", "e$": "", "que$": "K", "gue$": "G",
    "a$": "AH", "o$": "OW", "i$": "IY", "age$": "IH JH", "ine$": "IY N", "ice$": "AH S", "ive$": "IH V", "mb$": "M", "mn$": "M",
    "ph": "F", "gh": "G", "ch": "CH", "sh": "SH", "th": "TH", "ck": "K", "ng": "NG", "nk": "NG K", "qu": "K W", "wh": "W",
    "ai": "EY", "ay": "EY", "ee": "IY", "ea": "IY", "ei": "IY", "eu": "Y UW", "ew": "UW", "ie": "IY", "oa": "OW", "oe": "OW",
    "oi": "OY", "oo": "UW", "ou": "AW", "ow": "OW", "oy": "OY", "ue": "UW", "ui": "UW", "au": "AO", "aw": "AO", "ae": "IY",
    "ar": "AA R", "er": "ER", "ir": "ER", "or": "AO R", "ur": "ER", "yr": "IH R", "sc": "S K", "cc": "K", "ce": "S EH",
    "ci": "S IH", "cy": "S IY", "ge": "JH EH", "gi": "JH IH", "gy": "JH IY", "all": "AO L", "x": "K S", "a": "AE", "b": "B",
    "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N",
    "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W", "y": "IH", "z": "Z",
}  # fmt: skip
_LONG = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW", "y": "AY"}


def letter_to_sound(word: str) -> tuple[str, ...]:
    """Read a word by letter-to-sound rules; never empty for a word with letters.

    Letters of other scripts give a neutral vowel each, so that time is still set aside for them.

    >>> letter_to_sound("blimp")
    ('B', 'L', 'IH', 'M', 'P')
    """
    text = re.sub(r"[^\w]|[\d_]", "", word.lower())
    text = re.sub(r"([bdfgklmnprstz])\1", r"\1", text)
    phones: list[str] = []
    k = 0
    while k < len(text):
        magic = re.match(r"([aeiouy])[bdfgklmnprstvz]e$", text[k:])  # a vowel before a consonant and a mute e
        if magic:
            phones.append(_LONG[magic[1]])
            k += 1
            continue
        for size in range(5, 0, -1):
            part = text[k : k + size]
            if len(part) < size:
                continue
            rule = next(
                (
                    r
                    for r in (
                        ("^" + part) if k == 0 else "",
                        (part + "$") if k and k + size == len(text) else "",
                        part,
                    )
                    if r in _RULES
                ),
                None,
            )
            if rule is not None:
                phones.extend(_RULES[rule].split())
                k += size
                break
        else:
            phones.append("AH")
            k += 1
    if text and not any(map(is_vowel, phones)):
        phones.append("AH")
    return tuple(phones)
