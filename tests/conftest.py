"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from kinesics.performance import Performance
from tests.takes import make_take

# Two busy cores must not fail a test; the same examples every time.
settings.register_profile("kinesics", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("kinesics")

_SHARED = Path(os.environ.get("KINESICS_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return the path of a folder of real data, or skip the test by that folder's name."""

    def folder(name: str) -> Path:
        path = _SHARED / "data" / name
        if not path.is_dir():
            pytest.skip(f"real data {name!r} is not on this machine")
        return path

    return folder


@pytest.fixture(scope="session")
def take() -> Performance:
    """One second of everything."""
    return make_take()


@pytest.fixture(scope="session")
def take_of():
    """``take_of(seconds)``: one of another length."""
    return make_take
