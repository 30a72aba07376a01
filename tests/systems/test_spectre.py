"""SPECTRE and the judge of filmed lips: sizes, what a mouth learns from, and that chunks leave no seam."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.errors import DataError
from kinesics.hear.phones import VISEMES
from kinesics.performance import Face, Interval, Performance, Points, Tier
from kinesics.seeds import rng
from kinesics.systems import _mouth_features as mouths
from kinesics.systems.read.lipjudge.spec import LipJudge, LipJudgeConfig
from kinesics.systems.read.spectre.spec import CHUNK, JAW, MOUTH, Spectre, SpectreConfig, coarse_moves

torch = pytest.importorskip("torch")

from kinesics.lab import Arrays, fit, networks, restore  # noqa: E402
from kinesics.systems.read.spectre.net import Net  # noqa: E402

SMALL = {"width": 24, "lip_width": 16, "lip_depth": 1, "film": 16, "window": 24, "stride": 24}
LIPS, FOUND = "lips", "refine"
PHONES = ("P", "AA", "T", "UW", "M", "IY", "S", "OW")


def show_of(number: int, *, seconds: float = 3.0, fps: int = 25) -> Performance:
    """A mouth in slow movement with landmarks as they truly are, seen by a camera."""
    stream = rng(number, "mouth")
    frames = round(seconds * fps)
    values = np.zeros((frames, 52), np.float32)
    for name in ("jawOpen", "mouthPucker", "mouthSmileLeft", "mouthSmileRight", "mouthFunnel"):
        rate, phase = stream.uniform(3, 9), stream.uniform(0, 6)
        values[:, INDEX[name]] = 0.25 + 0.25 * np.sin(np.arange(frames) / fps * rate + phase)
    points = np.tile(mouths.rest("maya"), (frames, 1, 1))
    points[:, list(mouths.PLACES), :2] += coarse_moves(values, "maya") * mouths.NEAR
    landmarks = Points(
        (2 * points * [1, -1, -1]).astype(np.float32), tuple(map(str, range(68))), fps, "image"
    )
    step = seconds / len(PHONES)
    phones = Tier("phones", tuple(Interval(i * step, (i + 1) * step, p) for i, p in enumerate(PHONES)))
    return Performance({"face": Face(values, ARKIT, fps), "landmarks": landmarks, "phones": phones})


def film_of(show: Performance, size: int = 16) -> np.ndarray:
    """A dark bar as high as the mouth is open."""
    opening = show.face.column("jawOpen")
    film = np.full((len(opening), size, size), 180, np.uint8)
    for t, wide in enumerate(opening):
        film[t, 6 : 7 + round(8 * float(wide)), 4:12] = 20
    return film


@pytest.fixture(scope="module")
def system() -> Spectre:
    return Spectre(SpectreConfig.tiny().changed(**SMALL))


def found(show: Performance) -> Performance:
    """The same, read badly: a mouth that never opens enough."""
    values = show.face.values.copy()
    values[:, INDEX["jawOpen"]] *= 0.4
    return show.with_tracks(face=replace(show.face, values=values))


@pytest.fixture(scope="module")
def corpora(system) -> dict[str, Arrays]:
    shows = [show_of(i) for i in range(8)]
    return {
        stage: Arrays.of(row for s in shows for row in system.examples(change(s), film=film_of(s)))
        for stage, change in ((LIPS, lambda s: s), (FOUND, found))
    }


@pytest.fixture(scope="module")
def trained(system, corpora, tmp_path_factory):
    torch.set_num_threads(1)
    out, start, losses = tmp_path_factory.mktemp("spectre"), None, {}
    for stage, steps in ((LIPS, 30), (FOUND, 40)):
        training = replace(system.training(stage), steps=steps, batch=8, warm_up=5, rate=5e-3)
        done = fit(
            system,
            corpora[stage],
            out,
            stage=stage,
            start=start,
            training=training,
            progress=False,
            device="cpu",
        )
        start, losses[stage] = done.checkpoint, done.losses
    return start, losses


def batch_of(corpus: Arrays) -> dict:
    return {n: torch.from_numpy(np.ascontiguousarray(v[:8])) for n, v in corpus.stacked.items()}


def count(*modules) -> int:
    return sum(p.numel() for m in modules for p in m.parameters())


def test_the_paper_preset_is_as_large_as_published():
    net = Net(SpectreConfig.paper())
    # MobileNetV2 without classifier, Conv1d(1280, 256, 5), batch norm, and 53 or here 27 outputs
    assert count(net.refine) == pytest.approx(2_223_872 + (1280 * 5 + 1) * 256 + 512 + 257 * 53, rel=0.02)


def test_a_step_of_the_paper_preset_is_finite():
    config = SpectreConfig.paper().changed(picture=64, window=8, film=32)
    net = Net(config)
    batch = {
        "seen": torch.randn(1, 8, len(mouths.PLACES), 2), "film": torch.randint(0, 256, (1, 8, 32, 32)),
        "picture": torch.randint(0, 256, (1, 8, 3, 64, 64)), "face": torch.rand(1, 8, 52),
        "visemes": torch.tensor([[1, 2, 3, 0, 0, 0, 0, 0]]), "count": torch.tensor([3]),
    }  # fmt: skip
    net.train()
    losses = net.loss(batch, "refine")
    losses["loss"].backward()
    assert all(torch.isfinite(v) for v in losses.values())
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.refine.parameters())
    made = net.eval().graphs()["refine"].module(batch["picture"].float(), batch["face"][..., list(MOUTH)])
    assert made.shape == (1, 8, len(MOUTH))


def test_only_the_jaw_and_the_mouth_are_touched():
    assert {ARKIT[i] for i in MOUTH} >= {"jawOpen", "mouthClose", "mouthPucker"}
    assert not {"tongueOut", "cheekPuff"} & {ARKIT[MOUTH[k]] for k in JAW}
    assert {ARKIT[MOUTH[k]] for k in JAW} == {"jawForward", "jawLeft", "jawOpen", "jawRight"}


def test_a_fresh_network_changes_next_to_nothing(system):
    torch.manual_seed(0)
    net = Net(system.config).eval()
    mouth = torch.rand(1, CHUNK, len(MOUTH))
    made = net.refine(torch.randint(0, 256, (1, CHUNK, 16, 16)).float(), mouth)
    assert (made - mouth).abs().max() < 0.01


def test_the_loss_of_refining_falls_and_labels_are_not_used(trained, system, corpora):
    start, _ = trained
    _, net = restore(start)
    batch = batch_of(corpora[FOUND])
    a = net.eval().loss(batch, "refine")
    b = net.eval().loss({**batch, "visemes": batch["visemes"] * 0, "count": batch["count"] * 0}, "refine")
    assert a["loss"] == b["loss"]
    fresh = Net(system.config)
    weights = {f"refine.{n}": v for n, v in fresh.refine.state_dict().items() if n not in ("mean", "spread")}
    fresh.load_state_dict({**net.state_dict(), **weights})
    assert a["loss"] < fresh.eval().loss(batch, "refine")["loss"]


def test_ends_without_neighbours_are_in_no_loss(trained, corpora):
    _, net = restore(trained[0])
    net.eval()
    batch = batch_of(corpora[FOUND])
    changed = {**batch, "film": batch["film"].clone()}
    changed["film"][:, 0] = 255 - changed["film"][:, 0]
    with torch.no_grad():
        moved = torch.zeros(8, 24, len(mouths.PLACES), 2)
        a, b = (net.unread(moved, x["film"]) for x in (batch, changed))
    assert (a - b)[:, 0].abs().max() > 1e-4
    assert (a - b)[:, 6:].abs().max() < (a - b)[:, 0].abs().max()


def test_chunks_are_as_good_as_the_whole(trained):
    system, net = restore(trained[0])
    show = found(show_of(50, seconds=6.4))
    film = film_of(show_of(50, seconds=6.4))
    made = system.read(show, networks(net), film=film).face
    assert len(made) == 160 > 3 * CHUNK
    ends = ((2, 2), (0, 0))
    with torch.no_grad():
        whole = net.refine(
            torch.from_numpy(np.pad(film, (*ends, (0, 0)), mode="edge"))[None].float(),
            torch.from_numpy(np.pad(show.face.values[:, list(MOUTH)], ends, mode="edge"))[None],
        )
    np.testing.assert_allclose(made.values[:, list(MOUTH)], whole[0, 2:-2].numpy(), atol=2e-5)


def test_a_face_keeps_its_rate_its_eyes_and_its_clock(trained):
    system, net = restore(trained[0])
    show = show_of(3, fps=60)
    values = show.face.values.copy()
    values[:, INDEX["eyeBlinkLeft"]] = rng(0, "lids").random(len(values))
    face = Face(values, ARKIT, 60)
    film = film_of(show)
    made = system.read(show.with_tracks(face=face), networks(net), film=film)
    assert made.face.fps == 60
    assert len(made.face) == len(face)
    others = [i for i in range(52) if i not in MOUTH]
    np.testing.assert_array_equal(made.face.values[:, others], values[:, others])
    assert 0 <= made.face.values.min() <= made.face.values.max() <= 1
    assert made.meta["spectre"]["fps"] == 25
    late = show.with_tracks(face=replace(face, start=2.0))
    again = system.read(late, networks(net), film=film)
    np.testing.assert_allclose(again.face.values, made.face.values, atol=1e-5)
    assert again.face.start == 2.0
    # what is seen in half a second changes nothing a second later
    other = film.copy()
    other[:30] = 255 - other[:30]
    rest = system.read(show.with_tracks(face=face), networks(net), film=other).face.values
    assert np.abs(rest[:24] - made.face.values[:24]).max() > 1e-4
    np.testing.assert_allclose(rest[60:], made.face.values[60:], atol=1e-6)


def test_what_cannot_be_refined_is_refused(trained, system):
    _, net = restore(trained[0])
    show = show_of(1)
    film = film_of(show)
    with pytest.raises(DataError, match="needs the track 'face'"):
        system.read(show.with_tracks(face=None), networks(net), film=film)
    with pytest.raises(DataError, match="needs the track 'landmarks'"):
        system.read(show.with_tracks(landmarks=None), networks(net))
    with pytest.raises(DataError, match="needs the track 'video'"):
        system.read(show, networks(net))
    with pytest.raises(DataError, match="basis 'flame'"):
        system.read(show.with_tracks(face=replace(show.face, basis="flame")), networks(net), film=film)
    with pytest.raises(DataError, match="film of 70 pictures; expected 75"):
        system.read(show, networks(net), film=film[:70])
    with pytest.raises(DataError, match="window 4"):
        SpectreConfig.tiny().changed(window=4)


def test_people_without_labels_or_landmarks_teach_what_they_can(system):
    show = show_of(2)
    (first, *_) = system.examples(show.with_tracks(phones=None), film=film_of(show))
    assert first["count"] == 0
    assert "seen" in first
    (first, *_) = system.examples(show.with_tracks(landmarks=None), film=film_of(show))
    assert first["count"] > 0
    assert "seen" not in first


def test_the_exported_network_does_as_torch_does(trained, tmp_path):
    pytest.importorskip("openvino")
    pytest.importorskip("onnx")
    from kinesics.lab import export
    from kinesics.systems import load_system

    assert max(export(trained[0], tmp_path).values()) < 1e-3
    system, parts = load_system(tmp_path)
    _, net = restore(trained[0])
    show = show_of(4)
    a, b = (system.read(show, p, film=film_of(show)).face.values for p in (parts, networks(net)))
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_judge_shares_no_architecture_with_the_teacher():
    from kinesics.systems.read.lipjudge.net import Net as Judge

    teacher, judge = Net(SpectreConfig.tiny()).lips, Judge(LipJudgeConfig.tiny()).lips
    shapes = [{tuple(p.shape) for p in net.parameters() if p.ndim > 2} for net in (teacher, judge)]
    assert not shapes[0] & shapes[1]


def test_a_long_film_is_read_window_by_window_without_losing_or_doubling_anything():
    judge = LipJudge(LipJudgeConfig.tiny().changed(film=8))

    def read(film):
        """Each brightness is a viseme of its own."""
        scores = np.full((len(film), film.shape[1], len(VISEMES)), -1.0, np.float32)
        np.put_along_axis(scores, (film[..., 0, 0] / 10).astype(int)[..., None], 1.0, axis=2)
        return {"visemes": scores.repeat(2, axis=1)}

    stream, said = rng(0, "read"), []
    film = np.zeros((301, 8, 8), np.uint8)
    for first in range(4, 296, 7):
        said.append(int(stream.integers(1, len(VISEMES))))
        film[first : first + 5] = 10 * said[-1]
    tier = judge.said(film, {"read": read}, start=1.5)
    assert tier.labels == tuple(VISEMES[k] for k in said)
    assert tier[0].start == pytest.approx(1.5 + 4 / 25)
    assert tier[-1].start == pytest.approx(1.5 + (4 + 7 * (len(said) - 1)) / 25)
    with pytest.raises(DataError, match="nothing to read"):
        judge.said(film[:0], {"read": read})


def test_the_judges_loss_falls(tmp_path):
    torch.set_num_threads(1)
    judge = LipJudge(LipJudgeConfig.tiny().changed(film=16, window=24, stride=24, width=16, depth=1))
    shows = [show_of(i) for i in range(4)]
    corpus = Arrays.of(row for show in shows for row in judge.examples(show, film=film_of(show)))
    training = replace(judge.training("lips"), steps=15, batch=4, warm_up=2)
    done = fit(judge, corpus, tmp_path, training=training, every=1, progress=False, device="cpu")
    from kinesics.lab.log import read

    losses = [row["loss"] for row in read(tmp_path / "lips.jsonl") if row["kind"] == "train"]
    assert np.mean(losses[-3:]) < 0.8 * losses[0]
    assert done.step == 15
