"""Reading BVH: the hierarchy by hand, the frames by numpy's C parser, in blocks."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import FormatError
from kinesics.formats._encode import MAX_NUMBER
from kinesics.geometry import rotations as rot

log = logging.getLogger(__name__)

MAX_JOINTS = 10_000
MAX_LINE = 1 << 22
_BLOCK = 2048
_COMMON_RATES = (24, 25, 30, 50, 60, 90, 100, 120, 240)


@dataclass
class Joint:
    """One joint of the hierarchy; lengths in the file's unit."""

    name: str
    parent: int
    line: int
    offset: tuple[float, float, float] | None = None
    end_site: tuple[float, float, float] | None = None
    position: dict[int, int] = field(default_factory=dict)
    order: str = ""
    columns: list[int] = field(default_factory=list)


@dataclass
class Tree:
    """What stands before MOTION."""

    joints: list[Joint]
    channels: int


@dataclass
class Frames:
    """What stands after it: local rotations (T, J, 4), the root's and other joints' positions (T, 3)."""

    rotations: NDArray[np.float32]
    positions: dict[int, NDArray[np.float64]]
    fps: Fraction


class Lines:
    """Lines of text with their numbers; anything longer than ``MAX_LINE`` is no BVH."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.number = path, 0
        start = file.read(4)
        file.seek(0)
        utf16 = start[:2] in (b"\xff\xfe", b"\xfe\xff")
        self._text = io.TextIOWrapper(
            file, encoding="utf-16" if utf16 else "utf-8-sig", errors="surrogateescape"
        )

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        while True:
            try:
                line = self._text.readline(MAX_LINE)
            except UnicodeError as error:
                raise self.wrong("text", "save the file as UTF-8") from error
            if not line:
                raise StopIteration
            self.number += 1
            if len(line) >= MAX_LINE:
                raise self.wrong(f"lines shorter than {MAX_LINE} characters", "check that this is a BVH file")
            if not line.isspace():
                return line.strip()

    def wrong(self, expected: str, fix: str, *, line: int | None = None) -> FormatError:
        return FormatError(self.path, f"line {line or max(self.number, 1)}", expected, fix)


def read_tree(lines: Lines) -> Tree:
    """Parse HIERARCHY up to and including the line MOTION."""
    first = next(lines, "")
    if first.upper() != "HIERARCHY":
        raise lines.wrong("HIERARCHY", "check that this is a BVH file")
    joints: list[Joint] = []
    taken: dict[str, int] = {}  # names, and how often each came up
    stack: list[int] = []  # open joints; -1 stands for an open End Site
    opened: int | None = None  # what the next "{" opens
    channels = 0
    for line in lines:
        words = line.split()
        key = words[0].upper()
        if opened is not None and key != "{":
            raise lines.wrong("{", "every ROOT, JOINT and End Site is followed by a block in braces")
        if key == "{":
            if opened is None:
                raise lines.wrong("a ROOT, JOINT or End Site before {", "remove the brace")
            stack.append(opened)
            opened = None
        elif key == "}":
            if not stack:
                raise lines.wrong("fewer closing braces", "remove the brace")
            stack.pop()
        elif key in ("ROOT", "JOINT"):
            name, brace = _name(line, words[0])
            opened = _open_joint(lines, joints, taken, stack, name, root=key == "ROOT")
            if brace:
                stack.append(opened)
                opened = None
        elif key == "END":
            if not stack or stack[-1] < 0:
                raise lines.wrong("End Site within a joint", "move it into a joint's block")
            joints[stack[-1]].end_site = (0.0, 0.0, 0.0)
            opened = -1
            if line.endswith("{"):
                stack.append(opened)
                opened = None
        elif key == "OFFSET":
            values = _numbers(lines, words[1:], 3, "OFFSET and three numbers")
            if not stack:
                raise lines.wrong("OFFSET within a joint", "move it into a joint's block")
            if stack[-1] >= 0:
                joints[stack[-1]].offset = (values[0], values[1], values[2])
            else:
                joints[next(j for j in reversed(stack) if j >= 0)].end_site = (
                    values[0],
                    values[1],
                    values[2],
                )
        elif key == "CHANNELS":
            if not stack or stack[-1] < 0:
                raise lines.wrong("CHANNELS within a joint", "move it into a joint's block")
            channels = _read_channels(lines, joints[stack[-1]], words[1:], channels)
        elif key == "MOTION":
            if stack or not joints:
                raise lines.wrong("a closed hierarchy before MOTION", "check the braces")
            for joint in joints:
                if joint.offset is None:
                    raise lines.wrong(
                        f"OFFSET for joint {joint.name!r}", "add it to the joint's block", line=joint.line
                    )
            return Tree(joints, channels)
        else:
            raise lines.wrong(
                "ROOT, JOINT, End Site, OFFSET, CHANNELS, braces or MOTION",
                f"found {words[0][:40]!r}; check the hierarchy",
            )
    raise lines.wrong("MOTION, found the end of the file", "the file is cut off; copy it again")


def _name(line: str, key: str) -> tuple[str, bool]:
    rest = line[len(key) :].strip()
    brace = rest.endswith("{")
    # Names in other encodings than UTF-8 are kept letter for letter as Latin-1.
    name = rest.rstrip("{").strip()
    if any("\udc80" <= c <= "\udcff" for c in name):
        name = name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name, brace


def _open_joint(
    lines: Lines, joints: list[Joint], taken: dict[str, int], stack: list[int], name: str, *, root: bool
) -> int:
    if root and joints:
        raise lines.wrong("a single ROOT", "split the file: each skeleton goes into a file of its own")
    if not root and (not stack or stack[-1] < 0):
        raise lines.wrong("JOINT within another joint", "check the braces")
    if len(joints) >= MAX_JOINTS:
        raise lines.wrong(f"at most {MAX_JOINTS} joints", "check that this is a BVH file")
    name = unique = name or f"joint{len(joints)}"
    while unique in taken:
        taken[name] = taken.get(name, 1) + 1
        unique = f"{name}_{taken[name]}"
    taken.setdefault(unique, 1)
    if unique != name:
        log.warning("%s: line %d: joint name %r repeats; read as %r", lines.path, lines.number, name, unique)
    joints.append(Joint(unique, stack[-1] if stack else -1, lines.number))
    return len(joints) - 1


def _read_channels(lines: Lines, joint: Joint, words: list[str], channels: int) -> int:
    count = words[0] if words else ""
    if not count.isascii() or not count.isdigit() or len(count) > 2 or int(count) != len(words) - 1:
        raise lines.wrong("CHANNELS, their number and as many names", "make the number and the names agree")
    if joint.columns or joint.position:
        raise lines.wrong("one CHANNELS line per joint", "remove the second one")
    for word in words[1:]:
        axis, kind = "XYZ".find(word[:1].upper()), word[1:].lower()
        if axis < 0 or kind not in ("position", "rotation"):
            raise lines.wrong("Xposition … Zrotation", f"channel {word[:40]!r} is none of the six")
        if kind == "position":
            joint.position[axis] = channels
        else:
            joint.order += "XYZ"[axis]
            joint.columns.append(channels)
        channels += 1
    return channels


def _numbers(lines: Lines, words: list[str], count: int, expected: str) -> list[float]:
    try:
        values = [float(w) for w in words]
    except ValueError as error:
        raise lines.wrong(expected, "use a point in numbers, not a comma") from error
    if len(values) != count or not all(abs(v) <= MAX_NUMBER for v in values):
        raise lines.wrong(expected, "mend this line")
    return values


def read_frames(lines: Lines, tree: Tree, remaining: int) -> Frames:
    """Parse everything after MOTION.

    Parameters
    ----------
    remaining
        Bytes of the whole file: no more frames are believed than these can hold.
    """
    line = next(lines, "")
    key, _, value = line.partition(":")
    value = value.strip()
    if key.strip().lower() != "frames" or not value.isascii() or not value.isdigit() or len(value) > 15:
        raise lines.wrong("'Frames:' and a whole number", "mend this line")
    count = int(value)
    line = next(lines, "")
    key, _, value = line.partition(":")
    if " ".join(key.lower().split()) != "frame time":
        raise lines.wrong("'Frame Time:' and seconds", "mend this line")
    fps = _rate(lines, value.strip())
    if tree.channels == 0 and count:
        raise lines.wrong("at least one channel", "the hierarchy has no CHANNELS")
    if count * max(2 * tree.channels, 1) > remaining + 1:
        raise lines.wrong(
            f"{count} frames of {tree.channels} numbers",
            "the file is too short for that: it is cut off; copy it again",
        )
    rotations = np.empty((count, len(tree.joints), 4), dtype=np.float32)
    positions = {i: np.empty((count, 3)) for i, j in enumerate(tree.joints) if j.position}
    done = 0
    while done < count:
        block = _block(lines, tree.channels, min(_BLOCK, count - done))
        _store(tree, block, rotations[done : done + len(block)], positions, done)
        done += len(block)
        if len(block) == 0:
            raise lines.wrong(
                f"{count} frames, found {done}", "the file is cut off; copy it again or mend 'Frames:'"
            )
    if next(lines, None) is not None:
        log.warning(
            "%s: line %d: more frames than the %d announced; the rest is not read",
            lines.path,
            lines.number,
            count,
        )
    return Frames(rotations, positions, fps)


def _block(lines: Lines, channels: int, count: int) -> NDArray[np.float64]:
    text, numbers = [], []
    for line in islice(lines, count):
        text.append(line)
        numbers.append(lines.number)
    if not text:
        return np.empty((0, channels))
    try:
        block = np.loadtxt(text, ndmin=2, comments=None)
        if block.shape == (len(text), channels) and (np.abs(block) <= MAX_NUMBER).all():
            return block
    except (ValueError, OverflowError):
        pass
    for line, number in zip(text, numbers, strict=True):
        words = line.split()
        for k, word in enumerate(words[:channels], 1):
            try:
                good = abs(float(word)) <= MAX_NUMBER and "_" not in word
            except ValueError:
                good = False
            if not good:
                raise lines.wrong(
                    f"a number in column {k}, found {word[:40]!r}", "mend or cut this frame", line=number
                )
        if len(words) != channels:
            raise lines.wrong(
                f"{channels} numbers, found {len(words)}",
                "a line holds one frame; the file may be cut off",
                line=number,
            )
    raise lines.wrong(f"{channels} numbers a line", "mend these frames")  # pragma: no cover


def _store(
    tree: Tree,
    block: NDArray[np.float64],
    rotations: NDArray[np.float32],
    positions: dict[int, NDArray[np.float64]],
    first: int,
) -> None:
    by_order: dict[str, list[int]] = {}
    for i, joint in enumerate(tree.joints):
        by_order.setdefault(joint.order, []).append(i)
    for order, joints in by_order.items():
        if not order:
            rotations[:, joints] = rot.IDENTITY
            continue
        columns = np.array([tree.joints[j].columns for j in joints])
        degrees = block[:, columns]
        # Whole turns go before the rounding to float32, which then costs 0.00001° at most.
        degrees -= 360 * np.round(degrees / 360)
        rotations[:, joints] = _euler(np.deg2rad(degrees.astype(np.float32)), order)
    for i, out in positions.items():
        joint = tree.joints[i]
        out[first : first + len(block)] = joint.offset
        for axis, column in joint.position.items():
            out[first : first + len(block), axis] = block[:, column]


def _euler(angles: NDArray[np.float32], order: str) -> NDArray[np.float32]:
    if len(set(order)) == 3 == len(order):
        return rot.from_euler(angles, order)
    # One, two or repeated axes: rare, but the channel order in the file is the law.
    out = np.broadcast_to(rot.IDENTITY, (*angles.shape[:-1], 4))
    for k, axis in enumerate(order):
        out = rot.multiply(
            out, rot.from_axis_angle(np.eye(3, dtype=np.float32)["XYZ".index(axis)], angles[..., k])
        )
    return out


def _rate(lines: Lines, text: str) -> Fraction:
    try:
        seconds = float(text)
    except ValueError as error:
        raise lines.wrong("seconds after 'Frame Time:'", "mend this line") from error
    if not 1e-6 <= seconds <= 1e6:
        raise lines.wrong("a frame time between 0.000001 and 1,000,000 seconds", "mend this line")
    # Files give 0.00833333 or even 0.0083 and mean 1/120: within one unit of the last digit given,
    # a common rate is meant.
    digits = len(text.lower().partition("e")[0].partition(".")[2]) if "e" not in text.lower() else 9
    slack = 10.0 ** -max(min(digits, 12), 3)
    whole = (*_COMMON_RATES, max(1, round(1 / seconds)))
    for rate in (*map(Fraction, whole), *(Fraction(n * 1000, 1001) for n in whole)):
        if abs(1 / float(rate) - seconds) <= slack:
            return rate
    return 1 / Fraction(str(seconds))
