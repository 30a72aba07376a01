"""What the parts of the planner share: the view at one step, the speaker's style, making behaviours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinesics.behaviour.controls import Controls
from kinesics.behaviour.heard import Heard, Word
from kinesics.performance import Behaviour, Sync
from kinesics.seeds import rng

STEP = 0.1
"""Seconds between two steps of the planner."""

# Movement size and speed per emotion at full intensity, relative to neutral: ours, signs after Wallbott
# (1998) and Castellano et al. (2007): joy and anger large and fast, sadness small and slow.
_ENERGY = {"happy": 0.22, "anger": 0.28, "surprise": 0.18, "fear": -0.08, "sad": -0.35, "disgust": -0.1, "contempt": -0.15}  # fmt: skip


@dataclass(frozen=True)
class Tick:
    """One step's view.

    Parameters
    ----------
    now
        Clock, seconds; nothing may be planned before it.
    horizon
        Nothing after it is known, seconds.
    heard
        What was heard.
    known
        Number of words that ended before the horizon.
    """

    now: float
    horizon: float
    heard: Heard
    known: int


@dataclass(frozen=True)
class Style:
    """What controls make of the speaker.

    Parameters
    ----------
    energy
        −0.4 to 0.4: how much larger and faster than neutral.
    """

    controls: Controls
    energy: float

    @staticmethod
    def of(controls: Controls) -> Style:
        """The style that controls ask for."""
        return Style(controls, _ENERGY.get(controls.emotion, 0.0) * controls.intensity)

    def draw(self, *names: object) -> np.random.Generator:
        """Random numbers for one item: independent of all other items and of when they are asked for."""
        return rng(self.controls.seed, "planner", *names)


@dataclass(frozen=True)
class Context:
    """A word about to be planned, with what surrounds it.

    Parameters
    ----------
    rank
        Part of the words around (about ±10) that are less prominent, 0 to 1.
    peak
        Whether no word within 0.35 s is more prominent.
    cues
        What the phrase that begins here signals.
    opens
        Whether an utterance or phrase begins with it.
    closes
        Whether a phrase is known to end with it.
    question
        Whether it belongs to a question.
    pause_after
        Silence known to follow, seconds; 0 where the next word follows or nothing is known yet.
    """

    word: Word
    rank: float
    peak: bool
    cues: frozenset[str]
    opens: bool
    closes: bool
    question: bool
    pause_after: float


def behaviour(id: str, kind: str, times: dict[str, float], text: str = "", **attributes: object) -> Behaviour:
    """A behaviour at absolute times, rounded to 0.1 ms so that writing it down changes nothing."""
    shown = {k: f"{v:.3g}" if isinstance(v, float) else str(v) for k, v in attributes.items()}
    return Behaviour(id, kind, {k: Sync(round(float(v), 4)) for k, v in times.items()}, shown, text)


def clamp(value: float, low: float, high: float) -> float:
    """``value``, kept between two bounds.

    >>> clamp(3.0, 0.0, 1.0)
    1.0
    """
    return min(high, max(low, value))
