"""Mouths close up: what is painted, and what a detector makes of it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("av")

from kinesics.bodies import ibug
from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.bodies.avatar import load_avatar, skin
from kinesics.errors import DataError
from kinesics.performance import Face
from kinesics.stage.mouths import CloseUp, about_the_mouth, detected, landmarks_of
from kinesics.systems import _mouth_features as mouths

REST = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))


def opening(frames: int = 50) -> Face:
    """A mouth that opens and closes each second."""
    values = np.zeros((frames, len(ARKIT)), np.float32)
    values[:, INDEX["jawOpen"]] = 0.25 - 0.25 * np.cos(2 * np.pi * np.arange(frames) / 25)
    return Face(values, ARKIT, 25)


def test_what_is_cut_out_moves_as_the_whole_does():
    person = load_avatar("maya")
    part = about_the_mouth(person)
    assert len(part.vertices) < len(person.vertices) / 4
    weights = np.zeros(52, np.float32)
    weights[person.morph_names.index("jawOpen")] = 0.7
    whole = skin(person, REST, weights=weights)
    made = skin(part, REST, weights=weights)
    gap = np.linalg.norm(whole[:, None] - made[None, ::40], axis=2).min(axis=0)
    assert gap.max() < 1e-5


def test_landmarks_are_where_skinning_takes_them():
    person, face = load_avatar("theo"), opening(6)
    found = landmarks_of(person, face.values)
    order = [ARKIT.index(n) for n in person.morph_names]
    for row, values in zip(found, face.values, strict=True):
        there = skin(person, REST, weights=values[order])[list(ibug.VERTICES)]
        np.testing.assert_allclose(row, there, atol=1e-5)


def test_an_open_mouth_is_dark_inside_and_the_same_every_time():
    camera = CloseUp(load_avatar("maya"), size=32, seed=3)
    values = opening().values[[0, 12]]
    film = camera.film(values)
    assert film.shape == (2, 32, 32)
    assert film.dtype == np.uint8
    centre = film[:, 10:22, 12:20].astype(float)
    assert centre[1].min() < 0.6 * centre[0].min(), (
        "the mouth's inside is darker than the line between the lips"
    )
    np.testing.assert_array_equal(CloseUp(load_avatar("maya"), size=32, seed=3).film(values), film)
    with pytest.raises(DataError, match="expected"):
        camera.film(values[:, :51])


def test_a_detector_follows_the_mouth_but_misses_its_closing():
    person, face = load_avatar("theo"), opening(100)
    upper, lower = (mouths.PLACES.index(i) for i in (62, 66))
    seen = mouths.seen(detected(person, face, seed=5, take=1), "maya") * mouths.NEAR
    gap = seen[:, upper, 1] - seen[:, lower, 1]
    true = np.einsum("tk,knd->tnd", face.values, mouths.moves("maya")) * mouths.NEAR
    wide = true[:, upper, 1] - true[:, lower, 1]
    assert np.corrcoef(gap, wide)[0, 1] > 0.9
    assert np.ptp(gap) < np.ptp(wide)
    again = detected(person, face, seed=5, take=1)
    np.testing.assert_array_equal(again.values, detected(person, face, seed=5, take=1).values)
    assert not np.array_equal(again.values, detected(person, face, seed=5, take=2).values)
