"""How the points that are read hang together: which of them make lids, lips, brows, fingers and limbs.

Numbers are those of MediaPipe's face mesh with irises (478), hand (21) and pose (33), as its documentation has them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pairs = NDArray[np.intp]


def _along(*points: int, closed: bool = False) -> list[tuple[int, int]]:
    ends = [*points[1:], points[0]] if closed else points[1:]
    return list(zip(points, ends, strict=False))


def _pairs(*parts: Sequence[tuple[int, int]]) -> Pairs:
    return np.array([pair for part in parts for pair in part], dtype=np.intp)


OVAL = _pairs(
    _along(
        *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
        *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
        closed=True,
    )
)
LIDS = _pairs(
    _along(33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, closed=True),
    _along(263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, closed=True),
)
LIPS = _pairs(
    _along(
        *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
        closed=True,
    ),
    _along(
        *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
        closed=True,
    ),
)
BROWS = _pairs(
    _along(46, 53, 52, 65, 55, 107, 66, 105, 63, 70, closed=True),
    _along(276, 283, 282, 295, 285, 336, 296, 334, 293, 300, closed=True),
)
NOSE = _pairs(_along(168, 6, 197, 195, 5, 4, 1), _along(98, 97, 2, 326, 327))
IRISES = ((468, slice(469, 473)), (473, slice(474, 478)))
"""Middle of each iris, and the four points of its rim."""

MESH = 468
"""The points before the irises."""

HAND = _pairs(
    _along(0, 1, 2, 3, 4),
    _along(0, 5, 6, 7, 8),
    _along(5, 9, 10, 11, 12),
    _along(9, 13, 14, 15, 16),
    _along(13, 17, 18, 19, 20),
    _along(0, 17),
)
POSE = _pairs(
    _along(11, 12, 24, 23, closed=True),
    _along(11, 13, 15),
    _along(12, 14, 16),
    _along(23, 25, 27, 29, 31, 27),
    _along(24, 26, 28, 30, 32, 28),
)

UNITS = {
    "AU01": "inner brow raiser", "AU02": "outer brow raiser", "AU04": "brow lowerer", "AU05": "upper lid raiser",
    "AU06": "cheek raiser", "AU07": "lid tightener", "AU09": "nose wrinkler", "AU10": "upper lip raiser",
    "AU11": "nasolabial deepener", "AU12": "lip corner puller", "AU13": "sharp lip puller", "AU14": "dimpler",
    "AU15": "lip corner depressor", "AU16": "lower lip depressor", "AU17": "chin raiser", "AU18": "lip pucker",
    "AU20": "lip stretcher", "AU22": "lip funneler", "AU23": "lip tightener", "AU24": "lip pressor",
    "AU25": "lips part", "AU26": "jaw drop", "AU27": "mouth stretch", "AU28": "lip suck", "AU43": "eyes closed",
    "AU45": "blink",
}  # fmt: skip
"""Names of action units (Ekman, Friesen & Hager 2002)."""
