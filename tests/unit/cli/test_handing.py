"""What a verb says of the command it handed over, whatever became of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.cli.handing import outcome
from bridge.model import Command, CommandState, Outcome, Progress, Standing
from bridge.store.commands import SqlCommands
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from tests.support.migrated import migrated

COMMAND = Command("events.replay", "one", b"{}", "cli")
ROOM = {"events.replay": 5}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    found = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await found.open()
    yield found
    await found.close()


@pytest.fixture
def commands(database: SqliteDatabase) -> SqlCommands:
    return SqlCommands(database, Vault(), "a-bridge")


async def wait(commands: SqlCommands, command: Command = COMMAND, *, wait_s: float = 0.05) -> tuple[Standing, str]:
    standing, why = await outcome(commands, command, wait_s, lambda _: None)
    return standing, why or ""


async def test_nobody_took_it_up(commands: SqlCommands) -> None:
    standing, why = await wait(commands)
    assert standing.state is CommandState.withdrawn
    assert why.startswith("no running bridge took it up within 0.05 s, so it was withdrawn: is `bridge serve` running")


async def test_another_one_like_it_is_under_way(commands: SqlCommands) -> None:
    await commands.submit(replace(COMMAND, id="another"))
    await commands.claim(ROOM)
    _, why = await wait(commands)
    assert why == ("another events.replay is under way, so this one was withdrawn: try again when that one has ended")


async def test_the_one_that_had_it_went_away(commands: SqlCommands, database: SqliteDatabase) -> None:
    await commands.submit(COMMAND)
    (claimed,) = await commands.claim(ROOM)
    await commands.note(claimed, Progress(7))
    await database.write(lambda transaction: transaction.run("UPDATE commands SET held_until = 1"))
    standing, why = await wait(commands)
    assert (standing.state, standing.progress.done) == (CommandState.withdrawn, 7)
    assert why == ("the bridge that had it in hand went away and none took it over in 0.05 s: it was withdrawn after 7")


async def test_what_may_be_at_the_carrier_is_not_withdrawn(commands: SqlCommands, database: SqliteDatabase) -> None:
    await commands.submit(COMMAND)
    (claimed,) = await commands.claim(ROOM)
    await commands.note(claimed, Progress(is_sent=True))
    await database.write(lambda transaction: transaction.run("UPDATE commands SET held_until = 1"))
    standing, why = await wait(commands)
    assert standing.state is CommandState.running
    assert why.startswith("something of it may be at the carrier already, so it was not withdrawn")


@pytest.mark.parametrize("state", [CommandState.done, CommandState.rejected, CommandState.failed, CommandState.unknown])
async def test_an_end_is_told_as_it_is(commands: SqlCommands, state: CommandState) -> None:
    await commands.submit(COMMAND)
    (claimed,) = await commands.claim(ROOM)
    await commands.end(claimed, lambda _: Outcome(state, {"events": 3}, "why"))
    standing, why = await wait(commands)
    assert (standing.state, standing.result, why) == (state, {"events": 3}, "why")


async def test_for_as_long_as_somebody_has_it_in_hand_it_is_waited_for(commands: SqlCommands) -> None:
    await commands.submit(COMMAND)
    (claimed,) = await commands.claim(ROOM)
    shown: list[Standing] = []
    often = asyncio.Event()

    def show(standing: Standing) -> None:
        shown.append(standing)
        if len(shown) == 5:
            often.set()

    async def later() -> None:
        await often.wait()
        await commands.end(claimed, lambda _: Outcome(CommandState.done, {"events": 3}))

    (standing, _), _ = await asyncio.gather(outcome(commands, COMMAND, 0.05, show), later())
    assert standing.state is CommandState.done
    assert {one.unattended_s for one in shown} == {0.0}
