"""Names, overlaps and gaps, as all formats of labelled intervals have them."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

import pytest
from hypothesis import given, settings

from kinesics import formats
from kinesics.errors import DataError
from kinesics.formats import _tiers
from kinesics.performance import Interval, Performance, Plan, Tier
from tests.formats.tier_cases import SHOW, tiers

ENDINGS = (".TextGrid", ".eaf", ".vtt", ".srt", ".lab", ".phones.json", ".rttm")


def test_known_names_become_the_package_s() -> None:
    rows = [(n, []) for n in ("Phoneme", "WORD", "my words", "plan", " ", "Gestures")]
    found = _tiers.gathered(rows)
    assert list(found.tracks) == ["phones", "words", "my words", "plan tier", "tier", "gestures"]
    assert found.names["plan tier"] == "plan"
    assert all(t.name == n for n, t in found.tracks.items())
    Performance(found.tracks)  # none of them takes the place of another kind of track


def test_of_two_of_one_name_the_second_gets_a_number() -> None:
    found = _tiers.gathered([("a", []), ("a", []), ("a (2)", []), ("a", [])])
    assert list(found.tracks) == ["a", "a (2)", "a (2) (2)", "a (3)"]


def test_lanes_are_joined_only_after_their_tier() -> None:
    one = [Interval(0, 1, "x")]
    found = _tiers.gathered([("b [2]", one), ("a", one), ("a [2]", one), ("a [3]", one), ("a [1]", one)])
    assert {n: len(t) for n, t in found.tracks.items()} == {"b [2]": 1, "a": 3, "a [1]": 1}


@settings(max_examples=80, deadline=None)
@given(tiers())
def test_lanes_hold_everything_without_overlap(tier: Tier) -> None:
    found = _tiers.lanes(tier)
    assert sorted((i.start, i.end, i.label) for lane in found for i in lane) == sorted(
        (i.start, i.end, i.label) for i in tier
    )
    for lane in found:
        assert all(a.end <= b.start for a, b in itertools.pairwise(lane))
    # As few as can be: one for each that are there at once.
    lasting = [i for i in tier if i.end > i.start]
    least = max((sum(j.start <= i.start < j.end for j in lasting) for i in lasting), default=1)
    if tier and len(lasting) == len(tier):
        assert len(found) == least


def test_gaps_are_filled_without_slivers() -> None:
    lane = [Interval(0.5, 1.0, "a"), Interval(1.0, 2.0, "b")]
    assert _tiers.filled(lane, 0.5, 2.0) == [(0.5, 1.0, "a"), (1.0, 2.0, "b")]
    assert _tiers.filled([], 0.0, 1.0) == [(0.0, 1.0, "")]
    rows = _tiers.filled(lane, 0.0, 3.0)
    assert [a for a, _, _ in rows[1:]] == [b for _, b, _ in rows[:-1]]


def test_what_is_chosen_and_what_is_lost(caplog) -> None:
    show = Performance({"a": Tier("a", (Interval(0, 1, "x", 2.0),)), "b": Tier("b"), "plan": Plan()})
    path = Path("x.y")
    assert list(_tiers.chosen(show, None, path, "a file")) == ["a", "b"]
    assert list(_tiers.chosen(show, "b", path, "a file")) == ["b"]
    with pytest.raises(DataError, match="there are: a, b"):
        _tiers.chosen(show, ["plan"], path, "a file")
    with caplog.at_level(logging.WARNING):
        _tiers.tell_lost(path, show.tiers, "a file")
    assert caplog.messages == ["x.y: a file has no place for the values of: a"]


@pytest.mark.parametrize("meta", [{}, {"elan": 3}, {"elan": {"names": 3}}, {"elan": {"names": {"a": 3}}}])
def test_foreign_facts_are_no_trouble(meta) -> None:
    assert _tiers.own_name(Performance({}, meta), "elan", "a") == "a"


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_tiers_give_the_same_bytes_and_a_bad_one_leaves_no_file(tmp_path, ending) -> None:
    options = {"tier": "words"} if ending == ".rttm" else {}
    one, two = tmp_path / f"Grüße 日本{ending}", tmp_path / "deep" / f"b{ending}"
    SHOW.save(one, **options)
    again = formats.load(one)
    assert again.tiers
    if ending == ".rttm":
        options["file"] = one.stem.replace(" ", "_")
    Performance(dict(SHOW.tracks)).save(two, **options)
    assert one.read_bytes() == two.read_bytes()
    bad = Performance({"words": Tier("words", (Interval(0, 1, "\ud800"),))})
    with pytest.raises(DataError):
        bad.save(tmp_path / f"bad{ending}", **({"tier": "words"} if options else {}))
    assert not (tmp_path / f"bad{ending}").exists()


def test_long_talks_go_through_every_format(tmp_path) -> None:
    """Two hours of words: what is written is what was read, whatever lies between."""
    words = tuple(Interval(k * 0.4, k * 0.4 + 0.32, f"word{k % 97}") for k in range(18_000))
    show = Performance({"words": Tier("words", words)})
    last = show
    for ending in (".TextGrid", ".eaf", ".phones.json", ".vtt"):
        last.with_tracks(captions=None).save(tmp_path / f"a{ending}")
        last = formats.load(tmp_path / f"a{ending}")
        assert last["words"].labels == show["words"].labels
        assert last.difference(show)["words"] <= 5.001e-4
