"""SubRip: what is around is read, what is written comes back to the millisecond."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings

from kinesics import formats
from kinesics.errors import FormatError
from kinesics.formats import srt
from kinesics.performance import Interval, Performance, Tier
from tests.formats.tier_cases import SHOW, damaged, refused_or_read, rows, tiers

FILE = """1
00:00:01,000 --> 00:00:02,500
<i>Hi</i> <font color="#fff">there</font>
{\\an8}you

2
00:00:02.5 --> 0:0:4.25  X1:100 X2:200
a < b
3
00:00:04,000 --> 00:00:05,000

00:00:06 --> 00:00:07
42

5
00:00:07,000 --> 00:00:08,000
last"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_reads_what_is_around(tmp_path, newline, encoding):
    path = tmp_path / "a.srt"
    path.write_bytes(FILE.replace("\n", newline).encode(encoding))
    assert formats.load(path)["captions"].intervals == (
        Interval(1, 2.5, "Hi there\nyou"),
        Interval(2.5, 4.25, "a < b"),
        Interval(4, 5, ""),
        Interval(6, 7, "42"),
        Interval(7, 8, "last"),
    )


def test_windows_1252_is_told(tmp_path, caplog):
    path = tmp_path / "a.srt"
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\nnaïve – “q”\n".encode("cp1252"))
    with caplog.at_level(logging.WARNING):
        assert formats.load(path)["captions"].labels == ("naïve – “q”",)
    assert "cp1252" in caplog.text


def test_writes_words_as_lines(tmp_path):
    path = tmp_path / "a.srt"
    SHOW.save(path)
    assert path.read_text() == (
        '1\n00:00:00,100 --> 00:00:01,500\nHello, wörld "<&>" 日本.\n\n'
        "2\n00:00:01,500 --> 00:00:01,750\nAgain\n"
    )
    Performance({"captions": Tier("captions", (Interval(3661.0014, 3662, "a --> b\n\nc"),))}).save(path)
    assert path.read_text() == "1\n01:01:01,001 --> 01:01:02,000\na → b\nc\n"


@settings(max_examples=60, deadline=None)
@given(tiers(least=1))
def test_any_captions_come_back(tmp_path_factory, tier):
    path = tmp_path_factory.mktemp("t") / "a.srt"
    Performance({"t": tier}).save(path)
    back = formats.load(path)["captions"]
    # A label that is a tag, or nothing but a number above the next times, cannot be told from them.
    assert len(back) == len(tier)
    for mine, label in zip(back, tier.labels, strict=True):
        assert mine.label == label.strip() or "<" in label or "{" in label
    assert [(a, b) for a, b, _ in sorted(rows(back))] == sorted(
        (a, max(b, round(a + 0.001, 3))) for a, b, _ in rows(tier)
    )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("hello", "content"),
        ("1\n00:00 --> 00:01\nx", "line 2"),
        ("1\n00:00:01,000 --> soon\nx", "line 2"),
        ("1\n00:00:02,000 --> 00:00:01,000\nx", "line 2"),
    ],
)
def test_bad_files_are_refused_by_line(tmp_path, text, where):
    path = tmp_path / "a.srt"
    path.write_text(text)
    with pytest.raises(FormatError) as error:
        formats.load(path)
    assert error.value.where == where


def test_damage_is_refused_or_survived(tmp_path):
    for data in damaged(FILE.encode()):
        refused_or_read(srt.read, tmp_path / "a.srt", data)
    for tail in ("<font " * 100_000, "{\\" * 200_000, "1\n" * 200_000, " " * 400_000 + "-->"):
        refused_or_read(srt.read, tmp_path / "a.srt", ("1\n00:00:01,000 --> 00:00:02,000\n" + tail).encode())
