"""Every field of the page: what may be sent is in a sample, and what is answered is said in our words."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields
from typing import Any, Final

import httpx
import pytest
import structlog

from bridge.carriers.intelligentreturns import questions, wire
from bridge.errors import CarrierUnavailable

from .stage import client_on, sample
from .test_client import CALLS
from .test_junk import Path, places, spoiled

SENT: Final = {
    "orders/create": (wire.Order, wire.OrderItem),
    "orders/add_items": (wire.MoreItems, wire.OrderItem),
    "returns/create": (wire.Booking, wire.ReturnItem, wire.Reason, wire.CollectionDate, wire.CollectionAddress),
    "returns/request_for_prices": (wire.Inquiry, wire.QuotedItem, wire.CollectionAddress),
    "returns/items": (questions.ReturnFilter,),
    "tracking/add_status": (questions.AddedStatus, questions.Location),
    "tracking/get_by_date_range": (questions.EventFilter,),
    "services/get_drop_off_points": (questions.PointSearch, questions.PointAddress, questions.Coordinates),
}
INSTEAD: Final = {
    "carrier",  # deprecated, and `service_id` stands in their place
    "service",
    "label_format",  # of other carriers than the one whose couriers are told how to find the door
    "neighborhood",  # in Mexico alone, where no sample is from
    "final_dest_neighborhood",  # the same, where the sample has it there
}
"""What cannot stand beside the rest of a sample."""

UNREAD: Final = {
    "orders/create": {"message", "order_reference"},
    "orders/delete": {"message"},
    "orders/add_items": {"message", "order_reference"},
    "returns/cancel": {"result.message", "result.status"},
    "tracking/get_by_date_range": {"total_events_count", "count_per_page"},
    "tracking/get_by_date_added_range": {"total_events_count", "count_per_page"},
    "tracking/add_status": {"code", "message.#"},
}
"""What repeats what was asked or done, or counts what is there anyhow."""
OTHERS: Final = ("1794700001", "11:11", "9.99 EUR", "yes", "no", ["08:00-09:00"], {"mo": ["08:00-09:00"]})
"""Each field understands one of these."""


@pytest.mark.parametrize("method", SENT)
def test_a_field_that_may_be_sent_is_in_the_sample(method: str) -> None:
    document = json.loads(sample(f"{method.replace('/', '_')}_request", "json"))
    named = {path[-1] for path in places(document) if path}
    assert {one.name for kind in SENT[method] for one in fields(kind)} - named - INSTEAD == set()


def leaves(document: Any, path: Path = ()) -> list[Path]:
    """Give the way to every value that is no object and no list."""
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    found: list[Path] = []
    for name, one in inner:
        found += leaves(one, (*path, name)) if isinstance(one, dict | list) else [(*path, name)]
    return found


@pytest.mark.parametrize("method", CALLS)
async def test_a_field_that_says_something_else_is_heard(method: str) -> None:
    document = json.loads(sample(f"{method.replace('/', '_')}_answer", "json"))
    body = json.dumps(document).encode()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    heard, told = set(), set()
    async with httpx.AsyncClient(transport=transport) as http:
        client = client_on(http)
        before = await CALLS[method].call(client)
        for path in leaves(document):
            name = ".".join("#" if isinstance(one, int) else str(one) for one in path[1:])
            told.add(name)
            for other in OTHERS:
                body = json.dumps(spoiled(document, path, other)).encode()
                found: object = "no answer"
                with structlog.testing.capture_logs(), suppress(CarrierUnavailable):
                    found = await CALLS[method].call(client)
                if found != before:
                    heard.add(name)
                    break
    assert told - heard == UNREAD.get(method, set())
