"""The types that flow: tracks on one clock, a person's Performance, a Scene of several."""

from kinesics.performance.audio import Audio
from kinesics.performance.camera import Camera
from kinesics.performance.performance import Performance, Track
from kinesics.performance.plan import KINDS, SYNC_POINTS, Behaviour, Feedback, Plan, Sync
from kinesics.performance.scene import People, Scene
from kinesics.performance.tiers import Interval, Tier
from kinesics.performance.tracks import Face, Motion, Points, Signal
from kinesics.performance.video import Video

__all__ = [
    "KINDS",
    "SYNC_POINTS",
    "Audio",
    "Behaviour",
    "Camera",
    "Face",
    "Feedback",
    "Interval",
    "Motion",
    "People",
    "Performance",
    "Plan",
    "Points",
    "Scene",
    "Signal",
    "Sync",
    "Tier",
    "Track",
    "Video",
]
