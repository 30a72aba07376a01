"""The face over time: lips, expression and lids in one set of 52 coefficients.

Order, the later wins: speech flow and expression are laid over each other, then the hard constraints of
speech (open vowels, rounding, narrow sibilants, lip on teeth, closed lips) are enforced, then the lids.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.controls import Controls
from kinesics.behaviour.expressions import Expressions
from kinesics.behaviour.lids import Lids
from kinesics.behaviour.lips import Lips
from kinesics.behaviour.loudness import Loudness
from kinesics.behaviour.visemes import LIP_COLUMNS, columns, vector
from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError, KinesicsError
from kinesics.performance import Behaviour, Feedback, Interval, Signal

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

FPS = 60
"""Faces a second."""
KINDS = ("face", "faceLexeme", "faceFacs", "blink")
"""Behaviours the face realises; others are passed over."""

# Share of an expression that stays while the mouth speaks: corners mostly, what opens or shuts the lips hardly.
_KEEP = np.ones(len(ARKIT))
_KEEP[LIP_COLUMNS] = 0.35
_KEEP[columns("mouthSmile", "mouthFrown", "mouthLeft", "mouthRight")] = 0.85
_KEEP[columns("mouthDimple", "mouthStretch")] = 0.55
_KEEP[columns("mouthUpperUp", "mouthLowerDown")] = 0.5
_KEEP[columns("mouthPress", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper")] = 0.2
_KEEP[columns("mouthFunnel", "mouthPucker", "mouthClose", "cheekPuff")] = 0.2
_BROWS = columns("browInnerUp", "browOuterUp")
_BREATH = vector({"jawOpen": 0.05, "mouthLowerDown": 0.1, "mouthUpperUp": 0.08, "browInnerUp": 0.05}).astype(
    float
)


class FaceRealiser:
    """Faces from phones and committed behaviours.

    Parameters
    ----------
    controls
        Emotion, intensity and seed.
    look_ahead
        Seconds ahead of the clock within which phones are known when frames are asked for.

    Examples
    --------
    >>> face = FaceRealiser(Controls())
    >>> face.hear([Interval(0.1, 0.25, "M"), Interval(0.25, 0.5, "AA")])
    >>> values = face.frames(0, 60)
    >>> values.shape, bool(values[24, ARKIT.index("jawOpen")] > 0.15)
    ((60, 52), True)
    """

    def __init__(self, controls: Controls, *, look_ahead: float = 2.0) -> None:
        self.controls = controls
        self.lips = Lips(look_ahead=look_ahead)
        self.expressions = Expressions(controls)
        self.lids = Lids()
        self.loudness = Loudness(look_ahead=look_ahead)

    def add(self, behaviours: Sequence[Behaviour], now: float) -> list[Feedback]:
        """Take committed behaviours.

        Parameters
        ----------
        behaviours
            Any; those of :data:`KINDS` are realised, the others are not the face's.
        now
            Clock, seconds: what would have to begin earlier begins late, and the feedback says so.

        Returns
        -------
        list of Feedback
            One per behaviour of :data:`KINDS`.
        """
        return [self._take(b, now) for b in behaviours if b.kind in KINDS]

    def _take(self, behaviour: Behaviour, now: float) -> Feedback:
        loose = [k for k, s in behaviour.sync.items() if s.behaviour is not None]
        times = {k: s.offset for k, s in behaviour.sync.items() if s.behaviour is None}
        if loose:
            return Feedback(behaviour.id, "dropped", f"sync {loose[0]} is not resolved to seconds")
        if times.get("end", np.inf) <= now:
            return Feedback(behaviour.id, "dropped", f"it was to end before {now:.2f} s, which is past")
        asked = times.get("start")
        known = sorted(times.values())
        start = asked if asked is not None else (known[0] - 0.2 if known else now)
        times["start"] = max(start, now)
        try:
            if behaviour.kind == "blink":
                blink = self.lids.add(
                    times["start"],
                    times.get("end"),
                    amount=behaviour.number("amount", 1.0),
                    side=behaviour.attributes.get("side", "BOTH").upper(),
                )
                done = {"start": blink.start, "end": blink.end}
            else:
                done = self.expressions.add(behaviour, times)
        except KinesicsError as error:
            log.warning("%s %r is dropped: %s", behaviour.kind, behaviour.id, error)
            return Feedback(behaviour.id, "unknown", str(error))
        if asked is not None and done["start"] > asked + 1e-6:
            return Feedback(behaviour.id, "shifted", f"asked for {asked:.2f} s, which is past", done)
        return Feedback(behaviour.id, "realised", times=done)

    def hear(self, phones: Sequence[Interval], energy: Signal | None = None) -> None:
        """Take phones, and the loudness if it is known.

        Parameters
        ----------
        phones
            ARPAbet or IPA labels on the clock, in order; gaps are silence. Those heard before are
            passed over.
        energy
            Column ``energy`` in dB: loud speech opens the mouth wider. What was heard before is passed over.
        """
        self.lips.hear(phones)
        if energy is not None:
            self.loudness.hear(energy)

    def forget(self, before: float) -> None:
        """Drop what cannot be seen at ``before`` seconds or later."""
        self.lips.forget(before)
        self.expressions.forget(before)
        self.lids.forget(before)
        self.loudness.forget(before)

    def frames(
        self, first: int, last: int, *, eyes: tuple[Floats, Floats] | None = None
    ) -> NDArray[np.float32]:
        """Return the faces of frames ``first`` to ``last`` (excluded); frame i is at i / 60 s.

        Parameters
        ----------
        eyes
            Azimuth and elevation of the gaze relative to the head in degrees, (last - first,) each.

        Returns
        -------
        (n, 52) float32 ARKit weights from 0 to 1; eyeLook* stay 0, the export derives them.
        """
        if last <= first:
            return np.zeros((0, len(ARKIT)), np.float32)
        if eyes is not None and any(np.shape(e) != (last - first,) for e in eyes):
            raise DataError(
                f"eyes have shapes {[np.shape(e) for e in eyes]}; expected ({last - first},) twice"
            )
        t = np.arange(first, last) / FPS
        levels = self.expressions.levels(t)
        loud = self.loudness.at(t)
        width = 0.88 + 0.24 * self.controls.intensity
        speech = self.lips.flow(t, self.expressions.articulation(levels) * width * (1.0 + 0.22 * loud))
        mood = self.felt(first, last).astype(float)
        values = speech + mood * (1.0 - 0.6 * np.clip(speech, 0.0, 1.0))
        values = self.lips.enforce(t, values)
        self.lids.apply(t, values, eyes)
        return np.clip(values, 0.0, 1.0).astype(np.float32)

    def felt(self, first: int, last: int) -> NDArray[np.float32]:
        """What of :meth:`frames` is expression: without the shapes of speech and without lids, but with what speech leaves of it.

        Returns
        -------
        (n, 52) float32 ARKit weights from 0 to 1.
        """
        t = np.arange(first, last) / FPS
        busy = self.lips.busy(t)[:, None]
        mood = self.expressions.shape(t, self.expressions.levels(t))
        # The voice moves the brows a little: emphasis is seen before it is planned.
        mood[:, _BROWS] += (0.10 * np.maximum(self.loudness.at(t), 0.0) * busy[:, 0])[:, None]
        mood *= 1.0 - busy * (1.0 - _KEEP)
        mood += self.lips.breath(t)[:, None] * _BREATH
        return np.clip(mood, 0.0, 1.0).astype(np.float32)
