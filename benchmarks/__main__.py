"""``python -m benchmarks [NAME …] [--runs N] [--out FOLDER]``: measure and write dated pages."""

from __future__ import annotations

import argparse
import pkgutil
from importlib import import_module
from pathlib import Path

import benchmarks
from benchmarks._measure import write_page

NAMES = sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("names", nargs="*", help=f"any of: {', '.join(NAMES)}; all without")
    parser.add_argument(
        "--runs", type=int, default=5, help="how often each thing is measured (median counts)"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "benchmarks")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(NAMES)):
        parser.error(f"unknown benchmark {', '.join(unknown)}; choose from: {', '.join(NAMES)}")
    for name in given.names or NAMES:
        module = import_module(f"benchmarks.{name}")
        write_page(given.out, name, module.METHOD, module.run(given.runs))


if __name__ == "__main__":
    main()
