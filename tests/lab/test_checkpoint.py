"""Checkpoints: what they carry, and what is refused."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kinesics.bodies.humanoid import JOINTS  # noqa: E402
from kinesics.errors import DataError, FormatError  # noqa: E402
from kinesics.lab import checkpoint as ck  # noqa: E402
from kinesics.lab import fit, restore  # noqa: E402
from kinesics.systems import Training  # noqa: E402
from tests.lab.conftest import small_corpus, small_system  # noqa: E402


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return fit(
        small_system(), small_corpus(), out, training=Training(3, 8), progress=False, seed=7
    ).checkpoint


def changed(path, tmp_path, **meta):
    found = ck.read(path)
    other = tmp_path / "other.safetensors"
    ck.write(other, found.tensors, {**found.meta, **meta})
    return other


def test_a_checkpoint_says_what_it_is(path):
    meta = ck.read(path).meta
    assert (meta["system"], meta["stage"], meta["basis"], meta["fps"]) == (
        "gesturelsm",
        "tokeniser",
        "humanoid",
        "30",
    )
    assert (meta["seed"], meta["step"], meta["split"]) == (7, 3, "train")
    assert tuple(meta["joints"]) == JOINTS
    assert meta["corpus"] == small_corpus().hash
    assert {"version", "revision", "config", "losses"} <= set(meta)
    assert ck.read(path).tensors["spread"].shape == (315,)


def test_restoring_gives_the_same_network(path):
    system, net = restore(path)
    assert system.config == small_system().config
    assert not net.training
    found = ck.read(path).tensors
    assert all(torch.equal(v, found[n]) for n, v in net.state_dict().items())


def test_other_systems_revisions_and_settings_are_refused_in_one_line(path, tmp_path):
    for meta, message in [
        ({"system": "elsewhere"}, "unknown system"),
        ({"revision": 99}, "revision 99.*train it again"),
        ({"config": {"width": 3}}, "written by another version"),
        ({"config": {**ck.read(path).meta["config"], "width": 32}}, "do not fit"),
    ]:
        with pytest.raises(DataError, match=message) as error:
            restore(changed(path, tmp_path, **meta))
        assert "\n" not in str(error.value)


def test_a_system_that_is_not_expected_is_refused(path):
    class Other(type(small_system())):
        name = "other"

    with pytest.raises(DataError, match="a checkpoint of gesturelsm, not of other"):
        restore(path, expect=Other)


def test_damaged_files_are_format_errors(path, tmp_path):
    data = path.read_bytes()
    bad = tmp_path / "bad.safetensors"
    pieces = [data[:n] for n in (0, 4, 8, 100, len(data) // 2, len(data) - 1)]
    pieces += [b"\x80\x04" + data[2:], b"\xff" * 8 + data[8:], data[:8] + b"[" * 200 + data[208:]]
    for piece in pieces:
        bad.write_bytes(piece)
        with pytest.raises(FormatError):
            ck.read(bad)
    with pytest.raises(FormatError, match="found nothing"):
        ck.read(tmp_path / "absent.safetensors")


def test_foreign_safetensors_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(FormatError, match="not a checkpoint of kinesics"):
        ck.read(tmp_path / "a.safetensors")
    save_file({"a": torch.zeros(2)}, tmp_path / "b.safetensors", {"kinesics": "[]"})
    with pytest.raises(FormatError, match="header"):
        ck.read(tmp_path / "b.safetensors")


def test_configurations_survive_json():
    config = small_system().config
    assert type(config).of_dict(config.as_dict()) == config
    with pytest.raises(DataError, match="unknown setting 'widht'"):
        config.changed(widht=3)
