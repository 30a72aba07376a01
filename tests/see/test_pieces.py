"""Long clips are fitted in pieces: what comes out is what the whole clip gives, and memory stays flat."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from kinesics.geometry import rotations as rot
from kinesics.see import _pieces
from kinesics.see._pieces import joined, pieces
from kinesics.see.body3d import fit_body
from kinesics.see.hands import fit_hand
from kinesics.seeds import rng
from tests.see.test_body3d import talking
from tests.see.test_hands import moving


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(_pieces, "PIECE", 360)
    monkeypatch.setattr(_pieces, "OVERLAP", 120)


def repeated(points, times):
    noisy = np.concatenate([points] * times)
    return noisy + rng(3, "pieces").normal(0, 0.004, noisy.shape)


def walking(count):
    """Pixels of somebody who sits down elsewhere half way."""
    points = talking(count)[2][..., :2]
    x = np.where(np.arange(count) < count // 2, 200.0, 500.0)
    return points * [200, -200] + np.stack([x, np.full(count, 300.0)], axis=1)[:, None]


@pytest.mark.parametrize("count", [1, 359, 360, 361, 600, 601, 1500])
def test_pieces_cover_everything_and_overlap(small, count):
    bounds = pieces(count)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == count
    assert all(b[0] == a[1] - 120 for a, b in itertools.pairwise(bounds))
    values = np.arange(count, dtype=float)[:, None]
    np.testing.assert_allclose(joined([(a, values[a:b]) for a, b in bounds], count), values)


def test_turns_that_are_told_with_the_other_sign_are_the_same_turns(small):
    turns = rot.from_rotvec(np.linspace(0, 5, 800)[:, None] * [0.0, 1, 0])
    parts = [(a, turns[a:b] * (-1) ** k) for k, (a, b) in enumerate(pieces(800))]
    found = joined(parts, 800, turns=True)
    assert np.degrees(rot.angle(found, turns)).max() < 1e-3
    assert (np.sum(found[1:] * found[:-1], axis=1) > 0.99).all()  # and no sign jumps


def test_a_body_in_pieces_is_the_body_at_once(monkeypatch):
    points, image = repeated(talking(90)[2], 10), walking(900)
    whole = fit_body(points, image=image, fps=30)
    monkeypatch.setattr(_pieces, "PIECE", 360)
    monkeypatch.setattr(_pieces, "OVERLAP", 120)
    parts = fit_body(points, image=image, fps=30)
    apart = np.degrees(rot.angle(parts.rotations.astype(float), whole.rotations.astype(float)))
    assert np.percentile(apart, 99) < 0.5
    assert apart.max() < 2
    assert np.abs(parts.root - whole.root).max() < 0.02  # where they sit is told by the whole film
    np.testing.assert_allclose(parts.confidence, whole.confidence, atol=1e-5)
    steps = np.degrees(rot.angle(parts.rotations[1:].astype(float), parts.rotations[:-1].astype(float)))
    usual = np.degrees(rot.angle(whole.rotations[1:].astype(float), whole.rotations[:-1].astype(float)))
    assert steps.max() < usual.max() + 0.2  # no seam


def test_a_hand_in_pieces_is_the_hand_at_once(monkeypatch):
    points = repeated(moving(90)[2], 8)
    whole = fit_hand(points, "left")
    monkeypatch.setattr(_pieces, "PIECE", 360)
    monkeypatch.setattr(_pieces, "OVERLAP", 120)
    parts = fit_hand(points, "left", confidence=np.ones(720))
    assert np.abs(parts.angles - whole.angles).mean() < 0.5
    assert np.percentile(np.abs(parts.angles - whole.angles), 99) < 3
    assert np.degrees(rot.angle(parts.orientation, whole.orientation)).max() < 2
    assert np.abs(parts.confidence - whole.confidence).max() < 0.05


def test_memory_of_a_body_grows_by_what_is_returned(small):
    def beyond(times: int) -> tuple[float, float]:
        points = repeated(talking(90)[2], times).astype(np.float32)
        tracemalloc.start()
        found = fit_body(points, fps=30)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / len(points), sum(a.nbytes for a in found[1:]) / len(points)

    # Two pieces and a half: per frame they need less room to work in.
    (short, out), (long, _) = beyond(4), beyond(10)
    assert long - out < 0.7 * (short - out)
