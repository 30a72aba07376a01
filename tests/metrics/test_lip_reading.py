"""Error rates: jiwer as oracle, corpus sums, viseme classes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.errors import DataError
from kinesics.metrics import lip_reading as read
from tests.metrics.inputs import golden
from tests.metrics.oracles.lip_reading import inputs

INPUT, GOLD = inputs(), golden("lip_reading")


def test_rates_agree_with_jiwer():
    assert read.wer(INPUT["true"], INPUT["read"]) == pytest.approx(GOLD["wer"], abs=1e-12)
    assert read.cer(INPUT["true"], INPUT["read"]) == pytest.approx(GOLD["cer"], abs=1e-12)
    for a, b, rate in zip(INPUT["true"], INPUT["read"], GOLD["each"], strict=True):
        assert read.wer(a, b) == pytest.approx(rate, abs=1e-12)


def test_a_corpus_is_summed_and_not_averaged():
    assert read.wer(["a b c d e f g h i", "x"], ["a b c d e f g h i", "y"]) == 0.1
    assert read.wer(["x"], ["a b c"]) == 3


def test_perfect_and_by_hand():
    assert read.wer(INPUT["true"], INPUT["true"]) == read.cer("abc", "abc") == 0
    assert read.cer("kitten", "sitting") == 0.5
    assert read.cer("a b", "ab") == pytest.approx(1 / 3)  # the space is a character
    assert read.wer("  a   b ", "a b") == 0
    assert read.wer("A b", "a b") == 0.5  # case is the user's business
    assert read.wer(read.normalise("A, b!"), "a b") == 0


def test_edits_by_hand():
    assert read.edits("abcd", "abd") == (0, 1, 0, 4)
    assert read.edits("abd", "abcd") == (0, 0, 1, 3)
    assert read.edits("abc", "axc") == (1, 0, 0, 3)
    assert read.edits("", "ab") == (0, 0, 2, 0)


@given(st.text("abc ", max_size=12), st.text("abc ", max_size=12), st.text("abc ", max_size=12))
def test_edit_distance_is_a_metric(a, b, c):
    ab = read.edits(a, b)
    assert ab.errors == read.edits(b, a).errors
    assert (ab.errors == 0) == (a == b)
    assert read.edits(a, c).errors <= ab.errors + read.edits(b, c).errors
    assert abs(len(a) - len(b)) <= ab.errors <= max(len(a), len(b))
    assert len(a) - ab.deletions + ab.insertions == len(b)


def test_visemes_cannot_tell_p_from_b():
    big, pig = [["b", "ɪ", "ɡ"]], [["p", "ˈɪ", "k"]]
    assert read.ver([big], [pig]) == read.vwer([big], [pig]) == 0
    assert read.ver([big], [[["f", "ɪ", "ɡ"]]]) == pytest.approx(1 / 3)
    assert read.vwer([big], [[["f", "ɪ", "ɡ"]]]) == 1
    assert read.to_visemes([["θ", "ɔː", "ɹ"], ["tʃ", "ɜː", "tʃ"]]) == "TOr SES"


def test_a_phone_that_is_not_in_the_table_is_an_error():
    with pytest.raises(DataError, match="phone 'ʔ': no viseme class"):
        read.to_visemes([["ʔ"]])


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ([], [], "0 references and 0 estimates"),
        (["a"], ["a", "b"], "1 references and 2 estimates"),
        (["a"], [None], "estimate 0: a NoneType"),
        ([3], ["a"], "reference 0: a int"),
        (["  "], ["a"], "hold no words"),
    ],
)
def test_bad_texts_are_refused(a, b, words):
    with pytest.raises(DataError, match=words):
        read.wer(a, b)


def test_evaluate():
    out = read.evaluate(INPUT["true"], INPUT["read"])
    assert out["WER"].n == 25
    assert out["WER"].value == pytest.approx(GOLD["wer"])
