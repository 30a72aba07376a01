"""What several systems see: bodies as 6-D rotations, speech as envelope and onsets, words as numbers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Audio, Motion, Tier

SILENCE, UNKNOWN = 0, 1
"""Word numbers that are no words."""


def canonical(motion: Motion, fps: Fraction | int) -> Motion:
    """A motion on the 55 canonical joints at another rate."""
    if motion.skeleton.names != JOINTS:
        from kinesics.bodies.retarget import retarget

        motion = retarget(motion, "humanoid")
    return motion.resample(fps)


def to_six(motion: Motion, joints: Sequence[int]) -> NDArray[np.float32]:
    """(T, 6 · len(joints)) 6-D rotations of some joints."""
    six = rot.to_6d(motion.rotations[:, list(joints)])
    return six.reshape(len(motion), -1).astype(np.float32)


def travel(motion: Motion) -> NDArray[np.float32]:
    """(T, 3) of the root: x and z as change per frame, y as it is, all in heights of the hips at rest.

    The first frame's change is the second's, so that a piece of a motion has what the whole has there.
    """
    root = motion.root / _hips(motion.skeleton)
    step = np.diff(root, axis=0)
    step = np.concatenate([step[:1], step]) if len(step) else np.zeros_like(root)
    return np.stack([step[:, 0], root[:, 1], step[:, 2]], axis=1).astype(np.float32)


def to_motion(
    six: NDArray,
    joints: Sequence[int],
    skeleton: Skeleton,
    fps: Fraction | int,
    *,
    moved: NDArray | None = None,
    origin: tuple[float, float] = (0.0, 0.0),
) -> Motion:
    """The motion of :func:`to_six` and, with ``moved``, :func:`travel`; other joints rest.

    Parameters
    ----------
    six
        (T, 6 · len(joints)).
    joints
        Indices among the skeleton's.
    skeleton
        The 55 canonical joints.
    fps
        Frames per second.
    moved
        (T, 3) of :func:`travel`; None: the hips stay at rest.
    origin
        x and z of the hips before the first frame, metres.
    """
    rotations = np.tile(rot.IDENTITY, (len(six), len(skeleton), 1))
    rotations[:, list(joints)] = rot.from_6d(six.reshape(len(six), len(joints), 6))
    root = np.tile(skeleton.offsets[0], (len(six), 1))
    if moved is not None:
        height = _hips(skeleton)
        root[:, 1] = moved[:, 1] * height
        root[:, [0, 2]] = np.asarray(origin) + np.cumsum(moved[:, [0, 2]].astype(np.float64), axis=0) * height
    return Motion(skeleton, rotations, root, fps)


def _hips(skeleton: Skeleton) -> np.float32:
    return skeleton.offsets[0, 1]


def envelope(speech: Audio, frames: int, *, fps: Fraction | int, rate: int) -> NDArray[np.float32]:
    """(frames · rate / fps, 2) loudness envelope and onset flags of speech from second 0 on.

    Parameters
    ----------
    speech
        Sound.
    frames, fps
        How long: ``frames`` at ``fps``.
    rate
        Values per second, a multiple of ``fps``.

    Returns
    -------
    ndarray
        Greatest |amplitude| within 64 ms around each moment, and 1 where a sound sets in, else 0.
    """
    from kinesics.hear.onsets import RATE, onsets

    sound = speech.mono().resample(RATE)
    before = max(round(sound.start * RATE), 0)
    samples = np.concatenate(
        [np.zeros(before, np.float32), sound.samples[max(-round(sound.start * RATE), 0) :]]
    )
    count = int(frames * rate / Fraction(fps))
    # 1 ms peaks first: the moving maximum then costs little whatever the rate.
    grain = RATE // 1000
    blocks = np.pad(np.abs(samples), (0, -len(samples) % grain)).reshape(-1, grain)
    peaks = blocks.max(axis=1) if len(blocks) else np.zeros(1, np.float32)
    loud = np.lib.stride_tricks.sliding_window_view(np.pad(peaks, 32), 65).max(axis=1)
    place = np.arange(count) * 1000 // rate
    out = np.zeros((count, 2), np.float32)
    inside = place < len(loud)
    out[inside, 0] = loud[place[inside]]
    marks = np.floor(onsets(samples) * rate).astype(int)
    out[marks[marks < count], 1] = 1
    return out


def word_numbers(words: Tier, frames: int, *, fps: Fraction | int, vocabulary: int) -> NDArray[np.int64]:
    """(frames,) the number of the word that is said at each frame; :data:`SILENCE` where none is.

    Words are numbered by a hash of their letters, so that no list of words has to be kept; some share a number.
    """
    out = np.full(frames, SILENCE, np.int64)
    rate = float(fps)
    for word in words:
        first, last = max(math.floor(word.start * rate), 0), min(math.ceil(word.end * rate), frames)
        out[first:last] = word_number(word.label, vocabulary)
    return out


def word_number(word: str, vocabulary: int) -> int:
    """Number of a word, 2 to ``vocabulary`` − 1; :data:`UNKNOWN` for what has no letter or digit.

    >>> word_number("Hello,", 512) == word_number("hello", 512)
    True
    """
    plain = "".join(c for c in word.casefold() if c.isalnum() or c == "'")
    if not any(c.isalnum() for c in plain):
        return UNKNOWN
    digest = hashlib.blake2b(plain.encode(), digest_size=8).digest()
    return 2 + int.from_bytes(digest, "little") % (vocabulary - 2)


def speaker_number(speaker: object, speakers: int) -> int:
    """The number of a speaker that the system knows, or a DataError."""
    if isinstance(speaker, bool) or not isinstance(speaker, (int, np.integer)) or not 0 <= speaker < speakers:
        raise DataError(f"speaker {speaker!r}; expected a number from 0 to {speakers - 1}")
    return int(speaker)
