"""The shapes of the 15 visemes on our own face, and how strongly each claims jaw, lips and tongue.

The shapes are read from ``data/visemes.toml``, which ``scripts/derive_visemes.py`` writes from lip-gap,
width and contact measurements on our avatars. The timing table is ours; its order of magnitudes follows
Cohen & Massaro (1993) and the rules of JALI (Edwards et al. 2016).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT, INDEX
from kinesics.errors import DataError
from kinesics.hear.phones import VISEMES

VISEME_INDEX: dict[str, int] = {name: i for i, name in enumerate(VISEMES)}
"""Row of each viseme in every table here."""

LIP_COLUMNS: NDArray[np.int64] = np.array(
    [
        i
        for i, name in enumerate(ARKIT)
        if name.startswith(("jaw", "mouth")) or name in ("cheekPuff", "tongueOut")
    ]
)
"""Columns of ARKit 52 that speech moves."""


def columns(*names: str) -> NDArray[np.int64]:
    """Return the columns of coefficients, both sides where a name has them.

    >>> [ARKIT[i] for i in columns("mouthSmile", "jawOpen")]
    ['mouthSmileLeft', 'mouthSmileRight', 'jawOpen']
    """
    found: list[int] = []
    for name in names:
        sides = [name] if name in INDEX else [name + "Left", name + "Right"]
        if sides[0] not in INDEX:
            raise DataError(
                f"unknown face coefficient {name!r}; expected an ARKit 52 name, with or without its side"
            )
        found += [INDEX[side] for side in sides]
    return np.array(found)


def vector(shape: dict[str, float]) -> NDArray[np.float32]:
    """Return (52,) weights from names (a name without side sets both sides)."""
    out = np.zeros(len(ARKIT), np.float32)
    for name, value in shape.items():
        out[columns(name)] = value
    return out


GROUPS: dict[str, NDArray[np.int64]] = {
    "jaw": columns("jawOpen", "jawForward", "jawLeft", "jawRight"),
    "round": columns("mouthFunnel", "mouthPucker"),
    "spread": columns("mouthSmile", "mouthStretch", "mouthDimple", "mouthFrown"),
    "part": columns(
        "mouthClose", "mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthRollLower", "mouthRollUpper",
        "mouthShrugLower", "mouthShrugUpper", "mouthLeft", "mouthRight", "cheekPuff",
    ),
    "tongue": columns("tongueOut"),
}  # fmt: skip
"""Articulators that a viseme claims with its own strength each."""

# viseme: claim on jaw, round, spread, part, tongue; onset and decay in seconds. Ours. Tongue-only visemes
# claim little of the lips, so they take their neighbours' lip shape; sibilants claim the jaw; lip-heavy
# visemes reach far to both sides.
_TIMING = """
    sil .40 .40 .40 .40 1.0  .10 .16
    PP  .70 .12 .20 1.0 .60  .08 .08
    FF  .75 .15 .25 1.0 .60  .08 .08
    TH  .60 .12 .25 .60 1.0  .08 .08
    DD  .40 .08 .12 .25 .60  .07 .08
    kk  .18 .06 .08 .12 .40  .07 .08
    CH  .95 1.1 .80 .80 .60  .13 .13
    SS  1.1 .20 .50 .70 .60  .09 .09
    nn  .35 .08 .12 .25 .40  .07 .08
    RR  .55 .65 .50 .50 .40  .10 .10
    aa  1.0 .45 .60 .80 .60  .11 .13
    E   .90 .45 .70 .80 .60  .11 .12
    ih  .80 .50 .80 .75 .60  .10 .12
    oh  .90 1.0 .80 .80 .60  .12 .13
    ou  .95 1.3 1.0 .95 .60  .13 .14
"""
_ROWS = {row.split()[0]: [float(x) for x in row.split()[1:]] for row in _TIMING.strip().splitlines()}
CLAIM: NDArray[np.float64] = np.array([_ROWS[v][:5] for v in VISEMES])
"""(15, 5) dominance of each viseme over each of :data:`GROUPS`, 0 to about 1."""
ONSET: NDArray[np.float64] = np.array([_ROWS[v][5] for v in VISEMES])
"""(15,) seconds a viseme begins before its plateau."""
DECAY: NDArray[np.float64] = np.array([_ROWS[v][6] for v in VISEMES])
"""(15,) seconds it lasts beyond."""


@cache
def _table() -> dict[str, dict[str, float]]:
    text = resources.files("kinesics.behaviour").joinpath("data/visemes.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def shapes() -> NDArray[np.float32]:
    """(15, 52) ARKit weights of the visemes, in the order of `VISEMES`, read-only."""
    out = np.stack([vector(_table()[name]) for name in VISEMES])
    out.flags.writeable = False
    return out
