"""A thousand connections that each send a large webhook, all of them at once; a program of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
from collections import Counter
from typing import Final

import uvloop

from tests.bench.errors import Failed
from tests.bench.webhooks import body, head

CONNECTIONS: Final = 1_000
BYTES: Final = 256 * 1024
_HELD_BACK: Final = 1024
_PATIENCE_S: Final = 60.0
CUT_OFF: Final = "cut off"


def raise_limits() -> None:
    """Allow this process, and those it starts, as many files as they may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))


def run(port: int) -> Counter[str]:
    """Let the crowd at a server; gives the answers by status. Raises Failed for any other than 200 and 503."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.crowd", str(port)], capture_output=True, timeout=300, check=False
    )
    if done.returncode:
        raise Failed(f"the crowd ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    answers: Counter[str] = Counter(json.loads(done.stdout))
    if set(answers) - {"200", "503", CUT_OFF} or answers.total() != CONNECTIONS:
        raise Failed(f"the crowd was answered {dict(answers)}")
    return answers


class Gate:
    """Opens when everybody has come."""

    def __init__(self, expected: int) -> None:
        self._missing = expected
        self.opened = asyncio.Event()

    def come(self) -> None:
        """Come; the last one opens it."""
        self._missing -= 1
        if not self._missing:
            self.opened.set()


async def send(port: int) -> Counter[str]:
    """Hold every connection's last kilobyte back until all have sent the rest, or were answered before."""
    gate = Gate(CONNECTIONS)
    return Counter(await asyncio.gather(*(_one(port, number, gate) for number in range(1, CONNECTIONS + 1))))


async def _one(port: int, number: int, gate: Gate) -> str:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        gate.come()
        return CUT_OFF
    answer = asyncio.create_task(reader.readline())
    webhook = body(number, BYTES)
    writer.write(head(BYTES) + webhook[:-_HELD_BACK])
    sent = asyncio.create_task(writer.drain())
    await asyncio.wait({sent, answer}, timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    gate.come()
    await gate.opened.wait()
    if not answer.done() and not writer.is_closing():
        writer.write(webhook[-_HELD_BACK:])
    await asyncio.wait({sent, answer}, timeout=_PATIENCE_S)
    writer.close()
    if not answer.done() or answer.exception() is not None:
        return CUT_OFF
    words = answer.result().split()
    return words[1].decode() if len(words) > 1 else CUT_OFF


def main() -> None:
    """Send, and print the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    raise_limits()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(send(given.port))))


if __name__ == "__main__":
    main()
