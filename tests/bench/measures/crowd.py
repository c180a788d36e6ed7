"""Memory while 1,000 connections send 256 KiB each at once."""

from __future__ import annotations

from collections import Counter

from tests.bench import crowd, memory
from tests.bench.goal import at_most
from tests.bench.row import Row
from tests.bench.stage import Stage


def measure(stage: Stage) -> list[Row]:
    """Let the crowd at a bridge on each database."""
    rows = {
        one.name: Row(f"most memory, 1,000 × 256 KiB at once, {one.name}", "MiB", goal=at_most(300, "MiB"))
        for one in stage.databases
    }
    answers = {name: Counter[str]() for name in rows}
    for _ in stage.rounds("crowd", list(rows.values())):
        for database in stage.databases:
            with database.fresh() as url, stage.bridge(url) as server:
                answers[database.name] += crowd.run(server.port)
                rows[database.name].add(memory.peak_mib(server.pid))
    for name, row in rows.items():
        row.remark = "answers: " + ", ".join(f"{count} × {status}" for status, count in sorted(answers[name].items()))
    return list(rows.values())
