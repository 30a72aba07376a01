"""From file to file, whole folders, and what a file is said to hold."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import kinesics as kn
from kinesics import cli, formats
from kinesics.errors import DataError, FormatError
from kinesics.formats._convert import stem
from kinesics.performance import Face, Interval, Performance, Signal, Tier

ROOT = Path(__file__).parents[2]


def test_one_file_becomes_another(tmp_path, take):
    take.save(tmp_path / "a.kin")
    made = kn.convert(tmp_path / "a.kin", tmp_path / "new" / "a.bvh", fps=30, write={"order": "XYZ"})
    back = formats.load(tmp_path / "new" / "a.bvh")
    assert made.body.fps == back.body.fps == Fraction(30)
    assert made.face.fps == 30
    assert made.speech.rate == 16000
    assert "Xrotation Yrotation Zrotation" in (tmp_path / "new" / "a.bvh").read_text()
    np.testing.assert_allclose(back.body.root[::2], take.body.root[::4], atol=1e-5)


def test_an_unknown_target_is_refused_before_reading(tmp_path):
    with pytest.raises(DataError, match=r"\.bvh"):
        formats.convert(tmp_path / "missing.kin", tmp_path / "a.xyz")
    with pytest.raises(FormatError, match="found nothing"):
        formats.convert(tmp_path / "missing.kin", tmp_path / "a.bvh")


def test_a_folder_keeps_its_tree_and_survives_a_bad_file(tmp_path, take):
    take.save(tmp_path / "in" / "a.kin", tmp_path / "in" / "deep" / "b.c.kin")
    (tmp_path / "in" / "bad.kin").write_bytes(b"nothing")
    (tmp_path / "in" / "notes.md").write_text("no performance")
    (tmp_path / "in" / ".hidden.kin").write_bytes(b"nothing")
    out = {o.source.name: o for o in formats.convert_folder(tmp_path / "in", tmp_path / "out", "bvh")}
    assert {n: o.status for n, o in out.items()} == {
        "a.kin": "converted", "b.c.kin": "converted", "bad.kin": "failed",
    }  # fmt: skip
    assert "bad.kin: byte 0" in out["bad.kin"].reason
    assert {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.bvh")} == {
        "a.bvh", "deep/b.c.bvh",
    }  # fmt: skip


def test_an_interrupted_folder_goes_on_where_it_was(tmp_path, take):
    take.save(*(tmp_path / "in" / f"{n}.kin" for n in "abc"))
    began = formats.convert_folder(tmp_path / "in", tmp_path / "in" / "out", ".bvh")
    assert next(began).target.name == "a.bvh"
    began.close()
    before = (tmp_path / "in" / "out" / "a.bvh").stat().st_mtime_ns
    done = list(formats.convert_folder(tmp_path / "in", tmp_path / "in" / "out", ".bvh", resume=True))
    # The new folder lies within the old one, and what was written is not read again.
    assert [(o.source.name, o.status) for o in done] == [
        ("a.kin", "kept"), ("b.kin", "converted"), ("c.kin", "converted"),
    ]  # fmt: skip
    assert (tmp_path / "in" / "out" / "a.bvh").stat().st_mtime_ns == before


def test_folders_that_cannot_be_converted(tmp_path, take):
    with pytest.raises(DataError, match="expected a folder"):
        list(formats.convert_folder(tmp_path / "none", tmp_path / "out", ".bvh"))
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="no file in it can be read"):
        list(formats.convert_folder(tmp_path / "in", tmp_path / "out", ".bvh"))
    take.save(tmp_path / "in" / "a.kin", tmp_path / "in" / "a.glb")
    with pytest.raises(DataError, match="would both become"):
        list(formats.convert_folder(tmp_path / "in", tmp_path / "out", ".bvh"))
    with pytest.raises(DataError, match="cannot write"):
        list(formats.convert_folder(tmp_path / "in", tmp_path / "out", ".md"))


def test_names_lose_only_the_ending_that_tells_the_format():
    assert stem(Path("a.b.bvh")) == "a.b"
    assert stem(Path("a.BVH")) == "a"
    assert stem(Path("a.csv.kin")) == "a.csv"


def test_what_a_file_holds(tmp_path, take):
    take.save(tmp_path / "a.kin")
    about = formats.describe(tmp_path / "a.kin")
    tracks = {t["name"]: t for t in about["tracks"]}
    assert set(tracks) == set(take)
    assert (tracks["body"]["fps"], tracks["body"]["samples"], tracks["body"]["skeleton"]) == (
        "60",
        60,
        "humanoid",
    )
    assert tracks["words"]["labels"][0] == "schön"
    assert tracks["plan"]["behaviours"] == {"gesture": 1}
    assert about["duration"] == pytest.approx(take.duration)
    json.dumps(about)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kinesics", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_the_command_line_converts_tells_and_explains(tmp_path, take, capsys):
    take.save(tmp_path / "a.kin")
    done = run("convert", tmp_path / "a.kin", tmp_path / "a.bvh", "--fps", "30", "-w", "unit=m")
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path / 'a.bvh'}  " in done.stdout
    cli.main(["info", str(tmp_path / "a.bvh"), "-r", "unit=m", "--json"])
    about = json.loads(capsys.readouterr().out)
    assert about["tracks"][0]["fps"] == "30"
    assert about["meta"]["bvh"]["unit"] == "m"
    cli.main(["info", str(tmp_path / "a.kin")])
    assert "words" in capsys.readouterr().out
    for wrong, says in [
        (["convert", tmp_path / "a.kin", tmp_path / "a.xyz"], ".bvh"),
        (["convert", tmp_path, tmp_path / "out"], "--to .bvh"),
        (["convert", tmp_path / "a.kin", tmp_path / "a.bvh", "-w", "order"], "name=value"),
        (["convert", tmp_path / "a.kin", tmp_path / "a.bvh", "-w", "colour=red"], "it takes: order, unit"),
        (["convert", tmp_path / "a.kin", tmp_path / "b.bvh", "--skeleton", "none.bvh"], "found nothing"),
        (["info", tmp_path / "none.kin"], "found nothing"),
        (["info", tmp_path], "found a folder"),
        (["convert", tmp_path / "none", tmp_path / "out", "--to", ".glb"], "found nothing"),
    ]:
        with pytest.raises(SystemExit) as stop:
            cli.main(list(map(str, wrong)))
        assert stop.value.code == 2
        assert says in capsys.readouterr().err


def test_what_a_target_has_no_place_for_is_told(tmp_path, take, capsys, caplog):
    take.save(tmp_path / "a.kin")
    cli.main(["convert", str(tmp_path / "a.kin"), str(tmp_path / "a.bvh")])
    told = capsys.readouterr().out
    assert "left out: " in told
    assert {"speech", "face", "words", "plan"} <= set(told.partition("left out: ")[2].strip().split(", "))
    cli.main(["convert", str(tmp_path / "a.kin"), str(tmp_path / "b.kin")])
    assert "left out" not in capsys.readouterr().out
    with caplog.at_level("INFO"):
        take.save(tmp_path / "a.lab", tier="words")
    assert "a .lab holds one tier; left out: " in caplog.text
    # Where nothing would be left, nothing is written.
    for ending in (".glb", ".wav", ".vrma"):
        with pytest.raises(DataError, match=rf"a{ending}: .* holds .*; this performance has only sway"):
            Performance({"sway": Signal([[0.0]], ["x"], ["m"], 30)}).save(tmp_path / f"a{ending}")
        assert not (tmp_path / f"a{ending}").exists()
    with pytest.raises(DataError, match=r"a\.metahuman\.csv: .*basis"):
        take.save(tmp_path / "a.metahuman.csv")


def test_a_face_that_a_target_cannot_move_does_not_stop_the_body(tmp_path, take, caplog):
    flame = Face(np.zeros((60, 1)), ("exp1",), 60, "flame")
    for ending in (".glb", ".vrm", ".vrma"):
        caplog.clear()
        Performance({"body": take.body, "face": flame}).save(tmp_path / f"a{ending}")
        assert "basis 'flame' and is left out" in caplog.text
        assert "face" not in formats.load(tmp_path / f"a{ending}")
        with pytest.raises(DataError, match=r"basis 'flame'; \.kin, \.csv and \.parquet hold it"):
            Performance({"face": flame}).save(tmp_path / f"b{ending}")


def test_faces_of_vrms_expressions_become_arkits_everywhere(tmp_path):
    face = Face([[0.8]], ("aa",), 60, "vrm")
    for ending in (".livelink.csv", ".beat.json", ".glb"):
        Performance({"face": face}).save(tmp_path / f"a{ending}")
        assert formats.load(tmp_path / f"a{ending}").face.column("jawOpen")[0] > 0.3


def test_what_a_file_holds_is_one_line_a_track(tmp_path, capsys):
    lines = Tier("captions", [Interval(0, 1, "two\nlines"), Interval(1, 2, "one")])
    meta = {"x": {"none": None, "empty": [], "sizes": [1.5, 2], "ends": {"a": [0, 1], "b": [0, 2]}}}
    Performance({"captions": lines}, meta).save(tmp_path / "a.kin")
    cli.main(["info", str(tmp_path / "a.kin")])
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 3
    assert "labels (two lines, one)" in told[1]
    assert told[2].split(maxsplit=1) == ["x", "sizes (1.5, 2), ends 2 (a, b)"]


def test_a_plan_is_performed_on_the_way_to_movement_and_kept_on_the_way_to_a_plan(tmp_path):
    plan = '<bml id="p"><speech id="s"><text>Hello there</text></speech><head id="h" lexeme="NOD" start="s:start"/></bml>'
    (tmp_path / "a.bml").write_text(plan)
    cli.main(["convert", str(tmp_path / "a.bml"), str(tmp_path / "b.bml")])
    assert "body" not in formats.load(tmp_path / "b.bml")
    cli.main(["convert", str(tmp_path / "a.bml"), str(tmp_path / "b.glb")])
    assert len(formats.load(tmp_path / "b.glb").body) > 30


def test_the_pages_of_the_formats_are_those_of_the_code():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/write_formats_pages.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_shared_ending_is_told_by_content_or_by_name(tmp_path):
    Performance({"words": Tier("words", [Interval(0, 1, "x")])}).save(tmp_path / "a.kin")
    assert formats.format_of(tmp_path / "a.kin", format="kin").name == "Kinesics"
    with pytest.raises(FormatError):
        formats.load(tmp_path / "a.kin", format="bvh")
    with pytest.raises(DataError, match=r"choose one of: .*bvh"):
        formats.load(tmp_path / "a.kin", format="tape")
