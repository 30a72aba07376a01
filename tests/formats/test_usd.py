"""USD: our own files, USD's own skinning as oracle, other tools' frames and units, and files that reach outside."""

from __future__ import annotations

import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinesics import formats
from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar, skin
from kinesics.bodies.export import EYE_LOOK, face_for_export
from kinesics.errors import DataError, FormatError, KinesicsError, MissingExtra
from kinesics.formats._usd_body import motion_of, on_even_clock
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Face, Motion, Performance

pxr = pytest.importorskip("pxr")


def opened(path):
    from pxr import Usd, UsdSkel

    stage = Usd.Stage.Open(str(path))
    cache = UsdSkel.Cache()
    root = next(UsdSkel.Root(p) for p in stage.Traverse() if p.IsA(UsdSkel.Root))
    cache.Populate(root, Usd.TraverseInstanceProxies())
    skeleton = next(UsdSkel.Skeleton(p) for p in stage.Traverse() if p.IsA(UsdSkel.Skeleton))
    return stage, cache, cache.GetSkelQuery(skeleton)


def usds_own_places(path, times) -> np.ndarray:
    """(T, J, 3) places in the stage's world by UsdSkel itself."""
    from pxr import UsdGeom

    _stage, _, query = opened(path)  # the stage must live
    out = []
    for time in times:
        xforms = query.ComputeJointWorldTransforms(UsdGeom.XformCache(time))
        out.append([list(m.ExtractTranslation()) for m in xforms])
    return np.array(out)


@pytest.mark.parametrize("ending", [".usda", ".usdc", ".usd", ".usdz"])
def test_round_trip(tmp_path, take, ending):
    path = tmp_path / f"x{ending}"
    take.save(path)
    back = formats.load(path)
    assert back.body.skeleton == take.body.skeleton
    assert back.body.difference(take.body) < 1e-6
    np.testing.assert_array_equal(back.body.root, take.body.root)
    assert back.face.names == ARKIT
    kept = [n for n in ARKIT if n not in EYE_LOOK]
    np.testing.assert_array_equal(back.face.select(tuple(kept)).values, take.face.select(tuple(kept)).values)
    assert not back.face.select(EYE_LOOK).values.any(), "gaze is in the eye joints"
    assert (back.meta["avatar"], back.meta["usd"]["unit"], back.meta["usd"]["up"]) == ("maya", 1.0, "Y")
    take.save(tmp_path / f"y{ending}")
    assert (tmp_path / f"y{ending}").read_bytes() == path.read_bytes()


def test_clocks_of_their_own(tmp_path, take):
    body = take.body.resample(Fraction(30000, 1001)).shift(0.25)
    face = take.face.resample(25).shift(0.5)
    Performance({"body": body, "face": face}).save(tmp_path / "x.usda")
    back = formats.load(tmp_path / "x.usda")
    assert (back.body.fps, back.body.start, len(back.body)) == (Fraction(30000, 1001), 0.25, len(body))
    assert (back.face.fps, back.face.start, len(back.face)) == (25, 0.5, len(face))
    odd = Motion(body.skeleton, body.rotations, body.root, Fraction(100, 3))
    Performance({"body": odd}).save(tmp_path / "x.usda")
    assert formats.load(tmp_path / "x.usda").body.fps == Fraction(100, 3)
    Performance({"body": odd.slice(0, 0)}).save(tmp_path / "x.usda")
    assert len(formats.load(tmp_path / "x.usda").body) == 0


def test_usd_itself_stands_where_we_stand(tmp_path, take):
    path = tmp_path / "x.usdc"
    take.save(path)
    np.testing.assert_allclose(
        usds_own_places(path, range(0, 60, 13)), take.body.positions()[::13], atol=1e-5
    )


def test_usd_skins_the_person_as_we_do(tmp_path, take):
    from pxr import UsdGeom, UsdSkel, Vt

    path = tmp_path / "x.usdc"
    take.save(path)
    stage, cache, query = opened(path)
    avatar = load_avatar("maya")
    frame = 17
    weights = face_for_export(take.face, take.body).values[frame]
    wanted = skin(avatar, take.body.rotations[frame], root=take.body.root[frame], weights=weights)
    transforms = query.ComputeSkinningTransforms(frame)
    seen = 0
    for prim, part in zip([p for p in stage.Traverse() if p.IsA(UsdGeom.Mesh)], avatar.parts, strict=True):
        skinning = cache.GetSkinningQuery(prim)
        points = Vt.Vec3fArray(UsdGeom.Mesh(prim).GetPointsAttr().Get())
        if skinning.HasBlendShapes():
            shapes = UsdSkel.BlendShapeQuery(UsdSkel.BindingAPI(prim))
            order = list(query.GetAnimQuery().GetBlendShapeOrder())
            values = query.GetAnimQuery().ComputeBlendShapeWeights(frame)
            mine = list(UsdSkel.BindingAPI(prim).GetBlendShapesAttr().Get())
            chosen = Vt.FloatArray([values[order.index(n)] for n in mine])
            result = shapes.ComputeSubShapeWeights(chosen)
            shapes.ComputeDeformedPoints(
                *result, shapes.ComputeBlendShapePointIndices(), shapes.ComputeSubShapePointOffsets(), points
            )
        assert skinning.ComputeSkinnedPoints(transforms, points, frame)
        np.testing.assert_allclose(np.asarray(points), wanted[part.vertices], atol=2e-5)
        seen += len(points)
    assert seen == len(avatar.vertices)


FOREIGN = """#usda 1.0
(
    defaultPrim = "R"
    metersPerUnit = 0.01
    upAxis = "Z"
    timeCodesPerSecond = 24
)
def SkelRoot "R" (prepend apiSchemas = ["SkelBindingAPI"])
{
    rel skel:animationSource = </R/Anim>
    double3 xformOp:translate = (10, 20, 30)
    float xformOp:rotateZ = 90
    uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:rotateZ"]
    def Skeleton "S" (prepend apiSchemas = ["SkelBindingAPI"])
    {
        uniform token[] joints = ["Hip", "Hip/Spine", "Hip/Spine/Head", "Hip/Leg", "Prop"]
        uniform matrix4d[] bindTransforms = [
            ((0,1,0,0), (-1,0,0,0), (0,0,1,0), (0,0,90,1)),
            ((0,0,1,0), (1,0,0,0), (0,1,0,0), (0,0,120,1)),
            ((1,0,0,0), (0,1,0,0), (0,0,1,0), (0,5,160,1)),
            ((1,0,0,0), (0,0,1,0), (0,-1,0,0), (10,0,90,1)),
            ((1,0,0,0), (0,1,0,0), (0,0,1,0), (0,0,0,1)) ]
        uniform matrix4d[] restTransforms = [
            ((0,1,0,0), (-1,0,0,0), (0,0,1,0), (0,0,90,1)),
            ((0,0,1,0), (0,-1,0,0), (1,0,0,0), (0,0,30,1)),
            ((0,1,0,0), (0,0,1,0), (1,0,0,0), (40,0,5,1)),
            ((0,-1,0,0), (0,0,1,0), (-1,0,0,0), (0,-10,0,1)),
            ((1,0,0,0), (0,1,0,0), (0,0,1,0), (0,0,0,1)) ]
    }
    def SkelAnimation "Anim"
    {
        uniform token[] joints = ["Hip/Spine/Head", "Hip", "Hip/Spine"]
        float3[] translations.timeSamples = {
            0: [(30, 40, 5), (0, 0, 90), (1, 2, 30)],
            1: [(30, 40, 5), (5, 0, 95), (1, 2, 30)],
            2: [(30, 40, 5), (9, 1, 90), (1, 2, 30)] }
        quatf[] rotations.timeSamples = {
            0: [(1, 0, 0, 0), (0.8, 0, 0.6, 0), (0.6, 0.8, 0, 0)],
            1: [(0.6, 0, 0, 0.8), (0.8, 0.6, 0, 0), (1, 0, 0, 0)],
            2: [(-0.6, 0, 0, -0.8), (0.8, 0, 0, 0.6), (0, 1, 0, 0)] }
        half3[] scales = [(1, 1, 1), (1, 1, 1), (1, 1, 1)]
        uniform token[] blendShapes = ["JawOpen", "wink"]
        float[] blendShapeWeights.timeSamples = { 0: [0, 1], 2: [1, 0] }
    }
}
"""


def put(tmp_path, text: str, name: str = "x.usda"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_other_frames_units_and_orders(tmp_path, caplog):
    path = put(tmp_path, FOREIGN)
    show = formats.load(path)
    body, about = show.body, show.meta["usd"]
    assert body.skeleton.names == ("Hip", "Spine", "Head", "Leg")
    assert (body.fps, about["unit"], about["up"], about["lost_joints"]) == (24, 0.01, "Z", ["Prop"])
    theirs = usds_own_places(path, [0, 1, 2])[:, :4] * 0.01
    np.testing.assert_allclose(body.positions(), theirs[..., [0, 2, 1]] * [1, 1, -1], atol=1e-6)
    assert body.skeleton.offsets[0, 1] == pytest.approx(1.2), "the hips at rest, by the bind pose"
    np.testing.assert_allclose(show.face.column("jawOpen"), [0, 1])
    assert show.face.fps == 12
    assert show["blendshapes"].names == ("wink",)
    assert "outside the largest tree" in caplog.text


def test_a_body_at_rest_is_the_identity(tmp_path):
    text = (
        FOREIGN.split("    def SkelAnimation")[0]
        + """
    def SkelAnimation "Anim"
    {
        uniform token[] joints = ["Hip/Leg"]
        float3[] translations = [(0, -10, 0)]
        quatf[] rotations.timeSamples = { 0: [(0.5, 0.5, -0.5, -0.5)], 1: [(0.5, 0.5, -0.5, -0.5)] }
    }
}
"""
    )
    body = formats.load(put(tmp_path, text)).body
    # Leg in Hip's frame: the bind pose's own turn, so that nothing is turned away from rest.
    away = rot.angle(body.rotations.astype(float), np.tile(rot.IDENTITY, (2, 4, 1)))
    assert np.degrees(away[:, :3]).max() < 1e-3
    hip = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]])
    leg = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]])
    wanted = rot.angle(rot.from_matrix((leg @ np.linalg.inv(hip)).T), np.array([0.5, 0.5, -0.5, -0.5]))
    np.testing.assert_allclose(away[:, 3], wanted, atol=1e-5)


def test_a_travelling_child_becomes_the_root(tmp_path):
    text = """#usda 1.0
(
    metersPerUnit = 1
)
def SkelRoot "R"
{
    def Skeleton "S" (prepend apiSchemas = ["SkelBindingAPI"])
    {
        uniform token[] joints = ["root", "root/hips", "root/hips/leg"]
        uniform matrix4d[] restTransforms = [
            ((1,0,0,0), (0,1,0,0), (0,0,1,0), (0,0,0,1)), ((1,0,0,0), (0,1,0,0), (0,0,1,0), (0,1,0,1)),
            ((1,0,0,0), (0,1,0,0), (0,0,1,0), (0,-1,0,1)) ]
        rel skel:animationSource = </R/A>
    }
    def SkelAnimation "A"
    {
        uniform token[] joints = ["root", "root/hips", "root/hips/leg"]
        quatf[] rotations = [(0, 0, 1, 0), (1, 0, 0, 0), (1, 0, 0, 0)]
        float3[] translations.timeSamples = {
            0: [(0,0,0), (0,1,0), (0,-1,0)], 1: [(0,0,0), (0,1,2), (0,-1.5,0)],
            3: [(0,0,0), (0,1,4), (0,-1,0)] }
    }
}
"""
    show = formats.load(put(tmp_path, text))
    assert show.body.skeleton.names == ("hips", "leg")
    np.testing.assert_allclose(show.body.root, [[0, 1, 0], [0, 1, -2], [0, 1, -3], [0, 1, -4]], atol=1e-6)
    assert show.meta["usd"]["lost_translation"] == {"root/hips/leg": 0.375}
    assert show.body.fps == 24, "USD's default; uneven samples are interpolated"


def test_names_that_are_no_identifiers(tmp_path):
    skeleton = Skeleton(("mixamorig:Hips", "2", "größe", "gr ße"), (-1, 0, 0, 0), np.ones((4, 3)))
    body = Motion(skeleton, np.tile(rot.IDENTITY, (2, 4, 1)), np.zeros((2, 3)), 30)
    Performance({"body": body}).save(tmp_path / "x.usda")
    assert formats.load(tmp_path / "x.usda").body.skeleton == skeleton
    with pytest.raises(DataError, match="other joints"):
        Performance({"body": body}).save(tmp_path / "x.usda", avatar="maya")
    with pytest.raises(DataError, match="unknown avatar"):
        Performance({"body": body}).save(tmp_path / "x.usda", avatar="nobody")
    with pytest.raises(DataError, match="'body'"):
        Performance({"face": Face(np.zeros((2, 1)), ("jawOpen",), 30)}).save(tmp_path / "x.usda")


OUTSIDE = [
    ('( subLayers = [@../other.usda@] )\ndef "a" {}', "other.usda"),
    ('def "a" (prepend references = @../../etc/passwd@</x>) {}', "passwd"),
    ('def "a" (prepend payload = @x.usdc@) {}', "x.usdc"),
    ('def "a" (variants = {string v = "x"}\n prepend variantSets = "v") {\nvariantSet "v" = {\n"x" (prepend references = @y.usda@) {}\n}\n}', "y.usda"),
    ('def "a" (clips = {dictionary default = {asset[] assetPaths = [@./c.usd@]\n string primPath = "/a"}}) {}', "/a"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"), OUTSIDE, ids=["sublayer", "reference", "payload", "variant", "clips"]
)
def test_nothing_outside_the_file_is_opened(tmp_path, text, says):
    with pytest.raises(FormatError, match=rf"x\.usda: .*reference to .*{says}.*flatten"):
        formats.load(put(tmp_path, "#usda 1.0\n" + text))


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("x.usda", b"", "USD file"),
        ("x.usda", b"not usd", "USD file"),
        ("x.usdc", b"PXR-USDC" + b"\xff" * 500, "USD file"),
        ("x.usdz", b"PK\x03\x04" * 50, "USD file"),
        ("x.usda", b'#usda 1.0\ndef "a" {}\n', "found none"),
        ("x.usda", b"#usda 1.0\n" + b'def "a" {' * 20_000, "USD file"),
        ("x.usda", FOREIGN.replace("(0.8, 0, 0.6, 0)", "(0, 0, 0, 0)").encode(), "unit quaternions"),
        ("x.usda", FOREIGN.replace("(0.8, 0, 0.6, 0)", "(nan, 0, 0, 0)").encode(), "unit quaternions"),
        ("x.usda", FOREIGN.replace(", (0.8, 0, 0.6, 0)", "").encode(), "values of rotations"),
        ("x.usda", FOREIGN.replace("(9, 1, 90)", "(inf, 1, 90)").encode(), "finite"),
        ("x.usda", FOREIGN.replace("metersPerUnit = 0.01", "metersPerUnit = 0").encode(), "metersPerUnit"),
        ("x.usda", FOREIGN.replace("PerSecond = 24", "PerSecond = 0").encode(), "timeCodesPerSecond"),
        ("x.usda", FOREIGN.replace("2: [(30", "1e12: [(30").encode(), "close together"),
        ("x.usda", FOREIGN.replace("((0,1,0,0), (-1", "((0,0,0,0), (-1").encode(), "three axes"),
        ("x.usda", FOREIGN.replace('"Hip/Leg", "Prop"', '"Hip", "Prop"').encode(), "repeat"),
    ],
)
def test_faults(tmp_path, name, raw, says):
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(FormatError, match=says) as caught:
        formats.load(path)
    assert "\n" not in str(caught.value)


def test_damaged_binaries_leave_python_alive(tmp_path, take):
    Performance({"body": take.body.slice(0, 0.1)}).save(tmp_path / "x.usdc")
    raw = (tmp_path / "x.usdc").read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(10):
        bad = bytearray(raw)
        for place in rng.integers(0, len(bad), 8):
            bad[place] = rng.integers(256)
        (tmp_path / "y.usdc").write_bytes(bad[: len(bad) // 2] if trial == 0 else bad)
        with suppress(FormatError), np.errstate(all="ignore"):
            formats.load(tmp_path / "y.usdc")


def test_animations_by_name(tmp_path):
    path = put(tmp_path, FOREIGN)
    assert formats.load(path, animation="Anim").body.fps == 24
    with pytest.raises(FormatError, match="found /R/Anim"):
        formats.load(path, animation="Walk")


def test_without_the_library(tmp_path, monkeypatch, take):
    path = put(tmp_path, FOREIGN)
    monkeypatch.setitem(sys.modules, "pxr", None)
    for call in (lambda: formats.load(path), lambda: take.save(tmp_path / "y.usda")):
        with pytest.raises(MissingExtra, match=r"kinesics\[usd\]"):
            call()


@given(st.data())
def test_any_arrays_make_a_motion_or_an_error(data):
    """What the child process may hand back, however a file was made."""
    joints = data.draw(
        st.lists(st.sampled_from(["a", "a/b", "a/b/c", "d", "/", "", "b"]), min_size=1, max_size=5)
    )
    count, frames = len(joints), data.draw(st.integers(0, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 9999)))
    values = data.draw(
        st.sampled_from([[1.0, 0.5, -1.0], [0.0, 1.0, np.nan], [1.0, np.inf], [1e30, 1.0], [0.0]])
    )

    def draw(*shape):
        return rng.choice(values, shape)

    arrays = {
        "joints": np.array(joints), "skeleton": np.array(joints if data.draw(st.booleans()) else joints[::-1]),
        "times": np.sort(draw(frames)), "rate": np.array(data.draw(st.sampled_from([24.0, 0.0, np.nan]))),
        "unit": np.array(data.draw(st.sampled_from([0.01, 0.0, np.inf]))), "up": np.array("Z"), "world": draw(4, 4),
        "rotations": draw(max(frames, 1), count, 4), "translations": draw(max(frames, 1), count, 3),
    }  # fmt: skip
    if data.draw(st.booleans()):
        arrays["bind"] = draw(count, 4, 4)
    with suppress(KinesicsError), np.errstate(all="ignore"):
        motion_of(Path("x"), arrays, {}, {})


def test_uneven_samples_are_interpolated():
    values = np.array([[0.0], [10.0], [40.0]])
    even, fps, start = on_even_clock(Path("x"), values, np.array([2.0, 3.0, 6.0]), np.array(24.0), None)
    np.testing.assert_allclose(even[:, 0], [0, 10, 20, 30, 40])
    assert (fps, start) == (24, 2 / 24)
