"""Text or speech in, a whole performance out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from kinesics.behaviour.controls import Controls
from kinesics.errors import DataError
from kinesics.performance import Audio, Performance, Plan, Tier

log = logging.getLogger(__name__)

_LONGEST = 7200.0  # seconds of a plan that nobody speaks
_LEAD_IN, _LEAD_OUT = 0.5, 0.8  # seconds of silence around a spoken text: room to breathe in and to settle


def perform(
    text: str | None = None,
    *,
    audio: Audio | str | PathLike[str] | None = None,
    transcript: str | None = None,
    words: Tier | None = None,
    phones: Tier | None = None,
    plan: Plan | None = None,
    language: str = "en",
    voice: str | None = None,
    avatar: str = "maya",
    emotion: str = "neutral",
    intensity: float = 0.5,
    gesture_rate: float | None = None,
    handedness: str = "right",
    look_at: str = "camera",
    system: str | PathLike[str] | None = None,
    face: str | PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    look_ahead: float = 2.0,
    progress: bool = True,
) -> Performance:
    """Perform a text, a recording, or a plan.

    Parameters
    ----------
    text
        What to say; spoken by espeak-ng (extra ``voice``).
    audio
        Speech instead, as Audio or a sound file.
    transcript
        What is said in ``audio``. Without it only the phones are guessed, and no word is known.
    words, phones
        Tiers of ``audio`` with known times; nothing is aligned then.
    plan
        BML: performed as it is when its composition is ``"REPLACE"`` (as in the plans Kinesics
        saves), else added to what the planner finds and taking precedence over it. Its ``speech``
        is spoken when neither ``text`` nor ``audio`` is given; a plan without one is performed in silence,
        as long as it lasts.
    language
        Language code of the words.
    voice
        Voice for ``text``, see ``kinesics voices``; by default the language's, in the avatar's variant.
    avatar
        Who performs; see :func:`kinesics.bodies.avatar.avatars`.
    emotion, intensity, gesture_rate, handedness, look_at, seed
        See :class:`~kinesics.behaviour.controls.Controls`.
    system, face
        A trained system that moves the body, and one that moves the face, instead of the rules: the name of one whose
        networks ship (``kinesics systems``), or a folder that ``kinesics export`` wrote. The user's plan stays above
        them; limits, collisions, feet, closed lips and blinks are enforced on them. They are made offline, whatever
        ``look_ahead`` is.
    options
        Their own knobs by name, for instance ``{"meaning": 0.4}`` for LivelySpeaker.
    look_ahead
        Seconds the planner may look ahead of the clock.
    progress
        Show a bar on anything over a second.

    Returns
    -------
    Performance
        ``speech``, the tiers and signals of :func:`kinesics.hear.hear`, ``body`` (55 joints, 60 fps),
        ``face`` (ARKit 52, 60 fps), ``gestures`` (phases) and ``plan`` with feedback. With a ``system``
        the phases are those that are seen in its body, and the plan holds nothing for the body but the user's own.

    Raises
    ------
    DataError
        When there is nothing to say, or a control is out of range.
    PlanError
        When the plan cannot be solved (a cycle, a reference to nothing).
    MissingExtra
        When a text is to be spoken without the extra ``voice``.

    Examples
    --------
    >>> show = perform("Hello!", emotion="happy", seed=3)
    >>> show.face.names[0], show.body.fps
    ('browDownLeft', Fraction(60, 1))
    """
    controls = Controls(
        emotion=emotion,
        intensity=intensity,
        gesture_rate=gesture_rate,
        handedness=handedness,
        look_at=look_at,
        seed=seed,
    )
    from kinesics.bodies.avatar import load_avatar

    person, trained = load_avatar(avatar), {}
    if system is not None or face is not None:
        from kinesics.behaviour import trained as running

        trained = running.load(system, face)
        running.knobs(trained, options or {})
    elif options:
        raise DataError(
            f"options {', '.join(options)} belong to a trained system; name it with system= or face="
        )
    if text is not None and audio is not None:
        raise DataError("both a text and a sound were given; give the sound's words as its transcript")
    if text is None and audio is None and plan is not None:
        text = " ".join(b.text for b in plan.of("speech")) or None
    silent = text is None and audio is None and plan is not None and len(plan) > 0
    if silent:
        heard = Performance()
    elif audio is None:
        heard = _spoken(text, voice=voice or person.voice, language=language, progress=progress)
    else:
        from kinesics.hear import hear

        sound = audio if isinstance(audio, Audio) else Audio.load(audio)
        heard = hear(
            sound, transcript=transcript, language=language, words=words, phones=phones, progress=progress
        )

    from kinesics.behaviour.heard import Heard
    from kinesics.behaviour.merging import Merger, span
    from kinesics.behaviour.performer import Performer
    from kinesics.behaviour.planner import anchored, speech_behaviour

    speech = speech_behaviour(Heard(heard))
    written = (text or transcript or "").split()
    if len(written) == len(heard.tier("words")):
        speech = replace(speech, text=" ".join(written))  # with its punctuation: it will be spoken again
    own = None if plan is None else Merger(replace(plan, feedback=()), None if silent else speech)
    seconds = None
    if silent and own is not None:
        ends = [span(b, own.times[b.id])[1] for b in own.behaviours if own.times[b.id]]
        known = [end for end in ends if np.isfinite(end)]
        starts = [max(own.times[b.id].values()) for b in own.behaviours if own.times[b.id]]
        seconds = min(max([*known, *starts, 0.0]) + _LEAD_OUT, _LONGEST)
    performer = Performer(person, controls, look_ahead=look_ahead, language=language, own=own)
    made = performer.run(heard, seconds=seconds, progress=progress)
    said = () if own is None else own.feedback
    told = {f.id for f in said if f.status in ("shifted", "dropped", "unknown")}
    feedback = (*said, *(f for f in performer.feedback if f.id not in told))
    planned = performer.planned if silent else (speech, *anchored(performer.planned, speech))
    meta = {**heard.meta, **made.meta, "seed": seed, "synthetic": True, "controls": vars(controls)}
    made = replace(made, tracks={**heard.tracks, **made.tracks}, meta=meta)
    if trained:
        mine = () if own is None else own.behaviours
        made = running.perform_trained(
            made, trained, options=options or {}, controls=controls, avatar=avatar, own=mine,
            times=None if own is None else own.times, progress=progress,
        )  # fmt: skip
        planned = running.left_of(planned, trained, {b.id for b in mine})
        kept = {b.id for b in planned}
        feedback = tuple(f for f in feedback if f.id in kept or f.id in told)
    return made.with_tracks(plan=Plan(tuple(planned), feedback, "REPLACE"))


def _spoken(text: str | None, **options: Any) -> Performance:
    if text is None or not any(c.isalnum() for c in text):
        raise DataError(
            "nothing to say: give a text with words in it, a sound (audio=) or a plan with a speech"
        )
    from kinesics.hear import speak

    heard = speak(text, **options).shift(_LEAD_IN)
    sound = heard.speech
    silence = [np.zeros(round(s * sound.rate), np.float32) for s in (_LEAD_IN, _LEAD_OUT)]
    padded = np.concatenate([silence[0], sound.samples, silence[1]])
    return heard.with_tracks(speech=Audio(padded, sound.fps))
