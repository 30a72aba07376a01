"""BML 1.0: plans survive being written and read, and bad files are refused by line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kinesics.formats.bml as bml
from kinesics.errors import DataError, FormatError
from kinesics.performance import KINDS, SYNC_POINTS, Behaviour, Feedback, Performance, Plan, Sync

HEAD = '<bml xmlns="http://www.bml-initiative.org/bml/bml-1.0" id="b">'


def test_reads_what_the_standard_shows() -> None:
    plan = bml.read_bml(f"""<?xml version="1.0" encoding="UTF-8"?>
    {HEAD}
      <!-- a comment -->
      <speech id="s1" start="2"><text>This is <sync id="tm1"/>the world.</text></speech>
      <gesture id="g1" lexeme="BEAT_DOWN" stroke="s1:tm1"/>
      <head id="h1" lexeme="NOD" stroke="g1:stroke + 0.1" amount="0.4"/>
      <faceLexeme id="f1" lexeme="RAISE_BROWS" attackPeak="1.5" end="s1:end - 0.25"/>
    </bml>""")
    assert [b.kind for b in plan] == ["speech", "gesture", "head", "faceLexeme"]
    assert plan["s1"].text == "This is the world."
    assert plan["s1"].attributes["untimed"] == "tm1:2"
    assert plan["g1"].sync["stroke"] == Sync(0.0, "s1", "tm1")
    assert plan["f1"].sync["end"] == Sync(-0.25, "s1", "end")
    assert plan["h1"].attributes == {"lexeme": "NOD", "amount": "0.4"}
    assert not plan.feedback
    assert bml.read_bml(bml.write_bml(plan)) == plan


def test_timed_words_round_trip() -> None:
    speech = Behaviour(
        "speech",
        "speech",
        {"start": Sync(0), "w0": Sync(0.1), "w1": Sync(0.52), "end": Sync(1.0)},
        {},
        "Hello, <world> & all",
    )
    plan = Plan(
        (speech, Behaviour("g", "gesture", {"stroke": Sync(0.12, "speech", "w1")}, {"lexeme": "WAVE"})),
        (),
        "REPLACE",
    )
    text = bml.write_bml(plan)
    assert '<sync id="w1" time="0.52"/>&lt;world&gt;' in text
    assert bml.read_bml(text) == plan


def test_feedback_and_unknown_behaviours_are_kept() -> None:
    plan = bml.read_bml(f'{HEAD}<dance id="d" style="tango" start="1"/></bml>')
    assert plan["d"].attributes["style"] == "tango"
    assert [(f.id, f.status) for f in plan.feedback] == [("d", "unknown")]
    told = Plan(
        plan.behaviours, (*plan.feedback, Feedback("d", "dropped", 'no "floor" < here', {"start": 1.25}))
    )
    assert bml.read_bml(bml.write_bml(told)) == told


def test_required_blocks_are_opened_and_reported() -> None:
    plan = bml.read_bml(f'{HEAD}<required id="r"><head id="h" lexeme="NOD"/></required></bml>')
    assert [b.id for b in plan] == ["h"]
    assert "required" in plan.feedback[0].reason


def test_composition() -> None:
    assert bml.read_bml('<bml composition="REPLACE"/>').composition == "REPLACE"
    assert bml.read_bml('<bml composition="APPEND"/>').composition == "MERGE"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "well-formed"),
        ("hello", 1, "well-formed"),
        ("<bml>\n<head id='a'>", 2, "well-formed"),
        ("<svg/>", 1, "<bml>"),
        ("<bml>\n<head/></bml>", 2, "an id"),
        ("<bml>\n<head id='a'/>\n<gaze id='a'/></bml>", 3, "line 2"),
        ("<bml>\n\n<head id='a' start='soon'/></bml>", 3, "start='soon'"),
        ("<bml><head id='a' start='inf'/></bml>", 1, "inf"),
        ("<bml composition='MIX'/>", 1, "composition"),
        ("<bml>\n<speech id='s'><text><sync/>a</text></speech></bml>", 2, "sync"),
        (
            "<bml>\n<speech id='s'><text><sync id='x' time='1'/><sync id='x' time='2'/></text></speech></bml>",
            2,
            "once",
        ),
        ("<!DOCTYPE bml [<!ENTITY a 'b'>]>\n<bml>&a;</bml>", 1, "document type"),
        ("<!DOCTYPE bml SYSTEM 'file:///etc/passwd'>\n<bml/>", 1, "document type"),
        ("<bml>&undefined;</bml>", 1, "well-formed"),
        ("<bml>" + "<x id='a'>" * 40 + "</bml>", 1, "levels"),
        (b"\xff\xfe<\x00b", 1, "well-formed"),
        (b"<?xml version='1.0' encoding='klingon'?><bml/>", 1, "well-formed"),
    ],
)
def test_bad_files_are_refused_by_line(text: str | bytes, line: int, says: str) -> None:
    with pytest.raises(FormatError) as error:
        bml.read_bml(text, name="x.bml")
    assert error.value.where == f"line {line}"
    assert str(error.value).startswith("x.bml:")
    assert says in str(error.value)


def test_billion_laughs_is_refused_at_once() -> None:
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha"}">' for i in range(12))
    with pytest.raises(FormatError, match="document type"):
        bml.read_bml(f"<!DOCTYPE bml [{entities}]><bml><head id='&a11;'/></bml>")


def test_sizes_are_capped(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(bml, "MOST_BEHAVIOURS", 3)
    with pytest.raises(FormatError, match="3 behaviours"):
        bml.read_bml("<bml>" + "".join(f"<head id='h{i}'/>" for i in range(5)) + "</bml>")
    monkeypatch.setattr(bml, "MOST_BYTES", 1000)
    path = tmp_path / "big.bml"
    path.write_text("<bml>" + " " * 2000 + "</bml>")
    for source in (path, path.read_text()):
        with pytest.raises(FormatError, match="at most"):
            bml.read_bml(source)


def test_files(tmp_path) -> None:
    path = tmp_path / "a.bml"
    plan = Plan((Behaviour("h", "head", {"start": Sync(1.0)}, {"lexeme": "NOD"}),))
    bml.FORMAT.write(Performance({"plan": plan}), path)
    assert bml.FORMAT.read(path).plan == plan
    with pytest.raises(DataError, match="no plan"):
        bml.FORMAT.write(Performance(), tmp_path / "b.bml")
    assert not (tmp_path / "b.bml").exists()
    with pytest.raises(FormatError, match="found nothing"):
        bml.FORMAT.read(tmp_path / "none.bml")


def test_what_xml_cannot_hold_is_refused() -> None:
    for bad in (
        Behaviour("a\x00", "head"),
        Behaviour("a", "he ad"),
        Behaviour("a", "head", {}, {"1x": "y"}),
        Behaviour("a", "head", {}, {"x": "\x01"}),
        Behaviour("a", "head", {}, {"stroke": "1"}),
    ):
        with pytest.raises(DataError):
            bml.write_bml(Plan((bad,)))


_name = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,10}", fullmatch=True)
_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), max_size=12).filter(
    lambda t: "\ufffe" not in t and "\uffff" not in t
)
_seconds = st.floats(-1e4, 1e4, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-9 else x)
_sync = st.one_of(
    st.builds(Sync, _seconds),
    st.builds(Sync, st.integers(-30000, 30000).map(lambda n: n / 1e4), _name, _name),
)
_points = st.sampled_from([*SYNC_POINTS, "attackPeak"])
_plain = _name.filter(
    lambda k: (
        k not in {*SYNC_POINTS, "attackPeak", "id", "untimed", "xmlns"} and not k.startswith(("sync-", "xml"))
    )
)
_behaviour = st.builds(
    Behaviour,
    _name,
    st.sampled_from([k for k in KINDS if k != "speech"]),
    st.dictionaries(_points, _sync, max_size=4),
    st.dictionaries(_plain, _text, max_size=3),
)
_plans = st.builds(
    lambda rows, whole: Plan(tuple({b.id: b for b in rows}.values()), (), whole),
    st.lists(_behaviour, max_size=6),
    st.sampled_from(["MERGE", "REPLACE"]),
)


@settings(max_examples=120, deadline=None)
@given(_plans)
def test_any_plan_round_trips(plan: Plan) -> None:
    assert bml.read_bml(bml.write_bml(plan)) == plan


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(lambda t: f"<bml>{t}</bml>".encode("utf-8", "replace")),
    )
)
def test_noise_is_a_format_error_or_a_plan(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        assert isinstance(bml.read_bml(data), Plan)
