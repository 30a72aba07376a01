"""What a user may ask of a performance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinesics.errors import DataError, choose

EMOTIONS: tuple[str, ...] = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
"""The eight emotions; data sets map to them by name."""

GAZE_TARGETS: dict[str, tuple[float, float]] = {
    "camera": (0.0, 0.0),
    "left": (30.0, 0.0),
    "right": (-30.0, 0.0),
    "up": (0.0, 20.0),
    "down": (0.0, -20.0),
}
"""Named gaze targets: azimuth to the performer's left and elevation, degrees."""


@dataclass(frozen=True)
class Controls:
    """How to perform.

    Parameters
    ----------
    emotion
        One of :data:`EMOTIONS`.
    intensity
        0 (calm: no gestures, a still face but for speech and life) to 1.
    gesture_rate
        Strokes a minute; None lets intensity decide.
    handedness
        ``"right"`` or ``"left"``: the hand that leads.
    look_at
        Where mutual gaze goes: one of :data:`GAZE_TARGETS` or ``"azimuth,elevation"`` in degrees
        (to the performer's left, up).
    seed
        Makes the performance repeatable.
    """

    emotion: str = "neutral"
    intensity: float = 0.5
    gesture_rate: float | None = None
    handedness: str = "right"
    look_at: str = "camera"
    seed: int = 0

    def __post_init__(self) -> None:
        choose("emotion", self.emotion, EMOTIONS)
        choose("handedness", self.handedness, ("right", "left"))
        if not (np.isfinite(self.intensity) and 0 <= self.intensity <= 1):
            raise DataError(f"intensity {self.intensity}; expected 0 (calm) to 1")
        if self.gesture_rate is not None and not (
            np.isfinite(self.gesture_rate) and 0 <= self.gesture_rate <= 60
        ):
            raise DataError(f"gesture rate {self.gesture_rate}; expected 0 to 60 strokes a minute")
        self.look_angles  # noqa: B018 - reading it validates it

    @property
    def look_angles(self) -> tuple[float, float]:
        """Azimuth (to the performer's left) and elevation of mutual gaze, degrees."""
        if self.look_at in GAZE_TARGETS:
            return GAZE_TARGETS[self.look_at]
        try:
            azimuth, elevation = (float(part) for part in self.look_at.split(","))
        except ValueError as error:
            raise DataError(
                f"look-at {self.look_at!r}; expected 'azimuth,elevation' in degrees or one of: {', '.join(GAZE_TARGETS)}"
            ) from error
        if not (abs(azimuth) <= 70 and abs(elevation) <= 45):
            raise DataError(
                f"look-at {self.look_at!r}; expected azimuth within ±70° and elevation within ±45°"
            )
        return azimuth, elevation

    @property
    def strokes_per_minute(self) -> float:
        """Gesture rate wanted: stated, or from intensity (0 at 0, about 16 at .5, 30 at 1)."""
        return self.gesture_rate if self.gesture_rate is not None else 32.0 * self.intensity**0.95
