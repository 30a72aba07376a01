"""Vectors to the nearest of a learned set: a codebook, and several in a row on what is left."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Codebook(nn.Module):
    """One set of codes, learned as running means of the vectors that fall to each (van den Oord et al., 2017).

    A code that hardly any vector falls to is put where a vector of the batch is. Codes are buffers, not
    parameters: no gradient moves them.

    Parameters
    ----------
    codes, dim
        How many, and how long each is.
    decay
        Of the running means.
    temperature
        While training codes are drawn, not chosen: Gumbel noise on distances over this; 0 chooses the nearest.
    least
        Running count of vectors under which a code is moved.
    """

    codes: Tensor
    counts: Tensor
    sums: Tensor
    filled: Tensor

    def __init__(
        self, codes: int, dim: int, *, decay: float = 0.99, temperature: float = 0.0, least: float = 1.0
    ) -> None:
        super().__init__()
        self.decay, self.temperature, self.least = decay, temperature, least
        self.register_buffer("codes", torch.zeros(codes, dim))
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("sums", torch.zeros(codes, dim))
        self.register_buffer("filled", torch.zeros((), dtype=torch.bool))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, dim) → the codes (N, dim), without gradient, and their indices (N,)."""
        x = x.detach()
        if self.training and not self.filled:
            self.codes.copy_(_picked(x, len(self.codes)))
            self.sums.copy_(self.codes)
            self.filled.fill_(True)
        # |x|² is the same for every code.
        scores = 2 * x @ self.codes.T - self.codes.square().sum(1)
        if self.training and self.temperature:
            scores = scores / self.temperature - torch.empty_like(scores).exponential_().log()
        index = scores.argmax(1)
        found = self.codes[index]
        if self.training:
            self._follow(x, index)
        return found, index

    def _follow(self, x: Tensor, index: Tensor) -> None:
        fallen = F.one_hot(index, len(self.codes)).to(x.dtype)
        self.counts.mul_(self.decay).add_(fallen.sum(0), alpha=1 - self.decay)
        self.sums.mul_(self.decay).add_(fallen.T @ x, alpha=1 - self.decay)
        dead = self.counts < self.least
        fresh = _picked(x, len(self.codes))
        self.sums.copy_(torch.where(dead[:, None], fresh * self.least, self.sums))
        self.counts.copy_(torch.where(dead, torch.full_like(self.counts, self.least), self.counts))
        self.codes.copy_(self.sums / self.counts[:, None])


def _picked(x: Tensor, count: int) -> Tensor:
    """``count`` rows of ``x``, each once before any twice; copies differ a little."""
    repeats = -(-count // len(x))
    rows = torch.cat([torch.randperm(len(x), device=x.device) for _ in range(repeats)])[:count]
    spread = 0.01 * x.std() if repeats > 1 else 0.0
    return x[rows] + spread * torch.randn(count, x.shape[1], device=x.device, dtype=x.dtype)


class Quantiser(nn.Module):
    """Codebooks one after the other, each on what the ones before left over (SoundStream, 2021).

    Parameters
    ----------
    levels
        How many; 1 is a plain VQ.
    codes, dim, decay, temperature, least
        See :class:`Codebook`.
    dropout
        While training, how often a batch uses a random number of levels only, so that fewer suffice.
    """

    def __init__(self, levels: int, codes: int, dim: int, *, dropout: float = 0.0, **options: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.books = nn.ModuleList([Codebook(codes, dim, **options) for _ in range(levels)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise.

        Parameters
        ----------
        x
            (B, dim, T).

        Returns
        -------
        quantised
            (B, dim, T); gradients pass straight through to ``x``.
        commit
            () mean squared distance from ``x`` to the codes, through the levels: what to keep small.
        index
            (levels used, B, T) indices.
        """
        flat = x.transpose(1, 2).flatten(0, 1).float()
        levels = len(self.books)
        if self.training and self.dropout and torch.rand(()) < self.dropout:
            levels = int(torch.randint(1, levels + 1, ()))
        rest, commit, indices = flat, flat.new_zeros(()), []
        for book in self.books[:levels]:
            found, index = book(rest)
            commit = commit + F.mse_loss(rest, found)
            rest = rest - found
            indices.append(index)
        made = flat + (flat - rest - flat).detach()
        shape = (len(x), x.shape[2])
        quantised = made.unflatten(0, shape).transpose(1, 2).to(x.dtype)
        return quantised, commit / levels, torch.stack(indices).unflatten(1, shape)
