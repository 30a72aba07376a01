"""What can be done, in which words, and which parts of the body do it.

A phrase marks its verbs with ``*`` so that it can be inflected: ``"*sit down and *stand up"`` is "sits down and stands
up" and "sitting down and standing up". Parts are SINC's six (Athanasiou et al., ICCV 2023).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kinesics.errors import choose

PARTS: tuple[str, ...] = ("global", "torso", "left arm", "right arm", "left leg", "right leg")
"""The parts of the body that truth is told of, in SINC's order."""
_LEGS = ("global", "left leg", "right leg")
_ALL = PARTS
_DOUBLED = {
    "run",
    "jog",
    "clap",
    "nod",
    "shrug",
    "squat",
    "spin",
    "sit",
    "put",
    "rub",
    "step",
    "sidestep",
    "hop",
    "get",
}


@dataclass(frozen=True)
class Action:
    """Something that a person can be told to do.

    Parameters
    ----------
    name
        Its name, unique; ends in ``left`` or ``right`` where it has a side.
    phrases
        Ways to say it in English, verbs marked.
    parts
        Which of :data:`PARTS` do it.
    kind
        ``"cycle"`` and ``"once"``: from the library; ``"turn"``: steps on the spot; ``"stand"``; ``"gesture"``, ``"pointing"``,
        ``"head"``, ``"posture"``: behaviours of the gesture notation, attributes in ``form``.
    source
        Name of the library's clips.
    form
        Attributes of the behaviour.
    bend, turn
        Radians by which the way bends and the person turns, to the left.
    seconds
        How long it lasts: shortest and longest; for gestures of the stroke, 0 where the lexicon knows.
    over, under
        Whether it can be laid over what the legs do, and whether something can be laid over it.
    free_arms
        Arms and bearing of the clip have no part in it; both are as when the person stands.
    adverbs
        Whether it can be done slowly or quickly.
    marks
        What happens on the way: part of the time until which it lasts, and phrase.
    """

    name: str
    phrases: tuple[str, ...]
    parts: tuple[str, ...]
    kind: str
    source: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    bend: float = 0.0
    turn: float = 0.0
    seconds: tuple[float, float] = (0.0, 0.0)
    over: bool = False
    under: bool = False
    free_arms: bool = False
    adverbs: bool = True
    marks: tuple[tuple[float, str], ...] = ()

    @property
    def label(self) -> str:
        """The phrase by which tiers name it."""
        return plain(self.phrases[0])

    @property
    def behaves(self) -> bool:
        """Whether it is a behaviour of the notation and not a clip."""
        return self.kind in ("gesture", "pointing", "head", "posture")

    @property
    def travels(self) -> bool:
        """Whether it leads away from the spot step by step."""
        return self.kind == "cycle" and "global" in self.parts and self.seconds[0] >= 2.0


def plain(phrase: str) -> str:
    """Base form, as in a command: ``"*wave"`` is "wave"."""
    return phrase.replace("*", "")


def third(phrase: str) -> str:
    """Third person: "waves"."""
    return _inflected(phrase, _third)


def gerund(phrase: str) -> str:
    """-ing form: "waving"."""
    return _inflected(phrase, _gerund)


def _inflected(phrase: str, form: Callable[[str], str]) -> str:
    return " ".join(form(w[1:]) if w.startswith("*") else w for w in phrase.split(" "))


def _third(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        return verb + "es"
    return verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"


def _gerund(verb: str) -> str:
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if verb in _DOUBLED else "") + "ing"


def _table() -> tuple[Action, ...]:
    """Every action; ``{side}`` and ``{other}`` stand for left and right, both ways."""

    def go(name: str, *phrases: str, source: str = "", bend: float = 0.0, **more: Any) -> Action:
        return Action(
            name, phrases, _LEGS, "cycle", source or name, bend=math.radians(bend), seconds=(2.0, 5.0),
            **{"under": True, "adverbs": False, **more},
        )  # fmt: skip

    def keep(name: str, *phrases: str, parts: tuple[str, ...] = _ALL, **more: Any) -> Action:
        return Action(name, phrases, parts, "cycle", name, seconds=(1.8, 4.0), **more)

    def do(name: str, *phrases: str, parts: tuple[str, ...] = _ALL, **more: Any) -> Action:
        return Action(name, phrases, parts, "once", name, **more)

    def show(name: str, lexeme: str, *phrases: str, parts: tuple[str, ...] = (), **form: str) -> Action:
        arms = parts or (("{side} arm",) if "{side}" in name else ("left arm", "right arm"))
        mode = {"mode": "{SIDE}_HAND"} if "{side}" in name else {}
        return Action(name, phrases, arms, "gesture", form={"lexeme": lexeme, **mode, **form}, over=True)

    def nod(
        name: str, lexeme: str, *phrases: str, seconds: tuple[float, float] = (1.0, 1.8), **form: str
    ) -> Action:
        return Action(
            name, phrases, ("torso",), "head", form={"lexeme": lexeme, **form}, seconds=seconds, over=True
        )

    arm = ("{side} arm",)
    reach = ("torso", "{side} arm")
    return (
        go("walk", "*walk forward", "*walk", "*walk straight ahead", "*go forward on foot", "*take a few steps forward"),
        go("walk slowly", "*walk forward slowly", "*stroll forward", "*walk slowly", "*amble ahead"),
        go("walk briskly", "*walk forward briskly", "*walk quickly", "*hurry forward", "*walk ahead at a brisk pace"),
        go("stride", "*stride forward", "*walk forward with long steps", "*take big steps forward"),
        go("run", "*run forward", "*run", "*jog forward", "*run straight ahead", under=False),
        go("walk backward", "*walk backward", "*walk backwards", "*step backward", "*back away"),
        go("sidestep {side}", "*sidestep to the {side}", "*step sideways to the {side}", "*move sideways to the {side}",
           "*shuffle to the {side}", free_arms=True),
        go("walk in a curve {side}", "*walk in a curve to the {side}", "*walk forward and *curve to the {side}",
           "*veer to the {side}", "*walk along an arc to the {side}", source="walk", bend=80),
        go("run in a curve {side}", "*run in a curve to the {side}", "*run and *curve to the {side}", source="run",
           bend=70, under=False),
        Action("walk in a circle {side}", ("*walk in a circle to the {side}", "*walk around in a {wise} circle"), _LEGS,
               "cycle", "walk", bend=math.radians(300), seconds=(6.0, 8.0), under=True, adverbs=False),
        go("dribble forward {side}", "*dribble a ball forward with the {side} hand", "*walk forward dribbling a basketball",
           under=False),
        go("dribble backward {side}", "*dribble a ball backward with the {side} hand",
           "*walk backward dribbling a basketball", under=False),
        keep("jog in place", "*jog in place", "*jog on the spot", "*run in place", parts=_LEGS, under=True),
        keep("lift the knees", "*lift the knees one after the other", "*march in place with high knees"),
        keep("twist", "*twist the torso from side to side", "*turn the upper body left and right with the arms bent"),
        keep("swing the arms", "*swing the arms sideways", "*swing both arms at the height of the shoulders",
             parts=("torso", "left arm", "right arm"), over=True),
        keep("jumping jacks", "*do jumping jacks", "*do a few jumping jacks"),
        keep("punch {side}", "*punch with the {side} hand", "*throw punches with the {side} fist",
             "*strike forward with the {side} fist", parts=reach, over=True),
        keep("box", "*box", "*shadowbox", "*throw punches with both fists"),
        keep("swing a sword {side}", "*swing a sword with the {side} hand", "*strike with a sword in the {side} hand"),
        do("jump forward", "*jump forward", "*leap forward with both feet", "*do a standing long jump"),
        do("jump up", "*jump up", "*jump", "*jump straight up", "*hop up into the air with both feet"),
        do("squat", "*squat", "*squat down and *rise", "*do a squat", "*bend the knees deeply and *straighten up"),
        do("touch the toes", "*bend down and *touch the toes", "*bend over towards the feet with a twist"),
        do("pick up {side}", "*bend down, *pick something up and *lift it high with the {side} hand",
           "*scoop something up from the floor and *raise it with the {side} hand",
           "*pick something up from the ground and *hold it up"),
        do("kick {side}", "*kick with the {side} foot", "*kick a ball with the {side} foot", "*run up and *kick a ball"),
        do("wash a window {side}", "*wash a window with the {side} hand", "*wipe a window with the {side} hand",
           "*clean a window", parts=reach, over=True),
        do("direct traffic", "*direct traffic", "*direct traffic with both arms", "*make signals to the traffic",
           parts=("torso", "left arm", "right arm"), over=True),
        do("laugh", "*laugh and *double over", "*laugh hard", "*burst into laughter", adverbs=False),
        do("sit down and stand up", "*sit down and *stand up again", "*sit down on a stool and *get up",
           "*take a seat and *rise again", marks=((0.42, "*sit down"), (0.75, "*stay seated"), (1.0, "*stand up"))),
        do("reach up", "*reach up with both hands", "*stretch up on tiptoe to reach something high"),
        do("drink {side}", "*drink with the {side} hand", "*lift a can with the {side} hand and *drink", "*take a drink",
           parts=arm, over=True),
        do("shoot a basket", "*shoot a basketball", "*throw a ball at a basket", "*take a shot at the basket"),
        do("spin {side}", "*spin around twice to the {side}", "*do a double pirouette to the {side}", adverbs=False),
        do("lean into an arabesque", "*dance an arabesque", "*lean forward on one leg and *dance a turn", adverbs=False),
        Action("turn {side}", ("*turn {side}", "*turn to the {side}", "*make a quarter turn to the {side}"), _LEGS,
               "turn", turn=math.radians(90), under=True),
        Action("turn slightly {side}", ("*turn slightly to the {side}", "*turn a little to the {side}"), _LEGS,
               "turn", turn=math.radians(45), under=True),
        Action("turn around {side}", ("*turn around to the {side}", "*turn around over the {side} shoulder",
               "*turn around"), _LEGS, "turn", turn=math.radians(180), under=True),
        Action("stand", ("*stand still", "*stand", "*wait"), _LEGS, "stand", seconds=(1.5, 3.5),
               under=True, adverbs=False),
        show("wave {side}", "WAVE", "*wave with the {side} hand", "*wave the {side} hand", "*wave hello with the {side} hand"),
        show("wave both", "WAVE_BOTH", "*wave with both hands", "*wave both hands"),
        show("salute {side}", "SALUTE", "*salute with the {side} hand", "*give a salute with the {side} hand"),
        show("thumbs up {side}", "THUMBS_UP", "*give a thumbs up with the {side} hand", "*hold up the {side} thumb"),
        show("stop {side}", "STOP", "*hold up the {side} palm to say stop", "*hold out the {side} hand to stop someone"),
        show("stop both", "STOP_BOTH", "*hold out both palms to stop someone", "*push the air with both hands"),
        show("beckon {side}", "COME_HERE", "*beckon with the {side} hand", "*wave someone closer with the {side} hand"),
        show("shoo {side}", "GO_AWAY", "*shoo someone away with the {side} hand"),
        show("hush {side}", "QUIET", "*put the {side} index finger to the lips", "*make a hushing sign with the {side} hand"),
        show("listen {side}", "LISTEN", "*cup the {side} hand behind the ear", "*hold the {side} hand to the ear to listen"),
        show("shrug", "SHRUG", "*shrug", "*shrug with both hands"),
        show("clap", "CLAP", "*clap", "*clap both hands", "*applaud"),
        show("pray", "PRAY", "*put the palms together in front of the chest", "*fold the hands in prayer"),
        show("hand on heart {side}", "HAND_ON_HEART", "*lay the {side} hand on the heart",
             "*put the {side} hand on the chest"),
        show("phone {side}", "CALL_ME", "*hold the {side} hand to the ear like a phone",
             "*make a phone sign with the {side} hand"),
        show("pump the fist {side}", "FIST_PUMP", "*pump the {side} fist"),
        show("eat {side}", "EAT", "*eat with the {side} hand", "*bring food to the mouth with the {side} hand"),
        show("write {side}", "WRITE", "*write in the air with the {side} hand"),
        show("scratch the head {side}", "HEAD_SCRATCH", "*scratch the head with the {side} hand"),
        show("hold the chin {side}", "CHIN", "*hold the chin with the {side} hand", "*stroke the chin with the {side} hand"),
        show("rub the neck {side}", "NECK_RUB", "*rub the neck with the {side} hand"),
        show("rub the hands", "HANDS_RUB", "*rub the hands together"),
        show("throw {side}", "THROW", "*throw something with the {side} hand", "*toss something with the {side} hand"),
        show("press a button {side}", "PRESS", "*press a button with the {side} hand"),
        show("point at yourself {side}", "SELF_POINT", "*point at the own chest with the {side} hand"),
        show("point ahead {side}", "YOU_POINT", "*point straight ahead with the {side} hand", "*point forward with the {side} hand"),
        show("point up {side}", "POINT_UP", "*point up with the {side} hand"),
        show("raise the arm {side}", "RAISE", "*raise the {side} arm", "*raise the {side} hand above the head",
             "*hold up the {side} arm", poses="relaxed upper:forward-down lower:forward | flat upper:up-forward lower:up",
             seconds="0.7", hold="1.0"),
        show("raise both arms", "RAISE_BOTH", "*raise both arms", "*raise both hands above the head",
             poses="relaxed upper:forward-down lower:forward | flat upper:up-out lower:up", hands="both", seconds="0.8",
             hold="1.0"),
        show("spread the arms", "SPREAD", "*spread both arms to the sides", "*stretch out the arms sideways",
             poses="relaxed upper:down-out lower:down-out | flat upper:out lower:out", hands="both", seconds="0.8",
             hold="1.0"),
        show("reach forward {side}", "REACH", "*reach forward with the {side} arm", "*stretch the {side} arm forward",
             poses="relaxed upper:down-forward lower:forward | flat upper:forward lower:forward", seconds="0.6",
             hold="0.9"),
        Action("point {side}", ("*point to the {side} with the {side} hand", "*point {side}"), arm, "pointing",
               form={"target": "{azimuth},4", "mode": "{SIDE}_HAND"}, seconds=(0.5, 1.4), over=True),
        nod("nod", "NOD", "*nod", "*nod the head", "*nod in agreement", repetition="3"),
        nod("shake the head", "SHAKE", "*shake the head", "*say no with the head", repetition="3"),
        nod("look {side}", "TURN", "*look to the {side}", "*turn the head to the {side}", direction="{SIDE}",
            amount="1.3"),
        nod("look down", "LOWER", "*look down", "*lower the head", amount="1.4"),
        nod("look up", "RAISE", "*look up", "*raise the head", amount="1.5"),
        nod("tilt the head {side}", "TILT", "*tilt the head to the {side}", direction="{SIDE}", amount="1.2"),
        nod("bow the head", "BOW", "*bow the head", amount="1.0"),
        Action("turn the upper body {side}", ("*turn the upper body to the {side}", "*twist the torso to the {side}"),
               ("torso",), "posture", form={"lexeme": "TURN_{SIDE}", "amount": "0.9"}, seconds=(1.6, 2.6), adverbs=False),
    )  # fmt: skip


def _sided(action: Action, side: str) -> Action:
    other = "right" if side == "left" else "left"
    sign = 1.0 if side == "left" else -1.0
    words = {
        "side": side, "other": other, "SIDE": side.upper(), "azimuth": f"{60 * sign:g}",
        "wise": "counterclockwise" if side == "left" else "clockwise",
    }  # fmt: skip

    def said(text: str) -> str:
        for key, word in words.items():
            text = text.replace("{" + key + "}", word)
        return text

    return replace(
        action, name=said(action.name), phrases=tuple(map(said, action.phrases)), parts=tuple(map(said, action.parts)),
        source=said(action.source), form={k: said(v) for k, v in action.form.items()}, bend=sign * action.bend,
        turn=sign * action.turn,
    )  # fmt: skip


@functools.lru_cache(maxsize=1)
def actions() -> Mapping[str, Action]:
    """All actions by name."""
    out = {}
    for action in _table():
        for each in (
            (_sided(action, "left"), _sided(action, "right")) if "{side}" in action.name else (action,)
        ):
            out[each.name] = each
    return out


def action(name: str) -> Action:
    """An action by name; a DataError lists the names when there is none."""
    return actions()[choose("action", name, sorted(actions()))]


def opposite(name: str) -> str:
    """Name of the same action with left and right exchanged."""
    swap = {"left": "right", "right": "left"}
    return " ".join(swap.get(word, word) for word in name.split())
