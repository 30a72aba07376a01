"""Pictures of a speaker with everything that is true of them.

Light, backdrop and, where asked, the camera's turn vary by seed. Masks group the avatar's parts, landmarks
and joints come from the mesh and skeleton themselves, and flow is exact: where each visible point goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.avatar import Avatar
from kinesics.bodies.humanoid import JOINTS
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError
from kinesics.performance import Camera, Performance
from kinesics.performance._sampled import exact_rate
from kinesics.render import Painter, view_of
from kinesics.render.painter import Frame
from kinesics.seeds import rng
from kinesics.stage.ibug import VERTICES
from kinesics.stage.speakers import Speaker

Array = NDArray[np.float32]

GROUPS: tuple[str, ...] = ("background", "face", "hair", "mouth", "teeth", "eyes", "torso", "hands", "legs")
"""Values of a mask, 0 to 8. ``hands`` is all bare skin below the head: hands, forearms and neck."""
_GROUP_OF = {
    "head": 1, "sockets": 1, "lashes": 1, "hair_cap": 2, "hair": 2, "mouth": 3, "tongue": 3, "lower_teeth": 4,
    "upper_teeth": 4, "eyes": 5, "shirt": 6, "body": 7, "trousers": 8, "shoes": 8, "soles": 8,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture and its truth.

    Parameters
    ----------
    rgb
        (H, W, 3) uint8, sRGB.
    depth
        (H, W) float32 metres along the camera's axis; inf where nobody is.
    mask
        (H, W) uint8, index into :data:`GROUPS`.
    flow
        (H, W, 2) float32 pixels that what each pixel shows moves to the next picture; None for the last one.
    landmarks
        (68, 2) pixels, iBUG order, y down.
    landmarks_3d
        (68, 3) metres in the world.
    visible
        (68,) whether a landmark is before everything else, and in the picture.
    joints, joints_3d
        (55, 2) pixels and (55, 3) metres of the canonical joints.
    face
        (52,) ARKit weights.
    time
        Seconds.
    """

    rgb: NDArray[np.uint8]
    depth: Array
    mask: NDArray[np.uint8]
    flow: Array | None
    landmarks: Array
    landmarks_3d: Array
    visible: NDArray[np.bool_]
    joints: Array
    joints_3d: Array
    face: Array
    time: float


@dataclass(frozen=True)
class Set:
    """Light, backdrop and camera of a clip.

    Parameters
    ----------
    light
        (3,) direction towards the key light.
    backdrop
        Linear RGB of the wall.
    pattern
        What stands before the wall: ``"plain"``, ``"blinds"``, ``"shelves"`` or ``"bokeh"``.
    turn
        Degrees that the camera stands to the speaker's left.
    seed
        Of what the pattern draws.
    """

    light: tuple[float, float, float]
    backdrop: tuple[float, float, float]
    pattern: str
    turn: float
    seed: int


def draw_set(seed: int, *names: object, turn: float = 12.0) -> Set:
    """The set of a clip; ``turn`` is the standard deviation of the camera's angle in degrees.

    >>> draw_set(3, "a") == draw_set(3, "a") != draw_set(3, "b")
    True
    """
    random = rng(seed, *names, "set")
    azimuth = np.radians(np.clip(random.normal(0, 42), -85, 85))
    height = np.radians(random.uniform(18, 58))
    light = (np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height))
    hue, grey = random.random(), random.uniform(0.12, 0.55)
    wheel = 0.5 + 0.5 * np.cos(2 * np.pi * (hue - np.array([0, 1 / 3, 2 / 3])))
    paint = grey * (1 + random.uniform(0, 0.55) * (wheel - 0.5))
    pattern = str(random.choice(["plain", "blinds", "shelves", "bokeh"], p=[0.4, 0.15, 0.2, 0.25]))
    angle = float(np.clip(random.normal(0, turn), -3 * turn, 3 * turn))
    return Set(
        tuple(round(float(v), 5) for v in light),  # type: ignore[arg-type]
        tuple(round(float(v), 5) for v in paint),  # type: ignore[arg-type]
        pattern, round(angle, 3), int(random.integers(2**31)),
    )  # fmt: skip


class Studio:
    """A speaker before a camera.

    Parameters
    ----------
    person
        Who is seen.
    stage
        Light and backdrop.
    view, size
        See :func:`kinesics.render.view_of`; pictures are square. A camera instead of a view has its own size.
    """

    def __init__(self, person: Avatar, stage: Set, *, view: str | Camera = "bust", size: int = 128) -> None:
        if not isinstance(view, Camera):
            if not 16 <= size <= 2048:
                raise DataError(f"pictures of {size} pixels; expected 16 to 2048")
            view = view_of(person, view, width=size, height=size, turn=stage.turn)
        self.person, self.camera = person, view
        self._painter = Painter(person, view, light=stage.light, backdrop=stage.backdrop)
        self._groups = np.array([0, *(_GROUP_OF[p.name] for p in person.parts)], np.uint8)
        self._wall = self._hung(stage)

    def _hung(self, stage: Set) -> Array | None:
        """(H, W, 3) what to add to the empty backdrop, or None for a plain one."""
        if stage.pattern == "plain":
            return None
        height, width = self.camera.height, self.camera.width
        away = self._painter.paint(_REST, root=[0.0, 0.0, 500.0])
        empty = away.rgb.astype(np.float32)
        y, x = (np.mgrid[0:height, 0:width] + 0.5) / height
        return np.clip(_pattern(stage, x, y, empty), 0, 255).astype(np.float32) - empty

    def shoot(self, rotations: ArrayLike, root: ArrayLike | None, face: ArrayLike | None) -> Frame:
        """Paint one pose, as :meth:`kinesics.render.Painter.paint` does, before the set's wall."""
        frame = self._painter.paint(rotations, root=root, weights=face)
        if self._wall is None:
            return frame
        samples = frame._ids.shape[0] // self.camera.height
        bare = (
            (frame._ids < 0)
            .reshape(self.camera.height, samples, self.camera.width, samples)
            .mean(axis=(1, 3))
        )
        rgb = np.clip(frame.rgb + bare[..., None] * self._wall + 0.5, 0, 255).astype(np.uint8)
        return Frame(rgb, frame.depth, frame.parts, frame.vertices, frame._ids, frame._screen)

    def flow(self, before: Frame, after: Frame) -> Array:
        """See :meth:`kinesics.render.Painter.flow`."""
        return self._painter.flow(before, after)

    def truth(self, frame: Frame, rotations: NDArray, root: NDArray, face: Array, time: float) -> Shot:
        """A painted frame with its labels; flow comes later."""
        marks = frame.vertices[list(VERTICES)]
        pixels, depth = self.camera.project(marks)
        joints = self.person.skeleton.forward(rotations, root)[0]
        height, width = frame.depth.shape
        column, row = np.nan_to_num(pixels, nan=-1.0).astype(int).T
        inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
        nearest = frame.depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
        visible = inside & (depth < nearest + 0.006)
        return Shot(
            frame.rgb, frame.depth, self._groups[frame.parts], None, pixels.astype(np.float32), marks, visible,
            self.camera.project(joints)[0].astype(np.float32), joints.astype(np.float32), face, time,
        )  # fmt: skip


_REST = np.tile(np.array([1, 0, 0, 0], np.float32), (len(JOINTS), 1))


def render_clip(
    performance: Performance,
    speaker: Speaker | Avatar,
    size: int = 128,
    *,
    view: str | Camera = "bust",
    fps: object = 25,
    seed: int = 0,
    turn: float = 12.0,
    flow: bool = True,
) -> Iterator[Shot]:
    """Paint a performance with labels, picture by picture.

    Parameters
    ----------
    performance
        ``body`` and ``face`` (ARKit).
    speaker
        Who: a speaker, or any avatar.
    size
        Pixels of each side.
    view
        ``"face"``, ``"bust"``, ``"half"``, ``"body"`` or a camera.
    fps
        Pictures a second.
    seed
        Of light, backdrop and camera angle.
    turn
        Standard deviation of the camera's angle in degrees.
    flow
        Whether flow is wanted.

    Yields
    ------
    Shot
        One per picture.

    Raises
    ------
    DataError
        If there is no body or no face, or the face is in another basis.
    MissingExtra
        Without the extra ``video``.
    """
    if "body" not in performance or "face" not in performance:
        raise DataError("a clip needs a body and a face; this performance lacks one")
    if performance.face.basis != "arkit":
        raise DataError(f"a clip needs the face in the basis 'arkit', not {performance.face.basis!r}")
    person = speaker if isinstance(speaker, Avatar) else speaker.identity
    studio = Studio(person, draw_set(seed, "clip", turn=turn), view=view, size=size)
    body = retarget(performance.body).on(person.skeleton)
    face = performance.face.select(person.morph_names)
    rate = exact_rate(fps, "clip")
    times = np.arange(int(min(body.duration, face.duration) * rate + 1e-6)) / float(rate)
    last: tuple[Frame, Shot] | None = None
    block = max(1, round(rate))
    for first in range(0, len(times), block):
        now = times[first : first + block]
        moved, shown = body.at(now), face.at(now)
        for k, time in enumerate(now.tolist()):
            pose, root, weights = moved.rotations[k], moved.root[k], shown.values[k]
            frame = studio.shoot(pose, root, weights)
            shot = studio.truth(frame, pose, root, weights, time)
            if last is not None:
                yield _flowing(studio, *last, frame) if flow else last[1]
            last = frame, shot
    if last is not None:
        yield last[1]


def _flowing(studio: Studio, frame: Frame, shot: Shot, after: Frame) -> Shot:
    from dataclasses import replace

    return replace(shot, flow=studio.flow(frame, after))


def _pattern(stage: Set, x: Array, y: Array, empty: Array) -> Array:
    """What a wall with something on it looks like, out of focus."""
    random = rng(stage.seed, "pattern")
    tint = np.array([random.uniform(0.75, 1.25) for _ in range(3)])
    if stage.pattern == "blinds":
        width = random.uniform(0.10, 0.22)
        phase = ((y if random.random() < 0.5 else x) + random.random()) / width % 1
        shade = 1 + random.uniform(0.12, 0.3) * (np.abs(2 * phase - 1) ** 2 - 0.4)
        return empty * shade[..., None] * (1 + 0.15 * (tint - 1))
    if stage.pattern == "shelves":
        out = empty.copy()
        rows = int(random.integers(3, 6))
        for r in range(rows):
            left = 0.0
            while left < x.max():
                wide = random.uniform(0.03, 0.12)
                tall = random.uniform(0.45, 0.85) / rows
                bottom = (r + 0.92) / rows
                colour = (
                    empty.mean(axis=(0, 1))
                    * random.uniform(0.55, 1.35)
                    * (1 + 0.35 * random.uniform(-1, 1, 3))
                )
                edge = 0.012
                inside = _soft(x - left, edge) * _soft(left + wide - x, edge)
                inside = inside * _soft(y - bottom + tall, edge) * _soft(bottom - y, edge)
                out += inside[..., None] * 0.7 * (colour - out)
                left += wide + 0.01
            board = _soft(0.012 - np.abs(y - (r + 0.95) / rows), 0.01)
            out -= board[..., None] * 0.25 * out
        return out
    out = empty.copy()
    for _ in range(int(random.integers(6, 16))):
        cx, cy, radius = random.random() * x.max(), random.random(), random.uniform(0.04, 0.16)
        disc = _soft(radius - np.hypot(x - cx, y - cy), 0.012)
        colour = random.uniform(30, 150) * (1 + 0.5 * random.uniform(-1, 1, 3)) * tint
        out += disc[..., None] * colour * random.uniform(0.2, 0.6)
    return out


def _soft(distance: Array, width: float) -> Array:
    return np.clip(0.5 + distance / (2 * width), 0, 1)
