"""The people that Kinesics can show: one frozen identity each, and the numpy runtime that poses it.

An avatar is a T-pose mesh with the canonical 55 joints and the 52 ARKit morphs. It is posed by
:func:`skin`: morphs first (only vertices that any morph moves), then linear blend skinning.
"""

from __future__ import annotations

import functools
import itertools
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.humanoid import JOINTS, PARENTS
from kinesics.errors import DataError, FormatError, choose
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float32]
_GEMM = 250_000


@dataclass(frozen=True)
class Material:
    """How a part looks.

    Parameters
    ----------
    name
        For instance ``"skin"`` or ``"shirt"``.
    color
        Linear RGBA factors, 0–1, that multiply the texture.
    roughness
        0 (mirror) to 1 (chalk).
    alpha
        ``"OPAQUE"``, ``"MASK"`` (cut at 0.5) or ``"BLEND"``.
    double_sided
        Whether the back of its faces shows.
    texture
        PNG or JPEG bytes, sRGB, or None.
    """

    name: str
    color: tuple[float, float, float, float]
    roughness: float
    alpha: str
    double_sided: bool
    texture: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Part:
    """A contiguous run of an avatar's vertices and faces that share a material."""

    name: str
    material: Material
    vertices: slice
    faces: slice


@dataclass(frozen=True, eq=False)
class Avatar:
    """One person: mesh, skin, morphs, materials and landmarks, all read-only.

    Parameters
    ----------
    name, title
        Short name (``"maya"``) and a line that describes the person.
    voice
        espeak-ng variant that suits the person, such as ``"+f3"``; used where no voice is asked for.
    vertices, normals
        (V, 3) T-pose positions in metres (Y up, facing +Z, floor at 0) and unit normals.
    faces
        (F, 3) vertex indices, counter-clockwise from outside.
    uv
        (V, 2) texture coordinates, v downwards.
    joints
        (55, 3) rest positions of the canonical joints, metres.
    weight_index, weight_value
        (V, 4) joints that move each vertex, and by how much; rows sum to one.
    morph_names
        Names of the K morphs (ARKit 52).
    morph_vertices
        (M,) indices of the vertices that any morph moves.
    morph_offsets
        (K, M, 3) what each morph adds at weight 1, metres.
    parts
        Parts with their materials.
    landmarks
        Vertex index of every named landmark (see ``docs/avatars.md``).
    licence
        Terms of the geometry and textures.
    """

    name: str
    title: str
    voice: str
    vertices: Array
    normals: Array
    faces: NDArray[np.int32]
    uv: Array
    joints: Array
    weight_index: NDArray[np.uint8]
    weight_value: Array
    morph_names: tuple[str, ...]
    morph_vertices: NDArray[np.int32]
    morph_offsets: Array
    parts: tuple[Part, ...]
    landmarks: Mapping[str, int]
    licence: str

    @functools.cached_property
    def skeleton(self) -> Skeleton:
        """The canonical skeleton with this person's proportions."""
        parents = np.array(PARENTS)
        offsets = self.joints - np.where(parents[:, None] >= 0, self.joints[parents], 0)
        return Skeleton(JOINTS, tuple(parents.tolist()), offsets)

    @functools.cached_property
    def _runtime(self) -> _Runtime:
        return _Runtime.of(self)

    def landmark(self, name: str) -> int:
        """Vertex index of a landmark; a DataError lists the names when there is none."""
        return self.landmarks[choose("landmark", name, self.landmarks)]


@dataclass(frozen=True, eq=False)
class _Runtime:
    """An avatar laid out for :func:`skin`.

    Vertices are sorted into runs: those that follow one joint (hair, eyes, teeth, most of the
    head), then blocks that share few joints. Small dense products over a block's own joints beat
    gathering four matrices per vertex, and below ``_GEMM`` multiply-adds BLAS stays on the caller's
    thread: on a busy machine waking its pool costs far more than the product.
    """

    order: NDArray[np.intp]
    rest: Array  # (4, V) homogeneous, in that order
    rigid: tuple[tuple[int, slice], ...]
    soft: tuple[tuple[slice, NDArray[np.intp], Array], ...]
    morphs: tuple[tuple[NDArray[np.intp], Array], ...]  # places in the order and (3, n) offsets

    @classmethod
    def of(cls, avatar: Avatar) -> _Runtime:
        index, value = avatar.weight_index, avatar.weight_value
        alone = value[:, 0] > 0.999
        order = np.lexsort((np.where(alone, 0, index[:, 1]), index[:, 0], ~alone))
        index, value = index[order], value[order]
        start = int(alone.sum())
        edges = np.r_[0, np.flatnonzero(np.diff(index[:start, 0].astype(int))) + 1, start].tolist()
        rigid = tuple((int(index[a, 0]), slice(a, b)) for a, b in itertools.pairwise(edges) if b > a)
        soft = []
        while start < len(order):
            stop = len(order)
            while True:
                joints = np.unique(index[start:stop][value[start:stop] > 0])
                if 12 * (stop - start) * len(joints) <= _GEMM or stop - start == 1:
                    break
                stop = start + (stop - start) // 2
            dense = np.zeros((len(joints), stop - start), np.float32)
            column = np.minimum(np.searchsorted(joints, index[start:stop]), len(joints) - 1)
            for k in range(4):
                np.add.at(dense, (column[:, k], np.arange(stop - start)), value[start:stop, k])
            soft.append((slice(start, stop), joints.astype(np.intp), dense))
            start = stop
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        moving = [np.flatnonzero(np.abs(offset).max(1) > 0) for offset in avatar.morph_offsets]
        morphs = tuple(
            (place[avatar.morph_vertices[rows]], np.ascontiguousarray(offset[rows].T))
            for rows, offset in zip(moving, avatar.morph_offsets, strict=True)
        )
        rest = np.concatenate([avatar.vertices[order].T, np.ones((1, len(order)), np.float32)])
        return cls(order, rest, rigid, tuple(soft), morphs)


def avatars() -> list[str]:
    """Names of the people that ship with Kinesics.

    >>> "maya" in avatars()
    True
    """
    folder = resources.files("kinesics.bodies") / "data"
    return sorted(f.name[:-4] for f in folder.iterdir() if f.name.endswith(".npz"))


def avatar_glb(name: str) -> Path:
    """Path of the ``.glb`` of a person: a glTF 2.0 with the same joints, morphs and materials."""
    choose("avatar", name, avatars())
    return Path(str(resources.files("kinesics.bodies") / "data" / f"{name}.glb"))


def load_avatar(name: str | Path = "maya") -> Avatar:
    """Load a person by name, or from a ``.npz`` of the same layout.

    Parameters
    ----------
    name
        One of :func:`avatars`, or a path that ends in ``.npz``.

    Returns
    -------
    Avatar
        Loaded once per process and shared: it is immutable.

    Raises
    ------
    DataError
        If there is no such person.
    FormatError
        If the file is not an avatar.

    Examples
    --------
    >>> load_avatar("maya").joints.shape
    (55, 3)
    """
    if str(name).endswith(".npz"):
        return _load(str(name))
    choose("avatar", name, avatars())
    return _load(str(resources.files("kinesics.bodies") / "data" / f"{name}.npz"))


def skin(
    avatar: Avatar, rotations: ArrayLike, *, root: ArrayLike | None = None, weights: ArrayLike | None = None
) -> Array:
    """Pose an avatar.

    Parameters
    ----------
    avatar
        The person.
    rotations
        (55, 4) or (T, 55, 4) local quaternions wxyz relative to the T-pose.
    root
        (3,) or (T, 3) world position of the hips in metres; None leaves them where they rest.
    weights
        (52,) or (T, 52) morph weights in the order of ``avatar.morph_names``; None is the
        neutral face. Values outside 0–1 are extrapolated.

    Returns
    -------
    ndarray
        (V, 3) or (T, V, 3) float32 vertex positions in metres.

    Raises
    ------
    DataError
        If a shape does not fit or a value is not finite.

    Examples
    --------
    >>> person = load_avatar("maya")
    >>> rest = skin(person, np.tile([1.0, 0, 0, 0], (55, 1)))
    >>> bool(np.allclose(rest, person.vertices, atol=1e-5))
    True
    """
    q = _checked("rotations", rotations, (len(JOINTS), 4))
    frames = len(q) if q.ndim == 3 else None
    hips = None if root is None else _checked("root", root, (3,), frames)
    face = None if weights is None else _checked("weights", weights, (len(avatar.morph_names),), frames)
    position, orientation = avatar.skeleton.forward(q, avatar.joints[0] if hips is None else hips)
    matrix = rot.to_matrix(rot.normalise(orientation)).astype(np.float32, copy=False)
    offset = position - np.einsum("...jab,jb->...ja", matrix, avatar.joints)
    transform = np.concatenate([matrix, offset[..., None]], axis=-1).astype(np.float32, copy=False)
    if frames is None:
        return _blend(avatar, transform, face)
    out = np.empty((frames, len(avatar.vertices), 3), np.float32)
    for t in range(frames):
        row = face if face is None or face.ndim == 1 else face[t]
        out[t] = _blend(avatar, transform[t], row)
    return out


def _blend(avatar: Avatar, transform: Array, face: Array | None) -> Array:
    run = avatar._runtime
    p = run.rest
    if face is not None and np.any(face):
        p = p.copy()
        for k in np.flatnonzero(face):
            ids, offset = run.morphs[k]
            for row in range(3):
                p[row, ids] += face[k] * offset[row]
    posed = np.empty((3, p.shape[1]), np.float32)
    for joint, span in run.rigid:
        np.matmul(transform[joint], p[:, span], out=posed[:, span])
    for span, joints, dense in run.soft:
        m = np.ascontiguousarray(transform[joints].reshape(-1, 12).T) @ dense
        np.einsum("rcn,cn->rn", m.reshape(3, 4, -1), p[:, span], out=posed[:, span])
    out = np.empty((p.shape[1], 3), np.float32)
    out[run.order] = posed.T
    return out


def _checked(what: str, values: ArrayLike, shape: tuple[int, ...], frames: int | None = None) -> Array:
    array = np.asarray(values, dtype=np.float32)
    extra = array.ndim - len(shape)
    if extra not in (0, 1) or array.shape[extra:] != shape:
        raise DataError(
            f"{what} has shape {array.shape}; expected {shape} or (T, {', '.join(map(str, shape))})"
        )
    if extra and what != "rotations" and len(array) != frames:
        raise DataError(f"{what} has {len(array)} frames, rotations have {frames or 'a single frame'}")
    if not np.isfinite(array).all():
        raise DataError(f"{what} has values that are not finite")
    return array


@functools.lru_cache(maxsize=8)
def _load(path: str) -> Avatar:
    try:
        with np.load(path, allow_pickle=False) as stored:
            data = {key: stored[key] for key in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FormatError(path, "whole file", "an avatar .npz", f"build it again ({error})") from error
    try:
        return _assemble(data)
    except (KeyError, IndexError, ValueError) as error:
        raise FormatError(path, str(error), "the arrays of an avatar", "build it again") from error


def _assemble(data: dict[str, NDArray[Any]]) -> Avatar:
    if tuple(data["joint_names"].tolist()) != JOINTS:
        raise ValueError("joint_names")
    about = json.loads(data["about"].tobytes())
    materials = [
        Material(
            m["name"],
            tuple(m["color"]),
            m["roughness"],
            m["alpha"],
            m["double_sided"],
            data[m["texture"]].tobytes() if m["texture"] else None,
        )
        for m in json.loads(data["materials"].tobytes())
    ]
    first, face = data["part_start"].tolist(), data["part_face_start"].tolist()
    parts = tuple(
        Part(str(n), materials[m], slice(first[i], first[i + 1]), slice(face[i], face[i + 1]))
        for i, (n, m) in enumerate(zip(data["part_names"], data["part_material"], strict=True))
    )
    moved, offsets = _dense_morphs(data)
    normals = data["normals"].astype(np.float32)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1)
    arrays = {
        "vertices": data["vertices"],
        "normals": normals,
        "faces": data["faces"],
        "uv": data["uv"],
        "joints": data["joints"],
        "weight_index": data["weight_index"],
        "weight_value": data["weight_value"],
        "morph_vertices": moved,
        "morph_offsets": offsets,
    }
    for array in arrays.values():
        array.setflags(write=False)
    landmarks = dict(zip(data["landmark_names"].tolist(), data["landmark_vertices"].tolist(), strict=True))
    return Avatar(
        name=about["name"],
        title=about["title"],
        voice=about["voice"],
        morph_names=tuple(data["morph_names"].tolist()),
        parts=parts,
        landmarks=MappingProxyType(landmarks),
        licence=data["licence"].tobytes().decode(),
        **arrays,
    )


def _dense_morphs(data: dict[str, NDArray[Any]]) -> tuple[NDArray[np.int32], Array]:
    start, vertex = data["morph_start"], data["morph_vertex"].astype(np.int32)
    moved, column = np.unique(vertex, return_inverse=True)
    offsets = np.zeros((len(start) - 1, len(moved), 3), np.float32)
    for k, scale in enumerate(data["morph_scale"]):
        rows = slice(start[k], start[k + 1])
        offsets[k, column[rows]] = data["morph_offset"][rows] * scale
    return moved.astype(np.int32), offsets
