"""Trained networks: ONNX and TFLite files run by OpenVINO on the CPU.

>>> net = load_network("step.onnx")  # doctest: +SKIP
>>> net(x=noise, t=times)["velocity"]  # doctest: +SKIP
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError, KinesicsError, choose

_LARGEST = 2_000_000_000


class Network:
    """A network that is ready to run; make one with :func:`load_network`.

    Attributes
    ----------
    file
        Name of its file.
    hash
        SHA-256 of the file, hexadecimal.
    inputs, outputs
        Name → (type, shape); None stands for an axis of any length.
    precision
        ``"f32"`` or ``"bf16"``.
    """

    def __init__(self, model: Any, compiled: Any, file: str, digest: str, precision: str) -> None:
        self.file, self.hash, self.precision = file, digest, precision
        # Names of the model as it was read: once compiled, a port carries those of all that was fused into it.
        self.inputs = {port.get_any_name(): _kind(port) for port in model.inputs}
        self.outputs = {port.get_any_name(): _kind(port) for port in model.outputs}
        self._compiled, self._own = compiled, threading.local()

    def __call__(self, **arrays: NDArray) -> dict[str, NDArray]:
        """Run it.

        Parameters
        ----------
        arrays
            One for each input, by name.

        Returns
        -------
        dict
            Name → array, copies of the network's outputs.

        Raises
        ------
        DataError
            If a name, a shape or the number of inputs does not fit.
        """
        if set(arrays) != set(self.inputs):
            wrong = ", ".join(sorted(set(arrays) ^ set(self.inputs)))
            raise DataError(f"{self.file}: inputs {wrong} do not fit; it takes: {', '.join(self.inputs)}")
        ready = []
        for name, (kind, shape) in self.inputs.items():
            array = np.ascontiguousarray(arrays[name], dtype=kind)
            if array.ndim != len(shape) or any(
                w not in (None, n) for w, n in zip(shape, array.shape, strict=True)
            ):
                wanted = ", ".join("any" if n is None else str(n) for n in shape)
                raise DataError(f"{self.file}: {name} has shape {array.shape}; expected ({wanted})")
            ready.append(array)
        # A request runs once at a time: each thread has its own.
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        made = self._own.request.infer(ready)
        # the request's own memory is used again by the next call
        return {name: np.array(made[i]) for i, name in enumerate(self.outputs)}


def load_network(
    path: str | PathLike[str],
    *,
    fast: bool = False,
    threads: int | None = None,
    outputs: Sequence[str] | None = None,
) -> Network:
    """Load an ONNX or TFLite file.

    Parameters
    ----------
    path
        The file.
    fast
        Let the processor compute in bf16 where it can; results then differ from one machine to another.
    threads
        How many; all by default.
    outputs
        Names of those that are wanted: what leads to the others alone is not computed. All by default.

    Raises
    ------
    DataError
        If it has no output of a wanted name.
    FormatError
        If there is no such file, or it is not a network.
    KinesicsError
        If OpenVINO, which the base install brings, is not there.
    """
    path = Path(path)
    if not path.is_file():
        raise FormatError(path, "path", "an ONNX file, found nothing", "check the path")
    if path.stat().st_size > _LARGEST:
        raise FormatError(path, "size", "at most 2 GB", "export it with external data split off")
    data = path.read_bytes()
    try:
        import openvino
    except ImportError as error:
        raise KinesicsError("running a trained network needs OpenVINO: pip install openvino") from error
    precision = "bf16" if fast else "f32"
    # OpenVINO would choose bf16 by itself where the processor has it.
    hints: Mapping[str, Any] = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        # OpenVINO would tie networks of one thread each to the same processor, where they wait for one another.
        "ENABLE_CPU_PINNING": False,
        **({} if threads is None else {"INFERENCE_NUM_THREADS": threads}),
    }
    try:
        core = openvino.Core()
        # TFLite is told by its ending alone, so it cannot be handed over as bytes.
        model = core.read_model(str(path) if path.suffix == ".tflite" else data)
        if outputs is not None:
            model = _part(openvino, model, path.name, outputs)
        compiled = core.compile_model(model, "CPU", dict(hints))
    except DataError:
        raise
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).strip().splitlines()
        raise FormatError(
            path,
            "content",
            "a network in ONNX",
            f"export it again ({reason[-1][:120] if reason else 'no reason given'})",
        ) from error
    return Network(model, compiled, path.name, hashlib.sha256(data).hexdigest(), precision)


def _part(openvino: Any, model: Any, file: str, outputs: Sequence[str]) -> Any:
    """A model without what leads to other outputs alone."""
    made = {port.get_any_name(): port.node for port in model.outputs}
    wanted = [made[choose(f"output of {file}", name, made)] for name in outputs]
    return openvino.Model(wanted, model.get_parameters())


def _kind(port: Any) -> tuple[np.dtype, tuple[int | None, ...]]:
    shape = port.get_partial_shape()
    return np.dtype(port.get_element_type().to_dtype()), tuple(
        n.get_length() if n.is_static else None for n in shape
    )
