"""Videos as they should not be, from the file to the scene."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("av")

import kinesics as kn
from kinesics.errors import FormatError
from kinesics.reading.read import read
from kinesics.see import models
from kinesics.see.tracking import LOOK
from tests.clips import make_clip
from tests.faces import portrait, scene, write
from tests.formats.eaf_rules import faults

fetched = pytest.mark.skipif(not models.available(), reason="landmark models have not been fetched")
FACE_ONLY = {"hands": False, "body": False, "speech": False, "threads": 1, "progress": False}


def face(size: int = 224, number: int = 0) -> np.ndarray:
    return portrait(number, size=size)[2].rgb


def test_what_holds_no_pictures_is_named(tmp_path):
    import soundfile

    (tmp_path / "empty.mp4").touch()
    soundfile.write(tmp_path / "sound.wav", np.zeros(8000), 8000)
    whole = make_clip(tmp_path / "whole.mp4", range(30)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    for name in ("empty.mp4", "sound.wav", "cut.mp4", "."):
        with pytest.raises(FormatError) as told:
            read(tmp_path / name, **FACE_ONLY)
        assert str(tmp_path) in str(told.value)


@fetched
def test_people_who_enter_and_leave_have_their_own_times(tmp_path):
    """One is there from the beginning, another comes after a second and goes a second later."""
    pictures = []
    for k in range(75):
        there = [(face(), 10, 8)] + ([(face(), 250, 8)] if 25 <= k < 50 else [])
        pictures.append(scene(there, 480, 240))
    people = read(write(tmp_path / "two.mp4", pictures), **FACE_ONLY).people
    assert list(people) == ["person 1", "person 2"]
    first, second = (p["landmarks"] for p in people.values())
    assert first.start == 0
    assert first.duration == pytest.approx(3, abs=0.1)
    assert 0.98 <= second.start <= 1.02 + LOOK / 25  # newcomers are looked for every so often
    assert second.end == pytest.approx(2, abs=0.3)
    assert people["person 2"]["face_box"].column("x").min() > 240


@fetched
def test_a_picture_without_colour_and_upright_format(tmp_path):
    import av

    image = scene([(face(), 8, 80)], 240, 426).mean(axis=2).astype(np.uint8)
    with av.open(str(tmp_path / "grey.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 240, 426, "gray"
        for k in range(12):
            frame = av.VideoFrame.from_ndarray(image, format="gray")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    (person,) = read(tmp_path / "grey.mkv", **FACE_ONLY).people.values()
    middle = person["landmarks"].values[6:, :468, :2].mean(axis=(0, 1))
    assert np.abs(middle - (8 + 112, 80 + 112)).max() < 70  # a chin lies below the middle of its picture
    assert person["landmarks"].confidence[6:].min() > 0.8


@fetched
def test_a_face_in_4k_is_told_in_its_own_pixels(tmp_path):
    large = np.kron(face(), np.ones((4, 4, 1), np.uint8))
    small = read(write(tmp_path / "s.mp4", [scene([(face(), 40, 10)], 960, 540)] * 10), **FACE_ONLY)
    whole = read(write(tmp_path / "l.mp4", [scene([(large, 160, 40)], 3840, 2160)] * 10), **FACE_ONLY)
    (a,), (b,) = small.people.values(), whole.people.values()
    off = b["landmarks"].values[5:, :468, :2] - 4 * a["landmarks"].values[5:, :468, :2]
    assert np.abs(off).mean() < 20  # pixels, of 900 that the face is wide
    assert whole.shared["video"].size == (3840, 2160)


@fetched
@pytest.mark.parametrize("kind", ["tiny", "upside down", "cut off"])
def test_a_face_that_can_hardly_be_read_is_nobody_or_unsure(tmp_path, kind, caplog):
    pictures = {
        "tiny": scene([(face()[::16, ::16], 150, 110)], 320, 240),
        "upside down": scene([(face()[::-1], 50, 8)], 320, 240),
        "cut off": scene([(face(), 220, 8)], 320, 240),
    }
    with caplog.at_level(logging.WARNING):
        show = read(write(tmp_path / "hard.mp4", [pictures[kind]] * 20), **FACE_ONLY)
    if not show.people:
        assert "nobody was found" in caplog.text
    for person in show.people.values():  # whoever is told of, all is finite and says how sure it is
        for name in ("landmarks", "action_units", "head", "gaze"):
            assert np.isfinite(person[name].values).all()
            assert person[name].confidence is not None
        if kind == "tiny":
            assert {i.label for i in person["expression"]} <= {"unknown"}
    show.save(tmp_path / "hard.csv", tmp_path / "hard.kin") if show.people else None


@fetched
def test_the_command_stopped_twice_goes_on_and_finishes(tmp_path):
    """Ctrl-C, then a kill, then the same command once more."""
    folder = tmp_path / "mit Leerzeichen – 会話"
    folder.mkdir()
    # Three seconds of pictures are kept at a time at most; the film is long enough to be stopped within.
    source = write(
        folder / "ein Film.mp4", [scene([(face(), 40 + k % 20, 8)], 320, 240) for k in range(120)], rate=2
    )
    out = folder / "ein Film.eaf"
    command = [
        sys.executable, "-m", "kinesics", "read", str(source), "-o", str(out), "-o", str(folder / "ein Film.csv"),
        "--no-hands", "--no-body",
    ]  # fmt: skip
    state = folder / f".{out.name}.reading" / "reading.json"
    kept = []
    for stop in (signal.SIGINT, signal.SIGKILL):
        before = state.stat().st_mtime_ns if state.exists() else 0
        process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        for _ in range(1200):
            if process.poll() is not None or (state.exists() and state.stat().st_mtime_ns > before):
                break
            time.sleep(0.05)
        process.send_signal(stop)
        code = process.wait(30)
        assert code == (130 if stop is signal.SIGINT else -signal.SIGKILL)
        assert not out.exists()
        kept.append(sum(f.stat().st_size for f in state.parent.glob("*.rows")))
    assert kept[0] > 0
    assert kept[1] >= kept[0]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stderr
    assert faults(out) == []
    assert set(kn.load(out).meta["elan"]["participants"].values()) == {"person 1"}
    assert not state.parent.exists()
