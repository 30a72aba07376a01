"""How a hand model is learned: a space of poses from stage hands, pose correctives from a hand of flesh.

The method is that of "Embodied Hands" (Romero et al., 2017): principal components of axis-angles for the poses, and for
the correctives a regularised linear regression on the entries of rotation matrices, local to the joints that
move a vertex. Instead of a thousand scans there is :class:`Flesh`, an analytic hand that keeps its volume and
bulges, whose every vertex is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.hand import HANDSHAPES, LIMITS_HIGH, LIMITS_LOW, Hand
from kinesics.bodies.humanoid import LEFT_FINGERS, RIGHT_FINGERS
from kinesics.bodies.rig import maya
from kinesics.bodies.smpl import HandSpace, SmplModel, rodrigues
from kinesics.geometry import rotations as rot
from kinesics.seeds import rng
from kinesics.stage.acting import act
from kinesics.stage.speakers import condition, speaker
from kinesics.stage.speech import script

Array = NDArray[np.float64]
_MIRROR = np.array([1.0, -1, -1])  # of a rotation vector, x → −x
_RATE = 10  # poses a second that are kept of a take


def stage_poses(seed: int, speakers: Iterable[int]) -> Array:
    """(N, 45) axis-angles of right hands of people who speak on the stage; left ones mirrored.

    Parameters
    ----------
    seed
        Of the crowd.
    speakers
        Numbers of its people; each performs one take.

    Raises
    ------
    MissingExtra
        Without the extra ``voice``.
    """
    out = []
    for number in speakers:
        emotion, level = condition(seed, number, 0)
        text = script(seed, "hands", number, emotion=emotion)
        body = act(speaker(seed, number), text, emotion=emotion, level=level).body.resample(_RATE)
        left, right = (
            rot.to_rotvec(body.rotations[:, f]).astype(np.float64) for f in (LEFT_FINGERS, RIGHT_FINGERS)
        )
        out += [(left * _MIRROR).reshape(-1, 45), right.reshape(-1, 45)]
    return np.concatenate(out)


def shape_poses(count: int, *, seed: int) -> Array:
    """(N, 45) right hands that make the vocabulary's shapes, mixed two by two and varied within human limits."""
    stream = rng(seed, "hand shapes")
    shapes = np.stack([shape.ravel() for shape in HANDSHAPES.values()])
    first, second = shapes[stream.integers(len(shapes), size=(2, count))]
    part = stream.random((count, 1))
    angles = first + part * (second - first) + stream.normal(0, 6, (count, 20))
    angles = np.clip(angles, LIMITS_LOW.ravel(), LIMITS_HIGH.ravel())
    turns = Hand(maya(), "right").rotations(angles)
    return (rot.to_rotvec(turns) * _MIRROR).reshape(count, 45)


def learn_space(poses: Array) -> HandSpace:
    """Principal components of poses (N, 45), all 45: what never varies comes last."""
    mean = poses.mean(axis=0)
    _, _, components = np.linalg.svd(poses - mean, full_matrices=True)
    # A component's sign is open: its largest entry is made positive, so that the same poses give the same file.
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(45), largest])[:, None]
    return HandSpace(components, mean)


def six_angles(poses: Array, train: Array, count: int = 6) -> Array:
    """Poses with all but ``count`` of their 45 angles at the mean: those that vary most in ``train``."""
    kept = np.argsort(train.var(axis=0))[::-1][:count]
    out = np.broadcast_to(train.mean(axis=0), poses.shape).copy()
    out[:, kept] = poses[:, kept]
    return out


@dataclass(frozen=True, eq=False)
class Flesh:
    """A hand that bends as flesh does: no candy wrappers, and soft parts that go where they are pressed.

    Vertices are blended by dual quaternions (Kavan et al., 2008), which keep volume; before that, skin on the
    inside of a bent joint is pushed out and back along the finger, and the knuckle's skin is stretched flat. Amounts
    saturate with the bend, and grow where the joint below is bent too. Sizes are ours.

    Parameters
    ----------
    model
        Gives vertices, weights, joints and faces; its correctives are not used.
    """

    model: SmplModel

    def __call__(self, poses: Array) -> Array:
        """(N, V, 3) vertices for poses (N, 45)."""
        model = self.model
        joints = model.regressor @ model.vertices
        vectors = np.concatenate([np.zeros((len(poses), 1, 3)), poses.reshape(-1, 15, 3)], axis=1)
        rest = model.vertices + self._pressed(vectors, joints)
        return _dual_quaternions(model, vectors, joints, rest)

    def _pressed(self, vectors: Array, joints: Array) -> Array:
        model = self.model
        normals = _normals(model.vertices, model.faces)
        bend = np.linalg.norm(vectors, axis=-1)
        out = np.zeros((len(vectors), len(model.vertices), 3))
        for j, parent in enumerate(model.parents):
            if j == 0:
                continue
            child = j + 1 if j + 1 < len(joints) and model.parents[j + 1] == j else None
            way = joints[child] - joints[j] if child else joints[j] - joints[parent]
            length = float(np.linalg.norm(way))
            off = model.vertices - joints[j]
            near = np.exp(-np.sum(off**2, axis=1) / (0.5 * length) ** 2)
            near *= model.weights[:, [k for k in (parent, j, child) if k]].sum(axis=1)
            down = vectors[:, j] / np.maximum(bend[:, j : j + 1], 1e-9)
            # Which way the joint closes: the finger's direction turned about the axis of the bend.
            closes = np.cross(down, way / length)
            inside = np.einsum("nc,vc->nv", closes, normals)
            below = 1 + 0.5 * np.tanh(bend[:, [parent]] if parent else 0 * bend[:, [0]])
            amount = 0.10 * length * np.tanh(1.2 * bend[:, j : j + 1]) * below
            out += (amount * near * np.maximum(inside, 0))[..., None] * (normals - 0.4 * way / length)
            out -= (0.4 * amount * near * np.maximum(-inside, 0))[..., None] * normals
        return out


def learn_correctives(model: SmplModel, poses: Array, truth: Array, *, ridge: float = 2e-4) -> Array:
    """Pose correctives (V, 3, 135) that take linear blend skinning nearest to the truth.

    Parameters
    ----------
    model
        The hand; its own correctives are not used.
    poses
        (N, 45) axis-angles.
    truth
        (N, V, 3) vertices in these poses.
    ridge
        Weight of the squared coefficients, per pose.

    Notes
    -----
    The residual is taken back to the rest pose by each vertex's own blended transform. A vertex learns only from joints
    that have weight in it, their parents and children, as locality is asked for in the paper.
    """
    turns = rodrigues(poses.reshape(-1, 15, 3))
    features = (turns - np.eye(3)).reshape(len(poses), 135)
    rest = _unposed(model, poses, truth) - model.vertices
    moves = model.weights > 0.02
    linked = np.eye(16, dtype=bool)
    for j, p in enumerate(model.parents):
        if p >= 0:
            linked[j, p] = linked[p, j] = True
    listens = (moves @ linked)[:, 1:]
    out = np.zeros((len(model.vertices), 3, 135))
    groups, which = np.unique(listens, axis=0, return_inverse=True)
    for g, joints in enumerate(groups):
        rows = np.flatnonzero(which.ravel() == g)
        columns = np.flatnonzero(np.repeat(joints, 9))
        if not columns.size:
            continue
        x = features[:, columns]
        y = rest[:, rows].reshape(len(poses), -1)
        normal = x.T @ x + ridge * len(poses) * np.eye(len(columns))
        found = np.linalg.solve(normal, x.T @ y).reshape(len(columns), len(rows), 3)
        out[np.ix_(rows, range(3), columns)] = np.moveaxis(found, 0, -1)
    return out


def _transforms(model: SmplModel, vectors: Array, joints: Array) -> tuple[Array, Array]:
    turns = rodrigues(vectors)
    world, places = np.empty_like(turns), np.empty((len(vectors), 16, 3))
    for j, p in enumerate(model.parents):
        if p < 0:
            world[:, j], places[:, j] = turns[:, j], joints[j]
            continue
        world[:, j] = world[:, p] @ turns[:, j]
        places[:, j] = places[:, p] + world[:, p] @ (joints[j] - joints[p])
    return world, places - np.einsum("njab,jb->nja", world, joints)


def _unposed(model: SmplModel, poses: Array, vertices: Array) -> Array:
    joints = model.regressor @ model.vertices
    vectors = np.concatenate([np.zeros((len(poses), 1, 3)), poses.reshape(-1, 15, 3)], axis=1)
    world, shift = _transforms(model, vectors, joints)
    out = np.empty_like(vertices)
    for n in range(len(poses)):
        matrix = np.einsum("vj,jab->vab", model.weights, world[n])
        away = vertices[n] - model.weights @ shift[n]
        out[n] = np.linalg.solve(matrix, away[..., None])[..., 0]
    return out


def _dual_quaternions(model: SmplModel, vectors: Array, joints: Array, rest: Array) -> Array:
    world, shift = _transforms(model, vectors, joints)
    real = rot.from_matrix(world)
    real = np.where(np.sum(real * real[:, :1], axis=-1, keepdims=True) < 0, -real, real)
    move = np.concatenate([np.zeros((*shift.shape[:-1], 1)), shift], axis=-1)
    dual = 0.5 * rot.multiply(move, real)
    real, dual = (np.einsum("vj,njc->nvc", model.weights, q) for q in (real, dual))
    size = np.linalg.norm(real, axis=-1, keepdims=True)
    real, dual = real / size, dual / size
    move = 2 * rot.multiply(dual, rot.conjugate(real))[..., 1:]
    return rot.rotate(real, rest) + move


def _normals(vertices: Array, faces: NDArray[np.integer]) -> Array:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    each = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(out, faces[:, k], each)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
