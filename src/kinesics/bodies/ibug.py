"""The 68 landmarks of iBUG (Sagonas et al. 2013) as vertices of the head that all people share.

Order: jaw from the person's right to left ear (0-16), right and left brow (17-26), bridge and base of the nose
(27-35), right and left eye (36-47), outer lips (48-59), inner lips (60-67). Jaw points stay on the skin when
the head turns; detectors trained on pictures slide them along the outline instead.
"""

from __future__ import annotations

VERTICES: tuple[int, ...] = (
    1489, 1576, 1618, 666, 569, 571, 853, 669, 1096, 2266, 2670, 2183, 2181, 2263, 3420, 3378, 3291,
    207, 222, 205, 208, 209, 1856, 1855, 1852, 1868, 1854, 132, 131, 201, 947, 286, 314, 343, 1949,
    1927, 833, 824, 842, 847, 839, 837, 2428, 2423, 2405, 2414, 2418, 2420, 527, 1210, 460, 463,
    2091, 3021, 2144, 2111, 2117, 496, 490, 480, 530, 532, 537, 2149, 2147, 2152, 540, 535,
)  # fmt: skip
"""By ``scripts/derive_landmarks_68.py``; the same vertices on every person."""
MOUTH = slice(48, 68)
"""The lips among the 68."""
