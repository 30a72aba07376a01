"""From places to turns: gaps filled, directions held, the twist of a limb from the plane in which it bends."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError
from kinesics.geometry import rotations as rot

Array = NDArray[np.floating]

_SPARE = 0.03  # weight of the hinge that nothing speaks for, against 1 of a limb well bent (ours)


def fill(values: ArrayLike, known: ArrayLike) -> Array:
    """Replace samples that are not known by what lies between their known neighbours.

    Parameters
    ----------
    values
        (T, ..., K) samples over time.
    known
        (T, ...) which of them count.

    Returns
    -------
    filled
        (T, ..., K), linear between known samples and held before the first and after the last.
        What is never known becomes zero.

    Examples
    --------
    >>> fill([[0.0], [9.0], [2.0], [9.0]], [True, False, True, False])[:, 0]
    array([0., 1., 2., 2.])
    """
    values, known = np.asarray(values, dtype=np.float64), np.asarray(known, dtype=bool)
    if values.shape[:-1] != known.shape:
        raise DataError(
            f"fill: values {values.shape} and known {known.shape}; expected (T, ..., K) and (T, ...)"
        )
    if known.all():
        return values
    count = len(values)
    index = np.arange(count).reshape(-1, *([1] * (known.ndim - 1)))
    before = np.maximum.accumulate(np.where(known, index, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, index, count)[::-1], axis=0)[::-1]
    never = (before < 0) & (after >= count)
    low = np.where(before < 0, after, before)
    high = np.where(after >= count, before, after)
    low, high = np.where(never, 0, low), np.where(never, 0, high)
    part = (index - low) / np.maximum(high - low, 1)
    clean = np.where(known[..., None], values, 0.0)
    a = np.take_along_axis(clean, low[..., None], axis=0)
    b = np.take_along_axis(clean, high[..., None], axis=0)
    return a + (b - a) * part[..., None]


def smooth(values: ArrayLike, sigma: float) -> Array:
    """Gaussian filter of (T, ...) along time; ``sigma`` in samples, cut at 4 sigma, ends held."""
    values = np.asarray(values)
    radius = int(4 * sigma + 0.5)
    if radius < 1 or len(values) < 2:
        return values
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    padded = np.concatenate(
        [np.repeat(values[:1], radius, axis=0), values, np.repeat(values[-1:], radius, axis=0)]
    )
    out = np.zeros_like(values, dtype=np.result_type(values, np.float64))
    for k, weight in enumerate(weights):
        out += weight * padded[k : k + len(values)]
    return out


def steady(
    values: ArrayLike, trust: ArrayLike, *, noise: ArrayLike, acceleration: float, fps: float
) -> Array:
    """The calmest course that measured samples allow: nothing lags, and what darts is not dulled.

    Least squares of the distance to the samples, by their trust, and of the acceleration; an acceleration far
    beyond the usual one counts less (Cauchy's weights, three rounds).

    Parameters
    ----------
    values
        (T, ...) samples without gaps (:func:`fill`).
    trust
        (T, ...) from 0 to 1, of the same shape or one that broadcasts to it.
    noise
        Standard deviation of a sample of full trust, in the values' unit; broadcasts to (...).
    acceleration
        Usual acceleration, units per second².
    fps
        Samples per second.

    Examples
    --------
    >>> line = np.linspace(0, 1, 50)[:, None]
    >>> bool(np.abs(steady(line, np.ones((50, 1)), noise=0.1, acceleration=1.0, fps=30) - line).max() < 1e-6)
    True
    """
    samples = np.asarray(values, dtype=np.float64)
    out = samples.reshape(len(samples), -1).copy()
    if len(out) < 3:
        return samples
    goal = out.copy()
    # What stands in for a gap is held on to, weakly.
    weight = np.maximum(trust, 1e-3) / np.square(np.broadcast_to(noise, samples.shape[1:]))
    weight = np.broadcast_to(weight, samples.shape).reshape(goal.shape)
    usual = acceleration / fps**2
    for _ in range(3):
        bend = 1 / (1 + (np.diff(out, 2, axis=0) / (2 * usual)) ** 2) / usual**2
        out = _conjugate_gradients(weight, bend, weight * goal, out)
    return out.reshape(samples.shape)


def _conjugate_gradients(weight: Array, bend: Array, goal: Array, start: Array) -> Array:
    """Solve (weight + second differences' bend) x = goal for every column (T, K)."""

    def times(x: Array) -> Array:
        second = bend * np.diff(x, 2, axis=0)
        out = weight * x
        out[2:] += second
        out[1:-1] -= 2 * second
        out[:-2] += second
        return out

    precise = weight.copy()
    precise[2:] += bend
    precise[1:-1] += 4 * bend
    precise[:-2] += bend
    x = start.copy()
    rest = goal - times(x)
    ahead = rest / precise
    step, size = ahead.copy(), np.sum(rest * ahead, axis=0)
    for _ in range(40):
        if not (size > 1e-18).any():
            break
        moved = times(step)
        length = size / np.maximum(np.sum(step * moved, axis=0), 1e-300)
        x += length * step
        rest -= length * moved
        ahead = rest / precise
        after = np.sum(rest * ahead, axis=0)
        step = ahead + after / np.maximum(size, 1e-300) * step
        size = after
    return x


def directions(vectors: ArrayLike, known: ArrayLike, *, shortest: float = 1e-4) -> tuple[Array, Array]:
    """Unit directions of (T, ..., 3) vectors, held where a vector is unknown or has no length.

    Returns
    -------
    unit
        (T, ..., 3); zero where the direction is never known.
    ever
        (...) whether it is known at any time.
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(vectors, axis=-1)
    good = np.asarray(known, dtype=bool) & (length > shortest)
    unit = vectors / np.where(length > shortest, length, 1)[..., None]
    filled = fill(unit, good)
    size = np.linalg.norm(filled, axis=-1, keepdims=True)
    # Halfway between opposite directions there is none: the one before is kept.
    lost = size[..., 0] < 1e-3
    if (lost & good.any(axis=0)).any():
        index = np.arange(len(lost)).reshape(-1, *([1] * (lost.ndim - 1)))
        before = np.maximum.accumulate(np.where(lost, 0, index), axis=0)
        filled = np.take_along_axis(filled, before[..., None], axis=0)
        size = np.linalg.norm(filled, axis=-1, keepdims=True)
    return filled / np.where(size > 1e-9, size, 1), good.any(axis=0)


def bend_axis(upper: ArrayLike, lower: ArrayLike, spare: ArrayLike, *, fps: float, freedom: float) -> Array:
    """The hinge of an elbow or knee, steady also while the limb is straight.

    Parameters
    ----------
    upper, lower
        (T, ..., 3) unit directions of the two bones.
    spare
        (T, ..., 3) the hinge where nothing else is known: roughly square to ``upper``, moving with the body.
    fps
        Frames per second.
    freedom
        From 0 to 1: how far from ``spare`` a hinge is plausible. With 0 one at right angles counts for nothing (a
        knee), with 1 only its reverse does (an elbow).

    Returns
    -------
    hinge
        (T, ..., 3) unit, square to ``upper``: where the limb is well bent, ``upper × lower``; where it is nearly
        straight, what the hinge was before and will be after, as the limb was carried along, and in the
        long run ``spare``.

    Notes
    -----
    The angle of the hinge about the bone is averaged as a complex number whose weight grows with the
    bend (none below 5°, full from 40° to 140°) and shrinks where the joint would bend backwards. The
    weights and the times (0.1 s and 0.5 s) are ours.
    """
    upper, lower = np.asarray(upper, dtype=np.float64), np.asarray(lower, dtype=np.float64)
    a = np.asarray(spare, dtype=np.float64)
    a = a - np.sum(a * upper, axis=-1, keepdims=True) * upper
    a = a / np.maximum(np.linalg.norm(a, axis=-1, keepdims=True), 1e-9)
    b = rot.cross(upper, a)
    measured = rot.cross(upper, lower)
    sine = np.linalg.norm(measured, axis=-1)
    turn = np.sum(measured * a, axis=-1) + 1j * np.sum(measured * b, axis=-1)
    turn = turn / np.maximum(sine, 1e-9)
    bent = np.arctan2(sine, np.sum(upper * lower, axis=-1))
    weight = np.clip((np.degrees(bent) - 5) / 25, 0, 1)
    # A limb folded flat says as little about its plane as a straight one.
    weight *= np.clip(sine / np.sin(np.radians(40)), 0, 1)
    weight *= np.clip(freedom + turn.real, 0, 1)
    weighted = weight**2 * turn
    near, far = smooth(weighted, 0.1 * fps), smooth(weighted, 0.5 * fps)
    mean = weighted + 0.3 * near + 0.1 * far + _SPARE
    # A last short filter bounds how fast the twist can turn when trust sets in.
    share = np.clip(weight, 0, 1)
    mean /= np.maximum(np.abs(mean), 1e-9)
    calm = smooth(mean, 0.05 * fps)
    mean = share * mean + (1 - share) * calm
    mean /= np.maximum(np.abs(mean), 1e-9)
    return mean.real[..., None] * a + mean.imag[..., None] * b
