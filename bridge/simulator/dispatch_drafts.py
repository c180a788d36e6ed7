"""What a merchant asks of couriers: the bodies of the calls about dispatch orders, and what is checked of them.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153482 (orders), 18153498 (prices)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from bridge.simulator.dispatch_orders import HOLDS
from bridge.simulator.drafts import Address, Attributes, Phone, Text
from bridge.simulator.organizations import Organization
from bridge.simulator.requests import Id
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World

Remark = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class DispatchDraft(Attributes):
    """A new order. Where it names a place, the address is that place's."""

    shipments: Annotated[list[Id], Field(min_length=1)]
    name: Text | None = None
    phone: Phone | None = None
    email: Text | None = None
    comment: Text | None = None
    office_hours: Text | None = None
    address: Address | None = None
    dispatch_point_id: Id | None = None


class PriceQuestion(Attributes):
    """What would a visit cost?"""

    shipments: Annotated[list[Id], Field(min_length=1)]
    dispatch_point_id: Id | None = None


class NewComment(Attributes):
    comment: Remark


class CommentChange(NewComment):
    id: Id


class CommentRemoval(Attributes):
    id: Id


def sorted_out(
    ids: Sequence[int], organization: Organization, world: World
) -> tuple[list[Shipment], dict[str, list[str]]]:
    """Say which shipments a courier can be sent for, and what speaks against the others.

    They have to be `confirmed` (not later) and not held by another order. `already_dispatched` stands in the price
    list's sample; the other two words are ours.
    """
    found: list[Shipment] = []
    wrong: dict[str, list[str]] = {}
    for shipment_id in dict.fromkeys(ids):
        shipment = world.shipments.get(shipment_id)
        if shipment is None or shipment.organization is not organization:
            wrong[str(shipment_id)] = ["does_not_exist"]
        elif held(shipment, world):
            wrong[str(shipment_id)] = ["already_dispatched"]
        elif shipment.status != "confirmed":
            wrong[str(shipment_id)] = ["shipment_status_incorrect"]
        else:
            found.append(shipment)
    return found, wrong


def held(shipment: Shipment, world: World) -> bool:
    """Say whether an order holds the shipment."""
    order = world.dispatch_orders.get(shipment.dispatch_order_id or 0)
    return order is not None and order.status in HOLDS
