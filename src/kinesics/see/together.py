"""What lies between people: who looks at whom, who speaks, whose turn it is, who nods along.

Gaze is a ray from a face. Somebody is looked at when the ray passes within the size of their face and the
error of the gaze; where only the head's direction is known, the ray is wider and surer of less, as eyes turn
away from the head by a third of the way (Stiefelhagen & Zhu 2002). Two who look at each other share a gaze.

Who speaks: whose mouth moves, and moves as the sound does (Cutler & Davis 2000; Chung & Zisserman 2016 learn
what is correlated here). Turns and the time between them as in Heldner & Edlund (2010): a negative value is an
overlap. Levels are ours where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.errors import DataError
from kinesics.files import let_go
from kinesics.geometry import rotations as rot
from kinesics.performance import (
    Audio,
    Camera,
    Face,
    Interval,
    Motion,
    Performance,
    Points,
    Scene,
    Signal,
    Tier,
    Video,
)  # fmt: skip
from kinesics.see._stream import Runs, labelled

Array = NDArray[np.float64]

RATE = 30
"""Frames per second that people are compared at."""
FACE_WIDTH = 0.16
"""Metres that a face's box is wide, about that of a head."""
FOCAL = 1.2
"""Focal length in units of the picture's longer side where no camera is given (45° wide, as of many webcams)."""
EYES, HEAD = 8.0, 18.0
"""Degrees by which a gaze and a head's direction may miss a face and still mean it."""
CAMERA = "camera"
_ALONE = 0.7
"""Greatest confidence of who speaks where there is no sound."""
_HALF = 0.6  # seconds on either side over which mouth and sound are compared
_LAGS = range(-2, 5)  # frames by which the mouth may be ahead of its sound, or behind
# Correlation that counts as one. On filmed faces it is weak (the ear hears what the lips do not show), so it settles
# whose of two moving mouths is heard, and a mouth that moves while speech is heard needs little of it.
_SYNCHRONY = 0.25
_MOVING = 0.35  # change of the mouth's opening a second that counts as speaking


def relate(scene: Scene, *, camera: Camera | None = None, sound: Audio | None = None) -> Scene:
    """Add what lies between the people of a scene.

    Parameters
    ----------
    scene
        People with ``gaze`` or ``head`` (degrees relative to the camera) and ``face_box`` (pixels), or with a
        ``body`` in one world; with ``face`` or ``landmarks``; with ``head_events``, where nods are to be told
        as back-channels.
    camera
        That took the picture. Else its size is that of the track ``video`` and it is 45° wide.
    sound
        That was heard. Else the shared track ``speech``, or a person's. A tier ``speech spans``, shared or the
        only person's, says where speech is; without one it is where the sound is loud.

    Returns
    -------
    Scene
        Everybody has the tiers ``looks_at`` (whom, or ``camera``), ``mutual_gaze`` (with whom), ``speaking`` and
        ``backchannels``. Shared are ``turns`` (whose; value: seconds since the last one's end) and ``overlaps``.
        Relations say who looked at whom at all.

    Raises
    ------
    DataError
        If faces have boxes but neither a camera nor a video tells the picture's size.
    """
    end = max([scene.duration, *(t.end for t in scene.shared.values() if isinstance(t, (Audio, Video)))])
    times = np.arange(max(2, round(end * RATE))) / RATE
    rays = {
        n: r
        for n, p in scene.people.items()
        if (r := _ray(p, times, lambda: _camera(scene, camera))) is not None
    }
    tiers: dict[str, dict[str, Tier]] = {n: {} for n in scene.people}
    looks, mutual = _gazes(rays, times)
    for name in rays:
        tiers[name] |= {"looks_at": looks[name], "mutual_gaze": mutual[name]}
    speaking = _speaking(scene, times, sound)
    turns, overlaps = _turns(speaking)
    for name, tier in speaking.items():
        nods = scene.people[name].tier("head_events")
        tiers[name] |= {"speaking": tier, "backchannels": _backchannels(name, nods, tier, turns)}
    people = {n: p.with_tracks(**tiers[n]) for n, p in scene.people.items()}
    seen = tuple(
        (a, relation, b)
        for relation, found in (("looks at", looks), ("shares gaze with", mutual))
        for a, tier in found.items()
        for b in dict.fromkeys(tier.labels) if b in scene.people
    )  # fmt: skip
    kept = tuple(r for r in scene.relations if r not in seen)
    shared = {**scene.shared, **({"turns": turns, "overlaps": overlaps} if speaking else {})}
    return replace(scene, people=people, relations=kept + seen, shared=shared)


# ---- gaze


@dataclass(frozen=True)
class _Ray:
    """Where a face is (T, 3) metres, where it looks (T, 3), within how many degrees, and how sure (T,)."""

    face: Array
    way: Array
    error: float
    sure: Array
    pictured: bool  # in a camera's frame, so that looking into the camera can be told


def _camera(scene: Scene, camera: Camera | None) -> tuple[float, float, float]:
    """Focal length and the picture's middle, pixels."""
    if camera is not None:
        return camera.focal, camera.width / 2, camera.height / 2
    tracks = [scene.shared.get("video"), *(p.get("video") for p in scene.people.values())]
    for track in tracks:
        if isinstance(track, Video):
            width, height = track.size
            return FOCAL * max(width, height), width / 2, height / 2
    raise DataError(
        "relate: nothing tells how large the picture is; give its camera= or share its video track"
    )


def _ray(show: Performance, times: Array, camera) -> _Ray | None:
    box, gaze, head, body = (show.get(n) for n in ("face_box", "gaze", "head", "body"))
    if isinstance(box, Signal) and len(box) and (isinstance(gaze, Signal) or isinstance(head, Signal)):
        focal, x0, y0 = camera()
        eyes = isinstance(gaze, Signal) and len(gaze) > 0
        angles: Signal = gaze if eyes else head
        x, y, width, height = (_on(box, box.column(n), times) for n in ("x", "y", "width", "height"))
        far = focal * FACE_WIDTH / np.maximum(width, 1.0)
        face = np.stack(
            [(x + width / 2 - x0) / focal * far, (y0 - y - height / 2) / focal * far, -far], axis=1
        )
        yaw, pitch = (np.radians(_on(angles, angles.column(n), times)) for n in ("yaw", "pitch"))
        way = np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=1)
        sure = _there(box, times) * _confidence(box, times) * _confidence(angles, times)
        return _Ray(face, way, EYES if eyes else HEAD, sure, True)
    if isinstance(body, Motion) and len(body) and tuple(body.skeleton.names) == JOINTS:
        moved = body.at(times)
        at, turn = body.skeleton.forward(moved.rotations, moved.root)
        face = at[:, [INDEX["leftEye"], INDEX["rightEye"]]].mean(axis=1).astype(np.float64)
        ways = [
            rot.rotate(
                rot.multiply(turn[:, INDEX["head"]], moved.rotations[:, INDEX[f"{s}Eye"]]),
                np.array([0.0, 0, 1]),
            )
            for s in ("left", "right")
        ]
        sure = _there(body, times)
        return _Ray(face, _unit(np.mean(ways, axis=0)), EYES, sure, False)
    return None


def _on(track: Signal | Points | Face, values: ArrayLike, times: Array) -> Array:
    return np.interp(times, track.times, np.asarray(values, dtype=np.float64))


def _there(track: Signal | Motion | Face | Points, times: Array) -> Array:
    """1 while the track lasts, else 0."""
    return ((times >= track.start - 1e-6) & (times < track.end)).astype(np.float64)


def _confidence(track: Signal | Points, times: Array) -> Array:
    return (
        np.ones(len(times)) if track.confidence is None else _on(track, track.confidence.min(axis=1), times)
    )


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def _misses(ray: _Ray, target: Array) -> Array:
    """Degrees (T,) by which a gaze misses a face, beyond its error and the face's own size; negative on it."""
    to = target - ray.face
    far = np.linalg.norm(to, axis=1)
    angle = np.degrees(np.arccos(np.clip(np.sum(_unit(to) * ray.way, axis=1), -1, 1)))
    return angle - ray.error - np.degrees(np.arctan2(0.5 * FACE_WIDTH, np.maximum(far, 0.1)))


def _gazes(rays: Mapping[str, _Ray], times: Array) -> tuple[dict[str, Tier], dict[str, Tier]]:
    misses: dict[tuple[str, str], Array] = {}
    for a, ray in rays.items():
        for b, other in rays.items():
            if a != b and ray.pictured == other.pictured:
                misses[a, b] = np.where(other.sure > 0, _misses(ray, other.face), 180.0)
        if ray.pictured:
            # A camera is small: what counts is the gaze's error alone.
            angle = np.degrees(np.arccos(np.clip(np.sum(_unit(-ray.face) * ray.way, axis=1), -1, 1)))
            misses[a, CAMERA] = angle - ray.error
    looks: dict[str, Tier] = {}
    for a, ray in rays.items():
        own = {b: m for (x, b), m in misses.items() if x == a}
        best = np.min(list(own.values()), axis=0) if own else np.zeros(len(times))
        rows = []
        for b, miss in own.items():
            # Of several that the gaze could mean it means the nearest.
            rows += _runs(times, np.where(miss <= best + 1e-9, -miss, -180.0), ray, b)
        looks[a] = Tier("looks_at", tuple(rows))
    shared: dict[str, list[Interval]] = {a: [] for a in rays}
    for a, b in combinations(rays, 2):
        if (a, b) not in misses:
            continue
        both = np.maximum(misses[a, b], misses[b, a])
        together = replace(
            rays[a], error=max(rays[a].error, rays[b].error), sure=np.minimum(rays[a].sure, rays[b].sure)
        )
        for name, other in ((a, b), (b, a)):
            shared[name] += _runs(times, -both, together, other)
    return looks, {a: Tier("mutual_gaze", tuple(rows)) for a, rows in shared.items()}


def _runs(times: Array, within: Array, ray: _Ray, label: str) -> list[Interval]:
    """Where a gaze is ``within`` degrees of its limit, for a fifth of a second or more."""
    runs = Runs(on=0.0, off=-0.25 * ray.error, fps=RATE, shortest=0.2, bridge=0.15)
    # At the limit as likely as not.
    sure = ray.sure / (1 + np.exp(-np.clip(3 * within / ray.error, -30, 30)))
    found = runs.push(times, np.where(ray.sure > 0, within, -180.0), sure) + runs.finish()
    return [labelled(f, label, certainty=1.0 if ray.error == EYES else 0.85) for f in found]


# ---- speech


def _opening(show: Performance, times: Array) -> Array | None:
    """How far the mouth is open (T,), about 0 to 1; None where nothing shows it."""
    face, points = show.get("face"), show.get("landmarks")
    if isinstance(face, Face) and len(face) and face.basis == "arkit":
        names = (
            "jawOpen",
            "mouthClose",
            "mouthLowerDownLeft",
            "mouthLowerDownRight",
            "mouthUpperUpLeft",
            "mouthUpperUpRight",
        )
        v = face.select(names).values
        return _on(face, v[:, 0] - v[:, 1] + 0.25 * v[:, 2:].sum(axis=1), times)
    if isinstance(points, Points) and len(points) and points.values.shape[1] in (468, 478):
        at = points.values[..., :2]
        # Inner lips, and brow to chin, in the mesh's numbering.
        gap, tall = (np.linalg.norm(at[:, a] - at[:, b], axis=1) for a, b in ((13, 14), (10, 152)))
        return _on(points, 6 * gap / np.maximum(tall, 1.0), times)
    return None


def _loudness(sound: Audio, times: Array) -> Array:
    """Decibels (T,) of 50 ms around each time, no lower than 40 below the loudest."""
    rate, last, samples = float(sound.fps), len(sound), sound.samples
    low, high = (
        np.clip(np.round((times + d - sound.start) * rate).astype(int), 0, last) for d in (-0.025, 0.025)
    )
    level = np.zeros(len(times))
    # A minute at a time: the sound is never copied whole.
    for part in (slice(i, i + 60 * RATE) for i in range(0, len(times), 60 * RATE)):
        first = int(low[part][0])
        heard = samples[first : int(high[part][-1])]
        heard = (heard if heard.ndim == 1 else heard.mean(axis=1)).astype(np.float64)
        power = np.concatenate([[0.0], np.cumsum(heard**2)])
        level[part] = (power[high[part] - first] - power[low[part] - first]) / np.maximum(
            high[part] - low[part], 1
        )
        let_go(samples)
    decibels = 10 * np.log10(np.maximum(level, 1e-12))
    return np.maximum(decibels, decibels.max(initial=-120.0) - 40)


def _sound_of(scene: Scene, given: Audio | None) -> tuple[Audio | None, Tier | None]:
    """The sound, and where somebody speaks in it."""
    owners = [scene.shared, *(p.tracks for p in scene.people.values())]
    sounds = [given, *(t.get("speech") for t in owners)]
    spans = [s for t in owners if isinstance(s := t.get("speech spans"), Tier)]
    # Spans of several people are of what each one said, not of all that is heard.
    alone = "speech spans" in scene.shared or len(spans) == 1
    return next((s for s in sounds if isinstance(s, Audio) and len(s)), None), spans[
        0
    ] if alone and spans else None


def _moving_mean(values: Array, half: int) -> Array:
    """Mean over 2 × ``half`` + 1 frames, fewer at the ends."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    i = np.arange(len(values))
    low, high = np.maximum(i - half, 0), np.minimum(i + half + 1, len(values))
    return (total[high] - total[low]) / (high - low)


def _correlation(a: Array, b: Array, half: int) -> Array:
    """Pearson correlation (T,) over 2 × ``half`` + 1 frames around each; 0 where either stands still."""
    ma, mb = _moving_mean(a, half), _moving_mean(b, half)
    va, vb = _moving_mean(a * a, half) - ma * ma, _moving_mean(b * b, half) - mb * mb
    spread = np.sqrt(np.maximum(va, 0) * np.maximum(vb, 0))
    return np.where(spread > 1e-6, (_moving_mean(a * b, half) - ma * mb) / np.maximum(spread, 1e-6), 0.0)


def _synchrony(opening: Array, loud: Array) -> Array:
    """Correlation of mouth and sound at the lag that suits both best all along, within a tenth of a second or so."""
    half = round(_HALF * RATE)
    ways = [_correlation(np.roll(opening, lag), loud, half) for lag in _LAGS]
    return ways[int(np.argmax([w.mean() for w in ways]))]


def _speaking(scene: Scene, times: Array, given: Audio | None) -> dict[str, Tier]:
    mouths = {n: m for n, p in scene.people.items() if (m := _opening(p, times)) is not None}
    if not mouths:
        return {}
    sound, spans = _sound_of(scene, given)
    half = round(0.3 * RATE)
    # Over three frames: noise from one to the next is no movement.
    moving = {
        n: _moving_mean(np.abs(np.gradient(_moving_mean(m, 1))) * RATE, half) for n, m in mouths.items()
    }
    # 1 at the level of quiet talk, never much more: who moves most is not who speaks.
    moves = {n: np.clip(m / _MOVING, 0, 1.5) for n, m in moving.items()}
    if sound is None:
        scores, heard = {n: m - 0.5 for n, m in moves.items()}, np.ones(len(times), bool)
    else:
        loud = _loudness(sound, times)
        heard = np.zeros(len(times), bool)
        if spans is None:
            heard = loud > max(float(loud.max()) - 25, -55.0)
        else:
            for s in spans:
                heard[max(0, round(s.start * RATE)) : max(0, round(s.end * RATE))] = True
        together = {n: _synchrony(m, loud) for n, m in mouths.items()}
        scores = {
            n: np.minimum(moves[n], 1.0) * (0.75 + 0.5 * np.clip(together[n] / _SYNCHRONY, -0.25, 1.0)) - 0.5
            for n in mouths
        }
    smooth = {n: _moving_mean(s, half) for n, s in scores.items()}
    best = np.max(list(smooth.values()), axis=0)
    out = {}
    for name, score in smooth.items():
        others = [s for n, s in smooth.items() if n != name]
        rival = np.max(others, axis=0) if others else np.full(len(times), -1.0)
        # Two may speak at once, but then both must be about as likely.
        level = np.where(heard & (score >= best - 0.25), score, -1.0)
        chance = 1 / (1 + np.exp(-np.clip(5 * score, -30, 30)))
        chance *= np.clip(1 - 0.2 * (rival - score + 0.25) / 0.25, 0.8, 1) if others else 1.0
        runs = Runs(on=0.1, off=0.0, fps=RATE, shortest=0.2, bridge=0.35)
        found = runs.push(times, level, chance) + runs.finish()
        certainty = 1.0 if sound is not None else _ALONE
        out[name] = Tier("speaking", tuple(labelled(f, "speaking", certainty=certainty) for f in found))
    return out


def _turns(speaking: Mapping[str, Tier]) -> tuple[Tier, Tier]:
    """Whose turn it is, and where two speak at once."""
    said = sorted(
        ((i, n) for n, t in speaking.items() for i in t if i.label == "speaking"), key=lambda x: x[0].start
    )
    turns: list[Interval] = []
    for i, name in said:
        last = turns[-1] if turns else None
        if last is not None and last.label == name:
            # Until somebody else speaks a turn goes on, over pauses of its own.
            turns[-1] = replace(last, end=max(last.end, i.end), confidence=min(last.confidence, i.confidence))
        elif last is not None and i.end <= last.end:
            continue  # a word while the other goes on takes no turn
        else:
            gap = None if last is None else round(i.start - last.end, 4)
            turns.append(Interval(i.start, i.end, name, gap, i.confidence))
    overlaps = [
        Interval(
            max(i.start, j.start), min(i.end, j.end), f"{a} + {b}", None, min(i.confidence, j.confidence)
        )
        for (i, a), (j, b) in combinations(said, 2)
        if a != b and min(i.end, j.end) - max(i.start, j.start) > 0.1
    ]
    return Tier("turns", tuple(turns)), Tier("overlaps", tuple(overlaps))


def _backchannels(name: str, nods: Tier, own: Tier, turns: Tier) -> Tier:
    """Nods while another has the turn, and words that take none (Yngve 1970)."""
    rows = []
    others = [t for t in turns if t.label != name]
    for i in nods:
        inside = any(t.start <= i.start and i.end <= t.end + 0.3 for t in others)
        if i.label == "nod" and inside and not any(s.start < i.end and s.end > i.start for s in own):
            rows.append(i)
    for s in own:
        if (
            s.label == "speaking"
            and s.duration <= 1.2
            and any(t.start < s.start and s.end <= t.end for t in others)
        ):
            rows.append(replace(s, label="word"))
    return Tier("backchannels", tuple(rows))
