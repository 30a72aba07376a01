"""The gestures Kinesics knows: form and meaning, read from ``data/*.toml`` and checked once.

An entry is written in the notation of :mod:`kinesics.performance.gesture`::

    [STOP]
    poses = ["flat palm:forward fingers:up @ chest ipsi near", "@ chest ipsi far"]
    moves = ["straight"]            # path, then optional: x2 (repeats), 0.05 (metres), /2 (share of time)
    seconds = 0.35                  # of the stroke
    hold = 0.6                      # after it
    means = ["stop", "wait"]        # words and phrases that call for it
    hints = ["block"]               # words that merely make it likelier

A ``gesture`` behaviour of a plan may state its form itself instead of naming a lexeme, in attributes of the same
notation (:func:`~kinesics.performance.gesture.inline_gesture`); :func:`form_of` finds either.

What an entry says beyond :class:`~kinesics.performance.gesture.Gesture` is in its ``extra``, as text:

``hints``
    Weak meanings, joined by ``|``.
``apex``
    Part of the stroke's time at which the sync point ``stroke`` lies; 1 is its end.
``axis``, ``size``
    For iconics of size: which measure (``width`` between the hands, ``height``, ``depth``) a
    behaviour's ``size`` attribute sets, and its natural value in metres.
``hand``
    ``left`` or ``right`` where the meaning fixes the hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kinesics.errors import DataError, KinesicsError, choose
from kinesics.performance.gesture import (
    NATURAL,
    Gesture,
    Move,
    Pose,
    direction,
    inline_gesture,
    natural_apex,
    parse_poses,
)
from kinesics.performance.plan import Behaviour

_FIELDS = {"poses", "other", "moves", "hands", "alternate", "exact", "seconds", "hold", "means", "hints", "schema", "head", "category"}  # fmt: skip
_EXTRAS = {"apex", "axis", "size", "hand", "awkward"}
_CATEGORY = {
    "emblems": "emblem",
    "deictics": "deictic",
    "iconics": "iconic",
    "schemas": "metaphoric",
    "discourse": "metaphoric",
    "counting": "emblem",
    "beats": "beat",
    "adaptors": "adaptor",
}
SCHEMAS: tuple[str, ...] = tuple(
    "CENTER-PERIPHERY CONTACT CONTAINMENT COVERING FORCE LINK OBJECT PART-WHOLE SCALE SOURCE_PATH_GOAL "
    "SPLITTING SUBSTANCE SUPPORT VERTICALITY".split()
)
"""The image schemas of Fares et al. (AAMAS 2024), each with a gesture of its own."""


def _reachable(pose: Pose) -> None:
    """Raise a DataError where a wrist could not hold the pose.

    Fingers and palm must be about square to each other, and the forearm turns about 170° in all:
    a thumb that points at the floor or fingers that point at the speaker are out of comfortable reach.
    """
    if pose.palm == NATURAL:
        return
    palm, fingers = direction(pose.palm), direction(pose.fingers)
    dot = sum(p * f for p, f in zip(palm, fingers, strict=True))
    if abs(dot) > 0.75:
        raise DataError(f"palm:{pose.palm} and fingers:{pose.fingers} are nearly parallel")
    thumb_y = palm[2] * fingers[0] - palm[0] * fingers[2]
    if thumb_y < -0.75 or fingers[2] < -0.6:
        raise DataError(
            f"palm:{pose.palm} with fingers:{pose.fingers} is beyond a wrist (set awkward = true to insist)"
        )


def parse_gesture(lexeme: str, entry: Mapping[str, Any], *, category: str = "metaphoric") -> Gesture:
    """Make a gesture of one TOML table.

    Parameters
    ----------
    lexeme
        Its name, upper case.
    entry
        The table.
    category
        Where the table does not say.

    Raises
    ------
    DataError
        Naming the entry and what is wrong with it.

    Examples
    --------
    >>> parse_gesture("STOP", {"poses": ["flat palm:forward fingers:up @ chest ipsi far"]}).category
    'metaphoric'
    """
    try:
        for key in entry:
            choose("field", key, sorted(_FIELDS | _EXTRAS))
        if lexeme != lexeme.upper():
            raise DataError("a lexeme is written in capitals")
        poses, other = parse_poses(entry.get("poses", ())), parse_poses(entry.get("other", ()))
        if not entry.get("awkward"):
            for pose in poses + other:
                _reachable(pose)
        if entry.get("schema"):
            choose("image schema", entry["schema"], SCHEMAS)
        seconds, hold = float(entry.get("seconds", 0.4)), float(entry.get("hold", 0.25))
        if not (0.15 <= seconds <= 3 and 0 <= hold <= 4):
            raise DataError(
                f"stroke of {seconds} s, hold of {hold} s; expected 0.15 to 3 s and at most 4 s of hold"
            )
        moves = tuple(map(Move.parse, entry.get("moves", ())))
        extra = {key: str(entry[key]) for key in sorted(_EXTRAS - {"awkward"}) if key in entry}
        extra.setdefault("apex", f"{natural_apex(moves):.4g}")
        if not 0 <= float(extra["apex"]) <= 1:
            raise DataError(f"apex {extra['apex']}; expected 0 to 1")
        if "hand" in extra:
            choose("hand", extra["hand"], ("left", "right"))
        if "axis" in extra:
            choose("axis", extra["axis"], ("width", "height", "depth"))
        if entry.get("hints"):
            extra["hints"] = "|".join(entry["hints"])
        return Gesture(
            lexeme=lexeme,
            category=entry.get("category", category),
            poses=poses,
            moves=moves,
            hands=entry.get("hands", "one"),
            other=other,
            alternate=bool(entry.get("alternate", False)),
            exact=bool(entry.get("exact", False)),
            seconds=seconds,
            hold=hold,
            means=tuple(entry.get("means", ())),
            schema=entry.get("schema", ""),
            head=entry.get("head", ""),
            extra=MappingProxyType(extra),
        )
    except (KinesicsError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"gesture {lexeme!r}: {error}") from error


def read_lexicon(*paths: Path) -> dict[str, Gesture]:
    """Read gestures from TOML files.

    Raises
    ------
    DataError
        Naming file and entry.
    """
    out: dict[str, Gesture] = {}
    for path in paths:
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DataError(f"lexicon {path.name}: {error}") from error
        for lexeme, entry in tables.items():
            if lexeme in out:
                raise DataError(f"lexicon {path.name}: gesture {lexeme!r} is there twice")
            if not isinstance(entry, dict):
                raise DataError(f"lexicon {path.name}: {lexeme!r} is not a table; write [{lexeme}]")
            try:
                out[lexeme] = parse_gesture(lexeme, entry, category=_CATEGORY.get(path.stem, "metaphoric"))
            except DataError as error:
                raise DataError(f"lexicon {path.name}: {error}") from error
    return out


@cache
def lexicon() -> Mapping[str, Gesture]:
    """All gestures that ship, by lexeme.

    Examples
    --------
    >>> lexicon()["WAVE"].category
    'emblem'
    """
    folder = resources.files("kinesics.behaviour") / "data"
    return MappingProxyType(read_lexicon(*(Path(str(folder)) / f"{name}.toml" for name in _CATEGORY)))


def gesture(lexeme: str) -> Gesture:
    """The gesture of a name.

    Raises
    ------
    DataError
        On an unknown name, with the nearest ones and where all are listed.
    """
    return _named(lexeme, lexicon())


def _named(lexeme: str, known: Mapping[str, Gesture]) -> Gesture:
    if lexeme in known:
        return known[lexeme]
    from difflib import get_close_matches

    near = get_close_matches(lexeme.upper(), known, n=4, cutoff=0.4)
    hint = f"did you mean {', '.join(near)}? " if near else ""
    raise DataError(f"unknown gesture {lexeme!r}; {hint}choose one of: {', '.join(sorted(known))}")


def form_of(b: Behaviour, known: Mapping[str, Gesture] | None = None) -> Gesture:
    """What a ``gesture`` behaviour asks for: the form it states itself, else that of its lexeme.

    Parameters
    ----------
    b
        The behaviour.
    known
        Gestures by lexeme; the package's own by default.

    Raises
    ------
    DataError
        On an unknown name, or saying what is wrong with the stated form.

    Examples
    --------
    >>> form_of(Behaviour("g", "gesture", {}, {"poses": "fist @ chest centre near"})).poses[0].shape
    'fist'
    """
    stated = inline_gesture(b.attributes)
    if stated is not None:
        return stated
    return _named(b.attributes.get("lexeme", ""), lexicon() if known is None else known)


def apex(g: Gesture) -> float:
    """Part of the stroke's time, 0 to 1, at which ``stroke`` (the moment that meets the stress) lies.

    >>> apex(lexicon()["STOP"]), apex(lexicon()["WAVE"])
    (1.0, 0.25)
    """
    return float(g.extra.get("apex", 1.0))


def gesture_table() -> str:
    """The lexicon as a Markdown table, as in docs/gestures.md."""
    rows = ["| lexeme | kind | hands | form | stroke s | said with |", "|---|---|---|---|---|---|"]
    for g in lexicon().values():
        last = g.poses[-1]
        form = f"{last.shape}, palm {last.palm}, {last.height} {last.side}"
        if g.moves:
            form += f"; {g.moves[0].path}" + (f" ×{g.moves[0].repeats}" if g.moves[0].repeats > 1 else "")
        kind = f"{g.category} ({g.schema})" if g.schema else g.category
        rows.append(
            f"| `{g.lexeme}` | {kind} | {g.hands} | {form} | {g.seconds:g} | {', '.join(g.means[:5])} |"
        )
    return "\n".join(rows)
