"""Small videos whose pictures tell their number."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

STEP = 6
"""Grey levels between neighbours: codecs blur less than half of it."""


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Grey that tells the number, with a white top left corner that tells which way is up."""
    image = np.full((height, width, 3), 10 + STEP * (number % 40), np.uint8)
    image[: height // 4, : width // 4] = 255
    return image


def number_of(image: np.ndarray) -> int:
    """The number that a picture tells."""
    height, width = image.shape[:2]
    middle = image[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4]
    return round((float(middle.mean()) - 10) / STEP)


def make_clip(
    path: Path,
    stamps: Iterable[int] = range(30),
    *,
    rate: int | Fraction = 25,
    codec: str = "libx264",
    rotation: int = 0,
    sound: np.ndarray | None = None,
    size: tuple[int, int] = (64, 48),
) -> Path:
    """Write picture i at ``stamps[i] / rate`` seconds, and sound (N,) at 16 kHz."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, options={"g": "12", "crf": "10"})
        stream.width, stream.height = size
        stream.pix_fmt, stream.time_base = "yuv420p", 1 / Fraction(rate)
        if rotation:
            stream.set_display_rotation(rotation)
        heard = out.add_stream("aac", rate=16000, layout="mono") if sound is not None else None
        for i, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(picture(i, *size), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = stamp, 1 / Fraction(rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if heard is not None:
            for at in range(0, len(sound), 1024):
                block = np.ascontiguousarray(sound[None, at : at + 1024], np.float32)
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 16000, at
                out.mux(heard.encode(frame))
            out.mux(heard.encode(None))
    return path
