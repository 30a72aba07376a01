"""Networks that read a face: visemes from lips, emotion from the whole.

Unlike in architecture and in what they see, so that what judges a system is not what taught it:

* :class:`ConvLips` and :class:`AttentiveMood` see landmarks, :class:`EitherLips` landmarks or a film; they stand in
  losses (teachers);
* :class:`AttentiveLips` and :class:`ConvMood` see landmarks, :class:`FilmLips` a film; they are for measures (judges).

Lip readers give two sets of scores for each frame, because at 25 frames a second phones may be as short as one, and are
trained by CTC (Graves et al., ICML 2006): class 0, silence, is its blank.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.nn.attention import Block, alibi
from kinesics.nn.convs import Dilated
from kinesics.nn.transformers import PostBlock
from kinesics.nn.vision import MouthFilm, MouthPictures

PER_FRAME = 2
"""Sets of scores for each frame."""


def ctc(scores: Tensor, labels: Tensor, counts: Tensor) -> Tensor:
    """() CTC loss per label, nats.

    Parameters
    ----------
    scores
        (B, N, classes).
    labels
        (B, L) classes from 1 on, padded with anything.
    counts
        (B,) how many of the labels count; sequences without any do not.
    """
    told = counts > 0
    lengths = torch.full_like(counts, scores.shape[1])
    each = F.ctc_loss(
        F.log_softmax(scores.float(), dim=-1).transpose(0, 1),
        labels,
        lengths,
        counts,
        reduction="none",
        zero_infinity=True,
    )
    return (each / counts.clamp(min=1) * told).sum() / told.sum().clamp(min=1)


def soft_cross_entropy(scores: Tensor, shares: Tensor) -> Tensor:
    """() cross-entropy of (B, C) scores with (B, C) shares that sum to one."""
    return -(shares * F.log_softmax(scores, dim=-1)).sum(-1).mean()


class ConvLips(nn.Module):
    """Dilated convolutions over the lips' landmarks.

    Parameters
    ----------
    channels
        Numbers of each frame.
    classes
        Viseme classes, silence among them.
    width, depth
        Channels and blocks.
    """

    def __init__(self, channels: int, classes: int, *, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        blocks = [Dilated(width, 2 ** (i % 3)) for i in range(depth)]
        self.trunk = nn.Sequential(nn.Conv1d(channels, width, 3, padding=1), *blocks, nn.GELU())
        self.head = nn.Linear(width, PER_FRAME * classes)

    def features(self, lips: Tensor) -> Tensor:
        """(B, T, channels) → (B, T, width): what a loss compares."""
        return self.trunk(lips.transpose(1, 2)).transpose(1, 2)

    def forward(self, lips: Tensor) -> Tensor:
        """(B, T, channels) → (B, 2 T, classes) scores."""
        return self.head(self.features(lips)).unflatten(-1, (PER_FRAME, -1)).flatten(1, 2)


class AttentiveLips(nn.Module):
    """Attention with rotary places over the lips' landmarks, see :class:`ConvLips`."""

    def __init__(
        self, channels: int, classes: int, *, width: int = 64, depth: int = 2, heads: int = 4, reach: int = 12
    ) -> None:
        super().__init__()
        self.reach = reach
        self.enter = nn.Linear(3 * channels, width)
        self.blocks = nn.ModuleList([Block(width, heads, 2 * width, rotary=True) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, PER_FRAME * classes)

    def forward(self, lips: Tensor) -> Tensor:
        """(B, T, channels) → (B, 2 T, classes) scores."""
        padded = torch.cat([lips[:, :1], lips, lips[:, -1:]], dim=1)
        x = self.enter(torch.cat([padded[:, :-2], lips, padded[:, 2:]], dim=-1))
        place = torch.arange(x.shape[1], device=x.device)
        far = (place[:, None] - place[None]).abs() > self.reach
        bias = torch.zeros(far.shape, device=x.device).masked_fill(far, float("-inf"))
        for block in self.blocks:
            x = block(x, bias=bias)
        return self.head(self.norm(x)).unflatten(-1, (PER_FRAME, -1)).flatten(1, 2)


class EitherLips(nn.Module):
    """Reads a mouth from its landmarks or from a grey film of it, with one trunk for both.

    Trained on both of the same mouths (their cosine beside CTC), what it feels of a film and of landmarks can be compared:
    so the lips of a face that is being fitted are held against the pictures themselves, without painting it.

    Parameters
    ----------
    channels
        Numbers of each frame of landmarks.
    classes
        Viseme classes, silence among them.
    size
        Pixels of each side of films.
    width, depth
        Channels and dilated blocks of the trunk.
    """

    def __init__(self, channels: int, classes: int, *, size: int, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        self.lips = nn.Conv1d(channels, width, 3, padding=1)
        self.film = MouthFilm(width, size=size)
        self.trunk = nn.Sequential(*(Dilated(width, 2 ** (i % 3)) for i in range(depth)), nn.GELU())
        self.head = nn.Linear(width, PER_FRAME * classes)

    def features(self, lips: Tensor) -> Tensor:
        """(B, T, channels) landmarks → (B, T, width): what a loss compares."""
        return self.trunk(self.lips(lips.transpose(1, 2))).transpose(1, 2)

    def watched(self, film: Tensor) -> Tensor:
        """(B, T, S, S) grey from 0 to 255 → (B, T, width), see :meth:`features`."""
        return self.trunk(self.film(film).transpose(1, 2)).transpose(1, 2)

    def scores(self, features: Tensor) -> Tensor:
        """(B, T, width) → (B, 2 T, classes)."""
        return self.head(features).unflatten(-1, (PER_FRAME, -1)).flatten(1, 2)


class FilmLips(nn.Module):
    """Attention over pictures of a mouth, each seen for itself, see :class:`AttentiveLips`."""

    def __init__(self, classes: int, *, size: int, width: int = 64, depth: int = 2) -> None:
        super().__init__()
        self.pictures = MouthPictures(width, size=size)
        self.read = AttentiveLips(width, classes, width=width, depth=depth)

    def forward(self, film: Tensor) -> Tensor:
        """(B, T, S, S) grey from 0 to 255 → (B, 2 T, classes) scores."""
        return self.read(self.pictures(film))


class AttentiveMood(nn.Module):
    """Emotion and intensity of a clip: a linear layer, one transformer layer with symmetric ALiBi, a pooler, two heads.

    Parameters
    ----------
    channels
        Numbers of each frame.
    classes, levels
        How many emotions and intensities.
    width, heads, dropout
        Of the transformer layer.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        levels: int,
        *,
        width: int = 256,
        heads: int = 8,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.enter = nn.Linear(channels, width)
        self.block = PostBlock(width, heads, width, dropout=dropout)
        self.pooler = nn.Linear(width, width)
        self.emotion, self.level = nn.Linear(width, classes), nn.Linear(width, levels)

    def features(self, face: Tensor) -> Tensor:
        """(B, T, channels) → (B, width): the emotion feature that a loss compares."""
        bias = alibi(self.heads, face.shape[1], device=face.device)
        return torch.tanh(self.pooler(self.block(self.enter(face), bias=bias).mean(1)))

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, channels) → (B, classes) and (B, levels) scores."""
        pooled = self.features(face)
        return self.emotion(pooled), self.level(pooled)


class ConvMood(nn.Module):
    """Emotion of a clip: two convolutions, the mean and spread over time, two layers."""

    def __init__(self, channels: int, classes: int, *, width: int = 48, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(channels, width, 5, padding=2),
            nn.SiLU(),
            nn.Conv1d(width, width, 5, stride=2, padding=2),
            nn.SiLU(),
        )
        self.head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, classes)
        )

    def forward(self, face: Tensor) -> Tensor:
        """(B, T, channels) → (B, classes) scores."""
        y = self.layers(face.transpose(1, 2))
        spread = (y.var(-1, unbiased=False) + 1e-5).sqrt()
        return self.head(torch.cat([y.mean(-1), spread], dim=-1))
