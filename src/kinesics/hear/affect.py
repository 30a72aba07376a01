"""Rough arousal and valence of speech: how excited and how pleasant it sounds and reads.

A rule, not a trained model: arousal from loudness, pitch, pitch range and rate relative to the speaker's own
middle; valence from VADER's word scores, tinted by prosody. Good for steering a body, not for judging people.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from kinesics.hear.phrasing import Word
from kinesics.performance import Signal

FPS = 10
"""Frames per second."""


@cache
def _analyser() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def affect(
    f0: Signal,
    energy: Signal,
    rate: np.ndarray,
    words: Sequence[Word],
    phrases: Sequence[tuple[float, float]],
) -> Signal:
    """Return arousal and valence over time.

    Parameters
    ----------
    f0, energy
        From `prosody`, 100 fps.
    rate : np.ndarray [shape=(T,)]
        Syllables/s at 10 fps, from `prosody.speaking_rate`.
    words
        What is said.
    phrases
        Start and end of each phrase in seconds.

    Returns
    -------
    Signal
        Columns ``arousal`` (0..1, 0.5 is the speaker's middle; 0.3 in silence) and ``valence`` (-1..1), 10 fps.
    """
    count = len(rate)
    hop = round(float(f0.fps) / FPS)
    hz, level = f0.values[:, 0], energy.values[:, 0]
    voiced = hz > 0
    speaking = level > max(np.percentile(level, 95) - 30.0, -60.0) if len(level) else np.zeros(0, bool)
    semitones = np.where(voiced, 12 * np.log2(np.maximum(hz, 1) / 100.0), np.nan)
    pitch, spread = _windowed(semitones, count, hop)
    loud, _ = _windowed(np.where(speaking, level, np.nan), count, hop)
    heard = np.isfinite(loud)

    def relative(values: np.ndarray, scale: float) -> np.ndarray:
        good = np.isfinite(values) & heard
        return np.nan_to_num((values - np.median(values[good])) / scale) if good.any() else np.zeros(count)

    tempo = relative(np.where(rate > 0, rate, np.nan), 1.5)
    melody, liveliness, force = relative(pitch, 3.0), relative(spread, 1.5), relative(loud, 5.0)
    high = 0.4 * force + 0.35 * melody + 0.2 * liveliness + 0.2 * tempo
    arousal = np.where(heard, 1 / (1 + np.exp(-1.3 * high)), 0.3)
    valence = np.zeros(count)
    for start, end in phrases:
        text = " ".join(w.interval.label + w.after for w in words if start <= w.interval.middle < end)
        score = float(_analyser().polarity_scores(text)["compound"]) if text else 0.0
        valence[int(start * FPS) : int(end * FPS) + 1] = score
    valence = valence + 0.15 * np.tanh(0.5 * liveliness) * heard * np.where(valence < -0.2, 0.0, 1.0)
    smooth = np.hanning(9) / np.hanning(9).sum()
    values = np.stack([_smoothed(arousal, smooth), _smoothed(np.clip(valence, -1, 1), smooth)], axis=1)
    confidence = np.tile(np.where(heard, 0.4, 0.1)[:, None], (1, 2)).astype(np.float32)
    return Signal(values.astype(np.float32), ("arousal", "valence"), ("", ""), Fraction(FPS), 0.0, confidence)


def _smoothed(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    half = len(kernel) // 2
    return np.convolve(np.pad(values, half, mode="edge"), kernel, "valid")


def _windowed(values: np.ndarray, count: int, hop: int, reach: int = 75) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of ``values`` (NaN ignored) within ``reach`` samples around each of ``count`` frames."""
    good = np.isfinite(values)
    zero = np.where(good, values, 0.0).astype(np.float64)
    sums = [np.concatenate([[0.0], np.cumsum(v)]) for v in (good.astype(float), zero, zero**2)]
    middle = np.minimum(np.arange(count) * hop + hop // 2, len(values))
    a, b = np.maximum(middle - reach, 0), np.minimum(middle + reach, len(values))
    number, total, square = (s[b] - s[a] for s in sums)
    enough = number >= 5
    mean = np.where(enough, total / np.maximum(number, 1), np.nan)
    return mean, np.sqrt(np.maximum(np.where(enough, square / np.maximum(number, 1), np.nan) - mean**2, 0))
