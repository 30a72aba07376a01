"""Checkpoints to ONNX, so that a system performs without torch; what is written is checked against torch."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import logging
import warnings
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kinesics.errors import DataError
from kinesics.files import replacing
from kinesics.lab import checkpoint as ck
from kinesics.nn.graphs import Graph, runner
from kinesics.ports.network import load_network
from kinesics.seeds import rng
from kinesics.systems._loading import CARD

# isort: split
import torch

log = logging.getLogger(__name__)

CLOSE = 1e-3
"""Greatest difference allowed between torch and the exported network, in units of the output's spread."""


def export(checkpoint: str | PathLike[str], folder: str | PathLike[str]) -> dict[str, float]:
    """Write a checkpoint's networks as ONNX files, with a card that says what they are.

    Parameters
    ----------
    checkpoint
        The file.
    folder
        Where ``<part>.onnx`` and ``system.json`` go; :func:`kinesics.systems.load_system` reads it.

    Returns
    -------
    dict
        Part → greatest difference from torch, in units of the output's spread.

    Raises
    ------
    DataError
        If an exported network does not do as torch does; the folder is then left as it was.
    """
    found = ck.read(checkpoint)
    _, net = ck.restore(checkpoint)
    folder = Path(folder)
    made, gaps, hashes = {}, {}, {}
    with TemporaryDirectory() as scratch:
        for name, graph in net.graphs().items():
            made[name] = _onnx(graph)
            trial = Path(scratch) / f"{name}.onnx"
            trial.write_bytes(made[name])
            gaps[name] = gap(graph, load_network(trial))
            hashes[name] = hashlib.sha256(made[name]).hexdigest()
            log.info("%s: %.1f MB, differs from torch by %.2g", name, len(made[name]) / 1e6, gaps[name])
            if not gaps[name] <= CLOSE:
                raise DataError(
                    f"{checkpoint}: {name} differs from torch by {gaps[name]:.2g} once exported (at most {CLOSE:g})"
                )
    for name, data in made.items():
        with replacing(folder / f"{name}.onnx") as file:
            file.write(data)
    card = {k: v for k, v in found.meta.items() if k != "training"} | {"graphs": hashes}
    with replacing(folder / CARD) as file:
        file.write(json.dumps(card, indent=1, sort_keys=True).encode())
    return gaps


def _onnx(graph: Graph) -> bytes:
    names = list(inspect.signature(graph.module.forward).parameters)
    if names != list(graph.inputs):
        raise DataError(f"graph inputs {list(graph.inputs)} are not the module's {names}")
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # By tracing: the newer exporter needs two more libraries and ten times as long for the same networks.
        torch.onnx.export(
            graph.module.eval(),
            tuple(graph.inputs.values()),
            out,
            input_names=names,
            output_names=list(graph.outputs),
            dynamic_axes={name: dict(axes) for name, axes in graph.dynamic.items()},
            opset_version=18,
            dynamo=False,
        )
    return out.getvalue()


def gap(graph: Graph, exported: Any) -> float:
    """Greatest difference between torch and an exported network on random inputs, in units of the output's spread."""
    worst = 0.0
    for trial in range(2):
        stream = rng(trial, "parity")
        inputs = {}
        for name, example in graph.inputs.items():
            shape = list(example.shape)
            for axis in graph.dynamic.get(name, {}):
                shape[axis] *= trial + 1
            values = (
                stream.standard_normal(shape) if example.is_floating_point() else stream.integers(0, 1, shape)
            )
            inputs[name] = values.astype(example.numpy().dtype)
        wanted, found = runner(graph)(**inputs), exported(**inputs)
        for name, values in wanted.items():
            spread = max(float(values.std()), 1e-6)
            worst = max(worst, float(np.abs(values - found[name]).max()) / spread)
    return worst
