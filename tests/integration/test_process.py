"""The process as a platform sees it: ports, readiness, the end, and a database that lets it down."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bridge.app.process import Bridge
from bridge.nodes.guard import free_ports
from bridge.settings import load
from tests.support.bridge import BridgeProcess, Program, until
from tests.support.http import NO_TLS

SAMPLES = Path(__file__).parents[1] / "samples" / "shipx"
BODY = (SAMPLES / "webhook_shipment_status_changed.json").read_bytes()


async def post(http: httpx.AsyncClient, bridge: BridgeProcess, body: bytes = BODY) -> int:
    return (await http.post(bridge.webhook_url, content=body)).status_code


async def problems(http: httpx.AsyncClient, bridge: BridgeProcess) -> str:
    """What readiness complains of; empty while it is ready."""
    answer = await http.get(f"{bridge.url}/readyz")
    return "" if answer.status_code == 200 else " ".join(answer.json()["problems"])


async def test_during_the_drain_delay_it_is_not_ready_but_takes_webhooks(tmp_path: Path) -> None:
    bridge = Program(tmp_path, BRIDGE_HTTP__DRAIN_DELAY_S="30")
    async with bridge, httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        os.kill(bridge.pid, signal.SIGTERM)
        await until(lambda: problems(http, bridge))
        assert "ending" in await problems(http, bridge)
        assert await post(http, bridge) == 200


async def test_after_the_drain_delay_it_ends_with_0(tmp_path: Path) -> None:
    async with Program(tmp_path, BRIDGE_HTTP__DRAIN_DELAY_S="0.2") as bridge:
        assert await bridge.terminate() == 0
        assert "bridge.stopped" in bridge.log


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)])
async def test_one_that_is_forked_for_a_test_ends_as_the_program_does(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    told = []
    for kind in (BridgeProcess, Program):
        async with kind(tmp_path) as bridge:
            await until(lambda: "bridge.ready" in bridge.log)
            is_guarded = os.getpgid(bridge.pid) not in (os.getpgrp(), bridge.pid)
            os.kill(bridge.pid, how)
            await until(lambda: not bridge.running)
            told.append((is_guarded, bridge.exit_code, "bridge.stopped" in bridge.log))
    assert told == [(True, code, code == 0)] * 2


async def test_with_an_internal_port_the_public_one_serves_webhooks_alone(tmp_path: Path) -> None:
    [internal] = free_ports(1)
    bridge = Program(tmp_path, BRIDGE_HTTP__INTERNAL_PORT=str(internal))
    starting = asyncio.create_task(_started(bridge))
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        await until(lambda: _answers(http, f"http://127.0.0.1:{internal}/readyz", 200), 20)
        assert await post(http, bridge) == 200
        for path in ("/readyz", "/metrics", "/v1/events", "/asyncapi.json"):
            assert (await http.get(bridge.url + path)).status_code == 404, path
            assert (await http.get(f"http://127.0.0.1:{internal}{path}", headers=bridge.headers)).status_code == 200
        inside = bridge.webhook_url.replace(str(bridge.port), str(internal))
        assert (await http.post(inside, content=BODY)).status_code == 404
    starting.cancel()
    bridge.close()


async def test_a_loop_that_crashes_ends_the_process_with_1(tmp_path: Path) -> None:
    bridge = Bridge(load(BridgeProcess(tmp_path).environ))
    running = asyncio.create_task(bridge.run())
    await until(lambda: bridge.loops.running())

    async def crash() -> None:
        raise ValueError("a bug")

    bridge.loops.start("broken", crash)
    assert await running == 1
    assert bridge.loops.crashed == "broken"


async def test_a_taken_port_is_named_before_anything_is_begun(tmp_path: Path) -> None:
    bridge = Program(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", bridge.port))
        other.listen()
        with suppress(AssertionError):
            await bridge.start()
    bridge.close()
    assert "BRIDGE_HTTP__PORT: cannot listen on" in bridge.log
    assert _files(tmp_path) == []


async def test_a_locked_database_is_told_and_recovers(tmp_path: Path) -> None:
    bridge = Program(tmp_path, BRIDGE_WEBHOOK__COMMIT_TIMEOUT_S="1")
    async with bridge, httpx.AsyncClient(trust_env=False, verify=NO_TLS, timeout=20) as http:
        holder = sqlite3.connect(f"{tmp_path}/bridge-{bridge.port}.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert await post(http, bridge) == 503
        assert "locked" in await until(lambda: problems(http, bridge), 20)
        holder.execute("ROLLBACK")
        holder.close()
        await until(lambda: _answers(http, f"{bridge.url}/readyz", 200), 20)
        assert await post(http, bridge) == 200


async def test_nothing_is_acknowledged_into_a_file_that_is_gone(tmp_path: Path) -> None:
    async with Program(tmp_path) as bridge, httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        assert await post(http, bridge) == 200
        for file in _files(tmp_path):
            file.unlink()
        assert await post(http, bridge, BODY.replace(b"ready_to_pickup", b"delivered")) == 503
        assert "removed or replaced" in await problems(http, bridge)


async def _answers(http: httpx.AsyncClient, url: str, status: int) -> bool:
    try:
        return (await http.get(url)).status_code == status
    except httpx.TransportError:
        return False


async def _started(bridge: BridgeProcess) -> None:
    """Start it without waiting to see it ready: its probes are on another port."""
    with suppress(AssertionError):
        await bridge.start()


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("*.db*"))
