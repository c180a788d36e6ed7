"""The long run, for a few seconds: it buys, breaks things, balances, and says so."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.timeout(420)
def test_a_short_soak_on_a_file_balances() -> None:
    command = [sys.executable, "-m", "tests.soak", "--minutes", "0.25", "--sqlite", "--seed", "1", "--inputs", "150"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=400, check=False)
    assert done.stdout, done.stderr
    summary = json.loads(done.stdout)
    assert [check for check in summary["checks"] if not check["holds"]] == []
    assert (done.returncode, summary["balances"]) == (0, True)
    counts = summary["counts"]
    assert counts["starts of bridges"] > 1
    assert counts["webhooks acknowledged"] > counts["  different ones"] > 0
    assert counts["bad inputs"] > 100
    assert counts["shipments created"] > 100
    assert counts["  succeeded"] == counts["  charged"] > 95
    assert counts["faults at the carrier"] > 0
    assert counts["events at the consumer"] > counts["  different ones"]
