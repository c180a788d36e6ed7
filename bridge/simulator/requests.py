"""Reading what a client sent: who it is, which resource it means, and its JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from bridge.simulator.errors import forbidden, not_found, token_invalid, validation_failed
from bridge.simulator.organizations import Organization
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World

ID = re.compile(r"[1-9][0-9]{0,17}")


def _not_a_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "a number, not true or false")
    return value


Id = Annotated[int, BeforeValidator(_not_a_truth_value), Field(gt=0, lt=2**63)]


class Purchase(BaseModel):
    """The body of a selection or a purchase of one offer."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    offer_id: Id


def caller(request: Request, world: World) -> Organization:
    """Tell whose token this is, or refuse it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    organization = world.organizations.of_token(token.strip())
    if scheme.lower() != "bearer" or organization is None:
        raise token_invalid()
    return organization


def own_organization(request: Request, world: World, *, hidden: bool = False) -> Organization:
    """Give the organization of the path if the token is its own.

    Another's token is `forbidden`, except where the page says that the organization is then not found (`hidden`).
    """
    organization = caller(request, world)
    named = world.organizations.get(id_in_path(request))
    if named is None or (named is not organization and hidden):
        raise not_found()
    if named is not organization:
        raise forbidden()
    return organization


def own_shipment(request: Request, world: World) -> Shipment:
    """Give the shipment of the path; missing and another's look the same."""
    organization = caller(request, world)
    shipment = world.shipments.get(id_in_path(request))
    if shipment is None or shipment.organization is not organization:
        raise not_found()
    return shipment


def id_in_path(request: Request, name: str = "id") -> int:
    """Read an id of the path; what cannot be an id is not found."""
    text = str(request.path_params[name])
    if not ID.fullmatch(text):
        raise not_found()
    return int(text)


async def json_object(request: Request) -> dict[str, object]:
    """Read the body as a JSON object; an empty body is an empty one."""
    body = await request.body()
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise validation_failed() from None
    if not isinstance(value, dict):
        raise validation_failed()
    return value


async def shipment_attributes(request: Request) -> Mapping[str, object]:
    """Read shipment attributes from the top level, or from the `shipment` object the page asks for."""
    value = await json_object(request)
    inner = value.get("shipment")
    return inner if isinstance(inner, dict) else value
