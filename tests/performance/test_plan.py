"""Plans: references, cycles, slices, joins."""

from __future__ import annotations

import copy
import math
import pickle

import pytest

from kinesics.errors import DataError, PlanError
from kinesics.performance import Behaviour, Feedback, Plan, Sync


def behaviour(id: str, **sync: str) -> Behaviour:
    return Behaviour(id, "gesture", sync)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.5", Sync(1.5)),
        ("-2e-1", Sync(-0.2)),
        ("speech:w3", Sync(0, "speech", "w3")),
        (" speech : w3 + 0.25 ", Sync(0.25, "speech", "w3")),
        ("g1:strokeEnd - 1", Sync(-1, "g1", "strokeEnd")),
    ],
)
def test_sync_reads_and_writes(text, wanted):
    assert Sync.parse(text) == wanted
    assert Sync.parse(str(wanted)) == wanted


@pytest.mark.parametrize(
    "text", ["", "soon", "a:", ":b", "a:b+", "a:b + c", "a:b + 1.2.3", "nan", "inf", "a b:c"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(PlanError):
        Sync.parse(text)


def test_times_follow_references():
    plan = Plan((behaviour("a", start="b:end + 0.5"), behaviour("b", start="1", end="b:start + 2")))
    assert plan.times() == {"a": {"start": 3.5}, "b": {"start": 1.0, "end": 3.0}}


def test_anchors_overrule_and_add():
    plan = Plan((behaviour("g", stroke="speech:w1"),))
    assert plan.times(anchors={"speech": {"w1": 0.75}})["g"]["stroke"] == 0.75
    stated = Plan((behaviour("s", start="0"), behaviour("g", start="s:start")))
    assert stated.times(anchors={"s": {"start": 2.0}}) == {"s": {"start": 2.0}, "g": {"start": 2.0}}


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan((behaviour("a", start="a:start"),)), "a:start → a:start"),
        (
            Plan((behaviour("a", start="b:end"), behaviour("b", end="a:start + 1"))),
            "cycle: a:start → b:end → a:start",
        ),
        (Plan((behaviour("a", start="ghost:end"),)), "'a' refers to 'ghost'"),
        (
            Plan((behaviour("a", start="b:end"), behaviour("b", start="0"))),
            "b:end, a time that 'b' does not state",
        ),
    ],
)
def test_impossible_plans_say_why(plan, says):
    with pytest.raises(PlanError, match=says):
        plan.times()


def test_long_chains_are_followed():
    links = [behaviour(f"b{k}", start=f"b{k + 1}:start + 0.001") for k in range(20_000)]
    plan = Plan((*links, behaviour("b20000", start="0")))
    assert plan.times()["b0"]["start"] == pytest.approx(20)


def test_ids_are_unique_and_present():
    with pytest.raises(PlanError, match="two behaviours"):
        Plan((behaviour("a"), behaviour("a")))
    with pytest.raises(PlanError, match="no id"):
        behaviour("")
    with pytest.raises(PlanError, match="MERGE"):
        Plan(composition="APPEND")
    with pytest.raises(DataError, match="status"):
        Feedback("a", "maybe")


def test_numbers_in_attributes():
    b = Behaviour("a", "head", attributes={"amount": 0.5, "repetition": "many"})
    assert b.number("amount", 1) == 0.5
    assert b.number("absent", 2.0) == 2.0
    with pytest.raises(PlanError, match="repetition='many'"):
        b.number("repetition", 1)


def test_slices_are_half_open_and_stand_alone():
    plan = Plan(
        (
            behaviour("early", start="0", end="1"),
            behaviour("late", start="early:end + 0.5", end="2"),
            behaviour("open"),
        ),
        (Feedback("early", "realised"), Feedback("late", "dropped", "no room")),
    )
    part = plan.slice(1, 3)
    assert [b.id for b in part] == ["late", "open"], "a behaviour that ends at 1 does not reach into [1, 3)"
    assert part.times()["late"] == {"start": 1.5, "end": 2.0}, "references to what was cut become seconds"
    assert [f.id for f in part.feedback] == ["late"]
    assert [b.id for b in plan.slice(0, 1)] == ["early", "open"]


def test_shift_moves_times_and_feedback_once():
    plan = Plan(
        (behaviour("a", start="1"), behaviour("b", start="a:start + 1")),
        (Feedback("a", "realised", times={"start": 1.0}),),
    )
    moved = plan.shift(10)
    assert moved.times() == {"a": {"start": 11.0}, "b": {"start": 12.0}}
    assert dict(moved.feedback[0].times) == {"start": 11.0}


def test_joining_plans_keeps_ids_apart():
    one = Plan(
        (behaviour("g", start="0"), behaviour("h", start="g:start + 1")),
        (Feedback("g", "realised"),),
        "REPLACE",
    )
    both = one.join(one.shift(10))
    assert len({b.id for b in both}) == 4
    assert sorted(t["start"] for t in both.times().values()) == [0, 1, 10, 11]
    assert {f.id for f in both.feedback} <= {b.id for b in both}
    assert both.composition == "REPLACE"


def test_plans_travel():
    plan = Plan((behaviour("a", start="1"),), (Feedback("a", "realised", times={"start": 1.0}),))
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert copy.deepcopy(plan) == plan
    assert math.isnan(Plan((behaviour("a"),)).times().get("a", {}).get("start", math.nan))
