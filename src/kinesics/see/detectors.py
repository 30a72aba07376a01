"""Where faces, palms and people are in a picture: single-shot detectors over fixed anchors.

Each network says for every anchor (a middle on a grid) a score, a box and a few points, in units of its input's side. The best
box of those that overlap is their mean, weighted by score (as in BlazeFace, Bazarevsky et al. 2019, arXiv 1907.05047).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import choose
from kinesics.see import models
from kinesics.see.crops import Region, whole

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Kind:
    """One detector.

    Parameters
    ----------
    model
        Its name among the models.
    side
        Pixels of its input.
    grids
        Stride in pixels and anchors per cell of each layer.
    low
        Value of black; white is 1.
    score
        Least score of a detection.
    outputs
        Names of boxes and of scores.
    """

    model: str
    side: int
    grids: tuple[tuple[int, int], ...]
    low: float
    score: float
    outputs: tuple[str, str]


KINDS: dict[str, Kind] = {
    "face": Kind("face_detector", 128, ((8, 2), (16, 6)), -1.0, 0.5, ("regressors", "classificators")),
    "far_face": Kind("far_face_detector", 192, ((4, 1),), -1.0, 0.6, ("Identity", "Identity_1")),
    "palm": Kind("palm_detector", 192, ((8, 2), (16, 6)), 0.0, 0.5, ("Identity", "Identity_1")),
    "pose": Kind("pose_detector", 224, ((8, 2), (16, 2), (32, 6)), -1.0, 0.5, ("Identity", "Identity_1")),
}
_OVERLAP = 0.3


@dataclass(frozen=True, eq=False)
class Detections:
    """What was found, best first.

    Parameters
    ----------
    boxes
        (n, 4) left, top, right, bottom, pixels.
    points
        (n, K, 2) pixels: for faces the person's right and left eye, nose, mouth, right and left ear; for palms wrist,
        the knuckles of index, middle, ring and little finger, thumb's root and knuckle; for people the middle of the hips and a point on
        the circle around the body, then the same of the upper body.
    scores
        (n,) 0 to 1.
    """

    boxes: Array
    points: Array
    scores: Array

    def __len__(self) -> int:
        return len(self.scores)


@cache
def anchors(kind: str) -> Array:
    """(A, 2) middles of a detector's anchors, 0 to 1."""
    rows = []
    for stride, each in KINDS[kind].grids:
        count = KINDS[kind].side // stride
        y, x = np.mgrid[0:count, 0:count]
        cell = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / count
        rows.append(np.repeat(cell, each, axis=0))
    return np.concatenate(rows).astype(np.float32)


class Detector:
    """Finds faces (near, or far and small), palms or people.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    threads
        Of the network; all by default.
    """

    def __init__(self, kind: str, *, threads: int | None = None) -> None:
        self.kind = KINDS[choose("detector", kind, KINDS)]
        self._anchors = anchors(kind)
        self._network = models.load(self.kind.model, threads=threads)
        self._input = next(iter(self._network.inputs))

    def __call__(self, image: NDArray[np.uint8], region: Region | None = None) -> Detections:
        """What is in a picture (H, W, 3) uint8, or in a region of it."""
        kind, region = self.kind, region or whole(image)
        made = self._network(**{self._input: region.crop(image, kind.side, low=kind.low)})
        logits = made[kind.outputs[1]][0, :, 0]
        with np.errstate(over="ignore"):
            scores = 1 / (1 + np.exp(-np.clip(logits, -100, 100)))
        keep = np.flatnonzero(scores >= kind.score)
        raw = made[kind.outputs[0]][0][keep]
        middles = raw[:, :2] + self._anchors[keep] * kind.side
        half = raw[:, 2:4] / 2
        points = (
            raw[:, 4:].reshape(len(raw), (raw.shape[1] - 4) // 2, 2) + self._anchors[keep, None] * kind.side
        )
        rows = np.concatenate(
            [middles - half, middles + half, points.reshape(len(raw), raw.shape[1] - 4)], axis=1
        )
        rows, scores = _merged(rows, scores[keep])
        placed = region.back(rows.reshape(len(rows), rows.shape[1] // 2, 2), kind.side)
        low, high = np.minimum(placed[:, 0], placed[:, 1]), np.maximum(placed[:, 0], placed[:, 1])
        return Detections(np.concatenate([low, high], axis=1), placed[:, 2:], scores)


def overlap(boxes: Array, box: Array) -> Array:
    """(n,) shared area over joint area of boxes (n, 4) with one (4,)."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:4], box[2:4])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
    return shared / np.maximum(areas + np.prod(box[2:4] - box[:2]) - shared, 1e-9)


def _merged(rows: Array, scores: Array) -> tuple[Array, Array]:
    """Weighted non-maximum suppression: each group of overlapping rows becomes one."""
    order = np.argsort(-scores, kind="stable")
    rows, scores = rows[order], scores[order]
    made, best = [], []
    while len(rows):
        same = overlap(rows, rows[0]) > _OVERLAP
        same[0] = True
        made.append(np.average(rows[same], axis=0, weights=scores[same]))
        best.append(scores[0])
        rows, scores = rows[~same], scores[~same]
    width = rows.shape[1]
    return np.array(made, np.float32).reshape(-1, width), np.array(best, np.float32)
