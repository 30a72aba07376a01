"""The networks of SPECTRE: the perceptual encoder, and the lip reader in its loss. What they are for: ``spec.py``."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kinesics.hear.phones import VISEMES
from kinesics.nn.graphs import Graph
from kinesics.nn.readers import EitherLips, ctc
from kinesics.nn.vision import MobileNetV2, MouthFilm, unlike
from kinesics.systems import _mouth_features as mouths
from kinesics.systems.read.spectre.spec import CHUNK, JAW, LOST, MOUTH, PAIRS, SpectreConfig

_WEIGHTS = {6: 2.0, 10: 2.0, 33: 1.5}
"""Weights of landmarks in the paper, where not 1."""


class Frames(nn.Module):
    """Pictures (B, T, 3, P, P), each for itself, to (B, T, width)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        return self.network(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2])


class Refine(nn.Module):
    """Pictures (B, T, ...) and the coarse mouth (B, T, 27) to the refined mouth (B, T, 27)."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: SpectreConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(config.lip_width))
        self.register_buffer("spread", torch.ones(config.lip_width))
        if config.eyes == "heads":
            self.eyes: nn.Module = Frames(MobileNetV2())
            width = MobileNetV2.WIDTH
        else:
            self.eyes = MouthFilm(config.width, size=config.film, time=1)
            width = config.width
        self.known = nn.Linear(len(MOUTH), width) if config.eyes == "mouths" else None
        self.time = nn.Sequential(
            nn.Conv1d(width, config.width, 2 * LOST + 1, padding=LOST),
            nn.BatchNorm1d(config.width),
            nn.ReLU(),
        )
        self.leave = nn.Linear(config.width, len(MOUTH))
        with torch.no_grad():
            self.leave.weight.mul_(1e-3)
            self.leave.bias.zero_()

    def forward(self, film: Tensor, coarse: Tensor) -> Tensor:
        """See the class."""
        x = self.eyes(film)
        if self.known is not None:
            x = (x + self.known(coarse)).relu()
        made = coarse + self.leave(self.time(x.transpose(1, 2)).transpose(1, 2))
        within = made.clamp(0, 1)
        # a gradient leads back from beyond the bounds
        return within + 0.05 * (made - made.detach()) if self.training else within


class Net(nn.Module):
    """All networks of the system."""

    moves: Tensor
    weights: Tensor
    rest: Tensor
    ends: Tensor

    def __init__(self, config: SpectreConfig) -> None:
        super().__init__()
        self.config = config
        self.lips = EitherLips(
            2 * (mouths.LIPS.stop - mouths.LIPS.start),
            len(VISEMES),
            size=config.film,
            width=config.lip_width,
            depth=config.lip_depth,
        )
        self.refine = Refine(config)
        self.register_buffer("moves", torch.tensor(mouths.moves(config.avatar)), persistent=False)
        weights = torch.tensor([_WEIGHTS.get(i, 1.0) for i in mouths.PLACES])
        weights[mouths.LIPS] = config.mouth
        self.register_buffer("weights", weights / weights.sum(), persistent=False)
        self.register_buffer("rest", torch.tensor(mouths.resting(config.avatar)), persistent=False)
        ends = torch.tensor([[mouths.PLACES.index(i) for i in pair] for pair in PAIRS])
        self.register_buffer("ends", ends, persistent=False)

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """The parameters of one network."""
        yield from getattr(self, stage).parameters()

    @torch.no_grad()
    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Take the mean and spread of what the reader feels of films, from a sample of the corpus."""
        if stage == "refine" and self.config.lip:
            felt = torch.cat(
                [self.lips.watched(part.float()).flatten(0, 1) for part in batch["film"].split(16)]
            )
            self.refine.mean.copy_(felt.mean(0))
            self.refine.spread.copy_(felt.std(0).clamp(min=1e-3))

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """Losses by name, their sum under ``"loss"``, each ()."""
        moving = {id(m) for m in getattr(self, stage).modules()}
        for module in self.modules():
            if module is not self and id(module) not in moving:
                module.training = False
        return getattr(self, f"_{stage}_loss")(batch)

    def _lips_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        film = batch["film"].float()
        if self.training:
            film = unlike(film)
        felt = self.lips.features(self.mouth(self.moved(batch["face"]))), self.lips.watched(film)
        read = [ctc(self.lips.scores(f), batch["visemes"], batch["count"]) for f in felt]
        alike = (1 - F.cosine_similarity(*felt, dim=-1)).mean()
        return {"landmarks": read[0], "film": read[1], "alike": alike, "loss": read[0] + read[1] + alike}

    def _refine_loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        config, within = self.config, slice(LOST, -LOST)
        coarse = batch["face"]
        found = self.placed(batch["seen"], coarse)
        before = coarse[..., list(MOUTH)]
        film = batch["picture" if config.eyes == "heads" else "film"].float()
        if self.training and config.eyes == "mouths":
            film = unlike(film)
        mouth = self.refine(film, before)
        face = coarse.clone()
        face[..., list(MOUTH)] = mouth
        moved = self.moved(face)
        near = mouths.NEAR
        away = (moved - found)[:, within].abs().sum(-1)
        landmark = near * (away * self.weights).sum(-1).mean()
        distance = near * (self.spans(moved) - self.spans(found))[:, within].abs().mean()
        lip = self.unread(moved, batch["film"])[:, within].mean() if config.lip else landmark.new_zeros(())
        squared = 0.5 * (mouth - before)[:, within].square().mean((0, 1))
        jaw = squared[list(JAW)].sum()
        kept = config.jaw * jaw + config.residual * (squared.sum() - jaw)
        total = config.landmark * landmark + config.distance * distance + config.lip * lip + kept
        return {"landmark": landmark, "distance": distance, "lip": lip, "kept": kept, "loss": total}

    def unread(self, moved: Tensor, film: Tensor) -> Tensor:
        """(B, T) 1 − cosine of what the reader feels of fitted landmarks and of a film."""
        with torch.no_grad():
            felt = self.lips.watched(film.float())
        told = self.lips.features(self.mouth(moved))
        mean, spread = self.refine.mean, self.refine.spread
        return 1 - F.cosine_similarity((told - mean) / spread, (felt - mean) / spread, dim=-1)

    def moved(self, face: Tensor) -> Tensor:
        """(B, T, 52) → (B, T, 26, 2) how far landmarks are from their rest, in units of 5 mm."""
        return torch.einsum("btk,knd->btnd", face, self.moves)

    def mouth(self, moved: Tensor) -> Tensor:
        """(B, T, 26, 2) → (B, T, 40) the lips, as their reader sees them."""
        return moved[:, :, mouths.LIPS].flatten(2)

    def placed(self, seen: Tensor, coarse: Tensor) -> Tensor:
        """(B, T, 26, 2) detected landmarks, brought to where the coarse face has them in the mean over time."""
        return seen - (seen - self.moved(coarse)).mean(1, keepdim=True)

    def spans(self, moved: Tensor) -> Tensor:
        """(B, T, pairs) distances of :data:`PAIRS`, in units of 5 mm."""
        ends = (self.rest + moved)[:, :, self.ends]
        return (ends[..., 0, :] - ends[..., 1, :]).square().sum(-1).add(1e-6).sqrt()

    def graphs(self) -> dict[str, Graph]:
        """``refine``, on chunks."""
        heads, size = (
            self.config.eyes == "heads",
            self.config.picture if self.config.eyes == "heads" else self.config.film,
        )
        film = torch.zeros(1, CHUNK, *((3,) if heads else ()), size, size)
        mouth = torch.zeros(1, CHUNK, len(MOUTH))
        return {"refine": Graph(self.refine, {"film": film, "coarse": mouth}, ("mouth",))}
