"""Causal language models of any size, what is spliced into them, and low-rank adapters.

The layers are LLaMA's (Touvron et al., 2023), so that 32 of them at 4096 have Vicuna-7B's size; a few of them at 64 learn on two cores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.nn.attention import rotary

UNSAID = -100
"""Label of a place whose next token is not learnt: what was spliced in, what was asked, padding."""


class RootNorm(nn.Module):
    """Features divided by the root of their mean square, and scaled (Zhang & Sennrich, 2019); torch's own cannot be exported."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim)."""
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * self.weight


class CausalBlock(nn.Module):
    """Attention to what came before, then a gated two-layer network (SwiGLU), each on RMS-normalised features; no biases.

    Parameters
    ----------
    dim, heads, hidden
        Width, heads, width between the two layers.
    dropout
        Of both branches.
    """

    def __init__(self, dim: int, heads: int, hidden: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = RootNorm(dim), RootNorm(dim)
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim, bias=False) for _ in range(4))
        self.gate, self.enter = nn.Linear(dim, hidden, bias=False), nn.Linear(dim, hidden, bias=False)
        self.leave = nn.Linear(hidden, dim, bias=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, dim)."""
        y = self.before_attention(x)
        # By shape, so that an export takes faces and tokens of any number.
        parts = (x.shape[0], x.shape[1], self.heads, -1)
        q, k, v = (f(y).view(parts).transpose(1, 2) for f in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(rotary(q), rotary(k), v, is_causal=True)
        x = x + self.drop(self.out(mixed.transpose(1, 2).flatten(2)))
        y = self.before_mlp(x)
        return x + self.drop(self.leave(F.silu(self.gate(y)) * self.enter(y)))


class CausalLM(nn.Module):
    """Tokens, or vectors in their place, to scores of the next token.

    Parameters
    ----------
    vocabulary, width, layers, heads, hidden
        LLaMA-7B's and Vicuna-7B's are 32000, 4096, 32, 32, 11008: 6,738,415,616 parameters.
    dropout
        Of the layers.
    """

    def __init__(
        self, vocabulary: int, width: int, layers: int, heads: int, hidden: int, *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(
            [CausalBlock(width, heads, hidden, dropout=dropout) for _ in range(layers)]
        )
        self.norm = RootNorm(width)
        self.say = nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.words.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) vectors → (B, T, width) what is known at each place; :attr:`say` makes scores of it."""
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def splice(words: Tensor, ids: Tensor, rows: Tensor, placeholder: int) -> Tensor:
    """Put rows of features where a token stream has placeholders.

    Parameters
    ----------
    words
        (B, T, D) embeddings of the tokens.
    ids
        (B, T) the tokens.
    rows
        (B, N, D) features; the first goes to a sequence's first placeholder, and so on.
    placeholder
        The token's number; each sequence has at most N of it.

    Returns
    -------
    Tensor
        (B, T, D).
    """
    here = ids == placeholder
    place = (here.long().cumsum(1) - 1).clamp(min=0)
    taken = rows.gather(1, place[..., None].expand(-1, -1, rows.shape[-1]))
    return torch.where(here[..., None], taken, words)


def next_token_loss(scores: Tensor, ids: Tensor) -> Tensor:
    """() cross-entropy of each token given those before.

    Parameters
    ----------
    scores
        (B, T, V).
    ids
        (B, T) the tokens, :data:`UNSAID` where none is to be learnt.
    """
    return F.cross_entropy(scores[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), ignore_index=UNSAID)


class LowRank(nn.Module):
    """A linear layer that stays, and a low-rank change of it that is learnt (LoRA; Hu et al., ICLR 2022).

    Parameters
    ----------
    layer
        The layer; its weights are frozen.
    rank, alpha
        Of the change, and its scale: alpha / rank.
    """

    def __init__(self, layer: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.layer = layer.requires_grad_(False)
        own = {"device": layer.weight.device, "dtype": layer.weight.dtype}
        self.down = nn.Parameter(torch.empty(rank, layer.in_features, **own))
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank, **own))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        """As the layer, and the change."""
        return self.layer(x) + self.scale * F.linear(F.linear(x, self.down), self.up)


def adapt(module: nn.Module, names: tuple[str, ...], *, rank: int, alpha: float) -> None:
    """Freeze a module and give all its linear layers of some names a :class:`LowRank` change.

    Parameters
    ----------
    module
        Whatever has them, at any depth.
    names
        Of attributes, such as ``("query", "value")``.
    rank, alpha
        See :class:`LowRank`.
    """
    module.requires_grad_(False)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if name in names and isinstance(child, nn.Linear):
                setattr(parent, name, LowRank(child, rank, alpha))


def adapters(module: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters that :func:`adapt` added."""
    for part in module.modules():
        if isinstance(part, LowRank):
            yield part.down
            yield part.up
