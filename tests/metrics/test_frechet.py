"""The Fréchet distance: against scipy's matrix root, singular covariances, few samples."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics.frechet import bias_note, frechet_distance, frechet_of_moments
from tests.metrics.inputs import golden, noise
from tests.metrics.oracles.gesture import inputs

INPUT, GOLD = inputs(), golden("gesture")


def test_equal_sets_are_at_no_distance_even_when_samples_are_few():
    for x in (INPUT["x"], INPUT["few"]):
        assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
        assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9)


def test_one_dimension_by_hand():
    # means 1 and 4, standard deviations 1 and 3 (divided by n - 1): 9 + (3 - 1)²
    a = np.array([0.0, 1.0, 2.0])[:, None]
    b = np.array([1.0, 4.0, 7.0])[:, None]
    assert frechet_distance(a, b) == pytest.approx(13)


def test_agrees_with_scipys_matrix_root():
    assert frechet_distance(INPUT["x"], INPUT["y"]) == pytest.approx(GOLD["fgd"], abs=1e-6)


def test_the_offset_of_the_published_tools():
    with_offset = frechet_distance(INPUT["x"], INPUT["few"], offset=1e-6)
    assert with_offset == pytest.approx(GOLD["fgd_offset"], abs=1e-6)
    # 10 samples in 24 dimensions: the covariance is singular and the offset shows
    assert frechet_distance(INPUT["x"], INPUT["few"]) != pytest.approx(with_offset, abs=1e-6)


def test_moments_give_what_the_samples_give():
    x, y = INPUT["x"], INPUT["y"]
    got = frechet_of_moments(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))
    assert got == pytest.approx(frechet_distance(x, y), abs=1e-9)


def test_rotating_both_changes_nothing_and_moving_one_adds_the_square():
    x, y = INPUT["x"], INPUT["y"]
    turn = np.linalg.qr(noise(24, 24, seed=99))[0]
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(frechet_distance(x, y), abs=1e-8)
    assert frechet_distance(x, x + 2.0) == pytest.approx(4.0 * 24, abs=1e-8)


def test_few_samples_are_said_to_be_biased(caplog):
    assert bias_note(240, 5000, 24) is None
    assert bias_note(40, 5000, 240) == "biased: 40 samples for 240 dimensions"
    with caplog.at_level(logging.WARNING):
        frechet_distance(INPUT["x"], INPUT["few"])
    assert "biased: 10 samples for 24 dimensions" in caplog.text


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros(5), np.zeros((5, 2)), r"reference features: shape \(5,\); expected \(n, d\)"),
        (np.zeros((5, 2)), np.zeros((5, 3)), "2 dimensions in the reference, 3 in the estimate"),
        (np.zeros((1, 2)), np.zeros((5, 2)), "1 along n; at least 2 needed"),
        (np.zeros((5, 2)), np.zeros((0, 2)), "estimated features: 0 along m; at least 2 needed"),
        (np.zeros((5, 2)), np.full((5, 2), np.nan), r"estimated features: not finite at \(0, 0\)"),
        ("text", np.zeros((5, 2)), "not an array of numbers"),
    ],
)
def test_bad_features_are_refused(x, y, words):
    with pytest.raises(DataError, match=words):
        frechet_distance(x, y)


def test_bad_moments_are_refused():
    with pytest.raises(DataError, match="not symmetric"):
        frechet_of_moments([0, 0], [[1, 2], [0, 1]], [0, 0], np.eye(2))
    with pytest.raises(DataError, match="eigenvalue is -1"):
        frechet_of_moments([0, 0], np.eye(2), [0, 0], np.diag([1, -1]))
    with pytest.raises(DataError, match="2 and 3 dimensions"):
        frechet_of_moments([0, 0], np.eye(2), [0, 0, 0], np.eye(2))
