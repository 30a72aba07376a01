"""The judge of faces: it learns to read, and shares nothing with what it judges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.hear.phones import VISEMES
from kinesics.performance import Face
from kinesics.systems._face_features import EMOTIONS, PER_FRAME, spoken
from kinesics.systems.face.emote.spec import EmoteConfig
from kinesics.systems.read.facejudge.spec import FaceJudge, FaceJudgeConfig

torch = pytest.importorskip("torch")

from kinesics.lab import Arrays, fit, networks, restore  # noqa: E402
from kinesics.lab.claims._faces import talking_face, talking_faces  # noqa: E402
from kinesics.systems import load_system  # noqa: E402

SMALL = {"window": 48, "stride": 48, "lip_width": 32, "lip_depth": 1, "mood_width": 24}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint after seconds of training, and the losses before and after."""
    torch.set_num_threads(1)
    judge, out = FaceJudge(FaceJudgeConfig.tiny().changed(**SMALL)), tmp_path_factory.mktemp("judge")
    corpus = Arrays.of_performances(judge, talking_faces(48, seed=5, speakers=2, seconds=3.0))
    start, losses = None, {}
    for stage, steps in (("lips", 60), ("emotion", 150)):
        training = replace(judge.training(stage), steps=steps, batch=16, warm_up=5)
        done = fit(
            judge,
            corpus,
            out,
            stage=stage,
            start=start,
            training=training,
            every=10,
            progress=False,
            device="cpu",
        )
        losses[stage] = done.losses["loss"]
        start = done.checkpoint
    return start, losses


def test_it_shares_neither_networks_nor_face_with_what_teaches():
    from kinesics.systems.face.emote.net import Net as Taught
    from kinesics.systems.read.facejudge.net import Net

    taught, judge = Taught(EmoteConfig.tiny()), Net(FaceJudgeConfig.tiny())
    assert type(taught.lips) is not type(judge.lips)
    assert type(taught.emotion) is not type(judge.emotion)
    assert taught.config.avatar != judge.config.avatar
    shapes = [{tuple(p.shape) for p in net.parameters() if p.ndim > 2} for net in (taught.lips, judge.lips)]
    assert not shapes[0] & shapes[1]


def test_it_reads_emotions_of_people_it_has_not_seen(trained):
    judge, net = restore(trained[0])
    parts, right, read = networks(net), 0, 0
    for i, emotion in enumerate(EMOTIONS):
        seen = judge.read(talking_face(99, i, speaker=i, emotion=emotion, intensity=1.0, seconds=3.0), parts)
        right += sum(label == emotion for label in seen.tier("emotion").labels)
        read += len(seen.tier("emotion"))
    assert right / read > 0.5, "chance is one in eight"


def test_its_losses_fall(trained):
    assert trained[1]["lips"] < 4, "nats a viseme; it begins above 15"
    assert trained[1]["emotion"] < 1, "it begins at ln 8"


def test_reading_gives_tiers_on_the_faces_clock(trained):
    judge, net = restore(trained[0])
    show = talking_face(3, 1, emotion="happy", seconds=5.0)
    late = show.with_tracks(face=replace(show.face, start=2.0))
    seen = judge.read(late, networks(net))
    assert set(seen) == {*show, "visemes"}
    assert all(2 <= i.start <= i.end <= 7 + 1e-6 for name in ("visemes", "emotion") for i in seen.tier(name))
    assert seen.tier("emotion").start == 2
    assert seen.tier("emotion").end == pytest.approx(7)
    assert set(seen.tier("visemes").labels) <= set(VISEMES[1:])
    assert seen.face is late.face


def test_repeats_count_once_and_silence_not_at_all():
    scores = np.full((8, len(VISEMES)), -1.0)
    for i, c in enumerate((0, 3, 3, 0, 3, 5, 5, 0)):
        scores[i, c] = 1
    found = list(spoken(scores, 1.0, 25))
    assert [i.label for i in found] == [VISEMES[3], VISEMES[3], VISEMES[5]]
    assert [i.start for i in found] == pytest.approx([1 + k / (25 * PER_FRAME) for k in (1, 4, 5)])


def test_what_cannot_be_read_is_refused(trained):
    judge, net = restore(trained[0])
    parts, show = networks(net), talking_face(3, 1)
    with pytest.raises(DataError, match="needs the track 'face'"):
        judge.read(show.with_tracks(face=None), parts)
    with pytest.raises(DataError, match="nothing to read"):
        judge.read(show.with_tracks(face=Face(np.zeros((0, 1)), ("jawOpen",), 25)), parts)
    with pytest.raises(DataError, match="basis 'flame'"):
        judge.read(show.with_tracks(face=replace(show.face, basis="flame")), parts)


def test_the_exported_judge_does_as_torch_does(trained, tmp_path):
    pytest.importorskip("openvino")
    pytest.importorskip("onnx")
    from kinesics.lab import export

    assert max(export(trained[0], tmp_path).values()) < 1e-3
    judge, parts = load_system(tmp_path)
    _, net = restore(trained[0])
    show = talking_face(3, 2, emotion="sad")
    a, b = (judge.read(show, p) for p in (parts, networks(net)))
    assert a.tier("visemes").labels == b.tier("visemes").labels
    assert a.tier("emotion").labels == b.tier("emotion").labels
