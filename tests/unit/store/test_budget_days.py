"""Days are Poland's, also where the machine has no zone files."""

from __future__ import annotations

import os
import subprocess
import sys


def test_the_days_of_poland_need_no_zone_files_of_the_machine() -> None:
    imports = "from datetime import datetime; from bridge.store.budget import POLAND"
    code = f"{imports}; print(datetime(2026, 7, 1, tzinfo=POLAND))"
    environ = {**os.environ, "PYTHONTZPATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2026-07-01 00:00:00+02:00"
