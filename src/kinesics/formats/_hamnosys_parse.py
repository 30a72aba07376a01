"""HamNoSys' grammar: symbols to hands, places and actions. Whatever is not understood is noted, never fatal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kinesics.formats._hamnosys import (
    ARM,
    BENDS,
    BODY,
    CONTACTS,
    DETAILS,
    DIGITS,
    HAND,
    LOCAL,
    REPEATS,
    SHAPES,
    SIDES,
    SIZES,
    THUMBS,
    Vector,
    suffix,
    vector,
)

MOST_DEPTH = 12
_MOST_REPEATS = 4
_PLAIN = {
    "fist": "fist",
    "flathand": "flat",
    "finger2": "point",
    "finger23": "two",
    "finger23spread": "vee",
    "finger2345": "spread",
    "pinch12": "fist+meets.2",
    "pinchall": "purse",
    "pinch12open": "ring",
    "cee12": "fist+round.2+thumbopen",
    "ceeall": "flat+round+thumbopen",
    "ceeopen": "spread+round.2+thumbopen",
}
_CHOSEN = {
    "fist": "fist+out.{}",
    "flathand": "flat",
    "finger2": "fist+out.{}",
    "finger23": "fist+out.{0}+together.{0}",
    "finger23spread": "fist+out.{0}+spread.{0}",
    "finger2345": "spread",
    "pinch12": "fist+meets.{}",
    "pinchall": "purse",
    "pinch12open": "spread+meets.{}",
    "cee12": "fist+round.{}+thumbopen",
    "ceeall": "flat+round+thumbopen",
    "ceeopen": "spread+round.{}+thumbopen",
}
_PARTS = {
    "palm": "palm",
    "handback": "back",
    "thumbside": "thumbside",
    "pinkyside": "littleside",
    "thumbball": "heel",
    "wristback": "wrist",
    "wristpulse": "wrist",
    "thumb": "thumb",
    "indexfinger": "index",
    "middlefinger": "middle",
    "ringfinger": "ring",
    "pinky": "little",
    "lowerarm": "forearm",
    "elbow": "elbow",
    "elbowinside": "elbow",
    "upperarm": "upperarm",
    "fingertip": "index",
    "fingernail": "index",
    "fingerpad": "index",
    "fingerside": "index",
    "fingermidjoint": "knuckles",
    "fingerbase": "knuckles",
}
_PLACE = BODY | ARM | HAND | SIDES | CONTACTS | DETAILS | set(DIGITS) | {"nonipsi"}


@dataclass
class Config:
    """What a hand is told to be: only what is said, the rest as before. Several directions mean one between."""

    shape: str = ""
    fingers: list[str] = field(default_factory=list)
    palm: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.shape or self.fingers or self.palm)


@dataclass
class Spot:
    """Where a hand is told to be.

    ``body`` are names of places (one between them), ``side`` −1 left, 0, 1 right of the signer, ``on`` a part of the
    other hand or arm, ``own`` the part of the hand that is there.
    """

    body: list[str] = field(default_factory=list)
    side: int = 0
    beside: bool = False
    behind: bool = False
    on: str = ""
    own: str = ""
    contact: str = ""

    def __bool__(self) -> bool:
        return bool(self.body or self.on or self.contact or self.side)


@dataclass
class Act:
    """One thing done: a way, a circle, a turn of the wrist, a change of posture, or several at once.

    ``circle`` is axis letters, start and rounds; ``config`` and ``spot`` are what it ends in; ``other`` what the
    non-dominant hand does meanwhile, where it is something of its own.
    """

    way: Vector | None = None
    size: float = 1.0
    arc: str = ""
    path: str = "straight"
    axis: str = ""
    clock: str = ""
    rounds: float = 1.0
    local: str = ""
    config: Config | None = None
    spot: Spot | None = None
    pace: float = 1.0
    other: Act | None = None


@dataclass
class Repeat:
    """Acts done ``times`` over: from the ``start`` again, ``on`` from where they end, or there and ``back``."""

    acts: list[Act | Repeat]
    times: int
    how: str


@dataclass
class Posture:
    """What a sign, or a part of a compound one, begins with, and what follows.

    ``symmetry`` is "", ``lr`` (mirrored) or ``par`` (the same directions); ``own`` whether the other hand is given
    an orientation of its own.
    """

    hands: tuple[Config, Config | None]
    spots: tuple[Spot, Spot | None]
    acts: list[Act | Repeat] = field(default_factory=list)
    symmetry: str = ""
    own: bool = False


@dataclass
class Sign:
    """A parsed sign: its postures, one for each part of a compound, and notes on what was not understood."""

    alternating: bool = False
    postures: list[Posture] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Parser:
    """Reads the symbols of one sign.

    Parameters
    ----------
    symbols
        Names without ``ham``.
    """

    def __init__(self, symbols: list[str]) -> None:
        self._symbols = symbols
        self._at = 0
        self._end = len(symbols)
        self._depth = 0
        self.sign = Sign()

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._symbols[at] if at < self._end else ""

    def _take(self) -> str:
        symbol = self._peek()
        self._at += 1
        return symbol

    def _note(self, text: str) -> None:
        if text not in self.sign.notes:
            self.sign.notes.append(text)

    def parse(self) -> Sign:
        """The sign."""
        self._variant()
        while self._at < self._end:
            before = self._at
            symmetry = self._symmetry()
            posture = replace(self._posture(), symmetry=symmetry)
            if (
                posture.hands[0]
                or posture.hands[1]
                or posture.acts
                or posture.spots[0]
                or not self.sign.postures
            ):
                self.sign.postures.append(posture)
            if self._peek() == "plus":
                self._take()
            elif self._at == before:
                self._note(f"ham{self._take()} is not understood where it is")
        if not self.sign.postures:
            self.sign.postures.append(Posture((Config(), None), (Spot(), None)))
        return self.sign

    def _variant(self) -> None:
        """Alternatives ``{a | b}``: the first is taken."""
        out, skipping, depth = [], False, 0
        for symbol in self._symbols:
            if symbol == "altbegin":
                depth += 1
                self._note("of alternatives the first is taken")
            elif symbol == "metaalt":
                skipping = True
            elif symbol == "altend":
                depth, skipping = max(depth - 1, 0), False
            elif not skipping:
                out.append(symbol)
        self._symbols = [s for s in out if s not in ("version40", "mime", "etc", "coreftag", "corefref")]
        for symbol in ("mime", "etc", "coreftag", "corefref"):
            if symbol in out:
                self._note(f"ham{symbol} is left out")
        self._end = len(self._symbols)

    def _symmetry(self) -> str:
        out = ""
        while self._peek() in ("symmpar", "symmlr", "alternatingmotion", "nondominant", "nonipsi"):
            symbol = self._take()
            if symbol.startswith("symm"):
                out = symbol[4:]
                while self._peek() in ("fingerstraightmod", "largemod", "smallmod"):
                    self._note(f"ham{self._take()} of the symmetry is not performed")
            elif symbol == "alternatingmotion":
                self.sign.alternating = True
            else:
                self._note(f"ham{symbol} before the sign is not performed")
        return out

    # --- groups -------------------------------------------------------------------------------------------------

    def _closing(self) -> int:
        """Index of the end of the group that begins here; the end of the sign where it is not closed."""
        depth = 0
        for i in range(self._at, self._end):
            if self._symbols[i] in ("parbegin", "seqbegin", "fusionbegin"):
                depth += 1
            elif self._symbols[i] in ("parend", "seqend", "fusionend"):
                depth -= 1
                if depth == 0:
                    return i
        return self._end

    def _halves(self) -> tuple[int, int, int] | None:
        """Begin, plus and end of a group that says something for each hand."""
        if self._peek() != "parbegin":
            return None
        end, depth = self._closing(), 0
        for i in range(self._at + 1, end):
            if self._symbols[i].endswith("begin"):
                depth += 1
            elif self._symbols[i].endswith("end"):
                depth -= 1
            elif self._symbols[i] == "plus" and depth == 0:
                return self._at, i, end
        return None

    def _within(self, start: int, end: int, read: Callable[[], object]) -> object:
        """Read a stretch of the symbols by itself."""
        at, last = self._at, self._end
        self._at, self._end = start, end
        self._depth += 1
        result = read()
        while self._at < self._end:
            self._note(f"ham{self._take()} is not understood where it is")
        self._depth -= 1
        self._at, self._end = at, last
        return result

    def _both(
        self, begins: Callable[[str], bool], read: Callable[[], object]
    ) -> tuple[object, object] | None:
        """``[a plus b]``: what each hand is, if the group begins so."""
        halves = self._halves()
        if halves is None or self._depth > MOST_DEPTH:
            return None
        first = next((s for s in self._symbols[halves[0] + 1 : halves[1]] if not s.endswith("begin")), "")
        if not begins(first):
            return None
        a = self._within(halves[0] + 1, halves[1], read)
        b = self._within(halves[1] + 1, halves[2], read)
        self._at = halves[2] + 1
        return a, b

    # --- hands --------------------------------------------------------------------------------------------------

    def _posture(self) -> Posture:
        leading, other = Config(), Config()
        split = own = False

        def is_hand(symbol: str) -> bool:
            return symbol in SHAPES or symbol in ("between",) or _aims(symbol)

        while True:
            pair = self._both(is_hand, self._config)
            if pair is not None:
                split = True
                assert isinstance(pair[1], Config)
                own = own or bool(pair[1].fingers or pair[1].palm)
                leading, other = _joined(leading, pair[0]), _joined(other, pair[1])
            elif self._peek() in SHAPES or _aims(self._peek()) or self._peek() == "orirelative":
                here = self._config()
                leading, other = _joined(leading, here), _joined(other, here)
            else:
                break
        first, second = Spot(), None
        while True:
            pair = self._both(lambda s: s in _PLACE, self._spot)
            if pair is not None:
                first, second = self._constellation(first, second, *pair)
            elif self._peek() in _PLACE or self._contact_group():
                here = self._spot()
                first = _placed(first, here)
            else:
                break
        return Posture((leading, other if split else None), (first, second), self._acts(), own=own)

    def _constellation(
        self, first: Spot, second: Spot | None, a: object, b: object
    ) -> tuple[Spot, Spot | None]:
        """``[part plus part]`` is a contact of the hands, ``[place plus place]`` one place for each."""
        assert isinstance(a, Spot)
        assert isinstance(b, Spot)
        if (a.on or a.own) and (b.on or b.own) and not a.body and not b.body:
            on = b.on or b.own
            own = a.on or a.own
            own = own if own not in ("forearm", "elbow", "upperarm") else ""
            return replace(first, on=on, own=own, contact=a.contact or first.contact), second
        return _placed(first, a), b

    def _config(self) -> Config:
        out = Config()
        while self._at < self._end:
            symbol = self._peek()
            if symbol in SHAPES:
                if out.shape:
                    break
                out.shape = self._shape()
            elif (letters := suffix(symbol, "extfinger")) is not None:
                self._take()
                out.fingers.append(letters)
            elif (letters := suffix(symbol, "palm")) is not None:
                self._take()
                out.palm.append(letters)
            elif symbol == "between" and _aims(self._peek(1)):
                self._take()
            elif symbol in ("orirelative", "smallmod", "largemod") and (
                out.fingers or out.palm or symbol[0] == "o"
            ):
                self._note(f"ham{self._take()} of an orientation is not performed")
            else:
                break
        return out

    def _shape(self) -> str:
        base = self._take()
        digits: list[int] = []
        bend, thumb, single = "", "", []
        while self._at < self._end:
            symbol = self._peek()
            if symbol in THUMBS:
                thumb = THUMBS[self._take()]
            elif symbol in BENDS:
                bend = BENDS[self._take()]
            elif symbol in DIGITS:
                digit = DIGITS[self._take()]
                if self._peek() in BENDS:
                    single.append((BENDS[self._take()], digit))
                else:
                    digits.append(digit)
            elif symbol == "between" and (
                self._peek(1) in SHAPES or self._peek(1) in BENDS or self._peek(1) in THUMBS
            ):
                self._take()
                if self._peek() in SHAPES:
                    # Of more than two shapes the rest is read, and left out.
                    second = self._shape().split("~")[0]
                    return f"{_named(base, digits, bend, single, thumb)}~{second}"
                self._take()
                self._note("between two bendings the first is taken")
            elif (
                symbol in ("cross", *DETAILS) and (self._peek(1) in DIGITS or symbol in DETAILS)
            ) or symbol in SIZES:
                self._note(f"ham{self._take()} of a hand shape is not performed")
            else:
                break
        return _named(base, digits, bend, single, thumb)

    # --- places -------------------------------------------------------------------------------------------------

    def _contact_group(self) -> bool:
        return self._peek() in ("seqbegin", "fusionbegin") and self._peek(1) in CONTACTS

    def _spot(self) -> Spot:
        out = Spot()
        before = 0
        digit = ""
        while self._at < self._end:
            symbol = self._peek()
            if self._contact_group():
                end = self._closing()
                inner = self._within(self._at + 1, end, self._spot)
                assert isinstance(inner, Spot)
                self._at = end + 1
                out.contact = _contact(out.contact, inner.contact)
                out.own = inner.on or out.own
            elif symbol in SIDES:
                self._take()
                if out.body or out.on:
                    out.side = 1 if not out.side else out.side
                else:
                    before = -1
                out.beside = out.beside or symbol == "lrbeside"
            elif symbol in BODY:
                out.body.append(self._take())
                out.side = out.side or before
            elif symbol in DIGITS or symbol in DETAILS or symbol in HAND or symbol in ARM:
                self._take()
                if symbol in DIGITS:
                    digit = _PARTS[symbol]
                if not out.on or symbol not in DETAILS:
                    out.on = _PARTS[symbol]
                if digit and symbol in DETAILS and symbol != "fingerbase":
                    out.on = digit
            elif symbol in CONTACTS:
                self._take()
                out.behind = out.behind or symbol == "behind"
                if symbol != "behind":
                    out.contact = _contact(out.contact, symbol)
            elif symbol == "between" and self._peek(1) in _PLACE:
                self._take()
            elif symbol in ("nonipsi", "orirelative"):
                self._note(f"ham{self._take()} of a place is not performed")
            else:
                break
        if before and not out.body and not out.on and not out.side:
            out.side = before
        return out

    # --- actions ------------------------------------------------------------------------------------------------

    def _acts(self) -> list[Act | Repeat]:
        out: list[Act | Repeat] = []
        repeats = 0
        while self._at < self._end:
            symbol = self._peek()
            if symbol in ("plus", "parend", "seqend", "fusionend"):
                if symbol == "plus":
                    break
                self._note(f"ham{self._take()} closes nothing")
                continue
            if symbol in REPEATS:
                self._take()
                repeats += 1
                if repeats > _MOST_REPEATS:
                    self._note(f"more than {_MOST_REPEATS} repetitions of one movement are left out")
                    continue
                how = "back" if symbol.endswith("reverse") else "on" if "continue" in symbol else "start"
                if out:
                    out = [Repeat(out, REPEATS[symbol], how)]
                continue
            act = self._act()
            if act is None:
                self._note(f"ham{self._take()} is not understood where it is")
            else:
                out += act
                if act and isinstance(act[-1], Act):
                    out[-1] = self._manner(act[-1])
        return out

    def _act(self) -> list[Act | Repeat] | None:
        symbol = self._peek()
        if self._depth > MOST_DEPTH:
            return None
        if symbol in ("seqbegin", "fusionbegin") and not self._contact_group():
            end = self._closing()
            inner = self._within(self._at + 1, end, self._acts)
            self._at = end + 1
            return list(inner)  # type: ignore[call-overload]
        if symbol == "parbegin":
            halves = self._halves()
            end = self._closing()
            if halves is not None:
                a = self._within(halves[0] + 1, halves[1], self._acts)
                b = self._within(halves[1] + 1, halves[2], self._acts)
                self._at = end + 1
                return _beside(flat(a), flat(b))  # type: ignore[arg-type]
            inner = self._within(self._at + 1, end, self._acts)
            self._at = end + 1
            return _at_once(inner)  # type: ignore[arg-type]
        if symbol == "alternatingmotion":
            self._take()
            self.sign.alternating = True
            return []
        if symbol == "nondominant":
            self._take()
            inner = self._act() or []
            return [Act(path="hold", other=act) for act in flat(inner)]
        if symbol == "nomotion":
            self._take()
            return [Act(path="hold")]
        if symbol == "replace":
            self._take()
            config = self._config()
            spot = self._spot() if self._peek() in _PLACE or self._contact_group() else None
            if not config and not spot:
                self._note("hamreplace says nothing that is understood")
                return []
            return [Act(config=config or None, spot=spot)]
        if symbol in LOCAL:
            self._take()
            return [self._manner(Act(local=symbol))]
        if (letters := suffix(symbol, "circle")) is not None:
            self._take()
            return [self._manner(Act(path="circle", axis=letters))]
        if (letters := suffix(symbol, "move")) is not None:
            self._take()
            way = vector(letters)
            while self._peek() == "between" and suffix(self._peek(1), "move") is not None:
                self._take()
                way = _mean(way, vector(suffix(self._take(), "move") or "o"))
            return [self._manner(Act(way=way))]
        if symbol in ("movecross", "movex"):
            self._note(f"ham{self._take()} is out of use and left out")
            return []
        if symbol in _PLACE or self._contact_group():
            return [Act(spot=self._spot())]
        if symbol in SHAPES or _aims(symbol):
            return [Act(config=self._config())]
        if symbol in _MANNERS or symbol.startswith(("clock", "ellipse")):
            self._manner(Act())
            self._note(f"ham{symbol} stands by itself and is left out")
            return []
        return None

    def _manner(self, act: Act) -> Act:
        """What follows an action and colours it."""
        while self._at < self._end:
            symbol = self._peek()
            if symbol in SIZES:
                act.size = 0.45 if symbol == "smallmod" else 1.75
            elif (letters := suffix(symbol, "arc")) is not None:
                act.arc = letters
            elif symbol in ("wavy", "zigzag"):
                act.path = "wave" if symbol == "wavy" else "zigzag"
            elif symbol.startswith("clock"):
                if symbol == "clockfull":
                    act.rounds = 1.0
                elif not act.clock:
                    act.clock = symbol[5:]
            elif symbol in ("fast", "slow"):
                act.pace = 0.65 if symbol == "fast" else 1.6
            elif symbol in ("tense", "rest", "halt", "increasing", "decreasing") or symbol.startswith(
                "ellipse"
            ):
                self._note(f"ham{symbol} of a movement is not performed")
            elif symbol == "brushing" or (
                self._peek() in ("seqbegin", "fusionbegin") and self._peek(1) == "brushing"
            ):
                self._spot()
                self._note("hambrushing is performed as the movement alone")
                continue
            else:
                break
            self._take()
        # A place after a movement is where it leads.
        if act.way is not None and act.spot is None and (self._peek() in _PLACE or self._contact_group()):
            act.spot = self._spot()
        return act


_MANNERS = SIZES | frozenset(
    "arcl arcu arcr arcd wavy zigzag fast slow tense rest halt increasing decreasing".split()
)


def _aims(symbol: str) -> bool:
    return suffix(symbol, "extfinger") is not None or suffix(symbol, "palm") is not None


def _named(base: str, digits: list[int], bend: str, single: list[tuple[str, int]], thumb: str) -> str:
    """A hand shape in the gesture notation."""
    fingers = "".join(str(d) for d in sorted(set(digits)) if d != 1)
    if not fingers and base in ("finger2", "fist") and single:
        fingers = "".join(str(d) for _, d in single if d != 1) if base == "fist" else ""
    name = _CHOSEN[base].format(fingers) if fingers else _PLAIN[base]
    if bend:
        name = (
            name.replace("+round", f"+{bend}")
            if "+round" in name
            else f"{name}+{bend}" + (f".{fingers}" if fingers else "")
        )
    for word, digit in single:
        name += f"+{word}.{digit}"
    if thumb and not (thumb == "thumbopen" and name.endswith("thumbopen")):
        name += f"+{thumb}"
    elif 1 in digits:
        name += "+thumbout"
    return name


def _joined(config: Config, more: object) -> Config:
    assert isinstance(more, Config)
    return Config(more.shape or config.shape, more.fingers or config.fingers, more.palm or config.palm)


def _contact(known: str, new: str) -> str:
    return known if known == "touch" or not new else new


def _placed(spot: Spot, more: object) -> Spot:
    """A place that says more: a part of the other hand and a place of the body are both kept."""
    assert isinstance(more, Spot)
    return Spot(
        more.body or spot.body,
        more.side or spot.side,
        more.beside or spot.beside,
        more.behind or spot.behind,
        spot.on or more.on,
        more.own or spot.own,
        _contact(spot.contact, more.contact),
    )


def _mean(a: Vector, b: Vector) -> Vector:
    v = [x + y for x, y in zip(a, b, strict=True)]
    length = sum(c * c for c in v) ** 0.5
    return a if length < 1e-6 else (v[0] / length, v[1] / length, v[2] / length)


def flat(acts: object) -> list[Act]:
    """Acts without their repetitions."""
    out: list[Act] = []
    assert isinstance(acts, list)
    for act in acts:
        out += flat(act.acts) if isinstance(act, Repeat) else [act]
    return out


def _merged(a: Act, b: Act) -> Act:
    """Two things at once, as one act."""
    plain = Act()
    out = replace(a)
    for name, value in vars(b).items():
        if value != getattr(plain, name):
            setattr(out, name, value)
    if a.config and b.config:
        out.config = _joined(a.config, b.config)
    return out


def _at_once(acts: list[Act | Repeat]) -> list[Act | Repeat]:
    """All of a group at the same time; a repetition in it stays one of the whole."""
    times, how = 1, ""
    for act in acts:
        if isinstance(act, Repeat) and act.times > times:
            times, how = act.times, act.how
    simple = flat(acts)
    if not simple:
        return []
    whole = simple[0]
    for act in simple[1:]:
        whole = _merged(whole, act)
    return [Repeat([whole], times, how)] if how else [whole]


def _beside(leading: list[Act], other: list[Act]) -> list[Act | Repeat]:
    """What each hand does by itself, step by step together."""
    out: list[Act | Repeat] = []
    for i in range(max(len(leading), len(other))):
        mine = leading[i] if i < len(leading) else Act(path="hold")
        theirs = other[i] if i < len(other) else Act(path="hold")
        out.append(replace(mine, other=theirs))
    return out
