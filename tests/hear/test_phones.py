"""Visemes, vowels, syllables."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.hear.dictionary import letter_to_sound, lookup, pronunciations
from kinesics.hear.phones import VISEMES, is_silence, is_vowel, sonority, syllabify, viseme
from kinesics.hear.stress import stressed_vowel

PAIRS = [
    ("P", "p"), ("B", "b"), ("M", "m"), ("F", "f"), ("V", "v"), ("TH", "θ"), ("DH", "ð"), ("T", "t"), ("D", "d"),
    ("K", "k"), ("G", "ɡ"), ("HH", "h"), ("NG", "ŋ"), ("CH", "tʃ"), ("JH", "dʒ"), ("SH", "ʃ"), ("ZH", "ʒ"), ("S", "s"),
    ("Z", "z"), ("N", "n"), ("L", "l"), ("R", "ɹ"), ("AA", "ɑː"), ("AE", "æ"), ("AY", "aɪ"), ("AW", "aʊ"), ("EH", "ɛ"),
    ("EY", "eɪ"), ("IH", "ɪ"), ("IY", "iː"), ("Y", "j"), ("AO", "ɔː"), ("OW", "oʊ"), ("OY", "ɔɪ"), ("UH", "ʊ"),
    ("UW", "uː"), ("W", "w"), ("ER", "ɚ"),
]  # fmt: skip


@pytest.mark.parametrize(("arpabet", "ipa"), PAIRS)
def test_both_alphabets_agree(arpabet: str, ipa: str) -> None:
    assert viseme(arpabet) == viseme(ipa) in VISEMES
    assert is_vowel(arpabet) == is_vowel(ipa)
    if arpabet not in ("CH", "JH"):
        assert sonority(arpabet) == sonority(ipa)
    assert viseme("ˈ" + ipa) == viseme(ipa)


def test_every_dictionary_phone_has_a_viseme() -> None:
    for word in "the quick brown fox jumps over lazy dogs measure church judge thing boy how yes".split():
        for phone in lookup(word)[0]:
            assert viseme(phone) != "sil", phone


@pytest.mark.parametrize("label", ["", "SIL", "sil", "sp", "spn", "+NSN+", "_:"])
def test_silence(label: str) -> None:
    assert is_silence(label)
    assert viseme(label) == "sil"


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("HH AH L OW", ["HH AH", "L OW"]),
        ("EH K S T R AH", ["EH K", "S T R AH"]),
        ("S IH NG ER", ["S IH NG", "ER"]),
        ("AE TH L IY T", ["AE TH", "L IY T"]),
        ("k ˈa s t a", ["k ˈa", "s t a"]),
        ("b ʌ t n̩", ["b ʌ", "t n̩"]),
        ("S T", ["S T"]),
    ],
)
def test_syllables(word: str, parts: list[str]) -> None:
    phones = word.split()
    assert [" ".join(phones[a:b]) for a, b in syllabify(phones)] == parts
    assert syllabify([]) == []


def test_unknown_words_are_guessed_and_said() -> None:
    found = pronunciations(["cat", "smith's", "unbelievably", "zorblax", "東京", "xq"])
    assert set(found.guessed) >= {"zorblax", "東京"}
    assert "cat" not in found.guessed
    assert found.phones["smith's"][0][-1] == "S"
    assert all(p and all(p) for p in found.phones.values())


def test_letter_to_sound_always_gives_a_vowel() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        word = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(1, 12)))
        phones = letter_to_sound(word)
        assert any(map(is_vowel, phones)), word
        assert all(viseme(p) != "sil" for p in phones), word


@pytest.mark.parametrize(
    ("word", "vowel"), [("nation", 0), ("believe", 1), ("electricity", 2), ("cat", 0), ("engineer", 2)]
)
def test_stress_by_rule(word: str, vowel: int) -> None:
    assert stressed_vowel(word, lookup(word)[0]) == vowel
