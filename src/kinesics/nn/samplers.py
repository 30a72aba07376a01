"""Samplers for diffusion and flow networks, written once for numpy arrays and torch tensors.

Everything is said over a callable ``step(x, t, condition)``, where x (B, ...) is noisy, t (B,) is the
time and condition is whatever the network wants; it returns a prediction of x's shape. Noise is always drawn by
numpy from a named stream, so that one seed gives one result whichever library runs the network.

**Diffusion.** x_t = √ᾱ_t · x0 + √(1 − ᾱ_t) · ε with t = 0 … T − 1, t as int64. The network predicts
``"noise"`` (ε), ``"data"`` (x0) or ``"velocity"`` (v = √ᾱ ε − √(1 − ᾱ) x0; Salimans & Ho, ICLR 2022).

**Flows.** x_t = t · x1 + (1 − t) · x0 with x0 noise at t = 0 and x1 data at t = 1; the network predicts
dx/dt. Networks that know the size of a step (shortcut, mean flow) get it by closing over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, choose

Step = Callable[[Any, Any, Any], Any]
"""``step(x, t, condition)`` → a prediction of x's shape."""

PREDICTS = ("noise", "data", "velocity")


@dataclass(frozen=True, eq=False)
class Schedule:
    """How much of the data is left at each step of a diffusion.

    Parameters
    ----------
    kept
        (T,) ᾱ, falling, within (0, 1].
    """

    kept: NDArray[np.float64]

    def __post_init__(self) -> None:
        kept = np.array(self.kept, np.float64)
        if (
            kept.ndim != 1
            or not len(kept)
            or not ((kept > 0) & (kept <= 1)).all()
            or (np.diff(kept) > 0).any()
        ):
            raise DataError("schedule: expected falling values within (0, 1], one for each step")
        kept.setflags(write=False)
        object.__setattr__(self, "kept", kept)

    def __len__(self) -> int:
        return len(self.kept)

    @staticmethod
    def cosine(steps: int = 1000) -> Schedule:
        """Nichol & Dhariwal (ICML 2021): ᾱ follows cos², β is held under 0.999."""
        t = np.arange(steps + 1) / steps
        curve = np.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
        return Schedule(np.cumprod(1 - np.minimum(1 - curve[1:] / curve[:-1], 0.999)))

    @staticmethod
    def linear(steps: int = 1000, first: float = 1e-4, last: float = 0.02) -> Schedule:
        """Ho et al. (NeurIPS 2020): β rises evenly from ``first`` to ``last``."""
        return Schedule(np.cumprod(1 - np.linspace(first, last, steps)))

    def noised(self, x: Any, noise: Any, t: int) -> Any:
        """Data ``x`` at step ``t`` of the diffusion."""
        kept = float(self.kept[t])
        return math.sqrt(kept) * x + math.sqrt(1 - kept) * noise

    def strided(self, count: int) -> NDArray[np.int64]:
        """``count`` of the T steps, evenly, falling, the noisiest first and 0 last."""
        if not 1 <= count <= len(self):
            raise DataError(f"{count} sampling steps; expected 1 to {len(self)}")
        # With one step only the noisiest counts: from there to the data at once.
        return np.linspace(len(self) - 1, 0, count).round().astype(np.int64)


def like(x: Any, values: NDArray[Any]) -> Any:
    """``values`` as x's kind of array, on x's device; floats take x's type, whole numbers stay whole."""
    floats = np.issubdtype(values.dtype, np.floating)
    if isinstance(x, np.ndarray):
        return values.astype(x.dtype) if floats else values
    # An empty piece of x tells where it lies; as long integers, since not every float type holds 999.
    return (x if floats else x[:0].long()).new_tensor(values.tolist())


def noise_like(x: Any, rng: np.random.Generator) -> Any:
    """Standard normal noise of x's shape and kind."""
    drawn = rng.standard_normal(tuple(x.shape), dtype=np.float32)
    return drawn.astype(x.dtype) if isinstance(x, np.ndarray) else x.new_tensor(drawn)


def guided(step: Step, scale: float, null: Any) -> Step:
    """Classifier-free guidance: away from what ``null`` gives, ``scale`` times as far as the condition goes.

    A scale of 1 is the network as it is, 0 the network without its condition (Ho & Salimans, 2022).
    """
    if scale == 1:
        return step

    def both(x: Any, t: Any, condition: Any) -> Any:
        without = step(x, t, null)
        return without + scale * (step(x, t, condition) - without)

    return both


def split(predicts: str, x: Any, predicted: Any, kept: float) -> tuple[Any, Any]:
    """(x0, ε) that a prediction at ᾱ = ``kept`` stands for."""
    a, s = math.sqrt(kept), math.sqrt(1 - kept)
    if predicts == "data":
        return predicted, (x - a * predicted) / max(s, 1e-12)
    if predicts == "noise":
        return (x - s * predicted) / a, predicted
    return a * x - s * predicted, s * x + a * predicted


def ddim(
    step: Step,
    x: Any,
    condition: Any,
    schedule: Schedule,
    *,
    predicts: str = "data",
    steps: int = 50,
    skip: int = 0,
    eta: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Any:
    """Denoise by DDIM (Song et al., ICLR 2021).

    Parameters
    ----------
    step
        The network.
    x
        (B, ...) noise; with ``skip``, the data to start from, already noised (:func:`start_from`).
    condition
        Handed on to ``step``.
    schedule
        The diffusion it was trained on.
    predicts
        ``"noise"``, ``"data"`` or ``"velocity"``.
    steps
        How many of the schedule's steps are taken, evenly spread.
    skip
        How many of these are left out at the noisy end.
    eta
        0: deterministic; 1: as much fresh noise as in DDPM.
    rng
        Where fresh noise comes from; needed when eta > 0.

    Returns
    -------
    array
        (B, ...) as ``x``.
    """
    choose("prediction", predicts, PREDICTS)
    if eta and rng is None:
        raise DataError("DDIM with eta > 0 draws noise: give it a stream, rng=seeds.rng(...)")
    for t, later in _walk(schedule, steps, skip):
        kept, after = float(schedule.kept[t]), 1.0 if later is None else float(schedule.kept[later])
        data, noise = split(predicts, x, step(x, _times(x, t), condition), kept)
        sigma = eta * math.sqrt((1 - after) / max(1 - kept, 1e-12) * max(1 - kept / after, 0))
        x = math.sqrt(after) * data + math.sqrt(max(1 - after - sigma**2, 0)) * noise
        if sigma and rng is not None:
            x = x + sigma * noise_like(x, rng)
    return x


def ddpm(
    step: Step,
    x: Any,
    condition: Any,
    schedule: Schedule,
    *,
    rng: np.random.Generator,
    predicts: str = "data",
    steps: int | None = None,
    skip: int = 0,
) -> Any:
    """Denoise by ancestral sampling (Ho et al., NeurIPS 2020): DDIM with eta = 1, every step by default."""
    return ddim(
        step,
        x,
        condition,
        schedule,
        predicts=predicts,
        steps=len(schedule) if steps is None else steps,
        skip=skip,
        eta=1.0,
        rng=rng,
    )


def start_from(data: Any, schedule: Schedule, *, steps: int, skip: int, rng: np.random.Generator) -> Any:
    """Data noised for the first step that :func:`ddim` takes after ``skip`` (SDEdit; Meng et al., ICLR 2022).

    The more is skipped, the more of ``data`` is left.
    """
    first, _ = next(_walk(schedule, steps, skip))
    return schedule.noised(data, noise_like(data, rng), first)


def euler(step: Step, x: Any, condition: Any, *, steps: int = 8) -> Any:
    """Follow a flow from noise to data in ``steps`` equal steps."""
    for t, width in _grid(steps):
        x = x + width * step(x, _times(x, t), condition)
    return x


def heun(step: Step, x: Any, condition: Any, *, steps: int = 8) -> Any:
    """Follow a flow by Heun's second-order rule: two calls a step, the last one Euler's.

    The last step would ask for the flow at t = 1, where nothing is trained.
    """
    for t, width in _grid(steps):
        slope = step(x, _times(x, t), condition)
        if t + width < 1 - 1e-9:
            slope = (slope + step(x + width * slope, _times(x, t + width), condition)) / 2
        x = x + width * slope
    return x


def _walk(schedule: Schedule, steps: int, skip: int) -> Iterator[tuple[int, int | None]]:
    taken = schedule.strided(steps).tolist()
    if not 0 <= skip < steps:
        raise DataError(f"{skip} of {steps} steps skipped; expected 0 to {steps - 1}")
    return iter(list(zip(taken, [*taken[1:], None], strict=True))[skip:])


def _grid(steps: int) -> list[tuple[float, float]]:
    if steps < 1:
        raise DataError(f"{steps} sampling steps; expected at least 1")
    return [(i / steps, 1 / steps) for i in range(steps)]


def _times(x: Any, t: float) -> Any:
    values = np.full(len(x), t)
    return like(x, values)
