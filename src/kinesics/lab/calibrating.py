"""Whether probabilities mean what they say, and one number that makes them.

Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017): all scores are divided by one temperature, the one
under which examples that were kept out are likeliest. What is likeliest stays so; how sure it is changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError

BINS = 10


def shares_of(scores: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """(N, K) scores (logarithms of probabilities, up to a constant) → (N, K) probabilities."""
    scores = np.asarray(scores, np.float64) / temperature
    share = np.exp(scores - scores.max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def unlikeliness(shares: ArrayLike, labels: ArrayLike) -> float:
    """Mean negative log likelihood (nats) of (N,) labels under (N, K) probabilities."""
    shares, labels = _checked(shares, labels)
    return float(-np.log(np.maximum(shares[np.arange(len(labels)), labels], 1e-12)).mean())


def temperature_of(scores: ArrayLike, labels: ArrayLike) -> float:
    """The temperature, from 0.05 to 20, under which (N,) labels are likeliest for (N, K) scores.

    Examples
    --------
    >>> scores = np.log([[0.99, 0.01]] * 10)  # sure each time, and wrong three times of ten
    >>> t = temperature_of(scores, [0] * 7 + [1] * 3)
    >>> round(float(shares_of(scores, t)[0, 0]), 2)
    0.7
    """
    scores, labels = _checked(scores, labels)
    grid = np.exp(np.linspace(np.log(0.05), np.log(20), 600))
    return float(grid[np.argmin([unlikeliness(shares_of(scores, t), labels) for t in grid])])


def calibration_error(shares: ArrayLike, labels: ArrayLike) -> float:
    """Expected calibration error, 0 to 1: how far confidence is from the share that is right, over ten bins of confidence.

    Parameters
    ----------
    shares
        (N, K) probabilities.
    labels
        (N,) the right ones.

    Examples
    --------
    >>> round(calibration_error([[0.9, 0.1]] * 4, [0, 0, 1, 1]), 3)
    0.4
    """
    shares, labels = _checked(shares, labels)
    sure, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(float((sure[bins == b] - right[bins == b]).sum())) for b in range(BINS)]
    return float(sum(gaps) / len(labels))


def _checked(values: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values, labels = np.asarray(values, np.float64), np.asarray(labels, np.int64)
    if values.ndim != 2 or labels.shape != values.shape[:1] or not len(labels):
        raise DataError(
            f"values {values.shape}, labels {labels.shape}; expected (N, K) and (N,), N at least 1"
        )
    return values, labels
