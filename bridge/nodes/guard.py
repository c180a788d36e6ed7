"""A temporary folder and a process group that end with the process that made them, however it ends."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bridge.nodes import watchdog

# Below the ephemeral ports of Linux (32768) and macOS (49152), so that no client socket sits on a node's port.
LOWEST_PORT, HIGHEST_PORT = 10_000, 30_000


class NodeError(Exception):
    """A node could not be started, or not asked to do something. Says what its log says last."""


def free_ports(count: int) -> list[int]:
    """Find `count` different free ports on loopback."""
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            port = LOWEST_PORT + secrets.randbelow(HIGHEST_PORT - LOWEST_PORT)
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                candidate.close()
            else:
                held.append(candidate)
        return [sock.getsockname()[1] for sock in held]
    finally:
        for sock in held:
            sock.close()


def newest_folder(patterns: Sequence[str], programs: Sequence[str]) -> Path | None:
    """Find the first folder with all of these programs: by pattern, the highest version first, then on the path."""
    installed = (
        folder for pattern in patterns for folder in sorted(Path("/").glob(pattern[1:]), key=_version, reverse=True)
    )
    on_path = shutil.which(programs[0])
    candidates = [*installed, *([] if on_path is None else [Path(on_path).resolve().parent])]
    return next((it for it in candidates if all(os.access(it / program, os.X_OK) for program in programs)), None)


def _version(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]


def tail(log: Path, lines: int = 30) -> str:
    """Read the last lines of a log, or say that there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return f"({error})"


class Guard:
    """Starts processes in one group and keeps their files in one folder; both are gone after `close` or our own end."""

    def __init__(self, prefix: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        program = [sys.executable, "-I", "-S", watchdog.__file__, str(self.folder)]
        self._started: list[subprocess.Popen[bytes]] = []
        # A group of its own, not a session: processes may join a group only within its session.
        self._watchdog = subprocess.Popen(  # noqa: S603 - our own program
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
            cwd="/",
        )

    @property
    def process_group(self) -> int:
        """The group that is killed then; whoever starts a process in another way has it join."""
        return self._watchdog.pid

    def spawn(
        self,
        program: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: Path,
        user: int | None = None,
        group: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program that ends with us, its output in `log`."""
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - programs found by `find_*`
                program,
                env=dict(env),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=self.process_group,
                user=user,
                group=group,
                extra_groups=None if group is None else [group],
            )
        self._started.append(process)
        return process

    def close(self) -> None:
        """Kill what is left of the group and remove the folder."""
        for process in self._started:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
        self._watchdog.wait()


def clean_environment(*prefixes: str) -> dict[str, str]:
    """Take over our environment without what would redirect a node to somebody else's files."""
    return {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}
