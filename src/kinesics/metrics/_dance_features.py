"""The two feature vectors of dance: kinetic (72) and geometric (32), as AIST++ computes them.

Definitions after Onuma et al. 2008 and Müller et al. 2005, in the form that fairmotion and the AIST++
tools gave them. Their peculiarities are part of the numbers and are kept:

* the sizes that thresholds are multiples of (upper arm, shoulder and hip width) are those of one SMPL
  body, whoever dances;
* velocities of the geometric features are divided by 1/120 s although AIST++ has 60 frames per second, so
  thresholds act at half the speed they name;
* "hand moves away from the belly" (features 4 and 5) looks at the chest instead of the hand, so the two
  are always equal.
"""

from __future__ import annotations

import numpy as np

from kinesics.metrics._checks import Floats

JOINTS = tuple(
    """root lhip rhip belly lknee rknee spine lankle rankle chest ltoes rtoes neck linshoulder
    rinshoulder head lshoulder rshoulder lelbow relbow lwrist rwrist lhand rhand""".split()
)
"""The 24 joints of SMPL under the names the features use."""
_AT = {name: i for i, name in enumerate(JOINTS)}

_L_SHOULDER = (0.199113488, 0.236807942, -0.0180702247)
_ARM = float(np.linalg.norm(np.subtract(_L_SHOULDER, (0.454445392, 0.221158922, -0.0410167128))))
_SHOULDERS = float(np.linalg.norm(np.subtract(_L_SHOULDER, (-0.191692337, 0.236928746, -0.0123055102))))
_HIPS = float(
    np.linalg.norm(
        np.subtract((0.0564076714, -0.323069185, 0.0109197125), (-0.0624834076, -0.331302464, 0.0150412619))
    )
)
_STEP = 1 / 120
"""Seconds that the published code takes a frame to last."""

_RULES: tuple[tuple, ...] = (
    ("across", "neck", "rhip", "lhip", "rwrist", 1.8 * _ARM),
    ("across", "neck", "lhip", "rhip", "lwrist", 1.8 * _ARM),
    ("above", "chest", "neck", "neck", "rwrist", 0.2 * _ARM),
    ("above", "chest", "neck", "neck", "lwrist", 0.2 * _ARM),
    ("along", "belly", "chest", "chest", 1.8 * _ARM),
    ("along", "belly", "chest", "chest", 1.8 * _ARM),
    ("bent", "relbow", "rshoulder", "relbow", "rwrist", 0, 110),
    ("bent", "lelbow", "lshoulder", "lelbow", "lwrist", 0, 110),
    ("above", "lshoulder", "rshoulder", "lwrist", "rwrist", 2.5 * _SHOULDERS),
    ("along", "lwrist", "rwrist", "rwrist", 1.4 * _ARM),
    ("along", "rwrist", "root", "lwrist", 1.4 * _ARM),
    ("along", "lwrist", "root", "rwrist", 1.4 * _ARM),
    ("fast", "rwrist", 2.5 * _ARM),
    ("fast", "lwrist", 2.5 * _ARM),
    ("beyond", "root", "lhip", "ltoes", "rankle", 0.38 * _ARM),
    ("beyond", "root", "rhip", "rtoes", "lankle", 0.38 * _ARM),
    ("high", "rankle", 1.2 * _ARM),
    ("high", "lankle", 1.2 * _ARM),
    ("above", "lhip", "rhip", "lankle", "rankle", 2.1 * _HIPS),
    ("bent", "rknee", "rhip", "rknee", "rankle", 0, 110),
    ("bent", "lknee", "lhip", "lknee", "lankle", 0, 110),
    ("fast", "rankle", 2.5 * _ARM),
    ("fast", "lankle", 2.5 * _ARM),
    ("bent", "neck", "root", "rshoulder", "relbow", 25, 180),
    ("bent", "neck", "root", "lshoulder", "lelbow", 25, 180),
    ("bent", "neck", "root", "rhip", "rknee", 50, 180),
    ("bent", "neck", "root", "lhip", "lknee", 50, 180),
    ("beyond", "rankle", "neck", "lankle", "root", 0.5 * _ARM),
    ("upright", "neck", "root", 70, 110),
    ("low", "rwrist", 1.2 * _ARM),
    ("low", "lwrist", 1.2 * _ARM),
    ("fast", "root", 2.3 * _ARM),
)
"""What each of the 32 features asks of a frame (see :func:`_holds`)."""


def geometric(points: Floats) -> Floats:
    """(32,) shares of the frames 1 … T − 1 of (T, 24, 3) positions, Y up, for which each rule holds."""
    now, before = points[1:], points[:-1]
    # Where two joints coincide a direction is not defined; the comparison is then false.
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([_holds(rule, now, before).mean() for rule in _RULES])


def _holds(rule: tuple, now: Floats, before: Floats) -> np.ndarray:
    kind, *names = rule
    p = [now[:, _AT[n]] for n in names if isinstance(n, str)]
    q = [before[:, _AT[n]] for n in names if isinstance(n, str)]
    least = names[len(p)]
    if kind == "fast":
        return np.linalg.norm(p[0] - q[0], axis=1) / _STEP > least
    if kind == "high":
        return p[0][:, 1] - now[:, :, 1].min(1) > least
    if kind == "low":
        return now[:, :, 1].min(1) - p[0][:, 1] > -least
    if kind == "along":  # speed of the third from the first, towards the second
        return _dot(p[2] - p[0] - (q[2] - q[0]), _unit(p[1] - p[0])) / _STEP > least
    if kind == "across":  # speed of the fourth from the first, along the normal of the first three
        normal = _unit(np.cross(p[2] - p[0], p[1] - p[0]))
        return _dot(p[3] - p[0] - (q[3] - q[0]), normal) / _STEP > least
    if kind == "beyond":  # the fourth over the plane of the first three
        return _dot(_unit(np.cross(p[2] - p[0], p[1] - p[0])), p[3] - p[0]) > least
    if kind == "above":  # the fourth past the third, in the direction from first to second
        return _dot(_unit(p[1] - p[0]), p[3] - p[2]) > least
    second = p[3] - p[2] if kind == "bent" else np.array([[0.0, 1.0, 0.0]])
    angle = np.degrees(np.arccos(_dot(_unit(p[1] - p[0]), _unit(second))))
    return (angle > names[-2]) & (angle < names[-1])


def _dot(a: Floats, b: Floats) -> Floats:
    return (a * b).sum(1)


def _unit(v: Floats) -> Floats:
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def kinetic(points: Floats, *, fps: float = 60.0, window: int = 2) -> Floats:
    """(3·J,) per joint: mean square of horizontal and of vertical velocity, mean amount of acceleration.

    Velocities and accelerations are averaged over ``window`` frames to both sides, fewer at the ends,
    before they are squared; Y is up.
    """
    velocity = _averaged(np.diff(points, axis=0) * fps, window, first=1, count=len(points))
    acceleration = _averaged(np.diff(points, 2, axis=0) * fps**2, window, first=1, count=len(points))
    level = (velocity[..., [0, 2]] ** 2).sum(2).mean(0)
    upright = (velocity[..., 1] ** 2).mean(0)
    effort = np.linalg.norm(acceleration, axis=2).mean(0)
    return np.stack([level, upright, effort], 1).ravel()


def _averaged(values: Floats, window: int, *, first: int, count: int) -> Floats:
    """Means over frames i − window … i + window for i = 1 … count − 1; ``values[0]`` belongs to ``first``."""
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    i = np.arange(1, count)
    low = np.clip(i - window - first, 0, len(values))
    high = np.clip(i + window + 1 - first, 0, len(values))
    return (total[high] - total[low]) / (high - low)[:, None, None]
