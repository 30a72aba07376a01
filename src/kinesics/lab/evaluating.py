"""Running and judging what was trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any

from kinesics.errors import DataError
from kinesics.lab import checkpoint as ck
from kinesics.lab.corpus import Corpus
from kinesics.lab.fitting import losses_on
from kinesics.nn.graphs import runner
from kinesics.performance import Performance
from kinesics.systems import System
from kinesics.systems._system import VERBS, Networks

# isort: split
from torch import nn

Measure = Callable[[list[Performance], list[Performance]], float]


def networks(net: nn.Module) -> Networks:
    """A torch network's parts, callable as exported ones are."""
    return {name: runner(graph) for name, graph in net.eval().graphs().items()}


def evaluate(
    checkpoint: str | PathLike[str],
    *,
    corpus: Corpus | None = None,
    performances: Sequence[Performance] = (),
    measures: Mapping[str, Measure] | Iterable[str] = (),
    seed: int = 0,
    **knobs: Any,
) -> dict[str, float]:
    """Judge a checkpoint on what it has not seen.

    Parameters
    ----------
    checkpoint
        The file.
    corpus
        Examples over which its stage's losses are averaged.
    performances
        Held-out performances: the system does each anew, and ``measures`` compare.
    measures
        Names of :mod:`kinesics.metrics`, or functions of (reference, estimate).
    seed
        Of all noise.
    knobs
        Handed on to the system's verb.

    Returns
    -------
    dict
        ``loss/<name>`` and each measure by name.
    """
    system, net = ck.restore(checkpoint)
    out: dict[str, float] = {}
    if corpus is not None:
        stage = ck.read(checkpoint).meta["stage"]
        out |= {f"loss/{n}": v for n, v in losses_on(net, corpus, stage, seed=seed).items()}
    named = measures if isinstance(measures, Mapping) else {name: _metric(name) for name in measures}
    if named:
        if not performances:
            raise DataError("measures compare performances: give held-out ones")
        made = generate(system, networks(net), performances, seed=seed, **knobs)
        out |= {name: float(measure(list(performances), made)) for name, measure in named.items()}
    return out


def generate(
    system: System, parts: Networks, performances: Sequence[Performance], *, seed: int = 0, **knobs: Any
) -> list[Performance]:
    """Each performance done anew by a system, from what it may know of it: the tracks it gives are taken out first."""
    verb = getattr(system, VERBS[system.capability.task])
    without = [show.with_tracks(**dict.fromkeys(system.capability.gives)) for show in performances]
    return [verb(show, parts, seed=seed + i, **knobs) for i, show in enumerate(without)]


def _metric(name: str) -> Measure:
    from kinesics import metrics

    return lambda reference, estimate: metrics.measure(name, reference, estimate).value
