"""Sentences that say what is done, in order and at the same time, in varied grammar.

Whatever the grammar, what a sentence says of the order of events is true: "after", "before" and "then" are used as
they must be, and the list of events is chronological (Fujiwara et al., ECCV 2024: chronological accuracy).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kinesics.stage._action_words import Action, gerund, plain, third

_SUBJECTS = ("a person", "someone", "a person", "the person", "a figure", "a human", "this person")
_Form = Callable[[str], str]


class Telling:
    """Tells one event: one action, or several at the same time.

    Parameters
    ----------
    phrases
        A phrase for each action, with its verbs marked, the first being what the legs do.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self.phrases = list(phrases)

    def as_(self, form: _Form, draw: np.random.Generator) -> str:
        """The event with all verbs in one form, or with one of them in a clause of its own."""
        if len(self.phrases) == 1:
            return form(self.phrases[0])
        first, *rest = self.phrases if draw.random() < 0.65 else self.phrases[::-1]
        tail = " and ".join(map(gerund, rest))
        if len(self.phrases) == 2 and draw.random() < 0.35:
            return f"{form(first)} and {form(rest[0])} at the same time"
        return f"{form(first)} while {tail}"


def adverbial(phrase: str, word: str) -> str:
    """The phrase with an adverb behind it, if there is one."""
    return f"{phrase} {word}" if word else phrase


def event(subject: str, telling: Telling, draw: np.random.Generator) -> str:
    """A sentence of one event."""
    if len(telling.phrases) == 1:
        phrase = telling.phrases[0]
        kind = int(draw.integers(4))
        if kind == 0:
            return f"{subject} is {gerund(phrase)}"
        return f"{subject} {third(phrase)}"
    a, b = telling.phrases[0], telling.phrases[1]
    more = "".join(f" and {gerund(p)}" for p in telling.phrases[2:])
    forms = (
        lambda: f"{subject} {third(a)} while {gerund(b)}{more}",
        lambda: f"{subject} {third(b)} while {gerund(a)}{more}",
        lambda: (
            f"{subject} {third(a)} and {third(b)}{more and more.replace(' and', ',', 1)} at the same time"
        ),
        lambda: f"while {gerund(a)}, {subject} {third(b)}{more and ' while' + more[4:]}",
        lambda: f"{subject} simultaneously {third(a)} and {third(b)}{more and ' while' + more[4:]}",
        lambda: f"{subject} {third(b)} as they {plain(a)}{more and ', also' + more[4:]}",
        lambda: f"{subject} is {gerund(a)} and {gerund(b)}{more} at the same time",
    )
    return forms[int(draw.integers(len(forms)))]()


def sentence(tellings: Sequence[Telling], draw: np.random.Generator) -> str:
    """One description of a sequence of events."""
    subject = str(draw.choice(_SUBJECTS))
    if len(tellings) == 1:
        return event(subject, tellings[0], draw)

    def say(k: int, form: _Form = third) -> str:
        return tellings[k].as_(form, draw)

    if len(tellings) == 2:
        forms = (
            lambda: f"{subject} {say(0)} and then {say(1)}",
            lambda: f"{subject} {say(0)}, then {say(1)}",
            lambda: f"{subject} {say(0)} before {say(1, gerund)}",
            lambda: f"after {say(0, gerund)}, {subject} {say(1)}",
            lambda: f"{subject} {say(1)} after {say(0, gerund)}",
            lambda: f"first {subject} {say(0)}; afterwards they {say(1, plain)}",
            lambda: f"{subject} {say(0)}, and after that {say(1)}",
            lambda: f"before {say(1, gerund)}, {subject} {say(0)}",
        )
        return forms[int(draw.integers(len(forms)))]()
    last = len(tellings) - 1
    middle = range(1, last)
    kind = int(draw.integers(4))
    if kind == 0:
        return (
            f"{subject} {say(0)}, " + "".join(f"then {say(k)}, " for k in middle) + f"and finally {say(last)}"
        )
    if kind == 1:
        return (
            f"{subject} first {say(0)}, "
            + "".join(f"next {say(k)}, " for k in middle)
            + f"and at last {say(last)}"
        )
    if kind == 2:
        return (
            f"after {say(0, gerund)}, {subject} {say(1)}"
            + "".join(f", then {say(k)}" for k in range(2, last))
            + f" and then {say(last)}"
        )
    return f"{subject} {say(0)}. " + " ".join(
        f"{'Finally' if k == last else 'Then'}, they {say(k, plain)}." for k in range(1, last + 1)
    ).rstrip(".")


def describe(
    events: Sequence[Sequence[tuple[Action, str]]], draw: np.random.Generator, count: int
) -> tuple[list[str], list[str]]:
    """Descriptions of a clip, no two alike, and its events one by one.

    Parameters
    ----------
    events
        In chronological order; each is what is done at the same time, with an adverb of tempo or "".
    draw
        Chooses words and grammar.
    count
        How many descriptions; fewer when there are no more ways to say it.

    Returns
    -------
    captions, steps
        Sentences for the whole, and a plain one for each event.
    """

    def telling(said: Sequence[tuple[Action, str]]) -> Telling:
        return Telling([adverbial(a.phrases[int(draw.integers(len(a.phrases)))], word) for a, word in said])

    captions: list[str] = []
    for _ in range(8 * count):
        text = sentence([telling(e) for e in events], draw)
        if text not in captions:
            captions.append(text)
        if len(captions) == count:
            break
    steps = [_plainly([adverbial(a.phrases[0], word) for a, word in e]) for e in events]
    return captions, steps


def _plainly(phrases: Sequence[str]) -> str:
    first, *rest = phrases
    return f"a person {third(first)}" + (f" while {' and '.join(map(gerund, rest))}" if rest else "")
