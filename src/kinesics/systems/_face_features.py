"""What face systems see: coefficients by name, sound, visemes in order, and emotion as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError, choose
from kinesics.hear import frames as sound
from kinesics.hear.phones import VISEMES, viseme
from kinesics.performance import Audio, Face, Interval, Tier

Array = NDArray[np.float32]

EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
LEVELS = 3
"""Intensities that are told apart; ⅓, ⅔ and 1 are purely one of them, what lies between is a mixture."""
MOOD = len(EMOTIONS) + LEVELS
"""Numbers of :func:`mood`."""
PER_FRAME = 2
"""Sets of viseme scores that lip readers give for each frame."""
USUAL = 2 / 3
"""Intensity of an emotion that is not told; of neutral it is the weakest."""


def arkit(face: Face, fps: Fraction | int, what: str = "face") -> Array:
    """(T, 52) ARKit coefficients at a rate.

    Raises
    ------
    DataError
        If the face is in another basis.
    """
    if face.basis != "arkit":
        raise DataError(f"{what}: basis {face.basis!r}; expected 'arkit'")
    return face.select(ARKIT).resample(fps).values


def samples_of(speech: Audio) -> Array:
    """(N,) mono sound at 16 kHz from second 0 on."""
    audio = speech.mono().resample(sound.RATE)
    first = round(audio.start * sound.RATE)
    return np.concatenate([np.zeros(max(first, 0), np.float32), audio.samples[max(-first, 0) :]])


def log_mel(speech: Audio, frames: int, *, fps: int, bands: int) -> Array:
    """(frames, bands) log mel spectrum from second 0 on; silence beyond the sound."""
    return sound.log_mel(samples_of(speech), fps=fps, count=frames, bands=bands)


def wave(speech: Audio, frames: int, *, fps: int) -> Array:
    """(frames · 16000 / fps,) samples of mean 0 and spread 1 over the whole of the sound; 0 beyond it."""
    samples = samples_of(speech)
    spread = float(samples.std()) if len(samples) else 1.0
    out = np.zeros(frames * sound.RATE // fps, np.float32)
    part = samples[: len(out)]
    out[: len(part)] = (part - part.mean() if len(part) else part) / max(spread, 1e-5)
    return out


def visemes(phones: Tier, start: float, end: float, *, most: int) -> tuple[NDArray[np.int64], np.int64]:
    """The visemes whose middle lies in [start, end), as labels for CTC.

    Parameters
    ----------
    phones
        ARPAbet or IPA.
    start, end
        Seconds.
    most
        How many at most.

    Returns
    -------
    labels, count
        (most,) numbers of ``VISEMES``, silence (0) left out, padded with 0; and how many there are.
    """
    within = (VISEMES.index(viseme(p.label)) for p in phones if start <= p.middle < end)
    found = [v for v in within if v][:most]
    return np.pad(np.array(found, np.int64), (0, most - len(found))), np.int64(len(found))


def spoken(scores: NDArray[np.floating], start: float, fps: int) -> Iterator[Interval]:
    """What CTC reads: the best class of each moment, repeats once, silence not at all.

    Parameters
    ----------
    scores
        (:data:`PER_FRAME` · T, 15) of T frames.
    start, fps
        Second of the first frame, frames per second.
    """
    best = scores.argmax(axis=1)
    step = 1 / (fps * PER_FRAME)
    for i in np.flatnonzero((best > 0) & (best != np.concatenate([[0], best[:-1]]))):
        yield Interval(start + i * step, start + (i + 1) * step, VISEMES[best[i]])


def mood(emotion: str, intensity: float | None = None) -> Array:
    """(11,) an emotion and its intensity: shares of the eight emotions, then of the three levels.

    Below the first level an emotion fades into neutral.

    >>> mood("happy", 1.0).tolist()
    [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    >>> mood("sad", 0.5)[8:].tolist()
    [0.5, 0.5, 0.0]
    """
    which = EMOTIONS.index(choose("emotion", emotion, EMOTIONS))
    if intensity is None:
        intensity = USUAL if which else 1 / LEVELS
    if not np.isfinite(intensity) or intensity < 0:
        raise DataError(f"intensity {intensity}; expected a number from 0 on")
    strength = min(float(intensity), 1.0) * LEVELS
    out = np.zeros(MOOD, np.float32)
    out[which] = min(strength, 1.0)
    out[0] += 1.0 - min(strength, 1.0)
    out[len(EMOTIONS) :] = np.clip(1.0 - np.abs(np.clip(strength, 1, LEVELS) - 1 - np.arange(LEVELS)), 0, 1)
    return out


def mood_between(tier: Tier, start: float, end: float) -> Array:
    """(11,) the emotion that fills most of [start, end); neutral where none is told."""
    spans = [(i.duration, i.label, i.value) for i in tier.slice(start, end)]
    if not spans:
        return mood("neutral")
    _, label, value = max(spans, key=lambda s: s[0])
    return mood(label, value)


def moods(
    tier: Tier, frames: int, *, fps: int, blend: float, intensity: float | None = None
) -> tuple[Array, Array]:
    """Emotion and intensity at each frame.

    Parameters
    ----------
    tier
        Emotions, their intensities as values; neutral where none is.
    frames, fps
        How many, per second.
    blend
        Seconds in which one gives way to the next, half of them before it begins.
    intensity
        Of all emotions; None: as the tier has it.

    Returns
    -------
    ndarray, ndarray
        (frames, 11) of :func:`mood`, and (frames,) how far intensity goes beyond 1.
    """
    shares = np.tile(mood("neutral"), (frames, 1))
    beyond = np.zeros(frames, np.float32)
    for i in tier:
        first, last = (int(np.clip(np.ceil(t * fps - 1e-6), 0, frames)) for t in (i.start, i.end))
        value = i.value if intensity is None else intensity
        shares[first:last] = mood(i.label, value)
        beyond[first:last] = max((value or 0.0) - 1.0, 0.0) if i.label != "neutral" else 0.0
    width = 2 * round(blend * fps / 2) + 1
    return _smooth(shares, width), _smooth(beyond[:, None], width)[:, 0]


def _smooth(values: Array, width: int) -> Array:
    if width <= 1 or not len(values):
        return values
    padded = np.pad(values, ((width // 2, width // 2), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis=0).mean(axis=-1).astype(np.float32)
