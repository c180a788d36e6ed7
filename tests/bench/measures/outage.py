"""The broker is away while webhooks arrive at 200 a second: accepting goes on, and what waited is soon told."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.bench import load
from tests.bench.databases import Databases
from tests.bench.errors import Failed
from tests.bench.goal import at_most
from tests.bench.row import Row
from tests.bench.stage import Stage
from tests.faults.books import Books

RATE: Final = 200
BEFORE_S: Final = 20
PIECE_S: Final = 5
BEHIND: Final = RATE
"""With no more than a second's webhooks waiting, the bridge has caught up."""
LONGEST_S: Final = 600.0


def measure(stage: Stage) -> list[Row]:
    """Take the broker away once, for each database."""
    return [row for database in stage.databases for row in _outage(stage, database)]


def _outage(stage: Stage, database: Databases) -> list[Row]:
    name, size = database.name, stage.size
    before = Row(f"p99 of an answer at {RATE}/s, {name}", "ms")
    during = Row(f"the same, the broker away for {size.outage_s} s", "ms", before, at_most(1.25))
    drained = Row(f"from its return until caught up with, {name}", "s", goal=at_most(60, "s"))
    with database.fresh() as url, stage.consumers_queue() as amqp_url, stage.bridge(url, amqp_url) as server:
        load.warm_up(server.port, size.warm_up)
        before.add(load.run(server.port, RATE * BEFORE_S, rate=RATE).p99_ms)
        stage.tell(f"outage, {name}: the broker is away for {size.outage_s} s")
        stage.rabbit.stop()
        start, total = RATE * BEFORE_S + 1, RATE * size.outage_s
        during.add(load.run(server.port, total, start=start, rate=RATE).p99_ms)
        drained.remark = f"{_waiting(url):,} events waited"
        with _GoingOn(server.port, start + total):
            stage.rabbit.start()
            drained.add(_seconds_until_caught_up(url))
    stage.tell(f"outage, {name}: {drained.remark}, caught up with after {drained.median:.1f} s")
    return [before, during, drained]


def _waiting(database_url: str) -> int:
    return Books(database_url).count("outbox WHERE state = 0")


def _seconds_until_caught_up(database_url: str) -> float:
    began = time.monotonic()
    while _waiting(database_url) > BEHIND:
        if time.monotonic() - began > LONGEST_S:
            raise Failed(f"not caught up with after {LONGEST_S:g} s")
        time.sleep(0.1)
    return time.monotonic() - began


class _GoingOn:
    """Webhooks that go on arriving meanwhile."""

    def __init__(self, port: int, start: int) -> None:
        self._port = port
        self._start = start
        self._enough = threading.Event()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> None:
        self._sending = self._pool.submit(self._send)

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._pool.shutdown()
        self._sending.result()

    def _send(self) -> None:
        for piece in itertools.count():
            if self._enough.is_set():
                break
            load.run(self._port, RATE * PIECE_S, start=self._start + piece * RATE * PIECE_S, rate=RATE)
