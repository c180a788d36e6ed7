"""Verbs of the command, each in a process of its own that is forked from one which has imported everything already.

Starting Python and importing the bridge takes half a second, which hundreds of runs need not pay for each.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.support.ran import WITHIN_S, Ran

_FORKS: Final = get_context("forkserver")
_FORKS.set_forkserver_preload(["bridge.cli", "bridge.app.process", "bridge.doctor", "tests.support.forked"])


def verb(environ: Mapping[str, str], *arguments: str) -> Ran:
    """Run the command with these settings and no others."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _FORKS.Process(target=_run, args=({**bare, **environ}, os.getcwd(), arguments, out, err))
        process.start()
        try:
            process.join(WITHIN_S)
            assert process.exitcode is not None, f"bridge {' '.join(arguments)} did not end"
            return Ran(process.exitcode, out.read_text(), err.read_text())
        finally:
            process.kill()
            process.join()
            process.close()


def _run(environ: Mapping[str, str], folder: str, arguments: tuple[str, ...], out: Path, err: Path) -> None:
    """Be the command."""
    from bridge.cli import main

    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    for place, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), place)
    sys.argv = ["bridge", *arguments]
    main()
