"""Selecting or buying up to a hundred offers at once: all of them, or none.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/28639270 and 28639272
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bridge.simulator.errors import not_found, validation_failed
from bridge.simulator.organizations import Organization
from bridge.simulator.requests import Id
from bridge.simulator.rules import Problem, checked, details_of
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World


class Item(BaseModel):
    """One choice; `id` only tells the caller which item an error belongs to."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    id: Id
    shipment_id: Id
    offer_id: Id


class Items(BaseModel):
    """The body of both calls."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    shipments: Annotated[list[Item], Field(min_length=1, max_length=100)]


Choice = tuple[Shipment, int]


def choices(body: object, organization: Organization, world: World) -> list[Choice]:
    """Check every item before anything happens, and give what to select or buy."""
    items = checked(Items, body).shipments
    found = [(item, _shipment(item, organization, world)) for item in items]
    if problems := list(_problems(found)):
        raise validation_failed(details_of(problems))
    for item, shipment in found:
        shipment.buyable_offer(item.offer_id, world.now())
    return [(shipment, item.offer_id) for item, shipment in found]


def _shipment(item: Item, organization: Organization, world: World) -> Shipment:
    shipment = world.shipments.get(item.shipment_id)
    if shipment is None or shipment.organization is not organization:
        raise not_found()
    return shipment


def _problems(found: list[tuple[Item, Shipment]]) -> Iterator[Problem]:
    seen: set[int] = set()
    for item, shipment in found:
        if shipment.offer(item.offer_id) is None:
            yield ("shipments", str(item.id), "offer_id"), "does_not_exist"
        if shipment.id in seen:
            yield ("shipments", str(item.id), "shipment_id"), "invalid"
        seen.add(shipment.id)
