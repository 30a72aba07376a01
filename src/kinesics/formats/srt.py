"""SubRip .srt: numbered subtitles.

Carries one tier of text; no place for values, confidences, word times, sound or motion.

Reading gives the tier ``captions``, one interval per subtitle, line breaks kept, the tags that players know
(``<i> <b> <u> <s> <font>``, ``{\\an8}``) removed. There is no standard, so it is lenient: commas or dots, one to
three digits behind them, missing numbers, missing blank lines, coordinates behind the times, byte order
marks, UTF-16, and Windows-1252 where it is no UTF-8 (which is logged; ``encoding=`` names another). Subtitles may overlap. Times that
cannot be read, or an end before its start, are errors by line.

Writing: ``save("talk.srt", tier="words")``. By default the tier ``captions`` is written, else ``words``,
grouped into cues as ``.vtt`` says, else the only tier there is. Times are whole milliseconds (0.5 ms at most
are lost), an instant lasts 1 ms, what lies before second 0 is cut, blank lines in a label are dropped and
an arrow ``-->`` in a label becomes ``→``. UTF-8 without a mark.
"""

from __future__ import annotations

import re
from pathlib import Path

from kinesics.errors import FormatError
from kinesics.files import existing, replacing
from kinesics.formats import _captions
from kinesics.formats._format import Format
from kinesics.formats._text import decoded, encoding_fact
from kinesics.formats._tiers import encoded
from kinesics.performance import Interval, Performance, Tier

_TIME = r"([0-9]{1,6})\s*:\s*([0-9]{1,2})\s*:\s*([0-9]{1,2})(?:\s*[,.]\s*([0-9]{1,3}))?"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_TAG = re.compile(r"</?(?:[ibus]|font(?:\s[^<>]*)?)>|\{\\[^{}]*\}", re.IGNORECASE)


def read(path: str | Path, *, encoding: str | None = None) -> Performance:
    """Read subtitles.

    Parameters
    ----------
    path
        The file.
    encoding
        Encoding of the text, such as ``"gb18030"``; by default UTF-8, or UTF-16 with its mark, else
        Windows-1252.

    Returns
    -------
    Performance
        With the tier ``captions``; ``meta["srt"]["encoding"]`` where it is not UTF-8.

    Raises
    ------
    FormatError
        If there is no subtitle in it, or a time is wrong, by line.
    """
    path = existing(Path(path), "an SRT file")
    text, taken = decoded(path, most=_captions.MOST_BYTES, fallback="cp1252", encoding=encoding)
    text = text.removeprefix("\ufeff")
    lines = text.split("\n")
    arrows = [k for k, line in enumerate(lines) if "-->" in line]
    if not arrows and text.strip():
        raise FormatError(path, "content", "a line 00:00:00,000 --> 00:00:00,000", "check that it is SRT")
    rows = []
    for n, k in enumerate(arrows):
        found = _CUE.fullmatch(lines[k])
        if not found:
            raise FormatError(path, f"line {k + 1}", "00:00:00,000 --> 00:00:00,000", "correct the times")
        start, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:8])
        if end < start:
            raise FormatError(path, f"line {k + 1}", "an end after the start", "correct the times")
        until = arrows[n + 1] if n + 1 < len(arrows) else len(lines)
        body = [line.strip() for line in lines[k + 1 : until]]
        while body and not body[-1]:
            body.pop()
        if n + 1 < len(arrows) and body and body[-1].isdecimal() and lines[until - 1].strip():
            # the number right above the next times is theirs
            body.pop()
        plain = _TAG.sub("", "\n".join(line for line in body if line)).strip()
        rows.append(Interval(start, end, plain))
    facts = encoding_fact(taken)
    return Performance({"captions": Tier("captions", tuple(rows))}, {"srt": facts} if facts else {})


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, part = parts
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return (whole * 1000 + int((part or "0").ljust(3, "0"))) / 1000


def write(performance: Performance, path: str | Path, *, tier: str | None = None) -> None:
    """Write subtitles.

    Parameters
    ----------
    performance
        With at least one tier.
    path
        The file.
    tier
        The tier to write; by default ``captions``, else ``words``, else the only one.

    Raises
    ------
    DataError
        If there is no such tier, or it is not clear which.
    """
    path = Path(path)
    blocks = []
    for n, cue in enumerate(_captions.cues(performance, tier, path, "SRT"), 1):
        times = f"{_captions.clock(cue.start, ',')} --> {_captions.clock(cue.end, ',')}"
        text = _captions.without_blank_lines(cue.text).replace("-->", "→")
        blocks.append(f"{n}\n{times}\n{text}\n")
    data = encoded("\n".join(blocks), path)
    with replacing(path) as file:
        file.write(data)


FORMAT = Format("SubRip", (".srt",), ("captions",), read, write)
