"""The carrier's clock, where an answer does not tell the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.clock import CarrierClock

from .stage import DATE, OURS, SHIPMENT, THEIRS, client_on, sample

NOW = datetime(2026, 10, 10, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("heard", "ahead"),
    [
        pytest.param([], -3, id="never heard: nothing has expired by our clock alone"),
        pytest.param([2], 2, id="once"),
        pytest.param([2, 2, 40, 2, -50], 2, id="the median: what a stuck clock says does not count"),
        pytest.param([9] * 5 + [1] * 5, 1, id="the last nine alone"),
        pytest.param([-7, -7], -7, id="behind"),
        pytest.param([86_401, -86_401, 5], 5, id="a day off is no clock"),
    ],
)
def test_it_is_as_far_ahead_as_it_was_heard_to_be(heard: Sequence[int], ahead: int) -> None:
    clock = CarrierClock()
    for seconds in heard:
        clock = clock.heard(NOW + timedelta(seconds=seconds), NOW)
    assert clock.now(NOW) == NOW + timedelta(seconds=ahead)


async def test_an_answer_without_a_date_goes_by_those_before_it(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    times = iter([THEIRS - timedelta(seconds=4)] * 2 + [OURS] * 9)
    client = client_on(http, clock=lambda: next(times))
    httpx_mock.add_response(json=sample("shipment_confirmed"), headers=DATE)
    httpx_mock.add_response(json=sample("shipment_confirmed"))
    assert (await client.read(SHIPMENT)).at == THEIRS
    assert (await client.read(SHIPMENT)).at == OURS + timedelta(seconds=4)
