"""The inbox over HTTP: list, look, and replay what was parked or failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NotRequired, assert_never

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import TypedDict

from bridge.errors import KeyMissing, Unreadable
from bridge.ingress.replay import Hopeless, Replay, Taken
from bridge.store.deliveries import STATES, Listed, Place, State, Wanted, decode, following
from bridge.web import endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import NOT_FOUND, NOT_REPLAYABLE
from bridge.web.parameters import Parameter, choice, cursor, limit
from bridge.web.problems import Problem, bad_field, not_found

_ONE: Final = "/v1/deliveries/{id}"
_ID: Final = Parameter("id", "The delivery's `delivery_id`.", {"type": "string", "minLength": 1})
_STATE: Final = choice("state", "Only deliveries in this state.", STATES)
_LIMIT: Final = limit(usual=50, most=500)


def _before(text: str) -> Place:
    try:
        return decode(text)
    except Unreadable as error:
        raise bad_field("after", error.reason, "is not a cursor of this list") from error


_AFTER: Final = cursor(_before)


class Delivery(TypedDict):
    """A delivery as it stands. `verdict` is what was done, or why nothing was; a parked one has no event."""

    delivery_id: str
    state: State
    organization_id: int
    event: str | None
    shipment_id: int | None
    occurred_at: datetime | None
    received_at: datetime
    repeats: int
    verdict: str | None
    peer: str | None
    replayed_as: str | None


class OneDelivery(Delivery):
    """A delivery looked at alone; `body` is there for tokens with the scope `personal:read`, null where it is gone."""

    body: NotRequired[str | None]


class DeliveryPage(TypedDict):
    """Some deliveries."""

    items: Sequence[Delivery]
    next: str | None


class ReplayedDelivery(TypedDict):
    """What became of a delivery that was to take effect once more."""

    outcome: Literal["accepted", "duplicate", "refused"]
    delivery_id: str


class DeliveriesApi:
    """`/v1/deliveries`."""

    def __init__(self, replay: Replay, access: Access) -> None:
        self._replay = replay
        self._deliveries = replay.deliveries
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "GET",
        "/v1/deliveries",
        "read",
        takes=(_STATE, _AFTER, _LIMIT),
        answers={200: Answer("A page.", DeliveryPage)},
    )
    async def list(self, request: Request, client: Client) -> Response:
        """Answer a page of deliveries, parked ones among them, the newest first."""
        most = _LIMIT.read(request)
        wanted = Wanted(_STATE.read(request), client.organizations, _AFTER.read(request))
        found = await self._deliveries.list(wanted, most)
        page: DeliveryPage = {"items": [item(one) for one in found], "next": following(found, most)}
        return _json(page)

    @guarded(
        "GET", _ONE, "read", takes=(_ID,), answers={200: Answer("The delivery.", OneDelivery)}, problems=(NOT_FOUND,)
    )
    async def show(self, request: Request, client: Client) -> Response:
        """Answer one delivery with its verdict; its body only to who may see personal data."""
        listed = _visible(client, await self._deliveries.show(request.path_params["id"]))
        if "personal:read" not in client.scopes:
            return _json(item(listed))
        whole: OneDelivery = {**item(listed), "body": await self._text(listed)}
        return _json(whole)

    async def _text(self, listed: Listed) -> str | None:
        """Give the body as text; None where it was erased, or the key that it was encrypted with is gone."""
        try:
            kept = await self._deliveries.body(listed.id)
        except KeyMissing:
            return None
        return None if kept is None else kept.body.decode("utf-8", "backslashreplace")

    @guarded(
        "POST",
        f"{_ONE}/replay",
        "admin",
        takes=(_ID,),
        answers={200: Answer("It is on its way.", ReplayedDelivery)},
        problems=(NOT_FOUND, NOT_REPLAYABLE),
    )
    async def replay(self, request: Request, client: Client) -> Response:
        """Project a delivery again, or let a parked one take effect."""
        listed = _visible(client, await self._deliveries.show(request.path_params["id"]))
        replayed = await self._replay.one(listed, by=client.name)
        match replayed:
            case Taken(outcome):
                taken: ReplayedDelivery = {"outcome": outcome, "delivery_id": listed.id}
                return _json(taken)
            case Hopeless(_, told):
                raise Problem(NOT_REPLAYABLE, told)
            case _:
                assert_never(replayed)


def _visible(client: Client, listed: Listed | None) -> Listed:
    if listed is None or not client.sees(listed.organization):
        raise not_found("delivery")
    return listed


def item(listed: Listed) -> Delivery:
    """Write a delivery as programs read it, without its body."""
    return {
        "delivery_id": listed.id,
        "state": listed.state,
        "organization_id": listed.organization,
        "event": listed.event,
        "shipment_id": listed.shipment,
        "occurred_at": listed.occurred_at,
        "received_at": listed.received_at,
        "repeats": listed.repeats,
        "verdict": listed.verdict,
        "peer": listed.peer,
        "replayed_as": listed.replayed_as,
    }


def _json(body: object) -> Response:
    return Response(to_json(body), media_type=JSON)
