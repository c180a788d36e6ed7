"""The inbox over HTTP: list, look, and replay what was parked or failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

import structlog
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.errors import KeyMissing, Unreadable
from bridge.ingress.receiver import ReadWebhook
from bridge.ingress.verification import FOREIGN_ORGANIZATION, TOO_LARGE
from bridge.model import Arrival
from bridge.store.deliveries import STATES, Kept, Listed, SqlDeliveries, State, Wanted, cursor_of
from bridge.web.access import Access, Client
from bridge.web.paging import limit
from bridge.web.problems import Problem, bad_field, not_found

log = structlog.get_logger()

_DEFAULT, _MOST = 50, 500


class DeliveriesApi:
    """`/v1/deliveries`. `on_replay` wakes the worker."""

    def __init__(
        self,
        deliveries: SqlDeliveries,
        access: Access,
        read: Callable[[bytes, datetime], ReadWebhook],
        on_replay: Callable[[], None],
    ) -> None:
        self._deliveries = deliveries
        self._access = access
        self._read = read
        self._on_replay = on_replay

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
        return _json({"items": [_item(one) for one in found], "next": following})

    async def show(self, request: Request) -> Response:
        """Answer one delivery with its verdict; its body only to who may see personal data."""
        client = self._access.require(request, "read")
        listed = _visible(client, await self._deliveries.show(request.path_params["id"]))
        item = _item(listed)
        if "personal:read" in client.scopes:
            item["body"] = await self._text(listed)
        return _json(item)

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
        outcome = await self._release(listed) if listed.state == "parked" else await self._reopen(listed)
        log.info("delivery.replayed", delivery=listed.id, by=client.name, outcome=outcome)
        self._on_replay()
        return _json({"outcome": outcome, "delivery_id": listed.id})

    async def _reopen(self, listed: Listed) -> str:
        await self._deliveries.reopen(listed.id)
        return "accepted"

    async def _release(self, listed: Listed) -> str:
        try:
            kept = await self._deliveries.body(listed.id)
        except KeyMissing as error:
            raise Problem(409, "not-replayable", "The key that it was encrypted with is not configured.") from error
        if kept is None:
            raise not_found("delivery")
        receipt = await self._deliveries.release(listed.id, self._arrival(kept))
        return "refused" if receipt is None else receipt.value

    def _arrival(self, kept: Kept) -> Arrival:
        """Read a parked body as if it had just come; what made it unreadable then still does."""
        if not kept.is_whole:
            raise _hopeless(TOO_LARGE)
        try:
            webhook = self._read(kept.body, kept.listed.received_at)
        except Unreadable as error:
            raise _hopeless(error.reason) from error
        if webhook.organization != kept.listed.organization:
            raise _hopeless(FOREIGN_ORGANIZATION)
        return Arrival(
            id=webhook.id,
            organization=webhook.organization,
            event=webhook.event,
            shipment=webhook.shipment,
            occurred_at=webhook.at,
            received_at=kept.listed.received_at,
            body=kept.body,
            body_sha256=sha256(kept.body).digest(),
        )


def _hopeless(why: str) -> Problem:
    return Problem(409, "not-replayable", f"It cannot take effect: {why}.")


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


def _item(listed: Listed) -> dict[str, object]:
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
