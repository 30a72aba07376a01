"""The viewer's server: who is let in, what is refused, what is said about bad files."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

import numpy as np
import pytest

from kinesics.bodies.avatar import load_avatar
from kinesics.errors import DataError, FormatError
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Interval, Motion, Performance, Tier
from kinesics.studio import _local, server, view

EMPTY = b"glTF\x02\0\0\0\x0c\0\0\0"


@pytest.fixture
def viewer():
    with view(EMPTY, name="empty.glb", block=False, open_browser=False) as running:
        yield running


def ask(viewer, path="", *, method="GET", token=None, **headers):
    parts = urlsplit(viewer.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
    try:
        start = parts.path if token is None else f"/{token}/"
        connection.request(method, start + path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, response.read(), {k.lower(): v for k, v in response.getheaders()}
    finally:
        connection.close()


def test_page_and_performance_are_served(viewer):
    status, body, headers = ask(viewer)
    assert status == 200
    assert b"<canvas" in body
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert ask(viewer, "performance.glb")[1] == EMPTY
    assert json.loads(ask(viewer, "about.json")[1]) == {
        "name": "empty.glb",
        "bytes": 12,
        "people": [],
        "film": None,
    }


def test_bundle_names_no_other_host(viewer):
    page = ask(viewer)[1].decode()
    assert "http://" not in page
    assert "https://" not in page
    assert ask(viewer, "viewer.css")[1].decode().count("url(") == 0


@pytest.mark.parametrize("token", ["", "x", "wrong-token-of-some-length", "%2e%2e"])
def test_without_the_token_nothing_is_served(viewer, token):
    for path in ["", "performance.glb", "viewer.js"]:
        status, body, _ = ask(viewer, path, token=token)
        assert status == 403
        assert b"glTF" not in body


def test_token_is_new_in_each_run(viewer):
    with view(EMPTY, block=False, open_browser=False) as other:
        assert urlsplit(other.url).path != urlsplit(viewer.url).path
        assert len(urlsplit(other.url).path) > 20


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", ""])
def test_other_host_names_are_refused(viewer, host):
    assert ask(viewer, Host=host)[0] == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_other_origins_are_refused(viewer, origin):
    assert ask(viewer, "performance.glb", Origin=origin)[0] == 403


def test_own_origin_is_let_in(viewer):
    port = urlsplit(viewer.url).port
    assert ask(viewer, Origin=f"http://127.0.0.1:{port}")[0] == 200
    assert ask(viewer, Host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_reading(viewer, method):
    status, _, headers = ask(viewer, method=method)
    assert status == 405
    assert headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "../performance.glb",
        "..%2f..%2fetc/passwd",
        "/etc/passwd",
        "static/index.html",
        "server.py",
        "index.html%00",
        "docs",
        "openapi.json",
    ],
)
def test_requests_name_no_files(viewer, path):
    status, body, _ = ask(viewer, path)
    assert status in (403, 404)
    assert b"root:" not in body


def test_listens_on_loopback_only_and_frees_its_port(viewer):
    port = urlsplit(viewer.url).port
    assert viewer._socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(DataError, match="port"):
        view(EMPTY, block=False, open_browser=False, port=port)
    viewer.close()
    viewer.close()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):  # noqa: PT011
        pass


def test_bad_files_are_explained(tmp_path, monkeypatch):
    for name, error, said in (("talk.glb", FormatError, "glTF"), ("talk.fbx", DataError, r"\.kin")):
        wrong = tmp_path / name
        wrong.write_bytes(b"Kaydara FBX Binary")
        with pytest.raises(error, match=said):
            view(wrong, block=False, open_browser=False)
    with pytest.raises(FormatError, match="cut short"):
        view(b"glTF\x02\0\0\0\xff\0\0\0", block=False, open_browser=False)
    with pytest.raises(FormatError, match="check the path"):
        view(tmp_path / "absent.glb", block=False, open_browser=False)
    monkeypatch.setattr(server, "MAX_BYTES", 10)
    large = tmp_path / "large.glb"
    large.write_bytes(EMPTY)
    for source in (large, EMPTY):
        with pytest.raises(DataError, match="takes up to"):
            view(source, block=False, open_browser=False)


def test_performances_and_other_files_are_put_on_an_avatar(tmp_path):
    words = Performance({"words": Tier("words", [Interval(0, 0.5, "hello")])})
    words.save(tmp_path / "talk.kin")
    for source, name in ((words, "performance"), (tmp_path / "talk.kin", "talk.kin")):
        with view(source, block=False, open_browser=False) as viewer:
            assert viewer.name == name
            body = ask(viewer, "performance.glb")[1]
            assert body[:4] == b"glTF"
            assert b'"hello"' in body


def test_motion_on_another_skeleton_becomes_bones(caplog):
    tail = Skeleton(("root", "middle", "tip"), (-1, 0, 1), np.array([[0, 1, 0], [0, 0.5, 0], [0, 0.5, 0]]))
    turns = np.tile([1.0, 0, 0, 0], (4, 3, 1))
    turns[2, 1] = [0.6, 0.8, 0, 0]
    motion = Motion(tail, turns, np.arange(12).reshape(4, 3), 2)
    with view(Performance({"body": motion}), block=False, open_browser=False) as viewer:
        data = ask(viewer, "performance.glb")[1]
    assert "shown as bones" in caplog.text
    length = int.from_bytes(data[12:16], "little")
    document, binary = json.loads(data[20 : 20 + length]), data[28 + length :]
    assert [node["name"] for node in document["nodes"]] == ["root", "middle", "tip", "motion"]

    def channel(joint, path):
        animation = document["animations"][0]
        sampler = next(
            c["sampler"] for c in animation["channels"] if c["target"] == {"node": joint, "path": path}
        )
        accessor = document["accessors"][animation["samplers"][sampler]["output"]]
        offset = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
        width = {"VEC3": 3, "VEC4": 4}[accessor["type"]]
        return np.frombuffer(binary, "<f4", accessor["count"] * width, offset).reshape(-1, width)

    np.testing.assert_allclose(channel(0, "translation"), motion.root)
    np.testing.assert_allclose(channel(1, "rotation")[2], [0.8, 0, 0, 0.6], atol=1e-6)


def test_an_animation_for_any_vrm_is_put_on_an_avatar(tmp_path):
    turns = np.tile([1.0, 0, 0, 0], (4, 55, 1))
    skeleton = load_avatar("maya").skeleton
    motion = Motion(skeleton, turns, np.tile(skeleton.offsets[0], (4, 1)), 30)
    Performance({"body": motion}).save(tmp_path / "a.vrma")
    with view(tmp_path / "a.vrma", block=False, open_browser=False) as viewer:
        data = ask(viewer, "performance.glb")[1]
    assert len(json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])["meshes"]) == 2


def test_without_a_browser_the_address_is_said(monkeypatch, capsys):
    monkeypatch.setattr(_local, "_open", lambda url: False)
    with view(EMPTY, name="talk.glb", block=False) as viewer:
        said = capsys.readouterr().err
        assert viewer.url in said
        assert "no browser" in said


def test_no_text_browser_takes_the_terminal(monkeypatch):
    monkeypatch.setattr(_local.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_local.webbrowser, "open", lambda url: pytest.fail("opened"))
    assert _local._open("http://127.0.0.1:1/") is False


def test_control_characters_leave_the_name(tmp_path):
    with view(EMPTY, name="a\x1b[31m\nb" + "c" * 500, block=False, open_browser=False) as viewer:
        assert viewer.name.startswith("a [31m b")
        assert len(viewer.name) == 200


def test_blocking_ends_on_ctrl_c(monkeypatch):
    def interrupted(self, timeout=None):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(_local.threading.Thread, "join", interrupted)
    viewer = view(EMPTY, open_browser=False)
    assert not viewer._thread.is_alive()
