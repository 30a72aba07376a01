"""Tracks: smooth joins, minimum jerk, causality, memory."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.behaviour.trajectory import Track, ease, through


def _derivatives(track: Track, times: np.ndarray, h: float = 1e-4) -> tuple[np.ndarray, np.ndarray]:
    low, here, high = (track(times + d) for d in (-h, 0, h))
    return (high - low) / (2 * h), (high - 2 * here + low) / h**2


def test_a_piece_is_minimum_jerk():
    track = Track([0.0, 0.0])
    track.go(2.0, [1.0, -2.0], start=1.0)
    t = np.linspace(1, 2, 101)
    assert np.allclose(track(t), ease(t - 1)[:, None] * [1, -2])
    speed, _ = _derivatives(track, t[1:-1])
    assert speed[:, 0].argmax() == pytest.approx(49, abs=1)
    assert speed[:, 0].max() == pytest.approx(1.875, rel=1e-3)


def test_joins_match_in_value_speed_and_acceleration():
    rng = np.random.default_rng(0)
    track = Track(np.zeros(3))
    for k in range(6):
        track.go(
            k + 1.0,
            rng.normal(size=3),
            start=float(k),
            velocity=rng.normal(size=3),
            bump=0.1 * rng.normal(size=3),
        )
    track.go(4.0, [0.0, 0, 0], start=3.37)
    for join in (1.0, 2.0, 3.37):
        before, after = np.array([join - 1e-6]), np.array([join + 1e-6])
        assert np.allclose(track(before), track(after), atol=1e-4)
        va, aa = _derivatives(track, np.array([join - 2e-4]))
        vb, ab = _derivatives(track, np.array([join + 2e-4]))
        assert np.allclose(va, vb, atol=0.02)
        assert np.allclose(aa, ab, atol=0.6)


def test_what_is_planned_anew_does_not_change_the_past():
    track = Track([0.0])
    track.go(2.0, [1.0], start=0.0, wave=([0.1], [0.05], 3.0))
    t = np.linspace(-1, 1.2, 50)
    before = track(t)
    track.go(3.0, [5.0], start=1.2)
    assert np.allclose(track(t), before, rtol=0, atol=1e-12)


def test_state_agrees_with_values():
    track = Track([0.0])
    track.go(2.0, [1.0], start=0.5, bump=[0.3], wave=([0.1], [0.05], 2.0))
    t = np.array([0.9, 1.3, 1.7])
    v, a = _derivatives(track, t)
    for k, x in enumerate(t):
        value, speed, acceleration = track.state(x)
        assert value == pytest.approx(track(t)[k])
        assert speed == pytest.approx(v[k], abs=1e-2)
        assert acceleration == pytest.approx(a[k], abs=0.2)


def test_lagging_groups_follow_later():
    track, lagging = Track([0.0, 0, 0, 0]), Track([0.0, 0, 0, 0], lags=[0.0, 0.1])
    for x in (track, lagging):
        x.go(1.0, [1.0, 2, 3, 4], start=0.0)
    t = np.linspace(0, 1.5, 40)
    assert np.allclose(lagging(t)[:, :2], track(t)[:, :2])
    assert np.allclose(lagging(t)[:, 2:], track(t - 0.1)[:, 2:])


def test_forgetting_keeps_what_is_needed():
    track = Track([0.0], lags=[0.1])
    for k in range(100):
        track.go(k + 1.0, [float(k % 3)])
    t = np.linspace(90, 110, 200)
    before = track(t)
    track.forget(90.0)
    assert np.array_equal(track(t), before)
    assert len(track._starts) <= 12


def test_a_point_passed_on_the_way_is_never_overshot():
    speed = through(np.array([0.0, 0]), np.array([1.0, 1]), np.array([2.0, 0]), 1.0, 1.0)
    assert speed == pytest.approx([1.0, 0.0])
