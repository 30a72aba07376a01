"""A scene of two people in a small video, with everything in places that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kinesics.performance import Audio, Face, Interval, Performance, Points, Scene, Signal, Tier, Video
from tests.clips import make_clip

SIZE = (320, 240)
FPS = 25
FRAMES = 50


def person(left: float, *, emotion: str = "happy", sure: float = 0.9, yaw: float = 30.0) -> Performance:
    """A face in a box of 60 pixels at (left, 80), as an even grid of points; they look ``yaw`` degrees to their left."""
    box = np.tile([left, 80.0, 60.0, 60.0], (FRAMES, 1))
    grid = np.stack(np.meshgrid(np.linspace(0, 60, 24), np.linspace(0, 60, 20)), -1).reshape(-1, 2)[:478]
    grid[468:473] = [[20, 20], [23, 20], [20, 17], [17, 20], [20, 23]]
    grid[473:478] = [[40, 20], [43, 20], [40, 17], [37, 20], [40, 23]]
    places = np.concatenate([grid + [left, 80], np.zeros((478, 1))], axis=1)
    clock = {"fps": FPS}

    def confidence(columns: int) -> np.ndarray:
        return np.full((FRAMES, columns), sure)

    return Performance(
        {
            "face_box": Signal(
                box, ("x", "y", "width", "height"), ("px",) * 4, **clock, confidence=confidence(4)
            ),
            "landmarks": Points(
                np.tile(places, (FRAMES, 1, 1)),
                tuple(f"p{i}" for i in range(478)),
                frame="image",
                confidence=confidence(478),
                **clock,
            ),
            "gaze": Signal(
                np.tile([yaw, 0.0], (FRAMES, 1)),
                ("yaw", "pitch"),
                ("deg",) * 2,
                **clock,
                confidence=confidence(2),
            ),
            "action_units": Signal(
                np.tile([0.6, 0.05], (FRAMES, 1)),
                ("AU12", "AU04"),
                ("",) * 2,
                **clock,
                confidence=confidence(2),
            ),
            "face": Face(np.linspace(0, 1, FRAMES)[:, None], ("jawOpen",), **clock),
            "expression": Tier(
                "expression", [Interval(0, 1, emotion, 0.5, 0.8), Interval(1, 2, "unknown", None, 0.2)]
            ),
            "reasons": Tier("reasons", [Interval(0, 1, "AU12 is active: lip corners are pulled up.")]),
            "blinks": Tier("blinks", [Interval(0.4, 0.6, "blink")]),
        }
    )


def scene_of(folder: Path, *people: Performance, name: str = "zwei Leute.mp4", rotation: int = 0) -> Scene:
    """A scene with its video, two seconds long, with sound."""
    folder.mkdir(parents=True, exist_ok=True)
    sound = 0.3 * np.sin(np.arange(16000 * 2) / 6)
    size = SIZE if rotation % 180 == 0 else SIZE[::-1]
    path = make_clip(folder / name, range(FRAMES), rate=FPS, size=size, sound=sound, rotation=rotation)
    own = {f"person {k + 1}": p for k, p in enumerate(people)}
    return Scene(own, shared={"video": Video.load(path), "speech": Audio(sound, 16000)})
