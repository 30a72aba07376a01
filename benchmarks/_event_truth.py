"""Truths, controls and scores for ``benchmarks.events``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kinesics.bodies.avatar import Avatar, skin
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.performance import Behaviour, Interval, Motion, Performance, Plan, Sync
from kinesics.see._stream import Runs
from kinesics.see.gesture_phases import PLACES, SIDES
from kinesics.seeds import rng

Array = NDArray[np.float64]
PHASES = ("preparation", "stroke", "hold", "retraction")


class Score:
    """Matches between true and found intervals of one kind, over takes."""

    def __init__(self) -> None:
        self.hits = self.found = self.true = 0
        self.onsets: list[float] = []

    def add(self, true: Sequence[Interval], found: Sequence[Interval], *, overlap: float = 0.5) -> None:
        """Each found interval takes the true one that it shares most time with, of those still free."""
        free = list(true)
        for f in found:
            shares = [_iou(f, t) for t in free]
            if shares and max(shares) >= overlap:
                match = free.pop(int(np.argmax(shares)))
                self.hits += 1
                self.onsets.append(f.start - match.start)
        self.found += len(found)
        self.true += len(true)

    @property
    def f1(self) -> float:
        """Of intervals."""
        return 2 * self.hits / max(self.found + self.true, 1)

    @property
    def note(self) -> str:
        """Precision, recall, counts and the error of the onset."""
        onset = f", onset off by {1000 * np.mean(np.abs(self.onsets)):.0f} ms" if self.onsets else ""
        return (
            f"precision {self.hits / max(self.found, 1):.2f}, recall {self.hits / max(self.true, 1):.2f}, "
            f"{self.true} true, {self.found} found{onset}"
        )


def _iou(a: Interval, b: Interval) -> float:
    inside = min(a.end, b.end) - max(a.start, b.start)
    return inside / max(max(a.end, b.end) - min(a.start, b.start), 1e-9) if inside > 0 else 0.0


def plain(intervals: Sequence[Interval]) -> list[Interval]:
    """Phases as ``stroke L``, whatever kind of hold and gesture: of performed tiers and of found ones."""
    out = []
    for i in intervals:
        phase, _, rest = i.label.rpartition(" ")
        out.append(Interval(i.start, i.end, f"{phase.split()[-1]} {rest[-1]}", None, i.confidence))
    return out


def frames_of(intervals: Sequence[Interval], side: str, count: int) -> NDArray[np.int64]:
    """(count,) phase of every thirtieth of a second of one hand; 0 is rest, -1 unknown."""
    out = np.zeros(count, np.int64)
    for i in intervals:
        if i.label.endswith(side):
            name = i.label.split()[0]
            out[max(0, round(i.start * 30)) : max(0, round(i.end * 30))] = (
                PHASES.index(name) + 1 if name in PHASES else -1
            )
    return out


def speed_rule(places: Array, fps: float, *, still: float = 0.2) -> list[Interval]:
    """What speed alone says: the first movement prepares, the last one retracts, those between are strokes.

    Pauses shorter than a second between movements are holds. ``places`` is (T, P, 3).
    """
    out = []
    hips = places[:, PLACES.index("hips")]
    for side in SIDES:
        wrist = places[:, PLACES.index(f"{side}Hand")] - hips
        speed = np.linalg.norm(np.gradient(wrist, 1 / fps, axis=0), axis=1)
        # Movements between the least speeds, too: a hand that turns back slows down.
        runs = Runs(on=still, off=0.6 * still, fps=fps, shortest=0.1)
        moves = runs.push(np.arange(len(speed)) / fps, speed) + runs.finish()
        groups: list[list] = []
        for m in moves:
            if groups and m.start - groups[-1][-1].end < 1.0:
                groups[-1].append(m)
            else:
                groups.append([m])
        for group in groups:
            names = (
                ["stroke"]
                if len(group) == 1
                else ["preparation", *["stroke"] * (len(group) - 2), "retraction"]
            )
            for k, (m, name) in enumerate(zip(group, names, strict=True)):
                out.append(Interval(m.start, m.end, f"{name} {side[0].upper()}"))
                if k + 1 < len(group) and group[k + 1].start > m.end:
                    out.append(Interval(m.end, group[k + 1].start, f"hold {side[0].upper()}"))
    return out


def as_landmarks(places: Array, fps: float, metres: float, seed: int) -> tuple[Array, Array]:
    """Places as a tracker gives them: with noise, most of it slow, and hands that are lost now and then.

    Returns
    -------
    places
        (T, P, 3).
    sure
        (T, 2) confidence of the hands, near 0 where one is lost: it then stays where it was.
    """
    draw = rng(seed, "landmarks")
    slow = draw.normal(0, 1, places.shape)
    keep = float(np.exp(-1 / (0.15 * fps)))
    for k in range(1, len(slow)):
        slow[k] = keep * slow[k - 1] + np.sqrt(1 - keep**2) * slow[k]
    out = places + metres * (0.8 * slow + 0.6 * draw.normal(0, 1, places.shape))
    sure = np.full((len(places), 2), 0.9)
    for k, side in enumerate(SIDES):
        own = [i for i, n in enumerate(PLACES) if n.startswith(side) and not n.endswith("Arm")]
        for _ in range(round(len(places) / fps / 4)):
            a = int(draw.integers(1, max(2, len(places) - 1)))
            b = min(len(places), a + round(float(draw.uniform(0.1, 0.5)) * fps))
            out[a:b, own] = out[a - 1, own]
            sure[a:b, k] = 0.1
    return out, sure


# ---- self-touch


TOUCHING = (
    "QUIET",
    "HAND_ON_HEART",
    "SELF",
    "CHIN",
    "FOREHEAD",
    "CHEST_RUB",
    "HANDS_CLASP",
    "WAVE",
    "BIG",
    "HEAD_SCRATCH",
)
_PARTS = {"head": ("head", "jaw", "leftEye", "rightEye", "neck"), "torso": ("upperChest", "chest", "spine")}


def toucher(seed: int) -> Plan:
    """Gestures that touch the body, and some that do not."""
    draw, time, out = rng(seed, "toucher"), 1.5, []
    for k in range(10):
        name = TOUCHING[int(draw.integers(len(TOUCHING)))]
        attributes = {"lexeme": name}
        if name not in ("HANDS_CLASP", "BIG"):
            attributes["mode"] = ("LEFT_HAND", "RIGHT_HAND")[int(draw.integers(2))]
        out.append(Behaviour(f"g{k}", "gesture", {"stroke": Sync(time)}, attributes))
        time += float(draw.uniform(2, 4))
    return Plan(tuple(out), (), "REPLACE")


def touches_of(
    body: Motion, person: Avatar, *, fps: int = 12, near: float = 0.012
) -> dict[tuple[str, str], list[Interval]]:
    """Where the hand's skin is next to the head's, the trunk's or the other hand's, vertex by vertex.

    Returns
    -------
    dict
        (side or ``""``, ``head``, ``torso`` or ``hands``) → intervals.
    """
    main = np.take_along_axis(person.weight_index, person.weight_value.argmax(axis=1)[:, None], axis=1)[:, 0]
    moved_by = np.array(JOINTS)[main]
    skin_of = np.zeros(len(moved_by), bool)
    for part in person.parts:
        if part.name in ("head", "body", "shirt", "hair_cap", "hair"):
            skin_of[part.vertices] = True
    groups = {n: np.flatnonzero(skin_of & np.isin(moved_by, names)) for n, names in _PARTS.items()}
    for k, side in enumerate(SIDES):
        names = [JOINTS[INDEX[f"{side}Hand"]], *JOINTS[25 + 15 * k : 40 + 15 * k]]
        groups[side] = np.flatnonzero(skin_of & np.isin(moved_by, names))
    motion = body.resample(fps)
    gaps = {
        key: np.full(len(motion), 0.3) for key in [("", "hands"), *((s, p) for s in SIDES for p in _PARTS)]
    }
    for t in range(len(motion)):
        at = skin(person, motion.rotations[t], root=motion.root[t])
        for side in SIDES:
            tree = cKDTree(at[groups[side]])
            for part in _PARTS:
                gaps[side, part][t] = tree.query(at[groups[part]], distance_upper_bound=0.3)[0].min()
            if side == "left":
                gaps["", "hands"][t] = tree.query(at[groups["right"]], distance_upper_bound=0.3)[0].min()
    out = {}
    for key, gap in gaps.items():
        runs = Runs(on=-near, off=-near - 0.008, fps=fps, shortest=0.15, bridge=0.25)
        found = runs.push(motion.times, -np.minimum(gap, 0.3)) + runs.finish()
        out[key] = [Interval(f.start, f.end, key[1]) for f in found]
    return out


# ---- gaze


def onlookers(
    seed: int, seconds: float = 60.0, *, error: float = 5.0, share: float = 1.0
) -> tuple[dict[str, dict[str, Array]], dict[str, list[Interval]], float]:
    """Three people before a camera who look at one another, into the camera and past everybody, in turns.

    Returns
    -------
    tracks
        Name → ``box`` (T, 4) pixels of a picture 1280 × 720 and ``gaze`` (T, 2) degrees of yaw and pitch, with slow
        errors of ``error`` degrees, at 30 fps; ``share`` of the way from the camera to what is looked at.
    truth
        Name → whom they look at.
    focal
        Pixels, of the camera.
    """
    draw, fps, focal = rng(seed, "onlookers"), 30, 1400.0
    count = round(seconds * fps)
    names = ("a", "b", "c")
    at = {
        n: np.array([x, y, -z])
        for n, x, y, z in zip(
            names, (-0.75, 0.05, 0.8), draw.uniform(-0.1, 0.15, 3), draw.uniform(2.0, 2.8, 3), strict=True
        )
    }
    tracks: dict[str, dict[str, Array]] = {}
    truth: dict[str, list[Interval]] = {}
    for n in names:
        u, v = 640 + focal * at[n][0] / -at[n][2], 360 - focal * at[n][1] / -at[n][2]
        width = focal * 0.155 / -at[n][2]
        box = np.tile([u - width / 2, v - 0.6 * width, width, 1.2 * width], (count, 1)) + draw.normal(
            0, 1.5, (count, 4)
        )
        targets = [m for m in names if m != n] + ["camera", "away"]
        gaze, rows, k = np.zeros((count, 2)), [], 0
        while k < count:
            name = targets[int(draw.integers(4))]
            last = min(count, k + round(float(draw.uniform(0.6, 3.5)) * fps))
            if name == "away":
                way = np.array([draw.uniform(-0.5, 0.5), draw.choice([-0.75, 0.6]), 1.0])
            else:
                way = (at[name] if name != "camera" else np.zeros(3)) - at[n]
                if not rows or rows[-1].label != name or rows[-1].end < k / fps - 1e-9:
                    rows.append(Interval(k / fps, last / fps, name))
                else:
                    rows[-1] = Interval(rows[-1].start, last / fps, name)
            way = way / np.linalg.norm(way)
            gaze[k:last] = share * np.degrees([np.arctan2(way[0], way[2]), np.arcsin(way[1])])
            k = last
        slow = draw.normal(0, 1, (count, 2))
        for t in range(1, count):
            slow[t] = 0.97 * slow[t - 1] + np.sqrt(1 - 0.97**2) * slow[t]
        # Two angles: each has the error over the square root of two.
        tracks[n] = {"box": box, "gaze": gaze + error / np.sqrt(2) * slow}
        truth[n] = rows
    return tracks, truth, focal


def planned(show: Performance, kind: str, lexeme: str | None = None) -> list[Interval]:
    """Behaviours of a kind that a performance was planned with and that were performed."""
    refused = {f.id for f in show.plan.feedback if f.status in ("dropped", "unknown")}
    return [
        Interval(b.sync["start"].offset, b.sync["end"].offset, kind, b.number("amount", 1.0))
        for b in show.plan.of(kind)
        if b.id not in refused and (lexeme is None or b.attributes.get("lexeme") == lexeme)
    ]
