"""Messages a second in a consumer's quorum queue, durable and deduplicated, next to what else one would write."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.bench import broker, load
from tests.bench.goal import at_least
from tests.bench.row import Row
from tests.bench.stage import Stage


@dataclass
class Rival:
    """What we are compared with. `share` of what we send is enough for it: it is slower."""

    program: str
    times: float
    """How many times as fast we want to be."""
    share: float
    row: Row
    publishes: bool = True


def rivals() -> list[Rival]:
    """Give the field."""
    return [
        Rival("starlette_pika", 1.0, 1.0, Row("messages, starlette + aio-pika", "/s")),
        Rival("fastapi_pika", 1.5, 0.5, Row("messages, FastAPI + aio-pika", "/s")),
        Rival("fastapi_faststream", 2.5, 0.4, Row("messages, FastAPI + FastStream", "/s")),
        Rival("fastapi_sqlalchemy", 5.0, 0.2, Row("rows, FastAPI + SQLAlchemy", "/s"), publishes=False),
    ]


def measure(stage: Stage) -> list[Row]:
    """Load everybody as fast as they answer, and see when the last message lies in the queue."""
    field, ours = rivals(), {one.name: Row(f"messages, {one.name}", "/s") for one in stage.databases}
    for _ in stage.rounds("messages", [*(one.row for one in field), *ours.values()]):
        for rival in field:
            rival.row.add(_published(stage, rival) if rival.publishes else _stored(stage, rival))
        for database in stage.databases:
            with (
                database.fresh() as url,
                stage.consumers_queue() as amqp_url,
                stage.bridge(url, amqp_url) as server,
            ):
                ours[database.name].add(arrived_per_second(stage, server.port, amqp_url, stage.size.messages))
    return [*(one.row for one in field), *(_compared(row, rival) for row in ours.values() for rival in field)]


def arrived_per_second(stage: Stage, port: int, amqp_url: str, total: int) -> float:
    """Send so many webhooks, and give the rate at which they reached the queue from the first one on."""
    load.warm_up(port, stage.size.warm_up)
    asyncio.run(broker.filled(amqp_url, stage.size.warm_up))
    found = load.run(port, total)
    return total / (asyncio.run(broker.filled(amqp_url, stage.size.warm_up + total)) - found.began)


def _published(stage: Stage, rival: Rival) -> float:
    with stage.consumers_queue() as amqp_url, stage.rival(rival.program, amqp_url) as server:
        return arrived_per_second(stage, server.port, amqp_url, int(stage.size.messages * rival.share))


def _stored(stage: Stage, rival: Rival) -> float:
    with stage.postgres_databases.fresh() as url, stage.rival(rival.program, url) as server:
        load.warm_up(server.port, stage.size.warm_up)
        return load.run(server.port, int(stage.size.messages * rival.share)).per_second


def _compared(row: Row, rival: Rival) -> Row:
    return Row(row.what, row.unit, rival.row, at_least(rival.times), values=row.values)
