"""A face of morphs in torch: coefficients to vertices, differentiable."""

from __future__ import annotations

import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class MorphFace(nn.Module):
    """Vertices of a face from its coefficients, as :func:`kinesics.bodies.avatar.skin` has them.

    Its arrays are buffers that no checkpoint holds: they come with the avatar
    (:func:`kinesics.bodies.face_points.face_points`).

    Parameters
    ----------
    neutral
        (V, 3) places at rest.
    offsets
        (K, V, 3) what each coefficient adds at 1.
    joints
        (V, J) how much of each vertex follows each joint; None: the head does not move.
    scale
        What lengths are multiplied by: 1000 takes metres to millimetres.
    """

    neutral: Tensor
    offsets: Tensor
    joints: Tensor | None

    def __init__(
        self, neutral: NDArray, offsets: NDArray, *, joints: NDArray | None = None, scale: float = 1.0
    ) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("neutral", torch.tensor(neutral, dtype=torch.float32) * scale, persistent=False)
        moves = torch.tensor(offsets, dtype=torch.float32) * scale
        self.register_buffer("offsets", moves.flatten(1), persistent=False)
        weights = None if joints is None else torch.tensor(joints, dtype=torch.float32)
        self.register_buffer("joints", weights, persistent=False)

    def forward(self, weights: Tensor, transforms: Tensor | None = None) -> Tensor:
        """(..., K) coefficients → (..., V, 3) places.

        Parameters
        ----------
        weights
            Values outside 0–1 are extrapolated.
        transforms
            (..., J, 3, 4) where each joint takes what follows it (rotation and shift, in units of ``scale``); None: the
            T-pose.
        """
        rest = self.neutral + self.moved(weights)
        if transforms is None:
            return rest
        if self.joints is None:
            raise ValueError("a face without joints takes no transforms")
        blend = torch.einsum("vj,...jrc->...vrc", self.joints, transforms)
        return (blend[..., :3] @ rest[..., None])[..., 0] + blend[..., 3]

    def moved(self, weights: Tensor, places: Tensor | None = None) -> Tensor:
        """(..., K) coefficients → (..., V, 3) how far each vertex (or those at ``places``) is from its rest."""
        moves = self.offsets.unflatten(1, (-1, 3))
        if places is not None:
            moves = moves[:, places]
        return (weights @ moves.flatten(1)).unflatten(-1, (-1, 3))
