"""Expressions over time: emotions that breathe, face behaviours, small signs of life.

An emotion is no mask: its action units come and go a little on their own (slow noise seeded by name),
come within a third of a second and leave slowly. All are pure functions of time and of what was added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.controls import EMOTIONS as EMOTION_NAMES
from kinesics.behaviour.controls import Controls
from kinesics.behaviour.envelopes import ramp
from kinesics.behaviour.facs import ARTICULATION, EMOTIONS, LEXEMES, combine, unit
from kinesics.behaviour.visemes import vector
from kinesics.bodies.arkit import ARKIT
from kinesics.errors import choose
from kinesics.performance import Behaviour
from kinesics.seeds import rng

Floats = NDArray[np.float64]

ATTACK = 0.35
"""Seconds in which an emotion comes (felt smiles take .3 to .7 s; Ekman & Friesen 1982)."""
RELEASE = 0.9
"""Seconds in which it leaves."""
_KNOTS = 512


@cache
def _knots(seed: int, name: str, count: int) -> Floats:
    return rng(seed, "face", name).uniform(-1.0, 1.0, (_KNOTS, count))


def drift(t: Floats, period: float, *, seed: int, name: str, count: int = 1) -> Floats:
    """Slow noise of any moment, without state.

    Parameters
    ----------
    t
        (n,) seconds.
    period
        Seconds from one random value to the next.
    seed, name
        Which noise.
    count
        How many at once.

    Returns
    -------
    (n, count) from -1 to 1, twice differentiable; it repeats after 512 periods.
    """
    knots = _knots(seed, name, count)
    # Each column has its own phase, lest all turn at the same moments.
    place = t[:, None] / period + np.arange(count) * 0.618
    low = np.floor(place).astype(np.int64)
    share = ramp(place - low)
    column = np.arange(count)
    a, b = knots[low % _KNOTS, column], knots[(low + 1) % _KNOTS, column]
    return a + share * (b - a)


@dataclass(frozen=True, slots=True)
class Act:
    """Something a face does once: (52,) coefficients under an envelope."""

    start: float
    peak: float
    relax: float
    end: float
    shape: NDArray[np.float32]
    emotion: str | None = None
    amount: float = 0.0

    def level(self, t: Floats) -> Floats:
        """(n,) envelope, 0 to 1."""
        rise = ramp((t - self.start) / max(self.peak - self.start, 1e-3))
        return rise * ramp((self.end - t) / max(self.end - self.relax, 1e-3))


_EMOTION_UNITS = [(e, name, s) for e in EMOTION_NAMES for name, s in EMOTIONS[e].items()]
# What a face at rest does by itself; strengths are ours.
_IDLE = (
    ("browInnerUp", 0.035),
    ("browOuterUpLeft", 0.02),
    ("browOuterUpRight", 0.02),
    ("browDown", 0.03),
    ("mouthPress", 0.06),
    ("mouthSmileLeft", 0.03),
    ("mouthSmileRight", 0.03),
    ("mouthLeft", 0.025),
    ("mouthRight", 0.025),
    ("cheekSquint", 0.03),
    ("eyeSquint", 0.05),
    ("mouthShrugLower", 0.03),
)


class Expressions:
    """Emotion and face behaviours over time.

    Parameters
    ----------
    controls
        Emotion and intensity that colour the whole, and the seed.
    """

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._acts: list[Act] = []
        seed = controls.seed
        # Nobody's halves are equal; felt expressions less lopsided than posed ones.
        skew = rng(seed, "face", "asymmetry").uniform(-0.09, 0.09, len(_EMOTION_UNITS))
        self._units = np.zeros((len(_EMOTION_UNITS), len(ARKIT)))
        self._of = np.array([EMOTION_NAMES.index(e) for e, _, _ in _EMOTION_UNITS])
        left = np.array([n.endswith("Left") for n in ARKIT])
        right = np.array([n.endswith("Right") for n in ARKIT])
        for i, (_, name, strength) in enumerate(_EMOTION_UNITS):
            self._units[i] = strength * unit(name) * (1.0 + skew[i] * (left.astype(float) - right))
        self._idle = np.stack([vector({name: s}) for name, s in _IDLE]).astype(float)
        self._style = np.array([ARTICULATION[e] for e in EMOTION_NAMES])

    def add(self, behaviour: Behaviour, times: dict[str, float]) -> dict[str, float]:
        """Take one face, faceLexeme or faceFacs behaviour.

        Parameters
        ----------
        behaviour
            ``face`` and ``faceLexeme`` name a lexeme; ``faceFacs`` an ``au`` and a ``side``; all an
            ``amount`` from 0 to 1.
        times
            Its sync points in seconds; ``start`` at least.

        Returns
        -------
        dict
            The times as they will be done.

        Raises
        ------
        DataError
            If the lexeme, unit or side is unknown.
        """
        amount = float(np.clip(behaviour.number("amount", 0.5), 0.0, 1.0))
        emotion, shape = None, np.zeros(len(ARKIT), np.float32)
        attack, release, length = 0.18, 0.35, 0.9
        lexeme = behaviour.attributes.get("lexeme", "")
        if behaviour.kind == "faceFacs":
            au = behaviour.attributes.get("au", "")
            shape = amount * unit(au, behaviour.attributes.get("side", "BOTH").upper())
        elif lexeme.lower() in EMOTION_NAMES:
            emotion, attack, release, length = lexeme.lower(), ATTACK, RELEASE, 2.5
        else:
            name = choose("face lexeme", lexeme.upper(), (*LEXEMES, *EMOTION_NAMES))
            # Lexeme strengths are those of amount .5, the usual; 1 is a third more.
            shape = np.minimum(combine(LEXEMES[name]) * min(2.0 * amount, 0.67 + 0.66 * amount), 1.0)
        start = times["start"]
        peak = times.get("attackPeak", times.get("ready", times.get("stroke")))
        end = times.get("end")
        relax = times.get("relax", times.get("strokeEnd"))
        if end is None:
            end = relax + release if relax is not None else max(start + length, (peak or start) + release)
        end = max(end, start + 0.1)
        peak = (
            min(start + attack, start + 0.45 * (end - start))
            if peak is None
            else min(max(peak, start + 0.05), end)
        )
        relax = max(end - release, peak) if relax is None else min(max(relax, peak), end)
        relax = min(relax, end - 0.05)
        peak = min(peak, relax)
        self._acts.append(Act(start, peak, relax, end, np.asarray(shape, np.float32), emotion, amount))
        return {"start": start, "attackPeak": peak, "relax": relax, "end": end}

    def forget(self, before: float) -> None:
        """Drop what ended before."""
        self._acts = [a for a in self._acts if a.end > before]

    def near(self, t: Floats) -> list[Act]:
        """The acts that touch the span of ``t``."""
        return [a for a in self._acts if a.start < t[-1] + 1e-9 and a.end > t[0]] if len(t) else []

    def levels(self, t: Floats) -> Floats:
        """(n, 8) how strongly each emotion is felt, 0 to 1."""
        out = np.zeros((len(t), len(EMOTION_NAMES)))
        controls = self._controls
        # Half the intensity should show as more than half: weak expressions are hard to see on a mesh.
        mood = controls.intensity**0.5 if controls.emotion != "neutral" else 0.0
        swell = drift(t, 2.3, seed=controls.seed, name="mood")[:, 0]
        base = mood * (0.8 + 0.2 * swell)
        row = EMOTION_NAMES.index(controls.emotion)
        acts: Sequence[Act] = [a for a in self.near(t) if a.emotion is not None]
        for act in acts:
            level = act.level(t)
            i = EMOTION_NAMES.index(act.emotion)
            out[:, i] = np.maximum(out[:, i], level * act.amount**0.8)
            if i != row:  # a passing feeling takes the place of the mood
                base = base * (1.0 - 0.85 * level)
        out[:, row] = np.maximum(out[:, row], base)
        return out

    def articulation(self, levels: Floats) -> Floats:
        """(n,) how wide the mouth articulates, about 1."""
        return 1.0 + levels @ (self._style - 1.0)

    def shape(self, t: Floats, levels: Floats) -> Floats:
        """Coefficients of all that the face expresses.

        Parameters
        ----------
        t
            (n,) seconds.
        levels
            (n, 8) emotions, from :meth:`levels`.

        Returns
        -------
        (n, 52) weights, not yet limited to 1.
        """
        seed = self._controls.seed
        live = 1.0 + 0.16 * drift(t, 1.1, seed=seed, name="units", count=len(self._units))
        out = (levels[:, self._of] * live) @ self._units
        calm = 0.35 + 0.65 * self._controls.intensity
        noise = drift(t, 1.9, seed=seed, name="idle", count=len(self._idle))
        out += calm * np.maximum(noise, 0.0) ** 2 @ self._idle
        for act in self.near(t):
            if act.emotion is None:
                # Union of the two: a raised brow raised again does not leave its range.
                part = act.level(t)[:, None] * act.shape
                out = out + part * np.clip(1.0 - 0.7 * out, 0.0, 1.0)
        return out
