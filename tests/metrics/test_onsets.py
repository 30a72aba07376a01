"""Onsets: pulses with known times, cuts, and what is said where librosa is not there."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kinesics.errors import DataError, MissingExtra
from kinesics.metrics import beats, onsets
from tests.metrics.inputs import walk


def test_onsets_of_a_pulse_train():
    pytest.importorskip("librosa")
    rate = 22050
    sound = np.zeros(14 * rate)
    pulses = np.arange(0.5, 14, 0.5)
    tone = np.sin(2 * np.pi * 880 * np.arange(1500) / rate) * np.exp(-np.arange(1500) / 300)
    for p in pulses:
        sound[round(p * rate) : round(p * rate) + 1500] += tone[: len(sound) - round(p * rate)]
    sound = np.stack([sound, sound], 1)  # two channels are mixed
    found = onsets.onsets(sound, rate, start=2, end=12)
    assert np.abs(found[:, None] - pulses).min(1).max() < 2 * 512 / 16000
    assert found.min() >= 2
    assert found.max() < 12
    assert len(found) >= 18
    with pytest.raises(DataError, match="hold nothing from 10 s on"):
        onsets.onsets_beat2022(sound[: 9 * rate], rate)
    with pytest.raises(DataError, match="audio beats: none from 2 s"):
        beats.bc_beat2(
            walk(200, 55), onsets.onsets(np.zeros(10 * rate), rate).reshape(-1), mean_speed=np.ones(55)
        )
    back = onsets.onsets_beat2022(sound, rate)
    assert back.min() >= 10
    # moved back to the quiet before the pulse: at most the pulse, not a half period away
    assert len(back) >= 5
    assert np.abs(pulses - back[:, None]).min(1).max() < 0.3


def test_without_librosa_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(MissingExtra, match="lab"):
        onsets.onsets(np.zeros(16000), 16000)
    with pytest.raises(MissingExtra, match="lab"):
        onsets.onsets_beat2022(np.zeros(16000), 16000)
