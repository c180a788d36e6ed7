"""A private PostgreSQL server: its own port, files and socket, nothing shared with a server that already runs."""

import contextlib
import os
import pwd
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from bridge.nodes.guard import NodeError, clean_environment, free_ports, newest_folder, tail
from bridge.nodes.node import Node

CONTROL_S = 60.0
PROGRAMS = ("initdb", "postgres", "createdb")

INSTALLED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/local/pgsql/bin",
)


def find_postgres() -> Path | None:
    """Find the folder with the programs of the newest PostgreSQL; None where the server is not installed."""
    return newest_folder(INSTALLED, PROGRAMS)


class PostgresNode(Node):
    """A database server that trusts every local client. `fast` turns fsync off: for tests that do not crash it.

    `memory` is what it keeps pages in.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for clients to leave

    def __init__(self, *, fast: bool = False, memory: str = "32MB") -> None:
        programs = find_postgres()
        if programs is None:
            raise NodeError(f"PostgreSQL is not installed: {', '.join(PROGRAMS)} are needed")
        super().__init__()
        self._programs = programs
        self._fast = fast
        self._memory = memory
        self._account = _unprivileged_account()
        self._env = {**clean_environment("PG"), "HOME": str(self.folder), "LC_ALL": "C"}
        self._data = self.folder / "data"
        (self.port,) = free_ports(1)

    @property
    def url(self) -> str:
        """The database `postgres`."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        """The same server, another database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{quote(name, safe='')}"

    def program(self, name: str) -> Path:
        """Find a client program of the server's own version, such as `psql`."""
        return self._programs / name

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database as the template is, an empty one by default, and give its URL."""
        address = ["--host=127.0.0.1", f"--port={self.port}", "--username=postgres"]
        done = subprocess.run(  # noqa: S603 - found by find_postgres
            [self._programs / "createdb", *address, f"--template={template}", name],
            env=self._env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CONTROL_S,
            check=False,
        )
        if done.returncode:
            raise NodeError(f"createdb {name}: {done.stderr.strip()}")
        return self.database_url(name)

    def _spawn(self) -> subprocess.Popen[bytes]:
        if not (self._data / "PG_VERSION").exists():
            self._initialize()
        return self._run("postgres", "-D", self._data, *self._settings())

    def _initialize(self) -> None:
        if self._account is not None:
            os.chown(self.folder, *self._account)
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
        if self._run("initdb", "-D", self._data, *options).wait(CONTROL_S):
            raise NodeError(f"initdb failed:\n{tail(self.log_file)}")

    def _run(self, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        user, group = self._account or (None, None)
        command = [self._programs / program, *arguments]
        return self._guard.spawn(command, env=self._env, log=self.log_file, user=user, group=group)

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "shared_buffers": self._memory,
            "max_connections": "200",
            **({"fsync": "off", "full_page_writes": "off"} if self._fast else {}),
        }
        return [f"--{key}={value}" for key, value in settings.items()]

    def accepts(self) -> bool:
        """Whether a startup message is answered by an authentication request and not by an error."""
        parameters = b"user\0postgres\0database\0postgres\0\0"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(struct.pack("!ii", len(parameters) + 8, 3 << 16) + parameters)
                return connection.recv(1) == b"R"
        except OSError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        """Freeze, wake and kill the server's processes together: each has left its group."""
        if self._process is None or not self.running:
            return
        if number in (signal.SIGKILL, signal.SIGSTOP):
            super()._signal(signal.SIGSTOP)  # or it would make another one meanwhile, which would keep the files in use
        found = set[int]()
        while number is not self.stop_signal and (more := set(_children(self._process.pid)) - found):
            for child in more:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, number)
            found |= more
        super()._signal(number)


def _unprivileged_account() -> tuple[int, int] | None:
    """Choose whom the server runs as: ourselves, or where we are root, whom it refuses, somebody else."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise NodeError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _children(parent: int) -> list[int]:
    return [pid for pid, its_parent in _processes() if its_parent == parent]


def _processes() -> Iterator[tuple[int, int]]:
    """Give every process with its parent: small images have no `ps`, macOS has no `/proc`."""
    if not Path("/proc/self/stat").exists():
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)  # noqa: S607
        for line in listing.stdout.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            yield int(stat.parent.name), int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
