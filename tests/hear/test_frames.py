"""Sound in frames: against scipy's spectra and sounds with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.hear.frames import RATE, _filters, amplitude, log_mel, onset_strength


def tone(hz: float, seconds: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize("hz", [200, 1000, 4000])
def test_a_tone_lies_in_its_band(hz):
    mel = log_mel(tone(hz), fps=30, count=30, bands=64)
    edges = 700 * (
        10 ** (np.linspace(2595 * np.log10(1 + 55 / 700), 2595 * np.log10(1 + 7600 / 700), 66) / 2595) - 1
    )
    band = int(np.median(mel[5:25].argmax(axis=1)))
    assert edges[band] - 8 <= hz <= edges[band + 2] + 8


def test_against_scipy():
    signal = pytest.importorskip("scipy.signal")
    samples = np.random.default_rng(0).standard_normal(RATE).astype(np.float32) * 0.1
    _, _, spectrum = signal.stft(
        samples, RATE, window="hann", nperseg=2048, noverlap=2048 - 800, boundary=None, padded=False
    )
    wanted = np.log(np.maximum(np.abs(spectrum).T * 2 @ _filters(2048, 40), 1e-5))
    # scipy's first window begins with the sound, ours has its middle there: 1024 samples later, or 224 and a frame.
    ours = log_mel(samples[224:], fps=20, count=15, bands=40)
    assert ours[2:14] == pytest.approx(wanted[1:13], abs=1e-4)


def test_silence_and_what_lies_beyond_the_sound():
    assert log_mel(np.zeros(0, np.float32), fps=30, count=3) == pytest.approx(np.log(1e-5))
    assert (onset_strength(np.zeros(100, np.float32), fps=30, count=9) == 0).all()
    assert amplitude(tone(200, 0.2), fps=10, count=10)[4:].max() == 0


@pytest.mark.parametrize("fps", [15, 24, 29.97, 60, 120])
def test_an_onset_falls_on_its_frame(fps):
    samples = np.zeros(2 * RATE, np.float32)
    samples[RATE:] = tone(300)
    found = onset_strength(samples, fps=fps, count=round(2 * fps))
    assert abs(int(found.argmax()) - round(fps)) <= max(1, 0.03 * fps)


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_any_number_of_frames(count):
    samples = tone(200)
    assert log_mel(samples, fps=30, count=count).shape == (count, 80)
    assert onset_strength(samples, fps=30, count=count).shape == (count,)
    assert amplitude(samples, fps=30, count=count).shape == (count,)
    assert np.isfinite(log_mel(samples, fps=30, count=count)).all()


def test_the_same_frames_however_many_are_asked_for():
    samples = np.random.default_rng(1).standard_normal(3 * RATE).astype(np.float32)
    assert np.array_equal(log_mel(samples, fps=25, count=75)[:20], log_mel(samples, fps=25, count=20))
