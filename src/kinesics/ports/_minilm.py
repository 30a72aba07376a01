"""all-MiniLM-L6-v2 in numpy: WordPiece, six transformer layers, mean pooling; no PyTorch is loaded.

Wang et al. 2020 (MiniLM); Reimers & Gurevych 2019 (mean pooling); Devlin et al. 2019 (WordPiece, BERT).
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_LAYERS, _HEADS, _WIDTH, _MOST = 6, 12, 384, 256
_EPSILON = 1e-12


class WordPiece:
    """BERT's lower-casing tokeniser.

    Parameters
    ----------
    vocabulary
        Path of ``vocab.txt``.
    """

    def __init__(self, vocabulary: Path) -> None:
        self._ids = {line.rstrip("\n"): i for i, line in enumerate(vocabulary.open(encoding="utf-8"))}

    def __call__(self, text: str) -> list[int]:
        """Ids of a text, with [CLS] and [SEP], at most 256."""
        pieces = [p for word in _basic(text) for p in self._pieces(word)]
        return [self._ids["[CLS]"], *pieces[: _MOST - 2], self._ids["[SEP]"]]

    def _pieces(self, word: str) -> list[int]:
        out, start = [], 0
        while start < len(word):
            end = len(word)
            while end > start and (("##" if start else "") + word[start:end]) not in self._ids:
                end -= 1
            if end == start or len(word) > 100:
                return [self._ids["[UNK]"]]
            out.append(self._ids[("##" if start else "") + word[start:end]])
            start = end
        return out


def _basic(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    spaced = []
    for c in plain:
        kind = unicodedata.category(c)
        if kind[0] == "P" or c in "$+<=>^`|~" or "\u4e00" <= c <= "\u9fff":
            spaced.append(f" {c} ")
        elif kind[0] == "C" and not c.isspace():
            continue
        else:
            spaced.append(c)
    return "".join(spaced).split()


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    # erf by Abramowitz & Stegun 7.1.26, error below 1.5e-7
    z = np.abs(x) * np.float32(0.70710678)
    t = 1.0 / (1.0 + 0.3275911 * z)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return (0.5 * x * (1.0 + np.sign(x) * (1.0 - poly * np.exp(-z * z)))).astype(np.float32)


class Network:
    """The network over one text at a time.

    Parameters
    ----------
    folder
        With ``model.safetensors`` and ``vocab.txt``.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file

        self._w = load_file(folder / "model.safetensors")
        for name, value in self._w.items():
            if ".dense.weight" in name or (".self." in name and name.endswith("weight")):
                self._w[name] = np.ascontiguousarray(value.T)
        self._tokens = WordPiece(folder / "vocab.txt")

    def __call__(self, text: str) -> NDArray[np.float32]:
        """(384,) unit vector of a text."""
        ids = self._tokens(text)
        e = "embeddings."
        x = self._w[e + "word_embeddings.weight"][ids] + self._w[e + "position_embeddings.weight"][: len(ids)]
        x = self._norm(x + self._w[e + "token_type_embeddings.weight"][0], e + "LayerNorm")
        for i in range(_LAYERS):
            a = f"encoder.layer.{i}."
            q, k, v = (
                self._dense(x, f"{a}attention.self.{n}").reshape(len(ids), _HEADS, -1).transpose(1, 0, 2)
                for n in ("query", "key", "value")
            )
            scores = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(q.shape[-1]))
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            seen = (scores / scores.sum(axis=-1, keepdims=True)) @ v
            seen = self._dense(
                seen.transpose(1, 0, 2).reshape(len(ids), _WIDTH), a + "attention.output.dense"
            )
            x = self._norm(x + seen, a + "attention.output.LayerNorm")
            wide = self._dense(_gelu(self._dense(x, a + "intermediate.dense")), a + "output.dense")
            x = self._norm(x + wide, a + "output.LayerNorm")
        mean = x.mean(axis=0)
        return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)

    def _dense(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        return x @ self._w[name + ".weight"] + self._w[name + ".bias"]

    def _norm(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON)
        return centred / scale * self._w[name + ".weight"] + self._w[name + ".bias"]
