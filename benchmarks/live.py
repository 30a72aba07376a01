"""How fast people are read live: pictures through the whole exchange of ``kinesics read webcam``, without the browser.

A page is stood in for by a client on the loopback WebSocket: a speaker who does not exist, filmed at 640 × 360, as the raw pixels
(RGBA, 0.9 MB) that the page sends. Throughput: two pictures are always on their way, as the page does it. Latency: a picture is sent every
25th of a second, the time until its answer is here; pictures that were dropped for newer ones are told apart. Everything that the page shows
is in an answer: landmarks, face, head, gaze, events, expression with reasons, the avatar's pose, and with hands and body these, fitted, too.
"""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np

from benchmarks._measure import Figure, skipped
from benchmarks.performing import TEXT

_PICTURES = 250
_RATE = 25.0


def run(runs: int = 3) -> list[Figure]:
    """Rows of results; none without the landmark models."""
    import kinesics as kn
    from kinesics.see import models

    if not models.available():
        return [skipped("reading live", "it needs the models of kinesics fetch landmarks")]
    show = kn.perform(TEXT, seed=3, progress=False).slice(0, _PICTURES / _RATE)
    film = kn.film(show, view="half", width=640, height=360, fps=25)
    opaque = np.full((360, 640, 1), 255, np.uint8)
    pixels = [np.concatenate([shot.rgb, opaque], axis=2).tobytes() for shot in film.shots()]

    rows = []
    for what, which in (
        ("the face", {"hands": False, "body": False}),
        ("face, hands and body", {"hands": True, "body": True}),
    ):
        with _serving(**which) as url, _Page(url, pixels) as page:
            page.hurry(25)  # networks are compiled, and somebody is found
            speeds = sorted(page.hurry(_PICTURES) for _ in range(runs))
            late, dropped = page.pace(_PICTURES)
        middle = speeds[len(speeds) // 2]
        rows.append(Figure(f"{what}: throughput", middle, "pictures a second", speeds[0], speeds[-1], runs))
        for name, share in (("median", 0.5), ("95th percentile", 0.95)):
            value = 1e3 * float(np.quantile(late, share))
            rows.append(Figure(f"{what}: latency at 25 a second, {name}", value, "ms", runs=1))
        rows.append(Figure(f"{what}: dropped at 25 a second", 100 * dropped, "%", runs=1))
    return rows


@contextlib.contextmanager
def _serving(**which: bool) -> Iterator[str]:
    """The address of the page, served by another process, as a browser is another one."""
    code = f"from kinesics.studio.webcam import webcam; webcam(open_browser=False, **{which})"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            yield next(line.split()[1] for line in server.stderr if line.startswith("webcam: "))
        finally:
            server.terminate()


class _Page:
    """Sends pictures over and over as the page does, from number 0 on, and takes the answers."""

    def __init__(self, url: str, pixels: list[bytes]) -> None:
        from websockets.sync.client import connect

        parts = urlsplit(url)
        self._pixels, self._next, self._answered = pixels, 0, -1
        self._dial = connect(
            f"ws://{parts.netloc}{parts.path}read", origin=f"http://{parts.netloc}", max_size=None
        )

    def __enter__(self) -> _Page:
        self._socket = self._dial.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._dial.__exit__(*error)

    def _send(self) -> None:
        pixels = self._pixels[self._next % len(self._pixels)]
        self._socket.send(struct.pack("<IId", 640, 360, self._next / _RATE) + pixels)
        self._next += 1

    def _take(self) -> int:
        """Number of the picture that the next answer is to."""
        self._answered = round(json.loads(self._socket.recv(timeout=120))["time"] * _RATE)
        return self._answered

    def hurry(self, count: int) -> float:
        """Pictures a second with two on their way."""
        begun = time.perf_counter()
        for _ in range(count):
            self._send()
            while self._answered < self._next - 2:
                self._take()
        while self._answered < self._next - 1:
            self._take()
        return count / (time.perf_counter() - begun)

    def pace(self, count: int) -> tuple[list[float], float]:
        """Seconds until each picture's answer, at 25 pictures a second, and the share that was dropped."""
        sent: dict[int, float] = {}
        late: list[float] = []
        last = self._next + count - 1

        def listen() -> None:
            while self._answered < last:
                number = self._take()
                late.append(time.perf_counter() - sent[number])

        listener = threading.Thread(target=listen)
        listener.start()
        begun = time.perf_counter()
        for k in range(count):
            time.sleep(max(0.0, begun + k / _RATE - time.perf_counter()))
            sent[self._next] = time.perf_counter()
            self._send()
        listener.join()
        return late, 1 - len(late) / count
