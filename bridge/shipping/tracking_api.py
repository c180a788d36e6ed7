"""Where any parcel is, over HTTP: the carrier's public trail in our words, beside the carrier's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import TypedDict

from bridge.events import statuses
from bridge.events.shipment import SOURCE
from bridge.events.statuses import TrackingStatus
from bridge.shipping.trails import Trails
from bridge.tracking.trail import Step, Tracking
from bridge.web import endpoint
from bridge.web.access import Access, Client
from bridge.web.endpoint import JSON, Answer, guarded
from bridge.web.kinds import CARRIER_REFUSED, CARRIER_UNAVAILABLE, NOT_FOUND
from bridge.web.parameters import Parameter
from bridge.web.problems import not_found

_NUMBER: Final = re.compile(r"[0-9A-Za-z]{1,40}")


_PARAMETER: Final = Parameter(
    "number", "The number on the label, whoever's parcel it is.", {"type": "string", "pattern": f"^{_NUMBER.pattern}$"}
)


class TrailStep(TypedDict):
    """Something that happened to a parcel: ours for it, beside the carrier's word."""

    at: datetime
    tracking_status: TrackingStatus
    carrier_status: str
    origin_status: str | None
    agency: str | None


class Trail(TypedDict):
    """Where a parcel is and has been, newest first, as the carrier tells everybody; it remembers about 45 days."""

    tracking_number: str
    tracking_status: Annotated[TrackingStatus, Field(description="By the newest word that says where it is")]
    carrier_status: str
    reason: str | None
    terminal: bool
    attention: bool
    service: str | None
    target_point: str | None
    created_at: datetime | None
    updated_at: datetime | None
    steps: Sequence[TrailStep]
    unread_steps: Annotated[int, Field(description="How many the carrier wrote in a way that could not be read")]


class TrackingApi:
    """`GET /v1/tracking/{number}`."""

    def __init__(self, trails: Trails, access: Access) -> None:
        self._trails = trails
        self._access = access

    def routes(self) -> list[Route]:
        """Give the route."""
        return endpoint.routes(self, self._access)

    @guarded(
        "GET",
        "/v1/tracking/{number}",
        "read",
        takes=(_PARAMETER,),
        answers={200: Answer("Where it is and has been.", Trail)},
        problems=(NOT_FOUND, CARRIER_REFUSED, CARRIER_UNAVAILABLE),
    )
    async def show(self, request: Request, _client: Client) -> Response:
        """Answer where a parcel is and has been, whoever's it is, newest first; kept for ten seconds."""
        number = request.path_params["number"]
        if not _NUMBER.fullmatch(number):
            raise not_found("parcel")
        found = await self._trails.find(number)
        return Response(to_json(document(found)), media_type=JSON)


def document(found: Tracking) -> Trail:
    """Describe a trail."""
    status = statuses.lookup(SOURCE, found.status)
    return {
        "tracking_number": found.number,
        "tracking_status": _where(found),
        "carrier_status": found.status,
        "reason": status.reason,
        "terminal": status.terminal,
        "attention": status.attention,
        "service": found.service,
        "target_point": found.target_point,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "steps": [_step(one) for one in found.steps],
        "unread_steps": found.unread,
    }


def _where(found: Tracking) -> TrackingStatus:
    """Say where it is: by the newest word that says so."""
    for word in (found.status, *(one.status for one in found.steps)):
        status = statuses.lookup(SOURCE, word)
        if not status.keep_previous:
            return status.tracking
    return TrackingStatus.unknown


def _step(one: Step) -> TrailStep:
    return {
        "at": one.at,
        "tracking_status": statuses.lookup(SOURCE, one.status).tracking,
        "carrier_status": one.status,
        "origin_status": one.origin_status,
        "agency": one.agency,
    }
