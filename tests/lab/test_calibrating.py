"""Probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.lab.calibrating import calibration_error, shares_of, temperature_of, unlikeliness
from kinesics.seeds import rng


def drawn(temperature, count=4000):
    """Scores that are too sure by a factor, and labels drawn from what is true."""
    stream = rng(3, "calibrating")
    scores = 2 * stream.standard_normal((count, 5))
    true = shares_of(scores)
    labels = (true.cumsum(axis=1) > stream.random((count, 1))).argmax(axis=1)
    return scores * temperature, labels


@pytest.mark.parametrize("too_sure", [0.4, 1.0, 3.0])
def test_the_temperature_is_found_and_mends_the_error(too_sure):
    scores, labels = drawn(too_sure)
    found = temperature_of(scores, labels)
    assert found == pytest.approx(too_sure, rel=0.1)
    before, after = shares_of(scores), shares_of(scores, found)
    assert calibration_error(after, labels) < 0.03
    assert calibration_error(after, labels) <= calibration_error(before, labels) + 0.01
    assert unlikeliness(after, labels) <= unlikeliness(before, labels) + 1e-4
    np.testing.assert_array_equal(after.argmax(1), before.argmax(1))


def test_what_is_surely_right_has_no_error_and_what_is_surely_wrong_all():
    sure = np.eye(3)[[0, 1, 2, 0]]
    assert calibration_error(sure, [0, 1, 2, 0]) == 0
    assert calibration_error(sure, [1, 2, 0, 1]) == 1


def test_shapes_that_do_not_fit_are_told():
    with pytest.raises(DataError, match="expected"):
        temperature_of(np.zeros((3, 2)), [0, 1])
