"""Corpora of speakers: the same bytes whoever makes them, whole after a kill, and true to their labels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kinesics.behaviour.controls import EMOTIONS
from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError
from kinesics.formats import load
from kinesics.hear import espeak
from kinesics.stage.acting import act, speak_as
from kinesics.stage.speakers import CONDITIONS, Voice, condition, make_speakers, speaker
from kinesics.stage.speech import MOODS, script

SETTINGS = {"takes": 2, "seconds": 2.0, "progress": False}  # of the fixture ``corpus``
pytestmark = pytest.mark.skipif(not espeak.available(), reason="needs the extra 'voice'")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_any_number_of_workers_gives_the_same_bytes(corpus, tmp_path):
    make_speakers(tmp_path / "two", 2, 9, jobs=2, **SETTINGS)
    assert contents(tmp_path / "two") == contents(corpus)


def test_a_killed_run_goes_on_to_the_same_result(corpus, tmp_path):
    folder = tmp_path / "killed"
    code = f"from kinesics.stage.speakers import make_speakers; make_speakers({str(folder)!r}, 2, 9, jobs=2, takes=2, seconds=2.0)"
    source = str(Path(__file__).parents[2] / "src")
    run = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": source}, stderr=subprocess.DEVNULL
    )
    limit = time.monotonic() + 60
    while not any(folder.rglob("*.kin")) and run.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    time.sleep(1.2)  # its workers notice within half a second
    (folder / "s0000" / ".s0000_x.kin.abc.part").write_bytes(b"half")
    (folder / "corpus.json").unlink(missing_ok=True)
    make_speakers(folder, 2, 9, jobs=1, **SETTINGS)
    assert contents(folder) == contents(corpus)


def test_other_settings_and_foreign_folders_are_refused(corpus, tmp_path):
    with pytest.raises(DataError, match="seed"):
        make_speakers(corpus, 2, 10, jobs=1, **SETTINGS)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="empty"):
        make_speakers(tmp_path, 1, 9, jobs=1, **SETTINGS)
    with pytest.raises(DataError, match="count"):
        make_speakers(tmp_path / "x", 0, 9)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        make_speakers(damaged, 1, 9)


def test_a_corpus_says_what_it_is(corpus):
    about = json.loads((corpus / "corpus.json").read_text())
    assert about["speakers"] == 2
    assert about["files"] == 4
    assert about["synthetic"]
    assert len(about["hash"]) == 32
    person = json.loads((corpus / "s0001" / "speaker.json").read_text())
    assert person["speaker"] == "s0001"
    assert person["voice"]["voice"] == speaker(9, 1).voice.voice


def test_a_take_holds_everything(corpus):
    for path in corpus.rglob("*.kin"):
        show = load(path)
        name, emotion, level, _ = path.stem.split("_")
        assert show.meta["stage"]["emotion"] == emotion == show.tier("emotion").labels[0]
        assert show.meta["stage"]["level"] == int(level)
        assert show.meta["stage"]["speaker"] == name
        assert {
            "speech",
            "words",
            "phones",
            "syllables",
            "f0",
            "energy",
            "body",
            "face",
            "gestures",
            "plan",
        } <= set(show)
        assert show.body.fps == show.face.fps == 60
        assert len(show.body) == len(show.face)
        assert abs(show.body.duration - show.speech.duration) < 0.1
        levels = show["emotion levels"]
        assert levels.names == EMOTIONS
        assert (levels.values.max(axis=1) == levels.column(emotion)).all()
        assert show.tier("phones").end <= show.speech.end
        assert len(show.tier("words")) > 3


def test_bilabials_close_on_every_speaker():
    text = script(1, "lips", words=8)
    for number in (0, 1, 5):
        show = act(speaker(9, number), text, emotion="happy", level=3)
        for p in show.tier("phones"):
            if p.label in ("P", "B", "M") and p.duration > 0.05:
                face = show.face.at([0.6 * p.start + 0.4 * p.end]).values[0]
                assert face[ARKIT.index("jawOpen")] - face[ARKIT.index("mouthClose")] < 0.08


def test_habits_are_seen():
    from dataclasses import replace

    from kinesics.bodies.humanoid import INDEX

    one = speaker(9, 1)
    text = script(3, "habits", words=24)
    small = replace(one, habits=replace(one.habits, amplitude=0.65, lip_gain=0.7, rate=28.0))
    large = replace(one, habits=replace(one.habits, amplitude=1.4, lip_gain=1.3, rate=28.0))
    jaw, reach = [], []
    for who in (small, large):
        show = act(who, text)
        jaw.append(show.face.column("jawOpen").std())
        places = show.body.skeleton.forward(show.body.rotations, show.body.root)[0]
        hand = places[:, INDEX["rightHand" if who.habits.handedness == "right" else "leftHand"]]
        reach.append(np.linalg.norm(np.diff(hand, axis=0), axis=1).sum())
    assert jaw[1] > 1.2 * jaw[0]
    assert reach[1] > 1.15 * reach[0]
    left = act(replace(large, habits=replace(large.habits, handedness="left")), text)
    hands = [i.label[-1] for i in left.tier("gestures") if i.label.startswith("stroke")]
    assert hands.count("L") > hands.count("R")


def formants(show) -> np.ndarray:
    """(n, 3) of the middles of vowels, by linear prediction."""
    x = show.speech.resample(10_000).samples
    x = np.append(x[0], x[1:] - 0.95 * x[:-1])
    rows = []
    for p in show.tier("phones"):
        if p.label in ("AY", "EY", "OW", "AO", "AA", "IY", "W", "L"):
            middle = int(p.middle * 10_000)
            part = x[middle - 128 : middle + 128] * np.hamming(256)
            r = np.correlate(part, part, "full")[255 : 255 + 11]
            matrix = r[np.abs(np.subtract.outer(np.arange(10), np.arange(10)))] + 1e-9 * r[0] * np.eye(10)
            roots = np.roots(np.r_[1, -np.linalg.solve(matrix, r[1:])])
            hertz = np.sort(np.angle(roots[roots.imag > 0]) * 10_000 / (2 * np.pi))
            rows.append(hertz[hertz > 200][:3])
    return np.array(rows)


def test_a_longer_tract_lowers_formants_and_nothing_else():
    text = "We are all away, you know, and nobody knows why."
    plain = Voice("en-us+m3", 160, 50, 40, 1.0)
    longer = Voice("en-us+m3", 160, 50, 40, 1.10)
    a, b = (speak_as(v, text) for v in (plain, longer))
    assert b.duration == pytest.approx(a.duration, rel=0.06)
    pitch = [np.median(x["f0"].values[x["f0"].values > 0]) for x in (a, b)]
    assert pitch[1] == pytest.approx(pitch[0], rel=0.08)

    ratio = np.median(formants(b) / formants(a), axis=0)
    assert np.all((ratio > 0.89) & (ratio < 0.95)), "1 / 1.10, and espeak-ng's own change with pitch"
    for show in (a, b):
        assert show.tier("words").labels[0] == "We"
        voiced = [p for p in show.tier("phones") if p.label == "AY"]
        assert all(p.end < show.speech.end for p in voiced)


def test_semantic_intervals_cover_the_words_that_call():
    text = script(4, "semantic", emotion="neutral", words=40)
    show = act(speaker(9, 0), text, level=3)
    tier = show.tier("semantic")
    assert len(tier) >= 0.8 * len(text.calls)
    assert any(i.value > 0 for i in tier)
    words = show.tier("words")
    shown = {i.label.split()[1] for i in tier if i.value > 0}
    strokes = {
        i.label.split()[1].rsplit("_", 1)[0] for i in show.tier("gestures") if i.label.startswith("stroke")
    }
    assert shown <= strokes
    assert all(any(abs(w.start - i.start) < 1e-6 for w in words) for i in tier)


def test_scripts_are_balanced_and_repeatable():
    assert set(MOODS) == set(EMOTIONS)
    assert len({len(v) for v in MOODS.values()}) == 1
    for emotion in EMOTIONS:
        one = script(5, 0, emotion=emotion, words=60)
        assert one == script(5, 0, emotion=emotion, words=60) != script(5, 1, emotion=emotion, words=60)
        assert "{" not in one.text
        assert 60 <= len(one.words) < 90
        assert len(one.calls) > 5
    with pytest.raises(DataError, match="emotion"):
        script(1, emotion="angry")


def test_takes_go_through_all_conditions():
    assert {condition(3, 1, t) for t in range(24)} == set(CONDITIONS)
    assert [condition(3, 1, t) for t in range(24)] != [condition(3, 2, t) for t in range(24)]
    with pytest.raises(DataError, match="level"):
        act(speaker(9, 0), script(1), level=4)
