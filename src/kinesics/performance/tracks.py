"""The sampled tracks: body, face, named signals, points, cameras."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.retarget import scaled_way
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance._sampled import Sampled, checked


def _names(names: tuple[str, ...], count: int, what: str) -> tuple[str, ...]:
    names = tuple(map(str, names))
    if len(names) != count:
        raise DataError(f"{what}: {count} columns but {len(names)} names")
    if len(set(names)) != len(names):
        raise DataError(f"{what}: names repeat: {sorted({n for n in names if names.count(n) > 1})}")
    return names


def _confidence(values: Any, shape: tuple[int, ...], what: str) -> NDArray[np.float32] | None:
    if values is None:
        return None
    out = checked(values, shape, f"{what} confidence")
    if out.size and (out.min() < 0 or out.max() > 1):
        raise DataError(f"{what} confidence: {out.min():.3g} to {out.max():.3g}; expected 0 to 1")
    return out


@dataclass(frozen=True, eq=False)
class Motion(Sampled):
    """A body in motion.

    Parameters
    ----------
    skeleton
        The joints, at rest.
    rotations
        (T, J, 4) unit quaternions wxyz, local to the parent, relative to the rest pose.
    root
        (T, 3) world position of the root joint, metres, Y up.
    fps
        Frames per second, kept as an exact fraction.
    start
        Second of the first frame.

    Raises
    ------
    DataError
        On wrong shapes, values that are not finite, or quaternions that are not of unit length.
    """

    skeleton: Skeleton
    rotations: NDArray[np.float32]
    root: NDArray[np.float32]
    fps: Fraction
    start: float = 0.0

    _arrays = ("rotations", "root")

    def __post_init__(self) -> None:
        self._settle("motion")
        rotations = checked(self.rotations, (None, len(self.skeleton), 4), "motion rotations")
        root = checked(self.root, (len(rotations), 3), "motion root")
        length = np.einsum("tjk,tjk->tj", rotations, rotations)
        if length.size and np.abs(length - 1).max() > 1e-2:
            t, j = (int(i) for i in np.argwhere(np.abs(length - 1) > 1e-2)[0])
            raise DataError(
                f"motion rotations: frame {t}, joint {self.skeleton.names[j]!r} has length "
                f"{np.sqrt(length[t, j]):.3g}; expected unit quaternions (w, x, y, z)"
            )
        object.__setattr__(self, "rotations", rotations)
        object.__setattr__(self, "root", root)

    def _between(
        self, name: str, a: NDArray[Any], b: NDArray[Any], part: NDArray[np.float32]
    ) -> NDArray[Any]:
        if name == "rotations":
            return rot.slerp(a, b, part[:, None])
        return super()._between(name, a, b, part)

    def _same_layout(self, other: Any) -> None:
        super()._same_layout(other)
        if other.skeleton.names != self.skeleton.names:
            raise DataError("motion: the skeletons have different joints; retarget one of them")

    def joint(self, name: str) -> NDArray[np.float32]:
        """(T, 4) local rotations of one joint."""
        return self.rotations[:, self.skeleton.index(name)]

    def positions(self) -> NDArray[np.float32]:
        """(T, J, 3) world positions of the joints, metres."""
        return self.skeleton.forward(self.rotations, self.root)[0]

    def on(self, skeleton: Skeleton) -> Motion:
        """The same rotations on a skeleton of the same joints but other proportions.

        The root's height and travel scale with the hips' height at rest, so that feet keep to
        the floor; hips that rest on the floor tell no size, and what differs from rest is kept.
        """
        if skeleton.names != self.skeleton.names:
            raise DataError("motion: the skeletons have different joints; retarget instead")
        root = scaled_way(self.root, self.skeleton.offsets[0], skeleton.offsets[0])
        return replace(self, skeleton=skeleton, root=root.astype(np.float32, copy=False))

    def difference(self, other: Self) -> float:
        """Greatest joint angle (radians) or root distance (metres) between two motions."""
        self._same_layout(other)
        if len(self) != len(other):
            raise DataError(f"Motion: {len(self)} and {len(other)} frames; slice to the same span")
        angle = np.max(rot.angle(self.rotations, other.rotations), initial=0)
        return float(max(angle, np.max(np.linalg.norm(self.root - other.root, axis=-1), initial=0)))


@dataclass(frozen=True, eq=False)
class Face(Sampled):
    """Face coefficients over time.

    Parameters
    ----------
    values
        (T, K) coefficients; 0 to 1 in the ARKit basis.
    names
        K names, matched by name and never by order.
    fps
        Frames per second.
    basis
        What the names mean: ``"arkit"`` by default.
    start
        Second of the first frame.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    fps: Fraction
    basis: str = "arkit"
    start: float = 0.0

    _arrays = ("values",)

    def __post_init__(self) -> None:
        self._settle("face")
        values = checked(self.values, (None, len(tuple(self.names))), "face values")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "names", _names(self.names, values.shape[1], "face"))

    def _same_layout(self, other: Any) -> None:
        super()._same_layout(other)
        if (other.basis, other.names) != (self.basis, self.names):
            raise DataError("face: bases or names differ; use select() to bring one to the other's names")

    def column(self, name: str) -> NDArray[np.float32]:
        """(T,) one coefficient."""
        if name not in self.names:
            raise DataError(f"face has no {name!r}; it has: {', '.join(self.names)}")
        return self.values[:, self.names.index(name)]

    def select(self, names: tuple[str, ...]) -> Face:
        """The columns ``names`` in that order; names the face lacks become zeros."""
        values = np.zeros((len(self), len(names)), dtype=np.float32)
        for i, name in enumerate(names):
            if name in self.names:
                values[:, i] = self.column(name)
        return replace(self, values=values, names=tuple(names))


@dataclass(frozen=True, eq=False)
class Signal(Sampled):
    """Any named quantities over time: F0, energy, action units, gaze angles.

    Parameters
    ----------
    values
        (T, K) values.
    names
        K names.
    units
        K units (``""`` where there is none).
    fps
        Samples per second.
    start
        Second of the first sample.
    confidence
        (T, K) from 0 to 1, or None where it is not known.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    units: tuple[str, ...]
    fps: Fraction
    start: float = 0.0
    confidence: NDArray[np.float32] | None = None

    _arrays = ("values", "confidence")

    def __post_init__(self) -> None:
        self._settle("signal")
        values = checked(self.values, (None, len(tuple(self.names))), "signal values")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "names", _names(self.names, values.shape[1], "signal"))
        if len(tuple(self.units)) != values.shape[1]:
            raise DataError(f"signal: {values.shape[1]} columns but {len(tuple(self.units))} units")
        object.__setattr__(self, "units", tuple(self.units))
        object.__setattr__(self, "confidence", _confidence(self.confidence, values.shape, "signal"))

    def column(self, name: str) -> NDArray[np.float32]:
        """(T,) one quantity."""
        if name not in self.names:
            raise DataError(f"signal has no {name!r}; it has: {', '.join(self.names)}")
        return self.values[:, self.names.index(name)]


@dataclass(frozen=True, eq=False)
class Points(Sampled):
    """A named set of points over time: landmarks, joints.

    Parameters
    ----------
    values
        (T, N, 2) or (T, N, 3).
    names
        N names.
    fps
        Samples per second.
    frame
        ``"world"`` (metres, Y up), ``"camera"`` (metres, looking along −Z) or ``"image"`` (pixels, y down).
    start
        Second of the first sample.
    confidence
        (T, N) from 0 to 1, or None.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    fps: Fraction
    frame: str = "world"
    start: float = 0.0
    confidence: NDArray[np.float32] | None = None

    _arrays = ("values", "confidence")

    def __post_init__(self) -> None:
        self._settle("points")
        values = np.asarray(self.values)
        if values.ndim != 3 or values.shape[2] not in (2, 3):
            raise DataError(f"points: shape {values.shape}; expected (T, N, 2) or (T, N, 3)")
        values = checked(self.values, (None, len(tuple(self.names)), values.shape[2]), "points")
        if self.frame not in ("world", "camera", "image"):
            raise DataError(f"points: frame {self.frame!r}; choose one of: world, camera, image")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "names", _names(self.names, values.shape[1], "points"))
        object.__setattr__(self, "confidence", _confidence(self.confidence, values.shape[:2], "points"))
