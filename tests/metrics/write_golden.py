"""Write golden/*.json: what other libraries, or the plainest possible loops, say about the shared inputs.

    python -m tests.metrics.write_golden [task ...]

Nothing of kinesics.metrics is used here. Needs scipy, librosa, scikit-image, torch, torchmetrics, jiwer and
cpbd-py312; their versions are kept in each file.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from tests.metrics.inputs import GOLDEN

TASKS = sorted(p.stem for p in (Path(__file__).parent / "oracles").glob("[a-z]*.py"))


def main(names: list[str]) -> None:
    for name in names or TASKS:
        oracle = import_module(f"tests.metrics.oracles.{name}")
        versions = {library: version(library) for library in ("numpy", *oracle.LIBRARIES)}
        text = {"versions": versions, "values": oracle.values()}
        (GOLDEN / f"{name}.json").write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
