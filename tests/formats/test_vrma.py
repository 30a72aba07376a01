"""VRMA: one clip for any VRM."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import EYE_LOOK
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.errors import DataError, FormatError
from kinesics.formats._gltf import read_glb
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Performance
from tests.formats.gltf_files import JSON_VALUES, build, places, replaced, split

KEPT = [i for i, n in enumerate(ARKIT) if n not in EYE_LOOK]


def without_ours(path) -> None:
    """Make a file look like another program's."""
    document, binary = split(path.read_bytes())
    document.pop("extras", None)
    document["nodes"] = [n | {"name": f"node {i}"} for i, n in enumerate(document["nodes"])]
    path.write_bytes(build(document, binary))


def test_what_comes_back(tmp_path, take):
    path = tmp_path / "a.vrma"
    take.save(path)
    back = formats.load(path)
    assert set(back) == {"body", "face"}
    assert np.degrees(rot.angle(back.body.rotations, take.body.rotations)).max() < 1e-3
    np.testing.assert_allclose(back.body.root, take.body.root, atol=1e-6)
    np.testing.assert_allclose(back.body.skeleton.offsets, take.body.skeleton.offsets, atol=1e-6)
    np.testing.assert_allclose(back.face.values[:, KEPT], take.face.values[:, KEPT], atol=1e-6)
    assert not np.delete(back.face.values, KEPT, axis=1).any()
    back.save(tmp_path / "b.vrma")
    again = formats.load(tmp_path / "b.vrma")
    assert again.body.difference(back.body) < 1e-6
    np.testing.assert_array_equal(again.face.values, back.face.values)


def test_long_clips_odd_rates_late_starts(tmp_path, take_of):
    long = take_of(120)
    path = tmp_path / "a.vrma"
    body = long.body.resample("30000/1001").shift(3000.125)
    face = long.face.resample(25).shift(0.5)
    Performance({"body": body, "face": face}).save(path)
    back = formats.load(path)
    assert (back.body.fps, back.body.start, len(back.body)) == (Fraction(30000, 1001), 3000.125, len(body))
    assert (back.face.fps, back.face.start, len(back.face)) == (25, 0.5, len(face))
    assert np.degrees(rot.angle(back.body.rotations, body.rotations)).max() < 1e-2
    assert np.abs(back.body.root - body.root).max() < 1e-4
    np.testing.assert_allclose(back.face.values[:, KEPT], face.values[:, KEPT], atol=1e-6)


def test_as_the_standard_has_it(tmp_path, take):
    path = tmp_path / "a.vrma"
    take.save(path)
    document = read_glb(path).json
    about = document["extensions"]["VRMC_vrm_animation"]
    assert (about["specVersion"], document["extensionsUsed"]) == ("1.0", ["VRMC_vrm_animation"])
    bones = about["humanoid"]["humanBones"]
    assert set(bones) == set(JOINTS) - {"leftEye", "rightEye"}, "eyes are lookAt's"
    assert not {"lookUp", "lookDown", "lookLeft", "lookRight"} & set(about["expressions"]["preset"])
    assert set(about["expressions"]["custom"]) == set(ARKIT)
    assert {"aa", "blink"} <= set(about["expressions"]["preset"])
    assert "happy" not in about["expressions"]["preset"], "the coefficients smile already"
    human = {b["node"] for b in bones.values()}
    for channel in document["animations"][0]["channels"]:
        node, what = channel["target"]["node"], channel["target"]["path"]
        assert what in ("rotation", "translation")
        assert what == "rotation" or node not in human or node == bones["hips"]["node"]
    assert all("rotation" not in n and "scale" not in n for n in document["nodes"])


def test_another_program_sees_the_same(tmp_path, take):
    path = tmp_path / "a.vrma"
    take.save(path)
    ours = formats.load(path)
    without_ours(path)
    back = formats.load(path)
    assert back.body.fps == 60
    not_eyes = [j for j, n in enumerate(JOINTS) if "Eye" not in n]
    angles = rot.angle(back.body.rotations[:, not_eyes], ours.body.rotations[:, not_eyes])
    assert np.degrees(angles).max() < 1e-3
    np.testing.assert_array_equal(back.body.joint("leftEye"), back.body.joint("rightEye"))
    assert set(back.meta["vrma"]["left_out"]) >= {"aa", "blink"}
    np.testing.assert_allclose(back.face.values[:, KEPT], ours.face.values[:, KEPT], atol=1e-6)


def test_gaze_is_where_both_eyes_look(tmp_path, take):
    q = take.body.rotations.copy()
    look = rot.multiply(rot.from_axis_angle([0, 1.0, 0], 0.3), rot.from_axis_angle([1.0, 0, 0], -0.2))
    q[:, [INDEX["leftEye"], INDEX["rightEye"]]] = look
    body = type(take.body)(take.body.skeleton, q, take.body.root, 60)
    path = tmp_path / "a.vrma"
    Performance({"body": body}).save(path)
    without_ours(path)
    back = formats.load(path).body
    np.testing.assert_allclose(back.joint("leftEye"), np.tile(look, (60, 1)), atol=1e-6)


@pytest.mark.parametrize("expressions", ["presets", "both", "arkit"])
def test_faces_of_presets(tmp_path, expressions):
    face = Face([[0.25, 1.0, 0.5, 2.0]], ("aa", "happy", "Heart eyes", "surprised"), 30, "vrm")
    path = tmp_path / "a.vrma"
    Performance({"face": face}).save(path, expressions=expressions)
    for _ in range(2):
        back = formats.load(path).face
        assert back.basis == "vrm"
        assert set(back.names) == set(face.names)
        np.testing.assert_allclose(back.select(face.names).values, [[0.25, 1, 0.5, 1]])
        without_ours(path)


def test_presets_alone(tmp_path, take):
    take.save(tmp_path / "a.vrma", expressions="presets")
    about = read_glb(tmp_path / "a.vrma").json["extensions"]["VRMC_vrm_animation"]["expressions"]
    assert set(about["preset"]) >= {"happy", "aa", "blink"}
    assert "custom" not in about
    assert formats.load(tmp_path / "a.vrma").face.basis == "vrm"
    take.save(tmp_path / "a.vrma", expressions="arkit")
    about = read_glb(tmp_path / "a.vrma").json["extensions"]["VRMC_vrm_animation"]["expressions"]
    assert set(about) == {"custom"}


def test_a_real_clip(shared_data, tmp_path):
    path = shared_data("free-avatars") / "vrm" / "hips_spine_twisting.vrma"
    show = formats.load(path)
    body = show.body
    assert body.skeleton.names == JOINTS
    assert (body.fps, len(body)) == (30, 1800)
    assert len(show.meta["vrma"]["bones"]) == 17
    # Its nodes are turned every which way; on the canonical joints only hips and spine move.
    moving = np.degrees(rot.angle(body.rotations, rot.IDENTITY)).max(axis=0)
    assert {JOINTS[j] for j in np.flatnonzero(moving > 1)} <= {
        "hips",
        "spine",
        "chest",
        "neck",
        "leftUpperArm",
        "rightUpperArm",
    }
    assert moving[[INDEX["hips"], INDEX["spine"]]].max() > 30
    rest = body.skeleton.rest
    assert rest[INDEX["leftHand"], 0] > 0.5
    assert rest[INDEX["head"], 1] - rest[INDEX["hips"], 1] > 0.8
    show.save(tmp_path / "a.vrma")
    back = formats.load(tmp_path / "a.vrma").body
    assert np.degrees(rot.angle(back.rotations, body.rotations)).max() < 0.01
    assert np.abs(back.root - body.root).max() < 1e-4


def test_parts_alone(tmp_path, take):
    path = tmp_path / "a.vrma"
    Performance({"body": take.body}).save(path)
    assert list(formats.load(path)) == ["body"]
    Performance({"face": take.face}).save(path)
    assert list(formats.load(path)) == ["face"]


def test_what_cannot_be_is_said(tmp_path, take):
    path = tmp_path / "a.vrma"
    with pytest.raises(DataError, match="neither body nor face"):
        Performance({"words": take["words"]}).save(path)
    with pytest.raises(DataError, match="'flame'"):
        Performance({"face": Face([[0.5]], ("exp1",), 60, "flame")}).save(path)
    with pytest.raises(DataError, match="unknown expressions"):
        take.save(path, expressions="all")
    assert not path.exists()
    take.save(tmp_path / "a.glb")
    (tmp_path / "a.glb").rename(path)
    with pytest.raises(FormatError, match="VRMC_vrm_animation"):
        formats.load(path)


@given(data=st.data(), new=JSON_VALUES)
def test_any_structure_is_read_or_refused(tmp_path_factory, take, data, new):
    path = tmp_path_factory.getbasetemp() / "fuzz.vrma"
    take.slice(0, 0.05).save(path)
    document, binary = split(path.read_bytes())
    key = data.draw(st.sampled_from(["extensions", "extras", "nodes", "animations", "accessors"]))
    place = data.draw(st.sampled_from(list(places(document[key], (key,)))))
    path.write_bytes(build(replaced(document, place, new), binary))
    with suppress(FormatError):
        formats.load(path)


def test_every_truncation_is_refused(tmp_path, take):
    path = tmp_path / "cut.vrma"
    take.slice(0, 0.05).save(path)
    data = path.read_bytes()
    for end in {*range(0, 40), *range(0, len(data), 997), len(data) - 1}:
        path.write_bytes(data[:end])
        with pytest.raises(FormatError, match=r"cut\.vrma"):
            formats.load(path)
