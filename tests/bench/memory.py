"""How much memory a process has, as the system counts it (Linux)."""

from __future__ import annotations

import re
from pathlib import Path

from tests.bench.errors import Failed


def resident_mib(pid: int) -> float:
    """Give what it has now."""
    return _field(pid, "VmRSS")


def peak_mib(pid: int) -> float:
    """Give the most it ever had."""
    return _field(pid, "VmHWM")


def _field(pid: int, name: str) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError as error:
        raise Failed("memory is read from /proc, which is not there") from error
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    if found is None:
        raise Failed(f"/proc/{pid}/status has no {name}")
    return int(found[1]) / 1024
