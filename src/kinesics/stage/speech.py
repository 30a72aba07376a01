"""What is said on the stage: texts from a grammar, and which of their words call for which gestures.

Sentences are templates with slots; many carry words that the lexicon of gestures knows ("this big",
"I don't know", "over there"). Which words those are is not written here: the reader that plans gestures is
asked, so labels and gestures cannot disagree. Every emotion has sentences that suit it and as many, beside
them, that anybody may say in any mood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from kinesics.behaviour.controls import EMOTIONS
from kinesics.behaviour.lexicon import lexicon
from kinesics.behaviour.meaning import Reader, tokens
from kinesics.errors import DataError, choose
from kinesics.seeds import rng

LEVELS: dict[int, float] = {1: 0.40, 2: 0.65, 3: 0.92}
"""Level of an emotion → intensity of the performance (ours)."""

_SCORES = {"emblem": 0.9, "iconic": 0.75, "deictic": 0.65, "metaphoric": 0.5, "adaptor": 0.2, "beat": 0.1}

SLOTS: dict[str, tuple[str, ...]] = {
    "who": ("my sister", "the driver", "our neighbour", "a friend of mine", "the doctor", "my old teacher", "the boss",
            "somebody from work", "the whole family", "his brother", "the captain", "a tourist"),
    "thing": ("fish", "dog", "parcel", "cake", "painting", "garden", "boat", "suitcase", "bridge", "mirror", "kitchen",
              "letter", "engine", "ladder", "piano", "umbrella"),
    "size": ("this big", "tiny", "enormous", "this tall", "so long", "really wide", "this thick", "very small",
             "about two metres long", "thirty centimetres high", "round", "completely flat"),
    "move": ("went up", "fell down", "turned around", "flew away", "came back", "rolled over", "split in half",
             "exploded", "spread out", "walked away", "drove off", "climbed the stairs"),
    "where": ("over there", "right here", "behind us", "up there", "down there", "on the left", "on the right",
              "in front of you", "far away", "all around us", "inside", "at the top"),
    "count": ("one", "two", "three", "four", "five"),
    "when": ("yesterday", "last summer", "this morning", "on Friday", "a year ago", "next week", "the other day",
             "before breakfast", "after the storm", "in the middle of the night"),
    "idea": ("the idea", "the whole problem", "this plan", "the argument", "the question", "our proposal", "the rule",
             "that story", "the connection between them", "the difference"),
    "act": ("push it forward", "cut it into pieces", "throw it away", "hold it together", "open the door",
            "press the button", "write it down", "pick it up", "turn the wheel", "put it in a box", "tie the rope",
            "pour the water"),
    "name": ("Anna", "Peter", "Maria", "Thomas", "Ben", "Julia", "Martin", "Olga", "Victor", "Fiona", "Zoe", "Hugh"),
    "place": ("the harbour", "the museum", "Vienna", "the village", "the office", "the forest", "the market",
              "the station", "the old theatre", "Boston", "the beach", "the valley"),
}  # fmt: skip

ANY: tuple[str, ...] = (
    "{when} {who} found a {thing}, and it was {size}.",
    "Look at the {thing} {where}, it {move} {when}.",
    "On the one hand we could {act}, on the other hand we could wait.",
    "First you {act}, second you {act}, and finally you go home.",
    "I don't know why {who} left {place}.",
    "We have {count} ways to explain {idea}.",
    "There are {count} of them, and the {thing} is {size}.",
    "More and more people travel from {place} to {place}.",
    "You and I know that {idea} is not the whole story.",
    "Please listen, {name}, this part of {idea} is important.",
    "In my opinion {who} should {act} and then {act}.",
    "Between {place} and {place} there is a {thing} {size}.",
    "Everything in {place} is connected, from the {thing} to the {thing}.",
    "{name} said that the {thing} {move}, but nobody was {where}.",
    "Wait a moment, let me think about {idea}.",
    "Maybe we can compare the {thing} with the {thing}.",
    "The {thing} was {where}, and {who} could not see it.",
    "Step by step {who} began to {act}.",
    "Imagine a {thing}, {size}, standing {where}.",
    "If you ask me, {idea} is about balance.",
)
MOODS: dict[str, tuple[str, ...]] = {
    "neutral": (
        "The report about {place} has {count} parts.",
        "{name} usually starts at nine, and {who} joins later.",
        "The next train to {place} leaves in {count} minutes.",
        "To begin with, we describe {idea}, and then the {thing}.",
        "The {thing} is {size}, as you can see {where}.",
        "In general {who} meets us at {place}.",
    ),
    "happy": (
        "We did it, {name}, the {thing} is finally ours!",
        "What a wonderful day at {place}, I love it!",
        "Come here, {name}, I have great news about {idea}!",
        "Everybody laughed when {who} {move}, it was fantastic!",
        "Thank you so much, this {thing} is perfect!",
        "Welcome to {place}, the party is {where}!",
    ),
    "sad": (
        "I miss {name} so much, and {place} is empty now.",
        "The {thing} is broken, and I can't fix it.",
        "Nobody came to {place}, not even {who}.",
        "I'm sorry, {name}, I lost {idea} and everything else.",
        "{when} {who} said goodbye, and I cried.",
        "It is over, and there is nothing we can do.",
    ),
    "surprise": (
        "Wow, the {thing} is {size}, I had no idea!",
        "What? {name} is {where}? Since when?",
        "Suddenly the {thing} {move}, right in front of me!",
        "I can't believe it, {who} came from {place}!",
        "Oh, look at that, it {move} all at once!",
        "You mean all {count} of them are here? Really?",
    ),
    "fear": (
        "Be quiet, {name}, somebody is {where}.",
        "Stop, don't go near the {thing}, please.",
        "Something {move} in the dark, and we ran away.",
        "I am afraid of {place}, especially at night.",
        "Stay back, it could explode!",
        "What if {who} never comes back from {place}?",
    ),
    "disgust": (
        "The {thing} smelled awful, I had to throw it away.",
        "No, thank you, I will not touch that {thing}.",
        "{who} left old food {where}, it was revolting.",
        "Take it away, {name}, it makes me sick.",
        "The soup at {place} was full of hair.",
        "Don't eat that, it is rotten inside.",
    ),
    "anger": (
        "Stop it, {name}, I have told you {count} times!",
        "No, no, no, you can't just {act} like that!",
        "Who broke the {thing}? Tell me right now!",
        "This is enough, {who} lied about {idea}!",
        "Get out of {place}, and never come back!",
        "I am sick and tired of {idea}!",
    ),
    "contempt": (
        "Whatever, {name}, everybody knows {idea} is nonsense.",
        "He calls himself an expert, and he can't even {act}.",
        "Of course {who} failed again, who cares.",
        "That so-called {thing} is {size}, how impressive.",
        "I don't care what they say at {place}.",
        "Please, a child could {act} better than {who}.",
    ),
}


@dataclass(frozen=True)
class Call:
    """Words ``first`` up to ``last`` (excluded) that call for a gesture.

    Parameters
    ----------
    first, last
        Word indices.
    lexemes
        Gestures that mean it, any of which will do.
    kind
        ``"emblem"``, ``"iconic"``, ``"deictic"``, ``"metaphoric"``: that of the first.
    score
        0 to 1: how much is lost without a gesture (ours).
    """

    first: int
    last: int
    lexemes: tuple[str, ...]
    kind: str
    score: float


@dataclass(frozen=True)
class Script:
    """A text to say, its words as they are spoken, and which call for gestures."""

    text: str
    words: tuple[str, ...]
    calls: tuple[Call, ...]


@cache
def _reader() -> Reader:
    return Reader(lexicon())


def calls(words: list[str] | tuple[str, ...]) -> tuple[Call, ...]:
    """Which words call for gestures, none twice.

    >>> [(c.first, c.last, c.lexemes) for c in calls("we caught a fish this big".split())][-1]
    (4, 6, ('BIG',))
    """
    plain = [" ".join(tokens(w)) or w.lower() for w in words]
    reader, out, i = _reader(), [], 0
    while i < len(plain):
        found = reader.match(plain, i)
        if found is None or found.weight < 1:
            i += 1
            continue
        kinds = [lexicon()[x].category for x in found.lexemes]
        more = 0.05 * (found.last - found.first - 1) + (0.1 if found.size is not None else 0)
        out.append(
            Call(
                found.first, found.last, found.lexemes, kinds[0], round(min(_SCORES[kinds[0]] + more, 1.0), 3)
            )
        )
        i = found.last
    return tuple(out)


def script(seed: int, *names: object, emotion: str = "neutral", words: int = 30) -> Script:
    """A text of whole sentences, at least ``words`` long.

    Parameters
    ----------
    seed, names
        Which: ``script(seed, "speaker", 3, "take", 1)``.
    emotion
        One of the eight; about half of the sentences suit it in particular.
    words
        Least number of words.

    Examples
    --------
    >>> one = script(7, 0, emotion="anger")
    >>> len(one.words) >= 30, one == script(7, 0, emotion="anger"), len(one.calls) > 2
    (True, True, True)
    """
    choose("emotion", emotion, EMOTIONS)
    if not 1 <= words <= 2000:
        raise DataError(f"a script of {words} words; expected 1 to 2000")
    random = rng(seed, *names, "script")
    decks: dict[str, list[int]] = {}
    sentences: list[str] = []

    def drawn(deck: str, items: tuple[str, ...]) -> str:
        # Like cards: nothing comes back before all have been said.
        left = decks.setdefault(deck, [])
        if not left:
            left.extend(random.permutation(len(items)).tolist())
        return items[left.pop()]

    first = int(random.integers(2))
    while sum(len(s.split()) for s in sentences) < words:
        own = (len(sentences) + first) % 2 == 0
        pattern = drawn("mood", MOODS[emotion]) if own else drawn("any", ANY)
        text = re.sub(r"\{(\w+)\}", lambda m: drawn(m[1], SLOTS[m[1]]), pattern)
        sentences.append(text[0].upper() + text[1:])
    text = " ".join(sentences)
    said = tuple(w for w in (t.strip('.,;:!?"') for t in text.split()) if w)
    return Script(text, said, calls(said))
