"""What every measure asks of its arrays: numbers, of the right shape, finite, and not too few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinesics.errors import DataError

Floats = NDArray[np.float64]


def array_of(values: ArrayLike, what: str) -> NDArray[Any]:
    """Whatever numpy makes of ``values``; a DataError where it makes nothing of them."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: not an array of numbers ({error})") from error


def numbers(values: ArrayLike, shape: Sequence[str | int], what: str, *, least: int = 1) -> Floats:
    """Return ``values`` as finite float64 of a given shape, or raise a DataError that says what and where.

    Parameters
    ----------
    values
        Anything numpy takes for an array.
    shape
        One entry per axis: its length, or a name for any length, as in ``("T", "J", 3)``.
    what
        What the array is, for the message.
    least
        How long the first axis must be.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: not an array of numbers ({error})") from error
    wanted = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    right = array.ndim == len(shape) and all(
        isinstance(w, str) or w == n for w, n in zip(shape, array.shape, strict=True)
    )
    if not right:
        raise DataError(f"{what}: shape {array.shape}; expected {wanted}")
    if len(shape) and array.shape[0] < least:
        raise DataError(f"{what}: {array.shape[0]} along {shape[0]}; at least {least} needed")
    if array.size == 0:
        raise DataError(f"{what}: empty, of shape {array.shape}; expected {wanted}")
    finite = np.isfinite(array)
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise DataError(f"{what}: not finite at {place} ({array[place]}); mend or cut it first")
    return array


def pair(
    reference: ArrayLike, estimate: ArrayLike, shape: Sequence[str | int], what: str, *, least: int = 1
) -> tuple[Floats, Floats]:
    """Two arrays of the same shape (see :func:`numbers`), the reference first."""
    a = numbers(reference, shape, f"reference {what}", least=least)
    b = numbers(estimate, shape, f"estimated {what}", least=least)
    if a.shape != b.shape:
        raise DataError(
            f"{what}: reference {a.shape} and estimate {b.shape}; cut or resample them to one shape"
        )
    return a, b


def sequences(values: ArrayLike | Sequence[ArrayLike], shape: Sequence[str | int], what: str) -> list[Floats]:
    """One sequence or a list of them as a list of arrays of ``shape``, each checked by :func:`numbers`."""
    if isinstance(values, np.ndarray):
        whole = [values] if values.ndim == len(shape) else list(values) if values.ndim else [values]
    elif isinstance(values, (list, tuple)):
        whole = [values] if _depth(values) == len(shape) else list(values)
    else:
        raise DataError(f"{what}: a {type(values).__name__}; expected an array or a list of arrays")
    if not whole:
        raise DataError(f"{what}: no sequences; expected at least one")
    return [numbers(v, shape, what if len(whole) == 1 else f"{what} {i}") for i, v in enumerate(whole)]


def paired_sequences(
    reference: ArrayLike | Sequence[ArrayLike],
    estimate: ArrayLike | Sequence[ArrayLike],
    shape: Sequence[str | int],
    what: str,
) -> list[tuple[Floats, Floats]]:
    """Sequences of reference and estimate, two by two, each couple of one shape."""
    a, b = sequences(reference, shape, f"reference {what}"), sequences(estimate, shape, f"estimated {what}")
    if len(a) != len(b):
        raise DataError(f"{what}: {len(a)} reference sequences but {len(b)} estimated; they go in pairs")
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        if x.shape != y.shape:
            raise DataError(f"{what} {i}: reference {x.shape} and estimate {y.shape}; cut them to one length")
    return list(zip(a, b, strict=True))


def indices(values: ArrayLike, count: int, what: str) -> NDArray[np.int64]:
    """Indices into an axis of ``count`` entries, none out of range, at least one."""
    array = array_of(values, what)
    if array.dtype == bool and array.shape == (count,):
        array = np.flatnonzero(array)
    if array.ndim != 1 or not array.size or not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{what}: expected a list of indices below {count}, not {str(values)[:60]}")
    if array.min() < 0 or array.max() >= count:
        raise DataError(f"{what}: from {array.min()} to {array.max()}; there are {count}, counted from 0")
    return array.astype(np.int64)


def positive(value: float, what: str) -> float:
    """A finite number above zero."""
    number = float(value)
    if not (np.isfinite(number) and number > 0):
        raise DataError(f"{what}: {value!r}; expected a number above 0")
    return number


def _depth(values: object) -> int:
    depth = 0
    while isinstance(values, (list, tuple)) and values:
        values, depth = values[0], depth + 1
    return depth + np.ndim(values)  # type: ignore[arg-type]
