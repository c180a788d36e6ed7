"""At a steady 1,000 webhooks a second: how long an answer takes, and how long it is until a consumer has the event."""

from __future__ import annotations

from typing import Final

from tests.bench import load
from tests.bench.consumer import consuming
from tests.bench.figure import quantile
from tests.bench.goal import Goal, at_most
from tests.bench.row import Row
from tests.bench.stage import Stage
from tests.bench.webhooks import ASIDE

RATE: Final = 1_000
_WANTED: Final[tuple[tuple[str, Goal | None], ...]] = (
    ("p50 of an answer", None),
    ("p99 of an answer", at_most(10, "ms")),
    ("p50 until consumed", at_most(10, "ms")),
    ("p99 until consumed", at_most(50, "ms")),
)


def measure(stage: Stage) -> list[Row]:
    """Load each database steadily, with everything running."""
    rows = {
        one.name: [Row(f"{what}, 1,000/s, {one.name}", "ms", goal=goal) for what, goal in _WANTED]
        for one in stage.databases
    }
    every = [row for some in rows.values() for row in some]
    for _ in stage.rounds("steady", every):
        for database in stage.databases:
            with (
                database.fresh() as url,
                stage.consumers_queue() as amqp_url,
                stage.bridge(url, amqp_url) as server,
            ):
                found = _measured(stage, server.port, amqp_url)
            for row, value in zip(rows[database.name], found, strict=True):
                row.add(value)
    return every


def _measured(stage: Stage, port: int, amqp_url: str) -> tuple[float, float, float, float]:
    """Give the four times in milliseconds."""
    total = RATE * stage.size.steady_s
    with consuming(amqp_url, total) as consumer:
        load.run(port, stage.size.warm_up, start=ASIDE, rate=RATE)
        found = load.run(port, total, rate=RATE)
        arrivals = consumer.arrivals()
    seconds = [arrivals[number] - sent for number, sent in enumerate(found.sent, 1)]
    return found.p50_ms, found.p99_ms, quantile(seconds, 0.5) * 1000, quantile(seconds, 0.99) * 1000
