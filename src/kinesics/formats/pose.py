"""Pose files (``.pose``): the landmarks of signing and moving people, as sign language research keeps them.

Read and written through the library pose-format (the extra ``video``), versions 0.0, 0.1 and 0.2; written is 0.2.

Each component of a file (``POSE_LANDMARKS``, ``FACE_LANDMARKS``, ``LEFT_HAND_LANDMARKS``, ``RIGHT_HAND_LANDMARKS`` of MediaPipe,
``pose_keypoints_2d`` and its like of OpenPose) becomes a track of points of that name, with the points' own names and the
confidence of each: 0 where a point was not seen, its place is then whatever the file has there, mostly zeros.
Values are kept bit for bit: pixels of the picture, y down, as far as the file's maker kept to it. ``meta["pose"]`` holds
the picture's size, the lines to draw and their colours, so that a file of version 0.2 with one person is written
back as the same bytes.

Traps. The third coordinate of MediaPipe is no depth in metres: it is relative to the hips (body), the wrist (hands) or the
head, about in pixels. ``POSE_WORLD_LANDMARKS`` are metres about the hips, x and y multiplied by the picture's size
in files of some versions: they lie in no picture although their track says ``image``. LEFT is the
person's left. The rate is a 32-bit float in version 0.2 (29.97 is read as 30000/1001) and a whole number before, where
29.97 became 29 or 30: ``fps=`` overrules. A file may hold several people, without names or order that
lasts: ``person=`` takes one by number; in version 0.0 only the first can be read. OpenPose's confidence may be slightly
above 1 and is cut to it; a point that is not a number becomes zeros with confidence 0. Both are logged and told.
A point name that repeats within a component gets a number.

Written are all tracks of points in the frame ``image`` that share rate, start and length, in order; ``size=(width, height)`` where
no file told it. A body on a skeleton is not projected: a ``.pose`` needs points that were seen. Names must be ASCII.
Sound, tiers and the start are not in these files.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError, KinesicsError, MissingExtra
from kinesics.files import replacing
from kinesics.formats._format import Format
from kinesics.formats._pose_header import MOST_BYTES, layout_of
from kinesics.performance import Performance, Points
from kinesics.performance._sampled import exact_rate

log = logging.getLogger(__name__)

_TAKEN = ("speech", "music", "body", "face", "plan")  # names of tracks that are no points


def _library() -> ModuleType:
    try:
        import pose_format
    except ImportError as error:
        raise MissingExtra("video", "reading and writing .pose files") from error
    return pose_format


def read(path: str | Path, *, person: int = 0, fps: object = None) -> Performance:
    """Read a ``.pose`` file as one track of points per component.

    Parameters
    ----------
    path
        The file.
    person
        Number of the person, from 0.
    fps
        The rate, where the file's is wrong or missing.

    Returns
    -------
    Performance
        Tracks in the frame ``image``; ``meta["pose"]`` holds size, lines, colours, and what was mended.

    Raises
    ------
    FormatError
        If the file is cut off, or its counts do not fit its size.
    MissingExtra
        If pose-format is not installed.

    Examples
    --------
    >>> sign = read("sign.pose")  # doctest: +SKIP
    >>> sign["LEFT_HAND_LANDMARKS"].names[:2]  # doctest: +SKIP
    ('WRIST', 'THUMB_CMC')
    """
    path = Path(path)
    library = _library()
    if path.stat().st_size > MOST_BYTES:
        raise FormatError(path, "size", f"at most {MOST_BYTES // 10**6} MB", "split the file")
    data = path.read_bytes()
    layout = layout_of(path, data)
    people = 1 if layout.version == 0 else layout.people
    if isinstance(person, bool) or not isinstance(person, int) or not 0 <= person < people:
        raise FormatError(
            path, "people", f"a person from 0 to {people - 1}, asked was {person!r:.20}", "give person=0"
        )
    try:
        found = library.Pose.read(data)
        values = np.array(found.body.data.data[:, person], dtype=np.float32)
        confidence = np.array(found.body.confidence[:, person], dtype=np.float32)
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, NotImplementedError) as error:
        raise FormatError(path, "content", f"a pose file ({str(error)[:80]})", "get it again") from error
    header = found.header
    about: dict[str, Any] = {
        "version": layout.version,
        "size": [header.dimensions.width, header.dimensions.height, header.dimensions.depth],
        "fps": float(found.body.fps),
        "people": layout.people,
        "person": person,
    }
    _mend(path, values, confidence, about)
    try:
        rate = exact_rate(about["fps"] if fps is None else fps, "rate")
        tracks, about["components"] = {}, []
        first = 0
        for component, (count, dims) in zip(header.components, layout.components, strict=True):
            part = slice(first, first + count)
            first += count
            name = _free(component.name or "points", {*_TAKEN, *tracks})
            points = tuple(component.points)
            names = _numbered(points)
            tracks[name] = Points(values[:, part, :dims], names, rate, "image", 0.0, confidence[:, part])
            entry = {
                "track": name,
                "name": component.name,
                "limbs": [[int(a), int(b)] for a, b in component.limbs],
                "colors": np.asarray(component.colors).reshape(-1, 3).astype(int).tolist(),
            }
            if names != points:
                log.warning("%s: names in %s repeat and get numbers", path, component.name)
                entry["points"] = list(points)
            about["components"].append(entry)
    except KinesicsError as error:
        fix = "give it: fps=25" if "rate" in str(error) else "get it again"
        raise FormatError(path, "content", f"a rate and finite numbers ({error})", fix) from error
    return Performance(tracks, {"pose": about})


def _mend(
    path: Path, values: NDArray[np.float32], confidence: NDArray[np.float32], about: dict[str, Any]
) -> None:
    lost = ~np.isfinite(values).all(axis=-1) | np.isnan(confidence)
    if lost.any():
        values[lost], confidence[lost] = 0, 0
        about["not_numbers"] = int(lost.sum())
        log.warning("%s: %d points are not numbers; their confidence is 0", path, about["not_numbers"])
    outside = (confidence < 0) | (confidence > 1)
    if outside.any():
        np.clip(confidence, 0, 1, out=confidence)
        about["confidence_cut"] = int(outside.sum())
        log.warning("%s: %d confidences lie outside 0 to 1 and are cut", path, about["confidence_cut"])


def _free(name: str, taken: set[str]) -> str:
    out, number = name, 2
    while out in taken:
        out, number = f"{name}_{number}", number + 1
    return out


def _numbered(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) == len(names):
        return names
    taken, seen, out = set(names), dict[str, int](), []
    for name in names:
        seen[name] = number = seen.get(name, 0) + 1
        fresh = name
        while number > 1 and fresh in taken:
            fresh, number = f"{name}_{number}", number + 1
        seen[name] = max(seen[name], number - 1)
        taken.add(fresh)
        out.append(fresh)
    return tuple(out)


def write(performance: Performance, path: str | Path, *, size: tuple[int, int] | None = None) -> None:
    """Write the tracks of points as a ``.pose`` file of version 0.2.

    Parameters
    ----------
    performance
        With tracks of points in the frame ``image``.
    path
        The file.
    size
        Width and height of the picture in pixels; by default as it was read, else up to the outermost point.

    Raises
    ------
    DataError
        If there are no such tracks, they differ in rate, start or length, or a name is not ASCII.
    MissingExtra
        If pose-format is not installed.
    """
    path = Path(path)
    tracks = {
        n: t
        for n, t in performance.tracks.items()
        if isinstance(t, Points) and t.frame == "image" and len(t.names)
    }
    if not tracks:
        raise DataError(f"{path}: no track of points in the frame 'image' to write as .pose")
    clocks = {(t.fps, t.start, len(t)) for t in tracks.values()}
    if len(clocks) > 1:
        raise DataError(
            f"{path}: the tracks {', '.join(tracks)} differ in rate, start or length; resample them"
        )
    about = performance.meta.get("pose", {})
    about = about if isinstance(about, Mapping) else {}
    pose = _library()
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderDimensions

    dims = max(t.values.shape[2] for t in tracks.values())
    values = np.concatenate([_padded(t.values, dims) for t in tracks.values()], axis=1)
    confidence = np.concatenate(
        [
            np.ones(t.values.shape[:2], np.float32) if t.confidence is None else t.confidence
            for t in tracks.values()
        ],
        axis=1,
    )
    fps, start, _ = next(iter(clocks))
    if start:
        log.info("%s: the points start at %g s, which the file cannot say", path, start)
    told = about.get("fps")
    rate = float(fps)
    if isinstance(told, float) and 0 < told <= 1e6 and exact_rate(told, "rate") == fps:
        rate = told
    header = PoseHeader(
        0.2, PoseHeaderDimensions(*_size(path, values, size, about)), _components(path, tracks, about, dims)
    )
    stream = io.BytesIO()
    mask = np.broadcast_to((confidence == 0)[:, None, :, None], (len(values), 1, values.shape[1], dims))
    body = NumPyPoseBody(rate, np.ma.masked_array(values[:, None], mask), confidence[:, None])
    pose.Pose(header, body).write(stream)
    with replacing(path) as file:
        file.write(stream.getbuffer())


def _padded(values: NDArray[np.float32], dims: int) -> NDArray[np.float32]:
    return (
        values
        if values.shape[2] == dims
        else np.concatenate([values, np.zeros((*values.shape[:2], 1), np.float32)], 2)
    )


def _components(path: Path, tracks: Mapping[str, Points], about: Mapping[str, Any], dims: int) -> list[Any]:
    from pose_format.pose_header import PoseHeaderComponent

    entries = about.get("components")
    entries = entries if isinstance(entries, (list, tuple)) else ()
    known = {e["track"]: e for e in entries if isinstance(e, Mapping) and isinstance(e.get("track"), str)}
    out = []
    for name, track in tracks.items():
        entry = known.get(name, {})
        points = entry.get("points")
        if not isinstance(points, (list, tuple)) or _numbered(tuple(map(str, points))) != track.names:
            points = track.names
        title = str(entry.get("name", name))
        for text in (title, *points):
            if not text.isascii() or len(text) > 65535:
                raise DataError(
                    f"{path}: the name {text[:40]!r} is not ASCII, as names in .pose files must be"
                )
        limbs = [(a, b) for a, b in _rows(entry.get("limbs"), 2) if max(a, b) < len(points)]
        colors = _rows(entry.get("colors"), 3) or [(255, 0, 0)]
        if max(len(points), len(limbs), len(colors)) > 65535:
            raise DataError(f"{path}: {name!r} has more than 65535 points or lines")
        out.append(PoseHeaderComponent(title, list(points), limbs, colors, "XYZC" if dims == 3 else "XYC"))
    return out


def _rows(value: Any, width: int) -> list[tuple[int, ...]]:
    if not isinstance(value, (list, tuple)):
        return []
    rows = [r for r in value if isinstance(r, (list, tuple)) and len(r) == width]
    return [tuple(r) for r in rows if all(isinstance(n, int) and 0 <= n < 65536 for n in r)]


def _size(
    path: Path, values: NDArray[np.float32], size: tuple[int, int] | None, about: Mapping[str, Any]
) -> tuple[int, ...]:
    if size is None:
        told = _rows([about.get("size")], 3)
        if told:
            return told[0]
        size = tuple(max(1, math.ceil(values[..., k].max(initial=1))) for k in (0, 1))
        log.info("%s: the picture is taken to be %d by %d pixels", path, *size)
    if len(size) != 2 or not all(isinstance(n, int) and 1 <= n <= 65535 for n in size):
        raise DataError(f"{path}: size={size!r:.60}; expected width and height, 1 to 65535 pixels")
    return (*size, 0)


FORMAT = Format("Pose", (".pose",), ("points",), read, write)
