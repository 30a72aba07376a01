"""Position errors: plain loops, variances, headings."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics import positions
from tests.metrics.inputs import golden, noise
from tests.metrics.oracles.text_motion import inputs

INPUT, GOLD = inputs(), golden("text_motion")


def test_ape_and_ave_agree_with_plain_loops():
    assert positions.ape(INPUT["true"], INPUT["guess"]) == pytest.approx(GOLD["ape"], abs=1e-12)
    assert positions.ave(INPUT["true"], INPUT["guess"]) == pytest.approx(GOLD["ave"], abs=1e-12)
    assert positions.ape(INPUT["true"], INPUT["true"]) == positions.ave(INPUT["true"], INPUT["true"]) == 0


def test_ave_divides_by_one_less_than_the_frames_and_does_not_see_a_shift():
    swing = np.array([[0.0], [2.0]])
    assert positions.ave(swing, 0 * swing) == 2.0
    assert positions.ave(swing, swing + 7) == 0
    assert positions.ape(swing, swing + 7) == 7
    with pytest.raises(DataError, match="1 along T; at least 2 needed"):
        positions.ave(swing[:1], swing[:1])
    with pytest.raises(DataError, match="40 coordinates on the last axis"):
        positions.ape(INPUT["true"].T, INPUT["true"].T)


def person(frames: int = 20) -> np.ndarray:
    """Someone walking ahead, swaying, the left at +X."""
    p = 0.05 * noise(frames, 22, 3, seed=9)
    p[:, [1, 16], 0] += 0.3
    p[:, [2, 17], 0] -= 0.3
    p[..., 1] += 1
    p[..., 2] += 0.05 * np.arange(frames)[:, None]
    return p


def test_quantities_do_not_depend_on_where_one_starts_and_looks():
    p = person()
    c, s = np.cos(2.1), np.sin(2.1)
    turned = p @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T + [5, 0, -3]
    for a, b in zip(positions.quantities(p), positions.quantities(turned), strict=True):
        assert a == pytest.approx(b, abs=1e-9)
    got = positions.quantities(p)
    assert got.trajectory[0].tolist() == [0, 0]
    assert got.local.shape == (20, 21, 3)
    # ahead is +Z
    assert got.root[-1, 2] > 0.8
    side = got.world[0, [1, 16]].sum(0) - got.world[0, [2, 17]].sum(0)
    assert side[0] > 0
    assert side[2] == pytest.approx(0, abs=1e-12)


def test_local_pose_does_not_see_the_way_walked():
    p, q = person(), person()
    q[..., 2] += 0.1 * np.arange(20)[:, None]
    a, b = positions.quantities(p), positions.quantities(q)
    assert positions.ape(a.local, b.local) == pytest.approx(0, abs=1e-12)
    assert positions.ape(a.trajectory, b.trajectory) > 0.5
    with pytest.raises(DataError, match="3 joints; hips and shoulders"):
        positions.quantities(p.swapaxes(1, 2)[..., :3])
    with pytest.raises(DataError, match="frame 0: hips and shoulders show no heading"):
        positions.quantities(np.zeros((4, 22, 3)))
