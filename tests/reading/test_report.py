"""Reports: one file, no requests, no label that becomes markup, and what is shown is what was read."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra video is not installed")

from kinesics.errors import DataError
from kinesics.performance import Interval, Performance, Scene, Tier
from kinesics.reading import report
from scripts.screenshot import FLAGS, find_browser
from tests.reading.scenes import person, scene_of

CHROMIUM = find_browser()
HOSTILE = '</script><img src=x onerror="window.struck=1"><!--<script>window.struck=1</script>'


def data_of(path) -> dict:
    text = path.read_text(encoding="utf-8")
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1]
    )


@pytest.fixture
def scene(tmp_path):
    return scene_of(tmp_path, person(40), person(200, emotion="sad"))


def test_the_file_holds_everything(scene, tmp_path):
    scene.save(tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    data = data_of(tmp_path / "a.html")
    assert [p["name"] for p in data["people"]] == ["person 1", "person 2"]
    tiers = {t["name"]: t["rows"] for t in data["people"][1]["tiers"]}
    assert tiers["expression"] == [[0, 1, "sad", 0.5, 0.8], [1, 2, "unknown", None, 0.2]]
    assert tiers["gaze_direction"] == [[0, 2, "left", 30, 0.9]]
    assert (data["duration"], data["fps"], data["size"]) == (2.0, 25.0, [320, 240])
    film = re.search(r'id="film">(.*?)</script>', text, re.DOTALL)[1]
    assert base64.b64decode(film) == scene.video.read_bytes()
    curve = next(p for p in data["people"][0]["plots"] if p["name"] == "face")["series"][0]
    steps = np.frombuffer(base64.b64decode(curve["data"]), "<u2") / 65534
    np.testing.assert_allclose(steps, np.linspace(0, 1, 50), atol=1e-4)


def test_the_policy_allows_the_file_s_own_script_and_style_alone(scene, tmp_path):
    scene.save(tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert not re.search(r"https?://", text.replace("http://www.w3.org", ""))
    assert ' style="' not in text


def test_videos_are_embedded_linked_or_left_out(scene, tmp_path, monkeypatch):
    path = tmp_path / "sub" / "a.html"
    scene.save(path, video="link")
    assert data_of(path)["video"] == {"kind": "link", "src": "../zwei%20Leute.mp4"}
    scene.save(path, video="none")
    assert data_of(path)["video"] == {"kind": "none"}
    monkeypatch.setattr(report, "MOST_EMBEDDED", 10)
    scene.save(path)
    assert data_of(path)["video"]["kind"] == "link"
    with pytest.raises(DataError, match="video='link'"):
        scene.save(path, video="embed")
    with pytest.raises(DataError, match="auto, embed, link, none"):
        scene.save(path, video="yes")


def test_without_its_video_a_report_still_tells_the_tiers(scene, tmp_path):
    alone = Scene(scene.people, meta={"source": str(tmp_path / "gone.mp4")})
    alone.save(tmp_path / "a.html")
    assert data_of(tmp_path / "a.html")["video"] == {"kind": "none"}
    with pytest.raises(DataError, match=r"gone\.mp4"):
        alone.save(tmp_path / "a.html", video="embed")
    with pytest.raises(DataError, match="tiers or signals"):
        Scene({"ann": Performance()}).save(tmp_path / "b.html")


def test_one_person_s_performance_is_a_report_too(tmp_path):
    show = Performance({"words": Tier("words", [Interval(0, 1, "hello")])})
    show.save(tmp_path / "a.html", title="A <talk>")
    data = data_of(tmp_path / "a.html")
    assert (data["title"], data["people"][0]["tiers"][0]["rows"]) == (
        "A <talk>",
        [[0, 1, "hello", None, 1.0]],
    )


def test_what_is_not_sure_leaves_gaps(tmp_path):
    scene_of(tmp_path, person(40, sure=0.3)).save(tmp_path / "a.html", video="none")
    gaze = next(p for p in data_of(tmp_path / "a.html")["people"][0]["plots"] if p["name"] == "gaze")
    assert set(np.frombuffer(base64.b64decode(gaze["series"][0]["data"]), "<u2").tolist()) == {65535}


def test_long_tracks_are_thinned(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_MOST_SAMPLES", 10)
    scene_of(tmp_path, person(40)).save(tmp_path / "a.html", video="none")
    series = data_of(tmp_path / "a.html")["people"][0]["plots"][0]["series"][0]
    assert series["count"] == 10
    assert series["count"] / series["rate"] == pytest.approx(2.0)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def opened(browser):
    pages = []

    def open_(path):
        page = browser.new_page(viewport={"width": 1100, "height": 900}, reduced_motion="reduce")
        pages.append(page)
        page.requests, page.errors = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        return page

    yield open_
    for page in pages:
        page.close()


def shows(page, time):
    """The playhead comes to a time."""
    page.wait_for_function(
        "t => Math.abs(Number(document.querySelector('#line').getAttribute('aria-valuenow')) - t) < 0.022",
        arg=time,
        timeout=10_000,
    )


def at(page, time):
    page.evaluate(f"seek({time})")
    shows(page, time)
    page.wait_for_timeout(100)


def test_the_page_shows_what_holds_at_the_playhead(scene, tmp_path, opened):
    scene.save(tmp_path / "a.html")
    page = opened(tmp_path / "a.html")
    at(page, 0.5)
    assert "happy" in page.inner_text("#felt")
    assert "80 %" in page.inner_text("#felt")
    assert page.inner_text("#why") == "AU12 is active: lip corners are pulled up."
    assert page.inner_text("#chips").split("\n") == ["blink", "looks left"]
    assert page.inner_text("#units").split("\n")[:2] == ["AU12", "lip corner puller"]
    at(page, 1.5)
    assert "unknown" in page.inner_text("#felt")
    page.keyboard.press("2")
    at(page, 0.5)
    assert "sad" in page.inner_text("#felt")
    assert page.get_attribute('[role="tab"]:nth-child(2)', "aria-selected") == "true"
    assert all(url.startswith(("file:", "blob:")) for url in page.requests)
    assert len(page.requests) <= 2
    assert page.errors == []


def test_clicks_keys_and_the_table_seek(scene, tmp_path, opened):
    scene.save(tmp_path / "a.html", video="none")
    page = opened(tmp_path / "a.html")
    box = page.locator("#canvas").bounding_box()
    page.mouse.click(box["x"] + 148 + (box["width"] - 158) * 0.5, box["y"] + 30)
    shows(page, 1.0)
    page.keyboard.press("ArrowRight")
    shows(page, 1.04)
    page.keyboard.press("Home")
    page.keyboard.press("]")
    shows(page, 0.4)
    page.click("summary")
    page.wait_for_timeout(150)
    assert "lip corners are pulled up" in page.inner_text("#body")
    page.click("#body tr:last-child button")
    shows(page, 1.0)


def test_reasons_have_bold_headings_and_long_films_hours(tmp_path, opened):
    reasons = Tier("reasons", [Interval(0, 7300, "**Conclusion:** it <b>is</b> a smile")])
    report.write(Performance({"reasons": reasons}), tmp_path / "long.html", video="none")
    page = opened(tmp_path / "long.html")
    assert page.text_content("#why") == "Conclusion: it <b>is</b> a smile"
    assert page.text_content("#why b") == "Conclusion:"
    assert page.text_content("#clock").endswith("2:01:40.00")


def test_no_label_becomes_markup(tmp_path, opened):
    tiers = {n: Tier(n, [Interval(0, 2, HOSTILE)]) for n in ("expression", "reasons", "gestures", HOSTILE)}
    scene = Scene({HOSTILE.replace("/", "|"): Performance(tiers)}, meta={"source": HOSTILE})
    scene.save(tmp_path / "a.html", title=HOSTILE)
    page = opened(tmp_path / "a.html")
    at(page, 1)
    page.click("summary")
    page.wait_for_timeout(200)
    assert page.evaluate("window.struck") is None
    assert page.evaluate("document.images.length") == 0
    assert page.inner_text("#why") == " ".join(HOSTILE.split())
    assert page.errors == []
