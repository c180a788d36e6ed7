"""Run beside a node, as a program: when the process that owns it is gone, end the node and remove its folder.

The owner holds the other end of our standard input, so that even its `kill -9` is an end of file here. Whatever is
left in our process group is the node. A process being started holds a copy of that end until it has joined the
group, so none can slip past.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

REMOVAL_S = 10.0


def main(folder: str) -> None:
    """Wait for the end of the owner, then clean up after it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    group = os.getpgrp()
    while os.read(0, 512):
        pass
    if os.fork():
        os._exit(0)
    os.setpgid(0, 0)  # a child may leave the group, its leader may not
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody left; macOS says the latter of zombies
        os.killpg(group, signal.SIGKILL)
    _remove(folder)


def _remove(folder: str) -> None:
    """Remove the folder; what was killed may hold on to it for a moment."""
    until = time.monotonic() + REMOVAL_S
    shutil.rmtree(folder, ignore_errors=True)
    while os.path.isdir(folder) and time.monotonic() < until:
        time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
