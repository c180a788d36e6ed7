"""What is shown: lines for people as things happen, or one JSON object a line for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Final, Protocol, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.demo.records import (
    DECIDED,
    DECLINED,
    EXPIRED,
    FAILED,
    HELD,
    REQUESTED,
    SUCCEEDED,
    UNKNOWN,
    Delivery,
    Mishap,
    Order,
    Seen,
)
from bridge.demo.summary import Summary
from bridge.demo.words import met, told, wrong
from bridge.lifecycle import utc_now

MOST_LINES_FOR: Final = 300
"""With more shipments than this, people get counts instead of every line; programs get every line."""
_DECISIONS: Final = (DECIDED, DECLINED, EXPIRED, HELD)
_PURCHASES: Final = (REQUESTED, UNKNOWN, SUCCEEDED, FAILED)
_STYLES: Final = {
    "order": "bold",
    "webhook": "cyan",
    "decision": "magenta",
    "purchase": "yellow",
    "event": "green",
    "duplicate": "dim",
    "parked": "red",
    "trouble": "bold red",
    "fault": "red",
}


class Screen(Protocol):
    """Where the demo shows what happens."""

    def say(self, text: str) -> None: ...
    def order(self, order: Order) -> None: ...
    def delivery(self, delivery: Delivery) -> None: ...
    def mishap(self, mishap: Mishap) -> None: ...
    def event(self, event: Seen) -> None: ...
    def count(self, orders: int, deliveries: int, events: int, faults: int) -> None: ...
    def summary(self, summary: Summary) -> None: ...


class JsonScreen:
    """One object a line, each flushed at once; the last one is the summary. What is said to people goes elsewhere."""

    def __init__(self, output: TextIO, remarks: TextIO, *, seed: int) -> None:
        self._output = output
        self._remarks = remarks
        self._seed = seed

    def say(self, text: str) -> None:
        print(text, file=self._remarks, flush=True)

    def order(self, order: Order) -> None:
        self._write({"kind": "order", **asdict(order)})

    def delivery(self, delivery: Delivery) -> None:
        moments = {"sent_at": delivery.sent_at.isoformat(), "happened_at": delivery.happened_at.isoformat()}
        self._write({"kind": "webhook", **asdict(delivery), **moments})

    def mishap(self, mishap: Mishap) -> None:
        self._write({**asdict(mishap), "kind": "fault", "fault": mishap.kind, "at": mishap.at.isoformat()})

    def event(self, event: Seen) -> None:
        self._write({"kind": kind(event), **asdict(event), "at": event.at.isoformat()})

    def count(self, orders: int, deliveries: int, events: int, faults: int) -> None:
        """Leave it: every line is there to be counted."""

    def summary(self, summary: Summary) -> None:
        checks = [{"name": check.name, "holds": check.holds, "problems": check.problems} for check in summary.checks]
        found = {"balances": summary.balances, "counts": summary.counts, "slowest_s": summary.slowest}
        self._write({"summary": {**found, "seed": self._seed, "checks": checks}})

    def _write(self, line: Mapping[str, object]) -> None:
        print(json.dumps(line, ensure_ascii=False), file=self._output, flush=True)


class TextScreen:
    """Coloured lines where the output is a terminal, plain ones elsewhere."""

    def __init__(self, console: Console, *, each: bool) -> None:
        self._console = console
        self._each = each

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)

    def order(self, order: Order) -> None:
        how = "offer mode" if order.mode == "offer" else "simplified mode: the carrier buys by itself"
        self._line("order", utc_now(), order.shipment, "created", f"organization {order.organization}, {how}")

    def delivery(self, delivery: Delivery) -> None:
        answer = delivery.outcome or f"answered {delivery.status or delivery.error}"
        style = answer if answer in _STYLES else "webhook" if delivery.outcome else "trouble"
        again = "sent again, " if delivery.repeat else ""
        self._line("webhook", delivery.sent_at, delivery.shipment, delivery.event, f"{again}{answer}", style)

    def mishap(self, mishap: Mishap) -> None:
        self._line("fault", mishap.at, mishap.shipment, met(mishap), wrong(mishap))

    def event(self, event: Seen) -> None:
        name = event.route or event.type
        self._line(kind(event), event.at, event.shipment, name, f"#{event.sequence}  {told(event)}")

    def count(self, orders: int, deliveries: int, events: int, faults: int) -> None:
        if not self._each:
            wrongs = f"   {faults:>6} faults" if faults else ""
            rights = f"{orders:>6} shipments created   {deliveries:>7} webhooks answered   {events:>7} events received"
            self.say(f"  {rights}{wrongs}")

    def summary(self, summary: Summary) -> None:
        counts = Table(title="What was counted", title_justify="left", show_header=False)
        counts.add_column()
        counts.add_column(justify="right")
        for name, number in summary.counts.items():
            counts.add_row(name, str(number))
        counts.add_row("slowest webhook-to-event", _milliseconds(summary.slowest))
        checks = Table(title="What must balance", title_justify="left", show_header=False)
        for check in summary.checks:
            checks.add_row(check.name, Text("yes", "green") if check.holds else Text(f"NO: {check.told}", "bold red"))
        self._console.print()
        self._console.print(counts)
        self._console.print(checks)
        failed = [check.name for check in summary.checks if not check.holds]
        verdict = f"It does not balance: {'; '.join(failed)}." if failed else "Everything balances."
        self._console.print(Text(verdict, "bold red" if failed else "bold green"), soft_wrap=True)

    def _line(
        self, what: str, at: datetime, shipment: int | None, name: str, detail: str, style: str | None = None
    ) -> None:
        if not self._each:
            return
        head = Text()
        head.append(f"{at.astimezone():%H:%M:%S}.{at.microsecond // 1000:03}  ", "dim")
        head.append(f"{what:<8}  ", _STYLES[what])
        head.append(f"{shipment or '':<10}  ", "dim")
        head.append(f"{name:<{_name_width(name)}}  {detail}".rstrip(), style or _STYLES[what])
        self._console.print(head, soft_wrap=True)


def kind(event: Seen) -> str:
    """Sort an event by what a merchant asks about."""
    if event.type in _DECISIONS:
        return "decision"
    return "purchase" if event.type in _PURCHASES else "event"


def _name_width(name: str) -> int:
    return 46 if name.startswith("shipx.") else 34


def _milliseconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds * 1000:.0f} ms"
