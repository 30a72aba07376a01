"""Reasons for an expression as a plan of a few tokens: which units are seen, how strongly and on which side, what they mean, and what follows.

A plan is to its English (:mod:`kinesics.systems.read._prose`) what a plan of behaviours is to a performance. Its grammar::

    plan  := (UNIT LEVEL SIDE)* [speech] means UNIT* [but UNIT*] so CERTAINTY STRENGTH (alone | with LABEL) end

Every unit is observed once, strongest first; those that speak for the label (some of :data:`SIGNS`) come after ``means``, the others after
``but``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.action_units import PAIRED, UNITS
from kinesics.errors import DataError
from kinesics.systems._face_features import EMOTIONS

LEVELS = ("A", "B", "C", "D", "E")
"""FACS intensities."""
_BOUNDS = (0.2, 0.4, 0.65, 0.85)
SIDES = ("both", "left", "right", "only left", "only right")
"""Where a unit is seen: on both sides alike, more on one, on one alone."""
CERTAINTIES = ("clear", "likely")
STRENGTHS = ("mild", "moderate", "strong")

TOKENS: tuple[str, ...] = (
    "pad", "face", "label?", "reasons?", "end", "speech", "means", "but", "so", "alone", "with",
    *EMOTIONS, *UNITS, *LEVELS, *SIDES, *CERTAINTIES, *STRENGTHS,
)  # fmt: skip
NUMBER: dict[str, int] = {token: i for i, token in enumerate(TOKENS)}
PAD, FACE, ASK_LABEL, ASK_REASONS, END = (NUMBER[t] for t in ("pad", "face", "label?", "reasons?", "end"))
FIRST_LABEL = NUMBER[EMOTIONS[0]]
LONGEST = 48
"""Tokens of a plan at most."""
MOST = 8
"""Units that are named at most."""
ACTIVE = 0.2
"""From this strength (FACS level B) a unit counts as active."""

SIGNS: Mapping[str, frozenset[str]] = {
    "neutral": frozenset(),
    "happy": frozenset({"AU06", "AU12"}),
    "sad": frozenset({"AU01", "AU04", "AU15", "AU17"}),
    "surprise": frozenset({"AU01", "AU02", "AU05", "AU26"}),
    "fear": frozenset({"AU01", "AU02", "AU04", "AU05", "AU07", "AU20", "AU26"}),
    "disgust": frozenset({"AU09", "AU10", "AU15", "AU16", "AU17"}),
    "anger": frozenset({"AU04", "AU05", "AU07", "AU10", "AU17", "AU24"}),
    "contempt": frozenset({"AU12", "AU14"}),
}
"""Units that speak for each emotion (EMFACS; 23 is seen as 24 here, and 25 comes with 10, 16 or 26)."""


@dataclass(frozen=True)
class Seen:
    """One unit as it is observed: a name of :data:`~kinesics.bodies.action_units.UNITS`, a level and a side."""

    unit: str
    level: str
    side: str


@dataclass(frozen=True)
class Plan:
    """See the module's text.

    Parameters
    ----------
    label
        The emotion it explains.
    seen
        Units, strongest first.
    support
        Those that speak for the label, in the order of :attr:`seen`.
    speech
        Whether the mouth speaks.
    certainty, strength
        Of the conclusion.
    blend
        A second emotion, or an empty text.
    """

    label: str
    seen: tuple[Seen, ...]
    support: tuple[str, ...]
    speech: bool
    certainty: str
    strength: str
    blend: str = ""

    @property
    def others(self) -> tuple[str, ...]:
        """Units that are seen but do not speak for the label."""
        return tuple(s.unit for s in self.seen if s.unit not in self.support)


def made(
    strength: NDArray,
    lean: NDArray,
    *,
    label: str,
    intensity: float,
    blend: str = "",
    speech: bool = False,
    known: Collection[str] = UNITS,
) -> Plan:
    """The plan of a face whose truth is known: what a network learns to write.

    Parameters
    ----------
    strength, lean
        (24,) of :func:`kinesics.bodies.action_units.strengths`.
    label, intensity, blend, speech
        What is felt, how strongly, what else, and whether the mouth speaks.
    known
        Units that were looked for.
    """
    order = [i for i in np.argsort(-strength, kind="stable") if strength[i] >= ACTIVE and UNITS[i] in known]
    seen = tuple(
        Seen(UNITS[i], level(float(strength[i])), side(UNITS[i], float(lean[i]))) for i in order[:MOST]
    )
    support = tuple(s.unit for s in seen if s.unit in SIGNS[label])
    sure = not seen if label == "neutral" else len(support) >= 2 and not blend
    return Plan(
        label, seen, support, speech, CERTAINTIES[not sure],
        STRENGTHS[int(np.digitize(intensity, (0.45, 0.78)))], blend,
    )  # fmt: skip


def level(strength: float) -> str:
    """FACS level of a strength from 0 to 1: A to .2, B to .4, C to .65, D to .85, E above."""
    return LEVELS[int(np.digitize(strength, _BOUNDS))]


def side(unit: str, lean: float) -> str:
    """Side of a unit from how much stronger its left is."""
    if unit not in PAIRED or abs(lean) < 0.3:
        return "both"
    name = "left" if lean > 0 else "right"
    return f"only {name}" if abs(lean) > 0.8 else name


def written(plan: Plan) -> list[int]:
    """The tokens of a plan, without the label it starts from."""
    words = [w for s in plan.seen for w in (s.unit, s.level, s.side)]
    words += ["speech"] * plan.speech + ["means", *plan.support]
    words += ["but", *plan.others] if plan.others else []
    words += [
        "so",
        plan.certainty,
        plan.strength,
        *(["with", plan.blend] if plan.blend else ["alone"]),
        "end",
    ]
    return [NUMBER[w] for w in words]


def padded(plan: Plan) -> NDArray[np.int64]:
    """(48,) of :func:`written`, padded."""
    ids = written(plan)
    return np.pad(np.array(ids, np.int64), (0, LONGEST - len(ids)), constant_values=PAD)


def read(label: str, ids: Sequence[int]) -> Plan:
    """The plan of tokens that keep the grammar.

    Raises
    ------
    DataError
        If they do not.
    """
    writer = Grammar(label, UNITS)
    for token in ids:
        if not writer.allowed()[token]:
            raise DataError(f"a plan with {TOKENS[token]!r} out of place")
        writer.take(int(token))
    if not writer.done:
        raise DataError("a plan without an end")
    return writer.plan()


class Grammar:
    """What may come next while a plan is written.

    Parameters
    ----------
    label
        What is explained.
    units
        Units that may be named: those that were measured as active.
    """

    def __init__(self, label: str, units: Collection[str]) -> None:
        self._label, self._units = label, [u for u in UNITS if u in units]
        self._said: list[str] = []
        self._state = "unit"
        self._seen: list[Seen] = []
        self._support: list[str] = []
        self._others: list[str] = []
        self._speech = False
        self._end: list[str] = []

    @property
    def done(self) -> bool:
        """Whether the plan has ended."""
        return self._state == "done"

    def allowed(self) -> NDArray[np.bool_]:
        """(V,) which tokens may follow."""
        out = np.zeros(len(TOKENS), bool)
        out[[NUMBER[w] for w in self._next()]] = True
        return out

    def _next(self) -> Sequence[str]:
        named = [s.unit for s in self._seen]
        left = [u for u in named if u not in self._support and u not in self._others]
        match self._state:
            case "unit":
                more = [u for u in self._units if u not in named] if len(named) < MOST else []
                return [*more, "means", *([] if self._speech else ["speech"])]
            case "level":
                return LEVELS
            case "side":
                return SIDES if self._said[-2] in PAIRED else SIDES[:1]
            case "speech":
                return ["means"]
            case "means":
                return [*(u for u in left if u in SIGNS[self._label]), "but" if left else "so"]
            case "but":
                return left or ["so"]
            case "so":
                return CERTAINTIES
            case "certainty":
                return STRENGTHS
            case "strength":
                return ["alone", "with"]
            case "with":
                return [e for e in EMOTIONS[1:] if e != self._label]
            case "last":
                return ["end"]
        return []

    def take(self, token: int) -> None:
        """Go on by one token of :meth:`allowed`."""
        word, state = TOKENS[token], self._state
        self._said.append(word)
        if state == "unit" and word in UNITS:
            self._state = "level"
        elif state == "level":
            self._state = "side"
        elif state == "side":
            self._seen.append(Seen(self._said[-3], self._said[-2], word))
            self._state = "unit"
        elif word in ("speech", "means", "but", "so", "with"):
            self._speech |= word == "speech"
            self._state = word
        elif state in ("means", "but"):
            (self._support if state == "means" else self._others).append(word)
        elif word == "end":
            self._state = "done"
        else:
            self._end.append(word)
            self._state = {"so": "certainty", "certainty": "strength"}.get(state, "last")

    def plan(self) -> Plan:
        """The plan, once :attr:`done`."""
        certainty, strength, blend = self._end
        inside = tuple(s.unit for s in self._seen if s.unit in self._support)
        return Plan(
            self._label,
            tuple(self._seen),
            inside,
            self._speech,
            certainty,
            strength,
            "" if blend == "alone" else blend,
        )
