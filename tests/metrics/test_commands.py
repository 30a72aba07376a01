"""The metrics on the command line, and their page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kinesics import cli, metrics
from kinesics.performance import Interval, Performance, Tier

ROOT = Path(__file__).parents[2]


def test_measure_and_metrics(tmp_path, capsys):
    said = Performance({"words": Tier("words", [Interval(0, 1, "hello"), Interval(1, 2, "world")])})
    read = Performance({"words": Tier("words", [Interval(0, 1, "hello"), Interval(1, 2, "word")])})
    said.save(tmp_path / "ref.textgrid")
    read.save(tmp_path / "est.vtt")
    cli.main(["measure", "WER", str(tmp_path / "ref.textgrid"), str(tmp_path / "est.vtt"), "--json"])
    assert json.loads(capsys.readouterr().out)["value"] == 0.5
    cli.main(["metrics", "gesture"])
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == len(metrics.available("gesture"))
    assert shown[0].startswith("FGD ↓")
    for wrong, says in (["measure", "WERE", "a", "b"], "unknown metric"), (["metrics", "cooking"], "gesture"):
        with pytest.raises(SystemExit) as stop:
            cli.main(wrong)
        assert stop.value.code == 2
        assert says in capsys.readouterr().err


def test_the_page_is_that_of_the_code():
    script = ROOT / "scripts/write_metrics_page.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
