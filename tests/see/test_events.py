"""All events together: what is made of what, at once or piece by piece."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinesics import perform
from kinesics.errors import DataError
from kinesics.performance import Performance, Points, Signal
from kinesics.see.events import TIERS, Events, annotate
from kinesics.seeds import rng


@pytest.fixture(scope="module")
def show():
    return perform("No, honestly, we caught a fish this big!", emotion="happy", intensity=0.9, seed=4)


def test_a_performance_gets_a_tier_of_everything(show):
    done = annotate(show)
    assert set(TIERS) <= set(done)
    assert done.tier("blinks").labels.count("blink") >= 1
    assert "smile" in done.tier("smile").labels
    assert "shake" in done.tier("head_events").labels
    assert done["words"] is show["words"]
    assert all(0 <= i.start <= i.end <= show.duration + 0.1 for n in TIERS for i in done.tier(n))


def test_only_what_can_be_seen_is_told(show):
    assert set(annotate(Performance({"face": show.face}))) & set(TIERS) >= {"blinks", "smile"}
    assert "gestures" not in annotate(Performance({"face": show.face}))
    assert "blinks" not in annotate(Performance({"body": show.body}))
    assert dict(annotate(Performance()).tracks) == {}


def test_the_head_signal_is_taken_before_the_bodys(show):
    flat = Signal(np.zeros((len(show.body), 3)), ("pitch", "yaw", "roll"), ("degrees",) * 3, 60)
    assert len(annotate(show.with_tracks(head=flat)).tier("head_events")) == 0


def test_tiers_can_be_chosen_and_a_wrong_name_lists_the_right_ones(show):
    bare = Performance({"body": show.body, "face": show.face})
    assert set(annotate(bare, tiers=("gestures", "smile"))) == {"body", "face", "gestures", "smile"}
    with pytest.raises(DataError, match="head_events"):
        annotate(show, tiers=("nods",))


def test_piece_by_piece_is_the_same_as_at_once(show):
    bare = Performance({"body": show.body, "face": show.face})
    done, events = annotate(bare), Events()
    found = {n: [] for n in TIERS}
    at = 0.0
    draw = rng(1, "pieces")
    while at < bare.duration:
        step = float(draw.integers(1, 80)) / 60
        part = {n: t.slice(at, at + step) for n, t in bare.tracks.items()}
        for n, intervals in events.push(Performance(part)).items():
            found[n] += intervals
        at += step
    for n, intervals in events.finish().items():
        found[n] += intervals
    for n in TIERS:
        told = sorted(found[n], key=lambda i: (i.start, i.end))
        assert [(i.label, i.value) for i in told] == [(i.label, i.value) for i in done.tier(n)]
        assert np.allclose(
            [(i.start, i.end) for i in told], [(i.start, i.end) for i in done.tier(n)], atol=1e-6
        )


def test_a_long_clip_is_looked_at_in_pieces(show, monkeypatch):
    count = round(show.duration * 30)
    stream = rng(2, "long")
    marks = Points(
        stream.normal(size=(count, 4, 2)), tuple("abcd"), 30, "image", confidence=stream.random((count, 4))
    )
    box = Signal(np.full((count, 4), 60.0), ("x", "y", "width", "height"), ("px",) * 4, 30)
    full = show.with_tracks(landmarks=marks, face_box=box, hand_left=marks, hand_right=marks).shift(5.0)
    whole = annotate(full)
    monkeypatch.setattr("kinesics.see.events._PIECE", 0.7)
    parts = annotate(full)
    for n in TIERS:
        assert [(i.label, i.value) for i in parts.tier(n)] == [(i.label, i.value) for i in whole.tier(n)]
        assert np.allclose(
            [(i.start, i.end, i.confidence) for i in parts.tier(n)],
            [(i.start, i.end, i.confidence) for i in whole.tier(n)],
            atol=0.01,
        )


def test_landmarks_that_are_not_sure_make_the_face_unknown(show):
    count = round(show.duration * 30)
    faint = Points(np.zeros((count, 4, 2)), tuple("abcd"), 30, "image", confidence=np.full((count, 4), 0.3))
    done = annotate(show.with_tracks(landmarks=faint))
    assert set(done.tier("blinks").labels) == {"unknown"}
    assert done.tier("gestures").labels == annotate(show).tier("gestures").labels


def test_a_wrist_that_is_hidden_makes_that_hand_unknown(show):
    count = round(show.duration * 30)
    sure = np.stack([np.full(count, 0.2), np.full(count, 0.95)], axis=1)
    pose = Points(np.zeros((count, 2, 3)), ("LEFT_WRIST", "RIGHT_WRIST"), 30, "image", confidence=sure)
    labels = annotate(show.with_tracks(pose=pose)).tier("gestures").labels
    assert all(label == "unknown L" for label in labels if label.endswith("L"))
    assert any(label == "stroke R" for label in labels) == any(
        label == "stroke R" for label in annotate(show).tier("gestures").labels
    )


def test_a_clip_that_starts_late_is_told_on_its_own_clock(show):
    bare = Performance({"body": show.body, "face": show.face})
    later = annotate(bare.shift(10.0))
    for n in ("blinks", "gestures", "head_events"):
        assert np.allclose(
            [i.start - 10 for i in later.tier(n)], [i.start for i in annotate(bare).tier(n)], atol=1e-6
        )


def test_a_single_frame_is_no_event(show):
    one = Performance(
        {"body": show.body.slice(0, 1 / 60), "face": replace(show.face, values=show.face.values[:1])}
    )
    assert all(len(t) == 0 for t in annotate(one).tiers)


def test_hands_that_are_apart_in_the_picture_do_not_touch():
    from kinesics.performance import Behaviour, Plan, Sync

    clasp = Behaviour("g", "gesture", {"stroke": Sync(1.5)}, {"lexeme": "HANDS_RUB"})
    bare = perform(plan=Plan((clasp,), (), "REPLACE"), progress=False)
    bare = Performance({"body": bare.body})
    count = len(bare.body)
    box = Signal(np.tile([300.0, 100, 80, 90], (count, 1)), ("x", "y", "width", "height"), ("px",) * 4, 60)
    names = tuple(f"p{k}" for k in range(21))

    def hand(x: float) -> Points:
        values = np.zeros((count, 21, 3)) + [x, 300, 0] + rng(0, "hand").normal(0, 4, (21, 3))
        return Points(values, names, 60, "image", confidence=np.ones((count, 21)))

    seen = {"face_box": box, "hand_left": hand(300)}
    touching = annotate(bare.with_tracks(**seen, hand_right=hand(302)), tiers=("self_touch",))
    apart = annotate(bare.with_tracks(**seen, hand_right=hand(420)), tiers=("self_touch",))
    assert "hands" in annotate(bare).tier("self_touch").labels
    assert "hands" in touching.tier("self_touch").labels
    assert "hands" not in apart.tier("self_touch").labels
