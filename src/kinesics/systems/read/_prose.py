"""Plans of reasons in English: a chain of thought in three parts, worded differently from face to face.

Sides are the person's own. Which words are taken is drawn from the caller's stream; what is said is the plan's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinesics.systems.read._plans import Plan, Seen

HEADINGS = ("Key observations", "Emotional interpretation", "Conclusion")
"""Of the three parts, in order."""

# unit: clauses to which "how" and "where" are added, and noun phrases.
_UNITS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "AU01": (
        ("the inner ends of the brows rise", "the brows go up at their inner ends", "the inner brows are drawn upwards"),
        ("the raised inner brows", "the inner brows going up"),
    ),
    "AU02": (
        ("the outer ends of the brows rise", "the brows arch at their outer ends", "the outer brows are pulled up"),
        ("the raised outer brows", "the arched outer brows"),
    ),
    "AU04": (
        ("the brows are drawn down and together", "the brows furrow", "the brows lower"),
        ("the lowered brows", "the furrowed brows"),
    ),
    "AU05": (
        ("the upper lids lift", "the upper eyelids are pulled up", "the eyes widen"),
        ("the widened eyes", "the lifted upper lids"),
    ),
    "AU06": (
        ("the cheeks rise", "the cheeks push up under the eyes", "the cheeks are raised"),
        ("the raised cheeks", "the cheeks pushed up"),
    ),
    "AU07": (
        ("the lids tighten", "the lower lids tense", "the eyes narrow"),
        ("the tightened lids", "the narrowed eyes"),
    ),
    "AU09": (
        ("the nose wrinkles", "wrinkles form along the nose", "the skin of the nose is pulled up in wrinkles"),
        ("the wrinkled nose", "the wrinkles of the nose"),
    ),
    "AU10": (
        ("the upper lip is raised", "the upper lip lifts", "the upper lip is pulled up"),
        ("the raised upper lip", "the lifted upper lip"),
    ),
    "AU12": (
        ("the corners of the lips are pulled up", "the lip corners rise", "the mouth draws up into a smile"),
        ("the smile", "the raised lip corners"),
    ),
    "AU14": (
        ("the lip corners tighten into dimples", "dimples form at the corners of the mouth", "the mouth dimples"),
        ("the dimpled mouth", "the dimples"),
    ),
    "AU15": (
        ("the lip corners sink", "the corners of the mouth turn down", "the lip corners are drawn down"),
        ("the drooping lip corners", "the downturned mouth"),
    ),
    "AU16": (
        ("the lower lip is pulled down", "the lower lip drops away from the teeth", "the lower lip is lowered"),
        ("the lowered lower lip", "the lower lip pulled down"),
    ),
    "AU17": (
        ("the chin pushes up", "the chin boss is raised", "the chin bunches"),
        ("the raised chin", "the bunched chin"),
    ),
    "AU18": (("the lips pucker", "the lips are pursed", "the mouth puckers"), ("the puckered lips", "the pursed lips")),
    "AU20": (
        ("the lips are stretched sideways", "the mouth stretches sideways", "the lips are drawn out to the sides"),
        ("the stretched lips", "the stretched mouth"),
    ),
    "AU22": (
        ("the lips form a funnel", "the lips funnel forwards", "the lips open into a funnel"),
        ("the funnelled lips", "the funnel of the lips"),
    ),
    "AU24": (
        ("the lips press together", "the lips are pressed", "the lips press on each other"),
        ("the pressed lips", "the lips pressed together"),
    ),
    "AU26": (("the jaw drops", "the mouth falls open", "the jaw hangs open"), ("the dropped jaw", "the open mouth")),
    "AU28B": (
        ("the lower lip is sucked in", "the lower lip rolls inwards", "the lower lip is drawn over the teeth"),
        ("the lower lip sucked in", "the rolled lower lip"),
    ),
    "AU28T": (
        ("the upper lip is sucked in", "the upper lip rolls inwards", "the upper lip is drawn over the teeth"),
        ("the upper lip sucked in", "the rolled upper lip"),
    ),
    "AU29": (("the jaw juts forward", "the jaw is thrust forward", "the jaw pushes out"), ("the jutting jaw", "the jaw thrust forward")),
    "AU30": (("the jaw slides sideways", "the jaw moves sideways", "the jaw shifts sideways"), ("the sideways jaw", "the jaw sliding sideways")),
    "AU34": (("the cheeks puff out", "the cheeks fill with air", "the cheeks are blown up"), ("the puffed cheeks", "the cheeks full of air")),
    "AU43": (("the eyes close", "the upper lids droop", "the eyelids sink"), ("the closing eyes", "the drooping lids")),
}  # fmt: skip

_HOW = {
    "A": ("just perceptibly", "by a trace"),
    "B": ("slightly", "a little"),
    "C": ("clearly", "visibly", "noticeably"),
    "D": ("strongly", "markedly"),
    "E": ("as far as possible", "with full force"),
}
_WHERE = {
    "both": ("",),
    "left": (", more so on the left", ", the left side leading"),
    "right": (", more so on the right", ", the right side leading"),
    "only left": (", on the left alone", ", but only on the left"),
    "only right": (", on the right alone", ", but only on the right"),
}
_TOWARDS = {
    "both": ("",), "left": (" to the left",), "right": (" to the right",), "only left": (" to the left",), "only right": (" to the right",),
}  # fmt: skip
_FEELINGS = {
    "neutral": ("a neutral face", "a face at rest"),
    "happy": ("happiness", "joy"),
    "sad": ("sadness", "sorrow"),
    "surprise": ("surprise", "astonishment"),
    "fear": ("fear", "fright"),
    "disgust": ("disgust", "aversion"),
    "anger": ("anger", "annoyance"),
    "contempt": ("contempt", "disdain"),
}
_REST = (
    "Nothing in the face moves away from its rest.",
    "The face holds still; no muscle stands out.",
    "There is no movement to speak of.",
)
_SPEECH = (
    "The person is speaking, and what the mouth does for speech is left out of account.",
    "The mouth is busy with speech; those movements say nothing about feeling.",
    "Part of the movement around the mouth is articulation and is not counted.",
)
_TOGETHER = (
    "{units} {is} what {feeling} looks like.",
    "{units} {point} to {feeling}.",
    "{feeling!c} shows itself in {units}.",
    "It is {units} that {speak} for {feeling}.",
)
_ODD = (
    "{units} {fit} less well and may be habit or chance.",
    "{units} {belong} to no part of it.",
    "{units} {is} not typical of {feeling} and {carry} little weight.",
)
_BARE = (
    "None of the usual signs of {feeling} stands out by itself; the reading rests on the face as a whole.",
    "The signs of {feeling} are faint here, so the reading leans on the whole face.",
)
_CALM = (
    "Nothing here adds up to a feeling.",
    "No feeling can be told from this; the face is at rest.",
    "There is no pattern of an emotion.",
)
_SLIGHT = (
    "{units} {occur} alone and {make} no pattern of an emotion.",
    "{units} {is} not enough to speak of a feeling.",
)
_ENDS = {
    ("clear", False): (
        "All in all this is {strength} {feeling}{blend}.",
        "The face clearly expresses {strength} {feeling}{blend}.",
        "Taken together, the face shows {strength} {feeling}{blend}.",
    ),
    ("likely", False): (
        "The most likely reading is {strength} {feeling}{blend}.",
        "This is probably {strength} {feeling}{blend}.",
        "On balance it looks like {strength} {feeling}{blend}.",
    ),
    ("clear", True): (
        "This is {feeling}{blend}.",
        "The expression is neutral{blend}.",
        "All in all: {feeling}{blend}.",
    ),
    ("likely", True): ("This is most likely {feeling}{blend}.", "The expression is probably neutral{blend}."),
}
_BLEND = (", with a touch of {second}", ", mixed with some {second}", ", and some {second} in it")


def told(plan: Plan, stream: np.random.Generator) -> str:
    """The three parts, each with its heading.

    Parameters
    ----------
    plan
        What to say.
    stream
        Draws the words.
    """
    parts = (_observations(plan, stream), _interpretation(plan, stream), _conclusion(plan, stream))
    return "\n\n".join(f"**{h}:** {p}" for h, p in zip(HEADINGS, parts, strict=True))


def _observations(plan: Plan, stream: np.random.Generator) -> str:
    clauses = [_clause(seen, stream) for seen in plan.seen]
    sentences = [] if clauses else [_pick(_REST, stream)]
    openings = list(stream.permutation(["At the same time ", "Besides, ", "In addition, "]))
    while clauses:
        take = 2 if len(clauses) > 1 and stream.random() < 0.6 else 1
        opening = str(openings.pop()) if sentences and openings and stream.random() < 0.5 else ""
        joint = _pick((", and ", ", while "), stream)
        sentences.append(_capital(opening + joint.join(clauses[:take])) + ".")
        clauses = clauses[take:]
    return " ".join([*sentences, *([_pick(_SPEECH, stream)] if plan.speech else [])])


def _clause(seen: Seen, stream: np.random.Generator) -> str:
    where = _TOWARDS if seen.unit == "AU30" else _WHERE
    return f"{_pick(_UNITS[seen.unit][0], stream)} {_pick(_HOW[seen.level], stream)}{_pick(where[seen.side], stream)}"


def _interpretation(plan: Plan, stream: np.random.Generator) -> str:
    feeling, out = _pick(_FEELINGS[plan.label], stream), []
    if plan.label == "neutral":
        return (
            _filled(_pick(_SLIGHT, stream), plan.others, feeling, stream)
            if plan.seen
            else _pick(_CALM, stream)
        )
    if plan.support:
        out.append(_filled(_pick(_TOGETHER, stream), plan.support, feeling, stream))
    else:
        out.append(_pick(_BARE, stream).format(feeling=feeling))
    if plan.others:
        out.append(_filled(_pick(_ODD, stream), plan.others, feeling, stream))
    return " ".join(out)


def _conclusion(plan: Plan, stream: np.random.Generator) -> str:
    blend = _pick(_BLEND, stream).format(second=_pick(_FEELINGS[plan.blend], stream)) if plan.blend else ""
    feeling = _pick(_FEELINGS[plan.label], stream)
    ending = _pick(_ENDS[plan.certainty, plan.label == "neutral"], stream)
    return ending.format(strength=plan.strength, feeling=feeling, blend=blend)


def _filled(pattern: str, units: Sequence[str], feeling: str, stream: np.random.Generator) -> str:
    names = [_pick(_UNITS[u][1], stream) for u in units]
    many = len(names) > 1 or _plural(names[0])
    verbs = {v: v if many else v + "s" for v in ("point", "speak", "fit", "belong", "occur", "make")}
    verbs |= {"is": "are" if many else "is", "carry": "carry" if many else "carries"}
    text = pattern.replace("{feeling!c}", _capital(feeling)).format(
        units=_listed(names), feeling=feeling, **verbs
    )
    return _capital(text)


def _plural(name: str) -> bool:
    head = name.removeprefix("the ").partition(" of ")[0]
    return any(w in head.split() for w in "brows lids eyes cheeks corners dimples lips wrinkles".split())


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pick(options: Sequence[str], stream: np.random.Generator) -> str:
    return options[int(stream.integers(len(options)))]
