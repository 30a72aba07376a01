"""What a page is told of a moment."""

from __future__ import annotations

import json

import pytest

from kinesics.performance import Performance, Scene
from kinesics.reading.live import told
from tests.reading.scenes import person


def test_a_moment_is_told_in_plain_values():
    (ann,) = told(Scene({"ann": person(40)}), 0.5)["people"]
    assert (ann["name"], ann["box"], ann["expression"], ann["confidence"]) == (
        "ann",
        [40, 80, 100, 140],
        "happy",
        0.8,
    )
    assert ann["face"][2 * 468 : 2 * 468 + 2] == [60, 100]
    assert ann["gaze"] == pytest.approx({"yaw": 30, "pitch": 0})
    assert ann["units"] == [["AU12", "lip corner puller", 0.6]]
    assert ann["events"] == [["blinks", "blink", 0.4, 0.6, 1.0]]
    assert ann["reasons"].startswith("AU12")
    json.dumps(ann, allow_nan=False)


def test_what_is_not_sure_is_not_told():
    (ann,) = told(Scene({"ann": person(40, sure=0.1)}), 0.5)["people"]
    assert ann["box"] == ann["face"] == ann["hands"] == ann["units"] == []
    assert ann["gaze"] is None
    (nobody,) = told(Scene({"ann": Performance()}), 0.5)["people"]
    assert (nobody["expression"], nobody["events"], nobody["curves"], nobody["mirror"]) == (
        None,
        [],
        [],
        None,
    )
