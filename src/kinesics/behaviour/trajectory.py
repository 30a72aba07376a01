"""Smooth vector functions of time that can be re-planned from any moment on.

A :class:`Track` is a row of quintic pieces that match in value, velocity and acceleration, so the
motion they describe has the bell-shaped speed of minimum-jerk movement (Flash & Hogan 1985) and
never jumps. Cutting it at a moment and going on elsewhere leaves everything before that moment
untouched: what has been shown cannot change.
"""

from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_LONG_AGO = -1e9
# Quintic Hermite basis: rows are coefficients of 1, s, s², … for (p0, v0, a0, p1, v1, a1).
_HERMITE = np.array(
    [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 0.5, 0, 0, 0],
        [-10, -6, -1.5, 10, -4, 0.5],
        [15, 8, 1.5, -15, 7, -1],
        [-6, -3, -0.5, 6, -3, 0.5],
    ],
    dtype=np.float64,
)


def ease(s: ArrayLike) -> Array:
    """Minimum-jerk progress, 0 to 1, of a part ``s`` of the time; held at 0 and 1 outside.

    >>> float(ease(0.5)), float(ease(2.0))
    (0.5, 1.0)
    """
    s = np.clip(np.asarray(s, dtype=np.float64), 0, 1)
    return s * s * s * (10 + s * (6 * s - 15))


class Track:
    """A C² function of time with ``C`` channels; constant before its first piece and after its last.

    Parameters
    ----------
    value
        (C,) where it starts and stays until told to go somewhere.
    lags
        (G,) seconds by which each of G equal groups of channels runs behind, or None.

    Examples
    --------
    >>> track = Track([0.0])
    >>> track.go(2.0, [1.0], start=1.0)
    >>> [round(float(v), 3) for v in track(np.array([0.5, 1.5, 3.0]))[:, 0]]
    [0.0, 0.5, 1.0]
    """

    def __init__(self, value: ArrayLike, *, lags: ArrayLike | None = None) -> None:
        value = np.array(value, dtype=np.float64)
        self.channels = len(value)
        self.lags = None if lags is None else np.asarray(lags, dtype=np.float64)
        first = np.zeros((6, self.channels))
        first[0] = value
        # start, end, coefficients, bump, oscillation (sine and cosine amplitude), cycles
        self._starts: list[float] = [_LONG_AGO]
        self._ends: list[float] = [_LONG_AGO + 1]
        self._pieces: list[Array] = [first]
        self._bumps: list[Array] = [np.zeros(self.channels)]
        self._waves: list[tuple[Array, Array, float]] = [self._no_wave()]
        self._packed: tuple | None = None

    def _no_wave(self) -> tuple[Array, Array, float]:
        return np.zeros(self.channels), np.zeros(self.channels), 0.0

    @property
    def end(self) -> float:
        """When the last piece ends and the track stands still."""
        return self._ends[-1]

    def state(self, time: float) -> tuple[Array, Array, Array]:
        """Value, velocity and acceleration (C,) at ``time`` seconds, without lags."""
        i = max(bisect_right(self._starts, time) - 1, 0)
        length = self._ends[i] - self._starts[i]
        s = (time - self._starts[i]) / length
        zero = np.zeros(self.channels)
        if s > 1 + 1e-9:
            return self._at(i, 1.0), zero, zero
        s = min(s, 1.0)
        h = min(1e-3, 0.25 * s, 0.25 * (1 - s)) if s > 0 else 0.0
        c = self._pieces[i]
        powers = s ** np.arange(6)
        velocity = (np.arange(1, 6) * powers[:5]) @ c[1:]
        acceleration = (np.arange(2, 6) * np.arange(1, 5) * powers[:4]) @ c[2:]
        if h > 1e-9 and (self._bumps[i].any() or self._waves[i][2]):
            low, here, high = (self._extra(i, x) for x in (s - h, s, s + h))
            velocity = velocity + (high - low) / (2 * h)
            acceleration = acceleration + (high - 2 * here + low) / (h * h)
        return self._at(i, s), velocity / length, acceleration / length**2

    def _extra(self, i: int, s: float) -> Array:
        sine, cosine, cycles = self._waves[i]
        out = 64 * (s * (1 - s)) ** 3 * self._bumps[i]
        if cycles:
            window = float(ease(s / 0.28) * ease((1 - s) / 0.28))
            phase = 2 * math.pi * cycles * s
            out = out + window * (math.sin(phase) * sine + (1 - math.cos(phase)) * cosine)
        return out

    def _at(self, i: int, s: float) -> Array:
        return s ** np.arange(6) @ self._pieces[i] + self._extra(i, s)

    def cut(self, time: float) -> None:
        """Forget everything planned from ``time`` on; the next :meth:`go` must start there."""
        while len(self._starts) > 1 and self._starts[-1] >= time:
            for row in (self._starts, self._ends, self._pieces, self._bumps, self._waves):
                row.pop()
        self._packed = None

    def go(
        self,
        end: float,
        value: ArrayLike,
        *,
        start: float | None = None,
        velocity: ArrayLike | None = None,
        acceleration: ArrayLike | None = None,
        bump: ArrayLike | None = None,
        wave: tuple[ArrayLike, ArrayLike, float] | None = None,
    ) -> None:
        """Add a piece.

        Parameters
        ----------
        end
            When it arrives, seconds.
        value
            (C,) where.
        start
            When it leaves; the end of the last piece by default. Whatever was planned later is cut.
        velocity, acceleration
            (C,) on arrival; 0 by default.
        bump
            (C,) by how much the way bulges halfway.
        wave
            (sine amplitude (C,), cosine amplitude (C,), cycles) laid over the way.
        """
        start = self._ends[-1] if start is None else start
        p, v, a = self.state(start)
        self.cut(start)
        length = max(end - start, 1e-3)
        zero = np.zeros(self.channels)
        ends = [value, zero if velocity is None else velocity, zero if acceleration is None else acceleration]
        p1, v1, a1 = (np.asarray(x, dtype=np.float64) for x in ends)
        scales = np.stack([p, v * length, a * length**2, p1, v1 * length, a1 * length**2])
        self._starts.append(start)
        self._ends.append(start + length)
        self._pieces.append(_HERMITE @ scales)
        self._bumps.append(zero if bump is None else np.asarray(bump, dtype=np.float64))
        if wave is None:
            self._waves.append(self._no_wave())
        else:
            self._waves.append((np.asarray(wave[0], float), np.asarray(wave[1], float), float(wave[2])))
        self._packed = None

    def forget(self, before: float) -> None:
        """Drop the pieces that no moment from ``before`` on needs."""
        if self.lags is not None:
            before -= float(self.lags.max())
        drop = max(bisect_right(self._starts, before) - 1, 0)
        for row in (self._starts, self._ends, self._pieces, self._bumps, self._waves):
            del row[:drop]
        self._packed = None

    def __call__(self, times: Array) -> Array:
        """(n,) seconds to (n, C) values."""
        if self._packed is None:
            starts, ends = np.array(self._starts), np.array(self._ends)
            waves = [np.stack([w[k] for w in self._waves]) for k in (0, 1)]
            cycles = np.array([w[2] for w in self._waves])
            self._packed = (
                starts,
                ends - starts,
                np.stack(self._pieces),
                np.stack(self._bumps) if any(b.any() for b in self._bumps) else None,
                (*waves, cycles) if cycles.any() else None,
            )
        starts, lengths, pieces, bumps, waves = self._packed
        if self.lags is None:
            i = np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)
            s = np.clip((times - starts[i]) / lengths[i], 0, 1)[:, None]
            c = pieces[i]
        else:
            groups = len(self.lags)
            lagged = times[:, None] - self.lags
            i = np.maximum(np.searchsorted(starts, lagged, side="right") - 1, 0)
            s = np.clip((lagged - starts[i]) / lengths[i], 0, 1)
            width = self.channels // groups
            s = np.repeat(s, width, axis=1)
            column = np.arange(self.channels)
            c = np.moveaxis(pieces[np.repeat(i, width, axis=1), :, column], 2, 1)
        out = c[:, 5]
        for k in (4, 3, 2, 1, 0):
            out = out * s + c[:, k]
        if bumps is not None and self.lags is None:
            out = out + 64 * (s * (1 - s)) ** 3 * bumps[i]
        if waves is not None and self.lags is None:
            window = ease(s / 0.28) * ease((1 - s) / 0.28)
            phase = 2 * math.pi * waves[2][i][:, None] * s
            out = out + window * (np.sin(phase) * waves[0][i] + (1 - np.cos(phase)) * waves[1][i])
        return out


def through(before: Array, here: Array, after: Array, first: float, second: float) -> Array:
    """Velocity (C,) at a point passed on the way: none where a channel turns back, else the harmonic mean.

    ``first`` and ``second`` are the seconds of the ways to and from the point. The harmonic mean
    (Fritsch & Butland 1984) never overshoots.
    """
    a, b = (here - before) / max(first, 1e-3), (after - here) / max(second, 1e-3)
    same = a * b > 0
    return np.where(same, 2 * a * b / np.where(same, a + b, 1), 0.0)
