"""Who speaks, in films of two who talk in turns.

Conversations of the stage (true times of who speaks are known), each person on a body of their own, filmed side by side, 512 × 256 at 25
pictures a second, with the sound of both together; then read as any film is, without a transcript. F1 counts frames of both people, 30 a
second. Controls: the same faces with the sound of another conversation, without any sound, and everybody always speaking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks._measure import Figure, skipped
from kinesics.hear import espeak
from kinesics.performance import Performance, Scene, Tier, Video
from kinesics.see.together import relate
from kinesics.stage import conversation

SEED, FILMS, TURNS = 8311, 3, 6
AVATARS = ("maya", "theo")
_FPS = 30


def run(runs: int) -> list[Figure]:
    """Everything once: the people are the same every time."""
    del runs
    import kinesics as kn
    from kinesics.see import models

    what = "who speaks, two people filmed side by side"
    if not models.available():
        return [skipped(what, "it needs the models of kinesics fetch landmarks")]
    if not espeak.available():
        return [skipped(what, "speakers need the extra voice")]
    truths = [conversation(SEED, n, turns=TURNS) for n in range(FILMS)]
    read = []
    with TemporaryDirectory() as folder:
        for n, scene in enumerate(truths):
            film = _filmed(scene, Path(folder), n)
            read.append(kn.read(film, hands=False, body=False, progress=False))
    plain = [replace(s, people={k: _mute(p) for k, p in s.people.items()}) for s in read]
    spans = ("video", "speech", "speech spans")
    # relate() again, with what another film had to be heard, or nothing.
    other = [replace(s, shared={**s.shared, **{k: plain[n - 1].shared[k] for k in spans[1:]}}) for n, s in enumerate(plain)]  # fmt: skip
    mute = [replace(s, shared={"video": s.shared["video"]}) for s in plain]
    return [
        _figure("read", truths, read),
        _figure("control, the sound of another film", truths, [relate(s) for s in other]),
        _figure("without the sound", truths, [relate(s) for s in mute]),
        _figure("control, everybody always", truths, None),
    ]


def _mute(person: Performance) -> Performance:
    return person.with_tracks(speaking=None, backchannels=None)


def _filmed(scene: Scene, folder: Path, number: int) -> Path:
    import av

    views = []
    for i, show in enumerate(scene.people.values()):
        path = folder / f"{number}-{i}.mp4"
        show.save(path, view="bust", width=256, height=256, fps=25, avatar=AVATARS[i])
        views.append(Video.load(path))
    sound, path = scene.shared["speech"], folder / f"{number}.mp4"
    rate, done = sound.rate, 0
    with av.open(str(path), "w") as out:
        shown, said = out.add_stream("libx264", rate=25), out.add_stream("aac", rate=rate, layout="mono")
        (shown.width, shown.height), shown.pix_fmt = (512, 256), "yuv420p"
        for i, images in enumerate(zip(*(v.frames() for v in views), strict=False)):
            frame = av.VideoFrame.from_ndarray(np.concatenate(images, axis=1), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            out.mux(shown.encode(frame))
            while done < min((i + 1) * rate // 25, len(sound)):
                part = av.AudioFrame.from_ndarray(sound.samples[None, done : done + 1024], "fltp", "mono")
                part.sample_rate, part.pts, part.time_base = rate, done, Fraction(1, rate)
                out.mux(said.encode(part))
                done += 1024
        out.mux(shown.encode(None))
        out.mux(said.encode(None))
    return path


def _figure(name: str, truths: list[Scene], read: list[Scene] | None) -> Figure:
    both = found = true = right = alone = 0
    for n, scene in enumerate(truths):
        masks = _masks(scene.people, scene.duration)
        # Who is further left in the picture is the first.
        seen = (
            [np.ones_like(m) for m in masks] if read is None else _masks(_by_place(read[n]), scene.duration)
        )
        for a, b in zip(masks, seen, strict=True):
            both, true, found = both + int((a & b).sum()), true + int(a.sum()), found + int(b.sum())
        one = np.logical_xor(*masks)
        right += int(np.logical_and.reduce([a == b for a, b in zip(masks, seen, strict=True)])[one].sum())
        alone += int(one.sum())
    note = f"precision {both / max(found, 1):.2f}, recall {both / true:.2f}; both people right where one speaks: {right / alone:.2f}"
    return Figure(f"who speaks, {name}: F1 of frames", 2 * both / (found + true), "", note=note)


def _by_place(scene: Scene) -> Mapping[str, Performance]:
    def left(item: tuple[str, Performance]) -> float:
        return float(np.median(item[1]["face_box"].column("x")))

    return dict(sorted(scene.people.items(), key=left))


def _masks(people: Mapping[str, Performance], seconds: float) -> list[np.ndarray]:
    """(T,) where each speaks."""
    out = []
    for person in people.values():
        mask = np.zeros(round(seconds * _FPS), bool)
        told = person.get("speaking")
        for i in told if isinstance(told, Tier) else ():
            if i.label == "speaking":
                mask[max(0, round(i.start * _FPS)) : round(i.end * _FPS)] = True
        out.append(mask)
    return out
