"""A flash and a click that come together in a film come together when it is read, whatever the container and the codec's delay."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from kinesics.formats._media_sound import sound_of
from kinesics.performance import Video

av = pytest.importorskip("av")

FPS, SECONDS = 25, 3
FILMS = (
    ("mp4", "libx264", "aac", 16000),
    ("mp4", "libx264", "aac", 48000),
    ("mp4", "libx264", "libmp3lame", 44100),
    ("mov", "libx264", "aac", 44100),
    ("mkv", "libx264", "aac", 44100),
    ("mkv", "libx264", "libopus", 48000),
    ("webm", "libvpx-vp9", "libopus", 48000),
    ("ts", "libx264", "aac", 48000),
)


def filmed(path, pictures: str, sound: str, rate: int):
    """Black and silent but for two flashes and clicks, at seconds 1 and 2."""
    heard = np.zeros((SECONDS + 1) * rate, np.float32)
    for second in (1, 2):
        heard[second * rate :][: rate // 50] = 0.8 * np.sin(
            2 * np.pi * 1000 * np.arange(rate // 50) / rate + 0.5
        )
    with av.open(str(path), "w") as out:
        try:
            shown, said = out.add_stream(pictures, rate=FPS), out.add_stream(sound, rate=rate, layout="mono")
        except av.codec.codec.UnknownCodecError as error:
            pytest.skip(f"PyAV lacks a codec: {error}")
        shown.width, shown.height, shown.pix_fmt = 64, 64, "yuv420p"
        done = 0
        for i in range(SECONDS * FPS):
            light = 255 if i % FPS < 2 and i >= FPS else 0
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), light, np.uint8), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            out.mux(shown.encode(frame))
            while done < (i + 1) * rate // FPS:
                part = av.AudioFrame.from_ndarray(heard[None, done : done + 960], "fltp", "mono")
                part.sample_rate, part.pts, part.time_base = rate, done, Fraction(1, rate)
                out.mux(said.encode(part))
                done += 960
        out.mux(shown.encode(None))
        out.mux(said.encode(None))
    return path


@pytest.mark.parametrize(("kind", "pictures", "sound", "rate"), FILMS)
def test_clicks_come_with_flashes(tmp_path, kind, pictures, sound, rate):
    path = filmed(tmp_path / f"film.{kind}", pictures, sound, rate)
    video, heard = Video.load(path), sound_of(path)[0]
    light = np.array([image.mean() for image in video.frames()])
    flashes = video.times[1:][(light[1:] > 128) & (light[:-1] < 128)]
    loud = np.flatnonzero(np.abs(heard.mono().samples) > 0.3)
    clicks = heard.times[loud[np.diff(loud, prepend=-rate) > rate // 4]]
    assert len(light) == SECONDS * FPS
    np.testing.assert_allclose(np.diff(flashes), 1.0, atol=1e-6)
    np.testing.assert_allclose(clicks, flashes, atol=1e-3)
