"""Selecting or buying up to a hundred offers at once: all of them, or none.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/28639270 and 28639272
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bridge.simulator.errors import Refusal, validation_failed
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

REFUSED = {"shipment_id": (404, "resource_not_found"), "offer_id": (400, "offer_unavailable")}
"""What a purchase of many is refused with, by the field that is the reason."""


def choices(body: object, organization: Organization, world: World, *, paying: bool) -> list[Choice]:
    """Check every item before anything happens, and give what to select or buy."""
    items = checked(Items, body).shipments
    named = [(item, _own(world.shipments.get(item.shipment_id), organization)) for item in items]
    if missing := [item for item, shipment in named if shipment is None]:
        raise _refusal("shipment_id", "does_not_exist", missing, world, paying=paying)
    found = [(item, shipment) for item, shipment in named if shipment is not None]
    if problems := list(_problems(found)):
        raise validation_failed(details_of(problems))
    for item, shipment in found:
        world.take(shipment, item.offer_id)
    if gone := [item for item, shipment in found if not _can_be_had(item, shipment, world, paying=paying)]:
        raise _refusal("offer_id", "invalid", gone, world, paying=paying)
    return [(shipment, item.offer_id) for item, shipment in found]


def _own(shipment: Shipment | None, organization: Organization) -> Shipment | None:
    return shipment if shipment is not None and shipment.organization is organization else None


def _problems(found: list[tuple[Item, Shipment]]) -> Iterator[Problem]:
    seen: set[int] = set()
    for item, shipment in found:
        if shipment.offer(item.offer_id) is None:
            yield ("shipments", str(item.id), "offer_id"), "does_not_exist"
        if shipment.id in seen:
            yield ("shipments", str(item.id), "shipment_id"), "invalid"
        seen.add(shipment.id)


def _can_be_had(item: Item, shipment: Shipment, world: World, *, paying: bool) -> bool:
    """Say whether an offer can be selected or bought. What is being bought may be let through, what is paid never."""
    if paying and shipment.purchases_running and not shipment.bought:
        return world.scenario.purchases.again != "refuse"
    try:
        shipment.buyable_offer(item.offer_id, world.now())
    except Refusal:
        return False
    return True


def _refusal(field: str, key: str, items: Iterable[Item], world: World, *, paying: bool) -> Refusal:
    """Refuse all for some. Errors of its own kind, which may name nothing, are documented for purchases alone."""
    details = details_of([(("shipments", str(item.id), field), key) for item in items])
    if not paying:
        return validation_failed(details)
    named = details if world.scenario.purchases.bulk_refusals == "named" else None
    return Refusal(*REFUSED[field], details=named)
