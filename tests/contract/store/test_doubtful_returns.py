"""Returns in doubt in the database: looked for in turn, settled once, and each ticket given to one of them alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.events.cloudevents import Envelope
from bridge.model import Command, CommandState, Outcome, Progress
from bridge.returns.ticket import Ticket
from bridge.shipping.returns.doubting import doubt
from bridge.shipping.returns.doubting.doubts import Doubts
from bridge.shipping.returns.keeping import Keeping
from bridge.store import doubtful_returns, return_story
from bridge.store.audit import Audit, survey
from bridge.store.commands import SqlCommands
from bridge.store.database import ManagedDatabase, Row
from bridge.store.doubtful_returns import Doubt
from bridge.store.facts import Recorder
from bridge.store.return_story import Course
from bridge.store.returns import Kept, Secrets
from bridge.store.sealed import Vault
from bridge.store.story import sources, story

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
CONNECTION = "inpost_returns/main"
ONE = Kept("a" * 32, CONNECTION, None, "one", "pending", T0, Secrets("ORDER 1"), sender="digest")
TICKET = Ticket("t-1", "1234567890")


class Desk:
    """Keeps returns and doubts about them in a database; its clock stands still until it is set."""

    def __init__(self, database: ManagedDatabase) -> None:
        self.database = database
        self.now = T0
        vault = Vault.with_keys([b"k" * 32])
        self.commands = SqlCommands(database, vault, "desk")
        self.keeping = Keeping(database, vault, Recorder(Envelope("test")), lambda: self.now, lambda: None)
        self.doubts = Doubts(database, vault, self.keeping, lambda: self.now)
        self.keyless = Keeping(database, Vault.with_keys([b"o" * 32]), Recorder(Envelope("test")), lambda: T0, print)

    async def begin(self, one: Kept) -> bool:
        return await self.database.write(lambda it: self.keeping.begin(it, one))

    async def lose(self, one: Kept) -> Doubt:
        """Have one in doubt now, whatever holds it up."""
        await self.database.write(lambda it: self.keeping.begin(it, replace(one, sender=None)))
        await self.database.write(lambda it: self.keeping.lost(it, one))
        found = await self.doubt(one.id)
        assert found is not None
        return found

    async def command(self, one: Kept, *, is_sent: bool = True) -> None:
        """End the command of a return with nobody knowing."""
        await self.commands.submit(Command("return.create", one.command, b"{}", "tests", deadline=T0))
        (claimed,) = await self.commands.claim({"return.create": 1})
        await self.commands.note(claimed, Progress(at={"return_id": one.id}, is_sent=is_sent))
        await self.commands.end(claimed, lambda _: Outcome(CommandState.unknown, error="nobody knows"))

    async def doubt(self, id_: str) -> Doubt | None:
        return await self.database.read(lambda it: doubtful_returns.find(it, id_))

    async def audit(self) -> Audit:
        now, settle = T0 + timedelta(hours=1), timedelta(seconds=20)
        return await self.database.survey(lambda it: survey(it, now, None, settle=settle, watch=lambda *_: None))

    async def rows(self, sql: str) -> list[Row]:
        return await self.database.read(lambda it: it.run(sql))


async def test_what_is_in_doubt_is_kept_with_its_sender_and_looked_for_when_it_is_due(
    database: ManagedDatabase,
) -> None:
    desk = Desk(database)
    one = await desk.lose(ONE)
    assert one == doubt.begun(ONE, T0)
    assert await desk.doubts.due(CONNECTION, 10) == []
    desk.now = T0 + timedelta(minutes=2)
    assert await desk.doubts.due(CONNECTION, 10) == [one]
    assert await desk.doubts.due("inpost_returns/other", 10) == []
    await desk.doubts.looked(one, "nothing")
    assert await desk.doubt(ONE.id) == doubt.looked(one, desk.now, "nothing")
    assert await desk.doubts.due(CONNECTION, 10) == []


async def test_the_longest_overdue_is_looked_for_first(database: ManagedDatabase) -> None:
    desk = Desk(database)
    for number in (2, 1, 3):
        desk.now = T0 + timedelta(minutes=number)
        await desk.lose(replace(ONE, id=f"{number:032x}", command=str(number), sender=None))
    desk.now += timedelta(hours=1)
    assert [int(one.id, 16) for one in await desk.doubts.due(CONNECTION, 2)] == [1, 2]


async def test_the_sender_of_one_in_doubt_waits_until_no_ticket_can_be_of_both(database: ManagedDatabase) -> None:
    desk = Desk(database)
    one = await desk.lose(ONE)
    other = replace(ONE, id="b" * 32, command="two")
    desk.now = one.until + doubt.HOLDS_UP - timedelta(microseconds=1)
    assert not await desk.begin(other)
    assert await desk.rows("SELECT count(*) FROM returns") == [(1,)]
    assert await desk.begin(replace(other, connection="inpost_returns/other"))
    assert await desk.begin(replace(other, id="c" * 32, command="three", sender="another"))
    desk.now += timedelta(microseconds=1)
    assert await desk.begin(other)


async def test_what_is_found_is_kept_told_and_answers_its_command(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.command(ONE)
    one = await desk.lose(ONE)
    assert await desk.doubts.found(one, TICKET)
    assert not await desk.doubts.found(one, TICKET)
    kept, standing = await desk.keeping.find(ONE.id), await desk.commands.look("return.create", "one")
    assert kept is not None
    assert standing is not None
    assert (kept.state, kept.secrets.code, kept.created_at) == ("created", "1234567890", ONE.begun_at)
    assert (standing.state, standing.error) == (CommandState.done, None)
    assert (standing.result or {})["provider_reference"] == "t-1"
    assert await desk.doubt(ONE.id) is None
    kinds = await desk.rows("SELECT type FROM events ORDER BY position")
    assert kinds == [("return.creation_unknown",), ("return.created",)]


async def test_one_ticket_is_given_to_one_of_two_that_are_settled_at_the_same_time(database: ManagedDatabase) -> None:
    desk = Desk(database)
    doubts = [await desk.lose(replace(ONE, id=letter * 32, command=letter)) for letter in "abcd"]
    found = await asyncio.gather(*(desk.doubts.found(one, TICKET) for one in (*doubts, *doubts)))
    assert sorted(found) == [False] * 7 + [True]
    assert await desk.rows("SELECT count(*) FROM returns WHERE provider_reference = 't-1'") == [(1,)]
    assert await desk.rows("SELECT count(*) FROM doubtful_returns") == [(3,)]


async def test_what_no_key_opens_is_in_doubt_too_told_of_and_looked_for_by_its_digest(
    database: ManagedDatabase,
) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    for _ in range(2):
        await database.write(lambda it: desk.keyless.give_up(it, ONE.id, is_sent=True))
    assert await desk.doubt(ONE.id) == doubt.begun(ONE, T0)
    assert await desk.rows("SELECT type FROM events") == [("return.creation_unknown",)]
    kept = await desk.keeping.find(ONE.id)
    assert kept is not None
    assert (kept.state, kept.secrets) == ("unknown", ONE.secrets)


async def test_what_no_key_opens_and_was_not_sent_is_forgotten(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    await database.write(lambda it: desk.keyless.give_up(it, ONE.id, is_sent=False))
    assert await desk.rows("SELECT id FROM returns") == await desk.rows("SELECT id FROM doubtful_returns") == []


@pytest.mark.parametrize(("is_sent", "state"), [(True, ["unknown"]), (False, [])])
async def test_what_its_command_left_without_a_word_is_taken_up(
    database: ManagedDatabase, is_sent: bool, state: list[str]
) -> None:
    desk = Desk(database)
    one = replace(ONE, sender=None)
    await desk.begin(one)
    await desk.begin(replace(one, id="b" * 32, command="under way"))
    await desk.commands.submit(Command("return.create", "under way", b"{}", "tests"))
    await desk.command(one, is_sent=is_sent)
    assert await desk.doubts.take_up("inpost_returns/other", 10) == 0
    assert await desk.doubts.take_up(CONNECTION, 10) == 1
    assert await desk.doubts.take_up(CONNECTION, 10) == 0
    assert await desk.rows("SELECT state FROM returns ORDER BY id") == [(one,) for one in (*state, "pending")]
    assert (await desk.doubt(one.id) is not None) == is_sent


async def test_what_was_made_by_a_command_that_is_forgotten_is_taken_up(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    assert await desk.doubts.take_up(CONNECTION, 10) == 1
    assert await desk.doubt(ONE.id) == doubt.begun(ONE, T0)


async def test_a_command_whose_return_is_another_one_is_left_alone(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.command(replace(ONE, id="f" * 32))
    one = await desk.lose(ONE)
    assert await desk.doubts.found(one, TICKET)
    standing = await desk.commands.look("return.create", "one")
    assert standing is not None
    assert (standing.state, standing.result) == (CommandState.unknown, None)


async def test_how_it_came_to_be_is_told_from_what_lies_open(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.command(ONE)
    one = await desk.lose(ONE)
    assert await database.read(lambda it: return_story.find(it, ONE.id)) == Course(
        ONE.id, CONNECTION, None, "one", "unknown", T0, None, "tests", doubt=one
    )
    name = f"return/{ONE.id}"
    assert await database.read(lambda it: sources(it, name)) == [f"/{CONNECTION}"]
    told = await database.read(lambda it: story(it, f"/{CONNECTION}", name))
    assert [event.type for event in told.events] == ["return.creation_unknown"]
    await database.write(lambda it: it.run("DELETE FROM commands"))
    forgotten = await database.read(lambda it: return_story.find(it, ONE.id))
    assert forgotten is not None
    assert (forgotten.given_by, forgotten.sent) == (None, 0)
    assert await database.read(lambda it: return_story.find(it, "f" * 32)) is None


async def test_the_books_count_the_facts_and_events_of_returns(database: ManagedDatabase) -> None:
    desk = Desk(database)
    assert await desk.doubts.found(await desk.lose(ONE), TICKET)
    whole = await desk.audit()
    figures = {identity.key: dict(identity.figures) for identity in whole.identities}
    assert (figures["b"]["facts"], figures["b"]["events"], figures["c"]["subjects"]) == (2, 2, 1)
    assert whole.is_balanced
    await database.write(lambda it: it.run("DELETE FROM events WHERE type = 'return.creation_unknown'"))
    broken = {identity.key: identity.differences for identity in (await desk.audit()).identities}
    assert {key for key, differences in broken.items() if differences} == {"b", "c", "d"}
    assert f"return/{ONE.id}" in str(broken["b"][0].examples)
