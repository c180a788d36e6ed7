"""The list of new shipments is read to its end, whatever happens to it meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.errors import CarrierUnavailable
from bridge.limits.connection import Purpose
from bridge.ports import Page
from bridge.purchasing.shipment import Shipment, Traits
from bridge.reconciling.pages import FILTER_DROPPED, NOT_WHOLE, created_since
from tests.unit.reconciling.shipments import NOW, Carrier, created


async def ids(carrier: Carrier) -> list[int]:
    batches = created_since(carrier, NOW, Purpose.sweep)
    return [one.id async for batch in batches for one in batch.shipments]


def paged(*known: Shipment, size: int = 3) -> Carrier:
    carrier = Carrier(*known)
    carrier.page_size = size
    return carrier


async def test_every_page_is_read_and_nothing_twice() -> None:
    carrier = paged(*(created(number, number) for number in range(1, 11)))
    assert await ids(carrier) == list(range(1, 11))


async def test_what_leaves_the_list_while_it_is_read_moves_nothing_past_us() -> None:
    carrier = paged(*(created(number, number) for number in range(1, 11)))
    found = []
    async for batch in created_since(carrier, NOW, Purpose.sweep):
        found += [one.id for one in batch.shipments]
        carrier.known.pop(found[0], None)
    assert found == list(range(1, 11))


async def test_many_of_one_instant_are_read_page_by_page() -> None:
    carrier = paged(*(created(number, 5) for number in range(1, 11)), created(11, 6))
    assert await ids(carrier) == list(range(1, 12))
    assert max(page for _, page in carrier.pages) > 1


async def test_what_does_not_say_when_it_was_created_is_read_page_by_page() -> None:
    carrier = paged(*(replace(created(number, 0), traits=Traits()) for number in range(1, 11)))
    assert await ids(carrier) == list(range(1, 11))
    assert [page for _, page in carrier.pages] == [1, 2, 3, 4]


async def test_a_list_that_ignores_what_was_asked_is_not_read() -> None:
    ignoring = Ignoring(created(1, -3600), created(2, 1))
    with pytest.raises(CarrierUnavailable, match=FILTER_DROPPED):
        await ids(ignoring)


async def test_a_list_with_what_cannot_be_read_is_not_whole_to_whoever_looks_for_something() -> None:
    carrier = paged(created(1, 1), created(2, 2))
    carrier.unread = 1
    with pytest.raises(CarrierUnavailable, match=NOT_WHOLE):
        await ids(carrier)
    found = created_since(carrier, NOW, Purpose.sweep, may_skip=True)
    assert [one.id async for batch in found for one in batch.shipments] == [1, 2]


async def test_how_far_it_was_read_is_said_with_each_page() -> None:
    carrier = paged(*(created(number, number) for number in range(1, 6)))
    reached = [batch.reached - NOW async for batch in created_since(carrier, NOW, Purpose.sweep)]
    assert reached == [timedelta(seconds=3), timedelta(seconds=5)]


class Ignoring(Carrier):
    """Drops the filter in silence."""

    async def created_since(self, since: datetime, page: int, purpose: Purpose = Purpose.sweep) -> Page:
        return await super().created_since(NOW - timedelta(days=1), page, purpose)
