"""A picture to draw on: lines, discs, panels, plots and words, smooth at any size (extra ``video``)."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import MissingExtra

Colour = tuple[int, int, int]


def _kernels():
    try:
        from kinesics.reading import _kernels
    except ImportError as error:
        raise MissingExtra("video", "drawing on pictures") from error
    return _kernels


class Canvas:
    """A picture (H, W, 3) uint8 and what is drawn on it; places are in pixels, x right and y down.

    Examples
    --------
    >>> canvas = Canvas(np.zeros((8, 8, 3), np.uint8))
    >>> canvas.lines([[1, 4, 7, 4]], 2, (255, 0, 0))
    >>> canvas.image[4, 4].tolist()
    [255, 0, 0]
    """

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self.image = image
        self._cover = np.zeros(image.shape[:2], np.float32)
        self._draw = _kernels()

    def load(self, image: NDArray[np.uint8], width: int) -> None:
        """Put a picture, enlarged to ``width``, into the top left corner."""
        height = round(image.shape[0] * width / image.shape[1])
        if image.shape[1] == width:
            self.image[:height, :width] = image
        else:
            self._draw.enlarge(np.ascontiguousarray(image), self.image[:height, :width])

    def lines(self, ends: ArrayLike, width: ArrayLike, colour: Colour, alpha: float = 1.0) -> None:
        """Lines (N, 4): x, y to x, y; where they cross they are no denser. Those without length are discs."""
        ends = np.ascontiguousarray(ends, dtype=np.float32).reshape(-1, 4)
        ends = ends[np.isfinite(ends).all(axis=1) & (np.abs(ends) < 1e5).all(axis=1)]
        if not len(ends):
            return
        widths = np.broadcast_to(np.asarray(width, np.float32), (len(ends),))
        self._draw.strokes(self._cover, ends, np.ascontiguousarray(widths))
        reach = float(widths.max()) + 3
        low, high = ends.min(axis=0), ends.max(axis=0)
        self._paint(
            min(low[0], low[2]) - reach,
            min(low[1], low[3]) - reach,
            max(high[0], high[2]) + reach,
            max(high[1], high[3]) + reach,
            colour,
            alpha,
        )

    def dots(self, places: ArrayLike, size: float, colour: Colour, alpha: float = 1.0) -> None:
        """Discs (N, 2) of a diameter."""
        places = np.asarray(places, np.float32).reshape(-1, 2)
        self.lines(np.concatenate([places, places], axis=1), size, colour, alpha)

    def panel(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        colour: Colour,
        *,
        alpha: float = 1.0,
        radius: float = 0.0,
    ) -> None:
        """A filled rectangle with round corners."""
        if right - left < 0.5 or bottom - top < 0.5:
            return
        radius = min(radius, 0.5 * (right - left), 0.5 * (bottom - top))
        self._draw.rounded(self._cover, left, top, right, bottom, radius)
        self._paint(left - 2, top - 2, right + 2, bottom + 2, colour, alpha)

    def plot(
        self, xs: NDArray[np.floating], ys: NDArray[np.floating], base: float, width: float, colour: Colour
    ) -> None:
        """A line of rising ``xs``, with a soft area down (or up) to ``base``."""
        if len(xs) < 2:
            return
        self._draw.below(self._cover, xs.astype(np.float32), ys.astype(np.float32), base, 0.22)
        self._paint(xs[0] - 1, min(ys.min(), base) - 1, xs[-1] + 1, max(ys.max(), base) + 2, colour, 1.0)
        self.lines(np.stack([xs[:-1], ys[:-1], xs[1:], ys[1:]], axis=1), width, colour)

    def words(
        self,
        text: str,
        left: float,
        top: float,
        size: float,
        colour: Colour,
        *,
        alpha: float = 1.0,
        room: float = np.inf,
    ) -> float:
        """Text whose line begins at (left, top) and is ``size`` pixels to the em; cut with … to fit ``room``; its width."""
        letters = letters_of(max(6, round(size)))
        text = letters.fitted(text, room)
        pen, top = left, round(top)
        for letter in text:
            glyph, offset, advance = letters[letter]
            if glyph.shape[1]:
                self._draw.stamp(self._cover, glyph, pen + offset, top)
            pen += advance
        self._paint(left - 4, top - 2, pen + 4, top + letters.height + 3, colour, alpha)
        return pen - left

    def _paint(
        self, left: float, top: float, right: float, bottom: float, colour: Colour, alpha: float
    ) -> None:
        height, width = self._cover.shape
        x0, x1 = (int(np.clip(v, 0, width)) for v in (left, right + 1))
        y0, y1 = (int(np.clip(v, 0, height)) for v in (top, bottom + 1))
        self._draw.paint(self.image, self._cover, x0, y0, x1, y1, *map(float, colour), float(alpha))


class Letters:
    """Letters of one size; unknown ones are shown as an empty box."""

    def __init__(self, size: int) -> None:
        with (resources.files("kinesics.reading") / "data" / "letters.npz").open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            packed, metrics = stored["pixels"], stored["metrics"]
            self._at = {chr(c): i for i, c in enumerate(stored["codes"].tolist())}
            self._places, self._advances = stored["places"], stored["advances"]
        self._pixels = np.stack([packed >> 4, packed & 15], axis=1).reshape(-1)
        em, ascent, descent = metrics.tolist()
        self._tall = ascent + descent
        self._scale = size / em
        self.height = self._tall * self._scale
        self._known: dict[str, tuple[NDArray[np.float32], float, float]] = {}

    def __getitem__(self, letter: str) -> tuple[NDArray[np.float32], float, float]:
        """Coverage (h, w), its left edge from the pen and how far the pen moves, in pixels."""
        if letter not in self._known:
            index = self._at.get(letter, self._at["□"])
            at, wide, offset = self._places[index].tolist()
            ink = self._pixels[at : at + wide * self._tall].reshape(self._tall, wide) / 15
            # The ink is put where its fraction of a pixel says, so that spacing stays even.
            left = offset * self._scale
            small = _shrunk(_shrunk(ink, self._scale).T, self._scale).T if wide else ink
            self._known[letter] = (
                np.ascontiguousarray(small, np.float32),
                left,
                self._advances[index] / 16 * self._scale,
            )
        return self._known[letter]

    def width(self, text: str) -> float:
        """Pixels that a text takes."""
        return sum(self[letter][2] for letter in text)

    def fitted(self, text: str, room: float) -> str:
        """A text on one line, cut where it would not fit."""
        text = " ".join(text.split())
        if self.width(text) <= room:
            return text
        while text and self.width(text + "…") > room:
            text = text[:-1]
        return text.rstrip() + "…"


@lru_cache(maxsize=16)
def letters_of(size: int) -> Letters:
    """The letters of a size in pixels to the em."""
    return Letters(size)


def _shrunk(ink: NDArray[np.floating], scale: float) -> NDArray[np.floating]:
    """Rows averaged over the area that each new one covers."""
    rows = int(np.ceil(len(ink) * scale))
    edges = np.minimum(np.arange(rows + 1) / scale, len(ink))
    total = np.concatenate([np.zeros((1, ink.shape[1])), np.cumsum(ink, axis=0)])
    low = np.floor(edges).astype(int)
    part = (edges - low)[:, None]
    upto = total[low] * (1 - part) + total[np.minimum(low + 1, len(ink))] * part
    return np.diff(upto, axis=0) * scale
