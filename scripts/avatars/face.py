"""The 52 ARKit morphs of a person."""

from __future__ import annotations

import numpy as np

from avatars import source
from kinesics.bodies.arkit import ARKIT


def morphs(position: np.ndarray, joints: np.ndarray) -> dict[str, np.ndarray]:
    """Offsets (19158, 3) per ARKit name, in the person's T-pose."""
    base = source.base()
    eyes = np.concatenate([base.groups["helper-l-eye"], base.groups["helper-r-eye"]])
    out = {}
    for name in ARKIT:
        offset = source.face_unit(name)
        offset[eyes] = 0  # the eye joints turn the eyeballs
        out[name] = offset
    return out
