"""Four published beat scores. They share a formula and little else, so each has its own name.

For audio beats A and motion beats M::

    score = mean over a in A of exp(−min over m in M of (a − m)² / (2 σ²))

0 to 1, higher is better as printed; a jittery motion has many beats and scores high too, so read it
beside the score of the ground truth. Where nothing moves there are no motion beats and the score is 0.
What differs:

| | σ | motion beats | rate | audio beats |
|---|---|---|---|---|
| `bc_beat2022` | 0.3 s | minima (order 2) of the frame-to-frame change of the right forearm's Euler angles | 15 | onsets moved back to the energy minimum before them |
| `bc_beat2` | 0.3 s | minima (order 7) of each of 13 joints' speed, where it is above 0.3 of that joint's usual speed | 30 | onsets |
| `bc_ted` | 0.1 s | minima of the mean change of four arm angles with an edge of at least 0.03 | 15 | onsets |
| `bas_aist` | 3 frames | minima of the mean joint speed smoothed by σ = 5 frames | 60 | the music's beats |

All times are seconds on the recording's clock, but for `bas_aist`, which counts frames.

**bc_beat2022** (CaMN, LivelySpeaker; Liu et al. 2022, arXiv 2203.05297). Only 10 s to 500 s count. Of
the nine channels of the right shoulder, arm and forearm (columns 9:18 of the 141) the published code
scores the last three alone and throws the left arm away; ``joint=None`` takes the norm over all nine
instead. Accumulated Euler angles (BEAT holds −2482°) are differences like any others; wrapped ones make
false peaks.

**bc_beat2** (EMAGE, GestureLSM; Liu et al. 2024, arXiv 2401.00374). 60 frames are cut from each end,
positions are taken without the global translation, speeds are divided by the data set's mean speed of
each joint (BEAT2 ships it as ``weights/mean_vel_smplxflame_30.npy``). In the published code the test
"speed above the threshold" looks 60 frames too early, at the index counted from the cut:
``mask="published"`` does as it does, ``mask="aligned"`` looks at the beat itself. The later evaluation
tools use a threshold of 0.10 instead of 0.3. A data set's value is the mean weighted by the frames that
remain.

**bc_ted** (HA2G, LivelySpeaker; Liu et al. 2022, arXiv 2203.13161). Nine direction vectors with the
data set's ``mean_dir_vec`` added back (without it the angles are those of deviations); angles in units
of π. Either of a minimum's two edges suffices. All clips' sums are divided by all clips' audio beats;
clips without motion beats are left out of both.

**bas_aist** (AI Choreographer; Li et al. 2021, arXiv 2101.08779; Bailando 2022). ``variant="bailando"``
(Bailando, EDGE, TM2D) means over the music's beats; ``variant="fact"`` is AIST++'s own: summed speeds
without smoothing, minima of order 10, mean over the **motion's** beats. The two are different numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError, choose
from kinesics.metrics._checks import Floats, array_of, indices, numbers, positive, sequences
from kinesics.metrics._signal import local_minima, smooth

UPPER_BODY = (3, 6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
"""SMPL-X joints of the BEAT2 score: spine, neck, head, collars, arms, hands."""
TED_PAIRS = ((3, 4), (4, 5), (6, 7), (7, 8))
"""Direction vectors between which the TED score measures angles: the bends of both arms."""
TED_CHANGE = (0.0034540758933871984, 0.007043459918349981, 0.003493624273687601, 0.007205077446997166)
"""Mean change per frame of those angles in the TED data, units of π (published with HA2G)."""


def hits(beats: Floats, near: Floats, sigma: float) -> Floats:
    """exp(−d²/2σ²) of every beat's distance to the nearest of ``near``; zeros if there are none."""
    if not len(near):
        return np.zeros(len(beats))
    near = np.sort(near)
    place = np.searchsorted(near, beats)
    below = np.abs(beats - near[np.maximum(place - 1, 0)])
    above = np.abs(beats - near[np.minimum(place, len(near) - 1)])
    return np.exp(-(np.minimum(below, above) ** 2) / (2 * sigma**2))


def _audio(beats: ArrayLike, first: float, last: float) -> Floats:
    """Audio beats of the span, at least one."""
    found = array_of(beats, "audio beats")
    if found.size:
        found = numbers(found, ("beats",), "audio beats")
        found = found[(found >= first) & (found < last)]
    if not len(found):
        raise DataError(f"audio beats: none from {first:g} s to {last:g} s; expected at least one")
    return found


def bc_beat2022(
    right_arm: ArrayLike,
    audio_beats: ArrayLike,
    *,
    fps: float = 15,
    sigma: float = 0.3,
    order: int = 2,
    span: tuple[float, float] = (10.0, 500.0),
    joint: int | None = 2,
) -> float:
    """Beat consistency as BEAT (2022) and CaMN compute it.

    Parameters
    ----------
    right_arm
        (T, 9) Euler angles in degrees of the right shoulder, arm and forearm.
    audio_beats
        Seconds, from `kinesics.metrics.onsets.onsets_beat2022`.
    span
        Seconds that count.
    joint
        Which of the three joints gives the beats; None for the norm over all nine channels.

    Returns
    -------
    float
        0 to 1.
    """
    angles = numbers(right_arm, ("T", 9), "right arm", least=2)
    rate, sigma = positive(fps, "fps"), positive(sigma, "sigma")
    if joint not in (None, 0, 1, 2):
        raise DataError(
            f"joint {joint!r}; expected 0 (shoulder), 1 (arm), 2 (forearm) or None (all nine channels)"
        )
    first, last = int(span[0] * rate), int(span[1] * rate)
    part = slice(None) if joint is None else slice(3 * joint, 3 * joint + 3)
    change = np.linalg.norm(np.diff(angles, axis=0)[:, part], axis=1)[first:last]
    if not len(change):
        raise DataError(f"right arm: {len(angles)} frames at {rate:g} per second end before {span[0]:g} s")
    motion = (local_minima(change, order=order) + first) / rate
    return float(hits(_audio(audio_beats, *span), motion, sigma).mean())


def bc_beat2(
    positions: ArrayLike,
    audio_beats: ArrayLike,
    *,
    mean_speed: ArrayLike,
    fps: float = 30,
    sigma: float = 0.3,
    order: int = 7,
    threshold: float = 0.3,
    trim: int = 60,
    joints: Sequence[int] = UPPER_BODY,
    root: int | None = 0,
    mask: str = "published",
) -> float:
    """Beat consistency as EMAGE and GestureLSM compute it on BEAT2.

    Parameters
    ----------
    positions
        (T, J, 3) joint positions in metres, the 55 of SMPL-X for the default ``joints``.
    audio_beats
        Seconds, from `kinesics.metrics.onsets.onsets`.
    mean_speed
        (J,) mean speed of each joint over the data set, m/s (see :func:`joint_speed`).
    threshold
        Share of the mean speed above which a minimum counts.
    trim
        Frames cut from each end.
    root
        The joint whose travel is taken out; None if that was done already.
    mask
        ``"published"`` or ``"aligned"``; see the module.

    Returns
    -------
    float
        0 to 1, the mean over the joints.
    """
    rate, sigma = positive(fps, "fps"), positive(sigma, "sigma")
    choose("mask", mask, ("published", "aligned"))
    points = numbers(positions, ("T", "J", 3), "positions", least=2 * trim + 2)
    usual = numbers(mean_speed, (points.shape[1],), "mean speed")
    chosen = indices(joints, points.shape[1], "joints")
    if usual[chosen].min() <= 0:
        raise DataError("mean speed: not above 0 for every joint; expected metres per second")
    speed = joint_speed(points, fps=rate, root=root)[:, chosen] / usual[chosen]
    last = len(points) - trim
    sound = _audio(audio_beats, trim / rate, last / rate)
    scores = []
    for one in speed.T:
        at = local_minima(one[trim:last], order=order)
        at = at[one[at + (trim if mask == "aligned" else 0)] > threshold]
        scores.append(hits(sound, (at + trim) / rate, sigma).mean())
    return float(np.mean(scores))


def joint_speed(positions: ArrayLike, *, fps: float = 30, root: int | None = 0) -> Floats:
    """(T, J) speed in the unit of the positions per second: central differences, one-sided at the ends."""
    points = numbers(positions, ("T", "J", 3), "positions", least=2)
    if root is not None:
        points = points - points[:, indices([root], points.shape[1], "root")]
    return np.linalg.norm(np.gradient(points, 1 / positive(fps, "fps"), axis=0), axis=2)


def bc_ted(
    directions: ArrayLike | Sequence[ArrayLike],
    audio_beats: Sequence[ArrayLike],
    *,
    mean: ArrayLike | None = None,
    fps: float = 15,
    sigma: float = 0.1,
    threshold: float = 0.03,
) -> float:
    """Beat consistency as HA2G and LivelySpeaker compute it on TED.

    Parameters
    ----------
    directions
        Clips of (T, 9, 3) direction vectors, T usually 34.
    audio_beats
        For every clip its beats in seconds, from `kinesics.metrics.onsets.onsets`; may be empty.
    mean
        (9, 3) ``mean_dir_vec`` of the data set, if it was subtracted.

    Returns
    -------
    float
        0 to 1 over all clips together.
    """
    clips = sequences(directions, ("T", 9, 3), "directions")
    if len(clips) != len(audio_beats):
        raise DataError(
            f"audio beats: {len(audio_beats)} lists for {len(clips)} clips; expected one for each"
        )
    added = 0.0 if mean is None else numbers(mean, (9, 3), "mean direction")
    rate, sigma = positive(fps, "fps"), positive(sigma, "sigma")
    total, count = 0.0, 0
    for clip, beats in zip(clips, audio_beats, strict=True):
        at = _ted_beats(clip + added, threshold) / rate
        sound = array_of(beats, "audio beats")
        sound = numbers(sound, ("beats",), "audio beats") if sound.size else np.zeros(0)
        if len(at):
            total, count = total + hits(sound, at, sigma).sum(), count + len(sound)
    if not count:
        raise DataError("beats: no clip has both motion and audio beats; the score is not defined")
    return float(total / count)


def _ted_beats(directions: Floats, threshold: float) -> Floats:
    length = np.linalg.norm(directions, axis=2, keepdims=True)
    unit = directions / np.maximum(length, 1e-12)
    change = np.zeros(len(unit))
    for (a, b), usual in zip(TED_PAIRS, TED_CHANGE, strict=True):
        angle = np.arccos(np.clip(np.einsum("tk,tk->t", unit[:, a], unit[:, b]), -1, 1)) / np.pi
        change[1:] += np.abs(np.diff(angle)) / usual / len(TED_PAIRS)
    middle = change[2:-1]
    before, after = change[1:-2] - middle, change[3:] - middle
    least = (before > 0) & (after > 0) & (np.maximum(before, after) >= threshold)
    return np.flatnonzero(least) + 2.0


def bas_aist(
    positions: ArrayLike, music_beats: ArrayLike, *, variant: str = "bailando", sigma: float = 3.0
) -> float:
    """Beat alignment of dance and music, in frames.

    Parameters
    ----------
    positions
        (T, 24, 3) joint positions at 60 frames per second.
    music_beats
        Frames of the beats, or (T,) flags such as channel 53 of the 438 music features; beats after
        the motion's end are left out.
    variant
        ``"bailando"`` or ``"fact"``; see the module.

    Returns
    -------
    float
        0 to 1.
    """
    choose("variant", variant, ("bailando", "fact"))
    points = numbers(positions, ("T", 24, 3), "positions", least=3)
    sigma = positive(sigma, "sigma")
    beats = array_of(music_beats, "music beats")
    if beats.dtype == bool:
        beats = np.flatnonzero(beats)
    beats = numbers(beats, ("beats",), "music beats")
    if (beats != np.round(beats)).any() or beats.min() < 0:
        raise DataError("music beats: not whole frames; expected frame indices (seconds times 60) or flags")
    beats = beats[beats < len(points)]
    if not len(beats):
        raise DataError(f"music beats: none within the {len(points)} frames of motion")
    speed = np.linalg.norm(np.diff(points, axis=0), axis=2)
    if variant == "bailando":
        motion = local_minima(smooth(speed.mean(1), 5.0))
        return float(hits(beats, motion.astype(float), sigma).mean())
    motion = local_minima(np.concatenate([[0.0], speed.sum(1)]), order=10)
    return float(hits(motion.astype(float), beats, sigma).mean()) if len(motion) else 0.0
