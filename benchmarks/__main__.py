"""``python -m benchmarks [NAME …] [--runs N] [--out FOLDER]``: measure and write dated pages."""

from __future__ import annotations

import argparse
import ast
from importlib import import_module
from pathlib import Path

import benchmarks
from benchmarks._measure import write_page

FOLDER = Path(__file__).parent


def _runs(path: Path) -> bool:
    """Whether a module has ``run(runs)``; read, not imported, as others need recordings."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    found = [n for n in body if isinstance(n, ast.FunctionDef) and n.name == "run"]
    return bool(found) and [a.arg for a in found[0].args.args] == ["runs"]


NAMES = sorted(p.stem for p in FOLDER.glob("[a-z]*.py") if _runs(p))
LONG = ("long_film",)
"""What takes hours, and is run only when it is named."""


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument(
        "names", nargs="*", help=f"any of: {', '.join(NAMES)}; all but {', '.join(LONG)} without"
    )
    parser.add_argument(
        "--runs", type=int, default=5, help="how often each thing is measured (median counts)"
    )
    parser.add_argument("--out", type=Path, default=FOLDER.parent / "docs" / "benchmarks")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(NAMES)):
        parser.error(f"unknown benchmark {', '.join(unknown)}; choose from: {', '.join(NAMES)}")
    for name in given.names or [n for n in NAMES if n not in LONG]:
        module = import_module(f"benchmarks.{name}")
        write_page(given.out, name, module.__doc__ or "", module.run(given.runs))


if __name__ == "__main__":
    main()
