"""Programs that some tests run and no machine has to have: `python -m tests.support.tools promtool nginx` prints the
Debian packages of those that are not installed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final, NoReturn

import pytest

PACKAGES: Final = {
    "curl": "curl",
    "nginx": "nginx-light",
    "node": "nodejs",
    "npm": "npm ca-certificates",  # which it only recommends, and cannot download anything without
    "promtool": "prometheus",
}
_ALSO_IN: Final = "/usr/local/sbin:/usr/sbin:/opt/homebrew/bin"
"""Where a server's program may be that is not on everybody's path."""


def find_tool(name: str) -> Path | None:
    """Find a program."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_ALSO_IN}")
    return None if found is None else Path(found)


def need_tool(name: str) -> Path:
    """Find a program, or skip the test that asks; where everything has to run (CI=true) it fails instead."""
    found = find_tool(name)
    if found is None:
        go_without(advice([name]))
    return found


def go_without(why: str) -> NoReturn:
    """Skip a test for want of something; where everything has to run (CI=true) it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


def advice(names: list[str]) -> str:
    """Say how to come by programs that are not installed."""
    packages = " ".join(PACKAGES[name] for name in names)
    return f"{', '.join(names)} not found: apt-get install --no-install-recommends {packages}"


def missing(names: list[str]) -> list[str]:
    """Name the packages to install for these programs."""
    return [PACKAGES[name] for name in names if find_tool(name) is None]


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing(sys.argv[1:])))
