"""The bridge's own audit, asked as an operator would ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from bridge.demo.summary import Check

_PATIENCE_S: Final = 300.0
_NAME: Final = "the bridge's own audit balances, budgets included"


def audit(settings: Mapping[str, str]) -> list[Check]:
    """Let the bridge check its own books: one check for each of its identities, with its figures."""
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", "audit", "--json"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return [Check(_NAME, (done.stderr.strip() or f"exit {done.returncode}",))]
    balanced = () if done.returncode == 0 and found["balanced"] else (f"exit {done.returncode}",)
    return [Check(_NAME, balanced), *map(_identity, found["identities"])]


def _identity(told: dict[str, Any]) -> Check:
    figures = ", ".join(f"{number:,} {name}" for name, number in told["figures"].items())
    problems = tuple(json.dumps(one)[:2000] for one in told["differences"])
    return Check(f"({told['key']}) {told['says']}: {figures}", problems)
