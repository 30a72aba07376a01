"""Judging a checkpoint: on losses, and on what it makes of held-out performances."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kinesics.errors import DataError  # noqa: E402
from kinesics.lab import evaluate, fit  # noqa: E402
from kinesics.systems import Training  # noqa: E402
from tests.lab.conftest import small_corpus, small_system  # noqa: E402
from tests.systems.test_gesturelsm import show  # noqa: E402


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    out, system, corpus = tmp_path_factory.mktemp("run"), small_system(), small_corpus()
    first = fit(system, corpus, out, training=Training(5, 8), progress=False)
    done = fit(
        system,
        corpus,
        out,
        stage="generator",
        start=first.checkpoint,
        training=Training(5, 8),
        progress=False,
    )
    return done.checkpoint


def test_losses_are_means_over_the_corpus_and_the_same_every_time(checkpoint):
    held_out = small_corpus(10, seed=9, split="test")
    found = evaluate(checkpoint, corpus=held_out)
    assert set(found) == {"loss/flow", "loss/consistency", "loss/loss"}
    torch.manual_seed(1)
    assert evaluate(checkpoint, corpus=held_out) == found
    assert evaluate(checkpoint, corpus=held_out, seed=1) != found


def test_measures_compare_what_was_with_what_is_made(checkpoint):
    shows = [show(2.0, seed) for seed in range(2)]
    seen = []

    def difference(reference, estimate):
        seen.append((reference, estimate))
        return float(np.mean([len(e.body) / len(r.body) for r, e in zip(reference, estimate, strict=True)]))

    assert evaluate(checkpoint, performances=shows, measures={"ratio": difference}, steps=3) == {"ratio": 0.5}
    (reference, estimate), made = seen[0], seen[0][1][0]
    assert reference == shows
    assert len(estimate) == 2
    assert made.meta["gesturelsm"]["steps"] == 3


def test_the_truth_is_not_shown_to_the_system(checkpoint, monkeypatch):
    kind = type(small_system())
    given, real = [], kind.perform

    def spy(self, performance, *args, **knobs):
        given.append(set(performance))
        return real(self, performance, *args, **knobs)

    monkeypatch.setattr(kind, "perform", spy)
    evaluate(checkpoint, performances=[show(1.5)], measures={"one": lambda r, e: 1.0})
    assert given == [{"speech", "words"}]


def test_measures_need_performances(checkpoint):
    with pytest.raises(DataError, match="give held-out ones"):
        evaluate(checkpoint, measures={"one": lambda r, e: 1.0})
