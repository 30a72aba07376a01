"""Nods, shakes and tilts of the head, from its angles.

Turning points of pitch and yaw are found where the angle comes back by more than noise (a zigzag); between two
of them lies a swing. A nod is a swing down and back up, or several; a shake at least three swings to and fro of
yaw: one to the side and back is a look. Swings are as quick as people's are (0.8 Hz and more; Hadar, Steiner &
Rose 1985; McClave 2000); sizes are ours. A tilt is a roll that stands off from what the roll was in the
seconds before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.performance import Interval, Motion, Signal, Tier
from kinesics.see._stream import Found, Runs, Windows, around, beyond, labelled, mean

Array = NDArray[np.float64]

ANGLES = ("pitch", "yaw", "roll")
"""Columns of a ``head`` signal, degrees: up, to the person's own left, to their own right shoulder."""
EVENTS = ("none", "nod", "shake", "tilt")
"""Classes of the network."""
NOISE = 1.0
"""Degrees that an angle must come back for a turning point (ours)."""
SMALLEST = {"nod": 2.0, "shake": 2.5}
"""Degrees of the greatest swing, below which it is none (ours)."""
FEWEST = {"nod": 2, "shake": 3}
"""Swings."""
SLOWEST = 0.65
"""Seconds of a swing: a nod or shake of 0.8 Hz."""
TILT_ON, TILT_OFF = 5.0, 3.0
"""Degrees of roll away from the usual (ours)."""
_USUAL = 4.0  # seconds before, over which the usual roll is taken
_SMOOTH = 0.035
_KEPT = 12.0  # seconds of angles; no nod lasts longer


def head_angles(body: Motion) -> Signal:
    """Pitch, yaw and roll of a body's head relative to its hips, in degrees (:data:`ANGLES`).

    Parameters
    ----------
    body
        On the canonical joints.
    """
    if tuple(body.skeleton.names) != JOINTS:
        raise DataError("head angles need the 55 canonical joints; retarget the motion first")
    turn = np.broadcast_to(np.array([1.0, 0, 0, 0]), (len(body), 4))
    for joint in ("spine", "chest", "upperChest", "neck", "head"):
        turn = rot.multiply(turn, body.rotations[:, INDEX[joint]].astype(np.float64))
    yaw, pitch, roll = rot.to_euler(turn, "YXZ").T if len(body) else np.zeros((3, 0))
    # About +X the head goes down, about +Y to its left, about +Z to its right shoulder.
    angles = np.degrees(np.stack([-pitch, yaw, roll], axis=1))
    return Signal(angles, ANGLES, ("degrees",) * 3, body.fps, body.start)


@dataclass(frozen=True)
class _Swing:
    start: float
    end: float
    size: float  # degrees, signed; 0 is no swing but rest


class _Zigzag:
    """Turning points of one angle; what lies between them, and where it rests."""

    def __init__(self) -> None:
        self._from = self._far = (0.0, 0.0)  # the last turning point and the farthest since: time, angle
        self._way = 0.0
        self._begun = False

    def push(self, times: Array, angles: Array) -> list[_Swing]:
        out = []
        for time, angle in zip(times.tolist(), angles.tolist(), strict=True):
            if not self._begun:
                self._begun, self._from = True, (time, angle)
            elif self._way == 0.0:
                if abs(angle - self._from[1]) >= NOISE:
                    self._way = 1.0 if angle > self._from[1] else -1.0
                    self._far = (time, angle)
                elif time - self._from[0] > 0.15:
                    # Still: a movement begins later than this.
                    self._from = (time - 0.05, 0.5 * (self._from[1] + angle))
            elif (angle - self._far[1]) * self._way >= 0:
                self._far = (time, angle)
            elif (self._far[1] - angle) * self._way >= NOISE:
                out.append(self._swing())
                self._from, self._far, self._way = self._far, (time, angle), -self._way
            elif time - self._far[0] > SLOWEST:
                out += [self._swing(), _Swing(time, time, 0.0)]
                self._from, self._way = (time, angle), 0.0
        return out

    def finish(self) -> list[_Swing]:
        return [self._swing()] if self._way else []

    def _swing(self) -> _Swing:
        return _Swing(self._from[0], self._far[0], self._far[1] - self._from[1])


class HeadEvents:
    """Find nods, shakes and tilts in a stream.

    Labels are ``nod``, ``shake``, ``tilt L`` and ``tilt R`` (the shoulder it goes to); the value is the amplitude
    in degrees. A nod or shake is told at most 0.7 s after it is over.

    Parameters
    ----------
    fps
        Frames per second.

    Examples
    --------
    >>> t = np.arange(120) / 30
    >>> pitch = np.where((t > 1) & (t < 2), -6 * np.sin(2 * np.pi * (t - 1)) ** 2, 0)
    >>> head = Signal(np.stack([pitch, 0 * t, 0 * t], 1), ANGLES, ("degrees",) * 3, 30)
    >>> [(i.label, round(i.start, 1), round(i.end, 1)) for i in head_events(head)[0]]
    [('nod', 1.0, 2.0)]
    """

    def __init__(self, fps: float) -> None:
        self._fps = float(fps)
        self._half = max(1, round(_SMOOTH * self._fps))
        self._usual = round(_USUAL * self._fps)
        self._windows, self._rolls = Windows(self._half, self._half), Windows(self._usual, 0)
        self._zigzags = {"nod": _Zigzag(), "shake": _Zigzag()}
        self._group: dict[str, list[_Swing]] = {"nod": [], "shake": []}
        self._tilts = {
            side: Runs(on=TILT_ON, off=TILT_OFF, fps=self._fps, shortest=0.3, longest=6.0, bridge=0.15)
            for side in "LR"
        }
        self._times, self._angles = np.zeros(0), np.zeros((0, 4))
        self._done = 0
        self._start: float | None = None

    def push(self, head: Signal) -> tuple[list[Interval], list[Interval]]:
        """Take frames; return the events that are over, and how often each nod and shake went to and fro."""
        angles = np.stack([head.column(n) for n in ANGLES], axis=1)
        sure = np.ones(len(head)) if head.confidence is None else head.confidence.min(axis=1)
        self._start = head.start if self._start is None else self._start
        return self._look(self._windows.push(np.column_stack([angles, sure])))

    def finish(self) -> tuple[list[Interval], list[Interval]]:
        """What the end of the stream makes certain."""
        out, counts = self._look(self._windows.finish())
        for name, zigzag in self._zigzags.items():
            for swing in [*zigzag.finish(), _Swing(np.inf, np.inf, 0.0)]:
                self._add(name, swing, out, counts)
        for side, runs in self._tilts.items():
            out += [self._tilt(f, side) for f in runs.finish()]
        return out, counts

    def _look(self, block: Array) -> tuple[list[Interval], list[Interval]]:
        out: list[Interval] = []
        counts: list[Interval] = []
        if len(block) <= 2 * self._half:
            return out, counts
        smooth = mean(block, self._half)
        times = (self._start or 0.0) + (self._done + np.arange(len(smooth))) / self._fps
        self._done += len(smooth)
        self._times = np.concatenate([self._times, times])
        self._angles = np.concatenate([self._angles, smooth])
        for k, (name, zigzag) in enumerate(self._zigzags.items()):
            for swing in zigzag.push(times, smooth[:, k]):
                self._add(name, swing, out, counts)
        old = int(np.searchsorted(self._times, times[-1] - _KEPT))
        self._times, self._angles = self._times[old:], self._angles[old:]
        rolls = np.ascontiguousarray(around(self._rolls.push(smooth[:, 2:]), self._usual, 0))
        away = rolls[:, 0, -1] - np.median(rolls[:, 0], axis=-1) if len(rolls) else np.zeros(0)
        for side, sign in (("L", -1.0), ("R", 1.0)):
            out += [self._tilt(f, side) for f in self._tilts[side].push(times, sign * away, smooth[:, 3])]
        return out, counts

    def _add(self, name: str, swing: _Swing, out: list[Interval], counts: list[Interval]) -> None:
        group = self._group[name]
        quick = abs(swing.size) >= NOISE and swing.end - swing.start <= SLOWEST
        if quick and (not group or (swing.start - group[-1].end < 0.01 and swing.end - group[0].start < _KEPT - 1)):
            group.append(swing)
            return
        found = self._event(name, group)
        if found is not None:
            out.append(found[0])
            counts.append(found[1])
        self._group[name] = [swing] if quick else []

    def _event(self, name: str, group: list[_Swing]) -> tuple[Interval, Interval] | None:
        if name == "nod" and group and group[0].size > 0 and abs(group[0].size) < 0.6 * max(abs(s.size) for s in group):
            group = group[1:]  # what is lifted before the nod
        if len(group) < FEWEST[name]:
            return None
        size = max(abs(s.size) for s in group)
        start, end = group[0].start, group[-1].end
        if size < SMALLEST[name]:
            return None
        inside = (self._times >= start - 1e-9) & (self._times <= end + 1e-9)
        pitch, yaw, _, sure = self._angles[inside].T
        mine, other = (pitch, yaw) if name == "nod" else (yaw, pitch)
        if _wander(mine) < _wander(other):
            return None  # the head goes round, or does the other of the two
        count = sum(s.size < 0 for s in group) if name == "nod" else (len(group) + 1) // 2
        found = Found(start, end, start, size, float(sure.mean()) if len(sure) else 1.0)
        certainty = beyond(size, SMALLEST[name], 0.8) * beyond(_wander(mine) / max(_wander(other), 0.5), 1.0, 0.25)
        told = labelled(found, name, certainty=min(1.0, 1.3 * certainty), value=size)
        return told, Interval(start, end, told.label, float(count), told.confidence)

    def _tilt(self, found: Found, side: str) -> Interval:
        return labelled(found, f"tilt {side}", certainty=beyond(found.peak, TILT_ON, 1.0), value=found.peak)


def _wander(angle: Array) -> float:
    """Range (degrees) about the straight way from beginning to end."""
    if len(angle) < 3:
        return 0.0
    return float(np.ptp(angle - np.linspace(angle[0], angle[-1], len(angle))))


def head_events(head: Signal) -> tuple[Tier, Tier]:
    """Events of a whole track: ``head_events`` and, with the number of swings to and fro as value, ``head_counts``.

    Parameters
    ----------
    head
        With the columns :data:`ANGLES`, degrees; see :func:`head_angles` for that of a body.
    """
    finder = HeadEvents(float(head.fps))
    first, last = finder.push(head), finder.finish()
    return Tier("head_events", tuple(first[0] + last[0])), Tier("head_counts", tuple(first[1] + last[1]))
