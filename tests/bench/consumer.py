"""A consumer that stamps when each shipment's event arrives; a program of its own, beside the load."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import aio_pika
import uvloop

from tests.bench.broker import QUEUE
from tests.bench.errors import Failed
from tests.bench.webhooks import ASIDE

READY: Final = b"ready\n"
SILENCE_S: Final = 60.0
_SHIPMENT: Final = re.compile(rb'"subject":"shipment/(\d+)"')


class Consumer:
    """The running program."""

    def __init__(self, process: subprocess.Popen[bytes], written: Path) -> None:
        self._process = process
        self._written = written

    def arrivals(self) -> dict[int, float]:
        """Wait until all have arrived; gives each shipment's moment on the machine's monotonic clock. Raises Failed."""
        if self._process.wait(2 * SILENCE_S):
            raise Failed("events did not arrive at the consumer")
        return {int(number): float(at) for number, at in json.loads(self._written.read_text())}


@contextmanager
def consuming(amqp_url: str, expected: int) -> Iterator[Consumer]:
    """Consume beside the caller, from now until so many shipments that are measured had their event."""
    with TemporaryDirectory() as folder:
        written = Path(folder) / "arrivals.json"
        command = [sys.executable, "-m", "tests.bench.consumer", amqp_url, str(expected), str(written)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            if process.stdout is None or process.stdout.readline() != READY:
                raise Failed("the consumer did not start")
            yield Consumer(process, written)
        finally:
            process.kill()
            process.wait()


async def consume(amqp_url: str, expected: int) -> dict[int, float]:
    """Take and stamp. Raises TimeoutError when nothing comes any more."""
    found: dict[int, float] = {}
    async with await aio_pika.connect(amqp_url) as connection, connection.channel() as channel:
        queue = await channel.declare_queue(QUEUE, passive=True)
        async with queue.iterator(no_ack=True, timeout=SILENCE_S) as messages:
            sys.stdout.buffer.write(READY)
            sys.stdout.buffer.flush()
            async for message in messages:
                named = _SHIPMENT.search(message.body)
                if named is not None and int(named[1]) < ASIDE:
                    found.setdefault(int(named[1]), time.monotonic())
                if len(found) == expected:
                    break
    return found


def main() -> None:
    """Consume, and write down the arrivals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("amqp_url")
    parser.add_argument("expected", type=int)
    parser.add_argument("written", type=Path)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(consume(given.amqp_url, given.expected))
    given.written.write_text(json.dumps(list(found.items())))


if __name__ == "__main__":
    main()
