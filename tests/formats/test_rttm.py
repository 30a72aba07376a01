"""RTTM: turns of speakers."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats import rttm
from kinesics.performance import Interval, Performance, Tier
from tests.formats.tier_cases import damaged, refused_or_read

FILE = """;; a comment
SPKR-INFO meet 1 <NA> <NA> <NA> adult_female ann <NA> <NA>
SPEAKER meet 1 6.690 0.430 <NA> <NA> ann 0.75 <NA>
SPEAKER meet 1 7.000 0.800 <NA> <NA> bob <NA> <NA>
LEXEME meet 1 6.69 0.2 hello lex ann 0.5 <NA>
NON-SPEECH meet 1 9 1 <NA> laugh <NA> <NA> <NA>
"""


def test_turns_words_and_noises(tmp_path):
    path = tmp_path / "a.rttm"
    path.write_text(FILE)
    show = formats.load(path)
    assert show["turns"].intervals == (
        Interval(6.69, 7.12, "ann", None, 0.75),
        Interval(7.0, 7.8, "bob"),
    )
    assert show["words"].intervals == (Interval(6.69, 6.89, "hello", None, 0.5),)
    assert len(show["non-speech"]) == 1
    assert show.meta["rttm"] == {"file": "meet", "skipped": 1}


def test_two_recordings_are_not_mixed(tmp_path):
    path = tmp_path / "a.rttm"
    path.write_text(FILE + FILE.replace("meet", "other").replace("ann", "eve"))
    with pytest.raises(FormatError, match="file=: meet, other"):
        formats.load(path)
    assert formats.load(path, file="other")["turns"].labels == ("eve", "bob")
    with pytest.raises(FormatError, match="choose one of: meet, other"):
        formats.load(path, file="third")


def test_a_real_dialogue(shared_data, tmp_path):
    path = shared_data("free-speech") / "align" / "pyannote_two_speakers.rttm"
    show = formats.load(path)
    assert set(show["turns"].labels) == {"speaker90", "speaker91"}
    assert (show["turns"][0].start, show["turns"][0].end) == (6.69, 7.12)
    assert len(show["turns"]) == path.read_text().count("SPEAKER")
    show.save(tmp_path / "sample.rttm")
    assert formats.load(tmp_path / "sample.rttm")["turns"] == show["turns"]


def test_writing(tmp_path, caplog):
    path = tmp_path / "my talk.rttm"
    turns = Tier("turns", (Interval(0.5, 1.75, "Ann Lee", 3.0, 0.5), Interval(1, 2, "")))
    show = Performance({"turns": turns, "words": Tier("words")})
    with caplog.at_level(logging.WARNING):
        show.save(path)
    assert path.read_text() == (
        "SPEAKER my_talk 1 0.500000 1.250000 <NA> <NA> Ann_Lee 0.5 <NA>\n"
        "SPEAKER my_talk 1 1.000000 1.000000 <NA> <NA> <NA> <NA> <NA>\n"
    )
    assert "values" in caplog.text
    show.save(path, tier="words", file="x")
    assert path.read_text() == ""
    with pytest.raises(DataError, match="no tier 'turns'"):
        Performance({"a": Tier("a"), "b": Tier("b")}).save(path)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**9),
            st.integers(0, 10**7),
            st.sampled_from(["a", "b"]),
            st.sampled_from([1.0, 0.25]),
        ),
        max_size=8,
    )
)
def test_any_turns_come_back(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("t") / "a.rttm"
    tier = Tier(
        "turns", tuple(Interval(a / 1e6, (a + d) / 1e6, who, None, sure) for a, d, who, sure in found)
    )
    Performance({"turns": tier}).save(path)
    back = formats.load(path)["turns"]
    for mine, theirs in zip(sorted(back, key=str), sorted(tier, key=str), strict=True):
        assert (mine.label, mine.confidence) == (theirs.label, theirs.confidence)
        assert abs(mine.start - theirs.start) < 1e-8
        assert abs(mine.end - theirs.end) < 1e-6


@pytest.mark.parametrize("line", ["SPEAKER", "SPEAKER a 1 x 1 <NA> <NA> b", "SPEAKER a 1 1 -1 <NA> <NA> b", "SPEAKER a 1 nan 1 <NA> <NA> b", "hello world"])  # fmt: skip
def test_bad_lines_are_named(tmp_path, line):
    path = tmp_path / "a.rttm"
    path.write_text(FILE + line)
    with pytest.raises(FormatError) as error:
        formats.load(path)
    assert error.value.where == "line 7"


def test_damage_is_refused_or_survived(tmp_path):
    for data in damaged(FILE.encode()):
        refused_or_read(rttm.read, tmp_path / "a.rttm", data)
