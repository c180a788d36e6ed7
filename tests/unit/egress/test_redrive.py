"""Sending back what is dead: once around, counted, and to be gone on with by somebody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bridge.commands.models import RedriveDead
from bridge.egress import redrive
from bridge.egress.redrive import RedrivenDead
from bridge.errors import BrokerUnavailable, Interrupted
from bridge.model import ClaimedCommand, CommandState, Outcome, Progress, Redriven
from bridge.store.dead import SqlDeadEvents
from bridge.store.sqlite import SqliteDatabase
from tests.contract.store.test_dead_store import record
from tests.support.hand import Told
from tests.support.migrated import migrated

BACK, LOST = Redriven.redriven, Redriven.no_origin


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    found = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await found.open()
    yield found
    await found.close()


async def bury(database: SqliteDatabase, number: int) -> None:
    """Have so many dead events."""
    await record(database, *range(number))
    await database.write(lambda transaction: transaction.run("UPDATE outbox SET state = 2, published_at = 1"))


class Letters:
    """A queue in which each message, in turn, meets its fate; what goes back may die again at once."""

    def __init__(self, fates: Sequence[Redriven | BrokerUnavailable], *, dies_again: bool = False) -> None:
        self.fates = list(fates)
        self._dies_again = dies_again
        self.is_closed = False

    async def open(self) -> int:
        return len(self.fates)

    async def redrive(self) -> Redriven | None:
        if not self.fates:
            return None
        fate = self.fates.pop(0)
        if isinstance(fate, BrokerUnavailable):
            raise fate
        if self._dies_again:
            self.fates.append(fate)
        return fate

    async def close(self) -> None:
        self.is_closed = True


async def send_back(
    database: SqliteDatabase,
    letters: Letters | None,
    *,
    limit: int | None = None,
    told: Told | None = None,
    progress: Progress | None = None,
) -> Outcome:
    handle = RedrivenDead(SqlDeadEvents(database), None if letters is None else lambda: letters)
    body = RedriveDead(limit=limit).canonical
    claimed = ClaimedCommand("dead.redrive", "1", "tests", body, 1, progress or Progress())
    outcome = await handle(claimed, told or Told(database))
    assert letters is None or letters.is_closed
    return outcome


ROUNDS: list[tuple[list[Redriven | BrokerUnavailable], int | None, dict[str, object], str]] = [
    # fates, limit, result, remark
    ([], None, {"events": 3, "messages": 0, "kept": {}}, "nothing there"),
    ([BACK, BACK], None, {"events": 3, "messages": 2, "kept": {}}, "all go back"),
    ([LOST, BACK, LOST], None, {"events": 3, "messages": 1, "kept": {"no_origin": 2}}, "some stay"),
    ([BACK, BACK, BACK], 2, {"events": 2, "messages": 2, "kept": {}}, "so many of each"),
]


@pytest.mark.parametrize(("fates", "limit", "result", "remark"), ROUNDS, ids=[row[-1] for row in ROUNDS])
async def test_each_is_sent_back_once_and_counted(
    database: SqliteDatabase,
    fates: list[Redriven | BrokerUnavailable],
    limit: int | None,
    result: dict[str, object],
    remark: str,
) -> None:
    await bury(database, 3)
    assert await send_back(database, Letters(fates), limit=limit) == Outcome(CommandState.done, result), remark


async def test_what_dies_again_at_once_is_not_met_again(database: SqliteDatabase) -> None:
    outcome = await send_back(database, Letters([BACK, BACK], dies_again=True))
    assert outcome.result == {"events": 0, "messages": 2, "kept": {}}


async def test_without_a_broker_the_outbox_is_all_there_is(database: SqliteDatabase) -> None:
    await bury(database, 2)
    assert (await send_back(database, None)).result == {"events": 2, "messages": 0, "kept": {}}


async def test_a_broker_that_goes_away_is_told_with_what_was_done(database: SqliteDatabase) -> None:
    await bury(database, 1)
    outcome = await send_back(database, Letters([BACK, BrokerUnavailable("the connection broke"), BACK]))
    assert (outcome.state, outcome.result) == (CommandState.failed, {"events": 1, "messages": 1})
    assert outcome.error == "the connection broke; 1 messages and 1 events were sent back"


async def test_who_takes_over_sends_back_the_rest_and_revives_no_event_twice(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redrive, "_EVERY", 2)
    await bury(database, 1)
    letters, told = Letters([BACK] * 5, dies_again=True), Told(database, interrupt_after=3)
    with pytest.raises(Interrupted):
        await send_back(database, letters, told=told)
    assert letters.is_closed
    assert [one.done for one in told.progress] == [0, 2, 4]
    await bury(database, 9)
    outcome = await send_back(database, Letters([BACK] * 5, dies_again=True), progress=told.progress[-1])
    assert outcome.result == {"events": 1, "messages": 5, "kept": {}}
