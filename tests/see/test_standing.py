"""Feet of people who walk: those that stand do not slide, lie flat on the floor, and carry the body where it went."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from kinesics.bodies.rig import Rig
from kinesics.bodies.skeletons import TABLES
from kinesics.geometry import rotations as rot
from kinesics.see.body3d import fit_body
from kinesics.seeds import rng
from kinesics.stage.actions import act
from tests.see.test_body3d import landmarks_of

FPS = 60.0


def soles(skeleton, rotations, root):
    """(T, 2, 3, 3) heel, ball and tip of both feet."""
    rig = Rig.of(skeleton, TABLES["humanoid"], skeleton)
    places, turns = skeleton.forward(rotations.astype(float), root.astype(float))
    return rig.soles(places, rig.read(turns)).reshape(len(root), 2, 3, 3)


def slide(points):
    """(T, 2) metres per second of each sole's middle along the floor."""
    return np.linalg.norm(np.gradient(points.mean(axis=2)[..., [0, 2]], axis=0), axis=-1) * FPS


@cache
def walk(name: str, facing: float):
    """Landmarks of a walker without noise, pixels of a far camera, which feet stand (T, 2), and the way of the hips (3,)."""
    body = act([name], seed=1, facing=facing).body
    rotations, root = body.rotations.astype(float), body.root.astype(float)
    points = landmarks_of(rotations, root)
    hips = body.skeleton.forward(rotations, root)[0][:, [1, 2]].mean(axis=1)
    pixels = [320.0, 300.0] + [200.0, -200.0] * (points + hips[:, None])[..., :2]
    feet = soles(body.skeleton, body.rotations, body.root)
    stand = (feet[..., 1].min(axis=2) < 0.04) & (slide(feet) < 0.3)
    return points, pixels, stand, root[-1] - root[0]


@pytest.mark.parametrize(
    ("name", "facing"), [("walk", 0.0), ("walk", 80.0), ("stride", 30.0), ("walk backward", 60.0)]
)
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_feet_of_walkers_stand_where_they_stand(name, facing, noise):
    points, pixels, stand, way = walk(name, facing)
    noisy = points + noise * rng(1, "walk", name).normal(size=points.shape)
    pose = fit_body(noisy, image=pixels, fps=FPS)
    feet = soles(pose.skeleton, pose.rotations, pose.root)
    speeds = slide(feet)[stand]
    assert np.median(speeds) < 0.05
    assert speeds.mean() < 0.3
    assert abs(np.median(feet[..., 1].min(axis=2)[stand])) < 0.01
    assert np.quantile(feet[..., 1].min(axis=(1, 2)), 0.02) > -0.015
    assert np.median(np.ptp(feet[..., 1], axis=2)[stand]) < 0.02  # flat, heel to tip
    # The picture does not show depth: feet alone tell how far somebody came nearer.
    went = pose.root[-1] - pose.root[0]
    assert np.linalg.norm((went - way)[[0, 2]]) < 0.15 * np.linalg.norm(way)


def test_somebody_who_stands_for_minutes_stays_there():
    points = walk("walk", 0.0)[0][:1]
    still = np.repeat(points, 3000, axis=0)
    noisy = still + 0.01 * rng(2, "stand").normal(size=still.shape)
    pose = fit_body(noisy, fps=25.0)
    assert np.abs(pose.root - np.median(pose.root, axis=0)).max() < 0.05


def test_feet_that_no_leg_reaches_do_not_pull_the_body_down():
    points = walk("walk", 0.0)[0][:1]
    apart = np.repeat(points, 40, axis=0)
    apart[:, [27, 31]] += [1.5, 0.0, 0.0]
    pose = fit_body(apart, fps=25.0)
    assert np.isfinite(pose.rotations).all()
    assert np.abs(np.diff(pose.root[:, 1])).max() < 0.02
    assert rot.angle(pose.rotations[:-1, 0], pose.rotations[1:, 0]).max() < 0.1
