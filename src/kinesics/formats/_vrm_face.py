"""ARKit coefficients and VRM's expressions: what each preset looks like, and which presets a face amounts to.

The table is ours, set by eye on our own avatars. The way back is least squares with weights from 0 to 1: of all
mixtures of presets the one whose ARKit coefficients are nearest to the face's. A face made of presets
comes back as these presets.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.formats._gltf_face import arkit_names
from kinesics.formats._vrm import PRESETS
from kinesics.performance import Face

Array = NDArray[np.float64]

_TABLE = """
    aa         jawOpen .55  mouthLowerDown .25  mouthUpperUp .1
    ih         jawOpen .18  mouthStretch .3  mouthLowerDown .3  mouthUpperUp .15
    ou         jawOpen .12  mouthPucker .85  mouthFunnel .2
    ee         jawOpen .2  mouthSmile .35  mouthStretch .3  mouthDimple .25  mouthLowerDown .2
    oh         jawOpen .4  mouthFunnel .65  mouthPucker .3
    blink      eyeBlink 1
    blinkLeft  eyeBlinkLeft 1
    blinkRight eyeBlinkRight 1
    happy      mouthSmile .8  cheekSquint .6  eyeSquint .2
    angry      browDown .9  noseSneer .4  mouthPress .3  eyeSquint .3  mouthFrown .2
    sad        browInnerUp .9  mouthFrown .6  mouthShrugLower .3
    relaxed    mouthSmile .3  cheekSquint .1  eyeSquint .3
    surprised  browInnerUp .7  browOuterUp .7  eyeWide .7  jawOpen .25
    lookUp     eyeLookUp 1
    lookDown   eyeLookDown 1
    lookLeft   eyeLookOutLeft 1  eyeLookInRight 1
    lookRight  eyeLookInLeft 1  eyeLookOutRight 1
    neutral
"""


def _shapes() -> dict[str, dict[str, float]]:
    out = {}
    for line in _TABLE.strip().splitlines():
        name, *rest = line.split()
        pairs = zip(rest[::2], map(float, rest[1::2]), strict=True)
        out[name] = {
            full: weight
            for short, weight in pairs
            for full in ([short] if short in INDEX else [f"{short}Left", f"{short}Right"])
        }
    return out


SHAPES: Mapping[str, Mapping[str, float]] = _shapes()
"""Preset -> ARKit name -> weight."""

VISEMES = ("aa", "ih", "ou", "ee", "oh")
EMOTIONS = ("happy", "angry", "sad", "relaxed", "surprised")
_SOLVED = (*VISEMES, *EMOTIONS)
_ROUNDS = 60


def _vector(name: str) -> Array:
    out = np.zeros(len(ARKIT))
    for part, weight in SHAPES[name].items():
        out[INDEX[part]] = weight
    return out


def presets_of(face: Face) -> dict[str, Array]:
    """Presets that a face in the ARKit basis amounts to: name -> (T,), all but the four of gaze and neutral.

    ``blink`` is what both lids have in common, ``blinkLeft`` and ``blinkRight`` what one closes beyond it,
    so that they add up on a model that has all three.
    """
    values = face.select(ARKIT).values.astype(np.float64)
    basis = np.stack([_vector(n) for n in _SOLVED])
    gram, wanted = basis @ basis.T, values @ basis.T
    weights = np.zeros((len(values), len(_SOLVED)))
    for _ in range(_ROUNDS):
        for k in range(len(_SOLVED)):
            rest = wanted[:, k] - weights @ gram[k] + weights[:, k] * gram[k, k]
            weights[:, k] = np.clip(rest / gram[k, k], 0, 1)
    out = {name: weights[:, k] for k, name in enumerate(_SOLVED)}
    left, right = (np.clip(values[:, INDEX[f"eyeBlink{side}"]], 0, 1) for side in ("Left", "Right"))
    both = np.minimum(left, right)
    return out | {"blink": both, "blinkLeft": left - both, "blinkRight": right - both}


def arkit_of(face: Face) -> Face:
    """A face in the basis ``"vrm"`` (presets, and custom expressions by their names) in ARKit's coefficients."""
    values = np.zeros((len(face), len(ARKIT)))
    own = arkit_names(face.names)
    for name in face.names:
        if name in SHAPES:
            values += face.column(name)[:, None].astype(np.float64) * _vector(name)
        elif name in own:
            values[:, INDEX[own[name]]] += face.column(name)
    return Face(values.clip(0, 1), ARKIT, face.fps, "arkit", face.start)


def as_arkit(face: Face) -> Face:
    """The face in ARKit's coefficients if it is made of VRM's expressions, else as it is."""
    return arkit_of(face) if face.basis == "vrm" else face


def as_expressions(face: Face) -> dict[str, Array]:
    """Presets and customs of a face: its own if it is in the basis ``"vrm"``, else those it amounts to."""
    if face.basis == "vrm":
        return {n: face.column(n).astype(np.float64).clip(0, 1) for n in face.names}
    return presets_of(face)


def with_presets_first(names: list[str]) -> list[str]:
    """Names in the order of VRM 1.0's list, customs after them."""
    return [*(n for n in PRESETS if n in names), *(n for n in names if n not in PRESETS)]
