"""TextGrid: what Praat and the aligners write is read, what we write they read."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats import textgrid
from kinesics.performance import Interval, Performance, Tier
from tests.formats.tier_cases import SHOW, damaged, refused_or_read, rows, tiers

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 2.5
xmax = 5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "Word"
        xmin = 2.5
        xmax = 5
        intervals: size = 3
        intervals [1]:
            xmin = 2.5
            xmax = 3
            text = ""
        intervals [2]:
            xmin = 3
            xmax = 4.25
            text = "say ""hi""
there" ! a comment with a " in it
        intervals [3]:
            xmin = 4.25
            xmax = 5
            text = " "
    item [2]:
        class = "TextTier"
        name = "marks"
        xmin = 2.5
        xmax = 5
        points: size = 2
        points [1]:
            number = 3.5
            mark = "H*"
        points [2]:
            time = 4
            mark = ""
    item [3]:
        class = "IntervalTier"
        name = "speech"
        xmin = 2.5
        xmax = 5
        intervals: size = 1
        intervals [1]:
            xmin = 2.5
            xmax = 5
            text = "ä"
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_reads_the_long_form(tmp_path, encoding, newline):
    path = tmp_path / "a.TextGrid"
    path.write_bytes(LONG.replace("\n", newline).encode(encoding))
    show = formats.load(path)
    assert list(show.tracks) == ["words", "marks", "speech tier"]
    assert show["words"].intervals == (Interval(3, 4.25, 'say "hi"\nthere'),)
    assert show["marks"].intervals == (Interval(3.5, 3.5, "H*"), Interval(4, 4, ""))
    assert show["speech tier"].labels == ("ä",)
    told = show.meta["textgrid"]
    assert (told["xmin"], told["xmax"], told["style"]) == (2.5, 5.0, "long")
    assert told["names"] == {"words": "Word", "speech tier": "speech"}
    # Everything but comments and empty intervals comes back, under the file's own names.
    show.save(tmp_path / "b.TextGrid")
    text = (tmp_path / "b.TextGrid").read_text()
    assert 'name = "Word"' in text
    assert 'name = "speech"' in text
    again = formats.load(tmp_path / "b.TextGrid")
    assert {n: t.intervals for n, t in again.tracks.items()} == {
        n: t.intervals for n, t in show.tracks.items()
    }
    assert (again.meta["textgrid"]["xmin"], again.meta["textgrid"]["xmax"]) == (2.5, 5.0)


def test_latin_1_is_told(tmp_path, caplog):
    path = tmp_path / "a.TextGrid"
    path.write_bytes(LONG.encode("latin-1"))
    with caplog.at_level(logging.WARNING):
        assert formats.load(path).meta["textgrid"]["encoding"] == "Latin-1"
    assert "not UTF-8" in caplog.text


def test_two_tiers_of_one_name_and_several_speakers(tmp_path):
    tier = '"IntervalTier"\n"{}"\n0\n1\n1\n0\n1\n"{}"\n'
    head = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n1\n<exists>\n{}\n'
    path = tmp_path / "a.TextGrid"
    names = ["words", "ORT-MAU", "words", "ann - words", "bob - words", "ann - phones"]
    path.write_text(head.format(len(names)) + "".join(tier.format(n, k) for k, n in enumerate(names)))
    assert list(formats.load(path).tracks) == [
        "words", "words (2)", "words (3)", "ann - words", "bob - words", "ann - phones",
    ]  # fmt: skip
    path.write_text(head.format(2) + tier.format("61 - words", "a") + tier.format("61 - phones", "b"))
    show = formats.load(path)
    assert list(show.tracks) == ["words", "phones"]
    assert show.meta["textgrid"]["names"] == {"words": "61 - words", "phones": "61 - phones"}
    path.write_text('"ooTextFile"\n"TextGrid"\n0 1 <absent>')
    assert not formats.load(path).tracks


@pytest.mark.parametrize("style", ["long", "short"])
def test_everything_comes_back_but_values(tmp_path, style, caplog):
    path = tmp_path / "a.TextGrid"
    with caplog.at_level(logging.WARNING):
        SHOW.save(path, style=style)
    assert "no place for the values of: words, gestures" in caplog.text
    assert "confidences of: words, gestures" in caplog.text
    back = formats.load(path)
    assert list(back.tracks) == list(SHOW.tracks)
    for name, tier in SHOW.tracks.items():
        assert rows(back[name], 15) == rows(tier, 15)
    assert back.meta["textgrid"]["style"] == style


@pytest.mark.parametrize("style", ["long", "short"])
def test_praat_and_two_libraries_read_it(tmp_path, style):
    parselmouth = pytest.importorskip("parselmouth")
    pympi = pytest.importorskip("pympi")
    library = pytest.importorskip("textgrid")
    path = tmp_path / "a.TextGrid"
    marks = Tier("marks", (Interval(0.5, 0.5, "x"), Interval(1.5, 1.5, 'y"z')))
    show = SHOW.with_tracks(marks=marks)
    show.save(path, style=style)

    praat = parselmouth.read(str(path))
    call = parselmouth.praat.call
    names = [call(praat, "Get tier name", k + 1) for k in range(call(praat, "Get number of tiers"))]
    assert names == ["words", "phones", "gestures", "gestures [2]", "phases", "empty", "marks"]
    count = call(praat, "Get number of intervals", 1)
    found = [
        (
            call(praat, "Get start time of interval", 1, k),
            call(praat, "Get end time of interval", 1, k),
            call(praat, "Get label of interval", 1, k),
        )
        for k in range(1, count + 1)
    ]
    # No gaps from beginning to end, as Praat demands.
    assert [a for a, _, _ in found] == [0, *(b for _, b, _ in found[:-1])]
    assert found[-1][1] == show.duration
    assert [row for row in found if row[2]] == [(i.start, i.end, i.label) for i in show["words"]]
    assert call(praat, "Get time of point", 7, 2) == 1.5
    assert call(praat, "Get label of point", 7, 2) == 'y"z'

    other = pympi.TextGrid(str(path), codec="utf-8")
    assert [t.name for t in other.tiers] == names
    assert [(a, b, t) for a, b, t in other.tiers[0].intervals if t] == [row for row in found if row[2]]

    if style == "long":  # the library cannot read points of the short form
        third = library.TextGrid.fromFile(str(path))
        assert third.getNames() == names
        np.testing.assert_allclose([i.minTime for i in third[1] if i.mark], [i.start for i in show["phones"]])


def test_what_praat_writes_is_read(tmp_path):
    parselmouth = pytest.importorskip("parselmouth")
    call = parselmouth.praat.call
    grid = call("Create TextGrid", 1.0, 4.0, "words bell", "bell")
    call(grid, "Insert boundary", 1, 2.0)
    call(grid, "Set interval text", 1, 2, 'naïve "q" 日')
    call(grid, "Insert point", 2, 3.25, "ding")
    for command in ("Save as text file", "Save as short text file"):
        path = tmp_path / "a.TextGrid"
        call(grid, command, str(path))
        show = formats.load(path)
        assert show["words"].intervals == (Interval(2.0, 4.0, 'naïve "q" 日'),)
        assert show["bell"].intervals == (Interval(3.25, 3.25, "ding"),)
        assert show.meta["textgrid"]["xmin"] == 1.0
    call(grid, "Save as binary file", str(path))
    with pytest.raises(FormatError, match="text form"):
        formats.load(path)


def test_real_alignments(shared_data, tmp_path):
    folder = shared_data("free-speech") / "align"
    cold = formats.load(folder / "mfa_cold_corpus.TextGrid")
    assert cold["words"].labels[:5] == ("uh", "so", "this", "is", "the")
    assert (cold["words"][0].start, cold["words"][0].end) == (1.24, 1.67)
    assert len(cold["phones"]) == 215
    two = formats.load(folder / "mfa_michaelandsickmichael.TextGrid")
    assert {n: len(t) for n, t in two.tracks.items()} == {"michael": 3, "sickmichael": 4}
    library = pytest.importorskip("textgrid")
    for path in sorted(folder.glob("*.TextGrid")):
        show = formats.load(path)
        wanted = library.TextGrid.fromFile(str(path))
        assert len(wanted) == len(show.tracks)
        for tier, mine in zip(wanted, show.tiers, strict=True):
            assert [i.mark for i in tier if i.mark.strip()] == list(mine.labels)
        show.save(tmp_path / "a.TextGrid")
        assert formats.load(tmp_path / "a.TextGrid").difference(show) == dict.fromkeys(show.tracks, 0.0)


def test_talks_with_tabs(shared_data):
    for path in sorted(shared_data("nc-speech_textgrid").glob("*.TextGrid")):
        show = formats.load(path)
        assert set(show.tracks) == {"words", "phones"}
        words, phones = show["words"], show["phones"]
        assert len(words) > 40
        # Every word is made of phones.
        starts = {round(p.start, 3) for p in phones}
        assert np.mean([round(w.start, 3) in starts for w in words]) > 0.95


def test_only_the_tiers_asked_for(tmp_path):
    path = tmp_path / "a.TextGrid"
    SHOW.save(path, tiers=("phones", "words"))
    assert list(formats.load(path).tracks) == ["phones", "words"]
    with pytest.raises(DataError, match="no tier 'verbs'; there are: words, phones"):
        SHOW.save(path, tiers=("verbs",))
    with pytest.raises(DataError, match="no tier to write"):
        Performance().save(tmp_path / "b.TextGrid")
    with pytest.raises(DataError, match="style 'wide'"):
        SHOW.save(path, style="wide")
    with pytest.raises(DataError, match="half a character"):
        Performance({"t": Tier("t", (Interval(0, 1, "\ud800"),))}).save(tmp_path / "b.TextGrid")
    assert not (tmp_path / "b.TextGrid").exists()


def test_slivers_between_neighbours_are_closed(tmp_path):
    path = tmp_path / "a.TextGrid"
    tier = Tier("t", (Interval(0, 0.1 + 0.2, "a"), Interval(0.3, 0.6, "b"), Interval(0.6 + 1e-9, 1, "c")))
    Performance({"t": tier}).save(path)
    assert path.read_text().count("text = ") == 3
    assert formats.load(path).difference(Performance({"t": tier}))["t"] < 1e-8


def test_times_before_zero_and_nothing_at_all(tmp_path):
    path = tmp_path / "a.TextGrid"
    show = Performance({"t": Tier("t", (Interval(-1.5, -0.5, "a"),)), "u": Tier("u")})
    show.save(path)
    back = formats.load(path)
    assert back["t"].intervals == show["t"].intervals
    assert back.meta["textgrid"]["xmin"] == -1.5
    Performance({"u": Tier("u")}).save(path)
    assert formats.load(path)["u"].intervals == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(tiers(), min_size=1, max_size=3), st.sampled_from(["long", "short"]))
def test_any_tiers_come_back(tmp_path_factory, found, style):
    path = tmp_path_factory.mktemp("t") / "a.TextGrid"
    show = Performance({f"t{k}": t for k, t in enumerate(found)})
    show.save(path, style=style)
    back = formats.load(path)
    assert list(back.tracks) == list(show.tracks)
    for name, tier in show.tracks.items():
        # Intervals without label are Praat's gaps.
        wanted = [r for r in rows(tier) if r[2].strip() or r[0] == r[1]]
        assert rows(back[name]) == wanted


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("", "end of file", "ooTextFile"),
        ("hello", "end of file", "ooTextFile"),
        ('"ooTextFile"\n"Sound"', "line 2", "class"),
        ('"ooTextFile"\n"TextGrid"\n0\n"x"', "line 4", "xmax"),
        ('"ooTextFile"\n"TextGrid"\n0 1 <exists> 2.5', "line 3", "number of tiers"),
        ('"ooTextFile"\n"TextGrid"\n0 1 <exists> 99999999999', "line 3", "cut off"),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 1\n"WordTier" "a" 0 1 0', "line 2", "IntervalTier"),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 1\n"IntervalTier" "a" 0 1 1\n0 1 2', "line 3", "quoted label"),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 1\n"IntervalTier" "a" 0 1 1\n0 "x" 2', "line 3", "a time"),
        (
            '"ooTextFile" "TextGrid" 0 1 <exists> 1\n"IntervalTier" "a" 0 1 1\n2 1 "x"',
            "line 3",
            "before its end",
        ),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 1\n"IntervalTier" "a" 0 1 1\n0 1e999 "x"', "line 3", "time"),
        ('"ooTextFile" "TextGrid" 0 1 <exists> 1\n"IntervalTier" "a" 0 1 7\n0 1 "x"', "line 2", "as many"),
        (
            '"ooTextFile" "TextGrid" 0 1 <exists> 1\n"IntervalTier" "a" 0 1 1\n0 1 "x',
            "line 3",
            "quoted label",
        ),
    ],
)
def test_bad_files_are_refused_by_line(tmp_path, text, where, says):
    path = tmp_path / "a.TextGrid"
    path.write_text(text)
    with pytest.raises(FormatError, match=says) as error:
        formats.load(path)
    assert error.value.where == where


def test_damage_is_refused_or_survived(tmp_path):
    path = tmp_path / "a.TextGrid"
    for style in ("long", "short"):
        SHOW.save(path, style=style)
        for data in damaged(path.read_bytes()):
            refused_or_read(textgrid.read, path, data)


def test_no_file_makes_the_reader_look_twice(tmp_path):
    # Each of these took minutes if the reader's cost grew with the square of its size.
    head = '"ooTextFile" "TextGrid" 0 1 <exists> 1 "IntervalTier" "a" 0 1 1 '
    path = tmp_path / "a.TextGrid"
    for tail in (
        "a " * 400_000,
        '"' * 400_001,
        "! " * 400_000,
        "<" * 800_000,
        '""x' * 300_000,
        "-" * 800_000,
    ):
        assert refused_or_read(textgrid.read, path, (head + tail).encode()) is None


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from(['"a"', '"', '""', "0", "1", "2", "-1", "1e9", "<exists>", "!", "x", "\n", "nan"]),
        max_size=30,
    )
)
def test_any_tokens_are_refused_or_read(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("t") / "a.TextGrid"
    data = '"ooTextFile" "TextGrid" 0 1 <exists> 1 "IntervalTier" ' + " ".join(tokens)
    refused_or_read(textgrid.read, path, data.encode())
