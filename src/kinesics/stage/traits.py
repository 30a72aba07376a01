"""What makes one person differ from another, drawn from named streams.

Proportions and how they vary are ours, chosen so that drawn people look like people; nothing here is
measured on anyone. Each trait has a stream of its own: a trait added later changes nobody who is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from kinesics.seeds import rng

Colour = tuple[float, float, float]

FACE: dict[str, float] = {
    "head_width": 0.0375, "head_height": 0.0275, "head_depth": 0.0275,
    "jaw_width": 3.9e-3, "jaw_drop": 2.6e-3, "chin_length": 3.4e-3, "chin_forward": 3.1e-3, "chin_width": 2.3e-3,
    "nose_length": 2.6e-3, "nose_forward": 2.6e-3, "nose_width": 0.138, "nose_bridge": 1.7e-3, "nose_tilt": 1.7e-3,
    "nose_hump": 1.0e-3, "eye_spacing": 1.4e-3, "eye_size": 0.0438, "eye_height": 1.0e-3, "eye_tilt": 3.25,
    "mouth_width": 0.0875, "mouth_height": 1.6e-3, "upper_lip": 0.225, "lower_lip": 0.2, "lip_forward": 1.2e-3,
    "brow_height": 1.7e-3, "brow_ridge": 1.6e-3, "forehead_height": 3.9e-3, "forehead_slope": 3.2e-3,
    "cheekbones": 2.6e-3, "cheeks": 2.9e-3, "ear_size": 0.0875,
}  # fmt: skip
"""Face proportion → standard deviation: metres, but shares for widths and sizes, degrees for ``eye_tilt`` (ours)."""

MIXED: tuple[str, ...] = ("skull", "eyes", "nose", "mouth", "jaw")
"""Regions of the face, each somewhere between the two faces that ship."""

BODY: dict[str, float] = {
    "stature": 0.038, "legs": 0.022, "trunk": 0.020, "arms": 0.020, "shoulders": 0.035, "hips": 0.030,
    "hands": 0.025, "feet": 0.025, "neck": 0.05, "head": 0.018, "muscle": 0.035, "belly": 0.5,
}  # fmt: skip
"""Body proportion → standard deviation, as shares (``belly`` in units of 2 cm) (ours)."""

SKIN: tuple[Colour, ...] = (
    (232, 193, 173), (220, 174, 150), (205, 156, 129), (186, 137, 109), (154, 109, 83), (122, 84, 64), (92, 63, 50),
    (70, 49, 40),
)  # fmt: skip
"""From very fair to deep, sRGB (ours)."""
HAIR: dict[str, Colour] = {
    "black": (26, 21, 20), "dark brown": (48, 33, 25), "brown": (82, 57, 40), "light brown": (118, 86, 58),
    "dark blond": (152, 118, 78), "blond": (188, 156, 108), "auburn": (104, 50, 30), "red": (146, 74, 38),
}  # fmt: skip
IRIS: dict[str, Colour] = {
    "dark brown": (62, 38, 24), "brown": (98, 60, 32), "amber": (112, 72, 36), "hazel": (104, 88, 50),
    "green": (82, 100, 72), "blue": (70, 98, 124), "grey": (98, 108, 114),
}  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (226, 220, 208), (46, 62, 104), (92, 122, 118), (150, 52, 50), (200, 150, 60), (62, 92, 66), (110, 80, 120),
    (40, 42, 48), (120, 150, 178), (176, 108, 84), (214, 178, 178), (84, 66, 52), (188, 196, 190), (28, 84, 98),
    (160, 160, 166), (98, 44, 66),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = (
    (72, 84, 104), (50, 56, 74), (70, 68, 66), (36, 36, 40), (128, 112, 88), (92, 78, 64), (88, 100, 92), (58, 72, 110),
)  # fmt: skip
SHOES: tuple[Colour, ...] = ((235, 232, 226), (84, 58, 42), (40, 38, 38), (120, 70, 52), (70, 84, 110))
PATTERNS: tuple[str, ...] = ("plain", "stripes", "bars", "checks", "yoke")
STYLES: tuple[str, ...] = ("bob", "short", "cropped", "bald")


@dataclass(frozen=True)
class Traits:
    """One person's proportions and colours.

    Parameters
    ----------
    woman
        Whether the body is built from that of the woman that ships; faces mix both.
    age
        Years, 18 to 82.
    weight
        −1 (slim) to 2 (heavy).
    mixed
        Region of :data:`MIXED` → share of the second face, −0.3 to 1.3.
    face, body
        Deviations, in the units of :data:`FACE` and :data:`BODY`.
    skin, hair, iris, lips, shirt, trim, trousers, shoes
        sRGB, 0–255; lips as factors of the skin.
    grey
        Share of grey hair, 0 to 1.
    style, hair_length, pattern
        Of :data:`STYLES`, factor of the bob's length, of :data:`PATTERNS`.
    brow
        0 (fine) to 1 (thick).
    stubble, freckles, blush
        0 to 1.
    """

    woman: bool
    age: float
    weight: float
    mixed: Mapping[str, float]
    face: Mapping[str, float]
    body: Mapping[str, float]
    skin: Colour
    hair: Colour
    hair_name: str
    iris: Colour
    iris_name: str
    lips: Colour
    shirt: Colour
    trim: Colour
    trousers: Colour
    shoes: Colour
    grey: float
    style: str
    hair_length: float
    pattern: str
    brow: float
    stubble: float
    freckles: float
    blush: float


def draw_traits(seed: int, number: int) -> Traits:
    """The traits of person ``number`` of a seed.

    Examples
    --------
    >>> draw_traits(7, 0) == draw_traits(7, 0), draw_traits(7, 0).skin == draw_traits(7, 1).skin
    (True, False)
    """

    def stream(*names: str) -> np.random.Generator:
        return rng(seed, "speaker", number, "identity", *names)

    def spread(kind: str, scales: Mapping[str, float]) -> dict[str, float]:
        return {n: float(np.clip(stream(kind, n).standard_normal(), -2, 2)) * s for n, s in scales.items()}

    woman = number % 2 == 0  # they take turns, so that any crowd holds both
    age = float(18 + 64 * stream("age").beta(1.3, 1.6))
    weight = float(np.clip(0.15 + 0.006 * (age - 40) + 0.65 * stream("weight").standard_normal(), -1, 1.8))
    own = 0.12 if woman else 0.88
    mixed = {r: float(np.clip(own + 0.26 * stream("mixed", r).standard_normal(), -0.25, 1.25)) for r in MIXED}
    depth = float(stream("skin").random()) * (len(SKIN) - 1)
    tone = np.array([np.interp(depth, np.arange(len(SKIN)), [s[k] for s in SKIN]) for k in range(3)])
    under = float(stream("undertone").normal(0, 0.022))
    tone = tone * [1 + 0.6 * under, 1, 1 - 1.2 * under]
    hair_name = _pick_hair(stream("hair"), depth)
    iris_name = _pick_iris(stream("iris"), depth)
    late = np.clip((age - 32) / 38, 0, 1)
    grey = float(np.clip(late * stream("grey").uniform(0.1, 1.3), 0, 1))
    return Traits(
        woman=woman, age=age, weight=weight, mixed=_frozen(mixed), face=_frozen(spread("face", FACE)),
        body=_frozen(spread("body", BODY)), skin=_colour(tone), hair=_varied(stream("hair shade"), HAIR[hair_name], 0.10),
        hair_name=hair_name, iris=_varied(stream("iris shade"), IRIS[iris_name], 0.08), iris_name=iris_name,
        lips=_lips(stream("lips"), woman), grey=grey, brow=float(np.clip((0.15 if woman else 0.75) + 0.3 * stream("brow").standard_normal(), 0, 1)),
        stubble=0.0 if woman else float(np.clip(stream("stubble").normal(0.35, 0.4), 0, 1)),
        freckles=float(np.clip(stream("freckles").normal(-0.4, 0.6), 0, 1)) * float(depth < 3),
        blush=float(stream("blush").uniform(0.2, 1.0)), **_dressed(stream, woman, age),
    )  # fmt: skip


def _dressed(stream, woman: bool, age: float) -> dict[str, object]:
    """Hair style and clothes."""
    if woman:
        style = str(stream("style").choice(STYLES[:3], p=[0.76, 0.19, 0.05]))
    else:
        bald = 0.05 + 0.25 * np.clip((age - 35) / 40, 0, 1)
        style = str(stream("style").choice(STYLES, p=[0.08, 0.80 - bald, 0.12, bald]))
    shirt, trim = stream("shirt").choice(len(CLOTHES), 2, replace=False)
    return {
        "style": style,
        "hair_length": float(stream("hair length").uniform(0.66, 1.12)),
        "pattern": str(stream("pattern").choice(PATTERNS, p=[0.36, 0.22, 0.14, 0.16, 0.12])),
        "shirt": _varied(stream("shirt shade"), CLOTHES[shirt], 0.08),
        "trim": _varied(stream("trim shade"), CLOTHES[trim], 0.08),
        "trousers": _varied(stream("trousers"), TROUSERS[int(stream("trouser colour").integers(len(TROUSERS)))], 0.10),
        "shoes": _varied(stream("shoes"), SHOES[int(stream("shoe colour").integers(len(SHOES)))], 0.05),
    }  # fmt: skip


def _pick_hair(random: np.random.Generator, depth: float) -> str:
    dark = np.clip((depth - 1.5) / 3, 0, 1)
    light = np.array([0.10, 0.20, 0.18, 0.16, 0.14, 0.12, 0.05, 0.05])
    deep = np.array([0.78, 0.18, 0.04, 0, 0, 0, 0, 0])
    return str(random.choice(list(HAIR), p=(1 - dark) * light + dark * deep))


def _pick_iris(random: np.random.Generator, depth: float) -> str:
    dark = np.clip((depth - 1.5) / 2.5, 0, 1)
    light = np.array([0.08, 0.17, 0.10, 0.17, 0.14, 0.22, 0.12])
    deep = np.array([0.78, 0.22, 0, 0, 0, 0, 0])
    return str(random.choice(list(IRIS), p=(1 - dark) * light + dark * deep))


def _lips(random: np.random.Generator, woman: bool) -> Colour:
    strength = random.uniform(0.2, 1.0) if woman else random.uniform(0.0, 0.35)
    warm = random.uniform(-0.06, 0.06)
    return (1 - 0.05 * strength, 1 - 0.30 * strength - warm, 1 - 0.24 * strength + warm)


def _varied(random: np.random.Generator, colour: Colour, amount: float) -> Colour:
    change = 1 + amount * random.standard_normal() + 0.3 * amount * random.standard_normal(3)
    return _colour(np.array(colour) * np.clip(change, 0.7, 1.3))


def _colour(values: np.ndarray) -> Colour:
    r, g, b = (round(float(v), 1) for v in np.clip(values, 4, 250))
    return r, g, b


def _frozen(values: dict[str, float]) -> Mapping[str, float]:
    return MappingProxyType({k: round(v, 6) for k, v in values.items()})
