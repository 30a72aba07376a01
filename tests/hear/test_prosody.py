"""F0, energy, pauses, phrases, prominence, affect."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import soundfile

from kinesics.hear import phrasing, prosody
from kinesics.hear.affect import affect
from kinesics.hear.voice_activity import speech_spans
from kinesics.performance import Interval, Signal, Tier

RATE = 16000


def tone(hz: float | np.ndarray, seconds: float, level: float = 0.2) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, int(seconds * RATE)) / RATE)
    return (level * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


@pytest.mark.parametrize("hz", [75.0, 110.0, 220.0, 330.0, 460.0])
def test_f0_of_a_tone(hz: float) -> None:
    found = prosody.f0(tone(hz, 1.0))
    assert np.median(found.values[5:-5, 0]) == pytest.approx(hz, rel=0.005)


def test_f0_follows_a_glide_and_leaves_noise_and_silence_unvoiced() -> None:
    glide = np.linspace(100, 200, RATE)
    noise = 0.05 * np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    found = prosody.f0(np.concatenate([tone(glide, 1.0), noise, np.zeros(RATE, np.float32)])).values[:, 0]
    times = (np.arange(100) + 0.5) / 100
    assert np.median(np.abs(found[5:95] / (100 + 100 * times[5:95]) - 1)) < 0.02
    assert np.mean(found[110:190] > 0) < 0.1
    assert not found[205:].any()


def test_f0_agrees_with_praat(shared_data) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    gross, voicing, frames = 0.0, 0, 0
    for name in ("LJ001-0002", "arctic_a0009", "jfk", "mfa_61-70968-0000", "libri-2412-153948-0000"):
        samples, rate = soundfile.read(shared_data("free-speech") / "wav" / f"{name}.wav", dtype="float32")
        assert rate == RATE
        ours = prosody.f0(samples).values[:, 0]
        pitch = parselmouth.Sound(samples.astype(float), RATE).to_pitch_ac(
            time_step=0.01, pitch_floor=65, pitch_ceiling=500
        )
        praat = np.nan_to_num([pitch.get_value_at_time((i + 0.5) / 100) for i in range(len(ours))])
        both = (ours > 0) & (praat > 0)
        gross += float(np.sum(np.abs(ours[both] / praat[both] - 1) > 0.2))
        frames += int(both.sum())
        voicing += int(np.sum((ours > 0) != (praat > 0)))
    assert gross / frames < 0.05
    assert voicing / frames < 0.15


def test_f0_in_blocks_is_f0_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.concatenate([tone(120, 1.0), tone(200, 1.0)])
    whole = prosody.f0(sound).values
    monkeypatch.setattr(prosody, "_BLOCK", 70)
    assert np.mean(np.abs(prosody.f0(sound).values - whole) > 1) < 0.02


def test_energy_is_level_in_decibels() -> None:
    square = np.sign(np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)).astype(np.float32)
    assert np.median(prosody.energy(0.1 * square).values) == pytest.approx(-20, abs=0.2)
    assert prosody.energy(np.zeros(RATE, np.float32)).values.max() <= -89.9


def steady(hz: float, seconds: float) -> Signal:
    return Signal(np.full((int(seconds * 100), 1), hz, np.float32), ("f0",), ("Hz",), Fraction(100))


def test_pauses_lie_between_phones() -> None:
    phones = Tier("phones", (Interval(0.5, 1, "AA"), Interval(1.05, 1.4, "B"), Interval(1.8, 2, "AA")))
    (pause,) = phrasing.pauses(phones)
    assert (pause.start, pause.end, pause.value) == (1.4, 1.8, pytest.approx(0.4))


def phrase_words(marks: list[str], gap: float = 0.0) -> list[phrasing.Word]:
    found = []
    for k, mark in enumerate(marks):
        a = k * (0.4 + gap)
        phones = (Interval(a, a + 0.1, "B"), Interval(a + 0.1, a + 0.4, "AA"))
        found.append(phrasing.Word(Interval(a, a + 0.4, "bah"), phones, "bah", mark))
    return found


def test_phrases_end_at_punctuation_and_pauses() -> None:
    assert phrasing.phrases(phrase_words(["", "?", "", "."]), steady(100, 2)).labels == (
        "question",
        "statement",
    )
    assert len(phrasing.phrases(phrase_words(["", "", ""], gap=0.3), steady(100, 3))) == 3
    assert len(phrasing.phrases([], steady(100, 1))) == 0


def test_a_final_rise_makes_a_question_without_punctuation() -> None:
    hz = np.full(120, 100.0)
    hz[80:] = np.linspace(100, 180, 40)
    rising = Signal(hz[:, None].astype(np.float32), ("f0",), ("Hz",), Fraction(100))
    (phrase,) = phrasing.phrases(phrase_words(["", "", ""]), rising)
    assert phrase.label == "question"
    assert phrase.value > 4
    (flat,) = phrasing.phrases(phrase_words(["", "", ""]), steady(100, 2))
    assert flat.label == "statement"


def test_the_high_loud_long_syllable_is_prominent() -> None:
    words = phrase_words([""] * 7)
    hz, level = np.full(290, 100.0, np.float32), np.full(290, -30.0, np.float32)
    hz[120:160], level[120:160] = 140.0, -22.0
    f0 = Signal(hz[:, None], ("f0",), ("Hz",), Fraction(100))
    energy = Signal(level[:, None], ("energy",), ("dB",), Fraction(100))
    values = [s.value for s in phrasing.syllables(words, f0, energy, use_espeak=False)]
    assert np.argmax(values) == 3
    assert all(0 <= v <= 1 for v in values)
    assert values[3] > values[0] + 0.15


def test_affect_rises_with_voice_and_words() -> None:
    hz = np.concatenate([np.full(300, 110.0), np.full(300, 180.0)]).astype(np.float32)
    level = np.concatenate([np.full(300, -30.0), np.full(300, -18.0)]).astype(np.float32)
    f0 = Signal(hz[:, None], ("f0",), ("Hz",), Fraction(100))
    energy = Signal(level[:, None], ("energy",), ("dB",), Fraction(100))
    words = [
        phrasing.Word(Interval(0, 2.9, "terrible"), (), "terrible"),
        phrasing.Word(Interval(3.1, 5.9, "wonderful"), (), "wonderful"),
    ]
    found = affect(f0, energy, np.full(60, 4.0), words, [(0, 2.9), (3.1, 5.9)])
    assert found.values[45, 0] > found.values[15, 0] + 0.2
    assert found.values[15, 1] < -0.3 < 0.3 < found.values[45, 1]
    assert np.all((found.values[:, 0] >= 0) & (found.values[:, 0] <= 1))


def test_speech_spans_of_silence_and_of_speech(shared_data) -> None:
    assert speech_spans(np.zeros(RATE, np.float32)) == []
    assert speech_spans(np.zeros(0, np.float32)) == []
    samples, _ = soundfile.read(shared_data("free-speech") / "wav" / "arctic_a0009.wav", dtype="float32")
    quiet = np.zeros(RATE, np.float32)
    spans = speech_spans(np.concatenate([quiet, samples, quiet]))
    assert spans[0][0] > 0.8
    assert spans[-1][1] < 1.5 + len(samples) / RATE
