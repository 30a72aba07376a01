"""How phones blend: each claims jaw, rounding, spreading, parting and tongue with a strength and reach of its own.

Dominance functions after Cohen & Massaro (1993), with compact bells instead of exponentials, so that a frame depends
only on near phones and on none that starts later than is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.articulation import Phone, undershoot
from kinesics.behaviour.envelopes import bell
from kinesics.behaviour.visemes import CLAIM, DECAY, GROUPS, ONSET, VISEME_INDEX, columns, shapes

Floats = NDArray[np.float64]

LEAD = 0.025
"""Seconds by which the mouth's movement precedes the sound (closures are centred in theirs)."""
_CH, _OU, _OH = (VISEME_INDEX[v] for v in ("CH", "ou", "oh"))


class Flow:
    """The blend of the phones' shapes over time.

    Parameters
    ----------
    phones
        Start, end and what each asks.
    anticipation
        Seconds before a phone's start at which it may first be seen.
    """

    def __init__(self, phones: Sequence[Phone], anticipation: float) -> None:
        start, end, shape, scale, weak = [], [], [], [], []
        for a, b, sound in phones:
            rows = [(a, b, sound.first)]
            if sound.second != sound.first:
                turn = a + 0.6 * (b - a)
                rows = [(a, turn, sound.first), (turn, b, sound.second)]
            for s, e, v in rows:
                start.append(s)
                end.append(e)
                shape.append(v)
                scale.append(sound.openness * undershoot(b - a) if sound.vowel else 1.0)
                weak.append(0.15 if sound.transparent else 1.0)
        self.shape = np.array(shape, int)
        begin, finish = np.array(start, float), np.array(end, float)
        length = finish - begin
        pace = np.clip(length / 0.08, 0.5, 1.0)  # fast speech: shorter reach, or neighbours would smear
        self.start = begin + np.minimum(0.25 * length, 0.04) - LEAD
        self.end = np.maximum(self.start, finish - np.minimum(0.3 * length, 0.05) - LEAD)
        room = anticipation + (self.start - begin)
        self.onset = np.minimum(ONSET[self.shape] * pace, np.maximum(room, 0.015))
        self.decay = DECAY[self.shape] * pace
        lip_heavy = np.isin(self.shape, (_CH, _OU, _OH))
        self.round_onset = np.minimum(self.onset * np.where(lip_heavy, 1.5, 1.0), np.maximum(room, 0.01))
        self.round_decay = self.decay * np.where(lip_heavy, 1.4, 1.0)
        self.claim = CLAIM[self.shape] * np.array(weak)[:, None]
        target = shapes()[self.shape].astype(float)
        opening = np.r_[GROUPS["jaw"], columns("mouthLowerDown", "mouthUpperUp")]
        target[:, opening] *= np.array(scale)[:, None]
        self.target = target

    def at(self, t: Floats) -> Floats:
        """(n, 52) ARKit weights at ``t`` seconds (n,), unsmoothed."""
        out = np.zeros((len(t), shapes().shape[1]))
        if not len(self.shape):
            return out
        near = (self.start - self.round_onset < t[-1]) & (self.end + self.round_decay > t[0])
        if not near.any():
            return out
        start, end, claim, target = self.start[near], self.end[near], self.claim[near], self.target[near]
        usual = bell(t, start, end, self.onset[near], self.decay[near])
        wide = bell(t, start, end, self.round_onset[near], self.round_decay[near])
        for g, (name, cols) in enumerate(GROUPS.items()):
            weight = (wide if name == "round" else usual) * claim[:, g]
            total = weight.sum(1)
            # What nobody claims belongs to the mouth at rest.
            rest = np.square(np.maximum(1.0 - total / 0.5, 0.0)) * 0.5
            out[:, cols] = weight @ target[:, cols] / (total + rest + 1e-9)[:, None]
        return out
