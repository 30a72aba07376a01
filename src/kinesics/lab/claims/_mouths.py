"""Filmed mouths for SPECTRE's claim and its training: stage people who say sentences.

The face is what the rules make of espeak-ng's phones (quick: of drawn ones). Most are filmed close up, which costs little; those that faces are fitted
to are read off whole heads, as ``kinesics read`` would (the landmark models are needed). One seed, one set of people: what teaches, what judges and what both are
judged on share nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinesics import formats
from kinesics.behaviour.controls import EMOTIONS
from kinesics.bodies import ibug
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import Avatar
from kinesics.files import replacing
from kinesics.hear import espeak
from kinesics.lab.claims._faces import face_of, talking_face
from kinesics.lab.corpus import Arrays
from kinesics.performance import Face, Performance, Points, Tier
from kinesics.progress import progress
from kinesics.reading._person import faced, tracks
from kinesics.reading._recording import ROW
from kinesics.see.face_network import FaceReader
from kinesics.see.face_shape import LOOKS
from kinesics.seeds import rng
from kinesics.stage.identities import identity
from kinesics.stage.mouths import CloseUp, watched
from kinesics.stage.speech import script
from kinesics.systems import System

FPS = 25
_SETS = 3
"""Lights and angles in which each person is filmed."""


@dataclass(frozen=True)
class Clip:
    """One film of a mouth.

    Parameters
    ----------
    show
        ``phones`` and ``face`` at 25 fps: the truth, or, with ``landmarks``, what was found.
    truth
        (T, 52) the face.
    film
        (T, 48, 48) grey: close up, or as it was recorded when the head was read.
    seed, number, people
        Of all; which of the clips; how many people they are of.
    """

    show: Performance
    truth: NDArray[np.float32]
    film: NDArray[np.uint8]
    seed: int
    number: int
    people: int

    def filmed(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """What a camera close up sees of the same person with another face (T, 52)."""
        return _close_up(self.seed, self.number, self.people).film(values)

    def true(self) -> Clip:
        """The same film with the true face in the place of what was found."""
        shown = {n: t for n, t in self.show.tracks.items() if n != "landmarks"}
        return replace(self, show=Performance({**shown, "face": Face(self.truth, ARKIT, FPS)}))


@lru_cache(maxsize=64)
def _person(seed: int, person: int) -> Avatar:
    return identity(seed, person)


@lru_cache(maxsize=128)
def _camera(seed: int, person: int, take: int) -> CloseUp:
    return CloseUp(_person(seed, person), seed=seed, take=take)


def _close_up(seed: int, number: int, people: int) -> CloseUp:
    person, take = number % people, number // people % _SETS
    return _camera(seed, person, _SETS * person + take)


def close_ups(count: int, cache: Path, *, seed: int, people: int, spoken: bool = True) -> list[Clip]:
    """Films of the mouths of ``people`` in turn, made once and kept in ``cache``.

    Parameters
    ----------
    count, cache, seed, people
        How many, where, of what, of how many.
    spoken
        Sentences by espeak-ng (extra ``voice``); else drawn phones.
    """

    def film(number: int, face: Face) -> dict[str, NDArray]:
        return {"film": _close_up(seed, number, people).film(face.values)}

    out = []
    for number, show in enumerate(sentences(count, cache, seed=seed, people=people, spoken=spoken)):
        kept = _kept(film, "close", number, show, cache, seed, people)
        out.append(Clip(show, show.face.values, kept["film"], seed, number, people))
    return out


def heads(count: int, cache: Path, *, seed: int, people: int, spoken: bool = True) -> list[Clip]:
    """Heads of ``people`` in turn, as they are read; see :func:`close_ups`. What is recorded is kept, faces are read off it anew."""

    def record(number: int, face: Face) -> dict[str, NDArray]:
        rows = watched(_person(seed, number % people), face, seed=seed, take=number)
        return {name: rows[name] for name in _RECORDED}

    reader, out = FaceReader(threads=1), []
    for number, show in enumerate(sentences(count, cache, seed=seed, people=people, spoken=spoken)):
        kept = _kept(record, "head", number, show, cache, seed, people)
        rows = np.zeros(len(kept["mouth"]), ROW)
        for name in _RECORDED:
            rows[name] = kept[name]
        found = faced(tracks(rows, show.face.fps, 0.0), rows, reader)
        seen = show.with_tracks(face=found.face.select(ARKIT), landmarks=_few(found["landmarks"]))
        out.append(Clip(seen, show.face.values, rows["mouth"].copy(), seed, number, people))
    return out


_RECORDED = ("landmarks", "face_score", *LOOKS)


def _few(landmarks: Points) -> Points:
    """The 68 of a mesh."""
    keep = list(ibug.among(len(landmarks.names)))
    names = tuple(f"ibug {i}" for i in range(len(keep)))
    return Points(landmarks.values[:, keep], names, landmarks.fps, landmarks.frame, landmarks.start)


def _kept(
    make: Callable[[int, Face], dict[str, NDArray]],
    what: str,
    number: int,
    show: Performance,
    cache: Path,
    seed: int,
    people: int,
) -> dict[str, NDArray]:
    """Arrays that are made once."""
    path = cache / f"{what}-{seed}-{people}-{number}.npz"
    if not path.is_file():
        made = make(number, show.face)
        with replacing(path) as file:
            np.savez(file, **made)  # type: ignore[arg-type]
    with np.load(path, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def sentences(count: int, cache: Path, *, seed: int, people: int, spoken: bool = True) -> list[Performance]:
    """True faces and phones alone, without a film; see :func:`close_ups`."""
    out = []
    for number in progress(range(count), "talking", total=count):
        path = cache / f"{'said' if spoken else 'drawn'}-{seed}-{people}-{number}.kin"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            formats.save(_said(seed, number, people) if spoken else _drawn(seed, number), path)
        out.append(formats.load(path))
    return out


def _said(seed: int, number: int, people: int) -> Performance:
    stream = rng(seed, "filmed mouth", number)
    habits = rng(seed, "filmed mouth", "person", number % people)
    reach, rate = float(habits.uniform(0.75, 1.2)), float(habits.uniform(145, 190))
    emotion, intensity = str(stream.choice(EMOTIONS)), float(stream.uniform(0.2, 0.9))
    text = script(seed, "filmed mouth", number, emotion=emotion, words=5).text
    spoken = espeak.synthesise(text.partition(".")[0] + ".", rate=rate)
    phones = [p.shift(0.3) for p in spoken.phones]
    told = {"reach": reach, "emotion": emotion, "intensity": intensity, "seed": int(stream.integers(2**31))}
    face = face_of(phones, phones[-1].end + 0.3, **told)  # type: ignore[arg-type]
    return _shown(Performance({"face": face, "phones": Tier("phones", tuple(phones))}))


def _drawn(seed: int, number: int) -> Performance:
    show = talking_face(seed, number, speaker=number % 4, seconds=3.0)
    return _shown(Performance({"face": show.face, "phones": show.tier("phones")}))


def _shown(show: Performance) -> Performance:
    return show.with_tracks(face=show.face.select(ARKIT).resample(FPS))


def corpus(system: System, films: list[Clip]) -> Arrays:
    """What a system that sees films learns from."""
    see: Callable[..., Iterator[dict[str, NDArray]]] = system.examples
    return Arrays.of(row for clip in films for row in see(clip.show, film=clip.film))
