"""Fréchet distance of two sets of features: what FGD, FID, FVD and FMD are made of.

With the means μ and covariances C (divided by n − 1) of reference features X (n, d) and estimated
features Y (m, d)::

    F = ‖μx − μy‖² + Tr(Cx) + Tr(Cy) − 2 Tr((Cx Cy)^½)

Lower is better, 0 for equal sets; the unit is the square of the features' unit, so F depends on the
extractor and on any normalisation. **Values from different extractors cannot be compared**: gesture
papers print hundreds (BEAT), 0.4 to 1 (BEAT2) and 1 to 13 (TED) for the same idea.

The matrix root is never formed: Tr((Cx Cy)^½) is the sum of the singular values of Rx Ryᵀ, where Rᵀ R =
C. That is exact for singular covariances too, so the customary rescue (add 1e-6 I to both when
``scipy.linalg.sqrtm`` is not finite, keep the real part of a complex root) is never needed. Some public
tools add it always (EMAGE's): ``offset=1e-6`` does as they do.

F is biased upwards when samples are few: two draws of 500 from one 240-dimensional Gaussian are far
from 0. :func:`bias_note` says so whenever there are fewer than :data:`ENOUGH` samples per dimension
(ours), and every score carries that note.

Papers: Fréchet 1957; Dowson and Landau 1982; Heusel et al. 2017 (FID, arXiv 1706.08500).
"""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError
from kinesics.metrics._checks import Floats, numbers

log = logging.getLogger(__name__)

ENOUGH = 10
"""Samples per dimension below which a Fréchet distance is called biased (ours)."""


def validate(reference: ArrayLike, estimate: ArrayLike) -> tuple[Floats, Floats]:
    """Features as float64.

    Raises
    ------
    DataError
        If they are not (n, d) and (m, d), hold NaN, or there are fewer than two of either.
    """
    x = numbers(reference, ("n", "d"), "reference features", least=2)
    y = numbers(estimate, ("m", "d"), "estimated features", least=2)
    if x.shape[1] != y.shape[1]:
        raise DataError(
            f"features: {x.shape[1]} dimensions in the reference, {y.shape[1]} in the estimate; "
            f"use one extractor for both (rows are samples)"
        )
    return x, y


def bias_note(n: int, m: int, d: int) -> str | None:
    """Say that a distance of ``n`` and ``m`` samples of ``d`` dimensions is biased, or None."""
    few = min(n, m)
    return f"biased: {few} samples for {d} dimensions" if few < ENOUGH * d else None


def frechet_distance(reference: ArrayLike, estimate: ArrayLike, *, offset: float = 0.0) -> float:
    """Fréchet distance of Gaussians fitted to two sets of features.

    Parameters
    ----------
    reference, estimate
        (n, d) and (m, d): one row per sample.
    offset
        Added to the diagonals under the root; 1e-6 for tools that always do.

    Returns
    -------
    float
        At least 0; the square of the features' unit.

    Raises
    ------
    DataError
        See :func:`validate`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((500, 3))
    >>> round(frechet_distance(x, x + [3, 4, 0]), 6)
    25.0
    """
    x, y = validate(reference, estimate)
    note = bias_note(len(x), len(y), x.shape[1])
    if note:
        log.warning("Fréchet distance %s", note)
    if offset:
        return frechet_of_moments(x.mean(0), _covariance(x), y.mean(0), _covariance(y), offset=offset)
    away = x.mean(0) - y.mean(0)
    a, b = _triangle(x), _triangle(y)
    root = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(float(away @ away + (a**2).sum() + (b**2).sum() - 2 * root), 0.0)


def frechet_of_moments(
    mean_x: ArrayLike, cov_x: ArrayLike, mean_y: ArrayLike, cov_y: ArrayLike, *, offset: float = 0.0
) -> float:
    """Fréchet distance from means (d,) and covariances (d, d), for instance stored ones.

    >>> frechet_of_moments([0], [[4]], [0], [[9]])
    1.0
    """
    mx, my = numbers(mean_x, ("d",), "reference mean"), numbers(mean_y, ("d",), "estimated mean")
    d = len(mx)
    cx = numbers(cov_x, (d, d), "reference covariance")
    cy = numbers(cov_y, (d, d), "estimated covariance")
    if len(my) != d:
        raise DataError(f"means: {d} and {len(my)} dimensions; use one extractor for both")
    bend = offset * np.eye(d)
    root = np.linalg.svd(_factor(cx + bend) @ _factor(cy + bend).T, compute_uv=False).sum()
    away = mx - my
    return max(float(away @ away + np.trace(cx) + np.trace(cy) - 2 * root), 0.0)


def _triangle(features: Floats) -> Floats:
    """R with RᵀR the covariance of the features."""
    return np.linalg.qr((features - features.mean(0)) / np.sqrt(len(features) - 1), mode="r")


def _covariance(features: Floats) -> Floats:
    return np.atleast_2d(np.cov(features, rowvar=False))


def _factor(covariance: Floats) -> Floats:
    if not np.allclose(covariance, covariance.T, rtol=1e-6, atol=1e-12):
        raise DataError("covariance: not symmetric; expected np.cov(features, rowvar=False)")
    values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
    if values[0] < -1e-6 * max(values[-1], 1e-300):
        raise DataError(f"covariance: an eigenvalue is {values[0]:.3g}; expected none below 0")
    return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
