"""A system with its exported networks, from a folder that ``kinesics.lab.export`` wrote."""

from __future__ import annotations

import json
from importlib import resources
from os import PathLike
from pathlib import Path

from kinesics.errors import DataError, FormatError
from kinesics.ports.network import load_network
from kinesics.systems._registry import find, names
from kinesics.systems._system import Networks, System

CARD = "system.json"
"""What the folder holds beside its networks: who they are, and the hash of each."""


def shipped_folder(name: str) -> Path:
    """Where the networks of a system that ship with Kinesics are, or would be."""
    return Path(str(resources.files(find(name).__module__.rpartition(".")[0]) / "shipped"))


def ships(name: str) -> bool:
    """Whether networks of a system ship with Kinesics."""
    return (shipped_folder(name) / CARD).is_file()


def load_system(folder: str | PathLike[str], *, fast: bool = False) -> tuple[System, Networks]:
    """Load an exported system.

    Parameters
    ----------
    folder
        With ``system.json`` and the networks it names; or the name of a system, for the networks that ship with it.
    fast
        See :func:`~kinesics.ports.network.load_network`.

    Returns
    -------
    system, networks
        Ready for ``system.perform(performance, networks)``.

    Raises
    ------
    FormatError
        If the folder is no exported system, a network is missing or is not the one that was exported.
    DataError
        If the system is of another revision than this version of Kinesics has.
    """
    if isinstance(folder, str) and folder in names():
        if not ships(folder):
            raise DataError(
                f"no networks of {folder} are shipped; train and export them, and give the folder"
            )
        folder = shipped_folder(folder)
    folder = Path(folder)
    card = folder / CARD
    if not card.is_file():
        raise FormatError(
            folder, CARD, "the folder of an exported system", "export it with kinesics.lab.export"
        )
    try:
        told = json.loads(card.read_text(encoding="utf-8"))
        name, revision, config = told["system"], told["revision"], dict(told["config"])
        graphs = {str(k): str(v) for k, v in dict(told["graphs"]).items()}
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise FormatError(
            card, "content", "JSON with system, revision, config, graphs", "export it again"
        ) from error
    kind = find(name)
    if revision != kind.revision:
        raise DataError(
            f"{folder}: {name} of revision {revision}, but this version has {kind.revision}; train and export it again"
        )
    networks = {}
    for part, digest in graphs.items():
        if not part.isidentifier():
            raise FormatError(card, "graphs", "plain names", "export it again")
        networks[part] = load_network(folder / f"{part}.onnx", fast=fast)
        if networks[part].hash != digest:
            raise FormatError(
                folder / f"{part}.onnx", "hash", digest[:12], "it is not the network that was exported"
            )
    return kind(kind.config_type.of_dict(config)), networks
