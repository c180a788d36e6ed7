"""What the bridges logged: which errors, and whether anything stands there that must not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_CRASH: Final = "loop.crashed"
_BUG: Final = ".bug"
"""What is logged, or ends the name of what is, only where our own code could not deal with something."""
_ERROR: Final = b'"level":"error"'
_MOST_PROBLEMS: Final = 50


class Reading:
    """Reads one log after the other, and removes each: there are gigabytes of them in a long run."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret.encode() for secret in secrets]
        self.errors: Counter[str] = Counter()
        self.problems: list[str] = []

    def read(self, log: Path) -> None:
        """Read a log whose bridge has ended; one in which something is wrong is left where it is."""
        if not log.exists():
            return
        before = len(self.problems)
        with log.open("rb") as lines:
            for line in lines:
                self._look_at(line, log)
        if len(self.problems) == before:
            log.unlink()

    def _look_at(self, line: bytes, log: Path) -> None:
        if any(secret in line for secret in self._secrets):
            self._blame(f"{log}: a secret stands in it")
        if _ERROR in line:
            name = _event(line)
            self.errors[name] += 1
            if name == _CRASH or name.endswith(_BUG):
                self._blame(f"{log}: {name}")

    def _blame(self, problem: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS and problem not in self.problems:
            self.problems.append(problem)


def _event(line: bytes) -> str:
    try:
        return str(json.loads(line)["event"])
    except (ValueError, KeyError):
        return "unreadable"
