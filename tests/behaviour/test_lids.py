"""Blinks and lids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.behaviour.controls import EMOTIONS, Controls
from kinesics.behaviour.face import FaceRealiser
from kinesics.behaviour.lids import Blink, Lids
from kinesics.bodies.arkit import INDEX
from kinesics.bodies.avatar import load_avatar, skin
from kinesics.performance import Behaviour

LEFT, RIGHT, WIDE = INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"], INDEX["eyeWideLeft"]


@given(st.floats(0.2, 2.0), st.floats(0.01, 1.0))
def test_every_blink_shuts_the_eye_in_some_frame(start, length):
    blink = Lids().add(start, start + length)
    assert 0.1 <= blink.end - blink.start <= 0.4501
    closure = blink.closure(np.arange(240) / 60)
    assert closure.max() > 0.97
    assert closure.min() == 0
    assert (closure > 0.02).sum() <= 28


def test_lids_close_faster_than_they_open():
    t = np.linspace(0, 0.3, 3001)
    closure = Blink(0.0, 0.3).closure(t)
    shut = t[closure > 0.95]
    closing = shut[0] - t[closure > 0.05][0]
    opening = t[closure > 0.05][-1] - shut[-1]
    assert opening > 1.3 * closing


def test_a_blink_behaviour_shows_in_any_emotion_without_tearing_the_lid():
    for emotion in EMOTIONS:
        face = FaceRealiser(Controls(emotion=emotion, intensity=1.0))
        [feedback] = face.add([Behaviour("b", "blink", {"start": 0.5, "end": 0.75})], 0.0)
        assert feedback.status == "realised"
        values = face.frames(0, 60)
        peak = values[:, LEFT].argmax()
        assert 0.5 < peak / 60 < 0.75
        assert values[peak, LEFT] > 0.97
        assert values[peak, WIDE] < 0.05
        assert values[0, LEFT] < 0.35


def test_a_wink_is_one_sided():
    face = FaceRealiser(Controls(intensity=0.0))
    face.add([Behaviour("b", "blink", {"start": 0.2, "end": 0.5}, {"side": "LEFT"})], 0.0)
    values = face.frames(0, 40)
    assert values[:, LEFT].max() > 0.97
    assert values[:, RIGHT].max() < 0.1


def test_the_upper_lid_follows_the_gaze():
    face = FaceRealiser(Controls(intensity=0.0))
    still = np.zeros(30)
    down = face.frames(0, 30, eyes=(still, still - 25.0))
    up = face.frames(0, 30, eyes=(still, still + 15.0))
    ahead = face.frames(0, 30, eyes=(still, still))
    assert down[:, LEFT].mean() > ahead[:, LEFT].mean() + 0.15
    assert up[:, WIDE].mean() > ahead[:, WIDE].mean() + 0.2


@pytest.mark.parametrize("degrees", [10, 20, 30])
def test_the_lid_goes_with_the_pupil_on_the_mesh(degrees):
    avatar = load_avatar("maya")
    lid = avatar.landmark("upper_lid_mid_left")
    eye = avatar.joints[23]
    radius = np.linalg.norm(avatar.vertices[lid] - eye)
    weights = FaceRealiser(Controls(intensity=0.0)).frames(
        0, 2, eyes=(np.zeros(2), np.full(2, -float(degrees)))
    )[1]
    weights[[INDEX["eyeLookDownLeft"], INDEX["eyeLookDownRight"]]] = degrees / 35
    rest = np.tile([1.0, 0, 0, 0], (55, 1))
    drop = avatar.vertices[lid, 1] - skin(avatar, rest, weights=weights)[lid, 1]
    pupil = radius * np.sin(np.radians(degrees))
    assert 0.4 < drop / pupil < 1.15


def test_blinks_are_forgotten():
    lids = Lids()
    for k in range(100):
        lids.add(float(k), k + 0.2)
        lids.forget(k - 1.0)
    assert len(lids._blinks) < 4
