"""Films: the right pictures at the right times, and into a file with their sound."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import kinesics as kn
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError
from kinesics.performance import Audio, Face, Interval, Performance, Tier
from kinesics.render import Painter, film, view_of


def blink(seconds: float = 1.0) -> Performance:
    """A face whose eyes shut in the second half."""
    count = round(60 * seconds)
    shut = (np.arange(count) >= count // 2).astype(float)
    face = Face(np.stack([shut, shut], axis=1), ("eyeBlinkLeft", "eyeBlinkRight"), 60)
    sound = Audio(0.2 * np.sin(np.arange(round(16000 * seconds)) / 8), 16000)
    return Performance({"face": face, "speech": sound}, {"avatar": "theo"})


def test_pictures_show_the_performance_at_their_times():
    show = blink()
    made = film(show, view="face", width=48, height=48, fps=10)
    pictures = list(made.frames())
    assert (len(made), made.size, made.fps) == (10, (48, 48), Fraction(10))
    theo = load_avatar("theo")
    painter = Painter(theo, view_of(theo, "face", width=48, height=48))
    rest = np.tile([1.0, 0, 0, 0], (55, 1))
    for k, image in enumerate(pictures):
        weights = show.face.select(theo.morph_names).values[6 * k]
        np.testing.assert_array_equal(image, painter.paint(rest, weights=weights).rgb)
    assert not np.array_equal(pictures[0], pictures[9])


def test_a_body_on_another_skeleton_is_filmed_as_well(take_of):
    take = take_of(0.2)
    other = Performance({"body": retarget(take.body, "mixamo")})
    image = next(film(other, view="body", width=40, height=60).frames())
    maya = load_avatar("maya")
    back = retarget(other.body, maya.skeleton)
    painter = Painter(maya, view_of(maya, "body", width=40, height=60))
    np.testing.assert_array_equal(image, painter.paint(back.rotations[0], root=back.root[0]).rgb)


def test_saved_as_a_film_with_its_sound(tmp_path):
    path = tmp_path / "a.mp4"
    blink().save(path, view="face", width=64, height=48, fps=20)
    back = kn.load(path)
    assert (len(back["video"]), back["video"].size, back["video"].fps) == (20, (64, 48), 20)
    assert back.speech.duration == pytest.approx(1, abs=0.1)
    assert back.meta["video"]["synthetic"] is True
    painted = list(film(blink(), view="face", width=64, height=48, fps=20).frames())
    for seen, meant in zip(back["video"].frames(), painted, strict=True):
        assert np.abs(seen.astype(int) - meant).mean() < 4
    again = tmp_path / "b.mp4"
    blink().save(again, view="face", width=64, height=48, fps=20)
    assert again.read_bytes() == path.read_bytes()


def test_what_cannot_be_filmed_is_said(tmp_path):
    words = Performance({"words": Tier("words", [Interval(0, 1, "x")])})
    with pytest.raises(DataError, match="neither body nor face"):
        words.save(tmp_path / "a.mp4")
    with pytest.raises(DataError, match="basis 'arkit'"):
        film(Performance({"face": Face([[0.5]], ("x",), 60, "flame")}))
    with pytest.raises(DataError, match="1 to 4096"):
        film(blink(), width=9000)
    with pytest.raises(DataError, match="face, bust, half, body"):
        film(blink(), view="feet")
    assert not list(tmp_path.iterdir())
