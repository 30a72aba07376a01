"""From events to a performance: when each begins, who does it with which part of the body, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics import seeds
from kinesics.behaviour.controls import Controls
from kinesics.behaviour.lexicon import form_of
from kinesics.behaviour.merging import Merger
from kinesics.behaviour.performer import Performer
from kinesics.behaviour.rests import choose_rest
from kinesics.bodies.avatar import Avatar
from kinesics.bodies.rig import maya
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.performance import (
    Behaviour,
    Feedback,
    Interval,
    Motion,
    Performance,
    Plan,
    Signal,
    Sync,
    Tier,
)
from kinesics.performance.gesture import Gesture, Move
from kinesics.stage import _action_body as body
from kinesics.stage._action_feet import stand
from kinesics.stage._action_library import ANKLES, ATTRIBUTION, Clip, forward, library
from kinesics.stage._action_library import FPS as CLIP_FPS
from kinesics.stage._action_words import PARTS, Action, plain

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
FPS = body.FPS
CONTACTS = ("leftHeel", "leftBall", "rightHeel", "rightBall")
_ATTEMPTS, _JUMP = 12, 30.0  # how often a gesture is tried; degrees a frame that no arm turns
_SETTLE = 0.25  # seconds of standing between a turn and what comes before and after it
_TEMPO = {"slowly": 0.72, "": 1.0, "quickly": 1.35}


@dataclass(frozen=True)
class Event:
    """Actions that are done at the same time: the first is what the legs do, if they do anything.

    ``tempo`` is ``"slowly"``, ``"quickly"`` or ""; it holds for the first action.
    """

    actions: tuple[Action, ...]
    tempo: str = ""

    @property
    def base(self) -> Action | None:
        """What the library or the legs do; None where all are gestures of somebody who stands."""
        first = self.actions[0]
        return None if first.behaves else first

    def label(self, action: Action) -> str:
        """The phrase by which tiers name one of its actions."""
        tempo = self.tempo if action is self.actions[0] else ""
        return f"{action.label} {tempo}".strip()

    @property
    def over(self) -> tuple[Action, ...]:
        """What is laid over it."""
        return self.actions if self.base is None else self.actions[1:]


@dataclass(eq=False)
class _Laid:
    """An action with its event, its place in time (seconds), and what is to be done about it."""

    action: Action
    event: int
    start: float
    end: float
    behaviour: Behaviour | None = None
    clip: Clip | None = None
    origin: float = 0.0
    rate: float = 1.0


class Undone(DataError):
    """A behaviour that could not be performed when it was due."""


class Score:
    """Lays events out in time and performs them.

    Parameters
    ----------
    events
        In order.
    avatar
        Who performs.
    seed
        Everything else is drawn from it.
    """

    def __init__(self, events: Sequence[Event], avatar: Avatar, seed: int) -> None:
        self.events, self.avatar, self.seed = tuple(events), avatar, seed
        self.segments: list[body.Segment] = []
        self.laid: list[_Laid] = []
        self._bases: list[_Laid] = []
        self._frame = 0
        self._lay_out()

    def _draw(self, *names: object) -> np.random.Generator:
        return seeds.rng(self.seed, "score", *names)

    # Where everything is in time -------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        last = len(self.events) - 1
        for k, event in enumerate(self.events):
            draw = self._draw("event", k)
            base = event.base
            if k == 0 and not (base is not None and base.travels and draw.random() < 0.5):
                self._stand(float(draw.uniform(0.35, 0.8)))
            self._over(event, k, self._base(event, k, draw), draw)
            if k == last and not (base is not None and base.travels and draw.random() < 0.5):
                self._stand(float(draw.uniform(0.45, 0.9)))
        self.seconds = self._frame / FPS

    def _stand(self, seconds: float, *, turn: float = 0.0) -> None:
        frames = round(seconds * FPS)
        before = self.segments[-1] if self.segments else None
        if before is not None and before.clip is None and not turn:
            before.last += frames
        else:
            self.segments.append(body.stand_for(self._frame, frames, turn=turn))
        self._frame += frames

    def _base(self, event: Event, k: int, draw: np.random.Generator) -> tuple[float, float] | None:
        """Lay out what the legs do; the seconds in which something may be laid over it."""
        base = event.base
        if base is None:
            return None
        rate = _TEMPO[event.tempo] * float(draw.uniform(0.92, 1.1))
        begin = self._frame / FPS
        if base.kind == "turn":
            parts = max(1, round(abs(base.turn) / (np.pi / 2)))
            each = max((0.55 + 0.45 * abs(base.turn) / parts) / min(rate, 1.05), 0.6)
            if self.segments and self.segments[-1].clip is not None:
                self._stand(_SETTLE)
            begin = self._frame / FPS
            for _ in range(parts):
                # A turn is the blend about the beginning of a segment.
                self._stand(each / 2)
                self._stand(each / 2, turn=base.turn * float(draw.uniform(0.93, 1.07)) / parts)
            turned = self._frame / FPS
            self._stand(_SETTLE)
            self._wait_for_over(event, k, begin)
            self._bases.append(_Laid(base, k, begin, turned))
            self.laid.append(self._bases[-1])
            return begin, self._frame / FPS
        if base.kind == "stand":
            self._stand(float(draw.uniform(*base.seconds)))
            self._wait_for_over(event, k, begin)
        elif base.kind == "once":
            self._append(body.once(self._clip(base, draw), self._frame, rate=rate))
        else:
            self._cycle(event, base, k, rate, draw)
        end = self._frame / FPS
        self._bases.append(_Laid(base, k, begin, end))
        self.laid.append(self._bases[-1])
        return begin, end

    def _wait_for_over(self, event: Event, k: int, begin: float) -> None:
        need = max((self._length(a, k) for a in event.over), default=0.0)
        if (missing := begin + need - self._frame / FPS) > 0:
            self._stand(missing)

    def _cycle(self, event: Event, base: Action, k: int, rate: float, draw: np.random.Generator) -> None:
        seconds = float(draw.uniform(*base.seconds))
        need = max((self._length(a, k) for a in event.over), default=0.0)
        seconds = max(seconds, need + 0.4)
        clip = self._clip(base, draw)
        before = self.segments[-1] if self.segments else None
        after = self.events[k + 1].base if k + 1 < len(self.events) else None
        ramps = (base.travels and before is not None and before.clip is None,
                 base.travels and not (after is not None and after.travels))  # fmt: skip
        segment = body.steps(
            clip, self._frame, seconds=seconds, rate=rate, entry=self._entry(clip, before, draw), ramps=ramps
        )
        segment.bend = base.bend * float(draw.uniform(0.85, 1.15))
        segment.arms = float(draw.uniform(0.85, 1.2))
        self._append(segment)

    def _entry(self, clip: Clip, before: body.Segment | None, draw: np.random.Generator) -> int:
        """The quiet frame with which a cycle begins: that with the feet as they are at the end of the clip before."""
        if before is None or before.clip is None or len(clip.quiet) < 2:
            return int(draw.integers(len(clip.quiet)))
        last = before.origin + float(before.speed[body.MARGIN : -body.MARGIN].sum())
        theirs = _stance(before.clip, np.array([last]))[0]
        ours = _stance(clip, np.array(clip.quiet) / CLIP_FPS)
        return int(np.linalg.norm(ours - theirs, axis=1).argmin())

    def _append(self, segment: body.Segment) -> None:
        self.segments.append(segment)
        self._frame = segment.last

    def _clip(self, action: Action, draw: np.random.Generator) -> Clip:
        clips = library()[action.source]
        return clips[int(draw.integers(len(clips)))]

    # What is laid over -----------------------------------------------------------------------------------------

    def _gesture(self, action: Action, k: int) -> Gesture:
        """The gesture's form, repeated as often and done as quickly as chance wants."""
        draw = self._draw("gesture", k, action.name)
        form = form_of(Behaviour("form", "gesture", {}, action.form))
        tempo = _TEMPO[self.events[k].tempo] if self.events[k].base is None else 1.0
        times = float(draw.uniform(0.9, 1.15)) / tempo
        moves = form.moves
        if len(moves) == 1 and moves[0].repeats > 1:
            repeats = int(draw.integers(moves[0].repeats, min(8, 2 * moves[0].repeats) + 1))
            times *= repeats / moves[0].repeats
            moves = (replace(moves[0], repeats=repeats),)
        elif moves == (Move(),) * len(moves):
            times *= float(draw.uniform(0.9, 1.3))
        return replace(
            form, moves=moves, seconds=form.seconds * times, hold=form.hold * float(draw.uniform(0.9, 1.8))
        )

    def _length(self, action: Action, k: int) -> float:
        """Seconds that something laid over takes, with the ways there and back."""
        draw = self._draw("length", k, action.name)
        if action.kind == "gesture":
            form = self._gesture(action, k)
            return 1.95 + form.seconds + form.hold
        if action.kind == "pointing":
            return 2.3 + float(draw.uniform(*action.seconds))
        if action.kind in ("head", "posture"):
            return 0.5 + float(draw.uniform(*action.seconds))
        if action.kind == "cycle":
            return 2 * body.FADE + float(draw.uniform(*action.seconds))
        return self._clip(action, self._draw("over", k, action.name)).seconds

    def _over(
        self, event: Event, k: int, within: tuple[float, float] | None, draw: np.random.Generator
    ) -> None:
        begin = self._frame / FPS if within is None else within[0]
        lengths = {a.name: self._length(a, k) for a in event.over}
        if within is None:
            self._stand(max(lengths.values()))
            within = begin, self._frame / FPS
        for action in event.over:
            room = max(within[1] - within[0] - lengths[action.name], 0.0)
            at = within[0] + room * float(draw.uniform(0.1, 0.9))
            if action.behaves:
                self.laid.append(
                    _Laid(action, k, at, at + lengths[action.name], self._behaviour(action, k, at))
                )
            else:
                clip = self._clip(action, self._draw("over", k, action.name))
                origin = clip.quiet[0] / CLIP_FPS if clip.loop else 0.0
                self.laid.append(_Laid(action, k, at, at + lengths[action.name], clip=clip, origin=origin))

    def _behaviour(self, action: Action, k: int, at: float) -> Behaviour:
        id_ = f"{action.kind}{k}_{len(self.laid)}"
        if action.kind == "gesture":
            form = self._gesture(action, k)
            amount = float(self._draw("amount", k, action.name).uniform(0.85, 1.15))
            form_, lexeme = form.attributes(), action.form["lexeme"]
            begin = at + 0.85
            sync = {
                "strokeStart": begin,
                "strokeEnd": begin + form.seconds,
                "relax": begin + form.seconds + form.hold,
            }
            attributes = {**form_, "lexeme": lexeme, "amount": f"{amount:.3f}"}
            if "mode" in action.form:
                attributes["mode"] = action.form["mode"]
        elif action.kind == "pointing":
            sync = {"strokeStart": at + 0.85, "relax": at + self._length(action, k) - 0.85}
            attributes = dict(action.form)
        else:
            sync = {"start": at + 0.1, "end": at + self._length(action, k) - 0.1}
            attributes = dict(action.form)
        return Behaviour(id_, action.kind, {p: Sync(s) for p, s in sync.items()}, attributes)

    # Doing it --------------------------------------------------------------------------------------------------

    def perform(self, fps: Any, *, facing: float) -> Performance:
        """The performance: body, face, tiers of actions and parts, contacts.

        Raises
        ------
        DataError
            If one of its gestures cannot be performed.
        """
        shown, phases, plan = self._behave()
        standing = shown.body.rotations.astype(np.float64), shown.body.root.astype(np.float64)
        skeleton = self.avatar.skeleton
        rotations, root, feet, blends = body.joined(self.segments, standing, skeleton, facing=facing)
        count = len(root)
        self._compose(rotations, standing[0][:count])
        rotations, root, feet = stand(skeleton, rotations, root, feet, FPS)
        whole = standing[0][:count].copy()
        whole[:, : rotations.shape[1]] = rotations
        motion = Motion(skeleton, whole.astype(np.float32), root.astype(np.float32), FPS)  # type: ignore[arg-type]
        contacts = Signal(feet.contacts, CONTACTS, ("",) * 4, FPS)  # type: ignore[arg-type]
        end = count / FPS
        tracks = {
            "body": motion.resample(fps), "face": shown.face.slice(0, end).resample(fps), **self._tiers(end),
            "gestures": phases.slice(0, end), "contacts": contacts.resample(fps), "plan": plan,
        }  # fmt: skip
        takes = sorted(
            {s.clip.take for s in self.segments if s.clip} | {x.clip.take for x in self.laid if x.clip}
        )
        meta = {
            "avatar": self.avatar.name, "seed": self.seed, "synthetic": True, "blends": [
                [round(a / FPS, 4), round(b / FPS, 4)] for a, b in blends
            ],
            "sources": {"cmu": takes, "acknowledgement": ATTRIBUTION} if takes else {},
        }  # fmt: skip
        return Performance(tracks, meta)

    def _behave(self) -> tuple[Performance, Tier, Plan]:
        """Somebody who stands where they are, and does all gestures."""
        plan = Plan(tuple(x.behaviour for x in self.laid if x.behaviour is not None))
        for attempt in range(_ATTEMPTS):
            performer = Performer(
                self.avatar, self._controls(attempt), own=Merger(plan, None) if len(plan) else None
            )
            shown = performer.run(Performance(), seconds=self.seconds + body.MARGIN / FPS)
            arms = shown.body.rotations[:, body.ARMS["left"] + body.ARMS["right"]].astype(np.float64)
            if np.degrees(rot.angle(arms[1:], arms[:-1])).max(initial=0) < _JUMP:
                break
            # From some poses of rest a forearm cannot get where it should without turning over in an instant.
            log.info("attempt %d: an arm jumps; held otherwise to begin with", attempt)
        else:
            raise Undone("an arm jumps in one of the gestures; try another seed")
        told: dict[str, Feedback] = {f.id: f for f in performer.feedback}
        for x in self.laid:
            if x.behaviour is None:
                continue
            answer = told.get(x.behaviour.id)
            if answer is None or answer.status in ("dropped", "unknown"):
                raise Undone(f"{x.action.name}: {answer.reason if answer else 'it was not performed'}")
            x.start = max(answer.times.get("start", x.start), 0.0)
            x.end = min(answer.times.get("end", x.end), self.seconds)
        done = Plan(tuple(performer.planned), tuple(performer.feedback), "REPLACE")
        return shown, shown.tier("gestures"), done

    def _controls(self, attempt: int) -> Controls:
        """How the person is to hold themselves: mostly with hanging arms."""
        draw = self._draw("manner", attempt)
        seed, hanging = int(draw.integers(2**31)), draw.random() < 0.8
        while hanging and choose_rest(seed, 0, "") != "hang":
            seed += 1
        intensity, side = float(draw.uniform(0.3, 0.7)), "left" if draw.random() < 0.1 else "right"
        return Controls(intensity=intensity, handedness=side, seed=seed)

    def _compose(self, rotations: Array, performed: Array) -> None:
        """Lay over the joined segments, in place, what other parts of the body do."""
        times = np.arange(len(rotations)) / FPS
        for segment in self.segments:
            base = next((x for x in self._bases if round(x.start * FPS) == segment.first), None)
            if segment.clip is not None and base is not None and base.action.free_arms:
                weight = _window(times, segment.first / FPS, segment.last / FPS, body.FADE)
                body.lay_over(rotations, performed, body.SPINE + body.HEAD, 0.8 * weight)
                for side in body.ARMS:
                    body.lay_over(rotations, performed, body.ARMS[side], weight)
        for x in self.laid:
            if x in self._bases:
                continue
            weight = _window(times, x.start, x.end, 0.45 if x.behaviour is not None else body.FADE)
            other = performed
            if x.clip is not None:
                other = x.clip.at(times - x.start + x.origin)[0]
                if "torso" in x.action.parts:
                    body.lay_over(rotations, other, body.SPINE + body.HEAD, 0.8 * weight)
            for side in body.ARMS:
                if f"{side} arm" in x.action.parts:
                    body.lay_over(rotations, other, body.ARMS[side], weight)
            if x.behaviour is None or self._stands(x):
                continue
            if x.action.kind == "head":
                body.lay_over(rotations, performed, body.HEAD, weight)
            else:
                share = 1.0 if x.action.kind == "posture" else 0.6
                body.add_turn(rotations, performed, body.SPINE, share * weight)

    def _stands(self, x: _Laid) -> bool:
        """Whether the person stands all the while, so that the trunk is the performed one already."""
        return all(
            s.clip is None
            for s in self.segments
            if s.first / FPS < x.end + 0.5 and s.last / FPS > x.start - 0.5
        )

    def spans(self) -> list[tuple[float, float]]:
        """Seconds from which to which each event lasts; exact once it has been performed."""
        out = []
        for k in range(len(self.events)):
            mine = [x for x in self.laid if x.event == k]
            out.append((max(min(x.start for x in mine), 0.0), min(max(x.end for x in mine), self.seconds)))
        return out

    def _tiers(self, end: float) -> dict[str, Tier]:
        rows: list[Interval] = []
        parts: dict[str, list[Interval]] = {p: [] for p in PARTS}
        for x in sorted(self.laid, key=lambda x: x.start):
            start, stop = max(x.start, 0.0), min(x.end, end)
            label = self.events[x.event].label(x.action)
            rows.append(Interval(start, stop, label))
            for part in x.action.parts:
                parts[part].append(Interval(start, stop, label))
        marks = []
        for x in self._bases:
            before = 0.0
            for until, phrase in x.action.marks:
                marks.append(
                    Interval(
                        x.start + before * (x.end - x.start),
                        x.start + until * (x.end - x.start),
                        plain(phrase),
                    )
                )
                before = until
        tiers = {"actions": Tier("actions", tuple(rows))}
        if marks:
            tiers["subactions"] = Tier("subactions", tuple(marks))
        return tiers | {p: Tier(p, tuple(parts[p])) for p in PARTS}


def _stance(clip: Clip, seconds: Array) -> Array:
    """(n, 6) where the feet are, seen from the hips: how much one clip's pose is like another's."""
    rotations, root, _ = clip.at(seconds)
    places, _ = forward(maya(), rotations, root)
    return (places[:, ANKLES] - places[:, :1]).reshape(len(seconds), -1)


def _window(times: Array, start: float, end: float, fade: float) -> Array:
    """1 from start to end, with soft edges inside."""
    fade = max(min(fade, 0.45 * (end - start)), 1e-3)
    return body.ease((times - start) / fade) * body.ease((end - times) / fade)
