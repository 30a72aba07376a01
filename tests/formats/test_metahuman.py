"""MetaHuman control curves: the real layout, names with and without a header, bad files by line."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.errors import DataError, FormatError
from kinesics.formats.metahuman import NAMES
from kinesics.performance import Face, Performance

VALUES = np.random.default_rng(0).uniform(-1, 1, (7, 174)).astype(np.float32)
SHOW = Performance({"face": Face(VALUES, NAMES, 60, "metahuman")})


def load(tmp_path, text: str, **options) -> Face:
    path = tmp_path / "x.metahuman.csv"
    path.write_text(text, encoding="utf-8")
    return formats.load(path, **options).face


@pytest.mark.parametrize("header", [True, False])
def test_round_trip(tmp_path, header):
    path = tmp_path / "a.metahuman.csv"
    SHOW.save(path, header=header)
    face = formats.load(path).face
    np.testing.assert_array_equal(face.values, VALUES)
    assert (face.names, face.basis, face.fps) == (NAMES, "metahuman", 60)


def test_real_take(shared_data, tmp_path):
    folder = shared_data("nc-emoface_sample")
    path = folder / "valid_ctr_angry_gd04_001_021.txt"
    show = formats.load(path)
    wanted = np.loadtxt(path, delimiter=",")
    np.testing.assert_array_equal(show.face.values, np.float32(wanted))
    assert (show.face.fps, len(show.face), show.meta["metahuman"]["header"]) == (60, 202, False)
    # its video says how long it is
    assert show.duration == pytest.approx(3.3667, abs=1e-3)
    listed = folder / "metahuman_attr_names.txt"
    assert [n.removesuffix(".2") for n in NAMES] == listed.read_text().split()
    assert formats.load(path, names=listed).face.names == NAMES
    assert show.face.column("CTRL_L_eye_blink-translateY").max() > 0.2
    show.save(tmp_path / "o.metahuman.csv", header=False)
    assert formats.load(tmp_path / "o.metahuman.csv").face.difference(show.face) == 0


def test_names_count_and_order_does_not(tmp_path):
    face = load(
        tmp_path,
        "frame,CTRL_R_brow_down.ty,CTRL_L_eye_ty,CTRL_expressions_browDownL,CTRL_L_eye-translateX\n0,1,2,3,4\n",
    )
    assert face.names == (
        "CTRL_R_brow_down-translateY", "CTRL_L_eye-translateY", "CTRL_expressions_browDownL", "CTRL_L_eye-translateX",
    )  # fmt: skip
    np.testing.assert_array_equal(face.values, [[1, 2, 3, 4]])


def test_own_names_and_rate(tmp_path):
    face = load(tmp_path, "1,2\n3,4\n", names=("a", "b"), fps=30)
    assert (face.names, face.fps) == (("a", "b"), 30)


def test_a_part_of_the_controls_is_filled_up(tmp_path):
    part = Performance({"face": Face(VALUES[:, [5]], (NAMES[5],), 60, "metahuman")})
    part.save(tmp_path / "a.metahuman.csv", header=False)
    face = formats.load(tmp_path / "a.metahuman.csv").face
    np.testing.assert_array_equal(face.column(NAMES[5]), VALUES[:, 5])
    assert np.count_nonzero(face.values) == 7


def test_what_cannot_be_written_is_named(tmp_path, take):
    path = tmp_path / "a.metahuman.csv"
    with pytest.raises(DataError, match="'arkit'"):
        take.save(path)
    other = Performance({"face": Face(VALUES[:, :1], ("CTRL_expressions_x",), 60, "metahuman")})
    with pytest.raises(DataError, match="header=True"):
        other.save(path, header=False)
    other.save(path)
    assert formats.load(path).face.names == ("CTRL_expressions_x",)
    with pytest.raises(DataError, match="comma"):
        Performance({"face": Face(VALUES[:, :1], ("a,b",), 60, "metahuman")}).save(path)


def test_shared_endings_are_told_by_content(tmp_path):
    SHOW.save(tmp_path / "a.metahuman.csv", header=False)
    for ending in (".csv", ".txt"):
        path = tmp_path / f"b{ending}"
        path.write_bytes((tmp_path / "a.metahuman.csv").read_bytes())
        assert formats.load(path).face.basis == "metahuman"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("1,2\n", "174 columns, found 2"),
        ("a,b\n1,2\n", "CTRL_L_brow_down"),
        ("CTRL_a,CTRL_b\n", "line 2"),
        ("CTRL_a,CTRL_b\n1\n", "line 2: expected 2 cells"),
        ("CTRL_a,CTRL_b\n1,nan\n", "line 2.*'CTRL_b'"),
        ("CTRL_a,CTRL_a.2,CTRL_a\n1,2,3\n", "repeat"),
    ],
)
def test_faults_are_named(tmp_path, text, says):
    with pytest.raises(FormatError, match=says):
        load(tmp_path, text)


def test_missing_names_file(tmp_path):
    with pytest.raises(FormatError, match="a list of names"):
        load(tmp_path, "1,2\n", names=tmp_path / "none.txt")


@given(st.text(alphabet='CTRL_,.-ty0123456789eE+\n\t; "naif', max_size=80))
def test_fuzz(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzz.metahuman.csv"
    path.write_text(text)
    with suppress(FormatError):
        formats.load(path)
