"""The 478 points of MediaPipe's face mesh (Kartynnik et al. 2019) as places on the head that all people share.

Points 0-467 are the mesh's, 468-472 the person's right iris and 473-477 the left: middle, then the four sides of its rim: towards
the nose, up, away from the nose, down. Each is a triangle of vertices with a weight for every corner, found by ``scripts/derive_landmarks_478.py``.
Like the 68 of iBUG they stay on the skin when the head turns; networks slide those of the outline a little.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

COUNT = 478
IRIS_RIGHT = slice(468, 473)
IRIS_LEFT = slice(473, 478)


def on_head(vertices: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where the points lie on a posed head.

    Parameters
    ----------
    vertices
        (..., V, 3) of an avatar with the shared head, as from :func:`kinesics.bodies.avatar.skin`.

    Returns
    -------
    ndarray
        (..., 478, 3) in the same frame and unit.

    Examples
    --------
    >>> from kinesics.bodies.avatar import load_avatar
    >>> points = on_head(load_avatar("maya").vertices)
    >>> bool(points[473, 0] > 0 > points[468, 0])  # the person's left is +X
    True
    """
    triangles, weights = _table()
    return np.einsum("nk,...nkd->...nd", weights, vertices[..., triangles, :])


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(478, 3) vertices and (478, 3) weights that sum to one."""
    with (resources.files("kinesics.bodies") / "data" / "landmarks_478.npy").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
    return stored["triangle"].astype(np.int64), stored["weight"]
