"""VRM: reading what models say of themselves, driving anyone's model, making one of our own people."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.arkit import INDEX as COLUMN
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.export import EYE_LOOK, face_for_export
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.errors import DataError, FormatError
from kinesics.formats._gltf import Glb, read_glb
from kinesics.formats._vrm import PRESETS, vrm_of
from kinesics.formats._vrm_drive import mesh_weights
from kinesics.formats._vrm_face import SHAPES, arkit_of, presets_of
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Motion, Performance
from scripts.check_gltf import validate, validator_folder
from tests.formats.gltf_files import JSON_VALUES, Document, build, chain, matrix, places, replaced, split

MODELS = (
    "Example", "basic_armature", "custom_normal", "expression_migration", "basic_armature_vrm1", "simple_morph",
    "VRMC_vrm_expressions_isBinary_Overridden", "VRMC_materials_mtoon_UV_Animation_Test",
)  # fmt: skip


@pytest.fixture(scope="module")
def model(shared_data):
    """Path of a real VRM by name."""
    return lambda name: shared_data("free-avatars") / "vrm" / f"{name}.vrm"


REQUIRED = (
    "hips", "spine", "head", "leftUpperLeg", "leftLowerLeg", "leftFoot", "rightUpperLeg", "rightLowerLeg",
    "rightFoot", "leftUpperArm", "leftLowerArm", "leftHand", "rightUpperArm", "rightLowerArm", "rightHand",
)  # fmt: skip


def small_model(
    *, old: bool = False, turned: bool = True, bones: tuple[str, ...] = REQUIRED, **extension
) -> Document:
    """A VRM of a few kilobytes: turned bone frames (1.0), a scaled armature, one mesh with six morphs."""
    rng = np.random.default_rng(5)
    rest = load_avatar("maya").skeleton.rest.astype(float) * (1, 0.8, 1)
    flip = np.array([-1.0, 1, -1]) if old else np.ones(3)
    parents = dict(
        zip(JOINTS, [JOINTS[p] if p >= 0 else "" for p in load_avatar("maya").skeleton.parents], strict=True)
    )
    nodes: list[dict] = [{"name": "armature", "scale": [0.01] * 3, "children": []}]
    world = [np.diag([0.01, 0.01, 0.01, 1.0])]
    at = {"": 0}
    for name in (j for j in JOINTS if j in bones):
        parent = parents[name]
        while parent not in at:
            parent = parents[parent]
        up = at[parent]
        q = rng.standard_normal(4) if turned and not old else np.array([0, 0, 0, 1.0])
        node = {
            "name": f"J_{name}",
            "translation": (np.linalg.inv(world[up]) @ [*(rest[INDEX[name]] * flip), 1])[:3].tolist(),
            "rotation": (q / np.linalg.norm(q)).tolist(),
        }
        at[name] = len(nodes)
        nodes[up].setdefault("children", []).append(len(nodes))
        nodes.append(node)
        world.append(world[up] @ matrix(node))
    face = len(nodes)
    nodes.append({"name": "face", "mesh": 0})
    document = Document(nodes=nodes, scenes=[{"nodes": [0, face]}])
    corner = document.accessor(np.eye(3), min=[0, 0, 0], max=[1, 1, 1])
    document.json["meshes"] = [
        {"primitives": [{"attributes": {"POSITION": corner}, "targets": [{"POSITION": corner}] * 6}]}
    ]
    human = {name: {"node": node} for name, node in at.items() if name}
    if old:
        about = {
            "humanoid": {"humanBones": [{"bone": n, "node": b["node"]} for n, b in human.items()]},
            "meta": {"title": "Old", "author": "A", "licenseName": "CC0", "allowedUserName": "Everyone"},
        }
        document.json["extensions"] = {"VRM": about | extension}
    else:
        about = {
            "specVersion": "1.0",
            "humanoid": {"humanBones": human},
            "meta": {"name": "New", "authors": ["A", "B"]},
        }
        document.json["extensions"] = {"VRMC_vrm": about | extension}
    return document


def binds(document: Document, index: int, weight: float = 1.0) -> list[dict]:
    return [{"node": len(document.json["nodes"]) - 1, "index": index, "weight": weight}]


# -- reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_real_models_stand_facing_us(model, name):
    show = formats.load(model(name))
    assert show.body.skeleton.names == JOINTS
    assert len(show.body) == 1
    np.testing.assert_allclose(show.body.rotations, np.broadcast_to(rot.IDENTITY, (1, 55, 4)), atol=1e-6)
    rest = show.body.skeleton.rest
    assert rest[INDEX["leftHand"], 0] > 0.2 > -0.2 > rest[INDEX["rightHand"], 0]
    assert rest[INDEX["head"], 1] > rest[INDEX["hips"], 1]
    about = show.meta["vrm"]
    assert about["version"] in ("0.x", "1.0")
    assert set(REQUIRED) <= set(about["bones"])
    assert set(about["bones"]) | set(about["missing_bones"]) == set(JOINTS)
    json.dumps(about)


def test_what_a_1_0_model_says_of_itself(model):
    about = formats.load(model("expression_migration")).meta["vrm"]
    assert about["version"] == "1.0"
    assert about["licence"]["commercialUsage"] == "personalNonProfit"
    assert about["licence"]["allowRedistribution"] is False
    assert about["lookAt"]["type"] == "bone"
    assert about["lookAt"]["up"] == [90.0, 10.0]
    assert about["expressions"]["relaxed"] == {
        "preset": True, "isBinary": True, "overrideBlink": "blend", "overrideLookAt": "block",
        "overrideMouth": "none", "morphs": 0, "materials": True,
    }  # fmt: skip
    assert about["expressions"]["custom_e"]["morphs"] == 2
    assert not about["expressions"]["custom_e"]["preset"]
    other = formats.load(model("VRMC_vrm_expressions_isBinary_Overridden")).meta["vrm"]
    assert (other["author"], other["title"]) == ("pixiv Inc.", "isBinary overridden")
    assert other["lookAt"]["type"] == "expression"
    assert other["expressions"]["blink"]["isBinary"]


def test_what_a_0_x_model_says_of_itself(model):
    about = formats.load(model("simple_morph")).meta["vrm"]
    assert (about["version"], about["title"], about["author"]) == ("0.x", "SimpleMorph", "@saturday06")
    assert about["licence"]["licenseName"] == "CC0"
    assert about["expressions"]["aa"]["morphs"] == 1
    assert {"happy", "sad", "relaxed", "blinkLeft", "lookUp"} <= set(about["expressions"])
    assert about["lookAt"]["outer"] == [90.0, 12.0]
    whole = formats.load(model("basic_armature")).meta["vrm"]
    assert {"leftThumbMetacarpal", "leftThumbProximal", "leftThumbDistal"} <= set(whole["bones"])


def test_an_animation_inside_comes_on_the_canonical_joints(tmp_path):
    document = small_model()
    node = next(i for i, n in enumerate(document.json["nodes"]) if n["name"] == "J_leftUpperArm")
    rest = document.json["nodes"][node]["rotation"]
    still = chain(document.json, {})["J_spine"][:3, :3]
    parent = rot.from_matrix(still / np.linalg.norm(still, axis=0))
    down = rot.from_axis_angle([0, 0, 1.0], -1.0)  # about the world's Z, whatever the node's frame
    turned = rot.multiply(
        rot.multiply(rot.conjugate(parent), rot.multiply(down, parent)), np.array(rest)[[3, 0, 1, 2]]
    )
    document.animate("down", (node, "rotation", [0.0], turned[None, [1, 2, 3, 0]], "LINEAR"))
    body = formats.load(document.save(tmp_path / "a.vrm")).body
    np.testing.assert_allclose(body.joint("leftUpperArm")[0], down, atol=1e-6)
    assert np.abs(np.delete(body.rotations[0], INDEX["leftUpperArm"], 0) - rot.IDENTITY).max() < 1e-6


def test_what_is_no_vrm_is_named(tmp_path, take):
    take.save(tmp_path / "a.glb")
    (tmp_path / "a.glb").rename(tmp_path / "a.vrm")
    with pytest.raises(FormatError, match="VRMC_vrm or VRM"):
        formats.load(tmp_path / "a.vrm")


# -- driving someone's model ------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["glb", "vrm"])
@pytest.mark.parametrize("name", MODELS)
def test_real_models_move_like_the_performance(tmp_path, model, take, name, ending):
    path = tmp_path / f"a.{ending}"
    take.save(path, avatar=model(name))
    back = formats.load(path)
    shown = read_glb(model(name)).json
    assert read_glb(path).json["extensions"] == shown["extensions"], "the model stays what it is"
    bones = [INDEX[j] for j in vrm_of(read_glb(path)).bones if "Eye" not in j]
    mine = take.body.skeleton.forward(take.body.rotations.astype(float), take.body.root)[1][:, bones]
    theirs = back.body.skeleton.forward(back.body.rotations.astype(float), back.body.root)[1][:, bones]
    assert np.degrees(rot.angle(mine, theirs)).max() < 0.02, "nine 16-bit rotations one after the other"
    height = back.body.skeleton.offsets[0, 1]
    if height > 0.05:
        scale = height / take.body.skeleton.offsets[0, 1]
        np.testing.assert_allclose(back.body.root, take.body.root * scale, atol=1e-6)
    np.testing.assert_allclose(back.face.values, take.face.values, atol=1e-5)
    assert set(back) == {"speech", "body", "face", "words", "empty", "plan"}


@pytest.mark.parametrize("old", [False, True])
def test_nodes_are_where_a_chain_of_matrices_has_them(tmp_path, take, old):
    """The oracle knows nothing of VRM: it plays the file's own channels and looks where the bones are."""
    model = small_model(old=old).save(tmp_path / "model.vrm")
    path = tmp_path / "a.glb"
    take.save(path, avatar=model)
    glb = read_glb(path)
    local: dict[int, dict] = {}
    animation = glb.json["animations"][0]
    for channel in animation["channels"]:
        table = glb.array(animation["samplers"][channel["sampler"]]["output"])
        if channel["target"]["path"] != "weights":
            row = table[min(30, len(table) - 1)].tolist()
            local.setdefault(channel["target"]["node"], {})[channel["target"]["path"]] = row
    world = chain(glb.json, {i: matrix(glb.json["nodes"][i], **c) for i, c in local.items()})
    rest = chain(glb.json, {})
    theirs, ours = {}, take.body.skeleton.forward(take.body.rotations.astype(float), take.body.root)[1][30]
    flip = np.diag([-1.0, 1, -1]) if old else np.eye(3)
    for name in REQUIRED:
        turn = world[f"J_{name}"][:3, :3] @ np.linalg.inv(rest[f"J_{name}"][:3, :3])
        theirs[name] = flip @ turn @ flip
        np.testing.assert_allclose(theirs[name], rot.to_matrix(ours[INDEX[name]]), atol=5e-4, err_msg=name)
    np.testing.assert_allclose(
        flip @ world["J_hips"][:3, 3],
        take.body.root[30] * 0.8,
        atol=1e-5,
        err_msg="hips at 0.8 of the height",
    )


def test_bones_that_a_model_lacks_keep_their_turn_below(tmp_path, take):
    q = np.tile(rot.IDENTITY, (1, 55, 1))
    turn = rot.from_axis_angle([0, 1.0, 0], 0.5)
    q[0, INDEX["upperChest"]] = q[0, INDEX["neck"]] = turn
    body = Motion(take.body.skeleton, q, take.body.root[:1], 60)
    model = small_model().save(tmp_path / "model.vrm")
    Performance({"body": body}).save(tmp_path / "a.vrm", avatar=model)
    back = formats.load(tmp_path / "a.vrm").body
    np.testing.assert_allclose(back.joint("head")[0], rot.multiply(turn, turn), atol=1e-4)
    np.testing.assert_allclose(back.joint("leftUpperArm")[0], turn, atol=1e-4)


def gazing(azimuth: float, elevation: float) -> Motion:
    q = np.tile(rot.IDENTITY, (2, 55, 1))
    look = rot.multiply(
        rot.from_axis_angle([0, 1.0, 0], np.radians(azimuth)),
        rot.from_axis_angle([1.0, 0, 0], -np.radians(elevation)),
    )
    q[:, [INDEX["leftEye"], INDEX["rightEye"]]] = look
    skeleton = load_avatar("maya").skeleton
    return Motion(skeleton, q, np.tile(skeleton.offsets[0], (2, 1)), 60)


@pytest.mark.parametrize("old", [False, True])
def test_eyes_turn_as_far_as_the_model_lets_them(tmp_path, old):
    ranges = [("Inner", 10.0), ("Outer", 20.0)], [("Down", 5.0), ("Up", 8.0)]
    if old:
        look = {
            "firstPerson": {
                "lookAtTypeName": "Bone",
                **{f"lookAtHorizontal{k}": {"xRange": 40.0, "yRange": v} for k, v in ranges[0]},
                **{f"lookAtVertical{k}": {"xRange": 40.0, "yRange": v} for k, v in ranges[1]},
            }
        }
    else:
        look = {
            "lookAt": {
                "type": "bone",
                **{f"rangeMapHorizontal{k}": {"inputMaxValue": 40.0, "outputScale": v} for k, v in ranges[0]},
                **{f"rangeMapVertical{k}": {"inputMaxValue": 40.0, "outputScale": v} for k, v in ranges[1]},
            }
        }
    model = small_model(old=old, bones=(*REQUIRED, "leftEye", "rightEye"), **look).save(
        tmp_path / "model.vrm"
    )
    for azimuth, elevation, left, right, lift in (
        (20, 20, 10, 5, 4),
        (-20, -20, -5, -10, -2.5),
        (90, 0, 20, 10, 0),
    ):
        Performance({"body": gazing(azimuth, elevation)}).save(tmp_path / "a.vrm", avatar=model)
        body = formats.load(tmp_path / "a.vrm").body
        for side, expected in (("left", left), ("right", right)):
            gaze = rot.rotate(body.joint(f"{side}Eye")[0].astype(float), [0.0, 0, 1])
            assert np.degrees(np.arctan2(gaze[0], gaze[2])) == pytest.approx(expected, abs=0.02)
            assert np.degrees(np.arcsin(gaze[1])) == pytest.approx(lift, abs=0.02)


def weights_of(path) -> np.ndarray:
    glb = read_glb(path)
    animation = glb.json["animations"][0]
    (channel,) = [c for c in animation["channels"] if c["target"]["path"] == "weights"]
    return glb.array(animation["samplers"][channel["sampler"]]["output"]).reshape(-1, 6)


def test_gaze_by_expressions(tmp_path):
    document = small_model(
        lookAt={"type": "expression", "rangeMapHorizontalOuter": {"inputMaxValue": 40, "outputScale": 0.8},
                "rangeMapVerticalUp": {"inputMaxValue": 20, "outputScale": 1}},
    )  # fmt: skip
    document.json["extensions"]["VRMC_vrm"]["expressions"] = {
        "preset": {
            n: {"morphTargetBinds": binds(document, k)}
            for k, n in enumerate(("lookLeft", "lookRight", "lookUp", "lookDown"))
        }
    }
    model = document.save(tmp_path / "model.vrm")
    Performance({"body": gazing(20, 10)}).save(tmp_path / "a.vrm", avatar=model)
    np.testing.assert_allclose(weights_of(tmp_path / "a.vrm")[0], [0.4, 0, 0.5, 0, 0, 0], atol=1e-3)


def faced(**levels: float) -> Performance:
    values = np.zeros((2, 52))
    for name, level in levels.items():
        values[:, COLUMN[name]] = level
    return Performance({"face": Face(values, ARKIT, 30)})


def test_presets_binary_and_overrides_as_the_standard_has_them(tmp_path):
    document = small_model()
    document.json["extensions"]["VRMC_vrm"]["expressions"] = {
        "preset": {
            "aa": {"morphTargetBinds": [*binds(document, 0, 0.5), *binds(document, 1)]},
            "happy": {
                "morphTargetBinds": binds(document, 2),
                "overrideMouth": "blend",
                "overrideBlink": "block",
            },
            "blinkLeft": {"morphTargetBinds": binds(document, 3)},
            "blinkRight": {"morphTargetBinds": binds(document, 4)},
            "surprised": {"morphTargetBinds": binds(document, 5), "isBinary": True},
        }
    }
    model = document.save(tmp_path / "model.vrm")

    def shown(**levels: float) -> np.ndarray:
        faced(**levels).save(tmp_path / "a.vrm", avatar=model)
        return weights_of(tmp_path / "a.vrm")[0]

    np.testing.assert_allclose(shown(**SHAPES["aa"]), [0.5, 1, 0, 0, 0, 0], atol=0.02)
    np.testing.assert_allclose(
        shown(eyeBlinkLeft=0.75, eyeBlinkRight=0.25), [0, 0, 0, 0.75, 0.25, 0], atol=1e-4
    )
    np.testing.assert_allclose(shown(**SHAPES["surprised"])[5], 1)
    half = {n: 0.4 * w for n, w in SHAPES["surprised"].items()}
    np.testing.assert_allclose(shown(**half)[5], 0)
    both = {n: SHAPES["happy"].get(n, 0) * 0.5 + SHAPES["aa"].get(n, 0) for n in ARKIT}
    mixed = shown(**(both | {"eyeBlinkLeft": 1.0}))
    np.testing.assert_allclose(mixed[[0, 1, 2, 3]], [0.25, 0.5, 0.5, 0], atol=0.03)


def test_the_finest_face_a_model_offers_is_used(tmp_path):
    names = [*ARKIT[:4], "Fcl_MTH_A", "jawOpen"]
    document = small_model()
    document.json["meshes"][0]["extras"] = {"targetNames": names}
    document.json["extensions"]["VRMC_vrm"]["expressions"] = {
        "preset": {"aa": {"morphTargetBinds": binds(document, 4)}},
        "custom": {
            n[0].upper() + n[1:]: {"morphTargetBinds": binds(document, k % 6)} for k, n in enumerate(ARKIT)
        },
    }
    path = tmp_path / "a.vrm"
    face = faced(browDownLeft=0.3, jawOpen=0.8)
    # Too few morphs bear ARKit's names, custom expressions do.
    face.save(path, avatar=document.save(tmp_path / "model.vrm"))
    expected = np.zeros(6)
    expected[COLUMN["browDownLeft"] % 6] += 0.3
    expected[COLUMN["jawOpen"] % 6] += 0.8
    np.testing.assert_allclose(weights_of(path)[0], expected, atol=1e-4)


def test_morphs_that_bear_arkit_names_are_used_first():
    document = small_model(expressions={"preset": {}})
    corner = document.json["meshes"][0]["primitives"][0]["targets"][0]
    document.json["meshes"][0]["primitives"][0]["targets"] = [corner] * 52
    document.json["meshes"][0]["extras"] = {"targetNames": list(reversed(ARKIT))}
    glb = Glb(Path("model.vrm"), document.json, memoryview(document.data))
    face = faced(jawOpen=0.7).face
    (weights,) = mesh_weights(glb, vrm_of(glb), face, None).values()
    np.testing.assert_allclose(weights[:, ::-1], face.values)


def test_presets_and_coefficients_are_each_others_reverse():
    rng = np.random.default_rng(2)
    names = ("aa", "ih", "ou", "ee", "oh", "happy", "angry", "sad", "relaxed", "surprised")
    levels = rng.uniform(0, 1, (40, len(names))) * (rng.uniform(0, 1, (40, len(names))) < 0.2)
    face = Face(levels, names, 30, "vrm")
    values = sum(levels[:, [k]] * [SHAPES[n].get(c, 0) for c in ARKIT] for k, n in enumerate(names))
    found = presets_of(Face(values, ARKIT, 30))
    for k, name in enumerate(names):
        np.testing.assert_allclose(found[name], levels[:, k], atol=0.02, err_msg=name)
    np.testing.assert_allclose(arkit_of(face).values, values.clip(0, 1), atol=1e-6)
    assert set(SHAPES) == set(PRESETS)


# -- our own people ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["maya", "theo"])
def test_our_people_become_vrms(tmp_path, take, name):
    path = tmp_path / "a.vrm"
    take.save(path, avatar=name)
    about = formats.load(path).meta["vrm"]
    assert about["version"] == "1.0"
    assert (about["title"], about["missing_bones"]) == (name, [])
    assert set(about["expressions"]) == {*PRESETS, *ARKIT}
    assert all(about["expressions"][n]["morphs"] for n in (*ARKIT, *PRESETS) if n != "neutral")
    assert "CC0" in about["licence"]["copyrightInformation"]
    assert about["licence"]["modification"] == "allowModificationRedistribution"
    document = read_glb(path).json
    assert document["extensionsUsed"].count("VRMC_vrm") == 1
    targets = document["meshes"][0]["extras"]["targetNames"]
    for key, entry in document["extensions"]["VRMC_vrm"]["expressions"]["custom"].items():
        assert [targets[b["index"]] for b in entry["morphTargetBinds"]] == [key]
    eyes = document["extensions"]["VRMC_vrm"]["lookAt"]["offsetFromHeadBone"]
    person = load_avatar(name)
    middle = 0.5 * (person.joints[INDEX["leftEye"]] + person.joints[INDEX["rightEye"]])
    np.testing.assert_allclose(person.joints[INDEX["head"]] + eyes, middle, atol=1e-5)


def test_our_vrm_comes_back(tmp_path, take):
    take.save(tmp_path / "a.vrm", tmp_path / "a.glb")
    vrm, glb = formats.load(tmp_path / "a.vrm"), formats.load(tmp_path / "a.glb")
    assert max(glb.difference(vrm).values()) < 1e-6
    again = formats.load(tmp_path / "a.vrm").save(tmp_path / "b.vrm")
    assert again is None
    assert formats.load(tmp_path / "b.vrm").body.difference(vrm.body) < 1e-4
    kept = [i for i, n in enumerate(ARKIT) if n not in EYE_LOOK]
    np.testing.assert_allclose(vrm.face.values[:, kept], take.face.values[:, kept], atol=1e-5)


def test_our_vrm_can_be_an_avatar(tmp_path, take):
    Performance().save(tmp_path / "model.vrm")
    take.save(tmp_path / "a.glb", avatar=tmp_path / "model.vrm")
    back = formats.load(tmp_path / "a.glb")
    theirs = np.delete(back.body.rotations, [INDEX["leftEye"], INDEX["rightEye"]], axis=1)
    ours = np.delete(take.body.rotations, [INDEX["leftEye"], INDEX["rightEye"]], axis=1)
    assert np.degrees(rot.angle(theirs, ours)).max() < 0.02
    glb = read_glb(tmp_path / "a.glb")
    animation = glb.json["animations"][0]
    sampler = next(c["sampler"] for c in animation["channels"] if c["target"]["path"] == "weights")
    weights = glb.array(animation["samplers"][sampler]["output"]).reshape(60, 52)
    np.testing.assert_allclose(weights, face_for_export(take.face, take.body).values, atol=1e-4)


def test_a_face_of_presets_moves_our_people(tmp_path):
    Performance({"face": Face([[1.0, 0.5]], ("aa", "blink"), 30, "vrm")}).save(tmp_path / "a.glb")
    face = formats.load(tmp_path / "a.glb").face
    assert face.column("jawOpen")[0] == pytest.approx(SHAPES["aa"]["jawOpen"], abs=1e-4)
    assert face.column("eyeBlinkRight")[0] == pytest.approx(0.5, abs=1e-4)


def test_all_files_pass_khronos_validator(tmp_path, take, shared_data):
    folder = validator_folder()
    if folder is None:
        pytest.skip("KINESICS_GLTF_VALIDATOR names no folder with gltf-validator (npm), or node is missing")
    files = []
    for name in ("maya", "theo"):
        for ending in ("glb", "gltf", "vrm"):
            for audio in ("wav", "none"):
                files.append(tmp_path / f"{name}_{audio}.{ending}")
                take.save(files[-1], avatar=name, audio=audio)
    files.append(tmp_path / "a.vrma")
    take.save(files[-1])
    for issues in validate(folder, *files):
        assert (issues["numErrors"], issues["numWarnings"], issues["numHints"]) == (0, 0, 0), issues[
            "messages"
        ]
    driven = []
    for name in MODELS:
        driven.append(tmp_path / f"{name}.vrm")
        take.save(driven[-1], avatar=shared_data("free-avatars") / "vrm" / f"{name}.vrm")
    assert [issues["numErrors"] for issues in validate(folder, *driven)] == [0] * len(driven)


# -- faults -----------------------------------------------------------------------------------------


def test_what_cannot_be_is_said(tmp_path, take):
    path = tmp_path / "a.vrm"
    with pytest.raises(DataError, match="maya"):
        take.save(path, avatar="nobody")
    with pytest.raises(FormatError, match="found nothing"):
        take.save(path, avatar=tmp_path / "none.vrm")
    document = small_model()
    del document.json["extensions"]["VRMC_vrm"]["humanoid"]["humanBones"]["hips"]
    with pytest.raises(FormatError, match="no hips"):
        take.save(path, avatar=document.save(tmp_path / "model.vrm"))
    shared = small_model()
    bones = shared.json["extensions"]["VRMC_vrm"]["humanoid"]["humanBones"]
    bones["spine"] = bones["head"]
    with pytest.raises(FormatError, match="share a node"):
        formats.load(shared.save(tmp_path / "model.vrm"))
    flat = small_model()
    flat.json["nodes"][0]["scale"] = [0, 0, 0]
    with pytest.raises(FormatError, match="scale"):
        take.save(path, avatar=flat.save(tmp_path / "model.vrm"))
    assert not path.exists()


@pytest.mark.parametrize("old", [False, True])
@given(data=st.data(), new=JSON_VALUES)
def test_any_structure_is_read_or_refused(tmp_path_factory, old, data, new):
    document = small_model(old=old)
    key = "VRM" if old else "VRMC_vrm"
    about = document.json["extensions"][key]
    if old:
        about["blendShapeMaster"] = {
            "blendShapeGroups": [
                {"presetName": "a", "name": "A", "binds": [{"mesh": 0, "index": 0, "weight": 100}]}
            ]
        }
        about["firstPerson"] = {
            "lookAtTypeName": "Bone",
            "lookAtHorizontalInner": {"xRange": 90, "yRange": 8},
        }
    else:
        about["expressions"] = {
            "preset": {"aa": {"morphTargetBinds": binds(document, 0)}},
            "custom": {"x": {}},
        }
        about["lookAt"] = {"type": "bone", "rangeMapVerticalUp": {"inputMaxValue": 90, "outputScale": 10}}
    place = data.draw(st.sampled_from(list(places(document.json["extensions"], ("extensions",)))))
    path = tmp_path_factory.getbasetemp() / "fuzz.vrm"
    path.write_bytes(build(replaced(document.json, place, new), document.data))
    with suppress(FormatError):
        formats.load(path)
    with suppress(FormatError, DataError):
        Performance({"body": gazing(10, 10), **faced(jawOpen=1).tracks}).save(
            path.with_suffix(".glb"), avatar=path
        )


def test_every_truncation_is_refused(tmp_path):
    data = build(small_model().json, small_model().data)
    path = tmp_path / "cut.vrm"
    for end in {*range(0, 40), *range(0, len(data), 97), len(data) - 1}:
        path.write_bytes(data[:end])
        with pytest.raises(FormatError, match=r"cut\.vrm"):
            formats.load(path)


def test_split_reads_what_build_writes():
    document = small_model()
    assert split(build(document.json, document.data))[0] == document.json
