"""Durable accepts a second, next to the same server over a store that does nothing."""

from __future__ import annotations

from tests.bench import load
from tests.bench.goal import at_least, at_most
from tests.bench.row import Row
from tests.bench.server import Server
from tests.bench.stage import Stage


def measure(stage: Stage) -> list[Row]:
    """Load a receiver alone, on each database and on none."""
    nothing = Row("accepts, storing nothing", "/s")
    rates = {one.name: Row(f"accepts, {one.name}", "/s", nothing, at_least(0.6)) for one in stage.databases}
    p99s = {one.name: Row(f"p99 of an accept, {one.name}", "ms", goal=at_most(15, "ms")) for one in stage.databases}
    for _ in stage.rounds("accepts", [nothing, *rates.values(), *p99s.values()]):
        with stage.rival("noop") as server:
            nothing.add(_loaded(stage, server).per_second)
        for database in stage.databases:
            with database.fresh() as url, stage.bridge(url, roles="receiver") as server:
                found = _loaded(stage, server)
            rates[database.name].add(found.per_second)
            p99s[database.name].add(found.p99_ms)
    return [nothing, *rates.values(), *p99s.values()]


def _loaded(stage: Stage, server: Server) -> load.Found:
    load.warm_up(server.port, stage.size.warm_up)
    return load.run(server.port, stage.size.accepts)
