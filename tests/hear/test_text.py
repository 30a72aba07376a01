"""Numbers, abbreviations and spelling."""

from __future__ import annotations

import pytest

from kinesics.hear.text import cardinal, ordinal, sentences, tokenize, year


def known(word: str) -> bool:
    return word in {"dogs", "it", "us", "well", "known", "hello", "world", "wasn't", "who"}


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("1999", "nineteen ninety nine"),
        ("2,048", "two thousand forty eight"),
        ("$5.50", "five dollars fifty cents"),
        ("$1", "one dollar"),
        ("£3m", "three million pounds"),
        ("42nd", "forty second"),
        ("3:30pm", "three thirty p m"),
        ("-5%", "minus five percent"),
        ("1990s", "nineteen nineties"),
        ("10-20", "ten to twenty"),
        ("5km", "five kilometers"),
        ("1/2", "one half"),
        ("0.25", "zero point two five"),
        ("007", "zero zero seven"),
        ("B2B", "b two b"),
        ("&", "and"),
        ("naïve", "naive"),
        ("wasn’t", "wasn't"),
    ],
)
def test_a_token_is_spoken_as_people_say_it(written: str, spoken: str) -> None:
    (token,) = tokenize(f"hello {written}", known=known)[1:]
    assert " ".join(token.spoken) == spoken
    assert token.written == written


def test_punctuation_stays_with_the_word_before() -> None:
    tokens = tokenize('"Well-known," hello — world? … who', known=known)
    assert [(t.written, t.after) for t in tokens] == [
        ("Well-known", ","), ("hello", "—"), ("world", "?…"), ("who", "")
    ]  # fmt: skip


def test_text_in_capitals_is_not_initials() -> None:
    assert [t.spoken for t in tokenize("WHO IT US", known=known)] == [("who",), ("it",), ("us",)]
    assert [t.spoken for t in tokenize("hello US", known=known)][1] == ("u", "s")


def test_start_points_into_the_text() -> None:
    text = "  Dr. Smith's (big) dogs"
    for token in tokenize(text, known=known):
        assert text[token.start :].startswith(token.written)


def test_sentences_join_to_the_text() -> None:
    text = "Dr. Smith came. Who? J. K. Rowling! " + "word, " * 200
    pieces = sentences(text)
    assert "".join(p for _, p in pieces) == text
    assert all(text[a:].startswith(p) for a, p in pieces)
    assert pieces[0][1] == "Dr. Smith came. "
    assert max(len(p) for _, p in pieces) <= 400


def test_numbers() -> None:
    assert cardinal(0) == "zero"
    assert cardinal(1_000_000) == "one million"
    assert ordinal(12) == "twelfth"
    assert year(2024) == "twenty twenty four"
    assert tokenize("12345678901234567890")[0].spoken[0] == "one"  # longer than any scale: digit by digit


@pytest.mark.parametrize("text", ["", "   ", "...", "— — ?!", "\n\t"])
def test_nothing_to_say(text: str) -> None:
    assert tokenize(text) == []
