"""The header of a ``.pose`` file and the sizes that follow from it, checked before the library is given the file."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

from kinesics.errors import FormatError

MOST_BYTES = 1_000_000_000
_POINTS_MOST = 100_000


@dataclass(frozen=True)
class Layout:
    """What a header announces: version, and (points, dimensions) of each component."""

    version: float
    components: tuple[tuple[int, int], ...]
    frames: int
    people: int


class _Cursor:
    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data, self.at = path, data, 0

    def wrong(self, expected: str) -> FormatError:
        return FormatError(self.path, f"byte {self.at}", expected, "the file is damaged; get it again")

    def take(self, form: str) -> tuple[float, ...]:
        size = struct.calcsize(form)
        if self.at + size > len(self.data):
            raise self.wrong(f"{size} more bytes, found the end")
        out = struct.unpack_from(form, self.data, self.at)
        self.at += size
        return out

    def skip(self, count: int) -> None:
        if self.at + count > len(self.data):
            raise self.wrong(f"{count} more bytes, found {len(self.data) - self.at}")
        self.at += count

    def text(self) -> str:
        (length,) = self.take("<H")
        begin = self.at
        self.skip(int(length))
        try:
            return self.data[begin : self.at].decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.wrong("a name in UTF-8") from error


def layout_of(path: Path, data: bytes) -> Layout:
    """Walk through a file without making anything of it.

    Raises
    ------
    FormatError
        With the byte, where a count does not fit what is in the file, or the version is none of 0.0, 0.1 and 0.2.
    """
    cursor = _Cursor(path, data)
    (version,) = cursor.take("<f")
    if not math.isfinite(version) or round(version, 3) not in (0.0, 0.1, 0.2) or (version and version < 0.05):
        raise cursor.wrong(f"a pose file of version 0.0, 0.1 or 0.2, found {version:.4g}")
    cursor.take("<HHH")
    (count,) = cursor.take("<H")
    components = []
    for _ in range(int(count)):
        name, form = cursor.text(), cursor.text()
        if form not in ("XYC", "XYZC"):
            raise cursor.wrong(f"the format XYC or XYZC of {name[:40]!r}, found {form[:20]!r}")
        points, limbs, colors = (int(n) for n in cursor.take("<HHH"))
        for _ in range(points):
            cursor.text()
        cursor.skip(4 * limbs + 6 * colors)
        components.append((points, len(form) - 1))
    total = sum(n for n, _ in components)
    if not 1 <= total <= _POINTS_MOST:
        raise cursor.wrong(f"1 to {_POINTS_MOST} points, found {total}")
    if round(version, 3) == 0.0:
        frames, people = _first_version(cursor, components)
    else:
        frames, people = _later_versions(cursor, version, total, max(d for _, d in components))
    return Layout(round(version, 3), tuple(components), frames, people)


def _later_versions(cursor: _Cursor, version: float, points: int, dims: int) -> tuple[int, int]:
    if round(version, 3) == 0.1:
        cursor.take("<HH")
        frames = None
    else:
        cursor.take("<f")
        frames = int(cursor.take("<I")[0])
    (people,) = (int(n) for n in cursor.take("<H"))
    left, each = len(cursor.data) - cursor.at, 4 * people * points * (dims + 1)
    if people == 0:
        raise cursor.wrong("at least one person, found none")
    # Version 0.1 counts frames in 16 bits, too few for some of its files: the size tells.
    if frames is None:
        frames = left // each
    if left != frames * each:
        raise cursor.wrong(f"{frames} frames of {each} bytes, found {left}")
    return frames, people


def _first_version(cursor: _Cursor, components: list[tuple[int, int]]) -> tuple[int, int]:
    if len({dims for _, dims in components}) != 1:
        raise cursor.wrong("components of one format")
    _, frames = (int(n) for n in cursor.take("<HH"))
    each = 2 + sum(4 * points * (dims + 1) for points, dims in components)
    most = 0
    for _ in range(frames):
        (people,) = (int(n) for n in cursor.take("<H"))
        cursor.skip(people * each)
        most = max(most, people)
    if cursor.at != len(cursor.data):
        raise cursor.wrong(f"the end after {frames} frames, found {len(cursor.data) - cursor.at} more bytes")
    if not frames:
        raise cursor.wrong("at least one frame")
    return frames, max(most, 1)
