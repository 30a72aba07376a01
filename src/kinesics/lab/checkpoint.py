"""Checkpoints: tensors in a safetensors file, and beside them, in its header, what they are.

No checkpoint is ever unpickled. The header's ``kinesics`` entry is JSON: the system, its revision and
configuration, the stage, basis, joints and frame rate, the hash of the corpus, the seed, the version of the code,
the number of updates and the losses. Normalisation is among the tensors, as the network's own buffers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from kinesics.errors import DataError, FormatError
from kinesics.files import replacing
from kinesics.lab import _torch  # noqa: F401
from kinesics.systems import System, find

# isort: split
import safetensors
import torch
from safetensors.torch import save as _to_bytes
from torch import Tensor, nn

_KEY = "kinesics"


@dataclass(frozen=True)
class Checkpoint:
    """A file's tensors and what they are.

    Parameters
    ----------
    path
        The file.
    meta
        See the module's text.
    tensors
        By name.
    """

    path: Path
    meta: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def system(self) -> System:
        """The system it is of, with its configuration.

        Raises
        ------
        DataError
            If there is no such system, or it has another revision or other settings by now.
        """
        kind = find(self.meta["system"])
        if self.meta["revision"] != kind.revision:
            raise DataError(
                f"{self.path}: {kind.name} of revision {self.meta['revision']} (kinesics {self.meta['version']}), "
                f"but this version has {kind.revision}; train it again"
            )
        return kind(kind.config_type.of_dict(self.meta["config"]))


def write(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Raises
    ------
    DataError
        If the disk does not take it; what was at ``path`` is untouched.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    data = _to_bytes(plain, {_KEY: json.dumps(meta, sort_keys=True)})
    with replacing(path) as file:
        file.write(data)


def read(path: str | PathLike[str]) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    FormatError
        If there is none, it is cut off or damaged, or it is not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise FormatError(path, "path", "a checkpoint, found nothing", "check the path")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:120]
        raise FormatError(path, "content", f"a whole safetensors file ({reason})", "copy it again") from error
    if told is None:
        raise FormatError(path, "header", f"an entry {_KEY!r}", "it is not a checkpoint of kinesics")
    try:
        meta = json.loads(told)
        names = ("system", "revision", "config", "stage", "version", "step")
        missing = [n for n in names if n not in meta]
    except (ValueError, TypeError) as error:
        raise FormatError(path, "header", "JSON", "copy it again") from error
    if missing:
        raise FormatError(path, "header", f"{missing[0]!r}", "it was written by another version")
    return Checkpoint(path, meta, tensors)


def restore(path: str | PathLike[str], *, expect: type[System] | None = None) -> tuple[System, nn.Module]:
    """The system of a checkpoint and its network, ready to run.

    Parameters
    ----------
    path
        The file.
    expect
        The system it must be of.

    Raises
    ------
    FormatError, DataError
        If it cannot be read, or is of another system or revision.
    """
    found = read(path)
    if expect is not None and found.meta["system"] != expect.name:
        raise DataError(f"{path}: a checkpoint of {found.meta['system']}, not of {expect.name}")
    system = found.system()
    net = system.network()
    load(net, found)
    return system, net.eval()


def load(net: nn.Module, found: Checkpoint) -> None:
    """Put a checkpoint's tensors into a network of the same shapes."""
    try:
        net.load_state_dict(dict(found.tensors))
    except RuntimeError as error:
        line = " ".join(str(error).split())[:160]
        raise DataError(
            f"{found.path}: its tensors do not fit the configuration in its header ({line})"
        ) from error


def state(net: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """A network's tensors by name."""
    return {prefix + name: tensor for name, tensor in net.state_dict().items()}


def device_of(name: str) -> torch.device:
    """``"auto"``: the GPU if there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise DataError(f"device {name!r}; expected auto, cpu, cuda or cuda:1") from error
