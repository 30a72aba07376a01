"""Dance: the published features frame by frame, standardising, freezing, continuation."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.errors import DataError
from kinesics.metrics import dance
from tests.metrics.inputs import golden, noise
from tests.metrics.oracles.dance import dancer, geometric_loops, inputs, kinetic_loops

INPUT, GOLD = inputs(), golden("dance")
DANCES, COPIES = INPUT["dances"], INPUT["copies"]


def test_features_agree_with_the_published_loops():
    assert dance.kinetic_features(DANCES[0]) == pytest.approx(GOLD["features_k"], rel=1e-9, abs=1e-9)
    assert dance.geometric_features(DANCES[0]) == pytest.approx(GOLD["features_g"], abs=1e-12)
    for d in COPIES[:3]:
        assert dance.kinetic_features(d) == pytest.approx(kinetic_loops(d), rel=1e-9)
        assert dance.geometric_features(d) == pytest.approx(geometric_loops(d), abs=1e-12)


def test_shortest_dance():
    assert dance.kinetic_features(DANCES[0][:3]) == pytest.approx(kinetic_loops(DANCES[0][:3]), rel=1e-9)
    with pytest.raises(DataError, match="2 frames; at least 3"):
        dance.kinetic_features(DANCES[0][:2])


def test_kinetic_energy_by_hand_and_up_is_y():
    d = np.zeros((50, 24, 3))
    d[:, 5, 0] = np.arange(50) / 60 * 2.0  # 2 m/s sideways
    d[:, 6, 1] = np.arange(50) / 60 * 3.0  # 3 m/s up
    k = dance.kinetic_features(d).reshape(24, 3)
    assert k[5] == pytest.approx([4, 0, 0], abs=1e-9)
    assert k[6] == pytest.approx([0, 9, 0], abs=1e-9)
    assert not k[[0, 1, 23]].any()
    # Z-up data would swap level and upright: no one can see it in the shape
    assert dance.kinetic_features(d[..., [0, 2, 1]]).reshape(24, 3)[6] == pytest.approx([9, 0, 0], abs=1e-9)


def test_features_do_not_depend_on_place_and_peculiarities_are_kept():
    d = DANCES[1]
    assert dance.geometric_features(d + [5, 0.3, -2]) == pytest.approx(dance.geometric_features(d), abs=1e-12)
    g = dance.geometric_features(d)
    assert g[4] == g[5]
    assert g.min() >= 0
    assert g.max() <= 1
    # wrists at 1.2 × the upper arm or less above the lowest joint
    assert g[29] == np.mean(d[1:, 21, 1] - d[1:, :, 1].min(1) < 1.2 * 0.25682877)


def test_still_dancer_and_joints_at_one_place_give_no_nan():
    g = dance.geometric_features(np.zeros((10, 24, 3)))
    assert np.isfinite(g).all()
    assert g[12] == 0


@pytest.mark.parametrize(("letter", "columns"), [("k", [0, 1, 2]), ("g", [2, 7, 14])])
def test_fid_and_dist_agree_with_scipy(letter, columns):
    of = dance.kinetic_features if letter == "k" else dance.geometric_features
    a, b = (np.array([of(d) for d in s])[:, columns] for s in (DANCES, COPIES))
    assert dance.dance_fid(a, b) == pytest.approx(GOLD[f"fid_{letter}"], abs=1e-6)
    assert dance.dance_dist(a, b) == pytest.approx(GOLD[f"dist_{letter}"], abs=1e-9)
    assert dance.dance_fid(a, a) == pytest.approx(0, abs=1e-9)


def test_standardising_is_by_the_reference():
    x, y = 3 * noise(20, 4, seed=1), noise(10, 4, seed=2)
    a, b = dance.standardise(x, y)
    assert a.mean(0) == pytest.approx(np.zeros(4), abs=1e-12)
    assert a.std(0) == pytest.approx(np.ones(4))
    assert dance.dance_fid(x, y) != pytest.approx(dance.dance_fid(y, x), abs=1e-3)
    assert b.std(0) == pytest.approx(y.std(0) / x.std(0))


def test_generated_dances_are_cut_and_anchored_and_references_are_not():
    d = noise(1300, 24, 3)
    assert dance.prepare(d, generated=True).shape == (1200, 24, 3)
    assert dance.prepare(d, generated=True)[0, 0].tolist() == [0, 0, 0]
    assert dance.prepare(d, generated=False).shape == (1300, 24, 3)


def test_freezing_by_hand():
    d = dancer(600, 3)
    assert dance.freezing(d) == 0
    assert dance.freezing(np.repeat(d[:1], 600, 0)) == 100
    d[200:400] = d[200]  # 199 still steps
    assert dance.freezing(d) == pytest.approx(100 * 199 / 599)
    assert dance.freezing(d, least=4) == 0  # 199 frames are 3.3 s
    d[300, 20, 1] += 0.01  # one hand twitches at 0.6 m/s: two runs shorter than 3 s
    assert dance.freezing(d) == 0
    drift = np.zeros((600, 24, 3))
    drift[:, :, 0] = np.arange(600)[:, None] / 60 * 0.0151
    assert dance.freezing(drift) == 0
    assert dance.freezing(drift, threshold=0.016) == 100


def test_freezing_area():
    assert dance.freezing_auc(np.zeros((600, 24, 3))) == pytest.approx(
        100 * 29.5 / 30
    )  # at threshold 0 nothing is slower
    drift = np.zeros((600, 24, 3))
    drift[:, :, 0] = np.arange(600)[:, None] / 60 * 0.0155
    assert dance.freezing_auc(drift) == pytest.approx(100 * 14.5 / 30)


def test_mpd_takes_the_nearest_future():
    g, f = INPUT["generated"], INPUT["futures"]
    assert dance.mpd(g, np.concatenate([f, g[None]])) == {10: 0, 20: 0, 30: 0}
    by_hand = min(
        np.mean([[np.linalg.norm(f[s, t, j] - g[t, j]) for j in range(24)] for t in range(20)])
        for s in range(5)
    )
    assert dance.mpd(g, f)[20] == pytest.approx(by_hand)
    assert dance.mpd(g, g[None] + [0.3, 0, 0.4], horizons=[1, 30]) == {
        1: pytest.approx(0.5),
        30: pytest.approx(0.5),
    }
    with pytest.raises(DataError, match="horizons less one: from 9 to 39; there are 30"):
        dance.mpd(g, f, horizons=[10, 40])
    with pytest.raises(DataError, match=r"futures: shape \(30, 24, 3\)"):
        dance.mpd(g, g)


@pytest.mark.parametrize(
    "bad", [np.zeros((50, 22, 3)), np.zeros((24, 50, 3)), np.zeros((50, 72)), np.full((5, 24, 3), np.nan), []]
)
def test_bad_dances_are_refused(bad):
    with pytest.raises(DataError):
        dance.kinetic_features(bad)


def test_evaluate_says_what_is_wrong_with_few_dances():
    out = dance.evaluate(DANCES, COPIES)
    assert out["FID_k"].notes[0] == "biased: 9 samples for 72 dimensions"
    assert "never change in the reference" in out["FID_g"].notes[1]
    assert out["Dist_k of reference"].value == dance.dance_dist(
        *[np.array([dance.kinetic_features(d) for d in DANCES])] * 2
    )
    assert out["PFF"].value == 0
    assert set(out) >= {"FID_k", "FID_g", "Dist_k", "Dist_g", "PFF", "AUC_f"}


def test_a_real_dance(shared_data):
    take = np.load(shared_data("nc-dance_style") / "aist_gBR_sBM_cAll_d04_mBR0_ch01.npz")
    root = take["trans" if "trans" in take else "smpl_trans"].astype(float)
    points = np.repeat(root[:, None], 24, 1) / (100 if np.abs(root).max() > 20 else 1)
    k = dance.kinetic_features(points).reshape(24, 3)
    assert np.isfinite(k).all()
    assert k == pytest.approx(np.tile(k[:1], (24, 1)))
    assert 0 < k[0, 0] < 10
