"""What a hand does in a stroke: points on this person, and the ways between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour import phases as kendon
from kinesics.behaviour import rests
from kinesics.behaviour.arms import MIRROR_VECTOR, Reach, foldable
from kinesics.behaviour.handshapes import shape
from kinesics.behaviour.phases import Manner, Timing
from kinesics.behaviour.places import Placed, Target, orientation, place
from kinesics.geometry import rotations as rot
from kinesics.performance.gesture import NATURAL, Gesture, Move, Pose, direction

Array = NDArray[np.float64]
_FASTEST_STROKE = 1.9  # m/s
_FASTEST_TURN = 11.0  # radians a second
_FASTEST_LIMB = 4.5  # m/s at the wrist, for arms whose directions and times are both stated
_BESIDE = np.array([0.1, -0.995, 0.03]) / np.linalg.norm([0.1, -0.995, 0.03])
_DETOUR = np.array([0.6, 0.0, 0.8])


@dataclass
class Stroke:
    """What one hand does in a stroke: K points, and the way to each.

    ``points`` is (K, C) channels; ``shapes`` (K, 20) finger angles; ``moves`` the K − 1 ways. ``bulges`` are
    the ways (by the index of the point they lead to) whose middle is where the arm's directions say. ``poses``
    are channels and finger angles of the notation's poses, each once. An ``exact`` stroke takes longer rather
    than become smaller.
    """

    points: Array
    shapes: Array
    moves: list[Move]
    palms: Array
    fingers: Array
    contact: bool = False
    excess: float = 0.0
    comfort: tuple[Array, Array, Array] | None = None
    bulges: dict[int, Array] = field(default_factory=dict)
    poses: tuple[Array, Array] | None = None
    exact: bool = False

    @property
    def limbs(self) -> bool:
        """Whether the arm's directions are what counts: then nothing of it is made smaller or left out."""
        return bool(self.bulges)


def same_sign(here: Array, there: Array) -> Array:
    """``there`` with its rotation's sign on ``here``'s side."""
    if here[3:7] @ there[3:7] < 0:
        there = there.copy()
        there[3:7] *= -1
    return there


def make_stroke(
    gesture: Gesture,
    reach: Reach,
    *,
    amount: float,
    manner: Manner,
    leading: bool,
    size: float | None = None,
    like: Stroke | None = None,
    onto: tuple[Stroke, Reach] | None = None,
) -> Stroke:
    """Points of a gesture's stroke on this person.

    Parameters
    ----------
    gesture
        What to do.
    reach
        The arm that does it.
    amount
        Factor on size about the middle of gesture space; contact with the body is kept.
    manner
        How.
    leading
        Whether this is the leading hand.
    size
        Metres that the last pose shows, for gestures of size: between the palms, or above the ground.
    like
        The leading hand's stroke, which a mirrored hand takes its elbow and wrist from.
    onto
        The other hand's stroke and arm, where poses are on it.
    """
    own = bool(gesture.other) and not leading
    poses = list(gesture.other if own else gesture.poses)
    moves = list(gesture.other_moves if own and gesture.other_moves else gesture.moves)
    if gesture.alternate and not leading and not gesture.other and len(poses) > 1:
        poses.reverse()
        moves.reverse()
    order, ways = _unfold(len(poses), moves)
    placed = _placed(poses, reach, onto)
    wrist = np.array([p.wrist for p in placed])
    marks = reach.marks
    centre = np.array([0.95 * marks.shoulder[0], marks.heights["stomach"], marks.depth + 0.62 * marks.arm])
    for i, p in enumerate(placed):
        if not p.contact and not gesture.exact:
            wrist[i] = centre + amount * (wrist[i] - centre)
            wrist[i, 1] += manner.height
    palms, fingers = np.array([p.palm for p in placed]), np.array([p.fingers for p in placed])
    if size is not None and gesture.extra.get("axis") == "height" and gesture.hands == "one":
        # Heights are shown relative to the natural one, within what the arm can do.
        wrist[-1, 1] += float(np.clip(0.7 * (size - float(gesture.extra.get("size", size))), -0.25, 0.25))
    elif size is not None and gesture.hands == "both" and gesture.extra.get("axis", "width") == "width":
        middle = wrist + rot.rotate(orientation(reach.hand, palms, fingers), reach.hand.centre)
        spread = middle[:, 0] - middle[-1, 0] + 0.5 * size
        wrist[:, 0] += np.maximum(spread, 0.03) - middle[:, 0]
    free = ~np.array([p.contact for p in placed])
    away = wrist - marks.shoulder
    length = np.linalg.norm(away, axis=1)
    longest = 0.965 * marks.arm
    wrist[free] = (marks.shoulder + away * (np.minimum(length, longest) / np.maximum(length, 1e-6))[:, None])[
        free
    ]
    exact = np.array(
        [2.0 if gesture.exact else float(p.shape in ("point", "two", "thumb", "ell")) for p in poses]
    )
    mirrored = like is not None and like.comfort is not None and not gesture.other and not gesture.alternate
    comfort = like.comfort if mirrored and like else reach.best(wrist, palms, fingers, exact=exact)
    swing, hands, excess = comfort
    # The palm's middle stays in place when comfort has turned the hand.
    asked = orientation(reach.hand, palms, fingers)
    touch = ~free
    pivot = np.where(exact[:, None] > 0, reach.hand.tip, reach.hand.centre)
    kept = touch | (exact == 0)
    for i, p in enumerate(placed):
        if gesture.exact or (p.pivot is not None and poses[i].part):
            pivot[i], kept[i] = reach.hand.centre if p.pivot is None else p.pivot, True
    moved = rot.rotate(asked, pivot) - rot.rotate(hands, pivot)
    wrist = wrist + np.where(kept[:, None], moved, 0.0)
    points = np.zeros((len(poses), rests.CHANNELS))
    points[:, :3], points[:, 3:7], points[:, 7] = wrist, hands, swing
    points[:, 8] = [p.head for p in placed]
    points[:, 10] = touch
    tight = 1.0 if gesture.exact else 0.88 + 0.16 * manner.tension
    shapes = np.array([shape(p.shape, p.tightness * tight).ravel() for p in poses])
    for i, p in enumerate(placed):
        if p.flat and poses[i].shape in ("flat", "relaxed", "spread"):
            # A palm laid on the body takes thumb and fingers with it.
            shapes[i, 16], shapes[i, 18:20] = -6.0, 0.0
            shapes[i, [1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15]] *= 0.5
    if gesture.category == "beat" and len(poses) > 1:
        flick = np.cross(reach.hand.fingers, reach.hand.palm)
        for i in range(len(poses)):
            angle = np.radians(-9.0 if i % 2 == 0 else 8.0)
            points[i, 3:7] = rot.multiply(points[i, 3:7], rot.from_axis_angle(flick, np.array(angle)))
    stroke = Stroke(
        points[order], shapes[order], ways, palms[order], fingers[order],
        contact=bool(touch.any()), excess=float(excess.max()), comfort=comfort, poses=(points, shapes), exact=gesture.exact,
    )  # fmt: skip
    limbs = [poses[i] if poses[i].upper else None for i in order]
    return _with_limbs(stroke, limbs, reach) if any(limbs) else stroke


def _placed(poses: list[Pose], reach: Reach, onto: tuple[Stroke, Reach] | None) -> list[Placed]:
    out = []
    for i, pose in enumerate(poses):
        if pose.upper:
            # Its directions take the place of this further on.
            pose = replace(pose, upper="", lower="", palm="in", fingers="forward")
        target = None
        if pose.on and onto is not None and onto[0].poses is not None:
            channels, shapes = (a[min(i, len(a) - 1)] for a in onto[0].poses)
            target = _target(pose.on, channels, shapes, onto[1])
        out.append(place(pose, reach.marks, reach.hand, target))
    return out


def _target(part: str, channels: Array, shapes: Array, arm: Reach) -> Target:
    """Where a part of the other hand or arm is, as the mirrored side sees it."""
    wrist, turn = channels[:3], channels[3:7]
    if part in ("forearm", "elbow", "upperarm"):
        shoulder, elbow = arm.elbow(wrist, channels[7])
        point = {
            "forearm": 0.55 * wrist + 0.45 * elbow,
            "elbow": elbow,
            "upperarm": 0.5 * (shoulder + elbow),
        }[part]
        normal = np.array([0.0, 0.8, 0.6]) if part == "forearm" else np.array([0.3, 0.3, 0.9])
        normal = normal / np.linalg.norm(normal)
        point = point + 0.04 * normal
    else:
        point, normal = arm.hand.part(part, shapes)
        point, normal = wrist + rot.rotate(turn, point), rot.rotate(turn, normal)
    return Target(point * MIRROR_VECTOR, normal * MIRROR_VECTOR)


def _slerp(a: Array, b: Array, part: float) -> Array:
    """Between two directions (3,); opposite ones are reached forward and outwards."""
    angle = float(np.arccos(np.clip(a @ b, -1, 1)))
    if angle < 1e-4:
        return b
    if np.pi - angle < 0.15:
        aside = _DETOUR - (_DETOUR @ a) * a
        aside /= np.linalg.norm(aside)
        return np.cos(part * angle) * a + np.sin(part * angle) * aside
    return (np.sin((1 - part) * angle) * a + np.sin(part * angle) * b) / np.sin(angle)


def _with_limbs(stroke: Stroke, poses: list[Pose | None], reach: Reach) -> Stroke:
    """Points whose poses say where the limbs point; far ways go by way of the directions between."""
    rows: list[tuple[Array, Array, Pose | None, Array | None]] = []
    moves, bulges = [], {}
    for i, pose in enumerate(poses):
        limbs = None if pose is None else np.array([direction(pose.upper), direction(pose.lower)])
        before = rows[-1][3] if rows else None
        if i and limbs is not None and before is not None:
            far = max(np.arccos(np.clip(a @ b, -1, 1)) for a, b in zip(before, limbs, strict=True))
            count = 2 if far > np.radians(100) else 1
            for k in range(1, count):
                middle = np.array([_slerp(a, b, k / count) for a, b in zip(before, limbs, strict=True)])
                rows.append((stroke.points[i], stroke.shapes[i - 1], pose, middle))
                moves.append(replace(stroke.moves[i - 1], share=stroke.moves[i - 1].share / count))
            moves.append(replace(stroke.moves[i - 1], share=stroke.moves[i - 1].share / count))
        elif i:
            moves.append(stroke.moves[i - 1])
        rows.append((stroke.points[i], stroke.shapes[i], pose, limbs))
    points = np.array([r[0] for r in rows])
    known = [i for i, r in enumerate(rows) if r[3] is not None]
    asked = np.array([rows[i][3] for i in known])
    kept = foldable(asked[:, 0], asked[:, 1])
    excess = float(np.arccos(np.clip(np.sum(kept * asked[:, 1], axis=-1), -1, 1)).max())
    points[known] = _limb_points(
        np.array([rows[i][3] for i in known]), [rows[i][2] for i in known], points[known], reach
    )
    for i in range(1, len(points)):
        turned = points[i, 7] - points[i - 1, 7]
        points[i, 7] -= 2 * np.pi * np.round(turned / (2 * np.pi))
        bulges[i] = np.zeros(rests.CHANNELS)
        a, b = rows[i - 1][3], rows[i][3]
        if a is not None and b is not None:
            middle = np.array([[_slerp(x, y, 0.5) for x, y in zip(a, b, strict=True)]])
            wrist, swing, _ = reach.limbs(middle[:, 0], middle[:, 1])
            bulges[i][:3] = wrist[0] - 0.5 * (points[i, :3] + points[i - 1, :3])
            mean = 0.5 * (points[i, 7] + points[i - 1, 7])
            if np.linalg.norm(np.cross(middle[0, 0], middle[0, 1])) > 0.2:
                off = swing[0] - mean
                bulges[i][7] = off - 2 * np.pi * np.round(off / (2 * np.pi))
        else:
            way = points[i, :3] - points[i - 1, :3]
            bulges[i][:3] = 0.06 * np.linalg.norm(way) * np.array([0.5, 0.2, 0.8])
    shapes = np.array([r[1] for r in rows])
    palms = rot.rotate(points[:, 3:7], reach.hand.palm)
    fingers = rot.rotate(points[:, 3:7], reach.hand.fingers)
    return replace(
        stroke, points=points, shapes=shapes, moves=moves, palms=palms, fingers=fingers,
        bulges=bulges or {0: np.zeros(rests.CHANNELS)}, excess=excess,
    )  # fmt: skip


def _limb_points(limbs: Array, poses: list[Pose], points: Array, reach: Reach) -> Array:
    out = points.copy()
    # An arm that hangs straight down would be in the thigh: it hangs beside it.
    hanging = (limbs[:, :, 1] < -0.97).all(axis=1)
    limbs = np.where(hanging[:, None, None], _BESIDE, limbs)
    upper, lower = limbs[:, 0], limbs[:, 1]
    straight = np.linalg.norm(np.cross(upper, lower), axis=-1) < 0.1
    wrist, swing, hand = reach.limbs(upper, lower)
    # A straight arm has no swing of its own; its hand hangs, or goes on, as it naturally does.
    swing[straight] = np.radians(8)
    if straight.any():
        hand[straight] = reach.straight_hand(upper[straight], swing[straight])
    for i, pose in enumerate(poses):
        if pose.palm != NATURAL:
            palm, fingers = np.array(direction(pose.palm)), np.array(direction(pose.fingers))
            hand[i] = orientation(reach.hand, palm, fingers)
    out[:, :3], out[:, 3:7], out[:, 7] = wrist, hand, swing
    out[hanging, :3] += reach.rig.shoulder - reach.shoulder(wrist[hanging])
    out[:, 8:11] = 0.0
    out[hanging, 9] = 1.0
    out[:, 11] = 1.0
    return out


def _unfold(count: int, moves: list[Move]) -> tuple[list[int], list[Move]]:
    """Poses in the order they are visited, with repeats written out there and back."""
    order, ways = [0], []
    for i, move in enumerate(moves):
        if move.path in ("circle", "wave", "zigzag"):
            order.append(i + 1)
            ways.append(move)
            continue
        single = replace(move, repeats=1)
        for k in range(move.repeats):
            if k:
                order.append(i)
                ways.append(replace(single, path="straight" if move.path.startswith("arc") else move.path))
            order.append(i + 1)
            ways.append(single)
    del count
    return order, ways


def point_stroke(direction: Array, reach: Reach, manner: Manner, *, amount: float) -> Stroke:
    """Points of a pointing gesture along a direction (3,), for a left hand (mirrored if right)."""
    marks = reach.marks
    target = marks.eyes + 3.0 * direction
    line = target - marks.shoulder
    line /= np.linalg.norm(line)
    stretch = min(0.74 + 0.2 * min(amount, 1.2), 0.96) * marks.arm
    wrist = np.array(
        [marks.shoulder + 0.66 * stretch * line + np.array([0, 0.02, 0]), marks.shoulder + stretch * line]
    )
    wrist[1] += 0.02 * (marks.eyes - marks.shoulder) / 0.3
    fingers = target - wrist
    fingers /= np.linalg.norm(fingers, axis=1, keepdims=True)
    palm = np.array([-0.55, -0.8, 0.0]) - fingers * (fingers @ np.array([-0.55, -0.8, 0.0]))[:, None]
    palm /= np.linalg.norm(palm, axis=1, keepdims=True)
    hands = orientation(reach.hand, palm, fingers)
    swing, hands, excess = reach.best(wrist, palm, fingers, exact=1.0)
    points = np.zeros((2, rests.CHANNELS))
    points[:, :3], points[:, 3:7], points[:, 7] = wrist, hands, swing
    points[:, 9] = 1.0  # the aim holds while the trunk turns
    shapes = np.stack([shape("point", 0.8).ravel(), shape("point", 0.95 + 0.05 * manner.tension).ravel()])
    return Stroke(points, shapes, [Move()], palm, fingers, excess=float(excess.max()))


def shares(stroke: Stroke) -> Array:
    return np.array([m.share for m in stroke.moves])


def least_times(stroke: Stroke) -> Array:
    """Seconds that each way of a stroke takes at the fastest, by its length and by how the hand turns."""
    points = stroke.points
    ways = np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1)
    turns = rot.angle(rot.normalise(points[1:, 3:7]), rot.normalise(points[:-1, 3:7]))
    if stroke.limbs:
        return 1.875 * np.maximum(ways / _FASTEST_LIMB, turns / (2 * _FASTEST_TURN))
    return 1.875 * np.maximum(ways / _FASTEST_STROKE, turns / _FASTEST_TURN)


def fit_speed(stroke: Stroke, timing: Timing) -> tuple[Stroke, Array, int]:
    """Fit a stroke into its time: fewer repeats, then smaller ways and turns.

    Returns
    -------
    stroke
        As it can be done.
    times, apex
        Moments of its points, and which of them is at the sync point ``stroke``.
    """
    if stroke.limbs or stroke.exact:
        return stroke, *_in_time(stroke, timing)
    while True:
        times, apex = kendon.spread(
            len(stroke.points), shares(stroke), timing.stroke_start, timing.stroke, timing.stroke_end
        )
        if len(times) < 2:
            return stroke, times, apex
        part = float(np.min(1.1 * np.diff(times) / np.maximum(least_times(stroke), 1e-6)))
        points = stroke.points
        if part > 0.72 or len(points) < 4 or not np.array_equal(points[-1], points[-3]):
            break
        stroke = replace(
            stroke, points=points[:-2], shapes=stroke.shapes[:-2], moves=stroke.moves[:-2],
            palms=stroke.palms[:-2], fingers=stroke.fingers[:-2],
        )  # fmt: skip
    if part >= 1:
        return stroke, times, apex
    points, part = stroke.points.copy(), max(part, 0.15)
    points[:, :3] = points[apex, :3] + part * (points[:, :3] - points[apex, :3])
    for i in range(len(points)):
        turned = same_sign(points[apex], points[i])[3:7]
        points[i, 3:7] = rot.normalise(points[apex, 3:7] + part * (turned - points[apex, 3:7]))
    return replace(stroke, points=points), times, apex


def _in_time(stroke: Stroke, timing: Timing) -> tuple[Array, int]:
    """Moments of a stroke's points, each no sooner than the arm can be there."""
    times, apex = kendon.spread(
        len(stroke.points), shares(stroke), timing.stroke_start, timing.stroke, timing.stroke_end
    )
    if len(times) > 1:
        for i, need in enumerate(least_times(stroke), 1):
            times[i] = max(times[i], times[i - 1] + need, times[i - 1] + 1e-3)
    return times, apex
