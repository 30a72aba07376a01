"""EMOTE's claim: who is told what, what it is compared with, and when it holds."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from kinesics.lab import claims
from kinesics.lab.claims import emote
from kinesics.lab.claims._faces import _who, retold, talking_face, talking_faces
from kinesics.performance import Interval, Performance, Tier


@pytest.mark.parametrize(("count", "speakers"), [(64, 4), (16, 2)])
def test_everybody_is_told_an_emotion_that_is_not_theirs(count, speakers):
    shows = []
    for i in range(10_000, 10_000 + count):
        who = _who(i, speakers)
        shows.append(
            Performance({"emotion": Tier("emotion", (Interval(0, 1, who["emotion"], who["intensity"]),))})
        )
    own = [show.tier("emotion").labels[0] for show in shows]
    told = emote._swapped(shows)
    assert all(a != b for a, (b, _) in zip(own, told, strict=True))
    assert sorted(own) == sorted(label for label, _ in told)


def test_it_is_compared_with_an_ablation_the_truth_and_controls():
    claim = claims.find("emote")
    assert {"exchange", "vertices", "no exchange", "rules", "late", "still"} <= {a.name for a in claim.arms}
    good = {"emotion told*": 0.8, "LVE*": 1.0, "VER*": 0.3, "jerk": 5.0}

    def results(**changed):
        return {
            a.name: {m: np.full(3, changed.get(a.name, {}).get(m, v)) for m, v in good.items()}
            for a in claim.arms
        }

    less = {"vertices": {"emotion told*": 0.4, "LVE*": 0.95}, "raw": {"jerk": 9.0}}
    assert all(claim.holds(results(**less)).values())
    less["vertices"]["LVE*"] = 0.8
    assert list(claim.holds(results(**less)).values()) == [True, False, True]


def test_toy_faces_are_themselves_and_may_be_told_otherwise():
    show = talking_face(4, 2, speaker=1, emotion="sad", intensity=0.9)
    again = talking_face(4, 2, speaker=1, emotion="sad", intensity=0.9)
    assert show.face.difference(again.face) == show.speech.difference(again.speech) == 0
    assert retold(show, "sad", 0.9).face.difference(show.face) == 0
    happy = retold(show, "happy", 1.0)
    assert happy.face.difference(show.face) > 0.2
    assert happy.tier("emotion").labels == ("happy",)
    assert happy.speech is show.speech


def test_the_voice_gives_the_emotion_away():
    loud = [
        np.abs(talking_face(4, 2, emotion=e, intensity=1.0).speech.samples).max()
        for e in ("sad", "neutral", "anger")
    ]
    assert loud == sorted(loud)


def test_toy_speakers_show_all_emotions():
    shows = talking_faces(16, speakers=2, seconds=1.5)
    assert len({(s.meta["speaker"], s.tier("emotion").labels[0]) for s in shows}) == 16
