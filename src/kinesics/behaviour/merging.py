"""A user's plan has authority: what it says is done, and the planner fills what it leaves open.

A planned behaviour gives way where it would move the same part of the body at the same time as one of the
user's, or bears its id. What cannot be done as written is mended as little as possible and reported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kinesics.behaviour.lexicon import form_of
from kinesics.behaviour.lexicon import lexicon as shipped_lexicon
from kinesics.errors import DataError
from kinesics.performance import KINDS, SYNC_POINTS, Behaviour, Feedback, Plan, Sync
from kinesics.performance.gesture import Gesture

QUICKEST_STROKE = 0.12
"""Seconds below which no arm makes a stroke (ours; 8 Hz is the fastest voluntary tapping)."""
QUICKEST_PREPARATION = 0.25
_MARGIN = 0.35
_ORDER = {point: i for i, point in enumerate(SYNC_POINTS)} | {"attackPeak": 1.5}
_LENGTH = {"gesture": (0.6, 0.9), "pointing": (0.6, 1.0), "head": (0.2, 0.7), "blink": (0.0, 0.2)}
_BROWS = {"RAISE_BROWS", "LOWER_BROWS", "OBLIQUE_BROWS"}


def parts(b: Behaviour) -> frozenset[str]:
    """What a behaviour moves: ``left hand``, ``right hand``, ``head``, ``gaze``, ``brows``, ``mouth`` …

    >>> sorted(parts(Behaviour("g", "gesture", {}, {"mode": "BOTH_HANDS"})))
    ['left hand', 'right hand']
    """
    if b.kind in ("gesture", "pointing"):
        mode = b.attributes.get("mode", "RIGHT_HAND")
        if "mode" not in b.attributes and (
            "other" in b.attributes or b.attributes.get("hands", "one") != "one"
        ):
            mode = "BOTH_HANDS"
        hands = {"LEFT_HAND": {"left hand"}, "RIGHT_HAND": {"right hand"}}.get(
            mode, {"left hand", "right hand"}
        )
        return frozenset(hands)
    if b.kind == "head":
        return frozenset({"head"})
    if b.kind == "headDirectionShift":
        return frozenset({"head", "gaze"})
    if b.kind in ("gaze", "gazeShift"):
        return frozenset({"gaze"})
    if b.kind in ("posture", "postureShift", "locomotion"):
        return frozenset({"posture"})
    if b.kind == "blink":
        return frozenset({"lids"})
    if b.kind == "face":
        return frozenset({"emotion"})
    if b.kind == "faceLexeme":
        return frozenset({"brows" if b.attributes.get("lexeme") in _BROWS else "mouth"})
    return frozenset({f"face unit {b.attributes.get('au', '')}"}) if b.kind == "faceFacs" else frozenset()


def span(b: Behaviour, times: Mapping[str, float]) -> tuple[float, float]:
    """Seconds from the first to the last moment of a behaviour, guessing ends that it leaves open."""
    if not times:
        return 0.0, math.inf
    before, after = _LENGTH.get(b.kind, (0.0, 0.8))
    first, last = min(times.values()), max(times.values())
    open_end = b.kind in ("face", "gazeShift", "postureShift") and "end" not in times
    return (
        first if "start" in times or "ready" in times else first - before,
        math.inf if open_end and b.kind == "face" else last if "end" in times else last + after,
    )


class Merger:
    """A user's plan, timed and mended, ready to take precedence.

    Parameters
    ----------
    user
        The user's plan.
    speech
        The ``speech`` behaviour as performed, which the user's references are resolved against.
    lexicon
        Gestures by lexeme.

    Attributes
    ----------
    behaviours
        The user's behaviours that can be performed, at absolute times where they had to be mended.
    feedback
        What was shifted, dropped or is unknown, and why.

    Raises
    ------
    PlanError
        On a cycle, or a reference to what is not there.
    """

    def __init__(
        self, user: Plan, speech: Behaviour | None = None, *, lexicon: Mapping[str, Gesture] | None = None
    ) -> None:
        self._lexicon = shipped_lexicon() if lexicon is None else lexicon
        self.feedback: list[Feedback] = list(user.feedback)
        own = [self._timed(b, speech) if b.kind == "speech" else b for b in user]
        anchors = {}
        if speech is not None:
            anchors[speech.id] = Plan((speech,)).times()[speech.id]
        times = Plan(tuple(own)).times(anchors=anchors)
        self.behaviours: list[Behaviour] = []
        self.times: dict[str, dict[str, float]] = {}
        taken: dict[str, tuple[float, str]] = {}
        order = sorted(range(len(own)), key=lambda i: (min(times[own[i].id].values(), default=0.0), i))
        kept: dict[int, Behaviour] = {}
        for i in order:
            if (b := self._mended(own[i], times[own[i].id], taken)) is not None:
                kept[i] = b
        self.behaviours = [kept[i] for i in sorted(kept)]
        self._ids = {b.id for b in user}
        self._whole = user.composition == "REPLACE"
        self._spans = [(parts(b), span(b, self.times[b.id])) for b in self.behaviours]

    def keep(self, planned: Sequence[Behaviour], speech: Behaviour | None = None) -> list[Behaviour]:
        """Those planned behaviours that leave the user's alone.

        Parameters
        ----------
        planned
            As the planner commits them.
        speech
            Where their references, if any, are resolved.
        """
        if self._whole:
            return [b for b in planned if b.kind == "speech" and b.id not in self._ids]
        anchors = {speech.id: Plan((speech,)).times()[speech.id]} if speech is not None else None
        times = Plan(tuple(planned)).times(anchors=anchors)
        return [b for b in planned if b.id not in self._ids and not self._clashes(b, times[b.id])]

    def _clashes(self, b: Behaviour, times: Mapping[str, float]) -> bool:
        moves, (first, last) = parts(b), span(b, times)
        margin = _MARGIN if "hand" in " ".join(moves) else 0.05
        return any(
            moves & theirs and first < end + margin and last > start - margin
            for theirs, (start, end) in self._spans
        )

    def _timed(self, b: Behaviour, speech: Behaviour | None) -> Behaviour:
        """A user's speech with its untimed marks put where the performed words are."""
        marks = b.attributes.get("untimed", "").split()
        if speech is None or (not marks and "start" in b.sync):
            return b
        sync: dict[str, Sync] = dict(speech.sync) if b.id == speech.id else {k: speech.sync[k] for k in ("start", "end") if k in speech.sync}  # fmt: skip
        sync.update(b.sync)
        count = sum(1 for k in speech.sync if k[0] == "w" and k[1:].isdigit())
        said = len(b.text.split())
        if marks and said != count:
            self._say(b.id, "shifted", f"its text has {said} words, {count} were said; marks were placed in proportion")  # fmt: skip
        for mark in marks:
            name, _, at = mark.rpartition(":")
            index = int(at) if said == count else round(int(at) * count / max(1, said))
            sync[name] = speech.sync.get(f"w{index}", speech.sync.get("end", Sync(0.0)))
        return replace(b, sync=sync)

    def _say(self, id: str, status: str, reason: str, times: Mapping[str, float] | None = None) -> None:
        self.feedback.append(Feedback(id, status, reason, times or {}))

    def _mended(
        self, b: Behaviour, times: Mapping[str, float], taken: dict[str, tuple[float, str]]
    ) -> Behaviour | None:
        if b.kind not in KINDS:
            if not any(f.id == b.id for f in self.feedback):
                self._say(b.id, "unknown", f"<{b.kind}> is not a behaviour of BML 1.0; kept, not performed")
            self.times[b.id] = dict(times)
            return b
        if b.kind == "gesture":
            try:
                form_of(b, self._lexicon)
            except DataError as error:
                self._say(b.id, "dropped" if "poses" in b.attributes else "unknown", str(error))
                return None
        if b.kind == "speech":
            self.times[b.id] = dict(times)
            return b
        now, reasons = dict(times), []
        mended = self._ordered(b, now)
        if mended != now:
            now, _ = mended, reasons.append("its sync points were out of order or too close")
        if now and min(now.values()) < 0:
            by = -min(now.values())
            now, _ = {k: t + by for k, t in now.items()}, reasons.append("it began before the start")
        if b.kind in ("gesture", "pointing") and now:
            now = self._doable(b, now, taken, reasons)
            if not now:
                return None
        self.times[b.id] = now
        if not reasons:
            return b
        self._say(b.id, "shifted", "; ".join(reasons), now)
        return replace(b, sync={k: Sync(round(t, 4)) for k, t in now.items()})

    def _ordered(self, b: Behaviour, times: dict[str, float]) -> dict[str, float]:
        """Times whose order and least gaps hold, moving as little as possible around the stroke."""
        points = sorted((p for p in times if p in _ORDER), key=_ORDER.__getitem__)
        if not points:
            return times
        hands = b.kind in ("gesture", "pointing")
        gaps = {"strokeStart": QUICKEST_PREPARATION, "stroke": 0.0, "strokeEnd": 0.0, "end": 0.05} if hands else {"end": 0.05}  # fmt: skip
        anchor = points.index("stroke") if "stroke" in points else 0
        out = dict(times)
        for a, c in zip(points[anchor:], points[anchor + 1 :], strict=False):
            out[c] = max(out[c], out[a] + gaps.get(c, 0.0))
        for a, c in zip(reversed(points[:anchor]), reversed(points[1 : anchor + 1]), strict=False):
            out[a] = min(out[a], out[c] - gaps.get(c, 0.0))
        if hands and "strokeStart" in out and "strokeEnd" in out:
            short = QUICKEST_STROKE - (out["strokeEnd"] - out["strokeStart"])
            if short > 1e-9:
                for p in points:
                    if _ORDER[p] <= _ORDER["strokeStart"]:
                        out[p] -= short
        return out

    def _doable(
        self, b: Behaviour, now: dict[str, float], taken: dict[str, tuple[float, str]], reasons: list[str]
    ) -> dict[str, float]:
        """Times at which the hands are free; empty, and reported, where they are not within a second."""
        first = now.get("strokeStart", now.get("stroke", min(now.values())) - 0.3)
        free, by = max(((taken[p] for p in parts(b) if p in taken)), default=(-math.inf, ""))
        late = max(0.0, QUICKEST_PREPARATION - first, free + QUICKEST_PREPARATION - first if by else 0.0)
        if late > 1.0 and by:
            self._say(b.id, "dropped", f"the hand is still busy with {by!r}, {late:.2f} s too long")
            return {}
        if late > 1e-6:
            now = {k: t + late for k, t in now.items()}
            reasons.append(f"the hand comes from {by!r} and needs time" if by else "the hand needs time to get there")  # fmt: skip
        last = now.get("strokeEnd", now.get("stroke", first) + 0.1)
        for p in parts(b):
            taken[p] = (last, b.id)
        return now


def merge(plan: Plan, user: Plan, *, lexicon: Mapping[str, Gesture] | None = None) -> Plan:
    """Join a user's plan with the planner's.

    Parameters
    ----------
    plan
        From :func:`~kinesics.behaviour.planner.plan_of`.
    user
        The user's; with composition ``REPLACE`` only the speech is taken from ``plan``.
    lexicon
        Gestures by lexeme.

    Returns
    -------
    The speech, the user's behaviours, and those planned that leave them alone; with feedback on what was
    mended.

    Raises
    ------
    PlanError
        On a cycle or a reference to what is not there.

    Examples
    --------
    >>> planned = Plan((Behaviour("speech", "speech", {"start": Sync(0), "w0": Sync(1), "end": Sync(2)}),
    ...                 Behaviour("head1", "head", {"stroke": Sync(1.1)}, {"lexeme": "NOD"})))
    >>> user = Plan((Behaviour("h", "head", {"stroke": Sync(0, "speech", "w0")}, {"lexeme": "SHAKE"}),))
    >>> [b.id for b in merge(planned, user)]
    ['speech', 'h']
    """
    speeches = plan.of("speech")
    speech = speeches[0] if speeches else None
    merger = Merger(user, speech, lexicon=lexicon)
    rest = merger.keep([b for b in plan if b.kind != "speech"], speech)
    own = {b.id for b in merger.behaviours}
    first = [speech] if speech is not None and speech.id not in own else []
    merged = Plan((*first, *merger.behaviours, *rest), (*plan.feedback, *merger.feedback), user.composition)
    merged.times()  # whatever cannot be solved is said here, not while performing
    return merged
