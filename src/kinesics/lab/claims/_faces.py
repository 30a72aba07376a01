"""Talking faces for tests and claims, the face being what the rules (:class:`~kinesics.behaviour.face.FaceRealiser`) make of the phones.

:func:`talking_faces` hum: each phone of a drawn sequence is the speaker's pitch through three resonances of its own. Nothing of
it is speech, and it costs next to nothing. :func:`speaking_faces` say sentences by espeak-ng. In both, pitch
and loudness rise and fall with the emotion: sound tells the phones and gives the emotion away, as real speech does.

How well a network learns rules says nothing about how well it learns people: these numbers never share a column
with published ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kinesics import formats
from kinesics.behaviour.controls import EMOTIONS, Controls
from kinesics.behaviour.face import FPS, FaceRealiser
from kinesics.bodies.arkit import ARKIT
from kinesics.hear import espeak
from kinesics.lab.claims._puppets import text
from kinesics.performance import Audio, Face, Interval, Performance, Tier
from kinesics.progress import progress
from kinesics.seeds import rng

RATE = 16_000
_PHONES = tuple("P B M F V TH T D K G CH SH S Z N L R AA AE AH EH IH IY AO OW UH UW".split())
_MOUTH = [i for i, n in enumerate(ARKIT) if n.startswith(("jaw", "mouthLowerDown", "mouthUpperUp"))]
_VOWELS = frozenset("AA AE AH EH IH IY AO OW UH UW".split())
# Each emotion's pitch and loudness beside neutral (ours, with the signs of Banse & Scherer 1996).
_VOICE = {
    "neutral": (1.0, 1.0), "happy": (1.25, 1.2), "sad": (0.85, 0.6), "surprise": (1.4, 1.2), "fear": (1.3, 0.9),
    "disgust": (0.9, 0.8), "anger": (1.1, 1.6), "contempt": (0.95, 0.7),
}  # fmt: skip


def talking_face(
    seed: int,
    number: int,
    *,
    speaker: int = 0,
    emotion: str = "neutral",
    intensity: float = 0.8,
    seconds: float = 4.0,
) -> Performance:
    """One clip: ``speech``, ``phones``, ``face`` at 60 fps, ``emotion``; the speaker's number in ``meta``.

    Parameters
    ----------
    seed, number
        Of the whole and of this clip.
    speaker
        Whose pitch and reach of the mouth.
    emotion, intensity
        Of the clip.
    seconds
        Its length; half a second of silence before and after.
    """
    stream = rng(seed, "talking face", number)
    phones, clock = [], 0.5
    while clock < seconds - 0.65:
        consonant = bool(phones) and phones[-1].label in _VOWELS
        label = str(stream.choice([p for p in _PHONES if (p in _VOWELS) != consonant]))
        length = float(stream.uniform(0.06, 0.11) if consonant else stream.uniform(0.09, 0.2))
        phones.append(Interval(clock, clock + length, label))
        clock += length
    end = stream.integers(2**31)
    pitch, _ = _person(seed, speaker)
    higher, louder = (1 + intensity * (x - 1) for x in _VOICE[emotion])
    sound = _hum(phones, pitch * higher, louder, round(seconds * RATE), stream)
    return _shown(Audio(sound, RATE), phones, seed, speaker, emotion, intensity, int(end))


def speaking_face(
    seed: int, number: int, *, speaker: int = 0, emotion: str = "neutral", intensity: float = 0.8
) -> Performance:
    """As :func:`talking_face`, but a sentence that espeak-ng says (extra ``voice``)."""
    stream = rng(seed, "speaking face", number)
    pitch, _ = _person(seed, speaker)
    higher, louder = (1 + intensity * (x - 1) for x in _VOICE[emotion])
    deep = pitch < 150
    said = espeak.synthesise(
        text(seed, number).partition(".")[0] + ".",
        voice=f"en-gb+{'m' if deep else 'f'}{1 + speaker % 4}",
        rate=float(rng(seed, "speaking face", "rate", speaker).uniform(140, 185)),
        pitch=float(np.clip(50 + 50 * np.log2(higher * pitch / (115 if deep else 190)), 0, 99)),
    )
    audio = Audio(said.samples, espeak.RATE).resample(RATE)
    quiet = np.zeros(RATE // 2, np.float32)
    sound = np.concatenate([quiet, np.clip(0.5 * louder * audio.samples, -1, 1), quiet])
    phones = [p.shift(0.5) for p in said.phones]
    return _shown(Audio(sound, RATE), phones, seed, speaker, emotion, intensity, int(stream.integers(2**31)))


def face_of(
    phones: Iterable[Interval], seconds: float, *, reach: float, emotion: str, intensity: float, seed: int
) -> Face:
    """What the rules make of phones."""
    realiser = FaceRealiser(Controls(emotion=emotion, intensity=intensity, seed=seed))
    realiser.hear(list(phones))
    values = realiser.frames(0, round(seconds * FPS))
    values[:, _MOUTH] = np.clip(values[:, _MOUTH] * reach, 0, 1)
    return Face(values, ARKIT, FPS)


def retold(show: Performance, emotion: str, intensity: float) -> Performance:
    """The same words by the same person with another emotion on the face."""
    told = {**show.meta["told"], "emotion": emotion, "intensity": intensity}
    face = face_of(show.tier("phones"), show.speech.end, **told)
    return show.with_tracks(face=face, emotion=_whole(show.speech.end, emotion, intensity))


def _person(seed: int, speaker: int) -> tuple[float, float]:
    """Pitch in Hz, and how far the mouth moves beside the usual."""
    stream = rng(seed, "talking face", "speaker", speaker)
    return float(stream.uniform(95, 210)), float(stream.uniform(0.8, 1.1))


def _shown(
    speech: Audio, phones: list[Interval], seed: int, speaker: int, emotion: str, intensity: float, drawn: int
) -> Performance:
    told = {"reach": _person(seed, speaker)[1], "emotion": emotion, "intensity": intensity, "seed": drawn}
    tracks = {
        "speech": speech,
        "phones": Tier("phones", tuple(phones)),
        "face": face_of(phones, speech.end, **told),
        "emotion": _whole(speech.end, emotion, intensity),
    }
    return Performance(tracks, {"speaker": speaker, "synthetic": True, "told": told})


def _whole(seconds: float, emotion: str, intensity: float) -> Tier:
    return Tier("emotion", (Interval(0.0, seconds, emotion, intensity),))


def talking_faces(
    count: int, *, seed: int = 0, speakers: int = 4, first: int = 0, seconds: float = 4.0
) -> list[Performance]:
    """``count`` clips of ``speakers`` in turn, each in all emotions and intensities after one another.

    Parameters
    ----------
    count, seed, seconds
        How many, of what, how long.
    speakers, first
        How many speakers, and the number of the first clip: others of one seed are other clips of the same speakers.
    """
    return [talking_face(seed, i, seconds=seconds, **_who(i, speakers)) for i in range(first, first + count)]


def speaking_faces(
    count: int, cache: Path, *, seed: int, speakers: int = 4, first: int = 0
) -> list[Performance]:
    """As :func:`talking_faces`, but of :func:`speaking_face`, made once and kept in ``cache``."""
    out = []
    for i in progress(range(first, first + count), "talking faces", total=count):
        path = cache / f"face-{seed}-{i}.kin"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            formats.save(speaking_face(seed, i, **_who(i, speakers)), path)
        out.append(formats.load(path))
    return out


def _who(number: int, speakers: int) -> dict[str, Any]:
    """Speakers in turn; each in all emotions, then all intensities, one after another."""
    mood, level = number // speakers % len(EMOTIONS), number // (speakers * len(EMOTIONS)) % 3
    return {
        "speaker": number % speakers,
        "emotion": EMOTIONS[mood],
        "intensity": (level + 1) / 3 if mood else 1 / 3,
    }


def _hum(
    phones: list[Interval], pitch: float, loud: float, count: int, stream: np.random.Generator
) -> np.ndarray:
    t = np.arange(count) / RATE
    f0 = pitch * (1 + 0.06 * np.sin(2 * np.pi * t * stream.uniform(0.5, 0.9) + stream.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    harmonics = np.arange(1, int(4500 / pitch))
    waves = np.sin(phase[:, None] * harmonics)
    noise = np.diff(stream.standard_normal(count + 1))
    out = 0.001 * noise
    for phone in phones:
        a, b = round(phone.start * RATE), round(phone.end * RATE)
        own = rng(0, "talking face", "phone", phone.label)
        tops = np.sort(own.uniform([250, 800, 1900], [800, 1900, 3800]))
        heights = np.exp(-np.square((harmonics[:, None] * pitch - tops) / 220.0)).sum(axis=1)
        shape = np.hanning(b - a + 2)[1:-1] ** 0.3
        level = 0.06 if phone.label in _VOWELS else 0.02
        out[a:b] += level * shape * (waves[a:b] @ heights + 0.3 * float(own.random()) * noise[a:b])
    return (loud * out).clip(-1, 1).astype(np.float32)
