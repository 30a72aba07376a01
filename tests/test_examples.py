"""Every example that users are shown runs: docstrings and the scripts in examples/."""

from __future__ import annotations

import doctest
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import kinesics

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    m.name for m in pkgutil.walk_packages(kinesics.__path__, "kinesics.") if "__main__" not in m.name
)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    result = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("text.py", []),
        ("edit_plan.py", []),
        ("own_speech.py", [str(ROOT / "tests/data/speech.flac"), str(ROOT / "tests/data/speech.txt")]),
    ],
)
def test_scripts(script: str, arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / script), *arguments, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("*.glb"))
    assert done.stdout.strip()
