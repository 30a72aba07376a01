"""ELAN: valid documents that pympi reads, references resolved, values kept in dependent tiers."""

from __future__ import annotations

import logging
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats import elan
from kinesics.performance import Interval, Performance, Tier
from tests.formats.eaf_rules import faults
from tests.formats.tier_cases import PHASES, SHOW, damaged, refused_or_read, rows, tiers
from tests.reading.scenes import person, scene_of

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="me" DATE="2024-01-01T00:00:00+01:00" FORMAT="3.0" VERSION="3.0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///x/talk.mp4" MIME_TYPE="video/mp4" RELATIVE_MEDIA_URL="./talk.mp4" TIME_ORIGIN="250"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/>
    <TIME_SLOT TIME_SLOT_ID="ts2"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/>
    <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="2500"/>
    <TIME_SLOT TIME_SLOT_ID="ts5" TIME_VALUE="3000"/>
    <TIME_SLOT TIME_SLOT_ID="ts6" TIME_VALUE="3500"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="utt" TIER_ID="A-utterance" PARTICIPANT="Ann">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4"><ANNOTATION_VALUE>one two three</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts5" TIME_SLOT_REF2="ts6"><ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="sub" TIER_ID="Word" PARENT_REF="A-utterance">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="b1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>one</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="b2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3"><ANNOTATION_VALUE>two</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="b3" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4"><ANNOTATION_VALUE>three</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="sym" TIER_ID="morphs" PARENT_REF="Word">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="c2" ANNOTATION_REF="b3" PREVIOUS_ANNOTATION="c1"><ANNOTATION_VALUE>ree</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="c1" ANNOTATION_REF="b3"><ANNOTATION_VALUE>th</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="ass" TIER_ID="gloss" PARENT_REF="morphs">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="d1" ANNOTATION_REF="c1" CVE_REF="cveid1"><ANNOTATION_VALUE></ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="d2" ANNOTATION_REF="c2" CVE_REF="cveid9"><ANNOTATION_VALUE></ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="utt" TIME_ALIGNABLE="true"/>
  <LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="sub" TIME_ALIGNABLE="true"/>
  <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="sym" TIME_ALIGNABLE="false"/>
  <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Association" CONTROLLED_VOCABULARY_REF="v" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="ass" TIME_ALIGNABLE="false"/>
  <LANGUAGE LANG_DEF="x" LANG_ID="und" LANG_LABEL="und"/>
  <CONTROLLED_VOCABULARY CV_ID="v"><DESCRIPTION LANG_REF="und"/><CV_ENTRY_ML CVE_ID="cveid1"><CVE_VALUE LANG_REF="und">NUM</CVE_VALUE></CV_ENTRY_ML></CONTROLLED_VOCABULARY>
  <CONTROLLED_VOCABULARY CV_ID="far" EXT_REF="er1"/>
  <EXTERNAL_REF EXT_REF_ID="er1" TYPE="ecv" VALUE="https://example.org/far.ecv"/>
</ANNOTATION_DOCUMENT>
"""


@pytest.fixture
def written(tmp_path):
    def write(show, **options):
        path = tmp_path / "a.eaf"
        show.save(path, **options)
        return path

    return write


def test_references_and_slots_without_time(tmp_path, caplog):
    path = tmp_path / "a.eaf"
    path.write_text(DOCUMENT)
    with caplog.at_level(logging.WARNING):
        show = formats.load(path)
    assert list(show.tracks) == ["A-utterance", "words", "morphs", "gloss"]
    assert rows(show["words"]) == [(1.0, 1.5, "one"), (1.5, 2.0, "two"), (2.0, 2.5, "three")]
    assert rows(show["morphs"]) == [(2.0, 2.25, "th"), (2.25, 2.5, "ree")]
    # An entry of a vocabulary that is not in the file stays without label, and is told.
    assert rows(show["gloss"]) == [(2.0, 2.25, "NUM"), (2.25, 2.5, "")]
    assert rows(show["A-utterance"])[1] == (3.0, 3.5, "")
    told = show.meta["elan"]
    assert told["participants"] == {"A-utterance": "Ann"}
    assert told["parents"] == {"words": "A-utterance", "morphs": "words", "gloss": "morphs"}
    assert told["names"] == {"words": "Word"}
    assert told["media"] == ["./talk.mp4"]
    assert told["origins"] == {"./talk.mp4": "250"}
    assert told["version"] == "3.0"
    assert "https://example.org/far.ecv" in told["external"][0]
    assert "not fetched" in caplog.text


def test_older_documents(tmp_path):
    path = tmp_path / "a.eaf"
    old = DOCUMENT.replace('FORMAT="3.0" VERSION="3.0"', 'FORMAT="2.7" VERSION="2.7"')
    path.write_text(
        re.sub(
            "<CONTROLLED_VOCABULARY CV_ID=.v.>.*?</CONTROLLED_VOCABULARY>",
            '<CONTROLLED_VOCABULARY CV_ID="v" DESCRIPTION=""><CV_ENTRY DESCRIPTION="">N</CV_ENTRY><CV_ENTRY>M</CV_ENTRY></CONTROLLED_VOCABULARY>',
            old,
            flags=re.DOTALL,
        )
    )
    show = formats.load(path)
    assert show.meta["elan"]["version"] == "2.7"
    assert show["gloss"].labels[0] == "M"


def test_everything_comes_back_within_half_a_millisecond(written, caplog):
    show = Performance({n: t.shift(0.00037) for n, t in SHOW.tracks.items()})
    with caplog.at_level(logging.INFO, "kinesics"):
        path = written(show, media="talk.mp4")
    assert "split into gestures, gestures [2]" in caplog.text
    back = formats.load(path)
    assert list(back.tracks) == list(SHOW.tracks)
    for name, tier in show.tracks.items():
        assert back[name].labels == tier.labels
        assert [(i.value, i.confidence) for i in back[name]] == [(i.value, i.confidence) for i in tier]
    assert max(back.difference(show).values()) <= 5.001e-4
    # Written again it is the same, media and all.
    first = path.read_bytes()
    back.save(path)
    assert path.read_bytes() == first


def test_pympi_reads_it(written):
    pympi = pytest.importorskip("pympi")
    found = pympi.Eaf(str(written(SHOW, media=("a.wav", "/x/b.mp4", "https://x.org/c.mp4"), author="me")))
    names = list(found.get_tier_names())
    assert [n for n in names if "@" not in n] == [
        "words",
        "phones",
        "gestures",
        "gestures [2]",
        "phases",
        "empty",
    ]
    assert found.get_annotation_data_for_tier("words")[1] == (400, 900, 'wörld "<&>"')
    assert found.get_annotation_data_for_tier("words@value") == [(100, 400, "0.5", "Hello,")]
    assert found.get_parameters_for_tier("words@confidence")["PARENT_REF"] == "words"
    times = list(found.timeslots.values())
    assert times == sorted(times)
    assert [m["MIME_TYPE"] for m in found.get_linked_files()] == ["audio/x-wav", "video/mp4", "video/mp4"]
    entries = found.get_cv_entries("gesture phases")
    assert [v[0][0][0] for v in entries.values()][:3] == ["preparation", "pre-stroke hold", "stroke"]


def test_what_pympi_writes_is_read(tmp_path):
    pympi = pytest.importorskip("pympi")
    eaf = pympi.Eaf()
    eaf.add_linguistic_type("sub", "Symbolic_Association", timealignable=False)
    eaf.add_tier("words")
    eaf.add_tier("notes", "sub", "words")
    eaf.add_annotation("words", 100, 350, "héllo")
    eaf.add_annotation("words", 350, 900, "<b>")
    eaf.add_ref_annotation("notes", "words", 360, "loud")
    eaf.to_file(str(tmp_path / "a.eaf"))
    show = formats.load(tmp_path / "a.eaf")
    assert rows(show["words"]) == [(0.1, 0.35, "héllo"), (0.35, 0.9, "<b>")]
    assert rows(show["notes"]) == [(0.35, 0.9, "loud")]


def test_the_schema_s_rules(written, tmp_path):
    assert faults(written(SHOW, media="talk.mp4")) == []
    assert faults(written(SHOW, vocabularies="none", numbers=False)) == []
    scene = scene_of(tmp_path / "Ausgabe – 会話", person(20), person(180, emotion="sad"))
    source = str(tmp_path / "Ausgabe – 会話" / "zwei Leute.mp4")
    told = replace(scene, meta={"source": source})
    assert faults(written(told)) == []
    medium = next(ET.parse(tmp_path / "a.eaf").iter("MEDIA_DESCRIPTOR"))
    assert medium.get("RELATIVE_MEDIA_URL") == "./Ausgabe – 会話/zwei Leute.mp4"
    strange = Tier(
        '<"tier">\t&', tuple(Interval(k, k + 1, "🙂 a\nb" if k % 2 else "𝔘 <&>") for k in range(6))
    )
    assert faults(written(Performance({"<t> & 会": strange}))) == []


def test_media_as_elan_finds_them(written, tmp_path):
    """ELAN takes what follows file: as it is, without decoding, and else looks beside the document."""
    media = ("/ä b/100 % sure.mp4", "../up/c.wav", "./d.mkv", "https://x.org/a%20b.mp4")
    path = written(SHOW, media=media)
    found = [
        (e.get("MEDIA_URL"), e.get("RELATIVE_MEDIA_URL")) for e in ET.parse(path).iter("MEDIA_DESCRIPTOR")
    ]
    assert found == [
        ("file:///ä b/100 % sure.mp4", "./100 % sure.mp4"),
        ("../up/c.wav", "../up/c.wav"),
        ("./d.mkv", "./d.mkv"),
        ("https://x.org/a%20b.mp4", None),
    ]
    assert faults(path) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('<LANGUAGE LANG_DEF="x" LANG_ID="und" LANG_LABEL="und"/>', "", "DESCRIPTION.LANG_REF leads nowhere"),
        ('CVE_ID="cveid1"', 'CVE_ID="ts1"', "id ts1 twice"),
        ('CONSTRAINTS="Symbolic_Association"', "", "needs a parent"),
        ('TIME_SLOT_REF2="ts4"', 'TIME_SLOT_REF2="ts1"', "without length"),
        ("<TIME_ORDER>", "<TIME_ORDER/><TIME_ORDER>", "children of ANNOTATION_DOCUMENT"),
        ('MIME_TYPE="video/mp4"', "", "MEDIA_DESCRIPTOR without MIME_TYPE"),
        ("file:///x/talk.mp4", "file:///x/my%20talk.mp4", "medium"),
    ],
)
def test_the_rules_see_what_is_wrong(tmp_path, old, new, says):
    path = tmp_path / "a.eaf"
    assert old in DOCUMENT
    path.write_text(DOCUMENT.replace(old, new))
    assert any(says in told for told in faults(path)), faults(path)


def test_vocabularies(written):
    many = Tier("many", tuple(Interval(k, k + 1, f"label {k}") for k in range(10)))
    few = Tier("few", tuple(Interval(k, k + 1, "ab"[k % 2]) for k in range(10)))
    felt = Tier("felt", (Interval(0, 1, "happy"),))
    show = Performance({"many": many, "few": few, "felt": felt, "phases": PHASES})
    root = ET.parse(written(show)).getroot()
    assert [e.get("CV_ID") for e in root.iter("CONTROLLED_VOCABULARY")] == [
        "few labels",
        "emotions",
        "gesture phases",
    ]
    assert not list(ET.parse(written(show, vocabularies="none")).getroot().iter("CONTROLLED_VOCABULARY"))
    with pytest.raises(DataError, match="vocabularies 'all'"):
        written(show, vocabularies="all")


def test_options(written, caplog):
    path = written(SHOW, tiers=("words",), numbers=False, author="A <B>", date="2026-05-01T12:00:00Z")
    root = ET.parse(path).getroot()
    assert [e.get("TIER_ID") for e in root.iter("TIER")] == ["words"]
    assert (root.get("AUTHOR"), root.get("DATE")) == ("A <B>", "2026-05-01T12:00:00Z")
    with pytest.raises(DataError, match="ISO 8601"):
        written(SHOW, date="yesterday")
    with pytest.raises(DataError, match="ISO 8601"):
        written(SHOW, date="2026-13-01T12:00:00Z")
    with pytest.raises(DataError, match="cannot be written in XML"):
        written(Performance({"t": Tier("t", (Interval(0, 1, "\x00"),))}))
    with pytest.raises(DataError, match="no tier"):
        written(Performance())
    with caplog.at_level(logging.WARNING):
        early = written(Performance({"t": Tier("t", (Interval(-1, 0.5, "a"), Interval(-3, -2, "b")))}))
    assert "begins before second 0" in caplog.text
    assert rows(formats.load(early)["t"]) == [(0.0, 0.5, "a")]


@settings(max_examples=60, deadline=None)
@given(st.lists(tiers(instants=False), min_size=1, max_size=3))
def test_any_tiers_come_back(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("t") / "a.eaf"
    show = Performance({f"t{k}": t for k, t in enumerate(found)})
    show.save(path)
    assert faults(path) == []
    back = formats.load(path)
    assert list(back.tracks) == list(show.tracks)
    for name, tier in show.tracks.items():
        assert rows(back[name]) == rows(tier)


def test_instants_last_a_millisecond(written):
    show = Performance({"t": Tier("t", (Interval(0.5, 0.5, "x"), Interval(0.5, 0.9, "y")))})
    assert rows(formats.load(written(show))["t"]) == [(0.5, 0.501, "x"), (0.5, 0.9, "y")]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("</ANNOTATION_DOCUMENT>", "", "well-formed"),
        ("ANNOTATION_DOCUMENT", "DOCUMENT", "<ANNOTATION_DOCUMENT>"),
        ('TIME_SLOT_REF2="ts6"', 'TIME_SLOT_REF2="ts7"', "time slot 'ts7'"),
        ('TIME_VALUE="3500"', 'TIME_VALUE="2999"', "start before its end"),
        ('TIME_VALUE="3500"', 'TIME_VALUE="-1"', "whole milliseconds"),
        ('TIME_VALUE="3500"', 'TIME_VALUE="9999999999999999"', "whole milliseconds"),
        ('TIME_VALUE="3500"', 'TIME_VALUE="3.5"', "whole milliseconds"),
        ('TIME_SLOT_ID="ts6"', 'TIME_SLOT_ID="ts5"', "TIME_SLOT_ID of its own"),
        ('ANNOTATION_ID="a2"', 'ANNOTATION_ID="a1"', "ANNOTATION_ID of its own"),
        ('ANNOTATION_ID="a2"', 'ANNOTATION_ID=""', "ANNOTATION_ID of its own"),
        ('TIER_ID="gloss"', 'TIER_ID="Word"', "TIER_ID of its own"),
        ('ANNOTATION_REF="c1"', 'ANNOTATION_REF="d1"', "circle"),
        ('ANNOTATION_REF="c1"', 'ANNOTATION_REF="zz"', "its parent 'zz'"),
        ("milliseconds", "frames", "milliseconds"),
        ("<ANNOTATION_DOCUMENT ", '<!DOCTYPE x [<!ENTITY e "f">]><ANNOTATION_DOCUMENT ', "without entities"),
    ],
)
def test_contradictions_are_refused(tmp_path, old, new, says):
    path = tmp_path / "a.eaf"
    path.write_text(DOCUMENT.replace(old, new))
    with pytest.raises(FormatError, match=says):
        formats.load(path)


def test_slots_that_no_time_follows(tmp_path):
    path = tmp_path / "a.eaf"
    path.write_text(DOCUMENT.replace('TIME_SLOT_ID="ts6" TIME_VALUE="3500"', 'TIME_SLOT_ID="ts6"'))
    assert rows(formats.load(path)["A-utterance"])[1] == (3.0, 3.0, "")


def test_siblings_in_circles_and_forks_are_kept(tmp_path):
    path = tmp_path / "a.eaf"
    for new in ('PREVIOUS_ANNOTATION="c2"', 'PREVIOUS_ANNOTATION="b1"'):
        path.write_text(DOCUMENT.replace('PREVIOUS_ANNOTATION="c1"', new))
        assert sorted(formats.load(path)["morphs"].labels) == ["ree", "th"]


def test_damage_is_refused_or_survived(tmp_path):
    path = tmp_path / "a.eaf"
    SHOW.save(path)
    for data in (*damaged(path.read_bytes()), *damaged(DOCUMENT.encode(), seed=1)):
        refused_or_read(elan.read, path, data)
