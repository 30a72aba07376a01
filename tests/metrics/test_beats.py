"""The four beat scores: each against plain loops of its published rule, and against its own traps."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics import beats
from kinesics.metrics._signal import local_minima, smooth
from tests.metrics.inputs import golden, noise, walk
from tests.metrics.oracles.gesture import inputs

INPUT, GOLD = inputs(), golden("gesture")


def test_small_filters_agree_with_scipy():
    signal = noise(60, seed=40)
    for order, found in GOLD["minima"].items():
        assert local_minima(signal, order=int(order)).tolist() == found
    assert smooth(signal, 5) == pytest.approx(GOLD["smoothed"], abs=1e-12)
    assert local_minima(np.array([3.0, 1.0, 1.0, 3.0])).tolist() == []  # a plateau is none
    assert local_minima(np.array([0.0, 1.0, 0.0])).tolist() == []  # nor are the ends
    assert local_minima(np.zeros(0)).tolist() == []


def test_hits_by_hand():
    got = beats.hits(np.array([1.0, 2.0]), np.array([2.3, 1.0]), 0.3)
    assert got == pytest.approx([1.0, np.exp(-0.5)])
    assert beats.hits(np.array([1.0]), np.zeros(0), 0.3).tolist() == [0.0]


@pytest.mark.parametrize(("name", "joint"), [("forearm", 2), ("shoulder", 0), ("chain", None)])
def test_beat2022_agrees_with_plain_loops(name, joint):
    got = beats.bc_beat2022(INPUT["arm"], INPUT["beats"], joint=joint)
    assert got == pytest.approx(GOLD[f"bc_beat2022_{name}"], abs=1e-9)


def test_beat2022_counts_from_ten_seconds_only():
    early = np.concatenate([INPUT["beats"], np.linspace(0, 9.9, 50)])
    assert beats.bc_beat2022(INPUT["arm"], early) == beats.bc_beat2022(INPUT["arm"], INPUT["beats"])
    with pytest.raises(DataError, match="audio beats: none from 10 s"):
        beats.bc_beat2022(INPUT["arm"], [1.0, 2.0])
    with pytest.raises(DataError, match="end before 10 s"):
        beats.bc_beat2022(INPUT["arm"][:100], INPUT["beats"])


def test_beat2022_hears_the_forearm_alone_by_default():
    other = INPUT["arm"].copy()
    other[:, :6] = 0
    assert beats.bc_beat2022(other, INPUT["beats"]) == beats.bc_beat2022(INPUT["arm"], INPUT["beats"])
    with pytest.raises(DataError, match=r"joint 3; expected 0 \(shoulder\)"):
        beats.bc_beat2022(other, INPUT["beats"], joint=3)


@pytest.mark.parametrize("mask", ["published", "aligned"])
def test_beat2_agrees_with_plain_loops(mask):
    got = beats.bc_beat2(INPUT["bodies"][1], INPUT["beats"], mean_speed=INPUT["usual"], mask=mask)
    assert got == pytest.approx(GOLD[f"bc_beat2_{mask}"], abs=1e-9)


def test_beat2_ignores_where_the_body_stands():
    body = 0.02 * noise(260, 55, 3, seed=51)
    moved = body + 3 * noise(260, 1, 3, seed=50)
    same = beats.bc_beat2(body, INPUT["beats"], mean_speed=INPUT["usual"])
    assert beats.bc_beat2(moved, INPUT["beats"], mean_speed=INPUT["usual"]) == pytest.approx(same, abs=1e-9)


def test_beat2_perfect_when_every_minimum_is_a_beat_and_zero_when_still():
    # All 13 joints slow down together every 20 frames; the audio beats are just there.
    pace = np.cumsum(1.2 + np.cos(2 * np.pi * (np.arange(300) - 10) / 20 + np.pi))
    body = np.zeros((300, 55, 3))
    body[:, 1:, 0] = 0.01 * pace[:, None]
    at = (np.arange(70, 240, 20) + np.array([[0]])).ravel() / 30
    speed = beats.joint_speed(body)
    found = local_minima(speed[60:240, 3], order=7) + 60
    usual = np.full(55, speed[:, 3].min())
    assert beats.bc_beat2(body, found / 30, mean_speed=usual, mask="aligned") == 1.0
    assert beats.bc_beat2(np.zeros((300, 55, 3)), at, mean_speed=np.ones(55)) == 0.0


def test_beat2_refuses_swapped_axes_and_missing_speeds():
    with pytest.raises(DataError, match=r"expected \(T, J, 3\)"):
        beats.bc_beat2(np.zeros((55, 3, 300)), [3.0], mean_speed=np.ones(55))
    with pytest.raises(DataError, match="from 3 to 21; there are 20"):
        beats.bc_beat2(np.zeros((200, 20, 3)), [3.0], mean_speed=np.ones(20))
    with pytest.raises(DataError, match="55 along T; at least 122 needed"):
        beats.bc_beat2(np.zeros((55, 300, 3)), [3.0], mean_speed=np.ones(300))
    with pytest.raises(DataError, match=r"mean speed: shape \(22,\); expected \(55,\)"):
        beats.bc_beat2(np.zeros((200, 55, 3)), [3.0], mean_speed=np.ones(22))
    with pytest.raises(DataError, match="mean speed: not above 0"):
        beats.bc_beat2(np.zeros((200, 55, 3)), [3.0], mean_speed=np.zeros(55))
    with pytest.raises(DataError, match="choose one of: published, aligned"):
        beats.bc_beat2(np.zeros((200, 55, 3)), [3.0], mean_speed=np.ones(55), mask="x")


def test_joint_speed_is_in_metres_per_second():
    body = np.zeros((10, 2, 3))
    body[:, 1, 2] = np.arange(10) / 30 * 0.7
    assert beats.joint_speed(body, fps=30)[:, 1] == pytest.approx(np.full(10, 0.7))


def test_ted_agrees_with_plain_loops_and_skips_still_clips():
    clips, sound = INPUT["directions"], INPUT["clip_beats"]
    assert beats.bc_ted(clips, sound) == pytest.approx(GOLD["bc_ted"], abs=1e-9)
    still = np.repeat(clips[0][:1], 34, axis=0)
    assert beats.bc_ted([*clips, still], [*sound, [0.5]]) == beats.bc_ted(clips, sound)
    with pytest.raises(DataError, match="no clip has both"):
        beats.bc_ted([still], [[0.5]])


def test_ted_needs_the_mean_added_back():
    mean = noise(9, 3, seed=13)
    clips = [c - mean for c in INPUT["directions"]]
    assert beats.bc_ted(clips, INPUT["clip_beats"], mean=mean) == pytest.approx(GOLD["bc_ted"], abs=1e-9)
    assert beats.bc_ted(clips, INPUT["clip_beats"]) != pytest.approx(GOLD["bc_ted"], abs=1e-3)
    with pytest.raises(DataError, match="1 lists for 4 clips"):
        beats.bc_ted(clips, [[0.1]])


@pytest.mark.parametrize("variant", ["bailando", "fact"])
def test_bas_agrees_with_plain_loops(variant):
    got = beats.bas_aist(INPUT["dance"], INPUT["music"], variant=variant)
    assert got == pytest.approx(GOLD[f"bas_{variant}"], abs=1e-9)


def test_bas_counts_frames_and_takes_flags():
    flags = np.zeros(300, bool)
    flags[INPUT["music"]] = True
    assert beats.bas_aist(INPUT["dance"], flags) == beats.bas_aist(INPUT["dance"], INPUT["music"])
    with pytest.raises(DataError, match="not whole frames; expected frame indices"):
        beats.bas_aist(INPUT["dance"], INPUT["music"] / 60)
    with pytest.raises(DataError, match="none within the 300 frames"):
        beats.bas_aist(INPUT["dance"], [400])
    with pytest.raises(DataError, match=r"expected \(T, 24, 3\)"):
        beats.bas_aist(walk(300, 22), INPUT["music"])


def test_the_four_scores_are_four_numbers():
    # One performer, one set of beats: whoever compares them across papers compares nothing.
    body, sound = INPUT["bodies"][1], INPUT["beats"]
    found = {
        beats.bc_beat2(body, sound, mean_speed=INPUT["usual"]),
        beats.bas_aist(body[:, :24], np.round(sound[sound < 4] * 60)),
        beats.bas_aist(body[:, :24], np.round(sound[sound < 4] * 60), variant="fact"),
        beats.bc_beat2022(INPUT["arm"], sound),
    }
    assert len({round(f, 3) for f in found}) == 4
