"""Hair: a close cap over the scalp and many ribbons that grow from it, fall and lie on the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from avatars import cloth_mesh, hair_paint, mesh, skin, source
from avatars.people import Person
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.seeds import rng


@dataclass(frozen=True)
class Scalp:
    """What hair grows on and must stay off: the head's surface, with base coordinates in mm."""

    position: np.ndarray
    normal: np.ndarray
    base: np.ndarray
    tree: cKDTree
    inside: np.ndarray  # mm inside the hairline

    def settle(self, p: np.ndarray, lift: np.ndarray, hold: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Points pushed to at least ``lift`` metres off the skin, and its normal there.

        ``hold`` 0–1 draws hair that strays farther off back to the head."""
        distance, near = self.tree.query(p, k=6)
        weight = 1 / (distance + 0.004) ** 2
        weight /= weight.sum(1, keepdims=True)
        normal = (self.normal[near] * weight[..., None]).sum(1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        height = ((p[:, None] - self.position[near]) * self.normal[near]).sum(2)
        height = (height * weight).sum(1)
        far = distance[:, 0] > 0.035
        push = np.where(
            far, 0, np.maximum(lift - height, 0) - 0.4 * hold * np.maximum(height - 1.5 * lift, 0)
        )
        return p + push[:, None] * normal, normal

    def clear_face(self, p: np.ndarray) -> np.ndarray:
        """Points moved sideways off the face: no hair in the eyes."""
        eyes = self.position[np.abs(self.base[:, 1] - 729).argmin(), 1]
        front = self.position[:, 2].max()
        low = np.clip((eyes + 0.058 - p[:, 1]) / 0.03, 0, 1) * np.clip((p[:, 2] - front + 0.085) / 0.03, 0, 1)
        short = np.maximum(0.071 * low - np.abs(p[:, 0]), 0)
        return p + np.c_[np.sign(p[:, 0]) * short, np.zeros(len(p)), -0.7 * short]


@dataclass(frozen=True)
class Layer:
    """Ribbons of one kind: where they grow, how many, lengths, lift off the skin and width in metres."""

    where: np.ndarray
    count: int
    length: tuple[float, float]
    lift: float
    width: float
    style: str
    fall: float
    curl: float


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
    edge = np.clip((s.inside - 0.5) / 16, 0, 1)
    top = np.clip((s.base[:, 1] - 745) / 70, 0, 1)
    lift = 0.0006 + edge * (who.hair_body[0] + (who.hair_body[1] - who.hair_body[0]) * top) * 0.001
    position = head.position + head.normal * lift[:, None]
    angle = np.abs(np.arctan2(s.base[:, 0], -(s.base[:, 2] - 30))) / (2 * np.pi)
    uv = np.c_[angle * 7, s.base[:, 1] / 120]
    material = mesh.Material("hair_cap", roughness=0.95, texture=hair_paint.tile(who), specular=0.05)
    part = mesh.replace(head, name="hair_cap", position=position, uv=uv, morphs={}, material=material)
    part = cloth_mesh.clip(part, s.inside - 0.5)
    return part.with_normals()


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
        p, normal = s.settle(p, rise, float(np.clip(1.6 - 2.5 * t, 0, 1)))
        path.append(p)
        out.append(normal)
        v = v - (v * normal).sum(1, keepdims=True) * normal * 0.6
        v = v + np.array([0, -fall, 0]) * (0.28 + 1.1 * t)
        inward = -np.sign(p[:, :1]) * np.array([[1.0, 0, 0]])
        v = v + inward * curl * max(t - 0.6, 0)
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        p = p + step * v
        p = s.clear_face(p)
    path, out = np.stack(path, 1), np.stack(out, 1)
    for _ in range(4):
        path[:, 1:-1] = 0.5 * path[:, 1:-1] + 0.25 * (path[:, :-2] + path[:, 2:])
    return path, out


def _trim(path: np.ndarray, out: np.ndarray, end: np.ndarray, shown: int) -> tuple[np.ndarray, np.ndarray]:
    """Paths resampled so that each stops where it first falls below its height ``end`` (N,): (N, shown)."""
    n, steps = path.shape[:2]
    below = path[:, :, 1] < end[:, None]
    last = np.where(below.any(1), below.argmax(1), steps - 1).astype(float)
    k = np.maximum(last.astype(int), 1)
    y0, y1 = path[np.arange(n), k - 1, 1], path[np.arange(n), k, 1]
    part = np.clip((y0 - end) / np.maximum(y0 - y1, 1e-6), 0, 1)
    last = np.where(below.any(1), k - 1 + part, last)
    at = np.maximum(last, 2.0)[:, None] * np.linspace(0, 1, shown)[None]
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
    u = (pick[:, None, None] + np.array([0.03, 0.5, 0.97])[None, None, :]) / hair_paint.COLUMNS
    uv = np.stack(
        [np.broadcast_to(u, (n, steps, 3)), np.broadcast_to(0.02 + 0.96 * t[None, :, None], (n, steps, 3))],
        -1,
    )
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


def _layers(s: Scalp, who: Person) -> list[Layer]:
    x, y, z = s.base.T
    deep = s.inside > 3
    rows = []
    if who.style == "bob":
        near = np.abs(x - who.parting)
        rows = [
            (deep & (y < 740) & (z < 46), 64, (0.14, 0.17), 0.005, 0.026, "down", 0.5, 0.5),
            (deep & (y > 725) & (y < 795) & (z < 52), 84, (0.22, 0.25), 0.010, 0.030, "part", 0.34, 0.5),
            (
                (s.inside > 1) & (s.inside < 9) & (y > 750) & (np.abs(x) > 32),
                50,
                (0.05, 0.07),
                0.004,
                0.012,
                "part",
                0.1,
                0.0,
            ),
            (deep & (near < 34) & (y > 790) & (z < 30), 50, (0.30, 0.34), 0.013, 0.030, "part", 0.20, 0.45),
            (
                deep & (near < 26) & (y > 775) & (z > 5) & (s.inside > 9),
                60,
                (0.30, 0.34),
                0.013,
                0.030,
                "part",
                0.20,
                0.45,
            ),
            (
                deep & (near < 12) & (y > 775) & (s.inside > 9),
                48,
                (0.30, 0.34),
                0.015,
                0.024,
                "part",
                0.20,
                0.4,
            ),
        ]
    else:
        side = deep & (y > 722) & (y < 785) & (z > -25)
        rows = [
            (side, 150, (0.020, 0.032), 0.0040, 0.010, "down", 0.12, 0.0),
            (
                (s.inside > 0.5) & (s.inside < 8) & (y > 745),
                70,
                (0.03, 0.045),
                0.005,
                0.010,
                "back",
                0.02,
                0.0,
            ),
            (deep & (y > 765) & (z > -20), 140, (0.038, 0.052), 0.009, 0.013, "back", 0.06, 0.0),
            (deep & (y > 780) & (z > 10), 110, (0.050, 0.070), 0.015, 0.013, "back", 0.05, 0.0),
        ]
    return [Layer(*row) for row in rows]


def _over_brow(s: Scalp, path: np.ndarray) -> np.ndarray:
    """(N,) whether a path hangs over the middle of the forehead, where a lone lock looks like a flaw."""
    middle = (np.abs(s.position[:, 0]) < 0.03) & (s.inside > 0) & (s.inside < 6)
    line = s.position[middle][s.position[middle][:, 2].argmax()]
    low = (path[..., 1] < line[1] - 0.002) & (path[..., 2] > line[2] - 0.03)
    return (low & (np.abs(path[..., 0]) < 0.024)).any(1)


def ribbons(head: mesh.Part, s: Scalp, joints: np.ndarray, who: Person) -> mesh.Part:
    """All ribbons of one hairstyle as a part."""
    random = rng(0, "avatars", who.name, "hair")
    centre = joints[INDEX["head"]] + [0, 0.06, 0.0]
    pieces = []
    for layer in _layers(s, who):
        ids = _scatter(s, layer.where, layer.count, random)
        n = len(ids)
        base = s.base[ids]
        out = s.normal[ids]
        if layer.style == "part":
            side = np.where(base[:, 0] >= who.parting, 1.0, -1.0)
            back = np.clip((70 - base[:, 2]) / 110, -0.15, 1.3)
            comb = np.c_[side, np.full(n, 0.1), -0.75 * np.maximum(back, 0) - 0.42]
            # Behind the crown hair runs away from the whorl instead of from the parting.
            whorl = np.c_[base[:, 0] - who.parting, np.zeros(n), base[:, 2] - 24]
            whorl /= np.linalg.norm(whorl, axis=1, keepdims=True) + 1e-9
            behind = np.clip((34 - base[:, 2]) / 30, 0, 1)[:, None]
            way = comb / np.linalg.norm(comb, axis=1, keepdims=True) * (1 - behind) + whorl * behind
        elif layer.style == "back":
            way = np.c_[
                0.35 * np.sign(base[:, 0]) * (np.abs(base[:, 0]) / 60) + 0.30, np.full(n, 0.35), -np.ones(n)
            ]
        else:
            way = np.c_[0.1 * np.sign(base[:, 0]), -np.ones(n), np.where(base[:, 2] > 0, -0.45, -0.1)]
        way += 0.16 * random.standard_normal((n, 3))
        way -= (way * out).sum(1, keepdims=True) * out
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        length = random.uniform(*layer.length, n)
        lift = layer.lift * random.uniform(0.7, 1.15, n)
        steps, shown = (24, 11) if layer.length[1] > 0.1 else (6, 6)
        path, normal = _grow(
            s, s.position[ids], way, length, lift, fall=layer.fall, steps=steps, curl=layer.curl
        )
        if who.style == "bob" and layer.length[1] > 0.1:
            nape = joints[INDEX["neck"]][1]
            end = (
                nape
                + 0.052
                - 0.012 * np.clip(path[:, -1, 2] / 0.1, -1, 1)
                + 0.008 * random.standard_normal(n)
            )
            path, normal = _trim(path, normal, end, shown)
        width = layer.width * random.uniform(0.75, 1.2, n)
        pick = random.integers(0, hair_paint.COLUMNS, n)
        keep = ~_over_brow(s, path)
        pieces.append(_ribbons(path[keep], normal[keep], width[keep], pick[keep], centre))
    start = np.cumsum([0] + [len(p[0]) for p in pieces])
    position = np.concatenate([p[0] for p in pieces])
    weights = np.zeros((len(position), len(JOINTS)))
    weights[:, INDEX["head"]] = 1
    material = mesh.Material(
        "hair", roughness=0.7, texture=hair_paint.strands(who), alpha="MASK", double_sided=True, specular=0.2
    )
    return mesh.Part(
        "hair", material, position, np.concatenate([p[2] for p in pieces]),
        np.concatenate([p[3] + k for p, k in zip(pieces, start, strict=False)]), weights,
        np.full(len(position), -1), {}, np.concatenate([p[1] for p in pieces]), np.arange(len(position)),
    )  # fmt: skip


def build(head: mesh.Part, joints: np.ndarray, who: Person) -> list[mesh.Part]:
    """Cap and ribbons of a person's hair."""
    s = scalp(head, who)
    return [cap(head, s, who), ribbons(head, s, joints, who)]
