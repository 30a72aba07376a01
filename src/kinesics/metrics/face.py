"""3-D faces and ARKit weights: vertex errors, dynamics, mouth opening, diversity, emotion, lip sync.

Vertices are (T, V, 3), predicted v̂ and true v, a template t (V, 3) of the speaker's face at rest, and
sets of vertex indices: lips, upper face. A test set is a list of sequences. Distances keep the unit of
the vertices, or its square. (BIWI papers print LVE "×1e-4 mm", VOCASET papers "×1e-5 mm", both of
squares.)

**LVE**, lip vertex error (MeshTalk; as in CodeTalker's script, arXiv 2301.02379). Mean over all frames
of all sequences of the maximum over the lip set of ‖v̂ − v‖², **squared**, no root. Papers differ:
`vertex_error` takes ``reduce="mean"`` and ``squared=False``. Lower is better. **FVE** is the same over
all vertices, **EVE** (EmoTalk, arXiv 2303.11089) over eyes and forehead.

**MVE** (FaceDiffuser, arXiv 2309.11306). Mean over frames and vertices of ‖v̂ − v‖. Lower is better.

**FDD**, upper-face dynamics deviation (CodeTalker). With s(i) = standard deviation over time (divided
by T) of ‖v(t,i) − t(i)‖², a sequence's value is mean over the set of s(true) − mean of s(predicted);
the reported value is the **signed** mean over sequences, best at 0: negative means livelier than the
truth. ``absolute=True`` gives FaceDiffuser's mean of absolute values.

**MOD**, mouth opening deviation. Mean over frames of |d̂ − d|, d the distance of the middle of the
upper lip to that of the lower. Lower is better.

**Diversity** (FaceDiffuser). For K samples of one sound: mean over pairs, frames and vertices of ‖v̂a −
v̂b‖. **Style diversity** (AVI-Talking, arXiv 2402.16124): mean distance of all pairs of K style codes.

**In blendshape space** (BEAT, FaceDiffuser): `weight_error` is the mean over frames of the Euclidean
distance of the (named) weights, over the mouth's for an LVE; `weight_dynamics` is FDD with s = standard
deviation of the sum of squares of the upper face's weights. Columns are chosen by name: three orders of
ARKit's names are in use.

**Accuracy.** Correct answers over **all** items; an answer of None (not understood) is wrong.

**LSE-D, LSE-C**: see `kinesics.metrics.lip_sync`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError, choose
from kinesics.metrics._checks import Floats, array_of, indices, numbers, pair, paired_sequences, sequences
from kinesics.metrics._registry import Metric, Score
from kinesics.metrics.lip_sync import lip_sync

MOUTH_NAMES = tuple(n for n in ARKIT if n.startswith(("jaw", "mouth", "tongue")))
"""ARKit weights that move the mouth."""
UPPER_NAMES = tuple(n for n in ARKIT if n.startswith(("brow", "eyeBlink", "eyeSquint", "eyeWide")))
"""ARKit weights that move the upper face (gaze left out)."""
REDUCE = ("max", "mean")


def validate(
    reference: ArrayLike | Sequence[ArrayLike], estimate: ArrayLike | Sequence[ArrayLike]
) -> list[tuple[Floats, Floats]]:
    """Sequences of vertices (T, V, 3) in pairs of one shape.

    Raises
    ------
    DataError
        On other shapes (flat (T, 3·V) rows are to be reshaped), NaN, no frames.
    """
    return paired_sequences(reference, estimate, ("T", "V", 3), "vertices")


def vertex_error(
    reference: ArrayLike | Sequence[ArrayLike],
    estimate: ArrayLike | Sequence[ArrayLike],
    vertices: ArrayLike | None = None,
    *,
    reduce: str = "max",
    squared: bool = True,
) -> float:
    """Error of a set of vertices per frame, mean over all frames: LVE, EVE, FVE.

    Parameters
    ----------
    reference, estimate
        (T, V, 3), or lists of them.
    vertices
        Indices of the set (lips for LVE, eyes and forehead for EVE); None for all (FVE).
    reduce
        ``"max"`` (published) or ``"mean"`` over the set.
    squared
        Whether the squared distance is taken (published).

    Returns
    -------
    float
        In the vertices' unit, squared if ``squared``.

    Examples
    --------
    >>> face = np.zeros((2, 3, 3)); moved = face.copy(); moved[0, 1, 2] = 2.0
    >>> vertex_error(face, moved, [1, 2]), vertex_error(face, moved, [1, 2], squared=False)
    (2.0, 1.0)
    """
    choose("reduce", reduce, REDUCE)
    each = []
    for a, b in validate(reference, estimate):
        chosen = slice(None) if vertices is None else indices(vertices, a.shape[1], "vertex set")
        error = ((b[:, chosen] - a[:, chosen]) ** 2).sum(2)
        error = error if squared else np.sqrt(error)
        each.append(error.max(1) if reduce == "max" else error.mean(1))
    return float(np.concatenate(each).mean())


def lve(reference: ArrayLike, estimate: ArrayLike, lips: ArrayLike) -> float:
    """Lip vertex error: mean over frames of the greatest squared distance of a lip vertex."""
    return vertex_error(reference, estimate, lips)


def eve(reference: ArrayLike, estimate: ArrayLike, upper: ArrayLike) -> float:
    """Emotional vertex error: LVE's formula over eyes and forehead."""
    return vertex_error(reference, estimate, upper)


def mve(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Mean distance over frames and vertices."""
    return vertex_error(reference, estimate, reduce="mean", squared=False)


def fdd(
    reference: ArrayLike | Sequence[ArrayLike],
    estimate: ArrayLike | Sequence[ArrayLike],
    template: ArrayLike | Sequence[ArrayLike],
    upper: ArrayLike,
    *,
    absolute: bool = False,
) -> float:
    """Upper-face dynamics deviation.

    Parameters
    ----------
    reference, estimate
        (T, V, 3), or lists of them.
    template
        (V, 3) the face at rest, or one for each sequence.
    upper
        Indices of the upper face.
    absolute
        False: signed, best at 0. True: mean of the absolute values of the sequences.
    """
    pairs = validate(reference, estimate)
    rest = sequences(template, ("V", 3), "template")
    if len(rest) not in (1, len(pairs)):
        raise DataError(f"template: {len(rest)} for {len(pairs)} sequences; expected one, or one for each")
    values = []
    for i, (a, b) in enumerate(pairs):
        t = rest[i % len(rest)]
        if len(t) != a.shape[1]:
            raise DataError(f"template: {len(t)} vertices; the sequence has {a.shape[1]}")
        chosen = indices(upper, a.shape[1], "upper face")
        lively = [(((v - t)[:, chosen] ** 2).sum(2)).std(0).mean() for v in (a, b)]
        values.append(lively[0] - lively[1])
    return float(np.mean(np.abs(values) if absolute else values))


def mod(reference: ArrayLike, estimate: ArrayLike, *, upper_lip: int = 0, lower_lip: int = 1) -> float:
    """Mouth opening deviation, in the vertices' unit.

    Parameters
    ----------
    reference, estimate
        (T, V, 3) vertices, or (T,) openings measured already.
    upper_lip, lower_lip
        Vertices at the middle of each lip.
    """
    if array_of(reference, "mouth opening").ndim == 1:
        a, b = pair(reference, estimate, ("T",), "mouth opening")
    else:
        ((x, y),) = validate(reference, estimate)
        up, low = indices([upper_lip, lower_lip], x.shape[1], "lips")
        a, b = (np.linalg.norm(v[:, up] - v[:, low], axis=1) for v in (x, y))
    return float(np.abs(b - a).mean())


def face_diversity(samples: ArrayLike) -> float:
    """Mean distance between samples (K, T, V, 3) of one sound, in the vertices' unit."""
    v = numbers(samples, ("K", "T", "V", 3), "samples", least=2)
    pairs = [np.linalg.norm(v[a] - v[b], axis=2).mean() for a in range(len(v)) for b in range(a)]
    return float(np.mean(pairs))


def style_diversity(codes: ArrayLike) -> float:
    """Mean distance between K codes (K, D): the sum over ordered pairs divided by K (K − 1)."""
    z = numbers(codes, ("K", "D"), "codes", least=2)
    return float(np.linalg.norm(z[:, None] - z, axis=2).sum() / (len(z) * (len(z) - 1)))


def _columns(names: Sequence[str], wanted: Sequence[str] | None, count: int) -> list[int]:
    names = list(names)
    if len(names) != count:
        raise DataError(f"weights: {count} columns but {len(names)} names")
    lost = [w for w in wanted or () if w not in names]
    if lost:
        raise DataError(f"weights: no {lost[0]!r}; they have: {', '.join(names)}")
    return [names.index(w) for w in (wanted or names)]


def weight_error(
    reference: ArrayLike, estimate: ArrayLike, names: Sequence[str], *, only: Sequence[str] | None = None
) -> float:
    """Mean over frames of the Euclidean distance of blendshape weights.

    Parameters
    ----------
    reference, estimate
        (T, K) weights.
    names
        K names of the columns.
    only
        Names that count, :data:`MOUTH_NAMES` for an LVE; None for all.
    """
    a, b = pair(reference, estimate, ("T", "K"), "weights")
    chosen = _columns(names, only, a.shape[1])
    return float(np.linalg.norm((b - a)[:, chosen], axis=1).mean())


def weight_dynamics(
    reference: ArrayLike,
    estimate: ArrayLike,
    names: Sequence[str],
    *,
    only: Sequence[str] | None = UPPER_NAMES,
) -> float:
    """FDD on blendshape weights: deviation of the sum of squares, reference − estimate; best at 0."""
    a = numbers(reference, ("T", "K"), "reference weights")
    b = numbers(estimate, ("T", a.shape[1]), "estimated weights")
    chosen = _columns(names, only, a.shape[1])
    return float((a[:, chosen] ** 2).sum(1).std() - (b[:, chosen] ** 2).sum(1).std())


def accuracy(reference: Sequence[str], estimate: Sequence[str | None]) -> float:
    """Share of equal labels among all items; None is a wrong answer.

    >>> accuracy(["happy", "sad", "fear"], ["happy", None, "anger"])
    0.3333333333333333
    """
    truth, answers = list(reference), list(estimate)
    if not truth or len(truth) != len(answers):
        raise DataError(
            f"labels: {len(truth)} true and {len(answers)} answered; expected as many, at least one"
        )
    if any(t is None for t in truth):
        raise DataError(f"labels: item {truth.index(None)} has no true label; leave it out")
    return sum(a == t for t, a in zip(truth, answers, strict=True)) / len(truth)


def evaluate(
    reference: ArrayLike | Sequence[ArrayLike],
    estimate: ArrayLike | Sequence[ArrayLike],
    *,
    lips: ArrayLike,
    upper: ArrayLike | None = None,
    template: ArrayLike | Sequence[ArrayLike] | None = None,
    middle: tuple[int, int] | None = None,
    unit: str = "mm",
) -> dict[str, Score]:
    """The vertex metrics that the given sets allow.

    Parameters
    ----------
    reference, estimate
        (T, V, 3), or lists of them.
    lips, upper
        Vertex sets.
    template
        The face at rest, for FDD.
    middle
        Upper and lower vertex at the middle of the lips, for MOD.
    unit
        Of the vertices.

    Returns
    -------
    dict
        Name → score.
    """
    pairs = validate(reference, estimate)
    n = sum(len(a) for a, _ in pairs)
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    out = {
        "LVE": Score(vertex_error(a, b, lips), "LVE", f"{unit}²", "lower", n),
        "MVE": Score(mve(a, b), "MVE", unit, "lower", n),  # type: ignore[arg-type]
    }
    if upper is not None:
        out["EVE"] = Score(vertex_error(a, b, upper), "EVE", f"{unit}²", "lower", n)
    if upper is not None and template is not None:
        out["FDD"] = Score(fdd(a, b, template, upper), "FDD", f"{unit}²", "zero", n)
    if middle is not None:
        each = [mod(x, y, upper_lip=middle[0], lower_lip=middle[1]) for x, y in pairs]
        value = np.average(each, weights=[len(x) for x in a])
        out["MOD"] = Score(float(value), "MOD", unit, "lower", n)
    return out


_VERTICES = "vertices (T, V, 3) twice"

METRICS = (
    Metric(
        "LVE", "face", "lower", "mm²", "CodeTalker, arXiv 2301.02379", f"{_VERTICES}, lip indices", lve,
        "_face_over:lve", True,
    ),
    Metric(
        "FDD", "face", "zero", "mm²", "CodeTalker, arXiv 2301.02379",
        f"{_VERTICES}, template (V, 3), upper-face indices", fdd,
    ),
    Metric("MVE", "face", "lower", "mm", "FaceDiffuser, arXiv 2309.11306", _VERTICES, mve),
    Metric("EVE", "face", "lower", "mm²", "EmoTalk, arXiv 2303.11089", f"{_VERTICES}, upper indices", eve),
    Metric(
        "MOD", "face", "lower", "mm", "ours; papers name it without a formula",
        f"{_VERTICES} and two vertices, or openings (T,)", mod, "_face_over:mod", True,
    ),
    Metric(
        "FaceDiversity", "face", "reference", "mm", "FaceDiffuser, arXiv 2309.11306",
        "samples (K, T, V, 3)", face_diversity,
    ),
    Metric(
        "StyleDiversity", "face", "reference", "", "AVI-Talking, arXiv 2402.16124", "codes (K, D)",
        style_diversity,
    ),
    Metric(
        "MVE-weights", "face", "lower", "", "BEAT, arXiv 2203.05297", "weights (T, K) twice, names",
        weight_error, "_face_over:weights",
    ),
    Metric(
        "LVE-weights", "face", "lower", "", "BEAT, arXiv 2203.05297", "weights (T, K) twice, names",
        partial(weight_error, only=MOUTH_NAMES), "_face_over:weights",
    ),
    Metric(
        "FDD-weights", "face", "zero", "", "FaceDiffuser, arXiv 2309.11306", "weights (T, K) twice, names",
        weight_dynamics, "_face_over:weights",
    ),
    Metric(
        "EmotionAccuracy", "face", "higher", "", "any classifier; name it", "labels twice", accuracy,
    ),
    Metric(
        "LSE-D", "face", "lower", "", "Wav2Lip, arXiv 2008.10010", "embeddings (T, D) twice",
        lambda video, sound, **o: lip_sync(video, sound, **o).distance, None, True,
    ),
    Metric(
        "LSE-C", "face", "higher", "", "Wav2Lip, arXiv 2008.10010", "embeddings (T, D) twice",
        lambda video, sound, **o: lip_sync(video, sound, **o).confidence, None, True,
    ),
)  # fmt: skip
