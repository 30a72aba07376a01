"""Where an SMPL body stands: which way is up, where its pelvis is, and what a user's own body model says of both."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.humanoid import INDEX, JOINTS, PARENTS
from kinesics.bodies.rig import maya
from kinesics.errors import FormatError
from kinesics.formats import _npz, _pickle
from kinesics.formats._smpl_layouts import SMPLH, Array, Fields
from kinesics.geometry import rotations as rot
from kinesics.geometry.skeleton import Skeleton

log = logging.getLogger(__name__)

PELVIS: dict[str, tuple[float, float, float]] = {"smplx": (0.0, -0.35, 0.0), "smpl": (0.0, -0.22, 0.0)}
"""About where the models' pelvis lies below their origin, metres, to the centimetre: it depends on the
shape, and is exact where the user's own model is given."""

TURNS: dict[str, NDArray[np.float64]] = {
    "Y": np.array([1.0, 0, 0, 0]),
    "Z": rot.from_axis_angle([1.0, 0, 0], -math.pi / 2),
    "-Y": rot.from_axis_angle([1.0, 0, 0], math.pi),
}
"""Up axis of a file → the turn that brings it to Y up."""

_CONVENTION = {"amass": "Z", "amass-smplx": "Z", "show": "-Y", "signavatars": "-Y"}
_FEET = [INDEX[n] for n in ("leftFoot", "rightFoot", "leftToes", "rightToes")]
_UPRIGHT = 0.5  # of the trunk's mean direction along the axis: below it nobody can tell
_LOOKS = 600  # frames that are looked at for up and floor


def up_of(poses: Array, layout: str) -> tuple[str, str]:
    """The axis along which the trunk points over the clip, and whether the data show it or the layout.

    The trunk's direction is that of the head from the hips; ``"-Y"`` is a camera's frame, y down.
    """
    if not len(poses):
        return _CONVENTION.get(layout, "Y"), "layout"
    some = poses[_sample(len(poses))]
    skeleton = maya()
    places, _ = skeleton.forward(rot.from_rotvec(some), np.zeros(3))
    trunk = places[:, INDEX["head"]] - places[:, 0]
    mean = (trunk / np.linalg.norm(trunk, axis=1, keepdims=True)).mean(axis=0)
    along = {"Y": mean[1], "Z": mean[2], "-Y": -mean[1]}
    best = max(along, key=lambda k: float(along[k]))
    if along[best] < _UPRIGHT:
        found = _CONVENTION.get(layout, "Y")
        log.warning("the body is not upright, so up is taken to be %s as usual in this layout", found)
        return found, "layout"
    return best, "data"


def _sample(count: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, count - 1, min(count, _LOOKS)).round().astype(int))


def rise_to_floor(skeleton: Skeleton, rotations: NDArray[np.floating], heights: Array) -> float:
    """Metres by which the hips must be raised for the feet to stand on the floor.

    Parameters
    ----------
    skeleton
        The canonical skeleton.
    rotations
        (T, 55, 4), Y up.
    heights
        (T,) of the hips as they are.

    Returns
    -------
    float
        After it the lowest foot joint is as high as at rest in the lowest twentieth of the frames, which
        bears a jump, a step and some noise.
    """
    if not len(heights):
        return 0.0
    some = _sample(len(heights))
    places, _ = skeleton.forward(rotations[some], np.zeros(3))
    below = (places[:, _FEET, 1] - skeleton.rest[_FEET, 1]).min(axis=1)
    return -float(np.quantile(heights[some] + below, 0.05))


@dataclass(frozen=True)
class Model:
    """What is taken from a user's own SMPL, SMPL-H or SMPL-X file.

    Parameters
    ----------
    joints
        (J, 3) places of the canonical joints that the model has, in the template's frame, metres.
    index
        Their canonical indices.
    floor
        Height of the soles in that frame.
    components, means
        Hand PCA of left and right: (45, 45) and (45,) each, or None.
    """

    joints: Array
    index: list[int]
    floor: float
    components: tuple[Array, Array] | None
    means: tuple[Array, Array] | None

    @property
    def pelvis(self) -> Array:
        """(3,) place of the pelvis in the template's frame."""
        return self.joints[0]

    def skeleton(self) -> Skeleton:
        """The canonical skeleton with the model's proportions; joints it lacks are as on our own."""
        own = maya()
        offsets = np.array(own.offsets, dtype=np.float64)
        at = dict(zip(self.index, self.joints, strict=True))
        for i in self.index:
            if (parent := PARENTS[i]) in at:
                offsets[i] = at[i] - at[parent]
        offsets[0] = self.pelvis - [0, self.floor, 0]
        return Skeleton(JOINTS, PARENTS, offsets.astype(np.float32))


def opened_model(path: Path, stack: ExitStack) -> Mapping[str, Any]:
    """The arrays of a model's ``.pkl`` or ``.npz`` by key, for as long as ``stack`` is open."""
    if path.suffix.lower() == ".pkl":
        value = _pickle.load_pickle(path)
        if not isinstance(value, dict):
            raise FormatError(path, "content", "a dictionary of arrays", "give the model's .pkl or .npz")
        return value
    return stack.enter_context(_npz.opened(path))


def load_model(path: str | Path, betas: list[float]) -> Model:
    """Read a body model (``.npz`` or ``.pkl``) for a person's shape.

    Raises
    ------
    FormatError
        If it has no ``v_template`` and ``J_regressor`` that fit each other.
    """
    path = Path(path)
    with ExitStack() as stack:
        fields = Fields(path, opened_model(path, stack), _pickle.array_of)
        for name in ("v_template", "J_regressor"):
            if name not in fields:
                raise fields.wrong(
                    name, "a body model's array, found none", "give an SMPL, SMPL-H or SMPL-X file"
                )
        vertices = fields.frames("v_template", (3,))
        if betas and "shapedirs" in fields:
            directions = fields.numbers("shapedirs")
            if directions.ndim != 3 or directions.shape[:2] != vertices.shape:
                raise fields.wrong("shapedirs", f"{(*vertices.shape, 'B')}, found {directions.shape}")
            # From the 301st on they are expressions.
            count = min(len(betas), directions.shape[2], 300)
            vertices = vertices + directions[:, :, :count] @ np.array(betas[:count])
        regressor = fields.numbers("J_regressor")
        index = {55: list(range(55)), 52: SMPLH, 24: list(range(22))}.get(
            len(regressor) if regressor.ndim else 0
        )
        if index is None or regressor.shape != (len(regressor), len(vertices)):
            raise fields.wrong("J_regressor", f"(24, 52 or 55; {len(vertices)}), found {regressor.shape}")
        joints = (regressor @ vertices)[: len(index)]
        components, means = _hands(fields)
        return Model(joints, index, float(vertices[:, 1].min()), components, means)


def load_hands(path: str | Path) -> tuple[tuple[Array, Array] | None, tuple[Array, Array] | None]:
    """Hand PCA components (45, 45) and means (45,), left and right, of a model file or an excerpt of one."""
    path = Path(path)
    with ExitStack() as stack:
        found = _hands(Fields(path, opened_model(path, stack), _pickle.array_of))
    if found == (None, None):
        raise FormatError(
            path,
            "keys",
            "hands_componentsl, hands_componentsr, hands_meanl and hands_meanr",
            "give a model with hands",
        )
    return found


def _hands(fields: Fields) -> tuple[tuple[Array, Array] | None, tuple[Array, Array] | None]:
    components = means = None
    if "hands_componentsl" in fields and "hands_componentsr" in fields:
        left, right = (fields.frames(f"hands_components{s}", (45,)) for s in "lr")
        components = left, right
    if "hands_meanl" in fields and "hands_meanr" in fields:
        left, right = (fields.numbers(f"hands_mean{s}").reshape(-1) for s in "lr")
        if left.shape != (45,) or right.shape != (45,):
            raise fields.wrong("hands_meanl", f"(45,), found {left.shape} and {right.shape}")
        means = left, right
    return components, means
