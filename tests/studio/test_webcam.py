"""The webcam page's server: pictures in, what was read out; who is let in, and what bad pages do to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import struct
import threading
import time
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("websockets")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from kinesics.errors import DataError
from kinesics.performance import Performance, Scene, Signal
from kinesics.reading.live import LiveReader
from kinesics.see import models
from kinesics.studio import webcam as page
from kinesics.studio.webcam import MOST_PIXELS, Webcam, picture
from scripts.screenshot import FLAGS, find_browser
from tests.faces import portrait, scene
from tests.studio.test_viewer import picture as picture_of
from tests.studio.test_viewer import until

fetched = pytest.mark.skipif(not models.available(), reason="landmark models have not been fetched")


def message(rgb: np.ndarray, time: float) -> bytes:
    """What the page sends of a picture."""
    rgba = np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255, np.uint8)], axis=2)
    return struct.pack("<IId", rgb.shape[1], rgb.shape[0], time) + rgba.tobytes()


def plain(time: float, width: int = 64, height: int = 36, grey: int = 90) -> bytes:
    return message(np.full((height, width, 3), grey, np.uint8), time)


class Watch:
    """A reader that tells how bright a picture is, and can be held up."""

    def __init__(self, hold: threading.Event | None = None) -> None:
        self.hold, self.times = hold, []

    def push(self, rgb: np.ndarray, time: float) -> Scene:
        if self.hold is not None:
            assert self.hold.wait(20)
        self.times.append(time)
        bright = Signal(np.array([[rgb.mean(), 0.0]]), ("yaw", "pitch"), ("",) * 2, 25, time)
        return Scene({"person 1": Performance({"gaze": bright})})


def dial(server: Webcam, *, origin: str | None = "own", path: str = "read", token: str | None = None):
    parts = urlsplit(server.url)
    given = parts.path if token is None else f"/{token}/"
    own = f"http://127.0.0.1:{parts.port}"
    return connect(
        f"ws://127.0.0.1:{parts.port}{given}{path}", origin=own if origin == "own" else origin, max_size=None
    )


def drained(socket) -> None:
    for _ in range(1000):
        socket.recv(timeout=10)


def closed(socket) -> tuple[int, str]:
    """Code and reason with which the server closes."""
    with pytest.raises(ConnectionClosed) as end:
        drained(socket)
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


@pytest.fixture
def server():
    with Webcam(Watch) as running:
        yield running


@fetched
def test_a_person_before_the_camera_is_told_with_face_head_and_gaze():
    image = portrait(0)[2].rgb
    sent = [scene([(image, 100 + 4 * k, 20)]) for k in range(8)]
    with Webcam(lambda: LiveReader(hands=False, threads=1)) as running, dial(running) as socket:
        answers = []
        for k, rgb in enumerate(sent):
            socket.send(message(rgb, k / 30))
            answers.append(json.loads(socket.recv(timeout=60)))
    assert [a["time"] for a in answers] == [k / 30 for k in range(8)]
    (last,) = answers[-1]["people"]
    left, top, right, bottom = last["box"]
    assert 128 < left < right < 352
    assert 20 < top < bottom < 260
    face = np.array(last["face"]).reshape(478, 2)
    assert ((face >= [left - 1, top - 1]) & (face <= [right + 1, bottom + 1]))[:468].mean() > 0.99
    # The painted person looks ahead, and moves to the right.
    assert all(abs(v) < 15 for v in (*last["head"].values(), *last["gaze"].values()))
    assert last["face"][0] - answers[-3]["people"][0]["face"][0] == pytest.approx(8, abs=3)
    assert set(last["mirror"]["joints"]) == {"neck", "head", "leftEye", "rightEye"}
    assert last["mirror"]["face"].get("eyeBlinkLeft", 0) < 0.4


@fetched
def test_pictures_may_be_tiny_and_change_their_size():
    image = scene([(portrait(0)[2].rgb, 100, 20)])
    with Webcam(lambda: LiveReader(threads=1)) as running, dial(running) as socket:
        counts = []
        turned = np.ascontiguousarray(image.transpose(1, 0, 2))
        for k, rgb in enumerate((image, image, turned, image[:1, :1], image, image, image)):
            socket.send(message(rgb, k / 30))
            counts.append(len(json.loads(socket.recv(timeout=60))["people"]))
    assert counts[1] == counts[-1] == 1
    assert counts[3] == 0


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "https://127.0.0.1"])
def test_other_origins_get_no_socket(server, origin):
    with pytest.raises(InvalidStatus) as refused:
        dial(server, origin=origin)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("token", "path"), [("", "read"), ("wrong-token-of-some-length", "read"), (None, "other")]
)
def test_without_the_token_there_is_no_socket(server, token, path):
    with pytest.raises(InvalidStatus) as refused:
        dial(server, token=token, path=path)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1"])
def test_other_hosts_get_neither_page_nor_socket(server, host):
    parts = urlsplit(server.url)
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": f"http://{host}",
    }  # fmt: skip
    for path, headers, status in (("", {}, 421), ("webcam.js", {}, 421), ("read", upgrade, 403)):
        line = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
        line.request("GET", parts.path + path, headers={**headers, "Host": host})
        assert line.getresponse().status == status
        line.close()


def test_the_page_and_what_it_draws_with_are_served(server):
    parts = urlsplit(server.url)
    for path, kind in (("", "text/html"), ("figure.json", "application/json"), ("avatar.glb", "model/")):
        line = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
        line.request("GET", parts.path + path)
        answer = line.getresponse()
        assert (answer.status, answer.getheader("content-type").startswith(kind)) == (200, True), path
        assert "default-src 'self'" in answer.getheader("content-security-policy")
        line.close()


def fault(name: str) -> bytes | str:
    good = plain(0.0)
    jpeg = b"\xff\xd8\xff\xc0\x00\x11\x08\x86\xa0\x86\xa0\x03" + bytes(100)
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 100_000, 100_000) + bytes(100)
    return {
        "nothing": b"",
        "half a head": good[:9],
        "cut short": good[:-1],
        "too long": good + b"\0",
        "no pixels": struct.pack("<IId", 0, 0, 0.0),
        "a bomb": struct.pack("<IId", 100_000, 100_000, 0.0) + bytes(64),
        "an overflow": struct.pack("<IId", 2**31, 2, 0.0),
        "one long row": struct.pack("<IId", MOST_PIXELS, 1, 0.0) + bytes(4 * MOST_PIXELS),
        "no time": plain(float("nan")),
        "before the beginning": plain(-1.0),
        "never": plain(float("inf")),
        "JPEG that says 34,464 squared": jpeg,
        "PNG that says 100,000 squared": png,
        "text": "hello",
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "nothing", "half a head", "cut short", "too long", "no pixels", "a bomb", "an overflow", "one long row", "no time",
        "before the beginning", "never", "JPEG that says 34,464 squared", "PNG that says 100,000 squared", "text",
    ],
)  # fmt: skip
def test_what_is_no_picture_ends_the_exchange_with_a_reason_and_the_next_page_is_read(server, name):
    with dial(server) as socket:
        socket.send(fault(name))
        code, reason = closed(socket)
    assert code == 1003
    assert "expected" in reason
    with dial(server) as socket:
        socket.send(plain(0.0))
        assert json.loads(socket.recv(timeout=10))["people"]


def test_a_message_larger_than_any_picture_is_refused_before_it_is_whole(server):
    with dial(server) as socket:
        # The head of a frame, which tells its length: nothing of the message itself is ever sent.
        socket.socket.sendall(struct.pack("!BBQ4s", 0x82, 0x80 | 127, 4 * MOST_PIXELS + 1000, bytes(4)))
        assert closed(socket)[0] == 1009


@fetched
def test_pictures_must_come_in_order():
    reads = LiveReader(hands=False, threads=1)
    reads.push(np.zeros((36, 64, 3), np.uint8), 1.0)
    for late in (1.0, 0.5, float("nan")):
        with pytest.raises(DataError, match="expected a later one"):
            reads.push(np.zeros((36, 64, 3), np.uint8), late)


def test_of_pictures_that_wait_the_newest_is_read_and_memory_stays_flat():
    hold, readers = threading.Event(), []

    def reader() -> Watch:
        readers.append(Watch(hold))
        return readers[-1]

    flood, big = 400, np.zeros((360, 640, 3), np.uint8)
    with Webcam(reader) as running, dial(running) as socket:
        socket.send(message(big, 0.0))
        while not readers:
            time.sleep(0.01)
        for k in range(1, 21):
            socket.send(message(big, float(k)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for k in range(21, flood):  # 370 MB while the first picture is being read
            socket.send(message(big, float(k)))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        hold.set()
        told = [json.loads(socket.recv(timeout=20))["time"]]
        while told[-1] != flood - 1:
            told.append(json.loads(socket.recv(timeout=20))["time"])
    assert grown < 60, f"{grown:.0f} MB"
    assert told == readers[0].times == sorted(told)
    assert len(told) < 20, "pictures were read that newer ones had made stale"


def test_a_page_that_does_not_listen_holds_up_nothing_but_itself():
    readers = []

    def reader() -> Watch:
        readers.append(Watch())
        return readers[-1]

    with Webcam(reader) as running:
        with dial(running) as deaf:
            for k in range(300):
                deaf.send(plain(float(k)))
        with dial(running) as socket:
            socket.send(plain(0.0, grey=123))
            answer = json.loads(socket.recv(timeout=10))
        assert answer["people"][0]["gaze"]["yaw"] == pytest.approx(123)
        assert len(readers) == 2


def test_a_second_page_is_told_to_wait_and_comes_in_when_the_first_has_gone(server, monkeypatch):
    monkeypatch.setattr(page, "PATIENCE", 0.2)
    with dial(server) as first:
        first.send(plain(0.0))
        first.recv(timeout=10)
        with dial(server) as second:
            code, reason = closed(second)
        assert code == 1013
        assert "Another page" in reason
        first.send(plain(1.0))  # the first one has not been disturbed
        assert json.loads(first.recv(timeout=10))["time"] == 1.0
    with dial(server) as third:
        third.send(plain(0.0))
        assert json.loads(third.recv(timeout=10))["time"] == 0.0


def test_a_page_that_is_loaded_again_is_let_in_while_the_old_one_leaves(server):
    with dial(server) as first:
        first.send(plain(0.0))
        first.recv(timeout=10)
        threading.Timer(0.3, first.close).start()
        with dial(server) as again:
            again.send(plain(0.0))
            assert json.loads(again.recv(timeout=10))["time"] == 0.0


def test_closing_in_the_middle_of_a_picture_frees_the_place_at_once():
    hold = threading.Event()
    holds = [hold, None]
    with Webcam(lambda: Watch(holds.pop(0))) as running:
        with dial(running) as socket:
            socket.send(plain(0.0))
            time.sleep(0.2)  # it is being read
        try:
            with dial(running) as socket:
                socket.send(plain(0.0))
                assert json.loads(socket.recv(timeout=10))["people"]
        finally:
            hold.set()


def test_closing_the_program_tells_the_page(server):
    with dial(server) as socket:
        socket.send(plain(0.0))
        socket.recv(timeout=10)
        began = time.monotonic()
        server.close()
        assert closed(socket)[0] == 1012
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1280, 720), (720, 1280)])
def test_pictures_of_all_shapes_come_back_as_they_were(width, height):
    rgb = np.arange(width * height * 3, dtype=np.uint32).astype(np.uint8).reshape(height, width, 3)
    seen, at = picture(message(rgb, 12.5))
    assert np.array_equal(seen, rgb)
    assert at == 12.5


# ---- the page -----------------------------------------------------------------------------------------------------------

PATIENT = 90  # seconds: without a graphics card a browser takes its time
CAMERA = ("--use-fake-device-for-media-stream", "--disable-gpu-compositing")


def write_camera(path, pictures, rate: int = 6):
    """A film in the plain format that Chromium takes for a camera (YUV4MPEG2, 4:4:4)."""
    height, width = pictures[0].shape[:2]
    weights = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420jpeg\n".encode())
        for rgb in pictures:
            y, u, v = np.moveaxis(rgb @ weights.T, -1, 0)
            file.write(b"FRAME\n" + y.clip(0, 255).astype(np.uint8).tobytes())
            for plane in (u, v):
                small = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) + 128
                file.write(small.clip(0, 255).astype(np.uint8).tobytes())
    return path


@contextlib.contextmanager
def opened(server: Webcam, *flags: str, avatar: bool = True):
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *CAMERA, *flags])
        tab = browser.new_page(viewport={"width": 640, "height": 480})
        tab.errors, tab.hosts = [], set()
        tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.on("request", lambda request: tab.hosts.add(urlsplit(request.url).netloc))
        if not avatar:  # as where there is no WebGL: everything else goes on
            tab.route("**/avatar.glb", lambda route: route.abort())
        tab.goto(server.url)
        yield tab
        browser.close()


def start(tab) -> None:
    until(tab, "window.kinesics !== undefined", PATIENT)
    tab.evaluate("document.getElementById('start').click()")


@fetched
def test_in_the_browser_a_camera_is_read_drawn_and_mirrored_by_an_avatar(tmp_path):
    image = portrait(0)[2].rgb
    film = write_camera(
        tmp_path / "camera.y4m", [scene([(image, 20 + 6 * k, 8)], 320, 240) for k in range(10)]
    )
    camera = ("--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={film}")
    with Webcam(lambda: LiveReader(hands=False)) as running, opened(running, *camera) as tab:
        until(tab, "window.kinesics?.mirror", PATIENT)
        assert tab.evaluate("window.kinesics.mirror.turned('head')") == 0
        start(tab)
        until(tab, "window.kinesics.answer?.people.length === 1 && window.kinesics.answer.time > 2", PATIENT)
        person = tab.evaluate("window.kinesics.answer.people[0]")
        assert person["box"][2] - person["box"][0] > 60
        assert tab.locator(".person h2").all_text_contents() == ["person 1"]
        # The avatar's head goes where the person's does, which is hardly ever exactly ahead.
        until(tab, "window.kinesics.mirror.turned('head') > 0.05", PATIENT)
        assert tab.evaluate("window.kinesics.mirror.turned('head')") < 30
        for name, least in (("#frame", 20), ("#room", 10), ("#running", 2)):
            assert picture_of(tab, name).std() > least, name
        until(tab, "window.kinesics.answer.people[0]?.expression != null", PATIENT)
        tab.evaluate("document.getElementById('stop').click()")
        until(tab, "!document.getElementById('hello').hidden", PATIENT)
        assert tab.locator(".person").count() == 0
        assert tab.locator("#trouble").inner_text() == ""
        assert tab.errors == []
        assert len(tab.hosts - {""}) == 1  # "": textures out of the avatar's own file


def test_without_leave_to_use_the_camera_the_page_says_what_to_do(server):
    with opened(server, "--deny-permission-prompts", avatar=False) as tab:
        start(tab)
        until(tab, "document.getElementById('trouble').textContent !== ''", PATIENT)
        assert "not allowed to use the camera" in tab.locator("#trouble").inner_text()


def test_when_the_program_ends_the_page_says_so(server, tmp_path):
    film = write_camera(tmp_path / "camera.y4m", [np.full((240, 320, 3), 90, np.uint8)] * 2)
    camera = ("--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={film}")
    with opened(server, *camera, avatar=False) as tab:
        start(tab)
        until(tab, "window.kinesics.answer !== null", PATIENT)
        assert tab.locator("#room").is_hidden()
        server.close()
        until(tab, "document.getElementById('trouble').textContent !== ''", PATIENT)
        assert "kinesics read webcam" in tab.locator("#trouble").inner_text()
