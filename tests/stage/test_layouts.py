"""Corpora in published layouts come back through the readers of these formats, with their truth."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError, FormatError
from kinesics.formats import load, textgrid
from kinesics.performance import Audio
from kinesics.stage.layouts import BEAT_EMOTIONS, Clip, beat_numbers, clips, semantic_table, write_layout


@pytest.fixture(scope="module")
def beat(corpus, tmp_path_factory):
    return write_layout(corpus, tmp_path_factory.mktemp("beat"), "beat", progress=False)


@pytest.fixture(scope="module")
def beat2(corpus, tmp_path_factory):
    return write_layout(corpus, tmp_path_factory.mktemp("beat2"), "beat2", progress=False)


def test_beat_has_six_files_a_take_named_by_emotion(corpus, beat):
    _, found = clips(corpus)
    for c in found:
        first, last = BEAT_EMOTIONS[c.emotion]
        own = [p for p in (beat / str(c.number + 1)).iterdir() if first <= int(p.stem.split("_")[3]) <= last]
        assert {p.suffix for p in own} == {".bvh", ".json", ".wav", ".TextGrid", ".csv", ".txt"}
        assert all(p.stem.split("_")[:3] == [str(c.number + 1), f"s{c.number:04d}", "0"] for p in own)


def test_a_body_comes_back_from_beats_joints(corpus, beat):
    _, found = clips(corpus)
    numbers = beat_numbers(found)
    c = found[0]
    show = c.load()
    path = next((beat / "1").glob(f"*_{numbers[c.path]}.bvh"))
    back = load(path).body
    assert back.fps == 120
    assert len(back.skeleton.names) == 75
    again = retarget(back, show.body.skeleton)
    times = np.arange(0.2, show.body.duration - 0.2, 0.1)

    def hands(motion) -> np.ndarray:
        at = motion.at(times)
        places = at.skeleton.forward(at.rotations, at.root)[0]
        return places[:, [INDEX["leftHand"], INDEX["rightHand"]]] - places[:, [INDEX["hips"]]]

    assert np.median(np.linalg.norm(hands(again) - hands(show.body), axis=-1)) < 0.02


def test_beats_face_sound_and_words_come_back(corpus, beat):
    _, found = clips(corpus)
    numbers = beat_numbers(found)
    for c in found:
        show = c.load()
        stem = next((beat / str(c.number + 1)).glob(f"*_{numbers[c.path]}.json"))
        face = load(stem).face
        assert np.array_equal(face.column("jawOpen"), show.face.column("jawOpen"))
        sound = Audio.load(stem.with_suffix(".wav"))
        assert sound.rate == 16000
        assert sound.duration == pytest.approx(show.speech.duration, abs=1e-3)
        words = textgrid.read(stem.with_suffix(".TextGrid")).tier("words")
        assert words.labels == show.tier("words").labels
        row = next(csv.reader(stem.with_suffix(".csv").open()))
        assert row[0] == c.emotion
        assert int(row[4]) == list(BEAT_EMOTIONS).index(c.emotion)


def test_beat2_holds_an_arkit_face_and_no_flame(corpus, beat2):
    _, found = clips(corpus)
    assert beat2.name == "beat_english_v2.0.0"
    rows = list(csv.reader((beat2 / "train_test_split.csv").open()))
    assert rows[0] == ["id", "type"]
    assert len(rows) == 1 + len(found)
    assert {kind for _, kind in rows[1:]} == {"train", "test"}
    for (stem, _), c in zip(rows[1:], found, strict=True):
        path = beat2 / "smplxflame_30" / f"{stem}.npz"
        with np.load(path, allow_pickle=False) as data:
            assert data["poses"].shape[1] == 165
            assert not data["expressions"].any()
            assert str(data["basis"]) == "arkit"
            assert data["arkit"].shape == (len(data["poses"]), 52)
            assert int(data["mocap_frame_rate"]) == 30
        show, back = c.load(), load(path)
        assert back.duration == pytest.approx(show.body.duration, abs=0.04)
        with pytest.raises((DataError, FormatError), match="arkit"):
            load(path, basis="flame")
        assert (beat2 / "wave16k" / f"{stem}.wav").is_file()
        assert (beat2 / "textgrid" / f"{stem}.TextGrid").is_file()


def test_semantic_files_name_classes_scores_and_words(corpus):
    lines = []
    for c in clips(corpus)[1]:
        show = c.load()
        for line in semantic_table(show).decode().splitlines():
            name, start, end, duration, score, _ = line.split("\t")
            lines.append(name)
            assert float(end) - float(start) == pytest.approx(float(duration), abs=2e-4)
            assert 0 < float(score) <= 1
            assert name == "01_beat_align" or name[3:].rsplit("_", 1)[0] in (
                "deictic",
                "iconic",
                "metaphoric",
            )
    assert lines


def test_mead_is_named_as_mead(corpus, tmp_path):
    pytest.importorskip("av")
    pytest.importorskip("numba")
    write_layout(corpus, tmp_path / "mead", "mead", progress=False)
    lines = (tmp_path / "mead" / "list_full_mead_annotated.txt").read_text().splitlines()
    _about, found = clips(corpus)
    assert len(lines) == len(found)
    for line, c in zip(lines, found, strict=True):
        key, _, text = line.partition(" ")
        person, _, level, emotion, number = key.split("_")
        assert person[0] == ("W" if c.number % 2 == 0 else "M")
        audio = tmp_path / "mead" / person / "audio" / emotion / f"level_{level}" / f"{number}.m4a"
        show = c.load()
        assert text == show.meta["stage"]["text"].upper()
        assert load(audio).speech.duration == pytest.approx(show.speech.duration, abs=0.06)


def test_films_of_mead_show_the_speaker(corpus, tmp_path):
    pytest.importorskip("av")
    pytest.importorskip("numba")
    from kinesics.stage import layouts
    from kinesics.stage.speakers import speaker

    _, found = clips(corpus)
    show = found[0].load().slice(0.5, 0.9)
    layouts._film(tmp_path / "001.mp4", show, speaker(9, 0), 30.0, 64)
    film = load(tmp_path / "001.mp4")["video"]
    assert film.size == (64, 64)
    assert len(film) == 10


def test_a_second_run_keeps_what_is_there(corpus, tmp_path):
    write_layout(corpus, tmp_path, "beat2", progress=False)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npz")}
    next(iter(tmp_path.rglob("sem/*.txt"))).unlink()
    write_layout(corpus, tmp_path, "beat2", progress=False)
    assert sum(p.stat().st_mtime_ns != t for p, t in before.items()) == 1


def test_what_cannot_be_written_is_refused(corpus, tmp_path):
    with pytest.raises(DataError, match="choose one of"):
        write_layout(corpus, tmp_path, "vocaset")
    with pytest.raises(DataError, match="finished"):
        write_layout(tmp_path, tmp_path / "x", "beat")
    one = clips(corpus)[1][0]
    many = [replace(one, path=one.path.with_name(f"{k}.kin"), emotion="sad") for k in range(7)]
    assert isinstance(many[0], Clip)
    with pytest.raises(DataError, match="fewer takes"):
        beat_numbers(many)


def test_a_person_folder_agrees_with_itself(corpus, tmp_path):
    pytest.importorskip("av")
    pytest.importorskip("numba")
    import json

    from kinesics.render.textures import decode
    from kinesics.stage.person_folder import write_person
    from kinesics.stage.speakers import speaker

    _, found = clips(corpus)
    who, show = speaker(9, 0), found[0].load().slice(0.5, 1.1)
    root = write_person(who, [show, show.slice(0, 0.2)], tmp_path / "s0000", size=64)
    faces = np.load(root / "bs.npy", allow_pickle=False)
    assert faces.shape == (15 + 5, 52)
    assert len(Audio.load(root / "aud.wav")) == 20 * 640
    parts = [json.loads((root / f"transforms_{n}.json").read_text()) for n in ("train", "val")]
    assert [f["img_id"] for p in parts for f in p["frames"]] == list(range(20))
    marks = np.loadtxt(root / "ori_imgs" / "0.lms")
    assert marks.shape == (68, 2)
    labels = decode((root / "parsing" / "0.png").read_bytes())[..., :3]
    x, y = marks[30].astype(int)
    assert labels[y, x].tolist() == [0, 0, 255]
    assert labels[0, 0].tolist() == [255, 255, 255]
    torso = decode((root / "torso_imgs" / "0.png").read_bytes())
    assert np.array_equal(
        torso[..., 3] > 0, (labels == [255, 0, 0]).all(axis=2) | (labels == [0, 255, 0]).all(axis=2)
    )
    # The head's own points, through the camera that the head sees, fall where the picture shows them.
    person = who.identity
    nose = person.vertices[person.landmark("nose_bridge")] - person.joints[INDEX["head"]]
    for k in (0, 10):
        c2w = np.array(parts[0]["frames"][k]["transform_matrix"])
        seen = c2w[:3, :3].T @ (nose - c2w[:3, 3])
        pixel = (
            parts[0]["cx"] - parts[0]["focal_len"] * seen[0] / seen[2],
            parts[0]["cy"] + parts[0]["focal_len"] * seen[1] / seen[2],
        )
        shown = np.loadtxt(root / "ori_imgs" / f"{k}.lms")[27:29]
        assert np.linalg.norm(shown - pixel, axis=1).min() < 2.5
    before = (root / "bs.npy").stat().st_mtime_ns
    write_person(who, [show], root, size=64)
    assert (root / "bs.npy").stat().st_mtime_ns == before
