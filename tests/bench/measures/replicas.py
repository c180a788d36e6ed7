"""Two bridge processes on one PostgreSQL database, next to one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.bench import broker, load, server
from tests.bench.goal import at_least
from tests.bench.row import Row
from tests.bench.stage import Stage
from tests.bench.webhooks import ASIDE


def measure(stage: Stage) -> list[Row]:
    """Send the same webhooks to one process and, half each, to two."""
    cores = stage.cores
    unjudged = "" if cores.are_enough_for_two else f"{len(cores.all)} cores"
    one = Row("messages, one process, PostgreSQL", "/s")
    two = Row("messages, two processes, PostgreSQL", "/s", one, at_least(1.5), unjudged)
    for _ in stage.rounds("replicas", [one, two]):
        one.add(_messages(stage, [cores.server]))
        two.add(_messages(stage, [cores.server, cores.second_server]))
    return [one, two]


def _messages(stage: Stage, cores: Sequence[set[int]]) -> float:
    with ExitStack() as stack:
        url = stack.enter_context(stage.postgres_databases.fresh())
        amqp_url = stack.enter_context(stage.consumers_queue())
        ports = [stack.enter_context(server.bridge(url, amqp_url=amqp_url, cores=one)).port for one in cores]
        aside = _send(ports, stage.size.warm_up, ASIDE)
        asyncio.run(broker.filled(amqp_url, aside[0]))
        total, began = _send(ports, stage.size.messages, 1)
        return total / (asyncio.run(broker.filled(amqp_url, aside[0] + total)) - began)


def _send(ports: Sequence[int], total: int, start: int) -> tuple[int, float]:
    """Send to all at once; gives how many were sent, and when the first."""
    each = total // len(ports)
    with ThreadPoolExecutor(len(ports)) as pool:
        found = [
            pool.submit(load.run, port, each, start=start + each * place, connections=load.CONNECTIONS // len(ports))
            for place, port in enumerate(ports)
        ]
    return each * len(ports), min(one.result().began for one in found)
