"""Windows, runs and the clock: known answers, and the same whatever the pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics.errors import DataError
from kinesics.see._clock import RATE, Clock
from kinesics.see._stream import Runs, Windows, labelled, mean
from kinesics.seeds import rng

CUTS = st.lists(st.integers(0, 120), max_size=8).map(lambda cuts: [0, *sorted(cuts), 120])


def pieces(cuts):
    return [(a, b) for a, b in pairwise(cuts) if b > a]


@given(cuts=CUTS, seed=st.integers(0, 50))
def test_windows_give_every_frame_once_whatever_the_pieces(cuts, seed):
    values = rng(seed, "windows").normal(size=(120, 2))

    def averaged(spans):
        windows, out = Windows(4, 4), []
        for a, b in spans:
            out.append(mean(windows.push(values[a:b]), 4))
        out.append(mean(windows.finish(), 4))
        return np.concatenate([o.reshape(-1, 2) for o in out])

    whole, cut = averaged([(0, 120)]), averaged(pieces(cuts))
    assert whole.shape == (120, 2)
    assert np.array_equal(whole, cut)
    assert np.allclose(whole[30], values[26:35].mean(axis=0))


@given(cuts=CUTS, seed=st.integers(0, 200))
def test_runs_do_not_depend_on_the_pieces(cuts, seed):
    draw = rng(seed, "runs")
    values = np.convolve(draw.normal(size=124), np.full(5, 0.4), mode="valid")
    sure, times = draw.random(120), np.arange(120) / 30

    def found(spans):
        runs, out = Runs(on=0.5, off=0.1, fps=30, shortest=0.1, bridge=0.12), []
        for a, b in spans:
            out += runs.push(times[a:b], values[a:b], sure[a:b])
        return out + runs.finish()

    whole = found([(0, 120)])
    assert whole == found(pieces(cuts))
    assert whole == found([(i, i + 1) for i in range(120)])
    assert all(a.end < b.start for a, b in pairwise(whole))


def test_a_run_begins_and_ends_at_the_lower_level_and_is_told_with_its_apex():
    values = np.array([0, 0.2, 0.6, 0.9, 0.4, 0.2, 0, 0.2, 0.3, 0.0])
    runs = Runs(on=0.5, off=0.1, fps=10)
    (only,) = runs.push(np.arange(10) / 10, values) + runs.finish()
    assert (only.start, only.end, only.apex, only.peak) == pytest.approx((0.1, 0.6, 0.3, 0.9))


def test_a_short_gap_is_bridged_and_a_short_run_is_left_out():
    values = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0.0])
    runs = Runs(on=0.5, off=0.5, fps=10, shortest=0.25, bridge=0.1)
    (only,) = runs.push(np.arange(14) / 10, values) + runs.finish()
    assert (only.start, only.end) == pytest.approx((0.0, 0.6))


def test_what_is_not_sure_is_unknown():
    runs = Runs(on=0.5, off=0.5, fps=10)
    (run,) = runs.push(np.arange(5) / 10, np.ones(5), np.full(5, 0.4)) + runs.finish()
    told = labelled(run, "nod", certainty=1.0)
    assert told.label == "unknown"
    assert told.confidence == pytest.approx(0.4)
    assert labelled(run, "nod", certainty=1.0).start == run.start


def test_levels_the_wrong_way_round_are_refused():
    with pytest.raises(DataError, match="no higher"):
        Runs(on=0.1, off=0.5, fps=30)


@given(cuts=CUTS, fps=st.sampled_from([24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60.0, 120.0]))
def test_the_clock_keeps_time_at_any_rate_and_in_any_pieces(cuts, fps):
    seconds = (np.arange(120) / fps)[:, None]
    whole = Clock(fps).push(seconds)
    clock = Clock(fps)
    cut = np.concatenate([clock.push(seconds[a:b]) for a, b in pieces(cuts)])
    assert np.array_equal(whole, cut)
    # A straight line is interpolated exactly: every sample is its own time.
    assert np.allclose(whole[:, 0], np.arange(len(whole)) / RATE, atol=1e-9)
    assert abs(len(whole) - 120 / fps * RATE) <= max(1, RATE / fps) + 1
