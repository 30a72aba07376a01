"""SMPL-X, SMPL-H and SMPL: real files, every layout, both ways, and what is none of them."""

from __future__ import annotations

import io
import pickle
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import JAW_DEGREES
from kinesics.bodies.humanoid import INDEX, PARENTS
from kinesics.errors import DataError, FormatError
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Performance

FINGERS = slice(25, 55)


def turns(a, b) -> float:
    return float(np.degrees(rot.angle(np.asarray(a, np.float64), np.asarray(b, np.float64)).max()))


def quaternions(poses) -> np.ndarray:
    return rot.from_rotvec(np.asarray(poses, np.float64).reshape(len(poses), -1, 3))


def beat2(frames: int = 40, **changes) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    arrays = {
        "poses": 0.2 * rng.standard_normal((frames, 165)).astype(np.float32),
        "trans": np.tile(np.float32([1, 1.3, 2]), (frames, 1)),
        "betas": np.zeros(300, np.float32),
        "expressions": rng.standard_normal((frames, 100)),
        "gender": np.array("female"),
        "model": np.array("smplx2020"),
        "mocap_frame_rate": np.array(30),
    }
    return {k: v for k, v in (arrays | changes).items() if v is not None}


def show_arrays(frames: int = 20, hands: int = 12) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    sizes = {
        "global_orient": 3, "body_pose_axis": 63, "jaw_pose": 3, "leye_pose": 3, "reye_pose": 3,
        "left_hand_pose": hands, "right_hand_pose": hands, "transl": 3, "expression": 100,
    }  # fmt: skip
    arrays = {k: 0.1 * rng.standard_normal((frames, n)) for k, n in sizes.items()}
    arrays["global_orient"] += [np.pi, 0, 0]
    return arrays


def save(path, arrays):
    np.savez(path, **arrays)
    return path


def model_file(path, *, joints: int = 55, hands: bool = True):
    """A body of twice our avatar's proportions in the layout of SMPL-X's own file; each joint is one vertex."""
    rng = np.random.default_rng(3)
    places = 2 * np.cumsum(rng.uniform(0.01, 0.1, (joints, 3)), axis=0)
    vertices = np.concatenate([places, [[0, -3, 0]]])
    arrays = {
        "v_template": vertices,
        "J_regressor": np.eye(joints, joints + 1),
        "shapedirs": np.ones((joints + 1, 3, 10)) * [[[1.0]]],
    }
    if hands:
        for side in "lr":
            arrays[f"hands_components{side}"] = np.linalg.qr(rng.standard_normal((45, 45)))[0]
            arrays[f"hands_mean{side}"] = rng.uniform(-0.3, 0.3, 45)
    return save(path, arrays), arrays


def test_real_beat2(shared_data, tmp_path):
    path = next(shared_data("nc-beat2_scott").glob("*.npz"))
    show = formats.load(path)
    body, about = show.body, show.meta["smplx"]
    assert (len(body), body.fps, about["layout"], about["up"], about["up_from"]) == (
        1320,
        30,
        "beat2",
        "Y",
        "data",
    )
    assert (show["flame"].values.shape, show["flame"].basis) == ((1320, 103), "flame")
    places = body.positions()
    assert 0 < np.quantile(places[:, [10, 11], 1], 0.05) < 0.08, "toes stand on the floor"
    assert 1.35 < places[:, INDEX["head"], 1].mean() < 1.6
    left, right = (places[:, INDEX[f"{s}UpperArm"], 0].mean() for s in ("left", "right"))
    assert left - right > 0.25, "the person's left is +X"
    show.save(tmp_path / "x.npz")
    with np.load(path) as one, np.load(tmp_path / "x.npz") as two:
        assert set(one.files) == set(two.files)
        assert turns(quaternions(one["poses"]), quaternions(two["poses"])) < 1e-4
        np.testing.assert_allclose(two["trans"], one["trans"], atol=1e-6)
        np.testing.assert_array_equal(two["expressions"], one["expressions"])
        for key in ("betas", "gender", "model", "mocap_frame_rate"):
            assert np.array_equal(one[key], two[key])
            assert one[key].dtype == two[key].dtype


def test_real_beat2_moves_like_the_same_take_in_bvh(shared_data):
    """Wrists of the SMPL-X fit and of the BVH that was captured move together."""
    folder = shared_data("nc-beat2_scott")
    one = formats.load(next(folder.glob("*.npz"))).body.resample(15)
    two = formats.load(next(folder.glob("*.bvh"))).body
    count = min(len(one), len(two))
    for side, hand in (("left", "LeftHand"), ("right", "RightHand")):
        a, b = one.positions()[:count], two.positions()[:count]
        a = a[:, INDEX[f"{side}Hand"], 1] - a[:, 0, 1]
        b = b[:, two.skeleton.index(hand), 1] - b[:, 0, 1]
        assert np.corrcoef(a, b)[0, 1] > 0.95


def test_real_aist(shared_data, tmp_path):
    path = next(shared_data("nc-dance_style").glob("aist*.npz"))
    show = formats.load(path)
    assert (len(show.body), show.body.fps, show.meta["smplx"]["layout"]) == (720, 60, "aist")
    feet = show.body.positions()[:, [7, 8, 10, 11], 1].min(axis=1)
    assert 0 < np.median(feet) < 0.12
    show.save(tmp_path / "x.npz")
    with np.load(path) as one, np.load(tmp_path / "x.npz") as two:
        assert turns(quaternions(one["smpl_poses"]), quaternions(two["smpl_poses"])) < 1e-4
        np.testing.assert_allclose(two["smpl_trans"], one["smpl_trans"], atol=1e-4)
        assert np.array_equal(one["smpl_scaling"], two["smpl_scaling"])
    # The same as it is distributed, pickled.
    with np.load(path) as arrays:
        (tmp_path / "x.pkl").write_bytes(pickle.dumps({k: arrays[k] for k in arrays.files}, 2))
    assert formats.load(tmp_path / "x.pkl").body.difference(show.body) < 1e-6


@pytest.mark.parametrize("layout", ["beat2", "amass", "amass-smplx", "aist"])
def test_round_trip(tmp_path, take, layout):
    path, again = tmp_path / "x.npz", tmp_path / "y.smplx.npz"
    take.save(path, layout=layout)
    back = formats.load(path)
    assert back.meta["smplx"]["layout"] == layout
    kept = (
        range(55) if layout in ("beat2", "amass-smplx") else [j for j in range(55) if j not in (22, 23, 24)]
    )
    kept = [j for j in kept if j < 22] if layout == "aist" else list(kept)
    assert turns(back.body.rotations[:, kept], take.body.rotations[:, kept]) < 0.001
    moved = back.body.root - take.body.root
    assert np.ptp(moved, axis=0).max() < 1e-5, "the way is kept, the height is the feet's"
    assert back.body.fps == 60
    if layout in ("beat2", "amass-smplx"):
        np.testing.assert_allclose(back.face.select(ARKIT).values, take.face.values, atol=1e-6)
        assert "flame" not in back
    back.save(again)
    third = formats.load(again)
    assert third.body.difference(back.body) < 1e-5
    one, two = np.load(path), np.load(again)
    assert set(one.files) == set(two.files)
    for key in one.files:
        if "poses" in key:
            assert turns(quaternions(one[key]), quaternions(two[key])) < 0.01
        elif "trans" in key:
            np.testing.assert_allclose(one[key], two[key], atol=1e-4)


def test_amass_stands_up(tmp_path):
    """A Z-up walk along -Y: hand-computed in our own frame."""
    frames = 30
    upright = rot.to_rotvec(rot.from_axis_angle([1.0, 0, 0], np.pi / 2))
    poses = np.zeros((frames, 156))
    poses[:, :3] = upright
    poses[:, 3 + 6 : 3 + 9] = [0.3, 0, 0]  # spine, local
    trans = np.stack([np.zeros(frames), -np.arange(frames) / 10, np.full(frames, 0.9)], axis=1)
    path = save(
        tmp_path / "w.amass.npz",
        {
            "poses": poses,
            "trans": trans,
            "betas": np.arange(16.0),
            "gender": np.array(b"male"),
            "mocap_framerate": np.array(119.99999),
            "dmpls": np.ones((frames, 8)),
        },
    )
    show = formats.load(path)
    about = show.meta["smplx"]
    assert (show.body.fps, about["up"], about["gender"], about["joints"]) == (120, "Z", "male", 52)
    assert turns(show.body.rotations[:, 0], np.tile(rot.IDENTITY, (frames, 1))) < 1e-4
    assert turns(show.body.joint("spine"), np.tile(rot.from_rotvec([0.3, 0, 0]), (frames, 1))) < 1e-4
    np.testing.assert_allclose(show.body.root[:, 2], np.arange(frames) / 10, atol=1e-6)
    assert np.abs(show.body.root[:, 0]).max() < 1e-6
    assert show["dmpls"].values.shape == (frames, 8)
    show.save(tmp_path / "y.npz")
    with np.load(tmp_path / "y.npz") as back:
        assert turns(quaternions(back["poses"]), quaternions(poses)) < 1e-4
        np.testing.assert_allclose(back["trans"], trans, atol=1e-6)
        np.testing.assert_array_equal(back["dmpls"], 1)
        np.testing.assert_array_equal(back["betas"], np.arange(16))
        assert (float(back["mocap_framerate"]), str(back["gender"])) == (120, "male")
    lying = formats.load(path, up="Y")
    assert lying.meta["smplx"]["up_from"] == "option"
    assert turns(lying.body.rotations[:, 0], quaternions(poses)[:, 0]) < 1e-4


def test_who_lies_down_keeps_the_layouts_custom(tmp_path, caplog):
    poses = np.zeros((10, 165))
    poses[:, :3] = [0, 0, np.pi / 2]
    show = formats.load(save(tmp_path / "x.npz", beat2(10, poses=poses)))
    assert (show.meta["smplx"]["up"], show.meta["smplx"]["up_from"]) == ("Y", "layout")
    assert "not upright" in caplog.text


def test_the_jaw_and_the_expressions(tmp_path):
    poses = np.zeros((3, 165))
    poses[:, 66] = np.radians([0, JAW_DEGREES / 2, 2 * JAW_DEGREES])
    poses[:, 67] = 0.01
    show = formats.load(save(tmp_path / "x.npz", beat2(3, poses=poses)))
    np.testing.assert_allclose(show.face.column("jawOpen"), [0, 0.5, 1], atol=1e-6)
    assert turns(show.body.joint("jaw"), np.tile(rot.IDENTITY, (3, 1))) == 0
    np.testing.assert_allclose(show["flame"].column("jaw_x"), poses[:, 66], atol=1e-7)
    show.save(tmp_path / "y.npz")
    with np.load(tmp_path / "y.npz") as back:
        np.testing.assert_allclose(back["poses"][:, 66:69], poses[:, 66:69], atol=1e-7)
        assert "arkit" not in back.files


def test_files_made_here_hold_arkit_and_refuse_to_be_flame(tmp_path, take):
    path = tmp_path / "x.npz"
    take.save(path)
    with np.load(path) as arrays:
        assert str(arrays["basis"]) == "arkit"
        assert not arrays["expressions"].any()
        np.testing.assert_allclose(arrays["arkit"], take.face.values, atol=1e-6)
        jaw = np.degrees(arrays["poses"][:, 66])
        np.testing.assert_allclose(jaw, JAW_DEGREES * take.face.column("jawOpen"), atol=1e-3)
    with pytest.raises(FormatError, match="found ARKit's"):
        formats.load(path, basis="flame")
    assert "flame" in formats.load(save(tmp_path / "y.npz", beat2()), basis="flame")
    with pytest.raises(FormatError, match="'arkit'"):
        formats.load(tmp_path / "y.npz", basis="arkit")


def test_hands_of_twelve_coefficients(tmp_path, caplog):
    arrays = show_arrays()
    path = save(tmp_path / "x.npz", arrays)
    resting = formats.load(path)
    assert turns(resting.body.rotations[:, FINGERS], np.tile(rot.IDENTITY, (20, 30, 1))) == 0
    assert "they rest" in caplog.text
    assert "left_hand_pose" in resting.meta["smplx"]["lost"]
    assert (resting.body.fps, resting.meta["smplx"]["up"]) == (30, "-Y")
    head = resting.body.positions()[:, INDEX["head"], 1] - resting.body.root[:, 1]
    assert head.min() > 0.3, "a camera's y points down"
    basis, model = model_file(tmp_path / "model.npz")
    for option in ({"hands": basis}, {"model": basis}):
        show = formats.load(path, **option)
        for side, part in (("l", slice(25, 40)), ("r", slice(40, 55))):
            name = {"l": "left", "r": "right"}[side] + "_hand_pose"
            wanted = arrays[name] @ model[f"hands_components{side}"][:12] + model[f"hands_mean{side}"]
            assert turns(show.body.rotations[:, part], quaternions(wanted)) < 1e-3
    flat = formats.load(path, hands=basis, flat_hand_mean=True)
    wanted = arrays["left_hand_pose"] @ model["hands_componentsl"][:12]
    assert turns(flat.body.rotations[:, 25:40], quaternions(wanted)) < 1e-3
    with pytest.raises(FormatError, match="hands_componentsl"):
        formats.load(path, hands=model_file(tmp_path / "bare.npz", hands=False)[0])


def test_the_users_own_model_gives_bones_and_pelvis(tmp_path):
    arrays = beat2(10, betas=np.full(10, 0.01), poses=np.zeros((10, 165)))
    path = save(tmp_path / "x.npz", arrays)
    model, values = model_file(tmp_path / "model.npz", hands=False)
    show = formats.load(path, model=model)
    places = values["v_template"][:55] + 0.1  # each of ten directions adds 0.01 to every coordinate
    np.testing.assert_allclose(show.body.root, arrays["trans"] + places[0], atol=1e-5)
    child = INDEX["leftHand"]
    np.testing.assert_allclose(
        show.body.skeleton.offsets[child], places[child] - places[PARENTS[child]], atol=1e-5
    )
    assert show.body.skeleton.offsets[0, 1] == pytest.approx(places[0, 1] + 3 - 0.1, abs=1e-5)
    assert show.meta["smplx"]["offset_from"] == "model"
    show.save(tmp_path / "y.npz", model=model)
    with np.load(tmp_path / "y.npz") as back:
        np.testing.assert_allclose(back["trans"], arrays["trans"], atol=1e-5)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(values))
    assert formats.load(path, model=tmp_path / "model.pkl").body.difference(show.body) < 1e-6
    with pytest.raises(FormatError, match="body model"):
        formats.load(path, model=path)


def test_the_parts_of_amass_smplx(tmp_path):
    rng = np.random.default_rng(4)
    poses = 0.3 * rng.standard_normal((12, 165))
    arrays = {
        "root_orient": poses[:, :3], "pose_body": poses[:, 3:66], "pose_jaw": poses[:, 66:69],
        "pose_eye": poses[:, 69:75], "pose_hand": poses[:, 75:], "trans": np.zeros((12, 3)), "betas": np.zeros(16),
        "surface_model_type": np.array("smplx"), "mocap_frame_rate": np.array(59.94),
        "labels": np.array([{"marker": 1}], dtype=object),
    }  # fmt: skip
    show = formats.load(save(tmp_path / "x.npz", arrays), up="Z")
    assert show.body.fps == Fraction(60000, 1001)
    assert show.meta["smplx"]["lost"] == ["labels"]
    body = [j for j in range(1, 55) if j != INDEX["jaw"]]
    assert turns(show.body.rotations[:, body], quaternions(poses)[:, body]) < 1e-4
    show.save(tmp_path / "y.npz")
    with np.load(tmp_path / "y.npz") as back:
        for key in ("root_orient", "pose_body", "pose_jaw", "pose_eye", "pose_hand"):
            assert turns(quaternions(back[key]), quaternions(arrays[key])) < 1e-4


def test_pickles_of_show_and_signavatars(tmp_path):
    shown = show_arrays(hands=45)
    (tmp_path / "show.pkl").write_bytes(pickle.dumps({"oliver": shown}))
    show = formats.load(tmp_path / "show.pkl")
    assert turns(show.body.rotations[:, 25:40], quaternions(shown["left_hand_pose"])) < 1e-3
    (tmp_path / "two.pkl").write_bytes(pickle.dumps({"oliver": shown, "seth": shown}))
    with pytest.raises(FormatError, match="oliver, seth"):
        formats.load(tmp_path / "two.pkl")
    assert formats.load(tmp_path / "two.pkl", person="seth").body.difference(show.body) < 1e-6
    rows = 0.1 * np.random.default_rng(5).standard_normal((9, 182))
    (tmp_path / "sign.pkl").write_bytes(pickle.dumps({"smplx": rows, "width": 256}))
    with pytest.raises(FormatError, match="fps"):
        formats.load(tmp_path / "sign.pkl")
    sign = formats.load(tmp_path / "sign.pkl", fps=25, up="Y")
    assert turns(sign.body.rotations[:, 25:55], quaternions(rows[:, 66:156])) < 1e-3
    np.testing.assert_allclose(sign["flame"].values, np.c_[rows[:, 169:179], rows[:, 156:159]], atol=1e-6)
    with pytest.raises(DataError, match="cannot write"):
        sign.save(tmp_path / "no.pkl")


def test_other_rates_and_clocks(tmp_path, take):
    take.with_tracks(face=take.face.resample(30)).save(tmp_path / "x.npz", fps=30)
    show = formats.load(tmp_path / "x.npz")
    assert (len(show.body), show.body.fps, len(show.face)) == (30, 30, 30)
    with pytest.raises(DataError, match="60 frames"):
        take.save(tmp_path / "x.npz", layout="aist", fps=30)
    with pytest.raises(DataError, match="'body'"):
        Performance({"face": Face(np.zeros((2, 1)), ("jawOpen",), 30)}).save(tmp_path / "x.npz")
    assert formats.load(save(tmp_path / "y.npz", beat2()), fps="30000/1001").body.fps == Fraction(30000, 1001)


def test_the_same_bytes_and_nothing_else(tmp_path, take):
    take.save(tmp_path / "x.npz", tmp_path / "y.npz")
    assert (tmp_path / "x.npz").read_bytes() == (tmp_path / "y.npz").read_bytes()
    empty = take.slice(0, 0)
    empty.save(tmp_path / "z.npz")
    assert len(formats.load(tmp_path / "z.npz").body) == 0


def test_facts_that_make_no_sense_are_not_believed(tmp_path, take):
    for about in ("x", {"layout": "beat2", "up": "Y", "offset": ["a"], "betas": [None], "gender": 3}):
        Performance(take.tracks, {"smplx": about}).save(tmp_path / "x.npz")
        assert len(formats.load(tmp_path / "x.npz").body) == 60


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"poses": np.zeros((40, 164))}, r"key 'poses'.*\(T, 165\)"),
        ({"poses": np.zeros(165)}, "key 'poses'"),
        ({"poses": np.full((40, 165), np.nan)}, "key 'poses'.*finite"),
        ({"poses": np.full((40, 165), 1e30)}, "key 'poses'.*within"),
        ({"poses": np.full((40, 165), "x")}, "key 'poses'.*numbers"),
        ({"trans": np.zeros((39, 3))}, "key 'trans'.*40 frames"),
        ({"trans": np.full((40, 3), np.inf)}, "key 'trans'.*finite"),
        ({"expressions": np.zeros((7, 100))}, "key 'expressions'.*40 frames"),
        ({"expressions": np.zeros(())}, "key 'expressions'"),
        ({"betas": np.zeros(5000)}, "key 'betas'"),
        ({"mocap_frame_rate": np.array(0)}, "mocap_frame_rate"),
        ({"mocap_frame_rate": np.array(1e-30)}, "mocap_frame_rate"),
        ({"mocap_frame_rate": np.array("30")}, "mocap_frame_rate"),
        ({"mocap_frame_rate": np.zeros(2)}, "mocap_frame_rate"),
        ({"mocap_frame_rate": None}, "fps=30"),
        ({"poses": None}, "keys.*poses and trans"),
        ({"arkit": np.zeros((40, 51))}, "key 'arkit'"),
    ],
)
def test_faults_are_named_by_key(tmp_path, changes, says):
    with pytest.raises(FormatError, match=says):
        formats.load(save(tmp_path / "x.smplx.npz", beat2(**changes)), format="smplx")


@given(st.data())
def test_damaged_files_are_read_or_refused(tmp_path_factory, data):
    raw = bytearray(_RAW)
    for _ in range(data.draw(st.integers(1, 6))):
        i = data.draw(st.integers(0, len(raw) - 1))
        raw[i] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    path = tmp_path_factory.getbasetemp() / "fuzz.smplx.npz"
    path.write_bytes(raw)
    with suppress(FormatError), np.errstate(all="ignore"):
        formats.load(path, format="smplx")


def _raw() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **beat2(2, expressions=np.zeros((2, 2))))
    return stream.getvalue()


_RAW = _raw()
