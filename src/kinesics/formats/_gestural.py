"""G-SiGML's attributes as symbols of HamNoSys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinesics.formats._hamnosys import DIGITS, GLYPHS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SYMBOLS = frozenset(GLYPHS.values())
_SHAPES = {"flat": "flathand", "cee12open": "ceeopen"}
_THUMBS = {"out": "thumboutmod", "across": "thumbacrossmod", "opposed": "thumbopenmod"}
_BENDS = {
    "bent": "fingerstraightmod",
    "halfbent": "fingerstraightmod",
    "round": "fingerbendmod",
    "hooked": "fingerhookmod",
    "dblbent": "doublebent",
    "dblhooked": "doublehooked",
}
_FINGERS = {digit: name for name, digit in DIGITS.items()}
_REPEATS = {
    "fromstart": "repeatfromstart",
    "fromstart_several": "repeatfromstartseveral",
    "continue": "repeatcontinue",
    "continue_several": "repeatcontinueseveral",
    "reverse": "repeatreverse",
}
_WRIST = {
    "nod": "nodding",
    "nodding": "nodding",
    "swing": "swinging",
    "swinging": "swinging",
    "twist": "twisting",
    "twisting": "twisting",
    "stircw": "stircw",
    "stirccw": "stirccw",
}
_IGNORED = frozenset(
    "sign_manual sign_nonmanual handconfig split_handconfig handconstellation location_bodyarm split_location "
    "location_hand".split()
)
_MOST_DEPTH = 16


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


def symbols_of_sign(sign: Element) -> tuple[str, list[str]]:
    """Names of the symbols that a ``<hamgestural_sign>`` amounts to, and what has none."""
    writer = _Writer()
    for part in sign:
        if _name(part) in ("sign_manual", "manual"):
            writer.manual(part)
    return " ".join(f"ham{s}" for s in writer.out), writer.notes


class _Writer:
    def __init__(self) -> None:
        self.out: list[str] = []
        self.notes: list[str] = []

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _say(self, *names: str) -> None:
        for name in names:
            if name in _SYMBOLS:
                self.out.append(name)
            else:
                self._note(f"{name[:40]!r} is no symbol of HamNoSys")

    def manual(self, part: Element) -> None:
        if part.get("both_hands") == "true" or part.get("lr_symm") == "true":
            self._say("symmlr" if part.get("lr_symm") == "true" else "symmpar")
        if part.get("outofphase") == "true":
            self._say("alternatingmotion")
        # A hand's shape, directions and place may come in any number of elements; HamNoSys has one order.
        configs = [e for e in part if _name(e) in ("handconfig", "split_handconfig")]
        self._configs(configs)
        for element in part:
            if _name(element) in ("location_bodyarm", "split_location", "handconstellation", "location_hand"):
                self._place(element)
        for element in part:
            if _name(element) not in _IGNORED:
                self._motion(element, 0)

    def _configs(self, elements: list[Element]) -> None:
        split = [e for e in elements if _name(e) == "split_handconfig"]
        common = [dict(e.attrib) for e in elements if _name(e) == "handconfig"]
        if not split:
            self._config(common)
            return
        hands: list[list[dict[str, str]]] = [list(common), list(common)]
        for element in split:
            for hand, e in zip(hands, [c for c in element if _name(c) == "handconfig"], strict=False):
                hand.append(dict(e.attrib))
        self._say("parbegin")
        self._config(hands[0])
        self._say("plus")
        self._config(hands[1])
        self._say("parend")

    def _config(self, rows: list[dict[str, str]]) -> None:
        values: dict[str, str] = {}
        for row in rows:
            values.update(row)
        shape = values.get("handshape")
        if shape:
            self._say(_SHAPES.get(shape, shape))
            if values.get("second_handshape"):
                self._note("of two hand shapes the first is taken")
            thumb = values.get("thumbpos", "")
            if thumb in _THUMBS:
                self._say(_THUMBS[thumb])
            if values.get("mainbend") in _BENDS:
                self._say(_BENDS[values["mainbend"]])
            for digit in str(values.get("specialfingers", "")):
                if digit.isdigit() and int(digit) in _FINGERS:
                    self._say(_FINGERS[int(digit)])
            for digit in range(1, 6):
                bend = values.get(f"bend{digit}", "")
                if bend in _BENDS:
                    self._say(_FINGERS[digit], _BENDS[bend])
                elif bend:
                    self._note(f"bend{digit}={bend[:20]!r} is left out")
        for key, prefix in (("extfidir", "extfinger"), ("palmor", "palm")):
            if values.get(key):
                self._say(prefix + values[key])
                if values.get(f"second_{key}"):
                    self._say("between", prefix + values[f"second_{key}"])

    def _place(self, element: Element) -> None:
        name = _name(element)
        if name in ("split_location", "handconstellation"):
            halves = [e for e in element if _name(e) in ("location_bodyarm", "location_hand")][:2]
            if len(halves) == 2:
                self._say("parbegin")
                self._site(halves[0])
                self._say("plus")
                self._site(halves[1])
                self._say("parend")
            self._contact(element)
            for inner in element:
                if name == "handconstellation" and _name(inner) == "location_bodyarm" and inner not in halves:
                    self._place(inner)
            return
        self._site(element)
        self._contact(element)

    def _site(self, element: Element) -> None:
        location, side = element.get("location", ""), element.get("side", "")
        beside = "lrbeside" if side.endswith("beside") else "lrat"
        if side.startswith("left"):
            self._say(beside)
        for digit in element.get("digits", ""):
            if digit.isdigit() and int(digit) in _FINGERS:
                self._say(_FINGERS[int(digit)])
        location = {"tip": "fingertip", "nail": "fingernail", "pad": "fingerpad", "midjoint": "fingermidjoint", "base": "fingerbase", "side": "fingerside", "neutral": "neutralspace"}.get(location, location)  # fmt: skip
        if location:
            self._say(location)
        if side.startswith("right"):
            self._say(beside)
        if side in ("back", "behind"):
            self._say("behind")
        if element.get("second_location"):
            self._say("between", element.get("second_location", ""))

    def _contact(self, element: Element) -> None:
        contact = element.get("contact", "")
        hand = next((e for e in element if _name(e) == "location_hand"), None)
        kind = {
            "touch": "touch",
            "close": "close",
            "armextended": "armextended",
            "medium": "",
            "neutral": "",
        }.get(contact)
        if kind is None and contact:
            self._note(f"contact={contact[:20]!r} is left out")
        if not kind:
            return
        if hand is not None and _name(element) == "location_bodyarm":
            self._say("seqbegin", kind)
            self._site(hand)
            self._say("seqend")
        else:
            self._say(kind)

    def _motion(self, element: Element, depth: int) -> None:
        name = _name(element)
        if depth > _MOST_DEPTH:
            self._note("movements nested too deep are left out")
        elif name == "directedmotion":
            self._say("move" + element.get("direction", ""))
            if element.get("second_direction"):
                self._say("between", "move" + element.get("second_direction", ""))
            self._size(element)
            if element.get("curve"):
                self._say("arc" + element.get("curve", ""))
            if element.get("zigzag_style") in ("wavy", "zigzag"):
                self._say(element.get("zigzag_style", ""))
            self._manner(element)
        elif name == "circularmotion":
            self._say("circle" + element.get("axis", ""))
            self._size(element)
            if element.get("start"):
                self._say("clock" + element.get("start", ""))
            self._manner(element)
        elif name == "wristmotion":
            self._say(_WRIST.get(element.get("motion", ""), element.get("motion", "")))
            self._size(element)
        elif name == "fingerplay":
            self._say("fingerplay")
        elif name == "nomotion":
            self._say("nomotion")
        elif name == "changeposture":
            self._say("replace")
        elif name in ("handconfig", "split_handconfig"):
            self._configs([element])
        elif name in ("location_bodyarm", "location_hand", "handconstellation", "split_location"):
            self._place(element)
        elif name in ("par_motion", "seq_motion", "split_motion"):
            begin, end = ("seqbegin", "seqend") if name == "seq_motion" else ("parbegin", "parend")
            self._say(begin)
            for k, inner in enumerate(element):
                if k and name == "split_motion":
                    self._say("plus")
                self._motion(inner, depth + 1)
            self._say(end)
        elif name == "rpt_motion":
            for inner in element:
                self._motion(inner, depth + 1)
            self._say(_REPEATS.get(element.get("repetition", ""), "repeatfromstart"))
        elif name == "tgt_motion":
            inner = list(element)
            posture = [e for e in inner if _name(e) == "changeposture"]
            self._say("parbegin")
            for e in inner:
                if e not in posture and _name(e) not in ("handconfig", "split_handconfig"):
                    self._motion(e, depth + 1)
            configs = [e for e in inner if _name(e) in ("handconfig", "split_handconfig")]
            if configs:
                self._say("replace")
                self._configs(configs)
            self._say("parend")
        else:
            self._note(f"<{name[:40]}> is left out")

    def _size(self, element: Element) -> None:
        size = element.get("size", "")
        if size in ("small", "large", "big"):
            self._say("smallmod" if size == "small" else "largemod")

    def _manner(self, element: Element) -> None:
        manner = element.get("manner", "") or element.get("speed", "")
        if manner in ("fast", "slow", "tense", "rest", "halt"):
            self._say(manner)
