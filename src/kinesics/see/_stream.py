"""What all detectors of events share: windows over a stream, and runs with hysteresis.

Both give the same result however the stream was cut up: a window is looked at when all of it is there, and a
run is told when it is over for certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError
from kinesics.performance import Interval

Array = NDArray[np.float64]

LEAST = 0.5
"""Confidence below which a label is ``"unknown"``: it is then as likely wrong as right."""


class Windows:
    """Frames that have all their neighbours.

    Parameters
    ----------
    before, after
        Frames that a frame is looked at with. Beyond the ends of the stream its first and last one are repeated.

    Examples
    --------
    >>> w = Windows(1, 1)
    >>> w.push(np.array([[1.0], [2.0], [3.0]])).ravel(), w.finish().ravel()
    (array([1., 1., 2., 3.]), array([2., 3., 3.]))
    """

    def __init__(self, before: int, after: int) -> None:
        self.before, self.after = before, after
        self._kept: Array | None = None

    def push(self, frames: Array) -> Array:
        """Take (n, …) frames; return those that are ready with what surrounds them, (before + m + after, …)."""
        frames = np.asarray(frames, dtype=np.float64)
        if self._kept is None:
            if not len(frames):
                return frames
            self._kept = np.repeat(frames[:1], self.before, axis=0)
        block = np.concatenate([self._kept, frames])
        ready = len(block) - self.before - self.after
        if ready <= 0:
            self._kept = block
            return block[:0]
        self._kept = block[ready:]
        return block

    def finish(self) -> Array:
        """As :meth:`push`, for the frames that waited for others; the stream is over."""
        if self._kept is None or not self.after:
            return np.zeros((0, *(() if self._kept is None else self._kept.shape[1:])))
        block = self.push(np.repeat(self._kept[-1:], self.after, axis=0))
        self._kept = None
        return block


def around(block: Array, before: int, after: int) -> Array:
    """(m, …, before + 1 + after) the window of every inner frame of a block."""
    if len(block) <= before + after:
        return np.zeros((0, *block.shape[1:], before + 1 + after))
    return np.lib.stride_tricks.sliding_window_view(block, before + 1 + after, axis=0)


def mean(block: Array, half: int) -> Array:
    """Moving average over 2 × ``half`` + 1 frames; ``half`` frames shorter at either end."""
    return np.ascontiguousarray(around(block, half, half)).mean(axis=-1)


@dataclass
class _Run:
    start: float
    end: float
    peak: float
    apex: float
    sure: float
    count: int


@dataclass(frozen=True)
class Found:
    """A run that is over.

    Parameters
    ----------
    start, end, apex
        Seconds; the apex is where the signal was greatest.
    peak
        The signal there.
    sure
        Mean confidence of its frames.
    """

    start: float
    end: float
    apex: float
    peak: float
    sure: float


class Runs:
    """Where a signal is up: from where it passes ``on`` (traced back to ``off``) to where it falls below ``off``.

    Parameters
    ----------
    on, off
        Levels.
    fps
        Frames per second.
    shortest, longest
        Seconds; other runs are not told.
    bridge
        Seconds of a gap that does not end a run.
    """

    def __init__(
        self, *, on: float, off: float, fps: float, shortest: float = 0.0, longest: float = np.inf, bridge: float = 0.0
    ) -> None:  # fmt: skip
        if off > on:
            raise DataError(
                f"runs begin at {on} and end at {off}; expected the end no higher than the beginning"
            )
        self.on, self.off, self.step = on, off, 1.0 / fps
        # A microsecond of slack: a gap of three frames is one wherever on the clock it lies.
        self.shortest, self.longest, self.bridge = shortest - 1e-6, longest + 1e-6, bridge + 1e-6
        self._run: _Run | None = None
        self._over: _Run | None = None

    def push(self, times: Array, values: Array, sure: Array | None = None) -> list[Found]:
        """Take frames at ``times`` (n,) seconds with their ``values`` (n,) and confidence; return runs that are over."""
        if not len(times):
            return []
        values = np.asarray(values, dtype=np.float64)
        sure = np.ones(len(values)) if sure is None else np.asarray(sure, dtype=np.float64)
        out: list[Found] = []
        up = values >= self.off
        edges = np.flatnonzero(np.diff(np.concatenate([[False], up, [False]]).astype(np.int8)))
        for first, last in edges.reshape(-1, 2):
            if first > 0 or not self._goes_on(times[0]):
                out += self._close()
            self._add(times[first:last], values[first:last], sure[first:last])
            if last < len(values):
                out += self._close()
        if len(up) and not up[0] and len(edges) == 0:
            out += self._close()
        out += self._settle(times[-1])
        return out

    def finish(self) -> list[Found]:
        """Runs that the end of the stream ends."""
        return [*self._close(), *self._settle(np.inf)]

    def _goes_on(self, time: float) -> bool:
        return self._run is not None and time - self._run.end < 0.5 * self.step

    def _add(self, times: Array, values: Array, sure: Array) -> None:
        if self._run is None:
            self._run = _Run(float(times[0]), 0.0, -np.inf, 0.0, 0.0, 0)
        run, top = self._run, int(np.argmax(values))
        if values[top] > run.peak:
            run.peak, run.apex = float(values[top]), float(times[top])
        run.end = float(times[-1]) + self.step
        # Added one by one from what is there, so that chunks do not show in the last digit.
        run.sure = float(np.cumsum(np.concatenate([[run.sure], sure]))[-1])
        run.count += len(times)

    def _close(self) -> list[Found]:
        """End the open run; it waits, lest another follows that it is one with."""
        run, self._run = self._run, None
        if run is None or run.peak < self.on:
            return []
        held, self._over = self._over, run
        if held is None:
            return []
        if run.start - held.end <= self.bridge:
            better = run if run.peak > held.peak else held
            self._over = _Run(
                held.start, run.end, better.peak, better.apex, held.sure + run.sure, held.count + run.count
            )
            return []
        return self._told(held)

    def _settle(self, now: float) -> list[Found]:
        if self._over is None or now - self._over.end <= self.bridge:
            return []
        if self._run is not None and self._run.start - self._over.end <= self.bridge:
            return []
        held, self._over = self._over, None
        return self._told(held)

    def _told(self, run: _Run) -> list[Found]:
        if not self.shortest <= run.end - run.start <= self.longest:
            return []
        return [Found(run.start, run.end, run.apex, run.peak, run.sure / run.count)]


def labelled(
    found: Found, label: str, *, certainty: float, value: float | None = None, unknown: str = "unknown"
) -> Interval:
    """An interval whose label is ``unknown`` where certainty times the track's own confidence is below :data:`LEAST`."""
    confidence = float(np.clip(certainty * found.sure, 0.0, 1.0))
    return Interval(
        found.start, found.end, label if confidence >= LEAST else unknown,
        None if value is None else round(value, 4), round(confidence, 4),
    )  # fmt: skip


def beyond(value: float, level: float, spread: float) -> float:
    """Certainty, ½ at the level and nearly 1 three spreads beyond it (logistic).

    >>> beyond(1.0, 1.0, 0.1), round(beyond(1.3, 1.0, 0.1), 2)
    (0.5, 0.95)
    """
    return float(1.0 / (1.0 + np.exp(-np.clip((value - level) / spread, -30, 30))))
