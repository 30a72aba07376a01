"""The library of short motions: steps that repeat and things done once, from CMU's motion capture.

Sixty excerpts on the canonical humanoid, 22 joints at 30 frames a second, written by ``scripts/build_actions.py``.
The data was obtained from mocap.cs.cmu.edu; the database was created with funding from NSF EIA-0196217.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX, mirror_index
from kinesics.bodies.rig import HEEL, SIDES, maya
from kinesics.geometry import rotations as rot
from kinesics.geometry.retarget import smoothed
from kinesics.geometry.skeleton import Skeleton

Array = NDArray[np.float64]
FPS = 30
JOINTS = 22
"""Hips to hands: the captures know neither fingers nor eyes."""
ANKLES = [INDEX[f"{side}Foot"] for side in SIDES]
ATTRIBUTION = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)
_TURN, _WAY = 32767, 4000
_UP = np.array([0.0, 1.0, 0.0])
_FLIP = np.array([1.0, 1.0, -1.0, -1.0])


@dataclass(frozen=True, eq=False)
class Clip:
    """One excerpt, facing +Z at its beginning and beginning above the origin.

    Parameters
    ----------
    action, take
        What is done, and CMU's number of the take.
    loop
        Whether it is a cycle: the last frame is the first one's pose again, moved on.
    rotations, root
        (T, 22, 4) local rotations and (T, 3) metres, 30 frames a second, on :func:`maya`'s skeleton.
    contacts
        (T, 4) how surely heel and ball of the left foot, then of the right one, stand, 0 to 1.
    quiet
        Frames at which a cycle is best entered and left: where the pose is most like standing.
    """

    action: str
    take: str
    loop: bool
    rotations: Array
    root: Array
    contacts: Array
    quiet: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """Length of the clip, or of one cycle."""
        return (len(self.root) - 1) / FPS

    def at(self, seconds: Array) -> tuple[Array, Array, Array]:
        """Rotations (n, 22, 4), root (n, 3) and contacts (n, 4) at any times.

        Cubic between frames. A cycle goes on for ever in both directions; what is done once holds its ends.
        """
        position = np.asarray(seconds, dtype=np.float64) * FPS
        last = len(self.root) - 1
        if not self.loop:
            position = np.clip(position, 0, last)
        low = np.floor(position).astype(int)
        part = (position - low)[:, None]
        q, p, c = [], [], []
        for step in (-1, 0, 1, 2):
            frame = low + step
            if self.loop:
                round_, frame = frame // last, frame % last
                p.append(self.root[frame] + round_[:, None] * (self.root[-1] - self.root[0]))
            else:
                frame = np.clip(frame, 0, last)
                p.append(self.root[frame])
            q.append(self.rotations[frame])
            c.append(self.contacts[frame])
        for k in (0, 2, 3):
            q[k] = q[k] * np.where(np.sum(q[k] * q[1], axis=-1, keepdims=True) < 0, -1, 1)
        weights = _catmull(part)
        rotations = rot.normalise(sum(w[..., None] * x for w, x in zip(weights, q, strict=True)))
        root = sum(w * x for w, x in zip(weights, p, strict=True))
        return rotations, np.asarray(root), c[1] + part * (c[2] - c[1])

    def mirrored(self) -> Clip:
        """The same with left and right exchanged."""
        other = mirror_index()[:JOINTS]
        return Clip(
            _other_side(self.action), self.take, self.loop, self.rotations[:, other] * _FLIP,
            self.root * [-1, 1, 1], self.contacts[:, [2, 3, 0, 1]], self.quiet,
        )  # fmt: skip


def _other_side(action: str) -> str:
    swap = {"left": "right", "right": "left"}
    return " ".join(swap.get(word, word) for word in action.split())


def _catmull(t: Array) -> tuple[Array, Array, Array, Array]:
    """Weights of four neighbours for a cubic through the middle two."""
    return (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )


@functools.lru_cache(maxsize=1)
def library() -> dict[str, tuple[Clip, ...]]:
    """All clips by action; what is told of a side is there for the other side too."""
    with (resources.files("kinesics.stage") / "data" / "actions.npz").open("rb") as file:
        data = np.load(file, allow_pickle=False)
        about = json.loads(data["about"].tobytes())
        planes, root = data["rotations"], data["root"].astype(np.float64) / _WAY
    steps = np.ascontiguousarray(np.stack([planes[0], planes[1]], axis=-1)).view("<i2")[..., 0]
    turns = np.cumsum(steps.T, axis=0, dtype=np.int16).reshape(-1, JOINTS, 4)
    rotations = rot.normalise(turns.astype(np.float64) / _TURN)
    out: dict[str, list[Clip]] = {}
    first = 0
    for row in about:
        part = slice(first, first + row["frames"])
        first += row["frames"]
        clip = _clip(row["action"], row["take"], row["loop"], rotations[part], root[part])
        out.setdefault(clip.action, []).append(clip)
        # A mirror image is another take of the same action, or of the same action to the other side.
        twin = clip.mirrored()
        out.setdefault(twin.action, []).append(twin)
    return {action: tuple(clips) for action, clips in out.items()}


def _clip(action: str, take: str, loop: bool, rotations: Array, root: Array) -> Clip:
    places, turns = forward(maya(), rotations, root)
    points = soles(maya(), places[:, ANKLES], turns[:, ANKLES])
    if loop:  # what is smoothed and differentiated goes round
        turn = points[-1] - points[0]
        rounds = np.concatenate([points[:-1] - turn, points[:-1], points + turn])
        way = float(np.hypot(*(root[-1] - root[0])[[0, 2]]))
        # Who runs has no time to stand: what is slow is slow beside the body.
        slow = max(0.4, 0.25 * way * FPS / (len(root) - 1))
        stands = standing(rounds, FPS, slow)[len(points) - 1 : 2 * len(points) - 1]
        quiet = _quiet(places[:-1], heading(turns)[:-1], way)
    else:
        stands, quiet = standing(points, FPS), (0,)
    return Clip(action, take, loop, rotations, root, stands, quiet)


def _quiet(places: Array, facing: Array, way: float) -> tuple[int, ...]:
    """Frames of a cycle that are most like standing: feet side by side; in place, facing on with hands low."""
    if way < 0.3:
        hands = places[:, [INDEX["leftHand"], INDEX["rightHand"]], 1].mean(axis=1)
        feet = places[:, ANKLES, 1].max(axis=1)
        return (int((hands + 0.5 * np.abs(facing) + 2 * feet).argmin()),)
    apart = np.linalg.norm(np.diff(places[:, ANKLES], axis=1)[:, 0, [0, 2]], axis=1)
    dips = (apart <= np.roll(apart, 1)) & (apart < np.roll(apart, -1)) & (apart < apart.min() + 0.12)
    return tuple(int(i) for i in np.flatnonzero(dips))


def forward(skeleton: Skeleton, rotations: Array, root: Array) -> tuple[Array, Array]:
    """World positions and orientations (T, 22, ...) of the joints from hips to hands."""
    full = np.broadcast_to(rot.IDENTITY, (len(rotations), 55, 4)).astype(np.float64)
    full[:, :JOINTS] = rotations[:, :JOINTS]
    places, turns = skeleton.forward(full, root)
    return places[:, :JOINTS], turns[:, :JOINTS]


def soles(skeleton: Skeleton, ankles: Array, turns: Array) -> Array:
    """(T, 4, 3) heel and ball of the left foot, then of the right one, on the underside.

    From ankles (T, 2, 3) and world turns (T, 2, 4) of the feet.
    """
    leg = float(np.linalg.norm(skeleton.offsets[[INDEX["leftLowerLeg"], INDEX["leftFoot"]]], axis=1).sum())
    rest = skeleton.rest.astype(np.float64)
    out = []
    for k, side in enumerate(SIDES):
        height = rest[INDEX[f"{side}Foot"], 1]
        ball = skeleton.offsets[INDEX[f"{side}Toes"]] * [1.0, 0, 1] - [0, height, 0]
        for way in (np.array([0.0, -height, -HEEL * leg]), ball):
            out.append(ankles[:, k] + rot.rotate(turns[:, k], way))
    return np.stack(out, axis=1)


def standing(points: Array, fps: float, slow: float = 0.4) -> Array:
    """(T, 4) how surely points of the soles (T, 4, 3) stand: low, and slower than about ``slow`` m/s."""
    if len(points) < 2:
        return np.ones(points.shape[:2])
    speed = np.linalg.norm(np.gradient(points, 1 / fps, axis=0), axis=-1)
    sure = np.exp(-((speed / slow) ** 4) - (np.maximum(points[..., 1], 0) / 0.045) ** 4)
    return np.clip(1.6 * smoothed(sure, 0.03 * fps) - 0.3, 0, 1)


def heading(turns: Array) -> Array:
    """(T,) which way a person faces, radians to the left of +Z, from world turns of hips and chest."""
    way = rot.rotate(turns[:, INDEX["hips"]], [0.0, 0, 1]) + rot.rotate(
        turns[:, INDEX["upperChest"]], [0.0, 0, 1]
    )
    return np.unwrap(np.arctan2(way[:, 0], way[:, 2]))


def yawed(angle: Array | float) -> Array:
    """Rotation to the left about the vertical."""
    return rot.from_axis_angle(_UP, angle)
