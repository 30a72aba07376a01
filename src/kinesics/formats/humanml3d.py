"""HumanML3D (``.npy``): text-to-motion's 263 numbers a frame, or its 22 joints, at 20 frames per second.

A file is a float array of shape (T, 263), *vectors* as in ``new_joint_vecs``, or (T, 22, 3), *joints* as in
``new_joints``; the shape tells which. Other `.npy` files, KIT-ML's (T, 251) and batches among them, are
refused.

Reading gives ``joints`` (Points, world, metres, SMPL's names), ``body`` (the canonical humanoid, by
``bodies.from_joints``: limbs point exactly where the joints say, twist follows from how elbows and knees
bend) and, from vectors, ``contacts`` (Signal, four columns, 1 where a foot stands). Joints from vectors are
summed up as the published ``recover_from_ric`` does, and equal its joints to 0.000001 m. Writing takes any
body that can be brought to the canonical humanoid, at 20 fps, by forward kinematics.

What the 263 columns are, and the traps in them:

- **0, root turn**: *half* the angle about Y by which the facing turns to the next frame, radians (an arcsine
  of a quaternion's component). **1–2, root velocity**: metres per *frame* along X and Z, in the root's frame
  of the *next* frame. **3, root height**: metres. **4–66, positions** of joints 1–21, without the root's X
  and Z, turned to face +Z. **67–192, rotations** of joints 1–21, 6-D. **193–258, velocities** of the 22
  joints, metres per frame. **259–262, contacts** of left ankle, left foot, right ankle, right foot: squared
  step below 0.002 m², at any height.
- **The rotations are not SMPL's.** They come from the process's own inverse kinematics: each bone's shortest
  turn from a stick figure whose arms hang down, without twist, and the arms' chains begin at the root
  although they hang on the chest. Put on SMPL they distort the body (MotionLCM, issue 24). They are not read
  here, the joints are; they are written as published.
- **Facing** is smoothed (Gaussian, 20 frames) and, in the published code, the hips are taken with left and
  right exchanged: it follows shoulders *less* hips. The first frame's is set to +Z. Both are in the data, so
  they are written so.
- **One frame is lost** by every pass: T joints make T − 1 vectors. The step to the lost frame is in the last
  velocities: ``last_step=True`` adds it when reading, and T vectors are then written as T again.
- **Normalisation.** Networks see ``(vectors − Mean) / Std``. Such files are read with ``mean=`` and ``std=``
  (files or arrays); nothing in a file says that it is normalised, contacts far from 0 and 1 are logged and
  told in ``meta``.
- **Proportions.** The corpus is brought to the bone lengths of its clip 000021. We ship no such numbers: give
  ``like=``, a file or array of joints whose first frame has the lengths wanted, else the body keeps its own.
- **Place.** A clip is put with its lowest joint on the floor and begins above the origin facing +Z
  (``settle=False`` leaves joints where they are; vectors are always settled). Where it was in the world is
  lost.
- **Left** is the person's left, +X when facing +Z, as in SMPL. Texts are in other files and are not read.

``meta["humanml3d"]`` holds the layout and what was noticed. Source: the published code and data of HumanML3D
(Guo et al., CVPR 2022), checked against clip 012314: from its vectors' 171 joints, the vectors come out again
within 0.000003 (rotations), 0.0000003 (everything else), contacts equal.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.from_joints import HUMANML3D, from_joints
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError, FormatError, KinesicsError, choose
from kinesics.files import existing, replacing
from kinesics.formats._format import Format
from kinesics.formats._humanml3d import BLOCKS, CONTACTS, FPS, WIDTH, joints_of, uniform, vectors_of
from kinesics.formats._humanml3d import settle as settled
from kinesics.formats._npy import floats_of, shape_of
from kinesics.performance import Motion, Performance, Points, Signal
from kinesics.performance._sampled import exact_rate

log = logging.getLogger(__name__)

_LARGEST = 1e4  # metres and radians: what exceeds it is no person's motion


def read(
    path: str | Path,
    *,
    mean: str | Path | ArrayLike | None = None,
    std: str | Path | ArrayLike | None = None,
    last_step: bool = False,
    fps: float | Fraction = FPS,
) -> Performance:
    """Read HumanML3D vectors or joints.

    Parameters
    ----------
    path
        The file.
    mean, std
        (263,) with which the vectors were normalised: arrays, or ``.npy`` files.
    last_step
        Add the frame to which the last velocities of the vectors lead.
    fps
        Frames per second; the corpus has 20.

    Returns
    -------
    Performance
        With ``joints`` (T, 22, 3), ``body`` and, from vectors, ``contacts`` (T, 4).

    Raises
    ------
    FormatError
        If the file is neither, or holds numbers that are not finite.
    DataError
        If only one of ``mean`` and ``std`` is given, one is not (263,), or the file holds joints; or on a bad rate.

    Examples
    --------
    >>> read("new_joint_vecs/012314.npy").body.fps  # doctest: +SKIP
    Fraction(20, 1)
    """
    path = Path(path)
    scaling, rate = _scaling(mean, std), exact_rate(fps, "HumanML3D")
    shape = shape_of(path)
    if shape is not None and not _is_ours(shape):
        known = " (KIT-ML's 21 joints are another representation)" if shape[-1:] == (251,) else ""
        raise FormatError(
            path,
            f"shape {shape}",
            f"(T, {WIDTH}) or (T, 22, 3){known}",
            "give one clip of HumanML3D, not normalised twice",
        )
    with np.errstate(invalid="ignore"):  # a signalling NaN is found below, like any other
        array = floats_of(path).astype(np.float64)
    if not len(array):
        raise FormatError(path, f"shape {array.shape}", "one frame or more", "leave this clip out")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise FormatError(path, f"value {place}", "finite numbers", "leave this clip out or cut these frames")
    about: dict[str, Any] = {"layout": "joints" if array.ndim == 3 else "vectors"}
    if array.ndim == 3 and scaling is not None:
        raise DataError("HumanML3D: mean and std belong to vectors; this file holds joints")
    if scaling is not None:
        array = array * scaling[1] + scaling[0]
    if (most := float(np.abs(array).max())) > _LARGEST:
        raise FormatError(path, f"value {most:.3g}", f"at most {_LARGEST:g}", "check unit and normalisation")
    try:
        return _performance(path, array, scaling is not None, last_step, rate, about)
    except FormatError:
        raise
    except KinesicsError as error:
        raise FormatError(path, "motion", "a person in motion", str(error)) from error


def _performance(
    path: Path,
    array: NDArray[np.float64],
    scaled: bool,
    last_step: bool,
    fps: Fraction,
    about: dict[str, Any],
) -> Performance:
    tracks: dict[str, Any] = {}
    if array.ndim == 2:
        contacts = array[:, BLOCKS["contacts"]]
        if not scaled and (contacts.min() < -0.5 or contacts.max() > 1.5):
            about["looks_normalised"] = True
            log.warning(
                "%s: contacts reach %.3g; if it is normalised, give mean= and std=",
                path,
                np.abs(contacts).max(),
            )
        joints = joints_of(array, last_step=last_step)
        tracks["contacts"] = Signal(contacts, CONTACTS, ("",) * 4, fps)
    else:
        joints = array
    tracks["joints"] = Points(joints, HUMANML3D, fps)
    posed = from_joints(joints, HUMANML3D, fps=float(fps), confidence=np.ones(joints.shape[:2]))
    tracks["body"] = Motion(posed.skeleton, posed.rotations, posed.root, fps)
    return Performance(tracks, {"humanml3d": about})


def write(
    performance: Performance,
    path: str | Path,
    *,
    layout: str = "vectors",
    mean: str | Path | ArrayLike | None = None,
    std: str | Path | ArrayLike | None = None,
    like: str | Path | ArrayLike | None = None,
    settle: bool = True,
    source: str = "body",
) -> None:
    """Write HumanML3D vectors or joints.

    Parameters
    ----------
    performance
        With the track ``body``, or with ``joints`` of HumanML3D's names.
    path
        The file.
    layout
        ``"vectors"`` (T - 1, 263) or ``"joints"`` (T, 22, 3), float32, 20 fps.
    mean, std
        (263,) to normalise vectors with: arrays, or ``.npy`` files.
    like
        Joints, (22, 3) or more frames, or a ``.npy`` file of them: the bone lengths to write. The corpus has those of its
        clip 000021.
    settle
        Put joints on the floor, above the origin and facing +Z, as the corpus has them.
    source
        ``"body"``, or ``"joints"`` to write the track ``joints`` as it is, which is exact after reading.

    Raises
    ------
    DataError
        If there is no such track, or it is too short: vectors need two frames.
    """
    choose("layout", layout, ["vectors", "joints"])
    choose("source", source, ["body", "joints"])
    scaling = _scaling(mean, std)
    if scaling is not None and layout == "joints":
        raise DataError("HumanML3D: mean and std belong to vectors; leave them out for joints")
    joints = _joints(performance, source).astype(np.float64)
    if len(joints) < (2 if layout == "vectors" else 1):
        raise DataError(f"HumanML3D: {len(joints)} frames at {FPS} fps; vectors need two or more, joints one")
    if like is not None:
        joints = uniform(joints, _like(like))
    if settle or layout == "vectors":
        joints = settled(joints)
    array = vectors_of(joints) if layout == "vectors" else joints.astype(np.float32)
    if scaling is not None:
        array = ((array - scaling[0]) / scaling[1]).astype(np.float32)
    with replacing(Path(path)) as file:
        np.lib.format.write_array(file, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)


def _joints(performance: Performance, source: str) -> NDArray[np.float32]:
    if source == "joints" or "body" not in performance:
        points = performance.get("joints")
        if not isinstance(points, Points) or points.names != HUMANML3D or points.values.shape[2] != 3:
            raise DataError(
                "HumanML3D needs the track 'body'"
                + (", or 'joints' of its 22 names" if source == "joints" else "")
            )
        return points.resample(FPS).values
    body = retarget(performance.body, "humanoid")
    return body.resample(FPS).positions()[:, : len(HUMANML3D)]


def _scaling(mean: Any, std: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    if (mean is None) != (std is None):
        raise DataError("HumanML3D: give both mean and std, or neither")
    if mean is None:
        return None
    found = []
    for name, value in (("mean", mean), ("std", std)):
        array = _array(value, name).astype(np.float64)
        if array.shape != (WIDTH,) or not np.isfinite(array).all():
            raise DataError(f"HumanML3D: {name} of shape {array.shape}; expected ({WIDTH},), finite")
        found.append(array)
    if np.any(found[1] <= 0):
        raise DataError(f"HumanML3D: std is {found[1].min():g} in a column; expected more than 0")
    return found[0], found[1]


def _like(value: Any) -> NDArray[np.float64]:
    array = _array(value, "like").astype(np.float64)
    pose = array[0] if array.ndim == 3 and len(array) else array
    if pose.shape != (22, 3) or not np.isfinite(pose).all():
        raise DataError(f"HumanML3D: like of shape {array.shape}; expected (22, 3) or (T, 22, 3), finite")
    return pose


def _array(value: Any, name: str) -> NDArray[Any]:
    if isinstance(value, (str, Path)):
        return floats_of(existing(Path(value), f"the array {name}"))
    return np.asarray(value)


def _is_ours(shape: tuple[int, ...]) -> bool:
    return (len(shape) == 2 and shape[1] == WIDTH) or (len(shape) == 3 and shape[1:] == (22, 3))


def recognises(path: Path) -> bool:
    """Whether a ``.npy`` file has the shape of HumanML3D's vectors or joints."""
    shape = shape_of(path)
    return shape is not None and _is_ours(shape)


FORMAT = Format(
    "HumanML3D", (".humanml3d.npy", ".npy"), ("body", "joints", "contacts"), read, write, recognises
)
