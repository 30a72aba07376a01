"""A video with what was read drawn into it: faces, irises, gaze, hands, skeletons, and a panel for everybody.

Pictures are decoded, drawn on and handed out one by one, so that memory stays flat however long the video is. What is
below its confidence is not drawn. Beside the picture stands a panel per person: expression with its confidence, who
speaks, what happens, the action units that are active, and the last seconds as curves. ``scene.save("overlay.mp4")``
writes it with the sound; the file's comment says that it is annotated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.performance import Scene, Video
from kinesics.progress import progress
from kinesics.reading import _figure as figure
from kinesics.reading._canvas import Canvas, Colour
from kinesics.reading._panel import INK, NIGHT, PANEL_EMS, draw_panel
from kinesics.reading._seen import Seen

COLOURS: tuple[Colour, ...] = (
    (98, 214, 196),
    (247, 184, 98),
    (182, 160, 250),
    (246, 146, 172),
    (140, 198, 255),
    (172, 222, 134),
)
"""One for each person, in turn."""

_LEAST = 450  # pixels of height below which words would not be readable: smaller videos are enlarged


@dataclass(frozen=True, eq=False)
class Overlay:
    """An annotated video: pictures that are drawn when they are asked for and never kept.

    Parameters
    ----------
    scene
        What was read.
    video
        The pictures.
    """

    scene: Scene
    video: Video

    @property
    def zoom(self) -> int:
        """How many times larger than the video the picture is."""
        return max(1, math.ceil(_LEAST / max(1, self.video.size[1])))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, the panel's included."""
        width, height = (self.zoom * side for side in self.video.size)
        return width + round(PANEL_EMS * _em(height)), height

    @property
    def fps(self) -> Fraction:
        """Pictures a second, the video's."""
        return self.video.fps

    @property
    def start(self) -> float:
        """Second of the first picture."""
        return self.video.start

    def __len__(self) -> int:
        return len(self.video)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """The pictures (H, W, 3), RGB, while a bar shows how far it is."""
        width, height = self.size
        canvas = Canvas(np.zeros((height, width, 3), np.uint8))
        people = [Seen(name, person) for name, person in self.scene.people.items()]
        wide = self.zoom * self.video.size[0]
        pictures = progress(self.video.frames(), "overlay", total=len(self), unit="picture")
        for i, picture in enumerate(pictures):
            time = self.start + float(i / self.fps)
            canvas.load(picture, wide)
            for number, person in enumerate(people):
                _draw_person(canvas, person, time, COLOURS[number % len(COLOURS)], number + 1, self.zoom)
            # What reaches beyond the picture is hidden by the panel.
            draw_panel(canvas, people, time, COLOURS, left=wide, em=_em(height))
            yield canvas.image


def overlay(scene: Scene) -> Overlay:
    """The video of a scene with what was read drawn into it.

    Parameters
    ----------
    scene
        With its video: the shared track ``video``, or the file that ``meta["source"]`` names.

    Raises
    ------
    DataError
        If the video is not there.
    MissingExtra
        Without the extra ``video``.

    Examples
    --------
    >>> for picture in overlay(scene).frames():  # doctest: +SKIP
    ...     show(picture)
    """
    video = scene.shared.get("video")
    if not isinstance(video, Video):
        source = scene.video
        if source is None:
            told = scene.meta.get("source")
            where = f"{told} is not there" if told else "the scene does not say which it was"
            raise DataError(
                f"an overlay needs the video that was read, but {where}; put it back, or read it again"
            )
        video = Video.load(source)
    return Overlay(scene, video.slice(0, math.inf))


def _em(height: int) -> float:
    """Pixels of the panel's letters."""
    return max(13.0, height / 46)


def _draw_person(canvas: Canvas, person: Seen, time: float, colour: Colour, number: int, zoom: int) -> None:
    box = person.box(time)
    face = person.points("landmarks", time)
    size = (box[2] - box[0]) * zoom if box else 160.0
    fine = min(3.0, max(0.8, size / 220))
    body = person.points("pose", time)
    if body is not None:
        _draw_bones(canvas, body, figure.POSE, colour, zoom, 2.2 * max(1.0, fine))
    for hand in ("hand_left", "hand_right"):
        if (found := person.points(hand, time)) is not None:
            _draw_bones(canvas, found, figure.HAND, colour, zoom, 1.5 * max(1.0, fine))
    if face is not None:
        _draw_face(canvas, face, colour, zoom, fine)
        _draw_gaze(canvas, person, face[0] * zoom, time, size, fine)
    if box is not None:
        _draw_box(canvas, [side * zoom for side in box], person, time, colour, number, fine)


def _draw_bones(
    canvas: Canvas,
    found: tuple[NDArray[np.float32], NDArray[np.bool_]],
    pairs: NDArray[np.intp],
    colour: Colour,
    zoom: int,
    width: float,
) -> None:
    places, sure = found[0] * zoom, found[1]
    high, wide = canvas.image.shape[:2]
    inside = (places >= 0).all(axis=1) & (places < (wide, high)).all(axis=1)
    pairs = pairs[(sure & inside)[pairs].all(axis=1)]  # what lies outside the picture is a guess
    ends = places[pairs].reshape(-1, 4)
    joints = places[np.unique(pairs)]
    canvas.lines(ends, width + 1.6, NIGHT, 0.35)
    canvas.lines(ends, width, colour, 0.85)
    canvas.dots(joints, 1.9 * width, NIGHT, 0.4)
    canvas.dots(joints, 1.5 * width, INK, 0.95)


def _draw_face(
    canvas: Canvas,
    found: tuple[NDArray[np.float32], NDArray[np.bool_]],
    colour: Colour,
    zoom: int,
    fine: float,
) -> None:
    places, sure = found[0] * zoom, found[1]
    canvas.dots(places[: figure.MESH][sure[: figure.MESH]], 1.15 * fine, INK, 0.42)

    def contour(pairs: NDArray[np.intp], width: float, shade: Colour, alpha: float) -> None:
        kept = pairs[sure[pairs].all(axis=1)]
        canvas.lines(places[kept].reshape(-1, 4), width * fine, shade, alpha)

    contour(figure.OVAL, 1.2, colour, 0.55)
    contour(figure.NOSE, 1.0, colour, 0.5)
    for pairs in (figure.BROWS, figure.LIDS, figure.LIPS):
        contour(pairs, 1.25, colour, 0.95)
    for middle, rim in figure.IRISES:
        if len(places) > middle and sure[middle]:
            radius = np.linalg.norm(places[rim] - places[middle], axis=1).mean()
            turn = np.linspace(0, 2 * np.pi, 25)
            ring = places[middle] + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
            canvas.lines(np.concatenate([ring[:-1], ring[1:]], axis=1), 1.2 * fine, INK, 0.9)


def _draw_gaze(
    canvas: Canvas, person: Seen, places: NDArray[np.float32], time: float, size: float, fine: float
) -> None:
    gaze = person.signal("gaze", time)
    if gaze is None or len(places) <= figure.IRISES[1][0]:
        return
    yaw, pitch = math.radians(gaze["yaw"]), math.radians(gaze["pitch"])
    # A person's own left is to the right in the picture.
    way = np.array([math.sin(yaw) * math.cos(pitch), -math.sin(pitch)]) * 1.1 * size
    length = float(np.hypot(*way))
    for middle, _ in figure.IRISES:
        at = places[middle]
        canvas.dots([at], 3.2 * fine, INK)
        if length < 6 * fine:
            continue
        tip = at + way
        along = way / length
        across = np.array([-along[1], along[0]])
        head = min(9.0 * fine, 0.4 * length)
        back = tip - along * head
        ends = [[*at, *tip], [*tip, *(back + 0.5 * head * across)], [*tip, *(back - 0.5 * head * across)]]
        canvas.lines(ends, 1.9 * fine + 1.6, NIGHT, 0.4)
        canvas.lines(ends, 1.9 * fine, INK, 0.95)


def _draw_box(
    canvas: Canvas, box: list[float], person: Seen, time: float, colour: Colour, number: int, fine: float
) -> None:
    left, top, right, bottom = box
    arm = 0.16 * min(right - left, bottom - top)
    ends = []
    for x, y, dx, dy in (
        (left, top, 1, 1),
        (right, top, -1, 1),
        (left, bottom, 1, -1),
        (right, bottom, -1, -1),
    ):
        ends += [[x, y, x + dx * arm, y], [x, y, x, y + dy * arm]]
    canvas.lines(ends, 2 * max(1.0, fine) + 1.4, NIGHT, 0.4)
    canvas.lines(ends, 2 * max(1.0, fine), colour)
    em = max(12.0, min(_em(canvas.image.shape[0]), (right - left) / 7))
    felt = person.label("expression", time)
    text = f"{number}" + (f"  {felt.label}" if felt is not None else "")
    wide = 0.62 * em * len(text) + em
    place = max(2.0, top - 1.9 * em)
    canvas.panel(left, place, left + wide, place + 1.55 * em, colour, alpha=0.92, radius=0.4 * em)
    canvas.words(text, left + 0.5 * em, place + 0.17 * em, em, NIGHT, room=wide - 0.8 * em)
