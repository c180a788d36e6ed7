"""What is done with a shipment that is there, over HTTP: each a command, given under its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.commands.models import BuyShipment, CancelShipment, RefreshOffers, SelectOffer, ShipmentOrder
from bridge.model import Command
from bridge.shipping.whose import whose
from bridge.web import bodies, endpoint, numbers
from bridge.web.access import Access, Client, Wanted
from bridge.web.endpoint import Endpoint, OfClient, guarded
from bridge.web.fields import Number
from bridge.web.kinds import (
    ALREADY_BOUGHT,
    CANCEL_FAILED,
    CARRIER_REFUSED,
    IN_OTHER_HANDS,
    NOT_CANCELLABLE,
    NOT_FOR_SALE,
    NOT_FOUND,
    NOT_SELECTED,
    NOTHING_SENT,
    Kind,
)


class WhoseShipment(BaseModel):
    """What is asked for about the shipment that the path names."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    organization_id: Number | None = None


class ChosenOffer(WhoseShipment):
    """One of its offers."""

    offer_id: Number


class PerhapsOffer(WhoseShipment):
    """One of its offers, or whichever the policy chooses."""

    offer_id: Number | None = None


W = TypeVar("W", bound=WhoseShipment)
_OF_OFFERS: Final = (CARRIER_REFUSED, ALREADY_BOUGHT, IN_OTHER_HANDS, NOT_FOR_SALE, NOTHING_SENT)


def _order(name: str, right: Wanted, body: type[WhoseShipment], *problems: Kind) -> Callable[[OfClient], Endpoint]:
    """Describe an order about a shipment."""
    return guarded(
        "POST",
        f"/v1/shipments/{{shipment_id}}/{name}",
        right,
        takes=(numbers.SHIPMENT, bodies.OPTIONAL_KEY),
        body=body,
        answers=GIVEN,
        problems=(*PROBLEMS, NOT_FOUND, *problems),
    )


class SteeringApi:
    """`/v1/shipments/{shipment_id}/select`, `/buy`, `/refresh-offers` and `/cancel`."""

    def __init__(self, giving: Giving, access: Access) -> None:
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @_order("select", "shipments:write", ChosenOffer, *_OF_OFFERS, NOT_SELECTED)
    async def select(self, request: Request, client: Client) -> Response:
        """Select an offer at the carrier, where the others are gone then; the policy decides about the one."""
        return await self._give(request, client, ChosenOffer, SelectOffer)

    @_order("buy", "purchases:write", PerhapsOffer, *_OF_OFFERS)
    async def buy(self, request: Request, client: Client) -> Response:
        """Buy by the policy; or by `offer_id` that very offer, whatever the policy would choose, also what is held."""
        return await self._give(request, client, PerhapsOffer, BuyShipment)

    @_order("refresh-offers", "shipments:write", WhoseShipment)
    async def refresh(self, request: Request, client: Client) -> Response:
        """Have the offers made anew, whether or not the present ones have run out; then they are decided about."""
        return await self._give(request, client, WhoseShipment, RefreshOffers)

    @_order(
        "cancel",
        "shipments:write",
        WhoseShipment,
        *(CARRIER_REFUSED, IN_OTHER_HANDS, NOT_CANCELLABLE, CANCEL_FAILED, NOTHING_SENT),
    )
    async def cancel(self, request: Request, client: Client) -> Response:
        """Cancel a shipment that is not bought. It is read again for some seconds before that counts."""
        return await self._give(request, client, WhoseShipment, CancelShipment)

    async def _give(self, request: Request, client: Client, model: type[W], order: type[ShipmentOrder]) -> Response:
        key = bodies.optional_key(request)
        shipment = numbers.shipment(request, "shipment")
        told = await bodies.read(request, model)
        organization = whose(client, told.organization_id)
        asked = order(shipment_id=shipment, **told.model_dump() | {"organization_id": organization})
        return await self._giving.give(Command(asked.operation, key, asked.canonical, client.name))
