"""GestureLSM: sizes, losses, performing, and what the pieces promise each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kinesics
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError, FormatError
from kinesics.geometry import rotations as rot
from kinesics.performance import Audio, Interval, Motion, Performance, Tier
from kinesics.seeds import rng
from kinesics.systems.gesture import gesturelsm
from kinesics.systems.gesture.gesturelsm.spec import CHANNELS, GestureLSM, GestureLSMConfig

torch = pytest.importorskip("torch")

from kinesics.lab import Arrays, fit, networks, restore  # noqa: E402
from kinesics.systems import Training, load_system  # noqa: E402
from tests.lab.conftest import SMALL  # noqa: E402


def small(**changes) -> GestureLSM:
    return GestureLSM(GestureLSMConfig.tiny().changed(**{**SMALL, **changes}))


def show(seconds: float = 4.0, seed: int = 0) -> Performance:
    """Speech, words and a body that sways."""
    stream = rng(seed, "show")
    frames = round(seconds * 60)
    skeleton = load_avatar("maya").skeleton
    phase = stream.uniform(0, 6, (55, 3))
    turns = rot.from_rotvec(0.3 * np.sin(np.arange(frames)[:, None, None] / 20 + phase))
    root = skeleton.offsets[0] + 0.02 * np.sin(np.arange(frames) / 30)[:, None]
    sound = (
        0.1
        * stream.standard_normal(round(seconds * 16000))
        * (np.sin(np.arange(round(seconds * 16000)) / 4000) > 0)
    )
    words = [Interval(0.3 * i, 0.3 * i + 0.25, w) for i, w in enumerate("this is what we said".split())]
    return Performance(
        {
            "speech": Audio(sound, 16000),
            "words": Tier("words", [w for w in words if w.end < seconds]),
            "body": Motion(skeleton, turns, root, 60),
        }
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint of a generator, hardly trained."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("gesturelsm")
    system = small()
    corpus = Arrays.of_performances(system, [show(4, seed) for seed in range(2)])
    first = fit(system, corpus, out, training=Training(20, 8, 3e-3), progress=False)
    return fit(
        system,
        corpus,
        out,
        stage="generator",
        start=first.checkpoint,
        training=Training(20, 8, 3e-3),
        progress=False,
    ).checkpoint


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    pytest.importorskip("openvino")
    from kinesics.lab import export

    folder = tmp_path_factory.mktemp("exported")
    return folder, export(trained, folder)


@pytest.fixture
def torch_side(trained):
    system, net = restore(trained)
    return system, networks(net)


def test_the_published_network_has_the_published_size():
    net = GestureLSM(GestureLSMConfig.paper()).network()

    def count(*modules):
        return sum(p.numel() for m in modules for p in m.parameters())

    runs = count(net.listener, net.generator, *(t.decoder for t in net.tokenisers))
    assert runs == pytest.approx(65e6, rel=0.02), "the network that runs is said to have 65 M parameters"
    # From the layers of the official code: its denoiser has 30.63 M (0.13 M of which it never uses).
    assert count(net.generator) == pytest.approx(30.63e6, rel=0.02)
    assert [t.decoder[-1].out_channels for t in net.tokenisers] == [78, 180, 57]


def test_the_published_network_takes_one_finite_step():
    system = GestureLSM(GestureLSMConfig.paper())
    net = system.network()
    torch.manual_seed(0)
    batch = {
        "motion": torch.randn(4, 128, 315),
        "audio": torch.rand(4, 128 * 540, 2),
        "words": torch.randint(11_195, (4, 128)),
        "speaker": torch.zeros(4, dtype=torch.long),
    }
    assert net.latents_of(batch["motion"]).shape == (4, 3, 128, 32)
    for stage in ("tokeniser", "generator"):
        losses = net.loss(batch, stage)
        losses["loss"].backward()
        assert all(torch.isfinite(v) for v in losses.values())
        length = torch.nn.utils.clip_grad_norm_(net.trainable(stage), 1.0)
        assert torch.isfinite(length)
        assert length > 0


@pytest.mark.parametrize("flow", ["shortcut", "plain", "mean"])
@pytest.mark.parametrize("together", [True, False])
def test_every_variant_trains_and_every_weight_takes_part(flow, together):
    system = small(flow=flow, together=together, null=0.5, start_null=0.5)
    net = system.network().train()
    torch.manual_seed(0)
    corpus = Arrays.of_performances(system, [show()])
    batch = {n: torch.from_numpy(v[:12]) for n, v in corpus.stacked.items()}
    net.begin("tokeniser", batch)
    net.begin("generator", batch)
    # The layer for the size of a step begins at zero; what feeds it gets a gradient all the same.
    losses = net.loss(batch, "generator")
    losses["loss"].backward()
    idle = {
        n for n, p in net.named_parameters() if n.startswith(("generator", "listener")) and p.grad is None
    }
    assert not idle
    assert all(p.grad is None for p in net.tokenisers.parameters())


def test_parts_apart_do_not_see_each_other():
    for together in (True, False):
        net = small(together=together).network().eval()
        torch.manual_seed(1)
        graph = net.graphs()["step"]
        inputs = [torch.randn_like(v) if v.is_floating_point() else v for v in graph.inputs.values()]
        inputs[5] = torch.zeros(1)  # no seed: the seed is told to all parts
        with torch.no_grad():
            before = graph(*inputs)[0]
            inputs[0] = inputs[0].clone()
            inputs[0][:, 1] += 1
            change = (graph(*inputs)[0] - before).abs().amax((0, 2, 3))
        assert change[1] > 1e-4
        assert (change[[0, 2]] > 1e-6).all().item() is together


def test_latents_have_unit_spread_where_no_scale_is_given():
    system = small(latent_scale=0.0)
    net = system.network()
    corpus = Arrays.of_performances(system, [show()])
    batch = {n: torch.from_numpy(v) for n, v in corpus.stacked.items()}
    net.begin("tokeniser", batch)
    net.begin("generator", batch)
    assert net.latents_of(batch["motion"]).std().item() == pytest.approx(1, rel=1e-3)


def test_examples_are_windows_of_what_was_seen_and_heard():
    system = small()
    rows = list(system.examples(show(4)))
    assert len(rows) == (120 - 32) // 20 + 1
    assert {n: v.shape for n, v in rows[0].items()} == {
        "motion": (32, sum(CHANNELS)),
        "audio": (64, 2),
        "words": (32,),
        "speaker": (),
    }
    np.testing.assert_array_equal(rows[0]["motion"][20:], rows[1]["motion"][:12])
    np.testing.assert_array_equal(rows[0]["audio"][40:], rows[1]["audio"][:24])
    assert not list(system.examples(show(0.5))), "a clip shorter than the window has none"
    with pytest.raises(DataError, match="needs the track 'speech'"):
        next(system.examples(show().with_tracks(speech=None)))


def test_tokenisers_learn_to_give_motion_back(torch_side, tmp_path):
    system = small(codes=64, tokeniser_width=24)
    corpus = Arrays.of_performances(system, [show(8, seed) for seed in range(2)])
    done = fit(
        system, corpus, tmp_path, training=Training(120, 16, 5e-3, (0.9, 0.99)), every=120, progress=False
    )
    _, net = restore(done.checkpoint)
    run = networks(net)
    motion = corpus.stacked["motion"]
    made = np.concatenate(
        [run["decode"](latents=run["encode"](motion=m[None])["latents"])["motion"] for m in motion]
    )
    error = np.square(made - motion).mean((0, 1))
    told = 1 - error.sum() / motion.var((0, 1)).sum()
    assert told > 0.5, "of the motion's variance"


def test_performing_gives_a_body_to_the_end_of_the_speech(torch_side):
    system, parts = torch_side
    given = show(3.3).with_tracks(body=None)
    made = system.perform(given, parts, seed=3)
    body = made.body
    assert (len(body), body.fps, body.skeleton.names) == (99, 30, JOINTS)
    assert np.abs(body.rotations[:, 22:25] - rot.IDENTITY).max() == 0, "jaw and eyes are left to others"
    assert made.meta["gesturelsm"]["seed"] == 3
    assert made.meta["synthetic"] is True
    assert set(made) == {"speech", "words", "body"}
    again = system.perform(given, parts, seed=3).body
    np.testing.assert_array_equal(body.rotations, again.rotations)
    assert body.difference(system.perform(given, parts, seed=4).body) > 0.01


def test_knobs_do_something(torch_side):
    system, parts = torch_side
    given = show(2.5)
    base = system.perform(given, parts).body
    for knob in ({"steps": 5}, {"guidance": 2.5}, {"speaker": 1}, {"start": show(1.0, 5).body}):
        assert base.difference(system.perform(given, parts, **knob).body) > 1e-4, knob
    quiet = given.with_tracks(words=None)
    assert base.difference(system.perform(quiet, parts).body) > 1e-5, "words are heard"
    tall = system.perform(given, parts, avatar="maya").body
    assert tall.skeleton == load_avatar("maya").skeleton


def test_long_speech_goes_on_without_a_jump(torch_side):
    system, parts = torch_side
    body = system.perform(show(12.0), parts).body
    assert len(body) == 360
    steps = rot.angle(body.rotations[1:], body.rotations[:-1]).mean(1)
    hop = (system.config.latents - system.config.start) * system.config.scale
    seams = steps[hop - 1 :: hop]
    assert seams.max() < 3 * np.quantile(steps, 0.95)


def test_going_on_from_a_motion_begins_where_it_ends(torch_side):
    system, parts = torch_side
    before = show(2.0, 5).body
    body = system.perform(show(2.0), parts, start=before).body
    scale = body.skeleton.offsets[0, 1] / before.skeleton.offsets[0, 1]
    np.testing.assert_allclose(body.root[0, [0, 2]], before.root[-1, [0, 2]] * scale, atol=0.15)


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ({"steps": 0}, "at least 1"),
        ({"speaker": 2}, "expected a number from 0 to 1"),
        ({"speaker": "ann"}, "expected a number from 0 to 1"),
        ({"guidance": float("nan")}, "guidance nan"),
        ({"avatar": "nobody"}, "unknown avatar"),
    ],
)
def test_knobs_out_of_range_are_refused(torch_side, knob, message):
    system, parts = torch_side
    with pytest.raises(DataError, match=message):
        system.perform(show(1.0), parts, **knob)


def test_too_little_to_go_on_from_is_refused(torch_side):
    system, parts = torch_side
    with pytest.raises(DataError, match="frames at 30 fps; expected at least 8"):
        system.perform(show(1.0), parts, start=show(0.2).body)
    with pytest.raises(DataError, match="the speech is empty"):
        system.perform(Performance({"speech": Audio(np.zeros(0), 16000)}), parts)


def test_reflow_trains_on_pairs_of_noise_and_output(torch_side, trained, tmp_path):
    system, parts = torch_side
    pairs = Arrays.of(system.pairs(system.examples(show(3.0)), parts, steps=4))
    assert pairs.stacked["noise"].shape == pairs.stacked["latents"].shape == (len(pairs), 3, 8, 8)
    done = fit(
        system, pairs, tmp_path, stage="reflow", start=trained, training=Training(5, 4), progress=False
    )
    assert np.isfinite(done.losses["loss"])


def test_exported_networks_do_as_torch_does(exported, torch_side):
    folder, gaps = exported
    assert set(gaps) == {"listen", "step", "encode", "decode"}
    assert max(gaps.values()) < 1e-4
    system, parts = load_system(folder)
    given = show(5.0)
    ours, theirs = system.perform(given, parts, steps=3), torch_side[0].perform(given, torch_side[1], steps=3)
    assert ours.body.difference(theirs.body) < 1e-2
    told = ours.meta["gesturelsm"]
    assert told["precision"] == "f32"
    assert told["networks"]["step"] == parts["step"].hash
    assert system.perform(given, parts, start=show(1.0).body).meta["gesturelsm"]["continued"] is True


def test_an_exported_system_performs_without_torch(exported):
    code = """
import sys
sys.modules["torch"] = None
import numpy as np
from kinesics.performance import Audio, Performance
from kinesics.systems import load_system
system, networks = load_system(sys.argv[1])
print(len(system.perform(Performance({"speech": Audio(np.zeros(16000), 16000)}), networks).body))
"""
    src = str(Path(kinesics.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code, str(exported[0])],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": src, "PATH": ""},
    )  # fmt: skip
    assert done.stdout.split() == ["30"]


def test_an_exported_folder_is_checked(exported, tmp_path):
    import json
    import shutil

    folder, _ = exported
    with pytest.raises(FormatError, match=r"system\.json"):
        load_system(tmp_path)
    shipped = Path(gesturelsm.__file__).parent / "shipped"
    if not shipped.is_dir():
        with pytest.raises(DataError, match="no networks of gesturelsm are shipped"):
            load_system("gesturelsm")
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "step.onnx").write_bytes((folder / "encode.onnx").read_bytes())
    with pytest.raises(FormatError, match="not the network that was exported"):
        load_system(copy)
    (copy / "step.onnx").unlink()
    with pytest.raises(FormatError, match="found nothing"):
        load_system(copy)
    card = json.loads((folder / "system.json").read_text())
    for changes, error, message in [
        ({"revision": 99}, DataError, "revision 99"),
        ({"system": "none"}, DataError, "unknown system"),
        ({"graphs": {"../step": "0"}}, FormatError, "plain names"),
        ({"graphs": 3}, FormatError, "content"),
    ]:
        (copy / "system.json").write_text(json.dumps({**card, **changes}))
        with pytest.raises(error, match=message):
            load_system(copy)
    (copy / "system.json").write_text("nonsense")
    with pytest.raises(FormatError, match="JSON"):
        load_system(copy)
