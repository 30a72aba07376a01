"""Named vertices that other rooms measure on."""

from __future__ import annotations

import numpy as np

from avatars import source
from avatars.mesh import Part
from kinesics.bodies.humanoid import INDEX

MIDLINE = {
    "upper_lip_mid": 474,
    "lower_lip_mid": 493,
    "upper_lip_front": 455,
    "lower_lip_front": 495,
    "upper_teeth_edge": 15069,
    "lower_teeth_edge": 15010,
    "nose_tip": 297,
    "nose_bridge": 136,
    "chin": 5211,
}
LEFT = {"mouth_corner": 7189, "upper_lid_mid": 6785}
RING_START = {"lid": 6785}
FINGERS = ("Thumb", "Index", "Middle", "Ring", "Little")


def ring(start: int, after: int) -> list[int]:
    """The closed edge loop of the body quads that goes from one vertex to a neighbour and on."""
    touching: dict[int, list[np.ndarray]] = {}
    for quad in source.base().quads["body"]:
        for vertex in quad:
            touching.setdefault(int(vertex), []).append(quad)
    loop = [start, after]
    while len(loop) < 200:
        before, here = loop[-2], loop[-1]
        beside = {int(v) for q in touching[here] if before in q for v in q}
        further = {int(q[(list(q).index(here) + s) % 4]) for q in touching[here] for s in (1, 3)} - beside
        if len(further) != 1:
            raise ValueError(f"the edge loop from {start} ends at {here}")
        onward = further.pop()
        if onward == start:
            return loop
        loop.append(onward)
    raise ValueError(f"the edge loop from {start} does not close")


def lid_rings() -> dict[str, list[list[int]]]:
    """Per eye the lid rings from the front edge inwards: 28 base ids each, upper-lid middle first."""
    left = [ring(6785, 6784), ring(13352, 13353), ring(7748, 7747)]
    mirror = source.base().mirror
    return {"left": left, "right": [[int(mirror[i]) for i in r] for r in left]}


def find(parts: list[Part], joints: np.ndarray) -> dict[str, int]:
    """Index into the person's joined vertex list for every named landmark."""
    start = np.cumsum([0] + [len(p.position) for p in parts])
    where: dict[int, int] = {}
    for part, first in zip(parts, start, strict=False):
        for k, origin in enumerate(part.origin):
            if origin >= 0:
                where.setdefault(int(origin), int(first + k))
    mirror = source.base().mirror
    base = dict(MIDLINE)
    base |= {f"{k}_left": v for k, v in LEFT.items()} | {
        f"{k}_right": int(mirror[v]) for k, v in LEFT.items()
    }
    for side, rings in lid_rings().items():
        vertices = source.base().vertices
        upper = vertices[rings[0][0]]
        lower = [v for v in rings[0] if vertices[v, 1] < upper[1] - 0.004]
        base[f"lower_lid_mid_{side}"] = min(lower, key=lambda v: abs(vertices[v, 0] - upper[0]))
    found = {name: where[vertex] for name, vertex in base.items()}
    position = np.concatenate([p.position for p in parts])
    normal = np.concatenate([p.normal for p in parts])
    weights = np.concatenate([p.weights for p in parts])
    bare = np.concatenate([np.full(len(p.position), p.material.name in ("skin", "face")) for p in parts])
    for side in ("left", "right"):
        hand, knuckle = (joints[INDEX[f"{side}{n}"]] for n in ("Hand", "MiddleProximal"))
        palm = np.where(bare & (normal[:, 1] < -0.8))[0]
        goal = hand + 0.62 * (knuckle - hand) - [0, 0.015, 0]
        found[f"palm_{side}"] = int(palm[np.linalg.norm(position[palm] - goal, axis=1).argmin()])
        for finger in FINGERS:
            last = INDEX[f"{side}{finger}Distal"]
            before = INDEX[f"{side}{finger}{'Proximal' if finger == 'Thumb' else 'Intermediate'}"]
            mine = np.where(bare & (weights[:, last] > 0.5))[0]
            along = (position[mine] - joints[last]) @ (joints[last] - joints[before])
            found[f"{finger.lower()}_tip_{side}"] = int(mine[along.argmax()])
    return found
