"""What claims on gesture learn from: people performed by the engine, so that every claim runs without anyone's data.

The engine gestures on stressed words, by rules; how well a network learns that says nothing about how well it
learns people, so these numbers never share a column with published ones.
"""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

from kinesics import formats
from kinesics.behaviour.perform import perform
from kinesics.performance import Performance
from kinesics.progress import progress
from kinesics.seeds import rng

_WHO = ("I", "we", "you", "they", "my sister", "the teacher", "everyone")
_DOES = (
    "never wanted",
    "always loved",
    "finally understood",
    "really forgot",
    "carried",
    "showed me",
    "built",
)
_WHAT = (
    "this huge idea",
    "a tiny house",
    "the whole story",
    "nothing at all",
    "that long road",
    "two big boxes",
)
_END = (
    "and it was wonderful",
    "but not for long",
    "over there",
    "so I said no",
    "because of you",
    "right now",
)


def text(seed: int, index: int) -> str:
    """Four sentences that call for gestures.

    >>> text(0, 0) == text(0, 0)
    True
    """
    stream = rng(seed, "puppets", "text", index)

    def one() -> str:
        words = [str(stream.choice(x)) for x in (_WHO, _DOES, _WHAT, _END)]
        return " ".join(words)[:1].upper() + " ".join(words)[1:] + "."

    return " ".join(one() for _ in range(4))


def puppets(count: int, cache: Path, *, seed: int) -> list[Performance]:
    """Performances of about ten seconds, made once and kept in ``cache``."""
    out = []
    emotions = cycle(("neutral", "happy", "sad", "anger"))
    for index, emotion in enumerate(progress(islice(emotions, count), "puppets", total=count)):
        path = cache / f"puppet-{seed}-{index}.kin"
        if not path.is_file():
            shown = perform(text(seed, index), emotion=emotion, seed=1000 * seed + index, progress=False)
            path.parent.mkdir(parents=True, exist_ok=True)
            formats.save(shown, path)
        out.append(formats.load(path))
    return out
