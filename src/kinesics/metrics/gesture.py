"""Co-speech gesture: Fréchet gesture distance, diversity, semantic relevance, and four beat scores.

Conventions: positions (T, J, 3) in metres, rotations as Euler angles in degrees where BEAT uses them,
times in seconds. A data set is a list of sequences; its value is a mean over frames, not over
sequences.

**FGD** (Yoon et al. 2020, arXiv 2009.02119). The Fréchet distance (see `kinesics.metrics.frechet`) of
features that a motion auto-encoder gives to reference and estimate. Lower is better. It says nothing
without its extractor: name and hash go into every score.

**L1div** (EMAGE, arXiv 2401.00374). Mean absolute deviation from the sequence's mean pose::

    S = Σt Σd |x(t,d) − mean over t of x(·,d)|        score = Σ over sequences of S / Σ over sequences of T

Metres, summed over the J·3 coordinates and **not** averaged over them, so it grows with J. Printed as
higher is better; jitter scores high as well, so compare with the ground truth. (One widely read table
heads its column "↓"; its legend says "↑".) The body's travel is taken out by subtracting the root
joint.

**SRGR** (BEAT, arXiv 2203.05297). A joint hits in a frame if the L1 norm over its three channels (not
the Euclidean) of estimate − reference is below δ::

    score = mean over t and j of hit(t, j) · λ(t) / 0.165

with λ in 0 to 1 the frame's semantic score, whose mean over BEAT is 0.165; so a perfect estimate scores
1 on the whole of BEAT but mean(λ)/0.165 on any other selection. Higher is better. δ = 4 with Euler
degrees of 47 joints in the evaluation scripts (the class's own default is 0.1, another unit): angles in
radians would all hit. The later evaluation tools use ``norm="l2"``. Without λ, ones are used and
nothing is divided.

**Beat scores** (`kinesics.metrics.beats`): `bc_beat2022`, `bc_beat2`, `bc_ted`, and `bas_aist` for
dance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kinesics.errors import DataError, choose
from kinesics.metrics._checks import Floats, indices, numbers, paired_sequences, positive, sequences
from kinesics.metrics._registry import Metric, Score
from kinesics.metrics.beats import bc_beat2, bc_beat2022, bc_ted, joint_speed
from kinesics.metrics.frechet import bias_note, frechet_distance

MEAN_SEMANTIC = 0.165
"""Mean semantic score of BEAT's frames."""


def validate(
    reference: ArrayLike | Sequence[ArrayLike], estimate: ArrayLike | Sequence[ArrayLike]
) -> list[tuple[Floats, Floats]]:
    """Sequences (T, J, 3) in pairs of one shape.

    Raises
    ------
    DataError
        On other shapes, NaN, no frames, or different numbers of sequences.
    """
    return paired_sequences(reference, estimate, ("T", "J", 3), "positions")


def fgd(reference: ArrayLike, estimate: ArrayLike, *, offset: float = 0.0) -> float:
    """Fréchet gesture distance of features (n, d) and (m, d); see `frechet_distance`."""
    return frechet_distance(reference, estimate, offset=offset)


def l1div(positions: ArrayLike | Sequence[ArrayLike], *, root: int | None = 0) -> float:
    """Mean absolute deviation from the mean pose.

    Parameters
    ----------
    positions
        (T, J, 3) metres, or a list of such sequences.
    root
        The joint whose travel is taken out; None to take positions as they are.

    Returns
    -------
    float
        Metres per frame, summed over coordinates.

    Examples
    --------
    >>> swing = np.zeros((2, 2, 3)); swing[1, 1, 0] = 1.0
    >>> l1div(swing)
    0.5
    """
    total, frames = 0.0, 0
    for points in sequences(positions, ("T", "J", 3), "positions"):
        if root is not None:
            points = points - points[:, indices([root], points.shape[1], "root")]
        total += np.abs(points - points.mean(0)).sum()
        frames += len(points)
    return float(total / frames)


def srgr(
    reference: ArrayLike,
    estimate: ArrayLike,
    semantic: ArrayLike | None,
    *,
    delta: float = 4.0,
    norm: str = "l1",
    mean_semantic: float = MEAN_SEMANTIC,
) -> float:
    """Semantic-relevance gesture recall of one sequence.

    Parameters
    ----------
    reference, estimate
        (T, J, 3) Euler angles, degrees.
    semantic
        (T,) scores from 0 to 1; None for plain recall.
    delta
        A joint whose error is below it is hit; in the angles' unit.
    norm
        ``"l1"`` (published) or ``"l2"`` (later tools).

    Returns
    -------
    float
        0 for no hits; mean(semantic)/0.165 for a perfect estimate.

    Examples
    --------
    >>> angles = np.zeros((10, 47, 3))
    >>> round(srgr(angles, angles + 1.0, np.full(10, 0.165)), 9), srgr(angles, angles + 1.4, np.ones(10))
    (1.0, 0.0)
    """
    choose("norm", norm, ("l1", "l2"))
    pairs = validate(reference, estimate)
    if len(pairs) > 1:
        raise DataError("SRGR: one sequence at a time; weight the values by their frames")
    a, b = pairs[0]
    positive(delta, "delta")
    error = np.abs(a - b).sum(2) if norm == "l1" else np.linalg.norm(a - b, axis=2)
    hit = (error < delta).mean(1)
    if semantic is None:
        return float(hit.mean())
    weight = numbers(semantic, (len(a),), "semantic scores")
    if weight.min() < 0 or weight.max() > 1:
        raise DataError(f"semantic scores: {weight.min():.3g} to {weight.max():.3g}; expected 0 to 1")
    return float((hit * weight).mean() / positive(mean_semantic, "mean semantic score"))


def frame_weighted(values: ArrayLike, frames: ArrayLike) -> float:
    """A data set's value from those of its sequences: their mean weighted by frames."""
    each = numbers(values, ("sequences",), "values")
    weight = numbers(frames, (len(each),), "frames")
    if weight.min() < 0 or weight.sum() <= 0:
        raise DataError("frames: expected counts, not all 0")
    return float((each * weight).sum() / weight.sum())


def evaluate(
    reference: ArrayLike | Sequence[ArrayLike],
    estimate: ArrayLike | Sequence[ArrayLike],
    *,
    audio_beats: Sequence[ArrayLike] | None = None,
    mean_speed: ArrayLike | None = None,
    reference_features: ArrayLike | None = None,
    estimated_features: ArrayLike | None = None,
    extractor: str | None = None,
    fps: float = 30,
) -> dict[str, Score]:
    """Whatever of this module can be computed from what is given.

    Parameters
    ----------
    reference, estimate
        Sequences of positions (T, J, 3).
    audio_beats
        One list of seconds per sequence, for BC-BEAT2 (needs 55 joints).
    mean_speed
        (J,) the data set's; the reference's own otherwise, which the score notes.
    reference_features, estimated_features, extractor
        For FGD: features and what they were made with.

    Returns
    -------
    dict
        Name → score; L1div of the reference is under ``"L1div of reference"``.
    """
    pairs = validate(reference, estimate)
    frames = [len(b) for _, b in pairs]
    out = {
        "L1div": _BY_NAME["L1div"].score(l1div([b for _, b in pairs]), sum(frames)),
        "L1div of reference": _BY_NAME["L1div"].score(l1div([a for a, _ in pairs]), sum(frames)),
    }
    if audio_beats is not None:
        if len(audio_beats) != len(pairs):
            raise DataError(f"audio beats: {len(audio_beats)} lists for {len(pairs)} sequences")
        usual, notes = mean_speed, ()
        if usual is None:
            usual = np.average(
                [_mean_speed(a, fps) for a, _ in pairs], axis=0, weights=[len(a) for a, _ in pairs]
            )
            notes = ("mean joint speeds taken from the reference given, not from the whole data set",)
        each = [
            bc_beat2(b, beats, mean_speed=usual, fps=fps)
            for (_, b), beats in zip(pairs, audio_beats, strict=True)
        ]
        kept = [n - 120 for n in frames]
        out["BC-BEAT2"] = _BY_NAME["BC-BEAT2"].score(
            frame_weighted(each, kept), sum(kept), notes=notes,
            settings={"sigma": 0.3, "order": 7, "threshold": 0.3, "fps": fps},
        )  # fmt: skip
    if reference_features is not None and estimated_features is not None:
        out["FGD"] = fgd_score(reference_features, estimated_features, extractor=extractor)
    return out


def fgd_score(
    reference: ArrayLike, estimate: ArrayLike, *, extractor: str | None, starred: bool = False
) -> Score:
    """FGD with what must be known about it: extractor, sample counts, bias."""
    value = fgd(reference, estimate)
    (n, d), m = np.shape(reference), np.shape(estimate)[0]
    notes = (
        bias_note(n, m, d) or "",
        "" if extractor else "extractor not named: not comparable with any other FGD",
    )
    return _BY_NAME["FGD"].score(value, m, extractor=extractor, notes=notes, starred=starred)


def _mean_speed(points: Floats, fps: float) -> Floats:
    return np.maximum(joint_speed(points, fps=fps).mean(0), 1e-9)


METRICS = (
    Metric(
        "FGD", "gesture", "lower", "feature²", "Yoon et al. 2020, arXiv 2009.02119",
        "features (n, d) and (m, d) of one extractor", fgd, "_gesture_over:fgd", True,
    ),
    Metric(
        "L1div", "gesture", "higher", "m", "EMAGE, arXiv 2401.00374",
        "positions (T, J, 3) or a list of them", l1div,
        "_gesture_over:l1div", True,
    ),
    Metric(
        "SRGR", "gesture", "higher", "", "BEAT, arXiv 2203.05297",
        "Euler degrees (T, J, 3) twice, semantic scores (T,)", srgr,
    ),
    Metric(
        "BC-BEAT2022", "gesture", "higher", "", "BEAT, arXiv 2203.05297",
        "right arm (T, 9) Euler degrees at 15 fps, audio beats", bc_beat2022,
    ),
    Metric(
        "BC-BEAT2", "gesture", "higher", "", "EMAGE, arXiv 2401.00374",
        "positions (T, 55, 3) at 30 fps, audio beats, mean joint speeds", bc_beat2,
        "_gesture_over:beat_consistency", True,
    ),
    Metric(
        "BC-TED", "gesture", "higher", "", "HA2G, arXiv 2203.13161",
        "directions (T, 9, 3) at 15 fps, audio beats", bc_ted,
    ),
)  # fmt: skip

_BY_NAME = {m.name: m for m in METRICS}
