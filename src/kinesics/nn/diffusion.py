"""What a diffusion network is trained for: ε, x0 or v. Sampling is in :mod:`kinesics.nn.samplers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kinesics.errors import choose
from kinesics.nn.samplers import PREDICTS, Schedule

Step = Callable[[Tensor, Tensor, Any], Tensor]


def draw(data: Tensor, schedule: Schedule, *, predicts: str = "data") -> tuple[Tensor, Tensor, Tensor]:
    """Noise a batch at random steps.

    Parameters
    ----------
    data
        (B, ...) x0.
    schedule
        The diffusion.
    predicts
        ``"noise"``, ``"data"`` or ``"velocity"``.

    Returns
    -------
    x, t, target
        (B, ...) noisy, (B,) steps, (B, ...) what the network should say.
    """
    choose("prediction", predicts, PREDICTS)
    t = torch.randint(len(schedule), (len(data),), device=data.device)
    kept = torch.tensor(schedule.kept, dtype=data.dtype, device=data.device)[t]
    kept = kept.reshape(-1, *([1] * (data.ndim - 1)))
    noise = torch.randn_like(data)
    a, s = kept.sqrt(), (1 - kept).sqrt()
    target = {"data": data, "noise": noise}.get(predicts)
    return a * data + s * noise, t, a * noise - s * data if target is None else target


def data_of(predicted: Tensor, x: Tensor, t: Tensor, schedule: Schedule, *, predicts: str) -> Tensor:
    """(B, ...) the x0 that a prediction at steps ``t`` (B,) stands for: what losses on motion need."""
    kept = torch.tensor(schedule.kept, dtype=x.dtype, device=x.device)[t].reshape(-1, *([1] * (x.ndim - 1)))
    a, s = kept.sqrt(), (1 - kept).sqrt()
    if choose("prediction", predicts, PREDICTS) == "data":
        return predicted
    return (x - s * predicted) / a if predicts == "noise" else a * x - s * predicted


def loss(step: Step, data: Tensor, condition: Any, schedule: Schedule, *, predicts: str = "data") -> Tensor:
    """(B,) mean squared error of the prediction for each sample."""
    x, t, target = draw(data, schedule, predicts=predicts)
    return (step(x, t, condition) - target).square().flatten(1).mean(1)
