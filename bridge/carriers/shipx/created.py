"""What ShipX answers where it made a shipment or a batch: the id counts, and nothing else may hide it.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153501 (create), …/18153502 (batches)
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from bridge.carriers.shapes import Lenient, Number, Shape, Word
from bridge.carriers.shipx.wire import Id
from bridge.model import BatchId, ShipmentId
from bridge.purchasing.shipment import Shipment
from bridge.shipments.created import Batch, Created


class CreatedShape(Shape):
    """A shipment that was made, and what little is known of it so early."""

    id: Id
    status: Annotated[Word | None, Lenient] = None
    tracking_number: Annotated[Number, Lenient] = None
    service: Annotated[Word | None, Lenient] = None


class BatchShape(Shape):
    """A batch, with the shipments that were made of it so far."""

    id: Id
    status: Annotated[Word | None, Lenient] = None
    shipments: Annotated[list[Annotated[CreatedShape | None, Lenient]] | None, Lenient] = None


def created(found: CreatedShape, at: datetime) -> Shipment:
    """Turn a shipment that was made into ours. `at` is the carrier's clock."""
    return Shipment(
        id=ShipmentId(found.id),
        status=found.status or "created",
        at=at,
        changed_at=at,
        tracking_number=found.tracking_number,
        return_tracking_number=None,
        service=found.service,
        selected=None,
        offers=(),
        payments=(),
    )


def batch(found: BatchShape) -> Batch:
    """Turn a batch into ours."""
    listed = found.shipments or []
    shipments = tuple(
        Created(ShipmentId(one.id), one.status, one.tracking_number, one.service) for one in listed if one is not None
    )
    return Batch(BatchId(found.id), found.status, shipments, unread=len(listed) - len(shipments))
