"""The performer: planner and realisers run step by step on one clock.

Offline and live are the same code: a step of 0.1 s plans with what is known up to
``now + look_ahead`` and commits what begins no earlier than now; frames are functions of time and
of what was committed. How many steps are taken at once changes the speed, never the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kinesics.behaviour.body import Body
from kinesics.behaviour.controls import Controls
from kinesics.behaviour.face import FaceRealiser
from kinesics.behaviour.heard import Heard
from kinesics.behaviour.merging import Merger
from kinesics.behaviour.planner import Planner
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import Avatar
from kinesics.performance import Behaviour, Face, Feedback, Motion, Performance, Sync, Tier
from kinesics.ports.embedder import installed

FPS = 60
STEPS_PER_SECOND = 10
_FRAMES_PER_STEP = FPS // STEPS_PER_SECOND
_BATCH = 100  # steps whose frames are made at once: ten seconds


class _UserPlan:
    """Read out a user's behaviours, each ``look_ahead`` seconds before it begins."""

    def __init__(self, own: Merger, look_ahead: float) -> None:
        timed = [_absolute(b, own.times[b.id]) for b in own.behaviours if b.kind != "speech"]
        self._first = {b.id: min((s.offset for s in b.sync.values()), default=0.0) for b in timed}
        self._waiting = sorted(timed, key=lambda b: self._first[b.id], reverse=True)
        self._look_ahead = look_ahead

    def step(self, now: float) -> list[Behaviour]:
        out = []
        while self._waiting and self._first[self._waiting[-1].id] <= now + self._look_ahead:
            out.append(self._waiting.pop())
        return out


def _absolute(b: Behaviour, times: Mapping[str, float]) -> Behaviour:
    return replace(b, sync={point: Sync(second) for point, second in times.items()})


class Performer:
    """One person performing, from second 0 on.

    Parameters
    ----------
    avatar
        Whose body moves.
    controls
        Emotion, intensity and the rest.
    look_ahead
        Seconds known beforehand: 2 offline, 0.1 live.
    language
        Of the words.
    own
        The user's plan, which takes precedence over what the planner finds.

    Attributes
    ----------
    planned, feedback
        Behaviours committed so far, and what became of them.

    Examples
    --------
    >>> from kinesics.bodies.avatar import load_avatar
    >>> performer = Performer(load_avatar("maya"))
    >>> idle = performer.advance(Performance(), until=1.0)
    >>> idle.body.rotations.shape
    (60, 55, 4)
    """

    def __init__(
        self,
        avatar: Avatar,
        controls: Controls | None = None,
        *,
        look_ahead: float = 2.0,
        language: str = "en",
        own: Merger | None = None,
    ) -> None:
        self.controls = controls or Controls()
        self.avatar = avatar
        self.look_ahead = look_ahead
        self.planned: list[Behaviour] = []
        self.feedback: list[Feedback] = []
        self._planner = Planner(self.controls, look_ahead=look_ahead, language=language, embedder=installed())
        self._own = own
        self._user = None if own is None else _UserPlan(own, look_ahead)
        self._body = Body(avatar.skeleton, self.controls)
        self._face = FaceRealiser(self.controls, look_ahead=look_ahead)
        self._step = 0
        self._phones = self._syllables = 0
        self._loud = 0.0
        self._known: Performance | None = None
        self._heard = Heard(Performance(), until=0.0)

    @property
    def now(self) -> float:
        """Second up to which frames have been made."""
        return self._step / STEPS_PER_SECOND

    def advance(self, heard: Performance, *, until: float) -> Performance:
        """Perform on, up to ``until``.

        Parameters
        ----------
        heard
            What is known of the speech by now; only what lies before ``now + look_ahead`` is used.
        until
            Second up to which frames are wanted (whole steps of 0.1 s are made).

        Returns
        -------
        Performance
            ``body`` and ``face`` from the last call's end to ``until``, and the ``gestures`` (their
            phases) that were decided meanwhile.
        """
        blocks = list(self._blocks(heard, round(until * STEPS_PER_SECOND)))
        return self._assemble(blocks, blocks[0][0] if blocks else self._step * _FRAMES_PER_STEP)

    def run(self, heard: Performance, *, seconds: float | None = None, progress: bool = False) -> Performance:
        """Perform a whole clip; the result is as long as the speech, or what else is heard.

        Parameters
        ----------
        heard
            Speech and its tiers.
        seconds
            How long the result is, where nothing is heard.
        progress
            Show a bar when it takes over a second.
        """
        sound = heard.get("speech")
        length = seconds if seconds is not None else heard.duration if sound is None else sound.end
        frames = max(1, round(length * FPS))
        steps = -(-frames // _FRAMES_PER_STEP)
        blocks: Iterator = self._blocks(heard, steps)
        if progress:
            from kinesics.progress import progress as bar

            blocks = bar(blocks, "performing", total=-(-steps // _BATCH), unit="block")
        return self._assemble(list(blocks), 0, frames)

    def _blocks(
        self, performance: Performance, steps: int
    ) -> Iterator[tuple[int, NDArray, NDArray, NDArray]]:
        if performance is not self._known:
            self._known = performance
            self._heard = Heard(performance, until=self.now + self.look_ahead)
        while self._step < steps:
            first = self._step * _FRAMES_PER_STEP
            for _ in range(min(_BATCH, steps - self._step)):
                self._decide()
            last = self._step * _FRAMES_PER_STEP
            rotations, root = self._body.frames(first, last)
            face = self._face.frames(first, last, eyes=self._body.eyes(first, last))
            self._body.forget(self.now - 1.0)
            self._face.forget(self.now - 1.0)
            yield first, rotations, root, face

    def _decide(self) -> None:
        """One step of the clock: hear, plan, commit."""
        now = self.now
        horizon = now + self.look_ahead
        self._heard.advance(max(horizon, self._heard.until))
        assert self._known is not None
        phones = self._known.tier("phones")
        end = self._phones
        # The step's last frame is nearly a step after `now`, and lips look ahead from there.
        while end < len(phones) and phones[end].start < horizon + 1 / STEPS_PER_SECOND:
            end += 1
        energy = self._known.get("energy")
        loud = energy.slice(self._loud, horizon) if energy is not None and horizon > self._loud else None
        self._loud = horizon
        self._face.hear(phones.intervals[self._phones : end], loud)
        self._phones = end
        syllables = self._known.tier("syllables")
        end = self._syllables
        while end < len(syllables) and syllables[end].end <= horizon:
            end += 1
        if end > self._syllables:
            self._body.hear(syllables.intervals[self._syllables : end], now)
            self._syllables = end
        behaviours = self._planner.step(now, self._heard)
        if self._own is not None and self._user is not None:
            behaviours = [*self._user.step(now), *self._own.keep(behaviours)]
        self.planned += behaviours
        told = [*self._body.add(behaviours, now), *self._face.add(behaviours, now)]
        known = {f.id for f in told}
        self.feedback += told
        self.feedback += [
            Feedback(b.id, "unknown", f"{b.kind} is not performed yet; kept in the plan")
            for b in behaviours
            if b.id not in known and b.kind != "speech"
        ]
        self._step += 1

    def _assemble(
        self, blocks: list[tuple[int, NDArray, NDArray, NDArray]], first: int, frames: int | None = None
    ) -> Performance:
        start = first / FPS

        def joined(index: int, empty: tuple[int, ...]) -> NDArray[np.float32]:
            parts = [b[index] for b in blocks]
            return (np.concatenate(parts) if parts else np.zeros((0, *empty), np.float32))[:frames]

        body = Motion(self.avatar.skeleton, joined(1, (55, 4)), joined(2, (3,)), FPS, start)  # type: ignore[arg-type]
        face = Face(joined(3, (len(ARKIT),)), ARKIT, FPS, "arkit", start)  # type: ignore[arg-type]
        phases = Tier("gestures", tuple(p for p in self._body.phases() if p.end > start)).slice(
            start, body.end
        )
        return Performance({"body": body, "face": face, "gestures": phases}, {"avatar": self.avatar.name})
