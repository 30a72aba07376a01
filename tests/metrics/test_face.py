"""Face metrics: torchmetrics and torch as oracles, signs, sets, names, axes."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError
from kinesics.metrics import face
from tests.metrics.inputs import golden
from tests.metrics.oracles.face import inputs

INPUT, GOLD = inputs(), golden("face")
TRUE, GUESS, LIPS, UPPER = INPUT["true"], INPUT["guess"], INPUT["lips"], INPUT["upper"]


def test_lve_agrees_with_torchmetrics():
    assert face.lve(TRUE, GUESS, LIPS) == pytest.approx(GOLD["lve"], abs=1e-6)


def test_lve_takes_the_worst_vertex_squared_and_only_of_the_set():
    true = np.zeros((2, 5, 3))
    guess = true.copy()
    guess[0, 1] = [3, 0, 4]
    guess[1, 4] = [100, 0, 0]
    assert face.lve(true, guess, [0, 1, 2]) == 12.5
    assert face.vertex_error(true, guess, [0, 1, 2], squared=False) == 2.5
    assert face.vertex_error(true, guess, [0, 1, 2], reduce="mean") == pytest.approx(25 / 6)
    assert face.lve(true, guess, np.array([True, True, True, False, False])) == 12.5
    assert face.vertex_error(true, guess) == pytest.approx((25 + 10_000) / 2)


def test_lve_means_over_frames_not_over_sequences():
    still, off = np.zeros((9, 2, 3)), np.ones((1, 2, 3))
    got = face.lve([still, np.zeros((1, 2, 3))], [still, off], [0])
    assert got == pytest.approx(3 / 10)


def test_mve_fdd_and_diversities_agree_with_torch():
    assert face.mve(TRUE, GUESS) == pytest.approx(GOLD["mve"], abs=1e-9)
    assert face.fdd(TRUE, GUESS, INPUT["template"], UPPER) == pytest.approx(GOLD["fdd"], abs=1e-9)
    absolute = face.fdd(TRUE, GUESS, [INPUT["template"]] * 2, UPPER, absolute=True)
    assert absolute == pytest.approx(GOLD["fdd_absolute"], abs=1e-9)
    assert face.face_diversity(INPUT["samples"]) == pytest.approx(GOLD["diversity"], abs=1e-9)
    assert face.style_diversity(INPUT["codes"]) == pytest.approx(GOLD["style"], abs=1e-9)


def test_perfect_faces():
    assert face.lve(TRUE, TRUE, LIPS) == face.mve(TRUE, TRUE) == face.eve(TRUE, TRUE, UPPER) == 0
    assert face.fdd(TRUE, TRUE, INPUT["template"], UPPER) == 0
    assert face.mod(TRUE[0], TRUE[0], upper_lip=3, lower_lip=9) == 0
    assert face.weight_error(INPUT["weights"], INPUT["weights"], ARKIT) == 0


def test_fdd_is_signed():
    rest = np.zeros((3, 3))
    lively = np.zeros((4, 3, 3))
    lively[::2, 0, 1] = 2.0  # squared distances 4, 0, 4, 0: standard deviation 2
    assert face.fdd(lively, np.zeros_like(lively), rest, [0]) == 2.0
    assert face.fdd(np.zeros_like(lively), lively, rest, [0]) == -2.0
    assert face.fdd(np.zeros_like(lively), lively, rest, [0], absolute=True) == 2.0


def test_fdd_leaves_out_what_is_at_rest_in_another_template():
    # a wrong speaker's template changes the number: it must be the right one
    other = INPUT["template"] + 1
    assert face.fdd(TRUE, GUESS, other, UPPER) != pytest.approx(GOLD["fdd"], abs=1e-3)


def test_mouth_opening():
    true = np.zeros((3, 2, 3))
    true[:, 0, 1] = [0, 5, 10]
    guess = true * 0.5
    assert face.mod(true, guess) == pytest.approx(2.5)
    assert face.mod([0.0, 5.0, 10.0], [0.0, 2.5, 5.0]) == pytest.approx(2.5)


def test_weights_are_chosen_by_name_and_not_by_place():
    w, g = INPUT["weights"], INPUT["guessed"]
    order = np.argsort(ARKIT, kind="stable")[::-1]
    names = [ARKIT[i] for i in order]
    for only in (None, face.MOUTH_NAMES):
        here = face.weight_error(w, g, ARKIT, only=only)
        assert face.weight_error(w[:, order], g[:, order], names, only=only) == pytest.approx(here)
        assert face.weight_error(w, g, ARKIT, only=only) > 0
    assert face.weight_error(w, g, ARKIT) == pytest.approx(np.mean(np.sqrt(((w - g) ** 2).sum(1))))
    moved = w.copy()
    moved[:, ARKIT.index("browInnerUp")] += 1
    assert face.weight_error(w, moved, ARKIT, only=face.MOUTH_NAMES) == 0
    assert face.weight_dynamics(w, moved, ARKIT) != 0
    assert face.weight_dynamics(w, w, ARKIT) == 0
    assert face.weight_dynamics(w, 0 * w, ARKIT) > 0
    with pytest.raises(DataError, match="no 'browInnerUp'"):
        face.weight_dynamics(w[:, :3], w[:, :3], ["a", "b", "c"], only=["browInnerUp"])
    with pytest.raises(DataError, match="52 columns but 51 names"):
        face.weight_error(w, g, ARKIT[:-1])


def test_sets_of_names_are_arkits():
    assert set(face.MOUTH_NAMES) <= set(ARKIT)
    assert len(face.MOUTH_NAMES) == 28
    assert not set(face.MOUTH_NAMES) & set(face.UPPER_NAMES)
    assert not any(n.startswith("eyeLook") for n in face.UPPER_NAMES)


def test_accuracy_counts_what_was_not_understood():
    assert face.accuracy(["a", "b", "c", "d"], ["a", None, "c", "x"]) == 0.5
    with pytest.raises(DataError, match="2 true and 1 answered"):
        face.accuracy(["a", "b"], ["a"])
    with pytest.raises(DataError, match="item 1 has no true label"):
        face.accuracy(["a", None], ["a", "b"])


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.zeros((4, 120)), np.zeros((4, 120)), "shape"),
        (np.zeros((4, 3, 40)), np.zeros((4, 3, 40)), r"shape \(4, 3, 40\); expected \(T, V, 3\)"),
        (np.zeros((4, 5, 3)), np.zeros((5, 5, 3)), "cut them to one length"),
        (np.full((4, 5, 3), np.nan), np.zeros((4, 5, 3)), "not finite"),
        (np.zeros((0, 5, 3)), np.zeros((0, 5, 3)), "0 along T"),
        ({}, {}, "a dict; expected an array"),
    ],
)
def test_bad_vertices_are_refused(a, b, words):
    with pytest.raises(DataError, match=words):
        face.lve(a, b, [0])


@pytest.mark.parametrize("lips", [[], [40], [-1], [0.5], "lips", np.zeros(40, bool)])
def test_bad_sets_are_refused(lips):
    with pytest.raises(DataError, match="vertex set"):
        face.lve(TRUE, GUESS, lips)


def test_fdd_templates_must_fit():
    with pytest.raises(DataError, match="template: 39 vertices; the sequence has 40"):
        face.fdd(TRUE, GUESS, INPUT["template"][:-1], UPPER)
    with pytest.raises(DataError, match="template: 3 for 2 sequences"):
        face.fdd(TRUE, GUESS, [INPUT["template"]] * 3, UPPER)


def test_evaluate():
    out = face.evaluate(
        TRUE, GUESS, lips=LIPS, upper=UPPER, template=INPUT["template"], middle=(3, 9), unit="m"
    )
    assert list(out) == ["LVE", "MVE", "EVE", "FDD", "MOD"]
    assert out["LVE"].unit == "m²"
    assert out["LVE"].n == 56
    assert out["FDD"].direction == "zero"
    assert set(face.evaluate(TRUE, GUESS, lips=LIPS)) == {"LVE", "MVE"}
