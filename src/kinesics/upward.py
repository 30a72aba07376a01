"""The one allowed upward call: what saving and viewing need from the rooms above.

The package root fills the table with functions that import their room when called, so that the
ground floor never imports upwards.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

calls: dict[str, Callable[..., Any]] = {}


def lend(name: str, module: str, function: str) -> None:
    """Let ``name`` mean ``module.function``, imported on the first call."""

    def call(*args: Any, **options: Any) -> Any:
        return getattr(import_module(module), function)(*args, **options)

    calls[name] = call
