"""glTF files of other programs: their skeletons, clips and morphs, and everything that can be wrong with them."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError, FormatError
from kinesics.formats._gltf import Glb
from kinesics.formats._gltf_face import arkit_name
from kinesics.geometry import rotations as rot
from tests.formats.gltf_files import (
    JSON_VALUES,
    Document,
    build,
    chain,
    matrix,
    places,
    replaced,
    split,
    turned_rig,
)


@pytest.fixture
def rig(tmp_path):
    """A turned, scaled rig, its document and its performance."""
    document = turned_rig()
    return document, document.save(tmp_path / "rig.glb")


def keys(document: Document, name: str, index: int = 0) -> np.ndarray:
    """A sampler's output as the test reads it."""
    accessor = document.json["accessors"][document.json["animations"][index]["samplers"][int(name)]["output"]]
    view = document.json["bufferViews"][accessor["bufferView"]]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
    return np.frombuffer(document.data, "<f4", accessor["count"] * width, view["byteOffset"]).reshape(
        -1, width
    )


def test_a_turned_rig_is_where_a_chain_of_matrices_has_it(rig):
    document, path = rig
    show = formats.load(path)
    body = show.body
    assert body.skeleton.names == ("hips", "spine", "head", "leg")
    assert (body.fps, len(body), body.start) == (24, 5, 0)
    assert show.meta["glb"]["clips"] == ["walk"]
    at_rest = chain(document.json, {})
    for name, place in zip(body.skeleton.names, body.skeleton.rest, strict=True):
        np.testing.assert_allclose(place, at_rest[name][:3, 3], atol=1e-5)
    channels = document.json["animations"][0]["channels"]
    for t in range(5):
        local: dict[int, dict] = {}
        for k, channel in enumerate(channels):
            target = channel["target"]
            if target["path"] != "weights":
                local.setdefault(target["node"], {})[target["path"]] = keys(document, str(k))[t]
        world = chain(document.json, {i: matrix(document.json["nodes"][i], **c) for i, c in local.items()})
        for name, place in zip(body.skeleton.names, body.positions()[t], strict=True):
            np.testing.assert_allclose(place, world[name][:3, 3], atol=1e-5)
        # How far each bone has turned since rest, in the world, is what the performance holds.
        turned = body.skeleton.forward(body.rotations, body.root)[1][t]
        for name, q in zip(body.skeleton.names, turned, strict=True):
            delta = world[name][:3, :3] @ np.linalg.inv(at_rest[name][:3, :3])
            np.testing.assert_allclose(rot.to_matrix(q), delta, atol=1e-5)
    np.testing.assert_allclose(show.face.values, keys(document, "5").reshape(5, 2), atol=1e-6)
    assert (show.face.names, show.face.basis) == (("Angry", "Sad"), "gltf")


def test_robot_agrees_with_another_library(shared_data):
    import pygltflib

    path = shared_data("free-avatars") / "glb" / "RobotExpressive.glb"
    gltf = pygltflib.GLTF2().load(str(path))
    document, binary = split(path.read_bytes())
    names = [a.name for a in gltf.animations]
    for clip in ("Walking", "Dance", "ThumbsUp"):
        show = formats.load(path, clip=clip)
        assert show.meta["glb"]["clips"] == names
        assert show.meta["glb"]["clip"] == clip
        assert show.body.fps == 24
        assert show.face.names == ("Angry", "Surprised", "Sad")
        animation = gltf.animations[names.index(clip)]
        wrong = set(show.meta["glb"].get("displaced", ()))
        assert wrong <= {"FootL", "FootR", "PoleTargetL", "PoleTargetR"}
        for frame in (0, len(show.body) // 2, len(show.body) - 1):
            local: dict[int, dict] = {}
            for channel in animation.channels:
                sampler = animation.samplers[channel.sampler]
                accessor = gltf.accessors[sampler.output]
                view = gltf.bufferViews[accessor.bufferView]
                width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
                start = (view.byteOffset or 0) + (accessor.byteOffset or 0)
                table = np.frombuffer(binary, "<f4", accessor.count * width, start).reshape(-1, width)
                if channel.target.path != "weights":
                    row = table[min(frame, len(table) - 1)]
                    local.setdefault(channel.target.node, {})[channel.target.path] = row
            world = chain(document, {i: matrix(document["nodes"][i], **c) for i, c in local.items()})
            places_now = show.body.positions()[frame]
            for name, place in zip(show.body.skeleton.names, places_now, strict=True):
                if name not in wrong:
                    np.testing.assert_allclose(place, world[name][:3, 3], atol=1e-5, err_msg=name)


def test_clips_by_name_number_and_rate(rig, tmp_path):
    document, _ = rig
    document.animate(
        "odd", (3, "rotation", [0.0, 0.3, 1.0], [[0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]], "LINEAR")
    )
    path = document.save(tmp_path / "two.glb")
    assert formats.load(path, clip="odd").body.fps == 30, "keys that lie on no rate are sampled at 30"
    assert len(formats.load(path, clip=1).body) == 31
    assert formats.load(path, clip="1").meta["glb"]["clip"] == "odd"
    slow = formats.load(path, clip="walk", fps=12).body
    assert (slow.fps, len(slow)) == (12, 3)
    fast = formats.load(path).body
    np.testing.assert_allclose(slow.rotations, fast.rotations[::2], atol=1e-6)
    with pytest.raises(DataError, match=r"no clip 'run'; it has: walk, odd"):
        formats.load(path, clip="run")
    with pytest.raises(DataError, match="rate"):
        formats.load(path, fps=-1)


@pytest.mark.parametrize("rate", [24, 30, 60, Fraction(30000, 1001), Fraction(24000, 1001), 120])
def test_a_clips_own_rate_is_found(tmp_path, rate):
    document = turned_rig(frames=2)
    times = 0.5 + np.arange(2000) / float(rate)
    turns = np.tile([0.0, 0, 0, 1], (2000, 1))
    document.json["animations"] = []
    document.animate(
        "long", (3, "rotation", np.delete(times, [5, 6, 700]), np.delete(turns, [5, 6, 700], 0), "LINEAR")
    )
    body = formats.load(document.save(tmp_path / "a.glb")).body
    assert body.fps == rate
    assert body.start == pytest.approx(0.5)
    assert len(body) == 2000


def test_interpolations(tmp_path):
    document = turned_rig()
    document.json["animations"] = []
    document.json["nodes"][0] = {"name": "scene", "children": [1, 6]}
    document.json["nodes"][1] = {"name": "armature", "children": [2]}
    half = np.sqrt(0.5)
    cubic = [[[0, 0, 0], [0, 1, 0], [0, 2, 0]], [[0, 2, 0], [0, 3, 0], [0, 0, 0]]]
    document.animate(
        "mixed",
        (2, "translation", [0.0, 1.0], document.accessor(np.array(cubic).reshape(-1, 3)), "CUBICSPLINE"),
        (3, "rotation", [0.0, 1.0], [[0, 0, 0, 1], [0, 0, -half, -half]], "LINEAR"),
        (4, "rotation", [0.0, 0.5, 1.0], [[0, 0, 0, 1], [0, half, 0, half], [0, 0, 0, 1]], "STEP"),
    )
    document.json["nodes"][3]["rotation"] = document.json["nodes"][4]["rotation"] = [0, 0, 0, 1]
    document.json["nodes"][2]["rotation"] = [0, 0, 0, 1]
    body = formats.load(document.save(tmp_path / "a.glb"), fps=8).body
    t = np.arange(9) / 8
    np.testing.assert_allclose(body.root[:, 1], 1 + 2 * t, atol=1e-6)
    angle = np.degrees(rot.angle(body.joint("spine"), [1.0, 0, 0, 0]))
    np.testing.assert_allclose(angle, 90 * t, atol=1e-3)  # the shorter way, whatever the sign
    stepped = np.degrees(rot.angle(body.joint("head"), [1.0, 0, 0, 0]))
    np.testing.assert_allclose(stepped, [0, 0, 0, 0, 90, 90, 90, 90, 0], atol=1e-3)


def test_integers_and_sparse_accessors_mean_the_same(tmp_path):
    document = turned_rig()
    document.json["animations"] = []
    base = np.zeros((5, 2), "<f4")
    base[[1, 3]] = [[0.5, 1.0], [0.25, 0.75]]
    flat = base.reshape(-1)
    at = np.flatnonzero(flat)
    sparse = {
        "count": len(at),
        "indices": {"bufferView": document.view(at.astype("u1").tobytes()), "componentType": 5121},
        "values": {"bufferView": document.view(flat[at].tobytes())},
    }
    document.json["accessors"].append(
        {"componentType": 5126, "count": 10, "type": "SCALAR", "sparse": sparse}
    )
    times = np.arange(5) / 30
    document.animate("zeros", (6, "weights", times, len(document.json["accessors"]) - 1, "LINEAR"))
    on_base = document.accessor(np.ones(10))
    document.json["accessors"][on_base]["sparse"] = sparse
    document.animate("base", (6, "weights", times, on_base, "LINEAR"))
    for kind in ("u1", "u2", "i1", "i2"):
        most = np.iinfo(kind).max
        document.animate(
            kind,
            (6, "weights", times, document.accessor(np.round(flat * most), kind, normalized=True), "LINEAR"),
        )
    path = document.save(tmp_path / "a.glb")
    np.testing.assert_array_equal(formats.load(path, clip="zeros").face.values, base)
    np.testing.assert_array_equal(formats.load(path, clip="base").face.values, np.where(base, base, 1))
    for kind in ("u1", "u2", "i1", "i2"):
        np.testing.assert_allclose(
            formats.load(path, clip=kind).face.values, base, atol=0.6 / np.iinfo(kind).max
        )


def test_what_cannot_be_kept_is_told(tmp_path):
    document = turned_rig()
    document.json["animations"] = []
    times = np.arange(5) / 24
    document.animate(
        "stretch",
        (4, "translation", times, np.outer(np.arange(5), [0, 0.001, 0]), "LINEAR"),
        (5, "scale", times, np.outer(1 + np.arange(5), [1, 1, 1]), "LINEAR"),
    )
    about = formats.load(document.save(tmp_path / "a.glb")).meta["glb"]
    assert about["lost_translation"] == {"head": pytest.approx(0.1)}
    assert about["lost_scale"] == {"leg": 2}
    assert about["displaced"]["head"] == pytest.approx(0.1, abs=0.05)


def test_the_joint_that_carries_the_body_is_the_root(tmp_path):
    document = turned_rig()
    document.json["skins"] = [{"joints": [1, 2, 3, 4, 5]}]
    about = formats.load(document.save(tmp_path / "a.glb"))
    assert about.body.skeleton.names == ("hips", "spine", "head", "leg")
    assert about.meta["glb"]["above_root"] == ["armature"]
    assert "displaced" not in about.meta["glb"]


def test_without_animation_the_body_rests(tmp_path):
    document = turned_rig()
    del document.json["animations"]
    show = formats.load(document.save(tmp_path / "a.glb"))
    assert len(show.body) == len(show.face) == 1
    np.testing.assert_allclose(show.body.joint("spine"), [[1, 0, 0, 0]], atol=1e-7)
    assert show.meta["glb"] == {"clips": [], "clip": None, "animated": False}
    empty = Document(nodes=[{"name": "x"}])
    assert list(formats.load(empty.save(tmp_path / "b.glb"))) == []


def test_bones_without_a_skin_move_too(tmp_path):
    document = turned_rig()
    del document.json["skins"], document.json["nodes"][6]["skin"]
    body = formats.load(document.save(tmp_path / "a.glb")).body
    assert body.skeleton.names == ("hips", "spine", "head", "leg")


def test_meshes_of_one_face_are_one_face(tmp_path):
    document = turned_rig()
    document.json["nodes"].append({"name": "teeth", "mesh": 0})
    document.json["nodes"].append({"name": "other", "mesh": 0})
    document.json["animations"] = []
    times = np.arange(5) / 30
    same = document.accessor(np.linspace(0, 1, 10))
    document.animate(
        "talk",
        (6, "weights", times, same, "LINEAR"),
        (7, "weights", times, same, "LINEAR"),
        (8, "weights", times, np.linspace(1, 0, 10), "LINEAR"),
    )
    face = formats.load(document.save(tmp_path / "a.glb")).face
    assert face.names == ("Angry", "Sad", "other.Angry", "other.Sad")


def test_arkit_names_in_any_spelling(tmp_path):
    assert arkit_name("tongue_out") == arkit_name("TongueOut") == "tongueOut"
    assert arkit_name("jawOpenLeft") is None
    document = turned_rig()
    corner = document.json["meshes"][0]["primitives"][0]["targets"][0]
    names = [f"face.{n[0].upper()}{n[1:]}" for n in ARKIT]
    document.json["meshes"][0]["primitives"][0]["targets"] = [corner] * 53
    document.json["meshes"][0]["extras"]["targetNames"] = [*names, "viseme_aa"]
    document.json["animations"] = []
    values = np.random.default_rng(0).uniform(0, 1, (5, 53))
    document.animate("talk", (6, "weights", np.arange(5) / 30, values.reshape(-1), "LINEAR"))
    face = formats.load(document.save(tmp_path / "a.glb")).face
    assert face.basis == "arkit"
    assert face.names == (*ARKIT, "viseme_aa")
    np.testing.assert_allclose(face.values, values, atol=1e-6)


def as_text(document: Document, uri: str) -> dict:
    return {**document.json, "buffers": [{"byteLength": len(document.data), "uri": uri}]}


def test_gltf_with_its_data_inside_or_beside(rig, tmp_path):
    document, glb = rig
    whole = formats.load(glb)
    path = tmp_path / "a.gltf"
    encoded = base64.b64encode(document.data).decode()
    path.write_text(json.dumps(as_text(document, f"data:application/octet-stream;base64,{encoded}")))
    assert whole.body.difference(formats.load(path).body) < 1e-6
    (tmp_path / "my buffers").mkdir()
    (tmp_path / "my buffers" / "a.bin").write_bytes(document.data)
    path.write_text(json.dumps(as_text(document, "my%20buffers/a.bin")))
    assert whole.body.difference(formats.load(path).body) < 1e-6


@pytest.mark.parametrize(
    "uri",
    [
        "../secret.bin", "a/../../secret.bin", "/etc/passwd", "%2e%2e/secret.bin", "file:///etc/passwd",
        "http://127.0.0.1/x.bin", "C:\\x.bin", "..\\secret.bin", "link.bin", "none.bin", "", ".", "a\0b",
        "data:,abc", "data:application/octet-stream;base64,@@@", 7, None,
    ],
)  # fmt: skip
def test_nothing_outside_the_folder_is_opened(rig, tmp_path, uri):
    document, _ = rig
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(document.data)
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = folder / "a.gltf"
    path.write_text(json.dumps(as_text(document, uri)))
    with pytest.raises(FormatError, match=r"a\.gltf: buffers\[0\]"):
        formats.load(path)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b'{"asset": {"version": "1.0"}}',
        b'{"asset": {"version": "2.0"',
        b"\xff\xfe{",
        b"[" * 100_000,
    ],
)
def test_what_is_no_gltf_is_named(tmp_path, text):
    path = tmp_path / "a.gltf"
    path.write_bytes(text)
    with pytest.raises(FormatError, match=r"a\.gltf"):
        formats.load(path)


def broken(change) -> Document:
    document = turned_rig()
    change(document.json)
    return document


@pytest.mark.parametrize(
    "change",
    [
        lambda j: j["nodes"][4].update(children=[1]),
        lambda j: j["nodes"][1].update(children=[1, 2]),
        lambda j: j["nodes"][4].update(children=[0]),
        lambda j: j["nodes"][0].update(children=[1, 6, 99]),
        lambda j: j["nodes"][2].update(rotation=[0, 0, 1]),
        lambda j: j["nodes"][2].update(matrix=[1e300] * 16),
        lambda j: j["skins"][0].update(joints=[99]),
        lambda j: j["animations"][0]["samplers"][0].update(interpolation="BEZIER"),
        lambda j: j["animations"][0]["channels"][0].update(sampler=99),
        lambda j: j["accessors"][j["animations"][0]["samplers"][0]["input"]].update(count=4),
        lambda j: j["accessors"][j["animations"][0]["samplers"][0]["output"]].update(count=2**50),
        lambda j: (
            j["accessors"][j["animations"][0]["samplers"][0]["output"]].pop("bufferView")
            and j["accessors"][j["animations"][0]["samplers"][0]["output"]].update(count=2**50)
        ),
        lambda j: j.update(extensionsRequired=["EXT_meshopt_compression"]),
        lambda j: j["bufferViews"][-1].update(byteLength=2**40),
        lambda j: j["bufferViews"][-1].update(buffer=5),
    ],
)
def test_broken_files_are_refused(tmp_path, change):
    with pytest.raises(FormatError, match=r"a\.glb"):
        formats.load(broken(change).save(tmp_path / "a.glb"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 2**40),
        ("count", -1),
        ("indices", {"bufferView": 0, "componentType": 5126}),
        ("values", None),
    ],
)
def test_sparse_accessors_are_not_believed(tmp_path, field, value):
    document = turned_rig()
    output = document.json["animations"][0]["samplers"][5]["output"]
    sparse = {
        "count": 1,
        "indices": {"bufferView": document.view(b"\x63"), "componentType": 5121},
        "values": {"bufferView": document.view(bytes(4))},
    }
    document.json["accessors"][output]["sparse"] = sparse
    with pytest.raises(FormatError, match=r"sparse.*element 99 of 10"):
        formats.load(document.save(tmp_path / "a.glb"))
    sparse[field] = value
    with pytest.raises(FormatError, match=r"a\.glb"):
        formats.load(document.save(tmp_path / "a.glb"))


def test_few_keys_far_apart_ask_for_no_memory(tmp_path):
    document = turned_rig()
    document.json["animations"] = []
    document.animate("eternity", (3, "rotation", [0.0, 9e6], [[0, 0, 0, 1], [0, 0, 1, 0]], "LINEAR"))
    with pytest.raises(FormatError, match="frames"):
        formats.load(document.save(tmp_path / "a.glb"))
    document = turned_rig()
    document.json["animations"] = []
    document.animate("late", (3, "rotation", [9e6, 9e6 + 1], [[0, 0, 0, 1], [0, 0, 1, 0]], "LINEAR"))
    assert len(formats.load(document.save(tmp_path / "a.glb")).body) == 31


def test_many_channels_on_the_same_bytes_end(tmp_path):
    document = Document(nodes=[{"name": f"n{i}", "children": [i + 1]} for i in range(500)] + [{}])
    keys = 20_000
    clock, turns = np.arange(keys) / 30, np.tile([0, 0, 0, 1], (keys, 1))
    times, values = document.accessor(clock), document.accessor(turns)
    samplers, channels = [], []
    for i in range(500):
        for index in (times, values):
            document.json["accessors"].append(dict(document.json["accessors"][index]))
        samplers.append(
            {"input": len(document.json["accessors"]) - 2, "output": len(document.json["accessors"]) - 1}
        )
        channels.append({"sampler": i, "target": {"node": i, "path": "rotation"}})
    document.json["animations"] = [{"channels": channels, "samplers": samplers}]
    with pytest.raises(FormatError, match="same bytes"):
        formats.load(document.save(tmp_path / "a.glb"))
    samplers[:] = [{"input": times, "output": values}] * 500
    assert len(formats.load(document.save(tmp_path / "a.glb"), fps=1).body) == 667


def test_deep_and_wide_node_graphs_end(tmp_path):
    deep = Document(nodes=[{"children": [i + 1]} for i in range(5000)] + [{}])
    deep.json["skins"] = [{"joints": list(range(5000))}]
    with pytest.raises(FormatError, match="levels"):
        formats.load(deep.save(tmp_path / "a.glb"))
    wide = Document(nodes=[{"children": list(range(1, 6000))}] + [{} for _ in range(6000)])
    wide.json["skins"] = [{"joints": list(range(6000))}]
    with pytest.raises(FormatError, match="joints"):
        formats.load(wide.save(tmp_path / "a.glb"))


@given(st.data(), JSON_VALUES)
def test_any_structure_is_read_or_refused(tmp_path_factory, data, new):
    document = turned_rig()
    document.json |= {"extensionsRequired": ["KHR_x"], "extras": {"x": 1}, "extensions": {"x": {}}}
    key = data.draw(st.sampled_from(sorted(document.json)))
    place = data.draw(st.sampled_from(list(places(document.json[key], (key,)))))
    path = tmp_path_factory.getbasetemp() / "fuzz.glb"
    path.write_bytes(build(replaced(document.json, place, new), document.data))
    with suppress(FormatError):
        formats.load(path)


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(tmp_path_factory, data):
    for name in ("x.glb", "x.gltf", "x.vrm", "x.vrma"):
        path = tmp_path_factory.getbasetemp() / name
        for head in (b"", b"glTF\x02\0\0\0"):
            path.write_bytes(head + data)
            with pytest.raises(FormatError):
                formats.load(path)


def test_a_buffer_beside_is_read_once(rig, tmp_path):
    document, _ = rig
    (tmp_path / "a.bin").write_bytes(document.data)
    glb = Glb(tmp_path / "a.gltf", as_text(document, "a.bin"), None)
    assert glb.buffer(0) is glb.buffer(0)
