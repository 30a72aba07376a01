"""Eyes and head: saccades, the head's share of a gaze shift, nods, and eyes that make up for both.

Where the person looks is a function of time; the head follows part of the way, late; the eyes are
whatever angle is left between the head as it is and the target, so that head movement never moves
the gaze (vestibulo-ocular reflex). Saccades obey the main sequence: 25 ms + 2.4 ms a degree.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics import seeds
from kinesics.behaviour.trajectory import Track, ease
from kinesics.bodies.joint_limits import EYE_ACROSS, EYE_UP, soft_clip
from kinesics.errors import DataError

Array = NDArray[np.float64]

HEAD: tuple[str, ...] = ("NOD", "SHAKE", "TILT", "TOSS", "BOW", "TURN", "RAISE", "LOWER")
"""Head movements the realiser knows."""

DISTANCE = 1.25
"""Metres to what is looked at."""


def saccade_seconds(degrees: float) -> float:
    """Length of a saccade (Carpenter 1988).

    >>> round(saccade_seconds(10), 3)
    0.049
    """
    return 0.025 + 0.0024 * abs(degrees)


class Gaze:
    """Where the person looks and how the head takes part.

    Parameters
    ----------
    home
        Azimuth (to the person's left) and elevation of mutual gaze, degrees.
    seed
        Of the performance.
    """

    def __init__(self, home: tuple[float, float], seed: int) -> None:
        self.home, self.seed = home, seed
        self.target = Track([*home])
        self.head = Track(self._share(home, "EYES"))
        self.items: list[tuple[float, float, tuple[float, float], str]] = []
        draw = seeds.rng(seed, "fixation")
        self._jitter = draw.normal(0, 1, (4096, 2))
        self._slots = np.concatenate([[0.0], np.cumsum(draw.uniform(0.25, 0.95, 4095))])

    @staticmethod
    def _share(angles: tuple[float, float], influence: str) -> Array:
        """Head azimuth and elevation for a gaze direction: none of it within the eyes' easy range."""
        azimuth, elevation = angles
        free, part = (4.0, 0.85) if influence == "HEAD" else (11.0, 0.78)
        turn = math.copysign(max(abs(azimuth) - free, 0.0) * part, azimuth)
        rise = math.copysign(max(abs(elevation) - 0.6 * free, 0.0) * 0.6 * part, elevation)
        # Even small shifts take the head a little way.
        return np.array([turn + 0.12 * azimuth, rise + 0.12 * elevation])

    def add(self, start: float, end: float | None, angles: tuple[float, float], influence: str) -> None:
        """Look at ``angles`` from ``start``, and back at ``end``."""
        later = sorted(x for x in self.items if x[0] > start)
        self.items = [x for x in self.items if x[0] <= start]
        for item in [(start, math.inf if end is None else end, angles, influence), *later]:
            self._lay(*item)
            self.items.append(item)

    def _lay(self, start: float, end: float, angles: tuple[float, float], influence: str) -> None:
        self._shift(start, angles, influence)
        if math.isfinite(end):
            self._shift(max(end, start + 0.15), self.home, influence)

    def _shift(self, time: float, angles: tuple[float, float], influence: str) -> None:
        here = self.target.state(time)[0]
        way = np.array(angles) - here
        size = float(np.hypot(*way))
        seconds = saccade_seconds(size)
        if size > 0.05:
            # The peak of speed comes early: half the way in 40 % of the time.
            middle = time + 0.4 * seconds
            self.target.go(middle, here + 0.5 * way, start=time, velocity=1.95 * way / seconds)
            self.target.go(time + seconds, angles)
        goal = self._share(angles, influence)
        head, turn = self.head.state(time)[0], 0.0
        turn = float(np.hypot(*(goal - head)))
        if turn > 0.2:
            lag = 0.02 + 0.02 * float(seeds.rng(self.seed, "head lag", round(time, 4)).random())
            self.head.go(time + lag + 0.30 + 0.011 * turn, goal, start=time + lag)

    def forget(self, before: float) -> None:
        """Drop what is over."""
        self.target.forget(before)
        self.head.forget(before)
        self.items = [x for x in self.items if x[0] > before]

    def directions(self, times: Array) -> Array:
        """(n, 2) azimuth and elevation of the gaze as seen from the resting eyes, degrees, with fixational jitter."""
        return self.target(times) + self._fixation(times)

    def _fixation(self, times: Array) -> Array:
        """Microsaccades of a fifth of a degree, one or two a second, and slow drift between them."""
        span = self._slots[-1]
        when = times % span
        i = np.searchsorted(self._slots, when, side="right") - 1
        part = ease((when - self._slots[i]) / 0.022)[:, None]
        step = self._jitter[i - 1] + part * (self._jitter[i] - self._jitter[i - 1])
        slow = np.stack([np.sin(2.1 * times + 1), np.sin(1.7 * times)], axis=-1)
        return 0.17 * step + 0.05 * slow


def eye_rotations(targets: Array, eyes: Array, head: Array) -> tuple[Array, Array]:
    """Eye angles that look from ``eyes`` at ``targets`` with the head as it is.

    Parameters
    ----------
    targets
        (n, 3) points, world.
    eyes
        (n, 2, 3) eyeballs, world.
    head
        (n, 3, 3) head rotation matrices, world.

    Returns
    -------
    azimuth, elevation
        (n, 2) degrees to the person's left and up, within the eyes' range.
    """
    way = targets[:, None] - eyes
    local = np.sum(head[:, None] * way[..., :, None], axis=-2)
    azimuth = np.degrees(np.arctan2(local[..., 0], local[..., 2]))
    elevation = np.degrees(np.arctan2(local[..., 1], np.hypot(local[..., 0], local[..., 2])))
    return soft_clip(azimuth, -EYE_ACROSS, EYE_ACROSS), soft_clip(elevation, -EYE_UP, EYE_UP)


def head_movement(
    lexeme: str, amount: float, repetition: int, start: float, stroke: float | None, end: float
) -> Track:
    """A head movement as a track of pitch (down), yaw (left) and roll (to the left shoulder), degrees.

    Parameters
    ----------
    lexeme
        One of :data:`HEAD`.
    amount
        0 to 1.
    repetition
        How often a nod or shake is repeated.
    start, stroke, end
        Seconds; the first extreme is at ``stroke``.
    """
    if lexeme not in HEAD:
        raise DataError(f"unknown head movement {lexeme!r}; choose one of: {', '.join(HEAD)}")
    size = 2.0 * amount
    pitch, yaw, roll = {
        "NOD": (7.0, 0, 0), "SHAKE": (0, 9.0, 0), "TILT": (1.0, 0, 7.0), "TOSS": (-7.0, 0, 1.0), "BOW": (17.0, 0, 0),
        "TURN": (0, 16.0, 0), "RAISE": (-6.0, 0, 0), "LOWER": (7.0, 0, 0),
    }[lexeme]  # fmt: skip
    peak = size * np.array([pitch, yaw, roll], dtype=np.float64)
    length = max(end - start, 0.24)
    track = Track(np.zeros(3))
    repetition = max(1, repetition)
    if lexeme in ("NOD", "SHAKE"):
        first = stroke if stroke is not None else start + min(0.42 * length / repetition, 0.3)
        first = min(max(first, start + 0.08), start + 0.8 * length)
        # From peak to peak; a shake goes to both sides, a nod rebounds a little above where it began.
        swings = 2 * repetition if lexeme == "SHAKE" else 2 * repetition - 1
        back = -0.85 if lexeme == "SHAKE" else -0.22
        track.go(first, peak, start=start)
        step = (start + length - first) / (swings + (0 if lexeme == "SHAKE" else 0.6))
        time, fade = first, 1.0
        for k in range(1, swings):
            time += step
            fade *= 0.84
            track.go(time, peak * fade * (back if k % 2 else 1.0))
        track.go(start + length, np.zeros(3))
        return track
    rise = (stroke - start) if stroke is not None and stroke > start + 0.1 else min(0.4 * length, 0.45)
    track.go(start + rise, peak, start=start)
    fall = min(0.45 * length, 0.6)
    if start + length - fall > start + rise:
        track.go(start + length - fall, 0.93 * peak)
    track.go(start + length, np.zeros(3))
    return track


def parse_target(
    text: str, home: tuple[float, float], named: dict[str, tuple[float, float]]
) -> tuple[float, float]:
    """Azimuth and elevation of a gaze or pointing target, degrees."""
    if text in ("camera", "home", ""):
        return home
    if text in named:
        return named[text]
    try:
        azimuth, elevation = (float(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(
            f"target {text!r}; expected 'azimuth,elevation' in degrees or one of: {', '.join(named)}"
        ) from error
    if not (math.isfinite(azimuth) and math.isfinite(elevation)):
        raise DataError(f"target {text!r} is not finite")
    return max(-85.0, min(85.0, azimuth)), max(-60.0, min(60.0, elevation))


def directions(azimuth: ArrayLike, elevation: ArrayLike) -> Array:
    """Unit vectors (..., 3) of directions in degrees; (0, 0) is straight ahead, +Z."""
    a, e = np.radians(np.asarray(azimuth, float)), np.radians(np.asarray(elevation, float))
    return np.stack([np.sin(a) * np.cos(e), np.sin(e) + 0 * a, np.cos(a) * np.cos(e)], axis=-1)
