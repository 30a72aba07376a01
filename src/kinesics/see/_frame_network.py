"""Networks that label frames: a stream of features in, probabilities out, a few at a time."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from kinesics.ports.network import Network, load_network

Array = NDArray[np.float64]

BEFORE, AFTER = 112, 16
"""Frames at 30 per second that a label is decided from: 3.7 s of what was, half a second of what comes."""
BLOCK = 8
"""Frames labelled at a time. The network always sees windows of one length, so that a stream that comes in
other pieces gives the same labels to the last bit."""


@cache
def _network(name: str) -> Network:
    return load_network(resources.files("kinesics.see") / "data" / f"{name}.onnx", threads=1)  # type: ignore[arg-type]


class FrameNetwork:
    """Label a stream of frames.

    Parameters
    ----------
    name
        Of the network among this room's data; its input ``frames`` is (S, K, BEFORE + BLOCK + AFTER), its output
        ``chances`` (S, C, BLOCK).
    """

    def __init__(self, name: str) -> None:
        self._network = _network(name)
        self._kept: Array | None = None
        self._owed = 0  # frames taken whose labels were not returned

    def push(self, frames: Array) -> Array:
        """Take (n, S, K) features of S streams; return (m, S, C) probabilities of the frames that are ready."""
        if self._kept is None:
            if not len(frames):
                return self._none()
            self._kept = np.repeat(frames[:1], BEFORE, axis=0)
        self._owed += len(frames)
        return self._run(np.concatenate([self._kept, frames]))

    def finish(self) -> Array:
        """Probabilities of the frames that waited for others."""
        if self._kept is None or not self._owed:
            return self._none()
        owed = self._owed
        out = self._run(np.concatenate([self._kept, np.repeat(self._kept[-1:], AFTER + BLOCK, axis=0)]))
        self._kept = None
        return out[:owed]

    def _run(self, block: Array) -> Array:
        count = max(0, (len(block) - BEFORE - AFTER) // BLOCK)
        out = []
        for k in range(count):
            window = block[k * BLOCK : (k + 1) * BLOCK + BEFORE + AFTER]
            out.append(self._network(frames=window.transpose(1, 2, 0))["chances"].transpose(2, 0, 1))
        self._kept = block[count * BLOCK :]
        self._owed -= count * BLOCK
        return np.concatenate(out).astype(np.float64) if out else self._none()

    def _none(self) -> Array:
        _, shape = self._network.outputs["chances"]
        return np.zeros((0, shape[0], shape[1]))
