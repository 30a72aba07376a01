"""Blinks, smiles and other plain actions of the face, from ARKit coefficients.

A blink is a closure that stands out from the lids' openness half a second before and after; the levels are ours,
its length that of people (100–400 ms, up to 0.5 s when tired: Caffier, Erdmann & Ullsperger 2003). Looking
down lowers the lids, too, but for longer, and one lid alone is a wink. An action lasts at least a quarter of
a second: shorter ones are mostly speech.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.performance import Face, Interval, Tier
from kinesics.see._stream import Found, Runs, Windows, around, beyond, labelled, mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Action:
    """An action and the coefficients it is seen in.

    Parameters
    ----------
    columns
        ARKit names; their mean counts.
    on, off
        Coefficient at which it begins and ends.
    """

    columns: tuple[str, ...]
    on: float
    off: float


# Levels are ours: what is seen at a glance on the rendered faces, and well above what speech moves.
ACTIONS: Mapping[str, Action] = {
    "smile": Action(("mouthSmileLeft", "mouthSmileRight"), 0.25, 0.15),
    "frown": Action(("mouthFrownLeft", "mouthFrownRight"), 0.25, 0.15),
    "brow_raise": Action(("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.2, 0.12),
    "brow_lower": Action(("browDownLeft", "browDownRight"), 0.25, 0.15),
    "nose_wrinkle": Action(("noseSneerLeft", "noseSneerRight"), 0.3, 0.2),
    "lip_press": Action(("mouthPressLeft", "mouthPressRight"), 0.35, 0.2),
    "cheek_puff": Action(("cheekPuff",), 0.4, 0.25),
    "tongue_out": Action(("tongueOut",), 0.4, 0.25),
}
"""Tiers of :class:`FacialActions`, in FACS units: 12, 15, 1 + 2, 4, 9, 24, 34, 19."""

BLINK_ON, BLINK_OFF = 0.2, 0.1
"""Closure beyond that of the surroundings (ours; lids that are read from films often seem to close by a quarter only)."""
LONGEST_BLINK = 0.5
WINK = 0.45
"""Difference between the lids from which it is a wink (ours)."""
_SURROUNDINGS = 0.45  # seconds on either side
_SHORTEST = 0.25
_SMOOTH = 0.1  # seconds on either side: a syllable does not begin or end an action
_LIDS = ("eyeBlinkLeft", "eyeBlinkRight")


class Blinks:
    """Find blinks in a stream; about half a second of look-ahead.

    Parameters
    ----------
    fps
        Frames per second.

    Examples
    --------
    >>> shut = np.zeros((60, 2)); shut[30:36] = 0.9
    >>> found, apexes = blinks(Face(shut, ("eyeBlinkLeft", "eyeBlinkRight"), 60))
    >>> [(round(i.start, 2), round(i.end, 2), i.label) for i in found]
    [(0.5, 0.6, 'blink')]
    """

    def __init__(self, fps: float) -> None:
        self._fps = float(fps)
        self._half = max(2, round(_SURROUNDINGS * self._fps))
        self._windows = Windows(self._half, self._half)
        # A blink of 30 frames a second may show in one frame only.
        self._runs = Runs(on=BLINK_ON, off=BLINK_OFF, fps=self._fps, longest=LONGEST_BLINK)
        self._sides: list[tuple[float, float]] = []
        self._done = 0
        self._start: float | None = None

    def push(self, face: Face, sure: Array | None = None) -> tuple[list[Interval], list[Interval]]:
        """Take frames; return the blinks that are over, and their apexes (instants). Value: closure at the apex."""
        lids = face.select(_LIDS).values.astype(np.float64)
        sure = np.ones(len(face)) if sure is None else sure
        self._start = face.start if self._start is None else self._start
        return self._look(self._windows.push(np.column_stack([lids, sure])))

    def finish(self) -> tuple[list[Interval], list[Interval]]:
        """What the end of the stream makes certain."""
        first = self._look(self._windows.finish())
        last = self._tell(self._runs.finish())
        return first[0] + last[0], first[1] + last[1]

    def _look(self, block: Array) -> tuple[list[Interval], list[Interval]]:
        h = self._half
        if len(block) <= 2 * h:
            return [], []
        shut = block[:, :2].mean(axis=1)
        low = around(shut, h, 0).min(axis=-1)
        # Openness before and after: the higher of both floors, so that a lid that stays down is no blink.
        floor = np.maximum(low[: len(block) - 2 * h], low[h:][: len(block) - 2 * h])
        inner = block[h:-h]
        times = (self._start or 0.0) + (self._done + np.arange(len(inner))) / self._fps
        self._done += len(inner)
        self._sides += [
            (float(t), float(s))
            for t, s, up in zip(times, inner[:, 0] - inner[:, 1], shut[h:-h] - floor >= BLINK_ON, strict=True)
            if up
        ]
        return self._tell(self._runs.push(times, shut[h:-h] - floor, inner[:, 2]))

    def _tell(self, found: list[Found]) -> tuple[list[Interval], list[Interval]]:
        blinks, apexes = [], []
        for f in found:
            apart = next((s for t, s in self._sides if abs(t - f.apex) < 1e-6), 0.0)
            label = "blink" if abs(apart) < WINK else f"wink {'L' if apart > 0 else 'R'}"
            told = labelled(f, label, certainty=beyond(f.peak, BLINK_ON, 0.08), value=f.peak)
            blinks.append(told)
            apexes.append(Interval(f.apex, f.apex, told.label, told.value, told.confidence))
            self._sides = [(t, s) for t, s in self._sides if t > f.end]
        return blinks, apexes


class FacialActions:
    """Find :data:`ACTIONS` in a stream; 0.1 s of look-ahead.

    Parameters
    ----------
    fps
        Frames per second.
    """

    def __init__(self, fps: float) -> None:
        self._fps = float(fps)
        self._half = round(_SMOOTH * self._fps)
        self._windows = Windows(self._half, self._half)
        self._runs = {
            n: Runs(on=a.on, off=a.off, fps=self._fps, shortest=_SHORTEST, bridge=0.2)
            for n, a in ACTIONS.items()
        }
        self._done = 0
        self._start: float | None = None

    def push(self, face: Face, sure: Array | None = None) -> dict[str, list[Interval]]:
        """Take frames; return the actions that are over, by name. Value: the coefficient at the apex."""
        if face.basis != "arkit":
            raise DataError(f"facial actions of a face in the basis {face.basis!r}; expected 'arkit'")
        self._start = face.start if self._start is None else self._start
        levels = [face.select(a.columns).values.mean(axis=1) for a in ACTIONS.values()]
        return self._look(
            self._windows.push(np.column_stack([*levels, np.ones(len(face)) if sure is None else sure]))
        )

    def finish(self) -> dict[str, list[Interval]]:
        """What the end of the stream makes certain."""
        out = self._look(self._windows.finish())
        return {n: out[n] + self._tell(n, r.finish()) for n, r in self._runs.items()}

    def _look(self, block: Array) -> dict[str, list[Interval]]:
        h = self._half
        if len(block) <= 2 * h:
            return {n: [] for n in ACTIONS}
        smooth = mean(block, h)
        times = (self._start or 0.0) + (self._done + np.arange(len(smooth))) / self._fps
        self._done += len(smooth)
        return {
            n: self._tell(n, r.push(times, smooth[:, k], smooth[:, -1]))
            for k, (n, r) in enumerate(self._runs.items())
        }

    def _tell(self, name: str, found: list[Found]) -> list[Interval]:
        on = ACTIONS[name].on
        return [labelled(f, name, certainty=beyond(f.peak, on, 0.2 * on), value=f.peak) for f in found]


def blinks(face: Face, sure: Array | None = None) -> tuple[Tier, Tier]:
    """Blinks of a whole track: the tier ``blinks`` and, as instants, ``blink_apexes``.

    Parameters
    ----------
    face
        With the columns ``eyeBlinkLeft`` and ``eyeBlinkRight``.
    sure
        (T,) confidence of the frames; 1 by default.
    """
    finder = Blinks(float(face.fps))
    first, last = finder.push(face, sure), finder.finish()
    return Tier("blinks", tuple(first[0] + last[0])), Tier("blink_apexes", tuple(first[1] + last[1]))


def facial_actions(face: Face, sure: Array | None = None) -> dict[str, Tier]:
    """Actions of a whole track, a tier each; see :data:`ACTIONS`.

    Parameters
    ----------
    face
        In the ARKit basis; coefficients it lacks count as 0.
    sure
        (T,) confidence of the frames; 1 by default.
    """
    finder = FacialActions(float(face.fps))
    first, last = finder.push(face, sure), finder.finish()
    return {n: Tier(n, tuple(first[n] + last[n])) for n in ACTIONS}
