"""A load generator: many keep-alive connections posting unique webhooks, as fast as they are answered or steadily.

It is a program of its own, so that what it costs is not the server's: `run` starts it and gives what it found.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Final, cast

import uvloop

from tests.bench.errors import Failed
from tests.bench.figure import quantile
from tests.bench.webhooks import ASIDE, request

CONNECTIONS: Final = 64
LONGEST_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a load measured. `began` and `sent` are on the machine's monotonic clock; `sent` holds every webhook's."""

    began: float
    answered: int
    refused: int
    per_second: float
    p50_ms: float
    p99_ms: float
    sent: list[float]


def run(port: int, total: int, *, start: int = 1, rate: float = 0, connections: int = CONNECTIONS) -> Found:
    """Post webhooks about shipments from `start` on, at a rate or as fast as may be. Raises Failed for any refusal."""
    command = [sys.executable, "-m", "tests.bench.load", "--port", str(port), "--start", str(start)]
    command += ["--total", str(total), "--rate", str(rate), "--connections", str(connections)]
    done = subprocess.run(command, capture_output=True, timeout=LONGEST_S, check=False)
    if done.returncode:
        raise Failed(f"the load ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    found = Found(**json.loads(done.stdout))
    if found.refused or found.answered != total:
        raise Failed(f"{found.answered} of {total} webhooks were answered by 200, {found.refused} by something else")
    return found


def warm_up(port: int, total: int) -> None:
    """Post webhooks that nobody measures."""
    run(port, total, start=ASIDE)


@dataclass
class Tally:
    """What happened so far."""

    sent: list[float]
    """When each webhook was due, in order."""
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    last: float = 0.0

    def note(self, head: bytes, sent: float) -> None:
        """Note an answer."""
        self.last = time.monotonic()
        if head.startswith(b"HTTP/1.1 200"):
            self.seconds.append(self.last - sent)
        else:
            self.refused += 1

    def found(self) -> Found:
        """Sum up."""
        began = min(self.sent, default=0.0)
        return Found(
            began,
            len(self.seconds),
            self.refused,
            len(self.seconds) / (self.last - began) if self.last > began else 0.0,
            quantile(self.seconds, 0.5) * 1000 if self.seconds else 0.0,
            quantile(self.seconds, 0.99) * 1000 if self.seconds else 0.0,
            self.sent,
        )


class Connection(asyncio.Protocol):
    """Sends the next webhook when the last one is answered, until there are no more."""

    def __init__(self, numbers: Iterator[int], tally: Tally) -> None:
        self._numbers = numbers
        self._tally = tally
        self._buffer = b""
        self._sent = 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if found and len(rest) >= _length(head):
            self._buffer = b""
            self._tally.note(head, self._sent)
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def next(self) -> None:
        """Send, or leave."""
        number = next(self._numbers, None)
        if number is None:
            self._transport.close()
            return
        self._sent = time.monotonic()
        self._tally.sent.append(self._sent)
        self._transport.write(request(number))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def saturate(port: int, start: int, total: int, connections: int) -> Tally:
    """Send so many webhooks, each connection one after the other."""
    loop, tally = asyncio.get_running_loop(), Tally([])
    numbers = iter(range(start, start + total))
    opened = [Connection(numbers, tally) for _ in range(connections)]
    for one in opened:
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc] # bound at once
    for one in opened:
        one.next()
    await asyncio.gather(*(one.ended for one in opened))
    return tally


async def steady(port: int, start: int, total: int, connections: int, rate: float) -> Tally:
    """Send so many webhooks a second, whatever the answers take: waiting for a free connection counts, too."""
    tally, queue = Tally([]), asyncio.Queue[tuple[int, float] | None]()
    workers = [asyncio.create_task(_work(port, queue, tally)) for _ in range(connections)]
    began = time.monotonic()
    for number in range(total):
        await asyncio.sleep(max(began + number / rate - time.monotonic(), 0))
        due = time.monotonic()
        tally.sent.append(due)
        queue.put_nowait((start + number, due))
    for _ in workers:
        queue.put_nowait(None)
    await asyncio.gather(*workers)
    return tally


async def _work(port: int, queue: asyncio.Queue[tuple[int, float] | None], tally: Tally) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (next_one := await queue.get()) is not None:
        number, due = next_one
        writer.write(request(number))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_length(head))
        tally.note(head, due)
    writer.close()


def main() -> None:
    """Send, and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "start", "total", "connections"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    given = parser.parse_args()
    common = (given.port, given.start, given.total, given.connections)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(steady(*common, given.rate) if given.rate else saturate(*common))
    print(json.dumps(asdict(tally.found())))


if __name__ == "__main__":
    main()
