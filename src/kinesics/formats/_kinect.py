"""What the Kinect's formats share: its frame made the world's, its clock made even, its tables read."""

from __future__ import annotations

import logging
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.from_joints import LAYOUTS, from_joints
from kinesics.errors import FormatError, KinesicsError
from kinesics.formats._text import text_of
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import fill
from kinesics.performance import Motion, Points

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

TRUST = np.array([0.0, 0.5, 1.0])
"""Confidence of the tracking states: not tracked, inferred, tracked."""

MOST_BYTES = 64_000_000
_LARGEST = 100.0  # metres; the sensor sees 8
_LONGEST_BREAK = 100  # frames made for each frame recorded, at most
_STRAIGHT = 20.0  # degrees: knees and hips bent less belong to a person who stands (ours)
_SOLE = 0.03  # metres from the floor up to the joints that the sensor puts into a foot (ours)
_STEEPEST = 20.0  # degrees that a sensor's tilt is believed (ours)


def rows_of(path: Path, columns: int, separator: str | None) -> Array:
    """A text file of numbers, one row a line, blank lines left out.

    Raises
    ------
    FormatError
        With the line, if one has not ``columns`` numbers or there is no line at all.
    """
    lines = text_of(path, most=MOST_BYTES).split("\n")
    out = []
    for first in range(0, len(lines), 2048):
        cells: list[str] = []
        numbers = []
        for n, line in enumerate(lines[first : first + 2048], start=first + 1):
            if line and not line.isspace():
                row = _cells(line, columns, separator)
                if row is None:
                    raise FormatError(path, f"line {n}", f"{columns} numbers", "mend or remove this line")
                cells += row
                numbers.append(n)
        try:
            block = np.array(cells, dtype=np.float64).reshape(-1, columns)
        except ValueError as error:
            bad = next((k for k, cell in enumerate(cells) if not _is_number(cell)), 0)
            raise FormatError(
                path,
                f"line {numbers[bad // columns]}",
                f"a number, found {cells[bad][:20]!r}",
                "mend this line",
            ) from error
        if not (np.abs(block[:, 0]) < 2**53).all():
            bad = int(np.argmin(np.abs(block[:, 0]) < 2**53))
            raise FormatError(path, f"line {numbers[bad]}", "a time or frame number first", "mend this line")
        out.append(block)
    if not sum(map(len, out)):
        raise FormatError(
            path, "line 1", f"rows of {columns} numbers, found none", "check that this is the right file"
        )
    return np.concatenate(out)


def _cells(line: str, columns: int, separator: str | None) -> list[str] | None:
    # Counted before it is cut up: a line of a million commas costs nothing.
    if separator is not None and line.count(separator) > columns:
        return None
    cells = line.strip().split(separator, columns + 1)
    if len(cells) == columns + 1 and not cells[-1].strip():
        cells.pop()
    return cells if len(cells) == columns else None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def even(path: Path, times: Array, values: Array, trust: Array, fps: Fraction) -> tuple[Array, Array, int]:
    """Frames at even times from frames at any, the last of several at one time.

    Parameters
    ----------
    times
        (T,) seconds, not decreasing.
    values, trust
        (T, N, 3) and (T, N).

    Returns
    -------
    values, trust, breaks
        On the even clock from the first time on; frames farther than three quarters of a frame from any
        recorded one are interpolated with trust 0, and counted.
    """
    if np.any(np.diff(times) < 0):
        at = int(np.argmax(np.diff(times) < 0)) + 1
        raise FormatError(
            path, f"row {at + 1}", "times that do not go back", "sort the rows or cut the file there"
        )
    last = np.append(np.diff(times) > 0, True)
    times, values, trust = times[last], fill(values, trust > 0)[last], trust[last]
    count = round((times[-1] - times[0]) * float(fps)) + 1
    if count > _LONGEST_BREAK * (len(times) + 10):
        raise FormatError(
            path,
            f"times {times[0]:g} to {times[-1]:g} s",
            f"{len(times)} frames without long breaks",
            "cut the file at its breaks",
        )
    at = times[0] + np.arange(count) / float(fps)
    high = np.clip(np.searchsorted(times, at), 1, max(len(times) - 1, 1))
    high = np.minimum(high, len(times) - 1)
    low = np.maximum(high - 1, 0)
    part = np.clip((at - times[low]) / np.maximum(times[high] - times[low], 1e-9), 0, 1)
    nearest = np.where(part < 0.5, low, high)
    away = np.abs(at - times[nearest]) * float(fps)
    broken = away > 0.75
    weight = part[:, None, None]
    return (
        values[low] * (1 - weight) + values[high] * weight,
        np.where(broken[:, None], 0.0, trust[nearest]),
        int(broken.sum()),
    )


def checked(path: Path, values: Array, trust: Array) -> tuple[Array, Array]:
    """Values with what is no place (not finite, all zero, or beyond any room) left out, trust 0 there."""
    with np.errstate(invalid="ignore"):
        good = (np.abs(values) < _LARGEST).all(axis=-1) & (values != 0).any(axis=-1)
    return np.where(good[..., None], values, 0.0), np.where(good, trust, 0.0)


def tracks_of(
    path: Path, values: Array, trust: Array, names: tuple[str, ...], layout: str, fps: Fraction
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tracks ``joints`` and ``body`` of joints in the sensor's frame, and what was found out about the sensor.

    Parameters
    ----------
    values, trust
        (T, N, 3) metres: x to the sensor's left, y up, z away from it; and (T, N).
    """
    world = fill(values, trust > 0) * np.array([-1.0, 1, -1])
    pitch, height = _sensor(world, trust, names, LAYOUTS[layout])
    level = rot.from_axis_angle(np.array([1.0, 0, 0]), math.radians(-pitch))
    world = rot.rotate(level, world) + np.array([0, height, 0])
    about: dict[str, Any] = {"sensor_height": round(height, 4), "sensor_pitch": round(pitch, 2)}
    tracks: dict[str, Any] = {}
    try:
        tracks["joints"] = Points(world, names, fps, confidence=trust)
        posed = from_joints(world, names, fps=float(fps), confidence=trust, layout=layout)
        tracks["body"] = Motion(posed.skeleton, posed.rotations, posed.root, fps)
    except KinesicsError as error:
        if "joints" not in tracks:
            raise FormatError(path, "joints", "places of joints", str(error)) from error
        about["body"] = f"left out: {error}"
        log.warning("%s: no body: %s", path, error)
    return tracks, about


def _sensor(world: Array, trust: Array, names: tuple[str, ...], table: dict[str, str]) -> tuple[float, float]:
    """Pitch (degrees, > 0 where people seem to lean towards the sensor) and height (metres above the floor)."""

    def at(joint: str) -> Array:
        return world[:, names.index(table[joint])]

    def angle(a: Array, b: Array) -> Array:
        return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))

    legs = [f"{s}{b}" for s in ("left", "right") for b in ("UpperLeg", "LowerLeg", "Foot")]
    seen = np.min([trust[:, names.index(table[j])] for j in ("neck", *legs)], axis=0) == 1
    ankles = 0.5 * (at("leftFoot") + at("rightFoot"))
    middle = 0.5 * (at("leftUpperLeg") + at("rightUpperLeg"))
    bent = [
        angle(at(f"{s}UpperLeg") - at(f"{s}LowerLeg"), at(f"{s}LowerLeg") - at(f"{s}Foot"))
        for s in ("left", "right")
    ]
    bent.append(angle(at("neck") - middle, middle - ankles))
    standing = seen & (np.max(bent, axis=0) < _STRAIGHT)
    pitch = 0.0
    if standing.sum() >= 5:
        axis = (at("neck") - ankles)[standing]
        pitch = float(np.degrees(np.median(np.arctan2(axis[:, 2], axis[:, 1]))))
    if abs(pitch) > _STEEPEST:
        pitch = 0.0
    level = rot.from_axis_angle(np.array([1.0, 0, 0]), math.radians(-pitch))
    feet = [names.index(table[j]) for j in ("leftFoot", "rightFoot", "leftToes", "rightToes")]
    columns = feet if trust[:, feet].any() else list(range(len(names)))
    heights = np.where(trust[:, columns] > 0, rot.rotate(level, world[:, columns])[..., 1], np.inf).min(
        axis=1
    )
    heights = heights[np.isfinite(heights)]
    return pitch, float(_SOLE - np.percentile(heights, 10)) if len(heights) else 0.0
