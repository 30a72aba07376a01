"""The people that ship: posing them, and faces that close where they must."""

from __future__ import annotations

import dataclasses
import json
import struct

import numpy as np
import pytest

from kinesics.bodies import humanoid
from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.bodies.avatar import Avatar, avatar_glb, avatars, load_avatar, skin
from kinesics.errors import DataError, FormatError

IDENTITY = np.tile(np.float32([1, 0, 0, 0]), (55, 1))
PEOPLE = avatars()
MILLIMETRE = 0.001


@pytest.fixture(params=PEOPLE)
def person(request: pytest.FixtureRequest) -> Avatar:
    return load_avatar(request.param)


def face(**weights: float) -> np.ndarray:
    out = np.zeros(52, np.float32)
    for name, value in weights.items():
        out[INDEX[name]] = value
    return out


def at(person: Avatar, name: str, **weights: float) -> np.ndarray:
    return skin(person, IDENTITY, weights=face(**weights))[person.landmark(name)]


def test_two_different_people_ship() -> None:
    assert {"maya", "theo"} <= set(PEOPLE)
    a, b = load_avatar("maya"), load_avatar("theo")
    assert abs(a.vertices[:, 1].max() - b.vertices[:, 1].max()) > 0.05
    assert a.morph_names == b.morph_names == ARKIT


def test_avatar_is_read_only_and_shared(person: Avatar) -> None:
    assert load_avatar(person.name) is person
    with pytest.raises(dataclasses.FrozenInstanceError):
        person.name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        person.vertices[0] = 0


def test_identity_pose_is_the_rest_mesh(person: Avatar) -> None:
    assert np.abs(skin(person, IDENTITY) - person.vertices).max() < 1e-5


def test_weights_sum_to_one_and_arrays_fit(person: Avatar) -> None:
    count = len(person.vertices)
    assert np.allclose(person.weight_value.sum(1), 1, atol=1e-6)
    assert person.weight_index.max() < 55
    assert person.faces.min() == 0
    assert person.faces.max() == count - 1
    assert person.parts[-1].vertices.stop == count
    assert person.parts[-1].faces.stop == len(person.faces)
    assert np.isfinite(person.vertices).all()
    assert np.allclose(np.linalg.norm(person.normals, axis=1), 1, atol=0.02)


def test_t_pose_stands_on_the_floor_with_arms_out_and_legs_down(person: Avatar) -> None:
    joint = dict(zip(humanoid.JOINTS, person.joints, strict=True))
    assert abs(person.vertices[:, 1].min()) < 2 * MILLIMETRE
    for side, sign in (("left", 1), ("right", -1)):
        arm = joint[f"{side}Hand"] - joint[f"{side}UpperArm"]
        leg = joint[f"{side}Foot"] - joint[f"{side}UpperLeg"]
        assert arm[0] * sign > 0.99 * np.linalg.norm(arm)
        assert leg[1] < -0.99 * np.linalg.norm(leg)
        assert joint[f"{side}Toes"][2] > joint[f"{side}Foot"][2]
    assert np.allclose(person.joints, person.joints[humanoid.mirror_index()] * [-1, 1, 1], atol=1e-5)


def test_turning_the_hips_moves_the_whole_person_rigidly(person: Avatar) -> None:
    turned = IDENTITY.copy()
    turned[0] = [np.cos(0.4), 0, np.sin(0.4), 0]
    moved = skin(person, turned, root=[0.3, 1.0, -0.2], weights=face(jawOpen=0.5))
    still = skin(person, IDENTITY, weights=face(jawOpen=0.5))
    matrix = np.array([[np.cos(0.8), 0, np.sin(0.8)], [0, 1, 0], [-np.sin(0.8), 0, np.cos(0.8)]])
    expected = (still - person.joints[0]) @ matrix.T + [0.3, 1.0, -0.2]
    assert np.abs(moved - expected).max() < 1e-5


def test_frames_in_a_batch_equal_single_frames(person: Avatar) -> None:
    random = np.random.default_rng(0)
    q = IDENTITY + 0.2 * random.standard_normal((3, 55, 4)).astype(np.float32)
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    root, weights = random.random((3, 3), np.float32), random.random((3, 52), np.float32)
    batch = skin(person, q, root=root, weights=weights)
    for t in range(3):
        assert np.array_equal(batch[t], skin(person, q[t], root=root[t], weights=weights[t]))


def test_skinning_is_the_textbook_sum(person: Avatar) -> None:
    random = np.random.default_rng(1)
    q = IDENTITY + 0.2 * random.standard_normal((55, 4)).astype(np.float32)
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    weights = random.random(52).astype(np.float32)
    position, orientation = person.skeleton.forward(q.astype(float), person.joints[0].astype(float))
    some = random.integers(0, len(person.vertices), 400)
    rest = person.vertices.astype(float).copy()
    rest[person.morph_vertices] += np.tensordot(weights.astype(float), person.morph_offsets, 1)
    from kinesics.geometry import rotations as rot

    joints = person.weight_index[some]
    local = rest[some][:, None] - person.joints[joints]
    each = rot.rotate(orientation[joints], local) + position[joints]
    expected = (each * person.weight_value[some][..., None]).sum(1)
    assert np.abs(skin(person, q, weights=weights)[some] - expected).max() < 1e-5


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_blink_closes_its_own_lids_only(person: Avatar, side: str) -> None:
    upper, lower = f"upper_lid_mid_{side.lower()}", f"lower_lid_mid_{side.lower()}"
    rest = at(person, upper)[1] - at(person, lower)[1]
    blink = {f"eyeBlink{side}": 1.0}
    shut = at(person, upper, **blink)[1] - at(person, lower, **blink)[1]
    assert rest > 6 * MILLIMETRE
    assert abs(shut) < 0.8 * MILLIMETRE
    other = "right" if side == "Left" else "left"
    assert np.allclose(at(person, f"upper_lid_mid_{other}", **blink), at(person, f"upper_lid_mid_{other}"))


def test_blinking_lids_stay_outside_the_eyeball(person: Avatar) -> None:
    for side in ("left", "right"):
        centre = person.joints[humanoid.INDEX[f"{side}Eye"]]
        eyes = next(p for p in person.parts if p.name == "eyes")
        near = person.vertices[eyes.vertices]
        radius = np.linalg.norm(near - centre, axis=1).min()
        for half in (0.5, 1.0):
            lid = at(person, f"upper_lid_mid_{side}", **{f"eyeBlink{side.title()}": half})
            assert np.linalg.norm(lid - centre) > radius


def gap(person: Avatar, **weights: float) -> float:
    return float(at(person, "upper_lip_mid", **weights)[1] - at(person, "lower_lip_mid", **weights)[1])


def test_jaw_opens_the_mouth_and_mouth_close_seals_it(person: Avatar) -> None:
    rest = gap(person)
    assert gap(person, jawOpen=1) - rest > 20 * MILLIMETRE
    for amount in (0.3, 1.0):
        assert abs(gap(person, jawOpen=amount, mouthClose=amount) - rest) < 0.3 * MILLIMETRE


def test_lower_teeth_follow_the_jaw_and_upper_teeth_do_not(person: Avatar) -> None:
    assert np.allclose(at(person, "upper_teeth_edge", jawOpen=1), at(person, "upper_teeth_edge"))
    assert at(person, "lower_teeth_edge")[1] - at(person, "lower_teeth_edge", jawOpen=1)[1] > 0.015
    # Nothing is weighted to the jaw joint: the morph opens the mouth, the bone must not do it again.
    assert not (person.weight_value[person.weight_index == humanoid.INDEX["jaw"]] > 0).any()


def test_every_morph_moves_something_and_mirrors(person: Avatar) -> None:
    for k, name in enumerate(person.morph_names):
        reach = np.abs(person.morph_offsets[k]).max()
        assert reach > 0.5 * MILLIMETRE, name
        if name.endswith("Left"):
            twin = np.abs(person.morph_offsets[INDEX[name[:-4] + "Right"]]).max()
            assert abs(reach - twin) < 1.0 * MILLIMETRE, name


def test_eyeballs_turn_with_their_joints_and_no_morph_moves_them(person: Avatar) -> None:
    eyes = next(p for p in person.parts if p.name == "eyes")
    ids = np.arange(eyes.vertices.start, eyes.vertices.stop)
    assert not np.isin(ids, person.morph_vertices).any()
    centre = person.joints[humanoid.INDEX["leftEye"]]
    left = ids[person.vertices[ids, 0] > 0]
    ball = np.linalg.norm(person.vertices[left] - centre, axis=1)
    assert np.ptp(ball) < MILLIMETRE
    q = IDENTITY.copy()
    q[humanoid.INDEX["leftEye"]] = [np.cos(0.2), np.sin(0.2), 0, 0]
    assert np.allclose(np.linalg.norm(skin(person, q)[left] - centre, axis=1), ball, atol=1e-5)


def test_person_is_dressed(person: Avatar) -> None:
    names = {p.material.name for p in person.parts}
    needed = {"face", "skin", "eyes", "teeth", "tongue", "lashes", "hair", "shirt", "trousers", "shoes"}
    assert needed <= names
    assert all(
        p.material.texture[:3] in (b"\x89PN", b"\xff\xd8\xff") for p in person.parts if p.material.texture
    )
    assert "CC0" in person.licence


def test_unknown_people_and_landmarks_are_named() -> None:
    with pytest.raises(DataError, match="maya"):
        load_avatar("nobody")
    with pytest.raises(DataError, match="nose_tip"):
        load_avatar("maya").landmark("nose")


def test_bad_input_is_refused(tmp_path) -> None:
    person = load_avatar("maya")
    with pytest.raises(DataError, match="shape"):
        skin(person, np.zeros((54, 4)))
    with pytest.raises(DataError, match="finite"):
        skin(person, IDENTITY * np.nan)
    with pytest.raises(DataError, match="frames"):
        skin(person, np.stack([IDENTITY] * 3), weights=np.zeros((2, 52)))
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK not a zip")
    with pytest.raises(FormatError, match="avatar"):
        load_avatar(broken)
    np.savez(tmp_path / "empty.npz", a=np.zeros(1))
    with pytest.raises(FormatError, match="avatar"):
        load_avatar(tmp_path / "empty.npz")


def test_glb_has_the_same_joints_morphs_and_weights_in_small_files(person: Avatar) -> None:
    path = avatar_glb(person.name)
    data = path.read_bytes()
    assert len(data) <= 4e6
    assert path.with_suffix(".npz").stat().st_size <= 3e6
    length = struct.unpack("<I", data[12:16])[0]
    document = json.loads(data[20 : 20 + length])
    nodes = document["nodes"]
    assert [nodes[i]["name"] for i in document["skins"][0]["joints"]] == list(humanoid.JOINTS)
    assert all(nodes[i]["rotation"] == [0, 0, 0, 1] for i in range(55))
    moving = [m for m in document["meshes"] if "targets" in m["primitives"][0]]
    assert len(moving) == 1
    assert moving[0]["extras"]["targetNames"] == list(ARKIT)
    assert all(len(p["targets"]) == 52 for p in moving[0]["primitives"])
    total = sum(
        document["accessors"][p["attributes"]["POSITION"]]["count"]
        for m in document["meshes"]
        for p in m["primitives"]
    )
    assert total == len(person.vertices)
