"""Action units are what their shapes say."""

from __future__ import annotations

import numpy as np
import pytest

from kinesics.bodies.arkit import ARKIT
from kinesics.errors import DataError
from kinesics.performance import Face
from kinesics.see.action_units import SHAPES, UNITS, action_units, columns


def read(**weights: float) -> dict[str, float]:
    names = tuple(weights)
    units = action_units(Face(np.array([list(weights.values())]).reshape(1, -1), names, 25))
    return {n: round(float(v), 3) for n, v in zip(units.names, units.values[0], strict=True) if v}


def test_known_faces():
    assert read(mouthSmileLeft=0.8, mouthSmileRight=0.4) == {"AU12": 0.6}
    assert read(jawOpen=0.3) == {"AU25": 0.3, "AU26": 0.6}
    assert read(jawOpen=0.75)["AU27"] == 0.5
    assert "AU25" not in read(jawOpen=0.3, mouthClose=0.3), "lips that are shut are not parted"
    assert read(eyeBlinkLeft=1, eyeBlinkRight=1) == {"AU45": 1.0}
    assert read(browInnerUp=2.0) == {"AU01": 1.0}
    assert read() == {}


def test_every_unit_has_shapes_that_exist():
    assert all(columns(shape) for shapes in SHAPES.values() for shape in shapes)
    assert action_units(Face(np.zeros((3, 52)), ARKIT, 25)).values.shape == (3, len(UNITS))


def test_another_basis_is_refused():
    with pytest.raises(DataError, match="flame"):
        action_units(Face(np.zeros((1, 1)), ("jaw",), 25, basis="flame"))
