"""Reading and writing files: one module per format, chosen by the file's ending and content.

A format is a module of this room that defines ``FORMAT`` (see ``_format.Format``); it is
imported when a file of its kind is first read or written.

>>> from kinesics import formats
>>> formats.available("write")[".bvh"]
'BVH'
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinesics import files as _files
from kinesics.errors import DataError, FormatError, choose

if TYPE_CHECKING:
    from kinesics.formats._format import Format
    from kinesics.performance import Performance, Scene

log = logging.getLogger(__name__)

__all__ = [
    "adapt",
    "available",
    "check_outputs",
    "convert",
    "convert_folder",
    "describe",
    "format_of",
    "left_out",
    "load",
    "recognised",
    "save",
]

_MODULES: dict[str, tuple[str, ...]] = {
    "beat_face": (".beat.json",),
    "bml": (".bml",),
    "bml_json": (".bml.json",),
    "bvh": (".bvh",),
    "elan": (".eaf",),
    "glb": (".glb", ".gltf"),
    "hts": (".lab",),
    "html": (".html",),
    "humanml3d": (".humanml3d.npy", ".npy"),
    "kin": (".kin",),
    "kinect": (".kinect.csv",),
    "labanotation": (".laban.json",),
    "livelink": (".livelink.csv",),
    "metahuman": (".metahuman.csv",),
    "ntu": (".skeleton",),
    "phones_json": (".phones.json",),
    "pose": (".pose",),
    "rttm": (".rttm",),
    "sigml": (".sigml",),
    "smpl_pickle": (".pkl",),
    "smplx": (".npz", ".smplx.npz", ".amass.npz"),
    "sound": (".wav", ".flac", ".ogg"),
    "srt": (".srt",),
    "table": (".csv", ".parquet"),
    "textgrid": (".textgrid",),
    "usd": (".usda", ".usdc", ".usd", ".usdz"),
    "utkinect": (".utkinect.txt",),
    "video": (".mp4", ".mov", ".mkv", ".webm"),
    "vrm": (".vrm",),
    "vrma": (".vrma",),
    "webvtt": (".vtt",),
}
"""Module → the endings it answers for; here, so that looking one up imports nothing.

Longer endings (``.livelink.csv``) leave no doubt. Of the modules that share an ending, the first that
writes is the one that writes it.
"""

_ALSO_READS: dict[str, tuple[str, ...]] = {
    "beat_face": (".json",),
    "bml": (".xml",),
    "bml_json": (".json",),
    "kinect": (".csv",),
    "labanotation": (".json",),
    "livelink": (".csv",),
    "metahuman": (".csv", ".txt"),
    "phones_json": (".json",),
    "sigml": (".xml",),
    "sound": (
        *(".mp3", ".m4a", ".aac", ".opus", ".oga", ".aiff", ".aif", ".aifc", ".caf", ".wma", ".mka", ".amr"),
        *(".ac3", ".au", ".w64"),
    ),
    "utkinect": (".txt",),
    "video": (".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".wmv", ".3gp"),
}
"""Module → endings that it reads besides and never writes: many formats share them (``.csv``, ``.json``), or
nobody should write them any more.

A file with a shared ending is read by the first module that recognises it; one that recognises
nothing in particular (``recognises`` is None) is asked last.
"""


def available(verb: str = "read") -> dict[str, str]:
    """Endings that can be read or written, each with the names of its formats.

    Parameters
    ----------
    verb
        ``"read"`` or ``"write"``.
    """
    if verb not in ("read", "write"):
        raise DataError(f"formats can 'read' or 'write', not {verb!r}")
    out: dict[str, list[str]] = {}
    for name, endings in _MODULES.items():
        form = _of(name)
        if getattr(form, verb) is not None:
            for ending in (*endings, *(_ALSO_READS.get(name, ()) if verb == "read" else ())):
                out.setdefault(ending, []).append(form.name)
    return {ending: ", ".join(out[ending]) for ending in sorted(out)}


@cache
def _of(name: str) -> Format:
    return import_module(f"kinesics.formats.{name}").FORMAT


def _candidates(path: Path, verb: str) -> list[str]:
    """Modules that answer for a path's ending; the longest ending that any knows decides."""
    also = _ALSO_READS if verb == "read" else {}
    # Names such as "talk.v2.GLB" count by their last endings alone.
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    for ending in dict.fromkeys(["".join(suffixes), *suffixes[-1:]]):
        found = [
            name for name, endings in _MODULES.items() if ending in endings or ending in also.get(name, ())
        ]
        if found:
            return found
    return []


def format_of(path: str | PathLike[str], *, verb: str = "read", format: str | None = None) -> Format:
    """The format of a file: by its ending and, where several share it, by what is in the file.

    Parameters
    ----------
    path
        The file. To be written it need not exist.
    verb
        ``"read"`` or ``"write"``.
    format
        Name of the format's module, such as ``"livelink"``, where ending and content leave doubt.

    Raises
    ------
    DataError
        If there is none, or it cannot be read (or written); the valid ones are listed.
    FormatError
        If several formats share the ending and none recognises the file.
    """
    path = Path(path)
    if verb == "read" and path.is_dir():
        _files.existing(path, "a file")
    names = _candidates(path, verb) if format is None else [choose("format", format, _MODULES)]
    able = [_of(name) for name in names if getattr(_of(name), verb) is not None]
    if not able:
        kind = f"extension {path.suffix!r}" if path.suffix else "a name without extension"
        if format is not None:
            kind = f"the format {format!r}"
        raise DataError(f"{path}: cannot {verb} {kind}; choose one of: {', '.join(available(verb))}")
    if len(able) == 1 or verb == "write":
        return able[0]
    _files.existing(path, f"{' or '.join(f.name for f in able)} file")
    for form in sorted(able, key=lambda f: f.recognises is None):
        if form.recognises is None or form.recognises(path):
            return form
    raise FormatError(
        path,
        "content",
        f"one of: {', '.join(f.name for f in able)}",
        f"check the file, or name it with format=: {', '.join(names)}",
    )


def recognised(path: str | PathLike[str]) -> bool:
    """Whether a file can be read, by its ending and, where several formats share that, by a look into it.

    >>> recognised("notes.md")
    False
    """
    try:
        return format_of(path).read is not None
    except (DataError, FormatError, OSError):
        return False


def load(path: str | PathLike[str], *, format: str | None = None, **options: Any) -> Performance | Scene:
    """Read a file.

    Parameters
    ----------
    path
        The file; its ending, and where several formats share it its content, tells the format.
    format
        Name of the format, such as ``"livelink"``, where that leaves doubt.
    options
        What the format's reader takes besides (see its module).

    Returns
    -------
    Performance or Scene
        The tracks that the file holds; a scene where it was written from one.

    Raises
    ------
    FormatError
        If the file is missing or not what its format says.
    DataError
        If no format reads this extension, or an option is unknown.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from kinesics.performance import Interval, Performance, Tier
    >>> show = Performance({"words": Tier("words", [Interval(0, 0.5, "hello")])})
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "hello.kin"
    >>> save(show, path)
    >>> load(path).tier("words").labels
    ('hello',)
    """
    path = Path(path)
    try:
        found = format_of(path, format=format)
        assert found.read is not None
        _check_options(options, {found.name: found.read})
        _files.existing(path, f"{found.name} file")
        return _whole(found.read(path, **options), path)
    except MemoryError as error:
        raise FormatError(
            path, "size", "a file that fits into memory", "cut it into parts, or find more memory"
        ) from error
    except OSError as error:
        raise FormatError(
            path, str(error.strerror or error), "a readable file", "check the disk and the rights"
        ) from error


def save(performance: Performance | Scene, *paths: str | PathLike[str], **options: Any) -> None:
    """Write one or more files; each is written whole or not at all.

    Tracks that a format has no place for are left out of its file, which is logged; see :func:`left_out`.

    Parameters
    ----------
    performance
        What to write. Formats for one person take a scene that has one.
    paths
        The files; each one's extension tells its format. Missing folders are made.
    options
        Handed to every one of these formats that takes them, for instance ``order="XYZ"`` for BVH.

    Raises
    ------
    DataError
        Before anything is written: on an unknown extension or option, two paths that name one
        file, a folder that cannot be written to, or a format that has no place for any of the
        tracks. Later: if the performance lacks what a format needs, or the disk is full; the files
        that were there are then untouched.
    """
    from kinesics.performance import Scene

    check_outputs(paths)
    found = [(Path(p), format_of(p, verb="write")) for p in paths]
    takes = _check_options(options, {f.name: f.write for _, f in found})
    for path, form in found:
        show = _for(form, performance, path)
        left = left_out(show, path)
        # A scene that was read from a film that is there can always be drawn over it.
        filmed = isinstance(show, Scene) and form.scenes and show.video is not None
        if left and len(left) == len(show.tracks) and not filmed:
            raise DataError(
                f"{path}: {form.name} holds {', '.join(form.carries)}; this performance has only "
                f"{', '.join(left)}"
            )
        if left:
            log.info("%s: left out: %s", path, ", ".join(left))
        assert form.write is not None
        try:
            form.write(show, path, **{k: v for k, v in options.items() if k in takes[form.name]})
        except DataError as error:
            if str(path) in str(error):
                raise
            raise DataError(f"{path}: {error}") from error


def left_out(performance: Performance | Scene, path: str | PathLike[str]) -> list[str]:
    """Names of the tracks that the format of a file has no place for.

    Formats of which a file holds one tier (``tier=``) choose it themselves, and log the others.

    Examples
    --------
    >>> from kinesics.performance import Audio, Interval, Performance, Tier
    >>> show = Performance({"speech": Audio([0.0, 0.1], 16000), "words": Tier("words", [Interval(0, 1, "hi")])})
    >>> left_out(show, "talk.wav"), left_out(show, "talk.textgrid")
    (['words'], ['speech'])
    """
    form = format_of(path, verb="write")
    assert form.write is not None
    one_tier = "tier" in _options_of(form.write)
    return [n for n, t in performance.tracks.items() if not _holds(form, n, t, one_tier)]


def _whole(performance: Performance, path: Path) -> Performance | Scene:
    """A scene where a file says that it holds one."""
    if "scene" not in performance.meta:
        return performance
    from kinesics.performance import Scene

    try:
        return Scene.of(performance)
    except DataError as error:
        raise FormatError(path, "meta, 'scene'", "who is in it", f"the file is damaged ({error})") from error


def _for(form: Format, show: Performance | Scene, path: Path) -> Performance | Scene:
    """What a format is given: a scene as it is where it takes one, else its only person with what is shared."""
    people = getattr(show, "people", None)
    if people is None or form.scenes:
        return show
    if len(people) != 1:
        raise DataError(
            f"{path}: {form.name} holds one person; save scene.person(name) of one of: {', '.join(people) or 'nobody'}"
        )
    return show.person(0)


def _holds(form: Format, name: str, track: Any, one_tier: bool) -> bool:
    kind = type(track).__name__
    if one_tier and kind == "Tier":
        return True
    # A table writes sound only where it is named; it tells itself.
    names = {
        name,
        {"Tier": "tiers", "Points": "points"}.get(kind, name),
        "every track",
        "every track but sound",
    }
    return not names.isdisjoint(form.carries)


def check_outputs(paths: Iterable[str | PathLike[str]]) -> None:
    """Make sure that all of ``paths`` can be written, before any long work.

    Raises
    ------
    DataError
        On an unknown extension, two paths that name one file, or a folder that cannot be made
        or written to.
    """
    seen: dict[Path, Path] = {}
    for path in map(Path, paths):
        format_of(path, verb="write")
        try:
            real = Path(os.path.realpath(path))
        except (OSError, ValueError):  # no name of a file, which is told below
            real = path
        if real in seen:
            raise DataError(f"two outputs name one file: {seen[real]} and {path}; give each its own name")
        seen[real] = path
    for path in seen.values():
        _files.writable(path)


def __getattr__(name: str) -> Any:
    if name in ("adapt", "convert", "convert_folder", "describe"):
        return getattr(import_module("kinesics.formats._convert"), name)
    raise AttributeError(f"module 'kinesics.formats' has no attribute {name!r}")


def _check_options(options: dict[str, Any], functions: dict[str, Any]) -> dict[str, set[str]]:
    takes = {name: _options_of(f) for name, f in functions.items()}
    known = sorted(set().union(*takes.values()))
    for option in options:
        if option not in known:
            listing = ", ".join(known) or "none"
            raise DataError(f"unknown option {option!r} for {' and '.join(functions)}; it takes: {listing}")
    return takes


def _options_of(function: Any) -> set[str]:
    return {p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY}
