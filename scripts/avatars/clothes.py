"""Shirt, trousers and shoes, cut from the base mesh's ``helper-tights`` around the T-pose."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from avatars import cloth_mesh as cloth
from avatars import fabric, mesh, source
from avatars.people import Person
from kinesics.bodies.humanoid import INDEX

SOLE = 0.022  # metres


@dataclass(frozen=True)
class Cut:
    """Where one person's clothes end, from the joints; all metres in the T-pose."""

    joints: np.ndarray
    who: Person

    def at(self, name: str) -> np.ndarray:
        """(3,) position of a joint."""
        return self.joints[INDEX[name]]

    @property
    def hem(self) -> float:
        """Height of the shirt's hem."""
        return float(self.at("leftUpperLeg")[1] + 0.012)

    def neck(self, p: np.ndarray) -> np.ndarray:
        """Positive outside the neck hole: above a tilted plane and inside a tube about the neck."""
        c = self.at("neck")
        wide, drop, slope = self.who.neckline
        tube = np.hypot(p[:, 0] / wide, (p[:, 2] - c[2] - 0.005) / (wide * 1.25)) - 1
        below = c[1] - drop - slope * (p[:, 2] - c[2]) - p[:, 1]
        a, b = tube * 0.1, below
        return (a + b + np.sqrt((a - b) ** 2 + 0.02**2)) / 2

    def shirt(self, p: np.ndarray) -> np.ndarray:
        """Positive on the shirt."""
        return np.minimum(self.ends(p), self.neck(p))

    def ends(self, p: np.ndarray) -> np.ndarray:
        """Positive above the shirt's hem and inside its sleeves."""
        wrist, elbow = abs(self.at("leftHand")[0]), abs(self.at("leftLowerArm")[0])
        sleeve = elbow + (wrist - elbow) * self.who.sleeve - np.abs(p[:, 0])
        hem = p[:, 1] - (self.hem + 0.010 * np.cos(2 * np.arctan2(p[:, 0], p[:, 2])))
        return np.minimum(sleeve, hem)

    def trousers(self, p: np.ndarray) -> np.ndarray:
        """Positive on the trousers."""
        waist = self.hem + 0.045 - p[:, 1]
        ankle = p[:, 1] - (self.at("leftFoot")[1] - 0.035)
        return np.minimum(np.minimum(waist, ankle), 0.55 - np.abs(p[:, 0]))

    def shoes(self, p: np.ndarray) -> np.ndarray:
        """Positive on the shoes."""
        return self.at("leftFoot")[1] - 0.004 - p[:, 1] + 0.12 * (p[:, 2] - self.at("leftFoot")[2]) * 0


def covered(p: np.ndarray, cut: Cut) -> np.ndarray:
    """Whether skin at ``p`` (N, 3) is safely hidden under clothes."""
    sleeve_or_hem = (cut.shirt(p) > 0.018) & (cut.neck(p) > 0.024)
    legs = (cut.trousers(p) > 0.012) | (cut.shoes(p) > 0.012)
    return sleeve_or_hem | legs


def _tights(position: np.ndarray, weights: np.ndarray, name: str, material: mesh.Material) -> mesh.Part:
    part = mesh.from_group(name, ["helper-tights"], material, position, weights, {})
    # The stored strip has a texture seam; weld it, clothes get coordinates of their own.
    first, inverse = np.unique(part.origin, return_index=True, return_inverse=True)[1:]
    faces = inverse.reshape(-1)[part.faces]
    return replace(
        part, position=part.position[first], uv=part.uv[first], weights=part.weights[first],
        origin=part.origin[first], faces=faces, smooth=None,
    )  # fmt: skip


def _outside(part: mesh.Part, body: np.ndarray, body_normal: np.ndarray, clear: float) -> mesh.Part:
    """Push cloth out until it lies ``clear`` metres outside the nearest skin."""
    from scipy.spatial import cKDTree

    tree = cKDTree(body)
    position = part.position.copy()
    for _ in range(3):
        _, near = tree.query(position, k=4)
        depth = ((position[:, None] - body[near]) * body_normal[near]).sum(2).mean(1)
        position += body_normal[near].mean(1) * np.maximum(clear - depth, 0)[:, None]
    return replace(part, position=position)


def _thick_hems(part: mesh.Part, depth: float = 0.004) -> mesh.Part:
    part = part.with_normals()
    for loop in cloth.hems(part):
        if len(loop) > 8:
            normal = mesh.normals(part.position, part.faces)[loop]
            part = cloth.extrude(part, loop, [-depth * normal])
    return part


def shirt(position: np.ndarray, weights: np.ndarray, skin: mesh.Part, cut: Cut) -> mesh.Part:
    """A shirt with hems, loose at the waist; the collar depends on the person."""
    who = cut.who
    part = cloth.subdivide(_tights(position, weights, "shirt", mesh.Material("shirt")))
    part = cloth.relax(part, np.ones(len(part.position)), 3)
    part = cloth.clip(part, cut.shirt(part.position))
    for loop in cloth.hems(part):
        part = cloth.even_hem(part, loop, 24)
    p = part.position
    chest, hips = cut.at("chest")[1], cut.at("leftUpperLeg")[1]
    torso = np.clip((0.19 - np.abs(p[:, 0])) / 0.05, 0, 1)
    torso = np.maximum(torso, np.clip((cut.at("upperChest")[1] - 0.06 - p[:, 1]) / 0.06, 0, 1))
    part = cloth.relax(
        part, torso * np.clip((cut.at("upperChest")[1] + 0.03 - p[:, 1]) / 0.08, 0, 1) * 0.9, 14
    )
    p = part.position
    low = np.clip((chest + 0.12 - p[:, 1]) / (chest + 0.12 - hips), 0, 1) * torso
    away = np.c_[p[:, 0], np.zeros(len(p)), p[:, 2] - cut.at("spine")[2]]
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    p = p + away * (0.004 + 0.019 * low)[:, None]
    arm = np.abs(p[:, 0]) > abs(cut.at("leftUpperArm")[0]) + 0.02
    axis = np.stack(
        [
            np.sign(p[:, 0]) * 0,
            np.full(len(p), cut.at("leftUpperArm")[1]),
            np.full(len(p), cut.at("leftUpperArm")[2]),
        ],
        1,
    )
    radial = (p - axis) * [0, 1, 1]
    p = (
        p
        + np.where(arm[:, None], radial / np.maximum(np.linalg.norm(radial, axis=1, keepdims=True), 1e-6), 0)
        * 0.004
    )
    part = _outside(replace(part, position=p), skin.position, skin.normal, 0.008)
    part = fabric.folds(part, cut, "shirt")
    part = _collar(part, cut) if who.collar else _rib(part, cut)
    part = _thick_hems(part)
    return fabric.finish(part.with_normals(), cut, "shirt", who.shirt)


def _neck_loop(part: mesh.Part, cut: Cut) -> np.ndarray:
    return max(
        cloth.hems(part),
        key=lambda loop: part.position[loop, 1].mean() - 10 * abs(part.position[loop, 0].mean()),
    )


def _level(p: np.ndarray) -> np.ndarray:
    """(L, 3) offsets that bring a neck hem (L, 3) to a smooth height all round."""
    y = p[:, 1].copy()
    for _ in range(60):
        y = 0.5 * y + 0.25 * (np.roll(y, 1) + np.roll(y, -1))
    return np.c_[np.zeros(len(y)), y - p[:, 1], np.zeros(len(y))]


def _even(row: np.ndarray, times: int = 12) -> np.ndarray:
    """Offsets (L, 3) along a closed hem, smoothed."""
    for _ in range(times):
        row = 0.5 * row + 0.25 * (np.roll(row, 1, 0) + np.roll(row, -1, 0))
    return row


def _rib(part: mesh.Part, cut: Cut) -> mesh.Part:
    loop = _neck_loop(part, cut)
    p = part.position[loop]
    centre = cut.at("neck") + [0, 0, 0.016]
    inward = (centre - p) * [1, 0, 1]
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    up = np.array([0, 1.0, 0])
    normal = mesh.normals(part.position, part.faces)[loop]
    rows = [0.0030 * normal, 0.0032 * normal + 0.009 * inward + 0.007 * up, 0.013 * inward + 0.009 * up]
    level = _level(p)
    return cloth.extrude(part, loop, [_even(rows[0]), _even(rows[1] + level), _even(rows[2] + level)])


def _collar(part: mesh.Part, cut: Cut) -> mesh.Part:
    loop = _neck_loop(part, cut)
    p = part.position[loop]
    centre = cut.at("neck") + [0, 0, 0.016]
    angle = np.arctan2(p[:, 0], p[:, 2] - centre[2])  # 0 is the front
    start = int(np.argmin(np.abs(np.abs(angle) - 0.0)))
    loop = np.roll(loop, -start)
    p, angle = part.position[loop], np.roll(angle, -start)
    stand = np.clip((np.abs(angle) - 0.12) / 0.5, 0, 1)
    out = (p - centre) * [1, 0, 1]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    up = np.array([0, 1.0, 0])
    h = (0.010 + 0.012 * stand)[:, None]
    spread = (0.5 + 0.5 * stand)[:, None]
    rows = [
        h * 0.6 * up - 0.002 * out,
        h * up - 0.001 * out,
        (h + 0.002) * up + 0.005 * out * spread,
        (h - 0.012) * up + 0.010 * out * spread,
        -0.008 * up * np.clip(1.4 - stand, 0.5, 1)[:, None]
        + (0.012 + 0.004 * stand[:, None]) * out
        + [0, 0, 0.006],
    ]
    level = _level(p)
    return cloth.extrude(part, loop, [_even(row + level) for row in rows])


def trousers(position: np.ndarray, weights: np.ndarray, skin: mesh.Part, cut: Cut) -> mesh.Part:
    """Straight trousers."""
    part = cloth.subdivide(_tights(position, weights, "trousers", mesh.Material("trousers")))
    part = cloth.relax(part, np.ones(len(part.position)), 3)
    part = cloth.clip(part, cut.trousers(part.position))
    for loop in cloth.hems(part):
        part = cloth.even_hem(part, loop)
    p = part.position.copy()
    knee, ankle, hip = (cut.at(f"left{n}") for n in ("LowerLeg", "Foot", "UpperLeg"))
    height = p[:, 1]
    wide = np.interp(
        height, [ankle[1] - 0.05, knee[1], hip[1] - 0.08, hip[1]], [*cut.who.leg_width, 0.0, 0.0]
    )
    axis = np.c_[
        np.sign(p[:, 0]) * hip[0],
        height,
        np.interp(height, [ankle[1], knee[1], hip[1]], [ankle[2] + 0.004, knee[2] - 0.002, hip[2]]),
    ]
    radial = p - axis
    r = np.linalg.norm(radial, axis=1)
    target = np.where(r < wide, wide - (wide - r) * 0.25, r + 0.003)
    p = axis + radial * (target / np.maximum(r, 1e-6))[:, None]
    inside = np.sign(axis[:, 0]) * p[:, 0] < 0.004
    p[inside & (height < hip[1] - 0.09), 0] = (np.sign(axis[:, 0]) * 0.004)[inside & (height < hip[1] - 0.09)]
    part = _outside(replace(part, position=p), skin.position, skin.normal, 0.004)
    part = fabric.folds(part, cut, "trousers")
    part = _thick_hems(part)
    return fabric.finish(part.with_normals(), cut, "trousers", cut.who.trousers)


def shoes(position: np.ndarray, weights: np.ndarray, cut: Cut) -> list[mesh.Part]:
    """Uppers from the tights' feet and soles from their outline; the floor is at 0."""
    upper = cloth.subdivide(_tights(position, weights, "shoes", mesh.Material("shoes")))
    upper = cloth.clip(upper, cut.shoes(upper.position))
    for loop in cloth.hems(upper):
        upper = cloth.even_hem(upper, loop)
    upper = cloth.relax(upper, np.ones(len(upper.position)), 8)
    upper = upper.with_normals()
    p = upper.position + 0.0035 * upper.normal
    front = np.clip((p[:, 2] - cut.at("leftToes")[2]) / 0.06, 0, 1)
    p[:, 1] = np.maximum(p[:, 1] + 0.006 * front * (p[:, 1] > 0.02), SOLE * 0.6)
    upper = _thick_hems(replace(upper, position=p))
    soles = [_sole(p[p[:, 0] * side > 0], weights, cut, side) for side in (1, -1)]
    uppers = fabric.finish(upper.with_normals(), cut, "shoes", cut.who.shoes)
    return [uppers, mesh.join("soles", soles, fabric.plain("soles", cut.who.soles, 0.8))]


def _sole(foot: np.ndarray, weights: np.ndarray, cut: Cut, side: int) -> mesh.Part:
    from scipy.spatial import ConvexHull

    low = foot[foot[:, 1] < 0.055][:, [0, 2]]
    ring = low[ConvexHull(low).vertices]
    closed = np.vstack([ring, ring[:1]])
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
    s = np.linspace(0, along[-1], 48, endpoint=False)
    line = np.c_[np.interp(s, along, closed[:, 0]), np.interp(s, along, closed[:, 1])]
    for _ in range(3):
        line = 0.5 * line + 0.25 * (np.roll(line, 1, 0) + np.roll(line, -1, 0))
    centre = line.mean(0)
    outward = line - centre
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    toe = np.clip((line[:, 1] - cut.at("leftToes")[2]) / 0.08, 0, 1)
    rows = []
    for y, grow in (
        (0.0, 0.000),
        (0.003, 0.0035),
        (SOLE * 0.92, 0.0035),
        (SOLE, 0.0015),
        (SOLE + 0.002, -0.012),
    ):
        q = line + grow * outward
        rows.append(np.c_[q[:, 0], y + 0.010 * toe**2 * (1 if y < SOLE * 0.5 else 0.6), q[:, 1]])
    count = len(line)
    position = np.concatenate([*rows, [[centre[0], 0, centre[1]]]])
    k, n = np.arange(count), np.roll(np.arange(count), -1)
    faces = [np.c_[np.full(count, len(position) - 1), k, n]]
    for row in range(len(rows) - 1):
        a, b = row * count + k, row * count + n
        faces += [np.c_[a, a + count, b], np.c_[b, a + count, b + count]]
    position = np.vstack([position, [[centre[0], SOLE, centre[1]]]])
    last = (len(rows) - 1) * count
    faces.append(np.c_[np.full(count, len(position) - 1), last + n, last + k])
    faces = np.concatenate(faces)
    down = mesh.normals(position, faces)[-2, 1] < 0
    faces = faces if down else faces[:, [0, 2, 1]]
    toes = np.clip((position[:, 2] - cut.at("leftToes")[2] + 0.02) / 0.04, 0, 1)
    w = np.zeros((len(position), weights.shape[1]))
    name = "left" if side > 0 else "right"
    w[:, INDEX[f"{name}Toes"]], w[:, INDEX[f"{name}Foot"]] = toes, 1 - toes
    return mesh.Part(
        "sole",
        mesh.Material("soles"),
        position,
        np.zeros((len(position), 2)),
        faces,
        w,
        np.full(len(position), -1),
    )


def dress(
    position: np.ndarray, weights: np.ndarray, body: mesh.Part, joints: np.ndarray, who: Person
) -> list[mesh.Part]:
    """The clothes, and the body without what they hide (first)."""
    cut = Cut(joints, who)
    hidden = covered(body.position, cut)[body.faces].all(1)
    feet = source.base().groups["body"]
    assert position[feet, 1].min() >= SOLE * 0.5
    return [
        body.keep(~hidden),
        shirt(position, weights, body, cut),
        trousers(position, weights, body, cut),
        *shoes(position, weights, cut),
    ]
