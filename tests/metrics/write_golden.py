"""Write golden/*.json: what other libraries, or the plainest possible loops, say about the shared inputs.

    python -m tests.metrics.write_golden [task ...]

Nothing of kinesics.metrics is used here. Needs scipy, librosa, scikit-image, torch, torchmetrics, jiwer and
cpbd-py312; their versions are kept in each file.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

from tests.metrics import oracles
from tests.metrics.inputs import GOLDEN


def main(names: list[str]) -> None:
    for name in names or sorted(oracles.TASKS):
        libraries, function = oracles.TASKS[name]
        values = function()
        text = {"versions": {lib: version(lib) for lib in ("numpy", *libraries)}, "values": values}
        (GOLDEN / f"{name}.json").write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
