"""One person who is read live: pictures that come when they come, put on an even clock, and what follows from it.

What a face does is looked for with every picture. Bodies are fitted a few pictures at a time, over a window that does not grow, and
expressions are read once a second from the last three: so a picture costs the same after an hour as after a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.action_units import FACS, facs_of_arkit
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.rig import maya
from kinesics.performance import Face, Interval, Motion, Performance, Signal
from kinesics.reading._person import body_of, hand_of, reader_of_expressions, tracks
from kinesics.see.events import TIERS, Events
from kinesics.see.face_network import Neutral
from kinesics.see.head_events import ANGLES

RATE = 30
"""Samples a second of the even clock."""
GAP = 1.0
"""Seconds without somebody after which what they do begins anew."""
_FACE = len(ARKIT)
_BODY_TIERS = ("gestures", "self_touch")
_FACE_TIERS = tuple(t for t in TIERS if t not in _BODY_TIERS)
_HOP, _LAG, _CONTEXT = 4, 3, 9
"""Samples: new ones that a body is fitted for at least, those at the end that wait for their successors, those before."""
_MOST = 2 * RATE
"""Samples that may wait for a body to be fitted; a machine that is slower than that leaves some out."""
_EVERY, _SPAN = 1.0, 3.0
"""Seconds between two readings of an expression, and what they look at."""

# How a row of a picture becomes one between two pictures: points, and the score that says whether they are there.
_PARTS = (
    (("landmarks", "face_box"), "face_score"),
    *(((f"hand_{s}", f"hand_{s}_3d"), f"hand_{s}_score") for s in ("left", "right")),
    (("pose", "pose_3d"), "pose_sure"),
)


def between(a: NDArray[np.void], b: NDArray[np.void], share: float) -> NDArray[np.void]:
    """() of :data:`kinesics.reading._recording.ROW`, ``share`` of the way from one row to another; what is not in both is the nearer one's."""
    out = (b if share >= 0.5 else a).copy()
    for points, score in _PARTS:
        if np.any(a[score]) and np.any(b[score]):
            for name in (*points, score):
                out[name] = a[name] + (b[name] - a[name]) * np.float32(share)
    return out


class Stream:
    """Events of parts on the even clock; where a part does not follow the last one, what went before is over."""

    def __init__(self, tiers: Sequence[str]) -> None:
        self._tiers, self._events, self._next = tiers, Events(tiers=tiers), -1

    def push(self, part: Performance, first: int, count: int) -> dict[str, list[Interval]]:
        """Take ``count`` samples from number ``first`` on; return the intervals that are certain now, by tier."""
        over = self.finish() if first != self._next else {}
        self._next = first + count
        found = self._events.push(part)
        return {n: over.get(n, []) + found[n] for n in self._tiers}

    def finish(self) -> dict[str, list[Interval]]:
        """The intervals that the end of the stream makes certain."""
        out, self._next, self._events = self._events.finish(), -1, Events(tiers=self._tiers)
        return out


@dataclass
class Understood:
    """What is made of somebody beside the pictures.

    Parameters
    ----------
    found
        Intervals that have become certain, by tier.
    body
        The newest pose, one sample.
    expression, reasons
        As last read.
    """

    found: dict[str, list[Interval]] = field(default_factory=dict)
    body: Motion | None = None
    expression: Interval | None = None
    reasons: Interval | None = None


class LivePerson:
    """What somebody who is read live does.

    Parameters
    ----------
    neutral
        Their neutral face, learned while they are seen.
    body
        Whether it is fitted.
    beside
        Where bodies are fitted and expressions read; None: where the pictures are.

    Attributes
    ----------
    last
        Second when they were last seen.
    """

    def __init__(self, neutral: Neutral, *, body: bool, beside: Executor | None) -> None:
        self.neutral, self.last = neutral, -np.inf
        self._with_body, self._beside = body, beside
        self._faces_stream, self._bodies_stream = Stream(_FACE_TIERS), Stream(_BODY_TIERS)
        self._job: Future[Understood] | None = None
        self._known = Understood()
        self._begin()

    def _begin(self) -> None:
        self._before: tuple[float, NDArray[np.void], NDArray[np.float64] | None] | None = None
        self._faces: deque[NDArray[np.float64]] = deque(maxlen=round(_SPAN * RATE))
        self._rows: list[NDArray[np.void]] = []
        self._next = self._settled = (
            0  # on the even clock: what comes next, and up to where bodies are settled
        )
        self._read = -np.inf
        self._known = Understood(self._known.found)

    def push(self, person: Performance, row: NDArray[np.void], time: float) -> Understood:
        """Take the next picture of them, its tracks and its row; return what is known now, each interval once."""
        if time - self.last > GAP:
            self._over()
        values = _of_face(person)
        if self._before is None:
            self._next = self._settled = int(np.ceil(time * RATE - 1e-6))
        else:
            self._between(*self._before, row, values, time)
        self._before, self.last = (time, row, values), time
        self._understand()
        return self._told()

    def finish(self) -> Understood:
        """They are gone: what they did until then is certain."""
        self._over()
        return self._told()

    def _over(self) -> None:
        if self._job is not None:
            self._take(self._job.result())
            self._job = None
        self._take(Understood(self._faces_stream.finish()))
        self._take(Understood(self._bodies_stream.finish()))
        self._begin()

    def _told(self) -> Understood:
        told, known = self._known, self._known
        self._known = Understood({}, known.body, known.expression, known.reasons)
        return told

    def _between(
        self,
        then: float,
        old: NDArray[np.void],
        was: NDArray[np.float64] | None,
        row: NDArray[np.void],
        values: NDArray[np.float64] | None,
        time: float,
    ) -> None:
        """Put what lies between the last picture and this one on the even clock."""
        ticks = np.arange(self._next, int(np.floor(time * RATE + 1e-6)) + 1)
        if not len(ticks):
            return
        self._next = int(ticks[-1]) + 1
        shares = np.clip((ticks / RATE - then) / (time - then), 0, 1)
        if self._with_body:
            self._rows += [between(old, row, s) for s in shares.tolist()]
        ends = [v for v in (was, values) if v is not None]
        if not ends:
            self._faces.clear()
            return
        faces = ends[0] + (ends[-1] - ends[0]) * shares[:, None]
        if len(ends) == 1:  # the face is lost, or found: the one that is known is held, at no confidence
            faces[:, -3:] = 0
        self._faces.extend(faces)
        found = self._faces_stream.push(_performance(faces, ticks[0] / RATE), int(ticks[0]), len(ticks))
        self._take(Understood(found))

    def _understand(self) -> None:
        """Fit the body and read the expression when it is time, beside the pictures if that is possible."""
        if self._job is not None:
            if not self._job.done():
                return
            self._take(self._job.result())
            self._job = None
        rows = self._due_body() if self._with_body else None
        faces = None
        if len(self._faces) >= RATE and self.last - self._read >= _EVERY:
            self._read = self.last
            faces = np.array(self._faces), (self._next - len(self._faces)) / RATE
        if rows is None and faces is None:
            return
        if self._beside is None:
            self._take(_understood(rows, faces, self._bodies_stream))
        else:
            self._job = self._beside.submit(_understood, rows, faces, self._bodies_stream)

    def _due_body(self) -> tuple[NDArray[np.void], int, int] | None:
        """Rows to be fitted, the number of the first, and of the first that is new."""
        until = self._next - _LAG
        if until - self._settled < _HOP:
            return None
        new = max(self._settled, until - _MOST)
        self._rows = self._rows[-(self._next - new + _CONTEXT) :]
        self._settled = until
        return np.array(self._rows), self._next - len(self._rows), new

    def _take(self, made: Understood) -> None:
        known = self._known
        for tier, intervals in made.found.items():
            known.found[tier] = known.found.get(tier, []) + intervals
        known.body = made.body or known.body
        if made.expression is not None:
            known.expression, known.reasons = made.expression, made.reasons


def _of_face(person: Performance) -> NDArray[np.float64] | None:
    """(58,) ARKit 52, head, and confidence of face, head and action units; None where there is no face."""
    face, head, box, units = (person.get(n) for n in ("face", "head", "face_box", "action_units"))
    if face is None:
        return None
    sure = [float(t.confidence[0].mean()) for t in (box, head, units)]
    return np.concatenate([face.values[0], head.values[0], sure]).astype(np.float64)


def _performance(faces: NDArray[np.float64], start: float) -> Performance:
    """Tracks of (T, 58) of :func:`_of_face`."""
    clock: dict[str, Any] = {"fps": Fraction(RATE), "start": start}
    turned, sure = faces[:, _FACE : _FACE + 3], np.repeat(faces[:, -2, None], 3, axis=1)
    return Performance(
        {
            "face": Face(faces[:, :_FACE], ARKIT, **clock),
            "head": Signal(turned, ANGLES, ("degrees",) * 3, confidence=sure, **clock),
            "face_box": Signal(
                np.zeros((len(faces), 1)), ("x",), ("px",), confidence=faces[:, -3, None], **clock
            ),
        }
    )


def _understood(
    rows: tuple[NDArray[np.void], int, int] | None,
    faces: tuple[NDArray[np.float64], float] | None,
    stream: Stream,
) -> Understood:
    """Fit a body and read an expression, of whichever there is something."""
    out = Understood()
    if rows is not None:
        _move(out, *rows, stream)
    if faces is not None:
        _feel(out, *faces)
    return out


def _move(out: Understood, rows: NDArray[np.void], first: int, new: int, stream: Stream) -> None:
    """The newest pose, and what gestures and touches are certain with it."""
    person = tracks(rows, Fraction(RATE), first / RATE)
    if "pose_3d" not in person:
        return
    hands = {s: h for s in ("left", "right") if (h := hand_of(person, s, maya())) is not None}
    person = person.with_tracks(**body_of(person, hands, maya()))
    until = first + len(rows) - _LAG
    part = Performance({n: person[n].slice(new / RATE, until / RATE) for n in person})
    out.found = stream.push(part, new, until - new)
    out.body = person.body.slice((first + len(rows) - 1) / RATE, np.inf)


def _feel(out: Understood, faces: NDArray[np.float64], start: float) -> None:
    """The expression now, and why."""
    person = _performance(faces, start)
    units = Signal(
        facs_of_arkit(faces[:, :_FACE]), FACS, ("",) * len(FACS), Fraction(RATE), start,
        confidence=np.repeat(faces[:, -1, None], len(FACS), axis=1),
    )  # fmt: skip
    system, networks = reader_of_expressions()
    read = system.read(person.with_tracks(action_units=units), networks)  # type: ignore[attr-defined]
    out.expression, out.reasons = (read.tier(n).at(units.end - 1e-3) for n in ("expression", "reasons"))
