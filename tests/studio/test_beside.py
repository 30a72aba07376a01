"""A scene that was read: its video beside the avatars of those who are in it."""

from __future__ import annotations

import json
import logging
import shutil
from contextlib import contextmanager

import numpy as np
import pytest

pytest.importorskip("av")

from kinesics.errors import DataError
from kinesics.performance import Scene, Video
from kinesics.studio import view
from scripts.screenshot import find_browser
from tests.clips import make_clip, number_of
from tests.reading.scenes import FPS, FRAMES, person
from tests.studio.test_server import ask
from tests.studio.test_viewer import picture, until

CHROMIUM = find_browser()
chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
NAME = "zwei Leute – 会話 100%.webm"


def scene(path) -> Scene:
    """Ann from the beginning, Bob a second later; the picture of second t tells the number 25 t."""
    people = {"Ann": person(40), "Bob <b>": person(180).shift(1.0)}
    return Scene(people, shared={"video": Video.load(path)})


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return make_clip(
        tmp_path_factory.mktemp("ein Ordner – 動画") / NAME,
        range(FRAMES),
        rate=FPS,
        codec="libvpx",
        size=(160, 120),
    )


# ---- the server ---------------------------------------------------------------------------------------------------------


def test_everybody_and_the_video_are_served(film):
    with view(scene(film), block=False, open_browser=False) as viewer:
        told = json.loads(ask(viewer, "about.json")[1])
        assert (told["people"], told["film"]) == (["Ann", "Bob <b>"], NAME)
        first, second = ask(viewer, "performance.glb")[1], ask(viewer, "performance-1.glb")[1]
        assert first[:4] == second[:4] == b"glTF"
        assert first != second
        assert ask(viewer, "performance-2.glb")[0] == 404
        status, whole, headers = ask(viewer, "film")
        assert (status, whole, headers["content-type"]) == (200, film.read_bytes(), "video/webm")
        assert ask(viewer, "film", token="x")[0] == 403


def test_the_video_comes_in_parts_so_that_a_browser_can_seek_in_it(film):
    whole = film.read_bytes()
    with view(scene(film), block=False, open_browser=False) as viewer:
        status, part, headers = ask(viewer, "film", Range="bytes=100-199")
        assert (status, part) == (206, whole[100:200])
        assert headers["content-range"] == f"bytes 100-199/{len(whole)}"
        assert ask(viewer, "film", Range=f"bytes={len(whole) + 5}-")[0] == 416


def test_a_scene_that_was_saved_finds_its_video_again_and_says_so_when_it_is_gone(film, tmp_path, caplog):
    path = shutil.copy(film, tmp_path / NAME)
    scene(path).save(tmp_path / "read.kin")
    with view(tmp_path / "read.kin", block=False, open_browser=False) as viewer:
        assert ask(viewer, "film")[1] == film.read_bytes()
    (tmp_path / NAME).unlink()
    with (
        caplog.at_level(logging.WARNING),
        view(tmp_path / "read.kin", block=False, open_browser=False) as viewer,
    ):
        assert json.loads(ask(viewer, "about.json")[1])["film"] is None
        assert ask(viewer, "film")[0] == 404
    assert "the avatar is shown alone" in caplog.text
    assert NAME in caplog.text


def test_a_scene_without_anybody_is_refused(film):
    with pytest.raises(DataError, match="nobody"):
        view(Scene({}, shared={"video": Video.load(film)}), block=False, open_browser=False)


# ---- the page -----------------------------------------------------------------------------------------------------------


@contextmanager
def opened(browser, shown, *, query="paused=1"):
    with view(shown, block=False, open_browser=False) as viewer:
        page = browser.new_page(viewport={"width": 900, "height": 640}, reduced_motion="reduce")
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(f"{viewer.url}?{query}")
        page.evaluate("window.kinesics.ready")
        yield page
        page.close()


@pytest.fixture(scope="module")
def beside(browser, film):
    with opened(browser, scene(film)) as page:
        yield page


def shown_number(page) -> int:
    """The number that the video's present picture tells."""
    found = page.evaluate(
        """() => {
          const video = document.getElementById("film");
          const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight), pen = canvas.getContext("2d");
          pen.drawImage(video, 0, 0);
          return [video.videoHeight, video.videoWidth, [...pen.getImageData(0, 0, video.videoWidth, video.videoHeight).data]];
        }"""
    )
    height, width, pixels = found
    return number_of(np.array(pixels, np.uint8).reshape(height, width, 4)[..., :3])


@chromium
def test_video_and_avatar_stand_side_by_side(beside):
    video, room = (beside.locator(name).bounding_box() for name in ("#film", "#room"))
    assert video["x"] + video["width"] <= room["x"] + 1
    assert min(video["width"], room["width"]) > 300
    assert beside.errors == []
    assert picture(beside, "#room").std() > 5
    assert beside.evaluate("document.getElementById('film').muted")  # the sound is the player's


@chromium
@pytest.mark.parametrize("time", [0.0, 0.5, 1.5, 0.98])
def test_seeking_takes_the_video_along_to_the_picture(beside, time):
    beside.evaluate("t => window.kinesics.seek(t)", time)
    assert shown_number(beside) == int(time * FPS + 1e-6)


@chromium
def test_scrubbing_takes_the_video_along(beside):
    for value in ("0.4", "1.2", "0.84"):
        beside.evaluate(
            """value => {
              const slider = document.getElementById("slider");
              slider.value = value;
              slider.dispatchEvent(new Event("input"));
            }""",
            value,
        )
    until(beside, "!document.getElementById('film').seeking")
    assert beside.evaluate("document.getElementById('film').currentTime") == pytest.approx(0.84, abs=0.01)
    assert shown_number(beside) == 21


@chromium
def test_playing_pausing_and_speed_are_the_videos_too(beside):
    gap = "Math.abs(document.getElementById('film').currentTime - window.kinesics.info().time)"
    beside.evaluate("window.kinesics.seek(0)")
    beside.locator("#speed").select_option("0.5")
    beside.evaluate("void window.kinesics.play()")
    until(beside, "window.kinesics.info().time > 0.4")
    assert beside.evaluate("document.getElementById('film').playbackRate") == 0.5
    assert not beside.evaluate("document.getElementById('film').paused")
    assert beside.evaluate(gap) < 0.2
    beside.evaluate("window.kinesics.pause()")
    until(beside, "document.getElementById('film').paused && !document.getElementById('film').seeking")
    assert beside.evaluate(gap) < 0.02
    beside.locator("#speed").select_option("1")


@chromium
def test_when_the_video_is_over_the_performance_goes_on(beside):
    # Bob is there until 3 s; the film ends at 2 s.
    with beside.expect_navigation():
        beside.locator("#person").select_option("1")
    until(beside, "window.kinesics !== undefined")
    beside.evaluate("window.kinesics.ready")
    assert beside.locator("#person option").all_text_contents() == ["Ann", "Bob <b>"]
    assert beside.evaluate("window.kinesics.info().duration") == pytest.approx(3, abs=0.05)
    beside.evaluate("window.kinesics.seek(2.6)")
    assert beside.evaluate("window.kinesics.info().time") == pytest.approx(2.6)
    assert shown_number(beside) == (FRAMES - 1) % 40  # its last picture
    beside.evaluate("void window.kinesics.play()")
    until(beside, "!window.kinesics.info().playing")
    assert beside.errors == []


@chromium
def test_the_one_who_came_later_moves_when_they_are_there(browser, film):
    with opened(browser, scene(film), query="paused=1&person=1&view=face") as page:
        shots = {}
        for time in (0.2, 0.9, 1.04, 2.9):
            page.evaluate("t => window.kinesics.seek(t)", time)
            shots[time] = picture(page, "#room")
        apart = lambda a, b: np.abs(shots[a] - shots[b]).mean()  # noqa: E731
        assert apart(0.2, 0.9) == 0
        assert apart(1.04, 2.9) > 10 * apart(0.9, 1.04)  # a mouth that opens wide


@chromium
@pytest.mark.parametrize(("name", "codec"), [("alter Film.avi", "mpeg4"), ("alter Film.mp4", "mpeg4")])
def test_a_video_that_browsers_do_not_play_is_named_and_the_avatar_shown_alone(
    browser, tmp_path, name, codec
):
    path = make_clip(
        tmp_path / name, range(FRAMES), rate=FPS, codec=codec, size=(160, 120), sound=np.zeros(16000) if name.endswith("mp4") else None
    )  # fmt: skip
    with opened(browser, scene(path)) as page:
        said = page.locator("#notices").inner_text()
        assert name in said
        assert "MP4 (H.264)" in said
        assert not page.evaluate("document.body.classList.contains('beside')")
        assert page.locator("#film").is_hidden()
        assert page.locator("#room").bounding_box()["width"] > 800
        page.evaluate("window.kinesics.seek(1.0)")
        assert page.evaluate("window.kinesics.info().time") == pytest.approx(1.0)
