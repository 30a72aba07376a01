"""The claims of CaMN and LivelySpeaker: what they learn from is labelled, their judge tells, their rules can fail."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from kinesics.errors import DataError
from kinesics.lab.claims import _people, find
from kinesics.performance import Interval, Tier
from tests.systems.talking import talker


def results(claim, **numbers):
    """The same numbers for all arms and seeds, but for those of ``arm=(measure, value)``."""
    usual = dict.fromkeys(claim.measures, 1.0)
    out = {arm.name: {m: np.full(3, v) for m, v in usual.items()} for arm in claim.arms}
    for arm, changes in numbers.items():
        for measure, value in changes.items():
            out[arm][measure] = np.full(3, value)
    return out


def test_camns_rule_can_hold_and_fail():
    claim = find("camn")
    assert [a.name for a in claim.arms] == [
        "audio", "+ text", "+ face", "+ emotion", "+ speaker", "unweighted", "still", "truth",
    ]  # fmt: skip
    order = ("audio", "+ text", "+ face", "+ emotion", "+ speaker")
    good = {n: {"FGD*": 2.0 - 0.1 * i, "SRGR*": 0.2 + 0.01 * i} for i, n in enumerate(order)}
    good["unweighted"] = {"FGD*": 1.6, "SRGR*": 0.22}
    assert all(claim.holds(results(claim, **good)).values())
    worse = {**good, "+ face": {"FGD*": 2.5, "SRGR*": 0.22}}
    failed = [k for k, v in claim.holds(results(claim, **worse)).items() if not v]
    assert failed == ["(a) + face is no worse"]
    failed = [k for k, v in claim.holds(results(claim)).items() if not v]
    assert failed == ["(a) the whole is best", "(b) semantic weighting raises SRGR"]


def test_livelyspeakers_rule_can_hold_and_fail():
    claim = find("livelyspeaker")
    sweep = ("RAG", "0.4", "0.6", "0.8", "0.9", "SAG")
    assert [a.name for a in claim.arms] == [*sweep, "attention", "still", "truth"]
    good = {n: {"BC-BEAT2*": 0.8 - 0.1 * i, "meaning told": 0.1 * i} for i, n in enumerate(sweep)}
    assert all(claim.holds(results(claim, **good)).values())
    bent = {**good, "0.9": {"BC-BEAT2*": 0.9, "meaning told": 0.05}}
    failed = [k for k, v in claim.holds(results(claim, **bent)).items() if not v]
    assert failed == ["(b) more SAG, more meaning", "(b) more RAG, more rhythm"]
    poor = {**good, "RAG": {"BC-BEAT2*": 0.8, "meaning told": 0.0, "FGD*": 2.0}}
    assert [k for k, v in claim.holds(results(claim, **poor)).items() if not v] == [
        "(c) MLPs are no worse than attention"
    ]


def test_people_are_labelled_and_kept(tmp_path):
    pytest.importorskip("kinesics.hear.espeak")
    shows = _people.people(2, tmp_path, seed=1)
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(files) == 2
    for number, show in enumerate(shows):
        assert show.meta["speaker"] == number
        assert show.body.fps == show.face.fps == 30
        assert show.tier("emotion").labels == ("neutral",)
        assert len(show.tier("semantic")) > 0
        assert all(0 < i.value <= 1 and len(i.label.split()) == 2 for i in show.tier("semantic"))
    again = _people.people(2, tmp_path, seed=1)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files
    assert again[0].body.difference(shows[0].body) < 1e-6


def signed(seed: int, name: str):
    """A talker who raises one arm when the gesture comes; which one says what it is."""
    from dataclasses import replace

    from kinesics.geometry import rotations as rot

    show = talker(4.0, seed=seed)
    turned = show.body.rotations.copy()
    joint = show.body.skeleton.index("leftUpperArm" if name == "LEFT" else "rightUpperArm")
    turned[45:75, joint] = rot.from_axis_angle([0, 0, 1.0], 1.2)
    tier = Tier("semantic", (Interval(1.8, 2.2, f"iconic {name}", 0.75), Interval(3, 3.2, "beat BEAT", 0.1)))
    return show.with_tracks(body=replace(show.body, rotations=turned), semantic=tier)


def test_the_probe_tells_gestures_apart():
    train = [signed(s, ("LEFT", "RIGHT")[s % 2]) for s in range(12)]
    test = [signed(100 + s, ("LEFT", "RIGHT")[s % 2]) for s in range(8)]
    assert [(i, n) for i, n, _ in _people.strokes(test)] == [(i, ("LEFT", "RIGHT")[i % 2]) for i in range(8)]
    probe = _people.Probe(train)
    assert probe.names == ["LEFT", "RIGHT"], "beats mean nothing"
    assert probe.accuracy(test, test) == 1
    swapped = [test[i ^ 1] for i in range(8)]
    assert probe.accuracy(test, swapped) == 0
    assert probe.accuracy(test, [_people.still(show) for show in test]) == 0.5
    with pytest.raises(DataError, match="no gesture is made 4 times in 2 performances"):
        _people.Probe(train[:2])


def test_srgr_of_the_same_and_of_another():
    pytest.importorskip("kinesics.metrics.gesture")
    shows = [talker(4.0, seed=s) for s in range(2)]
    itself = _people.srgr(shows, shows)
    assert itself == pytest.approx(
        0.2 * 0.75 / 0.165, rel=0.05
    )  # the share of frames with meaning, times their score
    assert _people.srgr(shows, [_people.still(s) for s in shows]) < 0.8 * itself
