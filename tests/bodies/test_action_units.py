"""Action units with their sides: what ARKit, FEAFA and FACS have in common, and what they cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.bodies import action_units as units
from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.errors import DataError


def face(**shapes):
    out = np.zeros((1, len(ARKIT)), np.float32)
    for name, value in shapes.items():
        out[0, INDEX[name]] = value
    return out


def shown(measured):
    return {n: round(float(v), 3) for n, v in zip(units.SIDED, measured.values[0], strict=True) if v > 0}


def test_a_side_is_the_persons_own():
    assert shown(units.from_arkit(face(mouthSmileLeft=0.5, browInnerUp=0.3))) == {"AU01": 0.3, "AU12L": 0.5}


def test_raised_cheeks_do_not_count_as_tight_lids():
    both = face(cheekSquintLeft=1.0, eyeSquintLeft=0.45, eyeSquintRight=0.45)
    assert shown(units.from_arkit(both)) == {"AU06L": 1.0, "AU07R": 0.5}


@pytest.mark.parametrize(
    ("arkit", "feafa"),
    [
        ("eyeBlinkLeft", "EyeCloseLeft"), ("eyeWideRight", "LidRaiseRight"), ("browDownLeft", "BrowLowerLeft"),
        ("jawOpen", "JawDrop"), ("jawRight", "JawSlideRight"), ("mouthSmileLeft", "LipCornerPullLeft"),
        ("mouthStretchRight", "LipCornerStretchRight"), ("mouthRollUpper", "UpperLipSuck"), ("mouthRollLower", "LowerLipSuck"),
        ("jawForward", "JawThrust"), ("mouthShrugLower", "ChinRaise"), ("mouthPucker", "LipPucker"), ("cheekPuff", "CheekPuff"),
    ],
)  # fmt: skip
def test_a_shape_is_feafas_unit(arkit, feafa):
    made = units.feafa_of_arkit(face(**{arkit: 0.8}))[0]
    assert {n: round(float(v), 3) for n, v in zip(units.FEAFA, made, strict=True) if v} == {feafa: 0.8}


def test_feafa_raises_brows_as_a_whole():
    whole = units.feafa_of_arkit(face(browInnerUp=1.0, browOuterUpLeft=1.0))[0]
    assert whole[units.FEAFA.index("BrowRaiseLeft")] == pytest.approx(1.0)
    assert whole[units.FEAFA.index("BrowRaiseRight")] == pytest.approx(0.5)


@given(st.lists(st.floats(0, 1, width=32), min_size=24, max_size=24))
def test_feafa_says_what_it_did_not_measure(values):
    measured = units.from_feafa(np.array([values]))
    unknown = {n for n, k in zip(units.SIDED, measured.known, strict=True) if not k}
    assert {n.rstrip("LR") for n in unknown} == {"AU01", "AU06", "AU07", "AU14", "AU15", "AU22", "AU24"}
    assert (measured.values[:, ~measured.known] == 0).all()
    assert measured.values.max() <= 1


def test_facs_names_with_and_without_sides():
    measured = units.from_facs(np.array([[0.4, 0.7, 0.2, 0.9]]), ("AU12", "AU04L", "AU45", "gaze"))
    assert shown(measured) == {"AU04L": 0.7, "AU12L": 0.4, "AU12R": 0.4, "AU43L": 0.2, "AU43R": 0.2}
    assert measured.known.sum() == 5
    with pytest.raises(DataError, match="expected FACS names"):
        units.from_facs(np.zeros((1, 2)), ("yaw", "pitch"))


def test_which_side_leads():
    strength, lean = units.strengths(
        units.from_arkit(face(mouthSmileLeft=0.2, mouthSmileRight=0.8, jawOpen=0.5)).values
    )
    smile, jaw = units.UNITS.index("AU12"), units.UNITS.index("AU26")
    assert (strength[0, smile], lean[0, smile]) == pytest.approx((0.8, -0.75))
    assert (strength[0, jaw], lean[0, jaw]) == pytest.approx((0.5, 0.0))


def test_flipping_twice_changes_nothing():
    assert (units.FLIPPED[units.FLIPPED] == np.arange(39)).all()
    assert np.count_nonzero(units.FLIPPED - np.arange(39)) == 30


def test_a_row_of_another_length_is_refused():
    with pytest.raises(DataError, match=r"expected \(T, 24\)"):
        units.from_feafa(np.zeros((1, 23)))


def told(**shapes):
    return {
        n: round(float(v), 3)
        for n, v in zip(units.FACS, units.facs_of_arkit(face(**shapes))[0], strict=True)
        if v
    }


def test_units_as_they_are_told():
    assert told(mouthSmileLeft=0.8, mouthSmileRight=0.4) == {"AU12": 0.6}
    assert told(jawOpen=0.3) == {"AU25": 0.3, "AU26": 0.6}
    assert told(jawOpen=0.75)["AU27"] == 0.5
    assert "AU25" not in told(jawOpen=0.3, mouthClose=0.3), "lips that are shut are not parted"
    assert told(eyeBlinkLeft=1, eyeBlinkRight=1) == {"AU45": 1.0}
    assert told(mouthRollLower=0.6) == {"AU28": 0.3}
    assert told(browInnerUp=2.0) == {"AU01": 1.0}
    assert told() == {}


def test_the_mean_of_both_sides_stays_below_the_stronger():
    values = units.from_arkit(face(mouthSmileLeft=0.2, mouthSmileRight=0.8, jawOpen=0.5)).values
    both, (strongest, _) = units.unsided(values)[0], units.strengths(values)
    assert both[units.UNITS.index("AU12")] == pytest.approx(0.5)
    assert (both <= strongest[0]).all()
