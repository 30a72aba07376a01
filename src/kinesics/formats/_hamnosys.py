"""The symbols of HamNoSys 4: their glyphs, their names, what kind each is."""

from __future__ import annotations

import re

_RUNS: tuple[tuple[int, str], ...] = (
    (0xE000, "fist flathand finger2 finger23 finger23spread finger2345 pinch12 pinchall pinch12open cee12 ceeall ceeopen thumboutmod thumbacrossmod thumbopenmod"),
    (0xE010, "fingerstraightmod fingerbendmod fingerhookmod doublebent doublehooked"),
    (0xE020, "extfingeru extfingerur extfingerr extfingerdr extfingerd extfingerdl extfingerl extfingerul extfingerol extfingero extfingeror extfingeril extfingeri extfingerir extfingerui extfingerdi extfingerdo extfingeruo"),
    (0xE038, "palmu palmur palmr palmdr palmd palmdl palml palmul"),
    (0xE040, "head headtop forehead eyebrows eyes nose nostrils ear earlobe cheek lips tongue teeth chin underchin neck shouldertop shoulders chest stomach belowstomach"),
    (0xE058, "lrbeside lrat coreftag corefref"),
    (0xE05F, "neutralspace upperarm elbow elbowinside lowerarm wristback wristpulse thumbball palm handback thumbside pinkyside"),
    (0xE070, "thumb indexfinger middlefinger ringfinger pinky fingertip fingernail fingerpad fingermidjoint fingerbase fingerside"),
    (0xE07C, "wristtopulse wristtoback wristtothumb wristtopinky moveu moveur mover movedr moved movedl movel moveul moveol moveo moveor moveil movei moveir moveui movedi movedo moveuo circleo circlei circled circleu circlel circler circleul circledr circleur circledl circleol circleir circleor circleil circleui circledo circleuo circledi fingerplay nodding swinging twisting stircw stirccw replace"),
    (0xE0AD, "movecross movex nomotion clocku clockul clockl clockdl clockd clockdr clockr clockur clockfull arcl arcu arcr arcd wavy zigzag"),
    (0xE0C0, "ellipseh ellipseur ellipsev ellipseul increasing decreasing smallmod largemod fast slow tense rest halt"),
    (0xE0D0, "close touch interlock cross armextended behind brushing"),
    (0xE0D8, "repeatfromstart repeatfromstartseveral repeatcontinue repeatcontinueseveral repeatreverse alternatingmotion"),
    (0xE0E0, "seqbegin seqend parbegin parend fusionbegin fusionend between plus symmpar symmlr nondominant nonipsi etc orirelative"),
    (0xE0F0, "mime version40"),
)  # fmt: skip
GLYPHS: dict[str, str] = {
    chr(first + i): name for first, names in _RUNS for i, name in enumerate(names.split())
} | {"{": "altbegin", "|": "metaalt", "}": "altend"}
"""Glyph of the font HamNoSysUnicode → name of the symbol, without its ``ham``."""

SYMBOLS: frozenset[str] = frozenset(GLYPHS.values())
_ALIASES = {
    "fingerhookedmod": "fingerhookmod",
    "cee12open": "ceeopen",
    "mouvecross": "movecross",
    "stircounterclockwise": "stirccw",
    "stirclockwise": "stircw",
}
SHAPES = frozenset(_RUNS[0][1].split()[:12])
BENDS = {
    "fingerstraightmod": "straightbent",
    "fingerbendmod": "round",
    "fingerhookmod": "hooked",
    "doublebent": "doublebent",
    "doublehooked": "doublehooked",
}
"""Bendings of fingers: straight ones bend at the knuckles alone, as SiGML's ``bent``."""
THUMBS = {"thumboutmod": "thumbout", "thumbacrossmod": "thumbacross", "thumbopenmod": "thumbopen"}
DIGITS = {"thumb": 1, "indexfinger": 2, "middlefinger": 3, "ringfinger": 4, "pinky": 5}
DETAILS = frozenset("fingertip fingernail fingerpad fingermidjoint fingerbase fingerside".split())
BODY = frozenset(_RUNS[4][1].split()) | {"neutralspace"}
ARM = frozenset("upperarm elbow elbowinside lowerarm wristback wristpulse".split())
HAND = frozenset("thumbball palm handback thumbside pinkyside".split())
SIDES = frozenset({"lrat", "lrbeside"})
CONTACTS = frozenset("close touch interlock cross armextended behind brushing".split())
SIZES = frozenset({"smallmod", "largemod"})
REPEATS = {
    "repeatfromstart": 2,
    "repeatfromstartseveral": 3,
    "repeatcontinue": 2,
    "repeatcontinueseveral": 3,
    "repeatreverse": 2,
}
LOCAL = frozenset("fingerplay nodding swinging twisting stircw stirccw".split())

Vector = tuple[float, float, float]
_STEPS: dict[str, Vector] = {
    "u": (0, 1, 0),
    "d": (0, -1, 0),
    "l": (1, 0, 0),
    "r": (-1, 0, 0),
    "o": (0, 0, 1),
    "i": (0, 0, -1),
}
_WORD = re.compile(r"[A-Za-z0-9_]+")


def vector(letters: str) -> Vector:
    """Unit vector of a direction such as ``uo``: x to the signer's left, y up, z away from the signer.

    >>> vector("r")
    (-1.0, 0.0, 0.0)
    """
    x, y, z = (sum(_STEPS[c][k] for c in letters) for k in range(3))
    length = (x * x + y * y + z * z) ** 0.5
    return x / length, y / length, z / length


def suffix(symbol: str, prefix: str) -> str | None:
    """What follows ``prefix``, if it is a direction."""
    rest = symbol.removeprefix(prefix)
    return rest if rest != symbol and rest and all(c in _STEPS for c in rest) else None


def symbols_of(text: str) -> tuple[list[str], list[str]]:
    """Symbols' names without ``ham``, and what is none: from glyphs, or from names such as ``hamfist``.

    >>> symbols_of("hamfist, hamextfingeru hamnothing")
    (['fist', 'extfingeru'], ['hamnothing'])
    """
    known, unknown = [], []
    if any("\ue000" <= c <= "\ue0ff" for c in text):
        for c in text:
            if c in GLYPHS:
                known.append(GLYPHS[c])
            elif not c.isspace() and c not in "!?.,\xa0":
                unknown.append(f"U+{ord(c):04X}")
        return known, unknown
    for word in _WORD.findall(text):
        name = word.lower().removeprefix("ham").replace("_", "")
        name = _ALIASES.get(name, name)
        if name in SYMBOLS and word.lower().startswith("ham"):
            known.append(name)
        else:
            unknown.append(word[:40])
    return known, unknown
