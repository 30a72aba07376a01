"""A prepared data set: a folder of performances with an index."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kinesics.errors import DataError, FormatError, choose
from kinesics.files import existing
from kinesics.formats import kin
from kinesics.formats._encode import from_json
from kinesics.performance import Performance
from kinesics.progress import progress

if TYPE_CHECKING:
    from kinesics.corpora._examples import Examples, Make
    from kinesics.corpora._features import Features, FeatureTable

VERSION = 1
ABOUT, INDEX, DONE, CLIPS = "corpus.json", "index.jsonl", ".completed", "clips"
_MOST_INDEX = 2_000_000_000
_NAME = re.compile(r"[^/\\\x00-\x1f]{1,200}")


@dataclass(frozen=True)
class Entry:
    """What the index says of one clip.

    Parameters
    ----------
    name
        The clip's.
    split
        ``"train"``, ``"val"``, ``"test"`` or what else the data set has.
    speaker
        Who it shows.
    seconds
        How long it is: the end of its shortest sampled track.
    longest
        Second at which the longest one ends; what lies between is in no window.
    tracks
        What it holds.
    hash
        BLAKE2b of its file.
    bytes
        Size of its file.
    lacks
        File → why it was left out, for parts that were skipped on request.
    skipped
        Why the whole clip was skipped on request; "" where it was not.
    source
        Stamp of the files it was read from; another one means that it is read again.
    """

    name: str
    split: str = ""
    speaker: str = ""
    seconds: float = 0.0
    longest: float = 0.0
    tracks: tuple[str, ...] = ()
    hash: str = ""
    bytes: int = 0
    lacks: Mapping[str, str] = field(default_factory=dict)
    skipped: str = ""
    source: str = ""

    def line(self) -> str:
        """Its line in the index."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def of_line(cls, line: str) -> Entry:
        """From :meth:`line`; a ValueError if it is not one."""
        about = from_json(line.encode("utf-8"))
        if not isinstance(about, dict) or set(about) != set(cls.__dataclass_fields__):
            raise ValueError("other keys than an entry has")
        for key, kind in (("name", str), ("split", str), ("speaker", str), ("hash", str), ("skipped", str),
            ("source", str),
                          ("bytes", int), ("tracks", list), ("lacks", dict), ("seconds", (int, float)), ("longest", (int, float))):  # fmt: skip
            if not isinstance(about[key], kind) or isinstance(about[key], bool):
                raise ValueError(f"{key!r} is {str(about[key])[:40]}")
        if not named_well(about["name"]):
            raise ValueError("the name is no name of a file")
        return cls(**about | {"tracks": tuple(map(str, about["tracks"]))})


class Window(NamedTuple):
    """A part of a clip: its name, and from which second to which."""

    clip: str
    start: float
    end: float


class Corpus:
    """A prepared data set.

    Made by ``prepare`` and opened with :meth:`open`. Clips stay on the disk: a performance maps its
    file, and what is not looked at is not read.

    Parameters
    ----------
    path
        The folder.
    about
        What ``corpus.json`` says: ``name``, ``licence``, ``cite``, ``fps``, ``commercial`` …
    entries
        The index.

    Examples
    --------
    >>> corpus = Corpus.open("beat2-prepared")  # doctest: +SKIP
    >>> len(corpus), corpus.splits  # doctest: +SKIP
    (1762, {'additional': 1097, 'test': 265, 'train': 255, 'val': 145})
    >>> corpus.clip("2_scott_0_1_1").body  # doctest: +SKIP
    """

    def __init__(self, path: Path, about: Mapping[str, Any], entries: tuple[Entry, ...]) -> None:
        self.path, self.about = path, dict(about)
        self.skipped = tuple(e for e in entries if e.skipped)
        self._entries = {e.name: e for e in entries if not e.skipped}

    @staticmethod
    def open(path: str | PathLike[str]) -> Corpus:
        """Open a prepared folder.

        Raises
        ------
        DataError
            If its preparation was not finished.
        FormatError
            If its index is damaged.
        """
        path = Path(path)
        if not (path / DONE).is_file():
            state = "its preparation was not finished: run it again" if path.is_dir() else "no such folder"
            raise DataError(f"{path}: no prepared corpus ({state}; see kinesics prepare)")
        about = _json(path / ABOUT)
        if about.get("version") != VERSION:
            raise FormatError(path / ABOUT, "version", str(VERSION), "prepare the corpus again")
        corpus = Corpus(path, about, read_index(path / INDEX))
        if about.get("hash") != corpus.hash:
            raise FormatError(
                path / INDEX,
                "all lines",
                f"an index of hash {about.get('hash')}, found {corpus.hash}",
                "prepare it again",
            )
        return corpus

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __repr__(self) -> str:
        hours = sum(e.seconds for e in self._entries.values()) / 3600
        return f"<Corpus {self.name}: {len(self)} clips, {hours:.2f} h, {self.splits}, {len(self.skipped)} skipped>"

    @property
    def name(self) -> str:
        """The data set's name."""
        return str(self.about["name"])

    @property
    def licence(self) -> str:
        """Under which terms it may be used."""
        return str(self.about["licence"])

    @cached_property
    def hash(self) -> str:
        """Of all clips and their splits; the same data prepared the same way has the same one."""
        return hash_of(self._entries.values())

    @property
    def splits(self) -> dict[str, int]:
        """How many clips each split has."""
        names = [e.split for e in self._entries.values()]
        return {s: names.count(s) for s in sorted(set(names))}

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who speaks, sorted."""
        return tuple(sorted({e.speaker for e in self._entries.values()}))

    def names(self, split: str | None = None, *, speaker: str | None = None) -> tuple[str, ...]:
        """Names of the clips of a split and a speaker; all where None."""
        if split is not None:
            choose("split", split, self.splits)
        if speaker is not None:
            choose("speaker", speaker, self.speakers)
        return tuple(
            e.name
            for e in self._entries.values()
            if split in (None, e.split) and speaker in (None, e.speaker)
        )

    def entry(self, name: str) -> Entry:
        """What the index says of a clip."""
        if name not in self._entries:
            near = ", ".join([*self._entries][:5])
            raise DataError(f"corpus {self.name!r} has no clip {name!r}; it has {len(self)}, such as {near}")
        return self._entries[name]

    def clip(self, name: str) -> Performance:
        """A clip; its samples stay on the disk until they are used."""
        path = self.path / CLIPS / f"{self.entry(name).name}.kin"
        return kin.read(existing(path, f"the clip {name!r}"))

    def windows(self, length: float, stride: float | None = None, split: str | None = None) -> list[Window]:
        """Windows of ``length`` seconds, a ``stride`` apart (its length by default), that lie within a clip.

        Examples
        --------
        >>> corpus.windows(4.0, 1.0, "train")[0]  # doctest: +SKIP
        Window(clip='2_scott_0_9_9', start=0.0, end=4.0)
        """
        stride = length if stride is None else stride
        if not 0 < length < float("inf") or not 0 < stride < float("inf"):
            raise DataError(f"windows of {length} s every {stride} s; expected more than 0")
        out = []
        for name in self.names(split):
            # A clip of 4 s, less a rounding, still has its window.
            count = int((self._entries[name].seconds - length + 1e-6) / stride + 1e-9) + 1
            if self._entries[name].seconds - length + 1e-6 >= 0:
                out += [Window(name, k * stride, k * stride + length) for k in range(count)]
        return out

    def cut(self, window: Window) -> Performance:
        """The performance in a window, moved so that it begins at 0."""
        return self.clip(window.clip).slice(window.start, window.end)

    def features(self, spec: Features) -> FeatureTable:
        """What a network is trained on, at one rate, all clips one after the other; made once and kept on the disk."""
        from kinesics.corpora._features import table_of

        return table_of(self, spec)

    def examples(self, split: str, make: Make, *, key: str) -> Examples:
        """What ``make`` yields for each clip of a split, all of the same shapes; made once and kept on the disk.

        Parameters
        ----------
        split
            Of the corpus.
        make
            A performance → arrays by name, several times; such as ``System.examples``. Its ``meta["speaker"]`` is the
            number of the clip's speaker among :attr:`speakers`.
        key
            What ``make`` depends on (name, revision and configuration of the system): another key is made anew.

        Returns
        -------
        Examples
            Ready for :func:`kinesics.lab.fit`.
        """
        from kinesics.corpora._examples import examples_of

        return examples_of(self, split, make, key)

    def verify(self) -> list[str]:
        """Names of clips whose file is missing or not as it was prepared."""
        bad = []
        for entry in progress(self._entries.values(), "verify", total=len(self), unit="clip"):
            path = self.path / CLIPS / f"{entry.name}.kin"
            if not path.is_file() or path.stat().st_size != entry.bytes or file_hash(path) != entry.hash:
                bad.append(entry.name)
        return bad


def named_well(name: str) -> bool:
    """Whether a clip may be called so: a plain, visible file name."""
    return _NAME.fullmatch(name) is not None and not name.startswith(".")


def file_hash(path: Path) -> str:
    """BLAKE2b of a file, 128 bits in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def hash_of(entries: Any) -> str:
    """Of clips and their splits, whatever their order."""
    lines = sorted(f"{e.name}\x1f{e.split}\x1f{e.speaker}\x1f{e.hash}" for e in entries)
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


def read_index(path: Path, *, torn: bool = False) -> tuple[Entry, ...]:
    """Read an index; with ``torn``, stop at a line that a kill left unfinished."""
    path = existing(path, "an index")
    if path.stat().st_size > _MOST_INDEX:
        raise FormatError(path, "size", f"at most {_MOST_INDEX:,} bytes", "prepare the corpus again")
    out: dict[str, Entry] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                if not line.endswith("\n"):
                    raise ValueError("the line is cut off")
                entry = Entry.of_line(line)
            except ValueError as error:
                if torn:
                    break
                raise FormatError(
                    path,
                    f"line {number}",
                    f"a clip as kinesics writes it ({error})",
                    "prepare the corpus again",
                ) from error
            out[entry.name] = entry
    return tuple(out.values())


def _json(path: Path) -> dict[str, Any]:
    try:
        about = from_json(existing(path, "what a corpus is").read_bytes())
        if not isinstance(about, dict) or not isinstance(about.get("name"), str) or "licence" not in about:
            raise ValueError("no name or licence")
    except (ValueError, OSError) as error:
        raise FormatError(
            path, "content", f"JSON as kinesics writes it ({error})", "prepare the corpus again"
        ) from error
    return about
