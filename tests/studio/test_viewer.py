"""The viewer's page in a headless Chromium: skipped by name where there is none."""

from __future__ import annotations

import base64
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from kinesics.studio import view
from scripts.screenshot import find_browser

from .tiny_glb import tiny_glb

CHROMIUM = find_browser()
HOSTILE = '<img src=x onerror="window.struck=1"><script>window.struck=1</script>'
TIERS = {
    "words": [[0.2, 0.6, "Hello", None, 1.0], [0.6, 1.1, HOSTILE, None, 0.9]],
    "gesture phases": [
        [0.1, 0.5, "preparation", None, 1],
        [0.5, 0.9, "stroke", 0.8, 1],
        [0.9, 1.5, "retraction", None, 1],
    ],
    HOSTILE: [[0.0, 2.0, "x", None, 1]],
}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@contextmanager
def opened(browser, source, *, name="talk.glb", query="paused=1", ready=True):
    """Open a file in the viewer; the page notes every request and every error."""
    with view(source, name=name, block=False, open_browser=False) as viewer:
        page = browser.new_page(viewport={"width": 640, "height": 720}, reduced_motion="reduce")
        page.requests, page.errors = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on(
            "console", lambda message: page.errors.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.address = viewer.url
        page.goto(f"{viewer.url}?{query}")
        if ready:
            page.evaluate("window.kinesics.ready")
        yield page
        page.close()


@pytest.fixture(scope="module")
def ours(browser):
    with opened(browser, tiny_glb(tiers=TIERS, name=HOSTILE), name=HOSTILE) as page:
        yield page


def until(page, condition, seconds=15.0):
    """Wait for a condition; playwright's own waiting evaluates text, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never came true: {condition}"
        page.wait_for_timeout(20)


def picture(page, selector="#stage"):
    """RGB pixels (H, W, 3) of a part of the page, decoded by the browser itself."""
    raw = base64.b64encode(page.locator(selector).screenshot(type="png")).decode()
    size, pixels = page.evaluate(
        """async (text) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
          const canvas = new OffscreenCanvas(image.width, image.height);
          const context = canvas.getContext("2d");
          context.drawImage(image, 0, 0);
          const data = context.getImageData(0, 0, image.width, image.height).data;
          let out = "";
          for (let i = 0; i < data.length; i += 32768) out += String.fromCharCode(...data.subarray(i, i + 32768));
          return [[image.height, image.width], btoa(out)];
        }""",
        raw,
    )
    return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(*size, 4)[..., :3].astype(int)


def clay(image):
    """Where the figure's reddish surface is seen."""
    return (image[..., 0] > image[..., 2] + 40) & (image[..., 0] > 80)


def test_nothing_is_asked_of_other_hosts_and_nothing_fails(ours):
    here = ours.address.rsplit("/", 2)[0]
    assert len(ours.requests) >= 4
    assert all(url.startswith((here, "blob:", "data:")) for url in ours.requests), ours.requests
    assert ours.errors == []


def test_info_tells_what_is_in_the_file(ours):
    info = ours.evaluate("window.kinesics.info()")
    assert info["kind"] == "Kinesics performance"
    assert info["duration"] == pytest.approx(2.0)
    assert info["audio"]["duration"] == pytest.approx(2.0, abs=0.01)
    assert info["morphs"] == 2
    assert [tier["intervals"] for tier in info["tiers"]] == [2, 3, 1]
    assert info["height"] == pytest.approx(1.75, abs=0.01)
    assert info["lacks"] == info["faults"] == []
    assert not info["playing"]


def test_the_figure_is_seen_and_larger_from_near(ours):
    shares = []
    for name in ("full", "upper", "bust"):
        ours.evaluate("name => window.kinesics.view(name)", name)
        shares.append(clay(picture(ours)).mean())
    assert 0.03 < shares[0] < shares[1] < shares[2]
    ours.evaluate("window.kinesics.view('upper')")
    rows = np.flatnonzero(clay(picture(ours)).any(1))
    assert rows[0] > 5, "the head is cut off"


def test_seek_moves_and_repeats_exactly(ours):
    shots = []
    for moment in (0.5, 1.5, 0.5):
        ours.evaluate("t => window.kinesics.seek(t)", moment)
        shots.append(picture(ours, "#view"))
    # Left of centre is another part of the turning head at another time.
    assert np.abs(shots[0] - shots[1]).max() > 60
    assert np.array_equal(shots[0], shots[2])
    assert ours.evaluate("window.kinesics.info().time") == pytest.approx(0.5)


def test_seek_stays_within_the_performance(ours):
    for asked, reached in ((-3, 0), (99, 2), (float("nan"), 0)):
        ours.evaluate("t => window.kinesics.seek(t)", asked)
        assert ours.evaluate("window.kinesics.info().time") == pytest.approx(reached)


def test_tiers_are_drawn_in_their_colours(ours):
    image = picture(ours, "canvas.rows")
    spread = image.max(-1) - image.min(-1)
    assert (spread > 60).mean() > 0.05
    names = ours.locator(".name .text").all_text_contents()
    assert names == ["sound", "words", "gesture phases", HOSTILE]


def test_clicking_a_tier_goes_there_and_hovering_tells(ours):
    box = ours.locator("canvas.rows").bounding_box()
    words = ours.locator(".name").nth(1).bounding_box()
    x, y = box["x"] + box["width"] * 0.4 / 2.0, words["y"] + 8
    ours.mouse.click(x, y)
    assert ours.evaluate("window.kinesics.info().time") == pytest.approx(0.4, abs=0.01)
    ours.mouse.move(x + 2, y)
    assert "Hello" in ours.locator(".tip").inner_text()
    ours.mouse.move(box["x"] + box["width"] * 0.8 / 2.0, y)
    assert HOSTILE in ours.locator(".tip").inner_text()


def test_folding_a_tier_and_zooming(ours):
    high = ours.locator("canvas.rows").bounding_box()["height"]
    fold = ours.locator(".name").nth(2)
    fold.click()
    assert fold.get_attribute("aria-expanded") == "false"
    until(ours, f"document.querySelector('canvas.rows').clientHeight < {high}")
    fold.click()
    ours.get_by_label("Zoom in").click()
    box = ours.locator("canvas.rows").bounding_box()
    words = ours.locator(".name").nth(1).bounding_box()
    ours.evaluate("window.kinesics.seek(1.0)")
    ours.get_by_label("Show the whole time").click()
    ours.mouse.click(box["x"] + box["width"] * 0.75, words["y"] + 8)
    assert ours.evaluate("window.kinesics.info().time") == pytest.approx(1.5, abs=0.02)


def test_keys(ours):
    ours.evaluate("window.kinesics.seek(0.3)")
    ours.locator("#view").focus()
    ours.keyboard.press("]")
    assert ours.evaluate("window.kinesics.info().time") == pytest.approx(0.5)
    ours.keyboard.press("[")
    assert ours.evaluate("window.kinesics.info().time") == pytest.approx(0.2)
    ours.keyboard.press("Shift+ArrowRight")
    assert ours.evaluate("window.kinesics.info().time") == pytest.approx(1.2)
    ours.keyboard.press("4")
    assert ours.locator("[data-view=face]").get_attribute("aria-pressed") == "true"
    ours.keyboard.press("2")


def test_hostile_names_and_labels_are_only_text(ours):
    ours.evaluate("window.kinesics.seek(0.8)")
    assert HOSTILE in ours.locator("#caption").inner_text()
    assert ours.locator("#name").inner_text() == HOSTILE
    assert ours.evaluate("window.struck") is None
    assert ours.evaluate("document.querySelectorAll('img').length") == 0


def test_the_page_cannot_reach_out(ours):
    reached = ours.evaluate("fetch('http://127.0.0.1:9/').then(() => 'reached', (error) => error.message)")
    assert reached == "Failed to fetch"
    blocked = [text for text in ours.errors if "Content Security Policy" in text]
    assert blocked
    ours.errors.clear()


def test_playing_follows_the_sound_and_stops_at_the_end(ours):
    ours.evaluate("window.kinesics.seek(1.2)")
    ours.evaluate("window.kinesics.play()")
    until(ours, "window.kinesics.info().time > 1.4")
    until(ours, "!window.kinesics.info().playing")
    assert ours.evaluate("window.kinesics.info().time") == pytest.approx(2.0)
    ours.evaluate("window.kinesics.play()")
    until(ours, "window.kinesics.info().time < 1.5")
    ours.evaluate("window.kinesics.pause()")
    held = ours.evaluate("window.kinesics.info().time")
    ours.wait_for_timeout(120)
    assert ours.evaluate("window.kinesics.info().time") == held


def test_a_foreign_file_plays_and_its_lacks_are_said(browser):
    with opened(browser, tiny_glb(tiers=None), query="t=0.5&view=full&paused=1") as page:
        info = page.evaluate("window.kinesics.info()")
        assert info["lacks"] == ["sound", "tiers"]
        assert (info["view"], info["time"]) == ("full", 0.5)
        assert "no sound and no tiers" in page.locator("#notices").inner_text()
        assert page.locator("#tiers").is_hidden()
        assert clay(picture(page)).mean() > 0.02
        assert page.errors == []


def test_tiers_come_out_of_the_plan(browser):
    plan = {
        "behaviours": [
            {"id": "speech", "kind": "speech", "sync": {"w1": [0.4, None, None]}, "attributes": {}},
            {
                "id": "nod",
                "kind": "head",
                "sync": {"start": [0.1, "speech", "w1"], "end": [0.9, None, None]},
                "attributes": {"lexeme": "NOD", "amount": "0.5"},
            },
            {"id": "blink", "kind": "blink", "sync": {"start": [1, None, None]}, "attributes": {}},
            {
                "id": "no",
                "kind": "head",
                "sync": {"start": [1, None, None]},
                "attributes": {"lexeme": "SHAKE"},
            },
            {"id": "loop", "kind": "gaze", "sync": {"start": [0, "loop", "start"]}, "attributes": {}},
        ],
        "feedback": [
            {"id": "blink", "status": "shifted", "reason": "", "times": {"start": 1.2, "end": 1.4}},
            {"id": "no", "status": "dropped", "reason": "neck busy", "times": {}},
        ],
    }
    with opened(browser, tiny_glb(tiers={"words": [[0, 1, "so", None, 1]]}, extras={"plan": plan})) as page:
        tiers = page.evaluate("window.kinesics.info().tiers")
        assert tiers == [{"name": n, "intervals": 1} for n in ("words", "head", "blinks")]
        head = page.locator(".name").nth(2).bounding_box()
        box = page.locator("canvas.rows").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.7 / 2, head["y"] + 8)
        said = page.locator(".tip").inner_text()
        assert "NOD" in said
        assert "0:00.50 – 0:00.90" in said
        assert "value 0.5" in said


def test_broken_extras_are_said_and_the_rest_is_shown(browser):
    broken = tiny_glb(
        tiers={"words": [[0, 1, "ok"], [1, "x", "bad"], "worse", [2, 1, "backwards"]]},
        extras={"audio": {"bufferView": 0, "mimeType": "audio/wav"}},
    )
    with opened(browser, broken, query="clean=1") as page:
        info = page.evaluate("window.kinesics.info()")
        assert info["tiers"] == [{"name": "words", "intervals": 1}]
        assert any("3 tier entries" in fault for fault in info["faults"])
        assert any("could not be decoded" in fault for fault in info["faults"])
        assert page.locator("#dock").is_hidden()
        assert page.locator("#stage").bounding_box()["height"] == 720


def test_an_unreadable_file_gets_a_sentence(browser):
    with opened(browser, b"glTF\x02\0\0\0\x0c\0\0\0", ready=False) as page:
        failed = page.evaluate("window.kinesics.ready.then(() => '', (error) => error.message)")
        assert "not a binary glTF" in failed
        assert failed in page.locator("#notices").inner_text()


@pytest.mark.parametrize(
    ("file", "kind"), [("basic_armature.vrm", "VRM 0.x"), ("basic_armature_vrm1.vrm", "VRM 1.0")]
)
def test_vrm_avatars_are_shown(browser, shared_data, file, kind):
    path: Path = shared_data("free-avatars") / "vrm" / file
    with opened(browser, path, name=file) as page:
        info = page.evaluate("window.kinesics.info()")
        assert info["kind"] == kind
        assert "animation" in info["lacks"]
        assert page.errors == []
        image = picture(page, "#view")
        assert image.std() > 5
