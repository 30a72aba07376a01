"""Sound files: what is read, what is refused, and in which words."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import soundfile

from kinesics.errors import FormatError
from kinesics.performance import Audio

TONE = Audio(0.5 * np.sin(np.arange(4000) * 0.1), 8000)


@pytest.mark.parametrize(
    ("extension", "subtype"), [("wav", "PCM_16"), ("wav", "FLOAT"), ("wav", "PCM_U8"), ("flac", "PCM_16")]
)
def test_reads_common_files(tmp_path, extension, subtype):
    path = tmp_path / f"tön.{extension}"
    soundfile.write(path, TONE.samples, 8000, subtype=subtype)
    assert Audio.load(path).difference(TONE) < 0.01
    assert Audio.decode(path.read_bytes()).difference(TONE) < 0.01


def test_sixteen_bits_and_clipping():
    loud = Audio(np.array([0.25, 2.0, -3.0]), 8000)
    back = Audio.decode(loud.wav())
    np.testing.assert_allclose(back.samples, [0.25, 1, -1], atol=1 / 32767)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"RIFF\x10\0\0\0WAVE", b"\0" * 4000, b"fLaC" + bytes(100)]
)
def test_what_is_no_sound_is_refused(tmp_path, content):
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.wav"):
        Audio.load(path)


def test_nan_is_refused_and_a_missing_file_named(tmp_path):
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.array([0, np.nan, 0], np.float32), 8000, subtype="FLOAT")
    with pytest.raises(FormatError, match="sample 1"):
        Audio.load(path)
    with pytest.raises(FormatError, match="existing"):
        Audio.load(tmp_path / "none.wav")


def test_a_header_that_promises_too_much_allocates_nothing(tmp_path):
    path = tmp_path / "x.flac"
    soundfile.write(path, TONE.samples, 8000)
    data = bytearray(path.read_bytes())
    # STREAMINFO: the last 36 bits before the MD5 are the number of samples.
    word = struct.unpack(">Q", data[18:26])[0] | (2**36 - 1)
    data[18:26] = struct.pack(">Q", word)
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"x\.flac"):
        Audio.load(path)


def test_silence_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("kinesics.performance.audio._EXPANDS", 100)  # soundfile's own blocks reach only 500
    path = tmp_path / "x.flac"
    with soundfile.SoundFile(path, "w", 48000, 8, "PCM_16") as file:
        for _ in range(30):
            file.write(np.zeros((1 << 16, 8), np.float32))
    assert path.stat().st_size < 100_000
    with pytest.raises(FormatError, match="in a file of this size"):
        Audio.load(path)


def test_rates_that_no_sound_has_are_refused(tmp_path):
    data = bytearray(TONE.wav())
    data[24:28] = struct.pack("<I", 8_410_658)
    (tmp_path / "x.wav").write_bytes(data)
    with pytest.raises(FormatError, match="found 8410658"):
        Audio.load(tmp_path / "x.wav")


def test_a_truncated_file_gives_what_is_there(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(TONE.wav()[:3000])
    assert 1000 < len(Audio.load(path)) < 2000
    path.write_bytes(TONE.wav()[:44])
    with pytest.raises(FormatError, match=r"cut off|samples"):
        Audio.load(path)


def test_mono_is_the_mean():
    np.testing.assert_allclose(Audio(np.array([[1.0, 0], [0, 0.5]]), 8000).mono().samples, [0.5, 0.25])


def test_a_file_that_is_cut_off_says_so(tmp_path, caplog):
    whole = Audio(np.full(8000, 0.1, np.float32), 8000).wav()
    (tmp_path / "whole.wav").write_bytes(whole)
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    assert Audio.load(tmp_path / "whole.wav").duration == 1.0
    assert not caplog.records
    assert 0.4 < Audio.load(tmp_path / "cut.wav").duration < 0.6
    assert "cut.wav is cut off" in caplog.text
