"""Labelled intervals."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.errors import DataError
from kinesics.performance import Interval, Tier

spans = st.tuples(st.floats(-10, 10), st.floats(0, 5)).map(lambda p: Interval(p[0], p[0] + p[1], "x"))


def test_sorted_named_and_travelling():
    tier = Tier("words", [Interval(1, 2, "b"), Interval(0, 1, "a", 0.5, 0.25)])
    assert tier.labels == ("a", "b")
    assert (tier.start, tier.end, len(tier)) == (0, 2, 2)
    assert pickle.loads(pickle.dumps(tier)) == tier
    assert (Tier("none").start, Tier("none").end) == (0, 0)


def test_intervals_are_half_open():
    tier = Tier("words", [Interval(0, 1, "a"), Interval(1, 2, "b")])
    assert [getattr(tier.at(t), "label", None) for t in (-0.1, 0, 0.999, 1, 2)] == [None, "a", "a", "b", None]


def test_overlaps_give_the_latest_start():
    tier = Tier("gestures", [Interval(0, 10, "long"), Interval(2, 3, "short")])
    assert [tier.at(t).label for t in (1, 2.5, 3, 9)] == ["long", "short", "long", "long"]


@given(st.lists(spans, max_size=30), st.floats(-12, 16))
def test_at_agrees_with_a_plain_search(intervals, t):
    tier = Tier("x", intervals)
    holding = [i for i in tier if i.start <= t < i.end]
    found = tier.at(t)
    assert (found is None) == (not holding)
    if found is not None:
        assert found.start == max(i.start for i in holding)


@given(st.lists(spans, max_size=20), st.floats(-12, 12), st.floats(0, 6), st.floats(0, 6))
def test_slices_cut_and_lose_no_time(intervals, start, a, b):
    tier = Tier("x", intervals)
    first, second = tier.slice(start, start + a), tier.slice(start + a, start + a + b)
    whole = tier.slice(start, start + a + b)
    for part, low, high in ((first, start, start + a), (second, start + a, start + a + b)):
        assert all(low <= i.start <= i.end <= high for i in part)
    total = sum(i.duration for i in first) + sum(i.duration for i in second)
    assert total == pytest.approx(sum(i.duration for i in whole), abs=1e-9)


def test_an_empty_slice_is_empty_and_instants_belong_to_one_side():
    tier = Tier("x", [Interval(0, 2, "long"), Interval(1, 1, "instant")])
    assert tier.slice(1, 1).labels == ()
    assert "instant" not in tier.slice(0, 1).labels
    assert "instant" in tier.slice(1, 2).labels


@pytest.mark.parametrize(
    ("start", "end", "value", "confidence"),
    [
        (1, 0, None, 1),
        (math.nan, 1, None, 1),
        (0, math.inf, None, 1),
        (0, 1, math.nan, 1),
        (0, 1, None, 2),
        (0, 1, None, math.nan),
    ],
)
def test_impossible_intervals_are_refused(start, end, value, confidence):
    with pytest.raises(DataError, match="'oops'"):
        Interval(start, end, "oops", value, confidence)


def test_looking_up_gaps_in_an_hour_of_phones():
    tier = Tier("phones", [Interval(k * 0.1, k * 0.1 + 0.08, "AH") for k in range(36_000)])
    for k in range(0, 36_000, 4):
        assert tier.at(k * 0.1 + 0.09) is None
