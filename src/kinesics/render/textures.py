"""Textures as the kernels read them: all of an avatar's in one table of linear colours, each with its halvings."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.avatar import Avatar
from kinesics.errors import DataError, MissingExtra

Array = NDArray[np.float32]
LARGEST = 4096


def linear(srgb: NDArray[np.floating]) -> NDArray[np.floating]:
    """sRGB, 0 to 1, to linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def decode(data: bytes) -> NDArray[np.uint8]:
    """PNG or JPEG bytes to (H, W, 4) sRGB with alpha.

    Raises
    ------
    DataError
        If they are not a picture of at most 4096 × 4096 pixels.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("video", "decoding textures") from error
    try:
        with av.open(io.BytesIO(data)) as file:
            frame = next(file.decode(video=0))
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise DataError(f"texture: not a PNG or JPEG picture ({error})") from error
    if max(frame.width, frame.height) > LARGEST:
        raise DataError(f"texture: {frame.width} × {frame.height}; expected at most {LARGEST} on a side")
    return frame.to_ndarray(format="rgba")


@lru_cache(maxsize=1)
def table(avatar: Avatar) -> tuple[Array, NDArray[np.int64]]:
    """All textures of an avatar and where each part's lies; the last one is kept, as people are filmed from several sides.

    Returns
    -------
    texels
        (N, 4) linear colour and alpha, each texture followed by its halved copies.
    layouts
        (parts, 4) offset, width, height and number of copies; parts without a texture are white.
    """
    rows: list[Array] = [np.ones((1, 4), np.float32)]
    layouts, known, offset = [], {}, 1
    for part in avatar.parts:
        data = part.material.texture
        if data is None:
            layouts.append((0, 1, 1, 1))
            continue
        if data not in known:
            levels = _halvings(decode(data))
            known[data] = (offset, levels[0].shape[1], levels[0].shape[0], len(levels))
            rows += [level.reshape(-1, 4) for level in levels]
            offset += sum(level.shape[0] * level.shape[1] for level in levels)
        layouts.append(known[data])
    return np.concatenate(rows), np.array(layouts, dtype=np.int64)


def _halvings(picture: NDArray[np.uint8]) -> list[Array]:
    colour = np.empty(picture.shape, np.float32)
    colour[..., :3] = linear(np.arange(256) / 255)[picture[..., :3]]
    colour[..., 3] = picture[..., 3] / np.float32(255)
    out = [colour]
    while min(out[-1].shape[:2]) > 1:
        big = out[-1][: out[-1].shape[0] // 2 * 2, : out[-1].shape[1] // 2 * 2]
        # Colours count as much as they are opaque, else the edges of hair turn dark.
        alpha = big[..., 3:] + 1e-4
        weighted = np.concatenate([big[..., :3] * alpha, alpha], axis=-1)
        weighted = weighted.reshape(big.shape[0] // 2, 2, big.shape[1] // 2, 2, 4).mean(axis=(1, 3))
        half = weighted.copy()
        half[..., :3] /= weighted[..., 3:]
        half[..., 3] -= 1e-4
        out.append(half.astype(np.float32))
    return out
