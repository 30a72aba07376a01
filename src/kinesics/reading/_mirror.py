"""What an avatar needs to look like somebody in one picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.joint_limits import EYE_ACROSS, EYE_UP, soft_clip
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Motion, Performance, Signal

Array = NDArray[np.float64]

_SPINE = ("hips", "spine", "chest", "upperChest")
_EYES = np.array([EYE_ACROSS, EYE_UP])


def mirrored(person: Performance) -> dict[str, Any] | None:
    """Face and joints of an avatar that does what somebody does.

    Parameters
    ----------
    person
        With tracks of one sample: any of ``face``, ``head``, ``gaze`` and ``body``.

    Returns
    -------
    dict or None
        ``face``: name → weight of the morphs that are not 0; ``joints``: name → local rotation (x, y, z, w). The body's where it is
        fitted; neck, head and eyes by the newest angles. None where nothing is seen.

    Examples
    --------
    >>> head = Signal(np.array([[0.0, 40.0, 0.0]]), ("pitch", "yaw", "roll"), ("degrees",) * 3, 25)
    >>> mirrored(Performance({"head": head}))["joints"]["head"]
    [0.0, 0.1736, 0.0, 0.9848]
    """
    face, body = person.get("face"), person.get("body")
    head, gaze = _angles(person, "head", ("pitch", "yaw", "roll")), _angles(person, "gaze", ("pitch", "yaw"))
    joints: dict[str, Array] = {}
    chest = rot.IDENTITY.astype(np.float64)
    if isinstance(body, Motion) and len(body):
        turns = body.rotations[0].astype(np.float64)
        joints = dict(zip(body.skeleton.names, turns, strict=True))
        for name in _SPINE:
            chest = rot.multiply(chest, turns[INDEX[name]])
    if head is not None:
        # Half of the way each, as a neck does; both are local to the joint above.
        whole = rot.multiply(rot.conjugate(chest), _turned(*head))
        joints["neck"] = joints["head"] = rot.slerp(rot.IDENTITY.astype(np.float64), whole, np.float64(0.5))
        if gaze is not None:
            own = rot.multiply(rot.conjugate(_turned(*head)), _turned(*gaze, 0.0))
            across, down, _ = np.degrees(rot.to_euler(own, "YXZ"))
            eyes = np.radians(soft_clip(np.array([across, down]), -_EYES, _EYES))
            joints["leftEye"] = joints["rightEye"] = rot.from_euler(np.append(eyes, 0.0), "YXZ")
    if not joints and not isinstance(face, Face):
        return None
    weights = face.values[0] if isinstance(face, Face) and face.names == ARKIT else ()
    return {
        "face": {n: round(float(w), 3) for n, w in zip(ARKIT, weights, strict=False) if w > 5e-4},
        "joints": {n: [round(float(v), 4) + 0.0 for v in np.roll(q, -1)] for n, q in joints.items()},
    }


def _turned(pitch: float, yaw: float, roll: float) -> Array:
    return rot.from_euler(np.radians([yaw, -pitch, roll]), "YXZ")


def _angles(person: Performance, track: str, names: tuple[str, ...]) -> list[float] | None:
    found = person.get(track)
    if not isinstance(found, Signal) or not len(found):
        return None
    if found.confidence is not None and found.confidence[0].max() <= 0:
        return None
    return [float(found.column(n)[0]) for n in names]
