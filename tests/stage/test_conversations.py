"""Conversations and listeners: the same for a seed, and true to what they say of themselves."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.stage import conversation, listener


def test_a_conversation_is_the_same_for_a_seed_and_its_turns_are_heard():
    one, again = conversation(5, 1, turns=3), conversation(5, 1, turns=3)
    assert list(one.people) == ["s0002", "s0003"]
    for n, p in one.people.items():
        assert np.array_equal(p.body.rotations, again.people[n].body.rotations)
        assert np.array_equal(p.speech.samples, again.people[n].speech.samples)
        words = p.tier("words")
        # Every word lies in a turn of its speaker, and the sound is loud in turns only.
        assert all(
            any(t.start - 0.05 <= w.start and w.end <= t.end + 0.05 for t in p.tier("speaking"))
            for w in words
        )
        samples, rate = p.speech.samples, p.speech.rate
        spoken = np.zeros(len(samples), bool)
        for t in p.tier("speaking"):
            spoken[int((t.start - 0.12) * rate) : int((t.end + 0.12) * rate)] = True
        assert np.abs(samples[~spoken]).max() < 0.02 < np.abs(samples[spoken]).max()
    turns = sorted((i.start, n) for n, p in one.people.items() for i in p.tier("speaking"))
    assert [n for _, n in turns] == ["s0002", "s0003", "s0002"]


def test_one_turn_is_no_conversation():
    with pytest.raises(DataError, match="at least 2"):
        conversation(1, 0, turns=1)


def test_a_listener_moves_their_head_when_they_say_so():
    from kinesics.see.head_events import head_angles

    show = listener(4, 0, seconds=20)
    assert "speech" not in show
    assert show.difference(listener(4, 0, seconds=20))["head_events"] == 0
    pitch = head_angles(show.body).column("pitch")
    nods = [i for i in show.tier("head_events") if i.label == "nod" and i.value > 6]
    for i in nods:
        assert np.ptp(pitch[round(i.start * 60) : round(i.end * 60)]) > 0.5 * i.value
