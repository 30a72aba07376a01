"""Tables: exact both ways with their description, readable by anyone without, foreign ones understood or refused."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError, MissingExtra
from kinesics.formats import _table_parquet
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import (
    Audio,
    Face,
    Interval,
    Motion,
    Performance,
    Plan,
    Points,
    Scene,
    Signal,
    Tier,
)

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
arrow_csv = pytest.importorskip("pyarrow.csv")


def same(a, b) -> None:
    """Two tracks are equal in every bit and fact."""
    assert type(a) is type(b)
    if isinstance(a, (Tier, Plan)):
        assert a == b
        return
    assert (a.fps, a.start, len(a)) == (b.fps, b.start, len(b))
    for name in a._arrays:
        one, two = getattr(a, name), getattr(b, name)
        assert (one is None) == (two is None)
        if one is not None:
            np.testing.assert_array_equal(one, two)
    for fact in ("names", "units", "basis", "frame", "skeleton"):
        assert getattr(a, fact, None) == getattr(b, fact, None)


def same_show(a: Performance, b: Performance) -> None:
    assert list(a.tracks) == list(b.tracks)
    assert dict(a.meta) == dict(b.meta)
    for name in a.tracks:
        same(a[name], b[name])


def load(tmp_path: Path, text: str | bytes, name: str = "x.csv", **options) -> Performance:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return formats.load(path, **options)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_long_keeps_everything(tmp_path, take, ending, caplog):
    path = tmp_path / f"a{ending}"
    take.save(path)
    assert "left out of the table: speech" in caplog.text
    same_show(take.with_tracks(speech=None), formats.load(path))
    short = take.slice(0.2, 0.4)
    short.save(path, track=list(short.tracks))
    same_show(short, formats.load(path))


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_wide_keeps_everything_on_one_clock(tmp_path, take, ending):
    skeleton = Skeleton(("root", "a.b", 'c,"d'), (-1, 0, 1), np.full((3, 3), 0.1))
    q = rot.normalise(np.random.default_rng(1).standard_normal((50, 3, 4))).astype(np.float32)
    fps = Fraction(30000, 1001)
    show = Performance(
        {
            "robot": Motion(skeleton, q, np.ones((50, 3)) / 3, fps, 1.5),
            "f0": Signal(
                np.full((20, 1), 1e-30), ("f0",), ("Hz",), fps, 1.5 + 10 / float(fps), np.ones((20, 1)) / 3
            ),
            "marks": Points(np.ones((5, 2, 2)), ("x", "y"), fps, "image", 1.5, np.ones((5, 2)) / 7),
            "none": Face(np.zeros((0, 1)), ("jawOpen",), 25),
        },
        {"note": "naïve 🙂", "n": [1, 2.5, None]},
    )
    path = tmp_path / f"a{ending}"
    show.save(path, layout="wide", about=True)
    same_show(show, formats.load(path))


def test_a_plain_wide_table_has_its_header_first(tmp_path, take):
    """What a spreadsheet, R or pandas sees: one header line, then numbers. Arrow's CSV reader is the oracle."""
    path = tmp_path / "a.csv"
    take.save(path, track=("body", "face"))
    table = arrow_csv.read_csv(path)
    assert table.column_names[:6] == [
        "time",
        "body.root.x",
        "body.root.y",
        "body.root.z",
        "body.hips.qw",
        "body.hips.qx",
    ]
    assert table.num_columns == 1 + 3 + 55 * 4 + 52
    assert {str(t) for t in table.schema.types} <= {"double", "int64"}
    np.testing.assert_array_equal(np.float32(table["face.jawOpen"].to_numpy()), take.face.column("jawOpen"))
    np.testing.assert_allclose(table["time"].to_numpy(), np.arange(60) / 60, atol=1e-15)
    back = formats.load(path)
    same(back.face, take.face)
    same(back.body, take.body)  # the take's skeleton is the canonical one


def test_a_long_table_filtered_elsewhere(tmp_path, take):
    path = tmp_path / "a.csv"
    take.save(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {r["type"] for r in rows} == {"Motion", "Face", "Tier", "Signal", "Points", "about"}
    word = next(r for r in rows if r["label"] == "schön")
    assert (word["track"], word["time"], word["end"], word["value"], word["confidence"]) == (
        "words",
        "0.1",
        "0.4",
        "0.5",
        "0.9",
    )
    assert max(len(r["label"]) for r in rows) < 32_767, "what a cell of Excel takes"
    # sorted by another column, cut at the front, read again
    kept = sorted(
        (r for r in rows if r["type"] == "about" or float(r["time"]) >= 0.5),
        key=lambda r: r["name"] + r["value"],
    )
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(kept)
    back = formats.load(path)
    same(back.body, take.body.slice(0.5, 1))
    same(back["f0"], take["f0"].slice(0.5, 2))
    assert len(back.tier("words")) == 0


def test_without_a_description(tmp_path, take):
    path = tmp_path / "a.csv"
    take.save(path, about=False)
    back = formats.load(path)
    same(back.body, take.body)
    same(back.face, take.face)
    assert back.tier("words") == take.tier("words")
    np.testing.assert_array_equal(back["f0"].values, take["f0"].values)
    assert (back["f0"].fps, back["f0"].start, back["f0"].units) == (100, 0.25, ("",))
    assert isinstance(back["marks"], Signal)
    assert "plan" not in back
    assert back.meta == {"table": {"layout": "long"}}


def test_other_clocks_are_told(tmp_path, take, caplog):
    path = tmp_path / "a.parquet"
    take.save(path, layout="wide", track=("face", "f0", "words"))
    assert "'f0' at 100 per second is interpolated to the table's 60" in caplog.text
    assert "no place for words" in caplog.text
    back = formats.load(path)
    same(back.face, take.face)
    f0 = back["f0"]
    assert f0.fps == 60
    np.testing.assert_array_equal(f0.values, take["f0"].at(f0.times).values)
    take.save(path, layout="wide", track="face", fps=30)
    assert formats.load(path).face.fps == 30


def test_what_cannot_be_written_is_named(tmp_path, take):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(DataError, match="sound; save it as"):
        take.save(path, layout="wide", track="speech")
    with pytest.raises(DataError, match="no track 'nose'"):
        take.save(path, track="nose")
    with pytest.raises(DataError, match="other than sound and video"):
        Performance({"speech": take.speech}).save(path)
    with pytest.raises(DataError, match="no sampled track"):
        take.save(path, layout="wide", track="words")
    with pytest.raises(DataError, match="unknown layout 'tall'"):
        take.save(path, layout="tall")
    twice = Signal(np.ones((1, 2)), ("a", "a.confidence"), ("", ""), 1, 0, np.ones((1, 2)))
    with pytest.raises(DataError, match=r"two columns would be called 's\.a\.confidence'"):
        Performance({"s": twice}).save(path, layout="wide")
    with pytest.raises(DataError, match="a label of 200000"):
        Performance({"t": Tier("t", [Interval(0, 1, "x" * 200_000)])}).save(path)
    assert path.read_text() == "old"


def test_long_labels_names_and_facts(tmp_path):
    odd = ' =1+1, "q"\n; \t# '
    show = Performance(
        {odd: Tier(odd, [Interval(0.1 + 0.2, 1e6, odd), Interval(1, 1, "", -0.0)])}, {"long": "ä" * 100_000}
    )
    for name in ("a.csv", "a.parquet"):
        show.save(tmp_path / name)
        same_show(show, formats.load(tmp_path / name))


def test_sound_as_numbers_where_it_is_wished(tmp_path):
    show = Performance({"speech": Audio(np.linspace(-1, 1, 200).reshape(100, 2), 8000, 0.5)})
    show.save(tmp_path / "a.parquet", layout="long", track="speech")
    same_show(show, formats.load(tmp_path / "a.parquet"))


def test_real_openface(shared_data):
    show = formats.load(shared_data("nc-openface_csv") / "OpenFace_Test.csv")
    signals = show["signals"]
    with (shared_data("nc-openface_csv") / "OpenFace_Test.csv").open() as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    assert (len(signals), signals.fps) == (len(rows), 1000)  # its clock says a millisecond a row
    for name in ("AU12_r", "gaze_0_x", "pose_Tz", "X_5"):
        np.testing.assert_array_equal(signals.column(name), np.float32([float(r[name]) for r in rows]))
    units = dict(zip(signals.names, signals.units, strict=True))
    assert (units["pose_Tx"], units["pose_Rx"], units["x_0"], units["X_0"], units["AU12_r"]) == (
        "mm",
        "rad",
        "px",
        "mm",
        "",
    )
    assert signals.confidence is not None
    np.testing.assert_allclose(signals.confidence[:, 0], signals.column("confidence"), atol=1e-7)
    assert show.meta["table"]["time"] == "timestamp"


def test_real_py_feat(shared_data):
    path = shared_data("nc-openface_csv") / "news_001.csv"
    with pytest.raises(FormatError, match="fps="):
        formats.load(path)
    show = formats.load(path, fps=25)
    signals = show["signals"]
    assert len(signals) == 20
    assert {"AU12", "Happy", "Pitch"} <= set(signals.names)
    assert show.meta["table"]["words"] == ["input", "approx_time"]
    assert "Identity_1" in show.meta["table"]["empty"]


@pytest.mark.parametrize(
    ("header", "times", "fps", "start"),
    [
        ("timestamp", ["0.000", "0.033", "0.067", "0.100"], 30, 0),
        ("Time (s)", ["1.5", "1.54", "1.58"], 25, 1.5),
        ("timestamp_ms", [f"{i * 1001 / 60:.3f}" for i in range(200)], Fraction(60000, 1001), 0),
        ("timestamp [ns]", ["1000000000", "1005000000", "1010000000"], 200, 1),
        ("t", ["0", "0.1", "0.2"], 10, 0),
    ],
)
def test_clocks(tmp_path, header, times, fps, start):
    text = f"{header},a\n" + "".join(f"{t},{i}\n" for i, t in enumerate(times))
    signal = load(tmp_path, text)["signals"]
    assert (signal.fps, signal.start, len(signal)) == (fps, start, len(times))
    assert signal.names == ("a",)


def test_dates_become_places(tmp_path):
    show = load(tmp_path, "timestamp,a\n1700000000.0,1\n1700000000.1,2\n1700000000.2,3\n")
    assert (show["signals"].start, show["signals"].fps) == (0, 10)
    assert show.meta["table"]["origin"] == 1_700_000_000


def test_uneven_rows_gaps_and_repeats(tmp_path, caplog):
    show = load(tmp_path, "time,a\n0,0\n1,1\n1,7\n2,2\n5,5\n6,6\n")
    np.testing.assert_allclose(show["signals"].column("a"), np.arange(7))
    told = show.meta["table"]
    assert (told["rows_missing"], told["rows_repeated"], told["resampled"]) == (2, 1, True)
    assert "not evenly spaced" in caplog.text


def test_empty_cells_have_confidence_0(tmp_path):
    show = load(
        tmp_path,
        "time,a,b,word,none,on\n0,0,NA,x,,True\n1,,5,y,,False\n2,4,-nan(ind),1,,True\n3,inf,6,z,,True\n",
    )
    signal = show["signals"]
    assert signal.names == ("a", "b", "on")
    np.testing.assert_allclose(signal.values, [[0, 5, 1], [2, 5, 0], [4, 5.5, 1], [4, 6, 1]])
    np.testing.assert_array_equal(signal.confidence, [[1, 0, 1], [0, 1, 1], [1, 0, 1], [0, 1, 1]])
    told = show.meta["table"]
    assert (told["cells_filled"], told["words"], told["empty"]) == (4, ["word"], ["none"])


@pytest.mark.parametrize(
    "text",
    [
        "time;größe\n0;1,5\n1;2,5\n",
        "time\tgröße\n0\t1.5\n1\t2.5\n",
        "\ufefftime,größe\r\n0,1.5\r\n1,2.5\r\n\r\n",
        '# a comment\n#another\n"time", größe\n 0, "1.5"\n1,2.5',
    ],
)
def test_dialects(tmp_path, text):
    for raw in (text.encode(), text.lstrip("\ufeff").encode("cp1252" if "\ufeff" not in text else "utf-16")):
        signal = load(tmp_path, raw)["signals"]
        assert signal.names == ("größe",)
        np.testing.assert_array_equal(signal.values, [[1.5], [2.5]])


def test_of_several_faces_the_first_is_read(tmp_path, caplog):
    show = load(tmp_path, "frame, face_id, timestamp, a\n1,0,0,1\n1,1,0,9\n2,0,0.1,2\n2,1,0.1,9\n")
    np.testing.assert_array_equal(show["signals"].column("a"), [1, 2])
    assert show.meta["table"]["other_face_ids"] == [1]
    assert "left out are [1.0]" in caplog.text


def test_an_arkit_table_is_a_face(tmp_path):
    show = load(tmp_path, "time,jawOpen,eyeBlinkLeft\n0,0.1,0\n0.02,0.2,1\n")
    assert (show.face.names, show.face.fps) == (("jawOpen", "eyeBlinkLeft"), 50)


def test_foreign_parquet(tmp_path):
    table = pa.table(
        {
            "timestamp": pa.array([0, 40_000_000, 80_000_000], pa.timestamp("ns")),
            "a": pa.array([1, None, 3], pa.int16()),
            "who": ["x", "y", "z"],
            "deep": [[1], [2], [3]],
            "flag": [True, False, True],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    show = formats.load(tmp_path / "x.parquet")
    assert (show["signals"].fps, show["signals"].names) == (25, ("a", "flag"))
    np.testing.assert_array_equal(show["signals"].values, [[1, 1], [2, 0], [3, 1]])
    assert show.meta["table"]["words"] == ["who", "deep"]
    long = pa.table(
        {
            "track": ["w", "w"],
            "time": [0.0, 1.0],
            "end": [0.5, 2.0],
            "label": ["a", None],
            "value": [None, 2.0],
        }
    )
    pq.write_table(long, tmp_path / "x.parquet")
    assert formats.load(tmp_path / "x.parquet").tier("w").labels == ("a", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty file"),
        ("time,a\n", "rows below the header"),
        ("time,a\n0,1\n1\n", "line 3: expected 2 cells, found 1"),
        ("a,b\n0,1\n1,2\n", "a column of times"),
        ("time,a\n0,1\n,2\n2,3\n", "row 2, column 'time'"),
        ("time,a\n0,1\n2,2\n1,3\n", "times that rise"),
        ("time,a\n0,1\n1,2\n2,2\n1e12,2\n", "without long gaps"),
        ("time,a\n0,x\n1,y\n", "at least one column of numbers"),
        ("time,a\n0,1e300\n1,2\n", "not finite"),
        ("track,name,time,value\nx,a,0,1\ny,a\n", "line 3: expected 4 cells"),
        ("track,name,time,value\nx,a,0,1\nx,b,zero,1\n", "column 'time'"),
        ("track,name,time,value\nx,a,,1\n", "a time in every row"),
        ("track,name,time,value\n" + "".join(f"x,n{i},{i},1\n" for i in range(300)), "fill the grid"),
        ("track,type,time,end,label\nw,Tier,2,1,a\n", "start ≤ end"),
        ("# kinesics: {\ntime,a\n0,1\n", "expected"),
        ("# kinesics: {}\ntime,a\n0,1\n", "version"),
        ('# kinesics: {"version":1,"meta":{},"tracks":[{"name":"a"}]}\ntime,a\n0,1\n', "'type'"),
        ("\0\0\0", "x.csv"),
    ],
)
def test_faults_are_named(tmp_path, text, says):
    with pytest.raises(FormatError, match=says):
        load(tmp_path, text)


ABOUT = {
    "version": 1,
    "meta": {},
    "tracks": [
        {
            "name": "s",
            "type": "Signal",
            "fps": "1",
            "start": 0,
            "names": ["a", "b"],
            "units": ["", ""],
            "confidence": False,
        }
    ],
}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("fps", "1e999999999", "rate"),
        ("fps", "7", "rows of 's' at 7"),
        ("start", None, "not a finite number"),
        ("names", ["a", "a"], "do not repeat"),
        ("names", ["a", "c"], r"'s\.c'"),
        ("names", 7, "not a list"),
        ("units", [""], "units"),
        ("type", "Hat", "'Hat'"),
        ("type", "Motion", "'skeleton'"),
        ("type", "Audio", "whole number"),
        ("confidence", True, r"'s\.a\.confidence'"),
    ],
)
def test_a_description_that_does_not_fit(tmp_path, key, value, says):
    about = json.loads(json.dumps(ABOUT))
    table = "time,s.a,s.b\n0,1,2\n1,2,3\n"
    assert load(tmp_path, f"# kinesics: {json.dumps(about)}\n{table}")["s"].names == ("a", "b")
    about["tracks"][0][key] = value
    with pytest.raises(FormatError, match=says):
        load(tmp_path, f"# kinesics: {json.dumps(about)}\n{table}")


def test_a_hole_in_a_described_table(tmp_path, take):
    path = tmp_path / "a.csv"
    take.save(path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:500], *lines[501:]]))
    with pytest.raises(FormatError, match="once in every frame"):
        formats.load(path)
    take.save(path, track=("face",), about=True)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:10], *lines[20:]]))
    with pytest.raises(FormatError, match="rows of 'face' at 60 per second"):
        formats.load(path)


def test_parquet_that_would_fill_the_memory(tmp_path, monkeypatch):
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({"time": np.zeros(3_000_000), "a": np.zeros(3_000_000)}), path, compression="zstd"
    )
    assert path.stat().st_size < 40_000
    monkeypatch.setattr(_table_parquet, "_ALWAYS", 1_000_000)
    monkeypatch.setattr(_table_parquet, "_EXPANDS", 1_000)
    with pytest.raises(FormatError, match="fill the memory"):
        formats.load(path)


def test_damaged_parquet(tmp_path, take):
    path = tmp_path / "x.parquet"
    take.slice(0, 0.2).save(path, track=("face", "words"))
    whole = path.read_bytes()
    for end in [*range(0, 60, 7), *range(60, len(whole), 997), len(whole) - 1]:
        path.write_bytes(whole[:end])
        with pytest.raises(FormatError, match=r"x\.parquet"):
            formats.load(path)
    rng = np.random.default_rng(0)
    for _ in range(150):
        broken = bytearray(whole)
        for place in rng.integers(4, len(whole) - 4, 3):
            broken[place] = rng.integers(256)
        path.write_bytes(broken)
        with suppress(FormatError):
            formats.load(path)


def test_truncated_text(tmp_path, take):
    path = tmp_path / "x.csv"
    take.slice(0, 0.1).save(path, track=("f0", "words", "face"))
    whole = path.read_text(encoding="utf-8")
    for end in range(0, len(whole) - 2, len(whole) // 80):
        path.write_text(whole[:end], encoding="utf-8")
        with suppress(
            FormatError
        ):  # a long table without its last rows is a long table without a description
            formats.load(path)


@given(st.data())
def test_fuzz(tmp_path_factory, data):
    rows = data.draw(
        st.lists(
            st.lists(
                st.sampled_from(
                    [
                        "",
                        "0",
                        "1",
                        "2",
                        "-1",
                        "1e308",
                        "nan",
                        "x",
                        '"',
                        "time",
                        "track",
                        "name",
                        "value",
                        "label",
                        "type",
                        "about",
                        "end",
                        "#",
                        "{}",
                        "[1]",
                        ";",
                        "\t",
                    ]
                )
                | st.text(max_size=4),
                max_size=5,
            ),
            max_size=6,
        )
    )
    text = "\n".join(map(",".join, rows))
    if data.draw(st.booleans()):
        text = "track,type,time,end,name,value,confidence,label\n" + text
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with suppress(FormatError):
        formats.load(path)


def test_the_same_performance_gives_the_same_bytes(tmp_path, take):
    for options in ({}, {"layout": "wide", "track": ("body", "face")}):
        for ending in (".csv", ".parquet"):
            one, two = tmp_path / f"1{ending}", tmp_path / f"2{ending}"
            take.save(one, two, **options)
            assert one.read_bytes() == two.read_bytes()


def test_parquet_without_the_extra(tmp_path, take, monkeypatch):
    take.save(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for call in (lambda: formats.load(tmp_path / "a.parquet"), lambda: take.save(tmp_path / "b.parquet")):
        with pytest.raises(MissingExtra, match=r"kinesics\[tables\]"):
            call()
    assert not (tmp_path / "b.parquet").exists()


def test_shared_endings(tmp_path, take):
    """A .csv is written as a table and read as what it is."""
    take.save(tmp_path / "a.livelink.csv")
    (tmp_path / "b.csv").write_bytes((tmp_path / "a.livelink.csv").read_bytes())
    assert "livelink" in formats.load(tmp_path / "b.csv").meta
    with pytest.raises(FormatError, match="a column of times"):
        formats.load(tmp_path / "b.csv", format="table")
    assert formats.format_of("x.csv", verb="write").name == "table"
    assert formats.available("write")[".csv"] == "table"
    assert "Live Link Face" in formats.available("read")[".csv"]


def test_a_scenes_csv_leaves_a_face_mesh_out_unless_it_is_named(tmp_path, caplog):
    mesh = Points(np.zeros((3, 478, 3), np.float32), tuple(map(str, range(478))), 30, "image")
    smile = Tier("smile", (Interval(0, 0.1, "smile"),))
    scene = Scene({"ann": Performance({"landmarks": mesh, "smile": smile})})
    scene.save(tmp_path / "a.csv")
    assert "ann/landmarks" in caplog.text
    assert list(formats.load(tmp_path / "a.csv").tracks) == ["ann/smile"]
    scene.save(tmp_path / "b.csv", track=["ann/landmarks"])
    assert (tmp_path / "b.csv").stat().st_size > 40 * (tmp_path / "a.csv").stat().st_size
