"""The merchant: creates shipments at the carrier, no faster than they are bought."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from bridge.demo.carrier import SHOPS, Carrier, Shop
from bridge.demo.ledger import Ledger
from bridge.demo.records import Mode, Order

_PACE_S: Final = 0.15
"""Between two orders while there are few, so that a reader can follow."""
_WHOLE_S: Final = 6.0
"""About how long ordering takes when there are more."""
_MOST_OPEN: Final = 200
_PER_SHIPMENT: Final = 20
"""PLN that cover the dearest offer of the scenario."""

_SENDER: Final[dict[str, Any]] = {
    "company_name": "Sklep Przykładowy",
    "first_name": "Jan",
    "last_name": "Nowak",
    "email": "sklep@example.com",
    "phone": "500100200",
    "address": {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"},
}
_RECEIVER: Final[dict[str, Any]] = {
    "first_name": "Anna",
    "last_name": "Przykładowa",
    "email": "anna@example.com",
    "phone": "500100300",
    "address": {"street": "Malborska", "building_number": "130", "city": "Kraków", "post_code": "30-624"},
}
_LOCKER: Final = {"target_point": "KRA010", "sending_method": "dispatch_order"}
_COURIER: Final = {"sending_method": "dispatch_order"}


async def order(carrier: Carrier, ledger: Ledger, shipments: int, on_order: Callable[[Order], None]) -> None:
    """Create so many shipments, in turn for each organization; every fifth names its service, and nobody buys it."""
    for shop in SHOPS:
        if shop.prepaid:
            await carrier.fund(shop, shipments * _PER_SHIPMENT)
    pace = min(_PACE_S, _WHOLE_S / shipments)
    for number in range(shipments):
        while ledger.open >= _MOST_OPEN:  # noqa: ASYNC110 - a merchant looks now and then, as merchants do
            await asyncio.sleep(_PACE_S)
        placed = await _place(carrier, SHOPS[number % len(SHOPS)], number)
        ledger.order(placed)
        on_order(placed)
        await asyncio.sleep(pace)


async def _place(carrier: Carrier, shop: Shop, number: int) -> Order:
    mode: Mode = "simplified" if number % 5 == 2 else "offer"
    return Order(await carrier.create(shop, shipment(number, mode)), shop.organization, mode)


def shipment(number: int, mode: Mode) -> dict[str, Any]:
    """Make up a shipment; two of three go to a locker. In simplified mode it names its service."""
    to_locker = number % 3 != 1
    service = "inpost_locker_standard" if to_locker else "inpost_courier_standard"
    return {
        "sender": _SENDER,
        "receiver": _RECEIVER,
        "parcels": [{"template": "small"}],
        "custom_attributes": _LOCKER if to_locker else _COURIER,
        "reference": f"ORDER-{number + 1:05}",
        **({"service": service} if mode == "simplified" else {}),
    }
