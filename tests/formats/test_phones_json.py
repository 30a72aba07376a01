"""Words and phones as JSON, of every tool that writes them, and our own."""

from __future__ import annotations

import json
import logging
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats import _phones_json_read, phones_json
from kinesics.performance import Interval, Performance, Tier
from tests.formats.tier_cases import SHOW, WORDS, damaged, refused_or_read, rows, tiers

GENTLE = {
    "transcript": "the oov cat",
    "words": [
        {"alignedWord": "the", "case": "success", "start": 0.1, "end": 0.3, "word": "the", "startOffset": 0, "phones": [{"duration": 0.05, "phone": "dh_B"}, {"duration": 0.15, "phone": "ah_E"}]},
        {"case": "not-found-in-audio", "word": "oov", "startOffset": 4},
        {"alignedWord": "cat", "case": "success", "start": 0.5, "end": 0.75, "word": "cat", "phones": []},
    ],
}  # fmt: skip
WHISPER = {
    "text": " Hello there.",
    "segments": [
        {"id": 0, "start": 0.0, "end": 1.5, "text": " Hello there.", "tokens": [1, 2], "words": [{"word": " Hello", "start": 0.0, "end": 0.5, "probability": 0.9}, {"word": " there.", "start": 0.5, "end": 1.5, "probability": 1.00001}]},
    ],
    "language": "en",
}  # fmt: skip
WHISPERX = {
    "segments": [{"start": 0.0, "end": 2.0, "text": "In 2024", "speaker": "SPEAKER_00", "words": [{"word": "In", "start": 0, "end": 1, "score": 0.5}, {"word": "2024"}]}],
    "word_segments": [],
}  # fmt: skip
SPHINX = '{"b":0.000,"d":0.9,"p":1.000,"t":"and so","w":[{"b":0.000,"d":0.2,"p":0.9,"t":"<sil>","w":[{"b":0,"d":0.2,"p":0.9,"t":"SIL"}]},{"b":0.2,"d":0.17,"p":0.9,"t":"and(2)","w":[]},{"b":0.37,"d":0.53,"p":0.9,"t":"so"}]}\n'
AVCT = [
    {"word": "sil", "phones": [{"ph": "SIL", "bg": 0, "ed": 39}]},
    {"word": "HI", "phones": [{"ph": "HH", "bg": 39, "ed": 51}, {"ph": "AY", "bg": 51, "ed": 60}]},
]  # fmt: skip
AENEAS = {"fragments": [{"begin": "0.000", "end": "2.680", "id": "f1", "language": "eng", "lines": ["one", "two"], "children": []}]}  # fmt: skip
LHOTSE = [
    {"id": "a", "recording_id": "r", "start": 1.0, "duration": 2.0, "channel": 0, "text": "hi you", "speaker": "ann", "alignment": {"word": [["hi", 1.0, 0.5, 0.5], ["you", 1.5, 0.5, None]], "phone": [{"symbol": "HH", "start": 1.0, "duration": 0.25, "score": None}]}},
]  # fmt: skip


def read(tmp_path, value, name="a.json"):
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    if name == "a.json":
        assert phones_json.recognises(path)
    return formats.load(path)


def test_gentle(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        show = read(tmp_path, GENTLE)
    assert rows(show["words"]) == [(0.1, 0.3, "the"), (0.5, 0.75, "cat")]
    assert rows(show["phones"]) == [(0.1, 0.15, "DH"), (0.15, 0.3, "AH")]
    assert show.meta["phones_json"] == {"layout": "gentle", "untimed": 1}
    assert "1 words have no times" in caplog.text


def test_whisper_and_its_kin(tmp_path):
    show = read(tmp_path, WHISPER)
    assert show["captions"].labels == ("Hello there.",)
    assert show["words"].intervals == (Interval(0, 0.5, "Hello", None, 0.9), Interval(0.5, 1.5, "there."))
    show = read(tmp_path, WHISPERX)
    assert show["turns"].labels == ("SPEAKER_00",)
    assert show["words"][0].confidence == 0.5
    assert show.meta["phones_json"]["untimed"] == 1
    # An hour's text comes before the first segment.
    assert (
        len(read(tmp_path, {"text": "word " * 20_000, **{k: WHISPER[k] for k in ("segments",)}})["words"])
        == 2
    )
    assert read(tmp_path, {"words": [{"word": "a", "start": 0, "end": 1}]})["words"].labels == ("a",)


def test_pocketsphinx(tmp_path):
    show = read(tmp_path, SPHINX * 2)
    assert rows(show["words"])[:2] == [(0.2, 0.37, "and"), (0.2, 0.37, "and")]
    assert show["phones"].labels == ("SIL", "SIL")
    assert len(show["captions"]) == 2


def test_avct_counts_hundredths(tmp_path):
    show = read(tmp_path, AVCT)
    assert rows(show["phones"]) == [(0, 0.39, "SIL"), (0.39, 0.51, "HH"), (0.51, 0.6, "AY")]
    assert rows(show["words"]) == [(0.39, 0.6, "HI")]


def test_aeneas_and_lhotse(tmp_path):
    assert rows(read(tmp_path, AENEAS)["captions"]) == [(0, 2.68, "one\ntwo")]
    show = read(tmp_path, LHOTSE)
    assert rows(show["captions"]) == [(1, 3, "hi you")]
    assert rows(show["turns"]) == [(1, 3, "ann")]
    assert [i.confidence for i in show["words"]] == [0.5, 1.0]
    assert rows(show["phones"]) == [(1, 1.25, "HH")]
    with pytest.raises(FormatError, match="one recording, found a second"):
        read(tmp_path, [*LHOTSE, {**LHOTSE[0], "recording_id": "s"}])
    cut = {"id": "c", "supervisions": LHOTSE, "type": "MonoCut"}
    assert rows(read(tmp_path, cut)["captions"]) == rows(show["captions"])
    with pytest.raises(FormatError, match=r"one cut, found 2 \(c, c"):
        read(tmp_path, [cut, cut])
    mixed = [{"id": "m", "tracks": [{"cut": cut, "offset": 0}, {"cut": cut, "offset": 10.0}]}]
    assert [i.start for i in read(tmp_path, mixed)["words"]] == [1.0, 1.5, 11.0, 11.5]


def test_real_alignments(shared_data, tmp_path):
    folder = shared_data("free-speech") / "align"
    show = formats.load(folder / "librivox_sense_0870.phone.json")
    assert show["words"].labels[:4] == ("and", "mister", "john", "dashwood")
    assert len(show["phones"]) == 80
    assert show["words"][0].confidence == 0.975
    # Words are where their phones are, in both files that the aligner wrote.
    plain = formats.load(folder / "librivox_sense_0870.json")
    assert rows(plain["words"]) == rows(show["words"])
    assert len(formats.load(folder / "lhotse_ami_cuts.json")["captions"]) == 2
    assert formats.load(folder / "lhotse_2412_manifest.json")["turns"].labels == (
        "7850-286674",
        "2412-153948",
    )
    show.save(tmp_path / "a.phones.json")
    back = formats.load(tmp_path / "a.phones.json")
    assert {n: t.intervals for n, t in back.tracks.items()} == {
        n: t.intervals for n, t in show.tracks.items()
    }


def test_talking_faces_end_with_their_sound(shared_data):
    folder = shared_data("nc-speech_textgrid")
    for name in ("abstract", "obama2"):
        show = formats.load(folder / f"{name}.phonemes.json")
        with wave.open(str(folder / f"{name}.wav")) as sound:
            assert abs(show.duration - sound.getnframes() / sound.getframerate()) < 0.03


def test_what_we_write(tmp_path, caplog):
    path = tmp_path / "a.phones.json"
    with caplog.at_level(logging.WARNING):
        SHOW.save(path)
    assert "left out: gestures, phases, empty" in caplog.text
    value = json.loads(path.read_text())
    assert [s["text"] for s in value["segments"]] == ['Hello, wörld "<&>" 日本.', "Again"]
    assert value["segments"][0]["words"][0] == {"word": "Hello,", "start": 0.1, "end": 0.4, "probability": 0.9, "value": 0.5}  # fmt: skip
    back = formats.load(path)
    assert back["words"] == WORDS
    assert back["phones"] == SHOW["phones"]
    assert list(back.tracks) == ["words", "phones", "captions"]
    # What was read is written the same again.
    back.save(tmp_path / "b.phones.json")
    assert (tmp_path / "b.phones.json").read_bytes() == path.read_bytes()
    with pytest.raises(DataError, match="needs words, phones or captions"):
        Performance({"x": Tier("x")}).save(path)


@settings(max_examples=60, deadline=None)
@given(tiers(), tiers(), tiers(), st.booleans())
def test_any_tiers_come_back(tmp_path_factory, words, phones, captions, captioned):
    path = tmp_path_factory.mktemp("t") / "a.phones.json"
    found = {"words": words, "phones": phones, "turns": phones} | (
        {"captions": captions} if captioned else {}
    )
    stripped = {
        n: Tier(n, tuple(Interval(i.start, i.end, i.label.strip()) for i in t)) for n, t in found.items()
    }
    show = Performance(stripped)
    show.save(path)
    back = formats.load(path)
    for name, tier in show.tracks.items():
        if name == "captions":
            # Words outside all captions get some of their own.
            assert set(rows(tier)) <= set(rows(back[name]))
        elif name != "words" or tier:
            assert rows(back[name]) == rows(tier)


@pytest.mark.parametrize(
    ("value", "where", "says"),
    [
        ("", "content", "whisper, pocketsphinx, gentle"),
        ("{", "JSON", "well-formed"),
        ("[" * 100_000, "JSON", "well-formed"),
        ([], "content", "aeneas or lhotse"),
        ([3], "content", "lhotse"),
        ({"a": 1}, "content", "lhotse"),
        ({"segments": [3]}, "segments[0]", "an object"),
        ({"segments": [{"start": 0, "end": "x", "text": ""}]}, "segments[0]", "a number"),
        ({"segments": [{"start": 2, "end": 1, "text": ""}]}, "segments[0]", "start ≤ end"),
        ({"segments": [{"start": 0, "end": 1, "text": 3}]}, "segments[0]", "a text"),
        ({"segments": [{"start": 0, "end": 1e300, "text": ""}]}, "segments[0]", "seconds"),
        ({"segments": [{"start": 0, "end": True, "text": ""}]}, "segments[0]", "a number"),
        ({"segments": [], "phones": 3}, "phones", "a list"),
        ({"words": [{"case": "x", "start": 0, "end": 1, "word": "a", "phones": [{}]}]}, "words[0].phones[0].duration", "a number"),
        ({"fragments": 3}, "fragments", "a list"),
        ([{"word": "a", "phones": 3}], "[0].phones", "a list"),
        ([{"recording_id": "a", "start": 0, "duration": 1, "alignment": {"word": [["x"]]}}], "[0].alignment.'word'[0]", "symbol"),
        ([{"b": 0, "d": 1, "t": "x", "w": [{"b": 0, "d": 1}]}], "[0].w[0].t", "a text"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_by_place(tmp_path, value, where, says):
    path = tmp_path / "a.phones.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    with pytest.raises(FormatError, match=says) as error:
        formats.load(path)
    assert error.value.where == where


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from("start end text word words phones phone b d t w bg ed ph begin lines duration recording_id supervisions tracks cut alignment".split()), inner, max_size=5),
    max_leaves=14,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["segments", "words", "fragments", "supervisions", "b", "recording_id", "tracks"]),
    _json,
    st.dictionaries(
        st.sampled_from(["d", "t", "start", "duration", "case", "phones", "turns", "words"]),
        _json,
        max_size=4,
    ),
    st.booleans(),
)
def test_any_json_is_refused_or_read(tmp_path_factory, key, value, others, listed):
    path = tmp_path_factory.mktemp("t") / "a.phones.json"
    whole = {key: value, **others}
    refused_or_read(_phones_json_read.read, path, json.dumps([whole] if listed else whole).encode())


def test_damage_is_refused_or_survived(tmp_path):
    for value in (GENTLE, WHISPER, WHISPERX, AVCT, AENEAS, LHOTSE):
        for data in damaged(json.dumps(value).encode(), cuts=20, flips=30):
            refused_or_read(phones_json.read, tmp_path / "a.phones.json", data)
    for data in damaged((SPHINX * 2).encode(), cuts=20, flips=30):
        refused_or_read(phones_json.read, tmp_path / "a.phones.json", data)
