"""The stage: people who do not exist, made by ``kinesics stage make speakers``, with perfect labels.

Nothing is downloaded: the stage makes the data, from a seed. ``prepare`` reads the folder it writes: ``<clip>.kin``
files in any tree, a ``speaker.json`` (``speaker``) in a clip's folder or one above it, and a ``corpus.json`` at the top
(``licence``; ``splits``: clip or speaker → split, or split → list of these). A folder that was not finished is refused.

- **Tracks** are all kept as they are, body and face at ``fps``.
- **Speaker**: what the clip's own facts say (``speaker``), else the nearest ``speaker.json``, else the name of its folder.
- **Splits**: what the clip's own facts say (``split``), else ``corpus.json``, else ours: about every tenth take in the order of
  their names is ``val``, and every tenth ``test``, so that all people are heard in training, as in BEAT;
  ``held_out="speakers"`` holds out people instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kinesics.corpora import _download
from kinesics.corpora._corpus import Corpus
from kinesics.corpora._layout import canonical, files_below, shared_out
from kinesics.corpora._prepare import Item, Reading, prepare_items
from kinesics.corpora._recipe import Recipe
from kinesics.errors import DataError, FormatError, KinesicsError, choose
from kinesics.formats import kin
from kinesics.formats._encode import from_json
from kinesics.performance import Performance

__all__ = ["download", "prepare"]

_MOST_JSON = 100_000_000


def download(folder: str | Path, *, confirm: _download.Confirm | None = None) -> list[Path]:
    """Say how the stage is made; there is nothing to fetch.

    Parameters
    ----------
    folder
        Where it should go.
    confirm
        Is given the text; by default it is printed.
    """
    steps = (
        f"1. kinesics stage make speakers --count 200 --seed 7 -o {folder}\n"
        f"2. kinesics prepare stage {folder} TARGET"
    )
    return _download.by_hand(RECIPE, steps, confirm)


def prepare(
    source: str | Path,
    target: str | Path,
    *,
    fps: Any = 30,
    jobs: int = 1,
    skip_bad: bool = False,
    held_out: str = "takes",
) -> Corpus:
    """Read a folder of the stage into a prepared corpus.

    Parameters
    ----------
    source
        What ``kinesics stage make`` wrote.
    target
        The new folder.
    fps
        Frames per second of body, face and signals; None keeps the stage's.
    jobs
        How many processes; 0 for one per core.
    skip_bad
        Leave out what is damaged, and name it in the index, instead of stopping there.
    held_out
        What ``val`` and ``test`` are made of where nothing says it: ``"takes"`` of people who are heard in training, too, or
        ``"speakers"`` who are not.
    """
    choose("held_out", held_out, ("takes", "speakers"))
    source = Path(source)
    clips = list(files_below(source, [".kin"]))
    about = _json(source / "corpus.json") if (source / "corpus.json").is_file() else {}
    if not about and (source / "manifest.json").is_file():
        raise DataError(f"{source}: was not finished; run kinesics stage make with the same settings again")
    told = _splits(about)
    own = {p: _own(p) for p in clips}
    who = {p: own[p].get("speaker") or _speaker(p, source) for p in clips}
    ours = shared_out(clips if held_out == "takes" else sorted(set(who.values())))
    stems = Counter(p.stem.lower() for p in clips)
    items = []
    for path in clips:
        name = (
            "__".join(path.relative_to(source).with_suffix("").parts)
            if stems[path.stem.lower()] > 1
            else path.stem
        )
        keys = (path.stem, path.relative_to(source).as_posix(), name, who[path])
        split = own[path].get("split") or next((told[k] for k in keys if k in told), None)
        items.append(
            Item(
                name,
                split or ours[path if held_out == "takes" else who[path]],
                who[path],
                {"clip": path},
                ("clip",),
            )
        )
    licence = str(about.get("licence", RECIPE.licence))
    return prepare_items(
        replace(RECIPE, licence=licence), items, _read, Path(target), fps=fps, jobs=jobs, skip_bad=skip_bad
    )


def _own(path: Path) -> dict[str, str]:
    try:
        meta = kin.read(path).meta
    except KinesicsError:
        return {}  # told when the clip itself is read
    about = meta.get("stage") if isinstance(meta.get("stage"), Mapping) else meta
    out = {}
    for key in ("speaker", "split"):
        value = about.get(key, meta.get(key))
        value = value.get("id", value.get("name")) if isinstance(value, Mapping) else value
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            out[key] = str(value)
    return out


def _speaker(path: Path, source: Path) -> str:
    for folder in path.parents:
        if (folder / "speaker.json").is_file():
            about = _json(folder / "speaker.json")
            found = next(
                (about[k] for k in ("speaker", "id", "name") if isinstance(about.get(k), (str, int))),
                folder.name,
            )
            return str(found)
        if folder == source:
            break
    return path.parent.name


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_JSON:
            raise ValueError("it is too large")
        about = from_json(path.read_bytes())
        if not isinstance(about, dict):
            raise ValueError("it is no mapping")
    except ValueError as error:
        raise FormatError(path, "content", f"a JSON object ({error})", "make the corpus again") from error
    return about


def _splits(about: dict[str, Any]) -> dict[str, str]:
    splits = about.get("splits", {})
    out: dict[str, str] = {}
    for key, value in splits.items() if isinstance(splits, dict) else ():
        out |= {str(v): key for v in value} if isinstance(value, list) else {key: str(value)}
    return out


def _read(reading: Reading, fps: Any) -> Performance:
    show: Performance = reading("clip", kin.read)
    if "body" in show:
        show = show.with_tracks(body=canonical(show.body, fps))
    if not show.tracks:
        raise DataError(f"{reading.item.name}: it holds no track")
    return show


RECIPE = Recipe(
    "stage",
    "Kinesics' stage",
    "synthetic speakers with exact words, phones, face, body, emotion and intent",
    "yours: made on your machine (speech by espeak-ng; the avatars are CC0)",
    "kinesics stage make speakers",
    "as much as you make",
    "Kinesics.",
    True,
    download,
    prepare,
)
