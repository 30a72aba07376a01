"""Lips from phones: dominance functions for the flow, hard constraints for what must be seen.

Everything is a pure function of time and of the phones that start no later than the look-ahead after it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.articulation import Phone, read_phone
from kinesics.behaviour.coarticulation import Flow
from kinesics.behaviour.envelopes import gate
from kinesics.behaviour.lip_constraints import BREATH_LEAD, Constraints
from kinesics.behaviour.visemes import columns
from kinesics.errors import DataError
from kinesics.performance import Interval

Floats = NDArray[np.float64]

LONGEST_LEAD = 0.15
"""Seconds before a phone's start at which it may first be seen."""
_FPS = 60
_SMOOTHING = np.array([0.08, 0.24, 0.36, 0.24, 0.08])  # over five frames; muscles have no corners
_OPENERS = columns("jawOpen", "mouthLowerDown", "mouthUpperUp")


class Lips:
    """Lips over time, from phones as they become known.

    Parameters
    ----------
    look_ahead
        Seconds ahead of a frame within which the phones that start are known by then.
    """

    def __init__(self, *, look_ahead: float = 2.0) -> None:
        if not look_ahead >= 0.06:
            raise DataError(f"look-ahead {look_ahead} s; lips need at least 0.06 s")
        self.anticipation = min(LONGEST_LEAD, look_ahead - 2 / _FPS)
        self._breathes = look_ahead >= BREATH_LEAD + 0.15
        self._phones: list[Phone] = []
        self._made: tuple[Flow, Constraints] | None = None

    def hear(self, phones: Sequence[Interval]) -> None:
        """Add phones in order of time; those heard before are passed over.

        Parameters
        ----------
        phones
            ARPAbet or IPA labels on the clock.
        """
        last = self._phones[-1][0] if self._phones else -np.inf
        for phone in sorted(phones, key=lambda p: p.start):
            if phone.start <= last or phone.end <= phone.start:
                continue
            sound = read_phone(phone.label)
            if not sound.silent:
                self._phones.append((phone.start, phone.end, sound))
                last = phone.start
                self._made = None

    def forget(self, before: float) -> None:
        """Drop what can no longer be seen at ``before`` or later."""
        keep = next((i for i, p in enumerate(self._phones) if p[1] > before - 0.6), len(self._phones))
        # One neighbour more: a constraint's flank may depend on it.
        keep = max(keep - 1, 0)
        if keep:
            del self._phones[:keep]
            self._made = None

    def _tracks(self) -> tuple[Flow, Constraints]:
        if self._made is None:
            self._made = Flow(self._phones, self.anticipation), Constraints(self._phones, self.anticipation)
        return self._made

    def flow(self, t: Floats, gain: Floats | float = 1.0) -> Floats:
        """Blend the phones' shapes.

        Parameters
        ----------
        t
            (n,) seconds of successive frames at 60 fps.
        gain
            (n,) how far jaw and lips open beside the usual.

        Returns
        -------
        (n, 52) ARKit weights of speech alone.
        """
        around = np.r_[t[0] - 2 / _FPS, t[0] - 1 / _FPS, t, t[-1] + 1 / _FPS, t[-1] + 2 / _FPS]
        raw = self._tracks()[0].at(around)
        out = sum(share * raw[i : i + len(t)] for i, share in enumerate(_SMOOTHING))
        out[:, _OPENERS] *= np.broadcast_to(gain, t.shape)[:, None]
        return out

    def busy(self, t: Floats) -> Floats:
        """(n,) how much the mouth is given to speech, 0 to 1, steady through short gaps."""
        return gate(t, *self._tracks()[1].speaking)

    def breath(self, t: Floats) -> Floats:
        """(n,) the breath drawn before speech after a pause, 0 to 1; none where the look-ahead is short."""
        return gate(t, *self._tracks()[1].breaths) if self._breathes else np.zeros(len(t))

    def enforce(self, t: Floats, weights: Floats) -> Floats:
        """Apply the hard constraints to a finished face, weakest first.

        Open vowels, rounding, narrow sibilants, lip on teeth, closed lips: a later one wins.

        Parameters
        ----------
        t
            (n,) seconds.
        weights
            (n, 52) ARKit weights, not changed.

        Returns
        -------
        (n, 52) weights that keep the constraints.
        """
        return self._tracks()[1].enforce(t, weights)
