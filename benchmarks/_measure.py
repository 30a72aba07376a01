"""Timing, memory, the machine, and the pages that result."""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "kinesics",
    "numpy",
    "soundfile",
    "soxr",
    "safetensors",
    "pocketsphinx",
    "pygltflib",
    "bvhio",
    "bvhsdk",
    "textgrid",
    "pympi-ling",
    "pose-format",
    "usd-core",
    "pyarrow",
    "av",
    "numba",
)


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Parameters
    ----------
    what
        What was measured.
    value
        Median over the runs.
    unit
        Its unit.
    low, high
        Least and greatest of the runs.
    runs
        How many there were.
    note
        What one must know to read it: a peer, a size, why something was skipped.
    """

    what: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    runs: int = 1
    note: str = ""


def timed(
    what: str, call: Callable[[], Any], runs: int, *, scale: float = 1e3, unit: str = "ms", note: str = ""
) -> Figure:
    """Median wall time of ``call``, after one run that does not count."""
    call()
    seconds = []
    for _ in range(runs):
        gc.collect()
        began = time.perf_counter()
        call()
        seconds.append((time.perf_counter() - began) * scale)
    return Figure(what, statistics.median(seconds), unit, min(seconds), max(seconds), runs, note)


def memory(what: str, call: Callable[[], Any], *, note: str = "") -> Figure:
    """Greatest memory that ``call`` takes on top of what was there, Python's and numpy's, in MB."""
    gc.collect()
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Figure(what, peak / 1e6, "MB", note=note)


def skipped(what: str, why: str) -> Figure:
    """A figure that could not be had here, said by name."""
    return Figure(what, None, "", runs=0, note=f"skipped: {why}")


def machine() -> dict[str, Any]:
    """What the figures depend on; nothing that tells whose machine it is."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": versions,
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None


def write_page(folder: Path, name: str, method: str, rows: Sequence[Figure | Mapping[str, Any]]) -> Path:
    """Write ``<date>-<name>.md`` and its raw ``.json``; return the page."""
    figures = [r if isinstance(r, Figure) else _figure(r) for r in rows]
    day = time.strftime("%Y-%m-%d")
    about = machine()
    folder.mkdir(parents=True, exist_ok=True)
    raw = {
        "name": name,
        "date": day,
        "machine": about,
        "method": method,
        "figures": [asdict(f) for f in figures],
    }
    (folder / f"{day}-{name}.json").write_text(
        json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    versions = ", ".join(f"{k} {v}" for k, v in about["packages"].items())
    lines = [
        f"| {f.what} | {_number(f.value)} | {f.unit} | {_range(f)} | {f.runs} | {f.note} |" for f in figures
    ]
    page = folder / f"{day}-{name}.md"
    page.write_text(
        f"# {name}, {day}\n\n{method.strip()}\n\n"
        f"Machine: {about['processor']}, {about['cores']} cores, {about['memory_gb']} GB, {about['system']}, "
        f"Python {about['python']}; {versions}.\n"
        f"Raw figures: `{day}-{name}.json`. Again: `python -m benchmarks {name}`.\n\n"
        "| what | median | unit | least–greatest | runs | note |\n|---|---:|---|---|---:|---|\n"
        + "\n".join(lines)
        + "\n",
        encoding="utf-8",
    )
    print(page.read_text(encoding="utf-8"), file=sys.stderr)
    return page


def _figure(row: Mapping[str, Any]) -> Figure:
    note = ", ".join(str(row[k]) for k in ("wanted", "note") if row.get(k))
    return Figure(
        str(row["what"]), row["value"], str(row.get("unit", "")), runs=int(row.get("runs", 1)), note=note
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _range(figure: Figure) -> str:
    return "" if figure.low is None else f"{_number(figure.low)}–{_number(figure.high)}"
