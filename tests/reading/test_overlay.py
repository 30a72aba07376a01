"""Overlays: what was read is where it was, what is not sure is not drawn, and the file holds all of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra video is not installed")
pytest.importorskip("numba", reason="the extra video is not installed")

from kinesics import formats
from kinesics.errors import DataError
from kinesics.performance import Performance, Scene
from kinesics.reading._canvas import Canvas, letters_of
from kinesics.reading.overlay import COLOURS, overlay
from tests.reading.scenes import FRAMES, SIZE, person, scene_of


def near(picture, colour, within=40):
    return np.abs(picture.astype(int) - colour).max(axis=-1) < within


def pictures(scene):
    return [picture.copy() for picture in overlay(scene).frames()]


def test_the_video_stays_in_its_place_and_faces_are_marked(tmp_path):
    scene = scene_of(tmp_path, person(40), person(200))
    drawn = overlay(scene)
    zoom = drawn.zoom
    assert zoom == 2  # so that words can be read
    assert (len(drawn), drawn.fps, drawn.size[1]) == (FRAMES, Fraction(25), SIZE[1] * zoom)
    assert drawn.size[0] > SIZE[0] * zoom
    original = next(iter(scene.shared["video"].frames()))
    first = pictures(scene)[0]
    # Far from faces the picture is the video's own.
    grey = first[-30:-10, 10 : SIZE[0]].astype(int)
    assert np.abs(grey - original[-8, 8].astype(int)).max() <= 2
    for k, left in enumerate((40, 200)):
        rows, columns = np.nonzero(near(first[:, : SIZE[0] * zoom], COLOURS[k]))
        assert abs(columns.min() - left * zoom) < 8
        assert rows.max() == pytest.approx(140 * zoom, abs=8)


def test_irises_and_gaze_are_drawn_where_the_person_looks(tmp_path):
    looks = {}
    for yaw in (-40.0, 40.0):
        scene = scene_of(tmp_path / str(yaw), person(130, yaw=yaw))
        white = near(pictures(scene)[0][2 * 95 : 2 * 105, : 2 * SIZE[0]], (236, 240, 248), 30)
        columns = np.flatnonzero(white.any(axis=0)) / 2 - 130
        looks[yaw] = columns.min(), columns.max()
    # The person's own left is to the right in the picture.
    assert looks[40.0][1] > 75 > looks[-40.0][1]
    assert looks[-40.0][0] < -15 < looks[40.0][0]


def test_what_is_not_sure_is_not_drawn(tmp_path):
    scene = scene_of(tmp_path, person(40, sure=0.2))
    drawn = pictures(scene)[3][:, : 2 * SIZE[0]]
    plain = pictures(replace(scene, people={"person 1": Performance()}))[3][:, : 2 * SIZE[0]]
    np.testing.assert_array_equal(drawn, plain)


def test_the_panel_tells_what_goes_on(tmp_path):
    shown = pictures(scene_of(tmp_path, person(40)))
    panel = [p[:, 2 * SIZE[0] :].astype(int) for p in shown]
    assert np.abs(panel[0] - panel[12]).max() > 60  # the blink's chip, the curve
    assert np.abs(panel[0] - panel[40]).max() > 60  # unknown by then
    many = scene_of(tmp_path / "many", *[person(10 * k) for k in range(7)])
    assert len(pictures(many)) == FRAMES  # more people than there is room for


def test_it_is_written_with_its_sound_and_says_that_it_is_annotated(tmp_path):
    scene = scene_of(tmp_path, person(40))
    scene.save(tmp_path / "overlay.mp4")
    back = formats.load(tmp_path / "overlay.mp4")
    assert len(back["video"]) == FRAMES
    assert back["video"].size[0] == overlay(scene).size[0] + overlay(scene).size[0] % 2
    assert back.speech.duration == pytest.approx(2.0, abs=0.1)
    assert "annotated" in back.meta["video"]["metadata"]["comment"]
    assert back.meta["video"]["synthetic"] is False


def test_a_synthetic_video_stays_marked(tmp_path):
    scene = scene_of(tmp_path, person(40))
    own = Performance({"video": scene.shared["video"]})
    own.save(tmp_path / "ours.mp4")
    again = Scene(scene.people, meta={"source": str(tmp_path / "ours.mp4")})
    again.save(tmp_path / "overlay.mp4")
    assert formats.load(tmp_path / "overlay.mp4").meta["video"]["synthetic"] is True


def test_the_video_that_was_read_is_never_replaced(tmp_path):
    scene = scene_of(tmp_path, person(40))
    path = scene.video
    before = path.read_bytes()
    with pytest.raises(DataError, match="another name"):
        scene.save(path)
    assert path.read_bytes() == before


def test_from_a_kin_file_the_video_is_found_again_or_missed_by_name(tmp_path):
    scene = scene_of(tmp_path, person(40))
    scene.save(tmp_path / "a.kin")
    back = formats.load(tmp_path / "a.kin")
    np.testing.assert_array_equal(pictures(back)[5], pictures(scene)[5])
    scene.video.unlink()
    with pytest.raises(DataError, match=r"zwei Leute.mp4 is not there"):
        overlay(back)


def test_rotation_flags_are_honoured(tmp_path):
    scene = scene_of(tmp_path, person(40), rotation=90)
    assert scene.shared["video"].size == SIZE
    first = pictures(scene)[0]
    assert near(first[2 * 60 : 2 * 160, 2 * 30 : 2 * 110], COLOURS[0]).sum() > 200


def test_memory_does_not_grow_with_the_video(tmp_path):
    import tracemalloc

    frames = iter(overlay(scene_of(tmp_path, person(40))).frames())
    for _ in range(10):
        next(frames)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in frames:
        pass
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 2_000_000


def test_lines_are_where_they_should_be_and_thin_ones_fainter():
    canvas = Canvas(np.zeros((20, 20, 3), np.uint8))
    canvas.lines([[2, 10, 18, 10]], 4, (200, 100, 0))
    assert canvas.image[10, 10].tolist() == [200, 100, 0]
    assert canvas.image[4].max() == canvas.image[16].max() == 0
    thin = Canvas(np.zeros((20, 20, 3), np.uint8))
    thin.lines([[2, 10.5, 18, 10.5]], 0.5, (200, 100, 0))
    assert 60 < thin.image[10, 10, 0] < 140
    crossing = Canvas(np.zeros((20, 20, 3), np.uint8))
    crossing.lines([[2, 10, 18, 10], [10, 2, 10, 18]], 3, (200, 200, 200), 0.5)
    assert crossing.image[10, 10, 0] == crossing.image[10, 5, 0]  # no denser where they cross


def test_nothing_is_drawn_for_places_that_are_no_numbers_or_far_away():
    canvas = Canvas(np.zeros((20, 20, 3), np.uint8))
    canvas.lines([[np.nan, 0, 5, 5], [1e30, 0, 0, 0]], 3, (255, 255, 255))
    canvas.dots([[-50, -50], [500, 3]], 5, (255, 255, 255))
    canvas.words("far", 300, 300, 12, (255, 255, 255))
    canvas.panel(-50, -50, -20, -20, (255, 255, 255), radius=4)
    assert canvas.image.max() == 0


def test_words_are_cut_to_their_room_and_unknown_letters_are_boxes():
    letters = letters_of(14)
    assert letters.fitted("a  b\nc", 1000) == "a b c"
    short = letters.fitted("a long sentence that does not fit", 80)
    assert short.endswith("…")
    assert letters.width(short) <= 80
    assert letters["語"][0].shape == letters["□"][0].shape
    assert letters.width("Größe λόγος Привет") > 60
