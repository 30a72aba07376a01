"""Faces that feel: what they show is what they are said to feel, and speech is none of it."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.behaviour.controls import EMOTIONS
from kinesics.bodies import action_units as units
from kinesics.errors import DataError
from kinesics.stage.expressions import AFFECT, PROTOTYPES, expressive, prototype

SIGN = {
    "happy": "AU12", "sad": "AU15", "surprise": "AU02", "fear": "AU05", "disgust": "AU09", "anger": "AU04", "contempt": "AU14",
}  # fmt: skip


def usual(show, track):
    return dict(
        zip(
            units.UNITS,
            units.strengths(units.from_arkit(show.get(track).values).values.mean(0))[0],
            strict=True,
        )
    )


@pytest.mark.parametrize("emotion", SIGN)
def test_an_emotion_shows_by_its_sign(emotion):
    own = np.mean(
        [usual(expressive(3, i, emotion=emotion, level=3), "felt")[SIGN[emotion]] for i in range(8)]
    )
    neutral = np.mean([usual(expressive(3, i, emotion="neutral"), "felt")[SIGN[emotion]] for i in range(8)])
    assert own > 0.15 + neutral


def test_speech_moves_the_face_and_is_not_felt():
    talking, silent = (expressive(5, 8, emotion="neutral", talking=t, acted=True) for t in (True, False))
    assert talking.tier("phones")
    assert not silent.tier("phones")
    assert talking.face.column("jawOpen").max() > 0.15
    assert talking.get("felt").column("jawOpen").max() < 0.1


def test_levels_grow():
    smiles = [
        np.mean([usual(expressive(7, i, emotion="happy", level=level), "felt")["AU12"] for i in range(12)])
        for level in (1, 2, 3)
    ]
    assert smiles == sorted(smiles)


def test_the_same_seed_is_the_same_face_and_others_are_not():
    first, again, other = (expressive(9, n) for n in (4, 4, 12))
    assert first.face.difference(again.face) == 0
    assert first.face.difference(other.face) > 0.1


def test_busy_faces_do_more_than_they_feel():
    def count(busy):
        shows = [expressive(6, i, talking=False, busy=busy) for i in range(24)]
        return np.mean([sum(v > 0.2 for v in usual(show, "felt").values()) for show in shows])

    assert count(True) > count(False) + 0.8
    felt, busy = expressive(6, 1), expressive(6, 1, busy=True)
    assert busy.tier("emotion") == felt.tier("emotion")


def test_all_that_is_told_is_there():
    for i in range(16):
        show = expressive(2, i)
        told = show.tier("emotion")
        assert told[0].label == EMOTIONS[i % 8]
        assert len(show.face) == len(show.get("felt")) == 72
        assert all(0 <= t.value <= 1 for t in told)
        assert (told[0].value == 0) == (told[0].label == "neutral")
    assert set(PROTOTYPES) == set(AFFECT) == set(EMOTIONS)
    assert all(prototype(f) for e, fs in PROTOTYPES.items() for f in fs if e != "neutral")


def test_an_unknown_emotion_is_refused():
    with pytest.raises(DataError, match="choose one of: neutral, happy"):
        expressive(1, 1, emotion="joy")
