"""One person before one camera: poses in, pictures with depth, parts and flow out."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.avatar import Avatar, skin
from kinesics.errors import DataError, MissingExtra
from kinesics.performance import Camera
from kinesics.render import textures

Array = NDArray[np.float32]
SAMPLES = 2
"""Samples of a pixel in each direction."""
SHADOW = 1024
"""Width of the light's depth map; it sees :data:`_LIT` metres."""
_LIT = 2.6
_BACKDROP = (0.42, 0.45, 0.50)
_LIGHT = (0.42, 0.62, 0.66)
_LOOKS = {
    "face": (0.52, 1.0, 0.045),
    "skin": (0.58, 1.0, 0.04),
    "eyes": (0.16, 0.1, 0.40),
    "teeth": (0.35, 0.5, 0.06),
    "mouth": (0.5, 0.8, 0.02),
    "tongue": (0.4, 0.8, 0.05),
    "hair": (0.42, 0.25, 0.05),
    "shoes": (0.45, 0.0, 0.05),
}
"""Material → roughness, how far light bleeds into shade, strength of the highlight (ours)."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture and what is true of it.

    Parameters
    ----------
    rgb
        (H, W, 3) uint8, sRGB.
    depth
        (H, W) metres along the camera's axis; inf where nobody is.
    parts
        (H, W) uint8: 0 where nobody is, else 1 + index of the avatar's part.
    vertices
        (V, 3) where the avatar's vertices are, metres.
    """

    rgb: NDArray[np.uint8]
    depth: Array
    parts: NDArray[np.uint8]
    vertices: Array
    _ids: NDArray[np.int32] = field(repr=False)
    _screen: Array = field(repr=False)


class Painter:
    """Paints an avatar, frame by frame, the same bytes for the same pose; from several threads at once if need be.

    Parameters
    ----------
    avatar
        The person.
    camera
        Where it is seen from, and how large the pictures are.
    light
        (3,) direction towards the key light, in the world.
    backdrop
        Linear RGB of the wall.
    floor
        Height of the floor that takes the shadow, metres.

    Raises
    ------
    MissingExtra
        Without the extra ``video``.

    Examples
    --------
    >>> from kinesics.bodies.avatar import load_avatar
    >>> from kinesics.render import view_of
    >>> person = load_avatar("maya")
    >>> camera = view_of(person, "face", width=64, height=64)
    >>> frame = Painter(person, camera).paint(np.tile([1.0, 0, 0, 0], (55, 1)))
    >>> frame.rgb.shape, bool(frame.parts[32, 32] > 0)
    ((64, 64, 3), True)
    """

    def __init__(
        self,
        avatar: Avatar,
        camera: Camera,
        *,
        light: ArrayLike = _LIGHT,
        backdrop: ArrayLike = _BACKDROP,
        floor: float = 0.0,
    ) -> None:
        try:
            from kinesics.render import _kernels
        except ImportError as error:
            raise MissingExtra("video", "painting pictures") from error
        self._kernels = _kernels
        self.avatar, self.camera, self._floor = avatar, camera, float(floor)
        self._light = np.asarray(light, dtype=np.float32) / np.float32(np.linalg.norm(light))
        if self._light.shape != (3,) or np.shape(backdrop) != (3,):
            raise DataError("painter: light and backdrop are each three numbers")
        self._texels, self._layouts = textures.table(avatar)
        self._faces = np.ascontiguousarray(avatar.faces, dtype=np.int32)
        self._uv = np.ascontiguousarray(avatar.uv, dtype=np.float32)
        self._part_of = np.zeros(len(avatar.faces), np.int32)
        for i, part in enumerate(avatar.parts):
            self._part_of[part.faces] = i
        materials = [part.material for part in avatar.parts]
        self._both = np.array([m.double_sided for m in materials])
        self._cut = np.array([m.alpha != "OPAQUE" for m in materials])
        self._tints = np.array([m.color[:3] for m in materials], dtype=np.float32)
        looks = [(*_LOOKS.get(m.name, (m.roughness, 0.0, 0.02)), float(m.double_sided)) for m in materials]
        self._looks = np.array(looks, dtype=np.float32)
        self._texel_area = self._areas()
        self._weld = _alike(avatar)
        axes = Camera.looking(self._light.astype(np.float64), np.zeros(3), width=1, height=1).axes
        self._light_axes = axes.astype(np.float32)
        self._tone = _tones()
        sampled = camera.sized(camera.width * SAMPLES, camera.height * SAMPLES)
        self._view = (
            sampled.axes.astype(np.float32),
            sampled.position.astype(np.float32),
            np.float32(sampled.focal),
        )
        self._size = (sampled.width, sampled.height)
        self._own = threading.local()
        self._wall, self._ground = (np.empty((camera.height, camera.width, 3), np.float32) for _ in range(2))
        paint = np.asarray(backdrop, dtype=np.float32)
        _kernels.backdrop(
            np.float32(camera.focal), *self._view[:2], np.float32(floor), paint, self._wall, self._ground
        )

    def _areas(self) -> Array:
        """(F,) area of every face in texels of its full texture."""
        corner = self._uv[self._faces] * self._layouts[self._part_of][:, None, 1:3].astype(np.float32)
        u, v = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
        return (0.5 * np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])).astype(np.float32)

    def paint(
        self, rotations: ArrayLike, *, root: ArrayLike | None = None, weights: ArrayLike | None = None
    ) -> Frame:
        """Pose and paint; what the arguments are is told at :func:`kinesics.bodies.avatar.skin`."""
        k, (width, height) = self._kernels, self._size
        vertices = skin(self.avatar, rotations, root=root, weights=weights)
        if vertices.ndim != 2:
            raise DataError(f"painter: rotations of one frame, (55, 4); found {np.shape(rotations)}")
        normals, screen, seen, total = (np.empty_like(vertices) for _ in range(4))
        k.vertex_normals(vertices, self._faces, self._weld, total, normals)
        mesh = (self._faces, self._part_of)
        skins = (self._uv, self._texel_area, self._texels, self._layouts)
        # The light's map follows the person: its middle is that of the mesh, to the nearest of its texels.
        step = _LIT / SHADOW
        centre = np.round(0.5 * (vertices.min(axis=0) + vertices.max(axis=0)) / step) * np.float32(step)
        scale = np.float32(SHADOW / _LIT)
        k.project_flat(vertices, self._light_axes, centre, scale, SHADOW, seen)
        room = self._room()
        shadow, ids = room["shadow"], room["shadow ids"]
        k.rasterise(seen, *mesh, np.ones_like(self._both), self._cut, *skins, ids, shadow)
        k.project(vertices, *self._view, width, height, screen)
        ids, near = np.empty((height, width), np.int32), room["near"]
        k.rasterise(screen, *mesh, self._both, self._cut, *skins, ids, near)
        camera = self.camera
        rgb = np.empty((camera.height, camera.width, 3), np.uint8)
        depth = np.empty(rgb.shape[:2], np.float32)
        parts = np.empty(rgb.shape[:2], np.uint8)
        k.shade(
            ids, near, SAMPLES, screen, vertices, normals, *mesh, *skins, self._tints, self._looks,
            self._view[1], np.float32(self._floor), self._light, shadow, self._light_axes, centre, scale,
            self._wall, self._ground, self._tone, np.empty((3, 3), np.float32), rgb, depth, parts,
        )  # fmt: skip
        return Frame(rgb, depth, parts, vertices, ids, screen)

    def _room(self) -> dict[str, NDArray]:
        """Large arrays that a picture is painted with and that nobody keeps, this thread's own."""
        if not hasattr(self._own, "room"):
            width, height = self._size
            self._own.room = {
                "shadow": np.empty((SHADOW, SHADOW), np.float32),
                "shadow ids": np.empty((SHADOW, SHADOW), np.int32),
                "near": np.empty((height, width), np.float32),
            }
        return self._own.room

    def flow(self, before: Frame, after: Frame) -> Array:
        """(H, W, 2) pixels that what each pixel of ``before`` shows moves to ``after``; 0 where nobody is."""
        out = np.empty((*before.depth.shape, 2), np.float32)
        self._kernels.flow(
            before._ids, SAMPLES, before._screen, after._screen, self._faces, np.empty(3, np.float32), out
        )
        return out


def _alike(avatar: Avatar) -> NDArray[np.int32]:
    """(V,) the same number for vertices that a texture's seam has split: same part, place and normal at rest."""
    part = np.zeros(len(avatar.vertices), np.int64)
    for i, p in enumerate(avatar.parts):
        part[p.vertices] = i
    key = np.concatenate([avatar.vertices * 1e5, avatar.normals * 20, part[:, None]], axis=1)
    return np.unique(np.round(key).astype(np.int64), axis=0, return_inverse=True)[1].ravel().astype(np.int32)


def _tones() -> Array:
    """Linear light in steps of 1/1024 to 0–255: a filmic curve (Narkowicz 2015), then sRGB."""
    x = np.arange(8 * 1024) / 1024 * 0.62
    film = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    encoded = np.where(film <= 0.0031308, 12.92 * film, 1.055 * film ** (1 / 2.4) - 0.055)
    return (255 * encoded).astype(np.float32)
