"""WebVTT: captions and karaoke, lenient where files differ, exact to the millisecond."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats import webvtt
from kinesics.performance import Interval, Performance, Tier
from tests.formats.tier_cases import SHOW, WORDS, damaged, refused_or_read, rows, tiers

FILE = """WEBVTT - a title
Kind: captions

STYLE
::cue(b) { color: red }

REGION
id:fred

NOTE one
comment

id 1
00:01.000 --> 00:02.500 align:start position:10%
<v Ann Lee>hi <i>there</i> &amp; &lt;you&gt;&nbsp;all</v>
<v.loud Bob>yo</v>
7
00:00:02.000 --> 100:00:03.000
one<00:00:02.500><c> two</c><00:00:02.750> <00:00:04.000><c.x> three</c>

NOTE

00:05.000 --> 00:05.000
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_reads_what_there_is(tmp_path, newline, encoding):
    path = tmp_path / "a.vtt"
    path.write_bytes(FILE.replace("\n", newline).encode(encoding))
    show = formats.load(path)
    assert show["captions"].intervals == (
        Interval(1, 2.5, "hi there & <you>\u00a0all\nyo"),
        Interval(2, 360003, "one two  three"),
        Interval(5, 5, ""),
    )
    assert rows(show["words"]) == [(2, 2.5, "one"), (2.5, 2.75, "two"), (4, 360003, "three")]
    assert rows(show["voices"]) == [(1, 2.5, "Ann Lee"), (1, 2.5, "Bob")]
    assert show.meta["webvtt"] == {"notes": 2, "styles": 1, "regions": 1, "settings": 1}


def test_words_become_captions_with_karaoke(tmp_path, caplog):
    path = tmp_path / "a.vtt"
    with caplog.at_level(logging.WARNING):
        SHOW.save(path)
    assert "no place for the values" in caplog.text
    assert path.read_text() == (
        "WEBVTT\n\n00:00:00.100 --> 00:00:01.500\n"
        'Hello, <00:00:00.400>wörld "&lt;&amp;&gt;"<00:00:00.900> <00:00:01.250>日本.\n\n'
        "00:00:01.500 --> 00:00:01.750\n<c.word>Again</c>\n"
    )
    back = formats.load(path)
    assert rows(back["words"]) == rows(WORDS)
    assert back["captions"].labels == ('Hello, wörld "<&>" 日本.', "Again")
    back.save(tmp_path / "b.vtt")
    assert (tmp_path / "b.vtt").read_bytes() == path.read_bytes()
    SHOW.save(path, karaoke=False)
    assert "words" not in formats.load(path)


def test_captions_end_where_sentences_phrases_and_pauses_do(tmp_path):
    def captions(words, **tracks):
        path = tmp_path / "a.vtt"
        Performance({"words": Tier("words", tuple(words)), **tracks}).save(path)
        return formats.load(path)["captions"].labels

    steady = [Interval(k / 4, k / 4 + 0.25, "word") for k in range(40)]
    assert [len(c) for c in captions(steady)] == [84, 84, 29]
    slow = [Interval(1.5 * k, 1.5 * k + 1, "word") for k in range(4)]
    assert len(captions([Interval(i.start, i.start + 1.5, "word") for i in slow])) == 1
    assert len(captions(slow)) == 1  # pauses of half a second are none
    assert len(captions([Interval(2 * k, 2 * k + 1, "word") for k in range(4)])) == 4
    assert captions([Interval(0, 1, "So."), Interval(1, 2, 'Yes!"'), Interval(2, 3, "e.g.")]) == (
        "So.",
        'Yes!"',
        "e.g.",
    )
    phrases = Tier("phrases", (Interval(0, 0.5, "statement"), Interval(0.5, 10, "question")))
    assert captions(steady[:6], phrases=phrases) == ("word word", "word word word word")


def test_which_tier(tmp_path, caplog):
    path = tmp_path / "a.vtt"
    SHOW.save(path, tier="gestures")
    assert rows(formats.load(path)["captions"]) == rows(SHOW["gestures"])
    with pytest.raises(DataError, match="no tier 'x'; there are: words"):
        SHOW.save(path, tier="x")
    with pytest.raises(DataError, match="choose one with tier=: a, b"):
        Performance({"a": Tier("a"), "b": Tier("b")}).save(path)
    with pytest.raises(DataError, match="there is none"):
        Performance().save(path)
    with caplog.at_level(logging.INFO, "kinesics"):
        SHOW.save(path)
    assert "left out: phones, gestures, phases, empty" in caplog.text


def test_captions_with_the_words_they_spell(tmp_path):
    path = tmp_path / "a.vtt"
    words = Tier("words", (Interval(1.25, 1.5, "one"), Interval(1.5, 1.75, "two"), Interval(3, 3.5, "four")))
    captions = Tier("captions", (Interval(1, 2, "one\n\ntwo"), Interval(3, 4, "three")))
    Performance({"words": words, "captions": captions}).save(path)
    back = formats.load(path)
    assert rows(back["words"]) == rows(words)[:2]
    assert back["captions"].labels == ("one two", "three")


@settings(max_examples=60, deadline=None)
@given(tiers(least=1))
def test_any_captions_come_back(tmp_path_factory, tier):
    path = tmp_path_factory.mktemp("t") / "a.vtt"
    Performance({"t": tier}).save(path)
    back = formats.load(path)["captions"]
    wanted = [(a, max(b, round(a + 0.001, 3)), label.strip()) for a, b, label in rows(tier)]
    assert sorted((a, b, label) for a, b, label in rows(back)) == sorted(wanted)


_word = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900), _word), min_size=1, max_size=12))
def test_any_words_come_back(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("t") / "a.vtt"
    at, words = 0, []
    for gap, length, label in steps:
        words.append(Interval((at + gap) / 1000, (at + gap + length) / 1000, label))
        at += gap + length
    Performance({"words": Tier("words", tuple(words))}).save(path)
    assert rows(formats.load(path)["words"]) == rows(Tier("words", tuple(words)))


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("", "line 1", "WEBVTT"),
        ("WEBVTTX\n", "line 1", "WEBVTT"),
        ("WEBVTT\n\n1 --> 2\nx", "line 3", "00:00.000"),
        ("WEBVTT\n\n00:00.000 --> 00:61.000\nx", "line 3", "00:00.000"),
        ("WEBVTT\n\n00:02.000 --> 00:01.000\nx", "line 3", "an end after the start"),
        ("WEBVTT\n\n00:00.000 -->\n", "line 3", "00:00.000"),
    ],
)
def test_bad_files_are_refused_by_line(tmp_path, text, where, says):
    path = tmp_path / "a.vtt"
    path.write_text(text)
    with pytest.raises(FormatError, match=says) as error:
        formats.load(path)
    assert error.value.where == where


def test_times_in_a_cue_that_are_no_order(tmp_path):
    path = tmp_path / "a.vtt"
    path.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\na<00:00:00.500>b<00:00:09.000>c<99:99>d\n")
    assert rows(formats.load(path)["words"]) == [(1, 1, "a"), (1, 2, "b"), (2, 2, "cd")]


def test_damage_is_refused_or_survived(tmp_path):
    for data in damaged(FILE.encode()):
        refused_or_read(webvtt.read, tmp_path / "a.vtt", data)
    big = "WEBVTT\n\n00:00.000 --> 00:01.000\n"
    for tail in ("<" * 400_000, "<a" * 200_000, " " * 400_000, "&" * 400_000, "-->\n"):
        refused_or_read(webvtt.read, tmp_path / "a.vtt", (big + tail).encode())
