"""Voice activity: where somebody speaks, by WebRTC's detector."""

from __future__ import annotations

import numpy as np

from kinesics.errors import DataError
from kinesics.files import passing

RATE = 16000
"""Samples per second of everything this room analyses."""
_FRAME = 0.01


def speech_frames(samples: np.ndarray, *, aggressiveness: int = 2) -> np.ndarray:
    """Tell for each 10 ms whether it holds speech.

    Parameters
    ----------
    samples : np.ndarray [shape=(N,)]
        Mono sound at 16 kHz, -1..1.
    aggressiveness
        0 keeps the most, 3 drops the most.

    Returns
    -------
    np.ndarray [shape=(N // 160,), bool]
    """
    import webrtcvad

    if not 0 <= aggressiveness <= 3:
        raise DataError(f"aggressiveness must be 0..3, not {aggressiveness}")
    detector = webrtcvad.Vad(aggressiveness)
    step = int(RATE * _FRAME)
    count = len(samples) // step
    heard = np.zeros(count, bool)
    for first, part in passing(samples[: count * step], 6000 * step):  # a minute at a time
        pcm = (np.clip(part, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        for k in range(len(part) // step):
            frame = pcm[2 * step * k : 2 * step * (k + 1)]
            heard[first // step + k] = detector.is_speech(frame, RATE)
    return heard


def speech_spans(
    samples: np.ndarray,
    *,
    aggressiveness: int = 2,
    shortest: float = 0.06,
    bridge: float = 0.2,
    margin: float = 0.03,
) -> list[tuple[float, float]]:
    """Return the spans of speech in seconds.

    Parameters
    ----------
    samples : np.ndarray [shape=(N,)]
        Mono sound at 16 kHz, -1..1.
    aggressiveness
        0 keeps the most, 3 drops the most.
    shortest
        Speech shorter than this (seconds) is taken for a click.
    bridge
        Pauses shorter than this (seconds) are filled.
    margin
        Seconds added at both ends of each span.

    Returns
    -------
    list of (float, float)
        Start and end in seconds, in order, apart from each other.

    Examples
    --------
    >>> speech_spans(np.zeros(16000, np.float32))
    []
    """
    heard = speech_frames(samples, aggressiveness=aggressiveness)
    spans = runs(heard, frame=_FRAME)
    spans = _bridge([s for s in spans if s[1] - s[0] >= shortest], bridge)
    end = len(samples) / RATE
    return _bridge([(max(a - margin, 0.0), min(b + margin, end)) for a, b in spans], 0.0)


def runs(flags: np.ndarray, *, frame: float) -> list[tuple[float, float]]:
    """Return start and end (seconds) of each run of true frames that are ``frame`` seconds long.

    >>> runs(np.array([0, 1, 1, 0, 1], bool), frame=0.5)
    [(0.5, 1.5), (2.0, 2.5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(float(a * frame), float(b * frame)) for a, b in edges.reshape(-1, 2)]


def _bridge(spans: list[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
