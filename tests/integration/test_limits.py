"""Real processes on one PostgreSQL: the carrier sees the calls of one well-behaved caller, whoever dies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.limits.rate import Rate
from bridge.simulator.faults import NextCalls
from tests.support.bridge import ORGANIZATION, BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.http import NO_TLS

PER_MINUTE, AT_ONCE = 300, 3


class Two:
    """A carrier, and two processes of a bridge that share a database."""

    def __init__(self, carrier: SlowCarrier, folder: Path, postgres_url: str) -> None:
        self.carrier = carrier
        self.one, self.two = (self._process(folder / name, postgres_url) for name in ("one", "two"))

    def _process(self, folder: Path, postgres_url: str) -> BridgeProcess:
        folder.mkdir()
        return BridgeProcess(
            folder,
            BRIDGE_DATABASE_URL=postgres_url,
            BRIDGE_SHIPX__BASE_URL=self.carrier.url,
            BRIDGE_SHIPX__TOKEN=CARRIER_TOKEN,
            BRIDGE_SHIPX__REQUESTS_PER_MINUTE=str(PER_MINUTE),
            BRIDGE_SHIPX__MAX_IN_FLIGHT=str(AT_ONCE),
            BRIDGE_SHIPX__TIMEOUT_S="3",
            BRIDGE_PURCHASING__SETTLE_S="2",
        )

    async def ask(self, process: BridgeProcess, method: str, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, timeout=10, headers=process.headers) as http:
            answer = await http.request(method, f"{process.url}{path}")
        assert answer.status_code == 200, answer.text
        return answer

    async def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ask(self.one, "GET", "/v1/events?limit=1000")).json()["items"]
        return found

    async def types(self) -> list[str]:
        return [one["type"].removeprefix("bridge.").removesuffix(".v1") for one in await self.events()]


@pytest.fixture
async def two(tmp_path: Path, migrated_postgres_url: str) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(SlowCarrier().open())
        found = Two(carrier, tmp_path, migrated_postgres_url)
        for process in (found.one, found.two):
            await stack.enter_async_context(process)
        carrier.announce_to(found.one.webhook_url)
        yield found


def calls(process: BridgeProcess) -> int:
    return process.log.count('"event":"carrier.called"')


async def test_two_processes_call_no_faster_and_no_more_at_once_than_one_may_also_when_one_is_killed(two: Two) -> None:
    shipments = [await two.carrier.create() for _ in range(15)]
    await until(lambda: min(calls(two.one), calls(two.two)) >= 5, 30)
    two.two.kill()
    before = calls(two.two)
    shipments += [await two.carrier.create() for _ in range(5)]
    await two.two.start()

    async def at_work() -> int:
        return len(shipments) - (await two.types()).count("shipment.purchase_succeeded")

    async def takes_part() -> bool:
        if await at_work() < 20:  # enough for both, and not more than are bought in time
            shipments.append(await two.carrier.create())
        return calls(two.two) > before

    await until(takes_part, 30)
    shipments += [await two.carrier.create() for _ in range(5)]

    async def all_bought() -> bool:
        return await at_work() == 0

    await until(all_bought, 120)  # what was intended and not sent when its sender was killed is settled first
    assert two.carrier.charges() == sorted(shipments)
    assert two.carrier.most_running <= AT_ONCE
    rate = Rate(PER_MINUTE)
    for seconds in (1, 5, 10, 60):
        a_moment_on_the_way = 1.0
        steady = (seconds + a_moment_on_the_way) * 1_000_000 / rate.interval
        assert two.carrier.most_in(seconds) <= rate.burst + rate.credit + steady


async def test_what_one_process_pauses_no_process_buys_until_another_resumes_it(two: Two) -> None:
    name = f"shipx/{ORGANIZATION}"
    await two.ask(two.two, "POST", f"/v1/connections/{name}/pause")
    shipments = [await two.carrier.create() for _ in range(3)]

    async def all_offered() -> bool:
        return (await two.types()).count("shipment.offers_prepared") == 3

    await until(all_offered, 20)
    for process in (two.one, two.two):
        ready = (await two.ask(process, "GET", "/readyz")).json()
        assert f"connection/{name}" in ready["degraded"]
        assert (
            f'bridge_connection_paused{{connection="{name}"}} 1.0' in (await two.ask(process, "GET", "/metrics")).text
        )
    assert [one for one in two.carrier.asked if one.method != "GET"] == []
    assert two.carrier.charges() == []
    await two.ask(two.one, "POST", f"/v1/connections/{name}/resume")
    await until(lambda: two.carrier.charges() == sorted(shipments), 20)
    [paused, resumed] = [one for one in await two.events() if one["subject"] == f"connection/{name}"]
    assert (paused["type"], resumed["type"]) == ("bridge.connection.paused.v1", "bridge.connection.resumed.v1")
    assert paused["data"] == resumed["data"]


async def test_every_process_says_that_the_carrier_is_away_and_buys_when_it_is_back(two: Two) -> None:
    label = f'{{connection="shipx/{ORGANIZATION}"}}'

    async def all_say(opened: int) -> bool:
        for process in (two.one, two.two):
            told = (await two.ask(process, "GET", "/metrics")).text
            ready = (await two.ask(process, "GET", "/readyz")).json()
            assert f"bridge_connection_breaker_open{label} {opened}.0" in told
            assert (f"carrier/{ORGANIZATION}" in ready["degraded"]) == bool(opened)
        return True

    two.carrier.simulator.world.trouble.ask_for(NextCalls(kind="unavailable", method="GET", times=1_000_000))
    shipments = [await two.carrier.create() for _ in range(4)]
    await until(lambda: all_say(1), 30)
    logs = two.one.log + two.two.log
    assert '"event":"connection.breaker_opened"' in logs
    two.carrier.simulator.world.trouble.heal()
    await until(lambda: two.carrier.charges() == sorted(shipments), 60)
    await until(lambda: all_say(0), 30)


async def test_a_token_of_another_organization_shows_after_the_start_with_nothing_to_buy(tmp_path: Path) -> None:
    name = f"shipx/{ORGANIZATION + 1}"
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(SlowCarrier().open())
        settings = {
            "BRIDGE_ROLES": "receiver,worker",
            "BRIDGE_SHIPX__BASE_URL": carrier.url,
            "BRIDGE_SHIPX__ORGANIZATION_ID": str(ORGANIZATION + 1),
            "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
        }
        bridge = await stack.enter_async_context(BridgeProcess(tmp_path, **settings))
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=bridge.url, headers=bridge.headers, trust_env=False, verify=NO_TLS)
        )

        async def told() -> bool:
            ready = await http.get("/readyz")
            assert ready.status_code == 200
            return f"connection/{name}" in ready.json()["degraded"]

        await until(told, 20)
        [shown] = (await http.get("/v1/connections")).json()["items"]
        assert (shown["name"], shown["state"], shown["paused"]["reason"]) == (name, "paused", "forbidden")
        assert {one.path for one in carrier.asked} == {"/v1/organizations"}
