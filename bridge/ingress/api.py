"""The inbox over HTTP: list, look, and replay what was parked or failed."""

from __future__ import annotations

from typing import assert_never

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.errors import KeyMissing
from bridge.ingress.replay import Hopeless, Replay, Taken
from bridge.store.deliveries import STATES, Listed, State, Wanted, cursor_of
from bridge.web.access import Access, Client
from bridge.web.paging import limit
from bridge.web.problems import Problem, bad_field, not_found

_DEFAULT, _MOST = 50, 500


class DeliveriesApi:
    """`/v1/deliveries`."""

    def __init__(self, replay: Replay, access: Access) -> None:
        self._replay = replay
        self._deliveries = replay.deliveries
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/v1/deliveries", self.list),
            Route("/v1/deliveries/{id}", self.show),
            Route("/v1/deliveries/{id}/replay", self.replay, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """Answer a page of deliveries, the newest first."""
        client = self._access.require(request, "read")
        most = limit(request, usual=_DEFAULT, most=_MOST)
        wanted = Wanted(_state(request), client.organizations, _before(request.query_params.get("after")))
        found = await self._deliveries.list(wanted, most)
        following = None if len(found) < most else "{}.{}".format(*cursor_of(found[-1]))
        return _json({"items": [item(one) for one in found], "next": following})

    async def show(self, request: Request) -> Response:
        """Answer one delivery with its verdict; its body only to who may see personal data."""
        client = self._access.require(request, "read")
        listed = _visible(client, await self._deliveries.show(request.path_params["id"]))
        shown = item(listed)
        if "personal:read" in client.scopes:
            shown["body"] = await self._text(listed)
        return _json(shown)

    async def _text(self, listed: Listed) -> str | None:
        """Give the body as text; None where it was erased, or the key that it was encrypted with is gone."""
        try:
            kept = await self._deliveries.body(listed.id)
        except KeyMissing:
            return None
        return None if kept is None else kept.body.decode("utf-8", "backslashreplace")

    async def replay(self, request: Request) -> Response:
        """Project a delivery again, or let a parked one take effect."""
        client = self._access.require(request, "admin")
        listed = _visible(client, await self._deliveries.show(request.path_params["id"]))
        replayed = await self._replay.one(listed, by=client.name)
        match replayed:
            case Taken(outcome):
                return _json({"outcome": outcome, "delivery_id": listed.id})
            case Hopeless(_, told):
                raise Problem(409, "not-replayable", told)
            case _:
                assert_never(replayed)


def _visible(client: Client, listed: Listed | None) -> Listed:
    if listed is None or not client.sees(listed.organization):
        raise not_found("delivery")
    return listed


def _state(request: Request) -> State | None:
    text = request.query_params.get("state")
    for state in STATES:
        if text == state:
            return state
    if text is not None:
        raise bad_field("state", "unknown_value", f"must be one of {', '.join(STATES)}")
    return None


def _before(text: str | None) -> tuple[int, str] | None:
    if not text:
        return None
    moment, _, key = text.partition(".")
    if not moment.isdecimal() or len(moment) > 18:
        raise bad_field("after", "bad_cursor", "is not a cursor of this list")
    return int(moment), key


def item(listed: Listed) -> dict[str, object]:
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
    return Response(to_json(body), media_type="application/json")
