"""MEAD: 60 actors speaking sentences in eight emotions at three intensities, filmed from seven sides.

Wang et al., "MEAD: A Large-scale Audio-visual Dataset for Emotional Talking-face Generation", ECCV 2020. Official layout,
from which ``prepare`` reads: ``<ID>/video/<view>/<emotion>/level_<k>/<NNN>.mp4`` and
``<ID>/audio/<emotion>/level_<k>/<NNN>.m4a``. Folders in between are looked through; flat names (``M003_level_1_disgusted_015.mp4``,
``M012_front_neutral_level1_017.wav``) are read as well. Needs the extra ``video`` for ``.m4a`` and ``.mp4``.

- **Sound** is the audio file's; where there is none, that of the film.
- **Film.** The path of the frontal film (``view=`` another one) is kept among the facts; pictures are not copied.
- **Emotion** has the level as intensity: 1/3, 2/3, 1. Neutral has no levels.
- **Text.** ``list_full_mead_annotated.txt`` (of SPECTRE: ``<ID>_level_<k>_<emotion>_<NNN> TEXT``), if it lies in the folder, is
  kept among the facts.
- **Face.** MEAD has none. A file of the same name beside the sound or the film is read: ``.TextGrid`` (words and phones), and
  ``.csv`` of Live Link or ``.beat.json`` (face), ``.npz`` (SMPL-X or FLAME) or ``.kin``; so are those of the stage.
- **Splits** are EMOTE's, by actor: 32 train, 7 val, 8 test; other actors are ``additional``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kinesics import formats
from kinesics.corpora import _download
from kinesics.corpora._corpus import Corpus
from kinesics.corpora._layout import canonical, emotion_named, files_below, spoken, whole
from kinesics.corpora._prepare import Item, Reading, prepare_items, speech_of
from kinesics.corpora._recipe import Recipe
from kinesics.errors import FormatError, choose
from kinesics.formats import livelink
from kinesics.formats._text import decoded
from kinesics.performance import Performance

__all__ = ["download", "prepare"]

VIEWS = ("front", "down", "top", "left_30", "left_60", "right_30", "right_60")
_ACTOR = re.compile(r"[MW]\d{3}")
_FLAT = (
    re.compile(r"(?:.*_)?([MW]\d{3})_level_?(\d)_([a-z]+)_(\d{1,3})"),
    re.compile(r"(?:.*_)?([MW]\d{3})_([a-z]+(?:_\d\d)?)_([a-z]+)_level_?(\d)_(\d{1,3})"),
)
_SOUNDS, _FILMS = (".m4a", ".wav", ".flac"), (".mp4", ".mov", ".mkv")
_BESIDE = {"words": (".TextGrid",), "face": (".livelink.csv", ".csv", ".beat.json", ".npz", ".kin")}
_LEVEL = re.compile(r"level_?(\d)")
_TEXT = re.compile(r"^([MW]\d{3}_level_\d_[a-z]+_\d{3})\s+(\S.*)$", re.MULTILINE)


def _actors(text: str) -> frozenset[str]:
    out = set()
    for part in text.split():
        first, _, last = part.partition("-")
        out |= {f"{first[0]}{k:03d}" for k in range(int(first[1:]), int(last or first[1:]) + 1)}
    return frozenset(out)


_SPLITS = {
    "train": _actors(
        "M003 M005 M007 M009 M011-13 M019 M022-31 W009 W011 W014-16 W018 W019 W021 W023-26 W028 W029"
    ),
    "val": _actors("M032-35 W033 W035 W036"),
    "test": _actors("M037 M039-42 W037 W038 W040"),
}


@dataclass
class _Take:
    actor: str
    emotion: str
    level: int
    number: str
    sounds: list[Path] = field(default_factory=list)
    films: dict[str, Path] = field(default_factory=dict)


def download(folder: str | Path, *, confirm: _download.Confirm | None = None) -> list[Path]:
    """Explain how to get MEAD: it is shared through drives that ask for agreement, so nothing is fetched.

    Parameters
    ----------
    folder
        Where it should go.
    confirm
        Is given the text; by default it is printed.
    """
    steps = (
        "1. Follow the data set's links on https://wywu.github.io/projects/MEAD/MEAD.html (for research only).\n"
        f"2. Unpack each actor's audio.tar and video.tar into {folder}/<ID>.\n"
        f"3. kinesics prepare mead {folder} TARGET"
    )
    return _download.by_hand(RECIPE, steps, confirm)


def prepare(
    source: str | Path,
    target: str | Path,
    *,
    fps: Any = 30,
    jobs: int = 1,
    skip_bad: bool = False,
    view: str = "front",
) -> Corpus:
    """Read MEAD into a prepared corpus.

    Parameters
    ----------
    source
        The folder with a folder for each actor.
    target
        The new folder.
    fps
        Frames per second of faces that lie beside; None keeps their own.
    jobs
        How many processes; 0 for one per core.
    skip_bad
        Leave out what is missing or damaged, and name it in the index, instead of stopping there.
    view
        Which film a clip is about: ``front``, ``down``, ``top``, ``left_30``, ``left_60``, ``right_30``, ``right_60``.

    Returns
    -------
    Corpus
        ``speech`` and ``emotion``; ``face``, ``words``, ``phones`` where files beside give them.
    """
    choose("view", view, VIEWS)
    source = Path(source)
    texts = {}
    for path in files_below(source, ["list_full_mead_annotated.txt"]):
        texts |= {m[1]: m[2].strip() for m in _TEXT.finditer(decoded(path, fallback="latin-1")[0])}
    takes: dict[tuple[str, str, int, str], _Take] = {}
    beside: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in files_below(source, [*_SOUNDS, *_FILMS, *(e for group in _BESIDE.values() for e in group)]):
        beside[path.parent, path.name.partition(".")[0]].append(path)
        if path.suffix.lower() in (*_SOUNDS, *_FILMS) and (key := _key(path, source)):
            take = takes.setdefault(key[:4], _Take(*key[:4]))
            if path.suffix.lower() in _SOUNDS:
                take.sounds.append(path)
            else:
                take.films[key[4]] = path
    items = [i for t in takes.values() if (i := _item(t, source, view, texts, beside))]
    return prepare_items(RECIPE, items, _read, Path(target), fps=fps, jobs=jobs, skip_bad=skip_bad)


def _key(path: Path, source: Path) -> tuple[str, str, int, str, str] | None:
    """Actor, emotion, level, number and view of a film or sound; None where it is neither."""
    parts = path.relative_to(source.parent).parts
    found = _FLAT[0].fullmatch(path.stem)
    if found:
        actor, level, emotion, number = found.groups()
        view = "front"
    elif found := _FLAT[1].fullmatch(path.stem):
        actor, view, emotion, level, number = found.groups()
    else:
        actor = next((p for p in reversed(parts) if _ACTOR.fullmatch(p)), "")
        emotion = next((p for p in reversed(parts[:-1]) if emotion_named(p)), "")
        step = next((m for p in reversed(parts[:-1]) if (m := _LEVEL.fullmatch(p))), None)
        level, number = step[1] if step else "1", path.stem
        view = next((p for p in parts if p in VIEWS), "front")
    if not actor or emotion_named(emotion) is None or level not in "123" or not number.isdecimal():
        return None
    return actor, emotion, int(level), number.zfill(3), view


def _item(
    take: _Take, source: Path, view: str, texts: dict[str, str], beside: dict[tuple[Path, str], list[Path]]
) -> Item | None:
    film = take.films.get(view)
    if not take.sounds and film is None:
        return None
    name = f"{take.actor}_level_{take.level}_{take.emotion}_{take.number}"
    main = take.sounds[0] if take.sounds else film
    assert main is not None
    files = {"speech": main}
    near = [p for at in (main, film) if at for p in beside[at.parent, at.name.partition(".")[0]]]
    for kind, endings in _BESIDE.items():
        for ending in endings:
            found = next((p for p in near if p.name.lower().endswith(ending.lower())), None)
            if found and kind not in files:
                files[kind] = found
    facts: dict[str, Any] = {"emotion": emotion_named(take.emotion), "level": take.level}
    if film is not None:
        facts |= {"film": str(film.relative_to(source)), "view": view}
    if name in texts:
        facts["text"] = texts[name]
    split = next((s for s, actors in _SPLITS.items() if take.actor in actors), "additional")
    return Item(name, split, take.actor, files, ("speech",), facts)


def _read(reading: Reading, fps: Any) -> Performance:
    facts = reading.item.facts
    tracks: dict[str, Any] = {"speech": reading("speech", speech_of)}
    beside = reading("face", _face)
    if beside is not None:
        tracks |= {n: beside[n] for n in ("face", "flame") if n in beside}
        if "body" in beside:
            tracks["body"] = canonical(beside.body, fps)
    tracks |= reading("words", spoken) or {}
    value = None if facts["emotion"] == "neutral" else facts["level"] / 3
    tracks["emotion"] = whole(facts["emotion"], tracks["speech"].end, value)
    return Performance(tracks)


def _face(path: Path) -> Performance:
    show = livelink.read(path) if path.suffix.lower() == ".csv" else formats.load(path)
    if not {"face", "flame"} & set(show):
        raise FormatError(path, "content", "a face", "remove the file, or check what it is")
    return show


RECIPE = Recipe(
    "mead",
    "MEAD",
    "60 actors, eight emotions at three intensities, seven views, with sound; 40 hours per view",
    "for research only, on request",
    "https://wywu.github.io/projects/MEAD/MEAD.html",
    "40 hours per view (the page tells the gigabytes)",
    "Wang, Wu, Song, Yang, Wu, Qian, He, Qiao, Loy: MEAD, ECCV 2020.",
    False,
    download,
    prepare,
)
