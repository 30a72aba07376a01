"""A small notation of gesture form: what the hands look like, where they are, how they move.

A :class:`Gesture` is a row of :class:`Pose` s for the leading hand and, if the other hand takes
part, its mirror image or poses of its own. The hand arrives at the first pose when the stroke
starts (preparation is the realiser's), passes through the others, and is at the last when the
stroke ends. Between two poses it follows a ``path``.

All directions and places are relative to the body of the person and to the side of the hand, so
one notation serves either hand: ``out`` is away from the midline, ``in`` towards it. HamNoSys
(hand shape, extended finger direction, palm orientation, location, movement) and Labanotation
(direction and level of the limb) are both read into these fields.

Written down, a pose is ``"shape palm fingers @ height side distance"``:

>>> Pose.parse("flat palm:in fingers:forward @ chest ipsi mid").shape
'flat'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kinesics.errors import DataError, choose

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
    "eyes",
    "nose",
    "mouth",
    "chin",
    "neck",
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

DISTANCES: tuple[str, ...] = ("touch", "near", "mid", "far")
"""Ahead of the body: from contact to an almost stretched arm."""

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
"""How the hand goes from one pose to the next; a circle or wave is added to the straight way."""

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
"""Hand shapes; ``shape*0.5`` halves the way from relaxed."""

CATEGORIES: tuple[str, ...] = ("emblem", "deictic", "iconic", "metaphoric", "beat", "adaptor")
"""Kinds of gesture (McNeill 1992; Ekman & Friesen 1969 for adaptors)."""


def direction(text: str) -> tuple[float, float, float]:
    """Unit vector of a written direction, for a left hand.

    >>> tuple(round(c, 3) for c in direction("up-out"))
    (0.707, 0.707, 0.0)
    """
    x = y = z = 0.0
    for part in text.split("-"):
        step = DIRECTIONS[choose("direction", part, DIRECTIONS)]
        x, y, z = x + step[0], y + step[1], z + step[2]
    length = (x * x + y * y + z * z) ** 0.5
    if length < 1e-9:
        raise DataError(f"direction {text!r} cancels out; join different ones, for instance 'up-out'")
    return x / length, y / length, z / length


@dataclass(frozen=True)
class Pose:
    """One hand at one moment.

    Parameters
    ----------
    shape
        One of :data:`SHAPES`.
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
    """

    shape: str = "relaxed"
    palm: str = "in"
    fingers: str = "forward"
    height: str = "stomach"
    side: str = "ipsi"
    distance: str = "mid"
    tightness: float = 1.0
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        choose("hand shape", self.shape, SHAPES)
        direction(self.palm)
        direction(self.fingers)
        choose("height", self.height, HEIGHTS)
        choose("side", self.side, SIDES)
        choose("distance", self.distance, DISTANCES)

    @staticmethod
    def parse(text: str, base: Pose | None = None) -> Pose:
        """Read ``"shape palm:dir fingers:dir @ height side distance +out,up,forward"``.

        What is left out is as in ``base`` (the pose before).
        """
        fields: dict[str, object] = {} if base is None else dict(vars(base))
        form, _, place = text.partition("@")
        for word in form.split():
            key, colon, value = word.partition(":")
            if colon:
                fields[choose("field", key, ("palm", "fingers"))] = value
            else:
                shape, star, amount = word.partition("*")
                fields["shape"], fields["tightness"] = shape, float(amount) if star else 1.0
        if place:
            fields["offset"] = (0.0, 0.0, 0.0)
        for word in place.split():
            if word[0] in "+-" and "," in word:
                x, y, z = (float(part) for part in word.lstrip("+").split(","))
                fields["offset"] = (x, y, z)
            elif word in HEIGHTS:
                fields["height"] = word
            elif word in SIDES:
                fields["side"] = word
            else:
                fields["distance"] = choose("place", word, (*HEIGHTS, *SIDES, *DISTANCES))
        return Pose(**fields)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Move:
    """How the hand goes from the pose before to this one.

    Parameters
    ----------
    path
        One of :data:`PATHS`.
    repeats
        How many times the way is gone (waving, tapping): 1 is once there; 2 there, back and there.
    size
        Metres of bulge, radius or wave.
    share
        Part of the stroke's time, relative to the other moves'.
    """

    path: str = "straight"
    repeats: int = 1
    size: float = 0.06
    share: float = 1.0

    def __post_init__(self) -> None:
        choose("path", self.path, PATHS)
        if not (1 <= self.repeats <= 8 and 0 <= self.size <= 0.6 and 0 < self.share <= 10):
            raise DataError(
                f"move {self}: expected repeats 1 to 8, size 0 to 0.6 m, share above 0 and at most 10"
            )


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
    alternate
        The other hand's stroke runs half a cycle behind.
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
