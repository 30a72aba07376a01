"""Measures of performances: one module per task, each with its spec in its docstring.

The functions in the task modules take arrays and nothing else. :func:`measure` takes performances,
files or folders and looks the metric up by name; :func:`available` lists what there is, with direction,
unit and paper.

>>> from kinesics import metrics
>>> [f"{m.name} {m.arrow}" for m in metrics.available("gesture")][:3]
['FGD ↓', 'L1div ↑', 'SRGR ↑']
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Extractor", "Metric", "Score", "available", "find", "measure"]

_HOMES = {
    "Extractor": "_registry",
    "Metric": "_registry",
    "Score": "_registry",
    "available": "_registry",
    "find": "_registry",
    "measure": "_measure",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"kinesics.metrics.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kinesics.metrics' has no attribute {name!r}")
