"""Faces between and beyond the two that ship.

Both heads have the same vertices, so any region may lie anywhere between them (or a little beyond). On top
come smooth displacement fields, functions of place alone: what touches stays together, so lips that seal
still seal. Round each eye the field is a similarity (turn, scale, shift): eyeballs stay round, lids still
fit them, and the morphs are turned and scaled along, so that lids still close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.avatar import Avatar, load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.stage.traits import Traits

Array = NDArray[np.float64]
_NAMES = ("maya", "theo")
HEAD_PARTS = ("head", "mouth", "sockets", "tongue", "lower_teeth", "lashes", "upper_teeth", "eyes")
_EYES = (INDEX["leftEye"], INDEX["rightEye"])
_CENTRES = {  # of the regions of a mixed face: mm from the head joint on the first face, and radii
    "nose": ((0, 8, 112), (22, 22, 30)), "mouth": ((0, -30, 100), (34, 17, 34)), "jaw": ((0, -52, 70), (80, 26, 60)),
}  # fmt: skip


@dataclass(frozen=True)
class Head:
    """A shipped head: origin at the head joint, metres; one scale for both."""

    size: float
    vertices: Array  # (H, 3) of HEAD_PARTS, in the order of the avatar
    offsets: Array  # (K, M, 3)
    eyes: Array  # (2, 3)
    radius: float
    points: Mapping[str, Array]


@cache
def heads() -> tuple[Head, Head]:
    """Both heads that ship, brought to the first one's size."""
    size = [_height(load_avatar(n)) for n in _NAMES]
    return _head(_NAMES[0], 1.0), _head(_NAMES[1], size[0] / size[1])


def _height(avatar: Avatar) -> float:
    return float(
        avatar.vertices[avatar.landmark("nose_bridge"), 1] - avatar.vertices[avatar.landmark("chin"), 1]
    )


def _head(name: str, scale: float) -> Head:
    avatar = load_avatar(name)
    origin = avatar.joints[INDEX["head"]].astype(np.float64)
    count = head_count(avatar)
    vertices = (avatar.vertices[:count] - origin) * scale
    eyes = (avatar.joints[list(_EYES)] - origin) * scale
    balls = vertices[next(p for p in avatar.parts if p.name == "eyes").vertices]
    radius = float(np.linalg.norm(balls[balls[:, 0] > 0] - eyes[0], axis=1).max())
    points = {n: vertices[i] for n, i in avatar.landmarks.items() if i < count}
    return Head(scale, vertices, avatar.morph_offsets * np.float64(scale), eyes, radius, points)


def head_count(avatar: Avatar) -> int:
    """How many vertices, the first ones, belong to the head."""
    return max(p.vertices.stop for p in avatar.parts if p.name in HEAD_PARTS)


def _bump(x: Array, centre: Array, radii: tuple[float, float, float]) -> Array:
    return np.exp(-np.square((x - centre) / radii).sum(axis=1))


def _both(x: Array, centre: Array, radii: tuple[float, float, float]) -> tuple[Array, Array]:
    """A bump on either side, and the side (−1 to 1, smooth across the middle)."""
    near = np.array([abs(centre[0]), *centre[1:]])
    return _bump(np.abs(x) * [1, 0, 0] + x * [0, 1, 1], near, radii), np.tanh(x[:, 0] / 0.008)


def shares(traits: Traits) -> tuple[Array, Array]:
    """(H,) share of the second face per vertex of the head, and per eye (2,)."""
    first = heads()[0]
    x = first.vertices
    t = np.full(len(x), traits.mixed["skull"])
    for region, (centre, radii) in _CENTRES.items():
        w = _bump(x, np.array(centre) * 1e-3, tuple(np.array(radii) * 1e-3))
        t += w * (traits.mixed[region] - t)
    w = _eye_weights(x, first.eyes, first.radius).sum(axis=0)
    t += np.minimum(w, 1) * (traits.mixed["eyes"] - t)
    return t, np.full(2, traits.mixed["eyes"])


def _eye_weights(x: Array, eyes: Array, radius: float) -> Array:
    """(2, n) 1 on and about each eyeball, smoothly 0 farther off; never more than 1 in all."""
    away = np.linalg.norm(x[None] - eyes[:, None], axis=-1) / radius
    s = np.clip((2.05 - away) / (2.05 - 1.3), 0, 1)
    w = s * s * s * (s * (6 * s - 15) + 10)
    return w / np.maximum(w.sum(axis=0), 1)


@dataclass(frozen=True)
class Field:
    """The displacements of one face, about its head joint."""

    traits: Traits
    points: Mapping[str, Array]
    eyes: Array
    radius: float
    reach: Array
    """(3,) factors that bring distances on the first face to this one."""

    def __call__(self, x: Array, *, eye: int | None = None) -> Array:
        """Where places (n, 3) go; with ``eye`` all of them move along with that eyeball."""
        weights = (
            _eye_weights(x, self.eyes, self.radius) if eye is None else np.eye(2)[:, [eye]] * np.ones(len(x))
        )
        out = x + (1 - weights.sum(axis=0))[:, None] * self._tissue(x)
        for k in range(2):
            matrix, shift = self._eye(k)
            moved = (x - self.eyes[k]) @ matrix.T - (x - self.eyes[k]) + shift
            out += weights[k][:, None] * moved
        return out

    def turned(self, offsets: Array, x: Array) -> Array:
        """Morph offsets (K, n, 3) of vertices at ``x``, as the face about them is turned and scaled."""
        weights = _eye_weights(x, self.eyes, self.radius)
        local = (1 - weights.sum(axis=0))[:, None, None] * np.diag(self.scale)
        for k in range(2):
            local = local + weights[k][:, None, None] * self._eye(k)[0]
        return np.einsum("nab,knb->kna", local, offsets)

    @property
    def scale(self) -> Array:
        """(3,) scale of the whole head."""
        f = self.traits.face
        return 1 + np.array([f["head_width"], f["head_height"], f["head_depth"]])

    def _eye(self, k: int) -> tuple[Array, Array]:
        """Matrix and shift of an eye's similarity."""
        f, side = self.traits.face, (1, -1)[k]
        angle = np.radians(f["eye_tilt"]) * side
        c, s = np.cos(angle), np.sin(angle)
        matrix = (1 + f["eye_size"]) * np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
        carried = self._tissue(self.eyes[k][None])[0]
        shift = carried + np.array([side * f["eye_spacing"], f["eye_height"], 0])
        return matrix, shift

    def _at(self, x: float, y: float, z: float) -> Array:
        return np.array([x, y, z]) * 1e-3 * self.reach

    def _tissue(self, x: Array) -> Array:
        f, p, r = self.traits.face, self.points, float(self.reach.mean()) * 1e-3
        old = float(np.clip((self.traits.age - 42) / 40, 0, 1))
        fat = self.traits.weight
        out = x * (self.scale - 1)

        def radii(a: float, b: float, c: float) -> tuple[float, float, float]:
            return a * r, b * r, c * r

        tip, chin = p["nose_tip"], p["chin"]
        mouth = 0.5 * (p["upper_lip_mid"] + p["lower_lip_mid"])
        corner, bridge, eye = p["mouth_corner_left"], p["nose_bridge"], self.eyes[0]
        # Jaw and chin.
        near, side = _both(
            x, np.array([0.052 * self.reach[0], mouth[1] - 0.012, 0.35 * mouth[2]]), radii(28, 28, 40)
        )
        out[:, 0] += (f["jaw_width"] + 2.4e-3 * max(fat, -0.7)) * side * near
        out[:, 1] -= f["jaw_drop"] * near
        near = _bump(x, chin, radii(30, 20, 34))
        out[:, 1] -= (f["chin_length"] + 1e-3 * old) * near
        out[:, 2] += f["chin_forward"] * near
        near, side = _both(x, chin + [0.014 * self.reach[0], 0, 0], radii(14, 16, 24))
        out[:, 0] += f["chin_width"] * side * near
        under = _bump(x, chin + self._at(0, -10, -42), radii(38, 20, 34))
        out[:, 1] -= 4e-3 * np.clip(fat - 0.2 + 0.4 * old, 0, 2) * under
        # Nose.
        near = _bump(x, tip + self._at(0, -3, -8), radii(17, 15, 22))
        out[:, 1] -= (f["nose_length"] + 1.8e-3 * old) * near
        out[:, 2] += f["nose_forward"] * _bump(x, tip, radii(14, 17, 20))
        out[:, 1] += f["nose_tilt"] * _bump(x, tip, radii(10, 9, 10))
        out[:, 0] += (
            (f["nose_width"] + 0.06 * old) * x[:, 0] * _bump(x, tip + self._at(0, -4, -11), radii(24, 15, 20))
        )
        out[:, 2] += f["nose_bridge"] * _bump(x, bridge + self._at(0, -10, 0), radii(10, 18, 16))
        out[:, 2] += f["nose_hump"] * _bump(x, 0.55 * bridge + 0.45 * tip, radii(8, 9, 14))
        # Mouth: lips grow from their seam, so it stays shut.
        near = _bump(x, mouth, radii(34, 15, 30))
        out[:, 0] += f["mouth_width"] * x[:, 0] * near
        out[:, 1] += f["mouth_height"] * _bump(x, mouth, radii(34, 20, 30))
        over = x[:, 1] - mouth[1] - (corner[1] - mouth[1]) * np.square(x[:, 0] / corner[0])
        full = _bump(x, mouth, radii(25, 10, 16))
        above = 0.5 + 0.5 * np.tanh(over / 2e-3)
        thin = 0.30 * old
        lips = (f["upper_lip"] - thin) * above + (f["lower_lip"] - 0.7 * thin) * (1 - above)
        out[:, 1] += lips * over * full
        out[:, 2] += (f["lip_forward"] + 2.5e-3 * (lips - 0.0)) * _bump(x, mouth, radii(20, 9, 14))
        # Brows and forehead.
        brow = np.array([0.75 * eye[0], eye[1] + 0.021 * self.reach[1], bridge[2]])
        near, side = _both(x, brow, radii(24, 8, 24))
        out[:, 1] += (f["brow_height"] - 1.0e-3 * old) * near
        out[:, 2] += f["brow_ridge"] * _both(x, brow, radii(30, 9, 22))[0]
        high = np.clip((x[:, 1] - brow[1]) / (0.08 * self.reach[1]), 0, None)
        front = 1 / (1 + np.exp(-x[:, 2] / 0.02))
        out[:, 1] += f["forehead_height"] * np.minimum(high, 1.3) ** 1.5 * (0.4 + 0.6 * front)
        out[:, 2] -= f["forehead_slope"] * np.minimum(high, 1.3) * front
        # Cheeks: bones, flesh, and how both go with age.
        near, side = _both(x, np.array([1.55 * eye[0], eye[1] - 0.020, eye[2] - 0.006]), radii(20, 14, 26))
        out[:, 0] += 0.7 * f["cheekbones"] * side * near
        out[:, 2] += 0.6 * f["cheekbones"] * near
        near, side = _both(x, np.array([1.45 * eye[0], mouth[1] + 0.016, 0.62 * mouth[2]]), radii(22, 20, 32))
        flesh = f["cheeks"] + 3.0e-3 * fat - 2.0e-3 * old
        out[:, 0] += 0.8 * flesh * side * near
        out[:, 2] += 0.35 * flesh * near
        near, side = _both(x, np.array([1.2 * eye[0], mouth[1] - 0.022, 0.72 * mouth[2]]), radii(15, 14, 22))
        out[:, 1] -= 2.2e-3 * old * near
        out[:, 0] += 1.6e-3 * old * side * near
        # Ears.
        ear = self._at(75, 12, 5)
        near, side = _both(x, ear, radii(17, 30, 24))
        grow = f["ear_size"] + 0.07 * old
        out[:, 1] += grow * (x[:, 1] - ear[1]) * near
        out[:, 2] += grow * (x[:, 2] - ear[2]) * near
        return out


def mix(traits: Traits, native: int, mask: Array) -> tuple[Array, Array, Array, Field]:
    """Vertices (H, 3), morph offsets (K, M, 3) and eyes (2, 3) of a mixed head, and the field still to apply.

    Parameters
    ----------
    traits
        Whose face.
    native
        0 or 1: on whose body the head sits, and whose size it has.
    mask
        (H,) 1 where the face may differ from that body's own, 0 where it meets the neck.
    """
    a, b = heads()
    own = (a, b)[native]
    share, eye_share = shares(traits)
    share = native + mask * (share - native)
    vertices = ((1 - share)[:, None] * a.vertices + share[:, None] * b.vertices) / own.size
    eyes = ((1 - eye_share)[:, None] * a.eyes + eye_share[:, None] * b.eyes) / own.size
    avatar = load_avatar(_NAMES[native])
    moved = share[avatar.morph_vertices][None, :, None]
    offsets = ((1 - moved) * a.offsets + moved * b.offsets) / own.size
    radius = ((1 - eye_share[0]) * a.radius + eye_share[0] * b.radius) / own.size
    points = {n: vertices[avatar.landmark(n)] for n in a.points}
    reach = np.array(
        [eyes[0, 0] / 0.0298, (eyes[0, 1] - points["chin"][1]) / 0.0976, points["nose_tip"][2] / 0.1194]
    )
    return vertices, offsets, eyes, Field(traits, points, eyes, radius, reach)


def carried(name: str, part: str, after: Array) -> Array:
    """(n, 3) a part of a shipped person's hair, in the size of both heads, as the head below it becomes ``after``.

    Parameters
    ----------
    name, part
        Whose, and which part.
    after
        (H, 3) the new head, in that size.
    """
    x, head, weights = _followed(name, part)
    moves = (after[head] - heads()[_NAMES.index(name)].vertices[head]).astype(np.float32)
    return x + weights @ moves


@cache
def _followed(name: str, part: str) -> tuple[Array, NDArray[np.intp], NDArray[np.float32]]:
    """Places (n, 3) of a part of hair, points of the head (m,), and how much each of these carries it (n, m)."""
    avatar, own = load_avatar(name), heads()[_NAMES.index(name)]
    hair = avatar.vertices[next(p for p in avatar.parts if p.name == part).vertices]
    x = (hair - avatar.joints[INDEX["head"]]).astype(np.float64) * own.size
    skin = next(p for p in avatar.parts if p.name == "head").vertices
    head = np.arange(skin.start, skin.stop)
    head = head[np.linalg.norm(own.vertices[head], axis=1) < 0.3][::3]
    before = own.vertices[head]
    away = np.square(x).sum(axis=1)[:, None] - 2 * x @ before.T + np.square(before).sum(axis=1)
    # Far from the head the nearest point counts, so nothing is left behind.
    weights = np.exp((away.min(axis=1, keepdims=True) - away) / (2 * 0.016**2))
    return x, head, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
