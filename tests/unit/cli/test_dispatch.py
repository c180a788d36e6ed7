"""A list that a courier signs goes into a file that nobody else can read, and is kept here until it is there."""

from __future__ import annotations

from pathlib import Path

from bridge.cli.fetched import save
from bridge.dispatch.asked import PrintDispatchOrder
from bridge.model import Command, CommandState, Outcome, Standing
from bridge.store.commands import SqlCommands
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from tests.support.migrated import migrated

COMMAND = Command(PrintDispatchOrder.operation, "one", b"{}", "cli")


async def printed(commands: SqlCommands) -> Standing:
    await commands.submit(COMMAND)
    (claimed,) = await commands.claim({COMMAND.operation: 1})
    await commands.end(claimed, lambda _: Outcome(CommandState.done, {"content": "JVBERi0="}))
    return await look(commands)


async def look(commands: SqlCommands) -> Standing:
    found = await commands.look(COMMAND.operation, COMMAND.id)
    assert found is not None
    return found


async def test_it_is_forgotten_here_only_when_the_file_is_there(tmp_path: Path) -> None:
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    commands = SqlCommands(database, Vault(), "one")
    standing = await printed(commands)
    folder, file = tmp_path / "folder", tmp_path / "list.pdf"
    folder.mkdir()
    assert await save(commands, standing, folder) == f"{folder}: Is a directory"
    assert (await look(commands)).result == {"content": "JVBERi0="}
    assert await save(commands, standing, file) is None
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"%PDF-", 0o600)
    assert (await look(commands)).result is None
    await database.close()
