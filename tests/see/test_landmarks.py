"""Points of faces, hands and bodies against the truth of the stage."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("av")

from kinesics.bodies.avatar import skin
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.mediapipe import on_head
from kinesics.see import models
from kinesics.see.crops import Region
from kinesics.see.detectors import Detector
from kinesics.see.landmarks import LEFT_IRIS, RIGHT_IRIS, FaceMesh, PoseMesh, face_region, pose_region
from kinesics.see.names import POSE
from tests.faces import REST, portrait

pytestmark = pytest.mark.skipif(not models.available(), reason="landmark models have not been fetched")
CORNERS = [33, 263]


def looked(image: np.ndarray) -> np.ndarray:
    """(478, 3) of the one face in a picture."""
    found = Detector("face", threads=1)(image)
    assert len(found) == 1
    mesh = FaceMesh(threads=1)
    first = mesh(image, face_region(found.boxes[0], found.points[0]))
    assert first.score > 0.9
    return mesh(image, first.region).points


@pytest.fixture(scope="module")
def picture():
    person, camera, shot = portrait()
    true, _ = camera.project(on_head(skin(person, REST)))
    return shot.rgb, true.astype(np.float32), shot


@pytest.fixture(scope="module")
def points(picture):
    return looked(picture[0])


def error(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Distances as shares of that between the eyes' outer corners."""
    size = np.linalg.norm(true[CORNERS[0], :2] - true[CORNERS[1], :2])
    return np.linalg.norm(found[:, :2] - true[:, :2], axis=1) / size


def test_the_mesh_lies_on_the_face(picture, points):
    away = error(points, picture[1])
    assert np.median(away) < 0.05
    assert away[CORNERS].max() < 0.06


def test_irises_are_found(picture, points):
    away = error(points, picture[1])
    assert away[[RIGHT_IRIS, LEFT_IRIS]].max() < 0.06


def test_the_nose_is_nearest(points):
    assert points[[1, 4], 2].max() < points[[234, 454, 152], 2].min()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_picture_turns_the_points(picture, points, turns):
    size = picture[0].shape[0]
    # Detectors know upright faces; the mesh takes a face at any angle once its region is known.
    x, y = points[:468, 0], points[:468, 1]
    middle = np.array([x.max() + x.min(), y.max() + y.min()]) / 2 - size / 2
    c, s = [(1, 0), (0, -1), (-1, 0), (0, 1)][turns]
    turned = np.array([[c, -s], [s, c]])
    where = turned @ middle + size / 2
    region = Region(*where, 1.5 * float(max(np.ptp(x), np.ptp(y))), -turns * np.pi / 2)
    found = FaceMesh(threads=1)(np.ascontiguousarray(np.rot90(picture[0], turns)), region).points
    expected = (points[:, :2] - size / 2) @ turned.T + size / 2
    assert np.median(error(found, np.c_[expected, points[:, 2]])) < 0.03


def test_a_mirrored_picture_mirrors_the_points(picture, points):
    width = picture[0].shape[1]
    found = looked(np.ascontiguousarray(picture[0][:, ::-1]))
    mirrored = found.copy()
    mirrored[:, 0] = width - found[:, 0]
    pairs = [(33, 263), (133, 362), (61, 291), (RIGHT_IRIS, LEFT_IRIS), (1, 1), (152, 152)]
    for one, other in pairs:
        assert np.linalg.norm(mirrored[one, :2] - points[other, :2]) < 0.04 * np.ptp(points[:468, 1])


def test_grey_is_enough(picture):
    grey = np.repeat(picture[0].mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert np.median(error(looked(grey), picture[1])) < 0.05


def test_an_empty_picture_holds_nobody():
    for kind in ("face", "far_face", "palm", "pose"):
        assert len(Detector(kind, threads=1)(np.full((90, 160, 3), 128, np.uint8))) == 0


def test_a_body_stands_where_it_stands():
    _, _, shot = portrait(1, "body", 320)
    people = Detector("pose", threads=1)(shot.rgb)
    assert len(people) == 1
    mesh = PoseMesh(threads=1)
    found = mesh(shot.rgb, mesh(shot.rgb, pose_region(people.points[0])).region)
    height = np.ptp(shot.joints[:, 1])
    pairs = {
        "left_shoulder": "leftUpperArm", "right_shoulder": "rightUpperArm", "left_wrist": "leftHand",
        "right_wrist": "rightHand", "left_hip": "leftUpperLeg", "right_knee": "rightLowerLeg", "left_ankle": "leftFoot",
    }  # fmt: skip
    for name, joint in pairs.items():
        away = np.linalg.norm(found.points[POSE.index(name), :2] - shot.joints[INDEX[joint]])
        assert away < 0.06 * height, name
    # Metres, y down: shoulders are above hips, and a person is as wide as one.
    assert found.world[11, 1] < found.world[23, 1]
    assert 0.25 < np.linalg.norm(found.world[11] - found.world[12]) < 0.5


@pytest.mark.parametrize(("away", "scale"), [(0.0, 1.35), (0.12, 1.0), (-0.1, 0.8)])
def test_a_body_that_is_looked_for_elsewhere_is_found_where_it_stays(away, scale):
    image = portrait(1, "body", 320)[2].rgb
    mesh = PoseMesh(threads=1)
    at = mesh(image, pose_region(Detector("pose", threads=1)(image).points[0])).region
    first = mesh(image, Region(at.x + away * at.size, at.y, scale * at.size))
    later = first
    for _ in range(5):
        later = mesh(image, later.region)
    drift = np.linalg.norm((later.points - first.points)[:, :2], axis=1)
    assert drift[:25].mean() < 0.006 * at.size
