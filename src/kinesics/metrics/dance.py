"""Dance: Fréchet distances of its features, spread, alignment with beats, freezing, continuation.

Positions are (T, 24, 3) of SMPL's joints at 60 frames per second, metres, Y up.

**FID_k, FID_g** (AI Choreographer, arXiv 2101.08779, in the form of Bailando, EDGE and TM2D). Per dance
one vector: 72 kinetic (three per joint) or 32 geometric features (`kinesics.metrics._dance_features`
with their known peculiarities). Both sets are standardised with mean and standard deviation (divided by
n) **of the reference** plus 1e-10, then their Fréchet distance is taken; lower is better. A feature
that never changes in the reference blows the distance up; the score names it. Generated dances are cut
to their first 1200 frames, references are not: `prepare`. With some dozens of dances and 72 dimensions
the number is biased, which its note says.

**Dist_k, Dist_g** (also "Div"): mean Euclidean distance over all pairs of dances of the same
standardised features. Best when close to the reference's own.

**BAS**: `kinesics.metrics.beats.bas_aist`.

**PFF, AUC_f**, freezing (ours; the TM2D paper names such scores without a formula). The speed of a
frame is the greatest speed of any joint since the frame before. Frames in a run of at least ``least``
seconds (3) all slower than ``threshold`` (0.015 m/s) are frozen; PFF is their percentage of all T − 1
frames. AUC_f is the mean of PFF over thresholds from 0 to twice the default, in 31 even steps by the
trapezoid rule, so it does not hang on one threshold. Lower is better, 0 for a dance that never stops.

**MPD**, motion prediction distance (ours in detail; TM2D, arXiv 2304.02419). Given S futures that a
forecaster predicts from the 25 frames before a transition, and the H frames generated after it::

    MPD(h) = min over s of mean over t < h and joints of ‖generated(t) − future(s, t)‖        h = 10, 20, 30

Metres, lower is more plausible. The forecaster is half of the number and must be named.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError
from kinesics.metrics import _dance_features as features
from kinesics.metrics._checks import Floats, indices, numbers, positive, sequences
from kinesics.metrics._registry import Metric, Score
from kinesics.metrics.beats import bas_aist
from kinesics.metrics.frechet import bias_note, frechet_distance

CUT = 1200
"""Frames to which generated dances are cut."""
FROZEN = 0.015
"""Metres per second below which a dancer counts as frozen."""


def validate(dances: ArrayLike | Sequence[ArrayLike]) -> list[Floats]:
    """Dances (T, 24, 3) of at least three frames.

    Raises
    ------
    DataError
        On other shapes or NaN.
    """
    found = sequences(dances, ("T", 24, 3), "dance")
    for i, d in enumerate(found):
        if len(d) < 3:
            raise DataError(f"dance {i}: {len(d)} frames; at least 3 needed")
    return found


def prepare(dance: ArrayLike, *, generated: bool) -> Floats:
    """A dance as the published evaluation takes it: generated ones from the first root on, at most 1200 frames."""
    (d,) = validate([dance])
    return d[:CUT] - d[0, 0] if generated else d


def kinetic_features(dance: ArrayLike, *, fps: float = 60.0) -> Floats:
    """(72,) kinetic features of one dance (T, 24, 3)."""
    (d,) = validate([dance])
    return features.kinetic(d, fps=positive(fps, "fps"))


def geometric_features(dance: ArrayLike) -> Floats:
    """(32,) geometric features of one dance (T, 24, 3), each the share of its frames, 0 to 1."""
    (d,) = validate([dance])
    return features.geometric(d)


def standardise(reference: ArrayLike, estimate: ArrayLike) -> tuple[Floats, Floats]:
    """Features (n, d) and (m, d) less the reference's mean, divided by its standard deviation + 1e-10."""
    x = numbers(reference, ("n", "d"), "reference features", least=2)
    y = numbers(estimate, ("m", x.shape[1]), "estimated features")
    mean, scale = x.mean(0), x.std(0) + 1e-10
    return (x - mean) / scale, (y - mean) / scale


def dance_fid(reference: ArrayLike, estimate: ArrayLike) -> float:
    """FID_k or FID_g from features (n, d) and (m, d) of dances."""
    return frechet_distance(*standardise(reference, estimate))


def dance_dist(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Dist_k or Dist_g of the estimate: mean distance of all pairs, standardised by the reference."""
    x = standardise(reference, estimate)[1]
    if len(x) < 2:
        raise DataError("estimated features: 1 dance; at least 2 needed")
    upper = np.triu_indices(len(x), 1)
    return float(np.linalg.norm(x[upper[0]] - x[upper[1]], axis=1).mean())


def constant_note(reference: Floats) -> str:
    """Name the features that never change in the reference, by which standardising divides; or say nothing."""
    still = np.flatnonzero(np.ptp(reference, axis=0) == 0)
    return (
        f"features {still.tolist()} never change in the reference and blow the distance up"
        if still.size
        else ""
    )


def freezing(dance: ArrayLike, *, fps: float = 60.0, threshold: float = FROZEN, least: float = 3.0) -> float:
    """PFF: percentage of frames in which the dancer is frozen.

    Parameters
    ----------
    dance
        (T, J, 3) metres.
    threshold
        Metres per second.
    least
        Seconds a standstill must last.

    Examples
    --------
    >>> freezing(np.zeros((600, 24, 3))), freezing(np.zeros((120, 24, 3)))
    (100.0, 0.0)
    """
    return _frozen(_speed(dance, fps), threshold, round(positive(least, "least") * fps))


def freezing_auc(dance: ArrayLike, *, fps: float = 60.0, least: float = 3.0) -> float:
    """AUC_f: PFF averaged over thresholds from 0 to 0.03 m/s, percent."""
    speed, run = _speed(dance, fps), round(positive(least, "least") * fps)
    values = np.array([_frozen(speed, t, run) for t in np.linspace(0, 2 * FROZEN, 31)])
    return float((values[1:] + values[:-1]).mean() / 2)


def _speed(dance: ArrayLike, fps: float) -> Floats:
    points = numbers(dance, ("T", "J", 3), "dance", least=2)
    return np.linalg.norm(np.diff(points, axis=0), axis=2).max(1) * positive(fps, "fps")


def _frozen(speed: Floats, threshold: float, run: int) -> float:
    slow = np.concatenate([[False], speed < threshold, [False]])
    edges = np.flatnonzero(np.diff(slow.astype(int)))
    lengths = edges[1::2] - edges[::2]
    return float(100 * lengths[lengths >= run].sum() / len(speed))


def mpd(
    generated: ArrayLike, futures: ArrayLike, *, horizons: Sequence[int] = (10, 20, 30)
) -> dict[int, float]:
    """Motion prediction distance after a transition.

    Parameters
    ----------
    generated
        (H, J, 3) frames after the transition, metres.
    futures
        (S, H, J, 3) what a forecaster predicts from the frames before it.
    horizons
        Numbers of frames.

    Returns
    -------
    dict
        Horizon → metres.
    """
    g = numbers(generated, ("H", "J", 3), "generated frames")
    f = numbers(futures, ("S", *g.shape), "futures")
    ends = indices([h - 1 for h in horizons], len(g), "horizons less one")
    away = np.linalg.norm(f - g, axis=3).mean(2)
    return {int(e) + 1: float(away[:, : e + 1].mean(1).min()) for e in ends}


def evaluate(
    reference: Sequence[ArrayLike], estimate: Sequence[ArrayLike], *, fps: float = 60.0
) -> dict[str, Score]:
    """FID and Dist on both kinds of features, and freezing, of sets of dances.

    Parameters
    ----------
    reference, estimate
        Lists of (T, 24, 3); at least two each.

    Returns
    -------
    dict
        Name → score; the reference's own spread under ``"Dist_k of reference"``.
    """
    x = [prepare(d, generated=False) for d in validate(reference)]
    y = [prepare(d, generated=True) for d in validate(estimate)]
    out = {}
    for letter, of in (("k", lambda d: features.kinetic(d, fps=fps)), ("g", features.geometric)):
        a, b = np.stack([of(d) for d in x]), np.stack([of(d) for d in y])
        notes = (bias_note(len(a), len(b), a.shape[1]) or "", constant_note(a))
        settings = {"features": a.shape[1], "fps": fps}
        for name, value, direction in (
            (f"FID_{letter}", dance_fid(a, b), "lower"),
            (f"Dist_{letter}", dance_dist(a, b), "reference"),
            (f"Dist_{letter} of reference", dance_dist(a, a), "reference"),
        ):
            out[name] = Score(value, name, "", direction, len(b), settings=settings, notes=notes)
    for name, function in (("PFF", freezing), ("AUC_f", freezing_auc)):
        value = float(np.mean([function(d, fps=fps) for d in y]))
        out[name] = Score(value, name, "%", "lower", len(y), settings={"fps": fps})
    return out


_PAPER = "AI Choreographer, arXiv 2101.08779"

METRICS = (
    Metric(
        "FID_k", "dance", "lower", "", _PAPER, "kinetic features (n, 72) twice", dance_fid,
        "_body_over:dance_features", True,
    ),
    Metric(
        "FID_g", "dance", "lower", "", _PAPER, "geometric features (n, 32) twice", dance_fid,
        "_body_over:dance_features", True,
    ),
    Metric(
        "Dist_k", "dance", "reference", "", _PAPER, "kinetic features (n, 72) twice", dance_dist,
        "_body_over:dance_features", True,
    ),
    Metric(
        "Dist_g", "dance", "reference", "", _PAPER, "geometric features (n, 32) twice", dance_dist,
        "_body_over:dance_features", True,
    ),
    Metric(
        "BAS", "dance", "higher", "", _PAPER, "positions (T, 24, 3) at 60 fps, beats in frames", bas_aist,
        "_body_over:bas", True,
    ),
    Metric("PFF", "dance", "lower", "%", "ours", "positions (T, J, 3)", freezing, "_body_over:frozen"),
    Metric("AUC_f", "dance", "lower", "%", "ours", "positions (T, J, 3)", freezing_auc, "_body_over:frozen"),
    Metric(
        "MPD", "dance", "lower", "m", "TM2D, arXiv 2304.02419; details ours",
        "frames (H, J, 3), futures (S, H, J, 3)", mpd,
    ),
)  # fmt: skip
