"""What a mouth does, in millimetres on an avatar's own mesh: lip gap, width, protrusion, lip on teeth.

The mesh is cut by vertical planes across the mouth. In each plane the gap is the height between the lowest
point of the upper lip and the highest of the lower: what a viewer in front sees between the lips.
Negative values are lips pressed into one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.arkit import INDEX
from kinesics.bodies.avatar import Avatar
from kinesics.errors import DataError

Floats = NDArray[np.float64]

CLOSED = 0.5
"""Lip gap in mm up to which lips count as closed: a hair's breadth at speaking distance."""
COLUMNS = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""Where gaps are measured, in shares of the way from the midline to the corner at rest."""


@dataclass(frozen=True)
class MouthShape:
    """Measurements of T frames, in mm.

    Parameters
    ----------
    gaps
        (T, 5) lip gap at :data:`COLUMNS`.
    width
        (T,) between the corners.
    protrusion
        (T,) of the lips (mean of both) before their place at rest.
    bite
        (T,) height of the lower lip over the edge of the upper teeth, on the midline; about 0 or above: they meet
        to a viewer in front.
    tooth_distance
        (T,) from the edge of the upper teeth to the lower lip, in the midline plane.
    teeth_shown
        (T,) height of upper teeth below the upper lip.
    tongue
        (T,) how far the tongue's tip stands before the upper teeth's edge.
    """

    gaps: Floats
    width: Floats
    protrusion: Floats
    bite: Floats
    tooth_distance: Floats
    teeth_shown: Floats
    tongue: Floats

    @property
    def gap(self) -> Floats:
        """(T,) gap on the midline, mm."""
        return self.gaps[:, len(COLUMNS) // 2]

    @property
    def closed(self) -> NDArray[np.bool_]:
        """(T,) whether the lips meet everywhere measured."""
        return self.gaps.max(1) <= CLOSED


def _weights(weights: ArrayLike) -> Floats:
    w = np.asarray(weights, float)
    if w.ndim != 2 or w.shape[1] != len(INDEX):
        raise DataError(f"weights have shape {w.shape}; expected (T, {len(INDEX)})")
    return w


class Mouth:
    """The lips of an avatar, ready to be measured.

    Examples
    --------
    >>> from kinesics.bodies.avatar import load_avatar
    >>> mouth = Mouth(load_avatar("maya"))
    >>> wide = np.zeros((1, 52)); wide[0, INDEX["jawOpen"]] = 0.5
    >>> bool(mouth.measure(wide).gap[0] > 10)
    True
    """

    def __init__(self, avatar: Avatar) -> None:
        rest = avatar.vertices * 1000.0
        offsets = np.zeros((len(avatar.morph_names), len(rest), 3))
        offsets[:, avatar.morph_vertices] = avatar.morph_offsets * 1000.0
        order = [avatar.morph_names.index(name) for name in INDEX]
        offsets = offsets[order]
        marks = {name: rest[i] for name, i in avatar.landmarks.items()}
        centre = 0.5 * (marks["upper_lip_mid"] + marks["lower_lip_mid"])
        self._half_width = float(abs(marks["mouth_corner_left"][0]))
        part = {p.name: p for p in avatar.parts}
        inside = np.zeros(len(rest), bool)
        lip = avatar.landmarks["upper_lip_mid"]
        inside[next(p.vertices for p in avatar.parts if p.vertices.start <= lip < p.vertices.stop)] = True
        away = np.abs(rest - centre)
        inside &= (away[:, 0] < 0.85 * self._half_width) & (away[:, 1] < 14) & (rest[:, 2] > centre[2] - 10)
        drop = -offsets[INDEX["jawOpen"], :, 1]
        with_jaw = drop > 0.3 * drop[avatar.landmarks["lower_lip_mid"]]
        edges = np.unique(
            np.sort(
                np.concatenate([avatar.faces[:, [0, 1]], avatar.faces[:, [1, 2]], avatar.faces[:, [2, 0]]])
            ),
            axis=0,
        )
        skin = inside[edges].all(1)
        upper = edges[skin & ~with_jaw[edges].any(1)]
        lower = edges[skin & with_jaw[edges].all(1)]
        tongue = np.arange(len(rest))[part["tongue"].vertices]
        points = [avatar.landmarks[k] for k in ("mouth_corner_left", "mouth_corner_right")]
        points += [avatar.landmarks[k] for k in ("upper_lip_front", "lower_lip_front", "upper_teeth_edge")]
        used, index = np.unique(
            np.concatenate([upper.ravel(), lower.ravel(), tongue, points]), return_inverse=True
        )
        self._rest, self._offsets = rest[used], offsets[:, used].reshape(len(order), -1)
        u, w, self._tongue, self._points = np.split(index, np.cumsum([upper.size, lower.size, len(tongue)]))
        self._upper, self._lower = u.reshape(-1, 2), w.reshape(-1, 2)
        self._front = self._rest[self._points[2:4], 2].mean()

    def _cut(self, points: Floats, edges: NDArray[np.int64], x: float) -> tuple[Floats, Floats]:
        """Heights and depths (T, E) where edges cross the plane at ``x`` mm; NaN where they do not."""
        a, b = points[:, edges[:, 0]], points[:, edges[:, 1]]
        da, db = a[..., 0] - x, b[..., 0] - x
        crossing = (da * db <= 0) & (da != db)
        share = np.where(crossing, da / np.where(crossing, da - db, 1.0), np.nan)
        return a[..., 1] + share * (b[..., 1] - a[..., 1]), a[..., 2] + share * (b[..., 2] - a[..., 2])

    def measure(self, weights: ArrayLike) -> MouthShape:
        """Measure faces.

        Parameters
        ----------
        weights
            (T, 52) ARKit weights in the order of `kinesics.bodies.arkit.ARKIT`.

        Returns
        -------
        MouthShape
            T measurements in mm.

        Raises
        ------
        DataError
            On another shape.
        """
        w = _weights(weights)
        blocks = [self._block(w[i : i + 128]) for i in range(0, max(len(w), 1), 128)]
        return MouthShape(*(np.concatenate(column) for column in zip(*blocks, strict=True)))

    def lips(self, weights: ArrayLike) -> Floats:
        """(T, N, 3) places in mm of the mesh's vertices between which the lips' edges run."""
        w = _weights(weights)
        chosen = np.unique(np.concatenate([self._upper.ravel(), self._lower.ravel()]))
        moves = self._offsets.reshape(len(INDEX), -1, 3)[:, chosen].reshape(len(INDEX), -1)
        return self._rest[chosen] + (w @ moves).reshape(len(w), -1, 3)

    def _block(self, w: Floats) -> tuple[Floats, ...]:
        p = (self._rest.reshape(-1) + w @ self._offsets).reshape(len(w), -1, 3)
        gaps = []
        for column in COLUMNS:
            x = column * self._half_width
            top, bottom = self._cut(p, self._upper, x)[0], self._cut(p, self._lower, x)[0]
            gaps.append(np.nanmin(top, 1) - np.nanmax(bottom, 1))
        left, right, upper, lower, edge = (p[:, i] for i in self._points)
        ty, tz = edge[:, 1], edge[:, 2]
        lip_y, lip_z = self._cut(p, self._lower, 0.0)
        upper_edge = np.nanmin(self._cut(p, self._upper, 0.0)[0], 1)
        distance = np.nanmin(np.hypot(lip_y - ty[:, None], lip_z - tz[:, None]), 1)
        return (
            np.stack(gaps, 1),
            np.linalg.norm(left - right, axis=1),
            0.5 * (upper[:, 2] + lower[:, 2]) - self._front,
            np.nanmax(lip_y, 1) - ty,
            distance,
            upper_edge - ty,
            p[:, self._tongue, 2].max(1) - tz,
        )
