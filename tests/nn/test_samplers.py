"""Samplers on problems whose answer is known, and the same on numpy and torch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.nn import samplers, windows
from kinesics.nn.samplers import Schedule
from kinesics.seeds import rng

MEAN, SPREAD = 1.5, 0.4
"""Of the Gaussian that the diffusions below end in."""


def gaussian_denoiser(schedule: Schedule, predicts: str):
    """What a perfect network says when the data is N(MEAN, SPREAD²): the posterior mean, in closed form."""

    def step(x, t, condition):
        kept = schedule.kept[np.asarray(t)].reshape(-1, 1)
        variance = kept * SPREAD**2 + 1 - kept
        noise = np.sqrt(1 - kept) * (x - np.sqrt(kept) * MEAN) / variance
        data = (x - np.sqrt(1 - kept) * noise) / np.sqrt(kept)
        velocity = np.sqrt(kept) * noise - np.sqrt(1 - kept) * data
        return {"noise": noise, "data": data, "velocity": velocity}[predicts]

    return step


@pytest.mark.parametrize("predicts", samplers.PREDICTS)
def test_ddim_ends_in_the_data_whatever_the_network_predicts(predicts):
    schedule = Schedule.linear(1000)
    x = rng(0, "x").standard_normal((20000, 1))
    made = samplers.ddim(
        gaussian_denoiser(schedule, predicts), x, None, schedule, predicts=predicts, steps=250
    )
    assert made.mean() == pytest.approx(MEAN, abs=0.02)
    assert made.std() == pytest.approx(SPREAD, rel=0.03)


def test_ddim_comes_closer_with_more_steps():
    schedule = Schedule.linear(1000)
    x = rng(0, "x").standard_normal((20000, 1))
    # The probability flow between two Gaussians is linear, so that the exact answer is known for every x.
    kept = schedule.kept[-1]
    exact = MEAN + SPREAD * (x - math.sqrt(kept) * MEAN) / math.sqrt(kept * SPREAD**2 + 1 - kept)
    errors = [
        np.abs(samplers.ddim(gaussian_denoiser(schedule, "data"), x, None, schedule, steps=n) - exact).max()
        for n in (10, 50, 250, 1000)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.02


def test_ddpm_ends_in_the_data():
    schedule = Schedule.cosine(200)
    x = rng(0, "x").standard_normal((20000, 1))
    made = samplers.ddpm(gaussian_denoiser(schedule, "data"), x, None, schedule, rng=rng(1, "noise"))
    assert made.mean() == pytest.approx(MEAN, abs=0.02)
    assert made.std() == pytest.approx(SPREAD, rel=0.05)


def test_the_more_is_skipped_the_more_is_left_of_what_was_given():
    schedule = Schedule.cosine(1000)
    given = MEAN + SPREAD * rng(0, "x").standard_normal((5000, 1))
    kept = []
    for skip in (0, 40, 80, 95, 99):
        x = samplers.start_from(given, schedule, steps=100, skip=skip, rng=rng(1, skip))
        made = samplers.ddim(gaussian_denoiser(schedule, "data"), x, None, schedule, steps=100, skip=skip)
        kept.append(np.corrcoef(given[:, 0], made[:, 0])[0, 1])
    assert kept == sorted(kept)
    assert kept[0] < 0.05
    assert kept[-1] > 0.99


def test_one_step_goes_from_the_noisiest_to_the_data():
    seen = []
    schedule = Schedule.cosine(1000)

    def step(x, t, condition):
        seen.append((int(t[0]), t.dtype))
        return np.zeros_like(x) + 7

    assert (samplers.ddim(step, np.ones((2, 3)), None, schedule, steps=1) == 7).all()
    assert seen == [(999, np.int64)]


def test_guidance_is_linear_and_costs_nothing_at_one():
    calls = []

    def step(x, t, condition):
        calls.append(condition)
        return x * 0 + condition

    x, t = np.zeros((1, 2)), np.zeros(1)
    assert (samplers.guided(step, 1, 10.0)(x, t, 3.0) == 3).all()
    assert calls == [3.0]
    assert (samplers.guided(step, 2, 10.0)(x, t, 3.0) == -4).all()
    assert (samplers.guided(step, 0, 10.0)(x, t, 3.0) == 10).all()


def test_heun_is_of_second_order_and_euler_of_first():
    # dx/dt = x: e after one unit of time
    def step(x, t, condition):
        return x

    one = np.ones((1, 1))
    euler = [abs(float(samplers.euler(step, one, None, steps=n)[0, 0]) - math.e) for n in (20, 40)]
    assert euler[0] / euler[1] == pytest.approx(2, rel=0.1)
    heun = [abs(float(samplers.heun(step, one, None, steps=n)[0, 0]) - math.e) for n in (20, 40)]
    # its last step is Euler's, whose error falls with the square of its width
    assert heun[0] / heun[1] == pytest.approx(4, rel=0.15)
    assert heun[1] < euler[1] / 10


def test_no_flow_is_asked_for_beyond_the_data():
    seen = []

    def step(x, t, condition):
        seen.append(float(t[0]))
        return x

    samplers.heun(step, np.ones((1, 1)), None, steps=4)
    samplers.euler(step, np.ones((1, 1)), None, steps=7)
    assert max(seen) < 1
    assert min(seen) == 0


@pytest.mark.parametrize("name", ["ddim", "ddpm", "euler", "heun"])
def test_torch_and_numpy_agree(name):
    torch = pytest.importorskip("torch")
    schedule = Schedule.cosine(100)

    def run(x):
        def step(x, t, condition):
            return 0.3 * x + condition * samplers.like(x, np.asarray(t, float)).reshape(-1, 1) * 0.01

        if name in ("euler", "heun"):
            return getattr(samplers, name)(step, x, 2.0, steps=5)
        options = {"eta": 0.5} if name == "ddim" else {}
        return getattr(samplers, name)(step, x, 2.0, schedule, steps=20, rng=rng(3, "noise"), **options)

    x = rng(0, "x").standard_normal((4, 3), dtype=np.float32)
    with_numpy, with_torch = run(x), run(torch.from_numpy(x))
    assert with_numpy.dtype == np.float32
    assert with_torch.dtype == torch.float32
    np.testing.assert_allclose(with_torch.numpy(), with_numpy, atol=2e-5)


def test_steps_are_whole_numbers_in_every_precision():
    torch = pytest.importorskip("torch")
    seen = []

    def step(x, t, condition):
        seen.append(t)
        return x

    schedule = Schedule.cosine(1000)
    samplers.ddim(step, torch.ones(2, 3, dtype=torch.bfloat16), None, schedule, steps=3)
    assert [t.tolist() for t in seen] == [[999, 999], [500, 500], [0, 0]]
    assert all(t.dtype == torch.int64 for t in seen)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s: samplers.ddim(lambda *a: 0, np.zeros((1, 1)), None, s, steps=11),
        lambda s: samplers.ddim(lambda *a: 0, np.zeros((1, 1)), None, s, steps=0),
        lambda s: samplers.ddim(lambda *a: 0, np.zeros((1, 1)), None, s, steps=5, skip=5),
        lambda s: samplers.ddim(lambda *a: 0, np.zeros((1, 1)), None, s, predicts="score", steps=5),
        lambda s: samplers.ddim(lambda *a: 0, np.zeros((1, 1)), None, s, steps=5, eta=1.0),
        lambda s: samplers.euler(lambda *a: 0, np.zeros((1, 1)), None, steps=0),
        lambda s: Schedule(np.array([0.5, 0.9])),
        lambda s: Schedule(np.array([0.5, np.nan])),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(DataError):
        wrong(Schedule.cosine(10))


def test_the_cosine_schedule_is_the_published_one():
    schedule = Schedule.cosine(1000)
    f = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in (0, 500)]
    assert schedule.kept[499] == pytest.approx(f[1] / f[0], rel=1e-9)
    beta = 1 - schedule.kept[1:] / schedule.kept[:-1]
    assert beta.max() <= 0.999 + 1e-12


@pytest.mark.parametrize(
    ("length", "window", "overlap"), [(1, 8, 2), (8, 8, 2), (9, 8, 2), (100, 8, 0), (57, 8, 7)]
)
def test_windows_cover_everything_and_join_to_what_they_were_cut_from(length, window, overlap):
    values = rng(0, length).standard_normal((length, 3))
    firsts = windows.starts(length, window, overlap)
    assert firsts[-1] + window >= length
    assert len(firsts) == 1 or firsts[-2] + window < length
    parts = [windows.padded(values, first, window) for first in firsts]
    np.testing.assert_allclose(windows.join(parts, overlap, length), values, atol=1e-12)


def test_windows_that_disagree_fade_without_a_jump():
    joined = windows.join([np.zeros((10, 1)), np.ones((10, 1))], 4, 16)
    assert np.diff(joined[:, 0]).max() == pytest.approx(0.2)


def test_samplers_need_no_torch():
    import subprocess
    import sys
    from pathlib import Path

    import kinesics

    code = (
        "import sys; sys.modules['torch'] = None; import kinesics.nn.samplers, kinesics.nn.windows, kinesics.systems; "
        "kinesics.systems.find('gesturelsm')"
    )
    src = str(Path(kinesics.__file__).parents[1])
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": src, "PATH": ""})
