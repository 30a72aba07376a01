"""The 68 landmarks of iBUG (Sagonas et al. 2013) as vertices of the head that all people share.

Order: jaw from the person's right to left ear (0-16), right and left brow (17-26), bridge and base of the nose
(27-35), right and left eye (36-47), outer lips (48-59), inner lips (60-67). Jaw points stay on the skin when
the head turns; detectors trained on pictures slide them along the outline instead.
"""

from __future__ import annotations

from kinesics.errors import DataError

VERTICES: tuple[int, ...] = (
    1489, 1576, 1618, 666, 569, 571, 853, 669, 1096, 2266, 2670, 2183, 2181, 2263, 3420, 3378, 3291,
    207, 222, 205, 208, 209, 1856, 1855, 1852, 1868, 1854, 132, 131, 201, 947, 286, 314, 343, 1949,
    1927, 833, 824, 842, 847, 839, 837, 2428, 2423, 2405, 2414, 2418, 2420, 527, 1210, 460, 463,
    2091, 3021, 2144, 2111, 2117, 496, 490, 480, 530, 532, 537, 2149, 2147, 2152, 540, 535,
)  # fmt: skip
"""By ``scripts/derive_landmarks_68.py``; the same vertices on every person."""
MOUTH = slice(48, 68)
"""The lips among the 68."""
CHIN = slice(6, 11)
"""The chin among the 68."""
STILL: tuple[int, ...] = (*range(27, 36), 36, 39, 42, 45)
"""Those of the 68 that no expression moves much: the nose, and the corners of the eyes."""
MEDIAPIPE: tuple[int, ...] = (
    127, 234, 93, 132, 58, 172, 136, 176, 175, 400, 365, 397, 288, 361, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 81, 13, 311, 308, 402, 14, 178,
)  # fmt: skip
"""The 68 among the 478 points of MediaPipe's face mesh, by the drawing orders of its contours; of a contour's points
those that lie nearest to :data:`VERTICES` on our head (lips within 7 mm, nose and corners of the eyes within 5)."""


def among(count: int) -> tuple[int, ...]:
    """Where the 68 are in a set of landmarks.

    Parameters
    ----------
    count
        Points of the set: 68 (these themselves), 468 or 478 (MediaPipe's mesh, the latter with irises).

    Raises
    ------
    DataError
        On another set.

    Examples
    --------
    >>> among(478)[62], among(68)[62]
    (13, 62)
    """
    if count == len(VERTICES):
        return tuple(range(count))
    if count in (468, 478):
        return MEDIAPIPE
    raise DataError(f"{count} landmarks; expected 68 (iBUG), or 468 or 478 (MediaPipe's face mesh)")
