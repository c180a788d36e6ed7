"""A shipment as ShipX answers it, by allow-list, in our words.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153485 (shipment), …/18153611 (payment)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from bridge.carriers.shipx import wire
from bridge.carriers.shipx.offers import read_offer, utc
from bridge.carriers.shipx.traits import traits
from bridge.errors import Unreadable
from bridge.model import OfferId, ShipmentId
from bridge.purchasing.shipment import Payment, PaymentState, Shipment


def read(body: bytes, at: datetime) -> Shipment:
    """Read the answer to `GET /v1/shipments/:id`. `at` is the carrier's clock. Raises Unreadable."""
    return ours(parse(body), at)


def faults(body: bytes) -> Sequence[tuple[str, str, str]]:
    """Say what keeps a body from being read: field, code and a sentence, never the value."""
    try:
        wire.Shipment.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return [(".".join(map(str, one["loc"])), one["type"], one["msg"]) for one in found]
    return ()


def parse(body: bytes) -> wire.Shipment:
    """Read the answer to `GET /v1/shipments/:id`. Raises Unreadable."""
    try:
        return wire.Shipment.model_validate_json(body)
    except ValidationError:
        raise Unreadable("not_a_shipment") from None


def ours(found: wire.Shipment, at: datetime) -> Shipment:
    """Turn a shipment, read alone or in a list, into ours. `at` is the carrier's clock."""
    return Shipment(
        id=ShipmentId(found.id),
        status=found.status,
        at=at,
        changed_at=utc(found.updated_at) or at,
        tracking_number=found.tracking_number,
        return_tracking_number=found.return_tracking_number,
        service=found.service,
        selected=read_offer(found.selected_offer) if found.selected_offer else None,
        offers=tuple(read_offer(offer) for offer in found.offers or ()),
        payments=tuple(_payment(one) for one in found.transactions or ()),
        traits=traits(found),
    )


def _payment(found: wire.Transaction) -> Payment:
    return Payment(
        id=found.id,
        state=_STATES.get(found.status, PaymentState.running),
        offer=None if found.offer_id is None else OfferId(found.offer_id),
        error=found.details.error if found.details else None,
    )


_STATES = {"success": PaymentState.success, "failure": PaymentState.failure}
