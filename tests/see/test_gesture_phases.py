"""Phases of gestures that were performed to a plan, and of one real speaker."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from kinesics import perform
from kinesics.bodies.humanoid import mirror_index
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Motion
from kinesics.see.gesture_phases import (
    PLACES,
    GesturePhases,
    gesture_phases,
    hand_features,
    places_of,
)
from kinesics.seeds import rng


@pytest.fixture(scope="module")
def show():
    return perform(
        "We caught a fish this big. I don't know, on the one hand we could stay, on the other hand we could go!",
        seed=5,
    )


def plain(label: str) -> tuple[str, str]:
    phase, _, rest = label.rpartition(" ")
    return phase, rest[-1]


def test_strokes_are_where_they_were_performed(show):
    true = [i for i in show.tier("gestures") if i.label.startswith("stroke")]
    found = [i for i in gesture_phases(show.body) if i.label.startswith("stroke")]
    hits = [
        any(
            plain(i.label) == plain(o.label) and abs(i.start - o.start) < 0.15 and abs(i.end - o.end) < 0.2
            for o in found
        )
        for i in true
    ]
    assert len(true) >= 4
    assert np.mean(hits) > 0.75
    assert len(found) <= len(true) + 2


def test_phases_of_a_hand_follow_one_another_as_a_gesture_does(show):
    for side in "LR":
        own = [i for i in gesture_phases(show.body) if i.label.endswith(side)]
        assert all(a.end <= b.start + 1e-9 for a, b in pairwise(own))
        for a, b in pairwise(own):
            if b.label.startswith("post-stroke hold"):
                assert plain(a.label)[0] in ("stroke", "unknown")
            if abs(a.end - b.start) < 1e-9:
                assert (plain(a.label)[0], plain(b.label)[0]) not in {
                    ("retraction", "stroke"),
                    ("preparation", "retraction"),
                }


def test_the_mirror_swaps_the_hands(show):
    body, swap = show.body, mirror_index()
    turned = body.rotations[:, swap] * np.array([1, 1, -1, -1], np.float32)
    offsets = body.skeleton.offsets[swap] * np.array([-1, 1, 1], np.float32)
    mirrored = Motion(
        Skeleton(body.skeleton.names, body.skeleton.parents, offsets), turned, body.root * [-1, 1, 1], 60
    )
    own = {(i.label[:-1], "LR"["RL".index(i.label[-1])], round(i.start, 2)) for i in gesture_phases(body)}
    other = {(i.label[:-1], i.label[-1], round(i.start, 2)) for i in gesture_phases(mirrored)}
    assert len(own & other) >= 0.95 * max(len(own), len(other))


def test_phases_do_not_depend_on_how_the_stream_is_cut(show):
    finder, cut, body = GesturePhases(60), [], show.body
    edges = [0, *np.minimum(np.cumsum(rng(2, "cuts").integers(1, 70, 200)), len(body)), len(body)]
    for a, b in pairwise(edges):
        cut += finder.push(Motion(body.skeleton, body.rotations[a:b], body.root[a:b], 60, start=a / 60))
    cut += finder.finish()
    assert sorted(cut, key=lambda i: (i.start, i.end)) == list(gesture_phases(body))


def test_where_somebody_stands_faces_and_how_tall_they_are_does_not_matter(show):
    places = places_of(show.body)
    turn = rot.from_axis_angle(np.array([0.0, 1, 0]), np.radians(70))
    moved = 1.2 * rot.rotate(turn, places) + np.array([3.0, 0.1, -5])
    assert np.allclose(hand_features(places), hand_features(moved), atol=1e-6)


def test_a_body_at_rest_makes_no_gesture(show):
    still = Motion(
        show.body.skeleton,
        np.repeat(show.body.rotations[:1], 300, axis=0),
        np.repeat(show.body.root[:1], 300, axis=0),
        30,
    )
    assert len(gesture_phases(still)) == 0


def test_a_hand_that_moves_quickly_in_no_phase_is_unknown(show):
    # The whole body is carried past, hands at rest: that is no movement of the hands.
    body = show.body.slice(0, 0.02)
    count = 150
    t = np.arange(count) / 30
    still = np.repeat(places_of(body)[:1], count, axis=0)
    carried = still + np.stack([2.0 * t, 0 * t, 0 * t], axis=1)[:, None]
    finder = GesturePhases(30)
    assert finder.push_places(carried) + finder.finish() == []
    # A hand that trembles to and fro as no gesture does.
    right = [i for i, n in enumerate(PLACES) if n.startswith("right") and "UpperArm" not in n]
    shaken = still.copy()
    shaken[30:120, right] += (0.12 * np.sin(2 * np.pi * 2 * t[30:120]))[:, None, None] * np.array([1.0, 0, 0])
    finder = GesturePhases(30)
    found = finder.push_places(shaken) + finder.finish()
    assert {i.label[-1] for i in found} == {"R"}
    covered = sum(min(i.end, 4.0) - max(i.start, 1.0) for i in found if i.end > 1 and i.start < 4)
    assert covered > 2.0


def test_a_hand_that_was_lost_is_unknown(show):
    sure = np.tile([1.0, 0.2], (len(show.body), 1))
    found = gesture_phases(show.body, sure)
    assert all(i.label == "unknown R" for i in found if i.label.endswith("R"))
    assert any(i.label == "stroke L" for i in found) == any(
        i.label == "stroke L" for i in gesture_phases(show.body)
    )


def test_noise_of_a_centimetre_leaves_most_strokes(show):
    places = places_of(show.body)
    finder = GesturePhases(60)
    found = finder.push_places(places + rng(3, "noise").normal(0, 0.01, places.shape)) + finder.finish()
    clean = [i for i in gesture_phases(show.body) if i.label.startswith("stroke")]
    again = [i for i in found if i.label.startswith("stroke")]
    assert (
        np.mean([any(abs(i.start - o.start) < 0.2 and i.label == o.label for o in again) for i in clean])
        > 0.7
    )


def test_places_are_those_named(show):
    places = places_of(show.body)
    assert places.shape == (len(show.body), len(PLACES), 3)
    assert np.allclose(places[:, PLACES.index("hips")], show.body.root, atol=1e-5)


def test_another_skeleton_is_refused():
    bones = Skeleton(("a", "b"), (-1, 0), np.zeros((2, 3)))
    with pytest.raises(DataError, match="55 canonical"):
        gesture_phases(Motion(bones, np.tile([1.0, 0, 0, 0], (3, 2, 1)), np.zeros((3, 3)), 30))


def test_a_real_speaker_holds_slower_than_he_strokes(shared_data):
    path = shared_data("nc-beat2_scott") / "2_scott_0_1_1_f0-1320.npz"
    from kinesics.formats import load

    body = load(path).body
    found = gesture_phases(body)
    strokes = [i for i in found if i.label.startswith("stroke")]
    assert 10 < len(strokes) / 2 / body.duration * 60 < 60
    places = places_of(body)
    speeds: dict[str, list[float]] = {"stroke": [], "post-stroke hold": [], "preparation": []}
    for i in found:
        phase, side = plain(i.label)
        if phase in speeds:
            name = {"L": "leftHand", "R": "rightHand"}[side]
            wrist = places[:, PLACES.index(name)] - places[:, 0]
            span = wrist[round(i.start * 30) : round(i.end * 30)]
            speeds[phase].append(float(np.linalg.norm(np.diff(span, axis=0), axis=1).mean() * 30))
    assert np.mean(speeds["post-stroke hold"]) < 0.7 * np.mean(speeds["stroke"])
    assert np.mean(speeds["stroke"]) < np.mean(speeds["preparation"])
