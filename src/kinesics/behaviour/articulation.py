"""What one phone asks of the mouth: its visemes, how far it opens, what must be seen of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.visemes import VISEME_INDEX
from kinesics.hear.phones import is_arpabet, is_silence, is_vowel, plain, viseme

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_GLIDES = {"AY": "ih", "EY": "ih", "OY": "ih", "AW": "ou", "OW": "ou"}
"""Second target of the ARPAbet diphthongs."""
# How far a phone opens beside its viseme's shape (vowel height within a class; ours).
_OPENNESS = {
    "AA": 1.0, "AE": 1.0, "AO": 1.1, "AY": 1.0, "AW": 1.0, "AH": 0.75, "AX": 0.6, "EH": 1.0, "EY": 0.85,
    "IY": 0.9, "Y": 0.75, "UW": 0.9, "W": 0.7, "ER": 1.1, "HH": 1.0,
    "ɑ": 1.0, "a": 1.0, "ɐ": 0.75, "ʌ": 0.75, "ə": 0.75, "i": 0.9, "j": 0.75, "u": 0.9, "w": 0.7, "ɔ": 1.1,
    "ɜ": 0.9,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sound:
    """One phone, read: its visemes and what it demands."""

    first: int
    second: int  # of a diphthong, else the same
    openness: float
    vowel: bool
    silent: bool
    transparent: bool  # takes its neighbours' shape altogether: h, glottal stop


Phone = tuple[float, float, Sound]
"""Start and end in seconds, and what it asks."""


@cache
def read_phone(label: str) -> Sound:
    """Return what an ARPAbet or IPA phone asks of the mouth."""
    if is_silence(label):
        return Sound(0, 0, 1.0, False, True, False)
    bare = plain(label)
    name = viseme(label)
    if name == "sil":  # said once per label: the result is cached
        log.warning("phone %r is unknown; the mouth rests on it", label)
    first = second = VISEME_INDEX[name]
    vowel = is_vowel(label) and name not in ("PP", "nn")
    if is_arpabet(label):
        second = VISEME_INDEX[_GLIDES.get(bare, name)]
    elif vowel and len(bare) > 1 and is_vowel(bare[1]):
        second = VISEME_INDEX[viseme(bare[1])]
    openness = _OPENNESS.get(bare, _OPENNESS.get(bare[:1], 1.0) if not is_arpabet(label) else 1.0)
    if label.endswith("0"):  # written stress, where there is any: unstressed vowels open less
        openness *= 0.8
    return Sound(first, second, openness, vowel, name == "sil", bare in ("HH", "Q", "h", "ɦ", "ʔ", "ħ"))


def undershoot(length: Floats | float) -> Floats | float:
    """How much of its opening a vowel of ``length`` seconds reaches (Lindblom 1963); never nothing."""
    return 0.5 + 0.5 * np.minimum(1.0, np.asarray(length) / 0.12)
