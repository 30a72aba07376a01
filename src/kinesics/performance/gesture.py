"""A small notation of gesture form: what the hands look like, where they are, how they move.

A :class:`Gesture` is a row of :class:`Pose` s for the leading hand and, if the other hand takes
part, its mirror image or poses of its own. The hand arrives at the first pose when the stroke
starts (preparation is the realiser's), passes through the others, and is at the last when the
stroke ends. Between two poses it follows a ``path``.

All directions and places are relative to the body of the person and to the side of the hand, so
one notation serves either hand: ``out`` is away from the midline, ``in`` towards it. HamNoSys
(hand shape, extended finger direction, palm orientation, location, movement) and Labanotation
(direction and level of the limb) are both read into these fields.

Written down, a pose is ``"shape palm fingers @ height side distance"``, or, where the limbs and not the
hand are what counts, ``"shape upper lower"``:

>>> Pose.parse("flat palm:in fingers:forward @ chest ipsi mid").shape
'flat'
>>> Pose.parse("relaxed upper:down lower:forward").palm
'natural'
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from kinesics.errors import DataError, KinesicsError, choose

DIRECTIONS: dict[str, tuple[float, float, float]] = {
    "up": (0, 1, 0),
    "down": (0, -1, 0),
    "out": (1, 0, 0),
    "in": (-1, 0, 0),
    "forward": (0, 0, 1),
    "back": (0, 0, -1),
}
"""Unit steps for a LEFT hand (x to the person's left); a right hand mirrors x. Join with ``-``: ``up-out``."""

HEIGHTS: tuple[str, ...] = (
    "overhead",
    "crown",
    "forehead",
    "brows",
    "eyes",
    "ears",
    "nose",
    "cheeks",
    "mouth",
    "chin",
    "underchin",
    "neck",
    "shouldertop",
    "shoulders",
    "chest",
    "stomach",
    "waist",
    "hips",
    "thighs",
)
"""From above the head to the thighs."""

SIDES: tuple[str, ...] = ("contra", "inside", "centre", "ipsi", "wide")
"""Across the body: contra is in front of the other shoulder, ipsi of the own, wide beyond it."""

DISTANCES: tuple[str, ...] = ("touch", "close", "near", "mid", "far")
"""Ahead of the body: from contact to an almost stretched arm; close is a thumb's breadth off."""

PATHS: tuple[str, ...] = (
    "straight",
    "arc-up",
    "arc-down",
    "arc-out",
    "arc-in",
    "arc-forward",
    "circle",
    "wave",
    "zigzag",
)
"""How the hand goes from one pose to the next; a circle or wave is added to the straight way.

Besides these, ``arc-`` and any direction (``arc-up-out``) bulges that way."""

SHAPES: tuple[str, ...] = (
    "relaxed",
    "flat",
    "spread",
    "bent",
    "cup",
    "claw",
    "fist",
    "point",
    "two",
    "vee",
    "three",
    "four",
    "thumb",
    "pinch",
    "ring",
    "purse",
    "ell",
    "horns",
    "cross",
    "grip",
)
"""Hand shapes; ``shape*0.5`` halves the way from relaxed, ``shape+modifier`` changes some of it,
``shape~shape`` is half-way between two."""

MODIFIERS: tuple[str, ...] = (
    "thumbout",
    "thumbacross",
    "thumbopen",
    "halfbent",
    "straightbent",
    "round",
    "hooked",
    "doublebent",
    "doublehooked",
    "out",
    "folded",
    "meets",
    "spread",
    "together",
)
"""What ``+`` adds to a hand shape.

The thumb stands off in the palm's plane, lies across the palm, or faces the fingers. Fingers are bent: a
little, at the knuckles alone (``straightbent``), round, at the two outer joints (``hooked``), at the
knuckles and the middle joints (``doublebent``), or at all three (``doublehooked``); they are stretched
``out``, laid away (``folded``), touched by the thumb (``meets``), spread or held together. Digits after a
dot say which fingers: 1 is the thumb, 2 the index, 5 the little one. ``fist+out.25`` shows two horns;
without digits the fingers that the shape shows are meant.
"""

PARTS: tuple[str, ...] = (
    "palm",
    "back",
    "thumbside",
    "littleside",
    "heel",
    "wrist",
    "knuckles",
    "thumb",
    "index",
    "middle",
    "ring",
    "little",
    "forearm",
    "elbow",
    "upperarm",
)
"""Parts of a hand and arm that are brought to a place (``part:``, to the little finger), or are one (``on:``)."""

NATURAL = "natural"
"""Palm and fingers of a pose of the limbs that says nothing of the hand: it goes on straight from the forearm."""

CATEGORIES: tuple[str, ...] = ("emblem", "deictic", "iconic", "metaphoric", "beat", "adaptor")
"""Kinds of gesture (McNeill 1992; Ekman & Friesen 1969 for adaptors)."""


_SHAPE = re.compile(r"^([a-z]+)(?:\.([1-5]+))?$")
_LONGEST = 400
"""Most poses of one gesture."""


def direction(text: str) -> tuple[float, float, float]:
    """Unit vector of a written direction, for a left hand.

    Either words joined by ``-``, or three numbers: out, up and forward.

    >>> tuple(round(c, 3) for c in direction("up-out"))
    (0.707, 0.707, 0.0)
    >>> direction("0,-2,0")
    (0.0, -1.0, 0.0)
    """
    x = y = z = 0.0
    if "," in text:
        x, y, z = _triple(text)
    else:
        for part in text.split("-"):
            step = DIRECTIONS[choose("direction", part, DIRECTIONS)]
            x, y, z = x + step[0], y + step[1], z + step[2]
    length = (x * x + y * y + z * z) ** 0.5
    if length < 1e-9:
        raise DataError(f"direction {text!r} cancels out; join different ones, for instance 'up-out'")
    return x / length, y / length, z / length


def written_direction(vector: Iterable[float]) -> str:
    """A vector (out, up, forward) as :func:`direction` reads it: in words where words say it.

    >>> written_direction((0, 3, 3)), written_direction((0.5, -0.7071, 0.5))
    ('up-forward', '0.5,-0.707,0.5')
    """
    v = [float(c) for c in vector]
    length = math.sqrt(sum(c * c for c in v))
    if not length > 1e-9:
        raise DataError("a direction has no length")
    v = [c / length for c in v]
    parts = [c for c in v if abs(c) > 1e-3]
    if all(abs(abs(c) - abs(parts[0])) < 1e-3 for c in parts):
        names = {(i, s > 0): n for n, d in DIRECTIONS.items() for i, s in enumerate(d) if s}
        return "-".join(names[i, v[i] > 0] for i in (1, 0, 2) if abs(v[i]) > 1e-3)
    return ",".join(_short(c) for c in v)


def _triple(text: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(part) for part in text.lstrip("+").split(","))
    except ValueError as error:
        raise DataError(f"{text!r}: expected three numbers, out,up,forward") from error
    if not all(math.isfinite(c) and abs(c) <= 10 for c in (x, y, z)):
        raise DataError(f"{text!r}: expected numbers from -10 to 10")
    return x, y, z


def _short(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def blended_shapes(text: str) -> list[str]:
    """The hand shapes of which one is the mean: ``flat~spread`` is half-way between two."""
    names = text.split("~")
    if len(names) > 4:
        raise DataError(f"hand shape {text!r}: a mean of {len(names)} shapes; expected at most 4")
    return names


def split_shape(text: str) -> tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]:
    """A hand shape's name and its modifiers with the digits they are for.

    >>> split_shape("fist+out.25")
    ('fist', (('out', (2, 5)),))
    """
    name, *rest = text.split("+")
    choose("hand shape", name, SHAPES)
    out = []
    for word in rest:
        match = _SHAPE.match(word)
        if match is None:
            raise DataError(f"hand shape {text!r}: {word!r} is no modifier; write for instance hooked.23")
        modifier = choose("hand shape modifier", match[1], MODIFIERS)
        out.append((modifier, tuple(int(d) for d in match[2] or "")))
    return name, tuple(out)


@dataclass(frozen=True)
class Pose:
    """One hand at one moment.

    Parameters
    ----------
    shape
        One of :data:`SHAPES`, changed by :data:`MODIFIERS`.
    palm
        Direction the palm faces.
    fingers
        Direction in which the stretched fingers would point (HamNoSys' extended finger direction).
    height, side, distance
        Place of the hand; see :data:`HEIGHTS`, :data:`SIDES`, :data:`DISTANCES`.
    tightness
        0 (relaxed) to 1 (the full hand shape).
    offset
        (x out, y up, z forward) metres added to the place.
    part
        Which of :data:`PARTS` of the hand is at the place; "" leaves it to what is natural.
    on
        Which of :data:`PARTS` of the other hand or arm is the place, instead of height and side; the
        distance says how near.
    upper, lower
        Directions of the upper arm and of the forearm, both or neither; they then tell where the hand is,
        and places say nothing. Palm and fingers may be :data:`NATURAL`.
    """

    shape: str = "relaxed"
    palm: str = "in"
    fingers: str = "forward"
    height: str = "stomach"
    side: str = "ipsi"
    distance: str = "mid"
    tightness: float = 1.0
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    part: str = ""
    on: str = ""
    upper: str = ""
    lower: str = ""

    def __post_init__(self) -> None:
        for name in blended_shapes(self.shape):
            split_shape(name)
        if bool(self.upper) != bool(self.lower):
            raise DataError("a pose of the limbs says both upper: and lower:")
        for name in ("palm", "fingers"):
            if not (self.upper and getattr(self, name) == NATURAL):
                direction(getattr(self, name))
        if self.upper:
            direction(self.upper), direction(self.lower)
            if (self.palm == NATURAL) != (self.fingers == NATURAL):
                raise DataError("a pose of the limbs says both palm: and fingers:, or neither")
        if self.part:
            choose("part of the hand", self.part, PARTS[: PARTS.index("forearm")])
        if self.on:
            choose("part of the other hand", self.on, PARTS)
        if not 0 <= self.tightness <= 1.5:
            raise DataError(f"tightness {self.tightness}; expected 0 to 1")
        choose("height", self.height, HEIGHTS)
        choose("side", self.side, SIDES)
        choose("distance", self.distance, DISTANCES)

    @staticmethod
    def parse(text: str, base: Pose | None = None) -> Pose:
        """Read ``"shape palm:dir fingers:dir @ height side distance +out,up,forward"``.

        What is left out is as in ``base`` (the pose before); a place named anew drops the part and the offset.
        """
        fields: dict[str, object] = {} if base is None else dict(vars(base))
        form, at, place = text.partition("@")
        stated = set()
        for word in form.split():
            key, colon, value = word.partition(":")
            if colon:
                fields[choose("field", key, ("palm", "fingers", "part", "upper", "lower"))] = value
                stated.add(key)
            else:
                shape, star, amount = word.partition("*")
                fields["shape"], fields["tightness"] = shape, _number(amount, word) if star else 1.0
        if stated & {"upper", "lower"}:
            if at:
                raise DataError("a pose has either limbs (upper: and lower:) or a place (after @)")
            if not stated & {"palm", "fingers"}:
                fields["palm"] = fields["fingers"] = NATURAL
            if "part" not in stated:
                fields["part"] = ""
        elif at and fields.get("upper"):
            fields["upper"] = fields["lower"] = ""
            for name in ("palm", "fingers"):
                if fields[name] == NATURAL:
                    fields[name] = getattr(Pose, name)
        words = place.split()
        if words:
            fields["offset"] = (0.0, 0.0, 0.0)
            if any(w in HEIGHTS or w.startswith("on:") for w in words):
                fields["on"] = ""
                if "part" not in stated:
                    fields["part"] = ""
        for word in words:
            if word[0] in "+-" and "," in word:
                fields["offset"] = _triple(word)
            elif word.startswith("on:"):
                fields["on"] = word[3:]
            elif word in HEIGHTS:
                fields["height"] = word
            elif word in SIDES:
                fields["side"] = word
            else:
                fields["distance"] = choose("place", word, (*HEIGHTS, *SIDES, *DISTANCES))
        return Pose(**fields)  # type: ignore[arg-type]

    def __str__(self) -> str:
        """As :meth:`parse` reads it, complete."""
        words = [self.shape if self.tightness == 1 else f"{self.shape}*{_short(self.tightness)}"]
        if self.upper:
            words += [f"upper:{self.upper}", f"lower:{self.lower}"]
        if not (self.upper and self.palm == NATURAL):
            words += [f"palm:{self.palm}", f"fingers:{self.fingers}"]
        if self.part:
            words.append(f"part:{self.part}")
        if not self.upper:
            words.append("@")
            words += [f"on:{self.on}"] if self.on else [self.height, self.side]
            words.append(self.distance)
            if any(self.offset):
                words.append("+" + ",".join(_short(c) for c in self.offset))
        return " ".join(words)


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{what!r}: {text!r} is not a number")
    return value


def parse_poses(rows: Iterable[str]) -> tuple[Pose, ...]:
    """Poses of which each says only what it changes in the one before.

    Raises
    ------
    DataError
        Naming the pose.
    """
    out: list[Pose] = []
    for row in rows:
        try:
            out.append(Pose.parse(row, out[-1] if out else None))
        except ValueError as error:
            raise DataError(f"pose {row!r}: {error}") from error
    return tuple(out)


@dataclass(frozen=True)
class Move:
    """How the hand goes from the pose before to this one.

    Parameters
    ----------
    path
        One of :data:`PATHS`, or ``arc-`` and a direction.
    repeats
        How many times the way is gone (waving, tapping): 1 is once there; 2 there, back and there.
    size
        Metres of bulge, radius or wave.
    share
        Part of the stroke's time, relative to the other moves'.
    start, toward
        For a circle: the point of it at which the hand is, seen from its middle, and where it first goes;
        square to each other. "" leaves both to the hand.
    """

    path: str = "straight"
    repeats: int = 1
    size: float = 0.06
    share: float = 1.0
    start: str = ""
    toward: str = ""

    def __post_init__(self) -> None:
        if self.path.startswith("arc-"):
            direction(self.path[4:])
        else:
            choose("path", self.path, PATHS)
        if bool(self.start) != bool(self.toward) or (self.start and self.path != "circle"):
            raise DataError(f"move {self.path!r}: from: and to: belong together, and to a circle")
        if self.start:
            a, b = direction(self.start), direction(self.toward)
            if abs(sum(x * y for x, y in zip(a, b, strict=True))) > 0.2:
                raise DataError(f"circle from:{self.start} to:{self.toward}: not square to each other")
        if not (1 <= self.repeats <= 8 and 0 <= self.size <= 0.6 and 0 < self.share <= 10):
            raise DataError(
                f"move {self}: expected repeats 1 to 8, size 0 to 0.6 m, share above 0 and at most 10"
            )

    @staticmethod
    def parse(text: str) -> Move:
        """Read ``"arc-up x2 0.05 /1.5"``: path, repeats, metres, share; a circle takes ``from:up to:out``.

        >>> Move.parse("arc-up x2 0.05").repeats
        2
        """
        path, *rest = text.split() or [""]
        fields: dict[str, Any] = {}
        try:
            for word in rest:
                if word.startswith("from:"):
                    fields["start"] = word[5:]
                elif word.startswith("to:"):
                    fields["toward"] = word[3:]
                elif word[0] == "x":
                    fields["repeats"] = int(word[1:])
                elif word[0] == "/":
                    fields["share"] = float(word[1:])
                else:
                    fields["size"] = float(word)
        except ValueError as error:
            raise DataError(f"move {text!r}; expected a path, then x2, a size in metres or /share") from error
        return Move(path, **fields)

    def __str__(self) -> str:
        """As :meth:`parse` reads it."""
        words = [self.path]
        if self.repeats != 1:
            words.append(f"x{self.repeats}")
        if self.path != "straight":
            words.append(_short(self.size))
        if self.start:
            words += [f"from:{self.start}", f"to:{self.toward}"]
        if self.share != 1:
            words.append(f"/{self.share:.6g}")
        return " ".join(words)


@dataclass(frozen=True)
class Gesture:
    """A gesture's form and meaning.

    Parameters
    ----------
    lexeme
        Its name, upper case.
    category
        One of :data:`CATEGORIES`.
    hands
        ``"one"``, ``"both"`` (mirrored) or ``"either"`` (one, or both when the speaker is lively).
    poses
        The leading hand's poses, at least one.
    moves
        ``len(poses) - 1`` moves.
    other
        The other hand's poses when it does something else; empty otherwise.
    other_moves
        The other hand's moves where they are not the leading hand's.
    alternate
        The other hand's stroke runs half a cycle behind.
    exact
        Palm and fingers are as the poses say; a gesture's otherwise give way to what is comfortable.
    seconds
        Natural length of the stroke.
    hold
        Natural length of the hold after the stroke.
    means
        Words and phrases that call for it.
    schema
        Image schema it stands for, or "".
    head
        Head movement that goes with it (NOD, SHAKE, TILT), or "".
    """

    lexeme: str
    category: str
    poses: tuple[Pose, ...]
    moves: tuple[Move, ...] = ()
    hands: str = "one"
    other: tuple[Pose, ...] = ()
    alternate: bool = False
    seconds: float = 0.4
    hold: float = 0.25
    means: tuple[str, ...] = ()
    schema: str = ""
    head: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    other_moves: tuple[Move, ...] = ()
    exact: bool = False

    def __post_init__(self) -> None:
        choose("gesture category", self.category, CATEGORIES)
        choose("hands", self.hands, ("one", "both", "either"))
        if not self.poses:
            raise DataError(f"gesture {self.lexeme!r} has no pose")
        if len(self.moves) != len(self.poses) - 1:
            raise DataError(
                f"gesture {self.lexeme!r}: {len(self.poses)} poses need {len(self.poses) - 1} moves, not {len(self.moves)}"
            )
        if self.other and len(self.other) != len(self.poses):
            raise DataError(
                f"gesture {self.lexeme!r}: the other hand has {len(self.other)} poses, not {len(self.poses)}"
            )
        if self.other_moves and (not self.other or len(self.other_moves) != len(self.moves)):
            raise DataError(
                f"gesture {self.lexeme!r}: the other hand has {len(self.other_moves)} moves of its own; expected "
                f"{len(self.moves)}, and poses of its own"
            )
        if len(self.poses) > _LONGEST:
            raise DataError(f"gesture {self.lexeme!r}: {len(self.poses)} poses; expected at most {_LONGEST}")

    def attributes(self) -> dict[str, str]:
        """The form as attributes of a ``gesture`` behaviour; :func:`inline_gesture` reads them."""
        out = {"lexeme": self.lexeme, "poses": " | ".join(map(str, self.poses))}
        if self.moves and any(m != Move() for m in self.moves):
            out["moves"] = " | ".join(map(str, self.moves))
        if self.hands != "one":
            out["hands"] = self.hands
        if self.other:
            out["other"] = " | ".join(map(str, self.other))
        if self.other_moves:
            out["otherMoves"] = " | ".join(map(str, self.other_moves))
        for name in ("alternate", "exact"):
            if getattr(self, name):
                out[name] = "true"
        out |= {"seconds": f"{self.seconds:g}", "hold": f"{self.hold:g}"}
        if "apex" in self.extra:
            out["apex"] = self.extra["apex"]
        if "hand" in self.extra:
            out["leads"] = self.extra["hand"]
        return out


def natural_apex(moves: tuple[Move, ...]) -> float:
    """Where a stroke peaks: a single sweep at its end, a repeated or many-part one after its first part."""
    if not moves:
        return 0.2
    return moves[0].share / moves[0].repeats / sum(m.share for m in moves)


def inline_gesture(attributes: Mapping[str, str]) -> Gesture | None:
    """The gesture whose form the attributes of a behaviour state; None where they state none.

    Parameters
    ----------
    attributes
        ``poses`` and, if need be, ``moves``, ``other``, ``otherMoves`` (each with ``|`` between its parts),
        ``hands``, ``leads`` (``left`` or ``right``, where the form fixes it), ``alternate``, ``exact``
        (``true``), ``seconds``, ``hold``, ``apex``, ``category`` and, as a name, ``lexeme``.

    Raises
    ------
    DataError
        Saying what is wrong with the form.

    Examples
    --------
    >>> inline_gesture({"poses": "flat palm:down fingers:forward @ chest | @ waist"}).moves
    (Move(path='straight', repeats=1, size=0.06, share=1.0, start='', toward=''),)
    """
    if "poses" not in attributes:
        return None
    name = attributes.get("lexeme", "") or "FORM"

    def rows(key: str) -> list[str]:
        text = attributes.get(key, "")
        return [part.strip() for part in text.split("|")] if text.strip() else []

    def flag(key: str) -> bool:
        return choose(key, attributes.get(key, "false"), ("true", "false")) == "true"

    try:
        poses, other = parse_poses(rows("poses")), parse_poses(rows("other"))
        moves = tuple(map(Move.parse, rows("moves"))) or (Move(),) * max(0, len(poses) - 1)
        seconds, hold = (_number(attributes.get(k, d), k) for k, d in (("seconds", "0.4"), ("hold", "0.25")))
        apex = _number(attributes.get("apex", f"{natural_apex(moves):.4g}"), "apex")
        if not (0.15 <= seconds <= 600 and 0 <= hold <= 600 and 0 <= apex <= 1):
            raise DataError(
                f"stroke of {seconds} s, hold of {hold} s, apex at {apex}; expected 0.15 to 600 s, 0 to 600 s, 0 to 1"
            )
        extra = {"apex": f"{apex:.6g}"}
        if "leads" in attributes:
            extra["hand"] = choose("leads", attributes["leads"], ("left", "right"))
        return Gesture(
            lexeme=name,
            category=attributes.get("category", "emblem"),
            poses=poses,
            moves=moves,
            hands=attributes.get("hands", "both" if other else "one"),
            other=other,
            other_moves=tuple(map(Move.parse, rows("otherMoves"))),
            alternate=flag("alternate"),
            exact=flag("exact"),
            seconds=seconds,
            hold=hold,
            extra=MappingProxyType(extra),
        )
    except (KinesicsError, ValueError) as error:
        raise DataError(f"the form of gesture {name!r}: {error}") from error
