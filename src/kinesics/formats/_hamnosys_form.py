"""From a parsed sign to a gesture: poses of both hands, and the ways between them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from kinesics.formats._hamnosys import Vector, vector
from kinesics.formats._hamnosys_parse import Act, Config, Posture, Repeat, Sign, Spot, flat
from kinesics.performance.gesture import Gesture, Move, Pose, written_direction

# Lengths and times are ours: HamNoSys knows small, plain and large, fast, plain and slow.
_WAY = 0.15  # metres of a plain straight movement
_RADIUS = 0.065
_STIR = 0.025
_SECONDS = {
    "way": 0.30,
    "target": 0.42,
    "circle": 0.55,
    "change": 0.25,
    "local": 0.2,
    "hold": 0.2,
    "back": 0.22,
}
_SWING = {"nodding": 26.0, "swinging": 20.0, "twisting": 32.0}
_MOST_POSES = 120

_HEIGHTS = {
    "head": "eyes", "headtop": "crown", "forehead": "forehead", "eyebrows": "brows", "eyes": "eyes", "nose": "nose",
    "nostrils": "nose", "ear": "ears", "earlobe": "ears", "cheek": "cheeks", "lips": "mouth", "tongue": "mouth",
    "teeth": "mouth", "chin": "chin", "underchin": "underchin", "neck": "neck", "shouldertop": "shouldertop",
    "shoulders": "shoulders", "chest": "chest", "stomach": "stomach", "belowstomach": "waist",
}  # fmt: skip
_FACE = frozenset(
    "head headtop forehead eyebrows eyes nose nostrils ear earlobe cheek lips tongue teeth chin underchin".split()
)
_OWN_SIDE = frozenset("ear earlobe cheek eyes eyebrows shouldertop".split())
"""Places of which everybody has two: without a side, that of the hand."""
_WIDE = frozenset("ear earlobe head forehead shouldertop shoulders".split())
_ARMS = ("forearm", "elbow", "upperarm")
_NEUTRAL = Pose(height="stomach", side="ipsi", distance="mid", offset=(-0.02, 0.10, -0.03))
_BETWEEN = Pose(height="stomach", side="inside", distance="mid", offset=(-0.03, 0.10, -0.05))
_MEETING = Pose(height="stomach", side="centre", distance="mid", offset=(0.0, 0.12, -0.06))
_RESTING = Pose("relaxed", "in", "down-forward", "hips", "wide", "near")
# Where the other arm is when only its arm or hand is touched.
_SUPPORT = "relaxed palm:down fingers:in @ stomach centre mid +0.02,0.02,-0.06"


@dataclass
class _Hand:
    """One hand while a sign goes on; vectors are the signer's (x to the left)."""

    sign: float  # −1 for the right hand: its "out" is to the right
    shape: str = "relaxed"
    fingers: list[str] = field(default_factory=lambda: ["o"])
    palm: list[str] = field(default_factory=lambda: ["d"])
    place: Pose = _NEUTRAL
    shift: Vector = (0.0, 0.0, 0.0)
    turn: tuple[str, float] = ("", 0.0)
    mirrored: bool = False  # orientations are those of the leading hand, seen in a mirror
    reflects: bool = False  # and so are the ways it goes
    poses: list[Pose] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def own(self, v: Vector) -> Vector:
        """A vector of the signer's as this hand's notation has it: out, up, forward."""
        sign = -self.sign if self.mirrored else self.sign
        return sign * v[0], v[1], v[2]

    def way(self, v: Vector) -> Vector:
        """A movement of the signer's as this hand's notation has it."""
        sign = -self.sign if self.reflects else self.sign
        return sign * v[0], v[1], v[2]

    def take(self, config: Config | None) -> None:
        if config is not None:
            self.shape = config.shape or self.shape
            self.fingers = config.fingers or self.fingers
            self.palm = config.palm or self.palm

    def orientation(self) -> tuple[Vector, Vector]:
        """Directions of fingers and palm, the signer's."""
        fingers = _mean([vector(f) for f in self.fingers])
        turned = [palm_vector(f, p) for f in self.fingers for p in self.palm]
        palm = _square(_mean(turned), fingers)
        kind, degrees = self.turn
        if kind:
            thumb = _cross(palm, fingers)
            axis = {"nodding": thumb, "swinging": palm, "twisting": fingers}[kind]
            fingers, palm = _rotated(fingers, axis, degrees), _rotated(palm, axis, degrees)
        return fingers, palm

    def pose(self) -> Pose:
        fingers, palm = self.orientation()
        x, y, z = self.way(self.shift)
        a, b, c = self.place.offset
        return replace(
            self.place,
            shape=self.shape,
            fingers=written_direction(self.own(fingers)),
            palm=written_direction(self.own(palm)),
            offset=tuple(max(-1.0, min(1.0, round(v, 3))) for v in (a + x, b + y, c + z)),
        )

    def facing(self) -> str:
        """The part of the hand that is turned to the midline."""
        fingers, palm = (self.own(v) for v in self.orientation())
        # In a left hand's frame the thumb is where palm × fingers points.
        thumb = _cross(palm, fingers)
        sides = {"palm": palm, "thumbside": thumb, "index": fingers}
        sides |= {"back": _scaled(palm, -1), "littleside": _scaled(thumb, -1)}
        return min(sides, key=lambda name: sides[name][0])


def palm_vector(fingers: str, palm: str) -> Vector:
    """Where the palm faces (the signer's x left, y up, z away): HamNoSys' palm orientation is relative to the fingers.

    With fingers that point away from the signer, the eight palm orientations are what they say: ``d`` down, ``l`` to
    the left. Other finger directions carry them along: the hand is turned about the vertical as far as the
    fingers point sideways, then tilted as far as they point up or down; directions up, down and between these and
    away or back are tilts alone.

    >>> palm_vector("o", "l"), palm_vector("u", "d"), palm_vector("l", "l")
    ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0))
    """
    x, y, z = vector(fingers)
    if abs(x) > 0.1:
        yaw, pitch = math.atan2(x, z), math.asin(max(-1.0, min(1.0, y)))
    elif abs(y) > 0.1:
        yaw, pitch = 0.0, math.atan2(y, z)
    else:
        yaw, pitch = math.atan2(x, z), 0.0
    px, py, _ = vector(palm)
    tilted = (px, py * math.cos(pitch), -py * math.sin(pitch))
    turned = (
        tilted[0] * math.cos(yaw) + tilted[2] * math.sin(yaw),
        tilted[1],
        -tilted[0] * math.sin(yaw) + tilted[2] * math.cos(yaw),
    )
    return _clean(turned)


def _clean(v: Vector) -> Vector:
    x, y, z = (round(c, 12) + 0.0 for c in v)
    return x, y, z


def _scaled(v: Vector, by: float) -> Vector:
    return v[0] * by, v[1] * by, v[2] * by


def _added(a: Vector, b: Vector) -> Vector:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _dot(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _unit(v: Vector, spare: Vector) -> Vector:
    length = math.sqrt(_dot(v, v))
    return spare if length < 1e-6 else _scaled(v, 1 / length)


def _mean(vectors: list[Vector]) -> Vector:
    total = (0.0, 0.0, 0.0)
    for v in vectors:
        total = _added(total, v)
    return _unit(total, vectors[0])


def _square(v: Vector, to: Vector) -> Vector:
    """The part of ``v`` square to a unit vector."""
    flat_part = _added(v, _scaled(to, -_dot(v, to)))
    spare = _cross(to, (0.0, 1.0, 0.0) if abs(to[1]) < 0.9 else (1.0, 0.0, 0.0))
    return _unit(flat_part, _unit(spare, (1.0, 0.0, 0.0)))


def _rotated(v: Vector, axis: Vector, degrees: float) -> Vector:
    a = math.radians(degrees)
    along = _scaled(axis, _dot(axis, v) * (1 - math.cos(a)))
    return _added(_added(_scaled(v, math.cos(a)), _scaled(_cross(axis, v), math.sin(a))), along)


class _Maker:
    """Follows a sign and writes down the poses of both hands."""

    def __init__(self, sign: Sign) -> None:
        self.sign = sign
        self.notes = list(sign.notes)
        self.lead, self.other = _Hand(-1.0), _Hand(1.0)
        first = sign.postures[0]
        self.split = any(p.hands[1] is not None for p in sign.postures)
        on = any(p.spots[0].on for p in sign.postures) or any(
            a.spot is not None and a.spot.on for p in sign.postures for a in flat(p.acts)
        )
        self.symmetry = first.symmetry
        self.two = (
            any(p.symmetry for p in sign.postures)
            or self.split
            or on
            or any(p.spots[1] is not None for p in sign.postures)
        )
        self.two = self.two or any(a.other is not None for p in sign.postures for a in flat(p.acts))
        self.support = on and not first.symmetry and first.hands[1] is None
        self.seconds: list[float] = []

    def gesture(self, name: str) -> Gesture:
        for k, posture in enumerate(self.sign.postures):
            self.symmetry = posture.symmetry
            self._settle(posture, first=k == 0)
            self._pose(Move(), Move(), _SECONDS["target"])
            for act in posture.acts:
                self._do(act)
        poses = self.lead.poses
        total = sum(self.seconds)
        moves = [
            replace(m, share=self._share(s, total))
            for m, s in zip(self.lead.moves, self.seconds, strict=True)
        ]
        theirs = [replace(m, share=n.share) for m, n in zip(self.other.moves, moves, strict=True)]
        mirrored = self._is_mirrored()
        same = [replace(a, start="", toward="") for a in theirs] == [
            replace(a, start="", toward="") for a in moves
        ]
        return Gesture(
            lexeme=name,
            category="emblem",
            poses=tuple(poses),
            moves=tuple(moves),
            hands="both" if self.two else "one",
            other=() if mirrored or not self.two else tuple(self.other.poses),
            other_moves=() if mirrored or not self.two or (same and theirs == moves) else tuple(theirs),
            alternate=mirrored and self.sign.alternating and len(poses) > 1,
            exact=True,
            seconds=min(max(total, 0.2), 60.0),
            hold=0.15 if moves else 0.4,
            extra={"apex": "1" if moves else "0.2"},
        )

    @staticmethod
    def _share(seconds: float, total: float) -> float:
        return max(round(10 * seconds / total, 4), 1e-4)

    def _is_mirrored(self) -> bool:
        """Whether the other hand is the leading one's mirror image throughout."""
        if not self.two or any(p.symmetry != "lr" for p in self.sign.postures):
            return False
        return (
            all(a == b for a, b in zip(self.lead.poses, self.other.poses, strict=True)) and self._same_moves()
        )

    def _same_moves(self) -> bool:
        return all(a == b for a, b in zip(self.lead.moves, self.other.moves, strict=True))

    # --- postures -----------------------------------------------------------------------------------------------

    def _settle(self, posture: Posture, *, first: bool) -> None:
        hands, spots = posture.hands, posture.spots
        lead, other = self.lead, self.other
        lead.take(hands[0])
        other.shift = lead.shift = (0.0, 0.0, 0.0)
        if self.support and hands[1] is None:
            if first:
                pose = Pose.parse(_SUPPORT)
                other.shape, other.place = pose.shape, pose
                other.fingers, other.palm = ["r"], ["d"]
        elif hands[1] is not None:
            other.take(hands[1])
            # One shape for each hand and one orientation for both: that is mirrored.
            other.mirrored = bool(self.symmetry) and not posture.own
            other.reflects = self.symmetry == "lr"
        elif self.two and self.symmetry:
            other.take(hands[0])
            # Postures are mirrored either way; what is parallel is how the hands go.
            other.mirrored, other.reflects = True, self.symmetry != "par"
        elif self.two and first:
            # It joins in later.
            other.shape, other.place, other.fingers, other.palm = "relaxed", _RESTING, ["do"], ["l"]
            other.mirrored = True
            self.lead.place = self._spot(spots[0], lead) if spots[0].body or spots[0].side else _NEUTRAL
            return
        self._place(spots, first=first)

    def _place(self, spots: tuple[Spot, Spot | None], *, first: bool) -> None:
        lead, other = self.lead, self.other
        spot, theirs = spots
        meets = self.two and bool(spot.contact) and (bool(spot.on) or not spot.body) and not spot.side
        joined = self.two and bool(spot.on) and (not self.symmetry or self.split)
        if theirs is not None:
            other.place = self._spot(theirs, other, stated=True)
        elif self.two and not self.support:
            if joined:
                # The contact is that of the hands; where they are together is before the place, if one is named.
                together = self._before(spot) if spot.body else _BETWEEN
                other.place = together if first or spot.body else other.place
            elif self.symmetry:
                other.place = self._spot(spot, other) if spot.body else _NEUTRAL
            elif first and self.split:
                other.place = _BETWEEN
        if joined:
            lead.place = self._on(spot)
        elif meets and self.symmetry:
            self._meet(spot)
        elif spot.body or spot.side:
            lead.place = self._spot(spot, lead)
        elif meets and self.split:
            lead.place = self._on(replace(spot, on="palm"))
        elif first or spot:
            lead.place = self._far(_BETWEEN if self.split and not self.symmetry else _NEUTRAL, spot)

    def _before(self, spot: Spot) -> Pose:
        """Where two hands are that touch each other at a place of the body."""
        names = [n for n in spot.body if n != "neutralspace"]
        if not names:
            return _BETWEEN
        near = names[0] in _FACE or names[0] == "neck"
        return Pose(
            height=_HEIGHTS[names[0]],
            side="inside",
            distance="near" if near else "mid",
            offset=(-0.03, 0.0, 0.0),
        )

    def _meet(self, spot: Spot) -> None:
        """Both hands at the midline, with what they turn to each other."""
        gap = 0.03 if spot.contact == "close" else 0.004
        where = replace(self._before(spot), side="centre", offset=(0.0, 0.0, 0.0)) if spot.body else _MEETING
        for hand in (self.lead, self.other):
            part = spot.on if spot.on and spot.on not in _ARMS else hand.facing()
            a, b, c = where.offset
            hand.place = replace(where, part=part, offset=(a + gap, b, c))

    @staticmethod
    def _far(place: Pose, spot: Spot) -> Pose:
        return replace(place, distance="far") if spot.contact == "armextended" else place

    def _on(self, spot: Spot) -> Pose:
        distance = "touch" if spot.contact not in ("close", "") else "close" if spot.contact else "near"
        own = spot.own if spot.own not in _ARMS else ""
        if spot.behind:
            self._note("hambehind another hand is not performed")
        return Pose(on=spot.on, part=own, distance=distance)

    def _spot(self, spot: Spot, hand: _Hand, *, stated: bool = False) -> Pose:
        """A place of the body; hands in symmetry have it each on its side, unless it is ``stated`` for one."""
        if hand is self.other and self.symmetry and not stated:
            spot = replace(spot, side=-spot.side)
        names = [n for n in spot.body if n != "neutralspace"]
        if not names:
            where = _NEUTRAL
            if spot.side:
                side = "ipsi" if spot.side * hand.sign < 0 else "contra"
                where = replace(where, side="wide" if spot.beside and side == "ipsi" else side)
            return self._far(replace(where, part=self._own(spot)), spot)
        name = names[0]
        own_side = spot.side * -hand.sign  # 1 on the hand's own side
        if not own_side and (name in _OWN_SIDE or (self.symmetry and self.two)):
            own_side = 1
        contact = spot.contact
        distance = {
            "close": "close",
            "armextended": "far",
            "": "near" if name in _FACE or name == "neck" else "mid",
        }.get(contact, "touch")
        x = y = z = 0.0
        if own_side > 0:
            side = "ipsi" if name in _WIDE else "inside"
            x = 0.03 if name in ("chest", "stomach", "belowstomach") else 0.008 if name == "cheek" else 0.0
            x = -0.03 if name in ("shoulders", "shouldertop") else x
        elif own_side < 0:
            side = "contra" if name in _WIDE or name not in _FACE else "centre"
            x = 0.0 if name in _WIDE else -0.04 if name in _FACE else 0.03
        else:
            side = "centre"
            if distance == "mid":
                side = "inside"
        if spot.beside:
            x += 0.07 * (own_side or 1)
            distance = "close" if distance == "touch" else distance
        if name == "earlobe":
            y -= 0.03
        if name == "head" and not spot.side:
            y += 0.02
        if spot.behind:
            z -= 0.12 if name in _FACE else 0.16
        if len(names) > 1:
            self._note("between two places the first is taken")
        part = self._own(spot)
        return Pose(height=_HEIGHTS[name], side=side, distance=distance, part=part, offset=(x, y, z))

    @staticmethod
    def _own(spot: Spot) -> str:
        part = spot.own or spot.on
        return "" if part in _ARMS else part

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _pose(self, move: Move, theirs: Move, seconds: float) -> None:
        if len(self.lead.poses) >= _MOST_POSES:
            self._note(f"only the first {_MOST_POSES} postures are performed")
            return
        if self.lead.poses:
            self.lead.moves.append(move)
            self.other.moves.append(theirs)
            self.seconds.append(seconds)
        self.lead.poses.append(self.lead.pose())
        self.other.poses.append(self.other.pose())

    # --- actions ------------------------------------------------------------------------------------------------

    def _do(self, act: Act | Repeat, depth: int = 0) -> None:
        if isinstance(act, Act):
            self._act(act)
            return
        inner = act.acts
        simple = inner[0] if len(inner) == 1 and isinstance(inner[0], Act) else None
        times = act.times if depth < 3 else 1
        if simple is not None and act.how == "start" and self._in_one(simple, times):
            return
        start = self._state()
        for k in range(times):
            if act.how == "start" and k:
                self._restore(start)
                self._pose(Move(), Move(), _SECONDS["back"])
            if act.how == "back" and k:
                self._restore(start)
                way = inner[-1] if isinstance(inner[-1], Act) else Act()
                self._pose(*self._moves(replace(way, rounds=1.0)), _SECONDS["way"])
                return
            for item in inner:
                self._do(item, depth + 1)

    def _in_one(self, act: Act, times: int) -> bool:
        """A simple movement repeated is one move there and back; a circle goes round again."""
        plain = act.config is None and act.spot is None and act.other is None and not act.local
        if act.path == "circle" and act.way is None and plain:
            self._act(replace(act, rounds=act.rounds * times))
            return True
        if act.way is not None and plain and act.path == "straight":
            self._act(act, repeats=times)
            return True
        return False

    def _state(self) -> tuple:
        return tuple((h.shape, h.fingers, h.palm, h.place, h.shift, h.turn) for h in (self.lead, self.other))

    def _restore(self, state: tuple) -> None:
        for hand, values in zip((self.lead, self.other), state, strict=True):
            hand.shape, hand.fingers, hand.palm, hand.place, hand.shift, hand.turn = values

    def _other_moves(self) -> bool:
        """Whether the other hand does what the leading one does."""
        return self.two and bool(self.symmetry)

    def _act(self, act: Act, repeats: int = 1) -> None:
        pairs = [(self.lead, act)]
        if act.other is not None:
            pairs.append((self.other, act.other))
        elif self._other_moves():
            pairs.append((self.other, act))
        if act.local in ("fingerplay", "nodding", "swinging", "twisting"):
            self._local(pairs, act)
            return
        for hand, mine in pairs:
            self._change(hand, mine)
        move = self._moves(act)[0]
        theirs = self._moves(act.other if act.other is not None else act)[1] if len(pairs) > 1 else Move()
        if repeats > 1:
            move = replace(move, repeats=repeats)
            theirs = replace(theirs, repeats=repeats)
        self._pose(move, theirs, self._seconds(act) * (1 if repeats == 1 else 1.6 * repeats - 0.6))

    def _change(self, hand: _Hand, act: Act) -> None:
        hand.take(act.config)
        if act.spot is not None and act.spot:
            before, hand.shift = hand.shift, (0.0, 0.0, 0.0)
            spot = act.spot
            if spot.on and not spot.body and self.two and hand is self.lead and not self._other_moves():
                hand.place = self._on(spot)
            elif spot.body or spot.side:
                hand.place = self._spot(spot, hand)
            elif spot.contact and not self.two:
                # Contact is made where the movement leads: what is ahead of the body is given by it.
                x, y, _ = _scaled(act.way or (0.0, 0.0, 0.0), _WAY * act.size)
                hand.shift = (before[0] + x, before[1] + y, 0.0)
                hand.place = replace(hand.place, distance="close" if spot.contact == "close" else "touch")
            elif self.two and hand is self.lead and spot.contact:
                if self._other_moves():
                    self._meet(spot)
                    self.other.shift = (0.0, 0.0, 0.0)
                else:
                    hand.place = replace(self._on(replace(spot, on=spot.on or "palm")))
            if act.way is not None:
                return
        if act.way is not None:
            way = act.way
            hand.shift = _added(hand.shift, _scaled(way, _WAY * act.size))
            # As far as an arm reaches before the body.
            hand.shift = tuple(max(-0.6, min(0.6, c)) for c in hand.shift)  # type: ignore[assignment]

    def _local(self, pairs: list[tuple[_Hand, Act]], act: Act) -> None:
        """Wrist and finger movements: there and back, on the way if there is one."""
        beats = 4 if act.way is not None else 5
        ways = [(hand, mine.way if mine.way is not None else None, mine) for hand, mine in pairs]
        shapes = [hand.shape for hand, _ in pairs]
        seconds = _SECONDS["local"] * act.pace
        for k in range(beats):
            last = k == beats - 1
            for (hand, way, mine), shape in zip(ways, shapes, strict=True):
                if way is not None:
                    hand.shift = _added(hand.shift, _scaled(way, _WAY * mine.size / beats))
                if last:
                    hand.take(mine.config)
                kind = mine.local or act.local
                if kind == "fingerplay":
                    hand.shape = shape if last else f"{shape}+halfbent.{'24' if k % 2 else '35'}"
                else:
                    sign = 0.0 if last else 1.0 if k % 2 == 0 else -0.6
                    hand.turn = (kind, sign * _SWING[kind] * (0.6 if act.size < 1 else 1.0))
            self._pose(Move(), Move(), seconds)
        for hand, _ in pairs:
            hand.turn = ("", 0.0)

    def _seconds(self, act: Act) -> float:
        if act.path == "circle":
            base = _SECONDS["circle"] * act.rounds * (0.8 if act.size < 1 else 1.2 if act.size > 1 else 1)
        elif act.local:
            base = 2 * _SECONDS["circle"]
        elif act.spot is not None:
            base = _SECONDS["target"]
        elif act.way is not None:
            base = _SECONDS["way"] * act.size**0.5
        else:
            base = _SECONDS["hold" if act.path == "hold" else "change"]
        return base * act.pace

    def _moves(self, act: Act) -> tuple[Move, Move]:
        """The way of the leading and of the other hand."""
        return self._move(act, self.lead), self._move(act, self.other)

    def _move(self, act: Act, hand: _Hand) -> Move:
        if act.local in ("stircw", "stirccw"):
            fingers, palm = hand.orientation()
            toward = _cross(fingers, palm) if act.local == "stircw" else _cross(palm, fingers)
            start, toward = (written_direction(hand.own(v)) for v in (palm, toward))
            return Move("circle", 2, round(_STIR * act.size, 4), start=start, toward=toward)
        if act.path == "circle":
            start, toward = circle(act.axis, act.clock)
            words = (written_direction(hand.way(v)) for v in (start, toward))
            rounds = max(1, min(8, round(act.rounds)))
            return Move("circle", rounds, round(_RADIUS * act.size, 4), 1.0, *words)
        if act.arc and (act.way is not None or act.spot is not None):
            way = act.way or (0.0, 0.0, 1.0)
            bulge = vector(act.arc)
            if abs(_dot(bulge, way)) > 0.8:
                # Along the way there is no bulge: it is meant as seen with the movement away from the signer.
                bulge = _square((0.0, 0.0, 1.0) if act.arc in "ud" else (0.0, 0.0, -1.0), way)
            bulge = _square(bulge, way)
            return Move(f"arc-{written_direction(hand.way(bulge))}", 1, round(0.38 * _WAY * act.size, 4))
        if act.path in ("wave", "zigzag"):
            return Move(act.path, 2, round(0.025 * max(act.size, 0.6), 4))
        return Move()


def circle(axis: str, clock: str = "") -> tuple[Vector, Vector]:
    """Where on a circle a hand begins, seen from its middle, and where it first goes; the signer's x left, y up, z away.

    Circles run clockwise as seen along the axis. Twelve o'clock is up, or away from the signer where the axis is
    itself vertical; they begin there unless a clock symbol says otherwise.

    >>> circle("o")
    ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0))
    """
    n = vector(axis)
    twelve = _square((0.0, 0.0, 1.0) if abs(n[1]) > 0.9 else (0.0, 1.0, 0.0), n)
    three = _cross(n, twelve)
    hours = {"u": 0, "ur": 45, "r": 90, "dr": 135, "d": 180, "dl": 225, "l": 270, "ul": 315}
    angle = math.radians(hours.get(clock, 0))
    start = _added(_scaled(twelve, math.cos(angle)), _scaled(three, math.sin(angle)))
    return _clean(start), _clean(_cross(n, start))


def gesture_of(sign: Sign, name: str) -> tuple[Gesture, list[str]]:
    """A sign as a gesture, and what of it is left out or approximated."""
    maker = _Maker(sign)
    made = maker.gesture(name)
    return made, maker.notes
