"""Pictures of a speaker with everything that is true of them.

Light, backdrop and, where asked, the camera's turn vary by seed. Masks group the avatar's parts, landmarks
and joints come from the mesh and skeleton themselves, and flow is exact: where each visible point goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.avatar import Avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.ibug import VERTICES
from kinesics.bodies.mediapipe import on_head
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError
from kinesics.performance import Camera, Performance
from kinesics.performance._sampled import exact_rate
from kinesics.render import Painter, view_of
from kinesics.render.ahead import ahead
from kinesics.render.painter import Frame
from kinesics.seeds import rng
from kinesics.stage._paint import layers
from kinesics.stage.speakers import Speaker

Array = NDArray[np.float32]

GROUPS: tuple[str, ...] = (
    "background",
    "face",
    "hair",
    "mouth",
    "teeth",
    "eyes",
    "neck",
    "torso",
    "hands",
    "legs",
)
"""Values of a mask, 0 to 9. ``hands`` are hands and bare arms; hair cropped short counts as ``hair``, too."""
_GROUP_OF = {
    "head": 1, "sockets": 1, "lashes": 1, "hair_cap": 2, "hair": 2, "mouth": 3, "tongue": 3, "lower_teeth": 4,
    "upper_teeth": 4, "eyes": 5, "shirt": 7, "body": 8, "trousers": 9, "shoes": 9, "soles": 9,
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
    mesh
        (478, 3) pixels, the points of MediaPipe's face mesh and irises (:mod:`kinesics.bodies.mediapipe`): x, y down, and
        depth relative to the points' mean in pixels of the same scale, nearer is less.
    mesh_visible
        (478,) as ``visible``.
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
    mesh: Array
    mesh_visible: NDArray[np.bool_]
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
        self._groups, self._parts = _groups(person)
        self._eyes = 1 + [p.name for p in person.parts].index("eyes")
        if stage.pattern != "plain":
            wall = self._painter._wall
            y, x = (np.mgrid[0 : view.height, 0 : view.width] + 0.5) / view.height
            wall[:] = np.clip(_pattern(stage, x, y, wall), 0.005, 1.5)

    def shoot(self, rotations: ArrayLike, root: ArrayLike | None, face: ArrayLike | None) -> Frame:
        """Paint one pose; see :meth:`kinesics.render.Painter.paint`."""
        return self._painter.paint(rotations, root=root, weights=face)

    def flow(self, before: Frame, after: Frame) -> Array:
        """See :meth:`kinesics.render.Painter.flow`."""
        return self._painter.flow(before, after)

    def _mask(self, frame: Frame) -> NDArray[np.uint8]:
        """(H, W) groups; a pixel shows what is nearest in it."""
        samples = frame._ids.shape[0] // self.camera.height
        mask = np.zeros(frame.parts.shape, np.uint8)
        for j in range(samples):
            for i in range(samples):
                ids = frame._ids[j::samples, i::samples]
                seen = (ids >= 0) & (mask == 0)
                same = seen & (self._parts[ids] == frame.parts)
                mask[same] = self._groups[ids[same]]
        return mask

    def truth(self, frame: Frame, rotations: NDArray, root: NDArray, face: Array, time: float) -> Shot:
        """A painted frame with its labels; flow comes later."""
        marks, mesh = frame.vertices[list(VERTICES)], on_head(frame.vertices)
        pixels, depth = self.camera.project(marks)
        flat, far = self.camera.project(mesh)
        # Pixels of the scale that the picture has where the face is.
        flat = np.c_[flat, (far - far.mean()) * (self.camera.focal / far.mean())]
        shown = _seen(flat[:, :2], far, frame.depth)
        # Closed lids are too near to an iris for depth to tell.
        column, row = np.clip(flat[468:, :2].astype(int), 0, np.array(frame.parts.shape[::-1]) - 1).T
        shown[468:] &= frame.parts[row, column] == self._eyes
        joints = self.person.skeleton.forward(rotations, root)[0]
        return Shot(
            frame.rgb, frame.depth, self._mask(frame), None, pixels.astype(np.float32), marks,
            _seen(pixels, depth, frame.depth), flat.astype(np.float32), shown,
            self.camera.project(joints)[0].astype(np.float32), joints.astype(np.float32), face, time,
        )  # fmt: skip


def _seen(pixels: NDArray, depth: NDArray, nearest: Array) -> NDArray[np.bool_]:
    """(N,) whether points (N, 2) at ``depth`` are in the picture and before everything else."""
    height, width = nearest.shape
    column, row = np.nan_to_num(pixels, nan=-1.0).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    before = nearest[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    return inside & (depth < before + 0.006)


def _groups(person: Avatar) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(F,) group of every face, and 1 + its part, as in a frame's ``parts``."""
    out, parts = np.empty(len(person.faces), np.uint8), np.empty(len(person.faces), np.uint8)
    names = {p.name: p for p in person.parts}
    for k, part in enumerate(person.parts):
        out[part.faces] = _GROUP_OF[part.name]
        parts[part.faces] = k + 1
    middle = np.isin(person.weight_index, [INDEX[n] for n in ("neck", "head", "upperChest", "chest", "jaw")])
    on_neck = (person.weight_value * middle).sum(axis=1) > 0.5
    faces = names["body"].faces
    out[faces] = np.where(on_neck[person.faces[faces]].all(axis=1), 6, out[faces])
    if "bald" not in person.title:
        faces = names["head"].faces
        scalp = layers().scalp
        at = np.clip(
            (person.uv[person.faces[faces]].mean(axis=1) * len(scalp)).astype(int), 0, len(scalp) - 1
        )
        out[faces] = np.where(scalp[at[:, 1], at[:, 0]] > 0.6, 2, out[faces])
    return out, parts


def render_clip(
    performance: Performance,
    speaker: Speaker | Avatar,
    size: int = 128,
    *,
    view: str | Camera = "bust",
    fps: object = 25,
    seed: int = 0,
    turn: float = 12.0,
    stage: Set | None = None,
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
    stage
        Light and backdrop instead of drawn ones.
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
    studio = Studio(person, stage or draw_set(seed, "clip", turn=turn), view=view, size=size)
    body = retarget(performance.body).on(person.skeleton)
    face = performance.face.select(person.morph_names)
    rate = exact_rate(fps, "clip")
    times = np.arange(int(min(body.duration, face.duration) * rate + 1e-6)) / float(rate)
    block = max(1, round(rate))

    def poses() -> Iterator[tuple[Array, Array, Array, float]]:
        for first in range(0, len(times), block):
            now = times[first : first + block]
            moved, shown = body.at(now), face.at(now)
            for k, time in enumerate(now.tolist()):
                yield moved.rotations[k], moved.root[k], shown.values[k], time

    def take(pose: tuple[Array, Array, Array, float]) -> tuple[Frame, Shot]:
        rotations, root, weights, time = pose
        frame = studio.shoot(rotations, root, weights)
        return frame, studio.truth(frame, rotations, root, weights, time)

    last: tuple[Frame, Shot] | None = None
    for frame, shot in ahead(take, poses()):
        if last is not None:
            yield _flowing(studio, *last, frame) if flow else last[1]
        last = frame, shot
    if last is not None:
        yield last[1]


def _flowing(studio: Studio, frame: Frame, shot: Shot, after: Frame) -> Shot:
    return replace(shot, flow=studio.flow(frame, after))


def _pattern(stage: Set, x: Array, y: Array, wall: Array) -> Array:
    """(H, W, 3) linear light of a wall with something on it, out of focus."""
    random = rng(stage.seed, "pattern")
    if stage.pattern == "blinds":
        width = random.uniform(0.10, 0.22)
        phase = ((y if random.random() < 0.5 else x) + random.random()) / width % 1
        return wall * (1 + random.uniform(0.25, 0.6) * (np.abs(2 * phase - 1) ** 2 - 0.4))[..., None]
    out = wall.astype(np.float64)
    if stage.pattern == "shelves":
        rows, edge = int(random.integers(3, 6)), 0.012
        for r in range(rows):
            left = 0.0
            while left < x.max():
                wide, tall = random.uniform(0.03, 0.12), random.uniform(0.45, 0.85) / rows
                bottom = (r + 0.92) / rows
                colour = (
                    wall.mean(axis=(0, 1)) * random.uniform(0.3, 1.8) * (1 + 0.6 * random.uniform(-1, 1, 3))
                )
                inside = _soft(x - left, edge) * _soft(left + wide - x, edge)
                inside = inside * _soft(y - bottom + tall, edge) * _soft(bottom - y, edge)
                out += inside[..., None] * 0.75 * (colour - out)
                left += wide + 0.01
            board = _soft(0.012 - np.abs(y - (r + 0.95) / rows), 0.01)
            out *= 1 - 0.45 * board[..., None]
        return out
    for _ in range(int(random.integers(6, 16))):
        cx, cy, radius = random.random() * x.max(), random.random(), random.uniform(0.04, 0.16)
        disc = _soft(radius - np.hypot(x - cx, y - cy), 0.012)
        colour = random.uniform(0.05, 0.35) * (1 + 0.6 * random.uniform(-1, 1, 3))
        out += disc[..., None] * colour
    return out


def _soft(distance: Array, width: float) -> Array:
    return np.clip(0.5 + distance / (2 * width), 0, 1)
