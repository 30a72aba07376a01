"""MANO's claim: its rule can fail, its flesh is no linear blend, and what is learned is learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from kinesics.bodies.mano import synthetic_hand
from kinesics.bodies.smpl import pose_model
from kinesics.lab.claims import find
from kinesics.lab.hands import Flesh, learn_correctives, learn_space, shape_poses, six_angles


def numbers(**changes):
    """Numbers with which every part of the claim holds, but for ``changes``: arm → measure → value."""
    good = {
        "mean pose": (11, 0, 11), "1 component": (8, 45, 7), "3 components": (5, 75, 4), "6 components": (3, 90, 2),
        "12 components": (2, 97, 1), "24 components": (0.1, 99, 0.2), "6 angles": (7, 55, 6), "LBS": (0, 100, 0.4),
        "LBS and correctives": (0, 100, 0.1), "shuffled": (0, 100, 5),
    }  # fmt: skip
    claim = find("mano")
    assert [a.name for a in claim.arms] == list(good)
    out = {
        a: {m: np.full(3, float(x)) for m, x in zip(claim.measures, v, strict=True)} for a, v in good.items()
    }
    for arm, by in changes.items():
        for measure, value in by.items():
            out[arm.replace("_", " ")][measure] = np.full(3, float(value))
    return {k for k, v in claim.holds(out).items() if not v}


def test_the_rule_can_hold_and_each_part_can_fail():
    assert not numbers()
    assert numbers(**{"12_components": {"pose error °": 4}}) == {"(a) more components, less error"}
    assert numbers(**{"6_components": {"variance told %": 49}}) == {"(a) six tell most"}
    assert numbers(**{"6_angles": {"pose error °": 2}}) == {"(a) six angles tell less"}
    assert numbers(LBS={"skin error mm": 0.05}) == {"(b) correctives help"}
    assert numbers(shuffled={"skin error mm": 0.1}) == {"(b) and not by chance"}


def test_flesh_keeps_its_volume_and_is_the_template_at_rest():
    hand = synthetic_hand("right")
    flesh = Flesh(hand)
    np.testing.assert_allclose(flesh(np.zeros((1, 45)))[0], hand.vertices, atol=1e-9)
    bent = shape_poses(20, seed=3)
    truth = flesh(bent)
    assert np.isfinite(truth).all()
    edges = hand.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    before = np.linalg.norm(hand.vertices[edges[:, 0]] - hand.vertices[edges[:, 1]], axis=1)
    after = np.linalg.norm(truth[:, edges[:, 0]] - truth[:, edges[:, 1]], axis=-1)
    assert np.quantile(after / before, 0.99) < 2.5


def test_correctives_learned_from_flesh_help_where_they_have_not_been():
    hand = synthetic_hand("right")
    bare = replace(hand, correctives=np.zeros_like(hand.correctives))
    flesh = Flesh(bare)
    train, test = shape_poses(200, seed=1), shape_poses(60, seed=2)
    learned = replace(bare, correctives=learn_correctives(bare, train, flesh(train)))
    truth = flesh(test)
    whole = np.concatenate([np.zeros((60, 3)), test], axis=1)
    errors = [np.linalg.norm(pose_model(m, whole).vertices - truth, axis=-1).mean() for m in (bare, learned)]
    assert errors[1] < 0.6 * errors[0]
    # local: the thumb's bend moves nothing of the little finger
    far = learned.weights[:, 7:10].sum(axis=1) > 0.99
    assert not learned.correctives[far][..., 9 * 12 :].any()


def test_components_are_ordered_and_plain_angles_are_kept_as_they_are():
    train, test = shape_poses(300, seed=1), shape_poses(50, seed=2)
    space = learn_space(train)
    spread = ((train - space.mean) @ space.components.T).var(axis=0)
    assert (np.diff(spread) <= 1e-12).all()
    kept = six_angles(test, train)
    assert (kept == test).all(axis=0).sum() == 6
    assert np.ptp(kept[:, ~(kept == test).all(axis=0)], axis=0).max() == 0
