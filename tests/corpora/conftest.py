"""Tiny data sets in the official layouts, written by our own writers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.retarget import retarget
from kinesics.geometry import rotations as rot
from kinesics.performance import Audio, Face, Interval, Motion, Performance, Tier

SECONDS = 2.0


def talk(seed: int = 0, seconds: float = SECONDS) -> Performance:
    """A person who waves an arm, moves the mouth and says two words."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * 60)
    t = np.arange(frames) / 60
    q = np.tile(rot.IDENTITY, (frames, 55, 1))
    for joint, axis in (("leftUpperArm", [0, 0, 1.0]), ("rightLowerArm", [0, 1.0, 0]), ("head", [1.0, 0, 0])):
        q[:, INDEX[joint]] = rot.from_axis_angle(axis, 0.5 * np.sin(2 * t + rng.uniform(0, 3)))
    skeleton = load_avatar("maya").skeleton
    root = skeleton.offsets[0] + np.stack([0.1 * t, 0 * t, 0 * t], axis=1)
    face = np.clip(0.5 + 0.5 * np.sin(3 * t[:, None] + np.arange(52)), 0, 1)
    wave = 0.3 * np.sin(2 * np.pi * 200 * np.arange(round(seconds * 16000)) / 16000)
    wave[: round(0.5 * 16000)] = 0
    return Performance(
        {
            "speech": Audio(wave.astype(np.float32), 16000),
            "body": Motion(skeleton, q, root, 60),
            "face": Face(face, ARKIT, 60),
            "words": Tier("words", (Interval(0.5, 1.0, "hello"), Interval(1.0, 1.8, "you"))),
            "phones": Tier(
                "phones",
                tuple(
                    Interval(0.5 + 0.2 * k, 0.7 + 0.2 * k, p) for k, p in enumerate(("HH", "AH0", "L", "OW1"))
                ),
            ),
        }
    )


def save_beat(
    folder: Path, name: str, show: Performance, *, emotion: str = "happiness", score: float = 0.8
) -> None:
    base = folder / name.split("_")[0] / name
    body = retarget(show.body, "beat").resample(120)
    formats.save(Performance({"body": body}), base.with_suffix(".bvh"))
    formats.save(show, base.with_suffix(".wav"))
    formats.beat_face.write(show, base.with_suffix(".json"))
    formats.save(show, base.with_suffix(".TextGrid"), tiers=("words", "phones"))
    base.with_suffix(".csv").write_text(f"{emotion},0.0,{show.duration},{show.duration},{score}\n")
    base.with_suffix(".txt").write_text(
        "01_beat_align\t0.5\t1.0\t0.5\t0.3\n05_iconic_l\t1.0\t1.8\t0.8\t0.9\tyou\n"
    )


def save_beat2(folder: Path, name: str, show: Performance) -> None:
    for sub in ("smplxflame_30", "wave16k", "textgrid", "sem"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    formats.save(show, folder / "smplxflame_30" / f"{name}.npz", layout="beat2", fps=30)
    formats.save(show, folder / "wave16k" / f"{name}.wav")
    formats.save(show, folder / "textgrid" / f"{name}.TextGrid", tiers=("words", "phones"))
    (folder / "sem" / f"{name}.txt").write_text("02_deictic_l\t0.2\t0.6\t0.4\t0.5\tyou\n")


@pytest.fixture(scope="session")
def show() -> Performance:
    """Two seconds of :func:`talk`."""
    return talk()


@pytest.fixture(scope="session")
def beat_source(tmp_path_factory) -> Path:
    """Three takes of speaker 2."""
    folder = tmp_path_factory.mktemp("beat")
    for k, take in enumerate((1, 9, 57)):
        save_beat(folder, f"2_scott_0_{take}_{take}", talk(k))
    return folder


@pytest.fixture(scope="session")
def beat2_source(tmp_path_factory) -> Path:
    """Four takes, one of which the split file does not list."""
    folder = tmp_path_factory.mktemp("beat2")
    for k, take in enumerate((1, 9, 103, 2)):
        save_beat2(folder, f"2_scott_0_{take}_{take}", talk(k))
    (folder / "train_test_split.csv").write_text(
        "id,type\n2_scott_0_1_1,test\n2_scott_0_9_9,train\n2_scott_0_103_103,val\n"
    )
    return folder


@pytest.fixture(scope="session")
def stage_source(tmp_path_factory) -> Path:
    """Two speakers with two clips each, as the stage writes them."""
    folder = tmp_path_factory.mktemp("stage")
    for k in range(4):
        speaker = folder / f"speaker_{k // 2}"
        speaker.mkdir(exist_ok=True)
        (speaker / "speaker.json").write_text(f'{{"id": "s{k // 2}"}}')
        clip = talk(k).with_tracks(
            emotion=Tier("emotion", (Interval(0, SECONDS, "happy", 0.5),)),
            semantic=Tier("semantic", (Interval(1.0, 1.5, "deictic", 0.7),)),
        )
        formats.save(clip, speaker / f"clip_{k}.kin")
    (folder / "corpus.json").write_text(
        '{"splits": {"train": ["clip_0", "clip_1", "clip_2"], "test": ["clip_3"]}}'
    )
    return folder


@pytest.fixture
def stage_corpus(stage_source, tmp_path):
    """The stage's folder, prepared."""
    from kinesics import corpora

    return corpora.get("stage").prepare(stage_source, tmp_path / "stage", fps=30)


@pytest.fixture(scope="session")
def talk_of() -> Callable[..., Performance]:
    """``talk_of(seed, seconds)``."""
    return talk
