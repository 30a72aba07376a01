"""Parts of a person: triangles with skin weights, morphs, texture coordinates and a material."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from avatars import source


@dataclass(frozen=True)
class Material:
    """How a part looks; ``texture`` is an encoded PNG or JPEG, colours are linear 0–1 factors."""

    name: str
    color: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    roughness: float = 0.8
    texture: bytes | None = None
    alpha: str = "OPAQUE"  # or MASK, BLEND
    double_sided: bool = False
    specular: float = 1.0


@dataclass(frozen=True)
class Part:
    """A piece of the person in the T-pose. ``origin`` is each vertex's base mesh id, -1 if new."""

    name: str
    material: Material
    position: np.ndarray  # (N, 3)
    uv: np.ndarray  # (N, 2), v down as in glTF
    faces: np.ndarray  # (F, 3)
    weights: np.ndarray  # (N, 55) dense
    origin: np.ndarray  # (N,)
    morphs: dict[str, np.ndarray] = field(default_factory=dict)  # name -> (N, 3)
    normal: np.ndarray | None = None  # (N, 3)
    smooth: np.ndarray | None = None  # (N,) vertices with the same number share a normal

    def keep(self, face_mask: np.ndarray) -> Part:
        """The part with only some of its faces (and the vertices they use)."""
        faces = self.faces[face_mask]
        used, inverse = np.unique(faces, return_inverse=True)
        pick = {k: getattr(self, k) for k in ("normal", "smooth")}
        return replace(
            self,
            position=self.position[used],
            uv=self.uv[used],
            faces=inverse.reshape(-1, 3),
            weights=self.weights[used],
            origin=self.origin[used],
            morphs={k: v[used] for k, v in self.morphs.items()},
            **{k: None if v is None else v[used] for k, v in pick.items()},
        )

    def with_normals(self) -> Part:
        """The part with area-weighted normals, smooth across texture seams."""
        group = self.smooth if self.smooth is not None else weld(self.position)
        return replace(self, normal=normals(self.position, self.faces, group), smooth=group)


def weld(position: np.ndarray) -> np.ndarray:
    """(N,) the same number for vertices at the same place (to 10 µm)."""
    _, inverse = np.unique(np.round(position * 1e5).astype(np.int64), axis=0, return_inverse=True)
    return inverse.reshape(-1)


def normals(position: np.ndarray, faces: np.ndarray, group: np.ndarray | None = None) -> np.ndarray:
    """(N, 3) unit vertex normals weighted by face area; vertices of one group share theirs."""
    group = np.arange(len(position)) if group is None else group
    a, b, c = (position[faces[:, k]] for k in range(3))
    face_normal = np.cross(b - a, c - a)
    total = np.zeros((group.max() + 1, 3))
    for k in range(3):
        np.add.at(total, group[faces[:, k]], face_normal)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)
    return total[group]


def triangles(quads: np.ndarray) -> np.ndarray:
    """(2F, 3) triangles of quads (F, 4)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def from_group(
    name: str,
    groups: list[str],
    material: Material,
    position: np.ndarray,
    weights: np.ndarray,
    morphs: dict[str, np.ndarray],
) -> Part:
    """A part cut from groups of the base mesh; vertices are split where texture seams run."""
    base = source.base()
    quads = np.concatenate([base.quads[g] for g in groups])
    quad_uv = np.concatenate([base.quad_uv[g] for g in groups])
    corners = np.stack([triangles(quads), triangles(quad_uv)], axis=-1).reshape(-1, 2)
    pairs, inverse = np.unique(corners, axis=0, return_inverse=True)
    ids, uv_ids = pairs[:, 0], pairs[:, 1]
    moved = {k: v[ids] for k, v in morphs.items()}
    return Part(
        name,
        material,
        position[ids],
        np.c_[base.uv[uv_ids, 0], 1 - base.uv[uv_ids, 1]],
        inverse.reshape(-1, 3),
        weights[ids],
        ids,
        {k: v for k, v in moved.items() if np.abs(v).max(initial=0) > 1e-6},
        smooth=np.unique(ids, return_inverse=True)[1].reshape(-1),
    )


def smooth_field(
    values: np.ndarray, faces: np.ndarray, group: np.ndarray, mask: np.ndarray, times: int
) -> np.ndarray:
    """Average (N, K) values with their neighbours, ``mask`` (N,) 0–1 saying how much."""
    n = group.max() + 1
    edges = np.unique(np.sort(group[faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)], axis=1), axis=0)
    count = np.bincount(edges.reshape(-1), minlength=n)
    first = np.zeros(n, dtype=int)
    first[group[::-1]] = np.arange(len(group))[::-1]
    state, amount = values[first], mask[first][:, None]
    for _ in range(times):
        total = np.zeros_like(state)
        np.add.at(total, edges[:, 0], state[edges[:, 1]])
        np.add.at(total, edges[:, 1], state[edges[:, 0]])
        state = state + amount * (total / np.maximum(count, 1)[:, None] - state)
    return state[group]


def join(name: str, parts: list[Part], material: Material) -> Part:
    """Several parts as one, with a common material; morphs are dropped."""
    start = np.cumsum([0] + [len(p.position) for p in parts])
    return Part(
        name,
        material,
        np.concatenate([p.position for p in parts]),
        np.concatenate([p.uv for p in parts]),
        np.concatenate([p.faces + s for p, s in zip(parts, start, strict=False)]),
        np.concatenate([p.weights for p in parts]),
        np.concatenate([p.origin for p in parts]),
    ).with_normals()
