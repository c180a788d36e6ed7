"""Asking for purchases, and for reads of what is said to be bought; entering what reads show that others bought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.model import Fact, OfferId, OrganizationId, PurchaseWork, ShipmentId, micros
from bridge.store.database import Transaction
from bridge.store.purchase import (
    ADOPTED,
    ADOPTED_UNREAD,
    BY_PERSON,
    IS_UNBOUGHT,
    NOT_CREATED_HERE,
    SAID_BOUGHT,
    UNREACHED,
    PurchaseState,
)

WINDOW: Final = timedelta(minutes=5)
"""How long an offer can be bought. A deadline further away is nobody's: webhooks are unsigned."""
ANOTHER_WINDOW: Final = timedelta(seconds=5)
"""What is asked for ends so much later than a window in which buying failed, or it is about that same window."""
_ANOTHER: Final = ANOTHER_WINDOW // timedelta(microseconds=1)
_SHOWS_AFTER: Final = timedelta(seconds=3)
"""From the webhook to the read: a purchase shows after about a second, and what comes meanwhile is read together."""
_Said = tuple[OrganizationId, ShipmentId, str | None]
"""What is bought: organization, shipment, and the delivery or the read that says so."""


def want(transaction: Transaction, work: Iterable[PurchaseWork], now: datetime) -> None:
    """Ask for purchases. One that is intended or in doubt is left to evidence, and wanted again if it ends unbought.

    What a person holds stays held, whatever the carrier offers anew; what failed is not tried again by itself within
    its window, however often that is told of.
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
        f" AND (purchases.state <> 'held' OR coalesce(purchases.reason, '') <> '{BY_PERSON}')"
        f" AND (purchases.state <> 'failed' OR excluded.deadline > purchases.deadline + {_ANOTHER})",
    )
    if rows:
        transaction.notify("purchases")


def unreached(
    transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId]
) -> set[ShipmentId]:
    """Choose those whose purchase ended because the carrier was away: nothing was decided about them."""
    if not shipments:
        return set()
    those = transaction.among("shipment", shipments)
    sql = f"SELECT shipment FROM purchases WHERE organization = ? AND {those.sql} AND state = 'expired' AND reason = ?"
    return {ShipmentId(row[0]) for row in transaction.run(sql, (organization, *those.parameters, UNREACHED))}


def want_created(
    transaction: Transaction, organization: OrganizationId, shipments: Sequence[ShipmentId], cause: str, now: datetime
) -> None:
    """Want again what was held because nobody knew that the bridge made it: a webhook may overtake the answer."""
    if not shipments:
        return
    those = transaction.among("shipment", shipments)
    rows = transaction.run(
        "UPDATE purchases SET state = 'wanted', reason = NULL, answer = 'asked', attempts = 0, reads = 0, cause = ?,"
        " due_at = ?, updated_at = ?, token = token + 1, held_until = 0"
        f" WHERE organization = ? AND {those.sql} AND state = 'held' AND reason = '{NOT_CREATED_HERE}'"
        " RETURNING shipment",
        (cause, micros(now), micros(now), organization, *those.parameters),
    )
    if rows:
        transaction.notify("purchases")


def say_bought(transaction: Transaction, said: Iterable[_Said], now: datetime) -> None:
    """Have it read what a webhook says is bought: it is unsigned, so the ledger believes nothing of it.

    What is proven stays as it is. What somebody works on is read anyway, and looked at only if it ends unbought.
    """
    at, look_at = micros(now), micros(now + _SHOWS_AFTER)
    transaction.insert(
        "purchases (organization, shipment, state, deadline, due_at, cause, reason, updated_at, look_at, said_at)",
        [
            (organization, shipment, PurchaseState.not_ours.value, at, at, cause, SAID_BOUGHT, at, look_at, at)
            for organization, shipment, cause in sorted(said, key=lambda one: one[:2])
        ],
        tail="ON CONFLICT (organization, shipment) DO UPDATE SET look_at = excluded.look_at, said_at = excluded.said_at"
        " WHERE purchases.state <> 'succeeded' AND (purchases.said_at IS NULL OR purchases.look_at IS NULL)",
    )


@dataclass(frozen=True, slots=True)
class Adoption:
    """What somebody else bought, as far as a read shows it: which offer, and what is told of it under which intent."""

    cause: str | None
    offer: OfferId | None = None
    service: str | None = None
    told: Fact | None = None


def adopt(
    transaction: Transaction, organization: OrganizationId, bought: Mapping[ShipmentId, Adoption], now: datetime
) -> list[ShipmentId]:
    """Enter what a read showed to be bought into the ledger, unless a purchase of ours is still to be settled.

    Gives those that were entered.
    """
    at, state = micros(now), PurchaseState.succeeded.value
    rows = [
        (organization, shipment, state, at, at, one.cause, ADOPTED, at, *_of(one))
        for shipment, one in sorted(bought.items())
    ]
    kept = ", ".join(f"{name} = coalesce(excluded.{name}, purchases.{name})" for name in ("cause", *_ADOPTED))
    entered = transaction.insert(
        "purchases (organization, shipment, state, deadline, due_at, cause, reason, updated_at,"
        f" {', '.join(_ADOPTED)})",
        rows,
        tail=f"ON CONFLICT (organization, shipment) DO UPDATE SET state = excluded.state, {kept},"
        " reason = excluded.reason, look_at = NULL, said_at = NULL, ordered_offer = NULL,"
        " token = purchases.token + 1, held_until = 0, updated_at = excluded.updated_at"
        f" WHERE purchases.{IS_UNBOUGHT} RETURNING shipment",
    )
    return [ShipmentId(row[0]) for row in entered]


_ADOPTED: Final = ("intent_id", "offer_id", "service_id")


def _of(one: Adoption) -> tuple[object, ...]:
    """Give the values for _ADOPTED."""
    return None if one.told is None else one.told.key, one.offer, one.service


def _set(column: str, *, underway: str, ended: str) -> str:
    """Set a column of a purchase asked for again: to the one while it is underway, to the other when it is not."""
    return f"{column} = CASE WHEN purchases.state IN ('intended', 'doubt', 'steered') THEN {underway} ELSE {ended} END"


_IS_LIVE = "purchases.state IN ('wanted', 'intended', 'doubt', 'steered')"
_ASKED_AGAIN = ", ".join(
    (
        _set("wanted_cause", underway="excluded.cause", ended="NULL"),
        _set("wanted_deadline", underway="excluded.deadline", ended="NULL"),
        *(
            _set(column, underway=f"purchases.{column}", ended=f"excluded.{column}")
            for column in ("state", "cause", "attempts", "reads")
        ),
        # What is in hand is due; where it is not, an edit may be under way, and nothing is bought meanwhile.
        "due_at = CASE WHEN purchases.state IN ('intended', 'doubt', 'steered')"
        " OR (purchases.state = 'wanted' AND purchases.held_until <> 0)"
        " THEN purchases.due_at ELSE excluded.due_at END",
        # What is told late, or forged, closes no window earlier.
        "deadline = CASE WHEN purchases.state IN ('intended', 'doubt', 'steered')"
        " OR (purchases.state = 'wanted' AND purchases.deadline > excluded.deadline)"
        " THEN purchases.deadline ELSE excluded.deadline END",
        # Why it waits for a person is not forgotten: with the old offers, it goes on waiting.
        f"reason = CASE WHEN {_IS_LIVE} OR purchases.state = 'held' THEN purchases.reason END",
        # A held purchase that is asked for again is the same one; any other that ended is not.
        "intent_id = CASE WHEN purchases.state IN ('held', 'wanted', 'intended', 'doubt', 'steered')"
        " THEN purchases.intent_id END",
        # What was refused counts within a window; a new one begins where a purchase had ended.
        f"refusals = CASE WHEN {_IS_LIVE} THEN purchases.refusals ELSE 0 END",
        f"answer = CASE WHEN {_IS_LIVE} THEN purchases.answer END",
        # Whoever only looks at it has it no more: what that read showed is too old.
        f"token = CASE WHEN {_IS_LIVE} THEN purchases.token ELSE purchases.token + 1 END",
        f"held_until = CASE WHEN {_IS_LIVE} THEN purchases.held_until ELSE 0 END",
        "updated_at = excluded.updated_at",
    )
)
