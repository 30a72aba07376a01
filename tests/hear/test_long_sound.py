"""A long sound lies on disk while it is heard, and what is heard of it is the same."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics import files
from kinesics.hear import hear
from kinesics.performance import Audio, Tier
from kinesics.seeds import rng


def said(rate: int, channels: int) -> Audio:
    """Two stretches of something that voice activity takes for speech, and silence between."""
    t = np.arange(3 * rate) / rate
    glide = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * t)) / rate
    voice = sum(np.sin(k * glide) / k for k in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    voice = 0.15 * np.concatenate([voice, np.zeros(rate), voice[::-1]])
    voice += rng(1, "long sound").normal(0, 0.003, len(voice))
    return Audio(np.float32(voice if channels == 1 else np.stack([voice, 0.5 * voice], axis=1)), rate)


@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (44100, 2)])
def test_on_disk_it_is_heard_as_in_memory(rate, channels, monkeypatch):
    audio = said(rate, channels)
    held = hear(audio)
    monkeypatch.setattr(files, "_HELD", 1000)
    mapped = []
    whole = files.Scratch.whole
    monkeypatch.setattr(
        files.Scratch, "whole", lambda *a, **k: mapped.append(isinstance(r := whole(*a, **k), np.memmap)) or r
    )
    again = hear(audio)
    assert mapped == [True]
    assert len(held.tier("phones")) > 10
    for name, track in held.tracks.items():
        if isinstance(track, Tier):
            assert again[name] == track, name
        else:
            assert track.difference(again[name]) == 0, name


def test_parts_of_a_mapped_array_are_let_go_and_come_back(tmp_path):
    np.arange(3_000_000, dtype=np.float32).tofile(tmp_path / "a")
    mapped = np.memmap(tmp_path / "a", np.float32, "r+")[10:]
    for _, part in files.passing(mapped, 500_000):
        part += 1
    assert [first for first, _ in files.passing(mapped, 500_000)] == list(range(0, len(mapped), 500_000))
    np.testing.assert_array_equal(mapped, np.arange(11, 3_000_001))
