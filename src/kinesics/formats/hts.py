"""HTK and HTS label files .lab: phones with times in units of 100 ns, and the label tracks of Audacity.

    0 1300000 x^x-sil+hh=iy@x_x/A:0_0_0/B:x-x-x@x-x&x-x
    1300000 2050000 x^sil-hh+iy=t@1_2/A:0_0_0/B:1-1-2@1-1&1-4

Carries one tier, ``phones`` as a rule, and the tier ``contexts`` beside it. No sound, motion or confidences.
After the HTK Book (ch. 6.2) and HTS.

Reading knows these, told in ``meta["hts"]["layout"]``:

``htk``: start, end (whole numbers of 100 ns), label, and perhaps a score (log likelihood), which becomes the
interval's value. Full-context labels (``x^x-sil+hh=iy@…``) and triphones (``s-ih+l``) give ``phones``, the
part between ``-`` and ``+``, and ``contexts``, the labels as they are; the states of a phone (``label[2]``,
``label[3]`` …) make one phone. Further columns of an alignment by HVite are the levels above: states
(``s2``) become the tier ``states``, then come ``phones`` and ``words``, each lasting until the next of its
level. A missing end is the next start.

``seconds``: the same with decimal points, times in seconds; Audacity's label tracks are so, tabs between, and
a label may have blanks. It gives the tier ``labels``: Audacity's are anything. Marks have no length.

``xlabel``: Festival's and ESPS's, lines ``end colour label`` below a line ``#``, in seconds; each begins where
the one before ends.

Traps: the .lab of the Montreal Forced Aligner is a **transcript**, text without any times; it is refused with
words that say so, as are HTK labels without times and master label files (``#!MLF!#``). Option of ``load``:
``tier="words"``, the name of the tier when labels are something else than phones.

Writing: ``save("talk.lab", tier="phones", layout="htk" | "seconds")``. By default the tier ``phones``; where
the tier ``contexts`` has as many intervals, its labels are written instead, so that what was read comes
back. Times are rounded to 100 ns (0.05 µs are lost at most), values are written as scores, confidences are
lost (logged). HTK knows no blanks in labels: they become ``_``, and so does an empty label.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from kinesics.errors import DataError, FormatError, choose
from kinesics.files import existing, replacing
from kinesics.formats._format import Format
from kinesics.formats._text import decoded, encoding_fact
from kinesics.formats._tiers import encoded, from_zero, one_tier, tell_left, tell_lost
from kinesics.performance import Interval, Performance, Tier

log = logging.getLogger(__name__)

MOST_BYTES = 64_000_000
UNIT = 1e7
"""Label units per second."""

_WHOLE = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_FULL = re.compile(r"[^\s^]*\^[^\s^-]*-([^\s+]+)\+[^\s=]*=.*")
_TRIPHONE = re.compile(r"[^\s+-]+-([^\s+-]+)\+[^\s+-]+")
_BIPHONE = re.compile(r"(?:[^\s+-]+-)?([^\s+-]+)(?:\+[^\s+-]+)?")
_STATE = re.compile(r"(.*)\[([0-9]+)\]")


def read(path: str | Path, *, tier: str | None = None) -> Performance:
    """Read labels.

    Parameters
    ----------
    path
        The file.
    tier
        Name of the tier; by default ``phones``, or ``labels`` for times in seconds.

    Returns
    -------
    Performance
        The tier, and where there are any ``contexts``, ``states`` and ``words``; ``meta["hts"]["layout"]``.

    Raises
    ------
    FormatError
        If there are no times in it, or a line is wrong.
    """
    path = existing(Path(path), "a label file")
    text, encoding = decoded(path, most=MOST_BYTES, fallback="latin-1")
    text = text.removeprefix("\ufeff")
    lines = [(n, line.strip()) for n, line in enumerate(text.split("\n"), 1)]
    # Audacity puts frequencies on lines of their own.
    lines = [(n, line) for n, line in lines if line and not line.startswith("\\")]
    if lines and lines[0][1].startswith("#!MLF!#"):
        raise FormatError(path, "line 1", "one file's labels, found a master label file", "split it by file")
    if any(line == "#" for _, line in lines):
        layout, tracks = "xlabel", {tier or "phones": _xlabel(path, lines)}
    else:
        layout = _layout(path, lines)
        rows = [_columns(path, n, line, layout) for n, line in lines]
        _close(path, rows, layout)
        try:
            tracks = _htk(rows, tier or "phones") if layout == "htk" else {tier or "labels": _plain(rows)}
        except DataError as error:
            raise FormatError(path, "labels", f"times and scores ({error})", "correct them") from error
    made = {name: Tier(name, tuple(intervals)) for name, intervals in tracks.items()}
    return Performance(made, {"hts": {"layout": layout, **encoding_fact(encoding)}})


_Row = tuple[int, float, float | None, list[str]]


def _layout(path: Path, lines: Sequence[tuple[int, str]]) -> str:
    if not lines:
        return "htk"
    first = lines[0][1].split()
    if not _DECIMAL.fullmatch(first[0]) or len(first) < 2:
        if all(len(line.split()) == 1 for _, line in lines) and len(lines) > 1:
            raise FormatError(
                path,
                f"line {lines[0][0]}",
                "start, end and label; found labels without times",
                "align the sound",
            )
        raise FormatError(
            path,
            f"line {lines[0][0]}",
            "start, end and label; found text (the Montreal Forced Aligner's .lab are transcripts)",
            "align it, and read the .TextGrid; or hand the text to hear()",
        )
    if not any(_DECIMAL.fullmatch(word) for _, line in lines for word in line.split(None, 2)[1:2]):
        raise FormatError(
            path,
            f"line {lines[0][0]}",
            "start, end and label; no line has two times",
            "check that it is labels",
        )
    whole = all(_WHOLE.fullmatch(word) for _, line in lines for word in line.split(None, 2)[:1])
    return "htk" if whole else "seconds"


def _columns(path: Path, n: int, line: str, layout: str) -> _Row:
    """(line, start, end or None, the other columns)."""
    words = line.split("\t") if layout == "seconds" and "\t" in line else line.split()
    words[:2] = [word.strip() for word in words[:2]]
    number = _WHOLE if layout == "htk" else _DECIMAL
    unit = UNIT if layout == "htk" else 1.0
    if not number.fullmatch(words[0]):
        raise FormatError(path, f"line {n}", f"a start time, found {words[0][:40]!r}", "correct the line")
    start = float(words[0]) / unit
    if len(words) > 1 and number.fullmatch(words[1]):
        return n, start, float(words[1]) / unit, words[2:]
    return n, start, None, words[1:]


def _close(path: Path, rows: list[_Row], layout: str) -> None:
    """Give each row its end, and make sure that it is one."""
    for k, (n, start, end, words) in enumerate(rows):
        if end is None:
            end = rows[k + 1][1] if k + 1 < len(rows) else start
            rows[k] = (n, start, end, words)
        if layout == "htk" and k and start < rows[k - 1][1]:
            raise FormatError(path, f"line {n}", "a start not before the line above", "sort the lines")
        if not start <= end < 1e12:
            raise FormatError(
                path, f"line {n}", f"an end after the start, found {start} to {end} s", "correct it"
            )


def _plain(rows: Sequence[_Row]) -> list[Interval]:
    return [Interval(start, end or start, " ".join(words).strip()) for _, start, end, words in rows]


def _htk(rows: Sequence[_Row], name: str) -> dict[str, list[Interval]]:
    # Names of levels alternate with scores that may be missing.
    levels: list[list[tuple[int, str, float | None]]] = []
    for k, (_, _, _, words) in enumerate(rows):
        level = -1
        for word in words or [""]:
            if level >= 0 and _DECIMAL.fullmatch(word) and levels[level][-1][2] is None:
                levels[level][-1] = (k, levels[level][-1][1], float(word))
                continue
            level += 1
            if level == len(levels):
                levels.append([])
            levels[level].append((k, word, None))
    names = [name, "words"]
    if len(levels) > 1 and all(re.fullmatch("s[0-9]+", label) for _, label, _ in levels[0]):
        names = ["states", *names]
    tracks: dict[str, list[Interval]] = {name: []}
    for n, level in enumerate(levels):
        key = names[n] if n < len(names) else f"level {n + 1}"
        last = [*(k for k, _, _ in level[1:]), len(rows)]
        tracks[key] = [
            Interval(rows[k][1], max(rows[until - 1][2] or 0.0, rows[k][1]), label, score)
            for (k, label, score), until in zip(level, last, strict=True)
        ]
    return _without_context(tracks, name)


def _without_context(tracks: dict[str, list[Interval]], name: str) -> dict[str, list[Interval]]:
    """Phones of full-context labels and triphones, whose whole labels become ``contexts``."""
    whole = tracks.get(name, [])
    labels = [m[1] if (m := _STATE.fullmatch(i.label)) else i.label for i in whole]
    pattern = next((p for p in (_FULL, _TRIPHONE) if any(map(p.fullmatch, labels))), None)
    if pattern is None:
        return tracks
    pattern = _BIPHONE if pattern is _TRIPHONE else pattern
    phones: list[Interval] = []
    state, before = 0, ""
    for i, label in zip(whole, labels, strict=True):
        found = pattern.fullmatch(label)
        phone = found[1] if found else label
        part = _STATE.fullmatch(i.label)
        now = int(part[2][:9]) if part else 0
        if part and phones and now > state > 0 and label == before:
            last = phones[-1]
            score = None if last.value is None or i.value is None else last.value + i.value
            phones[-1] = Interval(last.start, i.end, last.label, score)
        else:
            phones.append(Interval(i.start, i.end, phone, i.value))
        state, before = now, label
    return {**tracks, name: phones, "contexts": whole}


def _xlabel(path: Path, lines: Sequence[tuple[int, str]]) -> list[Interval]:
    begin = next(k for k, (_, line) in enumerate(lines) if line == "#") + 1
    rows = []
    last = 0.0
    for n, line in lines[begin:]:
        words = line.split(None, 2)
        if not _DECIMAL.fullmatch(words[0]) or len(words) < 2:
            raise FormatError(path, f"line {n}", "end, colour and label", "correct the line")
        end = float(words[0])
        if not last <= end < 1e12:
            raise FormatError(path, f"line {n}", f"a time not before {last}, found {end}", "correct the line")
        rows.append(Interval(last, end, words[2] if len(words) > 2 else ""))
        last = end
    return rows


def write(
    performance: Performance, path: str | Path, *, tier: str | None = None, layout: str = "htk"
) -> None:
    """Write labels.

    Parameters
    ----------
    performance
        With the tier.
    path
        The file.
    tier
        Its name; by default ``phones``, else the only one.
    layout
        ``"htk"``, or ``"seconds"`` as Audacity reads them.

    Raises
    ------
    DataError
        If there is no such tier.
    """
    path = Path(path)
    choose("layout", layout, ("htk", "seconds"))
    name, chosen = one_tier(performance, tier, ("phones",), path, "a .lab")
    chosen = from_zero(chosen, path)
    contexts, written = performance.get("contexts"), [name]
    if name == "phones" and isinstance(contexts, Tier) and _spelled_out(chosen, contexts):
        chosen = from_zero(contexts, path)
        written.append("contexts")
    tell_left(performance, written, path, "a .lab")
    tell_lost(
        path, [Tier(name, tuple(Interval(i.start, i.end, "", None, i.confidence) for i in chosen))], "a .lab"
    )
    lines = []
    for i in chosen:
        if layout == "seconds":
            label = " ".join(i.label.split())
            lines.append(f"{i.start:.7f}\t{i.end:.7f}\t{label}\n")
            continue
        label = "_".join(i.label.split()) or "_"
        score = "" if i.value is None else f" {i.value!r}"
        lines.append(f"{round(i.start * UNIT)} {round(i.end * UNIT)} {label}{score}\n")
    if layout == "htk" and (blanks := sum(i.label != "_".join(i.label.split()) for i in chosen)):
        log.warning("%s: %d labels had blanks, which became _", path, blanks)
    data = encoded("".join(lines), path)
    with replacing(path) as file:
        file.write(data)


def _spelled_out(phones: Tier, contexts: Tier) -> bool:
    """Whether contexts tell the same phones, as they were read together."""
    return _without_context({"phones": list(contexts)}, "phones").get("phones") == list(phones)


FORMAT = Format("HTK and HTS labels", (".lab",), ("phones",), read, write)
