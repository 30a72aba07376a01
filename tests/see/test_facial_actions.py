"""Blinks and actions of faces that are known."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError
from kinesics.performance import Face
from kinesics.see.facial_actions import FacialActions, blinks, facial_actions
from kinesics.seeds import rng


def face(seconds: float = 6.0, fps: float = 60, **curves) -> Face:
    """A face at rest but for the columns given as functions of time."""
    t = np.arange(round(seconds * fps)) / fps
    values = np.zeros((len(t), len(ARKIT)), np.float32)
    for name, curve in curves.items():
        for k, column in enumerate(ARKIT):
            if column.startswith(name):
                values[:, k] = curve(t)
    return Face(values, ARKIT, fps)


def bump(at: float, length: float, height: float = 0.9):
    """A smooth rise and fall."""
    return lambda t: height * np.sin(np.pi * np.clip((t - at) / length, 0, 1)) ** 2


@pytest.mark.parametrize("fps", [25, 30, 60])
def test_blinks_are_found_with_onset_and_apex(fps):
    at = [1.0, 2.2, 2.9, 4.5]
    found, tops = blinks(face(fps=fps, eyeBlink=lambda t: sum(bump(a, 0.25)(t) for a in at)))
    assert found.labels == ("blink",) * 4
    for a, blink, top in zip(at, found, tops, strict=True):
        assert blink.start == pytest.approx(a, abs=0.09)
        assert blink.end == pytest.approx(a + 0.25, abs=0.09)
        assert top.start == top.end == pytest.approx(a + 0.125, abs=0.05)
        assert 0.7 < blink.value <= 0.9


def test_looking_down_and_closed_eyes_are_no_blinks():
    down = face(eyeBlink=lambda t: 0.45 * ((t > 2) & (t < 4)))
    shut = face(eyeBlink=lambda t: 0.95 * ((t > 2) & (t < 4)))
    assert len(blinks(down)[0]) == len(blinks(shut)[0]) == 0


def test_a_blink_while_looking_down_is_one():
    (only,) = blinks(face(eyeBlink=lambda t: np.maximum(0.4 * ((t > 2) & (t < 4)), bump(2.9, 0.25)(t))))[0]
    assert only.start == pytest.approx(2.95, abs=0.08)


def test_one_lid_is_a_wink():
    assert blinks(face(eyeBlinkLeft=bump(2, 0.3)))[0].labels == ("wink L",)
    assert blinks(face(eyeBlinkRight=bump(2, 0.3)))[0].labels == ("wink R",)


def test_a_face_that_is_hardly_seen_gives_unknown():
    shown = face(eyeBlink=bump(2, 0.25), mouthSmile=lambda t: 0.8 * ((t > 3) & (t < 5)))
    sure = np.full(len(shown), 0.3)
    assert blinks(shown, sure)[0].labels == ("unknown",)
    assert facial_actions(shown, sure)["smile"].labels == ("unknown",)


def test_noise_alone_blinks_not():
    still = face(20)
    noisy = Face(np.clip(0.1 + rng(1, "lids").normal(0, 0.04, still.values.shape), 0, 1), ARKIT, 60)
    assert len(blinks(noisy)[0]) == 0
    assert all(len(t) == 0 for t in facial_actions(noisy).values())


def test_a_smile_has_onset_offset_and_size_and_does_not_flicker():
    wavering = lambda t: np.where((t > 1) & (t < 4), 0.26 + 0.05 * np.sin(40 * t), 0.0)  # noqa: E731
    (smile,) = facial_actions(face(mouthSmile=wavering))["smile"]
    assert (smile.start, smile.end) == pytest.approx((1, 4), abs=0.1)
    assert smile.value == pytest.approx(0.27, abs=0.05)


def test_a_syllable_is_no_action():
    assert all(len(t) == 0 for t in facial_actions(face(mouth=bump(2, 0.15, 0.6))).values())


def test_another_basis_is_refused():
    with pytest.raises(DataError, match="arkit"):
        FacialActions(30).push(Face(np.zeros((3, 2)), ("a", "b"), 30, basis="flame"))


def test_lids_that_seem_to_close_by_a_quarter_have_blinked():
    found, _ = blinks(
        face(fps=25, eyeBlink=lambda t: 0.1 + bump(2.0, 0.24, 0.18)(t) + bump(4.0, 0.24, 0.24)(t))
    )
    assert [round(i.start) for i in found if i.label == "blink"] == [4]
