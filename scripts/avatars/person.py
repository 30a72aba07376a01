"""Put one person together: shape, T-pose, face, skin, hair, clothes."""

from __future__ import annotations

import numpy as np

from avatars import face, landmarks, mesh, rest, source
from avatars.people import Person
from kinesics.bodies.arkit import ARKIT


def srgb(rgb: tuple[int, int, int]) -> tuple[float, float, float, float]:
    """Linear factors of an sRGB colour."""
    c = np.array(rgb) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return (*np.round(linear, 4).tolist(), 1.0)


def build(who: Person) -> tuple[list[mesh.Part], np.ndarray, dict[str, int], dict]:
    """Parts, T-pose joints (55, 3), landmark vertices and a description of the person."""
    sculpted = source.shape(who.phenotype, who.race, who.details)
    weights = rest.dense(*rest.four(rest.fold_weights()))
    position, joints = rest.t_pose(sculpted, weights)
    floor = position[source.base().groups["body"], 1].min()
    position = position - [0, floor, 0]
    joints = joints - [0, floor, 0]
    morphs = face.morphs(position, joints)

    def cut(name: str, groups: list[str], material: mesh.Material) -> mesh.Part:
        return mesh.from_group(name, groups, material, position, weights, morphs).with_normals()

    skin = mesh.Material("skin", srgb(who.skin), 0.6)
    parts = [
        cut("skin", ["body"], skin),
        cut("tongue", ["helper-tongue"], mesh.Material("tongue", srgb((176, 88, 88)), 0.4)),
        cut("lower_teeth", ["helper-lower-teeth"], mesh.Material("teeth", srgb((236, 228, 214)), 0.25)),
        cut(
            "lashes",
            [f"helper-{s}-eyelashes-{k}" for s in "lr" for k in (1, 2)],
            mesh.Material("lashes", srgb((20, 15, 12)), 0.9, double_sided=True),
        ),
        cut("upper_teeth", ["helper-upper-teeth"], mesh.Material("teeth", srgb((236, 228, 214)), 0.25)),
        cut("eyes", ["helper-l-eye", "helper-r-eye"], mesh.Material("eyes", srgb((240, 238, 234)), 0.1)),
    ]
    about = {"name": who.name, "title": who.title, "height": float(position[:13380, 1].max())}
    assert all(name in ARKIT for p in parts for name in p.morphs)
    return parts, joints, landmarks.find(parts, joints), about
