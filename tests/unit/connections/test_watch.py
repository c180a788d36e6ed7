"""A carrier that was away is asked about the account now and then, so that its coming back is seen without traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bridge.connections.watch import Watch
from bridge.errors import CarrierUnavailable, StoreUnavailable
from bridge.lifecycle import Stop
from bridge.limits.breaker import Breaker
from bridge.limits.connection import Connection
from bridge.model import Micros
from bridge.store.connections import Seen
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

NOW = Micros(1_800_000_000_000_000)
LATER = Micros(NOW + 1_000_000)


class Rows:
    """One connection as it stands."""

    def __init__(self, breaker: Breaker, degraded_since: Micros | None = NOW) -> None:
        self.seen = Seen(Connection("shipx/4821", breaker=breaker, degraded_since=degraded_since), NOW)
        self.away = False

    async def list(self) -> Sequence[Seen]:
        if self.away:
            raise StoreUnavailable("away")
        return [self.seen]


class Account:
    """A carrier that is away."""

    def __init__(self) -> None:
        self.asked = 0

    async def organizations(self) -> object:
        self.asked += 1
        raise CarrierUnavailable("not_now")


@pytest.mark.parametrize(
    ("breaker", "degraded_since", "asked"),
    [
        pytest.param(Breaker(), None, 0, id="all is well"),
        pytest.param(Breaker(), NOW, 1, id="the token was refused, or we were to wait: it may be mended by now"),
        pytest.param(Breaker(failures=1), NOW, 1, id="the last answer was unusable"),
        pytest.param(Breaker(6, 1, NOW), NOW, 1, id="half open"),
        pytest.param(Breaker(6, 1, LATER), NOW, 0, id="open: in vain"),
    ],
)
async def test_who_is_asked(breaker: Breaker, degraded_since: Micros | None, asked: int) -> None:
    account = Account()
    await Watch(Rows(breaker, degraded_since), {"shipx/4821": account, "shipx/1": Account()}, Stop()).look()
    assert account.asked == asked


async def test_another_processs_connection_is_not_ours_to_ask() -> None:
    await Watch(Rows(Breaker(failures=1)), {}, Stop()).look()


async def test_a_database_that_is_away_ends_nothing() -> None:
    rows, account = Rows(Breaker(failures=1)), Account()
    rows.away = True
    await Watch(rows, {"shipx/4821": account}, Stop()).look()
    assert account.asked == 0


def test_it_looks_about_every_half_minute_until_the_end() -> None:
    async def story() -> int:
        account, stop = Account(), Stop()
        watch = Watch(Rows(Breaker(failures=1)), {"shipx/4821": account}, stop, dice=lambda: 0.5)
        running = asyncio.create_task(watch.run())
        await pass_time(301)
        stop.announce()
        await running
        return account.asked

    assert in_virtual_time(story()) == 10
