"""From official files to a prepared corpus: parallel, resumable, and nothing left out in silence."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

from kinesics.corpora._corpus import (
    ABOUT,
    CLIPS,
    DONE,
    INDEX,
    VERSION,
    Corpus,
    Entry,
    file_hash,
    hash_of,
    named_well,
    read_index,
)
from kinesics.corpora._recipe import Recipe
from kinesics.errors import DataError, FormatError, KinesicsError, MissingExtra
from kinesics.files import replacing
from kinesics.formats import kin, sound
from kinesics.performance import Audio, Face, Motion, Performance, Points, Signal
from kinesics.performance._sampled import exact_rate
from kinesics.progress import progress

log = logging.getLogger(__name__)

RATE = 16_000
"""Hz of the speech of every prepared clip."""

_UNEVEN = 1.0  # seconds between the ends of a clip's tracks that are worth a word
_BEGUN, _LINES = ".begun.json", ".index.part"


@dataclass(frozen=True)
class Item:
    """One clip of a data set, before it is read.

    Parameters
    ----------
    name, split, speaker
        As in the index.
    files
        Kind → file. Those under ``needs`` must be there; without the others a track is missing.
    needs
        Kinds that the clip is nothing without.
    facts
        What else is known of it: text, emotion, level.
    span
        From which second to which it is cut out of the files; all of it where None.
    """

    name: str
    split: str
    speaker: str
    files: Mapping[str, Path]
    needs: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    span: tuple[float, float] | None = None

    def stamp(self) -> str:
        """Of what is known of it and of the sizes and times of its files."""
        files = {
            k: (s.st_size, s.st_mtime_ns) for k, p in self.files.items() if p.is_file() and (s := p.stat())
        }
        text = json.dumps(
            [self.split, self.speaker, files, dict(self.facts), self.span], sort_keys=True, default=str
        )
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class Reading:
    """The files of one item, read one by one; what is damaged is an error or, on request, told.

    Parameters
    ----------
    item
        What is read.
    skip_bad
        Whether parts that are missing or damaged are left out and told.
    """

    def __init__(self, item: Item, skip_bad: bool) -> None:
        self.item, self.skip_bad = item, skip_bad
        self.lacks: dict[str, str] = {}

    def __call__(self, kind: str, read: Callable[[Path], Any]) -> Any:
        """What ``read`` makes of the file of a kind; None where the item has none, or it was left out."""
        path = self.item.files.get(kind)
        if path is None:
            return None
        try:
            if not path.is_file():
                raise FormatError(
                    path, "path", f"the {kind} of {self.item.name}", "get the file, or skip what is bad"
                )
            return read(path)
        except MissingExtra:
            raise
        except (KinesicsError, OSError) as error:
            if kind in self.item.needs or not self.skip_bad:
                raise
            self.lacks[path.name] = str(error)
            return None


Read = Callable[[Reading, Any], Performance]
"""``read(reading, fps)``: the performance of an item; a function of its module, so that workers find it."""


@dataclass(frozen=True)
class _Job:
    read: Read
    item: Item
    target: Path
    fps: Any
    skip_bad: bool
    about: Mapping[str, Any]


def speech_of(path: Path) -> Audio:
    """The sound of a file (of a film, too) as mono at :data:`RATE`, as all prepared clips have it."""
    return sound.read(path).speech.mono().resample(RATE)


def _work(job: _Job) -> Entry:
    item = job.item
    reading = Reading(item, job.skip_bad)
    try:
        show = job.read(reading, job.fps)
        if item.span is not None:
            show = show.slice(*item.span)
        show = _at_rate(show, job.fps)
        sampled = {n: t for n, t in show.tracks.items() if isinstance(t, (Motion, Face, Audio, Points))}
        if not sampled or min(len(t) for t in sampled.values()) == 0:
            raise DataError(f"{item.name}: a track without a single sample")
    except MissingExtra:
        raise
    except (KinesicsError, OSError) as error:
        if not job.skip_bad:
            raise
        return Entry(item.name, item.split, item.speaker, skipped=f"{error}"[:500], source=item.stamp())
    meta = {
        **show.meta,
        "corpus": {**job.about, "clip": item.name, "split": item.split, "speaker": item.speaker},
    }
    meta["corpus"] |= dict(item.facts)
    path = job.target / CLIPS / f"{item.name}.kin"
    kin.write(replace(show, meta=meta), path)
    ends = [round(t.end, 6) for t in sampled.values()]
    return Entry(
        item.name, item.split, item.speaker, min(ends), max(ends), tuple(show.tracks), file_hash(path),
        path.stat().st_size, reading.lacks, source=item.stamp(),
    )  # fmt: skip


def _at_rate(show: Performance, fps: Any) -> Performance:
    if fps is None:
        return show
    moving = (Motion, Face, Points, Signal)
    return replace(
        show, tracks={n: t.resample(fps) if isinstance(t, moving) else t for n, t in show.tracks.items()}
    )


def prepare_items(
    recipe: Recipe, items: Sequence[Item], read: Read, target: Path, *, fps: Any, jobs: int, skip_bad: bool
) -> Corpus:
    """Read items and write a prepared corpus.

    Parameters
    ----------
    recipe
        The data set.
    items
        Its clips.
    read
        Reads one of them.
    target
        The new folder. One that was begun the same way is gone on with; one that is complete is left as it is.
    fps
        Frames per second of body, face, points and signals; None keeps what was recorded.
    jobs
        How many processes; 0 for one per core. With more than one a script must keep its own work
        under ``if __name__ == "__main__"``.
    skip_bad
        Leave out clips, and parts of clips, that are missing or damaged: each is named in the log and in
        the index, with the reason. Otherwise the first one is an error.

    Raises
    ------
    DataError
        If there is nothing to prepare, ``target`` holds something else, or the disk is full.
    FormatError
        At the first file that is missing or damaged, unless ``skip_bad``.
    """
    fps = None if fps is None else exact_rate(fps, "fps")
    items = _checked(recipe, items)
    if jobs < 0:
        raise DataError(f"jobs={jobs}; expected 1 or more, or 0 for one per core")
    begun = _begin(recipe, target, fps, items, skip_bad)
    lines = target / _LINES
    known = {e.name: e for e in _kept(target)} if begun else {}
    # What was skipped is looked at again, and what has changed since.
    stamps = {i.name: i.stamp() for i in items}
    done = {n: e for n, e in known.items() if not (e.skipped or e.lacks) and e.source == stamps.get(n)}
    _rewrite(lines, done.values())
    if not skip_bad:
        _all_there(recipe, [i for i in items if i.name not in done])
    about = {"name": recipe.name, "licence": recipe.licence}
    todo = [_Job(read, i, target, fps, skip_bad, about) for i in items if i.name not in done]
    with lines.open("a", encoding="utf-8") as file:
        for entry in progress(_results(todo, jobs), f"prepare {recipe.name}", total=len(todo), unit="clip"):
            if entry.skipped:
                log.warning("%s: skipped %s: %s", recipe.name, entry.name, entry.skipped)
            for name, reason in entry.lacks.items():
                log.warning("%s: %s is without %s: %s", recipe.name, entry.name, name, reason)
            if entry.longest - entry.seconds > _UNEVEN:
                log.warning(
                    "%s: tracks of %s end between %.1f and %.1f s; windows take the shortest",
                    recipe.name, entry.name, entry.seconds, entry.longest,
                )  # fmt: skip
            file.write(entry.line() + "\n")
            file.flush()
            done[entry.name] = entry
    return _finish(recipe, target, fps, [done[i.name] for i in items])


def _checked(recipe: Recipe, items: Sequence[Item]) -> list[Item]:
    items = sorted(items, key=lambda i: i.name)
    names = [i.name for i in items]
    if len(set(map(str.lower, names))) != len(names):
        folded = [n.lower() for n in names]
        twice = next(n for n in names if folded.count(n.lower()) > 1)
        raise DataError(f"{recipe.name}: two clips are called {twice!r}; remove one of them")
    if bad := [n for n in names if not named_well(n)]:
        raise DataError(f"{recipe.name}: {bad[0]!r:.80} cannot be the name of a clip; rename the file")
    if not items:
        raise DataError(f"{recipe.name}: no clip was found; name the folder that holds the official layout")
    return items


def _all_there(recipe: Recipe, items: Sequence[Item]) -> None:
    missing = [p for i in items for p in i.files.values() if not p.is_file()]
    if missing:
        first = ", ".join(str(p) for p in missing[:5])
        raise FormatError(
            missing[0].parent, f"{len(missing)} missing file(s)", first + (" …" if len(missing) > 5 else ""),
            "get them, or skip what is bad (--skip-bad)",
        )  # fmt: skip


def _begin(recipe: Recipe, target: Path, fps: Any, items: Sequence[Item], skip_bad: bool) -> bool:
    """Whether work in ``target`` was begun in the same way before."""
    order = {"name": recipe.name, "version": VERSION, "fps": None if fps is None else str(fps)}
    mark = target / _BEGUN
    if (target / DONE).is_file() or mark.is_file():
        try:
            found = json.loads(mark.read_bytes())
        except (OSError, ValueError):
            found = None
        if found != order:
            raise DataError(
                f"{target}: was prepared as {found}, not as {order}; name another folder, or remove it"
            )
        (target / DONE).unlink(missing_ok=True)
        for left in (target / CLIPS).glob(".*.part"):  # of a run that was killed
            left.unlink(missing_ok=True)
        return True
    if target.is_dir() and any(target.iterdir()):
        raise DataError(f"{target}: holds something else; name a new or an empty folder")
    (target / CLIPS).mkdir(parents=True, exist_ok=True)
    with replacing(mark) as file:
        file.write(json.dumps(order).encode())
    return False


def _kept(target: Path) -> Iterator[Entry]:
    """What an earlier run finished: its file is there in full."""
    path = target / _LINES
    if not path.is_file():
        path = target / INDEX
    if path.is_file():
        for entry in read_index(path, torn=True):
            clip = target / CLIPS / f"{entry.name}.kin"
            if not entry.skipped and clip.is_file() and clip.stat().st_size == entry.bytes:
                yield entry


def _rewrite(path: Path, entries: Any) -> None:
    with replacing(path) as file:
        file.write("".join(e.line() + "\n" for e in entries).encode())


def _results(todo: Sequence[_Job], jobs: int) -> Iterator[Entry]:
    count = min(jobs or os.cpu_count() or 1, len(todo))
    if count <= 1:
        yield from map(_work, todo)
        return
    # Fresh processes: forking a program that runs threads may hang.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        waiting = iter(todo)
        running = {pool.submit(_work, j) for _, j in zip(range(2 * count), waiting, strict=False)}
        try:
            while running:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(_work, j) for _, j in zip(finished, waiting, strict=False)}
                for future in finished:
                    yield future.result()
        except BrokenExecutor as error:
            raise DataError(
                "a worker was killed, perhaps for want of memory; run it again to go on, with fewer jobs"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let a worker end when whoever started it is killed; it would wait for work for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _finish(recipe: Recipe, target: Path, fps: Any, entries: list[Entry]) -> Corpus:
    kept = [e for e in entries if not e.skipped]
    if not kept:
        raise DataError(
            f"{recipe.name}: all {len(entries)} clips are bad, the first one because: {entries[0].skipped}"
        )
    _rewrite(target / INDEX, entries)
    about = {
        "version": VERSION, "name": recipe.name, "title": recipe.title, "licence": recipe.licence,
        "commercial": recipe.commercial, "source": recipe.source, "cite": recipe.cite,
        "fps": None if fps is None else str(fps), "clips": len(kept), "skipped": len(entries) - len(kept),
        "hours": round(sum(e.seconds for e in kept) / 3600, 4), "hash": hash_of(kept),
    }  # fmt: skip
    with replacing(target / ABOUT) as file:
        file.write(json.dumps(about, indent=1, ensure_ascii=False).encode())
    with replacing(target / DONE) as file:
        file.write((about["hash"] + "\n").encode())
    (target / _LINES).unlink(missing_ok=True)
    names = {e.name for e in kept}
    for path in (target / CLIPS).glob("*.kin"):
        if path.stem not in names:
            path.unlink()
    return Corpus.open(target)
