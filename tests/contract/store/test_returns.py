"""Returns in the database: one in doubt of a sender, each of one command, and what is personal sealed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from bridge.errors import LeaseLost
from bridge.events.cloudevents import Envelope
from bridge.model import Command, CommandState, OrganizationId, Progress
from bridge.returns.address import FoundAddress
from bridge.returns.ticket import ReturnLabel, Ticket
from bridge.shipping.returns.handover import Handover
from bridge.shipping.returns.keeping import Keeping
from bridge.store.commands import SqlCommands
from bridge.store.database import ManagedDatabase, Row
from bridge.store.facts import Recorder
from bridge.store.returns import Kept, Secrets, Wanted, is_code_of_another
from bridge.store.sealed import Vault

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
CONNECTION = "inpost_returns/main"
OURS = OrganizationId(4821)
PLANNED = Secrets("ORDER 1", service_id=243, drop_off_point_id="KRA010")
ONE = Kept("a" * 32, CONNECTION, OURS, "one", "pending", T0, PLANNED, sender="digest")
OFF = "withdrawn"
TICKET = Ticket("t-1", "1234567890", "62001", T0 + timedelta(days=7), label=ReturnLabel(b"%PDF-1", "pdf"))


class Desk:
    """Keeps returns in a database."""

    def __init__(self, database: ManagedDatabase) -> None:
        self.database = database
        vault = Vault.with_keys([b"k" * 32])
        self.commands = SqlCommands(database, vault, "desk")
        self.keeping = Keeping(database, vault, Recorder(Envelope("test")), lambda: T0, lambda: None)

    async def begin(self, one: Kept) -> bool:
        await self.commands.submit(Command("return.create", one.command, b"{}", "tests"))
        return await self.database.write(lambda it: self.keeping.begin(it, one))

    async def made(self, one: Kept, ticket: Ticket = TICKET) -> Kept:
        return await self.database.write(lambda it: self.keeping.made(it, one, ticket))

    async def rows(self, sql: str) -> list[Row]:
        return await self.database.read(lambda it: it.run(sql))


async def test_a_return_is_kept_as_it_was_written_down_and_made(database: ManagedDatabase) -> None:
    desk = Desk(database)
    assert await desk.begin(ONE)
    assert await desk.keeping.find(ONE.id) == ONE
    made = await desk.made(ONE)
    assert await desk.keeping.find(ONE.id) == made
    assert (made.state, made.secrets.code, made.sender, made.label_format) == ("created", "1234567890", None, "pdf")
    assert await desk.keeping.label(ONE.id) == b"%PDF-1"
    assert await desk.keeping.linked(CONNECTION, ["t-1", "t-2"]) == {"t-1"}
    assert await desk.keeping.linked("inpost_returns/other", ["t-1"]) == set()
    assert await desk.keeping.linked(CONNECTION, []) == set()
    told = [("return.created", 1), ("return.label_ready", 2)]
    assert await desk.rows("SELECT type, sequence FROM events ORDER BY sequence") == told


async def test_what_a_return_is_handed_over_with_is_sealed_beside_it(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    hub = FoundAddress(country="DE", city="Neuss", lines=("Hub street 1", "Gate 4"))
    await desk.made(ONE, replace(TICKET, secondary_barcode="sec_62001", sent_to=hub))
    assert await desk.keeping.handover(ONE.id) == Handover("sec_62001", hub)
    kept = await desk.rows("SELECT data FROM sealed")
    assert not [row for row in kept if b"sec_62001" in bytes(row[0]) or b"Neuss" in bytes(row[0])]
    other = replace(ONE, id="b" * 32, command="two", sender=None)
    await desk.begin(other)
    await desk.made(other, replace(TICKET, provider_reference="t-2"))
    assert await desk.keeping.handover(other.id) == Handover()
    assert await desk.rows("SELECT owner FROM sealed WHERE owner LIKE '%/handover'") == [(f"return/{ONE.id}/handover",)]


@pytest.mark.parametrize(
    ("ticket", "attention"),
    [
        pytest.param(TICKET, False, id="both"),
        pytest.param(Ticket("t-1", "1234567890"), False, id="a code"),
        pytest.param(Ticket("t-1", label_url="https://api.inpost.test/label"), False, id="a label somewhere"),
        pytest.param(Ticket("t-1", tracking_number="62001"), True, id="neither"),
    ],
)
@pytest.mark.parametrize("is_doubted", [False, True])
async def test_what_nobody_can_send_anything_with_is_for_a_person_to_look_at(
    database: ManagedDatabase, ticket: Ticket, attention: bool, is_doubted: bool
) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    if is_doubted:
        await database.write(lambda it: desk.keeping.lost(it, ONE))
    with structlog.testing.capture_logs() as logs:
        await desk.made(ONE, ticket)
    [(body,)] = await desk.rows("SELECT body FROM events WHERE type = 'return.created'")
    assert json.loads(body)["data"]["attention"] is attention
    assert ("return.unusable" in [one["event"] for one in logs]) is attention


async def test_a_code_is_found_among_the_returns_that_have_it(database: ManagedDatabase) -> None:
    desk = Desk(database)
    vault = Vault.with_keys([b"n" * 32, b"k" * 32])

    async def is_taken(one: Kept, code: str = "1234567890") -> bool:
        return await database.read(lambda it: is_code_of_another(it, vault, one, code))

    other = replace(ONE, id="b" * 32, command="two", sender=None)
    await desk.begin(ONE)
    assert not await is_taken(other), "nobody has it yet"
    await desk.made(ONE)
    assert await is_taken(other)
    assert not await is_taken(ONE), "its own"
    assert not await is_taken(other, "1234567891")
    assert not await is_taken(replace(other, connection="szybkie_zwroty/main"))
    digests = await desk.rows("SELECT code_digest FROM returns WHERE code_digest IS NOT NULL")
    assert "1234567890" not in str(digests)


async def test_nothing_personal_lies_open(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    await desk.made(ONE)
    stored = str([await desk.rows(f"SELECT * FROM {table}") for table in ("returns", "sealed", "events")])
    assert not any(secret in stored for secret in ("1234567890", "ORDER 1", "%PDF"))


async def test_of_one_sender_one_return_is_in_doubt_at_a_time(database: ManagedDatabase) -> None:
    desk = Desk(database)
    other = replace(ONE, id="b" * 32, command="two")
    assert await desk.begin(ONE)
    assert not await desk.begin(other)
    assert await desk.keeping.find(other.id) is None
    assert await desk.begin(replace(other, connection="inpost_returns/other"))
    assert await desk.begin(replace(ONE, id="c" * 32, command="three", sender=None))
    await desk.made(ONE)
    assert await desk.begin(other)


async def test_what_a_command_was_about_to_make_is_replaced_or_forgotten(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    assert await desk.begin(replace(ONE, connection="szybkie_zwroty/main", sender=None))
    found = await desk.keeping.find(ONE.id)
    assert found is not None
    assert found.connection == "szybkie_zwroty/main"
    await database.write(lambda it: desk.keeping.drop(it, found))
    assert await desk.keeping.find(ONE.id) is None
    assert await desk.rows("SELECT owner FROM sealed WHERE owner LIKE 'return/%'") == []


async def test_what_was_withdrawn_holds_up_nobody(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    assert await desk.commands.withdraw("return.create", "one", only="live")
    assert await desk.begin(replace(ONE, id="b" * 32, command="two"))
    assert await desk.keeping.find(ONE.id) is None


async def test_what_is_called_off_uses_the_key_of_its_command_up(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    (claimed,) = await desk.commands.claim({"return.create": 1})
    await desk.commands.note(claimed, Progress(at={"return_id": ONE.id}))
    called_off = await database.write(lambda it: desk.keeping.call_off(it, ONE.id))
    assert called_off == await desk.keeping.find(ONE.id) == replace(ONE, state="cancelled", sender=None, reason=OFF)
    with pytest.raises(LeaseLost):
        await desk.commands.note(claimed, Progress(is_sent=True))
    again = await desk.commands.submit(Command("return.create", "one", b"{}", "tests"))
    assert (again.is_new, again.standing.state) == (False, CommandState.rejected)
    assert again.standing.result == {"problem": "called-off"}
    assert await desk.rows("SELECT owner FROM sealed WHERE owner LIKE 'command:body/%'") == []
    assert await database.write(lambda it: desk.keeping.call_off(it, ONE.id)) is None, "once is enough"


@pytest.mark.parametrize(
    "progress",
    [Progress(at={"return_id": ONE.id}, is_sent=True), Progress(at={"return_id": "b" * 32}), Progress()],
    ids=["sent", "about another return", "about none yet"],
)
async def test_what_may_be_sent_or_is_about_another_return_is_not_called_off(
    database: ManagedDatabase, progress: Progress
) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    (claimed,) = await desk.commands.claim({"return.create": 1})
    await desk.commands.note(claimed, progress)
    assert await database.write(lambda it: desk.keeping.call_off(it, ONE.id)) is None
    assert await desk.keeping.find(ONE.id) == ONE
    await desk.commands.renew(claimed)


@pytest.mark.parametrize(("is_sent", "told"), [(True, [("return.creation_unknown",)]), (False, [])])
async def test_what_its_command_left_open_is_unknown_where_it_may_have_been_sent(
    database: ManagedDatabase, is_sent: bool, told: list[Row]
) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    for _ in range(2):
        await database.write(lambda it: desk.keeping.give_up(it, ONE.id, is_sent=is_sent))
    left = await desk.keeping.find(ONE.id)
    assert (left and (left.state, left.sender)) == (("unknown", None) if is_sent else None)
    assert await desk.rows("SELECT type FROM events") == told


async def test_what_no_key_opens_any_more_is_unknown_and_holds_up_nobody(database: ManagedDatabase) -> None:
    desk = Desk(database)
    await desk.begin(ONE)
    keyless = Keeping(database, Vault.with_keys([b"o" * 32]), Recorder(Envelope("test")), lambda: T0, lambda: None)
    await database.write(lambda it: keyless.give_up(it, ONE.id, is_sent=True))
    assert await desk.rows("SELECT state, sender FROM returns") == [("unknown", None)]


async def test_one_that_no_key_opens_any_more_hides_no_others_from_a_list(database: ManagedDatabase) -> None:
    desk = Desk(database)
    newer = Keeping(database, Vault.with_keys([b"o" * 32]), Recorder(Envelope("test")), lambda: T0, lambda: None)
    other = replace(ONE, id="b" * 32, command="two", sender=None, begun_at=T0 - timedelta(days=1))
    await desk.begin(ONE)
    await database.write(lambda it: newer.begin(it, other))
    assert await newer.page(Wanted(), 10) == [replace(ONE, secrets=Secrets("")), other]


async def test_how_it_ended_is_told_once(database: ManagedDatabase) -> None:
    desk = Desk(database)
    other = replace(ONE, id="b" * 32, command="two", sender=None)
    await desk.begin(ONE)
    await desk.begin(other)
    await database.write(lambda it: desk.keeping.refused(it, ONE, "validation_failed"))
    await database.write(lambda it: desk.keeping.lost(it, other))
    failed, unknown = await desk.keeping.find(ONE.id), await desk.keeping.find(other.id)
    assert failed is not None
    assert unknown is not None
    assert (failed.state, failed.reason, unknown.state) == ("failed", "validation_failed", "unknown")
    assert await desk.rows("SELECT type FROM events ORDER BY position") == [
        ("return.creation_failed",),
        ("return.creation_unknown",),
    ]


async def test_returns_are_listed_the_newest_first_page_after_page(database: ManagedDatabase) -> None:
    desk = Desk(database)
    for number in range(4):
        begun_at, id_ = T0 + timedelta(seconds=number // 2), f"{number:032x}"
        organization = OURS if number else None
        one = replace(ONE, id=id_, command=str(number), begun_at=begun_at, organization=organization, sender=None)
        await desk.begin(one)

    async def page(wanted: Wanted, limit: int = 10) -> list[int]:
        return [int(one.command) for one in await desk.keeping.page(wanted, limit)]

    assert await page(Wanted()) == [3, 2, 1, 0]
    assert await page(Wanted(), 2) == [3, 2]
    second = (await desk.keeping.page(Wanted(), 2))[-1]
    micros = int(second.begun_at.timestamp() * 1_000_000)
    assert await page(Wanted(before=(micros, second.id))) == [1, 0]
    assert await page(Wanted(organizations=frozenset({OURS}))) == [3, 2, 1]
    assert await page(Wanted(state="created")) == []
    assert await page(Wanted(provider="inpost_returns"), 1) == [3]
    assert await page(Wanted(provider="szybkie_zwroty")) == []
