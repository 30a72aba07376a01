"""Scenes in files: what holds several people gives them back, what holds one says so."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats._summaries import summaries
from kinesics.performance import Audio, Face, Interval, Performance, Scene, Signal, Tier


def person(emotion: str = "happy") -> Performance:
    yaw = np.repeat([25.0, 0.0, -20.0], 30)
    sure = np.ones((90, 2))
    sure[60:75] = 0.2
    units = np.zeros((90, 2))
    units[:, 0] = np.repeat([0.0, 0.5, 0.5], 30)
    units[60:, 1] = 0.7
    return Performance(
        {
            "words": Tier("words", [Interval(0.1, 0.5, "hello"), Interval(0.5, 0.9, "you & me")]),
            "expression": Tier(
                "expression", [Interval(0, 1, emotion, 0.4, 0.8), Interval(1, 2, "unknown", None, 0.3)]
            ),
            "gestures": Tier("gestures", [Interval(0, 0.5, "preparation R"), Interval(0.5, 1, "stroke R")]),
            "gaze": Signal(np.c_[yaw, 0 * yaw], ("yaw", "pitch"), ("deg", "deg"), 30, 0.0, sure),
            "action_units": Signal(units, ("AU06", "AU12"), ("", ""), 30),
            "face": Face(np.zeros((90, 1)), ("jawOpen",), 30),
        }
    )


@pytest.fixture
def scene(tmp_path) -> Scene:
    film = tmp_path / "films of ours" / "türkis.mp4"
    film.parent.mkdir()
    film.write_bytes(b"")
    speech = Audio(np.linspace(-0.5, 0.5, 1600), 16000)
    return Scene(
        {"ann": person(), "bob <b>": person("sad")}, shared={"speech": speech}, meta={"source": str(film)}
    )


@pytest.mark.parametrize("name", ["a.kin", "a.csv", "a.parquet"])
def test_everybody_comes_back(scene, tmp_path, name):
    if name == "a.parquet":
        pytest.importorskip("pyarrow")
    scene.save(tmp_path / name)
    back = formats.load(tmp_path / name)
    assert isinstance(back, Scene)
    assert list(back.people) == ["ann", "bob <b>"]
    for who in scene.people:
        assert max(back.people[who].difference(scene.people[who]).values()) == 0
    assert back.video is None or back.video == scene.video
    assert ("speech" in back.shared) == (name == "a.kin")


def test_a_damaged_scene_is_a_format_error(tmp_path):
    Performance({"a/x": Tier("x")}, {"scene": {"people": {"b": {}}}}).save(tmp_path / "a.kin")
    with pytest.raises(FormatError, match="belongs to nobody"):
        formats.load(tmp_path / "a.kin")


def test_the_long_table_names_the_person(scene, tmp_path):
    scene.save(tmp_path / "a.csv", track=("ann/expression", "bob <b>/expression"), about=False)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["person"], r["track"], r["label"]) for r in rows] == [
        ("ann", "expression", "happy"),
        ("ann", "expression", "unknown"),
        ("bob <b>", "expression", "sad"),
        ("bob <b>", "expression", "unknown"),
    ]
    assert list(formats.load(tmp_path / "a.csv").people) == ["ann", "bob <b>"]
    with pytest.raises(DataError, match="long table"):
        scene.save(tmp_path / "a.csv", layout="wide")


def test_elan_has_a_tier_per_person_and_kind_with_its_medium(scene, tmp_path):
    pympi = pytest.importorskip("pympi", reason="pympi is not installed")
    path = tmp_path / "out" / "a.eaf"
    scene.save(path)
    document = pympi.Elan.Eaf(str(path))
    own = [n for n in document.get_tier_names() if "@" not in n]
    assert own == [
        f"{who} - {tier}"
        for who in scene.people
        for tier in ("words", "expression", "gestures", "gaze_direction", "active_units")
    ]
    assert {document.get_parameters_for_tier(n)["PARTICIPANT"] for n in own} == {"ann", "bob <b>"}
    (medium,) = document.get_linked_files()
    assert medium["RELATIVE_MEDIA_URL"] == "../films of ours/türkis.mp4"
    assert (path.parent / medium["RELATIVE_MEDIA_URL"]).is_file()
    vocabularies = {
        frozenset(e[0].text for e in v.iter("CV_ENTRY_ML"))
        for v in ET.parse(path).iter("CONTROLLED_VOCABULARY")
    }
    assert any({"neutral", "happy", "contempt", "unknown"} <= v for v in vocabularies)
    assert any({"stroke L", "retraction R"} <= v for v in vocabularies)
    assert {"ahead", "left", "right", "up", "down"} in vocabularies
    assert document.get_annotation_data_for_tier("ann - active_units") == [
        (1000, 2000, "AU06"),
        (2000, 3000, "AU06+AU12"),
    ]


def test_elan_can_leave_the_summaries_out(scene, tmp_path):
    scene.save(tmp_path / "a.eaf", signals=False)
    names = [e.get("TIER_ID") for e in ET.parse(tmp_path / "a.eaf").getroot().iter("TIER")]
    assert not [n for n in names if "direction" in n or "units" in n]


def test_directions_and_units_of_signals():
    found = summaries(person())
    assert [(i.label, i.start, i.end) for i in found["gaze_direction"]] == [
        ("left", 0.0, 1.0),
        ("ahead", 1.0, 2.0),
        ("right", 2.5, 3.0),  # half a second of it is not sure
    ]
    assert [(i.label, i.value) for i in found["active_units"]] == [("AU06", 0.5), ("AU06+AU12", 0.6)]
    assert summaries(Performance()) == {}
    up = Signal(np.tile([3.0, 30.0], (30, 1)), ("yaw", "pitch"), ("deg", "deg"), 30)
    assert summaries(Performance({"head": up}))["head_direction"].labels == ("up",)


def test_webvtt_gives_everybody_a_voice(scene, tmp_path):
    scene.save(tmp_path / "a.vtt")
    text = (tmp_path / "a.vtt").read_text(encoding="utf-8")
    assert "<v ann><c.expression>happy</c></v>" in text
    assert "<v bob &lt;b&gt;><c.expression>sad</c></v>" in text
    assert "unknown" not in text
    starts = re.findall(r"^(\S+) -->", text, re.MULTILINE)
    assert starts == sorted(starts)
    back = formats.load(tmp_path / "a.vtt")
    assert set(back.tier("voices").labels) == {"ann", "bob <b>"}
    assert [i.label for i in back.tier("words") if i.label == "hello"] == ["hello"] * 2
    scene.save(tmp_path / "b.vtt", tier="gestures")
    assert "expression" not in (tmp_path / "b.vtt").read_text(encoding="utf-8")
    with pytest.raises(DataError, match="nobody has a tier 'x'"):
        scene.save(tmp_path / "c.vtt", tier="x")


def test_formats_for_one_person_take_one_and_name_the_others(scene, tmp_path):
    with pytest.raises(DataError, match=r"one person; save scene.person\(name\) of one of: ann, bob"):
        scene.save(tmp_path / "a.livelink.csv")
    assert not (tmp_path / "a.livelink.csv").exists()
    alone = replace(scene, people={"ann": scene.people["ann"]})
    alone.save(tmp_path / "a.wav", tmp_path / "a.textgrid")
    assert len(formats.load(tmp_path / "a.wav").speech) == 1600
    assert "expression" in formats.load(tmp_path / "a.textgrid")


def test_scenes_are_described_and_converted(scene, tmp_path):
    scene.save(tmp_path / "a.kin")
    about = formats.describe(tmp_path / "a.kin")
    assert "ann/gaze" in [t["name"] for t in about["tracks"]]
    slow = formats.convert(tmp_path / "a.kin", tmp_path / "b.csv", fps=10)
    assert float(slow.people[0]["gaze"].fps) == 10
    assert isinstance(formats.load(tmp_path / "b.csv"), Scene)
