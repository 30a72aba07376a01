"""A report in one HTML file: the video, everybody's tiers and plots on one clock, and the reasons for what is said.

It opens in any browser, from anywhere, and asks nothing of the network: script, style, data and, where they are embedded,
the pictures are in the file. Its content security policy allows its own script alone, by its hash, and labels are only ever
set as text, so that what a file or a transcript says can never become part of the page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, choose
from kinesics.files import replacing
from kinesics.formats._summaries import summaries
from kinesics.performance import Face, Performance, Scene, Signal, Tier, Video
from kinesics.reading._figure import UNITS
from kinesics.reading._seen import SURE

log = logging.getLogger(__name__)

MOST_EMBEDDED = 64_000_000
"""Bytes of a video that is put into the file; browsers keep such a file in memory, a third larger."""

_PLAYED = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
_COLOURS = ("#62d6c4", "#f7b862", "#b6a0fa", "#f692ac", "#8cc6ff", "#acde86")
_MOST_SAMPLES = 30_000
_MOST_LABEL = 2_000

_ORDER = (
    *("expression", "reasons", "smile", "frown", "brow_raise", "brow_lower", "blinks", "head_events"),
    *("head_direction", "gaze_direction", "looks_at", "mutual_gaze", "gestures", "self_touch"),
    *("handshape_left", "handshape_right", "speaking", "backchannels", "captions", "words"),
)
"""Tiers from what the face says to what is said; others follow."""

_PLOTS = (
    (
        "face",
        "face",
        (("mouth", "jawOpen"), ("smile", "mouthSmileLeft"), ("brows", "browInnerUp")),
        (0.0, 1.0),
    ),
    ("head", "head", (("yaw", "yaw"), ("pitch", "pitch"), ("roll", "roll")), (-45.0, 45.0)),
    ("gaze", "gaze", (("yaw", "yaw"), ("pitch", "pitch")), (-45.0, 45.0)),
    ("affect", "affect", (("valence", "valence"), ("arousal", "arousal")), (-1.0, 1.0)),
)
"""Title, track, (label, column) and range of what is plotted."""


def write(
    performance: Performance | Scene, path: str | Path, *, video: str = "auto", title: str | None = None
) -> None:
    """Write the report of a scene, or of one person.

    Parameters
    ----------
    performance
        What was read: tiers, and any of the signals ``head``, ``gaze``, ``affect``, ``action_units``, ``face``.
    path
        The file.
    video
        ``"embed"``: the pictures are in the file, up to :data:`MOST_EMBEDDED` bytes; ``"link"``: they are named by a path
        from the report's folder; ``"none"``; ``"auto"``: embedded if small and of a kind that browsers play, else linked.
    title
        For the page; by default the name of the video, or of the file.

    Raises
    ------
    DataError
        If there are neither tiers nor signals, or the video is to be embedded and is missing or too large.

    Examples
    --------
    >>> scene.save("interview.html", video="link")  # doctest: +SKIP
    """
    path = Path(path)
    scene = performance if isinstance(performance, Scene) else _alone(performance)
    told, film = _film(scene, path, choose("video", video, ("auto", "embed", "link", "none")))
    people = [_person(n, p, _COLOURS[k % len(_COLOURS)]) for k, (n, p) in enumerate(scene.people.items())]
    if not any(p["tiers"] or p["plots"] or p["heat"] for p in people):
        raise DataError(f"{path}: a report needs tiers or signals; this has neither")
    source = scene.meta.get("source")
    pictures = scene.shared.get("video")
    length = f"{scene.duration:.1f} s, {len(people)} {'person' if len(people) == 1 else 'people'}"
    data = {
        "title": title or (Path(source).name if isinstance(source, str) and source else path.stem),
        "facts": length,
        "duration": round(max(scene.duration, 1e-3), 4),
        "fps": float(pictures.fps) if isinstance(pictures, Video) else _rate(scene),
        "size": list(pictures.size) if isinstance(pictures, Video) else [0, 0],
        "video": told,
        "people": people,
        "units": UNITS,
    }
    with replacing(path) as file:
        for part in _page(data, film):
            file.write(part)


def _alone(performance: Performance) -> Scene:
    shared = {n: performance[n] for n in ("video", "speech") if n in performance}
    own = performance.with_tracks(video=None, speech=None)
    return Scene({"person 1": own}, shared=shared)


def _rate(scene: Scene) -> float:
    rates = [float(t.fps) for t in scene.tracks.values() if isinstance(t, (Face, Signal))]
    return max(set(rates), key=rates.count) if rates else 25.0


def _film(scene: Scene, path: Path, how: str) -> tuple[dict[str, str], bytes]:
    """What the page is told about the video, and its bytes where they are embedded."""
    source = scene.video
    if source is None or how == "none":
        if how in ("embed", "link"):
            raise DataError(
                f"{path}: the video {scene.meta.get('source', '')!r} is not there; use video='none'"
            )
        return {"kind": "none"}, b""
    size, kind = source.stat().st_size, _PLAYED.get(source.suffix.lower())
    if how == "embed" and size > MOST_EMBEDDED:
        raise DataError(
            f"{source} has {size / 1e6:.0f} MB; a report takes {MOST_EMBEDDED / 1e6:.0f} MB; use video='link'"
        )
    if how == "embed" or (how == "auto" and kind and size <= MOST_EMBEDDED):
        return {"kind": "embed", "type": kind or "video/mp4"}, source.read_bytes()
    if not kind:
        log.warning(
            "%s: browsers may not play %s; convert the video to MP4 for the report", path, source.name
        )
    try:
        place = Path(os.path.relpath(source.resolve(), path.resolve().parent)).as_posix()
    except ValueError:  # another drive
        return {"kind": "link", "src": source.resolve().as_uri()}, b""
    return {"kind": "link", "src": quote(place)}, b""


def _page(data: dict[str, Any], film: bytes) -> list[bytes]:
    """The file's parts, the pictures as one of them."""
    page, style, script = (_asset(f"report.{ending}") for ending in ("html", "css", "js"))
    policy = (
        f"default-src 'none'; script-src 'sha256-{_hash(script)}'; style-src 'sha256-{_hash(style)}'; "
        f"media-src {'blob:' if film else 'file: ' + chr(39) + 'self' + chr(39)}; base-uri 'none'; form-action 'none'"
    )
    from kinesics import __version__

    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Nothing in the data can end its element.
    text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    fills = {
        "policy": policy.encode(),
        "generator": f"Kinesics {__version__}".encode(),
        "style": style,
        "data": text.encode("utf-8", "replace"),
        "film": base64.b64encode(film),
        "script": script,
    }
    parts = [page]
    for name, value in fills.items():
        before, _, after = parts.pop().partition(f"@{name}@".encode())
        parts += [before, value, after]
    return parts


def _asset(name: str) -> bytes:
    return (resources.files("kinesics.reading") / "data" / name).read_bytes()


def _hash(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _person(name: str, person: Performance, colour: str) -> dict[str, Any]:
    tracks = {**{n: t for n, t in summaries(person).items() if n != "active_units"}, **person.tracks}
    tiers = {n: t for n, t in tracks.items() if isinstance(t, Tier) and len(t)}
    order = [n for n in _ORDER if n in tiers] + [n for n in tiers if n not in _ORDER]
    return {
        "name": name,
        "colour": colour,
        "tiers": [{"name": n, "rows": [_row(i) for i in tiers[n]]} for n in order],
        "plots": [p for p in (_plot(person, *plot) for plot in _PLOTS) if p["series"]],
        "heat": _heat(person.get("action_units")),
        "box": _floats(person.get("face_box"), ("x", "y", "width", "height")),
        "gaze": _floats(person.get("gaze"), ("yaw", "pitch")),
    }


def _row(interval: Any) -> list[Any]:
    value = None if interval.value is None else round(interval.value, 5)
    label = interval.label[:_MOST_LABEL]
    return [round(interval.start, 4), round(interval.end, 4), label, value, round(interval.confidence, 3)]


def _thin(track: Face | Signal) -> Face | Signal:
    """At a rate that a page can draw."""
    if len(track) <= _MOST_SAMPLES:
        return track
    return track.resample(track.fps * _MOST_SAMPLES / len(track))


def _plot(
    person: Performance,
    title: str,
    name: str,
    columns: tuple[tuple[str, str], ...],
    reach: tuple[float, float],
) -> dict[str, Any]:
    track = person.get(name)
    series = []
    if isinstance(track, (Face, Signal)) and len(track):
        track = _thin(track)
        for label, column in columns:
            if column in track.names:
                k = track.names.index(column)
                part = np.clip((track.values[:, k] - reach[0]) / (reach[1] - reach[0]), 0, 1)
                steps = np.rint(part * 65534).astype("<u2")
                if getattr(track, "confidence", None) is not None:
                    steps[track.confidence[:, k] < SURE] = 65535
                unit = track.units[k] if isinstance(track, Signal) else ""
                series.append({"name": label, "unit": unit, **_clock(track), "data": _packed(steps)})
    return {"name": title, "low": reach[0], "high": reach[1], "series": series}


def _heat(units: Any) -> dict[str, Any] | None:
    if not isinstance(units, Signal) or not len(units):
        return None
    units = _thin(units)
    steps = np.rint(np.clip(units.values, 0, 1) * 255)
    if units.confidence is not None:
        steps[units.confidence < SURE] = 0
    return {"names": list(units.names), **_clock(units), "data": _packed(steps.astype(np.uint8))}


def _floats(track: Any, columns: tuple[str, ...]) -> dict[str, Any] | None:
    """Columns of a signal as they are, NaN where they are not sure."""
    if not isinstance(track, Signal) or not len(track) or not set(columns) <= set(track.names):
        return None
    track = _thin(track)
    places = [track.names.index(c) for c in columns]
    values = track.values[:, places].astype("<f4")
    if track.confidence is not None:
        values[track.confidence[:, places].min(axis=1) < SURE] = np.nan
    return {**_clock(track), "data": _packed(values)}


def _clock(track: Face | Signal) -> dict[str, Any]:
    return {"start": round(track.start, 5), "rate": round(float(track.fps), 6), "count": len(track)}


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
