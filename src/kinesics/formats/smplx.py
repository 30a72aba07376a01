"""SMPL-X, SMPL-H and SMPL parameters in ``.npz`` files: what research on bodies exchanges.

A file holds a body's pose, frame by frame, as axis-angle triples in SMPL-X joint order, which is the order of
our own 55 joints; the rest pose of both is the T-pose with world-aligned joint frames, so rotations mean the same
and are kept to 0.0001°, places to 0.01 mm. The body models themselves are licensed for research only and are not
part of Kinesics: read are the numbers, shown on our own skeleton.

**Layouts read**, told apart by the names of the arrays and named in ``meta["smplx"]["layout"]``:

- ``beat2`` (BEAT2, EMAGE, GestureLSM, AMUSE): ``poses`` (T, 165), ``trans``, ``betas``, ``expressions`` (T, 100), ``gender``,
  ``model``, ``mocap_frame_rate``.
- ``amass`` (AMASS' SMPL-H; 72 or 66 columns are read too and written as 156): ``poses`` (T, 156), ``trans``, ``betas`` (16), ``dmpls``,
  ``mocap_framerate``. SMPL-H has neither jaw nor eyes. ``dmpls`` becomes a signal of that name.
- ``amass-smplx`` (AMASS' SMPL-X release): ``root_orient``, ``pose_body``, ``pose_hand``, ``pose_jaw``, ``pose_eye``,
  ``surface_model_type``. Marker lists in it are pickles and left out.
- ``aist`` (AIST++): ``smpl_poses`` (T, 72), ``smpl_trans`` in units of ``smpl_scaling``; 60 frames per second, which the file
  does not say. SMPL's two hand joints turn the roots of the four fingers.
- ``show`` (SHOW, TalkSHOW and whatever the ``smplx`` package returns): ``global_orient``, ``body_pose`` or
  ``body_pose_axis``, ``left_hand_pose`` …; 30 frames per second where the file does not say.
- ``signavatars``: ``smplx`` (T, 182) or ``unsmooth_smplx`` (T, 169). Without a rate: give ``fps=``.

**Rate.** ``mocap_frame_rate``, ``mocap_framerate`` (AMASS), ``frame_rate`` or ``fps``; 119.9999 is read as 120. ``fps=`` overrules.

**Up.** AMASS is Z up, BEAT2 and AIST++ are Y up, fits to films have y down; nothing in a file says so. ``up="auto"``
takes the axis along which the trunk points, head from hips, on average over the clip. Where a body lies or
tumbles the layout's custom is taken instead; ``meta["smplx"]["up_from"]`` tells which, ``up=`` overrules.

**Where the hips are.** ``trans`` moves the template's origin, and the pelvis lies below that by an amount that
depends on the shape (about 35 cm in SMPL-X, 22 cm in SMPL). Without the body model it is chosen such that the feet stand on
the floor in the lowest twentieth of the frames; so a scene's own floor height is lost, and the legs are
our own avatar's, whose steps may slide. With ``model="SMPLX_NEUTRAL_2020.npz"`` (your own copy) pelvis and bones are the
person's. The offset is in ``meta["smplx"]["offset"]``, in the file's frame, and taken off again in writing. A
performance that was not read from such a file is written with the round figures above. Files made here from a body
of the avatar's proportions tell the offset under ``pelvis`` (3,), so that hips come back where they were.

**Hands.** SMPL-X hands are relative to a flat hand, or to the model's mean hand (``flat_hand_mean=False`` of the ``smplx``
package, its default). Nothing in a file says which; angles are taken as they are unless ``flat_hand_mean=False`` is
given here too, with ``hands=`` or ``model=`` for the mean. TalkSHOW has 12 PCA coefficients for each hand:
they become angles (mean included) when ``hands=`` or ``model=`` brings ``hands_componentsl`` and its like; without, the
fingers rest, which is logged and told. Left and right are the person's own, and each hand has its own basis.

**Face.** The 100 expressions are FLAME's and have no names: they make a second face, the track ``flame`` with ``basis="flame"``
(``expression_0`` …), whose last columns ``jaw_x``, ``jaw_y``, ``jaw_z`` are the jaw's axis-angle. ``face`` gets the jaw's
opening alone, ``jawOpen`` = 1 at 20°. The jaw joint of ``body`` rests, as everywhere here; eyes are in the eye joints.
In writing ``flame`` goes before ``face``. Files made here from ARKit coefficients have zeros in ``expressions``, the
coefficients under ``arkit`` (T, 52) in alphabetical order with tongueOut last, and ``basis`` = ``"arkit"``;
``basis="flame"`` refuses them by name.

**Writing** takes ``layout=``, ``fps=``, ``up=`` and ``model=``; the ending ``.amass.npz`` alone chooses the layout ``amass``. ``trans`` and ``poses`` are float32 in BEAT2 and AIST++ and
float64 in AMASS. What was read is written back in its own layout, axis, shape and gender. Nothing is compressed,
and the same performance gives the same bytes. A start other than 0 and sound are not in these files.

**Safety.** Nothing is unpickled; members that unpack to absurd size, or whose header announces another size than
they have, are refused before they are unpacked.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.bodies.arkit import ARKIT
from kinesics.bodies.avatar import load_avatar
from kinesics.bodies.export import body_for_export
from kinesics.bodies.humanoid import INDEX
from kinesics.bodies.retarget import retarget
from kinesics.errors import DataError, choose
from kinesics.files import replacing
from kinesics.formats import _npz
from kinesics.formats._format import Format
from kinesics.formats._smpl_body import PELVIS, TURNS, load_model
from kinesics.formats._smpl_layouts import HAND_ROOTS, SMPLH, Array, Fields, layout_of, take_of
from kinesics.formats._smpl_read import JAW, performance_of
from kinesics.formats._vrm_face import as_arkit
from kinesics.geometry import rotations as rot
from kinesics.performance import Face, Motion, Performance, Signal
from kinesics.performance._sampled import exact_rate

log = logging.getLogger(__name__)

LAYOUTS = ("beat2", "amass", "amass-smplx", "aist")
"""Layouts that can be written."""


def read(
    path: str | Path,
    *,
    up: str = "auto",
    fps: object = None,
    model: str | Path | None = None,
    hands: str | Path | None = None,
    flat_hand_mean: bool | None = None,
    basis: str = "any",
) -> Performance:
    """Read SMPL, SMPL-H or SMPL-X parameters as a body on the canonical 55 joints.

    Parameters
    ----------
    path
        The file.
    up
        ``"Y"``, ``"Z"``, ``"-Y"`` (a camera's frame) or ``"auto"``: the axis along which the trunk
        points over the clip.
    fps
        The rate, where the file has none or a wrong one.
    model
        Your own body model (``.npz`` or ``.pkl`` with ``v_template`` and ``J_regressor``), for the person's real
        proportions and the exact place of the pelvis.
    hands
        File with the hand PCA (``hands_componentsl`` …), where hands are PCA coefficients; ``model`` will do.
    flat_hand_mean
        False adds the model's mean hand to the fingers' angles, as the ``smplx`` package does by default. By
        default True, but for hands in PCA coefficients.
    basis
        ``"flame"`` or ``"arkit"`` refuses a file whose face is not in it.

    Returns
    -------
    Performance
        ``body``; ``face`` and ``flame`` where the file has a face; ``dmpls`` where it has these. ``meta["smplx"]``
        holds layout, up axis, offset of the pelvis, shape, gender, and what was lost or assumed.

    Raises
    ------
    FormatError
        If the file has none of the layouts, no rate, or arrays that are not what their names say.

    Examples
    --------
    >>> take = read("2_scott_0_1_1.npz")  # doctest: +SKIP
    >>> take.body.fps, take["flame"].values.shape  # doctest: +SKIP
    (Fraction(30, 1), (1906, 103))
    """
    path = Path(path)
    with _npz.opened(path) as archive:
        take = take_of(Fields(path, archive, np.asarray), frozenset(archive))
        refused = [n for n in archive.refused if n not in take.facts]
    if refused:
        take.facts.setdefault("lost", []).extend(sorted(refused))
    return performance_of(
        path, take, up=up, fps=fps, model=model, hands=hands, flat_hand_mean=flat_hand_mean, basis=basis
    )


def write(
    performance: Performance,
    path: str | Path,
    *,
    layout: str = "auto",
    fps: object = None,
    up: str = "auto",
    model: str | Path | None = None,
) -> None:
    """Write the body, and the face where the layout has room for it, as SMPL-X, SMPL-H or SMPL parameters.

    Parameters
    ----------
    performance
        With the track ``body``; ``flame`` or ``face`` where there is a face.
    path
        The file.
    layout
        ``"beat2"``, ``"amass"``, ``"amass-smplx"``, ``"aist"``, or ``"auto"``: the one it was read from, else
        ``"beat2"``; for ``.amass.npz`` one of AMASS' two, else ``"amass"``.
    fps
        Rate to write; by default the body's (AIST++: always 60, as its files have no rate).
    up
        ``"Y"``, ``"Z"``, ``"-Y"`` or ``"auto"``: as it was read, else what the layout is known for.
    model
        Your own body model, for the exact place of the pelvis.

    Raises
    ------
    DataError
        If there is no body, it cannot be brought to the canonical joints, or an option is unknown.
    """
    path = Path(path)
    about = performance.meta.get("smplx", {})
    about = about if isinstance(about, Mapping) else {}
    choose("layout", layout, ["auto", *LAYOUTS])
    choose("up axis", up, ["auto", *TURNS])
    if layout == "auto":
        amass = path.name.lower().endswith(".amass.npz")
        fitting = ("amass", "amass-smplx") if amass else LAYOUTS
        layout = about["layout"] if about.get("layout") in fitting else fitting[0]
    if layout == "aist":
        if fps is not None and exact_rate(fps, "fps") != 60:
            raise DataError(f"{path}: AIST++ files are at 60 frames per second; leave fps out")
        fps = 60
    same = about.get("layout") == layout and about.get("up") in TURNS
    if up == "auto":
        up = about["up"] if same else {"amass": "Z", "amass-smplx": "Z"}.get(layout, "Y")
    body = retarget(performance.body, "humanoid")
    if fps is not None and exact_rate(fps, "fps") != body.fps:
        log.info("%s: the body is resampled from %s to %s frames per second", path, body.fps, fps)
        body = body.resample(fps)
    betas = _numbers(about.get("betas"))
    offset = np.array(PELVIS["smplx" if layout in ("beat2", "amass-smplx") else "smpl"])
    if model is not None:
        offset = load_model(model, betas).pelvis
    elif same and up == about["up"] and len(_numbers(about.get("offset"))) == 3:
        offset = np.array(_numbers(about["offset"]))
    back = rot.conjugate(TURNS[up])
    trans = rot.rotate(back, body.root.astype(np.float64)) - offset
    poses, expressions, arkit = _posed(performance, body, back)
    arrays = _arrays(layout, body, poses, trans, betas, about)
    if np.allclose(body.skeleton.offsets, load_avatar("maya").skeleton.offsets, atol=1e-4):
        arrays["pelvis"] = offset  # on longer legs the reader stands the body on its feet
    if layout in ("beat2", "amass-smplx"):
        if expressions is not None:
            arrays["expressions"] = expressions
        if arkit is not None:
            arrays["arkit"] = arkit
            arrays["basis"] = np.array("arkit" if performance.get("flame") is None else "flame")
    if layout == "amass" and isinstance(performance.get("dmpls"), Signal) and len(performance["dmpls"]):
        arrays["dmpls"] = _on_clock(performance["dmpls"], body).values.astype(np.float64)
    if layout in ("amass", "aist") and (expressions is not None or arkit is not None):
        log.warning("%s: the layout %s has no room for a face, which is left out", path, layout)
    if body.start:
        log.info("%s: the body starts at %g s, which these files cannot say", path, body.start)
    with replacing(path) as file:
        _npz.write_npz(file, arrays)


def _posed(
    performance: Performance, body: Motion, back: NDArray[np.float64]
) -> tuple[Array, NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Axis-angle (T, 55, 3) with the jaw of the face, FLAME expressions and ARKit coefficients."""
    face, flame = performance.get("face"), performance.get("flame")
    face = as_arkit(face) if isinstance(face, Face) else None
    flame = flame if isinstance(flame, Face) and flame.basis == "flame" and len(flame) else None
    rotations = body_for_export(body, face if flame is None else None).rotations.astype(np.float64)
    rotations[:, 0] = rot.multiply(back, rotations[:, 0])
    poses = rot.to_rotvec(rot.normalise(rotations))
    expressions = arkit = None
    if flame is not None:
        flame = _on_clock(flame, body)
        names = tuple(n for n in flame.names if n not in JAW)
        expressions = flame.select(names).values if names else None
        poses[:, INDEX["jaw"]] = flame.select(JAW).values
    if face is not None and len(face) and face.basis == "arkit" and set(face.names) - {"jawOpen"}:
        arkit = _on_clock(face.select(ARKIT), body).values
    return poses, expressions, arkit


def _on_clock(track: Any, body: Motion) -> Any:
    same = (track.fps, track.start, len(track)) == (body.fps, body.start, len(body))
    return track if same else track.at(body.times)


def _arrays(
    layout: str, body: Motion, poses: Array, trans: Array, betas: list[float], about: Mapping[str, Any]
) -> dict[str, NDArray[Any]]:
    gender = np.array(str(about.get("gender", "neutral"))[:32])
    rate = np.array(int(body.fps), np.int32) if body.fps.denominator == 1 else np.array(float(body.fps))
    flat = poses.reshape(len(poses), 165)

    def shape(count: int, dtype: type) -> NDArray[Any]:
        return np.array((betas + [0.0] * count)[: max(count, len(betas))], dtype)

    if layout == "aist":
        smpl = np.concatenate(
            [poses[:, :22], np.stack([poses[:, roots[1]] for roots in HAND_ROOTS.values()], axis=1)], axis=1
        )
        scaling = _numbers([about.get("scaling", 1.0)]) or [1.0]
        loss = _numbers([about.get("smpl_loss")])
        return ({"smpl_loss": np.array(loss[0])} if loss else {}) | {
            "smpl_poses": smpl.reshape(len(poses), 72).astype(np.float32),
            "smpl_scaling": np.array(scaling, np.float32),
            "smpl_trans": (trans * np.float32(scaling[0])).astype(np.float32),
        }
    if layout == "amass":
        return {
            "trans": trans,
            "gender": gender,
            "mocap_framerate": np.array(float(body.fps)),
            "betas": shape(16, np.float64),
            "poses": poses[:, SMPLH].reshape(len(poses), 156),
        }
    if layout == "amass-smplx":
        return {
            "gender": gender,
            "surface_model_type": np.array("smplx"),
            "mocap_frame_rate": rate.astype(np.float64),
            "mocap_time_length": np.array(body.duration),
            "trans": trans,
            "poses": flat,
            "betas": shape(16, np.float64),
            "num_betas": np.array(max(16, len(betas))),
            "root_orient": flat[:, :3],
            "pose_body": flat[:, 3:66],
            "pose_hand": flat[:, 75:],
            "pose_jaw": flat[:, 66:69],
            "pose_eye": flat[:, 69:75],
        }
    return {
        "betas": shape(300, np.float32),
        "poses": flat.astype(np.float32),
        "expressions": np.zeros((len(poses), 100), np.float32),
        "trans": trans.astype(np.float32),
        "model": np.array(str(about.get("model", "smplx2020"))[:32]),
        "gender": gender,
        "mocap_frame_rate": rate,
    }


def _numbers(values: Any) -> list[float]:
    """A list of finite numbers that came with a performance's facts; empty where it is none."""
    if not isinstance(values, (list, tuple)):
        return []
    good = all(isinstance(v, (int, float)) and np.isfinite(v) for v in values)
    return [float(v) for v in values] if good else []


def recognises(path: Path) -> bool:
    """Whether an ``.npz`` file holds a body's parameters, by the names in it."""
    return layout_of(_npz.names_of(path)) is not None


FORMAT = Format(
    "SMPL-X",
    (".npz", ".smplx.npz", ".amass.npz"),
    ("body", "face", "flame", "dmpls"),
    read,
    write,
    recognises,
)
