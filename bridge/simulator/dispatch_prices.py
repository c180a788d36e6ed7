"""What a courier's visit would cost.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153498
"""

from __future__ import annotations

from decimal import Decimal

from bridge.simulator.dispatch_drafts import PriceQuestion, sorted_out
from bridge.simulator.dispatching import known_point
from bridge.simulator.documents import Document
from bridge.simulator.labels import bought_as
from bridge.simulator.organizations import Organization
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World


def price_list(question: PriceQuestion, organization: Organization, world: World) -> Document:
    """Say what a visit would cost: once for each kind of service. A postpaid organization is not told."""
    if question.dispatch_point_id is not None:
        known_point(question.dispatch_point_id, organization, world)
    found, wrong = sorted_out(question.shipments, organization, world)
    kinds: dict[str, list[Shipment]] = {}
    for shipment in found:
        kinds.setdefault(_kind(shipment), []).append(shipment)
    prices = {kind: getattr(world.scenario.dispatch.prices, kind) for kind in kinds}
    known = organization.prepaid
    return {
        "total_success_count": len(found),
        "total_error_count": len(wrong),
        "total_price": _money(float(sum(prices.values())) if known else None),
        "price_list": {
            kind: {
                "count": len(group),
                "price": _money(_text(prices[kind]) if known else None),  # text here, a number in the total
                "shipments": [shipment.id for shipment in group],
            }
            for kind, group in kinds.items()
        },
        "invalid_shipments": wrong,
    }


def _kind(shipment: Shipment) -> str:
    service = bought_as(shipment, "calculate")
    return "allegro" if service.allegro else service.reach


def _money(amount: object) -> Document:
    return {"amount": amount, "currency": None if amount is None else "PLN"}


def _text(amount: Decimal) -> str:
    return f"{amount:.2f}"
