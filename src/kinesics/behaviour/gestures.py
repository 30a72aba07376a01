"""Gestures laid out on the tracks of the two hands: phases, ways, co-articulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kinesics import seeds
from kinesics.behaviour import phases as kendon
from kinesics.behaviour import rests
from kinesics.behaviour.arms import Reach
from kinesics.behaviour.phases import Manner, Timing
from kinesics.behaviour.strokes import Stroke, least_times, same_sign, shares
from kinesics.behaviour.trajectory import Track, ease, through
from kinesics.geometry import rotations as rot
from kinesics.performance.gesture import Gesture, Move, Pose, direction

Array = NDArray[np.float64]
_LAGS = np.array([0.0, 0.009, 0.027, 0.018, 0.004])  # index leads, little finger comes last
_LATEST_SHIFT = 0.35


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
                goal = here + part * (same_sign(here, before.rest[0]) - here)
                goal[3:7] /= np.linalg.norm(goal[3:7])
                self._hand_to(
                    start, goal, start=before.timing.relax, bump=self._bulge(before.timing.relax, goal, 0.05)
                )
        points, times = stroke.points, item.times
        first = points[0]
        here = self.hand.state(start)[0]
        arrive = None
        if len(points) > 1 and t.ready >= t.stroke_start - 1e-6 and stroke.moves[0].path == "straight":
            prior = same_sign(first, here)
            arrive = 0.75 * through(
                prior, first, same_sign(first, points[1]), t.ready - start, times[1] - times[0]
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
            if len(points) > 1 and not item.stroke.contact and not item.stroke.limbs:
                # A beat springs back; other strokes run on a little.
                way = points[-1] - same_sign(points[-1], points[-2])
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
                    same_sign(points[i], points[i - 1]), points[i], same_sign(points[i], points[i + 1]),
                    times[i] - times[i - 1], times[i + 1] - times[i],
                )  # fmt: skip
            bump, wave = _ornament(moves[i - 1], points[i - 1], points[i], times[i] - times[i - 1], item, i)
            if i in item.stroke.bulges:
                bump, wave = item.stroke.bulges[i], None
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


def _ornament(
    move: Move, start: Array, end: Array, seconds: float, item: Laid, i: int
) -> tuple[Array | None, tuple[Array, Array, float] | None]:
    """What a path adds to the straight way: a bulge, or a circle, wave or zigzag."""
    size = move.size * item.amount
    bump, sine, cosine = (np.zeros(rests.CHANNELS) for _ in range(3))
    if move.path.startswith("arc-"):
        size = min(size, 0.9 * seconds)
        bump[:3] = size * np.array(direction(move.path[4:]), dtype=np.float64)
        return bump, None
    if move.path == "straight":
        return 0.06 * _side(end[:3] - start[:3]), None
    palm, fingers = item.stroke.palms[i], item.stroke.fingers[i]
    if move.start:
        # From where the hand is on the circle towards where it first goes, about a middle on the other side.
        cycles, u, v = float(move.repeats), np.array(direction(move.toward)), -np.array(direction(move.start))
    elif move.path == "circle":
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
    times, k = kendon.spread(len(stroke.points), shares(stroke), begin, apex, finish)
    need = least_times(stroke)[:k]
    return float(np.max(need / np.diff(times)[:k]) * (apex - begin)) if k else 0.0


def asymmetry(seed: int, id: str) -> tuple[float, float]:
    """How the other hand differs: seconds it comes later, factor on its size."""
    draw = seeds.rng(seed, "asymmetry", id)
    return float(draw.uniform(0.010, 0.030)), float(1 + draw.uniform(-0.08, 0.08))


POINT = Gesture("POINT", "deictic", (Pose("point"), Pose("point")), (Move(),), seconds=0.42, hold=0.45)
"""Timing of a pointing gesture; its places come from the target."""
