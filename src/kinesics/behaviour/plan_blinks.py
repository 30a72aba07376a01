"""Blinks: log-normal intervals, drawn to phrase ends and large gaze shifts.

26 a minute in conversation, 17 at rest, log-normally spread (Bentivoglio et al. 1997). Blinks cluster at
the ends of phrases (Hömke et al. 2017; Nakano & Kitazawa 2010) and with gaze shifts (Evinger et al. 1994).
The spread of the logarithm, 0.6, and the pull of a phrase end, ±0.5 s, are ours.
"""

from __future__ import annotations

import math

from kinesics.behaviour._planning import Style, Tick, behaviour
from kinesics.performance import Behaviour

RATES = {"talking": 26.0, "listening": 17.0}
"""Blinks a minute."""
SPREAD = 0.6
PULL = 0.5


def interval(draw, state: str) -> float:
    """Draw the seconds from one blink to the next."""
    mean = 60.0 / RATES[state]
    return max(0.35, float(draw.lognormal(math.log(mean) - SPREAD**2 / 2, SPREAD)))


class BlinkPlanner:
    """Plans one blink after the other."""

    lead = 0.6

    def __init__(self, style: Style) -> None:
        self._style = style
        self._count = 0
        self._last = 0.0
        # somewhere within a first interval: a clip does not begin with a blink
        first = style.draw("first blink")
        self._next = 0.3 + float(first.random()) * interval(first, "listening")
        self._shift = -math.inf

    def step(
        self, tick: Tick, *, talking: bool, closing: float | None, shifts: list[tuple[float, float]]
    ) -> list[Behaviour]:
        """Blinks due by ``tick.now``; ``closing`` is a known phrase end, ``shifts`` recent (time, degrees) of gaze."""
        lead = min(self.lead, max(0.0, tick.horizon - tick.now))
        for time, size in shifts:
            if time > max(self._shift, self._last + 0.4) and size > 12.0 and time >= tick.now:
                self._shift = time
                if self._style.draw("blink with gaze", round(time, 3)).random() < 0.55 and abs(self._next - time) < 1.2:  # fmt: skip
                    self._next = time
        if self._next > tick.now + lead:
            return []
        start = max(self._next, tick.now)
        if closing is not None and abs(closing - start) < PULL:
            pulled = closing + 0.12 * float(self._style.draw("pull", self._count).random())
            if pulled >= tick.now and pulled - self._last > 0.45:
                start = pulled
        draw = self._style.draw("blink", self._count)
        # 100-400 ms in all, about 200 typical (face.md §10.5)
        length = min(0.38, max(0.13, float(draw.lognormal(math.log(0.2), 0.2))))
        self._count += 1
        self._last = start
        self._next = start + max(length + 0.15, interval(draw, "talking" if talking else "listening"))
        return [
            behaviour(f"blink{self._count}", "blink", {"start": start, "end": start + length}, amount=1.0)
        ]
