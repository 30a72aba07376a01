"""USD, Universal Scene Description: a skeleton and its animation for film and robot pipelines (UsdSkel).

Carries ``body`` and ``face``: no sound, no tiers, no plan. Needs the extra ``usd``.

**Written**: a ``SkelRoot`` with a ``Skeleton`` (joints as paths such as ``hips/spine/chest``, rest and bind transforms) and a
``SkelAnimation``: translations (float3), rotations (quatf, the real part first in text), scales (half3, all 1), and the face's 52
ARKit names as ``blendShapes`` with ``blendShapeWeights``. ``metersPerUnit`` is 1, ``upAxis`` Y, one time code per frame of the body,
``timeCodesPerSecond`` its rate. Values are float32 and come back as they were. With ``avatar="maya"`` the person is there too: meshes
with skin weights and blend shapes, in plain display colours, so that usdview and Omniverse show someone; by
default where ``meta["avatar"]`` names one and the body has our joints, which is then put on the avatar's own skeleton.
``avatar="none"`` leaves the person out. ``.usda`` is text, ``.usdc`` and ``.usd`` are binary, ``.usdz`` is a package with one ``.usdc``.
As in GLB, ``eyeLook…`` follows from the eye joints at export and is read back as zero, and the jaw bone rests where a face
opens the mouth. Exact rates, names that are no identifiers, and the avatar's name are in ``customLayerData["kinesics"]``.

**Read**: ours and other tools'. Units and up axis are the stage's (USD's default is centimetres); transforms above the skeleton count,
at the default time. The rest pose is the bind pose (where a file has none: the rest transforms). Bone frames there may lie as they
like; our joints are aligned with the world at rest, and rotations are told relative to that. An animation lists its own joints, in any order:
joints that it leaves out rest. Joints below a resting single root that travel become the root, as in BVH. Of several
skeletons in one tree the largest is taken; of several animations the one that is bound first, or ``animation="Name"``.

Traps. USD keeps samples at any times: where they are not evenly spaced they are interpolated at ``timeCodesPerSecond``. Scaling of
joints cannot be kept, nor bones that stretch (their median length is): both are logged and in ``meta["usd"]``. Blend shapes with other
names than ARKit's (in any case of the first letter) become a signal, ``blendshapes``.

**Safety.** A file is opened in a process of its own with limited memory and time, since it is a large C++ library that reads it. Nothing
outside the file is looked up: references, payloads, sublayers and clips in other files are refused; flatten such a file
first (``usdcat --flatten``).
"""

from __future__ import annotations

import importlib.util
import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.export import EYE_LOOK, face_for_export
from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError, FormatError, KinesicsError, MissingExtra
from kinesics.files import replacing
from kinesics.formats import _npz, _usd_write
from kinesics.formats._encode import from_json
from kinesics.formats._format import Format
from kinesics.formats._usd_body import motion_of, on_even_clock
from kinesics.formats._vrm_face import as_arkit, movable
from kinesics.performance import Face, Performance, Signal

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000_000
_SECONDS = 300
_MEMORY = 8_000_000_000


def _needed() -> None:
    if importlib.util.find_spec("pxr") is None:
        raise MissingExtra("usd", "reading and writing USD")


def read(path: str | Path, *, animation: str | None = None) -> Performance:
    """Read a skeleton's animation from a USD file.

    Parameters
    ----------
    path
        The file: ``.usda``, ``.usdc``, ``.usd`` or ``.usdz``.
    animation
        Name or path of the SkelAnimation, where there are several.

    Returns
    -------
    Performance
        ``body`` and, where there are blend shapes, ``face`` or ``blendshapes``; ``meta["usd"]`` holds unit, up axis
        and what was lost.

    Raises
    ------
    FormatError
        If the file is no USD, needs other files, or has no skeleton's animation.
    MissingExtra
        If usd-core is not installed.

    Examples
    --------
    >>> walk = read("walk.usda").body  # doctest: +SKIP
    >>> walk.skeleton.names[:2]  # doctest: +SKIP
    ('hips', 'leftUpperLeg')
    """
    path = Path(path)
    _needed()
    if path.stat().st_size > MOST_BYTES:
        raise FormatError(path, "size", f"at most {MOST_BYTES // 10**6} MB", "cut the clip")
    if animation is not None and "\0" in animation:
        raise DataError(f"animation {animation!r:.60}: expected a name")
    arrays = _opened(path, animation)
    note = _note(arrays)
    about: dict[str, Any] = {
        "unit": float(arrays["unit"]),
        "up": str(arrays["up"]),
        "animation": str(arrays["animation"]),
    }
    tracks: dict[str, Any] = {}
    try:
        body = motion_of(path, arrays, note, about)
        if body is not None:
            tracks["body"] = body
        tracks |= _faces(path, arrays, note, "body" in tracks)
    except FormatError:
        raise
    except (KinesicsError, ValueError, IndexError, FloatingPointError) as error:
        raise FormatError(
            path, "skeleton or animation", "a finite skeleton in motion", str(error)[:200]
        ) from error
    if not tracks:
        raise FormatError(path, "animation", "joints or blend shapes that move", "export the animation")
    meta: dict[str, Any] = {"usd": about}
    if isinstance(note.get("avatar"), str):
        meta["avatar"] = note["avatar"]
    return Performance(tracks, meta)


def _opened(path: Path, animation: str | None) -> dict[str, NDArray[Any]]:
    worker = Path(__file__).with_name("_usd_worker.py")
    with tempfile.TemporaryDirectory(prefix="kinesics-usd-") as folder:
        out = Path(folder) / "out.npz"
        command = [
            sys.executable,
            "-I",
            str(worker),
            str(path.resolve()),
            str(out),
            animation or "",
            str(_MEMORY),
        ]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            raise FormatError(
                path, "whole file", f"a file that opens within {_SECONDS} s", "cut the clip"
            ) from None
        if done.returncode != 0 or not out.is_file():
            raise FormatError(
                path,
                "whole file",
                f"a USD file; the library stopped over it ({done.returncode})",
                "check the file",
            )
        with _npz.opened(out) as archive:
            arrays = dict(archive)
    if "error" in arrays:
        raise FormatError(path, "content", str(arrays["error"]), str(arrays["fix"]))
    return arrays


def _note(arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    try:
        note = from_json(str(arrays["note"]).encode()) if "note" in arrays else {}
    except ValueError:
        note = {}
    return note if isinstance(note, dict) else {}


def _faces(path: Path, arrays: dict[str, NDArray[Any]], note: dict[str, Any], body: bool) -> dict[str, Any]:
    if "shapes" not in arrays:
        return {}
    names = [str(n) for n in arrays["shapes"]]
    values, fps, start = on_even_clock(
        path, arrays["weights"], arrays["shape_times"], arrays["rate"], note.get("face")
    )
    known = {n.lower(): n for n in ARKIT}
    columns: dict[str, int] = {}
    others: dict[str, int] = {}
    for i, name in enumerate(names):
        arkit = known.get(name.lower())
        columns.setdefault(arkit, i) if arkit else others.setdefault(name, i)
    out: dict[str, Any] = {}
    if columns:
        face = values[:, list(columns.values())]
        if note and body:
            # Gaze is in the eye joints: these were derived from it.
            face[:, [k for k, n in enumerate(columns) if n in EYE_LOOK]] = 0
        out["face"] = Face(face, tuple(columns), fps, start=start)
    if others:
        log.info("%s: %d blend shapes are not ARKit's and become a signal", path, len(others))
        out["blendshapes"] = Signal(
            values[:, list(others.values())], tuple(others), ("",) * len(others), fps, start
        )
    return out


def write(performance: Performance, path: str | Path, *, avatar: str = "auto") -> None:
    """Write the body, the face's weights and, where it is known, the person, as UsdSkel.

    Parameters
    ----------
    performance
        With the track ``body``; ``face`` in the ARKit basis where there is one.
    path
        The file; ``.usda`` is text, ``.usdz`` a package, else binary.
    avatar
        Name of a person, ``"none"``, or ``"auto"``: ``meta["avatar"]`` where the body has our joints.

    Raises
    ------
    DataError
        If there is no body, no such avatar, or the body has other joints than the avatar.
    MissingExtra
        If usd-core is not installed.
    """
    path = Path(path)
    motion = performance.body
    _needed()
    told = performance.meta.get("avatar")
    if avatar == "auto":
        avatar = told if isinstance(told, str) and motion.skeleton.names == JOINTS else "none"
    person = None if avatar == "none" else load_avatar(avatar)
    if person is not None:
        if motion.skeleton.names != JOINTS:
            raise DataError(
                f"{path}: the body has other joints than the avatar {avatar!r}; retarget it first"
            )
        if motion.skeleton != person.skeleton:
            motion = motion.on(person.skeleton)
    face = performance.get("face")
    face = movable(as_arkit(face) if face is not None else None, ("arkit",), path, "USD", alone=False)
    face = face_for_export(face, motion) if face is not None else None
    note = json.dumps(_usd_write.facts(motion, face, performance.meta), ensure_ascii=False)
    # The stage must be kept: its layer goes with it.
    stage = _usd_write.stage_of(motion, face, person, note)
    ending = path.suffix.lower()
    with tempfile.TemporaryDirectory(prefix="kinesics-usd-") as folder:
        made = Path(folder) / ("stage.usda" if ending == ".usda" else "stage.usdc")
        if not stage.GetRootLayer().Export(str(made)):
            raise DataError(f"cannot write {path}: the disk for temporary files takes nothing")
        data = made.read_bytes()
    with replacing(path) as file:
        file.write(_usd_write.usdz("stage.usdc", data) if ending == ".usdz" else data)


FORMAT = Format("USD", (".usda", ".usdc", ".usd", ".usdz"), ("body", "face"), read, write)
