"""Nods, shakes and tilts of the head, from its angles.

A small temporal network (``scripts/train_event_networks.py``, trained on the stage's listeners and speakers, who nod,
shake and tilt their heads by known plans) tells for each thirtieth of a second what the head does. It goes by form, not
by meaning: a nod may be a yes or stress a word (McClave 2000), but it stands out from how the head has been going;
heads of people who talk dip and roll with every few syllables. How far and how often it went is counted on the
angles themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.performance import Interval, Motion, Signal, Tier
from kinesics.see._clock import RATE, Clock
from kinesics.see._frame_network import FrameNetwork
from kinesics.see._stream import Found, Runs, labelled

Array = NDArray[np.float64]

ANGLES = ("pitch", "yaw", "roll")
"""Columns of a ``head`` signal, degrees: up, to the person's own left, to their own right shoulder."""
EVENTS = ("none", "nod", "shake", "tilt")
"""Classes of the network."""
ON, OFF = 0.5, 0.3
"""Chances at which an event begins and ends (ours)."""
SHORTEST = {"nod": 0.17, "shake": 0.25, "tilt": 0.5}
"""Seconds (ours)."""
DIP, BACK = 1.5, 0.4
"""Degrees that a head goes down in a nod at least, and the part of the way that it comes back (ours)."""
NOISE = 1.0
"""Degrees that an angle must come back for a turning point; or a fifth of its range, if that is more (ours)."""
_KEPT = 30.0  # seconds of angles; a longer event is counted over its last half minute


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


def swings(angle: Array) -> int:
    """How many ways, each other than the one before, an angle (T,) in degrees goes.

    >>> swings(np.array([0.0, -5, -5, 0, 0, -5, -5, 0, 0]))
    4
    """
    if not len(angle):
        return 0
    angle = np.convolve(np.pad(angle, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    least = max(NOISE, 0.2 * float(np.ptp(angle)))
    far, way, count = float(angle[0]), 0.0, 0
    for value in angle.tolist():
        if way == 0.0:
            if abs(value - far) >= least:
                way, far, count = np.sign(value - far), value, 1
        elif (value - far) * way >= 0:
            far = value
        elif (far - value) * way >= least:
            way, far, count = -way, value, count + 1
    return count


def dips(pitch: Array) -> bool:
    """Whether a head (T,), degrees, goes down and comes back.

    >>> dips(np.array([0.0, -3, -5, -2, 0])), dips(np.array([0.0, 3, 5, 2, 0])), dips(np.array([0.0, -3, -5, -5]))
    (True, False, False)
    """
    low = int(np.argmin(pitch))
    down, back = float(np.max(pitch[: low + 1]) - pitch[low]), float(np.max(pitch[low:]) - pitch[low])
    return down >= DIP and back >= BACK * down


class HeadEvents:
    """Find nods, shakes and tilts in a stream; they are told 1.1 s after they are over.

    Labels are ``nod``, ``shake``, ``tilt L`` and ``tilt R`` (the person's own shoulder that it goes to); the value is
    how far the head went, in degrees.

    Parameters
    ----------
    fps
        Frames per second of what is pushed.
    """

    def __init__(self, fps: float) -> None:
        self._clock, self._network = Clock(fps), FrameNetwork("head_events")
        self._runs = {n: Runs(on=ON, off=OFF, fps=RATE, shortest=SHORTEST[n], bridge=0.1) for n in EVENTS[1:]}
        self._frames = np.zeros((0, 4))
        self._first = self._done = 0  # index of the first frame kept, and of the next to be labelled
        self._start = 0.0

    def push(self, head: Signal) -> tuple[list[Interval], list[Interval]]:
        """Take frames; return the events that are over, and how often each nod or shake went to and fro.

        Parameters
        ----------
        head
            With the columns :data:`ANGLES`, degrees; its confidence counts where it has one.
        """
        if self._done == 0 and not len(self._frames):
            self._start = head.start
        angles = np.stack([head.column(n) for n in ANGLES], axis=1)
        sure = np.ones(len(head)) if head.confidence is None else head.confidence.min(axis=1)
        frames = self._clock.push(np.column_stack([angles, sure]))
        self._frames = np.concatenate([self._frames, frames])
        return self._look(self._network.push(0.1 * frames[:, None, :3]))

    def finish(self) -> tuple[list[Interval], list[Interval]]:
        """What the end of the stream makes certain."""
        events, counts = self._look(self._network.finish())
        for name, runs in self._runs.items():
            self._tell(name, runs.finish(), events, counts)
        return events, counts

    def _look(self, chances: Array) -> tuple[list[Interval], list[Interval]]:
        events: list[Interval] = []
        counts: list[Interval] = []
        if not len(chances):
            return events, counts
        times = self._start + (self._done + np.arange(len(chances))) / RATE
        here = self._done - self._first
        sure = self._frames[here : here + len(chances), 3]
        self._done += len(chances)
        for k, (name, runs) in enumerate(self._runs.items(), 1):
            # A run's confidence is that of its frames: the network's times the track's.
            chance = chances[:, 0, k]
            self._tell(name, runs.push(times, chance, chance * sure), events, counts)
        old = max(0, self._done - self._first - round(_KEPT * RATE))
        self._frames, self._first = self._frames[old:], self._first + old
        return events, counts

    def _tell(self, name: str, found: list[Found], events: list[Interval], counts: list[Interval]) -> None:
        for f in found:
            a, b = (max(0, round((t - self._start) * RATE) - self._first) for t in (f.start, f.end))
            if name == "tilt":
                roll = self._frames[max(0, a - 6) : b, 2]
                away = roll - roll[0]
                far = float(away[np.argmax(np.abs(away))])
                events.append(labelled(f, f"tilt {'R' if far > 0 else 'L'}", certainty=1.0, value=abs(far)))
                continue
            angle = self._frames[a:b, EVENTS.index(name) - 1]
            if name == "nod" and not dips(self._frames[max(0, a - 3) : b + 3, 0]):
                continue  # a head that is lifted, or goes down to stay
            told = labelled(f, name, certainty=1.0, value=float(np.ptp(angle)))
            events.append(told)
            # There and back is once; a rebound at the end is not.
            times = max(1, swings(angle) // 2)
            counts.append(Interval(f.start, f.end, told.label, float(times), told.confidence))


def head_events(head: Signal) -> tuple[Tier, Tier]:
    """Events of a whole track: ``head_events``, and ``head_counts`` whose value is how often a nod or shake was made.

    Parameters
    ----------
    head
        With the columns :data:`ANGLES`, degrees; see :func:`head_angles` for that of a body.

    Examples
    --------
    >>> t = np.arange(150) / 30
    >>> pitch = np.where((t > 2) & (t < 3), -5 * (1 - np.cos(4 * np.pi * (t - 2))), 0)
    >>> head = Signal(np.stack([pitch, 0 * t, 0 * t], 1), ANGLES, ("degrees",) * 3, 30)
    >>> events, counts = head_events(head)
    >>> [(i.label, round(i.start), round(i.end)) for i in events], counts[0].value
    ([('nod', 2, 3)], 2.0)
    """
    finder = HeadEvents(float(head.fps))
    first, last = finder.push(head), finder.finish()
    return Tier("head_events", tuple(first[0] + last[0])), Tier("head_counts", tuple(first[1] + last[1]))
