"""What a carrier refuses a whole account for: it is paused, tried again and resumed, the same on every database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from bridge.events.catalogue import ConnectionPaused
from bridge.events.cloudevents import Envelope
from bridge.lifecycle import utc_now
from bridge.limits.connection import Exchange, Granted, Limits, Outcome, Purpose, Refused, Verdict
from bridge.limits.pause import AccountReason, Pause
from bridge.model import DeliveryId, Fact, OrganizationId, PurchaseWork, ShipmentId, Subject, micros, moment
from bridge.store.connections import SqlConnections, is_paused, pause_of, resting, shipx, to_be_tried
from bridge.store.database import ManagedDatabase, T, Transaction, Unit
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.outlook import Errand, Take
from bridge.store.purchases import SqlPurchases
from bridge.store.refusals import SqlRefusals, pause_account, resume_account, take_probe
from bridge.store.wanting import want

ORGANIZATION, OTHER = OrganizationId(4821), OrganizationId(4822)
NAME = shipx(ORGANIZATION)
LIMITS = Limits(per_minute=6000, at_once=9)
FUNDS, TOKEN = AccountReason.debt_collection, AccountReason.forbidden
MINUTE: Final = timedelta(minutes=1)
ENDED = ("failed", "insufficient_funds")


class Undo(Exception):
    """Let nothing of a transaction count."""


class Account:
    """One account in one database, as replicas use it."""

    def __init__(self, database: ManagedDatabase) -> None:
        self.database = database
        self.recorder = Recorder(Envelope("test"))
        self.connections = SqlConnections(database, self.recorder)
        self.refusals = SqlRefusals(database, self.recorder)
        self.now = utc_now()

    async def do(self, unit: Unit[T]) -> T:
        return await self.database.write(unit)

    async def pause(self, reason: AccountReason = FUNDS) -> bool:
        return await self.do(lambda it: pause_account(it, self.recorder, ORGANIZATION, reason))

    async def paused_by_person(self) -> None:
        await self.do(lambda it: self.connections.pause(it, NAME, reason="operator", by="somebody"))

    async def resumed_by_person(self, *, regenerate: bool = True) -> None:
        connections = SqlConnections(self.database, self.recorder, forgoing=() if regenerate else (ORGANIZATION,))
        await self.do(lambda it: connections.resume(it, NAME))

    async def take(self) -> bool:
        return await self.do(lambda it: take_probe(it, ORGANIZATION, it.now))

    async def succeeded(self, ago: timedelta = timedelta(0), *, regenerate: bool = True) -> bool:
        """Write down that a purchase succeeded whose call had to be begun so long ago."""
        sent = self.now - ago
        return await self.do(
            lambda it: resume_account(it, self.recorder, ORGANIZATION, sent, self.now, regenerate=regenerate)
        )

    async def ask(self, *wanted: Purpose) -> Sequence[object]:
        brought = Exchange("a replica", (), (), wanted)
        return (await self.connections.exchange(NAME, LIMITS, brought, 0.5)).answers

    async def pass_time(self, passed: timedelta) -> None:
        """Let the pause be older, by the database's clock."""
        by = passed // timedelta(microseconds=1)
        await self.do(
            lambda it: it.run(
                "UPDATE connections SET paused_since = paused_since - ?, probe_at = probe_at - ?,"
                " probing_until = probing_until - ? WHERE name = ?",
                (by, by, by, NAME),
            )
        )

    async def paused_for(self, passed: timedelta, reason: AccountReason = FUNDS) -> None:
        await self.pause(reason)
        await self.pass_time(passed)

    async def paused(self) -> Pause | None:
        return await self.do(lambda it: pause_of(it, NAME))

    async def rests(self) -> bool:
        return ORGANIZATION in await self.do(lambda it: resting(it, it.now))

    async def is_due(self) -> bool:
        return ORGANIZATION in [organization for organization, _ in await self.do(to_be_tried)]

    async def may_begin(self, intents: int = 1) -> bool:
        return not await self.do(lambda it: is_paused(it, ORGANIZATION, intents))

    async def told(self) -> list[tuple[str, str]]:
        page = await SqlFeed(self.database).page(None, 100)
        found: list[dict[str, Any]] = [json.loads(one.body) for one in page.events]
        return [(one["type"].split(".")[2], one["data"]["reason"]) for one in found]

    async def have(
        self, shipment: int, state: str, reason: str | None, ago: timedelta, organization: OrganizationId = ORGANIZATION
    ) -> None:
        """Have a purchase that came to this so long ago."""
        work = PurchaseWork(organization, ShipmentId(shipment), self.now + 5 * MINUTE, DeliveryId("d"))

        def unit(it: Transaction) -> None:
            want(it, [work], self.now)
            it.run(
                "UPDATE purchases SET state = ?, reason = ?, updated_at = ?, attempts = 3, reads = 3, refusals = 2,"
                " answer = 'refused', intent_id = 'i' WHERE shipment = ?",
                (state, reason, micros(self.now - ago), shipment),
            )

        await self.do(unit)

    async def claim(self, holder: str) -> list[tuple[OrganizationId, int]]:
        """Take all that is wanted, as a replica that has nothing to do."""
        purchases = SqlPurchases(self.database, self.recorder, holder)
        claimed = await purchases.claim(lambda outlook: [Take(Errand.buy, 100)] if outlook.wanted else [], self.now)
        return [(one.organization, one.shipment) for batch in claimed.batches for one in batch.purchases]

    async def wanted(self) -> list[int]:
        sql = "SELECT shipment FROM purchases WHERE state = 'wanted' ORDER BY shipment"
        return [row[0] for row in await self.do(lambda it: it.run(sql))]


@pytest.fixture
def account(database: ManagedDatabase) -> Account:
    return Account(database)


# -- pausing -----------------------------------------------------------------------------------------------------------


async def test_a_pause_is_told_in_the_transaction_of_the_purchase_that_was_refused(account: Account) -> None:
    shipment = Subject.shipment(ORGANIZATION, ShipmentId(1))
    data = ConnectionPaused(connection=NAME, reason="x", since=account.now)
    fact = Fact(shipment, "shipment.confirmed", "1", account.now, data)

    def refused(it: Transaction, *, counts: bool) -> bool:
        ledgers = account.recorder.lock(it, [shipment])
        account.recorder.record(it, ledgers, [fact], account.now)
        account.recorder.save(it, ledgers.values())
        begun = pause_account(it, account.recorder, ORGANIZATION, FUNDS)
        if not counts:
            raise Undo
        return begun

    with pytest.raises(Undo):
        await account.do(lambda it: refused(it, counts=False))
    assert (await account.paused(), await account.told()) == (None, [])
    assert await account.do(lambda it: refused(it, counts=True))
    assert await account.told() == [("confirmed", "x"), ("paused", "debt_collection")]
    pause = await account.paused()
    assert pause == Pause.by_carrier(FUNDS, pause.since if pause else micros(account.now))


async def test_many_refusals_are_one_pause_for_the_first_reason(account: Account) -> None:
    begun = [await account.pause(reason) for reason in (FUNDS, FUNDS, AccountReason.company_data_missing, TOKEN)]
    assert begun == [True, False, False, False]
    assert await account.told() == [("paused", "debt_collection")]


async def test_of_refusals_at_once_one_begins_the_pause(account: Account) -> None:
    assert sorted(await asyncio.gather(*(account.pause() for _ in range(8)))) == [False] * 7 + [True]
    assert await account.told() == [("paused", "debt_collection")]


async def test_what_a_person_paused_stays_the_persons(account: Account) -> None:
    await account.connections.prepare([NAME])
    await account.paused_by_person()
    assert not await account.pause()
    await account.pass_time(60 * MINUTE)
    assert (await account.is_due(), await account.take(), await account.rests()) == (False, False, True)
    assert not await account.succeeded()
    assert await account.told() == [("paused", "operator")]


async def test_a_person_takes_a_pause_over_and_it_is_tried_no_more(account: Account) -> None:
    await account.paused_for(2 * MINUTE)
    assert await account.take()
    before = await account.paused()
    assert before is not None
    await account.paused_by_person()
    assert await account.paused() == Pause(before.since, "operator", "somebody")
    assert await account.ask(Purpose.buy) == (Refused("paused"),)
    assert not await account.may_begin()
    await account.resumed_by_person()
    assert await account.told() == [("paused", "debt_collection"), ("paused", "operator"), ("resumed", "operator")]


# -- trying ------------------------------------------------------------------------------------------------------------


async def test_a_paused_account_rests_until_a_try_is_due_and_while_it_is_taken(account: Account) -> None:
    assert not await account.rests()
    await account.pause()
    assert (await account.rests(), await account.is_due(), await account.take()) == (True, False, False)
    await account.pass_time(MINUTE)
    assert (await account.rests(), await account.is_due(), await account.take()) == (False, True, True)
    assert (await account.rests(), await account.is_due(), await account.take()) == (True, False, False)


async def test_one_whose_carrier_is_left_alone_rests_though_a_try_is_due(account: Account) -> None:
    await account.paused_for(MINUTE)
    later = micros(utc_now() + MINUTE / 2)
    await account.do(lambda it: it.run("UPDATE connections SET not_before = ?", (later,)))
    assert await account.rests()


async def test_of_all_replicas_one_takes_the_try_and_one_purchase_gets_its_permit(account: Account) -> None:
    await account.paused_for(MINUTE)
    assert sorted(await asyncio.gather(*(account.take() for _ in range(8)))) == [False] * 7 + [True]
    answers = [one for [one] in await asyncio.gather(*(account.ask(Purpose.buy) for _ in range(8)))]
    assert len([one for one in answers if isinstance(one, Granted)]) == 1
    assert answers.count(Refused("paused")) == 7


async def test_the_intent_of_that_purchase_is_let_through_and_alone(account: Account) -> None:
    assert await account.may_begin(100)
    await account.paused_for(MINUTE)
    assert not await account.may_begin()
    await account.take()
    await account.ask(Purpose.buy)
    assert (await account.may_begin(), await account.may_begin(2)) == (True, False)
    await account.pass_time(MINUTE / 2)
    assert not await account.may_begin(), "it took too long"


async def test_a_try_that_came_to_nothing_is_followed_by_one_soon_and_one_that_failed_by_one_later(
    account: Account,
) -> None:
    await account.paused_for(MINUTE)
    await account.take()
    await account.pass_time(MINUTE / 2)
    assert await account.is_due(), "nobody asked for a permit"
    await account.take()
    await account.ask(Purpose.buy)
    assert not await account.pause(), "refused again"
    await account.pass_time(1.9 * MINUTE)
    assert not await account.is_due()
    await account.pass_time(0.2 * MINUTE)
    assert await account.is_due()
    assert await account.told() == [("paused", "debt_collection")]


async def test_a_pause_for_a_token_lets_no_purchase_through(account: Account) -> None:
    await account.paused_for(MINUTE, TOKEN)
    assert (await account.is_due(), await account.rests()) == (False, True)
    assert await account.refusals.take(ORGANIZATION)
    assert not await account.refusals.take(ORGANIZATION)
    assert await account.ask(Purpose.buy) == (Refused("paused"),)
    assert (await account.may_begin(), await account.rests()) == (False, True)


async def test_of_replicas_that_claim_at_once_one_takes_the_candidates_for_a_try(account: Account) -> None:
    await account.paused_for(MINUTE)
    for shipment in range(1, 5):
        await account.have(shipment, "wanted", None, MINUTE)
    await account.have(9, "wanted", None, MINUTE, OTHER)
    claims = await asyncio.gather(*(account.claim(f"replica {n}") for n in range(6)))
    ours = [[shipment for organization, shipment in claim if organization == ORGANIZATION] for claim in claims]
    assert sorted(map(sorted, ours)) == [[]] * 5 + [[1, 2, 3, 4]]
    assert sum((OTHER, 9) in claim for claim in claims) == 1
    assert await account.claim("later") == [], "the try is taken"


async def test_what_a_read_has_shown_comes_before_what_may_be_forged_and_strangers_come_last(account: Account) -> None:
    await account.paused_for(MINUTE)
    for shipment in range(1, 5):
        await account.have(shipment, "wanted", None, MINUTE)
    answers = "CASE shipment WHEN 1 THEN 'stranger' END, offer_id = CASE shipment WHEN 3 THEN 17 END"
    await account.do(lambda it: it.run(f"UPDATE purchases SET answer = {answers}"))
    assert [shipment for _, shipment in await account.claim("a replica")] == [3, 2, 4, 1]


async def test_one_that_was_kept_back_is_tried_whatever_else_is_wanted(account: Account) -> None:
    await account.paused_for(MINUTE)
    for shipment in (1, 2):
        await account.have(shipment, *ENDED, MINUTE)
    await account.have(9, "wanted", None, MINUTE)
    await account.do(lambda it: it.run("UPDATE purchases SET answer = NULL WHERE shipment = 9"))
    assert [shipment for _, shipment in await account.claim("a replica")] == [1, 9]


async def test_where_nothing_is_wanted_one_of_what_was_kept_back_is_tried(account: Account) -> None:
    await account.paused_for(MINUTE)
    for shipment in range(1, 5):
        await account.have(shipment, *ENDED, MINUTE)
    await account.claim("a replica")
    [wanted] = await account.wanted()
    assert await account.claim("a replica") == [(ORGANIZATION, wanted)]
    await account.claim("a replica")
    assert await account.wanted() == [wanted], "no second one while it is tried"


# -- resuming ----------------------------------------------------------------------------------------------------------


async def test_a_purchase_that_was_begun_well_after_the_pause_ends_it(account: Account) -> None:
    await account.paused_for(2 * MINUTE)
    assert await account.succeeded()
    assert not await account.succeeded()
    assert await account.paused() is None
    assert await account.told() == [("paused", "debt_collection"), ("resumed", "debt_collection")]
    assert isinstance((await account.ask(Purpose.buy))[0], Granted)
    assert await account.pause(), "it may begin anew"
    assert len(await account.told()) == 3


async def test_one_that_was_begun_before_shows_nothing_about_it(account: Account) -> None:
    await account.paused_for(2 * MINUTE)
    assert not await account.succeeded(2 * MINUTE)
    assert not await account.succeeded(2 * MINUTE - timedelta(seconds=10)), "clocks differ"
    assert await account.succeeded(MINUTE)


@pytest.mark.parametrize(
    ("state", "reason", "ago", "is_wanted"),
    [
        pytest.param("expired", "account_paused", MINUTE, True, id="given up because of the pause"),
        pytest.param("failed", "insufficient_funds", MINUTE, True, id="refused"),
        pytest.param("failed", "account_data_missing", MINUTE, True, id="refused for another reason of that kind"),
        pytest.param(
            "failed", "insufficient_funds", 69 * MINUTE, True, id="refused before it was known of the account"
        ),
        pytest.param("failed", "insufficient_funds", 71 * MINUTE, False, id="an older story"),
        pytest.param("failed", "offer_unavailable", MINUTE, False, id="failed for a reason of its own"),
        pytest.param("expired", None, MINUTE, False, id="expired"),
        pytest.param("declined", "price_above_max", MINUTE, False, id="not wanted by the policy"),
        pytest.param("held", "approval_required", MINUTE, False, id="waits for a person"),
        pytest.param("succeeded", None, MINUTE, False, id="bought"),
        pytest.param("doubt", "insufficient_funds", MINUTE, False, id="in doubt: only evidence decides"),
    ],
)
async def test_what_is_wanted_again(
    account: Account, state: str, reason: str | None, ago: timedelta, is_wanted: bool
) -> None:
    await account.paused_for(60 * MINUTE)
    await account.have(1, state, reason, ago)
    assert await account.succeeded()
    assert await account.wanted() == ([1] if is_wanted else [])


async def test_what_failed_three_times_would_only_pause_the_account_again(account: Account) -> None:
    await account.paused_for(60 * MINUTE)
    await account.have(1, *ENDED, MINUTE)
    await account.do(lambda it: it.run("UPDATE purchases SET refusals = 3"))
    assert await account.succeeded()
    assert await account.wanted() == []


async def test_what_is_wanted_again_begins_anew(account: Account) -> None:
    await account.paused_for(60 * MINUTE)
    await account.have(1, *ENDED, MINUTE)
    await account.succeeded()
    columns = "deadline, due_at, updated_at, attempts, reads, refusals, answer, reason, intent_id"
    [row] = await account.do(lambda it: it.run(f"SELECT {columns} FROM purchases"))
    now = account.now
    assert row == (micros(now + 5 * MINUTE), micros(now), micros(now), 0, 0, 2, "asked", None, None)


async def test_nothing_is_wanted_again_of_others_nor_after_a_day_nor_against_the_policy(account: Account) -> None:
    await account.paused_for(timedelta(days=3))
    await account.have(1, *ENDED, timedelta(hours=25))
    await account.have(2, *ENDED, timedelta(hours=23), OTHER)
    await account.have(3, *ENDED, timedelta(hours=23))
    await account.succeeded(regenerate=False)
    assert await account.wanted() == []
    await account.paused_for(timedelta(days=3))
    await account.succeeded()
    assert await account.wanted() == [3]


@pytest.mark.parametrize(("regenerate", "wanted"), [(True, [1]), (False, [])])
async def test_a_person_resumes_any_pause_in_the_same_way(
    account: Account, regenerate: bool, wanted: list[int]
) -> None:
    await account.paused_for(10 * MINUTE)
    await account.have(1, *ENDED, MINUTE)
    await account.resumed_by_person(regenerate=regenerate)
    assert (await account.paused(), await account.wanted()) == (None, wanted)


async def test_a_token_that_is_refused_for_the_account_pauses_it_and_one_that_is_accepted_ends_that(
    account: Account,
) -> None:
    assert [await account.refusals.refused(ORGANIZATION) for _ in range(2)] == [True, False]
    await account.pass_time(MINUTE)
    await account.have(1, "expired", "account_paused", timedelta(0))
    assert await account.refusals.take(ORGANIZATION)
    await account.refusals.unanswered(ORGANIZATION, 0.5)
    pause = await account.paused()
    assert pause is not None
    assert pause.probe_at is not None
    assert 110 < (moment(pause.probe_at) - utc_now()).total_seconds() <= 120
    assert [await account.refusals.accepted(ORGANIZATION) for _ in range(2)] == [True, False]
    assert await account.wanted() == [1]
    assert await account.told() == [("paused", "forbidden"), ("resumed", "forbidden")]


async def test_a_token_that_is_accepted_ends_no_pause_for_another_reason(account: Account) -> None:
    await account.paused_for(MINUTE)
    before = await account.paused()
    assert not await account.refusals.accepted(ORGANIZATION)
    await account.refusals.unanswered(ORGANIZATION, 0.5)
    assert await account.paused() == before


# -- at once -----------------------------------------------------------------------------------------------------------


async def test_purchases_that_fail_and_succeed_at_once_with_everything_else_wait_for_nobody_for_long(
    account: Account,
) -> None:
    """Steps of purchases, exchanges, a person and what webhooks ask for, on the same rows: none is ever given up."""
    await account.connections.prepare([NAME])
    shipments = range(1, 9)
    for shipment in shipments:
        await account.have(shipment, *ENDED, MINUTE)

    def step(shipment: int, then: Callable[[Transaction], bool]) -> Unit[None]:
        def unit(it: Transaction) -> None:
            account.recorder.lock(it, [Subject.shipment(ORGANIZATION, ShipmentId(shipment))])
            it.run("UPDATE purchases SET updated_at = updated_at WHERE shipment = ?", (shipment,))
            then(it)

        return unit

    async def fails(shipment: int) -> None:
        for _ in range(5):
            await account.do(step(shipment, lambda it: pause_account(it, account.recorder, ORGANIZATION, FUNDS)))

    async def succeeds(shipment: int) -> None:
        for _ in range(5):
            await account.pass_time(2 * MINUTE)
            await account.do(step(shipment, lambda it: _resume(account, it, utc_now())))

    async def intends(shipment: int) -> None:
        for _ in range(5):
            await account.do(step(shipment, lambda it: is_paused(it, ORGANIZATION)))

    async def asks() -> None:
        for _ in range(5):
            brought = Exchange("a replica", [(1, Outcome(Verdict.answered))], (), [Purpose.read])
            await account.connections.exchange(NAME, LIMITS, brought, 0.5)
            await account.resumed_by_person()

    async def hears(of: Sequence[int]) -> None:
        work = [PurchaseWork(ORGANIZATION, ShipmentId(one), account.now, DeliveryId("d")) for one in of]
        subjects = [Subject.shipment(ORGANIZATION, ShipmentId(one)) for one in of]

        def unit(it: Transaction) -> None:
            account.recorder.lock(it, subjects)
            want(it, work, account.now)

        for _ in range(5):
            await account.do(unit)

    await asyncio.gather(
        *(fails(one) for one in (1, 2)),
        *(succeeds(one) for one in (3, 4)),
        *(intends(one) for one in (5, 6)),
        *(asks(), hears(shipments)),
    )
    told = [what for what, _ in await account.told()]
    assert told == ["paused", "resumed"] * (len(told) // 2) + ["paused"] * (len(told) % 2), "one after the other"


def _resume(account: Account, transaction: Transaction, now: datetime) -> bool:
    return resume_account(transaction, account.recorder, ORGANIZATION, now, now, regenerate=True)
