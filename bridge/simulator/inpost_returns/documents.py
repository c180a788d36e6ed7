"""How tickets look in answers."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from bridge.simulator.documents import Document
from bridge.simulator.inpost_returns.drafts import Draft
from bridge.simulator.inpost_returns.terms import InPostReturnsTerms
from bridge.simulator.inpost_returns.tickets import Ticket
from bridge.simulator.printing import pdf

TRACKING_PAGE = "https://inpost.pl/sledzenie-przesylek?number="
TRACKING_URL = "https://api-shipx-pl.easypack24.net/v1/tracking/"


def written(moment: datetime, zone: tzinfo = UTC) -> str:
    """Write a moment in milliseconds: with `Z`, or with the offset of the zone that was asked for."""
    return moment.astimezone(zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def created_document(ticket: Ticket, draft: Draft, label_url: str, terms: InPostReturnsTerms) -> Document:
    """Answer a create: the id, and what the account's settings and what was left out of the request add to it."""
    document: Document = {"id": ticket.id}
    if draft.shipment.size is None or terms.echoes:
        document["size"] = ticket.size
    if ticket.account.numbers:
        document["trackingNumber"] = ticket.tracking_number
    if draft.expiration_date is None or terms.echoes:
        document["expirationDate"] = written(ticket.expires_at)
    if ticket.code is not None:
        document["code"] = ticket.code
    if ticket.account.labels:
        document["labelUrl"] = label_url
    return document


def listed_document(ticket: Ticket, now: datetime, zone: tzinfo, terms: InPostReturnsTerms) -> Document:
    """Write one row of the list. It does not have the reference."""
    status = ticket.status(now)
    document: Document = {
        "code": ticket.code,
        "id": ticket.id,
        "sender": {
            "name": f"{ticket.sender.first_name} {ticket.sender.last_name}",
            "email": ticket.sender.email,
            "phoneNumber": ticket.sender.phone,
        },
        "shipment": {"size": ticket.size, "tracking": _tracking(ticket.tracking_number)},
        "status": status.lower() if terms.status_case == "lower" else status,
        "createdAt": written(ticket.created_at, zone),
        "expiresAt": written(ticket.expires_at, zone),
    }
    for name, moment in (("sentAt", ticket.sent_at), ("deliveredAt", ticket.delivered_at)):
        if moment is not None or terms.unset == "null":
            document[name] = None if moment is None else written(moment, zone)
    return document


def label(ticket: Ticket) -> bytes:
    """Print the label: the numbers and the reference, no names."""
    return pdf([("RETURN", ticket.tracking_number, ticket.reference or "")], "A6")


def _tracking(number: str) -> Document:
    return {"number": number, "page": f"{TRACKING_PAGE}{number}", "url": f"{TRACKING_URL}{number}"}
