"""How fast people are read: pictures a second, from pictures in memory, by the detectors of ``kinesics fetch landmarks``.

A speaker who does not exist is filmed at 640 × 360 and 25 pictures a second. "The face" is everything about it: detection, tracking, mesh and
irises, smoothing, the reader's network, blinks and actions, expression with reasons. "Face, hands and body" adds those, fitted to the
skeleton, with hand shapes and phases of gestures. Decoding a film is told apart.
"""

from __future__ import annotations

import time
from fractions import Fraction
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks._measure import Figure, skipped
from benchmarks.performing import TEXT

_PICTURES = 250


def run(runs: int = 3) -> list[Figure]:
    """Rows of results; none without the landmark models."""
    import kinesics as kn
    from kinesics.reading._person import faced, tracks, understood
    from kinesics.reading._recording import ROW, row_of
    from kinesics.see import models
    from kinesics.see.face_network import FaceReader
    from kinesics.see.tracking import Tracker

    if not models.available():
        return [skipped("reading", "it needs the models of kinesics fetch landmarks")]
    show = kn.perform(TEXT, seed=3, progress=False)
    film = kn.film(show.slice(0, _PICTURES / 25), view="half", width=640, height=360, fps=25)
    pictures = [shot.rgb for shot in film.shots()]

    def read(**which: bool) -> float:
        begun = time.perf_counter()
        tracker, reader = Tracker(25.0, **which), FaceReader()
        rows = np.array([row_of(who[0]) if (who := tracker.push(p)) else row_of_nobody() for p in pictures])
        person = faced(tracks(rows, Fraction(25), 0.0), rows, reader)
        understood(person)
        return len(pictures) / (time.perf_counter() - begun)

    def row_of_nobody() -> np.ndarray:
        return np.zeros((), ROW)

    def figure(what: str, wanted: str, **which: bool) -> Figure:
        read(**which)
        found = sorted(read(**which) for _ in range(runs))
        return Figure(what, found[len(found) // 2], "pictures a second", found[0], found[-1], runs, wanted)

    rows = [
        figure("the face", "wanted: ≥ 120", hands=False, body=False),
        figure("face, hands and body", "wanted: ≥ 30", hands=True, body=True),
    ]
    with TemporaryDirectory() as folder:
        path = f"{folder}/film.mp4"
        show.slice(0, _PICTURES / 25).save(path, width=640, height=360, fps=25)
        begun = time.perf_counter()
        count = sum(1 for _ in kn.Video.load(path).frames())
        rows.append(
            Figure("decoding alone", count / (time.perf_counter() - begun), "pictures a second", runs=1)
        )
    return rows
