"""Which words get a gesture, which gesture, and when its stroke lands.

Strokes are budgeted: credit grows with speaking time at the rate asked for, a gesture spends one, and a
word is accepted when the credit passes a threshold that falls with how much the word deserves a gesture
and jitters. So the rate holds in the long run, while gaps stay as irregular as meaning and stress are;
a plain meaning (an emblem, a size) may borrow ahead.

The apex of a stroke meets the vowel of the stressed syllable (Loehr 2004; Leonard & Cummins 2011).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from kinesics.behaviour._planning import STEP, Context, Style, Tick, behaviour, clamp
from kinesics.behaviour.heard import Word
from kinesics.behaviour.lexicon import apex
from kinesics.behaviour.meaning import Match
from kinesics.hear.stress import FUNCTION_WORDS
from kinesics.performance import Behaviour
from kinesics.performance.gesture import Gesture

SPACING = 0.6
"""Least seconds between two strokes' apexes; beats in a run may follow after :data:`RUN_SPACING` (ours)."""
RUN_SPACING = 0.45
TRANSITION = 0.26
"""Least seconds from the end of a stroke to the start of the next, for the hand to get there (ours)."""
PREPARATION = 0.3
"""Least seconds from the decision to the start of a stroke (ours)."""
TELLING = 0.6
"""From here on a meaning is almost always shown ("this big", "I don't know"), on credit if need be (ours)."""
REST_AFTER = 1.2
"""Pauses longer than this let the hands rest, seconds (ours)."""


class GesturePlanner:
    """Chooses gestures word by word.

    Parameters
    ----------
    style
        The speaker.
    lexicon
        Gestures by lexeme.
    """

    def __init__(self, style: Style, lexicon: Mapping[str, Gesture]) -> None:
        self._style = style
        self._lexicon = lexicon
        self._beats = [g for g in lexicon.values() if g.category == "beat"]
        self._rate = style.controls.strokes_per_minute
        self._credit = 0.3 + 0.5 * float(style.draw("credit").random()) if self._rate > 0 else 0.0
        self._used: list[tuple[float, str]] = []
        self._last: tuple[float, float, Gesture, str] = (-math.inf, -math.inf, self._beats[0], "")
        self._run = 0
        self._flow = 1.0
        self._count = 0

    def open(self, word: Word) -> None:
        """A phrase begins: some phrases are gestured more than others, evenly on the whole (ours)."""
        self._flow = float(self._style.draw("flow", word.index).gamma(5.0, 0.2))

    def speak(self, seconds: float = STEP) -> None:
        """Credit for ``seconds`` of speech; at most what two gestures cost is saved."""
        self._credit = min(2.0, self._credit + self._flow * self._rate / 60.0 * seconds)

    def word(
        self,
        tick: Tick,
        context: Context,
        match: Match | None,
        rank_of: Sequence[float],
        coming: Sequence[tuple[float, Match]] = (),
    ) -> tuple[list[Behaviour], Gesture | None, Word]:
        """Decide on one word.

        Parameters
        ----------
        tick
            The view.
        context
            The word.
        match
            What the words from here on mean, if anything.
        rank_of
            Prominence rank of the words of the match.
        coming
            (seconds, match) of plain meanings that follow, as far as they are known: a gesture that would
            keep the hands from a more telling one gives way to it.

        Returns
        -------
        The gesture behaviours (none or one), the gesture, and the word on which its stroke lands.
        """
        word = context.word
        if self._rate <= 0:
            return [], None, word
        draw = self._style.draw("gesture", word.index)
        jitter, coin = float(draw.uniform(-0.5, 0.5)), float(draw.random())
        strong = match is not None and match.weight >= 1
        if match is not None and strong:
            # the stroke belongs to the phrase's most prominent word
            best = max(range(len(rank_of)), key=lambda i: (rank_of[i], i))
            word = tick.heard.word(match.first + best)
            merit = 0.75 + 0.25 * rank_of[best] + self._telling(match)
        elif context.peak:
            slight = word.prominence <= 0.2 or (word.text in FUNCTION_WORDS and match is None)
            merit = context.rank * (0.4 if slight else 1.0) + (0.1 if match else 0.0)
            if "filler" in context.cues and match is None:
                return [], None, word
        else:
            return [], None, word
        if any(0 < t - word.nucleus < 0.95 and self._telling(m) + 0.75 > merit - 0.1 for t, m in coming):
            return [], None, word
        since = word.nucleus - self._last[0]
        running = self._last[2].category == "beat" and since < 1.1 and self._run < 2 and not strong
        threshold = 1.0 - 0.9 * (merit - 0.5) + jitter - (0.9 if running and coin < 0.55 else 0.0)
        floor = -0.8
        if match is not None and strong and self._telling(match) >= TELLING:
            threshold, floor = min(threshold, -0.9 + jitter), -1.6
        if self._credit < max(threshold, floor):
            return [], None, word
        spacing = RUN_SPACING if running and coin < 0.55 else SPACING
        if since < spacing:
            return [], None, word
        choice = self._choose(word, context, match, draw, keep=running and coin < 0.55)
        if choice is None:
            return [], None, word
        placed = self._place(tick, choice, word, context, match, draw)
        if placed is None:
            return [], None, word
        self._credit -= 1.0
        return [placed], choice, word

    def _telling(self, match: Match) -> float:
        """What a match deserves beyond its stress: the more its gesture says, the more (ours)."""
        kinds = {self._lexicon[x].category for x in match.lexemes}
        more = 0.2 * min(2, match.last - match.first - 1) + (0.3 if match.size is not None else 0.0)
        return (0.45 if kinds & {"emblem", "iconic"} else 0.1) + more

    def _recent(self, lexeme: str, time: float) -> float:
        """How stale a lexeme is not: sum of exponentially fading uses (20 s)."""
        return sum(math.exp(-(time - t) / 20.0) for t, name in self._used if name == lexeme)

    def _choose(
        self, word: Word, context: Context, match: Match | None, draw, *, keep: bool
    ) -> Gesture | None:
        time, last = word.nucleus, self._last[2]
        if keep:
            return last
        self._used = [(t, n) for t, n in self._used if time - t < 90.0]
        pool: list[tuple[Gesture, float]] = []
        if match is not None:
            share = 1.0 if match.weight >= 1 else 0.9 if match.weight > 0.5 else 0.5
            if draw.random() < share:
                pool = [(self._lexicon[x], 1.0) for x in match.lexemes]
                # a meaning shown within the last seconds is not shown again: the hands go on beating
                limit = 0.62 if match.weight >= 1 else 0.3
                pool = [
                    (g, w)
                    for g, w in pool
                    if self._recent(g.lexeme, time) < limit and g.lexeme != last.lexeme
                ]
        if not pool:
            if not (context.peak or (match and match.weight >= 1)) or "filler" in context.cues:
                return None
            lively = 0.22 + 0.5 * self._style.controls.intensity + self._style.energy
            if context.question and self._recent("PALM_UP_HOLD", time) < 0.3:
                pool = [(self._lexicon[x], 1.5) for x in ("PALM_UP_HOLD", "QUESTION") if x in self._lexicon]
            for g in self._beats:
                if g.lexeme != last.lexeme:
                    pool.append((g, lively if g.hands == "both" else 1.0))
        weights = [w * math.exp(-2.2 * self._recent(g.lexeme, time)) for g, w in pool]
        total = sum(weights)
        if total <= 0:
            return None
        at = float(draw.random()) * total
        for (g, _), w in zip(pool, weights, strict=True):
            at -= w
            if at <= 0:
                return g
        return pool[-1][0]

    def _mode(self, g: Gesture, time: float, contrast: bool, draw) -> str:
        if g.hands == "both":
            return "BOTH_HANDS"
        if "hand" in g.extra:
            return "LEFT_HAND" if g.extra["hand"] == "left" else "RIGHT_HAND"
        lively, coin, side = (float(draw.random()) for _ in range(3))
        if g.hands == "either" and lively < 0.25 + 0.4 * self._style.controls.intensity + self._style.energy:
            return "BOTH_HANDS"
        recent = self._last[3]
        if contrast and recent in ("LEFT_HAND", "RIGHT_HAND"):
            # what is set against something is put on the other side of it
            return "LEFT_HAND" if recent == "RIGHT_HAND" else "RIGHT_HAND"
        if recent in ("LEFT_HAND", "RIGHT_HAND") and time - self._last[0] < 2.5 and coin < 0.75:
            return recent
        leads = self._style.controls.handedness == "right"
        return "RIGHT_HAND" if (side < 0.72) == leads else "LEFT_HAND"

    def _place(
        self, tick: Tick, g: Gesture, word: Word, context: Context, match: Match | None, draw
    ) -> Behaviour | None:
        style, intensity = self._style, self._style.controls.intensity
        arousal, _ = tick.heard.affect(word.nucleus)
        seconds = g.seconds * math.exp(float(draw.normal(0.0, 0.09)) - 0.4 * style.energy - 0.08 * arousal)
        seconds = clamp(seconds, 0.2, 2.0)
        part = apex(g)
        stroke = word.nucleus + 0.25 * min(0.16, word.nucleus_end - word.nucleus)
        first = stroke - part * seconds
        earliest = max(tick.now + min(PREPARATION, 0.3), self._last[1] + TRANSITION)
        if first < earliest:
            # squeeze the stroke a little, then let it come late, then give up
            seconds = max(0.7 * seconds, 0.2, min(seconds, (stroke - earliest) / max(part, 0.2)))
            late = earliest - (stroke - part * seconds)
            # one that misses its stress is worse than none, unless all come late (a live stream) or it
            # stands for itself (a wave as the clip begins)
            seen = g.category == "emblem" and match is not None
            if late > (1.0 if tick.horizon - tick.now < 0.8 else 0.35 if seen else 0.1):
                return None
            stroke += max(0.0, late)
            first = stroke - part * seconds
        end = first + seconds if part < 0.999 else stroke + 0.05
        hold = g.hold * math.exp(float(draw.normal(0.0, 0.25)))
        long_hold = float(draw.random()) < (0.5 if g.hold >= 0.4 or context.question else 0.15)
        phrase = tick.heard.phrase_at(word.start, tick.horizon)
        if long_hold and phrase is not None and 0.1 < phrase.end - end < 1.6:
            hold = phrase.end - end
        if context.pause_after > REST_AFTER:
            hold = min(hold, max(0.1, word.end + 0.5 - end))
        size = 0.52 + 0.5 * intensity + 0.3 * (word.prominence - 0.5) + 0.5 * style.energy + 0.15 * arousal
        amount = clamp(size * math.exp(float(draw.normal(0.0, 0.13))), 0.3, 1.4)
        attributes: dict[str, object] = {"lexeme": g.lexeme, "mode": self._mode(g, stroke, "contrast" in context.cues, draw), "amount": amount}  # fmt: skip
        if match is not None and match.size is not None and "axis" in g.extra:
            attributes["size"] = clamp(match.size, 0.01, 1.2)
        times = {"strokeStart": first, "stroke": stroke, "strokeEnd": end, "relax": end + hold}
        self._run = self._run + 1 if g is self._last[2] else 0
        self._last = (stroke, end, g, str(attributes["mode"]))
        self._used.append((stroke, g.lexeme))
        self._count += 1
        return behaviour(f"gesture{self._count}", "gesture", times, **attributes)
