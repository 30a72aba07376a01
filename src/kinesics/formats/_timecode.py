"""SMPTE timecode: labels such as ``18:43:59:00.724`` to places in frames, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError

_CODE = re.compile(r"(\d{1,2}):([0-5]?\d):([0-5]?\d)([:;.])(\d{1,3})(?:\.(\d{1,9}))?", re.ASCII)
_BASES = (24, 25, 30, 48, 50, 60, 100, 120, 240)
DAY = 86_400


def split(label: str) -> tuple[int, int, float, bool] | None:
    """``(seconds of the day, minutes of the day, frame with its fraction, drop frame)``, or None if it is none."""
    found = _CODE.fullmatch(label)
    if found is None or int(found[1]) > 23:
        return None
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3])
    frame = int(found[5]) + (float(f"0.{found[6]}") if found[6] else 0.0)
    total = 60 * hours + minutes
    return 60 * total + seconds, total, frame, found[4] == ";" or ";" in label


def base_of(parts: Sequence[tuple[int, int, float, bool]]) -> int:
    """Frames that the labels count in a second, from where they turn over.

    60 when no second turns over, as then nothing tells.
    """
    top = int(max(p[2] for p in parts))
    turns = any(a[0] != b[0] for a, b in pairwise(parts))
    least = top if turns else max(top, 59)
    # A second that lost its last frames must not make 29 of 30.
    return next((b for b in _BASES if b > least), 240)


def frames(parts: Sequence[tuple[int, int, float, bool]], base: int) -> tuple[NDArray[np.float64], Fraction]:
    """(T,) places in frames since midnight, going on over midnight, and the exact frames per second.

    Drop-frame labels leave out 2 (of 30) or 4 (of 60) numbers a minute, but in every tenth, and run
    1000/1001 slower.
    """
    seconds = np.array([p[0] for p in parts], dtype=np.float64)
    minutes = np.array([p[1] for p in parts], dtype=np.int64)
    places = seconds * base + np.array([p[2] for p in parts])
    rate = Fraction(base)
    if any(p[3] for p in parts) and base % 30 == 0:
        places -= base // 15 * (minutes - minutes // 10)
        rate = Fraction(base * 1000, 1001)
    day = DAY * float(rate)
    jumps = np.diff(places, prepend=places[:1])
    return places + day * np.cumsum(jumps < -day / 2), rate


def label(frame: float, base: int) -> str:
    """The label of a place in frames since midnight, with thousandths of a frame."""
    thousandths = round(frame * 1000) % (DAY * base * 1000)
    whole, part = divmod(thousandths, 1000)
    seconds, number = divmod(whole, base)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{number:02d}.{part:03d}"


def parse(text: str, base: int) -> float:
    """A label as a place in frames since midnight; a DataError tells what is wrong with it."""
    parts = split(text.strip())
    if parts is None or parts[2] >= base:
        raise DataError(f"timecode {text!r:.40}: expected HH:MM:SS:FF.mmm with frames below {base}")
    return parts[0] * base + parts[2]
