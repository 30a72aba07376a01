"""Labanotation: read from the suite's own library, performed, and written again."""

from __future__ import annotations

import contextlib
import json
import logging

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.behaviour.perform import perform
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError, FormatError
from kinesics.formats import labanotation
from kinesics.formats.labanotation import angles, vector
from kinesics.geometry import rotations as rot
from kinesics.performance import Interval, Performance, Tier
from kinesics.performance.gesture import direction, inline_gesture

LIMBS = ("right elbow", "right wrist", "left elbow", "left wrist")


def frame(ms: object = 1, **limbs: list[str]) -> dict:
    row = {
        "start time": [str(ms)],
        "duration": ["0"],
        "head": ["Forward", "Normal"],
        "rotation": ["ToRight", "0"],
    }
    row |= {limb: ["Place", "Low"] for limb in LIMBS}
    return row | {k.replace("_", " "): v for k, v in limbs.items()}


def save(path, positions: dict, name: str = "hello"):
    path.write_text(json.dumps({name: positions}), encoding="utf-8")
    return path


def said(label: str) -> dict[str, tuple[str, str]]:
    return {k: tuple(v.split(",")) for k, v in (p.split("=") for p in label.split("; ")[1:])}


def test_directions_are_those_of_labanotation():
    assert angles(("Forward", "Normal")) == (0, 0)
    assert vector(("Place", "High")) == pytest.approx((0, 1, 0), abs=1e-9)
    assert vector(("Left", "Normal")) == pytest.approx((1, 0, 0), abs=1e-9)
    # Low is 45° below the horizontal, for diagonals as well.
    assert vector(("Right Backward", "Low")) == pytest.approx((-0.5, -(0.5**0.5), -0.5))
    assert vector(("Place", "Normal")) is None


def test_key_frames_become_one_gesture_with_a_form_of_its_own(tmp_path):
    up = frame(
        1500, right_elbow=["Right", "Normal"], right_wrist=["Place", "High"], head=["Left Forward", "Low"]
    )
    path = save(tmp_path / "x.laban.json", {"Position0": frame(), "Position1": up, "Position2": frame(2500)})
    show = formats.load(path)
    gesture = show.plan.of("gesture")[0]
    assert gesture.attributes["lexeme"] == "hello"
    assert [gesture.sync[k].offset for k in ("strokeStart", "strokeEnd")] == pytest.approx([1.0, 3.499])
    form = inline_gesture(gesture.attributes)
    assert form is not None
    # The right arm leads: its right is away from the midline.
    assert direction(form.poses[1].upper) == pytest.approx((1, 0, 0))
    assert direction(form.poses[1].lower) == pytest.approx((0, 1, 0))
    assert direction(form.other[1].upper) == pytest.approx((0, -1, 0))
    shares = [m.share for m in form.moves]
    assert shares[0] / shares[1] == pytest.approx(1.499, rel=1e-3)
    head = show.plan.of("headDirectionShift")[0]
    assert head.attributes["target"] == "45,-45"
    assert head.sync["end"].offset == pytest.approx(2.7, abs=0.01)
    assert [i.start for i in show["laban"]] == pytest.approx([1.0, 2.499, 3.499])
    assert formats.load(path, lead=0.0)["laban"][0].start == 0


def test_several_gestures_follow_each_other(tmp_path):
    path = tmp_path / "two.laban.json"
    two = {
        "a": {"Position0": frame(), "Position1": frame(1001)},
        "b": {"Position0": frame(), "Position1": frame(501)},
    }
    path.write_text(json.dumps(two))
    plan = formats.load(path).plan
    assert [b.attributes["lexeme"] for b in plan.of("gesture")] == ["a", "b"]
    assert [b.sync["strokeStart"].offset for b in plan.of("gesture")] == pytest.approx([1, 3])


def test_times_missing_or_out_of_order_are_mended_and_told(tmp_path, caplog):
    rows = {
        "Position0": frame(),
        "Position1": frame(2000),
        "Position2": frame(-500),
        "Position3": frame(3000),
    }
    last = frame()
    del last["start time"]
    with caplog.at_level(logging.WARNING):
        show = formats.load(save(tmp_path / "x.laban.json", rows | {"Position4": last}))
    assert [i.start for i in show["laban"]] == pytest.approx([1, 2.999, 3.499, 3.999, 4.499])
    mended = show.meta["labanotation"]["mended"]
    assert "-500 ms" in mended[0]
    assert "no time" in mended[1]
    assert "-500 ms" in caplog.text


def test_what_is_written_is_read_alike(tmp_path, shared_data):
    for name in ("hello", "beat_rotate", "dummy"):
        first = formats.load(shared_data("free-labanotation_gestures") / "library" / f"{name}.json")
        first.save(tmp_path / "again.laban.json")
        again = formats.load(tmp_path / "again.laban.json")
        assert again["laban"].labels == first["laban"].labels
        assert [i.start for i in again["laban"]] == pytest.approx([i.start for i in first["laban"]], abs=2e-3)
        assert [b.attributes["poses"] for b in again.plan.of("gesture")] == [
            b.attributes["poses"] for b in first.plan.of("gesture")
        ]
    with pytest.raises(DataError, match="laban"):
        Performance().save(tmp_path / "none.laban.json")
    with pytest.raises(DataError, match="no key frame"):
        Performance({"laban": Tier("laban", [Interval(0, 1, "up")])}).save(tmp_path / "none.laban.json")
    assert not (tmp_path / "none.laban.json").exists()


def test_arms_point_as_the_library_says(shared_data):
    """All gestures of the suite's library, performed: how far limbs are from where each key frame says."""
    files = sorted((shared_data("free-labanotation_gestures") / "library").glob("*.json"))
    assert len(files) == 84
    off = []
    for path in files[::3]:
        show = formats.load(path)
        made = perform(plan=show.plan, progress=False)
        assert not [f for f in made.plan.feedback if f.status in ("dropped", "unknown")]
        body = made.body
        for item in show["laban"]:
            i = round(item.start * 60)
            places, world = body.skeleton.forward(body.rotations[i].astype(float), body.root[i].astype(float))
            chest = rot.conjugate(world[INDEX["upperChest"]])
            words = said(item.label)
            for limb in LIMBS:
                asked = vector(words[limb])
                side, joint = limb.split()
                ends = ("UpperArm", "LowerArm") if joint == "elbow" else ("LowerArm", "Hand")
                way = places[INDEX[side + ends[1]]] - places[INDEX[side + ends[0]]]
                if asked is not None:
                    seen = rot.rotate(chest, way / np.linalg.norm(way))
                    off.append(np.degrees(np.arccos(np.clip(seen @ np.array(asked), -1, 1))))
    assert np.median(off) < 11
    assert np.percentile(off, 90) < 15
    assert max(off) < 22.5


def test_json_of_others_is_not_taken_for_it(tmp_path):
    other = tmp_path / "x.json"
    for text in ('{"hello": [1, 2]}', "[]", "\x00\xff", '{"people": {"Position0": 3}}'):
        other.write_text(text, encoding="latin-1")
        assert not labanotation.FORMAT.recognises(other)
    save(other, {"Position0": frame()})
    assert labanotation.FORMAT.recognises(other)
    assert not labanotation.FORMAT.recognises(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("positions", "complaint"),
    [
        ({}, "key frames"),
        ({"Position0": 3}, "key frame"),
        ({"Position0": frame(right_elbow=["Sideways", "Low"])}, "Sideways"),
        ({"Position0": frame(right_elbow=["Left", "Lower"])}, "Lower"),
        ({"Position0": frame(right_elbow="Left")}, "two words"),
        ({"Position0": frame(rotation=["ToRight", "nan"])}, "ToLeft"),
        ({"Position0": frame("soon")}, "milliseconds"),
        ({"Position0": frame("1e300")}, "milliseconds"),
        ({"Position0": frame() | {"start time": [10**400]}}, "milliseconds"),
        ({"Position0": frame() | {"duration": None}}, "milliseconds"),
        ({"Position0": {"start time": ["1"]}}, "right elbow"),
        ({f"Position{i}": frame(i) for i in range(400)}, "300"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, positions, complaint):
    with pytest.raises(FormatError, match=complaint):
        formats.load(save(tmp_path / "x.laban.json", positions))


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "{}", '{"a": {"Position0": null}}', "[" * 50_000, "\x00" * 9]
)
def test_no_json_no_gestures(tmp_path, text):
    path = tmp_path / "x.laban.json"
    path.write_text(text)
    with pytest.raises(FormatError):
        formats.load(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=9) | st.just("Left"),
    lambda x: (
        st.lists(x, max_size=3)
        | st.dictionaries(st.sampled_from([*frame(), "Position0", "x"]), x, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.sampled_from(list(frame())), value=JSON, cut=st.integers(0, 400))
def test_whatever_is_in_the_file_it_is_read_or_refused(tmp_path, part, value, cut):
    path = tmp_path / "x.laban.json"
    text = json.dumps({"a": {"Position0": frame(), "Position1": frame(900) | {part: value}}})
    path.write_text(text[:-cut] if cut < 40 and cut else text)
    with contextlib.suppress(FormatError):
        assert len(formats.load(path)["laban"]) == 2
