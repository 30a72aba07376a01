"""Do lips and sound go together? SyncNet's statistics, from anybody's embeddings.

**LSE-D, LSE-C** (SyncNet, Chung and Zisserman 2016; Wav2Lip, arXiv 2008.10010). From embeddings of T
video windows and T sound windows: D(k) = mean over t of ‖video(t) − sound(t + k − 15)‖ for k = 0 … 30,
zeros beyond the ends as in the published code; LSE-D = min D, LSE-C = median D − min D, offset = 15 −
argmin. D lower, C higher is better, but real recordings score about 8 in C and a generator above that
has learnt the judge: compare with the ground truth. Any network other than SyncNet's gives LSE-C* and
LSE-D*.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError
from kinesics.metrics._checks import numbers, pair


class LipSync(NamedTuple):
    """What SyncNet's statistics are.

    Parameters
    ----------
    distance
        LSE-D: the least mean distance.
    confidence
        LSE-C: median of the mean distances minus the least.
    offset
        Windows by which the sound must be moved; 0 when in sync.
    """

    distance: float
    confidence: float
    offset: int


def lip_sync(video: ArrayLike, sound: ArrayLike, *, shift: int = 15) -> LipSync:
    """LSE-D, LSE-C and offset from embeddings.

    Parameters
    ----------
    video, sound
        (T, D), one row per window, in step.
    shift
        Greatest shift tried to both sides, windows.

    Raises
    ------
    DataError
        If they are not of one shape.
    """
    v, a = pair(video, sound, ("T", "D"), "embeddings", least=2)
    if not int(shift) >= 1:
        raise DataError(f"shift {shift!r}; expected at least 1 window")
    padded = np.pad(a, ((shift, shift), (0, 0)))
    table = [np.linalg.norm(v - padded[k : k + len(v)], axis=1) for k in range(2 * shift + 1)]
    return lip_sync_of_distances(np.stack(table, 1))


def lip_sync_of_distances(distances: ArrayLike) -> LipSync:
    """The same from a table (T, 2·shift + 1) of distances, column k for sound k − shift windows later."""
    table = numbers(distances, ("T", "shifts"), "distances")
    if table.shape[1] % 2 == 0 or table.shape[1] < 3:
        raise DataError(f"distances: {table.shape[1]} shifts; expected an odd number such as 31 (axis 1)")
    if table.min() < 0:
        raise DataError("distances: some below 0; expected Euclidean distances")
    mean = table.mean(0)
    best = int(mean.argmin())
    return LipSync(float(mean[best]), float(np.median(mean) - mean[best]), table.shape[1] // 2 - best)
