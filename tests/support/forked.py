"""The command, each time in a process of its own that is forked from one which has imported everything already.

Starting Python and importing the bridge takes half a second, which hundreds of runs need not pay for each.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import connection, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Final

from tests.support.ran import WITHIN_S, Ran

_FORKS: Final = get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "bridge.cli",
        "bridge.app.process",
        "bridge.app.providers.inpost_returns",
        "bridge.app.providers.intelligentreturns",
        "bridge.app.providers.szybkie_zwroty",
        "bridge.doctor",
        "bridge.store.postgres",
        "bridge.store.sqlite",
        "aio_pika",
        "anyio._backends._asyncio",
        "uvicorn.lifespan.off",
        "uvloop",
        "tests.support.forked",
    ]
)
_ONE_AT_A_TIME: Final = Lock()
"""For whoever starts one, which asks how all others ended, or asks that of one: each answer can be read once."""


class Forked:
    """The command in a process of its own, handled as `subprocess.Popen` is.

    It runs in `folder`, with these variables and no others, and what it writes is added to the two files.
    With the process group of a `Guard` it ends with its owner.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: Path,
        arguments: tuple[str, ...],
        out: Path,
        err: Path,
        process_group: int | None = None,
    ) -> None:
        told = (dict(environ), folder, arguments, out, err, process_group)
        self._process = _FORKS.Process(target=_run, args=told, daemon=True)  # or our end would wait for its end
        with _ONE_AT_A_TIME:
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Give its exit code, negative where a signal ended it; None while it runs."""
        with _ONE_AT_A_TIME:
            return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """Give its exit code when it has ended. Raises TimeoutExpired."""
        connection.wait([self._process.sentinel], seconds)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired("bridge", seconds)
        return code

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def serve(environ: Mapping[str, str], folder: Path, log: Path, process_group: int) -> Forked:
    """Start a bridge whose output goes to the log."""
    return Forked(environ, folder, ("serve",), log, log, process_group)


def verb(environ: Mapping[str, str], *arguments: str) -> Ran:
    """Run the command with these settings and no others."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = Forked({**bare, **environ}, Path.cwd(), arguments, out, err)
        try:
            code = process.wait(WITHIN_S)
            return Ran(code, out.read_text(), err.read_text())
        except subprocess.TimeoutExpired:
            raise AssertionError(f"bridge {' '.join(arguments)} did not end") from None
        finally:
            process.kill()


def _run(
    environ: Mapping[str, str],
    folder: Path,
    arguments: tuple[str, ...],
    out: Path,
    err: Path,
    process_group: int | None,
) -> None:
    """Be the command."""
    from bridge.cli import main

    if process_group is not None:
        os.setpgid(0, process_group)  # fails where the owner of the group is gone, and so is the group
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    for place, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), place)
    sys.argv = ["bridge", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # which a process of multiprocessing ends without
