"""Do lips close, touch and open when the phones say so? Counted on an avatar's mesh.

A closure counts when in some frame inside the phone (the nearest frame to its middle if none falls inside) the
lips meet across the mouth, a labiodental when the lower lip reaches the edge of the upper teeth as seen
from the front, a vowel when the lips part by :data:`OPEN` mm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kinesics.hear.phones import is_vowel, viseme
from kinesics.metrics.mouth import Mouth
from kinesics.performance import Interval

OPEN = 2.5
"""Lip gap in mm from which a mouth is seen to be open (ours)."""
BITE = (-1.0, 5.0)
"""Height in mm of the lower lip over the edge of the upper teeth within which they meet (ours)."""
SHORTEST_VOWEL = 0.06
"""Seconds; shorter vowels are often not realised by people either and are not counted."""


@dataclass(frozen=True)
class LipScore:
    """How many of the phones that must be seen were seen.

    Parameters
    ----------
    closures, closed
        p, b, m: how many, and how many with lips closed.
    frames_closed
        Mean number of closed frames in and around each closure (15 ms to both sides).
    contacts, touched
        f, v: how many, and how many with lower lip at the upper teeth.
    vowels, opened
        Vowels of at least 60 ms: how many, and how many with open lips.
    vowel_gap
        Mean over the vowels of the widest gap, mm.
    """

    closures: int
    closed: int
    frames_closed: float
    contacts: int
    touched: int
    vowels: int
    opened: int
    vowel_gap: float

    def __add__(self, other: LipScore) -> LipScore:
        def mean(a: float, n: int, b: float, m: int) -> float:
            return (a * n + b * m) / max(n + m, 1)

        return LipScore(
            self.closures + other.closures,
            self.closed + other.closed,
            mean(self.frames_closed, self.closures, other.frames_closed, other.closures),
            self.contacts + other.contacts,
            self.touched + other.touched,
            self.vowels + other.vowels,
            self.opened + other.opened,
            mean(self.vowel_gap, self.vowels, other.vowel_gap, other.vowels),
        )


def lip_score(
    phones: Iterable[Interval], weights: ArrayLike, mouth: Mouth, *, fps: float = 60.0, start: float = 0.0
) -> LipScore:
    """Count what was seen.

    Parameters
    ----------
    phones
        ARPAbet or IPA labels on the clock.
    weights
        (T, 52) ARKit weights, sample i at ``start + i / fps`` seconds.
    mouth
        The avatar's mouth.

    Returns
    -------
    LipScore
    """
    shape = mouth.measure(weights)
    count = len(shape.width)
    closed, bite, gap = shape.closed, shape.bite, shape.gap
    seen: dict[str, list[tuple[bool, float]]] = {"PP": [], "FF": [], "vowel": []}
    for phone in phones:
        first = int(np.ceil((phone.start - start) * fps - 1e-9))
        last = int(np.ceil((phone.end - start) * fps - 1e-9))
        if last <= first:
            first = round((phone.middle - start) * fps)
            last = first + 1
        if first < 0 or last > count:
            continue
        span = slice(first, last)
        kind = viseme(phone.label)
        if kind == "PP":
            around = slice(max(first - 1, 0), last + 1)
            seen["PP"].append((bool(closed[span].any()), float(closed[around].sum())))
        elif kind == "FF":
            seen["FF"].append((bool(((bite[span] >= BITE[0]) & (bite[span] <= BITE[1])).any()), 0.0))
        elif is_vowel(phone.label) and phone.duration >= SHORTEST_VOWEL:
            widest = float(gap[span].max())
            seen["vowel"].append((widest >= OPEN, widest))
    p, f, v = seen["PP"], seen["FF"], seen["vowel"]
    return LipScore(
        len(p),
        sum(ok for ok, _ in p),
        float(np.mean([x for _, x in p])) if p else 0.0,
        len(f),
        sum(ok for ok, _ in f),
        len(v),
        sum(ok for ok, _ in v),
        float(np.mean([x for _, x in v])) if v else 0.0,
    )
