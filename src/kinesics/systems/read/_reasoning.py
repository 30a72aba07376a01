"""Reasons worded by a language model: what it is told, and what of its answer is kept.

It gets the measured units, the label and nothing else: no picture, no name, no words that were said.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.action_units import UNITS
from kinesics.ports.language import LanguageModel, Message
from kinesics.systems.read._grounding import Grounded, grounded
from kinesics.systems.read._plans import ACTIVE, Plan
from kinesics.systems.read._prose import HEADINGS

NAMES: dict[str, str] = {
    "AU01": "inner brow raiser", "AU02": "outer brow raiser", "AU04": "brow lowerer", "AU05": "upper lid raiser",
    "AU06": "cheek raiser", "AU07": "lid tightener", "AU09": "nose wrinkler", "AU10": "upper lip raiser",
    "AU12": "lip corner puller", "AU14": "dimpler", "AU15": "lip corner depressor", "AU16": "lower lip depressor",
    "AU17": "chin raiser", "AU18": "lip pucker", "AU20": "lip stretcher", "AU22": "lip funneler", "AU24": "lip presser",
    "AU26": "jaw drop", "AU28B": "lower lip suck", "AU28T": "upper lip suck", "AU29": "jaw thrust", "AU30": "jaw sideways",
    "AU34": "cheek puff", "AU43": "eye closure",
}  # fmt: skip
"""Names of the units in FACS."""
SCHEMA = {
    "type": "object",
    "properties": {
        part: {"type": "string", "minLength": 1, "maxLength": 1200}
        for part in ("observations", "interpretation", "conclusion")
    },
    "required": ["observations", "interpretation", "conclusion"],
}
_TASK = (
    "You explain facial expressions to people who study them. You are given action units that an instrument measured, with "
    "intensities from 0 to 1, and the expression that was read from them. Write a chain of thought in three parts of one "
    "to three sentences: key observations (what moves, how strongly, on which side), emotional interpretation (what "
    "these movements mean together), conclusion (the expression that was given). Name only units of the list, in plain words; do "
    "not mention numbers, units that are missing, the person's identity or anything else that was not measured."
)


def active(face: NDArray) -> list[str]:
    """Units that a face shows, strongest first.

    Parameters
    ----------
    face
        (24, 7) of :func:`kinesics.systems.read._expressions.summary`.
    """
    usual = face[:, [1, 4]].max(axis=1)
    return [UNITS[i] for i in np.argsort(-usual, kind="stable") if usual[i] >= 0.75 * ACTIVE]


def messages(face: NDArray, label: str, plan: Plan) -> list[Message]:
    """What the model is asked."""
    lines = []
    for unit in active(face):
        left, right = (float(face[UNITS.index(unit), k]) for k in (1, 4))
        amount = f"{left:.2f}" if abs(left - right) < 0.02 else f"left {left:.2f}, right {right:.2f}"
        lines.append(f"- {unit} {NAMES[unit]}: {amount}")
    speech = "\nThe person is speaking: the mouth also moves for that." if plan.speech else ""
    text = f"Expression: {label}, {plan.strength}\nActive units:\n" + ("\n".join(lines) or "- none") + speech
    return [{"role": "system", "content": _TASK}, {"role": "user", "content": text}]


def ask(language: LanguageModel, face: NDArray, label: str, plan: Plan) -> Grounded:
    """What a language model says of a face, without what is not grounded.

    Parameters
    ----------
    language
        Whom to ask.
    face, label, plan
        What was measured, read, and planned by our own network.

    Returns
    -------
    Grounded
        Its text is empty where no answer could be parsed or nothing of it is left; the caller then keeps its own.
    """
    reply = language.complete(messages(face, label, plan), schema=SCHEMA)
    if reply.answer is None:
        return Grounded("", ())
    known = [u for u, k in zip(UNITS, face[:, -1] > 0, strict=True) if k]
    parts = [_kept(reply.answer[k], face, known) for k in ("observations", "interpretation", "conclusion")]
    text = "\n\n".join(f"**{h}:** {p.text}" for h, p in zip(HEADINGS, parts, strict=True) if p.text)
    return Grounded(text if parts[0].text else "", tuple(s for p in parts for s in p.dropped))


def _kept(text: str, face: NDArray, known: Sequence[str]) -> Grounded:
    return grounded(" ".join(text.split()), active(face), known)
