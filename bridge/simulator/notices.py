"""The bodies of the three documented notifications.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153494/Webhooks
"""

from __future__ import annotations

from datetime import datetime

from bridge.simulator.documents import Document, offer_document
from bridge.simulator.shipments import Shipment
from bridge.simulator.times import event_ts


def offers_prepared(shipment: Shipment, at: datetime) -> Document:
    """Tell every candidate offer, available or not, in one call."""
    offers = [offer_document(offer) for offer in shipment.offers]
    return _notice("offers_prepared", shipment, at, {"shipment_id": shipment.id, "offers": offers})


def shipment_confirmed(shipment: Shipment, at: datetime) -> Document:
    """Tell that a purchase succeeded. A failed one is told to nobody."""
    payload: Document = {"shipment_id": shipment.id, "tracking_number": shipment.tracking_number}
    return _notice("shipment_confirmed", shipment, at, payload)


def shipment_status_changed(shipment: Shipment, at: datetime) -> Document:
    """Tell the status; the number of the way back comes only with `returned_to_sender`."""
    payload: Document = {
        "shipment_id": shipment.id,
        "status": shipment.status,
        "tracking_number": shipment.tracking_number,
    }
    if shipment.status == "returned_to_sender":
        payload["return_tracking_number"] = shipment.return_tracking_number
    return _notice("shipment_status_changed", shipment, at, payload)


def name_of(notice: Document) -> str:
    """Name what is told: the status that changed, or else the event."""
    payload = notice["payload"]
    assert isinstance(payload, dict)
    return str(payload.get("status", notice["event"]))


def shipment_of(notice: Document) -> int:
    """Give the id of the shipment that it is about."""
    payload = notice["payload"]
    assert isinstance(payload, dict)
    return int(payload["shipment_id"])


def _notice(event: str, shipment: Shipment, at: datetime, payload: Document) -> Document:
    return {
        "event_ts": event_ts(at),
        "event": event,
        "organization_id": shipment.organization.id,
        "payload": payload,
    }
