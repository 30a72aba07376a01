"""Alignment: exact truth from espeak-ng, real clips, wrong transcripts, silence, long sound."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from kinesics.hear import acoustic, espeak, viterbi
from kinesics.hear.align import align
from kinesics.hear.durations import warp
from kinesics.hear.phones import viseme
from kinesics.performance import Interval

needs_voice = pytest.mark.skipif(not espeak.available(), reason="extra 'voice' is not installed")
TEXT = "The happy baby picked a very big map, and Peter came home before five. We never saw it move!"


@pytest.fixture(scope="module")
def spoken() -> tuple[np.ndarray, espeak.Spoken]:
    said = espeak.synthesise(TEXT)
    return soxr.resample(said.samples, espeak.RATE, 16000).astype(np.float32), said


@pytest.fixture(scope="module")
def real(shared_data) -> dict[str, tuple[np.ndarray, str]]:
    folder: Path = shared_data("free-speech")
    with (folder / "transcripts.tsv").open(encoding="utf-8") as file:
        rows = {r["file"].removesuffix(".wav"): r["transcript"] for r in csv.DictReader(file, delimiter="\t")}
    names = ("arctic_a0009", "LJ001-0002", "mfa_cold_corpus", "mfa_acoustic_corpus", "jfk")
    return {n: (soundfile.read(folder / "wav" / f"{n}.wav", dtype="float32")[0], rows[n]) for n in names}


def closures(phones: object) -> np.ndarray:
    return np.array([p.start for p in phones if viseme(p.label) == "PP"])  # type: ignore[attr-defined]


@needs_voice
def test_words_and_closures_of_synthetic_speech(spoken) -> None:
    samples, truth = spoken
    found = align(samples, TEXT)
    assert found.words.labels == tuple(w.label for w in truth.words)
    errors = [abs(a.start - b.start) for a, b in zip(found.words, truth.words, strict=True)]
    assert np.median(errors) < 0.03
    assert max(errors) < 0.12
    true, ours = closures(truth.phones), closures(found.phones)
    near = np.abs(true[:, None] - ours[None]).min(axis=1)
    assert np.mean(near <= 0.05) >= 0.9
    assert np.mean([w.confidence for w in found.words]) > 0.5
    assert "unaligned" not in found.notes


@needs_voice
def test_words_keep_their_spelling(spoken) -> None:
    said = espeak.synthesise("Dr. Smith paid $5.50 in 1999, didn't he?")
    samples = soxr.resample(said.samples, espeak.RATE, 16000).astype(np.float32)
    found = align(samples, "Dr. Smith paid $5.50 in 1999, didn't he?")
    assert found.words.labels == ("Dr", "Smith", "paid", "$5.50", "in", "1999", "didn't", "he")
    assert found.after[5] == ","
    assert found.after[-1] == "?"


def test_real_clips_are_aligned_whole(real) -> None:
    for name, (samples, text) in real.items():
        found = align(samples, text)
        assert len(found.words) == len(text.split()), name
        assert "warning" not in found.notes, name
        starts = [p.start for p in found.phones]
        assert starts == sorted(starts)
        assert all(a.end <= b.start + 1e-6 for a, b in itertools.pairwise(found.phones))
        assert found.phones.end <= len(samples) / 16000 + 0.02


def test_a_wrong_transcript_is_said(real, caplog: pytest.LogCaptureFixture) -> None:
    samples, right = real["LJ001-0002"]
    wrong = "zebras quietly juggle fourteen oranges under moonlight"
    assert np.mean([w.confidence for w in align(samples, right).words]) > 0.8
    found = align(samples, wrong)
    assert np.mean([w.confidence for w in found.words] or [0.0]) < 0.3
    assert "does not match" in found.notes["warning"]
    assert "does not match" in caplog.text


def test_extra_words_are_left_out_and_named(real) -> None:
    samples, text = real["mfa_acoustic_corpus"]
    words = text.split()
    extra = "the committee on foreign affairs was published yesterday by seventeen people".split()
    found = align(samples, " ".join([*words[:30], *extra, *words[30:]]))
    lost = set(found.notes["unaligned"])
    assert len(lost & set(extra)) >= 7
    plain = align(samples, text)
    kept = {round(w.start, 1) for w in found.words}
    assert np.mean([round(w.start, 1) in kept for w in plain.words]) > 0.9


def test_speech_that_the_transcript_lacks_moves_the_lips(real, caplog: pytest.LogCaptureFixture) -> None:
    samples, text = real["mfa_acoustic_corpus"]
    found = align(samples, " ".join(text.split()[:25]))
    assert found.notes["untranscribed"]
    assert "not in the transcript" in caplog.text
    spans = found.notes["untranscribed"]
    extra = [p for p in found.phones if any(a <= p.middle < b for a, b in spans)]
    assert len(extra) > 40
    assert max(p.confidence for p in extra) <= 0.3


@pytest.mark.parametrize("text", ["", "hello", None])
def test_silence_has_no_words(text: str | None, caplog: pytest.LogCaptureFixture) -> None:
    found = align(np.zeros(16000, np.float32), text)
    assert len(found.words) == len(found.phones) == 0
    assert found.notes["warning"] in caplog.text


def test_without_a_transcript_there_are_phones_of_low_confidence(real) -> None:
    samples, _ = real["arctic_a0009"]
    found = align(samples, None)
    assert len(found.words) == 0
    assert 15 < len(found.phones) < 60
    assert max(p.confidence for p in found.phones) <= 0.4


@needs_voice
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Guten Tag, meine Damen und Herren."),
        ("fr", "Bonjour tout le monde."),
        ("es", "Hola, ¿qué tal?"),
    ],
)
def test_other_languages_are_laid_over_the_speech(
    language: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = espeak.synthesise(text, language=language)
    samples = soxr.resample(said.samples, espeak.RATE, 16000).astype(np.float32)
    found = align(samples, text, language=language)
    assert found.words.labels == tuple(w.label for w in said.words)
    assert max(p.confidence for p in found.phones) <= 0.5
    assert max(abs(a.start - b.start) for a, b in zip(found.words, said.words, strict=True)) < 0.25
    assert "no acoustic model" in caplog.text


def test_long_sound_is_cut_at_pauses(real) -> None:
    parts = [real[n] for n in ("mfa_acoustic_corpus", "arctic_a0009", "mfa_cold_corpus", "jfk")]
    found = align(np.concatenate([s for s, _ in parts]), " ".join(t for _, t in parts))
    assert len(found.words) == sum(len(t.split()) for _, t in parts)
    offset, shift = len(parts[0][0]) / 16000, len(parts[0][1].split())
    alone = align(*parts[1])
    for k, word in enumerate(alone.words):
        assert found.words[shift + k].start == pytest.approx(word.start + offset, abs=0.06)


def test_alignment_is_the_same_every_time(real) -> None:
    samples, text = real["arctic_a0009"]
    assert align(samples, text) == align(samples, text)


def test_features_are_those_of_pocketsphinx(real, tmp_path: Path) -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx")
    samples, _ = real["arctic_a0009"]
    decoder = pocketsphinx.Decoder(samprate=16000, mfclogdir=str(tmp_path), loglevel="FATAL", lm=None)
    decoder.set_align_text("he turned sharply")
    decoder.start_utt()
    decoder.process_raw((samples * 32768).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    raw = sorted(tmp_path.glob("*.mfc"))[0].read_bytes()
    theirs = np.frombuffer(raw[4:], ">f4").reshape(-1, 13)
    ours = acoustic.cepstra(samples, hop=160)
    assert len(theirs) - len(ours) in (0, 1)
    assert np.abs(ours - theirs[: len(ours)]).max() < 0.05


def test_the_best_path_of_a_small_network() -> None:
    model = acoustic.load()
    net = viterbi.network(model, [[("AA",), ("IY",)], [("S",)]])
    states, column = np.unique(np.maximum(net.tied, 0), return_inverse=True)
    column[net.filler] = len(states)
    scores = np.full((40, len(states) + 1), -50.0, np.float32)
    silence = column[net.silence[0] : net.silence[0] + 3]
    second = column[net.first[1] : net.last[1] + 1]
    third = column[net.first[2] : net.last[2] + 1]
    for rows, columns in (
        (slice(0, 10), silence),
        (slice(10, 20), second),
        (slice(20, 30), third),
        (slice(30, 40), silence),
    ):
        for c in columns:
            scores[rows, c] = 0.0
    pieces, _ = viterbi.best_path(net, scores, column, whole=True)
    assert [(p.start, p.end, p.word, p.variant) for p in pieces] == [
        (0, 10, -1, 0),
        (10, 20, 0, 1),
        (20, 30, 1, 0),
        (30, 40, -1, 0),
    ]


def test_warp_fills_the_spans_and_keeps_words_whole() -> None:
    words = [[("AA", 1.0), ("B", 0.5)], [("IY", 1.0)], [("S", 1.0), ("T", 1.0)]]
    laid = warp(words, [(0.0, 1.0), (2.0, 3.0)], confidence=0.3)
    flat = [p for w in laid for p in w]
    assert [p.label for p in flat] == ["AA", "B", "IY", "S", "T"]
    assert flat[0].start == 0.0
    assert flat[-1].end == pytest.approx(3.0)
    assert all(w[0].start >= 2.0 or w[-1].end <= 1.0 + 1e-9 for w in laid)
    assert warp(words, [], confidence=0.3) == [[], [], []]
    assert all(isinstance(p, Interval) for p in flat)
