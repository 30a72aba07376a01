"""SPECTRE's claim: who is in what it is tested on, what it is compared with, and when it holds."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from kinesics.bodies.arkit import INDEX
from kinesics.lab import claims
from kinesics.lab.claims import spectre
from kinesics.lab.claims._mouths import clips


def test_what_teaches_what_judges_and_what_is_judged_share_nobody():
    seeds = [seed for seed, _, _ in spectre._FILMS.values()]
    assert len(set(seeds)) == len(seeds)


def test_it_is_compared_with_an_ablation_the_truth_and_controls():
    claim = claims.find("spectre")
    assert {a.name for a in claim.arms} >= {
        "spectre",
        "landmarks",
        "no lips",
        "coarse",
        "truth",
        "late",
        "still",
    }
    usual = dict.fromkeys(claim.measures, 1.0)

    def holds(**changed):
        made = {
            a.name: {m: np.full(3, {**usual, **changed.get(a.name, {})}[m]) for m in usual}
            for a in claim.arms
        }
        return list(claim.holds(made).values())

    better = {"VER*": 0.8, "off detected, mm": 1.1}
    assert holds(spectre=better) == [True, True, True]
    assert holds(spectre={**better, "off detected, mm": 1.4}) == [True, True, False]
    assert holds(spectre=better, coarse={"VER*": 0.7}) == [True, False, True]
    assert holds() == [False, False, True]


def test_clips_are_kept_and_a_face_is_filmed_where_its_truth_was(tmp_path):
    first = clips(2, tmp_path, seed=9, people=1, spoken=False)
    again = clips(2, tmp_path, seed=9, people=1, spoken=False)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.film, b.film)
        assert a.show["landmarks"].difference(b.show["landmarks"]) == 0
    clip = first[0]
    assert len(clip.film) == len(clip.truth) == len(clip.show["landmarks"])
    np.testing.assert_array_equal(clip.filmed(clip.truth[:3]), clip.film[:3])
    gaping = clip.truth[:1].copy()
    gaping[:, INDEX["jawOpen"]] = 1
    assert not np.array_equal(clip.filmed(gaping), clip.film[:1])
