"""Face and lip-reading metrics over performances: ARKit weights by name, our own mesh in millimetres."""

from __future__ import annotations

from functools import cache

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.errors import DataError
from kinesics.metrics import face, lip_reading
from kinesics.metrics._checks import Floats
from kinesics.metrics._measure import Takes, paired, together
from kinesics.metrics._registry import Metric, Score
from kinesics.metrics.mouth import Mouth


@cache
def _mouth(avatar: str) -> Mouth:
    return Mouth(load_avatar(avatar))


def _weights(
    reference: Takes, estimate: Takes, fps: float | None
) -> tuple[list[tuple[Floats, Floats]], tuple[str, ...]]:
    """ARKit weights (T, 52) of the couples, at one rate, and notes."""
    notes: dict[str, None] = {}
    for side in (reference, estimate):
        for name, track in zip(side.performances, side.tracks("face"), strict=True):
            if track.basis != "arkit":
                raise DataError(
                    f"{side.side} {name!r}: the face's basis is {track.basis!r}; expected 'arkit'"
                )
    out = []
    for r, e in paired(reference, estimate):
        a, b, note = together(r.face, e.face, fps or r.face.fps)
        for track, side in ((a, "reference"), (b, "estimate")):
            lost = [n for n in ARKIT if n not in track.names]
            if lost:
                more = " …" if len(lost) > 3 else ""
                notes[f"the {side} lacks {len(lost)} weights, taken as 0: {', '.join(lost[:3])}{more}"] = None
        notes[note] = None
        out.append((a.select(ARKIT).values.astype(float), b.select(ARKIT).values.astype(float)))
    return out, tuple(notes)


def lve(
    metric: Metric, reference: Takes, estimate: Takes, *, avatar: str = "maya", fps: float | None = None
) -> Score:
    """LVE on the lips of our own mesh; both faces are put on the same avatar."""
    pairs, notes = _weights(reference, estimate, fps)
    mouth = _mouth(avatar)
    lips = [(mouth.lips(a), mouth.lips(b)) for a, b in pairs]
    value = face.vertex_error([a for a, _ in lips], [b for _, b in lips])
    n = sum(len(a) for a, _ in lips)
    settings = {"avatar": avatar, "lip vertices": lips[0][0].shape[1]}
    return metric.score(value, n, starred=True, settings=settings, notes=notes)


def mod(
    metric: Metric, reference: Takes, estimate: Takes, *, avatar: str = "maya", fps: float | None = None
) -> Score:
    """MOD from the gap between the lips of our own mesh on the midline (below 0 where they press)."""
    pairs, notes = _weights(reference, estimate, fps)
    mouth = _mouth(avatar)
    gaps = [np.concatenate([mouth.measure(w).gap for w in side]) for side in zip(*pairs, strict=True)]
    return metric.score(face.mod(*gaps), len(gaps[0]), starred=True, settings={"avatar": avatar}, notes=notes)


def weights(metric: Metric, reference: Takes, estimate: Takes, *, fps: float | None = None) -> Score:
    """MVE, LVE and FDD on ARKit weights."""
    pairs, notes = _weights(reference, estimate, fps)
    n = sum(len(a) for a, _ in pairs)
    if metric.name == "FDD-weights":
        value = float(np.mean([face.weight_dynamics(a, b, ARKIT) for a, b in pairs]))
        return metric.score(value, n, notes=notes)
    only = face.MOUTH_NAMES if metric.name == "LVE-weights" else None
    each = [face.weight_error(a, b, ARKIT, only=only) for a, b in pairs]
    value = np.average(each, weights=[len(a) for a, _ in pairs])
    return metric.score(float(value), n, notes=notes)


def words(
    metric: Metric, reference: Takes, estimate: Takes, *, tier: str = "words", normalise: bool = True
) -> Score:
    """WER and CER of the labels of a tier; lower case and without punctuation unless ``normalise`` is False."""
    reference.tracks(tier)
    estimate.tracks(tier)
    texts: tuple[list[str], list[str]] = ([], [])
    for couple in paired(reference, estimate):
        for side, show in zip(texts, couple, strict=True):
            text = " ".join(show.tier(tier).labels)
            side.append(lip_reading.normalise(text) if normalise else text)
    found = lip_reading.evaluate(*texts)[metric.name]
    return metric.score(found.value, found.n, settings={"tier": tier, "normalise": normalise})
