"""InPost Returns' words, and ours for them.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/1043791894/InPost+Returns+REST+API
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bridge.events.statuses import Status, lookup

SOURCE: Final = "inpost_returns"

SIZES: Final = frozenset({"A", "B", "C"})


class TicketStatus(StrEnum):
    """What a ticket may be. The text has capitals, the sample `used` (2026-10): they are compared without case."""

    new = "NEW"
    accepted = "ACCEPTED"
    scanned = "SCANNED"
    used = "USED"
    canceled = "CANCELED"
    rejected = "REJECTED"
    expired = "EXPIRED"
    delivered = "DELIVERED"


def meaning(status: str) -> Status:
    """Say what a ticket's status means."""
    return lookup(SOURCE, status.upper())


REFUSALS: Final[Mapping[int, str]] = {
    400: "validation_failed",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
}
"""What a refusal is called by its status: no page shows the body of one."""

TOKEN_ERRORS: Final = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""https://www.rfc-editor.org/rfc/rfc6749#section-5.2"""

FIELDS: Final[Mapping[str, str]] = {
    "shipment.size": "parcel_size",
    "shipment.sender": "sender",
    "shipment.sender.firstName": "sender.first_name",
    "shipment.sender.lastName": "sender.last_name",
    "shipment.sender.phone": "sender.phone",
    "shipment.sender.email": "sender.email",
    "shipment.receiver": "receiver",
    "shipment.receiver.companyName": "receiver.company_name",
    "shipment.receiver.firstName": "receiver.first_name",
    "shipment.receiver.lastName": "receiver.last_name",
    "shipment.receiver.phone": "receiver.phone",
    "shipment.receiver.email": "receiver.email",
    "shipment.receiver.address": "receiver.address",
    "shipment.receiver.address.buildingNumber": "receiver.address.building_number",
    "shipment.receiver.address.province": "receiver.address.state",
    "shipment.receiver.address.street": "receiver.address.street",
    "shipment.receiver.address.city": "receiver.address.city",
    "shipment.receiver.address.postalCode": "receiver.address.post_code",
    "shipment.receiver.address.countryCode": "receiver.address.country_code",
    "expirationDate": "expires_at",
    "externalReference": "reference",
    "description": "description",
}
"""Where they would say that something is wrong, and how the contract calls it."""
