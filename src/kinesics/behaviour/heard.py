"""What the planner may know: words with their stress, phrases, pauses and affect, up to a horizon.

Offline the horizon runs two seconds ahead of the clock, live a tenth; when the text came first it may
lie further. Items become visible when they have *ended* before the horizon; nothing else is looked at.
Access is by index, so that an hour of speech costs no more per step than a second.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kinesics.errors import DataError
from kinesics.hear.phones import is_vowel
from kinesics.hear.stress import FUNCTION_WORDS
from kinesics.performance import Interval, Performance, Signal

END_MARKS = "?!.;:,…—–"


@dataclass(frozen=True, slots=True)
class Word:
    """One heard word, as the planner sees it.

    Parameters
    ----------
    index
        Number in the words tier: sync point ``w<index>`` of the speech.
    written
        As in the words tier.
    text
        Lower case, without punctuation.
    start, end
        Seconds.
    nucleus, nucleus_end
        Vowel of the most prominent syllable, seconds: where a stroke should land.
    prominence
        0 to 1.
    after
        Punctuation that follows, if the label carries it.
    gap
        Silence before it, seconds (infinite for the first).
    """

    index: int
    written: str
    text: str
    start: float
    end: float
    nucleus: float
    nucleus_end: float
    prominence: float
    after: str
    gap: float


class Heard:
    """Tiers and signals of a performance, seen through a moving horizon.

    Parameters
    ----------
    performance
        Tiers ``words``, ``phones``, ``syllables`` (value: prominence 0 to 1), ``phrases``, ``pauses`` and
        signals ``affect`` (``arousal``, ``valence``) and ``energy``, as far as they are there.
    until
        Horizon, seconds; items that end later are not seen. Move it with :meth:`advance`.

    Notes
    -----
    Where syllables have no measured prominence, content words and longer words count as more
    prominent (ours); without phones the nucleus lies at 35 % of the word (ours). Without words each
    syllable stands for one, so that beats still meet the stress.

    Examples
    --------
    >>> from kinesics.performance import Tier
    >>> words = Tier("words", [Interval(0.1, 0.4, "big"), Interval(0.4, 0.9, "fish.")])
    >>> heard = Heard(Performance({"words": words}), until=0.5)
    >>> len(heard), heard.word(0).text
    (1, 'big')
    """

    def __init__(self, performance: Performance, until: float = math.inf) -> None:
        words = performance.tier("words").intervals
        # speech without a transcript: every syllable is a word that says nothing
        self.wordless = not words
        self._words = words or tuple(replace(s, label="") for s in performance.tier("syllables"))
        self._ends = [w.end for w in self._words]
        if any(b < a for a, b in zip(self._ends, self._ends[1:], strict=False)):
            self._ends = list(_running_max(self._ends))
        self._phones = performance.tier("phones").intervals
        self._phone_starts = [p.start for p in self._phones]
        self._syllables = performance.tier("syllables").intervals
        self.phrases = performance.tier("phrases").intervals
        self._phrase_starts = [p.start for p in self.phrases]
        self._phrase_ends = list(_running_max([p.end for p in self.phrases]))
        affect = performance.get("affect")
        self._affect = affect if isinstance(affect, Signal) and len(affect) else None
        self._made: list[Word] = []
        self._phone_at = self._syllable_at = 0
        self._count = 0
        self.until = -math.inf
        self.duration = max(performance.duration, self._ends[-1] if self._ends else 0.0)
        self.advance(until)

    def advance(self, until: float) -> Heard:
        """Move the horizon forward; returns itself.

        Raises
        ------
        DataError
            If it would move back: what was heard cannot be unheard.
        """
        if not until >= self.until:
            raise DataError(f"the horizon is at {self.until:.3f} s and cannot move back to {until:.3f} s")
        self.until = until
        while self._count < len(self._ends) and self._ends[self._count] <= until + 1e-9:
            self._count += 1
        return self

    def __len__(self) -> int:
        """Number of words known."""
        return self._count

    def known(self, horizon: float) -> int:
        """Number of words that ended before ``horizon`` (and the horizon of this)."""
        return min(self._count, bisect_right(self._ends, horizon + 1e-9))

    def word(self, index: int) -> Word:
        """The word of an index below ``len(self)``."""
        if not 0 <= index < self._count:
            raise DataError(f"word {index} is not known; {self._count} are")
        while len(self._made) <= index:
            self._made.append(self._make(len(self._made)))
        return self._made[index]

    def silence_after(self, word: Word, horizon: float = math.inf) -> float:
        """Seconds known to be silent after a word: up to the next sound, or to the horizon.

        Without phones a word that is still under way cannot be heard, so only what exceeds 0.6 s, the
        length of all but the longest words (ours), counts as silence while no next word is known.
        """
        limit = min(self.until, horizon)
        following = word.index + 1
        if following < self.known(limit):
            return max(0.0, self._words[following].start - word.end)
        if not math.isfinite(limit):
            limit = word.end + 9.0
        i = bisect_right(self._phone_starts, word.end - 0.02)
        if i < len(self._phones) and self._phones[i].end <= limit:
            return max(0.0, self._phones[i].start - word.end)
        quiet = limit - word.end
        return max(0.0, quiet) if self._phones or quiet > 0.6 else 0.0

    def phrase_at(self, time: float, horizon: float = math.inf) -> Interval | None:
        """The phrase that holds ``time``, if it has ended before the horizon."""
        i = bisect_right(self._phrase_starts, time + 1e-9) - 1
        if i >= 0 and self.phrases[i].end > time and self.phrases[i].end <= min(self.until, horizon) + 1e-9:
            return self.phrases[i]
        return None

    def ends_phrase(self, word: Word, horizon: float = math.inf) -> bool:
        """Whether a phrase is known to end with this word."""
        i = bisect_right(self._phrase_ends, word.end - 0.06)
        limit = min(self.until, horizon) + 1e-9
        if i < len(self.phrases) and self._phrase_ends[i] <= limit:
            return abs(self._phrase_ends[i] - word.end) <= 0.06
        return bool(word.after) and word.after[0] in ".?!;:…"

    def affect(self, time: float) -> tuple[float, float]:
        """(arousal, valence) at ``time`` at the latest, both −1 to 1; zeros where not known.

        The signal's arousal runs from 0 to 1 with 0.5 as the speaker's middle; here 0 is the middle.
        """
        if self._affect is None:
            return 0.0, 0.0
        a = self._affect
        i = int((min(time, self.until) - a.start) * float(a.fps))
        row = a.values[min(max(i, 0), len(a) - 1)]
        get = {name: float(v) for name, v in zip(a.names, row, strict=True)}
        return 2.0 * get.get("arousal", 0.5) - 1.0, get.get("valence", 0.0)

    def _make(self, index: int) -> Word:
        interval = self._words[index]
        label = interval.label.strip()
        core = label.rstrip(END_MARKS + "\"'”’)]}»")
        after = "".join(c for c in label[len(core) :] if c in END_MARKS)
        text = core.lower().replace("’", "'").lstrip("\"'“‘([{«¿¡").strip()
        previous = self._ends[index - 1] if index else -math.inf
        syllable = self._loudest_syllable(interval)
        span = syllable or interval
        nucleus = self._vowel(span, stressed=syllable is None)
        if syllable is not None and syllable.value is not None:
            # measured 0 to 1
            prominence = min(1.0, max(0.0, syllable.value))
        else:
            # ours: content words and long ones stand out
            prominence = 0.15 if text in FUNCTION_WORDS else min(0.9, 0.4 + 0.6 * min(interval.duration, 0.8))
        if nucleus is None:
            length = span.duration
            nucleus = (span.start + 0.35 * length, span.start + 0.75 * length)
        return Word(index, label, text, interval.start, interval.end, *nucleus, prominence, after, interval.start - previous)  # fmt: skip

    def _loudest_syllable(self, word: Interval) -> Interval | None:
        syllables = self._syllables
        while self._syllable_at < len(syllables) and syllables[self._syllable_at].middle < word.start:
            self._syllable_at += 1
        best = None
        for i in range(self._syllable_at, len(syllables)):
            if syllables[i].middle >= word.end:
                break
            if best is None or (syllables[i].value or 0.0) > (best.value or 0.0):
                best = syllables[i]
        return best

    def _vowel(self, span: Interval, *, stressed: bool) -> tuple[float, float] | None:
        phones = self._phones
        while self._phone_at > 0 and phones[min(self._phone_at, len(phones)) - 1].middle >= span.start:
            self._phone_at -= 1
        while self._phone_at < len(phones) and phones[self._phone_at].middle < span.start:
            self._phone_at += 1
        first = None
        for i in range(self._phone_at, len(phones)):
            if phones[i].middle >= span.end:
                break
            if is_vowel(phones[i].label):
                vowel = (phones[i].start, phones[i].end)
                if not stressed or phones[i].label.endswith("1"):
                    return vowel
                # without syllables: the longest vowel of the word is its best bet (ours)
                if first is None or vowel[1] - vowel[0] > first[1] - first[0]:
                    first = vowel
        return first


def _running_max(values: Sequence[float]) -> list[float]:
    out, top = [], -math.inf
    for v in values:
        top = max(top, v)
        out.append(top)
    return out
