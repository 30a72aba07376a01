"""Textures of other people, from those that ship.

What is painted on the two shipped people is taken apart once (skin, brows, scalp, stubble, lips; cloth and
its pattern) and put together again in other colours.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.avatar import Avatar, load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import MissingExtra
from kinesics.render.textures import decode, linear
from kinesics.seeds import rng
from kinesics.stage.traits import Traits

Picture = NDArray[np.float32]
_SKIN = {"maya": (188, 132, 100), "theo": (212, 160, 132)}  # as scripts/avatars/people.py paints them
_HAIR = {"maya": (70, 45, 32), "theo": (96, 70, 48)}
_IRIS = {"maya": (98, 60, 32), "theo": (58, 74, 80)}
_STRIPES = (46, 62, 104)
_SHIRT = (226, 220, 208)
_GREY = np.array([0.62, 0.60, 0.58])
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def encode(picture: NDArray, *, quality: int = 4) -> bytes:
    """JPEG bytes of an sRGB picture (H, W, 3), or PNG bytes of (H, W, 4), both 0 to 1; the same every time."""
    try:
        import av
    except ImportError as error:
        raise MissingExtra("video", "painting textures") from error
    pixels = np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)
    alpha = pixels.shape[2] == 4
    out = io.BytesIO()
    with av.open(out, "w", format="image2pipe") as file:
        stream = file.add_stream("png" if alpha else "mjpeg", rate=1)
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt = "rgba" if alpha else "yuvj444p"
        stream.codec_context.thread_count = 1
        if not alpha:
            stream.codec_context.qmin = stream.codec_context.qmax = quality
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba" if alpha else "rgb24")
        for packet in [*stream.encode(frame), *stream.encode()]:
            file.mux(packet)
    return out.getvalue()


def _texture(avatar: Avatar, part: str) -> Picture:
    data = next(p.material.texture for p in avatar.parts if p.name == part)
    assert data is not None
    return decode(data).astype(np.float32) / 255


def _mixed(under: Picture, over: NDArray, amount: Picture) -> Picture:
    return under + (np.asarray(over, np.float32) - under) * amount[..., None]


def noise(shape: tuple[int, int], cells: int, *names: object) -> Picture:
    """Smooth noise of unit variance with about ``cells`` bumps across; it repeats at the edges."""
    grid = rng(0, "texture", *names).standard_normal((cells, cells)).astype(np.float32)

    def stretched(a: NDArray, n: int) -> NDArray:
        at = np.arange(n) * (len(a) / n)
        low = at.astype(int)
        t = (at - low)[:, None].astype(np.float32)
        t = t * t * (3 - 2 * t)
        return a[low % len(a)] * (1 - t) + a[(low + 1) % len(a)] * t

    out = stretched(stretched(grid, shape[0]).T, shape[1]).T
    return out / out.std()


@dataclass(frozen=True)
class Layers:
    """The painted head, taken apart; all (S, S)."""

    place: Picture  # (S, S, 3) mm about the head joint of the first face
    skin: Picture  # (S, S, 3) factor of the skin's colour, without brows, scalp and stubble
    brows: tuple[Picture, Picture]
    scalp: Picture
    stubble: Picture
    lips: Picture


@cache
def layers() -> Layers:
    """Both heads' textures, taken apart."""
    people = [load_avatar(n) for n in ("maya", "theo")]
    ratio = [_texture(a, "head")[..., :3] / (np.array(_SKIN[a.name], np.float32) / 255) for a in people]
    place = _places(people[0], len(ratio[0]))
    x, y, z = np.abs(place[..., 0]), place[..., 1], place[..., 2]
    light = [r @ _LUMA for r in ratio]
    above = _step(y, 45, 47) * _step(z, 60, 66) * (1 - _step(y, 66, 68)) * (1 - _step(x, 58, 60))
    brows = tuple(np.clip((0.93 - v) / 0.6, 0, 1) * above for v in light)
    bare = (1 - _step(z, 88, 92)) + _step(y, 66, 70)
    dark = [np.array(_HAIR[a.name]) / np.array(_SKIN[a.name]) * 0.62 @ _LUMA for a in people]
    scalp = np.clip((0.97 - light[0]) / (0.97 - dark[0]), 0, 1) * np.clip(bare, 0, 1) * _step(y, -52, -42)
    ear = np.exp(-np.square((z - 5) / 24) - np.square((y - 8) / 34)) * _step(x, 60, 64)
    scalp = np.where(ear > 0.35, np.where(light[0] < 0.45, scalp, 0), scalp)
    low = (1 - _step(y, -4, 6)) * _step(z, 0, 10)
    lips = np.clip((ratio[0][..., 0] / np.maximum(ratio[0][..., 1], 0.05) - 1.16) / 0.2, 0, 1)
    lips = (
        lips * np.exp(-(np.square(x / 30) ** 2)) * np.exp(-(np.square((y + 29) / 15) ** 2)) * _step(z, 80, 86)
    )
    stubble = np.clip((0.98 - light[1] / np.maximum(light[0], 0.05)) / 0.55, 0, 1) * low * (1 - lips)
    skin = ratio[0].copy()
    soft = np.clip(skin, 0.78, 1.12)
    hidden = np.clip(2.5 * _spread(np.maximum(brows[0], scalp), 10), 0, 1)
    grain = 1 + 0.012 * noise(x.shape, 60, "skin")
    skin = _mixed(
        np.where((scalp > 0.02)[..., None], soft, skin), np.repeat(grain[..., None], 3, axis=2), hidden
    )
    return Layers(place, skin.astype(np.float32), brows, scalp, stubble, lips)


def _step(v: Picture, low: float, high: float) -> Picture:
    t = np.clip((v - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _spread(mask: Picture, reach: int) -> Picture:
    """A mask, wider by some texels and soft at its edge."""
    out = mask
    for axis in (0, 1):
        sums = np.cumsum(
            np.concatenate([np.zeros_like(out[:1]), out]) if axis == 0 else np.c_[np.zeros(len(out)), out],
            axis=axis,
        )
        at = np.arange(out.shape[axis])
        high, low = np.minimum(at + reach, len(at) - 1) + 1, np.maximum(at - reach, 0)
        out = (np.take(sums, high, axis=axis) - np.take(sums, low, axis=axis)) / (2 * reach + 1)
    return out.astype(np.float32)


def _places(avatar: Avatar, size: int) -> Picture:
    """(S, S, 3) where on the head each texel lies, mm about the head joint; empty ones take a neighbour's."""
    part = next(p for p in avatar.parts if p.name == "head")
    at = (avatar.vertices - avatar.joints[INDEX["head"]]) * 1000
    small = size // 2
    image = np.full((small, small, 3), np.nan, np.float32)
    corners = avatar.uv[avatar.faces[part.faces]] * small - 0.5
    for tri, ids in zip(corners, avatar.faces[part.faces], strict=True):
        low = np.maximum(np.floor(tri.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(tri.max(axis=0)).astype(int) + 1, small)
        xs, ys = np.arange(low[0], high[0])[None], np.arange(low[1], high[1])[:, None]
        (ax, ay), (bx, by), (cx, cy) = tri
        area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(area) < 1e-9:
            continue
        u = ((by - cy) * (xs - cx) + (cx - bx) * (ys - cy)) / area
        v = ((cy - ay) * (xs - cx) + (ax - cx) * (ys - cy)) / area
        inside = (u >= -0.05) & (v >= -0.05) & (u + v <= 1.05)
        weights = np.stack([u, v, 1 - u - v], axis=-1)[inside]
        image[low[1] : high[1], low[0] : high[0]][inside] = weights @ at[ids]
    while np.isnan(image[..., 0]).any():
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            moved = np.roll(image, step, axis=axis)
            empty = np.isnan(image[..., 0])
            image[empty] = moved[empty]
    return image.repeat(2, axis=0).repeat(2, axis=1)


def hair_colours(traits: Traits) -> tuple[NDArray, NDArray]:
    """Colour of hair that is not grey, and of hair on the whole, 0 to 1."""
    own = np.array(traits.hair) / 255
    return own, own + (_GREY - own) * 0.8 * traits.grey


def head_texture(traits: Traits, number: int) -> bytes:
    """JPEG of a head."""
    part = layers()
    skin = np.array(traits.skin, np.float32) / 255
    x, y, z = np.abs(part.place[..., 0]), part.place[..., 1], part.place[..., 2]
    shape = x.shape
    dark = float(np.clip(1.25 - skin.mean() * 1.6, 0, 1))
    # Blood shows less through dark skin.
    factor = 1 + (part.skin - 1) * np.array([1.0, 1 - 0.35 * dark, 1 - 0.35 * dark], np.float32)
    red = np.array([1.02, 0.80, 0.78], np.float32)
    cheek = np.exp(-np.square((x - 36) / 16) - np.square((y + 4) / 13)) * _step(z, 40, 70)
    out = factor * skin
    out *= 1 + (red - 1) * (0.35 * traits.blush * (1 - dark) * cheek)[..., None]
    lips = np.array(traits.lips, np.float32)
    out *= 1 + (lips - 1) * part.lips[..., None]
    if traits.freckles > 0.02:
        spots = np.clip(noise(shape, 260, "freckles", number) - 1.2, 0, 1)
        zone = np.exp(-np.square(x / 34) - np.square((y - 4) / 18)) * _step(z, 60, 80) * (1 - part.lips)
        out *= 1 - np.array([0.30, 0.45, 0.50], np.float32) * (traits.freckles * spots * zone)[..., None]
    out *= 1 - _age_lines(traits, x, y, z)[..., None] * np.array([0.8, 1.0, 1.0], np.float32) * (
        1 - 0.3 * dark
    )
    own, mean = hair_colours(traits)
    if traits.stubble > 0.05:
        grain = 0.75 + 0.25 * noise(shape, 500, "stubble", number)
        out = _mixed(
            out, 0.45 * skin + 0.25 * mean, np.clip(0.85 * traits.stubble * part.stubble * grain, 0, 0.8)
        )
    brow = (1 - traits.brow) * part.brows[0] + traits.brow * part.brows[1]
    out = _mixed(out, 0.72 * own + 0.28 * mean * 0.8, np.clip(1.15 * brow, 0, 0.92))
    cover = {"bob": 0.94, "short": 0.94, "cropped": 0.88, "bald": 0.10 + 0.2 * (traits.stubble > 0.3)}[
        traits.style
    ]
    fuzz = (
        1.0 if traits.style in ("bob", "short") else np.clip(0.92 + 0.10 * noise(shape, 480, "cropped"), 0, 1)
    )
    shade = 0.62 * mean if traits.style in ("bob", "short") else 0.75 * mean + 0.1 * skin
    scalp = _spread(part.scalp, 20) if traits.style == "bald" else part.scalp
    return encode(_mixed(out, shade, cover * scalp * fuzz))


def _age_lines(traits: Traits, x: Picture, y: Picture, z: Picture) -> Picture:
    """How dark the lines are that years leave: brow, corners of the eyes, from nose to mouth, below the eyes."""
    old = float(np.clip((traits.age - 30) / 45, 0, 1))
    if old == 0:
        return np.zeros_like(x)
    wave = 1.2 * np.sin(x / 9 + 1.3)
    front = _step(z, 70, 80)
    brow = sum(np.exp(-np.square((y - h - wave - 0.002 * x * x) / 1.1)) for h in (74, 83, 91))
    brow = brow * np.exp(-(np.square(x / 34) ** 2)) * front
    corner = sum(np.exp(-np.square((y - 37 - s * (x - 44)) / 0.9)) for s in (-0.55, -0.1, 0.4))
    corner = corner * _step(x, 45, 48) * (1 - _step(x, 55, 60)) * (1 - _step(np.abs(y - 37), 9, 12))
    fold = np.exp(-np.square((x - 16 - 0.36 * (2 - y) - 0.002 * np.square(y - 2)) / 2.0))
    fold = fold * _step(y, -34, -22) * (1 - _step(y, -6, 6)) * front
    bag = np.exp(-np.square((y - 21 - 0.012 * np.square(x - 30)) / 1.5)) * np.exp(
        -(np.square((x - 30) / 13) ** 2)
    )
    frown = np.exp(-np.square((x - 5.5) / 1.0)) * np.exp(-(np.square((y - 50) / 7) ** 2)) * front
    return (old * (0.16 * brow + 0.18 * corner + 0.30 * fold + 0.20 * bag * front + 0.16 * frown)).astype(
        np.float32
    )


def body_texture(avatar: Avatar, traits: Traits) -> bytes:
    """JPEG of the skin of hands, arms and neck."""
    ratio = _texture(avatar, "body")[..., :3] / (np.array(_SKIN[avatar.name], np.float32) / 255)
    return encode(ratio * np.array(traits.skin, np.float32) / 255)


def lid_colour(traits: Traits) -> tuple[float, float, float, float]:
    """Linear colour of the lids' insides."""
    r, g, b = (linear(np.array(traits.skin) / 255) * [0.605, 0.31, 0.29]).tolist()
    return round(r, 4), round(g, 4), round(b, 4), 1.0


def eye_texture(avatar: Avatar, traits: Traits) -> bytes:
    """JPEG of an eyeball."""
    picture = _texture(avatar, "eyes")[..., :3]
    size = len(picture)
    ys, xs = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    r = np.hypot(xs, ys) / 0.5
    tone = (picture @ _LUMA) / float(np.array(_IRIS[avatar.name]) / 255 @ _LUMA)
    iris = tone[..., None] * np.array(traits.iris, np.float32) / 255
    white = picture * (1 - 0.06 * float(np.clip((traits.age - 30) / 50, 0, 1)) * np.array([0.3, 0.6, 1.6]))
    return encode(_mixed(white, iris, np.clip((0.372 - r) / 0.02, 0, 1)), quality=2)


def hair_textures(style: str, traits: Traits, number: int) -> dict[str, bytes]:
    """JPEG of the cap and PNG of the ribbons of a style."""
    avatar = load_avatar({"bob": "maya", "short": "theo"}[style])
    own, _ = hair_colours(traits)
    out = {}
    for name, shade in (("hair_cap", {"bob": 0.6, "short": 0.8}[style]), ("hair", 1.0)):
        picture = _texture(avatar, name)
        tone = np.clip(picture[..., :3] @ _LUMA / float(np.array(_HAIR[avatar.name]) / 255 @ _LUMA), 0, 1.7)
        strands = rng(0, "texture", "grey", number, name).random(picture.shape[1] // 2).repeat(2)
        streaks = np.clip((traits.grey - strands) / 0.5 + 0.5, 0, 1)
        grey = traits.grey * (0.45 + 0.55 * streaks)
        # Roots and deep layers lie in the shade, grey or not.
        tone = tone ** (1 - 0.35 * traits.grey)
        colour = own + (_GREY * 0.92 * shade - own) * (0.92 * grey)[None, :, None]
        new = np.clip(tone[..., None] * colour, 0, 1)
        out[name] = encode(np.concatenate([new, picture[..., 3:]], axis=2) if name == "hair" else new)
    return out


def cloth_textures(avatar: Avatar, traits: Traits) -> dict[str, bytes]:
    """JPEG of shirt, trousers and shoes."""
    out = {"shirt": encode(_shirt(avatar, traits))}
    for name, colour in (("trousers", traits.trousers), ("shoes", traits.shoes)):
        picture = _texture(avatar, name)[..., :3]
        tone = picture @ _LUMA
        tone = np.clip(tone / np.median(tone), 0.3, 1.5)[..., None]
        out[name] = encode(tone * np.array(colour, np.float32) / 255)
    return out


def _shirt(avatar: Avatar, traits: Traits) -> Picture:
    picture = _texture(avatar, "shirt")[..., :3]
    light = picture @ _LUMA
    if avatar.name == "maya":
        plain, trim = (np.array(c, np.float32) / 255 for c in (_SHIRT, _STRIPES))
        ray = plain - trim
        striped = np.clip(((plain - picture) @ ray) / float(ray @ ray) * 1.25 - 0.12, 0, 1)
        tone = np.where(striped > 0.5, 1.0, light / float(plain @ _LUMA))
    else:
        striped = np.zeros_like(light)
        tone = light / np.median(light)
    tone = np.clip(tone, 0.4, 1.3)
    x, y, sleeve, sewn = _cloth_places(avatar, len(light))
    along = np.where(sleeve, np.abs(x), y)
    across = np.where(sleeve, y, x)
    kind = traits.pattern

    def band(v: Picture, width: float, share: float) -> Picture:
        return np.clip((share / 2 - np.abs((v / width) % 1 - 0.5)) * width / 0.0022 + 0.5, 0, 1)

    if kind == "stripes":
        amount = striped if avatar.name == "maya" else band(along, 0.034, 0.42)
    elif kind == "bars":
        amount = band(across, 0.028, 0.32)
    elif kind == "checks":
        amount = 0.5 * band(along, 0.05, 0.5) + 0.5 * band(across, 0.05, 0.5)
    elif kind == "yoke":
        amount = (sleeve | (y > float(avatar.joints[INDEX["upperChest"]][1]) + 0.02)).astype(np.float32)
    else:
        amount = np.zeros_like(light)
    amount = np.where(sewn, float(kind == "stripes"), amount)
    first, second = (np.array(c, np.float32) / 255 for c in (traits.shirt, traits.trim))
    return tone[..., None] * (first + (second - first) * amount[..., None])


@cache
def _cloth_frame(name: str) -> tuple[NDArray, NDArray]:
    """Front and back of a shirt lie flat in the texture: (2, 3) maps from (u, v, 1) to metres of each half."""
    avatar = load_avatar(name)
    part = next(p for p in avatar.parts if p.name == "shirt")
    uv, at = avatar.uv[part.vertices], avatar.vertices[part.vertices]
    maps = []
    for half in (uv[:, 0] < 0.5, uv[:, 0] >= 0.5):
        keep = half & (uv.min(axis=1) > 0.02)
        basis = np.c_[uv[keep], np.ones(keep.sum())]
        maps.append(np.linalg.lstsq(basis, at[keep, :2].astype(np.float64), rcond=None)[0].T)
    return maps[0], maps[1]


def _cloth_places(avatar: Avatar, size: int) -> tuple[Picture, Picture, NDArray, NDArray]:
    """x and y in metres of a shirt's texels, which are sleeves, and which is the patch of sewn edges."""
    v, u = (np.mgrid[0:size, 0:size] + 0.5) / size
    flat = np.stack([u, v, np.ones_like(u)], axis=-1)
    front, back = (flat @ m.T for m in _cloth_frame(avatar.name))
    x, y = np.moveaxis(np.where((u < 0.5)[..., None], front, back), -1, 0)
    arm = avatar.joints[INDEX["leftUpperArm"]]
    high = y > avatar.joints[INDEX["upperChest"]][1] - 0.10
    sleeve = high & (np.abs(x) > arm[0] + 0.012)
    return x.astype(np.float32), y.astype(np.float32), sleeve, (u < 1 / 64) & (v < 1 / 64)
