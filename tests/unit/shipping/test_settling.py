"""A return that nobody knows of is looked for until it shows, linked once, and never made again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bridge.model import CommandState
from bridge.shipping.returns.doubting.doubt import HOLDS_UP, begun, looked
from bridge.shipping.returns.makers import TicketMaker
from bridge.store.doubtful_returns import LOOKED_FOR
from bridge.store.returns import Kept, Secrets
from tests.unit.purchasing.stage import Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.returning import (
    CODES,
    CREATE,
    IS_IT,
    MADE,
    PATHS,
    PLATFORM,
    PROVIDERS,
    SCENARIO,
    TICKETS,
    ask,
    at_provider,
    keeping,
    wanted,
)
from tests.unit.shipping.settling import SETTLE, doubted, left_in_doubt, look_for, operations, say, settlement
from tests.unit.shipping.stage import Stage, places

UNKNOWN, CREATED, FAILED = "return.creation_unknown", "return.created", "return.creation_failed"
MINUTES = timedelta(minutes=1).total_seconds()


def stage_of(**scenario: Any) -> Stage:
    return Stage(operations, **{**SCENARIO, **scenario})


def only(stage: Stage) -> str:
    """Give the id of the only return."""
    [(id_,)] = stage.disk.rows("SELECT id FROM returns")
    return str(id_)


def told(stage: Stage, id_: str) -> list[tuple[str, str]]:
    return [(kind, event["causationid"]) for kind, event in stage.told(f"return/{id_}")]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", ["lost", "crashed", "hung_up", "cut", "page"])
def test_what_was_made_and_nobody_heard_of_is_found_as_if_it_was_made_at_once(provider: str, kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, provider, kind)
            await look_for(stage, 3 * MINUTES)
            standing = await stage.standing(CREATE)
            result = standing.result or {}
            [there] = await at_provider(stage, provider)
            assert (standing.state, result["state"], standing.error) == (CommandState.done, "created", None)
            assert IS_IT[provider](result, there)
            assert told(stage, only(stage)) == [(kind, "one") for kind in (UNKNOWN, *MADE[provider])]
            has_label = await keeping(stage.start().parts).label(only(stage)) is not None
            assert has_label == (provider == PLATFORM)
            assert (await ask_again(stage, provider)) == result
            assert stage.disk.rows("SELECT * FROM doubtful_returns") == []

    in_virtual_time(story())


async def ask_again(stage: Stage, provider: str) -> Any:
    await ask(stage, wanted(provider))
    return await stage.done(CREATE)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", ["dropped", "unavailable", "failed"])
def test_what_was_never_made_stays_unknown_and_is_not_made_again(provider: str, kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, provider, kind)
            await look_for(stage, 15 * MINUTES)
            assert (await stage.standing(CREATE)).state is CommandState.unknown
            assert await at_provider(stage, provider) == []
            assert told(stage, only(stage)) == [(UNKNOWN, "one")]
            assert stage.disk.rows("SELECT showed FROM doubtful_returns") == [("nothing",)]

    in_virtual_time(story())


@pytest.mark.parametrize(("provider", "kind"), [*((one, "hung_up") for one in PROVIDERS), (PLATFORM, "dropped")])
def test_wherever_a_process_dies_that_settles_one_return_is_there_or_none(provider: str, kind: str) -> None:
    names = in_virtual_time(_settling(provider, kind, Points()))
    assert {"before a commit", "after a commit"} <= set(names)
    for at in places(names):
        in_virtual_time(_settling(provider, kind, Points(at)))


async def _settling(provider: str, kind: str, points: Points) -> list[str]:
    async with stage_of().open() as stage:
        await doubted(stage, provider, kind)
        await look_for(stage, 2 * MINUTES, points)
        await _is_settled(stage, provider)
    return points.names


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", ["hung_up", "dropped"])
def test_wherever_a_process_died_that_made_it_one_return_is_there_or_none(provider: str, kind: str) -> None:
    names = in_virtual_time(_dying(provider, kind, Points()))
    for at in places(names):
        in_virtual_time(_dying(provider, kind, Points(at)))


async def _dying(provider: str, kind: str, points: Points) -> list[str]:
    """Have it made by a process that dies, gone on with by one that can ask nobody, and settled by a third."""
    async with stage_of().open() as stage:
        stage.start(points)
        await stage.fault(kind, method="POST", path=PATHS[provider])
        await ask(stage, wanted(provider))
        await pass_time(1)
        await left_in_doubt(stage)
        await stage.merchant.delete("/_control/faults")
        await look_for(stage, 3 * MINUTES)
        await _is_settled(stage, provider)
    return points.names


async def _is_settled(stage: Stage, provider: str) -> None:
    """See that what is kept is what is there."""
    standing, there = await stage.standing(CREATE), await at_provider(stage, provider)
    if standing.state is CommandState.withdrawn:  # nothing had left
        assert (there, stage.disk.rows("SELECT id FROM returns")) == ([], [])
        return
    kinds = [kind for kind, _ in told(stage, only(stage))]
    if there:
        assert (standing.state, len(there)) == (CommandState.done, 1)
        assert IS_IT[provider](standing.result or {}, there[0])
        assert kinds in (MADE[provider], [UNKNOWN, *MADE[provider]])
    else:
        assert (standing.state, kinds) == (CommandState.unknown, [UNKNOWN])


def test_it_is_looked_for_often_at_first_then_less_and_after_a_week_no_more() -> None:
    begun_at = datetime(2026, 11, 26, tzinfo=UTC)
    kept = Kept("1" * 32, f"{TICKETS}/main", None, "one", "pending", begun_at, Secrets("ORDER123"), sender="digest")
    one, ages = begun(kept, begun_at), list[timedelta]()
    while one.look_at is not None:
        ages.append(one.look_at - begun_at)
        one = looked(one, one.look_at, "nothing")
    assert [age // timedelta(minutes=1) for age in ages[:6]] == [1, 2, 3, 4, 5, 6]
    assert all(later - age <= timedelta(hours=3) for age, later in pairwise(ages))
    assert LOOKED_FOR <= ages[-1] < LOOKED_FOR + timedelta(hours=3, minutes=1)
    assert len(ages) == one.looks < 100


def test_a_doubt_ends_after_it_began_though_another_clock_is_behind() -> None:
    begun_at = datetime(2026, 11, 26, tzinfo=UTC)
    kept = Kept("1" * 32, f"{TICKETS}/main", None, "one", "pending", begun_at, Secrets("ORDER123"), sender="digest")
    one = begun(kept, begun_at - timedelta(hours=1))
    assert one.since < one.until


def test_two_of_one_sender_that_are_in_doubt_get_a_ticket_each_and_their_own() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, TICKETS, "hung_up")
            await pass_time(HOLDS_UP.total_seconds() + MINUTES)
            await doubted(stage, TICKETS, "hung_up", "two", reference="ANOTHER")
            await look_for(stage, 3 * MINUTES)
            tickets = {one["id"]: one["reference"] for one in await at_provider(stage, TICKETS)}
            results = [(await stage.done(CREATE, key)) for key in ("one", "two")]
            assert {one["provider_reference"]: one["reference"] for one in results} == tickets
            assert sorted(tickets.values()) == ["ANOTHER", "ORDER123"]

    in_virtual_time(story())


def test_the_sender_of_one_in_doubt_waits_some_minutes_and_no_longer() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, TICKETS, "hung_up")
            stage.start()
            await ask(stage, wanted(TICKETS, reference="ANOTHER"), "two")
            await pass_time(HOLDS_UP.total_seconds() - MINUTES)
            assert not (await stage.standing(CREATE, "two")).state.is_over
            assert (await stage.done(CREATE, "two"))["reference"] == "ANOTHER"
            await look_for(stage, 10 * MINUTES)
            assert (await stage.done(CREATE))["reference"] == "ORDER123"
            linked = stage.disk.rows("SELECT DISTINCT provider_reference FROM returns")
            assert sorted(linked) == sorted((one["id"],) for one in await at_provider(stage, TICKETS))

    in_virtual_time(story())


def test_of_several_tickets_that_may_be_it_a_person_says_which() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, TICKETS, "hung_up")
            [one] = await at_provider(stage, TICKETS)
            stage.disk.rows("DELETE FROM doubtful_returns")
            await doubted(stage, TICKETS, "hung_up", "two")
            id_ = stage.disk.rows("SELECT id FROM doubtful_returns")[0][0]
            await look_for(stage, 5 * MINUTES)
            assert stage.disk.rows("SELECT showed FROM doubtful_returns") == [("several_tickets",)]
            stage.start()
            standing = await say(stage, id_, made=True, provider_reference=one["id"], code=one["code"])
            assert standing.state is CommandState.done
            assert (await stage.done(CREATE, "two"))["provider_reference"] == one["id"]
            assert told(stage, id_) == [(UNKNOWN, "two"), (CREATED, "two")]

    in_virtual_time(story())


def test_what_a_person_says_was_not_made_has_failed_and_is_looked_for_no_more() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, CODES, "hung_up")
            stage.start()
            standing = await say(stage, only(stage), made=False)
            assert (standing.result or {})["reason"] == "not_made"
            assert told(stage, only(stage)) == [(UNKNOWN, "one"), (FAILED, "one")]
            await look_for(stage, 5 * MINUTES)
            assert stage.disk.rows("SELECT state FROM returns") == [("failed",)]
            await ask(stage, wanted(CODES))
            await pass_time(MINUTES)
            assert (await stage.standing(CREATE)).state is CommandState.rejected
            assert len(await at_provider(stage, CODES)) == 1

    in_virtual_time(story())


def test_what_is_known_is_not_settled_by_hand_nor_by_a_ticket_of_another_return() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await ask(stage, wanted(TICKETS), "first")
            first = await stage.done(CREATE, "first")
            await doubted(stage, TICKETS, "dropped")
            stage.start()
            known = await say(stage, first["return_id"], "known", made=False)
            assert (known.state, known.result) == (CommandState.rejected, {"problem": "not-in-doubt"})
            [doubtful] = stage.disk.rows("SELECT id FROM doubtful_returns")
            taken = await say(stage, doubtful[0], "taken", made=True, provider_reference=first["provider_reference"])
            assert taken.state is CommandState.withdrawn
            assert told(stage, doubtful[0]) == [(UNKNOWN, "one")]

    in_virtual_time(story())


def test_what_the_provider_shows_under_our_own_id_counts_more_than_a_code_that_a_person_typed() -> None:
    """The code of a return that nobody knows of was given to another one by mistake: it is found all the same."""

    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, CODES, "hung_up", "first")
            first, [there] = only(stage), await at_provider(stage, CODES)
            await doubted(stage, CODES, "dropped", "second")
            [(second,)] = stage.disk.rows(f"SELECT id FROM returns WHERE id <> '{first}'")
            stage.start()
            mistaken = await say(stage, second, made=True, code=there["code"])
            assert mistaken.state is CommandState.done
            await look_for(stage, 3 * MINUTES)
            assert (await stage.done(CREATE, "first"))["code"] == there["code"]
            assert stage.disk.rows("SELECT * FROM doubtful_returns") == []

    in_virtual_time(story())


def test_a_code_is_the_code_of_one_return() -> None:
    """What is settled by its code alone is not settled by a code that another return has."""

    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await ask(stage, wanted(CODES), "first")
            first = await stage.done(CREATE, "first")
            await doubted(stage, CODES, "dropped")
            stage.start()
            [doubtful] = stage.disk.rows("SELECT id FROM doubtful_returns")
            taken = await say(stage, doubtful[0], "taken", made=True, code=first["code"])
            assert taken.state is CommandState.withdrawn
            assert told(stage, doubtful[0]) == [(UNKNOWN, "one")]
            settled = await say(stage, doubtful[0], "free", made=True, code="9999999999")
            assert settled.state is CommandState.done
            again = await say(stage, first["return_id"], "again", made=True, code="9999999999")
            assert again.result == {"problem": "not-in-doubt"}

    in_virtual_time(story())


@pytest.mark.parametrize("is_made", [True, False])
def test_what_is_settled_without_the_id_of_its_ticket_is_settled_when_no_other_return_can_take_that(
    is_made: bool,
) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, TICKETS, "hung_up")
            first, [there] = only(stage), await at_provider(stage, TICKETS)
            stage.start()
            await stage.give(SETTLE, settlement(first, made=is_made, **({"code": there["code"]} if is_made else {})))
            await stage.fault("dropped", method="POST", path=PATHS[TICKETS])
            await ask(stage, wanted(TICKETS, reference="ANOTHER"), "two")
            await pass_time(HOLDS_UP.total_seconds() - 2 * MINUTES)
            assert not (await stage.standing(SETTLE)).state.is_over
            assert stage.disk.rows("SELECT state FROM returns") == [("unknown",)]
            assert (await stage.ended(SETTLE, seconds=3 * MINUTES)).state is CommandState.done
            await stage.merchant.delete("/_control/faults")
            second = await stage.done(CREATE, "two")
            assert second["provider_reference"] != there["id"]
            assert len(await at_provider(stage, TICKETS)) == 2

    in_virtual_time(story())


def test_a_key_that_was_given_anew_is_not_answered_by_an_older_return() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, PLATFORM, "hung_up")
            first = only(stage)
            stage.disk.rows("DELETE FROM commands")
            await doubted(stage, PLATFORM, "dropped")
            await look_for(stage, 3 * MINUTES)
            assert [kind for kind, _ in told(stage, first)] == [UNKNOWN, *MADE[PLATFORM]]
            assert (await stage.standing(CREATE)).state is CommandState.unknown

    in_virtual_time(story())


@pytest.mark.parametrize("kind", ["hung_up", "dropped"])
def test_what_a_bug_left_open_is_taken_up_and_blocks_nobody(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            with monkeypatch.context() as patch:
                patch.setattr(TicketMaker, "look", None)
                stage.start()
                await stage.fault(kind, method="POST", path=PATHS[TICKETS])
                await ask(stage, wanted(TICKETS))
                assert (await stage.ended(CREATE)).state is CommandState.unknown
            assert stage.disk.rows("SELECT state FROM returns") == [("pending",)]
            await look_for(stage, 3 * MINUTES)
            await _is_settled(stage, TICKETS)
            await ask(stage, wanted(TICKETS, reference="ANOTHER"), "two")
            assert (await stage.done(CREATE, "two"))["reference"] == "ANOTHER"

    in_virtual_time(story())
