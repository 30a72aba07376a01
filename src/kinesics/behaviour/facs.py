"""Facial action units as ARKit coefficients, and the emotions and lexemes as action units.

Action units follow the Facial Action Coding System (Ekman, Friesen & Hager 2002), the emotions its EMFACS
reading; how far each unit goes at full intensity is ours, set by eye on our own avatars so that a face at
intensity 1 is strong but not a grimace.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.visemes import vector
from kinesics.bodies.arkit import ARKIT
from kinesics.errors import choose

ACTION_UNITS: dict[str, dict[str, float]] = {
    "1": {"browInnerUp": 1.0},
    "2": {"browOuterUp": 1.0},
    "4": {"browDown": 1.0},
    "5": {"eyeWide": 1.0},
    "6": {"cheekSquint": 1.0, "eyeSquint": 0.45},
    "7": {"eyeSquint": 0.9},
    "9": {"noseSneer": 1.0, "browDown": 0.15},
    "10": {"mouthUpperUp": 1.0, "noseSneer": 0.2},
    "12": {"mouthSmile": 1.0},
    "13": {"mouthSmile": 0.6, "mouthDimple": 0.3},
    "14": {"mouthDimple": 1.0},
    "15": {"mouthFrown": 1.0},
    "16": {"mouthLowerDown": 1.0},
    "17": {"mouthShrugLower": 1.0, "mouthShrugUpper": 0.4},
    "18": {"mouthPucker": 1.0},
    "19": {"tongueOut": 1.0, "jawOpen": 0.2},
    "20": {"mouthStretch": 1.0},
    "22": {"mouthFunnel": 1.0},
    "23": {"mouthPress": 0.6, "mouthRollLower": 0.2, "mouthRollUpper": 0.15},
    "24": {"mouthPress": 1.0},
    "25": {"mouthLowerDown": 0.3, "mouthUpperUp": 0.25},
    "26": {"jawOpen": 0.4},
    "27": {"jawOpen": 0.9},
    "28": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    "29": {"jawForward": 1.0},
    "30": {"jaw": 1.0},
    "34": {"cheekPuff": 1.0},
    "43": {"eyeBlink": 1.0},
    "45": {"eyeBlink": 1.0},
    "46": {"eyeBlink": 1.0},
}
"""Coefficients at full strength of each unit, sides implied. 11, 21, 38 and 39 have no ARKit shape; 61 to 64 turn
the eyes, which belong to the body."""

# unit: strength at intensity 1; a trailing L or R means one side.
EMOTIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "happy": {"6": 0.9, "12": 0.95, "25": 1.5, "26": 0.08, "1": 0.1, "2": 0.1},
    "sad": {"1": 1.0, "4": 0.4, "15": 0.9, "17": 0.35, "43": 0.18, "7": 0.1},
    "surprise": {"1": 0.9, "2": 0.95, "5": 0.7, "26": 0.8, "25": 0.2},
    "fear": {"1": 1.0, "2": 0.45, "4": 0.45, "5": 0.85, "20": 0.75, "25": 0.6, "26": 0.25},
    "disgust": {"9": 1.0, "10": 0.6, "4": 0.4, "7": 0.6, "15": 0.45, "17": 0.4, "6": 0.35},
    "anger": {"4": 1.0, "5": 0.35, "7": 0.7, "23": 0.8, "9": 0.35, "10": 0.12, "17": 0.25},
    "contempt": {"12R": 0.5, "14R": 0.85, "14L": 0.1, "43": 0.12, "7": 0.15, "2L": 0.25, "4R": 0.2},
}
"""The eight emotions as action units."""

ARTICULATION: dict[str, float] = {
    "neutral": 1.0,
    "happy": 1.08,
    "sad": 0.84,
    "surprise": 1.1,
    "fear": 0.95,
    "disgust": 0.92,
    "anger": 1.12,
    "contempt": 0.92,
}
"""How wide the mouth articulates in each emotion at intensity 1 (ours)."""

LEXEMES: dict[str, dict[str, float]] = {
    "RAISE_BROWS": {"1": 0.75, "2": 0.8, "5": 0.12},
    "RAISE_LEFT_BROW": {"1": 0.15, "2L": 0.9},
    "RAISE_RIGHT_BROW": {"1": 0.15, "2R": 0.9},
    "LOWER_BROWS": {"4": 0.8},
    "LOWER_LEFT_BROW": {"4L": 0.8},
    "LOWER_RIGHT_BROW": {"4R": 0.8},
    "OBLIQUE_BROWS": {"1": 0.9, "4": 0.2},
    "FROWN": {"4": 0.7, "7": 0.2, "15": 0.3},
    "SMILE": {"6": 0.5, "12": 0.6},
    "RAISE_MOUTH_CORNERS": {"12": 0.6},
    "LOWER_MOUTH_CORNERS": {"15": 0.7, "17": 0.2},
    "PURSE": {"18": 0.7, "23": 0.3},
    "PURSE_LIPS": {"18": 0.7, "23": 0.3},
    "PRESS_LIPS": {"24": 0.7, "23": 0.3},
    "OPEN_LIPS": {"25": 1.0},
    "OPEN_MOUTH": {"26": 0.8},
    "WIDEN_EYES": {"5": 0.8, "1": 0.2, "2": 0.2},
    "SQUINT": {"7": 0.8, "6": 0.25},
    "CLOSE_EYES": {"43": 1.0},
    "WRINKLE_NOSE": {"9": 0.8},
    "PUFF_CHEEKS": {"34": 0.8},
    "DIMPLE": {"14": 0.7},
}
"""Face lexemes of BML (and a few more) as action units."""


@cache
def unit(name: str, side: str = "BOTH") -> NDArray[np.float32]:
    """Return (52,) coefficients of one action unit at full strength.

    Parameters
    ----------
    name
        Number of the unit as text, maybe with a trailing L or R.
    side
        ``LEFT``, ``RIGHT`` or ``BOTH``; of the performer.

    Raises
    ------
    DataError
        If the unit has no ARKit shape; the message lists those that have.

    Examples
    --------
    >>> v = unit("12R")
    >>> [n for n, x in zip(ARKIT, v) if x > 0]
    ['mouthSmileRight']
    """
    if name[-1:] in ("L", "R"):
        name, side = name[:-1], {"L": "LEFT", "R": "RIGHT"}[name[-1]]
    shape = vector(ACTION_UNITS[choose("action unit", name, ACTION_UNITS)])
    choose("side", side, ("LEFT", "RIGHT", "BOTH"))
    if side != "BOTH":
        # jawLeft and jawRight are directions, the others sides: for both, the named one stays.
        other = "Right" if side == "LEFT" else "Left"
        shape[[i for i, n in enumerate(ARKIT) if n.endswith(other)]] = 0.0
    elif name == "30":
        shape[:] = 0.0  # a jaw cannot go both ways
    shape.flags.writeable = False
    return shape


def combine(units: dict[str, float]) -> NDArray[np.float32]:
    """Return (52,) coefficients of several units with their strengths."""
    out = np.zeros(len(ARKIT), np.float32)
    for name, strength in units.items():
        out += np.float32(strength) * unit(name)
    return np.minimum(out, 1.0)
