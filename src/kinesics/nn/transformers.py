"""Transformer layers with the norm after each part, as the speech and face systems of before 2024 have them, and wav2vec 2.0."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.nn.attention import Attention


class PostBlock(nn.Module):
    """Attention, then a two-layer network (GELU); each is added to what came in, and the sum is normalised.

    Parameters
    ----------
    dim, heads, hidden
        Width, heads, width between the two layers.
    dropout
        Of both branches and between the layers.
    """

    def __init__(self, dim: int, heads: int, hidden: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = Attention(dim, heads, bias=True)
        self.enter, self.leave = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.after_attention, self.after_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, *, bias: Tensor | None = None) -> Tensor:
        """(B, T, dim); ``bias`` (heads, T, T) is added to the scores."""
        x = self.after_attention(x + self.drop(self.attention(x, bias=bias)))
        y = self.leave(self.drop(F.gelu(self.enter(x))))
        return self.after_mlp(x + self.drop(y))


class Wav2Vec(nn.Module):
    """The encoder of wav2vec 2.0 (Baevski et al., NeurIPS 2020), base size by default: 94.4 million parameters.

    It begins at random: no published weights are loaded. 16 kHz in, one vector for each 20 ms out.

    Parameters
    ----------
    width, layers, heads, hidden
        Of the transformer.
    channels
        Of the seven convolutions.
    dropout
        Of the transformer.
    """

    KERNELS = (10, 3, 3, 3, 3, 2, 2)
    STRIDES = (5, 2, 2, 2, 2, 2, 2)

    def __init__(
        self,
        width: int = 768,
        layers: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        *,
        channels: int = 512,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            [
                nn.Conv1d(channels if i else 1, channels, kernel, stride, bias=False)
                for i, (kernel, stride) in enumerate(zip(self.KERNELS, self.STRIDES, strict=True))
            ]
        )
        # Its first convolution is normalised over time, each channel by itself.
        self.first_norm = nn.GroupNorm(channels, channels)
        self.norm, self.enter = nn.LayerNorm(channels), nn.Linear(channels, width)
        place = nn.Conv1d(width, width, 128, padding=64, groups=16)
        self.place = nn.utils.parametrizations.weight_norm(place, dim=2)
        self.before = nn.LayerNorm(width)
        self.blocks = nn.ModuleList([PostBlock(width, heads, hidden, dropout=dropout) for _ in range(layers)])
        self.drop = nn.Dropout(dropout)

    def forward(self, samples: Tensor) -> Tensor:
        """(B, N) samples of mean 0 and spread 1 → (B, (N − 80) / 320, width), 50 vectors a second."""
        y = samples[:, None]
        for i, convolution in enumerate(self.convolutions):
            y = convolution(y)
            y = F.gelu(self.first_norm(y) if i == 0 else y)
        y = self.enter(self.norm(y.transpose(1, 2)))
        places = F.gelu(self.place(y.transpose(1, 2))[..., :-1]).transpose(1, 2)
        y = self.drop(self.before(y + places))
        for block in self.blocks:
            y = block(y)
        return y


def at_rate(frames: Tensor, count: int) -> Tensor:
    """(B, T, D) → (B, count, D), linear between frames, the first and last staying so."""
    return F.interpolate(frames.transpose(1, 2), size=count, mode="linear", align_corners=True).transpose(
        1, 2
    )


def side_by_side(frames: Tensor, factor: int) -> Tensor:
    """(B, T, D) → (B, T / factor, factor · D): neighbours side by side."""
    return torch.unflatten(frames, 1, (-1, factor)).flatten(2)
