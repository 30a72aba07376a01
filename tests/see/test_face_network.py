"""The face reader on somebody whom its network never saw: landmarks that the detectors found in a painted face go in.

They are kept in ``tests/data/read_face.npz``, so that no models are needed; ``python -m tests.see.test_face_network`` makes it again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.errors import DataError
from kinesics.see.face_network import FaceReader, Neutral, frontal
from kinesics.see.face_shape import LOOKS, PATCH
from kinesics.see.facial_actions import blinks

FPS = 25
FOUND = Path(__file__).parents[1] / "data/read_face.npz"


@pytest.fixture(scope="module")
def reader():
    return FaceReader(threads=1)


@pytest.fixture(scope="module")
def clip():
    """Mouth opens and shuts, then a blink, then the head turns: points, looks and truth."""
    with np.load(FOUND) as stored:
        found = dict(stored)
    return (
        found["points"].astype(np.float32),
        {name: found[name] for name in LOOKS},
        found["face"],
        found["heads"],
    )


def film():
    """The same, painted and looked at."""
    from kinesics.bodies.humanoid import INDEX as JOINT
    from kinesics.geometry import rotations as rot
    from kinesics.see.landmarks import FaceMesh, _around, _turn
    from kinesics.stage.face_pictures import Pose, truth
    from kinesics.stage.identities import identity
    from kinesics.stage.pixels import Studio, draw_set

    person = identity(4711, 0)
    studio = Studio(person, draw_set(1, turn=0), view="face", size=160)
    count = 48
    face = np.zeros((count, 52), np.float32)
    face[4:16, INDEX["jawOpen"]] = 0.7 * np.sin(np.linspace(0, np.pi, 12))
    lids = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
    face[22:27, lids] = np.array([0.5, 1, 1, 0.7, 0.35])[:, None]
    yaw = np.zeros(count)
    yaw[30:] = np.linspace(0, 25, count - 30)
    mesh, rows = FaceMesh(threads=1), []
    for k in range(count):
        pose = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))
        pose[JOINT["head"]] = rot.from_axis_angle(np.array([0, 1.0, 0]), np.radians(yaw[k]))
        frame = studio.shoot(pose, None, face[k])
        places, _, head, _ = truth(person, studio.camera, Pose(pose, face[k], False), frame.vertices)
        found = mesh(frame.rgb, _around(places[:468], _turn(places[33], places[263], 0.0), 1.5))
        looks = (cut(frame.rgb, found.points) for cut in LOOKS.values())
        rows.append((found.points.astype(np.float16), head, *looks))
    points, heads, *looks = map(np.array, zip(*rows, strict=True))
    named = dict(zip(LOOKS, looks, strict=True))
    np.savez_compressed(FOUND, points=points, face=face, heads=heads, **named)


def test_a_mouth_that_opens_lids_that_shut_and_a_head_that_turns_are_read(reader, clip):
    points, looks, face, heads = clip
    read = reader.read(points, looks, fps=FPS)
    assert read.face.names == ARKIT
    for name in ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight"):
        assert np.corrcoef(read.face.column(name), face[:, INDEX[name]])[0, 1] > 0.75, name
    found = blinks(read.face)[0]
    assert [b.label for b in found] == ["blink"]
    assert found[0].start == pytest.approx(22 / FPS, abs=2 / FPS)
    assert np.corrcoef(read.head.column("yaw"), heads[:, 1])[0, 1] > 0.97
    assert np.abs(read.head.column("yaw") - heads[:, 1]).mean() < 6
    assert read.action_units.column("AU26")[:16].max() > 2 * read.action_units.column("AU26")[18:].mean()


def test_place_and_size_in_the_picture_do_not_matter(reader, clip):
    points, looks, _, _ = clip
    there = reader.read(points * 2.5 + np.float32([400, 90, 0]), looks, fps=FPS)
    here = reader.read(points, looks, fps=FPS)
    np.testing.assert_allclose(there.face.values, here.face.values, atol=5e-3)
    np.testing.assert_allclose(there.head.values, here.head.values, atol=0.1)


def test_a_live_reading_comes_to_know_the_neutral_that_the_whole_clip_has(reader, clip):
    points, looks, _, _ = clip
    whole = reader.read(points, looks, fps=FPS)
    own = Neutral()
    for _ in range(2):
        pieces = [
            reader.read(
                points[i : i + 8],
                {n: v[i : i + 8] for n, v in looks.items()},
                fps=FPS,
                start=i / FPS,
                neutral=own,
            )
            for i in range(0, 48, 8)
        ]
    again = np.concatenate([p.face.values for p in pieces])
    assert pieces[1].face.start == pytest.approx(8 / FPS)
    assert np.abs(again - whole.face.values).mean() < 0.03


def test_confidence_falls_with_the_detector_and_with_the_turn(reader, clip):
    points, looks, _, _ = clip
    sure = reader.read(points, looks, fps=FPS).head.confidence
    unsure = reader.read(points, looks, fps=FPS, score=np.full(48, 0.5)).head.confidence
    np.testing.assert_allclose(unsure, 0.5 * sure, rtol=1e-5)
    assert frontal(np.array([[0, 0, 0], [0, 50, 0], [0, 80, 0]])).round(2).tolist() == [1.0, 0.56, 0.0]


def test_nobody_is_read_as_nothing(reader, clip):
    read = reader.read(
        np.zeros((0, 478, 3)), {n: np.zeros((0, *v.shape[1:])) for n, v in clip[1].items()}, fps=FPS
    )
    assert len(read.face) == len(read.head) == 0


@pytest.mark.parametrize(
    ("points", "wrong"),
    [
        ((4, 468, 3), {}),
        ((478, 3), {}),
        ((4, 478, 3), {"patch": np.zeros((3, PATCH, PATCH))}),
        ((4, 478, 3), {"mouth": np.zeros((4, 9, PATCH))}),
        ((4, 478, 3), {"eyes": np.zeros((4, PATCH, PATCH))}),
        ((4, 478, 3), {"nose": np.zeros((4, PATCH, PATCH))}),
    ],
)
def test_wrong_shapes_are_told(reader, clip, points, wrong):
    looks = {name: look[:4] for name, look in clip[1].items()}
    with pytest.raises(DataError, match="expected"):
        reader.read(np.zeros(points), looks | wrong, fps=FPS)


if __name__ == "__main__":
    film()
