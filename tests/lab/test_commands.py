"""From nothing to a performing network on the command line: people of the stage, training, judging, export."""

from __future__ import annotations

import pytest

import kinesics as kn
from kinesics import cli

pytest.importorskip("torch")
pytest.importorskip("espeakng_loader", reason="the extra voice is not installed")
pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("lab")
    people, target = root / "people", root / "prepared"
    cli.main(
        [
            "stage",
            "make",
            "speakers",
            "-o",
            str(people),
            "--count",
            "3",
            "--takes",
            "2",
            "--seconds",
            "5",
            "--jobs",
            "1",
        ]
    )
    cli.main(["prepare", "stage", str(people), str(target)])
    return target


def test_train_evaluate_export_perform(prepared, tmp_path, capsys):
    from kinesics.systems import load_system

    run, net = tmp_path / "run", tmp_path / "net"
    small = [
        f"{k}={v}"
        for k, v in {"width": 16, "hidden": 32, "blocks": 1, "cross": 1, "tokeniser_width": 12}.items()
    ]
    options = [part for pair in small for part in ("-p", pair)]
    train = ["train", "gesturelsm", "--data", str(prepared), "-o", str(run), "--steps", "2", *options]
    cli.main(train)
    told = capsys.readouterr().out
    assert told.count("done after 2 updates") == 3
    first = (run / "generator.safetensors").read_bytes()
    cli.main([*train, "--stage", "generator"])  # it was done: nothing is trained again
    assert (run / "generator.safetensors").read_bytes() == first
    capsys.readouterr()
    cli.main(["evaluate", str(run / "generator.safetensors"), "--data", str(prepared), "-m", "L1div"])
    shown = dict(line.rsplit(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert float(shown["loss/loss"]) > 0
    assert float(shown["L1div"]) > 0
    cli.main(["export", str(run / "generator.safetensors"), str(net)])
    system, networks = load_system(net)
    take = kn.load(next(iter(sorted(prepared.rglob("*.kin")))))
    made = system.perform(take, networks, seed=1)
    assert abs(made.body.duration - take.duration) < 0.1
    assert made.meta["synthetic"] is True
    cli.main(["systems"])
    assert "gesturelsm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["train", "walker", "--data", "{data}", "-o", "x"], "unknown system 'walker'; choose one of: camn"),
        (
            ["train", "gesturelsm", "--data", "{data}", "-o", "x", "--steps", "0"],
            "steps 0; expected at least 1",
        ),
        (["train", "gesturelsm", "--data", "{data}", "-o", "x", "-p", "wide=3"], "unknown setting 'wide'"),
        (
            ["train", "camn", "--data", "{data}", "-o", "x", "-p", "speakers=1"],
            "speaker 1; expected a number from 0 to 0",
        ),
        (["evaluate", "{data}", "--data", "{data}"], "expected a checkpoint"),
        (["claim", "perpetual motion"], "unknown claim"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(prepared, tmp_path, monkeypatch, capsys, command, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        cli.main([part.format(data=prepared) for part in command])
    assert stop.value.code == 2
    err = capsys.readouterr().err.strip().splitlines()
    assert says in err[-1]
    assert len(err) == 1
