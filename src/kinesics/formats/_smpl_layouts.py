"""The ways in which corpora and systems lay out SMPL, SMPL-H and SMPL-X parameters, brought to one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError
from kinesics.performance._sampled import exact_rate

Array = NDArray[np.float64]
RATES = ("mocap_frame_rate", "mocap_framerate", "frame_rate", "fps")
"""Names under which files keep their rate."""

SMPLH = [*range(22), *range(25, 55)]
"""Canonical index of each of SMPL-H's 52 joints, which has neither jaw nor eyes."""

HAND_ROOTS = {22: (25, 28, 31, 34), 23: (40, 43, 46, 49)}
"""SMPL's two hand joints, and the roots of the four fingers that turn with each."""

_MOST_ANGLE, _MOST_METRES = 1e4, 1e5
_LAYOUTS: tuple[tuple[str, frozenset[str]], ...] = (
    ("aist", frozenset({"smpl_poses"})),
    ("amass-smplx", frozenset({"root_orient", "pose_body"})),
    ("show", frozenset({"global_orient", "body_pose_axis"})),
    ("show", frozenset({"global_orient", "body_pose"})),
    ("signavatars", frozenset({"smplx"})),
    ("signavatars", frozenset({"unsmooth_smplx"})),
    *(("poses", frozenset({"poses", other})) for other in ("trans", "betas", "gender", *RATES[:2])),
)


@dataclass
class Take:
    """One clip, as a file has it: its own up axis, translation of the template's origin.

    Parameters
    ----------
    layout
        Name of the layout.
    poses
        (T, 55, 3) axis-angle, canonical joints; jaw included.
    trans
        (T, 3) metres.
    fps
        The rate, or None where the file does not say.
    joints
        How many joints the file's model has: 55, 52, 24 or 22.
    expressions, arkit, dmpls
        (T, K) or None.
    hands
        Left and right hand (T, K) as PCA coefficients, still to be turned into angles, or None.
    facts
        What ``meta`` tells: betas, gender, model, scaling, what is lost.
    """

    layout: str
    poses: Array
    trans: Array
    fps: Fraction | None
    joints: int = 55
    expressions: Array | None = None
    arkit: Array | None = None
    dmpls: Array | None = None
    hands: tuple[Array, Array] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def layout_of(names: frozenset[str]) -> str | None:
    """The layout that a file's names give away, or None."""
    return next((layout for layout, needed in _LAYOUTS if needed <= names), None)


class Fields:
    """A file's arrays by name, each checked when it is asked for."""

    def __init__(self, path: Path, values: Mapping[str, Any], convert: Callable[[Any], Any]) -> None:
        self.path, self._values, self._convert = path, values, convert

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def wrong(self, name: str, expected: str, fix: str = "check the file") -> FormatError:
        """The error that names one array."""
        return FormatError(self.path, f"key {name!r}", expected, fix)

    def array(self, name: str) -> NDArray[Any]:
        """An array of any kind."""
        array = self._convert(self._values[name])
        if array is None:
            raise self.wrong(name, "an array of numbers or text")
        return np.asarray(array)

    def numbers(self, name: str, most: float = _MOST_METRES) -> Array:
        """An array of finite numbers within ±``most``."""
        array = self.array(name)
        if array.dtype.kind not in "iuf":
            raise self.wrong(name, f"numbers, found the type {array.dtype}")
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise self.wrong(
                name, f"finite numbers, found {array[place]} at {place}", "mend or cut these frames"
            )
        if array.size and np.abs(array).max() > most:
            raise self.wrong(name, f"numbers within ±{most:g}, found {np.abs(array).max():g}")
        return array

    def frames(self, name: str, widths: tuple[int, ...], count: int | None = None) -> Array:
        """(T, width), also from (T, J, 3) or (T, 1, width); T must be ``count`` where that is given."""
        array = self.numbers(name, _MOST_ANGLE)
        if array.ndim >= 2:
            array = array.reshape(len(array), int(np.prod(array.shape[1:])))
        if array.ndim != 2 or array.shape[1] not in widths:
            wanted = " or ".join(f"(T, {w})" for w in widths)
            raise self.wrong(name, f"{wanted}, found {self.array(name).shape}")
        if count is not None and len(array) != count:
            raise self.wrong(name, f"{count} frames as elsewhere in the file, found {len(array)}")
        return array

    def text(self, name: str) -> str | None:
        """Text, however numpy keeps it; None where there is none."""
        if name not in self:
            return None
        array = self.array(name)
        if array.size != 1 or array.dtype.kind not in "SU":
            return None
        value = array.reshape(-1)[0]
        value = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        return value.removeprefix("b'").strip("'")[:200]

    def rate(self) -> Fraction | None:
        """The rate, exact; None where the file does not say."""
        name = next((n for n in RATES if n in self), None)
        if name is None:
            return None
        value = self.numbers(name, 1e6)
        if value.size != 1 or value.reshape(-1)[0] < 1e-3:
            raise self.wrong(name, "one rate, above 0.001 per second")
        try:
            return rate_of(float(value.reshape(-1)[0]))
        except DataError as error:
            raise self.wrong(name, f"a rate ({error})", "give it: fps=30") from error


def rate_of(value: float) -> Fraction:
    """119.99999 and the like as the rate that they stand for."""
    return (
        Fraction(round(value))
        if abs(value - round(value)) < 1e-3 and round(value)
        else exact_rate(value, "rate")
    )


def take_of(fields: Fields, names: frozenset[str]) -> Take:
    """Bring a file's arrays to one layout.

    Raises
    ------
    FormatError
        If no known layout's names are there, or an array is not what its name says.
    """
    layout = layout_of(names)
    if layout is None:
        some = ", ".join(sorted(map(str, names))[:12])[:200] or "none"
        raise FormatError(
            fields.path,
            "keys",
            f"poses and trans, or the like, found {some}",
            "check that it is a body's motion",
        )
    reader = {
        "aist": _aist, "amass-smplx": _parted, "show": _show, "signavatars": _signavatars, "poses": _posed,
    }[layout]  # fmt: skip
    take = reader(fields)
    take.facts |= {k: v for k in ("gender", "model") if (v := fields.text(k)) is not None}
    if (kind := fields.text("surface_model_type")) is not None:
        take.facts["surface_model_type"] = kind
    if "betas" in fields:
        take.facts["betas"] = _betas(fields)
    return take


def _betas(fields: Fields) -> list[float]:
    betas = fields.numbers("betas")
    rows = betas.reshape(-1, betas.shape[-1]) if betas.ndim else betas.reshape(1, 1)
    if rows.shape[1] > 1024:
        raise fields.wrong("betas", f"at most 1024 coefficients, found {rows.shape[1]}")
    if len(rows) == 0:
        return []
    # A list per frame comes from fits; a person's shape is one.
    return [float(x) for x in (rows[0] if np.ptp(rows, axis=0).max(initial=0) < 1e-6 else rows.mean(axis=0))]


def _expressions(fields: Fields, count: int) -> Array | None:
    name = next((n for n in ("expressions", "expression", "exp") if n in fields), None)
    if name is None:
        return None
    width = fields.array(name).shape[-1] if fields.array(name).ndim > 1 else 0
    if not 1 <= width <= 1024:
        raise fields.wrong(name, f"(T, up to 1024), found {fields.array(name).shape}")
    return fields.frames(name, (width,), count)


def _translation(fields: Fields, names: tuple[str, ...], count: int, facts: dict[str, Any]) -> Array:
    name = next((n for n in names if n in fields), None)
    if name is None:
        facts["trans"] = "not in the file: the body stays in place"
        return np.zeros((count, 3))
    return fields.frames(name, (3,), count)


def canonical(poses: Array) -> tuple[Array, int]:
    """(T, 165, 156, 72, 66 or 63) axis-angle as (T, 55, 3) of the canonical joints, and the model's joints."""
    joints = poses.shape[1] // 3
    given = poses.reshape(len(poses), joints, 3)
    out = np.zeros((len(poses), 55, 3))
    if joints == 55:
        out[:] = given
    elif joints == 52:
        out[:, SMPLH] = given
    elif joints == 21:
        out[:, 1:22] = given
    else:
        out[:, :22] = given[:, :22]
        for hand, roots in HAND_ROOTS.items():
            if joints == 24:
                out[:, roots] = given[:, hand, None]
    return out, 22 if joints == 21 else joints


def _posed(fields: Fields) -> Take:
    raw = fields.frames("poses", (165, 156, 72, 66))
    poses, joints = canonical(raw)
    facts: dict[str, Any] = {}
    trans = _translation(fields, ("trans", "transl"), len(poses), facts)
    take = Take("beat2" if joints == 55 else "amass", poses, trans, fields.rate(), joints, facts=facts)
    take.expressions = _expressions(fields, len(poses))
    if "arkit" in fields:
        take.arkit = fields.frames("arkit", (52,), len(poses))
    if "dmpls" in fields and fields.array("dmpls").ndim == 2:
        width = fields.array("dmpls").shape[1]
        take.dmpls = fields.frames("dmpls", (min(width, 64),), len(poses))
    if (basis := fields.text("basis")) is not None:
        take.facts["basis"] = basis
    return take


def _parted(fields: Fields) -> Take:
    root = fields.frames("root_orient", (3,))
    count = len(root)
    out = np.zeros((count, 165))
    out[:, :3] = root
    for name, part in (("pose_body", slice(3, 66)), ("pose_jaw", slice(66, 69)), ("pose_eye", slice(69, 75))):
        if name in fields:
            out[:, part] = fields.frames(name, (part.stop - part.start,), count)
    if "pose_hand" in fields:
        out[:, 75:] = fields.frames("pose_hand", (90,), count)
    facts: dict[str, Any] = {}
    trans = _translation(fields, ("trans", "transl"), count, facts)
    joints = 55 if "pose_jaw" in fields or "pose_eye" in fields else 52
    take = Take("amass-smplx", out.reshape(count, 55, 3), trans, fields.rate(), joints, facts=facts)
    take.expressions = _expressions(fields, count)
    if "arkit" in fields:
        take.arkit = fields.frames("arkit", (52,), count)
    if (basis := fields.text("basis")) is not None:
        take.facts["basis"] = basis
    return take


def _aist(fields: Fields) -> Take:
    poses, joints = canonical(fields.frames("smpl_poses", (72,)))
    scaling = fields.numbers("smpl_scaling").reshape(-1) if "smpl_scaling" in fields else np.ones(1)
    if scaling.size != 1 or not 1e-3 <= scaling[0] <= 1e4:
        raise fields.wrong("smpl_scaling", "one scale above zero")
    facts: dict[str, Any] = {"scaling": float(scaling[0])}
    trans = _translation(fields, ("smpl_trans",), len(poses), facts) / scaling[0]
    if "smpl_loss" in fields and fields.array("smpl_loss").size == 1:
        facts["smpl_loss"] = float(fields.numbers("smpl_loss", np.inf).reshape(-1)[0])
    return Take("aist", poses, trans, fields.rate() or Fraction(60), joints, facts=facts)


def _show(fields: Fields) -> Take:
    root = fields.frames("global_orient", (3,))
    count = len(root)
    out = np.zeros((count, 165))
    out[:, :3] = root
    body = "body_pose_axis" if "body_pose_axis" in fields else "body_pose"
    out[:, 3:66] = fields.frames(body, (63, 69), count)[:, :63]
    for name, part in (
        ("jaw_pose", slice(66, 69)), ("leye_pose", slice(69, 72)), ("reye_pose", slice(72, 75)),
    ):  # fmt: skip
        if name in fields:
            out[:, part] = fields.frames(name, (3,), count)
    hands = [n for n in ("left_hand_pose", "right_hand_pose") if n in fields]
    pca = None
    if len(hands) == 2:
        left, right = (fields.frames(n, tuple(range(1, 46)), count) for n in hands)
        if left.shape != right.shape:
            raise fields.wrong(hands[1], f"the shape of the left hand, {left.shape}, found {right.shape}")
        if left.shape[1] == 45:
            out[:, 75:120], out[:, 120:] = left, right
        else:
            pca = left, right
    facts: dict[str, Any] = {}
    trans = _translation(fields, ("transl", "trans"), count, facts)
    take = Take(
        "show", out.reshape(count, 55, 3), trans, fields.rate() or Fraction(30), 55, hands=pca, facts=facts
    )
    take.expressions = _expressions(fields, count)
    return take


def _signavatars(fields: Fields) -> Take:
    if "smplx" in fields:
        raw = fields.frames("smplx", (182,))
        jaw, shape, expressions = raw[:, 156:159], raw[:, 159:169], raw[:, 169:179]
    else:
        raw = fields.frames("unsmooth_smplx", (169,))
        jaw, shape, expressions = np.zeros((len(raw), 3)), raw[:, 156:166], None
    out = np.zeros((len(raw), 165))
    out[:, :66], out[:, 66:69], out[:, 75:] = raw[:, :66], jaw, raw[:, 66:156]
    facts: dict[str, Any] = {"trans": "not in the file: the body stays in place", "lost": ["camera"]}
    if len(shape):
        facts["betas"] = [float(x) for x in shape.mean(axis=0)]
    return Take(
        "signavatars",
        out.reshape(-1, 55, 3),
        np.zeros((len(raw), 3)),
        fields.rate(),
        55,
        expressions,
        facts=facts,
    )
