"""A camera: where it stands, where it looks, and what falls on its picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot

NEAREST = 0.01
"""Metres before the camera from which things are seen."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera that looks along its own −Z with +Y up.

    Parameters
    ----------
    position
        (3,) place in the world, metres.
    rotation
        (4,) quaternion wxyz that turns camera axes into the world's.
    focal
        Focal length in pixels.
    width, height
        Size of the picture in pixels; its centre is the optical axis.

    Examples
    --------
    >>> camera = Camera.looking([0, 1, 2], [0, 1, 0], width=100, height=100)
    >>> pixels, depth = camera.project([[0.0, 1.0, 0.0]])
    >>> pixels.round(3).tolist(), depth.round(3).tolist()
    ([[50.0, 50.0]], [2.0])
    """

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    focal: float
    width: int
    height: int

    def __post_init__(self) -> None:
        position = np.array(self.position, dtype=np.float64)
        rotation = np.array(self.rotation, dtype=np.float64)
        if position.shape != (3,) or rotation.shape != (4,) or not np.isfinite([*position, *rotation]).all():
            raise DataError("camera: expected a finite (3,) position and a (4,) quaternion")
        if not (math.isfinite(self.focal) and self.focal > 0 and self.width > 0 and self.height > 0):
            raise DataError(
                f"camera: focal {self.focal}, size {self.width} × {self.height}; expected more than 0"
            )
        object.__setattr__(self, "position", position)
        object.__setattr__(self, "rotation", rot.normalise(rotation))

    @staticmethod
    def looking(
        position: ArrayLike, target: ArrayLike, *, width: int, height: int, angle: float = 30.0
    ) -> Camera:
        """A camera at ``position`` that looks at ``target`` with the world's up.

        Parameters
        ----------
        position, target
            (3,) metres.
        width, height
            Pixels.
        angle
            Degrees that the picture's height takes up.
        """
        position, target = np.asarray(position, dtype=np.float64), np.asarray(target, dtype=np.float64)
        back = position - target
        length = float(np.linalg.norm(back))
        if length < 1e-9:
            raise DataError("camera: position and target are one point")
        back = back / length
        up = np.array([0.0, 1, 0]) if abs(back[1]) < 0.999 else np.array([0.0, 0, -1])
        right = np.cross(up, back)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(back, right), back], axis=-1)
        focal = 0.5 * height / math.tan(math.radians(angle) / 2)
        return Camera(position, rot.from_matrix(axes), focal, width, height)

    @property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3) rows: the camera's right, up and back in the world."""
        return rot.to_matrix(self.rotation).T

    def project(self, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points in the world (..., 3) to pixels (..., 2), y down, and depth (...) in metres.

        What lies less than :data:`NEAREST` before the camera has no place: NaN.
        """
        seen = (np.asarray(points, dtype=np.float64) - self.position) @ self.axes.T
        depth = -seen[..., 2]
        scale = self.focal / np.where(depth > NEAREST, depth, np.nan)
        x = 0.5 * self.width + scale * seen[..., 0]
        return np.stack([x, 0.5 * self.height - scale * seen[..., 1]], axis=-1), depth

    def sized(self, width: int, height: int) -> Camera:
        """The same view in another resolution; its height takes up the same angle."""
        return replace(self, focal=self.focal * height / self.height, width=width, height=height)
