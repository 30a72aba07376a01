"""One body out of many motions: parts of a sequence joined, and motions of single parts of the body laid over.

Every part of a sequence is a :class:`Segment`: the trunk and legs of a person who stands (as the behaviour room
performs it) or of an excerpt of the library. Segments meet at a boundary with one heading and one place of the hips
and are blended around it; feet that must get from where the one leaves them to where the other wants them do so by
a step, one after the other. What arms, trunk and head do besides comes from other motions, cross-faded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.rig import maya
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.stage._action_feet import Feet, feet_of
from kinesics.stage._action_library import FPS as CLIP_FPS
from kinesics.stage._action_library import JOINTS, Clip, forward, heading, yawed

Array = NDArray[np.float64]
FPS = 60
MARGIN = 45
"""Frames by which a segment is played beyond both its ends, for blending."""
SPINE = [INDEX[b] for b in ("spine", "chest", "upperChest")]
HEAD = [INDEX[b] for b in ("neck", "head")]
ARMS = {
    side: [INDEX[side + b] for b in ("Shoulder", "UpperArm", "LowerArm", "Hand")]
    for side in ("left", "right")
}
FADE = 0.3
"""Seconds of a blend where no foot has far to go, and of what is laid over (ours)."""
STAYS = 0.015
"""Metres below which a foot that stands before and after a boundary is not moved (ours)."""
_SLOW = 0.4  # part of its speed with which walking begins and ends


def ease(x: Array) -> Array:
    """0 to 1 with speed and acceleration 0 at both ends."""
    x = np.clip(x, 0, 1)
    return x * x * x * (10 + x * (6 * x - 15))


@dataclass
class Segment:
    """What the whole body does from frame ``first`` to ``last`` (not included), 60 frames a second.

    Parameters
    ----------
    first, last
        Frames of the result.
    clip
        The excerpt that is played; None where the person stands.
    origin
        Second of the clip at the first frame.
    speed
        Seconds of the clip for each frame of ``[first - MARGIN, last + MARGIN)``; empty when standing.
    bend
        Radians by which the way bends to the left in all.
    turn
        Radians by which the person turns to the left at the segment's beginning.
    arms
        Factor on how far the arms swing.
    """

    first: int
    last: int
    clip: Clip | None = None
    origin: float = 0.0
    speed: Array = field(default_factory=lambda: np.zeros(0))
    bend: float = 0.0
    turn: float = 0.0
    arms: float = 1.0

    @property
    def frames(self) -> Array:
        """The frames that are played, with the margins."""
        return np.arange(self.first - MARGIN, self.last + MARGIN)

    def play(self, standing: tuple[Array, Array]) -> tuple[Array, Array, Array]:
        """Rotations (n, 22, 4), root and contacts over :attr:`frames`."""
        if self.clip is None:
            rotations, root = standing
            frames = np.clip(self.frames, 0, len(root) - 1)
            return rotations[frames, :JOINTS], root[frames], np.ones((len(frames), 4))
        times = np.cumsum(self.speed) - self.speed
        rotations, root, contacts = self.clip.at(times - times[MARGIN] + self.origin)
        if self.arms != 1:
            joints = ARMS["left"] + ARMS["right"]
            middle = rot.normalise(self.clip.rotations[:, joints].mean(axis=0))
            away = rot.to_rotvec(rot.multiply(rot.conjugate(middle), rotations[:, joints]))
            rotations[:, joints] = rot.multiply(middle, rot.from_rotvec(self.arms * away))
        if self.bend:
            rotations, root = self._bent(rotations, root)
        return rotations, root, contacts

    def _bent(self, rotations: Array, root: Array) -> tuple[Array, Array]:
        """The same steps on a way that bends."""
        part = (self.frames - self.first) / max(self.last - self.first, 1)
        angle = self.bend * _even(part)
        steps = np.diff(root, axis=0)
        between = 0.5 * (angle[1:] + angle[:-1])
        root = np.concatenate([root[:1], rot.rotate(yawed(between), steps)]).cumsum(axis=0)
        rotations = rotations.copy()
        rotations[:, 0] = rot.multiply(yawed(angle), rotations[:, 0])
        return rotations, root


def _even(part: Array) -> Array:
    """0 to 1, straight but for the ends."""
    soft = 0.15
    x = np.clip(part, 0, 1)
    middle = (x - soft / 2) / (1 - soft)
    early = x * x / (2 * soft * (1 - soft))
    late = 1 - (1 - x) ** 2 / (2 * soft * (1 - soft))
    return np.where(x < soft, early, np.where(x > 1 - soft, late, middle))


def stand_for(first: int, frames: int, *, turn: float = 0.0) -> Segment:
    """A segment of standing."""
    return Segment(first, first + frames, turn=turn)


def once(clip: Clip, first: int, *, rate: float) -> Segment:
    """A segment in which a clip is played from its beginning to its end; its ends lie within the blends."""
    lead = 0.5 * FADE
    count = max(round((clip.seconds / rate - 2 * lead) * FPS), round(0.5 * FPS))
    step = (clip.seconds - 2 * lead * rate) / count
    return Segment(first, first + count, clip, lead * rate, np.full(count + 2 * MARGIN, step))


def steps(
    clip: Clip, first: int, *, seconds: float, rate: float, entry: int, ramps: tuple[bool, bool]
) -> Segment:
    """A segment of a cycle that lasts about ``seconds``, from one of its quiet frames to another.

    Parameters
    ----------
    clip
        A cycle.
    first
        Frame at which it begins.
    seconds, rate
        How long it should last, and how fast it is played.
    entry
        Which of the quiet frames it begins with.
    ramps
        Whether it starts out of standing, and ends in standing: it is then slow at first, and at last.
    """
    cycle = clip.seconds
    quiet = np.array(clip.quiet) / CLIP_FPS
    begin = quiet[entry % len(quiet)]
    # Who is faster takes longer to get there, and to stop.
    ramp = 0.4 + 0.13 * float(np.hypot(*(clip.root[-1] - clip.root[0])[[0, 2]])) / cycle
    slowed = ramp * (1 - _SLOW) / 2 * sum(ramps)
    wanted = max((seconds - slowed) * rate, 0.3 * cycle)
    ends = (quiet[:, None] - begin + cycle * np.arange(1 + int(np.ceil(wanted / cycle)) + 1)).ravel()
    ends = ends[ends > 0.3 * min(cycle, 1.0)]
    length = float(ends[np.abs(ends - wanted).argmin()])
    count = max(round((length / rate + slowed) * FPS), round(0.7 * FPS))
    frame = np.arange(-MARGIN, count + MARGIN)
    speed = np.ones(len(frame))
    if ramps[0]:
        speed *= _SLOW + (1 - _SLOW) * ease(frame / (ramp * FPS))
    if ramps[1]:
        speed *= _SLOW + (1 - _SLOW) * ease((count - frame) / (ramp * FPS))
    speed *= length / speed[MARGIN : MARGIN + count].sum()
    return Segment(first, first + count, clip, begin, speed)


@dataclass
class _Placed:
    """A segment in its place: frames ``first`` on."""

    first: int
    rotations: Array
    root: Array
    feet: Feet

    def at(self, frame: int) -> int:
        return min(max(frame - self.first, 0), len(self.root) - 1)


def joined(
    segments: Sequence[Segment], standing: tuple[Array, Array], skeleton: Skeleton, *, facing: float = 0.0
) -> tuple[Array, Array, Feet, list[tuple[int, int]]]:
    """One motion out of segments that follow each other.

    Parameters
    ----------
    segments
        The first begins at frame 0, each other where the one before ends.
    standing
        Rotations (T, 55, 4) and root (T, 3) of the person who stands, 60 frames a second.
    skeleton
        Whose body it is.
    facing
        Radians to the left of +Z, to begin with.

    Returns
    -------
    rotations, root, feet
        (T, 22, 4), (T, 3) and where the feet should be.
    blends
        First and last frame of every blend.
    """
    count = segments[-1].last
    placed: list[_Placed] = []
    for k, segment in enumerate(segments):
        placed.append(_place(segment, placed[-1] if k else None, standing, skeleton, facing))
    spans = _spans(segments, placed)
    rotations, root = np.empty((count, JOINTS, 4)), np.empty((count, 3))
    feet = Feet(np.empty((count, 2, 3)), np.empty((count, 2, 4)), np.empty((count, 4)))
    for k in range(len(segments)):
        start, stop = (0 if k == 0 else spans[k - 1][1]), (count if k + 1 == len(segments) else spans[k][0])
        _copy(placed[k], start, stop, rotations, root, feet)
        if k + 1 < len(segments):
            _blend(placed[k], placed[k + 1], spans[k], segments[k + 1], rotations, root, feet)
    return rotations, root, feet, spans


def _place(
    segment: Segment, before: _Placed | None, standing: tuple[Array, Array], skeleton: Skeleton, facing: float
) -> _Placed:
    rotations, root, contacts = segment.play(standing)
    if segment.clip is not None:
        root = root * (skeleton.offsets[0, 1] / _hips_height())
    _, turns = forward(skeleton, rotations[MARGIN : MARGIN + 1], root[MARGIN : MARGIN + 1])
    angle, spot = facing, np.zeros(3)
    if before is not None:
        k = before.at(segment.first)
        _, theirs = forward(skeleton, before.rotations[k : k + 1], before.root[k : k + 1])
        angle, spot = float(heading(theirs)[0]) + segment.turn, before.root[k] * [1, 0, 1]
    angle -= float(heading(turns)[0])
    rotations = rotations.copy()
    rotations[:, 0] = rot.multiply(yawed(angle), rotations[:, 0])
    root = rot.rotate(yawed(angle), root - root[MARGIN] * [1, 0, 1]) + spot
    placed = _Placed(segment.first - MARGIN, rotations, root, feet_of(skeleton, rotations, root, contacts))
    if before is not None:
        # A foot that stands before and after stays where it is; the hips shift over it.
        both = _stands(before, k) * _stands(placed, MARGIN)
        gap = (before.feet.ankles[k] - placed.feet.ankles[MARGIN]) * [1, 0, 1]
        shift = both @ gap / max(float(both.sum()), 0.5)
        placed.root += shift
        placed.feet.ankles += shift
    return placed


def _stands(a: _Placed, k: int) -> Array:
    """(2,) how surely each foot stands in the segment's frame ``k``."""
    return a.feet.contacts[k].reshape(2, 2).max(axis=1)


def _hips_height() -> float:
    return float(maya().offsets[0, 1])


def _spans(segments: Sequence[Segment], placed: Sequence[_Placed]) -> list[tuple[int, int]]:
    """Frames between which each pair of neighbours is blended: the longer, the farther a foot has to go."""
    out = []
    for k in range(1, len(segments)):
        at, a, b = segments[k].first, placed[k - 1], placed[k]
        i, j = a.at(at), b.at(at)
        way = float(np.linalg.norm((a.feet.ankles[i] - b.feet.ankles[j])[:, [0, 2]], axis=1).max())
        moving = _travels(segments[k - 1]) and _travels(segments[k])
        seconds = FADE if way < 0.04 or moving else float(np.clip(0.5 + way, 0.5, 0.85))
        if segments[k].turn:
            seconds = 0.55 + 0.45 * abs(segments[k].turn)
        # What one blend takes of a segment the next cannot have; one that follows gets a little at least.
        before = segments[k - 1].last - (out[-1][1] if out else segments[k - 1].first)
        after = segments[k].last - at - (round(0.5 * FADE * FPS) if k + 1 < len(segments) else 0)
        half = max(min(round(0.5 * seconds * FPS), before, after, MARGIN - 1), 1)
        out.append((at - half, at + half))
    return out


def _travels(segment: Segment) -> bool:
    clip = segment.clip
    return clip is not None and clip.loop and float(np.hypot(*(clip.root[-1] - clip.root[0])[[0, 2]])) > 0.3


def _copy(a: _Placed, start: int, stop: int, rotations: Array, root: Array, feet: Feet) -> None:
    part = slice(start - a.first, stop - a.first)
    rotations[start:stop], root[start:stop] = a.rotations[part], a.root[part]
    feet.ankles[start:stop], feet.turns[start:stop] = a.feet.ankles[part], a.feet.turns[part]
    feet.contacts[start:stop] = a.feet.contacts[part]


def _blend(
    a: _Placed, b: _Placed, span: tuple[int, int], segment: Segment, rotations: Array, root: Array, feet: Feet
) -> None:
    start, stop = span
    i, j = slice(start - a.first, stop - a.first), slice(start - b.first, stop - b.first)
    part = (np.arange(start, stop) + 0.5 - start) / (stop - start)
    w = ease(part)
    rotations[start:stop] = crossed(a.rotations[i], b.rotations[j], w)
    root[start:stop] = a.root[i] + w[:, None] * (b.root[j] - a.root[i])
    here, there = a.at(segment.first), b.at(segment.first)
    ways = np.linalg.norm((a.feet.ankles[here] - b.feet.ankles[there])[:, [0, 2]], axis=1)
    stays = (ways < STAYS) & (_stands(a, here) > 0.5) & (_stands(b, there) > 0.5)
    # Two feet that have far to go take turns.
    turns = not stays.any() and (stop - start) > 1.2 * FADE * FPS
    first = _first_foot(a, start, ways, segment.turn)
    for k in range(2):
        window = part if not turns else (part - (0.04 if k == first else 0.46)) / 0.5
        wk = ease(window)
        c = slice(2 * k, 2 * k + 2)
        ankle = a.feet.ankles[i, k] + wk[:, None] * (b.feet.ankles[j, k] - a.feet.ankles[i, k])
        if not stays[k]:
            ankle[:, 1] += np.clip(0.35 * ways[k], 0, 0.075) * np.sin(np.pi * np.clip(window, 0, 1)) ** 2
        feet.ankles[start:stop, k] = ankle
        feet.turns[start:stop, k] = crossed(a.feet.turns[i, k], b.feet.turns[j, k], wk)
        sharp = 1 if stays[k] else 12
        leave, land = np.clip(1 - wk * sharp, 0, 1)[:, None], np.clip(1 - (1 - wk) * sharp, 0, 1)[:, None]
        feet.contacts[start:stop, c] = leave * a.feet.contacts[i, c] + land * b.feet.contacts[j, c]


def _first_foot(a: _Placed, start: int, ways: Array, turn: float) -> int:
    """The foot that steps first: one in the air; else towards a turn; else the one that has farther to go."""
    sure = _stands(a, a.at(start))
    if abs(sure[0] - sure[1]) > 0.5:
        return int(sure.argmin())
    if turn:
        return 0 if turn > 0 else 1
    return int(np.argmax(ways))


def crossed(a: Array, b: Array, weight: Array) -> Array:
    """Rotations that go over from ``a`` (T, ..., 4) to ``b`` by ``weight`` (T,).

    Where both move, the shorter way from one to the other may change sides; half-way that would be a jump. So the
    side is chosen once, in the middle of each change.
    """
    a, b = rot.continuous(a), rot.continuous(b)
    dot = np.sum(a * b, axis=-1)
    going = (weight > 0) & (weight < 1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], going, [False]]).astype(int)))
    side = np.where(dot < 0, -1.0, 1.0)
    for first, last in edges.reshape(-1, 2):
        side[first:last] = side[first + int(np.abs(weight[first:last] - 0.5).argmin())]
    dot = np.clip(dot * side, -1, 1)
    angle = np.arccos(dot)
    sine = np.sin(angle)
    w = np.broadcast_to(weight.reshape(-1, *[1] * (dot.ndim - 1)), dot.shape)
    near = sine < 1e-4
    safe = np.where(near, 1.0, sine)
    wa, wb = (
        np.where(near, 1 - w, np.sin((1 - w) * angle) / safe),
        np.where(near, w, np.sin(w * angle) / safe),
    )
    return rot.normalise(wa[..., None] * a + (wb * side)[..., None] * b)


def lay_over(rotations: Array, other: Array, joints: Sequence[int], weight: Array) -> None:
    """Cross-fade some joints of ``rotations`` (T, 22, 4) to ``other``'s, in place, by ``weight`` (T,)."""
    if weight.any():
        rotations[:, joints] = crossed(rotations[:, joints], other[:, joints], weight)


def add_turn(rotations: Array, other: Array, joints: Sequence[int], weight: Array) -> None:
    """Turn some joints besides by ``weight`` (T,) of what they turn in ``other``, in place."""
    still = np.broadcast_to(rot.IDENTITY, rotations[:, joints].shape)
    w = np.broadcast_to(weight[:, None], (len(weight), len(joints)))
    rotations[:, joints] = rot.multiply(rotations[:, joints], rot.slerp(still, other[:, joints], w))
