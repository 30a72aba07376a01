"""Video files: both tracks, both ways; damaged ones give what is left or a FormatError."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.performance import Audio, Performance
from tests.clips import make_clip, number_of

av = pytest.importorskip("av")

TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(19200) / 16000).astype(np.float32)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", sound=TONE)


def numbers(show: Performance) -> list[int]:
    return [number_of(i) for i in show["video"].frames()]


def loudest(audio: Audio) -> float:
    """Frequency in Hz at which the sound is loudest."""
    x = audio.mono().samples
    return float(np.argmax(np.abs(np.fft.rfft(x))) * audio.rate / len(x))


def test_both_tracks(clip):
    show = formats.load(clip)
    assert numbers(show) == list(range(30))
    assert (show.speech.rate, show.speech.samples.ndim, show.speech.start) == (16000, 1, 0)
    assert loudest(show.speech) == pytest.approx(440, abs=2)
    # The encoder's 1024 samples of start-up are not heard.
    np.testing.assert_allclose(show.speech.samples[2000:16000], TONE[2000:16000], atol=0.03)
    told = show.meta["video"]
    assert (told["codec"], told["sound_codec"], told["rotation"], told["variable_rate"], told["synthetic"]) == (
        "h264", "aac", 0, False, False,
    )  # fmt: skip


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
def test_round_trip(tmp_path, clip, ending):
    show = formats.load(clip)
    made = Performance({"video": show["video"], "speech": show.speech})
    one, two = tmp_path / f"1{ending}", tmp_path / f"2{ending}"
    made.save(one, two)
    assert one.read_bytes() == two.read_bytes()
    back = formats.load(one)
    assert (back["video"].fps, back["video"].size, len(back["video"])) == (25, (64, 48), 30)
    assert numbers(back) == list(range(30))
    for a, b in zip(show["video"].frames(), back["video"].frames(), strict=True):
        assert np.abs(a.astype(int) - b).mean() < 2
    assert loudest(back.speech) == pytest.approx(440, abs=2)
    assert back.speech.duration == pytest.approx(show.speech.duration, abs=0.1)
    assert back.meta["video"]["synthetic"] is True


def test_a_recording_is_not_called_synthetic(tmp_path, clip):
    show = formats.load(clip)
    show.save(tmp_path / "a.mp4")
    again = formats.load(tmp_path / "a.mp4")
    assert again.meta["video"]["metadata"]["comment"] == "made with Kinesics from a recording"
    assert again.meta["video"]["synthetic"] is False


def test_parts_and_starts_keep_their_time(tmp_path, clip):
    show = formats.load(clip)
    show.slice(0.4, 0.8).save(tmp_path / "a.mp4")
    assert numbers(formats.load(tmp_path / "a.mp4")) == list(range(10, 20))
    show.shift(0.2).save(tmp_path / "a.mp4")
    late = formats.load(tmp_path / "a.mp4")
    assert late["video"].start == pytest.approx(0.2, abs=0.002)
    loud = np.abs(late.speech.samples) > 0.2
    assert late.speech.start + np.argmax(loud) / 16000 == pytest.approx(0.2, abs=0.02)
    show.with_tracks(video=show["video"].shift(0.2)).save(tmp_path / "a.mkv")
    late = formats.load(tmp_path / "a.mkv")
    assert late["video"].start == pytest.approx(0.2, abs=0.002)
    assert late.speech.start == pytest.approx(0, abs=0.03)
    show.shift(-0.4).save(tmp_path / "a.mp4")
    assert numbers(formats.load(tmp_path / "a.mp4")) == list(range(10, 30))


def test_odd_sizes_gain_a_line(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 33, 21, "bgr0"
        frame = av.VideoFrame.from_ndarray(np.full((21, 33, 3), 90, np.uint8), format="rgb24")
        out.mux(stream.encode(frame.reformat(format="bgr0")))
        out.mux(stream.encode(None))
    formats.load(path).save(tmp_path / "b.mp4")
    assert formats.load(tmp_path / "b.mp4")["video"].size == (34, 22)


def test_colours_are_kept(tmp_path):
    path = tmp_path / "a.mkv"
    image = np.zeros((32, 32, 3), np.uint8)
    image[:16, :16], image[:16, 16:], image[16:, :16] = [255, 0, 0], [0, 255, 0], [0, 0, 255]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgr0"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="bgr0")))
        out.mux(stream.encode(None))
    show = formats.load(path)
    np.testing.assert_array_equal(next(show["video"].frames()), image)
    for codec in ("h264", "vp9"):
        show.save(tmp_path / "b.mp4", codec=codec, quality=5)
        back = next(formats.load(tmp_path / "b.mp4")["video"].frames()).astype(int)
        for y, x in ((6, 6), (6, 26), (26, 6), (26, 26)):
            np.testing.assert_allclose(back[y, x], image[y, x], atol=6)


def test_many_channels_become_two(tmp_path, clip, caplog):
    show = formats.load(clip)
    six = Audio(np.repeat(TONE[:, None], 6, axis=1), 16000)
    show.with_tracks(speech=six).save(tmp_path / "a.mp4")
    assert "6 channels" in caplog.text
    assert formats.load(tmp_path / "a.mp4").speech.samples.shape[1] == 2


def test_what_cannot_be_written_is_named(tmp_path, clip, take):
    show = formats.load(clip)
    path = tmp_path / "a.mp4"
    with pytest.raises(DataError, match="no video, and neither body nor face"):
        take.with_tracks(body=None, face=None).save(path)
    with pytest.raises(DataError, match="quality 99"):
        show.save(path, quality=99)
    with pytest.raises(DataError, match="unknown codec 'mpeg2'"):
        show.save(path, codec="mpeg2")
    with pytest.raises(DataError, match="WebM holds no h264"):
        show.save(tmp_path / "a.webm", codec="h264")
    with pytest.raises(DataError, match="no pictures from second 0 on"):
        show.shift(-9).save(path)
    with pytest.raises(DataError, match=r"cannot write extension '\.avi'"):
        show.save(tmp_path / "a.avi")
    with pytest.raises(DataError, match=r"\.kin holds no video"):
        show.save(tmp_path / "a.kin")
    with pytest.raises(DataError, match="no place for the video"):
        show.save(tmp_path / "a.csv", track="video")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_is_gone_leaves_the_old_file(tmp_path, clip):
    source = tmp_path / "s.mp4"
    source.write_bytes(clip.read_bytes())
    show = formats.load(source)
    source.unlink()
    path = tmp_path / "a.mp4"
    path.write_text("old")
    with pytest.raises(FormatError, match="check the path"):
        show.save(path)
    assert path.read_text() == "old"


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".avi", ".webm"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 5000,
        b"not a video",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '/etc/hostname'\n",
        b"\0\0\0\x18ftypisom" + b"\xff" * 3000,
        b"\x1aE\xdf\xa3" + b"\x01" * 3000,
        b"RIFF\xff\xff\xff\xffAVI LIST" + b"\xff" * 3000,
        b"\x47" + b"\0" * 187 + b"\x47" + b"\0" * 3000,
    ],
    ids=range(9),
)
def test_what_is_no_video(tmp_path, ending, data):
    path = tmp_path / f"x{ending}"
    path.write_bytes(data)
    with pytest.raises(FormatError, match="x"):
        formats.load(path)


def test_sound_alone_is_told(tmp_path, clip):
    Performance({"speech": Audio(TONE, 16000)}).save(tmp_path / "a.wav")
    (tmp_path / "a.mp4").write_bytes((tmp_path / "a.wav").read_bytes())
    with pytest.raises(FormatError, match="format='sound'"):
        formats.load(tmp_path / "a.mp4")
    assert len(formats.load(tmp_path / "a.mp4", format="sound").speech) == len(TONE)


def test_cut_off(tmp_path, clip, caplog):
    """An MP4 without its index is nothing; of Matroska and AVI what is there is used."""
    path = tmp_path / "x.mp4"
    whole = clip.read_bytes()
    for end in (100, len(whole) // 2, len(whole) - 200):
        path.write_bytes(whole[:end])
        with suppress(FormatError):
            list(formats.load(path)["video"].frames())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"x\.mp4"):
        formats.load(path)
    path = make_clip(tmp_path / "x.mkv", range(60), sound=np.tile(TONE, 2))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    show = formats.load(path)
    got = numbers(show)
    assert 20 < len(got) < 60
    assert got[:20] == list(range(20))


def test_an_index_that_promises_more(tmp_path, caplog):
    """The index in front, the pictures cut off: as a broken download leaves it."""
    path = tmp_path / "x.mp4"
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=25, options={"g": "12"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        noise = np.random.default_rng(0)
        for _ in range(60):
            image = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    show = formats.load(path)
    assert show.meta["video"]["pictures_missing"] > 10
    assert "is cut off" in caplog.text
    assert len(list(show["video"].frames())) == len(show["video"]) < 50


def test_a_damaged_middle_keeps_the_clock(tmp_path, caplog):
    path = make_clip(tmp_path / "x.mkv", range(60), sound=np.tile(TONE, 2))
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 300] = np.random.default_rng(1).bytes(300)
    path.write_bytes(whole)
    show = formats.load(path)
    assert len(list(show["video"].frames())) == len(show["video"])


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_noise_never_breaks_out(tmp_path, ending):
    path = make_clip(tmp_path / f"x.{ending}", range(8), sound=TONE[:4000], size=(32, 32))
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(whole)
        for place in rng.integers(0, len(whole), 8):
            broken[place] = rng.integers(256)
        path.write_bytes(broken)
        with suppress(FormatError):
            show = formats.load(path)
            for image in show["video"].slice(0, 2).frames():
                assert image.dtype == np.uint8


def test_real_files(shared_data):
    wanted = {
        "WolfgangLanger_Pexels.mp4": ((640, 360), "24000/1001", 472),
        # 20 packets before its edit list's start are not shown
        "tfvt_no_interaction.mp4": ((640, 480), "24", 239),
    }
    for name, (size, fps, count) in wanted.items():
        show = formats.load(shared_data("free-video") / name)
        video = show["video"]
        assert (video.size, str(video.fps), len(video)) == (size, fps, count)
        assert video.duration == pytest.approx(count / float(video.fps))
        seconds = av.open(str(video.path)).duration / 1e6
        assert video.duration == pytest.approx(seconds, abs=0.1)
    assert "speech" not in show


@pytest.mark.parametrize(
    ("folder", "name", "size", "fps", "count", "rate"),
    [
        ("nc-emoface_sample", "actor_angry_gd04_001_021.mov", (1080, 1920), 60, 202, 48000),
        ("nc-talking_video", "obama_20s.mp4", (450, 450), 25, 500, 48000),
        ("nc-talking_video", "hdtf_WDA_KatieHill_8s.mp4", (512, 512), 25, 200, 16000),
        ("nc-talking_video", "ntu_S001C001P001R001A001_drink_water.avi", (1920, 1080), 30, 103, None),
    ],
)
def test_real_files_of_others(shared_data, folder, name, size, fps, count, rate):
    show = formats.load(shared_data(folder) / name)
    video = show["video"]
    assert (video.size, video.fps, len(video)) == (size, fps, count)
    if rate is None:
        assert "speech" not in show
    else:
        assert show.speech.rate == rate
        assert show.speech.duration == pytest.approx(video.duration, abs=0.1)
    # The oracle: PyAV's own pictures, counted from the file's beginning.
    with av.open(str(video.path)) as container:
        own = [
            f.to_ndarray(format="rgb24") for f, _ in zip(container.decode(video=0), range(8), strict=False)
        ]
    for i, image in enumerate(video.frames(5 / fps, 8 / fps)):
        np.testing.assert_array_equal(image, own[5 + i])
