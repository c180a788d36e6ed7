"""What is compared of purchases in the end: the carrier's own ledger with what a consumer was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from bridge.demo.summary import Check
from tests.soak.receipts import Receipts
from tests.soak.takings import Takings

LEAST_SHARE: Final = 0.95
"""Of the shipments, with the faults of carrier.toml."""


def compared(takings: Takings, receipts: Receipts, live: int, spent: Decimal) -> list[Check]:
    """Say that money was spent once for each shipment, and that everybody knows of it.

    `live` purchases are open in the database, and `spent` is what its budgets count.
    """
    return [
        _charged_once(takings),
        _told(takings, receipts),
        _counted(takings, spent),
        *_ended(takings, receipts, live),
        _share(takings),
    ]


def counted(takings: Takings, receipts: Receipts) -> dict[str, str | int | float]:
    """Count what was bought and how, for the table."""
    charged = set(takings.charges)
    unbought = Counter(receipts.last(one) for one in takings.shipments if one not in charged)
    return {
        "shipments created": len(takings.shipments),
        "  charged": len(charged),
        "  charged, and found by polling": len(receipts.polled & charged),
        **{f"  not charged: {last}": times for last, times in sorted(unbought.items())},
        "purchases requested": len(receipts.requested),
        "  succeeded": receipts.succeeded.total(),
        "  adopted": receipts.adopted.total(),
        "calls that buy one": takings.single_purchases,
        "calls that buy many": takings.bulk_purchases,
        "faults at the carrier": takings.faults,
        "webhooks of the carrier": takings.webhooks,
        "  acknowledged by nobody": takings.webhooks_lost,
    }


def share_bought(takings: Takings) -> float:
    """Give the share of the shipments that was paid for; all of none."""
    return len(set(takings.charges)) / len(takings.shipments) if takings.shipments else 1.0


def _charged_once(takings: Takings) -> Check:
    charged = Counter(takings.charges)
    twice = tuple(f"{one} was charged {times} times" for one, times in sorted(charged.items()) if times > 1)
    return Check(f"no shipment was charged twice: {charged.total():,} charges of {len(charged):,}", twice)


def _told(takings: Takings, receipts: Receipts) -> Check:
    charged, succeeded = Counter(takings.charges), receipts.succeeded
    name = f"charges are what events say succeeded: {charged.total():,} and {succeeded.total():,}"
    return Check(name, tuple(_different(charged, receipts)))


def _counted(takings: Takings, spent: Decimal) -> Check:
    unequal = (f"{spent:,.2f} PLN counted",) if spent != takings.paid else ()
    return Check(f"the budgets count what was paid: {takings.paid:,.2f} PLN", unequal)


def _different(charged: Counter[int], receipts: Receipts) -> Iterable[str]:
    for shipment in sorted({*charged, *receipts.succeeded}):
        told = receipts.succeeded[shipment]
        if charged[shipment] != told:
            adopted = f", {receipts.adopted[shipment]} adopted" if receipts.adopted[shipment] else ""
            yield f"{shipment}: {charged[shipment]} charges, {told} succeeded{adopted}"


def _ended(takings: Takings, receipts: Receipts, live: int) -> list[Check]:
    created = takings.shipments
    open_ = [f"{one}: last {receipts.last(one)}" for one in created if not receipts.has_ended(one)]
    intents = {*receipts.requested, *receipts.ends}
    odd = [f"{one}: {_odd(receipts, one)}" for one in sorted(intents) if _odd(receipts, one)]
    return [
        Check(f"each shipment was bought, or told why not: {len(created):,} created", tuple(open_)),
        Check("no purchase is left open", (f"{live:,} are live",) if live else ()),
        Check(f"each purchase requested ended once: {len(receipts.requested):,} requested", tuple(odd)),
    ]


def _odd(receipts: Receipts, intent: str) -> str | None:
    if intent not in receipts.requested:
        return "ended and was not requested"
    ends = receipts.ends[intent]
    return None if ends == 1 else f"ended {ends} times, shipment {receipts.requested[intent]}"


def _share(takings: Takings) -> Check:
    share = share_bought(takings)
    few = () if share >= LEAST_SHARE else (f"{share:.2%} of {len(takings.shipments):,}",)
    return Check(f"at least {LEAST_SHARE:.0%} of the shipments were bought: {share:.2%}", few)
