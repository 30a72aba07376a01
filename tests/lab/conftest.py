"""A system of a few thousand weights, a corpus of noise, torch on one thread."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.seeds import rng
from kinesics.systems.gesture.gesturelsm.spec import GestureLSM, GestureLSMConfig

SMALL = {
    "window": 32, "start": 2, "code": 8, "codes": 16, "levels": 2, "tokeniser_width": 12, "tokeniser_depth": 1,
    "width": 16, "hidden": 32, "heads": 2, "cross": 1, "blocks": 1, "audio_widths": (8,), "audio_strides": (2,),
    "vocabulary": 16, "word_width": 4, "speakers": 2, "drop": 0.1,
}  # fmt: skip


def small_system(**changes) -> GestureLSM:
    return GestureLSM(GestureLSMConfig.tiny().changed(**{**SMALL, **changes}))


def small_corpus(count: int = 24, *, seed: int = 0, split: str = "train", window: int = 32):
    from kinesics.lab import Arrays

    stream = rng(seed, "corpus")
    # a few slow movements of many joints together, so that there is something to learn
    modes = rng(0, "modes").standard_normal((3, 315), dtype=np.float32)
    walk = 0.1 * stream.standard_normal((count, window, 3), dtype=np.float32).cumsum(axis=1) @ modes
    return Arrays(
        {
            "motion": walk,
            "audio": stream.random((count, window * 2, 2), dtype=np.float32),
            "words": stream.integers(0, 16, (count, window)),
            "speaker": stream.integers(0, 2, count),
        },
        split,
    )


@pytest.fixture
def system():
    return small_system()


@pytest.fixture
def corpus():
    return small_corpus()


@pytest.fixture(autouse=True)
def _one_thread():
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
