"""Holding a text about a face against what was measured: which action units each sentence names.

It knows the words that describe faces in English, ours and others', and FACS numbers. A sentence that names a unit which is not active,
or denies one that is, is not grounded.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from kinesics.bodies.action_units import UNITS


@dataclass(frozen=True)
class Mention:
    """A unit that is named: any one of ``units`` (words may leave open which), and whether it is denied."""

    units: tuple[str, ...]
    denied: bool


@dataclass(frozen=True)
class Grounded:
    """What is left of a text.

    Parameters
    ----------
    text
        The text without what is not grounded.
    dropped
        The sentences that were taken out.
    """

    text: str
    dropped: tuple[str, ...]


_UP = r"(?:rais\w*|ris\w*|lift\w*|elevat\w*|up\w*|arch\w*|go(?:es|ing)? up|pull\w* up|drawn? up\w*|high)"
_DOWN = r"(?:lower(?:ed|s|ing)?|down\w*|drop\w*|sink\w*|sunk|droop\w*|depress\w*|frown\w*|fall\w*)"
_CORNERS = r"(?:(?:lip|mouth) corners?|corners? of (?:the |their |his |her )?(?:lips?|mouth))"
# Not into the next clause or the next thing in a list.
_GAP = r"(?:(?!,|\band the\b|\bwhile\b)[^.;]){0,28}?"


def _near(part: str, action: str) -> str:
    return rf"(?:{part}\b{_GAP}\b{action}|{action}\b{_GAP}\b{part})"


# The first that fits takes the words; what is special stands before what is general.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (_near(r"inner(?: \w+){0,2}? (?:eye)?brows?|inner (?:ends?|parts?|corners?) of the (?:eye)?brows", _UP), ("AU01",)),
    (r"brows? (?:go up|are raised|rise|lift|pull up) at their inner", ("AU01",)),
    (_near(r"outer(?: \w+){0,2}? (?:eye)?brows?|outer (?:ends?|parts?|corners?) of the (?:eye)?brows", _UP), ("AU02",)),
    (r"brows? (?:arch|rise|lift|go up) at their outer", ("AU02",)),
    (r"(?:eye)?brows? (?:\w+ ){0,2}?(?:drawn|pulled|knit\w*) (?:down|together|downward\w*)", ("AU04",)),
    (r"(?:furrow\w*|knit\w*|lower(?:ed|ing)|drawn|pinched|contracted) (?:\w+ ){0,2}?(?:eye)?brows?|brow (?:lowerer|lowering|furrow\w*)", ("AU04",)),
    (r"(?:eye)?brows? (?:\w+ ){0,3}?(?:furrow\w*|lower\w*|knit\w*|frown\w*|pull\w* down|drop\w*)", ("AU04",)),
    (_near(r"(?:eye)?brows?", _UP), ("AU01", "AU02")),
    (_near(r"cheeks?", r"(?:puff\w*|blown|fill with air|full of air|inflat\w*)"), ("AU34",)),
    (_near(r"cheeks?", r"(?:rais\w*|ris\w*|lift\w*|push\w*|elevat\w*|bunch\w*)"), ("AU06",)),
    (r"crow'?s[- ]feet", ("AU06",)),
    (_near(r"(?:upper )?(?:eye)?lids?", r"(?:droop\w*|sink\w*|clos\w*|shut|half-clos\w*)"), ("AU43",)),
    (_near(r"eyes?", r"(?:clos\w*|shut|half-clos\w*)"), ("AU43",)),
    (r"blink\w*", ("AU43",)),
    (_near(r"lower (?:eye)?lids?", r"(?:tens\w*|tight\w*|rais\w*)"), ("AU07",)),
    (_near(r"(?:eye)?lids?", r"(?:tight\w*|tens\w*|squint\w*|narrow\w*)"), ("AU07",)),
    (_near(r"eyes?", r"(?:narrow\w*|squint\w*)"), ("AU07",)),
    (r"squint\w*", ("AU07",)),
    (r"wide[- ]open mouth|open mouth", ("AU26",)),
    (_near(r"(?:upper )?(?:eye)?lids?", r"(?:lift\w*|rais\w*|pull\w* up|widen\w*|elevat\w*)"), ("AU05",)),
    (_near(r"eyes?", r"(?:wid\w*|open\w*)"), ("AU05",)),
    (_near(r"nos(?:e|tril)s?", r"(?:wrinkl\w*|scrunch\w*|crinkl\w*)"), ("AU09",)),
    (_near(r"upper lip", r"(?:suck\w*|roll\w*|drawn over)"), ("AU28T",)),
    (_near(r"lower lip", r"(?:suck\w*|roll\w*|bit\w*|drawn over)"), ("AU28B",)),
    (_near(r"upper lip", r"(?:rais\w*|lift\w*|pull\w*|curl\w*|elevat\w*)"), ("AU10",)),
    (_near(r"lower lip", r"(?:pull\w*|drop\w*|lower(?:ed|ing)|depress\w*|drawn down)"), ("AU16",)),
    (r"dimpl\w*", ("AU14",)),
    (_near(_CORNERS, r"(?:sink\w*|turn\w* down\w*|down\w*|drawn down|droop\w*|depress\w*|fall\w*|lowered)"), ("AU15",)),
    (r"(?:downturned|drooping) (?:mouth|lips)", ("AU15",)),
    (_near(_CORNERS, rf"(?:pull\w*|{_UP})"), ("AU12",)),
    (_near(_CORNERS, r"tight\w*"), ("AU14",)),
    (r"\bsmil\w+|\bgrin\w*|into a smile", ("AU12",)),
    (_near(r"chin", r"(?:rais\w*|push\w*|bunch\w*|boss|pucker\w*|lift\w*|elevat\w*)"), ("AU17",)),
    (_near(r"(?:lips?|mouth)", r"(?:pucker\w*|purs\w*)"), ("AU18",)),
    (_near(r"(?:lips?|mouth)", r"(?:stretch\w*|drawn out|horizontal\w*)"), ("AU20",)),
    (r"funnel\w*", ("AU22",)),
    (_near(r"lips?", r"(?:press\w*|tight\w*|compress\w*)"), ("AU24",)),
    (_near(r"jaw", r"(?:slid\w*|sideways|shift\w*|lateral\w*)"), ("AU30",)),
    (_near(r"jaw", r"(?:jut\w*|thrust\w*|pushes out|forward|protru\w*)"), ("AU29",)),
    (_near(r"(?:jaw|mouth)", r"(?:drop\w*|open\w*|hang\w*|fall\w*)"), ("AU26",)),
)  # fmt: skip
_PATTERNS = tuple((re.compile(p, re.IGNORECASE), units) for p, units in _WORDS)
_FACS = re.compile(r"\bA(?:U|ction units?)\s*0?(\d{1,2})\b", re.IGNORECASE)
_MERGED = {"23": ("AU24",), "27": ("AU26",), "45": ("AU43",), "28": ("AU28T", "AU28B")}
_NO = re.compile(
    r"\b(?:no|not|without|never|lacks?|lacking|absence|absent|neither|nor|none|isn't|aren't|doesn't|don't)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[,;:]|\bbut\b|\bwhile\b|\bhowever\b|\byet\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z*\"'(])|\n+")


def sentences(text: str) -> list[str]:
    """The sentences of a text, headings in stars going with what follows them."""
    return [s.strip() for s in _SENTENCE.split(text) if s.strip()]


def mentions(sentence: str) -> list[Mention]:
    """The units a sentence names.

    >>> mentions("The jaw drops, but there is no smile.")
    [Mention(units=('AU26',), denied=False), Mention(units=('AU12',), denied=True)]
    """
    found: list[tuple[int, Mention]] = []
    left = sentence
    for match in _FACS.finditer(sentence):
        name = f"AU{int(match[1]):02d}"
        units = _MERGED.get(match[1].lstrip("0"), (name,) if name in UNITS else ())
        if units:
            found.append((match.start(), Mention(units, _denied(sentence, match.start()))))
    for pattern, units in _PATTERNS:
        for match in pattern.finditer(left):
            found.append((match.start(), Mention(units, _denied(sentence, match.start()))))
        left = pattern.sub(lambda m: "\x00" * len(m[0]), left)
    return [m for _, m in sorted(found, key=lambda f: f[0])]


def named(text: str) -> set[str]:
    """Units that a text says are active; where words leave open which, the first."""
    return {m.units[0] for s in sentences(text) for m in mentions(s) if not m.denied}


def grounded(text: str, active: Collection[str], known: Collection[str] = UNITS) -> Grounded:
    """A text without the sentences that do not agree with what was measured.

    Parameters
    ----------
    text
        Whatever a language model said of the face.
    active
        Units that are active.
    known
        Units that were looked for: of others nothing may be said.

    Examples
    --------
    >>> grounded("The lip corners rise. The brows furrow.", {"AU12"}).text
    'The lip corners rise.'
    """
    kept, dropped = [], []
    for paragraph in text.split("\n\n"):
        good = []
        for sentence in sentences(paragraph):
            (good if _agrees(sentence, active, known) else dropped).append(sentence)
        kept.append(" ".join(good))
    return Grounded("\n\n".join(p for p in kept if p), tuple(dropped))


def _agrees(sentence: str, active: Collection[str], known: Collection[str]) -> bool:
    for mention in mentions(sentence):
        is_active = any(u in active for u in mention.units)
        if is_active == mention.denied or not any(u in known for u in mention.units):
            return False
    return True


def _denied(sentence: str, place: int) -> bool:
    before = sentence[:place]
    breaks = [m.end() for m in _BREAK.finditer(before)]
    return bool(_NO.search(before[breaks[-1] if breaks else 0 :]))
