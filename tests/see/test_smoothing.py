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
    smooth = OneEuro(rate, rest=rest, beta=beta, speed=4.0)
    return np.array([smooth(v.astype(np.float32), unit) for v in values])


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
    smooth = OneEuro(RATE, rest=rest, beta=beta)
    still = np.full((478, 3), 300, np.float32)
    for unit in (100, 140, 90, 200):
        assert np.array_equal(smooth(still, unit), still)
