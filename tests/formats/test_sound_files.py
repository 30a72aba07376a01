"""Sound of any kind, read by libsndfile or PyAV."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kinesics import formats
from kinesics.errors import FormatError, MissingExtra
from kinesics.performance import Audio

av = pytest.importorskip("av")

RATE = 48000
SWEEP = 0.4 * np.sin(np.cumsum(2 * np.pi * np.linspace(200, 3000, RATE) / RATE)).astype(np.float32)


def encoded(path: Path, codec: str, muxer: str, *, channels: int = 1) -> Path:
    with av.open(str(path), "w", format=muxer) as out:
        stream = out.add_stream(codec, rate=RATE, layout="mono" if channels == 1 else "stereo")
        stream.bit_rate = 192_000
        for at in range(0, len(SWEEP), 960):
            block = np.repeat(SWEEP[None, at : at + 960], channels, axis=0)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(block), format="fltp", layout=stream.layout.name
            )
            frame.sample_rate, frame.pts = RATE, at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def likeness(audio: Audio) -> tuple[float, int]:
    """Correlation with the sweep at the best shift, and that shift in samples."""
    x = audio.mono().samples[: 2 * RATE]
    size = 1 << 18
    both = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(SWEEP, size)))
    best = int(np.argmax(both))
    return float(
        both[best] / np.linalg.norm(x) / np.linalg.norm(SWEEP)
    ), best if best < size // 2 else best - size


@pytest.mark.parametrize(
    ("ending", "codec", "muxer", "channels"),
    [
        (".m4a", "aac", "mp4", 2),
        (".aac", "aac", "adts", 1),
        (".mp3", "libmp3lame", "mp3", 2),
        (".opus", "libopus", "ogg", 1),
        (".wma", "wmav2", "asf", 2),
        (".mka", "libopus", "matroska", 2),
        (".caf", "pcm_s16be", "caf", 1),
        (".aiff", "pcm_s16be", "aiff", 2),
        (".ac3", "ac3", "ac3", 2),
        (".au", "pcm_s16be", "au", 1),
    ],
)
def test_kinds(tmp_path, ending, codec, muxer, channels):
    path = encoded(tmp_path / f"a{ending}", codec, muxer, channels=channels)
    speech = formats.load(path).speech
    assert speech.rate == RATE
    assert (1 if speech.samples.ndim == 1 else speech.samples.shape[1]) == channels
    alike, shift = likeness(speech)
    assert alike > 0.97
    # .aac and .ac3 and .wma do not say how long their codec takes to start up.
    assert abs(shift) < (30 if ending not in (".aac", ".ac3", ".wma") else 2200)
    assert speech.duration == pytest.approx(1, abs=0.12)


def test_two_readers_agree(tmp_path):
    """The same MP3 by libsndfile and by PyAV."""
    from kinesics.formats._media_sound import sound_of

    path = encoded(tmp_path / "a.mp3", "libmp3lame", "mp3")
    other, facts = sound_of(path)
    mine = formats.load(path).speech
    assert facts["codec"].startswith("mp3")
    count = min(len(mine), len(other)) - 2400
    assert np.abs(mine.samples[:count] - other.samples[:count]).max() < 2e-3


def test_the_content_counts(tmp_path):
    path = encoded(tmp_path / "a.m4a", "aac", "mp4")
    path.rename(tmp_path / "a.wav")
    show = formats.load(tmp_path / "a.wav")
    assert likeness(show.speech)[0] > 0.98
    assert show.meta["sound"] == {"codec": "aac", "rate": RATE, "channels": 1}


def test_damage_becomes_silence(tmp_path, caplog):
    path = encoded(tmp_path / "a.m4a", "aac", "mp4")
    whole = bytearray(path.read_bytes())
    at = whole.index(b"mdat") + 6000
    whole[at : at + 2500] = np.random.default_rng(0).bytes(2500)
    path.write_bytes(whole)
    speech = formats.load(path).speech
    assert speech.duration == pytest.approx(1, abs=0.1)
    assert np.isfinite(speech.samples).all()


@pytest.mark.parametrize("ending", [".wav", ".m4a", ".mp3", ".wma", ".opus"])
@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 999, b"junk", b"ID3" + b"\xff" * 999, b"\0\0\0\x18ftypM4A " + b"\0" * 99, b"#EXTM3U\nx\n"],
    ids=range(6),
)
def test_what_is_no_sound(tmp_path, ending, data):
    path = tmp_path / f"x{ending}"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"x\."):
        formats.load(path)


def test_more_sound_than_the_file_can_hold(tmp_path, monkeypatch):
    from kinesics.formats import _media_sound

    path = encoded(tmp_path / "a.m4a", "aac", "mp4")
    monkeypatch.setattr(_media_sound, "_MOST", 10_000)
    with pytest.raises(FormatError, match="at most 0 s"):
        formats.load(path)


def test_real_video_as_sound(shared_data):
    show = formats.load(shared_data("nc-talking_video") / "obama_20s.mp4", format="sound")
    assert show.speech.duration == pytest.approx(20, abs=0.05)
    assert np.abs(show.speech.samples).max() > 0.05


def test_without_the_extra(tmp_path, monkeypatch):
    path = encoded(tmp_path / "a.m4a", "aac", "mp4")
    (tmp_path / "a.wav").write_bytes(b"junk")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"kinesics\[video\]"):
        formats.load(path)
    with pytest.raises(FormatError, match="WAV"):  # damaged, whatever is installed
        formats.load(tmp_path / "a.wav")
    with pytest.raises(MissingExtra, match=r"kinesics\[video\]"):
        formats.load(path, format="video")


def test_nan_is_refused_as_before(tmp_path):
    raw = io.BytesIO()
    soundfile.write(raw, np.array([0, np.nan, 0], np.float32), 8000, format="WAV", subtype="FLOAT")
    (tmp_path / "a.wav").write_bytes(raw.getvalue())
    with pytest.raises(FormatError, match="sample 1"):
        formats.load(tmp_path / "a.wav")
