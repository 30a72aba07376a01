"""A body in 3D from pose landmarks, hands and the head's angles: the canonical 55 joints, within what joints can do.

What the picture does not show rests: a talker seen from the shoulders up stands upright with hanging arms, at
confidence 0. Feet that are seen and stand are held where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.bodies.from_joints import LAYOUTS, from_joints
from kinesics.bodies.hand import HANDSHAPES, Hand
from kinesics.bodies.humanoid import INDEX, JOINTS, LEFT_FINGERS, RIGHT_FINGERS
from kinesics.bodies.joint_limits import ELBOW, EYE_ACROSS, EYE_UP, limit_wrist, soft_clip
from kinesics.bodies.rig import PRONATION_SHARE, maya
from kinesics.errors import DataError
from kinesics.geometry import rotations as rot
from kinesics.geometry.from_positions import fill, smooth, steady
from kinesics.geometry.skeleton import Skeleton
from kinesics.see._before_face import before_face, bring
from kinesics.see._body_points import BodyPoints, body_points, head_angles, upright
from kinesics.see._pieces import PIECE, joined, pieces
from kinesics.see._standing import standing
from kinesics.see.hands import HandPose

Array = NDArray[np.float64]

PARTS: tuple[str, ...] = (
    "trunk", "head", "left arm", "right arm", "left hand", "right hand", "left leg", "right leg",
)  # fmt: skip
"""Parts of the body that have a confidence of their own."""

_KNEE = 155.0
_NECK = np.array([80.0, 60.0, 45.0])  # yaw, pitch and roll of the head on the chest, degrees (AAOS 1965)
_MIRROR = np.array([1.0, 1, -1, -1])
_LAYOUT = tuple(LAYOUTS["canonical"])
_SHOULDERS, _SURE = [11, 12], 0.5
_HEAD_NOISE, _HEAD_ACCELERATION = 1.5, 400.0  # degrees, degrees per second² (ours)


class BodyPose(NamedTuple):
    """What :func:`fit_body` finds.

    Parameters
    ----------
    skeleton
        The canonical skeleton that is posed.
    rotations
        (T, 55, 4) unit quaternions wxyz, float32, local to the parent.
    root
        (T, 3) world position of the hips, metres; the floor is at height 0.
    confidence
        (T, 8) 0 to 1, of :data:`PARTS`: how far each is seen.
    """

    skeleton: Skeleton
    rotations: NDArray[np.float32]
    root: NDArray[np.float32]
    confidence: NDArray[np.float32]


def fit_body(
    landmarks: ArrayLike,
    *,
    confidence: ArrayLike | None = None,
    image: ArrayLike | None = None,
    hands: Mapping[str, HandPose] | None = None,
    head: ArrayLike | None = None,
    gaze: ArrayLike | None = None,
    fps: float | Fraction = 30.0,
    skeleton: Skeleton | None = None,
) -> BodyPose:
    """Pose the canonical skeleton as landmarks say.

    Parameters
    ----------
    landmarks
        (T, 33, 3) MediaPipe's pose landmarks: metres from the hips, x to the right in the picture, y up, z towards
        the camera. Points that are not finite are missing.
    confidence
        (T, 33) from 0 to 1; below 0.5 a point is not believed.
    image
        (T, 33, 2 or 3) the same points in pixels, y down: how the person moves through the picture.
    hands
        ``"left"``, ``"right"`` → fitted hands of the same T frames.
    head
        (T, 3) pitch, yaw and roll in degrees relative to the camera (up, to the person's left, onto their right
        shoulder), as the face shows them; where it is NaN, nose and ears must do, at half the confidence.
    gaze
        (T, 2) pitch and yaw of the gaze, likewise.
    fps
        Frames per second.
    skeleton
        The canonical skeleton to pose, maya's by default.

    Returns
    -------
    BodyPose
        In the camera's frame put upright: the person faces +Z when they face the camera.

    Raises
    ------
    DataError
        On wrong shapes, or a skeleton that is not canonical.
    """
    skeleton = skeleton or maya()
    if skeleton.names != JOINTS:
        raise DataError("fit_body: the skeleton has other joints than the canonical humanoid")
    values, trust = _checked(landmarks, confidence)
    count, rate = len(values), float(fps)
    if not count:
        empty = np.zeros((0, len(JOINTS), 4), np.float32)
        return BodyPose(skeleton, empty, np.zeros((0, 3), np.float32), np.zeros((0, len(PARTS)), np.float32))
    pixels = _pixels(values, image)
    metre = 0.0 if pixels is None else _metre(values, trust, pixels)
    way = _through_picture(trust, pixels, metre, rate)
    every = -(-count // PIECE)
    level = upright(values[::every], trust[::every])
    tracks = {"head": head, "gaze": gaze}
    for name, track in tracks.items():
        if track is not None and len(np.asarray(track)) != count:
            raise DataError(
                f"{name} {np.asarray(track).shape}; expected ({count}, {3 if name == 'head' else 2})"
            )
    for side, hand in (hands or {}).items():
        if len(hand.angles) != count:
            raise DataError(f"fit_body: {side} hand has {len(hand.angles)} frames, the body {count}")
    bounds = pieces(count)
    parts = [
        _fit(
            values[a:b], trust[a:b], None if pixels is None else pixels[a:b], metre, way[a:b], level,
            {s: HandPose(*(field[a:b] for field in hand)) for s, hand in (hands or {}).items()},
            {n: None if t is None else np.asarray(t)[a:b] for n, t in tracks.items()},
            rate, skeleton,
        )
        for a, b in bounds
    ]  # fmt: skip
    rotations, root, seen = (
        joined([(a, p[k]) for (a, _), p in zip(bounds, parts, strict=True)], count, turns=k == 0)
        for k in range(3)
    )
    return BodyPose(skeleton, rotations, root, seen)


def _fit(
    values: Array,
    trust: Array,
    pixels: Array | None,
    metre: float,
    way: Array,
    level: Array,
    hands: Mapping[str, HandPose],
    tracks: Mapping[str, ArrayLike | None],
    rate: float,
    skeleton: Skeleton,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Rotations, root and confidence of frames that are fitted at once."""
    count = len(values)
    points = body_points(values, trust, skeleton, rate, way, level)
    posed = from_joints(
        np.stack([points.at[n] for n in _LAYOUT], axis=1),
        _LAYOUT,
        fps=rate,
        confidence=np.ones((count, len(_LAYOUT))),
        skeleton=skeleton,
        layout="canonical",
    )
    local = posed.rotations.astype(np.float64)
    for side in ("left", "right"):
        _bend(local, f"{side}LowerArm", ELBOW)
        _bend(local, f"{side}LowerLeg", _KNEE)
    head_seen = _head(local, skeleton, tracks["head"], head_angles(values, trust), tracks["gaze"], rate)
    if pixels is not None and metre > 0:
        bring(skeleton, local, before_face(pixels, trust, metre * points.scale, rate), points.level)
    hand_seen = {}
    for side, fingers in (("left", LEFT_FINGERS), ("right", RIGHT_FINGERS)):
        hand = hands.get(side)
        if hand is not None:
            hand = hand._replace(orientation=rot.multiply(points.level, hand.orientation))
        hand_seen[side] = _hand(local, skeleton, side, fingers, hand, rate)
    hips = points.seen["hips"]
    root = np.tile(skeleton.offsets[0].astype(np.float64), (count, 1))
    root[:, [0, 2]] += hips[:, None] * way[:, [0, 2]]
    feet = {s: np.minimum(points.seen[f"{s}Foot"], points.seen[f"{s}Toes"]) for s in ("left", "right")}
    local, root = standing(skeleton, local, root, feet, rate)
    return (
        rot.continuous(rot.normalise(local)).astype(np.float32),
        root.astype(np.float32),
        _confidence(points, trust, head_seen, hand_seen),
    )


def _checked(landmarks: ArrayLike, confidence: ArrayLike | None) -> tuple[Array, Array]:
    values = np.asarray(landmarks, dtype=np.float64)
    if values.ndim != 3 or values.shape[1:] != (33, 3):
        raise DataError(f"pose landmarks {values.shape}; expected (T, 33, 3)")
    finite = np.isfinite(values).all(axis=-1)
    trust = np.ones(values.shape[:2]) if confidence is None else np.asarray(confidence, dtype=np.float64)
    if trust.shape != values.shape[:2]:
        raise DataError(f"pose confidence {trust.shape}; expected {values.shape[:2]}")
    trust = np.where(finite, np.clip(np.nan_to_num(trust), 0, 1), 0.0)
    return np.where(finite[..., None], values, 0.0), trust


def _pixels(values: Array, image: ArrayLike | None) -> Array | None:
    """(T, 33, 2) of the landmarks in the picture."""
    if image is None:
        return None
    pixels = np.asarray(image, dtype=np.float64)
    if pixels.ndim != 3 or pixels.shape[:2] != values.shape[:2] or pixels.shape[2] not in (2, 3):
        raise DataError(f"pose landmarks in pixels {pixels.shape}; expected {values.shape[:2]} × 2 or 3")
    return np.nan_to_num(pixels[..., :2])


def _metre(values: Array, trust: Array, pixels: Array) -> float:
    """Pixels that a metre of the landmarks is wide, by the shoulders; 0 where they are never seen."""
    known = trust[:, _SHOULDERS].min(axis=1) >= _SURE
    if not known.any():
        return 0.0
    apart = np.linalg.norm(pixels[:, 11] - pixels[:, 12], axis=1)[known]
    metres = np.linalg.norm(values[:, 11] - values[:, 12], axis=1)[known]
    flat = np.linalg.norm((values[:, 11] - values[:, 12])[known, :2], axis=1)
    return float(np.median(apart) / max(float(np.median(flat if flat.any() else metres)), 1e-3))


def _through_picture(trust: Array, pixels: Array | None, metre: float, fps: float) -> Array:
    """(T, 3) metres by which the shoulders' middle is off its usual place, as the picture shows it."""
    if pixels is None or metre <= 0:
        return np.zeros((len(trust), 3))
    known = trust[:, _SHOULDERS].min(axis=1) >= _SURE
    middle = pixels[:, _SHOULDERS].mean(axis=1)
    off = fill((middle - np.median(middle[known], axis=0)) / max(metre, 1e-6), known)
    off = steady(off, known[:, None].astype(float), noise=0.01, acceleration=3.0, fps=fps)
    return np.column_stack([off[:, 0], -off[:, 1], np.zeros(len(off))])


def _bend(local: Array, name: str, most: float) -> None:
    """Keep a hinge within its range; what it does is one turn about one axis."""
    j = INDEX[name]
    vector = rot.to_rotvec(local[:, j])
    angle = np.degrees(np.linalg.norm(vector, axis=-1, keepdims=True))
    local[:, j] = rot.from_rotvec(vector * np.minimum(1, most / np.maximum(angle, 1e-9)))


def _head(
    local: Array,
    skeleton: Skeleton,
    head: ArrayLike | None,
    coarse: Array,
    gaze: ArrayLike | None,
    fps: float,
) -> Array:
    """Turn neck, head and eyes; returns (T,) how surely the head's angles are known."""
    count = len(local)
    exact = np.full((count, 3), np.nan) if head is None else np.asarray(head, dtype=np.float64)
    if exact.shape != (count, 3):
        raise DataError(f"head {exact.shape}; expected ({count}, 3)")
    faced = np.isfinite(exact).all(axis=1)
    angles, known = _angles(np.where(faced[:, None], exact, coarse), count, 3, "head", fps)
    if not known.any():
        return known
    _, world = skeleton.forward(local, np.zeros(3))
    chest = world[:, INDEX["upperChest"]]
    wanted = _turned(angles)
    relative = rot.to_euler(rot.multiply(rot.conjugate(chest), wanted), "YXZ")
    relative = np.radians(soft_clip(np.degrees(relative), -_NECK, _NECK))
    whole = rot.from_euler(relative, "YXZ")
    half = rot.slerp(np.broadcast_to(rot.IDENTITY, whole.shape), whole, np.full(count, 0.5))
    local[:, INDEX["neck"]] = half
    local[:, INDEX["head"]] = half
    if gaze is not None:
        looks, seen = _angles(gaze, count, 2, "gaze", fps)
        at = _turned(np.column_stack([looks, np.zeros(count)]))
        own = rot.multiply(chest, whole)
        eyes = np.degrees(rot.to_euler(rot.multiply(rot.conjugate(own), at), "YXZ"))[:, :2]
        eyes = soft_clip(eyes, -np.array([EYE_ACROSS, EYE_UP]), np.array([EYE_ACROSS, EYE_UP]))
        turn = rot.from_euler(np.column_stack([np.radians(eyes), np.zeros(count)]), "YXZ")
        turn = np.where((seen > 0)[:, None], turn, rot.IDENTITY)
        local[:, [INDEX["leftEye"], INDEX["rightEye"]]] = turn[:, None]
    return known * np.where(faced, 1.0, 0.5)


def _angles(values: ArrayLike, count: int, width: int, what: str, fps: float) -> tuple[Array, Array]:
    """Angles (T, width) without gaps, calmed, and where they are known."""
    angles = np.asarray(values, dtype=np.float64)
    if angles.shape != (count, width):
        raise DataError(f"{what} {angles.shape}; expected ({count}, {width})")
    known = np.isfinite(angles).all(axis=1)
    filled = fill(np.where(known[:, None], angles, 0), known)
    if what == "gaze":  # eyes jump: they are not smoothed
        return filled, known.astype(np.float64)
    calm = steady(
        filled, known[:, None].astype(float), noise=_HEAD_NOISE, acceleration=_HEAD_ACCELERATION, fps=fps
    )
    return calm, known.astype(np.float64)


def _turned(angles: Array) -> Array:
    """World turns (T, 4) of pitch (up), yaw (to one's left) and roll (onto one's right shoulder), degrees."""
    pitch, yaw, roll = np.radians(angles).T
    return rot.from_euler(np.column_stack([yaw, -pitch, roll]), "YXZ")


def _hand(
    local: Array, skeleton: Skeleton, side: str, fingers: Array, hand: HandPose | None, fps: float
) -> Array:
    """Turn forearm, wrist and fingers; returns (T,) how far the hand is seen."""
    count = len(local)
    rest = _hand_at_rest(skeleton, side)
    mirror = _MIRROR if side == "right" else np.ones(4)
    relaxed = rest.rotations(HANDSHAPES["relaxed"].ravel()) * mirror
    local[:, fingers] = relaxed
    if hand is None:
        return np.zeros(count)
    known = np.clip(2 * smooth((hand.confidence >= 0.3).astype(float), 0.08 * fps) - 0.5, 0, 1)
    local[:, fingers] = rot.slerp(
        np.broadcast_to(relaxed, hand.rotations.shape),
        hand.rotations.astype(np.float64),
        np.broadcast_to(known[:, None], hand.rotations.shape[:2]),
    )
    _, world = skeleton.forward(local, np.zeros(3))
    lower, wrist = INDEX[f"{side}LowerArm"], INDEX[f"{side}Hand"]
    way = (skeleton.rest[wrist] - skeleton.rest[lower]) * [1.0 if side == "left" else -1.0, 1, 1]
    along = way / np.linalg.norm(way)
    palm = rest.palm - rest.palm @ along * along
    palm /= np.linalg.norm(palm)
    relative = rot.multiply(rot.conjugate(world[:, lower]), hand.orientation) * mirror
    twist, bent, _ = limit_wrist(relative, along, palm, np.cross(palm, along))
    forearm = rot.from_axis_angle(along, PRONATION_SHARE * twist)
    onward = rot.multiply(rot.from_axis_angle(along, (1 - PRONATION_SHARE) * twist), bent)
    still = np.broadcast_to(rot.IDENTITY.astype(np.float64), forearm.shape)
    forearm, onward = (rot.slerp(still, q, known) * mirror for q in (forearm, onward))
    local[:, wrist] = rot.slerp(local[:, wrist], onward, known)
    local[:, lower] = rot.multiply(local[:, lower], forearm)
    return known * hand.confidence


_hand_at_rest = lru_cache(maxsize=8)(Hand)


def _confidence(
    points: BodyPoints, trust: Array, head: Array, hands: Mapping[str, Array]
) -> NDArray[np.float32]:
    seen = points.seen
    parts = {"trunk": 0.5 * (seen["neck"] + seen["hips"]), "head": head}
    for side in ("left", "right"):
        parts[f"{side} arm"] = (seen[f"{side}LowerArm"] + seen[f"{side}Hand"]) / 2
        parts[f"{side} leg"] = (seen[f"{side}LowerLeg"] + seen[f"{side}Foot"]) / 2
        parts[f"{side} hand"] = hands[side]
    return np.stack([parts[p] for p in PARTS], axis=1).astype(np.float32)
