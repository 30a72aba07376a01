"""Single-shot detectors: anchors, overlap, merging."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.see.detectors import _merged, anchors, overlap


@pytest.mark.parametrize(
    ("kind", "count"), [("face", 896), ("far_face", 2304), ("palm", 2016), ("pose", 2254)]
)
def test_as_many_anchors_as_the_networks_have(kind, count):
    made = anchors(kind)
    assert made.shape == (count, 2)
    assert made.min() > 0
    assert made.max() < 1
    assert np.allclose(made.mean(axis=0), 0.5)


def test_overlap_is_shared_over_joint_area():
    boxes = np.float32([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6]])
    assert overlap(boxes, boxes[0]).tolist() == pytest.approx([1, 1 / 7, 0])


def test_overlapping_boxes_become_their_weighted_mean_and_others_stay():
    rows = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]])
    made, scores = _merged(rows, np.float32([0.6, 0.9, 0.7]))
    assert made[0] == pytest.approx([0.6, 0, 10.6, 10])
    assert made[1] == pytest.approx([50, 50, 60, 60])
    assert scores == pytest.approx([0.9, 0.7])


def test_nothing_found_is_nothing():
    made, scores = _merged(np.zeros((0, 16), np.float32), np.zeros(0, np.float32))
    assert made.shape == (0, 16)
    assert scores.shape == (0,)
