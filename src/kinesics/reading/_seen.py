"""What is known of a person at one moment, for everything that shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.performance import Face, Interval, Performance, Points, Signal, Tier

SURE = 0.5
"""Confidence below which points are not drawn and labels are not shown."""

EVENTS = {
    **dict.fromkeys(
        ("blinks", "smile", "frown", "brow_raise", "brow_lower", "nose_wrinkle", "lip_press"), ""
    ),
    **dict.fromkeys(
        ("cheek_puff", "tongue_out", "head_events", "gestures", "self_touch", "backchannels"), ""
    ),
    "looks_at": "looks at ",
    "mutual_gaze": "eye contact with ",
}
"""Tiers whose intervals are events, to be shown while they last and a moment longer, and what is said before their labels."""

PLOTS = (
    ("mouth", "face", ("jawOpen",), (0.0, 0.6)),
    ("smile", "face", ("mouthSmileLeft", "mouthSmileRight"), (0.0, 1.0)),
    ("head yaw", "head", ("yaw",), (-30.0, 30.0)),
    ("head pitch", "head", ("pitch",), (-25.0, 25.0)),
    ("gaze yaw", "gaze", ("yaw",), (-30.0, 30.0)),
    ("brows", "face", ("browInnerUp",), (0.0, 1.0)),
)
"""Label, track, columns whose mean is drawn, and the range that fills a plot."""


class Seen:
    """A person's tracks, asked by time in seconds.

    Parameters
    ----------
    name
        The person's name.
    performance
        With any of the tracks that reading gives.
    """

    def __init__(self, name: str, performance: Performance) -> None:
        self.name, self.performance = name, performance
        self.plots = [p for p in PLOTS if self._has(p[1], p[2])]

    def _has(self, track: str, columns: tuple[str, ...]) -> bool:
        found = self.performance.get(track)
        return isinstance(found, (Face, Signal)) and len(found) > 0 and set(columns) <= set(found.names)

    def _index(self, track: Any, time: float) -> int | None:
        index = int(np.floor((time - track.start) * float(track.fps) + 0.5))
        return index if 0 <= index < len(track) else None

    def points(self, name: str, time: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
        """(N, 2) pixels and (N,) which of them are sure, or None where there are none."""
        track = self.performance.get(name)
        if not isinstance(track, Points) or (index := self._index(track, time)) is None:
            return None
        sure = np.ones(len(track.names), bool)
        if track.confidence is not None:
            sure = track.confidence[index] >= SURE
        return (track.values[index, :, :2], sure) if sure.any() else None

    def signal(self, name: str, time: float) -> dict[str, float] | None:
        """A signal's values by name, or None where it is not sure."""
        track = self.performance.get(name)
        if not isinstance(track, (Signal, Face)) or (index := self._index(track, time)) is None:
            return None
        confidence = getattr(track, "confidence", None)
        if confidence is not None and confidence[index].size and confidence[index].max() < SURE:
            return None
        return dict(zip(track.names, track.values[index].tolist(), strict=True))

    def box(self, time: float) -> tuple[float, float, float, float] | None:
        """The face's left, top, right and bottom in pixels."""
        found = self.signal("face_box", time)
        if found is None or not {"x", "y", "width", "height"} <= set(found) or found["width"] <= 0:
            return None
        x, y = found["x"], found["y"]
        return x, y, x + found["width"], y + found["height"]

    def label(self, tier: str, time: float) -> Interval | None:
        """The interval of a tier at a time."""
        return self.performance.tier(tier).at(time)

    def events(self, time: float, *, fade: float = 0.8) -> list[tuple[str, float]]:
        """Labels of what happens, each with 1 while it lasts and less until ``fade`` seconds after."""
        out: dict[str, float] = {}
        for name, before in EVENTS.items():
            track = self.performance.get(name)
            if isinstance(track, Tier):
                for i in track.slice(max(0.0, time - fade), time + 1e-6):
                    left = 1.0 if i.end >= time else 1.0 - (time - i.end) / fade
                    if i.label and not i.label.startswith("unknown"):
                        told = before + i.label.replace("_", " ")
                        out[told] = max(out.get(told, 0.0), left)
        return sorted(out.items(), key=lambda pair: -pair[1])

    def units(self, time: float, *, least: float = 0.15) -> list[tuple[str, float]]:
        """The action units that are active, the strongest first."""
        found = self.signal("action_units", time) or {}
        return sorted(((n, v) for n, v in found.items() if v >= least), key=lambda pair: -pair[1])

    def curve(self, plot: tuple[str, str, tuple[str, ...], tuple[float, float]], start: float, end: float):
        """(N,) times and (N,) values between 0 and 1 of a plot over some seconds."""
        _, name, columns, (low, high) = plot
        part = self.performance[name].slice(max(start, 0.0), max(end, 0.0))
        places = [part.names.index(c) for c in columns]
        values = part.values[:, places].mean(axis=1)
        return part.times, np.clip((values - low) / (high - low), 0, 1)
