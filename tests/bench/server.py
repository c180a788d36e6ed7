"""One server process on its core: the bridge, or a rival."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

from bridge.nodes.guard import free_ports
from tests.bench.cores import confine
from tests.bench.errors import Failed
from tests.bench.webhooks import ORGANIZATION, SECRET

TOKEN: Final = "token-of-the-benchmarks"
POLICY: Final = Path(__file__).parents[2] / "config" / "policy.toml"
SERVE: Final = (sys.executable, "-m", "bridge.cli", "serve")
START_S: Final = 60.0
END_S: Final = 40.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int
    pid: int


def settings(port: int, database_url: str, amqp_url: str | None, roles: str) -> dict[str, str]:
    """Give what a bridge is told here; everything else is as by default."""
    return {
        "BRIDGE_ENVIRONMENT": "demo",
        "BRIDGE_DATABASE_URL": database_url,
        "BRIDGE_MIGRATE": "true",
        "BRIDGE_HTTP__PORT": str(port),
        "BRIDGE_API_TOKEN": TOKEN,
        "BRIDGE_ROLES": roles,
        "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9",
        "BRIDGE_SHIPX__ORGANIZATION_ID": str(ORGANIZATION),
        "BRIDGE_SHIPX__WEBHOOK_SECRETS": SECRET,
        "BRIDGE_WEBHOOK__NETWORKS": "127.0.0.0/8",
        "BRIDGE_POLICY": str(POLICY),
        **({"BRIDGE_AMQP_URL": amqp_url} if amqp_url else {}),
    }


@contextmanager
def bridge(
    database_url: str,
    *,
    cores: set[int],
    amqp_url: str | None = None,
    roles: str = "all",
    told: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a real bridge; `told` are further settings."""
    (port,) = free_ports(1)
    with running(SERVE, port, cores, settings(port, database_url, amqp_url, roles) | dict(told or {})) as server:
        yield server


@contextmanager
def rival(name: str, *arguments: str, cores: set[int]) -> Iterator[Server]:
    """Run one of the rivals."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", f"tests.bench.rivals.{name}", str(port), SECRET, *arguments]
    with running(command, port, cores) as server:
        yield server


@contextmanager
def running(
    command: Sequence[str], port: int, cores: set[int], environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server until it is not needed. Raises Failed where it does not start, or ended before its time."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            env={**_bare(), **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=errors,
            preexec_fn=partial(confine, cores),
        )
        try:
            _wait_for(port, process, errors)
            yield Server(port, process.pid)
            if process.poll() is not None:
                raise Failed(_ended(process, errors))
        finally:
            process.terminate()
            process.wait(END_S)


def _bare() -> dict[str, str]:
    """Give what a server finds about it: its modules are compiled once, as those of the libraries are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def _wait_for(port: int, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failed(_ended(process, errors))
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.005)
    raise Failed(f"{process.args!r} does not listen")


def _ended(process: subprocess.Popen[bytes], errors: IO[bytes]) -> str:
    errors.seek(0)
    return f"{process.args!r} ended with {process.returncode}: {errors.read()[-2000:].decode(errors='replace')}"
