"""Mouths close up: what is painted, and what a detector makes of it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("av")

from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.bodies.avatar import load_avatar, skin
from kinesics.errors import DataError
from kinesics.performance import Face
from kinesics.see import models
from kinesics.stage.mouths import CloseUp, about_the_mouth, watched

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


@pytest.mark.skipif(not models.available(), reason="landmark models have not been fetched")
def test_a_head_is_watched_as_reading_watches_it():
    face = opening(30)
    rows = watched(load_avatar("theo"), face, seed=5, take=1)
    film = rows["mouth"]
    assert (rows["face_score"] > 0.5).all()
    inside = np.sort(film[:, 12:34, 14:34].reshape(30, -1).astype(float), axis=1)[:, :40].mean(axis=1)
    wide = face.column("jawOpen")
    assert np.corrcoef(inside, wide)[0, 1] < -0.7, "an open mouth is dark in the recorded picture"
    gap = rows["landmarks"][:, 14, 1] - rows["landmarks"][:, 13, 1]
    assert np.corrcoef(gap, wide)[0, 1] > 0.8
    np.testing.assert_array_equal(film, watched(load_avatar("theo"), face, seed=5, take=1)["mouth"])
    assert not np.array_equal(film, watched(load_avatar("theo"), face, seed=5, take=2)["mouth"])
