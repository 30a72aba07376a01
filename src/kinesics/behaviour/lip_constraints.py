"""What must be seen of speech whatever the speed and the emotion: closed lips, lip on teeth, rounding, open vowels.

The constraints are enforced on the finished face, the weakest first, so that a later one wins: open vowels,
rounding, narrow sibilants, lip on teeth, closed lips.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.articulation import Phone, undershoot
from kinesics.behaviour.envelopes import gate, ramp
from kinesics.behaviour.visemes import GROUPS, LIP_COLUMNS, VISEME_INDEX, columns, shapes
from kinesics.bodies.arkit import INDEX

Floats = NDArray[np.float64]

PAUSE = 0.35
"""Silence in seconds after which a breath is drawn."""
BREATH_LEAD = 0.42
"""Seconds before speech at which the breath for it is seen at its fullest."""
LEAST_JAW = 0.115
"""jawOpen that every vowel reaches: close rounded vowels hardly use the jaw, yet must be seen to be open (ours)."""
JOINED = 0.04
"""Silence in seconds up to which two phones are neighbours."""

_PP, _FF, _SS, _CH, _OU = (VISEME_INDEX[v] for v in ("PP", "FF", "SS", "CH", "ou"))
_JAW, _PUCKER, _CLOSE = INDEX["jawOpen"], INDEX["mouthPucker"], INDEX["mouthClose"]
_ROUND = GROUPS["round"]
_SPREAD = columns("mouthSmile", "mouthStretch", "mouthDimple", "mouthFrown")
_SQUEEZE = columns("mouthClose", "mouthPress", "mouthRollLower", "mouthRollUpper", "mouthShrugLower")

Gate = tuple[Floats, ...]
"""Start, end, attack and release of several envelopes, seconds."""


class Constraints:
    """When and how each constraint holds.

    Parameters
    ----------
    phones
        Start, end and what each asks.
    anticipation
        Seconds before a phone's start at which it may first be seen.

    Attributes
    ----------
    speaking, breaths
        Times at which the mouth is given to speech, and at which breath is drawn for it.
    """

    def __init__(self, phones: Sequence[Phone], anticipation: float) -> None:
        begin = np.array([p[0] for p in phones], float)
        end = np.array([p[1] for p in phones], float)
        first = np.array([p[2].first for p in phones], int)
        second = np.array([p[2].second for p in phones], int)
        vowel = np.array([p[2].vowel for p in phones], bool)
        length, middle, even = end - begin, 0.5 * (begin + end), np.ones(len(phones))
        low, high, attack, release = _holds(begin, end, first, vowel, anticipation)
        self.closures: Gate = tuple(x[first == _PP] for x in (low, high, attack, release))
        self.contacts: Gate = tuple(x[first == _FF] for x in (low, high, attack, release))
        # An expression gives way within a tenth of a second and comes back slowly, not between two words.
        self.speaking: Gate = (begin, end, np.minimum(0.12, anticipation) * even, 0.45 * even)
        fresh = begin - np.r_[-np.inf, end][: len(end)] > PAUSE
        breath = (begin - BREATH_LEAD, begin - 0.26, 0.15 * even, 0.16 * even)
        self.breaths: Gate = tuple(x[fresh] for x in breath)
        edge = np.clip(0.5 * length, 0.03, 0.06)
        peak = np.minimum(0.15 * length, 0.05)
        apex = (middle - peak, middle + peak, np.minimum(edge, anticipation), edge)
        self.vowels: Gate = tuple(x[vowel] for x in apex)
        openness = np.array([p[2].openness for p in phones], float)[vowel]
        usual = shapes()[first[vowel], _JAW] * openness * undershoot(length[vowel])
        self.least_open = np.maximum(0.65 * usual, LEAST_JAW)
        sibilant = np.isin(first, (_SS, _CH))
        self.sibilants: Gate = tuple(x[sibilant] for x in apex)
        # Rounding spreads beyond its sound, and slowly: a smile narrows, it does not twitch.
        whole = np.isin(first, (_OU, _CH))
        rounded = whole | (second == _OU)
        span = (np.where(whole, begin, middle), np.maximum(middle, end - 0.03))
        self.rounded: Gate = tuple(
            x[rounded] for x in (*span, np.minimum(0.09, anticipation) * even, 0.1 * even)
        )

    def enforce(self, t: Floats, weights: Floats) -> Floats:
        """(n, 52) weights that keep the constraints at ``t`` seconds, from weights that may not."""
        out = np.array(weights, float)
        closed = gate(t, *self.closures)
        touch = gate(t, *self.contacts)
        if len(self.least_open):
            low, high, rise, fall = self.vowels
            near = (low - rise < t[-1] + 1e-9) & (high + fall > t[0])
            if near.any():
                low, high, rise, fall, x = low[near], high[near], rise[near], fall[near], t[:, None]
                open_ = ramp((x - low + rise) / rise) * ramp((high + fall - x) / fall)
                out[:, _JAW] = np.maximum(out[:, _JAW], (open_ * self.least_open[near]).max(1))
                out[:, _SQUEEZE] *= (1.0 - 0.9 * open_.max(1))[:, None]
        rounding = gate(t, *self.rounded)[:, None]
        out[:, _SPREAD] *= 1.0 - 0.65 * rounding
        out[:, _ROUND] = np.maximum(out[:, _ROUND], 0.75 * rounding * shapes()[_OU, _ROUND])
        narrow = gate(t, *self.sibilants)
        cap = 2.0 * shapes()[_SS, _JAW]
        out[:, _JAW] -= narrow * np.maximum(out[:, _JAW] - cap, 0.0)
        for hold, row in ((touch, _FF), (closed, _PP)):
            if hold.any():
                goal = np.repeat(shapes()[row][None, :].astype(float), len(t), 0)
                # Rounding and a smile go on through a closure, but less.
                goal[:, _SPREAD] += (0.85 if row == _PP else 0.6) * out[:, _SPREAD]
                if row == _PP:
                    # The jaw stays a little open under closed lips; mouthClose undoes its opening one to one.
                    ajar = 0.3 * np.minimum(out[:, _JAW], 0.5)
                    goal[:, _JAW] += ajar
                    goal[:, _CLOSE] += ajar
                goal[:, _PUCKER] += (0.8 if row == _PP else 0.3) * out[:, _PUCKER]
                cols = LIP_COLUMNS
                out[:, cols] += hold[:, None] * (goal[:, cols] - out[:, cols])
        return out


def _holds(
    begin: Floats, end: Floats, first: NDArray[np.int64], vowel: NDArray[np.bool_], anticipation: float
) -> Gate:
    """Start, end, attack and release (m,) of each phone's hold, were it a closure or a contact."""
    n = len(begin)
    length, middle = end - begin, 0.5 * (begin + end)
    # Centred in the sound and never shorter than three frames of 60 fps (two for lip on teeth).
    half = np.where(first == _PP, np.maximum(0.38 * length, 0.025), np.maximum(0.3 * length, 0.02))
    low, high = middle - half, middle + half
    attack, release = np.full(n, 0.075), np.full(n, 0.08)
    hard = (first == _PP) | (first == _FF)
    for i in np.flatnonzero(hard):
        if i:
            near = begin[i] - end[i - 1] < JOINED
            if first[i - 1] == first[i] and near:
                low[i] = high[i - 1]  # one long closure, not two
            elif hard[i - 1]:
                attack[i] = low[i] - high[i - 1]
            elif vowel[i - 1] and near:
                attack[i] = low[i] - middle[i - 1]  # the vowel before keeps its apex
        if i + 1 < n:
            # Only ever shorter: a neighbour too far off to be known yet must change nothing when it is.
            if hard[i + 1] and first[i + 1] != first[i]:
                release[i] = min(release[i], low[i + 1] - high[i])
            elif vowel[i + 1] and begin[i + 1] - end[i] < JOINED:
                release[i] = min(release[i], middle[i + 1] - high[i])
    known = np.maximum(anticipation + low - begin, 0.015)
    attack = np.minimum(np.clip(attack, np.where(first == _FF, 0.055, 0.03), 0.085), known)
    release = np.maximum(release, np.where(first == _FF, 0.05, 0.03))
    return low, high, attack, release
