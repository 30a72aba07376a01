"""Tiers of every kind, and files damaged in every way, for the formats of labelled intervals."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from hypothesis import strategies as st

from kinesics.errors import FormatError
from kinesics.performance import Interval, Performance, Tier

WORDS = Tier(
    "words",
    (
        Interval(0.1, 0.4, "Hello,", 0.5, 0.9),
        Interval(0.4, 0.9, 'wörld "<&>"'),
        Interval(1.25, 1.5, "日本."),
        Interval(1.5, 1.75, "Again"),
    ),
)
PHONES = Tier(
    "phones", tuple(Interval(0.1 * k, 0.1 * k + 0.1, p) for k, p in enumerate("HH AH L OW".split()))
)
GESTURES = Tier(
    "gestures",
    (
        Interval(0.2, 0.7, "preparation WAVE_R", 0.5),
        Interval(0.5, 1.0, "preparation WAVE_L", 0.5),
        Interval(0.7, 1.2, "stroke WAVE_R", 0.5),
        Interval(1.0, 1.25, "stroke WAVE_L", 0.5, 0.25),
    ),
)
PHASES = Tier("phases", tuple(Interval(k, k + 1.0, "stroke" if k % 2 else "retraction") for k in range(4)))
SHOW = Performance({t.name: t for t in (WORDS, PHONES, GESTURES, PHASES, Tier("empty"))})

_label = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp")), max_size=8)
_time = st.integers(0, 5000).map(lambda n: n / 1000)


def tiers(
    *, least: int = 0, instants: bool = True, labels: st.SearchStrategy[str] = _label
) -> st.SearchStrategy:
    """Tiers of intervals on a grid of milliseconds, in any overlap."""
    interval = st.builds(
        lambda a, d, label: Interval(a, round(a + d, 3), label),
        _time,
        st.integers(0 if instants else 1, 900).map(lambda n: n / 1000),
        labels,
    )
    return st.lists(interval, min_size=least, max_size=7).map(lambda rows: Tier("t", tuple(rows)))


def rows(tier: Tier, digits: int = 9) -> list[tuple[float, float, str]]:
    """What a tier says, to so many digits, in an order of its own."""
    return sorted((round(i.start, digits), round(i.end, digits), i.label) for i in tier)


def damaged(data: bytes, *, seed: int = 0, cuts: int = 40, flips: int = 60) -> Iterator[bytes]:
    """Cut off everywhere, bytes changed, pieces doubled or missing, wrong encodings, nothing at all."""
    draw = random.Random(seed)
    for k in range(cuts):
        yield data[: len(data) * k // cuts]
    for _ in range(flips):
        at = draw.randrange(len(data))
        yield data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
        a, b = sorted((draw.randrange(len(data)), draw.randrange(len(data))))
        yield data[:a] + data[b:]
        yield data[:b] + data[a:]
    text = data.decode("utf-8")
    yield from (
        text.encode("utf-16"),
        text.encode("utf-16-le"),
        text.encode("utf-32"),
        b"\x00" + data,
        data * 3,
    )
    yield from (b"\xff\xfe\x00", b"\xff" * 50, b"\x00" * 50, b" \n" * 40)
    numbers = ("nan", "inf", "-1", "1e999", "9" * 400, "0x10", "１２", "", "1e-400", "--undefined--")
    places = [k for k, c in enumerate(text) if c.isdigit() and (k == 0 or not text[k - 1].isdigit())]
    for number in numbers:
        for at in draw.sample(places, min(6, len(places))):
            end = at
            while end < len(text) and text[end].isdigit():
                end += 1
            yield (text[:at] + number + text[end:]).encode("utf-8")


def refused_or_read(read: Callable[..., Performance], path: Path, data: bytes) -> Performance | None:
    """What is read, or None where it is refused as it must be: by a FormatError."""
    path.write_bytes(data)
    try:
        return read(path)
    except FormatError:
        return None
