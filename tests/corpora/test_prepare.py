"""Preparing goes on after a kill, names what is bad, and gives the same corpus however it was done."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kinesics import corpora
from kinesics.corpora import _prepare, stage
from kinesics.errors import DataError, FormatError


def prepare(source, target, **options):
    return corpora.get("stage").prepare(source, target, **{"fps": 30, **options})


def test_prepared_clips_are_what_the_source_holds(stage_corpus, talk_of):
    assert len(stage_corpus) == 4
    assert stage_corpus.splits == {"test": 1, "train": 3}
    assert stage_corpus.speakers == ("s0", "s1")
    clip = stage_corpus.clip("clip_2")
    assert clip.difference(_at30(talk_of(2)))["body"] < 1e-3
    assert clip.face.fps == 30
    assert clip.tier("words").labels == ("hello", "you")
    assert clip.meta["corpus"]["speaker"] == "s1"
    assert isinstance(clip.body.rotations.base, np.ndarray), "samples are mapped, not read"
    assert stage_corpus.verify() == []


def _at30(show):
    return show.with_tracks(body=show.body.resample(30), face=show.face.resample(30))


def test_the_same_source_gives_the_same_hash(stage_source, stage_corpus, tmp_path):
    assert prepare(stage_source, tmp_path / "again").hash == stage_corpus.hash
    assert prepare(stage_source, tmp_path / "slow", fps=15).hash != stage_corpus.hash


def test_several_processes_give_the_same(stage_source, stage_corpus, tmp_path):
    assert prepare(stage_source, tmp_path / "two", jobs=2).hash == stage_corpus.hash


def test_a_killed_run_goes_on_where_it_stopped(stage_source, stage_corpus, tmp_path, monkeypatch):
    target = tmp_path / "killed"
    work, seen = _prepare._work, []

    def killed(job):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(job.item.name)
        return work(job)

    monkeypatch.setattr(_prepare, "_work", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(stage_source, target)
    with pytest.raises(DataError, match="not finished"):
        corpora.Corpus.open(target)
    # A kill in the middle of writing leaves half a line and half a file.
    with (target / ".index.part").open("a") as file:
        file.write('{"name": "clip_2", "spl')
    (target / "clips" / "clip_2.kin").write_bytes(b"half")
    done: list[str] = []
    monkeypatch.setattr(_prepare, "_work", lambda job: done.append(job.item.name) or work(job))
    assert prepare(stage_source, target).hash == stage_corpus.hash
    assert seen == ["clip_0", "clip_1"]
    assert done == ["clip_2", "clip_3"]
    assert not (target / ".index.part").exists()


def test_a_clip_lost_since_is_made_again(stage_source, tmp_path):
    corpus = prepare(stage_source, tmp_path / "c")
    (corpus.path / "clips" / "clip_1.kin").unlink()
    assert corpus.verify() == ["clip_1"]
    with pytest.raises(FormatError, match="clip_1"):
        corpus.clip("clip_1")
    assert prepare(stage_source, tmp_path / "c").verify() == []


def test_another_rate_or_other_files_are_refused(stage_source, tmp_path):
    prepare(stage_source, tmp_path / "c")
    with pytest.raises(DataError, match="another folder"):
        prepare(stage_source, tmp_path / "c", fps=15)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear")
    with pytest.raises(DataError, match="something else"):
        prepare(stage_source, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "dear"


def test_a_bad_clip_is_an_error_that_names_it(stage_source, tmp_path):
    source = shutil.copytree(stage_source, tmp_path / "source")
    bad = source / "speaker_1" / "clip_2.kin"
    bad.write_bytes(bad.read_bytes()[:5000])
    with pytest.raises(FormatError, match=r"clip_2\.kin"):
        prepare(source, tmp_path / "c")
    assert not (tmp_path / "c" / ".completed").exists()


def test_a_bad_clip_is_skipped_on_request_and_told(stage_source, tmp_path, caplog):
    source = shutil.copytree(stage_source, tmp_path / "source")
    bad = source / "speaker_1" / "clip_2.kin"
    whole = bad.read_bytes()
    bad.write_bytes(whole[:5000])
    with caplog.at_level(logging.WARNING):
        corpus = prepare(source, tmp_path / "c", skip_bad=True)
    assert "skipped clip_2" in caplog.text
    assert list(corpus) == ["clip_0", "clip_1", "clip_3"]
    assert [(e.name, "clip_2.kin" in e.skipped) for e in corpus.skipped] == [("clip_2", True)]
    lines = [json.loads(x) for x in (corpus.path / "index.jsonl").read_text().splitlines()]
    assert [x["name"] for x in lines if x["skipped"]] == ["clip_2"]
    bad.write_bytes(whole)
    assert len(prepare(source, tmp_path / "c", skip_bad=True)) == 4, "what was mended is read"


def test_nothing_but_bad_clips_is_an_error(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.kin").write_bytes(b"no")
    with pytest.raises(DataError, match="all 1 clips are bad"):
        prepare(tmp_path / "source", tmp_path / "c", skip_bad=True)


@pytest.mark.parametrize("name", ["beat", "beat2", "cmu", "mead", "stage", "ted"])
def test_an_empty_or_missing_source_is_an_error(name, tmp_path):
    (tmp_path / "empty").mkdir()
    for source in ("empty", "nowhere"):
        with pytest.raises(DataError):
            corpora.get(name).prepare(tmp_path / source, tmp_path / "target", fps=30, jobs=1)
    assert not (tmp_path / "target").exists()


def test_a_full_disk_is_no_bad_clip(stage_source, tmp_path, monkeypatch):
    def full(*_):
        raise DataError("cannot write: No space left on device")

    monkeypatch.setattr(_prepare.kin, "write", full)
    with pytest.raises(DataError, match="No space"):
        prepare(stage_source, tmp_path / "c", skip_bad=True)


def test_two_clips_of_one_name_keep_their_folders(stage_source, tmp_path):
    source = shutil.copytree(stage_source, tmp_path / "source")
    shutil.copy(source / "speaker_0" / "clip_0.kin", source / "speaker_1" / "clip_0.kin")
    assert {"speaker_0__clip_0", "speaker_1__clip_0"} <= set(prepare(source, tmp_path / "c"))


def test_splits_where_nothing_says_them(tmp_path, show):
    for k in range(20):
        folder = tmp_path / "source" / f"p{k // 2:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        show.with_tracks(body=None, face=None).save(folder / f"c{k:02d}.kin")
    corpus = stage.prepare(tmp_path / "source", tmp_path / "c")
    assert (corpus.names("val"), corpus.names("test")) == (("c04", "c14"), ("c09", "c19"))
    # The same folder again, with people held out: clips whose split has changed say so themselves.
    corpus = stage.prepare(tmp_path / "source", tmp_path / "c", held_out="speakers")
    assert (corpus.names("val"), corpus.names("test")) == (("c08", "c09"), ("c18", "c19"))
    assert corpus.clip("c08").meta["corpus"]["split"] == "val"


def test_what_has_changed_since_is_read_again(stage_source, tmp_path, show):
    source = shutil.copytree(stage_source, tmp_path / "source")
    before = prepare(source, tmp_path / "c").hash
    show.with_tracks(words=None).save(source / "speaker_0" / "clip_0.kin")
    corpus = prepare(source, tmp_path / "c")
    assert corpus.hash != before
    assert "words" not in corpus.clip("clip_0")
    (source / "speaker_0" / "clip_0.kin").unlink()
    corpus = prepare(source, tmp_path / "c")
    assert list(corpus) == ["clip_1", "clip_2", "clip_3"]
    assert not (corpus.path / "clips" / "clip_0.kin").exists()


def test_a_stage_that_was_not_finished_is_refused(stage_source, tmp_path):
    source = shutil.copytree(stage_source, tmp_path / "source")
    (source / "corpus.json").rename(source / "manifest.json")
    with pytest.raises(DataError, match="not finished"):
        prepare(source, tmp_path / "c")


def test_the_licence_of_the_source_goes_along(stage_source, tmp_path):
    source = shutil.copytree(stage_source, tmp_path / "source")
    (source / "corpus.json").write_text('{"licence": "CC0; speech by espeak-ng"}')
    corpus = prepare(source, tmp_path / "c")
    assert corpus.licence == "CC0; speech by espeak-ng"
    assert corpus.clip("clip_0").meta["corpus"]["licence"] == "CC0; speech by espeak-ng"


SCRIPT = """
import sys, time
from kinesics import corpora
from kinesics.corpora import _prepare
if __name__ == "__main__":
    results = _prepare._results
    def slow(todo, jobs):
        for entry in results(todo, jobs):
            yield entry
            print(entry.name, *pids(), flush=True)
            time.sleep(30)
    def pids():
        from multiprocessing import active_children
        return [p.pid for p in active_children()]
    _prepare._results = slow
    corpora.get("stage").prepare(sys.argv[1], sys.argv[2], fps=30, jobs=2)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_run_killed_outright_leaves_no_workers_and_goes_on(stage_source, stage_corpus, tmp_path):
    (tmp_path / "run.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "run.py"), str(stage_source), str(tmp_path / "c")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        _, *workers = run.stdout.readline().split()
        run.kill()
    assert len(workers) == 2
    until = time.monotonic() + 20
    while any(alive(int(w)) for w in workers):
        assert time.monotonic() < until, "a worker outlives the run"
        time.sleep(0.05)
    assert prepare(stage_source, tmp_path / "c").hash == stage_corpus.hash


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def dies(reading, fps):
    os._exit(9)


def test_a_worker_that_dies_is_told(tmp_path):
    items = [_prepare.Item(f"c{k}", "train", "s", {}, ()) for k in range(3)]
    with pytest.raises(DataError, match="worker was killed"):
        _prepare.prepare_items(stage.RECIPE, items, dies, tmp_path / "c", fps=30, jobs=2, skip_bad=True)


def test_names_that_cannot_be_files_are_told_beforehand(tmp_path):
    for name in ("..", "a/b", ""):
        items = [_prepare.Item(name, "train", "s", {}, ())]
        with pytest.raises(DataError, match="name of a clip"):
            _prepare.prepare_items(stage.RECIPE, items, dies, tmp_path / "c", fps=30, jobs=1, skip_bad=True)


def test_tracks_of_other_lengths_are_told(show, tmp_path, caplog):
    show.with_tracks(speech=show.speech.slice(0, 0.8)).save(tmp_path / "s" / "a.kin")
    with caplog.at_level(logging.WARNING):
        corpus = stage.prepare(tmp_path / "s", tmp_path / "c")
    assert "end between 0.8 and 2.0 s" in caplog.text
    assert (corpus.entry("a").seconds, corpus.entry("a").longest) == (0.8, 2.0)
