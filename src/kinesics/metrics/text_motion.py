"""Text and motion: retrieval, distances of embeddings, position errors, order of events.

Embeddings are rows, text i belonging to motion i. Two families of protocol are in use and differ in
all:

**T2M** (Guo et al. 2022, CVPR; TM2T, MDM and everything on HumanML3D). Euclidean distance of the
evaluator's embeddings. **R-precision**: pools of 32 texts and motions in the order given; the share of
texts whose own motion is among the k nearest of the pool, k = 1, 2, 3; higher is better, k/32 is
chance. What is left over after the last whole pool is dropped, as in the published loop, so shuffle
first. **MM-Dist**: mean distance of text i and motion i; lower. **Diversity**: mean distance of 300
random pairs of motions (two draws without repetition, a motion may meet itself); closest to the real
data's is best. **MultiModality**: the same within the motions of one text (30 samples, 10 pairs);
closest to none in particular, printed as higher.

**TMR** (Petrovich et al. 2023, arXiv 2305.00976; CAR). Cosine similarity over the **whole** gallery,
both ways: R@k in percent, MedR the median rank counted from 1. Equal similarities share the average of
their ranks. With ``text_similarity`` and ``threshold`` other texts count as correct too: the threshold
is on a scale of 0 to 1, so 0.95 means a cosine above 0.90.

**APE, AVE**: see `kinesics.metrics.positions`.

**TEMOS score** (SINC, arXiv 2304.10417): (1 + cosine) / 2 of embeddings of generated and true motion; 0
to 1, higher.

**CAR** (Fujiwara et al. 2024, arXiv 2407.15408): the share of texts of several events whose motion is
nearer (cosine) to the right order than to a shuffled one. Strictly: a tie fails. Chance 0.5; compare
events with events, because rewritten texts betray themselves by style.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError
from kinesics.metrics._checks import Floats, numbers, pair
from kinesics.metrics._registry import Metric, Score
from kinesics.metrics.frechet import bias_note, frechet_distance
from kinesics.metrics.positions import ape, ave
from kinesics.seeds import rng

RANKS = (1, 2, 3, 5, 10)
"""The k of R@k."""


def validate(text: ArrayLike, motion: ArrayLike, *, least: int = 1) -> tuple[Floats, Floats]:
    """Embeddings (n, d) of texts and of their motions.

    Raises
    ------
    DataError
        On other shapes, NaN, or fewer than ``least``.
    """
    return pair(text, motion, ("n", "d"), "embeddings", least=least)


def r_precision(text: ArrayLike, motion: ArrayLike, *, pool: int = 32, top: int = 3) -> Floats:
    """R-precision at 1 … ``top`` in pools.

    Parameters
    ----------
    text, motion
        (n, d) embeddings, row by row.
    pool
        Size of a pool; the rest after the last whole pool is dropped.

    Returns
    -------
    numpy.ndarray
        (top,) shares, 0 to 1. Where distances are equal, the expectation over their orders.

    Raises
    ------
    DataError
        If there is not one whole pool.
    """
    if not 1 <= top <= pool:
        raise DataError(f"top {top} of a pool of {pool}; expected from 1 to the pool's size")
    a, b = validate(text, motion, least=pool)
    count = len(a) // pool
    a, b = (x[: count * pool].reshape(count, pool, -1) for x in (a, b))
    distance = np.linalg.norm(a[:, :, None] - b[:, None], axis=3)
    own = np.einsum("pii->pi", distance)[:, :, None]
    nearer, equal = (distance < own).sum(2), (distance == own).sum(2)
    k = np.arange(1, top + 1)[:, None, None]
    return np.clip((k - nearer) / equal, 0, 1).mean((1, 2))


def mm_distance(text: ArrayLike, motion: ArrayLike) -> float:
    """Mean Euclidean distance of text i and motion i."""
    a, b = validate(text, motion)
    return float(np.linalg.norm(a - b, axis=1).mean())


def diversity(motion: ArrayLike, *, pairs: int = 300, seed: int = 0) -> float:
    """Mean distance of random pairs of motions (n, d); needs at least ``pairs`` of them."""
    x = numbers(motion, ("n", "d"), "motion embeddings", least=pairs)
    draw = rng(seed, "diversity")
    first, second = (draw.choice(len(x), pairs, replace=False) for _ in range(2))
    return float(np.linalg.norm(x[first] - x[second], axis=1).mean())


def multimodality(motion: ArrayLike, *, pairs: int = 10, seed: int = 0) -> float:
    """Mean distance of random pairs among the motions (texts, samples, d) of each text."""
    x = numbers(motion, ("texts", "samples", "d"), "motion embeddings")
    if x.shape[1] < pairs:
        raise DataError(f"motion embeddings: {x.shape[1]} samples per text (axis 1); at least {pairs} needed")
    draw = rng(seed, "multimodality")
    first, second = (draw.choice(x.shape[1], pairs, replace=False) for _ in range(2))
    return float(np.linalg.norm(x[:, first] - x[:, second], axis=2).mean())


def cosine(text: ArrayLike, motion: ArrayLike) -> Floats:
    """(n, m) cosine similarities of rows; a row of zeros is refused."""
    a, b = numbers(text, ("n", "d"), "text embeddings"), numbers(motion, ("m", "d"), "motion embeddings")
    if a.shape[1] != b.shape[1]:
        raise DataError(f"embeddings: {a.shape[1]} and {b.shape[1]} dimensions; expected the same")
    lengths = [np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
    if min(n.min() for n in lengths) == 0:
        raise DataError("embeddings: a row of zeros has no direction")
    return (a / lengths[0]) @ (b / lengths[1]).T


def ranks(
    similarity: ArrayLike, *, text_similarity: ArrayLike | None = None, threshold: float = 0.95
) -> Floats:
    """Rank, from 0, of the right motion of every text (rows) among all; transpose for the other way.

    Parameters
    ----------
    similarity
        (n, n), text by motion.
    text_similarity
        (n, n) cosines of the texts; where they exceed 2·threshold − 1, that motion is right as well and the
        best of them counts.
    threshold
        On a scale of 0 to 1.

    Returns
    -------
    numpy.ndarray
        (n,) ranks; equal similarities share their average.
    """
    s = numbers(similarity, ("n", "n"), "similarity")
    if s.shape[0] != s.shape[1]:
        raise DataError(f"similarity: shape {s.shape}; expected as many motions as texts")
    own = np.diagonal(s)
    if text_similarity is not None:
        alike = numbers(text_similarity, s.shape, "text similarity")
        if not 0 < threshold <= 1:
            raise DataError(f"threshold {threshold!r}; expected above 0, at most 1")
        right = (alike > 2 * threshold - 1) | np.eye(len(s), dtype=bool)
        own = np.where(right, s, -np.inf).max(1)
    equal = (s == own[:, None]).sum(1)
    return (s > own[:, None]).sum(1) + (equal - 1) / 2


def retrieval(
    similarity: ArrayLike, *, text_similarity: ArrayLike | None = None, threshold: float = 0.95
) -> dict[str, float]:
    """R@k in percent and median rank, both ways.

    Parameters
    ----------
    similarity, text_similarity, threshold
        See :func:`ranks`.

    Returns
    -------
    dict
        ``"t2m R@1"`` … ``"t2m MedR"``, ``"m2t R@1"`` … ``"m2t MedR"``.

    Examples
    --------
    >>> retrieval(np.eye(20))["t2m R@1"], retrieval(np.eye(20))["m2t MedR"]
    (100.0, 1.0)
    """
    s = numbers(similarity, ("n", "n"), "similarity")
    out = {}
    for way, table in (("t2m", s), ("m2t", s.T)):
        at = ranks(table, text_similarity=text_similarity, threshold=threshold)
        out |= {f"{way} R@{k}": float(100 * (at < k).mean()) for k in RANKS}
        out[f"{way} MedR"] = float(np.median(at) + 1)
    return out


def temos_score(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Mean of (1 + cosine) / 2 of embeddings (n, d) of true and generated motions."""
    a, b = validate(reference, estimate)
    return float((1 + np.diagonal(cosine(a, b)).mean()) / 2)


def car_accuracy(motion: ArrayLike, correct: ArrayLike, shuffled: ArrayLike) -> float:
    """Chronologically accurate retrieval: share of motions nearer to the right order of events.

    Parameters
    ----------
    motion, correct, shuffled
        (n, d) embeddings of motions, of their texts and of the texts with events shuffled.
    """
    m, good = validate(motion, correct)
    bad = numbers(shuffled, m.shape, "shuffled texts' embeddings")
    right = np.diagonal(cosine(m, good)) > np.diagonal(cosine(m, bad))
    return float(right.mean())


def evaluate(
    text: ArrayLike,
    motion: ArrayLike,
    *,
    real: ArrayLike | None = None,
    extractor: str | None = None,
    seed: int = 0,
) -> dict[str, Score]:
    """The T2M family from embeddings of texts and generated motions.

    Parameters
    ----------
    text, motion
        (n, d), in step.
    real
        (m, d) embeddings of real motions, for FID.
    extractor
        Name and hash of the evaluator.

    Returns
    -------
    dict
        Name → score; what needs more samples than there are is left out.
    """
    a, b = validate(text, motion)
    more = {"extractor": extractor}
    out = {"MM-Dist": Score(mm_distance(a, b), "MM-Dist", "", "lower", len(a), **more)}
    if len(a) >= 32:
        n = len(a) // 32 * 32
        for k, value in enumerate(r_precision(a, b), 1):
            name = f"R-precision top {k}"
            out[name] = Score(float(value), name, "", "higher", n, settings={"pool": 32}, **more)
    if len(a) >= 300:
        settings = {"pairs": 300, "seed": seed}
        out["Diversity"] = Score(
            diversity(b, seed=seed), "Diversity", "", "reference", 300, settings=settings, **more
        )
    if real is not None:
        note = bias_note(len(np.asarray(real)), len(b), b.shape[1])
        out["FID"] = Score(frechet_distance(real, b), "FID", "", "lower", len(b), notes=(note or "",), **more)
    return out


def _recall(k: int) -> Callable[..., float]:
    return lambda similarity, **o: retrieval(similarity, **o)[f"t2m R@{k}"]


_PAIRS = "embeddings (n, d) of texts and motions"

METRICS = (
    Metric("R-precision", "text_motion", "higher", "", "Guo et al. 2022, CVPR", _PAIRS, r_precision),
    Metric("MM-Dist", "text_motion", "lower", "", "Guo et al. 2022, CVPR", _PAIRS, mm_distance),
    Metric(
        "Diversity", "text_motion", "reference", "", "Guo et al. 2022, CVPR",
        "embeddings (n, d) of motions", diversity,
    ),
    Metric(
        "MultiModality", "text_motion", "higher", "", "Guo et al. 2022, CVPR",
        "embeddings (texts, samples, d)", multimodality,
    ),
    *(
        Metric(f"R@{k}", "text_motion", "higher", "%", "TMR, arXiv 2305.00976", "similarity (n, n)", _recall(k))
        for k in RANKS
    ),
    Metric(
        "MedR", "text_motion", "lower", "", "TMR, arXiv 2305.00976", "similarity (n, n)",
        lambda similarity, **o: retrieval(similarity, **o)["t2m MedR"],
    ),
    *(
        Metric(
            f"{kind}-{part}", "text_motion", "lower", unit, "TEMOS, arXiv 2204.14109",
            "a quantity (T, d) or (T, J, d) twice", function, "_body_over:position_error", True,
        )
        for kind, unit, function in (("APE", "m", ape), ("AVE", "m²", ave))
        for part in ("root", "trajectory", "local", "world")
    ),
    Metric(
        "TEMOS-score", "text_motion", "higher", "", "SINC, arXiv 2304.10417",
        "embeddings (n, d) of true and generated motions", temos_score,
    ),
    Metric(
        "CAR", "text_motion", "higher", "", "ChronAccRet, arXiv 2407.15408",
        "embeddings (n, d) of motions, texts, shuffled texts", car_accuracy,
    ),
)  # fmt: skip
