"""Running claims arm by arm and seed by seed, and keeping what came out."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kinesics
from kinesics.errors import DataError, FormatError, choose
from kinesics.files import replacing
from kinesics.progress import progress as bar

log = logging.getLogger(__name__)

_CLAIMS: tuple[str, ...] = ("camn", "emote", "expllm", "gesturelsm", "livelyspeaker", "mano", "spectre")
"""Names of the claims: modules of this room that end in ``CLAIM``."""

Results = Mapping[str, Mapping[str, NDArray[np.float64]]]
"""Arm → measure → one number per seed, the same seeds in the same order for every arm."""


@dataclass(frozen=True)
class Run:
    """What an arm is given.

    Parameters
    ----------
    seed
        Of everything in this run.
    quick
        Whether it must be done in seconds.
    work
        Folder that lasts: caches and trainings, shared by the arms of a claim, so that a killed one goes on.
    """

    seed: int
    quick: bool
    work: Path


@dataclass(frozen=True)
class Arm:
    """One side of a comparison.

    Parameters
    ----------
    name
        In a word or two.
    what
        What it is, for the table.
    run
        Trains and measures: returns numbers by measure.
    """

    name: str
    what: str
    run: Callable[[Run], Mapping[str, float]]


@dataclass(frozen=True)
class Claim:
    """What a paper says, as a comparison that can fail.

    Parameters
    ----------
    name
        Of the system.
    says
        The claim in words.
    arms
        The system, its ablations and baselines, and controls.
    measures
        Name → ``"lower"``, ``"higher"`` or ``"none"``: which way is better.
    rule
        When it holds, in words.
    holds
        The rule as a function of :data:`Results`: parts of the claim by name → whether each holds.
    note
        What the reader of the table must know: on what data, which stand-ins.
    """

    name: str
    says: str
    arms: tuple[Arm, ...]
    measures: Mapping[str, str]
    rule: str
    holds: Callable[[Results], Mapping[str, bool]]
    note: str = ""

    def __post_init__(self) -> None:
        for way in self.measures.values():
            choose("direction", way, ("lower", "higher", "none"))
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names) or not names:
            raise DataError(f"claim {self.name}: arms {names}; expected at least one, each once")

    @property
    def mark(self) -> str:
        """Changes when the claim is put differently: records of before do not count then."""
        text = "\n".join([self.says, self.rule, *self.measures, *(f"{a.name}: {a.what}" for a in self.arms)])
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """What came of a claim.

    Parameters
    ----------
    claim
        The claim.
    parts
        Part → whether it holds.
    results
        See :data:`Results`.
    seconds
        Of all runs together.
    quick
        Whether these are the small runs.
    """

    claim: Claim
    parts: Mapping[str, bool]
    results: Results
    seconds: float
    quick: bool
    seeds: tuple[int, ...] = field(default=())

    @property
    def holds(self) -> bool:
        """Whether all parts do."""
        return all(self.parts.values())

    def __str__(self) -> str:
        return _rows(self.claim, self.results, self.parts, self.quick, len(self.seeds), self.seconds)


def lower(results: Results, arm: str, than: str, measure: str, *, by: float = 0.0) -> bool:
    """Whether ``arm`` is lower than another by a share of it: in the mean, and in most seeds.

    >>> r = {"a": {"e": np.array([1.0, 2, 3])}, "b": {"e": np.array([2.0, 3, 2.9])}}
    >>> lower(r, "a", "b", "e"), lower(r, "a", "b", "e", by=0.5)
    (True, False)
    """
    mine, other = (np.asarray(results[name][measure], float) for name in (arm, than))
    bound = other - by * np.abs(other)
    return bool(mine.mean() < bound.mean() and (mine < bound).mean() > 0.5)


def higher(results: Results, arm: str, than: str, measure: str, *, by: float = 0.0) -> bool:
    """Whether ``arm`` is higher than another by a share of it: in the mean, and in most seeds."""
    turned = {n: {measure: -np.asarray(results[n][measure], float)} for n in (arm, than)}
    return lower(turned, arm, than, measure, by=by)


@cache
def find(name: str) -> Claim:
    """The claim of a system; a DataError lists the names when there is none."""
    choose("claim", name, _CLAIMS)
    return import_module(f"kinesics.lab.claims.{name}").CLAIM


def available() -> tuple[str, ...]:
    """Names of all claims."""
    return _CLAIMS


def claim(
    name: str | Claim,
    *,
    quick: bool = False,
    seeds: int | None = None,
    records: str | PathLike[str] = "claims",
    work: str | PathLike[str] | None = None,
    progress: bool = True,
) -> Verdict:
    """Test a claim again, and record what comes out.

    Runs that are recorded already, of the same claim and version, are not done again; a killed call goes on
    with the run it was in.

    Parameters
    ----------
    name
        Of a system (:func:`available`), or a claim.
    quick
        The small version: under a minute; recorded apart.
    seeds
        How many, 0, 1, …; 3 by default, 1 when quick.
    records
        Folder: ``<name>/<arm>-<seed>.json`` for each run, ``<name>/verdict.json``; quick ones under ``quick/``.
    work
        Folder for trainings and caches; ``<records>/.work`` by default.
    progress
        Show a bar over the runs.

    Returns
    -------
    Verdict
        ``print`` it for the table.

    Raises
    ------
    DataError
        If a run gives a number that is not finite, lacks a measure, or the disk is full.
    """
    subject = find(name) if isinstance(name, str) else name
    seeds = (1 if quick else 3) if seeds is None else seeds
    if seeds < 1:
        raise DataError(f"{seeds} seeds; expected at least 1")
    folder = Path(records) / subject.name / ("quick" if quick else ".")
    place = Path(work) if work is not None else Path(records) / ".work"
    # by seed first: after a kill, whole comparisons are there
    runs = [(arm, seed) for seed in range(seeds) for arm in subject.arms]
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for arm, seed in bar(runs, f"claim {subject.name}", unit="run") if progress else runs:
        path = folder / f"{arm.name.replace(' ', '_')}-{seed}.json"
        record = _recorded(path, subject, quick)
        if record is None:
            record = _run(arm, seed, subject, quick, place / subject.name / ("quick" if quick else "full"))
            _write(path, record)
        found[arm.name, seed] = record
    results = {
        arm.name: {
            m: np.array([found[arm.name, seed]["numbers"][m] for seed in range(seeds)])
            for m in subject.measures
        }
        for arm in subject.arms
    }
    parts = {str(k): bool(v) for k, v in subject.holds(results).items()}
    seconds = sum(r["seconds"] for r in found.values())
    verdict = Verdict(subject, parts, results, seconds, quick, tuple(range(seeds)))
    _write(
        folder / "verdict.json",
        {
            "claim": subject.name,
            "says": subject.says,
            "rule": subject.rule,
            "note": subject.note,
            "measures": [[name, way] for name, way in subject.measures.items()],
            "arms": [[arm.name, arm.what] for arm in subject.arms],
            "parts": [[part, ok] for part, ok in parts.items()],
            "holds": verdict.holds,
            "results": {a: {m: v.tolist() for m, v in by.items()} for a, by in results.items()},
            "quick": quick,
            "seeds": list(verdict.seeds),
            "seconds": round(seconds, 1),
            "mark": subject.mark,
            **_where(),
        },
    )
    return verdict


def table(records: str | PathLike[str] = "claims", *, quick: bool = False) -> str:
    """The table for the documentation, in Markdown, from the records alone.

    Raises
    ------
    FormatError
        If a record cannot be read.
    """
    parts = []
    for path in sorted(Path(records).glob("*/quick/verdict.json" if quick else "*/verdict.json")):
        told = _read(path)
        try:
            arms = tuple(Arm(n, what, _no_run) for n, what in told["arms"])
            subject = Claim(
                told["claim"],
                told["says"],
                arms,
                dict(told["measures"]),
                told["rule"],
                _no_rule,
                told["note"],
            )
            results = {a: {m: np.array(v) for m, v in by.items()} for a, by in told["results"].items()}
            text = _rows(
                subject, results, dict(told["parts"]), told["quick"], len(told["seeds"]), told["seconds"]
            )
            parts.append(f"{text}\n\nkinesics {told['version']}, {told['when']}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(path, "content", "a verdict", "run the claim again") from error
    return "\n\n".join(parts) + "\n" if parts else "No claim is recorded yet.\n"


def verdicts(records: str | PathLike[str] = "claims") -> dict[str, dict[str, bool]]:
    """What is recorded of each claim: its parts, and whether each holds."""
    found = [_read(path) for path in sorted(Path(records).glob("*/verdict.json"))]
    return {str(told["claim"]): dict(told["parts"]) for told in found if {"claim", "parts"} <= set(told)}


def _run(arm: Arm, seed: int, subject: Claim, quick: bool, work: Path) -> dict[str, Any]:
    began = time.perf_counter()
    work.mkdir(parents=True, exist_ok=True)
    numbers = {str(k): float(v) for k, v in arm.run(Run(seed, quick, work)).items()}
    missing = [m for m in subject.measures if m not in numbers]
    if missing:
        raise DataError(f"claim {subject.name}: arm {arm.name!r} gave no {missing[0]!r}")
    bad = [m for m, v in numbers.items() if not math.isfinite(v)]
    if bad:
        raise DataError(
            f"claim {subject.name}: {bad[0]} of arm {arm.name!r}, seed {seed}, is {numbers[bad[0]]}"
        )
    return {
        "claim": subject.name,
        "arm": arm.name,
        "what": arm.what,
        "seed": seed,
        "quick": quick,
        "numbers": numbers,
        "seconds": round(time.perf_counter() - began, 2),
        "mark": subject.mark,
        **_where(),
    }


def _where() -> dict[str, str]:
    return {
        "version": kinesics.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "when": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _recorded(path: Path, subject: Claim, quick: bool) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    record = _read(path)
    wanted = {"mark": subject.mark, "quick": quick, "version": kinesics.__version__}
    if any(record.get(k) != v for k, v in wanted.items()) or not isinstance(record.get("numbers"), dict):
        log.info("%s is of another claim or version; the run is done again", path)
        return None
    if not set(subject.measures) <= set(record["numbers"]):
        return None
    return record


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(path, "content", "JSON", "delete it; the run is then done again") from error
    if not isinstance(found, dict):
        raise FormatError(path, "content", "a JSON object", "delete it; the run is then done again")
    return found


def _write(path: Path, record: Mapping[str, Any]) -> None:
    with replacing(path) as file:
        file.write((json.dumps(record, indent=1, sort_keys=True) + "\n").encode())


def _rows(
    subject: Claim, results: Results, parts: Mapping[str, bool], quick: bool, seeds: int, seconds: float
) -> str:
    arrows = {"lower": " ↓", "higher": " ↑", "none": ""}
    head = ["arm", *(f"{m}{arrows[way]}" for m, way in subject.measures.items())]
    lines = [f"### {subject.name}", "", subject.says, "", *_markdown(head, _cells(subject, results))]
    said = [f"{part}: {'holds' if ok else 'does not hold'}" for part, ok in parts.items()]
    whole = "**Holds.**" if all(parts.values()) else "**Does not hold.**"
    size = f"{seeds} seed{'s' if seeds > 1 else ''}, mean ± standard deviation, {seconds / 60:.1f} min"
    lines += [
        "",
        f"{whole} {'; '.join(said)}.",
        "",
        f"Rule: {subject.rule}",
        "",
        f"{size}{', quick version' if quick else ''}.",
    ]
    return "\n".join([*lines, *(["", subject.note] if subject.note else [])])


def _cells(subject: Claim, results: Results) -> list[list[str]]:
    return [
        [f"{arm.name} ({arm.what})", *(_number(results[arm.name][m]) for m in subject.measures)]
        for arm in subject.arms
    ]


def _number(values: Sequence[float] | NDArray) -> str:
    values = np.asarray(values, float)
    spread = f" ± {values.std(ddof=1):.3g}" if len(values) > 1 else ""
    return f"{values.mean():.4g}{spread}"


def _markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    line = [" | ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) for r in [head, *rows]]
    return [
        f"| {line[0]} |",
        "|" + "|".join("-" * (w + 2) for w in widths) + "|",
        *(f"| {x} |" for x in line[1:]),
    ]


def _no_run(run: Run) -> Mapping[str, float]:
    raise DataError("an arm from a record cannot be run")


def _no_rule(results: Results) -> Mapping[str, bool]:
    raise DataError("a claim from a record cannot be judged again")
