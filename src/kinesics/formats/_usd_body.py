"""Turning UsdSkel's matrices and arrays, in whatever frames and units, into a motion of ours."""

from __future__ import annotations

import logging
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError
from kinesics.formats._encode import rate_from_text
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Motion
from kinesics.performance._sampled import exact_rate

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
_STILL = 1e-3  # metres: a bone that stretches less has one length
_MOST = 200_000_000
_Z_UP = rot.from_axis_angle([1.0, 0, 0], -math.pi / 2)


def on_even_clock(
    path: Path, values: NDArray[Any], times: Array, rate: NDArray[Any], told: Any
) -> tuple[NDArray[Any], Fraction, float]:
    """Samples at time codes as (values, fps, start); unevenly spaced ones are interpolated.

    ``told`` is what a file of ours says of this track: the exact rate and start, believed where they agree.
    """
    codes = float(rate)
    if not 1e-3 <= codes <= 1e6:
        raise FormatError(path, "timeCodesPerSecond", f"a rate, found {codes:g}", "set it, 24 for instance")
    if not np.isfinite(times).all() or np.abs(times).max(initial=0) > 1e12:
        raise FormatError(path, "time samples", "finite times", "export the animation again")
    if len(times) < 2:
        fps, start = exact_rate(codes, "timeCodesPerSecond"), float(times[0]) / codes if len(times) else 0.0
    else:
        step = (times[-1] - times[0]) / (len(times) - 1)
        if step <= 0 or np.abs(np.diff(times) - step).max() > 1e-3 * step:
            values, step = _evened(path, values, times), 1.0
        near = codes / step
        fps = Fraction(round(near)) if abs(near - round(near)) < 1e-6 * near else exact_rate(near, "rate")
        start = float(times[0]) / codes
    if isinstance(told, dict) and isinstance(told.get("fps"), str):
        try:
            exact = rate_from_text(told["fps"])
        except ValueError:
            exact = fps
        fps = exact if abs(float(exact / fps) - 1) < 1e-6 else fps
        begin = told.get("start")
        if isinstance(begin, float) and abs(begin - start) < 1e-6 * (1 + abs(start)):
            start = begin
    return values, fps, start


def _evened(path: Path, values: NDArray[Any], times: Array) -> NDArray[Any]:
    span = times[-1] - times[0]
    if not np.isfinite(span) or (span + 1) * values[0].size > _MOST:
        raise FormatError(path, "time samples", "samples that lie close together", "bake the animation")
    log.info("%s: samples are not evenly spaced and are interpolated", path)
    at = times[0] + np.arange(math.floor(span + 1e-6) + 1)
    high = np.clip(np.searchsorted(times, at, side="right"), 1, len(times) - 1)
    low = high - 1
    part = np.clip((at - times[low]) / np.maximum(times[high] - times[low], 1e-12), 0, 1)
    part = part.reshape(-1, *([1] * (values.ndim - 1)))
    if values.shape[-1] == 4 and values.ndim == 3:
        return rot.slerp(values[low], values[high], np.broadcast_to(part[..., 0], values[low].shape[:-1]))
    return values[low] + (values[high] - values[low]) * part


def motion_of(
    path: Path, arrays: dict[str, NDArray[Any]], note: dict[str, Any], about: dict[str, Any]
) -> Motion | None:
    """The body, or None where the animation moves no joints."""
    animated = [str(j) for j in arrays["joints"] if str(j)]
    if "rotations" not in arrays or not animated:
        return None
    joints = [str(j) for j in arrays.get("skeleton", arrays["joints"]) if str(j)]
    if not joints:
        joints = animated
    if len(set(joints)) != len(joints) or len(set(animated)) != len(animated):
        raise FormatError(path, "joints", "joints that do not repeat", "give each joint its own path")
    parents = _parents(path, joints)
    world, local = _rest(path, arrays, joints, parents)
    rotations, fps, start = on_even_clock(
        path, arrays["rotations"], arrays["times"], arrays["rate"], note.get("body")
    )
    moves, _, _ = on_even_clock(
        path, arrays["translations"], arrays["times"], arrays["rate"], note.get("body")
    )
    if not np.isfinite(moves).all() or np.abs(moves).max(initial=0) > 1e9:
        raise FormatError(path, "translations", "finite places of sane size", "export the animation again")
    if len(rotations) * len(joints) * 4 > _MOST:
        raise FormatError(path, "joints", f"at most {_MOST} values", "cut the clip")
    frames = len(rotations)
    # What the animation does not name stays as it rests.
    turns = np.tile(local[0], (frames, 1, 1))
    places = np.tile(local[1], (frames, 1, 1))
    index = {j: i for i, j in enumerate(joints)}
    pairs = [(k, index[j]) for k, j in enumerate(animated) if j in index]
    if not pairs:
        raise FormatError(
            path, "joints", "an animation of the skeleton's joints, found others", "bind it again"
        )
    theirs, ours = (np.array(p) for p in zip(*pairs, strict=True))
    turns[:, ours] = _unit(path, rotations[:, theirs, :][..., [3, 0, 1, 2]].astype(np.float64))
    places[:, ours] = moves[:, theirs]
    if "scales" in arrays and np.abs(arrays["scales"] - 1).max(initial=0) > 1e-2:
        about["lost_scale"] = float(np.abs(arrays["scales"] - 1).max())
        log.warning("%s: joints that scale keep their size", path)
    return _posed(path, joints, parents, world, turns, places, arrays, fps, start, note, about)


def _parents(path: Path, joints: list[str]) -> list[int]:
    index = {j: i for i, j in enumerate(joints)}
    parents = []
    for i, joint in enumerate(joints):
        above, found = joint, -1
        for _ in range(joint.count("/")):
            above = above.rpartition("/")[0]
            if above in index:
                found = index[above]
                break
        if found >= i:
            raise FormatError(
                path, "joints", f"parents before children, found {joint[:80]!r} first", "sort them"
            )
        parents.append(found)
    return parents


def _rest(
    path: Path, arrays: dict[str, NDArray[Any]], joints: list[str], parents: list[int]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Rest pose as (rotations, places), in the skeleton's space and local to each parent."""
    count = len(joints)
    bind, rest = arrays.get("bind", np.zeros((0, 4, 4))), arrays.get("rest", np.zeros((0, 4, 4)))
    if len(bind) == count:
        world_turns, world_places = _split(path, bind)
        has = np.array(parents) >= 0
        above = np.maximum(np.array(parents), 0)
        back = rot.conjugate(world_turns[above])
        turns = np.where(has[:, None], rot.multiply(back, world_turns), world_turns)
        places = np.where(has[:, None], rot.rotate(back, world_places - world_places[above]), world_places)
        return (world_turns, world_places), (turns, places)
    if len(rest) == count:
        turns, places = _split(path, rest)
    else:
        # Without either the first frame's bones are all there is, in frames that are aligned.
        turns = np.tile(rot.IDENTITY.astype(np.float64), (count, 1))
        animated = [str(j) for j in arrays["joints"]]
        if animated != joints:
            raise FormatError(
                path, "bindTransforms", f"{count} matrices, found {len(bind)}", "export the skeleton"
            )
        places = arrays["translations"][0].astype(np.float64)
    world_turns, world_places = turns.copy(), places.copy()
    for i, p in enumerate(parents):
        if p >= 0:
            world_turns[i] = rot.multiply(world_turns[p], turns[i])
            world_places[i] = world_places[p] + rot.rotate(world_turns[p], places[i])
    return (world_turns, world_places), (turns, places)


def _split(path: Path, matrices: Array) -> tuple[Array, Array]:
    """USD's row-vector matrices as rotations and places; sizes are left out."""
    if not np.isfinite(matrices).all() or np.abs(matrices).max(initial=0) > 1e9:
        raise FormatError(path, "transforms", "finite matrices", "export the skeleton again")
    axes = np.swapaxes(matrices[:, :3, :3], 1, 2)
    length = np.linalg.norm(axes, axis=1, keepdims=True)
    if (length < 1e-9).any():
        raise FormatError(path, "transforms", "matrices that keep three axes", "export the skeleton again")
    return rot.from_matrix(axes / length), matrices[:, 3, :3].astype(np.float64)


def _unit(path: Path, turns: Array) -> Array:
    length = np.linalg.norm(turns, axis=-1, keepdims=True)
    if not np.isfinite(length).all() or (length < 1e-6).any():
        raise FormatError(path, "rotations", "unit quaternions", "export the animation again")
    return turns / length


def _posed(
    path: Path, joints: list[str], parents: list[int], rest: tuple[Array, Array], turns: Array, places: Array,
    arrays: dict[str, NDArray[Any]], fps: Fraction, start: float, note: dict[str, Any], about: dict[str, Any],
) -> Motion:  # fmt: skip
    unit = float(arrays["unit"])
    if not 1e-6 <= unit <= 1e6:
        raise FormatError(path, "metersPerUnit", f"a length, found {unit:g}", "set it, 0.01 for centimetres")
    stage_turn, stage_place = _split(path, arrays["world"].reshape(1, 4, 4))
    size = float(np.linalg.norm(arrays["world"][0, :3])) * unit
    up = _Z_UP if str(arrays["up"]).upper() == "Z" else rot.IDENTITY.astype(np.float64)
    stage = rot.multiply(up, stage_turn[0])
    placed = rot.rotate(up, stage_place[0]) * unit
    keep = _tree(path, joints, parents, about)
    world_turns = rot.multiply(stage, rest[0])
    world = np.empty_like(turns)
    spots = np.empty_like(places)
    for i in keep:
        p = parents[i]
        above = world[:, p] if p >= 0 else np.broadcast_to(stage, (len(turns), 4))
        origin = spots[:, p] if p >= 0 else placed
        world[:, i] = rot.multiply(above, turns[:, i])
        spots[:, i] = origin + rot.rotate(above, places[:, i] * size)
    offsets = np.zeros((len(joints), 3))
    lost: dict[str, float] = {}
    while len(keep) > 1 and sum(parents[i] == keep[0] for i in keep) == 1:
        child = keep[1]
        if not len(spots) or np.ptp(spots[:, keep[0]], axis=0).max() > _STILL:
            break
        if np.ptp(places[:, child] * size, axis=0).max() <= _STILL:
            break
        log.info("%s: %r travels below the root and is taken for the root", path, joints[child])
        keep = keep[1:]
    for i in keep[1:]:
        bone = places[:, i] * size
        offset = np.median(bone, axis=0) if len(bone) else np.zeros(3)
        if len(bone) and float(np.abs(bone - offset).max()) > _STILL:
            lost[joints[i]] = round(float(np.abs(bone - offset).max()), 4)
        offsets[i] = rot.rotate(world_turns[parents[i]], offset)
    if lost:
        about["lost_translation"] = lost
        log.warning("%s: joints that stretch are kept at their median place: %s (metres)", path, lost)
    offsets[keep[0]] = placed + rot.rotate(stage, rest[1][keep[0]] * size)
    # From rest to now, in the world: the turn that our joints know.
    moved = rot.multiply(world[:, keep], rot.conjugate(world_turns[keep]))
    number = {i: k for k, i in enumerate(keep)}
    tree = tuple(number.get(parents[i], -1) for i in keep)
    skeleton = Skeleton(_names(joints, keep, note), tree, offsets[keep].astype(np.float32))
    local = rot.normalise(skeleton.local(moved)).astype(np.float32)
    count = (
        note.get("body", {}).get("frames", len(local)) if isinstance(note.get("body"), dict) else len(local)
    )
    if count == 0:
        local, spots = local[:0], spots[:0]
    return Motion(skeleton, local, spots[:, keep[0]].astype(np.float32), fps, start)


def _tree(path: Path, joints: list[str], parents: list[int], about: dict[str, Any]) -> list[int]:
    """Joints of the largest tree, in order."""
    root = list(range(len(joints)))
    for i, p in enumerate(parents):
        if p >= 0:
            root[i] = root[p]
    sizes = {r: root.count(r) for r in dict.fromkeys(root)} if len(joints) < 10_000 else {}
    if not sizes:
        raise FormatError(
            path, "joints", f"up to 10,000 joints, found {len(joints)}", "export the skeleton alone"
        )
    best = max(sizes, key=lambda r: sizes[r])
    left = [joints[i] for i in range(len(joints)) if root[i] != best]
    if left:
        about["lost_joints"] = left[:50]
        log.warning("%s: %d joints outside the largest tree are left out", path, len(left))
    return [i for i in range(len(joints)) if root[i] == best]


def _names(joints: list[str], keep: list[int], note: dict[str, Any]) -> tuple[str, ...]:
    told = note.get("names")
    if isinstance(told, list) and len(told) == len(joints) and all(isinstance(n, str) for n in told):
        names = [told[i] for i in keep]
    else:
        names = [joints[i].rpartition("/")[2] for i in keep]
    return tuple(names) if len(set(names)) == len(names) else tuple(joints[i] for i in keep)
