"""Speech to plan for: real alignments, and talks made up word by word."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kinesics.performance import Interval, Performance, Tier


def textgrid(path: Path) -> Performance:
    """Words and phones of a short-form Praat TextGrid."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    tiers = {}
    i = lines.index('"IntervalTier"')
    while i < len(lines) and lines[i] == '"IntervalTier"':
        name, count = lines[i + 1].strip('"'), int(lines[i + 4])
        rows = [lines[i + 5 + 3 * k : i + 8 + 3 * k] for k in range(count)]
        spans = [Interval(float(a), float(b), c.strip('"')) for a, b, c in rows if c.strip('"')]
        tiers[name] = Tier(name, tuple(spans))
        i += 5 + 3 * count
    return Performance(tiers)


TALK = """
well i want to tell you about something that happened last year, when we all went to the mountains together.
it was a very long journey, and nobody knew the way. first, we took the small road along the river; then, we climbed
up the stairs of an old tower. could you imagine it? a huge storm came from over there, and we had to wait inside for
three hours! on the one hand it was dangerous, on the other hand it was absolutely beautiful. my friend said that he
had never seen such a thing. so what did we do? we split the bread, we sang, and so on. the important point is that
everyone helped each other. i think that is exactly what matters in the future, don't you agree? no, really, it changed
everything. thank you, and goodbye!
"""


def talk(text: str = TALK, *, seed: int = 0, start: float = 0.6, rate: float = 2.6) -> Performance:
    """A talk with word times, one syllable per word with prominence, phrases and pauses, from text."""
    draw = np.random.default_rng(seed)
    light = {
        "a",
        "the",
        "of",
        "to",
        "and",
        "in",
        "it",
        "was",
        "that",
        "i",
        "is",
        "we",
        "he",
        "an",
        "as",
        "for",
    }
    words, syllables, phones, phrases = [], [], [], []
    time, begun = start, None
    for token in text.split():
        core = token.rstrip(".,;:!?")
        length = (0.09 + 0.045 * len(core)) * 2.6 / rate * float(draw.uniform(0.8, 1.25))
        begun = time if begun is None else begun
        words.append(Interval(time, time + length, core))
        prominence = float(draw.uniform(0.05, 0.35) if core in light else draw.uniform(0.3, 1.0))
        syllables.append(Interval(time, time + length, core, prominence))
        vowel = (time + 0.3 * length, time + 0.75 * length)
        phones += [
            Interval(time, vowel[0], "T"),
            Interval(*vowel, "AH"),
            Interval(vowel[1], time + length, "N"),
        ]
        time += length
        if core != token:
            label = {"?": "question", "!": "exclamation", ".": "statement"}.get(token[-1], "continuation")
            phrases.append(Interval(begun, time, label))
            time += float(draw.uniform(0.4, 0.9)) if token[-1] in ".!?" else float(draw.uniform(0.05, 0.3))
            begun = None
    if begun is not None:
        phrases.append(Interval(begun, time, "statement"))
    tiers = {"words": words, "syllables": syllables, "phones": phones, "phrases": phrases}
    return Performance({n: Tier(n, tuple(v)) for n, v in tiers.items()})
