"""Text and motion: pools, ties, thresholds, variances, headings."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics import text_motion as tm
from tests.metrics.inputs import golden, noise
from tests.metrics.oracles.text_motion import inputs

INPUT, GOLD = inputs(), golden("text_motion")


def test_r_precision_and_mm_distance_agree_with_plain_loops():
    assert tm.r_precision(INPUT["text"], INPUT["motion"]) == pytest.approx(GOLD["r_precision"], abs=1e-12)
    assert tm.mm_distance(INPUT["text"], INPUT["motion"]) == pytest.approx(GOLD["mm_distance"], abs=1e-12)


def test_r_precision_drops_what_does_not_fill_a_pool():
    other = INPUT["motion"].copy()
    other[64:] = 1e3
    assert (
        tm.r_precision(INPUT["text"], other).tolist()
        == tm.r_precision(INPUT["text"], INPUT["motion"]).tolist()
    )
    with pytest.raises(DataError, match="31 along n; at least 32 needed"):
        tm.r_precision(INPUT["text"][:31], INPUT["motion"][:31])


def test_r_precision_depends_on_the_pool():
    # one pool of 64 is harder than two of 32: numbers of different pools cannot be compared
    small = tm.r_precision(INPUT["text"][:64], INPUT["motion"][:64])
    assert (tm.r_precision(INPUT["text"][:64], INPUT["motion"][:64], pool=64) <= small).all()


def test_perfect_and_chance():
    assert tm.r_precision(INPUT["text"], INPUT["text"]).tolist() == [1, 1, 1]
    # embeddings that are all equal must not look perfect
    same = np.ones((32, 4))
    assert tm.r_precision(same, same) == pytest.approx(np.arange(1, 4) / 32)
    assert tm.mm_distance(same, same) == 0


def test_diversity_by_hand_and_by_seed():
    two = np.repeat([[0.0, 0.0], [3.0, 4.0]], 200, axis=0)
    got = tm.diversity(two, pairs=300)
    assert 2.0 < got < 3.0
    assert got == tm.diversity(two, pairs=300)
    assert got != tm.diversity(two, pairs=300, seed=1)
    assert tm.diversity(np.ones((300, 4))) == 0
    with pytest.raises(DataError, match="299 along n; at least 300 needed"):
        tm.diversity(np.ones((299, 4)))


def test_multimodality_looks_within_a_text_only():
    x = np.repeat(noise(5, 1, 3, seed=1), 30, axis=1)
    assert tm.multimodality(x) == 0
    x[:, ::2] += [3, 4, 0]
    assert 0 < tm.multimodality(x) < 5
    with pytest.raises(DataError, match=r"5 samples per text \(axis 1\); at least 10"):
        tm.multimodality(x.swapaxes(0, 1))


@pytest.mark.parametrize(("way", "table"), [("t2m", INPUT["similarity"]), ("m2t", INPUT["similarity"].T)])
def test_ranks_share_ties_as_scipy_does(way, table):
    assert tm.ranks(table) == pytest.approx(GOLD[f"{way}_ranks"], abs=1e-12)
    out = tm.retrieval(INPUT["similarity"])
    assert out[f"{way} MedR"] == GOLD[f"{way}_medr"]
    at = np.array(GOLD[f"{way}_ranks"])
    assert out[f"{way} R@5"] == pytest.approx(100 * (at < 5).mean())


def test_the_threshold_is_on_a_scale_of_nought_to_one():
    alike = INPUT["texts_alike"]
    got = tm.ranks(INPUT["similarity"], text_similarity=alike, threshold=0.95)
    assert got == pytest.approx(GOLD["threshold_ranks"], abs=1e-12)
    assert (got <= tm.ranks(INPUT["similarity"])).all()
    with pytest.raises(DataError, match="threshold 95"):
        tm.ranks(INPUT["similarity"], text_similarity=alike, threshold=95)


def test_a_constant_similarity_is_chance():
    out = tm.retrieval(np.ones((99, 99)))
    assert out["t2m R@10"] == 0
    assert out["t2m MedR"] == 50


def test_cosine():
    assert tm.cosine([[1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]).tolist() == [[1, 0]]
    with pytest.raises(DataError, match="a row of zeros"):
        tm.cosine([[0.0, 0.0]], [[1.0, 0.0]])
    with pytest.raises(DataError, match="2 and 3 dimensions"):
        tm.cosine([[1.0, 0.0]], [[1.0, 0.0, 0.0]])


def test_temos_score():
    x = INPUT["text"]
    assert tm.temos_score(x, x) == pytest.approx(1)
    assert tm.temos_score(x, -x) == pytest.approx(0)
    assert tm.temos_score([[1.0, 0.0]], [[0.0, 1.0]]) == 0.5


def test_car_fails_on_a_tie():
    m = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    good = np.array([[1.0, 0.1], [0.1, 1.0], [1.0, 0.0]])
    bad = np.array([[0.5, 1.0], [1.0, 0.5], [2.0, 0.0]])
    assert tm.car_accuracy(m, good, bad) == pytest.approx(2 / 3)
    with pytest.raises(DataError, match="shuffled texts' embeddings"):
        tm.car_accuracy(m, good, bad[:2])


def test_evaluate():
    out = tm.evaluate(INPUT["text"], INPUT["motion"], real=INPUT["text"], extractor="t2m@0")
    assert out["R-precision top 1"].value == pytest.approx(GOLD["r_precision"][0])
    assert out["R-precision top 1"].n == 64
    assert out["FID"].notes == ("biased: 70 samples for 12 dimensions",)
    assert "Diversity" not in out
    assert all(s.extractor == "t2m@0" for s in out.values())


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 3)), np.full((3, 3), np.nan), "x"])
def test_bad_embeddings_are_refused(bad):
    with pytest.raises(DataError):
        tm.mm_distance(bad, bad)
