"""Mesh operations that tailoring needs: subdivide, cut along a field, find hems, extrude them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from avatars import mesh
from avatars.mesh import Part

SEWN = -2  # ``origin`` of vertices that were sewn on to a hem


def subdivide(part: Part) -> Part:
    """Every triangle split into four; new vertices are edge midpoints in all attributes."""
    edges = np.sort(part.faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2)
    unique, inverse = np.unique(edges, axis=0, return_inverse=True)
    mid = inverse.reshape(-1, 3) + len(part.position)
    a, b, c = part.faces.T
    ab, bc, ca = mid.T
    faces = np.concatenate([np.c_[a, ab, ca], np.c_[ab, b, bc], np.c_[ca, bc, c], np.c_[ab, bc, ca]])

    def extend(x: np.ndarray) -> np.ndarray:
        return np.concatenate([x, x[unique].mean(1)])

    return replace(
        part,
        position=extend(part.position),
        uv=extend(part.uv),
        weights=extend(part.weights),
        faces=faces,
        origin=np.r_[part.origin, np.full(len(unique), -1)],
        normal=None,
        smooth=None,
    )


def clip(part: Part, field: np.ndarray) -> Part:
    """Keep where ``field`` (N,) is positive, cutting triangles exactly along its zero line."""
    field = np.where(np.abs(field) < 1e-7, 1e-7, field)
    inside = field > 0
    count = inside[part.faces].sum(1)
    made: dict[tuple[int, int], int] = {}
    blends: list[tuple[int, int, float]] = []

    def cut(i: int, o: int) -> int:
        if (i, o) not in made:
            made[i, o] = len(field) + len(blends)
            blends.append((i, o, field[i] / (field[i] - field[o])))
        return made[i, o]

    extra = []
    for face in part.faces[(count == 1) | (count == 2)]:
        alone = next(k for k in range(3) if inside[face[k]] == (inside[face].sum() == 1))
        p, q, r = (int(face[(alone + k) % 3]) for k in range(3))
        if inside[p]:
            extra.append([p, cut(p, q), cut(p, r)])
        else:
            x, y = cut(q, p), cut(r, p)
            extra += [[x, q, r], [x, r, y]]
    faces = np.concatenate([part.faces[count == 3], np.array(extra, int).reshape(-1, 3)])
    if blends:
        i, o, t = (np.array(c) for c in zip(*blends, strict=True))
        t = t[:, None].astype(float)

        def extend(x: np.ndarray) -> np.ndarray:
            return np.concatenate([x, x[i] * (1 - t) + x[o] * t])

        part = replace(
            part,
            position=extend(part.position),
            uv=extend(part.uv),
            weights=extend(part.weights),
            origin=np.r_[part.origin, np.full(len(blends), -1)],
        )
    part = replace(part, faces=faces, normal=None, smooth=None)
    return part.keep(np.ones(len(faces), bool))


def hems(part: Part) -> list[np.ndarray]:
    """Boundary loops as vertex ids in face order, longest first."""
    directed = part.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    keys = {(int(a), int(b)) for a, b in directed}
    onward = {a: b for a, b in keys if (b, a) not in keys}
    loops = []
    while onward:
        start = min(onward)
        loop, here = [start], onward.pop(start)
        while here != start and here in onward:
            loop.append(here)
            here = onward.pop(here)
        loops.append(np.array(loop))
    return sorted(loops, key=len, reverse=True)


def extrude(part: Part, loop: np.ndarray, offsets: list[np.ndarray], closed: bool = True) -> Part:
    """Sew strips to a hem: each offset (L, 3) is where the next row lies relative to the hem.

    The first new row lies on the hem itself, so that the strip can have its own texture.
    """
    offsets = [np.zeros((len(loop), 3)), *offsets]
    count = len(part.position)
    rows = [loop] + [np.arange(len(loop)) + count + k * len(loop) for k in range(len(offsets))]
    here, nxt = np.arange(len(loop)), np.roll(np.arange(len(loop)), -1)
    if not closed:
        here, nxt = here[:-1], nxt[:-1]
    faces = [part.faces]
    for a, b in itertools.pairwise(rows):
        faces += [np.c_[a[nxt], a[here], b[here]], np.c_[a[nxt], b[here], b[nxt]]]
    return replace(
        part,
        position=np.concatenate([part.position] + [part.position[loop] + o for o in offsets]),
        uv=np.concatenate([part.uv] + [part.uv[loop]] * len(offsets)),
        weights=np.concatenate([part.weights] + [part.weights[loop]] * len(offsets)),
        origin=np.r_[part.origin, np.full(len(loop) * len(offsets), SEWN)],
        faces=np.concatenate(faces),
        normal=None,
        smooth=None,
    )


def relax(part: Part, amount: np.ndarray, times: int) -> Part:
    """Smooth positions and weights where ``amount`` (N,) 0–1 says so; hems stay put."""
    fixed = amount.copy()
    for loop in hems(part):
        fixed[loop] = 0
    group = np.arange(len(part.position))
    both = np.c_[part.position, part.weights]
    both = mesh.smooth_field(both, part.faces, group, fixed, times)
    weights = np.clip(both[:, 3:], 0, None)
    return replace(part, position=both[:, :3], weights=weights / weights.sum(1, keepdims=True))


def even_hem(part: Part, loop: np.ndarray, times: int = 6) -> Part:
    """Slide a hem's vertices a little so that its line has no steps."""
    position = part.position.copy()
    for _ in range(times):
        p = position[loop]
        position[loop] = 0.5 * p + 0.25 * (np.roll(p, 1, 0) + np.roll(p, -1, 0))
    return replace(part, position=position)


def halves(part: Part, box: tuple[float, float, float, float]) -> Part:
    """Lay the T-pose flat: front faces in the left half of the texture, back faces in the right."""
    x0, x1, y0, y1 = box
    part = part if part.normal is not None else part.with_normals()
    back = part.normal[part.faces].mean(1)[:, 2] < 0
    ids = np.where(back[:, None], part.faces + len(part.position), part.faces)
    used, inverse = np.unique(ids, return_inverse=True)
    source, behind = used % len(part.position), used >= len(part.position)
    p = part.position[source]
    # Sleeves are far out in a T-pose and need little: past the shoulder the sheet is squeezed.
    u = (_squeeze(p[:, 0]) - _squeeze(x0)) / (_squeeze(x1) - _squeeze(x0))
    u = np.where(behind, 0.995 - 0.49 * u, 0.005 + 0.49 * u)
    return replace(
        part,
        position=p,
        uv=np.c_[u, (y1 - p[:, 1]) / (y1 - y0)],
        faces=inverse.reshape(-1, 3),
        weights=part.weights[source],
        origin=part.origin[source],
        normal=part.normal[source],
        smooth=(part.smooth if part.smooth is not None else np.arange(len(part.position)))[source],
    )


def _squeeze(x: np.ndarray | float) -> np.ndarray:
    far = np.maximum(np.abs(x) - 0.2, 0)
    return np.sign(x) * (np.abs(x) - 0.7 * far)
