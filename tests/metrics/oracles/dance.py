"""Dance: the published features frame by frame and joint by joint, scipy's matrix root."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.metrics.inputs import noise, walk

LIBRARIES = ("scipy",)


def dancer(frames: int, seed: int) -> np.ndarray:
    """(frames, 24, 3) someone of human size who swings arms and legs."""
    rest = np.array(
        """0 .9 0  .06 .82 0  -.06 .82 0  0 1.02 0  .1 .45 0  -.1 .45 0  0 1.15 0  .1 .06 0  -.1 .06 0  0 1.22 0
        .1 0 .12  -.1 0 .12  0 1.42 0  .08 1.36 0  -.08 1.36 0  0 1.5 .05  .19 1.38 0  -.19 1.38 0  .45 1.37 0
        -.45 1.37 0  .7 1.37 0  -.7 1.37 0  .78 1.37 0  -.78 1.37 0""".split(),
        dtype=float,
    ).reshape(24, 3)
    reach = np.array(
        [
            0.1,
            0.1,
            0.1,
            0.1,
            0.3,
            0.3,
            0.1,
            0.5,
            0.5,
            0.1,
            0.5,
            0.5,
            0.1,
            0.1,
            0.1,
            0.1,
            0.2,
            0.2,
            0.5,
            0.5,
            1,
            1,
            1,
            1,
        ]
    )
    swing = walk(frames, 24, seed=seed, step=0.08, every=9) * reach[:, None]
    return rest + swing + 0.3 * walk(frames, 1, seed=seed + 100, step=0.02, every=30)


def inputs() -> dict[str, Any]:
    """What the dance metrics are tried on."""
    return {
        "dances": [dancer(70 + 3 * i, i) for i in range(12)],
        "copies": [dancer(64, 50 + i) * [1, 1, 0.8] for i in range(9)],
        "generated": walk(30, 24, seed=3),
        "futures": walk(30, 24, seed=3) + 0.1 * noise(5, 30, 24, 3, seed=4),
    }


NAMES = (
    "root lhip rhip belly lknee rknee spine lankle rankle chest ltoes rtoes neck linshoulder rinshoulder head "
    "lshoulder rshoulder lelbow relbow lwrist rwrist lhand rhand"
).split()


def kinetic_loops(p: np.ndarray) -> list[float]:
    dt, out = 1 / 60, []
    n = len(p)
    for j in range(p.shape[1]):
        level = upright = effort = 0.0
        for i in range(1, n):
            v, count = np.zeros(3), 0
            for k in range(i - 2, i + 3):
                if k - 1 >= 0 and k < n:
                    v, count = v + p[k, j] - p[k - 1, j], count + 1
            v = v / (count * dt)
            level, upright = level + v[0] ** 2 + v[2] ** 2, upright + v[1] ** 2
            a, count = np.zeros(3), 0
            for k in range(i - 2, i + 3):
                if k - 1 >= 0 and k + 1 < n:
                    a = a + ((p[k + 1, j] - p[k, j]) / dt - (p[k, j] - p[k - 1, j]) / dt) / dt
                    count += 1
            effort += math.sqrt(sum((a / count) ** 2))
        out += [level / (n - 1), upright / (n - 1), effort / (n - 1)]
    return [float(x) for x in out]


def geometric_rules(now: np.ndarray, before: np.ndarray) -> list[bool]:
    """The published list of booleans of one frame."""
    arm = math.dist((0.199113488, 0.236807942, -0.0180702247), (0.454445392, 0.221158922, -0.0410167128))
    wide = math.dist((0.199113488, 0.236807942, -0.0180702247), (-0.191692337, 0.236928746, -0.0123055102))
    hip = math.dist((0.0564076714, -0.323069185, 0.0109197125), (-0.0624834076, -0.331302464, 0.0150412619))

    def at(name: str) -> np.ndarray:
        fixed = {"zero": (0, 0, 0), "y": (0, 1, 0), "-y": (0, -1, 0), "floor": (0, now[:, 1].min(), 0)}
        return np.array(fixed[name], float) if name in fixed else now[NAMES.index(name)]

    def was(name: str) -> np.ndarray:
        return before[NAMES.index(name)]

    def velocity(a: str, b: str) -> np.ndarray:
        return ((at(b) - at(a)) - (was(b) - was(a))) * 120

    def length(v: np.ndarray) -> float:
        return math.sqrt(float(v @ v))

    def nmove(a: str, b: str, c: str, d: str, k: float) -> bool:
        n = np.cross(at(c) - at(a), at(b) - at(a))
        return velocity(a, d) @ n / length(n) > k

    def move(a: str, b: str, c: str, k: float) -> bool:
        n = at(b) - at(a)
        return velocity(a, c) @ n / length(n) > k

    def plane(a: str, b: str, c: str, d: str, k: float) -> bool:
        n = np.cross(at(c) - at(a), at(b) - at(a))
        return n @ (at(d) - at(a)) / length(n) > k

    def nplane(a: str, b: str, c: str, d: str, k: float) -> bool:
        n = at(b) - at(a)
        return n @ (at(d) - at(c)) / length(n) > k

    def angle(a: str, b: str, c: str, d: str, low: float, high: float) -> bool:
        u, v = at(b) - at(a), at(d) - at(c)
        return low < math.degrees(math.acos(u @ v / (length(u) * length(v)))) < high

    def fast(a: str, k: float) -> bool:
        return length(at(a) - was(a)) * 120 > k

    return [
        nmove("neck", "rhip", "lhip", "rwrist", 1.8 * arm), nmove("neck", "lhip", "rhip", "lwrist", 1.8 * arm),
        nplane("chest", "neck", "neck", "rwrist", 0.2 * arm), nplane("chest", "neck", "neck", "lwrist", 0.2 * arm),
        move("belly", "chest", "chest", 1.8 * arm), move("belly", "chest", "chest", 1.8 * arm),
        angle("relbow", "rshoulder", "relbow", "rwrist", 0, 110), angle("lelbow", "lshoulder", "lelbow", "lwrist", 0, 110),
        nplane("lshoulder", "rshoulder", "lwrist", "rwrist", 2.5 * wide),
        move("lwrist", "rwrist", "rwrist", 1.4 * arm), move("rwrist", "root", "lwrist", 1.4 * arm),
        move("lwrist", "root", "rwrist", 1.4 * arm), fast("rwrist", 2.5 * arm), fast("lwrist", 2.5 * arm),
        plane("root", "lhip", "ltoes", "rankle", 0.38 * arm), plane("root", "rhip", "rtoes", "lankle", 0.38 * arm),
        nplane("zero", "y", "floor", "rankle", 1.2 * arm), nplane("zero", "y", "floor", "lankle", 1.2 * arm),
        nplane("lhip", "rhip", "lankle", "rankle", 2.1 * hip),
        angle("rknee", "rhip", "rknee", "rankle", 0, 110), angle("lknee", "lhip", "lknee", "lankle", 0, 110),
        fast("rankle", 2.5 * arm), fast("lankle", 2.5 * arm),
        angle("neck", "root", "rshoulder", "relbow", 25, 180), angle("neck", "root", "lshoulder", "lelbow", 25, 180),
        angle("neck", "root", "rhip", "rknee", 50, 180), angle("neck", "root", "lhip", "lknee", 50, 180),
        plane("rankle", "neck", "lankle", "root", 0.5 * arm), angle("neck", "root", "zero", "y", 70, 110),
        nplane("zero", "-y", "floor", "rwrist", -1.2 * arm), nplane("zero", "-y", "floor", "lwrist", -1.2 * arm),
        fast("root", 2.3 * arm),
    ]  # fmt: skip


def geometric_loops(p: np.ndarray) -> list[float]:
    rows = [geometric_rules(p[t], p[t - 1]) for t in range(1, len(p))]
    return np.mean(np.array(rows, dtype=float), axis=0).tolist()


def values() -> dict[str, Any]:
    from scipy import linalg
    from scipy.spatial.distance import pdist

    d = inputs()
    out: dict[str, Any] = {}
    for letter, loops in (("k", kinetic_loops), ("g", geometric_loops)):
        a, b = (np.array([loops(x) for x in d[key]]) for key in ("dances", "copies"))
        out[f"features_{letter}"] = a[0].tolist()
        a, b = a[:, : 3 if letter == "k" else None], b[:, : 3 if letter == "k" else None]
        if letter == "g":
            a, b = a[:, [2, 7, 14]], b[:, [2, 7, 14]]
        mean, scale = a.mean(0), a.std(0) + 1e-10
        a, b = (a - mean) / scale, (b - mean) / scale
        ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
        away = a.mean(0) - b.mean(0)
        root = np.real(linalg.sqrtm(ca @ cb))
        out[f"fid_{letter}"] = float(away @ away + np.trace(ca) + np.trace(cb) - 2 * np.trace(root))
        out[f"dist_{letter}"] = float(pdist(b).mean())
    return out
