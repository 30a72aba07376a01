"""Lids: blinks that close faster than they open, lids that follow the gaze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.visemes import columns
from kinesics.bodies.arkit import INDEX

Floats = NDArray[np.float64]

SHORTEST, LONGEST = 0.12, 0.45
"""Seconds a blink may last (100–400 ms in people; the shortest still shows at 60 fps)."""
DOWN_GAIN, UP_GAIN = 0.006, 0.02
"""eyeBlink per degree of gaze below, eyeWide per degree above the horizon. The upper lid follows the eye nearly
degree for degree (Becker & Fuchs 1988); eyeLookDown and eyeLookUp, which the export derives from
the eye joints, bring about half of that on our avatars, these gains most of the rest."""

_BLINK, _SQUINT, _WIDE = columns("eyeBlink"), columns("eyeSquint"), columns("eyeWide")


@dataclass(frozen=True, slots=True)
class Blink:
    """One blink: closing, shut, opening."""

    start: float
    end: float
    amount: float = 1.0
    side: str = "BOTH"

    def closure(self, t: Floats) -> Floats:
        """(n,) 0 open to 1 shut."""
        length = self.end - self.start
        # At least two frames shut, so that no blink falls between frames.
        shut = max(0.1 * length, 0.034)
        close = 0.36 * (length - shut)
        opening = length - shut - close
        down = np.clip((t - self.start) / close, 0.0, 1.0)
        up = np.clip((self.end - t) / opening, 0.0, 1.0)
        # Down: quick and even; up: quick first, then ever slower (Guitton et al. 1991).
        return self.amount * (down * down * (3.0 - 2.0 * down)) * (up * up * (1.6 - 0.6 * up))


class Lids:
    """Blinks over time, and what gaze and expression make of the lids."""

    def __init__(self) -> None:
        self._blinks: list[Blink] = []

    def add(self, start: float, end: float | None, *, amount: float = 1.0, side: str = "BOTH") -> Blink:
        """Plan a blink, its length kept within human limits.

        Parameters
        ----------
        start, end
            Seconds; without an end it lasts 0.25 s.
        amount
            1 shuts the eye.
        side
            ``LEFT``, ``RIGHT`` or ``BOTH``.
        """
        length = 0.25 if end is None else min(max(end - start, SHORTEST), LONGEST)
        blink = Blink(start, start + length, float(np.clip(amount, 0.0, 1.0)), side)
        self._blinks.append(blink)
        return blink

    def forget(self, before: float) -> None:
        """Drop blinks that ended before."""
        self._blinks = [b for b in self._blinks if b.end > before]

    def apply(self, t: Floats, weights: Floats, eyes: tuple[Floats, Floats] | None) -> None:
        """Set the lids in finished faces, in place.

        Parameters
        ----------
        t
            (n,) seconds.
        weights
            (n, 52) weights with what the expression asks of the lids.
        eyes
            Azimuth and elevation of the gaze relative to the head, degrees, (n,) each; None looks ahead.
        """
        if eyes is not None:
            elevation = np.asarray(eyes[1], float)
            droop = np.clip(DOWN_GAIN * -elevation, 0.0, 0.45)[:, None]
            weights[:, _BLINK] = 1.0 - (1.0 - np.clip(weights[:, _BLINK], 0, 1)) * (1.0 - droop)
            weights[:, _WIDE] += np.clip(UP_GAIN * elevation, 0.0, 0.5)[:, None]
        shut = np.zeros((len(t), 2))
        for blink in self._blinks:
            if blink.end > t[0] and blink.start < t[-1] + 1e-9:
                closure = blink.closure(t)
                for side in range(2):
                    if blink.side in ("BOTH", ("LEFT", "RIGHT")[side]):
                        shut[:, side] = np.maximum(shut[:, side], closure)
        open_ = 1.0 - shut
        lid = np.clip(weights[:, _BLINK], 0.0, 1.0)
        # A lid both shut and wide, or shut and squinting hard, would tear the mesh.
        closing = 1.0 - (1.0 - lid) * open_
        weights[:, _WIDE] = np.clip(weights[:, _WIDE], 0.0, 1.0) * (1.0 - closing)
        weights[:, _SQUINT] = np.clip(weights[:, _SQUINT], 0.0, 1.0) * (1.0 - 0.75 * shut)
        weights[:, _BLINK] = closing


LID_COLUMNS = np.array([INDEX[n] for n in INDEX if n.startswith(("eyeBlink", "eyeSquint", "eyeWide"))])
"""Columns that :class:`Lids` writes."""
