"""The network of the judge of filmed lips. What it is for: ``spec.py``."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from kinesics.hear.phones import VISEMES
from kinesics.nn.graphs import Graph
from kinesics.nn.readers import FilmLips, ctc
from kinesics.nn.vision import unlike
from kinesics.systems.read.lipjudge.spec import LipJudgeConfig


class Net(nn.Module):
    """The reader."""

    def __init__(self, config: LipJudgeConfig) -> None:
        super().__init__()
        self.config = config
        self.lips = FilmLips(len(VISEMES), width=config.width, depth=config.depth)

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """All parameters."""
        yield from self.parameters()

    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Nothing is taken."""

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """The loss, ()."""
        film = batch["film"].float()
        scores = self.lips(unlike(film) if self.training else film)
        return {"loss": ctc(scores, batch["visemes"], batch["count"])}

    def graphs(self) -> dict[str, Graph]:
        """``read``, on windows."""
        film = torch.zeros(1, self.config.window, self.config.film, self.config.film)
        return {"read": Graph(self.lips, {"film": film}, ("visemes",))}
