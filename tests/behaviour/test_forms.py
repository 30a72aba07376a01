"""Gestures that state their own form: performed as written, arms that point as they are told."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from behaviour.adult import adult
from kinesics.behaviour.body import FPS, Body
from kinesics.behaviour.controls import Controls
from kinesics.behaviour.handshapes import shape
from kinesics.behaviour.lexicon import lexicon
from kinesics.behaviour.merging import Merger, parts
from kinesics.bodies.hand import LIMITS_HIGH, LIMITS_LOW
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.performance import Behaviour, Plan
from kinesics.performance.gesture import MODIFIERS, SHAPES, direction

SKELETON = adult()


def form(poses: str, *, id: str = "g", sync: dict[str, object] | None = None, **more: str) -> Behaviour:
    times = {"stroke": 2.0} if sync is None else sync
    return Behaviour(id, "gesture", {k: str(v) for k, v in times.items()}, {"poses": poses, **more})


def body(**controls: object) -> Body:
    return Body(SKELETON, Controls(seed=1, **controls))  # type: ignore[arg-type]


def limbs(b: Body, second: float, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Directions of upper arm and forearm in the chest's frame, as a left arm's."""
    i = round(second * FPS)
    r, root = b.frames(i, i + 1)
    places, world = SKELETON.forward(r.astype(float), root.astype(float))
    joints = [places[0, INDEX[side + n]] for n in ("UpperArm", "LowerArm", "Hand")]
    out = []
    for a, c in pairwise(joints):
        way = rot.rotate(rot.conjugate(world[0, INDEX["upperChest"]]), (c - a) / np.linalg.norm(c - a))
        out.append(way * [1 if side == "left" else -1, 1, 1])
    return out[0], out[1]


def degrees(a: np.ndarray, text: str) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ np.array(direction(text)), -1, 1))))


@pytest.mark.parametrize("lexeme", ["STOP", "WAVE", "CLAP", "SHRUG", "MONEY"])
def test_a_stated_form_is_performed_as_the_lexicons_is(lexeme):
    known, stated = body(), body()
    known.add([Behaviour("g", "gesture", {"stroke": "2"}, {"lexeme": lexeme})], 0.0)
    told = stated.add([Behaviour("g", "gesture", {"stroke": "2"}, lexicon()[lexeme].attributes())], 0.0)
    assert told[0].status == "realised"
    for a, c in zip(known.frames(0, 240), stated.frames(0, 240), strict=True):
        assert np.abs(a - c).max() < 1e-4


def test_a_form_that_is_wrong_is_dropped_and_says_why():
    wrong = form("flap @ chest")
    told = body().add([wrong], 0.0)[0]
    assert told.status in ("dropped", "unknown")
    assert "flap" in told.reason
    merger = Merger(Plan((wrong,)))
    assert merger.behaviours == []
    assert "flap" in merger.feedback[0].reason
    assert Merger(Plan((form("flat @ chest"),))).feedback == []


def test_forms_of_both_hands_keep_planned_gestures_off_both():
    assert parts(form("flat @ chest", hands="both")) == {"left hand", "right hand"}
    assert parts(form("flat @ chest")) == {"right hand"}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ("down", "forward"),
        ("out", "up"),
        ("forward", "in-forward"),
        ("down-out", "in-forward"),
        ("up-out", "up-in"),
        ("forward", "forward"),
        ("out", "out"),
        ("up", "up"),
        ("0.5,-0.707,0.5", "-0.5,0.707,0.5"),
        ("down-back", "down-forward"),
    ],
)
def test_arms_point_as_they_are_told(upper, lower, side):
    b = body(handedness=side)
    assert b.add([form(f"relaxed upper:{upper} lower:{lower}", hold="1")], 0.0)[0].status == "realised"
    above, below = limbs(b, 2.1, side)
    # Elbows are never locked: a straight arm keeps a little bend.
    most = 13 if upper == lower else 8
    assert degrees(above, upper) < most
    assert degrees(below, lower) < most


def test_an_elbow_bends_no_farther_than_elbows_do():
    b = body()
    told = b.add([form("relaxed upper:out lower:in", hold="1")], 0.0)[0]
    assert "joint limits keep it 30°" in told.reason
    above, below = limbs(b, 2.1, "right")
    assert np.degrees(np.arccos(above @ below)) < 160


def test_key_frames_come_at_their_times():
    b = body()
    poses = "relaxed upper:down lower:forward | relaxed upper:out lower:up | relaxed upper:forward lower:up"
    sync = {"strokeStart": 1.5, "stroke": 4.5, "strokeEnd": 4.5}
    assert b.add([form(poses, moves="straight /1 | straight /2", sync=sync)], 0.0)[0].status == "realised"
    for second, upper, lower in ((1.5, "down", "forward"), (2.5, "out", "up"), (4.5, "forward", "up")):
        above, below = limbs(b, second, "right")
        assert max(degrees(above, upper), degrees(below, lower)) < 8
    # Between key frames a limb swings; it does not fold up on the straight way of the hand.
    above, below = limbs(b, 2.0, "right")
    assert degrees(above, "down-out") < 25


def test_an_arm_swings_up_stretched():
    b = body()
    sync = {"strokeStart": 1.5, "stroke": 2.7, "strokeEnd": 2.7}
    b.add([form("relaxed upper:down lower:down | relaxed upper:up lower:up", sync=sync)], 0.0)
    for second in (1.8, 2.0, 2.1, 2.3):
        above, below = limbs(b, second, "right")
        assert np.degrees(np.arccos(np.clip(above @ below, -1, 1))) < 50


def test_key_frames_that_no_arm_can_keep_come_late_and_say_so():
    b = body()
    sync = {"strokeStart": 1.5, "stroke": 1.65, "strokeEnd": 1.65}
    told = b.add([form("relaxed upper:down lower:down | relaxed upper:up lower:up", sync=sync)], 0.0)[0]
    assert told.status == "shifted"
    assert "late" in told.reason
    frames = np.arange(80, 150)
    r, root = b.frames(frames[0], frames[-1] + 1)
    hand = SKELETON.forward(r.astype(float), root.astype(float))[0][:, INDEX["rightHand"]]
    assert np.linalg.norm(np.diff(hand, axis=0), axis=1).max() * FPS < 6.5
    above, _ = limbs(b, 2.5, "right")
    assert above[1] > 0.9 or hand[:, 1].max() > 1.7


def test_a_hand_lies_on_the_other():
    b = body()
    leading = "point palm:down fingers:in-forward part:index @ on:palm touch"
    b.add(
        [form(leading, other="flat palm:up fingers:in-forward @ stomach inside mid", exact="true", hold="1")],
        0.0,
    )
    r, root = b.frames(122, 123)
    places, world = SKELETON.forward(r.astype(float), root.astype(float))
    left, right = b.figure.hand["left"], b.figure.hand["right"]
    palm = places[0, INDEX["leftHand"]] + rot.rotate(world[0, INDEX["leftHand"]], left.centre)
    flip = np.array([1, 1, -1, -1])
    tip = rot.rotate(world[0, INDEX["rightHand"]] * flip, right.part("index", shape("point").ravel())[0])
    assert np.linalg.norm(places[0, INDEX["rightHand"]] + tip * [-1, 1, 1] - palm) < 0.04


def test_exact_forms_are_not_made_smaller():
    """A repeated far way in no time takes longer instead."""
    b = body()
    poses = "fist palm:down fingers:forward @ stomach wide mid | @ chest contra mid"
    sync = {"strokeStart": 2, "stroke": 2.2, "strokeEnd": 2.2}
    told = b.add([form(poses, exact="true", sync=sync)], 0.0)[0]
    assert told.status == "shifted"
    p = SKELETON.forward(*(a.astype(float) for a in b.frames(118, 170)))[0][:, INDEX["rightHand"]]
    assert np.abs(np.diff(p[:, 0])).sum() > 0.35


def test_the_named_hand_leads_whoever_performs():
    for handedness in ("left", "right"):
        b = body(handedness=handedness)
        b.add(
            [
                form(
                    "relaxed upper:out lower:up",
                    other="relaxed upper:down lower:down",
                    leads="right",
                    hold="1",
                )
            ],
            0.0,
        )
        assert degrees(limbs(b, 2.1, "right")[1], "up") < 10
        assert limbs(b, 2.1, "left")[1][1] < -0.9


@pytest.mark.parametrize("name", SHAPES)
def test_modified_shapes_are_ones_that_hands_can_make(name):
    for modifier in MODIFIERS:
        for digits in ("", ".2", ".345", ".1"):
            angles = shape(f"{name}+{modifier}{digits}" if digits != ".1" or modifier != "meets" else name)
            assert (angles >= LIMITS_LOW - 1e-9).all()
            assert (angles <= LIMITS_HIGH + 1e-9).all()


def test_modifiers_change_what_they_name():
    fist, horns = shape("fist"), shape("fist+out.25")
    assert horns[[0, 2], 1].max() < 10
    assert (horns[[1, 3]] == fist[[1, 3]]).all()
    assert shape("flat+hooked")[0, 2] > 70 > shape("flat+straightbent")[0, 2]
    assert shape("flat+straightbent")[0, 1] > 60 > shape("flat+hooked")[0, 1]
    assert shape("point+thumbout")[4, 1] > shape("point+thumbacross")[4, 1]
    assert np.allclose(shape("flat~fist"), 0.5 * (shape("flat") + shape("fist")))
    with pytest.raises(DataError, match="curly"):
        shape("flat+curly")
