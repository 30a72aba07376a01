"""ARKit coefficients as action units of FACS (Ekman, Friesen & Hager 2002), 0 to 1.

A unit of both sides is the mean of the two; 26 and 27 share the jaw, 25 is the lips parted by whatever parts them. Units without an
ARKit shape (11, 21, 38, 39) are not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError
from kinesics.performance import Face, Signal

SHAPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AU01": ("browInnerUp",),
        "AU02": ("browOuterUp",),
        "AU04": ("browDown",),
        "AU05": ("eyeWide",),
        "AU06": ("cheekSquint",),
        "AU07": ("eyeSquint",),
        "AU09": ("noseSneer",),
        "AU10": ("mouthUpperUp",),
        "AU12": ("mouthSmile",),
        "AU14": ("mouthDimple",),
        "AU15": ("mouthFrown",),
        "AU16": ("mouthLowerDown",),
        "AU17": ("mouthShrugLower",),
        "AU18": ("mouthPucker",),
        "AU19": ("tongueOut",),
        "AU20": ("mouthStretch",),
        "AU22": ("mouthFunnel",),
        "AU24": ("mouthPress",),
        "AU25": ("mouthLowerDown", "mouthUpperUp", "jawOpen"),
        "AU26": ("jawOpen",),
        "AU27": ("jawOpen",),
        "AU28": ("mouthRollLower", "mouthRollUpper"),
        "AU29": ("jawForward",),
        "AU34": ("cheekPuff",),
        "AU45": ("eyeBlink",),
    }
)
"""Unit → the shapes it is read from, sides implied."""
UNITS: tuple[str, ...] = tuple(SHAPES)


def columns(name: str) -> list[int]:
    """Places among the 52 of a shape without its side."""
    return [i for i, n in enumerate(ARKIT) if n in (name, name + "Left", name + "Right")]


def action_units(face: Face) -> Signal:
    """Read action units off a face.

    Parameters
    ----------
    face
        In the ARKit basis.

    Returns
    -------
    Signal
        :data:`UNITS`, 0 to 1, at the face's rate.

    Raises
    ------
    DataError
        If the face is in another basis.

    Examples
    --------
    >>> units = action_units(Face(np.array([[0.8]]), ("jawOpen",), 30))
    >>> {n: round(float(v), 2) for n, v in zip(units.names, units.values[0], strict=True) if v}
    {'AU25': 0.8, 'AU26': 1.0, 'AU27': 0.6}
    """
    if face.basis != "arkit":
        raise DataError(f"action units are read from the basis 'arkit', not {face.basis!r}")
    weights = face.select(ARKIT).values.clip(0, 1)

    def side_mean(name: str) -> np.ndarray:
        return weights[:, columns(name)].mean(axis=1)

    jaw = side_mean("jawOpen")
    # Lips that are closed over an open jaw are not parted.
    parted = np.clip(jaw - side_mean("mouthClose"), 0, 1)
    special = {
        "AU25": np.max([side_mean("mouthLowerDown"), side_mean("mouthUpperUp"), parted], axis=0),
        "AU26": np.clip(2 * jaw, 0, 1),
        "AU27": np.clip(2 * jaw - 1, 0, 1),
        "AU28": np.mean([side_mean(n) for n in SHAPES["AU28"]], axis=0),
    }
    values = [special[u] if u in special else side_mean(SHAPES[u][0]) for u in UNITS]
    return Signal(np.stack(values, axis=1), UNITS, ("",) * len(UNITS), face.fps, face.start)
