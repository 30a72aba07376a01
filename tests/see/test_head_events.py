"""Nods, shakes and tilts: of curves that are known, and of bodies that were told to make them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from kinesics import perform
from kinesics.errors import DataError
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Behaviour, Motion, Plan, Signal, Sync
from kinesics.see.head_events import ANGLES, HeadEvents, head_angles, head_events, swings
from kinesics.seeds import rng
from kinesics.stage import listener
from kinesics.stage.listeners import head_truth


def head(seconds: float = 8.0, fps: float = 30, noise: float = 0.0, sure=None, **curves) -> Signal:
    t = np.arange(round(seconds * fps)) / fps
    values = np.stack([curves.get(n, np.zeros_like)(t) for n in ANGLES], axis=1)
    values = values + rng(0, "head").normal(0, noise, values.shape)
    return Signal(
        values,
        ANGLES,
        ("degrees",) * 3,
        fps,
        confidence=None if sure is None else np.full(values.shape, sure),
    )


def cycles(at: float, count: int, rate: float, degrees: float):
    """To and fro, starting and ending at rest."""

    def curve(t):
        inside = (t >= at) & (t < at + count / rate)
        return np.where(inside, degrees * 0.5 * (np.cos(2 * np.pi * rate * (t - at)) - 1), 0.0)

    return curve


def shaking(at: float, count: int, rate: float, degrees: float):
    def curve(t):
        inside = (t >= at) & (t < at + count / rate)
        return np.where(inside, degrees * np.sin(2 * np.pi * rate * (t - at)), 0.0)

    return curve


@pytest.mark.parametrize("fps", [24, 30, 60])
@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_nods_are_found_and_counted(fps, noise):
    events, counts = head_events(head(fps=fps, noise=noise, pitch=cycles(3, 3, 2.2, 9)))
    assert events.labels == ("nod",)
    assert (events[0].start, events[0].end) == pytest.approx((3, 3 + 3 / 2.2), abs=0.25)
    assert counts[0].value == 3
    assert events[0].value == pytest.approx(9, abs=1.5)


def test_a_shake_is_no_nod():
    events, counts = head_events(head(yaw=shaking(3, 3, 2.0, 9)))
    assert events.labels == ("shake",)
    assert counts[0].value == pytest.approx(3, abs=1)


def test_a_head_that_turns_and_stays_or_only_trembles_does_nothing():
    turn = head(yaw=lambda t: 30 / (1 + np.exp(-8 * (t - 4))))
    still = head(20, noise=0.4)
    assert len(head_events(turn)[0]) == len(head_events(still)[0]) == 0


def test_events_do_not_depend_on_how_the_stream_is_cut():
    whole = head_angles(listener(3, 1, seconds=20).body)
    finder, cut = HeadEvents(60), []
    steps = rng(5, "cuts").integers(1, 90, 40)
    edges = [0, *np.minimum(np.cumsum(steps), len(whole)), len(whole)]
    for a, b in pairwise(edges):
        part = Signal(whole.values[a:b], whole.names, whole.units, whole.fps, start=whole.start + a / 60)
        cut += finder.push(part)[0]
    cut += finder.finish()[0]
    expected = head_events(whole)[0]
    assert len(expected) >= 2
    assert sorted(cut, key=lambda i: (i.start, i.end)) == list(expected)


def test_listeners_are_read():
    hits = true = found = 0
    for n in range(6):
        show = listener(77, n, seconds=25)
        truth, own = show.tier("head_events"), head_events(head_angles(show.body))[0]
        true, found = true + len(truth), found + len(own)
        hits += sum(
            any(i.label == o.label.split()[0] and abs(i.start - o.start) < 0.3 for i in truth) for o in own
        )
    assert 2 * hits / (true + found) > 0.85


def test_a_turned_down_confidence_makes_events_unknown():
    events, _ = head_events(head(sure=0.4, pitch=cycles(3, 3, 2.2, 9)))
    assert set(events.labels) == {"unknown"}


def test_angles_of_a_body_have_the_signs_they_say():
    def largest(lexeme, column, direction=""):
        attributes = {"lexeme": lexeme, "amount": "0.9", "direction": direction}
        behaviour = Behaviour("h", "head", {"start": Sync(1.0), "end": Sync(2.5)}, attributes)
        body = perform(plan=Plan((behaviour,), (), "REPLACE"), progress=False).body
        angle = head_angles(body).column(column)
        return angle[np.argmax(np.abs(angle - angle[30]))] - angle[30]

    assert largest("NOD", "pitch") < -5
    assert largest("RAISE", "pitch") > 5
    assert largest("TURN", "yaw", "LEFT") > 10
    assert largest("TURN", "yaw", "RIGHT") < -10


def test_the_shoulder_of_a_tilt_is_where_the_crown_goes():
    from kinesics.bodies.humanoid import INDEX
    from kinesics.geometry import rotations as rot

    show = listener(77, 0, seconds=30)
    _, turn = show.body.skeleton.forward(show.body.rotations, show.body.root)
    crown = rot.rotate(turn[:, INDEX["head"]], np.array([0.0, 1, 0]))[:, 0]  # own left is +x
    tilts = [i for i in head_events(head_angles(show.body))[0] if i.label.startswith("tilt")]
    assert tilts
    for i in tilts:
        a, b = round(i.start * 60), round(i.middle * 60)
        assert (crown[b] > crown[a]) == (i.label == "tilt L")


def test_what_was_dropped_is_no_truth():
    shown = listener(1, 2, seconds=20)
    told = {f.id for f in shown.plan.feedback if f.status == "dropped"}
    kinds = [
        b
        for b in shown.plan.of("head")
        if b.attributes["lexeme"] in ("NOD", "SHAKE", "TILT") and b.id not in told
    ]
    assert len(head_truth(shown.plan)) == len(kinds) > 3


def test_swings_of_a_known_curve():
    t = np.arange(60) / 30
    assert swings(5 * np.sin(2 * np.pi * 2 * t)) in (8, 9)
    assert swings(np.zeros(10)) == swings(np.zeros(0)) == 0


def test_another_skeleton_is_refused():
    bones = Skeleton(("a", "b"), (-1, 0), np.zeros((2, 3)))
    with pytest.raises(DataError, match="55 canonical"):
        head_angles(Motion(bones, np.tile([1.0, 0, 0, 0], (3, 2, 1)), np.zeros((3, 3)), 30))


def test_a_nod_stands_out_from_a_head_that_goes_with_speech():
    """Speakers' heads dip 40 times a minute by more than a degree and a half; what was planned is a third of that."""
    hits = true = found = 0
    for seed in range(3):
        show = perform(
            "Yes, exactly. We really wanted the big blue one, and of course it was the last of them.",
            seed=seed,
        )
        told = [i for i in head_events(head_angles(show.body))[0] if i.label == "nod"]
        planned = [i for i in head_truth(show.plan) if i.label == "nod"]
        true, found = true + len(planned), found + len(told)
        hits += sum(any(i.start < o.middle < i.end for i in planned) for o in told)
    assert true >= 4
    assert 2 * hits / (true + found) > 0.6
