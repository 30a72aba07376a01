"""BEAT: 76 hours of 30 people talking with body, hands and face, in four languages and eight emotions.

Liu et al., "BEAT: A Large-Scale Semantic and Emotional Multi-Modal Dataset for Conversational Gestures
Synthesis", ECCV 2022. Official layout, from which ``prepare`` reads: ``<speaker>/<speaker>_<name>_<type>_<start>_<end>`` with
``.bvh`` (75 joints, 120 frames per second), ``.wav``, ``.json`` (51 ARKit coefficients, 60 per second), ``.TextGrid`` (words, then
phones), ``.csv`` (emotion: name, start, end, duration, score) and ``.txt`` (semantic: name, start, end, duration, score, key
words; by tabs). Type: 0 and 1 speech and conversation in English, 2 and 3 Chinese, 4 and 5 Spanish, 6 and 7 Japanese.

- **Body.** Brought to the canonical joints, fingers included.
- **Emotion.** Names of the ``.csv``; without it, what the number of the take says (0–64 neutral, 65–72 happy, 73–80
  anger, 81–86 sad, 87–94 contempt, 95–102 surprise, 103–110 fear, 111–118 disgust; conversations neutral), as in the authors'
  own loader. A score from 0 to 1 is the intensity; other scores are dropped, as their scale is not told.
- **Splits**, the authors': of the speakers with four hours (1–4, 6–9, 11, 21) takes 1–8 and the first of every emotion are
  ``test``, 57–64 and the last of every emotion ``val``; conversation 1 is ``test`` and 12 ``val``. Of those with one
  hour 1–4 are ``test`` and 5–8 ``val``; the first take of every emotion and conversation 1 are cut in two: ``_a`` (its first
  30 s, of a conversation 300 s) is ``test``, ``_b`` ``val``. All else is ``train``. Other languages are split by the same numbers (ours).
- **Missing takes.** The release itself lacks takes 2–8 of speaker 9 and 1–8 of speaker 21.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kinesics.corpora import _download
from kinesics.corpora._corpus import Corpus
from kinesics.corpora._layout import (
    canonical,
    emotion_named,
    files_below,
    interval_of,
    rows_of,
    score_of,
    semantic_of,
    spoken,
    whole,
)
from kinesics.corpora._prepare import Item, Reading, prepare_items, speech_of
from kinesics.corpora._recipe import Recipe
from kinesics.errors import FormatError
from kinesics.formats import beat_face, bvh
from kinesics.performance import Performance, Tier

__all__ = ["download", "prepare"]

_NAME = re.compile(r"(\d+)_([^_]+)_([0-7])_(\d+)_(\d+|[ab])")
_FILES = {"speech": ".wav", "face": ".json", "words": ".TextGrid", "emotion": ".csv", "semantic": ".txt"}
_RANGES = (
    (64, "neutral"), (72, "happy"), (80, "anger"), (86, "sad"), (94, "contempt"), (102, "surprise"), (110, "fear"),
    (118, "disgust"),
)  # fmt: skip
_LANGUAGES = ("en", "zh", "es", "ja")
_FOUR_HOURS = {1, 2, 3, 4, 6, 7, 8, 9, 11, 21}
_FIRST = {65, 73, 81, 87, 95, 103, 111}
_LAST = {72, 80, 86, 94, 102, 110, 118}


def download(folder: str | Path, *, confirm: _download.Confirm | None = None) -> list[Path]:
    """Explain how to get BEAT: its licence must be agreed to on its page, so nothing is fetched.

    Parameters
    ----------
    folder
        Where it should go.
    confirm
        Is given the text; by default it is printed.
    """
    steps = (
        "1. Read the licence and ask for the data on https://pantomatrix.github.io/BEAT/\n"
        f"2. Unpack beat_english_v0.2.1 (or the other languages) into {folder}, one folder per speaker.\n"
        f"3. kinesics prepare beat {folder} TARGET"
    )
    return _download.by_hand(RECIPE, steps, confirm)


def prepare(
    source: str | Path, target: str | Path, *, fps: Any = 30, jobs: int = 1, skip_bad: bool = False
) -> Corpus:
    """Read BEAT into a prepared corpus.

    Parameters
    ----------
    source
        The folder with a folder for each speaker.
    target
        The new folder.
    fps
        Frames per second of body and face; None keeps 120 and 60.
    jobs
        How many processes; 0 for one per core.
    skip_bad
        Leave out what is missing or damaged, and name it in the index, instead of stopping there.

    Returns
    -------
    Corpus
        ``body``, ``speech``, ``face``, ``words``, ``phones``, ``emotion``, ``semantic``, ``keywords``.
    """
    items = []
    for path in files_below(Path(source), [".bvh"]):
        if found := _NAME.fullmatch(path.stem):
            items += _items(path, *found.groups())
    return prepare_items(RECIPE, items, _read, Path(target), fps=fps, jobs=jobs, skip_bad=skip_bad)


def _items(path: Path, number: str, name: str, kind: str, first: str, last: str) -> list[Item]:
    facts = {
        "language": _LANGUAGES[int(kind) // 2],
        "kind": "conversation" if int(kind) % 2 else "speech",
        "emotion": emotion_of(int(kind), int(first)),
    }
    files = {"body": path} | {k: path.with_suffix(e) for k, e in _FILES.items()}
    speaker = f"{number}_{name}"

    def item(half: str, span: tuple[float, float] | None) -> Item:
        split = split_of(int(number), int(kind), int(first), half)
        named = path.stem if half == last or not half else f"{path.stem}_{half}"
        return Item(named, split, speaker, files, ("body", "speech"), facts, span)

    if last in ("a", "b"):
        return [item(last, None)]
    if _halved(int(number), int(kind), int(first)):
        cut = 300.0 if int(kind) % 2 else 30.0
        return [item("a", (0.0, cut)), item("b", (cut, float("inf")))]
    return [item("", None)]


def emotion_of(kind: int, take: int) -> str:
    """Emotion that the number of a take stands for.

    >>> emotion_of(0, 103), emotion_of(1, 3)
    ('fear', 'neutral')
    """
    return "neutral" if kind % 2 else next((e for last, e in _RANGES if take <= last), "neutral")


def _halved(speaker: int, kind: int, take: int) -> bool:
    return speaker not in _FOUR_HOURS and (take == 1 if kind % 2 else take in _FIRST)


def split_of(speaker: int, kind: int, take: int, half: str = "") -> str:
    """Official split of a take; ``half`` is ``"a"`` or ``"b"`` of one that is cut in two."""
    if half:
        return {"a": "test", "b": "val"}[half]
    if speaker in _FOUR_HOURS:
        test, val = (
            (take == 1, take == 12)
            if kind % 2
            else (take <= 8 or take in _FIRST, 57 <= take <= 64 or take in _LAST)
        )
    else:
        test, val = (take == 1, False) if kind % 2 else (take <= 4, 5 <= take <= 8)
    return "test" if test else "val" if val else "train"


def _read(reading: Reading, fps: Any) -> Performance:
    tracks: dict[str, Any] = {
        "speech": reading("speech", speech_of),
        "body": reading("body", lambda p: canonical(bvh.read(p).body, fps)),
        "face": reading("face", lambda p: beat_face.read(p).face),
    }
    tracks |= reading("words", spoken) or {}
    emotion = reading("emotion", _emotion)
    tracks["emotion"] = emotion or whole(reading.item.facts["emotion"], tracks["body"].end)
    tracks |= reading("semantic", semantic_of) or {}
    return Performance({n: t for n, t in tracks.items() if t is not None})


def _emotion(path: Path) -> Tier:
    out = []
    for row in rows_of(path, ",", ("name", "start", "end", "duration", "score")):
        label, score = emotion_named(row["name"]), score_of(path, row)
        if label is None:
            raise FormatError(
                path,
                f"line {row['line']}",
                f"one of BEAT's eight emotions, found {row['name']!r:.40}",
                "mend this line",
            )
        out.append(interval_of(path, row, label, score if 0 <= score <= 1 else None))
    if not out:
        raise FormatError(path, "content", "at least one emotion", "get the file again")
    return Tier("emotion", tuple(out))


RECIPE = Recipe(
    "beat",
    "BEAT",
    "76 hours of 30 people talking: body, hands, face, words, eight emotions, semantic gestures",
    "CC BY-NC 4.0, after an agreement",
    "https://pantomatrix.github.io/BEAT/",
    "76 hours (the download page tells the gigabytes of each part)",
    "Liu, Zhu, Iwamoto, Peng, Li, Zhou, Bozkurt, Zheng: BEAT, ECCV 2022.",
    False,
    download,
    prepare,
)
