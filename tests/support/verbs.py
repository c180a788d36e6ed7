"""Verbs of the command, each in a process of its own beside whatever runs already."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping

from tests.support import forked
from tests.support.ran import WITHIN_S, Ran


async def verb(environ: Mapping[str, str], *arguments: str) -> Ran:
    """Run the command with these settings and no others."""
    return await asyncio.to_thread(forked.verb, environ, *arguments)


async def begun(environ: Mapping[str, str], *arguments: str) -> asyncio.subprocess.Process:
    """Start the command."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge.cli", *arguments),
        env={**bare, **environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_heed_interrupts,
    )


def _heed_interrupts() -> None:
    """Undo what a shell does to what it starts in the background: there Ctrl-C is ignored, by all descendants."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def ended(process: asyncio.subprocess.Process) -> Ran:
    """Wait for the end of a command."""
    try:
        out, err = await asyncio.wait_for(process.communicate(), WITHIN_S)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())
