"""Praat TextGrid: words, phones and other labelled intervals as phoneticians and aligners exchange them.

Carries every tier: interval tiers, and point tiers for what has no length. It has no place for values and
confidences (the log says whose are lost), sound, motion or plans. Format of Praat's manual, "TextGrid file
formats"; the Montreal Forced Aligner, WebMAUS and BEAT2 write it.

Reading takes the long and the short text form, UTF-8, UTF-16 with its mark, and Latin-1 (which is logged);
as in Praat itself only free-standing numbers, quoted texts and ``<exists>`` count, whatever stands around
them. The binary form is refused: save it in Praat with "Save as text file". Times stay as they are, also
where the grid begins at another second than 0: ``meta["textgrid"]`` holds ``xmin`` and ``xmax``, the
``style`` and the ``encoding``. Labels stay as they are, doubled quotes undone; **empty intervals are
dropped**, since in Praat they are the gaps between labels. Empty points are kept.

Names: tiers named ``word``, ``phone``, ``ORT-MAU``, ``MAU`` and so on become the tracks ``words`` and
``phones``; "61 - words" of the Montreal Forced Aligner does too when the file has one speaker only and
stays whole when it has several. A file's own names are kept in ``meta["textgrid"]["names"]`` and written
again. Of two tiers of one name the second becomes ``name (2)``; one that is called ``speech``, ``body``,
``face``, ``music`` or ``plan``, which are other things here, becomes ``speech tier`` and so on.

Writing: times are written to the last digit, so that they come back equal. Every tier spans the grid, from
0 (or the first interval, if that is earlier, or the ``xmin`` of the file it came from) to the performance's
end; gaps become empty intervals. Praat's intervals cannot overlap: a tier whose intervals do is split into
``name``, ``name [2]`` …, and so is one that has instants among its intervals, which go to a point tier;
reading joins such tiers again. Boundaries within a microsecond of each other become one. Intervals
without label cannot be told from gaps: they are lost, which is logged.
Options of ``save``: ``style="long" | "short"``, ``tiers=("words", "phones")`` (all by default).
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from pathlib import Path

from kinesics.errors import DataError, FormatError, choose
from kinesics.files import existing, replacing
from kinesics.formats._encode import MAX_NUMBER
from kinesics.formats._format import Format
from kinesics.formats._text import decoded
from kinesics.formats._tiers import (
    about,
    chosen,
    encoded,
    filled,
    gathered,
    lane_names,
    lanes,
    own_name,
    tell_lost,
)
from kinesics.performance import Interval, Performance

log = logging.getLogger(__name__)

MOST_BYTES = 128_000_000
SAME = 1e-6
"""Seconds within which two boundaries are one."""

# Words that are neither texts, numbers nor flags are skipped in the pattern: far faster than looking for
# a number at every character. Possessive and with an end, so that no file makes it look twice.
_TOKEN = re.compile(
    r"""(?:[^\s"0-9+.<!-][^\s"]*+|\s++|![^\n]*+)*+("[^"]*+(?:""[^"]*+)*+"|[^\s"]++|"|\Z)""",
)
_FLAGS = ("<exists>", "<absent>")


def read(path: str | Path) -> Performance:
    """Read a TextGrid.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Performance
        One tier per tier of the file; ``meta["textgrid"]``: ``xmin``, ``xmax`` (seconds), ``style``,
        ``encoding`` and, where they differ from the tracks', ``names``.

    Raises
    ------
    FormatError
        If it is no TextGrid in text form.
    """
    path = existing(Path(path), "a TextGrid")
    with path.open("rb") as file:
        first = file.read(12)
    if first == b"ooBinaryFile":
        raise FormatError(path, "byte 0", "a TextGrid in text form", "save it in Praat as a text file")
    text, encoding = decoded(path, most=MOST_BYTES, fallback="latin-1")
    name = {"utf-16": "UTF-16", "latin-1": "Latin-1"}.get(encoding, "UTF-8")
    return _Reader(path, text).performance(name)


class _Reader:
    """The tokens of a TextGrid, one after the other."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text
        self._tokens: list[str] = [t for t in _TOKEN.findall(text) if t]
        self._at = 0

    def _wrong(self, at: int, expected: str, fix: str = "save it again in Praat") -> FormatError:
        where = "end of file"
        for k, match in enumerate(_TOKEN.finditer(self._text)):
            if k == at and match[1]:
                where = f"line {self._text.count(chr(10), 0, match.start(1)) + 1}"
                break
        return FormatError(self._path, where, expected, fix)

    def _next(self, expected: str) -> str:
        if self._at >= len(self._tokens):
            raise self._wrong(self._at, expected, "the file is cut off; get it again")
        self._at += 1
        return self._tokens[self._at - 1]

    def _string(self, expected: str) -> str:
        token = self._next(expected)
        if token[0] != '"' or len(token) < 2:
            raise self._wrong(self._at - 1, expected)
        return _unquoted(token)

    def _number(self, expected: str) -> float:
        token = self._next(expected)
        number = float(token) if _is_number(token) else math.nan
        if not abs(number) <= MAX_NUMBER:
            raise self._wrong(self._at - 1, expected)
        return number

    def _count(self, expected: str, each: int) -> int:
        number = self._number(expected)
        left = (len(self._tokens) - self._at) // each
        if not number.is_integer() or number < 0:
            raise self._wrong(self._at - 1, expected)
        if number > left:
            raise self._wrong(
                self._at - 1, f"as many as are there ({left}), found {number:.0f}", "the file is cut off"
            )
        return int(number)

    def performance(self, encoding: str) -> Performance:
        kind = self._string('"ooTextFile" first')
        if not kind.startswith("ooTextFile"):
            raise self._wrong(0, '"ooTextFile" first', "check that it is a TextGrid")
        what = self._string('the class "TextGrid"')
        if what.split(" ")[0] != "TextGrid":
            raise self._wrong(1, f'the class "TextGrid", found {what[:40]!r}', "save the TextGrid alone")
        start, end = self._number("xmin"), self._number("xmax")
        long = re.search(r"(?m)^\s*xmin\s*=", self._text) is not None
        flag = self._next("<exists>")
        if flag not in _FLAGS:
            raise self._wrong(self._at - 1, "<exists>")
        rows = []
        if flag == "<exists>":
            rows = [self._tier() for _ in range(self._count("the number of tiers", 5))]
        found = gathered(rows)
        style = "long" if long else "short"
        facts = about(found, xmin=start, xmax=end, style=style, encoding=encoding)
        return Performance(found.tracks, {"textgrid": facts})

    def _tier(self) -> tuple[str, list[Interval]]:
        kind = self._string("a tier's class")
        if kind not in ("IntervalTier", "TextTier"):
            raise self._wrong(self._at - 1, f'"IntervalTier" or "TextTier", found {kind[:40]!r}')
        name = self._string("a tier's name")
        self._number("the tier's xmin")
        self._number("the tier's xmax")
        each = 3 if kind == "IntervalTier" else 2
        count = self._count("the number of intervals", each)
        begin = self._at
        self._at += each * count
        part = self._tokens[begin : self._at]
        labels = part[each - 1 :: each]
        try:
            starts = list(map(float, part[0::each]))
            ends = list(map(float, part[1::each])) if each == 3 else starts
        except ValueError:
            bad = next(k for k, t in enumerate(part) if k % each != each - 1 and not _is_number(t))
            raise self._wrong(begin + bad, f"a time in tier {name!r}") from None
        rows = []
        for k, (a, b, token) in enumerate(zip(starts, ends, labels, strict=True)):
            if token[0] != '"' or len(token) < 2:
                raise self._wrong(begin + each * k + each - 1, f"a quoted label in tier {name!r}")
            label = _unquoted(token)
            if each == 3 and not label.strip():
                continue
            if not -MAX_NUMBER <= a <= b <= MAX_NUMBER:
                raise self._wrong(
                    begin + each * k, f"a time of start before its end, found {a} to {b}", "mend it"
                )
            try:
                rows.append(Interval(a, b, label))
            except DataError as error:
                raise self._wrong(begin + each * k, f"a time ({error})", "mend it") from error
        return name, rows


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _unquoted(token: str) -> str:
    return token[1:-1].replace('""', '"')


def write(
    performance: Performance,
    path: str | Path,
    *,
    style: str = "long",
    tiers: Sequence[str] | None = None,
) -> None:
    """Write tiers as a TextGrid in UTF-8.

    Parameters
    ----------
    performance
        With at least one tier.
    path
        The file.
    style
        ``"long"``, which names every number, or ``"short"``.
    tiers
        Names of the tiers to write; by default all.

    Raises
    ------
    DataError
        If there is no tier, or one that is asked for is not there.
    """
    path = Path(path)
    choose("style", style, ("long", "short"))
    picked = chosen(performance, tiers, path, "a TextGrid")
    tell_lost(path, picked.values(), "a TextGrid")
    facts = performance.meta.get("textgrid", {})
    bounds = [v for v in (facts.get("xmin"), facts.get("xmax")) if isinstance(v, (int, float))]
    begin, finish = bounds if len(bounds) == 2 and bounds[0] < bounds[1] else (0.0, 0.0)
    start = min([begin, *(t.start for t in picked.values() if t)])
    end = max([finish, performance.duration, *(t.end for t in picked.values() if t)])
    if end <= start:
        end = start + 1.0
    taken: set[str] = set()
    rows: list[tuple[str, str, list[tuple[float, float, str]]]] = []
    for track, tier in picked.items():
        lasting = [i for i in tier if i.end > i.start + SAME and i.label.strip()]
        points = [i for i in tier if i.end <= i.start + SAME]
        if lost := len(tier) - len(lasting) - len(points):
            log.warning("%s: %r has %d intervals without label; they become gaps", path, track, lost)
        apart = lanes(lasting, tolerance=SAME)
        if not apart and not points:
            apart = [[]]
        name = own_name(performance, "textgrid", track)
        names = lane_names(name, len(apart) + bool(points), taken)
        if len(names) > 1:
            log.info("%s: %r has overlaps or instants: split into %s", path, track, ", ".join(names))
        rows += [("IntervalTier", n, filled(lane, start, end)) for n, lane in zip(names, apart, strict=False)]
        if points:
            rows.append(("TextTier", names[-1], [(i.start, i.end, i.label) for i in points]))
    lines = (_long if style == "long" else _short)(start, end, rows)
    data = encoded("".join(f"{line}\n" for line in lines), path)
    with replacing(path) as file:
        file.write(data)


_Rows = list[tuple[str, str, list[tuple[float, float, str]]]]


def _long(start: float, end: float, rows: _Rows) -> list[str]:
    out = ['File type = "ooTextFile"', 'Object class = "TextGrid"', ""]
    out += [f"xmin = {_time(start)} ", f"xmax = {_time(end)} ", "tiers? <exists> ", f"size = {len(rows)} "]
    out.append("item []: ")
    for k, (kind, name, items) in enumerate(rows, 1):
        out += [f"    item [{k}]:", f'        class = "{kind}" ', f"        name = {_quoted(name)} "]
        out += [f"        xmin = {_time(start)} ", f"        xmax = {_time(end)} "]
        if kind == "IntervalTier":
            out.append(f"        intervals: size = {len(items)} ")
            for n, (a, b, label) in enumerate(items, 1):
                out += [f"        intervals [{n}]:", f"            xmin = {_time(a)} "]
                out += [f"            xmax = {_time(b)} ", f"            text = {_quoted(label)} "]
        else:
            out.append(f"        points: size = {len(items)} ")
            for n, (a, _, label) in enumerate(items, 1):
                out += [f"        points [{n}]:", f"            number = {_time(a)} "]
                out.append(f"            mark = {_quoted(label)} ")
    return out


def _short(start: float, end: float, rows: _Rows) -> list[str]:
    out = ['File type = "ooTextFile"', 'Object class = "TextGrid"', ""]
    out += [_time(start), _time(end), "<exists>", str(len(rows))]
    for kind, name, items in rows:
        out += [f'"{kind}"', _quoted(name), _time(start), _time(end), str(len(items))]
        for a, b, label in items:
            out += (
                [_time(a), _time(b), _quoted(label)] if kind == "IntervalTier" else [_time(a), _quoted(label)]
            )
    return out


def _time(seconds: float) -> str:
    return repr(float(seconds)).removesuffix(".0")


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


FORMAT = Format("Praat TextGrid", (".textgrid",), ("tiers",), read, write)
