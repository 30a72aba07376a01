"""A person put onto the floor: as high as their feet say, and feet that stand kept where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.rig import SIDES, Rig
from kinesics.bodies.skeletons import TABLES
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import fill, smooth, steady
from kinesics.geometry.kinematics import align, two_bone
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]
_NEAR = 0.03  # metres above the lowest sole within which one stands (all ours)
_SLOW, _STILL = 0.6, 0.25  # metres per second below which a sole may stand, and does on average
_LONG = 0.3  # seconds on either side over which the latter is looked at
_FARTHEST = 0.1  # metres by which a foot is moved at most, to be held
_FLAT = 0.06  # metres by which heel and toes of a foot that stands may differ in height
_SHORTEST = 0.15  # seconds that a foot must stand to be held
_TREMBLE = 0.05  # seconds over which what landmarks tremble is evened out
_REACH = 0.999  # share of its length that a leg is stretched to at most
_DEEPEST = 0.1  # metres by which hips are lowered at most, for feet to reach the floor
_EASE = 0.12  # seconds in which it is let go
_UNSURE, _BOUNCE = 0.015, 2.0  # metres by which the hips' height trembles, and their acceleration, m/s²
_ROUNDS, _USUAL = 6, 0.15  # rounds, and seconds over which the body's speed is looked at
_DRIFT = (1.0, 30.0)  # seconds after which the picture is believed more than the feet: across, and in depth


def standing(
    skeleton: Skeleton, local: Array, root: Array, seen: Mapping[str, Array], fps: float
) -> tuple[Array, Array]:
    """Put a body onto the floor.

    Parameters
    ----------
    skeleton
        The canonical skeleton.
    local, root
        (T, 55, 4) and (T, 3), as the picture has them.
    seen
        ``"left"``, ``"right"`` → (T,) how far the foot is seen.
    fps
        Frames per second.

    Returns
    -------
    local, root
        With other legs and hips where a foot is seen; the root alone elsewhere.
    """
    feet = np.stack([seen[s] for s in SIDES], axis=1)
    rig = _rig(skeleton)
    places, world = skeleton.forward(local, np.zeros(3))
    soles = rig.soles(places, rig.read(world)).reshape(len(local), 2, 3, 3)
    low = soles[..., 1].min(axis=2)  # of each foot, from the hips
    lowest = np.where(feet > 0.5, low, np.inf).min(axis=1)
    known = np.isfinite(lowest)
    root = root.copy()
    if not known.any():
        return local, root
    share = smooth(known.astype(float), 0.2 * fps)
    height = np.interp(np.arange(len(low)), np.flatnonzero(known), -lowest[known])
    height = steady(height, np.ones(len(height)), noise=_UNSURE, acceleration=_BOUNCE, fps=fps)
    root[:, 1] = share * height + (1 - share) * root[:, 1]
    # A foot rolls from heel to toes: what of its sole is lowest stays where it is, and the body passes over it.
    gap = np.maximum(soles[..., 1] - low.min(axis=1)[:, None, None], 0)
    touches = feet[..., None] * np.exp(-((gap / _NEAR) ** 2))
    speed = np.gradient(soles[..., [0, 2]], axis=0) if len(soles) > 1 else np.zeros_like(soles[..., [0, 2]])
    carried = _carried(touches, speed, fps)
    flat = root[:, [0, 2]]
    drift = np.stack([_slowly((flat - carried)[:, k], s * fps) for k, s in enumerate(_DRIFT)], axis=1)
    root[:, [0, 2]] = flat + share[:, None] * (carried + drift - flat)
    stands = touches.max(axis=2)
    return _held(skeleton, local, root, soles, stands, fps)


def _carried(touches: Array, speed: Array, fps: float) -> Array:
    """(T, 2) how far the feet carry the body, metres, from how much each point of the soles (T, 2, 3) touches the floor and
    moves (T, 2, 3, 2) a frame, seen from the hips.

    A foot that swings passes close to the floor as well: what moves otherwise than most of what touches counts less.
    """
    weight, passed = touches, np.zeros((len(touches), 2))
    for _ in range(_ROUNDS):
        total = np.maximum(weight.sum(axis=(1, 2)), 1e-6)[:, None]
        passed = -np.sum(weight[..., None] * speed, axis=(1, 2)) / total
        usual = smooth(passed, _USUAL * fps)
        off = np.linalg.norm(speed + usual[:, None, None], axis=-1) * fps
        weight = touches / (1 + (off / _SLOW) ** 2) ** 2
    return smooth(np.cumsum(passed, axis=0), _TREMBLE * fps)


def _slowly(values: Array, sigma: float) -> Array:
    """(T,) values smoothed by a filter so long that means of a tenth of it will do."""
    step = max(1, round(0.1 * sigma))
    edges = np.arange(0, len(values), step)
    counts = np.diff(np.append(edges, len(values)))
    means = smooth(np.add.reduceat(values, edges) / counts, sigma / step)
    return np.interp(np.arange(len(values)), edges + 0.5 * (counts - 1), means)


@lru_cache(maxsize=4)
def _rig(skeleton: Skeleton) -> Rig:
    return Rig.of(skeleton, TABLES["humanoid"], skeleton)


@dataclass(frozen=True, eq=False)
class _Foot:
    """Where an ankle goes (T, 3), how the foot is turned (T, 4), and how far it is held, (T,) 0 to 1."""

    target: Array
    turn: Array
    ease: Array


def _held(
    skeleton: Skeleton, local: Array, root: Array, soles: Array, stands: Array, fps: float
) -> tuple[Array, Array]:
    """Legs that hold a standing foot in one place, and hips low enough for them to reach it."""
    places, world = skeleton.forward(local, root)
    middle = soles.mean(axis=2) + root[:, None]
    calm = smooth(middle[..., [0, 2]], _TREMBLE * fps)
    speed = np.linalg.norm(np.gradient(calm, axis=0), axis=-1) * fps if len(calm) > 1 else np.zeros((1, 2))
    tilt = smooth(np.ptp(soles[..., 1], axis=2), _TREMBLE * fps)
    may = (smooth(stands, _TREMBLE * fps) > 0.5) & (speed < _SLOW) & (tilt < _FLAT)
    feet, drop = {}, np.zeros(len(local))
    for k, side in enumerate(SIDES):
        ankle = INDEX[f"{side}Foot"]
        low = soles[:, k, :, 1].min(axis=1) + root[:, 1]
        foot = _still(may[:, k], calm[:, k], places[:, ankle], world[:, ankle], low, fps)
        if foot is None:
            continue
        feet[side] = foot
        way = places[:, INDEX[f"{side}UpperLeg"]] - foot.target
        far = _REACH * sum(_lengths(skeleton, side))
        highest = np.sqrt(np.maximum(far**2 - np.sum(way[:, [0, 2]] ** 2, axis=1), 0))
        drop = np.maximum(drop, foot.ease * (way[:, 1] - highest))
    if not feet:
        return local, root
    down = _above(np.minimum(drop, _DEEPEST), fps)[:, None] * [0.0, 1, 0]
    local = local.copy()
    for side, foot in feet.items():
        _stand(skeleton, local, side, foot, places - down[:, None], world)
    return local, root - down


def _still(may: Array, calm: Array, ankle: Array, turn: Array, low: Array, fps: float) -> _Foot | None:
    """One foot, held while it stands and never below the floor; None where nothing is to be changed."""
    goal, hold = np.zeros_like(ankle), np.zeros(len(ankle), dtype=bool)
    foot = rot.continuous(turn)
    held = np.zeros_like(foot)
    away = np.full(len(ankle), np.inf)  # frames to the nearest that is held
    frames = np.arange(len(ankle))
    for first, last in _runs(_stays(may, calm, fps)):
        if last - first < _SHORTEST * fps:
            continue
        goal[first:last] = np.median(ankle[first:last] - [[0.0, 1, 0]] * low[first:last, None], axis=0)
        held[first:last] = foot[first:last].mean(axis=0)
        hold[first:last] = True
        away = np.minimum(away, np.maximum(np.maximum(first - frames, frames - last + 1), 0))
    sunk = np.maximum(-low, 0)
    if not hold.any() and sunk.max() < 1e-3:
        return None
    ease = np.clip(1 - away / (_EASE * fps + 1), 0, 1)
    ease = ease * ease * (3 - 2 * ease)
    move = ease[:, None] * (fill(goal, hold) - ankle)
    move *= np.minimum(1, _FARTHEST / np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9))
    target = ankle + move + ((1 - ease) * _above(sunk, fps))[:, None] * [0.0, 1, 0]
    return _Foot(target, rot.slerp(foot, rot.normalise(fill(held, hold)), ease), ease)


def _above(values: Array, fps: float) -> Array:
    """(T,) a calm course that lies above values nearly everywhere."""
    wide = np.pad(values, round(2 * _TREMBLE * fps), mode="edge")
    top = np.lib.stride_tricks.sliding_window_view(wide, len(wide) - len(values) + 1).max(axis=1)
    return smooth(top, _TREMBLE * fps)


def _stays(may: Array, calm: Array, fps: float) -> Array:
    """(T,) where a foot that may stand does not move on in the long run."""
    reach, stays = round(_LONG * fps), np.zeros(len(may), dtype=bool)
    for first, last in _runs(may):
        frames = np.arange(first, last)
        before, after = np.maximum(frames - reach, first), np.minimum(frames + reach, last - 1)
        gone = np.linalg.norm(calm[after] - calm[before], axis=1)
        stays[first:last] = gone < _STILL * np.maximum(after - before, 1) / fps
    return stays


def _runs(where: Array) -> list[tuple[int, int]]:
    """(first, last) frames of each run in which something holds."""
    edges = np.flatnonzero(np.diff(np.r_[0, where.astype(int), 0])).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _lengths(skeleton: Skeleton, side: str) -> list[float]:
    return [float(np.linalg.norm(skeleton.offsets[INDEX[f"{side}{b}"]])) for b in ("LowerLeg", "Foot")]


def _stand(skeleton: Skeleton, local: Array, side: str, foot: _Foot, places: Array, world: Array) -> None:
    """Bend a leg so that its foot is where it is to be."""
    hip, knee, ankle = (INDEX[f"{side}{b}"] for b in ("UpperLeg", "LowerLeg", "Foot"))
    lengths = _lengths(skeleton, side)
    start = places[:, hip]
    line = places[:, ankle] - start
    pole = places[:, knee] - start - 0.5 * line
    # A straight leg's knee points where its foot does.
    pole = pole + 0.05 * rot.rotate(world[:, ankle], np.array([0.0, 0, 1]))
    bent, end = two_bone(start, foot.target, *lengths, pole, reach=_REACH)
    hinge = rot.cross(bent - start, end - bent)
    fallback = rot.rotate(world[:, knee], np.array([1.0, 0, 0]))
    weak = np.linalg.norm(hinge, axis=1, keepdims=True) < 0.05 * lengths[0] * lengths[1]
    hinge = np.where(weak, fallback, hinge)
    x = np.array([1.0, 0, 0])
    upper = align(skeleton.offsets[knee], x, bent - start, hinge)
    lower_leg = align(skeleton.offsets[ankle], x, end - bent, hinge)
    pelvis = world[:, INDEX["hips"]]
    moved = np.abs(foot.target - places[:, ankle]).max(axis=1) > 1e-4
    touched = ((foot.ease > 1e-3) | moved)[:, None]
    for j, q in (
        (hip, rot.multiply(rot.conjugate(pelvis), upper)),
        (knee, rot.multiply(rot.conjugate(upper), lower_leg)),
        (ankle, rot.multiply(rot.conjugate(lower_leg), foot.turn)),
    ):
        local[:, j] = np.where(touched, q, local[:, j])
