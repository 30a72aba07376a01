"""What is seen of a mouth in pictures: landmarks on the canonical face, and small crops.

Each frame's nose and corners of the eyes are laid on those of a shipped face at rest by a similarity (Umeyama,
TPAMI 1991), which takes head, distance and size out. What is left of the lips and chin is seen from the front.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies import ibug
from kinesics.bodies.face_points import face_points
from kinesics.errors import DataError
from kinesics.performance import Points, Video

Array = NDArray[np.float32]

PLACES: tuple[int, ...] = (*range(68)[ibug.CHIN], 33, *range(68)[ibug.MOUTH])
"""Which of the 68 landmarks are looked at: chin, base of the nose, lips."""
LIPS = slice(6, len(PLACES))
"""The lips among :data:`PLACES`."""
NEAR = 5.0
"""Millimetres of a landmark's way that count as 1."""
HALF = 36.0
"""Millimetres from the middle of a crop to its edges, on the canonical face (ours)."""
_BELOW = 8.0  # millimetres that a crop's middle lies below the lips': jaws open downwards


@lru_cache(maxsize=8)
def rest(avatar: str) -> NDArray[np.float64]:
    """(68, 3) landmarks of a shipped face at rest, mm."""
    points = face_points(avatar)
    return points.neutral[points.landmarks].astype(np.float64) * 1000


@lru_cache(maxsize=8)
def moves(avatar: str) -> Array:
    """(52, n, 2) where each ARKit coefficient takes :data:`PLACES`, seen from the front, in units of 5 mm."""
    points = face_points(avatar)
    return points.offsets[:, points.landmarks[list(PLACES)], :2] * np.float32(1000 / NEAR)


def lips(face: Array, avatar: str) -> Array:
    """(T, 2 · lips) where coefficients (T, 52) take the lips of a shipped face, seen from the front, in units of 5 mm."""
    return np.einsum("tk,knd->tnd", face, moves(avatar)[:, LIPS]).reshape(len(face), -1)


def resting(avatar: str) -> Array:
    """(n, 2) :data:`PLACES` of a shipped face at rest, seen from the front, in units of 5 mm."""
    return (rest(avatar)[list(PLACES), :2] / NEAR).astype(np.float32)


def middle(avatar: str) -> NDArray[np.float64]:
    """(3,) the middle of a crop on a shipped face, mm."""
    return rest(avatar)[ibug.MOUTH].mean(axis=0) - [0, _BELOW, 0]


def similarity(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The similarities that bring points nearest to others, in the sense of least squares.

    Parameters
    ----------
    source, target
        (T, n, d) and (n, d).

    Returns
    -------
    scale, turn, shift
        (T,), (T, d, d) and (T, d): ``scale · turn @ x + shift``.

    Raises
    ------
    DataError
        If the points of a frame all lie in one place.
    """
    a, b = source.mean(axis=1), target.mean(axis=0)
    x, y = source - a[:, None], target - b
    spread = np.square(x).sum(axis=(1, 2))
    if not (spread > 0).all():
        raise DataError(f"landmarks: those of frame {int(np.argmin(spread))} all lie in one place")
    u, values, v = np.linalg.svd(np.einsum("ni,tnj->tij", y, x))
    sign = np.ones_like(values)
    sign[:, -1] = np.sign(np.linalg.det(u @ v))  # no mirrors
    turn = (u * sign[:, None]) @ v
    scale = (values * sign).sum(axis=1) / spread
    return scale, turn, b - scale[:, None] * np.einsum("tij,tj->ti", turn, a)


def upright(landmarks: Points) -> NDArray[np.float64]:
    """(T, 68, 2 or 3) the 68 of a set of landmarks with y up and, where there is depth, z towards who looks."""
    if landmarks.frame != "image":
        raise DataError(f"landmarks in the frame {landmarks.frame!r}; expected 'image' (pixels, y down)")
    values = landmarks.values.astype(np.float64)[:, list(ibug.among(landmarks.values.shape[1]))]
    return values * [1.0, -1.0, -1.0][: values.shape[2]]


def seen(landmarks: Points, avatar: str) -> Array:
    """(T, n, 2) chin and lips on the canonical face beside their mean over the clip, in units of 5 mm.

    Parameters
    ----------
    landmarks
        In pixels: (T, 68, ...) of iBUG or (T, 468 or 478, ...) of MediaPipe; with depth the head's turn is taken out,
        too.
    avatar
        Whose face is the canonical one.
    """
    points = upright(landmarks)
    if not len(points):
        raise DataError("no landmarks; there is nothing to see")
    target = rest(avatar)[:, : points.shape[2]]
    still = list(ibug.STILL)
    scale, turn, shift = similarity(points[:, still], target[still])
    placed = scale[:, None, None] * np.einsum("tij,tnj->tni", turn, points[:, list(PLACES)]) + shift[:, None]
    placed = placed[..., :2] / NEAR
    return (placed - placed.mean(axis=0)).astype(np.float32)


def crops(
    video: Video, landmarks: Points, avatar: str, *, size: int, half: float = HALF
) -> NDArray[np.uint8]:
    """(T, size, size, 3) what the video shows about the mouth at each frame of its own, upright and at one size.

    Parameters
    ----------
    video
        Where it is seen.
    landmarks
        Of this video, in its pixels.
    avatar
        Whose face is the canonical one.
    size
        Pixels of each side.
    half
        Millimetres from the middle to the edges.
    """
    points = upright(landmarks.resample(video.fps))
    target = rest(avatar)[:, :2]
    still = list(ibug.STILL)
    scale, turn, shift = similarity(points[:, still, :2], target[still])
    line = (np.arange(size) + 0.5) / size * 2 - 1
    grid = middle(avatar)[:2] + half * np.stack(np.meshgrid(line, -line), axis=-1)
    out = np.zeros((min(len(points), len(video)), size, size, 3), np.uint8)
    for t, picture in enumerate(video.frames()):
        if t == len(out):
            break
        # back from the canonical face to the picture: the inverse of a similarity
        place = np.einsum("ji,yxj->yxi", turn[t], grid - shift[t]) / scale[t] * [1, -1]
        out[t] = _sampled(picture, place)
    return out


def _sampled(picture: NDArray[np.uint8], place: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What a picture (H, W, 3) has at places (..., 2) in pixels, between them linearly; its edge beyond it."""
    height, width = picture.shape[:2]
    x = np.clip(place[..., 0] - 0.5, 0, width - 1)
    y = np.clip(place[..., 1] - 0.5, 0, height - 1)
    i, j = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    a, b = (x - i)[..., None], (y - j)[..., None]
    top = picture[j, i] * (1 - a) + picture[j, i + 1] * a
    low = picture[j + 1, i] * (1 - a) + picture[j + 1, i + 1] * a
    return np.round(top * (1 - b) + low * b).astype(np.uint8)


def grey(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(..., 3) RGB to (...) luma (ITU-R BT.601), as lip readers take it."""
    return np.round(pictures @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
