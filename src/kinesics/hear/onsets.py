"""Where sound begins: the strokes that gesture systems are trained to meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics.hear.acoustic import mel_energies

RATE = 16_000
_HOP, _WINDOW = 160, 410
_FLOOR = 1e6
"""Mel energy of int16 sound, about −60 dB of full scale, under which nothing is heard (ours)."""
_LEAST = 0.25
"""Rise of the mean log energy within one hop, nepers, that counts as an onset (ours)."""
_APART = 0.06
"""Seconds between two onsets (ours)."""


def onsets(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Seconds at which sound sets in: peaks of the rise of the mel spectrum, above what rises around them.

    Parameters
    ----------
    samples
        (N,) mono sound at 16 kHz, ±1.

    Returns
    -------
    ndarray
        (K,) seconds, rising.

    Examples
    --------
    >>> clicks = np.zeros(16000, np.float32); clicks[[4000, 12000]] = 0.5
    >>> onsets(clicks).round(2).tolist()
    [0.25, 0.75]
    """
    if len(samples) < 4 * _HOP:
        return np.zeros(0)
    peak = max(float(np.percentile(np.abs(samples), 99)), 1e-3)
    energies = mel_energies(np.asarray(samples, np.float32) * np.float32(0.2 / peak), hop=_HOP)
    level = np.log(energies + _FLOOR)
    rise = np.maximum(np.diff(level, axis=0, prepend=level[:1]), 0).mean(axis=1)
    reach = round(_APART * RATE / _HOP)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(rise, reach, mode="edge"), 2 * reach + 1)
    found = np.flatnonzero((rise >= around.max(axis=1)) & (rise > around.mean(axis=1)) & (rise > _LEAST))
    found = found[np.diff(found, prepend=-reach) >= reach]
    # A frame begins a window before what it is the first to hold.
    return (found * _HOP + _WINDOW - _HOP // 2) / RATE
