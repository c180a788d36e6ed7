"""InPost Returns' calls as values: what goes over the wire, and what is read of the answers.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/1043791894/InPost+Returns+REST+API
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import urlencode, urlsplit

from bridge.carriers import files, shapes
from bridge.carriers.answer import Answer, is_yes
from bridge.carriers.exact import given
from bridge.carriers.inpost_returns import refusals, wire
from bridge.carriers.inpost_returns.rules import EARLIEST
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.returns.contact import e164
from bridge.returns.draft import Address, Party, ReturnDraft
from bridge.returns.listed import Listed, TicketPage, TicketQuery
from bridge.returns.ticket import ReturnLabel, Ticket

TICKETS: Final = "/v1/returns/tickets"
LABEL: Final = "read_label"
TimeForm = Literal["plain", "zulu"]
"""`2026-11-01T00:00:00` as the text has it, or `2026-11-01T00:00:00.000Z` as the sample has it."""

_MARGIN: Final = timedelta(minutes=10)
"""An expiry at exactly the earliest would race with their clock, and with how long it took to get there."""
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_PATH: Final = re.compile(r"/[\x21-\x7e]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of the API, after its host."""

    operation: str
    method: str
    path: str = field(repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    accept: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


# -- what is asked -----------------------------------------------------------------------------------------------------


def create(draft: ReturnDraft, now: datetime) -> Call:
    """Make a ticket. Nothing keeps them from making it twice."""
    shipment = given(size=draft.parcel_size, sender=_sender(draft.sender), receiver=_receiver(draft.receiver))
    body = given(
        shipment=shipment,
        expirationDate=_expiration(draft.expires_at, now),
        externalReference=draft.reference,
        description=draft.description,
    )
    return Call("create_ticket", "POST", TICKETS, body)


def tickets(query: TicketQuery, form: TimeForm = "plain") -> Call:
    """Ask for a page of tickets. Times are in UTC, both those that are sent and those that come."""
    window = {"dateFrom": _second(query.created_from, form), "dateTo": _second_after(query.created_to, form)}
    page = {"status": query.status, "page": query.page, "size": query.size}
    asked = {**window, **page, **given(sort=query.sort)}
    path = f"{TICKETS}?{urlencode(asked, safe=':,')}"
    return Call("list_tickets", "GET", path, headers={"Accept-Time-Zone": "UTC"})


def label(ticket: str, url: str | None, base_url: str) -> Call:
    """Ask for a label, where the ticket says that it is, or else where the page says.

    Only at the host that we were told of: the sample names another one, and nobody else is shown the token. Raises
    CarrierRefused where no ticket is called so: a person may have said of a return that its ticket is.
    """
    if not _ID.fullmatch(ticket):
        raise CarrierRefused("not_found", status=HTTPStatus.NOT_FOUND)
    path = _path_at(url, base_url) or f"{TICKETS}/{ticket}/label"
    return Call(LABEL, "GET", path, accept="application/pdf, application/json;q=0.5")


# -- what is answered --------------------------------------------------------------------------------------------------


def judged(answer: Answer) -> Answer:
    """Pass a success on; a refusal is one by its status alone. Raises CarrierRefused or CarrierUnavailable."""
    if is_yes(answer):
        return answer
    raise refusals.refusal(answer)


def ticket(answer: Answer) -> Ticket:
    """Give the ticket that was made. Its expiry is theirs, whatever we asked for."""
    found = shapes.read(wire.TicketShape, answer)
    return Ticket(
        provider_reference=found.id,
        code=found.code,
        tracking_number=found.tracking_number,
        expires_at=_utc(found.expiration_date),
        label_url=found.label_url,
        parcel_size=found.size,
    )


def page(query: TicketQuery, answer: Answer) -> TicketPage:
    """Give the page that was asked for. It is the last one where it is not full: no total can be relied on."""
    found = shapes.read(wire.ListShape, answer)
    if found.page is not None and found.page != query.page:
        raise CarrierUnavailable("another_page", status=answer.status)
    listed = tuple(_listed(one) for one in found.returns if one is not None)
    full = min(query.size, found.per_page or query.size)
    is_last = not found.returns or len(found.returns) < full
    return TicketPage(listed, len(found.returns) - len(listed), is_last, answer.at)


def pdf(answer: Answer) -> ReturnLabel:
    """Give the label. Raises CarrierUnavailable where it is none."""
    content, form = files.content(answer, "pdf")
    return ReturnLabel(content, form)


# -- parts -------------------------------------------------------------------------------------------------------------


def _sender(party: Party) -> Mapping[str, object]:
    """Write who sends it back; they ask for no address."""
    return given(
        firstName=party.first_name,
        lastName=party.last_name,
        phone=e164(party.phone or ""),
        email=party.email,
    )


def _receiver(party: Party | None) -> Mapping[str, object] | None:
    if party is None:
        return None
    return given(
        companyName=party.company_name,
        firstName=party.first_name,
        lastName=party.last_name,
        phone=e164(party.phone or ""),
        email=party.email,
        address=_address(party.address),
    )


def _address(address: Address | None) -> Mapping[str, object] | None:
    if address is None:
        return None
    return given(
        buildingNumber=address.building_number,
        province=address.state,
        street=address.street,
        city=address.city,
        postalCode=address.post_code,
        countryCode=address.country_code,
    )


def _expiration(expires_at: datetime | None, now: datetime) -> str | None:
    if expires_at is None:
        return None
    return _zulu(max(expires_at, now + EARLIEST + _MARGIN))


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _second(moment: datetime, form: TimeForm) -> str:
    """Write the second that a moment is in."""
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return _zulu(whole) if form == "zulu" else whole.replace(tzinfo=None).isoformat(timespec="seconds")


def _second_after(moment: datetime, form: TimeForm) -> str:
    """Write the second after it, unless it is a whole one: a window must not lose its end."""
    return _second(moment + timedelta(seconds=1) if moment.microsecond else moment, form)


def _listed(found: wire.ListedShape) -> Listed:
    sender, shipment = found.sender or wire.SenderShape(), found.shipment or wire.ShipmentShape()
    return Listed(
        id=found.id,
        status=found.status,
        code=found.code,
        tracking_number=shipment.tracking.number if shipment.tracking else None,
        parcel_size=shipment.size,
        sender_name=sender.name,
        sender_email=sender.email,
        sender_phone=sender.phone_number,
        created_at=_utc(found.created_at),
        expires_at=_utc(found.expires_at),
        sent_at=_utc(found.sent_at),
        delivered_at=_utc(found.delivered_at),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _path_at(url: str | None, base_url: str) -> str | None:
    """Give what stands after the address that we know, where it begins with that."""
    if url is None or _origin(url) is None or _origin(url) != _origin(base_url):
        return None
    parts, prefix = urlsplit(url), urlsplit(base_url).path.rstrip("/")
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") and _PATH.fullmatch(path) else None


def _origin(url: str) -> tuple[str, str, int] | None:
    """Give scheme, host and port; None where it is no address, or one with a login in it."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.username is not None or parts.password is not None or "\\" in url:
        return None
    return parts.scheme, parts.hostname, port
