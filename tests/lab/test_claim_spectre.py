"""SPECTRE's claim: who is in what it is tested on, what it is compared with, and when it holds."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from kinesics.bodies.arkit import INDEX
from kinesics.lab import claims
from kinesics.lab.claims import spectre
from kinesics.lab.claims._mouths import Clip, close_ups, heads
from kinesics.see import models


def test_what_teaches_what_judges_and_what_is_judged_share_nobody():
    seeds = [seed for _, seed, *_ in spectre._PARTS.values()]
    assert len(set(seeds)) == len(seeds)


def test_it_is_compared_with_an_ablation_the_truth_and_controls():
    claim = claims.find("spectre")
    assert {a.name for a in claim.arms} == {
        "spectre", "no lips", "landmarks", "coarse", "truth", "other", "late", "still"
    }  # fmt: skip
    usual = {**dict.fromkeys(claim.measures, 1.0), "VER*, film": 0.5, "VER*, landmarks": 0.5}

    def holds(**changed):
        made = {
            a.name: {m: np.full(3, {**usual, **changed.get(a.name, {})}[m]) for m in usual}
            for a in claim.arms
        }
        return list(claim.holds(made).values())

    better = {"VER*, film": 0.4, "VER*, landmarks": 0.4}
    told = {"truth": {"VER*, film": 0.2, "VER*, landmarks": 0.2}}
    assert holds(spectre=better, **told) == [True] * 5
    assert holds(spectre={**better, "off detected, mm": 1.3}, **told) == [True] * 4 + [False]
    assert holds(spectre=better, coarse={"VER*, film": 0.3}, **told) == [True, True, True, False, True]
    assert holds(spectre={"VER*, film": 0.4}, **told) == [True, False, False, False, True]
    assert holds() == [False, False, False, False, True]


def test_clips_are_kept_and_a_face_is_filmed_where_its_truth_was(tmp_path):
    first = close_ups(2, tmp_path, seed=9, people=1, spoken=False)
    again = close_ups(2, tmp_path, seed=9, people=1, spoken=False)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.film, b.film)
        np.testing.assert_array_equal(a.truth, b.truth)
    clip = first[0]
    assert len(clip.film) == len(clip.truth) == len(clip.show.face)
    np.testing.assert_array_equal(clip.filmed(clip.truth[:3]), clip.film[:3])
    gaping = clip.truth[:1].copy()
    gaping[:, INDEX["jawOpen"]] = 1
    assert not np.array_equal(clip.filmed(gaping), clip.film[:1])


@pytest.mark.skipif(not models.available(), reason="landmark models have not been fetched")
def test_a_head_carries_what_was_found_and_its_truth(tmp_path):
    (clip,) = heads(1, tmp_path, seed=9, people=1, spoken=False)
    assert len(clip.film) == len(clip.truth) == len(clip.show.face) == len(clip.show["landmarks"])
    assert not np.array_equal(clip.show.face.values, clip.truth)
    true = clip.true()
    np.testing.assert_array_equal(true.show.face.values, clip.truth)
    assert "landmarks" not in true.show


def test_another_clips_lips_are_the_same_persons_and_as_long():
    shows = [Clip(None, np.full((n, 52), n, np.float32), None, 0, n, 2) for n in range(3, 7)]
    others = spectre._others(shows)
    assert [len(o) for o in others] == [3, 4, 5, 6]
    assert [o[0, 0] for o in others] == [5, 6, 3, 4]
