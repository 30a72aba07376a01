"""From sound or text to tiers and signals: the whole of hearing, in two functions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from kinesics.errors import DataError
from kinesics.files import Scratch, passing
from kinesics.hear import affect, espeak, phrasing, prosody
from kinesics.hear.phones import plain
from kinesics.hear.voice_activity import RATE, speech_spans
from kinesics.performance import Audio, Interval, Performance, Signal, Tier

log = logging.getLogger(__name__)

LONGEST_SOUND = 4 * 3600.0
"""Seconds of sound that one call takes."""


def hear(
    audio: Audio,
    *,
    transcript: str | None = None,
    language: str = "en",
    phones: Tier | None = None,
    words: Tier | None = None,
    progress: bool = False,
) -> Performance:
    """Find out what is said in a sound, when, and how.

    Parameters
    ----------
    audio
        Speech at any rate, one or more channels (their mean is heard).
    transcript
        What is said. English is aligned phone by phone; other languages take espeak-ng's phones, warped onto
        the voiced spans with a confidence of at most 0.5. Without it the phones are guessed and there are no words.
    language
        Language code of the speech (``"en"``, ``"de"`` …).
    phones, words
        Tiers with known times: nothing is aligned then (``words`` alone is not enough).
    progress
        Show a bar on long sounds.

    Returns
    -------
    Performance
        ``speech`` (the sound as given), tiers ``speech spans``, ``words``, ``phones``, ``syllables`` (value:
        prominence 0..1), ``pauses`` (value: seconds), ``phrases`` (value: final F0 movement in semitones),
        signals ``f0`` (Hz), ``energy`` (dB), ``rate`` (syllables/s) and ``affect``. ``meta["hear"]`` tells how
        the phones were found (``method``), which words were ``guessed`` and which ``unaligned``.

    Raises
    ------
    DataError
        For NaN or infinite samples, sound without samples or of more than four hours.
    MissingExtra
        For a language other than English with a transcript, without the ``voice`` extra.

    Examples
    --------
    >>> import numpy as np
    >>> show = hear(Audio(np.zeros(16000, np.float32), 16000), transcript="Hello")
    >>> len(show["words"])
    0
    """
    heard, notes = _prepare(audio)
    spans = speech_spans(heard)
    after: Sequence[str] | None = None
    if phones is not None:
        notes["method"] = "given"
        words = words if words is not None else Tier("words")
        phones = Tier("phones", tuple(phones))
        words = Tier("words", tuple(words))
    else:
        from kinesics.hear import align

        found = align.align(heard, transcript, language=language, spans=spans, progress=progress)
        words, phones, after = found.words, found.phones, found.after
        notes.update(found.notes)
    tracks = _prosody(heard, words, phones, language=language, after=after)
    tracks["speech spans"] = Tier("speech spans", tuple(Interval(a, b, "speech") for a, b in spans))
    if audio.start:
        tracks = {n: _shifted(t, audio.start) for n, t in tracks.items()}
    return Performance({"speech": audio, **tracks}, {"hear": notes, "language": language})


def speak(
    text: str,
    *,
    voice: str | None = None,
    language: str = "en",
    rate: float = 165.0,
    pitch: float = 50.0,
    pitch_range: float = 50.0,
    progress: bool = False,
) -> Performance:
    """Say a text with espeak-ng: sound with exact times of words and phones, and its prosody.

    Parameters
    ----------
    text
        What to say.
    voice
        One of `voices`, with or without a variant (``"en-gb+f3"``), or a bare variant (``"+m3"``).
    language
        Language of the text where ``voice`` names none.
    rate
        Words per minute, 80..450.
    pitch, pitch_range
        0..100; 50 is the voice's own.
    progress
        Show a bar on long texts.

    Returns
    -------
    Performance
        The same tracks as `hear` gives; all confidences are 1.

    Raises
    ------
    DataError
        For an empty text, an unknown voice, a value out of range.
    MissingExtra
        Without the ``voice`` extra.
    """
    said = espeak.synthesise(
        text,
        voice=voice,
        language=language,
        rate=rate,
        pitch=pitch,
        pitch_range=pitch_range,
        progress=progress,
    )
    return said_aloud(said, text, voice=espeak.pick_voice(voice, language))


def said_aloud(said: espeak.Spoken, text: str, *, voice: str) -> Performance:
    """What :func:`speak` gives, of speech that espeak-ng has said already.

    Parameters
    ----------
    said
        Sound and times, as they came or changed alike.
    text
        What was said, with its punctuation.
    voice
        The voice's code, such as ``"en-us+f3"``.
    """
    audio = Audio(said.samples, Fraction(espeak.RATE))
    words, phones = Tier("words", said.words), Tier("phones", said.phones)
    heard, notes = _prepare(audio)
    after = _punctuation(text, said.words)
    tracks = _prosody(heard, words, phones, language=voice.partition("+")[0], after=after)
    if espeak.is_english(voice):  # stress has done its work in the syllables
        tracks["phones"] = Tier("phones", tuple(replace(p, label=plain(p.label)) for p in phones))
    spans = _speech_of(phones)
    tracks["speech spans"] = Tier("speech spans", tuple(Interval(a, b, "speech") for a, b in spans))
    notes.update(method="espeak", voice=voice)
    return Performance({"speech": audio, **tracks}, {"hear": notes, "language": voice.partition("+")[0]})


def _prepare(audio: Audio) -> tuple[np.ndarray, dict[str, Any]]:
    """Mono sound at 16 kHz without offset, and what is to be said about it."""
    notes: dict[str, Any] = {}
    if len(audio) == 0:
        raise DataError("the sound has no samples")
    if audio.duration > LONGEST_SOUND:
        raise DataError(
            f"the sound is {audio.duration / 3600:.1f} h long; at most {LONGEST_SOUND / 3600:.0f} h are heard at once"
        )
    heard, peak, clipped = _mono(audio)
    if clipped > 0.001:
        notes["clipped"] = clipped
        log.warning("%.1f %% of the samples are clipped; the times may be less exact", 100 * clipped)
    if peak < 1e-4:
        notes["silent"] = True
        log.warning("the sound is silent")
    if audio.rate < RATE:
        log.info("the sound has %d Hz; what lies above %d Hz is missing", audio.rate, audio.rate // 2)
    if peak > 1.0:
        for _, part in passing(heard):
            part /= np.float32(peak)
    offset = sum(part.sum(dtype=np.float64) for _, part in passing(heard)) / max(len(heard), 1)
    for _, part in passing(heard):
        part -= np.float32(offset)
    return heard, notes


def _mono(audio: Audio) -> tuple[np.ndarray, float, float]:
    """(N,) the mean of the channels at 16 kHz, its peak, and the share of samples that are clipped.

    A block at a time, and on disk where it is long: memory does not grow with the sound.
    """
    import soxr

    stream = soxr.ResampleStream(audio.rate, RATE, 1) if audio.rate != RATE else None
    kept, peak, clipped = Scratch(), 0.0, 0
    for first, block in passing(audio.samples):
        clipped += np.count_nonzero(np.abs(block) >= 0.999)
        part = np.array(block) if block.ndim == 1 else block.mean(axis=1)
        if stream is not None:
            part = stream.resample_chunk(part, last=first + len(block) == len(audio))
        peak = max(peak, float(np.abs(part).max(initial=0.0)))
        kept.add(part[:, None])
    return kept.whole(mode="r+")[:, 0], peak, clipped / audio.samples.size


def _prosody(
    heard: np.ndarray, words: Tier, phones: Tier, *, language: str, after: Sequence[str] | None
) -> dict[str, Any]:
    """All tracks that follow from sound, words and phones."""
    melody, loudness = prosody.f0(heard), prosody.energy(heard)
    rate = prosody.speaking_rate(phones, duration=len(heard) / RATE)
    spoken = phrasing.words_of(words, phones, after)
    if not spoken and len(phones):  # without words a stretch between pauses counts as one
        spoken = [phrasing.Word(Interval(g[0].start, g[-1].end, ""), tuple(g), "") for g in _groups(phones)]
    syllables = phrasing.syllables(spoken, melody, loudness, language=language)
    phrases = phrasing.phrases(spoken, melody)
    feeling = affect.affect(melody, loudness, rate, spoken, [(p.start, p.end) for p in phrases])
    return {
        "words": words,
        "phones": phones,
        "syllables": syllables,
        "pauses": phrasing.pauses(phones),
        "phrases": phrases,
        "f0": melody,
        "energy": loudness,
        "rate": Signal(rate[:, None].astype(np.float32), ("rate",), ("syllables/s",), Fraction(10)),
        "affect": feeling,
    }


def _groups(phones: Tier) -> list[list[Interval]]:
    groups: list[list[Interval]] = []
    for phone in phones:
        if groups and phone.start - groups[-1][-1].end < phrasing.SHORTEST_PAUSE:
            groups[-1].append(phone)
        else:
            groups.append([phone])
    return groups


def _speech_of(phones: Tier) -> list[tuple[float, float]]:
    return [(g[0].start, g[-1].end) for g in _groups(phones)]


def _punctuation(text: str, words: Sequence[Interval]) -> list[str]:
    """The punctuation after each word of a text that was spoken in order."""
    found: list[str] = []
    at = 0
    for k, word in enumerate(words):
        begin = text.find(word.label, at)
        if begin >= 0:
            at = begin + len(word.label)
        follow = text.find(words[k + 1].label, at) if k + 1 < len(words) else len(text)
        between = text[at : follow if follow >= 0 else at]
        found.append("".join(c for c in between if c in ".,;:!?…—–"))
    return found


def _shifted(track: Any, seconds: float) -> Any:
    if isinstance(track, Tier):
        return track.shift(seconds)
    return replace(track, start=track.start + seconds)
