"""Run Khronos' glTF validator over files.

    npm install --prefix validator gltf-validator
    KINESICS_GLTF_VALIDATOR=$PWD/validator python scripts/check_gltf.py talk.glb talk.vrm talk.vrma

Prints errors, warnings, infos and hints of each file, and every kind of message once; ends with 1 where a file has
an error. Needs node.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

_PROGRAM = """
const validator = require("gltf-validator"), fs = require("fs"), path = require("path");
(async () => {
  const out = [];
  for (const file of process.argv.slice(1)) {
    const beside = (uri) => fs.promises.readFile(path.join(path.dirname(file), path.basename(decodeURIComponent(uri))));
    const options = { uri: path.basename(file), maxIssues: 100000, writeTimestamp: false,
      externalResourceFunction: async (uri) => new Uint8Array(await beside(uri)) };
    out.push((await validator.validateBytes(new Uint8Array(fs.readFileSync(file)), options)).issues);
  }
  console.log(JSON.stringify(out));
})();
"""
SEVERITIES = ("error", "warning", "info", "hint")


def validator_folder() -> Path | None:
    """The folder whose node_modules hold the validator, or None where it or node is missing."""
    folder = Path(os.environ.get("KINESICS_GLTF_VALIDATOR", "."))
    there = (folder / "node_modules" / "gltf-validator").is_dir() and shutil.which("node")
    return folder if there else None


def validate(folder: Path, *files: Path) -> list[dict[str, Any]]:
    """What the validator says of each file: ``numErrors``, ``numWarnings``, ``messages`` and so on."""
    done = subprocess.run(
        ["node", "-e", _PROGRAM, *(str(f.resolve()) for f in files)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def main() -> int:
    """Check the files named on the command line."""
    folder = validator_folder()
    if folder is None:
        print(__doc__)
        return 2
    files = [Path(name) for name in sys.argv[1:]]
    worst = 0
    for file, issues in zip(files, validate(folder, *files), strict=True):
        counts = [issues[f"num{s.title()}s"] for s in SEVERITIES]
        worst = max(worst, min(1, counts[0]))
        print(file.name, ", ".join(f"{n} {s}s" for n, s in zip(counts, SEVERITIES, strict=True)))
        kinds = Counter((m["severity"], m["code"]) for m in issues["messages"])
        for (severity, code), number in sorted(kinds.items()):
            first = next(m for m in issues["messages"] if m["code"] == code)
            print(
                f"   {SEVERITIES[severity]}: {code} ×{number}: {first.get('pointer', '')} {first['message']}"
            )
    return worst


if __name__ == "__main__":
    sys.exit(main())
