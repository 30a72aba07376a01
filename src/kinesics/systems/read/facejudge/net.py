"""The networks of the judge of faces. What they are for: ``spec.py``."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.face_points import face_points
from kinesics.hear.phones import VISEMES
from kinesics.nn.faces import MorphFace
from kinesics.nn.graphs import Graph
from kinesics.nn.readers import AttentiveLips, ConvMood, ctc, soft_cross_entropy
from kinesics.systems._face_features import EMOTIONS
from kinesics.systems.read.facejudge.spec import FaceJudgeConfig

NEAR = 5.0
"""Millimetres of a landmark's way that the lip reader sees as 1."""


class Read(nn.Module):
    """(B, T, 52) coefficients to viseme scores (B, 2 T, 15) and shares of emotions (B, 8)."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        return self.net.lips(self.net.seen(face)), self.net.emotion(face).softmax(-1)


class Net(nn.Module):
    """Both readers."""

    def __init__(self, config: FaceJudgeConfig) -> None:
        super().__init__()
        self.config = config
        points = face_points(config.avatar)
        mouth = points.mouth
        self.face = MorphFace(points.neutral[mouth], points.offsets[:, mouth], scale=1000.0)
        self.lips = AttentiveLips(
            3 * len(mouth), len(VISEMES), width=config.lip_width, depth=config.lip_depth
        )
        self.emotion = ConvMood(len(ARKIT), len(EMOTIONS), width=config.mood_width)

    def trainable(self, stage: str) -> Iterator[nn.Parameter]:
        """The parameters of one reader."""
        yield from (self.lips if stage == "lips" else self.emotion).parameters()

    def begin(self, stage: str, batch: dict[str, Tensor]) -> None:
        """Nothing is taken."""

    def loss(self, batch: dict[str, Tensor], stage: str) -> dict[str, Tensor]:
        """The stage's loss, each ()."""
        face = batch["face"]
        if stage == "lips":
            value = ctc(self.lips(self.seen(face)), batch["visemes"], batch["count"])
        else:
            if self.training:
                face = face + self.config.noise * torch.randn_like(face)
            value = soft_cross_entropy(self.emotion(face), batch["mood"][:, : len(EMOTIONS)])
        return {"loss": value}

    def seen(self, face: Tensor) -> Tensor:
        """(B, T, 60) how far the mouth's landmarks are from their rest, in units of 5 mm."""
        return self.face.moved(face).flatten(2) / NEAR

    def graphs(self) -> dict[str, Graph]:
        """``read``, on windows."""
        face = torch.zeros(1, self.config.window, len(ARKIT))
        return {"read": Graph(Read(self), {"face": face}, ("visemes", "emotion"))}
