"""Turned squares of a picture: what a network looks at, and its points brought back to the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import MissingExtra

Array = NDArray[np.float32]


def kernels():
    """The compiled loops.

    Raises
    ------
    MissingExtra
        Without the extra ``video``.
    """
    try:
        from kinesics.see import _kernels
    except ImportError as error:
        raise MissingExtra("video", "reading pictures") from error
    return _kernels


@dataclass(frozen=True)
class Region:
    """A square of a picture.

    Parameters
    ----------
    x, y
        Its middle, pixels.
    size
        Its side, pixels.
    turn
        Radians by which it is turned, clockwise on the screen.
    """

    x: float
    y: float
    size: float
    turn: float = 0.0

    def axes(self) -> tuple[Array, Array]:
        """Unit vectors across and down."""
        c, s = np.cos(self.turn), np.sin(self.turn)
        return np.array([c, s], np.float32), np.array([-s, c], np.float32)

    def crop(
        self, image: NDArray[np.uint8], side: int, *, low: float = 0.0, high: float = 1.0, flip: bool = False
    ) -> Array:
        """(1, side, side, 3) what is in it, bilinear, black outside the picture; large regions are sampled twice as finely."""
        across, down, origin, fine = self._grid(side, side, flip)
        out = np.empty((side, side, 3), np.float32)
        kernels().warp(image, across, down, origin, np.float32(low), np.float32(high), fine, out)
        return out[None]

    def grey(self, image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
        """(height, width) of it in grey, ``width`` pixels across; higher or lower than the square where they differ."""
        across, down, origin, fine = self._grid(width, height, False)
        out = np.empty((height, width), np.uint8)
        kernels().warp_grey(image, across, down, origin, fine, out)
        return out

    def _grid(self, width: int, height: int, flip: bool) -> tuple[Array, Array, Array, int]:
        """Steps across and down, the first sample, and samples each way in a pixel."""
        across, down = (a * np.float32(self.size / width) for a in self.axes())
        if flip:
            across = -across
        middle = np.array([self.x, self.y], np.float32) - 0.5
        origin = middle - (width - 1) / 2 * across - (height - 1) / 2 * down
        return across, down, origin.astype(np.float32), 2 if self.size > 1.7 * width else 1

    def back(self, points: Array, side: int, *, flip: bool = False) -> Array:
        """Points (..., 2 or 3) of the crop's pixels in pixels of the picture; depth in the same scale."""
        scale = np.float32(self.size / side)
        across, down = (a * scale for a in self.axes())
        x, y = points[..., :1] - side / 2, points[..., 1:2] - side / 2
        flat = np.array([self.x, self.y], np.float32) + (-x if flip else x) * across + y * down
        return np.concatenate([flat, points[..., 2:] * scale], axis=-1).astype(np.float32)


def whole(image: NDArray[np.uint8]) -> Region:
    """The square around the whole picture."""
    height, width = image.shape[:2]
    return Region(width / 2, height / 2, float(max(height, width)))
