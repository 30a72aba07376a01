"""What the lab learns from: a corpus of examples, each a few arrays by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError

if TYPE_CHECKING:
    from kinesics.performance import Performance
    from kinesics.systems import System


class Corpus(Protocol):
    """Examples for one system, of one split, all with the same names and shapes.

    Attributes
    ----------
    hash
        Changes when any example does; checkpoints carry it.
    split
        ``"train"``, ``"val"`` or ``"test"``.
    """

    hash: str
    split: str

    def __len__(self) -> int:
        """How many examples."""
        ...

    def item(self, index: int) -> Mapping[str, NDArray]:
        """One example: arrays by name, as ``System.examples`` yields them (memory-mapped or not)."""
        ...


class Arrays:
    """Examples held in memory, each name's stacked in one array.

    Parameters
    ----------
    stacked
        Name → (n, ...).
    split
        See :class:`Corpus`.

    Examples
    --------
    >>> corpus = Arrays({"x": np.zeros((4, 3), np.float32)})
    >>> len(corpus), corpus.item(0)["x"].shape
    (4, (3,))
    """

    def __init__(self, stacked: Mapping[str, NDArray], split: str = "train") -> None:
        self.stacked, self.split = dict(stacked), split
        counts = {name: len(values) for name, values in self.stacked.items()}
        if not counts or len(set(counts.values())) != 1 or 0 in counts.values():
            raise DataError(
                f"corpus: {counts or 'no arrays'}; expected as many examples of each name, at least one"
            )

    @classmethod
    def of(cls, examples: Iterable[Mapping[str, NDArray]], split: str = "train") -> Arrays:
        """From examples one by one."""
        rows = list(examples)
        if not rows:
            raise DataError(f"corpus: no example for {split}; are the clips as long as the system's window?")
        return cls({name: np.stack([row[name] for row in rows]) for name in rows[0]}, split)

    @classmethod
    def of_performances(
        cls, system: System, performances: Iterable[Performance], split: str = "train"
    ) -> Arrays:
        """The windows that a system sees of some performances."""
        return cls.of((row for show in performances for row in system.examples(show)), split)

    @cached_property
    def hash(self) -> str:
        """See :class:`Corpus`."""
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(self.stacked):
            values = np.ascontiguousarray(self.stacked[name])
            digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
            digest.update(values.data)
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(next(iter(self.stacked.values())))

    def item(self, index: int) -> dict[str, NDArray]:
        """One example."""
        return {name: values[index] for name, values in self.stacked.items()}
