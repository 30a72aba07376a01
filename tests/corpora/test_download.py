"""Nothing is fetched unasked, and what is fetched is checked. A server on this machine stands in for the net."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from kinesics import corpora
from kinesics.corpora import _download, cmu
from kinesics.errors import DataError, FormatError

DATA = bytes(range(256)) * 8000


class Handler(BaseHTTPRequestHandler):
    ranges, stop_at, asked = True, None, []

    def do_GET(self):
        first = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        Handler.asked.append(first)
        if self.ranges and first:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(DATA) - 1}/{len(DATA)}")
        else:
            first = 0
            self.send_response(200)
        self.send_header("Content-Length", str(len(DATA) - first))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # who has read enough hangs up
            self.wfile.write(DATA[first : self.stop_at])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """``opened`` for :func:`fetch`: https://data/… goes to a server here."""
    monkeypatch.setattr(Handler, "ranges", True)
    monkeypatch.setattr(Handler, "stop_at", None)
    Handler.asked.clear()
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=http.serve_forever, daemon=True).start()

    def opened(request):
        url = request.full_url.replace("https://data", f"http://127.0.0.1:{http.server_port}")
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return direct.open(urllib.request.Request(url, headers=dict(request.header_items())), timeout=5)

    yield opened
    http.shutdown()
    http.server_close()


def test_a_download_goes_on_where_it_stopped(server, tmp_path, monkeypatch):
    path = tmp_path / "a" / "x.zip"
    monkeypatch.setattr(Handler, "stop_at", 1_500_000)
    with pytest.raises(DataError, match=r"run it again|kept"):
        _download.fetch("https://data/x.zip", path, most=10_000_000, opened=server)
    assert not path.exists()
    have = (tmp_path / "a" / "x.zip.part").stat().st_size
    assert 0 < have <= 1_500_000
    monkeypatch.setattr(Handler, "stop_at", None)
    _download.fetch("https://data/x.zip", path, most=10_000_000, opened=server)
    assert path.read_bytes() == DATA
    assert Handler.asked == [0, have]
    _download.fetch("https://data/x.zip", path, most=10_000_000, opened=server)
    assert len(Handler.asked) == 2, "what is there is not fetched again"


def test_a_server_without_ranges_starts_over(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "ranges", False)
    (tmp_path / "x.part").write_bytes(b"old" * 1000)
    assert (
        _download.fetch("https://data/x", tmp_path / "x", most=10_000_000, opened=server).read_bytes() == DATA
    )


def test_more_than_was_announced_is_refused(server, tmp_path):
    with pytest.raises(DataError, match="at most 1,000"):
        _download.fetch("https://data/x", tmp_path / "x", most=1000, opened=server)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("url", ["http://data/x", "file:///etc/passwd", "ftp://data/x"])
def test_only_https(url, tmp_path):
    with pytest.raises(DataError, match="https"):
        _download.fetch(url, tmp_path / "x", most=10)


def test_redirects_must_stay_secure():
    handler = _download._HttpsOnly()
    request = urllib.request.Request("https://data/x")
    with pytest.raises(DataError, match="https"):
        handler.redirect_request(request, None, 302, "", {}, "http://data/y")
    assert handler.redirect_request(request, None, 302, "", {}, "https://data/y").full_url == "https://data/y"


def test_no_means_nothing_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(_download, "_opened", lambda *_: pytest.fail("the network was touched"))
    told: list[str] = []
    with pytest.raises(DataError, match="nobody agreed"):
        cmu.download(tmp_path, confirm=lambda text: bool(told.append(text)))
    assert "NSF EIA-0196217" in told[0]
    assert "https://" in told[0]
    with pytest.raises(DataError, match="nobody agreed"):
        cmu.download(tmp_path)  # no terminal to ask on
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["beat", "beat2", "mead", "stage", "ted"])
def test_what_no_program_may_fetch_is_explained(name, tmp_path, capsys):
    assert corpora.get(name).download(tmp_path / "x") == []
    text = capsys.readouterr().out
    assert "By hand" in text
    assert f"kinesics prepare {name}" in text
    assert not (tmp_path / "x").exists()


def test_cmu_fetches_and_unpacks(tmp_path, monkeypatch):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("repo-1/data/001/01_01.bvh", "HIERARCHY")
        archive.writestr("repo-1/../../evil_02.bvh", "HIERARCHY")
        archive.writestr("repo-1/run.py", "no")

    class Answer(io.BytesIO):
        status, headers = 200, {}

    real = _download.fetch
    monkeypatch.setattr(
        _download,
        "fetch",
        lambda url, path, most: real(url, path, most=most, opened=lambda _: Answer(data.getvalue())),
    )
    found = cmu.download(tmp_path / "cmu", confirm=lambda _: True)
    assert sorted(p.relative_to(tmp_path / "cmu").as_posix() for p in found) == [
        "bvh/01_01.bvh",
        "bvh/evil_02.bvh",
    ]
    assert not (tmp_path / "evil_02.bvh").exists()


def test_bombs_and_damaged_archives(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bvh", bytes(5_000_000))
    with pytest.raises(FormatError, match="unpacked"):
        list(_download.unpack(path, tmp_path / "out", (".bvh",), most=10_000_000))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bvh", "HIERARCHY " + "1 2 3 " * 20)
    for at in range(0, len(whole.getvalue()), 3):
        raw = bytearray(whole.getvalue())
        raw[at] ^= 0xFF
        path.write_bytes(raw)
        with suppress(FormatError):
            list(_download.unpack(path, tmp_path / "out2", (".bvh",), most=10_000))
        path.write_bytes(whole.getvalue()[:at])
        with pytest.raises(FormatError):
            list(_download.unpack(path, tmp_path / "out3", (".bvh",), most=10_000))
