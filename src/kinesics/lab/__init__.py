"""Where systems are trained, exported, evaluated, and their claims tested. Needs the extra ``lab`` (torch).

One loop trains them all (:func:`fit`), on anything with the few methods of a :class:`Corpus`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Arrays": "corpus",
    "Checkpoint": "checkpoint",
    "Corpus": "corpus",
    "Fitted": "fitting",
    "evaluate": "evaluating",
    "export": "exporting",
    "fit": "fitting",
    "networks": "evaluating",
    "restore": "checkpoint",
}
"""Public name → its module; torch is imported when a name is first used."""

__all__ = sorted(_HOME, key=lambda name: (not name[0].isupper(), name))


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'kinesics.lab' has no attribute {name!r}")
    return getattr(import_module(f"kinesics.lab.{_HOME[name]}"), name)
