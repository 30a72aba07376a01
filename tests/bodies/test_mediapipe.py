"""The 478 points lie on the head where their numbers say, on everybody."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.arkit import INDEX as COLUMN
from kinesics.bodies.avatar import load_avatar, skin
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.ibug import VERTICES
from kinesics.bodies.mediapipe import COUNT, IRIS_LEFT, IRIS_RIGHT, on_head
from kinesics.geometry import rotations as rot

REST = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))
SAME = {33: 36, 133: 39, 362: 42, 263: 45, 61: 48, 291: 54, 1: 30, 78: 60, 308: 64}
"""Point of the mesh → the iBUG landmark at the same spot: corners of the eyes and lips, tip of the nose."""


@pytest.fixture(params=["maya", "theo"])
def person(request):
    return load_avatar(request.param)


def test_points_lie_where_the_68_landmarks_of_the_same_name_lie(person):
    points = on_head(person.vertices)
    assert points.shape == (COUNT, 3)
    eyes = np.linalg.norm(person.joints[INDEX["leftEye"]] - person.joints[INDEX["rightEye"]])
    for mine, theirs in SAME.items():
        assert np.linalg.norm(points[mine] - person.vertices[VERTICES[theirs]]) < 0.13 * eyes, mine
    middle = [10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 13, 14, 17, 152]
    assert np.abs(points[middle, 0]).max() < 0.002
    assert (np.diff(points[middle, 1]) < 0.004).all(), "from the top of the forehead to the chin"


def test_lips_part_and_lids_close(person):
    def gap(up: int, low: int, **weights: float) -> float:
        face = np.zeros(52, np.float32)
        for name, value in weights.items():
            face[COLUMN[name]] = value
        points = on_head(skin(person, REST, weights=face))
        return float(np.linalg.norm(points[up] - points[low]))

    assert gap(13, 14, jawOpen=0.6) > gap(13, 14) + 0.01
    for up, low, side in ((159, 145, "Right"), (386, 374, "Left")):
        assert gap(up, low, **{f"eyeBlink{side}": 1.0}) < 0.35 * gap(up, low)


def test_irises_turn_with_the_eyes(person):
    pose = REST.copy()
    turn = rot.from_axis_angle(np.array([0, 1.0, 0]), np.radians(20))
    pose[[INDEX["leftEye"], INDEX["rightEye"]]] = turn
    rest, turned = on_head(skin(person, REST)), on_head(skin(person, pose))
    for iris, eye in ((IRIS_RIGHT, "rightEye"), (IRIS_LEFT, "leftEye")):
        away = rest[iris][0] - person.joints[INDEX[eye]]
        now = turned[iris][0] - person.joints[INDEX[eye]]
        np.testing.assert_allclose(now, rot.rotate(turn, away), atol=2e-4)
        x, y = rest[iris][1:, 0] - rest[iris][0, 0], rest[iris][1:, 1] - rest[iris][0, 1]
        x = x if eye == "rightEye" else -x  # both begin towards the nose
        assert x[0] > 0.004 and x[2] < -0.004 and y[1] > 0.004 and y[3] < -0.004  # noqa: PT018 - one picture
    np.testing.assert_allclose(turned[:468], rest[:468], atol=1e-3)
