"""A skeleton at rest and its forward kinematics."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Named joints, each with its parent and its offset from it at rest.

    Parameters
    ----------
    names
        Joint names, parents before children; the first is the root.
    parents
        Index of each joint's parent; -1 for the root.
    offsets
        (J, 3) metres: position relative to the parent at rest, world-aligned; the root's is its
        position at rest.

    Raises
    ------
    DataError
        If names repeat, a parent does not come before its child, or an offset is not finite.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: NDArray[np.float32]
    _levels: tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...] = field(init=False, repr=False)
    _index: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        offsets = np.array(self.offsets, dtype=np.float32)
        names, parents = tuple(self.names), tuple(int(p) for p in self.parents)
        if offsets.shape != (len(names), 3) or len(parents) != len(names):
            raise DataError(
                f"skeleton: {len(names)} names, {len(parents)} parents and offsets of shape {offsets.shape}; "
                f"expected one parent and one (3,) offset for each name"
            )
        if not names:
            raise DataError("skeleton: no joints; expected at least one")
        if len(set(names)) != len(names):
            raise DataError(
                f"skeleton: joint names repeat: {sorted({n for n in names if names.count(n) > 1})}"
            )
        bad = [
            n
            for i, (n, p) in enumerate(zip(names, parents, strict=True))
            if not (p < i and p >= (-1 if i == 0 else 0))
        ]
        if bad:
            raise DataError(
                f"skeleton: the parent of {bad[0]!r} must be an earlier joint (one root, listed first)"
            )
        if not np.isfinite(offsets).all():
            raise DataError("skeleton: an offset is not finite")
        offsets.setflags(write=False)
        depth = np.zeros(len(names), dtype=int)
        for i, p in enumerate(parents):
            depth[i] = 0 if p < 0 else depth[p] + 1
        table = np.array(parents)
        levels = tuple(
            (np.flatnonzero(depth == d), table[depth == d]) for d in range(1, int(depth.max(initial=0)) + 1)
        )
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "parents", parents)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "_levels", levels)
        object.__setattr__(self, "_index", {n: i for i, n in enumerate(names)})

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Skeleton)
            and self.names == other.names
            and self.parents == other.parents
            and np.array_equal(self.offsets, other.offsets)
        )

    def __hash__(self) -> int:
        return hash((self.names, self.parents))

    def index(self, name: str) -> int:
        """Return the index of joint ``name``; a DataError lists the names when there is none."""
        if name not in self._index:
            raise DataError(f"no joint {name!r}; this skeleton has: {', '.join(self.names)}")
        return self._index[name]

    @cached_property
    def rest(self) -> NDArray[np.float32]:
        """(J, 3) world positions at rest, metres; read-only."""
        rest = self.forward(np.tile(rot.IDENTITY, (len(self), 1)), self.offsets[0])[0]
        rest.setflags(write=False)
        return rest

    def forward(
        self, rotations: ArrayLike, root: ArrayLike
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Forward kinematics.

        Parameters
        ----------
        rotations
            (..., J, 4) unit quaternions wxyz, local to the parent.
        root
            (..., 3) world position of the root joint, metres.

        Returns
        -------
        positions
            (..., J, 3) world positions, metres.
        orientations
            (..., J, 4) world rotations.

        Raises
        ------
        DataError
            If the rotations are not (..., J, 4).
        """
        local = self._checked(rotations)
        orientation = np.empty(local.shape, dtype=local.dtype)
        position = np.empty((*local.shape[:-1], 3), dtype=local.dtype)
        orientation[..., 0, :] = local[..., 0, :]
        position[..., 0, :] = root
        for joints, parents in self._levels:
            above = orientation[..., parents, :]
            orientation[..., joints, :] = rot.multiply(above, local[..., joints, :])
            position[..., joints, :] = position[..., parents, :] + rot.rotate(
                above, self.offsets[joints].astype(local.dtype)
            )
        return position, orientation

    def _checked(self, rotations: ArrayLike) -> NDArray[np.floating]:
        array = np.asarray(rotations)
        if array.shape[-2:] != (len(self), 4):
            raise DataError(
                f"rotations of shape {array.shape}; expected (..., {len(self)}, 4) for this skeleton"
            )
        return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)

    def local(self, orientations: ArrayLike) -> NDArray[np.floating]:
        """World rotations (..., J, 4) to rotations local to each parent (..., J, 4)."""
        world = self._checked(orientations)
        out = world.copy()
        children = np.arange(1, len(self))
        out[..., 1:, :] = rot.multiply(
            rot.conjugate(world[..., np.array(self.parents[1:], dtype=int), :]), world[..., children, :]
        )
        return out
