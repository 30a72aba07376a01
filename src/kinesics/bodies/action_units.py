"""Action units from ARKit 52, from FEAFA's 24 and from FACS names: with their sides, and without.

:data:`SIDED` is what readers of expressions see: FACS units (Ekman, Friesen & Hager 2002), those that have two sides
twice, ``L`` being the person's own left; ``AU28T`` and ``AU28B`` are the upper and the lower lip. :data:`FACS` is what people are told (the
track ``action_units``): names of FACS alone, a unit of both sides being the mean of the two. FEAFA (Yan et al., 2019) has 24
of its own, of which four pairs of FACS units cannot be told: brows are raised as a whole, and cheeks, corners that fall,
dimples and pressed lips are not there. What was not measured is therefore told apart from what is not active. Units 11, 21, 38 and 39 have
no ARKit shape and are not told at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.arkit import INDEX
from kinesics.errors import DataError

Array = NDArray[np.float32]

_SHAPES: dict[str, str] = {
    "AU01": "browInnerUp", "AU02": "browOuterUp", "AU04": "browDown", "AU05": "eyeWide", "AU06": "cheekSquint",
    "AU07": "eyeSquint", "AU09": "noseSneer", "AU10": "mouthUpperUp", "AU12": "mouthSmile", "AU14": "mouthDimple",
    "AU15": "mouthFrown", "AU16": "mouthLowerDown", "AU17": "mouthShrugLower", "AU18": "mouthPucker", "AU20": "mouthStretch",
    "AU22": "mouthFunnel", "AU24": "mouthPress", "AU26": "jawOpen", "AU28B": "mouthRollLower", "AU28T": "mouthRollUpper",
    "AU29": "jawForward", "AU30": "jaw", "AU34": "cheekPuff", "AU43": "eyeBlink",
}  # fmt: skip
"""Unit → the shape it is read from, without its sides."""

UNITS: tuple[str, ...] = tuple(_SHAPES)
"""Units that readers of expressions know, without their sides, 24."""
PAIRED: frozenset[str] = frozenset(u for u, shape in _SHAPES.items() if f"{shape}Left" in INDEX)
"""Units of :data:`UNITS` that have two sides."""
SIDED: tuple[str, ...] = tuple(f"{u}{s}" for u in UNITS for s in ("LR" if u in PAIRED else [""]))
"""Units with their sides, 39; of jaw slides (30) the sides are directions."""
FACS: tuple[str, ...] = tuple(
    f"AU{n:02d}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 19, 20, 22, 24, 25, 26, 27, 28, 29, 34, 45)
)  # fmt: skip
"""Units of the track ``action_units``, 25."""

FEAFA: tuple[str, ...] = tuple(
    """EyeCloseLeft EyeCloseRight LidRaiseLeft LidRaiseRight BrowLowerLeft BrowLowerRight BrowRaiseLeft BrowRaiseRight
    JawDrop JawSlideLeft JawSlideRight LipCornerPullLeft LipCornerPullRight LipCornerStretchLeft LipCornerStretchRight
    UpperLipSuck LowerLipSuck JawThrust UpperLipRaise LowerLipDepress ChinRaise LipPucker CheekPuff NoseWrinkle""".split()
)
"""FEAFA's 24 units in its order."""
_OF_FEAFA: tuple[tuple[str, ...], ...] = (
    ("AU43L",), ("AU43R",), ("AU05L",), ("AU05R",), ("AU04L",), ("AU04R",), ("AU02L",), ("AU02R",), ("AU26",),
    ("AU30L",), ("AU30R",), ("AU12L",), ("AU12R",), ("AU20L",), ("AU20R",), ("AU28T",), ("AU28B",), ("AU29",),
    ("AU10L", "AU10R"), ("AU16L", "AU16R"), ("AU17",), ("AU18",), ("AU34",), ("AU09L", "AU09R"),
)  # fmt: skip
_COLUMN = {name: i for i, name in enumerate(SIDED)}
_CHEEK_ON_LIDS = 0.45
"""How far raised cheeks (6) narrow the lids by themselves, in eyeSquint for each cheekSquint."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Action units, and which of them were looked for.

    Parameters
    ----------
    values
        (T, 39) of :data:`SIDED`, 0 to 1; 0 where a unit is not known.
    known
        (39,) whether each was measured.
    """

    values: Array
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)


def _shape_of(name: str) -> str:
    unit, side = name.rstrip("LR"), {"L": "Left", "R": "Right"}.get(name[-1], "")
    return _SHAPES[unit] + side


_ARKIT = np.array([INDEX[_shape_of(n)] for n in SIDED])
LEFT, RIGHT = (np.array([_COLUMN.get(f"{u}{s}", _COLUMN.get(u)) for u in UNITS]) for s in "LR")
"""Columns among :data:`SIDED` of each unit's two sides; the same where it has none."""
FLIPPED: NDArray[np.int64] = np.arange(len(SIDED))
"""Column of the same unit on the other side."""
FLIPPED[LEFT], FLIPPED[RIGHT] = RIGHT, LEFT


def from_arkit(face: NDArray) -> Measured:
    """All 39 units from (T, 52) ARKit coefficients.

    >>> face = np.zeros((1, 52), np.float32)
    >>> face[0, INDEX["mouthSmileRight"]] = 0.5
    >>> measured = from_arkit(face)
    >>> [(n, float(v)) for n, v in zip(SIDED, measured.values[0]) if v]
    [('AU12R', 0.5)]
    """
    values = np.clip(np.asarray(face, np.float32)[:, _ARKIT], 0, 1)
    lids, cheeks = ([_COLUMN[f"{u}{s}"] for s in "LR"] for u in ("AU07", "AU06"))
    values[:, lids] = np.clip((values[:, lids] - _CHEEK_ON_LIDS * values[:, cheeks]) / 0.9, 0, 1)
    return Measured(values, np.ones(len(SIDED), bool))


def facs_of_arkit(face: ArrayLike) -> Array:
    """(T, 52) ARKit coefficients → (T, 25) of :data:`FACS`, 0 to 1.

    A unit of both sides is their mean; 26 and 27 share the jaw, 25 is the lips parted by whatever parts them.

    >>> face = np.zeros((1, 52), np.float32)
    >>> face[0, INDEX["jawOpen"]] = 0.8
    >>> {n: round(float(v), 2) for n, v in zip(FACS, facs_of_arkit(face)[0]) if v}
    {'AU25': 0.8, 'AU26': 1.0, 'AU27': 0.6}
    """
    full = np.clip(np.asarray(face, np.float32), 0, 1)
    both = dict(zip(UNITS, unsided(full[:, _ARKIT]).T, strict=True))
    jaw = both["AU26"]
    # Lips that are closed over an open jaw are not parted.
    parted = np.clip(jaw - full[:, INDEX["mouthClose"]], 0, 1)
    both |= {
        "AU19": full[:, INDEX["tongueOut"]],
        "AU25": np.max([both["AU16"], both["AU10"], parted], axis=0),
        "AU26": np.clip(2 * jaw, 0, 1),
        "AU27": np.clip(2 * jaw - 1, 0, 1),
        "AU28": 0.5 * (both["AU28B"] + both["AU28T"]),
        "AU45": both["AU43"],
    }
    return np.stack([both[u] for u in FACS], axis=1)


def feafa_of_arkit(face: NDArray) -> Array:
    """(T, 52) ARKit coefficients → (T, 24) of :data:`FEAFA`."""
    full = np.clip(np.asarray(face, np.float32), 0, 1)
    own = from_arkit(full).values
    out = np.stack([own[:, [_COLUMN[n] for n in names]].mean(axis=1) for names in _OF_FEAFA], axis=1)
    # A brow is raised as a whole: half by its inner, half by its outer end.
    inner = 0.5 * full[:, [INDEX["browInnerUp"]]]
    raised = [FEAFA.index("BrowRaiseLeft"), FEAFA.index("BrowRaiseRight")]
    out[:, raised] = 0.5 * out[:, raised] + inner
    return out.astype(np.float32)


def from_feafa(units: NDArray) -> Measured:
    """(T, 24) of :data:`FEAFA` as the 39; the others are not known."""
    units = np.asarray(units, np.float32)
    if units.ndim != 2 or units.shape[1] != len(FEAFA):
        raise DataError(f"FEAFA units of shape {units.shape}; expected (T, 24)")
    values, known = np.zeros((len(units), len(SIDED)), np.float32), np.zeros(len(SIDED), bool)
    for i, names in enumerate(_OF_FEAFA):
        columns = [_COLUMN[n] for n in names]
        values[:, columns], known[columns] = units[:, [i]], True
    return Measured(np.clip(values, 0, 1), known)


def from_facs(units: NDArray, names: Sequence[str]) -> Measured:
    """Units by FACS names, ``AU12`` for both sides or ``AU12L`` for one; names that readers have no use for are passed over.

    Parameters
    ----------
    units
        (T, K), 0 to 1.
    names
        K of them, such as those of the track ``action_units``.

    Raises
    ------
    DataError
        If none of the names is a unit.
    """
    values = np.zeros((len(units), len(SIDED)), np.float32)
    known = np.zeros(len(SIDED), bool)
    for i, name in enumerate(names):
        name = {"AU45": "AU43", "AU23": "AU24", "AU27": "AU26"}.get(name, name)
        both = ("AU28T", "AU28B") if name == "AU28" else (f"{name}L", f"{name}R")
        columns = [_COLUMN[n] for n in ((name,) if name in _COLUMN else both) if n in _COLUMN]
        values[:, columns] = np.maximum(values[:, columns], np.asarray(units)[:, [i]])
        known[columns] = True
    if not known.any():
        raise DataError(f"action units named {', '.join(names[:6])}; expected FACS names such as AU12")
    return Measured(np.clip(values, 0, 1), known)


def unsided(values: NDArray) -> Array:
    """(..., 39) of :data:`SIDED` → (..., 24) of :data:`UNITS`: the mean of both sides, as instruments without sides have it."""
    return 0.5 * (values[..., LEFT] + values[..., RIGHT])


def strengths(values: NDArray) -> tuple[Array, Array]:
    """Units without their sides.

    Parameters
    ----------
    values
        (..., 39) of :data:`SIDED`.

    Returns
    -------
    strength, lean
        (..., 24) of :data:`UNITS`: the stronger side, and how much stronger the left is than the right, −1 to 1 (0 without sides).
    """
    a, b = values[..., LEFT], values[..., RIGHT]
    top = np.maximum(a, b)
    return top, np.divide(a - b, top, out=np.zeros_like(top), where=top > 0)
