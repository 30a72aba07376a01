"""People who do not exist, built when they are needed from the two who ship.

An identity is a frozen :class:`~kinesics.bodies.avatar.Avatar` like any other: it can be posed, painted,
performed on and written to files. Faces lie between and beyond the two shipped ones (see ``_face``), bodies
are stretched bone by bone (``_body``), and everything is repainted (``_paint``). Nothing is downloaded or
stored: seed and number say it all.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.avatar import Avatar, Material, Part, load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.render.textures import linear
from kinesics.stage import _face, _paint
from kinesics.stage._body import BodyMap
from kinesics.stage.traits import Traits, draw_traits

_HAIR = {"bob": "maya", "short": "theo"}
_LOOSE = ("hair_cap", "hair")


@lru_cache(maxsize=8)
def identity(seed: int, number: int = 0) -> Avatar:
    """Person ``number`` of a seed.

    Parameters
    ----------
    seed
        Of the crowd.
    number
        Which of its people.

    Returns
    -------
    Avatar
        The same, bit for bit, every time; joints, morphs, parts and landmarks as in ``docs/avatars.md``.

    Raises
    ------
    MissingExtra
        Without the extra ``video``, which decodes and encodes textures.

    Examples
    --------
    >>> identity(7, 0).title != identity(7, 3).title
    True
    """
    return build(draw_traits(seed, number), name=f"person-{seed}-{number}", number=number)


def build(traits: Traits, *, name: str, number: int = 0, painted: bool = True) -> Avatar:
    """The person with these traits.

    Parameters
    ----------
    traits
        Who.
    name
        What the avatar is called.
    number
        Seeds what is random in the textures: freckles, grey strands.
    painted
        Whether textures are made; without them the person has those of the one they are built from, which
        does where nobody looks.
    """
    native = 0 if traits.woman else 1
    base = load_avatar(("maya", "theo")[native])
    body = BodyMap(base, traits)
    count = _face.head_count(base)
    head = base.joints[INDEX["head"]].astype(np.float64)
    mixed, offsets, eyes, field = _face.mix(traits, native, _free(base.name, count))
    x = base.vertices.astype(np.float64)
    index, value = base.weight_index, base.weight_value.astype(np.float64)
    inner, owns = mixed.copy(), np.einsum("nk,nk->n", value[:count], np.isin(index[:count], _HEAD_JOINTS))
    shaped = field(mixed)
    for part in base.parts:
        if part.name in ("eyes", "lashes", "sockets"):
            for k, side in enumerate((1, -1)):
                rows = np.arange(part.vertices.start, part.vertices.stop)
                rows = rows[side * inner[rows, 0] > 0]
                shaped[rows] = field(inner[rows], eye=k)
    # Where the neck begins to move it, skin has its own place.
    x[:count] = head + inner + owns[:, None] * (shaped - inner)
    loose = [p for p in base.parts if p.name in _LOOSE]
    keep = min(p.vertices.start for p in loose)
    near = np.linalg.norm(x[count:keep] - head, axis=1) < 0.35
    share = np.einsum("nk,nk->n", value[count:keep], np.isin(index[count:keep], _HEAD_JOINTS))
    moved = x[count:keep] - head
    x[count:keep] += (field(moved) - moved) * (share * near)[:, None]
    vertices = body(x[:keep], index[:keep], value[:keep])
    joints = body.joints.copy()
    for k, j in enumerate((INDEX["leftEye"], INDEX["rightEye"])):
        place = head + field(eyes[[k]], eye=k)[0]
        joints[j] = joints[INDEX["head"]] + body.stretch[INDEX["head"]] * (place - head)
    for part in base.parts:
        if part.name == "eyes":  # with the eyes' joints, not with those they had
            place = joints[INDEX["head"]] + body.stretch[INDEX["head"]] * (x[part.vertices] - head)
            vertices[part.vertices] = place
    moving = base.morph_vertices
    scale = body.scales(index[moving], value[moving])
    offsets = field.turned(offsets, inner[moving]) * scale[None]
    made = _Mesh(base, keep, vertices, traits, number, painted)
    if traits.style in _HAIR:
        made.add_hair(
            _HAIR[traits.style], mixed, field, joints[INDEX["head"]], body.stretch[INDEX["head"]], native
        )
    floor = made.floor()
    joints[:, 1] -= floor
    return made.avatar(name, joints, offsets, floor)


_HEAD_JOINTS = [INDEX[n] for n in ("head", "jaw", "leftEye", "rightEye")]


@lru_cache(maxsize=2)
def _free(name: str, count: int) -> NDArray[np.float64]:
    """(H,) how free a head's vertices are to differ from their body's own: not where they meet the neck."""
    base = load_avatar(name)
    rest = next(p for p in base.parts if p.name == "body")
    other, own = base.vertices[rest.vertices], base.vertices[:count]
    known = {tuple(p) for p in np.round(other * 1e5).astype(int).tolist()}
    seam = np.array([tuple(p) in known for p in np.round(own * 1e5).astype(int).tolist()])
    away = np.full(count, np.inf)
    for first in range(0, count, 1024):
        d = np.linalg.norm(own[first : first + 1024, None] - own[None, seam], axis=-1)
        away[first : first + 1024] = d.min(axis=1)
    owns = np.einsum("nk,nk->n", base.weight_value[:count], np.isin(base.weight_index[:count], _HEAD_JOINTS))
    t = np.clip(away / 0.045, 0, 1)
    return t * t * (3 - 2 * t) * (owns > 0.3)


class _Mesh:
    """Arrays and parts of a person in the making."""

    def __init__(
        self, base: Avatar, keep: int, vertices: NDArray, traits: Traits, number: int, painted: bool
    ) -> None:
        self.base, self.traits, self.number, self.painted = base, traits, number, painted
        self.vertices = [vertices]
        self.uv, self.index, self.value = (
            [base.uv[:keep]],
            [base.weight_index[:keep]],
            [base.weight_value[:keep]],
        )
        self.hair = ""
        last = max(p.faces.stop for p in base.parts if p.name not in _LOOSE)
        self.faces = [base.faces[:last]]
        textures: dict[str, bytes] = {}
        if painted:
            textures = {
                "head": _paint.head_texture(traits, number),
                "body": _paint.body_texture(base, traits),
                "eyes": _paint.eye_texture(base, traits),
                **_paint.cloth_textures(base, traits),
            }
        self.parts = [
            replace(p, material=self._material(p, textures.get(p.name)))
            for p in base.parts
            if p.name not in _LOOSE
        ]

    def _material(self, part: Part, texture: bytes | None) -> Material:
        m = part.material
        if texture is not None:
            return replace(m, texture=texture)
        if part.name == "sockets":
            return replace(m, color=_paint.lid_colour(self.traits))
        if part.name == "soles":
            pale = np.array(self.traits.shoes).mean() > 150
            shade = linear(np.array(self.traits.shoes) / 255) * (1.0 if pale else 0.4)
            return replace(m, color=(*np.round(shade, 4).tolist(), 1.0))
        return m

    def add_hair(
        self, name: str, mixed: NDArray, field: _face.Field, head: NDArray, scale: NDArray, native: int
    ) -> None:
        """Hair of a shipped person, on this head."""
        self.hair = name
        source, size = load_avatar(name), _face.heads()[native].size
        textures = _paint.hair_textures(self.traits.style, self.traits, self.number) if self.painted else {}
        for p in source.parts:
            if p.name not in _LOOSE:
                continue
            x = _face.carried(name, p.name, mixed * size) / size
            if name == "maya" and p.name == "hair":
                x = self._cut(x, field)
            x = head + scale * field(x)
            start = sum(len(v) for v in self.vertices)
            faces = source.faces[p.faces] - p.vertices.start + start
            first = sum(len(f) for f in self.faces)
            self.vertices.append(x)
            self.faces.append(faces)
            self.uv.append(source.uv[p.vertices])
            self.index.append(source.weight_index[p.vertices])
            self.value.append(source.weight_value[p.vertices])
            self.parts.append(
                Part(
                    p.name, replace(p.material, texture=textures.get(p.name, p.material.texture)),
                    slice(start, start + len(x)), slice(first, first + len(faces)),
                )
            )  # fmt: skip

    def _cut(self, x: NDArray, field: _face.Field) -> NDArray:
        """The bob, longer or shorter: below the ears' tops it hangs, and is shortened or lengthened."""
        out = x.copy()
        ear = field.eyes[0, 1]
        below = np.clip(ear - x[:, 1], 0, None)
        out[:, 1] = x[:, 1] + below * (1 - self.traits.hair_length)
        return out

    def floor(self) -> float:
        """Height of the lowest point."""
        return float(min(v[:, 1].min() for v in self.vertices))

    def avatar(self, name: str, joints: NDArray, offsets: NDArray, floor: float) -> Avatar:
        """The finished person, standing on the floor."""
        vertices = np.concatenate(self.vertices)
        vertices[:, 1] -= floor
        faces = np.concatenate(self.faces).astype(np.int32)
        weld = _welded(self.base.name, self.hair)
        t = self.traits
        arrays = {
            "vertices": vertices.astype(np.float32),
            "normals": _normals(vertices, faces, weld),
            "faces": faces,
            "uv": np.concatenate(self.uv),
            "joints": joints.astype(np.float32),
            "weight_index": np.concatenate(self.index),
            "weight_value": np.concatenate(self.value),
            "morph_vertices": self.base.morph_vertices,
            "morph_offsets": offsets.astype(np.float32),
        }
        for array in arrays.values():
            array.setflags(write=False)
        return Avatar(
            name=name,
            title=f"a {'woman' if t.woman else 'man'} of {t.age:.0f} with {_hair(t)} and {t.iris_name} eyes",
            voice=self.base.voice,
            morph_names=self.base.morph_names,
            parts=tuple(self.parts),
            landmarks=MappingProxyType(dict(self.base.landmarks)),
            licence=self.base.licence,
            **arrays,
        )


@lru_cache(maxsize=8)
def _welded(name: str, hair: str) -> NDArray[np.intp]:
    """(V,) the same number for vertices that a texture's seam has split: same part, place and normal at rest."""
    rows, count = [], 0
    for owner, loose in ((name, False), (hair, True)):
        person = load_avatar(owner) if owner else None
        for p in person.parts if person else ():
            if (p.name in _LOOSE) == loose:
                place, normal = person.vertices[p.vertices], person.normals[p.vertices]
                rows.append(np.c_[place * 1e5, normal * 20, np.full(len(place), count)])
                count += 1
    key = np.round(np.concatenate(rows)).astype(np.int64)
    return np.unique(key, axis=0, return_inverse=True)[1].ravel()


def _hair(t: Traits) -> str:
    if t.style == "bald":
        return "a bald head"
    colour = "grey" if t.grey > 0.6 else f"greying {t.hair_name}" if t.grey > 0.25 else t.hair_name
    return f"{colour} hair"


def _normals(vertices: NDArray, faces: NDArray, weld: NDArray) -> NDArray[np.float32]:
    """(V, 3) area-weighted unit normals; vertices welded together share theirs."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    total = np.zeros((int(weld.max()) + 1, 3))
    for k in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(weld[faces[:, k]], face[:, axis], minlength=len(total))
    total /= np.linalg.norm(total, axis=1, keepdims=True) + 1e-20
    return total[weld].astype(np.float32)
