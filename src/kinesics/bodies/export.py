"""The one place where gaze becomes eyeLook coefficients and jawOpen becomes a jaw bone.

Inside Kinesics the eyes' direction lives in the eye joints of ``Motion`` and the jaw in
``Face``. Consumers that want the other of the two get it from here, at export and never before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.arkit import INDEX as COLUMN
from kinesics.geometry import rotations as rot

if TYPE_CHECKING:  # the types live on the same floor
    from kinesics.performance import Face, Motion

EYE_LOOK_DEGREES: dict[str, float] = {"Up": 30.0, "Down": 35.0, "In": 35.0, "Out": 35.0}
"""Eye turn at which an eyeLook coefficient is 1; linear below (ours: near the limits of eye movement
without the head that people use, Stahl 1999)."""

JAW_DEGREES: float = 20.0
"""Turn of the jaw bone at jawOpen = 1; linear below (ours: about 4 cm between the incisors)."""

EYE_LOOK: tuple[str, ...] = tuple(n for n in ARKIT if n.startswith("eyeLook"))
"""The eight coefficients that follow from the eye joints."""


def face_for_export(face: Face, motion: Motion | None = None) -> Face:
    """The 52 ARKit coefficients in ARKit's order, with eyeLook* derived from the eye joints.

    Parameters
    ----------
    face
        Coefficients in the ARKit basis, by any names; names it lacks become zeros.
    motion
        Where the joints ``leftEye`` and ``rightEye`` turn: identity looks straight ahead (+Z of the
        head), a turn about +Y looks to the performer's left. Without it, or without these
        joints, the face's own eyeLook coefficients stay.

    Returns
    -------
    Face
        Names are ``ARKIT``; rate and start are the face's.

    Examples
    --------
    >>> from kinesics.performance import Face
    >>> face = Face(np.zeros((2, 52)), ARKIT, 60)
    >>> face_for_export(face).names == ARKIT
    True
    """
    out = face.select(ARKIT)
    if motion is None or not len(motion) or not len(face):
        return out
    if "leftEye" not in motion.skeleton.names or "rightEye" not in motion.skeleton.names:
        return out
    values = out.values.copy()
    for side, inwards in (("Left", -1.0), ("Right", 1.0)):
        azimuth, elevation = eye_angles(_on_clock(motion.joint(f"{side.lower()}Eye"), motion, face))
        for way, angle in (
            ("Up", elevation),
            ("Down", -elevation),
            ("In", inwards * azimuth),
            ("Out", -inwards * azimuth),
        ):
            values[:, COLUMN[f"eyeLook{way}{side}"]] = np.clip(angle / EYE_LOOK_DEGREES[way], 0, 1)
    return replace(out, values=values)


def eye_angles(rotations: NDArray[np.float32]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Eye joint rotations (T, 4) to azimuth (to the performer's left) and elevation (up), degrees (T,)."""
    gaze = rot.rotate(rotations, np.array([0, 0, 1], dtype=np.float32))
    azimuth = np.degrees(np.arctan2(gaze[..., 0], gaze[..., 2]))
    return azimuth, np.degrees(np.arcsin(np.clip(gaze[..., 1], -1, 1)))


def body_for_export(motion: Motion, face: Face | None = None) -> Motion:
    """The motion with its jaw bone turned as far as the face opens the mouth.

    Needed where bones are all there is (BVH, SMPL-X). A skeleton without the joint ``jaw``, or a
    face without ``jawOpen``, leaves the motion as it is.
    """
    if face is None or not len(face) or "jaw" not in motion.skeleton.names or "jawOpen" not in face.names:
        return motion
    jaw = (
        face.select(("jawOpen",)).at(motion.times).column("jawOpen")
        if len(motion)
        else np.zeros(0, np.float32)
    )
    rotations = motion.rotations.copy()
    # About +X, which in a right-handed frame facing +Z takes the chin down and back.
    rotations[:, motion.skeleton.index("jaw")] = rot.from_axis_angle(
        np.array([1, 0, 0], np.float32), np.radians(np.clip(jaw, 0, 1) * np.float32(JAW_DEGREES))
    )
    return replace(motion, rotations=rotations)


def _on_clock(values: NDArray[np.float32], motion: Motion, face: Face) -> NDArray[np.float32]:
    if (motion.fps, motion.start, len(motion)) == (face.fps, face.start, len(face)):
        return values
    position = np.clip((face.times - motion.start) * float(motion.fps), 0, len(motion) - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, len(motion) - 1)
    return rot.slerp(values[low], values[high], (position - low).astype(np.float32))
