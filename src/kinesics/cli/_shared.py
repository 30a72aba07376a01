"""What several commands need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from kinesics.errors import DataError

Many = tyro.conf.UseAppendAction[tuple[str, ...]]
Words = Annotated[str, tyro.conf.Positional]


def options_of(pairs: Sequence[str]) -> dict[str, object]:
    out: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise DataError(f"option {pair!r}: expected name=value, for instance unit=cm")
        plain = {"true": True, "false": False, "none": None}.get(value.lower(), value)
        if isinstance(plain, str) and plain.lstrip("+-").replace(".", "", 1).isdecimal():
            plain = float(plain) if "." in plain else int(plain)
        out[name.replace("-", "_")] = plain
    return out


def size_of(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
