"""Put one person together: shape, T-pose, face, skin, hair, clothes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avatars import clothes, eyes, face, hair, landmarks, mesh, paint, rest, skin, source
from avatars.people import Person
from kinesics.bodies.arkit import ARKIT

HEAD, MOUTH, SOCKETS = 0, 1, (2, 3)


def srgb(rgb: tuple[int, int, int]) -> tuple[float, float, float, float]:
    """Linear factors of an sRGB colour."""
    c = np.array(rgb) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return (*np.round(linear, 4).tolist(), 1.0)


def bare(who: Person) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Sculpted and T-pose vertices, joints, weights and morphs of the undressed person."""
    sculpted = source.shape(who.phenotype, who.race, who.details)
    sculpted = face.seal_lips(face.inner_mouth(sculpted))
    weights = rest.dense(*rest.four(rest.fold_weights()))
    position, joints = rest.t_pose(sculpted, weights)
    return sculpted, position, joints, weights, face.morphs(sculpted)


def islands(part: mesh.Part) -> np.ndarray:
    """(F,) 0 head, 1 inner mouth, 2 and 3 eye sockets, 4 everything else: the atlas tells them apart."""
    u, v = part.uv[part.faces].mean(1).T
    v = 1 - v
    out = np.full(len(part.faces), 4)
    out[(u > 0.755) & (v < 0.14) & (source.base().vertices[part.origin][part.faces].mean(1)[:, 1] > 0.5)] = (
        MOUTH
    )
    out[(u > 0.64) & (v > 0.148) & (v < 0.82) & ~((u < 0.753) & (v > 0.6) & _torso(part))] = HEAD
    out[(u < 0.08) & (v > 0.54) & (v < 0.64)] = SOCKETS[0]
    out[(u > 0.08) & (u < 0.155) & (v > 0.54) & (v < 0.64)] = SOCKETS[1]
    return out


def _torso(part: mesh.Part) -> np.ndarray:
    return np.abs(source.base().vertices[part.origin][part.faces].mean(1)[:, 0]) > 0.09


def build(who: Person) -> tuple[list[mesh.Part], np.ndarray, dict[str, int], dict]:
    """Parts, T-pose joints (55, 3), landmark vertices and a description of the person."""
    _, position, joints, weights, morphs = bare(who)
    floor = position[source.base().groups["body"], 1].min() - clothes.SOLE * 0.7
    position, joints = position - [0, floor, 0], joints - [0, floor, 0]

    def cut(name: str, groups: list[str], material: mesh.Material) -> mesh.Part:
        return mesh.from_group(name, groups, material, position, weights, morphs).with_normals()

    body = cut(
        "skin", ["body"], mesh.Material("skin", roughness=0.62, texture=skin.body_texture(who), specular=0.5)
    )
    where = islands(body)
    head = body.keep(where == HEAD)
    head = replace(head, name="head", uv=paint.head_uv(head.uv))
    head = replace(
        head,
        material=mesh.Material("face", roughness=0.58, texture=skin.head_texture(head, who), specular=0.5),
    )
    mouth = replace(body.keep(where == MOUTH), name="mouth")
    mouth = eyes.deepen(mouth, (0.44, 0.17, 0.16), (0.07, 0.02, 0.02), "mouth", 0.6)
    lid_color = tuple(int(c) for c in np.array(who.skin) * [0.8, 0.58, 0.55])
    sockets = replace(
        body.keep(np.isin(where, SOCKETS)),
        name="sockets",
        material=mesh.Material("lid_insides", srgb(lid_color), 0.6),
    )
    plain = mesh.Material("plain")

    def teeth(part: mesh.Part) -> mesh.Part:
        return eyes.deepen(part, (0.88, 0.84, 0.78), (0.30, 0.24, 0.21), "teeth", 0.35)

    parts = [
        head,
        mouth,
        sockets,
        eyes.deepen(
            cut("tongue", ["helper-tongue"], plain), (0.62, 0.28, 0.28), (0.16, 0.05, 0.05), "tongue", 0.5
        ),
        teeth(cut("lower_teeth", ["helper-lower-teeth"], plain)),
        eyes.lashes(cut("lashes", [f"helper-{s}-eyelashes-{k}" for s in "lr" for k in (1, 2)], plain)),
        teeth(cut("upper_teeth", ["helper-upper-teeth"], plain)),
        eyes.eyeballs(position, joints, who),
        *clothes.dress(
            position, weights, replace(body.keep(where == 4), name="body", morphs={}), joints, who
        ),
        *hair.build(head, joints, who),
    ]
    about = {
        "name": who.name,
        "title": who.title,
        "voice": who.voice,
        "height": round(float(position[:13380, 1].max()), 4),
    }
    assert all(name in ARKIT for p in parts for name in p.morphs)
    return parts, joints, landmarks.find(parts, joints), about
