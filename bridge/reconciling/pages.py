"""The carrier's list of shipments, from a moment of creation on, without a gap however it moves while it is read.

The next page is asked for by time, from the last creation seen on: by its number, what leaves the list meanwhile (a
shipment that is cancelled) would move another one past us. Numbers serve where a whole page was created in one instant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from bridge.errors import CarrierUnavailable
from bridge.limits.connection import Purpose
from bridge.model import ShipmentId
from bridge.ports import Discovery
from bridge.purchasing.shipment import Shipment

FILTER_DROPPED: Final = "filter_dropped"
"""The carrier drops filters that it does not know in silence: its answer is the whole list, from its beginning."""
NOT_WHOLE: Final = "unreadable_entries"
"""Why a list proves nothing that holds what cannot be read."""
_EARLIER: Final = timedelta(seconds=2)
"""By how much a shipment may be older than was asked for."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Shipments that were not on the page before, and up to which creation the list was read."""

    shipments: tuple[Shipment, ...]
    reached: datetime


async def created_since(
    carrier: Discovery, since: datetime, purpose: Purpose, *, may_skip: bool = False
) -> AsyncIterator[Batch]:
    """Give every shipment that was created from then on. Raises CarrierUnavailable or CarrierRefused.

    An entry that cannot be read may be any shipment, so to whoever looks for one the list is not whole; who `may_skip`
    goes on without it.
    """
    page, seen = 1, frozenset[ShipmentId]()
    while True:
        found = await carrier.created_since(since, page, purpose)
        created = _created(found.shipments)
        if created and min(created) < since - _EARLIER:
            raise CarrierUnavailable(FILTER_DROPPED)
        if found.unread and not may_skip:
            raise CarrierUnavailable(NOT_WHOLE)
        reached = max([since, *created]) if _is_ordered(found.shipments) else since
        yield Batch(tuple(one for one in found.shipments if one.id not in seen), reached)
        if found.is_last or not found.shipments:
            return
        ids = frozenset(one.id for one in found.shipments)
        if reached > since:
            since, page, seen = reached, 1, ids
        else:
            page, seen = page + 1, seen | ids


def _created(shipments: Sequence[Shipment]) -> list[datetime]:
    return [one.traits.created_at for one in shipments if one.traits.created_at is not None]


def _is_ordered(shipments: Sequence[Shipment]) -> bool:
    """Say whether the oldest stand first and all say when they were created; if not, only pages are a safe way."""
    created = _created(shipments)
    return len(created) == len(shipments) and all(first <= second for first, second in pairwise(created))
