"""Rest is calm, and what moves does not lag."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.see.smoothing import OneEuro
from kinesics.see.tracking import _CALM, _QUICK

RATE = 25.0


def smoothed(values: np.ndarray, unit: float = 1.0, rate: float = RATE) -> np.ndarray:
    """A face's points (T, 478, 3) as tracking smooths them."""
    rest, beta = _CALM["face"]
    smooth = OneEuro(rest=rest, beta=beta, speed=4.0)
    return np.array([smooth(v.astype(np.float32), rate, unit) for v in values])


def face(values: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values[:, None, None], (len(values), 478, 3))


def lag(made: np.ndarray, true: np.ndarray, rate: float) -> float:
    """Milliseconds by which the truth must be delayed to fit best."""
    times = np.arange(len(true)) / rate
    delays = np.linspace(-0.02, 0.1, 241)
    return (
        1000 * delays[np.argmin([np.square(np.interp(times - d, times, true) - made).sum() for d in delays])]
    )


def ease(u: np.ndarray) -> np.ndarray:
    u = np.clip(u, 0, 1)
    return u * u * (3 - 2 * u)


@pytest.mark.parametrize("rate", [25.0, 30.0, 60.0])
def test_a_blink_keeps_its_time_and_depth(rate):
    times = np.arange(round(1.2 * rate)) / rate
    # Closing 90 ms, shut 30 ms, opening 160 ms (Schiffman 2001: 100 to 400 ms); lids are a twentieth of the face apart.
    gap = 0.05 * (1 - ease((times - 0.4) / 0.09) + ease((times - 0.52) / 0.16))
    lids = smoothed(face(gap), rate=rate)[:, np.flatnonzero(_QUICK)[0], 1]
    assert lag(lids, gap, rate) < 8
    assert lids.min() - gap.min() < 0.1 * 0.05


def test_lips_of_quick_speech_keep_most_of_their_movement():
    times = np.arange(75) / RATE
    lips = 0.02 * (1 - np.cos(2 * np.pi * 5 * times))
    made = smoothed(face(lips))[:, np.flatnonzero(_QUICK)[0], 1]
    assert lag(made[25:], lips[25:], RATE) < 10
    assert np.ptp(made[25:]) > 0.88 * np.ptp(lips)


def test_a_turning_head_takes_lids_and_brows_along_alike():
    way = 0.5 * ease((np.arange(50) / RATE - 0.5) / 0.5)
    made = smoothed(face(way))[:, :, 0]
    quick, slow = made[:, _QUICK].mean(axis=1), made[:, ~_QUICK].mean(axis=1)
    assert np.abs(quick - slow).max() < 0.002  # of the face; lids are 0.05 apart


def test_noise_at_rest_is_calmed():
    noise = np.random.default_rng(1).normal(0, 0.0015, (400, 478, 3))
    made = smoothed(noise)[50:].std(axis=0).mean(axis=1) / noise.std()
    assert made[~_QUICK].mean() < 0.65
    assert made[_QUICK].mean() < 0.85


def test_a_face_that_changes_its_size_does_not_drag_still_points():
    rest, beta = _CALM["face"]
    smooth = OneEuro(rest=rest, beta=beta)
    still = np.full((478, 3), 300, np.float32)
    for unit in (100, 140, 90, 200):
        assert np.array_equal(smooth(still, RATE, unit), still)


def uneven(seed: int) -> np.ndarray:
    """Seconds of pictures of a camera that stumbles: from 12 to 40 a second, with a pause."""
    steps = np.random.default_rng(seed).uniform(1 / 40, 1 / 12, 60)
    steps[30] = 0.4
    return np.cumsum(steps)


def test_uneven_pictures_are_smoothed_by_the_time_between_them():
    times = uneven(2)
    way = 10 * ease((times - 1.0) / 0.8)
    rest, beta = _CALM["face"]
    by_time, by_count = (OneEuro(rest=rest, beta=beta, speed=4.0) for _ in range(2))
    rates = 1 / np.diff(times, prepend=times[0] - 0.04)
    measured, assumed = [], []
    for value, rate in zip(way, rates, strict=True):
        points = np.full((478, 3), value, np.float32)
        measured.append(by_time(points, rate, 100.0)[~_QUICK][0, 0])
        assumed.append(by_count(points, 100.0, 100.0)[~_QUICK][0, 0])
    # Taken for 100 pictures a second, the same movement lags twice as far.
    assert np.abs(measured - way).max() < 0.6 * np.abs(assumed - way).max()


def test_after_a_long_pause_a_point_is_where_it_is_seen():
    smooth = OneEuro(rest=1.5, beta=0.0, speed=4.0)
    smooth(np.float32([0.0]), 25.0)
    assert smooth(np.float32([1.0]), 1 / 30)[0] > 0.99  # half a minute in the background
    assert smooth(np.float32([0.0]), 25.0)[0] > 0.6
