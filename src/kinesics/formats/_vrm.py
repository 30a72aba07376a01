"""What makes a glTF a VRM, 0.x or 1.0: which nodes are which bones, expressions, look-at, and its terms of use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kinesics.bodies.humanoid import JOINTS
from kinesics.errors import FormatError
from kinesics.formats._encode import number, whole
from kinesics.formats._gltf import Glb

PRESETS: tuple[str, ...] = (
    "happy", "angry", "sad", "relaxed", "surprised", "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft",
    "blinkRight", "lookUp", "lookDown", "lookLeft", "lookRight", "neutral",
)  # fmt: skip
"""The 18 expressions that VRM 1.0 defines."""

_OLD_PRESETS = {
    "joy": "happy", "angry": "angry", "sorrow": "sad", "fun": "relaxed", "a": "aa", "i": "ih", "u": "ou",
    "e": "ee", "o": "oh", "blink": "blink", "blink_l": "blinkLeft", "blink_r": "blinkRight",
    "lookup": "lookUp", "lookdown": "lookDown", "lookleft": "lookLeft", "lookright": "lookRight",
    "neutral": "neutral",
}  # fmt: skip
_OLD_THUMBS = {"ThumbProximal": "ThumbMetacarpal", "ThumbIntermediate": "ThumbProximal"}
"""0.x calls the thumb's bones proximal, intermediate, distal; 1.0 metacarpal, proximal, distal."""

_TERMS_1 = (
    "licenseUrl", "otherLicenseUrl", "avatarPermission", "commercialUsage", "creditNotation", "modification",
    "allowRedistribution", "allowExcessivelyViolentUsage", "allowExcessivelySexualUsage",
    "allowPoliticalOrReligiousUsage", "allowAntisocialOrHateUsage", "copyrightInformation",
    "thirdPartyLicenses",
)  # fmt: skip
_TERMS_0 = (
    "licenseName", "otherLicenseUrl", "otherPermissionUrl", "allowedUserName", "violentUssageName",
    "sexualUssageName", "commercialUssageName", "reference",
)  # fmt: skip
_OVERRIDES = ("none", "block", "blend")


@dataclass(frozen=True)
class Bind:
    """A morph that an expression moves: nodes that bear the mesh, index of the target, weight at 1."""

    nodes: tuple[int, ...]
    index: int
    weight: float


@dataclass(frozen=True)
class Expression:
    """One expression: its morphs, and which others it suppresses (``"none"``, ``"block"``, ``"blend"``)."""

    name: str
    preset: bool
    binary: bool
    blink: str
    look: str
    mouth: str
    binds: tuple[Bind, ...]
    materials: bool


@dataclass(frozen=True)
class LookAt:
    """How gaze is shown: ``kind`` is ``"bone"`` or ``"expression"``; ranges are (degrees in, out at most)."""

    kind: str
    offset: tuple[float, float, float]
    inner: tuple[float, float]
    outer: tuple[float, float]
    down: tuple[float, float]
    up: tuple[float, float]


@dataclass(frozen=True)
class Vrm:
    """The VRM part of a file.

    Parameters
    ----------
    version
        ``"0.x"`` or ``"1.0"``. 0.x faces -Z, 1.0 faces +Z.
    bones
        VRM 1.0 bone name -> node.
    expressions
        Name -> expression; presets under their names of 1.0.
    look_at
        Or None.
    title, author
        As the file gives them.
    terms
        Licence and allowed use, under the file's own keys.
    """

    version: str
    bones: Mapping[str, int]
    expressions: Mapping[str, Expression]
    look_at: LookAt | None
    title: str
    author: str
    terms: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """The same as plain facts, for ``meta["vrm"]``."""
        look = self.look_at
        return {
            "version": self.version,
            "title": self.title,
            "author": self.author,
            "licence": dict(self.terms),
            "bones": sorted(self.bones, key=JOINTS.index),
            "missing_bones": [j for j in JOINTS if j not in self.bones],
            "expressions": {
                e.name: {
                    "preset": e.preset,
                    "isBinary": e.binary,
                    "overrideBlink": e.blink,
                    "overrideLookAt": e.look,
                    "overrideMouth": e.mouth,
                    "morphs": len(e.binds),
                    "materials": e.materials,
                }
                for e in self.expressions.values()
            },
            "lookAt": None
            if look is None
            else {
                "type": look.kind,
                "offsetFromHeadBone": list(look.offset),
                "inner": list(look.inner),
                "outer": list(look.outer),
                "down": list(look.down),
                "up": list(look.up),
            },
        }


def vrm_of(glb: Glb) -> Vrm | None:
    """The VRM part of a glTF, or None where it has none; a FormatError where it is damaged."""
    extensions = glb.json.get("extensions")
    if not isinstance(extensions, dict):
        return None
    for key, read in (("VRMC_vrm", _one), ("VRM", _zero)):
        about = extensions.get(key)
        if about is None:
            continue
        try:
            if not isinstance(about, dict):
                raise ValueError("not an object")
            vrm = read(glb, about)
            if "hips" not in vrm.bones:
                raise ValueError("no hips among the humanoid bones")
        except FormatError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise FormatError(
                glb.path, f"extensions.{key}", "a VRM humanoid", f"the file is damaged ({error})"
            ) from error
        return vrm
    return None


def _one(glb: Glb, about: dict[str, Any]) -> Vrm:
    bones = bones_of(glb, about["humanoid"]["humanBones"])
    expressions: dict[str, Expression] = {}
    groups = about.get("expressions") or {}
    for preset, key in ((True, "preset"), (False, "custom")):
        for name, entry in (groups.get(key) or {}).items():
            if not isinstance(entry, dict) or (preset and name not in PRESETS) or name in expressions:
                continue
            binds = tuple(
                Bind(
                    (_node(glb, b.get("node")),),
                    whole(b.get("index"), 10_000),
                    number(b.get("weight", 1)),
                )
                for b in _list(entry, "morphTargetBinds")
            )
            expressions[name] = Expression(
                name,
                preset,
                entry.get("isBinary") is True,
                _override(entry.get("overrideBlink")),
                _override(entry.get("overrideLookAt")),
                _override(entry.get("overrideMouth")),
                binds,
                bool(entry.get("materialColorBinds") or entry.get("textureTransformBinds")),
            )
    look = about.get("lookAt")
    meta = about.get("meta") or {}
    return Vrm(
        "1.0",
        bones,
        expressions,
        _look_one(look) if isinstance(look, dict) else None,
        str(meta.get("name", ""))[:500],
        ", ".join(str(a) for a in _list(meta, "authors"))[:500],
        {k: meta[k] for k in _TERMS_1 if isinstance(meta.get(k), (str, bool))},
    )


def _zero(glb: Glb, about: dict[str, Any]) -> Vrm:
    bones: dict[str, int] = {}
    for bone in _list(about["humanoid"], "humanBones"):
        name = str(bone.get("bone"))
        for old, new in _OLD_THUMBS.items():
            if name.endswith(old):
                name = name[: -len(old)] + new
                break
        if name in JOINTS and bone.get("node", -1) != -1:
            bones[name] = _node(glb, bone["node"])
    bearers: dict[int, list[int]] = {}
    for i, node in enumerate(glb.entries("nodes")):
        if isinstance(node.get("mesh"), int):
            bearers.setdefault(node["mesh"], []).append(i)
    expressions: dict[str, Expression] = {}
    for group in _list(about.get("blendShapeMaster") or {}, "blendShapeGroups"):
        preset = _OLD_PRESETS.get(str(group.get("presetName", "")).lower())
        name = preset or str(group.get("name", ""))[:200]
        if not preset and name.lower() == "surprised":
            name, preset = "surprised", "surprised"  # 0.x has no such preset; many models name it so
        if name in expressions or not name:
            continue
        binds = tuple(
            Bind(
                tuple(bearers.get(whole(b.get("mesh")), ())),
                whole(b.get("index"), 10_000),
                number(b.get("weight", 100)) / 100,
            )
            for b in _list(group, "binds")
        )
        expressions[name] = Expression(
            name,
            preset is not None,
            group.get("isBinary") is True,
            "none",
            "none",
            "none",
            binds,
            bool(group.get("materialValues")),
        )
    first = about.get("firstPerson")
    meta = about.get("meta") or {}
    return Vrm(
        "0.x",
        _distinct(bones),
        expressions,
        _look_zero(first) if isinstance(first, dict) else None,
        str(meta.get("title", ""))[:500],
        str(meta.get("author", ""))[:500],
        {k: meta[k] for k in _TERMS_0 if isinstance(meta.get(k), (str, bool))},
    )


def bones_of(glb: Glb, human: dict[str, Any]) -> dict[str, int]:
    """VRM 1.0's ``humanBones`` as bone name -> node; a ValueError where two share one."""
    return _distinct(
        {
            name: _node(glb, bone.get("node"))
            for name, bone in human.items()
            if name in JOINTS and isinstance(bone, dict) and "node" in bone
        }
    )


def _distinct(bones: dict[str, int]) -> dict[str, int]:
    if len(set(bones.values())) != len(bones):
        raise ValueError("two humanoid bones share a node")
    return bones


def _node(glb: Glb, index: Any) -> int:
    glb.entry("nodes", index)
    return int(index)


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) or []
    if not isinstance(found, list):
        raise ValueError(f"{key} is not a list")
    return found


def _override(value: Any) -> str:
    return value if value in _OVERRIDES else "none"


def _look_one(look: dict[str, Any]) -> LookAt:
    kind = "expression" if look.get("type") == "expression" else "bone"
    default = 1.0 if kind == "expression" else 10.0

    def span(key: str) -> tuple[float, float]:
        found = look.get(key) or {}
        return number(found.get("inputMaxValue", 90)), number(found.get("outputScale", default))

    offset = [number(x) for x in look.get("offsetFromHeadBone") or (0, 0, 0)]
    return LookAt(
        kind,
        (offset[0], offset[1], offset[2]) if len(offset) == 3 else (0.0, 0.0, 0.0),
        span("rangeMapHorizontalInner"),
        span("rangeMapHorizontalOuter"),
        span("rangeMapVerticalDown"),
        span("rangeMapVerticalUp"),
    )


def _look_zero(first: dict[str, Any]) -> LookAt:
    kind = "expression" if str(first.get("lookAtTypeName")).lower() == "blendshape" else "bone"
    default = 1.0 if kind == "expression" else 10.0

    def span(key: str) -> tuple[float, float]:
        found = first.get(key) or {}
        return number(found.get("xRange", 90)), number(found.get("yRange", default))

    offset = first.get("firstPersonBoneOffset") or {}
    x, y, z = (number(offset.get(axis, 0)) for axis in "xyz")
    return LookAt(
        kind,
        (-x + 0.0, y, z),  # Unity's left-handed axes
        span("lookAtHorizontalInner"),
        span("lookAtHorizontalOuter"),
        span("lookAtVerticalDown"),
        span("lookAtVerticalUp"),
    )


def ranged(degrees: Any, span: tuple[float, float]) -> Any:
    """What a range map makes of angles of 0 and more: linear up to its greatest input, then level."""
    most, out = span
    if not math.isfinite(most) or most <= 0:
        return degrees * 0
    return out * (degrees / most).clip(0, 1)
