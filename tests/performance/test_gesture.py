"""The gesture notation: what is written is read again, and what is wrong is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.errors import DataError
from kinesics.performance.gesture import (
    DISTANCES,
    HEIGHTS,
    MODIFIERS,
    NATURAL,
    PARTS,
    SHAPES,
    SIDES,
    Gesture,
    Move,
    Pose,
    direction,
    inline_gesture,
    parse_poses,
    split_shape,
    written_direction,
)

VECTORS = st.tuples(*[st.sampled_from([-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0])] * 3).filter(any)
DIRECTIONS = VECTORS.map(written_direction)
SHAPE = st.builds(
    lambda base, words: "+".join([base, *words]),
    st.sampled_from(SHAPES),
    st.lists(st.builds(lambda m, d: m + d, st.sampled_from(MODIFIERS), st.sampled_from(["", ".2", ".35", ".12345"])), max_size=3),
)  # fmt: skip
PLACED = st.builds(
    Pose,
    SHAPE,
    DIRECTIONS,
    DIRECTIONS,
    st.sampled_from(HEIGHTS),
    st.sampled_from(SIDES),
    st.sampled_from(DISTANCES),
    st.sampled_from([1.0, 0.5]),
    st.tuples(*[st.sampled_from([0.0, 0.125, -0.03])] * 3),
    st.sampled_from(["", *PARTS[:12]]),
)
LIMBS = st.builds(
    lambda shape, upper, lower, hand: Pose(shape, *hand, upper=upper, lower=lower),
    SHAPE,
    DIRECTIONS,
    DIRECTIONS,
    st.sampled_from([(NATURAL, NATURAL), ("up", "forward")]),
)


@given(VECTORS)
def test_directions_are_written_as_they_are_read(vector):
    length = sum(c * c for c in vector) ** 0.5
    assert direction(written_direction(vector)) == pytest.approx([c / length for c in vector], abs=2e-3)


@given(st.lists(PLACED | LIMBS, min_size=1, max_size=5))
def test_poses_are_written_as_they_are_read(poses):
    base = None
    for pose in poses:
        base = Pose.parse(str(pose), base)
        assert str(base) == str(pose)
        seen = ["shape", "palm", "fingers", "tightness", "part", "upper", "lower"]
        seen += [] if pose.upper else ["height", "side", "distance", "offset"]
        assert all(getattr(base, name) == getattr(pose, name) for name in seen)


def test_what_a_pose_leaves_out_is_as_before():
    first = Pose.parse("fist palm:down fingers:forward part:thumb @ chin centre touch +0,0,0.1")
    assert Pose.parse("flat", first).offset == (0, 0, 0.1)
    assert Pose.parse("flat", first).part == "thumb"
    assert Pose.parse("@ chest", first) == Pose("fist", "down", "forward", "chest", "centre", "touch")
    arm = Pose.parse("upper:down lower:forward", first)
    assert (arm.palm, arm.fingers) == (NATURAL, NATURAL)
    assert Pose.parse("@ chest", arm).palm == "in"
    assert Pose.parse("palm:up fingers:forward upper:down lower:forward").palm == "up"


def test_a_gesture_is_carried_by_attributes():
    poses = parse_poses(
        [
            "flat palm:in fingers:forward @ chest ipsi mid",
            "fist+out.2 palm:up fingers:in @ on:palm close",
        ]
    )
    moves = (Move("circle", 3, 0.08, 0.5, "up", "out"),)
    made = Gesture("X", "emblem", poses, moves, "both", poses, True, 1.5, 0.4,
                   extra={"apex": "0.5", "hand": "left"}, other_moves=(Move("arc-up-out", 2, 0.1),), exact=True)  # fmt: skip
    again = inline_gesture(made.attributes())
    assert again == made
    assert inline_gesture({"lexeme": "WAVE"}) is None


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"poses": ""}, "no pose"),
        ({"poses": "flap @ chest"}, "flap"),
        ({"poses": "flat+wavy @ chest"}, "wavy"),
        ({"poses": "flat+hooked.9 @ chest"}, "no modifier"),
        ({"poses": "flat*nan @ chest"}, "number"),
        ({"poses": "flat @ chest +0,0,inf"}, "numbers from"),
        ({"poses": "flat palm:0,0,0 @ chest"}, "cancels"),
        ({"poses": "flat upper:up"}, "both"),
        ({"poses": "flat upper:up lower:up @ chest"}, "either limbs"),
        ({"poses": "flat upper:up lower:up palm:natural fingers:up"}, "neither"),
        ({"poses": "flat palm:natural @ chest"}, "natural"),
        ({"poses": "flat part:elbow @ chest"}, "elbow"),
        ({"poses": "flat @ on:nose"}, "nose"),
        ({"poses": "flat @ chest | @ waist", "moves": "straight | straight"}, "moves"),
        ({"poses": "flat @ chest | @ waist", "moves": "circle from:up"}, "belong together"),
        ({"poses": "flat @ chest | @ waist", "moves": "circle from:up to:up"}, "square"),
        ({"poses": "flat @ chest | @ waist", "moves": ""}, "exact"),
        ({"poses": "flat @ chest", "other": "flat @ chest | @ waist"}, "other"),
        ({"poses": "flat @ chest | @ waist", "otherMoves": "circle"}, "of its own"),
        ({"poses": "flat @ chest", "seconds": "soon"}, "soon"),
        ({"poses": "flat @ chest", "seconds": "1e9"}, "seconds|stroke"),
        ({"poses": "flat @ chest", "leads": "third"}, "third"),
        ({"poses": " | ".join(["flat @ chest"] * 500)}, "at most"),
        ({"poses": "~".join(["flat"] * 9) + " @ chest"}, "at most 4"),
    ],
)
def test_what_is_wrong_with_a_form_is_named(attributes, complaint):
    if complaint == "exact":
        attributes, complaint = attributes | {"exact": "yes"}, "yes"
    with pytest.raises(DataError, match=complaint) as error:
        inline_gesture(attributes)
    assert error.match("the form of gesture 'FORM'")


def test_shapes_say_which_digits():
    assert split_shape("fist+out.25+thumbout") == ("fist", (("out", (2, 5)), ("thumbout", ())))
