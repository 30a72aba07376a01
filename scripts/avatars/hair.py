"""Hair: a close cap over the scalp and many ribbons that grow from it, fall and lie on the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from avatars import mesh, paint, skin, source
from avatars.fabric import linear
from avatars.people import Person
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.seeds import rng

COLUMNS = 4  # ribbons take one of the columns of the texture


@dataclass(frozen=True)
class Scalp:
    """What hair grows on and must stay off: the head's surface, with base coordinates in mm."""

    position: np.ndarray
    normal: np.ndarray
    base: np.ndarray
    tree: cKDTree
    inside: np.ndarray  # mm inside the hairline

    def settle(self, p: np.ndarray, lift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points pushed to at least ``lift`` metres off the skin, and the skin's normal there."""
        distance, near = self.tree.query(p, k=6)
        weight = 1 / (distance + 0.004) ** 2
        weight /= weight.sum(1, keepdims=True)
        normal = (self.normal[near] * weight[..., None]).sum(1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        height = ((p[:, None] - self.position[near]) * self.normal[near]).sum(2)
        height = (height * weight).sum(1)
        far = distance[:, 0] > 0.035
        push = np.where(far, 0, np.maximum(lift - height, 0))
        return p + push[:, None] * normal, normal

    def clear_face(self, p: np.ndarray) -> np.ndarray:
        """Points moved sideways off the face: no hair in the eyes."""
        eyes = self.position[np.abs(self.base[:, 1] - 729).argmin(), 1]
        front = self.position[:, 2].max()
        low = np.clip((eyes + 0.058 - p[:, 1]) / 0.03, 0, 1) * np.clip((p[:, 2] - front + 0.085) / 0.03, 0, 1)
        short = np.maximum(0.064 * low - np.abs(p[:, 0]), 0)
        return p + np.c_[np.sign(p[:, 0]) * short, np.zeros(len(p)), -0.3 * short]


def scalp(head: mesh.Part, who: Person) -> Scalp:
    """The surface of one person's head, ears flattened away so that hair passes over them."""
    base = source.base().vertices[head.origin] * 1000
    everywhere = np.ones(len(head.position))
    ear = np.exp(-(((base[:, 1] - 715) / 26) ** 2) - ((base[:, 2] - 32) / 22) ** 2) * (
        np.abs(base[:, 0]) > 64
    )
    smooth = mesh.smooth_field(
        head.position, head.faces, head.smooth, np.clip(0.25 + ear, 0, 1) * everywhere, 12
    )
    normal = mesh.normals(smooth, head.faces, head.smooth)
    return Scalp(smooth, normal, base, cKDTree(smooth), skin.hairline(base, who))


def cap(head: mesh.Part, s: Scalp, who: Person) -> mesh.Part:
    """A shell over the scalp that thins out towards the hairline."""
    keep = (s.inside > -3.0)[head.faces].all(1)
    edge = np.clip((s.inside + 2) / 16, 0, 1)
    top = np.clip((s.base[:, 1] - 745) / 70, 0, 1)
    lift = 0.0006 + edge * (who.hair_body[0] + (who.hair_body[1] - who.hair_body[0]) * top) * 0.001
    position = head.position + head.normal * lift[:, None]
    angle = np.arctan2(s.base[:, 0], -(s.base[:, 2] - 30)) / (2 * np.pi)
    uv = np.c_[angle * 7, s.base[:, 1] / 120]
    material = mesh.Material("hair_cap", roughness=0.62, texture=_tile(who), specular=0.35)
    part = mesh.replace(head, name="hair_cap", position=position, uv=uv, morphs={}, material=material)
    part = part.keep(keep)
    wrap = np.ptp(part.uv[part.faces][..., 0], axis=1) < 3
    return part.keep(wrap).with_normals()


def _grow(
    s: Scalp,
    roots: np.ndarray,
    way: np.ndarray,
    length: np.ndarray,
    lift: np.ndarray,
    *,
    fall: float,
    steps: int,
    curl: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Paths (N, steps, 3) and their outward normals: forward along ``way``, pulled down, off the skin."""
    p, v = roots.copy(), way.copy()
    step = (length / (steps - 1))[:, None]
    path, out = [], []
    for k in range(steps):
        t = k / (steps - 1)
        rise = lift * np.clip(t * 5, 0.45, 1)
        p, normal = s.settle(p, rise)
        path.append(p)
        out.append(normal)
        v = v - (v * normal).sum(1, keepdims=True) * normal * 0.6
        v = v + np.array([0, -fall, 0]) * (0.12 + 1.3 * t)
        inward = -np.sign(p[:, :1]) * np.array([[1.0, 0, 0]])
        v = v + inward * curl * max(t - 0.6, 0)
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        p = p + step * v
        p = s.clear_face(p)
    return np.stack(path, 1), np.stack(out, 1)


def _trim(path: np.ndarray, out: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Paths resampled so that each stops where it first falls below its height ``end`` (N,)."""
    n, steps = path.shape[:2]
    below = path[:, :, 1] < end[:, None]
    last = np.where(below.any(1), below.argmax(1), steps - 1).astype(float)
    k = np.maximum(last.astype(int), 1)
    y0, y1 = path[np.arange(n), k - 1, 1], path[np.arange(n), k, 1]
    part = np.clip((y0 - end) / np.maximum(y0 - y1, 1e-6), 0, 1)
    last = np.where(below.any(1), k - 1 + part, last)
    at = np.maximum(last, 2.0)[:, None] * np.linspace(0, 1, steps)[None]
    low = np.minimum(at.astype(int), steps - 2)
    f = (at - low)[..., None]
    row = np.arange(n)[:, None]
    return path[row, low] * (1 - f) + path[row, low + 1] * f, out[row, low] * (1 - f) + out[row, low + 1] * f


def _ribbons(
    path: np.ndarray, out: np.ndarray, width: np.ndarray, pick: np.ndarray, centre: np.ndarray
) -> tuple:
    """Vertices, normals, uv and faces of curved strips along paths, three vertices across."""
    n, steps = path.shape[:2]
    along = np.gradient(path, axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True) + 1e-9
    away = path - centre
    away /= np.linalg.norm(away, axis=2, keepdims=True)
    facing = 0.55 * out + 0.45 * away
    side = np.cross(along, facing)
    side /= np.linalg.norm(side, axis=2, keepdims=True) + 1e-9
    t = np.linspace(0, 1, steps)
    taper = np.interp(t, [0, 0.15, 0.75, 1], [0.7, 1.0, 1.0, 0.62])[None, :, None] * width[:, None, None] / 2
    up = np.cross(side, along)
    rows = np.stack(
        [path - side * taper - up * 0.0012, path + up * 0.0014, path + side * taper - up * 0.0012], axis=2
    )
    shade = np.stack([facing - 0.35 * side, facing, facing + 0.35 * side], axis=2)
    shade /= np.linalg.norm(shade, axis=3, keepdims=True)
    u = (pick[:, None, None] + np.array([0.03, 0.5, 0.97])[None, None, :]) / COLUMNS
    uv = np.stack([np.broadcast_to(u, (n, steps, 3)), np.broadcast_to(t[None, :, None], (n, steps, 3))], -1)
    grid = np.arange(n * steps * 3).reshape(n, steps, 3)
    a, b, c, d = grid[:, :-1, :-1], grid[:, :-1, 1:], grid[:, 1:, :-1], grid[:, 1:, 1:]
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return rows.reshape(-1, 3), shade.reshape(-1, 3), uv.reshape(-1, 2), faces


def _scatter(s: Scalp, where: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Indices of ``count`` scalp vertices spread evenly over a region (farthest points)."""
    ids = np.flatnonzero(where)
    chosen = [int(ids[random.integers(len(ids))])]
    distance = np.full(len(ids), np.inf)
    while len(chosen) < min(count, len(ids)):
        distance = np.minimum(distance, np.linalg.norm(s.position[ids] - s.position[chosen[-1]], axis=1))
        chosen.append(int(ids[distance.argmax()]))
    return np.array(chosen)


def _layers(s: Scalp, who: Person, random: np.random.Generator) -> list[dict]:
    x, y, z = s.base.T
    deep = s.inside > 3
    if who.style == "bob":
        part = who.parting
        return [
            {
                "where": deep & (y < 740) & (z < 46),
                "count": 64,
                "length": (0.14, 0.17),
                "lift": 0.005,
                "width": 0.026,
                "style": "down",
                "fall": 0.5,
                "curl": 0.5,
            },
            {
                "where": deep & (y > 725) & (y < 795) & (z < 52),
                "count": 84,
                "length": (0.22, 0.25),
                "lift": 0.010,
                "width": 0.030,
                "style": "part",
                "fall": 0.34,
                "curl": 0.5,
            },
            {
                "where": deep & (np.abs(x - part) < 34) & (y > 790) & (z < 30),
                "count": 50,
                "length": (0.30, 0.34),
                "lift": 0.013,
                "width": 0.030,
                "style": "part",
                "fall": 0.20,
                "curl": 0.45,
            },
            {
                "where": deep & (np.abs(x - part) < 26) & (y > 775) & (z > 5) & (s.inside > 9),
                "count": 60,
                "length": (0.30, 0.34),
                "lift": 0.013,
                "width": 0.030,
                "style": "part",
                "fall": 0.20,
                "curl": 0.45,
            },
            {
                "where": deep & (np.abs(x - part) < 12) & (y > 775) & (s.inside > 9),
                "count": 48,
                "length": (0.30, 0.34),
                "lift": 0.015,
                "width": 0.024,
                "style": "part",
                "fall": 0.20,
                "curl": 0.4,
            },
        ]
    return [
        {"where": deep & (y > 715) & (y < 785), "count": 190, "length": (0.020, 0.032), "lift": 0.0045, "width": 0.010, "style": "down", "fall": 0.12, "curl": 0.0},
        {"where": deep & (y > 765), "count": 150, "length": (0.038, 0.052), "lift": 0.009, "width": 0.013, "style": "back", "fall": 0.04, "curl": 0.0},
        {"where": deep & (y > 780) & (z > 10), "count": 110, "length": (0.050, 0.070), "lift": 0.015, "width": 0.013, "style": "back", "fall": 0.05, "curl": 0.0},
    ]  # fmt: skip


def ribbons(head: mesh.Part, s: Scalp, joints: np.ndarray, who: Person) -> mesh.Part:
    """All ribbons of one hairstyle as a part."""
    random = rng(0, "avatars", who.name, "hair")
    centre = joints[INDEX["head"]] + [0, 0.06, 0.0]
    pieces = []
    for layer in _layers(s, who, random):
        ids = _scatter(s, layer["where"], layer["count"], random)
        n = len(ids)
        base = s.base[ids]
        out = s.normal[ids]
        if layer["style"] == "part":
            side = np.where(base[:, 0] >= who.parting, 1.0, -1.0)
            back = np.clip((70 - base[:, 2]) / 110, -0.15, 1.3)
            comb = np.c_[side, np.full(n, 0.1), -0.75 * np.maximum(back, 0) - 0.42]
            # Behind the crown hair runs away from the whorl instead of from the parting.
            whorl = np.c_[base[:, 0] - who.parting, np.zeros(n), base[:, 2] - 24]
            whorl /= np.linalg.norm(whorl, axis=1, keepdims=True) + 1e-9
            behind = np.clip((34 - base[:, 2]) / 30, 0, 1)[:, None]
            way = comb / np.linalg.norm(comb, axis=1, keepdims=True) * (1 - behind) + whorl * behind
        elif layer["style"] == "back":
            way = np.c_[
                0.35 * np.sign(base[:, 0]) * (np.abs(base[:, 0]) / 60) + 0.30, np.full(n, 0.35), -np.ones(n)
            ]
        else:
            way = np.c_[0.1 * np.sign(base[:, 0]), -np.ones(n), np.where(base[:, 2] > 0, -0.45, -0.1)]
        way += 0.16 * random.standard_normal((n, 3))
        way -= (way * out).sum(1, keepdims=True) * out
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        length = random.uniform(*layer["length"], n)
        lift = layer["lift"] * random.uniform(0.7, 1.15, n)
        steps = 11 if layer["length"][1] > 0.1 else 6
        path, normal = _grow(
            s, s.position[ids], way, length, lift, fall=layer["fall"], steps=steps, curl=layer["curl"]
        )
        if who.style == "bob":
            nape = joints[INDEX["neck"]][1]
            end = (
                nape
                + 0.052
                - 0.012 * np.clip(path[:, -1, 2] / 0.1, -1, 1)
                + 0.008 * random.standard_normal(n)
            )
            path, normal = _trim(path, normal, end)
        width = layer["width"] * random.uniform(0.75, 1.2, n)
        pieces.append(_ribbons(path, normal, width, random.integers(0, COLUMNS, n), centre))
    start = np.cumsum([0] + [len(p[0]) for p in pieces])
    position = np.concatenate([p[0] for p in pieces])
    weights = np.zeros((len(position), len(JOINTS)))
    weights[:, INDEX["head"]] = 1
    material = mesh.Material(
        "hair", roughness=0.6, texture=_strands(who), alpha="MASK", double_sided=True, specular=0.35
    )
    return mesh.Part(
        "hair", material, position, np.concatenate([p[2] for p in pieces]),
        np.concatenate([p[3] + k for p, k in zip(pieces, start, strict=False)]), weights,
        np.full(len(position), -1), {}, np.concatenate([p[1] for p in pieces]), np.arange(len(position)),
    )  # fmt: skip


def _fibres(width: int, height: int, who: Person, name: str) -> np.ndarray:
    """(height, width, 3) sRGB of fibres that run down the image."""
    random = rng(0, "avatars", who.name, name)
    fine = np.repeat(random.standard_normal((1, width)), height, axis=0)
    coarse = paint.noise((1, width), 3, f"{who.name} {name} locks") * np.ones((height, 1))
    drift = paint.noise((height, width), 10, f"{who.name} {name} drift")
    tone = 1 + 0.16 * fine + 0.16 * coarse + 0.05 * drift
    grey = (random.random((1, width)) < who.grey) * np.ones((height, 1))
    color = np.array(who.hair) / 255
    image = color * np.clip(tone, 0.35, 1.8)[..., None]
    return paint.mix(image, (0.62, 0.60, 0.58), 0.75 * grey)


def _tile(who: Person, size: int = 256) -> bytes:
    return paint.encode(_fibres(size, size, who, "cap") * 0.8, quality=85)


def _strands(who: Person, width: int = 256, height: int = 256) -> bytes:
    """PNG of four ribbons side by side: dense at the root, ragged at edges and tip."""
    random = rng(0, "avatars", who.name, "strands")
    color = _fibres(width, height, who, "ribbon")
    t = np.linspace(0, 1, height)[:, None]
    color *= np.interp(t, [0, 0.25, 0.8, 1], [0.8, 0.98, 1.0, 0.92])[..., None]
    across = (np.arange(width) % (width // COLUMNS)) / (width // COLUMNS - 1) * 2 - 1
    clump = np.arange(width) // 9
    local = (np.arange(width) % 9) / 4 - 1
    end = random.uniform(0.74, 1.0, width)[clump] - 0.22 * np.abs(across) ** 2 - 0.10 * local**2
    split = np.where(random.random(width)[clump] < 0.5, random.uniform(0.45, 0.8, width)[clump], 2.0)
    thin = 1 - 0.30 * np.clip((t - 0.55) / 0.45, 0, 1)
    alpha = (t < end[None, :]) & (np.abs(across)[None, :] < thin)
    alpha &= ~((np.abs(local) > 0.8)[None, :] & (t > split[None, :]))
    image = np.concatenate([color, alpha[..., None].astype(float)], axis=-1)
    return paint.encode(image, alpha=True)


def build(head: mesh.Part, joints: np.ndarray, who: Person) -> list[mesh.Part]:
    """Cap and ribbons of a person's hair."""
    s = scalp(head, who)
    assert linear(who.hair)[3] == 1.0
    return [cap(head, s, who), ribbons(head, s, joints, who)]
