"""Pictures: where things fall, what hides what, what light does, and that nothing is left to chance."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.performance import Camera
from kinesics.render import Painter, view_of

REST = np.tile([1.0, 0, 0, 0], (55, 1))
MAYA = load_avatar("maya")


@pytest.fixture(scope="module")
def face() -> Painter:
    return Painter(MAYA, view_of(MAYA, "face", width=96, height=96))


def part(name: str) -> int:
    return 1 + [p.name for p in MAYA.parts].index(name)


def weights(**values: float) -> np.ndarray:
    out = np.zeros(52)
    for name, value in values.items():
        out[MAYA.morph_names.index(name)] = value
    return out


def test_a_camera_sees_what_is_before_it_where_geometry_says():
    camera = Camera.looking(
        [0, 1, 4], [0, 1, 0], width=200, height=100, angle=2 * np.degrees(np.arctan(0.25))
    )
    pixels, depth = camera.project([[0, 1, 0], [1, 1, 0], [0, 2, 0], [0, 1, 5]])
    # The height takes up 2 m at 4 m: 50 pixels a metre.
    np.testing.assert_allclose(pixels[:3], [[100, 50], [150, 50], [100, 0]], atol=1e-9)
    np.testing.assert_allclose(depth[:3], 4)
    assert np.isnan(pixels[3]).all()
    half, _ = camera.sized(100, 50).project([[1, 1, 0]])
    np.testing.assert_allclose(half, [[75, 25]], atol=1e-9)
    with pytest.raises(DataError, match="one point"):
        Camera.looking([0, 1, 0], [0, 1, 0], width=10, height=10)


def test_landmarks_lie_on_their_parts_at_their_depth(face):
    frame = face.paint(REST)
    for name, wanted in (("nose_tip", "head"), ("chin", "head"), ("upper_lip_front", "head")):
        pixel, depth = face.camera.project(frame.vertices[MAYA.landmark(name)])
        x, y = pixel.astype(int)
        assert frame.parts[y, x] == part(wanted)
        assert frame.depth[y, x] == pytest.approx(depth, abs=0.006)
    eye, _ = face.camera.project(frame.vertices[MAYA.parts[7].vertices].mean(axis=0) + [0.032, 0, 0])
    assert frame.parts[int(eye[1]), int(eye[0])] == part("eyes")
    assert not np.isfinite(frame.depth[0, 0])
    assert frame.parts[0, 0] == 0


def test_lids_hide_the_eyes_and_an_open_mouth_shows_the_teeth(face):
    eyes, teeth = part("eyes"), part("upper_teeth")
    shut = face.paint(REST, weights=weights(eyeBlinkLeft=1, eyeBlinkRight=1))
    wide = face.paint(REST, weights=weights(jawOpen=0.6, mouthUpperUpLeft=0.8, mouthUpperUpRight=0.8))
    assert (face.paint(REST).parts == eyes).sum() > 30
    assert (shut.parts == eyes).sum() <= 2
    assert (wide.parts == teeth).sum() > (shut.parts == teeth).sum() == 0


def test_the_same_pose_is_the_same_picture(face):
    other = Painter(MAYA, face.camera)
    pose = weights(jawOpen=0.3, mouthSmileLeft=0.5)
    one, two = face.paint(REST, weights=pose), other.paint(REST, weights=pose)
    for name in ("rgb", "depth", "parts"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()


def test_small_pictures_are_the_large_ones_seen_from_afar():
    large = Painter(MAYA, view_of(MAYA, "half", width=256, height=256)).paint(REST).rgb
    small = Painter(MAYA, view_of(MAYA, "half", width=64, height=64)).paint(REST).rgb
    mean = large.astype(float).reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert np.abs(mean - small).mean() < 3


def test_edges_are_smooth_and_the_light_comes_from_where_it_stands():
    camera = view_of(MAYA, "face", width=96, height=96)
    left = Painter(MAYA, camera, light=[1, 0.3, 0.6]).paint(REST)
    right = Painter(MAYA, camera, light=[-1, 0.3, 0.6]).paint(REST)
    skin = left.parts == part("head")
    half = np.arange(96)[None, :] >= 48  # the person's left is on the picture's right
    for frame, bright, dark in ((left, half, ~half), (right, ~half, half)):
        assert frame.rgb[skin & bright].mean() > 1.15 * frame.rgb[skin & dark].mean()


def test_an_arm_before_the_chest_throws_its_shadow_there():
    painter = Painter(MAYA, view_of(MAYA, "half", width=96, height=96), light=[-0.7, 0.6, 0.8])
    pose = REST.copy()
    free = painter.paint(pose)
    forward = rot.from_axis_angle([0, 1.0, 0], np.radians(95))
    pose[INDEX["rightUpperArm"]] = rot.multiply(rot.from_axis_angle([1.0, 0, 0], np.radians(20)), forward)
    raised = painter.paint(pose)
    both = (free.parts == part("shirt")) & (raised.parts == part("shirt"))
    darker = free.rgb.astype(int).sum(-1) - raised.rgb.astype(int).sum(-1) > 120
    assert (both & darker).sum() > 20


def test_flow_leads_from_one_picture_to_the_next(face):
    one = face.paint(REST)
    turned = REST.copy()
    turned[INDEX["head"]] = rot.from_axis_angle([0, 1.0, 0], 0.08)
    two = face.paint(turned)
    flow = face.flow(one, two)
    tip = MAYA.landmark("nose_tip")
    (before, after), _ = face.camera.project(np.stack([one.vertices[tip], two.vertices[tip]]))
    x, y = before.astype(int)
    np.testing.assert_allclose(flow[y, x], after - before, atol=0.5)
    assert np.hypot(*(after - before)) > 1.5
    assert not flow[one.parts == 0].any()
    np.testing.assert_allclose(face.flow(one, one), 0, atol=1e-3)


def test_what_cannot_be_painted_is_named(face):
    with pytest.raises(DataError, match=r"\(55, 4\)"):
        face.paint(np.tile(REST, (2, 1, 1)))
    with pytest.raises(DataError, match="not finite"):
        face.paint(REST * np.nan)
    with pytest.raises(DataError, match="face, bust, half, body"):
        view_of(MAYA, "feet", width=10, height=10)
