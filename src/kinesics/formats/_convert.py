"""From one file to another, one at a time or a folder at once, and what a file holds."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from kinesics import formats
from kinesics.errors import DataError, KinesicsError
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Face, Motion, Performance, Plan, Points, Scene, Signal, Tier
from kinesics.progress import progress

log = logging.getLogger(__name__)

Change = Callable[[Performance | Scene, Path], Performance | Scene]


def convert(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    skeleton: str | PathLike[str] | None = None,
    fps: object = None,
    change: Change | None = None,
    read: Mapping[str, Any] | None = None,
    write: Mapping[str, Any] | None = None,
) -> Performance | Scene:
    """Read a file, bring it to another skeleton or rate where asked, and write it as another.

    Parameters
    ----------
    source, target
        Files; their endings tell the formats. Missing folders of ``target`` are made.
    skeleton
        What the body should move: a name (see :func:`kinesics.bodies.retarget.skeletons`), or a file
        whose skeleton is taken.
    fps
        Frames per second of body, face, signals and points.
    change
        What else to do with the performance before it is written; it is given the target, too.
    read, write
        Options of the two formats.

    Returns
    -------
    Performance or Scene
        What was written.

    Raises
    ------
    FormatError
        If ``source`` is not what its format says.
    DataError
        If an ending, an option or a skeleton is unknown, or the target cannot hold what there is.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from kinesics.performance import Interval
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> Performance({"words": Tier("words", [Interval(0, 0.5, "hello")])}).save(folder / "a.kin")
    >>> convert(folder / "a.kin", folder / "b.kin").tier("words").labels
    ('hello',)
    """
    formats.check_outputs([target])
    show = formats.load(source, **(read or {}))
    if change is not None:
        show = change(show, Path(target))
    show = adapt(show, skeleton=skeleton, fps=fps)
    formats.save(show, target, **(write or {}))
    return show


def adapt(
    performance: Performance | Scene,
    *,
    skeleton: str | PathLike[str] | Skeleton | None = None,
    fps: object = None,
) -> Performance | Scene:
    """A performance whose body is on another skeleton, and whose frames come at another rate."""
    if isinstance(performance, Scene):
        people = {n: adapt(p, skeleton=skeleton, fps=fps) for n, p in performance.people.items()}
        return replace(performance, people=people)
    tracks = dict(performance.tracks)
    if skeleton is not None:
        if "body" not in tracks:
            raise DataError("there is no body to bring to another skeleton; leave the skeleton out")
        from kinesics.bodies.retarget import retarget

        tracks["body"] = retarget(tracks["body"], _skeleton(skeleton))
    if fps is not None:
        moving = (Motion, Face, Signal, Points)
        tracks = {n: t.resample(fps) if isinstance(t, moving) else t for n, t in tracks.items()}
    return replace(performance, tracks=tracks)


def _skeleton(skeleton: str | PathLike[str] | Skeleton) -> str | Skeleton:
    if isinstance(skeleton, Skeleton):
        return skeleton
    path = Path(skeleton)
    is_file = path.is_file() or path.name.lower().endswith(tuple(formats.available()))
    return formats.load(path).body.skeleton if path.suffix and is_file else str(skeleton)


@dataclass(frozen=True)
class Outcome:
    """What became of one file of a folder.

    Parameters
    ----------
    source, target
        The two files.
    status
        ``"converted"``, ``"kept"`` (the target was there already) or ``"failed"``.
    reason
        Why it failed, or "".
    """

    source: Path
    target: Path
    status: str
    reason: str = ""


def convert_folder(
    source: str | PathLike[str],
    target: str | PathLike[str],
    ending: str,
    *,
    resume: bool = False,
    **options: Any,
) -> Iterator[Outcome]:
    """Convert every readable file below a folder; a file that fails does not stop the others.

    Parameters
    ----------
    source, target
        Folders; the tree below ``source`` is made anew below ``target``.
    ending
        What the new files end in, such as ``".bvh"`` or ``".livelink.csv"``.
    resume
        Leave targets alone that are there already, to go on after an interrupt.
    options
        What :func:`convert` takes.

    Yields
    ------
    Outcome
        One for each file, in the order of their names, while a bar shows how far it is.

    Raises
    ------
    DataError
        If the folder is not there or holds nothing that can be read, or two files would get one name.
    """
    source, target = Path(source), Path(target)
    if not source.is_dir():
        raise DataError(f"{source}: expected a folder; name one, or a single file and its target")
    ending = ending if ending.startswith(".") else f".{ending}"
    formats.format_of(f"x{ending}", verb="write")
    pairs: dict[Path, Path] = {}
    for path in _readable(source, without=target):
        new = (target / path.relative_to(source)).with_name(stem(path) + ending)
        if new in pairs:
            raise DataError(f"{pairs[new]} and {path} would both become {new}; convert them one by one")
        pairs[new] = path
    if not pairs:
        raise DataError(f"{source}: no file in it can be read; endings: {', '.join(formats.available())}")
    for new, path in progress(pairs.items(), "convert", total=len(pairs), unit="file"):
        if resume and new.exists():
            yield Outcome(path, new, "kept")
            continue
        try:
            convert(path, new, **options)
            yield Outcome(path, new, "converted")
        except KinesicsError as error:
            yield Outcome(path, new, "failed", str(error))


def _readable(folder: Path, *, without: Path) -> Iterator[Path]:
    endings = tuple(formats.available())
    for top, folders, files in os.walk(folder):
        here = Path(top)
        folders[:] = sorted(d for d in folders if (here / d).resolve() != without.resolve() and d[0] != ".")
        for path in (here / f for f in sorted(files) if f[0] != "." and f.lower().endswith(endings)):
            # Of the many things that .txt, .json or .csv can be, those that no format knows are no failures.
            if formats.recognised(path):
                yield path
            else:
                log.info("%s: of no known kind, left alone", path)


def stem(path: Path) -> str:
    """A file's name without the ending that tells its format.

    >>> stem(Path("talk.v2.glb"))
    'talk.v2'
    """
    known = max(
        (e for e in formats.available() if path.name.lower().endswith(e)), key=len, default=path.suffix
    )
    return path.name[: len(path.name) - len(known)] or path.name


def describe(path: str | PathLike[str], **options: Any) -> dict[str, Any]:
    """What a file holds, as plain values that JSON can take.

    Parameters
    ----------
    path
        The file.
    options
        What its reader takes.

    Returns
    -------
    dict
        ``format``, ``bytes``, ``duration`` (seconds), ``tracks`` (one mapping each: ``name``, ``type``,
        ``start`` and ``end`` in seconds, and what belongs to its kind) and ``meta``.
    """
    path = Path(path)
    show = formats.load(path, **options)
    return {
        "file": str(path),
        "format": formats.format_of(path, format=options.get("format")).name,
        "bytes": path.stat().st_size,
        "duration": round(show.duration, 6),
        "tracks": [{"name": name, **_track(track)} for name, track in show.tracks.items()],
        "meta": dict(show.meta),
    }


def _track(track: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"type": type(track).__name__}
    if isinstance(track, Plan):
        kinds = [b.kind for b in track]
        return about | {
            "behaviours": {k: kinds.count(k) for k in dict.fromkeys(kinds)},
            "unknown": [f"{f.id}: {f.reason}" for f in track.feedback if f.status == "unknown"],
        }
    about |= {"start": round(track.start, 6), "end": round(track.end, 6)}
    if isinstance(track, Tier):
        return about | {"intervals": len(track), "labels": list(dict.fromkeys(track.labels))[:8]}
    about |= {"fps": str(track.fps), "samples": len(track)}
    if isinstance(track, Motion):
        from kinesics.bodies.retarget import recognise

        try:
            about["skeleton"] = recognise(track.skeleton)
        except DataError:
            about["skeleton"] = "unknown"
        about["joints"] = list(track.skeleton.names)
    elif isinstance(track, (Face, Signal, Points)):
        about |= {"names": list(track.names)}
        about |= {k: getattr(track, k) for k in ("basis", "frame") if hasattr(track, k)}
    return about
