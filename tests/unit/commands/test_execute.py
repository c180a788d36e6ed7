"""Who carries commands out: each to its end, none in another's way, and none any more when it is not ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.commands import execute, held
from bridge.commands.execute import Executor, Operation
from bridge.commands.handling import Hand, Handler, Last
from bridge.commands.models import done, rejected
from bridge.errors import StoreUnavailable, Unreadable
from bridge.lifecycle import Stop
from bridge.model import ClaimedCommand, Command, CommandState, Outcome, Progress, Standing
from bridge.store.commands import SqlCommands
from bridge.store.database import Transaction, Unit
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from tests.support.bridge import until
from tests.support.migrated import migrated

ANOTHER_S = 5.0


class Stage:
    """A database, and executors on it that are ended with the test."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self.commands = SqlCommands(database, Vault(), "stage")

    async def give(self, *keys: str, operation: str = "op") -> None:
        for key in keys:
            await self.commands.submit(Command(operation, key, b"{}", "tests"))

    async def standing(self, key: str = "one", operation: str = "op") -> Standing:
        found = await self.commands.look(operation, key)
        assert found is not None
        return found

    async def ended(self, key: str = "one", operation: str = "op") -> Standing:
        async def is_over() -> Standing | None:
            standing = await self.standing(key, operation)
            return standing if standing.state.is_over else None

        return await until(is_over)

    @asynccontextmanager
    async def executor(self, holder: str = "first", **operations: Operation | Handler) -> AsyncIterator[Stop]:
        stop = Stop()
        commands = SqlCommands(self.database, Vault(), holder)
        executor = Executor(commands, _operations(operations), stop)
        running = asyncio.create_task(executor.run())
        try:
            yield stop
        finally:
            stop.announce()
            await asyncio.wait_for(running, ANOTHER_S)


def _operations(given: Mapping[str, Operation | Handler]) -> dict[str, Operation]:
    return {name: one if isinstance(one, Operation) else Operation(one) for name, one in given.items()}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    yield Stage(database)
    await database.close()


class Gate:
    """A handler that says when it is in, and waits to be let go."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.cancelled: list[str] = []
        self.opened = asyncio.Event()

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Outcome:
        self.inside.append(claimed.id)
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled.append(claimed.id)
            raise
        await hand.report(Progress(1))
        return done(key=claimed.id)


async def well(claimed: ClaimedCommand, _hand: Hand) -> Outcome:
    return done(key=claimed.id)


async def test_a_command_is_carried_out_and_its_outcome_kept(stage: Stage) -> None:
    await stage.give("one", "two")
    async with stage.executor(op=well):
        for key in ("one", "two"):
            standing = await stage.ended(key)
            assert (standing.state, standing.result) == (CommandState.done, {"key": key})


async def test_only_operations_that_are_known_here_are_taken(stage: Stage) -> None:
    await stage.give("one", operation="unheard")
    await stage.give("one")
    async with stage.executor(op=well):
        await stage.ended()
    assert (await stage.standing(operation="unheard")).state is CommandState.waiting


async def test_no_more_of_an_operation_than_it_allows_and_it_holds_up_no_other(stage: Stage) -> None:
    gate = Gate()
    await stage.give("a", "b", "c")
    await stage.give("one", operation="quick")
    async with stage.executor(op=Operation(gate, at_once=2), quick=well):
        await stage.ended(operation="quick")
        await until(lambda: len(gate.inside) == 2)
        assert (await stage.standing("c")).state is CommandState.waiting
        gate.opened.set()
        await stage.ended("c")
    assert gate.inside == ["a", "b", "c"]


async def _bug(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
    raise KeyError("Kowalska")


async def _unreadable(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
    raise Unreadable("not understood")


async def _no(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
    return rejected("no")


async def _late_bug(_claimed: ClaimedCommand, _hand: Hand) -> Last:
    def write(_transaction: Transaction) -> Outcome:
        raise KeyError("Kowalska")

    return Last(write, lambda _: None)


async def _bug_behind_the_end(claimed: ClaimedCommand, _hand: Hand) -> Last:
    def then(_outcome: Outcome) -> None:
        raise KeyError("Kowalska")

    return Last(lambda _: rejected("as it was"), then)


ENDS: list[tuple[Handler, CommandState, str, str]] = [
    # handler, state, error, remark
    (_bug, CommandState.unknown, "something went wrong in the bridge itself; its log says where", "a bug"),
    (_late_bug, CommandState.unknown, "something went wrong in the bridge itself; its log says where", "a bug at last"),
    (_bug_behind_the_end, CommandState.rejected, "as it was", "a bug behind the end"),
    (_unreadable, CommandState.rejected, "not understood", "a body of another version"),
    (_no, CommandState.rejected, "no", "a no"),
]


@pytest.mark.parametrize(("handler", "state", "error", "remark"), ENDS, ids=[row[-1] for row in ENDS])
async def test_whatever_happens_in_one_the_next_is_carried_out(
    stage: Stage, handler: Handler, state: CommandState, error: str, remark: str
) -> None:
    await stage.give("one")
    await stage.give("one", operation="next")
    async with stage.executor(op=handler, next=well):
        standing = await stage.ended()
        assert (standing.state, standing.error) == (state, error), remark
        assert (await stage.ended(operation="next")).state is CommandState.done


async def test_what_was_sent_before_a_version_that_cannot_read_it_is_not_rejected(stage: Stage) -> None:
    await stage.give("one")
    (before,) = await stage.commands.claim({"op": 1})
    await stage.commands.note(before, Progress(is_sent=True))
    await stage.commands.release(before, is_attempt=False)
    async with stage.executor(op=_unreadable):
        standing = await stage.ended()
    assert (standing.state, standing.error) == (CommandState.unknown, "not understood")


async def test_a_database_that_is_away_for_a_moment_is_no_outcome(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "_AGAIN", timedelta(0))
    left = 2

    async def away(claimed: ClaimedCommand, hand: Hand) -> Outcome:
        nonlocal left
        if left:
            left -= 1
            raise StoreUnavailable("away")
        return await well(claimed, hand)

    await stage.give("one")
    async with stage.executor(op=away):
        assert (await stage.ended()).state is CommandState.done


# -- the end of a process ----------------------------------------------------------------------------------------------


async def counting(claimed: ClaimedCommand, hand: Hand) -> Outcome:
    """Count on from where the one before stopped, for ever."""
    number = claimed.progress.done
    while True:
        number += 1
        await hand.report(Progress(number))
        await asyncio.sleep(0)


async def test_long_work_stops_where_it_can_go_on_and_another_goes_on_at_once(stage: Stage) -> None:
    await stage.give("one")
    async with stage.executor(op=counting):
        await until(lambda: _is_at_least(stage, 3))
    stopped = await stage.standing()
    assert stopped.state is CommandState.running
    async with stage.executor("second", op=counting):
        await until(lambda: _is_at_least(stage, stopped.progress.done + 1))


async def _is_at_least(stage: Stage, number: int) -> bool:
    return (await stage.standing()).progress.done >= number


async def test_short_work_is_finished_before_the_end(stage: Stage) -> None:
    gate = Gate()

    async def short(claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        gate.inside.append(claimed.id)
        await gate.opened.wait()
        return done()

    await stage.give("one", "two")
    async with stage.executor(op=Operation(short, at_once=1)) as stop:
        await until(lambda: gate.inside)
        stop.announce()
        gate.opened.set()
    assert (await stage.standing("one")).state is CommandState.done
    assert (await stage.standing("two")).state is CommandState.waiting


# -- not ours any more -------------------------------------------------------------------------------------------------


async def _withdraw(stage: Stage) -> None:
    assert await stage.commands.withdraw("op", "one", only="live")


async def _take_away(stage: Stage) -> None:
    """Let another replica have it, as if this one had slept."""
    sql = "UPDATE commands SET holder = 'another', token = token + 1, held_until = held_until * 2"
    await stage.database.write(lambda transaction: transaction.run(sql))


async def _says_no(_commands: SqlCommands, _claimed: ClaimedCommand) -> None:
    raise StoreUnavailable("away")


async def _says_nothing(_commands: SqlCommands, _claimed: ClaimedCommand) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("lose", [_withdraw, _take_away])
async def test_work_on_what_is_not_ours_any_more_is_broken_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, lose: Callable[[Stage], Awaitable[None]]
) -> None:
    monkeypatch.setattr(execute, "RENEW_S", 0.01)
    gate = Gate()
    await stage.give("one")
    async with stage.executor(op=gate):
        await until(lambda: gate.inside)
        await lose(stage)
        await until(lambda: gate.cancelled == ["one"])
    assert (await stage.standing()).state in (CommandState.withdrawn, CommandState.running)


@pytest.mark.parametrize("away", [_says_no, _says_nothing])
async def test_work_is_broken_off_before_the_lease_can_be_somebody_elses(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, away: Callable[[SqlCommands, ClaimedCommand], Awaitable[None]]
) -> None:
    """The database does not renew it: eight seconds later, or here at once, another replica may have it."""
    monkeypatch.setattr(execute, "RENEW_S", 0.01)
    monkeypatch.setattr(execute, "LEASE", timedelta(seconds=1.05))
    monkeypatch.setattr(SqlCommands, "renew", away)
    gate = Gate()
    await stage.give("one")
    async with stage.executor(op=gate):
        await until(lambda: gate.cancelled == ["one"])


async def test_a_lease_is_kept_while_the_work_lasts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "RENEW_S", 0.01)
    gate = Gate()
    await stage.give("one")
    async with stage.executor(op=gate):
        await until(lambda: gate.inside)
        held = "SELECT held_until FROM commands"
        ((first,),) = await stage.database.read(lambda transaction: transaction.run(held))

        async def is_renewed() -> bool:
            ((later,),) = await stage.database.read(lambda transaction: transaction.run(held))
            return bool(later > first)

        await until(is_renewed)
        gate.opened.set()
        assert (await stage.ended()).state is CommandState.done


async def test_an_outcome_is_written_although_the_database_is_away_for_a_moment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_AGAIN_S", 0.01)
    end, left, times = SqlCommands.end, [1, 1], 0

    async def away(commands: SqlCommands, claimed: ClaimedCommand, write: Unit[Outcome]) -> Outcome:
        if left:
            left.pop()
            raise StoreUnavailable("away")
        return await end(commands, claimed, write)

    async def once(claimed: ClaimedCommand, hand: Hand) -> Outcome:
        nonlocal times
        times += 1
        return await well(claimed, hand)

    monkeypatch.setattr(SqlCommands, "end", away)
    await stage.give("one")
    async with stage.executor(op=once):
        assert (await stage.ended()).state is CommandState.done
    assert times == 1, "what is done is not done again"


async def test_what_follows_the_end_finds_it_written(stage: Stage) -> None:
    found: list[Outcome] = []

    async def last(_claimed: ClaimedCommand, _hand: Hand) -> Last:
        return Last(lambda _: done(events=3), found.append)

    await stage.give("one")
    async with stage.executor(op=last):
        await until(lambda: found)
        assert ((await stage.standing()).state, found) == (CommandState.done, [done(events=3)])


async def test_no_step_is_begun_at_the_end_of_the_process(stage: Stage) -> None:
    gate, steps = Gate(), list[int]()

    async def stepping(_claimed: ClaimedCommand, hand: Hand) -> Outcome:
        gate.inside.append("one")
        await gate.opened.wait()
        await hand.step(lambda _: steps.append(1), lambda _: Progress(1))
        return done()

    await stage.give("one")
    async with stage.executor(op=stepping) as stop:
        await until(lambda: gate.inside)
        stop.announce()
        gate.opened.set()
    assert (steps, (await stage.standing()).state) == ([], CommandState.running)


async def test_what_was_done_elsewhere_is_kept_also_while_the_process_ends(stage: Stage) -> None:
    gate, kept = Gate(), list[int]()

    async def keeping(_claimed: ClaimedCommand, hand: Hand) -> Outcome:
        gate.inside.append("one")
        await gate.opened.wait()
        await hand.keep(lambda _: kept.append(1), lambda _: Progress(1, is_sent=True))
        return done()

    await stage.give("one")
    async with stage.executor(op=keeping) as stop:
        await until(lambda: gate.inside)
        stop.announce()
        gate.opened.set()
    assert (kept, (await stage.standing()).state) == ([1], CommandState.done)


async def test_each_command_is_told_in_the_log_without_what_was_asked(stage: Stage) -> None:
    with capture_logs() as logs:
        await stage.give("one")
        async with stage.executor(op=well):
            await stage.ended()
    events = [one["event"] for one in logs]
    assert [name for name in events if name.startswith("command.")] == ["command.begun", "command.ended"]
