"""Attention: self and cross, with rotary positions or ALiBi, and the blocks made of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_BASE = 10_000.0


def rotary(x: Tensor) -> Tensor:
    """Turn (..., T, D) features by angles that grow with their place (Su et al., RoFormer, 2021).

    The product of two turned vectors depends on how far apart they are, and on nothing else of
    where they are. D is even; features i and i + D/2 make a pair.
    """
    half = x.shape[-1] // 2
    rate = _BASE ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    # Counted, not taken from the shape, which an export would hold for fixed.
    place = torch.ones_like(x[(0,) * (x.ndim - 2)][:, :1], dtype=torch.float32).cumsum(0) - 1
    angle = place * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def alibi(heads: int, length: int, *, period: int = 1, device: torch.device | None = None) -> Tensor:
    """(heads, T, T) bias that falls with the distance between frames, both ways (Press et al., ICLR 2022).

    Head h of H has slope 2^(−8(h+1)/H). Distances count in whole ``period``s (FaceFormer's periodic bias).
    """
    slope = 2.0 ** (-8.0 * torch.arange(1, heads + 1, device=device) / heads)
    place = torch.arange(length, device=device)
    distance = (place[:, None] - place[None]).abs().div(period, rounding_mode="floor")
    return -slope[:, None, None] * distance


class Attention(nn.Module):
    """Multi-head attention of (B, T, dim) to itself or to a context (B, S, context).

    Parameters
    ----------
    dim, heads
        Width and number of heads.
    context
        Width of the context; None: it attends to itself.
    rotary
        Whether queries and keys are turned by their place.
    bias
        Whether the projections to queries, keys and values have one.
    """

    def __init__(
        self, dim: int, heads: int, *, context: int | None = None, rotary: bool = False, bias: bool = False
    ) -> None:
        super().__init__()
        self.heads, self.rotary = heads, rotary
        self.query = nn.Linear(dim, dim, bias=bias)
        self.key_value = nn.Linear(dim if context is None else context, 2 * dim, bias=bias)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, context: Tensor | None = None, *, bias: Tensor | None = None) -> Tensor:
        """(B, T, dim); ``bias`` (heads, T, S) is added to the scores, −inf shuts out."""
        k, v = self.key_value(x if context is None else context).chunk(2, dim=-1)
        q, k, v = (self._split(y) for y in (self.query(x), k, v))
        if self.rotary:
            q, k = rotary(q), rotary(k)
        if bias is not None:
            bias = bias.to(q.dtype)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _split(self, y: Tensor) -> Tensor:
        return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class DropPath(nn.Module):
    """Leave a residual branch out of whole samples while training (stochastic depth; Huang et al., 2016)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) with whole samples set to zero, the others scaled to keep the mean."""
        if not self.training or not self.rate:
            return x
        keep = torch.rand(len(x), *([1] * (x.ndim - 1)), device=x.device) >= self.rate
        return x * keep / (1 - self.rate)


def mlp(dim: int, hidden: int) -> nn.Sequential:
    """Two layers with a GELU between."""
    return nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))


class Block(nn.Module):
    """Attention, then a two-layer network, each on normalised features and added to what came in.

    Parameters
    ----------
    dim, heads, hidden
        Width, heads, width between the two layers.
    context
        Width of the context it attends to; None: to itself.
    drop
        Rate of :class:`DropPath`.
    rotary
        Whether places turn queries and keys.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        *,
        context: int | None = None,
        drop: float = 0.0,
        rotary: bool = False,
    ) -> None:
        super().__init__()
        self.before_attention, self.before_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads, context=context, rotary=rotary)
        self.mlp = mlp(dim, hidden)
        self.drop = DropPath(drop)

    def forward(self, x: Tensor, context: Tensor | None = None, *, bias: Tensor | None = None) -> Tensor:
        """(B, T, dim)."""
        x = x + self.drop(self.attention(self.before_attention(x), context, bias=bias))
        return x + self.drop(self.mlp(self.before_mlp(x)))


class TimeEmbedding(nn.Module):
    """A time (B,) as features (B, dim): sines and cosines, then two layers.

    Parameters
    ----------
    dim
        Width.
    scale
        What times are multiplied by first: flows count from 0 to 1, which the slow sines would not tell apart.
    extra
        Whether a second number, such as the size of a step, is added through a layer that starts at zero.
    """

    def __init__(self, dim: int, *, scale: float = 1.0, extra: bool = False) -> None:
        super().__init__()
        self.dim, self.scale = dim, scale
        self.layers = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.extra = nn.Linear(dim, dim, bias=False) if extra else None
        if self.extra is not None:
            nn.init.zeros_(self.extra.weight)

    def forward(self, t: Tensor, extra: Tensor | None = None) -> Tensor:
        """(B, dim)."""
        features = self.waves(t)
        if self.extra is not None and extra is not None:
            features = features + self.extra(self.waves(extra))
        return self.layers(features)

    def waves(self, t: Tensor) -> Tensor:
        """(B, dim) cosines and sines of falling frequency."""
        half = self.dim // 2
        rate = torch.exp(-math.log(_BASE) * torch.arange(half, device=t.device) / half)
        angle = self.scale * t.float()[:, None] * rate
        return torch.cat([angle.cos(), angle.sin()], dim=-1)
