"""Opening a prepared folder, whatever has become of it, and taking windows from it."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinesics import corpora
from kinesics.corpora import Corpus, Entry, Window
from kinesics.errors import DataError, FormatError, KinesicsError


def test_the_registry_lists_six():
    assert list(corpora.available()) == ["beat", "beat2", "cmu", "mead", "stage", "ted"]
    for name, recipe in corpora.available().items():
        assert recipe.name == name
        for word in ("From:", "Licence:", "Size:", "Cite:"):
            assert word in recipe.about()
    with pytest.raises(DataError, match="choose one of: beat, beat2"):
        corpora.get("imagenet")


def test_modules_have_exactly_two_public_functions():
    for name in corpora.available():
        module = __import__(f"kinesics.corpora.{name}", fromlist=["x"])
        assert module.__all__ == ["download", "prepare"]


def test_names_splits_and_speakers(stage_corpus):
    corpus = Corpus.open(stage_corpus.path)
    assert corpus.names("train") == ("clip_0", "clip_1", "clip_2")
    assert corpus.names("train", speaker="s1") == ("clip_2",)
    assert corpus.licence.startswith("yours")
    assert "4 clips" in repr(corpus)
    for wrong in ({"split": "dev"}, {"speaker": "s9"}):
        with pytest.raises(DataError, match="choose one of"):
            corpus.names(**wrong)
    with pytest.raises(DataError, match="no clip 'x'"):
        corpus.clip("x")


def test_windows_lie_within_their_clip(stage_corpus):
    windows = stage_corpus.windows(1.0, 0.5, "test")
    assert windows == [Window("clip_3", 0.0, 1.0), Window("clip_3", 0.5, 1.5), Window("clip_3", 1.0, 2.0)]
    part = stage_corpus.cut(windows[1])
    assert len(part.body) == 30
    assert part.tier("words").labels == ("hello", "you")
    assert part.duration == pytest.approx(1.0)
    assert stage_corpus.windows(2.0, split="test") == [Window("clip_3", 0.0, 2.0)]
    assert stage_corpus.windows(2.1) == []
    for wrong in ((0, 1), (1, 0), (float("nan"), 1), (1, float("inf"))):
        with pytest.raises(DataError):
            stage_corpus.windows(*wrong)


def test_an_altered_index_is_found_out(stage_corpus):
    path = stage_corpus.path / "index.jsonl"
    text = path.read_text()
    path.write_text(text.replace('"split": "train"', '"split": "test"', 1))
    with pytest.raises(FormatError, match="hash"):
        Corpus.open(stage_corpus.path)


@pytest.mark.parametrize("name", ["../../secret", "a/b", ".hidden", "", "x" * 300, "a\\b"])
def test_names_never_lead_out_of_the_folder(name):
    line = json.loads(Entry("ok").line()) | {"name": name}
    with pytest.raises(ValueError, match="name"):
        Entry.of_line(json.dumps(line))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_folders_give_our_errors(stage_corpus, data):
    name = data.draw(st.sampled_from(["index.jsonl", "corpus.json"]))
    path = stage_corpus.path / name
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.sampled_from(["cut", "byte", "null"]))
    bad = {
        "cut": whole[:at],
        "byte": whole[:at] + b"\xff" + whole[at + 1 :],
        "null": b'{"name": null, "version": 1}\n',
    }[cut]
    try:
        path.write_bytes(bad)
        Corpus.open(stage_corpus.path)
    except KinesicsError:
        pass
    finally:
        path.write_bytes(whole)
