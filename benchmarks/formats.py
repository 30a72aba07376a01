"""Speed, size, memory and error of every format on one take.

A take of 60 s (`benchmarks/_take.py`): 55 joints and 52 face coefficients at 60 fps, all moving, speech at 22,050 Hz,
120 words. Each format writes and reads it in a warm process on a local disk, with the fsync that
keeps a file whole; the median of the runs counts. Error is the greatest over all frames and joints between
the take and what was read back. Peers read the same BVH file, or parse the same GLB (pygltflib: container and JSON only).
The last rows are ten minutes: memory is what is allocated on top of the performance itself.
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks._measure import Figure, memory, skipped, timed
from benchmarks._take import take
from kinesics import formats
from kinesics.geometry import rotations as rot
from kinesics.performance import Performance

EXTENSIONS = (".kin", ".glb", ".bvh", ".wav", ".flac", ".ogg")


def run(runs: int) -> list[Figure]:
    """Measure."""
    show = take(60)
    out: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for extension in EXTENSIONS:
            path = folder / f"take{extension}"
            label = extension[1:].upper()
            out.append(timed(f"{label} write", lambda p=path: show.save(p), runs))
            out.append(timed(f"{label} read", lambda p=path: formats.load(p), runs))
            out.append(Figure(f"{label} size", path.stat().st_size / 1e6, "MB"))
            out += _errors(label, show, formats.load(path))
        out += _peers(folder, runs)
        long = take(600)
        for extension in (".kin", ".glb", ".bvh"):
            path = folder / f"long{extension}"
            label = f"{extension[1:].upper()} of ten minutes"
            out.append(timed(f"{label}, write", lambda p=path: long.save(p), 1, scale=1, unit="s"))
            out.append(memory(f"{label}, memory to write", lambda p=path: long.save(p)))
            out.append(timed(f"{label}, read", lambda p=path: formats.load(p), 1, scale=1, unit="s"))
            out.append(Figure(f"{label}, size", path.stat().st_size / 1e6, "MB"))
            path.unlink()
    return out


def _errors(label: str, show: Performance, back: Performance) -> list[Figure]:
    out = []
    if "body" in back:
        index = [back.body.skeleton.index(n) for n in show.body.skeleton.names]
        angle = rot.angle(show.body.rotations, back.body.rotations[:, index])
        bones = [show.body.skeleton.index(n) for n in show.body.skeleton.names if n != "jaw"]
        out.append(
            Figure(
                f"{label} rotation error",
                float(np.degrees(angle[:, bones].max())),
                "degrees",
                note="jaw apart: BVH derives it",
            )
        )
        out.append(
            Figure(f"{label} root error", float(np.abs(show.body.root - back.body.root).max() * 1e3), "mm")
        )
    if "face" in back:
        kept = [i for i, n in enumerate(show.face.names) if not n.startswith("eyeLook")]
        out.append(
            Figure(
                f"{label} face error",
                float(np.abs(show.face.values - back.face.values)[:, kept].max()),
                "weight",
            )
        )
    if "speech" in back and label != "OGG":
        out.append(Figure(f"{label} sound error", show.speech.difference(back.speech), "full scale"))
    return out


def _peers(folder: Path, runs: int) -> list[Figure]:
    bvh, glb = str(folder / "take.bvh"), str(folder / "take.glb")
    out = []
    if find_spec("bvhio"):
        import bvhio

        out.append(timed("BVH read by bvhio", lambda: bvhio.readAsBvh(bvh), min(runs, 3), note="peer"))
    else:
        out.append(skipped("BVH read by bvhio", "bvhio is not installed"))
    if find_spec("bvhsdk"):
        import bvhsdk

        out.append(timed("BVH read by bvhsdk", lambda: bvhsdk.ReadFile(bvh), min(runs, 3), note="peer"))
    else:
        out.append(skipped("BVH read by bvhsdk", "bvhsdk is not installed"))
    if find_spec("pygltflib"):
        import pygltflib

        out.append(
            timed(
                "GLB opened by pygltflib",
                lambda: pygltflib.GLTF2().load(glb),
                runs,
                note="peer; decodes no accessor",
            )
        )
    else:
        out.append(skipped("GLB opened by pygltflib", "pygltflib is not installed"))
    return out
