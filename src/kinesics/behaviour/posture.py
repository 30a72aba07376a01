"""How the trunk is held: weight on one foot or the other, leaning, turning; events and chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics import seeds
from kinesics.behaviour.trajectory import Track

Array = NDArray[np.float64]

LEXEMES: dict[str, tuple[float, float, float]] = {
    "LEFT": (1.0, 0.0, 3.0),
    "RIGHT": (-1.0, 0.0, -3.0),
    "FORWARD": (0.0, 7.0, 0.0),
    "BACK": (0.0, -5.0, 0.0),
    "TURN_LEFT": (0.0, 0.0, 60.0),
    "TURN_RIGHT": (0.0, 0.0, -60.0),
    "NEUTRAL": (0.0, 0.0, 0.0),
}
"""Weight (−1 on the right foot to 1 on the left), lean forward and turn to the left, degrees, at amount 1."""


class Posture:
    """Weight, lean and turn over time.

    Stated postures hold from their start to their end; between them the weight changes feet by
    chance, as standing people do every ten seconds or so.
    """

    def __init__(self, seed: int, life: float) -> None:
        self.seed, self.life = seed, life
        self.track = Track([self._chance(0)[0], 0.0, self._chance(0)[1]])
        self.count = 1
        self.next = self._gap(0)

    def _gap(self, count: int) -> float:
        draw = seeds.rng(self.seed, "weight gap", count)
        return float(np.clip(np.exp(draw.normal(2.2, 0.55)), 3.5, 40)) / self.life

    def _chance(self, count: int) -> tuple[float, float]:
        draw = seeds.rng(self.seed, "weight", count)
        foot = (1 if draw.random() < 0.5 else -1) * (0.15 if draw.random() < 0.3 else 1.0)
        return foot * draw.uniform(0.35, 0.95), draw.normal(0, 3.5)

    def advance(self, time: float) -> None:
        """Plan the chance shifts due before ``time``."""
        while self.next < time:
            if self.track.end <= self.next:
                weight, turn = self._chance(self.count)
                seconds = float(seeds.rng(self.seed, "weight time", self.count).uniform(1.0, 1.9))
                lean = 0.4 * self.track.state(self.next)[0][1]
                self.track.go(self.next + seconds, [weight, lean, turn], start=self.next)
            self.next += self._gap(self.count)
            self.count += 1

    def add(self, lexeme: str, amount: float, start: float, end: float | None, *, lasts: bool) -> None:
        """Take a posture from ``start``: there by ``end`` to stay, or (``lasts``) held until ``end``."""
        weight, lean, turn = (amount * v for v in LEXEMES[lexeme])
        here = self.track.state(start)[0]
        if lexeme in ("FORWARD", "BACK"):
            weight, turn = here[0] * 0.6, here[2] * 0.6
        natural = 0.9 + 0.5 * abs(amount)
        if not lasts or end is None:
            seconds = natural if end is None else max(end - start, 0.6)
            self.track.go(start + seconds, [weight, lean, turn], start=start)
            return
        hold = max(end, start + 0.5)
        self.track.go(min(start + natural, hold), [weight, lean, turn], start=start)
        self.track.go(hold + 1.3, [weight * 0.7, 0.0, turn * 0.5], start=hold)

    def forget(self, before: float) -> None:
        """Drop what is over."""
        self.track.forget(before)

    def __call__(self, times: Array) -> Array:
        """(n, 3): weight, lean forward, turn."""
        return self.track(times)
