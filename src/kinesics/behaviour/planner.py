"""Speech to a plan: strokes, head, brows, gaze, blinks and posture, step by step with bounded look-ahead.

One planner serves the live engine and the offline run: a tenth of a second per step, behaviours committed
no earlier than the clock, every random choice drawn by the item it is for. So neither chunking nor a
longer horizon shifts what was drawn for anything else.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kinesics.behaviour._planning import STEP, Context, Style, Tick
from kinesics.behaviour.controls import Controls
from kinesics.behaviour.heard import Heard, Word
from kinesics.behaviour.lexicon import lexicon as shipped_lexicon
from kinesics.behaviour.meaning import Match, Reader
from kinesics.behaviour.plan_blinks import BlinkPlanner
from kinesics.behaviour.plan_gaze import GazePlanner
from kinesics.behaviour.plan_gestures import GesturePlanner
from kinesics.behaviour.plan_head import HeadAndBrows
from kinesics.behaviour.plan_posture import PosturePlanner
from kinesics.errors import DataError
from kinesics.performance import Behaviour, Performance, Plan, Sync
from kinesics.performance.gesture import Gesture

if TYPE_CHECKING:
    from kinesics.ports.embedder import Embedder

_CONTEXT = 1.0
"""Seconds of what comes after a word that the planner likes to know before it decides on the word."""
_LEAD = 1.0
"""Seconds before a stressed syllable at which its gesture is decided: room for a preparation."""


class Planner:
    """Plans nonverbal behaviour for speech as it is heard.

    Parameters
    ----------
    controls
        What the user asks for.
    look_ahead
        Seconds beyond the clock that may be known: 2 offline, 0.1 live.
    embedder
        Finds gestures for clauses by meaning when no word calls for one; see ``kinesics.ports.embedder``.
    language
        Of the words: ``en``, ``de``, ``fr``, ``es``, ``it``, ``pt``; others get beats.
    lexicon
        Gestures by lexeme; the shipped ones by default.

    Examples
    --------
    >>> from kinesics.performance import Interval, Tier
    >>> words = Tier("words", [Interval(1.0, 1.4, "Hello"), Interval(1.4, 1.9, "everyone!")])
    >>> planner = Planner(Controls(intensity=1.0, seed=1))
    >>> planned = planner.step(2.0, Heard(Performance({"words": words})))
    >>> [b.attributes["lexeme"] for b in planned if b.kind == "gesture"]
    ['WAVE_BOTH']
    """

    def __init__(
        self,
        controls: Controls,
        *,
        look_ahead: float = 2.0,
        embedder: Embedder | None = None,
        language: str = "en",
        lexicon: Mapping[str, Gesture] | None = None,
    ) -> None:
        if not look_ahead >= 0.1:
            raise DataError(f"look-ahead {look_ahead} s; expected at least 0.1")
        self.look_ahead = look_ahead
        style = Style.of(controls)
        known = shipped_lexicon() if lexicon is None else lexicon
        self._reader = Reader(known, language=language, embedder=embedder)
        self._gestures = GesturePlanner(style, known)
        self._head = HeadAndBrows(style)
        self._gaze = GazePlanner(style)
        self._blinks = BlinkPlanner(style)
        self._posture = PosturePlanner(style)
        self._lead = min(_LEAD, max(0.1, look_ahead - _CONTEXT))
        self._tick = 0
        self._next = 0
        self._matched = 0
        self._clause: Match | None = None
        self._texts: list[str] = []
        self._ranking: list[float] = []
        self._window: deque[float] = deque()
        self._closings: deque[float] = deque()
        self._question_until = -1
        self._topic_at: float | None = None
        self._speaking = -1.0

    def step(self, now: float, heard: Heard) -> list[Behaviour]:
        """Advance to ``now`` and commit behaviours.

        Parameters
        ----------
        now
            Clock, seconds; the planner runs all its steps of 0.1 s up to it.
        heard
            What is known; should reach to ``now + look_ahead`` or the end.

        Returns
        -------
        Behaviours with absolute times, none before the step that committed it.
        """
        out: list[Behaviour] = []
        while self._tick * STEP <= now + 1e-6:
            out += self._one(self._tick * STEP, heard)
            self._tick += 1
        return out

    def _one(self, now: float, heard: Heard) -> list[Behaviour]:
        horizon = min(heard.until, now + self.look_ahead)
        tick = Tick(now, horizon, heard, heard.known(horizon))
        out: list[Behaviour] = []
        for i in range(len(self._texts), tick.known):
            self._texts.append(heard.word(i).text)
            insort(self._ranking, heard.word(i).prominence)
            self._window.append(heard.word(i).prominence)
            if len(self._window) > 24:
                del self._ranking[bisect_right(self._ranking, self._window.popleft()) - 1]
        while self._next < tick.known and heard.word(self._next).nucleus <= now + self._lead:
            out += self._word(tick, heard.word(self._next))
            self._next += 1
        talking = self._talking(tick)
        if talking:
            self._gestures.speak()
        while self._closings and self._closings[0] < now - 0.3:
            self._closings.popleft()
        closing = self._closings[0] if self._closings else None
        out += self._gaze.step(tick, talking=talking, closing=closing)
        out += self._blinks.step(tick, talking=talking, closing=closing, shifts=self._gaze.shifts)
        near = closing if closing is not None and now <= closing < now + 0.5 else None
        topic = self._topic_at is not None and abs(self._topic_at - now) < 1.5
        out += self._posture.step(
            tick, boundary=near if talking else now if now > self._speaking + 0.8 else None, topic=topic
        )
        return out

    def _talking(self, tick: Tick) -> bool:
        """Whether speech is going on now: a known word is about here, or one ended within 0.8 s."""
        i = min(self._next, tick.known) - 1
        while i + 1 < tick.known and tick.heard.word(i + 1).start <= tick.now + 0.1:
            i += 1
        while i > 0 and tick.heard.word(i).start > tick.now + 0.1:
            i -= 1
        if i >= 0 and tick.heard.word(i).start <= tick.now + 0.1:
            self._speaking = max(self._speaking, tick.heard.word(i).end)
        return self._speaking > 0 and tick.now <= self._speaking + 0.8

    def _word(self, tick: Tick, word: Word) -> list[Behaviour]:
        context = self._context(tick, word)
        if context.opens:
            self._gestures.open(word)
        match = None
        if word.index >= self._matched:
            match = self._reader.match(self._texts, word.index)
            if match is not None and match.weight >= 1:
                self._matched = match.last
        if context.opens:
            self._clause = self._clause_match(tick, word)
        if match is None and self._clause is not None and self._clause.first == word.index:
            match = self._clause
        ranks = [self._rank(tick.heard.word(i)) for i in range(match.first, match.last)] if match else []
        out, gesture, landing = self._gestures.word(
            tick, context, match, ranks, self._coming(tick, word, match)
        )
        out += self._head.word(tick, context, gesture, landing)
        out += self._gaze.word(tick, context)
        if context.closes or context.pause_after > 0.3:
            self._closings.append(word.end)
        if "topic" in context.cues and context.opens:
            self._topic_at = word.start
        return out

    def _clause_match(self, tick: Tick, word: Word) -> Match | None:
        """What the clause that begins here means as a whole, by the embedder, put on its most prominent word."""
        phrase = tick.heard.phrase_at(word.start, tick.horizon)
        last = tick.heard.known(phrase.end + 0.01) if phrase is not None else min(tick.known, word.index + 12)
        last = min(last, tick.known)
        if last - word.index < 2:
            return None
        found = self._reader.clause(" ".join(self._texts[word.index : last]))
        if found is None:
            return None
        best = max((tick.heard.word(i) for i in range(word.index, last)), key=self._rank).index
        return Match(best, best + 1, found[0], 0.6)

    def _coming(self, tick: Tick, word: Word, match: Match | None) -> list[tuple[float, Match]]:
        """Plain meanings of the words that follow within the reach of one gesture, with their stress's time."""
        out = []
        i = max(word.index + 1, match.last if match is not None and match.weight >= 1 else 0)
        while i < tick.known and (tick.heard.word(i).start < word.nucleus + 1.1):
            found = self._reader.match(self._texts, i)
            if found is not None and found.weight >= 1:
                words = [tick.heard.word(j) for j in range(found.first, found.last)]
                out.append((max(words, key=self._rank).nucleus, found))
                i = found.last
            else:
                i += 1
        return out

    def _rank(self, word: Word) -> float:
        return bisect_right(self._ranking, word.prominence - 1e-9) / max(1, len(self._ranking))

    def _context(self, tick: Tick, word: Word) -> Context:
        heard, i = tick.heard, word.index
        peak = True
        for j in (i - 2, i - 1, i + 1, i + 2):
            if 0 <= j < tick.known:
                other = heard.word(j)
                if abs(other.nucleus - word.nucleus) < 0.35 and (other.prominence, -j) > (
                    word.prominence,
                    -i,
                ):
                    peak = False
        opens = word.gap > 0.25 or i == 0 or heard.ends_phrase(heard.word(i - 1), tick.horizon)
        pause = heard.silence_after(word, tick.horizon)
        closes = heard.ends_phrase(word, tick.horizon) or pause > 0.35
        cues = self._reader.cues(self._texts, i)
        if opens and i > self._question_until:
            self._question_until = self._question(tick, word, cues)
        return Context(word, self._rank(word), peak, cues, opens, closes, i <= self._question_until, pause)

    def _question(self, tick: Tick, word: Word, cues: frozenset[str]) -> int:
        """Index of the last word of the question that begins with ``word``; −1 if it is none."""
        heard = tick.heard
        for j in range(word.index, min(tick.known, word.index + 30)):
            w = heard.word(j)
            if j > word.index and w.gap > 0.6:
                break
            if "?" in w.after:
                return j
            if any(c in w.after for c in ".!;"):
                return -1
        phrase = heard.phrase_at(word.start, tick.horizon)
        if phrase is not None and phrase.label == "question":
            return heard.known(phrase.end + 0.01) - 1
        if "question" not in cues:
            return -1
        # an unmarked clause that begins like a question: taken for one as far as its phrase is known
        end = phrase.end if phrase is not None else word.end + 0.8
        return max(word.index, heard.known(min(tick.horizon, end + 0.01)) - 1)


def speech_behaviour(heard: Heard, *, until: float | None = None) -> Behaviour:
    """The ``speech`` behaviour: text and a sync point per word, ``w0``, ``w1`` …, at its start."""
    count = len(heard) if until is None else heard.known(until)
    words = [heard.word(i) for i in range(count)]
    sync = {"start": Sync(0.0)}
    sync.update({f"w{w.index}": Sync(round(w.start, 4)) for w in words})
    sync["end"] = Sync(round(max([heard.duration, *(w.end for w in words)]), 4))
    return Behaviour("speech", "speech", sync, {}, " ".join(w.written for w in words if w.written))


def anchored(behaviours: Iterable[Behaviour], speech: Behaviour) -> list[Behaviour]:
    """Tie strokes and head gestures to the words they fall on, so that they follow edited words.

    Parameters
    ----------
    behaviours
        With absolute times.
    speech
        With sync points ``w0``, ``w1`` …

    Returns
    -------
    The same behaviours, gestures' and heads' times written as ``speech:w3 + 0.12``.
    """
    names = [k for k in speech.sync if k[0] == "w" and k[1:].isdigit()]
    starts = [speech.sync[k].offset for k in names]
    out = []
    for b in behaviours:
        key = b.sync.get("stroke")
        i = bisect_right(starts, key.offset + 1e-9) - 1 if key is not None and key.behaviour is None else -1
        if b.kind not in ("gesture", "head", "pointing") or i < 0:
            out.append(b)
            continue
        moved = {
            k: Sync(round(s.offset - starts[i], 4), speech.id, names[i]) if s.behaviour is None else s
            for k, s in b.sync.items()
        }
        out.append(replace(b, sync=moved))
    return out


def plan_of(
    performance: Performance,
    controls: Controls,
    *,
    look_ahead: float = 2.0,
    embedder: Embedder | None = None,
    language: str = "en",
) -> Plan:
    """Plan a whole performance by running the planner over it.

    Parameters
    ----------
    performance
        With at least the tier ``words``; see :class:`~kinesics.behaviour.heard.Heard`.
    controls
        What the user asks for.
    look_ahead, embedder, language
        As for :class:`Planner`.

    Returns
    -------
    A plan whose first behaviour is the speech; strokes refer to its words.

    Examples
    --------
    >>> from kinesics.performance import Interval, Tier
    >>> words = Tier("words", [Interval(0.5, 0.8, "this"), Interval(0.8, 1.3, "big!")])
    >>> plan_of(Performance({"words": words}), Controls(seed=2))["speech"].text
    'this big!'
    """
    planner = Planner(controls, look_ahead=look_ahead, embedder=embedder, language=language)
    heard = Heard(performance, until=look_ahead)
    steps = int(heard.duration / STEP) + 1
    out: list[Behaviour] = []
    for k in range(steps):
        heard.advance(max(heard.until, k * STEP + look_ahead))
        out += planner.step(k * STEP, heard)
    speech = speech_behaviour(heard.advance(float("inf")))
    out = [b for b in out if min((s.offset for s in b.sync.values()), default=0.0) < heard.duration]
    return Plan((speech, *anchored(out, speech)))


def stroke_times(plan: Plan | Sequence[Behaviour]) -> list[float]:
    """Seconds of all gesture strokes of a plan, in order."""
    plan = plan if isinstance(plan, Plan) else Plan(tuple(plan))
    times = plan.times()
    return sorted(times[b.id]["stroke"] for b in plan.of("gesture", "pointing") if "stroke" in times[b.id])
