"""The network of the judge of filmed lips. What it is for: ``spec.py``."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from kinesics.hear.phones import VISEMES
from kinesics.nn.graphs import Graph
from kinesics.nn.readers import FilmLips, ctc
from kinesics.nn.vision import unlike
from kinesics.systems.read.lipjudge.spec import LIPS, LipJudgeConfig


class Net(nn.Module):
    """The reader."""

    def __init__(self, config: LipJudgeConfig) -> None:
        super().__init__()
        self.config = config
        self.lips = FilmLips(len(VISEMES), size=config.film, width=config.width, depth=config.depth)
        self.where = nn.Linear(config.width, 2 * LIPS)

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """All parameters, or those over time."""
        yield from (self if stage == "lips" else self.lips.read).parameters()

    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Nothing is taken."""

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """Losses by name, their sum under ``"loss"``, each ()."""
        film = batch["film"].float()
        if stage == "reading":
            self.lips.pictures.eval()
            with torch.no_grad():
                seen = self.lips.pictures(film)
            return {"loss": ctc(self.lips.read(seen), batch["visemes"], batch["count"])}
        seen = self.lips.pictures(unlike(film) if self.training else film)
        read = ctc(self.lips.read(seen), batch["visemes"], batch["count"])
        away = (self.where(seen) - batch["lips"]).square().mean((1, 2))
        lips = (away * batch["known"]).sum() / batch["known"].sum().clamp(min=1)
        return {"read": read, "lips": lips, "loss": read + 10 * lips}

    def graphs(self) -> dict[str, Graph]:
        """``read``, on windows."""
        film = torch.zeros(1, self.config.window, self.config.film, self.config.film)
        return {"read": Graph(self.lips, {"film": film}, ("visemes",))}
