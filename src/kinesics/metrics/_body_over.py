"""Position errors, dance metrics and jitter over performances: bodies on the canonical joints."""

from __future__ import annotations

import numpy as np

from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError
from kinesics.metrics import dance, positions, video
from kinesics.metrics._checks import Floats
from kinesics.metrics._gesture_over import OFFSETS, canonical
from kinesics.metrics._measure import Takes, paired, together
from kinesics.metrics._registry import Metric, Score
from kinesics.metrics.beats import bas_aist
from kinesics.metrics.frechet import bias_note
from kinesics.metrics.onsets import music_beats

SMPL = [*range(22), INDEX["leftMiddleProximal"], INDEX["rightMiddleProximal"]]
"""The canonical joints that stand for SMPL's 24; its hands are the middle fingers' knuckles."""


def position_error(metric: Metric, reference: Takes, estimate: Takes, *, fps: float = 30) -> Score:
    """APE or AVE of one quantity of the 22 body joints, mean over couples weighted by frames."""
    reference.tracks("body")
    estimate.tracks("body")
    kind, part = metric.name.split("-")
    of = positions.ape if kind == "APE" else positions.ave
    values, frames, notes = [], [], {}
    for r, e in paired(reference, estimate):
        a, b, note = together(r.body, e.body, fps)
        x, y = (getattr(positions.quantities(canonical(m, fps)[:, :22]), part) for m in (a, b))
        values.append(of(x, y))
        frames.append(len(x))
        notes[note] = None
    return metric.score(
        np.average(values, weights=frames), sum(frames), starred=True,
        settings={"fps": fps, "offsets": OFFSETS}, notes=tuple(notes),
    )  # fmt: skip


def _dances(side: Takes) -> list[Floats]:
    return [canonical(body, 60)[:, SMPL] for body in side.tracks("body")]


def dance_features(metric: Metric, reference: Takes, estimate: Takes) -> Score:
    """FID or Dist of kinetic or geometric features, on our bone lengths."""
    of = dance.kinetic_features if metric.name.endswith("k") else dance.geometric_features
    a = np.stack([of(d) for d in _dances(reference)])
    b = np.stack([of(dance.prepare(d, generated=True)) for d in _dances(estimate)])
    if min(len(a), len(b)) < 2:
        raise DataError(
            f"{metric.name}: {len(a)} reference and {len(b)} estimated dances; at least 2 of each needed"
        )
    notes = [bias_note(len(a), len(b), a.shape[1]) or "", dance.constant_note(a)]
    if metric.name.startswith("FID"):
        value = dance.dance_fid(a, b)
    else:
        value = dance.dance_dist(a, b)
        notes = [f"the reference scores {dance.dance_dist(a, a):.6g}", notes[1]]
    return metric.score(
        value, len(b), starred=True, settings={"fps": 60, "offsets": OFFSETS}, notes=tuple(notes)
    )


def bas(metric: Metric, reference: Takes, estimate: Takes, *, variant: str = "bailando") -> Score:
    """BAS of the estimate with its own music, or the reference's; beats by librosa's tracker."""
    values = []
    estimate.tracks("body")
    for r, e in paired(reference, estimate):
        music = e.get("music") or r.get("music")
        if music is None:
            raise DataError("BAS: neither side has a track 'music'")
        points = canonical(e.body, 60)[:, SMPL]
        values.append(
            bas_aist(
                points,
                music_beats(music.samples, float(music.fps), start=e.body.start - music.start),
                variant=variant,
            )
        )
    return metric.score(
        np.mean(values), len(values), starred=True, settings={"sigma": 3, "fps": 60, "variant": variant}
    )


def frozen(metric: Metric, reference: Takes, estimate: Takes) -> Score:
    """PFF or AUC_f of the estimate; the reference's own goes into the notes."""
    of = dance.freezing if metric.name == "PFF" else dance.freezing_auc
    own, value = (float(np.mean([of(d) for d in _dances(side)])) for side in (reference, estimate))
    return metric.score(
        value, len(estimate), settings={"fps": 60}, notes=(f"the reference scores {own:.6g}",)
    )


def jitter(metric: Metric, reference: Takes, estimate: Takes, *, fps: float = 30) -> Score:
    """Jitter of the estimate's joints; the reference's own goes into the notes."""
    own, value = (
        float(np.mean([video.jitter(canonical(body, fps)) for body in side.tracks("body")]))
        for side in (reference, estimate)
    )
    notes = (f"the reference scores {own:.6g}",)
    return Score(
        value, metric.name, "m/frame²", metric.direction, len(estimate), settings={"fps": fps}, notes=notes
    )
