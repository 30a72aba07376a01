"""WebVTT: captions with the times of their words, as browsers show them.

Carries tiers that are text: captions, and words. No place for values, confidences, sound or motion.
Follows the W3C's WebVTT.

Reading gives the tier ``captions``, one interval per cue, tags removed, entities resolved, line breaks kept.
Cues whose text has karaoke times (``<00:00:01.500>``) give the tier ``words`` too: each piece of text from its
time to the next one, blank pieces being pauses. Voices (``<v Name>``) give the tier ``voices``, one interval per
cue and name. Cues may overlap. ``NOTE``, ``STYLE`` and ``REGION`` blocks, settings, identifiers, classes,
ruby and languages say how, not what: they are left out, and ``meta["webvtt"]`` counts the ``notes``,
``styles`` and ``regions`` and says how many cues had ``settings``. Hours may be missing; a byte order mark
and a header text are fine; a missing blank line between cues is mended. A cue with a time that cannot be
read is an error, as is a cue that ends before it starts.

Writing: ``save("talk.vtt", tier="words")``. By default the tier ``captions`` is written, else ``words``, else
the only tier there is. Words are grouped into cues: a new one with each sentence, phrase (tier
``phrases``) or pause of 0.6 s, and before 84 characters or 7 s are passed. Words in a cue (also in a
caption that they spell) have their times as karaoke: one at each start, one before the blank at an end that
is followed by a pause, so that both come back; a cue of one word bears the class ``word`` instead.
``karaoke=False`` leaves them out. Times are whole milliseconds: what is read back differs by 0.5 ms at
most; an instant lasts 1 ms; what lies before second 0 is cut. Blank lines in a label are dropped, they
would end the cue.

A scene is written with everybody's captions (else words) and labels, each cue in the voice of its person and of a class
named as its tier: ``<v ann><c.expression>happy</c></v>``; ``tier=`` chooses, by one name or several. Labels ``unknown`` are
left out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kinesics.errors import DataError, FormatError
from kinesics.files import existing, replacing
from kinesics.formats import _captions
from kinesics.formats._format import Format
from kinesics.formats._text import text_of
from kinesics.formats._tiers import encoded
from kinesics.performance import Interval, Performance, Scene, Tier

_TIME = r"(?:([0-9]{1,6}):)?([0-5]?[0-9]):([0-5]?[0-9])[.,]([0-9]{1,3})"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:[ \t]+(.*))?\s*")
_TAG = re.compile(r"<([^<>]*)>")
_STAMP = re.compile(_TIME)
_CLASS = re.compile(r"[^\w-]+")

SMALL = ("captions", "words", "phrases", "phones", "syllables", "blinks", "reasons")
"""Tiers of a scene that are not written by themselves: parts of speech, and what is too much for captions."""


def read(path: str | Path) -> Performance:
    """Read captions.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Performance
        Tiers ``captions`` and, where the file has them, ``words`` and ``voices``; ``meta["webvtt"]``.

    Raises
    ------
    FormatError
        If it is no WebVTT, by line.
    """
    path = existing(Path(path), "a WebVTT file")
    text = text_of(path, most=_captions.MOST_BYTES).removeprefix("\ufeff")
    lines = text.split("\n")
    if not re.match(r"WEBVTT([ \t]|$)", lines[0]):
        raise FormatError(path, "line 1", "WEBVTT", "begin the file with a line WEBVTT")
    captions: list[Interval] = []
    words: list[Interval] = []
    voices: list[Interval] = []
    counts = {"notes": 0, "styles": 0, "regions": 0, "settings": 0}
    k = 1
    while k < len(lines) and lines[k].strip() and "-->" not in lines[k]:
        k += 1
    while k < len(lines):
        line = lines[k]
        block = re.match(r"(NOTE|STYLE|REGION)(?=[ \t]|$)", line)
        if block and "-->" not in line:
            counts[f"{block[1].lower()}s"] += 1
            k += 1
            while k < len(lines) and lines[k].strip():
                k += 1
            continue
        if "-->" not in line:
            # an identifier, a blank line, or text that belongs nowhere
            k += 1
            continue
        found = _CUE.fullmatch(line)
        where = f"line {k + 1}"
        if not found:
            raise FormatError(path, where, "00:00.000 --> 00:00.000", "correct the times")
        start, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:8])
        if end < start:
            raise FormatError(path, where, "an end after the start", "correct the times")
        counts["settings"] += bool(found[9])
        body, k = _body(lines, k + 1)
        plain, timed, names = _taken_apart("\n".join(body), start, end)
        captions.append(Interval(start, end, plain))
        words += timed
        voices += [Interval(start, end, name) for name in names]
    tracks = {"captions": Tier("captions", tuple(captions))}
    for name, rows in (("words", words), ("voices", voices)):
        if rows:
            tracks[name] = Tier(name, tuple(rows))
    facts: dict[str, Any] = {key: n for key, n in counts.items() if n}
    return Performance(tracks, {"webvtt": facts} if facts else {})


def _body(lines: list[str], k: int) -> tuple[list[str], int]:
    """A cue's lines, and where the next one begins: at a blank line, or at times that no blank line precedes."""
    body: list[str] = []
    while k < len(lines) and lines[k].strip() and "-->" not in lines[k]:
        body.append(lines[k])
        k += 1
    if body and k < len(lines) and "-->" in lines[k] and re.fullmatch(r"\s*[0-9]+\s*", body[-1]):
        # a number right above such times is the next cue's identifier
        body.pop()
    return body, k


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, part = parts
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return (whole * 1000 + int((part or "0").ljust(3, "0"))) / 1000


def _taken_apart(text: str, start: float, end: float) -> tuple[str, list[Interval], list[str]]:
    """A cue's plain text, its timed pieces, and who speaks."""
    plain: list[str] = []
    pieces: list[tuple[float, list[str]]] = [(start, [])]
    names: list[str] = []
    word = False
    for n, part in enumerate(_TAG.split(text)):
        if n % 2 == 0:
            said = html.unescape(part)
            plain.append(said)
            pieces[-1][1].append(said)
        elif stamp := _STAMP.fullmatch(part.strip()):
            pieces.append((_seconds(stamp.groups()), []))
        elif part == "c.word":
            word = True
        elif voice := re.match(r"v(?:\.[^ \t\n]*)?[ \t\n]+(.*)", part, re.DOTALL):
            name = html.unescape(" ".join(voice[1].split()))
            if name and name not in names:
                names.append(name)
    timed = []
    if len(pieces) > 1 or word:
        ends = [*(at for at, _ in pieces[1:]), end]
        for (at, said), until in zip(pieces, ends, strict=True):
            label = " ".join("".join(said).split())
            # times beyond the cue or out of order are held to it
            first = min(max(at, start), end)
            if label:
                timed.append(Interval(first, max(min(until, end), first), label))
    return "".join(plain).strip(), timed, names


def write(
    performance: Performance | Scene,
    path: str | Path,
    *,
    tier: str | Sequence[str] | None = None,
    karaoke: bool = True,
) -> None:
    """Write captions.

    Parameters
    ----------
    performance
        With at least one tier.
    path
        The file.
    tier
        The tier to write; by default ``captions``, else ``words``, else the only one. Of a scene several may be
        named; by default speech and all tiers but those of :data:`SMALL`.
    karaoke
        Whether words have their times within the cues.

    Raises
    ------
    DataError
        If there is no such tier, or it is not clear which.
    """
    path = Path(path)
    blocks = ["WEBVTT\n"]
    if isinstance(performance, Scene):
        found = _of_scene(performance, tier, path, karaoke)
    else:
        name = tier if tier is None or isinstance(tier, str) else next(iter(tier), None)
        found = [(c, _text(c, karaoke)) for c in _captions.cues(performance, name, path, "WebVTT")]
    for cue, text in found:
        times = f"{_captions.clock(cue.start, '.')} --> {_captions.clock(cue.end, '.')}"
        blocks.append(f"{times}\n{_captions.without_blank_lines(text)}\n")
    data = encoded("\n".join(blocks), path)
    with replacing(path) as file:
        file.write(data)


def _of_scene(
    scene: Scene, tier: str | Sequence[str] | None, path: Path, karaoke: bool
) -> list[tuple[_captions.Cue, str]]:
    """Everybody's cues in order, in their voices."""
    there = dict.fromkeys(t.name for p in scene.people.values() for t in p.tiers)
    wanted = [tier] if isinstance(tier, str) else list(tier or (n for n in there if n not in SMALL))
    if missing := [n for n in wanted if n not in there]:
        raise DataError(f"{path}: nobody has a tier {missing[0]!r}; there are: {', '.join(there) or 'none'}")
    found = []
    for who, person in scene.people.items():
        spoken = [] if tier is not None else [n for n in _captions.SPEECH if len(person.tier(n))][:1]
        for name in dict.fromkeys([*spoken, *wanted]):
            told = [Interval(i.start, i.end, i.label) for i in person.tier(name) if i.label != "unknown"]
            if not told:
                continue
            speech = {n: person.tier(n) for n in ("words", "phrases") if n in person}
            shown = Performance({**speech, name: Tier(name, tuple(told))})
            for cue in _captions.cues(shown, name, path, "WebVTT"):
                text = _text(cue, karaoke)
                if name not in _captions.SPEECH:
                    text = f"<c.{_CLASS.sub('-', name)}>{text}</c>"
                found.append((cue, f"<v {_escaped(' '.join(who.split()))}>{text}</v>"))
    return sorted(found, key=lambda pair: (pair[0].start, pair[0].end))


def _text(cue: _captions.Cue, karaoke: bool) -> str:
    return _spoken(cue) if karaoke and cue.words else _escaped(cue.text)


def _spoken(cue: _captions.Cue) -> str:
    out: list[str] = []
    # The standard wants times within the cue, not at its start; there the first word's goes without saying.
    at = cue.start
    for n, (start, end, label) in enumerate(cue.words):
        if n and start > at:
            out.append(f"<{_captions.clock(at, '.')}>")
        # Line breaks of the caption are given up: karaoke needs the words apart.
        out.append(" " if n else "")
        if start > cue.start and start >= at:
            out.append(f"<{_captions.clock(start, '.')}>")
        out.append(_escaped(" ".join(label.split())))
        at = max(at, end)
    if at < cue.end:
        out.append(f"<{_captions.clock(at, '.')}> ")
    text = "".join(out)
    return text if any(part.startswith("<") for part in out) else f"<c.word>{text}</c>"


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


FORMAT = Format("WebVTT", (".vtt",), ("captions", "words"), read, write, scenes=True)
