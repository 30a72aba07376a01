"""The face at rest and its 52 ARKit morphs, fitted to one person.

The stored actions close the lids and seal the lips of the base face. On another face the same
offsets overshoot or leave a slit, so lids and lips are fitted here: a blink ends where the upper
rim meets the lower one, and lips at rest touch along their whole length (``mouthClose`` undoes
``jawOpen`` exactly, so a rest that seals is a closure that seals).
"""

from __future__ import annotations

import numpy as np

from avatars import landmarks, rest, source
from kinesics.bodies.arkit import ARKIT

MILLIMETRE = 0.001
UPPER_LIP, LOWER_LIP = 0.0003, 0.0005  # how far the lips press into each other, metres


def lip_rings() -> list[list[int]]:
    """Three closed loops around the mouth, outside in: 38 base ids, upper-lip middle first."""
    return [landmarks.ring(a, b) for a, b in ((468, 7224), (474, 7229), (520, 7267))]


def lip_gap(vertices: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest point of the upper lip and highest of the lower one (C,) at columns x (C,), metres."""
    upper, lower = [], []
    for ids in lip_rings()[1:]:
        top = [*ids[-12:], *ids[:13]]
        bottom = ids[13:26]
        for curve, out in ((top, upper), (bottom, lower)):
            p = vertices[sorted(curve, key=lambda i: vertices[i, 0])]
            out.append(np.interp(columns, p[:, 0], p[:, 1]))
    return np.min(upper, axis=0), np.max(lower, axis=0)


def seal_lips(vertices: np.ndarray) -> np.ndarray:
    """The rest face with its lips touching along the whole seam, vertices (19158, 3)."""
    out = vertices.copy()
    jaw = source.face_unit("jawOpen")[:, 1]
    body = source.base().groups["body"]
    corner = vertices[7189, 0]
    for _ in range(3):
        columns = np.linspace(-corner, corner, 61) * 0.97
        top, bottom = lip_gap(out, columns)
        gap = np.maximum(top - bottom + UPPER_LIP + LOWER_LIP, 0)
        seam = (top + bottom) / 2
        near = body[(np.abs(out[body, 0]) < corner * 1.05) & (out[body, 2] > out[7189, 2] - 0.012)]
        x = out[near, 0]
        distance = np.abs(out[near, 1] - np.interp(x, columns, seam))
        fade = np.clip(1 - distance / 0.007, 0, 1) ** 1.5 * np.clip((corner * 1.05 - np.abs(x)) / 0.003, 0, 1)
        lower = _is_lower(near, jaw, out)
        out[near, 1] += np.where(lower, 0.55, -0.45) * fade * np.interp(x, columns, gap)
    return out


def _is_lower(ids: np.ndarray, jaw: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    # The lower lip follows the jaw; towards the corners both lips move, so compare with the seam.
    x = np.abs(vertices[ids, 0]) / vertices[7189, 0]
    threshold = -np.interp(x, [0, 0.4, 0.7, 0.9, 1.0], [17, 15, 12, 12, 13]) * MILLIMETRE
    return jaw[ids] < threshold


def fit_blink(vertices: np.ndarray, side: str, offset: np.ndarray) -> np.ndarray:
    """Offsets of a blink whose upper rim ends on the lower rim of this face (0.3 mm over it)."""
    rings = landmarks.lid_rings()[side]
    rim = np.array(rings[0])
    base = source.base().vertices
    x0 = base[rim, 0]
    inner, outer = rim[np.argmin(np.abs(x0))], rim[np.argmax(np.abs(x0))]
    start, stop = sorted((int(np.flatnonzero(rim == inner)[0]), int(np.flatnonzero(rim == outer)[0])))
    halves = [rim[start : stop + 1], np.r_[rim[stop:], rim[: start + 1]]]
    upper, lower = sorted(halves, key=lambda h: -base[h, 1].mean())
    low = vertices[lower] + offset[lower]
    low = low[np.argsort(low[:, 0])]
    ids = upper[np.argsort(vertices[upper, 0])]
    end = vertices[ids] + offset[ids]
    goal = np.interp(end[:, 0], low[:, 0], low[:, 1]) - 0.3 * MILLIMETRE
    travel = end[:, 1] - vertices[ids, 1]
    scale = np.where(
        travel < -1.5 * MILLIMETRE, (goal - vertices[ids, 1]) / np.minimum(travel, -1e-6), np.nan
    )
    known = np.isfinite(scale)
    scale = np.interp(vertices[ids, 0], vertices[ids[known], 0], np.clip(scale[known], 0.3, 1.6))
    out = offset.copy()
    lash = np.concatenate([source.base().groups[f"helper-{side[0]}-eyelashes-{k}"] for k in (1, 2)])
    skin = np.abs(offset).max(1) > 0
    skin[lash] = False
    moving = np.flatnonzero(skin)
    out[moving] *= np.interp(vertices[moving, 0], vertices[ids, 0], scale)[:, None]
    # The rim itself lands exactly; its neighbours follow by the ring's own error.
    error = goal - (vertices[ids, 1] + out[ids, 1])
    error[[0, -1]] = 0  # the corners of the eye stay
    for loop in rings:
        members = np.array(loop)[np.isin(rim, upper)]
        out[members, 1] += np.interp(vertices[members, 0], vertices[ids, 0], error)
    # Lashes keep how they swing about their roots and go where the rim goes.
    moved = np.flatnonzero(np.abs(offset).max(1) > 0)
    moved = moved[np.isin(moved, lash)]
    root = rim[np.linalg.norm(base[moved, None] - base[rim][None], axis=2).argmin(1)]
    out[moved] = out[root] + (offset[moved] - offset[root])
    return out


def off_the_ball(vertices: np.ndarray, side: str, offset: np.ndarray) -> np.ndarray:
    """Offsets with the two outer lid rings kept outside the eyeball when the eye is shut."""
    centre, radius = rest.sphere(vertices[source.base().groups[f"helper-{side[0]}-eye"]])
    out = offset.copy()
    for loop, clear in zip(landmarks.lid_rings()[side][:2], (0.9, 0.5), strict=True):
        p = vertices[loop] + out[loop] - centre
        r = np.linalg.norm(p, axis=1, keepdims=True)
        at_rest = np.linalg.norm(vertices[loop] - centre, axis=1, keepdims=True)
        floor = np.minimum(radius + clear * MILLIMETRE, at_rest)
        out[loop] += p / r * np.maximum(floor - r, 0)
    return out


def inner_mouth(vertices: np.ndarray) -> np.ndarray:
    """Teeth and tongue where speech shows them: upper edge 1.2 mm lower, lower teeth behind, tongue low."""
    groups, out = source.base().groups, vertices.copy()
    out[groups["helper-upper-teeth"]] += np.array([0, -1.2, -0.6]) * MILLIMETRE
    out[groups["helper-lower-teeth"]] += np.array([0, -1.4, -2.2]) * MILLIMETRE
    tongue = groups["helper-tongue"]
    p = out[tongue]
    forward = (p[:, 2] - p[:, 2].min()) / np.ptp(p[:, 2])
    middle = (p[:, 1].min() + p[:, 1].max()) / 2
    out[tongue, 1] += -0.25 * (p[:, 1] - middle) - (4.0 + 3.5 * forward) * MILLIMETRE
    out[tongue, 2] -= 4.0 * forward * MILLIMETRE
    return out


def morphs(vertices: np.ndarray) -> dict[str, np.ndarray]:
    """Offsets (19158, 3) per ARKit name for a sculpted face (the head does not turn into the T-pose)."""
    base = source.base()
    eyes = np.concatenate([base.groups["helper-l-eye"], base.groups["helper-r-eye"]])
    out = {}
    for name in ARKIT:
        offset = source.face_unit(name)
        offset[eyes] = 0  # the eye joints turn the eyeballs
        if name.startswith("eyeBlink"):
            side = name.removeprefix("eyeBlink").lower()
            offset = off_the_ball(vertices, side, fit_blink(vertices, side, offset))
        out[name] = offset
    tongue = base.groups["helper-tongue"]
    p = base.vertices[tongue]
    forward = (p[:, 2] - p[:, 2].min()) / np.ptp(p[:, 2])
    out["tongueOut"][tongue] += (forward[:, None] ** 2) * np.array([0, 5.0, 9.0]) * MILLIMETRE
    return out
