"""A page of a list of shipments, as ShipX answers it.

A filter that it does not know is dropped in silence, and is missing from the `href` that it echoes (2026-10-10).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from bridge.carriers.shipx import wire
from bridge.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Listing:
    """What can be read of a page. `count` is on all pages, `unread` how many items of this one cannot be read.

    Without its filters it lists what nobody asked for, and says nothing about what is missing.
    """

    is_filtered: bool
    count: int
    items: tuple[wire.Shipment, ...]
    unread: int


def read(body: bytes, filters: Collection[str]) -> Listing:
    """Read a page of what was asked for by these filters. Raises Unreadable."""
    try:
        found = wire.Listing.model_validate_json(body)
    except ValidationError:
        raise Unreadable("not_a_list") from None
    items = tuple(one for one in found.items if one is not None)
    return Listing(echoed(found.href) >= set(filters), found.count, items, len(found.items) - len(items))


def echoed(href: str) -> set[str]:
    """Name what the answer says that it went by. Nobody follows the link."""
    try:
        return set(parse_qs(urlsplit(href).query))
    except ValueError:
        return set()


LAG: Final = timedelta(seconds=10)
"""By so much a list may be late: 5.4 s were seen (sandbox, 2026-10-10)."""


def is_settled(shipment: wire.Shipment, at: datetime) -> bool:
    """Say whether a list had time enough by then to show the last change of it."""
    return shipment.updated_at is None or at - shipment.updated_at >= LAG


_COMPARED = ("offers", "selected_offer", "transactions")


def says_the_same(alone: wire.Shipment, listed: wire.Shipment) -> bool:
    """Say whether an item of a list tells of the same offers and payments as the read of one: also which it names."""
    return _said(alone) == _said(listed)


def _said(shipment: wire.Shipment) -> dict[str, object]:
    said = {name: getattr(shipment, name) for name in _COMPARED if name in shipment.model_fields_set}
    return {name: sorted(it, key=lambda one: one.id) if isinstance(it, list) else it for name, it in said.items()}
