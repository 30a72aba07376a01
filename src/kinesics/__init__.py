"""Kinesics: the nonverbal half of human communication, in both directions.

>>> import kinesics as kn
>>> show = kn.perform("Hello!", emotion="happy", seed=3)  # doctest: +SKIP
>>> show.save("hello.glb")  # doctest: +SKIP
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from kinesics import upward as _upward

__version__ = "0.1.0.dev0"

_HOME = {
    "Audio": "performance",
    "Avatar": "bodies.avatar",
    "Behaviour": "performance",
    "Controls": "behaviour.controls",
    "DataError": "errors",
    "Face": "performance",
    "FormatError": "errors",
    "Interval": "performance",
    "KinesicsError": "errors",
    "MissingExtra": "errors",
    "Motion": "performance",
    "Performance": "performance",
    "Performer": "behaviour.performer",
    "Plan": "performance",
    "PlanError": "errors",
    "Points": "performance",
    "Scene": "performance",
    "Signal": "performance",
    "Tier": "performance",
    "Video": "performance",
    "avatars": "bodies.avatar",
    "convert": "formats",
    "film": "render",
    "load": "formats",
    "load_avatar": "bodies.avatar",
    "perform": "behaviour.perform",
    "read": "reading.read",
    "retarget": "bodies.retarget",
    "save": "formats",
    "speak": "hear",
    "view": "studio",
    "voices": "hear",
}
"""Public name → the room it lives in; rooms are imported when a name is first used."""

__all__ = sorted(_HOME)

_upward.lend("save", "kinesics.formats", "save")
_upward.lend("film", "kinesics.render", "film")
_upward.lend("table", "kinesics.formats.table", "columns")
_upward.lend("view", "kinesics.studio", "view")
_upward.lend("report", "kinesics.reading.report", "write")
_upward.lend("overlay", "kinesics.reading.overlay", "overlay")


def __getattr__(name: str) -> _Any:
    if name not in _HOME:
        raise AttributeError(f"module 'kinesics' has no attribute {name!r}")
    value = getattr(_import_module(f"kinesics.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
