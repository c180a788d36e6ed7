"""docs/install.md, word for word: its blocks are run one after the other in an empty folder, on ports that are free."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Final

from bridge.nodes.guard import Guard, free_ports
from tests.support.pages import blocks
from tests.support.tools import need_tool

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = blocks(ROOT / "docs" / "install.md")
WITHIN_S: Final = 100.0


def test_a_newcomer_has_a_bridge_that_bought_a_shipment(tmp_path: Path) -> None:
    need_tool("curl")
    ports = dict(zip(("8080", "8090"), map(str, free_ports(2)), strict=True))
    script, log = tmp_path / "page.sh", tmp_path / "page.log"
    script.write_text(re.sub("8080|8090", lambda found: ports[found[0]], "".join(PAGE.values())))
    environ = {
        "PATH": f"{_with_the_program(tmp_path)}:{os.environ['PATH']}",
        "SOURCE": str(ROOT),
        "HOME": str(tmp_path),
    }
    guard = Guard("bridge-install-")
    try:
        code = guard.spawn(["sh", "-eu", script], env=environ, log=log).wait(WITHIN_S)
        left = {path.name for path in (guard.folder / "var").iterdir()}
    finally:
        guard.close()
    told = log.read_text()
    assert code == 0, told
    assert "\nHealthy: 1 warning" in told
    assert "shipment.purchase_succeeded" in told
    assert told.endswith("\nBalanced.\n")
    assert left == {"bridge.log", "simulator.log", "made.json"}


def _with_the_program(folder: Path) -> Path:
    """Make a folder in which `bridge` is found."""
    program = folder / "bin" / "bridge"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m bridge.cli "$@"\n')
    program.chmod(0o755)
    return program.parent
