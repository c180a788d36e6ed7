"""What is shown: lines for people as things happen, or one JSON object a line for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, Protocol, TextIO

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
    STATUS_CHANGED,
    SUCCEEDED,
    UNKNOWN,
    Delivery,
    Order,
    Seen,
)
from bridge.demo.summary import Summary
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
}


class Screen(Protocol):
    """Where the demo shows what happens."""

    def say(self, text: str) -> None: ...
    def order(self, order: Order) -> None: ...
    def delivery(self, delivery: Delivery) -> None: ...
    def event(self, event: Seen) -> None: ...
    def count(self, orders: int, deliveries: int, events: int) -> None: ...
    def summary(self, summary: Summary) -> None: ...


class JsonScreen:
    """One object a line, each flushed at once; the last one is the summary. What is said to people goes elsewhere."""

    def __init__(self, output: TextIO, remarks: TextIO) -> None:
        self._output = output
        self._remarks = remarks

    def say(self, text: str) -> None:
        print(text, file=self._remarks, flush=True)

    def order(self, order: Order) -> None:
        self._write({"kind": "order", **asdict(order)})

    def delivery(self, delivery: Delivery) -> None:
        self._write({"kind": "webhook", **asdict(delivery), "sent_at": delivery.sent_at.isoformat()})

    def event(self, event: Seen) -> None:
        self._write({"kind": kind(event), **asdict(event), "at": event.at.isoformat()})

    def count(self, orders: int, deliveries: int, events: int) -> None:
        """Leave it: every line is there to be counted."""

    def summary(self, summary: Summary) -> None:
        checks = [{"name": check.name, "holds": check.holds, "problems": check.problems} for check in summary.checks]
        told = {"balances": summary.balances, "counts": summary.counts, "slowest_s": summary.slowest, "checks": checks}
        self._write({"summary": told})

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

    def event(self, event: Seen) -> None:
        name = event.route or event.type
        self._line(kind(event), event.at, event.shipment, name, f"#{event.sequence}  {told(event)}")

    def count(self, orders: int, deliveries: int, events: int) -> None:
        if not self._each:
            self.say(
                f"  {orders:>6} shipments created   {deliveries:>7} webhooks answered   {events:>7} events received"
            )

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

    def _line(self, what: str, at: datetime, shipment: int, name: str, detail: str, style: str | None = None) -> None:
        if not self._each:
            return
        head = Text()
        head.append(f"{at.astimezone():%H:%M:%S}.{at.microsecond // 1000:03}  ", "dim")
        head.append(f"{what:<8}  ", _STYLES[what])
        head.append(f"{shipment}  ", "dim")
        head.append(f"{name:<{_name_width(name)}}  {detail}".rstrip(), style or _STYLES[what])
        self._console.print(head, soft_wrap=True)


def kind(event: Seen) -> str:
    """Sort an event by what a merchant asks about."""
    if event.type in _DECISIONS:
        return "decision"
    return "purchase" if event.type in _PURCHASES else "event"


def told(event: Seen) -> str:
    """Say in a few words what stands in an event."""
    data = event.data
    if event.type == STATUS_CHANGED:
        late = "" if data["current"] else ", older than what is known"
        return f"{data['tracking_status']}, the carrier says {data['carrier_status']}{late}"
    if event.type == DECIDED:
        return f"{data['service_id']}, {_price(data['price'])}, by rule {data['rule_id']}"
    if event.type == SUCCEEDED:
        adopted = ", bought by somebody else" if data["adopted"] else ""
        return f"{data['service_id']}, {_price(data['price'])}{adopted}"
    if "offers" in data:
        available = sum(offer["status"] == "available" for offer in data["offers"])
        return f"{available} of {len(data['offers'])} offers available"
    words = (data.get(key) for key in ("service_id", "reason", "return_tracking_number", "tracking_number"))
    return next((str(word) for word in words if word), "")


def _name_width(name: str) -> int:
    return 46 if name.startswith("shipx.") else 34


def _price(price: Mapping[str, Any] | None) -> str:
    return "price not told" if price is None else f"{price['amount']} {price['currency']}"


def _milliseconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds * 1000:.0f} ms"
