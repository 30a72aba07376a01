"""Video: which picture is shown when, without decoding more than is looked at."""

from __future__ import annotations

import pickle
import tracemalloc
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from kinesics.errors import DataError, FormatError
from kinesics.performance import Performance, Video
from kinesics.performance import video as module
from tests.clips import make_clip, number_of

pytest.importorskip("av")


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Video:
    return Video.load(make_clip(tmp_path_factory.mktemp("clip") / "a.mp4"))


def numbers(video: Video, *span: float) -> list[int]:
    return [number_of(image) for image in video.frames(*span)]


def test_a_clip(clip):
    assert (clip.fps, clip.size, len(clip), clip.start, clip.duration) == (25, (64, 48), 30, 0, 1.2)
    images = list(clip.frames())
    assert [number_of(i) for i in images] == list(range(30))
    assert (images[0].shape, images[0].dtype) == ((48, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="read-only"):
        images[0][0] = 0


def test_any_part_is_exact_wherever_keyframes_lie(clip):
    for first in range(0, 30, 7):
        assert numbers(clip, first / 25, (first + 3) / 25) == list(range(first, min(first + 3, 30)))
    assert numbers(clip, 0.2, 0.2) == []
    assert numbers(clip, 5, 9) == []


def test_slicing_shifting_and_resampling(clip):
    part = clip.slice(0.4, 0.6).shift(-0.4)
    assert (part.start, len(part)) == (0, 5)
    assert numbers(part) == [10, 11, 12, 13, 14]
    assert numbers(part.resample(50)) == [10, 10, 11, 11, 12, 12, 13, 13, 14, 14]
    assert numbers(clip.resample(Fraction(25, 2)))[:4] == [0, 2, 4, 6]
    assert numbers(clip.at([0.1, 0.5, 0.3])) == [2, 12, 7], "times need not rise"
    assert numbers(part.extended(0.28)) == [10, 11, 12, 13, 14, 14, 14]
    assert numbers(part.join(clip.slice(0, 0.08))) == [10, 11, 12, 13, 14, 0, 1]


def test_in_a_performance(clip, tmp_path):
    show = Performance({"video": clip})
    assert show.duration == 1.2
    assert numbers(show.slice(0.4, 0.6)["video"]) == [10, 11, 12, 13, 14]
    assert show.difference(show) == {"video": 0}
    assert show.difference(show.shift(0).slice(0, 2)) == {"video": 0}
    other = Video.load(make_clip(tmp_path / "b.mp4"))
    assert show.difference(Performance({"video": other})) == {"video": np.inf}
    with pytest.raises(DataError, match="two files"):
        show.join(Performance({"video": other}))
    with pytest.raises(DataError, match="expected Video"):
        Performance({"video": 3})  # type: ignore[dict-item]
    assert numbers(pickle.loads(pickle.dumps(show))["video"])[:2] == [0, 1]
    with pytest.raises(DataError, match="sizes differ"):
        clip.join(replace(clip, size=(2, 2)))


def test_construction_decodes_nothing(clip):
    ghost = replace(clip, path=clip.path / "nowhere.mp4")
    assert len(ghost.slice(0.2, 0.4)) == 5
    with pytest.raises(FormatError, match="check the path"):
        next(ghost.frames())


def test_memory_stays_flat(tmp_path):
    video = Video.load(make_clip(tmp_path / "a.mp4", range(200), size=(320, 240)))
    tracemalloc.start()
    count = sum(1 for _ in video.frames())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200
    assert peak < 20 * 320 * 240 * 3


def test_a_variable_rate_gets_a_uniform_clock(tmp_path):
    video = Video.load(make_clip(tmp_path / "a.mkv", [0, 1, 2, 7, 8, 9, 20]))
    assert len(video) / video.fps == pytest.approx(21 / 25, abs=0.04)
    at25 = video.resample(25)
    assert numbers(at25)[:10] == [0, 1, 2, 2, 2, 2, 2, 3, 4, 5]
    assert numbers(at25)[-2:] == [5, 6]


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_is_applied(tmp_path, rotation):
    video = Video.load(make_clip(tmp_path / "a.mp4", rotation=rotation))
    stored = Video.load(make_clip(tmp_path / "b.mp4"))
    assert video.size == ((48, 64) if rotation % 180 else (64, 48))
    upright = np.rot90(next(stored.frames()), rotation // 90)
    np.testing.assert_allclose(next(video.frames()).astype(int), upright, atol=4)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "avi"])
def test_containers(tmp_path, ending):
    video = Video.load(make_clip(tmp_path / f"a.{ending}"))
    assert (video.fps, len(video), video.start) == (25, 30, 0)
    assert numbers(video) == list(range(30))
    assert numbers(video, 0.4, 0.56) == [10, 11, 12, 13]


def test_rates_of_film_are_exact(tmp_path):
    video = Video.load(make_clip(tmp_path / "a.mkv", rate=Fraction(30000, 1001)))
    assert video.fps == Fraction(30000, 1001)


def test_wrong_values():
    for changes in ({"picks": np.zeros((2, 2))}, {"size": (0, 5)}, {"size": (1 << 20, 1 << 20)}, {"fps": 0}):
        with pytest.raises(DataError):
            Video(**{"path": "x.mp4", "picks": [0, 1], "fps": 25, "size": (4, 4)} | changes)


def test_too_large_or_too_many(tmp_path, monkeypatch):
    path = make_clip(tmp_path / "a.mp4")
    monkeypatch.setattr(module, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(FormatError, match="64 × 48"):
        Video.load(path)
    monkeypatch.undo()
    monkeypatch.setattr(module, "MOST_FRAMES", 29)
    with pytest.raises(FormatError, match="at most 29"):
        Video.load(path)
    monkeypatch.undo()
    with pytest.raises(FormatError, match="a length that 4 pictures can fill, found 1600 s"):
        Video.load(make_clip(tmp_path / "b.mkv", [0, 1, 2, 40_000]))
