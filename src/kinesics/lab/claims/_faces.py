"""Talking faces for tests and quick claims: drawn phones, a humming voice, and the face that the rules make of them.

Nothing here is speech. Each phone hums on the speaker's pitch through three resonances of its own, pitch and
loudness rise and fall with the emotion, and the face is :class:`~kinesics.behaviour.face.FaceRealiser`'s: so sound
tells the phones and gives the emotion away, as real speech does.
"""

from __future__ import annotations

import numpy as np

from kinesics.behaviour.controls import EMOTIONS, Controls
from kinesics.behaviour.face import FPS, FaceRealiser
from kinesics.bodies.arkit import ARKIT
from kinesics.performance import Audio, Face, Interval, Performance, Tier
from kinesics.seeds import rng

RATE = 16_000
_PHONES = tuple("P B M F V TH T D K G CH SH S Z N L R AA AE AH EH IH IY AO OW UH UW".split())
_VOWELS = frozenset("AA AE AH EH IH IY AO OW UH UW".split())
# Each emotion's pitch and loudness beside neutral (ours, with the signs of Banse & Scherer 1996).
_VOICE = {
    "neutral": (1.0, 1.0), "happy": (1.25, 1.2), "sad": (0.85, 0.6), "surprise": (1.4, 1.2), "fear": (1.3, 0.9),
    "disgust": (0.9, 0.8), "anger": (1.1, 1.6), "contempt": (0.95, 0.7),
}  # fmt: skip


def talking_face(
    seed: int, number: int, *, speaker: int = 0, emotion: str = "neutral", intensity: float = 0.8, seconds: float = 4.0
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
    person = rng(seed, "talking face", "speaker", speaker)
    pitch, reach = float(person.uniform(95, 210)), float(person.uniform(0.8, 1.1))
    realiser = FaceRealiser(Controls(emotion=emotion, intensity=intensity, seed=int(stream.integers(2**31))))
    realiser.hear(phones)
    values = realiser.frames(0, round(seconds * FPS))
    mouth = [i for i, n in enumerate(ARKIT) if n.startswith(("jaw", "mouthLowerDown", "mouthUpperUp"))]
    values[:, mouth] = np.clip(values[:, mouth] * reach, 0, 1)
    higher, louder = (1 + intensity * (x - 1) for x in _VOICE[emotion])
    sound = _hum(phones, pitch * higher, louder, round(seconds * RATE), stream)
    tracks = {
        "speech": Audio(sound, RATE),
        "phones": Tier("phones", tuple(phones)),
        "face": Face(values, ARKIT, FPS),
        "emotion": Tier("emotion", (Interval(0.0, seconds, emotion, intensity),)),
    }
    return Performance(tracks, {"speaker": speaker, "synthetic": True})


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
    levels = (1 / 3, 2 / 3, 1.0)
    return [
        talking_face(
            seed,
            i,
            speaker=i % speakers,
            emotion=EMOTIONS[i // speakers % len(EMOTIONS)],
            intensity=levels[i // (speakers * len(EMOTIONS)) % 3] if i // speakers % len(EMOTIONS) else levels[0],
            seconds=seconds,
        )
        for i in range(first, first + count)
    ]


def _hum(phones: list[Interval], pitch: float, loud: float, count: int, stream: np.random.Generator) -> np.ndarray:
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
