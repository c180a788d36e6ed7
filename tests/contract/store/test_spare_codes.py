"""Codes made in advance in the database: sealed, found by what they read, in one hand at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.events.cloudevents import Envelope
from bridge.model import Command, CommandState, OrganizationId, Outcome, Progress
from bridge.returns.ticket import Ticket
from bridge.shipping.returns.codes.activating import Activating
from bridge.shipping.returns.codes.asked import ActivateCode
from bridge.shipping.returns.codes.document import document
from bridge.shipping.returns.codes.stock import Stock as Desks
from bridge.shipping.returns.keeping import Keeping
from bridge.store import old_returns, spare_codes
from bridge.store.commands import SqlCommands
from bridge.store.database import ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.returns import Kept, Secrets
from bridge.store.sealed import Vault
from bridge.store.spare_codes import UNREADABLE, Holder, Spare, SpareState, Wanted

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
OURS = OrganizationId(4821)
ACTIVATE, INVALIDATE = "return.code.activate", "return.code.invalidate"
CODE = "1414000001"
ONE = Spare("a" * 32, "szybkie_zwroty/main", OURS, "inactive", T0, CODE)
OLD, NEW = b"o" * 32, b"n" * 32
RETURN = "e" * 32


class Stock:
    """Codes in a database, and the commands that are at them."""

    def __init__(self, database: ManagedDatabase, *keys: bytes) -> None:
        self.database = database
        self.vault = Vault.with_keys(keys or (OLD,))
        self.commands = SqlCommands(database, self.vault, "stock")

    async def add(self, *codes: Spare) -> list[Spare]:
        return await self.database.write(lambda it: spare_codes.add(it, self.vault, codes))

    async def find(self, which: str = ONE.id) -> Spare | None:
        return await self.database.read(lambda it: spare_codes.find(it, self.vault, which))

    async def page(self, wanted: Wanted | None = None, limit: int = 10) -> list[str]:
        asked = wanted or Wanted()
        found = await self.database.read(lambda it: spare_codes.page(it, self.vault, asked, limit))
        return [one.code for one in found]

    async def state(self) -> SpareState:
        found = await self.find()
        assert found is not None
        return found.state

    async def begin(self, key: str, operation: str = ACTIVATE) -> Holder:
        await self.commands.submit(Command(operation, key, b"{}", "tests"))
        return Holder(operation, key)

    async def take(
        self, by: Holder, among: Sequence[SpareState] = ("inactive", "unknown"), return_id: str | None = RETURN
    ) -> SpareState | None:
        return await self.database.write(lambda it: spare_codes.take(it, ONE.id, by, among, return_id))

    async def end(self, by: Holder, state: SpareState) -> None:
        await self.database.write(lambda it: spare_codes.end(it, ONE.id, by, state))


async def test_a_code_is_found_by_its_id_and_by_what_it_reads(database: ManagedDatabase) -> None:
    stock = Stock(database)
    assert await stock.add(ONE) == [ONE]
    assert await stock.find() == await stock.find(CODE) == ONE
    assert await stock.find("1414000002") is None
    assert await stock.add(replace(ONE, id="b" * 32)) == [], "the same code is one code"


async def test_nothing_that_lies_open_says_what_a_code_reads(database: ManagedDatabase) -> None:
    stock = Stock(database)
    await stock.add(ONE)
    codes, data = await database.read(
        lambda it: [it.run(f"SELECT * FROM {name}") for name in ("spare_codes", "sealed")]
    )
    assert CODE not in str(codes + data)
    strangers = Vault.with_keys([NEW]).digests("spare code", CODE.encode())
    [(digest,)] = await database.read(lambda it: it.run("SELECT digest FROM spare_codes"))
    assert digest not in (*strangers, *Vault().digests("spare code", CODE.encode()))


async def test_a_code_made_in_advance_is_the_code_of_the_return_that_it_is_activated_for(
    database: ManagedDatabase,
) -> None:
    stock = Stock(database, NEW, OLD)
    await Stock(database, OLD).add(ONE)

    async def is_for_another(code: str, return_id: str, connection: str = ONE.connection) -> bool:
        return await database.read(lambda it: spare_codes.is_for_another(it, stock.vault, connection, code, return_id))

    assert await is_for_another(CODE, RETURN), "it is still to be activated"
    assert not await is_for_another("1414000002", RETURN)
    assert not await is_for_another(CODE, RETURN, "szybkie_zwroty/other")
    by = await stock.begin("one")
    await stock.take(by)
    await stock.end(by, "unknown")
    assert await is_for_another(CODE, "f" * 32)
    assert not await is_for_another(CODE, RETURN)


async def test_a_code_is_found_after_the_keys_were_rotated(database: ManagedDatabase) -> None:
    await Stock(database, OLD).add(ONE)
    assert await Stock(database, NEW, OLD).find(CODE) == ONE


async def test_a_code_whose_key_is_gone_is_listed_without_what_it_reads(database: ManagedDatabase) -> None:
    """And the others beside it as ever."""
    await Stock(database, OLD).add(ONE)
    stock = Stock(database, NEW)
    await stock.add(replace(ONE, id="b" * 32, code="1414000002", made_at=T0 + timedelta(hours=1)))
    assert await stock.page() == ["1414000002", UNREADABLE]
    found = await database.read(lambda it: spare_codes.page(it, stock.vault, Wanted(), 10))
    assert [document(one, with_code=True)["code"] for one in found] == ["1414000002", None]


async def test_one_command_at_a_time_is_at_a_code(database: ManagedDatabase) -> None:
    stock = Stock(database)
    await stock.add(ONE)
    first, second = await stock.begin("one"), await stock.begin("two")
    assert await stock.take(first) == "inactive"
    assert (await stock.state(), await stock.take(second)) == ("activating", None)
    await stock.end(second, "active")
    assert await stock.state() == "activating", "who does not have it writes nothing"
    await stock.end(first, "active")
    found = await stock.find()
    assert found == replace(ONE, state="active", return_id=RETURN)
    assert await stock.take(second) is None


async def test_nobody_activates_what_is_being_made_useless(database: ManagedDatabase) -> None:
    stock = Stock(database)
    await stock.add(ONE)
    useless = await stock.begin("one", INVALIDATE)
    assert await stock.take(useless, ("inactive",), None) == "inactive"
    assert (await stock.state(), await stock.take(await stock.begin("two"))) == ("inactive", None)
    await stock.end(useless, "invalidated")
    assert (await stock.state(), await stock.take(await stock.begin("three"))) == ("invalidated", None)


async def test_what_was_withdrawn_has_no_code_in_hand(database: ManagedDatabase) -> None:
    stock = Stock(database)
    await stock.add(ONE)
    first = await stock.begin("one")
    await stock.take(first)
    assert await stock.commands.withdraw(ACTIVATE, "one", only="live")
    assert await stock.state() == "inactive"
    assert await stock.page(Wanted(state="inactive")) == [CODE]
    assert await stock.take(await stock.begin("two")) == "inactive"


async def test_what_is_given_again_lets_go_of_what_it_was_about_before(database: ManagedDatabase) -> None:
    stock = Stock(database)
    other = replace(ONE, id="b" * 32, code="1414000002")
    await stock.add(ONE, other)
    await stock.take(await stock.begin("one"))
    await stock.commands.withdraw(ACTIVATE, "one", only="live")
    again = await stock.begin("one")
    assert await stock.take(again) == "inactive", "the same code, once more"
    await stock.commands.withdraw(ACTIVATE, "one", only="live")
    again = await stock.begin("one")
    assert await database.write(lambda it: spare_codes.take(it, other.id, again, ("inactive",), RETURN)) == "inactive"
    assert await stock.state() == "inactive"


async def test_what_ended_without_a_word_here_is_unknown(database: ManagedDatabase) -> None:
    stock = Stock(database)
    await stock.add(ONE)
    await stock.take(await stock.begin("one"))
    (claimed,) = await stock.commands.claim({ACTIVATE: 1})
    await stock.commands.end(claimed, lambda _: Outcome(CommandState.unknown))
    assert (await stock.state(), await stock.page(Wanted(state="unknown"))) == ("unknown", [CODE])
    second = await stock.begin("two")
    assert await stock.take(second, return_id="f" * 32) is None, "it may be active for another return"
    assert await stock.take(second) == "unknown"


@pytest.mark.parametrize(("settled", "state"), [("made", "active"), ("refused", "inactive"), (None, "unknown")])
async def test_how_its_return_is_settled_settles_a_code_in_doubt(
    database: ManagedDatabase, settled: str | None, state: str
) -> None:
    stock = Stock(database)
    await stock.add(ONE)
    by = await stock.begin("one")
    await stock.take(by)
    await stock.end(by, "unknown")
    keeping = Keeping(database, stock.vault, Recorder(Envelope("test")), lambda: T0, lambda: None)
    kept = Kept(RETURN, ONE.connection, OURS, "one", "pending", T0, Secrets("ORDER 1"))
    kept = await database.write(lambda it: keeping.open(it, kept))
    await database.write(lambda it: keeping.lost(it, kept))
    if settled == "made":
        await database.write(lambda it: keeping.made(it, kept, Ticket(code=CODE)))
    if settled == "refused":
        await database.write(lambda it: keeping.refused(it, kept, "not_made"))
    found = await stock.find()
    assert found is not None
    assert (found.state, found.return_id) == (state, None if state == "inactive" else RETURN)
    again = await database.write(lambda it: keeping.open(it, replace(kept, secrets=Secrets("OTHER"))))
    assert again.secrets.reference == "ORDER 1", "what is there stays as it is"
    if settled is None:
        return
    await database.write(lambda it: old_returns.delete(it, [RETURN]))
    left = await stock.find()
    assert left == (replace(ONE, state="inactive") if settled == "refused" else None), (
        "it goes with its return, or is free"
    )
    rest = await database.read(lambda it: it.run("SELECT owner FROM sealed WHERE owner NOT LIKE 'command%'"))
    assert rest == ([(f"spare_code/{ONE.id}",)] if left else [])


async def test_a_code_that_a_command_is_at_is_not_forgotten_with_its_return(database: ManagedDatabase) -> None:
    stock = Stock(database)
    await stock.add(ONE)
    by = await stock.begin("one")
    await stock.take(by)
    await database.write(lambda it: old_returns.delete(it, [RETURN]))
    assert await stock.state() == "activating"
    await stock.end(by, "active")
    await database.write(lambda it: old_returns.delete(it, [RETURN]))
    assert await stock.find() is None


async def test_codes_are_listed_the_newest_first_page_after_page(database: ManagedDatabase) -> None:
    stock = Stock(database)
    await stock.add(
        *(
            replace(
                ONE,
                id=f"{number:032x}",
                code=str(number),
                made_at=T0 + timedelta(seconds=number // 2),
                organization=OURS if number else None,
            )
            for number in range(4)
        )
    )
    assert await stock.page() == ["3", "2", "1", "0"]
    assert await stock.page(limit=2) == ["3", "2"]
    before = (int(T0.timestamp() * 1_000_000) + 1_000_000, f"{2:032x}")
    assert await stock.page(Wanted(before=before)) == ["1", "0"]
    assert await stock.page(Wanted(organizations=frozenset({OURS}))) == ["3", "2", "1"]
    assert await stock.page(Wanted(state="active")) == []


@pytest.mark.parametrize(("is_sent", "state"), [(False, "cancelled"), (True, "pending")])
async def test_a_return_is_called_off_with_its_command_where_nothing_was_sent(
    database: ManagedDatabase, is_sent: bool, state: str
) -> None:
    stock = Stock(database)
    keeping = Keeping(database, stock.vault, Recorder(Envelope("test")), lambda: T0, lambda: None)
    kept = Kept(RETURN, "inpost_returns/main", OURS, "one", "pending", T0, Secrets("ORDER 1"), sender="digest")
    await stock.begin("one", "return.create")
    (claimed,) = await stock.commands.claim({"return.create": 1})
    noted = Progress(at={"return_id": RETURN}, is_sent=is_sent)
    await stock.commands.step(claimed, lambda it: keeping.begin(it, kept), lambda _: noted)
    found = await database.write(lambda it: keeping.call_off(it, kept.id))
    assert (found is None) == is_sent
    left = await keeping.find(kept.id)
    assert left is not None
    assert (left.state, left.sender) == (state, "digest" if is_sent else None)
    standing = await stock.commands.look("return.create", "one")
    assert standing is not None
    assert standing.state is (CommandState.running if is_sent else CommandState.rejected)


@pytest.mark.parametrize(("is_sent", "state", "kept"), [(True, "unknown", "unknown"), (False, "inactive", None)])
async def test_what_nobody_came_further_with_is_in_doubt_where_it_may_have_been_sent(
    database: ManagedDatabase, is_sent: bool, state: str, kept: str | None
) -> None:
    stock = Stock(database)
    await stock.add(ONE)
    keeping = Keeping(database, stock.vault, Recorder(Envelope("test")), lambda: T0, lambda: None)
    activating = Activating(Desks(database, stock.vault, {}), keeping, lambda: T0)
    asked = ActivateCode.model_validate({"code": ONE.id, "reference": "ORDER 1", "sender": {}})
    await stock.commands.submit(Command(ACTIVATE, "one", asked.canonical, "tests"))
    await stock.take(Holder(ACTIVATE, "one"), return_id=RETURN)
    (claimed,) = await stock.commands.claim({ACTIVATE: 1})
    progress = Progress(at={"code_id": ONE.id, "return_id": RETURN}, is_sent=is_sent)
    for _ in range(2):
        await database.write(lambda it: activating.given_up(it, replace(claimed, progress=progress)))
    found = await keeping.find(RETURN)
    assert (await stock.state(), None if found is None else found.state) == (state, kept)
