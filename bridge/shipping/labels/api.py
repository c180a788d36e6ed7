"""Labels over HTTP: as files to whoever may see personal data, and as a command to have one kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.commands.giving import GIVEN, PROBLEMS, Giving
from bridge.errors import CarrierError, CarrierUnavailable, StoreError
from bridge.model import Command, OrganizationId, ShipmentId
from bridge.shipments import label_rules
from bridge.shipments.asked_label import FetchLabel, LabelAsked
from bridge.shipments.label import MEDIA_TYPES, Label, LabelWish
from bridge.shipping.labels import asked, many
from bridge.shipping.labels.desk import Desk
from bridge.shipping.labels.problems import told
from bridge.store.bought import Known
from bridge.store.labels import Place
from bridge.web import bodies, endpoint, numbers
from bridge.web.access import Access, Client
from bridge.web.endpoint import Answer, guarded
from bridge.web.kinds import (
    CARRIER_REFUSED,
    CARRIER_UNAVAILABLE,
    FORBIDDEN,
    LABEL_NOT_READY,
    NOT_FOUND,
    NOTHING_SENT,
)
from bridge.web.problems import FieldError, Problem, bad_field

log = structlog.get_logger()

_SCOPE: Final = "personal:read"
"""A label names people, so nothing less opens it; and nothing more is needed."""
_ONE: Final = "/v1/shipments/{shipment_id}/label"
_SHIPMENTS: Final = numbers.several_shipments(asked.MOST_AT_ONCE)
_FILE: Final = {"type": "string", "format": "binary"}
_NAMED: Final = {"Content-Disposition": "How the file is called", "Cache-Control": "`private, no-cache`"}
_TAG: Final = {"ETag": "Its sha256", "Cache-Control": "`private, no-cache`"}
_PDF, _ZPL, _EPL, _ZIP = (MEDIA_TYPES[ending] for ending in ("pdf", "zpl", "epl", "zip"))
_MANY: Final = {200: Answer("A file, or an archive of several.", _FILE, _PDF, _NAMED, (_ZPL, _EPL, _ZIP))}
_PROBLEMS: Final = (NOT_FOUND, CARRIER_REFUSED, LABEL_NOT_READY, CARRIER_UNAVAILABLE)


class LabelsApi:
    """`/v1/shipments/{shipment_id}/label`, `/v1/labels` and `/v1/return-labels`."""

    def __init__(self, desk: Desk, giving: Giving, access: Access) -> None:
        self._desk = desk
        self._giving = giving
        self._access = access

    def routes(self) -> list[Route]:
        """Give the routes."""
        return endpoint.routes(self, self._access)

    @guarded(
        "GET",
        _ONE,
        _SCOPE,
        takes=(numbers.SHIPMENT, numbers.ORGANIZATION, asked.FORMAT, asked.KIND),
        answers={
            200: Answer("The label.", _FILE, _PDF, _NAMED | _TAG, (_ZPL, _EPL)),
            304: Answer("It is the one that `If-None-Match` names.", headers=_TAG),
        },
        problems=_PROBLEMS,
    )
    async def show_label(self, request: Request, client: Client) -> Response:
        """Answer the label of a shipment as a file: the one that is kept, or the carrier's, which is kept then."""
        shipment, form, kind = numbers.shipment(request, "shipment"), asked.form(request), asked.KIND.read(request)
        asked.refuse(label_rules.broken(form, kind))
        (known,) = await self._found(client, [shipment], numbers.ORGANIZATION.read(request))
        asked.refuse(label_rules.broken(form, kind, _services([known])))
        content, digest = await self._one(known, LabelWish.of(form, kind))
        headers = {"etag": f'"{digest}"', "cache-control": "private, no-cache"}
        if _has(request, digest):
            return Response(status_code=304, headers=headers)
        return _file(content, many.file_name(shipment, form), headers)

    @guarded(
        "POST",
        _ONE,
        "shipments:write",
        takes=(numbers.SHIPMENT, bodies.OPTIONAL_KEY),
        body=LabelAsked,
        answers=GIVEN,
        problems=(*PROBLEMS, NOT_FOUND, CARRIER_REFUSED, NOTHING_SENT),
    )
    async def fetch_label(self, request: Request, client: Client) -> Response:
        """Have a label fetched and kept, which an event tells of; answers where it is, not itself."""
        shipment, key = numbers.shipment(request, "shipment"), bodies.optional_key(request)
        wanted = await bodies.read(request, LabelAsked)
        (known,) = await self._found(client, [shipment], wanted.organization_id)
        order = FetchLabel(
            shipment_id=shipment, organization_id=known.organization, format=wanted.format, type=wanted.type
        )
        return await self._giving.give(Command(order.operation, key, order.canonical, client.name))

    @guarded(
        "GET",
        "/v1/labels",
        _SCOPE,
        takes=(_SHIPMENTS, numbers.ORGANIZATION, asked.FORMAT, asked.KIND),
        answers=_MANY,
        problems=_PROBLEMS,
    )
    async def list(self, request: Request, client: Client) -> Response:
        """Answer the labels of up to a hundred shipments in one file, or in an archive."""
        shipments, form, kind = (
            numbers.shipments(request, asked.MOST_AT_ONCE),
            asked.form(request),
            asked.KIND.read(request),
        )
        asked.refuse(label_rules.broken(form, kind))
        found = await self._found(client, shipments, numbers.ORGANIZATION.read(request))
        asked.refuse(label_rules.broken(form, kind, _services(found)))
        wish = LabelWish.of(form, kind)
        if len(found) == 1:
            content, _ = await self._one(found[0], wish)
            return _file(content, many.file_name(found[0].shipment, form))
        return await self._several(found, wish)

    @guarded(
        "GET",
        "/v1/return-labels",
        _SCOPE,
        takes=(_SHIPMENTS, numbers.ORGANIZATION, asked.FORMAT),
        answers=_MANY,
        problems=_PROBLEMS,
    )
    async def list_way_back(self, request: Request, client: Client) -> Response:
        """Answer labels for the way back, of up to a hundred shipments by courier; they are not kept."""
        shipments, form = numbers.shipments(request, asked.MOST_AT_ONCE), asked.form(request)
        found = await self._found(client, shipments, numbers.ORGANIZATION.read(request))
        asked.refuse(label_rules.broken_way_back(_services(found)))
        try:
            label = await self._desk.carriers[found[0].organization].fetch_returns(shipments, form)
        except CarrierError as error:
            raise told(error, is_bought=_are_bought(found)) from error
        return _fetched("return-labels", label)

    # -- looking and fetching ------------------------------------------------------------------------------------------

    async def _found(
        self, client: Client, shipments: Sequence[ShipmentId], organization: int | None
    ) -> Sequence[Known]:
        """Say whose they are: all of one organization, that the client sees. Raises a Problem."""
        if organization is not None and not client.sees(organization):
            raise Problem(FORBIDDEN, "This token is not for this organization.")
        among = [one for one in self._desk.carriers if client.sees(one)]
        found = await self._desk.find(shipments, organization, among)
        if isinstance(found, FieldError):
            raise bad_field(found.field, found.code, found.message)
        if len({one.organization for one in found}) > 1:
            raise bad_field("shipment_id", "invalid", "are of several organizations: ask for each apart")
        return found

    async def _one(self, known: Known, wish: LabelWish) -> tuple[bytes, str]:
        """Give a label and its hash: the one that is kept, or the carrier's."""
        kept = await self._desk.look(_place(known, wish))
        content = await self._desk.content(kept)
        if kept is not None and kept.sha256 is not None and content is not None:
            return content, kept.sha256
        try:
            label = await self._desk.fetch(known, wish)
        except CarrierError as error:
            raise told(error, is_bought=known.is_bought) from error
        try:
            await self._desk.keep(known, label)
        except StoreError as error:  # whoever waits for it is not kept from printing
            log.warning("labels.not_stored", reason=str(error))
        return label.content, label.sha256

    async def _several(self, found: Sequence[Known], wish: LabelWish) -> Response:
        """Put what is kept together, where it can be; else ask the carrier, which makes one file of pages."""
        kept = await self._kept(found, wish)
        form = wish.format
        if kept is not None and (content := many.joined(form, list(kept.values()))) is not None:
            return _file(content, f"labels.{form}")
        try:
            shipments = [one.shipment for one in found]
            label = await self._desk.carriers[found[0].organization].fetch_many(shipments, wish)
        except CarrierUnavailable as error:
            if kept is None:
                raise told(error, is_bought=_are_bought(found)) from error
            return _file(many.archive(form, kept), "labels.zip")
        except CarrierError as error:
            raise told(error, is_bought=_are_bought(found)) from error
        return _fetched("labels", label)

    async def _kept(self, found: Sequence[Known], wish: LabelWish) -> dict[ShipmentId, bytes] | None:
        """Give the labels that are kept; None where one is missing."""
        contents = {}
        for one in found:
            content = await self._desk.content(await self._desk.look(_place(one, wish)))
            if content is None:
                return None
            contents[one.shipment] = content
        return contents


def _place(known: Known, wish: LabelWish) -> Place:
    return Place(OrganizationId(known.organization), known.shipment, wish.format, wish.kind)


def _services(found: Sequence[Known]) -> Sequence[str]:
    return [one.service for one in found if one.service is not None]


def _are_bought(found: Sequence[Known]) -> bool:
    return all(one.is_bought for one in found)


def _has(request: Request, digest: str) -> bool:
    """Say whether the caller has it already (`If-None-Match`)."""
    given = request.headers.get("if-none-match", "")
    return f'"{digest}"' in given or given.strip() == "*"


def _fetched(name: str, label: Label) -> Response:
    return _file(label.content, f"{name}.{'zip' if label.is_archive else label.format}")


def _file(content: bytes, name: str, headers: dict[str, str] | None = None) -> Response:
    described = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-cache"}
    return Response(content, headers=described | (headers or {}), media_type=MEDIA_TYPES[name.rpartition(".")[2]])
