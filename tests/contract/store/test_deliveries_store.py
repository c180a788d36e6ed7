"""What a replay takes up: the oldest first, each once, and of what was parked only what has not taken effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from bridge.model import Arrival, DeliveryId, OrganizationId, Parked, Receipt, ShipmentId
from bridge.store import deliveries
from bridge.store.database import Database
from bridge.store.deliveries import Place, SqlDeliveries, State, Wanted, decode, following
from bridge.store.inbox import SqlInbox
from bridge.store.sealed import Vault

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
VAULT = Vault.with_keys([b"k" * 32])


def arrival(key: str, minute: int, organization: int = 1) -> Arrival:
    at = NOON + timedelta(minutes=minute)
    body = key.encode()
    owner = OrganizationId(organization)
    return Arrival(DeliveryId(key), owner, "status", ShipmentId(7), at, at, body, sha256(body).digest())


def parked(key: str, minute: int, reason: str = "outside_networks", organization: int = 1) -> Parked:
    at = NOON + timedelta(minutes=minute)
    return Parked(DeliveryId(key), reason, OrganizationId(organization), "8.8.4.4", at, 1, b"x")


class Books:
    """An inbox, and a look at it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.inbox = SqlInbox(database, VAULT)
        self.deliveries = SqlDeliveries(database, VAULT, self.inbox)

    async def to_replay(self, wanted: Wanted, limit: int = 100) -> list[str]:
        """Give the ids of everything, page by page."""
        return [key for page in await self.pages(wanted, limit) for key in page]

    async def pages(self, wanted: Wanted, limit: int = 100) -> list[list[str]]:
        """Give the ids on each page."""
        found: list[list[str]] = []
        after: Place | None = None
        until = await self.deliveries.end(wanted)
        while until is not None and (after is None or after < until):
            page = await self.deliveries.to_replay(wanted, after, until, limit)
            assert after is None or page.after > after, "every page comes further"
            after = page.after
            found.append([one.id for one in page.listed])
        return found

    async def listed(self, wanted: Wanted, limit: int = 100) -> list[str]:
        """Give the ids of a list, page by page."""
        found: list[str] = []
        while True:
            page = await self.deliveries.list(wanted, limit)
            found += [one.id for one in page]
            cursor = following(page, limit)
            if cursor is None:
                return found
            wanted = replace(wanted, before=decode(cursor))

    async def fail(self, key: str, verdict: str) -> None:
        sql = "UPDATE deliveries SET state = 2, verdict = ? WHERE id = ?"
        await self.database.write(lambda transaction: transaction.run(sql, (verdict, key)))


@pytest.fixture
async def books(database: Database) -> Books:
    found = Books(database)
    await found.inbox.accept([arrival("b", 1), arrival("a", 2), arrival("c", 1), arrival("d", 4, organization=2)])
    await found.inbox.accept(
        [parked("z", 1), parked("y", 3, "not_json"), parked("x", 3), parked("w", 9, organization=2)]
    )
    for key, verdict in [("a", "bug"), ("b", "key_missing"), ("d", "bug")]:
        await found.fail(key, verdict)
    return found


SELECTIONS = [
    # wanted, ids, remark
    (Wanted("failed"), ["b", "a", "d"], "by state, in the order of their coming"),
    (Wanted("failed", verdict="bug"), ["a", "d"], "by verdict"),
    (Wanted("failed", since=NOON + timedelta(minutes=2)), ["a", "d"], "since, included"),
    (Wanted("failed", organizations=frozenset({2})), ["d"], "by organization"),
    (Wanted("done"), [], "by a state that none is in"),
    (Wanted("pending"), ["c"], "what is under way"),
    (Wanted("parked"), ["z", "x", "y", "w"], "parked, those of the same moment by id"),
    (Wanted("parked", verdict="not_json"), ["y"], "parked by reason"),
    (Wanted("parked", frozenset({1}), verdict="outside_networks", since=NOON + timedelta(minutes=2)), ["x"], "all"),
]


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize(("wanted", "ids", "remark"), SELECTIONS, ids=[row[-1] for row in SELECTIONS])
async def test_what_is_wanted_comes_once_and_the_oldest_first(
    books: Books, wanted: Wanted, ids: list[str], remark: str, limit: int
) -> None:
    assert await books.to_replay(wanted, limit) == ids, remark


async def test_what_was_parked_and_has_taken_effect_is_not_taken_up_again(books: Books) -> None:
    receipt = await books.database.write(
        lambda transaction: books.deliveries.release(transaction, DeliveryId("x"), arrival("e", 3))
    )
    assert receipt is Receipt.accepted
    assert await books.to_replay(Wanted("parked")) == ["z", "y", "w"]
    listed = await books.deliveries.list(Wanted("parked"), 10)
    assert [one.id for one in listed] == ["w", "y", "x", "z"], "it is still listed, the newest first"


@pytest.mark.parametrize(
    ("wanted", "pages", "remark"),
    [
        (Wanted("pending"), [["n1"], ["n4"]], "by state"),
        (Wanted("pending", since=NOON + timedelta(minutes=3)), [["n4"]], "what came before is not looked at"),
        (Wanted("failed"), [["n0", "n2"], ["n3", "n5"]], "what failed is found past all others"),
        (Wanted("failed", verdict="bug"), [["n0"], ["n5"]], "and looked through in the same steps"),
        (Wanted("done"), [[], []], "none at all"),
    ],
)
async def test_a_page_ends_after_so_many_that_were_looked_at(
    database: Database, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, pages: list[list[str]], remark: str
) -> None:
    monkeypatch.setattr(deliveries, "LOOKED", 3 if wanted.state != "failed" else 2)
    books = Books(database)
    await books.inbox.accept([arrival(f"n{minute}", minute) for minute in range(6)])
    for key, verdict in [("n0", "bug"), ("n2", "key_missing"), ("n3", "key_missing"), ("n5", "bug")]:
        await books.fail(key, verdict)
    assert await books.pages(wanted) == pages, remark


@pytest.mark.parametrize("state", ["pending", "parked"])
async def test_what_came_after_it_began_is_not_taken_up(books: Books, state: State) -> None:
    until = await books.deliveries.end(Wanted(state))
    assert until is not None
    await books.inbox.accept([arrival("later", 10), parked("later still", 10)])
    found = await books.deliveries.to_replay(Wanted(state), None, until, 100)
    assert [one.id for one in found.listed] == (["c"] if state == "pending" else ["z", "x", "y", "w"])
    assert found.after == until


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 100])
async def test_a_list_of_any_state_has_the_parked_ones_in_their_place(books: Books, limit: int) -> None:
    assert await books.listed(Wanted(), limit) == ["w", "d", "y", "x", "a", "z", "c", "b"]
    assert await books.listed(Wanted(organizations=frozenset({2})), limit) == ["w", "d"]


async def test_a_list_can_be_narrowed_down_in_the_same_way(books: Books) -> None:
    listed = await books.deliveries.list(Wanted("failed", verdict="bug", since=NOON + timedelta(minutes=3)), 10)
    assert [one.id for one in listed] == ["d"]
