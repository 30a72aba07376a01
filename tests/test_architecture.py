"""The house stands: rooms import downwards, the base stays light, files stay readable."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import kinesics

ROOT = Path(kinesics.__file__).parent
FLOORS = {
    "errors": 0, "progress": 0, "seeds": 0, "upward": 0,
    "files": 1, "geometry": 1, "nn": 1,
    "performance": 2, "bodies": 2, "ports": 2,
    "formats": 3, "hear": 3, "see": 3,
    "render": 4, "metrics": 4,
    "systems": 5,
    "behaviour": 6, "reading": 6,
    "stage": 7, "live": 7,
    "corpora": 8, "studio": 8,
    "lab": 9,
    "cli": 10, "__main__": 11,
}  # fmt: skip
"""The floors of docs/architecture.md; a room imports only from floors below and from itself."""

HEAVY = {
    "torch",
    "numba",
    "scipy",
    "av",
    "openvino",
    "onnx",
    "pandas",
    "matplotlib",
    "librosa",
    "pxr",
    "pose_format",
    "pyarrow",
}
MODULES = sorted(ROOT.rglob("*.py"))
LARGEST = 30_000


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(tree: ast.AST, package: str) -> Iterator[tuple[str, int, bool]]:
    """Yield (module, line, at import time) of every import but those for type checkers."""

    def visit(node: ast.AST, early: bool) -> Iterator[tuple[str, int, bool]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for child in node.orelse:
                yield from visit(child, early)
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, early) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base, node.lineno, early
            if base in ("kinesics", ""):
                yield from ((f"kinesics.{alias.name}", node.lineno, early) for alias in node.names)
        inner = early and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inner)

    yield from visit(tree, True)


def parsed(path: Path) -> Iterator[tuple[str, int, bool]]:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    package = ".".join(parts[:-1])
    return imports(ast.parse(path.read_text(encoding="utf-8")), package)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_only_from_floors_below(path):
    room = room_of(path)
    if room == "__init__":  # the package root only names things; nothing is imported until it is used
        assert all(not m.startswith("kinesics.") or m == "kinesics.upward" for m, _, _ in parsed(path))
        return
    assert room in FLOORS, f"{room} has no floor yet: add it to FLOORS and to docs/architecture.md"
    for module, line, _ in parsed(path):
        parts = module.split(".")
        if parts[0] != "kinesics" or len(parts) == 1 or parts[1] in (room, "__version__"):
            continue
        assert parts[1] in FLOORS, f"{path.name}:{line}: imports {module}, which has no floor"
        assert FLOORS[parts[1]] < FLOORS[room], (
            f"{path.relative_to(ROOT)}:{line}: {room} (floor {FLOORS[room]}) imports {parts[1]} (floor {FLOORS[parts[1]]})"
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_heavy_is_imported_with_a_module(path):
    parts = path.relative_to(ROOT).parts
    if path.name in ("net.py", "_kernels.py") or parts[0] in ("nn", "lab"):
        pytest.skip("rooms of torch and numba, imported where they are used")
    early = {module.split(".")[0] for module, _, at_import in parsed(path) if at_import}
    assert not early & HEAVY


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_readable(path):
    assert path.stat().st_size < LARGEST, "a file that needs 30 kB is usually two files"


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT.parent), "PATH": ""},
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_next_to_nothing():
    found = loaded_by("import kinesics")
    assert {m for m in found if m.startswith("kinesics")} == {"kinesics", "kinesics.upward"}
    assert not found & (HEAVY | {"numpy", "tyro", "fastapi", "soundfile"})
    assert len(found) < 120


def test_naming_what_is_there_stays_light():
    found = loaded_by(
        "import kinesics, kinesics.formats\nkinesics.Performance\nkinesics.formats.format_of('x.glb', verb='write')"
    )
    assert not found & (HEAVY | {"tyro", "fastapi", "pocketsphinx", "soundfile", "uvicorn"})


def _order(name: str) -> tuple[int, str]:
    # CONSTANTS, then Classes, then functions, as ruff sorts them.
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_public_names_are_sorted_and_there():
    packages = ["kinesics", *(f"kinesics.{p.parent.name}" for p in ROOT.glob("*/__init__.py"))]
    for package in packages:
        module = import_module(package)
        if package == "kinesics.lab" and find_spec("torch") is None:
            continue  # its names are looked up in modules of torch
        names = list(getattr(module, "__all__", []))
        assert names == sorted(names, key=_order), f"{package}.__all__ is not sorted"
        assert len(set(names)) == len(names)
        for name in names:
            assert hasattr(module, name), f"{package}.__all__ names {name}, which is not there"


def test_saving_reaches_up_through_one_table():
    from kinesics.upward import calls

    assert set(calls) >= {"save", "view"}
