"""Mouths refined from the pictures of them that were recorded."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.action_units import FACS
from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.errors import DataError
from kinesics.performance import Face, Performance, Signal
from kinesics.reading import _person
from kinesics.reading._person import refined
from kinesics.reading._recording import ROW
from kinesics.reading.read import read
from kinesics.systems.read.spectre.spec import MOUTH, Spectre, SpectreConfig

SYSTEM = Spectre(SpectreConfig.tiny())
JAW = MOUTH.index(INDEX["jawOpen"])


def opened(film, coarse):
    """A network that opens the jaw as far as its picture is bright."""
    mouth = coarse.copy()
    mouth[..., JAW] = film.mean(axis=(2, 3)) / 255
    return {"mouth": mouth}


def seen(count: int, fps: int) -> tuple[Performance, np.ndarray]:
    """A face that rests, in pictures that grow brighter."""
    rows = np.zeros(count, ROW)
    rows["face_score"] = 1
    rows["mouth"] = np.linspace(0, 255, count).astype(np.uint8)[:, None, None]
    face = Face(np.zeros((count, 52), np.float32), ARKIT, fps, start=1.0)
    none = np.zeros((count, len(FACS)), np.float32)
    units = Signal(none, FACS, ("",) * len(FACS), face.fps, 1.0, confidence=none + np.float32(0.7))
    return Performance({"face": face, "action_units": units}), rows


@pytest.mark.parametrize("fps", [25, 30])
def test_mouths_follow_their_own_pictures_and_units_follow_mouths(fps, monkeypatch):
    person, rows = seen(6 * fps, fps)
    made = refined(person, rows, SYSTEM, {"refine": opened})
    jaw = made.face.column("jawOpen")
    assert np.abs(jaw - np.linspace(0, 1, 6 * fps)).max() < 0.01
    assert made.face.start == 1.0
    np.testing.assert_allclose(made["action_units"].column("AU26"), np.clip(2 * jaw, 0, 1), atol=1e-6)
    assert (made["action_units"].confidence == np.float32(0.7)).all()
    monkeypatch.setattr(_person, "_PIECE", 50)
    pieces = refined(person, rows, SYSTEM, {"refine": opened}).face.values
    np.testing.assert_allclose(pieces, made.face.values, atol=0.02)


def test_where_no_face_is_seen_the_mouth_is_held():
    person, rows = seen(100, 25)
    rows["face_score"][:10] = rows["face_score"][40:60] = 0
    rows["mouth"][40:60] = 0
    jaw = refined(person, rows, SYSTEM, {"refine": opened}).face.column("jawOpen")
    np.testing.assert_array_equal(jaw[40:60], jaw[39])
    np.testing.assert_array_equal(jaw[:10], jaw[10])
    assert jaw[60] > jaw[59]


def test_nobody_without_a_face_is_refined_and_other_names_are_refused():
    _, rows = seen(10, 25)
    assert "face" not in refined(Performance({}), rows, SYSTEM, {"refine": opened})
    with pytest.raises(DataError, match="spectre"):
        read("nothing.mp4", refine="expllm")
