"""Gestures laid out on the tracks of the two hands: phases, ways, co-articulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kinesics import seeds
from kinesics.behaviour import phases as kendon
from kinesics.behaviour import rests
from kinesics.behaviour.arms import Reach
from kinesics.behaviour.handshapes import shape
from kinesics.behaviour.phases import Manner, Timing
from kinesics.behaviour.places import orientation, place
from kinesics.behaviour.trajectory import Track, ease, through
from kinesics.geometry import rotations as rot
from kinesics.performance.gesture import Gesture, Move, Pose

Array = NDArray[np.float64]
_LAGS = np.array([0.0, 0.009, 0.027, 0.018, 0.004])  # index leads, little finger comes last
_FASTEST_STROKE = 1.9  # m/s
_FASTEST_TURN = 11.0  # radians a second
_LATEST_SHIFT = 0.35
_AXES = {"up": (0, 1, 0), "down": (0, -1, 0), "out": (1, 0, 0), "in": (-1, 0, 0), "forward": (0, 0, 1)}


@dataclass
class Stroke:
    """What one hand does in a stroke: K points, and the way to each.

    ``points`` is (K, C) channels; ``shapes`` (K, 20) finger angles; ``moves`` the K − 1 ways.
    """

    points: Array
    shapes: Array
    moves: list[Move]
    palms: Array
    fingers: Array
    contact: bool = False
    excess: float = 0.0
    comfort: tuple[Array, Array, Array] | None = None


@dataclass
class Laid:
    """A gesture as one hand will do it."""

    id: str
    lexeme: str
    timing: Timing
    stroke: Stroke
    times: Array
    apex: int
    amount: float
    rest: tuple[Array, Array] = field(repr=False, default=None)  # type: ignore[assignment]
    beat: bool = False
    stated_hold: bool = False


class Arm:
    """One hand's way through a performance.

    Parameters
    ----------
    reach
        Finds comfortable arm poses.
    rest
        Channels and finger angles at the start.
    """

    def __init__(self, reach: Reach, rest: tuple[Array, Array]) -> None:
        self.reach = reach
        self.hand = Track(rest[0])
        self.fingers = Track(rest[1], lags=_LAGS)
        self.laid: list[Laid] = []

    def idle(self, time: float) -> bool:
        """Whether the hand rests at ``time`` and nothing is planned."""
        return self.hand.end <= time

    def gesturing(self, times: Array) -> Array:
        """(n,) 1 in the middle of a gesture, 0 at rest, eased in preparation and retraction."""
        out = np.zeros_like(times)
        for t in (x.timing for x in self.laid):
            if t.end > times[0] and t.start < times[-1]:
                rise = ease((times - t.start) / max(t.ready - t.start, 0.1))
                out = np.maximum(out, rise * (1 - ease((times - t.relax) / max(t.end - t.relax, 0.1))))
        return out

    def settle(self, time: float, rest: tuple[Array, Array], seconds: float) -> None:
        """Go to another rest."""
        self._hand_to(time + seconds, rest[0], start=time, bump=self._bulge(time, rest[0]))
        self.fingers.go(time + 0.8 * seconds, rest[1], start=time + 0.1 * seconds)

    def lay(self, item: Laid, now: float) -> None:
        """Put a gesture on the tracks; gestures planned for later are laid again after it."""
        later = [x for x in self.laid if x.timing.stroke > item.timing.stroke]
        self.laid = [x for x in self.laid if x.timing.stroke <= item.timing.stroke]
        for x in [item, *later]:
            self._lay(x, now)
            self.laid.append(x)

    def _hand_to(self, end: float, value: Array, **options) -> None:
        value = np.array(value, dtype=np.float64)
        start = options.get("start")
        here = self.hand.state(self.hand.end if start is None else start)[0]
        if here[3:7] @ value[3:7] < 0:
            value[3:7] *= -1
            if options.get("velocity") is not None:
                options["velocity"] = np.concatenate(
                    [options["velocity"][:3], -options["velocity"][3:7], options["velocity"][7:]]
                )
        self.hand.go(end, value, **options)

    def _bulge(self, start: float, value: Array, amount: float = 0.10) -> Array:
        """Hands travel on slight arcs, away from the body."""
        way = value[:3] - self.hand.state(start)[0][:3]
        length = float(np.linalg.norm(way))
        out = np.zeros(rests.CHANNELS)
        if length > 0.02:
            side = np.array([0.55, 0.0, 0.8])
            side = side - (side @ way) * way / length**2
            out[:3] = amount * length * side / max(float(np.linalg.norm(side)), 0.3)
        return out

    def _lay(self, item: Laid, now: float) -> None:
        t, stroke = item.timing, item.stroke
        before = self.laid[-1] if self.laid else None
        start = t.start
        if before is not None and before.timing.relax >= now and before.timing.relax < start:
            gap = start - before.timing.relax
            if gap < 0.5:
                # Too near to lower the hand in between: hold, then go on directly.
                self.hand.cut(before.timing.relax)
                self.fingers.cut(before.timing.relax)
                self._hand_to(start, self._sagged(before.timing.relax, gap), start=before.timing.relax)
            elif gap < 1.5:
                part = 0.25 + 0.3 * (gap - 0.5)
                here = self.hand.state(before.timing.relax)[0]
                goal = here + part * (_near(here, before.rest[0]) - here)
                goal[3:7] /= np.linalg.norm(goal[3:7])
                self._hand_to(
                    start, goal, start=before.timing.relax, bump=self._bulge(before.timing.relax, goal, 0.05)
                )
        points, times = stroke.points, item.times
        first = points[0]
        here = self.hand.state(start)[0]
        arrive = None
        if len(points) > 1 and t.ready >= t.stroke_start - 1e-6 and stroke.moves[0].path == "straight":
            prior = _near(first, here)
            arrive = 0.75 * through(
                prior, first, _near(first, points[1]), t.ready - start, times[1] - times[0]
            )
        self._hand_to(t.ready, first, start=start, velocity=arrive, bump=self._bulge(start, first))
        if t.stroke_start > t.ready + 1e-6:
            self._hand_to(t.stroke_start, self._sagged(t.ready, 0.0))
        self._strokes(item)
        settled = min(
            max(t.stroke_end, self.hand.end + (0.2 if item.beat else 0.0)), max(t.relax, t.stroke_end)
        )
        if settled > self.hand.end + 0.04:
            last = points[-1].copy()
            if len(points) > 1 and not item.stroke.contact:
                # A beat springs back; other strokes run on a little.
                way = points[-1] - _near(points[-1], points[-2])
                part = -0.38 if item.beat else min(0.07, 0.014 / max(float(np.linalg.norm(way[:3])), 0.01))
                last = last + part * way
                last[3:7] /= np.linalg.norm(last[3:7])
            self._hand_to(settled, last)
        if t.relax > self.hand.end + 0.05:
            self._hand_to(t.relax, self._sagged(self.hand.end, t.relax - self.hand.end))
        rest = item.rest[0]
        self._hand_to(
            t.end, rest, start=max(t.relax, self.hand.end), bump=self._bulge(self.hand.end, rest, 0.07)
        )
        self._close_fingers(item)

    def _strokes(self, item: Laid) -> None:
        points, times, moves = item.stroke.points, item.times, item.stroke.moves
        for i in range(1, len(points)):
            speed = None
            ahead = i + 1 < len(points)
            if ahead and moves[i - 1].path == "straight" == moves[i].path:
                speed = through(
                    _near(points[i], points[i - 1]), points[i], _near(points[i], points[i + 1]),
                    times[i] - times[i - 1], times[i + 1] - times[i],
                )  # fmt: skip
            bump, wave = _ornament(moves[i - 1], points[i - 1], points[i], times[i] - times[i - 1], item, i)
            self._hand_to(float(times[i]), points[i], velocity=speed, bump=bump, wave=wave)

    def _close_fingers(self, item: Laid) -> None:
        """Fingers form the shape early in the preparation, and let go a little after the hand."""
        t, shapes, times = item.timing, item.stroke.shapes, item.times
        self.fingers.cut(t.start)
        begin = max(t.start + 0.02, self.fingers.end if self.fingers.end < t.start + 0.1 else t.start)
        length = max(t.ready - t.start, 0.12)
        self.fingers.go(
            t.start + max(0.62 * length, min(0.24, 0.85 * length)),
            shapes[0],
            start=begin if begin > t.start else t.start,
        )
        for i in range(1, len(shapes)):
            if np.abs(shapes[i] - shapes[i - 1]).max() > 1:
                leave = max(float(times[i - 1]) + 0.02, self.fingers.end)
                self.fingers.go(max(float(times[i]), leave + 0.08), shapes[i], start=leave)
        leave = max(t.relax + 0.05, self.fingers.end)
        self.fingers.go(leave + 0.75 * max(t.end - t.relax, 0.2), item.rest[1], start=leave)

    def _sagged(self, time: float, seconds: float) -> Array:
        """A held hand sinks a little."""
        here = self.hand.state(time)[0].copy()
        here[1] -= 0.012 * min(seconds, 1.0)
        return here

    def forget(self, before: float) -> list[Laid]:
        """Drop what is over; returns the gestures that ended."""
        self.hand.forget(before)
        self.fingers.forget(before)
        over = [x for x in self.laid[:-1] if x.timing.end < before]
        self.laid = [x for x in self.laid if x not in over]
        return over


def _near(here: Array, there: Array) -> Array:
    """``there`` with its rotation's sign on ``here``'s side."""
    if here[3:7] @ there[3:7] < 0:
        there = there.copy()
        there[3:7] *= -1
    return there


def _ornament(
    move: Move, start: Array, end: Array, seconds: float, item: Laid, i: int
) -> tuple[Array | None, tuple[Array, Array, float] | None]:
    """What a path adds to the straight way: a bulge, or a circle, wave or zigzag."""
    size = move.size * item.amount
    bump, sine, cosine = (np.zeros(rests.CHANNELS) for _ in range(3))
    if move.path.startswith("arc-"):
        size = min(size, 0.9 * seconds)
        bump[:3] = size * np.array(_AXES[move.path[4:]], dtype=np.float64)
        return bump, None
    if move.path == "straight":
        return 0.06 * _side(end[:3] - start[:3]), None
    palm, fingers = item.stroke.palms[i], item.stroke.fingers[i]
    if move.path == "circle":
        cycles = float(move.repeats)
        # A pointing finger draws across its own direction; a hand laid flat stirs or rubs.
        normal = palm if abs(palm[1]) > 0.7 or item.stroke.contact else fingers
        u = np.array([1.0, 0, 0]) if abs(normal[1]) > 0.7 else np.array([0, 1.0, 0])
        u = u - (u @ normal) * normal
        u /= np.linalg.norm(u)
        v = np.cross(normal, u)
    else:
        cycles = move.repeats + (0.0 if move.repeats > 1 else 1.0)
        way = end[:3] - start[:3]
        u = palm if move.path == "wave" else np.cross(palm, way / max(float(np.linalg.norm(way)), 1e-3))
        if np.linalg.norm(u) < 0.3:
            u = np.array([1.0, 0, 0])
        v = np.zeros(3)
    size = min(size, 1.25 * seconds / (2 * np.pi * cycles))
    sine[:3], cosine[:3] = size * u, size * v
    return None, (sine, cosine, cycles)


def _side(way: Array) -> Array:
    out = np.zeros(rests.CHANNELS)
    length = float(np.linalg.norm(way))
    if length > 0.02:
        side = np.array([0.5, 0.2, 0.8])
        side = side - (side @ way) * way / length**2
        out[:3] = length * side / max(float(np.linalg.norm(side)), 0.3)
    return out


def make_stroke(
    gesture: Gesture,
    reach: Reach,
    *,
    amount: float,
    manner: Manner,
    leading: bool,
    size: float | None = None,
    like: Stroke | None = None,
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
    """
    poses = list(gesture.poses if leading or not gesture.other else gesture.other)
    moves = list(gesture.moves)
    if gesture.alternate and not leading and not gesture.other and len(poses) > 1:
        poses.reverse()
        moves.reverse()
    order, ways = _unfold(len(poses), moves)
    placed = [place(p, reach.marks, reach.hand) for p in poses]
    wrist = np.array([p.wrist for p in placed])
    marks = reach.marks
    centre = np.array([0.95 * marks.shoulder[0], marks.heights["stomach"], marks.depth + 0.62 * marks.arm])
    for i, p in enumerate(placed):
        if not p.contact:
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
    exact = np.array([float(p.shape in ("point", "two", "thumb", "ell")) for p in poses])
    mirrored = like is not None and like.comfort is not None and not gesture.other and not gesture.alternate
    comfort = like.comfort if mirrored and like else reach.best(wrist, palms, fingers, exact=exact)
    swing, hands, excess = comfort
    # The palm's middle stays in place when comfort has turned the hand.
    asked = orientation(reach.hand, palms, fingers)
    touch = ~free
    pivot = np.where(exact[:, None] > 0, reach.hand.tip, reach.hand.centre)
    moved = rot.rotate(asked, pivot) - rot.rotate(hands, pivot)
    wrist = wrist + np.where(touch[:, None] | (exact[:, None] == 0), moved, 0.0)
    points = np.zeros((len(poses), rests.CHANNELS))
    points[:, :3], points[:, 3:7], points[:, 7] = wrist, hands, swing
    points[:, 8] = [p.head for p in placed]
    points[:, 10] = touch
    tight = 0.88 + 0.16 * manner.tension
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
    return Stroke(
        points[order], shapes[order], ways, palms[order], fingers[order],
        contact=bool(touch.any()), excess=float(excess.max()), comfort=comfort,
    )  # fmt: skip


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


def schedule(
    gesture: Gesture, strokes: Mapping[str, Stroke], arms: Mapping[str, Arm], sync: Mapping[str, float],
    manner: Manner, now: float,
) -> tuple[Timing | None, float, str]:  # fmt: skip
    """Find times at which every hand can do its stroke.

    Returns
    -------
    timing
        The phases, or None when there is no time.
    shift
        Seconds by which the stroke comes later than asked.
    reason
        Why it was shifted or dropped; "" when all is as asked.
    """
    begin, stroke, finish = kendon.time_stroke(gesture, sync, manner)
    way = max(_longest(s, begin, stroke, finish) for s in strokes.values())
    if way > stroke - begin and "strokeStart" not in sync:
        begin = stroke - min(way, 1.6 * (stroke - begin) + 0.1)
    ready = min(sync.get("ready", begin), begin)
    hold = gesture.hold / manner.speed**0.5
    relax = max(sync.get("relax", finish + hold), finish)
    prepare, shortest, earliest, back, room = 0.0, 0.0, now, 0.0, np.inf
    reason = ""
    for name, s in strokes.items():
        arm = arms[name]
        near = [x for x in arm.laid if x.timing.stroke_end <= stroke]
        after = [x for x in arm.laid if x.timing.stroke > stroke]
        if near and near[-1].timing.stroke_end > earliest:
            earliest, reason = near[-1].timing.stroke_end, f"the hand is busy with {near[-1].id}"
        if any(x.timing.stroke_start < finish and x.timing.stroke_end > begin for x in arm.laid):
            clash = next(
                x for x in arm.laid if x.timing.stroke_start < finish and x.timing.stroke_end > begin
            )
            return None, 0.0, f"its stroke would overlap that of {clash.id}"
        if after:
            nearest = min(after, key=lambda x: x.timing.stroke)
            gone = float(np.linalg.norm(nearest.stroke.points[0][:3] - s.points[-1][:3]))
            room = min(room, nearest.timing.stroke_start - kendon.shortest_time(gone))
        here = arm.hand.state(max(ready - 0.6, earliest))[0]
        distance = float(np.linalg.norm(s.points[0][:3] - here[:3]))
        # Turning the hand over takes its time too.
        turn = float(rot.angle(rot.normalise(here[3:7]), s.points[0][3:7]))
        prepare = max(prepare, kendon.travel_time(distance, manner.speed), turn / (5.0 * manner.speed))
        shortest = max(shortest, kendon.shortest_time(distance), turn / 7.5)
        rest = rests_distance(arm, s)
        back = max(back, 1.35 * kendon.travel_time(rest, manner.speed))
    start = min(sync.get("start", ready - prepare), ready - shortest)
    shift = 0.0
    if start < earliest:
        start = earliest
        shift = max(0.0, shortest - (ready - earliest))
        if shift > _LATEST_SHIFT:
            why = reason or "it was asked for too late"
            return None, shift, f"{why}: the hand would come {shift:.2f} s late"
        reason = (reason or "it was asked for too late") if shift > 1e-6 else ""
    else:
        reason = ""
    if finish + shift > room:
        return None, shift, "there is no time before the next gesture"
    end = max(sync.get("end", relax + back), relax + 0.3)
    timing = Timing(start - shift, ready, begin, stroke, finish, relax, end).shifted(shift)
    return timing, shift, reason


def rests_distance(arm: Arm, stroke: Stroke) -> float:
    """Metres from the stroke's end to about where the hand rests."""
    marks = arm.reach.marks
    low = np.array([marks.shoulder[0], marks.heights["hips"], marks.depth + 0.05])
    return float(np.linalg.norm(stroke.points[-1][:3] - low))


def _longest(stroke: Stroke, begin: float, apex: float, finish: float) -> float:
    """Seconds from the stroke's start to its apex that keep every way below the fastest stroke."""
    if len(stroke.points) < 2:
        return 0.0
    times, k = kendon.spread(len(stroke.points), _shares(stroke), begin, apex, finish)
    need = _least_times(stroke)[:k]
    return float(np.max(need / np.diff(times)[:k]) * (apex - begin)) if k else 0.0


def _shares(stroke: Stroke) -> Array:
    return np.array([m.share for m in stroke.moves])


def _least_times(stroke: Stroke) -> Array:
    """Seconds that each way of a stroke takes at the fastest, by its length and by how the hand turns."""
    points = stroke.points
    ways = np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1)
    turns = rot.angle(rot.normalise(points[1:, 3:7]), rot.normalise(points[:-1, 3:7]))
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
    while True:
        times, apex = kendon.spread(
            len(stroke.points), _shares(stroke), timing.stroke_start, timing.stroke, timing.stroke_end
        )
        if len(times) < 2:
            return stroke, times, apex
        part = float(np.min(1.1 * np.diff(times) / np.maximum(_least_times(stroke), 1e-6)))
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
        turned = _near(points[apex], points[i])[3:7]
        points[i, 3:7] = rot.normalise(points[apex, 3:7] + part * (turned - points[apex, 3:7]))
    return replace(stroke, points=points), times, apex


def asymmetry(seed: int, id: str) -> tuple[float, float]:
    """How the other hand differs: seconds it comes later, factor on its size."""
    draw = seeds.rng(seed, "asymmetry", id)
    return float(draw.uniform(0.010, 0.030)), float(1 + draw.uniform(-0.08, 0.08))


POINT = Gesture("POINT", "deictic", (Pose("point"), Pose("point")), (Move(),), seconds=0.42, hold=0.45)
"""Timing of a pointing gesture; its places come from the target."""
