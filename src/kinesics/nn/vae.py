"""Gaussian latents: a head that gives mean and log variance, and their divergences."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Gaussian(nn.Module):
    """Features (..., dim) to a diagonal Gaussian over (..., latent).

    Parameters
    ----------
    dim, latent
        Widths.
    """

    def __init__(self, dim: int, latent: int) -> None:
        super().__init__()
        self.mean, self.log_variance = nn.Linear(dim, latent), nn.Linear(dim, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A sample (the mean when not training), the mean and the log variance, each (..., latent)."""
        mean, log_variance = self.mean(x), self.log_variance(x)
        if not self.training:
            return mean, mean, log_variance
        return mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean), mean, log_variance


def kl_to_standard(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(...) divergence of each Gaussian (..., latent) from the standard one, in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)
