"""What the claims of CaMN and LivelySpeaker learn from: people of our engine, with what they mean labelled.

Four speakers, who differ in body, leading hand and liveliness, in four emotions. Which gesture was made
when is known, so meaning has a score for every frame and a name for every stroke. As with all puppets: how
well a network learns rules says nothing about how well it learns people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics import formats
from kinesics.behaviour.lexicon import lexicon
from kinesics.behaviour.perform import perform
from kinesics.bodies.humanoid import INDEX
from kinesics.errors import DataError
from kinesics.lab.claims._puppets import text
from kinesics.performance import Interval, Motion, Performance, Tier
from kinesics.progress import progress
from kinesics.systems.gesture import _upper_body as upper

SPEAKERS: tuple[dict[str, Any], ...] = (
    {"avatar": "maya", "handedness": "right", "intensity": 0.45},
    {"avatar": "theo", "handedness": "left", "intensity": 0.6},
    {"avatar": "theo", "handedness": "right", "intensity": 0.9},
    {"avatar": "maya", "handedness": "left", "intensity": 0.75},
)
_EMOTIONS = ("neutral", "happy", "sad", "anger")
_SCORES = {"emblem": 0.9, "iconic": 0.75, "deictic": 0.65, "metaphoric": 0.5, "adaptor": 0.2, "beat": 0.1}
"""How much is lost without a gesture of each kind (ours)."""

Means = Sequence[tuple[int, str, float]]
"""(performance, lexeme, second of the stroke's middle) of each stroke that means something."""


def people(count: int, cache: Path, *, seed: int) -> list[Performance]:
    """Performances of about twelve seconds at 30 fps, made once and kept in ``cache``."""
    out = []
    for index in progress(range(count), "people", total=count):
        path = cache / f"person-{seed}-{index}.kin"
        if not path.is_file():
            speaker, emotion = index % len(SPEAKERS), _EMOTIONS[index // len(SPEAKERS) % len(_EMOTIONS)]
            shown = perform(
                text(seed, index),
                emotion=emotion,
                seed=1000 * seed + index,
                progress=False,
                **SPEAKERS[speaker],
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            formats.save(_labelled(shown, speaker, emotion), path)
        out.append(formats.load(path))
    return out


def _labelled(show: Performance, speaker: int, emotion: str) -> Performance:
    strokes = [i for i in show.tier("gestures") if i.label.startswith("stroke ")]
    meant = []
    for stroke in strokes:
        name = stroke.label.removeprefix("stroke ").rpartition("_")[0]
        kind = lexicon()[name].category if name in lexicon() else "beat"
        meant.append(Interval(stroke.start, stroke.end, f"{kind} {name}", _SCORES.get(kind, 0.1)))
    tracks = {
        "speech": show.speech,
        "words": show.tier("words"),
        "body": show.body.resample(30),
        "face": show.face.resample(30),
        "emotion": Tier("emotion", (Interval(0.0, show.duration, emotion),)),
        "semantic": Tier("semantic", tuple(meant)),
    }
    return replace(show, tracks=tracks, meta={**show.meta, "speaker": speaker})


def still(show: Performance) -> Performance:
    """The control that holds its first frame."""
    body = show.body
    rotations, root = body.rotations[:1].repeat(len(body), 0), body.root[:1].repeat(len(body), 0)
    return show.with_tracks(body=Motion(body.skeleton, rotations, root, body.fps))


def srgr(reference: Sequence[Performance], estimate: Sequence[Performance], *, delta: float = 4.0) -> float:
    """SRGR on BEAT's 47 joints, Euler degrees at 15 fps, weighted by frames."""
    from kinesics.metrics import gesture

    form = upper.layout("beat", "euler")
    values, frames = [], []
    for true, made in zip(reference, estimate, strict=True):
        angles = [upper.seen(show.body, form).reshape(-1, 47, 3) for show in (true, made)]
        count = min(map(len, angles))
        a, b = (x[:count] for x in angles)
        b = a + (b - a + 180) % 360 - 180  # 179° and −179° are 2° apart
        values.append(gesture.srgr(a, b, upper.scores(true.tier("semantic"), count), delta=delta))
        frames.append(count)
    return gesture.frame_weighted(values, frames)


def fgd(reference: Sequence[Performance], estimate: Sequence[Performance]) -> float:
    """FGD by our extractor."""
    from kinesics.metrics import measure

    return float(measure("FGD", list(reference), list(estimate)).value)


def beats(reference: Sequence[Performance], estimate: Sequence[Performance]) -> float:
    """BC-BEAT2 against the speech."""
    from kinesics.metrics import measure

    return float(measure("BC-BEAT2", list(reference), list(estimate)).value)


def strokes(shows: Sequence[Performance]) -> Means:
    """All strokes that mean something; two hands that do the same count once."""
    out: dict[tuple[int, str, int], tuple[int, str, float]] = {}
    for i, show in enumerate(shows):
        for interval in show.tier("semantic"):
            kind, _, name = interval.label.partition(" ")
            if kind != "beat":
                out.setdefault((i, name, round(interval.middle * 4)), (i, name, interval.middle))
    return list(out.values())


class Probe:
    """Tells from a body which gesture is made: ridge regression to one-hot names, trained on true motion.

    Nothing of it is shared with the networks it judges: it sees hands and fingertips against the hips, over
    1.2 seconds.

    Parameters
    ----------
    shows
        What it learns from.
    least
        Gestures seen fewer times are left out.
    """

    _POINTS = tuple(
        INDEX[f"{side}{part}"]
        for side in ("left", "right")
        for part in ("LowerArm", "Hand", "ThumbDistal", "IndexDistal", "MiddleDistal", "LittleDistal")
    )
    _AT = np.linspace(-0.6, 0.6, 5)

    def __init__(self, shows: Sequence[Performance], *, least: int = 4) -> None:
        found = strokes(shows)
        names = [name for _, name, _ in found]
        self.names = sorted({n for n in names if names.count(n) >= least})
        if not self.names:
            raise DataError(f"probe: no gesture is made {least} times in {len(shows)} performances")
        kept = [s for s in found if s[1] in self.names]
        x, wanted = self._features(shows, kept), np.array([self.names.index(n) for _, n, _ in kept])
        self._mean, self._spread = x.mean(0), x.std(0) + 1e-3
        x = np.column_stack([(x - self._mean) / self._spread, np.ones(len(x))])
        penalty = 0.1 * len(x) * np.eye(x.shape[1])
        penalty[-1, -1] = 0
        self._weights = np.linalg.solve(x.T @ x + penalty, x.T @ np.eye(len(self.names))[wanted])

    def accuracy(self, reference: Sequence[Performance], estimate: Sequence[Performance]) -> float:
        """Share of the reference's strokes that are recognised in the estimate's body."""
        kept = [s for s in strokes(reference) if s[1] in self.names]
        if not kept:
            return 0.0
        x = (self._features(estimate, kept) - self._mean) / self._spread
        said = (np.column_stack([x, np.ones(len(x))]) @ self._weights).argmax(axis=1)
        return float(np.mean([self.names[i] == name for i, (_, name, _) in zip(said, kept, strict=True)]))

    def _features(self, shows: Sequence[Performance], found: Means) -> NDArray[np.float64]:
        rows = []
        for i, _, middle in found:
            points = shows[i].body.at(middle + self._AT).positions()
            rows.append((points[:, list(self._POINTS)] - points[:, :1]).ravel())
        return np.array(rows)
