"""A carrier that was away or refused us is asked about the account, and what it says is about the whole account."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import pytest

from bridge.connections.watch import Watch
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable, StoreUnavailable
from bridge.lifecycle import Stop
from bridge.limits.breaker import Breaker
from bridge.limits.connection import Connection, Purpose
from bridge.limits.pause import AccountReason, Pause
from bridge.model import Micros, OrganizationId
from bridge.store.connections import Seen
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time

NOW = Micros(1_800_000_000_000_000)
EARLIER, LATER = Micros(NOW - 60_000_000), Micros(NOW + 1_000_000)
OURS, OTHER = OrganizationId(4821), OrganizationId(4822)
TOKEN = Pause.by_carrier(AccountReason.forbidden, EARLIER)
FUNDS = Pause.by_carrier(AccountReason.debt_collection, EARLIER)
REFUSED = CarrierRefused("token_invalid", status=401)


class Rows:
    """One connection as it stands, and what is written about it."""

    def __init__(self, breaker: Breaker | None = None, degraded_since: Micros | None = NOW, **kept: Any) -> None:
        connection = Connection("shipx/4821", breaker=breaker or Breaker(), degraded_since=degraded_since, **kept)
        self.seen = Seen(connection, NOW)
        self.away = False
        self.is_taken = False
        self.written: list[str] = []

    async def list(self) -> Sequence[Seen]:
        if self.away:
            raise StoreUnavailable("away")
        return [self.seen]

    async def take(self, organization: OrganizationId) -> bool:
        return not self.is_taken

    async def refused(self, organization: OrganizationId) -> bool:
        self.written.append("refused")
        return self.seen.connection.pause is None

    async def accepted(self, organization: OrganizationId) -> bool:
        self.written.append("accepted")
        return True

    async def unanswered(self, organization: OrganizationId, dice: float) -> None:
        self.written.append("unanswered")


class Account:
    """A carrier that says the same each time; it is away where nothing else is said."""

    def __init__(self, answer: CarrierError | Collection[OrganizationId] | None = None) -> None:
        self.answer = CarrierUnavailable("not_now") if answer is None else answer
        self.purposes: list[Purpose] = []

    @property
    def asked(self) -> int:
        return len(self.purposes)

    async def organizations(self, purpose: Purpose) -> Collection[OrganizationId]:
        self.purposes.append(purpose)
        if isinstance(self.answer, CarrierError):
            raise self.answer
        return self.answer


def watch(rows: Rows, account: Account, stop: Stop | None = None, resumed: list[str] | None = None) -> Watch:
    told = [] if resumed is None else resumed
    accounts = {"shipx/4821": account, "shipx/1": Account()}
    return Watch(
        rows, rows, accounts, Stop() if stop is None else stop, lambda: told.append("resumed"), dice=lambda: 0.5
    )


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        pytest.param(Rows(degraded_since=None), 1, id="all is well: once after the start"),
        pytest.param(Rows(), 1, id="the token was refused, or we were to wait: it may be mended by now"),
        pytest.param(Rows(Breaker(failures=1)), 1, id="the last answer was unusable"),
        pytest.param(Rows(Breaker(6, 1, NOW)), 1, id="half open"),
        pytest.param(Rows(Breaker(6, 1, LATER)), 0, id="open: in vain"),
        pytest.param(Rows(pause=TOKEN), 1, id="a pause for a token is tried"),
        pytest.param(Rows(degraded_since=None, pause=TOKEN), 1, id="also where other calls are answered"),
        pytest.param(Rows(pause=Pause.by_carrier(AccountReason.forbidden, NOW)), 0, id="but not before its time"),
        pytest.param(Rows(degraded_since=None, pause=FUNDS), 0, id="a pause for money is tried by a purchase"),
        pytest.param(Rows(pause=FUNDS), 1, id="which says nothing about a carrier that is away"),
    ],
)
async def test_who_is_asked(rows: Rows, asked: int) -> None:
    account = Account()
    await watch(rows, account).look()
    assert account.asked == asked


async def test_of_all_replicas_only_one_tries_a_pause() -> None:
    rows, account = Rows(pause=TOKEN), Account()
    rows.is_taken = True
    await watch(rows, account).look()
    assert account.asked == 0


@pytest.mark.parametrize(
    ("answer", "pause", "written"),
    [
        pytest.param(REFUSED, None, ["refused"], id="the token is not accepted"),
        pytest.param(CarrierRefused("forbidden", status=403), None, ["refused"], id="it is forbidden"),
        pytest.param([OTHER], None, ["refused"], id="it is another organization's"),
        pytest.param([OURS, OTHER], None, [], id="it is ours"),
        pytest.param(CarrierUnavailable("not_now"), None, [], id="no answer is no refusal"),
        pytest.param(CarrierRefused("other", status=400), None, [], id="a refusal of something else"),
        pytest.param([OURS], TOKEN, ["accepted"], id="the pause is over"),
        pytest.param(REFUSED, TOKEN, ["refused", "unanswered"], id="it is not: later again"),
        pytest.param(CarrierUnavailable("not_now"), TOKEN, ["unanswered"], id="nobody knows: later again"),
        pytest.param(CarrierRefused("other", status=404), TOKEN, ["unanswered"], id="nor here"),
    ],
)
async def test_what_follows_from_an_answer(
    answer: CarrierError | Collection[OrganizationId], pause: Pause | None, written: list[str]
) -> None:
    rows, resumed = Rows(pause=pause), list[str]()
    await watch(rows, Account(answer), resumed=resumed).look()
    assert rows.written == written
    assert resumed == (["resumed"] if "accepted" in written else [])


async def test_a_token_of_another_organization_shows_after_the_start_without_any_trouble() -> None:
    rows, account = Rows(degraded_since=None), Account([OTHER])
    await watch(rows, account).look()
    assert (rows.written, account.purposes) == (["refused"], [Purpose.tracking])


async def test_in_trouble_it_asks_before_what_can_wait() -> None:
    account = Account([OURS])
    await watch(Rows(), account).look()
    assert account.purposes == [Purpose.read]


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        pytest.param([OURS], 1, id="it is ours"),
        pytest.param([OTHER], 1, id="it is not: the pause is tried in its own time"),
        pytest.param(CarrierRefused("other", status=400), 1, id="a refusal of something else is an answer, too"),
        pytest.param(CarrierUnavailable("not_now"), 10, id="no answer: later again"),
    ],
)
def test_after_the_start_it_asks_until_there_is_an_answer(
    answer: CarrierError | Collection[OrganizationId], asked: int
) -> None:
    async def story() -> int:
        account, stop = Account(answer), Stop()
        running = asyncio.create_task(watch(Rows(degraded_since=None), account, stop).run())
        await pass_time(301)
        stop.announce()
        await running
        return account.asked

    assert in_virtual_time(story()) == asked


async def test_another_processs_connection_is_not_ours_to_ask() -> None:
    rows = Rows(Breaker(failures=1))
    await Watch(rows, rows, {}, Stop(), lambda: None).look()


async def test_a_database_that_is_away_ends_nothing() -> None:
    rows, account = Rows(Breaker(failures=1)), Account()
    rows.away = True
    await watch(rows, account).look()
    assert account.asked == 0


def test_it_looks_every_few_seconds_and_asks_about_every_half_minute_until_the_end() -> None:
    async def story() -> tuple[int, int]:
        account, stop = Account(), Stop()
        running = asyncio.create_task(watch(Rows(Breaker(failures=1)), account, stop).run())
        await pass_time(6)
        soon = account.asked
        await pass_time(295)
        stop.announce()
        await running
        return soon, account.asked

    assert in_virtual_time(story()) == (1, 10)
