"""The animations of a glTF: keys, what lies between them, and the uniform clock they are sampled on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinesics.errors import DataError, FormatError
from kinesics.formats._gltf import Glb
from kinesics.formats._gltf_nodes import Array, Nodes
from kinesics.geometry import rotations as rot

MOST_SAMPLES = 24_000_000
"""Frames times joints: two hours of a whole body at 60 frames per second."""
_RATES = (24, 25, 30, 48, 50, 60, 90, 100, 120, 240)
_SLOWEST_OWN_RATE = 10
WIDTHS = {"translation": 3, "rotation": 4, "scale": 3}


@dataclass(frozen=True, eq=False)
class Curve:
    """One channel's keys.

    Parameters
    ----------
    times
        (K,) seconds, increasing.
    values
        (K, C); with CUBICSPLINE (K, 3, C): in-tangent, value, out-tangent.
    kind
        ``"LINEAR"``, ``"STEP"`` or ``"CUBICSPLINE"``.
    turns
        Whether the values are rotations, x y z w.
    """

    times: Array
    values: NDArray[Any]
    kind: str
    turns: bool

    @property
    def keys(self) -> NDArray[Any]:
        """(K, C) the values themselves."""
        return self.values[:, 1] if self.kind == "CUBICSPLINE" else self.values

    @cached_property
    def still(self) -> bool:
        """Whether nothing moves."""
        return len(self.times) < 2 or bool((self.values == self.values[:1]).all())

    @cached_property
    def median(self) -> Array:
        """(C,) the middle of the values."""
        return np.median(self.keys.astype(np.float64), axis=0)

    @cached_property
    def away(self) -> float:
        """How far the values go from there."""
        return float(np.abs(self.keys.astype(np.float64) - self.median).max())

    @cached_property
    def reach(self) -> float:
        """How far apart they get."""
        return float(np.ptp(self.keys.astype(np.float64), axis=0).max())

    def at(self, times: Array) -> Array:
        """Values at any times (T,) -> (T, C), rotations wxyz; before and after the keys the ends are held."""
        last = len(self.times) - 1
        low = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, max(last - 1, 0))
        high = np.minimum(low + 1, last)
        span = np.maximum(self.times[high] - self.times[low], 1e-12)
        part = np.clip((times - self.times[low]) / span, 0, 1)
        if self.kind == "STEP":
            # At the last key itself the last value counts.
            found = self.keys[np.where(part >= 1, high, low)].astype(np.float64)
        elif self.kind == "CUBICSPLINE":
            found = self._hermite(low, high, part[:, None], span[:, None])
        else:
            a, b = self.keys[low].astype(np.float64), self.keys[high].astype(np.float64)
            if self.turns:
                return rot.slerp(rot.normalise(a[:, [3, 0, 1, 2]]), rot.normalise(b[:, [3, 0, 1, 2]]), part)
            found = a + (b - a) * part[:, None]
        return rot.normalise(found[:, [3, 0, 1, 2]]) if self.turns else found

    def _hermite(self, low: NDArray[np.intp], high: NDArray[np.intp], t: Array, span: Array) -> Array:
        values = self.values.astype(np.float64)
        a, out, into, b = values[low, 1], values[low, 2] * span, values[high, 0] * span, values[high, 1]
        return (
            (2 * t**3 - 3 * t**2 + 1) * a
            + (t**3 - 2 * t**2 + t) * out
            + (3 * t**2 - 2 * t**3) * b
            + (t**3 - t**2) * into
        )


class Clip:
    """One animation of a file.

    Attributes
    ----------
    curves
        (node, path) -> its keys.
    first, last
        Seconds of the first and of the last key.
    """

    def __init__(self, glb: Glb, index: int, nodes: Nodes) -> None:
        animation = glb.entry("animations", index)
        self.where = f"animations[{index}]"
        self.curves: dict[tuple[int, str], Curve] = {}
        self._times: dict[int, Array] = {}
        self._known: dict[tuple[Any, ...], Curve] = {}
        # Accessors may share bytes: together they may not hold much more than the file does.
        self._left = 16 * glb.bytes() + 1_000_000
        self._glb = glb
        channels, samplers = animation.get("channels"), animation.get("samplers")
        if not isinstance(channels, list) or not isinstance(samplers, list):
            raise glb.wrong(self.where, "no channels or no samplers")
        for i, channel in enumerate(channels):
            target = channel.get("target") if isinstance(channel, dict) else None
            if not isinstance(target, dict):
                raise glb.wrong(f"{self.where}.channels[{i}]", "no target")
            node, path = target.get("node"), target.get("path")
            if path not in (*WIDTHS, "weights") or node is None:
                continue  # a pointer or another extension's target
            which = channel.get("sampler")
            for what, found, most in (("node", node, len(nodes)), ("sampler", which, len(samplers))):
                if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < most:
                    raise glb.wrong(f"{self.where}.channels[{i}]", f"{what} {found!r:.40}")
            curve = self._curve(samplers[which], which, node, path)
            if curve is not None:
                self.curves.setdefault((node, path), curve)
        ends = [(c.times[0], c.times[-1]) for c in self.curves.values()]
        self.first = float(min((a for a, _ in ends), default=0.0))
        self.last = float(max((b for _, b in ends), default=0.0))

    def _curve(self, sampler: Any, index: int, node: int, path: str) -> Curve | None:
        where = f"{self.where}.samplers[{index}]"
        if not isinstance(sampler, dict):
            raise self._glb.wrong(where, "no object")
        kind = sampler.get("interpolation", "LINEAR")
        if kind not in ("LINEAR", "STEP", "CUBICSPLINE"):
            raise self._glb.wrong(where, f"interpolation {kind!r:.40}")
        times = self._clock(where, sampler.get("input"))
        if not len(times):
            return None
        width = WIDTHS.get(path) or len(_targets(self._glb, node))
        self._glb.entry("accessors", sampler.get("output"))
        key = (sampler.get("input"), sampler.get("output"), kind, path == "rotation", width)
        if key not in self._known:
            values = self._read(sampler.get("output"))
            shape = (len(times), 3, width) if kind == "CUBICSPLINE" else (len(times), width)
            if values.size != np.prod(shape) or not width or (path != "weights" and values.shape[1] != width):
                raise self._glb.wrong(where, f"{values.shape} values for {len(times)} keys of {width}")
            if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 1e9:
                raise self._glb.wrong(where, "values that are not finite")
            self._known[key] = Curve(times, values.reshape(shape), kind, path == "rotation")
        return self._known[key]

    def _read(self, index: Any) -> NDArray[Any]:
        values = self._glb.array(index)
        self._left -= values.size
        if self._left < 0:
            raise self._glb.wrong(self.where, "many accessors on the same bytes")
        return values

    def _clock(self, where: str, index: Any) -> Array:
        if isinstance(index, int) and index in self._times:
            return self._times[index]
        times = self._read(index)
        if times.shape[1] != 1:
            raise self._glb.wrong(where, "times that are no single numbers")
        times = times[:, 0].astype(np.float64)
        if not np.isfinite(times).all() or np.abs(times).max(initial=0) > 1e7 or (np.diff(times) < 0).any():
            raise self._glb.wrong(where, "times that do not increase")
        self._times[index] = times
        return times

    def rate(self) -> Fraction | None:
        """The rate on whose frames all keys lie, or None."""
        clocks = {id(c.times): c.times for c in self.curves.values() if len(c.times) > 1}
        if not clocks:
            return None
        steps = np.unique(np.concatenate(list(clocks.values())))
        gaps = np.diff(steps)
        gaps = gaps[gaps > 1e-4]
        if not len(gaps):
            return None
        rough = 1 / float(np.median(gaps[gaps < 1.5 * gaps.min()]))
        slack = 0.02 + 2e-6 * float(np.abs(steps).max()) * rough  # float32 times of a long clip
        common = (*_RATES, max(1, round(rough)))
        for rate in (*map(Fraction, common), *(Fraction(n * 1000, 1001) for n in common)):
            if abs(float(rate) / rough - 1) < 1e-3:
                places = (steps - steps[0]) * float(rate)
                if rate >= _SLOWEST_OWN_RATE and np.abs(places - np.round(places)).max() < slack:
                    return rate
        return None


def _targets(glb: Glb, node: int) -> list[Any]:
    """One element for each morph target of a node's mesh."""
    about = glb.entry("nodes", node)
    if "mesh" not in about:
        return []
    primitives = glb.entry("meshes", about["mesh"]).get("primitives")
    first = primitives[0] if isinstance(primitives, list) and primitives else None
    found = first.get("targets", []) if isinstance(first, dict) else []
    return found if isinstance(found, list) else []


def clip_names(glb: Glb) -> list[str]:
    """The names of a file's animations; those without one are called by their number."""
    return [str(a.get("name") or f"animation{i}")[:200] for i, a in enumerate(glb.entries("animations"))]


def chosen_clip(glb: Glb, clip: str | int) -> int:
    """Index of a clip by name or number; a DataError lists the names when there is none."""
    names = clip_names(glb)
    if isinstance(clip, int) and not isinstance(clip, bool) and -len(names) <= clip < len(names):
        return clip % len(names)
    if clip in names:
        return names.index(str(clip))
    if str(clip).isdecimal() and int(str(clip)[:9]) < len(names):
        return int(str(clip)[:9])
    raise DataError(f"{glb.path}: no clip {clip!r}; it has: {', '.join(names) or 'none'}")


def frame_times(glb: Glb, clip: Clip | None, fps: Fraction | None, width: int) -> tuple[Fraction, float, int]:
    """Rate, start and number of frames of a uniform clock over a clip.

    Parameters
    ----------
    glb
        The file, for messages.
    clip
        The clip, or None: one frame at 0.
    fps
        A wanted rate, or None: the clip's own, else 30.
    width
        How many joints there are; bounds what a few far keys may ask for.
    """
    if clip is None:
        return fps or Fraction(30), 0.0, 1
    rate = fps or clip.rate() or Fraction(30)
    # Times are float32 in the file: late in a long clip a frame may lie a little beyond its key.
    slack = min(0.4, 1e-3 + 1e-6 * abs(clip.last) * float(rate))
    count = int(np.floor((clip.last - clip.first) * float(rate) + slack)) + 1
    keys = max((len(c.times) for c in clip.curves.values()), default=1)
    if count > 36_000 + 200 * keys or count * max(width, 1) > MOST_SAMPLES:
        raise FormatError(
            glb.path,
            clip.where,
            f"at most {min(36_000 + 200 * keys, MOST_SAMPLES // max(width, 1))} frames, found {count} at {rate} per second",
            "give a lower fps=, or cut the clip",
        )
    return rate, clip.first, count


def times_of(fps: Fraction, start: float, first: int, last: int) -> Array:
    """Seconds of frames, rounded as files round their keys, so that a frame falls on its key."""
    return (start + np.arange(first, last) / float(fps)).astype(np.float32).astype(np.float64)
