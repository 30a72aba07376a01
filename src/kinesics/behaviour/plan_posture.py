"""Shifts of posture at topic changes and long pauses.

Postures change every 20 to 40 s and mostly where discourse segments change (Cassell et al. 2001; the
range is ours).
"""

from __future__ import annotations

from kinesics.behaviour._planning import Style, Tick, behaviour
from kinesics.performance import Behaviour

POSTURES = ("LEFT", "RIGHT", "FORWARD", "BACK", "NEUTRAL")


class PosturePlanner:
    """Plans posture shifts."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._count = 0
        self._current = "NEUTRAL"
        self._due = self._wait(0.0) * 0.5

    def _wait(self, since: float) -> float:
        return since + float(self._style.draw("posture wait", self._count).uniform(20.0, 40.0))

    def step(self, tick: Tick, *, boundary: float | None, topic: bool) -> list[Behaviour]:
        """A shift, if one is due.

        Parameters
        ----------
        tick
            The view.
        boundary
            A phrase end or pause about now, seconds, or None.
        topic
            Whether a new topic begins there: worth being early for.
        """
        if self._style.controls.intensity <= 0:
            return []
        early = 10.0 if topic else 0.0
        late = tick.now > self._due + 15.0
        if tick.now < self._due - early or (boundary is None and not late):
            return []
        start = max(tick.now, boundary if boundary is not None else tick.now)
        draw = self._style.draw("posture", self._count)
        choices = [p for p in POSTURES if p != self._current]
        self._current = str(choices[int(draw.integers(len(choices)))])
        amount = (0.2 + 0.5 * self._style.controls.intensity) * float(draw.uniform(0.7, 1.3))
        length = float(draw.uniform(0.9, 1.7))
        self._count += 1
        self._due = self._wait(start)
        return [
            behaviour(
                f"posture{self._count}",
                "postureShift",
                {"start": start, "end": start + length},
                lexeme=self._current,
                amount=min(1.0, amount),
            )
        ]
