"""Bringing a motion from one skeleton to another: named maps between the canonical humanoid and others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError

if TYPE_CHECKING:  # the types live on the same floor
    from kinesics.performance import Motion


def retarget(motion: Motion, to: str = "humanoid") -> Motion:
    """The same movement on another skeleton."""
    if motion.skeleton.names == JOINTS and to == "humanoid":
        return motion
    raise DataError("retargeting: no map for this skeleton")


def recognise(skeleton) -> str:
    """Stub."""
    if skeleton.names == JOINTS:
        return "humanoid"
    raise DataError("unknown")
