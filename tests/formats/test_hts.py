"""HTK, HTS, Audacity and Festival labels."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats import hts
from kinesics.performance import Interval, Performance, Tier
from tests.formats.tier_cases import PHONES, SHOW, damaged, refused_or_read, rows


def read(tmp_path, text, **options):
    path = tmp_path / "a.lab"
    path.write_text(text)
    return formats.load(path, **options)


def test_arctic_s_full_contexts(shared_data, tmp_path):
    path = shared_data("free-speech") / "align" / "arctic_a0009_phone.lab"
    show = formats.load(path)
    assert "".join(show["phones"].labels[:6]) == "silhhiyter" + "n"
    assert (show["phones"][1].start, show["phones"][1].end) == (0.13, 0.205)
    assert show["contexts"].labels[1].startswith("x^sil-hh+iy=t@1_2/A:0_0_0")
    assert show.meta["hts"] == {"layout": "htk"}
    # Written again it is the same file; with other phones, these are written.
    show.save(tmp_path / "b.lab")
    assert (tmp_path / "b.lab").read_text() == path.read_text()
    show.with_tracks(phones=PHONES).save(tmp_path / "b.lab", tier="phones")
    assert formats.load(tmp_path / "b.lab")["phones"].labels == PHONES.labels


def test_label_tracks_of_audacity(shared_data, tmp_path):
    show = formats.load(shared_data("free-speech") / "align" / "librivox_sense_0870.lab")
    assert show["labels"].intervals == (
        Interval(0.235689, 0.235689, "speech"),
        Interval(6.76169, 6.76169, "silence"),
    )
    assert show.meta["hts"] == {"layout": "seconds"}
    show = read(tmp_path, "0.5\t1.0\tone two\n\\\t100.0\t200.0\n1.5\t2.0\t\n", tier="words")
    assert rows(show["words"]) == [(0.5, 1.0, "one two"), (1.5, 2.0, "")]
    show.save(tmp_path / "b.lab", layout="seconds")
    assert (tmp_path / "b.lab").read_text() == "0.5000000\t1.0000000\tone two\n1.5000000\t2.0000000\t\n"


def test_levels_of_an_alignment(tmp_path):
    show = read(
        tmp_path,
        "0 100000 s2 -1.5 sil -3 SENT\n100000 200000 s3 -2\n200000 300000 s2 -1 a -2.5 A\n300000 400000 s2 -1 b -2.5\n",
    )
    assert rows(show["states"]) == [
        (0, 0.01, "s2"),
        (0.01, 0.02, "s3"),
        (0.02, 0.03, "s2"),
        (0.03, 0.04, "s2"),
    ]
    assert [i.value for i in show["states"]] == [-1.5, -2, -1, -1]
    assert rows(show["phones"]) == [(0, 0.02, "sil"), (0.02, 0.03, "a"), (0.03, 0.04, "b")]
    assert rows(show["words"]) == [(0, 0.02, "SENT"), (0.02, 0.04, "A")]


def test_states_and_triphones(tmp_path):
    show = read(
        tmp_path,
        "0 10 x^x-sil+a=b@1[2]\n10 20 x^x-sil+a=b@1[3]\n20 30 x^sil-a+b=c[2]\n30 40 x^sil-a+b=c[2]\n",
    )
    assert show["phones"].labels == ("sil", "a", "a")
    assert show["phones"][0].end == 20 / 1e7
    assert len(show["contexts"]) == 4
    assert read(tmp_path, "0 10 sil\n10 20 s-ih+l\n20 30 ih-l\n30 40 t+a\n")["phones"].labels == (
        "sil",
        "ih",
        "l",
        "t",
    )
    # A hyphen alone makes no triphone.
    assert read(tmp_path, "0 10 uh-huh\n10 20 yes\n")["phones"].labels == ("uh-huh", "yes")
    assert "contexts" not in read(tmp_path, "0 10 uh-huh\n")


def test_labels_of_festival(tmp_path):
    show = read(tmp_path, "separator ;\nnfields 1\n#\n    0.1450 125 pau\n 0.25 125 hh ; x\n")
    assert rows(show["phones"]) == [(0, 0.145, "pau"), (0.145, 0.25, "hh ; x")]
    assert show.meta["hts"] == {"layout": "xlabel"}


def test_a_missing_end_is_the_next_start(tmp_path):
    assert rows(read(tmp_path, "0 a\n5000000 10000000 b\n")["phones"]) == [(0, 0.5, "a"), (0.5, 1, "b")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("THIS IS THE ACOUSTIC CORPUS\n", "transcripts"),
        ("1945 WAS A YEAR\n", "no line has two times"),
        ("sil\na\nb\n", "without times"),
        ("#!MLF!#\n", "master label file"),
        ("0 100 a\nx 200 b\n", "line 2"),
        ("0 100 a\n300 200 b\n", "end after the start"),
        ("0.0 1e999 a\n", "end after the start"),
        ("#\n0.5 1 a\n0.25 1 b\n", "not before"),
        ("#\nx y z\n", "colour"),
    ],
)
def test_what_has_no_times_is_explained(tmp_path, text, says):
    with pytest.raises(FormatError, match=says):
        read(tmp_path, text)


def test_writing(tmp_path, caplog):
    path = tmp_path / "a.lab"
    with caplog.at_level(logging.WARNING):
        SHOW.save(path, tier="words")
    assert path.read_text() == (
        '1000000 4000000 Hello, 0.5\n4000000 9000000 wörld_"<&>"\n12500000 15000000 日本.\n15000000 17500000 Again\n'
    )
    assert "confidences of: words" in caplog.text
    assert "1 labels had blanks" in caplog.text
    assert formats.load(path, tier="words")["words"][0].value == 0.5
    SHOW.save(path)
    assert rows(formats.load(path)["phones"], 7) == rows(PHONES, 7)
    with pytest.raises(DataError, match="no tier 'phones' to write as labels; there are: a, b"):
        Performance({"a": Tier("a"), "b": Tier("b")}).save(path)
    Performance({"a": Tier("a", (Interval(0, 1, ""),))}).save(path)
    assert path.read_text() == "0 10000000 _\n"
    Performance({"a": Tier("a")}).save(path)
    assert len(formats.load(path)["phones"]) == 0


_phone = st.from_regex(r"[A-Za-z@:_~]{1,4}[0-2]?", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**8), st.integers(0, 10**7), _phone, st.none() | st.integers(-99, 99)),
        max_size=8,
    )
)
def test_any_phones_come_back(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("t") / "a.lab"
    tier = Tier("phones", tuple(Interval(a / 1e7, (a + d) / 1e7, p, v) for a, d, p, v in found))
    Performance({"phones": tier}).save(path)
    back = formats.load(path)["phones"]
    assert sorted((i.start, i.end, i.label, i.value or 0) for i in back) == sorted(
        (i.start, i.end, i.label, i.value or 0) for i in tier
    )


def test_damage_is_refused_or_survived(tmp_path):
    full = "0 1300000 x^x-sil+hh=iy@x_x/A:0_0_0\n1300000 2050000 x^sil-hh+iy=t@1_2[2]\n2050000 3000000 x^sil-hh+iy=t@1_2[3]\n"
    levels = "0 100000 s2 -1.5 sil -3 SENT\n100000 200000 s3 -2\n200000 300000 s2 -1 a -2.5 A\n"
    for text in (full, levels, "0.5\t1.0\tone two\n", "#\n0.5 125 a\n"):
        for data in damaged(text.encode(), cuts=30, flips=40):
            refused_or_read(hts.read, tmp_path / "a.lab", data)
    for label in ("^" * 20_000, "-" * 20_000, "a-" * 20_000, "a+" * 20_000, "[" * 20_000, "x^" * 9000 + "-"):
        refused_or_read(hts.read, tmp_path / "a.lab", f"0 1 {label}\n1 2 s-ih+l\n".encode())
