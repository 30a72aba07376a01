"""Faces that feel something, with and without speech, and what of each face is the feeling.

Half of them feel as our engine has it (:data:`kinesics.behaviour.facs.EMOTIONS`); the other half take one of the prototypes and
major variants of the FACS Investigator's Guide (Ekman, Friesen & Hager 2002, table 10-1; units 11, 54 and 64 have no shape here and
are left out), with what people add: units that come weaker or stronger, one side before the other, units that belong to nothing,
two feelings at once. How much of each is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np

from kinesics.behaviour.controls import EMOTIONS, Controls
from kinesics.behaviour.face import FPS, FaceRealiser
from kinesics.bodies.arkit import ARKIT
from kinesics.errors import choose
from kinesics.performance import Behaviour, Face, Interval, Performance, Tier
from kinesics.seeds import rng

PROTOTYPES: Mapping[str, tuple[str, ...]] = {
    "neutral": ("",),
    "happy": ("6*+12*", "12C", "12D", "6*+12*+25C", "6*+12*+25D+26B"),
    "sad": ("1C+4B+15B", "1C+4B+15*", "6*+15*", "1*+4*", "1C+4B+15B+17B", "15B", "17C+15B", "1D+4B+15C+43A"),
    "surprise": ("1C+2C+5B+26C", "1C+2C+5B+27C", "1C+2C+5B", "1C+2C+26C", "1C+2C+27D", "5B+26C", "5B+27C"),
    "fear": (
        "1*+2*+4*+5*+20*+25C", "1*+2*+4*+5*+25C+26C", "1C+2C+4C+5*+25C+27C", "1*+2*+4*+5*", "1C+2C+5E", "1C+2C+5E+25C+26C",
        "5*+20*+25C", "1C+2B+4C+5*+20L*+25C",
    ),
    "disgust": ("9*", "9*+16C+15B+26B", "9*+17C", "10*", "10*+16C+25C+26B", "10*+17C", "4B+9*+10*+17B"),
    "anger": (
        "4*+5*+7*+10*+22C+23C+25C+26B", "4*+5*+7*+10*+23C+25C+26B", "4*+5*+7*+23C+25C", "4*+5*+7*+17C+23C",
        "4*+5*+7*+17C+24C", "4*+5*+7*+23C", "4*+5*+7*+24C", "4*+7*+17C+24C", "4*+5*+24C", "4*+7*+23C",
    ),
    "contempt": ("12R*+14R*", "12L*+14L*", "14R*", "14L*", "10L*+14L*", "10R*+14R*"),
}  # fmt: skip
"""Emotion → units with their intensities; a star: any from C to E."""

AFFECT: Mapping[str, tuple[float, float]] = {
    "neutral": (0.0, 0.0), "happy": (0.81, 0.51), "sad": (-0.63, -0.27), "surprise": (0.40, 0.67),
    "fear": (-0.64, 0.60), "disgust": (-0.60, 0.35), "anger": (-0.51, 0.59), "contempt": (-0.40, 0.10),
}  # fmt: skip
"""Valence and arousal of each emotion when it is strong: Russell & Mehrabian (1977); contempt's are ours."""

FACE_FPS = 30
_LETTERS = {"A": 0.12, "B": 0.3, "C": 0.53, "D": 0.75, "E": 0.92}
_TERM = re.compile(r"(\d+)([LR]?)([A-E*])")
_PHONES = tuple("P B M F V TH T D K G CH SH S Z N L R AA AE AH EH IH IY AO OW UH UW".split())
_VOWELS = frozenset("AA AE AH EH IH IY AO OW UH UW".split())
_STRAY = ("1", "2", "4", "5", "7", "10", "12", "14", "15", "17", "20", "24", "28", "29", "34", "43")
"""Units that come by themselves now and then."""
_FREE = ("16", "18", "22", "25", "26", "28", "29", "30", "34", "43")
"""Units that come with any feeling, or none: lips, jaw and cheeks that are busy with something else, closed eyes."""


@cache
def prototype(formula: str) -> tuple[tuple[str, str, float | None], ...]:
    """(unit, side, strength) of each term; None for any strength.

    >>> prototype("1C+14R*")
    (('1', 'BOTH', 0.53), ('14', 'RIGHT', None))
    """
    sides = {"": "BOTH", "L": "LEFT", "R": "RIGHT"}
    return tuple((n, sides[s], _LETTERS.get(letter)) for n, s, letter in _TERM.findall(formula))


def expressive(
    seed: int,
    number: int,
    *,
    emotion: str | None = None,
    level: int | None = None,
    talking: bool | None = None,
    seconds: float = 2.4,
    acted: bool | None = None,
    busy: bool = False,
) -> Performance:
    """One face that feels one thing all the while.

    Parameters
    ----------
    seed, number
        Of the whole and of this clip.
    emotion, level
        One of the eight, and 1 to 3; emotions in turn and levels drawn by default.
    talking
        Whether it speaks; six of ten do by default.
    seconds
        How long.
    acted
        Whether it feels as our engine has it, or by a prototype; drawn by default.
    busy
        Whether it does more than it feels, as faces on photographs do: any units weakly, and those that say nothing of
        feelings in any strength. They belong to ``felt``.

    Returns
    -------
    Performance
        ``face`` and ``felt`` (what of the face is expression, without speech and lids) at 30 fps, ``phones``, and ``emotion``
        with its intensity from 0 to 1 as value; of two feelings at once the stronger comes first. ``meta["affect"]`` is valence and arousal.

    Examples
    --------
    >>> show = expressive(1, 2, emotion="happy", level=3)
    >>> show.tier("emotion")[0].label, bool(show.face.column("mouthSmileLeft").mean() > 0.2)
    ('happy', True)
    """
    stream = rng(seed, "expressive", number)
    emotion = choose("emotion", EMOTIONS[number % len(EMOTIONS)] if emotion is None else emotion, EMOTIONS)
    level = int(stream.integers(1, 4)) if level is None else level
    talking = bool(stream.random() < 0.6) if talking is None else talking
    acted = bool(stream.random() < 0.5) if acted is None else acted
    intensity = float(np.clip(level / 3 + stream.uniform(-0.12, 0.0), 0.2, 1.0))
    own = int(stream.integers(2**31))
    second, share = None, 0.0
    if acted:
        realiser = FaceRealiser(Controls(emotion=emotion, intensity=intensity, seed=own))
    else:
        realiser = FaceRealiser(Controls(intensity=float(stream.uniform(0.2, 0.8)), seed=own))
        if emotion != "neutral" and stream.random() < 0.12:
            second = str(stream.choice([e for e in EMOTIONS[1:] if e != emotion]))
            share = float(stream.uniform(0.35, 0.6))
        units = _drawn(emotion, intensity, stream)
        if second is not None:
            units += _drawn(second, share * intensity, stream)
        realiser.add([_behaviour(i, *unit, seconds) for i, unit in enumerate(units)], 0.0)
    if busy:
        more = _besides(rng(seed, "expressive", number, "besides"))
        realiser.add([_behaviour(50 + i, *unit, seconds) for i, unit in enumerate(more)], 0.0)
    phones = _said(stream, seconds) if talking else []
    if phones:
        realiser.hear(phones)
    if stream.random() < 0.4:
        realiser.lids.add(float(stream.uniform(0.2, seconds - 0.3)), None)
    frames = round(seconds * FPS)
    every = FPS // FACE_FPS
    face, felt = (f(0, frames)[::every] for f in (realiser.frames, realiser.felt))
    told = [Interval(0.0, seconds, emotion, intensity if emotion != "neutral" else 0.0)]
    if second is not None:
        told.append(Interval(0.0, seconds, second, share * intensity))
    strong = np.array(AFFECT[emotion]) * intensity**0.7
    if second is not None:
        strong = (1 - share / 2) * strong + share / 2 * np.array(AFFECT[second])
    return Performance(
        {
            "face": Face(face, ARKIT, FACE_FPS),
            "felt": Face(felt, ARKIT, FACE_FPS),
            "phones": Tier("phones", tuple(phones)),
            "emotion": Tier("emotion", tuple(told)),
        },
        {"synthetic": True, "affect": [round(float(v), 4) for v in strong], "number": number},
    )


Drawn = list[tuple[str, str, float]]


def _drawn(emotion: str, intensity: float, stream: np.random.Generator) -> Drawn:
    """Units as somebody shows an emotion: a prototype, and what people add to it."""
    out: Drawn = []
    strength = 0.35 + 0.75 * intensity
    for unit, side, usual in prototype(str(stream.choice(np.array(PROTOTYPES[emotion])))):
        amount = float(stream.uniform(0.45, 0.95)) if usual is None else usual
        amount *= strength * float(np.exp(0.2 * stream.standard_normal()))
        lean = float(0.1 * stream.standard_normal())
        if side == "BOTH" and stream.random() < 0.12:
            lean = float(stream.choice([-1, 1]) * stream.uniform(0.3, 0.7))
        if side == "BOTH" and unit not in ("1", "17", "25", "26", "27"):
            out.append((unit, "LEFT", amount * (1 + min(lean, 0))))
            out.append((unit, "RIGHT", amount * (1 - max(lean, 0))))
        else:
            out.append((unit, side, amount))
    stray = 0.4 if emotion == "neutral" else 0.2
    while stream.random() < stray and len(out) < 24:
        out.append((str(stream.choice(np.array(_STRAY))), "BOTH", float(stream.uniform(0.05, 0.3))))
    return [(u, s, float(np.clip(a, 0.02, 1.0))) for u, s, a in out]


def _besides(stream: np.random.Generator) -> Drawn:
    """Units that belong to no feeling."""
    out: Drawn = []
    for _ in range(1 + int(stream.poisson(2.0))):
        free = stream.random() < 0.6
        unit = str(stream.choice(np.array(_FREE if free else _STRAY)))
        sides = ("LEFT", "RIGHT") if unit == "30" or stream.random() < 0.1 else ("BOTH",)
        out.append(
            (unit, str(stream.choice(np.array(sides))), float(stream.uniform(0.05, 0.9 if free else 0.4)))
        )
    return out


def _behaviour(index: int, unit: str, side: str, amount: float, seconds: float) -> Behaviour:
    return Behaviour(
        f"unit{index}",
        "faceFacs",
        {"start": "0", "attackPeak": "0.06", "relax": f"{seconds + 0.5}", "end": f"{seconds + 1}"},
        {"au": unit, "side": side, "amount": f"{amount:.4f}"},
    )


def _said(stream: np.random.Generator, seconds: float) -> list[Interval]:
    """Consonants and vowels in turn, as fast as people speak, with a pause now and then."""
    phones: list[Interval] = []
    clock = float(stream.uniform(0.0, 0.4))
    while clock < seconds:
        consonant = bool(phones) and phones[-1].label in _VOWELS
        label = str(stream.choice([p for p in _PHONES if (p in _VOWELS) != consonant]))
        length = float(stream.uniform(0.05, 0.11) if consonant else stream.uniform(0.07, 0.2))
        phones.append(Interval(clock, clock + length, label))
        clock += length + (float(stream.uniform(0.15, 0.5)) if stream.random() < 0.06 else 0.0)
    return phones
