"""Two who talk in turns, with the times of both known."""

from __future__ import annotations

import numpy as np

from kinesics.behaviour.controls import Controls
from kinesics.behaviour.performer import Performer
from kinesics.errors import DataError
from kinesics.performance import Audio, Interval, Performance, Scene, Tier
from kinesics.seeds import rng
from kinesics.stage.acting import body_of, speak_as
from kinesics.stage.speakers import Speaker, speaker
from kinesics.stage.speech import script

_MARGIN = 0.1  # seconds of sound kept around a turn's words
_LEAD_OUT = 0.8


def conversation(seed: int, number: int, *, turns: int = 6) -> Scene:
    """Two speakers of a seed in turns; the one who listens breathes, blinks and looks.

    A turn begins up to 0.3 s before the last one ends, or up to 0.8 s after.

    Parameters
    ----------
    seed, number
        Which; the same ones give the same conversation.
    turns
        How many, alternating.

    Returns
    -------
    Scene
        People by the speakers' names, each with ``speech`` (their own), ``words``, ``phones``, ``body``, ``face`` and
        the tier ``speaking``; shared ``speech`` is both together.

    Raises
    ------
    DataError
        If there are fewer than two turns.
    MissingExtra
        Without the extra ``voice``.
    """
    if turns < 2:
        raise DataError(f"a conversation of {turns} turns; expected at least 2")
    draw = rng(seed, "conversation", number)
    two = [speaker(seed, 2 * number), speaker(seed, 2 * number + 1)]
    heard: list[Performance] = [Performance(), Performance()]
    spoken: list[list[Interval]] = [[], []]
    end = 0.0
    for k in range(turns):
        who = k % 2
        text = script(seed, "conversation", number, k, words=int(draw.integers(5, 16))).text
        said = speak_as(two[who].voice, text)
        words = said.tier("words")
        said = said.slice(max(0.0, words.start - _MARGIN), words.end + _MARGIN)
        at = max(0.0, end + float(draw.uniform(-0.3, 0.8))) if k else 0.5
        heard[who] = heard[who].join(said, at=at)
        end = at + said.duration
        spoken[who].append(Interval(at + _MARGIN, end - _MARGIN, "speaking"))
    end += _LEAD_OUT
    people = {
        s.name: _performed(s, heard[i], end, int(draw.integers(2**31))).with_tracks(
            speaking=Tier("speaking", tuple(spoken[i]))
        )
        for i, s in enumerate(two)
    }
    sounds = [p.speech.samples for p in people.values()]
    both = np.sum([np.pad(s, (0, max(map(len, sounds)) - len(s))) for s in sounds], axis=0)
    rate = next(iter(people.values())).speech.fps
    return Scene(people, shared={"speech": Audio(np.clip(both, -1, 1), rate)})


def _performed(who: Speaker, heard: Performance, end: float, seed: int) -> Performance:
    sound = heard.speech
    before = np.zeros(round(sound.start * sound.rate), np.float32)
    sound = Audio(np.concatenate([before, sound.samples]), sound.fps).extended(end)
    heard = heard.with_tracks(speech=sound)
    controls = Controls(handedness=who.habits.handedness, seed=seed)
    made = Performer(body_of(who.seed, who.number), controls).run(heard, seconds=end)
    return made.with_tracks(**{n: t for n, t in heard.tracks.items() if n not in made})
