"""When the phases of a gesture happen (Kendon 1980; Kita, van Gijn & van der Hulst 1998)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kinesics.performance.gesture import Gesture

FASTEST = 2.3
"""Peak wrist speed, m/s, beyond which a preparation is not squeezed."""


@dataclass(frozen=True)
class Manner:
    """How emotion, intensity and person colour movement.

    Parameters
    ----------
    speed
        Factor on movement speed.
    size
        Factor on the size of gestures.
    height
        Metres by which gestures sit higher.
    tension
        0 loose to 1 tense: firmer hand shapes, less lag and drift.
    shoulders
        Degrees of shoulder lift.
    slump
        Degrees of bend of the upper back.
    lean
        Degrees of lean forward.
    head
        Degrees of head bow.
    life
        Factor on sway and drift.
    """

    speed: float = 1.0
    size: float = 1.0
    height: float = 0.0
    tension: float = 0.3
    shoulders: float = 0.0
    slump: float = 0.0
    lean: float = 0.0
    head: float = 0.0
    life: float = 1.0


# At full intensity; ours, after the qualities that Wallbott (1998) and Montepare et al. (1999) report.
_MANNERS: Mapping[str, Manner] = {
    "neutral": Manner(),
    "happy": Manner(1.18, 1.16, 0.03, 0.25, 0.5, -2.5, 0.0, -1.5, 1.25),
    "sad": Manner(0.70, 0.70, -0.05, 0.05, -1.5, 8.0, 1.0, 9.0, 0.75),
    "surprise": Manner(1.15, 1.12, 0.04, 0.5, 2.5, -2.5, -2.5, -2.0, 1.0),
    "fear": Manner(1.15, 0.74, 0.02, 0.85, 6.0, 3.0, -3.0, 1.0, 1.3),
    "disgust": Manner(0.92, 0.85, 0.0, 0.55, 2.0, 1.0, -3.0, -1.0, 0.9),
    "anger": Manner(1.28, 1.10, 0.01, 0.95, 3.0, 1.0, 3.5, 2.5, 1.1),
    "contempt": Manner(0.88, 0.85, -0.01, 0.35, 0.0, -3.0, -1.5, -4.0, 0.85),
}


def manner(emotion: str, intensity: float) -> Manner:
    """Movement manner of an emotion; livelier with intensity.

    >>> manner("sad", 1.0).speed < manner("neutral", 1.0).speed < manner("anger", 1.0).speed
    True
    """
    full, plain = _MANNERS[emotion], Manner()
    blend = {k: v + min(1.0, 0.25 + 0.85 * intensity) * (vars(full)[k] - v) for k, v in vars(plain).items()}
    out = Manner(**blend)
    lively = 0.5 - intensity
    return replace(
        out,
        speed=out.speed * (1 - 0.24 * lively),
        size=out.size * (1 - 0.22 * lively),
        # Liveliness beyond the ordinary comes with speaking, not with standing.
        life=out.life * min(1.0, 1 - 0.35 * lively),
    )


def travel_time(metres: float, speed: float) -> float:
    """Seconds that an unhurried hand takes (Fitts 1954: longer ways are gone faster, not as much longer).

    >>> 0.3 < travel_time(0.2, 1.0) < travel_time(0.5, 1.0) < 0.8
    True
    """
    return (0.30 + 0.84 * metres / (0.25 + metres) ** 0.42) / speed


def shortest_time(metres: float) -> float:
    """Seconds below which the way would need more than :data:`FASTEST` at its peak."""
    return max(0.16, 1.875 * metres / FASTEST)


@dataclass(frozen=True)
class Timing:
    """Moments of one gesture, seconds: start ≤ ready ≤ stroke_start < stroke ≤ stroke_end ≤ relax < end."""

    start: float
    ready: float
    stroke_start: float
    stroke: float
    stroke_end: float
    relax: float
    end: float

    def shifted(self, seconds: float) -> Timing:
        """All moments, ``seconds`` later."""
        return Timing(*(v + seconds for v in vars(self).values()))

    def named(self) -> dict[str, float]:
        """As BML sync points."""
        return {
            "start": self.start, "ready": self.ready, "strokeStart": self.stroke_start, "stroke": self.stroke,
            "strokeEnd": self.stroke_end, "relax": self.relax, "end": self.end,
        }  # fmt: skip


def time_stroke(gesture: Gesture, sync: Mapping[str, float], manner: Manner) -> tuple[float, float, float]:
    """Stroke start, stroke and stroke end from what is stated; natural lengths for the rest."""
    natural = gesture.seconds / manner.speed
    # The hand lands on the stressed syllable, unless the gesture's form says otherwise.
    before = natural * float(gesture.extra.get("apex", 1.0))
    after = natural - before
    stroke = sync.get("stroke")
    if stroke is None:
        if "strokeStart" in sync and "strokeEnd" in sync:
            stroke = sync["strokeStart"] + (sync["strokeEnd"] - sync["strokeStart"]) * before / natural
        elif "strokeStart" in sync:
            stroke = sync["strokeStart"] + before
        elif "strokeEnd" in sync:
            stroke = sync["strokeEnd"] - after
        elif "ready" in sync:
            stroke = sync["ready"] + before
        elif "relax" in sync:
            stroke = sync["relax"] - gesture.hold - after
        elif "start" in sync:
            stroke = sync["start"] + 0.55 / manner.speed + before
        elif "end" in sync:
            stroke = sync["end"] - 0.7 / manner.speed - gesture.hold - after
        else:
            raise KeyError("stroke")
    stroke_start = min(sync.get("strokeStart", stroke - before), stroke - 0.04)
    stroke_end = max(sync.get("strokeEnd", stroke + after), stroke)
    return float(stroke_start), float(stroke), float(stroke_end)


def spread(count: int, shares: np.ndarray, start: float, stroke: float, end: float) -> tuple[np.ndarray, int]:
    """Moments of the ``count`` points of a stroke, one of them exactly at ``stroke``.

    Parameters
    ----------
    count
        Points, the first at ``start``.
    shares
        (count − 1,) relative lengths of the ways between them.
    start, stroke, end
        Seconds.

    Returns
    -------
    times
        (count,) seconds.
    apex
        Index of the point at ``stroke``.
    """
    if count == 1:
        return np.array([stroke]), 0
    part = np.concatenate([[0], np.cumsum(shares) / np.sum(shares)])
    if count == 2:
        return np.array([start, stroke]), 1
    wish = (stroke - start) / max(end - start, 1e-6)
    apex = 1 + int(np.argmin(np.abs(part[1:] - wish)))
    if end - stroke < 0.08:
        apex = count - 1
    before = start + (stroke - start) * part[: apex + 1] / part[apex]
    left = part[apex + 1 :]
    after = stroke + (end - stroke) * (left - part[apex]) / max(1 - part[apex], 1e-6)
    return np.concatenate([before, after]), apex
