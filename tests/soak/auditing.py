"""The bridge's own audit, asked as an operator would ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

from bridge.demo.summary import Check
from tests.reference import commands

_PATIENCE_S: Final = 300.0


def audit(settings: Mapping[str, str]) -> list[Check]:
    """Let the bridge check its own books; nothing where this version has no such verb."""
    if "audit" not in commands.verbs():
        return []
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", "audit", "--json"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    problems = () if done.returncode == 0 else (_told(done.stdout) or done.stderr.strip() or f"exit {done.returncode}",)
    return [Check("the bridge's own audit balances", problems)]


def _told(output: str) -> str:
    """Write its JSON in one line."""
    try:
        return json.dumps(json.loads(output))[:2000]
    except ValueError:
        return output.strip()[:2000]
