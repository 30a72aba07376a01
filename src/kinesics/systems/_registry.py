"""Which systems there are; each is imported when it is first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from kinesics.errors import choose
from kinesics.systems._system import System

_SYSTEMS: dict[str, str] = {
    "camn": "gesture",
    "emote": "face",
    "expllm": "read",
    "facejudge": "read",
    "gesturelsm": "gesture",
    "lipjudge": "read",
    "livelyspeaker": "gesture",
    "spectre": "read",
}
"""Name → task: the folder ``systems/<task>/<name>``, whose ``spec.py`` ends in ``SYSTEM``."""


@cache
def find(name: str) -> type[System]:
    """The system of that name; a DataError lists the names when there is none."""
    choose("system", name, names())
    return import_module(f"kinesics.systems.{_SYSTEMS[name]}.{name}.spec").SYSTEM


def names() -> tuple[str, ...]:
    """Names of all systems."""
    return tuple(sorted(_SYSTEMS))


def available(task: str | None = None) -> tuple[type[System], ...]:
    """All systems, or those of one task, by name.

    >>> [system.name for system in available("gesture")]
    ['camn', 'gesturelsm', 'livelyspeaker']
    """
    if task is not None:
        choose("task", task, sorted({*_SYSTEMS.values()}))
    return tuple(find(name) for name in names() if task in (None, _SYSTEMS[name]))
