"""EMOTE: sizes, losses, the exchange, and what performing promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.errors import DataError
from kinesics.performance import Audio, Interval, Performance, Tier
from kinesics.seeds import rng
from kinesics.systems import _face_features as features
from kinesics.systems.face.emote.spec import FPS, Emote, EmoteConfig

torch = pytest.importorskip("torch")

from kinesics.lab import Arrays, fit, networks, restore  # noqa: E402
from kinesics.lab.claims._faces import talking_face, talking_faces  # noqa: E402
from kinesics.systems import load_system  # noqa: E402
from kinesics.systems.face.emote.net import Net, derangement  # noqa: E402

SMALL = {
    "window": 48, "stride": 48, "prior_window": 32, "width": 24, "latent": 24, "heads": 4, "hidden": 48, "prior_width": 32,
    "prior_hidden": 48, "ears_width": 32, "speakers": 2, "lip_width": 32, "lip_depth": 2, "mood_width": 32, "span": 64,
    "dropout": 0.0,
}  # fmt: skip
STEPS = {"lips": 40, "emotion": 50, "prior": 80, "speech": 80, "exchange": 50}
BATCH = 12


def small(**changes) -> Emote:
    return Emote(EmoteConfig.tiny().changed(**{**SMALL, **changes}))


@pytest.fixture(scope="module")
def shows() -> list[Performance]:
    return talking_faces(32, seed=1, speakers=2, seconds=3.0)


@pytest.fixture(scope="module")
def corpus(shows) -> Arrays:
    return Arrays.of_performances(small(), shows)


def batch_of(corpus: Arrays, count: int = 16) -> dict:
    return {n: torch.from_numpy(np.ascontiguousarray(v[:count])) for n, v in corpus.stacked.items()}


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """Checkpoints by stage, of seconds of training, and the losses before."""
    torch.set_num_threads(1)
    system, out, made, start = small(), tmp_path_factory.mktemp("emote"), {}, None
    for stage, steps in STEPS.items():
        training = replace(system.training(stage), steps=steps, batch=BATCH, warm_up=5)
        made[stage] = fit(
            system, corpus, out, stage=stage, start=start, training=training, progress=False, device="cpu"
        )
        start = made[stage].checkpoint
    return made


@pytest.fixture
def torch_side(trained):
    system, net = restore(trained["exchange"].checkpoint)
    return system, networks(net)


def count(*modules) -> int:
    return sum(p.numel() for m in modules for p in m.parameters())


def linear(a: int, b: int) -> int:
    return a * b + b


def layer(width: int, hidden: int) -> int:
    return (
        linear(width, 3 * width)
        + linear(width, width)
        + linear(width, hidden)
        + linear(hidden, width)
        + 4 * width
    )


@pytest.fixture(scope="module")
def paper() -> Net:
    torch.manual_seed(0)
    return Emote(EmoteConfig.paper()).network()


def test_the_published_networks_have_the_published_sizes(paper):
    # From the sizes in the paper's code, with FLAME's 53 numbers: ours are 52 and within two per cent.
    conv = 128 * 128 * 5 + 128 + 256
    encoder = 53 * 128 * 5 + 128 + 256 + 2 * conv + linear(128, 128) + layer(128, 384) + 2 * linear(128, 128)
    decoder = 3 * conv + 2 * linear(128, 128) + layer(128, 384) + 128 * 53 * 5 + 53
    speaker = linear(8 + 3 + 32, 128) + layer(256, 256) + linear(256, 128) + linear(8 * 128, 128)
    assert count(paper.encoder) == pytest.approx(encoder, rel=0.02)
    assert count(paper.decoder) == pytest.approx(decoder, rel=0.02)
    assert count(paper.speaker) == speaker
    assert count(paper.hear) == pytest.approx(94_371_712 + linear(768, 128), rel=0.001)
    mood = linear(204, 256) + layer(256, 256) + linear(256, 256) + linear(256, 8) + linear(256, 3)
    assert count(paper.emotion) == mood


def test_the_published_networks_take_one_finite_step(paper):
    system = Emote(EmoteConfig.paper())
    (example,) = list(system.examples(talking_face(0, 0, emotion="happy", seconds=3.0)))
    assert {n: v.shape for n, v in example.items()} == {
        "face": (64, 52), "audio": (64 * 640,), "mood": (11,), "style": (), "visemes": (64,), "count": (),
    }  # fmt: skip
    batch = {n: torch.from_numpy(np.stack([v, v])) for n, v in example.items()}
    batch["mood"][1] = torch.from_numpy(features.mood("sad", 1.0))
    paper.train()
    torch.nn.init.normal_(paper.decoder.leave.weight)  # it begins at zero, and nothing would come through
    for stage in system.stages:
        paper.begin(stage, batch)
        moving = {id(p) for p in paper.trainable(stage)}
        for parameter in paper.parameters():
            parameter.grad = None
            parameter.requires_grad_(id(parameter) in moving)
        losses = paper.loss(batch, stage)
        losses["loss"].backward()
        assert all(torch.isfinite(v) for v in losses.values())
        length = torch.nn.utils.clip_grad_norm_(paper.trainable(stage), 1.0)
        assert torch.isfinite(length)
        assert length > 0
    fixed = {id(p) for p in paper.hear.ears.network.convolutions.parameters()}
    assert fixed
    assert not fixed & {id(p) for p in paper.trainable("speech")}, "wav2vec's convolutions are frozen"
    assert not {id(p) for p in paper.hear.ears.parameters()} & {id(p) for p in paper.trainable("exchange")}


def test_eight_frames_are_a_latent(corpus):
    net = small().network().eval()
    face = batch_of(corpus)["face"]
    z, mean, log_variance = net.encoder(face)
    assert z.shape == mean.shape == log_variance.shape == (16, 6, 24)
    assert net.decoder(z).shape == (16, 48, 52)
    # a latent is about its own eight frames
    changed = z.clone()
    changed[:, 5] += 1
    torch.nn.init.normal_(net.decoder.leave.weight)
    net.decoder.block.attention.out.weight.data.zero_()
    change = (net.decoder(changed) - net.decoder(z)).abs().amax((0, 2))
    assert change[:16].max() < 1e-6 < 1e-3 < change[40:].max()


def test_outputs_begin_at_the_mean_face(corpus):
    net, batch = small().network(), batch_of(corpus)
    net.begin("prior", batch)
    made = net.speak(net.hear(batch["audio"]), batch["mood"], batch["style"])
    smooth = net.decoder.smooth.bias * net.spread
    torch.testing.assert_close(made, (net.mean + smooth).expand_as(made))


def test_the_transformers_output_is_what_is_decoded(corpus):
    net = small().network().eval()
    torch.nn.init.normal_(net.speaker.leave.weight)
    heard = net.hear(batch_of(corpus)["audio"])
    condition = torch.zeros(16, 48, 13)
    before = net.speaker(heard, condition)
    with torch.no_grad():
        net.speaker.block.after_mlp.weight.mul_(2)
    assert not torch.allclose(net.speaker(heard, condition), before)
    # frame 0 hears of frame 40 by attention alone
    with torch.no_grad():
        later = heard.clone()
        later[:, 40:] += 1
        assert (net.speaker(later, condition)[:, 0] - net.speaker(heard, condition)[:, 0]).abs().max() > 1e-5


def test_nobody_is_their_own_donor():
    torch.manual_seed(0)
    assert derangement(2).tolist() == [1, 0]
    seen = set()
    for size in range(2, 9):
        for _ in range(50):
            donor = derangement(size)
            assert sorted(donor.tolist()) == list(range(size))
            assert not (donor == torch.arange(size)).any()
            seen.add(tuple(donor.tolist()))
    assert len(seen) > 150, "donors are drawn"


def test_the_exchange_asks_for_the_donors_emotion_and_ones_own_lips(corpus):
    """A face that does as told, and one that ignores what it is told, under the same losses."""
    net, batch = small().network().eval(), batch_of(corpus, 8)
    # clips of one emotion each, all different
    order = [
        int(np.flatnonzero(corpus.stacked["mood"][:, e] == corpus.stacked["mood"][:, e].max())[0])
        for e in range(8)
    ]
    batch = {n: torch.from_numpy(v[order]) for n, v in corpus.stacked.items()}
    donors = {}

    def obeys(heard, mood, style):
        if torch.equal(mood, batch["mood"]):
            return batch["face"]
        donors["found"] = torch.cdist(mood, batch["mood"]).argmin(1)
        return batch["face"][donors["found"]]

    net.speak = obeys
    told = net.loss(batch, "exchange")
    assert told["vertices"] == told["lips"] == 0
    assert told["emotion exchanged"].item() == pytest.approx(0, abs=1e-5)
    assert told["lips exchanged"] > 0.01, "it has the donor's lips, not its own"
    net.speak = lambda heard, mood, style: batch["face"]
    ignored = net.loss(batch, "exchange")
    assert ignored["lips exchanged"].item() == pytest.approx(0, abs=1e-5)
    assert ignored["emotion exchanged"] > 1e-4


def test_what_is_frozen_does_not_move(trained):
    before, after = (restore(trained[stage].checkpoint)[1].state_dict() for stage in ("speech", "exchange"))
    changed = {
        n.partition(".")[0] + "." + n.split(".")[1] for n in before if not torch.equal(before[n], after[n])
    }
    assert all(n.startswith(("speaker.", "hear.narrow")) for n in changed)
    assert any(n.startswith("speaker.") for n in changed)
    a, b = (restore(trained[stage].checkpoint)[1].state_dict() for stage in ("prior", "speech"))
    assert all(
        torch.equal(a[n], b[n]) for n in a if n.startswith(("encoder", "decoder", "lips", "emotion"))
    ), "batch norms and readers stay as they were"


def test_losses_fall_in_every_stage(trained, corpus):
    from kinesics.lab.fitting import losses_on

    system, start = small(), None
    for stage, done in trained.items():
        torch.manual_seed(0)
        net = system.network() if start is None else restore(start)[1]
        batch = batch_of(corpus, len(corpus))
        net.begin(stage, batch)
        before, after = losses_on(net, corpus, stage), losses_on(restore(done.checkpoint)[1], corpus, stage)
        wanted = {"lips": 0.4, "emotion": 0.6, "prior": 0.6, "speech": 0.9, "exchange": 0.9}[stage]
        assert after["loss"] < wanted * before["loss"], (stage, before, after)
        start = done.checkpoint


def test_the_exchange_moves_the_emotion(trained, corpus, tmp_path):
    """Told another emotion than one hears: the teacher reads it rather on the face of the network that exchanged."""
    system, net = restore(trained["exchange"].checkpoint)
    training = replace(system.training("exchange"), steps=STEPS["exchange"], batch=BATCH, warm_up=5)
    alone = small(exchange=False, lip=0.0, emotion=0.0)
    plain = fit(
        alone, corpus, tmp_path, stage="exchange", start=trained["speech"].checkpoint, training=training, progress=False,
        device="cpu",
    )  # fmt: skip
    batch = batch_of(corpus, len(corpus))
    shift = torch.arange(len(corpus)).roll(7)
    wanted = batch["mood"][shift, :8].argmax(1)
    shares = []
    for one in (net, restore(plain.checkpoint)[1]):
        with torch.no_grad():
            made = one.speak(one.hear(batch["audio"]), batch["mood"][shift], batch["style"])
            scores, _ = net.emotion(net.seen(made, net.landmarks))
        shares.append(torch.nn.functional.cross_entropy(scores, wanted).item())
    assert shares[0] < shares[1] - 0.05


def test_optimising_through_the_prior_jerks_less(trained, corpus):
    from kinesics.lab.claims.emote import optimised

    _, net = restore(trained["exchange"].checkpoint)
    face, donor = (torch.from_numpy(corpus.stacked["face"][i]) for i in (0, 9))
    before = net.read(face[None], face[None], donor[None], "")["emotion"]
    jerks = []
    for prior in (True, False):
        made = optimised(net, face, donor, prior=prior, steps=40)
        assert made.shape == face.shape
        assert net.read(made[None], face[None], donor[None], "")["emotion"] < before
        jerks.append(net.face.moved(made).diff(n=3, dim=0).norm(dim=-1).mean())
    assert jerks[0] < jerks[1]


def test_examples_lie_where_they_were_heard():
    system = small()
    show = talking_face(3, 0, emotion="anger", intensity=1.0, seconds=4.5)
    rows = list(system.examples(show))
    assert len(rows) == 2
    assert rows[0]["mood"].tolist() == features.mood("anger", 1.0).tolist()
    wanted = show.face.select(ARKIT).resample(FPS).values
    np.testing.assert_allclose(rows[1]["face"], wanted[48:96], atol=1e-6)
    names = [
        features.VISEMES.index(features.viseme(p.label)) for p in show.tier("phones") if p.middle < 48 / FPS
    ]
    assert rows[0]["visemes"][: rows[0]["count"]].tolist() == names
    # a face that begins later hears what is said later
    late = replace(show.face.slice(1.0, 4.5), start=1.0)
    (moved,) = list(system.examples(show.with_tracks(face=late)))
    np.testing.assert_array_equal(
        moved["audio"], features.log_mel(show.speech, 225, fps=50, bands=40)[50:146]
    )
    bare = next(system.examples(show.with_tracks(phones=None, emotion=None)))
    assert bare["count"] == 0
    assert bare["mood"][0] == 1
    with pytest.raises(DataError, match="needs the track 'speech'"):
        next(system.examples(show.with_tracks(speech=None)))
    with pytest.raises(DataError, match="basis 'flame'"):
        next(system.examples(show.with_tracks(face=replace(show.face, basis="flame"))))


def test_an_emotion_is_shares_of_emotions_and_levels():
    assert features.mood("happy", 2 / 3)[8:].tolist() == pytest.approx([0, 1, 0], abs=1e-6)
    weak = features.mood("fear", 1 / 6)
    assert weak[[0, 4]].tolist() == pytest.approx([0.5, 0.5])
    assert features.mood("fear", 0.0)[0] == 1
    for x in np.linspace(0, 2, 23):
        shares = features.mood("disgust", x)
        assert shares[:8].sum() == pytest.approx(1)
        assert shares[8:].sum() == pytest.approx(1)
    for wrong in (("joy", 1.0), ("happy", -0.1), ("happy", float("nan"))):
        with pytest.raises(DataError):
            features.mood(*wrong)


def test_emotions_change_where_the_tier_says():
    tier = Tier("emotion", (Interval(0, 2, "sad", 1.0), Interval(2, 4, "happy", 1.5)))
    shares, beyond = features.moods(tier, 125, fps=25, blend=0.4)
    assert shares[20, 2] == 1
    assert shares[80, 1] == 1
    assert shares[110, 0] == 1, "neutral after the last"
    assert shares[50, [1, 2]].tolist() == pytest.approx([6 / 11, 5 / 11])
    np.testing.assert_allclose(shares[:, :8].sum(1), 1, atol=1e-6)
    assert (beyond[20], beyond[80]) == (0, pytest.approx(0.5))
    at_once, _ = features.moods(tier, 125, fps=25, blend=0)
    assert (at_once[49, 2], at_once[50, 1]) == (1, 1)


def spoken(seconds: float = 4.0, **more) -> Performance:
    return talking_face(9, 0, seconds=seconds, **more).with_tracks(face=None, emotion=None)


def test_performing_gives_a_face_to_the_end_of_the_speech(torch_side):
    system, parts = torch_side
    made = system.perform(spoken(3.3), parts, emotion="happy")
    assert (len(made.face), made.face.fps, made.face.names, made.face.basis) == (83, 25, ARKIT, "arkit")
    assert made.face.values.min() >= 0
    assert made.face.values.max() <= 1
    assert made.meta["synthetic"] is True
    assert made.meta["emote"]["emotion"] == [[0.0, 3.3, "happy", None]]
    again = system.perform(spoken(3.3), parts, emotion="happy", seed=5)
    np.testing.assert_array_equal(made.face.values, again.face.values)
    assert set(made) == {"speech", "phones", "face"}


def test_the_performances_own_emotions_count(torch_side):
    system, parts = torch_side
    tier = Tier("emotion", (Interval(0, 4, "surprise", 1.0),))
    a = system.perform(spoken().with_tracks(emotion=tier), parts)
    b = system.perform(spoken(), parts, emotion="surprise", intensity=1.0)
    np.testing.assert_array_equal(a.face.values, b.face.values)
    assert system.perform(spoken(), parts).face.difference(a.face) > 1e-3


def test_knobs_do_something(torch_side):
    system, parts = torch_side
    base = system.perform(spoken(), parts, emotion="happy", intensity=1.0).face
    for knob in (
        {"emotion": "sad"},
        {"intensity": 0.2},
        {"intensity": 2.0},
        {"style": 1},
        {"style": (0.5, 0.5)},
    ):
        made = system.perform(spoken(), parts, **{"emotion": "happy", "intensity": 1.0, **knob}).face
        assert base.difference(made) > 1e-4, knob
    one = system.perform(spoken(), parts, emotion="happy", intensity=1.0, style=(1.0, 0.0)).face
    np.testing.assert_array_equal(one.values, base.values)


def test_exaggeration_goes_on_in_the_same_direction_and_is_cut(torch_side):
    system, parts = torch_side
    smile = INDEX["mouthSmileLeft"]
    faces = [
        system.perform(spoken(), parts, emotion="happy", intensity=x).face.values
        for x in (0.0, 1.0, 1.5, 3.0)
    ]
    levels = [v[30:70, smile].mean() for v in faces]
    assert levels == sorted(levels)
    assert levels[3] > levels[1] + 0.1
    assert all(v.min() >= 0 and v.max() <= 1 for v in faces)


def test_an_emotion_may_change_within_a_clip(torch_side):
    system, parts = torch_side
    tier = Tier("emotion", (Interval(0, 2, "neutral", 0.6), Interval(2, 4, "happy", 1.0)))
    both = system.perform(spoken(), parts, emotion=tier).face.values
    happy = system.perform(spoken(), parts, emotion="happy", intensity=1.0).face.values
    plain = system.perform(spoken(), parts, emotion="neutral", intensity=0.6).face.values

    def gap(a, b, part):
        return np.abs(a - b)[part].mean()

    early, late = slice(15, 38), slice(62, 80)
    assert gap(both, plain, early) < 0.5 * gap(both, happy, early)
    assert gap(both, happy, late) < 0.5 * gap(both, plain, late)


def test_silence_at_the_ends_has_a_still_mouth(torch_side):
    system, parts = torch_side
    speech = spoken().speech
    quiet = np.zeros(16_000, np.float32)
    sound = np.concatenate([quiet, speech.samples, quiet])
    face = system.perform(Performance({"speech": Audio(sound, 16_000)}), parts, emotion="happy").face.values
    jaw = face[:, INDEX["jawOpen"]]
    assert jaw[:20].max() == jaw[-20:].max() == 0
    assert jaw[50:110].max() > 0.02
    assert np.abs(np.diff(face[:20], axis=0)).max() == 0, "still"
    smile = INDEX["mouthSmileLeft"]
    assert face[5, smile] == pytest.approx(face[50:120, smile].mean(), abs=0.1), "but not without its emotion"
    first = int(np.flatnonzero(jaw)[0])
    loud = features.samples_of(Audio(sound, 16_000))
    began = np.flatnonzero(np.abs(loud) > 0.02 * np.abs(loud).max())[0] / 16_000 * FPS
    assert began - 7 <= first <= began


def test_silence_alone_is_a_still_face(torch_side):
    system, parts = torch_side
    face = system.perform(
        Performance({"speech": Audio(np.zeros(32_000, np.float32), 16_000)}), parts
    ).face.values
    assert np.abs(np.diff(face, axis=0)).max() < 1e-6
    assert face[:, INDEX["jawOpen"]].max() == 0


def test_long_speech_goes_on_without_a_jump(torch_side):
    system, parts = torch_side
    face = system.perform(talking_face(9, 1, seconds=9.0), parts).face.values
    assert len(face) == 225
    steps = np.abs(np.diff(face, axis=0)).mean(1)
    hop = system.config.span - system.config.overlap
    assert steps[hop - 1 :: hop].max() < 2 * np.quantile(steps, 0.95)


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ({"emotion": "joy"}, "unknown emotion 'joy'; choose one of: neutral"),
        ({"emotion": Tier("emotion", (Interval(0, 1, "calm"),))}, "unknown emotion 'calm'"),
        ({"intensity": -0.1}, "expected 0 to 1"),
        ({"intensity": float("nan")}, "expected 0 to 1"),
        ({"intensity": 3.5}, "up to 3 to exaggerate"),
        ({"style": 2}, "from 0 to 1"),
        ({"style": "ann"}, "from 0 to 1"),
        ({"style": (0.5, 0.4)}, "that sum to 1"),
        ({"style": (1.0, 0.0, 0.0)}, "that sum to 1"),
        ({"blend": -1.0}, "blend -1.0 s"),
    ],
)
def test_knobs_out_of_range_are_refused(torch_side, knob, message):
    system, parts = torch_side
    with pytest.raises(DataError, match=message):
        system.perform(spoken(1.5), parts, **knob)


def test_speech_must_be_there(torch_side):
    system, parts = torch_side
    with pytest.raises(DataError, match="needs the track 'speech'"):
        system.perform(Performance({}), parts)
    with pytest.raises(DataError, match="nothing to move to"):
        system.perform(Performance({"speech": Audio(np.zeros(0, np.float32), 16_000)}), parts)


@pytest.mark.parametrize(
    "wrong", [{"window": 60}, {"span": 20}, {"overlap": 64}, {"ears": "ear"}, {"speakers": 0}]
)
def test_configurations_that_make_no_sense_are_refused(wrong):
    with pytest.raises(DataError):
        small(**wrong)


def test_the_exported_system_does_as_torch_does(trained, torch_side, tmp_path):
    pytest.importorskip("openvino")
    pytest.importorskip("onnx")
    from kinesics.lab import export

    gaps = export(trained["exchange"].checkpoint, tmp_path)
    assert set(gaps) == {"hear", "speak"}
    assert max(gaps.values()) < 1e-3
    system, parts = load_system(tmp_path)
    _, ours = torch_side
    knobs = {"emotion": "fear", "intensity": 1.2}
    a, b = (system.perform(spoken(), p, **knobs).face for p in (parts, ours))
    assert a.difference(b) < 1e-3


def test_noise_of_any_kind_makes_a_face(torch_side):
    system, parts = torch_side
    stream = rng(0, "noise")
    for rate, start in ((8000, 0.0), (44_100, 0.3), (16_000, -0.5)):
        sound = Audio(stream.standard_normal((rate * 2, 2)).astype(np.float32), rate, start)
        made = system.perform(Performance({"speech": sound}), parts)
        assert abs(len(made.face) / FPS - sound.end) <= 1 / FPS


def test_a_clip_alone_has_no_donor(corpus):
    net = small().network()
    losses = net.loss(batch_of(corpus, 1), "exchange")
    assert "lips exchanged" not in losses
    assert torch.isfinite(losses["loss"])
