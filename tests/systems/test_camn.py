"""CaMN: the cascade, what is absent, the losses, long performances, the published sizes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.systems import available, find
from kinesics.systems.gesture._upper_body import MOVED, layout, scores, seen, shown
from kinesics.systems.gesture.camn.spec import MODALITIES, CaMN, CaMNConfig
from tests.systems.talking import talker

torch = pytest.importorskip("torch")

from kinesics.lab import Arrays, export, fit, networks  # noqa: E402
from kinesics.systems import Training, load_system  # noqa: E402

SMALL = {
    "audio_widths": (8, 8), "audio_strides": (3, 2), "vocabulary": 32, "word_width": 8, "text_width": 8, "face_width": 8,
    "hidden": 16, "layers": 1, "speakers": 3,
}  # fmt: skip
TRACKS = {"emotion": "emotion", "text": "words", "audio": "speech", "face": "face"}


def small(**changes) -> CaMN:
    return CaMN(CaMNConfig.tiny().changed(**{**SMALL, **changes}))


@pytest.fixture(scope="module")
def show():
    return talker(5.0, speaker=1)


def parts_of(system):
    torch.manual_seed(0)
    net = system.network()
    net.begin("gestures", {"motion": torch.randn(4, 34, sum(system.config.form.channels))})
    return networks(net)


def batch_of(system, *shows):
    rows = [row for show in shows for row in system.examples(show)]
    return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}


def same(a, b):
    return np.array_equal(a.rotations, b.rotations) and np.array_equal(a.root, b.root)


def without(show, *tracks):
    return show.with_tracks(**dict.fromkeys(tracks))


def against_hips(motion, name):
    turned = motion.skeleton.forward(motion.rotations, motion.root)[1]
    return rot.multiply(rot.conjugate(turned[:, 0]), turned[:, motion.skeleton.index(name)])


# --- the published network ----------------------------------------------------------------------------


def official_count() -> int:
    """Weights of the official network, layer by layer from its configuration (beat_4english_15_141)."""

    def lstm(before, hidden=256, layers=4):
        return sum(
            2 * (4 * hidden * ((before if i == 0 else 2 * hidden) + hidden) + 8 * hidden)
            for i in range(layers)
        )

    def block(
        a, b, kernel, short
    ):  # two convolutions, two batch norms, and a shortcut of the same form as the first
        return a * b * kernel + b + b * b * kernel + b + 4 * b + (a * b * kernel + 3 * b if short else 0)

    sound = [(1, 32, 1), (32, 32, 1), (32, 32, 0), (32, 64, 1), (64, 64, 0), (64, 128, 1)]
    face = [(51, 16, 7, 1), (16, 16, 3, 1), (16, 16, 3, 0), (16, 32, 3, 1)]
    convs = [(300, 256), *[(256, 256)] * 7]
    text = 5793 * 300 + sum(a * b * 2 + 2 * b for a, b in convs) + 300 * 256 + 256 + 256 * 128 + 128
    speaker = 30 * 8 + 8 * 8 + 8
    emotion = 8 * 8 + 72 + sum(a * b * 9 + 3 * b for a, b in ((8, 8), (8, 16), (16, 16), (16, 8)))
    mixed = 272 * 128 + 128 + 128 * 128 + 128 + 304 * 128 + 128 + 128 * 32 + 32
    width = 128 + 141 + 32 + 128 + 1 + 8 + 8
    out = sum(256 * 128 + 128 + 128 * n + n for n in (27, 114))
    sounds = sum(block(a, b, 15, s) for a, b, s in sound)
    return (
        sounds
        + sum(block(*f) for f in face)
        + text
        + speaker
        + emotion
        + mixed
        + lstm(width)
        + lstm(width + 27)
        + out
    )


def test_the_paper_network_has_the_official_size():
    net = CaMN(CaMNConfig.paper()).network()
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(official_count(), rel=1e-3)


def test_the_paper_network_takes_a_step(show):
    system = CaMN(CaMNConfig.paper())
    batch = {name: values[:2] for name, values in batch_of(system, show).items()}
    assert {n: tuple(v.shape) for n, v in batch.items()} == {
        "audio": (2, 34 * 1080, 1), "words": (2, 34), "emotion": (2, 34), "face": (2, 34, 51), "speaker": (2,),
        "present": (2, 5), "motion": (2, 34, 141), "semantic": (2, 34),
    }  # fmt: skip
    net = system.network().train()
    net.begin("gestures", batch)
    before = [p.detach().clone() for p in net.parameters()]
    optimiser = torch.optim.Adam(net.trainable("gestures"), lr=2.5e-4)
    loss = net.loss(batch, "gestures")["loss"]
    loss.backward()
    optimiser.step()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p).all() for p in net.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    made = networks(net)["step"](**{n: v.numpy() for n, v in inputs_of(batch).items()})["motion"]
    assert made.shape == (2, 34, 141)


def inputs_of(batch):
    inputs = {n: batch[n] for n in ("audio", "words", "emotion", "face", "speaker", "present")}
    return {**inputs, "start": batch["motion"][:, :4], "seeded": torch.ones(len(batch["motion"]))}


def test_beats_joints_go_there_and_back(show):
    form = layout("beat", "euler")
    assert form.channels == (27, 114)
    values = seen(show.body, form)
    assert values.shape == (75, 141)
    assert np.abs(values).max() > 3, "degrees, not radians"
    back = shown(values, form, show.body.skeleton, None)
    again = seen(back, form)
    gap = np.abs((again - values + 180) % 360 - 180)
    assert np.delete(gap, range(3, 9), axis=1).max() < 0.5  # the two joints of the neck share its bend
    # trunk and head turn as they did, though BEAT's 47 joints have neither the upper spine nor the head
    for name in ("head", "upperChest", "leftHand", "rightIndexDistal"):
        true, made = (against_hips(body.resample(15), name) for body in (show.body, back))
        assert np.degrees(rot.angle(true, made)).max() < 0.01
    assert np.allclose(back.rotations[:, 1:3], [1, 0, 0, 0]), "legs rest"


# --- what is absent ------------------------------------------------------------------------------------


@pytest.mark.parametrize("absent", MODALITIES)
def test_nothing_enters_of_what_is_absent(absent, show):
    system = small()
    run = parts_of(system)["step"]
    row = inputs_of({n: v[:1] for n, v in batch_of(system, show).items()})
    name = {"text": "words"}.get(absent, absent)
    place = MODALITIES.index(absent)

    def made(present, values):
        flags = row["present"].clone()
        flags[:, place] = present
        return run(**{n: np.asarray(v) for n, v in {**row, "present": flags, name: values}.items()})["motion"]

    other = (row[name] + 1) % 3 if row[name].dtype == torch.long else torch.rand_like(row[name])
    assert np.array_equal(made(0.0, row[name]), made(0.0, other))
    assert not np.allclose(made(1.0, row[name]), made(1.0, other), atol=1e-6)
    assert not np.allclose(made(0.0, row[name]), made(1.0, row[name]), atol=1e-6)


@pytest.mark.parametrize("kept", ["text", "audio", "face", "emotion"])
def test_one_modality_is_enough(kept, show):
    system = small()
    parts = parts_of(system)
    alone = without(show, "body", *(t for m, t in TRACKS.items() if m != kept))
    made = system.perform(alone, parts, speaker=None)
    assert made.meta["camn"]["modalities"] == [kept]
    assert len(made.body) == 75
    with pytest.raises(DataError, match=r"needs one of the tracks emotion, words, speech, face"):
        system.perform(without(show, "body", *TRACKS.values()), parts)


def test_leaving_out_is_as_not_having(show):
    system = small()
    parts = parts_of(system)
    bare = without(show, "body")
    chosen = system.perform(bare, parts, modalities=("audio", "text"))
    lacking = system.perform(without(bare, "face", "emotion"), parts, speaker=None)
    assert same(chosen.body, lacking.body)
    assert not same(chosen.body, system.perform(bare, parts).body)
    from kinesics.performance import Tier

    silent = system.perform(bare.with_tracks(words=Tier("words")), parts)
    assert same(silent.body, system.perform(without(bare, "words"), parts).body), (
        "a tier without words is none"
    )
    with pytest.raises(DataError, match="nothing is known of 'face'"):
        system.perform(without(bare, "face"), parts, modalities=("face",))
    with pytest.raises(DataError, match="nothing is known of 'speaker'"):
        system.perform(bare, parts, modalities=("speaker", "audio"), speaker=None)
    with pytest.raises(DataError, match="was not built for 'text'"):
        small(modalities=("audio",)).perform(bare, parts, modalities=("text",))


def test_a_network_of_fewer_modalities_sees_no_others(show):
    system = small(modalities=("audio",))
    assert batch_of(system, show)["present"][0].tolist() == [0, 0, 0, 1, 0]
    parts = parts_of(system)
    bare = without(show, "body")
    a, b = (
        system.perform(bare, parts),
        system.perform(without(bare, "words", "face", "emotion"), parts, speaker=None),
    )
    assert same(a.body, b.body)


def test_examples_say_what_they_have(show):
    system = small()
    first = next(system.examples(without(show, "face", "words")))
    assert first["present"].tolist() == [1, 1, 0, 1, 0]
    assert not first["face"].any()
    nobody = next(system.examples(replace(show, meta={})))
    assert nobody["present"].tolist() == [0, 1, 1, 1, 1]


# --- losses --------------------------------------------------------------------------------------------


def test_semantic_frames_count_more(show):
    batch = batch_of(small(), show)
    assert {0.0, 0.75} <= set(batch["semantic"].flatten().tolist())
    net = small().network().eval()
    net.begin("gestures", batch)
    plain = small(semantic=0.0).network().eval()
    plain.load_state_dict(net.state_dict())
    weighted, unweighted = (n.loss(batch, "gestures")["loss"] for n in (net, plain))
    made = net.step(*(batch[n] for n in ("audio", "words", "emotion", "face", "speaker", "present")),
                    (batch["motion"][:, :4] - net.mean) / net.spread, torch.ones(len(batch["motion"])))  # fmt: skip
    truth = (batch["motion"] - net.mean) / net.spread
    gap = (made - truth).abs()
    weight = (1 + batch["semantic"])[..., None]
    huber = torch.where(weight * gap < 1, (weight * gap) ** 2 / 2, weight * gap - 0.5)
    assert weighted.item() == pytest.approx(500 * huber.mean().item(), rel=1e-4)
    assert unweighted.item() == pytest.approx(
        500 * torch.where(gap < 1, gap**2 / 2, gap - 0.5).mean().item(), rel=1e-4
    )
    assert weighted > unweighted


def test_the_discriminator_is_off_and_trains_when_it_is_on(show):
    batch = batch_of(small(), show)
    assert small().network().critic is None
    assert set(small().network().train().loss(batch, "gestures")) == {"huber", "loss"}
    net = small(adversarial=0.1, reconstruction=0.0).network().train()
    net.begin("gestures", batch)
    losses = net.loss(batch, "gestures")
    assert set(losses) == {"huber", "fooled", "told", "loss"}
    # each side moves only itself: the generator's share leaves the discriminator alone, and the other way round
    critic, mover = list(net.critic.parameters()), list(net.body.parameters())
    fooled = torch.autograd.grad(losses["fooled"], critic + mover, retain_graph=True, allow_unused=True)
    told = torch.autograd.grad(losses["told"], critic + mover, retain_graph=True, allow_unused=True)
    assert all(g is None for g in fooled[: len(critic)])
    assert any(g is not None for g in fooled[len(critic) :])
    assert all(g is None for g in told[len(critic) :])
    assert any(g is not None for g in told[: len(critic)])
    # non-saturating: what is surely false is pushed hardest; the official square of a log has no such slope at 0
    assert losses["fooled"] > 0
    assert set(net.eval().loss(batch, "gestures")) == {"huber", "loss"}


def test_the_discriminator_learns_to_tell(show):
    net = small(adversarial=0.1).network().train()
    batch = batch_of(small(), show)
    net.begin("gestures", batch)
    optimiser = torch.optim.Adam(net.critic.parameters(), lr=1e-2)
    told = []
    for _ in range(40):
        torch.manual_seed(0)
        loss = net.loss(batch, "gestures")["told"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        told.append(loss.item())
    assert told[-1] < 0.7 * told[0]


# --- performing ----------------------------------------------------------------------------------------


def test_long_performances_go_on_from_their_own_last_frames(show):
    system = small()
    parts, calls = parts_of(system), []

    def step(**inputs):
        made = parts["step"](**inputs)
        calls.append((inputs["seeded"][0], inputs["start"][0], made["motion"][0]))
        return made

    long = talker(9.0)
    made = system.perform(without(long, "body"), {"step": step})
    assert len(calls) == 5  # 135 frames, 34 at a time, 4 shared
    assert [c[0] for c in calls] == [0, 1, 1, 1, 1]
    for before, after in pairwise(calls):
        assert np.array_equal(before[2][-4:], after[1])
    assert (len(made.body), made.body.fps, made.body.start) == (135, 15, 0.0)


def test_it_goes_on_from_a_motion(show):
    system = small()
    parts = parts_of(system)
    bare = without(show, "body")
    fresh, other = system.perform(bare, parts), system.perform(bare, parts, start=talker(1.0, seed=5).body)
    assert len(fresh.body) == len(other.body) == 75
    assert not same(fresh.body, other.body)
    assert other.meta["camn"]["continued"]
    with pytest.raises(DataError, match="start: 3 frames"):
        system.perform(bare, parts, start=talker(0.2).body)


def test_legs_are_the_incoming_bodys(show):
    system = small()
    parts = parts_of(system)
    kept = system.perform(show, parts).body
    rest = [j for j in range(55) if j not in MOVED]
    at = show.body.resample(15)
    assert np.allclose(kept.rotations[:, rest], at.rotations[:, rest], atol=1e-5)
    assert np.allclose(kept.root, at.root, atol=1e-5)
    bare = system.perform(without(show, "body"), parts).body
    assert np.allclose(bare.rotations[:, rest], [1, 0, 0, 0])
    assert np.allclose(kept.rotations[:, list(MOVED)], bare.rotations[:, list(MOVED)])


def test_knobs_change_what_they_name(show):
    system = small()
    parts = parts_of(system)
    bare = without(show, "body")
    usual = system.perform(bare, parts).body
    assert same(usual, system.perform(bare, parts, seed=9).body), "nothing is drawn"
    for knob in ({"speaker": 2}, {"speaker": None}, {"emotion": "anger"}):
        assert not same(usual, system.perform(bare, parts, **knob).body)
    assert same(usual, system.perform(bare, parts, emotion="happy").body), "it was happy already"
    for knob, message in (
        ({"speaker": 3}, "expected a number from 0 to 2"),
        ({"emotion": "joy"}, "unknown emotion 'joy'"),
        ({"modalities": ("smell",)}, "unknown modality 'smell'"),
    ):
        with pytest.raises(DataError, match=message):
            system.perform(bare, parts, **knob)


def test_sound_and_movement_share_one_clock():
    # A click in frame 20 is in the samples of frame 20, also for tracks that begin late.
    from kinesics.performance import Audio
    from kinesics.systems.gesture._upper_body import samples

    click = np.zeros(16_000, np.float32)
    click[8000] = 1.0
    for start in (0.0, 0.5, -0.25):
        found = np.abs(samples(Audio(click, 16_000, start), 34, 16_200)[:, 0]).argmax()
        assert found / 1080 == pytest.approx((0.5 + start) * 15, abs=0.01)


def test_scores_of_a_tier():
    from kinesics.performance import Interval, Tier

    tier = Tier("semantic", (Interval(0, 0.2, "beat"), Interval(0.4, 0.6, "iconic", 0.5)))
    assert scores(tier, 9).tolist() == [1, 1, 1, 0, 0, 0, 0.5, 0.5, 0.5]


# --- training and exporting ----------------------------------------------------------------------------


def test_tiny_learns_to_move_with_speech(tmp_path):
    system = small(hidden=32, drop=0.0)
    corpus = Arrays.of_performances(system, [talker(6.0, seed=s, speaker=s % 3) for s in range(4)])
    done = fit(system, corpus, tmp_path, training=Training(60, 16, 5e-3, (0.5, 0.999), clip=200.0), every=20,
               device="cpu", progress=False, validation=corpus)  # fmt: skip
    assert done.losses["loss"] < 0.6 * 500 * 0.4  # a still body costs about 0.4 of the weight
    folder = tmp_path / "out"
    try:
        gaps = export(done.checkpoint, folder)
    except ImportError:
        pytest.skip("exporting needs onnx and openvino")
    assert set(gaps) == {"step"}
    loaded, parts = load_system(folder)
    made = loaded.perform(without(talker(4.0, seed=9), "body"), parts)
    assert len(made.body) == 60
    assert made.meta["camn"]["networks"].keys() == {"step"}


def test_it_takes_beats_own_files(shared_data):
    from kinesics.formats import bvh
    from kinesics.performance import Audio, Performance

    folder = shared_data("nc-beat2_scott")
    body = bvh.read(folder / "2_scott_0_1_1_beat1_15fps_f0-660.bvh").body
    show = Performance(
        {"body": body, "speech": Audio.load(folder / "2_scott_0_1_1_f0-1320.wav")}, {"speaker": 2}
    )
    for system in (CaMN(CaMNConfig.paper()), small()):
        rows = list(system.examples(show))
        assert len(rows) == 63
        motion = np.concatenate([row["motion"] for row in rows])
        assert np.isfinite(motion).all()
        assert motion.std(0).max() > (5 if system.config.rotation == "euler" else 0.1), "somebody moves"
        assert rows[0]["present"].tolist() == [1, 0, 0, 1, 0]
    made = small().perform(without(show, "body"), parts_of(small())).body
    assert len(made) == 660
    assert np.isfinite(made.positions()).all()


def test_it_is_registered():
    assert find("camn") is CaMN
    assert CaMN in available("gesture")
    assert CaMN.capability.needs == ()
    for wrong in ({"modalities": ("smell",)}, {"start": 34}, {"layout": "mixamo"}):
        with pytest.raises(DataError):
            CaMNConfig.tiny().changed(**wrong)


def test_bodies_are_needed_only_for_learning(show):
    with pytest.raises(DataError, match="learns from 'body'"):
        next(small().examples(without(show, "body")))
