"""A film of two hours, read whole: memory, time, and what happens when the reading is stopped.

Run only when it is named: it takes the better part of an hour. Ten minutes of film (the free videos of the shared data, cut hard, 320 × 180
at five pictures a second, with real speech from beginning to end) are joined twelve times. ``kinesics read``, in a process of
its own, looks at faces (neither hands nor bodies), hears the sound, and writes ELAN, CSV, Parquet and a report. It is stopped by SIGINT
and then by SIGKILL, each time begun again with the same command, and finishes. The ten minutes go first, so that growth shows; last, the
sound of the two hours is heard alone. ``anonymous`` memory is what only the process has; ``resident`` counts pages of mapped files as
well, which the system takes back when it needs them. Both are looked at twice a second.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import numpy as np

from benchmarks._measure import Figure, skipped
from kinesics.performance import Audio, Scene, Tier, Video

SHARED = Path(os.environ.get("KINESICS_SHARED", Path(__file__).parents[2] / "shared"))
CLIPS = ("WolfgangLanger_Pexels.mp4", "tfvt_potential_interaction.mp4", "tfvt_no_interaction.mp4")
SIZE, FPS, RATE, BLOCK = (320, 180), 5, 16000, 1024
SHORT, TIMES = 600, 12
"""Seconds of the short film, and how many of it make the long one."""
STOPS = ((signal.SIGINT, 60.0), (signal.SIGKILL, 60.0))
"""What stops the reading of the long film, and after how many seconds."""
OUTPUTS = ("film.eaf", "film.csv", "film.parquet", "film.html")


def run(runs: int) -> list[Figure]:
    """All figures; ``runs`` changes nothing: once is long enough."""
    from kinesics.see import models

    what = "a film of two hours"
    if not models.available():
        return [skipped(what, "landmark models have not been fetched")]
    if not (SHARED / "data/free-video").is_dir():
        return [skipped(what, "free-video is not on this machine")]
    # A program in the background may have been told to ignore it, and what it starts would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        short = film(Path(folder) / "short.mp4", SHORT)
        long = joined(short, Path(folder) / "long.mp4", TIMES)
        return [*_measured(short, ()), *_measured(long, STOPS), *_heard(long)]


def film(path: Path, seconds: int) -> Path:
    """Write a film of so many seconds."""
    import av

    shown, heard = _pictures(), _speech()
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "g": "25"})
        (pictures.width, pictures.height), pictures.pix_fmt = SIZE, "yuv420p"
        sound = out.add_stream("aac", rate=RATE)
        sound.layout = "mono"
        written = 0
        for i in range(seconds * FPS):
            frame = next(shown).reformat(*SIZE, format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            out.mux(pictures.encode(frame))
            while written < (i + 1) * RATE // FPS:
                block = av.AudioFrame.from_ndarray(next(heard), "fltp", "mono")
                block.sample_rate, block.pts, block.time_base = RATE, written, Fraction(1, RATE)
                out.mux(sound.encode(block))
                written += BLOCK
        out.mux(pictures.encode(None))
        out.mux(sound.encode(None))
    return path


def joined(short: Path, path: Path, times: int) -> Path:
    """Write a film that is another, so many times over; packets are copied."""
    import av

    step = SHORT + 1  # sound ends a little later than pictures
    with av.open(str(path), "w") as out:
        streams: list = []
        for k in range(times):
            with av.open(str(short)) as source:
                given = [source.streams.video[0], source.streams.audio[0]]
                streams = streams or [out.add_stream_from_template(stream) for stream in given]
                for packet in source.demux(*given):
                    if packet.dts is None:
                        continue
                    later = int(k * step / packet.time_base)
                    packet.pts, packet.dts = packet.pts + later, packet.dts + later
                    packet.stream = streams[given.index(packet.stream)]
                    out.mux(packet)
    return path


def _pictures() -> Iterator:
    import av

    for name in cycle(CLIPS):
        for image in Video.load(SHARED / "data/free-video" / name).resample(FPS).frames():
            yield av.VideoFrame.from_ndarray(image, format="rgb24")


def _speech() -> Iterator[np.ndarray]:
    import kinesics as kn

    left = np.zeros(0, np.float32)
    for path in cycle(sorted((SHARED / "data/free-speech/wav").glob("*.wav"))):
        said: Audio = kn.load(path).speech.mono().resample(RATE)
        left = np.concatenate([left, said.samples, np.zeros(RATE // 2, np.float32)])
        whole = len(left) // BLOCK
        yield from left[: whole * BLOCK].reshape(whole, 1, BLOCK)
        left = left[whole * BLOCK :]


def _measured(source: Path, stops: tuple[tuple[signal.Signals, float], ...]) -> list[Figure]:
    video = Video.load(source)
    name = f"{video.duration / 60:.0f} minutes"
    out = source.with_suffix("")
    out.mkdir()
    command = [sys.executable, "-m", "kinesics", "read", str(source), "--no-hands", "--no-body"]
    command += [part for file in OUTPUTS for part in ("-o", str(out / file))]
    figures, began = [], time.perf_counter()
    for stop, after in stops:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(after)
        process.send_signal(stop)
        code = process.wait(60)
        kept = sum(f.stat().st_size for f in out.glob(".*.reading/*.rows"))
        written = [f.name for f in out.iterdir() if not f.name.startswith(".")]
        figures.append(
            Figure(
                f"{name}, stopped by {stop.name} after {after:.0f} s: kept for the next run",
                kept / 1e6,
                "MB",
                note=f"exit code {code}; files at the outputs: {', '.join(written) or 'none'}",
            )
        )
    figures += _whole(name, command, began, f"{len(video)} pictures")
    figures += [
        Figure(f"{name}: {file}", (out / file).stat().st_size / 1e6, "MB", note=_kind(out / file))
        for file in OUTPUTS
    ]
    return figures


_HEAR = """
import sys, kinesics as kn
from kinesics.hear import hear
hear(kn.load(sys.argv[1]).speech).with_tracks(speech=None).save(sys.argv[2])
"""


def _heard(source: Path) -> list[Figure]:
    out = source.with_name("sound.eaf")
    command = [sys.executable, "-c", _HEAR, str(source), str(out)]
    return _whole("the sound alone, heard and written", command, time.perf_counter(), "ELAN")


def _whole(name: str, command: list[str], began: float, note: str) -> list[Figure]:
    """Run a command to its end: memory and seconds since ``began``."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        seen: dict[str, list[float]] = {"resident": [], "anonymous": []}
        watch = threading.Thread(target=_watch, args=(process, seen))
        watch.start()
        _, told = process.communicate()
        watch.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {told[-2000:]}")
    took = Figure(f"{name}: seconds in all", time.perf_counter() - began, "s", note=note)
    return [took, *(_memory(f"{name}: greatest {kind} memory", mb) for kind, mb in seen.items())]


def _memory(what: str, mb: list[float]) -> Figure:
    tenths = [max(part) for part in np.array_split(mb, 10) if len(part)]
    shown = " ".join(f"{m:.0f}" for m in tenths)
    return Figure(what, max(mb), "MB", note=f"greatest in each tenth of the time: {shown}")


def _watch(process: subprocess.Popen, seen: dict[str, list[float]]) -> None:
    """Memory of a process, in MB, until it ends."""
    names = {"VmRSS": "resident", "RssAnon": "anonymous"}
    while process.poll() is None:
        try:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except OSError:
            return
        for line in lines:
            key, _, value = line.partition(":")
            if key in names:
                seen[names[key]].append(1024e-6 * int(value.split()[0]))
        time.sleep(0.5)


def _kind(path: Path) -> str:
    """What a written file holds."""
    import kinesics as kn

    if path.suffix == ".csv":
        with path.open("rb") as file:
            return f"{sum(1 for _ in file) - 1} rows"
    if path.suffix == ".parquet":
        from pyarrow.parquet import read_metadata

        return f"{read_metadata(path).num_rows} rows"
    if path.suffix == ".html":
        return ""
    show = kn.load(path)
    people = show.people.values() if isinstance(show, Scene) else [show]
    tiers = [t for p in people for t in p.tracks.values() if isinstance(t, Tier)]
    return f"{len(people)} people, {len(tiers)} tiers, {sum(map(len, tiers))} intervals"
