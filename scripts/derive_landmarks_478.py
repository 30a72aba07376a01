"""Where on the head that all people share the 478 points of MediaPipe's face mesh lie.

    kinesics fetch landmarks                              # once: the networks, Apache-2.0
    python scripts/derive_landmarks_478.py --models FOLDER [--people 32] [--picture PICTURE.png]

The network's own template is not used: the network looks at many painted people who do not exist, from several sides, mouth
shut and open, and each of its points is followed down to the triangle of the head that lies there. The places are averaged
over people (on one head, weighted by how squarely the camera sees the skin), made the same left and right, and put
back on the surface. The irises' points are the middle and the rim of the painted iris. Prints how far the network's points lie from
the map's on people of another seed, and writes ``src/kinesics/bodies/data/landmarks_478.npy``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino

from kinesics.bodies.arkit import INDEX as COLUMN
from kinesics.bodies.avatar import Avatar, load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.ibug import VERTICES
from kinesics.render.painter import SAMPLES
from kinesics.stage.identities import identity
from kinesics.stage.pixels import Studio, draw_set

OUT = Path(__file__).parents[1] / "src" / "kinesics" / "bodies" / "data" / "landmarks_478.npy"
REST = np.tile(np.array([1, 0, 0, 0], np.float32), (55, 1))
TURNS = (-34.0, -17.0, 0.0, 17.0, 34.0)
"""Degrees round the person at which the camera stands."""
OPEN = (0.0, 0.5)
"""Weights of ``jawOpen``: only an open mouth tells its upper lip from its lower."""
SIZE = 384
CORNERS = (33, 263)
"""Points of the mesh at the outer corners of the right and left eye."""
LIDS = (
    ((33, 133), (246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)),
    ((362, 263), (398, 384, 385, 386, 387, 388, 466), (382, 381, 380, 374, 373, 390, 249)),
)
"""Of the right and left eye: corners from the picture's left to its right, upper lid, lower lid."""
INNER_LIPS = ((78, 308), (191, 80, 81, 82, 13, 312, 311, 310, 415), (95, 88, 178, 87, 14, 317, 402, 318, 324))
STRAY = 0.006
"""Metres from the mean at which a look counts much less."""
IRIS_RIM = 0.372
"""Where the painted iris ends, as a share of the radius of the eye's texture."""


class Mesh:
    """The mesh network on crops that follow its own points, as its makers run it."""

    def __init__(self, folder: Path) -> None:
        core = openvino.Core()
        hint = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        self._run = core.compile_model(core.read_model(folder / "face_landmark.tflite"), "CPU", hint)

    def __call__(self, rgb: np.ndarray, marks: np.ndarray) -> tuple[np.ndarray, float]:
        """(468, 2) pixels and how sure it is, from any first points ``marks`` with eye corners first."""
        first, last = marks[0], marks[1]
        for _ in range(3):
            angle = np.arctan2(*(last - first)[::-1])
            middle = 0.5 * (marks.min(axis=0) + marks.max(axis=0))
            side = 1.5 * float(np.ptp(marks, axis=0).max())
            crop, back = cut(rgb, middle, side, angle, 192)
            points, score = (np.ravel(o) for o in self._run(crop[None]).values())
            points = points.reshape(468, 3)[:, :2] @ back[:, :2].T + back[:, 2]
            marks, first, last = points, points[CORNERS[0]], points[CORNERS[1]]
        return points, float(1 / (1 + np.exp(-score[0])))


def cut(rgb: np.ndarray, middle: np.ndarray, side: float, angle: float, size: int):
    """A turned square of a picture, (size, size, 3) in 0–1, and the (2, 3) map from its pixels to the picture's."""
    c, s = np.cos(angle) * side / size, np.sin(angle) * side / size
    turn = np.array([[c, -s], [s, c]])
    back = np.c_[turn, middle - turn @ [size / 2, size / 2]]
    at = np.stack(np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5), axis=-1) @ turn.T + back[:, 2]
    low = np.floor(at - 0.5).astype(int)
    part = (at - 0.5 - low).astype(np.float32)
    out = np.zeros((size, size, 3), np.float32)
    for dy in (0, 1):
        for dx in (0, 1):
            x = np.clip(low[..., 0] + dx, 0, rgb.shape[1] - 1)
            y = np.clip(low[..., 1] + dy, 0, rgb.shape[0] - 1)
            share = np.abs(1 - dx - part[..., 0]) * np.abs(1 - dy - part[..., 1])
            out += share[..., None] * rgb[y, x]
    return out / 255, back


def head_under(studio: Studio, vertices: np.ndarray) -> np.ndarray:
    """(H, W) triangle of the head's skin in every sample, hair and eyes left out."""
    from kinesics.render import _kernels as k

    painter, (width, height) = studio._painter, studio._painter._size
    screen = np.empty_like(vertices)
    k.project(vertices, *painter._view, width, height, screen)
    faces = painter._faces[studio.person.parts[0].faces]
    ids, near = np.empty((height, width), np.int32), np.empty((height, width), np.float32)
    k.rasterise(
        screen, faces, painter._part_of[: len(faces)], np.zeros_like(painter._both), np.zeros_like(painter._cut),
        painter._uv, painter._texel_area[: len(faces)], painter._texels, painter._layouts, ids, near,
    )  # fmt: skip
    return ids


def look(mesh: Mesh, person: Avatar, number: int, turn: float, jaw: float, seed: int):
    """One picture: (468, 2) network's points in it, its studio, and the vertices."""
    studio = Studio(person, replace(draw_set(seed, number, turn), turn=turn), view="face", size=SIZE)
    weights = np.zeros(52, np.float32)
    weights[COLUMN["jawOpen"]] = jaw
    frame = studio.shoot(REST, None, weights)
    marks = studio.camera.project(frame.vertices[list(VERTICES)])[0]
    marks = np.concatenate([marks[[36, 45]], marks])
    points, score = mesh(frame.rgb, marks)
    return points, score, studio, frame


def follow(points: np.ndarray, studio: Studio, vertices: np.ndarray, reach: int = 14):
    """Triangle (468,), corner weights (468, 3) and squareness (468,) of the skin below each point."""
    ids = head_under(studio, vertices)
    camera, faces = studio.camera, studio.person.faces
    at = points * SAMPLES
    column, row = np.clip(at.astype(int), 0, np.array(ids.shape[::-1]) - 1).T
    away = np.zeros(len(points))
    for i in np.flatnonzero(ids[row, column] < 0):  # beside the skin: the nearest of it
        top, left = max(row[i] - reach, 0), max(column[i] - reach, 0)
        y, x = np.nonzero(ids[top : row[i] + reach + 1, left : column[i] + reach + 1] >= 0)
        if len(y):
            far = np.square(x + left + 0.5 - at[i, 0]) + np.square(y + top + 0.5 - at[i, 1])
            k = int(np.argmin(far))
            row[i], column[i], away[i] = y[k] + top, x[k] + left, far[k]
    tri = ids[row, column]
    where = np.where((away > 0)[:, None], np.stack([column, row], axis=-1) + 0.5, at) / SAMPLES
    corner = vertices[faces[tri]].astype(np.float64)
    ray = np.c_[
        where[:, 0] - camera.width / 2, camera.height / 2 - where[:, 1], np.full(len(tri), -camera.focal)
    ]
    ray = ray @ camera.axes
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    onto = (normal * (corner[:, 0] - camera.position)).sum(axis=1) / (normal * ray).sum(axis=1)
    hit = camera.position + ray * onto[:, None]
    bary = np.clip(np.linalg.solve(np.swapaxes(corner, 1, 2), hit[..., None])[..., 0], 0, 1)
    cosine = np.abs((normal * ray).sum(axis=1))
    cosine /= np.linalg.norm(normal, axis=1) * np.linalg.norm(ray, axis=1)
    return tri, bary / bary.sum(axis=1, keepdims=True), cosine**2 * np.exp(-away / 18) * (tri >= 0)


def onto(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray):
    """The nearest places on a surface: triangle (N,) and corner weights (N, 3)."""
    corner = vertices[faces]
    middle = corner.mean(axis=1)
    tri, bary = np.empty(len(points), int), np.empty((len(points), 3))
    for i, p in enumerate(points):
        best = np.inf
        for f in np.argsort(np.square(middle - p).sum(axis=1))[:40]:
            w = nearest_weights(p, *corner[f])
            away = float(np.square(w @ corner[f] - p).sum())
            if away < best:
                best, tri[i], bary[i] = away, f, w
    return tri, bary


def nearest_weights(p, a, b, c):
    """Corner weights of the point of a triangle that is nearest to ``p``."""
    edges = np.stack([b - a, c - a], axis=1)
    v, w = np.linalg.lstsq(edges, p - a, rcond=None)[0]
    if v >= 0 and w >= 0 and v + w <= 1:
        return np.array([1 - v - w, v, w])
    best = None
    corners = (a, b, c)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        d = corners[j] - corners[i]
        t = np.clip((p - corners[i]) @ d / (d @ d), 0, 1)
        weights = np.zeros(3)
        weights[i], weights[j] = 1 - t, t
        q = corners[i] + t * d
        if best is None or np.square(q - p).sum() < best[0]:
            best = np.square(q - p).sum(), weights
    return best[1]


def irises(person: Avatar) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (10, 3) and weights of the irises' points: right, then left; middle, then its four sides."""
    part = next(p for p in person.parts if p.name == "eyes")
    faces = person.faces[part.faces]
    uv, place = person.uv, person.vertices
    tri, bary = [], []
    for side in (-1, 1):
        own = faces[(side * place[faces, 0] > 0).all(axis=1)]
        corner = place[own].astype(np.float64)
        normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        own = own[normal[:, 2] > 0]
        radius = np.hypot(*np.moveaxis(uv[own] - 0.5, -1, 0)) / 0.5
        front = own[(radius < 0.8).all(axis=1)]
        middle = place[front[np.argmin(radius[(radius < 0.8).all(axis=1)].mean(axis=1))]].mean(axis=0)
        # how far from the middle the rim lies in metres, along x
        rim = place[np.unique(front)]
        share = np.hypot(*(uv[np.unique(front)] - 0.5).T) / 0.5
        reach = np.hypot(*(rim - middle)[:, :2].T)
        size = float(np.interp(IRIS_RIM, np.sort(share), reach[np.argsort(share)]))
        for dx, dy in ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)):
            # The network mirrors the left eye: both irises begin towards the nose.
            at = np.array([middle[0] - side * dx * size, middle[1] + dy * size])
            flat = place[front][..., :2].astype(np.float64)
            inside = []
            for a, b, c in flat:
                v, w = np.linalg.solve(np.stack([b - a, c - a], axis=1) + 1e-15 * np.eye(2), at - a)
                inside.append(min(1 - v - w, v, w))
            f = int(np.argmax(inside))
            a, b, c = flat[f]
            v, w = np.linalg.solve(np.stack([b - a, c - a], axis=1), at - a)
            weights = np.clip([1 - v - w, v, w], 0, 1)
            tri.append(front[f])
            bary.append(weights / weights.sum())
    return np.array(tri), np.array(bary)


def main() -> None:
    """Derive, check, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--people", type=int, default=32)
    parser.add_argument("--seed", type=int, default=478)
    parser.add_argument("--picture")
    given = parser.parse_args()
    mesh = Mesh(given.models)
    base = load_avatar("maya")
    faces = base.faces[base.parts[0].faces]
    looks = []
    for n in range(given.people):
        person = identity(given.seed, n)
        for turn in TURNS:
            for jaw in OPEN:
                points, score, studio, frame = look(mesh, person, n, turn, jaw, given.seed)
                if score > 0.5:
                    tri, bary, square = follow(points, studio, frame.vertices)
                    looks.append(
                        (np.einsum("nk,nkd->nd", bary, base.vertices[faces[tri]].astype(float)), square)
                    )
    place, weight, turn = (np.array(a) for a in zip(*looks, strict=True))
    triangles, weights = settle(base, place, weight, turn)
    tri, bary = irises(base)
    triangles, weights = np.concatenate([faces[triangles], tri]), np.concatenate([weights, bary])
    table = np.empty(len(triangles), [("triangle", "<i2", 3), ("weight", "<f4", 3)])
    table["triangle"], table["weight"] = triangles, weights / weights.sum(axis=1, keepdims=True)
    np.save(OUT, table)
    check(mesh, triangles, weights, given.seed + 1, given.picture)


def settle(
    base: Avatar, place: np.ndarray, weight: np.ndarray, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Triangles among the head's and corner weights of the 468, from (S, 468, 3) places on one head."""
    from scipy.optimize import linear_sum_assignment

    # A weighted mean that leaves out what strays (another lip, the neck behind a jaw), and looks from where the
    # place itself cannot be seen: points of the far outline are then put on the outline of the cheek.
    head, normals = (a[base.parts[0].vertices].astype(float) for a in (base.vertices, base.normals))
    sides = np.stack([np.sin(np.radians(turn)), np.full(len(turn), 0.06), np.cos(np.radians(turn))], axis=1)
    front = turn == 0
    mean = np.median(place[front], axis=0)
    for _ in range(8):
        there = normals[[np.argmin(np.square(head - p).sum(axis=1)) for p in mean]]
        faces_it = np.clip(sides @ there.T, 0, None) ** 2
        near = np.exp(-np.square(place - mean).sum(axis=2) / (2 * STRAY**2)) * weight * faces_it + 1e-12
        mean = np.einsum("sn,snd->nd", near, place) / near.sum(axis=0)[:, None]
    mirror = np.array([-1, 1, 1])
    # A point's mirror is seen from one side as it is from the other.
    seen = {t: np.median(place[turn == t], axis=0) for t in TURNS}
    apart = sum(np.square((seen[t] * mirror)[:, None] - seen[-t][None]).sum(axis=2) for t in TURNS)
    pair = linear_sum_assignment(apart)[1]
    print(
        f"left and right: {(pair[pair] == np.arange(468)).mean():.3f} of the points are each other's mirror"
    )
    mean = np.where((pair[pair] == np.arange(468))[:, None], 0.5 * (mean + mean[pair] * mirror), mean)
    mean[pair == np.arange(468), 0] = 0
    faces = base.faces[base.parts[0].faces]
    snap(mean, base, head, faces)
    return onto(mean, head, faces)


def snap(mean: np.ndarray, base: Avatar, head: np.ndarray, faces: np.ndarray) -> None:
    """Put the points at lids and inner lips, which are edges of the head's skin, on these edges."""
    weld = np.unique(np.round(head * 1e5).astype(int), axis=0, return_inverse=True)[1].ravel()
    edges = np.sort(weld[np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])], axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    rim = np.isin(weld, np.unique(unique[count == 1]))
    eyes = base.joints[[INDEX["rightEye"], INDEX["leftEye"]]]
    drop = np.zeros(len(head))
    moving = base.morph_vertices < len(head)
    drop[base.morph_vertices[moving]] = -base.morph_offsets[base.morph_names.index("jawOpen"), moving, 1]
    mouth = np.flatnonzero(
        rim & (np.linalg.norm(head - head[list(VERTICES[60:68])].mean(axis=0), axis=1) < 0.032)
    )
    rows = [(mouth, drop[mouth] < 0.5 * (drop[VERTICES[62]] + drop[VERTICES[66]]), INNER_LIPS)]
    for eye, ring in zip(eyes, LIDS, strict=True):
        lid = np.flatnonzero(rim & (np.linalg.norm(head - eye, axis=1) < 0.026))
        ends = lid[[np.argmin(head[lid, 0]), np.argmax(head[lid, 0])]]
        level = np.interp(head[lid, 0], head[ends, 0], head[ends, 1])
        rows.append((lid, head[lid, 1] >= level, ring))
    for own, upper, (corners, above, below) in rows:
        ends = own[[np.argmin(head[own, 0]), np.argmax(head[own, 0])]]
        was = mean[list(corners), 0].copy()
        mean[list(corners)] = head[ends]
        for row, points in ((own[upper], above), (own[~upper], below)):
            row = np.unique(np.r_[row, ends])
            row = row[np.argsort(head[row, 0])]
            x = head[ends[0], 0] + (mean[list(points), 0] - was[0]) / (was[1] - was[0]) * np.ptp(
                head[ends, 0]
            )
            for axis in (2, 1, 0):
                mean[list(points), axis] = np.interp(x, head[row, 0], head[row, axis])


def check(mesh: Mesh, triangles: np.ndarray, weights: np.ndarray, seed: int, picture: str | None) -> None:
    """Print how far the network's points lie from the map's on unseen people, in % of the distance of their eyes."""
    away, tiles = [], []
    for n in range(8):
        person = identity(seed, n)
        for turn in (0.0, 20.0):
            points, _, studio, frame = look(mesh, person, n, turn, 0.0, seed)
            own = np.einsum("nk,nkd->nd", weights, frame.vertices[triangles])
            mine = studio.camera.project(own)[0]
            apart = np.linalg.norm(mine[468] - mine[473])
            away.append(100 * np.linalg.norm(points - mine[:468], axis=1) / apart)
            if n < 4 and picture:
                tile = frame.rgb.repeat(3, 0).repeat(3, 1).copy()
                for marks, colour in ((points, (255, 60, 0)), (mine, (0, 255, 0))):
                    for x, y in (marks * 3).astype(int):
                        tile[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = colour
                tiles.append(tile)
    away = np.array(away)
    print(f"network to map on unseen people: mean {away.mean():.2f} %, median {np.median(away):.2f} %")
    if picture:
        from PIL import Image

        rows = [np.concatenate(tiles[i : i + 4], axis=1) for i in range(0, len(tiles), 4)]
        Image.fromarray(np.concatenate(rows)).save(picture)


if __name__ == "__main__":
    main()
