"""Official layouts in, canonical performances out."""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinesics import corpora, formats
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.corpora import beat, beat2, cmu, mead, ted
from kinesics.errors import DataError, FormatError
from kinesics.geometry import rotations as rot
from kinesics.performance import Motion, Performance


def prepare(name, source, target, **options):
    return corpora.get(name).prepare(source, target, **{"fps": 30, "jobs": 1, **options})


def pointing(body: Motion, joint: str, end: str) -> np.ndarray:
    """(T, 3) direction of a bone."""
    places = body.positions()
    way = places[:, INDEX[end]] - places[:, INDEX[joint]]
    return way / np.linalg.norm(way, axis=1, keepdims=True)


def test_beat(beat_source, tmp_path, talk_of):
    corpus = prepare("beat", beat_source, tmp_path / "c")
    assert {n: corpus.entry(n).split for n in corpus} == {
        "2_scott_0_1_1": "test", "2_scott_0_57_57": "val", "2_scott_0_9_9": "train",
    }  # fmt: skip
    clip, truth = corpus.clip("2_scott_0_1_1"), talk_of(0)
    assert set(clip) == {"speech", "body", "face", "words", "phones", "emotion", "semantic", "keywords"}
    assert clip.body.skeleton.names == JOINTS
    assert clip.body.fps == clip.face.fps == 30
    for joint, end in (("leftUpperArm", "leftLowerArm"), ("rightLowerArm", "rightHand")):
        same = np.sum(pointing(clip.body, joint, end) * pointing(truth.body.resample(30), joint, end), axis=1)
        assert np.degrees(np.arccos(np.clip(same, -1, 1))).max() < 0.5
    assert np.abs(clip.face.column("jawOpen") - truth.face.resample(30).column("jawOpen")).max() < 1e-3
    assert clip.tier("words") == truth.tier("words")
    assert [(i.label, i.value) for i in clip.tier("emotion")] == [("happy", 0.8)]
    assert [(i.label, i.value) for i in clip.tier("semantic")] == [("beat_align", 0.3), ("iconic_l", 0.9)]
    assert clip.tier("keywords").labels == ("you",)
    assert corpus.speakers == ("2_scott",)
    assert not corpus.about["commercial"]


def test_beat_splits_are_the_authors():
    four, one = (2, 0), (12, 0)
    cases = {
        (*four, 8): "test", (*four, 9): "train", (*four, 57): "val", (*four, 65): "test", (*four, 66): "train",
        (*four, 72): "val", (*four, 118): "val", (2, 1, 1): "test", (2, 1, 12): "val", (2, 1, 5): "train",
        (*one, 4): "test", (*one, 8): "val", (*one, 9): "train", (*one, 57): "train", (*one, 66): "train", (12, 1, 2): "train",
    }  # fmt: skip
    assert {k: beat.split_of(*k) for k in cases} == cases


def test_beat_takes_of_one_hour_speakers_are_cut_in_two(tmp_path, talk_of):
    from tests.corpora.conftest import save_beat

    save_beat(tmp_path / "source", "12_zhao_0_65_65", talk_of(0, 31.0))
    corpus = prepare("beat", tmp_path / "source", tmp_path / "c", fps=15)
    assert {n: (corpus.entry(n).split, corpus.entry(n).seconds) for n in corpus} == {
        "12_zhao_0_65_65_a": ("test", 30.0), "12_zhao_0_65_65_b": ("val", 1.0),
    }  # fmt: skip
    assert corpus.clip("12_zhao_0_65_65_b").tier("words").labels == ()


def test_beat_names_what_is_missing_or_damaged(beat_source, tmp_path, caplog):
    source = shutil.copytree(beat_source, tmp_path / "source")
    (source / "2" / "2_scott_0_9_9.TextGrid").unlink()
    with pytest.raises(FormatError, match=r"2_scott_0_9_9\.TextGrid"):
        prepare("beat", source, tmp_path / "c")
    (source / "2" / "2_scott_0_57_57.txt").write_text("01_beat_align\t0.5\tnever\t1\t0.3\n")
    (source / "2" / "2_scott_0_1_1.bvh").write_text("HIERARCHY\n")
    with caplog.at_level(logging.WARNING):
        corpus = prepare("beat", source, tmp_path / "c", skip_bad=True)
    assert [e.name for e in corpus.skipped] == ["2_scott_0_1_1"], "no clip without a body"
    assert "words" not in corpus.clip("2_scott_0_9_9")
    assert list(corpus.entry("2_scott_0_9_9").lacks) == ["2_scott_0_9_9.TextGrid"]
    assert "line 1" in corpus.entry("2_scott_0_57_57").lacks["2_scott_0_57_57.txt"]
    assert caplog.text.count("is without") == 2


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (".csv", "boredom,0,1,1,0.5\n"), (".csv", "anger,0,1\n"), (".csv", ""), (".csv", "anger,2,1,1,0.5\n"),
        (".csv", "anger,0,inf,1,0.5\n"), (".txt", "01_beat\t0\t1\t1\t7\n"), (".txt", "01_beat\t0\t1\t1\tnan\n"),
        (".TextGrid", "File type"), (".json", '{"names": ["jawOpen"], "frames": [{"weights": [1, 2]}]}'),
        (".json", "{"), (".wav", "RIFF"), (".bvh", "HIERARCHY"),
    ],
)  # fmt: skip
def test_beat_damage_of_every_kind_is_a_format_error(beat_source, tmp_path, ending, text):
    source = shutil.copytree(beat_source, tmp_path / "source")
    (source / "2" / f"2_scott_0_1_1{ending}").write_text(text)
    with pytest.raises(FormatError, match=rf"2_scott_0_1_1\{ending}"):
        prepare("beat", source, tmp_path / "c")


def test_beat_scores_of_another_scale_are_no_intensity(beat_source, tmp_path):
    source = shutil.copytree(beat_source, tmp_path / "source")
    (source / "2" / "2_scott_0_1_1.csv").write_text("name,start,end,duration,score\nSadness,0,2,2,7\n")
    clip = prepare("beat", source, tmp_path / "c").clip("2_scott_0_1_1")
    assert [(i.label, i.value) for i in clip.tier("emotion")] == [("sad", None)]


def test_beat2(beat2_source, tmp_path, talk_of, caplog):
    with caplog.at_level(logging.WARNING):
        corpus = prepare("beat2", beat2_source, tmp_path / "c")
    assert "2_scott_0_2_2" in caplog.text, "a take that the split file lacks is told"
    assert corpus.splits == {"test": 1, "train": 1, "val": 1}
    clip, truth = corpus.clip("2_scott_0_103_103"), talk_of(2)
    assert rot.angle(clip.body.rotations, truth.body.resample(30).rotations).max() < 1e-3
    assert clip.tier("emotion").labels == ("fear",)
    assert clip.tier("words") == truth.tier("words")
    assert np.abs(clip.face.select(truth.face.names).values - truth.face.resample(30).values).max() < 0.05
    assert clip.tier("semantic")[0].value == 0.5


def test_beat2_split_file(beat2_source, tmp_path):
    source = shutil.copytree(beat2_source, tmp_path / "source")
    for text in ("id,type\n2_scott_0_1_1,dev\n", "id,type\n../x,train\n", "id,type\n2_scott_0_1_1\n"):
        (source / "train_test_split.csv").write_text(text)
        with pytest.raises(FormatError, match="line 2"):
            prepare("beat2", source, tmp_path / "c")
    (source / "train_test_split.csv").unlink()
    with pytest.raises(DataError, match=r"train_test_split\.csv is missing"):
        prepare("beat2", source, tmp_path / "c")


def test_real_beat_and_beat2_of_one_take_agree(shared_data, tmp_path):
    data = shared_data("nc-beat2_scott")
    one, two = tmp_path / "beat" / "2", tmp_path / "beat2"
    for folder in (one, two / "smplxflame_30", two / "wave16k"):
        folder.mkdir(parents=True)
    shutil.copy(data / "2_scott_0_1_1_beat1_15fps_f0-660.bvh", one / "2_scott_0_1_1.bvh")
    shutil.copy(data / "2_scott_0_1_1_f0-1320.wav", one / "2_scott_0_1_1.wav")
    shutil.copy(data / "2_scott_0_1_1_f0-1320.npz", two / "smplxflame_30" / "2_scott_0_1_1.npz")
    shutil.copy(data / "2_scott_0_1_1_f0-1320.wav", two / "wave16k" / "2_scott_0_1_1.wav")
    (two / "train_test_split.csv").write_text("id,type\n2_scott_0_1_1,test\n")
    first = prepare("beat", one, tmp_path / "a", fps=15, skip_bad=True)
    second = prepare("beat2", two, tmp_path / "b", fps=15, skip_bad=True)
    for corpus in (first, second):
        assert corpus.entry("2_scott_0_1_1").seconds == pytest.approx(44.0)
        assert corpus.entry("2_scott_0_1_1").split == "test"
        assert corpus.entry("2_scott_0_1_1").lacks
    a, b = (c.clip("2_scott_0_1_1").body for c in (first, second))
    for joint, end in (("leftLowerArm", "leftHand"), ("rightLowerArm", "rightHand")):
        x, y = pointing(a, joint, end), pointing(b, joint, end)
        assert np.median(np.degrees(np.arccos(np.clip((x * y).sum(1), -1, 1)))) < 15
        assert min(np.corrcoef(x[:, k], y[:, k])[0, 1] for k in range(3)) > 0.85


def test_cmu(shared_data, tmp_path):
    data = shared_data("free-cmu_mocap_bvh")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("07_01", "13_14"):
        shutil.copy(data / "raw120" / f"{name}.bvh", source)
    shutil.copy(data / "CMU-INDEX.md", source)
    corpus = prepare("cmu", source, tmp_path / "c")
    clip = corpus.clip("07_01")
    assert clip.tier("actions").labels == ("walk",)
    assert clip.body.skeleton.names == JOINTS
    assert corpus.speakers == ("007", "013")
    # Nobody stands in a T-pose: from the first frame on the arms hang, and nothing jumps.
    assert pointing(clip.body, "leftUpperArm", "leftHand")[:, 1].max() < -0.5
    step = rot.angle(clip.body.rotations[:-1], clip.body.rotations[1:]).mean(axis=1)
    assert step[:3].max() < 1.5 * np.percentile(step, 90)
    plain = formats.load(source / "07_01.bvh").body
    assert clip.body.duration == pytest.approx(plain.duration - 9 / 120, abs=1 / 30)


def test_cmu_other_files_are_not_cut(shared_data, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("train_directing_traffic_1", "test_walking_extra_10"):
        shutil.copy(shared_data("free-cmu_expmap") / "bvh30" / f"{name}.bvh", source)
    corpus = prepare("cmu", source, tmp_path / "c")
    assert corpus.splits == {"test": 1, "train": 1}
    clip = corpus.clip("train_directing_traffic_1")
    assert clip.tier("actions").labels == ("directing traffic",)
    assert len(clip.body) == len(formats.load(source / "train_directing_traffic_1.bvh").body)


def test_cmu_descriptions_from_a_table(show, tmp_path):
    source = tmp_path / "source"
    formats.save(Performance({"body": show.body}), source / "05_01.bvh")
    (source / "index.tsv").write_text("clip\tsubject\tdescription\n05_01\t5\twalk on  ice\n")
    assert prepare("cmu", source, tmp_path / "c").clip("05_01").tier("actions").labels == ("walk on  ice",)


def test_mead_official_tree(show, tmp_path):
    source = tmp_path / "mead"
    for actor, emotion, level in (("M003", "angry", 3), ("W040", "neutral", 1), ("M032", "sad", 2)):
        base = source / actor / "audio" / emotion / f"level_{level}" / "007"
        formats.save(show, base.with_suffix(".wav"))
        formats.save(show, base.with_suffix(".TextGrid"), tiers=("words", "phones"))
        formats.beat_face.write(show, base.with_suffix(".beat.json"))
        film = source / actor / "video" / "front" / emotion / f"level_{level}" / "007.mp4"
        film.parent.mkdir(parents=True)
        film.write_bytes(b"not looked at")
    (source / "list_full_mead_annotated.txt").write_text("M003_level_3_angry_007 SHE HAD YOUR DARK SUIT\n")
    corpus = prepare("mead", source, tmp_path / "c")
    assert {n: corpus.entry(n).split for n in corpus} == {
        "M003_level_3_angry_007": "train", "M032_level_2_sad_007": "val", "W040_level_1_neutral_007": "test",
    }  # fmt: skip
    clip = corpus.clip("M003_level_3_angry_007")
    assert [(i.label, i.value) for i in clip.tier("emotion")] == [("anger", 1.0)]
    assert clip.meta["corpus"]["text"] == "SHE HAD YOUR DARK SUIT"
    assert clip.meta["corpus"]["film"] == "M003/video/front/angry/level_3/007.mp4"
    assert clip.tier("words") == show.tier("words")
    assert np.abs(clip.face.column("jawOpen") - show.face.resample(30).column("jawOpen")).max() < 1e-3
    assert corpus.clip("W040_level_1_neutral_007").tier("emotion")[0].value is None
    assert corpus.clip("M032_level_2_sad_007").tier("emotion")[0].value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("mead_M030_level_3_angry_016.mp4", ("M030", "angry", 3, "016", "front")),
        ("M012_front_neutral_level1_017.wav", ("M012", "neutral", 1, "017", "front")),
        ("M012_left_30_happy_level2_017.mp4", ("M012", "happy", 2, "017", "left_30")),
        ("x/M003/video/left_60/fear/level_2/001.mp4", ("M003", "fear", 2, "001", "left_60")),
        ("W009/audio/contempt/level_1/30.m4a", ("W009", "contempt", 1, "030", "front")),
        ("W009/audio/contempt/level_7/30.m4a", None),
        ("W009/notes/30.m4a", None),
    ],
)
def test_mead_names(tmp_path, path, key):
    assert mead._key(tmp_path / path, tmp_path) == key


def test_mead_actor_as_source(show, tmp_path):
    formats.save(show, tmp_path / "M003" / "audio" / "sad" / "level_1" / "001.wav")
    assert list(prepare("mead", tmp_path / "M003", tmp_path / "c")) == ["M003_level_1_sad_001"]


def test_real_mead_names_and_sound(shared_data, tmp_path):
    pytest.importorskip("av")
    source = tmp_path / "source"
    source.mkdir()
    for path in shared_data("nc-talking_video").glob("mead_*.mp4"):
        shutil.copy(path, source)
    corpus = prepare("mead", source, tmp_path / "c")
    assert len(corpus) == 3
    clip = corpus.clip("W023_level_2_surprised_010")
    assert clip.tier("emotion").labels == ("surprise",)
    assert clip.speech.rate == 16000
    assert 1 < clip.speech.duration < 10


def ted_clip(path, *, start: float = 10.0, frames: int = 50, **changes):
    """Someone who faces the camera, forearms forward; y down, as in the data set."""
    pose = np.array(
        [[0, 0, 0], [0, -0.26, 0], [0, -0.41, 0.08], [0, -0.54, 0.02], [-0.2, -0.22, 0], [-0.25, 0.1, 0.05],
         [-0.2, 0.05, 0.35], [0.2, -0.22, 0], [0.25, 0.1, 0.05], [0.2, 0.05, 0.35]]
    )  # fmt: skip
    poses = np.tile(pose, (frames, 1, 1)) * 1000 + [5, 5, 5]
    poses[:, 6, 1] -= 100 * np.sin(np.arange(frames) / 5)
    arrays = {
        "skeletons_3d": poses.astype(np.float32), "audio_raw": np.zeros(32000, np.float32),
        "words": np.array(["so", "hello", "late"]), "word_times": np.array([[9.8, 10.4], [10.5, 11.0], [13, 14.0]]),
        "times": np.array([start, start + 2.0]),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays | changes)


def test_ted(tmp_path):
    for split in ("train", "test"):
        ted_clip(tmp_path / "source" / split / f"{split}-vid_0.npz")
    corpus = prepare("ted", tmp_path / "source", tmp_path / "c", fps=15)
    assert corpus.splits == {"test": 1, "train": 1}
    assert corpus.speakers == ("test-vid", "train-vid")
    clip = corpus.clip("train-vid_0")
    assert clip["joints"].fps == 15
    assert len(clip.body) == 30
    joints = clip["joints"].values[0]
    assert np.linalg.norm(joints[1]) == pytest.approx(ted.SPINE, rel=1e-3)
    assert joints[4, 0] > 0.1, "the left is +X"
    for side in ("left", "right"):
        assert pointing(clip.body, f"{side}LowerArm", f"{side}Hand")[:, 2].min() > 0.8, (
            "forearms point forward"
        )
        assert pointing(clip.body, f"{side}UpperLeg", f"{side}Foot")[:, 1].max() < -0.95
    assert pointing(clip.body, "hips", "neck")[:, 1].min() > 0.9
    assert [(i.label, round(i.start, 3), round(i.end, 3)) for i in clip.tier("words")] == [
        ("so", 0, 0.4),
        ("hello", 0.5, 1),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"skeletons_3d": np.zeros((50, 9, 3))}, {"skeletons_3d": np.full((50, 10, 3), np.nan)}, {"skeletons_3d": np.zeros((50, 10, 3))},
        {"times": np.array([3.0, 2.0])}, {"times": np.array([0, 1e-9])}, {"times": np.array([0, np.inf])}, {"word_times": np.zeros((1, 2))},
        {"words": np.array([object()] * 3, dtype=object)}, {"audio_raw": np.zeros((2, 2))},
    ],
)  # fmt: skip
def test_ted_damage_is_a_format_error(tmp_path, changes):
    ted_clip(tmp_path / "source" / "val" / "v_0.npz", **changes)
    with pytest.raises(FormatError, match="v_0"):
        prepare("ted", tmp_path / "source", tmp_path / "c", fps=15)


def test_ted_databases_ask_for_conversion(tmp_path):
    (tmp_path / "lmdb_train").mkdir()
    with pytest.raises(DataError, match="convert"):
        ted.prepare(tmp_path, tmp_path / "c")


def test_ted_conversion_makes_what_is_read(tmp_path):
    from kinesics.corpora._ted_convert import clips_of

    clip = {
        "skeletons_3d": np.zeros((4, 10, 3)), "audio_raw": [0.0, 0.5], "words": [["hi", 1, 2.5]], "start_time": 1, "end_time": 2.5,
    }  # fmt: skip
    (found,) = clips_of({"vid": "x", "clips": [clip]})
    np.savez(tmp_path / "x.npz", **found)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        assert file["words"].tolist() == ["hi"]
        assert file["word_times"].tolist() == [[1, 2.5]]


def test_lead_in_of_a_short_clip_is_left_alone(show):
    short = show.body.slice(0, 0.05)
    assert cmu._without_lead_in(short) is short


@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(["01_beat", "\t", "1", "nan", ",", '"', "\n", "-3", "anger", "\x00"])).map(
            "".join
        ),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_small_tables_give_labels_or_a_format_error(tmp_path, text):
    path = tmp_path / "x.txt"
    path.write_text(text, encoding="utf-8", newline="")
    for read in (beat.semantic_of, beat._emotion, beat2._splits):
        with suppress(FormatError):
            read(path)
