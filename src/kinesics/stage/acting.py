"""One speaker performs one script, in their own way.

The performing engine does the performing; here it is given a person's voice, size, tempo, favourite beats,
timing, sway, posture and lips. What is hard truth for everybody (closed lips, joint limits) stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.accompany import Accompaniment
from kinesics.behaviour.controls import EMOTIONS, Controls
from kinesics.behaviour.heard import Heard
from kinesics.behaviour.idle import CHANNELS, Drift
from kinesics.behaviour.lexicon import lexicon
from kinesics.behaviour.lips import Lips
from kinesics.behaviour.performer import Performer
from kinesics.behaviour.planner import Planner, anchored, speech_behaviour
from kinesics.bodies.avatar import Avatar
from kinesics.errors import DataError, choose
from kinesics.hear import espeak
from kinesics.hear.hearing import said_aloud
from kinesics.performance import Audio, Behaviour, Interval, Performance, Plan, Signal, Sync, Tier
from kinesics.seeds import rng
from kinesics.stage.speakers import Habits, Speaker, Voice
from kinesics.stage.speech import LEVELS, Script

_LEAD_IN, _LEAD_OUT = 0.5, 0.8
_RATE = 30  # of the emotion signal

# How an emotion at full level changes a voice: factor on rate, added pitch and range (espeak-ng's scale),
# decibels. Ours, with the signs of Banse & Scherer (1996) and Juslin & Laukka (2003).
_VOICES: dict[str, tuple[float, float, float, float]] = {
    "neutral": (1.00, 0, 0, 0.0), "happy": (1.08, 10, 22, 2.0), "sad": (0.80, -9, -24, -4.0),
    "surprise": (1.04, 16, 26, 2.0), "fear": (1.16, 12, -8, -1.0), "disgust": (0.88, -6, 6, -1.0),
    "anger": (1.12, 5, 16, 5.0), "contempt": (0.90, -5, -6, -1.5),
}  # fmt: skip


def act(
    speaker: Speaker, script: Script, *, emotion: str = "neutral", level: int = 2, take: int = 0
) -> Performance:
    """Perform a script.

    Parameters
    ----------
    speaker
        Who.
    script
        What they say.
    emotion, level
        One of the eight, 1 to 3.
    take
        Seeds what differs from take to take.

    Returns
    -------
    Performance
        See :mod:`kinesics.stage.speakers`. ``meta["stage"]`` names speaker, seed, emotion and level;
        ``meta["avatar"]`` is the shipped person they are built from.

    Raises
    ------
    DataError
        On an unknown emotion or level.
    MissingExtra
        Without the extra ``voice``.
    """
    choose("emotion", emotion, EMOTIONS)
    if level not in LEVELS:
        raise DataError(f"level {level}; choose one of: 1, 2, 3")
    habits = speaker.habits
    intensity = float(np.clip(LEVELS[level] * habits.expressiveness, 0.1, 1.0))
    heard = speak_as(speaker.voice, script.text, emotion=emotion, intensity=intensity)
    seed = int(rng(speaker.seed, "speaker", speaker.number, "take", take).integers(2**31))
    controls = Controls(
        emotion=emotion,
        intensity=intensity,
        gesture_rate=float(np.clip(habits.rate * (0.55 + 0.7 * intensity), 0, 45)),
        handedness=habits.handedness,
        look_at=f"{np.clip(habits.gaze[0], -30, 30):.2f},{np.clip(habits.gaze[1], -15, 15):.2f}",
        seed=seed,
    )
    performer = _Person(body_of(speaker.seed, speaker.number), controls, habits)
    made = performer.run(heard)
    speech = speech_behaviour(Heard(heard))
    if len(script.text.split()) == len(heard.tier("words")):
        speech = replace(speech, text=script.text)
    plan = Plan((speech, *anchored(performer.planned, speech)), tuple(performer.feedback), "REPLACE")
    end = made.duration
    signal = np.zeros((max(1, round(end * _RATE)), len(EMOTIONS)), np.float32)
    signal[:, EMOTIONS.index(emotion)] = intensity
    tracks: dict[str, Any] = {
        **heard.tracks,
        **made.tracks,
        "plan": plan,
        "emotion": Tier("emotion", (Interval(0.0, end, emotion, round(intensity, 4)),)),
        "emotion levels": Signal(signal, EMOTIONS, ("",) * len(EMOTIONS), _RATE),  # type: ignore[arg-type]
        "semantic": _semantic(script, heard.tier("words"), performer),
    }
    about = {
        "speaker": speaker.name, "number": speaker.number, "seed": speaker.seed, "take": take, "emotion": emotion,
        "level": level, "text": script.text,
    }  # fmt: skip
    base = "maya" if speaker.traits.woman else "theo"
    meta = {
        **heard.meta,
        "avatar": base,
        "stage": about,
        "seed": seed,
        "synthetic": True,
        "controls": vars(controls),
    }
    return Performance(tracks, meta)


@lru_cache(maxsize=4)
def body_of(seed: int, number: int) -> Avatar:
    """A speaker's body without textures of its own: all that performing needs."""
    from kinesics.stage.identities import build
    from kinesics.stage.traits import draw_traits

    return build(draw_traits(seed, number), name=f"person-{seed}-{number}", number=number, painted=False)


def speak_as(voice: Voice, text: str, *, emotion: str = "neutral", intensity: float = 0.5) -> Performance:
    """Say a text in a voice, with exact times.

    A longer or shorter vocal tract is made by resampling: speech is synthesised slower or faster and higher
    or lower, so that rate and pitch come out as asked and only formants have moved.

    Parameters
    ----------
    voice
        Whose.
    text
        What to say.
    emotion, intensity
        How.

    Returns
    -------
    Performance
        As :func:`kinesics.hear.speak` gives, with half a second of silence before and 0.8 s after.
    """
    faster, higher, wider, louder = _VOICES[emotion]
    rate = voice.rate * (1 + intensity * (faster - 1))
    # espeak-ng's pitch is exponential: its 100 steps are about two octaves.
    octave = 50.0
    said = espeak.synthesise(
        text,
        voice=voice.voice,
        rate=float(np.clip(rate * voice.tract, 80, 450)),
        pitch=float(np.clip(voice.pitch + intensity * higher + octave * np.log2(voice.tract), 0, 99)),
        pitch_range=float(np.clip(voice.pitch_range + intensity * wider, 0, 99)),
    )
    if voice.tract != 1:
        import soxr

        samples = soxr.resample(said.samples, 1.0, voice.tract)
        said = espeak.Spoken(
            np.asarray(samples, np.float32),
            tuple(_stretched(i, voice.tract) for i in said.words),
            tuple(_stretched(i, voice.tract) for i in said.phones),
        )
    gain = 10 ** ((intensity * louder - 3) / 20)
    peak = float(np.abs(said.samples).max(initial=1e-9))
    said = replace(said, samples=said.samples * np.float32(min(gain, 0.98 / peak)))
    heard = said_aloud(said, text, voice=voice.voice).shift(_LEAD_IN)
    sound = heard.speech
    silence = [np.zeros(round(s * sound.rate), np.float32) for s in (_LEAD_IN, _LEAD_OUT)]
    return heard.with_tracks(speech=Audio(np.concatenate([silence[0], sound.samples, silence[1]]), sound.fps))


def _stretched(interval: Interval, factor: float) -> Interval:
    return replace(interval, start=interval.start * factor, end=interval.end * factor)


class _Person(Performer):
    """The performing engine with somebody's habits."""

    def __init__(self, avatar: Avatar, controls: Controls, habits: Habits) -> None:
        super().__init__(avatar, controls)
        liked = {n: g for n, g in lexicon().items() if g.category != "beat" or n in habits.beats}
        planner = Planner(controls, look_ahead=self.look_ahead, lexicon=liked)
        self._planner = _Timing(planner, habits, controls.seed)  # type: ignore[assignment]
        manner, posture = self._body.manner, habits.posture
        self._body.manner = replace(
            manner,
            size=manner.size * habits.amplitude,
            speed=manner.speed * habits.tempo,
            slump=manner.slump + 0.6 * posture["spine_pitch"],
            lean=manner.lean + 0.4 * posture["spine_pitch"],
            head=manner.head + posture["head_pitch"],
        )
        self._body.drift = _Sway(controls.seed, habits)
        lively = float(np.clip(controls.intensity / 0.5, 0, 1.6))
        self._body.accompaniment = Accompaniment(
            controls.seed,
            life=min(manner.life * (0.35 + 0.65 * lively), 1.15),
            hands=min(manner.size * habits.amplitude * lively, 1.6),
            leading=("left", "right").index(controls.handedness),
        )
        self._face.lips = _Mouth(habits.lip_gain, look_ahead=self.look_ahead)


class _Timing:
    """A planner whose strokes come when this person's come."""

    def __init__(self, planner: Planner, habits: Habits, seed: int) -> None:
        self._planner, self._habits, self._seed = planner, habits, seed

    def step(self, now: float, heard: Heard) -> list[Behaviour]:
        """As the planner's own; gestures shifted and resized, none to before ``now``."""
        return [self._own(b, now) if b.kind == "gesture" else b for b in self._planner.step(now, heard)]

    def _own(self, b: Behaviour, now: float) -> Behaviour:
        random = rng(self._seed, "timing", b.id)
        shift = float(np.clip(random.normal(self._habits.lead, self._habits.jitter), -0.15, 0.15))
        first = min(s.offset for s in b.sync.values())
        shift = max(shift, min(0.0, now + 0.05 - first))
        sync = {k: Sync(round(s.offset + shift, 4), s.behaviour, s.point) for k, s in b.sync.items()}
        amount = float(np.clip(b.number("amount", 1.0) * np.exp(0.12 * random.standard_normal()), 0.2, 1.5))
        return replace(b, sync=sync, attributes={**b.attributes, "amount": f"{amount:.3g}"})


class _Sway(Drift):
    """Drift about a posture of one's own."""

    def __init__(self, seed: int, habits: Habits) -> None:
        super().__init__(seed)
        gains = np.array(
            [next((f for g, f in habits.sway.items() if c.startswith(g)), 1.0) for c in CHANNELS]
        )
        self.amplitude = self.amplitude * gains[:, None]
        self._mean = np.array(
            [
                habits.posture.get(c, 0.0) if c in ("spine_roll", "head_roll", "spine_yaw") else 0.0
                for c in CHANNELS
            ]
        )

    def __call__(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        return super().__call__(times) + self._mean


class _Mouth(Lips):
    """Lips that open more or less than most."""

    def __init__(self, gain: float, *, look_ahead: float) -> None:
        super().__init__(look_ahead=look_ahead)
        self._gain = gain

    def flow(self, t: NDArray[np.float64], gain: NDArray[np.float64] | float = 1.0) -> NDArray[np.float64]:
        return super().flow(t, self._gain * gain)


def _semantic(script: Script, words: Tier, performer: Performer) -> Tier:
    """Phrases that call for a gesture: what was asked for, and whether it came."""
    if [w.label.lower() for w in words] != [w.lower() for w in script.words]:
        places = _places(script.words, words)
    else:
        places = [(w.start, w.end) for w in words]
    refused = {f.id for f in performer.feedback if f.status in ("dropped", "unknown")}
    made: list[tuple[float, str]] = [
        (b.sync["stroke"].offset, b.attributes.get("lexeme", ""))
        for b in performer.planned
        if b.kind == "gesture" and b.id not in refused and "stroke" in b.sync
    ]
    rows: list[Interval] = []
    for call in script.calls:
        known = [places[i] for i in range(call.first, call.last) if places[i] is not None]
        if not known:
            continue
        start, end = known[0][0], known[-1][1]  # type: ignore[index]
        shown = _shown(made, call.lexemes, start, end)
        lexeme = shown or call.lexemes[0]
        rows.append(Interval(start, end, f"{call.kind} {lexeme}", call.score if shown else 0.0))
    return Tier("semantic", tuple(rows))


def _shown(made: Sequence[tuple[float, str]], lexemes: Sequence[str], start: float, end: float) -> str | None:
    return next((name for at, name in made if name in lexemes and start - 0.4 <= at <= end + 0.4), None)


def _places(words: Sequence[str], spoken: Tier) -> list[tuple[float, float] | None]:
    """When each word was said; None for one that espeak-ng said as part of another."""
    out: list[tuple[float, float] | None] = [None] * len(words)
    k = 0
    for interval in spoken:
        parts = interval.label.lower().split()
        for j in range(k, min(k + 4, len(words))):
            if words[j].lower() == parts[0] or words[j].lower().startswith(parts[0]):
                for n in range(len(parts)):
                    if j + n < len(words):
                        out[j + n] = (interval.start, interval.end)
                k = j + len(parts)
                break
    return out
