"""What a read of an order brings that was not known: how it is kept from now on, and the facts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid5

from bridge.dispatch.order import DispatchOrder
from bridge.dispatch.pace import is_gone
from bridge.dispatch.words import OrderState, state_of
from bridge.events.catalogue import DispatchOrderCreated, DispatchOrderFailed, DispatchOrderStatusChanged, Published
from bridge.events.cloudevents import NAMESPACE
from bridge.model import Evidence, Fact, OrganizationId, ShipmentId, Subject
from bridge.store.dispatches import Entered, Kept

MOST_STATUSES: Final = 100
"""More than any order has; what goes on changing after so many is not followed any more."""
_GIVEN_UP: Final = (OrderState.rejected, OrderState.gone)


@dataclass(frozen=True, slots=True)
class News:
    """How an order is kept after a read, and what is new in it."""

    kept: Kept
    facts: tuple[Fact, ...] = ()


def first(
    organization: OrganizationId, found: DispatchOrder, now: datetime, shipments: tuple[ShipmentId, ...] = ()
) -> Kept:
    """Begin to keep an order; `shipments` are those that were asked for, where we asked."""
    of_it = shipments or tuple(one.id for one in found.shipments)
    return Kept(
        organization=organization,
        id=found.id,
        state=OrderState.open,
        carrier_status=None,
        shipments=tuple(sorted(of_it)),
        statuses=(),
        command=None,
        created_at=found.created_at,
        known_since=now,
        news_at=now,
        read_at=now,
        due_at=now,
    )


def created(kept: Kept, found: DispatchOrder, command: str, now: datetime) -> News:
    """Join an order to the command that made it: its first status is part of that."""
    ours = replace(kept, command=command)
    after = _moved(ours, found, now) if kept.carrier_status is None else ours
    data = DispatchOrderCreated(
        **_about(after.organization, after.shipments), dispatch_order_id=after.id, carrier_status=after.carrier_status
    )
    made = _fact(after, data, "created", found.created_at or now, command)
    return News(after, (made, *_given_up(kept, after, command)))


def read(kept: Kept, found: DispatchOrder, now: datetime, cause: str | None = None) -> News:
    """Take a read in; `cause` is the command that had it made."""
    seen = replace(kept, read_at=now, misses=0, missed_since=None)
    if _is_stale(kept, found) or found.status in (None, kept.carrier_status) or len(kept.statuses) >= MOST_STATUSES:
        return News(replace(seen, quiet=kept.quiet + 1))
    after = _moved(seen, found, now)
    return News(after, (_status(kept, after, cause), *_given_up(kept, after, cause)))


def missed(kept: Kept, now: datetime) -> News:
    """Take note that the carrier does not know it; after several times it is given up, and that is told."""
    after = replace(kept, read_at=now, misses=kept.misses + 1, missed_since=kept.missed_since or now)
    return lost(after, now) if is_gone(after, now) else News(after)


def lost(kept: Kept, now: datetime, cause: str | None = None) -> News:
    """Give an order up that the carrier does not know; one that was over before stays as it was."""
    if OrderState(kept.state).is_over:
        return News(kept)
    gone = replace(kept, state=OrderState.gone, read_at=now)
    return News(gone, tuple(_given_up(kept, gone, cause)))


def failed(
    organization: OrganizationId,
    shipments: tuple[ShipmentId, ...],
    command: str,
    now: datetime,
    *,
    reason: str,
    carrier_error: str | None = None,
) -> Fact:
    """Tell that no order came of a command: it has no number, so the command names it."""
    about = _about(organization, tuple(sorted(shipments)))
    data = DispatchOrderFailed(**about, dispatch_order_id=None, reason=reason, carrier_error=carrier_error)
    subject = Subject.dispatch_order(organization, uuid5(NAMESPACE, f"dispatch_order/{organization}/{command}"))
    return Fact(subject, data.type, "failed", now, data, causation=command)


def _is_stale(kept: Kept, found: DispatchOrder) -> bool:
    """Say whether a read is older than what is known: it was under way while another one was taken in."""
    return found.updated_at is not None and bool(kept.statuses) and found.updated_at < kept.statuses[-1].at


def _moved(kept: Kept, found: DispatchOrder, now: datetime) -> Kept:
    """Let an order enter the status that it was found in."""
    if found.status is None:
        return kept
    at = min(found.updated_at or now, now)
    return replace(
        kept,
        state=state_of(found.status),
        carrier_status=found.status,
        statuses=(*kept.statuses, Entered(found.status, at)),
        news_at=now,
        read_at=now,
        quiet=0,
    )


def _status(before: Kept, after: Kept, cause: str | None) -> Fact:
    """Tell a status. The same one again later is another fact: so it has the number of its stay."""
    entered = after.statuses[-1]
    data = DispatchOrderStatusChanged(
        **_about(after.organization, after.shipments),
        dispatch_order_id=after.id,
        state=after.state,
        carrier_status=entered.word,
        previous_carrier_status=before.carrier_status,
        terminal=OrderState(after.state).is_over,
    )
    stay = sum(one.word == entered.word for one in after.statuses)
    return _fact(after, data, f"{entered.word}#{stay}", entered.at, cause)


def _given_up(before: Kept, after: Kept, cause: str | None) -> Iterator[Fact]:
    """Tell that the carrier took the order and gave it up, or lost it."""
    if after.state in _GIVEN_UP and after.state != before.state:
        about = _about(after.organization, after.shipments)
        data = DispatchOrderFailed(**about, dispatch_order_id=after.id, reason=after.state, carrier_error=None)
        at = after.read_at if after.state == OrderState.gone else after.statuses[-1].at
        yield _fact(after, data, f"{after.state}#{len(after.statuses)}", at, cause)


def _about(organization: OrganizationId, shipments: tuple[ShipmentId, ...]) -> dict[str, Any]:
    return {
        "organization_id": organization,
        "shipments": shipments,
        "evidence": Evidence.carrier,
        "current": True,
    }


def _fact(kept: Kept, data: Published, key: str, at: datetime, cause: str | None) -> Fact:
    return Fact(Subject.dispatch_order(kept.organization, kept.id), data.type, key, at, data, causation=cause)
