"""Reading the JSON of aligners and recognisers (see ``phones_json``)."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kinesics.errors import DataError, FormatError
from kinesics.files import existing
from kinesics.formats._encode import MAX_NUMBER, from_json, json_in
from kinesics.formats._text import head_of, text_of
from kinesics.performance import Interval, Performance, Tier

log = logging.getLogger(__name__)

MOST_BYTES = 64_000_000
_ORDER = ("words", "phones", "captions", "turns")
_ALTERNATIVE = re.compile(r"\([0-9]+\)$")
_MARKS = frozenset({"<sil>", "<s>", "</s>", "sil", "sp", "(null)"})
_KNOWN = "whisper, pocketsphinx, gentle, avct, aeneas or lhotse JSON"


class _Bad(Exception):
    """What is wrong, and where."""


class _Tracks:
    """Intervals by tier, checked as they come."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Interval]] = {}
        self.untimed = 0

    def add(
        self,
        tier: str,
        start: Any,
        end: Any,
        label: Any,
        where: str,
        confidence: Any = None,
        value: Any = None,
    ) -> None:
        a, b = _number(start, where), _number(end, where)
        if not isinstance(label, str):
            raise _Bad(f"{where}: a text, found {label!r:.40}")
        sure = 1.0 if confidence is None else min(max(_number(confidence, where), 0.0), 1.0)
        number = None if value is None else _number(value, where)
        try:
            self.rows.setdefault(tier, []).append(Interval(a, b, label, number, sure))
        except DataError as error:
            raise _Bad(f"{where}: {error}") from error

    def there(self, tier: str) -> None:
        """Make sure that a tier is there, even if it stays empty."""
        self.rows.setdefault(tier, [])


def _number(value: Any, where: str) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Bad(f"{where}: a number")
    if abs(value) > MAX_NUMBER or not math.isfinite(value):
        raise _Bad(f"{where}: a number that can be seconds, found {value!r:.40}")
    return float(value)


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Bad(f"{where}: a list")
    return value


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Bad(f"{where}: an object")
    return value


def read(path: str | Path) -> Performance:
    """Read words and phones.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Performance
        Those of ``words``, ``phones``, ``captions`` and ``turns`` that the file has;
        ``meta["phones_json"]``: ``layout``, and how many words were ``untimed``.

    Raises
    ------
    FormatError
        If it is none of the known layouts, or breaks its own.
    """
    path = existing(Path(path), "a JSON file")
    text = text_of(path, most=MOST_BYTES).removeprefix("\ufeff")
    try:
        whole = json_in(text, path)
    except FormatError as error:
        try:
            # One object a line, as pocketsphinx writes them.
            whole = [from_json(line.encode("utf-8")) for line in text.split("\n") if line.strip()]
        except ValueError:
            raise error from None
    layout = _layout(whole)
    if layout is None:
        raise FormatError(path, "content", _KNOWN, "check the file, or convert it to one of these")
    tracks = _Tracks()
    try:
        _LAYOUTS[layout](whole, tracks)
    except _Bad as error:
        where, _, expected = " ".join(str(error).split()).partition(": ")
        raise FormatError(path, where, f"{expected} (layout {layout})", "correct it") from error
    facts: dict[str, Any] = {"layout": layout}
    if tracks.untimed:
        facts["untimed"] = tracks.untimed
        log.warning("%s: %d words have no times and are left out", path, tracks.untimed)
    ordered = [n for n in _ORDER if n in tracks.rows] + [n for n in tracks.rows if n not in _ORDER]
    return Performance({n: Tier(n, tuple(tracks.rows[n])) for n in ordered}, {"phones_json": facts})


def _layout(whole: Any) -> str | None:
    first = whole[0] if isinstance(whole, list) and whole else whole
    if not isinstance(first, dict):
        return None
    keys = set(first)
    if {"b", "d", "t"} <= keys:
        return "pocketsphinx"
    if isinstance(whole, list):
        if {"word", "phones"} <= keys:
            return "avct"
        if "supervisions" in keys or "tracks" in keys or {"recording_id", "start", "duration"} <= keys:
            return "lhotse"
        return None
    if "supervisions" in keys:
        return "lhotse"
    if "fragments" in keys:
        return "aeneas"
    words = first.get("words")
    if isinstance(words, list) and "segments" not in keys:
        gentle = any(isinstance(w, dict) and ("case" in w or "alignedWord" in w) for w in words[:50])
        return "gentle" if gentle else "whisper"
    return "whisper" if isinstance(first.get("segments"), list) else None


def _pocketsphinx(whole: Any, tracks: _Tracks) -> None:
    rows = whole if isinstance(whole, list) else [whole]
    for n, row in enumerate(rows):
        where = f"[{n}]"
        row = _object(row, where)
        start = _number(row.get("b"), f"{where}.b")
        tracks.add(
            "captions", start, start + _number(row.get("d"), f"{where}.d"), row.get("t"), where, row.get("p")
        )
        for k, word in enumerate(_list(row.get("w", []), f"{where}.w")):
            here = f"{where}.w[{k}]"
            word = _object(word, here)
            begin = _number(word.get("b"), f"{here}.b")
            end = _sum(begin, word.get("d"), f"{here}.d")
            label = word.get("t")
            tracks.there("words")
            if not isinstance(label, str):
                raise _Bad(f"{here}.t: a text")
            if label.lower() not in _MARKS and not label.startswith(("<", "[", "+")):
                tracks.add("words", begin, end, _ALTERNATIVE.sub("", label), here, word.get("p"))
            for j, phone in enumerate(_list(word.get("w", []), f"{here}.w")):
                there = f"{here}.w[{j}]"
                phone = _object(phone, there)
                at = _number(phone.get("b"), f"{there}.b")
                tracks.add(
                    "phones",
                    at,
                    _sum(at, phone.get("d"), f"{there}.d"),
                    phone.get("t"),
                    there,
                    phone.get("p"),
                )


def _sum(start: float, duration: Any, where: str) -> float:
    # Decimals added up: 0.37 + 0.26 is 0.63, as the next start has it.
    return round(start + _number(duration, where), 9)


def _avct(whole: Any, tracks: _Tracks) -> None:
    tracks.there("words")
    tracks.there("phones")
    for n, word in enumerate(whole):
        where = f"[{n}]"
        word = _object(word, where)
        phones = _list(word.get("phones"), f"{where}.phones")
        times = []
        for k, phone in enumerate(phones):
            here = f"{where}.phones[{k}]"
            phone = _object(phone, here)
            start, end = (
                _number(phone.get("bg"), f"{here}.bg") / 100,
                _number(phone.get("ed"), f"{here}.ed") / 100,
            )
            tracks.add("phones", start, end, phone.get("ph"), here)
            times += [start, end]
        label = word.get("word")
        if times and isinstance(label, str) and label.lower() not in _MARKS:
            tracks.add("words", min(times), max(times), label, where)


def _gentle(whole: Any, tracks: _Tracks) -> None:
    tracks.there("words")
    for n, word in enumerate(whole["words"]):
        where = f"words[{n}]"
        word = _object(word, where)
        if "start" not in word or "end" not in word:
            tracks.untimed += 1
            continue
        start = _number(word["start"], f"{where}.start")
        tracks.add("words", start, word["end"], word.get("word"), where)
        for k, phone in enumerate(_list(word.get("phones", []), f"{where}.phones")):
            here = f"{where}.phones[{k}]"
            phone = _object(phone, here)
            end = _sum(start, phone.get("duration"), f"{here}.duration")
            label = phone.get("phone")
            if isinstance(label, str):
                label = re.sub(r"_[BIES]$", "", label).upper()
            tracks.add("phones", start, end, label, here)
            start = end


def _whisper(whole: Any, tracks: _Tracks) -> None:
    segments = _list(whole.get("segments", []), "segments")
    if "segments" in whole:
        tracks.there("captions")
    for n, segment in enumerate(segments):
        where = f"segments[{n}]"
        segment = _object(segment, where)
        start, end = segment.get("start"), segment.get("end")
        text = segment.get("text", "")
        label = text.strip() if isinstance(text, str) else text
        tracks.add("captions", start, end, label, where, segment.get("probability"), segment.get("value"))
        if isinstance(segment.get("speaker"), str):
            tracks.add("turns", start, end, segment["speaker"], where)
        _words(segment.get("words"), f"{where}.words", tracks)
    if "words" in whole and "words" not in tracks.rows:
        _words(whole["words"], "words", tracks)
    if "turns" in whole:
        tracks.rows.pop("turns", None)
    for tier, key in (("phones", "phone"), ("turns", "speaker")):
        if tier not in whole:
            continue
        tracks.there(tier)
        for k, item in enumerate(_list(whole[tier], tier)):
            where = f"{tier}[{k}]"
            item = _object(item, where)
            numbers = item.get("probability"), item.get("value")
            tracks.add(tier, item.get("start"), item.get("end"), item.get(key), where, *numbers)


def _words(rows: Any, where: str, tracks: _Tracks) -> None:
    if rows is None:
        return
    tracks.there("words")
    for k, word in enumerate(_list(rows, where)):
        here = f"{where}[{k}]"
        word = _object(word, here)
        if word.get("start") is None or word.get("end") is None:
            tracks.untimed += 1
            continue
        label = word.get("word", word.get("text"))
        label = label.strip() if isinstance(label, str) else label
        sure = word.get("probability", word.get("score", word.get("confidence")))
        tracks.add("words", word["start"], word["end"], label, here, sure, word.get("value"))


def _aeneas(whole: Any, tracks: _Tracks) -> None:
    tracks.there("captions")
    for n, fragment in enumerate(_list(whole["fragments"], "fragments")):
        where = f"fragments[{n}]"
        fragment = _object(fragment, where)
        lines = _list(fragment.get("lines", []), f"{where}.lines")
        text = "\n".join(line for line in lines if isinstance(line, str))
        tracks.add("captions", fragment.get("begin"), fragment.get("end"), text, where)


def _lhotse(whole: Any, tracks: _Tracks) -> None:
    rows = whole if isinstance(whole, list) else [whole]
    if "supervisions" not in rows[0] and "tracks" not in rows[0]:
        _supervisions(rows, "", 0.0, tracks)
        return
    if len(rows) > 1:
        names = ", ".join(str(_object(r, f"[{n}]").get("id"))[:40] for n, r in enumerate(rows[:5]))
        raise _Bad(f"top level: one cut, found {len(rows)} ({names} …), whose times are each their own")
    parts = [(rows[0], "[0]", 0.0)]
    if "tracks" in rows[0]:
        parts = []
        for n, track in enumerate(_list(rows[0]["tracks"], "[0].tracks")):
            where = f"[0].tracks[{n}]"
            track = _object(track, where)
            parts.append(
                (_object(track.get("cut"), f"{where}.cut"), where, _number(track.get("offset", 0), where))
            )
    for cut, where, offset in parts:
        _supervisions(
            _list(cut.get("supervisions", []), f"{where}.supervisions"), where, offset, tracks, mixed=True
        )


def _supervisions(
    rows: list[Any], where: str, offset: float, tracks: _Tracks, *, mixed: bool = False
) -> None:
    tracks.there("captions")
    recording = None
    for n, row in enumerate(rows):
        here = f"{where}[{n}]"
        row = _object(row, here)
        if recording not in (None, row.get("recording_id")) and not mixed:
            raise _Bad(f"{here}: one recording, found a second: {row.get('recording_id')!r:.60}")
        recording = row.get("recording_id")
        start = offset + _number(row.get("start"), f"{here}.start")
        end = _sum(start, row.get("duration"), f"{here}.duration")
        if isinstance(row.get("text"), str):
            tracks.add("captions", start, end, row["text"], here)
        if isinstance(row.get("speaker"), str):
            tracks.add("turns", start, end, row["speaker"], here)
        alignment = row.get("alignment") or {}
        for kind, items in _object(alignment, f"{here}.alignment").items():
            tier = {"word": "words", "phone": "phones", "phoneme": "phones"}.get(kind, kind)
            if tier in ("speech", "music", "body", "face", "plan"):
                tier = f"{tier} tier"
            for k, item in enumerate(_list(items, f"{here}.alignment.{kind[:40]!r}")):
                there = f"{here}.alignment.{kind[:40]!r}[{k}]"
                if isinstance(item, dict):
                    item = [item.get(key) for key in ("symbol", "start", "duration", "score")]
                item = _list(item, there)
                if len(item) < 3:
                    raise _Bad(f"{there}: symbol, start and duration")
                at = offset + _number(item[1], there)
                sure = item[3] if len(item) > 3 else None
                tracks.add(tier, at, _sum(at, item[2], there), item[0], there, sure)


_LAYOUTS: dict[str, Callable[[Any, _Tracks], None]] = {
    "whisper": _whisper,
    "pocketsphinx": _pocketsphinx,
    "gentle": _gentle,
    "avct": _avct,
    "aeneas": _aeneas,
    "lhotse": _lhotse,
}


def recognises(path: Path) -> bool:
    """Whether a .json looks like one of the layouts."""
    try:
        head = head_of(path, 16_384).lstrip("\ufeff \t\r\n")
    except OSError:
        return False
    patterns = (
        r'\{\s*"b"\s*:\s*[-0-9.]+\s*,\s*"d"\s*:',
        r'\[\s*\{\s*"(word|phones)"\s*:',
        r'"fragments"\s*:\s*\[',
        r'"supervisions"\s*:\s*\[',
        r'"recording_id"\s*:',
        r'"segments"\s*:\s*\[',
        r'"words"\s*:\s*\[\s*\{',
        r'"transcript"\s*:',
        # Whisper puts the whole text first, however long.
        r'\A\{\s*"text"\s*:\s*"',
    )
    return head[:1] in ("{", "[") and any(re.search(p, head) for p in patterns)
