"""Emotions, face behaviours and the small signs of life."""

import numpy as np
import pytest

from kinesics.behaviour.controls import EMOTIONS, Controls
from kinesics.behaviour.expressions import drift
from kinesics.behaviour.face import FaceRealiser
from kinesics.behaviour.facs import ACTION_UNITS, LEXEMES, unit
from kinesics.behaviour.facs import EMOTIONS as RECIPES
from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.errors import DataError
from kinesics.performance import Behaviour, Interval


def still(**controls):
    """Two seconds of a silent face."""
    return FaceRealiser(Controls(**controls)).frames(0, 120)


def mean(values, name):
    return float(values[:, INDEX[name]].mean())


def test_each_emotion_moves_what_facs_says():
    seen = {e: still(emotion=e, intensity=1.0) for e in EMOTIONS}
    assert mean(seen["happy"], "mouthSmileLeft") > 0.5
    assert mean(seen["happy"], "cheekSquintLeft") > 0.4  # a smile with the eyes
    assert mean(seen["sad"], "mouthFrownLeft") > 0.4
    assert mean(seen["sad"], "browInnerUp") > 0.5
    assert mean(seen["surprise"], "eyeWideLeft") > 0.4
    assert mean(seen["surprise"], "browOuterUpLeft") > 0.5
    assert mean(seen["fear"], "mouthStretchRight") > 0.4
    assert mean(seen["disgust"], "noseSneerLeft") > 0.5
    assert mean(seen["anger"], "browDownRight") > 0.6
    assert mean(seen["contempt"], "mouthDimpleRight") > mean(seen["contempt"], "mouthDimpleLeft") + 0.3


@pytest.mark.parametrize("emotion", [e for e in EMOTIONS if e != "neutral"])
def test_intensity_scales_and_zero_is_calm(emotion):
    main = max(RECIPES[emotion], key=RECIPES[emotion].get)
    columns = np.flatnonzero(unit(main))
    levels = [still(emotion=emotion, intensity=k)[:, columns].mean() for k in (0.0, 0.5, 1.0)]
    assert levels[0] < 0.06 < levels[1] < levels[2]


def test_an_emotion_is_no_mask():
    values = FaceRealiser(Controls(emotion="happy", intensity=1.0)).frames(0, 1200)
    smile = values[:, INDEX["mouthSmileLeft"]]
    assert smile.std() > 0.02
    assert np.abs(np.diff(smile)).max() < 0.02
    assert 0.005 < np.abs(smile - values[:, INDEX["mouthSmileRight"]]).mean() < 0.15


def test_a_calm_neutral_face_still_lives_but_hardly_moves():
    values = FaceRealiser(Controls(intensity=0.0)).frames(0, 1200)
    assert 1e-4 < values.std(0).max() < 0.05


def test_seeds_differ_and_repeat():
    a, b, c = (FaceRealiser(Controls(emotion="sad", seed=s)).frames(0, 60) for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 0.01


def test_drift_is_smooth_bounded_and_indifferent_to_chunks():
    t = np.arange(600) / 60
    whole = drift(t, 1.3, seed=0, name="test", count=3)
    assert np.abs(whole).max() <= 1
    assert np.abs(np.diff(whole, axis=0)).max() < 0.06
    np.testing.assert_array_equal(drift(t[123:200], 1.3, seed=0, name="test", count=3), whole[123:200])


def behaviour(kind, sync, **attributes):
    return Behaviour("x", kind, sync, attributes)


def test_raised_brows_come_hold_and_go():
    face = FaceRealiser(Controls(intensity=0.0))
    [feedback] = face.add([behaviour("faceLexeme", {"start": 0.5, "end": 1.5}, lexeme="RAISE_BROWS")], 0.0)
    assert feedback.status == "realised"
    brow = face.frames(0, 150)[:, INDEX["browOuterUpLeft"]]
    assert brow[:30].max() < 0.05
    assert brow[48:66].min() > 0.6
    assert brow[92:].max() < 0.05
    assert np.abs(np.diff(brow)).max() < 0.2


@pytest.mark.parametrize("lexeme", [*LEXEMES, "happy", "ANGER"])
def test_every_lexeme_shows(lexeme):
    face = FaceRealiser(Controls(intensity=0.0))
    rest = face.frames(30, 60)
    [feedback] = face.add(
        [behaviour("faceLexeme", {"start": 0.0, "end": 2.0}, lexeme=lexeme, amount="1")], 0.0
    )
    assert feedback.status == "realised"
    assert (face.frames(30, 60) - rest).max() > 0.3


@pytest.mark.parametrize("au", ACTION_UNITS)
def test_every_action_unit_keeps_to_its_side(au):
    if au == "30":  # the jaw goes to one side
        assert [n for n, x in zip(ARKIT, unit(au, "LEFT"), strict=True) if x] == ["jawLeft"]
        return
    left = unit(au, "LEFT")
    assert left.max() > 0
    assert not any(x > 0 and n.endswith("Right") for n, x in zip(ARKIT, left, strict=True))


def test_facs_behaviour_with_a_side():
    face = FaceRealiser(Controls(intensity=0.0))
    face.add([behaviour("faceFacs", {"start": 0.0, "end": 2.0}, au="12", side="LEFT", amount="0.8")], 0.0)
    values = face.frames(40, 60)
    assert mean(values, "mouthSmileLeft") > 0.7
    assert mean(values, "mouthSmileRight") < 0.1


def test_a_passing_emotion_takes_the_place_of_the_mood():
    face = FaceRealiser(Controls(emotion="happy", intensity=1.0))
    face.add([behaviour("face", {"start": 1.0, "end": 3.0}, lexeme="sad", amount="0.9")], 0.0)
    values = face.frames(0, 300)
    smile, frown = values[:, INDEX["mouthSmileLeft"]], values[:, INDEX["mouthFrownLeft"]]
    assert smile[100:110].max() < 0.3 < smile[:50].min()
    assert frown[100:110].min() > 0.4 > frown[250:].max()


def test_feedback_says_what_could_not_be_done(caplog):
    face = FaceRealiser(Controls())
    known = face.add(
        [
            Behaviour("late", "faceLexeme", {"start": 1.0, "end": 4.0}, {"lexeme": "SMILE"}),
            Behaviour("past", "faceLexeme", {"start": 0.2, "end": 0.6}, {"lexeme": "SMILE"}),
            Behaviour("odd", "faceLexeme", {"start": 3.0}, {"lexeme": "WIGGLE_EARS"}),
            Behaviour("au", "faceFacs", {"start": 3.0}, {"au": "61"}),
            Behaviour("ref", "face", {"start": "speech:w1"}, {"lexeme": "happy"}),
            Behaviour("arm", "gesture", {"start": 3.0}, {"lexeme": "WAVE"}),
        ],
        2.0,
    )
    assert [(f.id, f.status) for f in known] == [
        ("late", "shifted"),
        ("past", "dropped"),
        ("odd", "unknown"),
        ("au", "unknown"),
        ("ref", "dropped"),
    ]
    assert "RAISE_BROWS" in known[2].reason
    assert "WIGGLE_EARS" in caplog.text


def test_a_behaviour_leaves_no_trace_after_it_is_forgotten():
    face = FaceRealiser(Controls())
    for k in range(200):
        face.add(
            [Behaviour(f"b{k}", "faceLexeme", {"start": k * 0.5, "end": k * 0.5 + 0.4}, {"lexeme": "SMILE"})],
            k * 0.5,
        )
        face.forget(k * 0.5)
    assert len(face.expressions._acts) < 4


def test_a_smile_goes_on_through_speech():
    text = "M AY N EY M IH Z M AE K S"
    phones = [Interval(0.3 + 0.08 * i, 0.38 + 0.08 * i, p) for i, p in enumerate(text.split())]
    face = FaceRealiser(Controls(emotion="happy", intensity=1.0))
    face.hear(phones)
    smile = face.frames(24, 70)[:, INDEX["mouthSmileLeft"]]
    assert smile.min() > 0.3


def test_eyes_must_fit_the_frames():
    face = FaceRealiser(Controls())
    with pytest.raises(DataError, match="eyes"):
        face.frames(0, 10, eyes=(np.zeros(9), np.zeros(10)))
    assert face.frames(5, 5).shape == (0, 52)


def test_gaze_coefficients_are_left_to_the_export():
    values = FaceRealiser(Controls(emotion="fear")).frames(
        0, 60, eyes=(np.full(60, 20.0), np.full(60, -20.0))
    )
    assert not values[:, [i for i, n in enumerate(ARKIT) if n.startswith("eyeLook")]].any()
