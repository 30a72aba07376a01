"""Kinesics' own file, ``.kin``: one lossless, memory-mapped file for a whole performance.

It is a safetensors file: any program that reads safetensors sees the arrays. Layout:

- 8 bytes: length of the header, little-endian.
- The header, JSON in UTF-8 padded with spaces to 8 bytes: each array's dtype (F32), shape and
  place, and under ``__metadata__`` → ``kinesics`` (JSON within JSON, as safetensors wants text there):
  ``{"version": 1, "meta": {…}, "tracks": [{"name", "type", …}, …]}``.
- The arrays, one after the other. Array ``"3.values"`` belongs to the fourth track.

Carries every track, tier, signal, plan and fact, bit for bit, but no video, which stays in its own file. A scene's
people are told apart by their tracks' names, ``person/track``; ``meta["scene"]`` says who is in it. Reading maps the file: samples come
from the disk when they are used, and an hour opens as fast as a second. Nothing in the file is
believed: lengths, shapes and places are checked against its size before anything is made of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError
from kinesics.files import replacing
from kinesics.formats._encode import (
    decode_plan,
    decode_tier,
    encode_plan,
    encode_tier,
    from_json,
    items,
    mapping,
    number,
    rate_from_text,
    text,
    to_json,
    whole,
)
from kinesics.formats._format import Format
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Audio, Face, Motion, Performance, Plan, Points, Scene, Signal, Tier, Video
from kinesics.performance.performance import Track

VERSION = 1
_MAX_HEADER = 100_000_000  # as in safetensors itself
_Arrays = dict[str, NDArray[np.float32]]


def write(performance: Performance | Scene, path: str | Path) -> None:
    """Write everything, lossless; of a scene's video its path (``meta["source"]``).

    Raises
    ------
    DataError
        If ``meta`` holds something that JSON cannot, there is a video, or the disk does not take the file.
    """
    if isinstance(performance, Scene):
        shared = {n: t for n, t in performance.shared.items() if not isinstance(t, Video)}
        performance = replace(performance, shared=shared).as_performance()
    films = [n for n, t in performance.tracks.items() if isinstance(t, Video)]
    if films:
        raise DataError(
            f"{path}: .kin holds no video ({', '.join(films)}), and a mere path would not be the performance; "
            "save that track as .mp4, and the rest as .kin after with_tracks(video=None)"
        )
    arrays: _Arrays = {}
    tracks = [_describe(i, name, track, arrays) for i, (name, track) in enumerate(performance.tracks.items())]
    inner = to_json(
        {"version": VERSION, "meta": dict(performance.meta), "tracks": tracks}, "this performance's meta"
    )
    header: dict[str, Any] = {"__metadata__": {"kinesics": inner.decode("utf-8")}}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [begin, end]}
    raw = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    raw += b" " * (-len(raw) % 8)
    with replacing(Path(path)) as file:
        file.write(len(raw).to_bytes(8, "little"))
        file.write(raw)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array, dtype="<f4").data)


def _describe(index: int, name: str, track: Track, arrays: _Arrays) -> dict[str, Any]:
    """What the header says of a track; its arrays are added to ``arrays``."""
    about: dict[str, Any] = {"name": name, "type": type(track).__name__}
    if isinstance(track, Tier):
        return about | {"tier": encode_tier(track)}
    if isinstance(track, Plan):
        return about | {"plan": encode_plan(track)}
    about |= {"fps": str(track.fps), "start": track.start}
    if isinstance(track, Motion):
        about["skeleton"] = {"names": list(track.skeleton.names), "parents": list(track.skeleton.parents)}
        arrays[f"{index}.offsets"] = track.skeleton.offsets
    elif not isinstance(track, Audio):
        about["names"] = list(track.names)
        about |= {k: getattr(track, k) for k in ("basis", "frame") if hasattr(track, k)}
        if isinstance(track, Signal):
            about["units"] = list(track.units)
    for key in track._arrays:
        if getattr(track, key) is not None:
            arrays[f"{index}.{key}"] = getattr(track, key)
    return about


def read(path: str | Path) -> Performance:
    """Read a ``.kin`` file; samples stay on the disk until they are used.

    Raises
    ------
    FormatError
        If the file is cut off, altered, not of this kind, or of a newer version.
    """
    path = Path(path)
    inner, arrays = _container(path)
    try:
        header = from_json(inner.encode("utf-8"))
        version = whole(header.get("version") if isinstance(header, dict) else None)
    except ValueError as error:
        raise FormatError(
            path, "header, 'kinesics'", "JSON with a version", f"the file is damaged ({error})"
        ) from error
    if version != VERSION:
        raise FormatError(
            path, "header, 'version'", f"{VERSION}, found {version}", "update kinesics to read this file"
        )
    place = "header"
    try:
        tracks: dict[str, Track] = {}
        for i, about in enumerate(items(header, "tracks")):
            place = f"track {i}"
            name = text(about, "name")
            place = f"track {name!r}"
            if name in tracks:
                raise ValueError("two tracks have this name")
            tracks[name] = _build(i, about, arrays)
        place = "meta"
        return Performance(tracks, mapping(header, "meta"))
    except (ValueError, TypeError, OverflowError) as error:
        raise FormatError(
            path, place, "a track as kinesics writes it", f"the file is damaged ({error})"
        ) from error


def _container(path: Path) -> tuple[str, _Arrays]:
    """Check the safetensors container; the inner header and read-only views of all arrays."""

    def damaged(
        where: str, expected: str, fix: str = "the file is damaged or cut off; copy it again"
    ) -> FormatError:
        return FormatError(path, where, expected, fix)

    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(size - 8, _MAX_HEADER):
            raise damaged(
                "byte 0", "the length of a header that fits into the file", "check that this is a .kin file"
            )
        raw = file.read(length)
    try:
        header = from_json(raw)
        inner = text(mapping(header, "__metadata__"), "kinesics")
    except ValueError as error:
        raise damaged(
            "header (byte 8)", "JSON with Kinesics' metadata", f"not a .kin file, or damaged ({error})"
        ) from error
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=0)[8 + length :]
    arrays: _Arrays = {}
    end = 0
    for name, about in header.items():
        if name == "__metadata__":
            continue
        try:
            shape = [whole(n) for n in items(about, "shape")]
            begin, stop = (whole(n) for n in items(about, "data_offsets"))
            if (
                text(about, "dtype") != "F32"
                or begin != end
                or stop - begin != 4 * prod(shape)
                or len(shape) > 4
            ):
                raise ValueError("dtype, shape and place do not agree")
        except ValueError as error:
            raise damaged(
                f"header, array {name!r}", f"float32 numbers that follow byte {end} ({error})"
            ) from error
        if stop > len(data):
            raise damaged(f"array {name!r}", f"{stop} bytes of data, found {len(data)}")
        arrays[name] = np.ndarray(tuple(shape), "<f4", buffer=data[begin:stop])
        end = stop
    if end != len(data):
        raise damaged(f"byte {8 + length + end}", "the end of the file")
    return inner, arrays


def _build(index: int, about: Any, arrays: _Arrays) -> Track:
    def array(key: str) -> NDArray[np.float32]:
        if f"{index}.{key}" not in arrays:
            raise ValueError(f"its array {key!r} is missing")
        return arrays[f"{index}.{key}"]

    def names(value: Any, key: str) -> tuple[str, ...]:
        return tuple(text({"": n}, "") for n in items(value, key))

    def clock() -> dict[str, Any]:
        return {"fps": rate_from_text(text(about, "fps")), "start": number(about.get("start"))}

    def optional(key: str) -> NDArray[np.float32] | None:
        return arrays.get(f"{index}.{key}")

    def motion() -> Motion:
        bones = mapping(about, "skeleton")
        parents = tuple(int(number(p)) for p in items(bones, "parents"))
        skeleton = Skeleton(names(bones, "names"), parents, array("offsets"))
        return Motion(skeleton, array("rotations"), array("root"), **clock())

    kinds: dict[str, Callable[[], Track]] = {
        "Audio": lambda: Audio(array("samples"), **clock()),
        "Face": lambda: Face(array("values"), names(about, "names"), basis=text(about, "basis"), **clock()),
        "Motion": motion,
        "Plan": lambda: decode_plan(mapping(about, "plan")),
        "Points": lambda: Points(
            array("values"),
            names(about, "names"),
            frame=text(about, "frame"),
            confidence=optional("confidence"),
            **clock(),
        ),
        "Signal": lambda: Signal(
            array("values"),
            names(about, "names"),
            names(about, "units"),
            confidence=optional("confidence"),
            **clock(),
        ),
        "Tier": lambda: decode_tier(mapping(about, "tier")),
    }
    kind = text(about, "type")
    if kind not in kinds:
        raise ValueError(f"type {kind!r:.40}; expected one of {', '.join(kinds)}")
    return kinds[kind]()


FORMAT = Format("Kinesics", (".kin",), ("every track",), read, write, scenes=True)
