"""Hearing: what is said in a sound, when and how; and speaking, which is sound with exact times.

>>> from kinesics.hear import hear, viseme
>>> viseme("M")
'PP'
"""

from kinesics.hear.espeak import voices
from kinesics.hear.hearing import hear, speak
from kinesics.hear.phones import VISEMES, is_vowel, syllabify, viseme
from kinesics.hear.voice_activity import speech_spans

__all__ = ["VISEMES", "hear", "is_vowel", "speak", "speech_spans", "syllabify", "viseme", "voices"]
