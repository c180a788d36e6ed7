"""How the carrier writes what became of a parcel, for everybody to see.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153478 (statuses), and the tracking resource
"""

from __future__ import annotations

from bridge.simulator.documents import Document
from bridge.simulator.shipments import Shipment
from bridge.simulator.times import timestamp


def tracking_document(shipment: Shipment, point_key: str) -> Document:
    """Write the public history, newest first; the key of the target point has changed in the documents."""
    point = shipment.draft.custom_attributes.target_point
    return {
        "tracking_number": shipment.tracking_number,
        "service": shipment.service,
        "type": shipment.service,
        "status": shipment.status,
        "custom_attributes": {"size": None, point_key: point, "end_of_week_collection": False},
        "tracking_details": [
            {
                "status": scan.status,
                "origin_status": None,
                "agency": None,
                "location": None,
                "datetime": timestamp(scan.at),
            }
            for scan in reversed(shipment.history)
        ],
        "expected_flow": [],
        "created_at": timestamp(shipment.created_at),
        "updated_at": timestamp(shipment.updated_at),
    }
