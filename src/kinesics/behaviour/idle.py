"""What a body does while it does nothing: sway, drift, breath.

Noise is a sum of sinusoids with hashed phases whose amplitudes follow spectra measured on real
people (``data/motion_statistics.json``, by ``scripts/measure_motion_statistics.py``), so it is an
exact function of time: the same whenever and in whatever pieces it is asked for.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from kinesics import seeds

Array = NDArray[np.float64]

CHANNELS: tuple[str, ...] = (
    "root_x", "root_z", "hips_pitch", "hips_yaw", "hips_roll",
    "spine_pitch", "spine_yaw", "spine_roll",
    "head_pitch", "head_yaw", "head_roll",
    "shoulder_left", "shoulder_right",
    "hand_left_x", "hand_left_y", "hand_left_z", "hand_right_x", "hand_right_y", "hand_right_z",
    "curl_left", "curl_right",
)  # fmt: skip
"""Channels of the drift: metres for the root and hands, degrees for the rest."""

_BREATHS_A_SECOND = 0.235


@lru_cache(maxsize=1)
def statistics() -> dict:
    """Measured amplitudes and spectra; see the file for units and sources."""
    return json.loads((resources.files("kinesics.behaviour") / "data" / "motion_statistics.json").read_text())


class Drift:
    """Band-limited noise with measured spectra.

    Parameters
    ----------
    seed
        Of the performance.

    Examples
    --------
    >>> drift = Drift(3)
    >>> a = drift(np.arange(4) / 60)
    >>> a.shape == (4, len(CHANNELS))
    True
    """

    def __init__(self, seed: int) -> None:
        table = statistics()["drift"]
        rows = []
        for name in CHANNELS:
            entry = table[name]
            # Bands are octaves: two sinusoids in each, at hashed places.
            draw = seeds.rng(seed, "drift", name)
            low, high = np.array(entry["bands_hz"]).T
            part = np.repeat(np.array(entry["rms"]), 2)
            if name.startswith("head"):
                # Slow turns of the head are looking somewhere, which gaze decides.
                part = part * np.repeat(np.where(high <= 0.26, 0.5, 1.0), 2)
            place = draw.uniform(0, 1, (len(low), 2))
            hertz = (low[:, None] * (high / low)[:, None] ** (0.5 * (np.arange(2) + place))).ravel()
            phase = draw.uniform(0, 2 * np.pi, len(hertz))
            rows.append((2 * np.pi * hertz, phase, part))
        self.omega = np.stack([r[0] for r in rows])
        self.phase = np.stack([r[1] for r in rows])
        self.amplitude = np.stack([r[2] for r in rows])

    def __call__(self, times: Array) -> Array:
        """(n,) seconds to (n, C) values."""
        return np.sum(self.amplitude * np.sin(self.omega * times[:, None, None] + self.phase), axis=-1)


class Breath:
    """Breathing: about 14 breaths a minute, never quite even, in faster than out."""

    def __init__(self, seed: int) -> None:
        draw = seeds.rng(seed, "breath")
        self.rate = _BREATHS_A_SECOND * draw.uniform(0.92, 1.08)
        self.phase = draw.uniform(0, 2 * np.pi, 3)
        self.deep: list[tuple[float, float]] = []

    def inhale(self, time: float, amount: float) -> None:
        """A deeper breath that is full at ``time``, as before a phrase."""
        self.deep.append((time, amount))

    def forget(self, before: float) -> None:
        """Drop breaths that are over."""
        self.deep = [d for d in self.deep if d[0] > before - 3]

    def __call__(self, times: Array) -> Array:
        """(n,) seconds to (n,) fullness: 0 on average, ±0.5 at rest."""
        cycle = 2 * np.pi * self.rate * times + self.phase[0]
        cycle = (
            cycle + 0.7 * np.sin(0.31 * times + self.phase[1]) + 0.4 * np.sin(0.13 * times + self.phase[2])
        )
        full = 0.5 * np.sin(cycle + 0.45 * np.sin(cycle))
        for time, amount in self.deep:
            since = times - time
            rise = np.exp(-((since / 0.30) ** 2)) * (since < 0)
            fall = np.exp(-((since / 1.3) ** 2)) * (since >= 0)
            full = full + amount * (rise + fall)
        return full
