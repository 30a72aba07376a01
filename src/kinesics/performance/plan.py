"""What will be done and when: behaviours with sync points, in the vocabulary of BML 1.0."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from kinesics.errors import DataError, PlanError

SYNC_POINTS: tuple[str, ...] = ("start", "ready", "strokeStart", "stroke", "strokeEnd", "relax", "end")
"""The sync points of a behaviour, in the order in which they must come (BML 1.0)."""

KINDS: tuple[str, ...] = (
    "speech",
    "gesture",
    "pointing",
    "head",
    "headDirectionShift",
    "face",
    "faceLexeme",
    "faceFacs",
    "faceShift",
    "lips",
    "gaze",
    "gazeShift",
    "posture",
    "postureShift",
    "locomotion",
    "blink",
    "wait",
)
"""BML 1.0's core behaviours, and ``blink`` and ``lips``."""

_REFERENCE = re.compile(
    r"^\s*([A-Za-z_][\w.-]*)\s*:\s*([A-Za-z_][\w.-]*)\s*(?:([+-])\s*([\d.]+(?:e-?\d+)?)\s*)?$"
)


@dataclass(frozen=True, slots=True)
class Sync:
    """A moment: absolute seconds, or another behaviour's sync point plus an offset.

    Examples
    --------
    >>> Sync.parse("speech:w3 + 0.1")
    Sync(offset=0.1, behaviour='speech', point='w3')
    >>> Sync.parse("1.5").offset
    1.5
    """

    offset: float
    behaviour: str | None = None
    point: str | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.offset):
            raise PlanError(f"sync offset {self.offset} is not finite")

    @staticmethod
    def parse(text: str) -> Sync:
        """Read ``"1.5"`` or ``"id:point [± seconds]"`` (BML 1.0 §3)."""
        try:
            return Sync(float(text))
        except ValueError:
            pass
        match = _REFERENCE.match(text)
        if not match:
            raise PlanError(f"sync {text!r}; expected seconds or 'behaviour:point + seconds'")
        name, point, sign, digits = match.groups()
        try:
            offset = float(digits or 0)
        except ValueError as error:
            raise PlanError(f"sync {text!r}; {digits!r} is not a number of seconds") from error
        return Sync(-offset if sign == "-" else offset, name, point)

    def __str__(self) -> str:
        if self.behaviour is None:
            return f"{self.offset:.4f}".rstrip("0").rstrip(".") or "0"
        tail = f" {'-' if self.offset < 0 else '+'} {abs(self.offset):g}" if self.offset else ""
        return f"{self.behaviour}:{self.point}{tail}"


def _frozen(mapping: Mapping) -> Mapping:
    return MappingProxyType(dict(mapping))


@dataclass(frozen=True)
class Behaviour:
    """One thing to do.

    Parameters
    ----------
    id
        Unique in the plan.
    kind
        BML element name; see :data:`KINDS`. Others are kept and reported as not realised.
    sync
        Sync point → when; whatever is left open the realiser chooses.
    attributes
        What the element says besides (``lexeme``, ``mode``, ``amount``, ``target`` …), as text.
    text
        Content, for ``speech``.
    """

    id: str
    kind: str
    sync: Mapping[str, Sync] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            raise PlanError(f"a {self.kind} behaviour has no id")
        sync = {k: v if isinstance(v, Sync) else Sync.parse(str(v)) for k, v in self.sync.items()}
        object.__setattr__(self, "sync", _frozen(sync))
        object.__setattr__(self, "attributes", _frozen({k: str(v) for k, v in self.attributes.items()}))

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        # A mapping proxy cannot be pickled; workers need behaviours nevertheless.
        return type(self), (self.id, self.kind, dict(self.sync), dict(self.attributes), self.text)

    def number(self, attribute: str, default: float) -> float:
        """An attribute as a number."""
        if attribute not in self.attributes:
            return default
        try:
            value = float(self.attributes[attribute])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise PlanError(
                f"{self.kind} {self.id!r}: {attribute}={self.attributes[attribute]!r} is not a number"
            )
        return value


@dataclass(frozen=True)
class Feedback:
    """What became of a behaviour: ``realised``, ``shifted``, ``dropped`` or ``unknown``, and why."""

    id: str
    status: str
    reason: str = ""
    times: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in ("realised", "shifted", "dropped", "unknown"):
            raise DataError(
                f"feedback status {self.status!r}; expected realised, shifted, dropped or unknown"
            )
        object.__setattr__(self, "times", _frozen(self.times))

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), (self.id, self.status, self.reason, dict(self.times))


@dataclass(frozen=True)
class Plan:
    """Behaviours and, once performed, what became of them.

    Parameters
    ----------
    behaviours
        What to do.
    feedback
        What became of each, once performed.
    composition
        ``"MERGE"``: the planner adds what the plan leaves open; ``"REPLACE"``: the plan is whole
        and nothing is added (BML 1.0's composition attribute).

    Raises
    ------
    PlanError
        If two behaviours share an id.
    """

    behaviours: tuple[Behaviour, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    composition: str = "MERGE"

    def __post_init__(self) -> None:
        if self.composition not in ("MERGE", "REPLACE"):
            raise PlanError(f"composition {self.composition!r}; choose one of: MERGE, REPLACE")
        object.__setattr__(self, "behaviours", tuple(self.behaviours))
        object.__setattr__(self, "feedback", tuple(self.feedback))
        seen: set[str] = set()
        for b in self.behaviours:
            if b.id in seen:
                raise PlanError(f"two behaviours have the id {b.id!r}; ids must be unique")
            seen.add(b.id)

    def __len__(self) -> int:
        return len(self.behaviours)

    def __iter__(self) -> Iterator[Behaviour]:
        return iter(self.behaviours)

    def __getitem__(self, id: str) -> Behaviour:
        for b in self.behaviours:
            if b.id == id:
                return b
        raise PlanError(f"no behaviour {id!r} in the plan")

    def of(self, *kinds: str) -> tuple[Behaviour, ...]:
        """The behaviours of the given kinds, in order."""
        return tuple(b for b in self.behaviours if b.kind in kinds)

    def slice(self, start: float, end: float) -> Plan:
        """The behaviours whose stated times touch [start, end), with their feedback.

        What states no time stays. References to behaviours that are cut become seconds.
        """
        times = self.times()

        def touches(b: Behaviour) -> bool:
            known = times[b.id].values()
            if not known:
                return True
            first, last = min(known), max(known)
            return start < end and first < end and (last > start or first == last == start)

        kept = {b.id for b in self.behaviours if touches(b)}

        def settled(b: Behaviour) -> Behaviour:
            return replace(
                b,
                sync={
                    k: s if s.behaviour is None or s.behaviour in kept else Sync(times[b.id][k])
                    for k, s in b.sync.items()
                },
            )

        return replace(
            self,
            behaviours=tuple(settled(b) for b in self.behaviours if b.id in kept),
            feedback=tuple(f for f in self.feedback if f.id in kept),
        )

    def shift(self, seconds: float) -> Plan:
        """All absolute times, ``seconds`` later; references move with what they refer to."""

        def moved(b: Behaviour) -> Behaviour:
            return replace(
                b,
                sync={
                    k: replace(s, offset=s.offset + seconds) if s.behaviour is None else s
                    for k, s in b.sync.items()
                },
            )

        return replace(
            self,
            behaviours=tuple(map(moved, self.behaviours)),
            feedback=tuple(
                replace(f, times={k: t + seconds for k, t in f.times.items()}) for f in self.feedback
            ),
        )

    def join(self, other: Plan) -> Plan:
        """This plan's behaviours and ``other``'s; ids that both use get a number in the second."""
        taken = {b.id for b in self.behaviours}
        names: dict[str, str] = {}
        for b in other.behaviours:
            name = b.id
            for n in range(2, len(taken) + 3):
                if name not in taken:
                    break
                name = f"{b.id}_{n}"
            names[b.id] = name
            taken.add(name)

        def renamed(b: Behaviour) -> Behaviour:
            sync = {
                k: replace(s, behaviour=names[s.behaviour]) if s.behaviour in names else s
                for k, s in b.sync.items()
            }
            return replace(b, id=names[b.id], sync=sync)

        return replace(
            self,
            behaviours=(*self.behaviours, *map(renamed, other.behaviours)),
            feedback=(*self.feedback, *(replace(f, id=names.get(f.id, f.id)) for f in other.feedback)),
        )

    def times(
        self, *, anchors: Mapping[str, Mapping[str, float]] | None = None
    ) -> dict[str, dict[str, float]]:
        """Seconds of every stated sync point.

        Parameters
        ----------
        anchors
            Known moments by behaviour id, such as the words of the speech as performed.

        Raises
        ------
        PlanError
            On a reference to a behaviour or point that does not exist, or on a cycle (named).
        """
        anchors = anchors or {}
        by_id = {b.id: b for b in self.behaviours}
        done: dict[tuple[str, str], float] = {}

        def known(id: str, point: str) -> float | None:
            if id in anchors and point in anchors[id]:
                return anchors[id][point]
            return done.get((id, point))

        for b in self.behaviours:
            for first in b.sync:
                # An explicit stack: a long chain of references must not exhaust Python's own.
                stack = [(b.id, first)]
                waiting = {stack[0]}
                while stack:
                    id, point = stack[-1]
                    if known(id, point) is not None:
                        waiting.discard(stack.pop())
                        continue
                    if id not in by_id and id not in anchors:
                        raise PlanError(
                            f"{stack[-2][0] if len(stack) > 1 else b.id!r} refers to {id!r}, which is not in the plan"
                        )
                    if id not in by_id or point not in by_id[id].sync:
                        raise PlanError(
                            f"{stack[-2][0] if len(stack) > 1 else b.id!r} refers to {id}:{point}, a time that {id!r} does not state"
                        )
                    sync = by_id[id].sync[point]
                    if sync.behaviour is None:
                        done[id, point] = sync.offset
                        waiting.discard(stack.pop())
                        continue
                    other = (sync.behaviour, str(sync.point))
                    value = known(*other)
                    if value is not None:
                        done[id, point] = value + sync.offset
                        waiting.discard(stack.pop())
                    elif other in waiting:
                        loop = [*stack[stack.index(other) :], other]
                        raise PlanError("sync cycle: " + " → ".join(f"{i}:{p}" for i, p in loop))
                    else:
                        stack.append(other)
                        waiting.add(other)
        return {
            b.id: {k: done.get((b.id, k), anchors.get(b.id, {}).get(k, math.nan)) for k in b.sync}
            for b in self.behaviours
        }
