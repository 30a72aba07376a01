"""BML as JSON says what BML says: the same plans, both ways."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats import bml, bml_json
from kinesics.performance import Behaviour, Feedback, Performance, Plan, Sync
from tests.formats.test_bml import CORE, _plans
from tests.formats.tier_cases import damaged, refused_or_read


def test_what_it_looks_like() -> None:
    speech = Behaviour("s", "speech", {"start": Sync(0), "w0": Sync(0.1)}, {"type": "loud"}, "Hello")
    nod = Behaviour("h", "head", {"stroke": Sync(0.08, "s", "w0")}, {"lexeme": "NOD", "pose/part": "NECK"})
    plan = Plan((speech, nod), (Feedback("h", "realised", "", {"stroke": 0.18}),), "REPLACE")
    assert json.loads(bml_json.write_bml_json(plan)) == {
        "bml": {"id": "plan", "composition": "REPLACE"},
        "behaviours": [
            {"type": "speech", "id": "s", "start": 0.0, "text": "Hello", "sync": {"w0": 0.1}, "attributes": {"type": "loud"}},
            {"type": "head", "id": "h", "stroke": "s:w0 + 0.08", "lexeme": "NOD", "pose/part": "NECK"},
        ],
        "feedback": [{"id": "h", "status": "realised", "reason": "", "times": {"stroke": 0.18}}],
    }  # fmt: skip
    assert bml_json.read_bml_json(bml_json.write_bml_json(plan)) == plan


def test_xml_and_json_hold_the_same() -> None:
    plan = bml.read_bml(CORE)
    back = bml_json.read_bml_json(bml_json.write_bml_json(plan))
    assert back == plan
    assert bml.write_bml(back) == bml.write_bml(plan)


@settings(max_examples=100, deadline=None)
@given(_plans)
def test_any_plan_comes_back_from_either(plan: Plan) -> None:
    text = bml_json.write_bml_json(plan)
    assert bml_json.read_bml_json(text) == plan
    assert bml.read_bml(bml.write_bml(bml_json.read_bml_json(text))) == plan


def test_lenient_where_nothing_is_lost() -> None:
    nested = {
        "composition": "REPLACE",
        "behaviors": [
            {"type": "posture", "id": "p", "stance": {"type": "SITTING"}, "pose": [{"part": "ARMS"}, {"part": "LEGS", "": "x"}], "note": {}},
            {"kind": "head", "lexeme": "NOD", "amount": 0.4, "repetition": 2, "loop": True, "start": 1},
            {"type": "head", "id": "head2", "lexeme": "NOD"},
            {"type": "head", "lexeme": "SHAKE", "start": "head1:start + 0.5"},
        ],
    }  # fmt: skip
    plan = bml_json.read_bml_json(json.dumps(nested))
    assert plan.composition == "REPLACE"
    assert plan["p"].attributes == {
        "stance/type": "SITTING", "pose/part": "ARMS", "pose#2/part": "LEGS", "pose#2/": "x", "note/": "",
    }  # fmt: skip
    assert plan["head1"].attributes == {"lexeme": "NOD", "amount": "0.4", "repetition": "2", "loop": "true"}
    assert plan["head3"].sync["start"] == Sync(0.5, "head1", "start")
    web = {"type": "behaviours", "composition": "MERGE", "data": [{"type": "faceLexeme", "start": 0.1, "attackPeak": 0.6, "relax": 1.5, "end": 1.8, "amount": 0.1, "lexeme": "ARCH"}]}  # fmt: skip
    assert bml_json.read_bml_json(json.dumps(web)).times()["faceLexeme1"]["attackPeak"] == 0.6
    assert bml_json.read_bml_json(json.dumps(web["data"]))["faceLexeme1"].attributes["lexeme"] == "ARCH"


def test_groups_and_constraints_as_in_xml() -> None:
    plan = bml_json.read_bml_json(
        json.dumps(
            {
                "behaviours": [
                    {
                        "type": "face",
                        "id": "f",
                        "start": 1,
                        "lexeme": [{"lexeme": "SMILE"}],
                        "facs": {"au": 1},
                    },
                    {"type": "gesture", "id": "g", "lexeme": "BEAT"},
                    {
                        "type": "constraint",
                        "id": "c",
                        "synchronize": {"ref": "f:start", "sync": {"ref": "g:stroke"}},
                    },
                ]
            }
        )
    )
    assert [(b.id, b.kind) for b in plan] == [("f", "faceLexeme"), ("f.2", "faceFacs"), ("g", "gesture")]
    assert plan["g"].sync["stroke"] == Sync(0, "f", "start")


def test_files(tmp_path) -> None:
    plan = Plan((Behaviour("h", "head", {"start": Sync(1.0)}, {"lexeme": "NÖD"}),))
    show = Performance({"plan": plan}, {"bml": {"id": "x", "characterId": "Ann"}})
    show.save(tmp_path / "a.bml.json", tmp_path / "a.bml")
    for name in ("a.bml.json", "a.bml"):
        back = formats.load(tmp_path / name)
        assert back.plan == plan
        assert back.meta["bml"]["characterId"] == "Ann"
    # A bare .json is known by what is in it.
    (tmp_path / "b.json").write_bytes((tmp_path / "a.bml.json").read_bytes())
    assert formats.load(tmp_path / "b.json").plan == plan
    for text in ("", "[]", "{", '{"a": 1}', '[{"word": "x", "phones": []}]', '{"segments": []}', "\xff\xfe"):
        (tmp_path / "c.json").write_text(text)
        assert not bml_json.recognises(tmp_path / "c.json")
    with pytest.raises(DataError, match="no plan"):
        Performance().save(tmp_path / "d.bml.json")
    with pytest.raises(DataError, match="half a character"):
        Performance({"plan": Plan((Behaviour("\ud800", "head"),))}).save(tmp_path / "d.bml.json")
    with pytest.raises(DataError, match="sync point"):
        bml_json.write_bml_json(Plan((Behaviour("a", "head", {}, {"stroke": "1"}),)))
    assert not (tmp_path / "d.bml.json").exists()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        ("3", "top level"),
        ('{"behaviours": {}}', "top level"),
        ('{"behaviours": [3]}', "behaviours[0]"),
        ('{"behaviours": [{}]}', "behaviours[0].type"),
        ('{"behaviours": [{"type": "head", "id": 3}]}', "behaviours[0].id"),
        ('{"behaviours": [{"type": "head", "id": "a"}, {"type": "head", "id": "a"}]}', "behaviours[1].id"),
        ('{"behaviours": [{"type": "head", "start": "soon"}]}', "behaviours[0].start"),
        ('{"behaviours": [{"type": "head", "start": []}]}', "behaviours[0].start"),
        ('{"behaviours": [{"type": "head", "start": NaN}]}', "JSON"),
        ('{"behaviours": [{"type": "head", "start": 1e999}]}', "behaviours[0].start"),
        ('{"behaviours": [{"type": "head", "sync": 3}]}', "behaviours[0].sync"),
        ('{"behaviours": [{"type": "head", "attributes": []}]}', "behaviours[0].attributes"),
        ('{"behaviours": [{"type": "head", "text": {}}]}', "behaviours[0].text"),
        ('{"behaviours": [{"type": "head", "a": null}]}', "behaviours[0].a"),
        ('{"behaviours": [{"type": "head", "a": [1]}]}', "behaviours[0].a[0]"),
        ('{"behaviours": [], "bml": {"composition": "MIX"}}', "bml.composition"),
        ('{"behaviours": [], "feedback": 3}', "feedback"),
        ('{"behaviours": [], "feedback": [{"status": "gone"}]}', "feedback[0]"),
        ('{"behaviours": [], "feedback": [{"status": "dropped", "times": {"a": "nan"}}]}', "feedback[0]"),
    ],
)
def test_bad_files_are_refused_by_place(text: str, where: str) -> None:
    with pytest.raises(FormatError) as error:
        bml_json.read_bml_json(text, name="x.bml.json")
    assert error.value.where == where


def test_nesting_and_names_are_bounded() -> None:
    deep = '{"a":' * 40 + "1" + "}" * 40
    with pytest.raises(FormatError, match="levels"):
        bml_json.read_bml_json(f'{{"behaviours": [{{"type": "head", "b": {deep}}}]}}')
    with pytest.raises(FormatError, match="short names"):
        bml_json.read_bml_json(json.dumps({"behaviours": [{"type": "head", "x" * 600: {"a": 1}}]}))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "id", "start", "sync", "lexeme", "text", "synchronize", "ref", "a/b", "attributes"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(_json, max_size=3), st.sampled_from(["face", "constraint", "head", "speech"]))
def test_any_json_is_refused_or_a_plan(values, kind) -> None:
    rows = [{"type": kind, **v} if isinstance(v, dict) else v for v in values]
    with contextlib.suppress(FormatError):
        assert isinstance(bml_json.read_bml_json(json.dumps({"behaviours": rows})), Plan)


def test_damage_is_refused_or_survived(tmp_path) -> None:
    data = bml_json.write_bml_json(bml.read_bml(CORE)).encode()
    for wrong in damaged(data):
        refused_or_read(bml_json.FORMAT.read, tmp_path / "a.bml.json", wrong)
    for wrong in damaged(CORE.encode()):
        refused_or_read(bml.FORMAT.read, tmp_path / "a.bml", wrong)
