"""The performer: planner and realisers run step by step on one clock.

Offline and live are the same code: a step of 0.1 s plans with what is known up to
``now + look_ahead`` and commits what begins no earlier than now; frames are functions of time and
of what was committed. How many steps are taken at once changes the speed, never the result.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.body import Body
from kinesics.behaviour.controls import Controls
from kinesics.behaviour.face import FaceRealiser
from kinesics.behaviour.heard import Heard
from kinesics.behaviour.planner import Planner
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import Avatar
from kinesics.performance import Behaviour, Face, Feedback, Interval, Motion, Performance, Plan, Tier

FPS = 60
STEPS_PER_SECOND = 10
_FRAMES_PER_STEP = FPS // STEPS_PER_SECOND
_BATCH = 20  # steps whose frames are made at once: two seconds


class Performer:
    """One person performing, from now on.

    Parameters
    ----------
    avatar
        Whose body moves.
    controls
        Emotion, intensity and the rest.
    look_ahead
        Seconds known beforehand: 2 offline, 0.1 live.

    Examples
    --------
    >>> from kinesics.bodies.avatar import load_avatar
    >>> performer = Performer(load_avatar("maya"))
    >>> idle = performer.advance(Heard(Performance()), until=1.0)
    >>> idle.body.rotations.shape
    (60, 55, 4)
    """

    def __init__(self, avatar: Avatar, controls: Controls | None = None, *, look_ahead: float = 2.0) -> None:
        self.controls = controls or Controls()
        self.avatar = avatar
        self.look_ahead = look_ahead
        self.planned: list[Behaviour] = []
        self.feedback: list[Feedback] = []
        self._planner = Planner(self.controls, look_ahead=look_ahead)
        self._body = Body(avatar.skeleton, self.controls)
        self._face = FaceRealiser(self.controls)
        self._step = 0

    @property
    def now(self) -> float:
        """Second up to which frames have been made."""
        return self._step / STEPS_PER_SECOND
