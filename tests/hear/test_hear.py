"""hear() and speak(): what they return, and what they do with bad input."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest

from kinesics.errors import DataError, KinesicsError, MissingExtra
from kinesics.hear import espeak, hear, speak, voices
from kinesics.hear.phones import is_arpabet, viseme
from kinesics.performance import Audio, Interval, Performance

needs_voice = pytest.mark.skipif(not espeak.available(), reason="extra 'voice' is not installed")
TRACKS = {
    "speech", "speech spans", "words", "phones", "syllables", "pauses", "phrases", "f0", "energy", "rate", "affect",
}  # fmt: skip
TEXT = "We caught a fish this big, honestly. Did you?"


@pytest.fixture(scope="module")
def said() -> Performance:
    return speak(TEXT)


@needs_voice
def test_speaking_gives_all_tracks(said: Performance) -> None:
    assert set(said) == TRACKS
    assert said["words"].labels == ("We", "caught", "a", "fish", "this", "big", "honestly", "Did", "you")
    assert all(is_arpabet(p) and not p[-1].isdigit() for p in said["phones"].labels)
    assert said.speech.rate == 22050
    assert said["phrases"].labels[-1] == "question"
    values = {s.label: s.value for s in said["syllables"]}
    assert values["F IH SH"] > values["AH"] if "AH" in values else True
    assert abs(said["f0"].duration - said.speech.duration) < 0.05


@needs_voice
def test_a_stop_closes_before_its_burst() -> None:
    found = speak("A happy puppy.")
    quiet = [
        np.abs(found.speech.samples[int((p.start + 0.01) * 22050) : int((p.start + 0.03) * 22050)]).max()
        for p in found["phones"]
        if p.label == "P"
    ]
    assert len(quiet) == 3
    assert max(quiet) < 0.05 * np.abs(found.speech.samples).max()


@needs_voice
def test_speaking_is_the_same_every_time(said: Performance) -> None:
    again = speak(TEXT)
    assert np.array_equal(again.speech.samples, said.speech.samples)
    assert again["phones"] == said["phones"]


@needs_voice
@pytest.mark.parametrize("language", ["en-us", "en-gb", "de", "fr", "es", "it", "pt", "pt-br"])
def test_languages(language: str) -> None:
    found = speak("Mama, papa, 3 bananas.", language=language)
    assert len(found["words"]) == 4
    assert len(found["phones"]) >= 12
    assert all(viseme(p) != "sil" for p in found["phones"].labels), found["phones"].labels
    assert sum(viseme(p) == "PP" for p in found["phones"].labels) >= 5
    assert language in voices()


@needs_voice
def test_voice_rate_and_pitch_change_the_sound(said: Performance) -> None:
    slow, high, other = speak(TEXT, rate=100), speak(TEXT, pitch=90), speak(TEXT, voice="+f3")
    assert slow.duration > 1.3 * said.duration

    def pitch(show: Performance) -> float:
        hz = show["f0"].values
        return float(np.median(hz[hz > 0]))

    assert pitch(high) > 1.1 * pitch(said)
    assert not np.array_equal(other.speech.samples[:5000], said.speech.samples[:5000])


@needs_voice
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"text": ""}, "empty"),
        ({"text": " ?! "}, "empty"),
        ({"text": "a" * 300_000}, "at most"),
        ({"text": "hi", "rate": 5}, "rate"),
        ({"text": "hi", "language": "xx-none"}, "unknown voice"),
        ({"text": "hi", "voice": "en-us+nobody"}, "variant"),
    ],
)
def test_bad_requests_say_what_is_wrong(options: dict, says: str) -> None:
    with pytest.raises(DataError, match=says):
        speak(**options)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "espeakng_loader" else found(n, *a)
    )
    espeak._languages.cache_clear()
    with pytest.raises(MissingExtra, match=r"kinesics\[voice\]"):
        speak("Hello")
    espeak._languages.cache_clear()


@needs_voice
def test_a_child_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*a: object, **k: object) -> None:
        raise subprocess.TimeoutExpired("espeak", 1)

    espeak.pick_voice(None, "en")
    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(KinesicsError, match="no answer"):
        speak("Hello")


@needs_voice
def test_odd_text_is_spoken() -> None:
    for text in ("\x00\x07Hello\u200b", "😀 hello", "<break/> & \"quotes\" 'n' [[brackets]]", "ﬁne 𝕏 ½"):
        assert len(speak(text)["words"]) >= 1


@needs_voice
@pytest.mark.parametrize("rate", [8000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_rates_and_channels(said: Performance, rate: int, channels: int) -> None:
    sound = said.speech.resample(rate)
    samples = sound.samples if channels == 1 else np.stack([sound.samples, 0.5 * sound.samples], axis=1)
    found = hear(Audio(samples, Fraction(rate)), transcript=TEXT)
    assert set(found) == TRACKS
    assert found["words"].labels == said["words"].labels
    assert (
        np.median([abs(a.start - b.start) for a, b in zip(found["words"], said["words"], strict=True)]) < 0.04
    )
    assert found.speech.rate == rate


@needs_voice
def test_loud_clipped_and_offset_sound(said: Performance) -> None:
    for samples in (
        said.speech.samples * 40,
        np.clip(said.speech.samples * 40, -1, 1),
        said.speech.samples + 0.3,
    ):
        found = hear(Audio(samples, Fraction(22050)), transcript=TEXT)
        assert found["words"].labels == said["words"].labels
    assert (
        hear(Audio(np.clip(said.speech.samples * 40, -1, 1), Fraction(22050))).meta["hear"]["clipped"] > 0.01
    )


def test_nothing_and_nonsense() -> None:
    with pytest.raises(DataError, match="no samples"):
        hear(Audio(np.zeros(0, np.float32), Fraction(16000)))
    silent = hear(Audio(np.zeros(32000, np.float32), Fraction(16000)), transcript="Hello there.")
    assert len(silent["words"]) == 0
    assert silent.meta["hear"]["silent"]
    assert silent.meta["hear"]["unaligned"] == ["Hello", "there."]
    noise = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    found = hear(Audio(noise, Fraction(16000)), transcript="Hello there.")
    assert all(w.confidence < 0.5 for w in found["words"])
    tiny = hear(Audio(np.full(100, 0.1, np.float32), Fraction(16000)), transcript="Hello there.")
    assert len(tiny["words"]) == 0


@needs_voice
def test_given_phones_are_kept(said: Performance) -> None:
    found = hear(said.speech, phones=said["phones"], words=said["words"])
    assert found["phones"] == said["phones"]
    assert found["words"] == said["words"]
    assert found.meta["hear"]["method"] == "given"


@needs_voice
def test_a_start_shifts_everything(said: Performance) -> None:
    found = hear(Audio(said.speech.samples, Fraction(22050), 5.0), transcript=TEXT)
    assert found["words"].start >= 5.0
    assert found["f0"].start == 5.0
    assert isinstance(found["words"][0], Interval)


def test_importing_is_light() -> None:
    code = "import sys, kinesics.hear; print([m for m in ('pocketsphinx', 'soundfile', 'webrtcvad', 'tqdm', 'vaderSentiment') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@needs_voice
def test_a_voice_says_the_same_at_any_time() -> None:
    first = speak("We caught a fish this big.", voice="+f3").speech.samples
    time.sleep(1.1)  # espeak-ng's own randomness changes with the clock's second
    np.testing.assert_array_equal(speak("We caught a fish this big.", voice="+f3").speech.samples, first)
