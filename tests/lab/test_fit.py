"""The training loop: exact resumption, what stops it, what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import kinesics  # noqa: E402
from kinesics.errors import DataError, MissingExtra  # noqa: E402
from kinesics.lab import Arrays, fit, log  # noqa: E402
from kinesics.lab import checkpoint as ck  # noqa: E402
from kinesics.systems import Training  # noqa: E402
from tests.lab.conftest import small_corpus, small_system  # noqa: E402

SHORT = Training(12, 8, 1e-3, warm_up=3, drops=((0.5, 0.1),), average=0.9)


def run(system, corpus, out, **options):
    options = {"training": SHORT, "every": 4, "progress": False, "device": "cpu", **options}
    return fit(system, corpus, out, **options)


def tensors(path: Path) -> dict:
    return dict(ck.read(path).tensors)


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)


def test_a_run_is_a_function_of_its_seed(system, corpus, tmp_path):
    a, b = (tensors(run(system, corpus, tmp_path / n).checkpoint) for n in "ab")
    other = tensors(run(system, corpus, tmp_path / "c", seed=1).checkpoint)
    assert same(a, b)
    assert not same(a, other)


def test_training_leaves_the_callers_random_numbers_alone(system, corpus, tmp_path):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    run(system, corpus, tmp_path)
    assert torch.equal(torch.rand(3), wanted)


def test_pausing_changes_nothing(system, corpus, tmp_path):
    whole = run(system, corpus, tmp_path / "whole", validation=small_corpus(8, seed=1, split="val"))
    first = run(system, corpus, tmp_path / "parts", until=6, validation=small_corpus(8, seed=1, split="val"))
    assert (first.stopped, first.step) == ("paused", 6)
    second = run(system, corpus, tmp_path / "parts", validation=small_corpus(8, seed=1, split="val"))
    assert (second.stopped, second.step) == ("done", 12)
    assert same(tensors(whole.checkpoint), tensors(second.checkpoint))
    assert same(*(tensors(tmp_path / n / "tokeniser.state.safetensors") for n in ("whole", "parts")))
    lines = [log.read(tmp_path / n / "tokeniser.jsonl") for n in ("whole", "parts")]
    assert lines[0] == lines[1]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_run_ends_with_the_same_weights_bit_for_bit(tmp_path):
    code = """
import sys, torch
torch.set_num_threads(1)
from tests.lab.conftest import small_corpus, small_system
from kinesics.lab import fit
from kinesics.systems import Training
start = sys.argv[2] or None
fit(small_system(), small_corpus(), sys.argv[1], stage="generator", start=start, every=5, progress=False, device="cpu",
    training=Training(int(sys.argv[3]), 8, 1e-3, average=0.9))
"""
    root = Path(kinesics.__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{Path(__file__).parents[2]}"}
    before = run(
        small_system(), small_corpus(), tmp_path / "before", training=replace(SHORT, steps=2)
    ).checkpoint

    def go(out: str, steps: int) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / out), str(before), str(steps)], env=env
        )

    assert go("whole", 60).wait() == 0
    killed, state = go("killed", 60), tmp_path / "killed" / "generator.state.safetensors"
    while not state.is_file() and killed.poll() is None:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL, "it was over before it could be killed"
    assert 0 < ck.read(state).meta["step"] < 60
    assert go("killed", 60).wait() == 0
    for name in ("generator.safetensors", "generator.state.safetensors"):
        assert same(*(tensors(tmp_path / n / name) for n in ("whole", "killed")))
    assert [x["step"] for x in log.read(tmp_path / "killed" / "generator.jsonl")] == list(range(5, 61, 5))
    assert not list((tmp_path / "killed").glob(".*.part")), "left-overs of the killed write are swept up"


def test_every_example_is_seen_once_a_round(system, tmp_path):
    seen = []

    class Counted(Arrays):
        def item(self, index):
            seen.append(index)
            return super().item(index)

    corpus = Counted(small_corpus(10).stacked)
    run(system, corpus, tmp_path, training=Training(5, 4))
    seen = seen[10:]  # the first ten are for the normalisation
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]


def test_losses_fall_and_the_best_weights_are_kept(system, corpus, tmp_path):
    done = run(system, corpus, tmp_path, training=Training(80, 8, 3e-3), every=20, validation=corpus)
    values = [line["loss"] for line in log.read(tmp_path / "tokeniser.jsonl") if line["kind"] == "val"]
    assert values[-1] < 0.9 * values[0]
    assert done.losses["loss"] == pytest.approx(min(values))
    assert ck.read(done.checkpoint).meta["losses"]["loss"] == pytest.approx(min(values))


def test_it_stops_early_and_stays_stopped(system, corpus, tmp_path):
    # With no rate to speak of nothing gets better.
    options = {"training": Training(100, 8, 1e-12), "validation": corpus, "every": 2, "patience": 3}
    done = run(system, corpus, tmp_path, **options)
    assert done.stopped == "early"
    assert done.step < 100
    assert run(system, corpus, tmp_path, **options).step == done.step


def test_a_loss_that_is_not_finite_stops_and_keeps_what_was_good(system, corpus, tmp_path):
    good = run(system, corpus, tmp_path, until=4)
    before = good.checkpoint.read_bytes()

    class Explodes(type(system)):
        __module__ = type(system).__module__

        def network(self):
            net = super().network()
            real = net.loss

            def loss(batch, stage):
                losses = real(batch, stage)
                return {
                    **losses,
                    "velocity": losses["velocity"] * float("nan"),
                    "loss": losses["loss"] * float("nan"),
                }

            net.loss = loss
            return net

    with pytest.raises(
        DataError, match=r"velocity is not finite in update 5; the last good state, after 4 updates"
    ):
        run(Explodes(system.config), corpus, tmp_path)
    assert good.checkpoint.read_bytes() == before
    assert run(system, corpus, tmp_path).step == 12


def test_spoilt_examples_are_named(system, tmp_path):
    corpus = small_corpus()
    corpus.stacked["audio"][7, 3, 1] = np.nan
    with pytest.raises(DataError, match="'audio' of example 7 is not finite"):
        run(system, corpus, tmp_path)


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path):
    resource = pytest.importorskip("resource")
    system, corpus = small_system(), small_corpus()
    done = run(system, corpus, tmp_path, until=4)
    before = done.checkpoint.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
        with pytest.raises(DataError, match=r"cannot write .*the file that was there is untouched"):
            run(system, corpus, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert done.checkpoint.read_bytes() == before
    assert run(system, corpus, tmp_path).step == 12


def test_another_run_in_the_folder_is_not_gone_on_with(system, corpus, tmp_path):
    run(system, corpus, tmp_path, until=4)
    with pytest.raises(DataError, match="another corpus"):
        run(system, small_corpus(seed=5), tmp_path)
    with pytest.raises(DataError, match="another seed"):
        run(system, corpus, tmp_path, seed=3)
    with pytest.raises(DataError, match="another config"):
        run(small_system(commit=0.5), corpus, tmp_path)
    assert run(system, corpus, tmp_path, seed=3, resume=False).step == 12


def test_a_stage_starts_from_the_one_before(system, corpus, tmp_path):
    with pytest.raises(DataError, match="starts from a checkpoint of tokeniser"):
        run(system, corpus, tmp_path, stage="generator")
    first = run(system, corpus, tmp_path)
    second = run(system, corpus, tmp_path, stage="generator", start=first.checkpoint)
    a, b = tensors(first.checkpoint), tensors(second.checkpoint)
    kept = [n for n in a if n.startswith("tokenisers.")]
    assert kept
    assert all(torch.equal(a[n], b[n]) for n in kept), "the generator's training moved the tokenisers"
    assert not torch.equal(a["generator.leave.weight"], b["generator.leave.weight"])
    # what the tokenisers' stage did not train may have any size, what it did may not
    run(small_system(width=32), corpus, tmp_path / "wide", stage="generator", start=first.checkpoint)
    with pytest.raises(DataError, match=r"train tokeniser with it first") as error:
        run(small_system(code=4), corpus, tmp_path / "x", stage="generator", start=first.checkpoint)
    assert "\n" not in str(error.value)
    with pytest.raises(DataError, match="train generator with it first"):
        run(small_system(width=32), corpus, tmp_path / "y", stage="reflow", start=second.checkpoint)


def test_bf16_trains(system, corpus, tmp_path):
    done = run(system, corpus, tmp_path, training=replace(SHORT, precision="bf16"))
    assert np.isfinite(done.losses["loss"])
    assert all(v.dtype == torch.float32 for v in tensors(done.checkpoint).values() if v.is_floating_point())


def test_the_log_is_lines_of_json_with_the_rate(system, corpus, tmp_path):
    run(system, corpus, tmp_path)
    lines = [json.loads(x) for x in (tmp_path / "tokeniser.jsonl").read_text().splitlines()]
    assert [x["step"] for x in lines] == [4, 8, 12]
    assert [x["rate"] for x in lines] == pytest.approx([1e-3, 1e-4, 1e-4])
    assert {"reconstruction", "commit", "loss"} <= set(lines[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stage": "decoder"}, "choose one of: tokeniser, generator, reflow"),
        ({"every": 0}, "expected at least 1"),
        ({"device": "abacus"}, "device 'abacus'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(system, corpus, tmp_path, options, message):
    with pytest.raises(DataError, match=message):
        run(system, corpus, tmp_path, **options)


def test_settings_of_a_training_are_checked():
    for wrong in ({"steps": 0}, {"batch": 0}, {"rate": 0.0}, {"average": 1.0}, {"precision": "f16"}):
        with pytest.raises(DataError):
            Training(**{"steps": 1, **wrong})


def test_more_devices_need_fabric(system, corpus, tmp_path):
    try:
        import lightning  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match="more than one device"):
            run(system, corpus, tmp_path, devices=2)


def test_corpora_are_checked():
    with pytest.raises(DataError, match="no example"):
        Arrays.of([])
    with pytest.raises(DataError, match="as many examples"):
        Arrays({"a": np.zeros(3), "b": np.zeros(4)})
    a, b = Arrays({"a": np.zeros((2, 2))}), Arrays({"a": np.eye(2)})
    assert a.hash != b.hash
    assert a.hash == Arrays({"a": np.zeros((2, 2))}).hash
    assert a.hash != Arrays({"a": np.zeros((2, 2), np.float32)}).hash
