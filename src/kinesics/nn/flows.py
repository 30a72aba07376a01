"""What a flow network is trained for. Following it is in :mod:`kinesics.nn.samplers`.

x_t = t · x1 + (1 − t) · x0, noise x0 at t = 0, data x1 at t = 1. A network ``field(x, t, d)`` gives the mean
velocity from t to t + d, so that ``x + d · field(x, t, d)`` lies d further; d = 0 is the velocity at t itself.

* **plain**: the velocity x1 − x0 (Lipman et al., ICLR 2023; Liu et al., ICLR 2023).
* **shortcut**: at d = 0 the same; a step of 2d must equal two steps of d (Frans et al., ICLR 2025).
* **mean flow**: the mean velocity's own differential equation, u = v + d · du/dt (Geng et al., 2025, with
  the end of the step held fixed as t moves).
* **reflow**: any of these on pairs (noise, what a trained network made of it) instead of independent draws:
  hand the pairs' noise over as ``noise``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Field = Callable[[Tensor, Tensor, Tensor], Tensor]
"""``field(x, t, d)`` with x (B, ...), t and d (B,)."""

EDGE = 1e-5
"""Times keep this far from 0 and 1."""


def beta_times(count: int, a: float, b: float, *, device: torch.device | None = None) -> Tensor:
    """(count,) times drawn from Beta(a, b); (1, 1) is uniform."""
    drawn = torch.distributions.Beta(a, b).sample((count,)).to(device)
    return drawn.clamp(EDGE, 1 - EDGE)


def between(noise: Tensor, data: Tensor, t: Tensor) -> Tensor:
    """(B, ...) x_t."""
    t = _column(t, data)
    return t * data + (1 - t) * noise


def plain(field: Field, noise: Tensor, data: Tensor, t: Tensor) -> Tensor:
    """(B,) mean squared error of the velocity at d = 0."""
    error = field(between(noise, data, t), t, torch.zeros_like(t)) - (data - noise)
    return error.square().flatten(1).mean(1)


def shortcut(field: Field, noise: Tensor, data: Tensor, t: Tensor, *, halvings: int = 7) -> Tensor:
    """(B,) squared difference between a step of 2d and two steps of d, d drawn from ½ … 2^−``halvings``.

    ``t`` is squeezed into [0, 1 − 2d], so that no step leaves the flow's span.
    """
    power = torch.randint(1, halvings + 1, t.shape, device=t.device)
    d = torch.pow(2.0, -power.to(t.dtype))
    t = t * (1 - 2 * d)
    x = between(noise, data, t)
    with torch.no_grad():
        first = field(x, t, d)
        second = field(x + _column(d, x) * first, t + d, d)
        target = (first + second) / 2
    return (field(x, t, 2 * d) - target).square().flatten(1).mean(1)


def mean_flow(field: Field, noise: Tensor, data: Tensor, t: Tensor, *, instant: float = 0.75) -> Tensor:
    """(B,) weighted squared error of the mean velocity over steps of random width.

    A share ``instant`` of the batch has width 0, where it is plain flow matching. Errors are divided by their
    own size, as in the paper (p = 1), since the target's derivative has heavy tails.
    """
    d = torch.rand_like(t) * (1 - t)
    d = torch.where(torch.rand_like(t) < instant, torch.zeros_like(d), d)
    x, velocity = between(noise, data, t), data - noise
    # Fused attention has no forward-mode derivative; the plain one does.
    with torch.no_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        _, rate = torch.func.jvp(field, (x, t, d), (velocity, torch.ones_like(t), -torch.ones_like(d)))
        target = velocity + _column(d, x) * rate
    error = (field(x, t, d) - target).square().flatten(1).mean(1)
    return error / (error.detach() + 1e-3)


def _column(t: Tensor, x: Tensor) -> Tensor:
    return t.reshape(-1, *([1] * (x.ndim - 1)))
