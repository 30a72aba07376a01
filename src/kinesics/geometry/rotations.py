"""Rotations as unit quaternions, (w, x, y, z), vectorised over any leading axes.

Every function takes and returns plain arrays; the last axis holds the components. A rotation
``q`` takes a vector ``v`` to ``rotate(q, v)``; ``multiply(a, b)`` applies ``b`` first.
Angles are radians. Results keep the input's floating type.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError

Array = NDArray[np.floating]
IDENTITY = np.array([1.0, 0.0, 0.0, 0.0], dtype=np.float32)
_AXES = {"X": 0, "Y": 1, "Z": 2}


def _floats(values: ArrayLike) -> Array:
    array = np.asarray(values)
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)


def normalise(q: ArrayLike) -> Array:
    """Return ``q`` (..., 4) scaled to unit length; a zero quaternion becomes the identity."""
    q = _floats(q)
    length = np.sqrt(np.sum(q * q, axis=-1, keepdims=True))
    safe = np.where(length > 1e-12, length, 1)
    return np.where(length > 1e-12, q / safe, IDENTITY.astype(q.dtype))


def multiply(a: ArrayLike, b: ArrayLike) -> Array:
    """Hamilton product (..., 4): the rotation that applies ``b``, then ``a``.

    >>> multiply([0.0, 1, 0, 0], [0.0, 0, 1, 0])
    array([0., 0., 0., 1.])
    """
    a, b = _floats(a), _floats(b)
    aw, ax, ay, az = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bw, bx, by, bz = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    # Filling one array is markedly faster than stacking four: this is the hottest function there is.
    out = np.empty((*np.broadcast_shapes(aw.shape, bw.shape), 4), np.result_type(a, b))
    out[..., 0] = aw * bw - ax * bx - ay * by - az * bz
    out[..., 1] = aw * bx + ax * bw + ay * bz - az * by
    out[..., 2] = aw * by - ax * bz + ay * bw + az * bx
    out[..., 3] = aw * bz + ax * by - ay * bx + az * bw
    return out


def conjugate(q: ArrayLike) -> Array:
    """Inverse of unit quaternions (..., 4)."""
    q = _floats(q)
    return q * np.array([1, -1, -1, -1], dtype=q.dtype)


def rotate(q: ArrayLike, v: ArrayLike) -> Array:
    """Rotate vectors ``v`` (..., 3) by unit quaternions ``q`` (..., 4); axes broadcast."""
    q, v = _floats(q), _floats(v)
    w, u = q[..., :1], q[..., 1:]
    t = 2 * cross(u, v)
    return v + w * t + cross(u, t)


def cross(a: Array, b: Array) -> Array:
    """Cross product (..., 3) of float arrays; several times faster than numpy's own for many small vectors."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    out = np.empty((*np.broadcast_shapes(ax.shape, bx.shape), 3), np.result_type(a, b))
    out[..., 0] = ay * bz - az * by
    out[..., 1] = az * bx - ax * bz
    out[..., 2] = ax * by - ay * bx
    return out


def from_axis_angle(axis: ArrayLike, angle: ArrayLike) -> Array:
    """Rotation by ``angle`` (...) about ``axis`` (..., 3), which need not be of unit length; a zero axis: none.

    >>> from_axis_angle([0, 0, 2.0], np.pi).round(6)
    array([0., 0., 0., 1.])
    """
    axis, angle = _floats(axis), _floats(angle)
    length = np.sqrt(np.sum(axis * axis, axis=-1, keepdims=True))
    axis = axis / np.where(length > 1e-12, length, 1)
    half = np.where(length > 1e-12, 0.5 * angle[..., None], 0)
    sine = np.broadcast_to(np.sin(half) * axis, np.broadcast_shapes(half.shape[:-1] + (3,), axis.shape))
    return np.concatenate([np.broadcast_to(np.cos(half), sine.shape[:-1] + (1,)), sine], axis=-1)


def from_rotvec(rotvec: ArrayLike) -> Array:
    """Rotation vectors (..., 3), axis times angle, to quaternions (..., 4)."""
    rotvec = _floats(rotvec)
    angle = np.sqrt(np.sum(rotvec * rotvec, axis=-1, keepdims=True))
    half = 0.5 * angle
    scale = np.where(angle > 1e-6, np.sin(half) / np.where(angle > 1e-6, angle, 1), 0.5 - angle * angle / 48)
    return np.concatenate([np.cos(half), rotvec * scale], axis=-1)


def to_rotvec(q: ArrayLike) -> Array:
    """Quaternions (..., 4) to the shortest rotation vectors (..., 3)."""
    q = _floats(q)
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.sqrt(np.sum(q[..., 1:] ** 2, axis=-1, keepdims=True))
    angle = 2 * np.arctan2(sine, q[..., :1])
    return q[..., 1:] * np.where(sine > 1e-7, angle / np.where(sine > 1e-7, sine, 1), 2.0)


def to_matrix(q: ArrayLike) -> Array:
    """Unit quaternions (..., 4) to rotation matrices (..., 3, 3) acting on column vectors."""
    q = _floats(q)
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    xx, yy, zz, xy, xz, yz = x * x, y * y, z * z, x * y, x * z, y * z
    wx, wy, wz = w * x, w * y, w * z
    out = np.empty((*q.shape[:-1], 3, 3), dtype=q.dtype)
    out[..., 0, 0] = 1 - 2 * (yy + zz)
    out[..., 0, 1] = 2 * (xy - wz)
    out[..., 0, 2] = 2 * (xz + wy)
    out[..., 1, 0] = 2 * (xy + wz)
    out[..., 1, 1] = 1 - 2 * (xx + zz)
    out[..., 1, 2] = 2 * (yz - wx)
    out[..., 2, 0] = 2 * (xz - wy)
    out[..., 2, 1] = 2 * (yz + wx)
    out[..., 2, 2] = 1 - 2 * (xx + yy)
    return out


def from_matrix(matrix: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) to quaternions (..., 4) with w ≥ 0 (Shepperd's method)."""
    m = _floats(matrix)
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    diagonal = np.stack([trace, m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]], axis=-1)
    # Each row of `table` is the same quaternion scaled by 4 × one of its components; the row of
    # the largest component is the well-conditioned one.
    s = [m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]]
    p = [m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]]
    d = 1 + 2 * diagonal - trace[..., None]
    table = np.stack(
        [
            np.stack([1 + trace, s[0], s[1], s[2]], axis=-1),
            np.stack([s[0], d[..., 1], p[0], p[1]], axis=-1),
            np.stack([s[1], p[0], d[..., 2], p[2]], axis=-1),
            np.stack([s[2], p[1], p[2], d[..., 3]], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(diagonal, axis=-1)
    q = normalise(np.take_along_axis(table, best[..., None, None], axis=-2)[..., 0, :])
    return np.where(q[..., :1] < 0, -q, q)


def from_euler(angles: ArrayLike, order: str) -> Array:
    """Intrinsic Euler angles (..., 3), in the order they are named, to quaternions.

    ``from_euler(a, "ZXY")`` is Rz(a[0]) · Rx(a[1]) · Ry(a[2]), the BVH convention.
    """
    i, j, k = _euler_axes(order)
    half = 0.5 * np.moveaxis(_floats(angles), -1, 0)
    (ca, cb, cc), (sa, sb, sc) = np.cos(half), np.sin(half)
    # The product of three elementary quaternions, written out. An odd order (XZY, ZYX, YXZ) is an even one
    # with the middle sine negated, in the middle component twice.
    odd = (j - i) % 3 == 2
    if odd:
        sb = -sb
    cacb, sasb, casb, sacb = ca * cb, sa * sb, ca * sb, sa * cb
    out = np.empty((*half.shape[1:], 4), dtype=half.dtype)
    out[..., 0] = cacb * cc - sasb * sc
    out[..., 1 + i] = sacb * cc + casb * sc
    out[..., 1 + j] = casb * cc - sacb * sc
    out[..., 1 + k] = cacb * sc + sasb * cc
    if odd:
        out[..., 1 + j] *= -1
    return out


def to_euler(q: ArrayLike, order: str) -> Array:
    """Quaternions (..., 4) to intrinsic Euler angles (..., 3); at gimbal lock the third is 0.

    The middle angle lies within ±π/2. From the quaternion itself, without a matrix or an arcsine, so
    that precision holds up to the lock (Bernardes & Viollet, PLoS ONE 2022).
    """
    k, j, i = _euler_axes(order)
    q = _floats(q)
    sign = (i - j) * (j - k) * (k - i) // 2
    w, x, y, z = q[..., 0], q[..., 1 + i], q[..., 1 + j], q[..., 1 + k] * sign
    a, b, c, d = w - y, x + z, y + w, z - x
    middle = 2 * np.arctan2(np.hypot(c, d), np.hypot(a, b))
    half_sum, half_difference = np.arctan2(b, a), np.arctan2(d, c)
    low, high = middle < 1e-7, np.pi - middle < 1e-7
    third = (half_sum - half_difference) * ~(low | high)
    first = (half_sum + half_difference) * sign
    first = np.where(low, 2 * sign * half_sum, np.where(high, 2 * sign * half_difference, first))
    out = np.stack([first, middle - np.pi / 2, third], axis=-1)
    return (out - 2 * np.pi * np.round(out / (2 * np.pi))).astype(q.dtype, copy=False)


def _euler_axes(order: str) -> tuple[int, int, int]:
    if sorted(order) != ["X", "Y", "Z"]:
        raise DataError(f"Euler order {order!r}: expected a permutation of XYZ, for instance 'ZXY'")
    i, j, k = (_AXES[c] for c in order)
    return i, j, k


def slerp(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> Array:
    """Interpolate on the shorter arc from ``a`` to ``b`` (..., 4) at ``t`` (...) in [0, 1]."""
    a, b = _floats(a), _floats(b)
    t = np.asarray(t, dtype=a.dtype)[..., None]
    dot = np.sum(a * b, axis=-1, keepdims=True)
    b = np.where(dot < 0, -b, b)
    angle = np.arccos(np.clip(np.abs(dot), 0, 1))
    sine = np.sin(angle)
    small = sine < 1e-5
    safe = np.where(small, 1, sine)
    wa = np.where(small, 1 - t, np.sin((1 - t) * angle) / safe)
    wb = np.where(small, t, np.sin(t * angle) / safe)
    return normalise(wa * a + wb * b)


def between(u: ArrayLike, v: ArrayLike) -> Array:
    """Shortest rotation (..., 4) that takes direction ``u`` (..., 3) to direction ``v``."""
    u, v = _unit(_floats(u)), _unit(_floats(v))
    u, v = np.broadcast_arrays(u, v)
    # |u + v|² / 2 is 1 + u·v without its cancellation for nearly opposite directions.
    scalar = 0.5 * np.sum((u + v) ** 2, axis=-1, keepdims=True)
    q = np.concatenate([scalar, cross(u, v)], axis=-1)
    # Opposite directions leave the axis open: any one square to u will do.
    other = np.where(np.abs(u[..., :1]) < 0.9, np.array([1, 0, 0], u.dtype), np.array([0, 1, 0], u.dtype))
    flip = np.concatenate([np.zeros_like(scalar), _unit(cross(u, other))], axis=-1)
    return normalise(np.where(2 * scalar < np.finfo(q.dtype).eps, flip, q))


def _unit(v: Array) -> Array:
    length = np.sqrt(np.sum(v * v, axis=-1, keepdims=True))
    return v / np.where(length > 1e-12, length, 1)


def angle(a: ArrayLike, b: ArrayLike) -> Array:
    """Angle (...) in radians of the rotation between ``a`` and ``b`` (..., 4), 0 to π."""
    a, b = _floats(a), _floats(b)
    delta = multiply(conjugate(a), b)
    return 2 * np.arctan2(np.sqrt(np.sum(delta[..., 1:] ** 2, axis=-1)), np.abs(delta[..., 0]))


def continuous(q: ArrayLike) -> Array:
    """Flip signs along the first axis so that neighbouring quaternions (T, ..., 4) are near."""
    q = _floats(q)
    if len(q) < 2:
        return q
    dot = np.sum(q[1:] * q[:-1], axis=-1)
    sign = np.cumprod(
        np.concatenate([np.ones_like(dot[:1]), np.where(dot < 0, -1, 1).astype(q.dtype)]), axis=0
    )
    return q * sign[..., None]


def to_6d(q: ArrayLike) -> Array:
    """First two columns of the rotation matrix, (..., 6) (Zhou et al., CVPR 2019)."""
    m = to_matrix(q)
    return np.concatenate([m[..., :, 0], m[..., :, 1]], axis=-1)


def from_6d(six: ArrayLike) -> Array:
    """6-D rotations (..., 6) to quaternions by Gram-Schmidt (Zhou et al., CVPR 2019)."""
    six = _floats(six)
    x = _unit(six[..., :3])
    y = _unit(six[..., 3:] - np.sum(x * six[..., 3:], axis=-1, keepdims=True) * x)
    return from_matrix(np.stack([x, y, cross(x, y)], axis=-1))


def swing_twist(q: ArrayLike, axis: ArrayLike) -> tuple[Array, Array]:
    """Split ``q`` (..., 4) into ``(swing, twist)`` with q = swing · twist, twist about ``axis`` (..., 3)."""
    q = _floats(q)
    axis = _unit(_floats(axis)).astype(q.dtype, copy=False)
    along = np.sum(q[..., 1:] * axis, axis=-1, keepdims=True)
    twist = normalise(np.concatenate([q[..., :1], along * axis], axis=-1))
    return multiply(q, conjugate(twist)), twist
