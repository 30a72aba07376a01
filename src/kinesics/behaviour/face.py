"""The face over time: lips, expression and lids in one set of 52 coefficients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.controls import Controls
from kinesics.behaviour.lips import Lips
from kinesics.performance import Behaviour, Feedback, Interval

FPS = 60


class FaceRealiser:
    """Faces from phones and committed behaviours."""

    def __init__(self, controls: Controls, *, look_ahead: float = 2.0) -> None:
        self.controls = controls
        self.lips = Lips(look_ahead=look_ahead)

    def add(self, behaviours: Sequence[Behaviour], now: float) -> list[Feedback]:
        return []

    def hear(self, phones: Sequence[Interval]) -> None:
        self.lips.hear(phones)

    def forget(self, before: float) -> None:
        self.lips.forget(before)

    def frames(self, first: int, last: int, *, eyes=None) -> NDArray[np.float32]:
        t = np.arange(first, last) / FPS
        values, _ = self.lips.flow(t)
        values = self.lips.enforce(t, values)
        return np.clip(values, 0.0, 1.0).astype(np.float32)
