"""Diffusions and flows learnt on toy problems whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kinesics.nn import diffusion, flows, samplers  # noqa: E402
from kinesics.nn.attention import Attention  # noqa: E402
from kinesics.nn.samplers import PREDICTS, Schedule  # noqa: E402
from kinesics.seeds import rng  # noqa: E402

CORNERS = torch.tensor([[2.0, 2.0], [-2.0, -2.0], [2.0, -2.0]])


class Toy(torch.nn.Module):
    """A plane of velocities over place, time and step."""

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(2 + 6, width), torch.nn.SiLU(),
            torch.nn.Linear(width, width), torch.nn.SiLU(),
            torch.nn.Linear(width, 2),
        )  # fmt: skip

    def forward(self, x, t, d):
        waves = [f(math.pi * t) for f in (torch.sin, torch.cos)]
        seen = torch.stack([t, d, t * d, *waves, (d > 0).to(t.dtype)], dim=1)
        return self.layers(torch.cat([x, seen], dim=1))


def corners(count: int):
    return CORNERS[torch.randint(3, (count,))] + 0.15 * torch.randn(count, 2)


def learn(objective, steps: int = 1000, net=None):
    net = net or Toy()
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps) + 1e-5
        loss = objective(net).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net


def sampled(net, steps: int, *, width: float | None = None):
    def step(x, t, condition):
        d = torch.full_like(t, 1 / steps if width is None else width)
        with torch.no_grad():
            return net(x, t, d)

    return samplers.euler(
        step, torch.from_numpy(rng(0, "x").standard_normal((2000, 2), dtype=np.float32)), None, steps=steps
    )


def astray(points) -> float:
    """Share of the points that are near no corner, plus how unevenly the corners are filled."""
    distance = torch.cdist(points, CORNERS)
    share = torch.bincount(distance.argmin(1), minlength=3) / len(points)
    return ((distance.min(1).values > 0.75).float().mean() + (share - 1 / 3).abs().sum()).item()


def uniform(count):
    return flows.beta_times(count, 1.0, 1.0)


@pytest.fixture(scope="module")
def flow_nets():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    size = 256

    def plain(net):
        return flows.plain(net, torch.randn(size, 2), corners(size), uniform(size))

    def short(net):
        cut = size * 3 // 4
        noise, data, t = torch.randn(size, 2), corners(size), uniform(size)
        a = flows.plain(net, noise[:cut], data[:cut], t[:cut])
        b = flows.shortcut(net, noise[cut:], data[cut:], t[cut:])
        return torch.cat([a, b])

    def mean(net):
        return flows.mean_flow(net, torch.randn(size, 2), corners(size), uniform(size), instant=0.5)

    return {"plain": learn(plain), "shortcut": learn(short, 2000), "mean": learn(mean, 1500)}


def test_a_plain_flow_finds_the_corners(flow_nets):
    assert astray(sampled(flow_nets["plain"], 50, width=0.0)) < 0.25


def test_shortcuts_do_in_two_steps_what_a_plain_flow_cannot(flow_nets):
    plain = astray(sampled(flow_nets["plain"], 2, width=0.0))
    shortcut = astray(sampled(flow_nets["shortcut"], 2))
    assert shortcut < 0.75 * plain


def test_a_mean_flow_does_it_in_one_step(flow_nets):
    plain = astray(sampled(flow_nets["plain"], 1, width=0.0))
    assert astray(sampled(flow_nets["mean"], 1)) < 0.6 * plain


def test_reflow_straightens(flow_nets):
    teacher = flow_nets["plain"]
    noise = torch.randn(4000, 2)

    def step(x, t, condition):
        with torch.no_grad():
            return teacher(x, t, torch.zeros_like(t))

    data = samplers.euler(step, noise, None, steps=30)

    def paired(net):
        rows = torch.randint(4000, (256,))
        return flows.plain(net, noise[rows], data[rows], uniform(256))

    student = learn(paired, 600)
    assert astray(sampled(student, 2, width=0.0)) < 0.6 * astray(sampled(teacher, 2, width=0.0))


def test_the_true_mean_velocity_is_where_both_objectives_are_zero():
    # Data is noise moved by (3, 0): every path is straight, its velocity (3, 0) whatever t and d.
    class Straight(torch.nn.Module):
        def forward(self, x, t, d):
            return torch.tensor([3.0, 0.0]).expand_as(x)

    noise = torch.randn(50, 2)
    data, t = noise + torch.tensor([3.0, 0.0]), uniform(50)
    for objective in (flows.plain, flows.shortcut, flows.mean_flow):
        torch.testing.assert_close(objective(Straight(), noise, data, t), torch.zeros(50), atol=1e-10, rtol=0)


def test_the_mean_flow_of_a_curved_path_is_found():
    # A single data point, 0: dx/dt = −x / (1 − t), so x falls in a straight line; seen from (x, t) the mean
    # velocity to t + d is still −x / (1 − t). It depends on x and t, so the derivative terms must cancel.
    def field(x, t, d):
        return -x / (1 - t)[:, None]

    noise, t = torch.randn(200, 2, dtype=torch.float64), uniform(200).double() * 0.9
    found = flows.mean_flow(field, noise, torch.zeros_like(noise), t, instant=0.0)
    assert found.max() < 1e-12


def test_mean_flow_goes_through_attention():
    layer = Attention(8, 2, rotary=True)

    def field(x, t, d):
        return layer(x) * (1 + t + d)[:, None, None]

    loss = flows.mean_flow(field, torch.randn(3, 5, 8), torch.randn(3, 5, 8), uniform(3)).mean()
    loss.backward()
    assert torch.isfinite(layer.query.weight.grad).all()


def test_a_shortcut_that_does_not_add_up_is_seen():
    def field(x, t, d):
        return x * 0 + torch.where(d > 0.1, 1.0, 0.0)[:, None]

    t = torch.zeros(400)
    wrong = flows.shortcut(field, torch.randn(400, 2), torch.randn(400, 2), t)
    # only steps of 2d just above 0.1 are made of two that are not
    assert set(wrong.tolist()) == {0.0, 1.0}


def test_shortcuts_stay_within_the_flow():
    seen = []

    def field(x, t, d):
        seen.append((t + d).max().item())
        return x

    flows.shortcut(field, torch.randn(500, 1), torch.randn(500, 1), flows.beta_times(500, 2.0, 1.2))
    assert max(seen) <= 1


def test_times_are_beta_distributed():
    t = flows.beta_times(20000, 2.0, 1.2)
    assert t.mean().item() == pytest.approx(2 / 3.2, abs=0.01)
    assert t.min() > 0
    assert t.max() < 1


@pytest.mark.parametrize("predicts", PREDICTS)
def test_predictions_stand_for_the_same_data(predicts):
    schedule = Schedule.cosine(100)
    data = torch.randn(64, 3)
    x, t, target = diffusion.draw(data, schedule, predicts=predicts)
    keep = t < 95  # at the end nearly nothing of the data is left
    found = diffusion.data_of(target, x, t, schedule, predicts=predicts)
    torch.testing.assert_close(found[keep], data[keep], atol=1e-3, rtol=1e-3)
    step = int(t[0])
    numpy = samplers.split(predicts, x[:1].numpy(), target[:1].numpy(), float(schedule.kept[step]))
    np.testing.assert_allclose(numpy[0], data[:1].numpy(), atol=1e-2 if step < 95 else np.inf)


def test_a_diffusion_learns_a_gaussian():
    schedule = Schedule.cosine(50)
    net = torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.SiLU(), torch.nn.Linear(64, 1))

    def step(x, t, condition):
        return net(torch.cat([x, t.float()[:, None] / 50], dim=1))

    def objective(_):
        return diffusion.loss(step, 1 + 0.3 * torch.randn(256, 1), None, schedule, predicts="velocity")

    learn(objective, 800, net)
    with torch.no_grad():
        made = samplers.ddim(step, torch.randn(4000, 1), None, schedule, predicts="velocity", steps=50)
    assert made.mean().item() == pytest.approx(1, abs=0.1)
    assert made.std().item() == pytest.approx(0.3, abs=0.08)
