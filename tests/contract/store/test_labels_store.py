"""Labels are kept by the hash of their bytes, in the database or in a folder, and go when they are old."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from bridge.errors import StoreUnavailable
from bridge.events.catalogue import Confirmed
from bridge.events.cloudevents import Envelope
from bridge.events.examples import fact
from bridge.model import Command, CommandState, OrganizationId, ShipmentId
from bridge.shipments.label import LabelFormat, LabelWish
from bridge.shipping.labels.following import Following
from bridge.store import labels
from bridge.store.commands import SqlCommands, follow
from bridge.store.database import ManagedDatabase, Transaction
from bridge.store.facts import Recorder
from bridge.store.labels import Kept, Place, content_of
from bridge.store.leases import SqlLeases
from bridge.store.pruning import BEGINNING, SqlPruning
from bridge.store.sealed import Vault
from bridge.store.shelf import FolderShelf, SealedShelf, Shelf

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD = NOW - timedelta(days=46)
OWNER, OTHER = OrganizationId(1234), OrganizationId(4822)
VAULT = Vault.with_keys([b"k" * 32])
PDF, OTHER_PDF = b"%PDF-1.4 Anna Kowalska", b"%PDF-1.4 Jan Nowak"
Make = Callable[[ManagedDatabase, Vault], Shelf]


@pytest.fixture(params=["database", "folder"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Give what opens the shelf with some keys."""
    if request.param == "database":
        return SealedShelf
    return lambda _, vault: FolderShelf(tmp_path / "labels", vault)


@pytest.fixture
def shelf(make: Make, database: ManagedDatabase) -> Shelf:
    return make(database, VAULT)


def place(shipment: int = 7, kind: str | None = None, owner: OrganizationId = OWNER) -> Place:
    return Place(owner, ShipmentId(shipment), "pdf", kind)


async def keep(
    database: ManagedDatabase, shelf: Shelf, content: bytes = PDF, where: Place | None = None, at: datetime = NOW
) -> Kept:
    """Keep a label as the desk does."""
    where = where or place()
    digest = sha256(content).hexdigest()
    put = await shelf.put(content_of(where.organization, digest), content)
    kept = Kept(where, "kept", at, sha256=digest, size=len(content))

    def write(transaction: Transaction) -> None:
        put(transaction)
        labels.keep(transaction, kept, shelf.drop)

    await database.write(write)
    return kept


async def content(shelf: Shelf, kept: Kept) -> bytes | None:
    assert kept.content is not None
    return await shelf.get(kept.content)


async def look(database: ManagedDatabase, where: Place) -> Kept | None:
    return await database.read(lambda transaction: labels.look(transaction, where))


async def test_a_label_is_kept_under_its_hash(database: ManagedDatabase, shelf: Shelf) -> None:
    kept = await keep(database, shelf)
    assert await look(database, place()) == kept
    assert await database.read(lambda it: labels.of_shipment(it, OWNER, ShipmentId(7))) == [kept]
    assert await content(shelf, kept) == PDF
    assert await look(database, place(8)) is None
    assert await shelf.get(content_of(OTHER, kept.sha256 or "")) is None


async def test_what_is_on_the_shelf_can_be_read_with_the_key_alone(
    database: ManagedDatabase, make: Make, tmp_path: Path
) -> None:
    kept = await keep(database, make(database, VAULT))
    sealed = await database.read(lambda it: it.run("SELECT data FROM sealed"))
    files = [one for one in (tmp_path / "labels").rglob("*") if one.is_file()]
    found = [bytes(row[0]) for row in sealed] + [one.read_bytes() for one in files]
    assert len(found) == 1
    assert not any(b"Kowalska" in one or b"PDF" in one for one in found)
    assert all(one.stat().st_mode & 0o077 == 0 for one in files)
    assert await content(make(database, Vault.with_keys([b"x" * 32])), kept) is None
    newer = make(database, Vault.with_keys([b"x" * 32, b"k" * 32]))
    assert await content(newer, kept) == PDF


async def test_another_label_takes_the_place_of_the_first(database: ManagedDatabase, shelf: Shelf) -> None:
    first = await keep(database, shelf)
    second = await keep(database, shelf, OTHER_PDF)
    assert await look(database, place()) == second
    assert await content(shelf, first) is None
    assert await content(shelf, second) == OTHER_PDF


async def test_bytes_that_two_labels_share_go_with_the_last(database: ManagedDatabase, shelf: Shelf) -> None:
    first = await keep(database, shelf)
    second = await keep(database, shelf, where=place(kind="A6"))
    await database.write(lambda it: labels.delete(it, [first.place.id], shelf.drop))
    assert (await look(database, first.place), await content(shelf, second)) == (None, PDF)
    await database.write(lambda it: labels.delete(it, [second.place.id], shelf.drop))
    assert await content(shelf, second) is None


async def test_a_label_that_is_kept_is_not_missed(database: ManagedDatabase, shelf: Shelf) -> None:
    missed = Kept(place(), "waiting", NOW, 3, "not_a_label")
    await database.write(lambda it: labels.miss(it, missed))
    assert await look(database, place()) == missed
    kept = await keep(database, shelf)
    await database.write(lambda it: labels.miss(it, missed))
    assert await look(database, place()) == kept


async def test_what_is_old_goes_in_batches_with_its_content(database: ManagedDatabase, shelf: Shelf) -> None:
    old = [await keep(database, shelf, PDF + bytes([number]), place(number), OLD) for number in range(1, 6)]
    missed = Kept(place(9), "failed", OLD, 3, "not_a_label")
    await database.write(lambda it: labels.miss(it, missed))
    young = await keep(database, shelf, where=place(99))
    tokens = await SqlLeases(database, "one").hold(["retention"])
    pruning = SqlPruning(database, "one", shelf.drop)
    after, rows = BEGINNING, []
    while True:
        batch = await pruning.prune("labels", NOW - timedelta(days=45), after, 2, tokens)
        rows.append(batch.rows)
        if batch.after is None:
            break
        after = batch.after
    assert (max(rows), sum(rows)) == (2, 6)
    assert [await look(database, one.place) for one in [*old, missed]] == [None] * 6
    assert [await content(shelf, one) for one in old] == [None] * 5
    assert await content(shelf, young) == PDF


async def test_a_folder_that_cannot_be_written_to_holds_up_nobody_else(
    database: ManagedDatabase, tmp_path: Path
) -> None:
    (tmp_path / "labels").write_text("no folder")
    shelf = FolderShelf(tmp_path / "labels", VAULT)
    with pytest.raises(OSError, match="exists"):
        shelf.prepare()
    with pytest.raises(StoreUnavailable, match="folder"):
        await keep(database, shelf)
    assert await look(database, place()) is None


async def test_a_file_that_is_gone_is_a_label_that_is_not_kept(database: ManagedDatabase, tmp_path: Path) -> None:
    shelf = FolderShelf(tmp_path / "labels", VAULT)
    shelf.prepare()
    kept = await keep(database, shelf)
    for file in (tmp_path / "labels").rglob("*"):
        if file.is_file():
            file.unlink()
    assert await content(shelf, kept) is None
    await keep(database, shelf)
    assert await content(shelf, kept) == PDF


# -- what follows from a confirmation ----------------------------------------------------------------------------------


async def confirm(database: ManagedDatabase, recorder: Recorder, *, breaks: bool = False) -> None:
    """Record that a shipment is confirmed."""
    told = fact(Confirmed)

    def write(transaction: Transaction) -> None:
        ledgers = recorder.lock(transaction, {told.subject})
        recorder.record(transaction, ledgers, [told], NOW)
        recorder.save(transaction, ledgers.values())
        if breaks:
            raise ZeroDivisionError

    await database.write(write)


async def test_a_confirmation_and_the_wish_for_its_label_are_one_commit(database: ManagedDatabase) -> None:
    recorder = Recorder(Envelope("test"), Following({OWNER: LabelWish(LabelFormat.zpl)}, VAULT))
    commands = SqlCommands(database, VAULT, "one")
    with pytest.raises(ZeroDivisionError):
        await confirm(database, recorder, breaks=True)
    assert await commands.look("label.keep", "1234/987654321/zpl") is None
    await confirm(database, recorder)
    await confirm(database, recorder)
    [claimed] = await commands.claim({"label.keep": 9})
    assert (claimed.id, claimed.given_by) == ("1234/987654321/zpl", "confirmation")
    wanted = {"shipment_id": 987654321, "organization_id": 1234, "format": "zpl", "type": None}
    assert json.loads(claimed.body) == wanted


async def test_other_organizations_want_nothing_unasked(database: ManagedDatabase) -> None:
    await confirm(database, Recorder(Envelope("test"), Following({OTHER: LabelWish()}, VAULT)))
    assert await SqlCommands(database, VAULT, "one").claim({"label.keep": 9}) == []


async def test_what_follows_twice_is_one_command_that_stays_as_it_is(database: ManagedDatabase) -> None:
    commands = SqlCommands(database, VAULT, "one")
    wanted = [Command("label.keep", "one", b"{}", "confirmation"), Command("label.keep", "two", b"[]", "confirmation")]
    await database.write(lambda it: follow(it, VAULT, wanted[:1]))
    [first] = await commands.claim({"label.keep": 9})
    other = Command("label.keep", "one", b"{1}", "confirmation")
    await database.write(lambda it: follow(it, VAULT, [other, wanted[1]]))
    [second] = await commands.claim({"label.keep": 9})
    assert [(one.id, one.body) for one in (first, second)] == [("one", b"{}"), ("two", b"[]")]
    standing = await commands.look("label.keep", "one")
    assert standing is not None
    assert standing.state is CommandState.running


async def test_what_somebody_asks_for_never_waits_behind_labels_that_nobody_waits_for(
    database: ManagedDatabase,
) -> None:
    commands = SqlCommands(database, VAULT, "one")
    long_due = NOW - timedelta(days=365)
    unasked = [Command("label.keep", f"{number}", b"{}", "confirmation", long_due) for number in range(200)]
    await database.write(lambda it: follow(it, VAULT, unasked))
    await commands.submit(Command("shipment.buy", "now", b"{}", "erp"))
    rooms = {"label.keep": 2, "shipment.buy": 4}
    taken = [one.operation for one in await commands.claim(rooms)]
    taken += [one.operation for one in await commands.claim({**rooms, "label.keep": 2 - len(taken)})]
    assert taken == ["label.keep", "label.keep", "shipment.buy"]
