"""What a network sees, and where its points lie in the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from kinesics.see.crops import Region, whole


def dot(x: int, y: int) -> np.ndarray:
    image = np.zeros((90, 120, 3), np.uint8)
    image[y, x] = 255
    return image


@given(
    turn=st.floats(-3.1, 3.1), size=st.floats(30, 60), flip=st.booleans(),
    x=st.integers(50, 70), y=st.integers(38, 52),
)  # fmt: skip
def test_points_of_a_crop_come_back_to_where_they_are(turn, size, flip, x, y):
    region = Region(60, 45, size, turn)
    crop = region.crop(dot(x, y), 64, flip=flip)[0, :, :, 0]
    if crop.sum() == 0:
        return  # outside the square
    v, u = np.mgrid[0:64, 0:64] + 0.5
    middle = np.array([[(crop * u).sum(), (crop * v).sum(), 0]]) / crop.sum()
    if not 4 < middle[0, 0] < 60 or not 4 < middle[0, 1] < 60:
        return  # cut off by the edge
    found = region.back(middle.astype(np.float32), 64, flip=flip)[0, :2]
    assert np.abs(found - [x + 0.5, y + 0.5]).max() < 0.15


def test_depth_is_in_the_same_scale():
    point = np.array([[10, 20, 5]], np.float32)
    assert Region(0, 0, 50).back(point, 100)[0, 2] == pytest.approx(2.5)


def test_outside_is_black_and_inside_keeps_its_mean():
    image = np.full((40, 40, 3), 200, np.uint8)
    assert Region(-100, -100, 30).crop(image, 16, low=-1.0).max() == -1
    assert whole(image).crop(image, 20)[0, 2:-2, 2:-2].mean() == pytest.approx(200 / 255, abs=1e-5)


def test_a_large_region_is_not_sampled_with_gaps():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    seen = whole(stripes).crop(stripes, 64)[0, 4:-4, 4:-4]
    assert np.abs(seen - 0.5).max() < 0.02


def test_shrinking_takes_the_mean():
    from kinesics.see.crops import kernels

    image = np.random.default_rng(2).integers(0, 256, (30, 45, 3), np.uint8)
    out = np.empty((10, 15, 3), np.uint8)
    kernels().shrink(image, 3, out)
    expected = image.reshape(10, 3, 15, 3, 3).mean(axis=(1, 3))
    assert np.abs(out - expected).max() <= 0.5 + 1e-6
