"""The painted skin of head and body."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from avatars import landmarks, mesh, paint, source
from avatars.people import Person
from kinesics.seeds import rng


def _cavity(part: mesh.Part) -> np.ndarray:
    """(N,) how hollow the surface is at each vertex, about -1 to 1."""
    part = part.with_normals()
    everywhere = np.ones(len(part.position))
    near = mesh.smooth_field(part.position, part.faces, part.smooth, everywhere, 2)
    wide = mesh.smooth_field(part.position, part.faces, part.smooth, everywhere, 9)
    fine = ((near - part.position) * part.normal).sum(1) / 0.0011
    broad = ((wide - part.position) * part.normal).sum(1) / 0.0035
    return np.clip(0.6 * fine + 0.25 * broad, -1, 1)


def brow_curve(t: np.ndarray, who: Person) -> tuple[np.ndarray, np.ndarray]:
    """Centre line (x, y) of the left brow on the base head in mm, t from nose (0) to temple (1)."""
    x = 10.5 + 38.0 * t
    y = 742.5 + 7.0 * np.sin(np.clip(t / 0.72, 0, 1) * np.pi / 2) - 7.5 * np.clip(t - 0.66, 0, 1) * 2.4
    return x, y + who.brow_lift


def _brows(p: np.ndarray, who: Person) -> np.ndarray:
    random = rng(0, "avatars", who.name, "brows")
    count = int(520 * who.brow_density)
    t = random.beta(1.0, 1.15, count)
    x, y = brow_curve(t, who)
    half = who.brow_width * np.interp(t, [0, 0.1, 0.5, 1], [0.75, 1.0, 0.9, 0.3])
    v = random.uniform(-1, 1, count)
    lean = np.interp(t, [0, 0.25, 0.6, 1], [1.35, 0.75, 0.2, -0.35]) - 0.35 * v
    ways = np.c_[np.cos(lean), np.sin(lean)]
    lengths = random.uniform(4.0, 7.5, count) * np.interp(t, [0, 0.2, 1], [0.7, 1, 0.8])
    roots = np.c_[x, y + v * half - 0.8]
    front = p[..., 2] > 90
    line_t = np.linspace(0, 1, 60)
    line_x, line_y = brow_curve(line_t, who)
    line_half = who.brow_width * np.interp(line_t, [0, 0.1, 0.5, 1], [0.75, 1.0, 0.9, 0.3])
    cover = np.zeros(p.shape[:2])
    for side in (1, -1):
        mirrored = p * [side, 1, 1]
        near = front & (mirrored[..., 0] > 4) & (mirrored[..., 0] < 60) & (np.abs(p[..., 1] - 747) < 24)
        q = mirrored[near]
        below = np.abs(q[:, 1] - np.interp(q[:, 0], line_x, line_y)) / (
            np.interp(q[:, 0], line_x, line_half) * 1.25
        )
        ends = np.clip((q[:, 0] - line_x[0]) / 6, 0, 1) * np.clip((line_x[-1] - q[:, 0]) / 8, 0, 1)
        cover[near] = np.maximum(cover[near], 0.6 * np.exp(-(below**2)) * ends)
        cover[near] = np.maximum(
            cover[near], paint.strokes(mirrored[near][:, None, :], roots, ways, lengths, 0.34)[:, 0]
        )
    return cover


def head_texture(part: mesh.Part, who: Person) -> bytes:
    """JPEG of the head: lips, cheeks, nose, ears, lids, brows, freckles, stubble, scalp."""
    size = paint.SIZE
    base = source.base().vertices[part.origin] * 1000
    rims = np.concatenate([np.concatenate(r[:2]) for r in landmarks.lid_rings().values()])
    upper = np.isin(part.origin, rims) * np.where(base[:, 1] > 728, 1.0, 0.6)
    values = np.c_[base, _cavity(part), upper]
    image, filled = paint.raster(part.uv, part.faces, values, size)
    p, hollow = image[..., :3], ndimage.gaussian_filter(image[..., 3], 2.0)
    skin = np.array(who.skin) / 255
    red = skin * [1.02, 0.74, 0.70]
    out = np.broadcast_to(skin, (size, size, 3)).copy()
    mottle = 0.6 * paint.noise((size, size), 9, "mottle") + 0.4 * paint.noise((size, size), 30, "blotch")
    out *= 1 + 0.012 * mottle[..., None] + 0.010 * paint.noise((size, size), 0.9, "pores")[..., None]
    b = paint.blob
    out = paint.mix(out, red, who.blush * b(p, (36, 694, 125), (15, 13, 30)))
    out = paint.mix(
        out, red, 0.30 * b(p, (0, 696, 168), (12, 9, 13)) + 0.16 * b(p, (0, 640, 150), (13, 9, 20))
    )
    ear = 1 / (1 + np.exp(-(np.abs(p[..., 0]) - 69) / 1.5)) * b(p, (76, 715, 35), (30, 40, 40))
    out = paint.mix(out, red, 0.42 * ear)
    out = paint.mix(out, skin * [0.74, 0.62, 0.60], 0.30 * b(p, (31, 731, 138), (19, 8, 20)))
    out = paint.mix(out, skin * [0.80, 0.68, 0.68], 0.13 * b(p, (27, 716, 142), (13, 5, 20)))
    out = paint.mix(out, np.array(who.shadow) / 255, who.eye_makeup * b(p, (32, 737.5, 140), (15, 3.6, 16)))
    out *= (1 - 0.26 * np.clip(hollow, 0, 1) + 0.05 * np.clip(-hollow, 0, 1))[..., None]
    if who.freckles:
        spots = np.clip(paint.noise((size, size), 1.5, "freckles") - 1.55, 0, 1)
        zone = b(p, (24, 702, 145), (26, 13, 40)) + b(p, (0, 706, 160), (14, 12, 20))
        out = paint.mix(out, skin * [0.72, 0.58, 0.5], who.freckles * spots * zone)
    rim = np.clip(1.5 * image[..., 4] - 0.25, 0, 1)
    out = paint.mix(out, skin * [0.26, 0.18, 0.16], (0.45 + who.eye_makeup) * rim)
    out = _stubble(out, p, who)
    out = _lips(out, p, part, who)
    hair = np.array(who.hair) / 255 * 0.8
    out = paint.mix(out, hair * who.brow_shade, 0.8 * ndimage.gaussian_filter(_brows(p, who), 0.6))
    out = _scalp(out, p, who)
    return paint.encode(paint.bleed(out, filled), quality=88)


def _lips(out: np.ndarray, p: np.ndarray, part: mesh.Part, who: Person) -> np.ndarray:
    size = len(out)
    stored = source.mask_image("lips")
    low, high = paint.HEAD_UV * 2048
    ys, xs = np.mgrid[0:size, 0:size] + 0.5
    column = low[0] + xs / size * (high[0] - low[0]) - 0.5
    row = 2048 - high[1] + ys / size * (high[1] - low[1]) - 0.5
    mask = ndimage.map_coordinates(stored, [row, column], order=1)
    mask = ndimage.gaussian_filter(mask, 1.6)
    lips = np.array(who.lips) / 255
    seam = np.exp(-(((p[..., 1] - 660.6) / 1.6) ** 2)) * mask
    grain = 1 + 0.035 * paint.noise((size, size), 1.0, "lip grain")
    out = paint.mix(out, lips, 0.85 * mask) * np.where(mask > 0.02, grain, 1)[..., None]
    return paint.mix(out, lips * 0.45, 0.55 * seam)


def _stubble(out: np.ndarray, p: np.ndarray, who: Person) -> np.ndarray:
    if not who.stubble:
        return out
    x, y, z = np.abs(p[..., 0]), p[..., 1], p[..., 2]
    line = np.interp(x, [0, 14, 26, 34, 52, 66, 80], [679, 678, 672, 664, 676, 700, 715])
    under_nose = 1 / (1 + np.exp(-(line - y) / 2.2))
    neck = 1 / (1 + np.exp(-(y - 618 + 0.25 * (90 - np.clip(z, 0, 90))) / 4.0))
    side = 1 / (1 + np.exp(-(z - 32) / 5.0))
    bare = np.exp(-(((x - 26) / 5) ** 2) - ((y - 652) / 8) ** 2) * 0.3
    zone = np.clip(under_nose * neck * side - bare, 0, 1)
    grain = np.clip(0.5 + 0.5 * paint.noise(out.shape[:2], 0.45, "stubble"), 0, 1)
    shade = np.array(who.hair) / 255 * 0.55
    out = paint.mix(out, out * [0.74, 0.75, 0.80], who.stubble * 0.95 * zone)
    return paint.mix(out, shade, who.stubble * 0.55 * zone * grain)


def hairline(p: np.ndarray, who: Person) -> np.ndarray:
    """How far (mm) a point of the base head lies inside the hair-covered scalp, negative outside."""
    x, y, z = np.abs(p[..., 0]), p[..., 1], p[..., 2]
    front = np.interp(x, [0, 25, 42, 55, 66, 80], np.array([787, 787, 778, 762, 740, 728]) + who.hairline)
    back = np.interp(z, [-45, -10, 20, 36, 44, 60], [664, 666, 690, 716, 728, 728])
    edge = np.where(z > 44, front, np.minimum(back, front))
    around_ear = np.hypot((z - 34) / 1.0, (y - 716) / 1.4) - 20
    return np.minimum(y - edge, np.where((x > 62) & (y < 752), around_ear, 99))


def _scalp(out: np.ndarray, p: np.ndarray, who: Person) -> np.ndarray:
    inside = hairline(p, who) + 1.2 * paint.noise(out.shape[:2], 1.0, "hairline")
    cover = np.clip(inside / 14.0 + 0.15, 0, 1)
    return paint.mix(out, np.array(who.hair) / 255 * 0.62, 0.94 * cover)


def body_texture(who: Person) -> bytes:
    """JPEG of the rest of the atlas: nails, warm knuckles and palms, faint mottling."""
    size = 512
    skin = np.array(who.skin) / 255
    out = np.broadcast_to(skin, (size, size, 3)).copy()
    out *= 1 + 0.012 * paint.noise((size, size), 5, "body mottle")[..., None]
    nails = source.mask_image("fingernails").reshape(size, 4, size, 4).mean((1, 3))
    out = paint.mix(out, skin * 0.5 + np.array([0.93, 0.72, 0.68]) * 0.5, nails)
    return paint.encode(out, quality=90)
