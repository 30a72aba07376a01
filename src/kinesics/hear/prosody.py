"""Melody and loudness of speech: F0, energy and speaking rate over time.

F0 follows Boersma (1993), "Accurate short-term analysis of the fundamental frequency": the autocorrelation of
a windowed frame divided by that of the window, several candidates a frame, and the cheapest path through
them under costs for octave jumps and changes of voicing.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from kinesics.files import let_go, passing
from kinesics.hear.phones import is_vowel
from kinesics.hear.voice_activity import RATE
from kinesics.performance import Signal, Tier

FPS = 100
"""Frames per second of F0 and energy."""
_CANDIDATES = 5
_BLOCK, _PART = 6000, 1000  # frames whose path is found, and that are analysed, at a time: memory stays flat


def f0(samples: np.ndarray, *, lowest: float = 65.0, highest: float = 500.0) -> Signal:
    """Estimate the fundamental frequency.

    Parameters
    ----------
    samples : np.ndarray [shape=(N,)]
        Mono sound at 16 kHz, -1..1.
    lowest, highest
        Range of the voice in Hz.

    Returns
    -------
    Signal
        Column ``f0`` in Hz at 100 fps, 0 where unvoiced; confidence is the periodicity, 0..1.

    Examples
    --------
    >>> t = np.arange(16000) / 16000
    >>> tone = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 6)).astype(np.float32)
    >>> abs(float(np.median(f0(0.2 * tone).values)) - 120) < 1
    True
    """
    count = max(len(samples) * FPS // RATE, 1)
    peak = max((float(np.abs(part).max()) for _, part in passing(samples)), default=0.0)
    found = np.zeros(count, np.float32)
    sure = np.zeros(count, np.float32)
    if peak > 1e-4:
        state = None
        for first in range(0, count, _BLOCK):
            last = min(first + _BLOCK, count)
            parts = [
                _candidates(samples, a, min(a + _PART, last), peak, lowest, highest)
                for a in range(first, last, _PART)
            ]
            hz, strength = (np.concatenate(part) for part in zip(*parts, strict=True))
            path, state = _cheapest(hz, strength, state)
            let_go(samples)
            rows = np.arange(last - first)
            found[first:last] = hz[rows, path]
            sure[first:last] = np.where(found[first:last] > 0, np.clip(strength[rows, path], 0, 1), 0)
    return Signal(found[:, None], ("f0",), ("Hz",), Fraction(FPS), 0.0, sure[:, None])


def _candidates(
    samples: np.ndarray, first: int, last: int, peak: float, lowest: float, highest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (T, K) in Hz (column 0 is unvoiced) and their strengths (T, K)."""
    rate = RATE // 2
    size = int(3 * rate / lowest)
    size += size % 2
    step = rate // FPS
    # frame i is centred on the middle of its 10 ms
    begin = first * step + step // 2 - size // 2
    need = (last - first - 1) * step + size
    left = max(-begin, 0)
    # half the rate is enough for 500 Hz and halves the work; neighbours are averaged against aliasing
    end = min(max(begin + need, 0), len(samples) // 2)
    part = samples[2 * max(begin, 0) : 2 * end].reshape(-1, 2).mean(axis=1)
    part = np.pad(part, (left, max(need - left - len(part), 0))).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(part, size)[::step][: last - first]
    frames = frames - frames.mean(axis=1, keepdims=True)
    loud = np.abs(frames).max(axis=1) / peak
    window = np.hanning(size).astype(np.float32)
    length = 1 << int(np.ceil(np.log2(1.5 * size)))
    spectrum = np.fft.rfft(frames * window, length)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, length)) ** 2, length)
    shortest, longest = int(rate / highest), int(rate / lowest) + 1
    together = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, length)[:, : longest + 2]
    together /= np.maximum(together[:, :1], 1e-12)
    together = (together / (own[: longest + 2] / own[0])).astype(np.float32)
    inner = together[:, shortest : longest + 1]
    peaks = (inner > together[:, shortest - 1 : longest]) & (inner >= together[:, shortest + 1 : longest + 2])
    lags = np.arange(shortest, longest + 1)
    # a small preference for short lags keeps the octave right (Boersma's octave cost)
    score = np.where(peaks & (inner > 0.2), inner - 0.015 * np.log2(lowest * lags / rate), -1.0)
    top = np.argpartition(score, -_CANDIDATES, axis=1)[:, -_CANDIDATES:]
    rows = np.arange(len(frames))[:, None]
    lag = top + shortest
    a, b, c = together[rows, lag - 1], together[rows, lag], together[rows, lag + 1]
    bend = a - 2 * b + c
    shift = np.where(np.abs(bend) > 1e-9, 0.5 * (a - c) / np.where(np.abs(bend) > 1e-9, bend, 1), 0)
    height = b - 0.25 * (a - c) * shift
    good = score[rows, top] > -1
    hz = np.where(good, rate / (lag + np.clip(shift, -1, 1)), 0.0)
    strength = np.where(good, height - 0.015 * np.log2(lowest * lag / rate), -9.0)
    quiet = np.maximum(0.0, 2.0 - (loud / 0.03) / 1.45)
    unvoiced = 0.45 + quiet
    hz = np.concatenate([np.zeros((len(frames), 1)), hz], axis=1)
    strength = np.concatenate([unvoiced[:, None], strength], axis=1)
    return hz, strength


def _cheapest(
    hz: np.ndarray, strength: np.ndarray, state: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Indices (T,) of the best path; costs are Boersma's: octave jump 0.35, change of voicing 0.14 (per 10 ms)."""
    count, width = hz.shape
    octave = np.where(hz > 0, np.log2(np.maximum(hz, 1.0)), -99.0)
    voiced = hz > 0
    jump = 0.35 * np.abs(octave[1:, :, None] - octave[:-1, None, :])
    both = voiced[1:, :, None] & voiced[:-1, None, :]
    change = voiced[1:, :, None] != voiced[:-1, None, :]
    cost = np.where(both, jump, np.where(change, 0.14, 0.0))
    best = strength[0] if state is None else strength[0] + state.max()
    back = np.zeros((count, width), np.int8)
    columns = np.arange(width)
    for t in range(1, count):
        reach = best - cost[t - 1]
        choice = reach.argmax(axis=1)
        back[t] = choice
        best = reach[columns, choice] + strength[t]
    path = np.zeros(count, np.int64)
    path[-1] = int(best.argmax())
    for t in range(count - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path, best - best.max()


def energy(samples: np.ndarray) -> Signal:
    """Return the loudness over time.

    Parameters
    ----------
    samples : np.ndarray [shape=(N,)]
        Mono sound at 16 kHz, -1..1.

    Returns
    -------
    Signal
        Column ``energy`` in dB of full scale (never under -90), 25 ms windows, 100 fps.
    """
    step, grain = RATE // FPS, 40
    count = max(len(samples) // step, 1)
    # powers of 2.5 ms, ten to a window: nothing as long as the sound is copied
    grains = len(samples) // grain
    total = np.zeros(grains + 1)
    for first, part in passing(samples[: grains * grain], 10_000 * grain):
        parts = np.asarray(part, np.float32).reshape(-1, grain)
        total[first // grain + 1 :][: len(parts)] = np.einsum("ij,ij->i", parts, parts)
    total = np.cumsum(total)
    first = np.arange(count) * (step // grain) - 3
    a, b = np.clip(first, 0, grains), np.clip(first + 10, 0, grains)
    mean = np.maximum(total[b] - total[a], 0) / np.maximum((b - a) * grain, 1)
    level = 10 * np.log10(mean + 1e-9)
    return Signal(level[:, None].astype(np.float32), ("energy",), ("dB",), Fraction(FPS), 0.0)


def speaking_rate(phones: Tier, *, duration: float, fps: int = 10, window: float = 2.0) -> np.ndarray:
    """Return syllables per second of speech around each moment.

    Parameters
    ----------
    phones
        Phones tier; gaps are silence.
    duration
        Seconds to cover.
    fps
        Frames per second of the result.
    window
        Seconds looked at around each frame; pauses in it are not counted.

    Returns
    -------
    np.ndarray [shape=(T,)]
        Syllables/s, 0 in long silence.
    """
    count = max(int(np.ceil(duration * fps)), 1)
    spoken, nuclei = np.zeros(count), np.zeros(count)
    for phone in phones:
        a, b = int(phone.start * fps), min(int(phone.end * fps) + 1, count)
        for k in range(a, b):
            spoken[k] += max(min(phone.end, (k + 1) / fps) - max(phone.start, k / fps), 0.0)
        if is_vowel(phone.label) and int(phone.middle * fps) < count:
            nuclei[int(phone.middle * fps)] += 1
    kernel = np.ones(int(window * fps) + 1)
    if count < len(kernel):
        return np.full(count, nuclei.sum() / spoken.sum() if spoken.sum() > 0.1 else 0.0)
    time, said = np.convolve(spoken, kernel, "same"), np.convolve(nuclei, kernel, "same")
    return np.where(time > 0.1, said / np.maximum(time, 0.1), 0.0)
