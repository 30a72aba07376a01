"""Making a VRM 1.0 of an avatar whose nodes are the canonical joints and whose morphs are ARKit's."""

from __future__ import annotations

from typing import Any

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.export import EYE_LOOK_DEGREES
from kinesics.bodies.humanoid import INDEX, JOINTS
from kinesics.formats._gltf import Appender, Glb
from kinesics.formats._gltf_write import joints_of, morphing
from kinesics.formats._vrm import PRESETS
from kinesics.formats._vrm_face import SHAPES
from kinesics.geometry.skeleton import Skeleton

_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
_MOUTH = ("jaw", "mouth", "tongue", "cheekPuff")


def make_vrm(out: Appender, base: Glb) -> None:
    """Add ``VRMC_vrm`` to a file made from ``base``."""
    nodes, skeleton = joints_of(base)
    extensions = out.json.get("extensions")
    out.json["extensions"] = {
        **(extensions if isinstance(extensions, dict) else {}),
        "VRMC_vrm": {
            "specVersion": "1.0",
            "meta": _meta(base),
            "humanoid": {
                "humanBones": {name: {"node": node} for name, node in zip(JOINTS, nodes, strict=True)}
            },
            "firstPerson": {
                "meshAnnotations": [
                    {"node": i, "type": "auto"} for i, n in enumerate(base.entries("nodes")) if "mesh" in n
                ]
            },
            "lookAt": _look(skeleton),
            "expressions": _expressions(morphing(base)),
        },
    }
    used = out.json.get("extensionsUsed")
    out.json["extensionsUsed"] = [*(used if isinstance(used, list) else []), "VRMC_vrm"]


def _meta(base: Glb) -> dict[str, Any]:
    extras = base.json.get("extras")
    avatar = extras.get("avatar") if isinstance(extras, dict) else None
    ours = isinstance(avatar, dict) and "name" in avatar
    about: dict[str, Any] = {
        "name": str(avatar["name"]) if ours else base.path.stem,  # type: ignore[index]
        "version": "1.0",
        "authors": ["Kinesics"] if ours else ["unknown"],
        "licenseUrl": "https://vrm.dev/licenses/1.0/",
    }
    asset = base.json.get("asset")
    if isinstance(asset, dict) and asset.get("copyright"):
        about["copyrightInformation"] = str(asset["copyright"])
    if not ours:
        # Nothing is known of the terms: VRM's defaults allow its author alone.
        return about | {"avatarPermission": "onlyAuthor"}
    return about | {
        "otherLicenseUrl": _CC0,
        "avatarPermission": "everyone",
        "allowExcessivelyViolentUsage": True,
        "allowExcessivelySexualUsage": True,
        "commercialUsage": "corporation",
        "allowPoliticalOrReligiousUsage": True,
        "allowAntisocialOrHateUsage": True,
        "creditNotation": "unnecessary",
        "allowRedistribution": True,
        "modification": "allowModificationRedistribution",
    }


def _look(skeleton: Skeleton) -> dict[str, Any]:
    rest = skeleton.rest.astype(np.float64)
    eyes = 0.5 * (rest[INDEX["leftEye"]] + rest[INDEX["rightEye"]]) - rest[INDEX["head"]]

    def span(way: str) -> dict[str, float]:
        # The eye turns as far as it looks, up to the limit at which eyeLook is 1.
        return {"inputMaxValue": EYE_LOOK_DEGREES[way], "outputScale": EYE_LOOK_DEGREES[way]}

    return {
        "type": "bone",
        "offsetFromHeadBone": [round(float(x), 6) for x in eyes],
        "rangeMapHorizontalInner": span("In"),
        "rangeMapHorizontalOuter": span("Out"),
        "rangeMapVerticalDown": span("Down"),
        "rangeMapVerticalUp": span("Up"),
    }


def _expressions(meshes: list[tuple[int, list[str]]]) -> dict[str, Any]:
    def expression(shape: dict[str, float], **overrides: str) -> dict[str, Any]:
        binds = [
            {"node": node, "index": targets.index(name), "weight": weight}
            for node, targets in meshes
            for name, weight in shape.items()
            if name in targets
        ]
        return {
            "morphTargetBinds": binds,
            "isBinary": False,
            "overrideBlink": "none",
            "overrideLookAt": "none",
            "overrideMouth": "none",
            **overrides,
        }

    def overrides(name: str) -> dict[str, str]:
        if name.startswith(_MOUTH):
            return {"overrideMouth": "block"}
        return {"overrideBlink": "block"} if name.startswith("eyeBlink") else {}

    there = {name for _, targets in meshes for name in targets}
    return {
        "preset": {name: expression(dict(SHAPES[name])) for name in PRESETS},
        "custom": {name: expression({name: 1.0}, **overrides(name)) for name in ARKIT if name in there},
    }
