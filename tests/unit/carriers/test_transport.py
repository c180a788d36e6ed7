"""Connections that a carrier resets as soon as they are made: under uvloop, as in the running bridge."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
import uvloop

from bridge.carriers.http import make_http

AT_ONCE = 16
TIMES = 100
"""Without care about one call in twenty raises something else than httpx's errors: of so many, many do."""


@pytest.fixture
def resetting_url() -> Iterator[str]:
    """A server, in a thread of its own, that hangs up on whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        ended = threading.Event()
        thread = threading.Thread(target=_reset_all, args=(listening, ended))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        ended.set()
        thread.join()


def _reset_all(listening: socket.socket, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            continue
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


async def _errors(url: str) -> Counter[str]:
    found: Counter[str] = Counter()

    async def call(http: httpx.AsyncClient) -> None:
        for _ in range(TIMES):
            try:
                await http.post(url, json={})
            except httpx.TransportError:
                found["an error of httpx's"] += 1
            except AttributeError:
                found["another"] += 1

    async with make_http(timeout_s=10, at_once=AT_ONCE) as http:
        await asyncio.gather(*(call(http) for _ in range(AT_ONCE)))
    return found


def test_a_connection_that_is_reset_while_it_is_made_is_an_error_like_any_other(resetting_url: str) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(_errors(resetting_url)) == {"an error of httpx's": AT_ONCE * TIMES}
