"""Examples of a system are made once, kept whole, and ready for the training loop."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from kinesics.corpora import Examples
from kinesics.errors import DataError, FormatError


def windows(show):
    for first in range(0, len(show.body) - 19, 20):
        yield {"root": show.body.root[first : first + 20], "word": np.int32(len(show.tier("words")))}


def test_examples_are_the_windows_of_all_clips(stage_corpus):
    found = stage_corpus.examples("train", windows, key="a")
    assert (len(found), found.split) == (9, "train")
    assert found.clips == ("clip_0",) * 3 + ("clip_1",) * 3 + ("clip_2",) * 3
    assert np.array_equal(found.item(4)["root"], stage_corpus.clip("clip_1").body.root[20:40])
    assert found.arrays["word"].tolist() == [2] * 9
    assert isinstance(found.arrays["root"], np.memmap)


def test_made_once_for_each_key_and_split(stage_corpus):
    first = stage_corpus.examples("train", windows, key="a")
    again = stage_corpus.examples("train", lambda _: pytest.fail("made again"), key="a")
    assert again.hash == first.hash
    assert stage_corpus.examples("train", windows, key="b").hash != first.hash
    assert stage_corpus.examples("test", windows, key="a").hash != first.hash


def test_workers_map_the_files_themselves(stage_corpus):
    found = stage_corpus.examples("train", windows, key="a")
    sent = pickle.dumps(found)
    assert len(sent) < 1000
    assert np.array_equal(pickle.loads(sent).arrays["root"], found.arrays["root"])


def test_what_does_not_fit_is_an_error_and_leaves_nothing(stage_corpus):
    def uneven(show):
        yield {"x": np.zeros(len(show.tiers))}
        yield {"x": np.zeros(3)}

    for make, words in (
        (uneven, "gave"),
        (lambda _: [], "no example"),
        (lambda _: [{"x": np.array(["a"])}], "numbers"),
    ):
        with pytest.raises(DataError, match=words):
            stage_corpus.examples("train", make, key="c")
    assert list((stage_corpus.path / ".examples").iterdir()) == []
    with pytest.raises(DataError, match="choose one of"):
        stage_corpus.examples("dev", windows, key="a")


def test_a_kill_leaves_nothing_half_and_damage_is_told(stage_corpus):
    def killed(show):
        yield from windows(show)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage_corpus.examples("train", killed, key="a")
    found = stage_corpus.examples("train", windows, key="a")
    with (found._folder / "0.bin").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(FormatError, match="remove this folder"):
        Examples(found._folder, "train")


def test_who_a_clip_shows_is_told_as_a_number(stage_corpus):
    found = stage_corpus.examples("train", lambda show: [{"who": np.int64(show.meta["speaker"])}], key="who")
    names = [stage_corpus.speakers[k] for k in found.arrays["who"]]
    assert names == [stage_corpus.entry(clip).speaker for clip in found.clips]
    assert len(set(names)) > 1
