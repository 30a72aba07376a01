"""Making a USD stage: a skeleton, its animation, and the person whose skin it moves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import Avatar, Part
from kinesics.geometry.skeleton import Skeleton
from kinesics.performance import Face, Motion

ROOT = "/Person"
_IDENTIFIER = re.compile(r"[^A-Za-z0-9_]")


def joint_paths(skeleton: Skeleton) -> list[str]:
    """Joints as USD names them: ``hips/spine/chest``; what is no identifier becomes underscores."""
    paths: list[str] = []
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        plain = _IDENTIFIER.sub("_", name) or "_"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        above = f"{paths[parent]}/" if parent >= 0 else ""
        path, number = above + plain, 2
        while path in paths:
            path, number = f"{above}{plain}_{number}", number + 1
        paths.append(path)
    return paths


def stage_of(motion: Motion, face: Face | None, avatar: Avatar | None, note: str) -> Any:
    """An in-memory stage with metres, Y up, one time code per frame of the body."""
    from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel, Vt

    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    rate = float(motion.fps)
    stage.SetTimeCodesPerSecond(rate)
    stage.SetFramesPerSecond(rate)
    layer = stage.GetRootLayer()
    layer.customLayerData = {"kinesics": note}
    root = UsdSkel.Root.Define(stage, ROOT)
    stage.SetDefaultPrim(root.GetPrim())
    skeleton = UsdSkel.Skeleton.Define(stage, f"{ROOT}/Skeleton")
    animation = UsdSkel.Animation.Define(stage, f"{ROOT}/Animation")
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    paths = joint_paths(motion.skeleton)
    offsets, rest = motion.skeleton.offsets, motion.skeleton.rest
    skeleton.CreateJointsAttr(paths)
    skeleton.CreateRestTransformsAttr(
        [Gf.Matrix4d(1).SetTranslate(Gf.Vec3d(*map(float, o))) for o in offsets]
    )
    skeleton.CreateBindTransformsAttr([Gf.Matrix4d(1).SetTranslate(Gf.Vec3d(*map(float, p))) for p in rest])
    animation.CreateJointsAttr(paths)
    animation.CreateScalesAttr(Vt.Vec3hArray.FromNumpy(np.ones((len(paths), 3), np.float16)))
    rotations, translations = animation.CreateRotationsAttr(), animation.CreateTranslationsAttr()
    first = motion.start * rate
    # Vt keeps quaternions as x y z w.
    turned = np.ascontiguousarray(motion.rotations[..., [1, 2, 3, 0]])
    moved = np.tile(offsets, (len(motion), 1, 1))
    moved[:, 0] = motion.root
    with Sdf.ChangeBlock():
        for i in range(len(motion)):
            rotations.Set(Vt.QuatfArray.FromNumpy(turned[i]), first + i)
            translations.Set(Vt.Vec3fArray.FromNumpy(moved[i]), first + i)
    if not len(motion):
        rotations.Set(Vt.QuatfArray.FromNumpy(np.tile(np.float32([0, 0, 0, 1]), (len(paths), 1))))
        translations.Set(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(offsets)))
    ends = [first, first + max(len(motion) - 1, 0)]
    if face is not None and len(face):
        animation.CreateBlendShapesAttr(list(face.names))
        weights = animation.CreateBlendShapeWeightsAttr()
        times = face.times * rate
        with Sdf.ChangeBlock():
            for i in range(len(face)):
                weights.Set(Vt.FloatArray.FromNumpy(np.ascontiguousarray(face.values[i])), float(times[i]))
        ends = [min(ends[0], times[0]), max(ends[1], times[-1])]
    stage.SetStartTimeCode(float(ends[0]))
    stage.SetEndTimeCode(float(ends[1]))
    if avatar is not None:
        names: dict[str, int] = {}
        for part in avatar.parts:
            name = _IDENTIFIER.sub("_", part.name) or "part"
            names[name] = names.get(name, 0) + 1
            _mesh(stage, f"{ROOT}/{name}_{names[name]}", avatar, part, skeleton.GetPath(), set(ARKIT))
    return stage


def _mesh(stage: Any, path: str, avatar: Avatar, part: Part, skeleton: Any, shapes: set[str]) -> None:
    from pxr import Gf, UsdGeom, UsdSkel, Vt

    mesh = UsdGeom.Mesh.Define(stage, path)
    vertices, faces = part.vertices, avatar.faces[part.faces] - part.vertices.start
    count = vertices.stop - vertices.start
    mesh.CreatePointsAttr(_array(Vt.Vec3fArray, avatar.vertices[vertices]))
    mesh.CreateNormalsAttr(_array(Vt.Vec3fArray, avatar.normals[vertices]))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(faces), 3, np.int32)))
    mesh.CreateFaceVertexIndicesAttr(_array(Vt.IntArray, faces.reshape(-1).astype(np.int32)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateDoubleSidedAttr(part.material.double_sided)
    mesh.CreateDisplayColorAttr([Gf.Vec3f(*part.material.color[:3])])
    low, high = avatar.vertices[vertices].min(axis=0), avatar.vertices[vertices].max(axis=0)
    mesh.CreateExtentAttr([Gf.Vec3f(*map(float, low)), Gf.Vec3f(*map(float, high))])
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton])
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1))
    index = avatar.weight_index[vertices].astype(np.int32).reshape(-1)
    binding.CreateJointIndicesPrimvar(False, 4).Set(_array(Vt.IntArray, index))
    binding.CreateJointWeightsPrimvar(False, 4).Set(
        _array(Vt.FloatArray, avatar.weight_value[vertices].reshape(-1))
    )
    names, targets = [], []
    inside = (avatar.morph_vertices >= vertices.start) & (avatar.morph_vertices < vertices.stop)
    places = avatar.morph_vertices[inside] - vertices.start
    for name, offsets in zip(avatar.morph_names, avatar.morph_offsets, strict=True):
        moved = offsets[inside]
        rows = np.flatnonzero(np.abs(moved).max(axis=1, initial=0) > 0)
        if name in shapes and len(rows) and count:
            shape = UsdSkel.BlendShape.Define(stage, f"{path}/{name}")
            shape.CreateOffsetsAttr(_array(Vt.Vec3fArray, moved[rows]))
            shape.CreatePointIndicesAttr(_array(Vt.IntArray, places[rows].astype(np.int32)))
            names.append(name)
            targets.append(shape.GetPath())
    if names:
        binding.CreateBlendShapesAttr(names)
        binding.CreateBlendShapeTargetsRel().SetTargets(targets)


def _array(kind: Any, values: NDArray[Any]) -> Any:
    return kind.FromNumpy(np.ascontiguousarray(values))


def usdz(name: str, data: bytes) -> bytes:
    """A package of one layer: stored, its data at a multiple of 64 bytes, without a clock."""
    import io
    import zipfile

    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.external_attr, member.create_system = 0o644 << 16, 3
    head = 30 + len(name)
    padding = (-head - 4) % 64
    member.extra = b"\x86\x19" + padding.to_bytes(2, "little") + bytes(padding)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(member, data)
    return stream.getvalue()


def facts(motion: Motion, face: Face | None, meta: Mapping[str, Any]) -> dict[str, Any]:
    """What other programs ignore and reading needs: exact rates, starts and names."""
    out: dict[str, Any] = {
        "version": 1,
        "synthetic": True,
        "body": {"fps": str(motion.fps), "start": motion.start, "frames": len(motion)},
        "names": list(motion.skeleton.names),
    }
    if face is not None:
        out["face"] = {"fps": str(face.fps), "start": face.start}
    if isinstance(meta.get("avatar"), str):
        out["avatar"] = meta["avatar"]
    return out
