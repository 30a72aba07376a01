"""The part of an avatar's face that losses look at: some hundred vertices, what moves them, and where they lie.

Only the skin of the head counts. A vertex belongs to the region whose morphs move it furthest, measured against the
most that each of these morphs moves anything; of each region as many vertices are kept as asked, spread evenly. The 68
landmarks of iBUG are always among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies import ibug
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import Avatar, load_avatar
from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError

Array = NDArray[np.float32]
Places = NDArray[np.int64]

REGIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lips": (
            "mouthClose",
            "mouthFunnel",
            "mouthPucker",
            "mouthRoll",
            "mouthPress",
            "mouthUpperUp",
            "mouthLowerDown",
        ),
        "brows": ("brow",),
        "lids": ("eyeBlink", "eyeWide", "eyeSquint"),
        "cheeks": ("cheek", "noseSneer"),
        "jaw": ("jaw",),
    }
)
"""Region → beginnings of the names of the coefficients that make it."""
COUNTS: Mapping[str, int] = MappingProxyType({"lips": 120, "brows": 60, "lids": 60, "cheeks": 60, "jaw": 60})
"""How many vertices of each region are kept (ours)."""
_REACH = 0.25


@dataclass(frozen=True, eq=False)
class FacePoints:
    """Some vertices of a face and what moves them; arrays only.

    Parameters
    ----------
    vertices
        (V,) indices among the avatar's.
    neutral
        (V, 3) places in the T-pose, metres.
    offsets
        (52, V, 3) what each coefficient of ``ARKIT`` adds at weight 1, metres.
    joints
        (V, 55) how much of each vertex follows each canonical joint; rows sum to one.
    regions
        Region → places among the V. Few vertices are in none.
    landmarks
        (68,) places of the iBUG landmarks among the V.
    """

    vertices: Places
    neutral: Array
    offsets: Array
    joints: Array
    regions: Mapping[str, Places]
    landmarks: Places

    @property
    def mouth(self) -> Places:
        """(20,) places of the lips' landmarks: outer, then inner."""
        return self.landmarks[ibug.MOUTH]

    @property
    def upper(self) -> Places:
        """Places of brows and lids."""
        return np.concatenate([self.regions["brows"], self.regions["lids"]])


@lru_cache(maxsize=8)
def face_points(avatar: str | Avatar = "maya") -> FacePoints:
    """Choose the vertices of a face.

    Parameters
    ----------
    avatar
        A person who ships, or another with the same head.

    Raises
    ------
    DataError
        If the avatar has another head, or lacks coefficients.

    Examples
    --------
    >>> points = face_points("maya")
    >>> points.offsets.shape[0], sorted(points.regions)
    (52, ['brows', 'cheeks', 'jaw', 'lids', 'lips'])
    """
    person = load_avatar(avatar) if isinstance(avatar, str) else avatar
    missing = [n for n in ARKIT if n not in person.morph_names]
    head = next((p.vertices for p in person.parts if p.name == "head"), slice(0, 0))
    if missing or head.start != 0 or head.stop <= max(ibug.VERTICES):
        raise DataError(
            f"avatar {person.name}: not the shared head with the 52 ARKit morphs; its face has no points"
        )
    size = head.stop
    offsets = np.zeros((len(ARKIT), len(person.vertices), 3), np.float32)
    offsets[:, person.morph_vertices] = person.morph_offsets[[person.morph_names.index(n) for n in ARKIT]]
    offsets, neutral = offsets[:, :size], person.vertices[:size]
    moved = np.linalg.norm(offsets, axis=2)
    moved /= np.maximum(moved.max(axis=1, keepdims=True), 1e-6)
    reach = np.stack(
        [
            moved[[i for i, n in enumerate(ARKIT) if n.startswith(names)]].max(axis=0)
            for names in REGIONS.values()
        ]
    )
    region = np.where(reach.max(axis=0) > _REACH, reach.argmax(axis=0), -1)
    kept = [
        _spread(np.flatnonzero(region == i), neutral, reach[i], COUNTS[name])
        for i, name in enumerate(REGIONS)
    ]
    chosen = np.unique(np.concatenate([*kept, ibug.VERTICES]))
    regions = {name: np.flatnonzero(region[chosen] == i) for i, name in enumerate(REGIONS)}
    joints = np.zeros((len(chosen), len(JOINTS)), np.float32)
    rows = np.arange(len(chosen))[:, None]
    np.add.at(joints, (rows, person.weight_index[chosen]), person.weight_value[chosen])
    return FacePoints(
        chosen,
        np.ascontiguousarray(neutral[chosen]),
        np.ascontiguousarray(offsets[:, chosen]),
        joints,
        MappingProxyType(regions),
        np.searchsorted(chosen, ibug.VERTICES),
    )


def _spread(among: Places, neutral: Array, reach: NDArray, count: int) -> Places:
    """``count`` of some vertices, each as far as can be from those before; the one that moves most is the first."""
    if len(among) <= count:
        return among
    place = neutral[among].astype(float)
    taken = [int(reach[among].argmax())]
    away = np.full(len(among), np.inf)
    for _ in range(count - 1):
        away = np.minimum(away, np.square(place - place[taken[-1]]).sum(axis=1))
        taken.append(int(away.argmax()))
    return among[np.sort(taken)]
