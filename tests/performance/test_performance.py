"""A performance as a whole."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.performance import Audio, Behaviour, Face, Interval, Performance, Plan, Signal, Tier


def show(speech: float = 1.0, face: float = 1.02, **meta) -> Performance:
    """Tracks of unequal length, as real ones are."""
    return Performance(
        {
            "speech": Audio(np.linspace(-0.5, 0.5, round(speech * 8000)), 8000),
            "face": Face(np.linspace(0, 1, round(face * 60))[:, None], ("jawOpen",), 60),
            "words": Tier("words", [Interval(0.1, 0.5, "one"), Interval(0.6, 0.9, "two")]),
            "plan": Plan((Behaviour("g", "gesture", {"start": "0.2", "end": "0.7"}),)),
        },
        meta,
    )


def test_tracks_have_their_kind():
    with pytest.raises(DataError, match="'face' is a Tier; expected Face"):
        Performance({"face": Tier("face")})
    with pytest.raises(DataError, match="'x' is a str"):
        Performance({"x": "y"})
    with pytest.raises(DataError, match="no track 'body'; this performance has: speech, face"):
        _ = show().body
    assert show().get("body") is None
    assert show().tier("gestures") == Tier("gestures")
    assert [t.name for t in show().tiers] == ["words"]


def test_duration_is_to_the_longest_end():
    assert show().duration == pytest.approx(61 / 60)
    assert show().shift(2).duration == pytest.approx(2 + 61 / 60)
    assert Performance().duration == 0


def test_slices_begin_at_zero():
    part = show().slice(0.5, 0.8)
    assert part.speech.start == pytest.approx(0, abs=1e-9)
    assert len(part.speech) == 2400
    assert [(round(i.start, 9), round(i.end, 9), i.label) for i in part.tier("words")] == [(0.1, 0.3, "two")]
    assert part.plan.times()["g"]["end"] == pytest.approx(0.2)
    assert all(t.start >= 0 for n, t in part.tracks.items() if n != "plan"), "no rounding to before 0"


def test_whole_performances_join():
    both = show().join(show())
    seam = show().duration
    assert both.duration == pytest.approx(2 * seam, abs=1 / 60)
    assert both.tier("words").labels == ("one", "two", "one", "two")
    assert both.tier("words")[2].start == pytest.approx(seam + 0.1)
    # The shorter track is filled, so that what follows keeps its time: sound by silence …
    first = round(seam * 8000)
    np.testing.assert_array_equal(both.speech.samples[8000 : first - 1], 0)
    np.testing.assert_allclose(both.speech.samples[first : first + 8000], show().speech.samples, atol=2e-4)
    # … and what is seen by holding still.
    late = show().join(show(), at=2.0)
    assert late.face.column("jawOpen")[90] == 1
    assert len(both.plan) == 2
    assert both.plan.times()[both.plan.behaviours[1].id]["start"] == pytest.approx(seam + 0.2)


def test_overlapping_performances_do_not_join():
    with pytest.raises(DataError, match=r"'speech' .*overlap"):
        show().join(show(), at=0.5)


def test_tracks_of_one_side_only_keep_their_time():
    words_only = Performance({"words": Tier("words", [Interval(0, 1, "x")])})
    late = words_only.join(Performance({"f0": Signal([[1.0]], ("f0",), ("Hz",), 10)}))
    assert late["f0"].start == 1.0


def test_comparing():
    assert max(show().difference(show()).values()) < 1e-6
    changed = show().with_tracks(words=None, extra=Tier("extra"))
    difference = show().difference(changed)
    assert difference["words"] == difference["extra"] == math.inf
    other = show().with_tracks(words=Tier("words", [Interval(0.1, 0.6, "one"), Interval(0.6, 0.9, "two")]))
    assert show().difference(other)["words"] == pytest.approx(0.1)


def test_frozen_and_travelling():
    a = show(avatar="maya")
    with pytest.raises(TypeError):
        a.tracks["x"] = 1
    with pytest.raises(TypeError):
        a.meta["x"] = 1
    for b in (pickle.loads(pickle.dumps(a)), copy.deepcopy(a)):
        assert max(a.difference(b).values()) < 1e-6
        assert dict(b.meta) == {"avatar": "maya"}
