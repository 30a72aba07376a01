"""What systems see of bodies, sound and words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kinesics.bodies.avatar import load_avatar
from kinesics.geometry import rotations as rot
from kinesics.hear.onsets import onsets
from kinesics.performance import Audio, Interval, Motion, Tier
from kinesics.seeds import rng
from kinesics.systems import _features as features
from kinesics.systems.gesture.gesturelsm.spec import HANDS, JOINTS, LOWER, UPPER


def walk(frames: int = 60, fps: int = 30) -> Motion:
    stream = rng(0, "walk")
    skeleton = load_avatar("maya").skeleton
    turns = rot.from_rotvec(
        0.3 * np.sin(np.arange(frames)[:, None, None] / 9 + stream.uniform(0, 6, (55, 3)))
    )
    turns[:, 22:25] = rot.IDENTITY
    root = skeleton.offsets[0] + np.stack(
        [0.02 * np.arange(frames), 0 * np.arange(frames), np.sin(np.arange(frames) / 9)], 1
    )
    return Motion(skeleton, turns, root, fps)


def test_parts_are_all_joints_but_the_faces_once_each():
    assert sorted(JOINTS) == [j for j in range(55) if j not in (22, 23, 24)]
    assert (len(UPPER), len(HANDS), len(LOWER)) == (13, 30, 9)


def test_bodies_come_back():
    motion = walk()
    six, moved = features.to_six(motion, JOINTS), features.travel(motion)
    assert six.shape == (60, 52 * 6)
    again = features.to_motion(
        six, JOINTS, motion.skeleton, 30, moved=moved, origin=tuple(motion.root[0, [0, 2]])
    )
    assert rot.angle(again.rotations, motion.rotations).max() < 2e-3
    # the first frame's step is made up, all others are true
    np.testing.assert_allclose(np.diff(again.root, axis=0), np.diff(motion.root, axis=0), atol=1e-5)
    np.testing.assert_allclose(again.root[:, 1], motion.root[:, 1], atol=1e-5)


def test_travel_goes_by_the_height_of_the_hips():
    motion = walk()
    small = motion.on(load_avatar("omar" if "omar" in _avatars() else "maya").skeleton)
    np.testing.assert_allclose(features.travel(small), features.travel(motion), atol=1e-5)


def _avatars():
    from kinesics.bodies.avatar import avatars

    return avatars()


def test_rates_are_brought_to_the_systems():
    assert len(features.canonical(walk(60, 60), 30)) == 30
    assert features.canonical(walk(60, 60), Fraction(30)).fps == 30


def test_onsets_lie_where_sounds_begin():
    sound = 0.001 * rng(0, "hiss").standard_normal(3 * 16000)
    starts = np.array([0.5, 1.1, 1.62, 2.4])
    for start in starts:
        place = round(start * 16000)
        sound[place : place + 1600] += 0.3 * np.sin(np.arange(1600) * 0.2) * np.hanning(3200)[1600:]
    np.testing.assert_allclose(onsets(sound.astype(np.float32)), starts, atol=0.015)


@pytest.mark.parametrize("gain", [0.01, 1.0])
def test_onsets_do_not_depend_on_how_loud_it_is(gain):
    speech = Audio.load(Path(__file__).parents[1] / "data" / "speech.flac").mono().resample(16000).samples
    a, b = onsets(speech), onsets(speech * np.float32(gain))
    assert len(a) > 10
    assert abs(len(a) - len(b)) <= 2


def test_silence_has_no_onsets():
    for sound in (np.zeros(16000), 1e-6 * rng(0, "x").standard_normal(16000), np.zeros(3), np.zeros(0)):
        assert len(onsets(sound.astype(np.float32))) == 0


def test_the_envelope_is_on_the_performances_clock():
    samples = np.zeros(16000, np.float32)
    samples[8000:8800] = 0.5 * np.sin(np.arange(800) * 0.3)
    seen = features.envelope(Audio(samples, 16000, 1.0), 90, fps=30, rate=120)
    assert seen.shape == (360, 2)
    loud = np.flatnonzero(seen[:, 0] > 0.4)
    assert loud.min() / 120 == pytest.approx(1.5, abs=0.05)
    assert loud.max() / 120 == pytest.approx(1.55, abs=0.05)
    assert np.flatnonzero(seen[:, 1]) / 120 == pytest.approx([1.5], abs=0.02)


def test_words_are_numbered_where_they_are_said():
    words = Tier(
        "words", [Interval(0.5, 1.0, "Hello,"), Interval(1.2, 1.5, "world"), Interval(9.0, 9.5, "late")]
    )
    seen = features.word_numbers(words, 60, fps=30, vocabulary=100)
    assert (seen[:15] == features.SILENCE).all()
    assert (seen[15:30] == features.word_number("hello", 100)).all()
    assert (seen[30:36] == features.SILENCE).all()
    assert (seen[36:45] == features.word_number("WORLD", 100)).all()
    assert (seen[45:] == features.SILENCE).all()
    assert features.word_number("...", 100) == features.UNKNOWN
    assert all(2 <= features.word_number(w, 10) < 10 for w in "the quick brown fox jumps".split())
