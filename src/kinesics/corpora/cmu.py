"""CMU motion capture: 2,500 takes of 144 subjects walking, dancing, playing, working and signalling.

Carnegie Mellon University Graphics Lab, mocap.cs.cmu.edu. ``prepare`` reads BVH conversions: any folder tree with
files ``<subject>_<take>.bvh`` of the "cgspeed" releases (B. Hahne), 120 frames per second.

- **Body.** Brought to the canonical joints. The releases begin with a T-pose and swing from it into the motion within 9 frames,
  which nobody did: where a take begins twice as fast as it goes on, its first 75 ms are dropped.
- **Words.** The description of a take in CMU's index becomes one interval in the tier ``actions``. It is found in an
  ``index.tsv`` (columns ``clip``, ``description``) or in an index text (lines ``02_01  walk``) in the folder.
- **Splits.** There are no official ones. Ours: about every tenth subject is ``val``, and every tenth ``test``. Files named
  ``train_…`` or ``test_…`` keep that split.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from kinesics.corpora import _download
from kinesics.corpora._corpus import Corpus
from kinesics.corpora._layout import canonical, files_below, shared_out
from kinesics.corpora._prepare import Item, Reading, prepare_items
from kinesics.corpora._recipe import Recipe
from kinesics.formats import bvh
from kinesics.formats._text import decoded
from kinesics.geometry import rotations as rot
from kinesics.performance import Interval, Motion, Performance, Tier

__all__ = ["download", "prepare"]

_TAKE = re.compile(r"(\d{1,3})_(\d{1,3})")
_NAMED = re.compile(r"(train|test)_(.+?)_\d+")
_LINE = re.compile(r"^\W*(\d{1,3}_\d{1,3})[\s|]+(\S.*?)[\s|]*$", re.MULTILINE)
_COMMIT = "62ac0fb0ec43cff2bf66426928f4fa6682d4bbdc"
_URL = f"https://codeload.github.com/una-dinosauria/cmu-mocap/zip/{_COMMIT}"
_MOST, _MOST_UNPACKED = 3_000_000_000, 12_000_000_000
_MOST_INDEX = 5_000_000
_LEAD_IN = 0.075
"""Seconds over which the releases swing from the T-pose into the motion: 9 frames of 120 (measured on 5 takes)."""

_PACE = 1.5
"""Radians per second that the joints turn on average in that swing, at least (measured on 127 takes: 2 to 10)."""


def download(folder: str | Path, *, confirm: _download.Confirm | None = None) -> list[Path]:
    """Fetch CMU's motions as BVH from a public mirror, after asking.

    Parameters
    ----------
    folder
        Where they go; an interrupted download goes on there.
    confirm
        Is given what would be fetched and says yes or no; by default the terminal is asked.

    Returns
    -------
    list of Path
        The BVH files and index texts.

    Raises
    ------
    DataError
        If the answer is no, or it cannot be fetched.
    """
    folder = Path(folder)
    _download.agreed(RECIPE, f"{_URL} to {folder}", confirm)
    archive = _download.fetch(_URL, folder / f"cmu-mocap-{_COMMIT[:8]}.zip", most=_MOST)
    return list(_download.unpack(archive, folder / "bvh", (".bvh", ".txt", ".md"), most=_MOST_UNPACKED))


def prepare(
    source: str | Path, target: str | Path, *, fps: Any = 30, jobs: int = 1, skip_bad: bool = False
) -> Corpus:
    """Read CMU's motions into a prepared corpus.

    Parameters
    ----------
    source
        A folder with BVH files somewhere below it.
    target
        The new folder.
    fps
        Frames per second; None keeps the files' own.
    jobs
        How many processes; 0 for one per core.
    skip_bad
        Leave out what is damaged, and name it in the index, instead of stopping there.

    Returns
    -------
    Corpus
        ``body`` and, where the take is described, ``actions``.
    """
    source = Path(source)
    paths = list(files_below(source, [".bvh"]))
    words = _descriptions(source)
    splits = shared_out(sorted({int(m[1]) for p in paths if (m := _TAKE.fullmatch(p.stem))}))
    items = [_item(p, words, splits) for p in paths]
    return prepare_items(RECIPE, items, _read, Path(target), fps=fps, jobs=jobs, skip_bad=skip_bad)


def _descriptions(source: Path) -> dict[str, str]:
    out: dict[str, str] = {}
    for path in files_below(source, [".tsv", ".txt", ".md"]):
        if path.stat().st_size > _MOST_INDEX:
            continue
        text = decoded(path, fallback="latin-1")[0]
        if path.suffix == ".tsv":
            lines = [line.split("\t") for line in text.splitlines()]
            head = lines[0] if lines else []
            if {"clip", "description"} <= set(head):
                at = head.index("clip"), head.index("description")
                out |= {
                    row[at[0]].removesuffix(".bvh"): row[at[1]] for row in lines[1:] if len(row) == len(head)
                }
        else:
            out |= {m[1]: " ".join(m[2].split()) for m in _LINE.finditer(text)}
    return {k: v for k, v in out.items() if v and v.lower() != "unknown"}


def _item(path: Path, words: dict[str, str], splits: dict[int, str]) -> Item:
    name, split, speaker = path.stem, "train", "unknown"
    text = words.get(name, "")
    if take := _TAKE.fullmatch(name):
        speaker = f"{int(take[1]):03d}"
        split = splits[int(take[1])]
    elif named := _NAMED.fullmatch(name):
        split, text = named[1], text or named[2].replace("_", " ")
    return Item(name, split, speaker, {"body": path}, ("body",), {"text": text} if text else {})


def _read(reading: Reading, fps: Any) -> Performance:
    body: Motion = reading("body", lambda p: canonical(_without_lead_in(bvh.read(p).body), fps))
    tracks: dict[str, Any] = {"body": body}
    if text := reading.item.facts.get("text"):
        tracks["actions"] = Tier("actions", (Interval(0.0, body.end, text),))
    return Performance(tracks)


def _without_lead_in(motion: Motion) -> Motion:
    fps = float(motion.fps)
    first, last = max(2, round(0.05 * fps)), round(0.35 * fps)
    if len(motion) < last + 2:
        return motion
    step = rot.angle(motion.rotations[:last], motion.rotations[1 : last + 1]).mean(axis=1)
    begins, goes_on = step[:first].max(), step[round(_LEAD_IN * fps) + 1 :].max()
    if begins * fps < _PACE or begins < 2 * goes_on:
        return motion
    cut = math.ceil(_LEAD_IN * fps)
    return replace(motion, rotations=motion.rotations[cut:], root=motion.root[cut:])


RECIPE = Recipe(
    "cmu",
    "CMU motion capture",
    "about 2,500 takes of 144 subjects: everyday actions, sport, dance, signals, with descriptions",
    "free for all uses, also in products; the data itself may not be resold",
    "http://mocap.cs.cmu.edu, as BVH (B. Hahne, cgspeed.com) from https://github.com/una-dinosauria/cmu-mocap",
    "about 1 GB packed, several GB as BVH",
    "The data was obtained from mocap.cs.cmu.edu (created with funding from NSF EIA-0196217).",
    True,
    download,
    prepare,
)
