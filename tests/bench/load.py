"""A load generator: many keep-alive connections posting unique webhooks, as fast as they are answered or steadily.

Its own process, so that what it costs is not the server's. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import cast

import uvloop

BODY = (
    b'{"event_ts":"2026-03-22 09:41:10 +0100","event":"shipment_status_changed","organization_id":4821,'
    b'"payload":{"shipment_id":%d,"status":"ready_to_pickup","tracking_number":null},"filler":"'
)
SIZE = 400


def body(number: int) -> bytes:
    """Make a webhook of 400 bytes about a shipment nobody has mentioned yet: it makes one event."""
    start = BODY % number
    return start + b"x" * (SIZE - len(start) - 2) + b'"}'


def request(path: str, number: int) -> bytes:
    """Write a whole request."""
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {SIZE}\r\n\r\n"
    return head.encode() + body(number)


@dataclass
class Tally:
    """What happened so far."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    first: float = 0.0
    last: float = 0.0


class Connection(asyncio.Protocol):
    """Sends the next request when the last one is answered, until there are no more."""

    def __init__(self, path: str, numbers: Iterator[int], tally: Tally, ended: asyncio.Future[None]) -> None:
        self._path = path
        self._numbers = numbers
        self._tally = tally
        self._ended = ended
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or len(rest) < _length(head):
            return
        self._buffer = b""
        self._tally.last = now = time.perf_counter()
        if head.startswith(b"HTTP/1.1 200"):
            self._tally.seconds.append(now - self._sent)
        else:
            self._tally.refused += 1
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def start(self) -> None:
        """Send the first request."""
        self._next()

    def _next(self) -> None:
        number = next(self._numbers, None)
        if number is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._tally.first = self._tally.first or self._sent
        self._transport.write(request(self._path, number))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def saturate(port: int, path: str, start: int, total: int, connections: int) -> Tally:
    """Send so many requests, each connection one after the other."""
    loop, tally = asyncio.get_running_loop(), Tally()
    numbers = iter(range(start, start + total))
    ends = [loop.create_future() for _ in range(connections)]
    opened = [Connection(path, numbers, tally, ended) for ended in ends]
    for connection in opened:
        await loop.create_connection(partial(_same, connection), "127.0.0.1", port)
    for connection in opened:
        connection.start()
    await asyncio.gather(*ends)
    return tally


async def steady(port: int, path: str, start: int, total: int, connections: int, rate: float) -> Tally:
    """Send so many requests a second, whatever the answers take; one connection each in turn."""
    tally, queue = Tally(), asyncio.Queue[int | None]()
    workers = [asyncio.create_task(_serve(port, path, queue, tally)) for _ in range(connections)]
    begun = time.perf_counter()
    for sent in count():
        if sent == total:
            break
        await asyncio.sleep(max(begun + sent / rate - time.perf_counter(), 0))
        queue.put_nowait(start + sent)
    for _ in workers:
        queue.put_nowait(None)
    await asyncio.gather(*workers)
    return tally


async def _serve(port: int, path: str, queue: asyncio.Queue[int | None], tally: Tally) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (number := await queue.get()) is not None:
        sent = time.perf_counter()
        tally.first = tally.first or sent
        writer.write(request(path, number))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_length(head))
        tally.last = time.perf_counter()
        if head.startswith(b"HTTP/1.1 200"):
            tally.seconds.append(tally.last - sent)
        else:
            tally.refused += 1
    writer.close()


def _same(connection: Connection) -> Connection:
    return connection


def quantile(values: list[float], share: float) -> float:
    """Give the value below which that share of the values lies, in milliseconds."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] * 1000 if values else 0.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--start", type=int, required=True)
    parser.add_argument("--total", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0)
    given = parser.parse_args()
    common = (given.port, given.path, given.start, given.total, given.connections)
    begun = time.time()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(steady(*common, given.rate) if given.rate else saturate(*common))
    took = tally.last - tally.first
    print(
        json.dumps(
            {
                "begun": begun,
                "answered": len(tally.seconds),
                "refused": tally.refused,
                "seconds": took,
                "per_second": len(tally.seconds) / took if took else 0.0,
                "p50_ms": quantile(tally.seconds, 0.5),
                "p99_ms": quantile(tally.seconds, 0.99),
            }
        )
    )


if __name__ == "__main__":
    main()
