"""Signals as intervals, for formats that hold labels alone: where somebody looks, how the head is held, what the face does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinesics.performance import Interval, Performance, Signal, Tier

DIRECTIONS = ("ahead", "left", "right", "up", "down")
"""Labels of directions, seen from the person: ``left`` is the person's own left."""

# All ours. Eyes that meet a camera are measured with some degrees of error; heads are held askew by more.
_CONE = {"gaze": (10.0, 10.0), "head": (15.0, 12.0)}  # degrees of yaw and pitch that count as ahead
_ACTIVE = 0.2  # FACS intensity A ends near a fifth of the range
_SURE = 0.5
_SHORTEST = 0.1  # seconds


def summaries(performance: Performance) -> dict[str, Tier]:
    """Tiers that tell what signals of a face that was read do.

    Parameters
    ----------
    performance
        With any of the signals ``gaze`` and ``head`` (``yaw`` and ``pitch`` in degrees) and ``action_units``.

    Returns
    -------
    dict
        ``gaze_direction`` and ``head_direction`` (one of :data:`DIRECTIONS`; the value is the angle in degrees) and
        ``active_units`` (FACS notation such as ``AU06+AU12``; the value is the mean intensity), each where its
        signal is. Frames below a confidence of 0.5 and runs shorter than 0.1 s are left out.

    Examples
    --------
    >>> gaze = Signal(np.array([[20.0, 0]] * 30 + [[0, 2]] * 30), ("yaw", "pitch"), ("deg", "deg"), 30)
    >>> [(i.label, i.start, i.end) for i in summaries(Performance({"gaze": gaze}))["gaze_direction"]]
    [('left', 0.0, 1.0), ('ahead', 1.0, 2.0)]
    """
    out = {}
    for name, cone in _CONE.items():
        signal = performance.get(name)
        if isinstance(signal, Signal) and {"yaw", "pitch"} <= set(signal.names) and len(signal):
            out[f"{name}_direction"] = _direction(f"{name}_direction", signal, cone)
    units = performance.get("action_units")
    if isinstance(units, Signal) and len(units):
        out["active_units"] = _active(units)
    return {name: tier for name, tier in out.items() if len(tier)}


def _direction(name: str, signal: Signal, cone: tuple[float, float]) -> Tier:
    yaw, pitch = signal.column("yaw"), signal.column("pitch")
    part = np.stack([yaw / cone[0], pitch / cone[1]])
    sideways = np.abs(part[0]) >= np.abs(part[1])
    # As DIRECTIONS: left and up are positive.
    code = np.where(sideways, np.where(yaw > 0, 1, 2), np.where(pitch > 0, 3, 4))
    code[np.abs(part).max(axis=0) < 1] = 0
    angle = np.where(sideways, np.abs(yaw), np.abs(pitch))
    return _runs(
        name, signal, code, [DIRECTIONS[c] for c in range(5)], angle, _sure(signal, ("yaw", "pitch"))
    )


def _active(units: Signal) -> Tier:
    on = units.values >= _ACTIVE
    patterns, code = np.unique(on, axis=0, return_inverse=True)
    labels = ["+".join(n for n, x in zip(units.names, row, strict=True) if x) for row in patterns]
    mean = (units.values * on).sum(axis=1) / np.maximum(on.sum(axis=1), 1)
    return _runs("active_units", units, code.reshape(-1), labels, mean, _sure(units, units.names))


def _sure(signal: Signal, names: tuple[str, ...]) -> NDArray[np.float32]:
    if signal.confidence is None:
        return np.ones(len(signal), np.float32)
    return signal.confidence[:, [signal.names.index(n) for n in names]].min(axis=1)


def _runs(
    name: str,
    signal: Signal,
    code: NDArray[np.int_],
    labels: list[str],
    value: NDArray[np.floating],
    sure: NDArray[np.float32],
) -> Tier:
    code = np.where(sure >= _SURE, code, -1)
    cuts = np.flatnonzero(np.diff(code)) + 1
    rate, found = float(signal.fps), []
    for a, b in zip([0, *cuts.tolist()], [*cuts.tolist(), len(code)], strict=True):
        label = labels[code[a]] if code[a] >= 0 else ""
        if label and b - a >= _SHORTEST * rate:
            start, end = signal.start + a / rate, signal.start + b / rate
            found.append(
                Interval(
                    start, end, label, round(float(value[a:b].mean()), 3), round(float(sure[a:b].mean()), 3)
                )
            )
    return Tier(name, tuple(found))
