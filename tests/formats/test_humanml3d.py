"""HumanML3D: the published clip to float precision, any body, and files that are something else."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.from_joints import HUMANML3D
from kinesics.errors import DataError, FormatError
from kinesics.formats import humanml3d
from kinesics.formats._humanml3d import BLOCKS, joints_of, settle, uniform, vectors_of
from kinesics.geometry import rotations as rot
from kinesics.performance import Performance, Points, Tier


def npy(array, **options) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), **options)
    return file.getvalue()


def read(tmp_path, data, **options) -> Performance:
    path = tmp_path / "x.npy"
    path.write_bytes(data if isinstance(data, bytes) else npy(data))
    return formats.load(path, **options)


def walk(frames: int = 41) -> np.ndarray:
    """A stick figure that walks in a circle, swinging legs and arms."""
    t = np.arange(frames) / 20
    pose = np.array(
        [
            [0, 0.9, 0], [0.1, 0.85, 0], [-0.1, 0.85, 0], [0, 1.0, 0], [0.1, 0.47, 0.02], [-0.1, 0.47, 0.02],
            [0, 1.13, 0], [0.1, 0.08, 0], [-0.1, 0.08, 0], [0, 1.18, 0], [0.1, 0.02, 0.12], [-0.1, 0.02, 0.12],
            [0, 1.4, 0], [0.07, 1.3, 0], [-0.07, 1.3, 0], [0, 1.5, 0.03], [0.17, 1.32, 0], [-0.17, 1.32, 0],
            [0.25, 1.08, 0], [-0.25, 1.08, 0], [0.25, 0.85, 0.06], [-0.25, 0.85, 0.06],
        ]
    )  # fmt: skip
    joints = np.tile(pose, (frames, 1, 1))
    for k, part in ((4, 0.5), (7, 1), (10, 1), (19, 0.5), (21, 1)):
        joints[:, k, 2] += 0.25 * part * np.sin(3 * t)
    for k, part in ((5, 0.5), (8, 1), (11, 1), (18, 0.5), (20, 1)):
        joints[:, k, 2] -= 0.25 * part * np.sin(3 * t)
    turn = rot.from_axis_angle(np.array([0.0, 1, 0]), 0.4 + 0.5 * t)[:, None]
    way = np.stack([np.sin(t / 2), 0 * t, np.cos(t / 2)], axis=-1)
    return rot.rotate(turn, joints) + way[:, None] + [3, 0.2, -1]


def test_the_published_clip(shared_data):
    folder = shared_data("nc-text_motion")
    joints, vectors = (np.load(folder / f"humanml3d_012314_{n}.npy") for n in ("joints", "vecs263"))
    show = formats.load(folder / "humanml3d_012314_vecs263.npy")
    assert show["joints"].names == HUMANML3D
    assert show.body.fps == 20
    assert np.abs(show["joints"].values - joints).max() < 1e-6
    np.testing.assert_array_equal(show["contacts"].values, vectors[:, BLOCKS["contacts"]])
    assert formats.load(folder / "humanml3d_012314_joints.npy")["joints"].difference(show["joints"]) < 1e-6
    got = vectors_of(joints_of(vectors, last_step=True))
    assert got.shape == vectors.shape
    error = {k: float(np.abs(got[:, s] - vectors[:, s]).max()) for k, s in BLOCKS.items()}
    assert error["contacts"] == error["root_height"] == 0
    assert error["rotations"] < 3e-6
    assert max(v for k, v in error.items() if k != "rotations") < 3e-7
    # Without the frame after the last, which the joints' file lacks, the smoothed facing ends otherwise.
    short = vectors_of(joints)
    assert np.abs(short[:80] - vectors[:80]).max() < 1e-4
    assert np.abs(short - vectors[:-1]).max() < 0.02
    np.testing.assert_array_equal(short[:, BLOCKS["contacts"]], vectors[:-1, BLOCKS["contacts"]])


def test_the_published_clip_written_again(shared_data, tmp_path):
    folder = shared_data("nc-text_motion")
    path = folder / "humanml3d_012314_vecs263.npy"
    mean, std = folder / "humanml3d_Mean.npy", folder / "humanml3d_Std.npy"
    show = formats.load(path, last_step=True)
    assert len(show.body) == 171
    show.save(tmp_path / "x.npy", source="joints", mean=mean, std=std)
    raw = np.load(tmp_path / "x.npy")
    wanted = (np.load(path) - np.load(mean)) / np.load(std)
    assert np.abs(raw - wanted).max() < 2e-4
    back = formats.load(tmp_path / "x.npy", mean=np.load(mean), std=std)
    assert np.abs(back["joints"].values - show["joints"].values[:170]).max() < 1e-5
    show.save(tmp_path / "y.humanml3d.npy", layout="joints", like=folder / "humanml3d_012314_joints.npy")
    through_body = formats.load(tmp_path / "y.humanml3d.npy")
    assert np.abs(through_body["joints"].values - show["joints"].values).max() < 0.02


def test_vectors_say_what_the_joints_did():
    joints = settle(walk())
    v = vectors_of(joints)
    assert v.shape == (40, 263)
    assert v.dtype == np.float32
    back = joints_of(v, last_step=True)
    assert np.abs(back - joints).max() < 1e-5
    assert np.abs(vectors_of(back) - v).max() < 1e-4
    # Half of the turn: 0.5 rad/s at 20 fps is 0.0125 a frame, once the facing's smoothing has set in.
    assert v[20, 0] == pytest.approx(-0.0125, abs=0.004)
    np.testing.assert_allclose(v[:, 3], joints[:-1, 0, 1], atol=1e-6)
    step = np.sum((joints[1:] - joints[:-1]) ** 2, axis=-1) < 0.002
    np.testing.assert_array_equal(v[:, BLOCKS["contacts"]], step[:, [7, 10, 8, 11]])
    # The first frame's rotations lead, along the chains, from the stick figure to the bones.
    six = rot.from_6d(v[0, BLOCKS["rotations"]].reshape(21, 6).astype(float))
    world, bone = rot.IDENTITY, None
    for joint, axis in ((2, [-1.0, 0, 0]), (5, [0, -1.0, 0]), (8, [0, -1.0, 0])):
        world = rot.multiply(world, six[joint - 1])
        above = {2: 0, 5: 2, 8: 5}[joint]
        bone = joints[0, joint] - joints[0, above]
        np.testing.assert_allclose(rot.rotate(world, axis), bone / np.linalg.norm(bone), atol=1e-4)


def test_a_settled_clip_stands_at_the_origin_and_faces_forward():
    joints = settle(walk())
    assert joints[..., 1].min() == pytest.approx(0)
    np.testing.assert_allclose(joints[0, 0, [0, 2]], 0, atol=1e-12)
    across = joints[0, 1] - joints[0, 2] + joints[0, 16] - joints[0, 17]
    assert across[0] > 0.3
    assert abs(across[2]) < 1e-9
    np.testing.assert_allclose(settle(joints), joints, atol=1e-9)


def test_lengths_of_another_figure():
    joints = walk()
    like = joints[0] * 1.2
    out = uniform(joints, like)
    np.testing.assert_allclose(
        np.linalg.norm(out[:, 5] - out[:, 2], axis=-1), np.linalg.norm(like[5] - like[2]), rtol=1e-9
    )
    np.testing.assert_allclose(out[:, 0], joints[:, 0] * 1.2)
    np.testing.assert_allclose(uniform(joints, joints[0])[0], joints[0], atol=1e-12)


@pytest.mark.parametrize("layout", ["vectors", "joints"])
def test_any_body_round_trips(tmp_path, take_of, layout):
    take = take_of(3.0)
    path = tmp_path / "x.humanml3d.npy"
    take.save(path, layout=layout)
    array = np.load(path)
    assert array.dtype == np.float32
    assert array.shape == ((59, 263) if layout == "vectors" else (60, 22, 3))
    back = formats.load(path)
    body = take.body.resample(20)
    wanted = settle(body.positions()[:, :22])[: len(array)]
    assert np.abs(back["joints"].values - wanted).max() < 1e-5
    assert np.abs(back.body.positions()[:, :22] - wanted).max() < 0.06, "the body stands where the joints are"
    limbs = [(a, b) for a, b in zip((16, 17, 18, 19, 1, 2, 4, 5), (18, 19, 20, 21, 4, 5, 7, 8), strict=True)]
    for a, b in limbs:
        one, two = (p[:, b] - p[:, a] for p in (back.body.positions(), wanted))
        cosine = np.sum(one * two, axis=-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(two, axis=-1)
        assert cosine.min() > np.cos(np.radians(0.2))
    again = tmp_path / "y.npy"
    take.save(again, layout=layout)
    assert again.read_bytes() == path.read_bytes()


def test_joints_can_stay_where_they_are(tmp_path, take):
    take.save(tmp_path / "x.npy", layout="joints", settle=False)
    np.testing.assert_allclose(
        np.load(tmp_path / "x.npy"), take.body.resample(20).positions()[:, :22], atol=1e-6
    )


def test_joints_without_a_body_are_written(tmp_path):
    show = Performance({"joints": Points(walk(), HUMANML3D, 20)})
    show.save(tmp_path / "x.npy")
    assert np.load(tmp_path / "x.npy").shape == (40, 263)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_floats_of_any_kind(tmp_path, dtype, order):
    joints = settle(walk(12))
    for version in ((1, 0), (2, 0), (3, 0)):
        show = read(tmp_path, npy(np.asarray(joints.astype(dtype), order=order), version=version))
        assert np.abs(show["joints"].values - joints).max() < (2e-3 if dtype == "<f2" else 1e-6)


def test_normalised_vectors_are_noticed(tmp_path, caplog):
    vectors = vectors_of(settle(walk()))
    mean, std = vectors.mean(axis=0), vectors.std(axis=0) + 0.05
    show = read(tmp_path, (vectors - mean) / std)
    assert show.meta["humanml3d"]["looks_normalised"]
    assert "give mean= and std=" in caplog.text
    right = read(tmp_path, (vectors - mean) / std, mean=mean, std=std)
    assert np.abs(right["joints"].values - joints_of(vectors)).max() < 1e-4
    assert "looks_normalised" not in right.meta["humanml3d"]


def test_what_is_wrong_is_named(tmp_path, take):
    for shape, says in (((5, 251), "KIT-ML"), ((2, 5, 263), "shape"), ((263,), "shape"), ((5, 66), "shape")):
        with pytest.raises(FormatError, match=says):
            read(tmp_path, np.zeros(shape, np.float32))
    for shape in ((0, 263), (0, 22, 3)):
        with pytest.raises(FormatError, match="one frame"):
            read(tmp_path, np.zeros(shape, np.float32))
    bad = walk().astype(np.float32)
    for value, says in ((np.nan, "finite"), (np.inf, "finite"), (1e30, "at most")):
        bad[3, 4, 1] = value
        with pytest.raises(FormatError, match=says):
            read(tmp_path, bad)
    with pytest.raises(FormatError, match="one place"):
        read(tmp_path, np.zeros((4, 22, 3)))
    with pytest.raises(DataError, match="belong to vectors"):
        read(tmp_path, walk(), mean=np.zeros(263), std=np.ones(263))
    vectors = vectors_of(settle(walk()))
    for options, says in (
        ({"mean": np.zeros(263)}, "both"),
        ({"mean": np.zeros(262), "std": np.ones(263)}, "expected"),
        ({"mean": np.zeros(263), "std": np.zeros(263)}, "more than 0"),
        ({"fps": -1}, "rate"),
    ):
        with pytest.raises(DataError, match=says):
            read(tmp_path, vectors, **options)
    path = tmp_path / "new.npy"
    with pytest.raises(DataError, match="holds body, joints, contacts; this performance has only words"):
        Performance({"words": Tier("words")}).save(path)
    with pytest.raises(DataError, match="unknown layout"):
        take.save(path, layout="rotations")
    with pytest.raises(DataError, match="belong to vectors"):
        take.save(path, layout="joints", mean=np.zeros(263), std=np.ones(263))
    with pytest.raises(DataError, match="two or more"):
        Performance({"body": take.body.slice(0, 0.05)}).save(path)
    with pytest.raises(DataError, match="like of shape"):
        take.save(path, like=np.zeros((21, 3)))
    with pytest.raises(DataError, match="22 names"):
        take.save(path, source="joints")
    assert not path.exists()


def test_headers_that_lie(tmp_path):
    good = npy(settle(walk(6)).astype(np.float32))
    for old, new in (
        (b"(6, 22, 3)", b"(7, 22, 3)"),
        (b"(6, 22, 3)", b"(99999999999, 22, 3)"[:10]),
        (b"(6, 22, 3)", b"(-6,22, 3)"),
        (b"'<f4'", b"'|O' "),
        (b"'<f4'", b"'<i4'"),
        (b"'<f4'", b"'<c8'"),
        (b"False", b"[][]["),
        (b"\x93NUMPY\x01", b"\x93NUMPY\x09"),
        (b"\x93NUMPY", b"\x80\x04NUMP"),
    ):
        assert old in good
        with pytest.raises(FormatError, match=r"x\.npy"):
            read(tmp_path, good.replace(old, new))
    for end in [*range(0, 140), len(good) - 1, len(good) + 1]:
        with pytest.raises(FormatError, match=r"x\.npy"):
            read(tmp_path, (good + b"\0")[:end])
    huge = good[:8] + b"\xff\xff" + good[10:]
    with pytest.raises(FormatError, match="header"):
        read(tmp_path, huge)
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999, 263), }".ljust(117) + b"\n"
    with pytest.raises(FormatError, match="at most"):
        read(tmp_path, b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)


@given(st.data())
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    good = bytearray(npy(settle(walk(3)).astype(np.float32)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzz.npy"
    path.write_bytes(bytes(good))
    with suppress(FormatError), np.errstate(all="ignore"):
        humanml3d.read(path)
    humanml3d.recognises(path)
