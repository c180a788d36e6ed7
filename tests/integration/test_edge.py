"""What a stranger can cost: nothing that grows without bound, and nothing that keeps others out for long."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bridge.web.wire import MOST_HEAD_BYTES, MOST_HEADERS, MOST_PIPELINED
from tests.support.bridge import BridgeProcess, Program, until
from tests.support.http import NO_TLS
from tests.unit.ingress.stage import PATH, Stage, told, wire

NOBODY = "/webhooks/shipx/" + "d4" * 20
GET = f"GET {NOBODY} HTTP/1.1\r\nhost: x\r\n"
CHUNKED = f"POST {NOBODY} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
MEBIBYTE = 2**20
BODY = 262_144
"""The largest that is read, by default."""


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    url = httpx.URL(address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader, seconds: float = 5) -> bytes:
    """Read until the other side closes, however it does."""
    found = b""
    async with asyncio.timeout(seconds):
        try:
            while data := await reader.read(65_536):
                found += data
        except ConnectionError:
            pass
    return found


async def pour(address: str, start: bytes, blocks: Iterable[bytes], most: int) -> int:
    """Send until cut off, at most so many bytes; gives how many the other side took."""
    sent = 0
    async with connected(address) as (_, writer):
        try:
            writer.write(start)
            for block in blocks:
                writer.write(block)
                await writer.drain()
                sent += len(block)
                if sent >= most:
                    break
        except ConnectionError:
            pass
    return sent


def resident(pid: int) -> int:
    """Give the memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


# --- bytes ------------------------------------------------------------------------------------------------------------

FLOODS = [
    # start, what follows again and again, remark
    (GET.encode(), b"x-a: " + b"b" * 1000 + b"\r\n", "headers"),
    (GET.encode(), b"a:1\r\n" * 200, "short headers"),
    (GET.encode() + b"x-a: ", b"b" * 1000, "one header"),
    (f"GET {NOBODY}?".encode(), b"b" * 1000, "one address"),
    (CHUNKED.encode() + b"0\r\n", b"x-a: " + b"b" * 1000 + b"\r\n", "trailers"),
    (CHUNKED.encode() + b"1;a=", b"b" * 1000, "a chunk's extension"),
    (b"", f"{GET}\r\n".encode() * 100, "requests in a row"),
]


@pytest.mark.parametrize(("start", "again", "remark"), FLOODS, ids=[row[-1] for row in FLOODS])
async def test_whatever_a_stranger_pours_in_is_cut_off_early(
    tmp_path: Path, start: bytes, again: bytes, remark: str
) -> None:
    async with Program(tmp_path) as bridge:
        before = resident(bridge.pid)
        block = again * (65_536 // len(again))
        sent = await pour(bridge.url, start, itertools.repeat(block), 64 * MEBIBYTE)
        assert sent < 32 * MEBIBYTE, remark
        assert resident(bridge.pid) - before < 16
        async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
            assert (await client.post(bridge.webhook_url, content=wire(told()))).json()["outcome"] == "accepted"


async def test_a_head_within_the_bounds_is_read_and_one_beyond_is_not(tmp_path: Path) -> None:
    fields = [
        ("x: " + "y" * (MOST_HEAD_BYTES - 200), True),
        ("x: " + "y" * MOST_HEAD_BYTES * 2, False),
        ("\r\n".join(["x: y"] * (MOST_HEADERS - 2)), True),
        ("\r\n".join(["x: y"] * MOST_HEADERS), False),
    ]
    async with Stage(tmp_path, mode="off") as stage:
        address = await stage.serve()
        for text, is_read in fields:
            async with connected(address) as (reader, writer):
                writer.write(f"GET {PATH} HTTP/1.1\r\nconnection: close\r\n{text}\r\n\r\n".encode())
                answer = await rest(reader)
            assert answer.startswith(b"HTTP/1.1 200 ") if is_read else answer == b""


async def test_some_requests_in_a_row_are_answered_in_their_order(tmp_path: Path) -> None:
    async with Stage(tmp_path, mode="off") as stage, connected(await stage.serve()) as (reader, writer):
        some = [f"GET {PATH if n % 2 else NOBODY} HTTP/1.1\r\nhost: x\r\n" for n in range(MOST_PIPELINED)]
        writer.write(("\r\n".join(some) + "connection: close\r\n\r\n").encode())
        answer = await rest(reader)
        assert [line[9:12] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")] == [b"404", b"200"] * 8


async def test_a_large_body_is_no_large_head(tmp_path: Path) -> None:
    body = wire(told()) + b" " * 200_000
    head = f"POST {PATH} HTTP/1.1\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    async with Stage(tmp_path, mode="off") as stage, connected(await stage.serve()) as (reader, writer):
        writer.write(head.encode() + body)
        assert b'"outcome":"accepted"' in await rest(reader)


async def test_a_webhook_that_turns_into_no_http_is_cut_off_and_never_answered_4xx(tmp_path: Path) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    async with Stage(tmp_path, mode="off") as stage, connected(await stage.serve()) as (reader, writer):
        writer.write(head.encode() + b"no chunk\r\n")
        assert await rest(reader) == b""
        await until(lambda: stage.counted("bridge_deliveries_total") == {("unread", "incomplete", "shipx"): 1})


# --- time -------------------------------------------------------------------------------------------------------------

SLOW = [
    # what is sent at once, what is sent again and again, remark
    (b"", b"", "silence"),
    (b"", b"\r\n", "line breaks"),
    (GET.encode(), b"a", "half a request"),
    (f"{GET}\r\n".encode(), b"\r\n", "an answered request, then line breaks"),
    (f"{GET}\r\n{GET}".encode(), b"a", "an answered request, then half of one"),
    (CHUNKED.encode(), b"1\r\na\r\n", "the body of an answered request"),
]


@pytest.mark.parametrize(("start", "again", "remark"), SLOW, ids=[row[-1] for row in SLOW])
async def test_whoever_does_not_get_to_the_point_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes, again: bytes, remark: str
) -> None:
    monkeypatch.setattr("bridge.web.wire.HEAD_S", 0.3)
    async with Stage(tmp_path) as stage, connected(await stage.serve()) as (reader, writer):
        writer.write(start)
        closed = asyncio.create_task(rest(reader))
        while not closed.done():
            writer.write(again)
            await asyncio.sleep(0.05)
        answer = await closed
        assert answer.count(b"HTTP/1.1 404 ") == ("answered" in remark), remark


async def test_the_time_for_a_head_is_not_taken_from_what_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.web.wire.HEAD_S", 0.2)
    body = wire(told())
    async with Stage(tmp_path, mode="off") as stage, connected(await stage.serve()) as (reader, writer):
        for _ in range(2):
            writer.write(f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode())
            await asyncio.sleep(0.4)
            writer.write(body)
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.4)


async def test_whoever_does_not_read_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.web.wire.STALLED_S", 0.3)
    request = b"GET /asyncapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
    async with Stage(tmp_path) as stage, connected(await stage.serve()) as (_, writer):
        async with asyncio.timeout(10):
            while not writer.transport.is_closing():
                writer.write(request)
                await asyncio.sleep(0.01)


# --- connections ------------------------------------------------------------------------------------------------------


def ask(writer: asyncio.StreamWriter) -> None:
    writer.write(f"{GET}connection: close\r\n\r\n".encode())


async def test_there_are_only_so_many_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with a request in hand stay, and a new one is cut off."""
    monkeypatch.setattr("bridge.web.wire.MOST_CONNECTIONS", 3)
    async with Stage(tmp_path) as stage, AsyncExitStack() as stack:
        address = await stage.serve()
        some = [await stack.enter_async_context(connected(address)) for _ in range(3)]
        for reader, writer in some:
            writer.write(
                f"POST {PATH} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n".encode()
            )
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        async with connected(address) as (reader, writer):
            ask(writer)
            assert await rest(reader) == b"", "one too many"
        for reader, writer in some:
            writer.write(b"{}")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 "), "those that were there are served"
        async with connected(address) as (reader, writer):
            ask(writer)
            assert (await rest(reader)).startswith(b"HTTP/1.1 404 "), "and room is room again"


async def test_whoever_holds_connections_without_a_request_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent ones, ones with half a head, and ones that were answered: the longest idle makes room."""
    monkeypatch.setattr("bridge.web.wire.MOST_CONNECTIONS", 3)
    async with Stage(tmp_path) as stage, AsyncExitStack() as stack:
        address = await stage.serve()
        silent = await stack.enter_async_context(connected(address))
        half = await stack.enter_async_context(connected(address))
        half[1].write(GET.encode())
        answered = await stack.enter_async_context(connected(address))
        answered[1].write(f"{GET}\r\n".encode())
        assert (await answered[0].readline()).startswith(b"HTTP/1.1 404 ")
        for gone in (silent, half, answered):
            reader, writer = await stack.enter_async_context(connected(address))
            writer.write(f"{GET}\r\n".encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")
            await rest(gone[0])


# --- bodies -----------------------------------------------------------------------------------------------------------


async def unfinished(bridge: BridgeProcess, stack: AsyncExitStack, head: str, body: bytes) -> asyncio.StreamReader:
    reader, writer = await stack.enter_async_context(connected(bridge.url))
    path = httpx.URL(bridge.webhook_url).path
    writer.write(f"POST {path} HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n".encode() + body)
    return reader


CHUNK = b"%x\r\n%b\r\n" % (BODY - 200, b"x" * (BODY - 200))
BODIES = [
    # header, beginning of the body, remark
    (f"content-length: {BODY}", b"x" * (BODY - 200), "announced"),
    ("transfer-encoding: chunked", CHUNK, "in chunks"),
]


@pytest.mark.parametrize(("head", "body", "remark"), BODIES, ids=[row[-1] for row in BODIES])
async def test_many_unfinished_bodies_are_refused_and_take_a_fixed_amount_of_memory(
    tmp_path: Path, head: str, body: bytes, remark: str
) -> None:
    async with (
        Program(tmp_path, BRIDGE_WEBHOOK__BODY_TIMEOUT_S="60") as bridge,
        httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client,
    ):
        before = resident(bridge.pid)
        async with AsyncExitStack() as stack:
            for _ in range(600):
                await unfinished(bridge, stack, head, body)
            await until(lambda: bridge.log.count("too many bytes of webhooks are in hand") >= 300)
            assert resident(bridge.pid) - before < 220, remark
            metrics = (await client.get(f"{bridge.url}/metrics")).text
            assert 'bridge_deliveries_total{event="unread",outcome="refused",source="shipx"}' in metrics
        response = await until(lambda: taken(client, bridge.webhook_url))
        assert response.json()["outcome"] == "accepted", "room is room again"


async def taken(client: httpx.AsyncClient, url: str) -> httpx.Response | None:
    response = await client.post(url, content=wire(told()))
    return response if response.status_code == 200 else None


async def test_webhooks_that_are_read_count_as_pending_and_the_next_is_told_when_to_come_again(tmp_path: Path) -> None:
    async with BridgeProcess(tmp_path, BRIDGE_WEBHOOK__MAX_PENDING="2") as bridge, AsyncExitStack() as stack:
        for _ in range(2):
            await unfinished(bridge, stack, "content-length: 10", b"x")
        async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
            refused = await client.post(bridge.webhook_url, content=wire(told()))
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert refused.headers["connection"] == "close"
            assert (await client.get(bridge.webhook_url)).status_code == 200, "the registration check needs no room"
