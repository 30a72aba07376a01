"""GLB: what a viewer plays, what comes back, and what is no GLB of ours."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import avatar_glb, avatars, load_avatar
from kinesics.bodies.export import EYE_LOOK
from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import DataError, FormatError
from kinesics.formats._gltf import read_glb
from kinesics.formats._gltf_write import joints_of, morphing
from kinesics.geometry import rotations as rot
from kinesics.performance import Audio, Face, Interval, Performance, Signal, Tier
from tests.formats.gltf_files import JSON_VALUES, build, places, replaced, split


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """An avatar of three kilobytes: the joints and one triangle with two morphs."""
    skeleton = load_avatar("maya").skeleton
    children = {j: [k for k, p in enumerate(skeleton.parents) if p == j] for j in range(55)}
    nodes = [
        {"name": n, "translation": skeleton.offsets[j].tolist()}
        | ({"children": children[j]} if children[j] else {})
        for j, n in enumerate(JOINTS)
    ]
    triangle = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, 55]}],
        "nodes": [*nodes, {"name": "face", "mesh": 0}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 0}, "targets": [{"POSITION": 0}, {"POSITION": 0}]}
                ],
                "extras": {"targetNames": ["mouthPucker", "jawOpen"]},
            }
        ],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": 3,
                "type": "VEC3",
                "min": [0, 0, 0],
                "max": [1, 1, 0],
            }
        ],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36}],
    }
    path = tmp_path_factory.mktemp("glb") / "stick.glb"
    path.write_bytes(build(json.dumps(document).encode(), triangle))
    return path


@pytest.fixture(scope="module")
def small(stick, take):
    """A short performance of the stick figure."""
    path = stick.parent / "small.glb"
    take.slice(0, 0.1).save(path, avatar=stick)
    return path


def test_what_comes_back(tmp_path, take):
    path = tmp_path / "a.glb"
    take.save(path)
    back = formats.load(path)
    difference = take.difference(back)
    assert set(back) == {"speech", "body", "face", "words", "empty", "plan"}
    assert difference["body"] < np.radians(0.01)
    np.testing.assert_array_equal(back.body.root, take.body.root)
    kept = [i for i, n in enumerate(ARKIT) if n not in EYE_LOOK]
    np.testing.assert_allclose(back.face.values[:, kept], take.face.values[:, kept], atol=1e-5)
    assert not np.delete(back.face.values, kept, axis=1).any()
    assert difference["speech"] < 1 / 32000
    assert back.plan == take.plan
    assert back.tier("words") == take.tier("words")
    assert dict(back.meta) == dict(take.meta)
    # What was read, written again, loses nothing more.
    back.save(tmp_path / "b.glb")
    again = formats.load(tmp_path / "b.glb")
    assert back.body.difference(again.body) < 1e-4
    np.testing.assert_array_equal(back.face.values, again.face.values)


def test_as_another_library_sees_it(tmp_path, take):
    import pygltflib

    path = tmp_path / "a.glb"
    take.save(path)
    gltf = pygltflib.GLTF2().load(str(path))
    (animation,) = gltf.animations
    names = {n.name: i for i, n in enumerate(gltf.nodes)}
    found = {(c.target.node, c.target.path): animation.samplers[c.sampler] for c in animation.channels}
    assert (names["rightHand"], "rotation") not in found, "a joint in the T-pose needs no keys"
    assert (names["jaw"], "rotation") not in found
    still = found[names["leftHand"], "rotation"]
    assert gltf.accessors[still.input].count == gltf.accessors[still.output].count == 1

    def numbers(index: int) -> np.ndarray:
        accessor = gltf.accessors[index]
        view = gltf.bufferViews[accessor.bufferView]
        assert (view.byteOffset or 0) % 4 == 0
        dtype = {5122: "<i2", 5123: "<u2", 5126: "<f4"}[accessor.componentType]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
        raw = np.frombuffer(gltf.binary_blob(), dtype, accessor.count * width, view.byteOffset)
        assert accessor.normalized == (dtype != "<f4")
        return (raw / np.iinfo(dtype).max if dtype != "<f4" else raw).reshape(-1, width).astype(np.float64)

    sampler = found[names["leftUpperArm"], "rotation"]
    xyzw = numbers(sampler.output)
    assert (
        np.degrees(rot.angle(xyzw[:, [3, 0, 1, 2]], take.body.joint("leftUpperArm").astype(np.float64))).max()
        < 0.01
    )
    np.testing.assert_allclose(numbers(sampler.input)[:, 0], np.arange(60) / 60, atol=1e-6)
    time = gltf.accessors[sampler.input]
    assert time.min == [0]
    assert time.max == pytest.approx([59 / 60])
    np.testing.assert_allclose(numbers(found[names["hips"], "translation"].output), take.body.root, atol=1e-7)
    weights = numbers(found[names["face"], "weights"].output).reshape(60, 52)
    targets = gltf.meshes[gltf.nodes[names["face"]].mesh].extras["targetNames"]
    np.testing.assert_allclose(weights[:, targets.index("jawOpen")], take.face.column("jawOpen"), atol=1e-5)
    about = gltf.extras["kinesics"]
    assert about["synthetic"] is True
    assert about["seed"] == 3
    assert about["generator"].startswith("Kinesics ")
    assert about["duration"] == pytest.approx(take.duration)
    assert about["tiers"][0]["intervals"][0] == [0.1, 0.4, "schön", 0.5, 0.9]
    view = gltf.bufferViews[about["audio"]["bufferView"]]
    wav = gltf.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    assert Audio.decode(wav).rate == 16000


@pytest.mark.parametrize("name", avatars())
def test_avatars_are_what_the_writer_takes_them_for(name):
    person = load_avatar(name)
    # The morph jawOpen opens the mouth: a jaw bone that moved vertices too would open it twice.
    assert not person.weight_value[person.weight_index == JOINTS.index("jaw")].any()
    document = read_glb(avatar_glb(name))
    _, skeleton = joints_of(document)
    np.testing.assert_allclose(skeleton.offsets, person.skeleton.offsets, atol=1e-5)
    assert [set(targets) for _, targets in morphing(document)] == [set(ARKIT)]
    assert avatar_glb(name).stat().st_size < 4_000_000


def test_a_minute_is_small(tmp_path, take_of):
    path = tmp_path / "a.glb"
    minute = take_of(60)
    Performance({"body": minute.body, "face": minute.face}).save(path)
    # 55 joints × 8 bytes and 52 weights × 2 bytes, 60 times a second.
    assert path.stat().st_size - avatar_glb("maya").stat().st_size < 2_200_000


def test_gaze_reaches_the_face(tmp_path, take):
    q = take.body.rotations.copy()
    for eye in ("leftEye", "rightEye"):  # 17.5° to the performer's left, 15° up
        q[:, JOINTS.index(eye)] = rot.multiply(
            rot.from_axis_angle([0, 1.0, 0], np.radians(17.5)),
            rot.from_axis_angle([1.0, 0, 0], np.radians(-15)),
        )
    path = tmp_path / "a.glb"
    body = type(take.body)(take.body.skeleton, q, take.body.root, 60)
    take.with_tracks(body=body).save(path)
    document = read_glb(path)
    sampler = next(
        c["sampler"] for c in document.json["animations"][0]["channels"] if c["target"]["path"] == "weights"
    )
    weights = document.array(document.json["animations"][0]["samplers"][sampler]["output"]).reshape(60, 52)[0]
    seen = {n: round(float(weights[ARKIT.index(n)]), 2) for n in EYE_LOOK if weights[ARKIT.index(n)] > 0.01}
    assert seen == {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5, "eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}


def test_parts_alone(tmp_path, take):
    path = tmp_path / "a.glb"
    for name in ("body", "face", "speech", "words"):
        Performance({name: take[name]}).save(path)
        back = formats.load(path)
        assert list(back) == [name]
        limit = {"body": 2e-4, "face": 1e-5, "speech": 1e-4, "words": 0}[name]
        assert back.difference(Performance({name: take[name]}))[name] <= limit
    Performance().save(path)
    assert list(formats.load(path)) == []


def test_other_people_other_rates_other_starts(tmp_path, take):
    path = tmp_path / "a.glb"
    face = Face(np.array([[0.25, -0.5, 1.5]]), ("jawOpen", "mouthPucker", "madeUp"), 29.97, start=0.5)
    take.with_tracks(
        face=face, body=take.body.resample(25).shift(0.25), speech=take.speech.shift(0.125)
    ).save(path, avatar="theo", audio="flac")
    back = formats.load(path)
    assert (back.face.fps, back.face.start) == (Fraction(30000, 1001), 0.5)
    assert back.face.column("mouthPucker")[0] == -0.5, "values beyond 0 to 1 are kept as they are"
    assert (back.body.fps, back.body.start, len(back.body)) == (25, 0.25, 25)
    theo = load_avatar("theo").skeleton
    np.testing.assert_allclose(back.body.skeleton.offsets, theo.offsets, atol=1e-6)
    scale = theo.offsets[0, 1] / take.body.skeleton.offsets[0, 1]
    np.testing.assert_allclose(back.body.root, take.body.resample(25).root * scale, atol=1e-5)
    assert back.speech.start == 0.125
    assert back.speech.difference(take.speech) < 1e-4
    take.shift(-0.5).save(path)
    assert formats.load(path).body.start == 0
    assert len(formats.load(path).body) == 30


def test_long_sound_is_compressed(tmp_path):
    path = tmp_path / "a.glb"
    show = Performance({"speech": Audio(0.1 * np.sin(np.arange(5_000_000) * 0.02), 44100, 0.5)})
    show.save(path)
    assert path.stat().st_size < avatar_glb("maya").stat().st_size + 2_500_000
    back = formats.load(path).speech
    assert len(back) == 5_000_000
    assert back.difference(show.speech) < 0.05
    show.save(path, audio="none")
    assert "speech" not in formats.load(path)


def test_what_cannot_be_shown_is_said(tmp_path, take):
    path = tmp_path / "a.glb"
    with pytest.raises(DataError, match="maya"):
        take.save(path, avatar="nobody")
    with pytest.raises(FormatError, match="avatar"):
        take.save(path, avatar=tmp_path / "none.glb")
    with pytest.raises(DataError, match="unknown audio"):
        take.save(path, audio="mp3")
    with pytest.raises(DataError, match="basis 'flame'"):
        Performance({"face": Face([[0.5]], ("exp1",), 60, "flame")}).save(path)
    small = take.body.skeleton
    other = type(small)(("a", "b"), (-1, 0), small.offsets[:2])
    motion = type(take.body)(other, take.body.rotations[:, :2], take.body.root, 60)
    with pytest.raises(DataError, match="none of the known ones"):
        Performance({"body": motion}).save(path)
    assert not path.exists()


def test_an_avatar_alone_stands_at_rest():
    back = formats.load(avatar_glb("maya"))
    assert len(back.body) == len(back.face) == 1
    assert back.meta["glb"]["animated"] is False
    np.testing.assert_allclose(back.body.positions()[0], load_avatar("maya").joints, atol=1e-5)
    assert back.face.basis == "arkit"


def test_every_truncation_is_refused(small):
    data = small.read_bytes()
    path = small.parent / "cut.glb"
    size = struct.unpack("<I", data[12:16])[0]
    for end in {*range(0, 40), *range(0, len(data), 997), *range(size + 10, size + 40), len(data) - 1}:
        path.write_bytes(data[:end])
        with pytest.raises(FormatError, match=r"cut\.glb"):
            formats.load(path)


@given(st.data(), JSON_VALUES)
def test_any_structure_is_read_or_refused(small, data, new):
    document, binary = split(small.read_bytes())
    key = data.draw(
        st.sampled_from(["extras", "animations", "accessors", "bufferViews", "nodes", "meshes", "buffers"])
    )
    place = data.draw(st.sampled_from(list(places(document[key], (key,)))))
    path = small.parent / "fuzz.glb"
    path.write_bytes(build(json.dumps(replaced(document, place, new)).encode(), binary))
    with suppress(FormatError):
        formats.load(path)


@pytest.mark.parametrize("value", [2**60, -1, 1e9, "7", None, True, [1]])
@pytest.mark.parametrize("field", ["count", "byteOffset", "bufferView", "componentType", "type"])
def test_absurd_accessors_allocate_nothing(small, field, value):
    document, binary = split(small.read_bytes())
    channel = next(c for c in document["animations"][0]["channels"] if c["target"]["path"] == "translation")
    document["accessors"][document["animations"][0]["samplers"][channel["sampler"]]["output"]][field] = value
    path = small.parent / "x.glb"
    path.write_bytes(build(json.dumps(document).encode(), binary))
    with pytest.raises(FormatError, match=r"x\.glb"):
        formats.load(path)


def test_signals_stay_behind(tmp_path, caplog):
    caplog.set_level("INFO")
    show = Performance(
        {"f0": Signal([[1.0]], ("f0",), ("Hz",), 1), "x": Tier("words", [Interval(0, 1, "a")])}
    )
    show.save(tmp_path / "a.glb")
    assert list(formats.load(tmp_path / "a.glb")) == ["x"], "a tier keeps the track's name"
    assert "f0" in caplog.text
