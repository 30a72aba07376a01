"""A trained system in place of the rules, for the body or the face.

Order of authority: the user's own behaviours, then the system, then the rules, which still give what the system does
not: gaze, blinks, planted feet. Joint limits, collisions and feet, open and closed lips, and lids are enforced last.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.controls import Controls
from kinesics.behaviour.face import FaceRealiser
from kinesics.behaviour.figure import Figure
from kinesics.behaviour.lids import LID_COLUMNS
from kinesics.behaviour.merging import parts, span
from kinesics.behaviour.performer import FPS
from kinesics.behaviour.trajectory import ease
from kinesics.behaviour.visemes import columns
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.errors import DataError, choose
from kinesics.geometry import rotations as rot
from kinesics.performance import Behaviour, Face, Interval, Motion, Performance, Tier
from kinesics.see.events import annotate
from kinesics.systems import load_system
from kinesics.systems._system import Networks, System

TASKS = {"system": "gesture", "face": "face"}
"""What may be given to a trained system, and the task of such systems."""
_MOVED = {
    "system": ("gesture", "pointing", "head", "posture", "postureShift"),
    "face": ("face", "faceLexeme", "faceFacs"),
}
FADE = 0.35
"""Seconds in which a user's behaviour takes over, and gives back."""
_OURS = ("performance", "networks", "avatar", "seed", "progress", "emotion", "intensity", "self")
_SETTLE = 4.0
"""Seconds over which a wandering body is brought back to where it stands."""

Times = Mapping[str, Mapping[str, float]]
Loaded = tuple[System, Networks]


def load(system: str | PathLike[str] | None, face: str | PathLike[str] | None) -> dict[str, Loaded]:
    """What performs instead of the rules, by :data:`TASKS`.

    Parameters
    ----------
    system, face
        Names of systems whose networks ship, or folders that ``kinesics export`` wrote; None: the rules.

    Raises
    ------
    DataError
        If a system is of another task, or none.
    """
    out = {}
    for what, given in (("system", system), ("face", face)):
        if given is None:
            continue
        found = load_system(given)
        if found[0].capability.task != TASKS[what]:
            raise DataError(
                f"{what} {given}: {found[0].name} is for {found[0].capability.task}; expected a system for {TASKS[what]}"
            )
        out[what] = found
    return out


def knobs(loaded: Mapping[str, Loaded], options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Which options are whose; a DataError lists those there are."""
    known = {
        what: [n for n in inspect.signature(system.perform).parameters if n not in _OURS]  # type: ignore[attr-defined]
        for what, (system, _) in loaded.items()
    }
    for name in options:
        choose("option", name, sorted({n for names in known.values() for n in names}))
    return {what: {n: v for n, v in options.items() if n in names} for what, names in known.items()}


def perform_trained(
    made: Performance,
    loaded: Mapping[str, Loaded],
    *,
    options: Mapping[str, Any],
    controls: Controls,
    avatar: str,
    own: Iterable[Behaviour] = (),
    times: Times | None = None,
    progress: bool = False,
) -> Performance:
    """Let trained systems perform what the rules have performed.

    Parameters
    ----------
    made
        What was heard, and ``body`` and ``face`` by the rules.
    loaded
        See :func:`load`.
    options
        Knobs of the systems by name.
    controls
        Emotion, intensity and seed.
    avatar
        Who performs.
    own, times
        The user's behaviours and when each is, by id: what they move stays as the rules have performed it.
    progress
        Show bars.

    Returns
    -------
    Performance
        ``made`` with the systems' body and face at 60 fps and an ``emotion`` tier; ``gestures`` are the phases that are
        seen in a system's body (:mod:`kinesics.see.gesture_phases`).
    """
    value = None if controls.emotion == "neutral" else controls.intensity
    emotion = Tier("emotion", (Interval(0.0, made.duration, controls.emotion, value),))
    shared = {"seed": controls.seed, "progress": progress}
    asked = knobs(loaded, options)
    spans = [(parts(b), span(b, (times or {})[b.id])) for b in own if b.id in (times or {})]
    shown = made.with_tracks(emotion=emotion)
    if "face" in loaded:
        system, networks = loaded["face"]
        done = system.perform(shown, networks, **shared, **asked["face"])  # type: ignore[attr-defined]
        face = _spoken(done.face, made, controls, spans)
        shown = replace(done, tracks={**done.tracks, "face": face})
    if "system" in loaded:
        system, networks = loaded["system"]
        system.check(shown)
        done = system.perform(shown, networks, avatar=avatar, **shared, **asked["system"])  # type: ignore[attr-defined]
        body = _kept(done.body, made.body, controls, spans)
        # A network names no gestures; their phases are seen in what it moves.
        shown = annotate(replace(done, tracks={**done.tracks, "body": body}), tiers=("gestures",))
    return shown


def left_of(
    planned: Iterable[Behaviour], loaded: Mapping[str, Loaded], own: Iterable[str]
) -> list[Behaviour]:
    """What of a plan is still performed: a system knows nothing of what the planner meant for what it moves."""
    gone = {kind for what in loaded for kind in _MOVED[what]}
    return [b for b in planned if b.id in set(own) or b.kind not in gone]


def _kept(moved: Motion, base: Motion, controls: Controls, spans: list) -> Motion:
    """A network's body at 60 fps, within what the person can do, the user's behaviours laid over it."""
    figure = Figure(base.skeleton, controls.seed)
    count = len(base)
    rotations = rot.normalise(_finer(rot.continuous(moved.rotations.astype(np.float64)), moved, count))
    root = _finer(moved.root.astype(np.float64), moved, count)
    shift = (root - figure.rest[0])[:, [0, 2]]
    shift = shift - _slow(shift)
    for joints, weight in _reserved(spans, count):
        rotations[:, joints] = rot.slerp(rotations[:, joints], base.rotations[:, joints], weight[:, None])
    eyes = base.positions()[:, [INDEX["leftEye"], INDEX["rightEye"]]].mean(axis=1)
    ahead = rot.rotate(_world(base, "leftEye", "rightEye"), np.array([0.0, 0.0, 1.0]))
    looking = ahead.mean(axis=1)
    rotations, root = figure.keep(rotations, shift, eyes + 1.25 * looking)
    return Motion(base.skeleton, rotations.astype(np.float32), root.astype(np.float32), FPS)


def _spoken(made: Face, base: Performance, controls: Controls, spans: list) -> Face:
    """A network's face at 60 fps with the rules' blinks, lips that close, and the user's faces laid over it."""
    rules = base.face.values.astype(np.float64)
    values = np.clip(_finer(made.values.astype(np.float64), made, len(rules)), 0, 1)
    for moves, limits in spans:
        if moves & {"brows", "mouth", "emotion"} or any(m.startswith("face unit") for m in moves):
            weight = _weight(limits, len(values))[:, None]
            values = values + weight * (rules - values)
    blink = columns("eyeBlink")
    shut = rules[:, blink]
    others = np.setdiff1d(LID_COLUMNS, blink)
    values[:, others] *= np.tile(1 - 0.75 * shut, (1, len(others) // shut.shape[1]))
    realiser = FaceRealiser(controls)
    realiser.hear(base.tier("phones").intervals)
    values = realiser.lips.enforce(np.arange(len(values)) / FPS, values)
    values[:, blink] = shut
    return Face(np.clip(values, 0, 1).astype(np.float32), ARKIT, FPS)


def _finer(values: NDArray[np.float64], track: Motion | Face, count: int) -> NDArray[np.float64]:
    """(count, …) at 60 fps from a coarser track, by Catmull-Rom splines: no corner at its frames."""
    place = np.clip((np.arange(count) / FPS - track.start) * float(track.fps), 0, len(values) - 1)
    low = np.minimum(np.floor(place).astype(int), max(len(values) - 2, 0))
    part = (place - low).reshape(-1, *([1] * (values.ndim - 1)))
    a, b, c, d = (values[np.clip(low + k, 0, len(values) - 1)] for k in (-1, 0, 1, 2))
    return b + 0.5 * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a)))


def _slow(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, k) running mean over :data:`_SETTLE` seconds."""
    width = 2 * int(_SETTLE * FPS / 2) + 1
    total = np.cumsum(np.pad(values, ((width // 2 + 1, width // 2), (0, 0)), mode="edge"), axis=0)
    return (total[width:] - total[:-width]) / width


def _reserved(spans: list, count: int) -> Iterable[tuple[list[int], NDArray[np.float64]]]:
    """Joints that the user's behaviours move, and how far they have taken over at each frame."""
    for moves, limits in spans:
        names = [f"{side} hand" for side in ("left", "right")]
        arms = [n.split()[0] for n in names if n in moves]
        joints = [i for i, n in enumerate(JOINTS) if n.startswith(tuple(arms)) and _is_arm(n)] if arms else []
        if moves & {"head"}:
            joints += [INDEX["neck"], INDEX["head"]]
        if joints:
            yield joints, _weight(limits, count)


def _is_arm(name: str) -> bool:
    return not any(part in name for part in ("Leg", "Foot", "Toes", "Eye"))


def _weight(limits: tuple[float, float], count: int) -> NDArray[np.float64]:
    t = np.arange(count) / FPS
    return ease((t - limits[0] + FADE) / FADE) * ease((limits[1] + FADE - t) / FADE)


def _world(motion: Motion, *joints: str) -> NDArray[np.float64]:
    """(T, len(joints), 4) world rotations."""
    return motion.skeleton.forward(motion.rotations, motion.root)[1][:, [INDEX[j] for j in joints]]
