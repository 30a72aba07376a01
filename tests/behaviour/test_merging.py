"""The user's plan has authority; what cannot be done is mended and reported."""

from __future__ import annotations

import itertools

import pytest

from behaviour.speech_fixtures import talk
from kinesics.behaviour.controls import Controls
from kinesics.behaviour.merging import merge, parts
from kinesics.behaviour.planner import plan_of
from kinesics.errors import PlanError
from kinesics.formats.bml import read_bml
from kinesics.performance import Behaviour, Plan


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan_of(talk(), Controls(seed=2, intensity=0.8))


def user(body: str, composition: str = "MERGE") -> Plan:
    return read_bml(f'<bml id="u" composition="{composition}">{body}</bml>')


def test_the_users_behaviours_are_all_there_and_the_rest_is_filled(planned: Plan) -> None:
    mine = user(
        '<gesture id="mine" lexeme="WAVE" mode="RIGHT_HAND" stroke="speech:w5"/><gaze id="look" target="left" start="2" end="4"/>'
    )
    merged = merge(planned, mine)
    times = merged.times()
    assert times["mine"]["stroke"] == planned.times()["speech"]["w5"]
    assert len(merged) > 10
    for b in merged:
        if b.id == "mine" or "right hand" not in parts(b):
            continue
        t = times[b.id]
        assert t["relax"] < times["mine"]["stroke"] - 0.3 or t["strokeStart"] > times["mine"]["stroke"] + 0.5
    gazes = [times[b.id] for b in merged.of("gaze") if b.id != "look"]
    assert all(t["end"] <= 2 or t["start"] >= 4 for t in gazes)


def test_replace_means_only_mine(planned: Plan) -> None:
    merged = merge(planned, user('<head id="h" lexeme="NOD" stroke="speech:w1"/>', "REPLACE"))
    assert [b.id for b in merged] == ["speech", "h"]


def test_an_edited_plan_replaces_by_id(planned: Plan) -> None:
    first = planned.of("gesture")[0]
    merged = merge(
        planned,
        user(f'<gesture id="{first.id}" lexeme="STOP" stroke="{planned.times()[first.id]["stroke"]}"/>'),
    )
    assert merged[first.id].attributes["lexeme"] == "STOP"


def test_unknown_gestures_are_reported_with_choices(planned: Plan) -> None:
    merged = merge(planned, user('<gesture id="g" lexeme="WAVEE" stroke="1"/><dance id="d" start="1"/>'))
    told = {f.id: f for f in merged.feedback}
    assert told["g"].status == "unknown"
    assert "did you mean" in told["g"].reason
    assert "ZIGZAG" in told["g"].reason
    assert told["d"].status == "unknown"
    assert "g" not in {b.id for b in merged}


@pytest.mark.parametrize(
    "sync",
    [
        'strokeStart="3" stroke="2.5" strokeEnd="2"',
        'strokeStart="2" stroke="2.01" strokeEnd="2.02"',
        'stroke="-4"',
        'stroke="0.05"',
        'strokeStart="2" strokeEnd="2.3" relax="1" end="0.5"',
    ],
)
def test_impossible_times_are_shifted_and_told(planned: Plan, sync: str) -> None:
    merged = merge(planned, user(f'<gesture id="g" lexeme="OK" mode="LEFT_HAND" {sync}/>'))
    told = [f for f in merged.feedback if f.id == "g"]
    assert [f.status for f in told] == ["shifted"]
    t = merged.times()["g"]
    order = [t[p] for p in ("strokeStart", "stroke", "strokeEnd", "relax", "end") if p in t]
    assert order == sorted(order)
    assert order[0] >= 0
    if {"strokeStart", "strokeEnd"} <= set(t):
        assert t["strokeEnd"] - t["strokeStart"] >= 0.12 - 1e-3


def test_one_hand_cannot_be_in_two_places(planned: Plan) -> None:
    many = "".join(
        f'<gesture id="g{i}" lexeme="OK" mode="RIGHT_HAND" stroke="{3 + 0.1 * i}"/>' for i in range(8)
    )
    merged = merge(planned, user(many))
    told = {f.id: f.status for f in merged.feedback}
    assert "g0" not in told
    assert "shifted" in told.values()
    assert "dropped" in told.values()
    strokes = sorted(
        merged.times()[b.id]["stroke"] for b in merged.of("gesture") if b.id[0] == "g" and b.id[1:].isdigit()
    )
    assert all(b - a > 0.3 for a, b in itertools.pairwise(strokes))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<head id="a" start="b:end"/><head id="b" end="a:start + 1"/>', "cycle"),
        ('<head id="a" start="speech:w9999"/>', "w9999"),
        ('<head id="a" start="nobody:end"/>', "nobody"),
    ],
)
def test_nonsense_is_refused_by_name(planned: Plan, body: str, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        merge(planned, user(body))


def test_marks_in_the_text_are_timed_by_the_speech(planned: Plan) -> None:
    text = planned["speech"].text.split()
    body = f'<speech id="s"><text>{" ".join(text[:4])} <sync id="here"/>{" ".join(text[4:])}</text></speech><gesture id="g" lexeme="OK" stroke="s:here + 0.2"/>'
    merged = merge(planned, user(body))
    assert merged.times()["g"]["stroke"] == pytest.approx(planned.times()["speech"]["w4"] + 0.2)
    shorter = merge(planned, user('<speech id="s"><text>only <sync id="x"/>two</text></speech>'))
    assert any(f.id == "s" and f.status == "shifted" for f in shorter.feedback)


def test_parts() -> None:
    assert parts(Behaviour("f", "faceLexeme", {}, {"lexeme": "SMILE"})) == {"mouth"}
    assert parts(Behaviour("f", "faceLexeme", {}, {"lexeme": "RAISE_BROWS"})) == {"brows"}
    assert parts(Behaviour("w", "wait")) == frozenset()
