"""BVH, the Biovision hierarchy: a skeleton and its motion as text.

Carries ``body`` and nothing else: no sound, no face, no start time.

What a file does not say, and what is done about it:

- **Units.** Nothing declares them. ``unit="auto"`` takes the one (metres, MakeHuman's decimetres, centimetres,
  inches, CMU's 0.45-inch unit, millimetres) in which the skeleton, finger to toe, comes nearest to a person's 2.3 m,
  and tells it in ``meta["bvh"]["unit"]``.
- **Up.** Nothing declares it: Y unless ``up="Z"``.
- **Rest pose.** All angles zero. Ours is the T-pose with world-aligned bone frames; other files have whatever
  their tool made, sometimes no human pose at all.
- **Euler order** differs from joint to joint; the order of the channels is the law.
  Angles are read through quaternions, so files with accumulated turns (BEAT reaches −2482°) come out right, and
  are written unwrapped, so that no curve jumps by 360°.
- **Position channels replace OFFSET** (as in Blender, and as Bandai-Namco's and LaFAN1's files need),
  they are not added to it, but where those below the root are nearer to zero than to OFFSET, as in MakeHuman's
  rigs: then they are, which ``meta["bvh"]["positions"]`` tells. Other joints than the root may have them: where they stand still
  they are the joint's offset; where the root has a single child that travels, that child
  becomes the root; what else they do cannot be kept and is told in ``meta["bvh"]``.
- **End sites** give the last bones' lengths: kept in ``meta["bvh"]["end_sites"]`` and written again.
- **The root's height at rest** is OFFSET; where that is zero, as in files made here, the rest pose
  is put with its lowest point on the floor.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.export import body_for_export
from kinesics.errors import DataError, FormatError, KinesicsError, choose
from kinesics.files import replacing
from kinesics.formats._bvh_read import Frames, Lines, Tree, read_frames, read_tree
from kinesics.formats._format import Format
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Motion, Performance

log = logging.getLogger(__name__)

UNITS: dict[str, float] = {
    "m": 1.0, "dm": 0.1, "cm": 0.01, "inch": 0.0254, "cmu": 0.0254 / 0.45, "mm": 0.001,
}  # fmt: skip
"""Metres per unit of length."""

_SPAN = 2.3  # metres along the bones from finger tip to toe of an adult
_STILL = 1e-3  # metres: position channels that move less are an offset


def read(path: str | Path, *, unit: str = "auto", up: str = "Y") -> Performance:
    """Read a BVH file as a motion on its own skeleton.

    Parameters
    ----------
    path
        The file.
    unit
        ``"m"``, ``"dm"``, ``"cm"``, ``"inch"``, ``"cmu"``, ``"mm"`` or ``"auto"``.
    up
        ``"Y"`` or ``"Z"``: the axis that points up in the file.

    Returns
    -------
    Performance
        With the track ``body``; ``meta["bvh"]`` holds unit, end sites and what was lost.

    Raises
    ------
    FormatError
        If the file is not BVH, is cut off, or holds numbers that are not finite.

    Examples
    --------
    >>> walk = read("walk.bvh").body  # doctest: +SKIP
    >>> walk.skeleton.names[0], walk.fps  # doctest: +SKIP
    ('hip', Fraction(120, 1))
    """
    path = Path(path)
    choose("unit", unit, ["auto", *UNITS])
    choose("up axis", up, ["Y", "Z"])
    with path.open("rb") as file:
        lines = Lines(path, file)
        tree = read_tree(lines)
        frames = read_frames(lines, tree, path.stat().st_size)
    try:
        return _performance(path, tree, frames, unit, up)
    except KinesicsError as error:
        raise FormatError(path, "hierarchy or motion", "a finite skeleton in motion", str(error)) from error


def _performance(path: Path, tree: Tree, frames: Frames, unit: str, up: str) -> Performance:
    names = [j.name for j in tree.joints]
    parents = np.array([j.parent for j in tree.joints])
    offsets = np.array([j.offset for j in tree.joints], dtype=np.float64)
    ends = {j.name: np.array(j.end_site) for j in tree.joints if j.end_site is not None}
    if unit == "auto":
        unit = _guess_unit(parents, offsets, names, ends)
        log.info("%s: unit taken to be %s", path, unit)
    scale = UNITS[unit]
    offsets *= scale
    ends = {n: e * scale for n, e in ends.items()}
    positions = {i: p * scale for i, p in frames.positions.items()}
    rotations = frames.rotations
    lost: dict[str, float] = {}
    root = positions.pop(0, None)
    if root is None:
        root = np.tile(offsets[0], (len(rotations), 1))
    first = _travelling_child(parents, positions)
    if first:
        root = root + rot.rotate(rotations[:, 0], positions.pop(first))
        rotations = rotations.copy()
        rotations[:, first] = rot.multiply(rotations[:, 0], rotations[:, first])
        offsets[first] += offsets[0]
        log.info("%s: %r travels below the root %r and is taken for the root", path, names[first], names[0])
        names, parents, offsets, rotations = names[1:], parents[1:] - 1, offsets[1:], rotations[:, 1:]
        positions = {i - 1: p for i, p in positions.items()}
    added = _added(offsets, positions)
    if added:
        positions = {i: p + offsets[i] for i, p in positions.items()}
        log.info("%s: positions of joints below the root are added to OFFSET", path)
    for i, position in positions.items():
        if len(position):
            offsets[i] = np.median(position, axis=0)
            away = float(np.abs(position - offsets[i]).max())
            if away > _STILL:
                lost[names[i]] = round(away, 4)
    if lost:
        log.warning("%s: joints that stretch are kept at their median place: %s (metres)", path, lost)
    if up == "Z":
        turn = rot.from_axis_angle([1.0, 0, 0], -math.pi / 2)
        offsets, root = rot.rotate(turn, offsets), rot.rotate(turn, root)
        ends = {n: rot.rotate(turn, e) for n, e in ends.items()}
        rotations = rot.multiply(rot.multiply(turn, rotations), rot.conjugate(turn))
    if not np.any(offsets[0]):
        offsets[0, 1] = -_lowest(parents, offsets, names, ends)
    about: dict[str, Any] = {
        "unit": unit,
        "end_sites": {n: [round(float(x), 6) for x in e] for n, e in ends.items()},
    }
    if added:
        about["positions"] = "added to OFFSET"
    if lost:
        about["lost_translation"] = lost
    skeleton = Skeleton(tuple(names), tuple(parents.tolist()), offsets.astype(np.float32))
    body = Motion(skeleton, rotations.astype(np.float32, copy=False), root.astype(np.float32), frames.fps)
    return Performance({"body": body}, {"bvh": about})


def _travelling_child(parents: NDArray[np.intp], positions: Mapping[int, NDArray[np.float64]]) -> int:
    # Bandai-Namco puts a resting joint_Root above the hips that walk.
    if np.count_nonzero(parents == 0) != 1 or 1 not in positions or not len(positions[1]):
        return 0
    return 1 if np.ptp(positions[1], axis=0).max() > _STILL else 0


def _added(offsets: NDArray[np.float64], positions: Mapping[int, NDArray[np.float64]]) -> bool:
    # MakeHuman's rigs, written by older Blenders, have positions around zero below the root.
    middles = {i: np.median(p, axis=0) for i, p in positions.items() if len(p)}
    from_zero = sum(float(np.linalg.norm(m)) for m in middles.values())
    return from_zero < sum(float(np.linalg.norm(m - offsets[i])) for i, m in middles.items())


def _places(parents: NDArray[np.intp], offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    places = offsets.copy()
    for i, p in enumerate(parents):
        if p >= 0:
            places[i] += places[p]
    return places


def _lowest(
    parents: NDArray[np.intp],
    offsets: NDArray[np.float64],
    names: list[str],
    ends: Mapping[str, NDArray[np.float64]],
) -> float:
    places = _places(parents, offsets)
    tips = [float(places[names.index(n)][1] + e[1]) for n, e in ends.items() if n in names]
    return min([float(places[:, 1].min()), *tips])


def _guess_unit(
    parents: NDArray[np.intp],
    offsets: NDArray[np.float64],
    names: list[str],
    ends: Mapping[str, NDArray[np.float64]],
) -> str:
    # The longest way along the bones between any two tips: for a person, from a finger to a toe.
    lengths = np.linalg.norm(offsets, axis=1)
    reach = np.array([float(np.linalg.norm(ends.get(n, np.zeros(3)))) for n in names])
    span = 0.0
    for i in range(len(parents) - 1, -1, -1):
        span = max(span, float(reach[i]))
        if parents[i] >= 0:
            p, way = parents[i], float(reach[i] + lengths[i])
            span = max(span, float(reach[p]) + way)
            reach[p] = max(reach[p], way)
    if span <= 0:
        return "cm"
    return min(UNITS, key=lambda u: abs(math.log(span * UNITS[u] / _SPAN)))


def write(performance: Performance, path: str | Path, *, order: str = "ZXY", unit: str = "cm") -> None:
    """Write the body as BVH: six channels at the root, three elsewhere, end sites, unwrapped angles.

    Parameters
    ----------
    performance
        With the track ``body``; where there is a ``face``, the jaw bone follows its ``jawOpen``.
    path
        The file.
    order
        Euler order of all joints, a permutation of XYZ as it stands in the file.
    unit
        ``"cm"`` (what most programs expect), ``"m"``, ``"dm"``, ``"inch"``, ``"cmu"`` or ``"mm"``.

    Raises
    ------
    DataError
        If there is no body, or an option is unknown.
    """
    path = Path(path)
    motion = body_for_export(performance.body, performance.get("face"))
    scale = UNITS[choose("unit", unit, UNITS)]
    order = order.upper()
    if sorted(order) != ["X", "Y", "Z"]:
        raise DataError(f"Euler order {order!r}: expected a permutation of XYZ, for instance 'ZXY'")
    places = {"m": 6, "inch": 5, "cmu": 5}.get(unit, 4)
    header, sequence = _hierarchy(
        motion.skeleton, order, scale, places, _end_sites(performance, motion.skeleton)
    )
    row = " ".join([f"%.{places}f"] * 3 + ["%.4f"] * (3 * len(sequence))) + "\n"
    with replacing(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
        text.write(header)
        text.write(f"MOTION\nFrames: {len(motion)}\nFrame Time: {float(1 / motion.fps):.9f}\n")
        previous = None
        for first in range(0, len(motion), 4096):
            part = slice(first, first + 4096)
            angles = euler_curves(motion.rotations[part][:, sequence], order, previous=previous)
            previous = angles[-1]
            root = motion.root[part].astype(np.float64) / scale
            values = np.concatenate([root, np.rad2deg(angles).reshape(len(root), -1)], axis=1)
            # Adding zero turns "-0.0000" into "0.0000".
            values = np.round(values, 6) + 0.0
            values[np.abs(values) < 0.5 * 10.0**-places] = 0.0
            for frame in values.tolist():
                text.write(row % tuple(frame))
        text.flush()
        text.detach()


def euler_curves(
    rotations: NDArray[np.float32], order: str, *, previous: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Quaternions (T, J, 4) as Euler curves (T, J, 3) in radians without jumps.

    Every rotation has two Euler triples, each up to full turns; taken is the one nearest to the
    frame before, starting near ``previous`` (J, 3) or, without it, near zero.
    """
    angles = rot.to_euler(np.asarray(rotations, dtype=np.float64), order)
    last = np.zeros(angles.shape[1:]) if previous is None else previous
    turn = 2 * np.pi
    # While the middle angle stays clear of a quarter turn the other triple is never nearer, and
    # unwrapping each curve by itself is enough; only the remaining joints need the slow walk.
    calm = (np.abs(angles[..., 1]).max(axis=0, initial=0) < 1.3) & (np.abs(last[:, 1]) < 1.5)
    if calm.any():
        with_last = np.concatenate([last[None, calm], angles[:, calm]])
        angles[:, calm] = np.unwrap(with_last, axis=0)[1:]
    wild = np.flatnonzero(~calm)
    if len(wild):
        one = angles[:, wild]
        two = one * [1, -1, 1] + np.pi
        now = last[wild]
        for t in range(len(angles)):
            a = one[t] + turn * np.round((now - one[t]) / turn)
            b = two[t] + turn * np.round((now - two[t]) / turn)
            nearer = np.abs(b - now).sum(axis=1) < np.abs(a - now).sum(axis=1)
            now = np.where(nearer[:, None], b, a)
            angles[t, wild] = now
    return angles


def _end_sites(performance: Performance, skeleton: Skeleton) -> dict[str, NDArray[np.float64]]:
    about = performance.meta.get("bvh", {})
    known = about.get("end_sites", {}) if isinstance(about, Mapping) else {}
    sites = {}
    floor = skeleton.rest[:, 1]
    for i, name in enumerate(skeleton.names):
        if name in known and np.shape(known[name]) == (3,):
            sites[name] = np.asarray(known[name], dtype=np.float64)
        elif i not in skeleton.parents:
            length = float(np.linalg.norm(skeleton.offsets[i])) if i else 0.1
            if name.endswith("Toes"):  # to the tip of the shoe, on the floor
                sites[name] = np.array([0.0, -max(float(floor[i]), 0.0), 0.06])
            elif name in ("jaw", "leftEye", "rightEye"):
                sites[name] = np.array([0.0, 0.0, 0.03])
            else:
                sites[name] = skeleton.offsets[i] * (0.8 if length > 0 else 0) + (
                    0 if length > 0 else [0, 0.02, 0]
                )
    return sites


def _hierarchy(
    skeleton: Skeleton, order: str, scale: float, places: int, ends: Mapping[str, NDArray[np.float64]]
) -> tuple[str, list[int]]:
    """The text up to MOTION, and the joints in the order in which it names them."""
    children: list[list[int]] = [[] for _ in skeleton.names]
    for i, p in enumerate(skeleton.parents):
        if p >= 0:
            children[p].append(i)
    angles = " ".join(f"{axis}rotation" for axis in order)
    out, sequence = ["HIERARCHY"], []

    def offset(values: NDArray[Any]) -> str:
        return "OFFSET " + " ".join(f"{float(x) / scale + 0.0:.{places}f}" for x in values)

    # An explicit stack, as chains (hair, tails) may be longer than Python's own.
    stack: list[tuple[int, int]] = [(0, 0)]
    while stack:
        i, depth = stack.pop()
        pad = "\t" * depth
        if i < 0:
            out.append(f"{pad}}}")
            continue
        sequence.append(i)
        name = "_".join(skeleton.names[i].split()) or f"joint{i}"
        out += [f"{pad}{'JOINT' if depth else 'ROOT'} {name}", f"{pad}{{"]
        out.append(f"{pad}\t{offset(skeleton.offsets[i] if depth else np.zeros(3))}")
        out.append(
            f"{pad}\tCHANNELS " + (f"3 {angles}" if depth else f"6 Xposition Yposition Zposition {angles}")
        )
        if skeleton.names[i] in ends and not children[i]:
            out += [
                f"{pad}\tEnd Site",
                f"{pad}\t{{",
                f"{pad}\t\t{offset(ends[skeleton.names[i]])}",
                f"{pad}\t}}",
            ]
        stack.append((-1, depth))
        stack += [(c, depth + 1) for c in reversed(children[i])]
    return "\n".join(out) + "\n", sequence


FORMAT = Format("BVH", (".bvh",), ("body",), read, write)
