"""LivelySpeaker: SAG, RAG, what joins them, its knobs, the published sizes."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.performance import Audio, Interval, Performance, Tier
from kinesics.systems import available, find
from kinesics.systems.gesture._upper_body import MOVED
from kinesics.systems.gesture.livelyspeaker.spec import LivelySpeaker, LivelySpeakerConfig
from tests.systems.talking import WORDS, talker

torch = pytest.importorskip("torch")

from kinesics.lab import Arrays, export, fit, log, networks  # noqa: E402
from kinesics.systems import Training, load_system  # noqa: E402
from kinesics.systems.gesture.livelyspeaker.net import level  # noqa: E402

SMALL = {
    "width": 32, "hidden": 32, "heads": 2, "layers": 1, "blocks": 2, "audio_widths": (8, 8), "audio_strides": (3, 2),
    "speakers": 3, "style": 8, "steps": 5,
}  # fmt: skip


def small(**changes) -> LivelySpeaker:
    return LivelySpeaker(LivelySpeakerConfig.tiny().changed(**{**SMALL, **changes}))


def same(a, b):
    return np.array_equal(a.rotations, b.rotations) and np.array_equal(a.root, b.root)


@pytest.fixture(scope="module")
def show():
    return talker(4.0, speaker=1)


@pytest.fixture(scope="module")
def bare(show):
    return show.with_tracks(body=None)


def net_of(system):
    torch.manual_seed(0)
    net = system.network()
    with torch.no_grad():
        net.mean.normal_(0, 0.3)
        net.spread.uniform_(0.1, 0.3)
        net.style.table.weight.normal_()
        for block in net.denoiser.blocks:  # as if trained: the mixing layers begin at nothing
            if hasattr(block, "features"):
                torch.nn.init.xavier_uniform_(block.features.weight)
    return net


@pytest.fixture(scope="module")
def system():
    return small()


@pytest.fixture(scope="module")
def parts(system):
    return networks(net_of(system))


def batch_of(system, *shows):
    rows = [row for show in shows for row in system.examples(show)]
    return {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}


class Clip:
    """Stands where CLIP would: 512 numbers, of CLIP's length."""

    close_enough = 0.5

    def embed(self, texts):
        return np.stack([10 * np.cos(np.arange(512) * len(t)) / 16 for t in texts]).astype(np.float32)


# --- the published networks ----------------------------------------------------------------------------


def official_counts() -> tuple[int, int]:
    """Weights of SAG and RAG, layer by layer from the official configuration for BEAT."""

    def linear(a, b):
        return a * b + b

    attention, mlp, norm = 4 * linear(512, 512), linear(512, 1024) + linear(1024, 512), 2 * 512
    encoder = linear(282, 512) + 2 * 512 + 3 * (attention + mlp + 2 * norm)
    decoder = linear(283, 512) + 3 * (2 * attention + mlp + 3 * norm) + linear(512, 282)
    sound = sum(a * b * 15 + b for a, b in ((1, 32), (32, 64), (64, 128), (128, 256)))
    blocks = 8 * (35 * 35 + 35 + linear(512, 512) + 2 * norm)
    style = 1400 * 256 + 2 * linear(256, 512)
    rag = sound + blocks + style + 2 * linear(512, 512) + linear(2 * 282 + 1 + 256, 512) + linear(512, 282)
    return encoder + decoder, rag


def test_the_paper_networks_have_the_official_sizes():
    net = LivelySpeaker(LivelySpeakerConfig.paper()).network()
    counts = tuple(sum(p.numel() for p in net.trainable(stage)) for stage in ("sag", "rag"))
    assert counts == pytest.approx(official_counts(), rel=1e-3)


def test_the_paper_networks_take_a_step(show):
    system = LivelySpeaker(LivelySpeakerConfig.paper())
    with pytest.raises(DataError, match=r"needs a text embedder of 512 numbers .* set system.embedder"):
        next(system.examples(show))
    system.embedder = Clip()
    batch = {name: values[:2] for name, values in batch_of(system, show).items()}
    assert {n: tuple(v.shape) for n, v in batch.items()} == {
        "motion": (2, 34, 282), "audio": (2, 34 * 1080, 1), "text": (2, 512), "speaker": (2,),
    }  # fmt: skip
    net = system.network().train()
    net.begin("sag", batch)
    for stage in system.stages:
        before = [p.detach().clone() for p in net.trainable(stage)]
        optimiser = torch.optim.Adam(net.trainable(stage), lr=1e-4)
        loss = net.loss(batch, stage)["loss"]
        loss.backward()
        optimiser.step()
        assert torch.isfinite(loss)
        assert all(torch.isfinite(p).all() for p in net.trainable(stage))
        assert any(not torch.equal(a, b) for a, b in zip(before, net.trainable(stage), strict=True))
    assert {n: run(**{k: v.numpy() for k, v in g.inputs.items()})[g.outputs[0]].shape
            for (n, run), g in zip(networks(net).items(), net.graphs().values(), strict=True)} == {
        "enter": (1, 34, 282), "leave": (1, 34, 282), "speak": (1, 34, 282), "listen": (1, 34, 256),
        "style": (1, 512), "step": (1, 34, 282),
    }  # fmt: skip
    made = system.perform(show.with_tracks(body=None), networks(net), steps=10)
    assert len(made.body) == 60
    assert np.allclose(made.body.rotations[:, [1, 2, 4, 5]], [1, 0, 0, 0]), "legs rest"


def test_the_attention_baseline_has_the_mlps_size():
    for preset in ("tiny", "paper"):
        sizes = []
        for attention in (False, True):
            net = LivelySpeaker(LivelySpeakerConfig.preset(preset, attention=attention)).network()
            sizes.append(sum(p.numel() for p in net.denoiser.parameters()))
        assert sizes[1] == pytest.approx(sizes[0], rel=0.1)
    net = net_of(small(attention=True)).train()
    batch = batch_of(small(attention=True), talker(4.0))
    assert torch.isfinite(net.loss(batch, "rag")["loss"])


# --- losses --------------------------------------------------------------------------------------------


def test_the_latent_turns_towards_the_text(show):
    system = small(align=1.0, from_text=0.0)
    batch = batch_of(system, show)
    net = system.network().train()
    net.begin("sag", batch)
    optimiser = torch.optim.Adam(net.trainable("sag"), lr=3e-3)
    away = []
    for _ in range(60):
        losses = net.loss(batch, "sag")
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
        away.append(losses["away"].item())
    assert away[-1] < 0.5 * away[0]
    assert set(losses) == {"pose", "pace", "away", "loss"}
    assert losses["loss"].item() == pytest.approx(
        sum(losses[n].item() for n in ("pose", "pace", "away")), rel=1e-5
    )


def test_windows_without_words_do_not_count_as_text(system, show):
    batch = batch_of(system, show)
    net = net_of(system).eval()
    half = {**batch, "text": batch["text"].clone()}
    half["text"][1:] = 0
    first = {name: values[:1] for name, values in batch.items()}
    assert net.loss(half, "sag")["away"].item() == pytest.approx(
        net.loss(first, "sag")["away"].item(), rel=1e-5
    )
    half["text"][:] = 0
    assert net.loss(half, "sag")["away"] == 0


def test_lengths_of_texts_do_not_matter(system):
    net = net_of(system).eval()
    text, start = torch.randn(1, 32), torch.zeros(1, 4, system.config.channels)
    one = torch.ones(1)
    assert torch.allclose(net.writer(text, start, one), net.writer(10 * text, start, one), atol=1e-5)
    assert level(text).norm().item() == pytest.approx(32**0.5)
    assert not level(torch.zeros(1, 32)).any()


def test_style_is_drawn_in_training_only(system):
    net = net_of(system)
    who = torch.tensor([1])
    assert not torch.equal(net.train().style(who), net.style(who))
    assert torch.equal(net.eval().style(who), net.style(who))


def test_rag_leaves_sag_alone(system, show):
    net = net_of(system).train()
    net.loss(batch_of(system, show), "rag")["loss"].backward()
    assert all(p.grad is None for p in net.trainable("sag"))
    assert all(p.grad is not None for p in net.trainable("rag"))


# --- knobs ---------------------------------------------------------------------------------------------


def counted(parts):
    calls = {name: [] for name in parts}

    def wrap(name, run):
        def call(**inputs):
            calls[name].append(inputs)
            return run(**inputs)

        return call

    return calls, {name: wrap(name, run) for name, run in parts.items()}


@pytest.mark.parametrize(
    ("meaning", "spoken", "steps"), [(0.0, 0, 10), (0.5, 1, 5), (0.8, 1, 2), (1.0, 1, 0), (0.93, 1, 1)]
)
def test_meaning_shares_out_the_steps(meaning, spoken, steps, system, parts):
    calls, counting = counted(parts)
    short = talker(2.0).with_tracks(body=None)
    system.perform(short, counting, meaning=meaning, steps=10)
    assert (len(calls["speak"]), len(calls["step"])) == (spoken, steps)
    if 0 < meaning < 1:  # the first step is that of the noise which was put on
        assert calls["step"][0]["t"][0] == system.config.schedule.strided(10)[10 - steps]


def test_more_meaning_stays_closer_to_the_script(system, parts, bare):
    # With the best denoiser there is for motion of normal spread, whose answer is known.
    kept = system.config.schedule.kept

    def step(**inputs):
        return {"data": np.sqrt(kept[inputs["t"][0]]).astype(np.float32) * inputs["x"]}

    gist = system.perform(bare, parts, meaning=1.0).body

    def away(meaning):
        made = system.perform(bare, {**parts, "step": step}, meaning=meaning, steps=20).body
        return np.abs(made.positions() - gist.positions()).mean()

    distances = [away(m) for m in (0.0, 0.3, 0.6, 0.8, 0.95, 1.0)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] == 0 < distances[-2] < 0.3 * distances[0]


def test_without_words_it_is_rhythm_alone(system, parts, bare, caplog):
    silent = bare.with_tracks(words=None)
    rhythm = system.perform(silent, parts, meaning=0.0)
    caplog.clear()
    usual = system.perform(silent, parts)
    assert same(usual.body, rhythm.body)
    assert usual.meta["livelyspeaker"]["meaning"] == 0
    assert "no words are known" in caplog.text
    assert not same(system.perform(silent, parts, script="this big").body, rhythm.body)
    with pytest.raises(DataError, match="meaning nan"):
        system.perform(silent, parts, meaning=float("nan"))


def test_the_script_can_be_edited(system, parts, bare):
    usual = system.perform(bare, parts).body
    edited = system.perform(bare, parts, script="a tiny little mouse")
    assert not same(usual, edited.body)
    assert edited.meta["livelyspeaker"]["script"] == "a tiny little mouse"
    assert same(usual, system.perform(bare, parts, script=bare.tier("words")).body)
    silent = system.perform(bare, parts, script="").body
    assert same(silent, system.perform(bare.with_tracks(words=None), parts).body)
    # only the window in which a word changed, and those that go on from it, move otherwise
    words = list(bare.tier("words"))
    words[-1] = Interval(words[-1].start, words[-1].end, "swim")
    late = system.perform(bare, parts, script=Tier("words", tuple(words))).body
    assert np.array_equal(late.rotations[:30], usual.rotations[:30])
    assert not np.array_equal(late.rotations[30:], usual.rotations[30:])
    # the script says nothing to RAG alone
    alone = [system.perform(bare, parts, meaning=0.0, script=s).body for s in ("a fish", "no")]
    assert same(*alone)


def test_guidance_goes_towards_the_sound(system, parts, bare):
    calls, counting = counted(parts)
    system.perform(bare, counting)
    plain = len(calls["step"])
    calls, counting = counted(parts)
    strong = system.perform(bare, counting, guidance=1.5).body
    assert len(calls["step"]) == 2 * plain
    usual = system.perform(bare, parts).body
    assert not same(usual, strong)
    # guidance 0 does not hear: another sound changes nothing
    loud = talker(4.0, seed=8).speech
    deaf = [system.perform(bare.with_tracks(speech=s), parts, guidance=0.0).body for s in (bare.speech, loud)]
    assert same(*deaf)
    heard = [system.perform(bare.with_tracks(speech=s), parts).body for s in (bare.speech, loud)]
    assert not same(*heard)


def test_styles_can_be_changed_and_mixed(system, parts, bare):
    a, b = (system.perform(bare, parts, speaker=n) for n in (0, 2))
    assert not same(a.body, b.body)
    assert same(a.body, system.perform(bare, parts, speaker={0: 3.0}).body)
    mixed = system.perform(bare, parts, speaker={0: 1, 2: 1})
    assert not same(mixed.body, a.body)
    assert mixed.meta["livelyspeaker"]["speaker"] == {"0": 1, "2": 1}
    style = [parts["style"](speaker=np.array([n]))["style"] for n in (0, 2)]
    assert np.allclose(system._style({0: 1, 2: 3}, parts), style[0] / 4 + 3 * style[1] / 4, atol=1e-6)


def test_seeds(system, parts, bare):
    a, b, c = (system.perform(bare, parts, seed=s).body for s in (1, 1, 2))
    assert same(a, b)
    assert not same(a, c)


def test_legs_and_place_are_the_incoming_bodys(system, parts, show):
    made, at = system.perform(show, parts).body, show.body.resample(15)
    rest = [j for j in range(55) if j not in MOVED]
    assert np.allclose(made.rotations[:, rest], at.rotations[:, rest], atol=1e-5)
    assert np.allclose(made.root, at.root, atol=1e-5)


def test_long_performances_go_on_from_their_own_last_frames(system, parts):
    calls, counting = counted(parts)
    made = system.perform(talker(7.0).with_tracks(body=None), counting, meaning=1.0)
    assert len(made.body) == 105
    seeds = [c["start"][0] for c in calls["speak"]]
    outs = [parts["speak"](**c)["x"][0] for c in calls["speak"]]
    assert [c["seeded"][0] for c in calls["speak"]] == [0, 1, 1, 1]
    for out, seed in zip(outs, seeds[1:], strict=False):
        assert np.array_equal(out[-4:], seed)


def test_it_goes_on_from_a_motion(system, parts, bare):
    calls, counting = counted(parts)
    before = talker(1.0, seed=3).body
    made = system.perform(bare, counting, start=before)
    assert len(made.body) == 60
    assert calls["speak"][0]["seeded"][0] == 1
    from kinesics.systems.gesture._upper_body import seen

    wanted = parts["enter"](motion=seen(before, system.config.form)[None, -4:])["x"]
    assert np.array_equal(calls["speak"][0]["start"], wanted)
    with pytest.raises(DataError, match="start: 3 frames"):
        system.perform(bare, parts, start=talker(0.2).body)


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ({"meaning": 1.1}, r"meaning 1\.1; expected 0"),
        ({"meaning": float("nan")}, "meaning nan"),
        ({"guidance": float("inf")}, "guidance inf"),
        ({"speaker": 3}, "expected a number from 0 to 2"),
        ({"speaker": {}}, "expected weights"),
        ({"speaker": {0: -1.0, 1: 2.0}}, "expected weights"),
        ({"steps": 0}, "expected 1 to 1000"),
        ({"steps": 1001}, "expected 1 to 1000"),
    ],
)
def test_settings_that_make_no_sense_are_refused(knob, message, system, parts, bare):
    with pytest.raises(DataError, match=message):
        system.perform(bare, parts, **knob)


def test_what_it_cannot_do_without(system, parts, bare):
    with pytest.raises(DataError, match="needs the track 'speech'"):
        system.perform(bare.with_tracks(speech=None), parts)
    with pytest.raises(DataError, match="the speech is empty"):
        system.perform(Performance({"speech": Audio(np.zeros(0), 16_000)}), parts)
    with pytest.raises(DataError, match="learns from 'body'"):
        next(system.examples(bare))


def test_embedders_are_checked(bare, parts):
    other = small()
    other.embedder = Clip()
    with pytest.raises(DataError, match=r"embedder: shape \(\d, 512\); expected \(\d, 32\)"):
        other.perform(bare, parts)
    assert other.key != small().key, "other embedder, other examples"
    with pytest.raises(DataError, match="MiniLM's embeddings have 384 numbers"):
        LivelySpeakerConfig.tiny().changed(embedder="minilm")


def test_texts_are_those_of_the_window(system, show):
    said = []

    class Listening(Clip):
        def embed(self, texts):
            said.extend(texts)
            return np.ones((len(texts), 32), np.float32)

    other = small()
    other.embedder = Listening()
    rows = list(other.examples(show))
    assert len(rows) == 3
    spans = [(i / 15, (i + 34) / 15) for i in (0, 10, 20)]
    step = 4.0 / len(WORDS)
    for start, end in spans:
        inside = [w for k, w in enumerate(WORDS) if k * step < end and (k + 0.9) * step > start]
        assert " ".join(inside) in said


# --- training and exporting ----------------------------------------------------------------------------


def test_tiny_trains_and_performs_from_its_export(tmp_path):
    system = small()
    corpus = Arrays.of_performances(system, [talker(5.0, seed=s, speaker=s % 3) for s in range(3)])
    before = None
    for stage in system.stages:
        done = fit(system, corpus, tmp_path, stage=stage, start=before, training=Training(40, 16, 3e-3), every=4,
                   device="cpu", progress=False, validation=corpus)  # fmt: skip
        first = log.read(tmp_path / f"{stage}.jsonl")[1]
        assert done.losses["loss"] < 0.8 * first["loss"]
        before = done.checkpoint
    try:
        gaps = export(before, tmp_path / "out")
    except ImportError:
        pytest.skip("exporting needs onnx and openvino")
    assert set(gaps) == {"enter", "leave", "speak", "listen", "style", "step"}
    loaded, parts = load_system(tmp_path / "out")
    made = loaded.perform(talker(4.0, seed=9).with_tracks(body=None), parts)
    assert len(made.body) == 60
    assert set(made.meta["livelyspeaker"]["networks"]) == set(gaps)


def test_it_is_registered():
    assert find("livelyspeaker") is LivelySpeaker
    assert LivelySpeaker in available("gesture")
