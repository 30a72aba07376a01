"""Speed, size, memory and error of every format on one take.

A take of 60 s (`benchmarks/_take.py`): 55 joints and 52 face coefficients at 60 fps, all moving, speech at 22,050 Hz,
120 words, 600 phones, a plan of 60 gestures, 33 points in a picture. Each format writes and reads what it can hold of it in a warm process on a local disk, with the fsync
that keeps a file whole; the median of the runs counts. Errors are the greatest over all frames and joints between the
take and what was read back, at the rate of the file: rotations where they are stored (the jaw apart, which most formats derive
from the face), places of the hips, face coefficients (eyeLook* apart, which gaze replaces), starts and ends of words and phones, sound.
HumanML3D stores places and settles them: its error is that of the distances between joints. Peers read the same file; pygltflib
parses container and JSON only and decodes no accessor. The last rows are ten minutes: memory is what is allocated on top of the
performance itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._measure import Figure, memory, skipped, timed
from benchmarks._take import take
from kinesics import formats
from kinesics.errors import DataError, MissingExtra
from kinesics.geometry import rotations as rot
from kinesics.performance import Performance

SAME_WRITER = {".npz", ".amass.npz", ".npy", ".usd", ".usda", ".usdz", ".mov", ".mkv", ".webm"}
"""Endings of formats that are measured under another ending."""

PEERS = (
    (".bvh", "bvhio", lambda path: __import__("bvhio").readAsBvh(path)),
    (".bvh", "bvhsdk", lambda path: __import__("bvhsdk").ReadFile(path)),
    (".glb", "pygltflib", lambda path: __import__("pygltflib").GLTF2().load(path)),
    (".textgrid", "textgrid", lambda path: __import__("textgrid").TextGrid.fromFile(path)),
    (".eaf", "pympi", lambda path: __import__("pympi").Elan.Eaf(path)),
)


def run(runs: int) -> list[Figure]:
    """Measure."""
    show = take(60)
    out: list[Figure] = []
    endings = [
        e for e in formats.available("write") if e in formats.available("read") and e not in SAME_WRITER
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for ending in endings:
            out += _format(show, folder / f"take{ending}", ending, runs)
        out += [_peer(folder / f"take{e}", library, read, min(runs, 3)) for e, library, read in PEERS]
        long = take(600)
        for ending in (".kin", ".glb", ".bvh", ".smplx.npz", ".vrma"):
            path = folder / f"long{ending}"
            label = f"{ending} of ten minutes"
            out.append(timed(f"{label}, write", lambda p=path: long.save(p), 1, scale=1, unit="s"))
            out.append(memory(f"{label}, memory to write", lambda p=path: long.save(p)))
            out.append(timed(f"{label}, read", lambda p=path: formats.load(p), 1, scale=1, unit="s"))
            out.append(Figure(f"{label}, size", path.stat().st_size / 1e6, "MB"))
            path.unlink()
    return out


def _format(show: Performance, path: Path, ending: str, runs: int) -> list[Figure]:
    if ending == ".mp4":  # encoding is slow and speaks of the codec
        return []
    try:
        show.save(path)
    except (DataError, MissingExtra) as error:
        return [skipped(f"{ending} write", str(error).removeprefix(f"{path}: "))]
    return [
        timed(f"{ending} write", lambda: show.save(path), runs),
        timed(f"{ending} read", lambda: formats.load(path), runs),
        Figure(f"{ending} size", path.stat().st_size / 1e6, "MB"),
        *_errors(ending, show, formats.load(path)),
    ]


def _errors(label: str, show: Performance, back: Performance) -> list[Figure]:
    if "plan" in back and "body" not in back:
        return [Figure(f"{label} plan error", show.difference(back)["plan"], "0 is equal")]
    if "marks" in back and "body" not in back:
        return [
            Figure(
                f"{label} point error",
                float(np.abs(show["marks"].values - back["marks"].values).max()),
                "pixels",
            )
        ]
    checks: list[tuple[str, str, Callable[[Any, Any], float | None]]] = [
        ("rotation error", "degrees", _rotation),
        ("root error", "mm", _root),
        ("distance error", "mm", _distances),
        ("face error", "weight", _face),
        ("time error", "ms", _times),
        ("sound error", "full scale", _sound),
    ]
    found = [(what, unit, check(show, back)) for what, unit, check in checks]
    return [Figure(f"{label} {what}", value, unit) for what, unit, value in found if value is not None]


def _bodies(show: Performance, back: Performance) -> tuple[Any, Any] | None:
    if "body" not in back or len(back.body.skeleton) < 50:
        return None
    return show.body.at(back.body.times), back.body


def _rotation(show: Performance, back: Performance) -> float | None:
    pair = _bodies(show, back)
    if pair is None or "joints" in back or "livelink" in back.meta:
        return None  # places alone, or head and eyes alone
    ours, theirs = pair
    bones = [n for n in ours.skeleton.names if n in theirs.skeleton.names and n != "jaw"]
    moved = [n for n in bones if np.ptp(theirs.joint(n), axis=0).max() > 0]
    return float(np.degrees(max(rot.angle(ours.joint(n), theirs.joint(n)).max() for n in moved)))


def _root(show: Performance, back: Performance) -> float | None:
    pair = _bodies(show, back)
    if pair is None or "joints" in back or not np.ptp(back.body.root, axis=0).max() > 0:
        return None
    # Where a format knows no place in the room, the way alone counts.
    ours, theirs = (m.root - m.root[0] for m in pair)
    return float(np.abs(ours - theirs).max() * 1e3)


def _distances(show: Performance, back: Performance) -> float | None:
    if "joints" not in back:
        return None
    theirs = back["joints"].values
    ours = show.body.at(back["joints"].times).positions()[:, : theirs.shape[1]]
    pairs = np.array(list(combinations(range(theirs.shape[1]), 2)))
    gaps = [np.linalg.norm(p[:, pairs[:, 0]] - p[:, pairs[:, 1]], axis=-1) for p in (ours, theirs)]
    return float(np.abs(gaps[0] - gaps[1]).max() * 1e3)


def _face(show: Performance, back: Performance) -> float | None:
    if "face" not in back or back.face.basis != "arkit":
        return None
    ours = show.face.at(back.face.times)
    kept = [n for n in back.face.names if n in ours.names and not n.startswith("eyeLook")]
    return float(max(np.abs(ours.column(n) - back.face.column(n)).max() for n in kept))


def _times(show: Performance, back: Performance) -> float | None:
    gaps = []
    for name in ("words", "phones", "turns"):
        ours, theirs = show.tier(name), back.tier(name)
        if len(ours) == len(theirs) and ours.labels == theirs.labels:
            gaps += [
                max(abs(a.start - b.start), abs(a.end - b.end)) for a, b in zip(ours, theirs, strict=True)
            ]
    return 1e3 * max(gaps) if gaps else None


def _sound(show: Performance, back: Performance) -> float | None:
    if "speech" not in back or back.speech.samples.shape != show.speech.samples.shape:
        return None
    return show.speech.difference(back.speech)


def _peer(path: Path, library: str, read: Callable[[str], Any], runs: int) -> Figure:
    what = f"{path.suffix} read by {library}"
    if not find_spec(library):
        return skipped(what, f"{library} is not installed")
    return timed(what, lambda: read(str(path)), runs, note="peer")
