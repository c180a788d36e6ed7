"""Commands in the store: one answer for each key, one hand at a time, the earliest deadline first, ended once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from bridge.errors import KeyMissing, KeyUsed, LeaseLost
from bridge.model import ClaimedCommand, Command, CommandState, Outcome, Progress, Standing
from bridge.store.commands import MOST_ATTEMPTS, SqlCommands
from bridge.store.database import Database, Transaction
from bridge.store.sealed import Vault

KEY = b"k" * 32
ASKED = b'{"name":"Kowalska"}'
DONE = Outcome(CommandState.done, {"phone": "+48500100200"})
SOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROOM = {"op": 10}


def command(key: str = "one", body: bytes = ASKED, *, operation: str = "op", **more: Any) -> Command:
    return Command(operation, key, body, "tests", **more)


def done(_: Transaction) -> Outcome:
    """Do nothing last."""
    return DONE


def failed(_: Transaction) -> Outcome:
    """Fail."""
    return replace(DONE, state=CommandState.failed)


class Hand:
    """Somebody who carries commands out."""

    def __init__(self, database: Database, name: str = "first", vault: Vault | None = None) -> None:
        self.database = database
        self.commands = SqlCommands(database, vault or Vault.with_keys([KEY]), name)

    async def take(self, **rooms: int) -> list[str]:
        return [one.id for one in await self.commands.claim(rooms or ROOM)]

    async def take_one(self) -> ClaimedCommand:
        (claimed,) = await self.commands.claim(ROOM)
        return claimed

    async def give(self, *commands: Command) -> None:
        for one in commands:
            assert (await self.commands.submit(one)).is_new

    async def standing(self, key: str = "one") -> Standing:
        found = await self.commands.look("op", key)
        assert found is not None
        return found

    async def change(self, sql: str, *values: object) -> None:
        await self.database.write(lambda transaction: transaction.run(sql, values))

    async def rows(self, sql: str) -> list[Any]:
        return await self.database.read(lambda transaction: transaction.run(sql))

    async def let_leases_end(self) -> None:
        """Let everybody's eight seconds be over."""
        await self.change("UPDATE commands SET held_until = 1 WHERE held_until > 0")


@pytest.fixture
def hand(database: Database) -> Hand:
    return Hand(database)


@pytest.fixture
def other(database: Database) -> Hand:
    return Hand(database, "second")


# -- giving ------------------------------------------------------------------------------------------------------------


async def test_a_command_is_new_once_and_then_answers_as_it_stands(hand: Hand) -> None:
    first = await hand.commands.submit(command())
    again = await hand.commands.submit(command())
    assert (first.is_new, again.is_new) == (True, False)
    assert (first.standing.state, again.standing.state) == (CommandState.waiting, CommandState.waiting)
    await hand.commands.end(await hand.take_one(), done)
    last = await hand.commands.submit(command())
    assert (last.is_new, last.standing.state, last.standing.result) == (False, CommandState.done, DONE.result)
    assert await hand.take() == []


async def test_the_same_key_with_another_body_is_refused_and_changes_nothing(hand: Hand) -> None:
    await hand.give(command())
    with pytest.raises(KeyUsed):
        await hand.commands.submit(command(body=b"{}"))
    assert (await hand.take_one()).body == ASKED


async def test_a_body_is_known_again_after_keys_were_rotated_and_from_no_plain_digest(database: Database) -> None:
    """A body may hold the ten digits of a code, and little else that is not known."""
    before = Hand(database)
    await before.give(command())
    [(kept,)] = await before.rows("SELECT body_sha256 FROM commands")
    assert bytes(kept) != sha256(ASKED).digest()
    rotated = Hand(database, vault=Vault.with_keys([b"n" * 32, KEY]))
    assert not (await rotated.commands.submit(command())).is_new
    with pytest.raises(KeyUsed):
        await rotated.commands.submit(command(body=b"{}"))
    await before.change("UPDATE commands SET body_sha256 = ?", sha256(ASKED).digest())  # as an older version kept it
    assert not (await rotated.commands.submit(command())).is_new


async def test_a_key_belongs_to_its_operation(hand: Hand) -> None:
    await hand.give(command(), command(body=b"{}", operation="another"))
    assert await hand.take(op=10, another=10) == ["one", "one"]


async def test_many_who_give_the_same_at_once_are_answered_alike(hand: Hand, other: Hand) -> None:
    given = await asyncio.gather(*(one.commands.submit(command()) for one in (hand, other) * 5))
    assert sum(one.is_new for one in given) == 1
    assert await hand.take() == ["one"]


async def test_what_is_not_there_has_no_standing(hand: Hand) -> None:
    assert await hand.commands.look("op", "nothing") is None


async def test_what_was_asked_and_what_came_of_it_lie_sealed_and_what_was_asked_goes_with_the_end(hand: Hand) -> None:
    await hand.give(command())
    ((owner, data),) = await hand.rows("SELECT owner, data FROM sealed")
    assert (owner, b"Kowalska" in data) == ("command:body/op/one", False)
    await hand.commands.end(await hand.take_one(), done)
    ((owner, data),) = await hand.rows("SELECT owner, data FROM sealed")
    assert (owner, b"48500100200" in data) == ("command:result/op/one", False)
    assert "Kowalska" not in str(await hand.rows("SELECT * FROM commands"))


async def test_a_result_whose_key_is_gone_is_named_so(hand: Hand, database: Database) -> None:
    await hand.give(command())
    await hand.commands.end(await hand.take_one(), done)
    with pytest.raises(KeyMissing):
        await Hand(database, vault=Vault()).standing()


# -- the order ---------------------------------------------------------------------------------------------------------


async def test_the_earliest_deadline_comes_first(hand: Hand) -> None:
    for key, hours in [("late", 3), ("soon", 1), ("between", 2)]:
        await hand.give(command(key, deadline=SOON + timedelta(hours=hours)))
    assert await hand.take() == ["soon", "between", "late"]


async def test_one_without_a_deadline_goes_before_what_has_time_and_after_what_has_none(hand: Hand) -> None:
    now = await hand.database.read(lambda transaction: transaction.now)
    clock = datetime.fromtimestamp(now / 1_000_000, UTC)
    await hand.give(command("has-time", deadline=clock + timedelta(minutes=4)), command("without"))
    await hand.give(command("has-none", deadline=clock + timedelta(seconds=20)))
    assert await hand.take() == ["has-none", "without", "has-time"]


async def test_those_with_the_same_deadline_come_in_the_order_of_their_coming(hand: Hand) -> None:
    for key in ("b", "c", "a"):
        await hand.give(command(key, deadline=SOON))
    assert await hand.take() == ["b", "c", "a"]


async def test_only_so_many_of_each_operation_are_taken(hand: Hand) -> None:
    for number in range(3):
        await hand.give(command(f"op-{number}"), command(f"another-{number}", operation="another"))
    assert await hand.take(op=1, another=1) == ["op-0", "another-0"]
    assert await hand.take(op=0, another=5) == ["another-1", "another-2"]
    assert await hand.take(unheard=1) == []


async def test_an_operation_without_room_hides_no_other_for_longer_than_one_look(hand: Hand) -> None:
    for number in range(5):
        await hand.give(command(f"op-{number}", deadline=SOON))
    await hand.give(command("another", operation="another"))
    assert await hand.take(op=1, another=2) == ["op-0"]
    assert await hand.take(op=0, another=2) == ["another"]


async def test_two_hands_share_what_there_is_and_no_command_is_in_both(hand: Hand, other: Hand) -> None:
    for number in range(20):
        await hand.give(command(f"{number:02}"))
    taken = await asyncio.gather(*(one.take(op=3) for one in (hand, other) * 5))
    assert sorted(key for some in taken for key in some) == [f"{number:02}" for number in range(20)]


# -- one hand at a time ------------------------------------------------------------------------------------------------


async def test_what_is_in_hand_is_nobody_elses_until_its_time_is_over(hand: Hand, other: Hand) -> None:
    await hand.give(command())
    first = await hand.take_one()
    await hand.commands.note(first, Progress(7, 0.5, {"after": 12}))
    assert await other.take() == []
    await hand.let_leases_end()
    second = await other.take_one()
    assert (second.body, second.progress) == (ASKED, Progress(7, 0.5, {"after": 12}))
    assert second.token > first.token


async def _note(commands: SqlCommands, claimed: ClaimedCommand) -> None:
    await commands.note(claimed, Progress(1))


async def _end(commands: SqlCommands, claimed: ClaimedCommand) -> None:
    await commands.end(claimed, done)


async def _renew(commands: SqlCommands, claimed: ClaimedCommand) -> None:
    await commands.renew(claimed)


async def _release(commands: SqlCommands, claimed: ClaimedCommand) -> None:
    await commands.release(claimed, is_attempt=False)


WRITES = [_note, _end, _renew, _release]


@pytest.mark.parametrize("write", WRITES)
async def test_who_lost_a_command_writes_nothing_more(hand: Hand, other: Hand, write: Any) -> None:
    await hand.give(command())
    lost = await hand.take_one()
    await hand.let_leases_end()
    mine = await other.take_one()
    with pytest.raises(LeaseLost):
        await write(hand.commands, lost)
    await write(other.commands, mine)


@pytest.mark.parametrize("write", WRITES)
async def test_who_slept_beyond_the_lease_writes_nothing_although_nobody_took_it(hand: Hand, write: Any) -> None:
    await hand.give(command())
    slept = await hand.take_one()
    await hand.let_leases_end()
    with pytest.raises(LeaseLost):
        await write(hand.commands, slept)


async def test_the_same_holder_that_takes_it_again_has_another_token(hand: Hand) -> None:
    await hand.give(command())
    first = await hand.take_one()
    await hand.let_leases_end()
    second = await hand.take_one()
    with pytest.raises(LeaseLost):
        await hand.commands.end(first, done)
    await hand.commands.end(second, done)
    with pytest.raises(LeaseLost):
        await hand.commands.end(second, failed)
    assert (await hand.standing()).state is CommandState.done


async def test_renewing_holds_a_command_for_eight_seconds_more(hand: Hand) -> None:
    await hand.give(command())
    claimed = await hand.take_one()
    await hand.change("UPDATE commands SET held_until = held_until - 7000000")
    ((before,),) = await hand.rows("SELECT held_until FROM commands")
    await hand.commands.renew(claimed)
    ((after,),) = await hand.rows("SELECT held_until FROM commands")
    now = await hand.database.read(lambda transaction: transaction.now)
    assert before + 7_000_000 <= after <= now + 8_000_000


async def test_what_is_given_back_can_be_taken_at_once_or_after_a_while(hand: Hand, other: Hand) -> None:
    await hand.give(command())
    await hand.commands.release(await hand.take_one(), is_attempt=False)
    await other.commands.release(await other.take_one(), timedelta(hours=1), is_attempt=False)
    assert await hand.take() == []
    await hand.let_leases_end()
    assert await hand.take() == ["one"]


async def test_it_is_told_when_the_next_lease_ends(hand: Hand, other: Hand) -> None:
    assert await hand.commands.free_in() is None
    await hand.give(command("waiting"), command())
    assert await hand.commands.free_in() is None
    await other.take(op=1)
    free_in = await hand.commands.free_in()
    assert free_in is not None
    assert 6 < free_in <= 8
    await hand.let_leases_end()
    assert await hand.commands.free_in() is None


# -- no poison ---------------------------------------------------------------------------------------------------------


async def test_what_never_comes_any_further_is_given_up(hand: Hand) -> None:
    await hand.give(command())
    for _ in range(MOST_ATTEMPTS):
        assert await hand.take() == ["one"]
        await hand.let_leases_end()
    assert await hand.take() == []
    standing = await hand.standing()
    assert (standing.state, standing.error) == (CommandState.unknown, "it was begun 5 times and never came any further")


async def test_what_comes_further_each_time_is_never_given_up(hand: Hand) -> None:
    await hand.give(command())
    for number in range(2 * MOST_ATTEMPTS):
        await hand.commands.note(await hand.take_one(), Progress(number))
        await hand.let_leases_end()
    assert await hand.take() == ["one"]


async def test_a_command_that_nobody_can_read_ends_and_holds_up_no_other(hand: Hand, database: Database) -> None:
    await Hand(database, vault=Vault.with_keys([b"x" * 32])).give(command("foreign"))
    await hand.give(command("erased"), command("well"))
    await hand.change("DELETE FROM sealed WHERE owner = 'command:body/op/erased'")
    assert await hand.take() == ["well"]
    told = {key: await hand.standing(key) for key in ("foreign", "erased")}
    assert {one.state for one in told.values()} == {CommandState.failed}
    assert "no configured key" in (told["foreign"].error or "")
    assert "erased" in (told["erased"].error or "")


async def test_of_one_that_was_sent_and_that_nobody_can_read_any_more_nobody_knows(
    hand: Hand, database: Database
) -> None:
    before, words = Hand(database, vault=Vault.with_keys([b"x" * 32])), list[ClaimedCommand]()
    await before.give(command())
    await before.commands.note(await before.take_one(), Progress(at={"sent": 1}, is_sent=True))
    await hand.let_leases_end()
    assert await hand.commands.claim(ROOM, {"op": lambda _, claimed: words.append(claimed)}) == []
    assert (await hand.standing()).state is CommandState.unknown
    assert [(one.body, dict(one.progress.at)) for one in words] == [(b"", {"sent": 1})]


# -- taking back -------------------------------------------------------------------------------------------------------


async def test_what_nobody_has_begun_can_be_taken_back_and_is_never_done(hand: Hand) -> None:
    await hand.give(command())
    assert await hand.commands.withdraw("op", "one", only="waiting")
    assert await hand.take() == []
    assert (await hand.standing()).state is CommandState.withdrawn
    assert await hand.rows("SELECT owner FROM sealed") == []
    assert not await hand.commands.withdraw("op", "one", only="live"), "once is enough"


async def test_what_is_begun_is_only_taken_back_where_that_is_asked_for_and_then_stops(hand: Hand) -> None:
    await hand.give(command())
    claimed = await hand.take_one()
    assert not await hand.commands.withdraw("op", "one", only="waiting")
    await hand.commands.note(claimed, Progress(3))
    assert await hand.commands.withdraw("op", "one", only="live")
    with pytest.raises(LeaseLost):
        await hand.commands.note(claimed, Progress(4))
    assert (await hand.standing()).progress == Progress(3)


async def test_what_somebody_has_in_hand_is_not_unattended(hand: Hand) -> None:
    await hand.give(command("waiting"))
    assert await hand.commands.withdraw("op", "waiting", only="unattended")
    await hand.give(command())
    claimed = await hand.take_one()
    assert not await hand.commands.withdraw("op", "one", only="unattended")
    await hand.commands.note(claimed, Progress(3))
    await hand.let_leases_end()
    assert await hand.commands.withdraw("op", "one", only="unattended")


async def test_what_has_ended_cannot_be_taken_back(hand: Hand) -> None:
    await hand.give(command())
    await hand.commands.end(await hand.take_one(), done)
    assert not await hand.commands.withdraw("op", "one", only="live")
    assert (await hand.standing()).result == DONE.result


async def test_what_was_taken_back_can_be_given_again_with_another_body(hand: Hand) -> None:
    await hand.give(command())
    await hand.commands.note(await hand.take_one(), Progress(3))
    await hand.commands.withdraw("op", "one", only="live")
    await hand.give(command(body=b"{}"))
    again = await hand.take_one()
    assert (again.body, again.progress) == (b"{}", Progress())


async def test_what_is_not_begun_in_time_is_withdrawn_by_itself(hand: Hand) -> None:
    await hand.give(command("too-late", begin_within=timedelta(0)), command("begun", begin_within=timedelta(hours=1)))
    assert await hand.take() == ["begun"]
    assert (await hand.standing("too-late")).state is CommandState.withdrawn
    await hand.change("UPDATE commands SET begin_by = 1")
    await hand.let_leases_end()
    assert await hand.take() == ["begun"], "what was begun in time is finished"


async def test_it_is_told_for_how_long_nobody_has_had_it_in_hand(hand: Hand) -> None:
    await hand.give(command())
    await hand.change("UPDATE commands SET submitted_at = submitted_at - 20000000")
    assert 20 <= (await hand.standing()).unattended_s < 60
    claimed = await hand.take_one()
    assert (await hand.standing()).unattended_s == 0
    assert await hand.commands.underway("op") == 1
    await hand.change("UPDATE commands SET held_until = held_until - 18000000")
    assert 9 <= (await hand.standing()).unattended_s < 60
    assert await hand.commands.underway("op") == 0
    await hand.change("UPDATE commands SET held_until = held_until + 18000000")
    await hand.commands.end(claimed, done)
    await hand.change("UPDATE commands SET submitted_at = 1")
    assert (await hand.standing()).unattended_s == 0


def effect(transaction: Transaction) -> Outcome:
    """Do something last."""
    transaction.run("INSERT INTO meta (name, value) VALUES ('effect', 'x')")
    return DONE


EFFECT = "SELECT value FROM meta WHERE name = 'effect'"


async def test_the_last_thing_that_a_command_does_is_one_commit_with_its_end(hand: Hand, other: Hand) -> None:
    await hand.give(command())
    late = await hand.take_one()
    await hand.let_leases_end()
    claimed = await other.take_one()
    with pytest.raises(LeaseLost):
        await hand.commands.end(late, effect)
    assert await hand.rows(EFFECT) == []
    assert await other.commands.end(claimed, effect) == DONE
    assert await hand.rows(EFFECT) == [("x",)]
    assert (await hand.standing()).state is CommandState.done


async def test_a_step_of_a_command_is_one_commit_with_how_far_it_has_come(hand: Hand, other: Hand) -> None:
    await hand.give(command())
    late = await hand.take_one()
    await hand.let_leases_end()
    claimed = await other.take_one()
    with pytest.raises(LeaseLost):
        await hand.commands.step(late, effect, lambda _: Progress(1))
    assert (await hand.rows(EFFECT), await hand.standing()) == ([], replace(await hand.standing(), progress=Progress()))
    assert await other.commands.step(claimed, effect, lambda found: Progress(len(found.result or {}))) == DONE
    assert (await hand.rows(EFFECT), (await hand.standing()).progress) == ([("x",)], Progress(1))


def test_a_command_shows_nothing_of_what_was_asked() -> None:
    claimed = ClaimedCommand("op", "one", "tests", ASKED, 1, Progress())
    shown: Sequence[object] = (command(), claimed, DONE)
    assert all("Kowalska" not in repr(one) and "48500100200" not in repr(one) for one in shown)


async def test_what_may_be_at_a_carrier_is_not_taken_back(hand: Hand) -> None:
    await hand.give(command())
    await hand.commands.note(await hand.take_one(), Progress(is_sent=True))
    await hand.let_leases_end()
    for only in ("waiting", "unattended", "live"):
        assert not await hand.commands.withdraw("op", "one", only=only)
    assert (await hand.standing()).progress.is_sent
    assert await hand.take() == ["one"]
