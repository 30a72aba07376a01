"""Inputs that the golden files and the tests share: the same numbers on every machine and version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).parent / "golden"


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Values in [-1, 1) from integer arithmetic alone (a 32-bit mix), so nothing can shift them."""
    x = np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64(seed * 7_919_993 + 1)
    with np.errstate(over="ignore"):
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return (x.astype(float) / 2**31 - 1).reshape(shape)


def walk(frames: int, joints: int, *, seed: int = 0, step: float = 0.01, every: int = 8) -> np.ndarray:
    """(frames, joints, 3) smooth positions: random places every few frames, eased in between."""
    places = noise(frames // every + 3, joints, 3, seed=seed) * step * every
    at = np.arange(frames) / every
    low = at.astype(int)
    part = at - low
    part = (part * part * (3 - 2 * part))[:, None, None]
    return places[low] * (1 - part) + places[low + 1] * part


def golden(name: str) -> dict[str, Any]:
    """What the oracles said about these inputs."""
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["values"]
