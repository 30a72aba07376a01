"""The ledger: run by run, resumed, judged by its rule, told from its records."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kinesics.errors import DataError, FormatError
from kinesics.lab import claims
from kinesics.lab.claims import Arm, Claim, lower


def toy(
    calls: list, *, better: float = 1.0, rule: str = "A's error is lower than B's.", broken: str = ""
) -> Claim:
    def arm(name, level):
        def run(given):
            calls.append((name, given.seed, given.quick))
            if name == broken and given.seed == 1:
                raise KeyboardInterrupt
            return {"error": level + 0.01 * given.seed, "speed": 3.0}

        return Arm(name, f"what {name} is", run)

    return Claim(
        "toy", "A is better than B.", (arm("A", better), arm("B", 2.0)), {"error": "lower", "speed": "none"}, rule,
        lambda r: {"lower error": lower(r, "A", "B", "error")}, "On toy data.",
    )  # fmt: skip


def test_a_claim_that_holds(tmp_path):
    calls = []
    verdict = claims.claim(toy(calls), records=tmp_path, progress=False)
    assert verdict.holds
    assert sorted(calls) == [(a, s, False) for a in "AB" for s in range(3)]
    assert verdict.results["A"]["error"].tolist() == [1.0, 1.01, 1.02]
    record = json.loads((tmp_path / "toy" / "A-1.json").read_text())
    assert (record["arm"], record["seed"], record["numbers"]["error"]) == ("A", 1, 1.01)
    assert {"version", "seconds", "when", "python"} <= set(record)


def test_a_claim_that_does_not_hold_is_a_result(tmp_path):
    verdict = claims.claim(toy([], better=3.0), records=tmp_path, progress=False)
    assert not verdict.holds
    assert json.loads((tmp_path / "toy" / "verdict.json").read_text())["holds"] is False
    assert "**Does not hold.** lower error: does not hold." in str(verdict)


def test_runs_are_not_done_twice_and_a_killed_claim_goes_on(tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        claims.claim(toy(calls, broken="B"), records=tmp_path, progress=False)
    assert calls == [("A", 0, False), ("B", 0, False), ("A", 1, False), ("B", 1, False)]
    again = []
    whole = claims.claim(toy(again), records=tmp_path, progress=False)
    assert again == [("B", 1, False), ("A", 2, False), ("B", 2, False)]
    third = []
    assert str(claims.claim(toy(third), records=tmp_path, progress=False)) == str(whole)
    assert third == []
    more = []
    claims.claim(toy(more), records=tmp_path, seeds=4, progress=False)
    assert more == [("A", 3, False), ("B", 3, False)]


def test_a_claim_put_differently_is_tested_anew_and_quick_ones_are_apart(tmp_path):
    claims.claim(toy([]), records=tmp_path, progress=False)
    calls = []
    claims.claim(toy(calls, rule="By a tenth."), records=tmp_path, progress=False)
    assert len(calls) == 6
    quick = []
    assert claims.claim(toy(quick), records=tmp_path, quick=True, progress=False).quick
    assert quick == [("A", 0, True), ("B", 0, True)]
    assert (tmp_path / "toy" / "quick" / "verdict.json").is_file()


def test_the_table_is_made_from_the_records_alone(tmp_path):
    assert claims.table(tmp_path) == "No claim is recorded yet.\n"
    verdict = claims.claim(toy([]), records=tmp_path, progress=False)
    text = claims.table(tmp_path)
    assert text.startswith(str(verdict))
    assert "error ↓" in text
    assert "1.01 ± 0.01" in text
    assert "Rule: A's error is lower than B's." in text
    assert "On toy data." in text
    (tmp_path / "toy" / "verdict.json").write_text("{}")
    with pytest.raises(FormatError, match="run the claim again"):
        claims.table(tmp_path)


@pytest.mark.parametrize("numbers", [{"error": float("nan"), "speed": 1.0}, {"speed": 1.0}])
def test_numbers_that_are_missing_or_not_finite_are_not_recorded(tmp_path, numbers):
    claim = Claim("bad", "x", (Arm("A", "a", lambda run: numbers),), {"error": "lower"}, "r", lambda r: {})
    with pytest.raises(DataError, match="error"):
        claims.claim(claim, records=tmp_path, progress=False)
    assert not list(tmp_path.glob("bad/*.json"))


def test_a_damaged_record_is_named(tmp_path):
    claims.claim(toy([]), records=tmp_path, progress=False)
    (tmp_path / "toy" / "A-0.json").write_text("{ not json")
    with pytest.raises(FormatError, match=r"A-0\.json.*delete it"):
        claims.claim(toy([]), records=tmp_path, progress=False)


def test_unknown_claims_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"unknown claim 'nothing'; choose one of: .*gesturelsm"):
        claims.claim("nothing", records=tmp_path)


def test_every_claim_is_of_a_system_and_well_put():
    from kinesics import systems

    known = {system.name for system in systems.available()} | {"mano"}  # MANO is a model among the bodies
    for name in claims.available():
        found = claims.find(name)
        assert found.name == name
        assert name in known
        assert found.rule.endswith(".")
        assert found.says


def test_the_page_is_that_of_the_records():
    root = Path(__file__).parents[2]
    script = root / "scripts/write_claims_page.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
