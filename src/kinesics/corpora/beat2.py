"""BEAT2: BEAT's recordings fitted with SMPL-X bodies and FLAME faces.

Liu et al., "EMAGE: Towards Unified Holistic Co-Speech Gesture Generation via Expressive Masked Audio Gesture Modeling",
CVPR 2024. Official layout, from which ``prepare`` reads (``beat_english_v2.0.0`` or its likes): ``smplxflame_30/<id>.npz``
(see the format SMPL-X), ``wave16k/<id>.wav``, ``textgrid/<id>.TextGrid``, ``sem/<id>.txt`` and
``train_test_split.csv`` with the columns ``id`` and ``type``.

- **Body.** As the npz has it: SMPL-X joints are the canonical ones.
- **Face.** The track ``flame`` has FLAME's 100 expressions and the jaw; ``face`` has ``jawOpen`` alone, or all of ARKit in files
  of the stage.
- **Emotion** is told by the number of the take, as in BEAT; its intensity is not known.
- **Splits** are those of the file: ``train``, ``val``, ``test``, ``additional``. Takes that it does not list are left out, as by
  the authors' loaders; they are counted in the log.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from kinesics.corpora import _download
from kinesics.corpora._corpus import Corpus
from kinesics.corpora._layout import canonical, files_below, rows_of, semantic_of, spoken, whole
from kinesics.corpora._prepare import Item, Reading, prepare_items, speech_of
from kinesics.corpora._recipe import Recipe
from kinesics.corpora.beat import emotion_of
from kinesics.errors import DataError, FormatError
from kinesics.formats import smplx
from kinesics.performance import Performance

__all__ = ["download", "prepare"]

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d+)_([^_]+)_([0-7])_(\d+)_(\d+)")
_FILES = {"speech": ("wave16k", ".wav"), "words": ("textgrid", ".TextGrid"), "semantic": ("sem", ".txt")}
_SPLITS = ("train", "val", "test", "additional")


def download(folder: str | Path, *, confirm: _download.Confirm | None = None) -> list[Path]:
    """Explain how to get BEAT2 from Hugging Face.

    Parameters
    ----------
    folder
        Where it should go.
    confirm
        Is given the text; by default it is printed.
    """
    steps = (
        "1. With Hugging Face's own client, as it resumes and checks thousands of files:\n"
        f"   hf download H-Liu1997/BEAT2 --repo-type dataset --include 'beat_english_v2.0.0/*' --local-dir {folder}\n"
        f"2. kinesics prepare beat2 {folder}/beat_english_v2.0.0 TARGET\n"
        "The SMPL-X and FLAME models have licences of their own (https://smpl-x.is.tue.mpg.de); they are not needed here."
    )
    return _download.by_hand(RECIPE, steps, confirm)


def prepare(
    source: str | Path, target: str | Path, *, fps: Any = 30, jobs: int = 1, skip_bad: bool = False
) -> Corpus:
    """Read BEAT2 into a prepared corpus.

    Parameters
    ----------
    source
        The folder with ``smplxflame_30``.
    target
        The new folder.
    fps
        Frames per second of body and face; None keeps 30.
    jobs
        How many processes; 0 for one per core.
    skip_bad
        Leave out what is missing or damaged, and name it in the index, instead of stopping there.

    Returns
    -------
    Corpus
        ``body``, ``speech``, ``face``, ``flame``, ``words``, ``phones``, ``emotion``, ``semantic``, ``keywords``.
    """
    source = Path(source)
    splits = _splits(source / "train_test_split.csv")
    found = {p.stem for p in files_below(source / "smplxflame_30", [".npz"])}
    if unlisted := sorted(found - set(splits)):
        log.warning(
            "%s: %d takes that train_test_split.csv does not list are left out: %s …",
            source,
            len(unlisted),
            unlisted[0],
        )
    items = [_item(source, name, split) for name, split in splits.items()]
    return prepare_items(RECIPE, items, _read, Path(target), fps=fps, jobs=jobs, skip_bad=skip_bad)


def _splits(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise DataError(
            f"{path} is missing; name the folder beat_<language>_v2.0.0 that holds it and smplxflame_30"
        )
    out: dict[str, str] = {}
    for row in rows_of(path, ",", ("id", "type")):
        name, split = row["id"], row["type"]
        if not _NAME.fullmatch(name) or split not in _SPLITS or name in out:
            raise FormatError(
                path, f"line {row['line']}", f"a take and one of {', '.join(_SPLITS)}; found {name!r:.60}, {split!r:.20}",
                "get the file again",
            )  # fmt: skip
        out[name] = split
    return out


def _item(source: Path, name: str, split: str) -> Item:
    found = _NAME.fullmatch(name)
    assert found is not None
    number, who, kind, take, _ = found.groups()
    files = {"body": source / "smplxflame_30" / f"{name}.npz"}
    files |= {k: source / folder / f"{name}{ending}" for k, (folder, ending) in _FILES.items()}
    facts = {
        "emotion": emotion_of(int(kind), int(take)),
        "kind": "conversation" if int(kind) % 2 else "speech",
    }
    return Item(name, split, f"{number}_{who}", files, ("body", "speech"), facts)


def _read(reading: Reading, fps: Any) -> Performance:
    show: Performance = reading("body", smplx.read)
    tracks: dict[str, Any] = {"speech": reading("speech", speech_of), "body": canonical(show.body, fps)}
    tracks |= {n: show[n] for n in ("face", "flame") if n in show}
    tracks |= reading("words", spoken) or {}
    tracks["emotion"] = whole(reading.item.facts["emotion"], show.body.end)
    tracks |= reading("semantic", semantic_of) or {}
    return Performance(tracks, {"smplx": show.meta["smplx"]})


RECIPE = Recipe(
    "beat2",
    "BEAT2",
    "BEAT as SMPL-X bodies and FLAME faces, 60 hours of 25 people in English",
    "Apache-2.0 as published; the recordings are BEAT's (CC BY-NC 4.0), so treat it as non-commercial",
    "https://huggingface.co/datasets/H-Liu1997/BEAT2",
    "about 60 hours (the page tells the gigabytes)",
    "Liu, Zhu, Becherini, Peng, Su, Zhou, Zhe, Iwamoto, Zheng, Black: EMAGE, CVPR 2024.",
    False,
    download,
    prepare,
)
