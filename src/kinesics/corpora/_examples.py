"""What a system learns from: its own windows of all clips of a split, made once and kept on the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from kinesics.corpora._kept import keep, kept_folder
from kinesics.errors import DataError, FormatError
from kinesics.formats._encode import from_json
from kinesics.performance import Performance
from kinesics.progress import progress

if TYPE_CHECKING:
    from kinesics.corpora._corpus import Corpus

VERSION = 2
ABOUT = "about.json"
_KINDS = "biuf"

Make = Callable[[Performance], Iterable[Mapping[str, NDArray[Any]]]]


class Examples:
    """Examples of one split, all with the same names and shapes, memory-mapped.

    It has what :func:`kinesics.lab.fit` asks of a corpus: ``hash``, ``split``, a length and :meth:`item`.

    Attributes
    ----------
    hash
        Of the corpus, the split and what makes the examples.
    split
        Of the corpus.
    arrays
        Name → (n, ...).
    clips
        Name of the clip of each example.
    """

    def __init__(self, folder: Path, split: str) -> None:
        self._folder, self.split = folder, split
        try:
            about = from_json((folder / ABOUT).read_bytes())
            self.hash = str(about["hash"])
            count = sum(n for _, n in about["clips"])
            self.clips: tuple[str, ...] = tuple(c for c, n in about["clips"] for _ in range(n))
            self.arrays: dict[str, NDArray[Any]] = {}
            for number, (name, kind, shape) in enumerate(about["arrays"]):
                path, dtype = folder / f"{number}.bin", np.dtype(kind)
                if dtype.kind not in _KINDS or path.stat().st_size != count * prod(shape) * dtype.itemsize:
                    raise ValueError(f"the array {name!r} has another size")
                self.arrays[name] = np.memmap(path, dtype, "r", shape=(count, *shape))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FormatError(
                folder, "kept examples", f"arrays as kinesics wrote them ({error})", "remove this folder"
            ) from error

    def __reduce__(self) -> tuple[type, tuple[Path, str]]:
        # Workers map the files themselves; the numbers are not sent.
        return type(self), (self._folder, self.split)

    def __len__(self) -> int:
        return len(self.clips)

    def item(self, index: int) -> dict[str, NDArray[Any]]:
        """One example."""
        return {name: values[index] for name, values in self.arrays.items()}


def examples_of(corpus: Corpus, split: str, make: Make, key: str) -> Examples:
    """The kept examples of a split; made if they are not there yet."""
    names = corpus.names(split)
    text = json.dumps([VERSION, key, split, corpus.hash])
    mark = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    folder = kept_folder(corpus.path, "examples", mark[:16])
    if not (folder / ABOUT).is_file():
        keep(folder, ABOUT, lambda work: _fill(corpus, names, split, make, mark, work))
    return Examples(folder, split)


def _fill(corpus: Corpus, names: tuple[str, ...], split: str, make: Make, mark: str, folder: Path) -> None:
    layout: dict[str, tuple[str, tuple[int, ...]]] = {}
    clips: list[tuple[str, int]] = []
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for clip in progress(names, f"examples ({split})", total=len(names), unit="clip"):
            count = 0
            show = corpus.clip(clip)
            # Systems tell people apart by number, however a corpus calls them.
            who = corpus.speakers.index(corpus.entry(clip).speaker)
            for row in make(Performance(show.tracks, {**show.meta, "speaker": who})):
                found = {n: (a.dtype.str, a.shape) for n, a in ((n, np.asarray(v)) for n, v in row.items())}
                if not layout:
                    layout = found
                    for number, (name, (kind, _)) in enumerate(layout.items()):
                        if np.dtype(kind).kind not in _KINDS:
                            raise DataError(
                                f"examples: {name!r} is of type {np.dtype(kind)}; expected numbers"
                            )
                        files[name] = stack.enter_context((folder / f"{number}.bin").open("wb"))
                if found != layout:
                    raise DataError(f"examples: clip {clip!r} gives {found}, the ones before gave {layout}")
                for name, file in files.items():
                    file.write(np.ascontiguousarray(row[name]).tobytes())
                count += 1
            clips.append((clip, count))
    if not layout:
        raise DataError(
            f"{corpus.name}: no example in split {split!r} ({len(names)} clips); are the clips as long as the window?"
        )
    about = {
        "hash": mark,
        "clips": clips,
        "arrays": [(n, kind, shape) for n, (kind, shape) in layout.items()],
    }
    (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
