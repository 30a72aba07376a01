"""Pulling pairs together and everything else apart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def info_nce(
    a: Tensor,
    b: Tensor,
    *,
    temperature: float = 0.1,
    alike: Tensor | None = None,
    extra: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of finding each row's partner, both ways (van den Oord et al., 2018; as in TMR).

    Parameters
    ----------
    a, b
        (N, D): row i of one belongs to row i of the other.
    temperature
        What cosines are divided by.
    alike
        (N, N) bool: pairs i ≠ j that mean the same and must not be pushed apart (false negatives).
    extra
        (M, D) more rows that belong to nobody: only ``a`` has to tell them from its partner.

    Returns
    -------
    Tensor
        () the mean of both directions, nats.
    """
    a, b = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
    scores = a @ b.T / temperature
    if alike is not None:
        off = alike & ~torch.eye(len(a), dtype=torch.bool, device=a.device)
        scores = scores.masked_fill(off, float("-inf"))
    wanted = torch.arange(len(a), device=a.device)
    wide = scores
    if extra is not None:
        wide = torch.cat([scores, a @ F.normalize(extra, dim=-1).T / temperature], dim=1)
    return (F.cross_entropy(wide, wanted) + F.cross_entropy(scores.T, wanted)) / 2
