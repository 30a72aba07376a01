"""Phases of gestures, hand by hand: preparation, stroke, holds, retraction (Kendon 1980; Kita et al. 1998).

A small temporal network (``scripts/train_event_networks.py``, trained on the stage's speakers, whose phases are
known) tells for each thirtieth of a second how likely each phase is, from where a hand is relative to the
shoulders, in arm lengths, how it is turned and open, and where the other hand is. The likeliest sequence that a
gesture can have (Viterbi with a fixed lag) gives the phases: nothing is retracted that was not prepared.
Left and right hands share the network: a right hand is seen in the mirror.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError
from kinesics.performance import Interval, Motion, Tier
from kinesics.see._clock import RATE, Clock
from kinesics.see._frame_network import FrameNetwork
from kinesics.see._stream import LEAST, Found, Runs, Windows

Array = NDArray[np.float64]

PHASES: tuple[str, ...] = ("rest", "preparation", "stroke", "hold", "retraction")
"""Classes of the network. A hold before a stroke is told as ``pre-stroke hold``, after one as ``post-stroke hold``."""
SIDES = ("left", "right")
PLACES: tuple[str, ...] = (
    "hips", "leftUpperArm", "rightUpperArm",
    *(f"{s}{p}" for s in SIDES for p in ("LowerArm", "Hand", "IndexProximal", "MiddleProximal", "LittleProximal", "MiddleDistal")),
)  # fmt: skip
"""Joints whose places are looked at."""
QUICK = 1.0
"""Arm lengths a second, about half a metre, that a hand at rest does not move (ours)."""
LAG = 10
"""Frames after which the sequence is settled."""
_STRIDE = 6  # frames that a speed is taken over
_SHORTEST = 0.1  # seconds; a hold as long is seen, a stroke is longer

# Chance to go from one phase (row) to another within a thirtieth of a second; ours, by the usual lengths of phases:
# strokes and preparations about half a second, holds a third, rests several seconds. What cannot follow is 0.
_STEP = np.array(
    [
        # rest   prep.  stroke hold   retraction
        [0.990, 0.010, 0.000, 0.000, 0.000],
        [0.001, 0.934, 0.055, 0.010, 0.000],
        [0.000, 0.010, 0.940, 0.040, 0.010],
        [0.001, 0.015, 0.015, 0.944, 0.025],
        [0.050, 0.010, 0.000, 0.000, 0.940],
    ]
)


def places_of(body: Motion) -> Array:
    """(T, P, 3) world places of :data:`PLACES`, metres.

    Raises
    ------
    DataError
        If the motion is not on the canonical joints.
    """
    if tuple(body.skeleton.names) != JOINTS:
        raise DataError("gesture phases need the 55 canonical joints; retarget the motion first")
    return body.positions()[:, [JOINTS.index(n) for n in PLACES]].astype(np.float64)


def hand_features(places: Array) -> Array:
    """What the network sees of both hands.

    Parameters
    ----------
    places
        (T, P, 3) metres, of :data:`PLACES`.

    Returns
    -------
    (T, 2, 14)
        Of the left hand, and of the right one in the mirror: wrist (3) and elbow's height relative to the middle of
        the shoulders, direction of the fingers (3) and of the palm (3), openness, the other wrist (3). Axes: out, up,
        ahead of the trunk; lengths in arm lengths.
    """
    at = {n: places[:, k] for k, n in enumerate(PLACES)}
    middle = 0.5 * (at["leftUpperArm"] + at["rightUpperArm"])
    up = _unit(middle - at["hips"])
    across = at["leftUpperArm"] - at["rightUpperArm"]
    across = _unit(across - np.sum(across * up, axis=-1, keepdims=True) * up)
    frame = np.stack([across, up, np.cross(across, up)], axis=-2)  # rows: out to the left, up, ahead

    def seen(v: Array) -> Array:
        return np.einsum("tij,tj->ti", frame, v)

    arms = [
        np.linalg.norm(at[f"{s}UpperArm"] - at[f"{s}LowerArm"], axis=-1)
        + np.linalg.norm(at[f"{s}LowerArm"] - at[f"{s}Hand"], axis=-1)
        for s in SIDES
    ]
    arm = np.maximum(0.5 * (arms[0] + arms[1]), 1e-3)[:, None]
    wrists = [seen(at[f"{s}Hand"] - middle) / arm for s in SIDES]
    out = []
    for k, side in enumerate(SIDES):
        mirror = np.array([1.0 if k == 0 else -1.0, 1.0, 1.0])
        wrist, knuckle = at[f"{side}Hand"], at[f"{side}MiddleProximal"]
        fingers = _unit(seen(knuckle - wrist))
        # From the back of the hand: index to little finger, turned about the fingers.
        row = seen(at[f"{side}LittleProximal"] - at[f"{side}IndexProximal"])
        palm = _unit(np.cross(fingers * mirror, row * mirror))
        length = np.linalg.norm(knuckle - wrist, axis=-1, keepdims=True)
        openness = np.linalg.norm(at[f"{side}MiddleDistal"] - wrist, axis=-1, keepdims=True) / np.maximum(
            length, 1e-3
        )
        elbow = seen(at[f"{side}LowerArm"] - middle)[:, 1:2] / arm
        out.append(
            np.concatenate([wrists[k] * mirror, elbow, fingers * mirror, palm, openness - 1.5, wrists[1 - k] * mirror], axis=-1)
        )  # fmt: skip
    return np.stack(out, axis=1)


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


class _Sequence:
    """The likeliest sequence of phases so far, settled after :data:`LAG` frames."""

    def __init__(self) -> None:
        with np.errstate(divide="ignore"):
            self._step = np.log(_STEP)
        self._score: Array | None = None
        self._back: list[Array] = []

    def push(self, chances: Array) -> list[int]:
        """Take (m, C) probabilities; return the phases of the frames that are settled."""
        out = []
        for row in np.log(np.maximum(chances, 1e-6)):
            if self._score is None:
                # A recording may begin in the middle of anything.
                self._score, back = row, np.arange(len(PHASES))
            else:
                ways = self._score[:, None] + self._step
                back = np.argmax(ways, axis=0)
                self._score = ways[back, np.arange(len(back))] + row
                self._score = self._score - self._score.max()
            self._back.append(back)
            if len(self._back) > LAG:
                out.append(self._traced(LAG)[0])
                self._back.pop(0)
        return out

    def finish(self) -> list[int]:
        """The phases of the last frames."""
        return self._traced(len(self._back) - 1) if self._back else []

    def _traced(self, steps: int) -> list[int]:
        assert self._score is not None
        state = int(np.argmax(self._score))
        way = [state]
        for back in self._back[: -steps - 1 : -1] if steps else []:
            state = int(back[state])
            way.append(state)
        return way[::-1]


class _Hand:
    """Phases of one hand to intervals."""

    def __init__(self, side: str, start: float) -> None:
        self._side, self._start = side[0].upper(), start
        self._sequence = _Sequence()
        self._chances: list[Array] = []
        self._sure: list[float] = []
        self._phase, self._first, self._count = -1, 0, 0
        self._after = False  # whether a stroke has been made in this gesture
        self._speeds: list[float] = []
        self._quick = Runs(on=QUICK, off=0.5 * QUICK, fps=RATE, shortest=0.25, bridge=0.1)

    def push(self, chances: Array, sure: Array, speeds: Array) -> list[Interval]:
        self._chances += list(chances)
        self._sure += sure.tolist()
        self._speeds += speeds.tolist()
        return self._told(self._sequence.push(chances))

    def finish(self) -> list[Interval]:
        out = self._told(self._sequence.finish()) + self._end()
        return out + [self._moved(f) for f in self._quick.finish()]

    def _restless(self, phases: list[int]) -> list[Interval]:
        """Where a hand moves too quickly to rest, in no phase that is known."""
        times = self._start + (self._count + np.arange(len(phases))) / RATE
        speeds, self._speeds = self._speeds[: len(phases)], self._speeds[len(phases) :]
        own = np.where(np.array(phases, dtype=int) == 0, speeds, -1.0)
        doubt = [1.0 - c[0] for c in self._chances[self._count - self._first :][: len(phases)]]
        return [self._moved(f) for f in self._quick.push(times, own, np.array(doubt))]

    def _moved(self, found: Found) -> Interval:
        sure = round(min(found.sure, LEAST - 0.01), 4)
        return Interval(found.start, found.end, f"unknown {self._side}", None, sure)

    def _told(self, phases: list[int]) -> list[Interval]:
        out = self._restless(phases)
        for phase in phases:
            if phase != self._phase:
                out += self._end()
                self._phase, self._first = phase, self._count
            self._count += 1
        if self._phase == 0:
            self._end()  # rests are long, and not told: nothing of them is kept
            self._first = self._count
        return out

    def _end(self) -> list[Interval]:
        length = self._count - self._first
        of, self._chances = self._chances[:length], self._chances[length:]
        sure, self._sure = self._sure[:length], self._sure[length:]
        name = PHASES[self._phase] if self._phase >= 0 else "rest"
        if name == "hold":
            name = "post-stroke hold" if self._after else "pre-stroke hold"
        self._after = name == "stroke" or (self._after and name == "post-stroke hold")
        if name == "rest" or length < _SHORTEST * RATE:
            return []
        confidence = float(np.mean([c[self._phase] for c in of]) * np.mean(sure))
        start = self._start + self._first / RATE
        label = name if confidence >= LEAST else "unknown"
        return [Interval(start, start + length / RATE, f"{label} {self._side}", None, round(confidence, 4))]


class GesturePhases:
    """Find the phases of gestures in a stream; they are told 1.2 s after they are over.

    Parameters
    ----------
    fps
        Frames per second of what is pushed.

    Examples
    --------
    >>> import kinesics as kn
    >>> show = kn.perform("We caught a fish this big.", seed=3)
    >>> finder = GesturePhases(60)
    >>> found = finder.push(show.body) + finder.finish()
    >>> {"stroke R", "stroke L"} <= {i.label for i in found}
    True
    """

    def __init__(self, fps: float) -> None:
        self._fps = float(fps)
        self._clock = Clock(fps)
        self._network = FrameNetwork("gesture_phases")
        self._hands: list[_Hand] = []
        self._sure: list[Array] = []
        self._wrists = Windows(_STRIDE, 0)

    def push(self, body: Motion, sure: Array | None = None) -> list[Interval]:
        """Take frames; return the phases that are over.

        Parameters
        ----------
        body
            On the canonical joints.
        sure
            (T, 2) confidence of the left and the right hand; 1 by default.
        """
        return self.push_places(places_of(body), start=body.start, sure=sure)

    def push_places(self, places: Array, *, start: float = 0.0, sure: Array | None = None) -> list[Interval]:
        """As :meth:`push`, from places (T, P, 3) of :data:`PLACES` in metres; ``start`` is the stream's first second."""
        if not self._hands:
            self._hands = [_Hand(s, start) for s in SIDES]
        sure = np.ones((len(places), 2)) if sure is None else np.asarray(sure, dtype=np.float64)
        frames = self._clock.push(np.column_stack([places.reshape(len(places), 3 * len(PLACES)), sure]))
        features = hand_features(frames[:, :-2].reshape(-1, len(PLACES), 3))
        # Over a fifth of a second: noise from frame to frame is no movement.
        wrists = self._wrists.push(features[..., :3])
        speeds = RATE / _STRIDE * np.linalg.norm(wrists[_STRIDE:] - wrists[:-_STRIDE], axis=-1)
        self._sure.append(np.column_stack([frames[:, -2:], speeds]))
        return self._look(self._network.push(features))

    def finish(self) -> list[Interval]:
        """What the end of the stream makes certain."""
        out = self._look(self._network.finish())
        for hand in self._hands:
            out += hand.finish()
        return out

    def _look(self, chances: Array) -> list[Interval]:
        if not len(chances):
            return []
        sure = np.concatenate(self._sure)
        self._sure = [sure[len(chances) :]]
        out = []
        for k, hand in enumerate(self._hands):
            out += hand.push(chances[:, k], sure[: len(chances), k], sure[: len(chances), 2 + k])
        return out


def gesture_phases(body: Motion, sure: Array | None = None) -> Tier:
    """The phases of a whole track: the tier ``gestures``, labels such as ``stroke R``.

    Between the intervals of a hand it rests. Where the confidence is below a half, or a hand moves quickly in no phase
    that is known, the label is ``unknown R``.

    Parameters
    ----------
    body
        On the canonical joints, at any rate.
    sure
        (T, 2) confidence of the left and the right hand; 1 by default.
    """
    finder = GesturePhases(float(body.fps))
    return Tier("gestures", tuple(finder.push(body, sure) + finder.finish()))
