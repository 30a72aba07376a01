"""Prove that the base install performs speech and converts files without torch, numba or a voice.

Run by ``.ci/run`` with the Python of a virtual environment that holds ``pip install .`` alone:
``python scripts/check_base.py FOLDER``.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPEECH = ROOT / "tests/data/speech"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("kinesics")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def check(condition: bool, claim: str) -> None:
    if not condition:
        sys.exit(f"not so: {claim}")
    print(f"ok: {claim}")


def main() -> None:
    folder = Path(sys.argv[1])
    for heavy in ("torch", "numba", "scipy", "av", "pyarrow", "pxr", "espeakng_loader"):
        check(importlib.util.find_spec(heavy) is None, f"{heavy} is not installed")
    outputs = [folder / f"talk.{ending}" for ending in ("glb", "bvh", "kin", "bml")]
    given = ["--audio", f"{SPEECH}.flac", "--transcript", f"{SPEECH}.txt", "--seed", "3"]
    done = run("perform", *given, *(part for path in outputs for part in ("-o", str(path))))
    check(done.returncode == 0, f"speech with a transcript is performed {done.stderr.strip()}")
    for path in outputs:
        check(path.stat().st_size > 1000, f"{path.name} is written ({path.stat().st_size / 1e6:.2f} MB)")
    for ending in ("vrm", "vrma", "smplx.npz", "livelink.csv", "csv", "eaf", "textgrid", "humanml3d.npy"):
        done = run("convert", str(folder / "talk.kin"), str(folder / f"talk.{ending}"))
        check(done.returncode == 0, f"it becomes a .{ending} {done.stderr.strip()}")
    for ending, extra in (("mp4", "video"), ("parquet", "tables"), ("usdc", "usd")):
        done = run("convert", str(folder / "talk.kin"), str(folder / f"talk.{ending}"))
        check(done.returncode == 2 and f"kinesics[{extra}]" in done.stderr, f".{ending} names the extra")
    text = run("perform", "Hello!", "-o", str(folder / "hello.glb"))
    check(text.returncode == 2 and "kinesics[voice]" in text.stderr, "a text without a voice names the extra")
    size = sum(f.stat().st_size for f in Path(sysconfig.get_path("purelib")).rglob("*") if f.is_file())
    check(size < 600e6, f"the base takes {size / 1e6:.0f} MB (at most 600)")


if __name__ == "__main__":
    main()
