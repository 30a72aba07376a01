"""Nods, shakes and tilts; brows and small expressions that accent the words.

Nods affirm and stress, shakes deny and intensify, tilts go with doubt and questions (McClave 2000); brows
rise on questions, stress and new topics (Ekman 1979; Flecha-García 2010). Probabilities are ours.
"""

from __future__ import annotations

import math

from kinesics.behaviour._planning import Context, Style, Tick, behaviour, clamp
from kinesics.behaviour.heard import Word
from kinesics.performance import Behaviour
from kinesics.performance.gesture import Gesture


class HeadAndBrows:
    """Plans head gestures, brows and accents word by word."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._head_free = self._brow_free = self._smile_free = -math.inf
        self._questioned = self._felt = -math.inf
        self._count: dict[str, int] = {}

    def word(
        self, tick: Tick, context: Context, gesture: Gesture | None, landing: Word | None
    ) -> list[Behaviour]:
        """What head and brows do on one word; ``gesture`` is what the hands do, on the word ``landing``."""
        intensity = self._style.controls.intensity
        if intensity <= 0:
            return []
        draw = self._style.draw("head", context.word.index)
        u = [float(x) for x in draw.random(8)]
        liveliness = clamp(0.35 + 1.1 * intensity + self._style.energy, 0.2, 1.4)
        out = self._head(tick, context, gesture, landing, u, liveliness)
        out += self._brows(tick, context, u, liveliness)
        out += self._accents(tick, context, u, liveliness) + self._feeling(tick, context)
        return out

    def _id(self, kind: str) -> str:
        self._count[kind] = self._count.get(kind, 0) + 1
        return f"{kind}{self._count[kind]}"

    def _head(
        self, tick: Tick, context: Context, gesture: Gesture | None, landing: Word | None, u: list[float], liveliness: float
    ) -> list[Behaviour]:  # fmt: skip
        word, cues = context.word, context.cues
        lexeme, chance, repeats, size = "", 0.0, 1, 0.45
        if "negation" in cues:
            # A clause that begins with its no is shaken at; one in passing only sometimes.
            chance = 0.95 if context.opens else 0.6
            lexeme, repeats, size = "SHAKE", 2 if u[2] < 0.6 else 3, 0.5
        elif "affirmation" in cues:
            lexeme, chance, repeats, size = "NOD", 0.8, 1 + (u[2] < 0.5) + (u[2] < 0.15), 0.55
        elif gesture is not None and gesture.head:
            lexeme, chance, repeats = gesture.head, 0.6, 2 if gesture.head == "SHAKE" else 1
            word = landing or word
        elif "doubt" in cues or ("thinking" in cues and u[3] < 0.6):
            lexeme, chance, size = "TILT", 0.55, 0.5
        elif context.question and (context.opens or context.closes):
            lexeme, chance, size = "TILT", 0.35, 0.45
        elif "emphasis" in cues and u[3] < 0.25:
            lexeme, chance, repeats, size = "SHAKE", 0.5, 2, 0.25
        elif context.peak and context.rank > 0.55:
            lexeme, chance, size = "NOD", 0.42 * context.rank, 0.2 + 0.3 * context.rank
        if not lexeme or u[0] > chance * min(liveliness, 1.1):
            return []
        beat = 0.34 + 0.1 * u[4] - 0.12 * self._style.energy
        length = {"NOD": beat * repeats + 0.12, "SHAKE": 0.3 * repeats + 0.2, "TILT": 0.7 + 0.5 * u[4], "BOW": 1.0}.get(lexeme, 0.6)  # fmt: skip
        stroke = word.nucleus + 0.03
        start = stroke - (0.3 if lexeme == "TILT" else 0.17)
        if start < max(tick.now, self._head_free):
            late = max(tick.now, self._head_free) - start
            if late > 0.3:
                return []
            start, stroke = start + late, stroke + late
        self._head_free = start + length + 0.15
        amount = clamp(size * (0.6 + 0.5 * liveliness) * (0.75 + 0.5 * u[5]), 0.08, 1.0)
        times = {"start": start, "stroke": stroke, "end": start + length}
        attributes = {"lexeme": lexeme, "amount": amount, "repetition": repeats}
        if lexeme == "TILT":
            attributes["direction"] = "LEFT" if u[6] < 0.5 else "RIGHT"
        return [behaviour(self._id("head"), "head", times, **attributes)]

    def _brow(
        self, tick: Tick, lexeme: str, start: float, peak: float, end: float, amount: float
    ) -> list[Behaviour]:
        start = max(start, tick.now)
        if start < self._brow_free or end - start < 0.25:
            return []
        self._brow_free = end + 0.1
        peak = clamp(peak, start + 0.08, end - 0.1)
        times = {"start": start, "attackPeak": peak, "relax": max(peak, end - 0.3), "end": end}
        return [
            behaviour(self._id("brows"), "faceLexeme", times, lexeme=lexeme, amount=clamp(amount, 0.05, 1.0))
        ]

    def _brows(self, tick: Tick, context: Context, u: list[float], liveliness: float) -> list[Behaviour]:
        word, cues = context.word, context.cues
        if context.question and context.opens and word.start > self._questioned:
            phrase = tick.heard.phrase_at(word.start, tick.horizon)
            end = phrase.end if phrase is not None else word.end + 0.9
            self._questioned = end
            if u[1] < 0.85:
                return self._brow(tick, "RAISE_BROWS", word.start - 0.1, word.start + 0.2, min(end + 0.25, word.start + 4.0), (0.3 + 0.25 * u[7]) * liveliness)  # fmt: skip
        if "doubt" in cues and u[1] < 0.4:
            return self._brow(tick, "OBLIQUE_BROWS", word.start - 0.1, word.nucleus, word.end + 0.7, 0.35 * liveliness)  # fmt: skip
        if ("negation" in cues or "thinking" in cues or "filler" in cues) and u[1] < 0.4:
            return self._brow(tick, "LOWER_BROWS", word.start - 0.1, word.nucleus, word.end + 0.5, 0.35 * liveliness)  # fmt: skip
        if "greeting" in cues and u[1] < 0.9:
            # the eyebrow flash of greeting: up and down within half a second (Eibl-Eibesfeldt 1972)
            return self._brow(tick, "RAISE_BROWS", word.start - 0.15, word.start + 0.05, word.start + 0.45, 0.6 * liveliness)  # fmt: skip
        chance = 0.0
        if "topic" in cues and context.opens:
            chance = 0.55
        elif "emphasis" in cues:
            chance = 0.35
        elif context.peak and context.rank > 0.7:
            chance = 0.3 * context.rank
        if u[1] < chance * min(liveliness, 1.1):
            return self._brow(tick, "RAISE_BROWS", word.nucleus - 0.16, word.nucleus + 0.06, word.nucleus_end + 0.3 + 0.3 * u[7], (0.22 + 0.35 * context.rank) * liveliness)  # fmt: skip
        return []

    def _feeling(self, tick: Tick, context: Context) -> list[Behaviour]:
        """The emotion asked for, shown afresh with some phrases; between them the face keeps its mood."""
        controls, word = self._style.controls, context.word
        if controls.emotion == "neutral" or not context.opens or word.start < self._felt:
            return []
        draw = self._style.draw("feeling", word.index)
        if draw.random() > 0.7:
            return []
        start = max(tick.now, word.start - float(draw.uniform(0.0, 0.3)))
        end = start + float(draw.uniform(1.5, 3.5))
        arousal, _ = tick.heard.affect(word.nucleus)
        amount = controls.intensity * float(draw.uniform(0.75, 1.05)) * (1.0 + 0.2 * arousal)
        self._felt = end + float(draw.uniform(1.0, 4.0))
        return [behaviour(self._id("face"), "face", {"start": start, "end": end}, lexeme=controls.emotion, amount=clamp(amount, 0.05, 1.0))]  # fmt: skip

    def _accents(self, tick: Tick, context: Context, u: list[float], liveliness: float) -> list[Behaviour]:
        word, cues = context.word, context.cues
        if word.start < self._smile_free:
            return []
        _, valence = tick.heard.affect(word.nucleus)
        emotion = self._style.controls.emotion
        lexeme = ""
        if ("joy" in cues and emotion in ("neutral", "happy", "surprise")) or (
            valence > 0.5 and context.peak and emotion in ("neutral", "happy")
        ):
            lexeme, amount = "SMILE", 0.3 + 0.3 * max(valence, 0.3)
        elif ("sorrow" in cues and emotion in ("neutral", "sad", "fear")) or (
            valence < -0.5 and context.peak and emotion in ("neutral", "sad")
        ):
            lexeme, amount = "FROWN", 0.25 + 0.25 * max(-valence, 0.3)
        if not lexeme or u[7] > 0.7:
            return []
        start = max(tick.now, word.start - 0.2)
        length = 1.0 + 1.2 * u[6]
        self._smile_free = start + length + 1.5
        times = {
            "start": start,
            "attackPeak": start + 0.35,
            "relax": start + length - 0.5,
            "end": start + length,
        }
        return [behaviour(self._id("accent"), "faceLexeme", times, lexeme=lexeme, amount=clamp(amount * liveliness, 0.05, 1.0))]  # fmt: skip
