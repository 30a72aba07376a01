"""Cameras that show a person as people are shown."""

from __future__ import annotations

import numpy as np

from kinesics.bodies.avatar import Avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import choose
from kinesics.performance import Camera

VIEWS: dict[str, tuple[float, float, float]] = {
    "face": (0.30, 0.02, 24.0),
    "bust": (0.62, -0.10, 24.0),
    "half": (1.15, -0.28, 28.0),
    "body": (1.95, 0.0, 30.0),
}
"""Name → metres that the picture's height shows, metres its middle lies above the eyes, degrees of view."""


def view_of(avatar: Avatar, view: str = "half", *, width: int, height: int, turn: float = 0.0) -> Camera:
    """A camera before a person who stands at the origin.

    Parameters
    ----------
    avatar
        The person.
    view
        ``"face"``, ``"bust"``, ``"half"`` (to the hips) or ``"body"``.
    width, height
        Pixels.
    turn
        Degrees round the person, positive to their left.

    Examples
    --------
    >>> from kinesics.bodies.avatar import load_avatar
    >>> view_of(load_avatar("maya"), "face", width=128, height=128).position.round(1).tolist()[0]
    0.0
    """
    shown, above, angle = VIEWS[choose("view", view, VIEWS)]
    eyes = avatar.joints[[INDEX["leftEye"], INDEX["rightEye"]]].mean(axis=0).astype(np.float64)
    target = np.array([0.0, eyes[1] + above, 0.4 * eyes[2]])
    if view == "body":
        shown = float(avatar.vertices[:, 1].max()) * 1.22
        target = np.array([0.0, 0.41 * shown, 0.0])
    distance = 0.5 * shown / np.tan(np.radians(angle) / 2)
    around = np.radians(turn)
    away = np.array([np.sin(around), 0.06, np.cos(around)])
    return Camera.looking(target + distance * away, target, width=width, height=height, angle=angle)
