"""Asking for purchases, and entering into the ledger what somebody else bought: what the projection does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from bridge.model import OrganizationId, PurchaseWork, ShipmentId, micros
from bridge.store.database import Transaction
from bridge.store.purchase import ADOPTED_UNREAD, BY_PERSON, UNBOUGHT, PurchaseState

WINDOW: Final = timedelta(minutes=5)
"""How long an offer can be bought. A deadline further away is nobody's: webhooks are unsigned."""


def want(transaction: Transaction, work: Iterable[PurchaseWork], now: datetime) -> None:
    """Ask for purchases. One that is intended or in doubt is left to evidence, and wanted again if it ends unbought.

    What a person holds stays held, whatever the carrier offers anew.
    """
    rows = [
        (
            one.organization,
            one.shipment,
            PurchaseState.wanted.value,
            micros(min(max(one.deadline, now), now + WINDOW)),
            micros(now),
            one.cause,
            micros(now),
        )
        for one in sorted(work, key=lambda one: (one.organization, one.shipment))
    ]
    transaction.insert(
        "purchases (organization, shipment, state, deadline, due_at, cause, updated_at)",
        rows,
        tail=f"ON CONFLICT (organization, shipment) DO UPDATE SET {_ASKED_AGAIN}"
        f" WHERE (purchases.state <> 'succeeded' OR purchases.reason = '{ADOPTED_UNREAD}')"
        f" AND (purchases.state <> 'held' OR coalesce(purchases.reason, '') <> '{BY_PERSON}')",
    )
    if rows:
        transaction.notify("purchases")


def adopt_unread(
    transaction: Transaction, bought: Iterable[tuple[OrganizationId, ShipmentId, str | None]], now: datetime
) -> int:
    """Enter what a webhook says is bought into the ledger, unless a purchase of ours is still to be settled by reads.

    `bought` are organization, shipment and the delivery that says so; gives how many were entered.
    """
    at = micros(now)
    rows = [
        (organization, shipment, PurchaseState.succeeded.value, at, at, cause, ADOPTED_UNREAD, at)
        for organization, shipment, cause in sorted(bought, key=lambda one: one[:2])
    ]
    return len(
        transaction.insert(
            "purchases (organization, shipment, state, deadline, due_at, cause, reason, updated_at)",
            rows,
            tail="ON CONFLICT (organization, shipment) DO UPDATE SET state = excluded.state,"
            " cause = coalesce(excluded.cause, purchases.cause), reason = excluded.reason,"
            f" updated_at = excluded.updated_at WHERE purchases.state IN ({_UNBOUGHT}) RETURNING shipment",
        )
    )


_UNBOUGHT = ", ".join(f"'{state}'" for state in UNBOUGHT)


def _set(column: str, *, underway: str, ended: str) -> str:
    """Set a column of a purchase asked for again: to the one while it is underway, to the other when it is not."""
    return f"{column} = CASE WHEN purchases.state IN ('intended', 'doubt') THEN {underway} ELSE {ended} END"


_IS_LIVE = "purchases.state IN ('wanted', 'intended', 'doubt')"
_ASKED_AGAIN = ", ".join(
    (
        _set("wanted_cause", underway="excluded.cause", ended="NULL"),
        _set("wanted_deadline", underway="excluded.deadline", ended="NULL"),
        *(
            _set(column, underway=f"purchases.{column}", ended=f"excluded.{column}")
            for column in ("state", "deadline", "due_at", "cause", "attempts", "reads", "reason")
        ),
        # A held purchase that is asked for again is the same one; any other that ended is not.
        "intent_id = CASE WHEN purchases.state IN ('held', 'wanted', 'intended', 'doubt') THEN purchases.intent_id END",
        # What was refused counts within a window; a new one begins where a purchase had ended.
        f"refusals = CASE WHEN {_IS_LIVE} THEN purchases.refusals ELSE 0 END",
        f"answer = CASE WHEN {_IS_LIVE} THEN purchases.answer END",
        "updated_at = excluded.updated_at",
    )
)
