"""How fast calls go out, and how long one may take, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from bridge.carriers.shipx.client import ShipxClient, SteadyRate
from bridge.errors import CarrierUnavailable
from bridge.model import OfferId, OrganizationId, ShipmentId
from bridge.observability import Metrics
from tests.unit.purchasing.virtual_time import LoopClock, in_virtual_time, pass_time


def now() -> float:
    return asyncio.get_running_loop().time()


async def call(
    rate: SteadyRate, left: list[float], began: float, *, seconds: float = 0, on_credit: bool = False
) -> None:
    async with rate.slot(on_credit=on_credit):
        left.append(round(now() - began, 3))
        await pass_time(seconds)


def test_a_tenth_of_a_minutes_calls_may_leave_in_a_burst_and_the_rest_keeps_the_pace() -> None:
    async def story() -> list[float]:
        rate, left, began = SteadyRate(per_minute=60, at_once=100), list[float](), now()
        await asyncio.gather(*(call(rate, left, began) for _ in range(10)))
        return left

    assert in_virtual_time(story()) == [0, 0, 0, 0, 0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("per_minute", [1, 7, 60, 600])
def test_no_minute_has_more_calls_than_agreed_and_the_burst(per_minute: int) -> None:
    async def story() -> list[float]:
        rate, left, began = SteadyRate(per_minute=per_minute, at_once=10_000), list[float](), now()
        await asyncio.gather(*(call(rate, left, began) for _ in range(per_minute * 2 + 3)))
        return left

    left = in_virtual_time(story())
    most = max(sum(1 for one in left if start <= one < start + 60) for start in left)
    assert most <= per_minute + max(per_minute // 10, 1)


def test_a_pause_saves_up_one_burst_and_no_more() -> None:
    async def story() -> list[float]:
        rate, left, began = SteadyRate(per_minute=60, at_once=100), list[float](), now()
        await call(rate, left, began)
        await pass_time(3600)
        await asyncio.gather(*(call(rate, left, began) for _ in range(8)))
        return left

    assert in_virtual_time(story()) == [0, *[3600] * 6, 3601, 3602]


def test_no_more_calls_run_at_once_than_agreed() -> None:
    async def story() -> list[float]:
        rate, left, began = SteadyRate(per_minute=6000, at_once=2), list[float](), now()
        await asyncio.gather(*(call(rate, left, began, seconds=5) for _ in range(5)))
        return left

    assert in_virtual_time(story()) == [0, 0, 5, 5, 10]


def test_a_call_that_may_not_wait_leaves_at_once_and_the_others_wait_for_it() -> None:
    async def story() -> list[float]:
        rate, left, began = SteadyRate(per_minute=60, at_once=100), list[float](), now()
        await asyncio.gather(*(call(rate, left, began) for _ in range(6)))
        await call(rate, left, began, on_credit=True)
        await call(rate, left, began)
        return left

    assert in_virtual_time(story()) == [*[0] * 7, 2]


def test_a_call_that_is_given_up_while_it_waits_leaves_its_place_to_others() -> None:
    async def story() -> list[float]:
        rate, left, began = SteadyRate(per_minute=60, at_once=1), list[float](), now()
        for _ in range(6):
            await call(rate, left, began)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await call(rate, left, began)
        await call(rate, left, began)
        return left

    assert in_virtual_time(story()) == [*[0] * 6, 1]


class Dripping(httpx.AsyncByteStream):
    """A byte a second, for ever: no part of it is ever too slow."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await pass_time(1)
            yield b" "


def test_waiting_for_a_turn_is_part_of_the_call_and_no_fault_of_the_carriers() -> None:
    async def story() -> tuple[int, str, bool]:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"items": []}))
        async with httpx.AsyncClient(transport=transport, timeout=10) as http:
            client = client_on(http, SteadyRate(per_minute=1, at_once=1))
            await client.organizations()
            began = now()
            with pytest.raises(CarrierUnavailable) as caught:
                await client.organizations()
            took = round(now() - began)
            await pass_time(45)
            await client.organizations()
            return took, caught.value.reason, client.degraded_since is None

    assert in_virtual_time(story()) == (10, "no_turn", True)


def test_a_buy_takes_its_turn_on_credit() -> None:
    async def story() -> float:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"items": []}))
        async with httpx.AsyncClient(transport=transport, timeout=10) as http:
            client = client_on(http, SteadyRate(per_minute=1, at_once=1))
            await client.organizations()
            began = now()
            await client.buy(ShipmentId(1), OfferId(1))
            return now() - began

    assert in_virtual_time(story()) == 0


def client_on(http: httpx.AsyncClient, rate: SteadyRate) -> ShipxClient:
    return ShipxClient(
        http,
        base_url="https://carrier.test",
        organization=OrganizationId(1),
        token=SecretStr("token"),
        limiter=rate,
        metrics=Metrics(),
        clock=LoopClock(),
        version="0",
    )


def test_an_answer_that_drips_for_ever_is_given_up() -> None:
    async def story() -> float:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Dripping()))
        async with httpx.AsyncClient(transport=transport, timeout=10) as http:
            client = client_on(http, SteadyRate(per_minute=60, at_once=1))
            began = now()
            with pytest.raises(CarrierUnavailable) as caught:
                await client.read(ShipmentId(1))
            assert caught.value.reason == "TimeoutError"
            return now() - began

    assert in_virtual_time(story()) == pytest.approx(10)
