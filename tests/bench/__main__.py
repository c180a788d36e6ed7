"""`./dev bench`: how fast, next to what it is compared with, in interleaved rounds; medians, and ratios of one run.

Machines are noisy, so only the ratios mean anything elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from bridge.nodes.rabbitmq import RabbitNode
from tests.bench import stage

Measured = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is sent in a round, and how many rounds there are."""

    rounds: int
    accepts: int
    messages: int
    steady: int


QUICK = Size(rounds=5, accepts=20_000, messages=10_000, steady=4_000)
FULL = Size(rounds=7, accepts=60_000, messages=30_000, steady=20_000)
WARM_UP = 2_000


@dataclass
class Row:
    """One thing measured, round by round."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    notes: dict[str, list[float]] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def add(self, value: float, **notes: float) -> None:
        self.values.append(value)
        for name, note in notes.items():
            self.notes.setdefault(name, []).append(note)

    def note(self, name: str) -> float:
        return statistics.median(self.notes[name])


def main() -> int:
    """Measure and print; gives the exit code."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small rounds: about three minutes")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--only", choices=["accepts", "messages", "steady"], action="append")
    given = parser.parse_args()
    size, only = (QUICK if given.quick else FULL), given.only or ["accepts", "messages", "steady"]
    _, others = stage.cores()
    os.sched_setaffinity(0, others)
    console = Console(stderr=True)
    rows: list[tuple[Row, Row | None]] = []
    with RabbitNode() as node:
        node.start()
        for name in only:
            rows += _MEASURES[name](size, node, console)
    _print_json(rows) if given.json else _print(rows)
    return 0


def accepts(size: Size, _node: RabbitNode, console: Console) -> list[tuple[Row, Row | None]]:
    """Durable accepts a second, next to the same server over a store that does nothing."""
    ours, theirs = Row("accepts, SQLite", "/s"), Row("accepts, no store", "/s")
    for number in range(size.rounds):
        with stage.rival("noop", stage.SECRET) as port:
            _add(theirs, _loaded(port, size.accepts))
        with stage.bridge(roles="receiver") as port:
            _add(ours, _loaded(port, size.accepts))
        _progress(console, "accepts", number, size, ours, theirs)
    return [(theirs, None), (ours, theirs)]


def messages(size: Size, node: RabbitNode, console: Console) -> list[tuple[Row, Row | None]]:
    """Messages a second in a consumer's quorum queue, next to publishing straight from the request."""
    ours, theirs = Row("messages, durable and deduplicated", "/s"), Row("messages, starlette + aio-pika", "/s")
    for number in range(size.rounds):
        url = _broker(node, f"direct{number}")
        with stage.rival("direct", url, stage.SECRET) as port:
            theirs.add(_consumed(port, url, size.messages))
        url = _broker(node, f"bridge{number}")
        with stage.bridge(url) as port:
            ours.add(_consumed(port, url, size.messages))
        _progress(console, "messages", number, size, ours, theirs)
    return [(theirs, None), (ours, theirs)]


def steady(size: Size, node: RabbitNode, console: Console) -> list[tuple[Row, Row | None]]:
    """Answer times at a steady 1,000 webhooks a second, with everything running."""
    ours = Row("answer at 1,000/s, p50", "ms")
    for number in range(size.rounds):
        url = _broker(node, f"steady{number}")
        with stage.bridge(url) as port:
            stage.load(port, total=WARM_UP, start=10**9, rate=1000)
            found = stage.load(port, total=size.steady, rate=1000)
        ours.add(found["p50_ms"], p99_ms=found["p99_ms"])
        _progress(console, "steady", number, size, ours)
    return [(ours, None)]


_Measure = Callable[[Size, RabbitNode, Console], list[tuple[Row, Row | None]]]
_MEASURES: dict[str, _Measure] = {"accepts": accepts, "messages": messages, "steady": steady}


def _loaded(port: int, total: int) -> Measured:
    stage.load(port, total=WARM_UP, start=10**9)
    return stage.load(port, total=total)


def _add(row: Row, found: Measured) -> None:
    if found["refused"]:
        raise RuntimeError(f"{row.name}: {found['refused']} of {found['answered']} were refused")
    row.add(found["per_second"], p50_ms=found["p50_ms"], p99_ms=found["p99_ms"])


def _consumed(port: int, url: str, total: int) -> float:
    """Send so many webhooks and give the rate at which they reached the queue, from the first one sent."""
    stage.load(port, total=WARM_UP, start=10**9)
    asyncio.run(stage.filled(url, "consumer", WARM_UP))
    found = stage.load(port, total=total)
    ended = asyncio.run(stage.filled(url, "consumer", WARM_UP + total))
    return total / (ended - float(found["begun"]))


def _broker(node: RabbitNode, name: str) -> str:
    node.add_vhosts([name])
    url = node.vhost_url(name)
    asyncio.run(stage.queue(url, "consumer"))
    return url


def _progress(console: Console, name: str, number: int, size: Size, *rows: Row) -> None:
    told = ", ".join(f"{row.name} {row.values[-1]:,.1f} {row.unit}" for row in rows)
    console.print(f"[dim]{name} {number + 1}/{size.rounds}: {told}")


def _print(rows: Sequence[tuple[Row, Row | None]]) -> None:
    table = Table("what", "median", "p99", "ratio", title="medians of interleaved rounds")
    for row, compared in rows:
        p99 = f"{row.note('p99_ms'):.1f} ms" if "p99_ms" in row.notes else ""
        table.add_row(row.name, f"{row.median:,.1f} {row.unit}", p99, _ratio(row, compared))
    Console(width=110).print(table)


def _ratio(row: Row, compared: Row | None) -> str:
    if compared is None:
        return ""
    ratios = [mine / other for mine, other in zip(row.values, compared.values, strict=True)]
    return f"{statistics.median(ratios):.2f}  ({min(ratios):.2f}-{max(ratios):.2f})"


def _print_json(rows: Sequence[tuple[Row, Row | None]]) -> None:
    found = [
        {"what": row.name, "unit": row.unit, "values": row.values, **row.notes, "compared_with": other and other.name}
        for row, other in rows
    ]
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    sys.exit(main())
