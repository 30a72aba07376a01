"""What words mean: phrases, stems, sizes, cues, other languages, sentence embeddings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics.behaviour.lexicon import lexicon
from kinesics.behaviour.meaning import LANGUAGES, Reader, number, stem, tokens
from kinesics.ports.embedder import Embedder, TfIdf


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(lexicon())


def lexemes(reader: Reader, text: str, at: int = 0) -> tuple[str, ...]:
    match = reader.match(tokens(text), at)
    return match.lexemes if match and match.weight >= 1 else ()


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("this big", 0, "BIG"),
        ("hello", 0, "WAVE"),
        ("hello everyone", 0, "WAVE_BOTH"),
        ("i don't know", 0, "SHRUG"),
        ("on the other hand", 0, "ON_OTHER_HAND"),
        ("he was connecting us", 2, "LINK"),
        ("stopped", 0, "STOP"),
        ("turn left", 0, "POINT_LEFT"),
        ("right now", 0, "NOW"),
        ("and so on", 0, "CYCLE"),
        ("thumbs up", 0, "THUMBS_UP"),
        ("never", 0, "WIPE_AWAY"),
        ("so-called", 0, "AIR_QUOTES"),
        ("years ago", 0, "PAST"),
        ("everybody", 0, "ALL_SWEEP"),
    ],
)
def test_phrases(reader: Reader, text: str, at: int, expected: str) -> None:
    assert expected in lexemes(reader, text, at)


def test_the_longest_phrase_wins(reader: Reader) -> None:
    assert "OK" not in lexemes(reader, "thank you very much")
    assert reader.match(tokens("thank you very much"), 0).last == 4


def test_every_stated_meaning_is_found(reader: Reader) -> None:
    for g in lexicon().values():
        for phrase in g.means:
            match = reader.match(tokens(phrase), 0)
            assert match is not None, (g.lexeme, phrase)
            assert g.lexeme in match.lexemes, (g.lexeme, phrase)


@pytest.mark.parametrize(
    ("text", "lexeme", "metres"),
    [
        ("two metres tall", "TALL", 2.0),
        ("ten centimeters", "SMALL_BOTH", 0.1),
        ("half a metre", None, 0.5),
        ("three feet long", "LONG", 0.914),
        ("2 millimeters thick", "THICK", 0.002),
        ("1.5 m wide", "WIDE", 1.5),
        ("fifty kilometers", "LONG", 2.0),
    ],
)
def test_sizes(reader: Reader, text: str, lexeme: str | None, metres: float) -> None:
    words = text.split()
    match = reader.match(words, 0)
    if lexeme is None:
        assert match is not None
        return
    assert match.lexemes == (lexeme,)
    assert match.size == pytest.approx(metres, abs=0.001)


def test_numbers() -> None:
    assert number("one hundred and twenty five".split()) == 125
    assert number("three thousand two hundred".split()) == 3200
    assert number(["fish"]) is None
    assert number(["nan"]) is None
    assert number([]) is None


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("no", "negation"), ("didn't", "negation"), ("yes", "affirmation"), ("why", "question"), ("however", "contrast"),
        ("firstly", "list"), ("by the way", "topic"), ("um", "filler"), ("maybe", "doubt"), ("really", "emphasis"),
        ("wonderful", "joy"), ("unfortunately", "sorrow"), ("welcome", "greeting"), ("let me think", "thinking"),
    ],
)  # fmt: skip
def test_cues(reader: Reader, text: str, cue: str) -> None:
    assert cue in reader.cues(tokens(text), 0)


@pytest.mark.parametrize(
    ("language", "text", "lexeme", "cue", "cued"),
    [
        ("de", "hallo", "WAVE", "nicht", "negation"),
        ("fr", "bonjour", "WAVE", "pourquoi", "question"),
        ("es", "hola", "WAVE", "claro", "affirmation"),
        ("it", "ciao", "WAVE", "forse", "doubt"),
        ("pt", "olá", "WAVE", "não", "negation"),
        ("de-AT", "riesig", "BIG", "ja", "affirmation"),
        ("fr", "je ne sais pas", "SHRUG", "merci", "joy"),
        ("fr", "là-bas", "THERE", "mais", "contrast"),
    ],
)
def test_other_languages(language: str, text: str, lexeme: str, cue: str, cued: str) -> None:
    reader = Reader(lexicon(), language=language)
    assert lexeme in reader.match(text.split(), 0).lexemes
    assert cued in reader.cues([cue], 0)


def test_every_language_has_greeting_yes_no_size_persons_and_questions() -> None:
    for language in LANGUAGES[1:]:
        reader = Reader(lexicon(), language=language)
        found = {x for names in reader._strong.values() for x in names}
        assert {"WAVE", "SELF", "YOU", "BIG", "SMALL", "QUESTION", "NO_WAG", "WIPE_AWAY"} <= found
    assert Reader(lexicon(), language="xx").match(["hello"], 0) is None


def test_words_are_words_in_any_order(reader: Reader) -> None:
    assert reader.match([], 0) is None
    assert reader.match([""], 0) is None
    assert not reader.cues([], 0)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_words_are_read(words: list[str]) -> None:
    reader = Reader(lexicon())
    for i in range(len(words)):
        match = reader.match(words, i)
        assert match is None or (i == match.first < match.last <= len(words))
        reader.cues(words, i)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20))
def test_stems_never_grow_and_settle(word: str) -> None:
    assert len(stem(word)) <= max(len(word), 6)
    assert stem(word) == stem(word)


def test_embedder_finds_clauses() -> None:
    class Fake:
        close_enough = 0.5

        def embed(self, texts):
            import numpy as np

            rows = np.array([[float("wave" in t or "hand in greeting" in t), 0.1] for t in texts], np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    fake = Fake()
    assert isinstance(fake, Embedder)
    reader = Reader(lexicon(), embedder=fake)
    found = reader.clause("he raised a hand in greeting")
    assert found is not None
    assert any("wave" in " ".join(lexicon()[x].means) for x in found[0])
    assert Reader(lexicon()).clause("hello") is None
    own = TfIdf(["; ".join(g.means) for g in lexicon().values() if g.means])
    assert Reader(lexicon(), embedder=own).clause("qqq zzz") is None
