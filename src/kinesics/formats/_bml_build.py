"""Behaviours of BML as they are read, from XML or JSON, until they are a plan."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from kinesics.errors import KinesicsError
from kinesics.performance import KINDS, Behaviour, Feedback, Performance, Plan, Sync
from kinesics.performance.plan import SYNC_POINTS

POINTS = frozenset(SYNC_POINTS) | {"attackPeak"}
"""Attributes that are moments."""

CHILDREN = frozenset({"text", "description", "stance", "pose", "target", "lexeme", "facs", "faceLexeme", "faceFacs"})  # fmt: skip
"""Elements that BML 1.0 knows within behaviours."""

COMPOSITIONS = ("MERGE", "REPLACE", "APPEND")

_GROUPS = ("face", "faceShift")
_PART = re.compile(r"(lexeme|facs|faceLexeme|faceFacs)(?:#([0-9]{1,6}))?/(.*)", re.DOTALL)
_SYNCHRONIZE = re.compile(r"(synchronize(?:#[0-9]{1,6})?)/(?:sync(?:#([0-9]{1,6}))?/)?ref")
_BLOCK = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*:\s*([A-Za-z_][\w.-]*\s*:.*)", re.DOTALL)
_LONGEST_CHAIN = 100


class Builder:
    """Collects behaviours, then resolves what they say of one another."""

    def __init__(self) -> None:
        self.head: dict[str, str] = {}
        self.composition = "MERGE"
        self._behaviours: dict[str, Behaviour] = {}
        self._told: list[Feedback] = []
        self._notes: dict[tuple[str, str], Feedback] = {}
        self._alias: dict[str, str] = {}

    def __contains__(self, id: str) -> bool:
        return id in self._behaviours

    def __len__(self) -> int:
        return len(self._behaviours)

    def begin(self, head: Mapping[str, str]) -> None:
        """Take the attributes of the block; raises ValueError on an unknown composition."""
        values = dict(head)
        composition = values.pop("composition", "MERGE")
        kind = composition.upper().partition("(")[0]
        if kind not in (*COMPOSITIONS, "APPEND-AFTER", "CHUNK-AFTER", "CHUNK-BEFORE"):
            raise ValueError("composition MERGE, APPEND or REPLACE")
        # A plan stands alone: what it is appended to is not in it.
        self.composition = "REPLACE" if kind == "REPLACE" else "MERGE"
        if kind not in ("MERGE", "REPLACE"):
            values["composition"] = composition
        self.head = values

    def note(self, id: str, reason: str) -> None:
        """Say that something is not understood, once."""
        self._notes.setdefault((id, reason), Feedback(id, "unknown", reason))

    def told(self, feedback: Feedback) -> None:
        """Take feedback that stands in the file; raises ValueError on times that are no times."""
        if not all(map(math.isfinite, feedback.times.values())):
            raise ValueError("a time that is not finite")
        self._told.append(feedback)

    def sync(self, id: str, point: str, value: str) -> Sync | None:
        """A moment; None, and a note, when it is one of another block. Raises PlanError on anything else."""
        if found := _BLOCK.fullmatch(value):
            if found[1] != self.head.get("id"):
                self.note(
                    id, f"{point} refers to the block {found[1]!r}, which is not in the file; left open"
                )
                return None
            value = found[2]
        return Sync.parse(value)

    def add(
        self, id: str, kind: str, sync: Mapping[str, Sync], attributes: Mapping[str, str], text: str
    ) -> None:
        """Take a behaviour; a face group becomes its parts. Raises PlanError."""
        if kind in _GROUPS and any(map(_PART.fullmatch, attributes)):
            self._take_apart(id, kind, sync, attributes, text)
            return
        self._behaviours[id] = Behaviour(id, kind, sync, attributes, text)
        if kind not in KINDS and kind != "constraint":
            self.note(id, f"<{kind.rpartition('}')[2]}> is not a behaviour of BML 1.0; kept, not performed")

    def _take_apart(
        self, id: str, kind: str, sync: Mapping[str, Sync], attributes: Mapping[str, str], text: str
    ) -> None:
        parts: dict[tuple[str, str], dict[str, str]] = {}
        shared: dict[str, str] = {}
        for key, value in attributes.items():
            if part := _PART.fullmatch(key):
                parts.setdefault((part[1], part[2] or "1"), {})[part[3]] = value
            else:
                shared[key] = value
        for n, ((tag, _), own) in enumerate(parts.items(), 1):
            name = own.pop("id", "")
            new = id if n == 1 else name or f"{id}.{n}"
            if new in self._behaviours:
                raise ValueError(f"{new!r} twice; give the parts of the face their own ids")
            if name and name != new:
                self._alias[name] = new
            own.pop("", None)
            if "amount" in own and "amount" in shared:
                own["amount"] = _product(own["amount"], shared["amount"])
            moments = dict(sync)
            for point in [k for k in own if k in POINTS]:
                if (moment := self.sync(new, point, own.pop(point))) is not None:
                    moments[point] = moment
            becomes = (
                kind if kind == "faceShift" else "faceFacs" if tag.lower().endswith("facs") else "faceLexeme"
            )
            self._behaviours[new] = Behaviour(new, becomes, moments, {**shared, **own}, text)
            text = ""

    def plan(self) -> Plan:
        """The plan; raises PlanError."""
        block = self.head.get("id")
        for id, b in self._behaviours.items():
            changed = {k: s for k, old in b.sync.items() if (s := self._settled(old, block)) is not old}
            if changed:
                self._behaviours[id] = replace(b, sync={**b.sync, **changed})
        for b in [b for b in self._behaviours.values() if b.kind == "constraint"]:
            self._constrain(b)
        # A reader's own note, written down and read again, is one note.
        known = {(f.id, f.reason) for f in self._told if f.status == "unknown"}
        notes = [f for key, f in self._notes.items() if key not in known]
        return Plan(tuple(self._behaviours.values()), (*notes, *self._told), self.composition)

    def _settled(self, sync: Sync, block: str | None) -> Sync:
        if sync.behaviour in self._alias:
            return replace(sync, behaviour=self._alias[sync.behaviour])
        if sync.behaviour is not None and sync.behaviour == block and block not in self._behaviours:
            return Sync(sync.offset) if sync.point == "start" else sync
        return sync

    def _constrain(self, constraint: Behaviour) -> None:
        """Apply what can be said as sync references; the rest of the constraint stays, and is reported."""
        groups: dict[str, list[str]] = {}
        for key in constraint.attributes:
            if found := _SYNCHRONIZE.fullmatch(key):
                groups.setdefault(found[1], []).append(key)
        left = dict(constraint.attributes)
        for group in groups.values():
            try:
                done = self._synchronize([self.sync(constraint.id, "ref", left[k]) for k in group])
            except KinesicsError:
                done = False
            if done:
                for key in group:
                    del left[key]
        # The groups that stay are numbered anew, so that they come back under the names they are written as.
        kept = (g for g, keys in groups.items() if keys[0] in left)
        new = {g: "synchronize" if n == 1 else f"synchronize#{n}" for n, g in enumerate(kept, 1)}
        left = {new.get(g := k.partition("/")[0], g) + k[len(g) :]: v for k, v in left.items()}
        if any("/" in k for k in left):
            self._behaviours[constraint.id] = replace(constraint, attributes=left)
            names = sorted({k.partition("/")[0].partition("#")[0] for k in left if "/" in k})
            self.note(constraint.id, f"<constraint>: <{'>, <'.join(names)}> is kept, not applied")
        else:
            del self._behaviours[constraint.id]

    def _synchronize(self, moments: list[Sync | None]) -> bool:
        """Let the moments be one; False, and nothing is changed, where references cannot say so."""
        block = self.head.get("id")
        refs = [self._settled(s, block) for s in moments if s is not None]
        roots = [self._root(s) for s in refs]
        if len(refs) != len(moments) or not refs:
            return False
        known = [r for r in roots if r is not None]
        if len(known) != len(roots):
            return False
        # What has a time leads, then the marks of a speech, whose words have times of their own.
        lead = min(range(len(known)), key=lambda k: self._rank(known[k]))
        anchor, ground = refs[lead], known[lead]
        wanted: dict[tuple[str, str], float] = {}
        for root in known:
            # At the moment of all: root + root's offset = ground + ground's offset.
            difference = ground.offset - root.offset
            place = (root.behaviour, root.point)
            if place == (ground.behaviour, ground.point):
                fits = abs(difference) < 1e-9
            elif root.behaviour is None or (self._rank(root) == 1 and root.point not in POINTS):
                fits = False
            else:
                fits = (
                    abs(wanted.setdefault((root.behaviour, str(root.point)), difference) - difference) < 1e-9
                )
            if not fits:
                return False
        for (id, point), difference in wanted.items():
            b = self._behaviours[id]
            offset = round(difference - ground.offset + anchor.offset, 12)
            moment = Sync(offset, anchor.behaviour, anchor.point)
            self._behaviours[id] = replace(b, sync={**b.sync, point: moment})
        return True

    def _root(self, sync: Sync) -> Sync | None:
        """What a moment hangs on in the end: seconds, or a point that nothing is said of; None on circles."""
        offset = sync.offset
        for _ in range(_LONGEST_CHAIN):
            if sync.behaviour is None:
                return Sync(offset)
            b = self._behaviours.get(sync.behaviour)
            if b is None:
                return None
            if str(sync.point) not in b.sync:
                return Sync(offset, sync.behaviour, sync.point)
            sync = b.sync[str(sync.point)]
            offset += sync.offset
        return None

    def _rank(self, root: Sync) -> int:
        if root.behaviour is None:
            return 0
        return 1 if self._behaviours[root.behaviour].kind == "speech" else 2


def head_of_meta(performance: Performance) -> dict[str, str]:
    """The block's attributes, as a reader left them in ``meta["bml"]``."""
    facts = performance.meta.get("bml", {})
    head = {k: v for k, v in facts.items() if isinstance(v, str)} if isinstance(facts, Mapping) else {}
    if performance.plan.composition == "REPLACE":
        head.pop("composition", None)
    return head


def _product(a: str, b: str) -> str:
    try:
        return repr(float(a) * float(b)).removesuffix(".0")
    except ValueError:
        return a
