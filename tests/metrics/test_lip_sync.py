"""Lip sync: SyncNet's script with torch as oracle."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics import lip_sync as sync
from tests.metrics.inputs import golden
from tests.metrics.oracles.face import inputs

INPUT, GOLD = inputs(), golden("face")


def test_lip_sync_agrees_with_syncnets_script():
    got = sync.lip_sync(INPUT["video"], INPUT["sound"])
    assert got.distance == pytest.approx(GOLD["lse_d"], abs=1e-6)
    assert got.confidence == pytest.approx(GOLD["lse_c"], abs=1e-6)
    assert got.offset == GOLD["offset"] == -3


def test_lip_sync_of_one_and_the_same():
    got = sync.lip_sync(INPUT["video"], INPUT["video"])
    assert (got.distance, got.offset) == (0, 0)
    assert got.confidence > 2
    table = np.abs(np.arange(-15, 16) - 4.0)[None].repeat(9, 0)
    assert sync.lip_sync_of_distances(table) == (0.0, 8.0, -4)


def test_lip_sync_refuses_tables_the_wrong_way_round():
    with pytest.raises(DataError, match="60 shifts; expected an odd number such as 31"):
        sync.lip_sync_of_distances(np.ones((31, 60)))
    with pytest.raises(DataError, match="some below 0"):
        sync.lip_sync_of_distances(-np.ones((60, 31)))
    with pytest.raises(DataError, match="cut or resample"):
        sync.lip_sync(INPUT["video"], INPUT["sound"][:-1])
