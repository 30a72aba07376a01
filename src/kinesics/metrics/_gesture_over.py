"""Gesture metrics over performances: bodies on the canonical joints, sound through librosa."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError
from kinesics.metrics import gesture
from kinesics.metrics._checks import Floats, numbers
from kinesics.metrics._measure import Takes, paired
from kinesics.metrics._registry import Extractor, Metric, Score
from kinesics.metrics.beats import UPPER_BODY, bc_beat2, joint_speed
from kinesics.metrics.onsets import onsets
from kinesics.metrics.positions import quantities
from kinesics.performance import Motion, Performance

OFFSETS = "maya"
"""Whose bone lengths every body gets, so that differences of size do not count as differences of movement."""


def canonical(motion: Motion, fps: float) -> Floats:
    """(T, 55, 3) positions at ``fps`` on the canonical joints with our own bone lengths, metres."""
    moved = retarget(motion, "humanoid").on(load_avatar(OFFSETS).skeleton)
    return moved.resample(fps).positions().astype(float)


def posture_and_pace(show: Performance) -> Floats:
    """The features of :data:`OURS`: (windows, 91) of a performance's body."""
    points = canonical(show.body, 30)
    local = np.concatenate([np.zeros((len(points), 1, 3)), quantities(points).local], axis=1)[
        :, list(UPPER_BODY)
    ]
    if len(local) < 30:
        raise DataError(f"body: {len(local)} frames at 30 per second; FGD's windows need 30")
    pace = joint_speed(local, fps=30, root=None)
    first = range(0, len(local) - 29, 15)
    return np.stack(
        [
            np.concatenate(
                [
                    local[i : i + 30].mean(0).ravel(),
                    local[i : i + 30].std(0).ravel(),
                    pace[i : i + 30].mean(0),
                ]
            )
            for i in first
        ]
    )


_DEFINITION = (
    "posture-pace 1: canonical joints, offsets maya, 30 fps, without the place of the hips and the heading "
    "(hips and shoulders); joints 3 6 9 12-21; windows of 30 frames every 15; per joint mean xyz, "
    "standard deviation xyz (divided by n), mean speed by central differences"
)
OURS = Extractor("posture-pace", hashlib.sha256(_DEFINITION.encode()).hexdigest(), posture_and_pace)
"""Our stand-in for a learned extractor: 91 numbers per second of movement, nothing learned."""


def fgd(
    metric: Metric,
    reference: Takes,
    estimate: Takes,
    *,
    extractor: Extractor | Callable[[Performance], Any] | None = None,
) -> Score:
    """FGD; ``extractor`` maps a performance to (n, d) features, :data:`OURS` by default."""
    if extractor is None:
        for side in (reference, estimate):
            side.tracks("body")
    of = OURS if extractor is None else extractor
    sets: list[Floats] = []
    width: str | int = "d"
    for side in (reference, estimate):
        rows = []
        for name, show in side.performances.items():
            rows.append(numbers(of(show), ("n", width), f"{side.side} {name!r}: features"))
            width = rows[-1].shape[1]
        sets.append(np.concatenate(rows))
    named = str(of) if isinstance(of, Extractor) else None
    return gesture.fgd_score(*sets, extractor=named, starred=extractor is None)


def l1div(metric: Metric, reference: Takes, estimate: Takes, *, fps: float = 30) -> Score:
    """L1div of the estimate; the reference's own goes into the notes."""
    values = []
    for side in (reference, estimate):
        bodies = [canonical(body, fps) for body in side.tracks("body")]
        values.append((gesture.l1div(bodies), sum(map(len, bodies))))
    return metric.score(
        values[1][0], values[1][1], starred=True, settings={"fps": fps, "offsets": OFFSETS},
        notes=(f"the reference scores {values[0][0]:.6g}",),
    )  # fmt: skip


def beat_consistency(
    metric: Metric,
    reference: Takes,
    estimate: Takes,
    *,
    mask: str = "published",
    mean_speed: ArrayLike | None = None,
) -> Score:
    """BC-BEAT2 of the estimate against its own speech, or the reference's where it has none.

    ``mean_speed`` takes the 55 speeds of BEAT2's file; by default they are measured on the reference.
    """
    reference.tracks("body")
    estimate.tracks("body")
    pairs, note = paired(reference, estimate), ""
    if mean_speed is None:
        true = [canonical(r.body, 30) for r, _ in pairs]
        mean_speed = np.average(
            [joint_speed(b).mean(0) for b in true], axis=0, weights=[len(b) for b in true]
        )
        mean_speed = np.maximum(mean_speed, 1e-6)
        note = "usual speeds are those of the reference given, not BEAT2's file"
    values, frames = [], []
    for r, e in pairs:
        points = canonical(e.body, 30)
        if len(points) < 122:
            raise DataError(
                f"BC-BEAT2: {len(points)} frames at 30 per second; at least 122 needed, 60 are cut from each end"
            )
        speech = e.get("speech") or r.get("speech")
        if speech is None:
            raise DataError("BC-BEAT2: neither side has a track 'speech'")
        shift = e.body.start - speech.start
        last = (len(points) - 60) / 30
        sound = onsets(speech.samples, float(speech.fps), start=max(2 + shift, 0), end=last + shift) - shift
        values.append(bc_beat2(points, sound, mean_speed=mean_speed, mask=mask))
        frames.append(len(points) - 120)
    return metric.score(
        gesture.frame_weighted(values, frames), sum(frames), starred=True, notes=(note,),
        settings={"sigma": 0.3, "order": 7, "threshold": 0.3, "fps": 30, "mask": mask, "offsets": OFFSETS},
    )  # fmt: skip
