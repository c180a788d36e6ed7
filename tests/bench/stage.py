"""Processes on their cores: the server alone on one, everything else on the other, so that both sides compare."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aio_pika

from bridge.broker.topology import EVENTS, declare

SECRET = "b" * 40
PATH = f"/webhooks/shipx/{SECRET}"
_START_S = 20


def cores() -> tuple[set[int], set[int]]:
    """Give the server's cores and everybody else's."""
    found = sorted(os.sched_getaffinity(0))
    return ({found[0]}, set(found[1:])) if len(found) > 1 else (set(found), set(found))


def free_port() -> int:
    """Find a port nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(command: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a server on its core until it is not needed; gives its process id."""
    mine, _ = cores()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            env={**_bare(), **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, mine),
        )
        try:
            _wait_for(port, process)
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def bridge(amqp_url: str | None = None, roles: str = "all") -> Iterator[int]:
    """Run a real bridge on a fresh SQLite file; gives its port."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = {
            "BRIDGE_ENVIRONMENT": "demo",
            "BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.db",
            "BRIDGE_HTTP__PORT": str(port),
            "BRIDGE_ROLES": roles,
            "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9",
            "BRIDGE_SHIPX__ORGANIZATION_ID": "4821",
            "BRIDGE_SHIPX__WEBHOOK_SECRETS": SECRET,
            "BRIDGE_WEBHOOK__NETWORKS": "127.0.0.0/8",
            "BRIDGE_POLICY": str(Path(__file__).parents[2] / "config" / "policy.toml"),
            **({"BRIDGE_AMQP_URL": amqp_url} if amqp_url else {}),
        }
        with server([sys.executable, "-m", "bridge.cli", "serve"], port, environment):
            yield port


@contextmanager
def rival(name: str, *arguments: str) -> Iterator[int]:
    """Run one of the rivals; gives its port."""
    port = free_port()
    with server([sys.executable, "-m", f"tests.bench.rivals.{name}", str(port), *arguments], port):
        yield port


def load(port: int, *, total: int, start: int = 1, rate: float = 0, connections: int = 64) -> dict[str, Any]:
    """Post webhooks from a process of their own and give what it measured."""
    _, others = cores()
    command = [sys.executable, "-m", "tests.bench.load", "--port", str(port), "--path", PATH, "--start", str(start)]
    command += ["--total", str(total), "--rate", str(rate), "--connections", str(connections)]
    done = subprocess.run(
        command, check=True, capture_output=True, timeout=300, preexec_fn=lambda: os.sched_setaffinity(0, others)
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


async def queue(amqp_url: str, name: str) -> None:
    """Prepare a consumer's queue: a quorum queue that takes every event."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        await declare(channel)
        declared = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
        await declared.purge()
        await declared.bind(EVENTS, "#")


async def filled(amqp_url: str, name: str, expected: int, seconds: float = 120) -> float:
    """Wait until so many messages are in the queue and give the time at which they were."""
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        end = time.time() + seconds
        while time.time() < end:
            found = await channel.declare_queue(name, passive=True)
            if (found.declaration_result.message_count or 0) >= expected:
                return time.time()
            await asyncio.sleep(0.01)
    raise TimeoutError(f"{name} has fewer than {expected} messages after {seconds} s")


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"{process.args!r} does not listen")
