"""Textures painted from the mesh: every texel knows where on the face it lies.

Painting happens in coordinates of the *base* head (millimetres, before any person's shape), so one
recipe fits everybody: eyebrows stay above the eyes whoever they belong to.
"""

from __future__ import annotations

import io

import numpy as np
from scipy import ndimage

from kinesics.seeds import rng

SIZE = 1024
HEAD_UV = np.array([[0.636, 0.144], [1.0, 0.824]])  # the head's island in the base atlas


def head_uv(uv: np.ndarray) -> np.ndarray:
    """Atlas coordinates (N, 2), v down, to the head's own texture."""
    up = np.c_[uv[:, 0], 1 - uv[:, 1]]
    scaled = (up - HEAD_UV[0]) / (HEAD_UV[1] - HEAD_UV[0])
    return np.c_[scaled[:, 0], 1 - scaled[:, 1]]


def raster(uv: np.ndarray, faces: np.ndarray, values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate vertex values (N, K) over the texture: (size, size, K) and a mask of filled texels."""
    image = np.zeros((size, size, values.shape[1]))
    filled = np.zeros((size, size), bool)
    corners = uv[faces] * size - 0.5
    for tri, ids in zip(corners, faces, strict=True):
        low = np.maximum(np.floor(tri.min(0)).astype(int), 0)
        high = np.minimum(np.ceil(tri.max(0)).astype(int), size - 1)
        xs, ys = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
        (ax, ay), (bx, by), (cx, cy) = tri
        area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(area) < 1e-12:
            continue
        u = ((by - cy) * (xs - cx) + (cx - bx) * (ys - cy)) / area
        v = ((cy - ay) * (xs - cx) + (ax - cx) * (ys - cy)) / area
        inside = (u >= -0.02) & (v >= -0.02) & (u + v <= 1.02)
        weights = np.stack([u, v, 1 - u - v], axis=-1)[inside]
        image[ys[inside], xs[inside]] = weights @ values[ids]
        filled[ys[inside], xs[inside]] = True
    return image, filled


def bleed(image: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """Fill empty texels with the nearest painted ones, so that no seam shows."""
    nearest = ndimage.distance_transform_edt(~filled, return_distances=False, return_indices=True)
    return image[tuple(nearest)]


def encode(image: np.ndarray, *, quality: int = 90, alpha: bool = False) -> bytes:
    """JPEG bytes of an sRGB image (H, W, 3) in 0–1, or PNG bytes of (H, W, 4)."""
    from PIL import Image

    pixels = np.clip(np.round(image * 255), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    if alpha:
        Image.fromarray(pixels, "RGBA").save(out, "PNG", optimize=True)
    else:
        Image.fromarray(pixels, "RGB").save(out, "JPEG", quality=quality, subsampling=0, optimize=True)
    return out.getvalue()


def noise(shape: tuple[int, int], scale: float, seed: str) -> np.ndarray:
    """Smooth noise with unit variance; ``scale`` is the blur in texels."""
    field = ndimage.gaussian_filter(rng(0, "avatars", seed).standard_normal(shape), scale, mode="wrap")
    return field / field.std()


def blob(p: np.ndarray, centre: tuple[float, float, float], radius: tuple[float, float, float]) -> np.ndarray:
    """Gaussian bump (…) around a point of the base head (mm), both sides when x is not 0."""
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    x = np.abs(x) if centre[0] else x
    d = (
        ((x - centre[0]) / radius[0]) ** 2
        + ((y - centre[1]) / radius[1]) ** 2
        + ((z - centre[2]) / radius[2]) ** 2
    )
    return np.exp(-d)


def mix(image: np.ndarray, color: np.ndarray | tuple, amount: np.ndarray) -> np.ndarray:
    """Blend a colour (sRGB 0–1) over the image."""
    return image + (np.asarray(color) - image) * np.clip(amount, 0, 1)[..., None]


def strokes(
    p: np.ndarray, roots: np.ndarray, ways: np.ndarray, lengths: np.ndarray, width: float
) -> np.ndarray:
    """Coverage 0–1 of thin hairs drawn in the (x, y) plane of the base head's front (mm)."""
    from scipy.spatial import cKDTree

    steps = np.linspace(0, 1, 14)
    x = roots[:, None, 0] + ways[:, None, 0] * lengths[:, None] * steps
    y = roots[:, None, 1] + ways[:, None, 1] * lengths[:, None] * steps
    tree = cKDTree(np.c_[x.ravel(), y.ravel()])
    thin = np.tile(1 - 0.8 * steps, len(roots))
    flat = np.c_[p[..., 0].ravel(), p[..., 1].ravel()]
    distance, index = tree.query(flat, distance_upper_bound=width * 2)
    reach = np.where(np.isfinite(distance), width * thin[np.minimum(index, len(thin) - 1)], 1)
    cover = np.where(np.isfinite(distance), np.clip(1.3 - distance / reach, 0, 1), 0)
    return cover.reshape(p.shape[:-1])
