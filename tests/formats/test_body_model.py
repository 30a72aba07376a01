"""Model files of users: official pickles without chumpy, archives, and files that are neither."""

from __future__ import annotations

import pickle
import sys
import types

import numpy as np
import pytest
from scipy import sparse

from kinesics.bodies.mano import PARENTS, pose_hand, synthetic_hand
from kinesics.errors import DataError, FormatError
from kinesics.formats.body_model import read_body_model


def arrays() -> dict:
    """Our own hand under the official names and types."""
    hand = synthetic_hand("right")
    space = hand.hands["right"]
    parents = np.array([2**32 - 1, *PARENTS[1:]], dtype=np.uint32)
    return {
        "v_template": hand.vertices,
        "shapedirs": hand.shapes,
        "posedirs": hand.correctives,
        "J_regressor": hand.regressor,
        "kintree_table": np.stack([parents, np.arange(16, dtype=np.uint32)]),
        "weights": hand.weights,
        "f": hand.faces.astype(np.uint32),
        "hands_components": space.components,
        "hands_mean": space.mean,
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


class Ch:
    """As chumpy's, for as long as the file is written."""

    def __init__(self, x):
        self.x = x

    def __getstate__(self):
        return {"x": self.x}


@pytest.fixture
def official(tmp_path, monkeypatch):
    """MANO_RIGHT.pkl as the official file is: chumpy arrays, a sparse regressor, protocol 2."""
    module = types.ModuleType("chumpy.ch")
    module.Ch = Ch
    monkeypatch.setattr(Ch, "__module__", "chumpy.ch")
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    values = arrays()
    values["shapedirs"] = Ch(values["shapedirs"])
    values["J_regressor"] = sparse.csc_matrix(values["J_regressor"])
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps(values, 2))
    monkeypatch.undo()
    assert "chumpy" not in sys.modules
    return path


def test_an_official_pickle_is_read_without_chumpy(official):
    hand = read_body_model(official)
    ours = synthetic_hand("right")
    assert set(hand.hands) == {"right"}
    assert hand.parents == PARENTS
    assert hand.source == str(official)
    for coefficients in (np.ones(6), np.linspace(-1, 1, 45)):
        a, pa = pose_hand(hand, coefficients, betas=np.ones(10))
        b, pb = pose_hand(ours, coefficients, betas=np.ones(10))
        np.testing.assert_allclose(a, b, atol=1e-9)
        np.testing.assert_allclose(pa, pb, atol=1e-9)


def test_an_archive_of_a_body_with_two_hands(tmp_path):
    values = arrays()
    mean, components = values.pop("hands_mean"), values.pop("hands_components")
    for side in "lr":
        values |= {f"hands_mean{side}": mean, f"hands_components{side}": components}
    np.savez(tmp_path / "SMPLH.npz", **values)
    assert set(read_body_model(tmp_path / "SMPLH.npz").hands) == {"left", "right"}


def test_whose_hand_it_is_must_be_known(tmp_path):
    np.savez(tmp_path / "hand.npz", **arrays())
    with pytest.raises(DataError, match="choose one of: left, right"):
        read_body_model(tmp_path / "hand.npz")
    assert set(read_body_model(tmp_path / "hand.npz", side="left").hands) == {"left"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop("posedirs"), "posedirs"),
        (lambda v: v.update(weights=v["weights"][:, :4]), "shapes that fit each other"),
        (lambda v: v.update(f=v["f"] + 1), "indices of 778 vertices"),
        (lambda v: v.update(hands_mean=np.zeros(44)), r"\(45,\)"),
        (lambda v: v.update(kintree_table=np.zeros((3, 16))), r"\(2, J\)"),
        (lambda v: v.update(v_template=np.full((778, 3), np.nan)), "finite"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, change, message):
    values = arrays()
    change(values)
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(pickle.dumps(values, 2))
    with pytest.raises(FormatError, match=message) as caught:
        read_body_model(path)
    assert "MANO_RIGHT.pkl" in str(caught.value)


def test_a_file_that_names_code_is_refused(tmp_path):
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(FormatError, match="system"):
        read_body_model(path)
