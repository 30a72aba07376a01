"""Movement that goes with speaking itself: small, on the stress, beneath and between gestures.

People who talk hardly ever stop moving: head, trunk and hands shift with every few syllables, and
dip on the stressed ones (Hadar et al. 1983; McClave 2000; Loehr 2012). Each accented syllable here
takes every channel to a new place near the last (a damped random walk with minimum-jerk ways that
arrive on the vowel) and adds a dip that springs back. Sizes are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics import seeds
from kinesics.behaviour.trajectory import ease
from kinesics.performance import Interval

Array = NDArray[np.float64]

HEAD, SPINE = slice(0, 3), slice(3, 6)
HANDS = (slice(6, 9), slice(9, 12))
TURNS = (slice(12, 15), slice(15, 18))
_COUNT = 18
# Standard deviation of the places: degrees of pitch, yaw and roll; metres out, up and ahead; degrees of the wrist.
_HAND, _TURN = (0.065, 0.060, 0.070), (8.0, 7.0, 7.0)
_SIZE = np.array([3.6, 5.4, 3.2, 3.0, 5.6, 3.0, *_HAND, *_HAND, *_TURN, *_TURN])
# How much of a place is kept at the next accent.
_KEEP = np.array([0.5] * 3 + [0.6] * 3 + [0.3] * 12)
# The dip on a syllable of full prominence; down is positive pitch and negative height.
_DIP = np.array([4.2, 0, 0, 0.9, 0, 0, 0, -0.055, 0.01, 0, -0.055, 0.01, 8, 0, 0, 8, 0, 0], dtype=np.float64)
_RISE, _FALL = 0.20, 0.38  # seconds to the bottom of a dip and back
_SOONEST, _LATEST = 0.26, 0.50  # seconds between accents


class Accompaniment:
    """Offsets of head, trunk and hands that go with the syllables heard.

    Parameters
    ----------
    seed
        Of the performance.
    life
        Factor on head and trunk.
    hands
        Factor on the hands.
    leading
        0 if the left hand leads, 1 if the right.

    Examples
    --------
    >>> going = Accompaniment(3, life=1.0, hands=1.0, leading=1)
    >>> going.hear([Interval(1.0, 1.2, "B IH G", 0.9)], now=0.0)
    >>> going(np.array([0.0, 1.1])).shape, bool(going(np.array([1.1]))[0, 0] > 0.5)
    ((2, 18), True)
    """

    def __init__(self, seed: int, *, life: float, hands: float, leading: int) -> None:
        self._seed = seed
        factor = np.concatenate([np.full(6, life), np.full(12, hands)])
        for side in (0, 1):
            share = 1.0 if side == leading else 0.72
            factor[HANDS[side]] *= share
            factor[TURNS[side]] *= share
        self._size, self._dip = _SIZE * factor, _DIP * factor
        self._place = np.zeros(_COUNT)
        self._base = np.zeros(_COUNT)
        self._last = -1e9
        self._count = 0
        # Steps: start, seconds, change; dips: bottom, depth; syllables: known, start, end.
        self._steps: list[tuple[float, float, Array]] = []
        self._dips: list[tuple[float, Array]] = []
        self._spans: list[tuple[float, float, float]] = []

    def hear(self, syllables: Sequence[Interval], *, now: float) -> None:
        """Take in syllables (value: prominence, 0 to 1); nothing before ``now`` changes."""
        for s in syllables:
            self._spans.append((now, s.start, s.end))
            vowel = s.start + 0.45 * s.duration
            strength = 0.5 if s.value is None else float(np.clip(s.value, 0, 1))
            gap = vowel - self._last
            if gap < _SOONEST or (strength < 0.42 and gap < _LATEST):
                continue
            self._accent(vowel, strength, now)

    def _accent(self, vowel: float, strength: float, now: float) -> None:
        draw = seeds.rng(self._seed, "accompany", self._count)
        new = np.sqrt(1 - _KEEP**2) * draw.normal(0, 1, _COUNT).clip(-1.7, 1.7)
        # Hands go together more often than not.
        new[HANDS[1]] = 0.6 * new[HANDS[0]] + 0.8 * new[HANDS[1]]
        size = self._size * (0.45 + 0.85 * strength) * draw.lognormal(0, 0.25)
        place = _KEEP * self._place + size * new
        seconds = float(draw.uniform(0.42, 0.72))
        start = max(vowel + 0.04 - seconds, now)
        self._steps.append((start, max(vowel + 0.04 - start, 0.26), place - self._place))
        bottom = max(vowel + float(draw.uniform(-0.02, 0.05)), now + _RISE)
        self._dips.append((bottom, self._dip * strength * draw.uniform(0.25, 1.15, _COUNT)))
        self._place = place
        self._last = vowel
        self._count += 1

    def forget(self, before: float) -> None:
        """Drop what no frame from ``before`` seconds on needs."""
        for step in self._steps:
            if step[0] + step[1] < before:
                self._base = self._base + step[2]
        self._steps = [s for s in self._steps if s[0] + s[1] >= before]
        self._dips = [d for d in self._dips if d[0] + _FALL >= before]
        self._spans = [s for s in self._spans if s[2] + 2 >= before]

    def talking(self, times: Array) -> Array:
        """(n,) 1 while speaking, 0 while not; rises before and falls after the syllables."""
        out = np.zeros_like(times)
        for known, start, end in self._spans:
            if end + 1.6 > times[0] and start - 0.5 < times[-1]:
                rise = ease((times - max(start - 0.5, known)) / 0.5)
                out = np.maximum(out, rise * ease((end + 1.6 - times) / 1.2))
        return out

    def __call__(self, times: Array) -> Array:
        """(n,) seconds to (n, 18): head, trunk, left hand, right hand, and the wrists' turns."""
        out = np.tile(self._base, (len(times), 1))
        if self._steps:
            start, seconds = (np.array([s[k] for s in self._steps]) for k in (0, 1))
            out += ease((times[:, None] - start) / seconds) @ np.stack([s[2] for s in self._steps])
        if self._dips:
            since = times[:, None] - np.array([d[0] for d in self._dips])
            bell = np.where(since < 0, ease(1 + since / _RISE), ease(1 - since / _FALL))
            out += bell @ np.stack([d[1] for d in self._dips])
        return out * self.talking(times)[:, None]
