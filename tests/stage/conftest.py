"""One small corpus for all tests of the stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinesics.hear import espeak
from kinesics.stage.speakers import make_speakers


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers, two takes of about two seconds each."""
    if not espeak.available():
        pytest.skip("needs the extra 'voice'")
    folder = tmp_path_factory.mktemp("stage") / "corpus"
    make_speakers(folder, 2, 9, jobs=1, takes=2, seconds=2.0, progress=False)
    return folder
