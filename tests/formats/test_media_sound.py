"""The sound of long films lies on disk, and is the same sound."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics import files
from kinesics.formats._media_sound import sound_of
from kinesics.performance import Performance, Video
from tests.clips import make_clip

pytest.importorskip("av")


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "a.mp4", range(50), sound=0.3 * np.sin(np.arange(32000) / 6))


def test_a_mapped_sound_is_the_sound(clip, monkeypatch):
    held, facts = sound_of(clip)
    monkeypatch.setattr(files, "_HELD", 5000)
    monkeypatch.setattr(files, "_BLOCK", 3000)
    mapped, again = sound_of(clip)
    assert facts == again
    assert mapped.start == held.start
    np.testing.assert_array_equal(mapped.samples, held.samples)
    assert not mapped.samples.flags.writeable
    assert not mapped.samples.flags.owndata
    # What follows works on it as on any other: a part, and a film that is written with it.
    part = mapped.slice(0.5, 1.0)
    np.testing.assert_array_equal(part.samples, held.slice(0.5, 1.0).samples)
    out = clip.with_name("b.mp4")
    Performance({"video": Video.load(clip), "speech": mapped}).save(out)
    assert abs(sound_of(out)[0].duration - held.duration) < 0.1


def test_holes_in_the_time_stamps_are_silent_in_a_mapped_sound_too(tmp_path, monkeypatch):
    import av

    path = tmp_path / "holes.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16000, layout="mono")
        for start in (0, 16000):
            frame = av.AudioFrame.from_ndarray(np.full((1, 8000), 9000, np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 16000, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    monkeypatch.setattr(files, "_HELD", 1000)
    monkeypatch.setattr(files, "_BLOCK", 700)
    samples = sound_of(path)[0].samples
    assert len(samples) == 24000
    assert np.abs(samples[8100:15900]).max() == 0
    assert samples[:7900].min() > 0.2 < samples[16100:].min()
