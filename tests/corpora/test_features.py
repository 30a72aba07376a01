"""Features are what the performances hold, aligned, and made once."""

from __future__ import annotations

import logging
import pickle

import numpy as np
import pytest

from kinesics.bodies.humanoid import JOINTS
from kinesics.corpora import Corpus, Features, _features
from kinesics.errors import DataError, FormatError
from kinesics.geometry import rotations as rot

ALL = Features(
    parts=_features.PARTS, fps=20, joints=("hips", "leftUpperArm", "head"), bands=40, vectors="tfidf"
)


@pytest.fixture
def table(stage_corpus):
    return stage_corpus.features(ALL)


def test_shapes_and_columns(table):
    assert table.frames == 4 * 40
    shapes = {p: a.shape[1:] for p, a in ((p, table[p]) for p in table)}
    assert shapes == {
        "body": (18,), "root": (3,), "face": (52,), "mel": (40,), "onset": (), "amplitude": (), "wave": (800,), "words": (),
        "phones": (5,), "emotion": (8,), "semantic": (),
    }  # fmt: skip
    assert table.columns["body"][6] == "leftUpperArm.0"
    assert table.columns["phones"] == ("sil", "AH", "HH", "L", "OW")
    assert isinstance(table["body"], np.memmap)


def test_values_are_those_of_the_clip(table, stage_corpus):
    show, rows = stage_corpus.clip("clip_1"), table.clip("clip_1")
    body = rot.from_6d(rows["body"].reshape(40, 3, 6))
    wanted = show.body.at(np.arange(40) / 20).rotations[:, [JOINTS.index(j) for j in ALL.joints]]
    assert rot.angle(body, wanted).max() < 1e-3
    assert rows["root"][:-1, 0] == pytest.approx(0.1, abs=1e-3), "0.1 m/s to the left"
    assert rows["root"][0, 0] == pytest.approx(0.1, abs=1e-3), "the first frame, too"
    assert rows["face"] == pytest.approx(show.face.at(np.arange(40) / 20).values)
    assert rows["wave"].reshape(-1) == pytest.approx(show.speech.samples)


def test_labels_fall_on_their_frames(table):
    rows = table.clip("clip_0")
    # "hello" from 0.5 to 1.0 s, "you" to 1.8 s; both are said equally often, so the alphabet decides.
    assert table.vocabulary == ("<silence>", "<unknown>", "hello", "you")
    assert rows["words"].tolist() == [0] * 10 + [2] * 10 + [3] * 16 + [0] * 4
    phones = [table.columns["phones"][k] for k in rows["phones"].argmax(axis=1)]
    assert phones == ["sil"] * 10 + ["HH"] * 4 + ["AH"] * 4 + ["L"] * 4 + ["OW"] * 4 + ["sil"] * 14
    assert (rows["phones"].sum(axis=1) == 1).all()
    assert (rows["emotion"] == np.eye(8)[1] * 0.5).all()
    assert rows["semantic"].tolist() == pytest.approx([0] * 20 + [0.7] * 10 + [0] * 10)


def test_sound_is_heard_where_it_begins(table):
    rows = table.clip("clip_0")
    assert rows["onset"].argmax() in (9, 10)
    assert rows["amplitude"][:8].max() < 1e-3
    assert rows["amplitude"][12:38] == pytest.approx(0.3, abs=0.01)
    assert rows["mel"][20].max() - rows["mel"][2].max() > 5


def test_words_that_training_never_saw_are_unknown(stage_corpus):
    corpus = stage_corpus
    entries = {n: corpus.entry(n) for n in corpus}
    assert entries["clip_3"].split == "test"
    table = corpus.features(Features(parts=("words",), vectors="tfidf"))
    assert table.vectors.shape == (4, 128)
    assert np.linalg.norm(table.vectors, axis=1) == pytest.approx([0, 0, 1, 1], abs=1e-5)
    assert (
        _features._on_frames(corpus.clip("clip_0").tier("words"), 20, 40, lambda i: {}.get(i.label, 1)).max()
        == 1
    )


def test_made_once_and_found_again(stage_corpus, monkeypatch):
    first = stage_corpus.features(ALL)
    monkeypatch.setattr(_features, "_fill", lambda *_: pytest.fail("made again"))
    second = Corpus.open(stage_corpus.path).features(ALL)
    assert np.array_equal(first["mel"], second["mel"])
    assert second.folder == first.folder


def test_a_kill_leaves_nothing_half(stage_corpus, monkeypatch):
    part = _features._part
    monkeypatch.setattr(_features, "_part", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        stage_corpus.features(ALL)
    assert list((stage_corpus.path / ".features").iterdir()) == []
    monkeypatch.setattr(_features, "_part", part)
    assert stage_corpus.features(ALL).frames == 160


def test_damaged_features_are_told(stage_corpus):
    table = stage_corpus.features(ALL)
    folder = table.folder
    (folder / "mel.npy").write_bytes(b"\x93NUMPY junk")
    with pytest.raises(FormatError, match="remove this folder"):
        stage_corpus.features(ALL)


def test_windows_and_batches(table):
    starts = table.windows(16, 8, "train")
    assert starts.tolist() == [0, 8, 16, 24, 40, 48, 56, 64, 80, 88, 96, 104]
    batch = table.batch(starts[[0, 11]], 16)
    assert batch["body"].shape == (2, 16, 18)
    assert batch["speaker"].tolist() == [0, 1]
    assert np.array_equal(batch["words"][1], table["words"][104:120])
    assert len(table.windows(41, 1)) == 0
    with pytest.raises(DataError):
        table.windows(0, 1)
    with pytest.raises(DataError, match="choose one of"):
        table.windows(4, 4, "dev")


def test_statistics(table):
    mean, deviation = table.statistics("face", "train")
    rows = np.asarray(table["face"][: 3 * 40])
    assert mean == pytest.approx(rows.mean(axis=0), abs=1e-5)
    assert deviation == pytest.approx(rows.std(axis=0), abs=1e-5)


def test_a_track_that_is_missing_is_told(beat2_source, tmp_path, caplog):
    from kinesics import formats
    from kinesics.corpora import beat2

    corpus = beat2.prepare(beat2_source, tmp_path / "c")
    path = corpus.path / "clips" / "2_scott_0_9_9.kin"
    formats.save(corpus.clip("2_scott_0_9_9").with_tracks(words=None), path)
    with caplog.at_level(logging.WARNING):
        table = corpus.features(Features(parts=("words", "body")))
    assert "1 of 3 clips have no words" in caplog.text
    assert table.lacks("2_scott_0_9_9") == ("words",)
    assert table["words"][table.rows("2_scott_0_9_9")].max() == 0
    assert len(table.windows(60, 60)) == 3
    assert len(table.windows(60, 60, needs=("words",))) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": ()}, {"parts": ("legs",)}, {"joints": ("tail",)}, {"face": ("grin",)}, {"fps": 0}, {"fps": 30, "parts": ("wave",)}, {"vectors": "tfidf"},
        {"parts": ("words",), "vectors": "fasttext"}, {"bands": 0}, {"parts": ("body", "body")},
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_said_beforehand(wrong):
    with pytest.raises(DataError):
        Features(**wrong)


def test_workers_map_the_files_themselves(table):
    sent = pickle.dumps(table)
    assert len(sent) < 2000
    assert np.array_equal(pickle.loads(sent)["mel"], table["mel"])


def test_parts_that_no_clip_has_are_an_error(show, tmp_path):
    from kinesics.corpora import stage

    show.with_tracks(face=None).save(tmp_path / "s" / "a.kin")
    corpus = stage.prepare(tmp_path / "s", tmp_path / "c")
    with pytest.raises(DataError, match="no clip has face, semantic"):
        corpus.features(Features(parts=("body", "face", "semantic")))
