"""With millions of webhooks in the database: accepts, claims and reads, next to an empty one."""

from __future__ import annotations

import time
from contextlib import closing
from itertools import count
from statistics import median
from typing import Final

from tests.bench import history, load
from tests.bench.databases import Databases
from tests.bench.errors import Failed
from tests.bench.goal import at_least, at_most
from tests.bench.reader import Reader
from tests.bench.row import Row
from tests.bench.stage import Stage
from tests.faults.books import Books

SLOWER: Final = 1.2
"""How many times as slow it may be."""
READS: Final = ("a page of the feed", "a subject's events", "the newest deliveries", "one delivery", "metrics")
_TIMES: Final = 50
_PAGES: Final = 50
_PATIENCE_S: Final = 300.0


def measure(stage: Stage) -> list[Row]:
    """Do the same on an empty database and on one with a history, for each kind of database."""
    return [row for database in stage.databases for row in _both(stage, database)]


def _both(stage: Stage, database: Databases) -> list[Row]:
    empty, full = _rows(stage, database)
    numbers = count(1, stage.size.accepts)
    with database.fresh() as old:
        stage.tell(f"history, {database.name}: {stage.size.history:,} webhooks are being written")
        history.build(old, stage.size.history, stage.cores.server, stage.tell)
        for _ in stage.rounds(f"history, {database.name}", full):
            with database.fresh() as fresh:
                _add(empty, _measured(stage, fresh, next(numbers)))
            _add(full, _measured(stage, old, next(numbers)))
    return [row for pair in zip(empty, full, strict=True) for row in pair]


def _rows(stage: Stage, database: Databases) -> tuple[list[Row], list[Row]]:
    """Make the rows of the empty database and, compared with them, those of the full one."""
    units = {"accepts": "/s", "claims": "/s", **dict.fromkeys(READS, "ms")}
    empty = [Row(f"{what}, {database.name}, empty", unit) for what, unit in units.items()]
    full = [
        Row(
            f"{what}, {database.name}, {stage.size.history:,} webhooks",
            unit,
            beside,
            at_least(round(1 / SLOWER, 2)) if unit == "/s" else at_most(SLOWER),
        )
        for (what, unit), beside in zip(units.items(), empty, strict=True)
    ]
    return empty, full


def _add(rows: list[Row], values: list[float]) -> None:
    for row, value in zip(rows, values, strict=True):
        row.add(value)


def _measured(stage: Stage, database_url: str, start: int) -> list[float]:
    """Accept with nothing else running, work off what was accepted, then read."""
    with stage.bridge(database_url, roles="receiver") as server:
        load.warm_up(server.port, stage.size.warm_up)
        accepts = load.run(server.port, stage.size.accepts, start=start).per_second
    with stage.bridge(database_url, roles="worker") as server:
        claims = _claims_per_second(Books(database_url))
        reads = _read(server.port, start)
    return [accepts, claims, *reads]


def _claims_per_second(books: Books) -> float:
    """Watch a backlog shrink, and give the rate between nine tenths of it and one."""
    seen, began = [(time.monotonic(), books.count("deliveries WHERE state = 0"))], time.monotonic()
    while seen[-1][1]:
        if time.monotonic() - began > _PATIENCE_S:
            raise Failed(f"{seen[-1][1]} deliveries are still not worked off")
        seen.append((time.monotonic(), books.count("deliveries WHERE state = 0")))
    return rate(seen)


def rate(seen: list[tuple[float, int]]) -> float:
    """Give how many a second a backlog lost, without its first and last tenth. Raises Failed where it lost nothing."""
    most = seen[0][1]
    middle = [(at, left) for at, left in seen if most * 0.1 <= left <= most * 0.9]
    if len(middle) < 2:
        raise Failed("the backlog was gone too soon to be measured: more webhooks are needed")
    (began, first), (ended, last) = middle[0], middle[-1]
    return (first - last) / (ended - began)


def _read(port: int, start: int) -> list[float]:
    """Give the milliseconds of each kind of read."""
    with closing(Reader(port)) as reader:
        feed = reader.pages("/v1/events?limit=100", _PAGES)
        newest = reader.document("/v1/deliveries?limit=500")["items"]
        return [
            median(feed),
            reader.median(f"/v1/events?subject=shipment/{number}" for number in range(start, start + _TIMES)),
            reader.median(["/v1/deliveries?limit=50"] * _TIMES),
            reader.median(f"/v1/deliveries/{item['delivery_id']}" for item in newest[:_TIMES]),
            reader.median(["/metrics"] * _TIMES),
        ]
