"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.bench.cores import Cores


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine in a line."""

    told: str

    @classmethod
    def found(cls, cores: Cores) -> Self:
        """Look at this one. What is in memory only costs no sync, so that is said, too."""
        kind = filesystem(Path(tempfile.gettempdir()), _mounts())
        unfair = ", in memory: syncs cost nothing there, set TMPDIR to a disk" if kind == "tmpfs" else ""
        python = f"Python {platform.python_version()}"
        system = f"{len(cores.all)} cores, load {os.getloadavg()[0]:.1f}, {python}, {platform.system()}"
        return cls(f"{system}, databases on {kind}{unfair}")


def filesystem(folder: Path, mounts: str) -> str:
    """Find the kind of file system that a folder is on, in the lines of /proc/mounts."""
    found = [line.split(" ")[1:3] for line in mounts.splitlines()]
    holding = [(len(point), kind) for point, kind in found if folder.is_relative_to(point)]
    return max(holding, default=(0, "an unknown file system"))[1]


def _mounts() -> str:
    try:
        return Path("/proc/mounts").read_text()
    except OSError:
        return ""
