"""Build our own hand in MANO's array shapes: ``python scripts/build_hand.py`` (needs the extras ``voice`` and ``dev``).

From the two shipped avatars, whose hands are one mesh in two sizes, comes a family of hands: between and beyond the
two, with digits and palm stretched along and across (BodyMap's maths, sizes ours). Its mean is brought to 778
vertices and 1538 faces by collapsing edges, cheapest first (Garland & Heckbert, SIGGRAPH 1997), to vertices that were
there before, so that every hand of the family and all weights come along. The patch is a disc; its rim, the wrist, is
brought to 16 edges as MANO's. Vertices are then numbered so that MANO's fingertip indices lie on our fingertips.

The same avatars give the same bytes: ``src/kinesics/bodies/data/hand/right.npz``.
"""

from __future__ import annotations

import heapq
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from kinesics.bodies.avatar import load_avatar  # noqa: E402
from kinesics.bodies.humanoid import INDEX, RIGHT_FINGERS  # noqa: E402
from kinesics.bodies.mano import PARENTS, TIPS  # noqa: E402
from kinesics.bodies.smpl import SmplModel  # noqa: E402
from kinesics.lab.hands import Flesh, learn_correctives, learn_space, shape_poses, stage_poses  # noqa: E402
from kinesics.seeds import rng  # noqa: E402

Array = NDArray[np.float64]
OUT = ROOT / "src" / "kinesics" / "bodies" / "data" / "hand" / "right.npz"
VERTICES, FACES, RIM = 778, 1538, 16
PEOPLE = 400
SPEAKERS = range(100, 124)
HAND = [INDEX["rightHand"], *RIGHT_FINGERS]
DIGITS = {
    "index": (1, 2, 3),
    "middle": (4, 5, 6),
    "pinky": (7, 8, 9),
    "ring": (10, 11, 12),
    "thumb": (13, 14, 15),
}


def patch(name: str) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Vertices, weights (V, 16), joints (16, 3) and faces of an avatar's right hand, seams closed."""
    person = load_avatar(name)
    part = next(p for p in person.parts if p.name == "body")
    index, value = (a[part.vertices] for a in (person.weight_index, person.weight_value))
    dense = np.zeros((len(index), 55))
    np.put_along_axis(dense, index.astype(int), value.astype(float), 1)
    own = dense[:, HAND].sum(axis=1)
    faces = person.faces[part.faces] - part.vertices.start
    faces = faces[(own > 0.5)[faces].all(axis=1)]
    places = person.vertices[part.vertices].astype(np.float64)
    # Places that coincide are one vertex; the first of each stands for it, in the order of the file.
    _, first, which = np.unique(
        np.round(places * 1e5).astype(int), axis=0, return_index=True, return_inverse=True
    )
    faces = first[which.ravel()[faces]]
    used = np.unique(faces)
    number = np.full(len(places), -1)
    number[used] = np.arange(len(used))
    weights = dense[used][:, HAND]
    weights[:, 0] += 1 - weights.sum(axis=1)
    return places[used], weights, person.joints[HAND].astype(np.float64), number[faces]


def family(hands: list[tuple[Array, Array]], weights: Array) -> tuple[Array, Array]:
    """Vertices (P, V, 3) and joints (P, 16, 3) of many hands, wrists at the origin."""
    stream = rng(0, "hand family")
    vertices, joints = [], []
    (v0, j0), (v1, j1) = hands
    for _ in range(PEOPLE):
        part = 0.5 + 0.45 * stream.normal()
        v, j = v0 + part * (v1 - v0), j0 + part * (j1 - j0)
        stretch = np.ones((16, 3))
        along, across, palm = stream.normal(1, (0.04, 0.05, 0.03))
        stretch[0] = palm, across, palm * stream.normal(1, 0.04)
        for bones in DIGITS.values():
            one = along * stream.normal(1, 0.02)
            stretch[list(bones)] = one, across, across
        placed = j.copy()
        for k, p in enumerate(PARENTS):
            if p >= 0:
                placed[k] = placed[p] + stretch[p] * (j[k] - j[p])
        moved = placed + stretch * (v[:, None] - j)
        vertices.append(np.einsum("vj,vjc->vc", weights, moved))
        joints.append(placed)
    return np.stack(vertices), np.stack(joints)


class Mesh:
    """A disc whose edges are collapsed one by one onto one of their ends."""

    def __init__(self, vertices: Array, faces: NDArray[np.int64], keep: set[int]) -> None:
        self.vertices, self.keep = vertices, keep
        self.faces: dict[int, tuple[int, int, int]] = {i: tuple(map(int, f)) for i, f in enumerate(faces)}
        self.around: dict[int, set[int]] = {v: set() for v in range(len(vertices))}
        for i, f in self.faces.items():
            for v in f:
                self.around[v].add(i)
        self.quadric = np.zeros((len(vertices), 4, 4))
        area = 0.0
        for f in self.faces.values():
            plane, size = self._plane(f)
            area += size
            for v in f:
                self.quadric[v] += size * np.outer(plane, plane)
        self.even = 1e-3 * area / len(faces)  # long collapses cost, so that triangles stay alike
        self.rim = {v for e, n in self._edges().items() if n == 1 for v in e}

    def _plane(self, f: tuple[int, int, int]) -> tuple[Array, float]:
        a, b, c = self.vertices[list(f)]
        normal = np.cross(b - a, c - a)
        size = float(np.linalg.norm(normal))
        normal = normal / max(size, 1e-15)
        return np.append(normal, -normal @ a), size / 2

    def _edges(self) -> dict[tuple[int, int], int]:
        out: dict[tuple[int, int], int] = {}
        for f in self.faces.values():
            for k in range(3):
                e = tuple(sorted((f[k], f[(k + 1) % 3])))
                out[e] = out.get(e, 0) + 1
        return out

    def neighbours(self, v: int) -> set[int]:
        return {u for i in self.around[v] for u in self.faces[i]} - {v}

    def cost(self, gone: int, stays: int) -> float:
        q = self.quadric[gone] + self.quadric[stays]
        p = np.append(self.vertices[stays], 1.0)
        length = float(np.sum((self.vertices[gone] - self.vertices[stays]) ** 2))
        return float(p @ q @ p) + self.even * length

    def allowed(self, gone: int, stays: int, rim: bool) -> bool:
        if gone in self.keep or stays not in self.neighbours(gone) or (gone in self.rim) != rim:
            return False
        shared = [i for i in self.around[gone] if stays in self.faces[i]]
        if rim and (stays not in self.rim or len(shared) != 1):
            return False
        if not rim and len(shared) != 2:
            return False
        opposite = {u for i in shared for u in self.faces[i]} - {gone, stays}
        if (
            self.neighbours(gone) & self.neighbours(stays) != opposite
        ):  # the link condition: still a disc after
            return False
        for i in self.around[gone]:
            if i in shared:
                continue
            before, _ = self._plane(self.faces[i])
            after, size = self._plane(tuple(stays if v == gone else v for v in self.faces[i]))
            if size < 1e-9 or before[:3] @ after[:3] < 0.3:
                return False
        return True

    def collapse(self, gone: int, stays: int) -> None:
        for i in list(self.around[gone]):
            f = self.faces[i]
            if stays in f:
                for v in f:
                    self.around[v].discard(i)
                del self.faces[i]
                continue
            self.faces[i] = tuple(stays if v == gone else v for v in f)
            self.around[stays].add(i)
        self.around.pop(gone)
        self.rim.discard(gone)
        self.quadric[stays] += self.quadric[gone]

    def reduce(self, count: int, rim: bool) -> None:
        """Collapse until ``count`` vertices (on the rim, or in all) are left."""
        heap = [(self.cost(a, b), a, b) for v in list(self.around) for a in (v,) for b in self.neighbours(v)]
        heapq.heapify(heap)
        while len(self.rim if rim else self.around) > count:
            cost, gone, stays = heapq.heappop(heap)
            if gone not in self.around or stays not in self.around:
                continue
            now = self.cost(gone, stays)
            if now > cost * 1.0001 + 1e-18:
                heapq.heappush(heap, (now, gone, stays))
                continue
            if not self.allowed(gone, stays, rim):
                continue
            self.collapse(gone, stays)
            for u in self.neighbours(stays):
                heapq.heappush(heap, (self.cost(stays, u), stays, u))
                heapq.heappush(heap, (self.cost(u, stays), u, stays))


def numbered(kept: NDArray[np.int64], vertices: Array, tips: dict[str, int]) -> NDArray[np.int64]:
    """The kept vertices in an order that puts fingertips, and their neighbours, where MANO has them."""
    places = TIPS["smplx"], TIPS["manopth right"], TIPS["manopth left"]
    fixed: dict[int, int] = {}
    for k, digit in enumerate(("thumb", "index", "middle", "ring", "pinky")):
        near = kept[np.argsort(np.linalg.norm(vertices[kept] - vertices[tips[digit]], axis=1))]
        wanted = list(dict.fromkeys(order[k] for order in places))
        for slot, v in zip(wanted, near, strict=False):
            fixed[slot] = int(v)
    rest = iter([int(v) for v in kept if int(v) not in set(fixed.values())])
    return np.array([fixed[i] if i in fixed else next(rest) for i in range(len(kept))])


def regressed(vertices: Array, joints: Array, weights: Array) -> Array:
    """(16, V) joints as weighted means of skin near them: not negative, sparse, rows sum to one."""
    out = np.zeros((16, vertices.shape[1]))
    mean = vertices.mean(axis=0)
    for j in range(16):
        linked = [k for k in (j, PARENTS[j]) if k >= 0]
        near = np.argsort(np.linalg.norm(mean - joints[:, j].mean(axis=0), axis=1))
        near = [v for v in near if weights[v, linked].sum() > 0.3][:60]
        design = np.concatenate(
            [vertices[:, near].transpose(0, 2, 1).reshape(-1, len(near)), 10 * np.ones((1, len(near)))]
        )
        found, _ = nnls(design, np.append(joints[:, j].reshape(-1), 10.0))
        out[j, near] = found / found.sum()
    return out


def main() -> None:
    """Write the file."""
    first, second = patch("maya"), patch("theo")
    if {frozenset(f) for f in first[3].tolist()} != {frozenset(f) for f in second[3].tolist()}:
        raise SystemExit("the avatars' hands are no longer one mesh")
    weights = 0.5 * (first[1] + second[1])
    people, joints = family([(h[0] - h[2][0], h[2] - h[2][0]) for h in (first, second)], weights)
    mean = people.mean(axis=0)
    person = load_avatar("maya")
    tips = {}
    for digit, landmark in (
        ("thumb", "thumb"),
        ("index", "index"),
        ("middle", "middle"),
        ("ring", "ring"),
        ("pinky", "little"),
    ):
        place = person.vertices[person.landmark(f"{landmark}_tip_right")] - first[2][0]
        tips[digit] = int(np.argmin(np.linalg.norm(first[0] - first[2][0] - place, axis=1)))
    mesh = Mesh(mean, first[3], set(tips.values()))
    mesh.reduce(RIM, rim=True)
    mesh.reduce(VERTICES, rim=False)
    kept = np.array(sorted(mesh.around))
    order = numbered(kept, mean, tips)
    number = np.full(len(mean), -1)
    number[order] = np.arange(len(order))
    faces = number[np.array([mesh.faces[i] for i in sorted(mesh.faces)])]
    if faces.shape != (FACES, 3):
        raise SystemExit(f"{len(faces)} faces; expected {FACES}")
    people, weights = people[:, order], weights[order]
    middle = people.mean(axis=(0, 1))
    people, joints = people - middle, joints - middle
    template = people.mean(axis=0)
    _, size, axes = np.linalg.svd((people - template).reshape(PEOPLE, -1), full_matrices=False)
    shapes = (axes[:10] * size[:10, None] / np.sqrt(PEOPLE - 1)).reshape(10, VERTICES, 3)
    growth = np.einsum("kvc,vc->k", shapes, template - joints.mean(axis=0)[0])
    shapes *= np.sign(growth)[:, None, None]
    regressor = regressed(people, joints, weights)
    off = np.linalg.norm(np.einsum("jv,pvc->pjc", regressor, people) - joints, axis=-1)
    bare = SmplModel(
        template, np.moveaxis(shapes, 0, -1), np.zeros((VERTICES, 3, 135)), regressor, weights, PARENTS, faces
    )
    poses = np.concatenate([stage_poses(0, SPEAKERS), shape_poses(2000, seed=0)])
    space = learn_space(poses)
    bent = shape_poses(1200, seed=1)
    correctives = learn_correctives(bare, bent, Flesh(bare)(bent))
    scale = float(np.abs(correctives).max())
    arrays = {
        "vertices": template.astype(np.float32),
        "shapes": bare.shapes.astype(np.float32),
        "correctives": (correctives / scale).astype(np.float16),
        "correctives_scale": np.float64(scale),
        "regressor": regressor.astype(np.float32),
        "weights": weights.astype(np.float32),
        "faces": faces.astype(np.uint16),
        "components": space.components.astype(np.float32),
        "mean": space.mean.astype(np.float32),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with OUT.open("wb") as file:
        np.savez_compressed(file, **arrays)
    kept_share = np.cumsum(size**2) / np.sum(size**2)
    print(f"{OUT}: {OUT.stat().st_size / 1000:.0f} kB, rim {len(mesh.rim)}")
    print(
        f"10 shapes keep {kept_share[9]:.4f}; joints from skin within {1000 * off.mean():.2f} mm; {len(poses)} poses"
    )


if __name__ == "__main__":
    main()
