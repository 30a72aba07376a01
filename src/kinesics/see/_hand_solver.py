"""Gauss–Newton for hands: all frames at once, each its own small system, tied to its neighbours by smoothness.

Unknown per frame: place (3), turn (3, applied in the hand's own frame), logarithm of size (1), finger angles (20).
Smoothness is majorised (its Hessian by 16 times the identity), so that frames can be solved side by side and every
step still descends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.hand import HANDSHAPES, LIMITS_HIGH, LIMITS_LOW
from kinesics.geometry import rotations as rot
from kinesics.see._hand_chains import Chains

Array = NDArray[np.float64]
State = tuple[Array, Array, Array, Array]
"""Angles (T, 5, 4) in degrees, turn (T, 4), place (T, 3), scale (T,)."""

_NOISE = 0.004  # metres: what landmarks are usually off (ours)
_OUTLIER = 3.0  # in multiples of it, where a point begins to count less
_SIZE = 0.05  # standard deviation of the logarithm of size, where depth is seen
_SPAN = 45.0  # degrees about the relaxed hand, where nothing speaks for any angle
_COUPLED = 18.0  # degrees of an end joint about two thirds of its middle joint's bend
_GROW = 6.0  # of the logarithm of size, per second²
_DART = 2.0  # standard deviations of acceleration beyond which smoothness gives way
_KNUCKLES = np.array([0, 1, 5, 9, 13, 17])
_RIGID = np.array([1.0, 1, 1, 1, 1, 0.3])[:, None]  # the thumb's first joint is the least sure


def _hull() -> tuple[Array, Array]:
    """Rows (R, 20) and bounds (R,): angles are possible where ``rows · angles ≤ bounds``."""
    eye = np.eye(20)
    rows, bounds = [*eye, *-eye], [*LIMITS_HIGH.ravel(), *-LIMITS_LOW.ravel()]
    for f in range(
        4
    ):  # a bent finger cannot spread: at 90° the ligaments leave it some 7° (Spurr et al.'s hulls)
        for sign in (1.0, -1.0):
            rows.append(sign * eye[4 * f] + 0.2 * eye[4 * f + 1])
            bounds.append(25.0)
    return np.array(rows), np.array(bounds)


_ROWS, _BOUNDS = _hull()
_PAIRS = (_ROWS[:, :, None] * _ROWS[:, None, :]).reshape(len(_ROWS), 400)
_COUPLING = np.zeros((4, 20))
for _f in range(4):
    _COUPLING[_f, 4 * _f + 3], _COUPLING[_f, 4 * _f + 2] = 1.0, -2 / 3


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be fitted: see :func:`kinesics.see.hands.fit_hand`; points (T, 21, 3) in the chains' order."""

    chains: Chains
    values: Array
    trust: Array
    fps: float
    flat: bool
    hull: float | None
    smooth: float | None


def first_guess(problem: Problem) -> State:
    """The palm laid onto its points, fingers bent as their bones point."""
    rest = np.concatenate([np.zeros((1, 3)), problem.chains.base])
    seen = problem.values[:, _KNUCKLES]
    weight = problem.trust[:, _KNUCKLES, None] * _RIGID + 1e-3
    if not problem.flat:
        return _laid(problem, rest, seen, weight)
    # Without depth a palm may lean either way: the one whose fingers then fit better is taken.
    both = [_laid(problem, rest, _leaned(rest, seen, sign), weight) for sign in (1.0, -1.0)]
    costs = []
    for k, state in enumerate(both):
        both[k] = solve(problem, state, steps=6, smooth=False)
        costs.append(_cost(problem, both[k]))
    first = costs[0] <= costs[1]
    return tuple(np.where(first.reshape(-1, *([1] * (a.ndim - 1))), a, b) for a, b in zip(*both, strict=True))  # type: ignore[return-value]


def _leaned(rest: Array, seen: Array, sign: float) -> Array:
    """Depth for flat palm points, as a stiff palm would have it that leans one of two ways."""
    centre = rest.mean(axis=0)
    _, _, axes = np.linalg.svd(rest - centre)
    plane = (rest - centre) @ axes[:2].T
    xy = seen[..., :2] - seen[..., :2].mean(axis=1, keepdims=True)
    affine = np.swapaxes(np.linalg.pinv(plane) @ xy, -1, -2)  # (T, 2, 2): plane to picture
    size = np.linalg.norm(affine, ord=2, axis=(-2, -1))
    missing = np.sqrt(np.maximum(size[:, None] ** 2 - np.sum(affine**2, axis=1), 0))
    product = -np.sum(affine[:, :, 0] * affine[:, :, 1], axis=1)
    missing[:, 1] *= np.where(product < 0, -1.0, 1.0)
    depth = sign * np.einsum("ti,ni->tn", missing, plane)
    return np.concatenate([seen[..., :2], depth[..., None]], axis=-1)


def _laid(problem: Problem, rest: Array, seen: Array, weight: Array) -> State:
    share = weight / weight.sum(axis=1, keepdims=True)
    a = rest - np.sum(share * rest, axis=1, keepdims=True)
    b = seen - np.sum(share * seen, axis=1, keepdims=True)
    u, _, vt = np.linalg.svd(np.swapaxes(share * b, -1, -2) @ a)
    flip = np.ones((len(seen), 3))
    flip[:, 2] = np.linalg.det(u @ vt)
    turn = rot.from_matrix((u * flip[:, None, :]) @ vt)
    scale = np.sqrt(np.sum(share * b * b, axis=(1, 2)) / np.sum(share * a * a, axis=(1, 2)))
    scale = np.clip(scale, 0.2, 5.0)
    angles = _bent(problem, turn)
    place = np.sum(share * (seen - scale[:, None, None] * rot.rotate(turn[:, None], rest)), axis=1)
    return angles, turn, place, scale


def _bent(problem: Problem, turn: Array) -> Array:
    """Angles of fingers from how much each bone leaves the palm's plane; the thumb relaxed."""
    count = len(turn)
    angles = np.broadcast_to(HANDSHAPES["relaxed"], (count, 5, 4)).copy()
    if problem.flat:
        return angles
    local = rot.rotate(rot.conjugate(turn)[:, None], problem.values - problem.values[:, :1])
    bones = np.diff(local[:, 1:17].reshape(count, 4, 4, 3), axis=2)
    base = problem.chains.base
    along = base[1] / np.linalg.norm(base[1])
    palm = rot.cross(along, base[0] - base[2])
    palm /= np.linalg.norm(palm)
    pitch = np.degrees(np.arctan2(bones @ palm, bones @ along))
    bend = np.diff(pitch, axis=2, prepend=0.0)
    bend = (bend + 90) % 360 - 90  # a joint bends up to 180° inwards rather than backwards
    angles[:, :4, 1:] = np.clip(bend, LIMITS_LOW[:4, 1:], LIMITS_HIGH[:4, 1:])
    return angles


def solve(problem: Problem, state: State, *, steps: int, smooth: bool) -> State:
    """Descend from a first guess."""
    angles, turn, place, scale = (part.copy() for part in state)
    tied = smooth and problem.smooth is not None and len(angles) > 2
    for step in range(steps):
        hessian, gradient = _data(problem, angles, turn, place, scale, robust=smooth or step > 2)
        _angle_terms(problem, angles, hessian, gradient)
        if not problem.flat:
            hessian[:, 6, 6] += 1 / _SIZE**2
            gradient[:, 6] -= np.log(scale) / _SIZE**2
        if tied:
            _smooth_terms(problem, angles, turn, scale, hessian, gradient)
        index = np.arange(27)
        hessian[:, index, index] *= 1.001
        hessian[:, index, index] += 1e-6
        change = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        # Far from the goal a full step may overshoot: none turns by more than half a radian.
        size = np.maximum(np.abs(change[:, 3:6]).max(axis=1) / 0.5, np.abs(change[:, 7:]).max(axis=1) / 40)
        change /= np.maximum(size, 1)[:, None]
        place += change[:, :3]
        turn = rot.normalise(rot.multiply(turn, rot.from_rotvec(change[:, 3:6])))
        scale *= np.exp(np.clip(change[:, 6], -0.3, 0.3))
        angles += change[:, 7:].reshape(-1, 5, 4)
    return angles, turn, place, scale


def _residuals(problem: Problem, points: Array, turn: Array, place: Array, scale: Array) -> Array:
    return problem.values - place[:, None] - scale[:, None, None] * rot.rotate(turn[:, None], points)


def _weights(problem: Problem, away: Array, robust: bool) -> Array:
    """(T, 21) of each point: its trust, less where it is far off (Geman & McClure)."""
    weight = problem.trust / _NOISE**2
    if robust:
        square = np.sum(away[..., : 2 if problem.flat else 3] ** 2, axis=-1)
        weight = weight / (1 + square / (_OUTLIER * _NOISE) ** 2) ** 2
    return weight


def _data(
    problem: Problem, angles: Array, turn: Array, place: Array, scale: Array, *, robust: bool
) -> tuple[Array, Array]:
    count = len(angles)
    points, moves = problem.chains.moved(angles)
    away = _residuals(problem, points, turn, place, scale)
    weight = _weights(problem, away, robust)
    frame = rot.to_matrix(turn) * scale[:, None, None]
    jacobian = np.zeros((count, 21, 3, 27))
    jacobian[..., :3] = np.eye(3)
    crossed = np.zeros((count, 21, 3, 3))  # of turning by w in the hand's own frame: w × p
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    crossed[..., 0, 1], crossed[..., 0, 2] = z, -y
    crossed[..., 1, 0], crossed[..., 1, 2] = -z, x
    crossed[..., 2, 0], crossed[..., 2, 1] = y, -x
    jacobian[..., 3:6] = frame[:, None] @ crossed
    turned = np.swapaxes(frame, -1, -2)
    jacobian[..., 6] = points @ turned
    moved = np.swapaxes((moves.reshape(count, 80, 3) @ turned).reshape(count, 5, 4, 4, 3), -1, -2)
    for f in range(5):
        jacobian[:, 1 + 4 * f : 5 + 4 * f, :, 7 + 4 * f : 11 + 4 * f] = moved[:, f]
    used = 2 if problem.flat else 3
    rows = jacobian[:, :, :used].reshape(count, -1, 27)
    spread = np.repeat(weight, used, axis=1)
    weighted = np.swapaxes(rows * spread[..., None], -1, -2)
    gradient = (weighted @ away[..., :used].reshape(count, -1, 1))[..., 0]
    return weighted @ rows, gradient


def _angle_terms(problem: Problem, angles: Array, hessian: Array, gradient: Array) -> None:
    flat = angles.reshape(-1, 20)
    index = np.arange(7, 27)
    hessian[:, index, index] += 1 / _SPAN**2
    gradient[:, 7:] += (HANDSHAPES["relaxed"].ravel() - flat) / _SPAN**2
    if problem.hull is None:
        return
    over = np.maximum(flat @ _ROWS.T - _BOUNDS, 0)
    hessian[:, 7:, 7:] += ((over > 0) @ _PAIRS).reshape(-1, 20, 20) / problem.hull**2
    gradient[:, 7:] -= over @ _ROWS / problem.hull**2
    hessian[:, 7:, 7:] += _COUPLING.T @ _COUPLING / _COUPLED**2
    gradient[:, 7:] -= flat @ _COUPLING.T @ _COUPLING / _COUPLED**2


def _smooth_terms(
    problem: Problem, angles: Array, turn: Array, scale: Array, hessian: Array, gradient: Array
) -> None:
    frames = problem.fps**2
    turned = np.zeros((len(turn), 3))
    steps = rot.to_rotvec(rot.multiply(rot.conjugate(turn[:-1]), turn[1:]))
    turned[1:] = np.cumsum(steps, axis=0)
    for span, values, sigma in (
        (slice(7, 27), angles.reshape(-1, 20), problem.smooth / frames),
        (slice(3, 6), turned, np.radians(problem.smooth) / frames),
        (slice(6, 7), np.log(scale)[:, None], _GROW / frames),
    ):
        bound, push = _bending(values / sigma)
        index = np.arange(span.start, span.stop)
        hessian[:, index, index] += bound / sigma**2
        gradient[:, span] -= push / sigma


def _bending(values: Array) -> tuple[Array, Array]:
    """Bound on the curvature, and gradient, of squared second differences along time, (T, K) each.

    A second difference far beyond one counts less: hands rest, and then dart.
    """
    second = values[2:] - 2 * values[1:-1] + values[:-2]
    weight = 1 / (1 + (second / _DART) ** 2)
    bound, push = np.zeros_like(values), np.zeros_like(values)
    for out, inner, each in ((bound, 2.0, 4 * weight), (push, -2.0, weight * second)):
        out[2:] += each
        out[1:-1] += inner * each
        out[:-2] += each
    return bound, push


def _cost(problem: Problem, state: State) -> Array:
    """(T,) what is minimised but for smoothness, the outliers' share bounded."""
    angles, turn, place, scale = state
    away = _residuals(problem, problem.chains.points(angles), turn, place, scale)
    square = np.sum(away[..., : 2 if problem.flat else 3] ** 2, axis=-1)
    cost = np.sum(problem.trust * square / (square + (_OUTLIER * _NOISE) ** 2), axis=1) * _OUTLIER**2
    over = np.maximum(angles.reshape(-1, 20) @ _ROWS.T - _BOUNDS, 0)
    relaxed = (angles - HANDSHAPES["relaxed"]).reshape(-1, 20)
    return cost + np.sum(over**2, axis=1) / 1.5**2 + np.sum(relaxed**2, axis=1) / _SPAN**2
