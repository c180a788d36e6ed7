"""What is said in words: what stands in an event, which fault was met, and what the demo is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bridge.demo.options import Options
from bridge.demo.records import DECIDED, STATUS_CHANGED, SUCCEEDED, Mishap, Seen

_FAULTS: Final = {
    "slow": "its answer takes its time",
    "late": "it takes its time to get there",
    "hidden": "not seen in reads yet",
    "limited": "429: later, please",
    "unavailable": "503, never got there",
    "failed": "500, never got there",
    "dropped": "connection closed, never got there",
    "lost": "done, but answered 502",
    "crashed": "done, but answered 500",
    "hung_up": "done, but the connection was closed",
    "cut": "done, but half the answer is missing",
    "page": "done, but answered with a page",
    "spoiled": "not available any more when it is taken",
    "missing": "never sent",
    "delayed": "sent late",
    "reordered": "held back until the next is told",
    "repeated": "will be sent again",
    "burst": "all in one second, told in another order",
}
"""The simulator's kinds of faults in words."""


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


def met(mishap: Mishap) -> str:
    """Name the call, the effect or the webhook that met a fault, without its shipment."""
    call, _, last = mishap.about.rpartition("/")
    return f"{call.partition(' ')[0]} {'shipment' if last.isdecimal() else last}" if call else mishap.about


def wrong(mishap: Mishap) -> str:
    """Say in a few words what went wrong, and for how long."""
    words = _FAULTS.get(mishap.kind, mishap.kind)
    return words if mishap.seconds is None else f"{words}, {mishap.seconds:.1f} s"


def _price(price: Mapping[str, Any] | None) -> str:
    return "price not told" if price is None else f"{price['amount']} {price['currency']}"


def introduction(options: Options, *, uses_broker: bool) -> str:
    """Say what there is to see."""
    consumer = "a consumer's queue on RabbitMQ" if uses_broker else "the bridge's own feed"
    text = (
        "ShipX Bridge at work, all on this machine: nothing leaves it, nothing is paid, and nothing stays.\n\n"
        "  merchant → carrier (a simulator of ShipX, one prepaid and one postpaid organization)\n"
        "             carrier → webhooks → bridge (`bridge serve` on SQLite)\n"
        f"                                  bridge → events → {consumer}\n\n"
        "  order     a shipment that the merchant creates at the carrier\n"
        "  webhook   what the carrier posts to the bridge, and the answer; some are sent twice\n"
        "  decision  which of the offers the bridge takes\n"
        "  purchase  the one order to buy, and what became of it\n"
        "  event     everything else that the bridge tells its consumers\n"
    )
    if options.faults:
        text += (
            "  fault     what goes wrong at the carrier: calls, their answers, what reads show, webhooks\n\n"
            f"What goes wrong follows from the seed: `--faults --seed {options.seed}` repeats it.\n"
        )
    return text
