"""A verified ShipX webhook becomes a notification: pure, unknown words are kept, nothing is fatal but unreadable bytes.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153494/Webhooks
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from pydantic import ValidationError

from bridge.carriers.shipx import times, wire
from bridge.carriers.shipx.offers import read_offer
from bridge.errors import Unreadable
from bridge.events.notification import Content, NothingKnown, Notification, OffersSeen, StatusSeen
from bridge.model import Delivery, DeliveryId, Evidence, OrganizationId, ShipmentId

VERSION: Final = b"\x01"
"""The first byte of every delivery id: another way of making ids must not meet the old ones."""
_DAY: Final = 86_400

NOT_JSON: Final = "not_json"
NO_ENVELOPE: Final = "no_envelope"
UNSAFE_VALUE: Final = "unsafe_value"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that was read. `at` falls back to when it was received; the same webhook always has the same `id`."""

    organization: OrganizationId
    event: str
    shipment: ShipmentId | None
    at: datetime
    content: Content
    id: DeliveryId

    @property
    def notification(self) -> Notification:
        """Say it in the words that every carrier shares."""
        return Notification(self.organization, self.shipment, self.at, Evidence.webhook, self.content, self.id)


def read(body: bytes, received_at: datetime) -> Webhook:
    """Read a webhook's body. Raises Unreadable with one of this module's reasons."""
    envelope = _envelope(body)
    occurred = times.occurred(envelope.event_ts, received_at)
    shipment, content, fields = _payload(envelope)
    key = delivery_id(
        occurred, received_at, (str(envelope.organization_id), envelope.event, envelope.event_ts or "", *fields)
    )
    organization = OrganizationId(envelope.organization_id)
    return Webhook(organization, envelope.event, shipment, occurred or received_at, content, key)


def notification(delivery: Delivery) -> Notification:
    """Read a webhook of the inbox again, under the name that it has there. Raises Unreadable."""
    return replace(read(delivery.body, delivery.received_at).notification, delivery=delivery.id)


def delivery_id(occurred: datetime | None, received_at: datetime, fields: tuple[str, ...]) -> DeliveryId:
    """Make the dedupe key: a version, the second it happened (the day received where unknown), and a hash.

    The fields are joined by their lengths, so that no two different lists read the same.
    """
    seconds = int(occurred.timestamp()) if occurred else int(received_at.timestamp()) // _DAY * _DAY
    parts = [text.encode("utf-8", "surrogatepass") for text in fields]
    joined = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return DeliveryId((VERSION + seconds.to_bytes(4, "big") + blake2b(joined, digest_size=16).digest()).hex())


def _envelope(body: bytes) -> wire.Envelope:
    try:
        return wire.Envelope.model_validate_json(body)
    except ValidationError as error:
        kinds = {one["type"] for one in error.errors(include_url=False, include_context=False, include_input=False)}
        if "json_invalid" in kinds:
            raise Unreadable(NOT_JSON) from None
        raise Unreadable(UNSAFE_VALUE if kinds <= _VALUE_ERRORS else NO_ENVELOPE) from None


_VALUE_ERRORS: Final = {"string_pattern_mismatch", "greater_than_equal", "less_than", "int_parsing_size"}

_Read = tuple[ShipmentId | None, Content, tuple[str, ...]]


def _payload(envelope: wire.Envelope) -> _Read:
    reader = _READERS.get(envelope.event, _unknown)
    try:
        return reader(envelope)
    except ValidationError:
        raise Unreadable(UNSAFE_VALUE) from None


def _confirmed(envelope: wire.Envelope) -> _Read:
    found = wire.ConfirmedPayload.model_validate(envelope.payload)
    number = found.tracking_number
    return ShipmentId(found.shipment_id), StatusSeen("confirmed", number), (str(found.shipment_id), number or "")


def _status(envelope: wire.Envelope) -> _Read:
    found = wire.StatusPayload.model_validate(envelope.payload)
    number, returned = found.tracking_number, found.return_tracking_number
    seen = StatusSeen(found.status, number, returned)
    return ShipmentId(found.shipment_id), seen, (str(found.shipment_id), found.status, number or "", returned or "")


def _offers(envelope: wire.Envelope) -> _Read:
    found = wire.OffersPayload.model_validate(envelope.payload)
    offers = tuple(read_offer(offer) for offer in found.offers)
    ids = sorted(offer.id for offer in found.offers)
    return ShipmentId(found.shipment_id), OffersSeen(offers), (str(found.shipment_id), *map(str, ids))


def _unknown(envelope: wire.Envelope) -> _Read:
    """Keep an event nobody documented. Its whole payload makes it what it is."""
    try:
        found = wire.ShipmentOf.model_validate(envelope.payload).shipment_id
    except ValidationError:
        found = None
    shipment = None if found is None else ShipmentId(found)
    return shipment, NothingKnown(envelope.event), (_canonical(envelope.payload),)


def _canonical(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, sort_keys=True, separators=(",", ":"))


_READERS: Final[Mapping[str, Callable[[wire.Envelope], _Read]]] = {
    "shipment_confirmed": _confirmed,
    "shipment_status_changed": _status,
    "offers_prepared": _offers,
}
KNOWN_EVENTS: Final = frozenset(_READERS)
