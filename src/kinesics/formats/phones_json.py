"""Words and phones as JSON: what aligners and recognisers write.

Carries the tiers ``words``, ``phones`` and ``captions`` (pieces of text: utterances, segments, fragments), and
``turns`` where the file names speakers; with confidences, and values of our own. No sound or motion.

Reading recognises, by its keys and whatever its name, told in ``meta["phones_json"]["layout"]``:

``whisper``: ``{"segments": [{"start", "end", "text", "words": [{"word", "start", "end", "probability"}]}]}``, of
Whisper, faster-whisper, WhisperX (``score``, ``speaker``) and the speech services of this shape; a bare
``{"words": [{"word", "start", "end"}]}`` too. Seconds.

``pocketsphinx``: ``{"b", "d", "p", "t", "w": [{…, "w": […]}]}``, begin and duration in seconds, one such object
a line. Pronunciation numbers (``and(2)``) are removed from words, and so are the silences and sentence marks
among them (``<sil>``, ``<s>``); phones stay as they are, ``SIL`` included.

``gentle``: ``{"transcript", "words": [{"word", "case", "start", "end", "phones": [{"phone", "duration"}]}]}``. Phones
lose their place in the word (``dh_B``) and become capitals, as ARPAbet is here.

``avct``: ``[{"word", "phones": [{"ph", "bg", "ed"}]}]``, in hundredths of a second, of AVCT's one-shot talking
faces (AAAI 2022). ``sil`` among the words is left out; it is among the phones.

``aeneas``: ``{"fragments": [{"begin", "end", "lines"}]}`` → ``captions``.

``lhotse``: supervisions, or cuts with supervisions (times within the cut), of one recording; their
``alignment`` gives words and phones, ``speaker`` the turns.

Words without times (Gentle's that were not found, WhisperX's numbers) have no place on a clock: they are
left out, counted in ``meta["phones_json"]["untimed"]`` and in the log. A file of several recordings or cuts
is refused: their times have nothing to do with each other. Other JSON is refused, and the list above shown.

Writing has one layout, Whisper's with additions that its readers skip: seconds to the last bit,
``segments`` with ``words``, and at the top ``phones`` ``[{"phone", "start", "end", "probability"}]`` and ``turns``
(``"speaker"``); ``value`` where an interval has one. Segments are the tier ``captions``, each with the words that begin in it, or, where
there is none, the words grouped as ``.vtt`` groups them; words outside all captions get segments of their
own. What is read back is equal, but for that ``captions`` are there then. Tiers of other names are left
out (logged). Other kinds of ``.json`` are other formats: ``.phones.json`` leaves no doubt.
"""

from __future__ import annotations

import json
import logging
from bisect import bisect_right
from pathlib import Path
from typing import Any

from kinesics.errors import DataError
from kinesics.files import replacing
from kinesics.formats._captions import grouped
from kinesics.formats._format import Format
from kinesics.formats._phones_json_read import read, recognises
from kinesics.formats._tiers import encoded
from kinesics.performance import Interval, Performance, Tier

log = logging.getLogger(__name__)


def write(performance: Performance, path: str | Path) -> None:
    """Write words, phones and captions.

    Parameters
    ----------
    performance
        With one of these tiers at least.
    path
        The file.

    Raises
    ------
    DataError
        If there is none of them.
    """
    path = Path(path)
    words, phones = performance.tier("words"), performance.tier("phones")
    captions, turns = performance.tier("captions"), performance.tier("turns")
    if not any(n in performance for n in ("words", "phones", "captions")):
        raise DataError(f"{path}: no tier to write as words and phones; it needs words, phones or captions")
    segments = _segments(words, captions, performance.tier("phrases"))
    out: dict[str, Any] = {"text": " ".join(s.label for s, _ in segments)}
    rows = []
    for n, (span, inside) in enumerate(segments):
        row: dict[str, Any] = {"id": n, "start": span.start, "end": span.end, "text": span.label}
        row |= _numbers(span)
        if "words" in performance:
            row["words"] = [_named("word", w) for w in inside]
        rows.append(row)
    out["segments"] = rows
    if "phones" in performance:
        out["phones"] = [_named("phone", p) for p in phones]
    if "turns" in performance:
        out["turns"] = [_named("speaker", t) for t in turns]
    data = encoded(json.dumps(out, ensure_ascii=False, allow_nan=False, indent=1) + "\n", path)
    with replacing(path) as file:
        file.write(data)


def _named(key: str, i: Interval) -> dict[str, Any]:
    return {key: i.label, "start": i.start, "end": i.end, "probability": i.confidence} | (
        {} if i.value is None else {"value": i.value}
    )


def _numbers(i: Interval) -> dict[str, Any]:
    return ({} if i.value is None else {"value": i.value}) | (
        {} if i.confidence == 1 else {"probability": i.confidence}
    )


def _segments(words: Tier, captions: Tier, phrases: Tier) -> list[tuple[Interval, list[Interval]]]:
    """Pieces of text, each with its words; together all words, each once."""
    inside: list[list[Interval]] = [[] for _ in captions]
    starts = [c.start for c in captions]
    alone = []
    for w in words:
        k = bisect_right(starts, w.start) - 1
        if k >= 0 and w.start < max(captions[k].end, captions[k].start + 1e-9):
            inside[k].append(w)
        else:
            alone.append(w)
    out = list(zip(captions, inside, strict=True))
    for group in grouped(alone, phrases):
        text = " ".join(w.label for w in group)
        out.append((Interval(group[0].start, max(w.end for w in group), text), group))
    return sorted(out, key=lambda s: s[0].start)


FORMAT = Format(
    "words and phones as JSON",
    (".phones.json",),
    ("words", "phones", "captions", "turns"),
    read,
    write,
    recognises,
    (".json",),
)
