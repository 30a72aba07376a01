"""Touches that gestures make, and those they do not."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics import perform
from kinesics.errors import DataError
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Behaviour, Motion, Plan, Sync
from kinesics.see.self_touch import HEAD_PARTS, TARGETS, SelfTouch, gaps, self_touch


def gesture(lexeme: str, mode: str = "", avatar: str = "maya") -> Motion:
    attributes = {"lexeme": lexeme} | ({"mode": mode} if mode else {})
    behaviour = Behaviour("g", "gesture", {"stroke": Sync(2.0)}, attributes)
    return perform(plan=Plan((behaviour,), (), "REPLACE"), avatar=avatar, seed=1, progress=False).body


@pytest.mark.parametrize("avatar", ["maya", "theo"])
@pytest.mark.parametrize(
    ("lexeme", "mode", "parts"),
    [
        ("HAND_ON_HEART", "LEFT_HAND", {"torso"}),
        ("HAND_ON_HEART", "RIGHT_HAND", {"torso"}),
        ("QUIET", "LEFT_HAND", {"mouth", "nose", "chin"}),
        ("CHIN", "RIGHT_HAND", {"chin", "mouth", "neck", "cheek"}),
    ],
)
def test_gestures_that_touch_are_told_with_hand_and_part(lexeme, mode, parts, avatar):
    found = self_touch(gesture(lexeme, mode, avatar))
    during = [i.label for i in found if i.start < 2.4 and i.end > 1.9 and i.label != "hands"]
    assert during
    assert {label.split()[0] for label in during} <= parts
    assert {label[-1] for label in during} == {mode[0]}


@pytest.mark.parametrize("lexeme", ["WAVE", "BIG", "STOP"])
def test_gestures_in_the_air_touch_nothing(lexeme):
    during = [i for i in self_touch(gesture(lexeme)) if i.start < 2.2 and i.end > 1.9]
    assert during == []


def test_gaps_are_the_same_wherever_the_body_stands():
    body = gesture("CHIN", "LEFT_HAND").slice(1.5, 2.5)
    moved = Motion(body.skeleton, body.rotations, body.root + np.array([2.0, 0.4, -1]), 60)
    (a, p), (b, q) = gaps(body), gaps(moved)
    assert a.shape == (len(body), 2, len(TARGETS))
    assert np.allclose(a, b, atol=1e-4)
    assert np.array_equal(p, q)
    assert p.max() < len(HEAD_PARTS)


def test_touches_do_not_depend_on_how_the_stream_is_cut():
    body = gesture("HAND_ON_HEART", "RIGHT_HAND")
    finder, cut = SelfTouch(60), []
    for a in range(0, len(body), 17):
        cut += finder.push(
            Motion(body.skeleton, body.rotations[a : a + 17], body.root[a : a + 17], 60, start=a / 60)
        )
    cut += finder.finish()
    assert sorted(cut, key=lambda i: (i.start, i.end)) == list(self_touch(body))


def test_a_hand_that_was_lost_is_unknown():
    body = gesture("HAND_ON_HEART", "RIGHT_HAND")
    found = self_touch(body, np.tile([1.0, 0.2], (len(body), 1)))
    assert all(i.label == "unknown" for i in found)
    assert len(found)


def test_another_skeleton_is_refused():
    bones = Skeleton(("a", "b"), (-1, 0), np.zeros((2, 3)))
    with pytest.raises(DataError, match="55 canonical"):
        self_touch(Motion(bones, np.tile([1.0, 0, 0, 0], (3, 2, 1)), np.zeros((3, 3)), 30))
