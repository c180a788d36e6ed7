"""After a pause: what ended unbought because of it is wanted again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bridge.model import OrganizationId, micros
from bridge.store.database import Transaction, marks
from bridge.store.purchase import FOR_THE_ACCOUNT

_WINDOW: Final = timedelta(minutes=5)
_JUST_BEFORE: Final = timedelta(minutes=10)
"""Purchases that failed for the same reason before the first refusal was seen."""
_OLDEST: Final = timedelta(hours=24)
_MOST: Final = 10_000
_OFTEN_ENOUGH: Final = 3
"""What failed so often is the shipment's own fault: it would pause the account again and again."""


def rewant(
    transaction: Transaction, organization: OrganizationId, since: datetime, now: datetime, *, most: int = _MOST
) -> int:
    """Want again what a pause that began at `since` kept from being bought, and say how much that is.

    That is what failed because of the account, and what was given up because it was paused: a read shows what became of
    the offers, and those that have run out are made anew. First comes what a read has shown before. Nobody is waited
    for: what another transaction changes just now is left to it.
    """
    oldest = max(since - _JUST_BEFORE, now - _OLDEST)
    # By a statement of its own: inside the update, PostgreSQL may choose more than once.
    found = transaction.run(
        "SELECT shipment FROM purchases WHERE organization = ? AND state IN ('expired', 'failed') AND updated_at >= ?"
        f" AND reason IN ({marks(FOR_THE_ACCOUNT)}) AND refusals < ?"
        f" ORDER BY CASE WHEN offer_id IS NULL THEN 1 ELSE 0 END, updated_at, shipment"
        f" LIMIT {most} {transaction.skip_locked('purchases')}",
        (organization, micros(oldest), *FOR_THE_ACCOUNT, _OFTEN_ENOUGH),
    )
    chosen = transaction.among("shipment", [shipment for (shipment,) in found])
    rows = transaction.run(
        "UPDATE purchases SET state = 'wanted', deadline = ?, due_at = ?, updated_at = ?, attempts = 0, reads = 0,"
        " answer = 'asked', reason = NULL, intent_id = NULL"
        f" WHERE organization = ? AND {chosen.sql} RETURNING shipment",
        (micros(now + _WINDOW), micros(now), micros(now), organization, *chosen.parameters),
    )
    if rows:
        transaction.notify("purchases")
    return len(rows)
