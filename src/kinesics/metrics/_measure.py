"""A metric by its name, over performances, files or folders."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from kinesics import formats
from kinesics.errors import DataError
from kinesics.metrics._registry import Score, find
from kinesics.performance import Performance

log = logging.getLogger(__name__)

Source = Performance | str | PathLike[str] | Sequence[Performance | str | PathLike[str]]


@dataclass(frozen=True)
class Takes:
    """Performances to be measured.

    Parameters
    ----------
    side
        ``"reference"`` or ``"estimate"``, for messages.
    performances
        Name → performance, in order.
    named
        Whether the names are those of files in a folder, by which the two sides are paired.
    """

    side: str
    performances: dict[str, Performance]
    named: bool

    def __iter__(self) -> Iterator[Performance]:
        return iter(self.performances.values())

    def __len__(self) -> int:
        return len(self.performances)

    def tracks(self, name: str) -> list[Any]:
        """One track of every performance; a DataError says which lacks it."""
        for label, show in self.performances.items():
            if name not in show:
                raise DataError(
                    f"{self.side} {label!r}: no track {name!r}; it has: {', '.join(show) or 'none'}"
                )
        return [show[name] for show in self]


def measure(name: str, reference: Source, estimate: Source, **options: Any) -> Score:
    """Compute one metric.

    Parameters
    ----------
    name
        A metric that :func:`available` lists with a way over performances (``over`` is not None).
    reference, estimate
        A performance, a file, a list of these, or a folder. In a folder, files of one name (``a.bvh``,
        ``a.wav``) make one performance; two folders are paired by these names, lists by their order.
    options
        What the metric takes besides, for instance ``extractor=`` for FGD.

    Returns
    -------
    Score
        The value, with all that is needed to compare it: unit, direction, extractor, settings, notes.

    Raises
    ------
    DataError
        On an unknown metric or option, performances that lack a track, or sides that do not pair.
    FormatError
        If a file is not what its format says.

    Examples
    --------
    >>> from kinesics.performance import Interval, Performance, Tier
    >>> said = Performance({"words": Tier("words", [Interval(0, 1, "hello"), Interval(1, 2, "world")])})
    >>> read = Performance({"words": Tier("words", [Interval(0, 1, "hello"), Interval(1, 2, "word")])})
    >>> measure("WER", said, read).value
    0.5
    """
    metric = find(name)
    if metric.over is None:
        where = f"kinesics.metrics.{metric.task}"
        raise DataError(f"{metric.name} cannot be read off performances; give {where} {metric.needs}")
    module, function = metric.over.split(":")
    over = getattr(import_module(f"kinesics.metrics.{module}"), function)
    known = [p.name for p in inspect.signature(over).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise DataError(
                f"unknown option {option!r} for {metric.name}; it takes: {', '.join(known) or 'none'}"
            )
    return over(metric, takes(reference, "reference"), takes(estimate, "estimate"), **options)


def takes(source: Source, side: str) -> Takes:
    """Performances from whatever names them."""
    if isinstance(source, Performance):
        return Takes(side, {"0": source}, named=False)
    if isinstance(source, (str, PathLike)):
        path = Path(source)
        if path.is_dir():
            return Takes(side, _folder(path), named=True)
        return Takes(side, {path.name: formats.load(path)}, named=False)
    if not isinstance(source, Sequence) or not len(source):
        raise DataError(
            f"{side}: expected a performance, a file, a folder or a list of them, not {source!r:.40}"
        )
    found: dict[str, Performance] = {}
    for i, one in enumerate(source):
        if isinstance(one, Performance):
            found[str(i)] = one
        elif isinstance(one, (str, PathLike)) and not Path(one).is_dir():
            found[f"{i}: {Path(one).name}"] = formats.load(one)
        else:
            raise DataError(f"{side} {i}: expected a performance or a file, not {one!r:.40}")
    return Takes(side, found, named=False)


def _folder(folder: Path) -> dict[str, Performance]:
    endings = sorted(formats.available("read"), key=len, reverse=True)
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        lower = path.name.lower()
        ending = next((e for e in endings if lower.endswith(e)), None)
        if ending and path.is_file() and not lower.startswith("."):
            files.setdefault(path.name[: -len(ending)], []).append(path)
        elif path.is_file():
            log.info("%s: not a performance, left out", path)
    if not files:
        raise DataError(f"{folder}: no file that can be read; endings are: {', '.join(sorted(endings))}")
    return {name: _merged(paths) for name, paths in files.items()}


def _merged(paths: list[Path]) -> Performance:
    tracks: dict[str, Any] = {}
    home: dict[str, Path] = {}
    for path in paths:
        for name, track in formats.load(path).tracks.items():
            if name in tracks:
                raise DataError(
                    f"two files give the track {name!r}: {home[name]} and {path}; keep one of them"
                )
            tracks[name], home[name] = track, path
    return Performance(tracks)


def paired(reference: Takes, estimate: Takes) -> list[tuple[Performance, Performance]]:
    """The performances two by two: by name if both sides are folders, else by order."""
    a, b = reference.performances, estimate.performances
    if reference.named and estimate.named:
        for mine, other, side in ((a, b, "estimate"), (b, a, "reference")):
            lost = [n for n in mine if n not in other]
            if lost:
                raise DataError(
                    f"the {side} has no {lost[0]!r} ({len(lost)} missing); both folders need the same names"
                )
        return [(a[n], b[n]) for n in a]
    if len(a) != len(b):
        raise DataError(f"{len(a)} references but {len(b)} estimates; they go in pairs")
    return list(zip(a.values(), b.values(), strict=True))


def together(a: Any, b: Any, fps: object) -> tuple[Any, Any, str]:
    """Two sampled tracks over the seconds both last, at one rate; what was left out is said in a note."""
    start, end = max(a.start, b.start), min(a.end, b.end)
    if end <= start:
        raise DataError(f"tracks: {a.start:g}–{a.end:g} s and {b.start:g}–{b.end:g} s have no time in common")
    x, y = (t.slice(start, end).resample(fps) for t in (a, b))
    count = min(len(x), len(y))
    if not count:
        raise DataError("tracks: no frame in common")
    longer = max(a.end, b.end) - min(a.start, b.start) - (end - start)
    note = f"{longer:.2f} s that only one side has were left out" if longer > 1.5 / float(x.fps) else ""
    cut = [t.slice(t.start, t.start + (count - 0.5) / float(t.fps)) for t in (x, y)]
    return cut[0], cut[1], note
