"""What the systems see that move the upper body at 15 frames per second: BEAT's joints or ours, sound, emotion.

**Layouts.** ``"canonical"``: of the 55 joints the trunk above the hips, head, arms and fingers, in 6-D.
``"beat"``: the 47 joints of BEAT's ``spine_neck_141``, to whose skeleton motions are retargeted and back.
The spine's upper joints and the head are not among them (in BEAT's files they hardly turn): their turns are
folded into the joint before them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError, choose
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Audio, Motion, Performance, Tier
from kinesics.systems import _features as features

FPS = 15
EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
MOVED = (3, 6, 9, *range(12, 22), *range(25, 55))
"""Canonical joints that these systems move, whatever their layout; the rest is left as it was."""

_FOLDED = {"Spine": ("Spine1", "Spine2", "Spine3"), "Neck1": ("Head",)}

_FINGERS = ("Middle1 Middle2 Middle3 Ring Ring1 Ring2 Ring3 Pinky Pinky1 Pinky2 Pinky3 Index Index1 Index2 Index3 "
            "Thumb1 Thumb2 Thumb3").split()  # fmt: skip


def _beat_hand(side: str) -> tuple[str, ...]:
    return (f"{side}Hand", *(f"{side}Hand{finger}" for finger in _FINGERS))


def _beat_arm(side: str) -> tuple[str, ...]:
    return f"{side}Shoulder", f"{side}Arm", f"{side}ForeArm"


@dataclass(frozen=True)
class Layout:
    """Which joints, and how their rotations are written.

    Parameters
    ----------
    skeleton
        ``"humanoid"`` or another that retargeting knows.
    body, hands
        Names of joints; a wrist belongs to its hand, as in BEAT.
    rotation
        ``"six"`` (6-D) or ``"euler"`` (intrinsic XYZ, degrees).
    """

    skeleton: str
    body: tuple[str, ...]
    hands: tuple[str, ...]
    rotation: str

    @property
    def per_joint(self) -> int:
        """Numbers of one joint."""
        return 6 if self.rotation == "six" else 3

    @property
    def channels(self) -> tuple[int, int]:
        """Numbers of the body and of the hands, which follow one another."""
        return self.per_joint * len(self.body), self.per_joint * len(self.hands)


def layout(name: str, rotation: str) -> Layout:
    """The layout ``"canonical"`` or ``"beat"``.

    >>> sum(layout("beat", "euler").channels), sum(layout("beat", "six").channels)
    (141, 282)
    """
    choose("rotation", rotation, ("six", "euler"))
    if choose("layout", name, ("canonical", "beat")) == "beat":
        body = ("Spine", "Neck", "Neck1", *_beat_arm("Right"), *_beat_arm("Left"))
        return Layout("beat", body, (*_beat_hand("Right"), *_beat_hand("Left")), rotation)
    hands = ("leftHand", "rightHand", *JOINTS[25:])
    return Layout("humanoid", tuple(name for j in MOVED if (name := JOINTS[j]) not in hands), hands, rotation)


def seen(motion: Motion, form: Layout) -> NDArray[np.float32]:
    """(T, channels) of a motion at 15 frames per second."""
    motion = features.canonical(motion, FPS)
    if form.skeleton != "humanoid":
        from kinesics.bodies.retarget import retarget

        motion = retarget(motion, form.skeleton)
    turned = {name: motion.joint(name) for name in (*form.body, *form.hands)}
    for name, others in _FOLDED.items() if form.skeleton == "beat" else ():
        for other in others:
            turned[name] = rot.multiply(turned[name], motion.joint(other))
    turned = np.stack(list(turned.values()), axis=1)
    values = rot.to_6d(turned) if form.rotation == "six" else np.degrees(rot.to_euler(turned, "XYZ"))
    return values.reshape(len(motion), -1).astype(np.float32)


def shown(values: NDArray, form: Layout, skeleton: Skeleton, base: Motion | None) -> Motion:
    """The motion of :func:`seen`.

    Parameters
    ----------
    values
        (T, channels).
    form
        Their layout.
    skeleton
        The 55 canonical joints.
    base
        What hips, legs and eyes do meanwhile, and where the body is; None: it stands at rest.
    """
    count, joints = len(values), (*form.body, *form.hands)
    values = values.reshape(count, len(joints), form.per_joint)
    made = rot.from_6d(values) if form.rotation == "six" else rot.from_euler(np.radians(values), "XYZ")
    if form.skeleton != "humanoid":
        from kinesics.bodies.retarget import retarget
        from kinesics.bodies.retarget import skeleton as known

        other = known(form.skeleton, like=skeleton)
        rotations = np.tile(rot.IDENTITY, (count, len(other), 1))
        rotations[:, [other.index(name) for name in joints]] = made
        root = np.tile(other.offsets[0], (count, 1))
        made = retarget(Motion(other, rotations, root, FPS), skeleton, source=form.skeleton).rotations[
            :, list(MOVED)
        ]
        joints = tuple(JOINTS[j] for j in MOVED)
    rotations = np.tile(rot.IDENTITY, (count, len(skeleton), 1)).astype(np.float32)
    root = np.tile(skeleton.offsets[0], (count, 1)).astype(np.float32)
    if base is not None and len(base):
        below = features.canonical(base, base.fps).on(skeleton).at(np.arange(count) / FPS)
        rotations, root = below.rotations.copy(), below.root
    rotations[:, [skeleton.index(name) for name in joints]] = made
    return Motion(skeleton, rotations, root, FPS)


def samples(speech: Audio, frames: int, rate: int) -> NDArray[np.float32]:
    """(frames · rate / 15, 1) of speech from second 0 on, silence where there is none."""
    sound = speech.mono().resample(rate)
    out = np.zeros(frames * rate // FPS, np.float32)
    first = round(sound.start * rate)
    part = sound.samples[max(-first, 0) :][: max(len(out) - max(first, 0), 0)]
    out[max(first, 0) : max(first, 0) + len(part)] = part
    return out[:, None]


def sound(speech: Audio | None, frames: int, rate: int, *, wave: bool) -> NDArray[np.float32]:
    """(frames · rate / 15, 1) samples, or (…, 2) loudness envelope and onsets; zeros without speech."""
    if speech is None:
        return np.zeros((frames * rate // FPS, 1 if wave else 2), np.float32)
    return samples(speech, frames, rate) if wave else features.envelope(speech, frames, fps=FPS, rate=rate)


def emotion_numbers(tier: Tier, frames: int) -> NDArray[np.int64]:
    """(frames,) number of the emotion among :data:`EMOTIONS`; neutral where none is told."""
    out = np.zeros(frames, np.int64)
    for interval in tier:
        out[_span(interval.start, interval.end, frames)] = EMOTIONS.index(
            choose("emotion", interval.label, EMOTIONS)
        )
    return out


def scores(tier: Tier, frames: int) -> NDArray[np.float32]:
    """(frames,) value of a tier, 0 to 1, where it has intervals, 1 for those without one, and 0 elsewhere."""
    out = np.zeros(frames, np.float32)
    for interval in tier:
        out[_span(interval.start, interval.end, frames)] = np.clip(
            1.0 if interval.value is None else interval.value, 0, 1
        )
    return out


def _span(start: float, end: float, frames: int) -> slice:
    return slice(min(max(math.floor(start * FPS), 0), frames), min(max(math.ceil(end * FPS), 0), frames))


def frames_of(performance: Performance, needed: str) -> int:
    """Frames at 15 fps from second 0 to the performance's end; a DataError if there are none."""
    frames = math.ceil(Fraction(performance.duration) * FPS - Fraction(1, 1000))
    if frames < 1:
        raise DataError(f"the {needed} is empty; there is nothing to move to")
    return frames


def lead_of(start: Motion | None, count: int, form: Layout) -> NDArray[np.float32] | None:
    """The last ``count`` frames of a motion to go on from, or None."""
    if start is None:
        return None
    before = seen(start, form)
    if len(before) < count:
        raise DataError(f"start: {len(before)} frames at {FPS} fps; expected at least {count}")
    return before[-count:]
