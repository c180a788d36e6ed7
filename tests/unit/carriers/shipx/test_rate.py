"""How long a call waits for its permit, and how long it may take then, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from bridge.carriers.shipx.client import ShipxClient
from bridge.connections.gate import Gate
from bridge.errors import CarrierUnavailable, NoPermit
from bridge.limits.connection import Limits
from bridge.model import OrganizationId, ShipmentId
from bridge.observability import Metrics
from tests.unit.connections.row import Row
from tests.unit.purchasing.virtual_time import LoopClock, in_virtual_time, pass_time


def now() -> float:
    return asyncio.get_running_loop().time()


def client_on(http: httpx.AsyncClient, row: Row, limits: Limits) -> ShipxClient:
    return ShipxClient(
        http,
        base_url="https://carrier.test",
        organization=OrganizationId(1),
        token=SecretStr("token"),
        permits=Gate(row, "shipx/1", limits, holder="x", clock=LoopClock()),
        metrics=Metrics(),
        clock=LoopClock(),
        version="0",
    )


class Carrier(httpx.AsyncBaseTransport):
    """Answers with an empty list, after a while."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await pass_time(self.seconds)
        return httpx.Response(200, json={"items": []})


class Dripping(httpx.AsyncByteStream):
    """A byte a second, for ever: no part of it is ever too slow."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await pass_time(1)
            yield b" "


def test_a_call_that_would_wait_too_long_for_its_turn_is_not_made_and_that_is_no_fault_of_the_carriers() -> None:
    async def story() -> tuple[float, str, float | None, int | None]:
        row = Row()
        async with httpx.AsyncClient(transport=Carrier(), timeout=10) as http:
            client = client_on(http, row, Limits(per_minute=1, at_once=1))
            await client.organizations()
            began = now()
            with pytest.raises(NoPermit) as caught:
                await client.organizations()
            took = now() - began
            await pass_time(60)
            await client.organizations()
            return took, caught.value.reason, caught.value.retry_after, row.connection.degraded_since

    assert in_virtual_time(story()) == (0, "no_turn", 60, None)


def test_a_call_that_waited_for_its_place_has_all_of_its_time() -> None:
    async def story() -> tuple[float, int]:
        row, began = Row(), now()
        async with httpx.AsyncClient(transport=Carrier(seconds=7), timeout=10) as http:
            client = client_on(http, row, Limits(per_minute=600, at_once=1))
            await asyncio.gather(client.organizations(), client.organizations())
            return now() - began, row.connection.breaker.failures

    assert in_virtual_time(story()) == (14, 0)


def test_an_answer_that_drips_for_ever_is_given_up() -> None:
    async def story() -> tuple[float, int]:
        row, began = Row(), now()
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Dripping()))
        async with httpx.AsyncClient(transport=transport, timeout=10) as http:
            with pytest.raises(CarrierUnavailable, match="TimeoutError"):
                await client_on(http, row, Limits(per_minute=60, at_once=1)).read(ShipmentId(1))
            took = now() - began
            await pass_time(0.01)
            return took, row.connection.breaker.failures

    assert in_virtual_time(story()) == (10, 1)
