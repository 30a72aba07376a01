"""Pictures to tokens: the vision transformer as DINOv2 has it (Oquab et al., 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kinesics.nn.attention import Attention, mlp


class ScaledBlock(nn.Module):
    """Attention, then two layers, each on normalised features and scaled channel by channel before it is added."""

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.before_attention, self.before_mlp = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.attention, self.mlp = Attention(dim, heads, bias=True), mlp(dim, hidden)
        self.attention_scale, self.mlp_scale = (nn.Parameter(torch.full((dim,), 1e-5)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, dim)."""
        x = x + self.attention_scale * self.attention(self.before_attention(x))
        return x + self.mlp_scale * self.mlp(self.before_mlp(x))


class VisionTransformer(nn.Module):
    """(B, 3, side, side) → (B, (side / patch)², width).

    Parameters
    ----------
    side, patch
        Of the picture and of one token, pixels.
    width, layers, heads, hidden
        ViT-L's are 1024, 24, 16, 4096.
    """

    def __init__(self, side: int, patch: int, width: int, layers: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(3, width, patch, stride=patch)
        self.whole = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.place = nn.Parameter(0.02 * torch.randn(1, 1 + (side // patch) ** 2, width))
        self.blocks = nn.ModuleList([ScaledBlock(width, heads, hidden) for _ in range(layers)])
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class; the token of the whole is used inside and not handed out."""
        x = self.cut(pictures).flatten(2).transpose(1, 2)
        x = torch.cat([self.whole.expand(len(x), -1, -1), x], dim=1) + self.place
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 1:]
