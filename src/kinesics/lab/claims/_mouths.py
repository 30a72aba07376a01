"""Filmed mouths for SPECTRE's claim and its training: stage people who say sentences, as a camera and a detector see them.

The face is what the rules make of espeak-ng's phones (quick: of a hum's); picture and landmarks are of people of the stage. One
seed, one set of people: what teaches, what judges and what both are judged on share nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinesics import formats
from kinesics.behaviour.controls import EMOTIONS
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import Avatar
from kinesics.files import replacing
from kinesics.hear import espeak
from kinesics.lab.claims._faces import face_of, talking_face
from kinesics.lab.corpus import Arrays
from kinesics.performance import Performance, Tier
from kinesics.progress import progress
from kinesics.seeds import rng
from kinesics.stage.identities import identity
from kinesics.stage.mouths import CloseUp, detected
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
        ``face`` (the truth, 25 fps), ``phones``, ``landmarks`` as a detector has them.
    film
        (T, S, S) grey.
    seed, number, people
        Of all; which of the clips; how many people they are of.
    """

    show: Performance
    film: NDArray[np.uint8]
    seed: int
    number: int
    people: int

    @property
    def truth(self) -> NDArray[np.float32]:
        """(T, 52) the face."""
        return self.show.face.values

    def filmed(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """What the same camera sees of the same person with another face (T, 52)."""
        return _camera(self.seed, self.number, self.people).film(values)


@lru_cache(maxsize=32)
def _person(seed: int, person: int) -> Avatar:
    return identity(seed, person)


@lru_cache(maxsize=64)
def _close_up(seed: int, person: int, take: int) -> CloseUp:
    return CloseUp(_person(seed, person), seed=seed, take=take)


def _camera(seed: int, number: int, people: int) -> CloseUp:
    person, take = number % people, number // people % _SETS
    return _close_up(seed, person, _SETS * person + take)


def clips(count: int, cache: Path, *, seed: int, people: int, spoken: bool = True) -> list[Clip]:
    """Films of ``people`` in turn, made once and kept in ``cache``.

    Parameters
    ----------
    count, cache, seed, people
        How many, where, of what, of how many.
    spoken
        Sentences by espeak-ng (extra ``voice``); else drawn phones.
    """
    out = []
    for number in progress(range(count), "mouths", total=count):
        path = cache / f"{'said' if spoken else 'hummed'}-{seed}-{people}-{number}.kin"
        if not path.with_suffix(".npy").is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            show = _said(seed, number, people) if spoken else _hummed(seed, number)
            landmarks = detected(_person(seed, number % people), show.face, seed=seed, take=number)
            formats.save(show.with_tracks(landmarks=landmarks), path)
            with replacing(path.with_suffix(".npy")) as file:
                np.save(file, _camera(seed, number, people).film(show.face.values))
        film = np.load(path.with_suffix(".npy"), allow_pickle=False)
        out.append(Clip(formats.load(path), film, seed, number, people))
    return out


def _said(seed: int, number: int, people: int) -> Performance:
    stream = rng(seed, "filmed mouth", number)
    habits = rng(seed, "filmed mouth", "person", number % people)
    reach, rate = float(habits.uniform(0.75, 1.2)), float(habits.uniform(145, 190))
    emotion, intensity = str(stream.choice(EMOTIONS)), float(stream.uniform(0.2, 0.9))
    text = script(seed, "filmed mouth", number, emotion=emotion, words=5).text
    said = espeak.synthesise(text.partition(".")[0] + ".", rate=rate)
    phones = [p.shift(0.3) for p in said.phones]
    told = {"reach": reach, "emotion": emotion, "intensity": intensity, "seed": int(stream.integers(2**31))}
    face = face_of(phones, phones[-1].end + 0.3, **told)  # type: ignore[arg-type]
    return _shown(Performance({"face": face, "phones": Tier("phones", tuple(phones))}))


def _hummed(seed: int, number: int) -> Performance:
    show = talking_face(seed, number, speaker=number % 4, seconds=3.0)
    return _shown(Performance({"face": show.face, "phones": show.tier("phones")}))


def _shown(show: Performance) -> Performance:
    return show.with_tracks(face=show.face.select(ARKIT).resample(FPS))


def corpus(system: System, films: list[Clip]) -> Arrays:
    """What a system that sees films learns from."""
    see: Callable[..., Iterator[dict[str, NDArray]]] = system.examples
    return Arrays.of(row for clip in films for row in see(clip.show, film=clip.film))
