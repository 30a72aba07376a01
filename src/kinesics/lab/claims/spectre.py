"""SPECTRE's claim, on talking heads of the stage as they are read (``_mouths``).

Refining the face that reading found, a lip-reading loss makes mouths that can be read better than the same network makes without it, than one that fits
landmarks, and than the face it began with, though they lie a little farther from the landmarks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.hear.phones import viseme
from kinesics.lab import checkpoint as ck
from kinesics.lab.claims._ledger import Arm, Claim, Results, Run, lower
from kinesics.lab.claims._mouths import FPS, Clip, close_ups, corpus, heads, sentences
from kinesics.lab.corpus import Arrays
from kinesics.lab.evaluating import networks
from kinesics.lab.fitting import fit
from kinesics.metrics.lip_reading import edits
from kinesics.metrics.mouth import CLOSED, Mouth
from kinesics.performance import Face, Performance
from kinesics.systems import System, Training
from kinesics.systems import _mouth_features as mouths
from kinesics.systems.read.facejudge.spec import FaceJudge
from kinesics.systems.read.lipjudge.spec import LipJudge
from kinesics.systems.read.spectre.spec import Spectre, SpectreConfig, coarse_moves

_FILM, _LIPS = "VER*, film", "VER*, landmarks"
_DETECTED, _TRUE, _SHUT = "off detected, mm", "off true, mm", "closed on p b m"
_MEASURES = {_FILM: "lower", _LIPS: "lower", _DETECTED: "none", _TRUE: "none", _SHUT: "higher"}
_QUICK = {"width": 32, "lip_width": 32, "lip_depth": 2}
_STEPS = 40
_PARTS = {
    "teacher": (close_ups, 41, 160, 40, 8),
    "learners": (heads, 45, 96, 48, 6),
    "film judge": (close_ups, 2, 480, 24, 8),
    "landmark judge": (sentences, 6, 600, 24, 16),
    "tests": (heads, 43, 36, 18, 4),
}
"""What each is made by, its seed, how many clips, of how many people, and how many clips when quick; nobody is in two of them."""

Faces = list[NDArray[np.float32]]


@cache
def _made(what: str, quick: bool, folder: Path) -> list[Any]:
    make, seed, count, people, few = _PARTS[what]
    if quick:
        count, people = few, 2
    return make(count, folder, seed=seed, people=people, spoken=not quick)  # type: ignore[operator]


def _part(run: Run, what: str) -> list[Any]:
    return _made(what, run.quick, run.work.parent / "mouths")


def _training(system: System, stage: str, quick: bool) -> Training:
    usual = system.training(stage)
    return replace(usual, steps=_STEPS, batch=4, warm_up=5) if quick else usual


def _fitted(
    run: Run, system: System, learn: Arrays, out: str, stage: str, *, start: Any = None, seed: int
) -> Any:
    return fit(
        system, learn, run.work / out, stage=stage, start=start,
        training=_training(system, stage, run.quick), seed=seed, every=200, progress=not run.quick,
    ).checkpoint  # fmt: skip


@cache
def _judges(run: Run) -> tuple[LipJudge, Any, FaceJudge, Any]:
    """Learnt once, from other people than anything else, each with its seed."""
    film, face = LipJudge(), FaceJudge()
    films, seen = corpus(film, _part(run, "film judge")), None
    for stage in film.stages:
        seen = _fitted(run, film, films, "judges/film", stage, start=seen, seed=1000)
    said = Arrays.of_performances(face, _part(run, "landmark judge"))
    felt = _fitted(run, face, said, "judges/landmarks", "lips", seed=2000)
    return film, networks(ck.restore(seen)[1]), face, networks(ck.restore(felt)[1])


def _teacher(run: Run) -> Any:
    """The reader in the loss: learnt once, the same for all."""
    system = Spectre(_config(run.quick))
    clips = [*_part(run, "teacher"), *(c.true() for c in _part(run, "learners"))]
    return _fitted(run, system, corpus(system, clips), "teacher", "lips", seed=500)


def _config(quick: bool, **changes: Any) -> SpectreConfig:
    return SpectreConfig.tiny().changed(**(_QUICK if quick else {}), **changes)


def measured(run: Run, tests: list[Clip], faces: Faces) -> dict[str, float]:
    """Judge faces (T, 52), one for each test."""
    film_judge, seeing, face_judge, feeling = _judges(replace(run, seed=0))
    wrong, labels, shut, tried = np.zeros(2), 0, 0, 0
    detected, true = [], []
    mouth = Mouth(load_avatar("maya"))
    for clip, values in zip(tests, faces, strict=True):
        phones = clip.show.tier("phones")
        said = [v for v in (viseme(p.label) for p in phones) if v != "sil"]
        shown = Performance({"face": Face(values, ARKIT, FPS)})
        read = (
            film_judge.said(clip.filmed(values), seeing).labels,
            face_judge.read(shown, feeling).tier("visemes").labels,
        )
        wrong += [edits(said, labels_read).errors for labels_read in read]
        labels += len(said)
        made, wanted = (coarse_moves(v, "maya")[:, mouths.LIPS] for v in (values, clip.truth))
        seen = mouths.seen(clip.show["landmarks"], "maya")[:, mouths.LIPS]
        # where a person's lips rest is not known: both about their means
        detected.append(_off(made - made.mean(axis=0), seen - seen.mean(axis=0)))
        true.append(_off(made, wanted))
        gaps = mouth.measure(values).gap
        for phone in phones:
            if viseme(phone.label) == "PP":
                first, last = round(phone.start * FPS), round(phone.end * FPS) + 1
                shut += bool(gaps[max(first, 0) : last].min(initial=np.inf) <= CLOSED)
                tried += 1
    return {
        _FILM: wrong[0] / labels,
        _LIPS: wrong[1] / labels,
        _DETECTED: float(np.concatenate(detected).mean()),
        _TRUE: float(np.concatenate(true).mean()),
        _SHUT: shut / max(tried, 1),
    }


def _off(a: NDArray, b: NDArray) -> NDArray:
    """(T,) mean distance of landmarks, mm."""
    return mouths.NEAR * np.linalg.norm(a - b, axis=2).mean(axis=1)


def _fitting(name: str, **changes: Any) -> Callable[[Run], Mapping[str, float]]:
    def go(run: Run) -> Mapping[str, float]:
        system, tests = Spectre(_config(run.quick, **changes)), _part(run, "tests")
        learn = corpus(system, _part(run, "learners"))
        path = _fitted(
            run, system, learn, f"seed-{run.seed}/{name}", "refine", start=_teacher(run), seed=run.seed
        )
        parts = networks(ck.restore(path)[1])
        faces = [system.read(c.show, parts, film=c.film).face.select(ARKIT).values for c in tests]
        return measured(run, tests, faces)

    return go


def _fixed(make: Callable[[list[Clip]], Faces]) -> Callable[[Run], Mapping[str, float]]:
    """An arm that no seed changes."""

    @cache
    def once(run: Run) -> Mapping[str, float]:
        tests = _part(run, "tests")
        return measured(run, tests, make(tests))

    return lambda run: once(replace(run, seed=0))


def _others(tests: list[Clip]) -> Faces:
    """What the same person's lips do in the next clip, from its beginning again where it is shorter."""
    after = [tests[(i + c.people) % len(tests)].truth for i, c in enumerate(tests)]
    return [o[np.arange(len(c.truth)) % len(o)] for o, c in zip(after, tests, strict=True)]


def _late(tests: list[Clip]) -> Faces:
    shift = FPS // 2
    return [np.concatenate([c.truth[:1].repeat(shift, axis=0), c.truth[:-shift]]) for c in tests]


def _holds(results: Results) -> Mapping[str, bool]:
    def both(arm: str, than: str, by: float = 0.0) -> bool:
        return all(lower(results, arm, than, measure, by=by) for measure in (_FILM, _LIPS))

    return {
        "the judges can tell": both("truth", "other", by=0.5),
        "its lips are read better than without the lip loss": both("spectre", "no lips"),
        "and than those fitted to landmarks": both("spectre", "landmarks"),
        "and than the coarse ones": both("spectre", "coarse"),
        "at no more than a quarter farther from the landmarks": lower(
            results, "spectre", "landmarks", _DETECTED, by=-0.25
        ),
    }


CLAIM = Claim(
    name="spectre",
    says=(
        "Refining faces that were read off films, a lip-reading loss lowers the viseme error rate of independent lip readers against the same "
        "network without it, against fitting to detected landmarks, and against the faces it began with, even though landmark error "
        "gets slightly worse."
    ),
    arms=(
        Arm("spectre", "the system", _fitting("spectre")),
        Arm("no lips", "the system without its lip loss", _fitting("no-lips", lip=0.0)),
        Arm("landmarks", "the same network and budget, all landmarks, no lip loss", _fitting("landmarks", mouth=1.0, lip=0.0)),
        Arm("coarse", "the faces as reading found them", _fixed(lambda tests: [c.show.face.values for c in tests])),
        Arm("truth", "control: the true faces", _fixed(lambda tests: [c.truth for c in tests])),
        Arm("other", "control: the person's true lips in another clip", _fixed(_others)),
        Arm("late", "control: the truth, half a second late", _fixed(_late)),
        Arm("still", "control: the clip's mean face, held", _fixed(lambda tests: [np.tile(c.truth.mean(axis=0), (len(c.truth), 1)) for c in tests])),
    ),
    measures=_MEASURES,
    rule=(
        "Means over seeds and most seeds, and by both judges: VER* of spectre below no lips, below landmarks and below coarse. Its lips no more than "
        "125 % as far from the detected ones as those of landmarks. And the judges can tell: VER* of the truth below half of other's."
    ),
    holds=_holds,
    note=(
        "On faces that our rules make of espeak-ng's sentences (quick: of drawn phones). The heads of stage people who move a little are painted and "
        "read by the detectors and the face network of `kinesics read`: landmarks, coarse faces and mouths have its errors. With the tiny preset. "
        "The judges learnt from people who are in nothing else, with other seeds and architectures than the reader in the loss: lipjudge reads fitted "
        "faces that are filmed again on the person they are of, facejudge 20 lip landmarks of them on one face; both tell 14 visemes. "
        "Landmarks and closures are measured on one canonical face. Not to be compared with published numbers."
    ),
)  # fmt: skip
