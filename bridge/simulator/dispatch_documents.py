"""How the carrier writes a dispatch order and its comments.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153482
"""

from __future__ import annotations

from bridge.simulator.dispatch_orders import Comment, DispatchOrder
from bridge.simulator.documents import HREF, Document, address_document, short_shipment_document
from bridge.simulator.times import timestamp


def dispatch_order_document(order: DispatchOrder) -> Document:
    """Write an order. Its id is a number, as in the sample; the table beside it says text."""
    return {
        "href": f"{HREF}/v1/dispatch_orders/{order.id}",
        "id": order.id,
        "status": order.status,
        "address": address_document(order.point.id, order.point.address),
        "shipments": [short_shipment_document(shipment) for shipment in order.shipments],
        "comments": [comment_document(comment) for comment in order.comments],
        "created_at": timestamp(order.created_at),
        "updated_at": timestamp(order.updated_at),
    }


def comment_document(comment: Comment) -> Document:
    """Write a comment; the sample has its id without a key, which is not JSON."""
    return {"id": comment.id, "comment": comment.text, "created_at": timestamp(comment.at)}
