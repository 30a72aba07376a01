"""Videos of every kind in, a scene out."""

from __future__ import annotations

import logging

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("av")

import kinesics as kn
from kinesics.errors import DataError, FormatError
from kinesics.reading.read import read
from kinesics.see import models
from tests.clips import make_clip
from tests.faces import portrait, scene, write

fetched = pytest.mark.skipif(not models.available(), reason="landmark models have not been fetched")
FACE_ONLY = {"hands": False, "body": False, "speech": False, "threads": 1, "progress": False}


def moving(count: int, *, width: int = 320, height: int = 240, step: int = 3) -> list[np.ndarray]:
    image = portrait()[2].rgb
    return [scene([(image, 10 + step * k, 8)], width, height) for k in range(count)]


def test_a_file_that_is_no_video_is_refused_by_name(tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("not a video at all")
    with pytest.raises(FormatError, match=r"notes\.mp4"):
        read(path)
    with pytest.raises(FormatError, match=r"absent\.mp4"):
        read(tmp_path / "absent.mp4")


def test_without_models_the_command_that_brings_them_is_named_at_once(tmp_path, monkeypatch, capsys):
    from kinesics.cli import main

    path = make_clip(tmp_path / "a.mp4", range(5))
    monkeypatch.setenv(models.HOME, str(tmp_path / "nothing"))
    with pytest.raises(SystemExit) as left:
        main(["read", str(path), "-o", str(tmp_path / "a.csv")])
    assert left.value.code == 2
    assert "kinesics fetch landmarks" in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()


def test_wrong_wishes(tmp_path):
    path = make_clip(tmp_path / "a.mp4", range(5))
    with pytest.raises(DataError, match="people"):
        read(path, people=0)


@fetched
def test_a_face_becomes_tracks_on_one_clock(tmp_path):
    path = write(tmp_path / "ein Gespräch – 会話.mp4", moving(15))
    show = kn.read(path, **{**FACE_ONLY, "speech": True})  # there is no sound
    (person,) = show.people.values()
    marks, box = person["landmarks"], person["face_box"]
    assert marks.values.shape == (15, 478, 3)
    assert marks.fps == 25
    assert marks.confidence.min() > 0.9
    assert np.diff(box.column("x")[5:]).mean() == pytest.approx(3, abs=0.4)
    middle = box.values[:, :2] + box.values[:, 2:] / 2
    assert np.abs(middle - marks.values[:, 1, :2]).max() < 60
    assert show.shared["video"].path == path
    assert "speech" not in show.shared
    assert "lost pictures" not in show.meta


@fetched
def test_nobody_is_an_empty_scene_and_a_warning(tmp_path, caplog):
    path = make_clip(tmp_path / "grey.mp4", range(20), size=(160, 120))
    with caplog.at_level(logging.WARNING):
        show = read(path, **FACE_ONLY)
    assert not show.people
    assert "nobody was found" in caplog.text


@fetched
def test_a_rotation_flag_is_followed(tmp_path):
    upright = moving(12, width=240, height=320, step=0)
    lying = [np.rot90(image, -1) for image in upright]
    one = read(write(tmp_path / "upright.mp4", upright), **FACE_ONLY)
    two = read(write(tmp_path / "lying.mp4", lying, rotation=90), **FACE_ONLY)
    (a,), (b,) = one.people.values(), two.people.values()
    assert two.shared["video"].size == (240, 320)
    assert np.abs(a["landmarks"].values - b["landmarks"].values)[5:, :, :2].mean() < 1.5


@fetched
def test_a_variable_rate_is_put_on_one_clock(tmp_path):
    stamps = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]
    images = [scene([(portrait()[2].rgb, 4 * s, 8)], 340, 240) for s in stamps]
    (person,) = read(write(tmp_path / "vfr.mp4", images, stamps=stamps), **FACE_ONLY).people.values()
    x = person["face_box"].column("x")
    marks = person["landmarks"]
    # Where the face is at each second follows the time stamps, not the number of the picture.
    late = round(20 * float(marks.fps) / 25)
    early = round(12 * float(marks.fps) / 25)
    assert x[late] - x[early] == pytest.approx(4 * 8, abs=4)
    held = x[round(6 * float(marks.fps) / 25) : round(9 * float(marks.fps) / 25)]
    assert np.ptp(held) < 0.01


@fetched
def test_what_cannot_be_decoded_is_nothing_not_a_guess(tmp_path, caplog):
    path = write(tmp_path / "damaged.mp4", moving(36, step=1))
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    from kinesics.performance.video import open_media

    with open_media(path, "a video") as container:
        packets = [(p.pos, p.size) for p in container.demux(container.streams.video[0]) if p.size]
    assert packets[0][0] >= start
    for pos, size in packets[12:18]:  # one group of pictures
        data[pos : pos + size] = b"\xff" * size
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        show = read(path, **FACE_ONLY)
    (person,) = show.people.values()
    sure = person["landmarks"].confidence[:, 0]
    assert show.meta["lost pictures"] >= 5
    assert (sure[13:17] == 0).all()
    assert sure[:12].min() > 0.9
    assert sure[24:].min() > 0.9
    assert "could not be decoded" in caplog.text


@fetched
def test_a_reading_that_was_killed_goes_on(tmp_path, monkeypatch):
    from kinesics.reading import read as module
    from kinesics.see.tracking import Tracker

    path = write(tmp_path / "long.mp4", moving(30))
    whole = read(path, **FACE_ONLY)
    monkeypatch.setattr(module, "_BLOCK", 0.4)
    push, count = Tracker.push, []

    def counted(self, image):
        count.append(1)
        if len(count) == 25:
            raise KeyboardInterrupt
        return push(self, image)

    monkeypatch.setattr(Tracker, "push", counted)
    work = tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        read(path, work=work, **FACE_ONLY)
    read(path, work=work, **FACE_ONLY)
    assert len(count) == 25 + 10  # twenty pictures were kept
    again = read(path, work=work, **FACE_ONLY)
    assert len(count) == 35
    (a,), (b,) = whole.people.values(), again.people.values()
    assert a["landmarks"].values.shape == b["landmarks"].values.shape
    assert np.abs(a["landmarks"].values - b["landmarks"].values)[:, :468, :2].mean() < 1.0


@fetched
def test_memory_does_not_grow_with_a_video(tmp_path):
    import tracemalloc

    def peak(count: int) -> int:
        path = write(tmp_path / f"{count}.mp4", moving(count, step=0))
        tracemalloc.start()
        from kinesics.performance import Video
        from kinesics.reading.read import _watched

        _watched(
            Video.load(path), {"people": 1, "hands": False, "body": False, "smooth": True},
            threads=1, work=tmp_path / f"work{count}", progress=False,
        )  # fmt: skip
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(5)
    assert peak(90) < peak(10) + 200_000
