"""Where the eyes go: mutual gaze and aversions, after Eyes Alive (Lee, Badler & Badler 2002).

Durations while talking: mutual 93.9 ± 94.9, away 27.8 ± 24.0 frames of 1/30 s; listening: mutual
237.5 ± 47.1, away 13.0 ± 7.1. Magnitude A = −6.9 ln(P / 15.7) degrees with P uniform up to 15 %, at most
27.5° talking and 22.7° listening; directions in eight sectors. An aversion is what moves at least 4°
(ours): less is a fixation on the same face. Speakers look away as they begin and while they search for
words, and back as they end (Kendon 1967; Argyle & Cook 1976).
"""

from __future__ import annotations

import math

import numpy as np

from kinesics.behaviour._planning import Context, Style, Tick, behaviour, clamp
from kinesics.performance import Behaviour

_FRAME = 1.0 / 30.0
DURATIONS = {
    ("talking", "mutual"): (93.9 * _FRAME, 94.9 * _FRAME),
    ("talking", "away"): (27.8 * _FRAME, 24.0 * _FRAME),
    ("listening", "mutual"): (237.5 * _FRAME, 47.1 * _FRAME),
    ("listening", "away"): (13.0 * _FRAME, 7.1 * _FRAME),
}
"""(mean, standard deviation) seconds of mutual gaze and of aversions."""
DIRECTIONS = np.array([15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79])
"""Per cent of saccades towards 0°, 45° … 315° (0 is to the performer's left, 90 up)."""
CAP = {"talking": 27.5, "listening": 22.7}
LEAST = 4.0
HEAD_FROM = 15.0
"""Gaze shifts larger than this take the head along, degrees (face.md §10.5; Stahl 1999)."""


def duration(draw: np.random.Generator, state: str, mode: str) -> float:
    """Draw a duration, seconds: gamma of Eyes Alive's mean and deviation, not under 0.2 s."""
    mean, deviation = DURATIONS[state, mode]
    shape = (mean / deviation) ** 2
    return max(0.2, float(draw.gamma(shape, mean / shape)))


def magnitude(draw: np.random.Generator, state: str) -> float:
    """Draw the size of an aversion, degrees."""
    most = 15.7 * math.exp(-LEAST / 6.9)
    return min(CAP[state], -6.9 * math.log(max(1e-6, most * (1.0 - float(draw.random()))) / 15.7))


class GazePlanner:
    """Plans aversions; between them gaze is mutual, on ``controls.look_at``."""

    lead = 0.3

    def __init__(self, style: Style) -> None:
        self._style = style
        self._count = 0
        self._away_until = 0.0
        self._state = "listening"
        self._next = self._mutual(0.0, "listening")
        self.shifts: list[tuple[float, float]] = []

    def _mutual(self, since: float, state: str) -> float:
        return since + duration(self._style.draw("mutual", self._count), state, "mutual")

    def word(self, tick: Tick, context: Context) -> list[Behaviour]:
        """Aversions that words call for: at the start of an utterance, on fillers, while thinking."""
        word, cues = context.word, context.cues
        u = [float(x) for x in self._style.draw("gaze word", word.index).random(4)]
        if context.question or "greeting" in cues:
            return []
        if context.opens and word.gap > 0.5:
            # a long utterance takes planning: the eyes stay away longer
            phrase = tick.heard.phrase_at(word.start, tick.horizon)
            long = phrase is None or phrase.end - word.start > 2.0
            if u[0] < (0.75 if long else 0.45):
                length = duration(self._style.draw("gaze start", word.index), "talking", "away")
                return self._away(tick, word.start - 0.25 * u[1], length * (1.3 if long else 0.8), "talking")
        elif (cues & {"filler", "thinking"} or (0.3 < word.gap < 1.2)) and u[0] < 0.5:
            start = word.start if "filler" in cues else word.start - min(0.3, word.gap)
            return self._away(tick, start, 0.5 + 0.9 * u[1], "talking", up=u[2] < 0.6)
        return []

    def step(self, tick: Tick, *, talking: bool, closing: float | None) -> list[Behaviour]:
        """Aversions that time calls for.

        Parameters
        ----------
        tick
            The view.
        talking
            Whether the person speaks about now.
        closing
            The next phrase end known, seconds: gaze is mutual around it.
        """
        state = "talking" if talking else "listening"
        if state != self._state:
            self._state = state
            self._next = self._mutual(max(tick.now, self._away_until), state)
        lead = min(self.lead, max(0.0, tick.horizon - tick.now))
        if self._next > tick.now + lead:
            return []
        start = max(tick.now, self._next)
        length = duration(self._style.draw("away", self._count), state, "away")
        if talking and closing is not None and start < closing + 0.4 and start + length > closing - 0.25:
            if closing - 0.25 - start >= 0.3:
                length = closing - 0.25 - start
            else:
                self._next = closing + 0.4
                return []
        return self._away(tick, start, length, state)

    def _away(
        self, tick: Tick, start: float, length: float, state: str, *, up: bool = False
    ) -> list[Behaviour]:
        start = max(start, tick.now, self._away_until + 0.15)
        draw = self._style.draw("aversion", self._count)
        size = magnitude(draw, state)
        sector = int(draw.choice(8, p=DIRECTIONS / DIRECTIONS.sum()))
        angle = math.radians(45.0 * sector + float(draw.uniform(-22.5, 22.5)))
        azimuth, elevation = size * math.cos(angle), size * math.sin(angle)
        if up:
            elevation = abs(elevation) + 3.0
        base = self._style.controls.look_angles
        azimuth, elevation = clamp(base[0] + azimuth, -70, 70), clamp(base[1] + elevation, -45, 45)
        length = clamp(length, 0.25, 4.0)
        self._count += 1
        self._away_until = start + length
        self._next = self._mutual(self._away_until, self._state)
        self.shifts.append((start, size))
        del self.shifts[:-8]
        return [
            behaviour(
                f"gaze{self._count}",
                "gaze",
                {"start": start, "end": start + length},
                target=f"{azimuth:.1f},{elevation:.1f}",
                influence="HEAD" if size > HEAD_FROM else "EYES",
            )
        ]
