"""Pictures of faces as the published form of ExpLLM sees them: squares round the face, normalised as CLIP's are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError
from kinesics.performance import Performance, Signal, Video
from kinesics.see.crops import Region

_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
_SPREAD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
_ROOM = 1.3
"""Side of the square, in the longer side of the face's box (ours)."""


def seen_at(performance: Performance, times: ArrayLike) -> NDArray[np.bool_]:
    """(N,) whether a face is seen at each second.

    Raises
    ------
    DataError
        Without the tracks ``video`` and ``face_box``, which reading a video gives.
    """
    _, box = _tracks(performance)
    found = box.at(times)
    return (found.values[:, 2:].min(axis=1) > 0) & (
        np.ones(len(found), bool) if found.confidence is None else found.confidence.min(axis=1) > 0
    )


def pictures(performance: Performance, times: ArrayLike, side: int) -> Iterator[NDArray[np.float32]]:
    """The face at each second as (3, side, side), one by one, so that memory stays flat.

    Parameters
    ----------
    performance
        With ``video`` and ``face_box`` (x, y, width, height in pixels).
    times
        (N,) rising.
    side
        Pixels.

    Raises
    ------
    DataError
        As :func:`seen_at`.
    """
    video, box = _tracks(performance)
    boxes = box.at(times).values
    for image, (x, y, wide, high) in zip(video.at(times).frames(), boxes, strict=True):
        region = Region(float(x + wide / 2), float(y + high / 2), _ROOM * float(max(wide, high, 1)))
        yield ((region.crop(image, side)[0] - _MEAN) / _SPREAD).transpose(2, 0, 1)


def _tracks(performance: Performance) -> tuple[Video, Signal]:
    video, box = performance.get("video"), performance.get("face_box")
    if not isinstance(video, Video) or not isinstance(box, Signal):
        raise DataError(
            "expllm sees pictures under this configuration: it needs the tracks 'video' and 'face_box', as reading a "
            f"video gives them; this performance has: {', '.join(performance)}"
        )
    return video, box
