"""Bringing a motion from one skeleton to another.

Every known skeleton (:func:`skeletons`) has a table that says which joint is which bone of the canonical
humanoid (:mod:`kinesics.bodies.skeletons`). A motion goes through that humanoid:

- **Limbs.** Upper arms, forearms, hands, thighs, shins and fingers point exactly where the source's point,
  whatever pose either skeleton has at rest: each rig's limbs are first put into the T-pose, by the shortest turns
  from the shoulder or hip outwards, and the motion is read as turns out of that pose. The twist of a limb is
  therefore the twist it has from its own rest.
- **Trunk, neck, head, collar bones, feet** turn as the source's turn from rest: where the joints lie within the
  body differs between skeletons, and a vertical neck is not meant to become a slanted one. Feet keep
  the direction in which they point; flat soles stay flat.
- **Chains of another length** (spine, neck) share out the same bend; joints the source lacks rest; joints
  the target lacks are folded into what hangs on them.
- **Place.** The middle of the hip joints travels by the ratio of the leg lengths. Its height is such that in every
  frame the lowest point of the soles stands above the floor as it does in the source, to scale. The source's floor
  is found from its soles over the clip, as takes are not always at height 0 or level. Feet that stand are kept
  from slipping by moving the hips by a centimetre or two.

Skeletons must stand upright in their rest pose, in a T, an A or with arms down; of files whose zero pose is no
human pose, Bandai-Namco's are known. Positions without rotations are not read here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.bodies.rig import SIDES, TIP, Rig, leg_length, maya
from kinesics.bodies.skeletons import ALIASES, SPINE, TABLES, Table, lacking, plain_names
from kinesics.errors import DataError, choose
from kinesics.geometry import retarget as maths
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton

if TYPE_CHECKING:  # the types live on the same floor
    from kinesics.performance import Motion

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
SMOOTH = 0.04
"""Seconds over which the height is smoothed, so that the hips do not jerk when weight goes from heel to toe (ours:
over 39 clips of CMU the least with which they are as smooth as the source's)."""

LEVEL, SUNK = 0.005, 0.02
"""Metres: a floor that is found within the first of height 0, and into which soles never sink deeper than the
second, is taken to be there, and heights above it to be true (ours)."""
BACK = np.array([0, 1, 3, 4])
"""Of the points of both soles, heels and balls: without toes that bend, their tips say nothing."""


def skeletons() -> list[str]:
    """Names of the known skeletons, and their other names.

    >>> "mixamo" in skeletons(), "xia" in skeletons()
    (True, True)
    """
    return sorted([*TABLES, *ALIASES])


def table(name: str) -> Table:
    """The table of a known skeleton."""
    return TABLES[ALIASES.get(choose("skeleton", name, skeletons()), name)]


def recognise(skeleton: Skeleton) -> str:
    """Name of the known skeleton that this one is, by the names of its joints.

    Case, underscores, blanks and dots do not matter, nor does a prefix up to a colon
    (``mixamorig:Hips``) or a bare ``mixamorig``. Joints may be missing or added, as long as hips, head, limbs and a
    joint of the spine are there.

    Raises
    ------
    DataError
        If it is none of them; says what is missing from the most similar one.

    Examples
    --------
    >>> recognise(skeleton("mixamo"))
    'mixamo'
    """
    names = set(plain_names(skeleton.names))
    best, score = None, 0.0
    for known in TABLES.values():
        wanted = set(plain_names(known.joints))
        same = len(wanted & names) / len(wanted | names)
        if same > score and not lacking(known, names):
            best, score = known.name, same
    if best:
        return best
    near = max(TABLES.values(), key=lambda t: len(set(plain_names(t.needed)) & names) / len(t.needed))
    raise DataError(
        f"skeleton of {len(skeleton)} joints is none of the known ones ({', '.join(TABLES)}); nearest is "
        f"{near.name!r}, of which it lacks: {', '.join(lacking(near, names))}; rename the joints after one of these"
    )


def skeleton(name: str, like: Skeleton | None = None) -> Skeleton:
    """A known skeleton in the T-pose, with world-aligned bone frames.

    Parameters
    ----------
    name
        One of :func:`skeletons`.
    like
        A canonical skeleton whose proportions it takes; the default is the avatar maya's.

    Returns
    -------
    Skeleton
        Its joints have the order of the skeleton's own files, except where those name a child before its parent
        (``kinect25``).

    Raises
    ------
    DataError
        If the name is not known, or ``like`` is not canonical.

    Examples
    --------
    >>> skeleton("smplx").names[:3]
    ('pelvis', 'left_hip', 'right_hip')
    """
    known = table(name)
    like = like or maya()
    if like.names != JOINTS:
        raise DataError("skeleton: the proportions must come from a skeleton of the canonical 55 joints")
    if known.joints == JOINTS:
        return like
    rest = like.rest.astype(np.float64)
    places: dict[str, Array] = {j: rest[INDEX[b[0]]] for j, b in known.bones.items() if b}
    ways = (
        (known.spine, rest[[INDEX[b] for b in SPINE]], 2.0),
        (known.neck, rest[[INDEX["neck"], INDEX["head"]]], 0.5),
    )
    for chain, way, end in ways:
        for joint, at in zip(chain, np.linspace(0, end, len(chain)), strict=True):
            places[joint] = np.array([np.interp(at, np.arange(len(way)), way[:, k]) for k in range(3)])
    places |= {j: rest[INDEX[b]] + _tip(like, b) for j, b in known.tips.items()}
    places |= {j: rest[[INDEX[b] for b in at]].mean(axis=0) for j, at in known.places.items()}
    order, parents = _parents_first(known)
    for joint, parent in zip(order, parents, strict=True):
        places.setdefault(joint, places[order[parent]])
    offsets = [places[j] - (places[order[p]] if p >= 0 else 0) for j, p in zip(order, parents, strict=True)]
    return Skeleton(order, parents, np.array(offsets))


def _parents_first(known: Table) -> tuple[tuple[str, ...], tuple[int, ...]]:
    order: list[int] = []

    def put(joint: int) -> None:
        if joint >= 0 and joint not in order:
            put(known.parents[joint])
            order.append(joint)

    for joint in range(len(known.joints)):
        put(joint)
    parents = [known.parents[j] for j in order]
    return tuple(known.joints[j] for j in order), tuple(order.index(p) if p >= 0 else -1 for p in parents)


def _tip(like: Skeleton, bone: str) -> Array:
    """From the beginning of a bone that ends a limb to its tip."""
    offset = like.offsets[INDEX[bone]].astype(np.float64)
    if bone == "head":
        return np.array([0.0, 1.5, 0.0]) * np.linalg.norm(offset)
    if bone.endswith("Toes"):
        return np.array([0.0, 0.0, TIP * leg_length(like.offsets)])
    return 0.8 * offset


def retarget(
    motion: Motion, to: str | Skeleton = "humanoid", *, source: str | None = None, floor: bool = True
) -> Motion:
    """The same movement on another skeleton.

    Parameters
    ----------
    motion
        A motion on any known skeleton.
    to
        Name of a known skeleton (:func:`skeletons`), which then has the motion's proportions if that is on the
        canonical humanoid and the avatar maya's if not; or a skeleton, whose joints' names must be known.
    source
        Name of the known skeleton that the motion is on; without it, it is recognised.
    floor
        Find the floor in the motion, and stand the result on height 0. False: height 0 is the motion's floor.

    Returns
    -------
    Motion
        Same frames, rate and start. The motion itself, when it is on that skeleton already.

    Raises
    ------
    DataError
        If a skeleton is not known, or does not stand upright in its rest pose.

    Examples
    --------
    >>> from kinesics.performance import Motion
    >>> rest = Motion(skeleton("mixamo"), np.tile(rot.IDENTITY, (2, 67, 1)), np.zeros((2, 3)), 60)
    >>> retarget(rest).rotations.shape
    (2, 55, 4)
    """
    canonical = motion.skeleton.names == JOINTS and (source is None or table(source).name == "humanoid")
    if isinstance(to, Skeleton):
        if to == motion.skeleton:
            return motion
        target, known = to, table(recognise(to))
    else:
        known = table(to)
        if known.name == "humanoid" and canonical:
            return motion
        target = skeleton(to, motion.skeleton if canonical else None)
    hub = target if target.names == JOINTS else motion.skeleton if canonical else maya()
    ours = Rig.of(motion.skeleton, table(source or recognise(motion.skeleton)), hub)
    theirs = Rig.of(target, known, hub)
    frames, fps = len(motion), float(motion.fps)
    points = slice(None) if ours.has_toes and theirs.has_toes else BACK
    turns, hips = np.empty((frames, len(JOINTS), 4)), np.empty((frames, 3))
    soles = np.empty((frames, 6, 3))[:, points]
    for part in _blocks(frames):
        places, world = motion.skeleton.forward(
            motion.rotations[part].astype(np.float64), motion.root[part].astype(np.float64)
        )
        turns[part] = ours.read(world)
        hips[part] = ours.hips(places)
        soles[part] = ours.soles(places, turns[part])[:, points]
    level = maths.floor_under(soles, fps) if floor else np.zeros(frames)
    off = floor and (np.abs(level).max(initial=0) > LEVEL or soles[..., 1].min(initial=0) < -SUNK)
    if off:
        log.info("retargeting: the motion's floor is at %.3f to %.3f m", level.min(), level.max())
    else:
        level = np.zeros(frames)
    height = soles[..., 1] - level[:, None]
    if not ours.has_toes:
        _bend_toes(turns, height / ours.leg)
    scale = theirs.leg / ours.leg
    rotations = np.empty((frames, len(target), 4), np.float32)
    root, here = np.empty((frames, 3)), np.empty_like(soles)
    for part in _blocks(frames):
        local = rot.normalise(target.local(theirs.write(turns[part])))
        rotations[part] = local
        places, _ = target.forward(local, np.zeros(3))
        root[part] = scale * hips[part] - theirs.hips(places)
        here[part] = theirs.soles(places, turns[part])[:, points]
    lowest = height.min(axis=1)
    lowest = scale * (maths.settled(lowest) if off else lowest)
    rise = lowest - here[..., 1].min(axis=1) - root[:, 1]
    root[:, 1] += maths.smoothed(rise, SMOOTH * fps)
    if floor:
        root[:, [0, 2]] += maths.planted(scale * soles, here + root[:, None], scale * height, fps)
    return replace(motion, skeleton=target, rotations=rot.continuous(rotations), root=root.astype(np.float32))


def _blocks(frames: int) -> Iterator[slice]:
    # Enough frames for numpy, few enough for the memory that an hour of motion would take.
    return (slice(first, first + 4096) for first in range(0, frames, 4096))


def _bend_toes(turns: Array, heights: Array) -> None:
    """Keep toes on the floor while the heel lifts, where the source has none that could bend.

    ``heights`` (T, 4) are those of heel and ball of both feet above the floor, in lengths of the leg.
    """
    for side, ball in zip(SIDES, (heights[:, 1], heights[:, 3]), strict=True):
        foot = turns[:, INDEX[f"{side}Foot"]]
        down = -np.arcsin(np.clip(rot.rotate(foot, np.array([0.0, 0, 1]))[:, 1], -1, 1))
        near = np.clip(1 - ball / 0.08, 0, 1)
        bend = np.clip(down, 0, 1.0) * near
        turns[:, INDEX[f"{side}Toes"]] = rot.multiply(foot, rot.from_axis_angle(np.array([-1.0, 0, 0]), bend))
