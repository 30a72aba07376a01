"""The parts of a network that run on their own: what is exported, and what stands in for the export in the lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Run = Callable[..., dict[str, NDArray]]
"""``run(name=array, …)`` → outputs by name; an exported network has the same form."""


@dataclass(frozen=True)
class Graph:
    """One part of a network, with named inputs and outputs.

    Parameters
    ----------
    module
        Takes the inputs in their order.
    inputs
        Name → an example; its shape holds but for the axes of ``dynamic``.
    outputs
        Names, one for each tensor that the module returns.
    dynamic
        Name of an input → {axis: name of its length}.
    """

    module: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]
    dynamic: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The outputs, always as a tuple."""
        made = self.module(*inputs)
        return made if isinstance(made, tuple) else (made,)


def runner(graph: Graph) -> Run:
    """The graph as a function of numpy arrays by name."""

    def run(**arrays: NDArray) -> dict[str, NDArray]:
        with torch.inference_mode():
            inputs = [
                torch.as_tensor(np.ascontiguousarray(arrays[n])).to(example.device, example.dtype)
                for n, example in graph.inputs.items()
            ]
            made = graph(*inputs)
        return {n: y.detach().float().cpu().numpy() for n, y in zip(graph.outputs, made, strict=True)}

    return run
