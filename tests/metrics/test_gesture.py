"""Gesture metrics: golden values, perfect estimates, and the traps of each."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics import gesture
from tests.metrics.inputs import golden, noise, walk
from tests.metrics.oracles.gesture import inputs

INPUT, GOLD = inputs(), golden("gesture")


def test_l1div_agrees_with_plain_loops():
    assert gesture.l1div(INPUT["bodies"]) == pytest.approx(GOLD["l1div"], abs=1e-9)


def test_l1div_is_zero_when_still_and_ignores_the_bodys_travel():
    still = np.repeat(walk(1, 55), 40, axis=0)
    assert gesture.l1div(still) == pytest.approx(0, abs=1e-12)
    assert gesture.l1div(still + walk(40, 1, seed=3)) == pytest.approx(0, abs=1e-12)
    assert gesture.l1div(still + walk(40, 1, seed=3), root=None) > 1


def test_l1div_sums_over_coordinates_and_weights_by_frames():
    body = walk(30, 4, seed=1)
    body[:, 0] = 0
    assert gesture.l1div(np.concatenate([body, body], axis=1)) == pytest.approx(2 * gesture.l1div(body))
    still = np.zeros((90, 4, 3))
    assert gesture.l1div([body, still]) == pytest.approx(gesture.l1div(body) * 30 / 120)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_srgr_agrees_with_plain_loops(norm):
    got = gesture.srgr(INPUT["angles"], INPUT["wrong"], INPUT["semantic"], norm=norm)
    assert got == pytest.approx(GOLD[f"srgr_{norm}"], abs=1e-9)


def test_srgr_of_a_perfect_estimate_is_the_mean_semantic_score_over_its_mean_in_beat():
    angles = INPUT["angles"]
    assert gesture.srgr(angles, angles, np.full(60, 0.165)) == pytest.approx(1)
    assert gesture.srgr(angles, angles, np.full(60, 0.33)) == pytest.approx(2)
    assert gesture.srgr(angles, angles, None) == 1


def test_srgr_sums_the_three_channels():
    # 1.5° on each channel: L1 4.5 misses δ = 4, the Euclidean 2.6 would hit
    angles = np.zeros((5, 47, 3))
    assert gesture.srgr(angles, angles + 1.5, np.ones(5)) == 0
    assert gesture.srgr(angles, angles + 1.5, np.ones(5), norm="l2") == pytest.approx(1 / 0.165)


def test_srgr_in_radians_would_hit_everything():
    # the trap of δ: the same errors in another unit
    wrong = np.radians(INPUT["wrong"]), np.radians(INPUT["angles"])
    assert gesture.srgr(wrong[0], wrong[1], None) == 1
    assert gesture.srgr(wrong[0], wrong[1], None, delta=np.radians(4)) < 0.9


def test_srgr_faults():
    angles = INPUT["angles"]
    with pytest.raises(DataError, match=r"semantic scores: shape \(59,\); expected \(60,\)"):
        gesture.srgr(angles, angles, np.ones(59))
    with pytest.raises(DataError, match="semantic scores: 0 to 3; expected 0 to 1"):
        gesture.srgr(angles, angles, np.linspace(0, 3, 60))
    with pytest.raises(DataError, match="delta: 0"):
        gesture.srgr(angles, angles, None, delta=0)
    with pytest.raises(DataError, match="choose one of: l1, l2"):
        gesture.srgr(angles, angles, None, norm="max")


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.zeros((4, 165)), np.zeros((4, 165)), r"expected \(T, J, 3\)|not an array|shape"),
        (np.zeros((5, 4, 3)), np.zeros((6, 4, 3)), r"reference \(5, 4, 3\) and estimate \(6, 4, 3\)"),
        (np.zeros((5, 3, 4)), np.zeros((5, 3, 4)), r"shape \(5, 3, 4\); expected \(T, J, 3\)"),
        (np.zeros((0, 4, 3)), np.zeros((0, 4, 3)), "0 along T"),
        (np.full((5, 4, 3), np.inf), np.zeros((5, 4, 3)), r"not finite at \(0, 0, 0\)"),
        ([np.zeros((5, 4, 3))] * 2, [np.zeros((5, 4, 3))], "2 reference sequences but 1"),
        ([], [], "no sequences"),
    ],
)
def test_bad_sequences_are_refused(a, b, words):
    with pytest.raises(DataError, match=words):
        gesture.validate(a, b)


def test_evaluate_gives_scores_with_their_circumstances():
    bodies, sound = INPUT["bodies"], [INPUT["beats"]] * 2
    out = gesture.evaluate(
        bodies, bodies, audio_beats=sound, reference_features=INPUT["x"],
        estimated_features=INPUT["few"], extractor="test@0",
    )  # fmt: skip
    assert out["L1div"].value == out["L1div of reference"].value == pytest.approx(GOLD["l1div"])
    assert out["BC-BEAT2"].settings["sigma"] == 0.3
    assert "not from the whole data set" in out["BC-BEAT2"].notes[0]
    assert out["BC-BEAT2"].n == 460 - 4 * 60
    assert out["FGD"].notes == ("biased: 10 samples for 24 dimensions",)
    assert out["FGD"].extractor == "test@0"
    assert "FGD ↓" in str(out["FGD"])
    unnamed = gesture.fgd_score(INPUT["x"], INPUT["y"], extractor=None)
    assert any("not comparable" in n for n in unnamed.notes)


def test_a_data_sets_value_weights_by_frames():
    assert gesture.frame_weighted([1.0, 0.0], [30, 90]) == 0.25
    with pytest.raises(DataError, match="not all 0"):
        gesture.frame_weighted([1.0], [0])


def test_worse_estimates_score_worse():
    near = INPUT["angles"] + 0.3 * noise(60, 47, 3, seed=60)
    values = [gesture.srgr(INPUT["angles"], e, None) for e in (INPUT["angles"], near, INPUT["wrong"])]
    assert values == sorted(values, reverse=True)
